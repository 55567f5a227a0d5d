//! A process that stands still at a moment of its own work, where nothing from outside could hit.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use finrail::token::store::{Admission, Lease, LeaseState, Leased, StoreError, StoredRecord, Swap, Swapped};
use finrail::token::{Record, TokenKey, TokenStore};
use futures_util::future::BoxFuture;
use rustix::process::{Signal, getpid, kill_process};

/// A moment of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The lease was given, and nothing is written.
    Leased,
    /// The intent is written, and nobody has looked yet whether the lease still holds.
    Intended,
    /// That was looked at, and there is no connection yet.
    Connecting,
    /// The reply came and was read, and it is not stored.
    Committing,
}

impl Moment {
    pub const ALL: [Self; 4] = [Self::Leased, Self::Intended, Self::Connecting, Self::Committing];

    pub fn name(self) -> String {
        format!("{self:?}")
    }
}

/// Where this process is to stand still next.
#[derive(Clone, Default)]
pub struct Standstill(Arc<Mutex<Option<Moment>>>);

impl Standstill {
    pub fn at(&self, name: &str) {
        let moment = Moment::ALL.into_iter().find(|moment| moment.name() == name);
        *self.0.lock().unwrap() = Some(moment.unwrap());
    }

    pub fn next(&self) -> Option<Moment> {
        *self.0.lock().unwrap()
    }

    /// Stands still, where it is to be here.
    fn here(&self, moment: Moment) {
        if self.0.lock().unwrap().take_if(|next| *next == moment).is_some() {
            kill_process(getpid(), Signal::STOP).unwrap();
            // Another thread may be the first to stop.
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// A store whose user stands still.
pub struct Stopping {
    pub store: Arc<dyn TokenStore>,
    pub standstill: Standstill,
}

impl TokenStore for Stopping {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        self.store.load(key)
    }

    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        // What was damaged is kept aside as it is.
        let next = swap.next.as_ref().and_then(|next| Record::decode(&next.bytes).ok());
        let intends = next.as_ref().is_some_and(|next| next.intent.is_some());
        let commits = next.is_some() && !intends;
        Box::pin(async move {
            if commits {
                self.standstill.here(Moment::Committing);
            }
            let swapped = self.store.swap(key, swap).await;
            if intends {
                self.standstill.here(Moment::Intended);
            }
            swapped
        })
    }

    fn lease<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Leased, StoreError>> {
        Box::pin(async move {
            let leased = self.store.lease(key, holder, ttl).await;
            self.standstill.here(Moment::Leased);
            leased
        })
    }

    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.store.release(key, lease)
    }

    fn renews_leases(&self) -> bool {
        self.store.renews_leases()
    }

    fn renew<'a>(
        &'a self,
        key: &'a TokenKey,
        lease: &'a Lease,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.store.renew(key, lease, ttl)
    }

    fn lease_state<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<LeaseState, StoreError>> {
        self.store.lease_state(key)
    }

    fn admission(&self) -> Option<&Admission> {
        self.store.admission()
    }

    fn place(&self) -> Option<String> {
        self.store.place()
    }
}

impl reqwest::dns::Resolve for Standstill {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let standstill = self.clone();
        Box::pin(async move {
            standstill.here(Moment::Connecting);
            let addresses = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
            Ok(Box::new(addresses.into_iter()) as reqwest::dns::Addrs)
        })
    }
}
