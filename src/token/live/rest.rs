//! The rest after failures: how long neither the server nor the store is asked again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::http::{Backoff, spread};
use crate::token::Error;
use crate::token::clock::Now;

/// How long the store is left alone between looks while the server rests.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// Why no attempt is made for a while.
pub(crate) struct Rest {
    /// The end in milliseconds, for readers that must not lock; 0: there is none.
    quiet_until: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// In a row.
    failures: u32,
    last: Option<Failed>,
}

struct Failed {
    /// On the monotonic clock.
    rest_until: Duration,
    /// From when on the store may be looked at, on the same clock: the rest is the server's, and somebody may have
    /// authorized, or ended the grant, elsewhere. None: the store is what rests, or is asked again soon anyway.
    look_at: Option<Duration>,
    /// The same on the wall clock, where it counts too: nothing but the store is asked after it, and while the machine slept
    /// a lot may have happened elsewhere. What an authorization server asks for is kept to by the clock that nobody sets.
    wall_until: Option<SystemTime>,
    error: Error,
}

impl Rest {
    pub fn new() -> Self {
        Self {
            quiet_until: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    /// The end of the rest, without a lock; none: there was no failure.
    pub fn quiet_until(&self) -> Option<Duration> {
        match self.quiet_until.load(Ordering::Acquire) {
            0 => None,
            millis => Some(Duration::from_millis(millis)),
        }
    }

    /// How long it still lasts, and because of what.
    pub fn left(&self, now: Now) -> Option<(Duration, Error)> {
        let state = self.lock();
        let failed = state.last.as_ref()?;
        let mut left = failed.rest_until.saturating_sub(now.monotonic);
        if let Some(until) = failed.wall_until {
            left = left.min(until.duration_since(now.wall).unwrap_or_default());
        }
        (!left.is_zero()).then(|| (left, failed.error.clone()))
    }

    /// Whether the store may be looked at now, while the server rests; then not again for a while.
    pub fn takes_a_look(&self, now: Now) -> bool {
        let mut state = self.lock();
        let look_at = state.last.as_mut().and_then(|failed| failed.look_at.as_mut());
        match look_at.filter(|look_at| **look_at <= now.monotonic) {
            Some(look_at) => {
                *look_at = now.monotonic + BETWEEN_LOOKS;
                true
            }
            None => false,
        }
    }

    /// An attempt failed. Says how long the rest is.
    pub fn begin(&self, error: &Error, now: Now, draw: f64) -> Duration {
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        let rest = length(error, state.failures, draw);
        let rest_until = now.monotonic + rest;
        let of_the_store = asks_the_store_alone(error);
        let millis = u64::try_from(rest_until.as_millis()).unwrap_or(u64::MAX);
        self.quiet_until.store(millis, Ordering::Release);
        state.last = Some(Failed {
            rest_until,
            look_at: (!of_the_store).then(|| now.monotonic + BETWEEN_LOOKS),
            wall_until: of_the_store.then(|| now.wall + rest),
            error: error.clone(),
        });
        rest
    }

    /// An attempt succeeded.
    pub fn end(&self) {
        let mut state = self.lock();
        *state = State::default();
        self.quiet_until.store(0, Ordering::Release);
    }

    /// Somebody else got tokens. What the server asked this process for holds all the same.
    pub fn end_unless_asked_for(&self) {
        let asked_for = |error: &Error| {
            matches!(
                error,
                Error::Throttled {
                    retry_after: Some(_),
                    ..
                } | Error::Transient {
                    retry_after: Some(_),
                    ..
                }
            )
        };
        if !self.lock().last.as_ref().is_some_and(|failed| asked_for(&failed.error)) {
            self.end();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the next attempt may end with a look at the store, as after this error it should soon.
fn asks_the_store_alone(error: &Error) -> bool {
    matches!(
        error,
        Error::ReauthorizationRequired { .. } | Error::NoGrant { .. } | Error::Store { .. } | Error::Busy { .. }
    )
}

/// How long to leave the server or the store alone after this error.
fn length(error: &Error, failures: u32, draw: f64) -> Duration {
    const BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(60));
    const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(600);

    let pause = spread(BACKOFF.pause(failures), 1.0..=1.25, draw);
    match error {
        Error::Throttled { retry_after, .. } | Error::Transient { retry_after, .. } => {
            retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER).max(pause)
        }
        // Known where asking again has to wait for the end of the access token.
        Error::InDoubt { retry_after, .. } => retry_after.unwrap_or(pause),
        Error::Store { .. } => pause.min(Duration::from_secs(5)),
        Error::Busy { .. } => Duration::from_secs(1),
        Error::ClientMisconfigured { .. }
        | Error::RequestRejected { .. }
        | Error::UnusableToken { .. }
        | Error::OtherAccount { .. } => Duration::from_secs(10),
        // The store is asked again soon: somebody may have authorized elsewhere.
        Error::ReauthorizationRequired { .. } | Error::NoGrant { .. } => Duration::from_millis(500),
        Error::TokenRefused { .. } | Error::Source { .. } | Error::Interrupted(_) => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::token::{ManualClock, StoreError};

    fn transient(retry_after: Option<u64>) -> Error {
        Error::Transient {
            retry_after: retry_after.map(Duration::from_secs),
            source: Arc::new(std::fmt::Error),
        }
    }

    #[test]
    fn the_rest_doubles_from_half_a_second_to_a_minute_and_a_quarter_is_drawn() {
        let millis = |failures, draw| length(&transient(None), failures, draw).as_millis();
        let failures = [1, 2, 3, 7, 8, 9, u32::MAX];
        assert_eq!(
            failures.map(|failures| millis(failures, 0.0)),
            [500, 1000, 2000, 32_000, 60_000, 60_000, 60_000]
        );
        assert_eq!(
            failures.map(|failures| millis(failures, 1.0)),
            [625, 1250, 2500, 40_000, 75_000, 75_000, 75_000]
        );
    }

    #[test]
    fn what_the_server_asks_for_is_waited_for_ten_minutes_at_most_and_a_store_for_five_seconds() {
        let secs = |error: &Error| length(error, 20, 0.0).as_secs();
        assert_eq!(secs(&transient(Some(90))), 90);
        assert_eq!(secs(&transient(Some(3600))), 600);
        assert_eq!(secs(&transient(Some(1))), 60);
        let source = StoreError::unavailable("read", "no connection");
        assert_eq!(secs(&Error::Store { source }), 5);
    }

    #[test]
    fn a_rest_ends_by_time_and_by_a_success() {
        let rest = Rest::new();
        let clock = ManualClock::new();
        let now = Now::read(&clock);
        assert!(rest.left(now).is_none() && rest.quiet_until().is_none());
        let length = rest.begin(&transient(None), now, 0.0);
        assert_eq!(rest.left(now).map(|(left, _)| left), Some(length));
        assert_eq!(rest.quiet_until(), Some(now.monotonic + length));
        clock.advance(length);
        assert!(rest.left(Now::read(&clock)).is_none());
        let second = rest.begin(&transient(None), now, 0.0);
        assert_eq!(second, length * 2);
        rest.end();
        assert!(rest.left(now).is_none() && rest.quiet_until().is_none());
        assert_eq!(rest.begin(&transient(None), now, 0.0), length);
    }

    #[test]
    fn while_the_server_rests_the_store_is_looked_at_every_two_seconds() {
        let (rest, clock) = (Rest::new(), ManualClock::new());
        assert!(!rest.takes_a_look(Now::read(&clock)), "there is no rest");
        rest.begin(&transient(Some(90)), Now::read(&clock), 0.0);
        for (after, expected) in [
            (0, false),
            (1999, false),
            (1, true),
            (0, false),
            (1999, false),
            (1, true),
            (9000, true),
        ] {
            clock.advance(Duration::from_millis(after));
            assert_eq!(rest.takes_a_look(Now::read(&clock)), expected, "{after}");
        }
        let source = StoreError::unavailable("read", "no connection");
        rest.begin(&Error::Store { source }, Now::read(&clock), 0.0);
        clock.advance(Duration::from_secs(3));
        assert!(!rest.takes_a_look(Now::read(&clock)), "it is the store that rests");
    }

    #[test]
    fn tokens_of_somebody_else_end_a_rest_that_no_server_asked_for() {
        let clock = ManualClock::new();
        let now = Now::read(&clock);
        let throttled = |secs: Option<u64>| Error::Throttled {
            retry_after: secs.map(Duration::from_secs),
            source: Arc::new(std::fmt::Error),
        };
        for (error, ends) in [
            (transient(None), true),
            (transient(Some(5)), false),
            (throttled(None), true),
            (throttled(Some(5)), false),
        ] {
            let rest = Rest::new();
            rest.end_unless_asked_for();
            rest.begin(&error, now, 0.0);
            rest.end_unless_asked_for();
            assert_eq!(rest.left(now).is_none(), ends, "{error:?}");
        }
    }

    #[test]
    fn the_time_of_day_ends_a_rest_after_which_the_store_alone_is_asked() {
        let source = StoreError::unavailable("read", "no connection");
        let key = "mx/authorization_code/somebody".to_owned();
        for (error, by_wall) in [
            (transient(Some(5)), false),
            (Error::NoGrant { key }, true),
            (Error::Store { source }, true),
        ] {
            let (rest, clock) = (Rest::new(), ManualClock::new());
            let now = Now::read(&clock);
            let length = rest.begin(&error, now, 0.0);
            // Somebody set it back.
            clock.set_wall(now.wall - length);
            assert_eq!(
                rest.left(Now::read(&clock)).map(|(left, _)| left),
                Some(length),
                "{error}"
            );
            // The machine slept, or somebody set it forward.
            clock.set_wall(now.wall + length);
            assert_eq!(rest.left(Now::read(&clock)).is_none(), by_wall, "{error}");
            clock.set_wall(now.wall - length);
            clock.advance(length);
            assert!(rest.left(Now::read(&clock)).is_none(), "{error}");
        }
    }
}
