//! Why a request to an authorization server, or a callback from it, failed.

use std::time::Duration;

use http::StatusCode;

use super::client_secret_source::ClientSecretError;
use crate::token::{self, IssuerError, StoreError, Verdict};
use crate::value::ScopeError;

/// Why a request to an authorization server, or a callback from it, failed.
///
/// No text holds a token, a code, a secret or a body.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A scope does not fit the provider's rules.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The redirect URI does not fit the provider's rules.
    #[error("redirect URI: {reason}")]
    RedirectUri {
        /// Which rule, and what to do.
        reason: &'static str,
        /// What the parser of URLs says; nothing of the URI is in it.
        source: Option<url::ParseError>,
    },
    /// The revocation endpoint cannot be put into a request.
    #[error("the revocation endpoint has characters that a request cannot carry; correct it on the app's builder")]
    RevocationEndpoint(#[source] http::uri::InvalidUri),
    /// The provider has no such grant or endpoint.
    #[error("{provider} has no {what}; the provider's page in the documentation says what it has")]
    Unsupported {
        /// The provider.
        provider: &'static str,
        /// The grant or the endpoint.
        what: &'static str,
    },
    /// The user, or the provider, refused the authorization (RFC 6749 section 4.1.2.1).
    #[error("the authorization was refused: {}{}; {}", .0.error, if .0.state_verified { "" } else { " (the refusal carried no state, so it may not be the provider's)" }, .0.what_to_do())]
    Refused(Refusal),
    /// The callback's `state` is missing or is not the one that was sent (RFC 6749 section 10.12).
    #[error(
        "the callback does not belong to this authorization: its state is missing or differs; start the authorization again and do not use the code"
    )]
    StateMismatch,
    /// The callback names another authorization server (RFC 9207 section 2.4).
    #[error(
        "the callback names another issuer than the provider's; start the authorization again and do not use the code"
    )]
    IssuerMismatch,
    /// The callback names no issuer, and the app's [`issuer`](crate::AppBuilder::issuer) demands it (RFC 9207 section 2.4).
    #[error(
        "the callback does not name its issuer, though `issuer` is set on the app: it may come from another authorization server; start the authorization again and do not use the code, and set `issuer` only for a server that sends `iss`"
    )]
    IssuerMissing,
    /// The callback came to another address than the redirect URI of this authorization (RFC 9700 section 4.4.2.2).
    #[error(
        "the callback did not come to the redirect URI of this authorization: it differs in scheme, host, port, path or in what the redirect URI has in its query, so another authorization server may have sent it; start the authorization again and do not use the code; an application that sees an internal URL behind a proxy gives the path and the query only"
    )]
    RedirectUriMismatch,
    /// The authorization of this callback was used before: its code was sent, and sent again it could end the grant (RFC
    /// 6749 section 4.1.2).
    #[error(
        "the authorization of this callback is already used: a callback that is reloaded needs nothing more, the connection of the first time holds; if that one failed, start the authorization again"
    )]
    AuthorizationUsed,
    /// The authorization of this callback has ended: its time was over before the callback came.
    #[error(
        "the authorization of this callback has ended: the callback came too late, and its code is not used; start the authorization again"
    )]
    AuthorizationEnded,
    /// The store has no authorization with the callback's `state`.
    #[error(
        "no authorization with the state of this callback is pending in this store: it was begun elsewhere or not at all, or it ended some time ago; start the authorization again and do not use the code"
    )]
    UnknownAuthorization,
    /// An authorization was to be begun in no session.
    #[error(
        "the session is empty; give what tells this user's browser from every other, such as the id of its session"
    )]
    NoSession,
    /// The callback came in another session than the one in which the authorization was begun (RFC 9700 section 4.7).
    #[error(
        "the callback came without the session in which its authorization was begun: somebody may have sent the user a callback of their own; start the authorization again in this session and do not use the code"
    )]
    ForeignSession,
    /// The token store could not be asked about an authorization, which is kept or marked there. Nothing was sent.
    #[error(
        "the token store could not keep or find the authorization, so its code is not sent; try the same again when the store can be used"
    )]
    AuthorizationStore {
        /// What happened.
        source: StoreError,
    },
    /// The pending authorization was made for another provider, client or authorization server.
    #[error(
        "the pending authorization belongs to another provider, client id, authorization server or tenant; use the app that made it"
    )]
    ForeignPending,
    /// The key of a connection was made for another provider, client or authorization server.
    #[error(
        "the key belongs to another provider, client id, authorization server or tenant; use the app that made the connection"
    )]
    ForeignKey,
    /// The key is that of the application's own tokens, and no user's connection has it.
    #[error(
        "the key is of the application's own tokens (client credentials), which are no user's connection; use `client_credentials` for the client, and `client_tokens` for its tokens"
    )]
    KeyOfClientCredentials,
    /// The callback cannot be read.
    #[error("the callback URL {0}")]
    Callback(&'static str),
    /// The authorization server answered with an OAuth error (RFC 6749 section 5.2).
    #[error(transparent)]
    Server(ServerError),
    /// The authorization server refused a code exchange that carried PKCE, of which the provider's documentation says
    /// nothing.
    #[error(
        "{0}; the request carried PKCE, which the provider does not document: if the server does not take it, switch it off with `without_pkce` on the app's builder"
    )]
    PkceRefused(ServerError),
    /// The authorization server's reply is not what the specification says.
    #[error("{request}: {problem} (status {status}){}", advice(.request, *.status))]
    Reply {
        /// The request.
        request: &'static str,
        /// The status.
        status: StatusCode,
        /// What is wrong with the reply.
        problem: &'static str,
        /// `Retry-After`, when there was one.
        retry_after: Option<Duration>,
        /// Whether the request may have been carried out.
        in_doubt: bool,
    },
    /// The authorization server refused a revocation and gave no OAuth error. It would refuse it again.
    #[error(
        "revocation: the server refused it (status {status}) and the token may still live; check the revocation endpoint and the client's registration"
    )]
    NotRevoked {
        /// The status.
        status: StatusCode,
    },
    /// The authorization server was not reached, or its reply was lost.
    #[error("{request}{}: {}", .host.as_ref().map(|host| format!(" at {host}")).unwrap_or_default(), if *.sent { lost(.request) } else { "no connection could be made; check the host and the network" })]
    Connection {
        /// The request.
        request: &'static str,
        /// The host that it was for, with its port where the URL has one; none: the request could not be made.
        host: Option<String>,
        /// Whether the request was sent, wholly or in part.
        sent: bool,
        /// What the HTTP client says (a `reqwest::Error`), or that no reply came in time and how long that is.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// It is not said whose consent is meant: two people without a name would share one grant.
    #[error("the subject is empty; say whose consent it is, in the application's own words")]
    NoSubject,
    /// The [`ClientSecretSource`](super::ClientSecretSource) of the application gave no secret for this request. Nothing was
    /// sent, so that nothing is spent: a code, a refresh token or a password can be sent when the source gives a secret.
    #[error(
        "{request}: nothing was sent, because the source of the client's secret gave none; look at the cause, and try again when the source can be used"
    )]
    ClientSecret {
        /// The request.
        request: &'static str,
        /// What happened at the source.
        source: ClientSecretError,
    },
    /// Tokens from elsewhere cannot be taken.
    #[error("the tokens cannot be imported: {0}")]
    Import(&'static str),
    /// The settings are not complete.
    #[error(transparent)]
    Config(#[from] crate::http::ConfigError),
    /// The grant could not be stored or used.
    #[error(transparent)]
    Token(#[from] crate::token::Error),
}

fn advice(request: &str, status: StatusCode) -> &'static str {
    let is_of_a_code = request == CODE_EXCHANGE;
    if status.is_redirection() {
        if is_of_a_code {
            "; redirects are not followed, because they would carry the secret along: correct the endpoint, and start the authorization again"
        } else {
            "; redirects are not followed, because they would carry the secret along: correct the endpoint"
        }
    } else if status == StatusCode::TOO_MANY_REQUESTS {
        "; try again later"
    } else if status.is_server_error() {
        if is_of_a_code {
            CODE_MAY_BE_USED
        } else {
            "; try again later"
        }
    } else if is_of_a_code {
        "; check the endpoint, and start the authorization again"
    } else {
        "; check the endpoint"
    }
}

fn lost(request: &str) -> &'static str {
    if request == CODE_EXCHANGE {
        "the reply was lost, and the code may be used: start the authorization again"
    } else {
        "the reply was lost; the request may have been carried out"
    }
}

/// A refused authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// `error`: `access_denied` when the user said no.
    pub error: String,
    /// The provider's own code (Finexer's `error_code`), where it has one.
    pub code: Option<String>,
    /// Whether the refusal brought the right `state` back. Without it anyone can have made the URL.
    pub state_verified: bool,
    /// The request carried PKCE, which the provider does not document, and the error may be the server's word on that:
    /// [`without_pkce`](crate::AppBuilder::without_pkce) switches it off.
    pub may_be_pkce: bool,
}

impl Refusal {
    /// Whether the user said no, rather than the provider.
    #[must_use]
    pub fn is_access_denied(&self) -> bool {
        self.error == "access_denied"
    }

    fn what_to_do(&self) -> &'static str {
        if self.may_be_pkce {
            "the request carried PKCE, which the provider does not document: if the server does not take it, switch it off with `without_pkce` on the app's builder"
        } else {
            "the user may be asked again"
        }
    }
}

/// An OAuth error reply (RFC 6749 section 5.2).
///
/// What the server says in words is read by [`description`](Self::description). It is in neither `Display` nor `Debug`,
/// because some servers repeat there what they were sent.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{request}: the authorization server answered {status} `{error}`{}", what_to_do(.request, .error, *.verdict))]
#[non_exhaustive]
pub struct ServerError {
    /// The request.
    pub request: &'static str,
    /// The status.
    pub status: StatusCode,
    /// `error`: the code alone, in the spelling of the standard where it is one of its codes.
    pub error: String,
    pub(super) description: Option<String>,
    /// `Retry-After`, when there was one.
    pub retry_after: Option<Duration>,
    /// What it means for a grant.
    pub verdict: Verdict,
}

impl ServerError {
    /// `error_description`: what the server says, for a developer to read.
    ///
    /// It is one line of 300 characters at most, and the secrets of the request are cut out of it wherever they stand as
    /// they were sent. A server may repeat other things that it knows: look before it goes to a log or to a user.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }
}

impl std::fmt::Debug for ServerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerError")
            .field("request", &self.request)
            .field("status", &self.status)
            .field("error", &self.error)
            .field("retry_after", &self.retry_after)
            .field("verdict", &self.verdict)
            .finish_non_exhaustive()
    }
}

/// How errors call a request with a user's name and password.
pub(super) const PASSWORD_REQUEST: &str = "password request";

/// How errors call a request with a code. A code is sent once: what may have spent it is not repeated.
pub(super) const CODE_EXCHANGE: &str = "code exchange";

const CODE_MAY_BE_USED: &str = "; the code may be used: start the authorization again";

fn what_to_do(request: &str, error: &str, verdict: Verdict) -> &'static str {
    match error {
        "invalid_grant" if request == PASSWORD_REQUEST => "; check the user's name and password",
        "invalid_client" => "; check the client id, the secret and the environment",
        "unauthorized_client" => "; the client is not allowed this grant: check its registration",
        "invalid_grant" => {
            "; the code or the refresh token is used, expired or not this client's: the user has to authorize again"
        }
        "invalid_scope" => "; check the scopes against the client's registration",
        "invalid_redirect_uri" => "; it must be registered, and the same in both requests",
        "invalid_request" => {
            "; a parameter is missing or wrong: check the settings of the app and the provider's registration"
        }
        "unsupported_grant_type" => "; the provider does not know this grant: use one that it documents",
        _ => match verdict {
            Verdict::Dead => "; the user has to authorize again",
            Verdict::ClientMisconfigured => "; check the client's registration",
            Verdict::RequestRejected => "; check the settings of the app",
            Verdict::Throttled { .. } => "; try again later, and less often",
            Verdict::Transient { .. } | Verdict::InDoubt if request == CODE_EXCHANGE => CODE_MAY_BE_USED,
            Verdict::NotSent | Verdict::Transient { .. } | Verdict::InDoubt => "; try again later",
        },
    }
}

impl Error {
    /// What the failure means for a grant.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.verdict_of_the_answer() {
            // Whoever is out of order, or in front of the server, may say so after the code was used.
            Verdict::Transient { .. } if self.request() == Some(CODE_EXCHANGE) => Verdict::InDoubt,
            verdict => verdict,
        }
    }

    /// The request that an authorization server answered, or did not.
    fn request(&self) -> Option<&'static str> {
        match self {
            Self::Server(error) | Self::PkceRefused(error) => Some(error.request),
            Self::Reply { request, .. } | Self::Connection { request, .. } => Some(request),
            _ => None,
        }
    }

    fn verdict_of_the_answer(&self) -> Verdict {
        match self {
            Self::Server(error) | Self::PkceRefused(error) => error.verdict,
            Self::Reply { in_doubt: true, .. } | Self::Connection { sent: true, .. } => Verdict::InDoubt,
            Self::Reply {
                status, retry_after, ..
            } if status.as_u16() == 429 => Verdict::Throttled {
                retry_after: *retry_after,
            },
            Self::Reply { retry_after, .. } => Verdict::Transient {
                retry_after: *retry_after,
            },
            Self::Connection { .. } | Self::ClientSecret { .. } => Verdict::NotSent,
            Self::Config(_) | Self::RevocationEndpoint(_) => Verdict::ClientMisconfigured,
            Self::AuthorizationStore { source } => of_store(source),
            Self::Token(error) => of_token(error),
            _ => Verdict::RequestRejected,
        }
    }

    /// Whether a code that was sent is known to be unspent: nothing left, or the server did not get as far as the code.
    pub(crate) fn leaves_the_code_unspent(&self) -> bool {
        // What fails in the lifecycle fails after the code has brought its tokens.
        !matches!(self, Self::Token(_))
            && matches!(
                self.verdict(),
                Verdict::NotSent | Verdict::ClientMisconfigured | Verdict::Throttled { .. }
            )
    }

    /// Whether the user or the provider refused the authorization.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The OAuth error code, when the authorization server gave one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Server(error) | Self::PkceRefused(error) => Some(&error.error),
            Self::Refused(refusal) => Some(&refusal.error),
            _ => None,
        }
    }

    /// Whether the way on is an authorization by the user: the grant or the code is over, or the time for the callback.
    ///
    /// Of a callback that does not belong to this user's authorization ([`StateMismatch`](Self::StateMismatch) and the
    /// like) this is not said: sending every such visitor to the provider helps whoever made it.
    ///
    /// ```
    /// use finrail::oauth;
    /// use finrail::token::{self, ReauthorizationReason};
    ///
    /// let over = oauth::Error::from(token::Error::from(ReauthorizationReason::ConsentExpired));
    /// assert!(over.reauthorization_required() && !over.is_retryable());
    /// ```
    #[must_use]
    pub fn reauthorization_required(&self) -> bool {
        matches!(self, Self::AuthorizationEnded) || self.verdict() == Verdict::Dead
    }

    /// When to try again, where the server or the lifecycle says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Server(error) | Self::PkceRefused(error) => error.retry_after,
            Self::Reply { retry_after, .. } => *retry_after,
            Self::Token(error) => error.retry_after(),
            _ => None,
        }
    }

    /// What the authorization server said in words, when it did; see [`ServerError::description`].
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        match self {
            Self::Server(error) | Self::PkceRefused(error) => error.description(),
            _ => None,
        }
    }

    /// What kind of error it is, in one word, for metrics and alerts.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Config(_) => "config",
            Self::Token(error) => error.kind(),
            Self::AuthorizationStore { .. } => "store",
            Self::ClientSecret { .. } => "client_secret",
            Self::Connection { .. } => "connection",
            Self::Reply { .. } | Self::NotRevoked { .. } => "invalid_reply",
            Self::AuthorizationUsed => "authorization_used",
            Self::AuthorizationEnded => "authorization_ended",
            error => match error.verdict() {
                Verdict::Dead => "reauthorization_required",
                Verdict::ClientMisconfigured => "client_misconfigured",
                Verdict::Throttled { .. } => "throttled",
                Verdict::Transient { .. } | Verdict::NotSent => "transient",
                Verdict::InDoubt => "in_doubt",
                Verdict::RequestRejected => "request_rejected",
            },
        }
    }

    /// Whether what stands in the way may pass; the same as [`is_retryable`](Self::is_retryable), because no request to an
    /// authorization server pays anything twice, and what may have spent a code is not repeated.
    #[must_use]
    pub fn may_succeed_later(&self) -> bool {
        self.is_retryable()
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        if let Self::Token(error) = self {
            return error.is_retryable();
        }
        matches!(
            self.verdict(),
            Verdict::NotSent | Verdict::Transient { .. } | Verdict::Throttled { .. }
        )
    }
}

/// What a failure of a grant's lifecycle means for the grant.
fn of_token(error: &token::Error) -> Verdict {
    match error {
        token::Error::ReauthorizationRequired { .. } | token::Error::NoGrant { .. } => Verdict::Dead,
        token::Error::Throttled { retry_after, .. } => Verdict::Throttled {
            retry_after: *retry_after,
        },
        token::Error::Transient { retry_after, .. }
        | token::Error::Busy { retry_after, .. }
        | token::Error::Source { retry_after, .. } => Verdict::Transient {
            retry_after: *retry_after,
        },
        token::Error::InDoubt { .. } | token::Error::Interrupted(_) => Verdict::InDoubt,
        token::Error::ClientMisconfigured { .. } => Verdict::ClientMisconfigured,
        token::Error::Store { source } => of_store(source),
        token::Error::RequestRejected { .. }
        | token::Error::TokenRefused { .. }
        | token::Error::UnusableToken { .. }
        | token::Error::OtherAccount { .. } => Verdict::RequestRejected,
    }
}

fn of_store(error: &StoreError) -> Verdict {
    match error {
        StoreError::Unavailable { .. } | StoreError::Crowded { .. } => Verdict::NotSent,
        StoreError::Corrupt { .. } | StoreError::Unsupported { .. } => Verdict::RequestRejected,
    }
}

impl From<StoreError> for Error {
    fn from(source: StoreError) -> Self {
        Self::AuthorizationStore { source }
    }
}

impl From<Error> for IssuerError {
    fn from(error: Error) -> Self {
        Self::new(error.verdict(), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::ReauthorizationReason;

    const REFRESH: &str = "refresh";
    const AFTER: Option<Duration> = Some(Duration::from_secs(7));

    fn answered(request: &'static str, error: &str, verdict: Verdict) -> ServerError {
        ServerError {
            request,
            status: StatusCode::BAD_REQUEST,
            error: error.to_owned(),
            description: None,
            retry_after: AFTER,
            verdict,
        }
    }

    fn reply(request: &'static str, status: u16, in_doubt: bool) -> Error {
        Error::Reply {
            request,
            status: StatusCode::from_u16(status).unwrap(),
            problem: "it is no JSON",
            retry_after: AFTER,
            in_doubt,
        }
    }

    fn connection(request: &'static str, sent: bool) -> Error {
        Error::Connection {
            request,
            host: None,
            sent,
            source: None,
        }
    }

    fn refused(error: &str, may_be_pkce: bool) -> Refusal {
        Refusal {
            error: error.to_owned(),
            code: None,
            state_verified: true,
            may_be_pkce,
        }
    }

    #[test]
    fn what_an_error_means_is_told_in_each_way_in_which_it_may_be_asked() {
        let unavailable = || StoreError::unavailable("read", std::io::Error::other("x"));
        let transient = Verdict::Transient { retry_after: AFTER };
        let throttled = Verdict::Throttled { retry_after: AFTER };
        let unreadable_uri = "a b".parse::<http::Uri>().unwrap_err();
        let misconfigured = crate::http::ConfigError::Url {
            what: "base URL",
            reason: "it is none",
            source: None,
        };
        let busy = token::Error::Busy {
            holder: "another".to_owned(),
            retry_after: AFTER,
        };
        let over = token::Error::from(ReauthorizationReason::ConsentExpired);
        let secret = Error::ClientSecret {
            request: CODE_EXCHANGE,
            source: ClientSecretError::Empty,
        };
        // The verdict, the kind, when to try again, the code; whether it may succeed later, needs the user, leaves the code.
        for (error, verdict, kind, retry_after, code, [later, user, unspent]) in [
            (
                Error::Server(answered(REFRESH, "invalid_grant", Verdict::Dead)),
                Verdict::Dead,
                "reauthorization_required",
                AFTER,
                Some("invalid_grant"),
                [false, true, false],
            ),
            (
                Error::Server(answered(REFRESH, "server_error", transient)),
                transient,
                "transient",
                AFTER,
                Some("server_error"),
                [true, false, false],
            ),
            (
                Error::Server(answered(CODE_EXCHANGE, "server_error", transient)),
                Verdict::InDoubt,
                "in_doubt",
                AFTER,
                Some("server_error"),
                [false, false, false],
            ),
            (
                Error::PkceRefused(answered(CODE_EXCHANGE, "server_error", transient)),
                Verdict::InDoubt,
                "in_doubt",
                AFTER,
                Some("server_error"),
                [false, false, false],
            ),
            (
                Error::Server(answered(REFRESH, "slow_down", throttled)),
                throttled,
                "throttled",
                AFTER,
                Some("slow_down"),
                [true, false, true],
            ),
            (
                Error::Server(answered(REFRESH, "invalid_client", Verdict::ClientMisconfigured)),
                Verdict::ClientMisconfigured,
                "client_misconfigured",
                AFTER,
                Some("invalid_client"),
                [false, false, true],
            ),
            (
                reply(REFRESH, 429, false),
                throttled,
                "invalid_reply",
                AFTER,
                None,
                [true, false, true],
            ),
            (
                reply(REFRESH, 502, false),
                transient,
                "invalid_reply",
                AFTER,
                None,
                [true, false, false],
            ),
            (
                reply(CODE_EXCHANGE, 502, false),
                Verdict::InDoubt,
                "invalid_reply",
                AFTER,
                None,
                [false, false, false],
            ),
            (
                reply(REFRESH, 200, true),
                Verdict::InDoubt,
                "invalid_reply",
                AFTER,
                None,
                [false, false, false],
            ),
            (
                connection(CODE_EXCHANGE, true),
                Verdict::InDoubt,
                "connection",
                None,
                None,
                [false, false, false],
            ),
            (
                connection(CODE_EXCHANGE, false),
                Verdict::NotSent,
                "connection",
                None,
                None,
                [true, false, true],
            ),
            (
                secret,
                Verdict::NotSent,
                "client_secret",
                None,
                None,
                [true, false, true],
            ),
            (
                Error::Config(misconfigured),
                Verdict::ClientMisconfigured,
                "config",
                None,
                None,
                [false, false, true],
            ),
            (
                Error::RevocationEndpoint(unreadable_uri),
                Verdict::ClientMisconfigured,
                "client_misconfigured",
                None,
                None,
                [false, false, true],
            ),
            (
                Error::from(unavailable()),
                Verdict::NotSent,
                "store",
                None,
                None,
                [true, false, true],
            ),
            (
                Error::from(StoreError::corrupt("x")),
                Verdict::RequestRejected,
                "store",
                None,
                None,
                [false, false, false],
            ),
            (
                Error::from(token::Error::Store { source: unavailable() }),
                Verdict::NotSent,
                "store",
                None,
                None,
                [true, false, false],
            ),
            (Error::from(busy), transient, "busy", AFTER, None, [true, false, false]),
            (
                Error::from(over),
                Verdict::Dead,
                "reauthorization_required",
                None,
                None,
                [false, true, false],
            ),
            (
                Error::AuthorizationEnded,
                Verdict::RequestRejected,
                "authorization_ended",
                None,
                None,
                [false, true, false],
            ),
            (
                Error::Refused(refused("access_denied", false)),
                Verdict::RequestRejected,
                "refused",
                None,
                Some("access_denied"),
                [false, false, false],
            ),
            (
                Error::NoSubject,
                Verdict::RequestRejected,
                "request_rejected",
                None,
                None,
                [false, false, false],
            ),
        ] {
            assert_eq!((error.verdict(), error.kind()), (verdict, kind), "{error:?}");
            assert_eq!((error.retry_after(), error.code()), (retry_after, code), "{error:?}");
            assert_eq!(
                (error.is_retryable(), error.may_succeed_later()),
                (later, later),
                "{error:?}"
            );
            let asks_and_leaves = (error.reauthorization_required(), error.leaves_the_code_unspent());
            assert_eq!(asks_and_leaves, (user, unspent), "{error:?}");
        }
    }

    #[test]
    fn a_reply_that_nobody_expects_says_what_to_do() {
        let secret = "; redirects are not followed, because they would carry the secret along: correct the endpoint";
        let of_a_code = format!("{secret}, and start the authorization again");
        for (request, status, expected) in [
            (REFRESH, 302, secret),
            (CODE_EXCHANGE, 302, &of_a_code),
            (REFRESH, 429, "; try again later"),
            (CODE_EXCHANGE, 429, "; try again later"),
            (REFRESH, 500, "; try again later"),
            (CODE_EXCHANGE, 500, CODE_MAY_BE_USED),
            (REFRESH, 404, "; check the endpoint"),
            (
                CODE_EXCHANGE,
                404,
                "; check the endpoint, and start the authorization again",
            ),
        ] {
            let said = reply(request, status, false).to_string();
            assert!(
                said.starts_with(request) && said.ends_with(&format!("){expected}")),
                "{said}"
            );
        }
        for (request, sent, expected) in [
            (
                REFRESH,
                true,
                "the reply was lost; the request may have been carried out",
            ),
            (
                CODE_EXCHANGE,
                true,
                "the reply was lost, and the code may be used: start the authorization again",
            ),
            (
                CODE_EXCHANGE,
                false,
                "no connection could be made; check the host and the network",
            ),
        ] {
            let said = connection(request, sent).to_string();
            assert_eq!(said, format!("{request}: {expected}"));
        }
    }

    #[test]
    fn an_error_reply_says_what_to_do() {
        let transient = Verdict::Transient { retry_after: None };
        let throttled = Verdict::Throttled { retry_after: None };
        for (request, error, verdict, expected) in [
            (PASSWORD_REQUEST, "invalid_grant", Verdict::Dead, "name and password"),
            (
                REFRESH,
                "invalid_grant",
                Verdict::Dead,
                "not this client's: the user has to authorize again",
            ),
            (
                REFRESH,
                "invalid_client",
                Verdict::ClientMisconfigured,
                "the environment",
            ),
            (
                REFRESH,
                "unauthorized_client",
                Verdict::ClientMisconfigured,
                "this grant: check its registration",
            ),
            (
                REFRESH,
                "invalid_scope",
                Verdict::RequestRejected,
                "; check the scopes against the client's registration",
            ),
            (
                REFRESH,
                "invalid_redirect_uri",
                Verdict::RequestRejected,
                "in both requests",
            ),
            (
                REFRESH,
                "invalid_request",
                Verdict::RequestRejected,
                "wrong: check the settings of the app and the provider's registration",
            ),
            (
                REFRESH,
                "unsupported_grant_type",
                Verdict::RequestRejected,
                "that it documents",
            ),
            (REFRESH, "other", Verdict::Dead, "; the user has to authorize again"),
            (
                REFRESH,
                "other",
                Verdict::ClientMisconfigured,
                "; check the client's registration",
            ),
            (
                REFRESH,
                "other",
                Verdict::RequestRejected,
                "; check the settings of the app",
            ),
            (REFRESH, "other", throttled, "; try again later, and less often"),
            (REFRESH, "other", transient, "; try again later"),
            (REFRESH, "other", Verdict::InDoubt, "; try again later"),
            (CODE_EXCHANGE, "other", transient, CODE_MAY_BE_USED),
            (CODE_EXCHANGE, "other", Verdict::InDoubt, CODE_MAY_BE_USED),
            (CODE_EXCHANGE, "other", Verdict::NotSent, "; try again later"),
        ] {
            let said = answered(request, error, verdict).to_string();
            assert!(said.ends_with(expected), "{said}");
        }
    }

    #[test]
    fn a_refusal_is_the_users_or_the_providers_and_may_be_one_of_pkce() {
        for (error, is_access_denied) in [("access_denied", true), ("server_error", false)] {
            assert_eq!(refused(error, false).is_access_denied(), is_access_denied, "{error}");
        }
        for (may_be_pkce, expected) in [
            (true, "switch it off with `without_pkce`"),
            (false, "; the user may be asked again"),
        ] {
            let said = Error::Refused(refused("x", may_be_pkce)).to_string();
            assert!(said.contains(expected), "{said}");
        }
    }
}
