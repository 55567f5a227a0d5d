//! A request with the client's credentials, each time that it is sent.

use std::time::Duration;

use crate::value::Secret;

/// One sending of a request.
pub(super) struct Sending {
    /// What the request is called in errors.
    pub(super) request: &'static str,
    /// The client's secrets that the request was sent with. The last one is for this sending.
    pub(super) sent: Vec<Secret>,
    /// Time for this sending.
    pub(super) timeout: Duration,
}

impl Sending {
    /// The secret to send; empty: there is none.
    pub(super) fn client_secret(&self) -> &str {
        self.sent.last().map_or("", Secret::expose_secret)
    }
}
