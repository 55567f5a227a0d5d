//! A store that takes a limited number of steps at once: who waits, who goes first, and what those are told who cannot
//! wait. In virtual time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod token_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use finrail::token::store::{
    Admission, Lease, LeaseState, Leased, MemoryStore, StoreError, StoredRecord, Swap, Swapped,
};
use finrail::token::{
    Clock, Error, GrantKind, Issuer, Renewal, TokenHandle, TokenHandleBuilder, TokenKey, TokenSource, TokenStore,
};
use futures_util::future::{BoxFuture, join_all};
use token_support::*;
use tokio::time::{Instant, sleep};

/// A store whose answers take their time, and which sees how many it has to give at once.
struct Narrow {
    inner: MemoryStore,
    latency: Duration,
    admission: Admission,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Narrow {
    fn new(at_once: usize, latency: Duration, clock: &Arc<VirtualClock>) -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryStore::with_clock(Arc::clone(clock) as Arc<dyn Clock>),
            latency,
            admission: Admission::at_once(at_once),
            now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        })
    }

    fn slowly<'a, T: Send + 'a>(&'a self, work: BoxFuture<'a, T>) -> BoxFuture<'a, T> {
        Box::pin(async move {
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            sleep(self.latency).await;
            let done = work.await;
            self.now.fetch_sub(1, Ordering::SeqCst);
            done
        })
    }
}

impl TokenStore for Narrow {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        self.slowly(Box::pin(async { self.inner.load(key).await }))
    }

    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        self.slowly(Box::pin(async { self.inner.swap(key, swap).await }))
    }

    fn lease<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Leased, StoreError>> {
        self.slowly(Box::pin(async move { self.inner.lease(key, holder, ttl).await }))
    }

    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.slowly(Box::pin(async { self.inner.release(key, lease).await }))
    }

    fn lease_state<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<LeaseState, StoreError>> {
        self.slowly(Box::pin(async { self.inner.lease_state(key).await }))
    }

    fn admission(&self) -> Option<&Admission> {
        Some(&self.admission)
    }
}

fn grant(number: usize, bank: &Arc<Bank>, store: &Arc<Narrow>, clock: &Arc<VirtualClock>) -> TokenHandleBuilder {
    let key = TokenKey::new("mx", "client-1", GrantKind::AuthorizationCode).subject(format!("customer-{number}"));
    TokenHandle::builder(key, Arc::clone(bank) as Arc<dyn Issuer>, Renewal::Refresh)
        .store(Arc::clone(store) as Arc<dyn TokenStore>)
        .rotation(ROTATING)
        .clock(Arc::clone(clock) as Arc<dyn Clock>)
}

/// Grants whose tokens have ended, each at a bank of its own.
async fn ended(
    count: usize,
    habits: Habits,
    store: &Arc<Narrow>,
    clock: &Arc<VirtualClock>,
) -> Vec<(Arc<Bank>, TokenHandle)> {
    let grants = (0..count).map(|number| async move {
        let bank = Bank::new(habits);
        let handle = grant(number, &bank, store, clock).build();
        handle.adopt(bank.login()).await.unwrap();
        (bank, handle)
    });
    let grants = join_all(grants).await;
    sleep(HOUR).await;
    grants
}

const ANSWER: Duration = Duration::from_millis(50);

/// 1,000 refreshes of 6 steps, 16 steps in 50 ms: 19 s of work, far more than the 10 s that a step may take.
#[tokio::test(start_paused = true)]
async fn the_wait_for_a_turn_is_not_the_time_of_the_store() {
    let clock = VirtualClock::new();
    let store = Narrow::new(16, ANSWER, &clock);
    let grants = ended(1_000, STRICT, &store, &clock).await;
    let started = Instant::now();
    let refreshed = join_all(grants.iter().map(|(_, handle)| async move {
        handle.fresh().await.unwrap();
        started.elapsed()
    }));
    let mut times = refreshed.await;
    times.sort_unstable();
    let (first, half, last) = (times[0], times[500], times[999]);
    assert_eq!(store.most.load(Ordering::SeqCst), 16);
    // The store is never idle: not while the bank is asked either.
    assert!(last < Duration::from_millis(19_500), "{last:?}");
    // Who is begun is ended before others are begun.
    assert!(
        first < secs(1) && half < last.mul_f64(0.6),
        "{first:?}, {half:?}, {last:?}"
    );
    for (_, handle) in &grants {
        assert_eq!(store.inner.lease_state(handle.key()).await.unwrap(), LeaseState::Free);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bank_that_does_not_answer_holds_up_nobody_elses_grants() {
    let clock = VirtualClock::new();
    let store = Narrow::new(2, ANSWER, &clock);
    let silent = Habits {
        latency: secs(600),
        ..STRICT
    };
    let stuck = ended(40, silent, &store, &clock).await;
    for (_, handle) in &stuck {
        let handle = handle.clone();
        tokio::spawn(async move { handle.fresh().await });
    }
    sleep(secs(6)).await;
    let bank = Bank::new(STRICT);
    let well = grant(1_000, &bank, &store, &clock).build();
    let started = Instant::now();
    well.adopt(bank.login()).await.unwrap();
    assert!(started.elapsed() < secs(1), "{:?}", started.elapsed());
}

/// Of a login the tokens are in hand and stored nowhere, and somebody waits.
#[tokio::test(start_paused = true)]
async fn a_login_goes_before_the_refreshes_that_are_not_begun() {
    let clock = VirtualClock::new();
    let store = Narrow::new(2, ANSWER, &clock);
    let grants = ended(400, STRICT, &store, &clock).await;
    for (_, handle) in &grants {
        let handle = handle.clone();
        tokio::spawn(async move { handle.fresh().await });
    }
    sleep(secs(1)).await;
    let bank = Bank::new(STRICT);
    let login = grant(1_000, &bank, &store, &clock).build();
    let started = Instant::now();
    login.adopt(bank.login()).await.unwrap();
    assert!(started.elapsed() < secs(2), "{:?}", started.elapsed());
}

fn crowded(error: &Error) -> (u64, u64) {
    let Error::Store {
        source: StoreError::Crowded { waited, ahead },
    } = error
    else {
        panic!("{error}")
    };
    assert!(error.is_retryable());
    (waited.as_secs(), *ahead)
}

/// The store is gone: its holders of a turn find out one by one, and the others do not wait for all of these.
#[tokio::test(start_paused = true)]
async fn waiting_ends_when_the_store_answers_nobody() {
    let clock = VirtualClock::new();
    let store = Narrow::new(1, secs(3600), &clock);
    let bank = Bank::new(STRICT);
    let grants: Vec<_> = (0..100)
        .map(|number| grant(number, &bank, &store, &clock).build())
        .collect();
    let started = Instant::now();
    let outcomes = join_all(grants.iter().map(TokenHandle::fresh)).await;
    assert!(started.elapsed() < secs(25), "{:?}", started.elapsed());
    let told = |outcome: &Result<_, Error>| outcome.as_ref().err().unwrap().to_string();
    let first = told(&outcomes[0]);
    assert!(first.contains("cannot read the record"), "{first}");
    let (waited, ahead) = crowded(outcomes[99].as_ref().err().unwrap());
    assert!(waited >= 10 && ahead <= 98, "{waited} s, {ahead}");
    let last = told(&outcomes[99]);
    assert!(last.contains("has waited 10.0 s for its turn"), "{last}");
}

#[tokio::test(start_paused = true)]
async fn who_cannot_wait_any_longer_can_be_told_what_it_waits_for() {
    let clock = VirtualClock::new();
    let store = Narrow::new(1, secs(4), &clock);
    let bank = Bank::new(STRICT);
    let grants: Vec<_> = (0..5)
        .map(|number| grant(number, &bank, &store, &clock).build())
        .collect();
    assert!(grants[4].waiting().is_none());
    for handle in &grants {
        let handle = handle.clone();
        tokio::spawn(async move { handle.fresh().await });
        tokio::task::yield_now().await;
    }
    sleep(secs(3)).await;
    assert!(grants[0].waiting().is_none(), "it is served");
    assert_eq!(crowded(&grants[4].waiting().unwrap()), (3, 3));
    // In the end all are served.
    sleep(secs(600)).await;
    for (number, grant) in grants.iter().enumerate() {
        assert!(grant.waiting().is_none(), "{number}");
    }
}
