//! The bank of `bank.json`, played by the sandbox: a user logs in at two hosts, a list is read to its end, and a payment is made.
#![allow(clippy::unwrap_used, clippy::panic)]

use finrail::sandbox::{Sandbox, SandboxClient};
use finrail::{Decimal, TypedClient as _};
use large_bank::types::{NewPayment, PaymentTarget};

async fn bank() -> Sandbox {
    let sandbox = Sandbox::start_from(([127, 0, 0, 1], 0).into(), &[include_str!("../bank.json")]).await;
    sandbox.unwrap_or_else(|error| panic!("{error}"))
}

async fn log_in(sandbox: &Sandbox, registered: SandboxClient) -> large_bank::Connection {
    let app = large_bank::App::builder()
        .base_url(sandbox.url("tern"))
        .oauth_base_url(sandbox.oauth_url("tern"))
        .credentials(large_bank::Credentials::new(
            registered.client_id,
            registered.client_secret,
        ))
        .redirect_uri(registered.redirect_uri)
        .header("x-tern-institution", "main")
        .build()
        .unwrap();
    let login = app
        .authorize([
            large_bank::Scope::Accounts,
            large_bank::Scope::Customers,
            large_bank::Scope::Payments,
        ])
        .unwrap();
    let callback = sandbox.approve(login.url.as_str()).await.unwrap();
    app.finish(login.pending, &callback).await.unwrap()
}

#[tokio::test]
async fn a_user_logs_in_pages_and_pays_once() {
    let sandbox = bank().await;
    let connection = log_in(&sandbox, sandbox.client("tern")).await;
    let client = connection.client();

    let accounts = client.get_accounts().items().try_collect().await.unwrap();
    assert!(!accounts.is_empty());
    let payees = client.list_payees().items().try_collect().await.unwrap();
    assert!(!payees.is_empty());

    let to: PaymentTarget =
        serde_json::from_str(r#"{"kind":"ACCOUNT","iban":"GB00SHOP1","name":"Corner Shop"}"#).unwrap();
    let amount: Decimal = "12345678901234567890123456.12".parse().unwrap();
    let body = NewPayment::builder().amount(amount).currency("GBP").to(to);
    let prepared = client
        .create_payment()
        .idempotency_key("k-1")
        .body(body)
        .prepare()
        .unwrap();
    let paid = prepared.send().await.unwrap();
    assert_eq!(paid.amount, Some(amount));
    let sent = sandbox.requests("tern");
    assert_eq!(
        sent.iter()
            .filter(|request| request.operation.as_deref() == Some("create_payment"))
            .count(),
        1
    );

    // A kind has what it needs, and nothing of another.
    for (to, told) in [
        (r#"{"kind":"PHONE","phone":"+1","iban":"X"}"#, "the body has `/to/iban`"),
        (r#"{"kind":"ACCOUNT","name":"X"}"#, "the body does not fit: /to: "),
    ] {
        let raw = client.raw(finrail::rt::v1::reqwest::Method::POST, "/payments");
        let body: serde_json::Value =
            serde_json::from_str(&format!(r#"{{"amount":1,"currency":"GBP","to":{to}}}"#)).unwrap();
        let key = finrail::transport::CallOptions::new()
            .header("Idempotency-Key", "k-2")
            .header("x-tern-institution", "main");
        let error = raw.with(key).json(&body).send().await.unwrap_err();
        assert_eq!(error.status().map(|status| status.as_u16()), Some(400), "{error}");
        assert!(format!("{:?}", error.body()).contains(told), "{:?}", error.body());
    }
}
