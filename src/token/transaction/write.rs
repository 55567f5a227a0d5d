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
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_write_is_tried_again_after_50_and_after_100_ms() {
        assert_eq!(
            [1, 2].map(|failures| AFTER_FAILURE.pause(failures).as_millis()),
            [50, 100]
        );
    }

    fn record(revision: u64) -> StoredRecord {
        StoredRecord::new(revision, format!("record {revision}").into_bytes())
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_was_made_before_its_answer_was_lost_is_done_and_what_others_wrote_is_not() {
        let out = || Err(StoreError::unavailable("take the write", "it is out"));
        let (ours, theirs) = (
            || Ok(Swapped::Conflict(Some(record(2)))),
            || Ok(Swapped::Conflict(Some(record(3)))),
        );
        let gone = || Ok(Swapped::Conflict(None));
        for (answers, expected) in [
            (vec![Ok(Swapped::Done)], "done"),
            (vec![out(), Ok(Swapped::Done)], "done"),
            (vec![out(), ours()], "done"),
            (vec![out(), out(), ours()], "done"),
            (vec![out(), theirs()], "conflict"),
            (vec![out(), gone()], "conflict"),
            // Nothing of ours can be there before it was sent.
            (vec![ours()], "conflict"),
            (vec![theirs()], "conflict"),
            (vec![Ok(Swapped::Fenced)], "fenced"),
            (vec![out(), Ok(Swapped::Fenced)], "fenced"),
            (vec![out(), out(), out()], "out"),
            (vec![Err(StoreError::corrupt("no"))], "corrupt"),
        ] {
            let tries = answers.len();
            let left = std::sync::Mutex::new(std::collections::VecDeque::from(answers));
            let swap = Swap::new(Some(1), 7, Some(record(2)));
            let swapped = swap_at_last(&swap, || {
                let answer = left.lock().unwrap().pop_front().unwrap();
                std::future::ready(answer)
            });
            let told = match swapped.await {
                Ok(Swapped::Done) => "done",
                Ok(Swapped::Conflict(_)) => "conflict",
                Ok(Swapped::Fenced) => "fenced",
                Err(StoreError::Unavailable { .. }) => "out",
                Err(_) => "corrupt",
            };
            assert_eq!(told, expected, "after {tries}");
            assert!(
                left.lock().unwrap().is_empty(),
                "{expected}: tried less than {tries} times"
            );
        }
    }
}
