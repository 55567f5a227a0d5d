//! The typed client of a bank that is described in `bank.json` and nowhere else.

include!(concat!(env!("OUT_DIR"), "/bank.rs"));
