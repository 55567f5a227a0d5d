//! Stores that go back in time or lose a record, and grants that end in another process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod token_support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use finrail::token::Rejection;
use finrail::token::store::{Lease, Leased, StoreError, StoredRecord, Swap, Swapped};
use finrail::token::{
    Clock, Error, Event, Expiring, GrantKind, Issuer, MemoryStore, ReauthorizationReason, Record, Renewal, Rotation,
    TokenHandle, TokenKey, TokenStore,
};
use futures_util::future::BoxFuture;
use token_support::*;

/// A store behind an address: what answers there can be another one tomorrow.
struct Address(Mutex<Arc<dyn TokenStore>>);

impl Address {
    fn new(clock: &Arc<VirtualClock>) -> Arc<Self> {
        let clock = Arc::clone(clock) as Arc<dyn Clock>;
        Arc::new(Self(Mutex::new(Arc::new(MemoryStore::with_clock(clock)))))
    }

    fn now(&self) -> Arc<dyn TokenStore> {
        Arc::clone(&self.0.lock().unwrap())
    }

    /// An older copy takes over, or one that holds nothing.
    async fn fails_over_to(&self, record: Option<StoredRecord>) {
        self.fails_over_to_record_of(&user_key(), record).await;
    }

    async fn fails_over_to_record_of(&self, key: &TokenKey, record: Option<StoredRecord>) {
        let copy = MemoryStore::new();
        if let Some(record) = record {
            let Leased::Granted(lease) = copy.lease(key, "x", HOUR).await.unwrap() else {
                panic!("a new store has no holders");
            };
            let swap = Swap::new(None, lease.fence, Some(record));
            assert_eq!(copy.swap(key, swap).await.unwrap(), Swapped::Done);
            copy.release(key, lease).await.unwrap();
        }
        *self.0.lock().unwrap() = Arc::new(copy);
    }

    async fn record(&self) -> Option<Record> {
        let stored = self.now().load(&user_key()).await.unwrap()?;
        Some(Record::decode(&stored.bytes).unwrap())
    }
}

impl TokenStore for Address {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        let store = self.now();
        Box::pin(async move { store.load(key).await })
    }
    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        let store = self.now();
        Box::pin(async move { store.swap(key, swap).await })
    }
    fn lease<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Leased, StoreError>> {
        let store = self.now();
        Box::pin(async move { store.lease(key, holder, ttl).await })
    }
    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        let store = self.now();
        Box::pin(async move { store.release(key, lease).await })
    }
    fn renews_leases(&self) -> bool {
        true
    }
    fn renew<'a>(
        &'a self,
        key: &'a TokenKey,
        lease: &'a Lease,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let store = self.now();
        Box::pin(async move { store.renew(key, lease, ttl).await })
    }
}

/// A store that a test watches: it counts reads, delays the next one, and says when the next write comes.
struct Watched {
    store: Arc<dyn TokenStore>,
    reads: AtomicUsize,
    delay_of_next_read: Mutex<Duration>,
    before_next_write: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Watched {
    fn new(store: Arc<dyn TokenStore>) -> Arc<Self> {
        Arc::new(Self {
            store,
            reads: AtomicUsize::new(0),
            delay_of_next_read: Mutex::default(),
            before_next_write: Mutex::default(),
        })
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }
}

impl TokenStore for Watched {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let delay = std::mem::take(&mut *self.delay_of_next_read.lock().unwrap());
        Box::pin(async move {
            let seen = self.store.load(key).await;
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            seen
        })
    }
    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        if let Some(happens) = self.before_next_write.lock().unwrap().take() {
            happens();
        }
        self.store.swap(key, swap)
    }
    fn lease<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Leased, StoreError>> {
        self.store.lease(key, holder, ttl)
    }
    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.store.release(key, lease)
    }
}

struct World {
    bank: Arc<Bank>,
    address: Arc<Address>,
    clock: Arc<VirtualClock>,
}

impl World {
    fn new(habits: Habits) -> Self {
        let clock = VirtualClock::new();
        Self {
            bank: Bank::new(habits),
            address: Address::new(&clock),
            clock,
        }
    }

    fn store(&self) -> Arc<dyn TokenStore> {
        Arc::clone(&self.address) as Arc<dyn TokenStore>
    }

    fn process(&self, holder: &str) -> TokenHandle {
        user(&self.bank, &self.store(), &self.clock, holder).build()
    }

    async fn logged_in(&self, holder: &str) -> TokenHandle {
        let handle = self.process(holder);
        handle.adopt(self.bank.login()).await.unwrap();
        handle
    }

    fn service(&self) -> TokenHandle {
        let key = TokenKey::new("ofx", "client-1", GrantKind::ClientCredentials);
        TokenHandle::builder(key, Arc::clone(&self.bank) as Arc<dyn Issuer>, Renewal::Anew)
            .store(self.store())
            .clock(Arc::clone(&self.clock) as Arc<dyn Clock>)
            .build()
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_went_back_gets_the_newer_tokens_and_no_spent_one_is_sent() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    let old = world.address.now().load(&user_key()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
    world.address.fails_over_to(old).await;
    tokio::time::sleep(HOUR).await;
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-3");
    assert_eq!(world.bank.sent(), ["refresh-1", "refresh-2"]);
    assert!(world.bank.alive());
    assert_eq!(world.address.record().await.unwrap().generation(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_older_copy_brings_no_grant_back_that_is_over() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    let old = world.address.now().load(&user_key()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    handle.fresh().await.unwrap();
    world.bank.withdraw();
    tokio::time::sleep(HOUR).await;
    assert!(handle.fresh().await.unwrap_err().reauthorization_required());
    assert_eq!(world.bank.sent(), ["refresh-1", "refresh-2"]);
    world.address.fails_over_to(old).await;
    tokio::time::sleep(HOUR).await;
    let error = handle.fresh().await.unwrap_err();
    assert!(error.reauthorization_required(), "{error}");
    assert_eq!(world.bank.sent().len(), 2, "no spent token is sent");
    // The user may come back.
    let sibling = world.process("b");
    sibling.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(secs(1)).await;
    assert!(world.bank.accepts(&text(&handle.fresh().await.unwrap())));
}

#[tokio::test(start_paused = true)]
async fn a_sibling_that_reads_the_older_copy_first_does_not_make_this_process_forget_what_it_has() {
    let world = World::new(Habits {
        reuse_revokes_family: false,
        ..STRICT
    });
    let handle = world.logged_in("a").await;
    let old = world.address.now().load(&user_key()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    handle.fresh().await.unwrap();
    world.address.fails_over_to(old).await;
    // The sibling knows only the spent refresh token; its refusal buries the older copy.
    let refused = world.process("sibling").fresh().await.unwrap_err();
    assert!(refused.reauthorization_required(), "{refused}");
    tokio::time::sleep(HOUR).await;
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-3");
    assert_eq!(text(&world.process("c").fresh().await.unwrap()), "Bearer access-3");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_lost_a_record_gets_it_back_from_a_process_that_has_it() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    world.address.fails_over_to(None).await;
    tokio::time::sleep(HOUR).await;
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
    assert_eq!(world.address.record().await.unwrap().generation(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_login_after_a_loss_is_not_overwritten_by_what_another_process_still_has() {
    let world = World::new(STRICT);
    let old = world.logged_in("a").await;
    for _ in 0..3 {
        tokio::time::sleep(HOUR).await;
        old.fresh().await.unwrap();
    }
    world.address.fails_over_to(None).await;
    tokio::time::sleep(secs(10)).await;
    let new = world.process("b");
    new.adopt(world.bank.login()).await.unwrap();
    let refresh_token = world.bank.current().unwrap();
    tokio::time::sleep(HOUR).await;
    let (one, two) = tokio::join!(old.fresh(), new.fresh());
    assert_eq!(text(&one.unwrap()), text(&two.unwrap()));
    assert_eq!(world.bank.sent().last(), Some(&refresh_token));
}

#[tokio::test(start_paused = true)]
async fn what_a_sibling_got_after_the_store_went_back_is_taken_over() {
    let world = World::new(Habits {
        grace: Some(HOUR * 10),
        ..STRICT
    });
    let handle = world.logged_in("a").await;
    let old = world.address.now().load(&user_key()).await.unwrap();
    for _ in 0..2 {
        tokio::time::sleep(HOUR).await;
        handle.fresh().await.unwrap();
    }
    world.address.fails_over_to(old).await;
    tokio::time::sleep(HOUR / 2).await;
    // Fewer writes led to it than to what is at hand here.
    assert_eq!(text(&world.process("b").fresh().await.unwrap()), "Bearer access-4");
    tokio::time::sleep(HOUR / 2).await;
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-4");
}

#[tokio::test(start_paused = true)]
async fn new_tokens_are_shown_after_a_loss_though_the_wall_clock_was_set_back() {
    let world = World::new(STRICT);
    let user = world.logged_in("a").await;
    world.address.fails_over_to(None).await;
    world.clock.jump(-3000);
    user.adopt(world.bank.login()).await.unwrap();
    assert_eq!(text(&user.fresh().await.unwrap()), "Bearer access-2");

    let world = World::new(STRICT);
    let service = world.service();
    service.fresh().await.unwrap();
    world.address.fails_over_to(None).await;
    world.clock.jump(-30_000);
    for _ in 0..3 {
        tokio::time::sleep(HOUR).await;
        assert!(world.bank.accepts(&text(&service.fresh().await.unwrap())));
    }
    assert_eq!(world.bank.requests(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_was_forgotten_elsewhere_is_not_brought_back() {
    let world = World::new(STRICT);
    let here = world.logged_in("here").await;
    let there = world.process("there");
    there.load().await.unwrap().unwrap();
    there.forget().await.unwrap();
    let record = world.address.record().await.unwrap();
    assert!(record.tokens.is_none());
    tokio::time::sleep(HOUR).await;
    assert!(here.fresh().await.unwrap_err().reauthorization_required());
    assert!(here.header().is_none());
    assert!(world.process("later").load().await.unwrap().is_none());
    assert_eq!(world.bank.requests(), 0);
    // A new login is a new grant.
    here.adopt(world.bank.login()).await.unwrap();
    assert!(world.process("later").load().await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_grant_forgotten_elsewhere_is_noticed_within_minutes_though_the_token_never_ends() {
    let world = World::new(Habits { life: None, ..STRICT });
    let here = world.logged_in("here").await;
    assert!(here.header().is_some());
    world.process("there").forget().await.unwrap();
    tokio::time::sleep(secs(301)).await;
    let _ = here.header();
    here.settled().await;
    assert!(here.header().is_none());
    assert!(here.fresh().await.unwrap_err().reauthorization_required());
}

#[tokio::test(start_paused = true)]
async fn a_read_that_began_before_does_not_bring_a_forgotten_grant_back() {
    let world = World::new(STRICT);
    let slow = Watched::new(world.store());
    let store: Arc<dyn TokenStore> = Arc::clone(&slow) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    *slow.delay_of_next_read.lock().unwrap() = secs(5);
    let reader = handle.clone();
    let read = tokio::spawn(async move { reader.load().await });
    tokio::time::sleep(secs(1)).await;
    handle.forget().await.unwrap();
    let _ = read.await.unwrap();
    assert!(handle.header().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_login_that_waits_for_the_store_is_not_lost_to_a_refresh_of_the_grant_before() {
    let world = World::new(STRICT);
    let flaky = Arc::new(FlakyStore::new(world.store()));
    let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    world.bank.faults([Fault::Slow(secs(5))]);
    let refreshing = handle.clone();
    let refresh = tokio::spawn(async move { refreshing.fresh().await });
    tokio::time::sleep(secs(1)).await;
    flaky.fail_after_swaps(0);
    // The user logs in while the refresh is under way and the store is out.
    let mut login = world.bank.login();
    login.access_token = "access-of-the-login".into();
    assert!(handle.adopt(login).await.is_err());
    let _ = refresh.await.unwrap();
    assert_eq!(text(&handle.header().unwrap()), "Bearer access-of-the-login");
    flaky.heal();
    handle.settled().await;
    let stored = world.address.record().await.unwrap().tokens.unwrap();
    assert_eq!(stored.access_token.expose_secret(), "access-of-the-login");
    assert_eq!(text(&handle.header().unwrap()), "Bearer access-of-the-login");
}

#[tokio::test(start_paused = true)]
async fn settled_waits_for_a_login_whose_caller_went_away() {
    let world = World::new(STRICT);
    let handle = world.process("a");
    let store = world.store();
    let Leased::Granted(lease) = store.lease(&user_key(), "somebody", HOUR).await.unwrap() else {
        panic!("nobody else is there");
    };
    let reply = world.bank.login();
    let cut_off = tokio::time::timeout(secs(1), handle.adopt(reply)).await;
    assert!(cut_off.is_err());
    tokio::spawn(async move {
        tokio::time::sleep(secs(5)).await;
        store.release(&user_key(), lease).await
    });
    handle.settled().await;
    assert_eq!(world.address.record().await.unwrap().generation(), 1);
}

#[tokio::test(start_paused = true)]
async fn of_a_grant_that_never_was_nothing_is_left_when_it_is_forgotten() {
    let world = World::new(STRICT);
    world.process("a").forget().await.unwrap();
    assert!(world.address.record().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_the_store_lost_is_marked_as_forgotten_for_those_who_still_hold_it() {
    let world = World::new(STRICT);
    let here = world.logged_in("here").await;
    let there = world.process("there");
    there.load().await.unwrap();
    world.address.fails_over_to(None).await;
    here.forget().await.unwrap();
    let tombstone = world.address.record().await.unwrap().tombstone.unwrap();
    assert_eq!(tombstone.reason, ReauthorizationReason::Forgotten);
    tokio::time::sleep(HOUR).await;
    assert!(matches!(there.fresh().await, Err(Error::NoGrant { .. })));
    assert_eq!(world.bank.requests(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_can_be_forgotten() {
    let world = World::new(STRICT);
    let damaged = StoredRecord::new(7, b"{ not a record".to_vec());
    world.address.fails_over_to(Some(damaged)).await;
    world.process("a").forget().await.unwrap();
    assert!(world.address.record().await.unwrap().tokens.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_revocation_elsewhere_is_noticed_within_minutes_though_the_token_never_ends() {
    let world = World::new(Habits { life: None, ..STRICT });
    let here = world.logged_in("here").await;
    assert!(here.header().is_some());
    world.process("there").revoke().await.unwrap();
    tokio::time::sleep(secs(301)).await;
    let _ = here.header();
    here.settled().await;
    assert!(here.header().is_none());
    let error = here.fresh().await.unwrap_err();
    let revoked = ReauthorizationReason::Revoked;
    assert!(matches!(error, Error::ReauthorizationRequired { reason, .. } if reason == revoked));
}

#[tokio::test(start_paused = true)]
async fn a_revocation_while_a_sibling_refreshes_waits_for_what_the_sibling_gets() {
    let world = World::new(STRICT);
    let here = world.logged_in("here").await;
    let there = world.process("there");
    there.load().await.unwrap();
    tokio::time::sleep(HOUR).await;
    world.bank.faults([Fault::Slow(secs(5))]);
    let refresh = tokio::spawn(async move { there.fresh().await });
    tokio::time::sleep(secs(1)).await;
    here.revoke().await.unwrap();
    refresh.await.unwrap().unwrap();
    assert_eq!(world.bank.revoked_tokens(), ["refresh-2"]);
    assert!(world.address.record().await.unwrap().tokens.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_revocation_after_a_refresh_in_doubt_or_refused_ends_the_access_token_too() {
    for refused in [false, true] {
        let world = World::new(STRICT);
        let handle = world.logged_in("a").await;
        tokio::time::sleep(HOUR).await;
        match refused {
            true => world.bank.withdraw(),
            false => world.bank.faults([Fault::LoseReply]),
        }
        let error = handle.fresh().await.unwrap_err();
        assert_eq!(error.reauthorization_required(), refused, "{error:?}");
        handle.revoke().await.unwrap();
        assert_eq!(world.bank.revoked_tokens(), ["refresh-1", "access-1"]);
    }
}

#[tokio::test(start_paused = true)]
async fn client_credentials_go_on_with_the_store_after_an_outage_of_it() {
    let world = World::new(STRICT);
    let flaky = Arc::new(FlakyStore::new(world.store()));
    let key = TokenKey::new("ofx", "client-1", GrantKind::ClientCredentials);
    let handle = TokenHandle::builder(key, Arc::clone(&world.bank) as Arc<dyn Issuer>, Renewal::Anew)
        .store(Arc::clone(&flaky) as Arc<dyn TokenStore>)
        .clock(Arc::clone(&world.clock) as Arc<dyn Clock>)
        .build();
    handle.fresh().await.unwrap();
    flaky.fail_after_swaps(0);
    for generation in 2..5 {
        tokio::time::sleep(HOUR).await;
        let bearer = handle.fresh().await.unwrap();
        assert!(world.bank.accepts(&text(&bearer)));
        assert_eq!(bearer.generation, generation);
    }
    flaky.heal();
    for _ in 0..3 {
        tokio::time::sleep(HOUR).await;
        let bearer = handle.fresh().await.unwrap();
        assert!(world.bank.accepts(&text(&bearer)), "an ended token was served");
    }
    let sibling = world.service().fresh().await.unwrap();
    assert_eq!(text(&sibling), text(&handle.fresh().await.unwrap()));
}

#[tokio::test(start_paused = true)]
async fn a_401_without_a_reason_does_not_end_a_grant_that_has_no_refresh_token() {
    let world = World::new(Habits { life: None, ..STRICT });
    let handle = world.process("a");
    let mut reply = world.bank.login();
    reply.refresh_token = None;
    handle.adopt(reply).await.unwrap();
    let bearer = handle.fresh().await.unwrap();
    for _ in 0..3 {
        let refused = handle.rejected(bearer.generation, Rejection::Unexplained).await;
        assert!(matches!(refused, Err(Error::TokenRefused { .. })), "{refused:?}");
        assert_eq!(text(&handle.fresh().await.unwrap()), text(&bearer));
    }
    // The provider's own word is another matter.
    let over = handle.rejected(bearer.generation, Rejection::InvalidToken).await;
    assert!(over.unwrap_err().reauthorization_required());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_nothing_can_replace_is_served_to_its_end_without_asking_the_store_with_every_call() {
    let world = World::new(STRICT);
    let store = Watched::new(world.store());
    let counted: Arc<dyn TokenStore> = Arc::clone(&store) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &counted, &world.clock, "a").build();
    let mut reply = world.bank.login();
    reply.refresh_token = None;
    handle.adopt(reply).await.unwrap();
    let before = store.reads();
    // A call every second, to the last one.
    for _ in 0..3599 {
        assert!(handle.header().is_some());
        tokio::time::sleep(secs(1)).await;
    }
    let asked = store.reads() - before;
    assert!(asked <= 25, "{asked} looks at the store in an hour");
    tokio::time::sleep(secs(2)).await;
    let error = handle.fresh().await.unwrap_err();
    assert!(error.reauthorization_required(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_waits_out_a_doubt_does_not_ask_with_every_call() {
    let habits = Habits {
        grace: Some(secs(60)),
        ..STRICT
    };
    let world = World::new(habits);
    let rotation = Rotation::new(Some(true), habits.grace).reuse_revokes_family(true);
    let store = Watched::new(world.store());
    let counted: Arc<dyn TokenStore> = Arc::clone(&store) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &counted, &world.clock, "a")
        .rotation(rotation)
        .build();
    handle.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(secs(3110)).await;
    handle.fresh().await.unwrap();
    tokio::time::sleep(secs(200)).await;
    world.bank.faults([Fault::LoseReply]);
    let _ = handle.header();
    handle.settled().await;
    // Out of grace: asking again could end the access token that still serves.
    tokio::time::sleep(secs(61)).await;
    let before = store.reads();
    for _ in 0..100 {
        assert!(handle.header().is_some());
        tokio::time::sleep(secs(1)).await;
    }
    let asked = store.reads() - before;
    assert!(asked <= 20, "{asked} looks at the store in 100 seconds");
    assert_eq!(world.bank.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_suspend_between_lease_and_request_sends_nothing() {
    let world = World::new(STRICT);
    let asleep = Watched::new(world.store());
    let store: Arc<dyn TokenStore> = Arc::clone(&asleep) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "laptop").build();
    handle.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    // The machine is suspended while the store writes: the wall clock goes on, the monotonic one does not.
    let clock = Arc::clone(&world.clock);
    *asleep.before_next_write.lock().unwrap() = Some(Box::new(move || clock.jump(3600)));
    assert!(matches!(handle.fresh().await, Err(Error::Busy { .. })));
    assert_eq!(world.bank.requests(), 0);
    // Nothing was sent, so there is no doubt.
    assert!(world.address.record().await.unwrap().intent.is_none());
    tokio::time::sleep(secs(2)).await;
    handle.fresh().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn settled_waits_for_a_refresh_beside_the_calls_and_for_its_write() {
    let world = World::new(STRICT);
    let flaky = Arc::new(FlakyStore::new(world.store()));
    let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(secs(3140)).await;
    handle.fresh().await.unwrap();
    tokio::time::sleep(secs(260)).await;
    flaky.fail_after_swaps(1);
    assert_eq!(text(&handle.header().unwrap()), "Bearer access-1");
    assert!(tokio::time::timeout(secs(60), handle.settled()).await.is_err());
    assert_eq!(world.address.record().await.unwrap().generation(), 1);
    flaky.heal();
    handle.settled().await;
    assert_eq!(world.address.record().await.unwrap().generation(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_comes_near_is_told_though_nothing_happens_to_the_grant() {
    let world = World::new(Habits { life: None, ..STRICT });
    let rotation = Rotation::new(Some(true), None).consent_lifetime(Some(secs(90 * 86_400)));
    let handle = user(&world.bank, &world.store(), &world.clock, "a")
        .rotation(rotation)
        .build();
    let mut reply = world.bank.login();
    reply.refresh_expires_in = Some(secs(28 * 86_400));
    handle.adopt(reply).await.unwrap();
    // The grant was read before anybody watched.
    let mut events = handle.watch();
    let started = tokio::time::Instant::now();
    let mut told = Vec::new();
    while let Ok(Some(event)) = tokio::time::timeout(secs(100 * 86_400), events.next()).await {
        let Event::ExpiresSoon { what, .. } = event else {
            panic!("{event:?}");
        };
        told.push((what, started.elapsed().as_secs() / 86_400));
        if told.len() == 2 {
            break;
        }
    }
    assert_eq!(told, [(Expiring::RefreshToken, 21), (Expiring::Consent, 83)]);
    assert_eq!(events.try_next(), None);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_lost_during_a_refresh_is_put_back_and_the_request_is_waited_for() {
    for lost_after in [0, 2, 9] {
        let world = World::new(STRICT);
        let here = world.logged_in("here").await;
        let there = world.process("there");
        there.load().await.unwrap();
        let stored = world.address.now().load(&user_key()).await.unwrap();
        tokio::time::sleep(HOUR).await;
        world.bank.faults([Fault::Slow(secs(10))]);
        let refresh = tokio::spawn(async move { here.fresh().await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        let waiting = tokio::spawn(async move {
            // It waits for the other one, and sees what that has written; or it comes when that is lost.
            tokio::time::sleep(if lost_after == 2 {
                Duration::ZERO
            } else {
                secs(lost_after)
            })
            .await;
            there.fresh().await.map(|bearer| (bearer, there))
        });
        tokio::time::sleep(secs(lost_after)).await;
        // Everything, or what was written last.
        let copy = if lost_after == 2 { stored } else { None };
        world.address.fails_over_to(copy).await;
        let ((one, there), two) = (waiting.await.unwrap().unwrap(), refresh.await.unwrap().unwrap());
        assert_eq!((text(&one), text(&two)), ("Bearer access-2".to_owned(), text(&one)));
        assert_eq!(world.bank.sent(), ["refresh-1"], "{lost_after}");
        assert!(world.bank.alive());
        tokio::time::sleep(HOUR).await;
        there.fresh().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_holds_up_no_good_token_for_more_than_a_second() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    let watched = Watched::new(world.store());
    let idle = user(
        &world.bank,
        &(Arc::clone(&watched) as Arc<dyn TokenStore>),
        &world.clock,
        "idle",
    )
    .build();
    idle.load().await.unwrap();
    tokio::time::sleep(secs(1200)).await;
    *watched.delay_of_next_read.lock().unwrap() = secs(3600);
    let began = tokio::time::Instant::now();
    assert_eq!(text(&idle.fresh().await.unwrap()), "Bearer access-1");
    assert_eq!(began.elapsed(), secs(1));
    // And the calls after it do not wait again.
    assert_eq!(text(&idle.fresh().await.unwrap()), "Bearer access-1");
    assert_eq!(began.elapsed(), secs(1));
    // A store that answers is asked first, when nobody has looked for the whole time.
    handle.forget().await.unwrap();
    tokio::time::sleep(secs(600)).await;
    assert!(matches!(idle.fresh().await, Err(Error::NoGrant { .. })));
}

#[tokio::test(start_paused = true)]
async fn as_long_as_new_tokens_are_not_stored_nothing_is_asked_for() {
    let world = World::new(STRICT);
    let flaky = Arc::new(FlakyStore::new(world.store()));
    let counted = Watched::new(Arc::clone(&flaky) as Arc<dyn TokenStore>);
    let store: Arc<dyn TokenStore> = Arc::clone(&counted) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    world.bank.faults([Fault::Slow(secs(1))]);
    let refresh = tokio::spawn({
        let handle = handle.clone();
        async move { handle.fresh().await }
    });
    tokio::time::sleep(secs(1) / 2).await;
    // The intent is stored. From now on the store is read, and what is written does not arrive.
    flaky.lose_swaps();
    assert_eq!(text(&refresh.await.unwrap().unwrap()), "Bearer access-2");
    let before = counted.reads();
    tokio::time::sleep(secs(60)).await;
    let tried = counted.reads() - before;
    assert!((15..=25).contains(&tried), "{tried} tries to store them in a minute");
    tokio::time::sleep(HOUR).await;
    // The store takes writes again, and the task that stores the tokens has not tried yet.
    flaky.heal();
    let reads = counted.reads();
    assert!(matches!(handle.fresh().await, Err(Error::Store { .. })));
    assert_eq!(counted.reads(), reads);
    assert_eq!(world.bank.sent(), ["refresh-1"]);
    handle.settled().await;
    tokio::time::sleep(secs(2)).await;
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-3");
    assert_eq!(world.bank.sent(), ["refresh-1", "refresh-2"]);
}

#[tokio::test(start_paused = true)]
async fn a_new_refresh_token_beside_an_access_token_that_is_given_again_waits_to_be_stored_too() {
    for what in ["a refresh", "a login"] {
        let world = World::new(STRICT);
        let flaky = Arc::new(FlakyStore::new(world.store()));
        let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
        let handle = user(&world.bank, &store, &world.clock, "a").build();
        handle.adopt(world.bank.login()).await.unwrap();
        world.bank.repeat_the_access_token();
        tokio::time::sleep(HOUR).await;
        if what == "a refresh" {
            // The intent is written, and then the store goes away.
            flaky.fail_after_swaps(1);
            assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-1");
        } else {
            flaky.fail_after_swaps(0);
            handle.adopt(world.bank.login()).await.unwrap_err();
        }
        tokio::time::sleep(secs(60)).await;
        flaky.heal();
        handle.settled().await;
        let stored = world.address.record().await.unwrap().tokens.unwrap();
        let refresh_token = stored.refresh_token.unwrap();
        assert_eq!(
            (stored.generation, refresh_token.expose_secret()),
            (2, "refresh-2"),
            "{what}"
        );
        tokio::time::sleep(HOUR).await;
        let next = world.process("next");
        next.fresh().await.unwrap();
        assert_eq!(world.bank.sent().last().unwrap(), "refresh-2", "{what}");
        assert!(world.bank.alive(), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_confirmation_was_lost_is_known_by_all_that_it_wrote() {
    for what in ["a refresh", "a login"] {
        let world = World::new(STRICT);
        let flaky = Arc::new(FlakyStore::new(world.store()));
        let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
        let handle = user(&world.bank, &store, &world.clock, "a").build();
        handle.adopt(world.bank.login()).await.unwrap();
        world.bank.repeat_the_access_token();
        tokio::time::sleep(HOUR).await;
        if what == "a refresh" {
            world.bank.faults([Fault::Slow(secs(1))]);
            let refresh = tokio::spawn({
                let handle = handle.clone();
                async move { handle.fresh().await }
            });
            tokio::time::sleep(secs(1) / 2).await;
            flaky.lose_answers();
            refresh.await.unwrap().unwrap();
        } else {
            flaky.lose_answers();
            handle.adopt(world.bank.login()).await.unwrap_err();
        }
        let written = world.address.now().load(&user_key()).await.unwrap().unwrap();
        flaky.heal();
        handle.settled().await;
        let stored = world.address.now().load(&user_key()).await.unwrap().unwrap();
        assert_eq!(stored.revision, written.revision, "{what}: it was written again");
        assert_eq!(handle.info().unwrap().generation, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_joins_a_look_at_the_store_is_made_after_it() {
    let world = World::new(STRICT);
    drop(world.logged_in("before").await);
    let slow = Watched::new(world.store());
    let store: Arc<dyn TokenStore> = Arc::clone(&slow) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "a").build();
    *slow.delay_of_next_read.lock().unwrap() = secs(1);
    let look = tokio::spawn({
        let handle = handle.clone();
        async move { handle.fresh().await }
    });
    tokio::task::yield_now().await;
    handle.renew(1).await.unwrap();
    assert_eq!(text(&look.await.unwrap().unwrap()), "Bearer access-1");
    assert_eq!(handle.info().unwrap().generation, 2);
}

#[tokio::test(start_paused = true)]
async fn client_credentials_take_what_a_sibling_stored_just_before_the_lease() {
    let world = World::new(STRICT);
    let slow = Watched::new(world.store());
    let key = TokenKey::new("ofx", "client-1", GrantKind::ClientCredentials);
    let late = TokenHandle::builder(key, Arc::clone(&world.bank) as Arc<dyn Issuer>, Renewal::Anew)
        .store(Arc::clone(&slow) as Arc<dyn TokenStore>)
        .clock(Arc::clone(&world.clock) as Arc<dyn Clock>)
        .build();
    *slow.delay_of_next_read.lock().unwrap() = secs(1);
    let late = tokio::spawn(async move { late.fresh().await });
    tokio::task::yield_now().await;
    let first = world.service().fresh().await.unwrap();
    assert_eq!(text(&late.await.unwrap().unwrap()), text(&first));
    assert_eq!(world.bank.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn client_credentials_serve_no_token_that_ended_because_an_older_copy_of_the_store_has_one_that_lives() {
    let world = World::new(STRICT);
    let service = world.service();
    let lives_long = Bank::new(Habits {
        life: Some(HOUR * 10),
        ..STRICT
    });
    let key = TokenKey::new("ofx", "client-1", GrantKind::ClientCredentials);
    let before = TokenHandle::builder(key.clone(), Arc::clone(&lives_long) as Arc<dyn Issuer>, Renewal::Anew)
        .store(world.store())
        .clock(Arc::clone(&world.clock) as Arc<dyn Clock>)
        .build();
    before.fresh().await.unwrap();
    let old = world.address.now().load(&key).await.unwrap();
    let refused = service.fresh().await.unwrap();
    let bearer = service
        .rejected(refused.generation, Rejection::InvalidToken)
        .await
        .unwrap();
    assert!(world.bank.accepts(&text(&bearer)));
    world.address.fails_over_to_record_of(&key, old).await;
    tokio::time::sleep(HOUR).await;
    let bearer = service.fresh().await.unwrap();
    assert!(world.bank.accepts(&text(&bearer)), "{}", text(&bearer));
}

#[tokio::test(start_paused = true)]
async fn logins_that_are_in_memory_only_are_of_later_generations_than_what_was_served_before() {
    let world = World::new(STRICT);
    let flaky = Arc::new(FlakyStore::new(world.store()));
    let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    handle.renew(1).await.unwrap();
    flaky.fail_after_swaps(0);
    for generation in [3, 4] {
        handle.adopt(world.bank.login()).await.unwrap_err();
        assert_eq!(handle.header().unwrap().generation, generation);
        // A call with the token before says nothing of this one.
        let bearer = handle.rejected(generation - 1, Rejection::InvalidToken).await.unwrap();
        assert_eq!(bearer.generation, generation);
    }
    flaky.heal();
    handle.settled().await;
    assert_eq!(world.address.record().await.unwrap().generation(), 4);
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_in_memory_only_are_revoked_with_their_grant_wherever_that_is_asked_for() {
    for revoked_here in [true, false] {
        let world = World::new(STRICT);
        let flaky = Arc::new(FlakyStore::new(world.store()));
        let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
        let handle = user(&world.bank, &store, &world.clock, "a").build();
        handle.adopt(world.bank.login()).await.unwrap();
        tokio::time::sleep(HOUR).await;
        world.bank.faults([Fault::Slow(secs(1))]);
        let refresh = tokio::spawn({
            let handle = handle.clone();
            async move { handle.fresh().await }
        });
        tokio::time::sleep(secs(1) / 2).await;
        flaky.lose_swaps();
        assert_eq!(text(&refresh.await.unwrap().unwrap()), "Bearer access-2");
        tokio::time::sleep(secs(60)).await;
        if revoked_here {
            flaky.heal();
            handle.revoke().await.unwrap();
        } else {
            // Its own way to the store is a good one, and it knows of the tokens before only.
            world.process("there").revoke().await.unwrap();
            assert_eq!(world.bank.revoked_tokens(), ["refresh-1", "access-1"]);
            flaky.heal();
        }
        handle.settled().await;
        tokio::time::sleep(secs(10)).await;
        let revoked = world.bank.revoked_tokens();
        assert!(revoked.contains(&"refresh-2".to_owned()), "{revoked_here}: {revoked:?}");
        let tombstone = world.address.record().await.unwrap().tombstone.unwrap();
        assert_eq!(tombstone.reason, ReauthorizationReason::Revoked);
        assert!(handle.header().is_none());
    }
}

/// After a pause the first call looks before it uses a token, however far the token is in its life and whichever clock
/// shows the pause.
#[tokio::test(start_paused = true)]
async fn after_a_pause_an_end_elsewhere_is_learned_before_the_first_call() {
    for (pause, slept) in [(1800, 0), (3400, 0), (10, 600)] {
        let world = World::new(Habits {
            life: Some(HOUR * 2),
            ..STRICT
        });
        let handle = world.logged_in("a").await;
        let idle = world.process("idle");
        idle.fresh().await.unwrap();
        handle.revoke().await.unwrap();
        tokio::time::sleep(secs(pause)).await;
        // The machine slept: only the time of day went on.
        world.clock.jump(slept);
        assert!(idle.header().is_none(), "{pause} {slept}");
        assert!(
            idle.fresh().await.unwrap_err().reauthorization_required(),
            "{pause} {slept}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_pause_an_end_elsewhere_is_learned_while_the_server_rests_too() {
    let world = World::new(Habits {
        life: Some(HOUR * 2),
        ..STRICT
    });
    let handle = world.logged_in("a").await;
    world.bank.faults([Fault::Throttle(Some(secs(600)))]);
    assert!(matches!(handle.renew(1).await, Err(Error::Throttled { .. })));
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-1");
    world.process("there").revoke().await.unwrap();
    tokio::time::sleep(secs(400)).await;
    assert!(handle.fresh().await.unwrap_err().reauthorization_required());
    assert_eq!(world.bank.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn while_the_server_rests_the_store_is_looked_at_every_two_seconds_and_not_with_every_call() {
    let world = World::new(STRICT);
    let store = Watched::new(world.store());
    let counted: Arc<dyn TokenStore> = Arc::clone(&store) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &counted, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    world.bank.faults([Fault::Throttle(Some(secs(600)))]);
    assert!(matches!(handle.fresh().await, Err(Error::Throttled { .. })));
    let before = store.reads();
    for _ in 0..100 {
        assert!(matches!(handle.fresh().await, Err(Error::Throttled { .. })));
        tokio::time::sleep(secs(1) / 10).await;
    }
    let looks = store.reads() - before;
    assert!((4..=5).contains(&looks), "{looks} looks in ten seconds");
}

/// A 401 that does not say that it is the token, and a refresh whose reply is lost: the token may be good, and the spent
/// refresh token could end it.
#[tokio::test(start_paused = true)]
async fn a_suspect_token_serves_where_asking_for_another_one_could_only_end_it() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    tokio::time::sleep(secs(600)).await;
    let bearer = handle.fresh().await.unwrap();
    world.bank.faults([Fault::LoseReply]);
    let error = handle
        .rejected(bearer.generation, Rejection::Unexplained)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::InDoubt { .. }), "{error:?}");
    for _ in 0..20 {
        tokio::time::sleep(secs(60)).await;
        assert!(world.bank.accepts(&text(&handle.fresh().await.unwrap())));
    }
    assert_eq!(
        world.bank.sent(),
        ["refresh-1"],
        "the spent token is not sent while the access token lives"
    );
    // One that the provider refuses by name is over.
    assert!(
        handle
            .rejected(bearer.generation, Rejection::InvalidToken)
            .await
            .is_err()
    );
    assert!(handle.fresh().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn tokens_in_memory_that_give_way_to_their_own_login_are_not_revoked_with_it() {
    for what in ["a refresh", "forgotten"] {
        let world = World::new(Habits {
            grace: Some(HOUR),
            ..STRICT
        });
        let flaky = Arc::new(FlakyStore::new(world.store()));
        let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
        let handle = user(&world.bank, &store, &world.clock, "a").build();
        handle.adopt(world.bank.login()).await.unwrap();
        tokio::time::sleep(HOUR).await;
        world.bank.faults([Fault::Slow(secs(1))]);
        let refresh = tokio::spawn({
            let handle = handle.clone();
            async move { handle.fresh().await }
        });
        tokio::time::sleep(secs(1) / 2).await;
        flaky.lose_swaps();
        assert_eq!(text(&refresh.await.unwrap().unwrap()), "Bearer access-2");
        // Its own way to the store is a good one.
        let there = world.process("there");
        match what {
            "a refresh" => assert_eq!(text(&there.fresh().await.unwrap()), "Bearer access-3"),
            _ => there.forget().await.unwrap(),
        }
        flaky.heal();
        tokio::time::timeout(secs(60), handle.settled()).await.unwrap();
        // What ends one refresh token of the login at the provider ends all of them.
        assert!(world.bank.alive() && world.bank.revoked_tokens().is_empty(), "{what}");
        match what {
            "a refresh" => assert_eq!(text(&handle.header().unwrap()), "Bearer access-3"),
            _ => assert!(handle.header().is_none()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_two_processes_write_over_the_same_copy_of_a_record_has_two_revisions() {
    let clock = VirtualClock::new();
    let bank = Bank::new(STRICT);
    let address = Address::new(&clock);
    let store = Arc::clone(&address) as Arc<dyn TokenStore>;
    user(&bank, &store, &clock, "a")
        .build()
        .adopt(bank.login())
        .await
        .unwrap();
    let copy = store.load(&user_key()).await.unwrap().unwrap();
    let mut revisions = std::collections::BTreeSet::new();
    for process in 0..4 {
        address.fails_over_to(Some(copy.clone())).await;
        user(&bank, &store, &clock, "b")
            .seed(process)
            .build()
            .forget()
            .await
            .unwrap();
        let revision = store.load(&user_key()).await.unwrap().unwrap().revision;
        assert!((1..=0x1_0000).contains(&(revision - copy.revision)), "{revision}");
        revisions.insert(revision);
    }
    assert!(revisions.len() > 2, "{revisions:?}");
}
