//! A refresh under its lease: intend, send, judge, commit, publish.

use std::sync::Arc;

use super::lease::{overtaken, release};
use super::look::{read, take_stored};
use super::retain::retain;
use super::send::send;
use super::write::{Moved, store};
use crate::token::clock::between;
use crate::token::live::snapshot::Snapshot;
use crate::token::live::{Inner, Uncommitted};
use crate::token::machine::{self, Consequence, Now, Want};
use crate::token::record::{Fingerprint, Intent, Versioned};
use crate::token::store::Lease;
use crate::token::{
    Error, Event, IssuerError, Obtain, ReauthorizationReason, Record, StoreError, TokenReply, TokenSet, Verdict,
};

/// A refresh under its lease.
pub(crate) struct Attempt<'a> {
    pub inner: &'a Arc<Inner>,
    pub want: &'a Want,
    pub lease: Lease,
    pub leased_at: Now,
}

impl Attempt<'_> {
    pub async fn refresh(self, seen: Versioned, unanswered: u32) -> Result<Arc<Snapshot>, Error> {
        let inner = self.inner;
        let Some(tokens) = seen.record.tokens.clone() else {
            return self
                .give_up(Error::NoGrant {
                    key: inner.key().to_string(),
                })
                .await;
        };
        let Some(refresh_token) = tokens.refresh_token.clone() else {
            let reason = ReauthorizationReason::NoRefreshToken;
            return self.give_up(Error::ReauthorizationRequired { reason }).await;
        };

        // Intent: from here on, whoever finds the record knows that the refresh token may be spent.
        let intended = if inner.rotation().spends() {
            let record = seen.record.with_intent(Intent {
                holder: inner.holder().to_owned(),
                fence: self.lease.fence,
                at: inner.now().utc(),
                refresh_token: Fingerprint::of(&refresh_token),
                unanswered,
                given_up: false,
            });
            match self.store(&seen, record).await {
                Ok(Ok(intended)) => intended,
                Ok(Err(_)) => return self.give_up(overtaken(inner)).await,
                Err(error) => return self.give_up(error.into()).await,
            }
        } else {
            seen
        };
        // A lease that may lapse while the request is under way protects nothing. A machine that slept since has its
        // monotonic clock where it was.
        let now = inner.now();
        let held = now
            .monotonic
            .saturating_sub(self.leased_at.monotonic)
            .max(between(self.leased_at.utc(), now.utc()));
        if held + inner.request_timeout() > inner.lease_ttl() {
            // Nothing was sent; what was sent before is as open as it was.
            let unsent = match unanswered {
                0 => intended.record.settled(),
                _ => intended.record.given_up(),
            };
            let _ = self.store(&intended, unsent).await;
            return self.give_up(overtaken(inner)).await;
        }

        let sent_at = inner.now();
        let outcome = send(inner, Obtain::Refresh(refresh_token)).await;
        inner.note_verdict(outcome.as_ref().err().map(|error| error.verdict));
        match outcome {
            Ok(reply) => self.commit(intended, &tokens, reply, sent_at).await,
            Err(error) => self.refused(intended, &tokens, error, unanswered).await,
        }
    }

    /// The server gave new tokens: from here on they are never dropped.
    async fn commit(
        self,
        intended: Versioned,
        parent: &TokenSet,
        reply: TokenReply,
        sent_at: Now,
    ) -> Result<Arc<Snapshot>, Error> {
        let tokens = parent.next(reply, sent_at.wall);
        let record = Record::alive(intended.record.key.clone(), tokens.clone());
        let trouble = match self.store(&intended, record).await {
            Ok(Ok(committed)) => {
                let published = self.inner.publish(committed);
                release(self.inner, self.lease).await;
                return Ok(published);
            }
            Ok(Err(Moved)) => None,
            Err(error) => Some(error),
        };
        let uncommitted = Uncommitted {
            tokens,
            parent: Some(parent.access_token.clone()),
        };
        match retain(self.inner, uncommitted, intended.revision, trouble, Some(self.lease)) {
            Ok(retained) => Ok(retained),
            Err(lease) => {
                // A login that waits to be stored has replaced the grant that was refreshed here.
                if let Some(lease) = lease {
                    release(self.inner, lease).await;
                }
                let shown = self.inner.snapshot();
                shown.ok_or_else(|| {
                    self.inner
                        .uncommitted_trouble()
                        .unwrap_or_else(|| overtaken(self.inner))
                })
            }
        }
    }

    /// The server gave none.
    async fn refused(
        self,
        intended: Versioned,
        tokens: &TokenSet,
        error: IssuerError,
        unanswered: u32,
    ) -> Result<Arc<Snapshot>, Error> {
        let inner = self.inner;
        let now = inner.now().utc();
        match machine::judge(error.verdict, unanswered, tokens, inner.rotation(), now) {
            Consequence::Settle => {
                if intended.record.intent.is_some() {
                    // Not needed for safety: an intent that stays behind costs a doubt, not a consent.
                    let _ = self.store(&intended, intended.record.settled()).await;
                }
                self.give_up(error.into()).await
            }
            Consequence::Doubt => {
                if error.verdict == Verdict::InDoubt {
                    inner.tell(Event::InDoubt {
                        generation: tokens.generation,
                    });
                }
                // Whoever comes next need not wait for us.
                let _ = self.store(&intended, intended.record.given_up()).await;
                self.give_up(error.into()).await
            }
            Consequence::Bury(reason) => {
                // A sibling that worked without our lease may have stored a successor: then its success is ours.
                match read(inner).await {
                    Ok(Some(moved)) if moved.revision != intended.revision => {
                        if let Some(adopted) = take_stored(inner, self.want, Some(&moved)) {
                            release(inner, self.lease).await;
                            return Ok(adopted);
                        }
                        let error = inner.publish(moved).error().unwrap_or_else(|| overtaken(inner));
                        return self.give_up(error).await;
                    }
                    Err(error) => return self.give_up(error.into()).await,
                    Ok(_) => {}
                }
                let buried = intended.record.buried(reason, now, inner.holder());
                match self.store(&intended, buried).await {
                    Ok(Ok(buried)) => {
                        inner.publish(buried);
                        self.give_up(Error::ReauthorizationRequired { reason }).await
                    }
                    Ok(Err(Moved)) => self.give_up(overtaken(inner)).await,
                    Err(error) => self.give_up(error.into()).await,
                }
            }
        }
    }

    async fn store(&self, seen: &Versioned, record: Record) -> Result<Result<Versioned, Moved>, StoreError> {
        store(self.inner, Some(seen.revision), record, self.lease.fence).await
    }

    async fn give_up(self, error: Error) -> Result<Arc<Snapshot>, Error> {
        release(self.inner, self.lease).await;
        Err(error)
    }
}
