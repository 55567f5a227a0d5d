//! Records as a walk through a store gives them.

use super::{StoreError, StoredRecord};

/// How many records a step of a walk reads at most.
pub(super) const AT_ONCE: usize = 100;

/// Some of the records of a store: what [`TokenStore::list`](super::TokenStore::list) answers.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Listed {
    /// The records. None of them says nothing of the end: a step may find nothing.
    pub records: Vec<ListedRecord>,
    /// Where the walk goes on, in the store's own words. `None`: this was the last step.
    pub next: Option<String>,
}

/// A record of a walk.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListedRecord {
    /// The [id](crate::token::TokenKey::storage_id) of its key.
    pub id: String,
    /// The record, or why it cannot be read. The walk goes on after it.
    pub record: Result<StoredRecord, StoreError>,
}

impl Listed {
    /// A step of a walk.
    #[must_use]
    pub fn new(records: Vec<ListedRecord>, next: Option<String>) -> Self {
        Self { records, next }
    }
}

impl ListedRecord {
    /// A record that was read, or why it was not.
    #[must_use]
    pub fn new(id: impl Into<String>, record: Result<StoredRecord, StoreError>) -> Self {
        Self { id: id.into(), record }
    }
}
