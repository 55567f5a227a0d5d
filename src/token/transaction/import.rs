//! A grant that comes from elsewhere: its tokens are stored where nothing is stored yet.

use super::lease::acquire;
use super::write::write;
use crate::token::live::Live;
use crate::token::record::Versioned;
use crate::token::{AuditAction, Error, TokenInfo, TokenSet};

/// What the store has wins: an import may be run again, and brings back nothing that ended since.
pub(crate) async fn import(live: &Live, tokens: TokenSet) -> Result<TokenInfo, Error> {
    let lease = acquire(&live.store, &*live.clock).await?;
    let outcome = under_lease(live, tokens, lease.fence).await;
    live.store.release(lease).await;
    let (stored, is_imported) = outcome?;
    let generation = stored.record.generation();
    let snapshot = live.publish(stored);
    if is_imported {
        live.audit(generation, AuditAction::Imported);
    }
    match (snapshot.ended(), &snapshot.tokens) {
        (None, Some(tokens)) => Ok(tokens.info()),
        (Some(reason), _) => Err(reason.into()),
        (None, None) => Err(live.grant.missing()),
    }
}

/// What the store has now, and whether that is what was to be imported.
async fn under_lease(live: &Live, tokens: TokenSet, fence: u64) -> Result<(Versioned, bool), Error> {
    if let Some(error) = live.held.unstored.error() {
        return Err(error);
    }
    if let Some(stored) = live.store.read().await? {
        tracing::debug!(key = %live.grant.key, "the store has this grant already: nothing is imported");
        return Ok((stored, false));
    }
    let next = live.successor(None, live.grant.alive(tokens));
    let written = write(&live.store, None, next, fence).await?;
    Ok((written.done("take the imported tokens")?, true))
}
