//! Waiting for the lease, and what may come of having it.

use std::time::Duration;

use crate::http::Random;
use crate::http::{Backoff, spread};
use crate::token::live::GrantStore;
use crate::token::store::{Lease, Leased};
use crate::token::{Clock, Error};

/// How long the sender of an intent is given to store what it may have got: much longer than the pause between its
/// tries.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// What comes of having the lease. It is given back in any case.
pub(super) enum UnderLease<T> {
    Ended(Result<T, Error>),
    /// The sender of the intent with this fence may still be at work: it is given time, and then the lease is asked for
    /// again.
    SenderAtWork {
        fence: u64,
    },
}

/// Waits for the lease of a change.
pub(super) async fn acquire(store: &GrantStore, clock: &dyn Clock) -> Result<Lease, Error> {
    let deadline = clock.monotonic() + store.grant.lease_ttl() * 2;
    let mut poll = Poll::new();
    loop {
        match store.lease_for_change().await? {
            Leased::Granted(lease) => return Ok(lease),
            Leased::Held { by, for_at_most } if clock.monotonic() >= deadline => {
                return Err(Error::Busy {
                    holder: by,
                    retry_after: for_at_most,
                });
            }
            Leased::Held { .. } => poll.pause(&store.grant.random).await,
        }
    }
}

/// Pauses between looks at a lease that somebody else holds.
pub(super) struct Poll(u32);

impl Poll {
    pub fn new() -> Self {
        Self(0)
    }

    pub async fn pause(&mut self, random: &Random) {
        self.0 = self.0.saturating_add(1);
        tokio::time::sleep(between_looks(self.0, random.draw())).await;
    }
}

/// The pause before the next look, after so many.
fn between_looks(looks: u32, draw: f64) -> Duration {
    const BACKOFF: Backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(320));
    spread(BACKOFF.pause(looks), 0.5..=1.5, draw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_at_a_lease_that_somebody_holds_come_from_10_to_480_ms_apart() {
        let millis = |looks, draw| between_looks(looks, draw).as_millis();
        assert_eq!(
            [1, 2, 3, 4, 5, 6].map(|looks| millis(looks, 0.0)),
            [10, 20, 40, 80, 160, 160]
        );
        assert_eq!(
            [1, 2, 3, 4, 5, 6].map(|looks| millis(looks, 1.0)),
            [30, 60, 120, 240, 480, 480]
        );
    }
}
