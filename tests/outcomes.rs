//! What may be concluded when a call fails, all its attempts together.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;

use std::sync::Arc;
use std::time::Duration;

use finrail::token::{self, ManualClock};
use finrail::transport::{ConnectionPoint, Outcome, Problem, RetryAfter, RetryPolicy};
use finrail::{AppBuilder, Connection, Error, Provider, grant, ofx, tatrabanka};
use recorder::{Answer, Recorder, token};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const REDIRECT: &str = "https://app.example.com/callback";

fn builder<P: Provider>(recorder: &Recorder) -> AppBuilder<P> {
    finrail::App::<P>::builder()
        .base_url(recorder.origin())
        .credentials(finrail::Credentials::new("client", "secret"))
        .redirect_uri(REDIRECT)
        .retry(RetryPolicy {
            backoff: Duration::from_millis(1),
            ..RetryPolicy::default()
        })
}

async fn connect<P: grant::AuthorizationCode>(app: AppBuilder<P>, scope: &'static str) -> Connection<P> {
    let app = app.build().unwrap();
    let pending = app.authorize([scope]).unwrap().pending;
    let callback = format!("{REDIRECT}?code=code-1&state={}", pending.state().expose_secret());
    app.finish(pending, &callback).await.unwrap()
}

type Tatra = Connection<tatrabanka::Provider>;

/// A call that changes something, and may be repeated: a PUT.
async fn idempotent(user: &Tatra) -> Error {
    let call = user.client().refresh_accounts().psu_ip_address("192.0.2.1");
    call.send().await.unwrap_err().into_untyped()
}

/// A call that only reads.
async fn safe(user: &Tatra) -> Error {
    user.client().list_accounts().send().await.unwrap_err().into_untyped()
}

// --- time that is up before there is a connection

#[tokio::test]
async fn a_payment_that_still_waits_for_its_connection_was_not_sent() {
    // Whoever listens there never answers TLS.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let oauth = Recorder::granting(|_, _| Answer::empty(500)).await;
    let own = builder::<ofx::Provider>(&oauth)
        .base_url(format!("https://{}", silent.local_addr().unwrap()))
        .oauth_base_url(oauth.origin())
        .retry(RetryPolicy {
            attempts: 1,
            attempt_timeout: Duration::from_millis(200),
            ..RetryPolicy::default()
        })
        .build()
        .unwrap()
        .client_credentials(["payments"])
        .unwrap();
    let error = own.create_deal().body_map(|deal| deal).send().await.unwrap_err();
    let Error::Connection(error) = &error.into_untyped() else {
        panic!("not a connection's error");
    };
    assert_eq!((error.point, error.timeout), (ConnectionPoint::Connect, true));
    assert!(error.to_string().contains("no connection was made in time"), "{error}");
}

#[tokio::test]
async fn a_payment_that_left_and_has_no_answer_in_time_may_be_done() {
    let recorder = Recorder::granting(|_, _| Answer::Silence).await;
    let app = builder::<ofx::Provider>(&recorder).build().unwrap();
    let own = app.client_credentials(["payments"]).unwrap();
    let call = tokio::spawn(async move { own.create_deal().body_map(|deal| deal).send().await });
    while recorder.calls().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3600)).await;
    let error = call.await.unwrap().unwrap_err().into_untyped();
    let Error::Connection(connection) = &error else {
        panic!("not a connection's error");
    };
    assert_eq!((connection.point, connection.timeout), (ConnectionPoint::Sent, true));
    assert_eq!((error.outcome(), recorder.calls().len()), (Outcome::Unknown, 1));
}

// --- what an earlier attempt may have done

#[tokio::test]
async fn a_refusal_of_a_later_attempt_takes_back_nothing() {
    for lost in [
        Answer::Drop,
        Answer::status(503, "{}"),
        Answer::status(504, "{}"),
        // Somebody in between may have said so after the provider did it.
        Answer::status(429, "{}").header("retry-after", "0"),
        Answer::status(408, "{}"),
    ] {
        for status in [404, 409, 429] {
            let first = lost.clone();
            let recorder = Recorder::granting(move |_, before| match before % 3 {
                0 => first.clone(),
                _ => Answer::status(status, "{}").header("x-request-id", "r-2"),
            })
            .await;
            let user: Tatra = connect(builder(&recorder), "PREMIUM_AIS").await;
            let error = idempotent(&user).await;
            assert_eq!(error.outcome(), Outcome::Unknown, "{status}: {error:?}");
            assert_eq!(
                error.status().unwrap().as_u16(),
                status,
                "the last answer is the one that is told"
            );
            assert_eq!(error.request_id(), Some("r-2"));
            assert!(
                error.to_string().contains("an earlier attempt may have taken effect"),
                "{error}"
            );
        }
    }
    // An attempt that is known to be refused leaves no doubt, and what only reads leaves none in any case.
    let recorder = Recorder::granting(|_, before| match before {
        0 => Answer::invalid_token(),
        2 => Answer::Drop,
        _ => Answer::status(404, "{}"),
    })
    .await;
    let user: Tatra = connect(builder(&recorder), "PREMIUM_AIS").await;
    let error = idempotent(&user).await;
    assert_eq!(error.outcome(), Outcome::Rejected, "{error:?}");
    let error = safe(&user).await;
    assert_eq!(error.outcome(), Outcome::Rejected, "{error:?}");
    assert!(!error.to_string().contains("earlier"), "{error}");
    assert_eq!(recorder.calls().len(), 4);
}

#[tokio::test]
async fn a_connection_that_a_later_attempt_does_not_get_takes_back_nothing() {
    let oauth = Recorder::granting(|_, _| Answer::empty(500)).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    // Reads one request, answers nothing, and is gone.
    let once = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        drop(listener);
        let mut read = vec![0; 4096];
        assert!(stream.read(&mut read).await.unwrap() > 0);
        stream.shutdown().await.unwrap();
    });
    let app = builder(&oauth).base_url(origin).oauth_base_url(oauth.origin());
    let user: Tatra = connect(app, "PREMIUM_AIS").await;
    let error = idempotent(&user).await;
    once.await.unwrap();
    let Error::Connection(connection) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(connection.point, ConnectionPoint::Connect);
    assert!(connection.in_doubt && connection.request_id.is_some());
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(
        error.to_string().contains("an earlier attempt may have taken effect"),
        "{error}"
    );
    // The next call is another one, and never left.
    assert_eq!(idempotent(&user).await.outcome(), Outcome::NotSent);
}

#[tokio::test]
async fn a_token_that_a_later_attempt_does_not_get_takes_back_nothing() {
    for (reply, reauthorization) in [
        (Answer::status(400, r#"{"error":"invalid_grant"}"#), true),
        (Answer::status(503, "down"), false),
    ] {
        let clock = Arc::new(ManualClock::new());
        let passing = Arc::clone(&clock);
        let recorder = Recorder::with_tokens(
            move |_, before| match before {
                0 => Answer::json(token(1)),
                _ => reply.clone(),
            },
            move |_, _| {
                passing.advance(Duration::from_secs(3600));
                Answer::Drop
            },
        )
        .await;
        let user: Tatra = connect(builder(&recorder).clock(clock), "PREMIUM_AIS").await;
        let error = idempotent(&user).await;
        assert!(matches!(error, Error::Auth { .. }), "{error:?}");
        assert_eq!(error.outcome(), Outcome::Unknown, "{error:?}");
        assert!(
            error
                .to_string()
                .ends_with("; an earlier attempt may have taken effect"),
            "{error}"
        );
        assert_eq!(error.reauthorization_required(), reauthorization);
        assert_eq!(recorder.calls().len(), 1);
        // The next call is another one, and never left.
        let error = idempotent(&user).await;
        assert_eq!(error.outcome(), Outcome::NotSent, "{error:?}");
    }
}

#[tokio::test]
async fn a_call_for_which_there_was_never_a_token_was_not_sent() {
    for reply in [
        Answer::status(401, r#"{"error":"invalid_client"}"#),
        Answer::status(503, "down"),
        Answer::Drop,
    ] {
        let recorder = Recorder::with_tokens(move |_, _| reply.clone(), |_, _| Answer::json("{}")).await;
        let app = builder::<ofx::Provider>(&recorder).build().unwrap();
        let own = app.client_credentials(["payments"]).unwrap();
        let error = own.create_deal().body_map(|deal| deal).send().await.unwrap_err();
        assert!(matches!(error, Error::Auth { .. }), "{error:?}");
        assert_eq!((error.outcome(), recorder.calls().len()), (Outcome::NotSent, 0));
    }
    // Rejected, and then no other token: the provider saw the call.
    let recorder = Recorder::with_tokens(
        |_, before| match before {
            0 => Answer::json(token(1)),
            _ => Answer::status(400, r#"{"error":"invalid_grant"}"#),
        },
        |_, _| Answer::invalid_token(),
    )
    .await;
    let user: Tatra = connect(builder(&recorder), "PREMIUM_AIS").await;
    let error = idempotent(&user).await;
    let Error::Auth { error: reason, outcome } = &error else {
        panic!("{error:?}")
    };
    assert!(
        matches!(reason, token::Error::ReauthorizationRequired { .. }),
        "{reason:?}"
    );
    assert_eq!(*outcome, Outcome::Rejected);
}

// --- redirects that a caller's own client follows

fn following() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::limited(3))
        .build()
        .unwrap()
}

#[tokio::test]
async fn whoever_answers_behind_a_redirect_does_not_answer_a_call_that_changes_something() {
    for status in [301, 302, 303] {
        for elsewhere in [
            Answer::status(404, "{}"),
            Answer::status(200, "{}"),
            Answer::status(503, "{}"),
            Answer::invalid_token(),
            Answer::redirect(302, "/elsewhere"),
        ] {
            let behind = elsewhere.clone();
            let recorder = Recorder::granting(move |seen, _| match seen.path() {
                "/elsewhere" => behind.clone(),
                _ => Answer::redirect(status, "/elsewhere"),
            })
            .await;
            let own = builder::<ofx::Provider>(&recorder)
                .http_client(following())
                .build()
                .unwrap()
                .client_credentials(["payments", "ofxrates"])
                .unwrap();
            let error = own.create_deal().body_map(|deal| deal).send().await.unwrap_err();
            assert_eq!(error.outcome(), Outcome::Unknown, "{status}: {error:?}");
            let sent = || recorder.calls().iter().filter(|call| call.method == "POST").count();
            assert_eq!(sent(), 1, "{status}: a redirect made it twice");
            match &error {
                Error::InvalidReply(reply) => assert!(matches!(reply.problem, Problem::Redirect), "{error}"),
                Error::Connection(connection) => assert_eq!(connection.point, ConnectionPoint::Sent, "too many"),
                other => panic!("{other:?}"),
            }
        }
    }
    // What only reads may be read elsewhere on the origin.
    let recorder = Recorder::granting(|seen, _| match seen.path() {
        "/elsewhere" => Answer::json("{}"),
        _ => Answer::redirect(302, "/elsewhere"),
    })
    .await;
    let app = builder::<ofx::Provider>(&recorder).http_client(following());
    let own = app.build().unwrap().client_credentials(["payments"]).unwrap();
    own.get_quote().quote_id("q").send().await.unwrap();
}

/// Behind a redirect to its own address a call is another one: its refusal says nothing of the first.
#[tokio::test]
async fn with_an_own_http_client_no_refusal_shows_that_a_call_had_no_effect() {
    for status in [301, 302, 303] {
        // Not even one that names the token, for which the call is not sent again.
        for refusal in [
            Answer::status(404, r#"{"message":"no such deal"}"#),
            Answer::invalid_token(),
        ] {
            let recorder = Recorder::granting(move |seen, _| match seen.method.as_str() {
                "POST" => Answer::redirect(status, seen.path()),
                _ => refusal.clone(),
            })
            .await;
            let app = builder::<ofx::Provider>(&recorder).http_client(following());
            let own = app.build().unwrap();
            let own = own.client_credentials(["payments", "ofxrates"]).unwrap();
            let error = own.create_deal().body_map(|deal| deal).send().await.unwrap_err();
            let concluded = (error.outcome(), error.proof());
            assert_eq!(concluded, (Outcome::Unknown, None), "{status}: {error}");
            let methods: Vec<_> = recorder.calls().iter().map(|call| call.method.clone()).collect();
            assert_eq!(methods, ["POST", "GET"], "{status}");
        }
    }
    // A call that only reads had no effect in any case.
    let recorder = Recorder::granting(|_, _| Answer::status(404, r#"{"message":"no such quote"}"#)).await;
    let app = builder::<ofx::Provider>(&recorder).http_client(following());
    let own = app.build().unwrap().client_credentials(["payments"]).unwrap();
    let error = own.get_quote().quote_id("q").send().await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Rejected, "{error}");
}

/// Somebody who may pay, with an HTTP client that follows redirects.
async fn paying(recorder: &Recorder) -> Tatra {
    paying_with(recorder, following()).await
}

async fn paying_with(recorder: &Recorder, http: reqwest::Client) -> Tatra {
    let app = builder(recorder).http_client(http).build().unwrap();
    let scope = tatrabanka::Scope::PremiumPis.of("a");
    let pending = app.authorize([scope]).unwrap().pending;
    let callback = format!("{REDIRECT}?code=code-1&state={}", pending.state().expose_secret());
    app.finish(pending, &callback).await.unwrap()
}

/// Behind a redirect to its own address stands a GET: its success is none of the call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_an_own_http_client_a_success_behind_a_redirect_is_no_payment() {
    let success = r#"{"deals":[{"id":"of-yesterday"}],"count":1,"authorizationId":"a"}"#;
    for status in [301, 302, 303] {
        let recorder = Recorder::granting(move |seen, _| match seen.method.as_str() {
            "GET" => Answer::json(success),
            _ => Answer::redirect(status, seen.path()),
        })
        .await;
        let app = builder::<ofx::Provider>(&recorder).http_client(following());
        let own = app.build().unwrap().client_credentials(["payments"]).unwrap();
        let error = own.create_deal().body_map(|deal| deal).send().await.unwrap_err();
        let user = paying(&recorder).await;
        let submitted = user.client().submit_payment().product("sepa-credit-transfers");
        let submitted = submitted.payment_id("p").authorization_id("a").send().await;
        for error in [error.into_untyped(), submitted.unwrap_err().into_untyped()] {
            assert_eq!(
                (error.outcome(), error.proof()),
                (Outcome::Unknown, None),
                "{status}: {error}"
            );
            assert!(
                matches!(&error, Error::InvalidReply(reply) if matches!(reply.problem, Problem::Redirect)),
                "{status}: {error}"
            );
        }
        // Of a PUT the first two keep the method, and there is nothing to send again.
        let methods: Vec<_> = recorder.calls().iter().map(|call| call.method.clone()).collect();
        let expected: &[&str] = match status {
            303 => &["POST", "GET", "PUT", "GET"],
            _ => &["POST", "GET", "PUT"],
        };
        assert_eq!(methods, expected, "{status}");
    }
}

/// A client that may follow redirects and has none to follow gets the answer, over new connections and kept ones, one call at
/// a time and many at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_an_own_http_client_a_success_without_a_redirect_is_one() {
    let recorder = Recorder::granting(move |seen, n| {
        let success = match seen.method.as_str() {
            "POST" => Answer::json(r#"{"deals":[{"id":"d"}],"count":1}"#),
            _ => Answer::json("{}"),
        };
        match n % 3 {
            0 => success.header("connection", "close"),
            _ => success,
        }
    })
    .await;
    let app = builder::<ofx::Provider>(&recorder).http_client(following());
    let own = app.build().unwrap().client_credentials(["payments"]).unwrap();
    let user = paying(&recorder).await;
    let both = || async {
        own.create_deal().body_map(|deal| deal).send().await.unwrap();
        let submitted = user.client().submit_payment().product("sepa-credit-transfers");
        submitted.payment_id("p").authorization_id("a").send().await.unwrap();
    };
    for _ in 0..50 {
        both().await;
    }
    for _ in 0..10 {
        futures_util::future::join_all((0..10).map(|_| both())).await;
    }
    assert_eq!(recorder.calls().len(), 300);
}

#[tokio::test]
async fn a_page_of_another_list_is_no_page_of_this_one() {
    let recorder = Recorder::granting(|seen, _| match seen.path() {
        "/v5/accounts/a/transactions" => Answer::redirect(302, "/v5/accounts/b/transactions"),
        "/v5/accounts/c/transactions" => Answer::redirect(302, "/v5/accounts/c/transactions/"),
        _ => Answer::json(r#"{"transactions":[{"transactionId":"b1"}]}"#),
    })
    .await;
    let user: Tatra = connect(builder(&recorder).http_client(following()), "PREMIUM_AIS").await;
    let listed = |account| user.client().list_transactions().account_id(account);
    let error = listed("a").send().await.unwrap_err();
    assert!(
        matches!(&error, Error::InvalidReply(reply) if matches!(reply.problem, Problem::Redirect)),
        "{error}"
    );
    let error = listed("a").items().next().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::InvalidReply(_)), "{error}");
    assert_eq!(listed("c").send().await.unwrap().transactions.len(), 1);
}

/// A redirect may keep the method (307, 308; of a PUT 301 and 302 too): a call without a body has nothing that a client could
/// not send again, and is not sent again.
#[tokio::test]
async fn a_payment_without_a_body_is_carried_out_nowhere_else() {
    for status in [301, 302, 303, 307, 308] {
        let other = Recorder::in_order([Answer::json("{}")]).await;
        for elsewhere in ["/elsewhere".to_owned(), format!("{}/elsewhere", other.origin())] {
            let behind = elsewhere.clone();
            let recorder = Recorder::granting(move |seen, _| match seen.path() {
                "/elsewhere" => Answer::json("{}"),
                _ => Answer::redirect(status, behind.clone()),
            })
            .await;
            let user = paying(&recorder).await;
            let payment = user.client().submit_payment().product("sepa-credit-transfers");
            let payment = payment.payment_id("p").authorization_id("a");
            let error = payment.send().await.unwrap_err();
            let what = format!("{status} to {elsewhere}: {error:?}");
            assert_eq!(error.outcome(), Outcome::Unknown, "{what}");
            let seen = recorder.calls().into_iter().chain(other.seen());
            let sent: Vec<_> = seen.filter(|seen| seen.method == "PUT").collect();
            assert_eq!(sent.len(), 1, "{what}");
            // RFC 9110 section 8.6: it has no body, and says so.
            assert_eq!(sent[0].header("content-length"), Some("0"), "{what}");
        }
    }
}

/// Nothing of it can be held back when the time of the caller's own HTTP client is up.
#[tokio::test]
async fn a_payment_without_a_body_that_has_no_answer_in_the_time_of_the_http_client_may_be_done() {
    let recorder = Recorder::granting(|_, _| Answer::Silence).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().timeout(Duration::from_secs(2));
    let user = paying_with(&recorder, http.build().unwrap()).await;
    let payment = user.client().submit_payment().product("sepa-credit-transfers");
    let error = payment.payment_id("p").authorization_id("a").send().await.unwrap_err();
    let Error::Connection(connection) = &error else {
        panic!("not a connection's error");
    };
    assert_eq!((connection.point, connection.timeout), (ConnectionPoint::Sent, true));
    assert_eq!((error.outcome(), recorder.calls().len()), (Outcome::Unknown, 1));
}

/// Where nobody listens.
async fn nowhere() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_redirect_to_where_nobody_listens_does_not_unsend_the_request() {
    for elsewhere in [nowhere().await, "gopher://bank.example/".to_owned()] {
        for status in [301, 302, 303] {
            let behind = elsewhere.clone();
            let recorder = Recorder::granting(move |_, _| Answer::redirect(status, behind.clone())).await;
            let app = builder::<ofx::Provider>(&recorder).http_client(following());
            let own = app.build().unwrap().client_credentials(["payments"]).unwrap();
            let error = own.create_deal().body_map(|deal| deal).send().await.unwrap_err();
            assert_eq!(error.outcome(), Outcome::Unknown, "{status}: {error:?}");
            assert_eq!(recorder.calls().len(), 1, "{status}");
            // Without a body as well.
            let app = builder(&recorder).http_client(following());
            let user: Tatra = connect(app, "PREMIUM_AIS").await;
            let error = idempotent(&user).await;
            assert_eq!(error.outcome(), Outcome::Unknown, "{status}: {error:?}");
        }
    }
    // A request that got no connection itself was not sent, whoever made the client.
    let oauth = Recorder::granting(|_, _| Answer::empty(500)).await;
    let app = builder::<ofx::Provider>(&oauth)
        .base_url(nowhere().await)
        .oauth_base_url(oauth.origin())
        .http_client(following());
    let own = app.build().unwrap().client_credentials(["payments"]).unwrap();
    let error = own.create_deal().body_map(|deal| deal).send().await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent, "{error:?}");
}

#[tokio::test]
async fn a_refresh_that_was_redirected_to_where_nobody_listens_is_in_doubt() {
    let elsewhere = nowhere().await;
    let recorder = Recorder::with_tokens(
        move |_, before| match before {
            0 => Answer::json(token(1)),
            _ => Answer::redirect(303, elsewhere.clone()),
        },
        |_, _| Answer::json(r#"{"accounts":[]}"#),
    )
    .await;
    let clock = Arc::new(ManualClock::new());
    let app = builder(&recorder).clock(clock.clone()).http_client(following());
    let user: Tatra = connect(app, "PREMIUM_AIS").await;
    clock.advance(Duration::from_secs(3600));
    let error = safe(&user).await;
    let Error::Auth { error: reason, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(matches!(reason, token::Error::InDoubt { .. }), "{reason:?}");
}

// --- refusals whose body does not come whole

/// The headers of a reply and half of its body: then silence, or the end.
fn torn(status: &str, header: &str, silence: Duration) -> Answer {
    let head = format!(
        "HTTP/1.1 {status} Told\r\ncontent-type: application/json\r\nx-request-id: r-1\r\n{header}\r\ncontent-length: 100\r\n\r\n{{"
    );
    Answer::Pieces(vec![(Duration::ZERO, head.into_bytes()), (silence, Vec::new())])
}

#[tokio::test]
async fn what_the_headers_of_a_refusal_ask_for_does_not_depend_on_its_body() {
    for silence in [Duration::ZERO, Duration::from_secs(60)] {
        for (status, header, requests, tokens) in [
            ("401", r#"www-authenticate: Bearer error="invalid_token""#, 2, 2),
            ("429", "retry-after: 0", 2, 1),
            // Longer than is waited for.
            ("429", "retry-after: 3600", 1, 1),
            ("503", "retry-after: 3600", 1, 1),
        ] {
            let recorder = Recorder::granting(move |_, before| match before {
                0 => torn(status, header, silence),
                _ => Answer::json(r#"{"accounts":[]}"#),
            })
            .await;
            let app = builder(&recorder).retry(RetryPolicy {
                attempt_timeout: Duration::from_millis(300),
                backoff: Duration::from_millis(1),
                ..RetryPolicy::default()
            });
            let user: Tatra = connect(app, "PREMIUM_AIS").await;
            let result = user.client().list_accounts().send().await;
            let what = format!("{status}, {header}, {silence:?}");
            assert_eq!(recorder.calls().len(), requests, "{what}");
            assert_eq!(recorder.token_requests().len(), tokens, "{what}");
            assert_eq!(result.is_ok(), requests == 2, "{what}");
            if let Err(error) = result {
                let asked = RetryAfter::After(Duration::from_secs(3600));
                assert_eq!(error.retry_after(), Some(asked), "{what}");
                assert_eq!(error.request_id(), Some("r-1"), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_torn_refusal_of_a_later_attempt_says_that_an_earlier_one_is_in_doubt() {
    let recorder = Recorder::granting(|_, before| match before {
        0 => Answer::Drop,
        _ => torn("409", "x-a: b", Duration::ZERO),
    })
    .await;
    let user: Tatra = connect(builder(&recorder), "PREMIUM_AIS").await;
    let error = idempotent(&user).await;
    assert!(matches!(error, Error::Connection(_)), "{error:?}");
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(
        error
            .to_string()
            .ends_with("; an earlier attempt may have taken effect"),
        "{error}"
    );
}

// --- token requests

#[tokio::test(start_paused = true)]
async fn a_slow_banks_refresh_is_waited_for_as_long_as_the_app_says() {
    let slow = |n: usize| {
        let body = token(n);
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Answer::Pieces(vec![
            (Duration::from_secs(25), head.into_bytes()),
            (Duration::ZERO, body.into_bytes()),
        ])
    };
    let recorder = Recorder::with_tokens(
        move |_, before| match before {
            0 => Answer::json(token(1)),
            n => slow(n + 1),
        },
        |_, _| Answer::json(r#"{"accounts":[]}"#),
    )
    .await;
    let clock = Arc::new(ManualClock::new());
    let user: Tatra = connect(builder(&recorder).clock(clock.clone()), "PREMIUM_AIS").await;
    clock.advance(Duration::from_secs(3600));
    user.client().list_accounts().send().await.unwrap();
    assert_eq!(
        recorder.token_requests().len(),
        2,
        "its refresh token was not taken for lost"
    );
}

#[tokio::test]
async fn a_refresh_that_never_left_leaves_the_refresh_token_as_good_as_it_was() {
    let recorder = Recorder::granting(|_, _| Answer::json(r#"{"accounts":[]}"#)).await;
    let closed = Recorder::in_order([Answer::Drop]).await.origin().to_owned();
    let user: Tatra = connect(builder(&recorder), "PREMIUM_AIS").await;
    // The same authorization server, as far as keys go, with nobody at home.
    let app = builder::<tatrabanka::Provider>(&recorder)
        .oauth_base_url(closed)
        .build()
        .unwrap();
    let pending = app.authorize(["PREMIUM_AIS"]).unwrap().pending;
    let callback = format!("{REDIRECT}?code=c&state={}", pending.state().expose_secret());
    let error = app.finish(pending, &callback).await.unwrap_err();
    assert_eq!(error.verdict(), token::Verdict::NotSent);
    assert!(error.is_retryable());
    user.client().list_accounts().send().await.unwrap();
}

#[tokio::test]
async fn a_search_that_an_own_http_client_made_another_question_of_has_no_answer() {
    use own_bank::types::Search;

    for status in [301, 302, 303] {
        let recorder = Recorder::granting(move |seen, _| match seen.method.as_str() {
            "POST" => Answer::redirect(status, seen.path()),
            _ => Answer::json(r#"{"bookings":[{"id":"all-1"}],"next_cursor":"","has_more":false}"#),
        })
        .await;
        let own = own_bank::Client::builder()
            .base_url(recorder.origin())
            .credentials(own_bank::Credentials::new("client", "s3cr3t"))
            .client_credentials([own_bank::Scope::Accounts])
            .http_client(following())
            .build()
            .unwrap();
        let search = Search::builder().text("rent");
        let error = own.search_bookings().body(search).send().await.unwrap_err();
        assert!(
            matches!(&error, Error::InvalidReply(reply) if matches!(reply.problem, Problem::Redirect)),
            "{error}"
        );
        let methods: Vec<_> = recorder.calls().iter().map(|call| call.method.clone()).collect();
        assert_eq!(methods, ["POST", "GET"], "{status}");
    }
}
