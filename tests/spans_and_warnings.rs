//! What a call and its token requests tell those who look after an application: spans, and what is a warning.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;
#[macro_use]
mod connected;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use connected::*;
use finrail::transport::{CallOptions, Outcome, RetryPolicy};
use finrail::{TypedClient as _, mx};
use recorder::{Answer, Recorder};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

/// A span that began, with its fields; one that was recorded twice has two values.
#[derive(Clone, Debug, Default)]
struct Seen {
    id: u64,
    name: &'static str,
    parent: Option<u64>,
    fields: BTreeMap<String, Vec<String>>,
}

impl Seen {
    fn one(&self, field: &str) -> &str {
        let values = self
            .fields
            .get(field)
            .unwrap_or_else(|| panic!("no {field} in {self:?}"));
        assert_eq!(values.len(), 1, "{field} is recorded once: {self:?}");
        &values[0]
    }
}

#[derive(Default)]
struct Told {
    spans: Vec<Seen>,
    events: Vec<(Level, String)>,
}

static TOLD: Mutex<Option<Told>> = Mutex::new(None);
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

struct Capture;

struct Fields<'a>(&'a mut BTreeMap<String, Vec<String>>);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0
            .entry(field.name().to_owned())
            .or_default()
            .push(value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0
            .entry(field.name().to_owned())
            .or_default()
            .push(format!("{value:?}"));
    }
}

fn told<T>(change: impl FnOnce(&mut Told) -> T) -> T {
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    change(told.get_or_insert_default())
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Capture {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if !attributes.metadata().target().starts_with("finrail") {
            return;
        }
        let mut seen = Seen {
            id: id.into_u64(),
            name: attributes.metadata().name(),
            parent: context
                .span(id)
                .and_then(|span| span.parent().map(|parent| parent.id().into_u64())),
            ..Seen::default()
        };
        attributes.record(&mut Fields(&mut seen.fields));
        told(|told| told.spans.push(seen));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        told(|told| {
            if let Some(seen) = told.spans.iter_mut().rev().find(|seen| seen.id == id.into_u64()) {
                values.record(&mut Fields(&mut seen.fields));
            }
        });
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().starts_with("finrail") {
            let mut fields = BTreeMap::new();
            event.record(&mut Fields(&mut fields));
            told(|told| told.events.push((*event.metadata().level(), format!("{fields:?}"))));
        }
    }
}

/// One test at a time; it begins with nothing.
async fn listen() -> tokio::sync::MutexGuard<'static, ()> {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Capture);
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
    let alone = ALONE.lock().await;
    told(|told| *told = Told::default());
    alone
}

fn spans(name: &str) -> Vec<Seen> {
    told(|told| told.spans.iter().filter(|seen| seen.name == name).cloned().collect())
}

fn warnings() -> Vec<String> {
    told(|told| {
        let warned = told.events.iter().filter(|(level, _)| *level <= Level::WARN);
        warned.map(|(_, text)| text.clone()).collect()
    })
}

fn quick() -> RetryPolicy {
    RetryPolicy {
        backoff: Duration::from_millis(1),
        ..RetryPolicy::default()
    }
}

#[tokio::test]
async fn a_call_is_a_span_with_one_for_each_attempt_and_the_token_request_is_its_child() {
    let _alone = listen().await;
    let recorder = Recorder::granting(|_, before| match before {
        0 => Answer::status(503, "{}"),
        1 => Answer::invalid_token(),
        _ => Answer::json(r#"{"id":"q-1"}"#).header("x-request-id", "r-9"),
    })
    .await;
    let own = service(&recorder);
    own.get_quote()
        .quote_id("planted-id")
        .with(CallOptions::new().retry(quick()))
        .send()
        .await
        .unwrap();
    let [call] = &spans("finrail.call")[..] else {
        panic!("one span for the call")
    };
    for (field, expected) in [
        ("otel.name", "get_quote"),
        ("finrail.provider", "ofx"),
        ("finrail.operation", "get_quote"),
        ("finrail.attempts", "3"),
        ("finrail.request_id", "r-9"),
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("url.template", "/payments/quotes/{quoteId}"),
    ] {
        assert_eq!(call.one(field), expected, "{field}");
    }
    assert!(call.one("finrail.connection").starts_with("ofx-"), "{call:?}");
    assert!(
        !call.fields.contains_key("error.type") && !call.fields.contains_key("finrail.outcome"),
        "{call:?}"
    );
    let attempts = spans("finrail.attempt");
    let statuses: Vec<&str> = attempts
        .iter()
        .map(|attempt| attempt.one("http.response.status_code"))
        .collect();
    assert_eq!(statuses, ["503", "401", "200"]);
    for (number, attempt) in attempts.iter().enumerate() {
        assert_eq!(attempt.parent, Some(call.id));
        assert_eq!((attempt.one("otel.kind"), attempt.one("otel.name")), ("client", "GET"));
        assert_eq!(attempt.one("server.address"), "127.0.0.1");
        assert_eq!(Some(attempt.one("server.port")), recorder.origin().rsplit(':').next());
        let again = attempt
            .fields
            .get("http.request.resend_count")
            .map(|values| values.concat());
        assert_eq!(again, (number > 0).then(|| number.to_string()));
    }
    assert_eq!(attempts[0].one("error.type"), "503");
    let tokens = spans("finrail.oauth");
    assert_eq!(tokens.len(), 2, "before the first attempt, and after the 401");
    for token in &tokens {
        assert_eq!(token.parent, Some(call.id));
        assert_eq!(token.one("http.response.status_code"), "200");
    }
    assert!(
        !told(|told| format!("{:?} {:?}", told.spans, told.events)).contains("planted"),
        "no id, no query"
    );
    assert_eq!(warnings(), Vec::<String>::new());
}

#[tokio::test]
async fn a_call_whose_outcome_is_unknown_is_a_warning_and_one_that_changes_nothing_is_none() {
    for (answer, kind, warned) in [
        (Answer::Drop, "connection", true),
        (Answer::html(502, "<html>"), "502", true),
        (Answer::html(200, "<html>"), "invalid_reply", true),
        (Answer::json("[1]"), "invalid_reply", true),
        (Answer::status(400, "{}"), "400", false),
    ] {
        let _alone = listen().await;
        let recorder = Recorder::granting(move |_, _| answer.clone()).await;
        let own = service(&recorder);
        let error = own
            .create_deal()
            .body_map(|deal| deal.quote_id("planted-id".to_owned()))
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.outcome() == Outcome::Unknown, warned, "{error}");
        let calls = spans("finrail.call");
        assert_eq!(calls[0].one("error.type"), kind);
        assert_eq!(calls[0].one("finrail.outcome"), error.outcome().as_str());
        if kind == "connection" {
            assert_eq!(spans("finrail.attempt")[0].one("error.type"), "connection");
        }
        let warnings = warnings();
        assert_eq!(warnings.len(), usize::from(warned), "{warnings:?}");
        assert!(
            warnings
                .iter()
                .all(|text| text.contains("create_deal") && !text.contains("planted")),
            "{warnings:?}"
        );
        drop(
            own.get_quote()
                .quote_id("q")
                .with(CallOptions::new().retry(RetryPolicy::none()))
                .send()
                .await,
        );
        let after = self::warnings().len();
        assert_eq!(
            after,
            usize::from(warned),
            "a call that changes nothing can be made again"
        );
    }
}

#[tokio::test]
async fn a_grant_in_doubt_a_refusal_and_a_lost_grant_are_warnings_and_what_passes_is_none() {
    for (answer, warned) in [
        (Answer::Drop, "in_doubt"),
        (
            Answer::status(401, r#"{"error":"invalid_client"}"#),
            "client_misconfigured",
        ),
        (Answer::status(400, r#"{"error":"invalid_scope"}"#), "request_rejected"),
        (Answer::status(400, r#"{"error":"invalid_grant"}"#), "authorize again"),
        (Answer::status(503, "{}"), ""),
        (Answer::status(429, "{}"), ""),
    ] {
        let _alone = listen().await;
        let recorder = Recorder::with_tokens(
            move |_, before| match before {
                0 => {
                    Answer::json(r#"{"access_token":"a","token_type":"Bearer","expires_in":3600,"refresh_token":"r"}"#)
                }
                _ => answer.clone(),
            },
            |_, _| Answer::invalid_token(),
        )
        .await;
        let user = mx(&recorder).await;
        user.client().list_accounts().send().await.unwrap_err();
        let warnings = warnings();
        assert_eq!(
            warnings.len(),
            usize::from(!warned.is_empty()),
            "{warned}: {warnings:?}"
        );
        assert!(
            warnings.iter().all(|text| text.contains(warned)),
            "{warned}: {warnings:?}"
        );
    }
}

#[tokio::test]
async fn a_revocation_by_the_user_is_no_warning() {
    let _alone = listen().await;
    let recorder = Recorder::start(|seen, _| match seen.path() {
        path if path.ends_with("/token") => Answer::json(recorder::token(1)),
        _ => Answer::json("{}"),
    })
    .await;
    let user = connect!(mx, builder::<mx::Provider>(&recorder).build().unwrap(), ["accounts"]);
    user.revoke().await.unwrap();
    user.client().list_accounts().send().await.unwrap_err();
    assert_eq!(warnings(), Vec::<String>::new());
}

#[tokio::test]
async fn a_name_that_is_the_token_is_not_in_the_log_and_a_long_one_is_cut() {
    let _alone = listen().await;
    let long = "n".repeat(1_000_000);
    let page = format!(r#"{{"page":{{"planted-8c1f-token":1}},"accounts":[],"{long}":2,"acct-12345":3}}"#);
    let recorder = Recorder::with_tokens(
        |_, _| Answer::json(r#"{"access_token":"planted-8c1f-token","token_type":"Bearer","expires_in":3600}"#),
        move |_, _| Answer::json(page.clone()),
    )
    .await;
    let user = mx(&recorder).await;
    user.client().list_accounts().send().await.unwrap();
    let told = told(|told| format!("{:?}", told.events));
    for expected in ["[secret]", "acct-#####"] {
        assert!(told.contains(expected), "{expected}");
    }
    assert!(!told.contains("planted") && !told.contains("12345"));
    assert!(told.len() < 20_000, "{} bytes", told.len());
}

#[tokio::test]
async fn the_wire_log_tells_shapes_and_marked_values_where_it_is_on_and_nothing_where_it_is_not() {
    for on in [false, true] {
        let _alone = listen().await;
        let recorder = Recorder::granting(|_, _| {
            let body = r#"{"transactionStatus":"ACSC","reasonCode":"planted words","token-1":"x"}"#;
            Answer::json(body).header("x-planted", "planted")
        })
        .await;
        let app = builder::<finrail::tatrabanka::Provider>(&recorder)
            .wire_log(on)
            .build()
            .unwrap();
        let service = app.client_credentials(["PREMIUM_PIS"]).unwrap();
        let call = service
            .get_payment_status()
            .product("sepa-credit-transfers")
            .payment_id("planted-id");
        call.send().await.unwrap();
        let told = told(|told| format!("{:?}", told.events));
        for expected in [
            "transactionStatus: \\\\\\\"ACSC",
            "reasonCode: text(13)",
            "/v3/payments/{product}/{paymentId}/status",
            "x-planted: 7 bytes",
        ] {
            assert_eq!(told.contains(expected), on, "{expected} in {told}");
        }
        assert!(
            !told.contains("planted words") && !told.contains("planted-id") && !told.contains("token-1"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn no_name_and_no_code_of_a_reply_shows_an_access_key_or_the_clients_secret() {
    let _alone = listen().await;
    let page = r#"{"data":[],"planted-access-key":1,"planted-client-secret":2}"#;
    let refusal = r#"{"code":"planted-access-key","planted-client-secret":1}"#;
    let recorder = Recorder::granting(move |_, before| match before {
        0 => Answer::json(page).header("x-request-id", "planted-access-key"),
        1 => Answer::status(400, refusal).header("retry-after", "planted-access-key"),
        _ => Answer::json(page),
    })
    .await;
    let client = finrail::finexer::Client::builder()
        .base_url(recorder.origin())
        .credentials(finrail::finexer::Credentials::new("client", "planted-client-secret"))
        .access_key("planted-access-key", "")
        .with(|app| app.wire_log(true))
        .build()
        .unwrap();
    let reply = client.list_customers().send().await.unwrap();
    assert_eq!(reply.request_id(), None);
    let error = client.list_customers().send().await.unwrap_err();
    assert_eq!(error.code(), None);
    let told = told(|told| format!("{:?} {:?}", told.events, told.spans));
    assert!(told.contains("[secret]"), "{told}");
    assert!(
        !format!("{told} {error} {error:?}").contains("planted"),
        "{told} {error}"
    );
}

#[tokio::test]
async fn a_call_that_changes_something_and_is_given_up_is_a_warning() {
    let _alone = listen().await;
    let recorder = Recorder::granting(|_, _| Answer::Silence).await;
    let own = service(&recorder);
    let deal = own
        .create_deal()
        .body_map(|deal| deal.quote_id("q-1".to_owned()))
        .send();
    tokio::time::timeout(Duration::from_millis(200), deal)
        .await
        .unwrap_err();
    let [call] = &spans("finrail.call")[..] else {
        panic!("one span for the call")
    };
    assert_eq!(
        (call.one("error.type"), call.one("finrail.outcome")),
        ("cancelled", "unknown")
    );
    assert_eq!(call.one("finrail.attempts"), "1");
    assert_eq!(warnings().len(), 1, "{:?}", warnings());
    drop(tokio::time::timeout(Duration::from_millis(100), own.get_quote().quote_id("q").send()).await);
    assert_eq!(warnings().len(), 1, "a call that changes nothing can be made again");
}

#[tokio::test]
async fn a_call_that_is_given_up_before_anything_is_sent_is_known_to_have_no_effect() {
    let _alone = listen().await;
    let recorder = Recorder::with_tokens(|_, _| Answer::Silence, |_, _| Answer::json("{}")).await;
    let own = service(&recorder);
    let deal = own
        .create_deal()
        .body_map(|deal| deal.quote_id("q-1".to_owned()))
        .send();
    let is_under_way = async {
        while recorder.token_requests().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        reply = deal => panic!("without a token: {reply:?}"),
        () = is_under_way => {}
    }
    let [call] = &spans("finrail.call")[..] else {
        panic!("one span for the call")
    };
    for (field, expected) in [
        ("error.type", "cancelled"),
        ("finrail.outcome", "not_sent"),
        ("finrail.attempts", "0"),
    ] {
        assert_eq!(call.one(field), expected, "{field}");
    }
    assert_eq!(warnings(), Vec::<String>::new());
}

#[tokio::test]
async fn a_call_that_no_specification_describes_is_told_as_raw_and_without_its_path() {
    let _alone = listen().await;
    let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
    let own = service(&recorder);
    own.raw(http::Method::GET, "/planted").send().await.unwrap();
    let [call] = &spans("finrail.call")[..] else {
        panic!("one span for the call")
    };
    assert_eq!((call.one("otel.name"), call.one("finrail.operation")), ("raw", "raw"));
    assert!(!format!("{call:?}").contains("planted"), "{call:?}");
}
