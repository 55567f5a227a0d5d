//! What the file store does beyond the contract.
#![cfg(all(feature = "file", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod token_support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use finrail::token::store::FileStore;
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

    fn record(&self) -> PathBuf {
        self.0.join(format!("{}.token", user_key().storage_id()))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn files_are_for_their_owner_only() {
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
async fn opening_does_not_depend_on_the_number_of_records() {
    let directory = Directory::new("many");
    drop(directory.store());
    for number in 0..2_000 {
        fs::write(directory.0.join(format!("x-{number:032x}.token")), b"").unwrap();
    }
    let started = std::time::Instant::now();
    drop(directory.store());
    assert!(started.elapsed().as_millis() < 500, "{:?}", started.elapsed());
}
