//! One error for a function that does more than one thing: sets up, logs in, looks after tokens, calls.

use std::borrow::Cow;

use crate::http::{ConfigError, RetryAfter};
use crate::token::StoreError;
use crate::transport::{self, Outcome};
use crate::{oauth, token};

/// Whatever can fail, of whichever provider: for functions of an application that set up, log in, look after tokens and
/// call. `?` turns the errors of these into it: of settings, authorizations, tokens, stores, calls and downloads. Those of a
/// webhook, of a [`Doubt`](crate::Doubt) and of the sandbox stay apart: what follows from them is decided where they come up.
///
/// It asks and shows what the error in it does. Of a call, the provider's own error body is left out: match on the
/// error of the call, `mx`'s or another's, where you need it.
///
/// ```
/// # #[cfg(all(feature = "mx", feature = "ofx"))] {
/// use finrail::{AnyError, mx, ofx};
/// use finrail::oauth::Pending;
///
/// async fn first_look(pending: Pending, callback: &str) -> Result<usize, AnyError> {
///     let app = mx::App::builder()
///         .base_url("https://fdx.bank.example")
///         .credentials(mx::Credentials::from_env()?)                    // ConfigError
///         .build()?;
///     let user = app.finish(pending, callback).await?;                  // oauth::Error
///     user.tokens().fresh().await?;                                     // token::Error
///     let accounts = user.client().list_accounts().send().await?;       // mx's own error
///     let ofx = ofx::Client::builder()
///         .credentials(ofx::Credentials::from_env()?)
///         .client_credentials([ofx::Scope::Payments])
///         .build()?;
///     ofx.list_beneficiaries().send().await?;                           // OFX's own error
///     Ok(accounts.accounts.iter().len())
/// }
///
/// async fn shown(pending: Pending, callback: &str) -> String {
///     match first_look(pending, callback).await {
///         Ok(accounts) => format!("{accounts} accounts"),
///         Err(error) if error.reauthorization_required() => "please connect your bank again".to_owned(),
///         Err(error) if error.is_retryable() => "please try again later".to_owned(),
///         Err(error) => format!("this did not work: {error}"),
///     }
/// }
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnyError {
    /// The settings are not complete.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An authorization, or another request to an authorization server, failed.
    #[error(transparent)]
    Authorization(#[from] oauth::Error),
    /// There is no token.
    #[error(transparent)]
    Token(#[from] token::Error),
    /// A token store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A call failed. The provider's own error body is left out.
    #[error(transparent)]
    Call(transport::Error),
    /// A download is not whole.
    #[error(transparent)]
    Download(#[from] transport::DownloadError),
}

impl<E> From<transport::Error<E>> for AnyError {
    fn from(error: transport::Error<E>) -> Self {
        Self::Call(error.into_untyped())
    }
}

impl AnyError {
    /// Whether the way on is an authorization by the user.
    #[must_use]
    pub fn reauthorization_required(&self) -> bool {
        match self {
            Self::Authorization(error) => error.reauthorization_required(),
            Self::Token(error) => error.reauthorization_required(),
            Self::Call(error) => error.reauthorization_required(),
            Self::Config(_) | Self::Store(_) | Self::Download(_) => false,
        }
    }

    /// Whether the same may succeed later without anybody doing anything.
    ///
    /// Of a call that could do twice what was to be done once, never while its [outcome](Self::outcome) is unknown.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Authorization(error) => error.is_retryable(),
            Self::Token(error) => error.is_retryable(),
            Self::Store(error) => !matches!(error, StoreError::Corrupt { .. }),
            Self::Call(error) => error.is_retryable(),
            Self::Download(error) => matches!(error, transport::DownloadError::Connection(_)),
            Self::Config(_) => false,
        }
    }

    /// Whether what stands in the way may pass. Of a call this does not say that repeating it is harmless.
    #[must_use]
    pub fn may_succeed_later(&self) -> bool {
        match self {
            Self::Call(error) => error.may_succeed_later(),
            _ => self.is_retryable(),
        }
    }

    /// What kind of error it is, in one word, for metrics and alerts.
    #[must_use]
    pub fn kind(&self) -> Cow<'static, str> {
        match self {
            Self::Config(_) => Cow::Borrowed("config"),
            Self::Authorization(error) => Cow::Borrowed(error.kind()),
            Self::Token(error) => Cow::Borrowed(error.kind()),
            Self::Store(_) => Cow::Borrowed("store"),
            Self::Call(error) => error.kind(),
            Self::Download(_) => Cow::Borrowed("download"),
        }
    }

    /// The provider's own code of what is wrong, or the OAuth error code of its authorization server.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Authorization(error) => error.code(),
            Self::Call(error) => error.code(),
            Self::Config(_) | Self::Token(_) | Self::Store(_) | Self::Download(_) => None,
        }
    }

    /// How long to wait before, where somebody asks for that.
    #[must_use]
    pub fn retry_after(&self) -> Option<RetryAfter> {
        match self {
            Self::Authorization(error) => error.retry_after().map(RetryAfter::After),
            Self::Token(error) => error.retry_after().map(RetryAfter::After),
            Self::Call(error) => error.retry_after(),
            Self::Config(_) | Self::Store(_) | Self::Download(_) => None,
        }
    }

    /// What may be concluded about the effect of a call; none: it was not a call that failed.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Call(error) => Some(error.outcome()),
            _ => None,
        }
    }
}
