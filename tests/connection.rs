//! A connection is found again by its key, or the error says why there is none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;
#[macro_use]
mod connected;

use std::sync::Arc;

use connected::*;
use finrail::token::store::MemoryStore;
use finrail::token::{self, ReauthorizationReason};
use finrail::{mx, oauth, ofx};
use recorder::{Answer, Recorder};

fn app(bank: &Recorder, store: &Arc<MemoryStore>) -> mx::App {
    builder(bank).store(Arc::clone(store) as _).build().unwrap()
}

#[tokio::test]
async fn the_key_of_the_applications_own_tokens_is_no_connections_key() {
    let bank = Recorder::granting(|_, _| Answer::json("{}")).await;
    let app: ofx::App = builder(&bank).build().unwrap();
    let own = app.client_tokens(["payments"]).unwrap();
    let key = own.key().clone();
    // Whether its tokens are there, and whether anybody uses them, or not.
    for in_use in [false, true] {
        if in_use {
            own.fresh().await.unwrap();
        }
        let error = app.connection(&key).await.unwrap_err();
        assert!(matches!(error, oauth::Error::KeyOfClientCredentials), "{error:?}");
        assert!(!error.reauthorization_required() && !error.is_retryable());
        assert!(error.to_string().contains("client_tokens"), "{error}");
    }
    drop(own);
    app.connection(&key).await.unwrap_err();
    // The application's tokens go by their own rules after that too: they are fetched without a refresh token.
    let own = app.client_tokens(["payments"]).unwrap();
    let bearer = own.fresh().await.unwrap();
    own.rejected(bearer.generation, token::Rejection::InvalidToken)
        .await
        .unwrap();
    let grants = bank.token_requests();
    let grants: Vec<_> = grants
        .iter()
        .filter_map(|request| request.field("grant_type"))
        .collect();
    assert_eq!(grants, ["client_credentials"; 2]);
}

#[tokio::test]
async fn a_revoked_connection_says_so_in_every_process_and_a_forgotten_one_is_not_there() {
    for forget in [false, true] {
        let bank = Recorder::granting(|_, _| Answer::json("{}")).await;
        let store = Arc::new(MemoryStore::new());
        let app_of_user = app(&bank, &store);
        let user = connect!(mx, app_of_user.clone(), ["accounts"]);
        let key = user.key().clone();
        match forget {
            true => user.forget().await.unwrap(),
            false => user.revoke().await.unwrap(),
        }
        for app in [app_of_user, app(&bank, &store)] {
            let found = app.connection(&key).await;
            if forget {
                assert!(found.unwrap().is_none());
                continue;
            }
            let error = found.unwrap_err();
            assert!(error.reauthorization_required() && !error.is_retryable());
            let oauth::Error::Token(token::Error::ReauthorizationRequired { reason, .. }) = error else {
                panic!("{error:?}");
            };
            assert_eq!(reason, ReauthorizationReason::Revoked);
        }
    }
}
