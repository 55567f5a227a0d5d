//! Grants that nobody uses are kept alive, and what is left of those that are over goes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;
#[macro_use]
mod connected;
mod grants_support;
mod grants_world;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connected::*;
use finrail::token::store::{Lease, Leased, Listed, MemoryStore, StoredRecord, Swap, Swapped};
use finrail::token::{self, Clock as _, ManualClock, Rotation, StoreError, TokenKey, TokenStore};
use finrail::{finexer, mx, oauth};
use futures_util::future::BoxFuture;
use grants_support::*;
use grants_world::*;
use recorder::{Answer, Recorder, token};

#[tokio::test]
async fn marks_and_authorizations_go_when_they_are_over() {
    let world = World::new().await;
    let app: mx::App = world.builder().tombstones_live(DAY * 10).build().unwrap();
    let key = connect(&app, "revoked").await.key().clone();
    app.connection(&key).await.unwrap().unwrap().revoke().await.unwrap();
    connect(&app, "erased").await;
    assert_eq!(app.erase("erased").run().await.unwrap().grants, 1);
    let used = connect(&app, "alive").await;
    app.begin("session", app.authorize(["accounts"]).unwrap())
        .await
        .unwrap();
    let records = async || world.text().await.lines().count();
    // Three grants, the marks of their three authorizations, and one that is under way.
    assert_eq!(records().await, 7);
    let pass = async || {
        let app: mx::App = world.builder().tombstones_live(DAY * 10).build().unwrap();
        app.keep_alive().per_second(1000).once().await.unwrap()
    };
    let done = pass().await;
    assert_eq!((done.grants, done.tombstones, done.authorizations), (1, 0, 0));
    // The process that wrote them is another one.
    world.clock.advance(DAY);
    let done = pass().await;
    assert_eq!((done.tombstones, done.authorizations), (0, 4));
    world.clock.advance(DAY * 9 - Duration::from_secs(1));
    assert_eq!(pass().await.tombstones, 0);
    world.clock.advance(Duration::from_secs(2));
    let done = pass().await;
    assert_eq!((done.grants, done.tombstones), (1, 2));
    assert_eq!(records().await, 1);
    assert!(app.connection(&key).await.unwrap().is_none());
    assert!(used.tokens().fresh().await.is_ok());
    // The user may come back, and is a user as any other.
    connect(&app, "revoked").await;
    assert!(world.app().connection(&key).await.unwrap().is_some());
}

/// A store that lists its records, and removes or lists some of them not.
struct Grudging {
    inner: MemoryStore,
    /// What the next removals are answered with.
    refusals: Mutex<Vec<StoreError>>,
    /// As the default of the trait answers.
    removes_nothing: bool,
    /// The list of authorizations is not to be had.
    hides_authorizations: AtomicBool,
}

impl Grudging {
    fn over(clock: Arc<ManualClock>) -> Self {
        Self {
            inner: MemoryStore::with_clock(clock),
            refusals: Mutex::default(),
            removes_nothing: false,
            hides_authorizations: AtomicBool::new(false),
        }
    }
}

impl TokenStore for Grudging {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        self.inner.load(key)
    }
    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        self.inner.swap(key, swap)
    }
    fn lease<'a>(&'a self, key: &'a TokenKey, by: &'a str, ttl: Duration) -> BoxFuture<'a, Result<Leased, StoreError>> {
        self.inner.lease(key, by, ttl)
    }
    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inner.release(key, lease)
    }
    fn list<'a>(&'a self, ids: &'a str, after: Option<&'a str>) -> BoxFuture<'a, Result<Listed, StoreError>> {
        if ids.starts_with("authorization") && self.hides_authorizations.load(Ordering::SeqCst) {
            return Box::pin(async { Err(StoreError::unavailable("list its records", "it is out")) });
        }
        self.inner.list(ids, after)
    }
    fn remove<'a>(&'a self, id: &'a str, revision: u64) -> BoxFuture<'a, Result<bool, StoreError>> {
        if self.removes_nothing {
            let action = "remove a record by its id";
            return Box::pin(async move { Err(StoreError::Unsupported { action }) });
        }
        match self.refusals.lock().unwrap().pop() {
            Some(error) => Box::pin(async move { Err(error) }),
            None => self.inner.remove(id, revision),
        }
    }
}

#[tokio::test]
async fn a_removal_that_fails_is_told_and_the_pass_goes_on() {
    let clock = Arc::new(ManualClock::new());
    let store = Arc::new(Grudging::over(Arc::clone(&clock)));
    let world = World {
        bank: Recorder::granting(|_, _| Answer::json("{}")).await,
        store: Arc::clone(&store) as _,
        clock,
    };
    let app = world.app();
    for number in 0..4 {
        let over = connect(&app, &format!("over-{number}")).await;
        over.revoke().await.unwrap();
        // It stays for as long as the mark of its grant.
        keep_aside(&*world.store, over.key()).await;
    }
    world.clock.advance(DAY * 70);
    for number in 0..4 {
        connect(&app, &format!("alive-{number}")).await;
    }
    world.clock.advance(DAY * 25);
    let pass = async || world.app().keep_alive().per_second(1000).once().await.unwrap();
    let out = || StoreError::unavailable("remove a record", "it is out");
    // Over are the marks of the four revoked grants and of the later four logins; those of the first went with these.
    store
        .refusals
        .lock()
        .unwrap()
        .extend([out(), out(), out(), out(), out()]);
    let done = pass().await;
    assert_eq!(
        (done.grants, done.renewed, done.not_removed.len()),
        (4, 4, 5),
        "{done:?}"
    );
    assert_eq!((done.tombstones, done.authorizations), (0, 3));
    let done = pass().await;
    assert_eq!(
        (done.tombstones, done.authorizations, done.not_removed.len()),
        (4, 1, 0)
    );

    // Where the walk itself cannot go on, the error is the store's, and says nothing of a code.
    store.hides_authorizations.store(true, Ordering::SeqCst);
    let error = world.app().keep_alive().once().await.unwrap_err();
    assert!(
        matches!(error, oauth::Error::Token(token::Error::Store { .. })) && !error.to_string().contains("code"),
        "{error}"
    );
    let error = world.app().erase("alive-1").run().await.unwrap_err();
    assert!(
        matches!(error, oauth::Error::Token(token::Error::Store { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_store_that_removes_nothing_keeps_its_marks_and_its_grants_are_kept_alive() {
    let world = World::over(|clock| {
        Arc::new(Grudging {
            removes_nothing: true,
            ..Grudging::over(clock)
        })
    })
    .await;
    let app = world.app();
    for number in 0..4 {
        connect(&app, &format!("alive-{number}")).await;
        connect(&app, &format!("over-{number}")).await.revoke().await.unwrap();
    }
    for passes in 1..=5 {
        world.clock.advance(DAY * 24);
        let done = world.app().keep_alive().per_second(1000).once().await.unwrap();
        assert_eq!(
            (done.renewed, done.tombstones, done.authorizations),
            (4, 0, 0),
            "{done:?}"
        );
        assert!(done.not_removed.is_empty(), "{done:?}");
        assert_eq!(world.refreshes().len(), 4 * passes);
    }
    // An erasure that leaves an authorization behind is not complete, and says why.
    app.begin("session", app.authorize(["accounts"]).unwrap().subject("alive-1"))
        .await
        .unwrap();
    let erased = app.erase("alive-1").run().await.unwrap();
    assert_eq!((erased.grants, erased.authorizations), (1, 0));
    assert!(!erased.is_complete());
    assert!(
        matches!(&erased.unread[..], [StoreError::Unsupported { .. }]),
        "{erased:?}"
    );
}

#[tokio::test]
async fn marks_live_a_hundred_years_at_most_and_a_date_that_no_sum_fits_is_not_over() {
    let world = World::new().await;
    let app: mx::App = world.builder().tombstones_live(Duration::MAX).build().unwrap();
    connect(&app, "revoked").await.revoke().await.unwrap();
    app.begin("session", app.authorize(["accounts"]).unwrap())
        .await
        .unwrap();
    // The one that is under way ends at the end of all dates.
    let listed = world.store.list("authorization-", None).await.unwrap();
    let texts = listed.records.into_iter().map(|listed| {
        let stored = listed.record.unwrap();
        String::from_utf8(stored.bytes.to_vec()).unwrap()
    });
    let text = texts.filter(|text| text.contains("verifier")).collect::<String>();
    let until = text.split("\"until\":\"").nth(1).unwrap().split('"').next().unwrap();
    let text = text.replacen(until, "+262142-12-31T23:59:59Z", 1);
    let far = TokenKey::new("authorization", "", token::GrantKind::AuthorizationCode).subject("far");
    let swap = Swap::new(None, 0, Some(StoredRecord::new(1, text.into_bytes())));
    assert_eq!(world.store.swap(&far, swap).await.unwrap(), Swapped::Done);
    let pass = async || app.keep_alive().once().await.unwrap();
    let done = pass().await;
    assert_eq!(
        (done.tombstones, done.authorizations, done.unread.len()),
        (0, 0, 0),
        "{done:?}"
    );
    world.clock.advance(DAY * 36_500 - Duration::from_secs(1));
    assert_eq!(pass().await.tombstones, 0);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(pass().await.tombstones, 1);
    assert!(world.store.load(&far).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unused_grants_are_renewed_once_in_all_processes_before_their_refresh_tokens_end() {
    const PROCESSES: usize = 4;
    const GRANTS: usize = 12;
    let world = World::new().await;
    let app = world.app();
    for number in 0..GRANTS {
        connect(&app, &format!("user-{number}")).await;
    }
    drop(app);
    let pass = async || {
        let passes = (0..PROCESSES).map(|_| {
            let keep_alive = world.app().keep_alive().per_second(1000);
            tokio::spawn(async move { keep_alive.once().await.unwrap() })
        });
        let mut renewed = 0;
        for pass in passes.collect::<Vec<_>>() {
            let done = pass.await.unwrap();
            assert!(done.failed.is_empty() && done.unread.is_empty(), "{done:?}");
            assert_eq!(done.grants, GRANTS);
            renewed = renewed.max(done.renewed);
        }
        renewed
    };
    // Thirty days, says the provider: in the last week of them.
    world.clock.advance(DAY * 23 - Duration::from_secs(60));
    assert_eq!(pass().await, 0);
    assert_eq!(world.refreshes().len(), 0);
    world.clock.advance(Duration::from_secs(120));
    assert!(pass().await > 0);
    let sent = world.refreshes();
    assert_eq!(sent.len(), GRANTS, "each once");
    assert_eq!(sent.iter().collect::<BTreeSet<_>>().len(), GRANTS);
    assert_eq!(pass().await, 0);
    // They live on, for as long as this is done.
    for _ in 0..3 {
        world.clock.advance(DAY * 24);
        pass().await;
    }
    assert_eq!(world.refreshes().len(), GRANTS * 4);
    let app = world.app();
    for grant in listed(&app).await {
        let connection = app.connection(&grant.unwrap().key).await.unwrap().unwrap();
        connection.tokens().fresh().await.unwrap();
    }
}

#[tokio::test]
async fn a_grant_whose_record_the_store_lost_or_damaged_is_put_back_and_renewed_by_a_pass_of_who_holds_it() {
    for is_lost in [true, false] {
        let world = World::new().await;
        let app: mx::App = world.builder().look_again_every(Duration::ZERO).build().unwrap();
        let held = connect(&app, "jo").await;
        let stored = world.store.load(held.key()).await.unwrap().unwrap();
        match is_lost {
            true => assert!(
                world
                    .store
                    .remove(&held.key().storage_id(), stored.revision)
                    .await
                    .unwrap()
            ),
            false => damage(&*world.store, held.key()).await,
        }
        let elsewhere = world.app();
        let done = elsewhere.keep_alive().once().await.unwrap();
        let cannot_be_read = usize::from(!is_lost);
        assert_eq!((done.grants, done.renewed, done.unread.len()), (0, 0, cannot_be_read));
        let done = app.keep_alive().once().await.unwrap();
        assert_eq!((done.grants, done.renewed, done.unread.len()), (1, 0, 0), "{is_lost}");
        assert_eq!(elsewhere.keep_alive().once().await.unwrap().grants, 1);
    }
}

#[tokio::test]
async fn a_pass_brings_no_grant_back_whose_mark_is_over() {
    for how in ["erase", "forget", "revoke"] {
        let world = World::new().await;
        let (app, elsewhere) = (world.app(), world.app());
        let held = connect(&app, "jo-person").await;
        match how {
            "erase" => assert_eq!(elsewhere.erase("jo-person").run().await.unwrap().grants, 1),
            "forget" => elsewhere
                .connection(held.key())
                .await
                .unwrap()
                .unwrap()
                .forget()
                .await
                .unwrap(),
            _ => elsewhere
                .connection(held.key())
                .await
                .unwrap()
                .unwrap()
                .revoke()
                .await
                .unwrap(),
        }
        // The marks live for 90 days, and both look every day.
        for _ in 0..95 {
            world.clock.advance(DAY);
            elsewhere.keep_alive().per_second(1000).once().await.unwrap();
            app.keep_alive().per_second(1000).once().await.unwrap();
        }
        assert_eq!(world.text().await, "", "{how}");
        assert!(world.refreshes().is_empty(), "{how}");
    }
}

#[tokio::test]
async fn a_grant_whose_refresh_token_ends_at_an_unknown_time_is_renewed_when_that_is_asked_for() {
    let world = World::new().await;
    let app: finexer::App = world.builder().build().unwrap();
    connect!(finexer, app.clone(), NO_SCOPES);
    world.clock.advance(DAY * 100);
    let done = app.keep_alive().per_second(1000).once().await.unwrap();
    assert_eq!((done.grants, done.renewed), (1, 0));
    let asked = || app.keep_alive().per_second(1000).unused_for(DAY * 14);
    assert_eq!(asked().once().await.unwrap().renewed, 1);
    assert_eq!(asked().once().await.unwrap().renewed, 0);
    world.clock.advance(DAY * 14);
    assert_eq!(asked().once().await.unwrap().renewed, 1);
    assert_eq!(world.refreshes().len(), 2);
}

#[tokio::test]
async fn an_imported_grant_whose_end_is_unknown_is_renewed_after_a_quarter_of_the_documented_life() {
    let world = World::new().await;
    let import = oauth::ExistingTokens::refresh_token("elsewhere");
    world.app().import("user", import).await.unwrap();
    // Of thirty days.
    for (hours, sent) in [(7 * 24 + 11, 0), (2, 1), (1, 1), (22 * 24, 1), (2 * 24, 2)] {
        world.clock.advance(Duration::from_secs(hours * 3600));
        let done = world.app().keep_alive().per_second(1000).once().await.unwrap();
        assert!(done.failed.is_empty(), "{done:?}");
        assert_eq!(world.refreshes().len(), sent, "after {hours} more hours");
    }
    // What the application asks for is done instead.
    let import = oauth::ExistingTokens::refresh_token("another");
    world.app().import("another", import).await.unwrap();
    world.clock.advance(DAY * 2);
    let asked = world.app().keep_alive().per_second(1000).unused_for(DAY);
    assert_eq!(asked.once().await.unwrap().renewed, 1);
    assert_eq!(world.refreshes()[2], "another");
}

#[tokio::test]
async fn a_process_that_removes_a_mark_puts_its_grant_back_no_more() {
    for erased in [true, false] {
        let world = World::new().await;
        let app = world.app();
        let idle = connect(&app, "user").await;
        // Ended by another process.
        match erased {
            true => {
                let erasure = world.app().erase("user").without_revocation().run().await;
                assert!(erasure.unwrap().is_complete());
            }
            false => {
                let elsewhere = world.app().connection(idle.key()).await.unwrap().unwrap();
                elsewhere.revoke().await.unwrap();
            }
        }
        world.clock.advance(DAY * 91);
        let done = app.keep_alive().per_second(1000).once().await.unwrap();
        assert_eq!(done.tombstones, 1, "{done:?}");
        let error = idle.tokens().fresh().await.unwrap_err();
        assert!(error.reauthorization_required(), "{error}");
        assert_eq!(world.text().await, "", "erased: {erased}");
        assert!(world.refreshes().is_empty());
    }
}

#[tokio::test]
async fn what_is_not_renewed_is_told_and_tried_again_and_a_consent_that_ends_is_told_too() {
    let fails = Arc::new(AtomicUsize::new(0));
    let failing = Arc::clone(&fails);
    let bank = Recorder::with_tokens(
        move |seen, before| match seen.field("grant_type").as_deref() {
            Some("refresh_token") if failing.load(Ordering::SeqCst) > 0 => {
                failing.fetch_sub(1, Ordering::SeqCst);
                Answer::status(429, "{}")
            }
            _ => Answer::json(token(before + 1)),
        },
        |_, _| Answer::json("{}"),
    )
    .await;
    let clock = Arc::new(ManualClock::new());
    let world = World {
        bank,
        store: Arc::new(MemoryStore::with_clock(Arc::clone(&clock) as _)),
        clock,
    };
    let consent = Some(DAY * 90);
    let rotation = Rotation::new(Some(true), None).consent_lifetime(consent);
    let app = || -> mx::App { world.builder().rotation(rotation).build().unwrap() };
    for user in ["one", "two"] {
        connect(&app(), user).await;
    }
    world.clock.advance(DAY * 25);
    fails.store(1, Ordering::SeqCst);
    let pass = async || app().keep_alive().per_second(1000).once().await.unwrap();
    let done = pass().await;
    assert_eq!((done.renewed, done.failed.len()), (1, 1), "{done:?}");
    assert!(matches!(done.failed[0].1, token::Error::Throttled { .. }));
    assert!(done.consents_ending.is_empty());
    let done = pass().await;
    assert_eq!((done.renewed, done.failed.len()), (1, 0), "{done:?}");
    for _ in 0..2 {
        world.clock.advance(DAY * 24);
        pass().await;
    }
    world.clock.advance(DAY * 12);
    let done = pass().await;
    assert_eq!(done.consents_ending.len(), 2, "{done:?}");
    // A grant that is over is not renewed.
    let grants = listed(&app()).await;
    let key = grants.into_iter().next().unwrap().unwrap().key;
    app().connection(&key).await.unwrap().unwrap().revoke().await.unwrap();
    let sent = world.refreshes().len();
    world.clock.advance(DAY * 24);
    assert_eq!(pass().await.grants, 1);
    assert_eq!(world.refreshes().len(), sent + 1);
}

#[tokio::test(start_paused = true)]
async fn renewals_keep_to_their_rate() {
    // In virtual time the server's answers take none.
    let world = World::new().await;
    let app = world.app();
    for number in 0..9 {
        connect(&app, &format!("user-{number}")).await;
    }
    world.clock.advance(DAY * 25);
    let began = tokio::time::Instant::now();
    let done = app.keep_alive().per_second(2).once().await.unwrap();
    assert_eq!(done.renewed, 9, "{done:?}");
    // Half a second after each of them.
    assert!(began.elapsed() >= Duration::from_millis(4500), "{:?}", began.elapsed());
}

#[tokio::test]
async fn the_copy_of_a_damaged_record_goes_with_the_mark_of_its_grant_however_that_ended() {
    for mark_first in [true, false] {
        let world = World::new().await;
        let app: mx::App = world.builder().tombstones_live(DAY * 10).build().unwrap();
        let mut number = 0;
        let key = loop {
            let key = connect(&app, &format!("refused-{number}")).await.key().clone();
            // A walk goes by the ids.
            if (key.storage_id() < key.damaged_copy().storage_id()) == mark_first {
                break key;
            }
            app.erase(&key.subject).run().await.unwrap();
            number += 1;
        };
        let alive = connect(&app, "alive").await.key().clone();
        for key in [&key, &alive] {
            keep_aside(&*world.store, key).await;
        }
        refuse(&world, &key).await;
        world.clock.advance(DAY * 10 - Duration::from_secs(1));
        let pass = async || app.keep_alive().once().await.unwrap();
        pass().await;
        assert!(world.text().await.contains(&key.subject));
        world.clock.advance(Duration::from_secs(2));
        let done = pass().await;
        assert!(done.tombstones >= 1 && done.not_removed.is_empty(), "{done:?}");
        assert!(!world.text().await.contains(&key.subject), "{mark_first}");
        let copy = world.store.load(&alive.damaged_copy()).await.unwrap();
        assert!(copy.is_some(), "the grant is there");
    }
}

#[tokio::test]
async fn a_copy_of_a_damaged_record_goes_where_nothing_is_left_of_its_grant_and_nobody_here_holds_it() {
    let world = World::new().await;
    let app: mx::App = world.builder().look_again_every(Duration::ZERO).build().unwrap();
    let held = connect(&app, "held").await;
    let gone = held.key().clone().subject("gone");
    let stored = world.store.load(held.key()).await.unwrap().unwrap();
    let id = held.key().storage_id();
    assert!(world.store.remove(&id, stored.revision).await.unwrap());
    for key in [&gone, held.key()] {
        keep_aside(&*world.store, key).await;
    }
    let done = app.keep_alive().once().await.unwrap();
    assert_eq!((done.grants, done.not_removed.len()), (1, 0), "{done:?}");
    assert!(world.store.load(&gone.damaged_copy()).await.unwrap().is_none());
    assert!(world.store.load(&held.key().damaged_copy()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_pass_of_one_tenant_puts_no_grant_of_another_one_back() {
    let world = World::new().await;
    let app: mx::App = world.builder().look_again_every(Duration::ZERO).build().unwrap();
    let [one, other] = ["one", "other"].map(|tenant| app.tenant(tenant));
    let held = connect(&other, "jo").await;
    let stored = world.store.load(held.key()).await.unwrap().unwrap();
    let id = held.key().storage_id();
    assert!(world.store.remove(&id, stored.revision).await.unwrap());
    for (app, grants) in [(one, 0), (other, 1)] {
        assert_eq!(app.keep_alive().once().await.unwrap().grants, grants);
        let stored = world.store.load(held.key()).await.unwrap();
        assert_eq!(stored.is_some(), grants == 1);
    }
}

#[tokio::test]
async fn a_pause_is_a_minute_at_least_and_a_year_at_most() {
    let app = World::new().await.app();
    for (set, is) in [
        (Duration::ZERO, "60s"),
        (Duration::from_secs(61), "61s"),
        (DAY * 365, "31536000s"),
        (Duration::MAX, "31536000s"),
    ] {
        let told = format!("{:?}", app.keep_alive().every(set));
        assert!(told.contains(&format!("every: {is},")), "{told}");
    }
}

/// The grant is over because the server refused it.
async fn refuse(world: &World, key: &TokenKey) {
    let stored = world.store.load(key).await.unwrap().unwrap();
    let mut record = token::Record::decode(&stored.bytes).unwrap();
    let at = chrono::DateTime::<chrono::Utc>::from(world.clock.wall());
    let tombstone = format!(
        r#"{{"reason":"refused","at":"{}","generation":1,"holder":"a process"}}"#,
        at.to_rfc3339()
    );
    record.tombstone = Some(serde_json::from_str(&tombstone).unwrap());
    let Leased::Granted(lease) = world.store.lease(key, "a process", DAY).await.unwrap() else {
        panic!("somebody has the lease")
    };
    let next = StoredRecord::new(stored.revision + 1, record.encode());
    let swap = Swap::new(Some(stored.revision), lease.fence, Some(next));
    let swapped = world.store.swap_and_release(key, swap, &lease).await.unwrap();
    assert_eq!(swapped, Swapped::Done);
}
