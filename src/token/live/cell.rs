//! A value that many threads read all the time and somebody replaces now and then.
//!
//! A reference count that all threads share is what makes a shared value slow:
//! every reader writes to the same cache line. Here each thread keeps a copy of
//! its own, and reads of all threads touch one number that nobody writes while
//! nothing changes.

use std::sync::Arc;

use super::sync::{AtomicU64, Ordering, Slot};

/// The shared side.
pub(crate) struct Cell<T> {
    slot: Slot<T>,
    /// Moves after the slot does: whoever sees the new number sees the new value.
    version: AtomicU64,
}

/// A thread's own side.
pub(crate) struct Copied<C> {
    version: u64,
    copy: Option<C>,
}

impl<C> Copied<C> {
    pub const NONE: Self = Self { version: 0, copy: None };
}

impl<T> Cell<T> {
    pub fn new() -> Self {
        Self {
            slot: Slot::default(),
            // Never 0, which is the version of a thread that has no copy yet.
            version: AtomicU64::new(1),
        }
    }

    /// Replaces the value for all threads.
    pub fn replace(&self, value: Option<Arc<T>>) {
        self.slot.store(value);
        self.touch();
    }

    /// Makes all threads look again at a value that has changed inside.
    pub fn touch(&self) {
        self.version.fetch_add(1, Ordering::Release);
    }

    /// The value itself.
    pub fn load(&self) -> Option<Arc<T>> {
        self.slot.load_full()
    }

    /// What this thread has copied of the value, copied again if it has changed since.
    pub fn read<'c, C>(&self, own: &'c mut Copied<C>, copy: impl FnOnce(&T) -> Option<C>) -> Option<&'c C> {
        let version = self.version.load(Ordering::Acquire);
        if own.version != version {
            // The version is read first: if the value moves on in between, the copy is newer than its version says,
            // and is made once more than needed.
            own.copy = self.slot.load_full().as_deref().and_then(copy);
            own.version = version;
        }
        own.copy.as_ref()
    }
}
