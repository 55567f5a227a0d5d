//! What is particular to one provider: one file for each.

pub(in crate::sandbox) mod tatrabanka;
