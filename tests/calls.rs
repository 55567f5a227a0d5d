//! How often a call is sent, and where to: tokens, repeats, redirects.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;
#[macro_use]
mod connected;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use connected::*;
use finrail::token::{self, ManualClock, ReauthorizationReason};
use finrail::transport::{ConnectionPoint, Outcome, Problem, Proof, RetryAfter, RetryPolicy};
use finrail::{Error, finexer, mx, ofx, tatrabanka};
use recorder::{Answer, Recorder, token};
use tokio::time::Instant;

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
    let concluded = (error.outcome(), error.proof());
    assert_eq!(concluded, (Outcome::Rejected, Some(Proof::Documented)));
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
            (error.status().unwrap().as_u16(), error.outcome(), error.proof()),
            (401, Outcome::Rejected, Some(Proof::Assumed))
        );
        assert_eq!((recorder.calls().len(), recorder.token_requests().len()), (1, 1));
        // The token is suspect: the next call has another one.
        own.get_quote().quote_id("q-1").send().await.unwrap();
        assert_eq!((recorder.calls().len(), recorder.token_requests().len()), (2, 2));
        assert_eq!(recorder.calls()[1].header("authorization"), Some("Bearer token-2"));
    }
}

#[tokio::test]
async fn after_a_401_without_a_reason_a_safe_call_is_sent_again() {
    let recorder = Recorder::granting(|seen, _| match seen.header("authorization") {
        Some("Bearer token-1") => Answer::status(401, "{}"),
        _ => Answer::json("{}"),
    })
    .await;
    service(&recorder).get_quote().quote_id("q-1").send().await.unwrap();
    assert_eq!((recorder.calls().len(), recorder.token_requests().len()), (2, 2));
}

#[tokio::test]
async fn payments_that_are_refused_without_a_reason_one_after_another_cause_one_refresh() {
    let recorder = Recorder::granting(|_, _| Answer::status(401, "{}")).await;
    let own = service(&recorder);
    for _ in 0..5 {
        let error = own.create_deal().body_map(|deal| deal).send().await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Rejected);
    }
    let calls = recorder.calls();
    let sent: Vec<_> = calls.iter().map(|call| call.header("authorization").unwrap()).collect();
    let (first, second) = ("Bearer token-1", "Bearer token-2");
    assert_eq!(sent, [first, second, second, second, second]);
    assert_eq!(recorder.token_requests().len(), 2);
}

#[tokio::test]
async fn a_grant_without_a_way_to_another_token_keeps_its_token_after_a_401_without_a_reason() {
    let recorder = Recorder::with_tokens(
        |_, _| Answer::json(r#"{"access_token":"token-1","token_type":"Bearer","expires_in":3600}"#),
        |seen, _| match seen.method.as_str() {
            "POST" => Answer::status(401, "{}"),
            _ => Answer::json("{}"),
        },
    )
    .await;
    let user = connect!(ofx, builder(&recorder).build().unwrap(), ["payments"]);
    let client = user.client();
    client.create_deal().body_map(|deal| deal).send().await.unwrap_err();
    client.get_quote().quote_id("q-1").send().await.unwrap();
    assert_eq!((recorder.calls().len(), recorder.token_requests().len()), (2, 1));
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
        matches!(&error, Error::Auth { error: token::Error::ReauthorizationRequired { reason: r, .. }, .. } if *r == reason),
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
            "`invalid_grant`; the code",
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
    assert_eq!(error.retry_after(), Some(RetryAfter::After(Duration::from_secs(3600))));
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
    for (failure, of_safe) in [
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
        assert_eq!((sent(), error.outcome()), (3, of_safe), "a safe call");
        assert!(error.is_retryable(), "nothing is changed by it");
        let error = own.create_deal().body_map(|deal| deal).send().await.unwrap_err();
        // Whoever stands in between may answer so after the provider carried it out.
        assert_eq!(
            (sent(), error.outcome()),
            (4, Outcome::Unknown),
            "a call that is sent once"
        );
        assert!(!error.is_retryable(), "it could be made twice");
        assert!(error.may_succeed_later(), "the caller may look and decide");
        let error = user
            .client()
            .refresh_accounts()
            .psu_ip_address("192.0.2.1")
            .send()
            .await
            .unwrap_err();
        assert_eq!((sent(), error.outcome()), (7, Outcome::Unknown), "an idempotent call");
        assert!(error.is_retryable(), "twice is the same as once");
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
        ..RetryPolicy::default()
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
