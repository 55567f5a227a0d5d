//! Why there is no token for a call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{IssuerError, StoreError, Verdict};

/// What a failure has behind it.
type Source = Arc<dyn std::error::Error + Send + Sync>;

/// Why there is no token for a call.
///
/// All callers that waited for the same attempt get the same error. No error
/// holds a secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The grant is over: only the user can give a new one.
    ///
    /// Where this handle saw the authorization server refuse, the server's answer is the error's
    /// [`source`](std::error::Error::source). Who learns of the end from the store has none.
    #[non_exhaustive]
    ReauthorizationRequired {
        /// Why the grant is over.
        reason: ReauthorizationReason,
        /// The answer that ended it, where this handle saw it.
        ended_by: Option<EndedBy>,
    },
    /// Nobody has authorized yet.
    NoGrant {
        /// The key that was looked for.
        key: String,
    },
    /// The authorization server was not reached, or said nothing about the grant; or nothing was sent, because there was no
    /// secret of the client to send.
    Transient {
        /// What the server asked for, or the time until the next attempt.
        retry_after: Option<Duration>,
        /// What happened.
        source: Source,
    },
    /// The authorization server takes no more requests for now.
    Throttled {
        /// What the server asked for, or the time until the next attempt.
        retry_after: Option<Duration>,
        /// What happened.
        source: Source,
    },
    /// The authorization server does not accept this client.
    ClientMisconfigured {
        /// What the server said.
        source: Source,
    },
    /// The authorization server does not accept this request.
    RequestRejected {
        /// What the server said.
        source: Source,
    },
    /// A refresh or a revocation was sent and its reply was lost. The next attempt finds out what became of it.
    InDoubt {
        /// Time until the next attempt.
        retry_after: Option<Duration>,
        /// What happened.
        source: Source,
    },
    /// The token store cannot be used, and without it a refresh is not safe.
    Store {
        /// What happened.
        source: StoreError,
    },
    /// Another process is at work on this grant for longer than it should be.
    Busy {
        /// Who holds the lease.
        holder: String,
        /// When the lease ends at the latest.
        retry_after: Option<Duration>,
    },
    /// The provider refuses a token that should be good: another one would not help, or cannot be had.
    TokenRefused {
        /// When a new token will be asked for again.
        retry_after: Option<Duration>,
    },
    /// The authorization server's reply has no access token that can be used. The refresh token that came with it is stored
    /// and makes the next refresh.
    UnusableToken {
        /// What is wrong with the access token.
        source: Source,
    },
    /// The reply to a refresh names another account than the one that the user connected. None of its tokens is used.
    OtherAccount {
        /// The field of the reply that names the account.
        field: String,
    },
    /// A [`TokenSource`](super::TokenSource) of the application's own gave no access token.
    Source {
        /// When to try again, where the source knows.
        retry_after: Option<Duration>,
        /// What the source says.
        source: Source,
    },
    /// The attempt ended without a result: the runtime is shutting down, or there is none.
    Interrupted(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReauthorizationRequired { reason, .. } => write!(f, "the user must authorize again: {reason}"),
            Self::NoGrant { key, .. } => write!(f, "there is no grant for {key}: send the user through authorization first"),
            Self::Transient { .. } => f.write_str("there is no usable answer of the authorization server, the grant lives: look at the source for why, and try again later"),
            Self::Throttled { .. } => f.write_str("the authorization server asks for fewer requests: try again later"),
            Self::ClientMisconfigured { .. } => f.write_str("the authorization server does not accept this client: check its id, secret and allowed grants"),
            Self::RequestRejected { .. } => f.write_str("the authorization server does not accept the token request: check scopes and parameters"),
            Self::InDoubt { .. } => f.write_str("the reply was lost, and the refresh token may be spent or revoked: try the same again, the next attempt finds out"),
            Self::Store { source } => write!(f, "{source}"),
            Self::Busy { holder, .. } => write!(f, "{holder} is at work on this grant: try again later"),
            Self::TokenRefused { .. } => f.write_str("the provider refuses a token that should be good: check the base URL, the client's rights and its allowed addresses"),
            Self::UnusableToken { .. } => f.write_str("the authorization server gave no access token that can be used, and the grant lives with the refresh token that it gave: look at the source for what is wrong with the token"),
            Self::OtherAccount { field } => write!(f, "the reply to a refresh names another account than the grant's in `{field}`, and its tokens are not used: ask the provider, or let the user authorize again"),
            Self::Source { .. } => f.write_str("the token source gave no access token: try again later, or look at the source"),
            Self::Interrupted(what) => write!(f, "the token request was cut off: {what}"),
        }
    }
}

impl std::error::Error for Error {
    /// What is behind it, as itself: it can be downcast.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Transient { source, .. }
            | Self::Throttled { source, .. }
            | Self::ClientMisconfigured { source }
            | Self::RequestRejected { source }
            | Self::InDoubt { source, .. }
            | Self::UnusableToken { source }
            | Self::Source { source, .. } => Some(&**source),
            // Its own text is this error's text.
            Self::Store { source } => source.source(),
            Self::ReauthorizationRequired { ended_by, .. } => ended_by.as_ref().map(|ended_by| &*ended_by.0 as _),
            Self::NoGrant { .. }
            | Self::Busy { .. }
            | Self::TokenRefused { .. }
            | Self::OtherAccount { .. }
            | Self::Interrupted(_) => None,
        }
    }
}

impl Error {
    /// The failure of a [`TokenSource`](super::TokenSource) of the application's own; a later call may succeed. When only
    /// the user can help, give `Error::from(reason)` instead, with a [`ReauthorizationReason`].
    ///
    /// The text of `source` is shown to whoever prints the error: let it hold no secret.
    pub fn from_source(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Source {
            retry_after: None,
            source: Arc::from(source.into()),
        }
    }

    /// What kind of error it is, in one word, for metrics and alerts.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ReauthorizationRequired { .. } => "reauthorization_required",
            Self::NoGrant { .. } => "no_grant",
            Self::Transient { .. } => "transient",
            Self::Throttled { .. } => "throttled",
            Self::ClientMisconfigured { .. } => "client_misconfigured",
            Self::RequestRejected { .. } => "request_rejected",
            Self::InDoubt { .. } => "in_doubt",
            Self::Store { .. } => "store",
            Self::Busy { .. } => "busy",
            Self::TokenRefused { .. } => "token_refused",
            Self::UnusableToken { .. } => "unusable_token",
            Self::OtherAccount { .. } => "other_account",
            Self::Source { .. } => "source",
            Self::Interrupted(_) => "interrupted",
        }
    }

    /// Whether what stands in the way may pass; of a token that is the same as [`is_retryable`](Self::is_retryable), because
    /// asking for one again pays nothing twice.
    #[must_use]
    pub fn may_succeed_later(&self) -> bool {
        self.is_retryable()
    }

    /// Whether the way on is an authorization by the user.
    #[must_use]
    pub fn reauthorization_required(&self) -> bool {
        matches!(self, Self::ReauthorizationRequired { .. } | Self::NoGrant { .. })
    }

    /// Whether the same call may succeed later without anybody doing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Transient { .. }
            | Self::Throttled { .. }
            | Self::InDoubt { .. }
            | Self::Busy { .. }
            | Self::Source { .. }
            | Self::Interrupted(_) => true,
            Self::Store { source } => !matches!(source, StoreError::Corrupt { .. } | StoreError::Unsupported { .. }),
            Self::ReauthorizationRequired { .. }
            | Self::NoGrant { .. }
            | Self::ClientMisconfigured { .. }
            | Self::RequestRejected { .. }
            | Self::UnusableToken { .. }
            | Self::OtherAccount { .. }
            | Self::TokenRefused { .. } => false,
        }
    }

    /// When to try again; before that, an attempt brings the same error without a request.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Transient { retry_after, .. }
            | Self::Throttled { retry_after, .. }
            | Self::InDoubt { retry_after, .. }
            | Self::Busy { retry_after, .. }
            | Self::Source { retry_after, .. }
            | Self::TokenRefused { retry_after } => *retry_after,
            _ => None,
        }
    }

    /// The same error with the time until the next attempt.
    pub(crate) fn with_retry_after(mut self, wait: Duration) -> Self {
        if let Self::Transient { retry_after, .. }
        | Self::Throttled { retry_after, .. }
        | Self::InDoubt { retry_after, .. }
        | Self::Busy { retry_after, .. }
        | Self::Source { retry_after, .. }
        | Self::TokenRefused { retry_after } = &mut self
        {
            *retry_after = Some(wait);
        }
        self
    }
}

impl From<IssuerError> for Error {
    fn from(error: IssuerError) -> Self {
        let source = error.source;
        match error.verdict {
            Verdict::NotSent => Self::Transient {
                retry_after: None,
                source,
            },
            Verdict::Transient { retry_after } => Self::Transient { retry_after, source },
            Verdict::Throttled { retry_after } => Self::Throttled { retry_after, source },
            Verdict::RequestRejected => Self::RequestRejected { source },
            Verdict::ClientMisconfigured => Self::ClientMisconfigured { source },
            Verdict::Dead => Self::ReauthorizationRequired {
                reason: ReauthorizationReason::Refused,
                ended_by: Some(EndedBy(source)),
            },
            Verdict::InDoubt => Self::InDoubt {
                retry_after: None,
                source,
            },
        }
    }
}

/// The grant is over, and nothing more is known of it than why.
///
/// ```
/// use finrail::token::{Error, ReauthorizationReason};
///
/// let error = Error::from(ReauthorizationReason::Revoked);
/// assert!(error.reauthorization_required());
/// ```
impl From<ReauthorizationReason> for Error {
    fn from(reason: ReauthorizationReason) -> Self {
        Self::ReauthorizationRequired { reason, ended_by: None }
    }
}

/// The authorization server's answer that ended a grant. To read it, walk the
/// [`source`](std::error::Error::source) of [`Error::ReauthorizationRequired`]; `Debug` shows nothing of it, because a
/// server writes into it what it likes.
#[derive(Clone)]
pub struct EndedBy(pub(crate) Source);

impl fmt::Debug for EndedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndedBy").finish_non_exhaustive()
    }
}

impl From<StoreError> for Error {
    fn from(source: StoreError) -> Self {
        Self::Store { source }
    }
}

/// Why a grant is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReauthorizationReason {
    /// The authorization server refused the refresh token (`invalid_grant`).
    Refused,
    /// It refused it after the time at which the refresh token ends.
    RefreshTokenExpired,
    /// It refused it after the time at which the consent ends.
    ConsentExpired,
    /// It refused it after an earlier request with it whose reply never came: that request spent it.
    LostReply,
    /// The application revoked it.
    Revoked,
    /// The application forgot it, perhaps in another process.
    Forgotten,
    /// The access token ended and there is no refresh token.
    NoRefreshToken,
    /// A reason that a newer finrail wrote to the store.
    #[serde(other)]
    Other,
}

impl ReauthorizationReason {
    /// The application ended the grant, and nothing is kept of its tokens.
    pub(crate) fn is_on_purpose(self) -> bool {
        matches!(self, Self::Revoked | Self::Forgotten)
    }
}

impl fmt::Display for ReauthorizationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "the provider no longer accepts the refresh token",
            Self::RefreshTokenExpired => "the refresh token has expired",
            Self::ConsentExpired => "the consent has expired",
            Self::LostReply => "the provider spent the refresh token in a request whose reply was lost",
            Self::Revoked => "the grant was revoked",
            Self::Forgotten => "the grant was forgotten",
            Self::NoRefreshToken => "the access token has ended and the grant has no refresh token",
            Self::Other => "the grant is over",
        })
    }
}
