//! The corpus of the fuzz targets, and small damage to each entry, as ordinary tests.

use std::path::Path;

use http::StatusCode;

use super::{SPENT, STATE, callbacks, has, names_the_token, token_replies};
use crate::oauth::wire::{OAuthError, TokenResponse};
use crate::token::{DecodeError, ReauthorizationReason, Record, Verdict};

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
    damage("token_reply", |name, bytes| {
        for status in [StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::TOO_MANY_REQUESTS] {
            for reply in token_replies(status, bytes) {
                match reply {
                    Ok(reply) => {
                        let token = reply.access_token.expose_secret();
                        assert!(token.bytes().all(|byte| byte.is_ascii_graphic()), "{name}");
                        // Without an access token, a reply is one for the refresh token in it.
                        assert_eq!(token.is_empty(), reply.unusable.is_some(), "{name}");
                        assert!(!token.is_empty() || reply.refresh_token.is_some(), "{name}");
                        assert!(status.is_success(), "{name}");
                    }
                    Err(error) => {
                        let text = format!("{error} {error:?}");
                        assert!(!text.contains(SPENT), "{name}: {text}");
                    }
                }
            }
        }
        let _ = serde_json::from_slice::<TokenResponse>(bytes).map(|reply| format!("{reply:?}"));
        let _ = serde_json::from_slice::<OAuthError>(bytes).map(|error| format!("{error:?}"));
    });
    for (name, bytes) in corpus("token_reply") {
        for reply in token_replies(StatusCode::OK, &bytes) {
            match name.as_str() {
                "omnifund" | "expires-as-text" => assert!(reply.is_ok(), "{name}: {reply:?}"),
                // What is odd about them is nothing that anybody needs.
                "a-key-twice" | "latin-1" | "half-a-surrogate" | "cut-behind-the-refresh-token" | "one-odd-field" => {
                    let reply = reply.unwrap();
                    assert!(reply.unusable.is_none() && reply.refresh_token.is_some(), "{name}");
                }
                // A refresh that was answered, and not with tokens: they may be lost in it.
                "html" | "half" | "empty" | "null" | "no-access-token" => {
                    assert_eq!(reply.unwrap_err().verdict(), Verdict::InDoubt, "{name}");
                }
                // The access token cannot be used, the refresh token can.
                "a-space-in-the-token" | "rfc6749" => {
                    let reply = reply.unwrap();
                    assert!(reply.unusable.is_some() && reply.refresh_token.is_some(), "{name}");
                }
                "error" | "echo-of-the-token" | "a-code-in-capitals" => {
                    assert_eq!(reply.unwrap_err().verdict(), Verdict::Dead, "{name}");
                }
                _ => {}
            }
        }
    }
}

#[test]
fn callbacks_give_a_code_for_the_right_state_only() {
    damage("callback_url", |name, bytes| {
        let Ok(callback) = std::str::from_utf8(bytes) else {
            return;
        };
        for code in callbacks(callback) {
            let mut values = url::form_urlencoded::parse(callback.split_once('?').map_or("", |(_, q)| q).as_bytes());
            let state = values.any(|(_, value)| value.split('#').next() == Some(STATE));
            assert!(code.is_err() || state, "{name}: {callback}");
        }
    });
    for (name, bytes) in corpus("callback_url") {
        for code in callbacks(std::str::from_utf8(&bytes).unwrap()) {
            match name.as_str() {
                "whole-url" | "path-and-fragment" | "query-only" | "issuer" => {
                    assert_eq!(code.unwrap().expose_secret(), "abc", "{name}");
                }
                "percent-encoded" => assert_eq!(code.unwrap().expose_secret(), "a+b/"),
                "refusal" | "code-and-error" => {
                    assert!(code.unwrap_err().refusal().unwrap().is_access_denied(), "{name}");
                }
                _ => assert!(code.is_err() || name == "broken-encoding", "{name}"),
            }
        }
    }
}

#[test]
fn only_a_bearer_challenge_names_the_token() {
    damage("www_authenticate", |name, bytes| {
        let bears = has(bytes, "bearer") && has(bytes, "error");
        assert!(!names_the_token(bytes) || bears, "{name}");
    });
    for (name, bytes) in corpus("www_authenticate") {
        let named = matches!(
            name.as_str(),
            "plain" | "tabs" | "quoted-pairs" | "latin-1" | "list" | "two-fields" | "token68" | "empty-members"
        );
        assert_eq!(names_the_token(&bytes), named, "{name}");
    }
}

#[cfg(feature = "file")]
#[test]
fn files_of_the_store_are_read_or_refused() {
    use super::file_record;
    for (name, bytes) in corpus("record_file") {
        let whole = matches!(
            name.as_str(),
            "alive" | "empty-record" | "largest-revision" | "newlines-in-the-record"
        );
        let read = file_record(&bytes);
        if whole {
            assert_eq!(read.as_ref(), Some(&bytes), "{name}");
        }
        // The same numbers, written otherwise: they say the same.
        let lenient = matches!(name.as_str(), "revision-with-sign" | "checksum-in-capitals");
        assert_eq!(read.is_some(), whole || lenient, "{name}");
    }
    damage("record_file", |name, bytes| {
        if let Some(written) = file_record(bytes) {
            assert_eq!(file_record(&written), Some(written), "{name}");
        }
    });
    // No beginning of a record is a record, and no byte of it can change.
    let (_, alive) = corpus("record_file")
        .into_iter()
        .find(|(name, _)| name == "alive")
        .unwrap();
    let head = alive.len()
        - corpus("stored_record")
            .iter()
            .find(|(name, _)| name == "alive")
            .unwrap()
            .1
            .len();
    for at in head..alive.len() {
        assert_eq!(file_record(&alive[..at]), None, "cut at {at}");
        let mut changed = alive.clone();
        changed[at] ^= 1;
        assert_eq!(file_record(&changed), None, "changed at {at}");
    }
}

#[cfg(feature = "encryption")]
#[tokio::test]
async fn encrypted_records_are_made_by_nobody_without_the_key() {
    use std::sync::Arc;

    use crate::token::store::{EncryptedStore, EncryptionKeys, Leased, MemoryStore, StoredRecord, Swap, Swapped};
    use crate::token::{GrantKind, StoreError, TokenKey, TokenStore};

    async fn put(store: &dyn TokenStore, key: &TokenKey, record: StoredRecord) {
        let lease = store.lease(key, "test", std::time::Duration::from_secs(9)).await;
        let Leased::Granted(lease) = lease.unwrap() else {
            panic!("held")
        };
        let swap = Swap::new(None, lease.fence, Some(record));
        assert_eq!(store.swap(key, swap).await.unwrap(), Swapped::Done);
    }

    let key = TokenKey::new("mx", "client", GrantKind::AuthorizationCode);
    let keys = || EncryptionKeys::new(1, [1; 32]);
    let sealed = Arc::new(MemoryStore::new());
    put(
        &EncryptedStore::new(sealed.clone(), keys()),
        &key,
        StoredRecord::new(1, &b"text"[..]),
    )
    .await;
    let sealed = sealed.load(&key).await.unwrap().unwrap().bytes.to_vec();
    let mut forged = corpus("encrypted_record");
    forged.extend((0..sealed.len()).flat_map(|at| {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        [
            (format!("cut at {at}"), sealed[..at].to_vec()),
            (format!("changed at {at}"), changed),
        ]
    }));
    for (name, bytes) in forged {
        let store = Arc::new(MemoryStore::new());
        put(&*store, &key, StoredRecord::new(1, bytes)).await;
        let read = EncryptedStore::new(store, keys()).load(&key).await;
        assert!(matches!(read, Err(StoreError::Corrupt { .. })), "{name}: {read:?}");
    }
}
