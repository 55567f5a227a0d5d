//! Why a call failed, and what the caller may conclude.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;

use http::StatusCode;

use super::connection_error::ConnectionError;
use super::invalid_reply::{InvalidReply, Problem, RawBody, told};
use super::limits::Limited;
use super::machine::may_pass;
use super::outcome::{Outcome, Proof};
use super::response::{Response, ResponseValue};
use super::unreadable::UnreadableItem;
use crate::http::RetryAfter;
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
///
/// A function that logs in and looks after tokens too returns [`AnyError`](crate::AnyError).
#[non_exhaustive]
pub enum Error<E = ()> {
    /// The call does not fit the operation: a parameter is missing or wrong. Nothing was sent, or nothing more.
    InvalidRequest(InvalidRequest),
    /// There is no token for the call, or the provider rejected it.
    Auth {
        /// Why there is none.
        error: token::Error,
        /// How far the call had come: [`Outcome::NotSent`] when there was no token for its first attempt,
        /// [`Outcome::Rejected`] when the provider had rejected one, [`Outcome::Unknown`] when an earlier attempt may
        /// have taken effect.
        outcome: Outcome,
    },
    /// The token was not granted a scope that the operation needs. Nothing was sent, or nothing more.
    MissingScope(MissingScope),
    /// A [limit](super::Limits) leaves no room for the call now. Nothing was sent, or nothing more.
    Limited(Limited),
    /// The connection failed or the time was up.
    Connection(ConnectionError),
    /// The provider answered with an error in its documented form.
    ErrorResponse(Box<ResponseValue<E>>),
    /// The provider answered with something that the specification does not describe.
    InvalidReply(Box<InvalidReply>),
    /// An item of a page cannot be read; the others can. Only [`Items`](super::Items) give it, and they go on behind it.
    UnreadableItem(Box<UnreadableItem>),
}

/// A call that does not fit its operation. Nothing was sent, or nothing more.
#[derive(Debug)]
pub struct InvalidRequest {
    reason: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// The call was sent before, and may have taken effect.
    in_doubt: bool,
}

impl InvalidRequest {
    /// What is wrong, and what to do about it. No value of the call is in it.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl From<String> for InvalidRequest {
    fn from(reason: String) -> Self {
        Self {
            reason,
            source: None,
            in_doubt: false,
        }
    }
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = if self.in_doubt { " again" } else { "" };
        write!(f, "the call was not sent{again}: {}", self.reason)?;
        in_doubt(f, self.in_doubt)
    }
}

/// What an error says of a call that was sent before.
fn in_doubt(f: &mut fmt::Formatter<'_>, is_in_doubt: bool) -> fmt::Result {
    if is_in_doubt {
        f.write_str("; an earlier attempt may have taken effect")?;
    }
    Ok(())
}

impl std::error::Error for InvalidRequest {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

/// A scope that the token was not granted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingScope {
    /// The operation.
    pub operation: &'static str,
    /// The scope that it needs.
    pub scope: &'static str,
    /// The call was sent before, and may have taken effect.
    pub(super) in_doubt: bool,
}

impl<E> Error<E> {
    /// A documented error reply.
    #[doc(hidden)]
    #[must_use]
    pub fn error_response(reply: ResponseValue<E>) -> Self {
        Self::ErrorResponse(Box::new(reply))
    }

    /// A call that does not fit its operation.
    #[doc(hidden)]
    #[must_use]
    pub fn invalid_request(reason: String) -> Self {
        Self::InvalidRequest(InvalidRequest::from(reason))
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

    /// The same of a call that was sent before, or may have been: what one attempt may have done, no later one takes back.
    #[doc(hidden)] // for generated code
    #[must_use]
    pub fn in_doubt(mut self) -> Self {
        match &mut self {
            Self::InvalidRequest(error) => error.in_doubt = true,
            Self::MissingScope(error) => error.in_doubt = true,
            Self::Auth { outcome, .. } => *outcome = Outcome::Unknown,
            Self::Limited(limited) => limited.outcome = Outcome::Unknown,
            Self::Connection(error) => error.in_doubt = true,
            Self::ErrorResponse(reply) => reply.head.in_doubt = true,
            Self::InvalidReply(reply) => reply.in_doubt = true,
            // Its outcome is unknown anyway.
            Self::UnreadableItem(_) => {}
        }
        self
    }

    /// What may be concluded about the effect of the call, all its attempts together. Of a call that is sent again, in
    /// another process or after a restart (`prepare_again`), all that were made with the same key.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::InvalidRequest(InvalidRequest { in_doubt, .. })
            | Self::MissingScope(MissingScope { in_doubt, .. }) => match in_doubt {
                true => Outcome::Unknown,
                false => Outcome::NotSent,
            },
            Self::Auth { outcome, .. } => *outcome,
            Self::Limited(limited) => limited.outcome,
            Self::Connection(error) => error.outcome(),
            Self::ErrorResponse(reply) if reply.in_doubt() => Outcome::Unknown,
            Self::ErrorResponse(reply) => reply.head().concluded().outcome,
            // Whoever answers behind a redirect says nothing of the request that was redirected.
            Self::InvalidReply(reply) if reply.in_doubt || matches!(reply.problem, Problem::Redirect) => {
                Outcome::Unknown
            }
            Self::InvalidReply(reply) => reply.concluded.outcome,
            // The page was answered.
            Self::UnreadableItem(_) => Outcome::Unknown,
        }
    }

    /// What shows that it was the provider who refused the call, where [`outcome`](Self::outcome) is
    /// [`Outcome::Rejected`] because of a reply.
    ///
    /// ```
    /// use finrail::transport::{Outcome, Proof};
    ///
    /// fn may_pay_again(error: &finrail::Error) -> bool {
    ///     match error.outcome() {
    ///         Outcome::NotSent => true,
    ///         Outcome::Rejected => error.proof() == Some(Proof::Documented),
    ///         Outcome::Unknown => false,
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn proof(&self) -> Option<Proof> {
        if self.outcome() != Outcome::Rejected {
            return None;
        }
        match self {
            Self::ErrorResponse(reply) => reply.head().concluded().proof,
            Self::InvalidReply(reply) => reply.concluded.proof,
            Self::Connection(error) => error.proof(),
            _ => None,
        }
    }

    /// Whether the call may be made again, later, and may succeed then.
    ///
    /// Never where that could do twice what was to be done once: a call whose outcome is [unknown](Outcome::Unknown), and
    /// which is neither harmless to repeat nor carries an idempotency key. Look first what became of it. Repeat a call with a
    /// key with the same key: of a prepared call that is `prepare_again` with its intent, because `prepare` makes a new one.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.may_succeed_later() && (self.outcome() != Outcome::Unknown || self.is_repeatable())
    }

    /// Whether what stands in the way may pass: a failed connection, an overload, a token that cannot be had now.
    ///
    /// This does not say that repeating the call is harmless: ask [`is_retryable`](Self::is_retryable) for that.
    #[must_use]
    pub fn may_succeed_later(&self) -> bool {
        if let Some(error) = self.not_renewed() {
            return error.is_retryable();
        }
        match self {
            Self::InvalidRequest(_) | Self::MissingScope(_) | Self::UnreadableItem(_) => false,
            Self::Auth { error, .. } => error.is_retryable(),
            Self::Limited(_) => true,
            Self::Connection(error) => error.may_succeed_later(),
            Self::ErrorResponse(reply) => may_pass(reply.status()),
            Self::InvalidReply(reply) => may_pass(reply.status),
        }
    }

    /// Whether sending it twice is the same as sending it once.
    fn is_repeatable(&self) -> bool {
        match self {
            // Nothing else is in doubt here than an earlier attempt, and only what is repeatable has one.
            Self::InvalidRequest(_) | Self::MissingScope(_) | Self::Auth { .. } | Self::Limited(_) => true,
            Self::Connection(error) => error.is_repeatable(),
            Self::ErrorResponse(reply) => reply.head().repeatable,
            Self::InvalidReply(reply) => reply.repeatable,
            Self::UnreadableItem(_) => true,
        }
    }

    /// Whether the user has to authorize again, because no automatic way is left.
    #[must_use]
    pub fn reauthorization_required(&self) -> bool {
        let token = match self {
            Self::Auth { error, .. } => Some(error),
            _ => self.not_renewed(),
        };
        token.is_some_and(token::Error::reauthorization_required)
    }

    /// Why the token that the provider refused (401) could not be replaced by another one, where that was tried. It is
    /// the error's [`source`](std::error::Error::source) too.
    ///
    /// ```
    /// fn report(error: &finrail::Error) {
    ///     if let Some(reason) = error.not_renewed() {
    ///         eprintln!("{error}, and there is no new token: {reason}");
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn not_renewed(&self) -> Option<&token::Error> {
        match self {
            Self::ErrorResponse(reply) => reply.not_renewed(),
            Self::InvalidReply(reply) => reply.not_renewed.as_deref(),
            _ => None,
        }
    }

    /// What kind of error it is, in one word, for metrics and alerts; the `error.type` of spans. Of an error reply its status.
    #[must_use]
    pub fn kind(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::Auth { error, .. } => error.kind(),
            Self::MissingScope(_) => "missing_scope",
            Self::Limited(_) => "limited",
            Self::Connection(error) if error.timeout => "timeout",
            Self::Connection(_) => "connection",
            Self::ErrorResponse(reply) => return Cow::Owned(reply.status().as_u16().to_string()),
            Self::InvalidReply(_) => "invalid_reply",
            Self::UnreadableItem(_) => "unreadable_item",
        })
    }

    /// The status of the reply; always there when there was a reply.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::ErrorResponse(reply) => Some(reply.status()),
            Self::InvalidReply(reply) => Some(reply.status),
            Self::Connection(error) => error.status,
            Self::UnreadableItem(item) => Some(item.status),
            _ => None,
        }
    }

    /// The id of the request: the provider's, or else the one that was sent.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::ErrorResponse(reply) => reply.request_id(),
            Self::InvalidReply(reply) => reply.request_id.as_deref(),
            Self::UnreadableItem(item) => item.request_id.as_deref(),
            Self::Connection(error) => error.request_id.as_deref(),
            _ => None,
        }
    }

    /// How long the provider asks to wait (`Retry-After`), where it asks; it may do so in words that cannot be read.
    #[must_use]
    pub fn retry_after(&self) -> Option<RetryAfter> {
        let of_token = |error: &token::Error| error.retry_after().map(RetryAfter::After);
        let asked = match self {
            Self::Auth { error, .. } => of_token(error),
            Self::ErrorResponse(reply) => reply.head().answer.asked,
            Self::InvalidReply(reply) => reply.retry_after,
            Self::Connection(error) => error.retry_after,
            Self::Limited(limited) => limited.retry_after.map(RetryAfter::After),
            _ => None,
        };
        asked.or_else(|| of_token(self.not_renewed()?))
    }

    /// The provider's own code of what is wrong, where its error replies have a member for one and a word or a number stands
    /// in it. It is in the error's text too.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::ErrorResponse(reply) => reply.head().code(),
            Self::InvalidReply(reply) => reply.code.as_deref(),
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

    /// The body of a reply that the specification does not describe, as it came, and of any error reply where the call
    /// [keeps it](super::CallOptions::keep_body). It may hold personal data: do not log it.
    #[must_use]
    pub fn raw_body(&self) -> Option<&[u8]> {
        match self {
            Self::InvalidReply(reply) => reply.body.as_ref().map(RawBody::expose),
            Self::ErrorResponse(reply) => reply.raw_body(),
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
            Self::Limited(limited) => Error::Limited(limited),
            Self::Connection(error) => Error::Connection(error),
            Self::ErrorResponse(reply) => Error::error_response(reply.map(|_| ())),
            Self::InvalidReply(reply) => Error::InvalidReply(reply),
            Self::UnreadableItem(item) => Error::UnreadableItem(item),
        }
    }
}

impl<E> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidRequest(error) => write!(f, "{error}"),
            Self::Auth { error, outcome } => {
                write!(f, "{error}")?;
                if *outcome == Outcome::Unknown {
                    f.write_str("; an earlier attempt may have taken effect")?;
                }
                Ok(())
            }
            Self::MissingScope(error) => {
                let MissingScope { operation, scope, .. } = error;
                write!(
                    f,
                    "{operation}: the token was not granted scope `{scope}`; request it in the authorization"
                )?;
                in_doubt(f, error.in_doubt)
            }
            Self::Limited(limited) => {
                write!(f, "{limited}")?;
                in_doubt(f, limited.outcome == Outcome::Unknown)
            }
            Self::Connection(error) => write!(f, "{error}"),
            Self::ErrorResponse(reply) => {
                write!(
                    f,
                    "{}: the provider answered {}",
                    reply.operation(),
                    told(reply.status())
                )?;
                if let Some(code) = self.code() {
                    write!(f, " ({code})")?;
                }
                if let Some(id) = reply.request_id() {
                    write!(f, " (request id {id})")?;
                }
                if reply.not_renewed().is_some() {
                    f.write_str("; no other token could be had")?;
                }
                in_doubt(f, reply.in_doubt())
            }
            Self::InvalidReply(reply) => write!(f, "{reply}"),
            Self::UnreadableItem(item) => write!(f, "{item}"),
        }
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
            Self::Limited(limited) => f.debug_tuple("Limited").field(limited).finish(),
            Self::Connection(error) => f.debug_tuple("Connection").field(error).finish(),
            Self::ErrorResponse(reply) => f.debug_tuple("ErrorResponse").field(reply).finish(),
            Self::InvalidReply(reply) => f.debug_tuple("InvalidReply").field(reply).finish(),
            Self::UnreadableItem(item) => f.debug_tuple("UnreadableItem").field(item).finish(),
        }
    }
}

impl<E> std::error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Auth { error, .. } => std::error::Error::source(error),
            Self::Connection(error) => std::error::Error::source(error),
            Self::InvalidRequest(error) => std::error::Error::source(error),
            _ => self.not_renewed().map(|error| error as _),
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
        Self::InvalidRequest(InvalidRequest {
            reason: "the request could not be built".to_owned(),
            source: Some(Box::new(error.without_url())),
            in_doubt: false,
        })
    }
}

impl<E> From<http::header::InvalidHeaderValue> for Error<E> {
    fn from(error: http::header::InvalidHeaderValue) -> Self {
        Self::InvalidRequest(InvalidRequest {
            reason: "a header parameter has characters that a header cannot carry".to_owned(),
            source: Some(Box::new(error)),
            in_doubt: false,
        })
    }
}

/// A failure before the provider's error type is known.
#[doc(hidden)] // for generated code, which makes what users see of it
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
            Error::Limited(limited) => Self::Limited(limited),
            Error::Connection(error) => Self::Connection(error),
            Error::ErrorResponse(reply) => match **reply {},
            Error::InvalidReply(reply) => Self::InvalidReply(reply),
            Error::UnreadableItem(item) => Self::UnreadableItem(item),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::connection_error::ConnectionPoint;
    use super::super::invalid_reply::Problem;
    use super::super::limits::LimitKind;
    use super::super::machine::Answer;
    use super::super::operation::Operation;
    use super::super::outcome::Conclusion;
    use super::super::response::Head;
    use super::super::secrets::KnownSecrets;
    use super::*;

    static OPERATION: Operation = Operation {
        id: "pay",
        ..Operation::BASE
    };
    const SEVEN: Duration = Duration::from_secs(7);

    fn head(asked: Option<RetryAfter>, not_renewed: Option<token::Error>) -> Head {
        Head {
            provider: "",
            operation: &OPERATION,
            status: StatusCode::UNAUTHORIZED,
            headers: http::HeaderMap::new(),
            url: "https://bank.example/pay".parse().unwrap(),
            sent_id: None,
            answer: Answer {
                status: 401,
                proof: None,
                names_token: true,
                asked,
            },
            repeatable: false,
            in_doubt: false,
            asked_again: false,
            not_renewed: not_renewed.map(Box::new),
            keeps_body: false,
            is_blank: false,
            code: None,
            secrets: KnownSecrets::default(),
        }
    }

    /// An error reply, and one that the specification does not describe.
    fn replies(asked: Option<RetryAfter>, not_renewed: Option<token::Error>) -> [Error; 2] {
        let invalid = head(asked, not_renewed.clone()).invalid(Problem::Status, None);
        let reply = ResponseValue {
            inner: (),
            head: Box::new(head(asked, not_renewed)),
            unreadable: Vec::new(),
            raw: None,
        };
        [Error::error_response(reply), Error::invalid_reply(invalid)]
    }

    fn source(error: &Error) -> Option<String> {
        std::error::Error::source(error).map(ToString::to_string)
    }

    #[test]
    fn a_request_that_is_not_sent_says_why_and_what_is_behind_it() {
        let unfit = http::HeaderValue::from_bytes(b"\n").unwrap_err();
        let error: Error = unfit.into();
        assert!(source(&error).is_some());
        let Error::InvalidRequest(refused) = error else {
            panic!("{error}")
        };
        let why = "a header parameter has characters that a header cannot carry";
        assert_eq!(refused.reason(), why);
        assert_eq!(refused.to_string(), format!("the call was not sent: {why}"));
        assert!(std::error::Error::source(&InvalidRequest::from(String::new())).is_none());
    }

    #[test]
    fn a_token_that_could_not_be_replaced_is_told_with_the_reply_and_is_its_source() {
        let reason = || token::Error::NoGrant { key: "mx".to_owned() };
        for error in replies(None, Some(reason())) {
            assert!(
                matches!(error.not_renewed(), Some(token::Error::NoGrant { .. })),
                "{error}"
            );
            assert_eq!(source(&error), Some(reason().to_string()));
            assert!(error.reauthorization_required());
        }
        for error in replies(None, None) {
            assert!(error.not_renewed().is_none() && source(&error).is_none());
        }
    }

    #[test]
    fn what_is_asked_for_is_told_and_else_what_a_new_token_waits_for() {
        let waits = || token::Error::from_source("busy").with_retry_after(SEVEN);
        let asked = RetryAfter::Unreadable;
        for error in replies(Some(asked), Some(waits())) {
            assert_eq!(error.retry_after(), Some(asked), "{error}");
        }
        for error in replies(None, Some(waits())) {
            assert_eq!(error.retry_after(), Some(RetryAfter::After(SEVEN)), "{error}");
        }
        for outcome in [Outcome::NotSent, Outcome::Unknown] {
            let error: Error = Error::Auth {
                error: waits(),
                outcome,
            };
            assert_eq!(error.retry_after(), Some(RetryAfter::After(SEVEN)));
            assert_eq!(source(&error).as_deref(), Some("busy"));
            let in_doubt = error
                .to_string()
                .ends_with("; an earlier attempt may have taken effect");
            assert_eq!(in_doubt, outcome == Outcome::Unknown);
            let limited: Error = Error::Limited(Limited {
                operation: "pay",
                limit: LimitKind::Rate,
                retry_after: None,
                outcome,
            });
            let in_doubt = limited
                .to_string()
                .ends_with("; an earlier attempt may have taken effect");
            assert_eq!(in_doubt, outcome == Outcome::Unknown);
        }
    }

    #[test]
    fn what_a_call_before_may_have_done_no_error_takes_back() {
        let [reply, invalid] = replies(None, None);
        assert_eq!(
            (reply.outcome(), invalid.outcome()),
            (Outcome::Rejected, Outcome::Rejected)
        );
        let redirected: Error = Error::invalid_reply(head(None, None).invalid(Problem::Redirect, None));
        assert_eq!(redirected.outcome(), Outcome::Unknown);
        let missing = MissingScope {
            operation: "pay",
            scope: "payments",
            in_doubt: false,
        };
        let limited = Limited {
            operation: "pay",
            limit: LimitKind::Rate,
            retry_after: None,
            outcome: Outcome::NotSent,
        };
        let no_token = Error::Auth {
            error: token::Error::from_source("busy"),
            outcome: Outcome::NotSent,
        };
        for error in [
            Error::invalid_request("no".to_owned()),
            Error::MissingScope(missing),
            Error::Limited(limited),
            no_token,
            Error::Connection(ConnectionError::out_of_time("pay", ConnectionPoint::Connect)),
            reply,
            invalid,
        ] {
            assert_ne!(error.outcome(), Outcome::Unknown, "{error}");
            assert!(!error.to_string().contains("may have taken effect"), "{error}");
            let error = error.in_doubt();
            assert_eq!((error.outcome(), error.proof()), (Outcome::Unknown, None), "{error}");
            assert!(error.to_string().contains("may have taken effect"), "{error}");
        }
    }

    #[test]
    fn the_providers_code_is_told_of_what_no_specification_describes_too() {
        let with_code = || Head {
            code: Some("limit".into()),
            ..head(None, None)
        };
        let invalid: Error = Error::invalid_reply(with_code().invalid(Problem::Status, None));
        assert_eq!(invalid.code(), Some("limit"));
        let [_, without] = replies(None, None);
        assert_eq!(without.code(), None);
    }

    #[test]
    fn a_connection_that_failed_is_told_from_time_that_was_up_and_keeps_what_the_reply_said() {
        let late = ConnectionError::out_of_time("pay", ConnectionPoint::Sent);
        assert_eq!(Error::<()>::Connection(late).kind(), "timeout");
        let refused = http::Response::builder().status(500).body("").unwrap();
        let broken = reqwest::Response::from(refused).error_for_status().unwrap_err();
        let concluded = Conclusion {
            outcome: Outcome::Rejected,
            proof: Some(Proof::Documented),
        };
        let broken = ConnectionError::new("pay", broken, true)
            .in_reply(StatusCode::FORBIDDEN, None)
            .concluding(concluded, None, false);
        let error: Error = Error::Connection(broken);
        assert_eq!((&*error.kind(), error.proof()), ("connection", Some(Proof::Documented)));
        assert!(source(&error).is_some());
    }

    #[test]
    fn an_item_has_the_id_of_its_reply() {
        let item = UnreadableItem {
            operation: "list",
            status: StatusCode::OK,
            request_id: Some("r-1".to_owned()),
            position: 0,
            path: String::new(),
            reason: String::new(),
            raw: RawBody(bytes::Bytes::new()),
        };
        let error: Error = Error::UnreadableItem(Box::new(item));
        assert_eq!(
            (error.request_id(), error.status()),
            (Some("r-1"), Some(StatusCode::OK))
        );
    }
}
