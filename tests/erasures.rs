//! Erasures and revocations beside logins, damage, faults of the store and idle processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;
#[macro_use]
mod connected;
mod grants_support;
mod logged;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connected::*;
use finrail::token::store::{Lease, Leased, LeasedSwap, Listed, MemoryStore, StoredRecord, Swap, Swapped};
use finrail::token::{ManualClock, PseudonymKey, StoreError, TokenKey, TokenStore};
use finrail::{AppBuilder, mx};
use futures_util::future::BoxFuture;
use grants_support::*;
use recorder::{Answer, Recorder};

/// A store with faults on command.
struct Faulty {
    inner: MemoryStore,
    /// Writes that end a lease or stand alone do not arrive, save those of authorizations.
    loses_swaps: AtomicBool,
    /// This many answers of `lease_and_swap` are lost.
    loses_begun: AtomicU32,
    /// Runs once, when the authorizations are listed.
    hook: Mutex<Option<BoxFuture<'static, ()>>>,
    /// Runs once, when the lease of a revocation was given back.
    hook_after_revocation: Mutex<Option<BoxFuture<'static, ()>>>,
}

impl Faulty {
    fn new(clock: Arc<ManualClock>) -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryStore::with_clock(clock),
            loses_swaps: AtomicBool::new(false),
            loses_begun: AtomicU32::new(0),
            hook: Mutex::default(),
            hook_after_revocation: Mutex::default(),
        })
    }
    fn out<T: Send + 'static>() -> BoxFuture<'static, Result<T, StoreError>> {
        Box::pin(async { Err(StoreError::unavailable("answer", "it is out")) })
    }
}

impl TokenStore for Faulty {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        self.inner.load(key)
    }
    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        match self.loses_swaps.load(Ordering::SeqCst) && key.provider != "authorization" {
            true => Self::out(),
            false => self.inner.swap(key, swap),
        }
    }
    fn lease<'a>(&'a self, key: &'a TokenKey, by: &'a str, ttl: Duration) -> BoxFuture<'a, Result<Leased, StoreError>> {
        self.inner.lease(key, by, ttl)
    }
    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.inner.release(key, lease).await?;
            let stored = self.inner.load(key).await?;
            if stored.is_some_and(|stored| String::from_utf8_lossy(&stored.bytes).contains("\"revoked\"")) {
                let hook = self.hook_after_revocation.lock().unwrap().take();
                if let Some(hook) = hook {
                    hook.await;
                }
            }
            Ok(())
        })
    }
    fn lease_and_swap<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
        swap: Swap,
    ) -> BoxFuture<'a, Result<LeasedSwap, StoreError>> {
        if self.loses_begun.load(Ordering::SeqCst) > 0 {
            self.loses_begun.fetch_sub(1, Ordering::SeqCst);
            return Box::pin(async move {
                let done = self.inner.lease_and_swap(key, holder, ttl, swap).await;
                assert!(matches!(done, Ok(LeasedSwap::Done(_))));
                Self::out().await
            });
        }
        self.inner.lease_and_swap(key, holder, ttl, swap)
    }
    fn swap_and_release<'a>(
        &'a self,
        key: &'a TokenKey,
        swap: Swap,
        lease: &'a Lease,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        match self.loses_swaps.load(Ordering::SeqCst) {
            true => Self::out(),
            false => self.inner.swap_and_release(key, swap, lease),
        }
    }
    fn list<'a>(&'a self, ids: &'a str, after: Option<&'a str>) -> BoxFuture<'a, Result<Listed, StoreError>> {
        Box::pin(async move {
            if ids.starts_with("authorization") {
                let hook = self.hook.lock().unwrap().take();
                if let Some(hook) = hook {
                    hook.await;
                }
            }
            self.inner.list(ids, after).await
        })
    }
    fn remove<'a>(&'a self, id: &'a str, revision: u64) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.inner.remove(id, revision)
    }
    fn renew<'a>(
        &'a self,
        key: &'a TokenKey,
        lease: &'a Lease,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.inner.renew(key, lease, ttl)
    }
    fn renews_leases(&self) -> bool {
        true
    }
}

struct World {
    bank: Recorder,
    store: Arc<Faulty>,
    clock: Arc<ManualClock>,
}

impl World {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::new());
        Self {
            bank: Recorder::granting(|_, _| Answer::json("{}")).await,
            store: Faulty::new(Arc::clone(&clock)),
            clock,
        }
    }
    fn builder(&self) -> AppBuilder<mx::Provider> {
        builder(&self.bank)
            .store(Arc::clone(&self.store) as Arc<dyn TokenStore>)
            .clock(Arc::clone(&self.clock) as _)
    }
    fn app(&self) -> mx::App {
        self.builder().build().unwrap()
    }
    fn refreshes(&self) -> Vec<String> {
        let requests = self.bank.token_requests();
        requests
            .iter()
            .filter(|request| request.field("grant_type").as_deref() == Some("refresh_token"))
            .map(|request| request.field("refresh_token").unwrap())
            .collect()
    }
    fn revocations(&self) -> Vec<String> {
        self.bank
            .calls()
            .iter()
            .map(|request| request.field("token").unwrap())
            .collect()
    }
    async fn text(&self) -> String {
        let mut text = String::new();
        let listed = self.store.inner.list("", None).await.unwrap();
        for listed in listed.records {
            let record = listed.record.unwrap();
            text.push_str(&format!("{} {}\n", listed.id, String::from_utf8_lossy(&record.bytes)));
        }
        text
    }
}

/// 1. A living grant beside a copy of a damaged record, which was put back since.
#[tokio::test]
async fn a_living_grant_with_a_damaged_copy_is_revoked_when_it_is_erased() {
    let mut unrevoked = Vec::new();
    for number in 0..12 {
        let world = World::new().await;
        let app = world.app();
        let user = format!("user-{number}");
        let key = connect(&app, &user).await.key().clone();
        keep_aside(&*world.store, &key).await;
        let report = world.app().erase(&*user).run().await.unwrap();
        assert!(report.is_complete());
        if world.revocations().is_empty() {
            unrevoked.push((user, report.grants));
        }
    }
    assert!(
        unrevoked.is_empty(),
        "erased, said complete, alive at the provider: {unrevoked:?}"
    );
}

/// 2. A login that is completed while the erasure runs.
#[tokio::test]
async fn a_login_completed_while_the_grants_are_walked_is_no_survivor_of_a_complete_erasure() {
    let world = World::new().await;
    let app = world.app();
    let begun = app.authorize(["accounts"]).unwrap().subject("erase-me");
    let back = format!("{REDIRECT}?code=c&state={}", begun.pending.state().expose_secret());
    app.begin("session", begun).await.unwrap();
    let other = world.app();
    *world.store.hook.lock().unwrap() = Some(Box::pin(async move {
        other.complete("session", &back).await.unwrap();
    }));
    let report = app.erase("erase-me").run().await.unwrap();
    let text = world.text().await;
    assert!(
        !report.is_complete() || !text.contains("erase-me"),
        "{report:?}\n{text}"
    );
}

/// 3. Tokens that a sibling has in memory when the person is erased.
#[tokio::test]
async fn tokens_in_memory_of_an_erased_grant_are_revoked_as_those_of_a_revoked_one() {
    for erases in [false, true] {
        let world = World::new().await;
        let a = world.app();
        // Another process, whose way to the store works.
        let b: mx::App = world
            .builder()
            .store(Arc::new(world.store.inner.clone()))
            .build()
            .unwrap();
        let connection = connect(&a, "user").await;
        let elsewhere = b.connection(connection.key()).await.unwrap().unwrap();
        world.clock.advance(Duration::from_secs(3600));
        world.store.loses_swaps.store(true, Ordering::SeqCst);
        connection.tokens().fresh().await.unwrap();
        assert_eq!(world.refreshes(), ["refresh-1"]);
        world.clock.advance(Duration::from_secs(120));
        match erases {
            true => assert!(b.erase("user").run().await.unwrap().is_complete()),
            false => elsewhere.revoke().await.unwrap(),
        }
        world.store.loses_swaps.store(false, Ordering::SeqCst);
        tokio::time::timeout(Duration::from_secs(20), connection.tokens().settled())
            .await
            .unwrap();
        assert!(
            world.revocations().iter().any(|token| token == "refresh-2"),
            "erases: {erases}; the new tokens live on at the provider: {:?}",
            world.revocations()
        );
    }
}

/// A login that the store does not take is in memory only.
#[tokio::test]
async fn a_login_in_memory_only_is_erased_and_nothing_of_it_is_stored_afterwards() {
    // Whether the store takes writes when the erasure runs, and whether the provider is to be told.
    for (heals_before, revokes) in [(true, true), (true, false), (false, true)] {
        let world = World::new().await;
        let app = world.app();
        world.store.loses_swaps.store(true, Ordering::SeqCst);
        let erased = connect(&app, "erase-me").await;
        let other = connect(&app, "somebody").await;
        let of_tenant = connect(&app.tenant("there"), "erase-me").await;
        if heals_before {
            world.store.loses_swaps.store(false, Ordering::SeqCst);
        }
        let erasure = app.erase("erase-me");
        let report = match revokes {
            true => erasure.run().await.unwrap(),
            false => erasure.without_revocation().run().await.unwrap(),
        };
        if heals_before {
            assert!(report.is_complete(), "{report:?}");
            assert_eq!(report.grants, 1);
        } else {
            // The mark that it was forgotten is not there.
            let unfinished: Vec<_> = report.unfinished.iter().map(|(key, _)| key).collect();
            assert_eq!(unfinished, [erased.key()]);
        }
        world.store.loses_swaps.store(false, Ordering::SeqCst);
        tokio::time::timeout(Duration::from_secs(20), app.settled())
            .await
            .unwrap();
        let revoked: &[&str] = if revokes { &["refresh-1"] } else { &[] };
        assert_eq!(world.revocations(), revoked, "and no other grant's");
        let stored = world.text().await;
        let of_person: Vec<_> = stored.lines().filter(|line| line.contains("erase-me")).collect();
        assert!(
            of_person.len() == 1 && of_person[0].contains("there"),
            "the tenant's login alone: {stored}"
        );
        assert!(erased.tokens().header().is_none());
        assert!(other.tokens().header().is_some() && of_tenant.tokens().header().is_some());
        assert!(stored.contains("somebody"));
        let again = app.erase("erase-me").run().await.unwrap();
        assert!(again.is_complete() && again.grants == 0, "{again:?}");
    }
}

/// A login whose revocation fails is stored after all, as a stored grant would stay.
#[tokio::test]
async fn a_login_in_memory_only_whose_revocation_fails_stays_and_is_stored() {
    let world = World {
        bank: Recorder::granting(|_, before| match before {
            0 => Answer::empty(503),
            _ => Answer::json("{}"),
        })
        .await,
        ..World::new().await
    };
    let app = world.app();
    world.store.loses_swaps.store(true, Ordering::SeqCst);
    let connection = connect(&app, "erase-me").await;
    let report = app.erase("erase-me").run().await.unwrap();
    assert_eq!(report.unfinished.len(), 1);
    world.store.loses_swaps.store(false, Ordering::SeqCst);
    tokio::time::timeout(Duration::from_secs(20), app.settled())
        .await
        .unwrap();
    assert!(world.text().await.contains("erase-me") && connection.tokens().header().is_some());
    assert!(app.erase("erase-me").run().await.unwrap().is_complete());
    assert!(!world.text().await.contains("erase-me"));
    assert_eq!(world.revocations(), ["refresh-1", "refresh-1"]);
}

/// A grant whose record the store lost serves on in memory, and would be put back.
#[tokio::test]
async fn a_grant_that_the_store_lost_is_erased_where_it_is_held() {
    let world = World::new().await;
    let app = world.app();
    let connection = connect(&app, "erase-me").await;
    for listed in world.store.inner.list("mx", None).await.unwrap().records {
        let revision = listed.record.unwrap().revision;
        assert!(world.store.inner.remove(&listed.id, revision).await.unwrap());
    }
    let report = app.erase("erase-me").run().await.unwrap();
    assert!(report.is_complete() && report.grants == 1, "{report:?}");
    // Somebody else may have refreshed it: then the refresh token is spent.
    assert_eq!(world.revocations(), ["refresh-1", "token-1"]);
    world.clock.advance(Duration::from_secs(3600));
    connection.tokens().fresh().await.unwrap_err();
    assert!(world.refreshes().is_empty() && !world.text().await.contains("erase-me"));
}

/// 4. The key of pseudonyms is set after somebody was erased without it.
#[tokio::test]
async fn a_person_erased_before_there_was_a_key_may_come_back() {
    let world = World::new().await;
    let key = connect(&world.app(), "user").await.key().clone();
    assert!(world.app().erase("user").run().await.unwrap().is_complete());
    let with_key = || -> mx::App {
        let builder = world.builder();
        builder.pseudonym_key(PseudonymKey::new([7; 32])).build().unwrap()
    };
    let back = connect(&with_key(), "user").await;
    assert_eq!(*back.key(), key);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let found = with_key().connection(&key).await;
    assert!(matches!(found, Ok(Some(_))), "the consent is in memory only: {found:?}");
}

/// 9. A process that was idle learns of a revocation within the time that was set.
#[tokio::test]
async fn an_idle_process_learns_of_a_revocation_within_the_time_that_was_set() {
    let world = World::new().await;
    let app = || -> mx::App {
        world
            .builder()
            .look_again_every(Duration::from_secs(30))
            .build()
            .unwrap()
    };
    let (a, b) = (app(), app());
    let key = connect(&a, "user").await.key().clone();
    let idle = b.connection(&key).await.unwrap().unwrap();
    a.connection(&key).await.unwrap().unwrap().revoke().await.unwrap();
    world.clock.advance(Duration::from_secs(1800));
    let served = idle.tokens().fresh().await;
    assert!(
        served.is_err(),
        "half an hour after the revocation, with 30 s set: {served:?}"
    );
}

/// 10. A damaged record whose key the application knows.
#[tokio::test]
async fn a_damaged_record_of_a_known_key_can_be_erased_or_forgotten() {
    let world = World::new().await;
    let key = connect(&world.app(), "user").await.key().clone();
    damage(&*world.store, &key).await;
    let app = world.app();
    let forgotten = match app.connection(&key).await {
        Ok(Some(connection)) => connection.forget().await.is_ok(),
        _ => app.forget(&key).await.is_ok(),
    };
    let report = app.erase("user").run().await.unwrap();
    let stored = world.store.load(&key).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&stored.bytes).into_owned();
    assert!(
        forgotten || report.is_complete(),
        "no way to remove it; erase says {report:?}; stored: {text}"
    );
}

/// 11. A copy of a damaged record as the commit before keeps it: the bytes alone.
#[tokio::test]
async fn copies_of_damaged_records_of_earlier_versions_are_erased_with_their_grant() {
    for number in 0..6 {
        let world = World::new().await;
        let user = format!("user-{number}");
        let key = connect(&world.app(), &user).await.key().clone();
        let swap = Swap::new(
            None,
            0,
            Some(StoredRecord::new(
                1,
                b"{\"version\":1,\"tokens\":{\"refresh_token\":\"r".as_slice(),
            )),
        );
        world.store.swap(&key.damaged_copy(), swap).await.unwrap();
        let report = world.app().erase(&*user).run().await.unwrap();
        let again = world.app().erase(&*user).run().await.unwrap();
        assert!(world.store.load(&key.damaged_copy()).await.unwrap().is_none());
        assert!(again.is_complete(), "{report:?} {again:?}");
    }
}

/// 12. The answer of the first step of a refresh is lost, and nothing was sent.
#[tokio::test]
async fn a_lost_answer_of_the_first_step_is_no_doubt() {
    let world = World::new().await;
    let app = world.app();
    let connection = connect(&app, "user").await;
    // In the last minute: callers wait for a refresh.
    world.clock.advance(Duration::from_secs(3550));
    world.store.loses_begun.store(1, Ordering::SeqCst);
    let clock = Arc::clone(&world.clock);
    let ticking = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            clock.advance(Duration::from_millis(500));
        }
    });
    let _ = connection.tokens().fresh().await;
    let _ = tokio::time::timeout(Duration::from_secs(20), connection.tokens().settled()).await;
    ticking.abort();
    // Again, with a store that works.
    let _ = connection.tokens().fresh().await;
    connection.tokens().settled().await;
    assert_eq!(
        world.refreshes(),
        ["refresh-1"],
        "nothing was sent before, so that nothing is in doubt"
    );
}

/// 20. A copy of a damaged record whose grant's record is gone: the grant was refused, and its mark removed after 90 days.
#[tokio::test]
async fn a_damaged_copy_without_a_record_is_erased() {
    let world = World::new().await;
    let key = connect(&world.app(), "user").await.key().clone();
    keep_aside(&*world.store, &key).await;
    let stored = world.store.inner.load(&key).await.unwrap().unwrap();
    // As `keep_alive` removes the mark of a grant that the server ended.
    assert!(
        world
            .store
            .inner
            .remove(&key.storage_id(), stored.revision)
            .await
            .unwrap()
    );
    let report = world.app().erase("user").run().await.unwrap();
    let left = world.store.inner.load(&key.damaged_copy()).await.unwrap();
    assert!(
        left.is_none() || !report.is_complete(),
        "{report:?}: {left:?} is still there"
    );
}

/// 24. The person logs in again between the revocation and the mark of an erasure.
#[tokio::test]
async fn a_login_between_revocation_and_mark_of_an_erasure_is_kept_or_revoked() {
    let world = World::new().await;
    connect(&world.app(), "user").await;
    let other: mx::App = world
        .builder()
        .store(Arc::new(world.store.inner.clone()))
        .build()
        .unwrap();
    *world.store.hook_after_revocation.lock().unwrap() = Some(Box::pin(async move {
        connect(&other, "user").await;
    }));
    let report = world.app().erase("user").run().await.unwrap();
    let kept = world.text().await.contains("refresh-2");
    let revoked = world.revocations();
    assert!(
        kept || !report.is_complete() || revoked.iter().any(|token| token == "refresh-2"),
        "{report:?}: refresh-2 is neither kept nor revoked: {revoked:?}"
    );
}

/// A login on an older copy of the store, and then the newer copy comes back, with another one or with its end. `gap`: from that
/// to the login.
#[tokio::test]
async fn an_erasure_revokes_what_its_process_holds_and_what_a_copy_of_the_store_brought_back() {
    for gap in [100, 10] {
        for ended in [false, true] {
            let world = World::new().await;
            let (a, c) = (world.app(), world.app());
            let key = connect(&a, "user").await.key().clone();
            let stored = async || world.store.load(&key).await.unwrap().unwrap();
            let older = stored().await;
            world.clock.advance(Duration::from_secs(100));
            connect(&a, "user").await;
            if ended {
                a.forget(&key).await.unwrap();
            }
            let newer = stored().await;
            let id = key.storage_id();
            assert!(
                world
                    .store
                    .inner
                    .replace(&id, newer.revision, older.clone())
                    .await
                    .unwrap()
            );
            world.clock.advance(Duration::from_secs(gap));
            let held = connect(&c, "user").await;
            assert!(
                world
                    .store
                    .inner
                    .replace(&id, stored().await.revision, newer)
                    .await
                    .unwrap()
            );
            let report = c.erase("user").run().await.unwrap();
            assert!(report.is_complete(), "{gap} {ended}: {report:?}");
            let revoked = world.revocations();
            assert!(revoked.contains(&"refresh-3".to_owned()), "{gap} {ended}: {revoked:?}");
            let both = revoked.contains(&"refresh-2".to_owned());
            assert_eq!(both, !ended, "{gap} {ended}: {revoked:?}");
            assert!(held.tokens().header().is_none() && !world.text().await.contains("user"));
        }
    }
}

/// A store that refuses older records and was set back to one. `clock`: of the process that wrote what was there before.
#[cfg(feature = "encryption")]
async fn set_back(world: &World, clock: &Arc<ManualClock>) -> (AppBuilder<mx::Provider>, mx::App, mx::Connection, u64) {
    use finrail::token::store::{EncryptedStore, EncryptionKeys};
    let inner = Arc::clone(&world.store) as Arc<dyn TokenStore>;
    let store = Arc::new(EncryptedStore::new(inner, EncryptionKeys::new(1, [1; 32])).refuse_older());
    let builder = || builder(&world.bank).store(Arc::clone(&store) as Arc<dyn TokenStore>);
    let app = builder().clock(Arc::clone(clock) as _).build().unwrap();
    let user = connect(&app, "user").await;
    let old = world.store.load(user.key()).await.unwrap().unwrap();
    clock.advance(Duration::from_secs(4000));
    world.clock.advance(Duration::from_secs(4000));
    user.tokens().fresh().await.unwrap();
    let newer = world.store.load(user.key()).await.unwrap().unwrap().revision;
    assert!(newer > old.revision);
    let id = user.key().storage_id();
    assert!(world.store.inner.replace(&id, newer, old).await.unwrap());
    (builder().clock(Arc::clone(&world.clock) as _), app, user, newer)
}

/// The store refuses the record, and who does not hold its tokens can still end what it is of.
#[cfg(feature = "encryption")]
#[tokio::test]
async fn a_grant_whose_record_is_refused_as_older_is_revoked_and_counted_when_it_is_erased() {
    for (revokes, ended) in [(true, ["refresh-1", "token-1"].as_slice()), (false, &[])] {
        let world = World::new().await;
        let (builder, _, user, newer) = set_back(&world, &world.clock).await;
        let key = user.key().clone();
        drop(user);
        let erasure = builder.build().unwrap().erase("user");
        let report = match revokes {
            true => erasure.run().await.unwrap(),
            false => erasure.without_revocation().run().await.unwrap(),
        };
        assert!(report.is_complete() && report.grants == 1, "{revokes}: {report:?}");
        assert_eq!(world.revocations(), ended, "{revokes}");
        assert!(world.store.load(&key).await.unwrap().unwrap().revision > newer);
    }
}

#[cfg(feature = "encryption")]
#[tokio::test]
async fn of_a_grant_whose_record_is_refused_as_older_the_tokens_that_are_held_are_revoked() {
    let world = World::new().await;
    let (_, app, user, newer) = set_back(&world, &world.clock).await;
    let report = app.erase("user").run().await.unwrap();
    assert!(report.is_complete() && report.grants == 1, "{report:?}");
    assert_eq!(world.revocations(), ["refresh-2", "token-2"]);
    assert!(world.store.load(user.key()).await.unwrap().unwrap().revision > newer);
}

#[cfg(feature = "encryption")]
#[tokio::test]
async fn a_grant_whose_record_is_refused_as_older_and_whose_revocation_fails_is_unfinished() {
    let mut world = World::new().await;
    world.bank = Recorder::granting(|_, _| Answer::status(500, "{}")).await;
    let (builder, _, user, _) = set_back(&world, &world.clock).await;
    let key = user.key().clone();
    drop(user);
    let before = world.store.load(&key).await.unwrap();
    let report = builder.build().unwrap().erase("user").run().await.unwrap();
    assert_eq!((report.grants, report.unfinished.len()), (0, 1), "{report:?}");
    assert_eq!(world.store.load(&key).await.unwrap(), before);
}

/// Of a process whose clock is behind the one that wrote what was there before.
#[cfg(feature = "encryption")]
#[tokio::test]
async fn the_mark_over_a_record_that_is_refused_as_older_is_not_refused_itself() {
    for erases in [false, true] {
        let world = World::new().await;
        let ahead = Arc::new(ManualClock::new());
        ahead.advance(Duration::from_secs(86_400));
        let (builder, _, user, newer) = set_back(&world, &ahead).await;
        let key = user.key().clone();
        drop(user);
        let app = builder.build().unwrap();
        match erases {
            true => assert!(app.erase("user").run().await.unwrap().is_complete()),
            false => app.forget(&key).await.unwrap(),
        }
        assert!(app.connection(&key).await.unwrap().is_none(), "{erases}");
        assert!(
            world.store.load(&key).await.unwrap().unwrap().revision > newer,
            "{erases}"
        );
    }
}

/// One of several applications that share a store.
fn app_beside(bank: &Recorder, store: &MemoryStore, clock: &Arc<ManualClock>) -> mx::App {
    let set_up = builder(bank).store(Arc::new(store.clone()) as Arc<dyn TokenStore>);
    set_up.clock(clock.clone()).build().unwrap()
}

#[tokio::test]
async fn an_erasure_on_an_older_copy_of_the_store_holds_when_the_newer_copy_comes_back() {
    let clock = Arc::new(ManualClock::new());
    let bank = Recorder::granting(|_, _| Answer::json("{}")).await;
    let store = MemoryStore::with_clock(clock.clone());
    let app = || app_beside(&bank, &store, &clock);
    let (a, c) = (app(), app());
    let key = connect(&a, "user").await.key().clone();
    let in_c = c.connection(&key).await.unwrap().unwrap();
    let stored = async || store.load(&key).await.unwrap().unwrap();
    let older = stored().await;
    clock.advance(Duration::from_secs(100));
    let second = connect(&a, "user").await;
    let newer = stored().await;
    assert!(store.replace(&key.storage_id(), newer.revision, older).await.unwrap());
    clock.advance(Duration::from_secs(100));
    assert!(c.erase("user").run().await.unwrap().is_complete());
    // Both learn of it, before and after the newer copy is there.
    for comes_back in [false, true] {
        if comes_back {
            let seen = stored().await.revision;
            assert!(store.replace(&key.storage_id(), seen, newer.clone()).await.unwrap());
        }
        clock.advance(Duration::from_secs(400));
        for tokens in [second.tokens(), in_c.tokens()] {
            assert!(tokens.fresh().await.is_err(), "comes back: {comes_back}");
        }
    }
    assert!(!String::from_utf8_lossy(&stored().await.bytes).contains("user"));
}

/// Of whom it is, nothing is told any more once it is erased, by whoever learns of that.
#[tokio::test]
async fn the_log_of_an_erasure_names_nobody() {
    let clock = Arc::new(ManualClock::new());
    let bank = Recorder::granting(|_, _| Answer::json("{}")).await;
    let store = MemoryStore::with_clock(clock.clone());
    let app = || app_beside(&bank, &store, &clock);
    let (app, other) = (app(), app());
    let held = connect(&app, "erase-me").await;
    let in_other = other.connection(held.key()).await.unwrap().unwrap();
    let key = held.key().clone();
    let (log, _guard) = logged::Log::events(tracing::Level::DEBUG);
    assert!(app.erase("erase-me").run().await.unwrap().is_complete());
    let text = log.take();
    assert!(text.contains("the grant is over, as was asked for"), "{text}");
    assert!(!text.contains("erase-me"), "{text}");
    for turn in 0..2 {
        clock.advance(Duration::from_secs(400));
        assert!(held.tokens().fresh().await.is_err() && in_other.tokens().fresh().await.is_err());
        let text = log.take();
        assert!(!text.contains("erase-me"), "{turn}: {text}");
    }
    // Whoever ends it once more writes no name into the store, the audit or the log.
    for app in [&app, &other] {
        app.forget(&key).await.unwrap();
        let text = log.take();
        assert!(!text.contains("erase-me"), "{text}");
        let stored = store.load(&key).await.unwrap().unwrap();
        assert!(!String::from_utf8_lossy(&stored.bytes).contains("erase-me"));
        // The store has lost it, for the next one.
        let Leased::Granted(lease) = store.lease(&key, "a disk", Duration::from_secs(5)).await.unwrap() else {
            panic!("somebody has the lease");
        };
        let lost = Swap::new(Some(stored.revision), lease.fence, None);
        assert_eq!(store.swap(&key, lost).await.unwrap(), Swapped::Done);
        store.release(&key, lease).await.unwrap();
    }
}
