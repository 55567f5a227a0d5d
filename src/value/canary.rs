//! What replies contained that the specifications do not describe.
//!
//! A provider's change is often first seen in a reply: a new field, a new kind,
//! a new value of a list. Clients read on; this module counts, and tells of each
//! new name once through a `tracing` event of target `finrail::canary`. Names and
//! places only, never values.
//!
//! ```
//! for sighting in finrail::canary::sightings() {
//!     println!("{} {}: {} at {}, {} times", sighting.provider, sighting.operation, sighting.what, sighting.place, sighting.count);
//! }
//! ```

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// How many different sightings are kept.
const MOST: usize = 4096;

/// Something in a reply that the specification does not describe.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sighting {
    /// The provider.
    pub provider: &'static str,
    /// The operation whose reply it was.
    pub operation: &'static str,
    /// What it is.
    pub what: Unmodelled,
    /// Where: the JSON path of a field or a kind, the schema's name for a value. Items of a list are `[]`.
    pub place: String,
    /// How often it was seen.
    pub count: u64,
}

/// What a specification lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Unmodelled {
    /// A field.
    Field,
    /// A value of an enum.
    EnumValue,
    /// A kind that is named by a key.
    Kind,
}

impl Unmodelled {
    /// The word in events and recordings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Field => "unmodelled-field",
            Self::EnumValue => "unknown-enum-value",
            Self::Kind => "unknown-kind",
        }
    }
}

impl fmt::Display for Unmodelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

type Key = (&'static str, &'static str, Unmodelled, String);

static SEEN: Mutex<BTreeMap<Key, u64>> = Mutex::new(BTreeMap::new());

/// Everything that this process has seen, in a fixed order.
#[must_use]
pub fn sightings() -> Vec<Sighting> {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let all = seen.iter().map(|((provider, operation, what, place), count)| Sighting {
        provider,
        operation,
        what: *what,
        place: place.clone(),
        count: *count,
    });
    all.collect()
}

thread_local! {
    /// What the decoding that is under way on this thread has seen.
    static COLLECTED: RefCell<Option<Vec<(Unmodelled, String)>>> = const { RefCell::new(None) };
}

/// Called by generated types while they are read.
pub(crate) fn note(what: Unmodelled, place: impl FnOnce() -> String) {
    COLLECTED.with_borrow_mut(|collected| {
        if let Some(collected) = collected.as_mut().filter(|collected| collected.len() < MOST) {
            collected.push((what, place()));
        }
    });
}

/// The same text is read once more: what was noted of it so far is noted then.
pub(crate) fn begin_again() {
    COLLECTED.with_borrow_mut(|collected| {
        if let Some(collected) = collected {
            collected.clear();
        }
    });
}

/// Decodes, and reports what the decoding saw.
pub(crate) fn watch<T>(provider: &'static str, operation: &'static str, decode: impl FnOnce() -> T) -> T {
    COLLECTED.set(Some(Vec::new()));
    let value = decode();
    let collected = COLLECTED.take().unwrap_or_default();
    if collected.is_empty() {
        return value;
    }
    let mut fresh = Vec::new();
    {
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        for (what, place) in collected {
            let key = (provider, operation, what, place);
            if let Some(count) = seen.get_mut(&key) {
                *count += 1;
            } else if seen.len() < MOST {
                fresh.push((what, key.3.clone()));
                seen.insert(key, 1);
            }
        }
    }
    for (what, place) in fresh {
        tracing::warn!(
            target: "finrail::canary",
            provider,
            operation,
            what = what.as_str(),
            place,
            "a reply has something that the specification does not describe"
        );
    }
    value
}

/// A path through JSON, with `[]` for the items of lists.
pub(crate) fn place(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, .. } => format!("{}[]", place(parent)),
        Path::Map { parent, key } => {
            let before = place(parent);
            if before.is_empty() {
                key.clone()
            } else {
                format!("{before}.{key}")
            }
        }
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => place(parent),
    }
}
