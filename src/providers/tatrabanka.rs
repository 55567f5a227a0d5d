//! Tatra banka Premium API: consents, accounts, transactions, statements, payments.

include!(concat!(env!("OUT_DIR"), "/tatrabanka.rs"));
