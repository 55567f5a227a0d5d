//! New tokens that the store did not take: they serve, and are written again until it does.

use std::sync::Arc;
use std::time::Duration;

use super::lease::{acquire, release};
use super::look::read;
use super::send::{revoked_token, send_revocation};
use super::write::{Moved, store};
use crate::backoff::Backoff;
use crate::token::live::snapshot::Snapshot;
use crate::token::live::{Inner, Uncommitted};
use crate::token::machine::{self, Rescue};
use crate::token::record::Versioned;
use crate::token::store::Lease;
use crate::token::{Event, ReauthorizationReason, Record, StoreError, TokenSet};

/// The pauses between tries to store a set that could not be stored at once: much shorter than the time that its
/// siblings give it.
const BETWEEN_TRIES: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(3));

/// Serves tokens that the store did not take, and keeps trying to store them. The lease comes back when a login waits
/// to be stored that has replaced them.
pub(crate) fn retain(
    inner: &Arc<Inner>,
    uncommitted: Uncommitted,
    revision: u64,
    trouble: Option<StoreError>,
    lease: Option<Lease>,
) -> Result<Arc<Snapshot>, Option<Lease>> {
    let generation = uncommitted.tokens.generation;
    let error = trouble.unwrap_or_else(|| StoreError::unavailable("take the write", "the lease was lost"));
    if !inner.keep_uncommitted(uncommitted.clone(), error.clone()) {
        return Err(lease);
    }
    tracing::error!(
        key = %inner.key(), generation, %error,
        "new tokens are in memory only: the store did not take them, the write is tried again"
    );
    inner.tell(Event::StoreTrouble {
        error: error.to_string(),
    });
    let published = inner.publish_unstored(Versioned {
        revision,
        record: Record::alive(inner.key().clone(), uncommitted.tokens.clone()),
    });
    let inner = Arc::clone(inner);
    tokio::spawn(async move { store_at_last(&inner, uncommitted, lease).await });
    Ok(published)
}

/// Tries to store a set until it is stored, or something newer is.
async fn store_at_last(inner: &Arc<Inner>, uncommitted: Uncommitted, mut lease: Option<Lease>) {
    let generation = uncommitted.tokens.generation;
    let mut failures = 0;
    let mut at_once = false;
    loop {
        if !std::mem::take(&mut at_once) {
            failures += 1;
            tokio::time::sleep(BETWEEN_TRIES.pause(failures)).await;
        }
        if !inner.is_uncommitted(&uncommitted.tokens) {
            break;
        }
        let held = match lease.take() {
            Some(held) => held,
            None => match acquire(inner).await {
                Ok(held) => held,
                Err(error) => {
                    tracing::warn!(key = %inner.key(), generation, failures, %error, "new tokens are still not stored");
                    continue;
                }
            },
        };
        if !inner.is_uncommitted(&uncommitted.tokens) {
            // A newer login was stored while this waited for the lease.
            release(inner, held).await;
            break;
        }
        let Ok(seen) = read(inner).await else {
            lease = Some(held);
            continue;
        };
        let stored = seen.as_ref().map(|seen| &seen.record);
        if let Some(seen) = seen
            .as_ref()
            .filter(|seen| seen.record.tokens.as_ref() == Some(&uncommitted.tokens))
        {
            // The write was made, and only its confirmation was lost.
            recovered(inner, &uncommitted.tokens, seen.clone());
            release(inner, held).await;
            break;
        }
        if machine::rescue(uncommitted.parent.as_ref(), stored) == Rescue::Yield {
            tracing::warn!(key = %inner.key(), generation, "tokens that could not be stored are outdated now");
            if stored.is_some_and(|record| {
                record
                    .tombstone
                    .as_ref()
                    .is_some_and(|tombstone| tombstone.reason == ReauthorizationReason::Revoked)
            }) {
                revoke_unstored(inner, &uncommitted.tokens).await;
            }
            inner.no_longer_uncommitted(&uncommitted.tokens);
            if let Some(seen) = seen {
                inner.publish(seen);
            }
            release(inner, held).await;
            break;
        }
        let record = Record::alive(inner.key().clone(), uncommitted.tokens.clone());
        match store(inner, seen.as_ref().map(|seen| seen.revision), record, held.fence).await {
            Ok(Ok(committed)) => {
                recovered(inner, &uncommitted.tokens, committed);
                release(inner, held).await;
                break;
            }
            // A lost lease is taken anew, before a sibling that waits for us loses its patience.
            Ok(Err(Moved)) => {
                release(inner, held).await;
                at_once = true;
            }
            Err(_) => lease = Some(held),
        }
    }
    if let Some(held) = lease {
        release(inner, held).await;
    }
}

/// The grant was revoked while these tokens were in memory only: the revocation was meant for them too.
async fn revoke_unstored(inner: &Arc<Inner>, tokens: &TokenSet) {
    if let Err(error) = send_revocation(inner, revoked_token(tokens)).await {
        tracing::warn!(
            key = %inner.key(), generation = tokens.generation, %error,
            "tokens of a revoked grant could not be revoked and live until they end"
        );
    }
}

fn recovered(inner: &Arc<Inner>, tokens: &TokenSet, committed: Versioned) {
    let generation = committed.record.generation();
    inner.no_longer_uncommitted(tokens);
    inner.publish(committed);
    tracing::info!(key = %inner.key(), generation, "tokens that could not be stored are stored now");
    inner.tell(Event::StoreRecovered { generation });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_tokens_are_written_again_after_half_a_second_and_then_at_least_every_3_seconds() {
        let pauses = [1, 2, 3, 4, 5, u32::MAX].map(|failures| BETWEEN_TRIES.pause(failures).as_millis());
        assert_eq!(pauses, [500, 1000, 2000, 3000, 3000, 3000]);
    }
}
