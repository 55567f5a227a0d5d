//! A refresh, from top to bottom: read, lease, read again, adopt or intend, send, judge, commit, publish.

mod adopt;
mod anew;
mod forget;
mod lease;
mod look;
mod refresh;
mod retain;
mod revoke;
mod send;
mod write;

use std::sync::Arc;

use super::live::Inner;
use super::live::snapshot::Snapshot;
use super::machine::{self, Situation, Step, Want};
use super::store::{Lease, Leased};
use super::{Error, Renewal};
pub(crate) use adopt::adopt;
use anew::{anew, without_store};
pub(crate) use forget::forget;
pub(crate) use lease::lease_state;
use lease::{PATIENCE, Poll, Unsettled, ask_for_lease, release};
pub(crate) use look::read;
use look::{freshness, read_as_far_as_known, take_stored};
use refresh::Attempt;
pub(crate) use revoke::revoke;

/// One attempt to get what is wanted. Runs in a task of its own: no caller can cut it off.
pub(crate) async fn run(inner: &Arc<Inner>, want: Want) -> Result<Arc<Snapshot>, Error> {
    if let Some(trouble) = inner.uncommitted_trouble() {
        return Err(trouble);
    }
    let patience_ends = inner.now().monotonic + inner.lease_ttl() * 2 + PATIENCE;
    let mut waited_for = None;
    let mut poll = Poll::new();
    loop {
        // What a sibling has stored needs no lease.
        let seen = match read(inner).await {
            Err(error) if inner.renewal() == Renewal::Anew => return without_store(inner, error).await,
            seen => seen?,
        };
        if let Some(adopted) = take_stored(inner, &want, seen.as_ref()) {
            return Ok(adopted);
        }
        match ask_for_lease(inner).await {
            Err(error) if inner.renewal() == Renewal::Anew => return without_store(inner, error).await,
            Err(error) => return Err(error.into()),
            Ok(Leased::Granted(lease)) => match leased(inner, &want, lease, waited_for).await {
                Ok(outcome) => return outcome,
                Err(Unsettled { fence }) => {
                    tokio::time::sleep(PATIENCE).await;
                    waited_for = Some(fence);
                }
            },
            Ok(Leased::Held { by, for_at_most }) => {
                if inner.now().monotonic >= patience_ends {
                    return Err(Error::Busy {
                        holder: by,
                        retry_after: for_at_most,
                    });
                }
                poll.pause(inner).await;
            }
        }
    }
}

/// Under the lease. `waited_for` is the intent whose sender was already given time.
async fn leased(
    inner: &Arc<Inner>,
    want: &Want,
    lease: Lease,
    waited_for: Option<u64>,
) -> Result<Result<Arc<Snapshot>, Error>, Unsettled> {
    let leased_at = inner.now();
    let seen = match read_as_far_as_known(inner, lease.fence).await {
        Ok(seen) => seen,
        Err(error) => {
            release(inner, lease).await;
            return Ok(match inner.renewal() {
                Renewal::Anew => without_store(inner, error).await,
                Renewal::Refresh => Err(error.into()),
            });
        }
    };
    let now = inner.now();
    let record = seen.as_ref().map(|seen| &seen.record);
    let step = machine::decide(&Situation {
        want,
        record,
        freshness: freshness(inner, record, now),
        renewal: inner.renewal(),
        rotation: inner.rotation(),
        exclusive: lease.exclusive,
        own_intent: record
            .and_then(|record| record.intent.as_ref())
            .is_some_and(|intent| intent.holder == inner.holder()),
        waited_for,
        now,
    });
    tracing::debug!(key = %inner.key(), ?step, fence = lease.fence, predecessor = ?lease.predecessor, "token refresh");
    match (step, seen) {
        (Step::Patience, seen) => {
            release(inner, lease).await;
            let intent = seen.and_then(|seen| seen.record.intent);
            Err(Unsettled {
                fence: intent.map_or(0, |intent| intent.fence),
            })
        }
        (Step::Adopt, Some(seen)) => {
            if inner.renewal() == Renewal::Anew && take_stored(inner, want, Some(&seen)).is_none() {
                // What was fetched while the store was out is newer, and is not what is wanted either.
                return Ok(anew(inner, Some(seen), lease).await);
            }
            release(inner, lease).await;
            Ok(Ok(inner.publish(seen)))
        }
        (Step::Defer, Some(seen)) => {
            release(inner, lease).await;
            inner.publish(seen);
            Ok(Err(Error::InDoubt {
                retry_after: None,
                source: Arc::new(Deferred),
            }))
        }
        (Step::Dead(reason), seen) => {
            release(inner, lease).await;
            if let Some(seen) = seen {
                inner.publish(seen);
            }
            Ok(Err(Error::ReauthorizationRequired { reason }))
        }
        (Step::Anew, seen) => Ok(anew(inner, seen, lease).await),
        (Step::Refresh { unanswered }, Some(seen)) => Ok(Attempt {
            inner,
            want,
            lease,
            leased_at,
        }
        .refresh(seen, unanswered)
        .await),
        (Step::NoGrant | Step::Adopt | Step::Defer | Step::Refresh { .. }, seen) => {
            release(inner, lease).await;
            if let Some(seen) = seen {
                // Forgotten: what is shown here ends too.
                inner.publish(seen);
            }
            Ok(Err(Error::NoGrant {
                key: inner.key().to_string(),
            }))
        }
    }
}

/// Why nothing was sent: the request could end tokens that still serve.
#[derive(Debug, thiserror::Error)]
#[error("an earlier refresh has no answer, and asking again could end the access token that still serves")]
struct Deferred;
