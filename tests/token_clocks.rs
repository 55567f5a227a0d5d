//! A token without any time left is never served, by the machine's own clocks: their cheap readings lag behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use finrail::mx;
use finrail::oauth::ExistingTokens;
use finrail::token::{MemoryStore, TokenStore};

/// The application as another process has it: nothing of the grant is in its memory.
fn app(store: &Arc<MemoryStore>) -> mx::App {
    mx::App::builder()
        .base_url("https://fdx.bank.example")
        .credentials(mx::Credentials::new("client", "secret"))
        .store(Arc::clone(store) as Arc<dyn TokenStore>)
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_token_that_ended_is_not_served_after_a_load() {
    let store = Arc::new(MemoryStore::new());
    let ended =
        ExistingTokens::refresh_token("refresh").access_token("ended", Some(Utc::now() - TimeDelta::seconds(2)));
    let key = app(&store).import("jo", ended).await.unwrap().key().clone();
    let mut served = 0;
    for _ in 0..200 {
        let user = app(&store).connection(&key).await.unwrap().unwrap();
        // Longer than a tick of any Linux clock.
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(12) {
            served += usize::from(user.tokens().header().is_some());
            std::thread::sleep(Duration::from_micros(500));
        }
    }
    assert_eq!(served, 0);
}

#[tokio::test]
async fn a_token_is_served_until_its_end_and_not_after_it() {
    let store = Arc::new(MemoryStore::new());
    // Without a refresh token there is nothing to wait for: it serves to its end.
    let end = Utc::now() + TimeDelta::milliseconds(400);
    let tokens = ExistingTokens::access_token_only("short", Some(end));
    let user = app(&store).import("jo", tokens).await.unwrap();
    assert!(user.tokens().header().is_some());
    loop {
        let before = Utc::now();
        if user.tokens().header().is_none() {
            break;
        }
        // A tick of the cheap clock is 10 milliseconds at most.
        assert!(before < end + TimeDelta::milliseconds(20), "served after its end");
        std::thread::sleep(Duration::from_micros(200));
    }
}
