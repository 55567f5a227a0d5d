//! What is done to a grant, step by step: an attempt to get tokens, from top to bottom, here; a login, an
//! import, a revocation and a loss on purpose in files of their own.
//!
//! An attempt reads, asks for the lease, reads again, and does what the machine decides.

mod adopt;
mod anew;
mod forget;
mod import;
mod lease;
mod look;
mod refresh;
mod replaced;
mod retain;
mod revoke;
mod write;

use std::sync::Arc;
use std::time::Duration;

use super::clock::Now;
use super::live::{Asked, Live, Outcome, Snapshot};
use super::machine::{self, Freshness, Situation, Step, Want};
use super::record::Versioned;
use super::store::{Lease, Leased, Older};
use super::{Error, Intent, Record, Renewal, StoreError};
pub(crate) use adopt::adopt;
use anew::{anew, anew_over_damage, anew_over_older, without_store};
pub(crate) use forget::{Left, forget};
pub(crate) use import::import;
use lease::{Poll, SenderAtWork, UnderLease, Waited, longest_rest};
use look::{Known, read_as_far_as_known, take_held, take_stored};
pub(crate) use look::{is_behind, look_while_resting, mend};
use refresh::{Begun, Refresh};
pub(crate) use revoke::{erase, revoke};

/// One attempt to get what is wanted. Runs in a task of its own: no caller can cut it off.
pub(crate) async fn run(live: &Arc<Live>, want: Want) -> Outcome {
    if let Some(error) = live.held.unstored.error() {
        return Err(error);
    }
    // However it ends.
    let _waits = NobodyIsWaitedFor(live);
    let began = live.clock.monotonic();
    let patience_ends = began + live.grant.longest_work() * 2 + longest_rest(live.grant.request_timeout);
    let mut past = Past::default();
    let mut poll = Poll::new();
    loop {
        let seen = match live.store.look().await {
            Ok(seen) => seen,
            // What is damaged is put back under the lease.
            Err(error) if live.held.can_mend(&error) || older_to_go_over(live, &error).is_some() => None,
            Err(error) => return store_failed(live, error).await,
        };
        let seen = seen.map(|seen| live.held.without_unsent(seen));
        past.remember(seen.as_ref());
        // What a sibling has stored needs no lease. What the store has lost is put back under it, though what is left there
        // still serves: whoever holds nothing newer would send a refresh token that is spent.
        if !is_behind(live, seen.as_ref())
            && let Some(stored) = take_stored(live, &want, seen.as_ref())
        {
            return Ok(stored);
        }
        if live.grant.renewal == Renewal::Refresh
            && let Some(tombstone) = seen.as_ref().and_then(|seen| live.held.over_before(seen))
        {
            // An older copy of the store brings no grant back.
            return Err(live.ended(&tombstone));
        }
        if let Some(seen) = seen.as_ref().filter(|seen| begins_at_once(live, &want, seen, &past)) {
            match refresh::at_once(live, &want, seen).await {
                Begun::Ended(outcome) => return outcome,
                Begun::StepByStep => past.step_by_step = true,
                Begun::Held { by, for_at_most } => {
                    wait_for_holder(live, by, for_at_most, began, patience_ends, &mut poll).await?;
                    continue;
                }
            }
        }
        let Asked { leased, at } = match live.store.lease().await {
            Ok(asked) => asked,
            Err(error) => return store_failed(live, error).await,
        };
        match leased {
            Leased::Granted(lease) => match under_lease(live, &want, lease, at, &past).await {
                UnderLease::Ended(outcome) => return outcome,
                UnderLease::SenderAtWork(sender) => past.waited.wait(sender, live).await?,
            },
            Leased::Held { by, for_at_most } => {
                wait_for_holder(live, by, for_at_most, began, patience_ends, &mut poll).await?;
            }
        }
    }
}

/// A pause before the lease is asked for again; an error when it was asked for long enough.
async fn wait_for_holder(
    live: &Live,
    by: String,
    for_at_most: Option<Duration>,
    began: Duration,
    patience_ends: Duration,
    poll: &mut Poll,
) -> Result<(), Error> {
    let now = live.clock.monotonic();
    if now >= patience_ends {
        return Err(Error::Busy {
            holder: by,
            retry_after: for_at_most,
        });
    }
    live.waits.begin(&by, for_at_most, now >= began + LONG_WAIT);
    poll.pause(&live.grant.random).await;
    Ok(())
}

/// Whether a refresh may begin with what was read without the lease, because the swap of its intent tells whether it is
/// still so: the grant lives, nobody has a request under way, and the store has lost nothing.
fn begins_at_once(live: &Live, want: &Want, seen: &Versioned, past: &Past) -> bool {
    !past.step_by_step
        && live.grant.rotation.spends()
        && seen.record.intent.is_none()
        && past.lost_intent(Some(seen)).is_none()
        && live.held.lost_by_store(Some(seen)).is_none()
        && live.held.end_undone_by(seen).is_none()
        && decide(live, want, false, Some(seen), &past.waited) == (Step::Refresh { unanswered: 0 })
}

/// What an attempt has seen and done so far.
#[derive(Default)]
struct Past {
    waited: Waited,
    /// The newest intent that stood in the store, and at which revision.
    intent: Option<(u64, Intent)>,
    /// Lease and intent did not come in one step.
    step_by_step: bool,
}

impl Past {
    fn remember(&mut self, seen: Option<&Versioned>) {
        let Some(Versioned { revision, record }) = seen else {
            return;
        };
        if let Some(intent) = &record.intent
            && self.intent.as_ref().is_none_or(|(known, _)| known < revision)
        {
            self.intent = Some((*revision, intent.clone()));
        }
    }

    /// An intent that the store has lost since it was seen, with the word of what came of it.
    fn lost_intent(&self, seen: Option<&Versioned>) -> Option<&Intent> {
        let (revision, intent) = self.intent.as_ref()?;
        let went_back = seen.is_none_or(|seen| seen.revision < *revision);
        let open = !intent.given_up && !self.waited.has(intent.fence);
        (went_back && open).then_some(intent)
    }
}

/// A wait for the lease that may take longer than a sibling's usual refresh: a token that lives serves meanwhile.
const LONG_WAIT: Duration = Duration::from_secs(2);

struct NobodyIsWaitedFor<'a>(&'a Live);

impl Drop for NobodyIsWaitedFor<'_> {
    fn drop(&mut self) {
        self.0.waits.end();
    }
}

/// A token that can be fetched anew needs no store; without it, a refresh is not safe.
async fn store_failed(live: &Live, error: StoreError) -> Outcome {
    match live.grant.renewal {
        Renewal::Anew => without_store(live, error).await,
        Renewal::Refresh => Err(error.into()),
    }
}

/// The record that is refused as older, where a token that is fetched anew goes over it.
fn older_to_go_over<'a>(live: &Live, error: &'a StoreError) -> Option<&'a Older> {
    let older = live.store.refused_as_older(error)?;
    (live.grant.renewal == Renewal::Anew).then_some(older)
}

/// Under the lease, which was asked for at this time.
async fn under_lease(
    live: &Arc<Live>,
    want: &Want,
    lease: Lease,
    asked_at: Now,
    past: &Past,
) -> UnderLease<Arc<Snapshot>> {
    let seen = match read_as_far_as_known(live, lease.fence).await {
        Ok(Known::Stored(seen)) => seen.map(|seen| live.held.without_unsent(seen)),
        Ok(Known::PutBack(intent)) => {
            live.store.release(lease).await;
            // Who wants no others waits for nobody.
            return match take_held(live, want) {
                Some(held) => UnderLease::Ended(Ok(held)),
                None => UnderLease::SenderAtWork(SenderAtWork::of(&intent, live)),
            };
        }
        Err(error) => {
            if let Some(damage) = error.damage().filter(|_| live.grant.renewal == Renewal::Anew) {
                return UnderLease::Ended(anew_over_damage(live, damage, lease).await);
            }
            if let Some(older) = older_to_go_over(live, &error) {
                return UnderLease::Ended(anew_over_older(live, older, lease).await);
            }
            live.store.release(lease).await;
            return UnderLease::Ended(store_failed(live, error).await);
        }
    };
    if let Some(intent) = past.lost_intent(seen.as_ref()) {
        tracing::warn!(key = %live.grant.named(), "the store went back while a refresh was under way: its sender is given time");
        live.store.release(lease).await;
        return UnderLease::SenderAtWork(SenderAtWork::of(intent, live));
    }
    let step = decide(live, want, lease.exclusive, seen.as_ref(), &past.waited);
    tracing::debug!(key = %live.grant.named(), ?step, fence = lease.fence, predecessor = ?lease.predecessor, "token refresh");
    UnderLease::Ended(match (step, seen) {
        (
            Step::Patience,
            Some(Versioned {
                record: Record {
                    intent: Some(intent), ..
                },
                ..
            }),
        ) => {
            live.store.release(lease).await;
            return UnderLease::SenderAtWork(SenderAtWork::of(&intent, live));
        }
        (Step::Adopt, Some(seen)) => {
            if live.grant.renewal == Renewal::Anew && take_stored(live, want, Some(&seen)).is_none() {
                // What was fetched while the store was out is newer, and is not what is wanted either.
                return UnderLease::Ended(anew(live, Some(seen), lease).await);
            }
            live.store.release(lease).await;
            Ok(live.publish(seen))
        }
        (Step::Defer, Some(seen)) => {
            live.store.release(lease).await;
            let retry_after = Some(until_nothing_serves(live, &seen));
            live.publish(seen);
            Err(Error::InDoubt {
                retry_after,
                source: Arc::new(Deferred),
            })
        }
        (Step::Dead(reason), seen) => {
            live.store.release(lease).await;
            let tombstone = seen.as_ref().and_then(|seen| seen.record.tombstone.as_ref());
            let error = tombstone.map_or_else(|| reason.into(), |tombstone| live.ended(tombstone));
            if let Some(seen) = seen {
                live.publish(seen);
            }
            Err(error)
        }
        (Step::Anew, seen) => anew(live, seen, lease).await,
        (Step::Refresh { unanswered }, Some(seen)) => {
            let permit = refresh::permit(live, &lease, asked_at);
            let refresh = Refresh {
                live,
                want,
                lease,
                permit,
            };
            refresh.run(seen, unanswered).await
        }
        (Step::NoGrant | Step::Patience | Step::Adopt | Step::Defer | Step::Refresh { .. }, seen) => {
            live.store.release(lease).await;
            if let Some(seen) = seen {
                // Forgotten: what is shown here ends too.
                live.publish(seen);
            }
            Err(live.grant.missing())
        }
    })
}

fn decide(live: &Live, want: &Want, exclusive: bool, seen: Option<&Versioned>, waited: &Waited) -> Step {
    let grant = &live.grant;
    let now = live.now();
    let record = seen.map(|seen| &seen.record);
    machine::decide(&Situation {
        want,
        record,
        freshness: record
            .and_then(|record| record.tokens.as_ref())
            .map_or(Freshness::Expired, |tokens| grant.freshness(tokens, now)),
        renewal: grant.renewal,
        rotation: &grant.rotation,
        exclusive,
        own_intent: record
            .and_then(|record| record.intent.as_ref())
            .is_some_and(|intent| *intent.holder == *grant.holder),
        waited_for: waited.among(
            record
                .and_then(|record| record.intent.as_ref())
                .map(|intent| intent.fence),
        ),
        now,
    })
}

/// Until the access token is over, and then the refresh token may be sent again; a minute at most, because somebody may
/// have authorized again meanwhile.
fn until_nothing_serves(live: &Live, seen: &Versioned) -> Duration {
    const LOOK_AGAIN: Duration = Duration::from_secs(60);
    let now = live.now();
    let tokens = seen.record.tokens.as_ref();
    let horizon = tokens.and_then(|tokens| live.grant.horizon(tokens, now));
    horizon.map_or(LOOK_AGAIN, |horizon| horizon.left(now).min(LOOK_AGAIN))
}

/// Why nothing was sent: the request could end tokens that still serve.
#[derive(Debug, thiserror::Error)]
#[error("an earlier refresh has no answer, and asking again could end the access token that still serves")]
struct Deferred;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::fingerprint::Fingerprint;
    use crate::token::{GrantKind, ManualClock, Rotation, TokenKey, TokenReply, TokenSet};
    use crate::value::{ScopeSet, Secret};

    /// A record at a revision, with an intent of this fence; and whether it was given up.
    fn seen(revision: u64, intent: Option<(u64, bool)>) -> Versioned {
        let now = Now::read(&ManualClock::new());
        let reply = TokenReply::new("access-1");
        let tokens = TokenSet::first(reply, &ScopeSet::new(), now.wall, &Rotation::UNKNOWN);
        let key = TokenKey::new("mx", "client", GrantKind::AuthorizationCode);
        let record = Record::alive(key, tokens);
        let record = match intent {
            None => record,
            Some((fence, given_up)) => record.with_intent(Intent {
                holder: "somebody".to_owned(),
                fence,
                at: now.utc(),
                first_at: None,
                refresh_token: Fingerprint::of(&Secret::from("refresh-1")),
                unanswered: 0,
                given_up,
                put_back: false,
            }),
        };
        Versioned { revision, record }
    }

    #[test]
    fn an_intent_that_the_store_lost_is_known_until_its_sender_gave_up_or_was_given_time() {
        let lost = |past: &Past, seen: Option<&Versioned>| past.lost_intent(seen).map(|intent| intent.fence);
        let mut past = Past::default();
        past.remember(None);
        past.remember(Some(&seen(5, None)));
        assert_eq!(lost(&past, None), None);
        past.remember(Some(&seen(7, Some((1, false)))));
        // An older copy.
        past.remember(Some(&seen(6, Some((2, false)))));
        for (revision, expected) in [(6, Some(1)), (7, None), (8, None)] {
            assert_eq!(lost(&past, Some(&seen(revision, None))), expected, "{revision}");
        }
        assert_eq!(lost(&past, None), Some(1), "the record is lost too");
        past.remember(Some(&seen(8, Some((3, false)))));
        assert_eq!(lost(&past, None), Some(3));
        past.waited = Waited::of([1]);
        assert_eq!(lost(&past, None), Some(3));
        past.waited = Waited::of([1, 3]);
        assert_eq!(lost(&past, None), None);
        past.waited = Waited::of([1, 3, 5]);
        assert_eq!(
            lost(&past, None),
            None,
            "its sender has had its time, whoever else was waited for since"
        );
        past.waited = Waited::default();
        past.remember(Some(&seen(9, Some((4, true)))));
        assert_eq!(lost(&past, None), None);
    }
}
