//! OFX from the first token to a booked deal, over the wire.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(all(feature = "sandbox", feature = "ofx"))]

mod sandbox_support;

use sandbox_support::{fields, peer, start};

#[tokio::test]
async fn a_service_token_opens_payments_and_nothing_else() {
    let sandbox = start().await;
    let ofx = peer(&sandbox, "ofx");
    let reply = ofx
        .token(&fields(&[("grant_type", "client_credentials"), ("scope", "payments")]))
        .await;
    assert_eq!(reply.status, 200);
    let json = reply.json();
    assert_eq!(json["token_type"], "Bearer");
    assert_eq!(json["expires_in"], 3599);
    assert!(
        json.get("refresh_token").is_none() && json.get("scope").is_none(),
        "{json}"
    );
    assert_eq!(reply.header("cache-control"), "no-store");

    let token = reply.string("access_token");
    let page = ofx.get("/payments/beneficiaries?pageSize=1", &token).await;
    assert_eq!((page.status, page.json().as_array().map(Vec::len)), (200, Some(1)));

    let refused = ofx.get("/ofxrates/AUD/USD/1000.5", &token).await;
    assert_eq!(refused.status, 403);
    assert!(refused.header("www-authenticate").contains("insufficient_scope"));
    assert!(
        refused.json()["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("ofxrates")
    );

    let token = ofx.service_token("ofxrates").await;
    let rate = ofx.get("/ofxrates/AUD/USD/200", &token).await;
    assert_eq!(rate.json()["convertedAmount"].to_string(), "132.04");
    for amount in [
        "1e400",
        "-79228162514264337593543950336",
        "1234567890123456789012345678901234567890",
    ] {
        let refused = ofx.get(&format!("/ofxrates/AUD/USD/{amount}"), &token).await;
        assert_eq!(refused.status, 400, "{amount}: {}", refused.text);
    }
}

#[tokio::test]
async fn what_was_posted_reads_back_digit_for_digit() {
    let sandbox = start().await;
    let ofx = peer(&sandbox, "ofx");
    let token = ofx.service_token("payments").await;

    let quote = r#"{"buyCurrency":"USD","buyAmount":12345678901234567.89,"sellCurrency":"AUD","sellAmount":0}"#;
    let created = ofx.post_json("/payments/quotes", &token, quote).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let id = created.string("id");
    let read = ofx.get(&format!("/payments/quotes/{id}"), &token).await;
    assert!(read.text.contains("12345678901234567.89"), "{}", read.text);

    let beneficiary = ofx
        .post_json("/payments/beneficiaries", &token, r#"{"currency":"AUD","name":"Jo"}"#)
        .await;
    let beneficiary_id = beneficiary.string("beneficiaryId");
    assert_eq!(
        ofx.get("/payments/beneficiaries", &token)
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        3
    );

    let deal = format!(
        r#"{{"quoteId":"{id}","fundingSource":"Own account","beneficiaries":[{{"beneficiaryId":"{beneficiary_id}","amount":1.10}}]}}"#
    );
    let deal = ofx.post_json("/payments/deals", &token, &deal).await;
    // The deal is made in the background: the direct reply names none.
    assert_eq!((deal.status, deal.text.as_str()), (201, "{}"));
    let deal_id = sandbox.ids("ofx", "/payments/deals").pop().unwrap();
    let read = ofx.get(&format!("/payments/deals/{deal_id}"), &token).await;
    assert!(
        read.text.contains("1.10") && read.text.contains(&beneficiary_id),
        "{}",
        read.text
    );
    assert_eq!(ofx.get("/payments/deals/nothing", &token).await.status, 404);
}

#[tokio::test]
async fn a_deal_is_made_of_a_quote_and_beneficiaries_that_exist() {
    let sandbox = start().await;
    let ofx = peer(&sandbox, "ofx");
    let token = ofx.service_token("payments").await;
    let quote = &sandbox.ids("ofx", "/payments/quotes")[0];
    let beneficiary = &sandbox.ids("ofx", "/payments/beneficiaries")[0];
    for (quote, beneficiary, status) in [
        (quote.as_str(), beneficiary.as_str(), 201),
        ("unknown", beneficiary, 400),
        (quote, "unknown", 400),
    ] {
        let deal =
            format!(r#"{{"quoteId":"{quote}","beneficiaries":[{{"beneficiaryId":"{beneficiary}","amount":1}}]}}"#);
        let reply = ofx.post_json("/payments/deals", &token, &deal).await;
        assert_eq!(reply.status, status, "{deal}: {}", reply.text);
    }
}
