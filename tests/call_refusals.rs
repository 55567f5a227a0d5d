//! Replies that refuse a call: whether it is sent once more, what may be concluded, what the caller may do next.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;
#[macro_use]
mod connected;

use std::time::Duration;

use connected::*;
use finrail::transport::{Outcome, Proof, RetryAfter, RetryPolicy};
use finrail::{Error, ofx, tatrabanka};
use recorder::{Answer, Recorder};
use tokio::time::Instant;

/// 401s of which none says that the access token is the reason: the fields `WWW-Authenticate` of each.
const OTHER_REASONS: &[&[&str]] = &[
    &[r#"Bearer error="insufficient_scope", error_description="not error=invalid_token""#],
    &[r#"Bearer error="insufficient_scope", error_description="not error=\"invalid_token\"""#],
    &[r#"Bearer error="invalid_token_binding""#],
    &[r#"Bearer realm="error=invalid_token""#],
    &[r#"Basic realm="Bearer error=\"invalid_token\"""#],
    &[r#"DPoP error="invalid_token", algs="ES256""#],
    &[r#"Bearer realm="bank", DPoP algs="ES256", error="invalid_token""#],
    &[r#"Basic error="invalid_token""#],
    &[r#"Bearer realm="bank", Basic realm="bank", error="invalid_token""#],
    &[r#"Bearer realm="bank", Basic realm="bank""#, r#"error="invalid_token""#],
    &[r#"Bearer realm="bank, error="invalid_token""#],
    &[r#"Bearer error="invalid_token"#],
    &[
        r#"Bearer error="invalid_token""#,
        r#"Bearer error="insufficient_scope""#,
    ],
];

/// 401s that say it in a legal form. What is beyond ASCII is one byte on the wire, as in Latin-1.
const THE_TOKEN: &[&[&str]] = &[
    &[r#"Bearer realm="bank", error="invalid_token""#],
    &["Bearer\trealm=\"bank\",\terror=\"invalid_token\""],
    &[r#"bearer ERROR = Invalid_Token"#],
    &[r#"Bearer realm="a \"b\", c\\", error="\invalid\_token""#],
    &["Bearer realm=\"Soci\u{e9}t\u{e9}\", error=\"invalid_token\""],
    &[r#"Basic realm="bank", Bearer error="invalid_token""#],
    &[
        r#"Negotiate YWJj=="#,
        r#"Bearer error="invalid_token", scope="payments""#,
    ],
];

/// A call that moves money.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Money {
    /// A deal at OFX, with a body.
    Deal,
    /// A payment at Tatra banka, with a body.
    Payment,
    /// Its submission, without one.
    Submission,
}

const MONEY: [Money; 3] = [Money::Deal, Money::Payment, Money::Submission];

impl Money {
    async fn send(self, recorder: &Recorder, policy: RetryPolicy) -> Result<(), Error> {
        let app = || builder::<tatrabanka::Provider>(recorder).retry(policy).build().unwrap();
        let product = "sepa-credit-transfers";
        match self {
            Self::Deal => {
                let app = builder::<ofx::Provider>(recorder).retry(policy).build().unwrap();
                let own = app.client_credentials(["payments"]).unwrap();
                let deal = own.create_deal().body_map(|deal| deal.quote_id("q-1".to_owned()));
                deal.send().await.map(drop).map_err(Error::into_untyped)
            }
            Self::Payment => {
                use tatrabanka::service::types::{PaymentAccount, PaymentAmount};
                let own = app().client_credentials(["PREMIUM_PIS"]).unwrap();
                let payment = own.initiate_payment().product(product).body_map(|payment| {
                    payment
                        .creditor_name("Jo")
                        .creditor_account(PaymentAccount::builder().iban("SK0811000000002600000000"))
                        .instructed_amount(PaymentAmount::builder().amount("1.00").currency("EUR"))
                });
                payment.send().await.map(drop).map_err(Error::into_untyped)
            }
            Self::Submission => {
                let user = connect!(tatrabanka, app(), [tatrabanka::Scope::PremiumPis.of("a")]);
                let submission = user.client().submit_payment().product(product);
                let submission = submission.payment_id("p").authorization_id("a");
                submission.send().await.map(drop).map_err(Error::into_untyped)
            }
        }
    }
}

fn quick() -> RetryPolicy {
    RetryPolicy {
        backoff: Duration::from_millis(1),
        ..RetryPolicy::default()
    }
}

/// A 401 to the byte.
fn unauthorized(fields: &[&str], media_type: &str, body: &str) -> Answer {
    let mut reply = format!(
        "HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-type: {media_type}\r\ncontent-length: {}\r\n",
        body.len()
    )
    .into_bytes();
    for field in fields {
        reply.extend(b"www-authenticate: ");
        reply.extend(field.chars().map(|c| u8::try_from(u32::from(c)).unwrap()));
        reply.extend(b"\r\n");
    }
    reply.extend(b"\r\n");
    reply.extend(body.as_bytes());
    Answer::Pieces(vec![(Duration::ZERO, reply)])
}

/// The tokens that came with the calls.
fn tokens(recorder: &Recorder) -> Vec<String> {
    let calls = recorder.calls();
    let tokens = calls
        .iter()
        .map(|call| call.header("authorization").unwrap().to_owned());
    tokens.collect()
}

// --- 401

#[tokio::test]
async fn a_401_that_does_not_name_the_token_lets_no_call_that_moves_money_be_sent_again() {
    for fields in OTHER_REASONS {
        for (media_type, body, outcome, proof) in [
            ("application/json", "{}", Outcome::Rejected, Some(Proof::Assumed)),
            ("text/html", "<html>error=invalid_token</html>", Outcome::Unknown, None),
        ] {
            for policy in [quick(), RetryPolicy::none(), RetryPolicy::once()] {
                for money in MONEY {
                    let recorder = Recorder::granting(move |_, _| unauthorized(fields, media_type, body)).await;
                    let error = money.send(&recorder, policy).await.unwrap_err();
                    let what = format!("{money:?}, {fields:?}, {media_type}");
                    assert_eq!(tokens(&recorder), ["Bearer token-1"], "{what}: sent once");
                    assert_eq!(error.status().unwrap().as_u16(), 401, "{what}");
                    assert_eq!((error.outcome(), error.proof()), (outcome, proof), "{what}");
                    assert!(!error.is_retryable(), "{what}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_401_that_names_the_token_lets_a_call_be_sent_once_more_with_another_one() {
    for fields in THE_TOKEN {
        for policy in [quick(), RetryPolicy::none()] {
            for money in MONEY {
                let recorder = Recorder::granting(move |_, before| match before {
                    0 => unauthorized(fields, "text/html", "<html>"),
                    _ => Answer::status(if money == Money::Payment { 201 } else { 200 }, "{}"),
                })
                .await;
                money.send(&recorder, policy).await.unwrap();
                let expected = ["Bearer token-1", "Bearer token-2"];
                assert_eq!(tokens(&recorder), expected, "{money:?}, {fields:?}");
                // Not a third time, whatever comes.
                let recorder = Recorder::granting(move |_, _| unauthorized(fields, "text/html", "<html>")).await;
                let error = money.send(&recorder, policy).await.unwrap_err();
                assert_eq!(tokens(&recorder), expected, "{money:?}, {fields:?}");
                let concluded = (error.outcome(), error.proof());
                assert_eq!(concluded, (Outcome::Rejected, Some(Proof::Documented)), "{money:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_policy_that_sends_once_sends_once_even_what_names_the_token() {
    for fields in THE_TOKEN {
        for money in MONEY {
            let recorder = Recorder::granting(move |_, _| unauthorized(fields, "text/html", "<html>")).await;
            let error = money.send(&recorder, RetryPolicy::once()).await.unwrap_err();
            assert_eq!(tokens(&recorder), ["Bearer token-1"], "{money:?}, {fields:?}");
            let concluded = (error.outcome(), error.proof());
            assert_eq!(concluded, (Outcome::Rejected, Some(Proof::Documented)), "{money:?}");
        }
    }
    // What only reads is sent once too, and the next call has another token.
    let recorder = Recorder::granting(|_, before| match before {
        0 => Answer::invalid_token(),
        _ => Answer::json("{}"),
    })
    .await;
    let app = builder::<ofx::Provider>(&recorder).retry(RetryPolicy::once());
    let own = app.build().unwrap().client_credentials(["payments"]).unwrap();
    own.get_quote().quote_id("q").send().await.unwrap_err();
    assert_eq!(tokens(&recorder), ["Bearer token-1"]);
    own.get_quote().quote_id("q").send().await.unwrap();
    assert_eq!(tokens(&recorder), ["Bearer token-1", "Bearer token-2"]);
}

// --- other refusals

#[tokio::test]
async fn what_somebody_in_between_may_have_answered_refuses_no_call_that_moves_money() {
    let html = |status| Answer::html(status, "<html>Blocked</html>");
    let json = |status| Answer::status(status, r#"{"message":"no"}"#);
    for status in [400, 403, 404, 405, 408, 409, 410, 422, 429, 451] {
        // Where nobody documents how the provider is known, an object with four statuses is taken for its answer.
        let assumed = matches!(status, 400 | 404 | 422);
        for (answer, is_refused) in [
            (html(status), false),
            (Answer::empty(status), false),
            (Answer::status(status, "[]"), false),
            (json(status), assumed),
        ] {
            for money in MONEY {
                let always = answer.clone();
                let recorder = Recorder::granting(move |_, _| always.clone()).await;
                let error = money.send(&recorder, quick()).await.unwrap_err();
                let what = format!("{money:?}, {status}: {error:?}");
                assert_eq!(recorder.calls().len(), 1, "{what}");
                assert_eq!(error.status().unwrap().as_u16(), status, "{what}");
                let concluded = match is_refused {
                    true => (Outcome::Rejected, Some(Proof::Assumed)),
                    false => (Outcome::Unknown, None),
                };
                assert_eq!((error.outcome(), error.proof()), concluded, "{what}");
                assert!(!error.is_retryable(), "{what}: it could be paid twice");
                assert_eq!(error.may_succeed_later(), matches!(status, 408 | 429), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn what_only_reads_was_without_effect_whoever_refused_it() {
    for (status, again) in [(400, false), (403, false), (409, false), (429, true)] {
        let recorder = Recorder::granting(move |_, _| Answer::html(status, "<html>")).await;
        let app = builder::<ofx::Provider>(&recorder).retry(RetryPolicy::none());
        let own = app.build().unwrap().client_credentials(["payments"]).unwrap();
        let error = own.get_quote().quote_id("q").send().await.unwrap_err();
        assert_eq!((error.outcome(), error.proof()), (Outcome::Rejected, None), "{status}");
        assert_eq!(
            (error.is_retryable(), error.may_succeed_later()),
            (again, again),
            "{status}"
        );
    }
}

// --- Retry-After

#[tokio::test(start_paused = true)]
async fn a_time_to_wait_that_cannot_be_read_or_is_too_long_is_left_to_the_caller() {
    let unreadable = Some(RetryAfter::Unreadable);
    let seconds = |seconds| Some(RetryAfter::After(Duration::from_secs(seconds)));
    for (values, asked) in [
        (&["299.997"][..], seconds(300)),
        (&["5", "300"], seconds(300)),
        (&["300", "5"], seconds(300)),
        (&["soon"], unreadable),
        (&[""], unreadable),
        (&["-1"], unreadable),
        (&["1e3"], unreadable),
        // Nobody knows whether what can be read is the longest.
        (&["soon", "0"], unreadable),
        (&["0", "soon"], unreadable),
        (&["0, soon"], unreadable),
        (&["soon, 1"], unreadable),
    ] {
        for status in [429, 503] {
            let recorder = Recorder::granting(move |_, _| {
                let answer = Answer::status(status, "{}");
                values
                    .iter()
                    .fold(answer, |answer, value| answer.header("retry-after", *value))
            })
            .await;
            let own = service(&recorder);
            let error = own.get_quote().quote_id("q").send().await.unwrap_err();
            assert_eq!(recorder.calls().len(), 1, "{status}, {values:?}");
            assert_eq!(error.retry_after(), asked, "{status}, {values:?}");
            assert!(error.is_retryable(), "{status}, {values:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn of_several_times_to_wait_the_longest_is_waited_for() {
    for values in [&["1", "7"][..], &["7", "1"], &["1, 7"], &["6.2", "0"]] {
        let recorder = Recorder::granting(move |_, before| match before {
            0 => values.iter().fold(Answer::status(429, "{}"), |answer, value| {
                answer.header("retry-after", *value)
            }),
            _ => Answer::json("{}"),
        })
        .await;
        let own = service(&recorder);
        let started = Instant::now();
        own.get_quote().quote_id("q").send().await.unwrap();
        let waited = started.elapsed().as_secs_f64();
        assert!((7.0..8.0).contains(&waited), "{values:?}: waited {waited} s");
        assert_eq!(recorder.calls().len(), 2);
    }
}

// --- what the provider says

#[tokio::test]
async fn the_providers_own_code_is_in_the_text_of_an_error_and_a_token_or_prose_in_its_place_is_not() {
    for (body, code) in [
        (
            r#"{"errorCode":"NO_CONTRACT","errorDescription":"planted words"}"#,
            Some("NO_CONTRACT"),
        ),
        (r#"{"errorCode":"planted words"}"#, None),
        (r#"{"errorCode":"token-1"}"#, None),
        (r#"{"errorDescription":"planted words"}"#, None),
    ] {
        let recorder = Recorder::granting(move |_, _| Answer::status(403, body)).await;
        let user = tatra(&recorder).await;
        let error = user.client().list_accounts().send().await.unwrap_err();
        assert_eq!(error.code(), code, "{body}");
        let text = format!("{error} {error:?}");
        assert_eq!(text.contains("403 Forbidden (NO_CONTRACT)"), code.is_some(), "{text}");
        assert!(!text.contains("planted") && !text.contains("token-1"), "{text}");
        assert_eq!(error.into_untyped().code(), code);
    }
}

#[tokio::test]
async fn a_success_that_has_nothing_but_what_an_error_has_leaves_the_outcome_unknown() {
    for (body, is_error) in [
        (r#"{"error":"x"}"#, true),
        (r#"{"errors":[{"message":"planted words"}],"id":1}"#, true),
        (r#"{"error":null,"processId":"p"}"#, false),
        (r#"{"errors":[],"processId":"p"}"#, false),
        (r#"{"processId":"p"}"#, false),
        ("{}", false),
    ] {
        let recorder = Recorder::granting(move |_, _| Answer::json(body)).await;
        let own = service(&recorder);
        let deal = own
            .create_deal()
            .body_map(|deal| deal.quote_id("q-1".to_owned()))
            .send()
            .await;
        match deal {
            Ok(_) => assert!(!is_error, "{body}"),
            Err(error) => {
                assert!(is_error, "{body}: {error}");
                assert_eq!(
                    (error.outcome(), error.is_retryable()),
                    (Outcome::Unknown, false),
                    "{body}"
                );
                assert!(
                    matches!(error, Error::InvalidReply(_)) && !error.to_string().contains("planted"),
                    "{error}"
                );
                assert_eq!(error.raw_body(), Some(body.as_bytes()));
            }
        }
    }
}
