//! What is counted and measured, for the recorder that an application installs with the `metrics` crate. Without the feature
//! `metrics` nothing of it is there.
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `finrail_calls_total` | counter | `provider`, `operation`, `outcome`: `ok`, `not_sent`, `rejected`, `unknown`; `error_type`: `Error::kind`, `none` |
//! | `finrail_call_duration_seconds` | histogram | `provider`, `operation` |
//! | `finrail_attempts_total` | counter | `provider`, `operation`, `status`: of the reply, `none` |
//! | `finrail_token_requests_total` | counter | `provider`, `grant`, `verdict`: `ok`, or what it means for the grant |
//! | `finrail_token_request_duration_seconds` | histogram | `provider`, `grant` |
//! | `finrail_connections` | gauge | `provider`, `state`: `live`, `ended`, `empty` |
//!
//! No label tells of a person, a grant or an amount, and all have few values.

use std::time::Duration;

/// A call that ended.
#[cfg_attr(not(feature = "metrics"), allow(unused_variables), inline)]
pub(crate) fn call(
    provider: &'static str,
    operation: &'static str,
    outcome: &'static str,
    error_type: &str,
    took: Duration,
) {
    #[cfg(feature = "metrics")]
    {
        metrics::counter!(
            "finrail_calls_total", "provider" => provider, "operation" => operation, "outcome" => outcome,
            "error_type" => error_type.to_owned()
        )
        .increment(1);
        metrics::histogram!("finrail_call_duration_seconds", "provider" => provider, "operation" => operation)
            .record(took.as_secs_f64());
    }
}

/// An attempt that ended, with the status of its reply where it had one.
#[cfg_attr(not(feature = "metrics"), allow(unused_variables), inline)]
pub(crate) fn attempt(provider: &'static str, operation: &'static str, status: Option<u16>) {
    #[cfg(feature = "metrics")]
    {
        let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        metrics::counter!(
            "finrail_attempts_total", "provider" => provider, "operation" => operation, "status" => status
        )
        .increment(1);
    }
}

/// A token request that ended.
#[cfg_attr(not(feature = "metrics"), allow(unused_variables), inline)]
pub(crate) fn token_request(provider: &str, grant: &'static str, verdict: &'static str, took: Duration) {
    #[cfg(feature = "metrics")]
    {
        let provider = provider.to_owned();
        metrics::counter!(
            "finrail_token_requests_total", "provider" => provider.clone(), "grant" => grant, "verdict" => verdict
        )
        .increment(1);
        metrics::histogram!("finrail_token_request_duration_seconds", "provider" => provider, "grant" => grant)
            .record(took.as_secs_f64());
    }
}

/// What a grant that this process holds is: it is counted under one state at a time, until it is dropped.
#[derive(Default)]
pub(crate) struct Counted {
    #[cfg(feature = "metrics")]
    now: std::sync::Mutex<Option<(String, &'static str)>>,
}

impl Counted {
    #[cfg_attr(not(feature = "metrics"), allow(unused_variables, clippy::unused_self), inline)]
    pub fn is(&self, provider: &str, state: &'static str) {
        #[cfg(feature = "metrics")]
        {
            let mut now = self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match &*now {
                Some((_, before)) if *before == state => return,
                Some((provider, before)) => Self::change(provider, before, -1.0),
                None => {}
            }
            Self::change(provider, state, 1.0);
            *now = Some((provider.to_owned(), state));
        }
    }

    #[cfg(feature = "metrics")]
    fn change(provider: &str, state: &'static str, by: f64) {
        metrics::gauge!("finrail_connections", "provider" => provider.to_owned(), "state" => state).increment(by);
    }
}

#[cfg(feature = "metrics")]
impl Drop for Counted {
    fn drop(&mut self) {
        let now = self.now.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((provider, state)) = now.take() {
            Self::change(&provider, state, -1.0);
        }
    }
}
