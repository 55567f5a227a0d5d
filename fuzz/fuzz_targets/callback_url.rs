//! Whatever a browser comes back with: a code only with the right state, never a panic.
#![no_main]

use finrail::fuzzing::{STATE, callbacks};

libfuzzer_sys::fuzz_target!(|callback: &str| {
    for code in callbacks(callback) {
        if code.is_ok() {
            let decoded: String = percent_encoding::percent_decode_str(callback).decode_utf8_lossy().into();
            assert!(decoded.contains(&format!("={STATE}")));
        }
    }
});
