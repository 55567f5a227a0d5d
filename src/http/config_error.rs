//! What is wrong with the settings of an application or a client.

use std::sync::Arc;

use crate::value::ScopeError;

/// What is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A URL is unusable.
    #[error("{what}: {reason}")]
    Url {
        /// Which one.
        what: &'static str,
        /// Why.
        reason: &'static str,
        /// What the parser of URLs says; nothing of the URL is in it.
        source: Option<url::ParseError>,
    },
    /// The query of an endpoint has a parameter that requests to it have. None may be there twice (RFC 6749 sections 3.1
    /// and 3.2), and which of two a server takes is for nobody to know.
    #[error(
        "{what}: its query has `{parameter}`, which requests to it have too, and no parameter may be there twice; leave it out"
    )]
    ReservedParameter {
        /// Which endpoint.
        what: &'static str,
        /// The parameter's name.
        parameter: &'static str,
    },
    /// The provider has no hosts of its own and no base URL was given.
    #[error("{0} has a host per institution: give it with `base_url`")]
    MissingBaseUrl(&'static str),
    /// No credentials were given.
    #[error(
        "no credentials were given: use `credentials`, or set {0}_CLIENT_ID and {0}_CLIENT_SECRET and use `Credentials::from_env`"
    )]
    MissingCredentials(&'static str),
    /// Environment variables are not set.
    #[error("not set in the environment: {}; set them, or give the credentials in the program", .0.join(", "))]
    MissingVariables(Vec<String>),
    /// The client was given no way to authenticate.
    #[error(
        "the client has no way to authenticate: choose one on the builder (a grant, an access key, a registration token, or \
         `token_source` for tokens that come from elsewhere)"
    )]
    NoGrant,
    /// The tokens that a client is to send are those of another provider, which must not see them.
    #[error(
        "the token source has tokens of `{provider}`, and {client} is another provider: give the client tokens of its own"
    )]
    ForeignTokens {
        /// Whose tokens they are, as the source says.
        provider: String,
        /// The name of the client's provider.
        client: &'static str,
    },
    /// The tokens that a client is to send are of a kind of grant that opens nothing of it.
    #[error(
        "the token source has tokens of the grant `{grant}`, and the calls of this client of {client} take {takes}"
    )]
    UnfitTokens {
        /// How the grant came about, by its `grant_type`.
        grant: &'static str,
        /// The name of the client's provider.
        client: &'static str,
        /// What the client takes.
        takes: &'static str,
    },
    /// The tokens that a client is to send are of another authorization server, such as that of another institution, and its
    /// resources must not see them.
    #[error(
        "the token source has tokens of another authorization server than the one that this client of {0} is set up for: give \
         the client the URLs of the application that has the grant (`environment`, `base_url`, `oauth_base_url`, \
         `token_endpoint`)"
    )]
    ForeignServer(&'static str),
    /// A key was given that no call of the provider takes.
    #[error("{provider} takes no key `{scheme}`; it takes {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") })]
    UnknownKey {
        /// The name of the provider.
        provider: &'static str,
        /// The scheme that was named.
        scheme: String,
        /// The schemes of the keys that it takes.
        known: Vec<&'static str>,
    },
    /// A key is empty, or cannot be sent.
    #[error("the key `{0}` is empty, or has characters that a header cannot carry; look for a line break at its end")]
    Key(String),
    /// PKCE was switched off for a provider that demands it.
    #[error("{0} takes no authorization without PKCE: remove `without_pkce`")]
    PkceRequired(&'static str),
    /// The client id or the secret cannot be sent.
    #[error("{0}")]
    Credentials(&'static str),
    /// A scope does not fit the provider's rules.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The HTTP client could not be made.
    #[error("the HTTP client could not be made; check the machine's certificates and the settings of the client")]
    HttpClient(#[source] HttpClientError),
    /// No TLS configuration could be made.
    #[error("no TLS configuration could be made; check the machine's certificates")]
    Tls(#[source] TlsError),
    /// A header of every call cannot be set.
    #[error("{0}")]
    Header(&'static str),
}

/// What rustls says of the machine's certificates. Compared and copied as [`HttpClientError`].
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct TlsError(Arc<rustls::Error>);

impl TlsError {
    pub(super) fn new(error: rustls::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl PartialEq for TlsError {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for TlsError {}

/// What the HTTP client says of its settings. It can be copied, as [`ConfigError`] can; two are equal when one is a
/// copy of the other.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct HttpClientError(Arc<reqwest::Error>);

impl HttpClientError {
    pub(super) fn new(error: reqwest::Error) -> Self {
        Self(Arc::new(error.without_url()))
    }
}

impl PartialEq for HttpClientError {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for HttpClientError {}
