//! What a call tells of itself: a span for it, one for each attempt, and a warning where its outcome is unknown.
//!
//! The names are those of OpenTelemetry's conventions for HTTP clients, as `tracing-opentelemetry` hands them on. No address,
//! no query and no id of a resource is in them: of the path its template.

use std::time::Duration;

use tokio::time::Instant;
use tracing::Span;
use tracing::field::{Empty, display};
use url::Url;

use super::connection_error::ConnectionError;
use super::credentials::Credential;
use super::ending::{Ending, of_unknown_outcome};
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

/// What is to be told of a call in the span that is entered.
pub(super) fn ending(
    provider: &'static str,
    operation: &'static Operation,
    result: &Result<Response, Untyped>,
    attempts: u32,
    started: Instant,
) -> Ending {
    let mut ending = Ending::new(provider, operation, attempts, started);
    match result {
        Ok(response) => {
            let status = response.status();
            let outcome = (!status.is_success()).then(|| outcome_of(response));
            ending.answered(status, outcome, || response.head.request_id());
        }
        Err(error) => failed(&mut ending, error),
    }
    ending
}

/// The reply cannot be read, or there is none.
pub(super) fn failed<E>(ending: &mut Ending, error: &Error<E>) {
    ending.failed(error.outcome(), error.kind(), error.status(), error.request_id());
}

/// Writes down that a call's caller gave it up (dropped its future), and warns where it may have left, or may have before it was
/// made again (`in_doubt`).
pub(super) fn given_up(
    provider: &'static str,
    operation: &'static Operation,
    attempts: u32,
    in_doubt: bool,
    took: Duration,
) {
    let outcome = of_given_up(attempts, in_doubt);
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
    if outcome == Outcome::Unknown && operation.effect != Effect::Safe {
        of_unknown_outcome(operation, None);
    } else {
        tracing::debug!(outcome = outcome.as_str(), "the call was given up");
    }
}

/// The outcome of a call that was given up after so many attempts.
fn of_given_up(attempts: u32, in_doubt: bool) -> Outcome {
    match (attempts, in_doubt) {
        (0, false) => Outcome::NotSent,
        _ => Outcome::Unknown,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_is_made_again_and_given_up_before_it_is_sent_stays_in_doubt() {
        for (attempts, in_doubt, outcome) in [
            (0, false, Outcome::NotSent),
            (0, true, Outcome::Unknown),
            (1, false, Outcome::Unknown),
            (2, true, Outcome::Unknown),
        ] {
            assert_eq!(of_given_up(attempts, in_doubt), outcome, "{attempts} {in_doubt}");
        }
    }
}
