//! The client of a bank of one's own does what the five do: tokens, pages, exact amounts, typed refusals.
#![allow(clippy::unwrap_used)]

use finrail::transport::{CallOptions, Outcome, Proof};
use finrail::{Decimal, TypedClient as _};
use httpmock::MockServer;
use own_bank::types::{AccountKind, NewTransfer};
use serde_json::json;

fn client(server: &MockServer) -> own_bank::Client {
    own_bank::Client::builder()
        .base_url(server.base_url())
        .credentials(own_bank::Credentials::new("client", "s3cr3t"))
        .client_credentials([own_bank::Scope::Accounts, own_bank::Scope::Transfers])
        .build()
        .unwrap()
}

async fn token(server: &MockServer) -> httpmock::Mock<'_> {
    server
        .mock_async(|when, then| {
            when.method("POST")
                .path("/token")
                .form_urlencoded_tuple("grant_type", "client_credentials")
                .form_urlencoded_tuple("scope", "accounts;transfers");
            then.status(200)
                .json_body(json!({ "access_token": "t0k3n", "token_type": "Bearer", "expires_in": 3600 }));
        })
        .await
}

/// Of this bank no text has a space or a comma between its scopes.
#[tokio::test]
async fn scopes_that_a_reply_tells_are_told_apart_by_the_banks_own_separator() {
    let server = MockServer::start_async().await;
    server
        .mock_async(|when, then| {
            when.path("/token");
            then.status(200).json_body(json!({
                "access_token": "t0k3n", "token_type": "Bearer", "expires_in": 3600, "scope": "accounts;transfers",
            }));
        })
        .await;
    let accounts = server
        .mock_async(|when, then| {
            when.path("/v1/accounts");
            then.status(200)
                .header("content-type", "application/vnd.own-bank+json")
                .body(r#"{ "accounts": [] }"#);
        })
        .await;
    client(&server).list_accounts().send().await.unwrap();
    assert_eq!(accounts.calls(), 1);
}

#[tokio::test]
async fn a_token_is_fetched_once_and_pages_are_followed() {
    let server = MockServer::start_async().await;
    let token = token(&server).await;
    let first = server
        .mock_async(|when, then| {
            when.path("/v1/accounts")
                .query_param_missing("after")
                .header("authorization", "Bearer t0k3n");
            then.status(200)
                .header("content-type", "application/vnd.own-bank+json")
                .body(r#"{ "accounts": [{ "id": "a", "kind": "savings", "balance": 12345678901234567.89 }], "next": "a" }"#);
        })
        .await;
    let second = server
        .mock_async(|when, then| {
            when.path("/v1/accounts")
                .query_param("after", "a")
                .header("accept", "application/vnd.own-bank+json");
            then.status(200)
                .body(r#"{ "accounts": [{ "id": "b", "kind": "moonshot", "balance": 0.10, "colour": "red" }] }"#);
        })
        .await;

    let accounts: Vec<_> = client(&server).list_accounts().items().try_collect().await.unwrap();

    assert_eq!(
        accounts[0].balance,
        Some("12345678901234567.89".parse::<Decimal>().unwrap())
    );
    assert_eq!(accounts[0].kind, Some(AccountKind::Savings));
    assert_eq!(accounts[1].balance.unwrap().to_string(), "0.10");
    assert_eq!(accounts[1].kind, Some(AccountKind::Unknown("moonshot".to_owned())));
    assert_eq!((token.calls(), first.calls(), second.calls()), (1, 1, 1));
}

#[tokio::test]
async fn an_amount_leaves_as_it_was_written() {
    let server = MockServer::start_async().await;
    token(&server).await;
    let transfer = server
        .mock_async(|when, then| {
            when.method("POST")
                .path("/v1/transfers")
                .body(r#"{"amount":"10.50","to":"b"}"#);
            then.status(201)
                .json_body(json!({ "id": "t1", "amount": "10.50", "to": "b" }));
        })
        .await;
    let body = NewTransfer::builder().amount("10.50").to("b");

    let reply = client(&server)
        .create_transfer()
        .body_map(|_| body)
        .send()
        .await
        .unwrap();

    assert_eq!(reply.id, "t1");
    assert_eq!(transfer.calls(), 1);
}

#[tokio::test]
async fn a_refusal_is_typed() {
    let server = MockServer::start_async().await;
    token(&server).await;
    server
        .mock_async(|when, then| {
            when.path("/v1/transfers");
            then.status(422)
                .json_body(json!({ "code": "limit", "message": "too much" }));
        })
        .await;

    let refused = client(&server)
        .create_transfer()
        .body_map(|transfer| transfer.amount("1e9".parse::<Decimal>().unwrap_or_default()).to("b"))
        .send()
        .await
        .unwrap_err();

    assert_eq!(
        (refused.outcome(), refused.proof()),
        (Outcome::Rejected, Some(Proof::Documented))
    );
    let finrail::Error::ErrorResponse(reply) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(reply.code.as_deref(), Some("limit"));
}

/// Which replies are the bank's own stands at the root of its specification, for all of its calls.
#[tokio::test]
async fn a_refusal_is_known_by_what_the_specification_says() {
    let known = (Outcome::Rejected, Some(Proof::Documented));
    let unknown = (Outcome::Unknown, None);
    for (status, media_type, body, concluded) in [
        (409, "application/json", r#"{"code":"twice"}"#, known),
        (400, "application/json", r#"{"code":"limit","message":"no"}"#, known),
        (409, "text/html", "<html>code</html>", unknown),
        (409, "application/json", r#"{"message":"Conflict"}"#, unknown),
        (409, "application/json", r#"{"code":null}"#, unknown),
        (404, "application/json", r#"{"code":"limit"}"#, unknown),
        (500, "application/json", r#"{"code":"limit"}"#, unknown),
    ] {
        let server = MockServer::start_async().await;
        token(&server).await;
        let transfer = server
            .mock_async(|when, then| {
                when.path("/v1/transfers");
                then.status(status).header("content-type", media_type).body(body);
            })
            .await;
        let client = client(&server);
        let call = client
            .create_transfer()
            .body_map(|transfer| transfer.amount("1.00").to("b"));
        let refused = call.send().await.unwrap_err();
        assert_eq!((refused.outcome(), refused.proof()), concluded, "{status} {body}");
        assert_eq!(transfer.calls(), 1, "{status} {body}");
        // Of a call that it does not describe as well.
        let raw = client.raw(http::Method::POST, "/v1/transfers").json(&"x").send().await;
        let refused = raw.unwrap_err();
        assert_eq!((refused.outcome(), refused.proof()), concluded, "{status} {body}");
    }
}

/// A bank may take a page without it for one of another account.
#[tokio::test]
async fn every_page_by_link_has_the_header_parameters_of_the_call() {
    let server = MockServer::start_async().await;
    token(&server).await;
    let page = async |page: Option<&'static str>, body: serde_json::Value| {
        let mock = server.mock_async(move |when, then| {
            let when = when
                .path("/v1/statements")
                .header("x-account", "A")
                .header("x-trace", "t");
            match page {
                Some(page) => when.query_param("page", page),
                None => when.query_param_missing("page"),
            };
            then.status(200).json_body(body);
        });
        mock.await
    };
    let first = page(
        None,
        json!({ "accounts": [{ "id": "A-1" }], "next": "/v1/statements?page=2" }),
    )
    .await;
    let second = page(Some("2"), json!({ "accounts": [{ "id": "A-2" }], "next": "?page=3" })).await;
    let third = page(Some("3"), json!({ "accounts": [{ "id": "A-3" }] })).await;
    let client = client(&server);
    let call = client.list_statements().x_account("A");
    let call = call.with(CallOptions::new().header("x-trace", "t"));
    let read: Vec<_> = call.clone().items().try_collect().await.unwrap();
    let ids: Vec<_> = read.iter().map(|statement| statement.id.as_str()).collect();
    assert_eq!(ids, ["A-1", "A-2", "A-3"]);
    assert_eq!(call.send().await.unwrap().accounts.len(), 1);
    assert_eq!((first.calls(), second.calls(), third.calls()), (2, 1, 1));
    // Without it there is no call, and so no page.
    let mut pages = client.list_statements().pages();
    let error = pages.next().await.unwrap().unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent, "{error}");
    assert!(pages.next().await.is_none());
}
