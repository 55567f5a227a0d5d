//! The token lifecycle: what we hold, when it changes, who may change it.

mod error;
mod issuer;

pub use error::Error;
pub use issuer::{Issuer, IssuerError, Obtain, RevokedToken, TokenReply, Verdict};
