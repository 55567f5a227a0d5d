//! How many calls are made at once and in a time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;
#[macro_use]
mod connected;

use std::time::Duration;

use connected::*;
use finrail::transport::{CallOptions, LimitKind, Limited, Limits, Outcome, RetryAfter, RetryPolicy};
use finrail::{Error, finexer, ofx};
use recorder::{Answer, Recorder};

const HOUR: Duration = Duration::from_secs(3600);

fn limited<E: std::fmt::Debug>(error: Error<E>) -> Limited {
    assert_eq!(
        (error.outcome(), error.is_retryable(), &*error.kind()),
        (Outcome::NotSent, true, "limited")
    );
    match error {
        Error::Limited(limited) => limited,
        other => panic!("{other:?}"),
    }
}

fn with(recorder: &Recorder, limits: Limits) -> ofx::Client {
    let app = builder::<ofx::Provider>(recorder).limits(limits).build().unwrap();
    app.client_credentials(["payments"]).unwrap()
}

#[tokio::test]
async fn a_call_for_which_there_is_no_room_is_not_sent_and_says_when_there_will_be() {
    let recorder = Recorder::granting(|_, _| Answer::json(r#"{"id":"q"}"#)).await;
    // The whole call has less time than it would have to wait.
    let own = with(&recorder, Limits::new().rate(1, HOUR));
    own.get_quote().quote_id("q").send().await.unwrap();
    let error = own.get_quote().quote_id("q").send().await.unwrap_err();
    assert!(
        matches!(error.retry_after(), Some(RetryAfter::After(wait)) if wait <= HOUR && wait > HOUR / 2),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("get_quote: the call was not sent"),
        "{error}"
    );
    assert_eq!(limited(error).limit, LimitKind::Rate);
    assert_eq!(recorder.calls().len(), 1);
    // All clients of an application count together, and those of another one do not.
    let app = builder::<ofx::Provider>(&recorder)
        .limits(Limits::new().rate(1, HOUR).refuse())
        .build()
        .unwrap();
    let (one, two) = (
        app.client_credentials(["payments"]).unwrap(),
        app.client_credentials(["payments", "ofxrates"]).unwrap(),
    );
    one.get_quote().quote_id("q").send().await.unwrap();
    assert_eq!(
        limited(two.get_quote().quote_id("q").send().await.unwrap_err()).limit,
        LimitKind::Rate
    );
    assert_eq!(recorder.calls().len(), 2);
}

#[tokio::test]
async fn no_more_calls_are_under_way_than_are_allowed() {
    let recorder = Recorder::granting(|_, _| Answer::Silence).await;
    let own = with(&recorder, Limits::new().concurrent(2));
    let call = |seconds| {
        let options = CallOptions::new()
            .deadline(Duration::from_millis(seconds))
            .retry(RetryPolicy::none());
        let call = own.get_quote().quote_id("q").with(options);
        async move { call.send().await.unwrap_err() }
    };
    own.get_quote()
        .quote_id("q")
        .with(CallOptions::new().deadline(Duration::from_millis(1)))
        .send()
        .await
        .unwrap_err();
    let sent_before = recorder.calls().len();
    let (first, second, third) = tokio::join!(call(600), call(600), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        call(100).await
    });
    assert_eq!(limited(third).limit, LimitKind::Concurrent);
    assert_eq!(recorder.calls().len() - sent_before, 2);
    for error in [first, second] {
        assert!(matches!(error, Error::Connection(_)), "{error:?}");
    }
}

#[tokio::test]
async fn an_attempt_for_which_there_is_no_room_leaves_the_answer_of_the_one_before() {
    let recorder = Recorder::granting(|_, _| Answer::status(503, "{}")).await;
    let own = with(&recorder, Limits::new().rate(1, HOUR));
    let error = own.get_quote().quote_id("q").send().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(503), "{error:?}");
    assert_eq!(recorder.calls().len(), 1);
}

#[tokio::test]
async fn a_provider_that_asks_for_time_is_left_alone_by_all_calls() {
    let recorder = Recorder::granting(|_, _| Answer::status(429, "{}").header("retry-after", "600")).await;
    let own = with(&recorder, Limits::new().concurrent(9));
    let error = own.get_quote().quote_id("q").send().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(429));
    assert_eq!(
        limited(own.get_quote().quote_id("q").send().await.unwrap_err()).limit,
        LimitKind::RetryAfter
    );
    assert_eq!(recorder.calls().len(), 1);
}

#[tokio::test]
async fn a_provider_that_asks_for_time_in_words_that_cannot_be_read_is_left_alone_too() {
    for (asked, least) in [("soon", 50), ("soon, 0", 50), ("soon, 600", 590)] {
        let recorder = Recorder::granting(move |_, _| Answer::status(429, "{}").header("retry-after", asked)).await;
        let own = with(&recorder, Limits::new().concurrent(9).refuse());
        own.get_quote().quote_id("q").send().await.unwrap_err();
        let refused = limited(own.get_quote().quote_id("q").send().await.unwrap_err());
        assert_eq!(refused.limit, LimitKind::RetryAfter, "{asked}");
        assert!(refused.retry_after > Some(Duration::from_secs(least)), "{asked}");
        assert_eq!(recorder.calls().len(), 1, "{asked}");
    }
}

#[tokio::test]
async fn the_providers_own_limit_holds_where_it_is_asked_for_and_by_what_the_provider_counts() {
    let recorder = Recorder::granting(|_, _| Answer::json(r#"{"status":"running"}"#)).await;
    for (limits, sent) in [(Limits::new().of_the_provider(), 2), (Limits::new(), 3)] {
        let before = recorder.calls().len();
        let client = finexer::Client::builder()
            .base_url(recorder.origin())
            .access_key("key", "")
            .with(|app| app.limits(limits))
            .build()
            .unwrap();
        client.start_sync().bank_account_id("ba_1").send().await.unwrap();
        client.start_sync().bank_account_id("ba_2").send().await.unwrap();
        let again = client.start_sync().bank_account_id("ba_1").send().await;
        assert_eq!(recorder.calls().len() - before, sent);
        if sent == 2 {
            assert_eq!(limited(again.unwrap_err()).limit, LimitKind::Provider);
        }
    }
}

#[tokio::test]
async fn a_token_that_is_replaced_and_a_refusal_leave_room_for_the_providers_limit() {
    let recorder = Recorder::granting(|_, before| match before {
        0 => Answer::invalid_token(),
        1 => Answer::json(r#"{"status":"running"}"#),
        2 => Answer::status(404, r#"{"error":{"message":"x"}}"#),
        _ => Answer::json(r#"{"status":"running"}"#),
    })
    .await;
    let app = builder::<finexer::Provider>(&recorder)
        .limits(Limits::new().of_the_provider())
        .build()
        .unwrap();
    let user = connect!(finexer, app, NO_SCOPES);
    let sync = |account: &str| user.client().start_sync().bank_account_id(account);
    sync("ba_1").send().await.unwrap();
    assert_eq!(
        recorder.calls().len(),
        2,
        "the call and its repetition with another token"
    );
    sync("ba_2").send().await.unwrap_err();
    sync("ba_2").send().await.unwrap();
    assert_eq!(
        limited(sync("ba_2").send().await.unwrap_err()).limit,
        LimitKind::Provider
    );
}

#[tokio::test]
async fn where_there_is_no_room_for_the_repetition_the_401_is_the_answer() {
    let recorder = Recorder::granting(|_, _| Answer::invalid_token()).await;
    let own = with(&recorder, Limits::new().rate(1, HOUR));
    let error = own.get_quote().quote_id("q").send().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(401), "{error:?}");
    assert_eq!(recorder.calls().len(), 1);
}
