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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_4xx_had_no_effect_and_what_may_pass_may_be_tried_again() {
        for (status, outcome, again) in [
            (200, Outcome::Unknown, false),
            (302, Outcome::Unknown, false),
            (400, Outcome::Rejected, false),
            (401, Outcome::Rejected, false),
            (404, Outcome::Rejected, false),
            (408, Outcome::Rejected, true),
            (409, Outcome::Rejected, false),
            (422, Outcome::Rejected, false),
            (429, Outcome::Rejected, true),
            (500, Outcome::Unknown, false),
            (501, Outcome::Unknown, false),
            (502, Outcome::Unknown, true),
            (503, Outcome::Unknown, true),
            (504, Outcome::Unknown, true),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!((outcome_of(status), retryable(status)), (outcome, again), "{status}");
        }
    }
}
