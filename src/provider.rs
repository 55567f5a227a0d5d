//! What generated code tells of a provider.

use std::collections::BTreeMap;

use crate::config::Hosts;
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
    pub trait ClientCredentials: super::Provider {}
    /// The provider has the authorization code grant (RFC 6749 section 4.1).
    pub trait AuthorizationCode: super::Provider {}
    /// The provider has the password grant (RFC 6749 section 4.3).
    pub trait Password: super::Provider {}
    /// The provider has a revocation endpoint (RFC 7009).
    pub trait Revocation: super::Provider {}
    /// The client's calls accept a token of the client credentials grant.
    pub trait TakesClientCredentials: super::TypedClient {}
    /// The client's calls accept an access key.
    pub trait TakesAccessKey: super::TypedClient {}
    /// The client's calls accept a registration token (RFC 7591).
    pub trait TakesRegistrationToken: super::TypedClient {}
}
