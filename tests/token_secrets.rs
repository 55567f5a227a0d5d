//! Nothing that the token lifecycle prints or logs shows a token.
//!
//! A test binary of its own: whether an event is logged at all is decided once for all threads of a
//! process, so that a test beside it that logs nothing could silence this one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod token_support;

use std::sync::{Arc, Mutex};

use finrail::token::store::MemoryStore;
use finrail::token::{Clock, Record, TokenStore};
use token_support::*;

// yup-oauth2: derived Debug prints tokens, and a debug log prints the cached one.
#[test]
fn debug_output_logs_and_errors_do_not_show_a_token() {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let mut shown = String::new();
    tracing::subscriber::with_default(subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
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
        });
    });
    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("token refresh"), "{logged}");
    for text in [&shown, &logged] {
        assert!(!text.contains("access-") && !text.contains("refresh-"), "{text}");
    }
}
