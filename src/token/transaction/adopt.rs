//! A grant's beginning: the tokens of a login replace whatever there was.

use std::sync::Arc;

use super::lease::acquire;
use super::replaced::Replaced;
use super::retain::{give_way, retain};
use super::write::write;
use crate::token::clock::Now;
use crate::token::live::{Live, Snapshot, UnstoredTokens};
use crate::token::machine::{self, Rescue};
use crate::token::record::Versioned;
use crate::token::store::Lease;
use crate::token::{AuditAction, Error, Event, Lineage, StoreError, TokenInfo, TokenReply, TokenSet};
use crate::value::with_causes;

/// The first tokens of a grant, which were asked for at this time, replace whatever there was.
pub(crate) async fn adopt(live: &Arc<Live>, reply: TokenReply, sent_at: Now) -> Result<TokenInfo, Error> {
    if let Some(reason) = &reply.unusable {
        tracing::warn!(
            key = %live.grant.named(), %reason,
            "the access token of the login cannot be used: the first call gets another one with the refresh token"
        );
    }
    let mut tokens = live.grant.first_tokens(reply, sent_at);
    // Whatever this process knows came before, an end that it saw included: the store may have lost it, and get it back.
    let held = live.held.snapshot();
    let login = Lineage::begun(sent_at.utc()).after_what_is_held(held.as_deref().map(Snapshot::as_ancestor));
    // A look before anything is waited for: what is stored while this login waits came after it.
    let known_until;
    tokens.lineage = Some(match live.store.look_for_change().await {
        Ok(seen) => {
            known_until = Some(seen.as_ref().map_or(0, |seen| seen.revision));
            login.after(seen.as_ref().map(|seen| seen.record.as_ancestor()))
        }
        Err(error) => {
            let refused = live.store.refused_as_older(&error).map(|older| older.newest);
            known_until = refused.or_else(|| error.damage().and_then(|damage| damage.revision));
            tracing::warn!(
                key = %live.grant.named(), error = %with_causes(&error),
                "what was stored before a login is not known: the login comes after what this process holds"
            );
            login
        }
    });
    let lease = match acquire(&live.store, &*live.clock).await {
        Ok(lease) => lease,
        Err(error) => {
            let login = UnstoredTokens {
                tokens,
                parent: None,
                known_until,
            };
            return Err(store_later(live, login, error, None, Replaced::default()));
        }
    };
    let mut replaced = Replaced::default();
    match store_now(live, &mut tokens, known_until, lease.fence, &mut replaced).await {
        Ok(Stored::Taken {
            stored,
            over_a_living_grant,
        }) => {
            let over_one_that_waits = !live.held.unstored.is_empty();
            replaced.unstored(live, &tokens);
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
            let login = AuditAction::Login {
                replaced: over_a_living_grant || over_one_that_waits,
                stored: true,
            };
            live.audit(tokens.generation, login);
            replaced.revoke_beside(live);
            Ok(tokens.info())
        }
        Ok(Stored::Overtaken(stored)) => {
            let login = AuditAction::Login {
                replaced: false,
                stored: false,
            };
            live.audit(tokens.generation, login);
            give_way(live, &tokens, Some(stored)).await;
            live.store.release(lease).await;
            what_came_after(live)
        }
        Err(error) => {
            let login = UnstoredTokens {
                tokens,
                parent: None,
                known_until,
            };
            Err(store_later(live, login, error.into(), Some(lease), replaced))
        }
    }
}

/// What a login finds that came too late.
fn what_came_after(live: &Live) -> Result<TokenInfo, Error> {
    let snapshot = live.held.snapshot();
    let ended = snapshot.as_ref().and_then(|snapshot| snapshot.ended());
    let tokens = snapshot.as_ref().and_then(|snapshot| snapshot.tokens.as_ref());
    match (ended, tokens) {
        (Some(reason), _) => Err(Error::from(reason)),
        (None, Some(tokens)) => Ok(tokens.info()),
        (None, None) => Err(live.grant.missing()),
    }
}

enum Stored {
    Taken {
        stored: Versioned,
        /// The grant that was stored before was not over.
        over_a_living_grant: bool,
    },
    /// Something that came after this login is stored.
    Overtaken(Versioned),
}

/// Writes the tokens over whatever is stored, unless that came after them, and numbers them after it.
async fn store_now(
    live: &Live,
    tokens: &mut TokenSet,
    known_until: Option<u64>,
    fence: u64,
    replaced: &mut Replaced,
) -> Result<Stored, StoreError> {
    let mut was_damaged = false;
    let mut newest = None;
    let (seen, record) = match live.store.read().await {
        Ok(seen) => seen.map(|seen| (seen.revision, seen.record)).unzip(),
        Err(error) => match (error.damage(), live.store.refused_as_older(&error)) {
            // What is damaged is not worth a login: it is replaced, and kept aside.
            (Some(damage), _) => {
                live.store.keep_aside(damage).await?;
                was_damaged = true;
                (damage.revision, None)
            }
            (None, Some(older)) if older.was_known(known_until) => {
                newest = Some(older.newest);
                (Some(older.stored.revision), None)
            }
            _ => return Err(error),
        },
    };
    if let (Some(revision), Some(record)) = (seen, &record)
        && machine::rescue(tokens, None, Some(record)) == Rescue::Yield
    {
        let record = record.clone();
        return Ok(Stored::Overtaken(Versioned { revision, record }));
    }
    replaced.record(live, record.as_ref(), tokens);
    if record.is_none() {
        replaced.held(live, tokens);
    }
    let before = record.as_ref().map_or(0, |record| record.generation());
    tokens.generation = before.max(live.held.generation()) + 1;
    tokens.descend_from(record.as_ref().map(|record| record.as_ancestor()));
    let next = live.successor(newest.or(seen), live.grant.alive(tokens.clone()));
    let stored = write(live, seen, next, fence).await?.done("take the write")?;
    if was_damaged {
        live.audit(tokens.generation, AuditAction::DamagedRecord);
    }
    Ok(Stored::Taken {
        stored,
        over_a_living_grant: record.is_some_and(|record| record.tombstone.is_none()),
    })
}

/// The tokens serve from memory, and are written again until the store takes them.
fn store_later(
    live: &Arc<Live>,
    mut login: UnstoredTokens,
    error: Error,
    lease: Option<Lease>,
    mut replaced: Replaced,
) -> Error {
    let tokens = &mut login.tokens;
    tokens.lineage = tokens.lineage.take().map(Lineage::that_waited);
    tokens.generation = tokens.generation.max(live.held.generation() + 1);
    let generation = tokens.generation;
    let source = match &error {
        Error::Store { source } => source.clone(),
        other => StoreError::unavailable("give a lease", other.clone()),
    };
    replaced.unstored(live, tokens);
    let held = live.held.snapshot();
    let event = AuditAction::Login {
        replaced: held.is_some_and(|held| held.living().is_some()),
        stored: false,
    };
    live.audit(generation, event);
    // A login replaces whatever waits: nothing gives the lease back here.
    let _ = retain(live, login, live.held.revision(), source, lease, replaced);
    error
}
