//! Faults: each goes wrong in its own way, as often as it was told, and only where it was told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(feature = "sandbox")]

mod sandbox_support;

use std::time::{Duration, Instant};

use finrail::sandbox::{Fault, Gate};
use sandbox_support::{peer, played, start};

#[tokio::test]
async fn a_status_is_answered_as_often_as_it_was_asked_for() {
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let peer = peer(&sandbox, rules.id);
        let token = peer.tokens().await.string("access_token");
        sandbox.fault(rules.id, Fault::status(503).times(2));
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(peer.get(rules.call, &token).await.status);
        }
        assert_eq!(statuses, [503, 503, 200], "{}", rules.id);

        sandbox.fault(rules.id, Fault::status(500).always());
        assert_eq!(peer.get(rules.call, &token).await.status, 500, "{}", rules.id);
        assert_eq!(peer.get(rules.call, &token).await.status, 500, "{}", rules.id);
        sandbox.clear_faults(rules.id);
        assert_eq!(peer.get(rules.call, &token).await.status, 200, "{}", rules.id);
    }
}

#[tokio::test]
async fn a_fault_can_wait_for_its_operation() {
    let sandbox = start().await;
    let ofx = peer(&sandbox, "ofx");
    sandbox.fault("ofx", Fault::status(500).on("list_beneficiaries"));
    let token = ofx.service_token("payments").await;
    let failed = ofx.get("/payments/beneficiaries", &token).await;
    assert_eq!(failed.status, 500);
    assert!(
        failed.json()["errors"][0]["message"].is_string(),
        "in the provider's own form: {}",
        failed.text
    );
    assert_eq!(ofx.get("/payments/beneficiaries", &token).await.status, 200);
}

#[tokio::test]
async fn token_endpoints_fail_in_the_form_of_oauth_or_in_none() {
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let peer = peer(&sandbox, rules.id);
        let tokens = peer.tokens().await;
        let refresh = tokens.string("refresh_token");
        sandbox.fault(rules.id, Fault::status(503).on("create_token"));
        let failed = peer.refresh(&refresh).await;
        assert_eq!(
            (failed.status, failed.error().is_empty()),
            (503, false),
            "{}: {}",
            rules.id,
            failed.text
        );

        sandbox.fault(rules.id, Fault::html(502).on("create_token"));
        let page = peer.refresh(&refresh).await;
        assert_eq!(
            (page.status, page.header("content-type")),
            (502, "text/html"),
            "{}",
            rules.id
        );

        let body = r#"{"error":"temporarily_unavailable"}"#;
        sandbox.fault(
            rules.id,
            Fault::status(200).body("application/json", body).on("create_token"),
        );
        let odd = peer.refresh(&refresh).await;
        assert_eq!((odd.status, odd.text.as_str()), (200, body), "{}", rules.id);
        assert_eq!(
            peer.refresh(&refresh).await.status,
            200,
            "{}: nothing was spent",
            rules.id
        );
    }
}

#[tokio::test]
async fn headers_say_when_to_come_back_and_what_was_wrong() {
    let sandbox = start().await;
    let mx = peer(&sandbox, "mx");
    let token = mx.tokens().await.string("access_token");
    sandbox.fault("mx", Fault::too_many_requests(Duration::from_secs(3)));
    sandbox.fault("mx", Fault::invalid_token());
    sandbox.fault("mx", Fault::bare_unauthorized());
    let busy = mx.get("/accounts", &token).await;
    assert_eq!((busy.status, busy.header("retry-after")), (429, "3"));
    let challenged = mx.get("/accounts", &token).await;
    assert_eq!(
        (challenged.status, challenged.header("www-authenticate")),
        (401, "Bearer error=\"invalid_token\"")
    );
    let bare = mx.get("/accounts", &token).await;
    assert_eq!((bare.status, bare.header("www-authenticate")), (401, ""));
}

#[tokio::test]
async fn a_dropped_request_did_nothing_and_a_lost_reply_did() {
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let peer = peer(&sandbox, rules.id);
        let refresh = peer.tokens().await.string("refresh_token");
        let request = || {
            let form = peer.refresh_fields(&refresh);
            let secret = &peer.client.client_secret;
            let request = peer
                .http
                .post(format!("{}{}", sandbox.oauth_url(rules.id), rules.token));
            let mut form = form;
            let request = if rules.basic {
                request.basic_auth(&peer.client.client_id, Some(secret.expose_secret()))
            } else {
                sandbox_support::set(&mut form, "client_id", &peer.client.client_id);
                sandbox_support::set(&mut form, "client_secret", secret.expose_secret());
                request
            };
            request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(sandbox_support::encode(&form))
        };
        sandbox.fault(rules.id, Fault::drop_connection().on("create_token"));
        assert!(request().send().await.is_err(), "{}", rules.id);
        sandbox.fault(rules.id, Fault::lost_reply().on("create_token"));
        assert!(request().send().await.is_err(), "{}", rules.id);
        // The dropped request spent nothing, the lost reply spent the token where tokens rotate.
        let status = request().send().await.unwrap().status().as_u16();
        assert_eq!(status, if rules.rotates { 400 } else { 200 }, "{}", rules.id);
    }
}

#[tokio::test]
async fn a_fault_can_choose_its_requests() {
    let sandbox = start().await;
    let ofx = peer(&sandbox, "ofx");
    sandbox.fault(
        "ofx",
        Fault::status(500)
            .on("create_token")
            .with_field("grant_type", "refresh_token")
            .after(1),
    );
    let tokens = ofx.tokens().await;
    let first = ofx.refresh(&tokens.string("refresh_token")).await;
    assert_eq!(first.status, 200, "the first refresh passes");
    assert_eq!(ofx.refresh(&first.string("refresh_token")).await.status, 500);
    assert_eq!(ofx.refresh(&first.string("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn a_fault_can_choose_its_requests_by_a_member_of_json() {
    let sandbox = start().await;
    let ofx = peer(&sandbox, "ofx");
    let token = ofx.service_token("payments").await;
    let send = async |body: &'static str| {
        let request = ofx.http.post(ofx.url("/payments/deals")).bearer_auth(&token);
        let request = request
            .header("content-type", "application/json; charset=utf-8")
            .body(body);
        request.send().await.unwrap().status().as_u16()
    };
    for (name, value) in [("quoteId", "q-1"), ("count", "1.50"), ("isSplit", "true")] {
        sandbox.fault("ofx", Fault::status(507).on("create_deal").with_field(name, value));
    }
    for (body, met) in [
        (r#"{"quoteId":"q-2","count":1.5,"isSplit":false}"#, false),
        (r#"{"more":{"quoteId":"q-1"}}"#, false),
        (r#"["quoteId","q-1"]"#, false),
        (r#"{"quoteId":"q-1"}"#, true),
        (r#"{"quoteId":"q-1"}"#, false),
        (r#"{"count":1.50}"#, true),
        (r#"{"isSplit":true}"#, true),
    ] {
        assert_eq!(send(body).await == 507, met, "{body}");
    }
}

#[test]
fn a_fault_that_cannot_be_made_is_told_where_it_is_made() {
    use sandbox_support::panics::said_by_the_panic as said;
    for status in [0, 42, 100, 199, 1000] {
        let said = said(|| Fault::status(status));
        assert!(said.contains(&format!("the status {status}")), "{said}");
    }
    for said in [
        said(|| Fault::html(42)),
        said(|| Fault::status(500).header("no header", "x")),
        said(|| Fault::status(500).header("x-a", "a\nb")),
        said(|| Fault::status(500).body("text/\u{7f}", "x")),
        said(|| Fault::lost_reply().body("text/plain", "x")),
        said(|| Fault::lost_reply().header("x-a", "b")),
        said(|| Fault::drop_connection().header("x-a", "b")),
        said(|| Fault::slow(Duration::ZERO).body("text/plain", "x")),
        said(|| Fault::garbled().header("x-a", "b")),
        said(|| Fault::unknown_fields().header("x-a", "b")),
        said(|| Fault::status(500).times(0)),
    ] {
        assert!(said.starts_with("the sandbox cannot do this: "), "{said}");
    }
}

#[tokio::test]
async fn a_part_of_a_second_to_wait_is_not_none() {
    let sandbox = start().await;
    let mx = peer(&sandbox, "mx");
    let token = mx.tokens().await.string("access_token");
    for (asked, expected) in [(0, "0"), (1, "1"), (1000, "1"), (1001, "2")] {
        sandbox.fault("mx", Fault::too_many_requests(Duration::from_millis(asked)));
        assert_eq!(
            mx.get("/accounts", &token).await.header("retry-after"),
            expected,
            "{asked} ms"
        );
    }
}

#[tokio::test]
async fn a_gate_holds_replies_back() {
    let sandbox = start().await;
    let ofx = peer(&sandbox, "ofx");
    let refresh = ofx.tokens().await.string("refresh_token");
    let gate = Gate::new();
    sandbox.fault("ofx", Fault::held_by(&gate).on("create_token"));
    let held = ofx.refresh(&refresh);
    let other = async {
        gate.arrived(1).await;
        // The refresh has happened: the token is spent, and its reply is not here yet.
        let status = ofx.refresh(&refresh).await.status;
        gate.open();
        status
    };
    let (held, other) = tokio::join!(held, other);
    assert_eq!((held.status, other), (200, 400));
}

#[test]
fn a_sandbox_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<finrail::sandbox::Sandbox>();
}

#[tokio::test]
async fn a_truncated_reply_has_a_status_and_no_end() {
    let sandbox = start().await;
    let mx = peer(&sandbox, "mx");
    let token = mx.tokens().await.string("access_token");
    sandbox.fault("mx", Fault::truncated());
    let reply = mx
        .http
        .get(mx.url("/accounts"))
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 200);
    assert!(reply.bytes().await.is_err());
    assert_eq!(mx.get("/accounts", &token).await.status, 200);
}

#[tokio::test]
async fn a_slow_reply_comes_late_and_holds_nobody_up() {
    let sandbox = start().await;
    let ofx = peer(&sandbox, "ofx");
    let token = ofx.service_token("payments").await;
    let late = Duration::from_millis(200);
    sandbox.fault("ofx", Fault::slow(late).on("list_beneficiaries"));
    let begin = Instant::now();
    assert_eq!(ofx.get("/payments/beneficiaries", &token).await.status, 200);
    assert!(begin.elapsed() >= late, "{:?}", begin.elapsed());

    // A reply that would take an hour: whoever comes after it is answered before it.
    sandbox.fault("ofx", Fault::slow(Duration::from_secs(3600)).on("list_beneficiaries"));
    sandbox.clear_requests("ofx");
    let others = async {
        while sandbox.requests("ofx").is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        ofx.service_token("payments").await;
        ofx.get("/payments/beneficiaries", &token).await.status
    };
    tokio::select! {
        slow = ofx.get("/payments/beneficiaries", &token) => panic!("{} came first", slow.status),
        status = others => assert_eq!(status, 200),
    }
}

#[tokio::test]
async fn replies_can_be_cut_and_can_carry_what_nobody_knows() {
    let sandbox = start().await;
    let mx = peer(&sandbox, "mx");
    let token = mx.tokens().await.string("access_token");
    sandbox.fault("mx", Fault::garbled());
    let cut = mx.get("/accounts", &token).await;
    assert!(cut.status == 200 && serde_json::from_str::<serde_json::Value>(&cut.text).is_err());
    assert!(cut.header("content-type").contains("json"));

    let plain = mx.get("/accounts", &token).await.json();
    let count = plain["accounts"].as_array().unwrap().len();
    for (fault, mark) in [
        (Fault::unknown_values(), "sandbox_unknown"),
        (Fault::unknown_fields(), "sandboxUnknownField"),
        (Fault::unknown_kinds(), "sandboxUnknownDepositAccount"),
    ] {
        sandbox.fault("mx", fault);
        let strange = mx.get("/accounts", &token).await;
        assert!(strange.text.contains(mark), "{mark}: {}", strange.text);
        assert_eq!(strange.json()["accounts"].as_array().unwrap().len(), count, "{mark}");
        assert!(
            strange.json()["accounts"]
                .as_array()
                .unwrap()
                .iter()
                .all(|a| a.as_object().unwrap().len() == 1),
            "{mark}"
        );
    }
    assert_eq!(mx.get("/accounts", &token).await.json(), plain);
}

#[tokio::test]
async fn a_sandbox_stops_when_it_is_dropped() {
    let sandbox = start().await;
    let url = sandbox.url("ofx");
    let client = sandbox_support::http();
    assert!(client.get(&url).send().await.is_ok());
    drop(sandbox);
    for _ in 0..100 {
        if client.get(&url).send().await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the sandbox still answers");
}

#[tokio::test]
async fn a_fault_on_an_operation_that_does_not_exist_is_refused_with_the_nearest_one() {
    let sandbox = start().await;
    let fault = Fault::status(500).on("list_beneficiarys");
    let said = sandbox_support::panics::said_by_the_panic(|| sandbox.fault("ofx", fault));
    for part in [
        "`list_beneficiarys`",
        "did you mean `list_beneficiaries`?",
        "create_deal",
    ] {
        assert!(said.contains(part), "{said}");
    }
    // It is another provider's.
    let said = sandbox_support::panics::said_by_the_panic(|| sandbox.fault("mx", Fault::status(500).on("create_deal")));
    assert!(said.contains("no operation `create_deal`"), "{said}");
    let said = sandbox_support::panics::said_by_the_panic(|| sandbox.fault("omnifound", Fault::status(500)));
    assert!(said.contains("did you mean `omnifund`?"), "{said}");
}
