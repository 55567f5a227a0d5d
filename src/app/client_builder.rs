//! The settings of a single client.

use std::fmt;
use std::sync::Arc;

use super::application::asked;
use super::builder::AppBuilder;
use super::credentials::Credentials;
use super::given_source::GivenSource;
use super::provider::{ClientKind, Provider, TypedClient, grant};
use crate::http::ConfigError;
use crate::oauth::{self, AskedScope, RequestedScope, plain_basic};
use crate::token::{Clock, GrantKind, TokenSource, TokenStore};
use crate::transport::{Authentication, Credential, RetryPolicy};
use crate::value::{Secret, secret_header};

/// Sets up a single client. For users' connections, and for several clients, set up an [`App`](crate::App).
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
    /// A second way to authenticate was chosen.
    twice: bool,
}

enum Login {
    None,
    ClientCredentials(Vec<AskedScope>),
    Fixed(Authentication, http::HeaderValue),
    Tokens(Arc<dyn TokenSource>),
}

impl<C: TypedClient> ClientBuilder<C> {
    #[doc(hidden)]
    pub fn new() -> Self {
        Self {
            app: AppBuilder::new(),
            login: Login::None,
            twice: false,
        }
    }

    fn login(mut self, login: Login) -> Self {
        self.twice |= !matches!(self.login, Login::None);
        self.login = login;
        self
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

    /// Settings of the HTTP client. See [`AppBuilder::http`].
    pub fn http(
        mut self,
        settings: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + 'static,
    ) -> Self {
        self.app = self.app.http(settings);
        self
    }

    /// A header of every call. See [`AppBuilder::header`].
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.app = self.app.header(name, value);
        self
    }

    /// A key of the application, by the name of its security scheme. A client of a provider that takes keys alone needs nothing
    /// else. See [`AppBuilder::key`].
    pub fn key(mut self, scheme: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.app = self.app.key(scheme, value);
        self
    }

    /// An HTTP client that is made elsewhere. See [`AppBuilder::http_client`].
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
    pub fn client_credentials<S: Into<RequestedScope<C::Provider>>>(self, scopes: impl IntoIterator<Item = S>) -> Self
    where
        C: grant::TakesClientCredentials,
    {
        self.login(Login::ClientCredentials(asked(scopes)))
    }

    /// Acts with an access key: user name and password of HTTP Basic. A provider whose key has no second part takes `""` for it.
    pub fn access_key(self, key: impl Into<Secret>, secret: impl Into<Secret>) -> Self
    where
        C: grant::TakesAccessKey,
    {
        let header = plain_basic(key.into().expose_secret(), secret.into().expose_secret());
        self.login(Login::Fixed(Authentication::AccessKey, header))
    }

    /// Acts with the credential for client registration (RFC 7591 section 3).
    ///
    /// # Errors
    ///
    /// When the token has characters that a header cannot carry.
    pub fn registration_token(self, token: impl Into<Secret>) -> Result<Self, ConfigError>
    where
        C: grant::TakesRegistrationToken,
    {
        let token = token.into();
        // The error behind it says no more than this one.
        let header = secret_header("Bearer", token.expose_secret()).map_err(|_| {
            ConfigError::Credentials(
                "the registration token has characters that a header cannot carry; look for a line break at its end",
            )
        })?;
        Ok(self.login(Login::Fixed(Authentication::RegistrationToken, header)))
    }

    /// Acts with access tokens that come from elsewhere: from a service of your own that keeps the grants, from
    /// another library. Credentials are not needed, and nothing is stored here.
    ///
    /// The client asks the source for a header before each attempt, tells it of a 401, and sends a call again under the
    /// same rules as with tokens of its own.
    ///
    /// ```
    /// # #[cfg(feature = "mx")] {
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// use finrail::mx;
    /// use finrail::token::{Bearer, Error, Rejection, TokenSource};
    /// use finrail::{ScopeSet, Secret};
    /// use finrail::BoxFuture;
    ///
    /// /// The tokens of a service that runs beside the application.
    /// #[derive(Default)]
    /// struct FromOurService {
    ///     /// Goes up with every token that is asked for: a call is sent again when it has moved.
    ///     generation: AtomicU64,
    /// }
    ///
    /// impl TokenSource for FromOurService {
    ///     fn ready(&self) -> Option<Bearer> {
    ///         None // nothing is kept here: every call asks
    ///     }
    ///
    ///     fn fresh(&self) -> BoxFuture<'_, Result<Bearer, Error>> {
    ///         Box::pin(async {
    ///             let token = Secret::from("what the service answered");
    ///             let generation = self.generation.fetch_add(1, Ordering::Relaxed);
    ///             Bearer::new(&token, generation).map_err(Error::from_source)
    ///         })
    ///     }
    ///
    ///     fn rejected(&self, _: u64, _: Rejection) -> BoxFuture<'_, Result<Bearer, Error>> {
    ///         self.fresh() // the service is asked for a newer token
    ///     }
    ///
    ///     fn granted(&self) -> Option<Arc<ScopeSet>> {
    ///         None // not known: the provider decides
    ///     }
    /// }
    ///
    /// let client = mx::Client::builder()
    ///     .base_url("https://fdx.bank.example")
    ///     .token_source(Arc::new(FromOurService::default()))
    ///     .build()?;
    /// # let _ = client;
    /// # }
    /// # Ok::<(), finrail::ConfigError>(())
    /// ```
    pub fn token_source(self, source: Arc<dyn TokenSource>) -> Self
    where
        C: grant::TakesToken,
    {
        self.login(Login::Tokens(source))
    }

    /// The client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// When the credentials are missing, no way to authenticate was chosen or more than one, the tokens are known to be of
    /// another provider, of another authorization server or of a kind of grant that the client does not take, a scope does not
    /// fit, or a URL is not https (or http on loopback).
    pub fn build(self) -> Result<C, ConfigError> {
        if self.twice {
            return Err(ConfigError::Credentials(
                "the client is given more than one way to authenticate; keep one of `client_credentials`, `access_key`, \
                 `registration_token` and `token_source`",
            ));
        }
        match self.login {
            Login::ClientCredentials(scopes) => {
                let app = self.app.build()?;
                Ok(app.service_of(&scopes)?)
            }
            Login::Fixed(method, header) => self.app.client_with(Credential::Fixed(method, header)),
            Login::Tokens(source) => {
                check_source::<C>(&*source)?;
                let app = self.app.without_credentials()?;
                let is_own = |token_endpoint| token_endpoint == app.0.token_endpoint;
                if !source.token_endpoint().is_none_or(is_own) {
                    return Err(ConfigError::ForeignServer(C::Provider::profile().name));
                }
                let source = GivenSource::of::<C::Provider>(source);
                Ok(app.client(Credential::Tokens(Arc::new(source))))
            }
            Login::None if C::KIND == ClientKind::Oauth => {
                let credential = match &self.app.credentials {
                    Some(given) => Credential::Fixed(
                        Authentication::ClientBasic,
                        oauth::basic(&given.client_id, given.fixed_secret()?.expose_secret()),
                    ),
                    None => Credential::Nothing,
                };
                self.app.client_with(credential)
            }
            // Keys are a way, too.
            Login::None if !self.app.keys.is_empty() => self.app.client_with(Credential::Nothing),
            Login::None => Err(ConfigError::NoGrant),
        }
    }
}

/// Whether tokens of this source may go with the calls of this client, as far as the source tells.
fn check_source<C: TypedClient>(source: &dyn TokenSource) -> Result<(), ConfigError> {
    let profile = C::Provider::profile();
    if let Some(other) = source.provider().filter(|name| *name != profile.provider) {
        return Err(ConfigError::ForeignTokens {
            provider: other.to_owned(),
            client: profile.name,
        });
    }
    let has_grant = profile.grants.contains(&GrantKind::ClientCredentials.as_str());
    let takes_own = has_grant && C::KIND == <C::Provider as Provider>::ServiceClient::KIND;
    let takes_users = C::KIND != ClientKind::Service;
    let unfit = |grant: GrantKind, takes| ConfigError::UnfitTokens {
        grant: grant.as_str(),
        client: profile.name,
        takes,
    };
    match source.grant() {
        Some(grant @ GrantKind::ClientCredentials) if !takes_own => {
            Err(unfit(grant, "those of a user: give it the tokens of a connection"))
        }
        Some(grant @ (GrantKind::AuthorizationCode | GrantKind::Password)) if !takes_users => Err(unfit(
            grant,
            "those of the application itself: choose `client_credentials`, or give it the application's `client_tokens`",
        )),
        _ => Ok(()),
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
