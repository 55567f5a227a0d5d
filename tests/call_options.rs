//! What is set for one call alone, headers of clients and connections, and calls that no specification describes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;
#[macro_use]
mod connected;

use std::time::Duration;

use connected::*;
use finrail::transport::{CallOptions, Effect, Outcome, Proof, RetryPolicy};
use finrail::{ConfigError, Error, Json, TypedClient as _, mx, ofx};
use http::Method;
use recorder::{Answer, Recorder};
use tokio::time::Instant;

const PLANTED: &str = "planted-8c1f";

fn quick() -> RetryPolicy {
    RetryPolicy {
        backoff: Duration::from_millis(1),
        ..RetryPolicy::default()
    }
}

/// The headers of that name, call by call.
fn sent(recorder: &Recorder, name: &str) -> Vec<Option<String>> {
    let calls = recorder.calls();
    calls.iter().map(|call| call.header(name).map(str::to_owned)).collect()
}

#[tokio::test]
async fn a_call_has_its_own_times_and_attempts() {
    let recorder = Recorder::granting(|_, _| Answer::Silence).await;
    let own = service(&recorder);
    let started = Instant::now();
    let options = CallOptions::new()
        .attempt_timeout(Duration::from_millis(80))
        .retry(quick());
    let error = own.get_quote().quote_id("q-1").with(options).send().await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(recorder.calls().len(), 3, "each attempt had its time");
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "the client's 30 s do not hold for it"
    );

    let recorder = Recorder::granting(|_, _| Answer::Silence).await;
    let options = CallOptions::new().deadline(Duration::from_millis(80));
    let error = service(&recorder)
        .get_quote()
        .quote_id("q-1")
        .with(options)
        .send()
        .await
        .unwrap_err();
    assert_eq!((error.outcome(), recorder.calls().len()), (Outcome::Unknown, 1));

    let recorder = Recorder::granting(|_, _| Answer::status(503, "{}")).await;
    let own = service(&recorder);
    let once = CallOptions::new().retry(RetryPolicy::none());
    own.get_quote().quote_id("q-1").with(once).send().await.unwrap_err();
    assert_eq!(recorder.calls().len(), 1);
    // Of the next call nothing is set.
    own.get_quote()
        .quote_id("q-1")
        .with(CallOptions::new().retry(quick()))
        .send()
        .await
        .unwrap_err();
    assert_eq!(recorder.calls().len(), 4);
}

#[tokio::test]
async fn of_headers_the_calls_own_come_first_then_the_connections_then_the_applications() {
    let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
    let app = builder::<mx::Provider>(&recorder)
        .header("x-tenant", "of the application")
        .header("x-app", "7")
        .build()
        .unwrap();
    let user = connect!(mx, app, ["accounts"]);
    let of_connection = user
        .clone()
        .with_header("X-Tenant", "of the connection")
        .unwrap()
        .into_client();
    let of_call = CallOptions::new()
        .header("x-tenant", "of the call")
        .header("x-call", "1");
    drop(user.client().list_accounts().send().await);
    drop(of_connection.list_accounts().send().await);
    drop(of_connection.list_accounts().with(of_call).send().await);
    drop(user.client().list_accounts().send().await);
    let values = |name| {
        let sent = sent(&recorder, name);
        sent.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>()
    };
    let tenants = [
        "of the application",
        "of the connection",
        "of the call",
        "of the application",
    ];
    assert_eq!(values("x-tenant"), tenants);
    assert_eq!(values("x-app"), ["7"; 4]);
    assert_eq!(values("x-call"), ["", "", "1", ""]);
    // The authorization server is told of none.
    for request in recorder.token_requests() {
        assert_eq!((request.header("x-tenant"), request.header("x-app")), (None, None));
    }
    let bare = builder::<mx::Provider>(&recorder).header("x-tenant", "of the application");
    let bare = mx::oauth::Client::builder().with(|_| bare).build().unwrap();
    let body = serde_json::from_str::<finrail::oauth::wire::RevocationRequest>(r#"{"token":"t"}"#).unwrap();
    drop(bare.revoke_token().body(body).send().await);
    assert_eq!(sent(&recorder, "x-tenant").last(), Some(&None), "nor in a bare call");
}

#[tokio::test]
async fn headers_go_with_every_page_and_every_attempt() {
    let page = |next: &str| {
        format!(r#"{{"page":{{"nextOffset":"{next}"}},"accounts":[{{"depositAccount":{{"accountId":"a"}}}}]}}"#)
    };
    let recorder = Recorder::granting(move |_, before| match before {
        0 => Answer::status(503, "{}"),
        1 => Answer::json(page("2")),
        _ => Answer::json(page("")),
    })
    .await;
    let user = mx(&recorder).await;
    let options = CallOptions::new().retry(quick()).header("x-trace", "t-1");
    let accounts = user
        .client()
        .list_accounts()
        .with(options)
        .items()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(accounts.len(), 2);
    assert_eq!(sent(&recorder, "x-trace"), vec![Some("t-1".to_owned()); 3]);
}

#[tokio::test]
async fn a_request_id_by_the_caller_stays_over_all_attempts() {
    let recorder = Recorder::granting(|_, _| Answer::status(503, "{}")).await;
    let user = tatra(&recorder).await;
    let options = CallOptions::new().retry(quick()).header("X-Request-ID", "mine-1");
    let error = user.client().list_accounts().with(options).send().await.unwrap_err();
    assert_eq!(sent(&recorder, "x-request-id"), vec![Some("mine-1".to_owned()); 3]);
    assert_eq!(error.request_id(), Some("mine-1"));
}

#[tokio::test]
async fn headers_that_a_call_has_by_itself_and_what_no_header_carries_are_refused_before_anything_is_sent() {
    let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
    let own = service(&recorder);
    for (name, value) in [
        ("Authorization", PLANTED),
        ("accept", PLANTED),
        ("Content-Type", PLANTED),
        ("content-length", "3"),
        ("Transfer-Encoding", "chunked"),
        ("host", PLANTED),
        ("", PLANTED),
        ("x y", PLANTED),
        ("x-line", "planted-8c1f\r\nx-more: 1"),
    ] {
        let options = CallOptions::new().header(name, value);
        let error = own.get_quote().quote_id("q-1").with(options).send().await.unwrap_err();
        assert!(matches!(error, Error::InvalidRequest(_)), "{name}: {error:?}");
        assert_eq!(error.outcome(), Outcome::NotSent, "{name}");
        let refused = own.with_header(name, value).unwrap_err();
        assert!(matches!(refused, ConfigError::Header(_)), "{name}: {refused:?}");
        let built = builder::<ofx::Provider>(&recorder)
            .header(name, value)
            .build()
            .unwrap_err();
        assert!(matches!(built, ConfigError::Header(_)), "{name}: {built:?}");
        assert!(
            !format!("{error} {error:?} {refused} {built}").contains(PLANTED),
            "{name}"
        );
    }
    // OFX documents no header for a key: what has none is not pretended to have one.
    for key in ["k-1", "", "a\nb"] {
        let options = CallOptions::new().idempotency_key(key);
        let deal = own.create_deal().body_map(|deal| deal.quote_id("q-1".to_owned()));
        let error = deal.with(options).send().await.unwrap_err();
        assert!(matches!(error, Error::InvalidRequest(_)), "{key}: {error:?}");
    }
    // So it is of a raw call: no other of its operations has one that could be meant.
    let raw = own
        .raw(finrail::Method::POST, "/deals")
        .with(CallOptions::new().idempotency_key("k-1"));
    let error = raw.send().await.unwrap_err();
    assert!(matches!(error, Error::InvalidRequest(_)), "{error:?}");
    assert!(!error.to_string().contains("which header of this call"), "{error}");
    assert_eq!(recorder.calls().len(), 0);
}

#[test]
fn options_show_no_value() {
    let options = CallOptions::new().header("x-tenant", PLANTED).idempotency_key(PLANTED);
    let shown = format!("{options:?}");
    assert!(shown.contains("x-tenant") && !shown.contains(PLANTED), "{shown}");
}

#[tokio::test]
async fn the_body_is_kept_beside_the_value_where_the_caller_wants_it() {
    let body = r#"{"id":"q-1","not described":1}"#;
    let recorder = Recorder::granting(move |_, before| match before {
        0 | 1 => Answer::json(body),
        _ => Answer::status(400, r#"{"error":"x","more":2}"#),
    })
    .await;
    let own = service(&recorder);
    assert_eq!(own.get_quote().quote_id("q-1").send().await.unwrap().raw_body(), None);
    let keep = || CallOptions::new().keep_body();
    let reply = own.get_quote().quote_id("q-1").with(keep()).send().await.unwrap();
    assert_eq!(reply.raw_body(), Some(body.as_bytes()));
    assert!(!format!("{reply:?}").contains("described"));
    let error = own.get_quote().quote_id("q-1").with(keep()).send().await.unwrap_err();
    assert_eq!(error.raw_body(), Some(&br#"{"error":"x","more":2}"#[..]));
}

// --- calls that no specification describes

#[tokio::test]
async fn a_raw_call_has_the_clients_credentials_headers_and_retries() {
    let recorder = Recorder::granting(|_, before| match before {
        0 => Answer::status(503, "{}"),
        1 => Answer::invalid_token(),
        _ => Answer::json(r#"{"points": 7}"#),
    })
    .await;
    let app = builder::<mx::Provider>(&recorder)
        .header("x-tenant", "7")
        .retry(quick())
        .build()
        .unwrap();
    let user = connect!(mx, app, ["accounts"]);
    let call = user.client().raw(Method::GET, "/members/{id}/rewards");
    let call = call
        .path_parameter("id", "a/b ?")
        .query("limit", "5 0")
        .query("limit", "6");
    let reply = call.send().await.unwrap();
    assert_eq!(reply.json::<Json>().unwrap().get(), r#"{"points": 7}"#);
    let calls = recorder.calls();
    assert_eq!(
        calls.len(),
        3,
        "a failure that passes, a token that is replaced, and the reply"
    );
    let last = calls.last().unwrap();
    assert_eq!(last.target, "/members/a%2Fb%20%3F/rewards?limit=5+0&limit=6");
    assert_eq!(last.header("authorization"), Some("Bearer token-2"));
    assert_eq!(last.header("x-tenant"), Some("7"));
}

#[tokio::test]
async fn a_raw_call_that_may_have_an_effect_is_sent_once_and_its_outcome_is_told() {
    for (answer, outcome, proof) in [
        (Answer::status(503, "{}"), Outcome::Unknown, None),
        (Answer::Drop, Outcome::Unknown, None),
        (Answer::html(403, "<html>"), Outcome::Unknown, None),
        (
            Answer::status(422, r#"{"error":"x"}"#),
            Outcome::Rejected,
            Some(Proof::Assumed),
        ),
    ] {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let answer = answer.clone();
            let recorder = Recorder::granting(move |_, _| answer.clone()).await;
            let own = service(&recorder);
            let call = own
                .raw(method.clone(), "/payments")
                .json(&[1])
                .with(CallOptions::new().retry(quick()));
            let error = call.clone().send().await.unwrap_err();
            assert_eq!(recorder.calls().len(), 1, "{method}");
            assert_eq!((error.outcome(), error.proof()), (outcome, proof), "{method}");
            assert_eq!(matches!(error, Error::ErrorResponse(_)), error.status().is_some());
            // Where the caller knows better, it is repeated.
            if outcome == Outcome::Unknown && error.status().is_none_or(|status| status == 503) {
                call.effect(Effect::Idempotent).send().await.unwrap_err();
                assert_eq!(recorder.calls().len(), 4, "{method}");
            }
        }
    }
    let recorder = Recorder::granting(|_, _| Answer::json(r#"{"id":"p"}"#)).await;
    let own = service(&recorder);
    let reply = own
        .raw(Method::POST, "/payments")
        .form([("amount", "1.00")])
        .send()
        .await
        .unwrap();
    let call = &recorder.calls()[0];
    assert_eq!(
        (call.text(), call.header("content-type")),
        ("amount=1.00", Some("application/x-www-form-urlencoded"))
    );
    let error = reply.json::<Vec<u8>>().unwrap_err();
    assert_eq!(
        error.outcome(),
        Outcome::Unknown,
        "it was made, and what came of it cannot be read"
    );
}

#[tokio::test]
async fn a_raw_call_stays_under_the_base_url() {
    let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
    let own = service(&recorder);
    for path in [
        "",
        "payments",
        "//evil.example/x",
        "/a?b=1",
        "/a#b",
        "/a b",
        "/a\u{1}b",
        "/../a",
        "/a/%2e%2E/b",
        "/a\\..\\b",
        "/{id}",
        "/{id",
    ] {
        let result = own.raw(Method::GET, path).send().await;
        match path {
            // Two slashes stay two slashes of the path.
            "//evil.example/x" => drop(result.unwrap()),
            _ => assert!(matches!(result, Err(Error::InvalidRequest(_))), "{path}: {result:?}"),
        }
    }
    for value in ["", ".", ".."] {
        let result = own
            .raw(Method::GET, "/a/{id}/b")
            .path_parameter("id", value)
            .send()
            .await;
        assert!(matches!(result, Err(Error::InvalidRequest(_))), "{value}: {result:?}");
    }
    let calls = recorder.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].target, "//evil.example/x");
}

#[tokio::test]
async fn a_call_whose_time_is_over_is_not_begun() {
    let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
    let own = service(&recorder);
    own.get_quote().quote_id("q").send().await.unwrap();
    for _ in 0..5 {
        for (options, may_help) in [
            (CallOptions::new().deadline(Duration::ZERO), true),
            // With these no later call would be sent either.
            (CallOptions::new().attempt_timeout(Duration::ZERO), false),
        ] {
            let deal = own.create_deal().body_map(|deal| deal.quote_id("q-1".to_owned()));
            let error = deal.with(options).send().await.unwrap_err();
            assert_eq!(error.outcome(), Outcome::NotSent, "{error:?}");
            assert_eq!(error.is_retryable(), may_help, "{error:?}");
            assert!(!error.to_string().contains("there was a token"), "{error}");
        }
    }
    assert_eq!(recorder.calls().len(), 1);
}
