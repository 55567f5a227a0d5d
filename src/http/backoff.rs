//! How long to wait after failures in a row.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Pauses that double, from the first to the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The pause after so many failures in a row, before it is [`spread`].
    pub fn pause(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(u32::BITS - 1);
        self.first.saturating_mul(1 << doublings).min(self.longest)
    }
}

/// A pause times a factor from a range: those who failed together do not come back together.
///
/// `draw` says where in the range, from 0 to 1.
pub(crate) fn spread(pause: Duration, factors: RangeInclusive<f64>, draw: f64) -> Duration {
    let (least, most) = factors.into_inner();
    pause.mul_f64(least + (most - least) * draw)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_up_to_the_longest_and_stay_there() {
        let backoff = Backoff::new(SECOND, SECOND * 10);
        let pauses: Vec<_> = [0, 1, 2, 3, 4, 5, 6, u32::MAX]
            .map(|failures| backoff.pause(failures).as_secs())
            .into();
        assert_eq!(pauses, [1, 1, 2, 4, 8, 10, 10, 10]);
    }

    #[test]
    fn the_longest_pause_holds_for_the_first_one_too() {
        assert_eq!(Backoff::new(Duration::MAX, SECOND).pause(1), SECOND);
        assert_eq!(Backoff::new(Duration::ZERO, SECOND).pause(9), Duration::ZERO);
    }

    #[test]
    fn a_spread_pause_stays_within_its_factors() {
        assert_eq!(spread(SECOND, 0.5..=1.5, 0.0), SECOND / 2);
        assert_eq!(spread(SECOND, 0.5..=1.5, 0.5), SECOND);
        assert_eq!(spread(SECOND, 0.5..=1.5, 1.0), SECOND * 3 / 2);
    }
}
