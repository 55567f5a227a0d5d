//! The lease: asked for, waited for, given back.

use std::time::Duration;

use super::look::in_time;
use crate::backoff::{Backoff, spread};
use crate::token::Error;
use crate::token::StoreError;
use crate::token::live::Inner;
use crate::token::store::{Lease, LeaseState, Leased};

/// How long the sender of an intent is given to store what it may have got: much longer than the pause between its
/// tries.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The sender of the intent with this fence may still be at work.
pub(crate) struct Unsettled {
    pub fence: u64,
}

/// Asks the store for the lease, once.
pub(crate) async fn ask_for_lease(inner: &Inner) -> Result<Leased, StoreError> {
    let lease = inner.store().lease(inner.key(), inner.holder(), inner.lease_ttl());
    in_time("give a lease", lease).await
}

/// Who may work on the grant now; unknown when the store does not say.
pub(crate) async fn lease_state(inner: &Inner) -> LeaseState {
    let state = in_time("tell the lease", inner.store().lease_state(inner.key())).await;
    state.unwrap_or(LeaseState::Unknown)
}

/// Waits for the lease.
pub(crate) async fn acquire(inner: &Inner) -> Result<Lease, Error> {
    let deadline = inner.now().monotonic + inner.lease_ttl() * 2;
    let mut poll = Poll::new();
    loop {
        match ask_for_lease(inner).await? {
            Leased::Granted(lease) => return Ok(lease),
            Leased::Held { by, for_at_most } if inner.now().monotonic >= deadline => {
                return Err(Error::Busy {
                    holder: by,
                    retry_after: for_at_most,
                });
            }
            Leased::Held { .. } => {
                poll.pause(inner).await;
            }
        }
    }
}

/// Gives the lease back. If that fails, its time runs out.
pub(crate) async fn release(inner: &Inner, lease: Lease) {
    if let Err(error) = in_time("take the lease back", inner.store().release(inner.key(), lease)).await {
        tracing::debug!(key = %inner.key(), %error, "a lease was not given back and has to run out");
    }
}

/// Pauses between looks at a lease that somebody else holds.
pub(crate) struct Poll(u32);

impl Poll {
    pub fn new() -> Self {
        Self(0)
    }

    pub async fn pause(&mut self, inner: &Inner) {
        self.0 = self.0.saturating_add(1);
        tokio::time::sleep(between_looks(self.0, inner.random())).await;
    }
}

pub(crate) fn overtaken(inner: &Inner) -> Error {
    Error::Busy {
        holder: "another process".to_owned(),
        retry_after: Some(inner.request_timeout()),
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
