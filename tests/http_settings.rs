//! The HTTP client: what a caller sets, what finrail sets behind it, and what it leaves alone in the process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;
#[macro_use]
mod connected;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use connected::*;
use finrail::transport::{Outcome, RetryPolicy};
use finrail::{ConfigError, Error, ofx, tatrabanka};
use recorder::{Answer, Recorder};

/// A port on which nobody listens.
async fn nobody() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn what_the_caller_sets_holds_and_what_outcomes_depend_on_is_set_behind_it() {
    let elsewhere = Recorder::in_order([Answer::json("{}")]).await;
    let target = elsewhere.origin().to_owned();
    let recorder = Recorder::granting(move |_, _| Answer::redirect(307, &target)).await;
    let own = builder::<ofx::Provider>(&recorder)
        .http(|http| {
            http.user_agent("own/1")
                .redirect(reqwest::redirect::Policy::limited(10))
        })
        .build()
        .unwrap()
        .client_credentials(["payments"])
        .unwrap();
    let deal = own.create_deal().body_map(|deal| deal.quote_id("q-1".to_owned()));
    let error = deal.send().await.unwrap_err();
    assert_eq!(
        error.outcome(),
        Outcome::Unknown,
        "whoever redirects does not say what was done"
    );
    assert_eq!(elsewhere.seen().len(), 0, "no redirect is followed");
    assert_eq!(recorder.calls()[0].header("user-agent"), Some("own/1"));
}

#[tokio::test]
async fn a_call_that_gets_no_connection_is_known_not_to_have_left_with_settings_too() {
    let nobody = nobody().await;
    let own = ofx::Client::builder()
        .base_url(&nobody)
        .http(|http| http.connect_timeout(Duration::from_secs(2)))
        .token_source(Arc::new(connected::OneToken))
        .retry(RetryPolicy::none())
        .build()
        .unwrap();
    // Without a body nothing but the connection tells it.
    let error = own
        .create_deal()
        .body_map(|deal| deal.quote_id("q-1".to_owned()))
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
}

/// Whoever listens never answers TLS: a time of the HTTP client's own is up before there is a connection.
#[tokio::test]
async fn a_timeout_of_the_http_client_before_there_is_a_connection_leaves_nothing_sent() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("https://{}", silent.local_addr().unwrap());
    let answering = Recorder::granting(|_, _| Answer::Silence).await;
    let time = Duration::from_millis(150);
    for is_read in [false, true] {
        let with_time = move |http: reqwest::ClientBuilder| match is_read {
            true => http.read_timeout(time),
            false => http.timeout(time),
        };
        for (base, outcome) in [
            (silent.as_str(), Outcome::NotSent),
            (answering.origin(), Outcome::Unknown),
        ] {
            let own = ofx::Client::builder()
                .base_url(base)
                .http(with_time)
                .token_source(Arc::new(connected::OneToken))
                .retry(RetryPolicy::none())
                .build()
                .unwrap();
            let error = own.create_deal().body_map(|deal| deal).send().await.unwrap_err();
            assert_eq!(error.outcome(), outcome, "{base}: {error:?}");
            let Error::Connection(error) = error.into_untyped() else {
                panic!("{base}")
            };
            assert!(error.timeout, "{base}");
        }
        // A refresh token that was not sent is as good as it was.
        let app = builder::<tatrabanka::Provider>(&answering)
            .oauth_base_url(&silent)
            .http(with_time)
            .build()
            .unwrap();
        let tokens = finrail::oauth::ExistingTokens::refresh_token("refresh-1");
        let user: finrail::Connection<tatrabanka::Provider> = app.import("jo", tokens).await.unwrap();
        let error = user.client().list_accounts().send().await.unwrap_err();
        let Error::Auth { error, .. } = error.into_untyped() else {
            panic!("no token was asked for")
        };
        assert!(matches!(error, finrail::token::Error::Transient { .. }), "{error:?}");
    }
    assert_eq!(answering.calls().len(), 2);
}

#[tokio::test]
async fn settings_that_give_no_client_are_an_error_of_the_build() {
    let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
    let bad = reqwest::tls::Version::TLS_1_0;
    let error = builder::<ofx::Provider>(&recorder)
        .http(move |http| http.tls_version_max(bad))
        .build()
        .unwrap_err();
    assert!(matches!(error, ConfigError::HttpClient(_)), "{error:?}");
}

/// Runtimes one after the other, as `#[tokio::test]` makes them: connections die with the runtime that made them.
#[test]
fn fifty_runtimes_one_after_the_other_work_with_an_application_each_and_with_one_for_all() {
    let served = Arc::new(AtomicUsize::new(0));
    let server = tokio::runtime::Runtime::new().unwrap();
    let count = Arc::clone(&served);
    let recorder = server.block_on(Recorder::granting(move |_, _| {
        count.fetch_add(1, Ordering::Relaxed);
        Answer::json("{}")
    }));
    let for_all = service(&recorder);
    for round in 0..50 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            for own in [for_all.clone(), service(&recorder)] {
                // A call that is never sent twice has to find a living connection.
                let deal = own.create_deal().body_map(|deal| deal.quote_id(format!("q-{round}")));
                deal.send().await.unwrap();
            }
        });
    }
    assert_eq!(served.load(Ordering::Relaxed), 100, "every call arrived, once");
}
