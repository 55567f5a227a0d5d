//! An application with many grants: they are listed, kept apart by tenant, erased with their person, and kept alive.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;
#[macro_use]
mod connected;
mod grants_support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connected::*;
use finrail::token::store::{FileStore, Lease, Leased, Listed, MemoryStore, StoredRecord, Swap, Swapped};
use finrail::token::{
    self, Clock as _, ManualClock, PseudonymKey, ReauthorizationReason, Rotation, StoreError, TokenKey, TokenStore,
};
use finrail::{AppBuilder, GrantState, ListedGrant, finexer, mx, oauth, ofx};
use futures_util::future::BoxFuture;
use grants_support::*;
use recorder::{Answer, Recorder, token};

struct World {
    bank: Recorder,
    store: Arc<dyn TokenStore>,
    clock: Arc<ManualClock>,
}

impl World {
    async fn new() -> Self {
        Self::over(|clock| Arc::new(MemoryStore::with_clock(clock))).await
    }

    async fn over(store: impl FnOnce(Arc<ManualClock>) -> Arc<dyn TokenStore>) -> Self {
        let clock = Arc::new(ManualClock::new());
        Self {
            bank: Recorder::granting(|_, _| Answer::json("{}")).await,
            store: store(Arc::clone(&clock)),
            clock,
        }
    }

    fn builder<P: finrail::Provider>(&self) -> AppBuilder<P> {
        builder(&self.bank)
            .store(Arc::clone(&self.store))
            .clock(Arc::clone(&self.clock) as _)
    }

    /// The application in a process of its own.
    fn app(&self) -> mx::App {
        self.builder().build().unwrap()
    }

    fn refreshes(&self) -> Vec<String> {
        let requests = self.bank.token_requests();
        let refreshes = requests
            .iter()
            .filter(|request| request.field("grant_type").as_deref() == Some("refresh_token"));
        refreshes
            .map(|request| request.field("refresh_token").unwrap())
            .collect()
    }

    fn revocations(&self) -> Vec<String> {
        let calls = self.bank.calls();
        calls.iter().map(|request| request.field("token").unwrap()).collect()
    }

    /// All that the store has, as text.
    async fn text(&self) -> String {
        let mut text = String::new();
        let mut after = None;
        loop {
            let listed = self.store.list("", after.as_deref()).await.unwrap();
            for listed in listed.records {
                let record = listed.record.unwrap();
                text.push_str(&format!("{} {}\n", listed.id, String::from_utf8_lossy(&record.bytes)));
            }
            match listed.next {
                Some(next) => after = Some(next),
                None => return text,
            }
        }
    }
}

async fn listed(app: &mx::App) -> Vec<Result<ListedGrant, oauth::Error>> {
    let mut grants = app.grants();
    let mut found = Vec::new();
    while let Some(grant) = grants.next().await {
        found.push(grant);
    }
    found
}

async fn subjects(app: &mx::App) -> BTreeSet<String> {
    let found = listed(app).await;
    let subjects: Vec<_> = found.into_iter().map(|grant| grant.unwrap().key.subject).collect();
    let set: BTreeSet<_> = subjects.iter().cloned().collect();
    assert_eq!(set.len(), subjects.len(), "each is listed once");
    set
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[tokio::test]
async fn grants_are_listed_with_what_is_known_of_them() {
    let directory = std::env::temp_dir().join(format!("finrail-many-grants-{}", std::process::id()));
    for on_file in [false, true] {
        let world = World::over(|clock| match on_file {
            true => Arc::new(FileStore::open(&directory).unwrap()),
            false => Arc::new(MemoryStore::with_clock(clock)),
        })
        .await;
        let app = world.app();
        assert!(listed(&app).await.is_empty());
        let alive = connect(&app, "alive").await;
        connect(&app, "revoked").await.revoke().await.unwrap();
        // What is not this application's: another provider's, another client's, its own tokens, an authorization.
        let other: finexer::App = world.builder().build().unwrap();
        connect!(finexer, other, NO_SCOPES);
        let other_client: mx::App = world
            .builder()
            .credentials(mx::Credentials::new("another", "secret"))
            .build()
            .unwrap();
        connect(&other_client, "of another client").await;
        let ofx: ofx::App = world.builder().build().unwrap();
        ofx.client_tokens(["payments"]).unwrap().fresh().await.unwrap();
        app.begin("session", app.authorize(["accounts"]).unwrap())
            .await
            .unwrap();
        let mut own = ofx.grants();
        assert!(own.next().await.is_none());

        let mut found: Vec<ListedGrant> = listed(&world.app()).await.into_iter().map(Result::unwrap).collect();
        found.sort_by(|one, other| one.key.cmp(&other.key));
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0].key, *alive.key());
        assert!(matches!(&found[0].state, GrantState::Alive(info) if *info == alive.info().unwrap()));
        assert!(matches!(
            &found[1].state,
            GrantState::Ended {
                reason: ReauthorizationReason::Revoked,
                ..
            }
        ));
        assert!(!format!("{found:?}").contains("refresh-"), "{found:?}");
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test]
async fn many_grants_are_all_listed() {
    let world = World::new().await;
    let app = world.app();
    let mut names = BTreeSet::new();
    for number in 0..250 {
        let name = format!("user-{number}");
        connect(&app, &name).await;
        names.insert(name);
    }
    assert_eq!(subjects(&world.app()).await, names);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_told_and_the_others_are_listed() {
    let world = World::new().await;
    let app = world.app();
    for user in ["one", "two", "three"] {
        let key = connect(&app, user).await.key().clone();
        if user == "two" {
            damage(&*world.store, &key).await;
        }
    }
    let found = listed(&world.app()).await;
    let (read, unread): (Vec<_>, Vec<_>) = found.into_iter().partition(Result::is_ok);
    assert_eq!((read.len(), unread.len()), (2, 1));
    let error = unread.into_iter().next().unwrap().unwrap_err();
    assert!(
        matches!(
            error,
            oauth::Error::Token(token::Error::Store {
                source: StoreError::Corrupt { .. }
            })
        ),
        "{error:?}"
    );
    // A record under the id of another grant is no grant's.
    let (one, stray) = (read[0].as_ref().unwrap().key.clone(), app_key("stray"));
    let stored = world.store.load(&one).await.unwrap().unwrap();
    world
        .store
        .swap(&stray, Swap::new(None, 0, Some(stored)))
        .await
        .unwrap();
    let found = listed(&world.app()).await;
    assert_eq!(found.iter().filter(|found| found.is_err()).count(), 2);
}

fn app_key(subject: &str) -> TokenKey {
    TokenKey::new("mx", "client", token::GrantKind::AuthorizationCode).subject(subject)
}

#[tokio::test]
async fn tenants_do_not_see_each_other() {
    let world = World::new().await;
    let app = world.app();
    let (acme, globex) = (app.tenant("acme"), app.tenant("globex"));
    let of_acme = connect(&acme, "user").await;
    let of_globex = connect(&globex, "user").await;
    let of_nobody = connect(&app, "user").await;
    let ids: BTreeSet<_> = [&of_acme, &of_globex, &of_nobody]
        .map(|user| user.key().storage_id())
        .into();
    assert_eq!(ids.len(), 3);
    assert_eq!(of_acme.key().tenant, "acme");
    let tokens: BTreeSet<_> = [&of_acme, &of_globex, &of_nobody]
        .map(|user| user.tokens().header().unwrap().header.to_str().unwrap().to_owned())
        .into();
    assert_eq!(tokens.len(), 3);

    // Listed: by tenant, and all of them.
    let keys = async |app: &mx::App| -> BTreeSet<TokenKey> {
        listed(app).await.into_iter().map(|grant| grant.unwrap().key).collect()
    };
    assert_eq!(keys(&acme).await, [of_acme.key().clone()].into());
    assert_eq!(keys(&app.tenant("nobody")).await.len(), 0);
    assert_eq!(keys(&app).await.len(), 3);
    // A tenant whose name is empty is no key to all of them.
    assert_eq!(keys(&app.tenant("")).await, [of_nobody.key().clone()].into());

    // Found: in a process of one's own, by one's own key only.
    let app = world.app();
    for (tenant, key, is_found) in [
        ("acme", of_acme.key(), true),
        ("globex", of_acme.key(), false),
        ("acme", of_nobody.key(), false),
        ("", of_acme.key(), false),
        ("", of_nobody.key(), true),
    ] {
        assert!(app.connection(key).await.unwrap().is_some());
        let found = app.tenant(tenant).connection(key).await;
        match is_found {
            true => assert!(found.unwrap().is_some()),
            false => assert!(matches!(found, Err(oauth::Error::ForeignKey)), "{found:?}"),
        }
    }

    // Finished: for the tenant that it was begun for, whoever keeps it.
    let callback = |pending: &oauth::Pending| format!("{REDIRECT}?code=c&state={}", pending.state().expose_secret());
    let authorization = app.tenant("acme").authorize(["accounts"]).unwrap().subject("new");
    assert_eq!(authorization.pending.tenant(), "acme");
    let back = callback(&authorization.pending);
    let error = app
        .tenant("globex")
        .finish(authorization.pending.clone(), &back)
        .await
        .unwrap_err();
    assert!(matches!(error, oauth::Error::ForeignPending), "{error:?}");
    let error = app
        .tenant("globex")
        .begin("session", authorization.clone())
        .await
        .unwrap_err();
    assert!(matches!(error, oauth::Error::ForeignPending), "{error:?}");
    app.begin("session", authorization).await.unwrap();
    let error = app.tenant("globex").complete("session", &back).await.unwrap_err();
    assert!(matches!(error, oauth::Error::ForeignPending), "{error:?}");
    // The refusal has ended nothing. A callback that names no tenant comes to the application as a whole.
    let connection = app.complete("session", &back).await.unwrap();
    assert_eq!(connection.key().tenant, "acme");

    // The application's own tokens are nobody's in particular.
    let ofx: ofx::App = world.builder().build().unwrap();
    let own = [ofx.clone(), ofx.tenant("acme")].map(|app| app.client_tokens(["payments"]).unwrap().key().clone());
    assert_eq!(own[0], own[1]);

    // An import and a revocation are one tenant's too.
    let tokens = oauth::ExistingTokens::refresh_token("elsewhere");
    let imported = app.tenant("globex").import("imported", tokens).await.unwrap();
    assert_eq!(imported.key().tenant, "globex");
    of_acme.revoke().await.unwrap();
    assert!(app.connection(of_globex.key()).await.unwrap().is_some());
}

#[tokio::test]
async fn of_a_person_who_is_erased_nothing_stays() {
    for keyed in [false, true] {
        let world = World::new().await;
        let app = || {
            let builder = world.builder();
            match keyed {
                true => builder.pseudonym_key(PseudonymKey::new([7; 32])),
                false => builder,
            }
            .build()
            .unwrap()
        };
        let app: [mx::App; 2] = [app(), app()];
        let kept = connect(&app[0], "somebody-else").await;
        let of_tenant = connect(&app[0].tenant("acme"), "erase-me").await;
        let erased = connect(&app[0], "erase-me").await;
        let key = erased.key().clone();
        // The same person's: a second grant, one that is over, a damaged copy, an authorization under way.
        let pending = app[0].authorize(["transactions"]).unwrap().subject("erase-me").pending;
        let callback = format!("{REDIRECT}?code=c&state={}", pending.state().expose_secret());
        app[0].finish(pending, &callback).await.unwrap();
        let pending = app[0].authorize(["customers"]).unwrap().subject("erase-me").pending;
        let callback = format!("{REDIRECT}?code=c&state={}", pending.state().expose_secret());
        app[0].finish(pending, &callback).await.unwrap().forget().await.unwrap();
        keep_aside(&*world.store, &key).await;
        assert!(world.store.load(&key.damaged_copy()).await.unwrap().is_some());
        let begun = app[0].authorize(["accounts"]).unwrap().subject("erase-me");
        let back = format!("{REDIRECT}?code=c&state={}", begun.pending.state().expose_secret());
        app[0].begin("session", begun).await.unwrap();
        let others = app[0].authorize(["accounts"]).unwrap().subject("somebody-else");
        let others_back = format!("{REDIRECT}?code=c&state={}", others.pending.state().expose_secret());
        app[0].begin("session", others).await.unwrap();
        let elsewhere = app[1].connection(&key).await.unwrap().unwrap();

        let report = app[1].erase("erase-me").run().await.unwrap();
        assert!(report.is_complete(), "{report:?}");
        assert_eq!((report.grants, report.authorizations), (2, 1));
        assert_eq!(world.revocations().len(), 2);

        assert!(app[0].complete("session", &back).await.is_err());
        app[0].complete("session", &others_back).await.unwrap();

        let text = world.text().await;
        let left: Vec<_> = text.lines().filter(|line| line.contains("erase-me")).collect();
        assert_eq!(left.len(), 1, "the tenant's: {left:?}");
        assert!(left[0].starts_with(&of_tenant.key().storage_id()));
        assert!(world.store.load(&key.damaged_copy()).await.unwrap().is_none());
        assert_eq!(subjects(&app[0]).await, set(["erase-me", "somebody-else"]));
        // Every process learns of it, and none brings the grant back.
        assert!(app[0].connection(&key).await.unwrap().is_none());
        for connection in [erased, elsewhere] {
            world.clock.advance(Duration::from_secs(3600));
            let error = connection.tokens().fresh().await.unwrap_err();
            assert!(matches!(error, token::Error::NoGrant { .. }), "{error:?}");
        }
        assert_eq!(world.text().await, text);
        // Again: there is nothing more to do. And the person may come back.
        let again = app[0].erase("erase-me").run().await.unwrap();
        assert!(again.is_complete() && again.grants == 0, "{again:?}");
        assert!(kept.tokens().fresh().await.is_ok());
        let back = connect(&app[0], "erase-me").await;
        assert_eq!(back.key().storage_id(), key.storage_id());
        assert!(app[1].connection(back.key()).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_copy_of_a_damaged_record_is_erased_though_its_grant_is_gone() {
    let world = World::new().await;
    let app = world.app();
    let key = connect(&app, "erase-me").await.key().clone();
    keep_aside(&*world.store, &key).await;
    let stored = world.store.load(&key).await.unwrap().unwrap();
    assert!(world.store.remove(&key.storage_id(), stored.revision).await.unwrap());
    let report = world.app().erase("erase-me").run().await.unwrap();
    assert!(report.is_complete() && report.grants == 0, "{report:?}");
    assert!(!world.text().await.contains("erase-me"));
}

#[tokio::test]
async fn a_grant_that_the_provider_does_not_end_is_not_erased_unless_that_is_asked_for() {
    let clock = Arc::new(ManualClock::new());
    let world = World {
        bank: Recorder::granting(|_, _| Answer::status(503, "{}")).await,
        store: Arc::new(MemoryStore::with_clock(Arc::clone(&clock) as _)),
        clock,
    };
    let app = world.app();
    let key = connect(&app, "erase-me").await.key().clone();
    let report = app.erase("erase-me").run().await.unwrap();
    assert!(!report.is_complete() && report.grants == 0);
    let [(left, error)] = &report.unfinished[..] else {
        panic!("{report:?}")
    };
    assert_eq!(*left, key);
    assert!(error.is_retryable(), "{error:?}");
    assert!(app.connection(&key).await.unwrap().is_some());

    let asked = world.revocations().len();
    let report = app.erase("erase-me").without_revocation().run().await.unwrap();
    assert!(report.is_complete() && report.grants == 1, "{report:?}");
    assert_eq!(world.revocations().len(), asked);
    assert!(!world.text().await.contains("erase-me"));
}

#[tokio::test]
async fn a_grant_is_revoked_before_it_is_erased_though_its_damaged_copy_is_found_first() {
    for (status, ends) in [(200, true), (503, false)] {
        let clock = Arc::new(ManualClock::new());
        let world = World {
            bank: Recorder::granting(move |_, _| Answer::status(status, "{}")).await,
            store: Arc::new(MemoryStore::with_clock(Arc::clone(&clock) as _)),
            clock,
        };
        let app = world.app();
        for copy_first in [true, false] {
            let mut number = 0;
            let key = loop {
                let key = connect(&app, &format!("erase-me-{number}")).await.key().clone();
                // A walk goes by the ids.
                if (key.damaged_copy().storage_id() < key.storage_id()) == copy_first {
                    break key;
                }
                number += 1;
            };
            keep_aside(&*world.store, &key).await;
            let asked = world.revocations().len();
            let report = app.erase(&key.subject).run().await.unwrap();
            assert_eq!(
                (report.is_complete(), report.grants),
                (ends, usize::from(ends)),
                "{report:?}"
            );
            assert!(world.revocations().len() > asked);
            let copy = world.store.load(&key.damaged_copy()).await.unwrap();
            let grant = world.app().connection(&key).await.unwrap();
            assert_eq!((copy.is_none(), grant.is_none()), (ends, ends));
            app.erase(&key.subject).without_revocation().run().await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_may_be_the_persons_and_is_told() {
    let world = World::new().await;
    let app = world.app();
    let key = connect(&app, "somebody").await.key().clone();
    damage(&*world.store, &key).await;
    let report = app.erase("erase-me").run().await.unwrap();
    assert!(!report.is_complete());
    assert!(matches!(&report.unread[..], [StoreError::Corrupt { .. }]), "{report:?}");
    let error = app.erase("").run().await.unwrap_err();
    assert!(matches!(error, oauth::Error::NoSubject), "{error:?}");
}

#[tokio::test]
async fn with_a_key_no_mark_names_a_person_and_a_mark_of_another_key_counts() {
    let world = World::new().await;
    let app = |key: u8| -> mx::App {
        let builder = world.builder();
        builder.pseudonym_key(PseudonymKey::new([key; 32])).build().unwrap()
    };
    let own = app(1);
    let keys = [connect(&own, "revoked").await, connect(&own, "forgotten").await];
    keys[0].revoke().await.unwrap();
    keys[1].forget().await.unwrap();
    let text = world.text().await;
    assert!(
        !text.contains("revoked\"") || !text.contains("\"subject\":\"revoked"),
        "{text}"
    );
    assert!(!text.contains("\"subject\":\"forgotten"), "{text}");
    let [revoked, forgotten] = keys.map(|connection| connection.key().clone());
    let error = app(1).connection(&revoked).await.unwrap_err();
    assert!(error.reauthorization_required(), "{error:?}");
    assert!(app(1).connection(&forgotten).await.unwrap().is_none());
    assert!(
        app(2)
            .connection(&revoked)
            .await
            .unwrap_err()
            .reauthorization_required()
    );
    assert!(app(2).connection(&forgotten).await.unwrap().is_none());
    assert_eq!(world.text().await, text, "nothing was written");
    // Whoever comes back is stored, with whatever key.
    connect(&app(2), "forgotten").await;
    assert!(app(1).connection(&forgotten).await.unwrap().is_some());
}

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
        connect(&app, &format!("over-{number}")).await.revoke().await.unwrap();
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

/// A user's own store, which was written before stores could list their records.
struct Earlier(MemoryStore);

impl TokenStore for Earlier {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        self.0.load(key)
    }
    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        self.0.swap(key, swap)
    }
    fn lease<'a>(&'a self, key: &'a TokenKey, by: &'a str, ttl: Duration) -> BoxFuture<'a, Result<Leased, StoreError>> {
        self.0.lease(key, by, ttl)
    }
    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.0.release(key, lease)
    }
}

#[tokio::test]
async fn a_store_that_cannot_list_says_so_and_its_grants_work() {
    let world = World::over(|clock| Arc::new(Earlier(MemoryStore::with_clock(clock)))).await;
    let app = world.app();
    let connection = connect(&app, "user").await;
    world.clock.advance(Duration::from_secs(3600));
    connection.tokens().fresh().await.unwrap();
    assert_eq!(world.refreshes().len(), 1);
    let unsupported = |error: &oauth::Error| {
        let oauth::Error::Token(token::Error::Store { source }) = error else {
            panic!("{error:?}")
        };
        assert!(matches!(source, StoreError::Unsupported { .. }), "{source:?}");
        assert!(source.to_string().contains("cannot list its records"), "{source}");
        assert!(!error.is_retryable());
    };
    let found = listed(&app).await;
    assert_eq!(found.len(), 1);
    unsupported(found[0].as_ref().unwrap_err());
    unsupported(&app.keep_alive().once().await.unwrap_err());
    unsupported(&app.erase("user").run().await.unwrap_err());
    let _ = world.clock.wall();
}

#[tokio::test]
async fn nobody_without_a_name_gets_a_grant() {
    let world = World::new().await;
    let app = world.app();
    let authorization = || app.authorize(["accounts"]).unwrap().subject("");
    let error = app.begin("session", authorization()).await.unwrap_err();
    assert!(matches!(error, oauth::Error::NoSubject), "{error:?}");
    let pending = authorization().pending;
    let callback = format!("{REDIRECT}?code=code-1&state={}", pending.state().expose_secret());
    let error = app.finish(pending, &callback).await.unwrap_err();
    assert!(matches!(error, oauth::Error::NoSubject), "{error:?}");
    let tokens = oauth::ExistingTokens::refresh_token("elsewhere");
    let error = app.import("", tokens).await.unwrap_err();
    assert!(matches!(error, oauth::Error::NoSubject), "{error:?}");
    let omnifund: finrail::omnifund::App = world.builder().build().unwrap();
    let error = omnifund.password("", "password", NO_SCOPES).await.unwrap_err();
    assert!(matches!(error, oauth::Error::NoSubject), "{error:?}");
    let named = app.authorize(["accounts"]).unwrap().subject("user");
    let error = app.begin("", named).await.unwrap_err();
    assert!(matches!(error, oauth::Error::NoSession), "{error:?}");
    assert!(error.to_string().contains("the session is empty"), "{error}");
    assert!(world.bank.seen().is_empty());
    assert!(listed(&app).await.is_empty());
}

#[tokio::test]
async fn a_wrong_password_is_called_one() {
    let bank = Recorder::start(|_, _| Answer::status(400, r#"{"error":"invalid_grant"}"#)).await;
    let app: finrail::omnifund::App = builder(&bank).build().unwrap();
    let error = app.password("user", "wrong", NO_SCOPES).await.unwrap_err();
    assert!(
        error.to_string().contains("check the user's name and password"),
        "{error}"
    );
}

/// Nobody can name the mark of a person who was erased.
#[cfg(feature = "encryption")]
#[tokio::test]
async fn after_a_rotation_of_keys_people_who_were_erased_come_back_and_are_stored() {
    use finrail::token::store::{EncryptedStore, EncryptionKeys};

    const ONE: [u8; 32] = [1; 32];
    const TWO: [u8; 32] = [2; 32];
    let world = World::new().await;
    let app = |keys: EncryptionKeys| -> (mx::App, EncryptedStore) {
        let store = EncryptedStore::new(Arc::clone(&world.store), keys);
        let app = world
            .builder()
            .store(Arc::new(store.clone()))
            .pseudonym_key(PseudonymKey::new([7; 32]))
            .build()
            .unwrap();
        (app, store)
    };
    let (old, _) = app(EncryptionKeys::new(1, ONE));
    connect(&old, "idle").await;
    let erased = connect(&old, "erased").await.key().clone();
    assert!(old.erase("erased").run().await.unwrap().is_complete());
    connect(&old, "revoked").await.revoke().await.unwrap();
    let begun = old.authorize(["accounts"]).unwrap().subject("new");
    let state = begun.pending.state().expose_secret().to_owned();
    old.begin("session", begun).await.unwrap();

    // By the keys of its grants an application reaches one of them.
    let (both, store) = app(EncryptionKeys::new(2, TWO).reads(1, ONE));
    assert_eq!(subjects(&both).await, set(["idle"]));
    let all = store.reencrypt_all().await.unwrap();
    assert!(all.is_complete() && all.done >= 4, "{all:?}");

    let (new, _) = app(EncryptionKeys::new(2, TWO));
    assert_eq!(subjects(&new).await, set(["idle"]));
    connect(&new, "erased").await;
    connect(&new, "revoked").await;
    let callback = format!("{REDIRECT}?code=code-1&state={state}");
    new.complete("session", &callback).await.unwrap();
    new.settled().await;
    let (restarted, _) = app(EncryptionKeys::new(2, TWO));
    assert!(restarted.connection(&erased).await.unwrap().is_some());
    assert_eq!(subjects(&restarted).await, set(["idle", "erased", "revoked", "new"]));
    assert!(restarted.erase("somebody else").run().await.unwrap().is_complete());
    let done = restarted.keep_alive().once().await.unwrap();
    assert!(done.unread.is_empty(), "{done:?}");
}

#[tokio::test]
async fn a_process_that_holds_the_tokens_of_a_damaged_record_finds_the_grant_and_puts_it_back() {
    for way in ["connection", "keep_alive", "grants", "erase somebody else", "import"] {
        let world = World::new().await;
        let app = world.app();
        let tokens = || oauth::ExistingTokens::refresh_token("old").access_token("access", None);
        let held = match way {
            "import" => app.import("held", tokens()).await.unwrap(),
            _ => connect(&app, "held").await,
        };
        let key = held.key().clone();
        let gone = connect(&app, "gone").await.key().clone();
        damage(&*world.store, &key).await;
        damage(&*world.store, &gone).await;
        let found = world.store.load(&key).await.unwrap().unwrap();
        match way {
            "connection" => assert!(app.connection(&key).await.unwrap().is_some()),
            "keep_alive" => {
                let done = app.keep_alive().once().await.unwrap();
                assert_eq!((done.grants, done.unread.len()), (1, 1), "{done:?}");
            }
            "grants" => {
                let listed: Vec<_> = listed(&app).await.into_iter().filter_map(Result::ok).collect();
                assert_eq!(listed.len(), 1);
                assert!(matches!(listed[0].state, GrantState::Alive(_)) && listed[0].key == key);
            }
            "import" => assert!(app.import("held", tokens()).await.is_ok()),
            _ => assert_eq!(app.erase("somebody else").run().await.unwrap().unread.len(), 1),
        }
        // Whoever does not hold the tokens finds them again, and the bytes that were found are kept.
        assert!(world.app().connection(&key).await.unwrap().is_some(), "{way}");
        let copy = world.store.load(&key.damaged_copy()).await.unwrap().unwrap();
        assert!(copy.bytes.ends_with(&found.bytes), "{way}");
        assert!(held.tokens().header().is_some());
        // Nobody holds those of the other one.
        assert!(app.connection(&gone).await.is_err(), "{way}");
    }
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
