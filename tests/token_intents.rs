//! What a refresh that brings no tokens leaves in the store. The next one, in whatever process, goes by it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod token_support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use finrail::token::store::{Lease, Leased, StoreError, StoredRecord, Swap, Swapped};
use finrail::token::{
    Clock, Error, Issuer, IssuerError, MemoryStore, Obtain, ReauthorizationReason, Record, Rejection, Renewal,
    RevokeRequest, Rotation, TokenHandle, TokenKey, TokenReply, TokenStore, Verdict,
};
use futures_util::future::BoxFuture;
use token_support::*;

/// A store whose content can be exchanged, and whose reads can fail while it takes writes.
struct Exchanged {
    present: Mutex<Arc<dyn TokenStore>>,
    fails_reads: AtomicBool,
    /// How often a lease was asked for.
    leases: AtomicUsize,
    /// Happens with the next write.
    with_next_write: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Exchanged {
    fn now(&self) -> Arc<dyn TokenStore> {
        Arc::clone(&self.present.lock().unwrap())
    }

    fn becomes(&self, store: Arc<dyn TokenStore>) {
        *self.present.lock().unwrap() = store;
    }

    fn fail_reads(&self, fail: bool) {
        self.fails_reads.store(fail, Ordering::SeqCst);
    }
}

impl TokenStore for Exchanged {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        let (store, fails) = (self.now(), self.fails_reads.load(Ordering::SeqCst));
        Box::pin(async move {
            match fails {
                true => Err(StoreError::unavailable("read the record", "it is out")),
                false => store.load(key).await,
            }
        })
    }
    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        if let Some(happens) = self.with_next_write.lock().unwrap().take() {
            happens();
        }
        let store = self.now();
        Box::pin(async move { store.swap(key, swap).await })
    }
    fn lease<'a>(&'a self, key: &'a TokenKey, by: &'a str, ttl: Duration) -> BoxFuture<'a, Result<Leased, StoreError>> {
        self.leases.fetch_add(1, Ordering::SeqCst);
        let store = self.now();
        Box::pin(async move { store.lease(key, by, ttl).await })
    }
    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        let store = self.now();
        Box::pin(async move { store.release(key, lease).await })
    }
}

struct World {
    bank: Arc<Bank>,
    clock: Arc<VirtualClock>,
    store: Arc<Exchanged>,
}

impl World {
    fn new(habits: Habits) -> Self {
        let clock = VirtualClock::new();
        Self {
            bank: Bank::new(habits),
            store: Arc::new(Exchanged {
                present: Mutex::new(memory(&clock)),
                fails_reads: AtomicBool::new(false),
                leases: AtomicUsize::new(0),
                with_next_write: Mutex::default(),
            }),
            clock,
        }
    }

    fn process(&self, holder: &str) -> TokenHandle {
        let store: Arc<dyn TokenStore> = Arc::clone(&self.store) as Arc<dyn TokenStore>;
        user(&self.bank, &store, &self.clock, holder).build()
    }

    async fn logged_in(&self, holder: &str) -> TokenHandle {
        let handle = self.process(holder);
        handle.adopt(self.bank.login()).await.unwrap();
        handle
    }

    async fn stored(&self) -> Record {
        record_in(&*self.store.now()).await
    }
}

fn memory(clock: &Arc<VirtualClock>) -> Arc<dyn TokenStore> {
    Arc::new(MemoryStore::with_clock(Arc::clone(clock) as Arc<dyn Clock>))
}

async fn record_in(store: &dyn TokenStore) -> Record {
    let stored = store.load(&user_key()).await.unwrap().unwrap();
    Record::decode(&stored.bytes).unwrap()
}

/// Another store with the same record.
async fn copy(store: &dyn TokenStore, clock: &Arc<VirtualClock>) -> Arc<dyn TokenStore> {
    holding(store.load(&user_key()).await.unwrap(), clock).await
}

async fn holding(record: Option<StoredRecord>, clock: &Arc<VirtualClock>) -> Arc<dyn TokenStore> {
    let copy = memory(clock);
    let Leased::Granted(lease) = copy.lease(&user_key(), "a copy", HOUR).await.unwrap() else {
        panic!("a new store has no holders");
    };
    let swap = Swap::new(None, lease.fence, record);
    assert_eq!(copy.swap(&user_key(), swap).await.unwrap(), Swapped::Done);
    copy.release(&user_key(), lease).await.unwrap();
    copy
}

#[tokio::test(start_paused = true)]
async fn an_intent_goes_when_nothing_was_taken_and_stays_given_up_when_nobody_knows() {
    for (faults, unanswered) in [
        // The server says that it took nothing.
        (&[Fault::Throttle(None)][..], None),
        (&[Fault::Reject], None),
        (&[Fault::Misconfigured], None),
        // Nobody knows what it took.
        (&[Fault::LoseRequest], Some(0)),
        (&[Fault::LoseReply], Some(0)),
        (&[Fault::Unavailable], Some(0)),
        (&[Fault::BadGateway], Some(0)),
        // It took nothing this time, and the request before is as open as it was.
        (&[Fault::LoseRequest, Fault::Throttle(None)], Some(1)),
        (&[Fault::LoseRequest, Fault::Reject], Some(1)),
        (&[Fault::LoseRequest, Fault::LoseRequest], Some(1)),
    ] {
        let world = World::new(STRICT);
        let handle = world.logged_in("a").await;
        tokio::time::sleep(HOUR).await;
        world.bank.faults(faults.iter().copied());
        for _ in faults {
            handle.fresh().await.unwrap_err();
            tokio::time::sleep(secs(2)).await;
        }
        let record = world.stored().await;
        assert_eq!(world.bank.requests(), faults.len(), "{faults:?}");
        assert!(record.tombstone.is_none() && record.generation() == 1, "{faults:?}");
        let intent = record.intent.as_ref();
        assert_eq!(intent.map(|intent| intent.unanswered), unanswered, "{faults:?}");
        assert!(intent.is_none_or(|intent| intent.given_up), "{faults:?}");
        // Whoever comes next need not wait.
        let began = tokio::time::Instant::now();
        let _ = world.process("b").fresh().await;
        assert!(began.elapsed() < secs(1), "{faults:?}: {:?}", began.elapsed());
        assert_eq!(world.bank.requests(), faults.len() + 1, "{faults:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_the_grant_unless_somebody_has_stored_something_since() {
    for since in ["nothing", "new tokens", "a revocation", "a login"] {
        let world = World::new(Habits {
            reuse_revokes_family: false,
            ..STRICT
        });
        let handle = world.logged_in("a").await;
        // Somebody works without this process's lease: on a copy, which is the store from the next moment on.
        let elsewhere = copy(&*world.store.now(), &world.clock).await;
        let other = user(&world.bank, &elsewhere, &world.clock, "other").build();
        tokio::time::sleep(HOUR).await;
        match since {
            "new tokens" => drop(other.fresh().await.unwrap()),
            "a revocation" => other.revoke().await.unwrap(),
            "a login" => drop(other.adopt(world.bank.login()).await.unwrap()),
            _ => world.bank.withdraw(),
        }
        let refresh = tokio::spawn({
            let handle = handle.clone();
            async move { handle.fresh().await }
        });
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(world.stored().await.intent.is_some(), "the request is under way");
        if since != "nothing" {
            world.store.becomes(Arc::clone(&elsewhere));
        }
        let outcome = refresh.await.unwrap();
        let record = world.stored().await;
        let reason = record.tombstone.as_ref().map(|end| end.reason);
        match since {
            "new tokens" | "a login" => {
                assert_eq!(text(&outcome.expect(since)), "Bearer access-2");
                assert!(reason.is_none() && record.generation() == 2, "{since}");
            }
            _ => {
                let expected = match since {
                    "nothing" => ReauthorizationReason::Refused,
                    _ => ReauthorizationReason::Revoked,
                };
                let error = outcome.unwrap_err();
                let is_it = |reason| reason == expected;
                assert!(
                    matches!(&error, Error::ReauthorizationRequired { reason, .. } if is_it(*reason)),
                    "{since}: {error:?}"
                );
                assert_eq!(reason, Some(expected));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_somebody_stored_over_an_older_copy_counts_though_it_has_the_revision_of_the_intent() {
    let world = World::new(Habits {
        reuse_revokes_family: false,
        ..STRICT
    });
    let handle = world.logged_in("a").await;
    let elsewhere = copy(&*world.store.now(), &world.clock).await;
    let other = user(&world.bank, &elsewhere, &world.clock, "other").build();
    tokio::time::sleep(HOUR).await;
    other.fresh().await.unwrap();
    let refresh = tokio::spawn(async move { handle.fresh().await });
    tokio::time::sleep(Duration::from_millis(10)).await;
    let intended = world.store.now().load(&user_key()).await.unwrap().unwrap();
    let stored = elsewhere.load(&user_key()).await.unwrap().unwrap();
    assert_ne!(intended.bytes, stored.bytes, "the request is under way");
    let at_the_same_revision = StoredRecord::new(intended.revision, stored.bytes);
    world
        .store
        .becomes(holding(Some(at_the_same_revision), &world.clock).await);
    assert_eq!(text(&refresh.await.unwrap().unwrap()), "Bearer access-2");
    assert!(world.stored().await.tombstone.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_nothing_where_the_store_does_not_say_whether_somebody_has_stored_something() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    tokio::time::sleep(HOUR).await;
    world.bank.withdraw();
    let refresh = tokio::spawn({
        let handle = handle.clone();
        async move { handle.fresh().await }
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    world.store.fail_reads(true);
    let error = refresh.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Store { .. }), "{error:?}");
    let record = world.stored().await;
    assert!(record.tombstone.is_none() && record.intent.is_some());
    // The server is asked once more, and the store answers.
    world.store.fail_reads(false);
    tokio::time::sleep(secs(5)).await;
    assert!(handle.fresh().await.unwrap_err().reauthorization_required());
    assert!(world.stored().await.tombstone.is_some());
}

/// A server that names an account in its replies.
struct Naming(Arc<Bank>, Mutex<&'static str>);

impl Naming {
    fn names(&self, mut reply: TokenReply) -> TokenReply {
        reply.account_field = Some("account".to_owned());
        let account = (*self.1.lock().unwrap()).to_owned();
        reply.extra.insert("account".to_owned(), account);
        reply
    }
}

impl Issuer for Naming {
    fn obtain(&self, obtain: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
        Box::pin(async move { self.0.obtain(obtain).await.map(|reply| self.names(reply)) })
    }
    fn revoke(&self, request: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
        self.0.revoke(request)
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_of_another_account_are_not_stored_and_the_refresh_token_may_be_spent() {
    let world = World::new(STRICT);
    let server = Arc::new(Naming(Arc::clone(&world.bank), Mutex::new("a-1")));
    let issuer = Arc::clone(&server) as Arc<dyn Issuer>;
    let handle = TokenHandle::builder(user_key(), issuer, Renewal::Refresh)
        .store(Arc::clone(&world.store) as Arc<dyn TokenStore>)
        .rotation(ROTATING)
        .clock(Arc::clone(&world.clock) as Arc<dyn Clock>)
        .build();
    handle.adopt(server.names(world.bank.login())).await.unwrap();
    tokio::time::sleep(HOUR).await;
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
    tokio::time::sleep(HOUR).await;
    *server.1.lock().unwrap() = "a-2";
    let error = handle.fresh().await.unwrap_err();
    assert!(
        matches!(&error, Error::OtherAccount { field } if field == "account"),
        "{error:?}"
    );
    let record = world.stored().await;
    assert_eq!(record.generation(), 2);
    assert!(record.intent.unwrap().given_up);
    assert!(handle.header().is_none());
}

#[tokio::test(start_paused = true)]
async fn where_refresh_tokens_are_not_spent_no_intent_is_written() {
    let world = World::new(Habits {
        rotates: false,
        ..STRICT
    });
    let store: Arc<dyn TokenStore> = Arc::clone(&world.store) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "a")
        .rotation(finrail::token::Rotation::new(Some(false), None))
        .build();
    handle.adopt(world.bank.login()).await.unwrap();
    for fault in [Fault::Throttle(None), Fault::LoseReply, Fault::Slow(secs(5))] {
        let revision = |stored: Option<StoredRecord>| stored.unwrap().revision;
        let before = revision(store.load(&user_key()).await.unwrap());
        tokio::time::sleep(HOUR).await;
        world.bank.faults([fault]);
        let refresh = tokio::spawn({
            let handle = handle.clone();
            async move { handle.fresh().await }
        });
        tokio::time::sleep(secs(1)).await;
        assert!(world.stored().await.intent.is_none(), "{fault:?}");
        assert_eq!(revision(store.load(&user_key()).await.unwrap()), before, "{fault:?}");
        assert_eq!(
            refresh.await.unwrap().is_ok(),
            matches!(fault, Fault::Slow(_)),
            "{fault:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_read_is_asked_for_no_lease() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    tokio::time::sleep(HOUR).await;
    world.store.fail_reads(true);
    let before = world.store.leases.load(Ordering::SeqCst);
    assert!(matches!(handle.fresh().await, Err(Error::Store { .. })));
    assert_eq!(world.store.leases.load(Ordering::SeqCst), before);
    assert_eq!(world.bank.requests(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_could_not_leave_changes_nothing_about_the_one_before() {
    for unanswered in [None, Some(0)] {
        let world = World::new(STRICT);
        let handle = world.logged_in("a").await;
        tokio::time::sleep(HOUR).await;
        if unanswered.is_some() {
            world.bank.faults([Fault::LoseRequest]);
            handle.fresh().await.unwrap_err();
            tokio::time::sleep(secs(2)).await;
        }
        let sent = world.bank.requests();
        // The machine is suspended while the intent is written, for longer than the lease lasts.
        let clock = Arc::clone(&world.clock);
        *world.store.with_next_write.lock().unwrap() = Some(Box::new(move || clock.jump(3600)));
        assert!(matches!(handle.fresh().await, Err(Error::Busy { .. })));
        assert_eq!(world.bank.requests(), sent);
        let intent = world.stored().await.intent;
        assert_eq!(intent.is_some(), unanswered.is_some());
        assert!(intent.is_none_or(|intent| intent.given_up && intent.unanswered == 1));
        tokio::time::sleep(secs(2)).await;
        assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
    }
}

#[tokio::test(start_paused = true)]
async fn a_doubt_is_news_and_an_answer_is_none() {
    for (fault, is_news) in [
        (Fault::LoseReply, true),
        (Fault::LoseRequest, true),
        (Fault::Unavailable, false),
        (Fault::Throttle(None), false),
    ] {
        let world = World::new(STRICT);
        let handle = world.logged_in("a").await;
        tokio::time::sleep(HOUR).await;
        let mut events = handle.watch();
        world.bank.faults([fault]);
        handle.fresh().await.unwrap_err();
        let told = is_news.then_some(finrail::token::Event::InDoubt { generation: 1 });
        assert_eq!(events.try_next(), told, "{fault:?}");
        assert_eq!(events.try_next(), None, "{fault:?}");
    }
}

/// A server that is asked to revoke tokens: what it says, and whether it was told that an earlier request has no answer.
struct Revoking {
    bank: Arc<Bank>,
    unanswered: Mutex<Vec<bool>>,
}

impl Issuer for Revoking {
    fn obtain(&self, obtain: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
        self.bank.obtain(obtain)
    }
    fn revoke(&self, request: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
        self.unanswered.lock().unwrap().push(request.unanswered);
        self.bank.revoke(request)
    }
}

#[tokio::test(start_paused = true)]
async fn a_revocation_without_an_answer_is_known_until_it_has_one_and_to_other_processes_too() {
    let world = World::new(STRICT);
    let server = Arc::new(Revoking {
        bank: Arc::clone(&world.bank),
        unanswered: Mutex::default(),
    });
    let process = || {
        let issuer = Arc::clone(&server) as Arc<dyn Issuer>;
        TokenHandle::builder(user_key(), issuer, Renewal::Refresh)
            .store(Arc::clone(&world.store) as Arc<dyn TokenStore>)
            .rotation(ROTATING)
            .clock(Arc::clone(&world.clock) as Arc<dyn Clock>)
            .build()
    };
    process().adopt(world.bank.login()).await.unwrap();
    let transient = Verdict::Transient { retry_after: None };
    // What the server says, and whether the record tells of a request without an answer after it.
    for (says, is_open) in [
        (Verdict::Throttled { retry_after: None }, false),
        (Verdict::RequestRejected, false),
        // The server itself is out of order: it carried out nothing.
        (transient, false),
        (Verdict::InDoubt, true),
        // Said of this request, and not of the one before.
        (transient, true),
    ] {
        world.bank.refuse_revocation(says);
        process().revoke().await.unwrap_err();
        let record = world.stored().await;
        assert_eq!(record.revocation.is_some(), is_open, "{says:?}");
        assert!(record.tombstone.is_none() && record.tokens.is_some(), "{says:?}");
    }
    // Other tokens have not been asked for.
    tokio::time::sleep(HOUR).await;
    process().fresh().await.unwrap();
    world.bank.refuse_revocation(Verdict::InDoubt);
    process().revoke().await.unwrap_err();
    process().revoke().await.unwrap();
    let told = server.unanswered.lock().unwrap().clone();
    assert_eq!(told, [false, false, false, false, true, false, true]);
    let record = world.stored().await;
    assert!(record.revocation.is_none() && record.tokens.is_none());
    assert_eq!(world.bank.revoked_tokens(), ["refresh-2"]);
}

#[tokio::test(start_paused = true)]
async fn whose_intent_it_is_knows_that_its_request_is_over_and_others_wait() {
    for (what, own, waits) in [
        ("refresh", true, false),
        ("refresh", false, true),
        ("revocation", true, false),
        ("revocation", false, true),
    ] {
        let world = World::new(STRICT);
        let flaky = Arc::new(FlakyStore::new(Arc::clone(&world.store) as Arc<dyn TokenStore>));
        let store = Arc::clone(&flaky) as Arc<dyn TokenStore>;
        let sender = user(&world.bank, &store, &world.clock, "sender").build();
        sender.adopt(world.bank.login()).await.unwrap();
        tokio::time::sleep(HOUR).await;
        world.bank.faults([Fault::LoseRequest]);
        let refresh = tokio::spawn({
            let sender = sender.clone();
            async move { sender.fresh().await }
        });
        tokio::time::sleep(Duration::from_millis(10)).await;
        // That the request is over cannot be written.
        flaky.lose_swaps();
        assert!(matches!(refresh.await.unwrap(), Err(Error::InDoubt { .. })));
        flaky.heal();
        assert!(!world.stored().await.intent.unwrap().given_up);
        tokio::time::sleep(secs(2)).await;
        let process = if own { sender } else { world.process("other") };
        let began = tokio::time::Instant::now();
        match what {
            "refresh" => drop(process.fresh().await.unwrap()),
            _ => process.revoke().await.unwrap(),
        }
        assert_eq!(began.elapsed() > secs(1), waits, "{what} {own}: {:?}", began.elapsed());
    }
}

/// What no answer came to first may have spent the refresh token, whatever was asked since.
#[tokio::test(start_paused = true)]
async fn a_grace_is_counted_from_the_first_request_that_brought_no_answer() {
    for lost in 1..20 {
        let habits = Habits {
            grace: Some(secs(30)),
            ..STRICT
        };
        let (clock, bank) = (VirtualClock::new(), Bank::new(habits));
        let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>));
        let rotation = Rotation::new(Some(true), habits.grace).reuse_revokes_family(true);
        let handle = user(&bank, &store, &clock, "a").rotation(rotation).build();
        handle.adopt(bank.login()).await.unwrap();
        // The access token is near its end, and serves.
        tokio::time::sleep(HOUR - secs(290)).await;
        bank.faults((0..lost).map(|_| Fault::LoseReply));
        for second in 0..280 {
            let _ = handle.fresh().await;
            assert!(bank.alive(), "{lost} replies were lost, after {second} s");
            tokio::time::sleep(secs(1)).await;
        }
        assert!(bank.requests() > 1, "within the grace it is asked again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_without_an_end_that_is_refused_on_and_on_is_replaced_after_a_doubt() {
    for life in [None, Some(24 * HOUR)] {
        let habits = Habits { life, ..STRICT };
        let (clock, bank) = (VirtualClock::new(), Bank::new(habits));
        let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>));
        let handle = user(&bank, &store, &clock, "a").build();
        handle.adopt(bank.login()).await.unwrap();
        // The API says 401 and not why, and the one request for another token does not arrive.
        bank.faults([Fault::LoseRequest]);
        let refused = |generation: u64| handle.rejected(generation, Rejection::Unexplained);
        refused(1).await.unwrap_err();
        let before = bank.requests();
        for _ in 0..59 {
            tokio::time::sleep(secs(60)).await;
            let _ = refused(1).await;
        }
        assert_eq!(bank.requests(), before, "it may be good, and the question could end it");
        tokio::time::sleep(secs(120)).await;
        let text = handle.explain().await.to_string();
        assert!(text.contains("question could end what still serves"), "{text}");
        let _ = refused(1).await;
        handle.settled().await;
        assert_eq!(handle.fresh().await.unwrap().generation, 2, "{life:?}");
    }
}
