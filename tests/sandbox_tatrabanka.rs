//! Tatra banka: consents, payments and statements, step by step.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(all(feature = "sandbox", feature = "tatrabanka"))]

mod sandbox_support;

use sandbox_support::{Peer, answer, of_url, peer, set, start};
use serde_json::Value;

async fn user_token(peer: &Peer<'_>) -> String {
    peer.tokens().await.string("access_token")
}

/// The day this many days from today.
fn in_days(days: i64) -> String {
    (chrono::Utc::now().date_naive() + chrono::TimeDelta::days(days)).to_string()
}

/// A Tatra banka user token for this scope, with the id in it.
async fn tatra_user_token(peer: &Peer<'_>, scope: &str) -> String {
    let mut query = peer.authorization();
    set(&mut query, "scope", scope);
    let code = of_url(&peer.allowed(&query).await, "code").unwrap();
    let mut form = peer.exchange_fields(&code);
    set(&mut form, "scope", scope.split(':').next().unwrap());
    peer.token(&form).await.string("access_token")
}

#[tokio::test]
async fn tatra_tells_service_tokens_from_user_tokens() {
    let sandbox = start().await;
    let tatra = peer(&sandbox, "tatrabanka");
    let service = tatra.service_token("PREMIUM_AIS").await;
    let user = user_token(&tatra).await;
    let refused = tatra.get("/v3/accounts", &service).await;
    assert_eq!(
        (refused.status, refused.string("errorCode").as_str()),
        (403, "TOKEN_INVALID")
    );
    assert_eq!(tatra.get("/v3/accounts", &user).await.status, 200);
    assert_eq!(tatra.post_json("/v3/consents", &user, "{}").await.status, 403);
    assert_eq!(tatra.post_json("/v3/consents", &service, "{}").await.status, 201);
    let payments = tatra.service_token("PREMIUM_PIS").await;
    let refused = tatra.post_json("/v3/consents", &payments, "{}").await;
    assert_eq!(
        (refused.status, refused.string("errorCode").as_str()),
        (403, "NO_AUTHORIZATION"),
        "another scope"
    );
}

#[tokio::test]
async fn tatra_checks_a_payment_against_the_specification() {
    let sandbox = start().await;
    let tatra = peer(&sandbox, "tatrabanka");
    let token = tatra.service_token("PREMIUM_PIS").await;
    let body = |amount: &str, name: &str| {
        format!(
            r#"{{"instructedAmount":{{"amount":{amount},"currency":"EUR"}},"creditorAccount":{{"iban":"SK3711000000007417228416"}},"creditorName":"{name}"}}"#
        )
    };
    let with = |member: &str| body("\"12.50\"", "Peter").replacen('{', &format!("{{{member},"), 1);
    let debtor = |head: &str| format!(r#""debtorAccount":{{"iban":"{head}11000000003968781519"}}"#);
    let on = |days: i64| format!(r#""requestedExecutionDate":"{}""#, in_days(days));
    for (path, body, status) in [
        ("/v3/payments/sepa-credit-transfers", body("\"12.50\"", "Peter"), 201),
        ("/v3/payments/sepa-credit-transfers", body("12.50", "Peter"), 400),
        ("/v3/payments/sepa-credit-transfers", body("\"12,50\"", "Peter"), 400),
        ("/v3/payments/sepa-credit-transfers", body("\"12.505\"", "Peter"), 400),
        ("/v3/payments/sepa-credit-transfers", body("\"0.00\"", "Peter"), 400),
        ("/v3/payments/sepa-credit-transfers", body("\"-1\"", "Peter"), 400),
        (
            "/v3/payments/sepa-credit-transfers",
            body(&format!("\"{}\"", "9".repeat(40)), "Peter"),
            400,
        ),
        ("/v3/payments/sepa-credit-transfers", body("\"12.50\"", "Peter~"), 400),
        (
            "/v3/payments/sepa-credit-transfers",
            body("\"12.50\"", "Peter|Pavol"),
            400,
        ),
        (
            "/v3/payments/sepa-credit-transfers",
            body("\"12.50\"", "Peter").replace("EUR", "USD"),
            400,
        ),
        (
            "/v3/payments/instant-sepa-credit-transfers",
            body("\"12.50\"", "Peter").replace("EUR", "CZK"),
            400,
        ),
        (
            "/v3/payments/cross-border-credit-transfers",
            body("\"12.50\"", "Peter").replace("EUR", "USD"),
            201,
        ),
        (
            "/v3/payments/sepa-credit-transfers",
            body("\"12.50\"", "Peter").replace("SK37", "SK38"),
            400,
        ),
        ("/v3/payments/sepa-credit-transfers", with(&debtor("SK69")), 201),
        ("/v3/payments/sepa-credit-transfers", with(&debtor("SK70")), 400),
        ("/v3/payments/sepa-credit-transfers", with(&on(-1)), 400),
        ("/v3/payments/sepa-credit-transfers", with(&on(1)), 201),
        ("/v3/payments/sepa-credit-transfers", with(&on(59)), 201),
        ("/v3/payments/sepa-credit-transfers", with(&on(62)), 400),
        (
            "/v3/payments/sepa-credit-transfers",
            with(r#""requestedExecutionDate":"soon""#),
            400,
        ),
        (
            "/v3/payments/sepa-credit-transfers",
            body("\"12.50\"", &"P".repeat(71)),
            400,
        ),
        (
            "/v3/payments/sepa-credit-transfers",
            r#"{"creditorName":"Peter"}"#.to_owned(),
            400,
        ),
        ("/v3/payments/barter", body("\"12.50\"", "Peter"), 400),
    ] {
        let reply = tatra.post_json(path, &token, &body).await;
        assert_eq!(reply.status, status, "{path} {body}: {}", reply.text);
        if status == 400 {
            assert_eq!(reply.string("transactionStatus"), "RJCT", "{}", reply.text);
            assert_eq!(reply.string("errorCode"), "FORMAT_ERROR", "{}", reply.text);
            assert!(!reply.string("additionalInformation").is_empty(), "{}", reply.text);
            assert!(reply.json().get("errorDescription").is_none(), "{}", reply.text);
        }
    }
}

#[tokio::test]
async fn tatra_knows_no_consent_header_and_gives_balances_when_asked() {
    let sandbox = start().await;
    let tatra = peer(&sandbox, "tatrabanka");
    let token = user_token(&tatra).await;
    let request = tatra
        .http
        .get(tatra.url("/v3/accounts"))
        .bearer_auth(&token)
        .header("Consent-ID", "x");
    assert_eq!(answer(request).await.status, 404);
    for (query, has_balances) in [("", false), ("?withBalance=false", false), ("?withBalance=true", true)] {
        let accounts = tatra.get(&format!("/v3/accounts{query}"), &token).await.json();
        assert_eq!(
            accounts["accounts"][0].get("balances").is_some(),
            has_balances,
            "{query}"
        );
    }
}

#[tokio::test]
async fn tatra_consent_from_creation_to_removal() {
    let sandbox = start().await;
    let tatra = peer(&sandbox, "tatrabanka");
    let service = tatra.service_token("PREMIUM_AIS").await;
    let created = tatra.send("POST", "/v3/consents", &service, "", "").await;
    assert_eq!(
        (created.status, created.string("consentStatus").as_str()),
        (201, "received"),
        "{}",
        created.text
    );
    let id = created.string("consentId");
    let status = format!("/v3/consents/{id}");
    assert_eq!(tatra.get(&status, &service).await.string("consentStatus"), "received");

    let user = tatra_user_token(&tatra, &format!("PREMIUM_AIS:{id}")).await;
    assert_eq!(tatra.get("/v3/accounts?withBalance=true", &user).await.status, 200);
    assert_eq!(tatra.get(&status, &service).await.string("consentStatus"), "valid");

    assert_eq!(tatra.delete(&format!("/v1/consents/{id}"), &service).await.status, 204);
    let gone = tatra.delete(&format!("/v1/consents/{id}"), &service).await;
    assert_eq!(gone.status, 404);
    assert!(
        gone.json().get("errorCode").is_none(),
        "no code is documented: {}",
        gone.text
    );
    assert_eq!(tatra.get(&status, &service).await.status, 404);
    // There is no revocation: the end of the consent is the end of its tokens.
    assert_eq!(tatra.get("/v3/accounts", &user).await.status, 401);
}

#[tokio::test]
async fn tatra_payment_runs_only_when_it_is_submitted() {
    let sandbox = start().await;
    let tatra = peer(&sandbox, "tatrabanka");
    let service = tatra.service_token("PREMIUM_PIS").await;
    let body = r#"{"instructedAmount":{"amount":"12345678901234567.89","currency":"EUR"},"creditorAccount":{"iban":"SK3711000000007417228416"},"creditorName":"Peter"}"#;
    let created = tatra
        .post_json("/v3/payments/sepa-credit-transfers", &service, body)
        .await;
    let (payment, authorization) = (created.string("paymentId"), created.string("authorizationId"));
    assert_eq!(created.string("transactionStatus"), "ACTC");
    let link = created.json()["_links"]["scaRedirect"]["href"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(link.starts_with(&tatra.sandbox.url("tatrabanka")), "{link}");
    assert_eq!(
        of_url(&link, "client_id").as_deref(),
        Some(tatra.client.client_id.as_str())
    );
    assert_eq!(of_url(&link, "scope"), Some(format!("PREMIUM_PIS:{authorization}")));

    let status = format!("/v3/payments/sepa-credit-transfers/{payment}/status");
    let sca = format!("/v1/payments/sepa-credit-transfers/{payment}/authorizations/{authorization}");
    let state = async || tatra.get(&status, &service).await.string("transactionStatus");
    let sca_state = async || tatra.get(&sca, &service).await.string("scaStatus");
    assert_eq!(
        (state().await.as_str(), sca_state().await.as_str()),
        ("ACTC", "received")
    );

    let user = tatra_user_token(&tatra, &format!("PREMIUM_PIS:{authorization}")).await;
    assert_eq!(
        (state().await.as_str(), sca_state().await.as_str()),
        ("ACTC", "unconfirmed")
    );
    let submitted = tatra.send("PUT", &sca, &user, "", "").await;
    assert_eq!(submitted.status, 200, "{}", submitted.text);
    assert_eq!(
        (state().await.as_str(), sca_state().await.as_str()),
        ("ACSC", "finalised")
    );
    assert_eq!(tatra.send("PUT", &sca, &user, "", "").await.status, 400, "once only");

    // Another payment is not open to this token.
    let other = tatra
        .post_json("/v3/payments/sepa-credit-transfers", &service, body)
        .await;
    let (payment, authorization) = (other.string("paymentId"), other.string("authorizationId"));
    let sca = format!("/v1/payments/sepa-credit-transfers/{payment}/authorizations/{authorization}");
    assert_eq!(tatra.send("PUT", &sca, &user, "", "").await.status, 403);
    let unknown = format!("/v1/payments/sepa-credit-transfers/{payment}/authorizations/unknown");
    assert_eq!(tatra.get(&unknown, &service).await.status, 404);
}

#[tokio::test]
async fn tatra_payment_that_nobody_submitted_is_cancelled_by_its_user_too() {
    let sandbox = start().await;
    let tatra = peer(&sandbox, "tatrabanka");
    let service = tatra.service_token("PREMIUM_PIS").await;
    let body = r#"{"instructedAmount":{"amount":"1.00","currency":"EUR"},"creditorAccount":{"iban":"SK3711000000007417228416"},"creditorName":"Peter"}"#;
    let created = tatra
        .post_json("/v3/payments/sepa-credit-transfers", &service, body)
        .await;
    let (payment, authorization) = (created.string("paymentId"), created.string("authorizationId"));
    let status = format!("/v3/payments/sepa-credit-transfers/{payment}/status");
    let state = async || tatra.get(&status, &service).await.string("transactionStatus");
    let cancel = format!("/v2/payments/sepa-credit-transfers/{payment}");

    tatra_user_token(&tatra, &format!("PREMIUM_PIS_CANC:{authorization}")).await;
    assert_eq!(state().await, "ACTC", "nobody has asked to cancel it");
    assert!(tatra.delete(&cancel, &service).await.status < 300);
    assert_eq!(state().await, "ACTC", "the user has not agreed");
    tatra_user_token(&tatra, &format!("PREMIUM_PIS_CANC:{authorization}")).await;
    assert_eq!(state().await, "CANC");
    assert_eq!(tatra.delete(&cancel, &service).await.status, 400);
}

#[tokio::test]
async fn tatra_consent_stays_as_it_was_when_its_user_takes_the_scope_back() {
    let sandbox = start().await;
    let tatra = peer(&sandbox, "tatrabanka");
    let service = tatra.service_token("PREMIUM_AIS").await;
    let id = tatra
        .post_json("/v3/consents", &service, "{}")
        .await
        .string("consentId");
    let mut query = tatra.authorization();
    set(&mut query, "scope", &format!("PREMIUM_AIS:{id}"));
    let url = tatra.authorization_url(&query);
    let callback = sandbox.approve_only(&[], &url).await.unwrap();
    assert_eq!(of_url(&callback, "error").as_deref(), Some("access_denied"));
    let status = format!("/v3/consents/{id}");
    assert_eq!(tatra.get(&status, &service).await.string("consentStatus"), "received");
}

#[tokio::test]
async fn tatra_payment_for_later_is_cancelled_by_its_user() {
    let sandbox = start().await;
    let tatra = peer(&sandbox, "tatrabanka");
    let service = tatra.service_token("PREMIUM_PIS").await;
    let body = r#"{"instructedAmount":{"amount":"1.00","currency":"EUR"},"creditorAccount":{"iban":"SK3711000000007417228416"},"creditorName":"Peter","requestedExecutionDate":"DATE"}"#;
    let body = body.replace("DATE", &in_days(30));
    let created = tatra
        .post_json("/v3/payments/sepa-credit-transfers", &service, &body)
        .await;
    let (payment, authorization) = (created.string("paymentId"), created.string("authorizationId"));
    let status = format!("/v3/payments/sepa-credit-transfers/{payment}/status");
    let state = async || tatra.get(&status, &service).await.string("transactionStatus");
    let sca = format!("/v1/payments/sepa-credit-transfers/{payment}/authorizations/{authorization}");

    let user = tatra_user_token(&tatra, &format!("PREMIUM_PIS:{authorization}")).await;
    assert_eq!(tatra.send("PUT", &sca, &user, "", "").await.status, 200);
    assert_eq!(state().await, "PDNG");
    let cancel = format!("/v2/payments/sepa-credit-transfers/{payment}");
    assert!(tatra.delete(&cancel, &service).await.status < 300);
    assert_eq!(state().await, "PDNG", "the user has not agreed");
    tatra_user_token(&tatra, &format!("PREMIUM_PIS_CANC:{authorization}")).await;
    assert_eq!(state().await, "CANC");
    assert_eq!(tatra.delete(&cancel, &service).await.status, 400);
}

#[tokio::test]
async fn tatra_statement_is_made_and_downloaded() {
    let sandbox = start().await;
    let tatra = peer(&sandbox, "tatrabanka");
    let token = user_token(&tatra).await;
    let account = tatra.get("/v3/accounts", &token).await.json()["accounts"][0]["accountId"]
        .as_str()
        .unwrap()
        .to_owned();
    for (kind, media_type, magic) in [("PDF", "application/pdf", "%PDF"), ("XML", "application/zip", "PK")] {
        let body =
            format!(r#"{{"dateFromStatements":"2026-09-01","dateToStatements":"2026-09-30","exportType":"{kind}"}}"#);
        let tasks = format!("/v1/accounts/{account}/statements/tasks");
        let task = tatra.post_json(&tasks, &token, &body).await.string("taskId");
        let first = tatra.get(&format!("{tasks}/{task}"), &token).await;
        assert_eq!(first.json(), serde_json::json!({"state": "PROCESSING"}));
        let second = tatra.get(&format!("{tasks}/{task}"), &token).await.json();
        assert_eq!(
            (&second["state"], &second["statements"][0]["dateFrom"]),
            (&"SUCCEEDED".into(), &"2026-09-01".into())
        );
        let id = second["statements"][0]["statementId"].as_str().unwrap();
        let file = tatra
            .get(&format!("/v1/accounts/{account}/statements/{id}"), &token)
            .await;
        assert_eq!((file.status, file.header("content-type")), (200, media_type));
        assert!(file.text.starts_with(magic));
    }
    assert_eq!(
        tatra
            .get(&format!("/v1/accounts/{account}/statements/unknown"), &token)
            .await
            .status,
        404
    );
    let unknown = tatra.get("/v1/accounts/unknown/statements/tasks/x", &token).await;
    assert_eq!(
        (unknown.status, unknown.string("errorCode").as_str()),
        (404, "NO_ACCOUNT")
    );
    let unknown = tatra.get("/v3/accounts/unknown/balances", &token).await;
    assert_eq!((unknown.status, unknown.json().get("errorCode")), (404, None));
}

#[tokio::test]
async fn tatra_transactions_are_paged_by_link() {
    let sandbox = start().await;
    let tatra = peer(&sandbox, "tatrabanka");
    let token = user_token(&tatra).await;
    let account = tatra.get("/v3/accounts", &token).await.json()["accounts"][0]["accountId"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut url = tatra.url(&format!(
        "/v5/accounts/{account}/transactions?dateFrom=2000-01-01&pageSize=10"
    ));
    let mut sizes = Vec::new();
    loop {
        let page = tatra.get_url(&url, &token).await.json();
        sizes.push(page["transactions"].as_array().unwrap().len());
        let Some(next) = page.pointer("/_links/next/href").and_then(Value::as_str) else {
            break;
        };
        assert!(
            next.contains("entryReferenceFrom=") && next.contains("dateFrom=2000-01-01"),
            "{next}"
        );
        url = url::Url::parse(&url).unwrap().join(next).unwrap().to_string();
    }
    assert_eq!(sizes, [10, 10, 4]);
}
