//! What a process holds of a grant at one moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::token::clock::Now;
use crate::token::machine::{Freshness, Horizon, Want};
use crate::token::record::Versioned;
use crate::token::source::Bearer;
use crate::token::{Error, ReauthorizationReason, TokenSet, Tombstone};
use crate::value::ScopeSet;
use crate::value::Secret;

/// What this process holds of the grant at one moment. Never changed, only replaced.
pub(crate) struct Snapshot {
    pub revision: u64,
    pub bearer: Option<Bearer>,
    horizon: Option<Horizon>,
    pub tokens: Option<TokenSet>,
    pub tombstone: Option<Tombstone>,
    /// Monotonic time at which this process saw the token first.
    pub seen_at: Duration,
    /// The provider answered 401 to this token.
    refused: AtomicBool,
}

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
            seen_at: now.monotonic,
            refused: AtomicBool::new(false),
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
        self.refused.load(Ordering::Relaxed)
    }

    /// From now on it is not served any more.
    pub fn refuse(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    /// Why a token is wanted by somebody to whom this one does not do.
    pub fn wanted(&self) -> Want {
        match &self.tokens {
            Some(tokens) if self.is_refused() => Want::Other(tokens.access_token.clone()),
            _ => Want::Usable,
        }
    }

    /// Whether this is its access token.
    pub fn is_of(&self, access_token: &Secret) -> bool {
        let tokens = self.tokens.as_ref();
        tokens.is_some_and(|tokens| tokens.access_token == *access_token)
    }

    /// Whether it has the same access token as another one.
    pub fn same_token(&self, other: &Self) -> bool {
        let tokens = self.tokens.as_ref();
        tokens.is_some_and(|tokens| other.is_of(&tokens.access_token))
    }

    /// Read once more, a token is not younger than it was.
    pub fn carry_over(&mut self, before: &Self) {
        self.seen_at = before.seen_at;
        self.horizon = before.horizon;
        self.refused = AtomicBool::new(before.is_refused());
    }

    /// Of its tokens; none: it has none.
    pub fn generation(&self) -> Option<u64> {
        self.tokens.as_ref().map(|tokens| tokens.generation)
    }

    /// The tokens of a grant that is not over.
    pub fn living(&self) -> Option<&TokenSet> {
        self.tokens.as_ref().filter(|_| self.tombstone.is_none())
    }

    /// Why the grant is over; none: it is not.
    pub fn ended(&self) -> Option<ReauthorizationReason> {
        self.tombstone.as_ref().map(|tombstone| tombstone.reason)
    }

    pub fn freshness(&self, now: Now) -> Freshness {
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
        self.bearer
            .is_none()
            .then_some(Error::ReauthorizationRequired { reason })
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
    Bearer::new(&tokens.access_token, tokens.generation).ok()
}
