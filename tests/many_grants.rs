//! Grants of many people: listed, by tenant, erased, damaged, and under another key.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;
#[macro_use]
mod connected;
mod grants_support;
mod grants_world;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use connected::*;
use finrail::token::store::{FileStore, Lease, Leased, MemoryStore, StoredRecord, Swap, Swapped};
use finrail::token::{
    self, Clock as _, ManualClock, PseudonymKey, ReauthorizationReason, StoreError, TokenKey, TokenStore,
};
use finrail::{GrantState, ListedGrant, finexer, mx, oauth, ofx};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use grants_support::*;
use grants_world::*;
use recorder::{Answer, Recorder};

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

#[tokio::test]
async fn a_tenant_is_told_of_its_own_grants_alone() {
    let world = World::new().await;
    let app = world.app();
    let (acme, globex) = (app.tenant("acme"), app.tenant("globex"));
    let watched = [&app, &acme, &globex, &app.tenant(""), &app.tenant("nobody")].map(mx::App::watch);
    let mut of = Vec::new();
    for app in [&acme, &globex, &app] {
        let user = connect(app, "user").await;
        user.tokens()
            .renew(user.tokens().info().unwrap().generation)
            .await
            .unwrap();
        of.push(user.key().clone());
    }
    let expected = [vec![0, 1, 2], vec![0], vec![1], vec![2], vec![]];
    for (mut events, expected) in watched.into_iter().zip(expected) {
        let mut told = BTreeSet::new();
        while let Some(Some(event)) = events.next().now_or_never() {
            told.insert(event.key.unwrap());
        }
        assert_eq!(told, expected.into_iter().map(|at: usize| of[at].clone()).collect());
    }
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
