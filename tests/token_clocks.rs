//! A token without any time left is never served, by the machine's own clocks, whose cheap readings lag behind, and
//! however late it came.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;
#[macro_use]
mod connected;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use connected::*;
use finrail::oauth::ExistingTokens;
use finrail::token::{Clock as _, ManualClock, MemoryStore, TokenHandle, TokenStore};
use finrail::{mx, ofx, omnifund};
use recorder::{Answer, Recorder};

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

/// The reply to a login or to a refresh may be long under way, or be found after the machine slept.
#[tokio::test]
async fn tokens_count_from_the_request_for_them_however_late_the_reply_is_read() {
    let late = Duration::from_secs(20);
    for sleeps in [false, true] {
        let clock = Arc::new(ManualClock::new());
        let at_server = Arc::clone(&clock);
        let bank = Recorder::with_tokens(
            move |_, before| {
                match sleeps {
                    true => at_server.suspend(late),
                    false => at_server.advance(late),
                }
                Answer::json(recorder::token(before + 1))
            },
            |_, _| Answer::json("{}"),
        )
        .await;
        let sent = || DateTime::<Utc>::from(clock.wall());
        let check = |tokens: &TokenHandle, sent: DateTime<Utc>| {
            let info = tokens.info().unwrap();
            assert_eq!(info.obtained_at, sent);
            assert_eq!(info.expires_at, Some(sent + Duration::from_secs(3600)));
        };

        let app: mx::App = builder(&bank).clock(clock.clone()).build().unwrap();
        let pending = app.authorize(["accounts"]).unwrap().pending;
        let callback = format!("{REDIRECT}?code=code-1&state={}", pending.state().expose_secret());
        let at = sent();
        let by_code = app.finish(pending, &callback).await.unwrap();
        check(by_code.tokens(), at);
        clock.advance(Duration::from_secs(3600));
        let at = sent();
        by_code.tokens().fresh().await.unwrap();
        check(by_code.tokens(), at);

        let app: omnifund::App = builder(&bank).clock(clock.clone()).build().unwrap();
        let at = sent();
        check(app.password("jo", "password", NO_SCOPES).await.unwrap().tokens(), at);

        let app: ofx::App = builder(&bank).clock(clock.clone()).build().unwrap();
        let own = app.client_tokens(["payments"]).unwrap();
        let at = sent();
        own.fresh().await.unwrap();
        check(&own, at);
    }
}

#[tokio::test]
async fn a_token_that_ended_before_the_reply_to_its_login_was_read_is_not_served() {
    let clock = Arc::new(ManualClock::new());
    let at_server = Arc::clone(&clock);
    let bank = Recorder::with_tokens(
        move |_, before| {
            if before == 0 {
                at_server.suspend(Duration::from_secs(7200));
            }
            Answer::json(recorder::token(before + 1))
        },
        |_, _| Answer::json("{}"),
    )
    .await;
    let user = connect!(mx, builder(&bank).clock(clock).build().unwrap(), ["accounts"]);
    assert!(user.tokens().header().is_none());
    assert_eq!(user.tokens().fresh().await.unwrap().header, "Bearer token-2");
}
