//! Replies that are no value of their type, though nothing in them contradicts it: none of them is taken for one.
#![cfg(all(
    feature = "ofx",
    feature = "mx",
    feature = "omnifund",
    feature = "tatrabanka",
    feature = "finexer"
))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod logged;
mod recorder;
#[macro_use]
mod connected;

use std::sync::Arc;

use connected::*;
use finrail::transport::{Outcome, Proof};
use finrail::{Error, Found, TypedClient as _, finexer as finexer_app, omnifund, tatrabanka};
use logged::Log;
use recorder::{Answer, Recorder, Seen};

async fn telling(body: impl Into<Vec<u8>>) -> Recorder {
    let body = body.into();
    Recorder::granting(move |_, _| Answer::typed(200, "application/json", body.clone())).await
}

fn bank(recorder: &Recorder) -> tatrabanka::Client {
    let client = tatrabanka::Client::builder()
        .base_url(recorder.origin())
        .token_source(Arc::new(OneToken));
    client.build().unwrap()
}

fn submission(user: &tatrabanka::Client) -> tatrabanka::builder::SubmitPayment<'_> {
    let call = user.submit_payment().product("sepa-credit-transfers");
    call.payment_id("p").authorization_id("a")
}

/// The items of a page at Tatra banka: how many could be read, how many could not, or the error.
async fn transactions(body: impl Into<Vec<u8>>) -> Result<(usize, usize), Error> {
    let recorder = telling(body).await;
    let page = bank(&recorder).list_transactions().account_id("a").send().await;
    let page = page.map_err(Error::into_untyped)?;
    assert!(page.transactions.iter().all(|item| item.transaction_id.is_some()));
    Ok((page.transactions.len(), page.unreadable().len()))
}

// --- depth

#[tokio::test]
async fn lists_in_lists_without_end_are_no_list() {
    for depth in [6, 2_500, 200_000] {
        let list = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let error = transactions(format!(r#"{{"transactions":{list}}}"#)).await.unwrap_err();
        assert!(error.to_string().contains("expected a list"), "{depth}: {error}");
    }
    let read = transactions(r#"{"transactions":[[[[{"transactionId":"1"}]]]]}"#).await;
    assert_eq!(read.unwrap(), (1, 0));
}

// --- errors that come as a success

#[tokio::test]
async fn a_success_of_which_no_field_is_described_is_an_error_whatever_its_type_keeps() {
    for body in [
        r#"{"error":"declined"}"#,
        r#"{"errors":[{"code":"X"}]}"#,
        r#"{"message":"declined","code":17}"#,
    ] {
        let recorder = telling(body).await;
        let own = service(&recorder);
        let deal = own.create_deal().body_map(|deal| deal.quote_id("q-1".to_owned()));
        let quote = own.create_quote().body_map(|quote| quote.buy_amount(1));
        let rate = own.get_rate().from_currency("AUD").to_currency("USD").amount(100);
        let merchant = omnifund::Client::builder()
            .base_url(recorder.origin())
            .access_key("key", "secret")
            .build()
            .unwrap();
        let passport = merchant.create_passport().body_map(|passport| {
            let passport = passport.type_(omnifund::types::PassportType::Email);
            let passport = passport.po_number("PO-1").reference_id("INV-1").description("x");
            let passport = passport.line_items(Vec::<serde_json::Value>::new());
            passport.sub_total(1).tax(0).discount(0).total(1)
        });
        let user = mx(&recorder).await;
        let outcomes = [
            deal.send().await.map(drop).unwrap_err().into_untyped(),
            quote.send().await.map(drop).unwrap_err().into_untyped(),
            rate.send().await.map(drop).unwrap_err().into_untyped(),
            passport.send().await.map(drop).unwrap_err().into_untyped(),
            user.client()
                .get_current_customer()
                .send()
                .await
                .map(drop)
                .unwrap_err()
                .into_untyped(),
        ];
        for error in outcomes {
            assert!(matches!(error, Error::InvalidReply(_)), "{body}: {error:?}");
            let told = error.to_string();
            assert!(
                told.contains("described") || told.contains("as an error has"),
                "{error}"
            );
            assert!(!told.contains("declined"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_described_field_that_is_blank_makes_no_success_of_an_error() {
    for (body, is_value) in [
        (r#"{"transactionStatus":null,"errorCode":"LIMIT"}"#, false),
        (r#"{"transactionStatus":"","errorCode":"LIMIT"}"#, false),
        (r#"{"transactionStatus":null,"error":"declined"}"#, false),
        (r#"{"transactionStatus":null,"message":"declined"}"#, false),
        (
            r#"{"statusDateTime":"2026-11-27T10:00:00Z","errorCode":"LIMIT"}"#,
            false,
        ),
        (
            r#"{"statusDateTime":"2026-11-27T10:00:00Z","error_code":"LIMIT"}"#,
            false,
        ),
        (
            r#"{"transactionStatus":null,"tppMessages":[{"category":"ERROR","code":"SERVICE_BLOCKED"}]}"#,
            false,
        ),
        ("{\"transactionStatus\":\n0,\"message\":\"declined\"}", false),
        ("{\"transactionStatus\":\t0,\"message\":\"declined\"}", false),
        ("{\"transactionStatus\":-0,\"message\":\"declined\"}", false),
        ("{\"transactionStatus\":\"\u{85}\",\"message\":\"declined\"}", false),
        ("{\"transactionStatus\":\"\u{a0}\",\"message\":\"declined\"}", false),
        ("{\"transactionStatus\":\"\u{1680}\",\"message\":\"declined\"}", false),
        ("{\"transactionStatus\":\"\u{2003}\",\"message\":\"declined\"}", false),
        ("{\"transactionStatus\":\"\u{3000}\",\"message\":\"declined\"}", false),
        (r#"{"transactionStatus":"ACSC","success":false}"#, false),
        (r#"{"transactionStatus":"ACSC","status":500}"#, false),
        (
            r#"{"transactionStatus":null,"errors":[{"code":"CONSENT_REVOKED","message":"x"}]}"#,
            false,
        ),
        (
            r#"{"statusDateTime":"2026-11-27T10:00:00Z","errorCode":"CONSENT_REVOKED"}"#,
            false,
        ),
        (r#"{"transactionStatus":null,"received":true,"status":"FAILED"}"#, false),
        (r#"{"transactionStatus":"ACSC","errorPolicy":"CONTINUE"}"#, true),
        (r#"{"transactionStatus":"ACSC","roundingError":"0.004"}"#, true),
        (r#"{"transactionStatus":"ACSC","errorCode":null}"#, true),
        (r#"{"transactionStatus":"ACSC","errorCode":"0"}"#, true),
        (r#"{"transactionStatus":"ACSC","errorCode":"SUCCESS"}"#, true),
        (r#"{"transactionStatus":"ACSC","errorDescription":"none"}"#, true),
        (r#"{"transactionStatus":"ACSC","error":"false"}"#, true),
        (r#"{"transactionStatus":"ACSC","errors":[null]}"#, true),
        (
            r#"{"transactionStatus":"ACSC","statusDateTime":null,"message":"booked"}"#,
            true,
        ),
        (r#"{"transactionStatus":null}"#, true),
    ] {
        let recorder = telling(body).await;
        match submission(&bank(&recorder)).send().await {
            Ok(_) => assert!(is_value, "{body}"),
            Err(error) => assert!(!is_value && error.outcome() == Outcome::Unknown, "{body}: {error}"),
        }
    }
    let recorder = telling(r#"{"id":null,"error":"declined","message":"no"}"#).await;
    let quote = service(&recorder)
        .create_quote()
        .body_map(|quote| quote.buy_amount(1))
        .send()
        .await;
    assert_eq!(quote.map(drop).unwrap_err().outcome(), Outcome::Unknown);
    let merchant = omnifund::Client::builder().base_url(recorder.origin());
    let merchant = merchant.access_key("key", "secret").build().unwrap();
    let passport = merchant.create_passport().body_map(|passport| {
        let passport = passport.type_(omnifund::types::PassportType::Email);
        let passport = passport.po_number("PO-1").reference_id("INV-1").description("x");
        let passport = passport.line_items(Vec::<serde_json::Value>::new());
        passport.sub_total(1).tax(0).discount(0).total(1)
    });
    assert_eq!(passport.send().await.map(drop).unwrap_err().outcome(), Outcome::Unknown);
}

/// Whether a deal that is answered so is taken for booked; if not, nobody knows.
async fn assert_booked(body: &str, is_booked: bool) {
    let recorder = telling(body).await;
    let own = service(&recorder);
    let deal = own.create_deal().body_map(|deal| deal.quote_id("q-1".to_owned()));
    match deal.send().await {
        Ok(_) => assert!(is_booked, "{body}"),
        Err(error) => {
            assert!(!is_booked, "{body}: {error}");
            assert_eq!(error.outcome(), Outcome::Unknown, "{body}");
        }
    }
}

#[tokio::test]
async fn a_booked_deal_is_one_though_it_says_that_there_was_no_error() {
    for (beside, is_booked) in [
        (r#","errors":[ ]"#, true),
        (r#","errors":{ }"#, true),
        (r#","error":0"#, true),
        (r#","error":0.0"#, true),
        (r#","error":" ""#, true),
        (r#","error":null,"errors":false"#, true),
        (r#","message":"booked","code":0"#, true),
        (r#","message":"booked","status":"DONE""#, true),
        (r#","error":1"#, false),
        (r#","errors":[ {} ]"#, true),
        (r#","errors":[null]"#, true),
        (r#","errorCode":"0000""#, true),
        (r#","errorCode":"OK","errorDescription":"""#, true),
        (r#","error":{"code":0,"message":""}"#, true),
        (r#","error":"none""#, true),
        (r#","success":false"#, false),
        (r#","status":500"#, false),
        (r#","failureUrl":"https://shop.example/fail""#, true),
        (r#","message":"Deal booked. 0 legs failed""#, true),
        (r#","code":450"#, true),
        (r#","errorCode":"DEAL_COMPLETED""#, false),
        (r#","errorCode":"0","errorMessage":"quote gone""#, false),
        (r#","received":true,"dealStatus":"REJECTED""#, false),
        // Of two, nobody can say which one was booked.
        (r#","dealId":"d2""#, false),
    ] {
        assert_booked(&format!(r#"{{"dealId":"d1"{beside}}}"#), is_booked).await;
    }
}

#[tokio::test]
async fn what_says_nothing_of_a_deal_but_that_there_was_an_error_is_none() {
    for (body, is_booked) in [
        ("", false),
        ("null", false),
        (" null ", false),
        ("7", false),
        (r#""booked""#, false),
        ("[]", false),
        (r#"{"success":false}"#, false),
        (r#"{"status":"FAILED"}"#, false),
        (r#"{"status":"error"}"#, false),
        (r#"{"timestamp":"2026-11-27","status":500,"path":"/x"}"#, false),
        (r#"{"httpStatus":500,"message":"Internal"}"#, false),
        (r#"{"Error":"x"}"#, false),
        (r#"{"success":0}"#, false),
        (r#"{"success":"no","message":"limit"}"#, false),
        (r#"{"isSuccessful":false}"#, false),
        (r#"{"response":{"error":"x"}}"#, false),
        (r#"{"Response":{"Errors":[{"Code":1}]}}"#, false),
        (r#"{"tppMessages":[{"category":"ERROR"}]}"#, false),
        (r#"{"errno":5}"#, false),
        (r#"{"response":{"dealId":"d1"}}"#, true),
        (r#"{"success":1}"#, true),
        (r#"{"Message":"declined"}"#, false),
        (r#"{"data":{"code":"D1","status":"BOOKED","type":"spot"}}"#, true),
        (r#"{"data":{"title":"Deal","code":"D-1"},"success":true}"#, true),
        (r#"{"type":"deal","status":"CONFIRMED","description":"spot"}"#, true),
        (r#"{"status":"success","message":"Deal created"}"#, true),
        (r#"{"code":0,"message":"Deal booked"}"#, true),
        (r#"{"errors":false,"message":"Deal booked"}"#, true),
        (r#"{"result":1234}"#, true),
        (r#"{"result":1234,"message":"ok"}"#, true),
        (r#"{"message":"x","code":"X"}"#, false),
        (r#"{"fault":{"faultstring":"x"}}"#, false),
        (r#"{"success":true}"#, true),
        (r#"{"status":"PENDING"}"#, true),
        (r#"{"processId":"p1","status":"FAILED"}"#, false),
    ] {
        assert_booked(body, is_booked).await;
    }
}

// --- items

#[tokio::test]
async fn an_item_of_which_nothing_is_described_is_none() {
    for (list, expected) in [
        // PHP writes a list so from which an item was removed; others sort its keys as texts.
        (
            r#"{"booked":{"0":{"transactionId":"1"},"2":{"transactionId":"2"}}}"#,
            Some((2, 0)),
        ),
        (
            r#"{"0":{"transactionId":"1"},"2":{"transactionId":"2"},"total":2}"#,
            Some((2, 0)),
        ),
        (r#"{"booked":{}}"#, Some((0, 0))),
        (
            r#"{"booked":[{"transactionId":"1"}],"tppMessages":[{"category":"ERROR"}]}"#,
            Some((1, 0)),
        ),
        (r#"{"booked":[],"warnings":[{"code":"X"}]}"#, Some((0, 0))),
        (r#"{"booked":[],"information":[{"transactionId":"1"}]}"#, Some((1, 0))),
        ("[[]]", Some((0, 1))),
        ("[[],[]]", Some((0, 2))),
        (r#"{"booked":[[]]}"#, Some((0, 1))),
        (r#"[[],[{"transactionId":"1"}]]"#, Some((1, 0))),
        (r#"{"errors":[{"code":"X"}]}"#, Some((0, 1))),
        (r#"[{"error":"x"}]"#, Some((0, 1))),
        (r#"[{"Transaction":{"transactionId":"1"}}]"#, Some((0, 1))),
        (r#"[{"transactionId":"1"},{"error":"x"}]"#, Some((1, 1))),
        (
            r#"{"booked":[{"transactionId":"1"}],"booked":[{"transactionId":"1"}]}"#,
            None,
        ),
        (r#"{"error":"x"}"#, Some((0, 1))),
    ] {
        let read = transactions(format!(r#"{{"transactions":{list}}}"#)).await;
        assert_eq!(read.as_ref().ok(), expected.as_ref(), "{list}: {read:?}");
    }
    for body in [r#"{"error":"x"}"#, r#"{"message":"no"}"#, r#"[{"error":"x"}]"#] {
        let recorder = telling(body).await;
        let read = service(&recorder).list_beneficiaries().send().await;
        assert!(matches!(read, Err(Error::InvalidReply(_))), "{body}");
    }
    let recorder =
        telling(r#"{"transactions":{"booked":{"10":{"transactionId":"10"},"2":{"transactionId":"2"}}}}"#).await;
    let page = bank(&recorder)
        .list_transactions()
        .account_id("a")
        .send()
        .await
        .unwrap();
    let ids: Vec<_> = page
        .transactions
        .iter()
        .map(|item| item.transaction_id.as_deref())
        .collect();
    assert_eq!(ids, [Some("2"), Some("10")]);
}

#[tokio::test]
async fn so_it_is_on_pages_whose_list_has_one_form_only() {
    let recorder = telling(r#"{"hydra:member":[{"id":7},{"error":"x"},{}],"new":[{"x":1}]}"#).await;
    let merchant = omnifund(&recorder).await;
    let page = merchant.client().list_customers().send().await.unwrap();
    let [item] = page.unreadable() else {
        panic!("{:?}", page.unreadable())
    };
    assert_eq!((page.hydra_member.len(), item.position), (2, 1));
    assert_eq!(item.path, "hydra:member[1]");
    assert!(item.reason.contains("no described field"), "{item}");
}

#[tokio::test]
async fn a_list_is_no_object_at_any_depth() {
    for item in [
        r#"{"transactionId":"1","transactionAmount":["5","EUR"]}"#,
        r#"{"transactionId":"1","creditorAccount":["A"]}"#,
    ] {
        let read = transactions(format!(r#"{{"transactions":[{item}]}}"#)).await;
        assert_eq!(read.unwrap(), (0, 1), "{item}");
    }
    let recorder = telling(r#"{"data":[["c1"],[]]}"#).await;
    let user = finexer(&recorder).await;
    let page = user.client().list_customers().send().await.unwrap();
    assert_eq!((page.data.len(), page.unreadable().len()), (0, 2));
}

// --- names that stand there twice

#[tokio::test]
async fn a_state_that_stands_there_twice_settles_nothing() {
    let recorder = Recorder::start(|seen, _| match seen.method.as_str() {
        "PUT" => Answer::Drop,
        _ => Answer::json(r#"{"transactionStatus":"ACSC","transactionStatus":"RJCT"}"#),
    })
    .await;
    let user = bank(&recorder);
    let prepared = submission(&user).prepare().unwrap();
    let intent = prepared.intent().clone();
    let error = prepared.send().await.unwrap_err();
    let doubt = tatrabanka::Doubt::after(&error, &intent).unwrap().unwrap();
    let service = tatrabanka::service::Client::builder()
        .base_url(recorder.origin())
        .token_source(Arc::new(OneToken))
        .build()
        .unwrap();
    let found = doubt.look_up(&service).await.unwrap();
    assert!(matches!(found, Found::Open(_)), "{found:?}");
}

#[tokio::test]
async fn an_item_with_a_name_twice_is_unreadable() {
    for item in [
        r#"{"id":"c1","metadata":{"k":"1","k":"2"}}"#,
        r#"{"id":"c1","id":"c2"}"#,
    ] {
        let recorder = telling(format!(r#"{{"data":[{item},{{"id":"c3"}}]}}"#)).await;
        let user = finexer(&recorder).await;
        let page = user.client().list_consents().send().await.unwrap();
        assert_eq!((page.data.len(), page.unreadable().len()), (1, 1), "{item}");
    }
    let kinds = r#"{"depositAccount":{"accountId":"1"},"depositAccount":{"accountId":"2"}}"#;
    let recorder = telling(format!(r#"{{"accounts":[{kinds},{{"new":1,"new":2}},{{"new":1}}]}}"#)).await;
    let user = mx(&recorder).await;
    let page = user.client().list_accounts().send().await.unwrap();
    assert_eq!((page.accounts.len(), page.unreadable().len()), (1, 2));
}

// --- texts in another encoding, and what is no JSON

#[tokio::test]
async fn a_refusal_is_proven_in_whatever_encoding_it_comes() {
    let utf_16 = |text: &str, mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
        let text = text.encode_utf16().flat_map(bytes);
        mark.iter().copied().chain(text).collect::<Vec<u8>>()
    };
    let text = r#"{"error":"x","code":"LIMIT"}"#;
    for (charset, body) in [
        ("", br#"{"code":"LIMIT","error":"\ud83d"}"#.to_vec()),
        ("", br#"{"code":"LIMIT","error":"x","\ud83d":1e999}"#.to_vec()),
        (
            "; charset=ISO-8859-1",
            b"{\"code\":\"LIMIT\",\"error\":\"z\xfcge\"}".to_vec(),
        ),
        ("; charset=utf-16", utf_16(text, b"\xff\xfe", u16::to_le_bytes)),
        ("; charset=utf-16", utf_16(text, b"\xfe\xff", u16::to_be_bytes)),
        ("; charset=utf-16", utf_16(text, b"", u16::to_be_bytes)),
        ("", utf_16(text, b"\xff\xfe", u16::to_le_bytes)),
    ] {
        let media_type = format!("application/json{charset}");
        let of_finexer = (media_type.clone(), body.clone());
        let recorder = Recorder::start(move |_, _| Answer::typed(400, &media_type, body.clone())).await;
        let own = own_bank::Client::builder()
            .base_url(recorder.origin())
            .token_source(Arc::new(OneToken))
            .build()
            .unwrap();
        let transfer = own.create_transfer().body_map(|transfer| transfer.amount(1).to("b"));
        let error = transfer.send().await.unwrap_err();
        let concluded = (error.outcome(), error.proof());
        assert_eq!(
            concluded,
            (Outcome::Rejected, Some(Proof::Documented)),
            "{charset}: {error}"
        );
        let error = submission(&bank(&recorder)).send().await.unwrap_err();
        let concluded = (error.outcome(), error.proof());
        assert_eq!(
            concluded,
            (Outcome::Rejected, Some(Proof::Assumed)),
            "{charset}: {error}"
        );
        let user = Recorder::granting(move |_, _| Answer::typed(400, &of_finexer.0, of_finexer.1.clone())).await;
        let user = finexer(&user).await;
        let error = user.client().list_customers().send().await.unwrap_err();
        assert_eq!(error.code(), Some("LIMIT"), "{charset}: {error}");
    }
    // Which of the two is it?
    let recorder = Recorder::start(|_, _| Answer::status(400, r#"{"code":"X","code":null}"#)).await;
    let error = submission(&bank(&recorder)).send().await.unwrap_err();
    assert_eq!((error.outcome(), error.proof()), (Outcome::Unknown, None));

    let body = utf_16(r#"{"data":[{"id":"c1"}]}"#, b"\xff\xfe", u16::to_le_bytes);
    let recorder =
        Recorder::granting(move |_, _| Answer::typed(200, "application/json; charset=utf-16", body.clone())).await;
    let user = finexer(&recorder).await;
    assert_eq!(user.client().list_customers().send().await.unwrap().data.len(), 1);
}

#[tokio::test]
async fn bytes_that_a_declared_charset_does_not_have_are_not_replaced() {
    let listing = |media_type: &'static str, body: &'static [u8]| async move {
        let recorder = Recorder::granting(move |_, _| Answer::typed(200, media_type, body)).await;
        let user = finexer(&recorder).await;
        user.client().list_customers().send().await
    };
    let shift_jis = "application/json; charset=shift_jis";
    let page = listing(
        shift_jis,
        b"{\"data\":[{\"id\":\"a\x85\"},{\"id\":\"a\x86\"},{\"id\":\"\x82\xa0\"}]}",
    );
    let page = page.await.unwrap();
    assert_eq!((page.data.len(), page.unreadable().len()), (1, 2));
    for item in page.unreadable() {
        assert!(item.reason.contains("charset"), "{item}");
    }
    let error = listing(shift_jis, b"{\"data\":[],\"count\":\"\x85\"}")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("charset"), "{error}");
    for media_type in [
        "application/json; charset=us-ascii",
        "application/json; profile=\"a;charset=utf-16\"",
    ] {
        let page = listing(media_type, b"{\"data\":[{\"id\":\"\xc3\xa9\"}]}")
            .await
            .unwrap();
        assert_eq!(page.data[0].id, "\u{e9}", "{media_type}");
    }
}

#[tokio::test]
async fn a_value_that_is_none_costs_the_item_that_it_stands_in() {
    let good = br#"{"transactionId":"1","creditorName":"z\u00fcge"}"#;
    for bad in [
        &b"{\"transactionId\":\"2\",\"creditorName\":\"z\xfcge\"}"[..],
        b"{\"transactionId\":\"2\",\"creditorName\":\"two\nlines\"}",
        b"{\"transactionId\":\"2\",\"creditorName\":\"\\q\"}",
        b"{\"transactionId\":\"2\",\"transactionAmount\":{\"amount\":NaN}}",
        b"{\"transactionId\":\"2\",\"transactionAmount\":{\"amount\":-Infinity,\"currency\":\"EUR\"}}",
        b"{\"transactionId\":\"2\",\"\\ud83d\":1,\"transactionAmount\":{\"amount\":\"NaN\",\"currency\":\"EUR\"}}",
        b"nil",
    ] {
        for (opens, closes) in [
            (&b"{\"transactions\":["[..], &b"]}"[..]),
            (b"{\"transactions\":{\"booked\":[", b"]}}"),
        ] {
            let body = [opens, good, b", ", bad, b" ,", good, closes].concat();
            let recorder = telling(body).await;
            let page = bank(&recorder)
                .list_transactions()
                .account_id("a")
                .send()
                .await
                .unwrap();
            assert_eq!(page.transactions.len(), 2);
            let [item] = page.unreadable() else {
                panic!("{}", page.unreadable().len())
            };
            assert_eq!((item.position, item.raw.expose()), (1, bad));
        }
    }
    // Half a character in the name of a member beside the list.
    let read = transactions(r#"{"\ud83d":1,"transactions":[{"transactionId":7.5e},{"transactionId":"1"}]}"#).await;
    assert_eq!(read.unwrap(), (1, 1));
    // What cannot be divided, and what is wrong elsewhere.
    for body in [
        &b"{\"transactions\":[{\"transactionId\":\"1\"},{\"transactionId\":\"2}]}"[..],
        b"{\"account\":NaN,\"transactions\":[{\"transactionId\":\"1\"}]}",
        b"{\"transactions\":[{\"transactionId\":\"1\"}}}",
    ] {
        assert!(transactions(body).await.is_err());
    }
}

#[tokio::test]
async fn of_many_items_that_cannot_be_read_there_is_one_warning_and_there_is_an_end_to_them() {
    let (log, _heard) = Log::events(tracing::Level::WARN);
    let nulls = |count: usize| format!(r#"{{"transactions":[{}]}}"#, vec!["null"; count].join(","));
    assert_eq!(transactions(nulls(3_000)).await.unwrap(), (0, 3_000));
    let warnings = log.take();
    assert_eq!(warnings.matches("an item of a page cannot be read").count(), 1);
    assert!(
        warnings.contains("count=3000") && warnings.contains("position=0") && warnings.contains("transactions[0]"),
        "{warnings}"
    );
    assert!(transactions(nulls(400_001)).await.is_err());
    let bare = vec![r#"{"error":"x"}"#; 5_000].join(",");
    let recorder = telling(format!(r#"{{"hydra:member":[{bare}]}}"#)).await;
    let merchant = omnifund(&recorder).await;
    assert!(merchant.client().list_customers().send().await.is_err());
}

// --- names that are data

#[tokio::test]
async fn a_name_that_is_a_secret_or_data_is_told_nowhere() {
    let (log, _heard) = Log::events(tracing::Level::WARN);
    let long = format!("a{}", "x".repeat(1_000_000));
    // The token of the call, the client's secret, an account, and a name without end.
    for (name, told) in [
        ("token-1", "[secret]"),
        ("secret", "[secret]"),
        ("SK6911000000003968781519", "SK######################"),
        (long.as_str(), "xxx\u{2026}"),
    ] {
        for (status, media_type, body) in [
            (
                200,
                "application/json",
                format!(r#"{{"data":[{{"id":"1","{name}": x}}],"count":1}}"#),
            ),
            (200, "application/json", format!(r#"{{"data":[],"{name}": x}}"#)),
            (400, "application/json", format!(r#"{{"{name}": x}}"#)),
        ] {
            // So much of an error is not read.
            if status == 400 && body.len() > 60_000 {
                continue;
            }
            let answer = Answer::typed(status, media_type, body);
            let recorder = Recorder::granting(move |_, _| answer.clone()).await;
            let user = finexer(&recorder).await;
            let mut shown = String::new();
            match user.client().list_customers().send().await {
                Ok(page) => {
                    let [item] = page.unreadable() else {
                        panic!("{:?}", page.unreadable())
                    };
                    assert!(
                        item.path == "[secret]" || item.path.starts_with("data[0]."),
                        "{}",
                        item.path
                    );
                    shown += &format!("{item} {item:?}");
                }
                Err(error) => shown += &format!("{error} {error:?}"),
            }
            let raw = user.client().raw(http::Method::GET, "/x").send().await;
            if let Ok(raw) = raw {
                let error = raw
                    .json::<std::collections::BTreeMap<String, finrail::Json>>()
                    .unwrap_err();
                shown += &format!("{error} {error:?}");
            }
            shown += &log.take();
            assert!(shown.len() < 10_000, "{}", shown.len());
            assert!(
                !shown.contains(&format!(".{name}")) && !shown.contains(&format!("`{name}")),
                "{shown}"
            );
            assert!(shown.contains(told), "{name}: {shown}");
        }
    }
    let recorder = Recorder::granting(|_, _| Answer::typed(200, "token-1", "<html>")).await;
    let user = finexer(&recorder).await;
    let error = user.client().list_customers().send().await.unwrap_err();
    let shown = format!("{error} {error:?} {}", log.take());
    assert!(shown.contains("[secret]") && !shown.contains("token-1"), "{shown}");
}

#[tokio::test]
async fn of_a_token_in_a_name_no_part_is_told() {
    const TOKEN: &str = "eyJhbGciOi.J9planted-payload.sig_planted-end";
    let (log, _heard) = Log::everything();
    let names = [
        format!("authorization: Bearer {TOKEN};"),
        format!("x{TOKEN}"),
        format!("{TOKEN}x"),
        format!("{TOKEN}[a]"),
        format!("a.b.{TOKEN}.c"),
        "a<J9planted-payload>b".to_owned(),
        "x, sig_planted".to_owned(),
    ];
    let mut answers = Vec::new();
    for name in &names {
        answers.push(Answer::json(format!(r#"{{"data":[{{"id":"1","{name}":nope}}]}}"#)));
        answers.push(Answer::json(format!(r#"{{"data":[{{"id":"1","{name}":1}}]}}"#)));
        answers.push(Answer::json(format!(r#"{{"data":[],"{name}":nope}}"#)));
        answers.push(Answer::status(400, format!(r#"{{"{name}":nope}}"#)));
        answers.push(Answer::status(400, format!(r#"{{"code":"{name}"}}"#)));
    }
    for media_type in [format!("text/{TOKEN}"), format!("{TOKEN}+json")] {
        answers.push(Answer::typed(200, &media_type, "<html>"));
        answers.push(Answer::typed(400, &media_type, "<html>"));
    }
    // The names of headers come in small letters.
    let name = TOKEN.replace('.', "-").to_ascii_lowercase();
    answers.push(Answer::json(r#"{"data":[]}"#).header(&name, "x"));
    for answer in answers {
        let token = move |_: &Seen, _| {
            Answer::json(format!(
                r#"{{"access_token":"{TOKEN}","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-1"}}"#
            ))
        };
        let recorder = Recorder::with_tokens(token, move |_, _| answer.clone()).await;
        let app = builder::<finrail::finexer::Provider>(&recorder)
            .wire_log(true)
            .build()
            .unwrap();
        let user = connect!(finexer_app, app, NO_SCOPES);
        let shown = match user.client().list_customers().send().await {
            Ok(page) => page
                .unreadable()
                .iter()
                .map(|item| format!("{item} {item:?}"))
                .collect(),
            Err(error) => format!("{error} {error:?} {:?}", error.code()),
        };
        let heard = log.take();
        let told = heard
            .lines()
            .filter(|line| line.contains("finrail"))
            .chain([shown.as_str()]);
        for told in told {
            let lower = told.to_ascii_lowercase();
            assert!(!lower.contains("planted") && !told.contains("eyJhbGciOi"), "{told}");
        }
    }
}

// --- errors

#[tokio::test]
async fn the_providers_code_is_known_though_another_field_of_its_error_differs() {
    for (body, code) in [
        (r#"{"errorCode":"NO_CONTRACT","errorDescription":"x"}"#, "NO_CONTRACT"),
        (
            r#"{"errorCode":"NO_CONTRACT","errorDescription":{"x":1}}"#,
            "NO_CONTRACT",
        ),
    ] {
        let recorder = Recorder::granting(move |_, _| Answer::status(403, body)).await;
        let error = submission(&bank(&recorder)).send().await.unwrap_err();
        assert_eq!(error.code(), Some(code), "{body}");
        assert!(error.to_string().contains("(NO_CONTRACT)"), "{error}");
        let error = bank(&recorder)
            .raw(finrail::Method::GET, "/x")
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.code(), Some(code), "{body}");
        assert!(error.to_string().contains("(NO_CONTRACT)"), "{error}");
    }
    let recorder = Recorder::granting(|_, _| Answer::status(499, r#"{"code":"LIMIT","error":["a"]}"#)).await;
    let error = finexer(&recorder)
        .await
        .client()
        .list_customers()
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("LIMIT"));
    assert!(
        error.to_string().contains("(status 499)") && error.to_string().contains("(LIMIT)"),
        "{error}"
    );
}

#[tokio::test]
async fn an_unreadable_item_has_the_status_of_its_reply() {
    let recorder = Recorder::granting(|_, _| Answer::json(r#"{"data":[{"id":7e}]}"#)).await;
    let user = finexer(&recorder).await;
    let error = user.client().list_customers().items().try_collect().await.unwrap_err();
    assert_eq!(error.status(), Some(http::StatusCode::OK), "{error}");
}

#[tokio::test]
async fn a_raw_reply_is_read_in_its_charset() {
    let utf_16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain("{\"id\":\"\u{e9}\"}".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    for (charset, body) in [
        ("iso-8859-1", b"{\"id\":\"\xe9\"}".to_vec()),
        ("latin-1", b"{\"id\":\"\xe9\"}".to_vec()),
        ("iso_8859_1", b"{\"id\":\"\xe9\"}".to_vec()),
        ("utf-16", utf_16),
        ("utf-8", "{\"id\":\"\u{e9}\"}".into()),
    ] {
        let media_type = format!("application/json; charset={charset}");
        let recorder = Recorder::granting(move |_, _| Answer::typed(200, &media_type, body.clone())).await;
        let reply = bank(&recorder).raw(finrail::Method::GET, "/x").send().await.unwrap();
        let read: std::collections::BTreeMap<String, String> = reply.json().unwrap();
        assert_eq!(read["id"], "\u{e9}", "{charset}");
    }
}
