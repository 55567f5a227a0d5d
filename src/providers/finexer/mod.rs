//! Finexer: customers, bank consents, bank accounts, transactions, templates, and the verification of webhooks.

pub mod webhook;

include!(concat!(env!("OUT_DIR"), "/finexer.rs"));
