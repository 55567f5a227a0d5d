//! A look at what the store holds, and what needs no request because of it.

use std::sync::Arc;

use super::retain::revoke_unstored;
use super::write::write;
use crate::token::fingerprint::Fingerprint;
use crate::token::live::{Live, Outcome, Snapshot};
use crate::token::machine::{self, Want};
use crate::token::record::{Intent, Versioned};
use crate::token::store::{Damage, Leased};
use crate::token::{AuditAction, ReauthorizationReason, Record, StoreError, TokenSet};
use crate::value::with_causes;

/// Shows what the store holds, where it is what is wanted.
pub(super) fn take_stored(live: &Live, want: &Want, seen: Option<&Versioned>) -> Option<Arc<Snapshot>> {
    let seen = seen?;
    let tokens = seen.record.tokens.as_ref()?;
    if !is_wanted(live, want, tokens) {
        return None;
    }
    // Where this process knows of something newer, that is what it shows.
    let shown = live.publish(seen.clone());
    where_wanted(live, want, shown)
}

/// What this process holds, where it is what is wanted.
pub(super) fn take_held(live: &Live, want: &Want) -> Option<Arc<Snapshot>> {
    where_wanted(live, want, live.held.snapshot()?)
}

fn where_wanted(live: &Live, want: &Want, shown: Arc<Snapshot>) -> Option<Arc<Snapshot>> {
    let serves = shown
        .tokens
        .as_ref()
        .is_some_and(|tokens| is_wanted(live, want, tokens));
    serves.then_some(shown)
}

fn is_wanted(live: &Live, want: &Want, tokens: &TokenSet) -> bool {
    machine::satisfies(want, tokens, live.grant.freshness(tokens, live.now()))
}

/// Whether the store has lost tokens that it had taken. What waits to be stored it never had.
pub(crate) fn is_behind(live: &Live, seen: Option<&Versioned>) -> bool {
    live.held.unstored.is_empty() && live.held.lost_by_store(seen).is_some()
}

/// A look at the store while the server is not to be asked: what somebody else stored there, or that the grant is over.
/// None: nothing that ends the wait.
pub(crate) async fn look_while_resting(live: &Live, want: &Want) -> Option<Outcome> {
    let seen = match live.store.look().await {
        Ok(seen) => {
            if live.held.lost_by_store(seen.as_ref()).is_some() {
                mend_beside(live).await;
                return None;
            }
            live.held.without_unsent(seen?)
        }
        Err(error) => {
            if live.held.can_mend(&error) {
                mend_beside(live).await;
            }
            tracing::debug!(key = %live.grant.named(), error = %with_causes(&error), "the store was not looked at while the server rests");
            return None;
        }
    };
    live.held.looked(live.now());
    if let Some(stored) = take_stored(live, want, Some(&seen)) {
        return Some(Ok(stored));
    }
    let undone = || live.held.end_undone_by(&seen)?.tombstone;
    let over = live.held.over_before(&seen).or_else(undone);
    let over = over.or_else(|| seen.record.tombstone.clone())?;
    live.publish(seen);
    Some(Err(live.ended(&over)))
}

/// The same where nobody waits for it.
async fn mend_beside(live: &Live) {
    live.held.looked(live.now());
    if let Err(error) = mend(live).await {
        tracing::debug!(key = %live.grant.named(), error = %with_causes(&error), "what the store lost was not put right while the server rests");
    }
}

/// Gives the store back what it had damaged or lost and this process knows, as a refresh does. False: somebody else works on
/// the grant, or the tokens wait to be stored, and go over the damage when they are.
pub(crate) async fn mend(live: &Live) -> Result<bool, StoreError> {
    if !live.held.unstored.is_empty() {
        return Ok(false);
    }
    let Leased::Granted(lease) = live.store.lease().await?.leased else {
        return Ok(false);
    };
    let known = read_as_far_as_known(live, lease.fence).await;
    live.store.release(lease).await;
    known.map(|_| true)
}

/// What is known under the lease.
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart where it is made, and kept nowhere"
)]
pub(super) enum Known {
    /// What the store holds.
    Stored(Option<Versioned>),
    /// The store had lost tokens, and was given them back. With the record went the word of whoever had a request under
    /// way: it is given the time of one.
    PutBack(Intent),
}

/// What the store holds. What it lost (a failover to an older copy, a restart without its log, a damaged record) it is
/// given back. Under the lease.
pub(super) async fn read_as_far_as_known(live: &Live, fence: u64) -> Result<Known, StoreError> {
    let known = read_to_end(live, fence).await?;
    if let Known::Stored(Some(seen)) = &known
        && let Some(end) = live.held.end_undone_by(seen)
    {
        let taken_along = taken_along(live, seen, &end);
        let ended = end_again(live, Some(seen.revision), end, None, fence).await?;
        if let Some(tokens) = taken_along {
            revoke_unstored(live, &tokens).await;
        }
        return Ok(Known::Stored(Some(ended)));
    }
    Ok(known)
}

/// The living tokens of another login, over which goes the end of a grant that was to end at the provider: nobody else has
/// them any more.
fn taken_along(live: &Live, seen: &Versioned, end: &Record) -> Option<TokenSet> {
    let end = end.ended_on_purpose()?;
    let was_revoked = end.revoked || end.reason == ReauthorizationReason::Revoked;
    let lives = seen.record.tombstone.is_none();
    let tokens = seen.record.tokens.as_ref();
    let tokens = tokens.filter(|_| was_revoked && lives && live.held.is_of_another_login(seen));
    tokens.cloned()
}

/// The same for whoever ends the grant: one that lives again is there to be ended.
pub(super) async fn read_to_end(live: &Live, fence: u64) -> Result<Known, StoreError> {
    let mut none_is_sent = false;
    let (stored, held_at, tokens, was_damaged) = match read_numbered(live, fence).await {
        Ok(seen) => match live.held.lost_by_store(seen.as_ref()) {
            None => return Ok(Known::Stored(seen)),
            Some((held_at, tokens)) => (seen.map(|seen| seen.revision), held_at, tokens, false),
        },
        Err(error) => {
            let Some(damage) = error.damage() else {
                return Err(error);
            };
            if let Some((held_at, tokens)) = live.held.lost_to_damage(damage) {
                live.store.keep_aside(damage).await?;
                none_is_sent = live.held.is_unsent(damage);
                (damage.revision, held_at, tokens, true)
            } else if let Some(end) = live.held.end_lost_to_damage(damage) {
                let ended = end_again(live, damage.revision, end, Some(damage), fence).await?;
                return Ok(Known::Stored(Some(ended)));
            } else {
                return Err(error);
            }
        }
    };
    let generation = tokens.generation;
    tracing::warn!(key = %live.grant.named(), generation, "the store lost tokens that it had taken: it gets them back");
    let somebody = live
        .grant
        .rotation
        .spends()
        .then_some(())
        .and(tokens.refresh_token.as_ref());
    // What this process was about to do itself, nobody has to wait for.
    let somebody = somebody.filter(|_| !none_is_sent);
    let somebody = somebody.map(|refresh_token| Intent {
        holder: "a process that the store has forgotten".to_owned(),
        fence,
        at: live.now().utc(),
        // The store knew, and has lost, when a request with it went out; not before it came.
        first_at: Some(tokens.obtained_at),
        refresh_token: Fingerprint::of(refresh_token),
        unanswered: 0,
        given_up: false,
        put_back: true,
    });
    let alive = live.grant.alive(tokens);
    let record = match &somebody {
        Some(intent) => alive.with_intent(intent.clone()),
        None => alive,
    };
    let mut next = live.successor(stored, record);
    next.revision = next.revision.max(held_at.saturating_add(1));
    let restored = write(live, stored, next, fence).await?.done("take back what it lost")?;
    live.publish(restored.clone());
    if was_damaged {
        live.audit(generation, AuditAction::DamagedRecord);
    }
    live.audit(generation, AuditAction::PutBack);
    Ok(match somebody {
        Some(intent) => Known::PutBack(intent),
        None => Known::Stored(Some(restored)),
    })
}

/// What the store holds. A whole record whose revision is damaged gets another one.
async fn read_numbered(live: &Live, fence: u64) -> Result<Option<Versioned>, StoreError> {
    let error = match live.store.read().await {
        Ok(seen) => return Ok(seen),
        Err(error) => error,
    };
    let whole = error.damage().and_then(|damage| damage.record_of(&live.grant.key));
    let Some(record) = whole else { return Err(error) };
    tracing::warn!(key = %live.grant.named(), "the revision of a record is damaged: the record gets another one");
    let written = write(live, None, live.successor(None, record), fence).await?;
    Ok(Some(written.done("number a record anew")?))
}

/// The end that this process knows goes over what the store has. `damage`: nobody can read that.
async fn end_again(
    live: &Live,
    seen: Option<u64>,
    end: Record,
    damage: Option<&Damage>,
    fence: u64,
) -> Result<Versioned, StoreError> {
    let _unnamed = end.pseudonym.is_some().then(|| live.grant.unnamed());
    tracing::warn!(key = %live.grant.named(), "the store lost the end of a grant: it gets it back");
    let write_end = async |seen, end| {
        let written = write(live, seen, live.successor(seen, end), fence).await?;
        written.done("take back the end that it lost")
    };
    let is_on_purpose = end.ended_on_purpose().is_some();
    match damage {
        // Nothing of the grant is to be left.
        _ if is_on_purpose => live.store.remove_aside().await?,
        Some(damage) => live.store.keep_aside(damage).await?,
        None => {}
    }
    let mut ended = write_end(seen, end.clone()).await?;
    if is_on_purpose && damage.is_some_and(|damage| damage.kept_aside) {
        // The store keeps what is damaged until something goes over what took its place.
        ended = write_end(Some(ended.revision), end).await?;
    }
    live.audit(ended.record.generation(), AuditAction::PutBack);
    live.publish(ended.clone());
    Ok(ended)
}
