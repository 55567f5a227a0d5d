//! The handle of one grant: a ready header for every call, and one refresh for all callers.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::clock::{Now, Tick};
use super::live::{Live, Refusal};
use super::machine::{Freshness, Want};
use super::store::StoredRecord;
use super::transaction::Left;
use super::watch::Events;
use super::{
    Error, Explanation, GrantKind, Issuer, ReauthorizationReason, Record, Renewal, StoreError, TokenHandleBuilder,
    TokenInfo, TokenKey, TokenReply, TokenSet, attempt, transaction,
};
use crate::token::source::{Bearer, Rejection, TokenSource};
use crate::value::{ScopeSet, with_causes};

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
///     GrantKind, Issuer, IssuerError, Obtain, Renewal, RevokeRequest, TokenHandle, TokenKey, TokenReply,
/// };
///
/// struct Always;
///
/// impl Issuer for Always {
///     fn obtain(&self, _: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
///         async { Ok(TokenReply::new("a-token")) }.boxed()
///     }
///     fn revoke(&self, _: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
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
pub struct TokenHandle(Arc<Live>);

impl TokenHandle {
    /// A handle for the grant with this key.
    pub fn builder(key: TokenKey, issuer: Arc<dyn Issuer>, renewal: Renewal) -> TokenHandleBuilder {
        TokenHandleBuilder::new(key, issuer, renewal)
    }

    /// Whose grant it is.
    #[must_use]
    pub fn key(&self) -> &TokenKey {
        &self.0.grant.key
    }

    /// A ready header: no waiting, no lock, no allocation. None: [`fresh`](Self::fresh) has to get one, or to look whether
    /// the grant was ended elsewhere while nobody used it here.
    ///
    /// Near the end of the token's life this also starts a refresh, beside the call; and after half of the time of
    /// [`look_again_every`](TokenHandleBuilder::look_again_every) a look at the store, where another process may have
    /// ended the grant.
    #[must_use]
    pub fn header(&self) -> Option<Bearer> {
        let seen = self.0.held.shown.see()?;
        let ready = seen.ready()?;
        let now = Tick::read(&*self.0.clock);
        match ready
            .horizon
            .map_or(Freshness::Unknown, |horizon| horizon.freshness(now))
        {
            Freshness::Mandatory | Freshness::Expired => return None,
            Freshness::Advisory => {
                if self.0.held.look_is_overdue(now) {
                    return None;
                }
                attempt::beside(&self.0, Want::Younger);
            }
            Freshness::Fresh | Freshness::Unknown => {
                if self.0.held.look_is_due(now) {
                    if self.0.held.look_is_overdue(now) {
                        return None;
                    }
                    attempt::beside(&self.0, Want::Usable);
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
        match self.header() {
            Some(bearer) => Ok(bearer),
            None => attempt::fresh(&self.0).await,
        }
    }

    /// The provider answered 401 to this generation: a header of another token. So is the same access token where the
    /// server gives it once more for a refresh, which says that it is good.
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
        match self.0.held.refuse(generation, rejection, self.0.now()) {
            Refusal::Outdated => self.fresh().await,
            Refusal::Replace(refused) => attempt::replace(&self.0, &refused, rejection).await,
            Refusal::Stands { retry_after } => Err(Error::TokenRefused { retry_after }),
        }
    }

    /// Refreshes the grant although its access token may be good for a long time, because its refresh token is not.
    ///
    /// `after`: the [generation](super::TokenInfo::generation) that was looked at. Where there are tokens of a later one,
    /// this process's or another's, nothing is sent. [`App::keep_alive`](crate::App::keep_alive) does this for all grants
    /// of an application.
    ///
    /// ```
    /// # async fn example(handle: finrail::token::TokenHandle) -> Result<(), finrail::token::Error> {
    /// if let Some(info) = handle.load().await? {
    ///     let soon = chrono::Utc::now() + chrono::TimeDelta::days(3);
    ///     if info.refresh_expires_at.is_some_and(|end| end < soon) {
    ///         handle.renew(info.generation).await?;
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// When there are no later tokens and none can be had; see [`Error`].
    pub async fn renew(&self, after: u64) -> Result<(), Error> {
        attempt::renew(&self.0, after).await
    }

    /// Takes the first tokens of a grant, after a login, and stores them.
    ///
    /// They replace whatever was stored under the key, a tombstone included. Their times count from this call on.
    ///
    /// # Errors
    ///
    /// When the store fails. The tokens then serve from memory and the write is
    /// tried again until it succeeds; the error says only that it has not yet.
    pub async fn adopt(&self, reply: TokenReply) -> Result<TokenInfo, Error> {
        self.adopt_sent(reply, self.0.now()).await
    }

    /// The same for tokens that were asked for at this time, from which their times count.
    pub(crate) async fn adopt_sent(&self, reply: TokenReply, sent_at: Now) -> Result<TokenInfo, Error> {
        self.owned(move |live| async move { transaction::adopt(&live, reply, sent_at).await })
            .await
    }

    /// Takes the tokens of a grant that was made elsewhere, where the store has nothing under the key yet.
    pub(crate) async fn import(&self, tokens: TokenSet) -> Result<TokenInfo, Error> {
        self.owned(|live| async move { transaction::import(&live, tokens).await })
            .await
    }

    /// What the store has of the grant, its end included.
    pub(crate) async fn stored(&self) -> Result<Option<Record>, Error> {
        let stored = match self.0.store.look_for_change().await {
            Err(error) if self.mend(&error).await => self.0.store.look_for_change().await?,
            stored => stored?,
        };
        Ok(stored.map(|stored| stored.record))
    }

    /// Looks the grant up in the store, after a restart. None: there is none, and this process holds none either.
    ///
    /// A grant that lives in this process only, because the store did not take it yet or has lost it, is there. So is one
    /// whose record is damaged. The store gets back what it lost.
    /// Calls do this by themselves when they need a token.
    ///
    /// # Errors
    ///
    /// [`Error::ReauthorizationRequired`] when the stored grant is over,
    /// [`Error::Store`] when the store fails.
    pub async fn load(&self) -> Result<Option<TokenInfo>, Error> {
        let living = || self.0.held.snapshot().filter(|held| held.living().is_some());
        let snapshot = match self.0.store.look().await {
            Ok(seen) => {
                let is_undone = |seen| self.0.held.end_undone_by(seen).is_some();
                if transaction::is_behind(&self.0, seen.as_ref()) || seen.as_ref().is_some_and(is_undone) {
                    self.put_right().await;
                }
                match seen.map(|seen| self.0.publish(seen)).or_else(living) {
                    Some(known) => known,
                    None => return Ok(None),
                }
            }
            Err(error) => {
                let mended = match self.mend(&error).await {
                    true => self.0.store.look().await.ok().flatten(),
                    false => None,
                };
                let known = mended.map(|mended| self.0.publish(mended)).or_else(living);
                known.filter(|_| error.damage().is_some()).ok_or(error)?
            }
        };
        match (&snapshot.tombstone, &snapshot.tokens) {
            (Some(tombstone), _) if tombstone.reason == ReauthorizationReason::Forgotten => Ok(None),
            (Some(tombstone), _) => Err(self.0.ended(tombstone)),
            (None, tokens) => Ok(tokens.as_ref().map(|tokens| tokens.info())),
        }
    }

    /// Gives the store back what was in a record that it has damaged, where this process knows that. Whether it has a record
    /// that can be read now; if not, the log says why, and a refresh tries again.
    pub(crate) async fn mend(&self, error: &StoreError) -> bool {
        self.0.held.can_mend(error) && self.put_right().await
    }

    /// What the store has of the grant, after it got back what it lost and this process holds.
    pub(crate) async fn put_back(&self) -> Result<Option<StoredRecord>, StoreError> {
        let is_lost = match self.0.store.look().await {
            Ok(seen) => self.0.held.lost_by_store(seen.as_ref()).is_some(),
            Err(error) if self.0.held.can_mend(&error) => true,
            Err(error) => return Err(error),
        };
        if is_lost {
            self.put_right().await;
        }
        self.0.store.load().await
    }

    async fn put_right(&self) -> bool {
        let mended = self.owned(|live| async move { Ok(transaction::mend(&live).await?) });
        mended.await.unwrap_or_else(|error| {
            tracing::warn!(key = %self.0.grant.named(), error = %with_causes(&error), "what the store lost was not put right");
            false
        })
    }

    /// Ends the grant at the provider and leaves a tombstone in the store.
    ///
    /// The refresh token is sent first, because it ends the whole grant (RFC
    /// 7009 section 2). Where the provider has no revocation, the grant is ended
    /// here only.
    ///
    /// Other processes that share the store learn of it within the time that
    /// [`look_again_every`](TokenHandleBuilder::look_again_every) says, five minutes by default. Until
    /// then they send the access token, which the provider may still take (RFC 7009 section 2.1).
    ///
    /// # Errors
    ///
    /// When the provider did not say that it is done: a 503 means that the
    /// token still lives (RFC 7009 section 2.2.1), and so it does here.
    pub async fn revoke(&self) -> Result<(), Error> {
        self.owned(|live| async move { transaction::revoke(&live).await }).await
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
        self.owned(|live| async move { transaction::forget(&live, Left::Name).await })
            .await
    }

    /// Revokes what lives of the grant, where that is asked for, and removes it from this process and from the store. The mark
    /// that stays does not name whose grant it was.
    ///
    /// # Errors
    ///
    /// When the provider did not revoke it, or the store fails: nothing is removed then.
    pub(crate) async fn erase(&self, revokes: bool) -> Result<(), Error> {
        self.owned(|live| async move {
            match revokes {
                true => transaction::erase(&live).await,
                false => transaction::forget(&live, Left::Pseudonym).await,
            }
        })
        .await
    }

    /// Whether this process holds tokens of the grant that live, be they stored or not.
    pub(crate) fn holds_tokens(&self) -> bool {
        let held = self.0.held.snapshot();
        held.is_some_and(|held| held.living().is_some()) || !self.0.held.unstored.is_empty()
    }

    /// Waits until nothing is under way: no request, no login or revocation, and no tokens that wait to be stored.
    ///
    /// A refresh runs beside the calls, and the end of the runtime cuts it off. A program that ends after its last
    /// call waits for this first, or the reply to a refresh may be lost with the refresh token that it brings.
    /// Bound it with a timeout of your own: a store that stays away keeps it waiting. Giving up the wait stops nothing
    /// that is under way, and it may be waited for again.
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
            } else if self.0.changes.load(Ordering::Acquire) > 0 || !self.0.held.unstored.is_empty() {
                tokio::time::sleep(PAUSE).await;
            } else {
                return;
            }
        }
    }

    /// What may be known of the tokens at hand; none: there are none in this process yet.
    #[must_use]
    pub fn info(&self) -> Option<TokenInfo> {
        let snapshot = self.0.held.snapshot()?;
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
        Events::new(self.0.news.subscribe(), Arc::downgrade(&self.0))
    }

    /// A handle that does not keep the grant in memory.
    #[must_use]
    pub(crate) fn downgrade(&self) -> WeakTokenHandle {
        WeakTokenHandle(Arc::downgrade(&self.0))
    }

    /// Runs a change of the grant in a task of its own: what was begun is finished, whoever waits for it.
    async fn owned<T, F>(&self, change: impl FnOnce(Arc<Live>) -> F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let under_way = self.0.under_way();
        let change = change(Arc::clone(&self.0));
        tokio::spawn(async move {
            let _under_way = under_way;
            change.await
        })
        .await
        .unwrap_or(Err(Error::Interrupted(
            "the runtime is shutting down; ask again after the next start",
        )))
    }
}

impl TokenHandleBuilder {
    /// The handle. Nothing is read and nothing is sent.
    #[must_use]
    pub fn build(self) -> TokenHandle {
        TokenHandle(Arc::new(Live::new(self)))
    }
}

/// A [`TokenHandle`] that may be gone.
#[derive(Clone)]
pub(crate) struct WeakTokenHandle(Weak<Live>);

impl WeakTokenHandle {
    pub fn upgrade(&self) -> Option<TokenHandle> {
        self.0.upgrade().map(TokenHandle)
    }
}

impl std::fmt::Debug for TokenHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenHandle")
            .field("key", &self.0.grant.key)
            .field("generation", &self.0.held.generation())
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

    fn provider(&self) -> Option<&str> {
        Some(&self.key().provider)
    }

    fn grant(&self) -> Option<GrantKind> {
        Some(self.key().grant)
    }

    fn token_endpoint(&self) -> Option<&str> {
        Some(&self.key().token_endpoint)
    }

    fn granted(&self) -> Option<Arc<ScopeSet>> {
        Some(Arc::clone(self.0.held.shown.see()?.ready()?.scopes))
    }

    fn connection(&self) -> Option<String> {
        Some(self.0.grant.key.storage_id())
    }

    fn waiting(&self) -> Option<Error> {
        let for_its_turn = self.0.store.waiting().map(Error::from);
        for_its_turn.or_else(|| self.0.waits.error())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Mutex;
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::token::store::{Lease, Leased, MemoryStore, StoredRecord, Swap, Swapped, swap_alone};
    use crate::token::{GrantKind, IssuerError, ManualClock, Obtain, Record, RevokeRequest, StoreError, TokenStore};

    struct Nobody;

    impl Issuer for Nobody {
        fn obtain(&self, _: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
            Box::pin(std::future::pending())
        }
        fn revoke(&self, _: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
            Box::pin(std::future::pending())
        }
    }

    /// A server that writes down which tokens it is asked to revoke.
    #[derive(Default)]
    struct Revoking(Mutex<Vec<String>>);

    impl Issuer for Revoking {
        fn obtain(&self, _: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
            Box::pin(std::future::pending())
        }
        fn revoke(&self, request: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
            let token = request.token.secret().expose_secret().to_owned();
            self.0.lock().unwrap().push(token);
            Box::pin(std::future::ready(Ok(true)))
        }
    }

    /// A store that takes writes until it fails; a server without revocation that is asked makes it fail. It can be read,
    /// but for one time where it is told so.
    #[derive(Clone, Default)]
    struct Failing(MemoryStore, Arc<AtomicBool>, Arc<AtomicBool>);

    impl TokenStore for Failing {
        fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
            if self.2.swap(false, Ordering::SeqCst) {
                return Box::pin(std::future::ready(Err(StoreError::unavailable("read", "it is away"))));
            }
            self.0.load(key)
        }
        fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
            if self.1.load(Ordering::SeqCst) {
                return Box::pin(std::future::ready(Err(StoreError::unavailable("write", "it is full"))));
            }
            self.0.swap(key, swap)
        }
        fn lease<'a>(
            &'a self,
            key: &'a TokenKey,
            by: &'a str,
            ttl: Duration,
        ) -> BoxFuture<'a, Result<Leased, StoreError>> {
            self.0.lease(key, by, ttl)
        }
        fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
            self.0.release(key, lease)
        }
    }

    impl Issuer for Failing {
        fn obtain(&self, _: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
            Box::pin(std::future::pending())
        }
        fn revoke(&self, _: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
            self.1.store(true, Ordering::SeqCst);
            Box::pin(std::future::ready(Ok(false)))
        }
    }

    fn key() -> TokenKey {
        TokenKey::new("mx", "client", GrantKind::AuthorizationCode).subject("jo")
    }

    fn handle(store: &MemoryStore) -> TokenHandle {
        TokenHandle::builder(key(), Arc::new(Nobody), Renewal::Refresh)
            .store(Arc::new(store.clone()))
            .build()
    }

    #[tokio::test]
    async fn a_handle_says_what_it_holds_and_what_the_store_has() {
        let store = MemoryStore::new();
        let (one, other) = (handle(&store), handle(&store));
        assert!(!one.holds_tokens() && one.stored().await.unwrap().is_none());
        one.adopt(TokenReply::new("access-1")).await.unwrap();
        assert!(one.holds_tokens() && !other.holds_tokens());
        let stored = other.stored().await.unwrap().unwrap();
        assert_eq!(stored.tokens.unwrap().access_token.expose_secret(), "access-1");
        one.forget().await.unwrap();
        assert!(!one.holds_tokens() && other.stored().await.unwrap().unwrap().tombstone.is_some());
    }

    #[tokio::test]
    async fn nothing_that_is_told_of_an_erased_grant_names_the_person() {
        let store = MemoryStore::new();
        let (one, other) = (handle(&store), handle(&store));
        one.adopt(TokenReply::new("access-1")).await.unwrap();
        other.load().await.unwrap();
        let is_named = |handle: &TokenHandle| handle.0.grant.named().to_string().contains("jo");
        assert!(is_named(&one) && is_named(&other));
        one.erase(false).await.unwrap();
        other.load().await.unwrap();
        for handle in [&one, &other, &handle(&store)] {
            let error = handle.fresh().await.unwrap_err().to_string();
            assert!(!error.contains("jo") && !is_named(handle), "{error}");
        }
        // Who logs in once more is somebody.
        one.adopt(TokenReply::new("access-2")).await.unwrap();
        assert!(is_named(&one));
    }

    #[tokio::test]
    async fn a_grant_that_is_not_erased_after_all_is_named() {
        // The store cannot be read.
        let failing = Failing::default();
        let holds = TokenHandle::builder(key(), Arc::new(failing.clone()), Renewal::Refresh)
            .store(Arc::new(failing.clone()))
            .build();
        holds.adopt(TokenReply::new("access-1")).await.unwrap();
        failing.2.store(true, Ordering::SeqCst);
        holds.erase(true).await.unwrap_err();
        assert!(holds.0.grant.named().to_string().contains("jo"));
        // Nor is one that an older copy of the store has erased, where its login came after that.
        let store = MemoryStore::new();
        let one = handle(&store);
        one.adopt(TokenReply::new("access-1")).await.unwrap();
        one.erase(false).await.unwrap();
        let erased = store.load(&key()).await.unwrap().unwrap();
        one.adopt(TokenReply::new("access-2")).await.unwrap();
        let seen = store.load(&key()).await.unwrap().map(|seen| seen.revision);
        let older = StoredRecord::new(seen.unwrap() + 1, erased.bytes.to_vec());
        swap_alone(&store, &key(), Swap::new(seen, 0, Some(older)), "a disk", "go back")
            .await
            .unwrap();
        one.load().await.unwrap();
        assert!(one.holds_tokens() && one.0.grant.named().to_string().contains("jo"));
    }

    #[tokio::test]
    async fn the_store_that_nobody_chose_goes_by_the_handles_clock() {
        let clock = Arc::new(ManualClock::new());
        let builder = TokenHandle::builder(key(), Arc::new(Nobody), Renewal::Refresh);
        let turned = builder.clone().clock(Arc::clone(&clock) as _);
        let lease = async |store: &Arc<dyn TokenStore>, holder: &str| {
            let leased = store.lease(&key(), holder, Duration::from_secs(10)).await.unwrap();
            matches!(leased, Leased::Granted(_))
        };
        assert!(lease(&turned.store, "one").await && !lease(&turned.store, "other").await);
        clock.advance(Duration::from_secs(11));
        assert!(lease(&turned.store, "other").await);
        // One store all the same, for every handle of the builder; and one that is chosen stays as it is.
        assert!(!lease(&builder.clone().clock(Arc::clone(&clock) as _).store, "one").await);
        let chosen = MemoryStore::new();
        let builder = builder
            .store(Arc::new(chosen.clone()))
            .clock(Arc::new(ManualClock::new()));
        assert!(lease(&builder.store, "one").await);
        let by_the_system: Arc<dyn TokenStore> = Arc::new(chosen);
        assert!(!lease(&by_the_system, "other").await);
    }

    #[test]
    fn a_source_of_tokens_that_is_a_handle_says_whose_they_are() {
        let handle = handle(&MemoryStore::new());
        assert_eq!(TokenSource::provider(&handle), Some("mx"));
        assert_eq!(TokenSource::connection(&handle), Some(key().storage_id()));
        assert_eq!(TokenSource::grant(&handle), Some(GrantKind::AuthorizationCode));
        assert_eq!(TokenSource::token_endpoint(&handle), Some(""));
        let elsewhere = key().token_endpoint("https://institution.example/token");
        let handle = TokenHandle::builder(elsewhere, Arc::new(Nobody), Renewal::Refresh).build();
        assert_eq!(
            TokenSource::token_endpoint(&handle),
            Some("https://institution.example/token")
        );
    }

    async fn damage(store: &MemoryStore) {
        let seen = store.load(&key()).await.unwrap().map(|seen| seen.revision);
        let damage = StoredRecord::new(seen.unwrap(), b"{ not a record".to_vec());
        let swap = Swap::new(seen, 0, Some(damage));
        let swapped = swap_alone(store, &key(), swap, "a disk", "turn a bit").await;
        assert_eq!(swapped.unwrap(), Swapped::Done);
    }

    #[tokio::test]
    async fn over_a_damaged_record_goes_who_holds_its_tokens_whatever_is_asked_and_over_no_other_failure() {
        let failing = Failing::default();
        let store = &failing.0;
        let holds = TokenHandle::builder(key(), Arc::new(Nobody), Renewal::Refresh)
            .store(Arc::new(failing.clone()))
            .build();
        holds.adopt(TokenReply::new("access-1")).await.unwrap();
        let tokens = holds.stored().await.unwrap().unwrap().tokens.unwrap();
        for asked in ["stored", "import", "load"] {
            let ask = async |handle: &TokenHandle| match asked {
                "stored" => handle.stored().await.map(|_| ()),
                "import" => handle.import(tokens.clone()).await.map(|_| ()),
                _ => handle.load().await.map(|_| ()),
            };
            damage(store).await;
            let holds_none = handle(store);
            assert!(ask(&holds_none).await.is_err(), "{asked}");
            let error = store
                .load(&key())
                .await
                .unwrap()
                .map(|stored| Record::decode(&stored.bytes));
            assert!(error.is_some_and(|record| record.is_err()), "{asked}");
            ask(&holds).await.unwrap();
            assert!(holds_none.load().await.unwrap().is_some(), "{asked}");
            failing.2.store(true, Ordering::SeqCst);
            assert!(ask(&holds).await.is_err(), "{asked}");
            ask(&holds).await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_the_store_lost_or_damaged_is_put_back_by_who_holds_it_and_is_an_error_for_who_does_not() {
        let store = MemoryStore::new();
        let (holds, holds_none) = (handle(&store), handle(&store));
        holds.adopt(TokenReply::new("access-1")).await.unwrap();
        for lost in ["nothing", "a part", "all"] {
            let seen = store.load(&key()).await.unwrap().map(|seen| seen.revision);
            match lost {
                "a part" => damage(&store).await,
                "all" => drop(
                    swap_alone(&store, &key(), Swap::new(seen, 0, None), "a disk", "go")
                        .await
                        .unwrap(),
                ),
                _ => {}
            }
            match (lost, holds_none.put_back().await) {
                ("a part", told) => assert!(matches!(told, Err(StoreError::Corrupt { .. })), "{told:?}"),
                (_, told) => assert_eq!(
                    told.unwrap().map(|stored| stored.revision),
                    seen.filter(|_| lost != "all")
                ),
            }
            let stored = holds.put_back().await.unwrap().unwrap();
            let tokens = Record::decode(&stored.bytes).unwrap().tokens.unwrap();
            assert_eq!(tokens.access_token.expose_secret(), "access-1", "{lost}");
        }
    }

    async fn assert_erased(store: &MemoryStore) {
        let stored = store.load(&key()).await.unwrap().unwrap();
        let record = Record::decode(&stored.bytes).unwrap();
        assert!(record.tokens.is_none() && record.pseudonym.is_some());
        assert_eq!(record.key, key().without_person());
    }

    #[tokio::test]
    async fn of_a_grant_that_is_erased_a_mark_without_the_person_stays() {
        let store = MemoryStore::new();
        let handle = handle(&store);
        handle.adopt(TokenReply::new("access-1")).await.unwrap();
        handle.erase(false).await.unwrap();
        assert_erased(&store).await;
        assert!(handle.header().is_none());
        // Nor does it name the person when the store had it damaged, and gets it back.
        damage(&store).await;
        assert!(handle.load().await.unwrap().is_none());
        assert_erased(&store).await;
        assert!(store.load(&key().damaged_copy()).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_grant_that_is_erased_is_revoked_once_if_it_lived_and_not_if_it_was_over_or_cannot_be_read() {
        for (what, revoked) in [
            ("it lives", 1),
            ("it was revoked", 1),
            ("it was forgotten", 0),
            ("it cannot be read", 0),
        ] {
            let (store, server) = (MemoryStore::new(), Arc::new(Revoking::default()));
            let process = || {
                let server = Arc::clone(&server) as Arc<dyn Issuer>;
                TokenHandle::builder(key(), server, Renewal::Refresh)
                    .store(Arc::new(store.clone()))
                    .build()
            };
            process().adopt(TokenReply::new("access-1")).await.unwrap();
            match what {
                "it was revoked" => process().revoke().await.unwrap(),
                "it was forgotten" => process().forget().await.unwrap(),
                "it cannot be read" => damage(&store).await,
                _ => {}
            }
            process().erase(true).await.unwrap();
            assert_erased(&store).await;
            assert_eq!(server.0.lock().unwrap().len(), revoked, "{what}");
        }
    }

    /// The tokens live at a provider without revocation, and the store still has them.
    #[tokio::test]
    async fn a_grant_whose_erasure_the_store_does_not_take_serves_on_where_the_provider_did_not_end_it() {
        let failing = Failing::default();
        let handle = TokenHandle::builder(key(), Arc::new(failing.clone()), Renewal::Refresh)
            .store(Arc::new(failing.clone()))
            .build();
        handle.adopt(TokenReply::new("access-1")).await.unwrap();
        handle.erase(true).await.unwrap_err();
        assert!(failing.1.load(Ordering::SeqCst) && handle.header().is_some());
    }

    #[test]
    fn a_weak_handle_keeps_no_grant_in_memory() {
        let handle = TokenHandle::builder(key(), Arc::new(Nobody), Renewal::Refresh).build();
        let weak = handle.downgrade();
        assert!(std::ptr::eq(weak.upgrade().unwrap().key(), handle.key()));
        drop(handle);
        assert!(weak.upgrade().is_none());
    }
}
