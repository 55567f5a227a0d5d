//! The authorization server as one grant asks it: one request at a time, an end to waiting for its reply, and its last
//! word kept.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::http::{NoReply, within};
use crate::token::clock::Now;
use crate::token::grant::Grant;
use crate::token::{
    Clock, EndedBy, Error, Issuer, IssuerError, Obtain, RevokeRequest, RevokedToken, TokenReply, Verdict,
};
use crate::value::with_causes;

/// The authorization server of one grant.
pub(crate) struct Server {
    issuer: Arc<dyn Issuer>,
    clock: Arc<dyn Clock>,
    request_timeout: Duration,
    last_word: Mutex<Option<LastWord>>,
    /// What came with the last word, where that ended the grant.
    refusal: Mutex<Option<EndedBy>>,
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
            refusal: Mutex::default(),
        }
    }

    /// One token request.
    pub async fn obtain(&self, obtain: Obtain) -> Result<TokenReply, IssuerError> {
        let outcome = match within(self.request_timeout, self.issuer.obtain(obtain)).await {
            Some(outcome) => outcome,
            None => Err(IssuerError::new(Verdict::InDoubt, NoReply(self.request_timeout))),
        };
        let word = LastWord {
            verdict: outcome.as_ref().err().map(|error| error.verdict),
            at: Now::read(&*self.clock).utc(),
        };
        *self.last_word.lock().unwrap_or_else(PoisonError::into_inner) = Some(word);
        let refused = outcome.as_ref().err().filter(|error| error.verdict == Verdict::Dead);
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) =
            refused.map(|error| EndedBy(Arc::clone(&error.source)));
        outcome
    }

    /// One revocation. False: the provider has none.
    pub async fn revoke(&self, request: RevokeRequest) -> Result<bool, NotRevoked> {
        let outcome = match within(self.request_timeout, self.issuer.revoke(request)).await {
            Some(outcome) => outcome,
            None => Err(IssuerError::new(Verdict::InDoubt, NoReply(self.request_timeout))),
        };
        match outcome {
            Ok(done) => Ok(done),
            // An unknown token is a revoked token (RFC 7009 section 2.2).
            Err(error) if error.verdict == Verdict::Dead => Ok(true),
            Err(error) => Err(NotRevoked {
                is_open: error.verdict == Verdict::InDoubt,
                error: error.into(),
            }),
        }
    }

    /// The same for a token that nobody waits for.
    pub fn revoke_beside(&self, grant: &Arc<Grant>, token: RevokedToken) {
        let (issuer, request_timeout, grant) = (Arc::clone(&self.issuer), self.request_timeout, Arc::clone(grant));
        // Records are read in a runtime.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let revocation = issuer.revoke(RevokeRequest::new(token));
            match within(request_timeout, revocation).await {
                Some(Ok(_)) => tracing::debug!(key = %grant.named(), "tokens of a revoked grant are revoked too"),
                Some(Err(error)) if error.verdict == Verdict::Dead => {}
                Some(Err(error)) => {
                    tracing::warn!(key = %grant.named(), error = %with_causes(&error), "tokens of a revoked grant could not be revoked and live until they end");
                }
                None => tracing::warn!(key = %grant.named(), "tokens of a revoked grant may live until they end: the server did not answer"),
            }
        });
    }

    /// The answer by which it ended the grant, where that was its last word.
    pub fn last_refusal(&self) -> Option<EndedBy> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// None: this process has not asked it for tokens yet.
    pub fn last_word(&self) -> Option<LastWord> {
        *self.last_word.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a revocation is not known to be done.
#[derive(Debug)]
pub(crate) struct NotRevoked {
    /// It may be done all the same: whoever answered, if anybody did, gave no word on the request, and may have passed it on.
    /// A server that says that it is out of order did not carry it out (RFC 7009 section 2.2.1).
    pub is_open: bool,
    pub error: Error,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use futures_util::future::BoxFuture;

    use super::*;
    use crate::token::{ManualClock, RevokedToken};

    /// What the server does with every request.
    #[derive(Clone, Copy, Debug)]
    enum Bank {
        Says(Option<Verdict>),
        IsSilent,
        /// Its answer comes after ten seconds, and needs some turns of the runtime to be read.
        TakesTurns,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("no")]
    struct No;

    impl Bank {
        async fn answer<T>(self, good: T) -> Result<T, IssuerError> {
            match self {
                Self::Says(None) => Ok(good),
                Self::Says(Some(verdict)) => Err(IssuerError::new(verdict, No)),
                Self::IsSilent => std::future::pending().await,
                Self::TakesTurns => {
                    let read = tokio::spawn(async {
                        tokio::time::sleep(Duration::from_secs(10)).await;
                        for _ in 0..20 {
                            tokio::task::yield_now().await;
                        }
                    });
                    read.await.unwrap();
                    Ok(good)
                }
            }
        }
    }

    impl Issuer for Bank {
        fn obtain(&self, _: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
            Box::pin(self.answer(TokenReply::new("access-1")))
        }

        fn revoke(&self, _: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
            Box::pin(self.answer(true))
        }
    }

    fn server(bank: Bank) -> Server {
        Server::new(Arc::new(bank), Arc::new(ManualClock::new()), Duration::from_secs(30))
    }

    #[tokio::test(start_paused = true)]
    async fn a_revocation_is_done_when_the_token_is_gone_and_in_doubt_when_nobody_knows() {
        let retry_after = Some(Duration::from_secs(7));
        for (bank, expected, is_open) in [
            (Bank::Says(None), "done", false),
            (Bank::Says(Some(Verdict::Dead)), "done", false),
            (Bank::Says(Some(Verdict::InDoubt)), "in doubt", true),
            (Bank::IsSilent, "in doubt", true),
            (
                Bank::Says(Some(Verdict::Transient { retry_after })),
                "again, after 7 s",
                false,
            ),
            (Bank::Says(Some(Verdict::NotSent)), "again, after 7 s", false),
            (Bank::Says(Some(Verdict::ClientMisconfigured)), "misconfigured", false),
        ] {
            let request = RevokeRequest::new(RevokedToken::Access("access-1".into()));
            let outcome = server(bank).revoke(request).await;
            assert_eq!(outcome.as_ref().is_err_and(|not| not.is_open), is_open, "{bank:?}");
            let outcome = match outcome.map_err(|not| not.error) {
                Ok(true) => "done",
                Ok(false) => "no revocation",
                Err(Error::InDoubt { retry_after: None, .. }) => "in doubt",
                Err(Error::Transient { .. }) => "again, after 7 s",
                Err(Error::ClientMisconfigured { .. }) => "misconfigured",
                Err(other) => panic!("{other:?}"),
            };
            assert_eq!(outcome, expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_that_arrived_before_a_late_timer_is_read() {
        for revokes in [true, false] {
            let asked = tokio::spawn(async move {
                let server = server(Bank::TakesTurns);
                let request = RevokeRequest::new(RevokedToken::Access("access-1".into()));
                match revokes {
                    true => server.revoke(request).await.is_ok_and(|done| done),
                    false => server.obtain(Obtain::Anew).await.is_ok(),
                }
            });
            for _ in 0..5 {
                tokio::task::yield_now().await;
            }
            // The process stands still for longer than the limit.
            tokio::time::advance(Duration::from_secs(40)).await;
            assert!(asked.await.unwrap(), "revokes: {revokes}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_word_of_the_server_is_kept_and_its_silence_is_a_doubt() {
        for (bank, verdict) in [
            (Bank::Says(None), None),
            (
                Bank::Says(Some(Verdict::RequestRejected)),
                Some(Verdict::RequestRejected),
            ),
            (Bank::Says(Some(Verdict::Dead)), Some(Verdict::Dead)),
            (Bank::IsSilent, Some(Verdict::InDoubt)),
        ] {
            let server = server(bank);
            assert!(server.last_word().is_none() && server.last_refusal().is_none());
            let started = tokio::time::Instant::now();
            let outcome = server.obtain(Obtain::Anew).await;
            assert_eq!(outcome.err().map(|error| error.verdict), verdict);
            let word = server.last_word().unwrap();
            assert_eq!(word.verdict, verdict);
            assert_eq!(server.last_refusal().is_some(), verdict == Some(Verdict::Dead));
            assert_eq!(word.at, DateTime::<Utc>::from(ManualClock::new().wall()));
            let waited = if matches!(bank, Bank::IsSilent) { 30 } else { 0 };
            assert_eq!(started.elapsed().as_secs(), waited);
        }
    }
}
