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
        self.own().join(format!("{}.token", user_key().storage_id()))
    }

    /// The store's own directory, in the one that it is given.
    fn own(&self) -> PathBuf {
        self.0.join("finrail-tokens")
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
    assert_eq!(
        fs::metadata(directory.own()).unwrap().permissions().mode() & 0o777,
        0o700
    );
    for entry in fs::read_dir(directory.own()).unwrap() {
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

#[tokio::test]
async fn an_error_names_the_directory_and_a_damaged_file() {
    let directory = Directory::new("named");
    let store = directory.store();
    write(&store, None, Some(1)).await;
    fs::write(directory.record(), b"torn").unwrap();
    let damaged = store.load(&user_key()).await.unwrap_err().to_string();
    assert!(damaged.contains(&directory.record().display().to_string()), "{damaged}");

    fs::remove_file(directory.record()).unwrap();
    fs::create_dir(directory.record()).unwrap();
    let unreadable = store.load(&user_key()).await.unwrap_err().to_string();
    let place = directory.own().display().to_string();
    assert!(unreadable.contains(&format!("({place})")), "{unreadable}");
    assert_eq!(store.place(), Some(place));

    let blocked = directory.own().join("blocked");
    fs::write(&blocked, b"a file").unwrap();
    let unopened = FileStore::open(&blocked).unwrap_err().to_string();
    assert!(unopened.contains(&blocked.display().to_string()), "{unopened}");
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
        .map(|number| directory.own().join(format!("x-{number:032x}.token")))
        .collect();
    for record in &records {
        fs::create_dir(record).unwrap();
    }
    drop(directory.store());
    assert!(records.iter().all(|record| record.is_dir()));
    assert_eq!(fs::read_dir(directory.own()).unwrap().count(), records.len());
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
    for entry in fs::read_dir(directory.own()).unwrap() {
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
            let path = directory.own().join(format!("swap-{shard:02}.lock"));
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
    assert_eq!(
        fs::read_dir(nested.join("finrail-tokens")).unwrap().count(),
        0,
        "the probe is gone"
    );
    FileStore::open(&nested).unwrap();
}

/// A path of one name has no parent that can be opened by its name.
#[test]
fn a_directory_may_be_named_as_the_working_directory_sees_it() {
    let directory = Directory::new("relative");
    std::env::set_current_dir(std::env::temp_dir()).unwrap();
    FileStore::open(directory.0.file_name().unwrap()).unwrap();
    assert!(directory.own().is_dir());
}

#[cfg(unix)]
mod planted {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    fn set_mode(path: &std::path::Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn refusal(directory: &Directory) -> String {
        let error = FileStore::open(&directory.0).unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        std::error::Error::source(&error).unwrap().to_string()
    }

    async fn stored(store: &Arc<dyn TokenStore>) -> Option<u64> {
        let stored = store.load(&user_key()).await.unwrap();
        stored.map(|record| record.revision)
    }

    /// Whoever may write to a directory may give any file in it another name.
    #[tokio::test]
    async fn a_file_that_was_given_the_name_of_a_lock_moves_no_store_and_stops_none() {
        let directory = Directory::new("renamed");
        fs::create_dir(&directory.0).unwrap();
        set_mode(&directory.0, 0o2775);
        for name in ["swap-00.lock", "mx-0.token"] {
            fs::write(directory.0.join("app.log"), b"hello").unwrap();
            fs::rename(directory.0.join("app.log"), directory.0.join(name)).unwrap();
        }
        for _ in 0..2 {
            let store = FileStore::open(&directory.0).unwrap();
            assert_eq!(store.directory(), directory.0.join("finrail-tokens"));
            let store: Arc<dyn TokenStore> = Arc::new(store);
            let seen = stored(&store).await;
            write(&store, seen, Some(seen.unwrap_or(0) + 1)).await;
        }
    }

    #[tokio::test]
    async fn a_volume_that_a_group_may_write_to_is_taken_and_the_stores_own_directory_is_not_shared() {
        let directory = Directory::new("volume");
        fs::create_dir(&directory.0).unwrap();
        set_mode(&directory.0, 0o2775);
        let store = directory.store();
        write(&store, None, Some(1)).await;
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&directory.own()) & 0o777, 0o700);
        assert_eq!(mode(&directory.0) & 0o7777, 0o2775, "it is not the store's business");
        assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 1);
        for writable in [0o770, 0o702, 0o720] {
            set_mode(&directory.own(), writable);
            assert!(refusal(&directory).contains("may be written by others"), "{writable:o}");
        }
        // To read names is not to write them.
        set_mode(&directory.own(), 0o755);
        assert_eq!(stored(&directory.store()).await, Some(1));
    }

    #[test]
    fn a_directory_or_a_link_that_somebody_else_put_there_is_refused() {
        let directory = Directory::new("foreign");
        let elsewhere = Directory::new("foreign-target");
        fs::create_dir(&directory.0).unwrap();
        fs::create_dir(&elsewhere.0).unwrap();
        set_mode(&elsewhere.0, 0o700);
        symlink(&elsewhere.0, directory.own()).unwrap();
        assert!(!refusal(&directory).is_empty());
        assert_eq!(fs::read_dir(&elsewhere.0).unwrap().count(), 0);
        fs::remove_file(directory.own()).unwrap();

        fs::create_dir(directory.own()).unwrap();
        set_mode(&directory.own(), 0o700);
        // Only root can give a directory away.
        if fs::metadata(directory.own()).unwrap().uid() == 0 {
            std::os::unix::fs::chown(directory.own(), Some(1), None).unwrap();
            assert!(refusal(&directory).contains("belongs to user 1"));
        }
    }

    #[tokio::test]
    async fn a_directory_that_is_put_in_the_place_of_the_stores_own_gets_no_token() {
        let directory = Directory::new("exchanged");
        let store = directory.store();
        write(&store, None, Some(1)).await;
        fs::rename(directory.own(), directory.0.join("moved")).unwrap();
        fs::create_dir(directory.own()).unwrap();
        write(&store, Some(1), Some(2)).await;
        assert_eq!(fs::read_dir(directory.own()).unwrap().count(), 0);
        assert_eq!(stored(&store).await, Some(2));
    }

    /// Whoever has brought a link into the directory, it leads nowhere.
    #[tokio::test]
    async fn no_file_is_opened_through_a_link_or_under_a_second_name() {
        let directory = Directory::new("links");
        let store = directory.store();
        write(&store, None, Some(1)).await;
        let victim = directory.0.join("victim");
        for (extension, second_name) in [
            ("tmp", false),
            ("fence", false),
            ("lock", false),
            ("token", false),
            ("fence", true),
            ("lock", true),
        ] {
            fs::write(&victim, b"precious").unwrap();
            let path = directory.file(extension);
            let kept = fs::read(&path).ok();
            let _ = fs::remove_file(&path);
            match second_name {
                true => fs::hard_link(&victim, &path).unwrap(),
                false => symlink(&victim, &path).unwrap(),
            }
            let what = format!("{extension}, second name: {second_name}");
            let (key, holder) = (user_key(), "me");
            if let Ok(Leased::Granted(lease)) = store.lease(&key, holder, Duration::from_secs(9)).await {
                // What lies beside the record is not looked at; what is written is a new file.
                let next = StoredRecord::new(9, b"refresh token".as_slice());
                let swapped = store.swap(&key, Swap::new(Some(1), lease.fence, Some(next))).await;
                assert_eq!(
                    matches!(swapped, Ok(Swapped::Done)),
                    extension == "tmp",
                    "{what}: {swapped:?}"
                );
            } else {
                assert!(["fence", "lock"].contains(&extension), "{what}");
            }
            assert_eq!(fs::read(&victim).unwrap(), b"precious", "{what}");
            fs::remove_file(&victim).unwrap();
            let _ = fs::remove_file(&path);
            if let Some(kept) = kept {
                fs::write(&path, kept).unwrap();
            }
            if extension == "tmp" {
                write(&store, Some(9), None).await;
                write(&store, None, Some(1)).await;
            }
        }
    }

    /// A lease would be written into it.
    #[tokio::test]
    async fn a_lock_with_a_second_name_is_refused_whatever_is_in_it() {
        let directory = Directory::new("second-name");
        let store = directory.store();
        write(&store, None, Some(1)).await;
        let (victim, lease) = (directory.0.join("victim"), format!("{:020}\nme\n", 1));
        for extension in ["lock", "fence"] {
            fs::write(&victim, &lease).unwrap();
            fs::remove_file(directory.file(extension)).unwrap();
            fs::hard_link(&victim, directory.file(extension)).unwrap();
            assert!(store.lease(&user_key(), "other", secs(9)).await.is_err(), "{extension}");
            assert_eq!(fs::read_to_string(&victim).unwrap(), lease, "{extension}");
            fs::remove_file(directory.file(extension)).unwrap();
            fs::rename(&victim, directory.file(extension)).unwrap();
        }
        // What is only read may have one: a backup makes them.
        fs::hard_link(directory.record(), directory.0.join("backup")).unwrap();
        assert_eq!(stored(&store).await, Some(1));
    }

    /// A store of an earlier version stays where it is, with the processes that have not been upgraded.
    #[tokio::test]
    async fn a_store_of_an_earlier_version_is_gone_on_with_where_it_is() {
        let directory = Directory::new("in-place");
        let store = directory.store();
        write(&store, None, Some(1)).await;
        let ours = directory.0.join("aside");
        fs::rename(directory.own(), &ours).unwrap();
        for entry in fs::read_dir(&ours).unwrap() {
            let entry = entry.unwrap();
            fs::rename(entry.path(), directory.0.join(entry.file_name())).unwrap();
        }
        fs::remove_dir(ours).unwrap();

        let store = directory.store();
        assert_eq!(stored(&store).await, Some(1));
        write(&store, Some(1), Some(2)).await;
        assert!(!directory.own().exists());
        set_mode(&directory.0, 0o777);
        assert!(refusal(&directory).contains("may be written by others"));
        set_mode(&directory.0, 0o700);

        // Two stores: which of them has the newest tokens, nobody can tell.
        fs::create_dir(directory.own()).unwrap();
        assert_eq!(stored(&directory.store()).await, Some(2));
        fs::write(directory.own().join("swap-00.lock"), b"").unwrap();
        assert!(refusal(&directory).contains("they are of two stores"));
    }

    #[tokio::test]
    async fn what_a_killed_process_left_beside_a_record_goes_with_the_next_write() {
        let directory = Directory::new("left-beside");
        let store = directory.store();
        write(&store, None, Some(1)).await;
        // As if it had been killed before it gave its last file the name of the record.
        let files = fs::read_dir(directory.own()).unwrap();
        let mut files = files.map(|entry| entry.unwrap().path());
        let is_lock = |path: &PathBuf| path.to_string_lossy().contains("swap-");
        let lock = files.find(is_lock).unwrap();
        let left = fs::read_to_string(&lock).unwrap();
        assert!(left.ends_with(".tmp") && left.len() > 50, "{left}");
        fs::write(directory.own().join(&left), b"refresh token").unwrap();
        write(&store, Some(1), Some(2)).await;
        assert!(!directory.own().join(&left).exists());
        assert_ne!(fs::read_to_string(&lock).unwrap(), left);
        // A lock leads to nothing but such a file.
        let victim = directory.0.join("victim.tmp");
        fs::write(&victim, b"precious").unwrap();
        fs::write(&lock, b"../victim.tmp").unwrap();
        write(&store, Some(2), Some(3)).await;
        assert!(victim.exists());
    }
}

#[tokio::test]
async fn a_damaged_file_stays_where_it_is_until_something_goes_over_it() {
    let directory = Directory::new("stays");
    let store = directory.store();
    write(&store, None, Some(1)).await;
    fs::write(directory.record(), b"torn").unwrap();
    let Leased::Granted(lease) = store.lease(&user_key(), "a", secs(9)).await.unwrap() else {
        panic!("nobody has the lease");
    };
    let next = StoredRecord::new(2, b"two".as_slice());
    let over_the_first = Swap::new(Some(1), lease.fence, Some(next));
    let error = store.swap(&user_key(), over_the_first).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { damage: Some(_), .. }), "{error}");
    assert_eq!(fs::read(directory.record()).unwrap(), b"torn");
    assert!(!directory.file("damaged").exists());
}

#[tokio::test]
async fn a_record_file_of_a_newer_version_is_not_damaged_and_a_whole_one_with_another_first_line_is() {
    let directory = Directory::new("newer");
    let store = directory.store();
    write(&store, None, Some(1)).await;
    let whole = String::from_utf8_lossy(&fs::read(directory.record()).unwrap()).into_owned();
    // What is not whole as a record of this version may be one of a later version.
    let other = format!("{whole} and more");
    for (first_line, rest, newer) in [
        ("finrail token record 2", &other, true),
        ("finrail token record 17", &other, true),
        ("finrail token record 0", &other, false),
        ("finrail token record 1", &other, false),
        ("finrail token record ", &other, false),
        ("finrail token record x", &other, false),
        ("finrail token recorp 1", &other, false),
        // A bit was turned in the first line of a record that is whole otherwise.
        ("finrail token record 0", &whole, false),
        ("finrail token record 3", &whole, false),
        ("finrail token record 5", &whole, false),
        ("finrail token record 9", &whole, false),
        ("finrail token record q", &whole, false),
    ] {
        fs::write(directory.record(), rest.replace("finrail token record 1", first_line)).unwrap();
        let Err(StoreError::Corrupt { damage, .. }) = store.load(&user_key()).await else {
            panic!("{first_line}");
        };
        assert_eq!(damage.is_none(), newer, "{first_line}");
    }
    // Cut within the version: no later one, but damage.
    fs::write(directory.record(), "finrail token record 2").unwrap();
    assert!(matches!(
        store.load(&user_key()).await,
        Err(StoreError::Corrupt { damage: Some(_), .. })
    ));
}

#[tokio::test]
async fn a_lock_that_cannot_be_read_is_an_error_and_not_a_free_lease() {
    for extension in ["lock", "fence"] {
        let directory = Directory::new(&format!("unreadable-{extension}"));
        let store = directory.store();
        assert_eq!(store.lease_state(&user_key()).await.unwrap(), LeaseState::Free);
        fs::create_dir(directory.file(extension)).unwrap();
        assert!(store.lease(&user_key(), "a", secs(9)).await.is_err(), "{extension}");
        if extension == "fence" {
            // Nobody knows whether a lease was given.
            let swap = Swap::new(None, 0, Some(StoredRecord::new(1, b"one".as_slice())));
            assert!(store.swap(&user_key(), swap).await.is_err());
        }
        if extension == "lock" {
            assert!(store.lease_state(&user_key()).await.is_err());
            // Nor is it known that nobody has the lease.
            assert!(store.remove(&user_key().storage_id(), 1).await.is_err());
        }
    }
}

#[tokio::test]
async fn a_walk_takes_a_hundred_records_a_step_each_once_and_ends_with_the_last_one() {
    let directory = Directory::new("walk");
    let store = directory.store();
    write(&store, None, Some(1)).await;
    let put = |number: usize| {
        fs::copy(
            directory.record(),
            directory.own().join(format!("walk-{number:03}.token")),
        )
    };
    for number in 0..100 {
        put(number).unwrap();
    }
    let step = async |after: Option<&str>| {
        let listed = store.list("walk-", after).await.unwrap();
        let first = listed.records.first().map(|record| record.id.clone());
        (first, listed.records.len(), listed.next)
    };
    let id = |number: usize| Some(format!("walk-{number:03}"));
    assert_eq!(step(None).await, (id(0), 100, None));
    put(100).unwrap();
    assert_eq!(step(None).await, (id(0), 100, id(99)));
    assert_eq!(step(id(99).as_deref()).await, (id(100), 1, None));
    assert_eq!(step(id(100).as_deref()).await, (None, 0, None));
}

#[tokio::test]
async fn a_name_that_no_walk_gave_leads_to_no_file() {
    let directory = Directory::new("names");
    let store = directory.store();
    write(&store, None, Some(1)).await;
    let outside = directory.0.join("outside.token");
    fs::copy(directory.record(), &outside).unwrap();
    let next = || StoredRecord::new(2, b"two".as_slice());
    for name in [
        "../outside".to_owned(),
        format!("../finrail-tokens/{}", user_key().storage_id()),
        directory.0.join("outside").display().to_string(),
    ] {
        assert!(!store.replace(&name, 1, next()).await.unwrap(), "{name}");
        assert!(!store.remove(&name, 1).await.unwrap(), "{name}");
    }
    assert_eq!(fs::read(&outside).unwrap(), fs::read(directory.record()).unwrap());
    let id = user_key().storage_id();
    assert!(store.replace(&id, 1, next()).await.unwrap() && store.remove(&id, 2).await.unwrap());
}

#[tokio::test]
async fn only_so_many_files_are_worked_on_at_once() {
    let directory = Directory::new("at-once");
    assert!(directory.store().admission().is_some());
}
