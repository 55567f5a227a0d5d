//! What time it is, as something that tests can turn.

#[cfg(target_os = "linux")]
use std::cell::Cell;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
#[cfg(target_os = "linux")]
use nix::time::{ClockId, clock_gettime};

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

    /// Both clocks as every call reads them, wall first: cheaply, and perhaps some milliseconds late.
    ///
    /// Windows are counted in seconds; a call is counted in nanoseconds. The default is the two exact clocks.
    fn coarse(&self) -> (SystemTime, Duration) {
        (self.wall(), self.monotonic())
    }
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

#[cfg(not(target_os = "linux"))]
impl Clock for SystemClock {
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        static ORIGIN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        ORIGIN.get_or_init(std::time::Instant::now).elapsed()
    }
}

/// Linux keeps a coarse reading of both clocks, a few milliseconds old at most, that costs a fraction of an exact one.
#[cfg(target_os = "linux")]
impl Clock for SystemClock {
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        // Every Linux has this clock.
        since_zero(ClockId::CLOCK_MONOTONIC).unwrap_or_default()
    }

    fn coarse(&self) -> (SystemTime, Duration) {
        thread_local! {
            static LAST: Cell<(SystemTime, Duration)> = const { Cell::new((SystemTime::UNIX_EPOCH, Duration::ZERO)) };
        }
        let monotonic = since_zero(ClockId::CLOCK_MONOTONIC_COARSE).unwrap_or_else(|| self.monotonic());
        // Both tick together: within a tick the other clock would say what it said before.
        let (wall, read_at) = LAST.get();
        if read_at == monotonic {
            return (wall, monotonic);
        }
        let wall = since_zero(ClockId::CLOCK_REALTIME_COARSE);
        let wall = wall.map_or_else(|| self.wall(), |since| SystemTime::UNIX_EPOCH + since);
        LAST.set((wall, monotonic));
        (wall, monotonic)
    }
}

/// A time before the clock's zero is its zero: neither boot nor 1970 lies ahead. None where there is no such clock: a
/// sandbox may lack the coarse ones, which the exact ones then stand in for.
#[cfg(target_os = "linux")]
fn since_zero(clock: ClockId) -> Option<Duration> {
    let time = clock_gettime(clock).ok()?;
    Some(Duration::new(
        u64::try_from(time.tv_sec()).unwrap_or(0),
        u32::try_from(time.tv_nsec()).unwrap_or(0),
    ))
}

/// A clock that stands still until it is turned, from the year 1 to the year 9999.
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
        Self(Mutex::new((dated(wall), Duration::from_secs(1))))
    }

    /// Time passes.
    pub fn advance(&self, by: Duration) {
        let mut now = self.now();
        now.0 = later(now.0, by);
        now.1 = now.1.saturating_add(by).min(TO_9999);
    }

    /// The machine sleeps: the wall clock moves, the monotonic one stands still.
    pub fn suspend(&self, by: Duration) {
        let mut now = self.now();
        now.0 = later(now.0, by);
    }

    /// Somebody sets the wall clock.
    pub fn set_wall(&self, wall: SystemTime) {
        self.now().0 = dated(wall);
    }

    fn now(&self) -> std::sync::MutexGuard<'_, (SystemTime, Duration)> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// From 1970 to the end of the year 9999, and back to the beginning of the year 1.
const TO_9999: Duration = Duration::from_secs(253_402_300_799);
const TO_1: Duration = Duration::from_secs(62_135_596_800);

/// The nearest time that a date can tell.
fn dated(wall: SystemTime) -> SystemTime {
    match wall.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => SystemTime::UNIX_EPOCH + since.min(TO_9999),
        Err(before) => SystemTime::UNIX_EPOCH - before.duration().min(TO_1),
    }
}

fn later(wall: SystemTime, by: Duration) -> SystemTime {
    // More than there is between the first date and the last.
    dated(wall + by.min(TO_1 + TO_9999))
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

/// A cheap reading of both clocks ([`Clock::coarse`]).
///
/// It may be some milliseconds behind an exact one, so it is compared with other cheap readings only: what has ended by an
/// exact reading would live on by the next cheap one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tick {
    pub wall: SystemTime,
    pub monotonic: Duration,
}

impl Tick {
    #[inline]
    pub fn read(clock: &dyn Clock) -> Self {
        let (wall, monotonic) = clock.coarse();
        Self { wall, monotonic }
    }
}

/// An exact reading of both clocks, and the cheap one of the same moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub wall: SystemTime,
    pub monotonic: Duration,
    pub tick: Tick,
}

impl Now {
    pub fn read(clock: &dyn Clock) -> Self {
        Self {
            wall: clock.wall(),
            monotonic: clock.monotonic(),
            tick: Tick::read(clock),
        }
    }

    pub fn utc(self) -> DateTime<Utc> {
        self.wall.into()
    }
}

/// Longer than anything lives here.
pub(crate) const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);

/// `at + by`, held within what a stored time can say.
pub(crate) fn after(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by.min(CENTURY))
        .ok()
        .and_then(|delta| at.checked_add_signed(delta))
        .unwrap_or(at)
}

/// `later - earlier`, zero when it is the other way round.
pub(crate) fn between(earlier: DateTime<Utc>, later: DateTime<Utc>) -> Duration {
    later.signed_duration_since(earlier).to_std().unwrap_or(Duration::ZERO)
}

/// How much the clocks of two machines may differ.
const WRONG: Duration = Duration::from_secs(60);

/// Whether something was later than something else, by more than the clocks of their machines may be wrong.
pub(crate) fn is_surely_later(later: DateTime<Utc>, earlier: DateTime<Utc>) -> bool {
    between(earlier, later) > WRONG
}
