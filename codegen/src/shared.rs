//! The OAuth schemas that every document may refer to.

/// The wire types that all providers share; they are Rust types of the library.
pub(crate) const SHARED: [&str; 4] = ["TokenRequest", "TokenResponse", "OAuthError", "RevocationRequest"];
