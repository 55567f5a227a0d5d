//! OFX Payments: beneficiaries, quotes, deals, and the rate look-up.

include!(concat!(env!("OUT_DIR"), "/ofx.rs"));
