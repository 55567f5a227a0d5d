//! Every store keeps the same promises.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod server_support;

use finrail::token::store::MemoryStore;
#[cfg(any(feature = "redis", feature = "postgres"))]
use server_support::address;
use server_support::check;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory() {
    let store = MemoryStore::new();
    check(store.clone(), store).await;
}

#[cfg(feature = "file")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn file() {
    use finrail::token::store::FileStore;
    let directory = std::env::temp_dir().join(format!("finrail-contract-{}", std::process::id()));
    check(
        FileStore::open(&directory).unwrap(),
        FileStore::open(&directory).unwrap(),
    )
    .await;
    std::fs::remove_dir_all(&directory).unwrap();
}

#[cfg(feature = "encryption")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encryption() {
    use finrail::token::store::{EncryptedStore, EncryptionKeys};
    let store = std::sync::Arc::new(MemoryStore::new());
    // The sibling is ahead in a rotation of keys.
    let keys = || EncryptionKeys::new(1, [1; 32]).reads(2, [2; 32]);
    let rotated = EncryptionKeys::new(2, [2; 32]).reads(1, [1; 32]);
    check(
        EncryptedStore::new(store.clone(), keys()),
        EncryptedStore::new(store, rotated),
    )
    .await;
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis() {
    use finrail::token::store::RedisStore;
    let Some(address) = address("REDIS_URL") else { return };
    let store = || async { RedisStore::connect(&address).await.unwrap() };
    check(store().await, store().await).await;
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    use finrail::token::store::PostgresStore;
    let Some(address) = address("DATABASE_URL") else { return };
    let store = || async {
        let store = PostgresStore::connect(&address).await.unwrap();
        store.migrate().await.unwrap();
        store
    };
    let (one, two) = tokio::join!(store(), store());
    check(one, two).await;
}
