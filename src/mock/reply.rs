//! Replies and errors made by hand, which say of themselves what real ones say.

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use url::Url;

use super::wrong;
use crate::app::Provider;
use crate::token;
use crate::transport::{ConnectionPoint, Effect, Error, Exchange, Operation, Outcome, Problem, ResponseValue};

/// A call of the operation with this id, for what calling it may come to.
///
/// # Panics
///
/// When the provider has no such operation.
///
/// ```
/// # #[cfg(feature = "mx")] {
/// use finrail::{mock, mx};
///
/// let page: finrail::transport::ResponseValue<_> = mock::call::<mx::Provider>("list_accounts").reply("a value").build();
/// assert_eq!((page.operation(), page.status().as_u16()), ("list_accounts", 200));
/// # }
/// ```
#[must_use]
#[track_caller]
pub fn call<P: Provider>(operation: &str) -> Call {
    let known = P::operations();
    let Some(found) = known.iter().find(|known| known.id == operation) else {
        let provider = P::profile().provider;
        let known: Vec<&str> = known.iter().map(|known| known.id).collect();
        wrong(&format!(
            "{provider} has no operation `{operation}`; it has {}",
            known.join(", ")
        ))
    };
    Call {
        provider: P::profile().provider,
        operation: found,
        has_key: false,
        in_doubt: false,
    }
}

/// A call that nobody made. See [`call`].
///
/// ```
/// # #[cfg(feature = "ofx")] {
/// use finrail::transport::{Outcome, Proof};
/// use finrail::{mock, ofx};
///
/// let deal = mock::call::<ofx::Provider>("create_deal");
/// let body = ofx::types::ErrorReply::default();
/// let refused = deal.error_reply(400, body.clone());
/// assert_eq!((refused.outcome(), refused.proof()), (Outcome::Rejected, Some(Proof::Assumed)));
/// // A gateway may answer so after OFX booked the deal.
/// assert_eq!(deal.error_reply(429, body.clone()).outcome(), Outcome::Unknown);
/// let busy = deal.reply(body).status(429).header("retry-after", "3").into_error();
/// assert!(busy.retry_after().is_some());
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Call {
    provider: &'static str,
    operation: &'static Operation,
    has_key: bool,
    in_doubt: bool,
}

impl Call {
    /// The same call with an idempotency key: twice is the same as once.
    ///
    /// # Panics
    ///
    /// When the provider has no header for one.
    #[must_use]
    #[track_caller]
    pub fn with_key(self) -> Self {
        if self.operation.idempotency_header.is_none() {
            wrong(&format!("{} takes no idempotency key", self.operation.id));
        }
        Self { has_key: true, ..self }
    }

    /// The same call after an attempt that may have taken effect.
    ///
    /// That is a call which is made again: one that is the same twice as once, by its operation or [with a key](Self::with_key).
    /// What is made of any other call in doubt panics, because no real call comes to it. Nor is one in doubt that only reads.
    #[must_use]
    pub fn in_doubt(self) -> Self {
        Self { in_doubt: true, ..self }
    }

    /// A reply with this value and the status 200, to be given another status and headers.
    #[must_use]
    pub fn reply<T>(self, value: T) -> Reply<T> {
        Reply {
            call: self,
            value,
            status: StatusCode::OK,
            headers: HeaderMap::new(),
        }
    }

    /// A reply with the provider's own error in it. What its body proves is worked out as that of a real one; for headers of
    /// it take [`reply`](Self::reply) and [`Reply::into_error`]. Of a body that is larger than a real call reads (64 KiB)
    /// comes what a real call makes of it: [`Problem::TooLarge`].
    ///
    /// # Panics
    ///
    /// When the status is no error's, the body cannot be written as JSON, or no real call is so [in doubt](Self::in_doubt).
    #[must_use]
    #[track_caller]
    pub fn error_reply<E: Serialize>(self, status: u16, body: E) -> Error<E> {
        self.reply(body).status(status).into_error()
    }

    /// A connection that failed at this point, or, with `timeout`, time that was up.
    ///
    /// # Panics
    ///
    /// When no real call is so [in doubt](Self::in_doubt).
    #[must_use]
    #[track_caller]
    pub fn connection_error<E>(self, point: ConnectionPoint, timeout: bool) -> Error<E> {
        self.exchange().broken(point, timeout)
    }

    /// No token, for this reason. Where an attempt [may have taken effect](Self::in_doubt) that stays so; else nothing was
    /// sent.
    ///
    /// # Panics
    ///
    /// When no real call is so [in doubt](Self::in_doubt).
    #[must_use]
    #[track_caller]
    pub fn auth_error<E>(self, error: token::Error) -> Error<E> {
        let outcome = match self.exchange().in_doubt {
            true => Outcome::Unknown,
            false => Outcome::NotSent,
        };
        Error::Auth { error, outcome }
    }

    /// A reply that the specification does not describe, with its body as it came. A real call keeps none of a body that is
    /// too large.
    ///
    /// # Panics
    ///
    /// When there is no such status, or no real call is so [in doubt](Self::in_doubt).
    ///
    /// ```
    /// # #[cfg(feature = "mx")] {
    /// use finrail::transport::{Outcome, Problem};
    /// use finrail::{Error, mock, mx};
    ///
    /// let problem = Problem::NotJson { media_type: "text/html".to_owned() };
    /// let page: Error = mock::call::<mx::Provider>("list_accounts").invalid_reply(200, problem, "<html>");
    /// assert_eq!(page.outcome(), Outcome::Unknown);
    /// assert_eq!(page.raw_body(), Some("<html>".as_bytes()));
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn invalid_reply<E>(self, status: u16, problem: Problem, body: impl Into<Bytes>) -> Error<E> {
        self.exchange().invalid(status_of(status), problem, body.into())
    }

    #[track_caller]
    fn exchange(self) -> Exchange {
        let address = format!("http://localhost{}", self.operation.path);
        let Ok(url) = Url::parse(&address) else {
            wrong(&format!("{address} is no URL"))
        };
        let exchange = Exchange {
            provider: self.provider,
            operation: self.operation,
            url,
            has_key: self.has_key,
            in_doubt: self.in_doubt,
        };
        let id = self.operation.id;
        if self.in_doubt && self.operation.effect == Effect::Safe {
            wrong(&format!(
                "{id} changes nothing, so no attempt of it leaves anything in doubt"
            ));
        }
        if self.in_doubt && !exchange.is_repeatable() {
            wrong(&format!(
                "no real call of {id} is made again without a key, so it is not in doubt because of an earlier attempt; a \
                 single one whose outcome is unknown is `connection_error(ConnectionPoint::Sent, ..)`"
            ));
        }
        exchange
    }
}

/// A reply that is made. See [`Call::reply`].
pub struct Reply<T> {
    call: Call,
    value: T,
    status: StatusCode,
    headers: HeaderMap,
}

impl<T> Reply<T> {
    /// With this status.
    ///
    /// # Panics
    ///
    /// When there is no such status.
    #[must_use]
    #[track_caller]
    pub fn status(self, status: u16) -> Self {
        Self {
            status: status_of(status),
            ..self
        }
    }

    /// With this header. `Retry-After` and the challenge of a 401 are read as those of a real reply.
    ///
    /// # Panics
    ///
    /// When it is no name of a header, or no header carries the value.
    #[must_use]
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let (Ok(header), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) else {
            wrong(&format!("`{name}` is no header, or its value is none"))
        };
        self.headers.append(header, value);
        self
    }

    /// The reply, as a call that succeeds answers with it.
    ///
    /// # Panics
    ///
    /// When the status is no success (2xx), or no real call is so [in doubt](Call::in_doubt).
    #[must_use]
    #[track_caller]
    pub fn build(self) -> ResponseValue<T> {
        if !self.status.is_success() {
            wrong(&format!(
                "{} is no success (2xx), and what a call answers with is one; for an error take `into_error`",
                self.status.as_u16()
            ));
        }
        let head = self.call.exchange().head(self.status, self.headers, None);
        ResponseValue::made(self.value, head)
    }

    /// The reply as an error: the value is the provider's error body.
    ///
    /// # Panics
    ///
    /// When the status is no error's (4xx or 5xx), the body cannot be written as JSON, or no real call is so
    /// [in doubt](Call::in_doubt).
    #[must_use]
    #[track_caller]
    pub fn into_error(self) -> Error<T>
    where
        T: Serialize,
    {
        let status = self.status;
        if !(status.is_client_error() || status.is_server_error()) {
            wrong(&format!("{} is no error; give the reply a `status`", status.as_u16()));
        }
        let Ok(body) = serde_json::to_vec(&self.value) else {
            wrong("the error body cannot be written as JSON")
        };
        self.call.exchange().refused(status, self.headers, &body, self.value)
    }
}

impl<T> std::fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply")
            .field("operation", &self.call.operation.id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

#[track_caller]
fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or_else(|_| wrong(&format!("there is no status {status}")))
}
