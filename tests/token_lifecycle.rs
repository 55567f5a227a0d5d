//! What callers see of a token's life.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod token_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use finrail::ScopeSet;
use finrail::token::Rejection;
use finrail::token::store::{Lease, Leased, MemoryStore, StoreError, StoredRecord, Swap, Swapped};
use finrail::token::{
    Clock, Error, Event, GrantKind, Issuer, ReauthorizationReason, Renewal, Rotation, TokenHandle, TokenKey,
    TokenSource, TokenStore, Verdict,
};
use futures_util::future::BoxFuture;
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
}

#[tokio::test(start_paused = true)]
async fn client_credentials_fetch_on_the_first_call_and_again_at_the_end() {
    let world = World::new(STRICT);
    let key = TokenKey::new("ofx", "client-1", GrantKind::ClientCredentials);
    let handle = TokenHandle::builder(key, Arc::clone(&world.bank) as Arc<dyn Issuer>, Renewal::Anew)
        .clock(Arc::clone(&world.clock) as Arc<dyn Clock>)
        .build();
    assert!(handle.header().is_none());
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-1");
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-1");
    assert_eq!(world.bank.requests(), 1);
    tokio::time::sleep(HOUR).await;
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
}

#[tokio::test(start_paused = true)]
async fn without_a_grant_the_error_says_so() {
    let world = World::new(STRICT);
    let error = world.process("a").fresh().await.unwrap_err();
    assert!(matches!(error, Error::NoGrant { .. }), "{error}");
    assert!(error.reauthorization_required());
    assert_eq!(world.bank.requests(), 0);
}

#[tokio::test(start_paused = true)]
async fn advisory_serves_and_refreshes_beside_the_call() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    tokio::time::sleep(HOUR - secs(460)).await;
    handle.fresh().await.unwrap();
    tokio::time::sleep(secs(260)).await;
    assert_eq!(text(&handle.header().unwrap()), "Bearer access-1");
    tokio::time::sleep(secs(1)).await;
    assert_eq!(text(&handle.header().unwrap()), "Bearer access-2");
    assert_eq!(world.bank.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_herd_at_the_end_makes_one_request() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    tokio::time::sleep(HOUR).await;
    let herd: Vec<_> = (0..1000)
        .map(|_| {
            let handle = handle.clone();
            tokio::spawn(async move { text(&handle.fresh().await.unwrap()) })
        })
        .collect();
    for caller in herd {
        assert_eq!(caller.await.unwrap(), "Bearer access-2");
    }
    assert_eq!(world.bank.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_of_two_minutes_is_not_refreshed_all_the_time() {
    let world = World::new(Habits {
        life: Some(secs(120)),
        ..STRICT
    });
    let handle = world.logged_in("a").await;
    for _ in 0..1200 {
        handle.fresh().await.unwrap();
        tokio::time::sleep(secs(1)).await;
    }
    assert!((9..=14).contains(&world.bank.requests()), "{}", world.bank.requests());
}

#[tokio::test(start_paused = true)]
async fn unknown_expiry_serves_until_the_provider_refuses() {
    let world = World::new(Habits { life: None, ..STRICT });
    let handle = world.logged_in("a").await;
    tokio::time::sleep(HOUR * 24 * 30).await;
    let bearer = handle.fresh().await.unwrap();
    assert_eq!(world.bank.requests(), 0);
    let (one, two) = tokio::join!(
        handle.rejected(bearer.generation, Rejection::InvalidToken),
        handle.rejected(bearer.generation, Rejection::InvalidToken)
    );
    assert_eq!(text(&one.unwrap()), "Bearer access-2");
    assert_eq!(text(&two.unwrap()), "Bearer access-2");
    assert_eq!(
        text(
            &handle
                .rejected(bearer.generation, Rejection::InvalidToken)
                .await
                .unwrap()
        ),
        "Bearer access-2"
    );
    assert_eq!(world.bank.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_not_served_again_though_no_other_could_be_had_at_once() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    tokio::time::sleep(secs(600)).await;
    world.bank.faults([Fault::Unavailable]);
    assert!(
        handle
            .rejected(1, Rejection::InvalidToken)
            .await
            .unwrap_err()
            .is_retryable()
    );
    assert!(handle.header().is_none());
    tokio::time::sleep(secs(2)).await;
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
}

#[tokio::test(start_paused = true)]
async fn an_access_token_that_the_server_gives_again_serves_as_another_one_would() {
    let world = World::new(STRICT);
    let (handle, sibling) = (world.logged_in("a").await, world.process("bb"));
    sibling.load().await.unwrap();
    world.bank.repeat_the_access_token();
    for round in 1..=3 {
        tokio::time::sleep(HOUR).await;
        assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-1");
        let ready = handle.header().unwrap();
        assert_eq!(
            (text(&ready).as_str(), ready.generation),
            ("Bearer access-1", round + 1)
        );
        sibling.fresh().await.unwrap();
        assert_eq!(sibling.header().unwrap().generation, round + 1);
        assert_eq!(world.bank.requests() as u64, round);
    }
    // The API does not know it for a moment.
    tokio::time::sleep(secs(600)).await;
    for rejection in [Rejection::InvalidToken, Rejection::Unexplained] {
        let (generation, before) = (handle.fresh().await.unwrap().generation, world.bank.requests());
        let known_there = sibling.fresh().await.unwrap().generation;
        let again = handle.rejected(generation, rejection).await.unwrap();
        assert_eq!(again.generation, generation + 1, "{rejection:?}");
        for _ in 0..30 {
            assert!(handle.header().is_some(), "{rejection:?}");
        }
        // The other process was refused too, and takes what this one got.
        let there = sibling.rejected(known_there, rejection).await.unwrap();
        assert_eq!(there.generation, again.generation);
        assert_eq!(world.bank.requests(), before + 1, "{rejection:?}");
        tokio::time::sleep(secs(120)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn refresh_survives_a_cancelled_caller() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    tokio::time::sleep(HOUR).await;
    let caller = tokio::time::timeout(std::time::Duration::from_millis(20), handle.fresh()).await;
    assert!(caller.is_err());
    drop(handle);
    tokio::time::sleep(secs(1)).await;
    let info = world.process("b").load().await.unwrap().unwrap();
    assert_eq!(info.generation, 2);
}

#[tokio::test(start_paused = true)]
async fn a_restart_finds_the_grant() {
    let world = World::new(STRICT);
    drop(world.logged_in("a").await);
    assert_eq!(text(&world.process("b").fresh().await.unwrap()), "Bearer access-1");
    assert_eq!(world.bank.requests(), 0);
}

#[tokio::test(start_paused = true)]
async fn replicas_refresh_once_between_them() {
    let world = World::new(STRICT);
    let first = world.logged_in("a").await;
    let second = world.process("bb");
    second.load().await.unwrap();
    for round in 2..10 {
        tokio::time::sleep(HOUR).await;
        let (one, two) = tokio::join!(first.fresh(), second.fresh());
        assert_eq!(text(&one.unwrap()), format!("Bearer access-{round}"));
        assert_eq!(text(&two.unwrap()), format!("Bearer access-{round}"));
    }
    assert_eq!(world.bank.requests(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_without_grace_is_reported_as_lost() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    world.bank.faults([Fault::LoseReply]);
    tokio::time::sleep(HOUR).await;
    assert!(matches!(handle.fresh().await.unwrap_err(), Error::InDoubt { .. }));
    tokio::time::sleep(secs(2)).await;
    let error = handle.fresh().await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::ReauthorizationRequired {
                reason: ReauthorizationReason::LostReply,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_within_grace_costs_nothing() {
    let world = World::new(Habits {
        grace: Some(secs(60)),
        ..STRICT
    });
    let handle = world.logged_in("a").await;
    world.bank.faults([Fault::LoseReply]);
    tokio::time::sleep(HOUR).await;
    assert!(handle.fresh().await.is_err());
    tokio::time::sleep(secs(2)).await;
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-3");
}

#[tokio::test(start_paused = true)]
async fn a_lost_request_costs_nothing() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    world.bank.faults([Fault::LoseRequest, Fault::LoseRequest]);
    tokio::time::sleep(HOUR).await;
    for _ in 0..2 {
        assert!(handle.fresh().await.is_err());
        tokio::time::sleep(secs(3)).await;
    }
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
}

#[tokio::test(start_paused = true)]
async fn failures_before_the_end_disturb_nobody() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    world
        .bank
        .faults([Fault::Throttle(None), Fault::Reject, Fault::Throttle(None)]);
    tokio::time::sleep(HOUR - secs(50)).await;
    for _ in 0..45 {
        handle.fresh().await.unwrap();
        tokio::time::sleep(secs(1)).await;
    }
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_serves_is_not_risked_for_an_answer_and_the_question_is_put_at_its_end() {
    for (fault, rotation, asked) in [
        // The refresh token may be spent, and nobody knows what the server does with one that comes again.
        (Fault::LoseRequest, ROTATING, 1),
        (Fault::LoseRequest, ROTATING.reuse_revokes_family(true), 1),
        (Fault::LoseRequest, Rotation::UNKNOWN, 1),
        (Fault::Unavailable, ROTATING, 1),
        (Fault::LoseRequest, Rotation::new(Some(true), Some(HOUR)), 2),
        (Fault::LoseRequest, Rotation::new(Some(false), None), 2),
        // Nothing is spent.
        (Fault::Throttle(None), ROTATING, 2),
    ] {
        let world = World::new(STRICT);
        let handle = user(&world.bank, &world.store, &world.clock, "a")
            .rotation(rotation)
            .build();
        handle.adopt(world.bank.login()).await.unwrap();
        world.bank.faults([fault]);
        tokio::time::sleep(HOUR - secs(290)).await;
        for _ in 0..289 {
            handle.fresh().await.unwrap();
            tokio::time::sleep(secs(1)).await;
        }
        assert_eq!(world.bank.requests(), asked, "{fault:?} {rotation:?}");
        tokio::time::sleep(secs(2)).await;
        assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2", "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_beside_the_calls_is_tried_again_as_soon_as_the_server_may_be_asked_and_not_before() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    world.bank.faults([Fault::Throttle(Some(secs(30))); 2]);
    tokio::time::sleep(HOUR - secs(460)).await;
    handle.fresh().await.unwrap();
    tokio::time::sleep(secs(260)).await;
    let mut asked = Vec::new();
    // The second refresh at the very end of the rest, the third after it.
    for wait in [
        secs(0),
        STRICT.latency / 2 + secs(15),
        secs(14),
        secs(1),
        secs(29),
        secs(9),
    ] {
        tokio::time::sleep(wait).await;
        assert_eq!(text(&handle.header().unwrap()), "Bearer access-1");
        tokio::task::yield_now().await;
        asked.push(world.bank.requests());
    }
    assert_eq!(asked, [1, 1, 1, 2, 2, 3]);
    handle.settled().await;
    assert_eq!(text(&handle.header().unwrap()), "Bearer access-2");
}

#[tokio::test(start_paused = true)]
async fn throttling_is_honoured() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    world.bank.faults([Fault::Throttle(Some(secs(90)))]);
    tokio::time::sleep(HOUR).await;
    let error = handle.fresh().await.unwrap_err();
    assert!(matches!(error, Error::Throttled { .. }));
    tokio::time::sleep(secs(60)).await;
    let error = handle.fresh().await.unwrap_err();
    assert_eq!(error.retry_after().unwrap().as_secs(), 30);
    assert_eq!(world.bank.requests(), 1);
    tokio::time::sleep(secs(31)).await;
    assert!(handle.fresh().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn revocation_leaves_a_tombstone_and_a_503_does_not() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    world.bank.refuse_revocation(Verdict::Transient { retry_after: None });
    assert!(handle.revoke().await.unwrap_err().is_retryable());
    assert!(handle.fresh().await.is_ok());
    let mut events = handle.watch();
    handle.revoke().await.unwrap();
    assert_eq!(world.bank.revoked_tokens(), ["refresh-1"]);
    let reason = ReauthorizationReason::Revoked;
    let event = tokio::time::timeout(secs(60), events.next()).await.unwrap();
    assert_eq!(event, Some(Event::ReauthorizationRequired { reason }));
    for process in [handle, world.process("b")] {
        let error = process.fresh().await.unwrap_err();
        assert!(matches!(
            error,
            Error::ReauthorizationRequired {
                reason: ReauthorizationReason::Revoked,
                ..
            }
        ));
    }
}

#[tokio::test(start_paused = true)]
async fn forget_leaves_nothing() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    handle.forget().await.unwrap();
    assert!(handle.header().is_none());
    assert!(world.process("b").load().await.unwrap().is_none());
    assert!(world.bank.alive());
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_is_forgotten_while_its_tokens_wait_to_be_stored_does_not_come_back() {
    let mut world = World::new(STRICT);
    let flaky = Arc::new(FlakyStore::new(Arc::clone(&world.store)));
    world.store = Arc::clone(&flaky) as Arc<dyn TokenStore>;
    let handle = world.process("a");
    flaky.fail_after_swaps(0);
    assert!(matches!(
        handle.adopt(world.bank.login()).await,
        Err(Error::Store { .. })
    ));
    assert_eq!(text(&handle.header().unwrap()), "Bearer access-1");
    flaky.heal();
    handle.forget().await.unwrap();
    assert!(handle.header().is_none());
    tokio::time::sleep(secs(60)).await;
    assert!(handle.header().is_none());
    assert!(world.process("b").load().await.unwrap().is_none());
}

#[test]
fn a_refresh_that_was_cut_off_with_its_runtime_holds_up_no_caller_of_another_one() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().unwrap()
    };
    let first = runtime();
    let (world, handle) = first.block_on(async {
        let world = World::new(Habits {
            grace: Some(HOUR * 24),
            ..STRICT
        });
        let handle = world.logged_in("a").await;
        tokio::time::sleep(HOUR).await;
        world.bank.faults([Fault::Slow(HOUR)]);
        assert!(tokio::time::timeout(secs(1), handle.fresh()).await.is_err());
        (world, handle)
    });
    drop(first);
    let bearer = runtime().block_on(async {
        // The time of the first one ended with it.
        tokio::time::sleep(HOUR * 3).await;
        handle.fresh().await
    });
    assert_eq!(text(&bearer.unwrap()), "Bearer access-3");
    assert_eq!(world.bank.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_new_login_replaces_a_dead_grant() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    world.bank.withdraw();
    tokio::time::sleep(HOUR).await;
    let error = handle.fresh().await.unwrap_err();
    assert!(matches!(
        error,
        Error::ReauthorizationRequired {
            reason: ReauthorizationReason::Refused,
            ..
        }
    ));
    handle.adopt(world.bank.login()).await.unwrap();
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
}

#[tokio::test(start_paused = true)]
async fn explain_tells_which_process_is_at_work_now() {
    let world = World::new(STRICT);
    let handle = world.logged_in("here").await;
    tokio::time::sleep(HOUR).await;
    let there = world.process("there");
    world.bank.faults([Fault::Slow(secs(5))]);
    let refresh = tokio::spawn(async move { there.fresh().await });
    tokio::time::sleep(secs(1)).await;
    let text = handle.explain().await.to_string();
    assert!(text.contains("lease        there-"), "{text}");
    refresh.await.unwrap().unwrap();
    let text = handle.explain().await.to_string();
    assert!(text.contains("lease        nobody"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn explain_tells_that_a_refresh_is_under_way_here() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    tokio::time::sleep(HOUR).await;
    world.bank.faults([Fault::Slow(secs(5))]);
    let caller = handle.clone();
    let refresh = tokio::spawn(async move { caller.fresh().await });
    tokio::time::sleep(secs(1)).await;
    let under_way = "next         a refresh is under way";
    assert!(handle.explain().await.to_string().contains(under_way));
    refresh.await.unwrap().unwrap();
    let text = handle.explain().await.to_string();
    assert!(
        !text.contains(under_way) && text.contains("server       new tokens at"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn explain_tells_the_state_without_a_secret() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    world.bank.faults([Fault::LoseReply]);
    tokio::time::sleep(HOUR).await;
    let _ = handle.fresh().await;
    let text = handle.explain().await.to_string();
    assert!(text.contains("in doubt     a refresh by a"), "{text}");
    assert!(text.contains("lease        nobody"), "{text}");
    for secret in ["access-1", "refresh-1"] {
        assert!(!text.contains(secret));
        assert!(!format!("{handle:?} {:?}", handle.explain().await).contains(secret));
    }
}

#[tokio::test(start_paused = true)]
async fn other_processes_learn_of_a_revocation_within_the_time_that_is_set() {
    for (set, interval) in [(None, secs(300)), (Some(secs(30)), secs(30)), (Some(secs(0)), secs(2))] {
        let world = World::new(STRICT);
        let store = Arc::new(Counting {
            inner: Arc::clone(&world.store),
            reads: AtomicUsize::new(0),
        });
        let other = user(
            &world.bank,
            &(Arc::clone(&store) as Arc<dyn TokenStore>),
            &world.clock,
            "b",
        );
        let other = match set {
            Some(interval) => other.look_again_every(interval),
            None => other,
        };
        let (one, other) = (world.logged_in("a").await, other.build());
        other.fresh().await.unwrap();
        let reads = || store.reads.load(Ordering::SeqCst);
        let start = reads();
        // Many calls, and a read for each half of the interval.
        for _ in 0..3 {
            for _ in 0..10 {
                tokio::time::sleep(interval / 10).await;
                other.header().unwrap();
                tokio::task::yield_now().await;
            }
        }
        tokio::time::sleep(secs(1) / 10).await;
        assert!((4..=6).contains(&(reads() - start)), "{}", reads() - start);

        one.revoke().await.unwrap();
        // The call that starts the look does not wait for it.
        tokio::time::sleep(interval / 2).await;
        assert!(other.header().is_some());
        tokio::time::sleep(secs(1) / 10).await;
        let error = other.fresh().await.unwrap_err();
        let Error::ReauthorizationRequired { reason, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(reason, ReauthorizationReason::Revoked);
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_server_asks_for_a_rest_a_login_and_an_end_elsewhere_are_learned() {
    let world = World::new(STRICT);
    let (one, other) = (world.logged_in("a").await, world.process("b"));
    other.fresh().await.unwrap();
    tokio::time::sleep(HOUR).await;
    world.bank.faults([Fault::Throttle(Some(secs(600)))]);
    assert!(matches!(one.fresh().await, Err(Error::Throttled { .. })));
    let requests = world.bank.requests();

    // Nothing is new: the rest goes on, and nobody asks the server.
    tokio::time::sleep(secs(5)).await;
    let Err(Error::Throttled { retry_after, .. }) = one.fresh().await else {
        panic!("the rest goes on");
    };
    assert!((590..=595).contains(&retry_after.unwrap().as_secs()), "{retry_after:?}");

    other.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(secs(2)).await;
    let (mine, theirs) = (one.fresh().await.unwrap(), other.header().unwrap());
    assert_eq!(text(&mine), text(&theirs));

    // The same for an end, while a token serves and its refresh rests.
    tokio::time::sleep(HOUR - secs(200)).await;
    world.bank.faults([Fault::Throttle(Some(secs(600)))]);
    // After an hour a look comes first, and then the refresh beside the call.
    assert!(one.fresh().await.is_ok() && one.fresh().await.is_ok());
    tokio::time::sleep(secs(1)).await;
    other.revoke().await.unwrap();
    for _ in 0..16 {
        let _ = one.fresh().await;
        tokio::time::sleep(secs(10)).await;
    }
    let Err(Error::ReauthorizationRequired { reason, .. }) = one.fresh().await else {
        panic!("it is revoked");
    };
    assert_eq!(reason, ReauthorizationReason::Revoked);
    assert_eq!(world.bank.requests(), requests + 1);
}

/// A store that counts how often it is read.
struct Counting {
    inner: Arc<dyn TokenStore>,
    reads: AtomicUsize,
}

impl TokenStore for Counting {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.inner.load(key)
    }

    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        self.inner.swap(key, swap)
    }

    fn lease<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Leased, StoreError>> {
        self.inner.lease(key, holder, ttl)
    }

    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inner.release(key, lease)
    }
}

#[tokio::test(start_paused = true)]
async fn a_grant_is_renewed_once_for_each_generation_though_its_access_token_lives() {
    let world = World::new(STRICT);
    let handle = world.process("a");
    assert!(handle.info().is_none());
    handle.adopt(world.bank.login()).await.unwrap();
    handle.renew(0).await.unwrap();
    assert_eq!(world.bank.requests(), 0, "there are later tokens");
    for _ in 0..2 {
        handle.renew(1).await.unwrap();
        assert_eq!(handle.info().unwrap().generation, 2);
        assert_eq!(world.bank.requests(), 1);
    }
    world.process("b").renew(1).await.unwrap();
    assert_eq!(world.bank.requests(), 1);
    world.bank.faults([Fault::Throttle(None)]);
    assert!(matches!(handle.renew(2).await, Err(Error::Throttled { .. })));
    assert_eq!(text(&handle.header().unwrap()), "Bearer access-2");
}

#[tokio::test(start_paused = true)]
async fn the_answer_that_ended_a_grant_is_told_by_the_process_that_got_it_and_for_that_end() {
    let world = World::new(STRICT);
    let (one, other) = (world.process("one"), world.process("other"));
    // Whether the server's answer is told.
    let told = |error: Error, expected: ReauthorizationReason| match error {
        Error::ReauthorizationRequired { reason, ended_by, .. } if reason == expected => ended_by.is_some(),
        error => panic!("{error:?}"),
    };
    let refused = ReauthorizationReason::Refused;
    let end = async |process: &TokenHandle| {
        process.adopt(world.bank.login()).await.unwrap();
        tokio::time::sleep(HOUR).await;
        world.bank.withdraw();
        process.fresh().await.unwrap_err()
    };
    assert!(told(end(&other).await, refused));
    assert!(told(other.load().await.unwrap_err(), refused));
    assert!(!told(one.load().await.unwrap_err(), refused));
    // The other one was refused too, and it was another grant.
    assert!(told(end(&one).await, refused));
    assert!(told(one.load().await.unwrap_err(), refused));
    assert!(!told(other.load().await.unwrap_err(), refused));
    // An end on purpose has no answer that ended it.
    assert!(told(end(&other).await, refused));
    other.adopt(world.bank.login()).await.unwrap();
    other.revoke().await.unwrap();
    assert!(!told(other.load().await.unwrap_err(), ReauthorizationReason::Revoked));
}

#[tokio::test(start_paused = true)]
async fn what_was_granted_is_told_with_the_token_at_hand() {
    let world = World::new(STRICT);
    let handle = world.process("a");
    let source: &dyn TokenSource = &handle;
    assert!(source.granted().is_none() && source.ready().is_none());
    let mut reply = world.bank.login();
    reply.scopes = Some(ScopeSet::parse("accounts payments"));
    handle.adopt(reply).await.unwrap();
    assert_eq!(*source.granted().unwrap(), ScopeSet::parse("accounts payments"));
    assert_eq!(text(&source.ready().unwrap()), "Bearer access-1");
}

#[tokio::test(start_paused = true)]
async fn a_login_is_news_once_whether_there_was_a_grant_before_or_not() {
    let world = World::new(STRICT);
    let handle = world.process("a");
    let mut events = handle.watch();
    for generation in 1..=3 {
        handle.adopt(world.bank.login()).await.unwrap();
        assert_eq!(events.try_next(), Some(Event::Refreshed { generation }));
        assert_eq!(events.try_next(), None, "{generation}");
    }
}
