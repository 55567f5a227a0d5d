//! A grant's beginning: the tokens of a login replace whatever there was.

use std::sync::Arc;

use super::lease::acquire;
use super::retain::retain;
use super::write::write;
use crate::token::live::{Live, UnstoredTokens};
use crate::token::record::Versioned;
use crate::token::store::Lease;
use crate::token::{Error, Event, Record, StoreError, TokenInfo, TokenReply, TokenSet};

/// The first tokens of a grant replace whatever there was.
pub(crate) async fn adopt(live: &Arc<Live>, reply: TokenReply) -> Result<TokenInfo, Error> {
    if let Some(reason) = &reply.unusable {
        tracing::warn!(
            key = %live.grant.key, %reason,
            "the access token of the login cannot be used: the first call gets another one with the refresh token"
        );
    }
    let mut tokens = live.grant.first_tokens(reply, live.now());
    let lease = match acquire(&live.store, &*live.clock).await {
        Ok(lease) => lease,
        Err(error) => return Err(store_later(live, tokens, error, None)),
    };
    match store_now(live, &mut tokens, lease.fence).await {
        Ok(stored) => {
            live.held.unstored.clear();
            let known = live.held.generation();
            live.publish(stored);
            if known == 0 {
                // Where there were tokens before, that they moved is told already.
                live.news.tell(Event::Refreshed {
                    generation: tokens.generation,
                });
            }
            live.store.release(lease).await;
            Ok(tokens.info())
        }
        Err(error) => Err(store_later(live, tokens, error.into(), Some(lease))),
    }
}

/// Writes the tokens over whatever is stored, and numbers them after it.
async fn store_now(live: &Live, tokens: &mut TokenSet, fence: u64) -> Result<Versioned, StoreError> {
    let seen = match live.store.load().await {
        // What cannot be read is not worth a login: it is replaced.
        Err(StoreError::Corrupt { .. }) => None,
        seen => seen?,
    };
    let before = seen
        .as_ref()
        .and_then(|stored| Record::decode(&stored.bytes).ok())
        .map_or(0, |record| record.generation());
    tokens.generation = before.max(live.held.generation()) + 1;
    let seen = seen.map(|stored| stored.revision);
    let next = live.successor(seen, live.grant.alive(tokens.clone()));
    write(&live.store, seen, next, fence).await?.done("take the write")
}

/// The tokens serve from memory, and are written again until the store takes them.
fn store_later(live: &Arc<Live>, mut tokens: TokenSet, error: Error, lease: Option<Lease>) -> Error {
    tokens.generation = tokens.generation.max(live.held.generation() + 1);
    let source = match &error {
        Error::Store { source } => source.clone(),
        other => StoreError::unavailable("give a lease", other.clone()),
    };
    let unstored = UnstoredTokens { tokens, parent: None };
    // A login replaces whatever waits: nothing gives the lease back here.
    let _ = retain(live, unstored, live.held.revision(), source, lease);
    error
}
