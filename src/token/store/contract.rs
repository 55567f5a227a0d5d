//! The promises of a [`TokenStore`], as tests that any implementation can run.
//!
//! ```
//! use std::sync::Arc;
//! use finrail::token::store::{MemoryStore, contract};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let store = MemoryStore::new();
//! contract::check(Arc::new(store.clone()), Arc::new(store)).await?;
//! # Ok::<(), contract::Violation>(()) }).unwrap();
//! ```

use std::sync::Arc;
use std::time::Duration;

use super::{
    Lease, LeaseState, Leased, LeasedSwap, Listed, Predecessor, StoreError, StoredRecord, Swap, Swapped, TokenStore,
};
use crate::token::{GrantKind, TokenKey};
use crate::value::ScopeSet;

/// A promise that a store breaks.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The store did something else than it promises.
    #[error("{promise}: {found}")]
    Broken {
        /// What every store promises.
        promise: &'static str,
        /// What this one did.
        found: String,
    },
    /// The store failed where nothing should fail.
    #[error("{promise}: the store failed")]
    Failed {
        /// What was being tested.
        promise: &'static str,
        /// How it failed.
        source: StoreError,
    },
}

/// Runs every test over two instances that share one storage.
///
/// Two instances, as two processes have them: a store that keeps something in
/// memory that belongs into the storage is found out. Keys are made by chance,
/// so that nothing that is stored already is touched. Takes about a second,
/// because a lease must run out.
///
/// # Errors
///
/// The first promise that is broken.
pub async fn check(store: Arc<dyn TokenStore>, sibling: Arc<dyn TokenStore>) -> Result<(), Violation> {
    let kit = Kit { store, sibling };
    kit.what_is_written_is_read().await?;
    kit.keys_do_not_mix().await?;
    kit.a_swap_needs_the_revision_that_was_read().await?;
    kit.a_swap_needs_the_newest_lease().await?;
    kit.one_holds_the_lease().await?;
    kit.a_look_shows_the_lease_and_leaves_it().await?;
    kit.a_late_release_frees_nobody_elses_lease().await?;
    kit.a_lapsed_lease_changes_nothing().await?;
    kit.a_renewed_lease_lasts().await?;
    kit.a_lease_and_its_first_swap_come_together().await?;
    kit.a_lease_ends_with_its_last_swap().await?;
    kit.a_walk_gives_every_record().await?;
    kit.of_many_swaps_one_is_made().await?;
    kit.no_update_is_lost().await
}

struct Kit {
    store: Arc<dyn TokenStore>,
    sibling: Arc<dyn TokenStore>,
}

const TTL: Duration = Duration::from_secs(30);

/// A key that nobody has used.
fn key(purpose: &str) -> TokenKey {
    let nonce = uuid::Uuid::new_v4();
    TokenKey::new("contract", "client/\u{1f511} ..", GrantKind::AuthorizationCode)
        .subject(format!("{purpose} {nonce}\n"))
        .scopes(ScopeSet::parse("a b"))
}

fn broken(promise: &'static str, found: impl std::fmt::Debug) -> Violation {
    Violation::Broken {
        promise,
        found: format!("{found:?}"),
    }
}

fn expect<T: PartialEq + std::fmt::Debug>(promise: &'static str, found: T, expected: &T) -> Result<(), Violation> {
    if found == *expected {
        Ok(())
    } else {
        Err(broken(promise, found))
    }
}

fn failed(promise: &'static str) -> impl Fn(StoreError) -> Violation {
    move |source| Violation::Failed { promise, source }
}

async fn lease(store: &dyn TokenStore, key: &TokenKey, promise: &'static str) -> Result<Lease, Violation> {
    match store.lease(key, "contract", TTL).await.map_err(failed(promise))? {
        Leased::Granted(lease) => Ok(lease),
        held @ Leased::Held { .. } => Err(broken(promise, held)),
    }
}

impl Kit {
    async fn what_is_written_is_read(&self) -> Result<(), Violation> {
        const PROMISE: &str = "what is written is read, byte for byte, by every process";
        let (key, failed) = (key("bytes"), failed(PROMISE));
        expect(PROMISE, self.store.load(&key).await.map_err(&failed)?, &None)?;
        let lease = lease(&*self.store, &key, PROMISE).await?;
        let mut expected = None;
        let bodies: [Vec<u8>; 4] = [
            b"{}".to_vec(),
            (0..=255).collect(),
            b"a\nb\n\0c\r\n".to_vec(),
            vec![0x5a; 64 * 1024],
        ];
        for (revision, body) in (1_767_225_600_000_000_u64..).zip(bodies) {
            let record = StoredRecord::new(revision, body);
            let swap = Swap::new(expected, lease.fence, Some(record.clone()));
            expect(
                PROMISE,
                self.store.swap(&key, swap).await.map_err(&failed)?,
                &Swapped::Done,
            )?;
            expect(PROMISE, self.sibling.load(&key).await.map_err(&failed)?, &Some(record))?;
            expected = Some(revision);
        }
        let removal = Swap::new(expected, lease.fence, None);
        expect(
            PROMISE,
            self.store.swap(&key, removal).await.map_err(&failed)?,
            &Swapped::Done,
        )?;
        expect(PROMISE, self.sibling.load(&key).await.map_err(&failed)?, &None)?;
        let fence = lease.fence;
        self.store.release(&key, lease).await.map_err(&failed)?;
        let next = self::lease(&*self.sibling, &key, "a fence outlives the record").await?;
        if next.fence <= fence {
            return Err(broken("a fence outlives the record", next.fence));
        }
        self.sibling.release(&key, next).await.map_err(&failed)
    }

    async fn keys_do_not_mix(&self) -> Result<(), Violation> {
        const PROMISE: &str = "every key has its own record and its own lease";
        let (one, failed) = (key("one"), failed(PROMISE));
        let others = [
            one.clone().subject("another"),
            one.clone().scopes(ScopeSet::new()),
            TokenKey::new("contract", one.client_id.clone(), GrantKind::ClientCredentials)
                .subject(one.subject.clone())
                .scopes(one.scopes.clone()),
        ];
        let held = lease(&*self.store, &one, PROMISE).await?;
        let swap = Swap::new(None, held.fence, Some(StoredRecord::new(1, b"one".as_slice())));
        expect(
            PROMISE,
            self.store.swap(&one, swap).await.map_err(&failed)?,
            &Swapped::Done,
        )?;
        for other in others {
            expect(PROMISE, self.store.load(&other).await.map_err(&failed)?, &None)?;
            let lease = lease(&*self.sibling, &other, PROMISE).await?;
            self.sibling.release(&other, lease).await.map_err(&failed)?;
        }
        self.store.release(&one, held).await.map_err(&failed)
    }

    async fn a_swap_needs_the_revision_that_was_read(&self) -> Result<(), Violation> {
        const PROMISE: &str = "a swap that expects another revision changes nothing and says what there is";
        let (key, failed) = (key("revision"), failed(PROMISE));
        let lease = lease(&*self.store, &key, PROMISE).await?;
        let record = |revision: u64| Some(StoredRecord::new(revision, revision.to_string().into_bytes()));
        let swap = |expected, next| self.store.swap(&key, Swap::new(expected, lease.fence, next));
        expect(
            PROMISE,
            swap(Some(4), record(5)).await.map_err(&failed)?,
            &Swapped::Conflict(None),
        )?;
        expect(PROMISE, swap(None, record(5)).await.map_err(&failed)?, &Swapped::Done)?;
        for (expected, next) in [
            (None, record(9)),
            (Some(4), record(9)),
            (Some(6), record(9)),
            (Some(9), None),
        ] {
            let conflict = Swapped::Conflict(record(5));
            expect(PROMISE, swap(expected, next).await.map_err(&failed)?, &conflict)?;
            expect(PROMISE, self.sibling.load(&key).await.map_err(&failed)?, &record(5))?;
        }
        expect(
            PROMISE,
            swap(Some(5), record(6)).await.map_err(&failed)?,
            &Swapped::Done,
        )?;
        self.store.release(&key, lease).await.map_err(&failed)
    }

    async fn a_swap_needs_the_newest_lease(&self) -> Result<(), Violation> {
        const PROMISE: &str = "a swap under another fence than the newest changes nothing";
        let (key, failed) = (key("fence"), failed(PROMISE));
        let record = || Some(StoredRecord::new(1, b"x".as_slice()));
        let unleased = self.store.swap(&key, Swap::new(None, 1, record())).await;
        expect(PROMISE, unleased.map_err(&failed)?, &Swapped::Fenced)?;
        let old = lease(&*self.store, &key, PROMISE).await?;
        let old_fence = old.fence;
        self.store.release(&key, old).await.map_err(&failed)?;
        let new = lease(&*self.sibling, &key, PROMISE).await?;
        for fence in [old_fence, new.fence + 1, 0] {
            let swapped = self.store.swap(&key, Swap::new(None, fence, record())).await;
            expect(PROMISE, swapped.map_err(&failed)?, &Swapped::Fenced)?;
        }
        expect(PROMISE, self.store.load(&key).await.map_err(&failed)?, &None)?;
        self.sibling.release(&key, new).await.map_err(&failed)
    }

    async fn one_holds_the_lease(&self) -> Result<(), Violation> {
        const PROMISE: &str = "a lease is held by one, says by whom, and fences grow";
        let (key, failed) = (key("lease"), failed(PROMISE));
        let first = match self.store.lease(&key, "holder one", TTL).await.map_err(&failed)? {
            Leased::Granted(lease) => lease,
            held => return Err(broken(PROMISE, held)),
        };
        expect(PROMISE, first.predecessor, &Predecessor::Finished)?;
        for other in [&self.store, &self.sibling] {
            // Two tasks of one holder exclude each other too.
            for holder in ["holder two", "holder one"] {
                match other.lease(&key, holder, TTL).await.map_err(&failed)? {
                    Leased::Held { by, .. } if by == "holder one" => {}
                    other => return Err(broken(PROMISE, other)),
                }
            }
        }
        let fence = first.fence;
        self.store.release(&key, first).await.map_err(&failed)?;
        let second = lease(&*self.sibling, &key, PROMISE).await?;
        if second.fence <= fence || second.predecessor != Predecessor::Finished {
            return Err(broken(PROMISE, second));
        }
        self.sibling.release(&key, second).await.map_err(&failed)
    }

    async fn a_look_shows_the_lease_and_leaves_it(&self) -> Result<(), Violation> {
        const PROMISE: &str = "a look at the lease says who has it, or that the store cannot tell, and changes nothing";
        let (key, failed) = (key("look"), failed(PROMISE));
        let stores = [&self.store, &self.sibling];
        if self.store.lease_state(&key).await.map_err(&failed)? == LeaseState::Unknown {
            return Ok(());
        }
        let mut fence = 0;
        for _ in 0..2 {
            for other in stores {
                expect(
                    PROMISE,
                    other.lease_state(&key).await.map_err(&failed)?,
                    &LeaseState::Free,
                )?;
            }
            let lease = lease(&*self.store, &key, PROMISE).await?;
            if lease.predecessor != Predecessor::Finished || lease.fence <= fence {
                return Err(broken(PROMISE, lease));
            }
            fence = lease.fence;
            for other in stores {
                match other.lease_state(&key).await.map_err(&failed)? {
                    LeaseState::Held { by, for_at_most } if by == "contract" && for_at_most <= Some(TTL) => {}
                    other => return Err(broken(PROMISE, other)),
                }
            }
            let next = StoredRecord::new(fence, b"x".as_slice());
            let seen = self.store.load(&key).await.map_err(&failed)?;
            let swap = Swap::new(seen.map(|record| record.revision), fence, Some(next));
            expect(
                PROMISE,
                self.store.swap(&key, swap).await.map_err(&failed)?,
                &Swapped::Done,
            )?;
            self.store.release(&key, lease).await.map_err(&failed)?;
        }
        Ok(())
    }

    async fn a_late_release_frees_nobody_elses_lease(&self) -> Result<(), Violation> {
        const PROMISE: &str = "a release of an older lease leaves the newer one alone";
        let (key, failed) = (key("release"), failed(PROMISE));
        let old = lease(&*self.store, &key, PROMISE).await?;
        let again = Lease::new(old.fence);
        self.store.release(&key, old).await.map_err(&failed)?;
        let new = lease(&*self.sibling, &key, PROMISE).await?;
        self.store.release(&key, again).await.map_err(&failed)?;
        match self.store.lease(&key, "late", TTL).await.map_err(&failed)? {
            Leased::Held { .. } => {}
            granted @ Leased::Granted(_) => return Err(broken(PROMISE, granted)),
        }
        self.sibling.release(&key, new).await.map_err(&failed)
    }

    async fn a_lapsed_lease_changes_nothing(&self) -> Result<(), Violation> {
        const PROMISE: &str = "who takes over a lapsed lease knows it, and the old holder changes nothing any more";
        const SHORT: Duration = Duration::from_millis(250);
        let (key, failed) = (key("lapse"), failed(PROMISE));
        let Leased::Granted(old) = self.store.lease(&key, "old", SHORT).await.map_err(&failed)? else {
            return Err(broken(PROMISE, "no lease on a new key"));
        };
        tokio::time::sleep(SHORT * 2).await;
        let looked = self.store.lease_state(&key).await.map_err(&failed)?;
        match self.sibling.lease(&key, "new", TTL).await.map_err(&failed)? {
            // A lease that the operating system guards need not lapse: then its holder is still at work.
            Leased::Held { .. } => {
                if looked == LeaseState::Free {
                    return Err(broken(PROMISE, looked));
                }
                let swap = Swap::new(None, old.fence, Some(StoredRecord::new(1, b"x".as_slice())));
                expect(
                    PROMISE,
                    self.store.swap(&key, swap).await.map_err(&failed)?,
                    &Swapped::Done,
                )?;
                self.store.release(&key, old).await.map_err(&failed)
            }
            Leased::Granted(new) => {
                expect(PROMISE, new.predecessor, &Predecessor::Lapsed)?;
                if let LeaseState::Held { .. } = looked {
                    return Err(broken(PROMISE, looked));
                }
                let swap = Swap::new(None, old.fence, Some(StoredRecord::new(1, b"x".as_slice())));
                expect(
                    PROMISE,
                    self.store.swap(&key, swap).await.map_err(&failed)?,
                    &Swapped::Fenced,
                )?;
                self.store.release(&key, old).await.map_err(&failed)?;
                if let granted @ Leased::Granted(_) = self.store.lease(&key, "x", TTL).await.map_err(&failed)? {
                    return Err(broken(PROMISE, granted));
                }
                self.sibling.release(&key, new).await.map_err(&failed)
            }
        }
    }

    async fn a_renewed_lease_lasts(&self) -> Result<(), Violation> {
        const PROMISE: &str = "a lease that is renewed lasts, and one that was given back or taken over is not renewed";
        const SHORT: Duration = Duration::from_millis(250);
        if !self.store.renews_leases() {
            return Ok(());
        }
        let (key, failed) = (key("renewal"), failed(PROMISE));
        let Leased::Granted(first) = self.store.lease(&key, "first", SHORT).await.map_err(&failed)? else {
            return Err(broken(PROMISE, "no lease on a new key"));
        };
        expect(
            PROMISE,
            self.store.renew(&key, &first, TTL).await.map_err(&failed)?,
            &true,
        )?;
        tokio::time::sleep(SHORT * 2).await;
        if let granted @ Leased::Granted(_) = self.sibling.lease(&key, "second", SHORT).await.map_err(&failed)? {
            return Err(broken(PROMISE, granted));
        }
        // Renewed to almost nothing, it runs out, and is renewed as long as nobody has taken it over.
        for ttl in [Duration::from_millis(1), TTL, Duration::from_millis(1)] {
            expect(
                PROMISE,
                self.store.renew(&key, &first, ttl).await.map_err(&failed)?,
                &true,
            )?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let second = lease(&*self.sibling, &key, PROMISE).await?;
        expect(
            PROMISE,
            self.store.renew(&key, &first, TTL).await.map_err(&failed)?,
            &false,
        )?;
        let again = Lease::new(second.fence);
        self.sibling.release(&key, second).await.map_err(&failed)?;
        expect(
            PROMISE,
            self.sibling.renew(&key, &again, TTL).await.map_err(&failed)?,
            &false,
        )?;
        let third = lease(&*self.store, &key, PROMISE).await?;
        self.store.release(&key, third).await.map_err(&failed)
    }

    async fn a_lease_and_its_first_swap_come_together(&self) -> Result<(), Violation> {
        const PROMISE: &str = "a lease is given with its first swap, or neither";
        let (key, failed) = (key("begin"), failed(PROMISE));
        let record = |revision: u64| Some(StoredRecord::new(revision, revision.to_string().into_bytes()));
        let begin = |store: &Arc<dyn TokenStore>, expected, next| {
            let (store, key) = (Arc::clone(store), key.clone());
            async move {
                store
                    .lease_and_swap(&key, "contract", TTL, Swap::new(expected, 77, next))
                    .await
            }
        };
        let first = match begin(&self.store, None, record(1)).await.map_err(&failed)? {
            LeasedSwap::Done(lease) => lease,
            other => return Err(broken(PROMISE, other)),
        };
        expect(PROMISE, first.predecessor, &Predecessor::Finished)?;
        expect(PROMISE, self.sibling.load(&key).await.map_err(&failed)?, &record(1))?;
        // The lease is a lease as any other.
        if let granted @ Leased::Granted(_) = self.sibling.lease(&key, "late", TTL).await.map_err(&failed)? {
            return Err(broken(PROMISE, granted));
        }
        match begin(&self.sibling, Some(1), record(9)).await.map_err(&failed)? {
            LeasedSwap::Held { by, .. } if by == "contract" => {}
            other => return Err(broken(PROMISE, other)),
        }
        expect(PROMISE, self.store.load(&key).await.map_err(&failed)?, &record(1))?;
        let swap = Swap::new(Some(1), first.fence, record(2));
        expect(
            PROMISE,
            self.store.swap(&key, swap).await.map_err(&failed)?,
            &Swapped::Done,
        )?;
        let fence = first.fence;
        self.store.release(&key, first).await.map_err(&failed)?;
        for expected in [None, Some(1), Some(3)] {
            match begin(&self.sibling, expected, record(9)).await.map_err(&failed)? {
                LeasedSwap::Conflict(stored) => expect(PROMISE, stored, &record(2))?,
                other => return Err(broken(PROMISE, other)),
            }
        }
        // Nobody has the lease after a conflict.
        let second = match begin(&self.sibling, Some(2), record(3)).await.map_err(&failed)? {
            LeasedSwap::Done(lease) if lease.fence > fence => lease,
            other => return Err(broken(PROMISE, other)),
        };
        self.sibling.release(&key, second).await.map_err(&failed)?;
        expect(PROMISE, self.store.load(&key).await.map_err(&failed)?, &record(3))
    }

    async fn a_lease_ends_with_its_last_swap(&self) -> Result<(), Violation> {
        const PROMISE: &str = "a lease ends with its last swap where that is made, and is kept where it is not";
        let (key, failed) = (key("end"), failed(PROMISE));
        let record = |revision: u64| Some(StoredRecord::new(revision, revision.to_string().into_bytes()));
        let first = lease(&*self.store, &key, PROMISE).await?;
        let end = async |expected, next, lease: &Lease| {
            let swap = Swap::new(expected, lease.fence, next);
            self.store.swap_and_release(&key, swap, lease).await.map_err(&failed)
        };
        expect(
            PROMISE,
            end(Some(7), record(8), &first).await?,
            &Swapped::Conflict(None),
        )?;
        if let granted @ Leased::Granted(_) = self.sibling.lease(&key, "late", TTL).await.map_err(&failed)? {
            return Err(broken(PROMISE, granted));
        }
        expect(PROMISE, end(None, record(1), &first).await?, &Swapped::Done)?;
        let again = Lease::new(first.fence);
        drop(first);
        // Its answer may be lost.
        const AGAIN: &str =
            "a last swap that is asked for again after it was made is done, whoever has the lease by then";
        expect(AGAIN, end(None, record(1), &again).await?, &Swapped::Done)?;
        expect(PROMISE, self.sibling.load(&key).await.map_err(&failed)?, &record(1))?;
        let second = lease(&*self.sibling, &key, PROMISE).await?;
        expect(PROMISE, second.predecessor, &Predecessor::Finished)?;
        expect(AGAIN, end(None, record(1), &again).await?, &Swapped::Done)?;
        // Of an older lease, another write changes nothing and frees nobody's lease.
        expect(PROMISE, end(Some(1), record(5), &again).await?, &Swapped::Fenced)?;
        expect(PROMISE, self.store.load(&key).await.map_err(&failed)?, &record(1))?;
        if let granted @ Leased::Granted(_) = self.store.lease(&key, "late", TTL).await.map_err(&failed)? {
            return Err(broken(PROMISE, granted));
        }
        self.sibling.release(&key, second).await.map_err(&failed)
    }

    async fn a_walk_gives_every_record(&self) -> Result<(), Violation> {
        const PROMISE: &str = "a walk gives every record whose id begins so, and no other";
        const RECORDS: u64 = 230;
        let failed = failed(PROMISE);
        // Of a provider of its own: other keys are not walked.
        let provider: String = uuid::Uuid::new_v4().simple().to_string();
        let key = |number: u64| {
            TokenKey::new(&*provider, "contract", GrantKind::AuthorizationCode).subject(number.to_string())
        };
        let ids = format!("{}-", &provider[..24]);
        match self.store.list(&ids, None).await {
            Err(StoreError::Unsupported { .. }) => return Ok(()),
            listed => expect(PROMISE, listed.map_err(&failed)?.records.len(), &0)?,
        }
        let mut written = std::collections::BTreeMap::new();
        for number in 0..RECORDS {
            let key = key(number);
            let lease = lease(&*self.store, &key, PROMISE).await?;
            let record = StoredRecord::new(number + 1, number.to_string().into_bytes());
            let swap = Swap::new(None, lease.fence, Some(record.clone()));
            expect(
                PROMISE,
                self.store.swap_and_release(&key, swap, &lease).await.map_err(&failed)?,
                &Swapped::Done,
            )?;
            written.insert(key.storage_id(), record);
        }
        // A lease without a record is nothing to give.
        let bare = lease(&*self.store, &key(RECORDS), PROMISE).await?;
        self.store.release(&key(RECORDS), bare).await.map_err(&failed)?;
        let mut found = std::collections::BTreeMap::new();
        let mut after = None;
        let mut steps = 0;
        loop {
            let Listed { records, next } = self.sibling.list(&ids, after.as_deref()).await.map_err(&failed)?;
            for listed in records {
                found.insert(listed.id, listed.record.map_err(&failed)?);
            }
            steps += 1;
            match next {
                Some(next) if steps < 1_000_000 => after = Some(next),
                Some(_) => return Err(broken(PROMISE, "the walk does not end")),
                None => break,
            }
        }
        if found != written {
            return Err(broken(PROMISE, format!("{} of {} records", found.len(), written.len())));
        }
        self.what_a_walk_found_is_removed(&key, &ids, found).await
    }

    async fn what_a_walk_found_is_removed(
        &self,
        key: &(dyn Fn(u64) -> TokenKey + Send + Sync),
        ids: &str,
        found: std::collections::BTreeMap<String, StoredRecord>,
    ) -> Result<(), Violation> {
        const PROMISE: &str =
            "a record is removed by its id, at the revision that was read, while nobody has its lease";
        let failed = failed(PROMISE);
        let first = key(0);
        let (id, revision) = (first.storage_id(), 1);
        let held = match self.store.remove(&id, revision + 1).await {
            Err(StoreError::Unsupported { .. }) => return Ok(()),
            removed => {
                expect(PROMISE, removed.map_err(&failed)?, &false)?;
                lease(&*self.store, &first, PROMISE).await?
            }
        };
        expect(
            PROMISE,
            self.sibling.remove(&id, revision).await.map_err(&failed)?,
            &false,
        )?;
        expect(
            PROMISE,
            self.store
                .load(&first)
                .await
                .map_err(&failed)?
                .map(|record| record.revision),
            &Some(revision),
        )?;
        self.store.release(&first, held).await.map_err(&failed)?;
        let mut found = found;
        self.what_a_walk_found_is_replaced(&first, &mut found).await?;
        for (id, record) in found {
            let removed = self.sibling.remove(&id, record.revision).await.map_err(&failed)?;
            expect(PROMISE, removed, &true)?;
        }
        expect(
            PROMISE,
            self.store.list(ids, None).await.map_err(&failed)?.records.len(),
            &0,
        )?;
        expect(PROMISE, self.store.load(&first).await.map_err(&failed)?, &None)?;
        expect(
            PROMISE,
            self.store.remove(&id, revision).await.map_err(&failed)?,
            &false,
        )?;
        let again = lease(&*self.sibling, &first, PROMISE).await?;
        let swap = Swap::new(None, again.fence, Some(StoredRecord::new(9, b"x".as_slice())));
        let swapped = self
            .sibling
            .swap_and_release(&first, swap, &again)
            .await
            .map_err(&failed)?;
        expect(PROMISE, swapped, &Swapped::Done)?;
        drop(again);
        expect(PROMISE, self.store.remove(&id, 9).await.map_err(&failed)?, &true)
    }

    /// The record of this key, at revision 1. `found` becomes what is there afterwards.
    async fn what_a_walk_found_is_replaced(
        &self,
        key: &TokenKey,
        found: &mut std::collections::BTreeMap<String, StoredRecord>,
    ) -> Result<(), Violation> {
        const PROMISE: &str =
            "a record is replaced by its id, at the revision that was read, while nobody has its lease";
        let failed = failed(PROMISE);
        let id = key.storage_id();
        let next = |revision: u64| StoredRecord::new(revision, format!("replaced {revision}").into_bytes());
        let held = match self.store.replace(&id, 2, next(3)).await {
            Err(StoreError::Unsupported { .. }) => return Ok(()),
            replaced => {
                expect(PROMISE, replaced.map_err(&failed)?, &false)?;
                lease(&*self.store, key, PROMISE).await?
            }
        };
        let replaced = self.sibling.replace(&id, 1, next(2)).await.map_err(&failed)?;
        expect(PROMISE, replaced, &false)?;
        let stored = self.store.load(key).await.map_err(&failed)?;
        expect(PROMISE, stored, &found.get(&id).cloned())?;
        let fence = held.fence;
        self.store.release(key, held).await.map_err(&failed)?;
        for revision in [1, 2] {
            let replaced = self.sibling.replace(&id, 1, next(revision)).await.map_err(&failed)?;
            expect(PROMISE, replaced, &true)?;
        }
        let stored = self.store.load(key).await.map_err(&failed)?;
        expect(PROMISE, stored, &Some(next(2)))?;
        let replaced = self.store.replace(&id, 1, next(3)).await.map_err(&failed)?;
        expect(PROMISE, replaced, &false)?;
        // A write goes on from there, and one from before does not.
        let again = lease(&*self.store, key, PROMISE).await?;
        if again.fence <= fence {
            return Err(broken(PROMISE, "fences began anew"));
        }
        let late = Swap::new(Some(1), again.fence, Some(next(5)));
        let swapped = self.store.swap(key, late).await.map_err(&failed)?;
        expect(PROMISE, swapped, &Swapped::Conflict(Some(next(2))))?;
        let swap = Swap::new(Some(2), again.fence, Some(next(3)));
        let swapped = self.store.swap(key, swap).await.map_err(&failed)?;
        expect(PROMISE, swapped, &Swapped::Done)?;
        self.store.release(key, again).await.map_err(&failed)?;
        found.insert(id.clone(), next(3));
        // What is not there is not made.
        let absent = key.clone().subject("nobody");
        let replaced = self.store.replace(&absent.storage_id(), 1, next(2)).await;
        expect(PROMISE, replaced.map_err(&failed)?, &false)?;
        expect(PROMISE, self.store.load(&absent).await.map_err(&failed)?, &None)
    }

    async fn of_many_swaps_one_is_made(&self) -> Result<(), Violation> {
        const PROMISE: &str = "of many swaps from one revision exactly one is made";
        let (key, failed) = (Arc::new(key("race")), failed(PROMISE));
        let lease = lease(&*self.store, &key, PROMISE).await?;
        let mut expected = None;
        for round in 1..=5_u64 {
            let racers: Vec<_> = (0..8_u8)
                .map(|racer| {
                    let store = Arc::clone(if racer % 2 == 0 { &self.store } else { &self.sibling });
                    let (key, fence) = (Arc::clone(&key), lease.fence);
                    tokio::spawn(async move {
                        let next = StoredRecord::new(round, vec![racer; 512]);
                        store.swap(&key, Swap::new(expected, fence, Some(next))).await
                    })
                })
                .collect();
            let mut winners = Vec::new();
            for (number, racer) in (0_u8..).zip(racers) {
                match racer.await {
                    Ok(swapped) if swapped.clone().map_err(&failed)? == Swapped::Done => winners.push(number),
                    Ok(_) => {}
                    Err(error) => return Err(broken(PROMISE, error)),
                }
            }
            let stored = self.store.load(&key).await.map_err(&failed)?;
            let winner = match winners.as_slice() {
                [winner] => *winner,
                _ => return Err(broken(PROMISE, winners)),
            };
            expect(PROMISE, stored, &Some(StoredRecord::new(round, vec![winner; 512])))?;
            expected = Some(round);
        }
        self.store.release(&key, lease).await.map_err(&failed)
    }

    async fn no_update_is_lost(&self) -> Result<(), Violation> {
        const PROMISE: &str = "lease, read and swap lose no update, however many work at once";
        const WORKERS: u64 = 6;
        const ROUNDS: u64 = 5;
        let (key, failed) = (Arc::new(key("updates")), failed(PROMISE));
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let store = Arc::clone(if worker % 2 == 0 { &self.store } else { &self.sibling });
                let key = Arc::clone(&key);
                tokio::spawn(async move {
                    let holder = format!("worker {worker}");
                    let mut done = 0;
                    while done < ROUNDS {
                        let Leased::Granted(lease) = store.lease(&key, &holder, TTL).await? else {
                            tokio::time::sleep(Duration::from_millis(2)).await;
                            continue;
                        };
                        let seen = store.load(&key).await?;
                        let expected = seen.as_ref().map(|record| record.revision);
                        let count = expected.unwrap_or(0) + 1;
                        let next = StoredRecord::new(count, count.to_string().into_bytes());
                        let swap = Swap::new(expected, lease.fence, Some(next));
                        if store.swap(&key, swap).await? == Swapped::Done {
                            done += 1;
                        }
                        store.release(&key, lease).await?;
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .collect();
        for worker in workers {
            match worker.await {
                Ok(done) => done.map_err(&failed)?,
                Err(error) => return Err(broken(PROMISE, error)),
            }
        }
        let total = WORKERS * ROUNDS;
        let expected = Some(StoredRecord::new(total, total.to_string().into_bytes()));
        expect(PROMISE, self.store.load(&key).await.map_err(&failed)?, &expected)
    }
}
