//! Payments of a bank that knows an idempotency key: what is kept, what is sent again, and what is looked up.
#![allow(clippy::unwrap_used)]

use finrail::transport::{CallOptions, Outcome, RetryPolicy};
use finrail::{Found, TypedClient as _};
use httpmock::MockServer;
use own_bank::types::NewPayout;
use serde_json::json;

async fn bank() -> (MockServer, own_bank::Client) {
    let server = MockServer::start_async().await;
    let reply = json!({ "access_token": "t0k3n", "token_type": "Bearer", "expires_in": 3600 });
    let token = |when: httpmock::When, then: httpmock::Then| {
        when.method("POST").path("/token");
        then.status(200).json_body(reply);
    };
    server.mock_async(token).await;
    let client = own_bank::Client::builder()
        .base_url(server.base_url())
        .credentials(own_bank::Credentials::new("client", "s3cr3t"))
        .client_credentials([own_bank::Scope::Transfers])
        .retry(RetryPolicy::none())
        .build()
        .unwrap();
    (server, client)
}

fn payout<'a>(client: &'a own_bank::Client, amount: &str) -> own_bank::builder::CreatePayout<'a> {
    let body = NewPayout::builder()
        .amount(amount.parse::<finrail::Decimal>().unwrap())
        .to("b")
        .reference("r-1");
    client.create_payout().body(body)
}

#[tokio::test]
async fn a_call_that_is_prepared_gets_a_key_and_is_sent_again_with_the_same_one_after_a_restart() {
    let (server, client) = bank().await;
    let prepared = payout(&client, "10.50").prepare().unwrap();
    let key = prepared.intent().idempotency_key().unwrap().to_owned();
    let kept = serde_json::to_string(prepared.intent()).unwrap();
    let fails = |when: httpmock::When, then: httpmock::Then| {
        when.method("POST").path("/v1/payouts").header("idempotency-key", &key);
        then.status(503).body("busy");
    };
    let lost = server.mock_async(fails).await;
    let error = prepared.send().await.unwrap_err();
    assert_eq!((error.outcome(), lost.calls_async().await), (Outcome::Unknown, 1));
    lost.delete_async().await;

    let intent = serde_json::from_str(&kept).unwrap();
    // Another amount is another call, and another key would pay twice.
    payout(&client, "10.51").prepare_again(&intent).unwrap_err();
    payout(&client, "10.50")
        .idempotency_key("other")
        .prepare_again(&intent)
        .unwrap_err();
    let other = CallOptions::new().idempotency_key("other");
    payout(&client, "10.50").with(other).prepare_again(&intent).unwrap_err();
    let works = |when: httpmock::When, then: httpmock::Then| {
        when.method("POST").path("/v1/payouts").header("idempotency-key", &key);
        then.status(201).json_body(json!({ "id": "p1" }));
    };
    let paid = server.mock_async(works).await;
    let again = payout(&client, "10.50").prepare_again(&intent).unwrap();
    assert_eq!(again.intent(), &intent);
    assert_eq!(again.send().await.unwrap().id, "p1");
    assert_eq!(paid.calls_async().await, 1);
}

/// What a call before may have done, nothing that comes of another one takes back.
#[tokio::test]
async fn whatever_refuses_a_call_that_is_sent_again_the_first_one_stays_in_doubt() {
    let (server, client) = bank().await;
    let prepared = payout(&client, "10.50").prepare().unwrap();
    let intent = prepared.intent().clone();
    let is_in_doubt = |error: &finrail::Error<own_bank::types::Refusal>| {
        assert_eq!((error.outcome(), error.proof()), (Outcome::Unknown, None), "{error}");
        assert!(error.to_string().contains("may have taken effect"), "{error}");
        assert!(own_bank::Doubt::after(error, &intent).unwrap().is_some());
    };
    for (status, body, own) in [
        (409, json!({ "code": "idempotency_in_progress" }), Outcome::Rejected),
        (400, json!({ "code": "daily_limit" }), Outcome::Rejected),
        (422, json!({ "code": "key_expired" }), Outcome::Rejected),
        (401, json!({ "code": "x" }), Outcome::Unknown),
        (503, json!({ "code": "x" }), Outcome::Unknown),
    ] {
        let refuses = |when: httpmock::When, then: httpmock::Then| {
            when.method("POST").path("/v1/payouts");
            then.status(status).json_body(body.clone());
        };
        let refusal = server.mock_async(refuses).await;
        // Of a call that nobody sent before, the same answer says more.
        let first = payout(&client, "10.50").prepare().unwrap().send().await.unwrap_err();
        assert_eq!(first.outcome(), own, "{status}");
        let again = payout(&client, "10.50").prepare_again(&intent).unwrap();
        is_in_doubt(&again.send().await.unwrap_err());
        refusal.delete_async().await;
    }
    // It was not sent a second time.
    let late = CallOptions::new().deadline(std::time::Duration::ZERO);
    let again = payout(&client, "10.50").with(late).prepare_again(&intent).unwrap();
    is_in_doubt(&again.send().await.unwrap_err());
    is_in_doubt(&payout(&client, "10.51").prepare_again(&intent).unwrap_err());
    is_in_doubt(&client.create_payout().prepare_again(&intent).unwrap_err());
    let other = CallOptions::new().idempotency_key("other");
    is_in_doubt(&payout(&client, "10.50").with(other).prepare_again(&intent).unwrap_err());
    // Nobody is there any more, or there is no token.
    let again = payout(&client, "10.50").prepare_again(&intent).unwrap();
    drop(server);
    is_in_doubt(&again.send().await.unwrap_err());
}

#[tokio::test]
async fn a_call_with_other_headers_is_another_call_and_one_with_another_trace_is_not() {
    let (_server, client) = bank().await;
    let with = |name: &str, value: &str| CallOptions::new().header(name, value);
    let first = payout(&client, "1").with(with("x-tenant", "one").header("traceparent", "a"));
    let intent = first.prepare().unwrap().intent().clone();
    for (name, value, same) in [
        ("x-tenant", "one", true),
        ("x-tenant", "two", false),
        ("x-other", "one", false),
    ] {
        let call = payout(&client, "1").with(with(name, value).header("traceparent", "b"));
        assert_eq!(call.prepare_again(&intent).is_ok(), same, "{name}: {value}");
    }
    payout(&client, "1").prepare_again(&intent).unwrap_err();
    // A header of the client is a header of its calls.
    let of_one = client.with_header("x-tenant", "one").unwrap();
    let _ = payout(&of_one, "1").prepare_again(&intent).unwrap();
    let of_two = client.with_header("x-tenant", "two").unwrap();
    payout(&of_two, "1").prepare_again(&intent).unwrap_err();
    let _ = payout(&of_two, "1")
        .with(with("x-tenant", "one"))
        .prepare_again(&intent)
        .unwrap();
    // What cannot be sent cannot be prepared.
    payout(&client, "1")
        .with(with("authorization", "x"))
        .prepare()
        .unwrap_err();
}

#[tokio::test]
async fn a_key_of_the_callers_own_is_kept() {
    let (_server, client) = bank().await;
    let by_parameter = payout(&client, "1").idempotency_key("mine-1").prepare().unwrap();
    let by_option = payout(&client, "1")
        .with(CallOptions::new().idempotency_key("mine-1"))
        .prepare()
        .unwrap();
    for prepared in [by_parameter, by_option] {
        assert_eq!(prepared.intent().idempotency_key(), Some("mine-1"));
    }
    let keys: Vec<_> = (0..2)
        .map(|_| {
            payout(&client, "1")
                .prepare()
                .unwrap()
                .intent()
                .idempotency_key()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_ne!(keys[0], keys[1], "every intent has a key of its own");
}

#[tokio::test]
async fn an_option_is_as_good_as_the_parameter_and_lets_the_call_be_repeated() {
    let (server, client) = bank().await;
    let busy = |when: httpmock::When, then: httpmock::Then| {
        when.method("POST").path("/v1/payouts").header("idempotency-key", "k-1");
        then.status(503).body("busy");
    };
    let busy = server.mock_async(busy).await;
    let policy = RetryPolicy {
        backoff: std::time::Duration::from_millis(1),
        ..RetryPolicy::default()
    };
    let options = CallOptions::new().idempotency_key("k-1").retry(policy);
    payout(&client, "1").with(options).send().await.unwrap_err();
    assert_eq!(busy.calls_async().await, 3);
}

#[tokio::test]
async fn what_no_other_call_makes_shows_that_the_call_took_effect() {
    let (server, client) = bank().await;
    let intent = payout(&client, "10.50").prepare().unwrap().intent().clone();
    let doubt = own_bank::Doubt::of(intent).unwrap();
    let first = |when: httpmock::When, then: httpmock::Then| {
        when.method("GET")
            .path("/v1/payouts")
            .query_param("to", "b")
            .query_param_missing("after");
        then.status(200)
            .json_body(json!({ "payouts": [{ "id": "p1", "reference": "r-0" }], "next": "p 1" }));
    };
    let first = server.mock_async(first).await;
    let missing = |when: httpmock::When, then: httpmock::Then| {
        when.method("GET")
            .path("/v1/payouts")
            .query_param("to", "b")
            .query_param("after", "p 1");
        then.status(200).json_body(json!({ "payouts": [{ "id": "p2" }] }));
    };
    let missing = server.mock_async(missing).await;
    let found = doubt.look_up(&client).await.unwrap();
    assert!(matches!(found, Found::Open(_)), "{found:?}");
    assert_eq!((first.calls_async().await, missing.calls_async().await), (1, 1));
    missing.delete_async().await;
    let there = |when: httpmock::When, then: httpmock::Then| {
        when.method("GET").path("/v1/payouts").query_param("after", "p 1");
        then.status(200)
            .json_body(json!({ "payouts": [{ "id": "p2", "reference": "r-1" }] }));
    };
    server.mock_async(there).await;
    let found = doubt.look_up(&client).await.unwrap();
    assert!(matches!(found, Found::Settled(_)), "{found:?}");
    assert_eq!(found.evidence().seen.len(), 1);
    first.delete_async().await;
    // A page that cannot be had leaves the matter unknown.
    doubt.look_up(&client).await.unwrap_err();
}

#[tokio::test]
async fn an_amount_is_the_same_however_the_bank_writes_it_and_an_account_is_not() {
    let (server, client) = bank().await;
    for (to, amount, is_there) in [
        ("007", r#""10.50""#, true),
        ("007", r#""10.5""#, true),
        ("007", r#""10.500""#, true),
        ("007", "10.5", true),
        ("007", "1.05e1", true),
        ("007", "10.51", false),
        ("7", "10.50", false),
        ("007.0", "10.50", false),
    ] {
        let listed = server.mock_async(|when, then| {
            when.path("/v1/payouts");
            let body = format!(r#"{{"payouts":[{{"id":"p","reference":"{to}","amount":{amount}}}]}}"#);
            then.status(200).header("content-type", "application/json").body(body);
        });
        let listed = listed.await;
        let body = own_bank::types::NewTransfer::builder();
        let body = body.amount("10.50".parse::<finrail::Decimal>().unwrap()).to("007");
        let intent = client.create_transfer().body(body).prepare().unwrap().intent().clone();
        let found = own_bank::Doubt::of(intent).unwrap().look_up(&client).await.unwrap();
        assert_eq!(matches!(found, Found::Settled(_)), is_there, "{to} {amount}: {found:?}");
        assert_eq!(found.evidence().seen.len(), usize::from(is_there), "{to} {amount}");
        listed.delete_async().await;
    }
}

/// Without it the bank shows the payouts of another tenant.
#[tokio::test]
async fn a_look_up_is_made_with_the_headers_of_the_call_or_not_at_all() {
    let (server, client) = bank().await;
    let of_tenant = |tenant: Option<&'static str>, page: serde_json::Value| {
        let listed = move |when: httpmock::When, then: httpmock::Then| {
            let when = when.method("GET").path("/v1/payouts");
            match tenant {
                Some(tenant) => when.header("x-tenant", tenant),
                None => when.header_missing("x-tenant"),
            };
            then.status(200).json_body(page);
        };
        server.mock_async(listed)
    };
    let nobodys = of_tenant(None, json!({ "payouts": [{ "id": "p1", "reference": "r-1" }] })).await;
    let of_two = of_tenant(Some("two"), json!({ "payouts": [{ "id": "p2", "reference": "r-1" }] })).await;
    let of_one = of_tenant(Some("one"), json!({ "payouts": [{ "id": "p3" }], "next": "n" })).await;
    let tenant = |name: &str| CallOptions::new().header("x-tenant", name);
    let doubt = |client: &own_bank::Client, with: CallOptions| {
        let call = payout(client, "10.50").with(with.header("x-request-id", "i-1"));
        let kept = serde_json::to_string(call.prepare().unwrap().intent()).unwrap();
        assert!(!kept.contains("one"), "{kept}");
        own_bank::Doubt::of(serde_json::from_str(&kept).unwrap()).unwrap()
    };
    for made in [
        doubt(&client, tenant("one")),
        doubt(&client.with_header("x-tenant", "one").unwrap(), CallOptions::new()),
    ] {
        for (with, why) in [
            (CallOptions::new(), "does not have it"),
            (tenant("two"), "has another value"),
            (tenant("one").header("x-account", "a"), "the call in doubt had none"),
        ] {
            let error = made.look_up_with(&client, with).await.unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
            assert_eq!(error.outcome(), Outcome::NotSent);
        }
        made.look_up(&client).await.unwrap_err();
    }
    assert_eq!((nobodys.calls(), of_two.calls(), of_one.calls()), (0, 0, 0));
    // What is of one sending alone is not asked for again.
    let page_of_one = doubt(&client, tenant("one"));
    let with = tenant("one").header("x-correlation-id", "i-2");
    let error = page_of_one.look_up_with(&client, with).await.unwrap_err();
    assert!(error.to_string().contains("page"), "{error}");
    assert_eq!(of_one.calls(), 2, "every page has it");
    let client_of_two = client.with_header("x-tenant", "two").unwrap();
    let found = doubt(&client, tenant("two")).look_up(&client_of_two).await.unwrap();
    assert!(matches!(found, Found::Settled(_)), "{found:?}");
    // Of a call without headers neither is there one of a look-up.
    let plain = doubt(&client, CallOptions::new());
    plain.look_up(&client_of_two).await.unwrap_err();
    let found = plain.look_up(&client).await.unwrap();
    assert!(matches!(found, Found::Settled(_)), "{found:?}");
}

#[tokio::test]
async fn a_blank_key_and_a_header_of_all_calls_are_no_key_and_a_key_by_its_header_is_refused() {
    let (server, client) = bank().await;
    let any = |when: httpmock::When, then: httpmock::Then| {
        when.method("POST").path("/v1/payouts");
        then.status(503).body("busy");
    };
    let any = server.mock_async(any).await;
    let policy = || RetryPolicy {
        backoff: std::time::Duration::from_millis(1),
        ..RetryPolicy::default()
    };
    for blank in ["", " ", "\t"] {
        let by_option = CallOptions::new().idempotency_key(blank);
        payout(&client, "1").with(by_option).send().await.unwrap_err();
        if !blank.is_empty() {
            payout(&client, "1").idempotency_key(blank).send().await.unwrap_err();
        }
    }
    let by_header = CallOptions::new().header("Idempotency-Key", "mine-1");
    payout(&client, "1").with(by_header.clone()).send().await.unwrap_err();
    assert_eq!(any.calls_async().await, 0, "nothing of it is sent");
    // One key for all calls would make different payments one.
    let all = finrail::TypedClient::with_header(&client, "idempotency-key", "the same").unwrap();
    payout(&all, "1")
        .with(CallOptions::new().retry(policy()))
        .send()
        .await
        .unwrap_err();
    assert_eq!(any.calls_async().await, 1, "it has no key, and is sent once");
}
