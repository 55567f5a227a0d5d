//! A refresh under its lease: intend, send, judge, commit, publish.
//!
//! Where nothing but the lease is missing, lease and intent are one step of the store ([`at_once`]); the commit and the
//! end of the lease are one in any case.

use std::sync::Arc;
use std::time::Duration;

use super::lease::while_renewed;
use super::look::take_stored;
use super::replaced::Replaced;
use super::retain::{Retained, leave_or_release, retain};
use super::write::{Written, change, write_last, write_over};
use crate::token::clock::Now;
use crate::token::fingerprint::Fingerprint;
use crate::token::live::{Asked, Live, Outcome, Snapshot, UnstoredTokens};
use crate::token::machine::{self, Consequence, Want};
use crate::token::record::{Intent, Versioned};
use crate::token::store::{Lease, LeasedSwap};
use crate::token::{
    AuditAction, EndedBy, Error, Event, IssuerError, Obtain, ReauthorizationReason, Record, RefreshRequest, SendPermit,
    StoreError, TokenReply, TokenSet, Verdict,
};
use crate::value::{Secret, with_causes};

/// A refresh under its lease.
pub(super) struct Refresh<'a> {
    pub live: &'a Arc<Live>,
    pub want: &'a Want,
    pub lease: Lease,
    /// Until when the request may leave.
    pub permit: SendPermit,
}

/// What came of asking for the lease with the intent.
pub(super) enum Begun {
    Ended(Outcome),
    /// Somebody else has the lease.
    Held {
        by: String,
        for_at_most: Option<Duration>,
    },
    /// The record changed since it was read, or the store did not answer: one step after the other tells more.
    StepByStep,
}

/// A refresh of what was read without the lease, where nothing in it needs a second look.
pub(super) async fn at_once(live: &Arc<Live>, want: &Want, seen: &Versioned) -> Begun {
    let grant = &live.grant;
    let tokens = seen.record.tokens.clone();
    let Some((tokens, refresh_token)) = tokens.and_then(|tokens| Some((tokens.clone(), tokens.refresh_token?))) else {
        return Begun::StepByStep;
    };
    let mut intended = live.successor(Some(seen.revision), seen.record.clone());
    // There is no fence yet. A revision tells one intent from every other as well.
    intended.record = seen
        .record
        .with_intent(intent(live, intended.revision, &refresh_token, 0, None));
    let swap = change(Some(seen.revision), &intended, 0);
    live.held.intends(intended.revision);
    let Asked { leased, at } = match live.store.lease_and_swap(swap).await {
        Ok(asked) => asked,
        Err(error) => {
            live.held.tried(intended.revision);
            // It may be nowhere else any more.
            live.publish(seen.clone());
            tracing::debug!(key = %grant.named(), error = %with_causes(&error), "a refresh did not begin in one step");
            return Begun::StepByStep;
        }
    };
    live.held.intent_is_settled();
    match leased {
        LeasedSwap::Done(lease) => {
            live.publish(intended.clone());
            tracing::debug!(key = %grant.named(), fence = lease.fence, predecessor = ?lease.predecessor, "token refresh, begun in one step");
            let refresh = Refresh {
                live,
                want,
                permit: permit(live, &lease, at),
                lease,
            };
            Begun::Ended(refresh.send(intended, tokens, refresh_token, 0).await)
        }
        LeasedSwap::Held { by, for_at_most } => Begun::Held { by, for_at_most },
        LeasedSwap::Conflict(_) => Begun::StepByStep,
    }
}

/// Until when a request may leave under this lease, which was asked for at this time.
pub(super) fn permit(live: &Live, lease: &Lease, asked_at: Now) -> SendPermit {
    match lease.exclusive {
        // The operating system keeps it for this process, whatever time it is.
        true => SendPermit::always(),
        false => SendPermit::under_lease(Arc::clone(&live.clock), asked_at, live.store.lease_ttl()),
    }
}

/// `before`: the intent of the requests that carried the same refresh token and brought no answer.
fn intent(live: &Live, number: u64, refresh_token: &Secret, unanswered: u32, before: Option<&Intent>) -> Intent {
    Intent {
        holder: live.grant.holder.to_string(),
        fence: number,
        at: live.now().utc(),
        first_at: before.map(Intent::in_doubt_since),
        refresh_token: Fingerprint::of(refresh_token),
        unanswered,
        given_up: false,
        put_back: false,
    }
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
        self.send(intended, tokens, refresh_token, unanswered).await
    }

    /// Sends the request, of which the store knows.
    async fn send(self, intended: Versioned, tokens: TokenSet, refresh_token: Secret, unanswered: u32) -> Outcome {
        if !self.may_send().await {
            // Nothing was sent; what was sent before is as open as it was. An intent that stays behind costs a doubt.
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
        let asking = self.live.obtain(Obtain::Refresh(request));
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
        // An intent that is there brought no answer: what brings one settles it.
        let before = seen.record.intent.as_ref();
        let intent = intent(self.live, self.lease.fence, refresh_token, unanswered, before);
        let record = seen.record.with_intent(intent);
        match self.write(&seen, record.clone()).await {
            Ok(Written::Done(intended)) => Ok(intended),
            Ok(Written::Overtaken) => Err(grant.overtaken()),
            // Where only the answers were lost, it stands there, and nobody else writes an intent of this lease. Another
            // one would make its siblings wait anew.
            Err(error) => match self.live.store.read().await {
                Ok(Some(stored)) if stored.record == record => Ok(self.shown(stored)),
                _ => Err(error.into()),
            },
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
                // It is logged where the store is asked, and the time that is left decides.
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
        let next = live.successor(Some(intended.revision), record);
        let error = match write_last(live, Some(intended.revision), next, &self.lease).await {
            Ok(Written::Done(committed)) => {
                let shown = live.publish(committed);
                live.audit(tokens.generation, AuditAction::Refreshed { stored: true });
                return told(shown, unusable);
            }
            Ok(Written::Overtaken) => StoreError::unavailable("take the write", "the lease was lost"),
            Err(error) => error,
        };
        let generation = tokens.generation;
        live.audit(generation, AuditAction::Refreshed { stored: false });
        let unstored = UnstoredTokens {
            tokens,
            parent: Some(parent.clone()),
            known_until: Some(intended.revision),
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
                live.audit(generation, AuditAction::Superseded { revoked: false });
                leave_or_release(live, lease).await;
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
            key = %self.live.grant.named(), %field,
            "the reply to a refresh names another account than the grant's: its tokens are not used"
        );
        if intended.record.intent.is_some() {
            // An intent that stays as it was makes whoever comes next wait for us, and no more.
            let _ = self.write(&intended, intended.record.given_up()).await;
        }
        let action = AuditAction::OtherAccount { field: field.clone() };
        self.live.audit(tokens.generation, action);
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
                // In the other cases it is an earlier request that is in doubt.
                if matches!(error.verdict, Verdict::InDoubt | Verdict::Transient { .. }) {
                    self.live.audit(tokens.generation, AuditAction::RefreshInDoubt);
                }
                self.give_up(error.into()).await
            }
            Consequence::Bury(reason) => self.bury(intended, reason, EndedBy(error.source), now).await,
        }
    }

    /// The grant is over, unless a sibling knows better.
    async fn bury(self, intended: Versioned, reason: ReauthorizationReason, ended_by: EndedBy, now: Now) -> Outcome {
        let live = self.live;
        match live.store.read().await {
            // A sibling that worked without our lease may have stored a successor: then its success is ours. In a store
            // that went back it may have the revision of the intent that was lost.
            Ok(Some(moved)) if moved.revision != intended.revision || moved.record != intended.record => {
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
                let generation = buried.record.generation();
                live.audit(generation, AuditAction::Ended { reason });
                let ended_by = Some(ended_by);
                self.give_up(Error::ReauthorizationRequired { reason, ended_by }).await
            }
            Ok(Written::Overtaken) => self.overtaken().await,
            Err(error) => self.give_up(error.into()).await,
        }
    }

    async fn write(&self, seen: &Versioned, record: Record) -> Result<Written, StoreError> {
        let written = write_over(self.live, seen, record, self.lease.fence).await?;
        Ok(match written {
            Written::Done(written) => Written::Done(self.shown(written)),
            Written::Overtaken => Written::Overtaken,
        })
    }

    /// Whoever wrote last knows what the store may lose.
    fn shown(&self, written: Versioned) -> Versioned {
        self.live.publish(written.clone());
        written
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
