//! The identifier and the secret of a registered client, or where the secret is kept.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::provider::Provider;
use crate::http::ConfigError;
use crate::oauth::{ClientSecretSource, SecretSettings};
use crate::value::Secret;

/// The identifier and the secret of a registered client (RFC 6749 section 2.3.1).
///
/// The secret is given here ([`new`](Self::new), [`from_env`](Self::from_env)) or asked for when it is needed
/// ([`from_source`](Self::from_source)).
///
/// `Debug` shows the identifier, never the secret.
///
/// ```
/// # #[cfg(feature = "ofx")] {
/// use finrail::ofx;
///
/// let credentials = ofx::Credentials::new("my-client", "my-secret");
/// assert!(!format!("{credentials:?}").contains("my-secret"));
/// # }
/// ```
pub struct Credentials<P> {
    pub(crate) client_id: String,
    pub(crate) secrets: SecretSettings,
    provider: PhantomData<fn() -> P>,
}

impl<P: Provider> Credentials<P> {
    /// From values.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<Secret>) -> Self {
        Self {
            client_id: client_id.into(),
            secrets: SecretSettings {
                source: None,
                fixed: vec![client_secret.into()],
            },
            provider: PhantomData,
        }
    }

    /// The secret is asked for when it is needed: of a vault, a file, a service. [`ClientSecretSource`] says when that is,
    /// and has an example of one.
    ///
    /// When the authorization server refuses the client (`invalid_client`, RFC 6749 section 5.2), the source is asked
    /// again, and the same request is sent once more with another secret, where there is one: the secret can be replaced at
    /// the provider and in the vault while the application runs. A source that fails or gives no answer in time is
    /// [`oauth::Error::ClientSecret`](crate::oauth::Error::ClientSecret), and nothing is sent then.
    ///
    /// ```
    /// # #[cfg(feature = "ofx")] {
    /// use std::sync::Arc;
    ///
    /// use finrail::oauth::{ClientSecretSource, ClientSecrets};
    /// use finrail::ofx;
    /// use futures_util::future::BoxFuture;
    ///
    /// struct Vault;
    ///
    /// # impl Vault {
    /// #     async fn field(&self, _: &str) -> Result<String, std::io::Error> {
    /// #         Ok("secret".to_owned())
    /// #     }
    /// # }
    /// impl ClientSecretSource for Vault {
    ///     fn read(&self) -> BoxFuture<'_, Result<ClientSecrets, Box<dyn std::error::Error + Send + Sync>>> {
    ///         Box::pin(async {
    ///             let current = self.field("ofx/current").await?;
    ///             let previous = self.field("ofx/previous").await?; // empty, but during a rotation
    ///             Ok(ClientSecrets::new(current).other(previous))
    ///         })
    ///     }
    /// }
    ///
    /// let app = ofx::App::builder()
    ///     .credentials(ofx::Credentials::from_source("client-1", Arc::new(Vault)))
    ///     .build()?;
    /// # let _ = app;
    /// # }
    /// # Ok::<(), finrail::ConfigError>(())
    /// ```
    pub fn from_source(client_id: impl Into<String>, source: Arc<dyn ClientSecretSource>) -> Self {
        Self {
            client_id: client_id.into(),
            secrets: SecretSettings {
                source: Some(source),
                fixed: Vec::new(),
            },
            provider: PhantomData,
        }
    }

    /// Another secret of the same client, for a rotation by settings: where the authorization server refuses the client with
    /// the first one (`invalid_client`), the same request is sent once more with this one. The one that the server took
    /// last goes first from then on. One that is empty or blank is none.
    ///
    /// ```
    /// # #[cfg(feature = "ofx")] {
    /// use finrail::ofx;
    ///
    /// // Before the provider switches, and until every process has the new settings.
    /// let credentials = ofx::Credentials::new("my-client", "the-old-secret").other_secret("the-new-secret");
    /// assert!(!format!("{credentials:?}").contains("the-old-secret"));
    /// # }
    /// ```
    #[must_use]
    pub fn other_secret(mut self, other: impl Into<Secret>) -> Self {
        let other = Some(other.into()).filter(|other| !other.is_blank());
        self.secrets.fixed.extend(other);
        self
    }

    /// From `<PROVIDER>_CLIENT_ID` and `<PROVIDER>_CLIENT_SECRET` (`OFX_CLIENT_ID`, ...).
    ///
    /// # Errors
    ///
    /// Names every variable that is not set or empty.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// As [`from_env`](Self::from_env), from another source of variables.
    ///
    /// # Errors
    ///
    /// Names every variable that is not set or empty.
    ///
    /// ```
    /// # #[cfg(feature = "ofx")] {
    /// let error = finrail::ofx::Credentials::from_variables(|_| None).unwrap_err();
    /// assert!(error.to_string().starts_with("not set in the environment: OFX_CLIENT_ID, OFX_CLIENT_SECRET"));
    /// # }
    /// ```
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let prefix = P::profile().env_prefix;
        let mut missing = Vec::new();
        let mut read = |suffix: &str| {
            let name = format!("{prefix}_{suffix}");
            variable(&name).filter(|value| !value.is_empty()).unwrap_or_else(|| {
                missing.push(name);
                String::new()
            })
        };
        let (client_id, client_secret) = (read("CLIENT_ID"), read("CLIENT_SECRET"));
        if missing.is_empty() {
            Ok(Self::new(client_id, client_secret))
        } else {
            Err(ConfigError::MissingVariables(missing))
        }
    }

    /// The client's identifier.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The secret for a header that is made once, with the client.
    pub(super) fn fixed_secret(&self) -> Result<&Secret, ConfigError> {
        match (&self.secrets.source, self.secrets.fixed.first()) {
            (None, Some(secret)) => Ok(secret),
            _ => Err(ConfigError::Credentials(
                "the calls of the `oauth` module take a secret that does not change: read it first, and give it with `Credentials::new`",
            )),
        }
    }
}

impl<P> Clone for Credentials<P> {
    fn clone(&self) -> Self {
        Self {
            client_id: self.client_id.clone(),
            secrets: self.secrets.clone(),
            provider: PhantomData,
        }
    }
}

impl<P> fmt::Debug for Credentials<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
