//! Whatever a store gives back: a record or an error, never a panic, and what is a record survives a round trip.
#![no_main]

use finrail::token::Record;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(record) = Record::decode(bytes) {
        assert_eq!(Record::decode(&record.encode()).as_ref(), Ok(&record));
        let _ = (record.generation(), format!("{record:?}"));
    }
});
