//! A refresh, from top to bottom: read, lease, read again, adopt or intend, send, judge, commit, publish.

pub(crate) mod grant;

use std::sync::Arc;
use std::time::Duration;

use super::clock::between;
use super::handle::{Inner, revoked_token};
use super::live::snapshot::Snapshot;
use super::machine::{self, Consequence, Now, Rescue, Situation, Step, Want};
use super::record::{Fingerprint, Intent};
use super::store::{Lease, LeaseState, Leased, StoredRecord, Swap, Swapped};
use super::{
    Error, Event, IssuerError, Obtain, ReauthorizationReason, Record, Renewal, RevokedToken, StoreError, TokenReply,
    TokenSet, Verdict,
};
use crate::Secret;

/// How long the sender of an intent is given to store what it may have got: much longer than the pause between its
/// tries.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// How often a write is tried before the attempt goes on without it.
const WRITES: u32 = 3;
/// How long one answer of a store may take: longer than the stores of this crate wait for theirs.
const STORE_PATIENCE: Duration = Duration::from_secs(10);
/// The longest pause between tries to store a set that could not be stored at once.
const RETENTION_PAUSE: Duration = Duration::from_secs(3);

/// A record and the revision it was read at.
#[derive(Clone)]
pub(crate) struct Versioned {
    pub revision: u64,
    pub record: Record,
}

/// Tokens that the server gave and the store did not take yet.
#[derive(Clone)]
pub(crate) struct Uncommitted {
    pub tokens: TokenSet,
    /// The access token from whose generation they were made; none: an authorization.
    pub parent: Option<Secret>,
}

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
        if let Some(adopted) = adopt(inner, &want, seen.as_ref()) {
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

/// The sender of the intent with this fence may still be at work.
pub(crate) struct Unsettled {
    pub fence: u64,
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
            if inner.renewal() == Renewal::Anew && adopt(inner, want, Some(&seen)).is_none() {
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

/// What the store holds, after it was given back what it lost (a failover to an older copy, a restart without its
/// log). Under the lease.
pub(crate) async fn read_as_far_as_known(inner: &Arc<Inner>, fence: u64) -> Result<Option<Versioned>, StoreError> {
    let seen = read(inner).await?;
    let Some((held_at, tokens)) = inner.lost_by_store(seen.as_ref()) else {
        return Ok(seen);
    };
    let generation = tokens.generation;
    tracing::warn!(key = %inner.key(), generation, "the store lost tokens that it had taken: it gets them back");
    let stored = seen.as_ref().map(|seen| seen.revision);
    let revision = next_revision(inner, stored).max(held_at.saturating_add(1));
    let record = Record::alive(inner.key().clone(), tokens);
    match store_at(inner, stored, revision, record, fence).await? {
        Ok(restored) => {
            inner.publish(restored.clone());
            Ok(Some(restored))
        }
        Err(Moved) => Err(StoreError::unavailable("take back what it lost", "the lease was lost")),
    }
}

/// Asks with the grant itself. Nothing can be lost here: no intent, and a store that fails costs a request only.
async fn anew(inner: &Arc<Inner>, seen: Option<Versioned>, lease: Lease) -> Result<Arc<Snapshot>, Error> {
    let sent_at = inner.now();
    let outcome = send(inner, Obtain::Anew).await;
    inner.note_verdict(outcome.as_ref().err().map(|error| error.verdict));
    let reply = match outcome {
        Ok(reply) => reply,
        Err(error) => {
            release(inner, lease).await;
            return Err(anew_error(error));
        }
    };
    let tokens = match seen.as_ref().and_then(|seen| seen.record.tokens.as_ref()) {
        Some(tokens) => tokens.next(reply, sent_at.wall),
        None => first(inner, reply, sent_at),
    };
    let record = Record::alive(inner.key().clone(), tokens);
    let seen = seen.map(|seen| seen.revision);
    let stored = store(inner, seen, record.clone(), lease.fence).await;
    release(inner, lease).await;
    Ok(inner.publish(match stored {
        Ok(Ok(stored)) => stored,
        _ => {
            tracing::warn!(key = %inner.key(), "a token that can be fetched anew was not stored");
            Versioned {
                // Not ahead of the store: what it takes next is newer.
                revision: inner.revision().max(seen.unwrap_or(0)),
                record,
            }
        }
    }))
}

/// Client credentials work without their store: siblings then fetch for themselves.
async fn without_store(inner: &Arc<Inner>, error: StoreError) -> Result<Arc<Snapshot>, Error> {
    tracing::warn!(key = %inner.key(), %error, "fetching a token without the token store");
    let sent_at = inner.now();
    let outcome = send(inner, Obtain::Anew).await;
    inner.note_verdict(outcome.as_ref().err().map(|error| error.verdict));
    let mut tokens = first(inner, outcome.map_err(anew_error)?, sent_at);
    tokens.generation = inner.generation() + 1;
    Ok(inner.publish(Versioned {
        // Not a revision ahead of the store: what it takes when it is back is newer.
        revision: inner.revision(),
        record: Record::alive(inner.key().clone(), tokens),
    }))
}

/// `invalid_grant` to client credentials is about the client: there is no user to ask.
fn anew_error(error: IssuerError) -> Error {
    match error.verdict {
        Verdict::Dead => Error::ClientMisconfigured { source: error.source },
        Verdict::InDoubt => Error::Transient {
            retry_after: None,
            source: error.source,
        },
        _ => error.into(),
    }
}

/// A refresh under its lease.
struct Attempt<'a> {
    inner: &'a Arc<Inner>,
    want: &'a Want,
    lease: Lease,
    leased_at: Now,
}

impl Attempt<'_> {
    async fn refresh(self, seen: Versioned, unanswered: u32) -> Result<Arc<Snapshot>, Error> {
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
                        if let Some(adopted) = adopt(inner, self.want, Some(&moved)) {
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

/// Somebody else changed the record, or took the lease.
pub(crate) struct Moved;

/// Writes a record over the one that was read.
pub(crate) async fn store(
    inner: &Inner,
    seen: Option<u64>,
    record: Record,
    fence: u64,
) -> Result<Result<Versioned, Moved>, StoreError> {
    store_at(inner, seen, next_revision(inner, seen), record, fence).await
}

async fn store_at(
    inner: &Inner,
    seen: Option<u64>,
    revision: u64,
    record: Record,
    fence: u64,
) -> Result<Result<Versioned, Moved>, StoreError> {
    let next = StoredRecord::new(revision, record.encode());
    let swap = Swap::new(seen, fence, Some(next));
    Ok(match write(inner, swap).await? {
        Swapped::Done => Ok(Versioned { revision, record }),
        Swapped::Conflict(_) | Swapped::Fenced => Err(Moved),
    })
}

/// Swaps, and tries again when the store does not answer: a swap says itself whether it was made before.
async fn write(inner: &Inner, swap: Swap) -> Result<Swapped, StoreError> {
    let mut failures = 0;
    loop {
        let swapped = in_time("take the write", inner.store().swap(inner.key(), swap.clone())).await;
        match swapped {
            Ok(Swapped::Conflict(stored)) if failures > 0 && stored == swap.next => return Ok(Swapped::Done),
            Err(error @ StoreError::Unavailable { .. }) => {
                failures += 1;
                if failures == WRITES {
                    return Err(error);
                }
                tokio::time::sleep(Duration::from_millis(50) * failures).await;
            }
            swapped => return swapped,
        }
    }
}

/// Larger than the one before, and than all that this process has shown: the time of day may have been set back. The
/// first one is the time of day, so that a record that was removed and made again never has a revision that somebody
/// still remembers.
pub(crate) fn next_revision(inner: &Inner, seen: Option<u64>) -> u64 {
    let next = match seen {
        Some(seen) => seen + 1,
        None => u64::try_from(inner.now().utc().timestamp_micros()).unwrap_or(1).max(1),
    };
    next.max(inner.revision().saturating_add(1))
}

/// Asks the store for the lease, once.
async fn ask_for_lease(inner: &Inner) -> Result<Leased, StoreError> {
    let lease = inner.store().lease(inner.key(), inner.holder(), inner.lease_ttl());
    in_time("give a lease", lease).await
}

/// A store that does not answer is a store that is not there.
async fn in_time<T>(action: &'static str, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match tokio::time::timeout(STORE_PATIENCE, work).await {
        Ok(done) => done,
        Err(late) => Err(StoreError::unavailable(action, late)),
    }
}

/// Who may work on the grant now; unknown when the store does not say.
pub(crate) async fn lease_state(inner: &Inner) -> LeaseState {
    let state = in_time("tell the lease", inner.store().lease_state(inner.key())).await;
    state.unwrap_or(LeaseState::Unknown)
}

/// What the store holds now, undecoded.
pub(crate) async fn load(inner: &Inner) -> Result<Option<StoredRecord>, StoreError> {
    in_time("read the record", inner.store().load(inner.key())).await
}

/// What the store holds now.
pub(crate) async fn read(inner: &Inner) -> Result<Option<Versioned>, StoreError> {
    let Some(stored) = load(inner).await? else {
        return Ok(None);
    };
    let record = Record::decode(&stored.bytes)?;
    if record.key != *inner.key() {
        return Err(StoreError::corrupt("the record belongs to another key"));
    }
    Ok(Some(Versioned {
        revision: stored.revision,
        record,
    }))
}

fn adopt(inner: &Arc<Inner>, want: &Want, seen: Option<&Versioned>) -> Option<Arc<Snapshot>> {
    let seen = seen?;
    let tokens = seen.record.tokens.as_ref()?;
    let satisfies = |tokens: &TokenSet| {
        let freshness = machine::freshness(tokens, inner.now(), inner.jitter(tokens.generation), inner.renewal());
        machine::satisfies(want, tokens, freshness)
    };
    if !satisfies(tokens) {
        return None;
    }
    // Where this process knows of something newer, that is what it shows.
    let shown = inner.publish(seen.clone());
    let serves = shown.tokens.as_ref().is_some_and(satisfies);
    serves.then_some(shown)
}

fn freshness(inner: &Inner, record: Option<&Record>, now: Now) -> machine::Freshness {
    record
        .and_then(|record| record.tokens.as_ref())
        .map_or(machine::Freshness::Expired, |tokens| {
            machine::freshness(tokens, now, inner.jitter(tokens.generation), inner.renewal())
        })
}

fn first(inner: &Inner, reply: TokenReply, sent_at: Now) -> TokenSet {
    TokenSet::first(reply, &inner.key().scopes, sent_at.wall, inner.rotation())
}

/// One revocation, with an end to waiting for its reply.
pub(crate) async fn send_revocation(inner: &Inner, token: RevokedToken) -> Result<(), Error> {
    let outcome = match tokio::time::timeout(inner.request_timeout(), inner.issuer().revoke(token)).await {
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

/// One request, with an end to waiting for its reply.
async fn send(inner: &Inner, obtain: Obtain) -> Result<TokenReply, IssuerError> {
    #[derive(Debug, thiserror::Error)]
    #[error("no reply to the token request within {} s", .0.as_secs())]
    struct Silence(Duration);

    let patience = inner.request_timeout();
    match tokio::time::timeout(patience, inner.issuer().obtain(obtain)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(IssuerError::new(Verdict::InDoubt, Silence(patience))),
    }
}

fn overtaken(inner: &Inner) -> Error {
    Error::Busy {
        holder: "another process".to_owned(),
        retry_after: Some(inner.request_timeout()),
    }
}

/// Waits for the lease.
pub(crate) async fn acquire(inner: &Inner) -> Result<Lease, Error> {
    let deadline = inner.now().monotonic + inner.lease_ttl() * 2;
    let mut poll = Poll::new();
    loop {
        match ask_for_lease(inner).await? {
            Leased::Granted(lease) => return Ok(lease),
            Leased::Held { by, for_at_most } if inner.now().monotonic >= deadline => {
                return Err(Error::Busy {
                    holder: by,
                    retry_after: for_at_most,
                });
            }
            Leased::Held { .. } => {
                poll.pause(inner).await;
            }
        }
    }
}

/// Gives the lease back. If that fails, its time runs out.
pub(crate) async fn release(inner: &Inner, lease: Lease) {
    if let Err(error) = in_time("take the lease back", inner.store().release(inner.key(), lease)).await {
        tracing::debug!(key = %inner.key(), %error, "a lease was not given back and has to run out");
    }
}

/// Pauses between looks at a lease that somebody else holds.
struct Poll(u32);

impl Poll {
    fn new() -> Self {
        Self(0)
    }

    async fn pause(&mut self, inner: &Inner) {
        let base = Duration::from_millis(20) * 2_u32.pow(self.0.min(4));
        self.0 += 1;
        tokio::time::sleep(base / 2 + base.mul_f64(inner.random())).await;
    }
}

/// Serves tokens that the store did not take, and keeps trying to store them. The lease comes back when a login waits
/// to be stored that has replaced them.
pub(crate) fn retain(
    inner: &Arc<Inner>,
    uncommitted: Uncommitted,
    revision: u64,
    trouble: Option<StoreError>,
    lease: Option<Lease>,
) -> Result<Arc<Snapshot>, Option<Lease>> {
    let generation = uncommitted.tokens.generation;
    let error = trouble.unwrap_or_else(|| StoreError::unavailable("take the write", "the lease was lost"));
    if !inner.keep_uncommitted(uncommitted.clone(), error.clone()) {
        return Err(lease);
    }
    tracing::error!(
        key = %inner.key(), generation, %error,
        "new tokens are in memory only: the store did not take them, the write is tried again"
    );
    inner.tell(Event::StoreTrouble {
        error: error.to_string(),
    });
    let published = inner.publish_unstored(Versioned {
        revision,
        record: Record::alive(inner.key().clone(), uncommitted.tokens.clone()),
    });
    let inner = Arc::clone(inner);
    tokio::spawn(async move { store_at_last(&inner, uncommitted, lease).await });
    Ok(published)
}

/// Tries to store a set until it is stored, or something newer is.
async fn store_at_last(inner: &Arc<Inner>, uncommitted: Uncommitted, mut lease: Option<Lease>) {
    let generation = uncommitted.tokens.generation;
    let mut failures = 0;
    let mut at_once = false;
    loop {
        if !std::mem::take(&mut at_once) {
            failures += 1;
            tokio::time::sleep(machine::pause(failures).min(RETENTION_PAUSE)).await;
        }
        if !inner.is_uncommitted(&uncommitted.tokens) {
            break;
        }
        let held = match lease.take() {
            Some(held) => held,
            None => match acquire(inner).await {
                Ok(held) => held,
                Err(error) => {
                    tracing::warn!(key = %inner.key(), generation, failures, %error, "new tokens are still not stored");
                    continue;
                }
            },
        };
        if !inner.is_uncommitted(&uncommitted.tokens) {
            // A newer login was stored while this waited for the lease.
            release(inner, held).await;
            break;
        }
        let Ok(seen) = read(inner).await else {
            lease = Some(held);
            continue;
        };
        let stored = seen.as_ref().map(|seen| &seen.record);
        if let Some(seen) = seen
            .as_ref()
            .filter(|seen| seen.record.tokens.as_ref() == Some(&uncommitted.tokens))
        {
            // The write was made, and only its confirmation was lost.
            recovered(inner, &uncommitted.tokens, seen.clone());
            release(inner, held).await;
            break;
        }
        if machine::rescue(uncommitted.parent.as_ref(), stored) == Rescue::Yield {
            tracing::warn!(key = %inner.key(), generation, "tokens that could not be stored are outdated now");
            if stored.is_some_and(|record| {
                record
                    .tombstone
                    .as_ref()
                    .is_some_and(|tombstone| tombstone.reason == ReauthorizationReason::Revoked)
            }) {
                revoke_unstored(inner, &uncommitted.tokens).await;
            }
            inner.no_longer_uncommitted(&uncommitted.tokens);
            if let Some(seen) = seen {
                inner.publish(seen);
            }
            release(inner, held).await;
            break;
        }
        let record = Record::alive(inner.key().clone(), uncommitted.tokens.clone());
        match store(inner, seen.as_ref().map(|seen| seen.revision), record, held.fence).await {
            Ok(Ok(committed)) => {
                recovered(inner, &uncommitted.tokens, committed);
                release(inner, held).await;
                break;
            }
            // A lost lease is taken anew, before a sibling that waits for us loses its patience.
            Ok(Err(Moved)) => {
                release(inner, held).await;
                at_once = true;
            }
            Err(_) => lease = Some(held),
        }
    }
    if let Some(held) = lease {
        release(inner, held).await;
    }
}

/// The grant was revoked while these tokens were in memory only: the revocation was meant for them too.
async fn revoke_unstored(inner: &Arc<Inner>, tokens: &TokenSet) {
    if let Err(error) = send_revocation(inner, revoked_token(tokens)).await {
        tracing::warn!(
            key = %inner.key(), generation = tokens.generation, %error,
            "tokens of a revoked grant could not be revoked and live until they end"
        );
    }
}

fn recovered(inner: &Arc<Inner>, tokens: &TokenSet, committed: Versioned) {
    let generation = committed.record.generation();
    inner.no_longer_uncommitted(tokens);
    inner.publish(committed);
    tracing::info!(key = %inner.key(), generation, "tokens that could not be stored are stored now");
    inner.tell(Event::StoreRecovered { generation });
}
