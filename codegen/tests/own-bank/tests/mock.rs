//! Mocks of a client that is generated in another crate.
#![allow(clippy::unwrap_used)]

use finrail::Decimal;
use finrail::mock::{self, httpmock::MockServer};
use finrail::transport::{ConnectionPoint, Outcome, Proof};
use own_bank::mock::MockServerExt as _;
use own_bank::types::{AccountPage, NewPayout, Payout, Refusal};

#[tokio::test]
async fn a_client_of_ones_own_is_mocked_as_those_of_finrail_are() {
    let server = MockServer::start();
    let token = own_bank::mock::token(&server);
    let body = |amount: &str| {
        let body = NewPayout::builder().amount(amount.parse::<Decimal>().unwrap());
        body.to("b").reference("r-1")
    };
    let made: Payout = Payout::builder().id("p1").try_into().unwrap();
    let paid = server.create_payout(|when, then| {
        when.idempotency_key("k-1").body(body("10.50"));
        then.created(&made);
    });
    let page: AccountPage = AccountPage::builder()
        .accounts(Vec::<own_bank::types::Account>::new())
        .try_into()
        .unwrap();
    let listed = server.list_accounts(|when, then| {
        when.after("a 1");
        then.ok(&page);
    });
    let client = own_bank::Client::builder()
        .base_url(server.base_url())
        .credentials(own_bank::Credentials::new("client", "s3cr3t"))
        .client_credentials([own_bank::Scope::Transfers, own_bank::Scope::Accounts])
        .build()
        .unwrap();
    let call = |key: &str, amount: &str| client.create_payout().idempotency_key(key).body(body(amount)).send();
    call("k-2", "10.50").await.unwrap_err();
    call("k-1", "10.51").await.unwrap_err();
    assert_eq!(call("k-1", "10.50").await.unwrap().id, "p1");
    let accounts = client.list_accounts().after("a 1").send().await.unwrap();
    assert_eq!(accounts.headers()["content-type"], "application/vnd.own-bank+json");
    assert_eq!((token.calls(), paid.calls(), listed.calls()), (1, 1, 1));
}

#[test]
fn an_error_that_is_made_follows_the_specification_of_the_bank() {
    let payout = mock::call::<own_bank::Provider>("create_payout");
    let refusal = Refusal {
        code: Some("limit".to_owned()),
        message: None,
    };
    for (call, status, body, outcome, proof) in [
        (payout, 409, refusal.clone(), Outcome::Rejected, Some(Proof::Documented)),
        (payout, 403, refusal.clone(), Outcome::Unknown, None),
        (payout, 409, Refusal::default(), Outcome::Unknown, None),
        (payout.with_key().in_doubt(), 409, refusal, Outcome::Unknown, None),
    ] {
        let error = call.error_reply(status, body);
        assert_eq!((error.outcome(), error.proof()), (outcome, proof), "{error}");
    }
    // With a key, twice is the same as once.
    for (call, retryable) in [(payout, false), (payout.with_key(), true)] {
        let lost: finrail::Error = call.connection_error(ConnectionPoint::Sent, false);
        assert_eq!((lost.outcome(), lost.is_retryable()), (Outcome::Unknown, retryable));
    }
}
