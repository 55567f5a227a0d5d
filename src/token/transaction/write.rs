//! A write of the record, under the lease.

use std::time::Duration;

use crate::http::Backoff;
use crate::token::StoreError;
use crate::token::live::GrantStore;
use crate::token::record::Versioned;
use crate::token::store::{Lease, StoredRecord, Swap, Swapped};

/// How often a write is tried before the attempt goes on without it.
const WRITES: u32 = 3;
/// How long the store is left alone between these tries.
const AFTER_FAILURE: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_millis(100));

/// What became of a write.
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart where it is made, and kept nowhere"
)]
pub(super) enum Written {
    Done(Versioned),
    /// Somebody else changed the record, or took the lease: nothing was written.
    Overtaken,
}

impl Written {
    /// What was written, for those to whom a lost lease is a store that could not do this.
    pub fn done(self, action: &'static str) -> Result<Versioned, StoreError> {
        match self {
            Self::Done(written) => Ok(written),
            Self::Overtaken => Err(StoreError::unavailable(action, "the lease was lost")),
        }
    }
}

/// Writes a record over the one that was read at this revision.
pub(super) async fn write(
    store: &GrantStore,
    seen: Option<u64>,
    next: Versioned,
    fence: u64,
) -> Result<Written, StoreError> {
    let swap = change(seen, &next, fence);
    let swapped = swap_at_last(&swap, || store.swap(swap.clone())).await?;
    Ok(written(swapped, next))
}

/// The same for the last write under a lease, which is given back with it: after [`Written::Done`] it is to be dropped,
/// otherwise it is still held.
pub(super) async fn write_last(
    store: &GrantStore,
    seen: Option<u64>,
    next: Versioned,
    lease: &Lease,
) -> Result<Written, StoreError> {
    let swap = change(seen, &next, lease.fence);
    let swapped = swap_at_last(&swap, || store.swap_and_release(swap.clone(), lease)).await?;
    Ok(written(swapped, next))
}

/// The swap that makes this of the record that was read.
pub(super) fn change(seen: Option<u64>, next: &Versioned, fence: u64) -> Swap {
    let stored = StoredRecord::new(next.revision, next.record.encode());
    Swap::new(seen, fence, Some(stored))
}

fn written(swapped: Swapped, next: Versioned) -> Written {
    match swapped {
        Swapped::Done => Written::Done(next),
        Swapped::Conflict(_) | Swapped::Fenced => Written::Overtaken,
    }
}

/// Swaps, and tries again when the store does not answer: a swap says itself whether it was made before.
async fn swap_at_last<F>(swap: &Swap, attempt: impl Fn() -> F) -> Result<Swapped, StoreError>
where
    F: Future<Output = Result<Swapped, StoreError>>,
{
    let mut failures = 0;
    loop {
        match attempt().await {
            Ok(Swapped::Conflict(stored)) if failures > 0 && stored == swap.next => return Ok(Swapped::Done),
            Err(error @ StoreError::Unavailable { .. }) => {
                failures += 1;
                if failures == WRITES {
                    return Err(error);
                }
                tokio::time::sleep(AFTER_FAILURE.pause(failures)).await;
            }
            swapped => return swapped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_tried_again_after_50_and_after_100_ms() {
        assert_eq!(
            [1, 2].map(|failures| AFTER_FAILURE.pause(failures).as_millis()),
            [50, 100]
        );
    }
}
