//! How long a process that was killed, frozen or suspended keeps the others waiting, and what it may do afterwards.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod token_support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use finrail::token::store::{Lease, LeaseState, Leased, StoreError, StoredRecord, Swap, Swapped};
use finrail::token::{
    Clock, Error, Issuer, IssuerError, MemoryStore, Obtain, Record, Renewal, RevokeRequest, TokenHandle, TokenKey,
    TokenReply, TokenSource, TokenStore, Verdict,
};
use futures_util::future::BoxFuture;
use token_support::*;
use tokio::time::Instant;

/// As long as one token request may take, where nothing else is said.
const REQUEST: Duration = Duration::from_secs(20);

/// The store as a process reaches it that is killed after so many steps: from then on it does nothing any more.
struct Mortal {
    store: Arc<dyn TokenStore>,
    steps: AtomicUsize,
}

impl Mortal {
    fn new(store: &Arc<dyn TokenStore>) -> Arc<Self> {
        Arc::new(Self {
            store: Arc::clone(store),
            steps: AtomicUsize::new(usize::MAX),
        })
    }

    fn dies_after(&self, steps: usize) {
        self.steps.store(steps, Ordering::SeqCst);
    }

    async fn step(&self) {
        let left = self.steps.load(Ordering::SeqCst);
        if left == 0 {
            std::future::pending::<()>().await;
        }
        self.steps.store(left - 1, Ordering::SeqCst);
    }
}

impl TokenStore for Mortal {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        Box::pin(async move {
            self.step().await;
            self.store.load(key).await
        })
    }
    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(async move {
            self.step().await;
            self.store.swap(key, swap).await
        })
    }
    fn lease<'a>(&'a self, key: &'a TokenKey, by: &'a str, ttl: Duration) -> BoxFuture<'a, Result<Leased, StoreError>> {
        Box::pin(async move {
            self.step().await;
            self.store.lease(key, by, ttl).await
        })
    }
    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.step().await;
            self.store.release(key, lease).await
        })
    }
    fn renews_leases(&self) -> bool {
        self.store.renews_leases()
    }
    fn renew<'a>(
        &'a self,
        key: &'a TokenKey,
        lease: &'a Lease,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            self.step().await;
            self.store.renew(key, lease, ttl).await
        })
    }
}

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
        user(&self.bank, &self.store, &self.clock, holder)
            .request_timeout(REQUEST)
            .build()
    }

    /// A process with a grant, which will be killed.
    async fn mortal(&self) -> (TokenHandle, Arc<Mortal>) {
        let mortal = Mortal::new(&self.store);
        let store = Arc::clone(&mortal) as Arc<dyn TokenStore>;
        let handle = user(&self.bank, &store, &self.clock, "mortal")
            .request_timeout(REQUEST)
            .build();
        handle.adopt(self.bank.login()).await.unwrap();
        (handle, mortal)
    }

    async fn intent(&self) -> bool {
        let stored = self.store.load(&user_key()).await.unwrap().unwrap();
        Record::decode(&stored.bytes).unwrap().intent.is_some()
    }
}

/// A look and the lease: then the intent is written, here in a step of its own.
const WITH_THE_LEASE: usize = 2;
const WITH_THE_INTENT: usize = 3;

#[tokio::test(start_paused = true)]
async fn a_holder_that_is_killed_before_its_request_left_is_waited_for_15_seconds_at_most() {
    let world = World::new(STRICT);
    let (first, mortal) = world.mortal().await;
    let second = world.process("second");
    tokio::time::sleep(HOUR).await;
    mortal.dies_after(WITH_THE_LEASE);
    let _killed = tokio::spawn(async move { first.fresh().await });
    tokio::time::sleep(secs(1)).await;
    assert!(matches!(
        world.store.lease_state(&user_key()).await.unwrap(),
        LeaseState::Held { .. }
    ));
    assert!(!world.intent().await);
    let began = Instant::now();
    assert_eq!(text(&second.fresh().await.unwrap()), "Bearer access-2");
    assert!(began.elapsed() <= secs(15), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_is_killed_is_given_the_rest_of_its_request_and_five_seconds() {
    for killed_for in [0, 8, 19, 60] {
        let world = World::new(STRICT);
        let (first, mortal) = world.mortal().await;
        let second = world.process("second");
        tokio::time::sleep(HOUR).await;
        mortal.dies_after(WITH_THE_INTENT);
        world.bank.faults([Fault::LoseRequest]);
        let began = Instant::now();
        let _killed = tokio::spawn(async move { first.fresh().await });
        tokio::time::sleep(secs(1)).await;
        assert!(world.intent().await);
        assert_eq!(world.bank.requests(), 1);
        tokio::time::sleep(secs(killed_for)).await;
        assert_eq!(text(&second.fresh().await.unwrap()), "Bearer access-2");
        let end = (REQUEST + secs(5)).max(secs(killed_for + 1) + secs(5));
        let (early, late) = (end - secs(1), end + secs(2));
        assert!(
            (early..late).contains(&began.elapsed()),
            "{killed_for}: {:?}",
            began.elapsed()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_lives_is_served_while_its_successor_is_waited_for() {
    for steps in [WITH_THE_LEASE, WITH_THE_INTENT] {
        let world = World::new(STRICT);
        let (first, mortal) = world.mortal().await;
        let second = world.process("second");
        second.load().await.unwrap();
        tokio::time::sleep(HOUR - secs(50)).await;
        mortal.dies_after(steps);
        world.bank.faults([Fault::LoseRequest]);
        let _killed = tokio::spawn(async move { first.fresh().await });
        tokio::time::sleep(Duration::from_millis(500)).await;
        let began = Instant::now();
        let mut longest = Duration::ZERO;
        while began.elapsed() < secs(48) {
            let asked = Instant::now();
            let bearer = second.fresh().await.unwrap();
            assert!(world.bank.accepts(&text(&bearer)));
            longest = longest.max(asked.elapsed());
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        assert!(longest <= secs(12), "{steps}: {longest:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_longer_than_it_can_is_told_for_whom() {
    for steps in [WITH_THE_LEASE, WITH_THE_INTENT] {
        let world = World::new(STRICT);
        let (first, mortal) = world.mortal().await;
        let second = world.process("second");
        tokio::time::sleep(HOUR).await;
        mortal.dies_after(steps);
        if steps == WITH_THE_INTENT {
            world.bank.faults([Fault::LoseRequest]);
        }
        let _killed = tokio::spawn(async move { first.fresh().await });
        tokio::time::sleep(secs(1)).await;
        let source: &dyn TokenSource = &second;
        assert!(source.waiting().is_none());
        for patience in [1, 4] {
            assert!(tokio::time::timeout(secs(patience), second.fresh()).await.is_err());
            let Some(Error::Busy { holder, retry_after }) = source.waiting() else {
                panic!("{steps} {patience}: {:?}", source.waiting());
            };
            assert!(holder.starts_with("mortal-"), "{holder}");
            assert!(retry_after.is_some());
        }
        second.fresh().await.unwrap();
        assert!(source.waiting().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_holder_at_work_keeps_its_lease_however_long_the_server_takes() {
    let world = World::new(STRICT);
    let first = world.process("first");
    first.adopt(world.bank.login()).await.unwrap();
    let second = world.process("second");
    tokio::time::sleep(HOUR).await;
    world.bank.faults([Fault::Slow(secs(19))]);
    let refresh = tokio::spawn(async move { first.fresh().await });
    for _ in 0..18 {
        tokio::time::sleep(secs(1)).await;
        let LeaseState::Held { by, for_at_most } = world.store.lease_state(&user_key()).await.unwrap() else {
            panic!("the lease has lapsed");
        };
        assert!(by.starts_with("first-"));
        // Short all the time: a holder that is killed now blocks nobody for long.
        assert!(for_at_most.unwrap() <= secs(10));
    }
    assert_eq!(text(&second.fresh().await.unwrap()), "Bearer access-2");
    assert_eq!(text(&refresh.await.unwrap().unwrap()), "Bearer access-2");
    assert_eq!(world.bank.requests(), 1);
}

/// A bank that is reached late: the process stands still before its request leaves.
struct Late {
    bank: Arc<Bank>,
    clock: Arc<VirtualClock>,
    /// In seconds: how long it sleeps, and how long it stands still.
    stops: Mutex<Option<(i64, u64)>>,
}

impl Issuer for Late {
    fn obtain(&self, obtain: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
        Box::pin(async move {
            if let Some((sleeps, stands)) = self.stops.lock().unwrap().take() {
                self.clock.jump(sleeps);
                std::thread::sleep(Duration::from_secs(stands));
            }
            if let Obtain::Refresh(refresh) = &obtain
                && !refresh.permit.holds()
            {
                return Err(verdict(Verdict::NotSent, "too late"));
            }
            self.bank.obtain(obtain).await
        })
    }

    fn revoke(&self, request: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
        self.bank.revoke(request)
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_would_leave_after_its_lease_does_not_leave() {
    for (sleeps, leaves) in [(0, true), (9, true), (10, false), (3600, false)] {
        let world = World::new(STRICT);
        let late = Arc::new(Late {
            bank: Arc::clone(&world.bank),
            clock: Arc::clone(&world.clock),
            stops: Mutex::new(Some((sleeps, 0))),
        });
        let handle = TokenHandle::builder(user_key(), late as Arc<dyn Issuer>, Renewal::Refresh)
            .store(Arc::clone(&world.store))
            .rotation(ROTATING)
            .clock(Arc::clone(&world.clock) as Arc<dyn Clock>)
            .build();
        handle.adopt(world.bank.login()).await.unwrap();
        tokio::time::sleep(HOUR).await;
        assert_eq!(handle.fresh().await.is_ok(), leaves, "{sleeps}");
        assert_eq!(world.bank.requests(), usize::from(leaves), "{sleeps}");
        // Nothing was sent, so there is no doubt, and the next one brings the tokens.
        assert!(!world.intent().await);
        tokio::time::sleep(secs(2)).await;
        assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_lease_that_somebody_keeps_gives_up_in_time_and_names_its_holder() {
    // A refresh waits for a holder and a sender that take their time one after the other; a change for a holder alone.
    for (what, patience) in [("refresh", 4 * REQUEST + REQUEST + secs(5)), ("forget", 4 * REQUEST)] {
        let world = World::new(STRICT);
        let handle = world.process("here");
        handle.adopt(world.bank.login()).await.unwrap();
        tokio::time::sleep(HOUR).await;
        let kept = world.store.lease(&user_key(), "somebody", HOUR * 24).await.unwrap();
        assert!(matches!(kept, Leased::Granted(_)));
        let began = Instant::now();
        let outcome = tokio::time::timeout(HOUR, async {
            match what {
                "refresh" => handle.fresh().await.map(drop),
                _ => handle.forget().await,
            }
        });
        let error = outcome.await.unwrap().unwrap_err();
        let Error::Busy { holder, retry_after } = &error else {
            panic!("{what}: {error:?}");
        };
        assert_eq!(holder, "somebody");
        assert!(retry_after.unwrap() > HOUR * 22);
        // Up to one look more.
        let looks = patience..patience + Duration::from_millis(480);
        assert!(looks.contains(&began.elapsed()), "{what}: {:?}", began.elapsed());
        assert_eq!(world.bank.requests(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_lives_is_served_after_a_wait_of_two_seconds() {
    let world = World::new(STRICT);
    let handle = world.process("here");
    handle.adopt(world.bank.login()).await.unwrap();
    // So near to its end that callers wait for a refresh.
    tokio::time::sleep(HOUR - secs(50)).await;
    let kept = world.store.lease(&user_key(), "somebody", HOUR).await.unwrap();
    assert!(matches!(kept, Leased::Granted(_)));
    let began = Instant::now();
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-1");
    let (early, late) = (secs(2), secs(2) + Duration::from_millis(480));
    assert!((early..late).contains(&began.elapsed()), "{:?}", began.elapsed());
}

/// A store that counts how often it is asked to renew a lease.
struct Renewing {
    store: Arc<dyn TokenStore>,
    renews: bool,
    /// Its leases end with their holder and not before.
    is_exclusive: bool,
    renewals: AtomicUsize,
    /// How long its answer to a question for a lease takes.
    takes: Duration,
}

impl TokenStore for Renewing {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        self.store.load(key)
    }
    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        self.store.swap(key, swap)
    }
    fn lease<'a>(&'a self, key: &'a TokenKey, by: &'a str, ttl: Duration) -> BoxFuture<'a, Result<Leased, StoreError>> {
        Box::pin(async move {
            let leased = self.store.lease(key, by, ttl).await?;
            tokio::time::sleep(self.takes).await;
            Ok(match leased {
                Leased::Granted(lease) if self.is_exclusive => Leased::Granted(lease.exclusive()),
                leased => leased,
            })
        })
    }
    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.store.release(key, lease)
    }
    fn renews_leases(&self) -> bool {
        self.renews
    }
    fn renew<'a>(
        &'a self,
        key: &'a TokenKey,
        lease: &'a Lease,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.renewals.fetch_add(1, Ordering::SeqCst);
        self.store.renew(key, lease, ttl)
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_three_times_in_its_length_where_time_can_end_it_and_the_store_renews_it() {
    for (renews, is_exclusive, renewals) in [(true, false, 5), (false, false, 0), (true, true, 0), (false, true, 0)] {
        let world = World::new(STRICT);
        let counted = Arc::new(Renewing {
            store: Arc::clone(&world.store),
            renews,
            is_exclusive,
            renewals: AtomicUsize::new(0),
            takes: Duration::ZERO,
        });
        let store = Arc::clone(&counted) as Arc<dyn TokenStore>;
        let handle = user(&world.bank, &store, &world.clock, "a")
            .request_timeout(REQUEST)
            .build();
        handle.adopt(world.bank.login()).await.unwrap();
        tokio::time::sleep(HOUR).await;
        world.bank.faults([Fault::Slow(secs(19))]);
        assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
        let counted = counted.renewals.load(Ordering::SeqCst);
        assert_eq!(counted, renewals, "{renews} {is_exclusive}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_of_which_less_than_half_is_left_is_renewed_before_the_request_leaves() {
    for (takes, renewals) in [(0, 0), (4, 0), (5, 0), (6, 1), (9, 1)] {
        let world = World::new(STRICT);
        let counted = Arc::new(Renewing {
            store: Arc::clone(&world.store),
            renews: true,
            is_exclusive: false,
            renewals: AtomicUsize::new(0),
            takes: secs(takes),
        });
        let store = Arc::clone(&counted) as Arc<dyn TokenStore>;
        let handle = user(&world.bank, &store, &world.clock, "a").build();
        handle.adopt(world.bank.login()).await.unwrap();
        tokio::time::sleep(HOUR).await;
        assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
        assert_eq!(counted.renewals.load(Ordering::SeqCst), renewals, "{takes}");
    }
}
