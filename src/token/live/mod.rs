//! What all clones of a handle share.

mod cell;
pub(crate) mod flight;
pub(crate) mod shown;
pub(crate) mod snapshot;
mod sync;
