//! The bank of `bank.json`, played by the sandbox: one intent makes one payment, however often it is sent.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{bank, client_as, client_of};
use finrail::sandbox::Fault;
use finrail::transport::{Outcome, Proof};
use finrail::{Found, TypedClient as _};
use own_bank::Scope;
use own_bank::types::NewPayout;

fn payout<'a>(client: &'a own_bank::Client, amount: &str) -> own_bank::builder::CreatePayout<'a> {
    let body = NewPayout::builder()
        .amount(amount.parse::<finrail::Decimal>().unwrap())
        .to("b")
        .reference("r-1");
    client.create_payout().body(body)
}

/// The payouts beside the one that is there from the start, which the sandbox makes of the schema.
async fn made(client: &own_bank::Client) -> Vec<own_bank::types::Payout> {
    let mut payouts = client.list_payouts().send().await.unwrap().into_inner().payouts;
    let from_the_start = payouts.iter().position(|payout| payout.id.ends_with("-1"));
    payouts.remove(from_the_start.unwrap());
    payouts
}

#[tokio::test]
async fn a_payment_whose_reply_was_lost_is_sent_again_and_made_once() {
    for fault in [Fault::lost_reply(), Fault::truncated(), Fault::garbled()] {
        let sandbox = bank().await;
        let client = client_of(&sandbox, Scope::Transfers);
        assert_eq!(made(&client).await.len(), 0);
        let prepared = payout(&client, "10.50").prepare().unwrap();
        let kept = serde_json::to_string(prepared.intent()).unwrap();
        sandbox.fault("own_bank", fault.on("create_payout"));
        let error = prepared.send().await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown, "{error}");
        assert_eq!(made(&client).await.len(), 1);

        let intent = serde_json::from_str(&kept).unwrap();
        // Another process, with a token of its own.
        let restarted = client_of(&sandbox, Scope::Transfers);
        let first = payout(&restarted, "10.50").prepare_again(&intent).unwrap();
        let first = first.send().await.unwrap();
        let second = payout(&restarted, "10.50").prepare_again(&intent).unwrap();
        let second = second.send().await.unwrap();
        assert_eq!((first.status().as_u16(), second.status().as_u16()), (201, 201));
        assert_eq!(first.headers()["content-type"], second.headers()["content-type"]);
        let all = made(&restarted).await;
        assert_eq!(all.len(), 1);
        assert_eq!((&first.id, &second.id), (&all[0].id, &all[0].id));
        assert_eq!(first.amount, Some("10.50".parse().unwrap()));

        let found = own_bank::Doubt::of(intent).unwrap().look_up(&restarted).await.unwrap();
        assert!(matches!(found, Found::Settled(_)), "{found:?}");
    }
}

#[tokio::test]
async fn a_payment_that_was_never_looked_at_is_made_by_the_second_attempt() {
    let sandbox = bank().await;
    let client = client_of(&sandbox, Scope::Transfers);
    for fault in [Fault::drop_connection(), Fault::status(503)] {
        let before = made(&client).await.len();
        let prepared = payout(&client, "1").prepare().unwrap();
        let intent = prepared.intent().clone();
        sandbox.fault("own_bank", fault.on("create_payout"));
        prepared.send().await.unwrap_err();
        assert_eq!(made(&client).await.len(), before);
        payout(&client, "1")
            .prepare_again(&intent)
            .unwrap()
            .send()
            .await
            .unwrap();
        assert_eq!(made(&client).await.len(), before + 1);
    }
}

#[tokio::test]
async fn a_key_with_another_payment_is_refused_in_the_banks_own_form() {
    let sandbox = bank().await;
    let client = client_of(&sandbox, Scope::Transfers);
    payout(&client, "1").idempotency_key("k").send().await.unwrap();
    let error = payout(&client, "2").idempotency_key("k").send().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(422), "{error}");
    assert_eq!(
        (error.outcome(), error.proof()),
        (Outcome::Rejected, Some(Proof::Documented))
    );
    let refusal = error.body().unwrap();
    assert_eq!(refusal.code.as_deref(), Some("idempotency_key_reused"));
    assert!(refusal.message.as_deref().unwrap().contains("another key"));
    // The first one still is what it was, and another key is another payment.
    payout(&client, "1").idempotency_key("k").send().await.unwrap();
    payout(&client, "2").idempotency_key("other").send().await.unwrap();
    assert_eq!(made(&client).await.len(), 2);
}

#[tokio::test]
async fn a_key_belongs_to_its_client_and_a_call_without_one_is_always_new() {
    let sandbox = bank().await;
    let one = client_of(&sandbox, Scope::Transfers);
    let other = client_as(&sandbox.register_client("own_bank", &[]), &sandbox, Scope::Transfers);
    for client in [&one, &other, &one] {
        payout(client, "1").idempotency_key("k").send().await.unwrap();
    }
    assert_eq!(made(&one).await.len(), 2);
    for _ in 0..2 {
        payout(&one, "1").send().await.unwrap();
    }
    assert_eq!(made(&one).await.len(), 4);
}

#[tokio::test]
async fn a_refused_payment_leaves_its_key_free() {
    let sandbox = bank().await;
    let client = client_of(&sandbox, Scope::Transfers);
    let unfit = serde_json::json!({ "amount": "1", "to": "b" });
    let key = finrail::transport::CallOptions::new().header("Idempotency-Key", "k");
    let raw = client
        .raw(finrail::rt::v1::reqwest::Method::POST, "/v1/payouts")
        .with(key);
    let error = raw.json(&unfit).send().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400), "{error}");
    payout(&client, "1").idempotency_key("k").send().await.unwrap();
    assert_eq!(made(&client).await.len(), 1);
}
