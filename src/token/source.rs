//! The one small trait by which calls know tokens.

use futures_util::future::BoxFuture;
use http::HeaderValue;
use std::sync::Arc;

use super::{Error, GrantKind};
use crate::value::{ScopeSet, Secret, secret_header};

/// A ready `Authorization` header and the generation of the token in it.
///
/// `Debug` shows the generation only.
#[derive(Clone)]
pub struct Bearer {
    /// `Bearer <token>`, marked sensitive.
    pub header: HeaderValue,
    /// Which token this is; it moves with every new token of the grant.
    pub generation: u64,
}

impl Bearer {
    /// The header `Bearer <token>`, marked sensitive, so that HTTP libraries neither log nor compress it.
    ///
    /// Its memory is overwritten when the last clone of it goes away. What an HTTP library copies out of it is not.
    ///
    /// `generation` says which token of the grant it is: give the next number with every new token, and the same one
    /// with the same token.
    ///
    /// # Errors
    ///
    /// When the token is empty or has characters other than visible ASCII ones, which no header carries.
    ///
    /// ```
    /// use finrail::Secret;
    /// use finrail::token::Bearer;
    ///
    /// let bearer = Bearer::new(&Secret::from("an-access-token"), 1)?;
    /// assert!(bearer.header.is_sensitive());
    /// assert!(Bearer::new(&Secret::from("two\nlines"), 1).is_err());
    /// # Ok::<(), finrail::token::UnusableToken>(())
    /// ```
    pub fn new(token: &Secret, generation: u64) -> Result<Self, UnusableToken> {
        if token.is_empty() || !token.expose_secret().bytes().all(|b| (0x21..=0x7e).contains(&b)) {
            return Err(UnusableToken);
        }
        // Only what was refused above is refused here, and the error behind it says no more.
        let header = secret_header("Bearer", token.expose_secret()).map_err(|_| UnusableToken)?;
        Ok(Self { header, generation })
    }
}

/// An access token that no header can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the access token is empty or has characters that a header cannot carry; get another one")]
pub struct UnusableToken;

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bearer")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// What a 401 said of the access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// `error="invalid_token"`: expired, revoked or malformed (RFC 6750 section 3.1).
    InvalidToken,
    /// Nothing: it may be about the token, the client's address or its rights.
    Unexplained,
}

/// Gives a header for a call, and takes its rejection.
///
/// [`TokenHandle`](super::TokenHandle) is one. For tokens that are kept elsewhere write your own, and give it to
/// [`ClientBuilder::token_source`](crate::ClientBuilder::token_source), which has an example.
pub trait TokenSource: Send + Sync + 'static {
    /// A header that needs no waiting: no lock, no allocation, no I/O.
    fn ready(&self) -> Option<Bearer>;

    /// A header, after whatever it takes to get one.
    fn fresh(&self) -> BoxFuture<'_, Result<Bearer, Error>>;

    /// The provider answered 401 to this generation: a header of a newer one.
    ///
    /// However many calls report the same generation, one refresh is made.
    ///
    /// After a 401 that does not name the token ([`Unexplained`](Rejection::Unexplained)) a call with an effect is not sent
    /// again. It is told here all the same, and nobody waits for the header: the first poll comes before the call
    /// returns, the rest in a task of its own, and the next call is to have another token. A source that cannot give
    /// another one, or has given a new one moments ago, answers with an error and keeps the token.
    fn rejected(&self, generation: u64, rejection: Rejection) -> BoxFuture<'_, Result<Bearer, Error>>;

    /// The scopes that the token was granted, by their names or as the provider writes them (`PREMIUM_AIS:consent-1`); none:
    /// not known yet.
    fn granted(&self) -> Option<Arc<ScopeSet>>;

    /// Whose tokens they are: the name of a provider's module (`mx`), which is in the [key](super::TokenKey::provider) of a
    /// grant. A client of another provider does not take the source. None, as for a source that does not implement this:
    /// it is not known, and for the caller to see to.
    fn provider(&self) -> Option<&str> {
        None
    }

    /// How the grant came about. A client of which the calls take a user's token does not take the tokens of the application
    /// itself, and a client of service calls takes no others. None, as for a source that does not implement this: it is
    /// not known, and for the caller to see to.
    fn grant(&self) -> Option<GrantKind> {
        None
    }

    /// Which authorization server gave the tokens, as the [key](super::TokenKey::token_endpoint) of a grant says it; empty: that
    /// of the provider's default environment. A client that is set up for another one, such as that of another institution,
    /// does not take the source. None, as for a source that does not implement this: it is not known, and for the caller to
    /// see to.
    fn token_endpoint(&self) -> Option<&str> {
        None
    }

    /// What those who wait for a token wait for now, as an error for one who cannot wait any longer; none, as for a
    /// source that does not implement this: it is not known.
    fn waiting(&self) -> Option<Error> {
        None
    }

    /// Which grant the tokens are of, for spans and metrics: a name that tells nothing of a person. None, as for a source
    /// that does not implement this: it is not told.
    fn connection(&self) -> Option<String> {
        None
    }
}
