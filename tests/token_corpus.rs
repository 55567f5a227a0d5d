//! The corpus of the fuzz targets, and small damage to each entry, as ordinary tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use finrail::oauth::wire::{OAuthError, TokenResponse};
use finrail::token::{DecodeError, ReauthorizationReason, Record};

fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut entries: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                std::fs::read(path).unwrap(),
            )
        })
        .collect();
    entries.sort();
    assert!(!entries.is_empty());
    entries
}

/// Every entry, every beginning of it, and every byte of it changed.
fn damage(target: &str, read: impl Fn(&str, &[u8])) {
    for (name, bytes) in corpus(target) {
        read(&name, &bytes);
        for end in 0..bytes.len().min(600) {
            read(&name, &bytes[..end]);
            let mut changed = bytes.clone();
            for flip in [0x01, 0x10, 0x80, 0xff] {
                changed[end] = bytes[end] ^ flip;
                read(&name, &changed);
            }
        }
    }
}

#[test]
fn stored_records_are_read_or_refused() {
    damage("stored_record", |name, bytes| {
        if let Ok(record) = Record::decode(bytes) {
            assert_eq!(Record::decode(&record.encode()).as_ref(), Ok(&record), "{name}");
        }
    });
    for (name, bytes) in corpus("stored_record") {
        let read = Record::decode(&bytes);
        match name.as_str() {
            "alive" | "intent" | "refused" | "revoked" | "unknown-fields" | "generation-too-large" => {
                assert!(read.is_ok(), "{name}: {read:?}");
            }
            "a-reason-from-the-future" => {
                assert_eq!(read.unwrap().tombstone.unwrap().reason, ReauthorizationReason::Other);
            }
            "newer" => assert_eq!(read, Err(DecodeError::Newer { version: 2 })),
            "neither-tokens-nor-tombstone" => assert_eq!(read, Err(DecodeError::Empty)),
            "empty"
            | "half"
            | "null"
            | "list"
            | "not-utf8"
            | "nested"
            | "negative-generation"
            | "fingerprint-not-hex" => {
                assert!(matches!(read, Err(DecodeError::Damaged { .. })), "{name}: {read:?}");
            }
            _ => {}
        }
    }
}

#[test]
fn token_replies_are_read_or_refused() {
    damage("token_reply", |_, bytes| {
        let _ = serde_json::from_slice::<TokenResponse>(bytes).map(|reply| format!("{reply:?}"));
        let _ = serde_json::from_slice::<OAuthError>(bytes).map(|error| format!("{error:?}"));
    });
}
