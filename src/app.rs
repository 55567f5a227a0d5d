//! A registered application: its settings, its grants, the connections of its users.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{ConfigError, Credentials};
use crate::connection::Connection;
use crate::oauth::{
    self, Authorization, AuthorizationServer, ClientAuthentications, Endpoints, GrantIssuer, Pending, Purpose,
    RequestedScope, Settings, TokenBody, check_redirect_uri, plain_basic, read_callback,
};
use crate::provider::{Environment as _, Provider, TypedClient, grant};
use crate::token::{
    Clock, GrantKind, Handles, MemoryStore, Renewal, Rotation, SystemClock, TokenHandle, TokenKey, TokenStore,
};
use crate::transport::http::{default_client, secure_url};
use crate::transport::{Authentication, Core, Credential, RetryPolicy};
use crate::{ClientKind, ScopeSet, Secret};

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
pub struct App<P: Provider>(Arc<Inner<P>>);

struct Inner<P: Provider> {
    api: url::Url,
    /// What the paths of the OAuth endpoints are relative to.
    oauth: url::Url,
    /// The token endpoint as keys name it; empty: that of the provider's default environment.
    token_endpoint: String,
    server: AuthorizationServer,
    http: reqwest::Client,
    /// The HTTP client is the caller's: it may follow redirects.
    own_http: bool,
    retry: RetryPolicy,
    redirect_uri: Option<String>,
    issuer: Option<String>,
    store: Arc<dyn TokenStore>,
    clock: Arc<dyn Clock>,
    rotation: Rotation,
    handles: Handles,
    provider: std::marker::PhantomData<fn() -> P>,
}

impl<P: Provider> Clone for App<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Provider> fmt::Debug for App<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("provider", &P::profile().provider)
            .field("client_id", &self.0.server.client_id())
            .field("base_url", &self.0.api.as_str())
            .finish_non_exhaustive()
    }
}

impl<P: Provider> App<P> {
    /// Starts to set up an application.
    pub fn builder() -> AppBuilder<P> {
        AppBuilder::new()
    }

    /// The authorization server behind the application.
    #[must_use]
    pub fn authorization_server(&self) -> &AuthorizationServer {
        &self.0.server
    }

    /// A client that acts for the application itself (RFC 6749 section 4.4).
    ///
    /// Nothing is sent here; the first call fetches the token.
    ///
    /// # Errors
    ///
    /// When a scope does not fit the provider's rules.
    pub fn client_credentials<S: Into<RequestedScope>>(
        &self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<P::ServiceClient, oauth::Error>
    where
        P: grant::ClientCredentials,
    {
        self.service(scopes)
    }

    /// The same without the proof that the provider has the grant, which the callers have.
    pub(crate) fn service<C: TypedClient<Provider = P>, S: Into<RequestedScope>>(
        &self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<C, oauth::Error> {
        let requested: Vec<RequestedScope> = scopes.into_iter().map(Into::into).collect();
        let scopes = oauth::resolve(P::profile(), &requested, Purpose::Token)?.bare;
        let handle = self.handle(self.key(GrantKind::ClientCredentials, scopes), Renewal::Anew);
        Ok(self.client(Credential::Tokens(Arc::new(handle))))
    }

    /// Starts an authorization: where to send the user, and what to remember (RFC 6749 section 4.1.1).
    ///
    /// # Errors
    ///
    /// When a scope or the redirect URI does not fit the provider's rules. Nothing is sent.
    pub fn authorize<S: Into<RequestedScope>>(
        &self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<Authorization, oauth::Error>
    where
        P: grant::AuthorizationCode,
    {
        let requested: Vec<RequestedScope> = scopes.into_iter().map(Into::into).collect();
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
            },
        })
    }

    /// Finishes an authorization: checks the callback, exchanges the code, stores the grant.
    ///
    /// `callback` is the whole URL that the browser came back with. A code is
    /// good for one exchange, so call this once for each callback.
    ///
    /// # Errors
    ///
    /// A refusal ([`oauth::Error::Refused`]), a callback that does not belong to
    /// `pending`, or a failed exchange.
    pub async fn finish(&self, pending: Pending, callback: &str) -> Result<Connection<P>, oauth::Error>
    where
        P: grant::AuthorizationCode,
    {
        let profile = P::profile();
        if !self.is_own(&pending.provider, &pending.client_id, &pending.token_endpoint) {
            return Err(oauth::Error::ForeignPending);
        }
        let code = read_callback(profile, &pending, self.0.issuer.as_deref(), callback)?;
        let server = &self.0.server;
        let reply = server
            .authorization_code(
                &code,
                pending.verifier.as_ref(),
                pending.redirect_uri.as_deref(),
                &pending.scopes,
            )
            .await?;
        let named = profile
            .extra
            .iter()
            .filter(|field| field.subject)
            .find_map(|field| reply.extra.get(field.name).cloned());
        let subject = pending
            .subject
            .or(named)
            .unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        // A grant that is bound to one thing (a payment's authorization) lives beside the same user's others.
        let key = self
            .key(GrantKind::AuthorizationCode, pending.scopes)
            .subject(subject)
            .bound_to(pending.bound);
        self.adopt(key, reply).await
    }

    /// Connects with a user's name and password (RFC 6749 section 4.3).
    ///
    /// The password is used once and not kept. Prefer [`authorize`](Self::authorize):
    /// with it the password is never shown to the application.
    ///
    /// # Errors
    ///
    /// When the provider refuses, or cannot be reached.
    pub async fn password<S: Into<RequestedScope>>(
        &self,
        username: &str,
        password: impl Into<Secret>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<Connection<P>, oauth::Error>
    where
        P: grant::Password,
    {
        let requested: Vec<RequestedScope> = scopes.into_iter().map(Into::into).collect();
        let scopes = oauth::resolve(P::profile(), &requested, Purpose::Token)?.bare;
        let reply = self.0.server.password(username, &password.into(), &scopes).await?;
        let key = self.key(GrantKind::Password, scopes).subject(username);
        self.adopt(key, reply).await
    }

    /// Finds a connection again, by the key that [`Connection::key`] gave. `None`: the store has no such grant.
    ///
    /// # Errors
    ///
    /// When the key belongs to another application or another authorization server (of another environment, or of
    /// another institution), or the store cannot be read.
    pub async fn connection(&self, key: &TokenKey) -> Result<Option<Connection<P>>, oauth::Error> {
        if !self.is_own(&key.provider, &key.client_id, &key.token_endpoint) {
            return Err(oauth::Error::ForeignPending);
        }
        let handle = self.handle(key.clone(), Renewal::Refresh);
        Ok(handle.load().await?.map(|_| self.connected(handle)))
    }

    /// Waits until nothing is under way for any grant of this application: no token request, and no tokens that wait
    /// to be stored. What a program does last; see [`TokenHandle::settled`].
    pub async fn settled(&self) {
        for handle in self.0.handles.in_use() {
            handle.settled().await;
        }
    }

    async fn adopt(&self, key: TokenKey, reply: crate::token::TokenReply) -> Result<Connection<P>, oauth::Error> {
        let handle = self.handle(key, Renewal::Refresh);
        if let Err(error) = handle.adopt(reply).await {
            // Tokens that the store did not take serve from memory, and their write is tried again: a
            // consent must not be lost because a disk was full when the user came back.
            if handle.info().is_none() {
                return Err(error.into());
            }
            tracing::warn!(key = %handle.key(), %error, "the new grant is not stored yet");
        }
        Ok(self.connected(handle))
    }

    fn connected(&self, handle: TokenHandle) -> Connection<P> {
        let client = self.client(Credential::Tokens(Arc::new(handle.clone())));
        Connection::new(handle, client)
    }

    fn key(&self, kind: GrantKind, scopes: ScopeSet) -> TokenKey {
        TokenKey::new(P::profile().provider, self.0.server.client_id(), kind)
            .scopes(scopes)
            .token_endpoint(self.0.token_endpoint.as_str())
    }

    /// Whether a grant was made by this client at this authorization server. Its tokens go to no other.
    fn is_own(&self, provider: &str, client_id: &str, token_endpoint: &str) -> bool {
        provider == P::profile().provider
            && client_id == self.0.server.client_id()
            && token_endpoint == self.0.token_endpoint
    }

    fn handle(&self, key: TokenKey, renewal: Renewal) -> TokenHandle {
        self.0.handles.of(&key, || self.new_handle(key.clone(), renewal))
    }

    fn new_handle(&self, key: TokenKey, renewal: Renewal) -> TokenHandle {
        let issuer = GrantIssuer {
            server: self.0.server.clone(),
            scopes: key.scopes.clone(),
        };
        TokenHandle::builder(key, Arc::new(issuer), renewal)
            .rotation(self.0.rotation)
            .clock(Arc::clone(&self.0.clock))
            // The request ends by its own limit first: then it is known how far it had come.
            .request_timeout(self.0.server.timeout() + Duration::from_secs(2))
            .store(Arc::clone(&self.0.store))
            .build()
    }

    pub(crate) fn client<C: TypedClient<Provider = P>>(&self, credential: Credential) -> C {
        let base = match C::KIND {
            ClientKind::Oauth | ClientKind::Registration => self.0.oauth.clone(),
            _ => self.0.api.clone(),
        };
        let text = base.as_str().trim_end_matches('/').to_owned();
        C::from_parts(
            text,
            self.0.http.clone(),
            Core::new(P::profile().provider, base, credential, self.0.retry, self.0.own_http),
        )
    }
}

/// Sets up an [`App`].
#[must_use]
pub struct AppBuilder<P: Provider> {
    environment: Option<P::Environment>,
    base_url: Option<String>,
    oauth_base_url: Option<String>,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    pub(crate) credentials: Option<Credentials<P>>,
    redirect_uri: Option<String>,
    issuer: Option<String>,
    authentication: Option<ClientAuthentications>,
    token_body: Option<TokenBody>,
    http: Option<reqwest::Client>,
    retry: RetryPolicy,
    timeout: Duration,
    store: Option<Arc<dyn TokenStore>>,
    clock: Arc<dyn Clock>,
    rotation: Option<Rotation>,
}

impl<P: Provider> AppBuilder<P> {
    pub(crate) fn new() -> Self {
        Self {
            environment: P::Environment::DEFAULT,
            base_url: None,
            oauth_base_url: None,
            authorization_endpoint: None,
            token_endpoint: None,
            revocation_endpoint: None,
            credentials: None,
            redirect_uri: None,
            issuer: None,
            authentication: None,
            token_body: None,
            http: None,
            retry: RetryPolicy::default(),
            timeout: Duration::from_secs(30),
            store: None,
            clock: Arc::new(SystemClock),
            rotation: None,
        }
    }

    /// Chooses one of the provider's environments. Without it the first of the specification is used, the sandbox where there is one.
    pub fn environment(mut self, environment: P::Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// Base URL of the resources, in place of the environment's. Unless [`oauth_base_url`](Self::oauth_base_url)
    /// says otherwise, the OAuth endpoints are looked for under it too.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Base URL of the OAuth endpoints, and of client registration.
    pub fn oauth_base_url(mut self, url: impl Into<String>) -> Self {
        self.oauth_base_url = Some(url.into());
        self
    }

    /// The authorization endpoint as a whole URL.
    pub fn authorization_endpoint(mut self, url: impl Into<String>) -> Self {
        self.authorization_endpoint = Some(url.into());
        self
    }

    /// The token endpoint as a whole URL. The bare calls of the `oauth` module go to paths under
    /// [`oauth_base_url`](Self::oauth_base_url) in any case.
    pub fn token_endpoint(mut self, url: impl Into<String>) -> Self {
        self.token_endpoint = Some(url.into());
        self
    }

    /// The revocation endpoint as a whole URL.
    pub fn revocation_endpoint(mut self, url: impl Into<String>) -> Self {
        self.revocation_endpoint = Some(url.into());
        self
    }

    /// The registered client's id and secret.
    pub fn credentials(mut self, credentials: Credentials<P>) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// The redirect URI of authorizations.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(uri.into());
        self
    }

    /// The issuer that callbacks must name when they name one (RFC 9207).
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// How the client authenticates, in place of what the specification says.
    pub fn client_authentication(mut self, methods: ClientAuthentications) -> Self {
        self.authentication = Some(methods);
        self
    }

    /// Encoding of token requests, in place of what the specification says.
    pub fn token_body(mut self, body: TokenBody) -> Self {
        self.token_body = Some(body);
        self
    }

    /// An HTTP client of your own: for a proxy, a client certificate, a resolver.
    ///
    /// Build it with `redirect::Policy::none()`. What comes back from behind a redirect is not taken for the answer to a
    /// call that changes something, but a redirect to the call's own address cannot be told from an answer. No request
    /// is made so that its body could be sent along to another address. A call without a body that changes something,
    /// and gets no connection, is reported as [`Outcome::Unknown`](crate::transport::Outcome::Unknown): the connection
    /// may have been one behind a redirect.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http = Some(client);
        self
    }

    /// How often and for how long calls are tried.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Time for one request to the authorization server; an hour at most, 30 seconds without it.
    pub fn token_request_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(Duration::from_secs(3600));
        self
    }

    /// Where grants are kept. Without one they live as long as the process.
    pub fn store(mut self, store: Arc<dyn TokenStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// What your agreement with the provider says of refresh tokens and consents, where its pages say less: a grace
    /// period, how long a consent lives, whether a spent refresh token ends the grant. By default what
    /// `x-oauth` of the specification says.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.rotation = Some(rotation);
        self
    }

    /// The clock by which tokens expire.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The application. Nothing is sent.
    ///
    /// # Errors
    ///
    /// When the credentials are missing, or a URL is not https (or http on loopback).
    pub fn build(self) -> Result<App<P>, ConfigError> {
        let credentials = self
            .credentials
            .clone()
            .ok_or(ConfigError::MissingCredentials(P::profile().env_prefix))?;
        if credentials.client_id.is_empty() {
            return Err(ConfigError::Credentials("the client id is empty"));
        }
        self.build_with(credentials)
    }

    /// With whatever credentials, for clients that need none.
    pub(crate) fn build_with(self, credentials: Credentials<P>) -> Result<App<P>, ConfigError> {
        let profile = P::profile();
        let hosts = self.environment.map(|environment| environment.hosts());
        let api = match (&self.base_url, hosts) {
            (Some(url), _) => secure_url("base URL", url)?,
            (None, Some(hosts)) => secure_url("base URL", hosts.api)?,
            (None, None) => return Err(ConfigError::MissingBaseUrl(profile.name)),
        };
        let oauth = match (&self.oauth_base_url, &self.base_url, hosts) {
            (Some(url), _, _) => secure_url("OAuth base URL", url)?,
            (None, None, Some(hosts)) => secure_url("OAuth base URL", hosts.oauth)?,
            (None, _, _) => api.clone(),
        };
        let endpoint = |what: &'static str, given: &Option<String>, path: &str| match given {
            Some(url) => secure_url(what, url),
            None => secure_url(what, &under(&oauth, path)),
        };
        let optional = |what, given: &Option<String>, path: Option<&'static str>| match (given, path) {
            (None, None) => Ok(None),
            (given, path) => endpoint(what, given, path.unwrap_or_default()).map(Some),
        };
        let endpoints = Endpoints {
            authorize: optional(
                "authorization endpoint",
                &self.authorization_endpoint,
                profile.authorize_path,
            )?,
            token: endpoint("token endpoint", &self.token_endpoint, profile.token_path)?,
            revoke: optional("revocation endpoint", &self.revocation_endpoint, profile.revoke_path)?,
        };
        let usual = P::Environment::DEFAULT.and_then(|environment| {
            let oauth = url::Url::parse(environment.hosts().oauth).ok()?;
            url::Url::parse(&under(&oauth, profile.token_path)).ok()
        });
        let token_endpoint = if usual.as_ref() == Some(&endpoints.token) {
            String::new()
        } else {
            endpoints.token.as_str().to_owned()
        };
        let own_http = self.http.is_some();
        let http = match self.http {
            Some(client) => client,
            None => default_client()?,
        };
        let server = AuthorizationServer::new(Settings {
            profile,
            endpoints,
            client_id: credentials.client_id,
            client_secret: credentials.client_secret,
            authentication: self.authentication.unwrap_or(profile.client_authentication),
            body: self.token_body.unwrap_or(profile.token_body),
            http: http.clone(),
            timeout: self.timeout,
        });
        Ok(App(Arc::new(Inner {
            api,
            oauth,
            token_endpoint,
            server,
            http,
            own_http,
            retry: self.retry,
            redirect_uri: self.redirect_uri,
            issuer: self.issuer,
            store: self.store.unwrap_or_else(|| Arc::new(MemoryStore::new())),
            clock: self.clock,
            rotation: self.rotation.unwrap_or_else(|| {
                let facts = profile.refresh;
                Rotation::new(facts.rotates, facts.grace.map(Duration::from_secs))
            }),
            handles: Handles::default(),
            provider: std::marker::PhantomData,
        })))
    }
}

/// A path under a base URL.
fn under(base: &url::Url, path: &str) -> String {
    format!("{}{path}", base.as_str().trim_end_matches('/'))
}

impl<P: Provider> fmt::Debug for AppBuilder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppBuilder")
            .field("provider", &P::profile().provider)
            .finish_non_exhaustive()
    }
}

/// Sets up a single client. For users' connections, and for several clients, set up an [`App`].
///
/// ```
/// # #[cfg(feature = "ofx")] {
/// use finrail::ofx;
///
/// let client = ofx::Client::builder()
///     .environment(ofx::Environment::Sandbox)
///     .credentials(ofx::Credentials::new("client", "secret"))
///     .client_credentials([ofx::Scope::Payments])
///     .build()?; // nothing is sent here; the first call fetches the token
/// # let _ = client;
/// # }
/// # Ok::<(), finrail::ConfigError>(())
/// ```
#[must_use]
pub struct ClientBuilder<C: TypedClient> {
    app: AppBuilder<C::Provider>,
    login: Login,
}

enum Login {
    None,
    ClientCredentials(Vec<RequestedScope>),
    Fixed(Authentication, http::HeaderValue),
}

impl<C: TypedClient> ClientBuilder<C> {
    #[doc(hidden)]
    pub fn new() -> Self {
        Self {
            app: AppBuilder::new(),
            login: Login::None,
        }
    }

    /// Chooses one of the provider's environments.
    pub fn environment(mut self, environment: <C::Provider as Provider>::Environment) -> Self {
        self.app = self.app.environment(environment);
        self
    }

    /// Base URL of the resources, in place of the environment's. See [`AppBuilder::base_url`].
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.app = self.app.base_url(url);
        self
    }

    /// Base URL of the OAuth endpoints.
    pub fn oauth_base_url(mut self, url: impl Into<String>) -> Self {
        self.app = self.app.oauth_base_url(url);
        self
    }

    /// The token endpoint as a whole URL.
    pub fn token_endpoint(mut self, url: impl Into<String>) -> Self {
        self.app = self.app.token_endpoint(url);
        self
    }

    /// The registered client's id and secret.
    pub fn credentials(mut self, credentials: Credentials<C::Provider>) -> Self {
        self.app = self.app.credentials(credentials);
        self
    }

    /// An HTTP client of your own. See [`AppBuilder::http_client`].
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.app = self.app.http_client(client);
        self
    }

    /// How often and for how long calls are tried.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.app = self.app.retry(policy);
        self
    }

    /// Where tokens are kept. Without it they live as long as the client.
    pub fn store(mut self, store: Arc<dyn TokenStore>) -> Self {
        self.app = self.app.store(store);
        self
    }

    /// The clock by which tokens expire.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.app = self.app.clock(clock);
        self
    }

    /// Any other setting of the application: `with(|app| app.issuer("https://bank.example"))`.
    pub fn with(mut self, change: impl FnOnce(AppBuilder<C::Provider>) -> AppBuilder<C::Provider>) -> Self {
        self.app = change(self.app);
        self
    }

    /// Acts for the application itself (RFC 6749 section 4.4).
    pub fn client_credentials<S: Into<RequestedScope>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self
    where
        C: grant::TakesClientCredentials,
    {
        self.login = Login::ClientCredentials(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Acts with an access key: user name and password of HTTP Basic. A provider whose key has no second part takes `""` for it.
    pub fn access_key(mut self, key: impl Into<Secret>, secret: impl Into<Secret>) -> Self
    where
        C: grant::TakesAccessKey,
    {
        let header = plain_basic(key.into().expose_secret(), secret.into().expose_secret());
        self.login = Login::Fixed(Authentication::AccessKey, header);
        self
    }

    /// Acts with the credential for client registration (RFC 7591 section 3).
    ///
    /// # Errors
    ///
    /// When the token has characters that a header cannot carry.
    pub fn registration_token(mut self, token: impl Into<Secret>) -> Result<Self, ConfigError>
    where
        C: grant::TakesRegistrationToken,
    {
        let token = token.into();
        let mut header = http::HeaderValue::try_from(format!("Bearer {}", token.expose_secret())).map_err(|_| {
            ConfigError::Credentials("the registration token has characters that a header cannot carry")
        })?;
        header.set_sensitive(true);
        self.login = Login::Fixed(Authentication::RegistrationToken, header);
        Ok(self)
    }

    /// The client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// When the credentials are missing, no way to authenticate was chosen, a
    /// scope does not fit, or a URL is not https (or http on loopback).
    pub fn build(self) -> Result<C, ConfigError> {
        match self.login {
            Login::ClientCredentials(scopes) => {
                let app = self.app.build()?;
                app.service(scopes).map_err(|error| match error {
                    oauth::Error::Config(error) => error,
                    other => ConfigError::Scope(other.to_string()),
                })
            }
            Login::Fixed(method, header) => {
                let credentials = self.app.credentials.clone().unwrap_or_else(|| Credentials::new("", ""));
                Ok(self
                    .app
                    .build_with(credentials)?
                    .client(Credential::Fixed(method, header)))
            }
            Login::None if C::KIND == ClientKind::Oauth => {
                let credential = match &self.app.credentials {
                    Some(given) => Credential::Fixed(
                        Authentication::ClientBasic,
                        oauth::basic(&given.client_id, given.client_secret.expose_secret()),
                    ),
                    None => Credential::Nothing,
                };
                let credentials = self.app.credentials.clone().unwrap_or_else(|| Credentials::new("", ""));
                Ok(self.app.build_with(credentials)?.client(credential))
            }
            Login::None => Err(ConfigError::NoGrant),
        }
    }
}

impl<C: TypedClient> Default for ClientBuilder<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: TypedClient> fmt::Debug for ClientBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("app", &self.app)
            .finish_non_exhaustive()
    }
}
