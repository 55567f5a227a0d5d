//! New tokens that the store did not take: they serve, and are written again until it does.

use std::sync::Arc;
use std::time::Duration;

use super::lease::acquire_or_take;
use super::replaced::Replaced;
use super::write::{Written, write};
use crate::http::Backoff;
use crate::token::lineage::Kinship;
use crate::token::live::{Live, Snapshot, UnstoredTokens};
use crate::token::machine::{self, Rescue};
use crate::token::record::Versioned;
use crate::token::store::Lease;
use crate::token::{AuditAction, Event, Lineage, ReauthorizationReason, Record, RevokeRequest, StoreError, TokenSet};
use crate::value::with_causes;

/// The pauses between tries to store a set that could not be stored at once: much shorter than the time that its
/// siblings give it.
const BETWEEN_TRIES: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(3));

/// What became of tokens that the store did not take.
pub(super) enum Retained {
    /// They serve, and a task writes them again.
    Serving(Arc<Snapshot>),
    /// A login that waits to be stored has replaced the grant that they are of.
    ReplacedByLogin { lease: Option<Lease> },
}

/// Serves tokens that the store did not take, and keeps trying to store them.
pub(super) fn retain(
    live: &Arc<Live>,
    unstored: UnstoredTokens,
    revision: u64,
    error: StoreError,
    lease: Option<Lease>,
    replaced: Replaced,
) -> Retained {
    if !live.held.unstored.keep(unstored.clone(), error.clone()) {
        return Retained::ReplacedByLogin { lease };
    }
    tracing::error!(
        key = %live.grant.named(), generation = unstored.tokens.generation, error = %with_causes(&error),
        "new tokens are in memory only: the store did not take them, the write is tried again"
    );
    live.news.tell(Event::StoreTrouble {
        error: with_causes(&error).to_string(),
    });
    let shown = live.publish_unstored(Versioned {
        revision,
        record: live.grant.alive(unstored.tokens.clone()),
    });
    let live = Arc::clone(live);
    tokio::spawn(async move { store_at_last(&live, unstored, lease, replaced).await });
    Retained::Serving(shown)
}

/// Tries to store a set until it is stored, or something newer is.
async fn store_at_last(live: &Arc<Live>, unstored: UnstoredTokens, mut lease: Option<Lease>, mut replaced: Replaced) {
    let generation = unstored.tokens.generation;
    let mut failures = 0;
    let mut pause = true;
    loop {
        if std::mem::replace(&mut pause, true) {
            failures += 1;
            tokio::time::sleep(BETWEEN_TRIES.pause(failures)).await;
        }
        if !live.held.unstored.holds(&unstored.tokens) {
            break;
        }
        if live.held.unstored.is_held_back() {
            if let Some(held) = lease.take() {
                live.held.unstored.leave(held);
            }
            continue;
        }
        let held = match lease.take() {
            Some(held) => held,
            None => match acquire_or_take(&live.store, &*live.clock, || live.held.unstored.take_left()).await {
                Ok(held) => held,
                Err(error) => {
                    still_not_stored(live, generation, failures, with_causes(&error));
                    continue;
                }
            },
        };
        match store_once(live, &unstored, held, &mut replaced).await {
            Tried::Over => break,
            Tried::LeaseLost => pause = false,
            Tried::Unreadable { error } => still_not_stored(live, generation, failures, with_causes(&error)),
            Tried::Failed { lease: held, error } => {
                still_not_stored(live, generation, failures, with_causes(&error));
                lease = Some(held);
            }
            Tried::Outdated { lease: held } => {
                lease = Some(held);
                break;
            }
        }
    }
    let held = lease.or_else(|| live.held.unstored.take_left());
    leave_or_release(live, held).await;
}

fn still_not_stored(live: &Live, generation: u64, failures: u32, error: impl std::fmt::Display) {
    tracing::warn!(
        key = %live.grant.named(), generation, failures, %error,
        "new tokens are still not stored"
    );
}

/// Ends the use of a lease under which nothing was stored.
pub(super) async fn leave_or_release(live: &Live, lease: Option<Lease>) {
    match lease {
        // A login waits now. Whoever got the lease before it would find the intent of a request whose outcome only this
        // process knows.
        Some(held) if !live.held.unstored.is_empty() => live.held.unstored.leave(held),
        Some(held) => live.store.release(held).await,
        None => {}
    }
}

/// What became of one try to store a set.
enum Tried {
    /// It is stored, or need not be any more.
    Over,
    /// The lease is taken anew at once, before a sibling that waits for us loses its patience.
    LeaseLost,
    Failed {
        lease: Lease,
        error: StoreError,
    },
    /// Somebody wrote something since, and nobody can read it: who knows it puts it right.
    Unreadable {
        error: StoreError,
    },
    /// Another set waits, or none.
    Outdated {
        lease: Lease,
    },
}

async fn store_once(live: &Arc<Live>, unstored: &UnstoredTokens, lease: Lease, replaced: &mut Replaced) -> Tried {
    let tokens = &unstored.tokens.clone();
    if !live.held.unstored.holds(tokens) {
        // A newer login was stored while this waited for the lease, or waits now.
        return Tried::Outdated { lease };
    }
    let mut was_damaged = false;
    let mut newest = None;
    let (seen, stored_at) = match live.store.read().await {
        Ok(seen) => {
            let revision = seen.as_ref().map(|seen| seen.revision);
            (seen, revision)
        }
        // What was stored was lost. Where these tokens are newer, they go over it.
        Err(error) => match error.damage() {
            Some(damage) if unstored.may_be_older_than(damage) && !live.held.is_own(damage) => {
                live.store.release(lease).await;
                return Tried::Unreadable { error };
            }
            Some(damage) => match live.store.keep_aside(damage).await {
                Ok(()) => {
                    was_damaged = true;
                    (None, damage.revision)
                }
                Err(error) => return Tried::Failed { lease, error },
            },
            None => match live.store.refused_as_older(&error) {
                Some(older) if unstored.parent.is_none() && older.was_known(unstored.known_until) => {
                    newest = Some(older.newest);
                    (None, Some(older.stored.revision))
                }
                _ => return Tried::Failed { lease, error },
            },
        },
    };
    let is_stored = |seen: &&Versioned| {
        let stored = seen.record.tokens.as_ref();
        stored.is_some_and(|stored| machine::is_stored(tokens, unstored.parent.as_ref(), stored))
    };
    if let Some(seen) = seen.as_ref().filter(is_stored) {
        // The write was made, and only its confirmation was lost.
        recovered(live, tokens, seen.clone());
        replaced.revoke_beside(live);
        live.store.release(lease).await;
        return Tried::Over;
    }
    let stored = seen.as_ref().map(|seen| &seen.record);
    if machine::rescue(tokens, unstored.parent.as_ref(), stored) == Rescue::Yield {
        give_way(live, tokens, seen).await;
        live.store.release(lease).await;
        return Tried::Over;
    }
    let mut next = tokens.clone();
    if unstored.parent.is_none() {
        replaced.record(live, stored, tokens);
        if stored.is_none() {
            replaced.held(live, tokens);
        }
        next.descend_from(stored.map(|stored| stored.as_ancestor()));
        next.generation = next.generation.max(stored.map_or(0, |stored| stored.generation()) + 1);
    }
    let next = live.successor(newest.or(stored_at), live.grant.alive(next));
    match write(live, stored_at, next, lease.fence).await {
        Ok(Written::Done(committed)) => {
            if was_damaged {
                live.audit(committed.record.generation(), AuditAction::DamagedRecord);
            }
            recovered(live, tokens, committed);
            replaced.revoke_beside(live);
            live.store.release(lease).await;
            Tried::Over
        }
        Ok(Written::Overtaken) => {
            live.store.release(lease).await;
            Tried::LeaseLost
        }
        Err(error) => Tried::Failed { lease, error },
    }
}

/// Somebody stored something newer, or ended the grant on purpose.
pub(super) async fn give_way(live: &Live, tokens: &TokenSet, seen: Option<Versioned>) {
    let generation = tokens.generation;
    let record = seen.as_ref().map(|seen| &seen.record);
    // Another process erased the grant.
    let is_erased = record.is_some_and(|record| record.pseudonym.is_some());
    let _unnamed = is_erased.then(|| live.grant.unnamed());
    tracing::warn!(key = %live.grant.named(), generation, "tokens that could not be stored are outdated now");
    let revoked = record.and_then(|record| record.ended_on_purpose());
    let revoked = revoked.is_some_and(|end| end.revoked || end.reason == ReauthorizationReason::Revoked);
    let lost = record.is_some_and(|record| is_lost_login(tokens, record) && !are_in_use(live, tokens, record));
    let revoked = match revoked || lost {
        true => revoke_unstored(live, tokens).await,
        false => false,
    };
    live.held.unstored.remove(tokens);
    if live
        .held
        .snapshot()
        .is_some_and(|shown| shown.tokens.as_ref() == Some(tokens))
    {
        // They were shown while they waited, and are not what counts.
        live.clear();
    }
    if let Some(seen) = seen {
        live.publish(seen);
    }
    live.audit(generation, AuditAction::Superseded { revoked });
}

/// Whether the tokens are those of a login that nobody knows any more: they would live on at the provider.
fn is_lost_login(tokens: &TokenSet, stored: &Record) -> bool {
    let kinship = Lineage::kinship(stored.lineage(), tokens.lineage.as_ref());
    kinship == Kinship::Apart || (kinship == Kinship::Earlier && stored.ended_on_purpose().is_some())
}

/// Whether the provider gave the login that goes on the same tokens: their revocation would end it too.
fn are_in_use(live: &Live, tokens: &TokenSet, stored: &Record) -> bool {
    let waiting = live.held.unstored.tokens().filter(|waiting| waiting != tokens);
    let others = stored.tokens.iter().chain(&waiting);
    others.into_iter().any(|other| other.has_a_token_of(tokens))
}

/// The grant was revoked while these tokens were elsewhere, in memory only or in another copy of the store: the revocation
/// was meant for them too. False: they were not revoked.
pub(super) async fn revoke_unstored(live: &Live, tokens: &TokenSet) -> bool {
    let revoked = live.server.revoke(RevokeRequest::new(tokens.to_revoke())).await;
    revoked.unwrap_or_else(|not| {
        tracing::warn!(
            key = %live.grant.named(), generation = tokens.generation, error = %with_causes(&not.error),
            "tokens of a revoked grant could not be revoked and live until they end"
        );
        false
    })
}

fn recovered(live: &Live, tokens: &TokenSet, committed: Versioned) {
    let generation = committed.record.generation();
    live.held.unstored.remove(tokens);
    live.publish(committed);
    tracing::info!(key = %live.grant.named(), generation, "tokens that could not be stored are stored now");
    live.news.tell(Event::StoreRecovered { generation });
    live.audit(generation, AuditAction::Stored);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use futures_util::future::BoxFuture;

    use super::*;
    use crate::token::store::{LeaseState, MemoryStore};
    use crate::token::{
        GrantKind, Issuer, IssuerError, Obtain, Renewal, TokenHandleBuilder, TokenKey, TokenReply, TokenStore as _,
    };

    struct Nobody;

    impl Issuer for Nobody {
        fn obtain(&self, _: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
            Box::pin(std::future::pending())
        }
        fn revoke(&self, _: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test]
    async fn a_lease_under_which_nothing_was_stored_is_left_for_a_login_that_waits_and_else_given_back() {
        for login_waits in [true, false] {
            let store = MemoryStore::new();
            let key = TokenKey::new("mx", "client", GrantKind::AuthorizationCode);
            let set_up = TokenHandleBuilder::new(key.clone(), Arc::new(Nobody), Renewal::Refresh);
            let live = Live::new(set_up.store(Arc::new(store.clone())));
            if login_waits {
                let tokens = live.grant.first_tokens(TokenReply::new("access-1"), live.now());
                let set = UnstoredTokens {
                    tokens,
                    parent: None,
                    known_until: None,
                };
                let out = StoreError::unavailable("take the write", "it is out");
                assert!(live.held.unstored.keep(set, out));
            }
            leave_or_release(&live, None).await;
            assert!(live.held.unstored.take_left().is_none());
            let lease = acquire_or_take(&live.store, &*live.clock, || None).await.unwrap();
            leave_or_release(&live, Some(lease)).await;
            let is_held = matches!(store.lease_state(&key).await.unwrap(), LeaseState::Held { .. });
            assert_eq!(is_held, login_waits);
            assert_eq!(live.held.unstored.take_left().is_some(), login_waits);
        }
    }

    #[test]
    fn new_tokens_are_written_again_after_half_a_second_and_then_at_least_every_3_seconds() {
        let pauses = [1, 2, 3, 4, 5, u32::MAX].map(|failures| BETWEEN_TRIES.pause(failures).as_millis());
        assert_eq!(pauses, [500, 1000, 2000, 3000, 3000, 3000]);
    }
}
