//! One function per request to an authorization server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, HttpRequest,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, ResourceOwnerPassword, ResourceOwnerUsername,
    TokenUrl,
};
use url::Url;
use zeroize::Zeroizing;

use super::callback::ExpectedIssuer;
use super::client_authentication::basic;
use super::client_secrets::KeptSecrets;
use super::error::{CODE_EXCHANGE, Error, PASSWORD_REQUEST};
use super::exchange::{Captured, Exchange, captured};
use super::profile::{ClientAuthentication, ClientAuthentications, Pkce, Profile, TokenBody};
use super::redirect_uri::not_absolute;
use super::reply::{Asked, Spends};
use super::requested_scope::Scopes;
use super::sending::{Sending, with_a_secret};
use crate::http::ConfigError;
use crate::token::{RefreshRequest, RevokeRequest, RevokedToken, SendPermit, TokenReply};
use crate::value::{ScopeSet, Secret};

/// An authorization server with the client that is registered there, as an application is set up with it.
///
/// An application gives it, for code that does not know the provider at compile time: it tells which facts hold of the
/// server and as which client requests go out, for a log or a page of settings. Requests are sent by the
/// [`App`](crate::App) and by the lifecycle of [`token`](crate::token), each once.
///
/// ```
/// # #[cfg(feature = "mx")] {
/// use finrail::oauth::AuthorizationServer;
/// use finrail::mx;
///
/// fn described(server: &AuthorizationServer) -> String {
///     let pkce = if server.profile().pkce.is_checked() { "with PKCE" } else { "without PKCE" };
///     format!("{} as {}, {pkce}", server.profile().name, server.client_id())
/// }
///
/// let app = mx::App::builder()
///     .base_url("https://fdx.bank.example")
///     .credentials(mx::Credentials::new("client-1", "secret"))
///     .build()?;
/// assert_eq!(described(app.authorization_server()), "MX Data Access as client-1, with PKCE");
/// # }
/// # Ok::<(), finrail::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct AuthorizationServer(Arc<Settings>);

/// Where an authorization server's endpoints are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoints {
    pub authorize: Option<Url>,
    pub token: Url,
    pub revoke: Option<Url>,
}

impl Endpoints {
    /// Refuses an endpoint whose query has a parameter of OAuth's own: a server that gets one twice may take the one that
    /// nobody meant (RFC 6749 sections 3.1 and 3.2).
    pub fn without_reserved_parameters(&self) -> Result<(), ConfigError> {
        const AUTHORIZATION: &[&str] = &[
            "response_type",
            "client_id",
            "redirect_uri",
            "scope",
            "state",
            "code_challenge",
            "code_challenge_method",
        ];
        const TOKEN: &[&str] = &[
            "grant_type",
            "code",
            "redirect_uri",
            "client_id",
            "client_secret",
            "client_assertion",
            "client_assertion_type",
            "code_verifier",
            "refresh_token",
            "scope",
            "username",
            "password",
        ];
        const REVOCATION: &[&str] = &[
            "token",
            "token_type_hint",
            "refresh_token",
            "client_id",
            "client_secret",
            "client_assertion",
            "client_assertion_type",
        ];

        for (what, endpoint, reserved) in [
            ("authorization endpoint", self.authorize.as_ref(), AUTHORIZATION),
            ("token endpoint", Some(&self.token), TOKEN),
            ("revocation endpoint", self.revoke.as_ref(), REVOCATION),
        ] {
            let Some(endpoint) = endpoint else { continue };
            let mut repeated = endpoint.query_pairs();
            if let Some(parameter) = repeated.find_map(|(name, _)| reserved.iter().find(|own| **own == name)) {
                return Err(ConfigError::ReservedParameter { what, parameter });
            }
        }
        Ok(())
    }
}

/// What [`AuthorizationServer`] is made of.
pub(crate) struct Settings {
    pub profile: &'static Profile,
    pub endpoints: Endpoints,
    pub client_id: String,
    pub client_secrets: KeptSecrets,
    pub authentication: ClientAuthentications,
    pub body: TokenBody,
    /// The provider's, or that it is not to be sent.
    pub pkce: Pkce,
    pub http: reqwest::Client,
    pub timeout: Duration,
    /// The `id_token` of a reply is kept with the grant.
    pub keep_id_token: bool,
}

impl fmt::Debug for AuthorizationServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A query may hold what only the server is to know.
        let mut token_endpoint = self.0.endpoints.token.clone();
        token_endpoint.set_query(None);
        f.debug_struct("AuthorizationServer")
            .field("provider", &self.0.profile.provider)
            .field("token_endpoint", &token_endpoint.as_str())
            .finish_non_exhaustive()
    }
}

/// Chance in `state`: the 160 bits of RFC 6749 section 10.10, which section 10.12 asks for.
const STATE_OCTETS: u32 = 20;

/// A request for authorization: where to send the user, and what to remember.
pub(crate) struct AuthorizationRequest {
    pub url: Url,
    pub state: Secret,
    pub verifier: Option<Secret>,
}

type OauthClient =
    oauth2::basic::BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

impl AuthorizationServer {
    pub(crate) fn new(settings: Settings) -> Self {
        Self(Arc::new(settings))
    }

    /// What is known of the server.
    #[must_use]
    pub fn profile(&self) -> &'static Profile {
        self.0.profile
    }

    /// The client's identifier.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.0.client_id
    }

    /// Time for one request.
    pub(crate) fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// Who may have sent a callback: the issuer that is set, or whoever has the endpoints that are used.
    pub(crate) fn expected_issuer<'a>(&'a self, issuer: Option<&'a str>) -> ExpectedIssuer<'a> {
        let endpoints = &self.0.endpoints;
        match issuer {
            Some(issuer) => ExpectedIssuer::Exactly(issuer),
            None => ExpectedIssuer::WithEndpoint([endpoints.authorize.as_ref(), Some(&endpoints.token)]),
        }
    }

    /// Whether an error may be the server's word on PKCE, of which the provider says nothing: the code of RFC 6749 for a
    /// parameter that is not supported (sections 4.1.2.1 and 5.2).
    pub(crate) fn may_be_pkce(&self, error: &str) -> bool {
        self.0.pkce == Pkce::Undocumented && error == "invalid_request"
    }

    /// The URL that a user's browser is sent to (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
    pub(crate) fn authorization_request(
        &self,
        scopes: &Scopes,
        redirect_uri: Option<&str>,
    ) -> Result<AuthorizationRequest, Error> {
        let profile = self.0.profile;
        let endpoint = self.0.endpoints.authorize.clone();
        let endpoint = endpoint.ok_or(Error::Unsupported {
            provider: profile.name,
            what: "authorization endpoint",
        })?;
        let client = oauth2::basic::BasicClient::new(ClientId::new(self.0.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(endpoint));
        let mut request = client.authorize_url(|| CsrfToken::new_random_len(STATE_OCTETS));
        if let Some(uri) = redirect_uri {
            let uri = RedirectUrl::new(uri.to_owned()).map_err(not_absolute)?;
            request = request.set_redirect_uri(std::borrow::Cow::Owned(uri));
        }
        if profile.scope_sent_on.authorize && !scopes.authorize.is_empty() {
            request = request.add_extra_param("scope", scopes.authorize.clone());
        }
        let mut verifier = None;
        if self.0.pkce.is_sent() {
            let (challenge, secret) = PkceCodeChallenge::new_random_sha256();
            request = request.set_pkce_challenge(challenge);
            verifier = Some(Secret::new(secret.secret().clone()));
        }
        let (url, state) = request.url();
        Ok(AuthorizationRequest {
            url,
            state: Secret::new(state.secret().clone()),
            verifier,
        })
    }

    /// RFC 6749 section 4.4.
    pub(crate) async fn client_credentials(&self, scopes: &ScopeSet) -> Result<TokenReply, Error> {
        let method = self.0.authentication.client_credentials;
        let send = |sending: Sending| async move {
            let client = self.oauth_client(method, &sending);
            let mut request = client.exchange_client_credentials();
            if let Some(scope) = self.scope(self.0.profile.scope_sent_on.client_credentials, scopes) {
                request = request.add_extra_param("scope", scope);
            }
            let exchange = self.exchange(&sending);
            let shown = self.shown_credentials(method, &sending);
            let secrets = carried(&[], &shown);
            let asked = self.asked(sending.request, Spends::Nothing, &secrets);
            captured(request.request_async(&exchange).await, &asked)?.token(self.0.profile, &asked)
        };
        self.authenticated("client credentials request", method, send).await
    }

    /// RFC 6749 section 4.1.3.
    pub(crate) async fn authorization_code(
        &self,
        code: &Secret,
        verifier: Option<&Secret>,
        redirect_uri: Option<&str>,
        scopes: &ScopeSet,
    ) -> Result<TokenReply, Error> {
        let method = self.0.authentication.authorization_code;
        let send = |sending: Sending| async move {
            let client = self.oauth_client(method, &sending);
            let mut request = client.exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()));
            if let Some(verifier) = verifier {
                request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose_secret().to_owned()));
            }
            if let Some(uri) = redirect_uri.filter(|_| self.0.profile.redirect_uri.on_token_request) {
                let uri = RedirectUrl::new(uri.to_owned()).map_err(not_absolute)?;
                request = request.set_redirect_uri(std::borrow::Cow::Owned(uri));
            }
            if let Some(scope) = self.scope(self.0.profile.scope_sent_on.authorization_code, scopes) {
                request = request.add_extra_param("scope", scope);
            }
            let shown = self.shown_credentials(method, &sending);
            let mut own = vec![code.expose_secret()];
            own.extend(verifier.map(Secret::expose_secret));
            let secrets = carried(&own, &shown);
            let asked = self.asked(sending.request, Spends::Code, &secrets);
            let exchange = self.exchange(&sending);
            captured(request.request_async(&exchange).await, &asked)?.token(self.0.profile, &asked)
        };
        match self.authenticated(CODE_EXCHANGE, method, send).await {
            Err(Error::Server(error)) if verifier.is_some() && self.may_be_pkce(&error.error) => {
                Err(Error::PkceRefused(error))
            }
            reply => reply,
        }
    }

    /// RFC 6749 section 4.3.
    pub(crate) async fn password(
        &self,
        username: &str,
        password: &Secret,
        scopes: &ScopeSet,
    ) -> Result<TokenReply, Error> {
        let method = self.0.authentication.password;
        let username = &ResourceOwnerUsername::new(username.to_owned());
        let resource_owner_password = &ResourceOwnerPassword::new(password.expose_secret().to_owned());
        let send = |sending: Sending| async move {
            let client = self.oauth_client(method, &sending);
            let mut request = client.exchange_password(username, resource_owner_password);
            if let Some(scope) = self.scope(self.0.profile.scope_sent_on.password, scopes) {
                request = request.add_extra_param("scope", scope);
            }
            let shown = self.shown_credentials(method, &sending);
            let secrets = carried(&[password.expose_secret()], &shown);
            let asked = self.asked(sending.request, Spends::Nothing, &secrets);
            let exchange = self.exchange(&sending);
            captured(request.request_async(&exchange).await, &asked)?.token(self.0.profile, &asked)
        };
        self.authenticated(PASSWORD_REQUEST, method, send).await
    }

    /// RFC 6749 section 6. What the grant has by the last reply is all that may be asked for.
    pub(crate) async fn refresh(&self, refresh: &RefreshRequest) -> Result<TokenReply, Error> {
        let RefreshRequest {
            refresh_token,
            granted,
            permit,
        } = refresh;
        let method = self.0.authentication.refresh_token;
        let token = &RefreshToken::new(refresh_token.expose_secret().to_owned());
        let send = |sending: Sending| async move {
            let client = self.oauth_client(method, &sending);
            let mut request = client.exchange_refresh_token(token);
            if let Some(scope) = self.scope(
                self.0.profile.scope_sent_on.refresh_token,
                &as_told(granted, self.0.profile),
            ) {
                request = request.add_extra_param("scope", scope);
            }
            let shown = self.shown_credentials(method, &sending);
            let secrets = carried(&[refresh_token.expose_secret()], &shown);
            let asked = self.asked(sending.request, Spends::RefreshToken, &secrets);
            let exchange = Exchange {
                permit: permit.clone(),
                ..self.exchange(&sending)
            };
            captured(request.request_async(&exchange).await, &asked)?.token(self.0.profile, &asked)
        };
        self.authenticated("refresh", method, send).await
    }

    /// RFC 7009 section 2.1, in the provider's own form. `Ok(false)`: the provider has no revocation endpoint.
    pub(crate) async fn revoke(&self, request: &RevokeRequest) -> Result<bool, Error> {
        let RevokeRequest { token, unanswered } = request;
        let profile = self.0.profile;
        let (Some(revocation), Some(endpoint)) = (&profile.revocation, &self.0.endpoints.revoke) else {
            return Ok(false);
        };
        let (secret, hint) = match token {
            RevokedToken::Refresh(secret) => (secret, "refresh_token"),
            RevokedToken::Access(secret) => (secret, "access_token"),
        };
        if hint == "access_token" && revocation.token_field == "refresh_token" {
            // The endpoint takes refresh tokens only; there is nothing to send it.
            return Ok(false);
        }
        let method = self.0.authentication.revocation;
        let send = |sending: Sending| async move {
            let mut fields = vec![(revocation.token_field, secret.expose_secret())];
            if revocation.token_type_hint {
                fields.push(("token_type_hint", hint));
            }
            let mut request = HttpRequest::new(Vec::new());
            match method {
                ClientAuthentication::Basic => {
                    request.headers_mut().insert(
                        http::header::AUTHORIZATION,
                        basic(&self.0.client_id, sending.client_secret()),
                    );
                }
                method => {
                    fields.push(("client_id", &self.0.client_id));
                    if method == ClientAuthentication::Post {
                        fields.push(("client_secret", sending.client_secret()));
                    }
                }
            }
            *request.method_mut() = http::Method::POST;
            *request.uri_mut() = endpoint.as_str().parse().map_err(Error::RevocationEndpoint)?;
            let headers = request.headers_mut();
            headers.insert(
                CONTENT_TYPE,
                http::HeaderValue::from_static("application/x-www-form-urlencoded"),
            );
            headers.insert(http::header::ACCEPT, http::HeaderValue::from_static("application/json"));
            *request.body_mut() = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish()
                .into_bytes();
            let shown = self.shown_credentials(method, &sending);
            let secrets = carried(&[secret.expose_secret()], &shown);
            let asked = self.asked(sending.request, Spends::Nothing, &secrets);
            let exchange = Exchange {
                json: false,
                ..self.exchange(&sending)
            };
            let outcome = match exchange.send(request).await {
                Captured::Reply(reply) => Ok(reply),
                Captured::Failed { host, sent, source } => Err(Error::Connection {
                    request: asked.request,
                    host: Some(host),
                    sent,
                    source,
                }),
            };
            outcome?.revocation(profile, revocation, *unanswered, &asked)
        };
        self.authenticated("revocation", method, send).await?;
        Ok(true)
    }

    /// The one way on which requests get the client's secret.
    async fn authenticated<T, F>(
        &self,
        request: &'static str,
        method: ClientAuthentication,
        send: impl Fn(Sending) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        with_a_secret(&self.0.client_secrets, request, method, self.0.timeout, send).await
    }

    fn oauth_client(&self, method: ClientAuthentication, sending: &Sending) -> OauthClient {
        let client = oauth2::basic::BasicClient::new(ClientId::new(self.0.client_id.clone()))
            .set_token_uri(TokenUrl::from_url(self.0.endpoints.token.clone()));
        let secret = || ClientSecret::new(sending.client_secret().to_owned());
        match method {
            ClientAuthentication::Basic => client.set_client_secret(secret()).set_auth_type(AuthType::BasicAuth),
            ClientAuthentication::Post => client.set_client_secret(secret()).set_auth_type(AuthType::RequestBody),
            ClientAuthentication::None => client.set_auth_type(AuthType::RequestBody),
        }
    }

    fn scope(&self, sent: bool, scopes: &ScopeSet) -> Option<String> {
        (sent && !scopes.is_empty()).then(|| scopes.join(self.0.profile.scope_separator))
    }

    /// The client's secrets as a server that repeats its requests repeats them: as they are, and what HTTP Basic makes of
    /// them where it is used.
    fn shown_credentials(&self, method: ClientAuthentication, sending: &Sending) -> Vec<Zeroizing<String>> {
        let mut shown = Vec::new();
        for secret in &sending.sent {
            let secret = secret.expose_secret();
            shown.push(Zeroizing::new(secret.to_owned()));
            let header = basic(&self.0.client_id, secret);
            let sent = header.to_str().ok().filter(|_| method == ClientAuthentication::Basic);
            let credentials = sent.and_then(|sent| sent.strip_prefix("Basic "));
            shown.extend(credentials.map(|credentials| Zeroizing::new(credentials.to_owned())));
        }
        shown
    }

    fn asked<'a>(&self, request: &'static str, spends: Spends, secrets: &'a [&'a str]) -> Asked<'a> {
        Asked {
            request,
            spends,
            keep_id_token: self.0.keep_id_token,
            secrets,
        }
    }

    fn exchange(&self, sending: &Sending) -> Exchange<'_> {
        Exchange {
            http: &self.0.http,
            timeout: sending.timeout,
            json: self.0.body == TokenBody::Json,
            provider: self.0.profile.provider,
            permit: SendPermit::always(),
        }
    }
}

/// All that a request carries in secret: what is its own, and the credentials.
fn carried<'a>(own: &[&'a str], credentials: &'a [Zeroizing<String>]) -> Vec<&'a str> {
    let credentials = credentials.iter().map(|secret| secret.as_str());
    own.iter().copied().chain(credentials).collect()
}

/// The granted scopes as the server told them: where it named one with what it is bound to (`PREMIUM_AIS:{consentId}`),
/// the bare name beside it is this library's.
fn as_told(granted: &ScopeSet, profile: &Profile) -> ScopeSet {
    let of_a_bound_one = |scope: &str| {
        let mut templates = profile
            .scope_templates
            .iter()
            .filter(|template| template.scope == scope);
        templates.any(|template| granted.iter().any(|other| other != scope && template.binds(other)))
    };
    granted.iter().filter(|scope| !of_a_bound_one(scope)).collect()
}
