//! The typed client of the bank of `cli/tests/documents/large-3.0.yaml`.

include!(concat!(env!("OUT_DIR"), "/bank.rs"));
