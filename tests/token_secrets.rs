//! Nothing that the token lifecycle prints or logs shows a token.
//!
//! A test binary of its own: whether an event is logged at all is decided once for all threads of a
//! process, so that a test beside it that logs nothing could silence this one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod logged;
mod token_support;

use std::sync::Arc;

use finrail::token::store::MemoryStore;
use finrail::token::{Clock, Record, TokenStore};
use logged::Log;
use token_support::*;

// yup-oauth2: derived Debug prints tokens, and a debug log prints the cached one.
#[tokio::test(start_paused = true)]
async fn debug_output_logs_and_errors_do_not_show_a_token() {
    let (log, _logging) = Log::events(tracing::Level::TRACE);
    let mut shown = String::new();
    let clock = VirtualClock::new();
    let bank = Bank::new(STRICT);
    let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>));
    let reply = bank.login();
    shown += &format!("{reply:?}");
    let handle = user(&bank, &store, &clock, "a").build();
    handle.adopt(reply).await.unwrap();
    bank.faults([Fault::LoseRequest, Fault::LoseReply]);
    let mut events = handle.watch();
    for _ in 0..4 {
        tokio::time::sleep(HOUR).await;
        let outcome = handle.fresh().await;
        shown += &format!("{outcome:?} {handle:?} {:?} {}", handle.info(), handle.explain().await);
        if let Err(error) = outcome {
            shown += &format!("{error}");
        }
        while let Some(event) = events.try_next() {
            shown += &format!("{event:?}");
        }
    }
    let stored = store.load(&user_key()).await;
    let record = Record::decode(&stored.as_ref().unwrap().as_ref().unwrap().bytes).unwrap();
    shown += &format!("{stored:?} {record:?}");
    let logged = log.text();
    assert!(logged.contains("token refresh"), "{logged}");
    for text in [&shown, &logged] {
        assert!(!text.contains("access-") && !text.contains("refresh-"), "{text}");
    }
}
