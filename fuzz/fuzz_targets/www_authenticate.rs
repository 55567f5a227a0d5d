//! Whatever a 401 says: only a Bearer challenge with an error names the token; never a panic.
#![no_main]

use finrail::fuzzing::{has, names_the_token};

libfuzzer_sys::fuzz_target!(|fields: &[u8]| {
    assert!(!names_the_token(fields) || has(fields, "bearer") && has(fields, "error"));
    // One field alone too: those behind it add nothing to what it says of itself.
    for field in fields.split(|byte| *byte == b'\n') {
        assert!(!names_the_token(field) || has(field, "bearer"));
    }
});
