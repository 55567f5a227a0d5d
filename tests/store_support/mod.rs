//! Stores that fail over, stores that are watched, and processes that share one.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::token_support::*;
use finrail::token::store::{Lease, Leased, StoreError, StoredRecord, Swap, Swapped};
use finrail::token::{Clock, GrantKind, Issuer, MemoryStore, Record, Renewal, TokenHandle, TokenKey, TokenStore};
use futures_util::future::BoxFuture;

/// Ends a grant on purpose.
pub async fn end(handle: &TokenHandle, how: &str) {
    match how {
        "forget" => handle.forget().await.unwrap(),
        _ => handle.revoke().await.unwrap(),
    }
}

/// A store behind an address: what answers there can be another one tomorrow.
pub struct Address(pub Mutex<Arc<dyn TokenStore>>);

impl Address {
    pub fn new(clock: &Arc<VirtualClock>) -> Arc<Self> {
        let clock = Arc::clone(clock) as Arc<dyn Clock>;
        Arc::new(Self(Mutex::new(Arc::new(MemoryStore::with_clock(clock)))))
    }

    pub fn now(&self) -> Arc<dyn TokenStore> {
        Arc::clone(&self.0.lock().unwrap())
    }

    /// An older copy takes over, or one that holds nothing.
    pub async fn fails_over_to(&self, record: Option<StoredRecord>) {
        self.fails_over_to_record_of(&user_key(), record).await;
    }

    pub async fn fails_over_to_record_of(&self, key: &TokenKey, record: Option<StoredRecord>) {
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

    pub async fn record(&self) -> Option<Record> {
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

/// A store that a test watches: it counts reads and leases, delays the next read, and says when the next write comes.
pub struct Watched {
    pub store: Arc<dyn TokenStore>,
    pub reads: AtomicUsize,
    pub leases: AtomicUsize,
    pub delay_of_next_read: Mutex<Duration>,
    pub before_next_write: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Watched {
    pub fn new(store: Arc<dyn TokenStore>) -> Arc<Self> {
        Arc::new(Self {
            store,
            reads: AtomicUsize::new(0),
            leases: AtomicUsize::new(0),
            delay_of_next_read: Mutex::default(),
            before_next_write: Mutex::default(),
        })
    }

    pub fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }

    pub fn leases(&self) -> usize {
        self.leases.load(Ordering::Relaxed)
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
        self.leases.fetch_add(1, Ordering::Relaxed);
        self.store.lease(key, holder, ttl)
    }
    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.store.release(key, lease)
    }
}

pub struct World {
    pub bank: Arc<Bank>,
    pub address: Arc<Address>,
    pub clock: Arc<VirtualClock>,
}

impl World {
    pub fn new(habits: Habits) -> Self {
        let clock = VirtualClock::new();
        Self {
            bank: Bank::new(habits),
            address: Address::new(&clock),
            clock,
        }
    }

    pub fn store(&self) -> Arc<dyn TokenStore> {
        Arc::clone(&self.address) as Arc<dyn TokenStore>
    }

    pub fn process(&self, holder: &str) -> TokenHandle {
        user(&self.bank, &self.store(), &self.clock, holder).build()
    }

    pub async fn logged_in(&self, holder: &str) -> TokenHandle {
        let handle = self.process(holder);
        handle.adopt(self.bank.login()).await.unwrap();
        handle
    }

    pub fn service(&self) -> TokenHandle {
        let key = TokenKey::new("ofx", "client-1", GrantKind::ClientCredentials);
        TokenHandle::builder(key, Arc::clone(&self.bank) as Arc<dyn Issuer>, Renewal::Anew)
            .store(self.store())
            .clock(Arc::clone(&self.clock) as Arc<dyn Clock>)
            .build()
    }
}
