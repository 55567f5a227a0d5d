//! The sandbox's clock: the machine's, and whatever it was moved by.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A thousand years: later than any token, and far from where numbers end.
const FARTHEST: u64 = 1000 * 365 * 24 * 3_600_000;

/// A clock that can be moved forward.
#[derive(Debug, Default)]
pub(super) struct Clock {
    ahead: AtomicU64,
}

impl Clock {
    /// Milliseconds since 1970.
    pub(super) fn now(&self) -> u64 {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        milliseconds(real).saturating_add(self.ahead.load(Ordering::SeqCst))
    }

    /// Moves it forward.
    pub(super) fn advance(&self, by: Duration) {
        let by = milliseconds(by);
        let _ = self.ahead.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |ahead| {
            Some(ahead.saturating_add(by).min(FARTHEST))
        });
    }
}

/// Whole milliseconds, up to a thousand years.
pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX / 4)
        .min(u64::MAX / 4)
}

/// `2026-11-21T09:30:00Z`, from milliseconds since 1970.
pub(super) fn timestamp(now: u64) -> String {
    let seconds = i64::try_from(now / 1000).unwrap_or(0);
    chrono::DateTime::from_timestamp(seconds, 0)
        .map(|time| time.format("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}
