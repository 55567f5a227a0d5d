//! What generated code tells of a provider.

use std::collections::BTreeMap;

use crate::oauth::{Profile, RequestedScope};
use crate::transport::{Core, Operation};

/// A provider, as generated code describes it. Every provider module has a type that implements it.
pub trait Provider: Copy + Send + Sync + 'static {
    /// Its environments.
    type Environment: Environment;
    /// Its scopes.
    type Scope: Copy + Into<RequestedScope>;
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
    /// ```compile_fail
    /// use finrail::mx;
    ///
    /// fn own(app: &mx::App) {
    ///     let _ = app.client_credentials([mx::Scope::Accounts]);
    /// }
    /// ```
    pub trait ClientCredentials: super::Provider {}
    /// The provider has the authorization code grant (RFC 6749 section 4.1).
    pub trait AuthorizationCode: super::Provider {}
    /// The provider has the password grant (RFC 6749 section 4.3).
    ///
    /// ```
    /// # #[cfg(feature = "omnifund")] {
    /// use finrail::omnifund;
    ///
    /// async fn connect(app: &omnifund::App) -> Result<omnifund::Connection, finrail::oauth::Error> {
    ///     let no_scopes: [omnifund::Scope; 0] = [];
    ///     app.password("user", "password", no_scopes).await
    /// }
    /// # }
    /// ```
    ///
    /// OFX never asks an application for a user's password, so this does not compile:
    ///
    /// ```compile_fail
    /// use finrail::ofx;
    ///
    /// fn connect(app: &ofx::App) {
    ///     let _ = app.password("user", "password", [ofx::Scope::Payments]);
    /// }
    /// ```
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
    /// ```compile_fail
    /// fn disconnect(user: &finrail::ofx::Connection) {
    ///     let _ = user.revoke();
    /// }
    /// ```
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
    /// ```compile_fail
    /// use finrail::tatrabanka;
    ///
    /// let user = tatrabanka::Client::builder().client_credentials([tatrabanka::Scope::PremiumAis]);
    /// ```
    ///
    /// Nor does this, because a service token opens no accounts:
    ///
    /// ```compile_fail
    /// fn accounts(service: &finrail::tatrabanka::service::Client) {
    ///     let _ = service.list_accounts();
    /// }
    /// ```
    ///
    /// Nor this, because a user's token makes no consents:
    ///
    /// ```compile_fail
    /// fn consent(user: &finrail::tatrabanka::Connection) {
    ///     let _ = user.client().create_consent();
    /// }
    /// ```
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
    /// ```compile_fail
    /// let client = finrail::mx::Client::builder().access_key("key", "");
    /// ```
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
    /// ```compile_fail
    /// let client = finrail::mx::Client::builder().registration_token("token");
    /// ```
    pub trait TakesRegistrationToken: super::TypedClient {}
}
