//! What is kept: things, each with its document, in collections.

use std::collections::BTreeMap;

use finrail_spec::json::Json;

/// One thing that can be read, changed and deleted.
#[derive(Clone)]
pub(in crate::sandbox) struct Record {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) doc: Json,
    /// What its views say beyond the document: `sync` and its fields.
    pub(in crate::sandbox) views: BTreeMap<String, Json>,
    /// When it was created, or last did what its provider limits; milliseconds of the sandbox's clock.
    pub(in crate::sandbox) since: u64,
    /// Put in by a test: shown as it is, whatever its schema says.
    pub(in crate::sandbox) is_raw: bool,
}

impl Record {
    /// A thing with nothing but its document.
    pub(in crate::sandbox) fn new(id: String, doc: Json, since: u64) -> Self {
        Self {
            id,
            doc,
            views: BTreeMap::new(),
            since,
            is_raw: false,
        }
    }

    /// The text of a member of the document.
    pub(in crate::sandbox) fn text(&self, name: &str) -> Option<&str> {
        self.doc.get(name)?.as_str()
    }
}

/// Things of one kind, in the order in which they were made.
#[derive(Default)]
pub(in crate::sandbox) struct Collection {
    /// Name of the path parameter that takes the id.
    pub(in crate::sandbox) parameter: Option<String>,
    pub(in crate::sandbox) records: Vec<Record>,
}

impl Collection {
    pub(in crate::sandbox) fn find(&self, id: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.id == id)
    }

    pub(in crate::sandbox) fn find_mut(&mut self, id: &str) -> Option<&mut Record> {
        self.records.iter_mut().find(|record| record.id == id)
    }

    pub(in crate::sandbox) fn remove(&mut self, id: &str) {
        self.records.retain(|record| record.id != id);
    }
}
