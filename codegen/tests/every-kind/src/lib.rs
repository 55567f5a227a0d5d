//! The client of `every_kind.json`, where every kind of name, type, parameter and body stands once.
#![deny(missing_docs, unreachable_patterns)]

include!(concat!(env!("OUT_DIR"), "/every_kind.rs"));
