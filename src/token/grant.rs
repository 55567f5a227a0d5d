//! A grant's beginning and end: adopt after a login, revoke, forget.

use std::sync::Arc;

use super::handle::{Inner, revoked_token};
use super::store::{StoreError, Swap, Swapped};
use super::transaction::{Moved, Uncommitted, acquire, read, release, retain, store};
use super::{Error, Event, IssuerError, ReauthorizationReason, Record, TokenInfo, TokenReply, TokenSet, Verdict};

/// The first tokens of a grant replace whatever there was.
pub(crate) async fn adopt(inner: &Arc<Inner>, reply: TokenReply) -> Result<TokenInfo, Error> {
    let mut tokens = TokenSet::first(reply, &inner.key().scopes, inner.now().wall, inner.rotation());
    let lease = match acquire(inner).await {
        Ok(lease) => lease,
        Err(error) => return Err(adopt_later(inner, tokens, error, None)),
    };
    let seen = match inner.store().load(inner.key()).await {
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
            inner.set_uncommitted(None);
            inner.publish(committed);
            inner.tell(Event::Refreshed {
                generation: tokens.generation,
            });
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

fn adopt_later(inner: &Arc<Inner>, mut tokens: TokenSet, error: Error, lease: Option<super::store::Lease>) -> Error {
    tokens.generation = tokens.generation.max(inner.generation() + 1);
    let source = match &error {
        Error::Store { source } => source.clone(),
        other => StoreError::unavailable("give a lease", other.clone()),
    };
    let uncommitted = Uncommitted { tokens, parent: None };
    retain(inner, uncommitted, inner.revision(), Some(source), lease);
    error
}

/// The provider first, the store second: a tombstone over a living grant would be a lie.
pub(crate) async fn revoke(inner: &Arc<Inner>) -> Result<(), Error> {
    let lease = acquire(inner).await?;
    let outcome = revoke_leased(inner, lease.fence).await;
    release(inner, lease).await;
    outcome
}

async fn revoke_leased(inner: &Arc<Inner>, fence: u64) -> Result<(), Error> {
    let seen = read(inner).await?;
    let unstored = inner.uncommitted_tokens();
    let tokens = unstored
        .as_ref()
        .or_else(|| seen.as_ref().and_then(|seen| seen.record.tokens.as_ref()));
    let Some(tokens) = tokens else {
        return match &seen {
            Some(_) => Ok(()),
            None => Err(Error::NoGrant {
                key: inner.key().to_string(),
            }),
        };
    };
    match inner.issuer().revoke(revoked_token(tokens)).await {
        Ok(_) => {}
        // An unknown token is a revoked token (RFC 7009 section 2.2).
        Err(error) if error.verdict == Verdict::Dead => {}
        Err(error) => return Err(revocation_error(error)),
    }
    inner.set_uncommitted(None);
    let record = match &seen {
        Some(seen) => seen.record.clone(),
        None => Record::alive(inner.key().clone(), tokens.clone()),
    };
    let buried = record.buried(ReauthorizationReason::Revoked, inner.now().utc(), inner.holder());
    match store(inner, seen.as_ref().map(|seen| seen.revision), buried, fence).await? {
        Ok(buried) => {
            inner.publish(buried);
            Ok(())
        }
        Err(Moved) => Err(StoreError::unavailable("take the tombstone", "the lease was lost").into()),
    }
}

/// A lost reply to a revocation is harmless: it is simply sent again.
fn revocation_error(error: IssuerError) -> Error {
    match error.verdict {
        Verdict::InDoubt => Error::Transient {
            retry_after: None,
            source: error.source,
        },
        _ => error.into(),
    }
}

/// Nothing of the grant stays, here and in the store.
pub(crate) async fn forget(inner: &Arc<Inner>) -> Result<(), Error> {
    let lease = acquire(inner).await?;
    let outcome = forget_leased(inner, lease.fence).await;
    release(inner, lease).await;
    outcome
}

async fn forget_leased(inner: &Arc<Inner>, fence: u64) -> Result<(), Error> {
    // Not decoded: what cannot be read can still be forgotten.
    let stored = inner.store().load(inner.key()).await?;
    if let Some(stored) = stored {
        let swap = Swap::new(Some(stored.revision), fence, None);
        match inner.store().swap(inner.key(), swap).await? {
            Swapped::Done | Swapped::Conflict(None) => {}
            Swapped::Conflict(Some(_)) | Swapped::Fenced => {
                return Err(StoreError::unavailable("remove the record", "the lease was lost").into());
            }
        }
    }
    inner.clear();
    Ok(())
}
