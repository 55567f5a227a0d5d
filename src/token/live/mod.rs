//! What all clones of a handle share.

mod cell;
pub(crate) mod flight;
pub(crate) mod shown;
pub(crate) mod snapshot;
mod sync;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{broadcast, watch};

use super::clock::{after, between};
use super::event::Expiring;
use super::machine::{self, Freshness, Now};
use super::record::Versioned;
use super::{
    Clock, Error, Event, Issuer, ReauthorizationReason, Renewal, Rotation, StoreError, TokenHandleBuilder, TokenKey,
    TokenSet, TokenStore, Verdict,
};
use crate::Secret;
use crate::backoff::{Backoff, spread};
use crate::random::Random;
use crate::transport::{Bearer, Rejection};
use flight::Flight;
use shown::Shown;
use snapshot::Snapshot;

/// How long the server or the store is left alone after failures in a row.
const AFTER_FAILURE: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(60));

pub(crate) type Outcome = Result<Arc<Snapshot>, Error>;

/// What all clones of a handle share.
pub(crate) struct Inner {
    pub(crate) key: TokenKey,
    pub(crate) issuer: Arc<dyn Issuer>,
    pub(crate) renewal: Renewal,
    pub(crate) rotation: Rotation,
    pub(crate) store: Arc<dyn TokenStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) holder: Box<str>,
    pub(crate) random: Random,
    pub(crate) request_timeout: Duration,
    pub(crate) shown: Shown,
    pub(crate) flight: Flight<watch::Receiver<Option<Outcome>>>,
    /// Monotonic milliseconds until which no attempt is started, for the same readers.
    pub(crate) quiet_until: AtomicU64,
    /// Monotonic seconds from which on the store is looked at again, beside a call.
    pub(crate) look_again_at: AtomicU64,
    /// Logins, revocations and the like that are under way.
    pub(crate) changes: AtomicU64,
    pub(crate) state: Mutex<State>,
    pub(crate) events: OnceLock<broadcast::Sender<Event>>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) trouble: Option<Trouble>,
    pub(crate) failures: u32,
    pub(crate) uncommitted: Option<Box<(Uncommitted, StoreError)>>,
    pub(crate) last: Option<Last>,
    pub(crate) refusals: u32,
    /// Which ends were announced.
    pub(crate) announced: Vec<(Expiring, DateTime<Utc>)>,
}

/// Why no attempt is made for a while.
pub(crate) struct Trouble {
    pub(crate) until: Duration,
    pub(crate) error: Error,
}

/// The last thing that the authorization server said.
#[derive(Clone, Copy)]
pub(crate) struct Last {
    pub verdict: Option<Verdict>,
    pub at: chrono::DateTime<chrono::Utc>,
}

/// Tokens that the server gave and the store did not take yet.
#[derive(Clone)]
pub(crate) struct Uncommitted {
    pub tokens: TokenSet,
    /// The access token from whose generation they were made; none: an authorization.
    pub parent: Option<Secret>,
}

impl Inner {
    pub(crate) fn new(set_up: TokenHandleBuilder) -> Self {
        let random = set_up.seed.map_or_else(Random::from_system, Random::seeded);
        let seed = random.seed();
        let holder = match set_up.holder {
            Some(name) => format!("{name}-{seed:016x}"),
            None => format!("{}-{seed:016x}", std::process::id()),
        };
        Self {
            key: set_up.key,
            issuer: set_up.issuer,
            renewal: set_up.renewal,
            rotation: set_up.rotation,
            store: set_up.store,
            clock: set_up.clock,
            holder: holder.into_boxed_str(),
            random,
            request_timeout: set_up.request_timeout,
            shown: Shown::new(),
            flight: Flight::new(),
            quiet_until: AtomicU64::new(0),
            look_again_at: AtomicU64::new(0),
            changes: AtomicU64::new(0),
            state: Mutex::default(),
            events: OnceLock::new(),
        }
    }

    pub(crate) fn key(&self) -> &TokenKey {
        &self.key
    }

    pub(crate) fn issuer(&self) -> &dyn Issuer {
        &*self.issuer
    }

    pub(crate) fn store(&self) -> &dyn TokenStore {
        &*self.store
    }

    pub(crate) fn renewal(&self) -> Renewal {
        self.renewal
    }

    pub(crate) fn rotation(&self) -> &Rotation {
        &self.rotation
    }

    pub(crate) fn holder(&self) -> &str {
        &self.holder
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        self.request_timeout
    }

    /// Long enough for reading, one request and its commit.
    pub(crate) fn lease_ttl(&self) -> Duration {
        self.request_timeout + self.request_timeout.max(Duration::from_secs(5))
    }

    pub(crate) fn now(&self) -> Now {
        Now {
            wall: self.clock.wall(),
            monotonic: self.clock.monotonic(),
        }
    }

    /// The same, as cheap as it can be.
    pub(crate) fn coarse_now(&self) -> Now {
        let (wall, monotonic) = self.clock.coarse();
        Now { wall, monotonic }
    }

    /// The same for the same generation, different in every process.
    pub(crate) fn jitter(&self, generation: u64) -> f64 {
        self.random.of(generation)
    }

    /// From 0 to 1; for pauses only.
    pub(crate) fn random(&self) -> f64 {
        self.random.draw()
    }

    pub(crate) fn generation(&self) -> u64 {
        self.snapshot()
            .and_then(|snapshot| snapshot.tokens.as_ref().map(|tokens| tokens.generation))
            .unwrap_or(0)
    }

    pub(crate) fn revision(&self) -> u64 {
        self.snapshot().map_or(0, |snapshot| snapshot.revision)
    }

    pub(crate) fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.shown.load()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store was looked at just now.
    pub(crate) fn looked(&self) {
        const LOOK_AGAIN: Duration = Duration::from_secs(300);
        let next = self.clock.monotonic() + LOOK_AGAIN;
        self.look_again_at.store(next.as_secs(), Ordering::Relaxed);
    }

    /// The token at hand, if it still lives.
    pub(crate) fn still_serving(&self) -> Option<Bearer> {
        let snapshot = self.snapshot()?;
        let over = snapshot.freshness(self.now()) == Freshness::Expired || snapshot.is_refused();
        if over { None } else { snapshot.bearer.clone() }
    }

    /// The access token that was refused; none: another one is at hand already.
    pub(crate) fn refuse(&self, generation: u64, rejection: Rejection) -> Result<Option<Secret>, Error> {
        const YOUNG: Duration = Duration::from_secs(60);
        const HOLD: Duration = Duration::from_secs(10);

        let snapshot = self.snapshot();
        let Some((snapshot, tokens)) = snapshot.as_ref().and_then(|s| Some((s, s.tokens.as_ref()?))) else {
            return Ok(None);
        };
        if tokens.generation != generation {
            return Ok(None);
        }
        if rejection == Rejection::Unexplained && !machine::renewable(tokens, self.renewal) {
            return Err(Error::TokenRefused { retry_after: None });
        }
        let mut state = self.state();
        if !snapshot.is_refused() && snapshot.tombstone.is_none() {
            let now = self.now();
            // The wall clock may have been set back since.
            let age = between(tokens.obtained_at, now.utc()).max(now.monotonic.saturating_sub(snapshot.seen_at));
            let hold = match state.refusals {
                0 => Duration::ZERO,
                refusals => (HOLD * 2_u32.pow((refusals - 1).min(3))).min(YOUNG),
            };
            if age < hold {
                return Err(Error::TokenRefused {
                    retry_after: Some(hold - age),
                });
            }
            state.refusals = if age < YOUNG { state.refusals + 1 } else { 1 };
        }
        snapshot.refused.store(true, Ordering::Relaxed);
        self.shown.touch();
        Ok(Some(tokens.access_token.clone()))
    }

    /// Makes what the store holds visible to callers, unless they see something newer.
    pub(crate) fn publish(&self, seen: Versioned) -> Arc<Snapshot> {
        self.show(seen, false)
    }

    /// The same for tokens that the store does not hold yet.
    pub(crate) fn publish_unstored(&self, seen: Versioned) -> Arc<Snapshot> {
        self.show(seen, true)
    }

    pub(crate) fn show(&self, seen: Versioned, unstored: bool) -> Arc<Snapshot> {
        let mut state = self.state();
        let before = self.snapshot();
        self.looked();
        // What is in memory only is newer than anything that a read can bring, until it is stored. And a store that
        // went back in time has nothing to say until it is put right.
        let outdated = before.as_ref().is_some_and(|before| {
            let shown = (before.revision, before.tokens.as_ref());
            machine::is_outdated((seen.revision, &seen.record), shown, self.renewal)
        }) || (state.uncommitted.is_some() && !unstored);
        if let (true, Some(before)) = (outdated, &before) {
            return Arc::clone(before);
        }
        let jitter = self.jitter(seen.record.generation());
        let mut snapshot = Snapshot::of(seen, self.now(), jitter, self.renewal);
        let mut read_again = false;
        if let Some(before) = &before
            && let (Some(old), Some(new)) = (&before.tokens, &snapshot.tokens)
            && old.access_token == new.access_token
        {
            read_again = true;
            // Read once more, a token is not younger than it was.
            snapshot.seen_at = before.seen_at;
            snapshot.horizon = before.horizon;
            snapshot.refused.store(before.is_refused(), Ordering::Relaxed);
        }
        let snapshot = Arc::new(snapshot);
        self.shown.replace(Some(Arc::clone(&snapshot)));
        let buried = snapshot.tombstone.as_ref().map(|tombstone| tombstone.reason);
        let generation = |snapshot: &Snapshot| snapshot.tokens.as_ref().map(|tokens| tokens.generation);
        let moved = before
            .as_ref()
            .and_then(|before| generation(before))
            .zip(generation(&snapshot))
            .filter(|(old, new)| new > old);
        let known = before.and_then(|before| before.tombstone.as_ref().map(|tombstone| tombstone.reason));
        if snapshot.error().is_none() && !read_again {
            self.calm(&mut state);
        }
        drop(state);
        if let Some((_, generation)) = moved {
            self.tell(Event::Refreshed { generation });
        }
        if let Some(reason) = buried
            && known != buried
        {
            self.bury(reason);
        }
        self.announce_ends();
        snapshot
    }

    /// Whether the store holds less than this process once read from it or wrote to it.
    pub(crate) fn lost(&self, seen: Option<&Versioned>, held: &TokenSet) -> bool {
        self.renewal == Renewal::Refresh && machine::went_back(seen.map(|seen| &seen.record), held)
    }

    /// The tokens that the store lost, and the revision at which it had them.
    pub(crate) fn lost_by_store(&self, seen: Option<&Versioned>) -> Option<(u64, TokenSet)> {
        let snapshot = self.snapshot()?;
        let held = snapshot.tokens.as_ref().filter(|_| snapshot.tombstone.is_none())?;
        self.lost(seen, held).then(|| (snapshot.revision, held.clone()))
    }

    pub(crate) fn bury(&self, reason: ReauthorizationReason) {
        tracing::warn!(key = %self.key, %reason, "the user must authorize again");
        self.tell(Event::ReauthorizationRequired { reason });
    }

    /// Removes what callers see.
    pub(crate) fn clear(&self) {
        let mut state = self.state();
        state.uncommitted = None;
        self.calm(&mut state);
        self.shown.replace(None);
    }

    pub(crate) fn calm(&self, state: &mut State) {
        state.trouble = None;
        state.failures = 0;
        self.quiet_until.store(0, Ordering::Release);
    }

    /// Tells those who watch of ends that are near, once for each end; says when the next one will be.
    pub(crate) fn announce_ends(&self) -> Option<Duration> {
        let events = self.events.get()?;
        if events.receiver_count() == 0 {
            return None;
        }
        let snapshot = self.snapshot()?;
        let tokens = snapshot.tokens.as_ref().filter(|_| snapshot.tombstone.is_none())?;
        let now = self.now().utc();
        let mut state = self.state();
        // An end that moved is another end.
        state.announced.retain(|(what, at)| end(tokens, *what) == Some(*at));
        let mut next = None;
        for what in [Expiring::Consent, Expiring::RefreshToken] {
            let Some(at) = end(tokens, what) else { continue };
            let notice = after(
                tokens.obtained_at,
                between(tokens.obtained_at, at).saturating_sub(notice(tokens, at)),
            );
            if now < notice {
                let wait = between(now, notice);
                next = Some(next.map_or(wait, |other: Duration| other.min(wait)));
            } else if !state.announced.contains(&(what, at)) {
                state.announced.push((what, at));
                let _ = events.send(Event::ExpiresSoon { what, at });
            }
        }
        next
    }

    pub(crate) fn tell(&self, event: Event) {
        if let Some(events) = self.events.get() {
            // Nobody listening is fine.
            let _ = events.send(event);
        }
    }

    pub(crate) fn note_verdict(&self, verdict: Option<Verdict>) {
        let at = self.now().utc();
        self.state().last = Some(Last { verdict, at });
    }

    pub(crate) fn last(&self) -> Option<Last> {
        self.state().last
    }

    pub(crate) fn attempting(&self) -> bool {
        self.flight.is_under_way()
    }

    pub(crate) fn trouble(&self) -> Option<(Duration, Error)> {
        let now = self.clock.monotonic();
        let state = self.state();
        let trouble = state.trouble.as_ref().filter(|trouble| trouble.until > now)?;
        Some((trouble.until - now, trouble.error.clone()))
    }

    /// Keeps a set that the store did not take. False: a login waits to be stored, and this set is of the grant that it
    /// replaced.
    pub(crate) fn keep_uncommitted(&self, uncommitted: Uncommitted, error: StoreError) -> bool {
        let mut state = self.state();
        let login_waits = state.uncommitted.as_ref().is_some_and(|held| held.0.parent.is_none());
        if login_waits && uncommitted.parent.is_some() {
            return false;
        }
        state.uncommitted = Some(Box::new((uncommitted, error)));
        true
    }

    /// Nothing waits to be stored any more.
    pub(crate) fn drop_uncommitted(&self) {
        self.state().uncommitted = None;
    }

    /// This set waits no more; another one may.
    pub(crate) fn no_longer_uncommitted(&self, tokens: &TokenSet) {
        let mut state = self.state();
        state.uncommitted = state.uncommitted.take().filter(|held| held.0.tokens != *tokens);
    }

    pub(crate) fn is_uncommitted(&self, tokens: &TokenSet) -> bool {
        self.state()
            .uncommitted
            .as_ref()
            .is_some_and(|held| held.0.tokens == *tokens)
    }

    pub(crate) fn uncommitted_tokens(&self) -> Option<TokenSet> {
        self.state().uncommitted.as_deref().map(|held| held.0.tokens.clone())
    }

    /// Without the last set in the store, the next refresh is not safe.
    pub(crate) fn uncommitted_trouble(&self) -> Option<Error> {
        let state = self.state();
        let (_, error) = state.uncommitted.as_deref()?;
        Some(Error::Store { source: error.clone() })
    }

    /// How long to leave the server or the store alone after this error.
    pub(crate) fn rest(&self, error: &Error, failures: u32) -> Duration {
        const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(600);

        let pause = spread(AFTER_FAILURE.pause(failures), 1.0..=1.25, self.random());
        match error {
            Error::Throttled { retry_after, .. } | Error::Transient { retry_after, .. } => {
                retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER).max(pause)
            }
            Error::InDoubt { .. } => pause,
            Error::Store { .. } => pause.min(Duration::from_secs(5)),
            Error::Busy { .. } => Duration::from_secs(1),
            Error::ClientMisconfigured { .. } | Error::RequestRejected { .. } => Duration::from_secs(10),
            // The store is asked again soon: somebody may have authorized elsewhere.
            Error::ReauthorizationRequired { .. } | Error::NoGrant { .. } => Duration::from_millis(500),
            Error::TokenRefused { .. } | Error::Interrupted(_) => Duration::ZERO,
        }
    }
}

fn end(tokens: &TokenSet, what: Expiring) -> Option<DateTime<Utc>> {
    match what {
        Expiring::Consent => tokens.consent_expires_at,
        Expiring::RefreshToken => tokens.refresh_expires_at,
    }
}

/// How long before an end it is announced: the last quarter of the time, a week at most.
fn notice(tokens: &TokenSet, end: DateTime<Utc>) -> Duration {
    const WEEK: Duration = Duration::from_secs(7 * 86_400);
    (between(tokens.obtained_at, end) / 4).min(WEEK)
}
