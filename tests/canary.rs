//! What replies contain beyond the specification is read past, counted, and told once, by name.

#![allow(clippy::unwrap_used)] // a test may stop where it stands

mod logged;

use finrail::canary::{Unmodelled, sightings};
use finrail::mx;
use logged::Log;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A server that answers every request with one JSON text.
async fn server(json: &'static str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 8192];
            let _ = stream.read(&mut request).await;
            let token = String::from_utf8_lossy(&request).starts_with("POST");
            let body = if token {
                r#"{"access_token":"t","token_type":"Bearer","expires_in":60}"#
            } else {
                json
            };
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    format!("http://{address}")
}

const ACCOUNTS: &str = r#"{
    "page": { "total": 3 },
    "accounts": [
        { "depositAccount": { "accountId": "a1", "accountType": "VALUE-ONE", "surprise": "VALUE-TWO" } },
        { "depositAccount": { "accountId": "a2", "surprise": "VALUE-THREE" } },
        { "spaceAccount": { "accountId": "VALUE-FOUR" } }
    ]
}"#;

#[tokio::test]
async fn new_fields_kinds_and_values_are_counted_and_told_once_without_their_values() {
    let (log, _guard) = Log::events(tracing::Level::INFO);

    let app = mx::App::builder()
        .base_url(server(ACCOUNTS).await)
        .credentials(mx::Credentials::new("id", "secret"))
        .redirect_uri("https://app.example/callback")
        .build()
        .unwrap();
    let authorization = app.authorize([mx::Scope::Accounts]).unwrap();
    let callback = format!(
        "https://app.example/callback?code=c&state={}",
        authorization.pending.state().expose_secret()
    );
    let user = app.finish(authorization.pending, &callback).await.unwrap();
    for _ in 0..2 {
        let accounts = user.client().list_accounts().send().await.unwrap();
        assert_eq!(accounts.accounts.len(), 3);
    }

    let mut seen: Vec<(Unmodelled, String, u64)> = sightings()
        .into_iter()
        .filter(|sighting| sighting.provider == "mx" && sighting.operation == "list_accounts")
        .map(|sighting| (sighting.what, sighting.place, sighting.count))
        .collect();
    seen.sort();
    assert_eq!(
        seen,
        [
            (Unmodelled::Field, "accounts[].depositAccount.surprise".to_owned(), 4),
            (Unmodelled::Field, "page.total".to_owned(), 2),
            (Unmodelled::EnumValue, "AccountType".to_owned(), 2),
            (Unmodelled::Kind, "spaceAccount".to_owned(), 2),
        ]
    );

    let log = log.text();
    for told in [
        "accounts[].depositAccount.surprise",
        "page.total",
        "AccountType",
        "spaceAccount",
    ] {
        assert_eq!(log.matches(told).count(), 1, "{told} in {log}");
    }
    assert!(!log.contains("VALUE"), "{log}");
}
