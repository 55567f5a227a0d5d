//! A grant's beginning: the tokens of a login replace whatever there was.

use std::sync::Arc;

use super::lease::{acquire, release};
use super::look::load;
use super::retain::retain;
use super::write::{Moved, store};
use crate::token::live::{Inner, Uncommitted};
use crate::token::store::Lease;
use crate::token::{Error, Event, Record, StoreError, TokenInfo, TokenReply, TokenSet};

/// The first tokens of a grant replace whatever there was.
pub(crate) async fn adopt(inner: &Arc<Inner>, reply: TokenReply) -> Result<TokenInfo, Error> {
    let mut tokens = TokenSet::first(reply, &inner.key().scopes, inner.now().wall, inner.rotation());
    let lease = match acquire(inner).await {
        Ok(lease) => lease,
        Err(error) => return Err(adopt_later(inner, tokens, error, None)),
    };
    let seen = match load(inner).await {
        Ok(seen) => seen,
        // What cannot be read is not worth a login: it is replaced.
        Err(StoreError::Corrupt { .. }) => None,
        Err(error) => return Err(adopt_later(inner, tokens, error.into(), Some(lease))),
    };
    let before = seen
        .as_ref()
        .and_then(|stored| Record::decode(&stored.bytes).ok())
        .map_or(0, |record| record.generation());
    tokens.generation = before.max(inner.generation()) + 1;
    let record = Record::alive(inner.key().clone(), tokens.clone());
    let seen = seen.map(|stored| stored.revision);
    match store(inner, seen, record, lease.fence).await {
        Ok(Ok(committed)) => {
            inner.drop_uncommitted();
            let known = inner.generation();
            inner.publish(committed);
            if known == 0 {
                // Where there were tokens before, that they moved is told already.
                inner.tell(Event::Refreshed {
                    generation: tokens.generation,
                });
            }
            release(inner, lease).await;
            Ok(tokens.info())
        }
        Ok(Err(Moved)) => {
            let error = StoreError::unavailable("take the write", "the lease was lost").into();
            Err(adopt_later(inner, tokens, error, Some(lease)))
        }
        Err(error) => Err(adopt_later(inner, tokens, error.into(), Some(lease))),
    }
}

fn adopt_later(inner: &Arc<Inner>, mut tokens: TokenSet, error: Error, lease: Option<Lease>) -> Error {
    tokens.generation = tokens.generation.max(inner.generation() + 1);
    let source = match &error {
        Error::Store { source } => source.clone(),
        other => StoreError::unavailable("give a lease", other.clone()),
    };
    let uncommitted = Uncommitted { tokens, parent: None };
    // A login replaces whatever waits: nothing gives the lease back here.
    let _ = retain(inner, uncommitted, inner.revision(), Some(source), lease);
    error
}
