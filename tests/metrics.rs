//! What is counted and measured for the recorder of an application, and what happens to all its grants.
//!
//! A test binary of its own, with one test: a process has one recorder.
#![cfg(feature = "metrics")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;
#[macro_use]
mod connected;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use connected::*;
use finrail::mx;
use finrail::token::Event;
use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, SharedString, Unit};
use recorder::{Answer, Recorder};

/// By name and labels; of a histogram how many values it has.
type Values = Arc<Mutex<BTreeMap<String, i64>>>;

struct Book(Values);

struct Line(Values, String);

impl Line {
    fn add(&self, by: i64) {
        *self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(self.1.clone())
            .or_default() += by;
    }
}

impl CounterFn for Line {
    fn increment(&self, value: u64) {
        self.add(i64::try_from(value).unwrap());
    }

    fn absolute(&self, _: u64) {
        panic!("nothing is counted elsewhere");
    }
}

#[allow(clippy::cast_possible_truncation)]
impl GaugeFn for Line {
    fn increment(&self, value: f64) {
        self.add(value as i64);
    }

    fn decrement(&self, value: f64) {
        self.add(-(value as i64));
    }

    fn set(&self, _: f64) {
        panic!("several connections have one gauge");
    }
}

impl HistogramFn for Line {
    fn record(&self, value: f64) {
        assert!((0.0..60.0).contains(&value), "seconds");
        self.add(1);
    }
}

impl Book {
    fn line(&self, key: &Key) -> Arc<Line> {
        let labels: Vec<String> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        Arc::new(Line(
            Arc::clone(&self.0),
            format!("{}{{{}}}", key.name(), labels.join(",")),
        ))
    }
}

impl metrics::Recorder for Book {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.line(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.line(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.line(key))
    }
}

#[tokio::test]
async fn calls_attempts_token_requests_and_connections_are_counted_and_their_events_told() {
    let values = Values::default();
    metrics::set_global_recorder(Book(Arc::clone(&values)))
        .map_err(|_| "one recorder")
        .unwrap();
    let recorder = Recorder::with_tokens(
        |_, before| match before {
            0 => Answer::json(recorder::token(1)),
            _ => Answer::status(400, r#"{"error":"invalid_grant"}"#),
        },
        |_, before| match before {
            0 => Answer::json(r#"{"accounts":[]}"#),
            1 => Answer::html(200, "<html>"),
            _ => Answer::invalid_token(),
        },
    )
    .await;
    let app = builder::<mx::Provider>(&recorder).build().unwrap();
    let mut events = app.watch();
    let user = connect!(mx, app.clone(), ["accounts"]);
    user.client().list_accounts().send().await.unwrap();
    let line = |name: &str| values.lock().unwrap().get(name).copied();
    assert_eq!(line("finrail_connections{provider=mx,state=live}"), Some(1));
    user.client().list_accounts().send().await.unwrap_err();
    user.client().list_accounts().send().await.unwrap_err();
    for (name, expected) in [
        (
            "finrail_calls_total{provider=mx,operation=list_accounts,outcome=ok,error_type=none}",
            1,
        ),
        (
            "finrail_calls_total{provider=mx,operation=list_accounts,outcome=unknown,error_type=invalid_reply}",
            1,
        ),
        (
            "finrail_calls_total{provider=mx,operation=list_accounts,outcome=rejected,error_type=reauthorization_required}",
            1,
        ),
        ("finrail_call_duration_seconds{provider=mx,operation=list_accounts}", 3),
        (
            "finrail_attempts_total{provider=mx,operation=list_accounts,status=401}",
            1,
        ),
        (
            "finrail_attempts_total{provider=mx,operation=list_accounts,status=200}",
            2,
        ),
        (
            "finrail_token_requests_total{provider=mx,grant=refresh_token,verdict=dead}",
            1,
        ),
        (
            "finrail_token_request_duration_seconds{provider=mx,grant=refresh_token}",
            1,
        ),
        ("finrail_connections{provider=mx,state=live}", 0),
        ("finrail_connections{provider=mx,state=ended}", 1),
    ] {
        assert_eq!(line(name), Some(expected), "{name} in {:#?}", values.lock().unwrap());
    }
    let key = user.key().clone();
    drop(user);
    assert_eq!(
        line("finrail_connections{provider=mx,state=ended}"),
        Some(0),
        "what is dropped is no longer counted"
    );
    // The login and the end, of this grant.
    let mut told = Vec::new();
    while told.len() < 2 {
        let event = events.next().await.unwrap();
        assert_eq!(event.key.as_ref(), Some(&key));
        told.push(event.event);
    }
    assert!(
        matches!(
            told[..],
            [Event::Refreshed { .. }, Event::ReauthorizationRequired { .. }]
        ),
        "{told:?}"
    );
    drop((app, key));
}
