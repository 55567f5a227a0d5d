//! The settings of an application.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::application::{App, Settled};
use super::credentials::Credentials;
use super::logins::Logins;
use super::provider::{Environment as _, Provider, TypedClient};
use crate::http::{ConfigError, check_issuer, client_with, default_client, endpoint_url, secure_url};
use crate::oauth::{
    AuthorizationServer, Authorizations, ClientAuthentications, Endpoints, KeptSecrets, Pkce, Settings, TokenBody,
};
use crate::token::{
    AuditEvent, AuditSink, Clock, Handles, MemoryStore, NewsOfAll, PseudonymKey, Rotation, SystemClock,
    TokenHandleBuilder, TokenStore,
};
use crate::transport::{Credential, ExtraHeaders, Keys, Limiter, Limits, RetryPolicy, UnfitKey};
use crate::value::Secret;

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
    without_pkce: bool,
    http: Http,
    headers: ExtraHeaders,
    pub(super) keys: Keys,
    header_problem: Option<&'static str>,
    retry: RetryPolicy,
    limits: Limits,
    wire_log: bool,
    timeout: Duration,
    store: Option<Arc<dyn TokenStore>>,
    clock: Arc<dyn Clock>,
    rotation: Option<Rotation>,
    look_again_every: Duration,
    revoke_replaced: bool,
    pseudonym_key: Option<PseudonymKey>,
    tombstones_live: Duration,
    audit: AuditSink,
    authorization_lifetime: Duration,
    keep_id_token: bool,
}

/// Where the HTTP client comes from.
enum Http {
    Usual,
    Settings(Box<dyn FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send>),
    Given(reqwest::Client),
}

impl<P: Provider> App<P> {
    /// Starts to set up an application.
    pub fn builder() -> AppBuilder<P> {
        AppBuilder::new()
    }
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
            without_pkce: false,
            http: Http::Usual,
            headers: ExtraHeaders::default(),
            keys: Keys::default(),
            header_problem: None,
            retry: RetryPolicy::default(),
            limits: Limits::new(),
            wire_log: false,
            timeout: Duration::from_secs(30),
            store: None,
            clock: Arc::new(SystemClock),
            rotation: None,
            look_again_every: TokenHandleBuilder::LOOK_AGAIN_EVERY,
            revoke_replaced: false,
            pseudonym_key: None,
            tombstones_live: Duration::from_secs(90 * 86_400),
            audit: AuditSink::default(),
            authorization_lifetime: Duration::from_secs(600),
            keep_id_token: false,
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

    /// The authorization endpoint as a whole URL. A query in it stays, and the parameters of a request are added to it
    /// (RFC 6749 section 3.1). A parameter that requests have, such as `client_id` or `state`, is refused in it.
    pub fn authorization_endpoint(mut self, url: impl Into<String>) -> Self {
        self.authorization_endpoint = Some(url.into());
        self
    }

    /// The token endpoint as a whole URL, with a query where it has one (RFC 6749 section 3.2). It is part of the
    /// keys of grants, with its query: put no secret there. The bare calls of the `oauth` module go to paths under
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

    /// The registered client's id and secret, or where its secret is kept ([`Credentials::from_source`]).
    pub fn credentials(mut self, credentials: Credentials<P>) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// The redirect URI of authorizations: https, http on a loopback address, or a scheme of the application's own (RFC
    /// 8252 section 7). [`authorize`](App::authorize) refuses any other.
    ///
    /// An application that works with several authorization servers (several institutions at MX) gives each a redirect
    /// URI of its own, such as `https://app.example/callback/first-bank`: a callback that one institution's server sends
    /// to another's authorization is then refused before the code goes anywhere (RFC 9700 section 4.4.2.2).
    ///
    /// ```
    /// # #[cfg(feature = "mx")] {
    /// use finrail::{ConfigError, mx};
    ///
    /// fn app_of(institution: &str, credentials: mx::Credentials) -> Result<mx::App, ConfigError> {
    ///     mx::App::builder()
    ///         .base_url(format!("https://fdx.{institution}.example"))
    ///         .redirect_uri(format!("https://app.example/callback/{institution}"))
    ///         .credentials(credentials)
    ///         .build()
    /// }
    /// # assert!(app_of("first-bank", mx::Credentials::new("client", "secret")).is_ok());
    /// # }
    /// ```
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(uri.into());
        self
    }

    /// The issuer of an authorization server that sends `iss` with its callbacks, where its metadata say
    /// `authorization_response_iss_parameter_supported` (RFC 9207). Every callback must name it then, letter for letter;
    /// one that names another, or none, is refused. It is a https URL without query and fragment (RFC 8414 section 2), or http
    /// on a loopback address, written as a parser of URLs writes it, but for capital letters: the host in ASCII letters, and without the port
    /// that goes without saying. What is none is an error when the application is built.
    ///
    /// Without it an `iss` is taken that has scheme, host and port of the authorization endpoint or the token endpoint, and
    /// no other; a callback without `iss` is taken too. Until this version a set issuer was compared only where a callback
    /// had one: leave it out for a server that sends none.
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

    /// Sends no PKCE, to a server that takes no request with it.
    ///
    /// PKCE (RFC 7636) is sent to every server that is not known to refuse it, because most ignore what they do not know. One
    /// that does not shows the user a page with an error, or answers `invalid_request`; the error says then that this
    /// switch may help. Where the provider [demands](crate::oauth::Pkce::Required) PKCE it cannot be switched off.
    pub fn without_pkce(mut self) -> Self {
        self.without_pkce = true;
        self
    }

    /// Settings of the HTTP client: a proxy, roots, a client certificate, a resolver, the pool, timeouts below those of the
    /// [retry policy](Self::retry). What outcomes depend on is set behind them and cannot be changed: no redirect is
    /// followed, and nothing is sent again by itself. Of a call without a body whose time is up by one of these timeouts, but for
    /// `connect_timeout`, it is not known whether it had a connection: its outcome is
    /// [`Outcome::Unknown`](crate::transport::Outcome::Unknown).
    ///
    /// Without them the proxies that the environment names are used (`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`), for
    /// every host but those of this machine: what goes to `localhost`, `127.0.0.0/8` or `::1` is plain http, with secrets in
    /// it, and no proxy gets to see it. They begin with these proxies: `no_proxy()` drops them.
    ///
    /// TLS: without settings, all applications of the process share one configuration with the machine's certificates, and
    /// nothing is installed in the process. With settings reqwest makes its own, with the
    /// `rustls::crypto::CryptoProvider` that the process has installed; where it has none, that of `ring` is installed.
    /// A `reqwest::Client` of the application's own, made without reqwest's `rustls` feature, needs one
    /// too: `rustls::crypto::ring::default_provider().install_default()`.
    ///
    /// The connections are kept in a pool, which belongs to this application.
    ///
    /// ```
    /// # #[cfg(feature = "ofx")] {
    /// use finrail::ofx;
    ///
    /// fn through_a_proxy(credentials: ofx::Credentials) -> Result<ofx::App, Box<dyn std::error::Error>> {
    ///     let proxy = reqwest::Proxy::all("https://proxy.example:8443")?;
    ///     Ok(ofx::App::builder()
    ///         .credentials(credentials)
    ///         .http(|http| http.proxy(proxy).pool_max_idle_per_host(4))
    ///         .build()?)
    /// }
    /// # assert!(through_a_proxy(ofx::Credentials::new("client", "secret")).is_ok());
    /// # }
    /// ```
    pub fn http(
        mut self,
        settings: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + 'static,
    ) -> Self {
        self.http = Http::Settings(Box::new(settings));
        self
    }

    /// An HTTP client that is made elsewhere. Use [`http`](Self::http) where you can: how this client goes about redirects
    /// and repeats is not known here.
    ///
    /// Build it with `redirect::Policy::none()` and `retry(reqwest::retry::never())`. What comes back from behind a redirect
    /// is not taken for the answer to a call that changes something, and what comes from another path not for a page of the
    /// list that was asked.
    ///
    /// A redirect that leads back to the call's own address shows in nothing that reqwest tells of a response. It is found by
    /// how reqwest sets about its next request, which reqwest does not promise, and what is found makes the outcome of a call
    /// that changes something [`Outcome::Unknown`](crate::transport::Outcome::Unknown). A version of reqwest that goes about it
    /// otherwise would let the success of a GET pass for that of a payment: only a client that follows no redirect makes sure of
    /// it. No refusal of a call that changes something shows that it had no effect, not even one that names the token: its
    /// outcome is `Unknown`, and the call is not sent again with a new token.
    ///
    /// No request that changes something is made so that it could be sent along to another address, with its
    /// body or without one. A call without a body that changes something, and gets no connection, is reported as
    /// `Unknown` too: the connection may have been one behind a redirect.
    ///
    /// It goes by its own proxies; reqwest's default sends loopback requests to `HTTP_PROXY` too, unless `NO_PROXY` names
    /// these hosts.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http = Http::Given(client);
        self
    }

    /// A header of every call, with a value by the caller, such as the id of a tenant. Requests to the authorization server
    /// do not have it. For one connection: [`TypedClient::with_header`]; for one call:
    /// [`CallOptions::header`](crate::transport::CallOptions::header), which comes before this.
    ///
    /// A header that a call has by itself (`Authorization`, `Accept`, `Content-Type`, what frames the message) is refused
    /// when the application is built. The value is not logged.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        if let Err(problem) = self.headers.set(name.as_ref(), value.as_ref()) {
            self.header_problem = Some(problem);
        }
        self
    }

    /// A key that the provider gives an application once and for all, by the name of its security scheme in the specification
    /// ([`Key::scheme`](crate::transport::Key::scheme)): in a header, in the query, or as a bearer credential, as the specification
    /// says. Calls that take it have it, beside a token or alone. The value is in no log and no error.
    pub fn key(mut self, scheme: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.keys = self.keys.with(scheme.into(), value.into());
        self
    }

    /// How often and for how long calls are tried.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How many calls are made at once and in a time. Without it there is no limit.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Logs what goes over the wire with each attempt of a call, as `tracing` events of target `finrail::wire` at level
    /// DEBUG. Off by default.
    ///
    /// Bodies are told by their shape: the names of fields, their types and lengths. A value is told where the specification
    /// says of its field that it may be logged (`x-loggable`, [`Operation::loggable`](crate::transport::Operation::loggable)),
    /// and in no other case; of headers the values of a few (`Content-Type`, `X-Request-ID`, `Retry-After`, ..). Digits in names
    /// are masked, and a name that is the call's token is not told. Requests to the authorization server are not logged.
    pub fn wire_log(mut self, on: bool) -> Self {
        self.wire_log = on;
        self
    }

    /// Time for one request to the authorization server; a millisecond at least, an hour at most, 30 seconds without it. The reading of the client's
    /// secret from its [source](Credentials::from_source) is part of it, and has half of it at most.
    pub fn token_request_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.clamp(Duration::from_millis(1), Duration::from_secs(3600));
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

    /// How long a process may serve a grant's tokens without a look at the store, where another process may have
    /// [revoked](crate::Connection::revoke) or [forgotten](crate::Connection::forget) the grant: five minutes by default, two
    /// seconds at least.
    ///
    /// While there are calls, one that comes after half of that time starts the look and does not wait for it. After a longer
    /// pause the first call waits for the look, for a second at most: a store that does not answer stops no calls. It costs
    /// two reads of the store per grant, process and interval, and nothing while there are no calls.
    ///
    /// A store that lost the record of a grant gets it back from a process that holds tokens. Another process may hold newer
    /// ones, and finds the loss with its next look: for so long, an hour at most, the refresh token that was put back is not
    /// sent. Let all processes that share a store have the same setting.
    ///
    /// ```
    /// # #[cfg(feature = "mx")] {
    /// use std::time::Duration;
    ///
    /// use finrail::mx;
    ///
    /// let app = mx::App::builder()
    ///     .base_url("https://fdx.bank.example")
    ///     .credentials(mx::Credentials::new("client", "secret"))
    ///     .look_again_every(Duration::from_secs(30))
    ///     .build()?;
    /// # let _ = app;
    /// # }
    /// # Ok::<(), finrail::ConfigError>(())
    /// ```
    pub fn look_again_every(mut self, interval: Duration) -> Self {
        self.look_again_every = interval;
        self
    }

    /// Whether the tokens that a second login replaces are revoked at the provider: no by default. A login replaces
    /// another one when the user has authorized before under the same key: the same provider, client, authorization
    /// server, scopes and [subject](crate::oauth::Authorization::subject). The store has the newer tokens only, and at the
    /// provider the grant of the earlier login lives on until it ends by itself.
    ///
    /// They are revoked once the new ones are stored, never before, and beside the login: a revocation that fails is
    /// logged and not tried again, and the login holds. Nothing is revoked where the provider has no revocation, or gave
    /// the same refresh token again. Where all logins of a user are one consent at the provider, a revocation may end the
    /// new tokens too (RFC 7009 section 2.1): ask the provider before this is turned on.
    pub fn revoke_replaced(mut self, revoke: bool) -> Self {
        self.revoke_replaced = revoke;
        self
    }

    /// The key of the pseudonyms that stand for people in the marks of grants that are over.
    ///
    /// A grant that is revoked or forgotten leaves a mark in the store, a tombstone, so that other processes end it too.
    /// With a key, the mark has a hash with this key in place of the [subject](crate::token::TokenKey::subject), and
    /// [`grants`](App::grants) does not list it. Without one it names the subject; only what [`erase`](App::erase) leaves
    /// has a pseudonym in any case, made with chance alone.
    ///
    /// A mark of a grant that the provider refused, or whose consent ended, names the subject in any case, because its user
    /// is to be asked again, and goes with the others.
    ///
    /// Give every process the same key. A mark with a pseudonym of another key counts all the same: it stands under the id
    /// of its grant. Processes of an earlier version do not read such marks: set the key when all are upgraded.
    ///
    /// ```
    /// # #[cfg(feature = "mx")] {
    /// use finrail::mx;
    /// use finrail::token::PseudonymKey;
    ///
    /// fn app(pseudonyms: [u8; 32]) -> Result<mx::App, finrail::ConfigError> {
    ///     mx::App::builder()
    ///         .base_url("https://fdx.bank.example")
    ///         .credentials(mx::Credentials::new("client", "secret"))
    ///         .pseudonym_key(PseudonymKey::new(pseudonyms))
    ///         .build()
    /// }
    /// # assert!(app([1; 32]).is_ok());
    /// # }
    /// ```
    pub fn pseudonym_key(mut self, key: PseudonymKey) -> Self {
        self.pseudonym_key = Some(key);
        self
    }

    /// How long the store keeps the mark of a grant that is over, until
    /// [`keep_alive`](App::keep_alive) removes it: 90 days by default, a day at least, a
    /// hundred years at most.
    ///
    /// A process that has the grant's tokens in memory and does not look at the store in all that time takes the missing
    /// mark for a loss of the store, and puts the grant back: let it be longer than any process lives. The process that
    /// removes the mark lets its own connections see it first.
    pub fn tombstones_live(mut self, time: Duration) -> Self {
        const DAY: Duration = Duration::from_secs(86_400);
        self.tombstones_live = time.clamp(DAY, DAY * 36_500);
        self
    }

    /// Tells this sink of every login, refresh, loss, revocation and erasure of a grant, and of the application's own tokens,
    /// without a secret: [`AuditEvent`] says what is told, and what is not. Without one nothing is told.
    ///
    /// Each process tells what it did itself: set it in all of them. The sink is called in the task that makes the change,
    /// so it should be quick: let it hand what takes time to somebody else. A panic in it is logged and changes nothing.
    ///
    /// ```
    /// # #[cfg(feature = "mx")] {
    /// use std::io::Write as _;
    /// use std::sync::Mutex;
    ///
    /// use finrail::mx;
    ///
    /// fn app(log: std::fs::File) -> Result<mx::App, finrail::ConfigError> {
    ///     let log = Mutex::new(log);
    ///     mx::App::builder()
    ///         .base_url("https://fdx.bank.example")
    ///         .credentials(mx::Credentials::new("client", "secret"))
    ///         .audit(move |event| {
    ///             let line = serde_json::to_string(event).unwrap_or_default();
    ///             let mut log = log.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    ///             if let Err(error) = writeln!(log, "{line}") {
    ///                 eprintln!("the audit log is not written: {error}; the event: {line}");
    ///             }
    ///         })
    ///         .build()
    /// }
    /// # let _ = app;
    /// # }
    /// ```
    pub fn audit(mut self, sink: impl Fn(&AuditEvent) + Send + Sync + 'static) -> Self {
        self.audit = AuditSink::new(sink);
        self
    }

    /// How long an authorization may take, from [`authorize`](App::authorize) to its callback: ten minutes without it, a
    /// second at least, a week at most. A callback that comes later is refused, and its code is not used.
    pub fn authorization_lifetime(mut self, lifetime: Duration) -> Self {
        self.authorization_lifetime = lifetime.clamp(Duration::from_secs(1), Duration::from_secs(7 * 86_400));
        self
    }

    /// Keeps the `id_token` of token replies with the grant (OpenID Connect), unread, for those who read it from the store
    /// ([`TokenSet::id_token`](crate::token::TokenSet::id_token)). By default it is not kept: it names the user, and
    /// nothing here needs it.
    pub fn keep_id_token(mut self, keep: bool) -> Self {
        self.keep_id_token = keep;
        self
    }

    /// The clock by which tokens and authorizations expire.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The application. Nothing is sent.
    ///
    /// # Errors
    ///
    /// When the credentials are missing, a URL is not https (or http on loopback), or the query of an endpoint has a
    /// parameter that its requests have ([`ConfigError::ReservedParameter`]).
    pub fn build(self) -> Result<App<P>, ConfigError> {
        let credentials = self
            .credentials
            .clone()
            .ok_or(ConfigError::MissingCredentials(P::profile().env_prefix))?;
        if credentials.client_id.is_empty() {
            return Err(ConfigError::Credentials(
                "the client id is empty; give the one that the provider registered",
            ));
        }
        self.build_with(credentials)
    }

    /// A single client that authenticates in another way than by a grant, and needs no credentials for that.
    pub(super) fn client_with<C: TypedClient<Provider = P>>(self, credential: Credential) -> Result<C, ConfigError> {
        Ok(self.without_credentials()?.client(credential))
    }

    /// The same application, with the credentials that there are.
    pub(super) fn without_credentials(self) -> Result<App<P>, ConfigError> {
        let credentials = self.credentials.clone().unwrap_or_else(|| Credentials::new("", ""));
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
        if let Some(issuer) = &self.issuer {
            check_issuer(issuer)?;
        }
        // A browser may be sent to another host than the one that gives tokens.
        let authorizing = match hosts.filter(|hosts| !hosts.authorize.is_empty()) {
            Some(hosts) if self.oauth_base_url.is_none() && self.base_url.is_none() => {
                secure_url("base URL of the authorization endpoint", hosts.authorize)?
            }
            _ => oauth.clone(),
        };
        let endpoint = |what: &'static str, base: &url::Url, given: &Option<String>, path: &str| match given {
            Some(url) => endpoint_url(what, url),
            None => endpoint_url(what, &under(base, path)),
        };
        let optional = |what, base, given: &Option<String>, path: Option<&'static str>| match (given, path) {
            (None, None) => Ok(None),
            (given, path) => endpoint(what, base, given, path.unwrap_or_default()).map(Some),
        };
        let endpoints = Endpoints {
            authorize: optional(
                "authorization endpoint",
                &authorizing,
                &self.authorization_endpoint,
                profile.authorize_path,
            )?,
            token: endpoint("token endpoint", &oauth, &self.token_endpoint, profile.token_path)?,
            revoke: optional(
                "revocation endpoint",
                &oauth,
                &self.revocation_endpoint,
                profile.revoke_path,
            )?,
        };
        endpoints.without_reserved_parameters()?;
        let usual = P::Environment::DEFAULT.and_then(|environment| {
            let oauth = url::Url::parse(environment.hosts().oauth).ok()?;
            url::Url::parse(&under(&oauth, profile.token_path)).ok()
        });
        let token_endpoint = if usual.as_ref() == Some(&endpoints.token) {
            String::new()
        } else {
            endpoints.token.as_str().to_owned()
        };
        if let Some(problem) = self.header_problem {
            return Err(ConfigError::Header(problem));
        }
        let keys = self.keys.placed(P::operations()).map_err(|unfit| match unfit {
            UnfitKey::Unknown { scheme, known } => ConfigError::UnknownKey {
                provider: profile.name,
                scheme,
                known,
            },
            UnfitKey::Unwritable { scheme } => ConfigError::Key(scheme),
        })?;
        let own_http = matches!(self.http, Http::Given(_));
        let http = match self.http {
            Http::Usual => default_client()?,
            Http::Settings(settings) => client_with(settings)?,
            Http::Given(client) => client,
        };
        let pkce = match (self.without_pkce, profile.pkce) {
            (true, Pkce::Required) => return Err(ConfigError::PkceRequired(profile.name)),
            (true, _) => Pkce::Refused,
            (false, known) => known,
        };
        // A request has the other half of its time for the sending.
        let kept = KeptSecrets::new(credentials.secrets, self.timeout / 2);
        let client_secrets = {
            let kept = kept.clone();
            Arc::new(move |tells: &dyn Fn(&str) -> bool| kept.any(tells))
        };
        let server = AuthorizationServer::new(Settings {
            profile,
            endpoints,
            client_id: credentials.client_id,
            client_secrets: kept,
            authentication: self.authentication.unwrap_or(profile.client_authentication),
            body: self.token_body.unwrap_or(profile.token_body),
            pkce,
            http: http.clone(),
            timeout: self.timeout,
            keep_id_token: self.keep_id_token,
        });
        let store = self
            .store
            .unwrap_or_else(|| Arc::new(MemoryStore::with_clock(Arc::clone(&self.clock))));
        let settled = Settled {
            api,
            oauth,
            token_endpoint,
            server,
            http,
            headers: self.headers,
            keys,
            own_http,
            limiter: Arc::new(Limiter::new(self.limits)),
            wire_log: self.wire_log,
            client_secrets,
            retry: self.retry,
            redirect_uri: self.redirect_uri,
            issuer: self.issuer,
            logins: Logins::new(),
            authorizations: Authorizations::new(Arc::clone(&store), Arc::clone(&self.clock)),
            authorization_lifetime: self.authorization_lifetime,
            store,
            clock: self.clock,
            look_again_every: self.look_again_every,
            revoke_replaced: self.revoke_replaced,
            pseudonym_key: self.pseudonym_key,
            tombstones_live: self.tombstones_live,
            audit: self.audit,
            news: NewsOfAll::default(),
            rotation: self.rotation.unwrap_or_else(|| {
                let facts = profile.refresh;
                Rotation::new(facts.rotates, facts.grace.map(Duration::from_secs))
            }),
            handles: Handles::default(),
            provider: std::marker::PhantomData,
        };
        Ok(App(Arc::new(settled), None))
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
