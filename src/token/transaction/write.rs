//! A write of the record, under the lease.

use std::time::Duration;

use crate::http::Backoff;
use crate::token::live::Live;
use crate::token::record::Versioned;
use crate::token::store::{Lease, StoredRecord, Swap, Swapped};
use crate::token::{Record, StoreError};

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
pub(super) async fn write(live: &Live, seen: Option<u64>, next: Versioned, fence: u64) -> Result<Written, StoreError> {
    write_whole(live, seen, next, fence, |swap| live.store.swap(swap)).await
}

/// The same over a record of which more than the revision is known. Where nobody says what became of the write, this process holds on
/// to what was read: it may be nowhere else any more.
pub(super) async fn write_over(
    live: &Live,
    seen: &Versioned,
    record: Record,
    fence: u64,
) -> Result<Written, StoreError> {
    let next = live.successor(Some(seen.revision), record);
    let written = write(live, Some(seen.revision), next, fence).await;
    if written.is_err() {
        live.publish(seen.clone());
    }
    written
}

/// The same for the last write under a lease, which is given back with it: after [`Written::Done`] it is to be dropped,
/// otherwise it is still held.
pub(super) async fn write_last(
    live: &Live,
    seen: Option<u64>,
    next: Versioned,
    lease: &Lease,
) -> Result<Written, StoreError> {
    write_whole(live, seen, next, lease.fence, |swap| {
        live.store.swap_and_release(swap, lease)
    })
    .await
}

/// The swap that makes this of the record that was read.
pub(super) fn change(seen: Option<u64>, next: &Versioned, fence: u64) -> Swap {
    let stored = StoredRecord::new(next.revision, next.record.encode());
    Swap::new(seen, fence, Some(stored))
}

/// Writes a record, and once more over what the store made of it where that is not the record.
async fn write_whole<F>(
    live: &Live,
    mut seen: Option<u64>,
    mut next: Versioned,
    fence: u64,
    attempt: impl Fn(Swap) -> F,
) -> Result<Written, StoreError>
where
    F: Future<Output = Result<Swapped, StoreError>>,
{
    for _ in 0..2 {
        let swap = change(seen, &next, fence);
        let tried = || live.held.tried(next.revision);
        match swap_at_last(&swap, || attempt(swap.clone()), tried).await? {
            AtLast::Done => return Ok(Written::Done(next)),
            AtLast::Overtaken => return Ok(Written::Overtaken),
            AtLast::Torn => {}
        }
        tracing::warn!(key = %live.grant.named(), "a write arrived damaged: it is made again");
        seen = Some(next.revision);
        next = live.successor(seen, next.record);
    }
    Err(StoreError::unavailable("take the write", "what it stored is damaged"))
}

/// What became of the tries to swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AtLast {
    Done,
    Overtaken,
    /// The write was made, and what the store has of it is not what was sent.
    Torn,
}

/// Swaps, and tries again when the store does not answer: a swap says itself whether it was made before. `tried` is called
/// when it may have been made and nobody said so.
async fn swap_at_last<F>(swap: &Swap, attempt: impl Fn() -> F, tried: impl Fn()) -> Result<AtLast, StoreError>
where
    F: Future<Output = Result<Swapped, StoreError>>,
{
    let mut failures = 0;
    loop {
        match attempt().await {
            Ok(Swapped::Done) => return Ok(AtLast::Done),
            Ok(Swapped::Conflict(stored)) if failures > 0 => return Ok(made_before(swap, stored)),
            Ok(Swapped::Conflict(_) | Swapped::Fenced) => return Ok(AtLast::Overtaken),
            Err(error @ StoreError::Unavailable { .. }) => {
                if failures == 0 {
                    tried();
                }
                failures += 1;
                if failures == WRITES {
                    return Err(error);
                }
                tokio::time::sleep(AFTER_FAILURE.pause(failures)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether what is stored is this swap, of which one try had no answer. No other write has its revision.
fn made_before(swap: &Swap, stored: Option<StoredRecord>) -> AtLast {
    let revision = |record: &Option<StoredRecord>| record.as_ref().map(|record| record.revision);
    match stored {
        stored if stored == swap.next => AtLast::Done,
        stored if stored.is_some() && revision(&stored) == revision(&swap.next) => AtLast::Torn,
        _ => AtLast::Overtaken,
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
        let found = |stored| Ok(Swapped::Conflict(stored));
        let (ours, theirs) = (|| found(Some(record(2))), || found(Some(record(3))));
        let torn = || found(Some(StoredRecord::new(2, b"rec".to_vec())));
        let gone = || found(None);
        for (answers, expected, may_be_made) in [
            (vec![Ok(Swapped::Done)], "Done", false),
            (vec![out(), Ok(Swapped::Done)], "Done", true),
            (vec![out(), ours()], "Done", true),
            (vec![out(), out(), ours()], "Done", true),
            (vec![out(), torn()], "Torn", true),
            (vec![out(), out(), torn()], "Torn", true),
            (vec![out(), theirs()], "Overtaken", true),
            (vec![out(), gone()], "Overtaken", true),
            // Nothing of ours can be there before it was sent.
            (vec![ours()], "Overtaken", false),
            (vec![torn()], "Overtaken", false),
            (vec![theirs()], "Overtaken", false),
            (vec![Ok(Swapped::Fenced)], "Overtaken", false),
            (vec![out(), Ok(Swapped::Fenced)], "Overtaken", true),
            (vec![out(), out(), out()], "out", true),
            (vec![Err(StoreError::corrupt("no"))], "corrupt", false),
            (vec![out(), Err(StoreError::corrupt("no"))], "corrupt", true),
        ] {
            let tries = answers.len();
            let left = std::sync::Mutex::new(std::collections::VecDeque::from(answers));
            let swap = Swap::new(Some(1), 7, Some(record(2)));
            let told = std::sync::atomic::AtomicU32::new(0);
            let attempt = || {
                let answer = left.lock().unwrap().pop_front().unwrap();
                std::future::ready(answer)
            };
            let tried = || {
                told.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            };
            let swapped = match swap_at_last(&swap, attempt, tried).await {
                Ok(swapped) => format!("{swapped:?}"),
                Err(StoreError::Unavailable { .. }) => "out".to_owned(),
                Err(_) => "corrupt".to_owned(),
            };
            assert_eq!(swapped, expected, "after {tries}");
            assert_eq!(told.into_inner(), u32::from(may_be_made), "{expected} after {tries}");
            assert!(
                left.lock().unwrap().is_empty(),
                "{expected}: tried less than {tries} times"
            );
        }
    }
}
