//! Replies and failures of calls that nobody made, for tests: with the rules of those that were.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use url::Url;

use super::connection_error::{ConnectionError, ConnectionPoint};
use super::error::Error;
use super::invalid_reply::Problem;
use super::machine::Situation;
use super::operation::Operation;
use super::response::{Head, MAX_BODY, MAX_ERROR_BODY, ResponseValue};

/// A call that nobody made.
pub(crate) struct Exchange {
    pub provider: &'static str,
    pub operation: &'static Operation,
    pub url: Url,
    /// It carries a key of the caller's intent.
    pub has_key: bool,
    /// An earlier attempt of it may have taken effect.
    pub in_doubt: bool,
}

impl Exchange {
    /// Sending it twice is the same as sending it once.
    pub(crate) fn is_repeatable(&self) -> bool {
        Situation::is_repeatable_call(self.operation.effect, self.has_key)
    }

    /// What is known of a reply; `error` is its body, where it is an error's and was read.
    pub(crate) fn head(self, status: StatusCode, headers: HeaderMap, error: Option<&[u8]>) -> Head {
        let repeatable = self.is_repeatable();
        let mut head = Head::made(self.provider, self.operation, self.url, status, headers, repeatable);
        head.in_doubt = self.in_doubt;
        head.prove(error.unwrap_or_default());
        head
    }

    pub(crate) fn invalid<E>(self, status: StatusCode, problem: Problem, body: Bytes) -> Error<E> {
        if matches!(problem, Problem::TooLarge(_)) || body.len() > limit(status) {
            return self.too_large(status, HeaderMap::new());
        }
        let head = self.head(status, HeaderMap::new(), Some(&body));
        Error::invalid_reply(head.invalid(problem, Some(body)))
    }

    /// A reply whose body is more than is read of one with this status: nobody knows what it says.
    pub(crate) fn too_large<E>(self, status: StatusCode, headers: HeaderMap) -> Error<E> {
        let problem = Problem::TooLarge(limit(status));
        Error::invalid_reply(self.head(status, headers, None).invalid(problem, None))
    }

    /// A reply with an error, whose body this is in bytes.
    pub(crate) fn refused<E>(self, status: StatusCode, headers: HeaderMap, body: &[u8], value: E) -> Error<E> {
        if body.len() > limit(status) {
            return self.too_large(status, headers);
        }
        let head = self.head(status, headers, Some(body));
        Error::error_response(ResponseValue::made(value, head))
    }

    pub(crate) fn broken<E>(self, point: ConnectionPoint, timeout: bool) -> Error<E> {
        let repeatable = self.is_repeatable();
        let in_doubt = self.in_doubt;
        let error = ConnectionError::out_of_time(self.operation.id, point);
        let mut error = match point {
            ConnectionPoint::Reply => self.head(StatusCode::OK, HeaderMap::new(), None).broken(error),
            _ => error.at(&self.url).of_request(None, repeatable),
        };
        error.timeout = timeout;
        error.in_doubt = in_doubt;
        Error::Connection(error)
    }
}

/// The largest body that is read of a reply with this status.
fn limit(status: StatusCode) -> usize {
    match status.is_success() {
        true => MAX_BODY,
        false => MAX_ERROR_BODY,
    }
}

impl<T> ResponseValue<T> {
    /// A reply that nobody sent.
    pub(crate) fn made(inner: T, head: Head) -> Self {
        Self {
            inner,
            head: Box::new(head),
            unreadable: Vec::new(),
            raw: None,
        }
    }
}
