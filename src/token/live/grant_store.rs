//! The store as one grant uses it: a store that does not answer is a store that is not there.

use std::sync::Arc;
use std::time::Duration;

use crate::token::grant::Grant;
use crate::token::record::Versioned;
use crate::token::store::{Lease, LeaseState, Leased, StoredRecord, Swap, Swapped};
use crate::token::{Record, StoreError, TokenStore};

/// How long one answer of a store may take: longer than the stores of this crate wait for theirs.
const PATIENCE: Duration = Duration::from_secs(10);

/// The store, for the record of one grant.
pub(crate) struct GrantStore {
    store: Arc<dyn TokenStore>,
    pub grant: Arc<Grant>,
}

impl GrantStore {
    pub fn new(store: Arc<dyn TokenStore>, grant: Arc<Grant>) -> Self {
        Self { store, grant }
    }

    /// What the store holds now, undecoded.
    pub async fn load(&self) -> Result<Option<StoredRecord>, StoreError> {
        in_time("read the record", self.store.load(&self.grant.key)).await
    }

    /// What the store holds now.
    pub async fn read(&self) -> Result<Option<Versioned>, StoreError> {
        let Some(stored) = self.load().await? else {
            return Ok(None);
        };
        let record = Record::decode(&stored.bytes)?;
        if record.key != self.grant.key {
            return Err(StoreError::corrupt("the record belongs to another key"));
        }
        Ok(Some(Versioned {
            revision: stored.revision,
            record,
        }))
    }

    /// Changes the record, once.
    pub async fn swap(&self, swap: Swap) -> Result<Swapped, StoreError> {
        in_time("take the write", self.store.swap(&self.grant.key, swap)).await
    }

    /// Asks for the lease, once.
    pub async fn lease(&self) -> Result<Leased, StoreError> {
        let Grant { key, holder, .. } = &*self.grant;
        in_time("give a lease", self.store.lease(key, holder, self.grant.lease_ttl())).await
    }

    /// Gives the lease back. If that fails, its time runs out.
    pub async fn release(&self, lease: Lease) {
        let key = &self.grant.key;
        if let Err(error) = in_time("take the lease back", self.store.release(key, lease)).await {
            tracing::debug!(%key, %error, "a lease was not given back and has to run out");
        }
    }

    /// Who may work on the grant now; unknown when the store does not say.
    pub async fn lease_state(&self) -> LeaseState {
        let state = in_time("tell the lease", self.store.lease_state(&self.grant.key)).await;
        state.unwrap_or(LeaseState::Unknown)
    }
}

async fn in_time<T>(action: &'static str, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(late) => Err(StoreError::unavailable(action, late)),
    }
}
