//! What a 401 to a call means: another token, or leaving the grant alone.

use std::time::Duration;

use crate::http::Backoff;
use crate::token::machine::Issued;

/// What is done about a 401.
pub(crate) enum Refusal {
    /// It was about a token that is not the one at hand any more.
    Outdated,
    /// This access token is refused: another one has to be had.
    Replace(Issued),
    /// Another token would not help, or cannot be had.
    Stands { retry_after: Option<Duration> },
}

/// How many tokens in a row were refused while they were young: that is not the tokens' fault.
#[derive(Default)]
pub(crate) struct Refusals(u32);

impl Refusals {
    /// One more token is refused at this age. The answer is how long the grant is to be left alone before that
    /// counts; none: it counts now.
    pub fn hold_back(&mut self, age: Duration) -> Option<Duration> {
        const YOUNG: Duration = Duration::from_secs(60);
        const HOLD: Backoff = Backoff::new(Duration::from_secs(10), YOUNG);

        let hold = match self.0 {
            0 => Duration::ZERO,
            refusals => HOLD.pause(refusals),
        };
        if age < hold {
            return Some(hold - age);
        }
        self.0 = if age < YOUNG { self.0.saturating_add(1) } else { 1 };
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn young_tokens_that_are_refused_in_a_row_are_held_back_for_longer_and_longer() {
        let mut refusals = Refusals::default();
        let second = Duration::from_secs(1);
        assert_eq!(refusals.hold_back(Duration::ZERO), None);
        for hold in [10, 20, 40, 60] {
            let hold = second * hold;
            assert_eq!(refusals.hold_back(hold - second), Some(second));
            assert_eq!(refusals.hold_back(hold), None);
        }
        // The last one was a minute old: it counts as the first of a new row.
        assert_eq!(refusals.hold_back(second * 9), Some(second));
    }
}
