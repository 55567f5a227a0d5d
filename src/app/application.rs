//! A registered application: its settings, its grants, the connections of its users.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::connection::Connection;
use super::logins::Logins;
use super::provider::{ClientKind, Provider, TypedClient, grant};
use crate::oauth::{
    self, AskedScope, Authorization, AuthorizationServer, Authorizations, GrantIssuer, Pending, Purpose,
    RequestedScope, check_redirect_uri,
};
use crate::token::{
    AllEvents, AuditSink, Clock, GrantKind, Handles, NewsOfAll, Now, PseudonymKey, Renewal, Rotation, TokenHandle,
    TokenKey, TokenSet, TokenStore,
};
use crate::transport::{ClientSecrets, Core, CoreSettings, Credential, ExtraHeaders, Keys, Limiter, RetryPolicy};
use crate::value::{ScopeError, ScopeSet, Secret, with_causes};

/// An application that is registered with a provider.
///
/// It starts authorizations, finishes them, and finds connections again. Cheap
/// to clone; make one per registration, not one per user.
///
/// ```
/// # #[cfg(feature = "mx")] {
/// use finrail::mx;
///
/// let app = mx::App::builder()
///     .base_url("https://fdx.bank.example")
///     .credentials(mx::Credentials::new("client", "secret"))
///     .redirect_uri("https://app.example/callback")
///     .build()?;
/// let authorization = app.authorize([mx::Scope::Accounts, mx::Scope::Transactions])?;
/// assert!(authorization.url.as_str().contains("code_challenge_method=S256"));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct App<P: Provider>(pub(super) Arc<Settled<P>>, pub(super) Option<Arc<str>>);

/// An application with every setting decided.
pub(super) struct Settled<P: Provider> {
    pub(super) api: url::Url,
    /// What the paths of the OAuth endpoints are relative to.
    pub(super) oauth: url::Url,
    /// The token endpoint as keys name it; empty: that of the provider's default environment.
    pub(super) token_endpoint: String,
    pub(super) server: AuthorizationServer,
    pub(super) http: reqwest::Client,
    /// The HTTP client is the caller's: it may follow redirects.
    pub(super) headers: ExtraHeaders,
    pub(super) keys: Keys,
    pub(super) own_http: bool,
    pub(super) limiter: Arc<Limiter>,
    pub(super) wire_log: bool,
    pub(super) client_secrets: ClientSecrets,
    pub(super) retry: RetryPolicy,
    pub(super) redirect_uri: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) store: Arc<dyn TokenStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rotation: Rotation,
    /// How long tokens are served without a look at the store.
    pub(super) look_again_every: Duration,
    /// The tokens that a login replaces are ended at the provider.
    pub(super) revoke_replaced: bool,
    /// Of the pseudonyms in tombstones.
    pub(super) pseudonym_key: Option<PseudonymKey>,
    /// How long the marks of grants that are over are kept.
    pub(super) tombstones_live: Duration,
    /// Who is told what was done to grants.
    pub(super) audit: AuditSink,
    pub(super) news: NewsOfAll,
    pub(super) handles: Handles,
    /// Those whose tokens are being asked for.
    pub(super) logins: Logins,
    /// Those under way, and the marks of those that were used.
    pub(super) authorizations: Authorizations,
    /// How long an authorization may take.
    pub(super) authorization_lifetime: Duration,
    pub(super) provider: std::marker::PhantomData<fn() -> P>,
}

impl<P: Provider> Clone for App<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), self.1.clone())
    }
}

impl<P: Provider> fmt::Debug for App<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("provider", &P::profile().provider)
            .field("client_id", &self.0.server.client_id())
            .field("base_url", &self.0.api.as_str())
            .field("tenant", &self.1)
            .finish_non_exhaustive()
    }
}

impl<P: Provider> App<P> {
    /// The authorization server behind the application.
    #[must_use]
    pub fn authorization_server(&self) -> &AuthorizationServer {
        &self.0.server
    }

    /// The same application acting on behalf of one of its own customers, for one that serves several.
    ///
    /// What is begun, imported or found through it belongs to this tenant alone: two tenants that name a user alike have
    /// two grants, and the key of another tenant's grant is refused
    /// ([`ForeignKey`](oauth::Error::ForeignKey)), as is another one's callback. The application without a tenant finds
    /// every key; that of the tenant with an empty name finds the keys that have none. The tokens of [client credentials](Self::client_credentials) are the application's own and are shared.
    ///
    /// It is cheap: make it for each request. Keys of processes of an earlier version have no tenant, and those processes
    /// cannot finish an authorization for one: give tenants when all of them are upgraded.
    ///
    /// ```
    /// # #[cfg(feature = "mx")] {
    /// use finrail::mx;
    ///
    /// async fn connected(app: &mx::App, tenant: &str, key: &finrail::token::TokenKey) -> Result<bool, finrail::oauth::Error> {
    ///     Ok(app.tenant(tenant).connection(key).await?.is_some())
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn tenant(&self, tenant: impl Into<String>) -> Self {
        let tenant: String = tenant.into();
        Self(Arc::clone(&self.0), Some(tenant.into()))
    }

    /// A client that acts for the application itself (RFC 6749 section 4.4).
    ///
    /// Nothing is sent here; the first call fetches the token.
    ///
    /// # Errors
    ///
    /// When a scope does not fit the provider's rules.
    pub fn client_credentials<S: Into<RequestedScope<P>>>(
        &self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<P::ServiceClient, oauth::Error>
    where
        P: grant::ClientCredentials,
    {
        Ok(self.service_of(&asked(scopes))?)
    }

    /// The tokens of the application itself, as [`client_credentials`](Self::client_credentials) with the same scopes
    /// uses them: to see what was granted and until when, to watch them, to ask what would be done next.
    ///
    /// ```
    /// # #[cfg(feature = "ofx")] {
    /// use finrail::ofx;
    ///
    /// fn seconds_left(app: &ofx::App) -> Result<Option<i64>, finrail::oauth::Error> {
    ///     let tokens = app.client_tokens([ofx::Scope::Payments])?;
    ///     let end = tokens.info().and_then(|info| info.expires_at);
    ///     Ok(end.map(|end| (end - chrono::Utc::now()).num_seconds()))
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When a scope does not fit the provider's rules.
    pub fn client_tokens<S: Into<RequestedScope<P>>>(
        &self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<TokenHandle, oauth::Error>
    where
        P: grant::ClientCredentials,
    {
        Ok(self.own_handle(&asked(scopes))?)
    }

    pub(crate) fn service_of<C: TypedClient<Provider = P>>(&self, scopes: &[AskedScope]) -> Result<C, ScopeError> {
        let handle = self.own_handle(scopes)?;
        Ok(self.client(Credential::Tokens(Arc::new(handle))))
    }

    fn own_handle(&self, scopes: &[AskedScope]) -> Result<TokenHandle, ScopeError> {
        let scopes = oauth::resolve(P::profile(), scopes, Purpose::Token)?.bare;
        Ok(self.handle(self.key(GrantKind::ClientCredentials, scopes), Renewal::Anew))
    }

    /// Starts an authorization: where to send the user, and what to remember (RFC 6749 section 4.1.1).
    ///
    /// Scopes that are known when the program is written are items of the provider's `Scope`. Those that come from settings
    /// are given as texts, and one that the provider does not have is refused here, as far as its list of scopes is
    /// complete:
    ///
    /// ```
    /// # #[cfg(feature = "mx")] {
    /// use finrail::mx;
    ///
    /// struct Settings {
    ///     scopes: Vec<String>,
    /// }
    ///
    /// fn begin(app: &mx::App, settings: &Settings) -> Result<finrail::oauth::Authorization, finrail::oauth::Error> {
    ///     app.authorize(&settings.scopes) // or settings.scopes.iter().map(String::as_str)
    /// }
    ///
    /// let app = mx::App::builder()
    ///     .base_url("https://fdx.bank.example")
    ///     .credentials(mx::Credentials::new("client", "secret"))
    ///     .redirect_uri("https://app.example/callback")
    ///     .build()?;
    /// let listed = Settings { scopes: vec![mx::Scope::Accounts.to_string()] };
    /// assert!(begin(&app, &listed)?.url.as_str().contains("scope="));
    ///
    /// let unlisted = Settings { scopes: vec!["accounts:everything".to_owned()] };
    /// let refused = begin(&app, &unlisted).unwrap_err();
    /// assert!(refused.to_string().contains("has no scope `accounts:everything`"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a scope or the redirect URI does not fit the provider's rules. Nothing is sent.
    pub fn authorize<S: Into<RequestedScope<P>>>(
        &self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<Authorization, oauth::Error>
    where
        P: grant::AuthorizationCode,
    {
        let requested = asked(scopes);
        let profile = P::profile();
        let scopes = oauth::resolve(profile, &requested, Purpose::Authorization)?;
        let redirect_uri = self.0.redirect_uri.as_deref();
        check_redirect_uri(profile, redirect_uri)?;
        let request = self.0.server.authorization_request(&scopes, redirect_uri)?;
        Ok(Authorization {
            url: request.url,
            pending: Pending {
                provider: profile.provider.to_owned(),
                client_id: self.0.server.client_id().to_owned(),
                state: request.state,
                verifier: request.verifier,
                redirect_uri: redirect_uri.map(str::to_owned),
                scopes: scopes.bare,
                token_endpoint: self.0.token_endpoint.clone(),
                bound: scopes.bound,
                subject: None,
                tenant: self.tenant_name().to_owned(),
                until: Some((self.0.clock.wall() + self.0.authorization_lifetime).into()),
            },
        })
    }

    /// Finishes an authorization: checks the callback, exchanges the code, stores the grant.
    ///
    /// `callback` is the whole URL that the browser came back with. `state` must be the pending one's, `iss` that of the
    /// authorization server ([`issuer`](crate::AppBuilder::issuer)), and scheme, host, port and path those of the redirect
    /// URI; on `http://127.0.0.1` and `http://[::1]` the port may be another one (RFC 8252 section 7.3).
    ///
    /// An application behind a proxy sees an internal URL. It may give the path and the query (`/callback?code=..`), which
    /// gives up the check of scheme, host and port, or the query alone (`?code=..`) where the proxy changes the path too.
    /// Then a callback is no longer told from one that was meant for another redirect URI: with several authorization
    /// servers only `iss` still shows a code of the wrong one. Build the outer URL again where the proxy says what it was.
    ///
    /// # Errors
    ///
    /// A refusal ([`oauth::Error::Refused`]), a callback that does not belong to
    /// `pending`, or a failed exchange. A callback that does not belong to it does not end it either.
    ///
    /// A `pending` is good for one use, whoever keeps it: its use leaves a mark in the app's [store](crate::AppBuilder::store),
    /// before the code is sent. A second callback, a reloaded one for instance, is
    /// [`AuthorizationUsed`](oauth::Error::AuthorizationUsed) and sends nothing, in every process that shares the store; without
    /// a store that is this process. Only where the code is known to be unspent (nothing was sent, the client was refused,
    /// or there were too many requests) the same callback may be tried again. When the store cannot be used, the code is not
    /// sent either, and this process takes the same callback again; to another one it may look used. After its [time](crate::AppBuilder::authorization_lifetime) it has
    /// [ended](oauth::Error::AuthorizationEnded).
    pub async fn finish(&self, pending: Pending, callback: &str) -> Result<Connection<P>, oauth::Error>
    where
        P: grant::AuthorizationCode,
    {
        self.check_pending(&pending)?;
        let code = self.read(&pending, callback)?;
        let seen = self.0.authorizations.look(&pending.state).await?;
        self.exchange(pending, seen, code).await
    }

    /// Connects with a user's name and password (RFC 6749 section 4.3).
    ///
    /// The password is used once and not kept; the name becomes the connection's [subject](Connection::subject). Prefer [`authorize`](Self::authorize):
    /// with it the password is never shown to the application.
    ///
    /// # Errors
    ///
    /// When the provider refuses, or cannot be reached.
    pub async fn password<S: Into<RequestedScope<P>>>(
        &self,
        username: &str,
        password: impl Into<Secret>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<Connection<P>, oauth::Error>
    where
        P: grant::Password,
    {
        if username.is_empty() {
            return Err(oauth::Error::NoSubject);
        }
        let requested = asked(scopes);
        let scopes = oauth::resolve(P::profile(), &requested, Purpose::Token)?.bare;
        let (app, username, password) = (self.clone(), username.to_owned(), password.into());
        let login = async move {
            let sent_at = app.now();
            let reply = app.0.server.password(&username, &password, &scopes).await?;
            let key = app
                .key(GrantKind::Password, scopes)
                .tenant(app.tenant_name())
                .subject(username);
            app.adopt(key, reply, sent_at).await
        };
        self.0.logins.run(login).await
    }

    /// Finds a connection again, by the key that [`Connection::key`] gave. `None`: neither the store nor this process has
    /// such a grant, or it was [forgotten](Connection::forget).
    ///
    /// A grant that is over, such as one that was [revoked](Connection::revoke), is an error that says why:
    ///
    /// ```
    /// # #[cfg(feature = "mx")] {
    /// use finrail::token::{self, ReauthorizationReason};
    /// use finrail::{mx, oauth};
    ///
    /// async fn was_revoked(app: &mx::App, key: &token::TokenKey) -> Result<bool, oauth::Error> {
    ///     match app.connection(key).await {
    ///         Err(oauth::Error::Token(token::Error::ReauthorizationRequired { reason, .. })) => {
    ///             Ok(reason == ReauthorizationReason::Revoked) // in any case the user authorizes again
    ///         }
    ///         found => found.map(|_| false),
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the grant is over ([`reauthorization_required`](oauth::Error::reauthorization_required)), the key belongs to
    /// another application, another [tenant](Self::tenant) or another authorization server (of another environment, or of another institution), it is the
    /// key of the application's own tokens ([`KeyOfClientCredentials`](oauth::Error::KeyOfClientCredentials)), or the store
    /// cannot be read.
    pub async fn connection(&self, key: &TokenKey) -> Result<Option<Connection<P>>, oauth::Error> {
        self.check_key(key)?;
        let handle = self.handle(key.clone(), Renewal::Refresh);
        Ok(handle.load().await?.map(|_| self.connected(handle)))
    }

    /// Forgets a grant by its key, whatever the store has under it: tokens, a mark, or a record that cannot be read and that
    /// [`connection`](Self::connection) fails for. The provider is not told; a mark stays, as after
    /// [`Connection::forget`].
    ///
    /// # Errors
    ///
    /// When the key belongs to another application ([`ForeignKey`](oauth::Error::ForeignKey)), or is that of the
    /// application's own tokens, or the store cannot be written.
    pub async fn forget(&self, key: &TokenKey) -> Result<(), oauth::Error> {
        self.check_key(key)?;
        Ok(self.handle(key.clone(), Renewal::Refresh).forget().await?)
    }

    /// Takes over a user's grant that was made elsewhere: by another library, by an earlier version of the application.
    ///
    /// `subject` says whose consent it is, in the application's own words. From now on finrail alone uses the tokens:
    /// whoever else refreshes the same grant spends its refresh token.
    ///
    /// What an earlier import of the same subject has stored wins as long as it lives, so an import may be run at every
    /// start: a grant that finrail has refreshed since keeps its newer tokens. The same tokens bring back no grant that is
    /// over, be it that the provider refused it or that the application [revoked](Connection::revoke),
    /// [forgot](Connection::forget) or [erased](Self::erase) it. Other tokens than those that were imported before are a new
    /// grant then, and so they are where an access token without a refresh token was imported. Where a grant was ended on
    /// purpose and its mark does not tell what was imported (an earlier version wrote it, or the record was damaged), it
    /// stays over.
    ///
    /// The same tokens may say anew which [scopes](oauth::ExistingTokens::scopes) were granted, until a token reply tells
    /// them.
    ///
    /// The key of an import has no scopes, whatever is said of them, so that it stands beside the user's authorizations here: once
    /// the user has authorized anew, find that connection by its own key and import no more. What the scopes are bound to is
    /// in the key, in whatever form and order it is said: each consent of a user is a grant of its own. So say the same at
    /// every start: the same refresh token under another consent, or under a consent at one start and none at the next, is
    /// another grant, which sends it once more. Nothing is sent to the provider here.
    /// A store that has lost the record says nothing of what came of it: a process that starts then, and imports the first
    /// tokens again, uses them at once, while another one may hold their successors. Let a store that may lose records be
    /// looked at by the processes that are there before new ones import.
    /// An ended grant stays over for as long as its mark is kept ([`tombstones_live`](crate::AppBuilder::tombstones_live)), or
    /// a [`Connection`] of this process knows its end: after that an import of the same tokens is a new one. The first tokens of
    /// the last 64 grants that were imported under a key and ended on purpose are remembered, however much was imported since.
    ///
    /// ```
    /// # #[cfg(feature = "mx")] {
    /// use finrail::mx;
    /// use finrail::oauth::ExistingTokens;
    ///
    /// async fn take_over(app: &mx::App, user: &str, refresh_token: String) -> Result<mx::Connection, finrail::oauth::Error> {
    ///     let tokens = ExistingTokens::refresh_token(refresh_token).scopes(["accounts", "transactions"]);
    ///     app.import(user, tokens).await
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the provider has no such grant or scope, no scope can be bound to such an id, the tokens are empty or cannot be
    /// sent, the stored grant is over, or the store fails. Nothing is imported then; keep the tokens and try again.
    pub async fn import(
        &self,
        subject: &str,
        mut tokens: oauth::ExistingTokens<P>,
    ) -> Result<Connection<P>, oauth::Error> {
        if subject.is_empty() {
            return Err(oauth::Error::NoSubject);
        }
        let kind = tokens.kind();
        if kind == GrantKind::ClientCredentials || !P::profile().grants.contains(&kind.as_str()) {
            return Err(oauth::Error::Unsupported {
                provider: P::profile().name,
                what: "such grant of a user",
            });
        }
        tokens.check_scopes(P::profile())?;
        // Without scopes: what is said of them at the next start must not make another grant of the same tokens.
        let key = self
            .key(kind, ScopeSet::new())
            .tenant(self.tenant_name())
            .subject(subject)
            .bound_to(tokens.bindings());
        let set = tokens
            .clone()
            .into_set(self.0.clock.wall().into())
            .map_err(oauth::Error::Import)?;
        let handle = self.handle(key, Renewal::Refresh);
        let handle = match self.imported_before(&handle, &tokens, &set).await? {
            Some(before) => before,
            None => handle,
        };
        handle.import(set).await?;
        Ok(self.connected(handle))
    }

    /// The grant under the key that an earlier version gave these tokens, where there is none under the one that they have
    /// now: taken over twice, their refresh token would be sent twice.
    async fn imported_before(
        &self,
        handle: &TokenHandle,
        tokens: &oauth::ExistingTokens<P>,
        set: &TokenSet,
    ) -> Result<Option<TokenHandle>, oauth::Error> {
        let before = tokens.bindings_before();
        if before.is_empty() || handle.stored().await?.is_some() {
            return Ok(None);
        }
        for ids in before {
            let earlier = self.handle(handle.key().clone().bound_to(ids.iter().cloned()), Renewal::Refresh);
            let stored = match earlier.stored().await {
                // It tells nothing of whose it was, and is no reason to lose this grant.
                Err(crate::token::Error::Store { source }) if source.damage().is_some() => {
                    tracing::warn!(key = %earlier.key(), error = %with_causes(&source), "a damaged record is taken for another grant than the one that is imported");
                    continue;
                }
                stored => stored?,
            };
            if stored.is_some_and(|stored| tokens.are_of(P::profile(), &ids, &stored, set)) {
                return Ok(Some(earlier));
            }
        }
        Ok(None)
    }

    /// Waits until nothing is under way for any grant of this application: no token request, and no tokens that wait
    /// to be stored. What a program does last.
    ///
    /// As long as a store stays away, new tokens wait to be stored and this waits with them: bound it with a timeout.
    /// Nothing is lost by giving up the wait, which only looks: the tokens are written again for as long as the runtime
    /// lives. What ends with the process is the only copy of tokens that the store did not take.
    ///
    /// ```
    /// # #[cfg(feature = "mx")] {
    /// async fn shut_down(app: finrail::mx::App) {
    ///     let patience = std::time::Duration::from_secs(30);
    ///     if tokio::time::timeout(patience, app.settled()).await.is_err() {
    ///         eprintln!("the store is still away: tokens that it did not take are lost with this process");
    ///     }
    /// }
    /// # }
    /// ```
    pub async fn settled(&self) {
        self.0.logins.over().await;
        for handle in self.0.handles.in_use() {
            handle.settled().await;
        }
    }

    pub(super) fn now(&self) -> Now {
        Now::read(&*self.0.clock)
    }

    /// Takes the tokens of a login, which were asked for at this time.
    pub(super) async fn adopt(
        &self,
        key: TokenKey,
        reply: crate::token::TokenReply,
        sent_at: Now,
    ) -> Result<Connection<P>, oauth::Error> {
        let handle = self.handle(key, Renewal::Refresh);
        if let Err(error) = handle.adopt_sent(reply, sent_at).await {
            // Tokens that the store did not take serve from memory, and their write is tried again: a
            // consent must not be lost because a disk was full when the user came back.
            if handle.info().is_none() {
                return Err(error.into());
            }
            tracing::warn!(key = %handle.key(), error = %with_causes(&error), "the new grant is not stored yet");
        }
        Ok(self.connected(handle))
    }

    fn connected(&self, handle: TokenHandle) -> Connection<P> {
        let client = self.client(Credential::Tokens(Arc::new(handle.clone())));
        Connection::new(handle, client)
    }

    pub(super) fn key(&self, kind: GrantKind, scopes: ScopeSet) -> TokenKey {
        TokenKey::new(P::profile().provider, self.0.server.client_id(), kind)
            .scopes(scopes)
            .token_endpoint(self.0.token_endpoint.as_str())
    }

    /// Whether a grant was made by this client at this authorization server. Its tokens go to no other.
    pub(super) fn is_own(&self, provider: &str, client_id: &str, token_endpoint: &str) -> bool {
        provider == P::profile().provider
            && client_id == self.0.server.client_id()
            && token_endpoint == self.0.token_endpoint
    }

    /// The tenant that it acts for; empty: nobody in particular.
    pub(super) fn tenant_name(&self) -> &str {
        self.1.as_deref().unwrap_or_default()
    }

    /// Whether a grant or an authorization of this tenant is this application's to use.
    fn is_of_tenant(&self, tenant: &str) -> bool {
        self.1.as_deref().is_none_or(|own| own == tenant)
    }

    /// Whether it is the key of a user's grant of this application and tenant.
    fn check_key(&self, key: &TokenKey) -> Result<(), oauth::Error> {
        if !self.is_own_key(key) {
            return Err(oauth::Error::ForeignKey);
        }
        if key.grant == GrantKind::ClientCredentials {
            // Its handle would go by the rules of a user's grant, for whoever asks for these tokens next.
            return Err(oauth::Error::KeyOfClientCredentials);
        }
        Ok(())
    }

    pub(super) fn is_own_key(&self, key: &TokenKey) -> bool {
        self.is_own(&key.provider, &key.client_id, &key.token_endpoint) && self.is_of_tenant(&key.tenant)
    }

    pub(super) fn check_pending(&self, pending: &Pending) -> Result<(), oauth::Error> {
        if pending.subject.as_deref() == Some("") {
            return Err(oauth::Error::NoSubject);
        }
        let own = self.is_own(&pending.provider, &pending.client_id, &pending.token_endpoint);
        if own && self.is_of_tenant(&pending.tenant) {
            Ok(())
        } else {
            Err(oauth::Error::ForeignPending)
        }
    }

    pub(super) fn handle(&self, key: TokenKey, renewal: Renewal) -> TokenHandle {
        self.0.handles.of(&key, || self.new_handle(key.clone(), renewal))
    }

    fn new_handle(&self, key: TokenKey, renewal: Renewal) -> TokenHandle {
        let issuer = GrantIssuer {
            server: self.0.server.clone(),
            scopes: key.scopes.clone(),
        };
        let mut builder = TokenHandle::builder(key, Arc::new(issuer), renewal);
        if let Some(key) = &self.0.pseudonym_key {
            builder = builder.pseudonym_key(key.clone());
        }
        builder
            .rotation(self.0.rotation)
            .look_again_every(self.0.look_again_every)
            .revoke_replaced(self.0.revoke_replaced)
            .clock(Arc::clone(&self.0.clock))
            // The request ends by its own limit first: then it is known how far it had come.
            .request_timeout(self.0.server.timeout() + Duration::from_secs(2))
            .store(Arc::clone(&self.0.store))
            .audit_sink(self.0.audit.clone())
            .news_of_all(self.0.news.clone())
            .build()
    }

    /// What happens from now on to the grants that this process holds: new tokens, ends, doubts, trouble with the store. Of a
    /// [tenant's](Self::tenant) application, to those of the tenant's users alone.
    ///
    /// ```
    /// # #[cfg(feature = "mx")] {
    /// use finrail::mx;
    /// use finrail::token::Event;
    ///
    /// async fn tell(app: &mx::App) {
    ///     let mut events = app.watch();
    ///     while let Some(told) = events.next().await {
    ///         if let (Some(key), Event::ReauthorizationRequired { reason }) = (&told.key, &told.event) {
    ///             println!("ask {} again: {reason}", key.subject);
    ///         }
    ///     }
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn watch(&self) -> AllEvents {
        AllEvents::new(self.0.news.subscribe(), self.1.clone())
    }

    pub(crate) fn client<C: TypedClient<Provider = P>>(&self, credential: Credential) -> C {
        let base = match C::KIND {
            ClientKind::Oauth | ClientKind::Registration => self.0.oauth.clone(),
            _ => self.0.api.clone(),
        };
        let headers = match C::KIND {
            // What an application says to resources is not for the authorization server.
            ClientKind::Oauth | ClientKind::Registration => ExtraHeaders::default(),
            _ => self.0.headers.clone(),
        };
        let text = base.as_str().trim_end_matches('/').to_owned();
        C::from_parts(
            text,
            self.0.http.clone(),
            Core::new(CoreSettings {
                provider: P::profile().provider,
                base,
                credential,
                http: self.0.http.clone(),
                headers,
                keys: self.0.keys.clone(),
                retry: self.0.retry,
                own_http: self.0.own_http,
                limiter: Arc::clone(&self.0.limiter),
                wire_log: self.0.wire_log,
                client_secrets: Some(Arc::clone(&self.0.client_secrets)),
            }),
        )
    }
}

/// Scopes that a caller asks for, now that their provider is known to be the right one.
pub(super) fn asked<P, S: Into<RequestedScope<P>>>(scopes: impl IntoIterator<Item = S>) -> Vec<AskedScope> {
    scopes.into_iter().map(|scope| scope.into().into_asked()).collect()
}
