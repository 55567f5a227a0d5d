//! Whether a refresh may still leave: its lease holds, by both clocks.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::Clock;
use super::clock::Now;

/// Whether a refresh may still be sent.
///
/// A refresh is sent under a lease of its grant. A process that stands still between the two (a paused container, a
/// laptop that slept) goes on after its lease has ended, and another process may have spent the refresh token. So
/// whoever sends the request asks once more at the last moment, when there is a connection and the first byte of the
/// body is about to leave.
///
/// ```
/// use finrail::token::SendPermit;
///
/// assert!(SendPermit::always().holds());
/// ```
#[derive(Clone)]
pub struct SendPermit(Option<Arc<Term>>);

struct Term {
    clock: Arc<dyn Clock>,
    /// The end of the lease, on both clocks.
    until: Mutex<(SystemTime, Duration)>,
}

impl SendPermit {
    /// For a request that needs no lease.
    #[must_use]
    pub const fn always() -> Self {
        Self(None)
    }

    /// For requests under a lease of this length that was asked for at this time: it may have been given at once.
    pub(crate) fn under_lease(clock: Arc<dyn Clock>, asked_at: Now, length: Duration) -> Self {
        Self(Some(Arc::new(Term {
            clock,
            until: Mutex::new((asked_at.wall + length, asked_at.monotonic + length)),
        })))
    }

    /// The lease lasts this long from the time at which that was asked for.
    pub(crate) fn renewed(&self, asked_at: Now, length: Duration) {
        if let Some(term) = &self.0 {
            *term.until.lock().unwrap_or_else(PoisonError::into_inner) =
                (asked_at.wall + length, asked_at.monotonic + length);
        }
    }

    /// Whether the request may leave now. False once it is too late, and then nothing is to be sent.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.left().is_none_or(|left| !left.is_zero())
    }

    /// How much longer it holds, by the clock that is further. None: without an end.
    pub(crate) fn left(&self) -> Option<Duration> {
        let term = self.0.as_ref()?;
        let (wall, monotonic) = *term.until.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Now::read(&*term.clock);
        let by_wall = wall.duration_since(now.wall).unwrap_or_default();
        Some(by_wall.min(monotonic.saturating_sub(now.monotonic)))
    }
}

impl fmt::Debug for SendPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SendPermit").field(&self.holds()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::ManualClock;

    const TEN: Duration = Duration::from_secs(10);

    #[test]
    fn it_holds_until_one_of_the_clocks_says_that_the_lease_is_over() {
        let tick = Duration::from_millis(1);
        for (passes, sleeps, holds) in [
            (Duration::ZERO, Duration::ZERO, true),
            (TEN - tick, Duration::ZERO, true),
            (TEN, Duration::ZERO, false),
            (Duration::ZERO, TEN - tick, true),
            (Duration::ZERO, TEN, false),
        ] {
            let clock = Arc::new(ManualClock::new());
            let permit = SendPermit::under_lease(Arc::clone(&clock) as Arc<dyn Clock>, Now::read(&*clock), TEN);
            clock.advance(passes);
            clock.suspend(sleeps);
            assert_eq!(permit.holds(), holds, "{passes:?} {sleeps:?}");
        }
    }

    #[test]
    fn a_renewal_counts_from_when_it_was_asked_for_and_a_clock_set_back_prolongs_nothing() {
        let clock = Arc::new(ManualClock::new());
        let permit = SendPermit::under_lease(Arc::clone(&clock) as Arc<dyn Clock>, Now::read(&*clock), TEN);
        clock.advance(Duration::from_secs(3));
        let asked_at = Now::read(&*clock);
        clock.advance(Duration::from_secs(3));
        permit.renewed(asked_at, TEN);
        assert_eq!(permit.left(), Some(Duration::from_secs(7)));
        clock.set_wall(asked_at.wall - TEN);
        assert_eq!(permit.left(), Some(Duration::from_secs(7)));
        clock.advance(Duration::from_secs(7));
        assert!(!permit.holds());
    }
}
