//! What encryption at rest does beyond the contract.
#![cfg(feature = "encryption")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod logged;
mod token_support;

use std::sync::Arc;
use std::time::Duration;

use finrail::token::store::{
    EncryptedStore, EncryptionKeys, Leased, MemoryStore, Reencrypted, StoredRecord, Swap, Swapped,
};
use finrail::token::{GrantKind, Renewal, StoreError, TokenHandle, TokenKey, TokenStore};
use token_support::{Bank, FlakyStore, HOUR, STRICT, VirtualClock, secs, text, user, user_key};

const ONE: [u8; 32] = [1; 32];
const TWO: [u8; 32] = [2; 32];
const TEXT: &[u8] = br#"{"refresh_token":"very-secret"}"#;

fn key(subject: &str) -> TokenKey {
    TokenKey::new("mx", "client", GrantKind::AuthorizationCode).subject(subject)
}

async fn put(store: &dyn TokenStore, key: &TokenKey, expected: Option<u64>, record: StoredRecord) {
    let Leased::Granted(lease) = store
        .lease(key, "test", std::time::Duration::from_secs(9))
        .await
        .unwrap()
    else {
        panic!("held");
    };
    let swap = Swap::new(expected, lease.fence, Some(record));
    assert_eq!(store.swap(key, swap).await.unwrap(), Swapped::Done);
    store.release(key, lease).await.unwrap();
}

fn corrupt(outcome: Result<Option<StoredRecord>, StoreError>) -> String {
    let error = outcome.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    std::error::Error::source(&error).unwrap().to_string()
}

#[tokio::test]
async fn the_store_sees_no_secret() {
    let inner = Arc::new(MemoryStore::new());
    let store = EncryptedStore::new(inner.clone(), EncryptionKeys::new(1, ONE));
    put(&store, &key("a"), None, StoredRecord::new(1, TEXT)).await;
    let sealed = inner.load(&key("a")).await.unwrap().unwrap();
    assert!(!sealed.bytes.windows(6).any(|window| window == b"secret"));
    assert_eq!(*store.load(&key("a")).await.unwrap().unwrap().bytes, *TEXT);
}

#[tokio::test]
async fn a_record_cannot_be_moved_or_set_back() {
    let inner = Arc::new(MemoryStore::new());
    let store = EncryptedStore::new(inner.clone(), EncryptionKeys::new(1, ONE));
    put(&store, &key("a"), None, StoredRecord::new(1, TEXT)).await;
    let sealed = inner.load(&key("a")).await.unwrap().unwrap();
    put(&*inner, &key("b"), None, sealed.clone()).await;
    assert!(corrupt(store.load(&key("b")).await).contains("does not decrypt"));
    put(&*inner, &key("a"), Some(1), StoredRecord::new(2, sealed.bytes.clone())).await;
    assert!(corrupt(store.load(&key("a")).await).contains("does not decrypt"));
    for length in 0..sealed.bytes.len() {
        put(
            &*inner,
            &key(&format!("c{length}")),
            None,
            StoredRecord::new(1, &sealed.bytes[..length]),
        )
        .await;
        corrupt(store.load(&key(&format!("c{length}"))).await);
    }
}

/// Whoever knows a record does not write over what cannot be read.
#[tokio::test]
async fn a_record_that_cannot_be_read_is_replaced_by_a_new_login_alone() {
    let inner = Arc::new(MemoryStore::new());
    let store = EncryptedStore::new(inner.clone(), EncryptionKeys::new(1, ONE));
    put(&*inner, &key("a"), None, StoredRecord::new(5, b"torn".as_slice())).await;
    let Leased::Granted(lease) = store.lease(&key("a"), "me", Duration::from_secs(9)).await.unwrap() else {
        panic!("held");
    };
    let swap = |expected| Swap::new(expected, lease.fence, Some(StoredRecord::new(6, TEXT)));
    let refused = store.swap(&key("a"), swap(Some(3))).await;
    assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{refused:?}");
    assert_eq!(*inner.load(&key("a")).await.unwrap().unwrap().bytes, *b"torn");
    assert_eq!(store.swap(&key("a"), swap(None)).await.unwrap(), Swapped::Done);
}

#[tokio::test]
async fn after_a_record_that_was_removed_one_may_begin_anew() {
    let inner = Arc::new(MemoryStore::new());
    let store = EncryptedStore::new(inner, EncryptionKeys::new(1, ONE)).refuse_older();
    put(&store, &key("a"), None, StoredRecord::new(5, TEXT)).await;
    assert!(store.remove(&key("a").storage_id(), 5).await.unwrap());
    put(&store, &key("a"), None, StoredRecord::new(1, TEXT)).await;
    assert_eq!(store.load(&key("a")).await.unwrap().unwrap().revision, 1);
}

#[cfg(feature = "file")]
#[test]
fn what_a_store_can_do_is_what_the_one_behind_it_can() {
    let place = std::env::temp_dir().join(format!("finrail-encrypted-{}", std::process::id()));
    let file = Arc::new(finrail::token::store::FileStore::open(&place).unwrap());
    for inner in [Arc::new(MemoryStore::new()) as Arc<dyn TokenStore>, file] {
        let store = EncryptedStore::new(Arc::clone(&inner), EncryptionKeys::new(1, ONE));
        assert_eq!(store.renews_leases(), inner.renews_leases());
        assert_eq!(store.admission().is_some(), inner.admission().is_some());
        assert_eq!(store.place(), inner.place());
    }
    std::fs::remove_dir_all(&place).unwrap();
}

#[tokio::test]
async fn keys_rotate_without_a_pause() {
    let inner = Arc::new(MemoryStore::new());
    let old = EncryptedStore::new(inner.clone(), EncryptionKeys::new(1, ONE));
    put(&old, &key("a"), None, StoredRecord::new(1, TEXT)).await;
    let both = EncryptedStore::new(inner.clone(), EncryptionKeys::new(2, TWO).reads(1, ONE));
    let record = both.load(&key("a")).await.unwrap().unwrap();
    put(&both, &key("a"), Some(1), StoredRecord::new(2, record.bytes)).await;
    let new = EncryptedStore::new(inner.clone(), EncryptionKeys::new(2, TWO));
    assert_eq!(*new.load(&key("a")).await.unwrap().unwrap().bytes, *TEXT);
    assert!(corrupt(old.load(&key("a")).await).contains("key 2"));
}

#[tokio::test]
async fn the_old_key_can_go_after_a_reencryption() {
    let inner = Arc::new(MemoryStore::new());
    let old = EncryptedStore::new(inner.clone(), EncryptionKeys::new(1, ONE));
    put(&old, &key("idle"), None, StoredRecord::new(7, TEXT)).await;
    put(&*inner, &key("plain"), None, StoredRecord::new(7, TEXT)).await;
    let both = EncryptedStore::new(inner.clone(), EncryptionKeys::new(2, TWO).reads(1, ONE)).accept_plaintext();
    let new = EncryptedStore::new(inner.clone(), EncryptionKeys::new(2, TWO));
    for subject in ["idle", "plain"] {
        let key = key(subject);
        assert!(!corrupt(new.load(&key).await).is_empty());
        assert_eq!(both.reencrypt(&key).await.unwrap(), Reencrypted::Done);
        assert_eq!(both.reencrypt(&key).await.unwrap(), Reencrypted::Current);
        let record = new.load(&key).await.unwrap().unwrap();
        assert_eq!(record, StoredRecord::new(8, TEXT));
        // The lease was given back.
        put(&new, &key, Some(8), StoredRecord::new(9, TEXT)).await;
    }
    assert_eq!(both.reencrypt(&key("nobody")).await.unwrap(), Reencrypted::Absent);
    // What is removed stays removed, and what nobody can read stays as it is.
    assert_eq!(inner.load(&key("nobody")).await.unwrap(), None);
    put(&old, &key("lost"), None, StoredRecord::new(7, TEXT)).await;
    assert!(matches!(
        new.reencrypt(&key("lost")).await,
        Err(StoreError::Corrupt { .. })
    ));
    assert_eq!(*old.load(&key("lost")).await.unwrap().unwrap().bytes, *TEXT);
}

#[tokio::test]
async fn the_old_key_has_nothing_left_to_read_after_a_walk_whatever_the_records_are() {
    let inner = Arc::new(MemoryStore::new());
    let old = EncryptedStore::new(inner.clone(), EncryptionKeys::new(1, ONE));
    let (other, authorization) = (
        TokenKey::new("ofx", "client", GrantKind::ClientCredentials).tenant("acme"),
        TokenKey::new("authorization", "", GrantKind::AuthorizationCode).subject("a hash"),
    );
    let keys = [key("a"), key("a").damaged_copy(), other, authorization];
    for key in &keys {
        put(&old, key, None, StoredRecord::new(7, TEXT)).await;
    }
    for number in 0..250 {
        put(&old, &key(&number.to_string()), None, StoredRecord::new(7, TEXT)).await;
    }
    put(&*inner, &key("plain"), None, StoredRecord::new(7, TEXT)).await;
    let both = EncryptedStore::new(inner.clone(), EncryptionKeys::new(2, TWO).reads(1, ONE));
    put(&both, &key("new"), None, StoredRecord::new(7, TEXT)).await;
    // What this process cannot read, and what somebody works on.
    let lost = EncryptedStore::new(inner.clone(), EncryptionKeys::new(3, [3; 32]));
    put(&lost, &key("lost"), None, StoredRecord::new(7, TEXT)).await;
    let Ok(Leased::Granted(lease)) = old.lease(&key("a"), "a refresh", Duration::from_secs(9)).await else {
        panic!("held")
    };
    let all = both.reencrypt_all().await.unwrap();
    assert_eq!((all.done, all.current, all.busy), (253, 1, 1), "{all:?}");
    let mut failed: Vec<_> = all.failed.iter().map(|(id, _)| id.clone()).collect();
    failed.sort();
    let mut unreadable = [key("plain").storage_id(), key("lost").storage_id()];
    unreadable.sort();
    assert_eq!(failed, unreadable);
    assert!(!all.is_complete());

    // A live process goes on from the revision that it has read.
    let swap = Swap::new(Some(7), lease.fence, Some(StoredRecord::new(8, TEXT)));
    assert_eq!(both.swap(&key("a"), swap).await.unwrap(), Swapped::Done);
    old.release(&key("a"), lease).await.unwrap();
    put(&both, &key("0"), Some(7), StoredRecord::new(8, TEXT)).await;
    let all = both.clone().accept_plaintext().reencrypt_all().await.unwrap();
    assert_eq!((all.done, all.current, all.failed.len()), (1, 255, 1), "{all:?}");
    assert!(!all.is_complete());
    let stored = inner.load(&key("lost")).await.unwrap().unwrap();
    assert!(inner.remove(&key("lost").storage_id(), stored.revision).await.unwrap());
    let again = both.reencrypt_all().await.unwrap();
    assert!(again.is_complete() && again.done == 0, "{again:?}");
    // What is cut still has the number of the current key, and no key opens it.
    let stored = inner.load(&key("0")).await.unwrap().unwrap();
    for length in [12, 40, stored.bytes.len() - 1] {
        let cut = StoredRecord::new(stored.revision, &stored.bytes[..length]);
        assert!(
            inner
                .replace(&key("0").storage_id(), stored.revision, cut)
                .await
                .unwrap()
        );
        let again = both.reencrypt_all().await.unwrap();
        assert_eq!((again.failed.len(), again.is_complete()), (1, false), "{length}");
    }
    assert!(
        inner
            .replace(&key("0").storage_id(), stored.revision, stored)
            .await
            .unwrap()
    );

    let new = EncryptedStore::new(inner.clone(), EncryptionKeys::new(2, TWO));
    for key in keys.iter().chain(&[key("plain"), key("17")]) {
        assert_eq!(*new.load(key).await.unwrap().unwrap().bytes, *TEXT, "{key}");
    }
}

/// It may take hours: whoever looks at the log sees that it goes on.
#[tokio::test]
async fn a_walk_that_encrypts_anew_tells_of_each_thousand_records_and_of_its_end() {
    let inner = Arc::new(MemoryStore::new());
    let keys = || EncryptionKeys::new(2, TWO).reads(1, ONE);
    let (old, both) = (
        EncryptedStore::new(inner.clone(), EncryptionKeys::new(1, ONE)),
        EncryptedStore::new(inner.clone(), keys()),
    );
    for number in 0..1001 {
        put(&old, &key(&number.to_string()), None, StoredRecord::new(1, TEXT)).await;
    }
    let (log, _hears) = logged::Log::events(tracing::Level::INFO);
    assert_eq!(both.reencrypt_all().await.unwrap().done, 1001);
    let told = log.take();
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines.len(), 2, "{told}");
    assert!(
        lines[0].contains("records are being encrypted anew done=1000 current=0"),
        "{told}"
    );
    assert!(lines[1].contains("all records were seen done=1001 current=0"), "{told}");
}

#[tokio::test]
async fn a_walk_that_encrypts_anew_overwrites_nothing_that_was_written_since_it_read() {
    use finrail::token::store::{Lease, Listed};
    use futures_util::future::BoxFuture;

    /// Somebody writes between a step of the walk and what is done with it.
    struct Racing(MemoryStore);

    impl TokenStore for Racing {
        fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
            self.0.load(key)
        }
        fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
            self.0.swap(key, swap)
        }
        fn lease<'a>(
            &'a self,
            key: &'a TokenKey,
            holder: &'a str,
            ttl: Duration,
        ) -> BoxFuture<'a, Result<Leased, StoreError>> {
            self.0.lease(key, holder, ttl)
        }
        fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
            self.0.release(key, lease)
        }
        fn list<'a>(&'a self, ids: &'a str, after: Option<&'a str>) -> BoxFuture<'a, Result<Listed, StoreError>> {
            Box::pin(async move {
                let listed = self.0.list(ids, after).await?;
                let old = EncryptedStore::new(Arc::new(self.0.clone()), EncryptionKeys::new(1, ONE));
                put(&old, &key("a"), Some(1), StoredRecord::new(2, b"newer".as_slice())).await;
                Ok(listed)
            })
        }
        fn replace<'a>(
            &'a self,
            id: &'a str,
            revision: u64,
            next: StoredRecord,
        ) -> BoxFuture<'a, Result<bool, StoreError>> {
            self.0.replace(id, revision, next)
        }
    }

    let inner = MemoryStore::new();
    let old = EncryptedStore::new(Arc::new(inner.clone()), EncryptionKeys::new(1, ONE));
    put(&old, &key("a"), None, StoredRecord::new(1, TEXT)).await;
    let both = EncryptedStore::new(
        Arc::new(Racing(inner.clone())),
        EncryptionKeys::new(2, TWO).reads(1, ONE),
    );
    let all = both.reencrypt_all().await.unwrap();
    assert_eq!((all.done, all.busy), (0, 1), "{all:?}");
    assert!(!all.is_complete());
    assert_eq!(*both.load(&key("a")).await.unwrap().unwrap().bytes, *b"newer");
}

#[tokio::test]
async fn a_store_that_lists_nothing_says_so_and_loses_nothing() {
    let inner = MemoryStore::new();
    let plain: Arc<dyn TokenStore> = Arc::new(token_support::FlakyStore::new(Arc::new(inner.clone())));
    let old = EncryptedStore::new(Arc::clone(&plain), EncryptionKeys::new(1, ONE));
    put(&old, &key("a"), None, StoredRecord::new(1, TEXT)).await;
    let both = EncryptedStore::new(plain, EncryptionKeys::new(2, TWO).reads(1, ONE));
    let error = both.reencrypt_all().await.unwrap_err();
    assert!(matches!(error, StoreError::Unsupported { .. }), "{error:?}");
    assert_eq!(*both.load(&key("a")).await.unwrap().unwrap().bytes, *TEXT);
}

#[tokio::test]
async fn a_reencryption_keeps_off_a_record_that_somebody_works_on() {
    let inner = Arc::new(MemoryStore::new());
    let old = EncryptedStore::new(inner.clone(), EncryptionKeys::new(1, ONE));
    put(&old, &key("a"), None, StoredRecord::new(1, TEXT)).await;
    let refreshing = old
        .lease(&key("a"), "a refresh", std::time::Duration::from_secs(9))
        .await;
    let both = EncryptedStore::new(inner.clone(), EncryptionKeys::new(2, TWO).reads(1, ONE));
    let busy = both.reencrypt(&key("a")).await.unwrap();
    assert!(matches!(busy, Reencrypted::Busy { by, .. } if by == "a refresh"));
    let Ok(Leased::Granted(lease)) = refreshing else {
        panic!("held")
    };
    old.release(&key("a"), lease).await.unwrap();
    assert_eq!(both.reencrypt(&key("a")).await.unwrap(), Reencrypted::Done);
}

#[tokio::test]
async fn plain_records_are_read_only_when_asked_for() {
    let inner = Arc::new(MemoryStore::new());
    put(&*inner, &key("a"), None, StoredRecord::new(1, TEXT)).await;
    let store = EncryptedStore::new(inner.clone(), EncryptionKeys::new(1, ONE));
    assert!(corrupt(store.load(&key("a")).await).contains("not encrypted"));
    assert_eq!(
        *store.accept_plaintext().load(&key("a")).await.unwrap().unwrap().bytes,
        *TEXT
    );
}

#[tokio::test]
async fn an_older_record_in_the_place_of_a_newer_one_is_noticed() {
    let inner = Arc::new(MemoryStore::new());
    let keys = || EncryptionKeys::new(1, ONE);
    let store = EncryptedStore::new(inner.clone(), keys());
    let (strict, reader) = (
        store.clone().refuse_older(),
        EncryptedStore::new(inner.clone(), keys()).refuse_older(),
    );
    put(&store, &key("a"), None, StoredRecord::new(1, TEXT)).await;
    let old = inner.load(&key("a")).await.unwrap().unwrap();
    put(&store, &key("a"), Some(1), StoredRecord::new(2, TEXT)).await;
    assert!(reader.load(&key("a")).await.unwrap().is_some());

    put(&*inner, &key("a"), Some(2), old.clone()).await;
    // By who wrote the newer one, and by who read it; a process that has seen neither knows of nothing.
    for seen in [&strict, &reader] {
        assert!(corrupt(seen.load(&key("a")).await).contains("an older record was put in its place"));
    }
    let started_since = EncryptedStore::new(inner.clone(), keys()).refuse_older();
    assert_eq!(started_since.load(&key("a")).await.unwrap().unwrap().revision, 1);
    // Without being asked to refuse it, what the store holds is what is read: handles put newer tokens back.
    assert_eq!(store.load(&key("a")).await.unwrap().unwrap().revision, 1);

    // A login takes its place.
    put(&strict, &key("a"), None, StoredRecord::new(3, TEXT)).await;
    assert_eq!(strict.load(&key("a")).await.unwrap().unwrap().revision, 3);
}

/// A login is stored over a record that is refused for being older, also one that waited for the store, and a process that is
/// started since finds it. Nothing else goes over that record.
#[tokio::test(start_paused = true)]
async fn a_login_goes_over_an_older_record_that_is_refused_and_a_refresh_does_not() {
    for waits in [false, true] {
        let (bank, clock) = (Bank::new(STRICT), VirtualClock::new());
        let inner = Arc::new(MemoryStore::with_clock(clock.clone()));
        let flaky = Arc::new(FlakyStore::new(inner.clone()));
        let over = |store: Arc<dyn TokenStore>| -> Arc<dyn TokenStore> {
            Arc::new(EncryptedStore::new(store, EncryptionKeys::new(1, ONE)).refuse_older())
        };
        let store = over(flaky.clone());
        let handle = user(&bank, &store, &clock, "a").build();
        handle.adopt(bank.login()).await.unwrap();
        let old = inner.load(&user_key()).await.unwrap().unwrap();
        tokio::time::sleep(HOUR).await;
        handle.fresh().await.unwrap();
        let newer = inner.load(&user_key()).await.unwrap().unwrap();
        assert!(
            inner
                .replace(&user_key().storage_id(), newer.revision, old.clone())
                .await
                .unwrap()
        );

        tokio::time::sleep(HOUR).await;
        assert!(handle.fresh().await.is_err() && handle.revoke().await.is_err());
        assert_eq!(inner.load(&user_key()).await.unwrap().unwrap(), old, "{waits}");
        assert_eq!((bank.requests(), bank.revoked_tokens().len()), (1, 0), "{waits}");

        // Another process of this machine, which has seen the newer one, and holds nothing of it.
        let handle = user(&bank, &store, &clock, "b").build();
        if waits {
            flaky.fail_after_swaps(0);
        }
        assert_eq!(handle.adopt(bank.login()).await.is_err(), waits);
        flaky.heal();
        handle.settled().await;
        let stored = inner.load(&user_key()).await.unwrap().unwrap();
        assert!(stored.revision > newer.revision, "{waits}");
        assert!(inner.load(&user_key().damaged_copy()).await.unwrap().is_none());
        for store in [&store, &over(inner.clone())] {
            let handle = user(&bank, store, &clock, "c").build();
            assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-3", "{waits}");
        }
        tokio::time::sleep(HOUR).await;
        assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-4", "{waits}");
        assert_eq!(bank.sent(), ["refresh-1", "refresh-3"], "{waits}");
    }
}

/// There is nothing in it that does not come anew. A process that is started since finds the token.
#[tokio::test(start_paused = true)]
async fn a_token_that_is_fetched_anew_goes_over_an_older_record_that_is_refused() {
    for holds in [true, false] {
        let (bank, clock) = (Bank::new(STRICT), VirtualClock::new());
        let inner = Arc::new(MemoryStore::with_clock(clock.clone()));
        let over_inner = || -> Arc<dyn TokenStore> {
            Arc::new(EncryptedStore::new(inner.clone(), EncryptionKeys::new(1, ONE)).refuse_older())
        };
        let key = TokenKey::new("bank", "client", GrantKind::ClientCredentials);
        let process = |store: &Arc<dyn TokenStore>| {
            TokenHandle::builder(key.clone(), bank.clone(), Renewal::Anew)
                .store(store.clone())
                .clock(clock.clone())
                .build()
        };
        let store = over_inner();
        let mut handle = process(&store);
        handle.fresh().await.unwrap();
        let old = inner.load(&key).await.unwrap().unwrap();
        tokio::time::sleep(HOUR).await;
        let second = handle.fresh().await.unwrap();
        let newer = inner.load(&key).await.unwrap().unwrap().revision;
        assert!(inner.replace(&key.storage_id(), newer, old).await.unwrap());
        if !holds {
            handle = process(&store);
        }
        tokio::time::sleep(HOUR).await;
        let third = handle.fresh().await.unwrap();
        assert!(!holds || third.generation > second.generation);
        assert!(inner.load(&key).await.unwrap().unwrap().revision > newer, "{holds}");
        for store in [&store, &over_inner()] {
            assert_eq!(text(&process(store).fresh().await.unwrap()), text(&third), "{holds}");
        }
        assert_eq!(bank.requests(), 3, "{holds}");
    }
}

/// What somebody wrote after the login began may be its end.
#[tokio::test(start_paused = true)]
async fn a_login_that_waits_does_not_go_over_an_older_record_that_came_in_the_place_of_one_after_it() {
    let (bank, clock) = (Bank::new(STRICT), VirtualClock::new());
    let inner = Arc::new(MemoryStore::with_clock(clock.clone()));
    let flaky = Arc::new(FlakyStore::new(inner.clone()));
    let sealed = |store: Arc<dyn TokenStore>| EncryptedStore::new(store, EncryptionKeys::new(1, ONE)).refuse_older();
    let shared = sealed(flaky.clone());
    let store: Arc<dyn TokenStore> = Arc::new(shared.clone());
    let handle = user(&bank, &store, &clock, "a").build();
    handle.adopt(bank.login()).await.unwrap();
    let old = inner.load(&user_key()).await.unwrap().unwrap();
    flaky.lose_swaps();
    assert!(handle.adopt(bank.login()).await.is_err());
    // Under the lease of the login, which waits.
    let (fence, later) = (2, old.revision + 1_000_000);
    let record = shared.load(&user_key()).await.unwrap().unwrap();
    let swap = |expected, next| Swap::new(Some(expected), fence, Some(next));
    let written = swap(old.revision, StoredRecord::new(later, record.bytes));
    assert_eq!(
        sealed(inner.clone()).swap(&user_key(), written).await.unwrap(),
        Swapped::Done
    );
    assert_eq!(shared.load(&user_key()).await.unwrap().unwrap().revision, later);
    assert_eq!(
        inner.swap(&user_key(), swap(later, old.clone())).await.unwrap(),
        Swapped::Done
    );
    flaky.heal();
    tokio::time::sleep(secs(60)).await;
    assert_eq!(inner.load(&user_key()).await.unwrap().unwrap(), old);
}

/// The same of a login that waits for the lease, and has looked before.
#[tokio::test(start_paused = true)]
async fn a_login_that_waits_for_its_lease_does_not_go_over_an_older_record_that_came_in_the_place_of_one_after_it() {
    let (bank, clock) = (Bank::new(STRICT), VirtualClock::new());
    let inner = Arc::new(MemoryStore::with_clock(clock.clone()));
    let sealed = || EncryptedStore::new(inner.clone(), EncryptionKeys::new(1, ONE)).refuse_older();
    let shared = sealed();
    let store: Arc<dyn TokenStore> = Arc::new(shared.clone());
    let handle = user(&bank, &store, &clock, "a").build();
    handle.adopt(bank.login()).await.unwrap();
    let old = inner.load(&user_key()).await.unwrap().unwrap();
    let Leased::Granted(lease) = inner.lease(&user_key(), "another", secs(10)).await.unwrap() else {
        panic!("somebody has it");
    };
    let login = tokio::spawn({
        let (handle, reply) = (handle.clone(), bank.login());
        async move { handle.adopt(reply).await }
    });
    tokio::time::sleep(secs(1)).await;
    let later = old.revision + 1_000_000;
    let record = shared.load(&user_key()).await.unwrap().unwrap();
    let swap = |expected, next| Swap::new(Some(expected), lease.fence, Some(next));
    let written = swap(old.revision, StoredRecord::new(later, record.bytes));
    assert_eq!(sealed().swap(&user_key(), written).await.unwrap(), Swapped::Done);
    assert_eq!(shared.load(&user_key()).await.unwrap().unwrap().revision, later);
    let back = swap(later, old.clone());
    assert_eq!(inner.swap(&user_key(), back).await.unwrap(), Swapped::Done);
    inner.release(&user_key(), lease).await.unwrap();
    assert!(login.await.unwrap().is_err());
    tokio::time::sleep(secs(60)).await;
    assert_eq!(inner.load(&user_key()).await.unwrap().unwrap(), old);
}

#[tokio::test]
async fn a_last_swap_that_is_asked_for_again_is_done_though_it_is_encrypted_anew() {
    let inner = Arc::new(MemoryStore::new());
    let store = EncryptedStore::new(inner.clone(), EncryptionKeys::new(1, [7; 32]));
    let key = key("again");
    let lease = |holder: &'static str| async {
        match store.lease(&key, holder, Duration::from_secs(60)).await.unwrap() {
            Leased::Granted(lease) => lease,
            held @ Leased::Held { .. } => panic!("{held:?}"),
        }
    };
    let first = lease("first").await;
    let swap = |bytes: &[u8]| Swap::new(None, first.fence, Some(StoredRecord::new(5, bytes)));
    let end = |bytes| store.swap_and_release(&key, swap(bytes), &first);
    assert_eq!(end(b"one").await.unwrap(), Swapped::Done);
    // While nobody has the lease, and while somebody has the next one.
    assert_eq!(end(b"one").await.unwrap(), Swapped::Done);
    let next = lease("next").await;
    assert_eq!(end(b"one").await.unwrap(), Swapped::Done);
    assert!(matches!(
        store.lease(&key, "late", Duration::from_secs(60)).await.unwrap(),
        Leased::Held { by, .. } if by == "next"
    ));
    // Another record was not made.
    assert_eq!(end(b"two").await.unwrap(), Swapped::Fenced);
    store.release(&key, next).await.unwrap();
    assert_eq!(
        store.load(&key).await.unwrap(),
        Some(StoredRecord::new(5, b"one".as_slice()))
    );
}
