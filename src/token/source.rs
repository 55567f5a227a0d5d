//! The one small trait by which calls know tokens.

use futures_util::future::BoxFuture;
use http::HeaderValue;
use std::sync::Arc;

use super::Error;
use crate::value::ScopeSet;

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
pub trait TokenSource: Send + Sync + 'static {
    /// A header that needs no waiting: no lock, no allocation, no I/O.
    fn ready(&self) -> Option<Bearer>;

    /// A header, after whatever it takes to get one.
    fn fresh(&self) -> BoxFuture<'_, Result<Bearer, Error>>;

    /// The provider answered 401 to this generation: a header of a newer one.
    ///
    /// However many calls report the same generation, one refresh is made.
    fn rejected(&self, generation: u64, rejection: Rejection) -> BoxFuture<'_, Result<Bearer, Error>>;

    /// The scopes that the token was granted; none: not known yet.
    fn granted(&self) -> Option<Arc<ScopeSet>>;
}
