//! A change of one record by a swap alone, where one of two may win and nothing is sent between reading and writing.

use std::time::Duration;

use super::{Leased, StoreError, Swap, Swapped, given_back};
use crate::http::NoReply;
use crate::token::{TokenKey, TokenStore};
use crate::value::with_causes;

/// How long one answer of a store may take, once it is its turn: longer than the stores of this crate wait for theirs.
const PATIENCE: Duration = Duration::from_secs(10);
/// A lease for the moment of one swap, in stores that change nothing without.
const LEASE: Duration = Duration::from_secs(10);
/// How often such a lease is asked for while another process has it, and the pause between.
const LOOKS: u32 = 40;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Swaps without a lease; a store that changes nothing without one is asked for it. `holder`: its name in the lease,
/// `action`: what is swapped, as a verb phrase.
pub(crate) async fn swap_alone(
    store: &dyn TokenStore,
    key: &TokenKey,
    swap: Swap,
    holder: &str,
    action: &'static str,
) -> Result<Swapped, StoreError> {
    let swapped = in_time(store, action, store.swap(key, swap.clone())).await?;
    if !matches!(swapped, Swapped::Fenced) {
        return Ok(swapped);
    }
    for _ in 0..LOOKS {
        match in_time(store, "give a lease", store.lease(key, holder, LEASE)).await? {
            Leased::Held { .. } => tokio::time::sleep(BETWEEN_LOOKS).await,
            Leased::Granted(lease) => {
                let swap = Swap {
                    fence: lease.fence,
                    ..swap
                };
                let swapped = in_time(store, action, store.swap(key, swap)).await;
                given_back(
                    key,
                    in_time(store, "take the lease back", store.release(key, lease)).await,
                );
                return swapped;
            }
        }
    }
    Err(StoreError::unavailable("give a lease", "another process has it"))
}

/// Waits for one answer of a store for as long as it may take. A store that does not answer is a store that is not there.
pub(crate) async fn in_time<T>(
    store: &dyn TokenStore,
    action: &'static str,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let done = match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => Err(StoreError::unavailable(action, NoReply(PATIENCE))),
    };
    done.map_err(|error| {
        let error = error.of(store);
        // Not everybody who asks tells of it: much is tried that may fail.
        tracing::debug!(action, error = %with_causes(&error), "a step of the store failed");
        error
    })
}
