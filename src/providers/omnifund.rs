//! OmniFund (GoToBilling): customers, transactions, events, passport payments, settlements.

include!(concat!(env!("OUT_DIR"), "/omnifund.rs"));
