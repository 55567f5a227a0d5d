//! Typed clients for OAuth-protected bank and payment APIs.
#![forbid(unsafe_code)]

pub mod oauth;
#[cfg(feature = "sandbox")]
pub mod sandbox;
mod scope;
mod secret;
pub mod token;
pub mod transport;

pub use scope::ScopeSet;
pub use secret::Secret;
