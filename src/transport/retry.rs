//! The retry law: when a call is sent again, and after how long.

use std::time::Duration;

use crate::http::{Backoff, spread};

/// Longest `Retry-After` that is waited for within a call.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How often and for how long a call is tried.
///
/// Only what the operation table calls safe or idempotent is ever sent again, and what carries a key of the caller's
/// intent in the header that the provider has for it. One thing more is sent twice, unless
/// [`resend_with_new_token`](Self::resend_with_new_token) forbids it: a call that the provider rejected because its access
/// token was invalid, and a call that changes nothing, after any 401; once, with a new token.
///
/// ```
/// use finrail::transport::RetryPolicy;
/// use std::time::Duration;
///
/// let once = RetryPolicy::none();
/// assert_eq!(once.attempts, 1);
/// let patient = RetryPolicy { attempts: 5, ..RetryPolicy::default() };
/// assert!(patient.backoff < Duration::from_secs(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a call is sent at most, the first time included.
    pub attempts: u32,
    /// Wait before the second attempt; it doubles with each further one, less a random part.
    pub backoff: Duration,
    /// Time for one attempt, from its start to the end of the reply; for a download, to the end of the reply's
    /// headers, and then for each piece. With none at all no call is sent ([`Error::InvalidRequest`](super::Error::InvalidRequest)).
    pub attempt_timeout: Duration,
    /// Time for the whole call, over all attempts and waits. The pieces of a download come after it.
    pub deadline: Duration,
    /// Whether a call that the provider refused because of its access token is sent once more with another one (RFC 6750
    /// section 3.1), and so a call that changes nothing, after any 401. Otherwise the caller has the 401, and the next call
    /// has another token.
    pub resend_with_new_token: bool,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            backoff: Duration::from_millis(200),
            attempt_timeout: Duration::from_secs(30),
            deadline: Duration::from_secs(60),
            resend_with_new_token: true,
        }
    }
}

impl RetryPolicy {
    /// Every call is sent once; a call with an invalid access token, and a call that changes nothing, after any 401, is
    /// sent once more, with a new one.
    #[must_use]
    pub fn none() -> Self {
        Self {
            attempts: 1,
            ..Self::default()
        }
    }

    /// Every call is sent once, whatever the provider says of its access token.
    #[must_use]
    pub fn once() -> Self {
        Self {
            resend_with_new_token: false,
            ..Self::none()
        }
    }

    /// When a call that starts now must be over; a time without an end is thirty years.
    pub(crate) fn end(&self, started: tokio::time::Instant) -> tokio::time::Instant {
        const FOREVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
        started + self.deadline.min(FOREVER)
    }

    /// The wait before attempt `next` (2 is the second), where nobody asks for one.
    pub(super) fn backoff(&self, next: u32, draw: f64) -> Duration {
        const LONGEST: Duration = Duration::from_secs(24 * 3600);
        // It doubles six times at most.
        let backoff = Backoff::new(self.backoff, self.backoff.saturating_mul(64).min(LONGEST));
        let failures = next.saturating_sub(1);
        spread(backoff.pause(failures), 0.5..=1.0, draw)
    }
}

/// What a provider asks for, or `None` when that is more than is waited.
pub(super) fn wait_as_asked(asked: Duration) -> Option<Duration> {
    (asked <= LONGEST_WAIT).then_some(asked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Random;

    #[test]
    fn waits_grow_and_stay_below_their_bound() {
        let policy = RetryPolicy::default();
        for (next, most) in [(2, 200), (3, 400), (4, 800)] {
            let wait = policy.backoff(next, Random::from_system().draw());
            assert!(
                wait >= Duration::from_millis(most / 2) && wait <= Duration::from_millis(most),
                "{wait:?}"
            );
        }
        assert_eq!(policy.backoff(2, 0.0), policy.backoff / 2);
        assert_eq!(policy.backoff(2, 1.0), policy.backoff);
    }

    #[test]
    fn waits_double_six_times_and_never_beyond_a_day() {
        let within = |policy: &RetryPolicy, next, most: Duration| {
            let wait = policy.backoff(next, Random::from_system().draw());
            assert!(
                wait >= most / 2 && wait <= most,
                "{wait:?} is not from half of {most:?} to it"
            );
        };
        let policy = RetryPolicy::default();
        for next in [8, 9, u32::MAX] {
            within(&policy, next, policy.backoff * 64);
        }
        let slow = RetryPolicy {
            backoff: Duration::MAX,
            ..policy
        };
        within(&slow, 2, Duration::from_secs(24 * 3600));
    }

    #[test]
    fn a_provider_that_asks_for_an_hour_is_not_waited_for() {
        assert_eq!(wait_as_asked(Duration::from_secs(3600)), None);
        assert_eq!(wait_as_asked(Duration::from_secs(2)), Some(Duration::from_secs(2)));
    }
    #[test]
    fn what_a_provider_asks_for_is_waited_for_half_a_minute_at_most() {
        for (asked, waited) in [(0, true), (30, true), (31, false), (u64::MAX, false)] {
            let asked = Duration::from_secs(asked);
            assert_eq!(wait_as_asked(asked), waited.then_some(asked));
        }
    }

    #[test]
    fn without_retries_a_call_is_sent_once_with_the_same_times() {
        let (none, usual) = (RetryPolicy::none(), RetryPolicy::default());
        assert_eq!(none.attempts, 1);
        assert_eq!(
            (none.deadline, none.attempt_timeout),
            (usual.deadline, usual.attempt_timeout)
        );
        assert!(usual.resend_with_new_token && none.resend_with_new_token);
        let once = RetryPolicy {
            resend_with_new_token: false,
            ..none
        };
        assert_eq!(RetryPolicy::once(), once);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_over_at_its_deadline_which_is_never_too_far_for_a_clock() {
        let now = tokio::time::Instant::now();
        for (deadline, end) in [
            (Duration::ZERO, Duration::ZERO),
            (Duration::from_secs(60), Duration::from_secs(60)),
            (Duration::MAX, Duration::from_secs(30 * 365 * 86_400)),
        ] {
            let policy = RetryPolicy {
                deadline,
                ..RetryPolicy::default()
            };
            assert_eq!(policy.end(now), now + end);
        }
    }
}
