//! A refresh under its lease: intend, send, judge, commit, publish.

use std::sync::Arc;

use super::lease::while_renewed;
use super::look::take_stored;
use super::replaced::Replaced;
use super::retain::{Retained, retain};
use super::write::{Written, write};
use crate::token::clock::Now;
use crate::token::live::{Live, Outcome, Snapshot, UnstoredTokens};
use crate::token::machine::{self, Consequence, Want};
use crate::token::record::{Fingerprint, Intent, Versioned};
use crate::token::store::Lease;
use crate::token::{
    EndedBy, Error, Event, IssuerError, Obtain, ReauthorizationReason, Record, RefreshRequest, SendPermit, StoreError,
    TokenReply, TokenSet, Verdict,
};
use crate::value::Secret;

/// A refresh under its lease.
pub(super) struct Refresh<'a> {
    pub live: &'a Arc<Live>,
    pub want: &'a Want,
    pub lease: Lease,
    /// Until when the request may leave.
    pub permit: SendPermit,
}

impl Refresh<'_> {
    /// `unanswered` requests carried this refresh token before and brought no answer.
    pub async fn run(self, seen: Versioned, unanswered: u32) -> Outcome {
        let Some(tokens) = seen.record.tokens.clone() else {
            let missing = self.live.grant.missing();
            return self.give_up(missing).await;
        };
        let Some(refresh_token) = tokens.refresh_token.clone() else {
            let reason = ReauthorizationReason::NoRefreshToken;
            return self.give_up(reason.into()).await;
        };
        let intended = match self.intend(seen, &refresh_token, unanswered).await {
            Ok(intended) => intended,
            Err(error) => return self.give_up(error).await,
        };
        if !self.may_send().await {
            // Nothing was sent; what was sent before is as open as it was.
            let unsent = match unanswered {
                0 => intended.record.settled(),
                _ => intended.record.given_up(),
            };
            let _ = self.write(&intended, unsent).await;
            return self.overtaken().await;
        }

        let sent_at = self.live.now();
        let request = RefreshRequest::new(refresh_token, Arc::clone(&tokens.scopes));
        let request = request.permit(self.permit.clone());
        let asking = self.live.server.obtain(Obtain::Refresh(request));
        match while_renewed(&self.live.store, &self.lease, &self.permit, asking).await {
            Ok(reply) if tokens.differs_in(&reply).is_some() => self.refuse_account(intended, &tokens, &reply).await,
            Ok(reply) => self.commit(intended, &tokens, reply, sent_at).await,
            Err(error) => self.refused(intended, &tokens, error, unanswered).await,
        }
    }

    /// From here on, whoever finds the record knows that the refresh token may be spent.
    async fn intend(&self, seen: Versioned, refresh_token: &Secret, unanswered: u32) -> Result<Versioned, Error> {
        let grant = &self.live.grant;
        if !grant.rotation.spends() {
            return Ok(seen);
        }
        let record = seen.record.with_intent(Intent {
            holder: grant.holder.to_string(),
            fence: self.lease.fence,
            at: self.live.now().utc(),
            refresh_token: Fingerprint::of(refresh_token),
            unanswered,
            given_up: false,
            put_back: false,
        });
        match self.write(&seen, record).await? {
            Written::Done(intended) => Ok(intended),
            Written::Overtaken => Err(grant.overtaken()),
        }
    }

    /// Whether the lease protects the request. A machine that slept since has its monotonic clock where it was.
    async fn may_send(&self) -> bool {
        let live = self.live;
        let Some(left) = self.permit.left() else { return true };
        if !live.store.renews_leases() {
            // It must not lapse while the request is under way.
            return left >= live.grant.request_timeout;
        }
        let length = live.store.lease_ttl();
        if left < length / 2 {
            // As long as nobody else took it, it is this process's.
            match live.store.renew(&self.lease).await {
                Ok(Some(asked_at)) => self.permit.renewed(asked_at, length),
                Ok(None) => return false,
                Err(_) => {}
            }
        }
        self.permit.holds()
    }

    /// The server gave new tokens: from here on they are never dropped.
    async fn commit(self, intended: Versioned, parent: &TokenSet, reply: TokenReply, sent_at: Now) -> Outcome {
        let live = self.live;
        let unusable = reply.unusable.clone();
        let tokens = parent.next(reply, sent_at.wall);
        let record = Record::alive(intended.record.key.clone(), tokens.clone());
        let error = match self.write(&intended, record).await {
            Ok(Written::Done(committed)) => {
                let published = live.publish(committed);
                live.store.release(self.lease).await;
                return told(published, unusable);
            }
            Ok(Written::Overtaken) => StoreError::unavailable("take the write", "the lease was lost"),
            Err(error) => error,
        };
        let unstored = UnstoredTokens {
            tokens,
            parent: Some(parent.access_token.clone()),
        };
        match retain(
            live,
            unstored,
            intended.revision,
            error,
            Some(self.lease),
            Replaced::default(),
        ) {
            Retained::Serving(shown) => told(shown, unusable),
            Retained::ReplacedByLogin { lease } => {
                if let Some(lease) = lease {
                    live.store.release(lease).await;
                }
                let shown = live.held.snapshot();
                shown.ok_or_else(|| live.held.unstored.error().unwrap_or_else(|| live.grant.overtaken()))
            }
        }
    }

    /// The server gave tokens of another account. Whoever called with them would see that account's data, so they are
    /// neither stored nor used. The refresh token may be spent.
    async fn refuse_account(self, intended: Versioned, tokens: &TokenSet, reply: &TokenReply) -> Outcome {
        let field = tokens.differs_in(reply).unwrap_or_default().to_owned();
        tracing::error!(
            key = %self.live.grant.key, %field,
            "the reply to a refresh names another account than the grant's: its tokens are not used"
        );
        if intended.record.intent.is_some() {
            let _ = self.write(&intended, intended.record.given_up()).await;
        }
        self.give_up(Error::OtherAccount { field }).await
    }

    /// The server gave none.
    async fn refused(self, intended: Versioned, tokens: &TokenSet, error: IssuerError, unanswered: u32) -> Outcome {
        let now = self.live.now();
        match machine::judge(error.verdict, unanswered, tokens, &self.live.grant.rotation, now.utc()) {
            Consequence::Settle => {
                if intended.record.intent.is_some() {
                    // Not needed for safety: an intent that stays behind costs a doubt, not a consent.
                    let _ = self.write(&intended, intended.record.settled()).await;
                }
                self.give_up(error.into()).await
            }
            Consequence::Doubt => {
                if error.verdict == Verdict::InDoubt {
                    self.live.news.tell(Event::InDoubt {
                        generation: tokens.generation,
                    });
                }
                // Whoever comes next need not wait for us.
                let _ = self.write(&intended, intended.record.given_up()).await;
                self.give_up(error.into()).await
            }
            Consequence::Bury(reason) => self.bury(intended, reason, EndedBy(error.source), now).await,
        }
    }

    /// The grant is over, unless a sibling knows better.
    async fn bury(self, intended: Versioned, reason: ReauthorizationReason, ended_by: EndedBy, now: Now) -> Outcome {
        let live = self.live;
        match live.store.read().await {
            // A sibling that worked without our lease may have stored a successor: then its success is ours.
            Ok(Some(moved)) if moved.revision != intended.revision => {
                if let Some(stored) = take_stored(live, self.want, Some(&moved)) {
                    live.store.release(self.lease).await;
                    return Ok(stored);
                }
                let error = live.publish(moved).error();
                return self.give_up(error.unwrap_or_else(|| live.grant.overtaken())).await;
            }
            Err(error) => return self.give_up(error.into()).await,
            Ok(_) => {}
        }
        let buried = intended.record.buried(reason, now.utc(), &live.grant.holder);
        match self.write(&intended, buried).await {
            Ok(Written::Done(buried)) => {
                live.publish(buried);
                let ended_by = Some(ended_by);
                self.give_up(Error::ReauthorizationRequired { reason, ended_by }).await
            }
            Ok(Written::Overtaken) => self.overtaken().await,
            Err(error) => self.give_up(error.into()).await,
        }
    }

    async fn write(&self, seen: &Versioned, record: Record) -> Result<Written, StoreError> {
        let next = self.live.successor(Some(seen.revision), record);
        write(&self.live.store, Some(seen.revision), next, self.lease.fence).await
    }

    async fn overtaken(self) -> Outcome {
        let error = self.live.grant.overtaken();
        self.give_up(error).await
    }

    async fn give_up(self, error: Error) -> Outcome {
        self.live.store.release(self.lease).await;
        Err(error)
    }
}

/// What was stored, or what is wrong with the access token that was to be stored with it.
fn told(shown: Arc<Snapshot>, unusable: Option<Arc<dyn std::error::Error + Send + Sync>>) -> Outcome {
    match unusable {
        Some(source) => Err(Error::UnusableToken { source }),
        None => Ok(shown),
    }
}
