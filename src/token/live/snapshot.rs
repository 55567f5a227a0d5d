//! What a process holds of a grant at one moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::HeaderValue;

use super::shown::Ready;
use crate::token::machine::{Freshness, Horizon, Now};
use crate::token::record::Versioned;
use crate::token::{Error, Renewal, TokenSet, Tombstone};
use crate::transport::Bearer;

/// What this process holds of the grant at one moment. Never changed, only replaced.
pub(crate) struct Snapshot {
    pub revision: u64,
    pub bearer: Option<Bearer>,
    pub horizon: Option<Horizon>,
    pub tokens: Option<TokenSet>,
    pub tombstone: Option<Tombstone>,
    /// Monotonic time at which this process saw the token first.
    pub seen_at: Duration,
    /// The provider answered 401 to this token.
    pub refused: AtomicBool,
}

impl Snapshot {
    pub fn of(seen: Versioned, now: Now, jitter: f64, renewal: Renewal) -> Self {
        let tokens = seen.record.tokens;
        Self {
            revision: seen.revision,
            bearer: tokens.as_ref().and_then(bearer),
            horizon: tokens
                .as_ref()
                .and_then(|tokens| Horizon::of(tokens, now, jitter, renewal)),
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
        let reason = self.tombstone.as_ref()?.reason;
        self.bearer
            .is_none()
            .then_some(Error::ReauthorizationRequired { reason })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the access token has characters that a header cannot carry")]
struct UnfitToken;

fn bearer(tokens: &TokenSet) -> Option<Bearer> {
    let text = zeroize::Zeroizing::new(format!("Bearer {}", tokens.access_token.expose_secret()));
    let mut header = HeaderValue::from_str(&text).ok()?;
    header.set_sensitive(true);
    Some(Bearer {
        header,
        generation: tokens.generation,
    })
}
