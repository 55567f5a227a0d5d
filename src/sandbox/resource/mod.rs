//! Resources: made from the examples, kept while the sandbox runs.

pub(in crate::sandbox) mod document;
pub(in crate::sandbox) mod filter;
pub(in crate::sandbox) mod paging;
pub(in crate::sandbox) mod seed;
pub(in crate::sandbox) mod store;
