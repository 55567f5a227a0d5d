//! What an HTTP/2 server did not take: HTTP clients send that again by themselves, and a call that moves money is not sent
//! again, whoever made the HTTP client.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../src/http/refusing_server.rs"]
mod refusing_server;

use finrail::oauth::ExistingTokens;
use finrail::transport::{Outcome, RetryPolicy};
use finrail::{ofx, tatrabanka};
use refusing_server::{Refusal, RefusingServer};

/// With reqwest's own repeats on, as they are unless somebody switches them off.
fn repeating() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().http2_prior_knowledge();
    client.build().unwrap()
}

fn tokens<P>() -> ExistingTokens<P> {
    let in_an_hour = chrono::Utc::now() + chrono::TimeDelta::hours(1);
    ExistingTokens::refresh_token("refresh-1").access_token("token-1", Some(in_an_hour))
}

#[tokio::test]
async fn a_call_that_moves_money_arrives_once_with_a_body_and_without() {
    for refusal in [Refusal::RefusedStream, Refusal::GoAway] {
        // That is what the client does: the first time, and twice more.
        let server = RefusingServer::start(refusal).await;
        let _ = rustls::crypto::ring::default_provider().install_default();
        repeating().put(&server.origin).send().await.unwrap_err();
        assert_eq!(server.arrived(), 3, "{refusal:?}");

        let server = RefusingServer::start(refusal).await;
        let app = tatrabanka::App::builder()
            .base_url(&server.origin)
            .credentials(tatrabanka::Credentials::new("client", "secret"))
            .redirect_uri("https://app.example.com/callback")
            .http_client(repeating());
        let user: tatrabanka::Connection = app.build().unwrap().import("jo", tokens()).await.unwrap();
        let submission = user.client().submit_payment().product("sepa-credit-transfers");
        let submission = submission.payment_id("p").authorization_id("a");
        let error = submission.send().await.unwrap_err();
        assert_eq!(server.arrived(), 1, "{refusal:?}: {error:?}");
        assert_eq!(error.outcome(), Outcome::Unknown, "{refusal:?}");
        assert!(!error.is_retryable(), "{refusal:?}");

        let server = RefusingServer::start(refusal).await;
        let app = ofx::App::builder()
            .base_url(&server.origin)
            .credentials(ofx::Credentials::new("client", "secret"))
            .redirect_uri("https://app.example.com/callback")
            .retry(RetryPolicy::default())
            .http_client(repeating());
        let user: ofx::Connection = app.build().unwrap().import("jo", tokens()).await.unwrap();
        let deal = user
            .client()
            .create_deal()
            .body_map(|deal| deal.quote_id("q-1".to_owned()));
        let error = deal.send().await.unwrap_err();
        assert_eq!(server.arrived(), 1, "{refusal:?}: {error:?}");
        assert_eq!(error.outcome(), Outcome::Unknown, "{refusal:?}");
    }
}
