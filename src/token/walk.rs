//! A walk through the records of a store.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use super::record::Versioned;
use super::store::{Listed, ListedRecord, Stage, in_time};
use super::{Record, StoreError, TokenStore};

/// A walk through the records of a store whose ids begin alike. Each of them is given once.
pub(crate) struct Walk {
    store: Arc<dyn TokenStore>,
    ids: String,
    read: VecDeque<ListedRecord>,
    after: Option<String>,
    /// The store has no more.
    is_over: bool,
    /// Hashes of the ids that were given: some stores give one twice.
    given: HashSet<u64>,
    /// The store has said that it removes nothing.
    keeps_all: bool,
}

impl Walk {
    pub fn new(store: Arc<dyn TokenStore>, ids: String) -> Self {
        Self {
            store,
            ids,
            read: VecDeque::new(),
            after: None,
            is_over: false,
            given: HashSet::new(),
            keeps_all: false,
        }
    }

    /// The next record. An error of the store ends the walk; one of a single record does not.
    pub async fn next(&mut self) -> Option<Result<ListedRecord, StoreError>> {
        loop {
            while let Some(listed) = self.read.pop_front() {
                if self.given.insert(hash(&listed.id)) {
                    return Some(Ok(listed));
                }
            }
            if self.is_over {
                return None;
            }
            match self.step().await {
                Ok(Listed { records, next }) => {
                    self.read.extend(records);
                    self.is_over = next.is_none();
                    self.after = next;
                }
                Err(error) => {
                    self.is_over = true;
                    return Some(Err(error));
                }
            }
        }
    }

    /// Removes a record that this walk gave, unless it changed since or somebody works on it. The walk goes on after an
    /// error. A store that does not remove at all ([`StoreError::Unsupported`]) says so once, and is asked no more.
    pub async fn remove(&mut self, id: &str, revision: u64) -> Result<bool, StoreError> {
        if self.keeps_all {
            return Ok(false);
        }
        let store = &*self.store;
        let removed = in_time(store, "remove a record", store.remove(id, revision)).await;
        self.keeps_all = matches!(removed, Err(StoreError::Unsupported { .. }));
        removed
    }

    /// In its turn: a walk holds up no refresh.
    async fn step(&self) -> Result<Listed, StoreError> {
        let turn = match self.store.admission() {
            Some(admission) => Some(admission.turn(Stage::Look, |_| {}).await?),
            None => None,
        };
        let listed = self.store.list(&self.ids, self.after.as_deref());
        let listed = in_time(&*self.store, "list its records", listed).await;
        if let Some(turn) = turn.filter(|_| listed.is_ok()) {
            turn.answered();
        }
        listed
    }
}

fn hash(id: &str) -> u64 {
    use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
    BuildHasherDefault::<DefaultHasher>::default().hash_one(id)
}

/// The record of a grant as a walk found it.
pub(crate) fn read(listed: ListedRecord, store: &dyn TokenStore) -> Result<Versioned, StoreError> {
    let ListedRecord { id, record } = listed;
    let stored = record?;
    let record = Record::decode(&stored.bytes).map_err(|error| match error.is_damage() {
        true => StoreError::damaged_record(error, stored.clone()).of(store),
        false => StoreError::from(error).of(store),
    })?;
    if record.pseudonym.is_none() && record.key.storage_id() != id {
        return Err(StoreError::corrupt("the record belongs to another key").of(store));
    }
    Ok(Versioned {
        revision: stored.revision,
        record,
    })
}
