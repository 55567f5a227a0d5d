//! Whatever is in a file of the file store: a record or none, never a panic, and what is read can be written.
#![no_main]

use finrail::fuzzing::file_record;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(written) = file_record(bytes) {
        assert_eq!(file_record(&written).as_ref(), Some(&written));
    }
});
