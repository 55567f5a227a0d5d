//! What the file store does beyond the contract.
#![cfg(feature = "file")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod token_support;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use finrail::token::store::{FileStore, LeaseState, Leased, StoredRecord, Swap, Swapped};
use finrail::token::{Error, StoreError, TokenStore};
use token_support::*;

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("finrail-{name}-{}", std::process::id())))
    }

    fn store(&self) -> Arc<dyn TokenStore> {
        Arc::new(FileStore::open(&self.0).unwrap())
    }

    /// A file of the user's record.
    fn file(&self, extension: &str) -> PathBuf {
        self.record().with_extension(extension)
    }

    fn record(&self) -> PathBuf {
        self.0.join(format!("{}.token", user_key().storage_id()))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = Directory::new("modes");
    let (bank, clock) = (Bank::new(STRICT), VirtualClock::new());
    let handle = user(&bank, &directory.store(), &clock, "a").build();
    handle.adopt(bank.login()).await.unwrap();
    assert_eq!(fs::metadata(&directory.0).unwrap().permissions().mode() & 0o777, 0o700);
    for entry in fs::read_dir(&directory.0).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.path());
        assert_ne!(entry.path().extension().unwrap(), "tmp");
    }
}

#[tokio::test]
async fn a_torn_write_beside_the_record_harms_nothing() {
    let directory = Directory::new("torn-tmp");
    let (bank, clock) = (Bank::new(STRICT), VirtualClock::new());
    let handle = user(&bank, &directory.store(), &clock, "a").build();
    handle.adopt(bank.login()).await.unwrap();
    fs::write(directory.record().with_extension("tmp"), b"finrail token rec").unwrap();
    let again = user(&bank, &directory.store(), &clock, "b").build();
    assert_eq!(again.load().await.unwrap().unwrap().generation, 1);
    again.adopt(bank.login()).await.unwrap();
    assert_eq!(handle.load().await.unwrap().unwrap().generation, 2);
}

#[tokio::test]
async fn a_torn_record_is_reported_and_a_new_login_replaces_it() {
    let directory = Directory::new("torn");
    let (bank, clock) = (Bank::new(STRICT), VirtualClock::new());
    let handle = user(&bank, &directory.store(), &clock, "a").build();
    handle.adopt(bank.login()).await.unwrap();
    let whole = fs::read(directory.record()).unwrap();
    for length in [0, 1, 22, 23, 30, whole.len() / 2, whole.len() - 1] {
        fs::write(directory.record(), &whole[..length]).unwrap();
        let restarted = user(&bank, &directory.store(), &clock, "b").build();
        let error = restarted.fresh().await.unwrap_err();
        assert!(
            matches!(
                &error,
                Error::Store {
                    source: StoreError::Corrupt { .. }
                }
            ),
            "{length}: {error}"
        );
        assert!(!error.is_retryable() && !error.reauthorization_required());
    }
    assert_eq!(bank.requests(), 0);
    let restarted = user(&bank, &directory.store(), &clock, "b").build();
    restarted.adopt(bank.login()).await.unwrap();
    assert!(restarted.fresh().await.is_ok());
    assert!(directory.record().with_extension("damaged").exists());
}

#[test]
fn a_directory_that_takes_no_files_is_found_out_at_once() {
    let directory = Directory::new("blocked");
    fs::write(&directory.0, b"a file").unwrap();
    assert!(matches!(
        FileStore::open(&directory.0),
        Err(StoreError::Unavailable { .. })
    ));
    fs::remove_file(&directory.0).unwrap();
}

#[tokio::test]
async fn opening_reads_no_record() {
    let directory = Directory::new("many");
    drop(directory.store());
    // Reading a directory as a file fails, whoever does it.
    let records: Vec<_> = (0..20)
        .map(|number| directory.0.join(format!("x-{number:032x}.token")))
        .collect();
    for record in &records {
        fs::create_dir(record).unwrap();
    }
    drop(directory.store());
    assert!(records.iter().all(|record| record.is_dir()));
    assert_eq!(fs::read_dir(&directory.0).unwrap().count(), records.len());
}

async fn lease(store: &Arc<dyn TokenStore>) -> finrail::token::store::Lease {
    match store.lease(&user_key(), "me", Duration::from_secs(9)).await.unwrap() {
        Leased::Granted(lease) => lease,
        held @ Leased::Held { .. } => panic!("{held:?}"),
    }
}

async fn write(store: &Arc<dyn TokenStore>, expected: Option<u64>, next: Option<u64>) {
    let lease = lease(store).await;
    let next = next.map(|revision| StoredRecord::new(revision, b"refresh token".as_slice()));
    let swap = Swap::new(expected, lease.fence, next);
    assert_eq!(store.swap(&user_key(), swap).await.unwrap(), Swapped::Done);
    store.release(&user_key(), lease).await.unwrap();
}

#[tokio::test]
async fn a_removed_record_leaves_no_token_behind() {
    let directory = Directory::new("removal");
    let store = directory.store();
    write(&store, None, Some(1)).await;
    let copy = fs::read(directory.record()).unwrap();
    for left_over in ["damaged", "tmp"] {
        fs::write(directory.file(left_over), &copy).unwrap();
    }
    write(&store, Some(1), None).await;
    // A record that cannot be read is removed as one that can.
    fs::write(directory.record(), &copy[..copy.len() - 1]).unwrap();
    write(&store, None, None).await;
    for entry in fs::read_dir(&directory.0).unwrap() {
        let path = entry.unwrap().path();
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        assert!(!text.contains("refresh"), "{path:?}");
    }
}

#[tokio::test]
async fn a_damaged_record_is_kept_until_the_second_write_after_it() {
    let directory = Directory::new("damaged");
    let store = directory.store();
    write(&store, None, Some(1)).await;
    fs::write(directory.record(), b"torn").unwrap();
    write(&store, None, Some(2)).await;
    assert_eq!(fs::read(directory.file("damaged")).unwrap(), b"torn");
    write(&store, Some(2), Some(3)).await;
    assert!(!directory.file("damaged").exists());
}

#[tokio::test]
async fn a_directory_of_an_earlier_version_goes_on_with_its_fences() {
    let directory = Directory::new("earlier");
    let store = directory.store();
    fs::write(directory.file("lock"), format!("{:020}\nan earlier version\n", 41)).unwrap();
    let lease = lease(&store).await;
    assert_eq!(lease.fence, 42);
    // It stands beside the lock, for systems where nobody reads a locked file, and in it, for earlier versions.
    for file in ["fence", "lock"] {
        let text = format!("{:020}\nme\n", 42);
        assert_eq!(fs::read_to_string(directory.file(file)).unwrap(), text, "{file}");
        if cfg!(windows) {
            break;
        }
    }
}

/// A process that was stopped in the middle of a swap keeps its lock.
#[tokio::test]
async fn a_stopped_process_blocks_nobody_for_ever() {
    let directory = Directory::new("stopped");
    let store = directory.store();
    write(&store, None, Some(1)).await;
    let shards: Vec<_> = (0..64)
        .map(|shard| {
            let path = directory.0.join(format!("swap-{shard:02}.lock"));
            let mut options = fs::OpenOptions::new();
            let file = options.write(true).create(true).truncate(false).open(path).unwrap();
            file.lock().unwrap();
            file
        })
        .collect();
    // Far longer than the store's own patience: only waiting for ever reaches it.
    let key = user_key();
    let leased = store.lease(&key, "me", Duration::from_secs(9));
    let leased = tokio::time::timeout(Duration::from_secs(120), leased).await.unwrap();
    assert!(matches!(leased, Err(StoreError::Unavailable { .. })), "{leased:?}");

    // Others read, and open the store: what would wait for a lock ends with an error, as above.
    let again = directory.store();
    assert!(again.load(&user_key()).await.unwrap().is_some());

    drop(shards);
    assert_eq!(store.lease_state(&user_key()).await.unwrap(), LeaseState::Free);
    write(&again, Some(1), Some(2)).await;
}

/// A look takes the lock for a moment, and nobody may be refused for that.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_look_at_a_lease_refuses_nobody() {
    let directory = Directory::new("look");
    let store = directory.store();
    let looking = directory.store();
    let looks = tokio::spawn(async move {
        for _ in 0..500 {
            looking.lease_state(&user_key()).await.unwrap();
        }
    });
    while !looks.is_finished() {
        let lease = lease(&store).await;
        store.release(&user_key(), lease).await.unwrap();
    }
    looks.await.unwrap();
}

#[test]
fn a_directory_is_made_with_its_parents() {
    let directory = Directory::new("parents");
    let nested = directory.0.join("a").join("b");
    FileStore::open(&nested).unwrap();
    assert_eq!(fs::read_dir(&nested).unwrap().count(), 0, "the probe is gone");
    FileStore::open(&nested).unwrap();
}
