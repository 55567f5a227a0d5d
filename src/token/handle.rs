//! The handle of one grant: a ready header for every call, and one refresh for all callers.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::broadcast;

use super::event::Events;
use super::live::Inner;
use super::machine::{Freshness, Want};
use super::{
    Error, Explanation, Issuer, ReauthorizationReason, Renewal, TokenHandleBuilder, TokenInfo, TokenKey, TokenReply,
    transaction,
};
use crate::ScopeSet;
use crate::transport::{Bearer, Rejection, TokenSource};

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
        self.owned(|inner| async move { transaction::adopt(&inner, reply).await })
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
        self.owned(|inner| async move { transaction::revoke(&inner).await })
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
        self.owned(|inner| async move { transaction::forget(&inner).await })
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
