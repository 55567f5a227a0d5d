//! Whatever a store gives back under encryption: an error, never a panic, because nobody can make a record without
//! the key; and what is encrypted can be read.
#![no_main]

use std::sync::Arc;
use std::time::Duration;

use finrail::token::store::{EncryptedStore, EncryptionKeys, Leased, MemoryStore, StoredRecord, Swap, Swapped};
use finrail::token::{GrantKind, TokenKey, TokenStore};
use futures_util::FutureExt as _;

fn put(store: &dyn TokenStore, key: &TokenKey, bytes: &[u8]) {
    let lease = store.lease(key, "fuzz", Duration::from_secs(9)).now_or_never();
    let Some(Ok(Leased::Granted(lease))) = lease else { panic!("a new store has no holders") };
    let swap = Swap::new(None, lease.fence, Some(StoredRecord::new(1, bytes)));
    assert!(matches!(store.swap(key, swap).now_or_never(), Some(Ok(Swapped::Done))));
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let key = TokenKey::new("mx", "client", GrantKind::AuthorizationCode);
    let keys = EncryptionKeys::new(1, [1; 32]);
    let plain = Arc::new(MemoryStore::new());
    put(&*plain, &key, bytes);
    let read = EncryptedStore::new(plain, keys.clone()).load(&key).now_or_never();
    assert!(matches!(read, Some(Err(_))));

    let sealed = EncryptedStore::new(Arc::new(MemoryStore::new()), keys);
    put(&sealed, &key, bytes);
    let read = sealed.load(&key).now_or_never();
    assert!(matches!(read, Some(Ok(Some(record))) if *record.bytes == *bytes));
});
