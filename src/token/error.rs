//! Why there is no token for a call.

/// Why there is no token for a call.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The token request failed.
    #[error(transparent)]
    Issuer(#[from] super::IssuerError),
}
