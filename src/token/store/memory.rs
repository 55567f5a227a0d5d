//! Grants that live as long as the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, ready};

use super::listing::AT_ONCE;
use super::{
    Lease, LeaseState, Leased, LeasedSwap, Listed, ListedRecord, Predecessor, StoreError, StoredRecord, Swap, Swapped,
    TokenStore,
};
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

impl Slot {
    fn lease(&mut self, holder: &str, ttl: Duration, now: Duration) -> Leased {
        let predecessor = match &self.lease {
            Some(held) if held.until > now => {
                return Leased::Held {
                    by: held.holder.clone(),
                    for_at_most: Some(held.until - now),
                };
            }
            Some(_) => Predecessor::Lapsed,
            None => Predecessor::Finished,
        };
        self.fence += 1;
        self.lease = Some(Held {
            holder: holder.to_owned(),
            until: now.saturating_add(ttl),
        });
        Leased::Granted(Lease::new(self.fence).predecessor(predecessor))
    }

    fn swap(&mut self, swap: Swap) -> Swapped {
        if swap.fence != self.fence {
            Swapped::Fenced
        } else if !self.is_at(swap.expected) {
            Swapped::Conflict(self.record.clone())
        } else {
            self.record = swap.next;
            Swapped::Done
        }
    }

    fn is_at(&self, revision: Option<u64>) -> bool {
        self.record.as_ref().map(|record| record.revision) == revision
    }

    /// Whether there is a record at this revision, and nobody has its lease.
    fn is_free_at(&self, revision: u64, now: Duration) -> bool {
        self.is_at(Some(revision)) && self.lease.as_ref().is_none_or(|held| held.until <= now)
    }
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

    /// The same content, whose leases run out by this clock.
    pub(crate) fn by(&self, clock: Arc<dyn Clock>) -> Self {
        Self {
            slots: Arc::clone(&self.slots),
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
        let swapped = slot.swap(swap);
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
        Box::pin(ready(Ok(slot.lease(holder, ttl, now))))
    }

    fn lease_and_swap<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
        swap: Swap,
    ) -> BoxFuture<'a, Result<LeasedSwap, StoreError>> {
        let now = self.clock.monotonic();
        let mut slots = self.slots();
        let slot = slots.entry(key.storage_id()).or_default();
        let done = if slot.is_at(swap.expected) {
            match slot.lease(holder, ttl, now) {
                Leased::Granted(lease) => {
                    slot.record = swap.next;
                    LeasedSwap::Done(lease)
                }
                Leased::Held { by, for_at_most } => LeasedSwap::Held { by, for_at_most },
            }
        } else {
            LeasedSwap::Conflict(slot.record.clone())
        };
        Box::pin(ready(Ok(done)))
    }

    fn swap_and_release<'a>(
        &'a self,
        key: &'a TokenKey,
        swap: Swap,
        _lease: &'a Lease,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        let mut slots = self.slots();
        let slot = slots.entry(key.storage_id()).or_default();
        let swapped = match &swap.next {
            Some(_) if slot.record == swap.next => Swapped::Done,
            _ => slot.swap(swap.clone()),
        };
        if swapped == Swapped::Done && slot.fence == swap.fence {
            slot.lease = None;
        }
        Box::pin(ready(Ok(swapped)))
    }

    fn list<'a>(&'a self, ids: &'a str, after: Option<&'a str>) -> BoxFuture<'a, Result<Listed, StoreError>> {
        let slots = self.slots();
        let mut found: Vec<&String> = slots
            .iter()
            .filter(|(id, slot)| {
                slot.record.is_some() && id.starts_with(ids) && after.is_none_or(|after| id.as_str() > after)
            })
            .map(|(id, _)| id)
            .collect();
        found.sort_unstable();
        let next = (found.len() > AT_ONCE).then(|| found[AT_ONCE - 1].clone());
        found.truncate(AT_ONCE);
        let records = found.into_iter().filter_map(|id| {
            let record = slots.get(id)?.record.clone()?;
            Some(ListedRecord::new(id, Ok(record)))
        });
        let listed = Listed::new(records.collect(), next);
        Box::pin(ready(Ok(listed)))
    }

    fn remove<'a>(&'a self, id: &'a str, revision: u64) -> BoxFuture<'a, Result<bool, StoreError>> {
        let now = self.clock.monotonic();
        let mut slots = self.slots();
        let removable = slots.get(id).is_some_and(|slot| slot.is_free_at(revision, now));
        if removable {
            slots.remove(id);
        }
        Box::pin(ready(Ok(removable)))
    }

    fn replace<'a>(
        &'a self,
        id: &'a str,
        revision: u64,
        next: StoredRecord,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let now = self.clock.monotonic();
        let mut slots = self.slots();
        let slot = slots.get_mut(id).filter(|slot| slot.is_free_at(revision, now));
        let replaced = slot.map(|slot| slot.record = Some(next)).is_some();
        Box::pin(ready(Ok(replaced)))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::token::{GrantKind, ManualClock};

    fn key(subject: &str) -> TokenKey {
        TokenKey::new("mx", "client", GrantKind::AuthorizationCode).subject(subject)
    }

    #[tokio::test]
    async fn a_lease_is_held_until_its_time_is_over() {
        let clock = Arc::new(ManualClock::new());
        let store = MemoryStore::with_clock(Arc::clone(&clock) as _);
        let (key, length) = (key("jo"), Duration::from_secs(9));
        assert!(matches!(
            store.lease(&key, "a", length).await.unwrap(),
            Leased::Granted(_)
        ));
        clock.advance(Duration::from_secs(8));
        let left = Some(Duration::from_secs(1));
        let held = store.lease(&key, "b", length).await.unwrap();
        assert!(matches!(held, Leased::Held { by, for_at_most } if by == "a" && for_at_most == left));
        let by = "a".to_owned();
        let for_at_most = left;
        assert_eq!(
            store.lease_state(&key).await.unwrap(),
            LeaseState::Held { by, for_at_most }
        );
        clock.advance(Duration::from_secs(1));
        assert_eq!(store.lease_state(&key).await.unwrap(), LeaseState::Free);
        assert!(matches!(
            store.lease(&key, "b", length).await.unwrap(),
            Leased::Granted(_)
        ));
        assert!(store.renews_leases());
    }

    #[tokio::test]
    async fn a_walk_ends_with_a_step_that_is_full_and_goes_on_behind_what_was_seen() {
        let store = MemoryStore::new();
        let put = async |number: usize| {
            let key = key(&format!("{number:03}"));
            let Leased::Granted(lease) = store.lease(&key, "a", Duration::from_secs(9)).await.unwrap() else {
                return;
            };
            let swap = Swap::new(None, lease.fence, Some(StoredRecord::new(1, b"x".as_slice())));
            assert_eq!(store.swap(&key, swap).await.unwrap(), Swapped::Done);
        };
        for number in 0..AT_ONCE {
            put(number).await;
        }
        let all = store.list("", None).await.unwrap();
        assert_eq!((all.records.len(), &all.next), (AT_ONCE, &None));
        let behind = store.list("", Some(&all.records[0].id)).await.unwrap();
        assert_eq!(behind.records.len(), AT_ONCE - 1);
        put(AT_ONCE).await;
        let all = store.list("", None).await.unwrap();
        assert_eq!(
            (all.records.len(), all.next.as_deref()),
            (AT_ONCE, all.records.last().map(|last| &*last.id))
        );
    }
}
