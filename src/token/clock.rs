//! What time it is, as something that tests can turn.

use std::sync::Mutex;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};

/// The two clocks of the lifecycle.
///
/// Expiry is wall-clock time, because it is stored and read by other
/// processes. The monotonic clock guards against a wall clock that is set back,
/// the wall clock against a monotonic one that stands still while the machine
/// sleeps: a token is over as soon as one of them says so.
pub trait Clock: Send + Sync + 'static {
    /// The time of day.
    fn wall(&self) -> SystemTime;

    /// Time since an arbitrary moment; it never goes back.
    fn monotonic(&self) -> Duration;
}

/// The system's clocks.
///
/// ```
/// use finrail::token::{Clock as _, SystemClock};
///
/// let before = SystemClock.monotonic();
/// assert!(SystemClock.monotonic() >= before);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        ORIGIN.get_or_init(Instant::now).elapsed()
    }
}

/// A clock that stands still until it is turned.
///
/// ```
/// use std::time::Duration;
/// use finrail::token::{Clock as _, ManualClock};
///
/// let clock = ManualClock::new();
/// let before = clock.wall();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.wall().duration_since(before).unwrap().as_secs(), 60);
/// ```
#[derive(Debug)]
pub struct ManualClock(Mutex<(SystemTime, Duration)>);

impl ManualClock {
    /// 2026-01-01T00:00:00Z.
    #[must_use]
    pub fn new() -> Self {
        Self::at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600))
    }

    /// Starts at a given time of day.
    #[must_use]
    pub fn at(wall: SystemTime) -> Self {
        Self(Mutex::new((wall, Duration::from_secs(1))))
    }

    /// Time passes.
    pub fn advance(&self, by: Duration) {
        let mut now = self.now();
        now.0 += by;
        now.1 += by;
    }

    /// The machine sleeps: the wall clock moves, the monotonic one stands still.
    pub fn suspend(&self, by: Duration) {
        self.now().0 += by;
    }

    /// Somebody sets the wall clock.
    pub fn set_wall(&self, wall: SystemTime) {
        self.now().0 = wall;
    }

    fn now(&self) -> std::sync::MutexGuard<'_, (SystemTime, Duration)> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> SystemTime {
        self.now().0
    }

    fn monotonic(&self) -> Duration {
        self.now().1
    }
}

/// `at + by`, held within what a stored time can say.
pub(crate) fn after(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);
    TimeDelta::from_std(by.min(CENTURY))
        .ok()
        .and_then(|delta| at.checked_add_signed(delta))
        .unwrap_or(at)
}

/// `later - earlier`, zero when it is the other way round.
pub(crate) fn between(earlier: DateTime<Utc>, later: DateTime<Utc>) -> Duration {
    later.signed_duration_since(earlier).to_std().unwrap_or(Duration::ZERO)
}
