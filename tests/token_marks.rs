//! Marks of ends and put-backs after losses, damage and torn writes, whatever the clocks of the processes say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod token_support;
use finrail::token::store::{FileStore, Lease, Leased, StoreError, StoredRecord, Swap, Swapped};
use finrail::token::{Clock, MemoryStore, Record, TokenHandle, TokenKey, TokenStore};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
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
    async fn stored(&self) -> Option<StoredRecord> {
        self.store.load(&user_key()).await.unwrap()
    }
    async fn set(&self, bytes: Option<&[u8]>) {
        let Leased::Granted(lease) = self.store.lease(&user_key(), "a disk", secs(5)).await.unwrap() else {
            panic!()
        };
        let seen = self.stored().await.map(|s| s.revision);
        let next = bytes.map(|b| StoredRecord::new(seen.unwrap_or(1), b));
        let swap = Swap::new(seen, lease.fence, next);
        assert_eq!(self.store.swap(&user_key(), swap).await.unwrap(), Swapped::Done);
        self.store.release(&user_key(), lease).await.unwrap();
    }
    async fn cut(&self) {
        self.set(Some(b"{\"version\":1,\"tok")).await
    }
    async fn json(&self) -> String {
        String::from_utf8(self.stored().await.unwrap().bytes.to_vec()).unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_mark_over_damage_ends_the_login_that_came_after_the_first() {
    for lost in [false, true] {
        let w = World::new();
        let b = w.process("b");
        b.adopt(w.bank.login()).await.unwrap();
        w.cut().await;
        w.process("aa").forget().await.unwrap();
        tokio::time::sleep(secs(10)).await;
        b.adopt(w.bank.login()).await.unwrap();
        let c = w.process("cccc");
        c.fresh().await.unwrap();
        tokio::time::sleep(secs(10)).await;
        if lost {
            w.set(None).await
        } else {
            w.cut().await
        }
        let ender = if lost { c.clone() } else { w.process("dddddd") };
        ender.forget().await.unwrap();
        tokio::time::sleep(HOUR).await;
        let r = b.fresh().await;
        assert!(r.is_err(), "lost={lost}: the forgotten grant is back");
    }
}

/// the record that the login replaced had no lineage (an earlier release wrote it).
#[tokio::test(start_paused = true)]
async fn a_mark_over_damage_ends_a_login_that_went_over_a_record_without_lineage() {
    let w = World::new();
    let b = w.process("b");
    b.adopt(w.bank.login()).await.unwrap();
    // as an earlier release wrote it
    let mut json: serde_json::Value = serde_json::from_str(&w.json().await).unwrap();
    json["tokens"].as_object_mut().unwrap().remove("lineage");
    json.as_object_mut().unwrap().remove("checksum");
    w.set(Some(json.to_string().as_bytes())).await;
    Record::decode(json.to_string().as_bytes()).unwrap();
    let b = w.process("bb");
    b.adopt(w.bank.login()).await.unwrap();
    tokio::time::sleep(secs(10)).await;
    w.cut().await;
    w.process("dddddd").forget().await.unwrap();
    tokio::time::sleep(HOUR).await;
    let r = b.fresh().await;
    assert!(r.is_err(), "the forgotten grant is back");
}

/// many logins later the mark ends nothing.
#[tokio::test(start_paused = true)]
async fn a_mark_over_damage_does_not_end_the_seventeenth_login_after_it() {
    for n in [3, 16, 17, 20] {
        let w = World::new();
        w.process("b").adopt(w.bank.login()).await.unwrap();
        w.cut().await;
        let a = w.process("aa");
        a.forget().await.unwrap();
        let mut last = None;
        for _ in 0..n {
            tokio::time::sleep(secs(60)).await;
            let p = w.process("c");
            p.adopt(w.bank.login()).await.unwrap();
            last = Some(p);
        }
        let r = a.fresh().await;
        let record = Record::decode(&w.stored().await.unwrap().bytes).unwrap();
        assert!(record.tombstone.is_none(), "{n}: a living grant was ended");
        assert!(r.is_ok());
        drop(last);
    }
}

/// clocks apart.
#[tokio::test(start_paused = true)]
async fn a_process_whose_clock_is_behind_does_not_wait_for_ever_for_what_was_put_back() {
    let w = World::new();
    let ahead = VirtualClock::new();
    ahead.jump(86_400);
    let a = user(&w.bank, &w.store, &ahead, "a").build();
    a.adopt(w.bank.login()).await.unwrap();
    let b = w.process("bb");
    b.fresh().await.unwrap();
    tokio::time::sleep(HOUR * 26).await;
    w.set(None).await;
    // a puts back and is killed
    let _ = tokio::time::timeout(secs(2), a.fresh()).await;
    let r = tokio::time::timeout(secs(2000), b.fresh()).await;
    assert!(matches!(r, Ok(Ok(_))));
}

/// only b, whose clock is set back while it waits
#[tokio::test(start_paused = true)]
async fn a_clock_set_back_does_not_make_the_wait_longer() {
    let w = World::new();
    let b = w.process("bb");
    b.adopt(w.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR * 26).await;
    w.set(None).await;
    let (c, b2) = (Arc::clone(&w.clock), b.clone());
    tokio::spawn(async move {
        tokio::time::sleep(secs(5)).await;
        c.jump(-7200);
        let _ = b2;
    });
    let began = tokio::time::Instant::now();
    while began.elapsed() < secs(4000) && b.fresh().await.is_err() {
        tokio::time::sleep(secs(1)).await;
    }
    assert!(began.elapsed() < secs(400));
}

#[tokio::test(start_paused = true)]
async fn a_revocation_does_not_wait_for_hours_where_clocks_are_apart() {
    let w = World::new();
    let ahead = VirtualClock::new();
    ahead.jump(3600 * 3);
    let a = user(&w.bank, &w.store, &ahead, "a").request_timeout(secs(58)).build();
    a.adopt(w.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR * 5).await;
    let b = user(&w.bank, &w.store, &w.clock, "bb")
        .request_timeout(secs(58))
        .build();
    w.bank.faults([Fault::Slow(secs(50))]);
    let (store, key) = (Arc::clone(&w.store), user_key());
    let _ = store;
    let _ = key;
    // a is frozen with its intent: a runtime of its own
    let t = tokio::spawn({
        let a = a.clone();
        async move { a.fresh().await }
    });
    tokio::time::sleep(secs(1)).await;
    let bytes = w.stored().await.unwrap().bytes.to_vec();
    let _ = t.await;
    // what a killed holder leaves
    w.set(Some(&bytes)).await;
    let began = tokio::time::Instant::now();
    let r = tokio::time::timeout(secs(3000), b.revoke()).await;
    assert!(r.is_ok(), "waits still after {:?}", began.elapsed());
}

/// b rests
#[tokio::test(start_paused = true)]
async fn a_process_that_rests_gives_the_store_back_what_it_lost() {
    for how in ["throttled", "unavailable"] {
        let w = World::new();
        let (a, b) = (w.process("a"), w.process("bb"));
        a.adopt(w.bank.login()).await.unwrap();
        b.fresh().await.unwrap();
        tokio::time::sleep(HOUR).await;
        b.fresh().await.unwrap();
        tokio::time::sleep(HOUR).await;
        w.bank.faults([if how == "throttled" {
            Fault::Throttle(Some(HOUR))
        } else {
            Fault::Unavailable
        }]);
        let calls = called_each_second(&b);
        tokio::time::sleep(secs(1)).await;
        w.set(None).await;
        let _ = a.fresh().await;
        calls.abort();
        assert_eq!(w.bank.sent().iter().filter(|s| *s == "refresh-1").count(), 1, "{how}");
    }
}

fn files(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut all = vec![];
    for e in std::fs::read_dir(dir).unwrap() {
        let p = e.unwrap().path();
        if p.is_dir() { all.extend(files(&p)) } else { all.push(p) }
    }
    all
}

/// an emptied file; b holds newer tokens and is called every second.
#[tokio::test(start_paused = true)]
async fn an_empty_file_and_a_living_process_with_newer_tokens() {
    let dir = std::env::temp_dir().join(format!("zzbreak-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    let mut w = World::new();
    w.store = Arc::new(FileStore::open(&dir).unwrap());
    let (a, b) = (w.process("a"), w.process("bb"));
    a.adopt(w.bank.login()).await.unwrap();
    b.fresh().await.unwrap();
    tokio::time::sleep(HOUR).await;
    b.fresh().await.unwrap();
    let calls = called_each_second(&b);
    tokio::time::sleep(secs(3)).await;
    for f in files(&dir) {
        let content = std::fs::read(&f).unwrap();
        if String::from_utf8_lossy(&content).contains("refresh-2") {
            std::fs::write(&f, b"").unwrap();
        }
    }
    let _ = a.fresh().await;
    calls.abort();
    assert_eq!(w.bank.sent(), ["refresh-1"]);
}

/// an older copy that is damaged too.
#[tokio::test(start_paused = true)]
async fn a_damaged_older_copy_and_a_living_process_with_newer_tokens() {
    let w = World::new();
    let (a, b) = (w.process("a"), w.process("bb"));
    a.adopt(w.bank.login()).await.unwrap();
    let old = w.stored().await.unwrap();
    b.fresh().await.unwrap();
    tokio::time::sleep(HOUR).await;
    b.fresh().await.unwrap();
    let calls = called_each_second(&b);
    tokio::time::sleep(secs(3)).await;
    // the store goes back to the older copy, which is cut
    let Leased::Granted(lease) = w.store.lease(&user_key(), "a disk", secs(5)).await.unwrap() else {
        panic!()
    };
    let seen = w.stored().await.map(|s| s.revision);
    let swap = Swap::new(seen, lease.fence, None);
    assert_eq!(w.store.swap(&user_key(), swap).await.unwrap(), Swapped::Done);
    let swap = Swap::new(
        None,
        lease.fence,
        Some(StoredRecord::new(old.revision, &old.bytes[..old.bytes.len() - 30])),
    );
    assert_eq!(w.store.swap(&user_key(), swap).await.unwrap(), Swapped::Done);
    w.store.release(&user_key(), lease).await.unwrap();
    let _ = a.fresh().await;
    calls.abort();
    assert_eq!(w.bank.sent(), ["refresh-1"]);
}

/// /T2 with a lost record, and an ender that held the tokens
#[tokio::test(start_paused = true)]
async fn lost_then_forgotten_by_who_held_it_stays_forgotten() {
    let mut bad = vec![];
    for before in ["nothing", "unseen mark", "no lineage"] {
        let w = World::new();
        let b = w.process("b");
        match before {
            "nothing" => {}
            "unseen mark" => {
                b.adopt(w.bank.login()).await.unwrap();
                w.cut().await;
                w.process("aa").forget().await.unwrap();
            }
            _ => {
                b.adopt(w.bank.login()).await.unwrap();
                let mut json: serde_json::Value = serde_json::from_str(&w.json().await).unwrap();
                json["tokens"].as_object_mut().unwrap().remove("lineage");
                json.as_object_mut().unwrap().remove("checksum");
                w.set(Some(json.to_string().as_bytes())).await;
            }
        }
        let b = w.process("bb");
        b.adopt(w.bank.login()).await.unwrap();
        let c = w.process("cccc");
        c.fresh().await.unwrap();
        tokio::time::sleep(secs(10)).await;
        w.set(None).await;
        c.forget().await.unwrap();
        tokio::time::sleep(HOUR).await;
        let r = b.fresh().await;
        if r.is_ok() {
            bad.push(before)
        }
    }
    assert!(bad.is_empty(), "{bad:?}");
}

/// the mark is gone (it expired), and the user comes back.
#[tokio::test(start_paused = true)]
async fn a_login_after_a_mark_over_damage_is_gone_lives() {
    for cut in [true, false] {
        let w = World::new();
        w.process("b").adopt(w.bank.login()).await.unwrap();
        let a = w.process("aa");
        if cut {
            w.cut().await;
        }
        a.forget().await.unwrap();
        tokio::time::sleep(HOUR * 24 * 91).await;
        w.set(None).await;
        let c = w.process("cccc");
        c.adopt(w.bank.login()).await.unwrap();
        tokio::time::sleep(secs(60)).await;
        let _ = a.fresh().await;
        assert!(
            Record::decode(&w.stored().await.unwrap().bytes)
                .unwrap()
                .tombstone
                .is_none(),
            "cut {cut}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn who_put_it_back_is_killed_and_its_clock_was_ahead() {
    for ahead_by in [0, 600, 86_400] {
        let w = World::new();
        let ahead = VirtualClock::new();
        ahead.jump(ahead_by);
        let a = user(&w.bank, &w.store, &ahead, "a").build();
        a.adopt(w.bank.login()).await.unwrap();
        tokio::time::sleep(HOUR * 26).await;
        w.set(None).await;
        let _ = tokio::time::timeout(secs(1), a.fresh()).await;
        let bytes = w.stored().await.unwrap().bytes.to_vec();
        // the same in a world where a is dead
        let mut w2 = World::new();
        w2.clock = Arc::clone(&w.clock);
        let _ = w2.bank.login();
        w2.set(Some(&bytes)).await;
        let b = w2.process("bb");
        let began = tokio::time::Instant::now();
        while began.elapsed() < secs(80_000) && b.fresh().await.is_err() {
            tokio::time::sleep(secs(1)).await;
        }
        assert!(began.elapsed() <= secs(400), "{ahead_by}: {:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_rests_after_503s() {
    for n in [1usize, 3, 8] {
        let w = World::new();
        let (a, b) = (w.process("a"), w.process("bb"));
        a.adopt(w.bank.login()).await.unwrap();
        b.fresh().await.unwrap();
        tokio::time::sleep(HOUR).await;
        b.fresh().await.unwrap();
        tokio::time::sleep(HOUR).await;
        w.bank.faults(std::iter::repeat_n(Fault::Unavailable, n));
        let calls = called_each_second(&b);
        tokio::time::sleep(secs(20)).await;
        w.set(None).await;
        let _ = a.fresh().await;
        let sent = w.bank.sent();
        assert_eq!(
            sent.iter().filter(|sent| *sent == "refresh-1").count(),
            1,
            "{n}: {sent:?}"
        );
        assert!(w.bank.alive(), "{n}");
        calls.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_over_a_damaged_mark_is_not_ended_by_who_wrote_the_mark() {
    let mut bad = vec![];
    for how in ["mark damaged", "login damaged", "mark lost"] {
        let w = World::new();
        w.process("b").adopt(w.bank.login()).await.unwrap();
        w.cut().await;
        let a = w.process("aa");
        a.forget().await.unwrap();
        tokio::time::sleep(secs(100)).await;
        if how == "login damaged" {
            w.process("b").adopt(w.bank.login()).await.unwrap();
            tokio::time::sleep(secs(100)).await;
        }
        if how == "mark lost" {
            w.set(None).await
        } else {
            w.cut().await
        }
        let c = w.process("cccc");
        c.adopt(w.bank.login()).await.unwrap();
        tokio::time::sleep(secs(100)).await;
        let _ = a.fresh().await;
        let record = Record::decode(&w.stored().await.unwrap().bytes).unwrap();
        if record.tombstone.is_some() {
            bad.push(how)
        }
    }
    assert!(bad.is_empty(), "{bad:?}: the login was ended");
}

#[tokio::test(start_paused = true)]
async fn what_was_lost_is_sent_by_nobody_while_a_sibling_that_is_called_holds_newer_tokens_whatever_the_interval() {
    for look in [secs(0), secs(2), secs(3600), secs(7200), Duration::MAX] {
        let w = World::new();
        let mk = |h: &str| user(&w.bank, &w.store, &w.clock, h).look_again_every(look).build();
        let (a, b) = (mk("a"), mk("bb"));
        a.adopt(w.bank.login()).await.unwrap();
        b.fresh().await.unwrap();
        tokio::time::sleep(HOUR).await;
        b.fresh().await.unwrap();
        let calls = called_each_second(&b);
        tokio::time::sleep(secs(3)).await;
        w.set(None).await;
        let bearer = tokio::time::timeout(secs(20_000), a.fresh()).await.unwrap().unwrap();
        assert_eq!(text(&bearer), "Bearer access-2", "{look:?}");
        assert_eq!(w.bank.sent(), ["refresh-1"], "{look:?}");
        calls.abort();
    }
}

/// the write of a login arrives, its answer is lost, and the record is damaged.
#[tokio::test(start_paused = true)]
async fn a_login_whose_write_was_torn_is_stored_at_last() {
    let mut bad = vec![];
    for first in [true, false] {
        for cut in [0usize, 60, 9999] {
            let w = World::new();
            if !first {
                w.process("b").adopt(w.bank.login()).await.unwrap();
            }
            let flaky = Arc::new(FlakyStore::new(Arc::clone(&w.store)));
            let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
            let a = user(&w.bank, &store, &w.clock, "a").build();
            tokio::time::sleep(secs(5)).await;
            flaky.lose_answers();
            let login = w.bank.login();
            let _ = a.adopt(login).await;
            let bytes = w.stored().await.unwrap().bytes.to_vec();
            flaky.fail_after_swaps(0);
            tokio::time::sleep(secs(120)).await;
            let n = cut.min(bytes.len() - 30);
            w.set(Some(&bytes[..n])).await;
            flaky.heal();
            let s = tokio::time::timeout(secs(600), a.settled()).await;
            if s.is_err() {
                bad.push((first, cut))
            }
        }
    }
    assert!(bad.is_empty(), "{bad:?}");
}

/// the same of a refresh.
#[tokio::test(start_paused = true)]
async fn a_refresh_whose_write_was_torn_is_stored_at_last() {
    let mut bad = vec![];
    for cut in [0usize, 60, 9999] {
        let w = World::new();
        let flaky = Arc::new(FlakyStore::new(Arc::clone(&w.store)));
        let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
        let a = user(&w.bank, &store, &w.clock, "a").build();
        a.adopt(w.bank.login()).await.unwrap();
        tokio::time::sleep(HOUR).await;
        w.bank.faults([Fault::Slow(secs(1))]);
        let t = tokio::spawn({
            let a = a.clone();
            async move { a.fresh().await }
        });
        tokio::time::sleep(Duration::from_millis(500)).await;
        flaky.lose_answers();
        let _ = t.await.unwrap();
        let bytes = w.stored().await.unwrap().bytes.to_vec();
        flaky.fail_after_swaps(0);
        tokio::time::sleep(secs(120)).await;
        let n = cut.min(bytes.len() - 30);
        w.set(Some(&bytes[..n])).await;
        flaky.heal();
        let s = tokio::time::timeout(secs(600), a.settled()).await;
        if s.is_err() {
            bad.push(cut)
        }
    }
    assert!(bad.is_empty(), "{bad:?}");
}

/// The write that is stored at this revision is torn: what is read of it is cut.
struct Torn {
    store: Arc<dyn TokenStore>,
    at: std::sync::atomic::AtomicU64,
}
impl TokenStore for Torn {
    fn load<'a>(
        &'a self,
        key: &'a finrail::token::TokenKey,
    ) -> futures_util::future::BoxFuture<'a, Result<Option<StoredRecord>, finrail::token::StoreError>> {
        Box::pin(async move {
            let at = self.at.load(std::sync::atomic::Ordering::SeqCst);
            Ok(self.store.load(key).await?.map(|s| {
                if s.revision == at {
                    StoredRecord::new(s.revision, &s.bytes[..60])
                } else {
                    s
                }
            }))
        })
    }
    fn swap<'a>(
        &'a self,
        key: &'a finrail::token::TokenKey,
        swap: Swap,
    ) -> futures_util::future::BoxFuture<'a, Result<Swapped, finrail::token::StoreError>> {
        self.store.swap(key, swap)
    }
    fn lease<'a>(
        &'a self,
        key: &'a finrail::token::TokenKey,
        by: &'a str,
        ttl: Duration,
    ) -> futures_util::future::BoxFuture<'a, Result<Leased, finrail::token::StoreError>> {
        self.store.lease(key, by, ttl)
    }
    fn release<'a>(
        &'a self,
        key: &'a finrail::token::TokenKey,
        lease: finrail::token::store::Lease,
    ) -> futures_util::future::BoxFuture<'a, Result<(), finrail::token::StoreError>> {
        self.store.release(key, lease)
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_behind_a_write_of_their_own_that_was_torn_are_stored_at_last() {
    for refresh in [true, false] {
        for sibling in [false, true] {
            for away in [3, 120] {
                let w = World::new();
                let torn = Arc::new(Torn {
                    store: Arc::clone(&w.store),
                    at: Default::default(),
                });
                let flaky = Arc::new(FlakyStore::new(Arc::clone(&torn) as Arc<dyn TokenStore>));
                let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
                let a = user(&w.bank, &store, &w.clock, "a").build();
                let _ = if refresh {
                    a.adopt(w.bank.login()).await.unwrap();
                    tokio::time::sleep(HOUR).await;
                    w.bank.faults([Fault::Slow(secs(1))]);
                    let t = tokio::spawn({
                        let a = a.clone();
                        async move { a.fresh().await.is_ok() }
                    });
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    flaky.lose_answers();
                    t.await.unwrap()
                } else {
                    flaky.lose_answers();
                    a.adopt(w.bank.login()).await.is_ok()
                };
                flaky.fail_after_swaps(0);
                torn.at
                    .store(w.stored().await.unwrap().revision, std::sync::atomic::Ordering::SeqCst);
                tokio::time::sleep(secs(away)).await;
                if sibling {
                    // another process, for which the store is there, asks for the grant
                    let through: Arc<dyn TokenStore> = Arc::clone(&torn) as Arc<dyn TokenStore>;
                    let _ =
                        tokio::time::timeout(secs(200), user(&w.bank, &through, &w.clock, "bb").build().revoke()).await;
                }
                flaky.heal();
                let settled = tokio::time::timeout(secs(3600), a.settled()).await;
                assert!(settled.is_ok(), "{refresh} {sibling} {away}");
                let newest = w.bank.current().unwrap();
                let bytes = w.stored().await.unwrap().bytes;
                assert!(
                    String::from_utf8_lossy(&bytes).contains(&newest),
                    "{refresh} {sibling} {away}"
                );
            }
        }
    }
}

/// The first write in which this text stands arrives cut and without an answer; from then on the store is whole again.
struct TornOnce {
    store: Arc<dyn TokenStore>,
    text: &'static str,
    cut: usize,
    is_armed: AtomicBool,
}

impl TornOnce {
    /// Over the store, and one that may be away over that.
    fn of(world: &World, text: &'static str, cut: usize) -> (Arc<Self>, Arc<FlakyStore>) {
        let torn = Arc::new(Self {
            store: Arc::clone(&world.store),
            text,
            cut,
            is_armed: AtomicBool::new(false),
        });
        let flaky = Arc::new(FlakyStore::new(Arc::clone(&torn) as Arc<dyn TokenStore>));
        (torn, flaky)
    }

    fn is_torn(&self) -> bool {
        !self.is_armed.load(Ordering::SeqCst)
    }
}

impl TokenStore for TornOnce {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        self.store.load(key)
    }
    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(async move {
            let next = swap.next.as_ref();
            let is_it = next.is_some_and(|next| String::from_utf8_lossy(&next.bytes).contains(self.text));
            if !is_it || !self.is_armed.swap(false, Ordering::SeqCst) {
                return self.store.swap(key, swap).await;
            }
            let next = next.unwrap();
            let left = StoredRecord::new(next.revision, &next.bytes[..self.cut]);
            let torn = Swap::new(swap.expected, swap.fence, Some(left));
            assert_eq!(self.store.swap(key, torn).await.unwrap(), Swapped::Done);
            Err(StoreError::unavailable("answer", "the connection was reset"))
        })
    }
    fn lease<'a>(&'a self, key: &'a TokenKey, by: &'a str, ttl: Duration) -> BoxFuture<'a, Result<Leased, StoreError>> {
        self.store.lease(key, by, ttl)
    }
    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.store.release(key, lease)
    }
}

/// Lets the store be away from the torn write on, for half a minute: no second try finds it.
fn away_once_torn(torn: &Arc<TornOnce>, flaky: &Arc<FlakyStore>) {
    let (torn, flaky) = (Arc::clone(torn), Arc::clone(flaky));
    tokio::spawn(async move {
        while !torn.is_torn() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        flaky.fail_after_swaps(0);
        tokio::time::sleep(secs(30)).await;
        flaky.heal();
    });
}

#[tokio::test(start_paused = true)]
async fn new_tokens_are_stored_though_their_write_arrived_torn_whether_its_second_try_found_that_or_not() {
    for (newest, cut) in [("refresh-2", 60), ("refresh-2", 0), ("refresh-1", 60), ("refresh-1", 0)] {
        for is_away in [false, true] {
            let what = format!("{newest} cut to {cut}, away {is_away}");
            let world = World::new();
            let (torn, flaky) = TornOnce::of(&world, newest, cut);
            let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
            let handle = user(&world.bank, &store, &world.clock, "a").build();
            if newest == "refresh-2" {
                handle.adopt(world.bank.login()).await.unwrap();
                tokio::time::sleep(HOUR).await;
            }
            torn.is_armed.store(true, Ordering::SeqCst);
            if is_away {
                away_once_torn(&torn, &flaky);
            }
            if newest == "refresh-2" {
                assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2", "{what}");
            } else {
                let login = handle.adopt(world.bank.login()).await;
                assert_eq!(login.is_ok(), !is_away, "{what}");
            }
            assert!(torn.is_torn(), "{what}");
            let settled = tokio::time::timeout(secs(60), handle.settled()).await;
            assert!(settled.is_ok(), "{what}");
            assert!(world.json().await.contains(newest), "{what}");
            drop(handle);
            tokio::time::sleep(HOUR).await;
            world.process("restarted").fresh().await.unwrap();
            assert_eq!(world.bank.sent().last().unwrap(), newest, "{what}");
            assert!(world.bank.alive(), "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_knows_whichever_of_its_writes_was_torn_and_goes_on() {
    for (torn_write, fault) in [
        ("\"given_up\":true", Some(Fault::Unavailable)),
        ("\"given_up\":true", Some(Fault::LoseRequest)),
        ("\"unanswered\":1", Some(Fault::LoseRequest)),
        ("\"intent\"", None),
        ("\"revocation\"", None),
        ("\"tombstone\"", None),
    ] {
        for (cut, is_away, is_new) in [
            (60, false, false),
            (60, true, false),
            (0, false, false),
            (0, true, false),
            (60, false, true),
            (60, true, true),
        ] {
            let what = format!("{torn_write} {fault:?} cut to {cut}, away {is_away}, new {is_new}");
            let world = World::new();
            let (torn, flaky) = TornOnce::of(&world, torn_write, cut);
            let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
            let process = || user(&world.bank, &store, &world.clock, "a").build();
            let mut handle = process();
            handle.adopt(world.bank.login()).await.unwrap();
            if is_new {
                // It holds nothing but what it reads before that write.
                handle = process();
            }
            tokio::time::sleep(HOUR).await;
            torn.is_armed.store(true, Ordering::SeqCst);
            world.bank.faults(fault);
            if is_away {
                away_once_torn(&torn, &flaky);
            }
            let ends = ["\"revocation\"", "\"tombstone\""].contains(&torn_write);
            if ends {
                // Where the store was away, whoever asked for it was told that it is not done, and asks again.
                let ended = handle.revoke().await;
                assert_eq!(ended.is_ok(), !is_away, "{what}");
                tokio::time::sleep(secs(60)).await;
            } else {
                // Nobody waits for the sender of an intent that was never sent.
                let patience = match torn_write {
                    "\"intent\"" => secs(120),
                    _ => secs(900),
                };
                let patience = tokio::time::Instant::now() + patience;
                while handle.fresh().await.is_err() {
                    assert!(tokio::time::Instant::now() < patience, "{what}");
                    tokio::time::sleep(secs(1)).await;
                }
                handle.settled().await;
                assert!(tokio::time::Instant::now() < patience, "{what}");
                assert!(world.bank.alive(), "{what}");
                assert!(world.json().await.contains("refresh-2"), "{what}");
            }
            assert!(torn.is_torn(), "{what}");
            if !ends || is_away {
                handle.revoke().await.expect(&what);
            }
            let record = Record::decode(&world.stored().await.unwrap().bytes).unwrap();
            assert!(record.tombstone.is_some() && record.tokens.is_none(), "{what}");
            assert!(handle.fresh().await.unwrap_err().reauthorization_required(), "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_is_forgotten_with_a_torn_write_is_forgotten() {
    for is_away in [false, true] {
        let world = World::new();
        let (torn, flaky) = TornOnce::of(&world, "\"tombstone\"", 60);
        let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
        let handle = user(&world.bank, &store, &world.clock, "a").build();
        handle.adopt(world.bank.login()).await.unwrap();
        torn.is_armed.store(true, Ordering::SeqCst);
        if is_away {
            away_once_torn(&torn, &flaky);
        }
        assert_eq!(handle.forget().await.is_ok(), !is_away);
        tokio::time::sleep(secs(60)).await;
        if is_away {
            handle.forget().await.unwrap();
        }
        let record = Record::decode(&world.stored().await.unwrap().bytes).unwrap();
        assert!(record.tombstone.is_some() && record.tokens.is_none(), "{is_away}");
        assert!(handle.fresh().await.is_err() && world.bank.sent().is_empty());
    }
}
