//! Bugs that other token libraries have or had: what would go wrong gives the test its name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod token_support;

use std::sync::Arc;
use std::time::Duration;

use finrail::ScopeSet;
use finrail::token::store::MemoryStore;
use finrail::token::{
    Clock, DecodeError, Error, GrantKind, Issuer, ReauthorizationReason, Record, Renewal, Rotation, TokenHandle,
    TokenKey, TokenStore,
};
use finrail::transport::Rejection;
use token_support::*;

struct World {
    bank: Arc<Bank>,
    clock: Arc<VirtualClock>,
    store: Arc<dyn TokenStore>,
}

impl World {
    fn new(habits: Habits) -> Self {
        let clock = VirtualClock::new();
        Self {
            bank: Bank::new(habits),
            store: Arc::new(MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>)),
            clock,
        }
    }

    fn process(&self, holder: &str) -> TokenHandle {
        user(&self.bank, &self.store, &self.clock, holder).build()
    }

    async fn logged_in(&self, holder: &str) -> TokenHandle {
        let handle = self.process(holder);
        handle.adopt(self.bank.login()).await.unwrap();
        handle
    }

    async fn stored(&self) -> Record {
        Record::decode(&self.store.load(&user_key()).await.unwrap().unwrap().bytes).unwrap()
    }
}

// google-auth-library-nodejs: the old refresh token is written over the new one.
#[tokio::test(start_paused = true)]
async fn a_rotated_refresh_token_is_not_overwritten_by_the_old_one() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    for round in 1..=5 {
        tokio::time::sleep(HOUR).await;
        handle.fresh().await.unwrap();
        let tokens = world.stored().await.tokens.unwrap();
        assert_eq!(
            tokens.refresh_token.unwrap().expose_secret(),
            format!("refresh-{}", round + 1)
        );
    }
    let spent: Vec<_> = (1..=5).map(|round| format!("refresh-{round}")).collect();
    assert_eq!(world.bank.sent(), spent);
}

// simple-oauth2: a reply without a refresh token loses the one at hand.
#[tokio::test(start_paused = true)]
async fn a_reply_without_a_refresh_token_does_not_lose_the_one_at_hand() {
    let world = World::new(Habits {
        rotates: false,
        ..STRICT
    });
    for rotates in [Some(true), Some(false), None] {
        let handle = user(&world.bank, &world.store, &world.clock, "a")
            .rotation(Rotation::new(rotates, None))
            .build();
        handle.adopt(Bank::new(STRICT).login()).await.unwrap();
        let sent = world.bank.sent().len();
        let _ = world.bank.login();
        for _ in 0..3 {
            tokio::time::sleep(HOUR).await;
            handle.fresh().await.unwrap();
        }
        assert_eq!(world.bank.sent()[sent..], ["refresh-1", "refresh-1", "refresh-1"]);
    }
}

// Duende.AccessTokenManagement: the stored token is read before the gate, so that a late caller sends a spent one.
#[tokio::test(start_paused = true)]
async fn a_late_caller_does_not_send_a_spent_token() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    let other = world.process("bb");
    other.load().await.unwrap();
    tokio::time::sleep(HOUR).await;
    let callers: Vec<_> = (0..100)
        .map(|caller| {
            let handle = if caller % 2 == 0 { handle.clone() } else { other.clone() };
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(caller * 2)).await;
                handle.fresh().await
            })
        })
        .collect();
    for caller in callers {
        assert_eq!(text(&caller.await.unwrap().unwrap()), "Bearer access-2");
    }
    assert_eq!(world.bank.sent(), ["refresh-1"]);
}

// Duende.AccessTokenManagement: when there is no token, the request goes out without one.
#[tokio::test(start_paused = true)]
async fn a_failed_refresh_does_not_send_a_call_without_a_token() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    world.bank.faults([Fault::Unavailable]);
    tokio::time::sleep(HOUR).await;
    assert!(handle.header().is_none());
    assert!(handle.fresh().await.is_err());
    assert!(handle.header().is_none());
}

// Duende.AccessTokenManagement: the first caller's cancellation cancels all.
#[tokio::test(start_paused = true)]
async fn the_first_caller_going_away_does_not_cancel_the_others() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    tokio::time::sleep(HOUR).await;
    let first = tokio::spawn({
        let handle = handle.clone();
        async move { handle.fresh().await }
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    let second = tokio::spawn(async move { handle.fresh().await });
    first.abort();
    assert!(second.await.unwrap().is_ok());
    assert_eq!(world.bank.requests(), 1);
}

// yup-oauth2: any refresh error falls through to the interactive flow.
#[tokio::test(start_paused = true)]
async fn a_failure_that_is_not_a_refusal_does_not_send_the_user_to_a_login() {
    for fault in [
        Fault::LoseRequest,
        Fault::Unavailable,
        Fault::Throttle(None),
        Fault::Reject,
        Fault::Misconfigured,
    ] {
        let world = World::new(STRICT);
        let handle = world.logged_in("a").await;
        world.bank.faults([fault]);
        tokio::time::sleep(HOUR).await;
        let error = handle.fresh().await.unwrap_err();
        assert!(!error.reauthorization_required(), "{fault:?}: {error}");
        tokio::time::sleep(secs(60)).await;
        assert!(handle.fresh().await.is_ok(), "{fault:?}");
    }
}

// azure_identity: one write lock for all scopes is held over the network.
#[tokio::test(start_paused = true)]
async fn a_slow_refresh_of_one_scope_does_not_stall_another() {
    let world = World::new(STRICT);
    let handle = |scope: &str, bank: &Arc<Bank>| {
        let key = TokenKey::new("ofx", "client-1", GrantKind::ClientCredentials).scopes(ScopeSet::parse(scope));
        TokenHandle::builder(key, Arc::clone(bank) as Arc<dyn Issuer>, Renewal::Anew)
            .store(Arc::clone(&world.store))
            .clock(Arc::clone(&world.clock) as Arc<dyn Clock>)
            .build()
    };
    let slow_bank = Bank::new(STRICT);
    slow_bank.faults([Fault::Slow(secs(15))]);
    let (slow, quick) = (handle("one", &slow_bank), handle("two", &world.bank));
    let waiting = tokio::spawn(async move { slow.fresh().await });
    tokio::time::sleep(Duration::from_millis(10)).await;
    let started = tokio::time::Instant::now();
    quick.fresh().await.unwrap();
    assert!(started.elapsed() < secs(1));
    assert!(!waiting.is_finished());
}

// smithy LazyCache: jitter on the expiry eats the safety window up.
#[tokio::test(start_paused = true)]
async fn jitter_does_not_shrink_the_window() {
    for seed in 0..200 {
        let world = World::new(STRICT);
        let handle = user(&world.bank, &world.store, &world.clock, "a").seed(seed).build();
        handle.adopt(world.bank.login()).await.unwrap();
        tokio::time::sleep(HOUR - secs(451)).await;
        handle.header().unwrap();
        assert_eq!(world.bank.requests(), 0, "seed {seed} is too early");
        tokio::time::sleep(secs(151)).await;
        handle.header().unwrap();
        tokio::time::sleep(secs(1)).await;
        assert_eq!(world.bank.requests(), 1, "seed {seed} is too late");
    }
}

// google-cloud-auth: a transient failure poisons the client for ever; a torn read without a status ends its refresh task.
#[tokio::test(start_paused = true)]
async fn an_outage_does_not_poison_the_handle() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    world.bank.faults((0..500).map(|n| {
        if n % 2 == 0 {
            Fault::Unavailable
        } else {
            Fault::LoseRequest
        }
    }));
    tokio::time::sleep(HOUR).await;
    let started = tokio::time::Instant::now();
    let mut calls = 0;
    while handle.fresh().await.is_err() {
        calls += 1;
        tokio::time::sleep(secs(1)).await;
    }
    assert_eq!(world.bank.requests(), 501);
    assert!(
        calls > 500,
        "every failure is followed by a rest, and calls in it make no request"
    );
    // It goes on at a slower pace, and never stops.
    assert!(
        started.elapsed() > HOUR * 4 && started.elapsed() < HOUR * 24,
        "{:?}",
        started.elapsed()
    );
}

// google-cloud-auth: busy loop on tokens that live shorter than the refresh window.
#[tokio::test(start_paused = true)]
async fn short_tokens_do_not_make_a_busy_loop() {
    for (life, at_most) in [(0, 0), (1, 130), (10, 15), (59, 4)] {
        let world = World::new(Habits {
            life: Some(secs(life)),
            ..STRICT
        });
        let handle = world.logged_in("a").await;
        for _ in 0..1000 {
            handle.fresh().await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(world.bank.requests() <= at_most, "{life} s: {}", world.bank.requests());
    }
}

// google-cloud-auth: expiries that are aligned make a storm.
#[tokio::test(start_paused = true)]
async fn processes_that_started_together_do_not_refresh_together() {
    let mut early = Vec::new();
    for seed in 0..200 {
        let world = World::new(STRICT);
        let handle = user(&world.bank, &world.store, &world.clock, "a").seed(seed).build();
        handle.adopt(world.bank.login()).await.unwrap();
        tokio::time::sleep(HOUR - secs(450)).await;
        let mut waited = 0;
        while world.bank.requests() == 0 {
            handle.header().unwrap();
            tokio::time::sleep(secs(1)).await;
            waited += 1;
        }
        early.push(waited / 10);
    }
    for tenth in 0..15 {
        let at_once = early.iter().filter(|when| **when == tenth).count();
        assert!(at_once < 40, "{at_once} of 200 in the same ten seconds");
    }
}

// google-cloud-auth: refresh tasks leak when credentials are rebuilt for every call.
#[tokio::test(start_paused = true)]
async fn handles_that_come_and_go_leave_no_task_behind() {
    let world = World::new(STRICT);
    drop(world.logged_in("a").await);
    for _ in 0..1000 {
        world.process("b").fresh().await.unwrap();
    }
    let idle: Vec<_> = (0..1000).map(|_| world.process("c")).collect();
    for handle in &idle {
        handle.load().await.unwrap();
    }
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}

// Nango: a refresh that outlasts its lock lets a second one in.
#[tokio::test(start_paused = true)]
async fn a_slow_refresh_does_not_let_a_second_one_in() {
    let world = World::new(STRICT);
    let (one, two) = (world.logged_in("a").await, world.process("bb"));
    world.bank.faults([Fault::Slow(secs(19))]);
    tokio::time::sleep(HOUR).await;
    let (one, two) = tokio::join!(one.fresh(), two.fresh());
    assert_eq!(text(&one.unwrap()), text(&two.unwrap()));
    assert_eq!(world.bank.requests(), 1);
}

// oauth2-rs: a reply that does not parse is kept in the error, and with it a live token.
#[test]
fn a_record_that_does_not_parse_is_not_quoted() {
    let damaged = [
        r#"{"version":1,"key":"very-secret"}"#,
        r#"{"version":"very-secret"}"#,
        r#"{"version":1,"tokens":{"generation":"very-secret"}}"#,
        r#"{"very-secret":"#,
        "",
    ];
    for text in damaged {
        let error = Record::decode(text.as_bytes()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("very-secret"));
    }
    assert_eq!(
        Record::decode(br#"{"version":2}"#),
        Err(DecodeError::Newer { version: 2 })
    );
}

// oauth2-rs: an empty scope becomes one empty scope, lists with commas stay glued.
#[test]
fn an_empty_scope_does_not_become_a_scope() {
    assert!(ScopeSet::parse("").is_empty());
    assert!(ScopeSet::parse(" , ").is_empty());
    assert_eq!(ScopeSet::parse("a,b").len(), 2);
}

// MSAL extensions: the cache file is truncated and written, so that a reader sees a torn one.
#[cfg(feature = "file")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_does_not_see_a_torn_file() {
    use finrail::token::store::FileStore;
    let directory = std::env::temp_dir().join(format!("finrail-torn-reads-{}", std::process::id()));
    let store: Arc<dyn TokenStore> = Arc::new(FileStore::open(&directory).unwrap());
    let (bank, clock) = (Bank::new(STRICT), VirtualClock::new());
    let writer = user(&bank, &store, &clock, "a").build();
    writer.adopt(bank.login()).await.unwrap();
    let reading = tokio::spawn(async move {
        for _ in 0..1000 {
            let record = store.load(&user_key()).await.unwrap().unwrap();
            Record::decode(&record.bytes).unwrap();
        }
    });
    while !reading.is_finished() {
        writer.adopt(bank.login()).await.unwrap();
    }
    reading.await.unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
}

// atproto: a session whose fresh token is still refused is deleted, and one wrong host destroys the grant.
#[tokio::test(start_paused = true)]
async fn a_host_that_refuses_fresh_tokens_does_not_destroy_the_grant() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    tokio::time::sleep(secs(600)).await;
    let mut generation = handle.fresh().await.unwrap().generation;
    let mut refused = 0;
    for _ in 0..300 {
        match handle.rejected(generation, Rejection::InvalidToken).await {
            Ok(bearer) => generation = bearer.generation,
            Err(Error::TokenRefused { retry_after }) => {
                refused += 1;
                assert!(retry_after.unwrap() <= secs(60));
            }
            Err(error) => panic!("{error}"),
        }
        tokio::time::sleep(secs(1)).await;
    }
    assert!(refused > 250, "{refused}");
    assert!(world.bank.requests() < 15, "{}", world.bank.requests());
    assert!(world.bank.alive());
    assert!(world.bank.accepts(&text(&handle.fresh().await.unwrap())));
}

// DPoP and rotation: an error reply may have burned the refresh token all the same.
#[tokio::test(start_paused = true)]
async fn an_error_reply_is_not_taken_for_an_unspent_token() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    world.bank.faults([Fault::BadGateway]);
    tokio::time::sleep(HOUR).await;
    assert!(handle.fresh().await.unwrap_err().is_retryable());
    assert!(world.stored().await.intent.is_some());
    tokio::time::sleep(secs(5)).await;
    let error = handle.fresh().await.unwrap_err();
    let reason = ReauthorizationReason::LostReply;
    assert!(
        matches!(error, Error::ReauthorizationRequired { reason: found } if found == reason),
        "{error}"
    );
}

// fastmcp, mcp-mux, mcp2cli: a relative expiry is restored as if it were fresh.
#[tokio::test(start_paused = true)]
async fn a_restart_does_not_make_a_token_young_again() {
    let world = World::new(STRICT);
    drop(world.logged_in("a").await);
    tokio::time::sleep(HOUR - secs(30)).await;
    assert_eq!(text(&world.process("b").fresh().await.unwrap()), "Bearer access-2");
}

// mcp-remote: everything wakes up with the laptop, and every process refreshes.
#[tokio::test(start_paused = true)]
async fn waking_up_does_not_start_a_herd() {
    let world = World::new(STRICT);
    let first = world.logged_in("a").await;
    let mut processes = vec![first];
    for number in 0..20 {
        let process = world.process(&format!("process {number}"));
        process.load().await.unwrap();
        processes.push(process);
    }
    world.clock.jump(8 * 3600);
    let calls: Vec<_> = processes
        .into_iter()
        .map(|process| tokio::spawn(async move { text(&process.fresh().await.unwrap()) }))
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), "Bearer access-2");
    }
    assert_eq!(world.bank.requests(), 1);
}

// codex, local-operator: the store fails after a rotation, and the new tokens are dropped.
#[tokio::test(start_paused = true)]
async fn a_store_that_fails_after_a_rotation_does_not_drop_the_new_tokens() {
    let world = World::new(STRICT);
    let flaky = Arc::new(FlakyStore::new(Arc::clone(&world.store)));
    let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    let mut events = handle.watch();
    tokio::time::sleep(HOUR).await;
    // The intent is written, and then the store goes away.
    flaky.fail_after_swaps(1);
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
    assert!(matches!(
        events.next().await,
        Some(finrail::token::Event::StoreTrouble { .. })
    ));
    // They serve at once.
    let refreshed = finrail::token::Event::Refreshed { generation: 2 };
    assert_eq!(events.next().await, Some(refreshed));
    assert!(handle.explain().await.unstored);
    assert_eq!(world.stored().await.generation(), 1);
    drop(handle);
    tokio::time::sleep(secs(600)).await;
    flaky.heal();
    tokio::time::sleep(secs(10)).await;
    assert_eq!(world.stored().await.generation(), 2);
    let recovered = finrail::token::Event::StoreRecovered { generation: 2 };
    assert_eq!(events.next().await, Some(recovered));
    assert_eq!(world.bank.requests(), 1);
}
