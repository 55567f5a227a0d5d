//! A grant that comes from elsewhere: its tokens are stored where nothing is stored yet, or what is stored is over and
//! they are others.

use std::sync::Arc;

use super::lease::acquire;
use super::look::{Known, read_as_far_as_known};
use super::write::write;
use crate::token::live::{Live, Snapshot};
use crate::token::{AuditAction, Error, Lineage, ReauthorizationReason, Record, StoreError, TokenInfo, TokenSet};

/// What the store has wins as long as it lives, and so does its end against the tokens that came to it: an import may be
/// run again, and brings back nothing that ended since.
pub(crate) async fn import(live: &Live, tokens: TokenSet) -> Result<TokenInfo, Error> {
    let lease = acquire(&live.store, &*live.clock).await?;
    let outcome = under_lease(live, tokens, lease.fence).await;
    live.store.release(lease).await;
    let (snapshot, is_imported) = outcome?;
    if is_imported {
        live.audit(snapshot.generation().unwrap_or(0), AuditAction::Imported);
    }
    match (snapshot.ended(), &snapshot.tokens) {
        (None, Some(tokens)) => Ok(tokens.info()),
        (Some(reason), _) => Err(reason.into()),
        (None, None) => Err(live.grant.missing()),
    }
}

/// What is shown now, and whether that is what was to be imported. What the store lost, and this process knows, counts as
/// what the store has: the tokens that were imported first are spent since.
async fn under_lease(live: &Live, mut tokens: TokenSet, fence: u64) -> Result<(Arc<Snapshot>, bool), Error> {
    if let Some(error) = live.held.unstored.error() {
        return Err(error);
    }
    let stored = match read_as_far_as_known(live, fence).await? {
        Known::Stored(stored) => stored,
        // They have a refresh token, and live. Nothing is sent here that their sender could be in the way of.
        Known::PutBack(_) => return Ok((shown(live)?, false)),
    };
    let revision = stored.as_ref().map(|stored| stored.revision);
    let lost_end = live.held.end_lost_by_store(stored.as_ref());
    let Some(known) = lost_end.as_ref().or(stored.as_ref().map(|stored| &stored.record)) else {
        return Ok((put(live, None, live.grant.alive(tokens), fence).await?, true));
    };
    match decide(known, &tokens) {
        Step::Leave => {
            tracing::debug!(key = %live.grant.named(), "this grant is known already: nothing is imported");
            let left = match (lost_end, stored) {
                (None, Some(stored)) => live.publish(stored),
                _ => shown(live)?,
            };
            Ok((left, false))
        }
        Step::Correct(record) => {
            tracing::debug!(key = %live.grant.named(), "the store has this grant already: the import says anew what it was granted");
            Ok((put(live, revision, *record, fence).await?, false))
        }
        Step::Take => {
            tracing::info!(key = %live.grant.named(), "other tokens are imported in place of a grant that is over or cannot be refreshed");
            tokens.generation = known.generation().max(live.held.generation()) + 1;
            let held = live.held.snapshot();
            tokens.descend_from(held.as_deref().map(Snapshot::as_ancestor));
            tokens.descend_from(Some(known.as_ancestor()));
            Ok((put(live, revision, live.grant.alive(tokens), fence).await?, true))
        }
    }
}

fn shown(live: &Live) -> Result<Arc<Snapshot>, Error> {
    live.held.snapshot().ok_or_else(|| live.grant.missing())
}

/// Stores the record, and shows it.
async fn put(live: &Live, seen: Option<u64>, record: Record, fence: u64) -> Result<Arc<Snapshot>, StoreError> {
    let written = write(live, seen, live.successor(seen, record), fence).await?;
    Ok(live.publish(written.done("take the imported tokens")?))
}

/// What an import does to what is stored.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Leave,
    /// It is the same grant, of which the import says something else than before.
    Correct(Box<Record>),
    Take,
}

fn decide(stored: &Record, brought: &TokenSet) -> Step {
    let token = brought.imported();
    let lineage = stored.lineage();
    let takes = match (&stored.tombstone, &stored.tokens) {
        (Some(end), _) if end.reason == ReauthorizationReason::Other => false,
        // Where no import is told, these may be the very tokens that were to end.
        (Some(end), _) if end.reason.is_on_purpose() => {
            lineage.is_some_and(|lineage| lineage.imports().next().is_some())
        }
        (Some(_), _) => true,
        // A login that brought no refresh token is none of an import's business.
        (None, Some(tokens)) => {
            let alone = tokens.refresh_token.is_none() && lineage.is_some_and(Lineage::is_of_import);
            alone && outlasts(brought, tokens)
        }
        (None, None) => false,
    };
    let came_before = lineage.is_some_and(|lineage| lineage.imports().any(|earlier| earlier == token));
    if takes && !came_before && !has(stored, brought) {
        return Step::Take;
    }
    let is_of_the_grant = has(stored, brought) || lineage.is_some_and(|lineage| lineage.began_with(token));
    match stored.tombstone.is_none() && is_of_the_grant {
        true => corrected(stored, brought).map_or(Step::Leave, |record| Step::Correct(Box::new(record))),
        false => Step::Leave,
    }
}

/// Whether the stored tokens are these.
fn has(stored: &Record, brought: &TokenSet) -> bool {
    stored
        .tokens
        .as_ref()
        .is_some_and(|tokens| match &brought.refresh_token {
            Some(token) => tokens.refresh_token.as_ref() == Some(token),
            None => tokens.access_token == brought.access_token,
        })
}

/// Whether the tokens serve for longer than an access token alone does.
fn outlasts(brought: &TokenSet, alone: &TokenSet) -> bool {
    match (&brought.refresh_token, brought.expires_at, alone.expires_at) {
        (Some(_), ..) => true,
        (None, Some(end), Some(earlier)) => end > earlier,
        (None, None, Some(_)) => true,
        (None, _, None) => false,
    }
}

/// The record with what nobody but an import has told of its grant, as this import says it. None: that is the same, or a
/// request is under way, whose sender knows the record as it is.
fn corrected(stored: &Record, brought: &TokenSet) -> Option<Record> {
    let mut record = stored.clone();
    let tokens = record.tokens.as_mut().filter(|_| stored.intent.is_none())?;
    if tokens.scopes_of_import {
        tokens.scopes = brought.scopes.clone();
    }
    // No reply tells it.
    tokens.consent_expires_at = brought.consent_expires_at.or(tokens.consent_expires_at);
    (record != *stored).then_some(record)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use chrono::{DateTime, TimeDelta, Utc};

    use super::*;
    use crate::token::{GrantKind, Rotation, TokenKey, TokenReply};
    use crate::value::{ScopeSet, Secret};

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::<Utc>::from(SystemTime::UNIX_EPOCH) + TimeDelta::seconds(second)
    }

    /// What an import brings: a refresh token, or an access token that ends.
    fn brought(refresh_token: Option<&str>, access_token: &str, ends: Option<i64>) -> TokenSet {
        let reply = TokenReply::new(access_token.to_owned());
        let mut set = TokenSet::first(reply, &ScopeSet::parse("accounts"), at(0).into(), &Rotation::UNKNOWN);
        set.refresh_token = refresh_token.map(Secret::from);
        set.expires_at = ends.map(at);
        set.scopes_of_import = true;
        set.lineage = Some(Lineage::begun(at(0)).after(None).of_import(set.imported()));
        set
    }

    fn stored(tokens: TokenSet) -> Record {
        Record::alive(TokenKey::new("mx", "client", GrantKind::AuthorizationCode), tokens)
    }

    #[test]
    fn a_grant_that_lives_is_left_and_one_that_is_over_gives_way_to_other_tokens() {
        let old = || brought(Some("r-1"), "a-1", Some(60));
        let refreshed = || {
            let mut reply = TokenReply::new("a-2");
            reply.refresh_token = Some(Secret::from("r-2"));
            old().next(reply, at(60).into())
        };
        let (again, other) = (old(), brought(Some("r-9"), "", Some(0)));
        for living in [stored(old()), stored(refreshed())] {
            assert_eq!(decide(&living, &again), Step::Leave);
            assert_eq!(decide(&living, &other), Step::Leave);
            for reason in [
                ReauthorizationReason::Refused,
                ReauthorizationReason::LostReply,
                ReauthorizationReason::Revoked,
                ReauthorizationReason::Forgotten,
                ReauthorizationReason::Other,
            ] {
                let over = living.buried(reason, at(90), "somebody");
                let known = reason != ReauthorizationReason::Other;
                assert_eq!(decide(&over, &again), Step::Leave, "{reason:?}");
                assert_eq!(decide(&over, &other) == Step::Take, known, "{reason:?}");
                // What came after it is over too, and the first tokens are as old as before.
                let mut next = other.clone();
                next.descend_from(Some(over.as_ancestor()));
                let next = stored(next).buried(reason, at(120), "somebody");
                assert_eq!(decide(&next, &again), Step::Leave, "{reason:?}");
            }
        }
        let refused = stored(refreshed()).buried(ReauthorizationReason::Refused, at(90), "somebody");
        let same = brought(Some("r-2"), "", Some(0));
        assert_eq!(decide(&refused, &same), Step::Leave, "it is the one that was refused");
    }

    #[test]
    fn a_record_that_tells_no_import_ends_on_purpose_for_all_tokens_and_otherwise_for_its_own() {
        let mut earlier = brought(Some("r-1"), "a-1", Some(60));
        earlier.lineage = Some(Lineage::begun(at(0)));
        let (same, other) = (brought(Some("r-1"), "", Some(0)), brought(Some("r-9"), "", Some(0)));
        for (reason, takes) in [
            (ReauthorizationReason::Revoked, false),
            (ReauthorizationReason::Forgotten, false),
            (ReauthorizationReason::Refused, true),
        ] {
            let over = stored(earlier.clone()).buried(reason, at(90), "somebody");
            assert_eq!(decide(&over, &other) == Step::Take, takes, "{reason:?}");
            assert_eq!(decide(&over, &same), Step::Leave, "{reason:?}");
        }
    }

    #[test]
    fn an_access_token_alone_gives_way_to_what_serves_longer() {
        for (ends, refresh_token, other_ends, takes) in [
            (Some(60), Some("r-9"), Some(0), true),
            (None, Some("r-9"), Some(0), true),
            (Some(60), None, Some(90), true),
            (Some(60), None, None, true),
            (Some(60), None, Some(30), false),
            (Some(60), None, Some(60), false),
            (None, None, Some(90), false),
            (None, None, None, false),
        ] {
            let alone = stored(brought(None, "a-1", ends));
            let step = decide(&alone, &brought(refresh_token, "a-9", other_ends));
            assert_eq!(step == Step::Take, takes, "{ends:?} {refresh_token:?} {other_ends:?}");
        }
        let alone = stored(brought(None, "a-1", Some(60)));
        let again = decide(&alone, &brought(None, "a-1", Some(90)));
        assert_eq!(again, Step::Leave, "it is the same");
    }

    #[test]
    fn an_access_token_that_came_with_a_login_stays() {
        for lineage in [Some(Lineage::begun(at(0)).after(None)), None] {
            let mut of_login = brought(None, "a-1", Some(60));
            of_login.lineage = lineage;
            for other in [brought(Some("r-9"), "", Some(0)), brought(None, "a-9", None)] {
                assert_eq!(decide(&stored(of_login.clone()), &other), Step::Leave);
            }
        }
        // Nor does what was imported before the login make it an import.
        let mut of_login = brought(None, "a-2", Some(60));
        of_login.lineage = Some(Lineage::begun(at(9)));
        of_login.descend_from(Some(stored(brought(None, "a-1", Some(60))).as_ancestor()));
        let other = brought(Some("r-9"), "", Some(0));
        assert_eq!(decide(&stored(of_login), &other), Step::Leave);
    }

    #[test]
    fn the_same_tokens_say_anew_what_no_reply_has_told() {
        let said = |scopes: &str, consent| {
            let mut set = brought(Some("r-1"), "a-1", Some(60));
            set.scopes = std::sync::Arc::new(ScopeSet::parse(scopes));
            set.consent_expires_at = consent;
            set
        };
        let corrected = |before: &Record, again: &TokenSet| match decide(before, again) {
            Step::Correct(record) => record.tokens,
            Step::Leave | Step::Take => None,
        };
        let reply = |scopes: Option<&str>| {
            let mut reply = TokenReply::new("a-2");
            reply.refresh_token = Some(Secret::from("r-2"));
            reply.scopes = scopes.map(ScopeSet::parse);
            stored(said("accounts", None).next(reply, at(60).into()))
        };
        let again = said("accounts transactions", Some(at(900)));
        for (before, scopes) in [
            (stored(said("accounts", None)), "accounts transactions"),
            (reply(None), "accounts transactions"),
            (reply(Some("accounts")), "accounts"),
        ] {
            let tokens = corrected(&before, &again);
            let expected = before.tokens.clone().map(|tokens| TokenSet {
                scopes: std::sync::Arc::new(ScopeSet::parse(scopes)),
                consent_expires_at: Some(at(900)),
                ..tokens
            });
            assert_eq!(tokens, expected);
        }
        assert_eq!(
            decide(&reply(None), &said("accounts", None)),
            Step::Leave,
            "nothing is new"
        );
        let mut of_others = again.clone();
        of_others.refresh_token = Some(Secret::from("r-9"));
        assert_eq!(decide(&reply(None), &of_others), Step::Leave, "it may be another grant");
        let over = reply(None).buried(ReauthorizationReason::Refused, at(90), "somebody");
        assert_eq!(decide(&over, &again), Step::Leave);
    }
}
