//! Finexer: customers, bank consents, bank accounts, transactions, templates.

include!(concat!(env!("OUT_DIR"), "/finexer.rs"));
