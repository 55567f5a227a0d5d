//! A grant's end at the provider, and then in the store.

use super::forget::{self, Left};
use super::lease::{SenderAtWork, UnderLease, Waited, acquire, acquire_to_drop, while_renewed};
use super::look::{Known, read_to_end};
use super::retain::leave_or_release;
use super::write::{Written, write, write_over};
use crate::token::fingerprint::Fingerprint;
use crate::token::live::{Live, NotRevoked};
use crate::token::machine;
use crate::token::record::Versioned;
use crate::token::store::Lease;
use crate::token::{
    AuditAction, Error, ReauthorizationReason, RevokeRequest, RevokedToken, SendPermit, StoreError, TokenSet,
};

/// What is done with a grant besides its revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Nothing: its mark says that it was revoked.
    Revoked,
    /// It is erased under the same lease, so that nothing comes between.
    Erased,
}

/// The provider first, the store second: a tombstone over a living grant would be a lie.
pub(crate) async fn revoke(live: &Live) -> Result<(), Error> {
    end_grant(live, End::Revoked).await
}

/// The same, and what is left in the store names nobody. A grant that is over, or cannot be read, is erased too.
pub(crate) async fn erase(live: &Live) -> Result<(), Error> {
    end_grant(live, End::Erased).await
}

async fn end_grant(live: &Live, how: End) -> Result<(), Error> {
    // What is to be erased is not written into the store before that. What is to be revoked is: a revocation may fail.
    let _held_back = (how == End::Erased).then(|| live.held.unstored.hold_back());
    let mut waited = Waited::default();
    loop {
        let lease = match how {
            End::Revoked => acquire(&live.store, &*live.clock).await?,
            End::Erased => acquire_to_drop(live).await?,
        };
        match under_lease(live, &lease, &waited, how).await {
            UnderLease::Ended(outcome) => {
                leave_or_release(live, Some(lease)).await;
                return outcome;
            }
            // It may be about to store tokens that nobody here knows and that would outlive the revocation.
            UnderLease::SenderAtWork(sender) => {
                live.store.release(lease).await;
                waited.wait(sender, live).await?;
            }
        }
    }
}

async fn under_lease(live: &Live, lease: &Lease, waited: &Waited, how: End) -> UnderLease<()> {
    // What the store refuses as older is all that can be read of the grant.
    let mut older = None;
    let read = match how {
        End::Revoked => read_to_end(live, lease.fence).await,
        End::Erased => match live.store.read().await {
            Err(error @ StoreError::Corrupt { .. }) => {
                older = live.store.read_older(&error);
                Ok(Known::Stored(None))
            }
            read => read.map(Known::Stored),
        },
    };
    let seen = match read {
        Ok(Known::Stored(seen)) => seen,
        Ok(Known::PutBack(intent)) => {
            return UnderLease::SenderAtWork(SenderAtWork::of_request(&intent, live));
        }
        Err(error) => return UnderLease::Ended(Err(error.into())),
    };
    let known = seen.as_ref().or(older.as_ref());
    // What the store has lost, or never had, is not given to it to be erased. Whoever refreshes it meanwhile finds the mark.
    let held = match how {
        End::Revoked => None,
        End::Erased => live.held.lost_by_store(known).map(|(_, tokens)| tokens),
    };
    // The store has lost what came after an older record.
    let held = held.or_else(|| {
        let living = older.as_ref().filter(|older| older.record.tombstone.is_none())?;
        living.record.tokens.clone()
    });
    let lives = held.is_some() || seen.as_ref().is_some_and(|seen| seen.record.tombstone.is_none());
    if how == End::Erased && !lives && live.held.unstored.is_empty() {
        return UnderLease::Ended(forget::under_lease(live, lease.fence, Left::Pseudonym).await);
    }
    if let Some(intent) = known.and_then(|known| known.record.intent.as_ref()) {
        let own = *intent.holder == *live.grant.holder;
        // A revocation does not wait for ever: what a sender stores later finds the mark, and is revoked too.
        let had_their_time = how == End::Revoked && waited.is_over();
        if !had_their_time && machine::unsettled(intent, own, lease.exclusive, waited.among(Some(intent.fence))) {
            return UnderLease::SenderAtWork(SenderAtWork::of_request(intent, live));
        }
    }
    // The provider may take its time.
    let revocation = revoke_known(live, lease.fence, seen, held, how);
    UnderLease::Ended(while_renewed(&live.store, lease, &SendPermit::always(), revocation).await)
}

/// Ends the newest tokens there are, and with them the grant. `held`: those that the store does not have.
async fn revoke_known(
    live: &Live,
    fence: u64,
    seen: Option<Versioned>,
    held: Option<TokenSet>,
    how: End,
) -> Result<(), Error> {
    let unstored = live.held.unstored.tokens();
    let tokens = unstored
        .as_ref()
        .or(held.as_ref())
        .or_else(|| seen.as_ref().and_then(|seen| seen.record.tokens.as_ref()));
    let Some(tokens) = tokens.cloned() else {
        let seen = seen.ok_or_else(|| live.grant.missing())?;
        // It has ended. A login that waits for its store is to end too, though it came after that end.
        let again = seen.record.revoked_again(live.now().utc(), &live.grant.holder);
        let written = write_over(live, &seen, again, fence).await?;
        live.publish(written.done("take the tombstone")?);
        return Ok(());
    };
    // With what a store lost, it lost who was about to send it.
    let may_be_sent = held.is_some() || seen.as_ref().is_some_and(|seen| seen.record.intent.is_some());
    let spent_in_doubt = unstored.is_none() && may_be_sent;
    // It is over because the server refused its refresh token.
    let refused = unstored.is_none() && seen.as_ref().is_some_and(|seen| seen.record.tombstone.is_some());
    let may_be_gone = spent_in_doubt || refused;
    let (seen, unanswered) = mark(live, fence, seen, &tokens).await?;
    let audit = |action| match how {
        End::Revoked => live.audit(tokens.generation, action),
        End::Erased => live.audit_without_person(tokens.generation, action),
    };
    let at_provider = match end(live, &tokens, unanswered, may_be_gone).await {
        Ok(at_provider) => at_provider,
        Err(NotRevoked { is_open, error }) => {
            let open = unanswered || is_open;
            if let Some(seen) = seen.filter(|_| !open) {
                // The server said that it did not do it: the next request is as the first one. Where this cannot be
                // written, the next request is taken for a second one.
                let unmarked = seen.record.with_revocation(None);
                if let Ok(Written::Done(written)) = write_over(live, &seen, unmarked, fence).await {
                    live.publish(written);
                }
            }
            // Of two tokens the first one may be revoked.
            let in_doubt = open || may_be_gone;
            audit(AuditAction::RevocationFailed { in_doubt });
            return Err(error);
        }
    };
    if how == End::Erased {
        live.held.unstored.clear();
        audit(AuditAction::Revoked { at_provider });
        let left = if at_provider {
            Left::PseudonymRevoked
        } else {
            Left::Pseudonym
        };
        let erased = forget::under_lease(live, fence, left).await;
        if erased.is_err() && at_provider {
            // There is nothing to keep: no store is given it any more.
            live.clear();
        }
        return erased;
    }
    match bury(live, fence, seen, &tokens).await {
        Ok(buried) => live.publish(buried),
        Err(error) => {
            audit(AuditAction::RevocationFailed { in_doubt: at_provider });
            return Err(error.into());
        }
    };
    audit(AuditAction::Revoked { at_provider });
    live.store.remove_aside().await?;
    Ok(())
}

/// Writes that the grant is revoked.
async fn bury(live: &Live, fence: u64, seen: Option<Versioned>, tokens: &TokenSet) -> Result<Versioned, StoreError> {
    live.held.unstored.clear();
    let record = match &seen {
        Some(seen) => seen.record.clone(),
        None => live.grant.alive(tokens.clone()),
    };
    let buried = record.buried(ReauthorizationReason::Revoked, live.now().utc(), &live.grant.holder);
    let buried = live.grant.tombstone(buried);
    let seen = seen.map(|seen| seen.revision);
    let written = write(live, seen, live.successor(seen, buried), fence).await?;
    written.done("take the tombstone")
}

/// From here on, whoever finds the record knows that the token may be gone: its revocation was asked for. The second
/// answer: so it was before, and no word of what came of it is in the record.
async fn mark(
    live: &Live,
    fence: u64,
    seen: Option<Versioned>,
    tokens: &TokenSet,
) -> Result<(Option<Versioned>, bool), Error> {
    let token = Some(Fingerprint::of(tokens.to_revoke().secret()));
    match seen {
        Some(seen) if seen.record.revocation != token => {
            let written = write_over(live, &seen, seen.record.with_revocation(token), fence).await?;
            let marked = written.done("take the mark of a revocation")?;
            live.publish(marked.clone());
            Ok((Some(marked), false))
        }
        Some(seen) => Ok((Some(seen), true)),
        None => Ok((None, false)),
    }
}

/// Ends the tokens at the provider. False: it has no revocation. `unanswered`: an earlier revocation may have ended them.
/// `may_be_gone`: a refresh may have, or the server has refused the refresh token.
async fn end(live: &Live, tokens: &TokenSet, unanswered: bool, may_be_gone: bool) -> Result<bool, NotRevoked> {
    let request = |token| {
        let mut request = RevokeRequest::new(token);
        request.unanswered = unanswered || may_be_gone;
        request
    };
    let mut revoked = live.server.revoke(request(tokens.to_revoke())).await?;
    if may_be_gone && tokens.refresh_token.is_some() && !tokens.access_token.is_empty() {
        // The refresh token may be spent, and then its revocation ended nothing.
        let access = RevokedToken::Access(tokens.access_token.clone());
        revoked &= live.server.revoke(request(access)).await?;
    }
    Ok(revoked)
}
