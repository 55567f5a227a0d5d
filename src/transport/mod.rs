//! Everything that touches the wire.

mod bearer;

pub use bearer::{Bearer, TokenSource};
