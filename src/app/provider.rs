//! What generated code tells of a provider.

use std::collections::BTreeMap;

use crate::http::ConfigError;
use crate::oauth::{Profile, RequestedScope};
use crate::transport::{Core, Operation, RawCall};

/// A provider, as generated code describes it. Every provider module has a type that implements it.
pub trait Provider: Copy + Send + Sync + 'static {
    /// Its environments.
    type Environment: Environment;
    /// Its scopes.
    type Scope: Copy + Into<RequestedScope<Self>>;
    /// The client of a user's connection.
    type Client: TypedClient<Provider = Self>;
    /// The client of a client credentials grant.
    type ServiceClient: TypedClient<Provider = Self>;
    /// Documented fields of its token reply beyond RFC 6749.
    type Extra: for<'a> From<&'a BTreeMap<String, String>>;

    /// Its authorization server as data.
    fn profile() -> &'static Profile;

    /// Its operation table.
    fn operations() -> &'static [Operation];
}

/// The environments of a provider.
pub trait Environment: Copy + 'static {
    /// The one that is used when none is chosen; none: a base URL must be given.
    const DEFAULT: Option<Self>;

    /// Its base URLs.
    fn hosts(self) -> Hosts;
}

/// The base URLs of an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hosts {
    /// Of the resources.
    pub api: &'static str,
    /// Of the authorization server.
    pub oauth: &'static str,
    /// Of its authorization endpoint, where that has a host of its own; empty: it has none.
    pub authorize: &'static str,
}

impl Hosts {
    /// What is so where a specification does not say otherwise. Generated code says only what differs.
    pub const BASE: Self = Self {
        api: "",
        oauth: "",
        authorize: "",
    };
}

/// A generated client.
pub trait TypedClient: Clone + Send + Sync + 'static {
    /// The provider it calls.
    type Provider: Provider;
    /// Which of the provider's clients it is.
    const KIND: ClientKind;

    /// Puts a client together.
    #[doc(hidden)]
    fn from_parts(baseurl: String, client: reqwest::Client, inner: Core) -> Self;

    /// What it calls with.
    #[doc(hidden)]
    fn core(&self) -> &Core;

    /// A call by method and path, for what the specification lacks. The path is relative to the base URL; `{name}` in it
    /// is filled by [`RawCall::path_parameter`].
    fn raw(&self, method: http::Method, path: &str) -> RawCall {
        let beside = Self::Provider::operations();
        let beside = beside.iter().filter(|operation| operation.client == Self::KIND.name());
        RawCall::new(self.core().clone(), method, path, beside)
    }

    /// The same client, with one header more on every call. A value that a call has by itself, or that its caller
    /// [sets](crate::transport::CallOptions::header) for it, comes first.
    ///
    /// ```
    /// # #[cfg(feature = "mx")] {
    /// use finrail::{TypedClient as _, mx};
    ///
    /// fn for_tenant(user: &mx::Connection, tenant: &str) -> Result<mx::Client, finrail::ConfigError> {
    ///     user.client().with_header("x-tenant", tenant)
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the name or the value has characters that a header cannot carry, or a call has this header by itself.
    fn with_header(&self, name: &str, value: &str) -> Result<Self, ConfigError> {
        let core = self.core().with_header(name, value).map_err(ConfigError::Header)?;
        let base = core.base().as_str().trim_end_matches('/').to_owned();
        Ok(Self::from_parts(base, core.http().clone(), core))
    }
}

/// Which of a provider's clients it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientKind {
    /// Resources, under a grant.
    Api,
    /// Resources that take a service token.
    Service,
    /// The authorization server's own endpoints.
    Oauth,
    /// Client registration.
    Registration,
}

impl ClientKind {
    /// As `x-client` of a specification and [`Operation::client`] say it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Service => "service",
            Self::Oauth => "oauth",
            Self::Registration => "registration",
        }
    }
}

/// What a provider or a client has. A method that needs one of them does not exist without it.
pub mod grant {
    /// The provider has the client credentials grant (RFC 6749 section 4.4).
    ///
    /// ```
    /// # #[cfg(feature = "ofx")] {
    /// use finrail::ofx;
    ///
    /// fn own(app: &ofx::App) -> Result<ofx::Client, finrail::oauth::Error> {
    ///     app.client_credentials([ofx::Scope::Payments])
    /// }
    /// # }
    /// ```
    ///
    /// MX has no such grant, so this does not compile:
    ///
    /// ```compile_fail,E0277
    /// use finrail::mx;
    ///
    /// fn own(app: &mx::App) {
    ///     let _ = app.client_credentials([mx::Scope::Accounts]);
    /// }
    /// ```
    #[diagnostic::on_unimplemented(
        message = "the provider of `{Self}` has no client credentials grant",
        label = "an application of its own cannot get a token here",
        note = "use a grant that the provider has: `authorize` for a user's consent where it compiles; the README's table lists the grants of each provider"
    )]
    pub trait ClientCredentials: super::Provider {}
    /// The provider has the authorization code grant (RFC 6749 section 4.1).
    #[diagnostic::on_unimplemented(
        message = "the provider of `{Self}` has no authorization code grant",
        label = "a user cannot be sent to this provider",
        note = "use a grant that the provider has; the README's table lists the grants of each provider"
    )]
    pub trait AuthorizationCode: super::Provider {}
    /// The provider has the password grant (RFC 6749 section 4.3).
    ///
    /// ```
    /// # #[cfg(feature = "omnifund")] {
    /// use finrail::{NO_SCOPES, omnifund};
    ///
    /// async fn connect(app: &omnifund::App) -> Result<omnifund::Connection, finrail::oauth::Error> {
    ///     app.password("user", "password", NO_SCOPES).await
    /// }
    /// # }
    /// ```
    ///
    /// OFX never asks an application for a user's password, so this does not compile:
    ///
    /// ```compile_fail,E0277
    /// use finrail::ofx;
    ///
    /// fn connect(app: &ofx::App) {
    ///     let _ = app.password("user", "password", [ofx::Scope::Payments]);
    /// }
    /// ```
    #[diagnostic::on_unimplemented(
        message = "the provider of `{Self}` takes no user names and passwords from applications",
        label = "there is no password grant here",
        note = "send the user to the provider with `authorize`"
    )]
    pub trait Password: super::Provider {}
    /// The provider has a revocation endpoint (RFC 7009).
    ///
    /// ```
    /// # #[cfg(feature = "mx")] {
    /// async fn disconnect(user: &finrail::mx::Connection) -> Result<(), finrail::token::Error> {
    ///     user.revoke().await
    /// }
    /// # }
    /// ```
    ///
    /// OFX has no such endpoint, so this does not compile; [`forget`](crate::Connection::forget) drops the tokens here:
    ///
    /// ```compile_fail,E0277
    /// fn disconnect(user: &finrail::ofx::Connection) {
    ///     let _ = user.revoke();
    /// }
    /// ```
    #[diagnostic::on_unimplemented(
        message = "the provider of `{Self}` has no revocation endpoint",
        label = "nothing can be revoked at this provider",
        note = "`forget` drops the tokens here, and the user ends the consent at the provider"
    )]
    pub trait Revocation: super::Provider {}
    /// The client's calls accept a token of the client credentials grant.
    ///
    /// ```
    /// # #[cfg(feature = "tatrabanka")] {
    /// use finrail::tatrabanka;
    ///
    /// let service = tatrabanka::service::Client::builder().client_credentials([tatrabanka::Scope::PremiumAis]);
    /// # let _ = service;
    /// # }
    /// ```
    ///
    /// Tatra banka gives accounts to a user's token only, so this does not compile:
    ///
    /// ```compile_fail,E0277
    /// use finrail::tatrabanka;
    ///
    /// let user = tatrabanka::Client::builder().client_credentials([tatrabanka::Scope::PremiumAis]);
    /// ```
    ///
    /// Nor does this, because a service token opens no accounts:
    ///
    /// ```compile_fail,E0599
    /// fn accounts(service: &finrail::tatrabanka::service::Client) {
    ///     let _ = service.list_accounts();
    /// }
    /// ```
    ///
    /// Nor this, because a user's token makes no consents:
    ///
    /// ```compile_fail,E0599
    /// fn consent(user: &finrail::tatrabanka::Connection) {
    ///     let _ = user.client().create_consent();
    /// }
    /// ```
    #[diagnostic::on_unimplemented(
        message = "the calls of `{Self}` take no token of the client credentials grant",
        label = "a token of the application itself opens nothing here",
        note = "build an `App` and connect a user with `authorize`, or use the client of the service calls where the provider has one"
    )]
    pub trait TakesClientCredentials: super::TypedClient {}
    /// The client's calls accept an access key.
    ///
    /// ```
    /// # #[cfg(feature = "finexer")] {
    /// let client = finrail::finexer::Client::builder().access_key("live_key", "");
    /// # let _ = client;
    /// # }
    /// ```
    ///
    /// MX takes tokens only, so this does not compile:
    ///
    /// ```compile_fail,E0277
    /// let client = finrail::mx::Client::builder().access_key("key", "");
    /// ```
    #[diagnostic::on_unimplemented(
        message = "the calls of `{Self}` take no access key",
        label = "an access key opens nothing here",
        note = "use a grant of the provider"
    )]
    pub trait TakesAccessKey: super::TypedClient {}
    /// The client's calls accept a registration token (RFC 7591).
    ///
    /// ```
    /// # #[cfg(feature = "mx")] {
    /// let registrar = finrail::mx::registration::Client::builder().registration_token("token")?;
    /// # let _ = registrar;
    /// # }
    /// # Ok::<(), finrail::ConfigError>(())
    /// ```
    ///
    /// It opens no resources, so this does not compile:
    ///
    /// ```compile_fail,E0277
    /// let client = finrail::mx::Client::builder().registration_token("token");
    /// ```
    #[diagnostic::on_unimplemented(
        message = "the calls of `{Self}` take no registration token",
        label = "a registration token opens nothing here",
        note = "the client of the module `registration` takes it, where the provider has one"
    )]
    pub trait TakesRegistrationToken: super::TypedClient {}
    /// The client's calls accept an access token, wherever it comes from.
    ///
    /// The bare calls of the authorization server's own endpoints take none, so this does not compile:
    ///
    /// ```compile_fail,E0277
    /// fn bare(source: std::sync::Arc<dyn finrail::token::TokenSource>) {
    ///     let _ = finrail::ofx::oauth::Client::builder().token_source(source);
    /// }
    /// ```
    #[diagnostic::on_unimplemented(
        message = "the calls of `{Self}` take no access token",
        label = "an access token opens nothing here",
        note = "use the provider's client of resources"
    )]
    pub trait TakesToken: super::TypedClient {}
}
