//! A grant's end here, without a word to the provider.

use std::sync::Arc;

use super::lease::{acquire, release};
use super::look::load;
use super::write::{Moved, store};
use crate::token::live::Inner;
use crate::token::record::Versioned;
use crate::token::{Error, ReauthorizationReason, Record, StoreError};

/// No token of the grant stays, here and in the store.
pub(crate) async fn forget(inner: &Arc<Inner>) -> Result<(), Error> {
    let lease = acquire(inner).await?;
    let outcome = forget_leased(inner, lease.fence).await;
    release(inner, lease).await;
    outcome
}

async fn forget_leased(inner: &Arc<Inner>, fence: u64) -> Result<(), Error> {
    // What cannot be read can still be forgotten.
    let (stored, damaged) = match load(inner).await {
        Ok(stored) => (stored, false),
        Err(StoreError::Corrupt { .. }) => (None, true),
        Err(error) => return Err(error.into()),
    };
    if stored.is_none() && !damaged && inner.generation() == 0 {
        inner.clear();
        return Ok(());
    }
    let generation = stored
        .as_ref()
        .and_then(|stored| Record::decode(&stored.bytes).ok())
        .map_or(0, |record| record.generation())
        .max(inner.generation());
    let mark = Record::ended(
        inner.key().clone(),
        ReauthorizationReason::Forgotten,
        inner.now().utc(),
        generation,
        inner.holder(),
    );
    let mut marked = write_mark(inner, stored.map(|stored| stored.revision), mark.clone(), fence).await?;
    if damaged {
        // A store keeps what is damaged until it has something to put in its place for sure.
        marked = write_mark(inner, Some(marked.revision), mark, fence).await?;
    }
    inner.clear();
    // Shown, and not only cleared: a read that began before is older than this.
    inner.publish(marked);
    Ok(())
}

async fn write_mark(inner: &Arc<Inner>, seen: Option<u64>, mark: Record, fence: u64) -> Result<Versioned, Error> {
    match store(inner, seen, mark, fence).await? {
        Ok(marked) => Ok(marked),
        Err(Moved) => Err(StoreError::unavailable("forget the record", "the lease was lost").into()),
    }
}
