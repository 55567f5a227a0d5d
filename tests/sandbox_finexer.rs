//! Finexer: consents, bank accounts and templates, step by step.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(all(feature = "sandbox", feature = "finexer"))]

mod sandbox_support;

use std::time::Duration;

use sandbox_support::{Answer, Peer, peer, start};

async fn user_token(peer: &Peer<'_>) -> String {
    peer.tokens().await.string("access_token")
}

#[tokio::test]
async fn finexer_consent_from_creation_to_revocation() {
    let sandbox = start().await;
    let finexer = peer(&sandbox, "finexer");
    let token = user_token(&finexer).await;
    let customer = finexer
        .post_form(
            "/customers",
            &token,
            &[
                ("name", "Zoë & Co"),
                ("email", "z@example.com"),
                ("metadata[a b]", "c=d"),
            ],
        )
        .await;
    assert!(customer.status == 200 || customer.status == 201, "{}", customer.text);
    let customer_id = customer.string("id");
    assert_eq!(
        finexer
            .get(&format!("/customers/{customer_id}"), &token)
            .await
            .string("name"),
        "Zoë & Co"
    );
    let listed = finexer.get("/customers", &token).await.json();
    assert_eq!(
        (listed["data"].as_array().unwrap().len(), &listed["paging"]["total"]),
        (3, &3.into())
    );

    let consent = finexer
        .post_form(
            "/consents",
            &token,
            &[
                ("customer", &customer_id),
                ("return_url", "https://app.example.com/back"),
                ("scopes[]", "accounts"),
                ("scopes[]", "balance"),
                ("metadata[internal_id]", "7"),
            ],
        )
        .await;
    let json = consent.json();
    assert_eq!(
        (&json["status"], &json["customer"]),
        (&"pending".into(), &customer_id.clone().into())
    );
    assert_eq!(json["scopes"], serde_json::json!(["accounts", "balance"]));
    assert_eq!(json["metadata"], serde_json::json!({"internal_id": "7"}));
    assert_eq!(json["redirect"]["return_url"], "https://app.example.com/back");
    let path = format!("/consents/{}", consent.string("id"));
    assert_eq!(finexer.get(&path, &token).await.string("status"), "pending");

    let callback = sandbox
        .approve(json["redirect"]["consent_url"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(
        callback,
        format!("https://app.example.com/back?fx_consent={}", consent.string("id"))
    );
    let authorized = finexer.get(&path, &token).await.json();
    assert_eq!(authorized["status"], "authorized");
    assert!(authorized["authed_at"].is_string());
    let accounts = finexer
        .get(&format!("/bank_accounts?consent={}", consent.string("id")), &token)
        .await
        .json();
    assert_eq!(
        accounts["data"].as_array().unwrap().len(),
        1,
        "bank accounts appear by themselves"
    );
    assert_eq!(accounts["data"][0]["customer"], customer_id);

    let renewed = finexer
        .post_form(&path, &token, &[("renewed_at", "2027-02-15T08:30:00Z")])
        .await;
    assert_eq!(renewed.string("renewed_at"), "2027-02-15T08:30:00Z");
    let revoked = finexer.send("POST", &format!("{path}/revoke"), &token, "", "").await;
    assert_eq!(
        (revoked.status, revoked.string("status").as_str()),
        (200, "canceled"),
        "{}",
        revoked.text
    );
    assert_eq!(finexer.get(&path, &token).await.string("status"), "canceled");
    let canceled = finexer
        .get(&format!("/consents?customer={customer_id}&status=canceled"), &token)
        .await
        .json();
    assert_eq!(canceled["data"].as_array().unwrap().len(), 1);
    assert_eq!(finexer.delete(&path, &token).await.status, 405);
}

#[tokio::test]
async fn finexer_synchronises_once_an_hour() {
    let sandbox = start().await;
    let finexer = peer(&sandbox, "finexer");
    let token = user_token(&finexer).await;
    let path = "/bank_accounts/ba_6VxC2nQfLs/sync";
    assert_eq!(finexer.get(path, &token).await.string("status"), "idle");
    assert_eq!(
        finexer.send("POST", path, &token, "", "").await.string("status"),
        "running"
    );
    let states = [
        finexer.get(path, &token).await.string("status"),
        finexer.get(path, &token).await.string("status"),
    ];
    assert_eq!(states, ["running", "idle"]);
    assert_eq!(finexer.send("POST", path, &token, "", "").await.status, 429);
    sandbox.advance(Duration::from_secs(3600));
    let token = user_token(&finexer).await;
    assert_eq!(finexer.send("POST", path, &token, "", "").await.status, 200);
}

#[tokio::test]
async fn finexer_templates_are_cleared_by_an_empty_value() {
    let sandbox = start().await;
    let finexer = peer(&sandbox, "finexer");
    let token = user_token(&finexer).await;
    let app = format!("/apps/{}/templates", finexer.client.client_id);
    let fields = [("name", "Dark"), ("footer_html", "<p>Help</p>"), ("default", "false")];
    let created = finexer.post_form(&app, &token, &fields).await;
    let path = format!("{app}/{}", created.string("id"));
    assert_eq!(finexer.get(&path, &token).await.string("name"), "Dark");

    // A field that is not sent keeps its value, an empty one loses it. No source shows `footer_html` in a reply.
    let updated = finexer.post_form(&path, &token, &[("footer_html", "")]).await;
    assert_eq!(updated.string("name"), "Dark", "{}", updated.text);
    let updated = finexer.post_form(&path, &token, &[("name", "")]).await;
    assert_eq!(updated.status, 200, "{}", updated.text);
    for reply in [updated, finexer.get(&path, &token).await] {
        assert!(reply.json().get("name").is_none(), "{}", reply.text);
        assert_eq!(reply.json()["default"], false, "{}", reply.text);
    }
    assert!(finexer.delete(&path, &token).await.status < 300);
    assert_eq!(finexer.get(&path, &token).await.status, 404);
}

/// A consent of the first customer, with these scopes.
async fn consent(peer: &Peer<'_>, token: &str, scopes: &[&str]) -> Answer {
    let mut form = vec![
        ("customer", "cus_8HqT2bVxNw"),
        ("return_url", "https://app.example.com/back"),
    ];
    form.extend(scopes.iter().map(|&scope| ("scopes[]", scope)));
    let consent = peer.post_form("/consents", token, &form).await;
    assert!(consent.status < 300, "{}", consent.text);
    consent
}

#[tokio::test]
async fn finexer_consent_that_nobody_authorizes_is_canceled_after_a_week_wherever_it_is_seen() {
    let sandbox = start().await;
    let finexer = peer(&sandbox, "finexer");
    let token = user_token(&finexer).await;
    let made = consent(&finexer, &token, &["accounts"]).await;
    let (id, page) = (
        made.string("id"),
        made.json()["redirect"]["consent_url"].as_str().unwrap().to_owned(),
    );
    let ids = async |token: &str, status: &str| {
        let list = finexer.get(&format!("/consents?status={status}"), token).await.json();
        let items = list["data"].as_array().unwrap().clone();
        items
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    sandbox.advance(Duration::from_secs(7 * 24 * 3600 - 60));
    let token = user_token(&finexer).await;
    assert!(ids(&token, "pending").await.contains(&id));
    sandbox.advance(Duration::from_secs(120));
    assert!(ids(&token, "canceled").await.contains(&id));
    assert!(!ids(&token, "pending").await.contains(&id));
    assert!(sandbox.approve(&page).await.is_err(), "the page is closed");
    assert_eq!(
        finexer.get(&format!("/consents/{id}"), &token).await.string("status"),
        "canceled"
    );
}

#[tokio::test]
async fn finexer_consent_opens_transactions_only_when_they_are_among_its_scopes() {
    let sandbox = start().await;
    let finexer = peer(&sandbox, "finexer");
    let token = user_token(&finexer).await;
    for (scopes, status) in [
        (&["accounts", "balance", "transactions"][..], 200),
        (&["accounts", "balance"], 403),
        (&[], 403),
    ] {
        let consent = consent(&finexer, &token, scopes).await;
        let page = consent.json()["redirect"]["consent_url"].as_str().unwrap().to_owned();
        sandbox.approve(&page).await.unwrap();
        let accounts = finexer
            .get(&format!("/bank_accounts?consent={}", consent.string("id")), &token)
            .await
            .json();
        let account = accounts["data"][0]["id"].as_str().unwrap();
        let path = format!("/bank_accounts/{account}");
        assert_eq!(finexer.get(&path, &token).await.status, 200, "{scopes:?}");
        let transactions = finexer.get(&format!("{path}/transactions"), &token).await;
        assert_eq!(transactions.status, status, "{scopes:?}: {}", transactions.text);
    }
}

#[tokio::test]
async fn finexer_consent_is_for_a_customer_and_a_bank_that_exist() {
    let sandbox = start().await;
    let finexer = peer(&sandbox, "finexer");
    let token = user_token(&finexer).await;
    for (customer, provider, status) in [
        ("cus_8HqT2bVxNw", "northbank", 200),
        ("cus_unknown", "northbank", 400),
        ("cus_8HqT2bVxNw", "unknown", 400),
    ] {
        let form = [
            ("customer", customer),
            ("provider", provider),
            ("return_url", "https://app.example.com/back"),
        ];
        let reply = finexer.post_form("/consents", &token, &form).await;
        assert_eq!(
            reply.status / 100,
            status / 100,
            "{customer} {provider}: {}",
            reply.text
        );
    }
}
