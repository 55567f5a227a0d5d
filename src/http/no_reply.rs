//! A reply that did not come in time.

use std::time::Duration;

/// The time that a reply had is over.
#[derive(Debug, thiserror::Error)]
#[error("no reply came within {} s", .0.as_secs_f64())]
pub(crate) struct NoReply(pub Duration);
