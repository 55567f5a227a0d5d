//! A grant's beginning and end: adopt after a login, revoke, forget.

use std::sync::Arc;

use super::{
    Moved, PATIENCE, Uncommitted, Unsettled, Versioned, acquire, load, read_as_far_as_known, release, retain,
    send_revocation, store,
};
use crate::token::handle::{Inner, revoked_token};
use crate::token::machine;
use crate::token::store::{Lease, StoreError};
use crate::token::{Error, Event, ReauthorizationReason, Record, RevokedToken, TokenInfo, TokenReply, TokenSet};

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

/// The provider first, the store second: a tombstone over a living grant would be a lie.
pub(crate) async fn revoke(inner: &Arc<Inner>) -> Result<(), Error> {
    let mut waited_for = None;
    loop {
        let lease = acquire(inner).await?;
        let outcome = revoke_leased(inner, &lease, waited_for).await;
        release(inner, lease).await;
        match outcome {
            Ok(outcome) => return outcome,
            // Its sender may be about to store tokens that nobody here knows and that would outlive the revocation.
            Err(Unsettled { fence }) => {
                tokio::time::sleep(PATIENCE).await;
                waited_for = Some(fence);
            }
        }
    }
}

async fn revoke_leased(
    inner: &Arc<Inner>,
    lease: &Lease,
    waited_for: Option<u64>,
) -> Result<Result<(), Error>, Unsettled> {
    let seen = match read_as_far_as_known(inner, lease.fence).await {
        Ok(seen) => seen,
        Err(error) => return Ok(Err(error.into())),
    };
    let intent = seen.as_ref().and_then(|seen| seen.record.intent.as_ref());
    let own = intent.is_some_and(|intent| intent.holder == inner.holder());
    if let Some(fence) = intent.and_then(|intent| machine::unsettled(intent, own, lease.exclusive, waited_for)) {
        return Err(Unsettled { fence });
    }
    Ok(revoke_settled(inner, lease.fence, seen).await)
}

async fn revoke_settled(inner: &Arc<Inner>, fence: u64, seen: Option<Versioned>) -> Result<(), Error> {
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
    send_revocation(inner, revoked_token(tokens)).await?;
    let in_doubt = unstored.is_none() && seen.as_ref().is_some_and(|seen| seen.record.intent.is_some());
    if in_doubt && tokens.refresh_token.is_some() {
        // The refresh token may be spent, and then its revocation ended nothing.
        send_revocation(inner, RevokedToken::Access(tokens.access_token.clone())).await?;
    }
    inner.drop_uncommitted();
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
