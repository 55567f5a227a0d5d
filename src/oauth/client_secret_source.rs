//! Where an application keeps the secret of its client: the trait that asks for it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::value::Secret;

/// Gives the secret of a registered client when it is needed: from a vault, a file, a service.
///
/// It is given to [`Credentials::from_source`](crate::Credentials::from_source). An application asks it once, when the first
/// request needs the secret, however many requests wait for it, and keeps what came in memory. It is asked again when the
/// authorization server refuses the client (`invalid_client`, RFC 6749 section 5.2), because the secret may have been
/// replaced since: once in five seconds at most, whatever the number of refused requests; a grant whose request was refused in spite of
/// that is left alone for ten seconds. After a failure it is asked
/// again when a second is over. Clones of an [`App`](crate::App) share what was read; each
/// [`build`](crate::AppBuilder::build) makes an application that reads for itself.
///
/// A reading has half the time of a request
/// ([`token_request_timeout`](crate::AppBuilder::token_request_timeout)), so that the request has the other half.
///
/// ```
/// # #[cfg(feature = "mx")] {
/// use std::sync::Arc;
///
/// use finrail::mx;
/// use finrail::oauth::{ClientSecretSource, ClientSecrets};
/// use futures_util::future::BoxFuture;
///
/// /// Files that the vault's agent writes.
/// struct FromFiles;
///
/// impl ClientSecretSource for FromFiles {
///     fn read(&self) -> BoxFuture<'_, Result<ClientSecrets, Box<dyn std::error::Error + Send + Sync>>> {
///         Box::pin(async {
///             let current = tokio::task::spawn_blocking(|| std::fs::read_to_string("/run/secrets/bank")).await??;
///             Ok(ClientSecrets::new(current.trim_end()))
///         })
///     }
/// }
///
/// let app = mx::App::builder()
///     .base_url("https://fdx.bank.example")
///     .credentials(mx::Credentials::from_source("client-1", Arc::new(FromFiles)))
///     .build()?;
/// # let _ = app;
/// # }
/// # Ok::<(), finrail::ConfigError>(())
/// ```
pub trait ClientSecretSource: Send + Sync + 'static {
    /// The secrets that the authorization server takes now.
    ///
    /// It runs in a task of its own: a caller that goes away does not end it, and a panic in it is an error for those who
    /// wait. When its time is over it is dropped.
    ///
    /// # Errors
    ///
    /// Whatever kept the source from giving a secret. The requests that needed it are not sent and may be tried again. The
    /// text of the error is shown to whoever prints the whole chain of errors, and logged: let it hold no secret.
    fn read(&self) -> BoxFuture<'_, Result<ClientSecrets, Box<dyn std::error::Error + Send + Sync>>>;
}

/// The secrets of a client that its authorization server takes: one, and during a rotation two.
///
/// `Debug` shows none of them.
///
/// ```
/// use finrail::oauth::ClientSecrets;
///
/// let secrets = ClientSecrets::new("the-new-one").other("the-old-one");
/// assert!(!format!("{secrets:?}").contains("the-"));
/// ```
#[derive(Clone)]
pub struct ClientSecrets {
    pub(super) current: Secret,
    pub(super) other: Option<Secret>,
}

impl ClientSecrets {
    /// The secret to be sent. One that is empty or blank is refused when it is needed ([`ClientSecretError::Empty`]).
    #[must_use]
    pub fn new(current: impl Into<Secret>) -> Self {
        Self {
            current: current.into(),
            other: None,
        }
    }

    /// The other secret, which is still valid, or already: it is sent where the server refuses the client with the first
    /// one. The one that the server took last goes first from then on. One that is empty or blank is none.
    #[must_use]
    pub fn other(mut self, other: impl Into<Secret>) -> Self {
        self.other = Some(other.into()).filter(|other| !other.is_blank());
        self
    }
}

impl fmt::Debug for ClientSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecrets").finish_non_exhaustive()
    }
}

/// Why a [`ClientSecretSource`] gave no secret.
///
/// ```
/// use finrail::oauth::{self, ClientSecretError};
///
/// fn is_the_vault(error: &oauth::Error) -> bool {
///     matches!(
///         error,
///         oauth::Error::ClientSecret { source: ClientSecretError::Failed(_) | ClientSecretError::Silent(_), .. }
///     )
/// }
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientSecretError {
    /// It failed, with this error.
    #[error("the source failed")]
    Failed(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// It gave no answer within this time.
    #[error("the source gave no answer within {} s", .0.as_secs_f64())]
    Silent(Duration),
    /// The secret is empty, or blank.
    #[error("the secret that the source gave is empty; store the one that the provider registered")]
    Empty,
    /// It panicked.
    #[error("the source panicked; correct it")]
    Panicked,
    /// The source was not asked to the end.
    #[error("the source was not asked to the end: {0}")]
    Interrupted(&'static str),
}
