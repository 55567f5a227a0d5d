//! What a call tells of itself: a span for it, one for each attempt, and a warning where its outcome is unknown.
//!
//! The names are those of OpenTelemetry's conventions for HTTP clients, as `tracing-opentelemetry` hands them on. No address,
//! no query and no id of a resource is in them: of the path its template.

use std::borrow::Cow;
use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;
use tracing::Span;
use tracing::field::{Empty, display};
use url::Url;

use super::connection_error::ConnectionError;
use super::credentials::Credential;
use super::error::Error;
use super::operation::{Effect, Operation};
use super::outcome::Outcome;
use super::response::Response;
use crate::http::meter;

type Untyped = Error<std::convert::Infallible>;

/// The span of a call, over all its attempts.
pub(super) fn call(
    provider: &'static str,
    operation: &'static Operation,
    request: &reqwest::Request,
    credential: &Credential,
) -> Span {
    let span = tracing::info_span!(
        "finrail.call",
        otel.name = operation.id,
        otel.kind = "internal",
        otel.status_code = Empty,
        "finrail.provider" = provider,
        "finrail.operation" = operation.id,
        "finrail.connection" = Empty,
        "finrail.attempts" = Empty,
        "finrail.outcome" = Empty,
        "finrail.request_id" = Empty,
        "finrail.duration_ms" = Empty,
        http.request.method = %request.method(),
        http.response.status_code = Empty,
        url.template = operation.path,
        error.type = Empty,
    );
    if !span.is_disabled()
        && let Some(connection) = credential.connection()
    {
        span.record("finrail.connection", connection.as_str());
    }
    span
}

/// The span of an attempt, the first of which is number 0.
pub(super) fn attempt(operation: &'static Operation, method: &http::Method, url: &Url, number: u32) -> Span {
    let span = tracing::info_span!(
        "finrail.attempt",
        otel.name = %method,
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = %method,
        http.request.resend_count = Empty,
        http.response.status_code = Empty,
        url.template = operation.path,
        url.scheme = url.scheme(),
        server.address = url.host_str(),
        server.port = url.port_or_known_default(),
        error.type = Empty,
    );
    if number > 0 {
        span.record("http.request.resend_count", number);
    }
    span
}

/// Writes down what became of an attempt.
pub(super) fn attempted(
    provider: &'static str,
    operation: &'static Operation,
    span: &Span,
    sent: &Result<Response, ConnectionError>,
) {
    let status = sent.as_ref().ok().map(|response| response.status().as_u16());
    meter::attempt(provider, operation.id, status);
    if span.is_disabled() {
        return;
    }
    match sent {
        Ok(response) => {
            let status = response.status().as_u16();
            span.record("http.response.status_code", status);
            if status >= 400 {
                span.record("error.type", display(status));
                span.record("otel.status_code", "ERROR");
            }
        }
        Err(error) => {
            span.record("error.type", connection_type(error));
            span.record("otel.status_code", "ERROR");
        }
    }
}

/// What is to be told of a call that has its reply, or will have none: when it is dropped, which is when the reply was
/// read, because what cannot be read is no success.
pub(crate) struct Ending {
    span: Span,
    provider: &'static str,
    operation: &'static Operation,
    attempts: u32,
    started: Instant,
    /// None: a success.
    outcome: Option<Outcome>,
    kind: Cow<'static, str>,
    status: Option<StatusCode>,
    /// Where somebody is told of it.
    request_id: Option<String>,
}

impl Ending {
    /// Of a call in the span that is entered.
    pub(super) fn new(
        provider: &'static str,
        operation: &'static Operation,
        result: &Result<Response, Untyped>,
        attempts: u32,
        started: Instant,
    ) -> Self {
        let mut ending = Self {
            span: Span::current(),
            provider,
            operation,
            attempts,
            started,
            outcome: None,
            kind: Cow::Borrowed("none"),
            status: None,
            request_id: None,
        };
        match result {
            Ok(response) => {
                let status = response.status();
                ending.status = Some(status);
                if !status.is_success() {
                    ending.outcome = Some(outcome_of(response));
                    ending.kind = Cow::Owned(status.as_u16().to_string());
                }
                // Looked for only where it is told: it may stand in one of several headers.
                if !ending.span.is_disabled() || ending.warns() {
                    ending.request_id = response.head.request_id().map(str::to_owned);
                }
            }
            Err(error) => ending.failed(error),
        }
        ending
    }

    /// The reply cannot be read, or there is none.
    pub(super) fn failed<E>(&mut self, error: &Error<E>) {
        // Of a refusal it was told already, whatever its body is.
        if self.outcome.is_some() {
            return;
        }
        self.outcome = Some(error.outcome());
        self.kind = error.kind();
        self.status = error.status().or(self.status);
        if let Some(id) = error.request_id() {
            self.request_id = Some(id.to_owned());
        }
    }

    /// Whether the call may have changed something, and its caller is told of an error.
    fn warns(&self) -> bool {
        self.outcome == Some(Outcome::Unknown) && self.operation.effect != Effect::Safe
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let Self { span, outcome, .. } = &*self;
        let took = self.started.elapsed();
        meter::call(
            self.provider,
            self.operation.id,
            outcome.map_or("ok", Outcome::as_str),
            &self.kind,
            took,
        );
        if !span.is_disabled() {
            span.record("finrail.attempts", self.attempts);
            span.record(
                "finrail.duration_ms",
                u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            );
            if let Some(id) = &self.request_id {
                span.record("finrail.request_id", id.as_str());
            }
            if let Some(status) = self.status {
                span.record("http.response.status_code", status.as_u16());
            }
            if let Some(outcome) = outcome {
                span.record("finrail.outcome", outcome.as_str());
                span.record("otel.status_code", "ERROR");
                span.record("error.type", &*self.kind);
            }
        }
        let _entered = span.enter();
        match outcome {
            _ if self.warns() => of_unknown_outcome(self.operation, self.request_id.as_deref()),
            Some(outcome) => tracing::debug!(outcome = outcome.as_str(), "the call failed"),
            None => tracing::debug!("the call ended"),
        }
    }
}

/// Writes down that a call's caller gave it up (dropped its future), and warns where it may have left.
pub(super) fn given_up(provider: &'static str, operation: &'static Operation, attempts: u32, took: Duration) {
    let outcome = match attempts {
        0 => Outcome::NotSent,
        _ => Outcome::Unknown,
    };
    meter::call(provider, operation.id, outcome.as_str(), "cancelled", took);
    let span = Span::current();
    if !span.is_disabled() {
        span.record("finrail.attempts", attempts);
        span.record(
            "finrail.duration_ms",
            u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        );
        span.record("finrail.outcome", outcome.as_str());
        span.record("otel.status_code", "ERROR");
        span.record("error.type", "cancelled");
    }
    if attempts > 0 && operation.effect != Effect::Safe {
        of_unknown_outcome(operation, None);
    } else {
        tracing::debug!(outcome = outcome.as_str(), "the call was given up");
    }
}

/// A call that changes something may have done so, and its caller was told of an error.
fn of_unknown_outcome(operation: &'static Operation, request_id: Option<&str>) {
    if operation.effect == Effect::Idempotent {
        tracing::warn!(
            operation = operation.id,
            request_id,
            "the outcome of a call is unknown: it can be made again, twice is the same as once"
        );
    } else {
        tracing::warn!(
            operation = operation.id,
            request_id,
            "the outcome of a call is unknown: look up what became of it before it is made again"
        );
    }
}

fn outcome_of(response: &Response) -> Outcome {
    match response.head.in_doubt {
        true => Outcome::Unknown,
        false => response.head.concluded().outcome,
    }
}

pub(super) fn connection_type(error: &ConnectionError) -> &'static str {
    match error.timeout {
        true => "timeout",
        false => "connection",
    }
}
