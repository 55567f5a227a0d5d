//! The identifier and the secret of a registered client.

use std::fmt;
use std::marker::PhantomData;

use super::provider::Provider;
use crate::http::ConfigError;
use crate::value::Secret;

/// The identifier and the secret of a registered client (RFC 6749 section 2.3.1).
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
    pub(crate) client_secret: Secret,
    provider: PhantomData<fn() -> P>,
}

impl<P: Provider> Credentials<P> {
    /// From values.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<Secret>) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            provider: PhantomData,
        }
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
}

impl<P> Clone for Credentials<P> {
    fn clone(&self) -> Self {
        Self {
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
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
