//! Why a call failed, and what the caller may conclude.

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use http::StatusCode;

use super::response::{RawBody, Response, ResponseValue};
use crate::token;

/// Why a call failed.
///
/// `E` is the provider's own error body. No variant prints a body, a header or
/// a secret: not in `Display`, not in `Debug`.
///
/// Ask what may be concluded with [`outcome`](Self::outcome), whether a new
/// attempt may help with [`is_retryable`](Self::is_retryable), and whether the
/// user has to authorize again with
/// [`reauthorization_required`](Self::reauthorization_required).
#[non_exhaustive]
pub enum Error<E = ()> {
    /// The call does not fit the operation: a parameter is missing or wrong. Nothing was sent.
    InvalidRequest(String),
    /// There is no token for the call, or the provider rejected it.
    Auth {
        /// Why there is none.
        error: token::Error,
        /// How far the call had come: [`Outcome::NotSent`] when there was no token for its first attempt,
        /// [`Outcome::Rejected`] when the provider had rejected one, [`Outcome::Unknown`] when an earlier attempt may
        /// have taken effect.
        outcome: Outcome,
    },
    /// The token was not granted a scope that the operation needs. Nothing was sent.
    MissingScope(MissingScope),
    /// The connection failed or the time was up.
    Connection(ConnectionError),
    /// The provider answered with an error in its documented form.
    ErrorResponse(Box<ResponseValue<E>>),
    /// The provider answered with something that the specification does not describe.
    InvalidReply(Box<InvalidReply>),
}

/// What a caller may conclude about the effect of a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The request did not leave: it had no effect.
    NotSent,
    /// The provider refused the request: it had no effect.
    Rejected,
    /// The request may or may not have taken effect. Look before repeating it.
    Unknown,
}

/// A scope that the token was not granted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingScope {
    /// The operation.
    pub operation: &'static str,
    /// The scope that it needs.
    pub scope: &'static str,
}

/// A connection that failed, or time that was up.
#[derive(Debug)]
#[non_exhaustive]
pub struct ConnectionError {
    /// The operation.
    pub operation: &'static str,
    /// At which point.
    pub point: ConnectionPoint,
    /// Whether the time was up, rather than the connection broken.
    pub timeout: bool,
    /// The status of a reply that broke off.
    pub status: Option<StatusCode>,
    /// The provider's id of the request, or else the one that it carried: ask them with it.
    pub request_id: Option<String>,
    /// `Retry-After`, when the reply had one.
    pub retry_after: Option<Duration>,
    /// Whether an earlier attempt of the same call may have taken effect.
    pub in_doubt: bool,
    source: Option<reqwest::Error>,
}

impl ConnectionError {
    /// `left` says that the request had left, whatever connection failed then: a caller's own client may have followed
    /// a redirect to where nobody listens.
    pub(crate) fn new(operation: &'static str, source: reqwest::Error, left: bool) -> Self {
        let point = match () {
            () if source.is_connect() || source.is_builder() => match left {
                true => ConnectionPoint::Sent,
                false => ConnectionPoint::Connect,
            },
            () if source.is_body() || source.is_decode() => ConnectionPoint::Reply,
            () => ConnectionPoint::Sent,
        };
        // The URL may carry personal data in its query.
        Self {
            operation,
            point,
            timeout: source.is_timeout(),
            status: None,
            request_id: None,
            retry_after: None,
            in_doubt: false,
            source: Some(source.without_url()),
        }
    }

    /// The same of a request that carried this id.
    pub(crate) fn of_request(self, request_id: Option<String>) -> Self {
        Self { request_id, ..self }
    }

    /// The same of a reply whose headers had come.
    pub(crate) fn in_reply(
        self,
        status: StatusCode,
        request_id: Option<String>,
        retry_after: Option<Duration>,
    ) -> Self {
        Self {
            point: ConnectionPoint::Reply,
            status: Some(status),
            request_id,
            retry_after,
            ..self
        }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match (self.point, self.status) {
            _ if self.in_doubt => Outcome::Unknown,
            (ConnectionPoint::Connect, _) => Outcome::NotSent,
            (_, Some(status)) => outcome_of(status),
            (_, None) => Outcome::Unknown,
        }
    }

    /// A refusal stays one, however little of its body came.
    pub(crate) fn is_retryable(&self) -> bool {
        self.status
            .is_none_or(|status| !status.is_client_error() || retryable(status))
    }

    pub(crate) fn out_of_time(operation: &'static str, point: ConnectionPoint) -> Self {
        Self {
            operation,
            point,
            timeout: true,
            status: None,
            request_id: None,
            retry_after: None,
            in_doubt: false,
            source: None,
        }
    }
}

/// How far a call had come when its connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionPoint {
    /// No connection was made: nothing was sent.
    Connect,
    /// The request was sent, wholly or in part; no reply came.
    Sent,
    /// The reply began to come and broke off.
    Reply,
}

/// A reply that the specification does not describe.
#[derive(Debug)]
#[non_exhaustive]
pub struct InvalidReply {
    /// The operation.
    pub operation: &'static str,
    /// The status of the reply.
    pub status: StatusCode,
    /// The provider's id of the request, when the reply had one.
    pub request_id: Option<String>,
    /// `Retry-After`, when the reply had one.
    pub retry_after: Option<Duration>,
    /// What is wrong with it.
    pub problem: Problem,
    /// Whether an earlier attempt of the same call may have taken effect.
    pub in_doubt: bool,
    /// The body as it came, where it was read. It is shown to nobody who does not ask for it.
    pub body: Option<RawBody>,
}

/// What is wrong with a reply.
#[derive(Debug)]
#[non_exhaustive]
pub enum Problem {
    /// The status is not one that the specification lists.
    Status,
    /// An error reply whose body is not the provider's documented error.
    ErrorBody {
        /// The media type that came instead, without parameters.
        media_type: Option<String>,
    },
    /// A body of another type where the specification has JSON.
    NotJson {
        /// The media type that came instead, without parameters.
        media_type: String,
    },
    /// The body does not have the documented form.
    Decode {
        /// Where: a path through the JSON. Names only, never values.
        path: String,
        /// In words; never a value.
        reason: String,
    },
    /// The body is larger than the limit in bytes.
    TooLarge(usize),
    /// A redirect was not followed, or whoever it led to answered in place of the provider's endpoint.
    Redirect,
    /// A link to the next page leads to another origin or outside the base URL, or is no URL.
    ForeignLink,
    /// The next page is the page that was just read.
    RepeatedPage,
}

impl fmt::Display for InvalidReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            status,
            problem,
            ..
        } = self;
        match problem {
            Problem::Status => write!(f, "{operation}: status {status} is not in the specification")?,
            Problem::ErrorBody { media_type } => write!(
                f,
                "{operation}: status {status} with a body of type {} that is not the provider's documented error; a proxy or an outage page may have answered",
                media_type.as_deref().unwrap_or("unknown")
            )?,
            Problem::NotJson { media_type } => write!(
                f,
                "{operation}: status {status} with a body of type {media_type} instead of JSON; a proxy or an outage page may have answered, or the base URL leads elsewhere"
            )?,
            Problem::Decode { path, reason } => write!(
                f,
                "{operation}: the reply (status {status}) differs from the specification at `{path}`: {reason}"
            )?,
            Problem::TooLarge(limit) => write!(
                f,
                "{operation}: the reply (status {status}) is larger than {limit} bytes"
            )?,
            Problem::Redirect => write!(
                f,
                "{operation}: a redirect (status {status}) was not followed; check the base URL"
            )?,
            Problem::ForeignLink => write!(
                f,
                "{operation}: the link to the next page leads to another origin or outside the base URL, and was not followed"
            )?,
            Problem::RepeatedPage => write!(f, "{operation}: the next page is the page that was just read; stopped")?,
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request id {id})")?;
        }
        if self.in_doubt {
            f.write_str("; an earlier attempt may have taken effect")?;
        }
        Ok(())
    }
}

impl<E> Error<E> {
    /// A documented error reply.
    #[doc(hidden)]
    #[must_use]
    pub fn error_response(reply: ResponseValue<E>) -> Self {
        Self::ErrorResponse(Box::new(reply))
    }

    pub(crate) fn invalid_reply(reply: InvalidReply) -> Self {
        Self::InvalidReply(Box::new(reply))
    }

    /// An unlisted status.
    #[doc(hidden)]
    #[must_use]
    pub fn unexpected(response: Response) -> Self {
        let problem = if response.status().is_redirection() {
            Problem::Redirect
        } else {
            Problem::Status
        };
        Self::invalid_reply(response.invalid(problem))
    }

    /// What may be concluded about the effect of the call, all its attempts together.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::InvalidRequest(_) | Self::MissingScope(_) => Outcome::NotSent,
            Self::Auth { outcome, .. } => *outcome,
            Self::Connection(error) => error.outcome(),
            Self::ErrorResponse(reply) if reply.in_doubt() => Outcome::Unknown,
            Self::ErrorResponse(reply) => outcome_of(reply.status()),
            // Whoever answers behind a redirect says nothing of the request that was redirected.
            Self::InvalidReply(reply) if reply.in_doubt || matches!(reply.problem, Problem::Redirect) => {
                Outcome::Unknown
            }
            Self::InvalidReply(reply) => outcome_of(reply.status),
        }
    }

    /// Whether the same call may succeed later.
    ///
    /// This does not say that repeating it is harmless: see [`outcome`](Self::outcome).
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::InvalidRequest(_) | Self::MissingScope(_) => false,
            Self::Auth { error, .. } => error.is_retryable(),
            Self::Connection(error) => error.is_retryable(),
            Self::ErrorResponse(reply) => retryable(reply.status()),
            Self::InvalidReply(reply) => retryable(reply.status),
        }
    }

    /// Whether the user has to authorize again, because no automatic way is left.
    #[must_use]
    pub fn reauthorization_required(&self) -> bool {
        matches!(self, Self::Auth { error, .. } if error.reauthorization_required())
    }

    /// The status of the reply; always there when there was a reply.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::ErrorResponse(reply) => Some(reply.status()),
            Self::InvalidReply(reply) => Some(reply.status),
            Self::Connection(error) => error.status,
            _ => None,
        }
    }

    /// The id of the request: the provider's, or else the one that was sent.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::ErrorResponse(reply) => reply.request_id(),
            Self::InvalidReply(reply) => reply.request_id.as_deref(),
            Self::Connection(error) => error.request_id.as_deref(),
            _ => None,
        }
    }

    /// How long the provider asks to wait (`Retry-After`).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Auth { error, .. } => error.retry_after(),
            Self::ErrorResponse(reply) => crate::http::retry_after(reply.headers()),
            Self::InvalidReply(reply) => reply.retry_after,
            Self::Connection(error) => error.retry_after,
            _ => None,
        }
    }

    /// The provider's error body, when it answered with one.
    #[must_use]
    pub fn body(&self) -> Option<&E> {
        match self {
            Self::ErrorResponse(reply) => Some(reply),
            _ => None,
        }
    }

    /// The body of a reply that the specification does not describe, as it came. It may hold personal data: do not log it.
    #[must_use]
    pub fn raw_body(&self) -> Option<&[u8]> {
        match self {
            Self::InvalidReply(reply) => reply.body.as_ref().map(RawBody::expose),
            _ => None,
        }
    }

    /// The same error without the provider's body, for code that handles several providers.
    #[must_use]
    pub fn into_untyped(self) -> Error {
        match self {
            Self::InvalidRequest(reason) => Error::InvalidRequest(reason),
            Self::Auth { error, outcome } => Error::Auth { error, outcome },
            Self::MissingScope(error) => Error::MissingScope(error),
            Self::Connection(error) => Error::Connection(error),
            Self::ErrorResponse(reply) => Error::error_response(reply.map(|_| ())),
            Self::InvalidReply(reply) => Error::InvalidReply(reply),
        }
    }
}

/// A 4xx refuses the request. A 408 says that it did not come in whole; a 5xx says nothing about its effect.
pub(crate) fn outcome_of(status: StatusCode) -> Outcome {
    if status.is_client_error() {
        Outcome::Rejected
    } else {
        Outcome::Unknown
    }
}

pub(crate) fn retryable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 502 | 503 | 504)
}

impl<E> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidRequest(reason) => write!(f, "the call was not sent: {reason}"),
            Self::Auth { error, outcome } => {
                write!(f, "{error}")?;
                if *outcome == Outcome::Unknown {
                    f.write_str("; an earlier attempt may have taken effect")?;
                }
                Ok(())
            }
            Self::MissingScope(MissingScope { operation, scope }) => write!(
                f,
                "{operation}: the token was not granted scope `{scope}`; request it in the authorization"
            ),
            Self::Connection(error) => write!(f, "{error}"),
            Self::ErrorResponse(reply) => {
                write!(f, "{}: the provider answered {}", reply.operation(), reply.status())?;
                if let Some(id) = reply.request_id() {
                    write!(f, " (request id {id})")?;
                }
                if reply.in_doubt() {
                    f.write_str("; an earlier attempt may have taken effect")?;
                }
                Ok(())
            }
            Self::InvalidReply(reply) => write!(f, "{reply}"),
        }
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            point,
            timeout,
            status,
            in_doubt,
            ..
        } = self;
        let what = match (point, timeout) {
            (ConnectionPoint::Connect, false) => "no connection could be made; check the host and the network",
            (ConnectionPoint::Connect, true) => "no connection was made in time",
            (ConnectionPoint::Sent, false) => {
                "the connection broke before a reply came; the call may have taken effect"
            }
            (ConnectionPoint::Sent, true) => "no reply came in time; the call may have taken effect",
            (ConnectionPoint::Reply, false) => "the reply broke off",
            (ConnectionPoint::Reply, true) => "the reply did not end in time",
        };
        write!(f, "{operation}: {what}")?;
        if let Some(status) = status {
            write!(f, " (status {status})")?;
        }
        if *in_doubt && *point != ConnectionPoint::Sent {
            f.write_str("; an earlier attempt may have taken effect")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConnectionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

impl<E> fmt::Debug for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidRequest(reason) => f.debug_tuple("InvalidRequest").field(reason).finish(),
            Self::Auth { error, outcome } => f
                .debug_struct("Auth")
                .field("error", error)
                .field("outcome", outcome)
                .finish(),
            Self::MissingScope(error) => f.debug_tuple("MissingScope").field(error).finish(),
            Self::Connection(error) => f.debug_tuple("Connection").field(error).finish(),
            Self::ErrorResponse(reply) => f.debug_tuple("ErrorResponse").field(reply).finish(),
            Self::InvalidReply(reply) => f.debug_tuple("InvalidReply").field(reply).finish(),
        }
    }
}

impl<E> std::error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Auth { error, .. } => std::error::Error::source(error),
            Self::Connection(error) => std::error::Error::source(error),
            _ => None,
        }
    }
}

impl<E> From<Infallible> for Error<E> {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Only building a request gives a bare `reqwest::Error` in generated code.
impl<E> From<reqwest::Error> for Error<E> {
    fn from(error: reqwest::Error) -> Self {
        Self::InvalidRequest(format!("the request could not be built: {}", error.without_url()))
    }
}

impl<E> From<http::header::InvalidHeaderValue> for Error<E> {
    fn from(_: http::header::InvalidHeaderValue) -> Self {
        Self::InvalidRequest("a header parameter has characters that a header cannot carry".to_owned())
    }
}

/// A failure before the provider's error type is known.
#[derive(Debug)]
pub struct Failure(pub(crate) Box<Error<Infallible>>);

impl From<Error<Infallible>> for Failure {
    fn from(error: Error<Infallible>) -> Self {
        Self(Box::new(error))
    }
}

impl<E> From<Failure> for Error<E> {
    fn from(failure: Failure) -> Self {
        match *failure.0 {
            Error::InvalidRequest(reason) => Self::InvalidRequest(reason),
            Error::Auth { error, outcome } => Self::Auth { error, outcome },
            Error::MissingScope(error) => Self::MissingScope(error),
            Error::Connection(error) => Self::Connection(error),
            Error::ErrorResponse(reply) => match **reply {},
            Error::InvalidReply(reply) => Self::InvalidReply(reply),
        }
    }
}
