//! How a call ended: told when its reply was read.

use std::borrow::Cow;

use http::StatusCode;
use tokio::time::Instant;
use tracing::Span;

use super::operation::{Effect, Operation};
use super::outcome::Outcome;
use crate::http::meter;

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
    /// Of a call in the span that is entered, of which nothing is known yet.
    pub(super) fn new(provider: &'static str, operation: &'static Operation, attempts: u32, started: Instant) -> Self {
        Self {
            span: Span::current(),
            provider,
            operation,
            attempts,
            started,
            outcome: None,
            kind: Cow::Borrowed("none"),
            status: None,
            request_id: None,
        }
    }

    /// A reply came. The outcome is none of a success.
    pub(super) fn answered<'r>(
        &mut self,
        status: StatusCode,
        outcome: Option<Outcome>,
        request_id: impl FnOnce() -> Option<&'r str>,
    ) {
        (self.status, self.outcome) = (Some(status), outcome);
        if outcome.is_some() {
            self.kind = Cow::Owned(status.as_u16().to_string());
        }
        // Looked for only where it is told: it may stand in one of several headers.
        if !self.span.is_disabled() || self.warns() {
            self.request_id = request_id().map(str::to_owned);
        }
    }

    /// The reply cannot be read, or there is none.
    pub(super) fn failed(
        &mut self,
        outcome: Outcome,
        kind: Cow<'static, str>,
        status: Option<StatusCode>,
        request_id: Option<&str>,
    ) {
        // Of a refusal it was told already, whatever its body is.
        if self.outcome.is_some() {
            return;
        }
        (self.outcome, self.kind) = (Some(outcome), kind);
        self.status = status.or(self.status);
        if let Some(id) = request_id {
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

/// A call that changes something may have done so, and its caller was told of an error.
pub(super) fn of_unknown_outcome(operation: &'static Operation, request_id: Option<&str>) {
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
