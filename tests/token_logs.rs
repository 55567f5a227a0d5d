//! What a store did not do is in the log, also where nobody is told of it, and so is why there is no new token.
//!
//! A test binary of its own, one test: whether an event is logged at all is decided once for all threads of a process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod logged;
mod token_support;

use std::sync::Arc;

use finrail::token::store::{Leased, Swap, Swapped};
use finrail::token::{Clock, MemoryStore, TokenStore, Verdict};
use logged::Log;
use token_support::*;

/// A line since the last look says all of this.
fn says(log: &Log, words: &[&str]) {
    let text = log.take();
    let says = |line: &str| words.iter().all(|word| line.contains(word));
    assert!(
        text.lines().any(says),
        "{words:?}
{text}"
    );
}

struct World {
    bank: Arc<Bank>,
    clock: Arc<VirtualClock>,
    flaky: Arc<FlakyStore>,
    store: Arc<dyn TokenStore>,
}

impl World {
    fn new() -> Self {
        let clock = VirtualClock::new();
        let memory = MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
        let flaky = Arc::new(FlakyStore::new(Arc::new(memory)));
        Self {
            bank: Bank::new(STRICT),
            clock,
            store: Arc::clone(&flaky) as Arc<dyn TokenStore>,
            flaky,
        }
    }

    /// The store loses the record.
    async fn lose(&self) {
        let Leased::Granted(lease) = self.store.lease(&user_key(), "a disk", secs(5)).await.unwrap() else {
            panic!("somebody has the lease");
        };
        let seen = self.store.load(&user_key()).await.unwrap().map(|seen| seen.revision);
        let swap = Swap::new(seen, lease.fence, None);
        assert_eq!(self.store.swap(&user_key(), swap).await.unwrap(), Swapped::Done);
        self.store.release(&user_key(), lease).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_store_did_not_do_and_why_there_is_no_token_is_logged() {
    let (log, _logging) = Log::events(tracing::Level::DEBUG);

    // Tokens that wait: the write fails, and then the look before it.
    let world = World::new();
    let handle = user(&world.bank, &world.store, &world.clock, "a").build();
    world.flaky.lose_swaps();
    handle.adopt(world.bank.login()).await.unwrap_err();
    log.take();
    tokio::time::sleep(secs(4)).await;
    let still = ["WARN", "new tokens are still not stored", "customer-42", "it is out"];
    says(&log, &still);
    world.flaky.fail_after_swaps(0);
    tokio::time::sleep(secs(4)).await;
    says(&log, &still);

    // A login that cannot look at what is stored.
    let world = World::new();
    let handle = user(&world.bank, &world.store, &world.clock, "a").build();
    world.flaky.fail_after_swaps(0);
    handle.adopt(world.bank.login()).await.unwrap_err();
    says(
        &log,
        &["WARN", "what was stored before a login", "customer-42", "it is out"],
    );

    // A refresh without an answer: what it marks in the store is for others, and the caller is told of the server.
    let world = World::new();
    let handle = user(&world.bank, &world.store, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    world.bank.faults([Fault::LoseRequest]);
    world.flaky.fail_after_swaps(1);
    world.clock.jump(3600);
    handle.fresh().await.unwrap_err();
    says(
        &log,
        &["DEBUG", "a step of the store failed", "take the write", "it is out"],
    );

    // A lease that goes away with the last write, in a store that takes two steps for that.
    let world = World::new();
    let handle = user(&world.bank, &world.store, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    log.take();
    world.flaky.fail_after_swaps(2);
    world.clock.jump(3600);
    handle.fresh().await.unwrap();
    says(
        &log,
        &[
            "DEBUG",
            "a lease was not given back",
            &user_key().storage_id(),
            "it is out",
        ],
    );

    // No new token: a warning where somebody has to do something, and not where it passes by itself.
    for (fault, line) in [
        (Fault::Misconfigured, ["WARN", "no new token", "client_misconfigured"]),
        (Fault::Unavailable, ["DEBUG", "no new token", "transient"]),
    ] {
        let world = World::new();
        let handle = user(&world.bank, &world.store, &world.clock, "a").build();
        handle.adopt(world.bank.login()).await.unwrap();
        world.bank.faults([fault]);
        world.clock.jump(3600);
        log.take();
        handle.fresh().await.unwrap_err();
        says(&log, &line);
    }

    // Tokens that whoever revoked the grant did not know: a warning where they live on.
    for (answer, expected) in [
        (None, "DEBUG tokens of a revoked grant are revoked too"),
        (
            Some(Verdict::Transient { retry_after: None }),
            "WARN tokens of a revoked grant could not be revoked",
        ),
        (Some(Verdict::Dead), ""),
    ] {
        let world = World::new();
        let [a, b] = ["a", "b"].map(|holder| user(&world.bank, &world.store, &world.clock, holder).build());
        a.adopt(world.bank.login()).await.unwrap();
        b.fresh().await.unwrap();
        tokio::time::sleep(HOUR).await;
        b.fresh().await.unwrap();
        world.lose().await;
        a.revoke().await.unwrap();
        if let Some(refusal) = answer {
            world.bank.refuse_revocation(refusal);
        }
        log.take();
        tokio::time::sleep(secs(600)).await;
        b.fresh().await.unwrap_err();
        tokio::time::sleep(secs(60)).await;
        let text = log.take();
        let told = text.lines().find(|line| line.contains("tokens of a revoked grant"));
        match told {
            Some(line) => assert!(
                expected
                    .split_once(' ')
                    .is_some_and(|(level, words)| { line.contains(level) && line.contains(words) }),
                "{line}"
            ),
            None => assert_eq!(expected, "", "{text}"),
        }
    }
}
