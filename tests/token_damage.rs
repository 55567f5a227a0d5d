//! A record that is cut or has a bit turned, and what only looks like it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod token_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use finrail::token::store::{Lease, Leased, StoreError, StoredRecord, Swap, Swapped};
use finrail::token::{
    Clock, Error, GrantKind, Issuer, MemoryStore, Record, Renewal, TokenHandle, TokenKey, TokenStore,
};
use futures_util::future::BoxFuture;
use token_support::*;

struct World {
    bank: Arc<Bank>,
    clock: Arc<VirtualClock>,
    store: Arc<dyn TokenStore>,
}

impl World {
    fn new() -> Self {
        let clock = VirtualClock::new();
        Self {
            bank: Bank::new(STRICT),
            store: Arc::new(MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>)),
            clock,
        }
    }

    fn process(&self, holder: &str) -> TokenHandle {
        user(&self.bank, &self.store, &self.clock, holder).build()
    }

    async fn stored(&self, key: &TokenKey) -> Option<StoredRecord> {
        self.store.load(key).await.unwrap()
    }

    /// What is stored becomes this.
    async fn overwrite(&self, bytes: &[u8]) {
        put(&*self.store, bytes).await;
    }
}

async fn put(store: &dyn TokenStore, bytes: &[u8]) {
    let Leased::Granted(lease) = store.lease(&user_key(), "a disk", secs(5)).await.unwrap() else {
        panic!("somebody has the lease");
    };
    let seen = store.load(&user_key()).await.unwrap().map(|seen| seen.revision);
    let next = StoredRecord::new(seen.unwrap_or(1), bytes);
    let swap = Swap::new(seen, lease.fence, Some(next));
    assert_eq!(store.swap(&user_key(), swap).await.unwrap(), Swapped::Done);
    store.release(&user_key(), lease).await.unwrap();
}

fn damaged(whole: &[u8]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [0, 1, 7, 60, whole.len() / 2, whole.len() - 1]
        .map(|length| whole[..length].to_vec())
        .to_vec();
    // A bit turned in a brace, in a quote, in the name of a field that must be there, in a digit of a time, and where the
    // record can still be read: in a token, in a count, in the version, in the key.
    for (what, at) in [
        ("refresh-1", 8),
        ("access-1", 0),
        ("\"generation\":1", 13),
        ("\"version\":1", 10),
        ("customer-42", 9),
        ("{", 0),
        ("\"tokens\"", 0),
        ("access_token", 2),
        ("obtained_at\":\"2", 14),
    ] {
        let found = whole
            .windows(what.len())
            .position(|window| window == what.as_bytes())
            .unwrap();
        let mut turned = whole.to_vec();
        // Within the same kind of character where it is a digit of a number.
        turned[found + at] ^= if what.ends_with(":1") { 0x2 } else { 0x40 };
        all.push(turned);
    }
    all.push(b"<html>502</html>".to_vec());
    all.push(b"{\"version\":1}".to_vec());
    all
}

#[tokio::test(start_paused = true)]
async fn a_process_that_holds_the_tokens_puts_them_back_and_keeps_the_damage_aside() {
    let count = {
        let world = World::new();
        world.process("a").adopt(world.bank.login()).await.unwrap();
        damaged(&world.stored(&user_key()).await.unwrap().bytes).len()
    };
    for number in 0..count {
        let world = World::new();
        let handle = world.process("a");
        handle.adopt(world.bank.login()).await.unwrap();
        let bytes = damaged(&world.stored(&user_key()).await.unwrap().bytes).swap_remove(number);
        world.overwrite(&bytes).await;
        tokio::time::sleep(secs(600)).await;
        // A living token is served meanwhile.
        assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-1");
        tokio::time::sleep(HOUR).await;
        assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2", "{number}");
        assert_eq!(world.bank.sent(), ["refresh-1"]);
        let stored = world.stored(&user_key()).await.unwrap();
        assert_eq!(Record::decode(&stored.bytes).unwrap().generation(), 2);
        let aside = world.stored(&user_key().damaged_copy()).await.unwrap();
        assert_eq!(*aside.bytes, *copy_of(&bytes), "{number}");
        // Another process goes on with what was put back.
        tokio::time::sleep(HOUR).await;
        world.process("b").fresh().await.unwrap();
        handle.forget().await.unwrap();
        assert!(world.stored(&user_key().damaged_copy()).await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn who_looks_a_grant_up_puts_back_the_tokens_that_this_process_holds() {
    let world = World::new();
    let handle = world.process("a");
    handle.adopt(world.bank.login()).await.unwrap();
    let bytes = b"{\"version\":1,\"tok";
    world.overwrite(bytes).await;
    assert!(world.process("b").load().await.is_err());
    // While somebody else works on the grant, it is there, and nothing is put back.
    let lease = world.store.lease(&user_key(), "somebody", secs(5)).await.unwrap();
    assert!(matches!(lease, Leased::Granted(_)));
    assert!(handle.load().await.unwrap().is_some());
    assert!(world.process("b").load().await.is_err());
    tokio::time::sleep(secs(6)).await;
    assert!(handle.load().await.unwrap().is_some());
    assert!(world.process("b").load().await.unwrap().is_some());
    let aside = world.stored(&user_key().damaged_copy()).await.unwrap();
    assert_eq!(*aside.bytes, *copy_of(bytes));
    assert!(world.bank.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_revocation_and_a_login_go_over_damage_and_a_revocation_leaves_no_copy() {
    let world = World::new();
    let handle = world.process("a");
    handle.adopt(world.bank.login()).await.unwrap();
    world.overwrite(b"{\"version\":1,\"tok").await;
    handle.revoke().await.unwrap();
    // With the record went the word of a request that may have spent the refresh token.
    assert_eq!(world.bank.revoked_tokens(), ["refresh-1", "access-1"]);
    assert!(world.stored(&user_key().damaged_copy()).await.is_none());

    world.overwrite(b"{\"version\":1,\"tok").await;
    let restarted = world.process("b");
    let error = restarted.fresh().await.unwrap_err();
    assert!(matches!(error, Error::Store { .. }) && !error.is_retryable(), "{error}");
    restarted.adopt(world.bank.login()).await.unwrap();
    restarted.fresh().await.unwrap();
    let aside = world.stored(&user_key().damaged_copy()).await.unwrap();
    assert_eq!(*aside.bytes, *copy_of(b"{\"version\":1,\"tok"));
}

/// A store without room for anything but the record of the grant.
struct Full {
    store: Arc<dyn TokenStore>,
    is_full: AtomicBool,
}

impl TokenStore for Full {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        self.store.load(key)
    }
    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        if self.is_full.load(Ordering::SeqCst) && *key != user_key() {
            return Box::pin(async { Err(StoreError::unavailable("take the write", "the disk is full")) });
        }
        self.store.swap(key, swap)
    }
    fn lease<'a>(&'a self, key: &'a TokenKey, by: &'a str, ttl: Duration) -> BoxFuture<'a, Result<Leased, StoreError>> {
        self.store.lease(key, by, ttl)
    }
    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.store.release(key, lease)
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_that_wait_to_be_stored_go_over_damage_as_soon_as_that_is_kept_aside() {
    const DAMAGE: &[u8] = b"{\"version\":1,\"tok";
    let world = World::new();
    let full = Arc::new(Full {
        store: Arc::clone(&world.store),
        is_full: AtomicBool::new(true),
    });
    let flaky = Arc::new(FlakyStore::new(Arc::clone(&full) as Arc<dyn TokenStore>));
    let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    world.bank.faults([Fault::Slow(secs(1))]);
    let refresh = tokio::spawn({
        let handle = handle.clone();
        async move { handle.fresh().await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    flaky.lose_swaps();
    assert_eq!(text(&refresh.await.unwrap().unwrap()), "Bearer access-2");
    // Until its lease has run out.
    tokio::time::sleep(secs(120)).await;
    world.overwrite(DAMAGE).await;
    flaky.heal();
    tokio::time::sleep(secs(60)).await;
    assert_eq!(*world.stored(&user_key()).await.unwrap().bytes, *DAMAGE);
    full.is_full.store(false, Ordering::SeqCst);
    tokio::time::timeout(secs(60), handle.settled()).await.unwrap();
    let stored = world.stored(&user_key()).await.unwrap();
    assert_eq!(Record::decode(&stored.bytes).unwrap().generation(), 2);
    let aside = world.stored(&user_key().damaged_copy()).await.unwrap();
    assert_eq!(*aside.bytes, *copy_of(DAMAGE));
}

/// What is kept of a damaged record: it says whose it was, and has every byte that was found.
fn copy_of(found: &[u8]) -> Vec<u8> {
    let key = serde_json::to_vec(&user_key()).unwrap();
    [b"finrail damaged record\n".as_slice(), &key, b"\n", found].concat()
}

/// Nothing is written over a record that another version, another key or another setting can read.
async fn writes_nothing(world: &World, handle: &TokenHandle, told: &str) {
    let before = world.stored(&user_key()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    let error = handle.fresh().await.unwrap_err();
    let Error::Store { source } = &error else {
        panic!("{error}");
    };
    assert!(matches!(source, StoreError::Corrupt { damage: None, .. }), "{source:?}");
    let why = std::error::Error::source(source).unwrap().to_string();
    assert!(why.contains(told), "{why}");
    assert!(handle.revoke().await.is_err());
    assert!(handle.adopt(world.bank.login()).await.is_err());
    tokio::time::sleep(secs(30)).await;
    assert_eq!(world.stored(&user_key()).await.unwrap(), before);
    assert!(world.stored(&user_key().damaged_copy()).await.is_none());
    assert_eq!(world.bank.requests(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_newer_version_wrote_is_no_damage() {
    for bytes in [
        &b"{\"version\":2,\"something\":\"else\"}"[..],
        b"{\"version\":4294967295}",
    ] {
        let world = World::new();
        let handle = world.process("a");
        handle.adopt(world.bank.login()).await.unwrap();
        world.overwrite(bytes).await;
        writes_nothing(&world, &handle, "a newer finrail wrote").await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_record_of_another_key_is_no_damage() {
    let world = World::new();
    let handle = world.process("a");
    handle.adopt(world.bank.login()).await.unwrap();
    let stored = world.stored(&user_key()).await.unwrap();
    let mut record = Record::decode(&stored.bytes).unwrap();
    record.key = record.key.clone().subject("customer-43");
    world.overwrite(&record.encode()).await;
    writes_nothing(&world, &handle, "another key").await;
}

#[cfg(feature = "encryption")]
mod encrypted {
    use finrail::token::store::{EncryptedStore, EncryptionKeys};

    use super::*;

    fn sealed(world: &World, id: u32, key: [u8; 32]) -> Arc<dyn TokenStore> {
        Arc::new(EncryptedStore::new(
            Arc::clone(&world.store),
            EncryptionKeys::new(id, key),
        ))
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_decrypt_is_no_damage() {
        for (id, key, told) in [(2, [7; 32], "key"), (1, [8; 32], "does not decrypt")] {
            let world = World::new();
            let (right, wrong) = (sealed(&world, 1, [7; 32]), sealed(&world, id, key));
            let handle = user(&world.bank, &wrong, &world.clock, "a").build();
            handle.adopt(world.bank.login()).await.unwrap();
            // Somebody with the right keys has written since.
            let elsewhere = World {
                store: Arc::clone(&right),
                ..World::new()
            };
            let other = user(&world.bank, &elsewhere.store, &world.clock, "b").build();
            other.forget().await.unwrap();
            other.adopt(world.bank.login()).await.unwrap();
            writes_nothing(&world, &handle, told).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn plain_text_under_encryption_and_the_reverse_are_no_damage() {
        let world = World::new();
        let encrypted = sealed(&world, 1, [7; 32]);
        let handle = user(&world.bank, &encrypted, &world.clock, "a").build();
        handle.adopt(world.bank.login()).await.unwrap();
        let was_encrypted = world.stored(&user_key()).await.unwrap().bytes;
        let plain = world.process("b");
        world.overwrite(b"{\"version\":1}").await;
        writes_nothing(&world, &handle, "").await;

        let world = World::new();
        let plain_here = user(&world.bank, &world.store, &world.clock, "c").build();
        plain_here.adopt(world.bank.login()).await.unwrap();
        world.overwrite(&was_encrypted).await;
        writes_nothing(&world, &plain_here, "encrypted").await;
        drop(plain);
    }
}

/// Two processes that hold the tokens of a login.
async fn two_processes(world: &World) -> (TokenHandle, TokenHandle) {
    let (a, b) = (world.process("a"), world.process("b"));
    a.adopt(world.bank.login()).await.unwrap();
    b.fresh().await.unwrap();
    (a, b)
}

#[tokio::test(start_paused = true)]
async fn over_a_damaged_record_goes_who_wrote_it_and_nobody_who_holds_older_tokens() {
    for cut in [0, 60] {
        let world = World::new();
        let (a, b) = two_processes(&world).await;
        tokio::time::sleep(HOUR).await;
        assert_eq!(text(&a.fresh().await.unwrap()), "Bearer access-2");
        let bytes = world.stored(&user_key()).await.unwrap().bytes[..cut].to_vec();
        world.overwrite(&bytes).await;
        for _ in 0..3 {
            let error = b.fresh().await.unwrap_err();
            assert!(matches!(error, Error::Store { .. }) && !error.is_retryable(), "{error}");
            b.load().await.unwrap();
            b.revoke().await.unwrap_err();
            tokio::time::sleep(secs(600)).await;
        }
        assert_eq!(*world.stored(&user_key()).await.unwrap().bytes, *bytes);
        a.load().await.unwrap();
        assert_eq!(text(&b.fresh().await.unwrap()), "Bearer access-2");
        tokio::time::sleep(HOUR).await;
        assert_eq!(text(&b.fresh().await.unwrap()), "Bearer access-3");
        assert_eq!(world.bank.sent(), ["refresh-1", "refresh-2"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_damaged_record_in_which_the_refresh_token_still_stands_is_put_back_whoever_wrote_it() {
    for is_left in [true, false] {
        let world = World::new();
        let (a, b) = two_processes(&world).await;
        tokio::time::sleep(HOUR).await;
        world.bank.faults([Fault::Unavailable]);
        a.fresh().await.unwrap_err();
        drop(a);
        let mut bytes = world.stored(&user_key()).await.unwrap().bytes.to_vec();
        match is_left {
            true => bytes[0] ^= 0x40,
            false => bytes.clear(),
        }
        world.overwrite(&bytes).await;
        tokio::time::sleep(secs(600)).await;
        match is_left {
            true => assert_eq!(text(&b.fresh().await.unwrap()), "Bearer access-2"),
            false => assert!(matches!(b.fresh().await, Err(Error::Store { .. }))),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_whose_refresh_failed_knows_what_it_wrote_after_that() {
    let world = World::new();
    let handle = world.process("a");
    handle.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    world.bank.faults([Fault::Unavailable]);
    handle.fresh().await.unwrap_err();
    world.overwrite(b"").await;
    tokio::time::sleep(secs(600)).await;
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
}

#[tokio::test(start_paused = true)]
async fn a_damaged_mark_of_an_end_brings_no_grant_back_and_who_ended_it_marks_it_again() {
    for revoke in [true, false] {
        let world = World::new();
        let (a, b) = two_processes(&world).await;
        match revoke {
            true => a.revoke().await.unwrap(),
            false => a.forget().await.unwrap(),
        }
        world.overwrite(b"{\"version\":1,\"tok").await;
        tokio::time::sleep(HOUR).await;
        assert!(matches!(b.fresh().await, Err(Error::Store { .. })));
        tokio::time::sleep(HOUR).await;
        assert!(matches!(b.fresh().await, Err(Error::Store { .. })));
        let restarted = world.process("c");
        assert!(matches!(restarted.load().await, Err(Error::Store { .. })));
        assert!(a.fresh().await.unwrap_err().reauthorization_required());
        let stored = world.stored(&user_key()).await.unwrap();
        let record = Record::decode(&stored.bytes).unwrap();
        assert!(record.tombstone.is_some() && record.tokens.is_none());
        assert!(world.stored(&user_key().damaged_copy()).await.is_none());
        tokio::time::sleep(secs(60)).await;
        let error = b.fresh().await.unwrap_err();
        assert!(error.reauthorization_required(), "{revoke}: {error:?}");
        assert!(world.bank.sent().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_an_older_copy_of_the_store_brings_back_is_ended_again_by_who_ended_it_and_not_over_a_login() {
    for login_since in [false, true] {
        let world = World::new();
        let (a, b) = two_processes(&world).await;
        let copy = world.stored(&user_key()).await.unwrap();
        a.forget().await.unwrap();
        world.overwrite(&copy.bytes).await;
        match login_since {
            true => drop(b.adopt(world.bank.login()).await.unwrap()),
            false => {
                tokio::time::sleep(HOUR).await;
                assert_eq!(text(&b.fresh().await.unwrap()), "Bearer access-2");
            }
        }
        match login_since {
            true => {
                assert_eq!(text(&a.fresh().await.unwrap()), "Bearer access-2");
                assert!(a.load().await.unwrap().is_some());
            }
            false => {
                assert!(a.load().await.unwrap().is_none());
                assert!(a.fresh().await.unwrap_err().reauthorization_required());
                assert!(a.header().is_none());
                let stored = world.stored(&user_key()).await.unwrap();
                assert!(Record::decode(&stored.bytes).unwrap().tombstone.is_some());
                tokio::time::sleep(secs(600)).await;
                assert!(b.fresh().await.unwrap_err().reauthorization_required());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_whose_number_alone_is_damaged_is_numbered_anew_whoever_finds_it() {
    let world = World::new();
    let (a, b) = two_processes(&world).await;
    tokio::time::sleep(HOUR).await;
    a.fresh().await.unwrap();
    let numberless = Numberless::of(&world.store);
    let store = Arc::clone(&numberless) as Arc<dyn TokenStore>;
    drop((a, b));
    let stranger = user(&world.bank, &store, &world.clock, "c").build();
    assert_eq!(stranger.load().await.unwrap().unwrap().generation, 2);
    assert!(!numberless.is_damaged.load(Ordering::SeqCst));
    tokio::time::sleep(HOUR).await;
    assert_eq!(text(&stranger.fresh().await.unwrap()), "Bearer access-3");
    assert_eq!(world.bank.sent(), ["refresh-1", "refresh-2"]);
}

/// A store that has lost the number of a record, until one is written: as those behind a server do.
struct Numberless {
    store: Arc<dyn TokenStore>,
    is_damaged: AtomicBool,
}

impl Numberless {
    fn of(store: &Arc<dyn TokenStore>) -> Arc<Self> {
        Arc::new(Self {
            store: Arc::clone(store),
            is_damaged: AtomicBool::new(true),
        })
    }
}

impl TokenStore for Numberless {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        Box::pin(async move {
            let stored = self.store.load(key).await?;
            match stored.filter(|_| self.is_damaged.load(Ordering::SeqCst) && *key == user_key()) {
                Some(stored) => {
                    let mut error = StoreError::damaged("the revision is no number");
                    if let StoreError::Corrupt {
                        damage: Some(damage), ..
                    } = &mut error
                    {
                        damage.bytes = Some(stored.bytes);
                        damage.kept_aside = false;
                    }
                    Err(error)
                }
                None => self.store.load(key).await,
            }
        })
    }
    fn swap<'a>(&'a self, key: &'a TokenKey, mut swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(async move {
            if swap.expected.is_none() && *key == user_key() && self.is_damaged.load(Ordering::SeqCst) {
                swap.expected = self.store.load(key).await?.map(|stored| stored.revision);
                let swapped = self.store.swap(key, swap).await?;
                self.is_damaged.store(swapped != Swapped::Done, Ordering::SeqCst);
                return Ok(swapped);
            }
            self.store.swap(key, swap).await
        })
    }
    fn lease<'a>(&'a self, key: &'a TokenKey, by: &'a str, ttl: Duration) -> BoxFuture<'a, Result<Leased, StoreError>> {
        self.store.lease(key, by, ttl)
    }
    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.store.release(key, lease)
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_that_wait_go_over_no_damage_that_was_written_after_they_came() {
    for ends_with in ["a revocation", "forgotten", "a login"] {
        let world = World::new();
        let a = world.process("a");
        a.adopt(world.bank.login()).await.unwrap();
        let flaky = Arc::new(FlakyStore::new(Arc::clone(&world.store)));
        let b = user(
            &world.bank,
            &(Arc::clone(&flaky) as Arc<dyn TokenStore>),
            &world.clock,
            "bb",
        )
        .build();
        b.fresh().await.unwrap();
        tokio::time::sleep(HOUR).await;
        world.bank.faults([Fault::Slow(secs(1))]);
        let refresh = tokio::spawn({
            let b = b.clone();
            async move { b.fresh().await }
        });
        tokio::time::sleep(Duration::from_millis(500)).await;
        flaky.lose_swaps();
        assert_eq!(text(&refresh.await.unwrap().unwrap()), "Bearer access-2");
        tokio::time::sleep(secs(120)).await;
        match ends_with {
            "a revocation" => a.revoke().await.unwrap(),
            "forgotten" => a.forget().await.unwrap(),
            _ => drop(a.adopt(world.bank.login()).await.unwrap()),
        }
        let written = world.stored(&user_key()).await.unwrap();
        world.overwrite(&written.bytes[..written.bytes.len() / 2]).await;
        flaky.heal();
        tokio::time::sleep(secs(120)).await;
        let left = world.stored(&user_key()).await.unwrap().bytes;
        assert!(Record::decode(&left).is_err(), "{ends_with}: nobody knows what it was");
        // Who knows it puts it right, and then the tokens give way.
        let _ = a.load().await;
        tokio::time::timeout(secs(60), b.settled()).await.unwrap();
        let record = Record::decode(&world.stored(&user_key()).await.unwrap().bytes).unwrap();
        assert_eq!(record.tombstone.is_some(), ends_with != "a login", "{ends_with}");
        assert_eq!(record.tokens.is_some(), ends_with == "a login", "{ends_with}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mark_over_what_nobody_could_read_ends_every_login_that_has_not_seen_it() {
    for (is_lost, clock_is_behind) in [(false, false), (true, false), (false, true), (true, true)] {
        let world = World::new();
        let a = world.process("a");
        a.adopt(world.bank.login()).await.unwrap();
        let b = world.process("b");
        b.adopt(world.bank.login()).await.unwrap();
        tokio::time::sleep(secs(10)).await;
        world.lose_or_cut(is_lost).await;
        if clock_is_behind {
            world.clock.jump(-30);
        }
        a.forget().await.unwrap();
        if clock_is_behind {
            world.clock.jump(30);
        }
        tokio::time::sleep(HOUR).await;
        assert!(b.fresh().await.is_err(), "{is_lost} {clock_is_behind}");
        assert!(a.fresh().await.is_err());
        assert!(world.bank.sent().is_empty());
        // A login that comes after it is none of its business, whatever its clock says.
        world.clock.jump(-30);
        b.adopt(world.bank.login()).await.unwrap();
        assert_eq!(text(&b.fresh().await.unwrap()), "Bearer access-3");
        tokio::time::sleep(secs(60)).await;
        assert_eq!(text(&a.fresh().await.unwrap()), "Bearer access-3");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mark_over_a_damaged_record_ends_the_login_that_was_in_it_where_that_is_known() {
    for is_known in [true, false] {
        let world = World::new();
        let (a, b) = two_processes(&world).await;
        let seen = world.stored(&user_key()).await.unwrap();
        let login = Record::decode(&seen.bytes).unwrap().tokens.unwrap().lineage;
        assert!(login.is_some());
        world.overwrite(b"{\"version\":1,\"tok").await;
        match is_known {
            true => a.forget().await.unwrap(),
            false => world.process("c").forget().await.unwrap(),
        }
        let mark = world.stored(&user_key()).await.unwrap();
        let end = Record::decode(&mark.bytes).unwrap().tombstone.unwrap();
        assert_eq!(end.unseen, !is_known);
        assert_eq!(end.lineage == login, is_known, "otherwise it has one of its own");
        drop((a, b));
    }
}

impl World {
    async fn lose_or_cut(&self, is_lost: bool) {
        if !is_lost {
            return self.overwrite(b"{\"version\":1,\"tok").await;
        }
        let Leased::Granted(lease) = self.store.lease(&user_key(), "a disk", secs(5)).await.unwrap() else {
            panic!("somebody has the lease");
        };
        let seen = self.stored(&user_key()).await.map(|seen| seen.revision);
        let swap = Swap::new(seen, lease.fence, None);
        assert_eq!(self.store.swap(&user_key(), swap).await.unwrap(), Swapped::Done);
        self.store.release(&user_key(), lease).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_is_forgotten_again_after_its_mark_was_lost_stays_forgotten() {
    let world = World::new();
    let (a, b) = two_processes(&world).await;
    a.forget().await.unwrap();
    world.lose_or_cut(true).await;
    a.forget().await.unwrap();
    tokio::time::sleep(HOUR).await;
    assert!(b.fresh().await.is_err() && a.fresh().await.is_err());
    assert!(world.bank.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_revocation_ends_what_an_older_copy_brought_back_and_what_others_hold() {
    let world = World::new();
    let (a, b) = two_processes(&world).await;
    let copy = world.stored(&user_key()).await.unwrap();
    a.forget().await.unwrap();
    world.overwrite(&copy.bytes).await;
    a.revoke().await.unwrap();
    assert!(world.bank.revoked_tokens().contains(&"refresh-1".to_owned()));
    assert!(b.load().await.is_err());

    // Who held older tokens when it revoked leaves the newer ones to those who hold them.
    let world = World::new();
    let (a, b) = two_processes(&world).await;
    tokio::time::sleep(HOUR).await;
    b.fresh().await.unwrap();
    world.lose_or_cut(true).await;
    a.revoke().await.unwrap();
    assert!(!world.bank.revoked_tokens().contains(&"refresh-2".to_owned()));
    tokio::time::sleep(secs(600)).await;
    assert!(b.fresh().await.is_err());
    tokio::time::sleep(secs(60)).await;
    assert!(world.bank.revoked_tokens().contains(&"refresh-2".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_a_store_lost_is_not_sent_before_every_process_had_the_time_to_look() {
    let world = World::new();
    let (a, b) = two_processes(&world).await;
    tokio::time::sleep(HOUR).await;
    b.fresh().await.unwrap();
    let calls = called_each_second(&b);
    tokio::time::sleep(secs(3)).await;
    world.lose_or_cut(true).await;
    let bearer = a.fresh().await.unwrap();
    assert_eq!(text(&bearer), "Bearer access-2");
    assert_eq!(world.bank.sent(), ["refresh-1"]);
    calls.abort();
}

#[tokio::test(start_paused = true)]
async fn a_damaged_record_of_client_credentials_is_written_anew() {
    let world = World::new();
    let key = TokenKey::new("ofx", "client-1", GrantKind::ClientCredentials);
    let service = || {
        TokenHandle::builder(key.clone(), Arc::clone(&world.bank) as Arc<dyn Issuer>, Renewal::Anew)
            .store(Arc::clone(&world.store))
            .clock(Arc::clone(&world.clock) as Arc<dyn Clock>)
            .build()
    };
    let (one, other) = (service(), service());
    one.fresh().await.unwrap();
    let stored = world.stored(&key).await.unwrap();
    let Leased::Granted(lease) = world.store.lease(&key, "a disk", secs(5)).await.unwrap() else {
        panic!("somebody has the lease");
    };
    let cut = StoredRecord::new(stored.revision, b"{".as_slice());
    let swap = Swap::new(Some(stored.revision), lease.fence, Some(cut));
    assert_eq!(world.store.swap(&key, swap).await.unwrap(), Swapped::Done);
    world.store.release(&key, lease).await.unwrap();
    tokio::time::sleep(HOUR).await;
    let (first, second) = (one.fresh().await.unwrap(), other.fresh().await.unwrap());
    assert_eq!(text(&first), text(&second), "one of them has asked");
    assert!(Record::decode(&world.stored(&key).await.unwrap().bytes).is_ok());
    one.revoke().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_login_after_a_lost_mark_is_taken_by_who_knows_the_end_though_its_clock_is_behind() {
    for revoke in [true, false] {
        let world = World::new();
        let a = world.process("a");
        a.adopt(world.bank.login()).await.unwrap();
        tokio::time::sleep(secs(5)).await;
        match revoke {
            true => a.revoke().await.unwrap(),
            false => a.forget().await.unwrap(),
        }
        world.lose_or_cut(true).await;
        world.clock.jump(-30);
        let b = world.process("b");
        b.adopt(world.bank.login()).await.unwrap();
        world.clock.jump(30);
        tokio::time::sleep(secs(60)).await;
        assert_eq!(text(&a.fresh().await.unwrap()), "Bearer access-2");
        assert!(b.load().await.unwrap().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_login_replaced_is_revoked_though_its_record_was_lost_or_damaged() {
    for is_lost in [true, false] {
        let world = World::new();
        let handle = user(&world.bank, &world.store, &world.clock, "a")
            .revoke_replaced(true)
            .build();
        handle.adopt(world.bank.login()).await.unwrap();
        world.lose_or_cut(is_lost).await;
        handle.adopt(world.bank.login()).await.unwrap();
        handle.settled().await;
        assert_eq!(world.bank.revoked_tokens(), ["refresh-1"], "{is_lost}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_damaged_mark_of_a_refusal_sends_nothing_again() {
    let world = World::new();
    let (a, b) = two_processes(&world).await;
    tokio::time::sleep(HOUR).await;
    world.bank.withdraw();
    a.fresh().await.unwrap_err();
    let mut bytes = world.stored(&user_key()).await.unwrap().bytes.to_vec();
    bytes[0] ^= 0x40;
    world.overwrite(&bytes).await;
    assert!(matches!(b.fresh().await, Err(Error::Store { .. })));
    assert_eq!(world.bank.sent(), ["refresh-1"]);
    // Who wrote the mark writes it again, and keeps what it found: nobody meant the grant to leave nothing.
    assert!(a.load().await.unwrap_err().reauthorization_required());
    let stored = Record::decode(&world.stored(&user_key()).await.unwrap().bytes).unwrap();
    assert!(stored.tombstone.is_some());
    let aside = world.stored(&user_key().damaged_copy()).await.unwrap();
    assert_eq!(*aside.bytes, *copy_of(&bytes));
}

fn files(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_written_again_over_a_damaged_file_leaves_no_token_and_no_name() {
    for (revoke, load) in [(true, true), (true, false), (false, true), (false, false)] {
        for is_cut in [true, false] {
            let what = format!("revoke {revoke}, load {load}, cut {is_cut}");
            let directory = std::env::temp_dir().join(format!("finrail-ends-{}", uuid::Uuid::new_v4()));
            std::fs::create_dir_all(&directory).unwrap();
            let mut world = World::new();
            world.store = Arc::new(finrail::token::store::FileStore::open(&directory).unwrap());
            let handle = world.process("a");
            handle.adopt(world.bank.login()).await.unwrap();
            let is_record = |path: &std::path::PathBuf| path.extension().is_some_and(|name| name == "token");
            let path = files(&directory).into_iter().find(is_record).unwrap();
            let mut older = std::fs::read(&path).unwrap();
            tokio::time::sleep(secs(10)).await;
            match revoke {
                true => handle.revoke().await.unwrap(),
                false => handle.forget().await.unwrap(),
            }
            // A copy of the directory is played back, and its file is damaged.
            match is_cut {
                true => older.truncate(older.len() - 20),
                false => *older.iter_mut().nth_back(2).unwrap() ^= 0x40,
            }
            std::fs::write(&path, &older).unwrap();
            tokio::time::sleep(secs(400)).await;
            match load {
                true => drop(handle.load().await),
                false => drop(handle.fresh().await.unwrap_err()),
            }
            let stored = world.stored(&user_key()).await.expect(&what);
            let record = Record::decode(&stored.bytes).unwrap();
            assert!(record.tombstone.is_some() && record.tokens.is_none(), "{what}");
            for path in files(&directory) {
                let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                assert!(!text.contains("refresh-1"), "{what}: {path:?}");
                assert!(is_record(&path) || !text.contains("customer-42"), "{what}: {path:?}");
            }
            std::fs::remove_dir_all(&directory).unwrap();
        }
    }
}
