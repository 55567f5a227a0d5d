//! The authorization server as one grant asks it: one request at a time, an end to waiting for its reply, and its last
//! word kept.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::token::clock::Now;
use crate::token::{Clock, Error, Issuer, IssuerError, Obtain, RevokedToken, TokenReply, Verdict};

/// The authorization server of one grant.
pub(crate) struct Server {
    issuer: Arc<dyn Issuer>,
    clock: Arc<dyn Clock>,
    request_timeout: Duration,
    last_word: Mutex<Option<LastWord>>,
}

/// The last thing that the authorization server said.
#[derive(Clone, Copy)]
pub(crate) struct LastWord {
    /// None: it gave tokens.
    pub verdict: Option<Verdict>,
    pub at: DateTime<Utc>,
}

impl Server {
    pub fn new(issuer: Arc<dyn Issuer>, clock: Arc<dyn Clock>, request_timeout: Duration) -> Self {
        Self {
            issuer,
            clock,
            request_timeout,
            last_word: Mutex::default(),
        }
    }

    /// One token request.
    pub async fn obtain(&self, obtain: Obtain) -> Result<TokenReply, IssuerError> {
        #[derive(Debug, thiserror::Error)]
        #[error("no reply to the token request within {} s", .0.as_secs())]
        struct Silence(Duration);

        let outcome = match tokio::time::timeout(self.request_timeout, self.issuer.obtain(obtain)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(IssuerError::new(Verdict::InDoubt, Silence(self.request_timeout))),
        };
        let word = LastWord {
            verdict: outcome.as_ref().err().map(|error| error.verdict),
            at: Now::read(&*self.clock).utc(),
        };
        *self.last_word.lock().unwrap_or_else(PoisonError::into_inner) = Some(word);
        outcome
    }

    /// One revocation.
    pub async fn revoke(&self, token: RevokedToken) -> Result<(), Error> {
        let outcome = match tokio::time::timeout(self.request_timeout, self.issuer.revoke(token)).await {
            Ok(outcome) => outcome,
            Err(late) => Err(IssuerError::new(Verdict::InDoubt, late)),
        };
        match outcome {
            Ok(_) => Ok(()),
            // An unknown token is a revoked token (RFC 7009 section 2.2).
            Err(error) if error.verdict == Verdict::Dead => Ok(()),
            // A lost reply to a revocation is harmless: it is simply sent again.
            Err(error) if error.verdict == Verdict::InDoubt => Err(Error::Transient {
                retry_after: None,
                source: error.source,
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// None: this process has not asked it for tokens yet.
    pub fn last_word(&self) -> Option<LastWord> {
        *self.last_word.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
