//! A connection is found again by its key, or the error says why there is none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;
#[macro_use]
mod connected;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use connected::*;
use finrail::token::store::{Lease, Leased, MemoryStore, StoredRecord, Swap, Swapped};
use finrail::token::{self, ReauthorizationReason, StoreError, TokenKey, TokenStore};
use finrail::{mx, oauth, ofx};
use futures_util::future::BoxFuture;
use recorder::{Answer, Recorder};

fn app(bank: &Recorder, store: &Arc<MemoryStore>) -> mx::App {
    builder(bank).store(Arc::clone(store) as _).build().unwrap()
}

/// A store that takes authorizations only.
struct Full(MemoryStore, AtomicBool);

impl TokenStore for Full {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        self.0.load(key)
    }
    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        if self.1.load(Ordering::SeqCst) && key.provider != "authorization" {
            return Box::pin(async { Err(StoreError::unavailable("take the write", "it is full")) });
        }
        self.0.swap(key, swap)
    }
    fn lease<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: std::time::Duration,
    ) -> BoxFuture<'a, Result<Leased, StoreError>> {
        self.0.lease(key, holder, ttl)
    }
    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.0.release(key, lease)
    }
}

#[tokio::test]
async fn a_grant_that_lives_in_this_process_only_is_found_here_until_it_is_ended() {
    for forgets in [true, false] {
        let bank = Recorder::granting(|_, _| Answer::json("{}")).await;
        let store = Arc::new(Full(MemoryStore::new(), AtomicBool::new(true)));
        let app: mx::App = builder(&bank).store(Arc::clone(&store) as _).build().unwrap();
        let user = connect!(mx, app.clone(), ["accounts"]);
        let key = user.key().clone();
        let found = app.connection(&key).await.unwrap().unwrap();
        assert!(found.tokens().header().is_some());
        let elsewhere: mx::App = builder(&bank).store(Arc::clone(&store) as _).build().unwrap();
        assert!(elsewhere.connection(&key).await.unwrap().is_none());

        store.1.store(false, Ordering::SeqCst);
        user.tokens().settled().await;
        assert!(elsewhere.connection(&key).await.unwrap().is_some());
        if forgets {
            user.forget().await.unwrap();
            assert!(app.connection(&key).await.unwrap().is_none());
        } else {
            user.revoke().await.unwrap();
            assert!(app.connection(&key).await.unwrap_err().reauthorization_required());
        }
        // The store loses even the mark of it.
        let listed = store.0.list("mx", None).await.unwrap().records.remove(0);
        assert!(
            store
                .0
                .remove(&listed.id, listed.record.unwrap().revision)
                .await
                .unwrap()
        );
        assert!(app.connection(&key).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_grant_whose_record_the_store_lost_is_found_where_it_serves() {
    let bank = Recorder::granting(|_, _| Answer::json("{}")).await;
    let store = Arc::new(MemoryStore::new());
    let app = app(&bank, &store);
    let user = connect!(mx, app.clone(), ["accounts"]);
    let listed = store.list("mx", None).await.unwrap().records.remove(0);
    assert!(store.remove(&listed.id, listed.record.unwrap().revision).await.unwrap());
    let found = app.connection(user.key()).await.unwrap().unwrap();
    assert!(found.tokens().header().is_some());
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
