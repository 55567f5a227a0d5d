//! MX Data Access (FDX 4.6, data-recipient side): the customer, accounts, transactions, and client registration.

include!(concat!(env!("OUT_DIR"), "/mx.rs"));
