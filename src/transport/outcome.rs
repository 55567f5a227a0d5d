//! What a caller may conclude of a call.

use http::StatusCode;

/// What a caller may conclude about the effect of a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The request did not leave: it had no effect.
    NotSent,
    /// The provider refused the request: it had no effect.
    Rejected,
    /// The request may or may not have taken effect. Look before repeating it.
    Unknown,
}

/// A 4xx refuses the request. A 408 says that it did not come in whole; a 5xx says nothing about its effect.
pub(crate) fn outcome_of(status: StatusCode) -> Outcome {
    if status.is_client_error() {
        Outcome::Rejected
    } else {
        Outcome::Unknown
    }
}

pub(crate) fn retryable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 502 | 503 | 504)
}
