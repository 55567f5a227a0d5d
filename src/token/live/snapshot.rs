//! What a process holds of a grant at one moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::token::clock::{Now, Tick};
use crate::token::machine::{Freshness, Horizon, Issued, Want};
use crate::token::record::{Versioned, lineage_of};
use crate::token::source::Bearer;
use crate::token::source::Rejection;
use crate::token::{Error, Lineage, ReauthorizationReason, TokenSet, Tombstone};
use crate::value::ScopeSet;

/// What this process holds of the grant at one moment. Never changed, only replaced.
pub(crate) struct Snapshot {
    pub revision: u64,
    pub bearer: Option<Bearer>,
    horizon: Option<Horizon>,
    pub tokens: Option<TokenSet>,
    pub tombstone: Option<Tombstone>,
    /// What is left of the grant does not say whose it was.
    pub names_nobody: bool,
    /// Monotonic time at which this process saw the token first.
    pub seen_at: Duration,
    /// The provider answered 401 to this token.
    refused: AtomicU8,
}

/// What 401s said of the token, the worse the larger.
const NOT_REFUSED: u8 = 0;
const SUSPECT: u8 = 1;
const REFUSED: u8 = 2;

impl Snapshot {
    /// `horizon`: of the record's tokens.
    pub fn of(seen: Versioned, horizon: Option<Horizon>, now: Now) -> Self {
        let tokens = seen.record.tokens;
        Self {
            revision: seen.revision,
            bearer: tokens.as_ref().and_then(bearer),
            horizon,
            tokens,
            tombstone: seen.record.tombstone,
            names_nobody: seen.record.pseudonym.is_some(),
            seen_at: now.monotonic,
            refused: AtomicU8::new(NOT_REFUSED),
        }
    }

    /// None: there is no token that could be served.
    pub fn ready(&self) -> Option<Ready<'_>> {
        if self.is_refused() {
            return None;
        }
        Some(Ready {
            bearer: self.bearer.as_ref()?,
            horizon: self.horizon.as_ref(),
            scopes: &self.tokens.as_ref()?.scopes,
        })
    }

    /// Whether the provider answered 401 to this token.
    pub fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed) != NOT_REFUSED
    }

    /// Whether the provider said that it is the token. Otherwise the token is only a suspect, and serves where there is no
    /// way to another one.
    pub fn is_refused_for_sure(&self) -> bool {
        self.refused.load(Ordering::Relaxed) == REFUSED
    }

    /// From now on it is not served any more, as long as there may be another one.
    pub fn refuse(&self, rejection: Rejection) {
        let refused = match rejection {
            Rejection::InvalidToken => REFUSED,
            Rejection::Unexplained => SUSPECT,
        };
        self.refused.fetch_max(refused, Ordering::Relaxed);
    }

    /// Why a token is wanted by somebody to whom this one does not do.
    pub fn wanted(&self) -> Want {
        match &self.tokens {
            Some(tokens) if self.is_refused_for_sure() => Want::Other(Issued::with(tokens)),
            Some(tokens) if self.is_refused() => Want::Instead(Issued::with(tokens)),
            _ => Want::Usable,
        }
    }

    /// Whether this is its access token.
    pub fn is_of(&self, issued: &Issued) -> bool {
        self.tokens.as_ref().is_some_and(|tokens| issued.is_in(tokens))
    }

    /// Whether it has the same access token as another one, from the same reply.
    pub fn same_token(&self, other: &Self) -> bool {
        let tokens = self.tokens.as_ref();
        tokens.is_some_and(|tokens| other.is_of(&Issued::with(tokens)))
    }

    /// Read once more, a token is not younger than it was.
    pub fn carry_over(&mut self, before: &Self) {
        self.seen_at = before.seen_at;
        self.horizon = before.horizon;
        self.refused = AtomicU8::new(before.refused.load(Ordering::Relaxed));
    }

    /// Of its tokens; none: it has none.
    pub fn generation(&self) -> Option<u64> {
        self.tokens.as_ref().map(|tokens| tokens.generation)
    }

    /// The tokens of a grant that is not over.
    pub fn living(&self) -> Option<&TokenSet> {
        self.tokens.as_ref().filter(|_| self.tombstone.is_none())
    }

    /// Which login the grant goes back to, though it is over.
    pub fn lineage(&self) -> Option<&Lineage> {
        lineage_of(self.tokens.as_ref(), self.tombstone.as_ref())
    }

    /// What a login of this process comes after: which grant it is, and when that was ended on purpose, if it was.
    pub fn as_ancestor(&self) -> (Option<&Lineage>, Option<DateTime<Utc>>) {
        let end = self.tombstone.as_ref().filter(|end| end.reason.is_on_purpose());
        (self.lineage(), end.map(|end| end.at))
    }

    /// Why the grant is over; none: it is not.
    pub fn ended(&self) -> Option<ReauthorizationReason> {
        self.tombstone.as_ref().map(|tombstone| tombstone.reason)
    }

    pub fn freshness(&self, now: Tick) -> Freshness {
        self.horizon
            .as_ref()
            .map_or(Freshness::Unknown, |horizon| horizon.freshness(now))
    }

    pub fn bearer(&self) -> Result<Bearer, Error> {
        if let Some(bearer) = &self.bearer {
            return Ok(bearer.clone());
        }
        Err(self.error().unwrap_or_else(|| Error::RequestRejected {
            source: Arc::new(UnfitToken),
        }))
    }

    /// Why there is no token in it.
    pub fn error(&self) -> Option<Error> {
        let reason = self.ended()?;
        self.bearer.is_none().then(|| reason.into())
    }
}

/// What a call needs.
pub(crate) struct Ready<'a> {
    pub bearer: &'a Bearer,
    pub horizon: Option<&'a Horizon>,
    pub scopes: &'a Arc<ScopeSet>,
}

#[derive(Debug, thiserror::Error)]
#[error("the access token has characters that a header cannot carry")]
struct UnfitToken;

fn bearer(tokens: &TokenSet) -> Option<Bearer> {
    // The error says only that: the token is unfit.
    Bearer::new(&tokens.access_token, tokens.generation).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::token::{GrantKind, ManualClock, Record, Rotation, TokenKey, TokenReply};

    /// Of a grant with this access token; `ended`: why it is over.
    fn snapshot(access_token: &str, ended: Option<ReauthorizationReason>) -> Snapshot {
        let now = Now::read(&ManualClock::new());
        let reply = TokenReply::new(access_token.to_owned());
        let tokens = TokenSet::first(reply, &ScopeSet::new(), now.wall, &Rotation::UNKNOWN);
        snapshot_of(tokens, ended)
    }

    fn snapshot_of(tokens: TokenSet, ended: Option<ReauthorizationReason>) -> Snapshot {
        let now = Now::read(&ManualClock::new());
        let key = TokenKey::new("mx", "client", GrantKind::AuthorizationCode);
        let alive = Record::alive(key, tokens);
        let record = match ended {
            None => alive,
            Some(reason) => alive.buried(reason, now.utc(), "somebody"),
        };
        Snapshot::of(Versioned { revision: 7, record }, None, now)
    }

    #[test]
    fn a_refused_token_is_not_served_and_another_one_is_wanted() {
        let snapshot = snapshot("access-1", None);
        assert!(snapshot.ready().is_some());
        assert!(matches!(snapshot.wanted(), Want::Usable));
        snapshot.refuse(Rejection::Unexplained);
        assert!(snapshot.ready().is_none() && !snapshot.is_refused_for_sure());
        assert!(matches!(snapshot.wanted(), Want::Instead(suspect) if snapshot.is_of(&suspect)));
        snapshot.refuse(Rejection::InvalidToken);
        snapshot.refuse(Rejection::Unexplained);
        assert!(snapshot.ready().is_none() && snapshot.is_refused_for_sure());
        assert!(matches!(snapshot.wanted(), Want::Other(refused) if snapshot.is_of(&refused)));
    }

    #[test]
    fn of_a_grant_that_is_over_what_is_left_serves_and_nothing_lives() {
        let (refused, revoked) = (ReauthorizationReason::Refused, ReauthorizationReason::Revoked);
        for (ended, serves, lives) in [
            (None, true, true),
            (Some(refused), true, false),
            (Some(revoked), false, false),
        ] {
            let snapshot = snapshot("access-1", ended);
            assert_eq!(snapshot.ended(), ended);
            assert_eq!(snapshot.ready().is_some(), serves);
            assert_eq!(snapshot.living().is_some(), lives);
            assert_eq!(snapshot.generation(), serves.then_some(1));
            match snapshot.bearer() {
                Ok(bearer) => assert!(serves && snapshot.error().is_none() && bearer.header == "Bearer access-1"),
                Err(error) => assert!(!serves && error.reauthorization_required()),
            }
        }
    }

    #[test]
    fn a_token_that_no_header_can_carry_is_not_served_and_ends_no_grant() {
        let snapshot = snapshot("two\nlines", None);
        assert!(snapshot.ready().is_none() && snapshot.error().is_none());
        assert!(matches!(snapshot.bearer(), Err(Error::RequestRejected { .. })));
    }

    #[test]
    fn tokens_are_the_same_when_their_access_token_is_and_came_with_one_reply() {
        let (one, again, two) = (snapshot("a", None), snapshot("a", None), snapshot("b", None));
        let over = snapshot("a", Some(ReauthorizationReason::Revoked));
        assert!(one.same_token(&again) && !one.same_token(&two) && !over.same_token(&over));
        let tokens = one.tokens.clone().unwrap();
        let later = tokens.obtained_at + Duration::from_secs(1);
        let next = |reply| snapshot_of(tokens.next(reply, later.into()), None);
        assert!(!one.same_token(&next(TokenReply::new("a"))), "the server gave it again");
        let kept = TokenReply::without_access_token(Arc::new(UnfitToken));
        assert!(one.same_token(&next(kept)), "the server gave none that can be used");
    }
}
