//! A write of the record, under the lease.

use std::time::Duration;

use super::look::in_time;
use crate::backoff::Backoff;
use crate::token::live::Inner;
use crate::token::record::Versioned;
use crate::token::store::{StoredRecord, Swap, Swapped};
use crate::token::{Record, StoreError};

/// How often a write is tried before the attempt goes on without it.
const WRITES: u32 = 3;
/// How long the store is left alone between these tries.
const AFTER_FAILURE: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_millis(100));

/// Somebody else changed the record, or took the lease.
pub(crate) struct Moved;

/// Writes a record over the one that was read.
pub(crate) async fn store(
    inner: &Inner,
    seen: Option<u64>,
    record: Record,
    fence: u64,
) -> Result<Result<Versioned, Moved>, StoreError> {
    store_at(inner, seen, next_revision(inner, seen), record, fence).await
}

pub(crate) async fn store_at(
    inner: &Inner,
    seen: Option<u64>,
    revision: u64,
    record: Record,
    fence: u64,
) -> Result<Result<Versioned, Moved>, StoreError> {
    let next = StoredRecord::new(revision, record.encode());
    let swap = Swap::new(seen, fence, Some(next));
    Ok(match write(inner, swap).await? {
        Swapped::Done => Ok(Versioned { revision, record }),
        Swapped::Conflict(_) | Swapped::Fenced => Err(Moved),
    })
}

/// Swaps, and tries again when the store does not answer: a swap says itself whether it was made before.
pub(crate) async fn write(inner: &Inner, swap: Swap) -> Result<Swapped, StoreError> {
    let mut failures = 0;
    loop {
        let swapped = in_time("take the write", inner.store().swap(inner.key(), swap.clone())).await;
        match swapped {
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

/// Larger than the one before, and than all that this process has shown: the time of day may have been set back. The
/// first one is the time of day, so that a record that was removed and made again never has a revision that somebody
/// still remembers.
pub(crate) fn next_revision(inner: &Inner, seen: Option<u64>) -> u64 {
    let next = match seen {
        Some(seen) => seen + 1,
        None => u64::try_from(inner.now().utc().timestamp_micros()).unwrap_or(1).max(1),
    };
    next.max(inner.revision().saturating_add(1))
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
