//! Grants that live as long as the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, ready};

use super::{Lease, LeaseState, Leased, Predecessor, StoreError, StoredRecord, Swap, Swapped, TokenStore};
use crate::token::{Clock, SystemClock, TokenKey};

/// Grants that live as long as the process.
///
/// Fit for client credentials and for tests. A user's consent deserves a store
/// that survives a restart. Clones share their content.
///
/// ```
/// use finrail::token::{GrantKind, TokenKey, TokenStore as _};
/// use finrail::token::store::MemoryStore;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = MemoryStore::new();
/// let key = TokenKey::new("ofx", "client-1", GrantKind::ClientCredentials);
/// assert!(store.load(&key).await?.is_none());
/// # Ok::<(), finrail::token::StoreError>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    slots: Arc<Mutex<HashMap<String, Slot>>>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Slot {
    record: Option<StoredRecord>,
    fence: u64,
    lease: Option<Held>,
}

struct Held {
    holder: String,
    until: Duration,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// An empty store whose leases run out by this clock.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self {
            slots: Arc::default(),
            clock,
        }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<String, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore")
            .field("records", &self.slots().len())
            .finish_non_exhaustive()
    }
}

impl TokenStore for MemoryStore {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        let record = self.slots().get(&key.storage_id()).and_then(|slot| slot.record.clone());
        Box::pin(ready(Ok(record)))
    }

    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        let mut slots = self.slots();
        let slot = slots.entry(key.storage_id()).or_default();
        let swapped = if swap.fence != slot.fence {
            Swapped::Fenced
        } else if slot.record.as_ref().map(|record| record.revision) != swap.expected {
            Swapped::Conflict(slot.record.clone())
        } else {
            slot.record = swap.next;
            Swapped::Done
        };
        // What was never leased needs no memory of its fence: authorizations come and go, one for each login.
        if slot.record.is_none() && slot.fence == 0 {
            slots.remove(&key.storage_id());
        }
        Box::pin(ready(Ok(swapped)))
    }

    fn lease<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Leased, StoreError>> {
        let now = self.clock.monotonic();
        let mut slots = self.slots();
        let slot = slots.entry(key.storage_id()).or_default();
        let predecessor = match &slot.lease {
            Some(held) if held.until > now => {
                return Box::pin(ready(Ok(Leased::Held {
                    by: held.holder.clone(),
                    for_at_most: Some(held.until - now),
                })));
            }
            Some(_) => Predecessor::Lapsed,
            None => Predecessor::Finished,
        };
        slot.fence += 1;
        slot.lease = Some(Held {
            holder: holder.to_owned(),
            until: now.saturating_add(ttl),
        });
        Box::pin(ready(Ok(Leased::Granted(
            Lease::new(slot.fence).predecessor(predecessor),
        ))))
    }

    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        if let Some(slot) = self.slots().get_mut(&key.storage_id())
            && slot.fence == lease.fence
        {
            slot.lease = None;
        }
        Box::pin(ready(Ok(())))
    }

    fn renew<'a>(
        &'a self,
        key: &'a TokenKey,
        lease: &'a Lease,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let now = self.clock.monotonic();
        let mut slots = self.slots();
        let slot = slots
            .get_mut(&key.storage_id())
            .filter(|slot| slot.fence == lease.fence);
        let held = slot.and_then(|slot| slot.lease.as_mut());
        let renewed = held.map(|held| held.until = now.saturating_add(ttl)).is_some();
        Box::pin(ready(Ok(renewed)))
    }

    fn renews_leases(&self) -> bool {
        true
    }

    fn lease_state<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<LeaseState, StoreError>> {
        let now = self.clock.monotonic();
        let slots = self.slots();
        let held = slots.get(&key.storage_id()).and_then(|slot| slot.lease.as_ref());
        let state = match held.filter(|held| held.until > now) {
            Some(held) => LeaseState::Held {
                by: held.holder.clone(),
                for_at_most: Some(held.until - now),
            },
            None => LeaseState::Free,
        };
        Box::pin(ready(Ok(state)))
    }
}
