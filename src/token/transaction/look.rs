//! A look at what the store holds, and what needs no request because of it.

use std::sync::Arc;
use std::time::Duration;

use super::write::{Moved, next_revision, store_at};
use crate::token::live::Inner;
use crate::token::live::snapshot::Snapshot;
use crate::token::machine::{self, Now, Want};
use crate::token::record::Versioned;
use crate::token::store::StoredRecord;
use crate::token::{Record, StoreError, TokenSet};

/// How long one answer of a store may take: longer than the stores of this crate wait for theirs.
const STORE_PATIENCE: Duration = Duration::from_secs(10);

/// What the store holds now, undecoded.
pub(crate) async fn load(inner: &Inner) -> Result<Option<StoredRecord>, StoreError> {
    in_time("read the record", inner.store().load(inner.key())).await
}

/// What the store holds now.
pub(crate) async fn read(inner: &Inner) -> Result<Option<Versioned>, StoreError> {
    let Some(stored) = load(inner).await? else {
        return Ok(None);
    };
    let record = Record::decode(&stored.bytes)?;
    if record.key != *inner.key() {
        return Err(StoreError::corrupt("the record belongs to another key"));
    }
    Ok(Some(Versioned {
        revision: stored.revision,
        record,
    }))
}

/// What the store holds, after it was given back what it lost (a failover to an older copy, a restart without its
/// log). Under the lease.
pub(crate) async fn read_as_far_as_known(inner: &Arc<Inner>, fence: u64) -> Result<Option<Versioned>, StoreError> {
    let seen = read(inner).await?;
    let Some((held_at, tokens)) = inner.lost_by_store(seen.as_ref()) else {
        return Ok(seen);
    };
    let generation = tokens.generation;
    tracing::warn!(key = %inner.key(), generation, "the store lost tokens that it had taken: it gets them back");
    let stored = seen.as_ref().map(|seen| seen.revision);
    let revision = next_revision(inner, stored).max(held_at.saturating_add(1));
    let record = Record::alive(inner.key().clone(), tokens);
    match store_at(inner, stored, revision, record, fence).await? {
        Ok(restored) => {
            inner.publish(restored.clone());
            Ok(Some(restored))
        }
        Err(Moved) => Err(StoreError::unavailable("take back what it lost", "the lease was lost")),
    }
}

/// What the store holds, where it is what is wanted.
pub(crate) fn take_stored(inner: &Arc<Inner>, want: &Want, seen: Option<&Versioned>) -> Option<Arc<Snapshot>> {
    let seen = seen?;
    let tokens = seen.record.tokens.as_ref()?;
    let satisfies = |tokens: &TokenSet| {
        let freshness = machine::freshness(tokens, inner.now(), inner.jitter(tokens.generation), inner.renewal());
        machine::satisfies(want, tokens, freshness)
    };
    if !satisfies(tokens) {
        return None;
    }
    // Where this process knows of something newer, that is what it shows.
    let shown = inner.publish(seen.clone());
    let serves = shown.tokens.as_ref().is_some_and(satisfies);
    serves.then_some(shown)
}

pub(crate) fn freshness(inner: &Inner, record: Option<&Record>, now: Now) -> machine::Freshness {
    record
        .and_then(|record| record.tokens.as_ref())
        .map_or(machine::Freshness::Expired, |tokens| {
            machine::freshness(tokens, now, inner.jitter(tokens.generation), inner.renewal())
        })
}

/// A store that does not answer is a store that is not there.
pub(crate) async fn in_time<T>(
    action: &'static str,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(STORE_PATIENCE, work).await {
        Ok(done) => done,
        Err(late) => Err(StoreError::unavailable(action, late)),
    }
}
