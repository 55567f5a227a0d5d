//! Payments whose outcome is not known: what was kept before they left, what is looked up, and that nothing is sent twice.
#![cfg(all(feature = "file", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod process_support;
mod recorder;
mod server_support;
#[macro_use]
mod connected;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connected::*;
use finrail::transport::{CallOptions, Intent, Outcome, Prepared, RetryPolicy};
use finrail::{DoubtError, Error, Found, finexer, ofx, omnifund, tatrabanka};
use process_support::{Process, nanos, orders};
use recorder::{Answer, Recorder};
use sha2::Digest as _;

const PRODUCT: &str = "sepa-credit-transfers";
const STATUS: &str = "/v3/payments/sepa-credit-transfers/p%2F7/status";
const SUBMISSION: &str = "/v1/payments/sepa-credit-transfers/p%2F7/authorizations/a-1";

/// Clients of Tatra banka with a token from elsewhere, of a user and of the application.
fn clients(base: &str) -> (tatrabanka::Client, tatrabanka::service::Client) {
    let user = tatrabanka::Client::builder()
        .base_url(base)
        .token_source(Arc::new(OneToken));
    let service = tatrabanka::service::Client::builder()
        .base_url(base)
        .token_source(Arc::new(OneToken));
    (user.build().unwrap(), service.build().unwrap())
}

fn submission(user: &tatrabanka::Client) -> tatrabanka::builder::SubmitPayment<'_> {
    let call = user.submit_payment().product(PRODUCT);
    call.payment_id("p/7").authorization_id("a-1")
}

fn status(state: &str) -> Answer {
    Answer::json(format!(
        r#"{{"transactionStatus":"{state}","statusDateTime":"2026-11-27T10:00:00Z"}}"#
    ))
}

/// An intent that holds this, as another version of the library may have kept it.
fn sealed(mut kept: serde_json::Value) -> Intent {
    let prepared_at: chrono::DateTime<chrono::Utc> = kept["prepared_at"].as_str().unwrap().parse().unwrap();
    let mut parts = vec![];
    for name in ["id", "provider", "operation"] {
        parts.push(kept[name].as_str().unwrap().to_owned());
    }
    parts.push(prepared_at.to_rfc3339_opts(chrono::SecondsFormat::Nanos, true));
    parts.push(kept["digest"].as_str().unwrap().to_owned());
    for name in ["idempotency_key", "connection"] {
        parts.push(if kept[name].is_null() { "0" } else { "1" }.to_owned());
        parts.push(kept[name].as_str().unwrap_or_default().to_owned());
    }
    let values: std::collections::BTreeMap<_, _> = kept["values"].as_object().unwrap().iter().collect();
    for (name, value) in values {
        parts.extend([name.clone(), value.as_str().unwrap().to_owned()]);
    }
    let mut hash = sha2::Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    kept["check"] = format!("sha-256:{}", URL_SAFE_NO_PAD.encode(hash.finalize())).into();
    serde_json::from_value(kept).unwrap()
}

/// The methods and paths that arrived, in order.
fn arrived(recorder: &Recorder) -> Vec<(String, String)> {
    let calls = recorder.calls().into_iter();
    calls
        .map(|call| (call.method.clone(), call.path().to_owned()))
        .collect()
}

fn count(recorder: &Recorder, method: &str) -> usize {
    arrived(recorder)
        .iter()
        .filter(|(arrived, _)| arrived == method)
        .count()
}

fn name(found: &Found) -> &'static str {
    match found {
        Found::Settled(_) => "settled",
        Found::Rejected(_) => "rejected",
        Found::Open(_) => "open",
    }
}

#[tokio::test]
async fn nothing_is_sent_before_a_prepared_call_is_and_what_is_kept_is_read_back() {
    let recorder = Recorder::in_order([status("ACSP")]).await;
    let (user, _) = clients(recorder.origin());
    let prepared = submission(&user).prepare().unwrap();
    let kept = serde_json::to_string(prepared.intent()).unwrap();
    let (provider, operation) = (prepared.intent().provider(), prepared.intent().operation());
    assert_eq!((provider, operation), ("tatrabanka", "submit_payment"));
    assert_eq!(
        prepared.intent().idempotency_key(),
        None,
        "the bank documents no header for one"
    );
    assert_eq!(recorder.seen().len(), 0);
    let read: Intent = serde_json::from_str(&kept).unwrap();
    assert_eq!(&read, prepared.intent());
    let reply = prepared.send().await.unwrap();
    assert_eq!(
        reply.transaction_status.as_ref().map(ToString::to_string).as_deref(),
        Some("ACSP")
    );
    assert_eq!(arrived(&recorder), [("PUT".to_owned(), SUBMISSION.to_owned())]);
}

#[tokio::test]
async fn a_parameter_that_is_missing_is_told_when_the_call_is_prepared() {
    let recorder = Recorder::in_order([status("ACSP")]).await;
    let (user, _) = clients(recorder.origin());
    let error = user.submit_payment().product(PRODUCT).prepare().unwrap_err();
    assert!(matches!(error, Error::InvalidRequest(_)), "{error:?}");
}

#[tokio::test]
async fn what_became_of_a_payment_is_looked_up_and_it_is_never_sent_again() {
    let states = ["ACTC", "something new", "ACSP", "ACSC", "ACCC", "PDNG", "RJCT", "CANC"];
    let recorder = Recorder::start(move |seen, before| match seen.method.as_str() {
        "PUT" => Answer::Drop,
        _ => status(states[before - 1]),
    })
    .await;
    let (user, service) = clients(recorder.origin());
    let prepared = submission(&user).prepare().unwrap();
    let intent = prepared.intent().clone();
    let error = prepared.send().await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    let doubt = tatrabanka::Doubt::after(&error, &intent)
        .unwrap()
        .expect("its outcome is unknown");
    for (state, expected) in states.into_iter().zip([
        "open", "open", "settled", "settled", "settled", "settled", "rejected", "rejected",
    ]) {
        let found = doubt.look_up(&service).await.unwrap();
        assert_eq!(name(&found), expected, "{state}");
        assert_eq!(found.evidence().state.as_deref(), Some(state));
        assert_eq!(found.evidence().seen.len(), 1);
        let shown = format!("{found:?} {doubt:?}");
        assert!(!shown.contains("p/7") && !shown.contains("something new"), "{shown}");
        // A word that the specification has says nothing of a person.
        assert_eq!(shown.contains(state), expected != "open", "{shown}");
    }
    assert_eq!(count(&recorder, "PUT"), 1);
    for call in recorder.calls().iter().skip(1) {
        assert_eq!((call.method.as_str(), call.path()), ("GET", STATUS));
        assert!(call.header("x-request-id").is_some(), "by the rules of the operation");
    }
}

#[tokio::test]
async fn a_look_up_that_gets_no_answer_of_the_bank_finds_nothing_out() {
    let once = RetryPolicy::none();
    for (answer, open) in [
        (Answer::status(404, r#"{"errorCode":"RESOURCE_UNKNOWN"}"#), true),
        (Answer::status(404, "{}"), true),
        (Answer::html(404, "<html>no such page</html>"), false),
        (Answer::status(403, r#"{"errorCode":"x"}"#), false),
        (Answer::status(503, r#"{"errorCode":"x"}"#), false),
        (Answer::html(200, "<html>log in</html>"), false),
        (Answer::Drop, false),
        (Answer::json("{}"), true),
        (Answer::json(r#"{"transactionStatus":7}"#), true),
        (Answer::json(r#"{"transactionStatus":["ACSP"]}"#), true),
    ] {
        let recorder = Recorder::in_order([answer]).await;
        let user = clients(recorder.origin()).0;
        let service = tatrabanka::service::Client::builder().base_url(recorder.origin());
        let service = service.token_source(Arc::new(OneToken)).retry(once).build().unwrap();
        let intent = submission(&user).prepare().unwrap().intent().clone();
        let found = tatrabanka::Doubt::of(intent).unwrap().look_up(&service).await;
        assert_eq!(matches!(found, Ok(Found::Open(_))), open, "{found:?}");
        assert_eq!(found.is_ok(), open, "{found:?}");
        if let Err(error) = found {
            let is_an_answer = error.status().is_some_and(|status| status != 200);
            assert_eq!(matches!(error, Error::ErrorResponse(_)), is_an_answer, "{error:?}");
        }
    }
}

#[tokio::test]
async fn where_it_is_known_what_became_of_a_call_there_is_no_doubt() {
    for (answer, outcome) in [
        (
            Answer::status(400, r#"{"errorCode":"FORMAT_ERROR"}"#),
            Outcome::Rejected,
        ),
        (Answer::html(502, "<html>"), Outcome::Unknown),
    ] {
        let recorder = Recorder::in_order([answer]).await;
        let (user, _) = clients(recorder.origin());
        let prepared = submission(&user).prepare().unwrap();
        let intent = prepared.intent().clone();
        let error = prepared.send().await.unwrap_err();
        assert_eq!(error.outcome(), outcome);
        let doubt = tatrabanka::Doubt::after(&error, &intent).unwrap();
        assert_eq!(doubt.is_some(), outcome == Outcome::Unknown);
    }
}

#[tokio::test]
async fn a_doubt_is_of_one_provider_and_of_a_call_that_can_be_looked_up() {
    let recorder = Recorder::in_order([Answer::json("{}")]).await;
    let (user, service) = clients(recorder.origin());
    let intent = submission(&user).prepare().unwrap().intent().clone();
    let error = ofx::Doubt::of(intent.clone()).unwrap_err();
    assert!(matches!(error, DoubtError::OtherProvider { .. }), "{error}");
    // With the client of another kind nothing is sent.
    let doubt = tatrabanka::Doubt::of(intent.clone()).unwrap();
    let error = doubt.look_up(&user).await.unwrap_err();
    assert!(
        matches!(error, Error::InvalidRequest(_)) && error.to_string().contains("`service`"),
        "{error}"
    );
    assert_eq!(recorder.seen().len(), 0);
    // The id of a payment that was initiated comes with the reply alone.
    let payment = service.initiate_payment().product(PRODUCT).body_map(|payment| {
        use tatrabanka::service::types::{PaymentAccount, PaymentAmount};
        let amount = PaymentAmount::builder().amount("1.00").currency("EUR");
        let payment = payment.creditor_name("Jo").instructed_amount(amount);
        payment.creditor_account(PaymentAccount::builder().iban("SK0811000000002600000000"))
    });
    let initiated = payment.prepare().unwrap().intent().clone();
    let error = tatrabanka::Doubt::of(initiated).unwrap_err();
    assert_eq!(error, DoubtError::NoLookup("initiate_payment"));
    assert!(error.to_string().contains("ask the provider"), "{error}");
    // What another version kept.
    let mut other = serde_json::to_value(&intent).unwrap();
    other["operation"] = "pay_twice".into();
    let other = sealed(other);
    assert!(matches!(
        tatrabanka::Doubt::of(other),
        Err(DoubtError::UnknownOperation(_))
    ));
}

#[tokio::test]
async fn an_intent_that_lost_what_the_look_up_needs_is_told_and_nothing_is_sent() {
    let recorder = Recorder::in_order([Answer::json("{}")]).await;
    let (user, service) = clients(recorder.origin());
    let whole = serde_json::to_value(submission(&user).prepare().unwrap().intent()).unwrap();
    for value in [None, Some(""), Some("."), Some("..")] {
        let mut cut = whole.clone();
        let values = cut["values"].as_object_mut().unwrap();
        match value {
            Some(value) => values.values_mut().for_each(|kept| *kept = value.into()),
            None => values.clear(),
        }
        let doubt = tatrabanka::Doubt::of(sealed(cut)).unwrap();
        let error = doubt.look_up(&service).await.unwrap_err();
        assert!(matches!(error, Error::InvalidRequest(_)), "{error:?}");
    }
    assert_eq!(recorder.seen().len(), 0);
}

/// What a list is narrowed down by may be empty, or not there.
#[tokio::test]
async fn a_list_is_looked_through_without_what_the_call_did_not_have() {
    let recorder = Recorder::start(|_, _| consents("", "null")).await;
    let client = finexer::Client::builder()
        .base_url(recorder.origin())
        .access_key("key", "")
        .build()
        .unwrap();
    let call = client.create_consent().body_map(|consent| consent.customer("c"));
    let mut kept = serde_json::to_value(call.prepare().unwrap().intent()).unwrap();
    for cut in [false, true] {
        let values = kept["values"].as_object_mut().unwrap();
        match cut {
            true => values.clear(),
            false => values.values_mut().for_each(|value| *value = "".into()),
        }
        let doubt = finexer::Doubt::of(sealed(kept.clone())).unwrap();
        assert_eq!(name(&doubt.look_up(&client).await.unwrap()), "open");
    }
    let targets: Vec<String> = recorder.calls().iter().map(|call| call.target.clone()).collect();
    assert_eq!(targets, ["/consents?customer=", "/consents"]);
}

/// What another person sees shows nothing of it.
#[tokio::test]
async fn a_call_of_one_grant_is_not_looked_up_under_another() {
    let recorder = Recorder::granting(|seen, _| match seen.method.as_str() {
        "POST" => Answer::Drop,
        _ => Answer::json(r#"{"data":[]}"#),
    })
    .await;
    let app: finexer::App = builder(&recorder).retry(RetryPolicy::none()).build().unwrap();
    let mut users = Vec::new();
    for subject in ["alice", "bob"] {
        let pending = app.authorize(NO_SCOPES).unwrap().subject(subject).pending;
        let callback = format!("{REDIRECT}?code=code-1&state={}", pending.state().expose_secret());
        users.push(app.finish(pending, &callback).await.unwrap());
    }
    let prepared = users[0]
        .client()
        .create_consent()
        .body_map(|consent| consent.customer("cus"));
    let prepared = prepared.prepare().unwrap();
    let intent = prepared.intent().clone();
    assert_eq!(prepared.send().await.unwrap_err().outcome(), Outcome::Unknown);
    let doubt = finexer::Doubt::of(intent).unwrap();
    assert!(matches!(doubt.look_up(users[0].client()).await, Ok(Found::Open(_))));
    let asked = recorder.calls().len();
    let error = doubt.look_up(users[1].client()).await.unwrap_err();
    assert!(error.to_string().contains("under another grant"), "{error}");
    assert_eq!(recorder.calls().len(), asked);
    // The caller knows whose it is.
    let known = doubt.clone().under_another_grant();
    assert!(matches!(known.look_up(users[1].client()).await, Ok(Found::Open(_))));
    // Of a client with tokens from elsewhere its caller knows whose they are.
    let given = finexer::Client::builder()
        .base_url(recorder.origin())
        .token_source(Arc::new(OneToken));
    assert!(matches!(
        doubt.look_up(&given.build().unwrap()).await,
        Ok(Found::Open(_))
    ));
}

/// An application sees what it did, whatever scopes it asks for now.
#[tokio::test]
async fn a_call_of_an_application_is_looked_up_with_other_scopes() {
    let recorder = Recorder::granting(|_, _| Answer::json(r#"{"quoteId":"q-1","status":"BOOKED"}"#)).await;
    let app = builder::<ofx::Provider>(&recorder).build().unwrap();
    let one = app.client_credentials(["payments", "ofxrates"]).unwrap();
    let deal = one.create_deal().body_map(|deal| deal.quote_id("q-1".to_owned()));
    let doubt = ofx::Doubt::of(deal.prepare().unwrap().intent().clone()).unwrap();
    let other = app.client_credentials(["payments"]).unwrap();
    doubt.look_up(&other).await.unwrap();
}

#[tokio::test]
async fn without_a_header_for_a_key_nothing_is_prepared_a_second_time() {
    let recorder = Recorder::in_order([status("ACSP")]).await;
    let (user, _) = clients(recorder.origin());
    let intent = submission(&user).prepare().unwrap().intent().clone();
    let error = submission(&user).prepare_again(&intent).unwrap_err();
    assert!(error.to_string().contains("look up"), "{error}");
    let error = submission(&user)
        .with(CallOptions::new().idempotency_key("k"))
        .prepare();
    assert!(matches!(error, Err(Error::InvalidRequest(_))), "{error:?}");
    assert_eq!(recorder.seen().len(), 0);
}

#[test]
fn an_intent_in_which_a_word_was_altered_is_not_read() {
    let (user, _) = clients("https://bank.example");
    let kept = serde_json::to_value(submission(&user).prepare().unwrap().intent()).unwrap();
    assert_eq!(sealed(kept.clone()), serde_json::from_value(kept.clone()).unwrap());
    let mut other = kept.clone();
    other["values"]["$request.path.paymentId"] = "another".into();
    let error = serde_json::from_value::<Intent>(other).unwrap_err();
    assert!(error.to_string().contains("not as it was kept"), "{error}");
    let text = kept.to_string();
    assert!((1..text.len()).all(|end| serde_json::from_str::<Intent>(&text[..end]).is_err()));
}

/// What does not show that there is no such customer is no answer to whether one was made.
#[tokio::test]
async fn a_list_that_is_none_finds_nothing_out() {
    let customer = r#"{"id":"c","name":"A","email":"a@b"}"#;
    for (body, found) in [
        (format!(r#"{{"data":[{customer}],"paging":null}}"#), Some(1)),
        (r#"{"data":[],"paging":{"next":null}}"#.to_owned(), Some(0)),
        (r#"{"data":[],"paging":{"next":" "}}"#.to_owned(), Some(0)),
        (r#"{"data":[]}"#.to_owned(), Some(0)),
        (r#"{"error":{"message":"x"}}"#.to_owned(), None),
        (r#"{"data":null}"#.to_owned(), None),
        (r#"{"data":[],"statusCode":503}"#.to_owned(), None),
        (r#"{"data":[],"code":"unauthorized","message":"no"}"#.to_owned(), None),
        (format!(r#"{{"data":{{"0":{customer}}}}}"#), None),
        ("[]".to_owned(), None),
        (r#"{"data":[7]}"#.to_owned(), None),
        (
            r#"{"data":[{"id":"c","name":"A","email":"a@b","name":"B"}]}"#.to_owned(),
            None,
        ),
        (r#"{"data":[],"data":[]}"#.to_owned(), None),
        (
            r#"{"data":[],"paging":{"next":{"href":"/customers?offset=2"}}}"#.to_owned(),
            None,
        ),
        (r#"{"data":[],"paging":["/customers?offset=2"]}"#.to_owned(), None),
        (
            r#"{"data":[],"paging":{"Next":"/customers?offset=2"}}"#.to_owned(),
            None,
        ),
        (
            r#"{"data":[],"paging":{"next":null,"NEXT":"/customers?offset=2"}}"#.to_owned(),
            None,
        ),
        (r#"{"data":[],"links":{"next":"/customers?offset=2"}}"#.to_owned(), None),
        (
            r#"{"data":[],"paging":{"next":"/customers?offset=2","next":null}}"#.to_owned(),
            None,
        ),
    ] {
        let answer = body.clone();
        let recorder = Recorder::start(move |_, _| Answer::json(answer.clone())).await;
        let client = finexer::Client::builder().base_url(recorder.origin());
        let client = client.access_key("key", "").build().unwrap();
        let call = client
            .create_customer()
            .body_map(|customer| customer.name("A").email("a@b"));
        let intent = call.prepare().unwrap().intent().clone();
        let looked_up = finexer::Doubt::of(intent).unwrap().look_up(&client).await;
        let seen = looked_up.as_ref().ok().map(|found| found.evidence().seen.len());
        assert_eq!(seen, found, "{body}: {looked_up:?}");
    }
}

/// That the bank knows of no such payment is read in the encoding that it is written in.
#[tokio::test]
async fn a_404_is_the_banks_in_whatever_encoding_it_comes() {
    let text = r#"{"errorCode":"RESOURCE_UNKNOWN"}"#;
    let utf_16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    for body in [format!("\u{feff}{text}").into_bytes(), utf_16] {
        let recorder = Recorder::in_order([Answer::typed(404, "application/json", body)]).await;
        let (user, service) = clients(recorder.origin());
        let intent = submission(&user).prepare().unwrap().intent().clone();
        let found = tatrabanka::Doubt::of(intent).unwrap().look_up(&service).await;
        assert!(matches!(found, Ok(Found::Open(_))), "{found:?}");
    }
}

#[tokio::test]
async fn a_state_that_stands_beside_an_error_settles_nothing() {
    for (beside, expected) in [
        (r#""transactionStatus":"RJCT","error":"stale","success":false"#, "open"),
        (r#""transactionStatus":"RJCT","errors":[{"code":"INTERNAL"}]"#, "open"),
        (
            r#""transactionStatus":"RJCT","errors":[{"code":"CONSENT_REVOKED"}]"#,
            "open",
        ),
        (r#""transactionStatus":"ACSC","success":false"#, "open"),
        // The reason of a rejection is none beside it.
        (
            r#""transactionStatus":"RJCT","errorCode":"AM04","errorDescription":"no funds""#,
            "rejected",
        ),
        (r#""transactionStatus":"RJCT","errors":[{"code":"AM04"}]"#, "rejected"),
        (
            r#""transactionStatus":"RJCT","errors":[{"code":"AM04"},{"code":"INTERNAL"}]"#,
            "open",
        ),
        (r#""transactionStatus":"RJCT","errorDescription":"no funds""#, "open"),
        // What may be an error on the way says nothing of why.
        (
            r#""transactionStatus":"RJCT","errorCode":"NARR","errorDescription":"x""#,
            "rejected",
        ),
        (r#""transactionStatus":"RJCT","errorCode":"CUST""#, "rejected"),
        (r#""transactionStatus":"RJCT","errorCode":"DS0H""#, "rejected"),
        (r#""transactionStatus":"RJCT","errors":["AM04"]"#, "rejected"),
        (
            r#""transactionStatus":"RJCT","errors":[{"errorCode":"AM04","message":"no funds"}]"#,
            "rejected",
        ),
        (
            r#""transactionStatus":"RJCT","error":{"code":"AM04","message":"no funds"}"#,
            "rejected",
        ),
        (
            r#""transactionStatus":"RJCT","error":"GW01","errorMessage":"cached state, upstream timed out""#,
            "open",
        ),
        (r#""transactionStatus":"RJCT","error":"HT50""#, "open"),
        (r#""transactionStatus":"RJCT","error":"HT503""#, "open"),
        (r#""transactionStatus":"RJCT","error":"AB06""#, "open"),
        (
            r#""transactionStatus":"RJCT","error":"AM04","errorMessage":"cached state""#,
            "open",
        ),
        (
            r#""transactionStatus":"RJCT","error":"AM04","message":"Gateway timeout""#,
            "open",
        ),
        (
            r#""transactionStatus":"RJCT","errors":[{"code":"AM04","text":"upstream timed out"}]"#,
            "open",
        ),
        (
            r#""transactionStatus":"RJCT","errors":[{"code":"AM04","status":502}]"#,
            "open",
        ),
        (r#""transactionStatus":"RJCT","errors":["AM04","INTERNAL"]"#, "open"),
        // It begins as one of those codes, and is none.
        (r#""transactionStatus":"RJCT","errorCode":"FRMT""#, "open"),
        (
            r#""transactionStatus":"RJCT","errorCode":"AM04","success":false"#,
            "open",
        ),
        (r#""transactionStatus":"ACSC","errorCode":"AM04""#, "open"),
        // Nor is one of a payment that was called off why it was.
        (r#""transactionStatus":"CANC","errorCode":"AM04""#, "open"),
        (r#""transactionStatus":"RJCT","errors":[],"error":null"#, "rejected"),
        // A message that says of itself that it is an error's is as good as one.
        (
            r#""transactionStatus":"RJCT","tppMessages":[{"category":"ERROR","code":"SERVICE_UNAVAILABLE","text":"x"}]"#,
            "open",
        ),
        (
            r#""transactionStatus":"ACSC","tppMessages":[{"category":"ERROR","code":"SERVICE_UNAVAILABLE"}]"#,
            "open",
        ),
        (
            r#""transactionStatus":"ACSC","messages":[{"severity":"INFO"},{"severity":"FATAL"}]"#,
            "open",
        ),
        (
            r#""transactionStatus":"RJCT","meta":{"tppMessage":{"category":"ERROR","code":"INTERNAL"}}"#,
            "open",
        ),
        (
            r#""transactionStatus":"RJCT","tppMessages":[{"category":"ERROR","code":"AM04"},{"category":"ERROR","code":"INTERNAL"}]"#,
            "open",
        ),
        (
            r#""transactionStatus":"RJCT","tppMessages":[{"category":"ERROR","code":"AM04","text":"upstream timed out"}]"#,
            "open",
        ),
        (
            r#""transactionStatus":"ACSC","tppMessages":[{"category":"ERROR","code":"AM04"}]"#,
            "open",
        ),
        (
            r#""transactionStatus":"RJCT","tppMessages":[{"category":"ERROR","code":"AM04","text":"no funds"}]"#,
            "rejected",
        ),
        (
            r#""transactionStatus":"RJCT","tppMessages":[{"category":"WARNING","code":"X"},{"category":"ERROR","code":"AC01"}]"#,
            "rejected",
        ),
        (
            r#""transactionStatus":"RJCT","tppMessages":[{"category":"WARNING","code":"X"}]"#,
            "rejected",
        ),
        (
            r#""transactionStatus":"ACSC","tppMessages":[{"category":"WARNING","text":"ERROR"}],"messages":["booked"]"#,
            "settled",
        ),
        (r#""transactionStatus":"ACSC","tppMessages":[]"#, "settled"),
        (r#""transactionStatus":"ACSC","message":"booked""#, "settled"),
        (r#""transactionStatus":"RJCT","fundsAvailable":false"#, "rejected"),
    ] {
        let recorder = Recorder::start(move |_, _| Answer::json(format!("{{{beside}}}"))).await;
        let (user, service) = clients(recorder.origin());
        let intent = submission(&user).prepare().unwrap().intent().clone();
        let found = tatrabanka::Doubt::of(intent).unwrap().look_up(&service).await.unwrap();
        assert_eq!(name(&found), expected, "{beside}");
        assert_eq!(found.evidence().seen.len(), 1);
    }
}

#[tokio::test]
async fn what_became_of_a_cancellation_is_known_once_the_payment_is_over() {
    for (state, expected) in [
        ("CANC", "settled"),
        ("ACSC", "rejected"),
        ("ACCC", "rejected"),
        ("RJCT", "rejected"),
        ("ACTC", "open"),
        ("ACSP", "open"),
        ("PDNG", "open"),
    ] {
        let recorder = Recorder::in_order([status(state)]).await;
        let (_, service) = clients(recorder.origin());
        let call = service.cancel_payment().product(PRODUCT).payment_id("p/7");
        let intent = call.prepare().unwrap().intent().clone();
        let found = tatrabanka::Doubt::of(intent).unwrap().look_up(&service).await.unwrap();
        assert_eq!(name(&found), expected, "{state}");
    }
}

// --- lists

fn consents(items: &str, next: &str) -> Answer {
    Answer::json(format!(
        r#"{{"data":[{items}],"count":1,"paging":{{"total":3,"next":{next},"prev":null}}}}"#
    ))
}

#[tokio::test]
async fn in_a_list_what_may_be_the_calls_work_is_shown_and_settles_nothing_where_it_may_be_older() {
    let recorder = Recorder::start(|seen, before| match (seen.method.as_str(), before) {
        ("POST", _) => Answer::Drop,
        (_, 1) => consents(
            r#"{"id":"cst_1","customer":"cus 7","amount":1.10},{"id":"cst_2","customer":"cus_8"}"#,
            r#""/consents?customer=cus+7&offset=2""#,
        ),
        _ => consents(r#"{"id":"cst_3","customer":"cus 7"}"#, "null"),
    })
    .await;
    let client = finexer::Client::builder()
        .base_url(recorder.origin())
        .access_key("key", "")
        .build()
        .unwrap();
    let prepared = client
        .create_consent()
        .body_map(|consent| consent.customer("cus 7"))
        .prepare()
        .unwrap();
    let intent = prepared.intent().clone();
    let error = prepared.send().await.unwrap_err();
    let doubt = finexer::Doubt::after(&error, &intent).unwrap().unwrap();
    let found = doubt.look_up(&client).await.unwrap();
    assert_eq!(name(&found), "open");
    let seen: Vec<&str> = found.evidence().seen.iter().map(finrail::Json::get).collect();
    let expected = [
        r#"{"id":"cst_1","customer":"cus 7","amount":1.10}"#,
        r#"{"id":"cst_3","customer":"cus 7"}"#,
    ];
    assert_eq!(seen, expected, "digit for digit, of all pages");
    let targets: Vec<String> = recorder.calls().iter().map(|call| call.target.clone()).collect();
    assert_eq!(
        targets[1..],
        ["/consents?customer=cus+7", "/consents?customer=cus+7&offset=2"]
    );
    assert_eq!(count(&recorder, "POST"), 1);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_to_its_end_finds_nothing_out() {
    let recorder = Recorder::start(|_, before| match before {
        0 => consents(r#"{"id":"cst_1","customer":"c"}"#, r#""/customers?offset=2""#),
        _ => consents("", "null"),
    })
    .await;
    let client = finexer::Client::builder()
        .base_url(recorder.origin())
        .access_key("key", "")
        .build()
        .unwrap();
    let prepared = client
        .create_consent()
        .body_map(|consent| consent.customer("c"))
        .prepare()
        .unwrap();
    let doubt = finexer::Doubt::of(prepared.intent().clone()).unwrap();
    doubt.look_up(&client).await.unwrap_err();
}

#[tokio::test]
async fn a_look_up_without_a_state_shows_the_reply_to_a_person() {
    let recorder = Recorder::granting(|_, _| Answer::json(r#"{"id":"q-1","buyAmount":1.10,"more":true}"#)).await;
    let own = service(&recorder);
    let prepared = own
        .create_deal()
        .body_map(|deal| deal.quote_id("q-1".to_owned()))
        .prepare()
        .unwrap();
    let doubt = ofx::Doubt::of(prepared.intent().clone()).unwrap();
    let found = doubt.look_up(&own).await.unwrap();
    assert_eq!((name(&found), found.evidence().state.as_deref()), ("open", None));
    assert_eq!(
        found.evidence().seen[0].get(),
        r#"{"id":"q-1","buyAmount":1.10,"more":true}"#
    );
    assert_eq!(
        arrived(&recorder),
        [("GET".to_owned(), "/payments/quotes/q-1".to_owned())]
    );
}

/// Every call that may act twice can be prepared, and its doubt says what is called, or that nobody knows.
#[test]
fn every_call_that_may_act_twice_says_how_its_outcome_is_found_out_or_that_nobody_knows() {
    let mut known = Vec::new();
    for operations in [
        finexer::OPERATIONS,
        finrail::mx::OPERATIONS,
        ofx::OPERATIONS,
        omnifund::OPERATIONS,
        tatrabanka::OPERATIONS,
    ] {
        for operation in operations {
            let Some(lookup) = operation.lookup else { continue };
            let called = operations.iter().find(|known| known.id == lookup.operation).unwrap();
            assert_eq!(called.method, "GET", "{}", operation.id);
            known.push(operation.id);
        }
    }
    let expected = [
        "create_customer",
        "create_consent",
        "renew_consent",
        "start_sync",
        "create_deal",
        "update_passport",
        "submit_payment",
        "cancel_payment",
    ];
    assert_eq!(known, expected);
}

// --- a process that is killed in mid-payment

/// Started by the test below: keeps the intent, then pays.
#[test]
fn child() {
    let Ok(kept) = std::env::var("FINRAIL_TEST_CHILD_STORE") else {
        return;
    };
    let server = std::env::var("FINRAIL_TEST_CHILD_SERVER").unwrap();
    let orders = orders();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        println!("\n# ready");
        let order = tokio::task::block_in_place(|| orders.recv().unwrap());
        assert_eq!(order, "pay");
        let (user, _) = clients(&server);
        pay(submission(&user).prepare().unwrap(), Path::new(&kept)).await;
    });
}

async fn pay<T, E>(prepared: Prepared<'_, T, E>, kept: &Path) {
    std::fs::write(kept, serde_json::to_vec(prepared.intent()).unwrap()).unwrap();
    drop(prepared.send().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_in_mid_payment_leaves_a_doubt_and_no_second_payment() {
    let recorder = Recorder::start(|seen, _| match seen.method.as_str() {
        "PUT" => Answer::Silence,
        _ => status("ACSC"),
    })
    .await;
    let kept = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("payment-{}.json", nanos()));
    let settings = [("FINRAIL_TEST_CHILD_SERVER", recorder.origin())];
    let mut process = tokio::task::block_in_place(|| Process::start(&kept.display().to_string(), &settings));
    process.order("pay");
    while count(&recorder, "PUT") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    process.kill();
    // The next process finds what was kept.
    let intent: Intent = serde_json::from_slice(&std::fs::read(&kept).unwrap()).unwrap();
    let (_, service) = clients(recorder.origin());
    let doubt = tatrabanka::Doubt::of(intent).unwrap();
    let found = doubt.look_up(&service).await.unwrap();
    assert_eq!(name(&found), "settled");
    assert_eq!(count(&recorder, "PUT"), 1, "the bank was told once");
    std::fs::remove_file(kept).unwrap();
}

#[tokio::test]
async fn a_list_without_an_end_is_not_walked_for_ever_and_finds_nothing_out() {
    for items in ["", r#"{"id":"cst_1","customer":"other"}"#] {
        let recorder = Recorder::start(move |_, before| {
            consents(items, &format!(r#""/consents?customer=c&offset={}""#, before + 1))
        })
        .await;
        let client = finexer::Client::builder()
            .base_url(recorder.origin())
            .access_key("key", "");
        let client = client.build().unwrap();
        let prepared = client
            .create_consent()
            .body_map(|consent| consent.customer("c"))
            .prepare()
            .unwrap();
        let doubt = finexer::Doubt::of(prepared.intent().clone()).unwrap();
        let error = doubt.look_up(&client).await.unwrap_err();
        assert!(error.to_string().contains("nothing was found out"), "{error}");
        assert_eq!(recorder.calls().len(), if items.is_empty() { 10 } else { 500 });
    }
}
