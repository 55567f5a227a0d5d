//! The primitives of `cell.rs` and `flight.rs`, in one place: `tests/token_interleavings.rs` puts loom's there.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
pub(crate) use std::sync::{Mutex, MutexGuard};

/// What all threads share, behind their own copies.
pub(crate) type Slot<T> = arc_swap::ArcSwapOption<T>;
