//! A grant's end at the provider.

use std::sync::Arc;

use super::lease::{PATIENCE, Unsettled, acquire, release};
use super::look::read_as_far_as_known;
use super::send::{revoked_token, send_revocation};
use super::write::{Moved, store};
use crate::token::live::Inner;
use crate::token::machine;
use crate::token::record::Versioned;
use crate::token::store::Lease;
use crate::token::{Error, ReauthorizationReason, Record, RevokedToken, StoreError};

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
