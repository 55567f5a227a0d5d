//! The one small trait by which the transport knows tokens.

use futures_util::future::BoxFuture;
use http::HeaderValue;
use std::sync::Arc;

use crate::ScopeSet;
use crate::token;

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

/// Gives a header for a call, and takes its rejection.
pub trait TokenSource: Send + Sync + 'static {
    /// A header that needs no waiting: no lock, no allocation, no I/O.
    fn ready(&self) -> Option<Bearer>;

    /// A header, after whatever it takes to get one.
    fn fresh(&self) -> BoxFuture<'_, Result<Bearer, token::Error>>;

    /// The provider answered 401 `invalid_token` to this generation: a header of a newer one.
    ///
    /// However many calls report the same generation, one refresh is made.
    fn rejected(&self, generation: u64) -> BoxFuture<'_, Result<Bearer, token::Error>>;

    /// The scopes that the token was granted; none: not known yet.
    fn granted(&self) -> Option<Arc<ScopeSet>>;
}
