//! What a call does on the wire: tokens, repeats, redirects, pages, bodies, headers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use finrail::oauth::TokenBody;
use finrail::token::{self, ManualClock, ReauthorizationReason};
use finrail::transport::{ConnectionPoint, Outcome, Problem, RetryPolicy};
use finrail::{AppBuilder, Connection, Error, Provider, finexer, mx, ofx, omnifund, tatrabanka};
use recorder::{Answer, Recorder, Seen, token};
use tokio::time::Instant;

const REDIRECT: &str = "https://app.example.com/callback";
const NO_SCOPES: [&str; 0] = [];

fn builder<P: Provider>(recorder: &Recorder) -> AppBuilder<P> {
    finrail::App::<P>::builder()
        .base_url(recorder.origin())
        .credentials(finrail::Credentials::new("client", "secret"))
        .redirect_uri(REDIRECT)
}

/// OFX for the application itself; its tokens are `token-1`, `token-2`, ...
fn service(recorder: &Recorder) -> ofx::Client {
    let app = builder::<ofx::Provider>(recorder).build().unwrap();
    app.client_credentials(["payments", "ofxrates"]).unwrap()
}

/// A user's connection, whose code was exchanged at the recorder.
macro_rules! connect {
    ($provider:ident, $app:expr, $scopes:expr) => {{
        let app: $provider::App = $app;
        let pending = app.authorize($scopes).unwrap().pending;
        let callback = format!("{REDIRECT}?code=code-1&state={}", pending.state().expose_secret());
        app.finish(pending, &callback).await.unwrap()
    }};
}

async fn tatra(recorder: &Recorder) -> Connection<tatrabanka::Provider> {
    connect!(tatrabanka, builder(recorder).build().unwrap(), ["PREMIUM_AIS"])
}

async fn finexer(recorder: &Recorder) -> Connection<finexer::Provider> {
    connect!(finexer, builder(recorder).build().unwrap(), NO_SCOPES)
}

async fn omnifund(recorder: &Recorder) -> Connection<omnifund::Provider> {
    connect!(omnifund, builder(recorder).build().unwrap(), NO_SCOPES)
}

async fn mx(recorder: &Recorder) -> Connection<mx::Provider> {
    connect!(
        mx,
        builder(recorder).build().unwrap(),
        ["customers", "accounts", "transactions"]
    )
}

fn following() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::limited(10))
        .build()
        .unwrap()
}

// --- tokens

#[tokio::test]
async fn a_rejected_token_is_refreshed_once_and_the_call_sent_again() {
    let recorder = Recorder::granting(|seen, _| match seen.header("authorization") {
        Some("Bearer token-1") => Answer::invalid_token(),
        _ => Answer::json("{}"),
    })
    .await;
    let own = service(&recorder);
    // A call that must not happen twice too: the provider said that it did not happen.
    own.create_deal()
        .body_map(|deal| deal.quote_id("q-1".to_owned()))
        .send()
        .await
        .unwrap();
    let calls = recorder.calls();
    let tokens: Vec<_> = calls.iter().map(|call| call.header("authorization").unwrap()).collect();
    assert_eq!(tokens, ["Bearer token-1", "Bearer token-2"]);
    assert_eq!(calls[0].body, calls[1].body);
    assert_eq!(recorder.token_requests().len(), 2);
    own.get_quote().quote_id("q-1").send().await.unwrap();
    assert_eq!(recorder.token_requests().len(), 2, "the new token stays");
}

#[tokio::test]
async fn a_call_is_sent_again_at_most_once_after_a_refresh() {
    let recorder = Recorder::granting(|_, _| Answer::invalid_token()).await;
    let own = service(&recorder);
    let error = own.get_quote().quote_id("q-1").send().await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 401);
    assert_eq!(error.outcome(), Outcome::Rejected);
    assert_eq!((recorder.calls().len(), recorder.token_requests().len()), (2, 2));
}

#[tokio::test]
async fn after_a_401_without_a_reason_only_safe_calls_are_sent_again() {
    // An address that is not allowed and a disabled client are 401 too (MX).
    for answer in [
        Answer::status(401, "{}"),
        Answer::status(401, "{}").header("www-authenticate", "Bearer realm=\"bank\""),
    ] {
        let recorder = Recorder::granting(move |seen, _| match seen.header("authorization") {
            Some("Bearer token-1") => answer.clone(),
            _ => Answer::json("{}"),
        })
        .await;
        let own = service(&recorder);
        let error = own.create_deal().body_map(|deal| deal).send().await.unwrap_err();
        assert_eq!(
            (error.status().unwrap().as_u16(), error.outcome()),
            (401, Outcome::Rejected)
        );
        assert_eq!((recorder.calls().len(), recorder.token_requests().len()), (1, 1));
        own.get_quote().quote_id("q-1").send().await.unwrap();
        assert_eq!((recorder.calls().len(), recorder.token_requests().len()), (3, 2));
    }
}

#[tokio::test]
async fn a_403_never_refreshes() {
    let challenge = r#"Bearer error="insufficient_scope", scope="payments""#;
    let recorder =
        Recorder::granting(move |_, _| Answer::status(403, "{}").header("www-authenticate", challenge)).await;
    let error = service(&recorder).get_quote().quote_id("q-1").send().await.unwrap_err();
    assert_eq!(
        (error.status().unwrap().as_u16(), error.outcome()),
        (403, Outcome::Rejected)
    );
    assert!(!error.is_retryable() && !error.reauthorization_required());
    assert_eq!((recorder.calls().len(), recorder.token_requests().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_calls_with_a_rejected_token_cause_one_refresh() {
    let recorder = Recorder::granting(|seen, _| match seen.header("authorization") {
        Some("Bearer token-1") => Answer::invalid_token(),
        _ => Answer::json("{}"),
    })
    .await;
    let user = mx(&recorder).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let client = user.client().clone();
        calls.spawn(async move { client.get_current_customer().send().await.map(drop) });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap().unwrap();
    }
    let refreshes: Vec<_> = recorder
        .token_requests()
        .iter()
        .filter_map(|seen| seen.field("refresh_token"))
        .collect();
    assert_eq!(refreshes, ["refresh-1"]);
    assert!(
        recorder
            .calls()
            .iter()
            .filter(|call| call.header("authorization") == Some("Bearer token-2"))
            .count()
            == 50
    );
}

#[tokio::test]
async fn a_refresh_that_is_refused_ends_the_grant_and_says_so() {
    let recorder = Recorder::with_tokens(
        |_, before| {
            if before == 0 {
                Answer::json(token(1))
            } else {
                Answer::status(400, r#"{"error":"invalid_grant"}"#)
            }
        },
        |_, _| Answer::invalid_token(),
    )
    .await;
    let user = tatra(&recorder).await;
    // The provider rejected the first call; the second had no token to go with.
    for outcome in [Outcome::Rejected, Outcome::NotSent] {
        let error = user.client().list_accounts().send().await.unwrap_err();
        assert!(error.reauthorization_required(), "{error}");
        assert_eq!(error.outcome(), outcome);
    }
    assert_eq!(
        recorder.token_requests().len(),
        2,
        "a dead grant is not asked about again"
    );
}

#[tokio::test]
async fn a_grant_without_a_refresh_token_works_until_its_access_token_ends() {
    let reply = r#"{"access_token":"only","token_type":"bearer","expires_in":3600}"#;
    let recorder = Recorder::with_tokens(
        move |_, _| Answer::json(reply),
        |_, _| Answer::json(r#"{"accounts":[]}"#),
    )
    .await;
    let clock = Arc::new(ManualClock::new());
    let app = builder(&recorder).clock(clock.clone()).build().unwrap();
    let user = connect!(tatrabanka, app, ["PREMIUM_AIS"]);
    user.client().list_accounts().send().await.unwrap();
    clock.advance(Duration::from_secs(3600));
    let error = user.client().list_accounts().send().await.unwrap_err();
    let reason = ReauthorizationReason::NoRefreshToken;
    assert!(
        matches!(&error, Error::Auth { error: token::Error::ReauthorizationRequired { reason: r }, .. } if *r == reason),
        "{error:?}"
    );
    assert_eq!(recorder.token_requests().len(), 1);
}

#[tokio::test]
async fn a_token_of_unknown_life_is_used_until_the_provider_rejects_it() {
    let recorder = Recorder::with_tokens(
        |_, before| {
            Answer::json(format!(
                r#"{{"access_token":"token-{}","token_type":"BEARER","refresh_token":"r"}}"#,
                before + 1
            ))
        },
        |seen, before| match seen.header("authorization") {
            Some("Bearer token-1") if before == 2 => Answer::invalid_token(),
            _ => Answer::json(r#"{"data":[]}"#),
        },
    )
    .await;
    let clock = Arc::new(ManualClock::new());
    let user = connect!(
        finexer,
        builder(&recorder).clock(clock.clone()).build().unwrap(),
        NO_SCOPES
    );
    assert_eq!(user.info().unwrap().expires_at, None);
    for _ in 0..3 {
        user.client().list_customers().send().await.unwrap();
        clock.advance(Duration::from_secs(30 * 24 * 3600));
    }
    assert_eq!(recorder.token_requests().len(), 2);
    assert_eq!(
        recorder.calls().last().unwrap().header("authorization"),
        Some("Bearer token-2")
    );
}

#[tokio::test]
async fn token_replies_are_read_leniently_where_providers_differ_and_strictly_where_it_matters() {
    let scopes = |reply: &str| {
        let reply = reply.to_owned();
        async move {
            let recorder = Recorder::in_order([Answer::json(reply)]).await;
            let app: finexer::App = builder(&recorder).build().unwrap();
            let pending = app.authorize(["customer_read"]).unwrap().pending;
            let callback = format!("{REDIRECT}?code=c&state={}", pending.state().expose_secret());
            let user = app.finish(pending, &callback).await?;
            let info = user.info().unwrap();
            let header = user.tokens().header().unwrap().header.to_str().unwrap().to_owned();
            let life = info.expires_at.map(|end| (end - info.obtained_at).num_seconds());
            Ok::<_, finrail::oauth::Error>((header, info.scopes.to_string(), life))
        }
    };
    let asked = "customer_read";
    for (fields, granted, life) in [
        (r#""token_type":"bearer""#, asked, None),
        (r#""token_type":"Bearer""#, asked, None),
        (r#""token_type":"BEARER""#, asked, None),
        (r#""expires_in":3600"#, asked, Some(3600)),
        (r#""expires_in":"3600""#, asked, Some(3600)),
        (r#""expires_in":3600.0"#, asked, Some(3600)),
        (r#""expires_in":null"#, asked, None),
        (r#""scope":null"#, asked, None),
        (r#""scope":"""#, asked, None),
        (r#""scope":"a,b""#, "a b", None),
        (r#""scope":"a b""#, "a b", None),
        (r#""scope":"a, b""#, "a b", None),
        (r#""scope":["a","b"]"#, "a b", None),
        (r#""unknown":{"deep":[1,2]},"id_token":null"#, asked, None),
    ] {
        let read = scopes(&format!(r#"{{"access_token":"t",{fields}}}"#)).await.unwrap();
        assert_eq!(read, ("Bearer t".to_owned(), granted.to_owned(), life), "{fields}");
    }
    for (reply, part) in [
        (r#"{"token_type":"bearer"}"#, "no usable `access_token`"),
        (
            r#"{"access_token":"","token_type":"bearer"}"#,
            "an empty `access_token`",
        ),
        (r#"{"access_token":null}"#, "no usable `access_token`"),
        (
            r#"{"access_token":"two\nlines"}"#,
            "characters that a header cannot carry",
        ),
        (r#"{"access_token":"t","token_type":"mac"}"#, "not bearer"),
        (r#"{"access_token":"t","token_type":"DPoP"}"#, "not bearer"),
        (r#"{"error":"invalid_grant"}"#, "`invalid_grant`"),
        (
            r#"{"error":{"code":"invalid_grant","message":"no"}}"#,
            "`invalid_grant` (no)",
        ),
        ("[]", "not a JSON object"),
        ("", "not a JSON object"),
        (r#""token""#, "not a JSON object"),
    ] {
        let error = scopes(reply).await.unwrap_err().to_string();
        assert!(error.contains(part), "{reply}: {error}");
    }
}

#[tokio::test]
async fn a_refresh_that_hangs_does_not_hold_the_call_beyond_its_deadline() {
    let recorder = Recorder::with_tokens(
        |_, before| match before {
            0 => Answer::json(token(1)),
            _ => Answer::Silence,
        },
        |_, _| Answer::invalid_token(),
    )
    .await;
    let policy = RetryPolicy {
        deadline: Duration::from_millis(500),
        ..RetryPolicy::default()
    };
    let app = builder::<ofx::Provider>(&recorder).retry(policy).build().unwrap();
    let own = app.client_credentials(["payments"]).unwrap();
    let started = Instant::now();
    let error = own.get_quote().quote_id("q").send().await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(
        error.status().unwrap().as_u16(),
        401,
        "the provider's answer is the better one"
    );
    // The next call waits for the same refresh, and no longer than it may.
    let error = own.get_quote().quote_id("q").send().await.unwrap_err();
    let Error::Connection(connection) = &error else {
        panic!("{error:?}")
    };
    assert!(connection.timeout && connection.point == ConnectionPoint::Connect);
    assert_eq!((error.outcome(), recorder.calls().len()), (Outcome::NotSent, 1));
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(recorder.token_requests().len(), 2);
}

// --- repeats

#[tokio::test(start_paused = true)]
async fn a_safe_call_waits_as_long_as_the_provider_asks() {
    for asked in [
        "7".to_owned(),
        httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(8)),
    ] {
        for status in [429, 503] {
            let asked = asked.clone();
            let recorder = Recorder::granting(move |_, before| match before {
                0 => Answer::status(status, "{}").header("retry-after", asked.clone()),
                _ => Answer::json("{}"),
            })
            .await;
            let own = service(&recorder);
            let started = Instant::now();
            own.get_quote().quote_id("q-1").send().await.unwrap();
            let waited = started.elapsed().as_secs_f64();
            assert!((4.0..=9.0).contains(&waited), "{status}: waited {waited} s");
            assert_eq!(recorder.calls().len(), 2);
        }
    }
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_left_to_the_caller() {
    let recorder = Recorder::granting(|_, _| Answer::status(429, "{}").header("retry-after", "3600")).await;
    let error = service(&recorder).get_quote().quote_id("q-1").send().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert!(error.is_retryable());
    assert_eq!(recorder.calls().len(), 1);

    // Within the limit, but beyond the deadline of the call.
    let recorder = Recorder::granting(|_, _| Answer::status(503, "{}").header("retry-after", "20")).await;
    let policy = RetryPolicy {
        deadline: Duration::from_secs(10),
        ..RetryPolicy::default()
    };
    let app = builder::<ofx::Provider>(&recorder).retry(policy).build().unwrap();
    let started = Instant::now();
    app.client_credentials(["payments"])
        .unwrap()
        .get_quote()
        .quote_id("q")
        .send()
        .await
        .unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(recorder.calls().len(), 1);
}

#[tokio::test]
async fn only_what_changes_nothing_twice_is_sent_twice() {
    let quick = RetryPolicy {
        backoff: Duration::from_millis(1),
        ..RetryPolicy::default()
    };
    for (failure, outcome) in [
        (Answer::status(503, "{}").header("retry-after", "0"), Outcome::Unknown),
        (Answer::status(502, "{}"), Outcome::Unknown),
        (Answer::status(504, "{}"), Outcome::Unknown),
        (Answer::status(429, "{}"), Outcome::Rejected),
        (Answer::status(408, "{}"), Outcome::Rejected),
        (Answer::Drop, Outcome::Unknown),
    ] {
        let recorder = Recorder::granting(move |_, _| failure.clone()).await;
        let app = builder::<ofx::Provider>(&recorder).retry(quick).build().unwrap();
        let own = app.client_credentials(["payments"]).unwrap();
        let user = connect!(
            tatrabanka,
            builder(&recorder).retry(quick).build().unwrap(),
            ["PREMIUM_AIS"]
        );
        let sent = || recorder.calls().len();

        let error = own.get_quote().quote_id("q").send().await.unwrap_err();
        assert_eq!((sent(), error.outcome()), (3, outcome), "a safe call");
        let error = own.create_deal().body_map(|deal| deal).send().await.unwrap_err();
        assert_eq!((sent(), error.outcome()), (4, outcome), "a call that is sent once");
        assert!(error.is_retryable(), "the caller may look and decide");
        let error = user
            .client()
            .refresh_accounts()
            .psu_ip_address("192.0.2.1")
            .send()
            .await
            .unwrap_err();
        assert_eq!((sent(), error.outcome()), (7, outcome), "an idempotent call");
    }
    for status in [400, 404, 409, 422, 500, 501] {
        let recorder = Recorder::granting(move |_, _| Answer::status(status, "{}")).await;
        service(&recorder).get_quote().quote_id("q").send().await.unwrap_err();
        assert_eq!(recorder.calls().len(), 1, "{status} is an answer");
    }
}

#[tokio::test]
async fn attempts_and_time_are_bounded() {
    let silence = |policy: RetryPolicy| async move {
        let recorder = Recorder::granting(|_, _| Answer::Silence).await;
        let app = builder::<ofx::Provider>(&recorder).retry(policy).build().unwrap();
        let own = app.client_credentials(["payments"]).unwrap();
        let started = Instant::now();
        let error = own.get_quote().quote_id("q").send().await.unwrap_err();
        let Error::Connection(connection) = &error else {
            panic!("{error:?}")
        };
        assert!(connection.timeout && connection.point == ConnectionPoint::Sent);
        assert_eq!(error.outcome(), Outcome::Unknown);
        assert!(
            error
                .to_string()
                .contains("no reply came in time; the call may have taken effect"),
            "{error}"
        );
        (recorder.calls().len(), started.elapsed())
    };
    let short = Duration::from_millis(200);
    let policy = RetryPolicy {
        backoff: Duration::from_millis(1),
        attempt_timeout: short,
        ..RetryPolicy::default()
    };
    assert_eq!(silence(RetryPolicy { attempts: 2, ..policy }).await.0, 2);
    assert_eq!(silence(RetryPolicy { attempts: 1, ..policy }).await.0, 1);
    // The deadline ends the last attempt, whatever its own time is.
    let (sent, took) = silence(RetryPolicy {
        attempts: 99,
        deadline: Duration::from_millis(500),
        ..policy
    })
    .await;
    assert!(
        (2..=4).contains(&sent) && took < Duration::from_secs(3),
        "{sent} in {took:?}"
    );
    // No end is an end that never comes.
    let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
    let endless = RetryPolicy {
        attempts: u32::MAX,
        backoff: Duration::MAX,
        attempt_timeout: Duration::MAX,
        deadline: Duration::MAX,
    };
    let app = builder::<ofx::Provider>(&recorder)
        .retry(endless)
        .token_request_timeout(Duration::MAX)
        .build()
        .unwrap();
    let own = app.client_credentials(["payments"]).unwrap();
    own.get_quote().quote_id("q").send().await.unwrap();

    let (sent, took) = silence(RetryPolicy {
        deadline: short,
        attempt_timeout: Duration::from_secs(60),
        ..policy
    })
    .await;
    assert!(sent == 1 && took < Duration::from_secs(3), "{sent} in {took:?}");
}

// --- redirects

#[tokio::test]
async fn a_redirect_to_another_origin_gets_neither_token_nor_body() {
    for client in [None, Some(following())] {
        for status in [301, 302, 303, 307, 308] {
            let elsewhere = Recorder::in_order([Answer::json("{}")]).await;
            let location = format!("{}/payments/quotes", elsewhere.origin());
            let recorder = Recorder::granting(move |_, _| Answer::redirect(status, location.clone())).await;
            let mut app = builder::<ofx::Provider>(&recorder);
            if let Some(client) = &client {
                app = app.http_client(client.clone());
            }
            let own = app.build().unwrap().client_credentials(["payments"]).unwrap();
            for error in [
                own.get_quote().quote_id("q").send().await.unwrap_err(),
                own.create_quote()
                    .body_map(|quote| quote.buy_amount(1))
                    .send()
                    .await
                    .unwrap_err(),
            ] {
                let Error::InvalidReply(reply) = &error else {
                    panic!("{status}: {error:?}")
                };
                assert!(matches!(reply.problem, Problem::Redirect), "{status}: {error}");
                assert_eq!(error.outcome(), Outcome::Unknown, "{status}");
                assert!(error.to_string().contains("check the base URL"), "{error}");
            }
            for seen in elsewhere.seen() {
                assert!(client.is_some(), "{status}: the default client follows nothing");
                assert!(
                    seen.header("authorization").is_none() && seen.body.is_empty(),
                    "{status}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_token_request_is_never_redirected() {
    for client in [None, Some(following())] {
        for status in [301, 302, 303, 307, 308] {
            for same_origin in [false, true] {
                let elsewhere = Recorder::in_order([Answer::json(token(66))]).await;
                let location = if same_origin {
                    "/moved".to_owned()
                } else {
                    format!("{}/moved", elsewhere.origin())
                };
                let recorder = Recorder::start(move |seen, _| match seen.path() {
                    "/moved" => Answer::json(token(66)),
                    _ => Answer::redirect(status, location.clone()),
                })
                .await;
                // MX sends the secret in a header, OFX in the body.
                let mut mx = builder::<mx::Provider>(&recorder);
                let mut ofx = builder::<ofx::Provider>(&recorder).retry(RetryPolicy::none());
                if let Some(client) = &client {
                    (mx, ofx) = (mx.http_client(client.clone()), ofx.http_client(client.clone()));
                }
                let app = mx.build().unwrap();
                let pending = app.authorize(["accounts"]).unwrap().pending;
                let callback = format!("{REDIRECT}?code=c&state={}", pending.state().expose_secret());
                let error = app.finish(pending, &callback).await.unwrap_err();
                assert!(
                    error.to_string().contains("redirects are not followed"),
                    "{status}: {error}"
                );
                let own = ofx.build().unwrap().client_credentials(["payments"]).unwrap();
                let error = own.list_beneficiaries().send().await.unwrap_err();
                assert!(
                    matches!(
                        error,
                        Error::Auth {
                            error: token::Error::Transient { .. },
                            ..
                        }
                    ),
                    "{status}: {error:?}"
                );

                let moved = recorder.seen().into_iter().filter(|seen| seen.path() == "/moved");
                for seen in elsewhere.seen().into_iter().chain(moved) {
                    assert!(client.is_some(), "{status}: the default client follows nothing");
                    assert!(seen.body.is_empty(), "{status}: the secret was sent along");
                    assert!(
                        same_origin || seen.header("authorization").is_none(),
                        "{status}: the secret was sent along"
                    );
                }
            }
        }
    }
}

// --- bodies

#[tokio::test]
async fn a_body_is_bounded_in_size_and_time() {
    const MIB: usize = 1024 * 1024;
    let head = |length: &str| format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{length}\r\n").into_bytes();
    let now = Duration::ZERO;
    let claimed = vec![(now, head("content-length: 99999999999\r\n")), (now, b"[".to_vec())];
    let streamed: Vec<_> = [(now, head(""))]
        .into_iter()
        .chain((0..17).map(|_| (now, vec![b' '; MIB])))
        .collect();
    for pieces in [claimed, streamed] {
        let recorder = Recorder::granting(move |_, _| Answer::Pieces(pieces.clone())).await;
        let error = service(&recorder).list_beneficiaries().send().await.unwrap_err();
        let Error::InvalidReply(reply) = &error else {
            panic!("{error:?}")
        };
        assert!(
            matches!(reply.problem, Problem::TooLarge(limit) if limit == 16 * MIB),
            "{error}"
        );
        assert_eq!(error.status().unwrap().as_u16(), 200);
    }
    let recorder = Recorder::granting(|_, _| Answer::status(400, format!("\"{}\"", "x".repeat(70_000)))).await;
    let error = service(&recorder).list_beneficiaries().send().await.unwrap_err();
    assert!(error.to_string().contains("larger than 65536 bytes"), "{error}");

    // A token reply of more than 64 KiB is none.
    let recorder = Recorder::in_order([Answer::json(format!(r#"{{"access_token":"{}"}}"#, "x".repeat(70_000)))]).await;
    let error = service(&recorder).list_beneficiaries().send().await.unwrap_err();
    assert!(matches!(error, Error::Auth { .. }), "{error:?}");

    // A body that trickles in for ever.
    let mut pieces = vec![(now, head("content-length: 1000\r\n"))];
    pieces.extend((0..1000).map(|_| (Duration::from_millis(100), b" ".to_vec())));
    let recorder = Recorder::granting(move |_, _| Answer::Pieces(pieces.clone())).await;
    let policy = RetryPolicy {
        deadline: Duration::from_millis(700),
        ..RetryPolicy::default()
    };
    let app = builder::<ofx::Provider>(&recorder).retry(policy).build().unwrap();
    let started = Instant::now();
    let error = app
        .client_credentials(["payments"])
        .unwrap()
        .list_beneficiaries()
        .send()
        .await
        .unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(error.to_string().contains("the reply did not end in time"), "{error}");
    assert_eq!(
        (error.outcome(), error.status().unwrap().as_u16()),
        (Outcome::Unknown, 200)
    );
}

#[tokio::test]
async fn a_body_that_breaks_off_or_is_garbled_says_where() {
    for (status, outcome, sent) in [
        ("200 OK", Outcome::Unknown, 3),
        ("400 Bad Request", Outcome::Rejected, 1),
        ("503 Service Unavailable", Outcome::Unknown, 3),
    ] {
        let half = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nx-request-id: r-1\r\ncontent-length: 100\r\n\r\n[{{"
        );
        let recorder =
            Recorder::granting(move |_, _| Answer::Pieces(vec![(Duration::ZERO, half.clone().into())])).await;
        let error = service(&recorder).list_beneficiaries().send().await.unwrap_err();
        let Error::Connection(connection) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(
            (connection.point, error.outcome()),
            (ConnectionPoint::Reply, outcome),
            "{status}"
        );
        assert_eq!(error.status().unwrap().as_str(), &status[..3], "the status had come");
        assert_eq!(error.request_id(), Some("r-1"), "{status}");
        assert_eq!(recorder.calls().len(), sent, "{status}");
        let error = service(&recorder)
            .create_deal()
            .body_map(|deal| deal)
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.outcome(), outcome, "{status}");
    }

    for (body, place) in [
        (r#"{"id":"q-1","buyAmount":"#, "the JSON ends too early"),
        ("{]", "not JSON (line 1, column 2)"),
        ("", "the JSON ends too early"),
        (r#"{"id":"q-1"} trailing"#, "not JSON"),
        (r#"{"id":["a"],"buyAmount":1}"#, "`id`: expected a"),
        (r#"{"buyAmount":"a lot"}"#, "`buyAmount`: expected a decimal"),
        (r#"{"buyAmount":{"amount":1}}"#, "`buyAmount`: expected a decimal"),
    ] {
        let recorder = Recorder::granting(move |_, _| Answer::json(body).header("x-request-id", "req-7")).await;
        let error = service(&recorder).get_quote().quote_id("q-1").send().await.unwrap_err();
        let Error::InvalidReply(reply) = &error else {
            panic!("{error:?}")
        };
        assert!(matches!(reply.problem, Problem::Decode { .. }), "{body}: {reply:?}");
        assert!(error.to_string().contains(place), "{body}: {error}");
        assert_eq!(
            (error.status().unwrap().as_u16(), error.request_id()),
            (200, Some("req-7"))
        );
        assert!(!error.to_string().contains("a lot"), "values are not shown");
    }
}

#[tokio::test]
async fn error_bodies_of_every_shape_keep_their_status() {
    // The body, and what is read of it: `error.message`, `message`, `code`, `error_code`.
    for (body, read) in [
        (
            r#"{"error":{"message":"no such customer","code":"resource_missing"},"extra":[1]}"#,
            Some([Some("no such customer"), None, None, None]),
        ),
        (
            r#"{"message":"no such customer","code":"x"}"#,
            Some([None, Some("no such customer"), Some("x"), None]),
        ),
        (
            r#"{"message":"no such customer","error_code":404}"#,
            Some([None, Some("no such customer"), None, Some("404")]),
        ),
        (
            r#"{"error":"not_found","error_code":"x"}"#,
            Some([Some("not_found"), None, None, Some("x")]),
        ),
        (
            r#"{"error":null,"code":"x","error_code":null}"#,
            Some([None, None, Some("x"), None]),
        ),
        ("{}", Some([None; 4])),
        ("[]", None),
        ("", None),
    ] {
        let recorder = Recorder::granting(move |_, _| Answer::status(404, body).header("request-id", "r-1")).await;
        let error = finexer(&recorder)
            .await
            .client()
            .get_customer()
            .customer_id("c")
            .send()
            .await
            .unwrap_err();
        assert_eq!(
            (error.status().unwrap().as_u16(), error.outcome()),
            (404, Outcome::Rejected),
            "{body}"
        );
        assert_eq!(error.request_id(), Some("r-1"), "{body}");
        let told = error.body().map(|body| {
            let nested = body.error.as_ref().and_then(|detail| detail.message.as_deref());
            [
                nested,
                body.message.as_deref(),
                body.code.as_deref(),
                body.error_code.as_deref(),
            ]
        });
        assert_eq!(told, read, "{body}: {error:?}");
    }
    for (body, code) in [(r#"{"code":701,"message":"m"}"#, "701"), (r#"{"code":"701"}"#, "701")] {
        let recorder = Recorder::granting(move |_, _| Answer::status(400, body)).await;
        let error = mx(&recorder)
            .await
            .client()
            .get_current_customer()
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.body().unwrap().code.as_deref(), Some(code));
    }
    let body = r#"{"errors":[{"message":"quote has expired"},{"message":"again"}]}"#;
    let recorder = Recorder::granting(move |_, _| Answer::status(400, body)).await;
    let error = service(&recorder).get_quote().quote_id("q").send().await.unwrap_err();
    let told: Vec<_> = error
        .body()
        .unwrap()
        .errors
        .iter()
        .map(|e| e.message.as_deref())
        .collect();
    assert_eq!(told, [Some("quote has expired"), Some("again")]);
}

#[tokio::test]
async fn a_download_is_bytes_to_the_end() {
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let file = bytes.clone();
    let recorder = Recorder::granting(move |_, before| match before {
        0 | 1 => Answer::typed(200, "application/pdf", file.clone()),
        _ => Answer::status(404, r#"{"errorCode":"NO_ACCOUNT"}"#),
    })
    .await;
    let user = tatra(&recorder).await;
    let download = || {
        user.client()
            .download_statement()
            .account_id("a")
            .statement_id("s")
            .send()
    };
    assert_eq!(
        download().await.unwrap().into_inner().bytes(100_000).await.unwrap(),
        bytes
    );
    let refused = download().await.unwrap().into_inner().bytes(99_999).await.unwrap_err();
    assert!(refused.to_string().contains("larger than 99999 bytes"), "{refused}");
    assert_eq!(download().await.unwrap_err().status().unwrap().as_u16(), 404);
    assert_eq!(
        recorder.calls()[0].header("accept"),
        Some("application/pdf, application/zip")
    );
}

#[tokio::test]
async fn a_download_may_take_its_time_but_no_piece_of_it_for_ever() {
    let policy = RetryPolicy {
        attempt_timeout: Duration::from_millis(400),
        deadline: Duration::from_millis(600),
        ..RetryPolicy::default()
    };
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/pdf\r\nx-request-id: r-1\r\ncontent-length: 10\r\n\r\n";
    let pieces = |last: Duration| {
        let mut pieces = vec![(Duration::ZERO, head.to_vec())];
        pieces.extend((0..9).map(|_| (Duration::from_millis(100), b"x".to_vec())));
        pieces.push((last, b"x".to_vec()));
        pieces
    };
    let answers = [pieces(Duration::ZERO), pieces(Duration::from_secs(60))];
    let recorder = Recorder::granting(move |_, before| Answer::Pieces(answers[before].clone())).await;
    let app = builder(&recorder).retry(policy).build().unwrap();
    let user = connect!(tatrabanka, app, ["PREMIUM_AIS"]);
    let download = || {
        let call = user.client().download_statement();
        call.account_id("a").statement_id("s").send()
    };
    let steady = download().await.unwrap().into_inner().bytes(10).await.unwrap();
    assert_eq!(&*steady, b"xxxxxxxxxx");
    let started = Instant::now();
    let mut stalled = download().await.unwrap().into_inner();
    let mut read = 0;
    let error = loop {
        match stalled.next().await.unwrap() {
            Ok(piece) => read += piece.len(),
            Err(error) => break error,
        }
    };
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!((read, error.timeout, error.point), (9, true, ConnectionPoint::Reply));
    assert_eq!(
        (error.status.unwrap().as_u16(), error.request_id.as_deref()),
        (200, Some("r-1"))
    );
    assert!(stalled.next().await.is_none(), "what broke off is not read on");
}

// --- what is sent

#[tokio::test]
async fn headers_are_those_that_the_providers_document() {
    let recorder = Recorder::granting(|_, _| Answer::json(r#"{"hydra:member":[],"accounts":[],"data":[]}"#)).await;
    service(&recorder)
        .create_quote()
        .body_map(|quote| quote.buy_amount(1))
        .send()
        .await
        .unwrap();
    mx(&recorder).await.client().list_accounts().send().await.unwrap();
    omnifund(&recorder)
        .await
        .client()
        .list_customers()
        .send()
        .await
        .unwrap();
    let user = tatra(&recorder).await;
    user.client().list_accounts().send().await.unwrap();
    user.client()
        .refresh_accounts()
        .psu_ip_address("192.0.2.1")
        .psu_user_agent("Browser")
        .send()
        .await
        .unwrap();
    finexer(&recorder).await.client().list_customers().send().await.unwrap();
    let names = |seen: &Seen| {
        let mut names: Vec<String> = seen.headers.iter().map(|(name, _)| name.clone()).collect();
        names.retain(|name| !["host", "content-length"].contains(&name.as_str()));
        names.sort();
        names.join(" ")
    };
    let plain = "accept authorization user-agent";
    let expected = [
        "accept authorization content-type user-agent",
        plain,
        plain,
        "accept authorization user-agent x-request-id",
        "accept authorization psu-ip-address psu-user-agent user-agent x-request-id",
        plain,
    ];
    assert_eq!(recorder.calls().iter().map(names).collect::<Vec<_>>(), expected);
    for seen in recorder.seen() {
        assert_eq!(
            seen.header("user-agent"),
            Some(concat!("finrail/", env!("CARGO_PKG_VERSION")))
        );
        assert_eq!(seen.header("api-version"), None);
    }
    for seen in recorder.token_requests() {
        let known = [
            "accept content-type user-agent",
            "accept authorization content-type user-agent",
        ];
        assert!(known.contains(&names(&seen).as_str()), "{}", names(&seen));
    }
    let accepts: Vec<_> = recorder
        .calls()
        .iter()
        .map(|call| call.header("accept").unwrap().to_owned())
        .collect();
    assert_eq!(accepts[0], "application/json");
    assert_eq!(accepts[2], "application/ld+json, application/json;q=0.9, */*;q=0.8");
}

#[tokio::test]
async fn every_request_has_an_id_of_its_own() {
    let quick = RetryPolicy {
        backoff: Duration::from_millis(1),
        ..RetryPolicy::default()
    };
    let recorder = Recorder::granting(|seen, before| match before {
        0 => Answer::status(503, "{}"),
        1 => Answer::json("{}"),
        _ => Answer::status(400, "{}").header("x-request-id", seen.header("x-request-id").unwrap()),
    })
    .await;
    let user = connect!(
        tatrabanka,
        builder(&recorder).retry(quick).build().unwrap(),
        ["PREMIUM_AIS"]
    );
    user.client().list_accounts().send().await.unwrap();
    let error = user.client().list_accounts().send().await.unwrap_err();
    let ids: Vec<String> = recorder
        .calls()
        .iter()
        .map(|call| call.header("x-request-id").unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 3);
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
    assert!(ids.iter().all(|id| uuid::Uuid::parse_str(id).is_ok()), "{ids:?}");
    assert_eq!(error.request_id(), Some(ids[2].as_str()));
    assert!(error.to_string().contains(&ids[2]), "{error}");
}

#[tokio::test]
async fn a_secret_with_reserved_characters_is_encoded_before_basic() {
    let recorder = Recorder::in_order([Answer::json(token(1))]).await;
    let app = builder::<mx::Provider>(&recorder).credentials(mx::Credentials::new("id:1", "s %+&/é"));
    connect!(mx, app.build().unwrap(), ["accounts"]);
    let header = recorder.seen()[0].header("authorization").unwrap().to_owned();
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD
        .decode(header.strip_prefix("Basic ").unwrap())
        .unwrap();
    assert_eq!(
        String::from_utf8(text).unwrap(),
        "id%3A1:s+%25%2B%26%2F%C3%A9",
        "RFC 6749 section 2.3.1"
    );
}

#[tokio::test]
async fn omnifund_takes_token_requests_as_a_form_or_as_json() {
    let recorder = Recorder::in_order([Answer::json(token(1))]).await;
    let app = builder::<omnifund::Provider>(&recorder)
        .token_body(TokenBody::Json)
        .build()
        .unwrap();
    app.password("user", "pässword&", NO_SCOPES).await.unwrap();
    let seen = &recorder.seen()[0];
    assert_eq!(seen.header("content-type"), Some("application/json"));
    let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    let expected = serde_json::json!({
        "grant_type": "password", "username": "user", "password": "pässword&", "client_id": "client", "client_secret": "secret"
    });
    assert_eq!(body, expected);
    assert_eq!(seen.header("authorization"), None);
}

#[tokio::test]
async fn forms_and_queries_are_written_as_the_providers_read_them() {
    let recorder = Recorder::granting(|seen, _| match seen.path() {
        "/consents" => Answer::json(r#"{"id":"c"}"#),
        "/api/v1/settlements" => Answer::json(r#"{"items":[]}"#),
        _ => Answer::json(r#"{"data":[],"hydra:member":[]}"#),
    })
    .await;
    let client = finexer(&recorder).await;
    let mut consent = client.client().create_consent();
    consent = consent.body_map(|body| {
        body.customer("cus 1")
            .scopes(["accounts", "balance"])
            .return_url("https://app.example.com/?a=1&b=2".to_owned())
            .metadata(std::collections::BTreeMap::from([(
                "order".to_owned(),
                "7&8".to_owned(),
            )]))
    });
    consent.send().await.unwrap();
    let sent = recorder.calls().pop().unwrap();
    assert_eq!(sent.header("content-type"), Some("application/x-www-form-urlencoded"));
    let mut fields: Vec<&str> = sent.text().split('&').collect();
    fields.sort_unstable();
    let expected = [
        "customer=cus+1",
        "metadata%5Border%5D=7%268",
        "return_url=https%3A%2F%2Fapp.example.com%2F%3Fa%3D1%26b%3D2",
        "scopes%5B%5D=accounts",
        "scopes%5B%5D=balance",
    ];
    assert_eq!(fields, expected);

    let client = omnifund(&recorder).await;
    let pending = client
        .client()
        .list_pending_transactions()
        .ids(vec![1, 2])
        .tran_date_between("10..20")
        .tran_date_gte(5);
    pending.send().await.unwrap();
    let sent = recorder.calls().pop().unwrap();
    let mut fields: Vec<&str> = sent.target.split_once('?').unwrap().1.split('&').collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "id%5B%5D=1",
            "id%5B%5D=2",
            "tranDate%5Bbetween%5D=10..20",
            "tranDate%5Bgte%5D=5"
        ]
    );
    let filter = r#"{"settleDate":">=20260101"}"#;
    client.client().list_settlements().filter(filter).send().await.unwrap();
    assert_eq!(
        recorder.calls().pop().unwrap().query(),
        [("filter".to_owned(), filter.to_owned())]
    );
}

#[tokio::test]
async fn keys_that_are_not_tokens_go_where_they_belong() {
    let recorder = Recorder::granting(|_, _| Answer::json(r#"{"data":[],"hydra:member":[],"client_id":"c"}"#)).await;
    let key = finexer::Client::builder()
        .base_url(recorder.origin())
        .access_key("live_key", "")
        .build()
        .unwrap();
    key.list_customers().send().await.unwrap();
    let key = omnifund::Client::builder()
        .base_url(recorder.origin())
        .access_key("1", "key/+")
        .build()
        .unwrap();
    key.list_customers().send().await.unwrap();
    let registrar = mx::registration::Client::builder()
        .base_url(recorder.origin())
        .registration_token("dcr")
        .unwrap();
    registrar
        .build()
        .unwrap()
        .get_registered_client()
        .client_id("c")
        .send()
        .await
        .unwrap();
    let sent: Vec<_> = recorder
        .seen()
        .iter()
        .map(|seen| seen.header("authorization").unwrap().to_owned())
        .collect();
    assert_eq!(sent, ["Basic bGl2ZV9rZXk6", "Basic MTprZXkvKw==", "Bearer dcr"]);
}

#[tokio::test]
async fn two_hosts_get_what_is_theirs() {
    let reply = r#"{"access_token":"t","token_type":"bearer","refresh_token":"r"}"#;
    let oauth = Recorder::in_order([Answer::json(reply), Answer::empty(204)]).await;
    let api = Recorder::in_order([Answer::json(r#"{"data":[]}"#)]).await;
    let app = builder(&api)
        .oauth_base_url(oauth.origin())
        .revocation_endpoint(format!("{}/own/revoke", oauth.origin()));
    let user = connect!(finexer, app.build().unwrap(), NO_SCOPES);
    user.client().list_customers().send().await.unwrap();
    user.revoke().await.unwrap();
    assert_eq!(oauth.seen()[1].path(), "/own/revoke", "the path can be set");
    assert!(
        oauth.seen().iter().all(|seen| seen.header("authorization").is_none()),
        "the token stays with the resources"
    );
    assert!(
        api.seen()
            .iter()
            .all(|seen| seen.body.is_empty() && !seen.target.contains("secret"))
    );
}

#[tokio::test]
async fn forgetting_a_grant_sends_nothing_where_there_is_no_revocation() {
    let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
    let user = omnifund(&recorder).await;
    user.forget().await.unwrap();
    assert_eq!(recorder.seen().len(), 1);
    assert!(
        user.client()
            .list_customers()
            .send()
            .await
            .unwrap_err()
            .reauthorization_required()
    );
}

#[tokio::test]
async fn a_callers_own_http_client_is_the_one_that_is_used() {
    let recorder = Recorder::granting(|_, _| Answer::json("[]")).await;
    let mine = reqwest::Client::builder().user_agent("mine/1").build().unwrap();
    let app = builder::<ofx::Provider>(&recorder).http_client(mine).build().unwrap();
    app.client_credentials(["payments"])
        .unwrap()
        .list_beneficiaries()
        .send()
        .await
        .unwrap();
    assert!(
        recorder
            .seen()
            .iter()
            .all(|seen| seen.header("user-agent") == Some("mine/1"))
    );
}
