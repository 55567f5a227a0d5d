//! Calls whose success has no described body: what comes in its place all the same.
#![cfg(all(feature = "omnifund", feature = "tatrabanka"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;
#[macro_use]
mod connected;

use std::sync::Arc;

use connected::OneToken;
use finrail::transport::{CallOptions, Outcome, Problem};
use finrail::{Error, omnifund, tatrabanka};
use recorder::{Answer, Recorder};

/// A consent and a passport are deleted, and this is the answer: both end in the same way.
async fn deleted(answer: Answer) -> Result<(), Error> {
    let recorder = Recorder::granting(move |_, _| answer.clone()).await;
    let bank = tatrabanka::service::Client::builder()
        .base_url(recorder.origin())
        .token_source(Arc::new(OneToken));
    let consent = bank.build().unwrap().delete_consent().consent_id("c").send().await;
    let fund = omnifund::Client::builder()
        .base_url(recorder.origin())
        .token_source(Arc::new(OneToken));
    let passport = fund.build().unwrap().delete_passport().id("p").send().await;
    assert_eq!(consent.is_ok(), passport.is_ok());
    consent.map(|_| ()).map_err(Error::into_untyped)
}

#[tokio::test]
async fn nothing_and_what_tells_of_no_error_are_a_success() {
    for answer in [
        Answer::empty(204),
        Answer::empty(200),
        Answer::typed(200, "text/plain", " \r\n"),
        Answer::typed(200, "text/plain", "OK"),
        Answer::typed(200, "text/plain", "the consent was deleted, see you again"),
        Answer::json("null"),
        Answer::json("{}"),
        Answer::json("[]"),
        Answer::json(r#"{"id":"c","deleted":true}"#),
        Answer::json(r#"{"success":true,"message":"it is gone","id":"c"}"#),
        Answer::json(r#"{"error":null,"errors":[],"id":"c"}"#),
        Answer::json(r#"{"message":"Template deleted"}"#),
        Answer::json(r#"{"success":true,"message":"deleted"}"#),
        Answer::json(r#"{"status":"success","message":"deleted"}"#),
        Answer::json(r#"{"code":"200","message":"OK","data":null}"#),
        Answer::status(202, r#"{"message":"Accepted"}"#),
        Answer::json(r#"{"data":{"message":"deleted"}}"#),
        Answer::json(r#"{"status":"deleted","reason":"user request"}"#),
        Answer::json(r#"{"title":"Deleted","status":200,"detail":"gone"}"#),
        Answer::json(r#"{"errorCode":"0","errorMessage":""}"#),
        Answer::json(r#"{"error":{"code":null,"message":null}}"#),
        Answer::json(r#"{"Response":{"Code":"00","Message":"Approved"}}"#),
        Answer::json(r#"[{"id":"c","status":"deleted"}]"#),
        Answer::json(r#""OK""#),
        Answer::json("OK"),
        Answer::json("Deleted"),
        Answer::json("success"),
        Answer::json("Consent deleted"),
        Answer::json(r#"{"code":"REVOKED","message":"consent revoked"}"#),
        Answer::json(r#"{"code":1,"message":"Deleted successfully"}"#),
        Answer::html(200, "OK"),
        Answer::html(200, "1"),
        Answer::html(200, "true"),
        Answer::html(200, "null"),
        Answer::html(200, "[]"),
        Answer::html(200, "[1, 2]"),
        Answer::html(200, r#""it is deleted""#),
        Answer::html(200, r#"{"deleted":true}"#),
    ] {
        let shown = format!("{answer:?}");
        deleted(answer).await.unwrap_or_else(|error| panic!("{shown}: {error}"));
    }
}

#[tokio::test]
async fn an_error_and_somebody_elses_page_are_none() {
    for answer in [
        Answer::json(r#"{"errorCode":"CONSENT_IN_USE","errorDescription":"the consent was not deleted"}"#),
        Answer::json(r#"{"error":"x"}"#),
        Answer::json(r#" {"errors":[{"code":"x"}],"id":"c"}"#),
        Answer::json(r#"{"success":false}"#),
        Answer::json(r#"{"status":403,"message":"no"}"#),
        Answer::json(r#"{"error":"half a sur\ud800rogate"}"#),
        Answer::json(r#"{"error":"x""#),
        Answer::html(200, "<html>log in</html>"),
        Answer::json(r#"{"code":"CONSENT_IN_USE","message":"not deleted"}"#),
        Answer::json(r#"{"id":"c","deleted":false}"#),
        Answer::json(r#"[{"errorCode":"CONSENT_IN_USE"}]"#),
        Answer::json("false"),
        Answer::json(r#""error""#),
        Answer::json("gone"),
        Answer::json("Error: consent in use"),
        Answer::json("Forbidden"),
        Answer::json("Consent deleted by another"),
        Answer::json(r#""no""#),
        Answer::json("no"),
        Answer::typed(200, "text/plain", "No consent was deleted"),
        Answer::typed(200, "text/plain", "Nothing deleted"),
        Answer::typed(200, "text/plain", "Forbidden"),
        Answer::typed(200, "application/problem+json", "{}"),
        Answer::typed(200, "application/problem+xml", ""),
        Answer::typed(200, "application/vnd.Error+json; charset=utf-8", "{}"),
        Answer::html(200, "please log in"),
        Answer::html(200, "OK<br>"),
        Answer::typed(200, "application/json", "\u{feff}<!doctype html>"),
        Answer::typed(200, "application/xml", "<error/>"),
    ] {
        let shown = format!("{answer:?}");
        let error = deleted(answer).await.expect_err(&shown);
        assert_eq!(error.outcome(), Outcome::Unknown, "{shown}");
        let Error::InvalidReply(reply) = error else {
            panic!("{shown}: {error}")
        };
        assert!(
            matches!(reply.problem, Problem::Decode { .. } | Problem::NotJson { .. }),
            "{shown}: {reply:?}"
        );
        assert!(!format!("{reply:?} {reply}").contains("CONSENT_IN_USE"), "{reply:?}");
    }
}

#[tokio::test]
async fn what_came_can_be_kept() {
    let recorder = Recorder::granting(|_, _| Answer::json(r#"{"deleted":true}"#)).await;
    let bank = tatrabanka::service::Client::builder()
        .base_url(recorder.origin())
        .token_source(Arc::new(OneToken))
        .build()
        .unwrap();
    let call = bank.delete_consent().consent_id("c");
    let reply = call.with(CallOptions::new().keep_body()).send().await.unwrap();
    assert_eq!(reply.raw_body(), Some(&br#"{"deleted":true}"#[..]));
    let reply = bank.delete_consent().consent_id("c").send().await.unwrap();
    assert!(reply.raw_body().is_none());
}
