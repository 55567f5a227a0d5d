//! What the token lifecycle needs from an authorization server: one request, one reply or one verdict.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::SendPermit;
use crate::value::{ScopeSet, Secret};

/// Sends one token request. The lifecycle decides when; this decides how.
///
/// Implemented by [`oauth`](crate::oauth) for every grant; tests implement it
/// to play an authorization server without a network.
pub trait Issuer: Send + Sync + 'static {
    /// Sends exactly one request to the token endpoint and never repeats it.
    ///
    /// With several secrets of one client there is one exception: where the server refused the client itself
    /// (`invalid_client`, RFC 6749 section 5.2), the same request goes out once more with each other secret.
    fn obtain(&self, obtain: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>>;

    /// Sends exactly one revocation request.
    ///
    /// `Ok(false)` when the provider has no revocation endpoint: the grant is then forgotten locally only.
    fn revoke(&self, request: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>>;
}

/// Which token request to send.
#[derive(Clone, Debug)]
pub enum Obtain {
    /// The grant itself once more: client credentials have no refresh token.
    Anew,
    /// RFC 6749 section 6.
    Refresh(RefreshRequest),
}

/// What a refresh is made with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RefreshRequest {
    /// `refresh_token`
    pub refresh_token: Secret,
    /// The scopes that the grant has by the last reply. A refresh asks for these or for none, never for another one (RFC
    /// 6749 section 6): the user may have granted less than the application asked for.
    pub granted: Arc<ScopeSet>,
    /// Whether the request may still leave. To be asked when its first byte is about to: what comes too late sends a
    /// spent token.
    pub permit: SendPermit,
}

impl RefreshRequest {
    /// A refresh of a grant with these scopes, at any time.
    #[must_use]
    pub fn new(refresh_token: Secret, granted: Arc<ScopeSet>) -> Self {
        Self {
            refresh_token,
            granted,
            permit: SendPermit::always(),
        }
    }

    /// Only as long as this holds.
    #[must_use]
    pub fn permit(mut self, permit: SendPermit) -> Self {
        self.permit = permit;
        self
    }
}

/// What a revocation is made with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RevokeRequest {
    /// The token to be revoked.
    pub token: RevokedToken,
    /// The token may be gone: an earlier request to revoke it, or to refresh with it, was sent and no answer came, or the
    /// provider has refused to refresh with it. An answer by which the provider may say that it does not know the token is a
    /// success then.
    pub unanswered: bool,
}

impl RevokeRequest {
    /// The first request to revoke this token.
    #[must_use]
    pub fn new(token: RevokedToken) -> Self {
        Self {
            token,
            unanswered: false,
        }
    }
}

/// The token that a revocation request carries (RFC 7009 section 2.1).
#[derive(Clone, Debug)]
pub enum RevokedToken {
    /// `token_type_hint=refresh_token`
    Refresh(Secret),
    /// `token_type_hint=access_token`
    Access(Secret),
}

impl RevokedToken {
    /// The token itself.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        match self {
            Self::Refresh(secret) | Self::Access(secret) => secret,
        }
    }
}

/// A successful token reply (RFC 6749 section 5.1), after lenient reading.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenReply {
    /// `access_token`; empty where the reply has none that can be used.
    pub access_token: Secret,
    /// Why the access token cannot be used. What else the reply has is stored before this is told: the refresh token
    /// in it may be the only one that is good now.
    pub unusable: Option<Arc<dyn std::error::Error + Send + Sync>>,
    /// `refresh_token`, when the reply has one.
    pub refresh_token: Option<Secret>,
    /// Life of the access token: `expires_in`, or the provider's documented default; none: unknown.
    pub expires_in: Option<Duration>,
    /// Life of the refresh token: the reply's own field, or the documented one; none: unknown.
    pub refresh_expires_in: Option<Duration>,
    /// `scope`; none: as requested (RFC 6749 section 5.1).
    pub scopes: Option<ScopeSet>,
    /// `id_token`, unread, where the application asked to keep it.
    pub id_token: Option<Secret>,
    /// Documented fields beyond RFC 6749, by name (Finexer's `account_id`).
    pub extra: BTreeMap<String, String>,
    /// The field in `extra` that names the account that the tokens are for, where the provider documents one.
    pub account_field: Option<String>,
}

impl TokenReply {
    /// A reply with an access token and nothing else.
    #[must_use]
    pub fn new(access_token: impl Into<Secret>) -> Self {
        Self {
            access_token: access_token.into(),
            unusable: None,
            refresh_token: None,
            expires_in: None,
            refresh_expires_in: None,
            scopes: None,
            id_token: None,
            extra: BTreeMap::new(),
            account_field: None,
        }
    }

    /// A reply without an access token that can be used, for this reason. Its other fields are worth keeping: the
    /// refresh token above all.
    #[must_use]
    pub fn without_access_token(reason: Arc<dyn std::error::Error + Send + Sync>) -> Self {
        Self {
            unusable: Some(reason),
            ..Self::new("")
        }
    }
}

/// A token request that brought no token: the verdict, and the error behind it.
#[derive(Clone, Debug)]
pub struct IssuerError {
    /// What it means for the grant.
    pub verdict: Verdict,
    /// What happened.
    pub source: Arc<dyn std::error::Error + Send + Sync>,
}

impl std::fmt::Display for IssuerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.source)
    }
}

/// It speaks with the words of the error behind it, and hands on what is behind that one.
impl std::error::Error for IssuerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.source()
    }
}

impl Verdict {
    /// In a word, for metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Transient { .. } => "transient",
            Self::Throttled { .. } => "throttled",
            Self::RequestRejected => "request_rejected",
            Self::ClientMisconfigured => "client_misconfigured",
            Self::Dead => "dead",
            Self::InDoubt => "in_doubt",
        }
    }
}

impl IssuerError {
    /// A verdict with the error behind it.
    pub fn new(verdict: Verdict, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self {
            verdict,
            source: Arc::new(source),
        }
    }
}

/// What a failed token request means for the grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// No connection was made, or there was no secret of the client to send: the server never saw the request, and nothing
    /// is spent. Try again later.
    NotSent,
    /// The server, or somebody in front of it, answered and said nothing about the grant
    /// (5xx, HTML, a 4xx without an OAuth error code). Try again later.
    Transient {
        /// `Retry-After`, when the reply had one.
        retry_after: Option<Duration>,
    },
    /// Too many requests (429). Try again later, and less often.
    Throttled {
        /// `Retry-After`, when the reply had one.
        retry_after: Option<Duration>,
    },
    /// The server refused this request; the grant lives (`invalid_request`, `invalid_scope`).
    RequestRejected,
    /// The client's own settings are wrong; the grant lives (`invalid_client`, `unauthorized_client`).
    ClientMisconfigured,
    /// The grant is gone (`invalid_grant`).
    Dead,
    /// The request was sent and its reply was lost: the refresh token may be spent.
    InDoubt,
}
