//! The store as one grant uses it: a store that does not answer is a store that is not there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::token::clock::Now;
use crate::token::grant::Grant;
use crate::token::record::{DamagedCopy, Versioned, next_revision};
use crate::token::store::{
    Damage, Lease, LeaseState, Leased, LeasedSwap, Older, Place, RecordBytes, Stage, StoredRecord, Swap, Swapped,
    given_back, in_time, swap_alone,
};
use crate::token::{Clock, Record, StoreError, TokenKey, TokenStore};

/// How long a lease lasts that is renewed while its holder is at work: whoever is killed blocks nobody for longer.
const LEASE: Duration = Duration::from_secs(10);

/// The store, for the record of one grant.
pub(crate) struct GrantStore {
    store: Arc<dyn TokenStore>,
    pub grant: Arc<Grant>,
    clock: Arc<dyn Clock>,
    /// Where a step of this grant waits for its turn.
    place: Mutex<Option<Place>>,
}

impl GrantStore {
    pub fn new(store: Arc<dyn TokenStore>, grant: Arc<Grant>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            grant,
            clock,
            place: Mutex::new(None),
        }
    }

    /// What the store holds now, for somebody who has no lease.
    pub async fn look(&self) -> Result<Option<Versioned>, StoreError> {
        self.decoded(self.load_at(Stage::Look).await?)
            .map_err(|error| error.of(&*self.store))
    }

    /// The same for a change that somebody waits for.
    pub async fn look_for_change(&self) -> Result<Option<Versioned>, StoreError> {
        self.decoded(self.load_at(Stage::Change).await?)
    }

    /// What the store holds now, undecoded. Under the lease.
    pub async fn load(&self) -> Result<Option<StoredRecord>, StoreError> {
        self.load_at(Stage::Leased).await
    }

    /// What the store holds now. Under the lease.
    pub async fn read(&self) -> Result<Option<Versioned>, StoreError> {
        self.decoded(self.load().await?).map_err(|error| error.of(&*self.store))
    }

    async fn load_at(&self, stage: Stage) -> Result<Option<StoredRecord>, StoreError> {
        self.step(stage, "read the record", || self.store.load(&self.grant.key))
            .await
    }

    fn decoded(&self, stored: Option<StoredRecord>) -> Result<Option<Versioned>, StoreError> {
        let Some(stored) = stored else {
            return Ok(None);
        };
        let record = match Record::decode(&stored.bytes) {
            Ok(record) => record,
            Err(error) if error.is_damage() => return Err(StoreError::damaged_record(error, stored).of(&*self.store)),
            Err(error) => return Err(StoreError::from(error).of(&*self.store)),
        };
        if !record.is_of(&self.grant.key) {
            return Err(StoreError::corrupt("the record belongs to another key"));
        }
        // Before anything is told of what was read.
        if record.pseudonym.is_some() {
            self.grant.names_nobody(true);
        }
        Ok(Some(Versioned {
            revision: stored.revision,
            record,
        }))
    }

    /// The record that the store refuses as older than one it has seen, where nothing but that is wrong with it.
    pub fn refused_as_older<'a>(&self, error: &'a StoreError) -> Option<&'a Older> {
        self.read_older(error).and_then(|_| error.older())
    }

    /// What is in that record.
    pub fn read_older(&self, error: &StoreError) -> Option<Versioned> {
        let older = error.older()?;
        let record = Record::decode(&older.stored.bytes).ok()?;
        let revision = older.stored.revision;
        record.is_of(&self.grant.key).then_some(Versioned { revision, record })
    }

    /// Keeps what is damaged under a key of its own, instead of what was kept there before.
    pub async fn keep_aside(&self, damage: &Damage) -> Result<(), StoreError> {
        let Some(bytes) = damage.bytes.as_ref().filter(|_| !damage.kept_aside) else {
            return Ok(());
        };
        let copy = DamagedCopy::encode(&self.grant.key, bytes);
        self.replace_aside(Some(copy)).await
    }

    /// Removes what was kept of a damaged record.
    pub async fn remove_aside(&self) -> Result<(), StoreError> {
        self.replace_aside(None).await
    }

    async fn replace_aside(&self, bytes: Option<RecordBytes>) -> Result<(), StoreError> {
        const ACTION: &str = "keep a copy of a damaged record";
        let key = self.grant.key.damaged_copy();
        let kept = in_time(&*self.store, ACTION, self.store.load(&key)).await?;
        let expected = kept.map(|kept| kept.revision);
        if expected.is_none() && bytes.is_none() {
            return Ok(());
        }
        let revision = next_revision(expected, 0, self.now().utc(), 0);
        let next = bytes.map(|bytes| StoredRecord::new(revision, bytes));
        let swap = Swap::new(expected, 0, next);
        // Of two processes that find the damage, one keeps it.
        swap_alone(&*self.store, &key, swap, &self.grant.holder, ACTION).await?;
        Ok(())
    }

    /// Changes the record, once.
    pub async fn swap(&self, swap: Swap) -> Result<Swapped, StoreError> {
        self.step(Stage::Write, "take the write", || {
            self.store.swap(&self.grant.key, swap)
        })
        .await
    }

    /// Changes the record, once, and gives the lease back with that.
    pub async fn swap_and_release(&self, swap: Swap, lease: &Lease) -> Result<Swapped, StoreError> {
        self.step(Stage::Write, "take the write", || {
            self.store.swap_and_release(&self.grant.key, swap, lease)
        })
        .await
    }

    /// Asks for the lease of a refresh, once.
    pub async fn lease(&self) -> Result<Asked, StoreError> {
        self.lease_at(Stage::Lease).await
    }

    /// Asks for the lease of a change that somebody waits for, or of tokens that are stored nowhere; once.
    pub async fn lease_for_change(&self) -> Result<Asked, StoreError> {
        self.lease_at(Stage::Change).await
    }

    /// Asks for the lease of a refresh and makes the first swap under it, once.
    pub async fn lease_and_swap(&self, swap: Swap) -> Result<Asked<LeasedSwap>, StoreError> {
        self.ask(Stage::Lease, |key, holder, ttl| {
            self.store.lease_and_swap(key, holder, ttl, swap)
        })
        .await
    }

    async fn lease_at(&self, stage: Stage) -> Result<Asked, StoreError> {
        self.ask(stage, |key, holder, ttl| self.store.lease(key, holder, ttl))
            .await
    }

    async fn ask<'a, T>(
        &'a self,
        stage: Stage,
        question: impl FnOnce(&'a TokenKey, &'a str, Duration) -> BoxFuture<'a, Result<T, StoreError>>,
    ) -> Result<Asked<T>, StoreError> {
        let Grant { key, holder, .. } = &*self.grant;
        let ttl = self.lease_ttl();
        let mut asked_at = None;
        let leased = self
            .step(stage, "give a lease", || {
                // The wait for a turn is over: from here on a lease may be given.
                asked_at = Some(self.now());
                question(key, holder, ttl)
            })
            .await?;
        Ok(Asked {
            leased,
            at: asked_at.unwrap_or_else(|| self.now()),
        })
    }

    /// How long a lease lasts without renewal.
    pub fn lease_ttl(&self) -> Duration {
        if self.store.renews_leases() {
            LEASE
        } else {
            self.grant.longest_work()
        }
    }

    /// Whether leases are renewed while their holder is at work.
    pub fn renews_leases(&self) -> bool {
        self.store.renews_leases()
    }

    /// Lets a lease last, and says from when on; none: it is lost.
    pub async fn renew(&self, lease: &Lease) -> Result<Option<Now>, StoreError> {
        let ttl = self.lease_ttl();
        let mut asked_at = None;
        let renewed = self.step(Stage::Leased, "renew a lease", || {
            asked_at = Some(self.now());
            self.store.renew(&self.grant.key, lease, ttl)
        });
        let renewed = renewed.await?;
        Ok(asked_at.filter(|_| renewed))
    }

    fn now(&self) -> Now {
        Now::read(&*self.clock)
    }

    /// Gives the lease back. If that fails, its time runs out.
    pub async fn release(&self, lease: Lease) {
        let key = &self.grant.key;
        let released = self.step(Stage::Write, "take the lease back", || self.store.release(key, lease));
        given_back(key, released.await);
    }

    /// Who may work on the grant now; unknown when the store does not say.
    pub async fn lease_state(&self) -> LeaseState {
        let state = self.step(Stage::Look, "tell the lease", || {
            self.store.lease_state(&self.grant.key)
        });
        state.await.unwrap_or(LeaseState::Unknown)
    }

    /// Whether a step of this grant waits for its turn now, and for how long it has.
    pub fn waiting(&self) -> Option<StoreError> {
        let place = (*self.place())?;
        Some(self.store.admission()?.still_waiting(place))
    }

    /// One step, when its turn has come: only then its time begins.
    async fn step<T, F>(&self, stage: Stage, action: &'static str, work: impl FnOnce() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let Some(admission) = self.store.admission() else {
            return in_time(&*self.store, action, work()).await;
        };
        let turn = {
            let _waits = NoPlace(self);
            admission.turn(stage, |place| *self.place() = Some(place)).await?
        };
        let done = in_time(&*self.store, action, work()).await;
        if !matches!(done, Err(StoreError::Unavailable { .. })) {
            turn.answered();
        }
        done
    }

    fn place(&self) -> MutexGuard<'_, Option<Place>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer to a question for a lease.
pub(crate) struct Asked<T = Leased> {
    pub leased: T,
    /// When it was asked: a lease lasts from then on at the earliest.
    pub at: Now,
}

/// At the end of a wait, however it ends.
struct NoPlace<'a>(&'a GrantStore);

impl Drop for NoPlace<'_> {
    fn drop(&mut self) {
        *self.0.place() = None;
    }
}
