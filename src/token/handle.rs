//! The handle of one grant: a ready header for every call, and one refresh for all callers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use tokio::sync::{broadcast, watch};

use super::clock::{after, between};
use super::event::{Events, Expiring};
use super::live::flight::{Flight, Joined};
use super::live::shown::Shown;
use super::live::snapshot::Snapshot;
use super::machine::{self, Freshness, Now, Want};
use super::transaction::{self, Uncommitted, Versioned};
use super::{
    Clock, Error, Event, Explanation, Issuer, ReauthorizationReason, Renewal, RevokedToken, Rotation, StoreError,
    TokenHandleBuilder, TokenInfo, TokenKey, TokenReply, TokenSet, TokenStore, Verdict,
};
use crate::transport::{Bearer, Rejection, TokenSource};
use crate::{ScopeSet, Secret};

/// The tokens of one grant, kept fresh.
///
/// Cheap to clone; clones share everything. As long as the token is fresh,
/// [`header`](Self::header) is all that a call needs: no lock, no waiting. When
/// it is not, all callers wait for one and the same attempt, which runs in a
/// task of its own: a caller that goes away changes nothing.
///
/// No task or timer exists while nothing happens: ten thousand idle handles
/// cost memory only.
///
/// ```
/// use std::sync::Arc;
/// use futures_util::future::{BoxFuture, FutureExt as _};
/// use finrail::token::{
///     GrantKind, Issuer, IssuerError, Obtain, Renewal, RevokedToken, TokenHandle, TokenKey, TokenReply,
/// };
///
/// struct Always;
///
/// impl Issuer for Always {
///     fn obtain(&self, _: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
///         async { Ok(TokenReply::new("a-token")) }.boxed()
///     }
///     fn revoke(&self, _: RevokedToken) -> BoxFuture<'_, Result<bool, IssuerError>> {
///         async { Ok(true) }.boxed()
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let key = TokenKey::new("ofx", "client-1", GrantKind::ClientCredentials);
/// let handle = TokenHandle::builder(key, Arc::new(Always), Renewal::Anew).build();
/// assert!(handle.header().is_none());
/// let bearer = handle.fresh().await?;
/// assert!(bearer.header.is_sensitive());
/// assert!(handle.header().is_some());
/// # Ok::<(), finrail::token::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct TokenHandle(Arc<Inner>);

impl TokenHandle {
    /// A handle for the grant with this key.
    pub fn builder(key: TokenKey, issuer: Arc<dyn Issuer>, renewal: Renewal) -> TokenHandleBuilder {
        TokenHandleBuilder::new(key, issuer, renewal)
    }

    pub(super) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Whose grant it is.
    #[must_use]
    pub fn key(&self) -> &TokenKey {
        &self.0.key
    }

    /// A ready header: no waiting, no lock, no allocation. None: [`fresh`](Self::fresh) has to get one.
    ///
    /// Near the end of the token's life this also starts a refresh, beside the call; and every few minutes a look at
    /// the store, where another process may have ended the grant.
    #[must_use]
    pub fn header(&self) -> Option<Bearer> {
        let seen = self.0.shown.see()?;
        let ready = seen.ready()?;
        let now = self.0.coarse_now();
        match ready
            .horizon
            .map_or(Freshness::Unknown, |horizon| horizon.freshness(now))
        {
            Freshness::Mandatory | Freshness::Expired => return None,
            Freshness::Advisory => self.0.attempt_beside(Want::Younger),
            Freshness::Fresh | Freshness::Unknown => {
                if now.monotonic.as_secs() >= self.0.look_again_at.load(Ordering::Relaxed) {
                    self.0.attempt_beside(Want::Usable);
                }
            }
        }
        Some(ready.bearer.clone())
    }

    /// A header of a token that is not about to end, after whatever it takes to get one.
    ///
    /// # Errors
    ///
    /// When there is no usable token and none can be had; see [`Error`].
    pub async fn fresh(&self) -> Result<Bearer, Error> {
        if let Some(bearer) = self.header() {
            return Ok(bearer);
        }
        let want = match self.0.snapshot().as_deref() {
            Some(snapshot) if snapshot.is_refused() => snapshot
                .tokens
                .as_ref()
                .map_or(Want::Usable, |tokens| Want::Other(tokens.access_token.clone())),
            _ => Want::Usable,
        };
        let error = match self.0.attempt(want).await {
            Ok(snapshot) => match snapshot.bearer() {
                Ok(bearer) => return Ok(bearer),
                Err(error) => error,
            },
            Err(error) => error,
        };
        // A refresh that failed is nobody's trouble as long as the token at hand lives.
        self.0.still_serving().ok_or(error)
    }

    /// The provider answered 401 to this generation: a header of another token.
    ///
    /// However many calls report the same generation, one refresh is made. A
    /// token that is refused moments after it was issued, twice in a row, is not
    /// the token's fault: then the grant is left alone. So it is when the
    /// provider does not say that it is the token, and nothing could replace it.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::TokenRefused`] is the case above.
    pub async fn rejected(&self, generation: u64, rejection: Rejection) -> Result<Bearer, Error> {
        let Some(refused) = self.0.refuse(generation, rejection)? else {
            return self.fresh().await;
        };
        // The first attempt may be one that was under way, and it may have found the very token that was refused.
        for _ in 0..2 {
            let snapshot = self.0.attempt(Want::Other(refused.clone())).await?;
            let same = snapshot
                .tokens
                .as_ref()
                .is_some_and(|tokens| tokens.access_token == refused);
            if !same {
                return snapshot.bearer();
            }
        }
        Err(Error::TokenRefused { retry_after: None })
    }

    /// Takes the first tokens of a grant, after a login, and stores them.
    ///
    /// They replace whatever was stored under the key, a tombstone included.
    ///
    /// # Errors
    ///
    /// When the store fails. The tokens then serve from memory and the write is
    /// tried again until it succeeds; the error says only that it has not yet.
    pub async fn adopt(&self, reply: TokenReply) -> Result<TokenInfo, Error> {
        self.owned(|inner| async move { super::transaction::grant::adopt(&inner, reply).await })
            .await
    }

    /// Looks the grant up in the store, after a restart. None: there is none.
    ///
    /// Calls do this by themselves when they need a token.
    ///
    /// # Errors
    ///
    /// [`Error::ReauthorizationRequired`] when the stored grant is over,
    /// [`Error::Store`] when the store fails.
    pub async fn load(&self) -> Result<Option<TokenInfo>, Error> {
        let Some(seen) = transaction::read(&self.0).await? else {
            return Ok(None);
        };
        let snapshot = self.0.publish(seen);
        match (&snapshot.tombstone, &snapshot.tokens) {
            (Some(tombstone), _) if tombstone.reason == ReauthorizationReason::Forgotten => Ok(None),
            (Some(tombstone), _) => Err(Error::ReauthorizationRequired {
                reason: tombstone.reason,
            }),
            (None, tokens) => Ok(tokens.as_ref().map(|tokens| tokens.info())),
        }
    }

    /// Ends the grant at the provider and leaves a tombstone in the store.
    ///
    /// The refresh token is sent first, because it ends the whole grant (RFC
    /// 7009 section 2). Where the provider has no revocation, the grant is ended
    /// here only.
    ///
    /// # Errors
    ///
    /// When the provider did not say that it is done: a 503 means that the
    /// token still lives (RFC 7009 section 2.2.1), and so it does here.
    pub async fn revoke(&self) -> Result<(), Error> {
        self.owned(|inner| async move { super::transaction::grant::revoke(&inner).await })
            .await
    }

    /// Removes the grant's tokens from this process and from the store, without a word to the provider.
    ///
    /// A mark without tokens stays in the store, so that other processes forget the grant too, and a store that lost
    /// it is told from one that was told to.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn forget(&self) -> Result<(), Error> {
        self.owned(|inner| async move { super::transaction::grant::forget(&inner).await })
            .await
    }

    /// Waits until nothing is under way: no request, no login or revocation, and no tokens that wait to be stored.
    ///
    /// A refresh runs beside the calls, and the end of the runtime cuts it off. A program that ends after its last
    /// call waits for this first, or the reply to a refresh may be lost with the refresh token that it brings.
    /// Bound it with a timeout of your own: a store that stays away keeps it waiting.
    ///
    /// ```
    /// # async fn example(handle: finrail::token::TokenHandle) {
    /// let patience = std::time::Duration::from_secs(30);
    /// if tokio::time::timeout(patience, handle.settled()).await.is_err() {
    ///     eprintln!("{}", handle.explain().await);
    /// }
    /// # }
    /// ```
    pub async fn settled(&self) {
        const PAUSE: Duration = Duration::from_millis(20);

        loop {
            if let Some(mut flight) = self.0.flight.current() {
                // An attempt that was cut off has landed too.
                let _ = flight.wait_for(Option::is_some).await;
            } else if self.0.changes.load(Ordering::Acquire) > 0 || self.0.uncommitted_tokens().is_some() {
                tokio::time::sleep(PAUSE).await;
            } else {
                return;
            }
        }
    }

    /// What may be known of the tokens at hand; none: there are none in this process yet.
    #[must_use]
    pub fn info(&self) -> Option<TokenInfo> {
        let snapshot = self.0.snapshot()?;
        snapshot.tokens.as_ref().map(|tokens| tokens.info())
    }

    /// Why the grant is in the state it is in, and what happens next. No secret is in it.
    ///
    /// Reads the store; if that fails, says so.
    pub async fn explain(&self) -> Explanation {
        super::explain::explain(&self.0).await
    }

    /// What happens to the grant from now on.
    ///
    /// That the refresh token or the consent ends soon is told to whoever watches, once for each end.
    #[must_use]
    pub fn watch(&self) -> Events {
        let events = self.0.events.get_or_init(|| broadcast::channel(32).0).subscribe();
        Events::new(events, Arc::downgrade(&self.0))
    }

    /// A handle that does not keep the grant in memory.
    #[must_use]
    pub(crate) fn downgrade(&self) -> WeakTokenHandle {
        WeakTokenHandle(Arc::downgrade(&self.0))
    }

    /// Runs a change of the grant in a task of its own: what was begun is finished, whoever waits for it.
    async fn owned<T, F>(&self, change: impl FnOnce(Arc<Inner>) -> F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let under_way = UnderWay::new(&self.0);
        let change = change(Arc::clone(&self.0));
        tokio::spawn(async move {
            let _under_way = under_way;
            change.await
        })
        .await
        .unwrap_or(Err(Error::Interrupted("the runtime is shutting down")))
    }
}

/// A change of the grant that is under way, until it is dropped.
struct UnderWay(Arc<Inner>);

impl UnderWay {
    fn new(inner: &Arc<Inner>) -> Self {
        inner.changes.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(inner))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.changes.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A [`TokenHandle`] that may be gone.
#[derive(Clone)]
pub(crate) struct WeakTokenHandle(Weak<Inner>);

impl WeakTokenHandle {
    pub fn upgrade(&self) -> Option<TokenHandle> {
        self.0.upgrade().map(TokenHandle)
    }
}

impl std::fmt::Debug for TokenHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenHandle")
            .field("key", &self.0.key)
            .field("generation", &self.0.generation())
            .finish_non_exhaustive()
    }
}

impl TokenSource for TokenHandle {
    fn ready(&self) -> Option<Bearer> {
        self.header()
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Bearer, Error>> {
        Box::pin(self.fresh())
    }

    fn rejected(&self, generation: u64, rejection: Rejection) -> BoxFuture<'_, Result<Bearer, Error>> {
        Box::pin(self.rejected(generation, rejection))
    }

    fn granted(&self) -> Option<Arc<ScopeSet>> {
        Some(Arc::clone(self.0.shown.see()?.ready()?.scopes))
    }
}

type Outcome = Result<Arc<Snapshot>, Error>;

/// What all clones of a handle share.
pub(crate) struct Inner {
    key: TokenKey,
    issuer: Arc<dyn Issuer>,
    renewal: Renewal,
    rotation: Rotation,
    store: Arc<dyn TokenStore>,
    clock: Arc<dyn Clock>,
    holder: Box<str>,
    seed: u64,
    request_timeout: Duration,
    shown: Shown,
    flight: Flight<watch::Receiver<Option<Outcome>>>,
    /// Monotonic milliseconds until which no attempt is started, for the same readers.
    quiet_until: AtomicU64,
    /// Monotonic seconds from which on the store is looked at again, beside a call.
    look_again_at: AtomicU64,
    /// Logins, revocations and the like that are under way.
    changes: AtomicU64,
    draws: AtomicU64,
    state: Mutex<State>,
    events: OnceLock<broadcast::Sender<Event>>,
}

#[derive(Default)]
struct State {
    trouble: Option<Trouble>,
    failures: u32,
    uncommitted: Option<Box<(Uncommitted, StoreError)>>,
    last: Option<Last>,
    refusals: u32,
    /// Which ends were announced.
    announced: Vec<(Expiring, DateTime<Utc>)>,
}

/// Why no attempt is made for a while.
struct Trouble {
    until: Duration,
    error: Error,
}

/// The last thing that the authorization server said.
#[derive(Clone, Copy)]
pub(crate) struct Last {
    pub verdict: Option<Verdict>,
    pub at: chrono::DateTime<chrono::Utc>,
}

impl Inner {
    pub(super) fn new(set_up: TokenHandleBuilder) -> Self {
        let seed = set_up.seed.or_else(|| getrandom::u64().ok()).unwrap_or(0);
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
            seed,
            request_timeout: set_up.request_timeout,
            shown: Shown::new(),
            flight: Flight::new(),
            quiet_until: AtomicU64::new(0),
            look_again_at: AtomicU64::new(0),
            changes: AtomicU64::new(0),
            draws: AtomicU64::new(0),
            state: Mutex::default(),
            events: OnceLock::new(),
        }
    }

    pub fn key(&self) -> &TokenKey {
        &self.key
    }

    pub fn issuer(&self) -> &dyn Issuer {
        &*self.issuer
    }

    pub fn store(&self) -> &dyn TokenStore {
        &*self.store
    }

    pub fn renewal(&self) -> Renewal {
        self.renewal
    }

    pub fn rotation(&self) -> &Rotation {
        &self.rotation
    }

    pub fn holder(&self) -> &str {
        &self.holder
    }

    pub fn request_timeout(&self) -> Duration {
        self.request_timeout
    }

    /// Long enough for reading, one request and its commit.
    pub fn lease_ttl(&self) -> Duration {
        self.request_timeout + self.request_timeout.max(Duration::from_secs(5))
    }

    pub fn now(&self) -> Now {
        Now {
            wall: self.clock.wall(),
            monotonic: self.clock.monotonic(),
        }
    }

    /// The same, as cheap as it can be.
    fn coarse_now(&self) -> Now {
        let (wall, monotonic) = self.clock.coarse();
        Now { wall, monotonic }
    }

    /// The same for the same generation, different in every process.
    pub fn jitter(&self, generation: u64) -> f64 {
        unit(mix(self.seed ^ generation.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// From 0 to 1; for pauses only.
    pub fn random(&self) -> f64 {
        unit(mix(self.seed.wrapping_add(self.draws.fetch_add(1, Ordering::Relaxed))))
    }

    pub fn generation(&self) -> u64 {
        self.snapshot()
            .and_then(|snapshot| snapshot.tokens.as_ref().map(|tokens| tokens.generation))
            .unwrap_or(0)
    }

    pub fn revision(&self) -> u64 {
        self.snapshot().map_or(0, |snapshot| snapshot.revision)
    }

    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.shown.load()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the attempt that is under way, or starts one.
    async fn attempt(self: &Arc<Self>, want: Want) -> Outcome {
        let mut flight = self.join(want)?;
        match flight.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Err(CUT_OFF)),
            Err(_) => Err(CUT_OFF),
        }
    }

    fn join(self: &Arc<Self>, want: Want) -> Result<watch::Receiver<Option<Outcome>>, Error> {
        let mut begun = None;
        let joined = self.flight.join(|| {
            let now = self.clock.monotonic();
            if let Some(trouble) = &self.state().trouble
                && now < trouble.until
            {
                return Err(trouble.error.clone().with_retry_after(trouble.until - now));
            }
            let Ok(runtime) = tokio::runtime::Handle::try_current() else {
                return Err(Error::Interrupted("there is no tokio runtime here"));
            };
            let (sender, receiver) = watch::channel(None);
            begun = Some((runtime, sender));
            Ok(receiver)
        })?;
        match joined {
            Joined::Waits(receiver) => Ok(receiver),
            Joined::Leads(receiver) => {
                if let Some((runtime, sender)) = begun {
                    let landing = Landing {
                        inner: Arc::clone(self),
                        sender,
                    };
                    runtime.spawn(async move {
                        let outcome = transaction::run(&landing.inner, want).await;
                        landing.land(outcome);
                    });
                }
                Ok(receiver)
            }
        }
    }

    /// Starts an attempt and does not wait for it.
    fn attempt_beside(self: &Arc<Self>, want: Want) {
        if self.flight.is_under_way() {
            return;
        }
        let quiet_until = self.quiet_until.load(Ordering::Acquire);
        if quiet_until != 0 && self.clock.monotonic() < Duration::from_millis(quiet_until) {
            return;
        }
        let _ = self.join(want);
    }

    /// The store was looked at just now.
    fn looked(&self) {
        const LOOK_AGAIN: Duration = Duration::from_secs(300);
        let next = self.clock.monotonic() + LOOK_AGAIN;
        self.look_again_at.store(next.as_secs(), Ordering::Relaxed);
    }

    /// The token at hand, if it still lives.
    fn still_serving(&self) -> Option<Bearer> {
        let snapshot = self.snapshot()?;
        let over = snapshot.freshness(self.now()) == Freshness::Expired || snapshot.is_refused();
        if over { None } else { snapshot.bearer.clone() }
    }

    /// The access token that was refused; none: another one is at hand already.
    fn refuse(&self, generation: u64, rejection: Rejection) -> Result<Option<Secret>, Error> {
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
    pub fn publish(&self, seen: Versioned) -> Arc<Snapshot> {
        self.show(seen, false)
    }

    /// The same for tokens that the store does not hold yet.
    pub fn publish_unstored(&self, seen: Versioned) -> Arc<Snapshot> {
        self.show(seen, true)
    }

    fn show(&self, seen: Versioned, unstored: bool) -> Arc<Snapshot> {
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
    fn lost(&self, seen: Option<&Versioned>, held: &TokenSet) -> bool {
        self.renewal == Renewal::Refresh && machine::went_back(seen.map(|seen| &seen.record), held)
    }

    /// The tokens that the store lost, and the revision at which it had them.
    pub fn lost_by_store(&self, seen: Option<&Versioned>) -> Option<(u64, TokenSet)> {
        let snapshot = self.snapshot()?;
        let held = snapshot.tokens.as_ref().filter(|_| snapshot.tombstone.is_none())?;
        self.lost(seen, held).then(|| (snapshot.revision, held.clone()))
    }

    fn bury(&self, reason: ReauthorizationReason) {
        tracing::warn!(key = %self.key, %reason, "the user must authorize again");
        self.tell(Event::ReauthorizationRequired { reason });
    }

    /// Removes what callers see.
    pub fn clear(&self) {
        let mut state = self.state();
        state.uncommitted = None;
        self.calm(&mut state);
        self.shown.replace(None);
    }

    fn calm(&self, state: &mut State) {
        state.trouble = None;
        state.failures = 0;
        self.quiet_until.store(0, Ordering::Release);
    }

    /// Tells those who watch of ends that are near, once for each end; says when the next one will be.
    pub fn announce_ends(&self) -> Option<Duration> {
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

    pub fn tell(&self, event: Event) {
        if let Some(events) = self.events.get() {
            // Nobody listening is fine.
            let _ = events.send(event);
        }
    }

    pub fn note_verdict(&self, verdict: Option<Verdict>) {
        let at = self.now().utc();
        self.state().last = Some(Last { verdict, at });
    }

    pub fn last(&self) -> Option<Last> {
        self.state().last
    }

    pub fn attempting(&self) -> bool {
        self.flight.is_under_way()
    }

    pub fn trouble(&self) -> Option<(Duration, Error)> {
        let now = self.clock.monotonic();
        let state = self.state();
        let trouble = state.trouble.as_ref().filter(|trouble| trouble.until > now)?;
        Some((trouble.until - now, trouble.error.clone()))
    }

    /// Keeps a set that the store did not take. False: a login waits to be stored, and this set is of the grant that it
    /// replaced.
    pub fn keep_uncommitted(&self, uncommitted: Uncommitted, error: StoreError) -> bool {
        let mut state = self.state();
        let login_waits = state.uncommitted.as_ref().is_some_and(|held| held.0.parent.is_none());
        if login_waits && uncommitted.parent.is_some() {
            return false;
        }
        state.uncommitted = Some(Box::new((uncommitted, error)));
        true
    }

    /// Nothing waits to be stored any more.
    pub fn drop_uncommitted(&self) {
        self.state().uncommitted = None;
    }

    /// This set waits no more; another one may.
    pub fn no_longer_uncommitted(&self, tokens: &TokenSet) {
        let mut state = self.state();
        state.uncommitted = state.uncommitted.take().filter(|held| held.0.tokens != *tokens);
    }

    pub fn is_uncommitted(&self, tokens: &TokenSet) -> bool {
        self.state()
            .uncommitted
            .as_ref()
            .is_some_and(|held| held.0.tokens == *tokens)
    }

    pub fn uncommitted_tokens(&self) -> Option<TokenSet> {
        self.state().uncommitted.as_deref().map(|held| held.0.tokens.clone())
    }

    /// Without the last set in the store, the next refresh is not safe.
    pub fn uncommitted_trouble(&self) -> Option<Error> {
        let state = self.state();
        let (_, error) = state.uncommitted.as_deref()?;
        Some(Error::Store { source: error.clone() })
    }

    /// How long to leave the server or the store alone after this error.
    fn rest(&self, error: &Error, failures: u32) -> Duration {
        const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(600);

        let pause = machine::pause(failures).mul_f64(1.0 + self.random() / 4.0);
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

const CUT_OFF: Error = Error::Interrupted("the runtime is shutting down");

/// Ends an attempt, whether it has an outcome or was cut off.
struct Landing {
    inner: Arc<Inner>,
    sender: watch::Sender<Option<Outcome>>,
}

impl Landing {
    fn land(self, outcome: Outcome) {
        {
            self.inner.looked();
            let mut state = self.inner.state();
            match &outcome {
                Ok(_) => self.inner.calm(&mut state),
                Err(error) => {
                    state.failures += 1;
                    let rest = self.inner.rest(error, state.failures);
                    let until = self.inner.clock.monotonic() + rest;
                    let millis = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
                    self.inner.quiet_until.store(millis, Ordering::Release);
                    state.trouble = Some(Trouble {
                        until,
                        error: error.clone(),
                    });
                    tracing::debug!(key = %self.inner.key, %error, ?rest, "no new token");
                }
            }
        }
        self.inner.flight.land(|| {
            self.sender.send_replace(Some(outcome));
        });
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        // Cut off by a panic or a shutdown. After a landing there may be another attempt already.
        if self.sender.borrow().is_none() {
            self.inner.flight.land(|| {});
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

/// SplitMix64's finalizer.
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// From 0 to 1.
fn unit(bits: u64) -> f64 {
    f64::from(u32::try_from(bits >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}

/// The refresh token ends the whole grant, so it goes first (RFC 7009 section 2.1).
pub(crate) fn revoked_token(tokens: &TokenSet) -> RevokedToken {
    match &tokens.refresh_token {
        Some(refresh_token) => RevokedToken::Refresh(refresh_token.clone()),
        None => RevokedToken::Access(tokens.access_token.clone()),
    }
}
