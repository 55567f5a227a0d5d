//! Grants in a directory, one file each, shared by the processes of one machine.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use sha2::{Digest as _, Sha256};

use super::{Lease, LeaseState, Leased, RecordBytes, StoreError, StoredRecord, Swap, Swapped, TokenStore};
use crate::http::Backoff;
use crate::token::TokenKey;

/// The first line of every record file.
const MAGIC: &str = "finrail token record 1";
/// Locks for the moment of a swap are shared by many records.
const SHARDS: u32 = 64;
/// How long a swap waits for its moment. Whoever takes longer was stopped in the middle of one.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pauses between looks at a lock that somebody holds for the moment of a swap.
const BETWEEN_LOOKS: Backoff = Backoff::new(Duration::from_micros(100), Duration::from_millis(5));

/// Grants in a directory, one file each, shared by the processes of one machine.
///
/// A record is replaced as a whole: written beside the old one, synced, renamed
/// over it, and the directory synced. A crash at any moment leaves the old
/// record or the new one. Files are readable by their owner only.
///
/// The lease is a lock that the operating system takes back when a process
/// ends, however it ends: nobody waits for a dead process, and a slow one never
/// loses its lease. The directory must be on a local file system, because
/// network file systems keep this promise badly or not at all.
///
/// ```
/// use finrail::token::{GrantKind, TokenKey, TokenStore as _};
/// use finrail::token::store::FileStore;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let directory = std::env::temp_dir().join(format!("finrail-doc-{}", std::process::id()));
/// let store = FileStore::open(&directory)?;
/// let key = TokenKey::new("ofx", "client-1", GrantKind::AuthorizationCode);
/// assert!(store.load(&key).await?.is_none());
/// # std::fs::remove_dir_all(&directory).unwrap();
/// # Ok::<(), finrail::token::StoreError>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct FileStore {
    directory: Arc<Path>,
}

impl FileStore {
    /// Opens a directory, and makes it if need be.
    ///
    /// Writes a probe and reads it back: a store that will not take a token is
    /// found out now, and not after a refresh. The time this takes does not
    /// depend on the number of records.
    ///
    /// # Errors
    ///
    /// When the directory cannot be made, written, read or locked.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let store = Self {
            directory: Arc::from(directory.into()),
        };
        store
            .probe()
            .map_err(|error| StoreError::unavailable("use its directory", error))?;
        Ok(store)
    }

    fn probe(&self) -> io::Result<()> {
        make_directory(&self.directory)?;
        // Of its own, so that it waits for nobody.
        let name = format!("probe-{}.tmp", uuid::Uuid::new_v4().simple());
        let path = self.directory.join(name);
        let outcome = probe(&path);
        if path.exists() {
            fs::remove_file(&path)?;
        }
        outcome
    }

    fn path(&self, id: &str, extension: &str) -> PathBuf {
        self.directory.join(format!("{id}.{extension}"))
    }

    /// Held for the moment of a swap or a new lease.
    fn swap_lock(&self, id: &str) -> io::Result<File> {
        let shard = id
            .bytes()
            .fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
            % SHARDS;
        let file = private().open(self.directory.join(format!("swap-{shard:02}.lock")))?;
        let deadline = Instant::now() + PATIENCE;
        let mut looks = 0;
        while is_locked(file.try_lock())? {
            if Instant::now() >= deadline {
                let reason = "another process holds the lock of a swap and does not let go";
                return Err(io::Error::new(io::ErrorKind::TimedOut, reason));
            }
            looks += 1;
            std::thread::sleep(BETWEEN_LOOKS.pause(looks));
        }
        Ok(file)
    }

    fn load_now(&self, id: &str) -> Result<Option<StoredRecord>, Trouble> {
        let bytes = match fs::read(self.path(id, "token")) {
            Ok(bytes) => zeroize::Zeroizing::new(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        unframe(&bytes).map(Some).ok_or(Trouble::Damaged)
    }

    fn swap_now(&self, id: &str, swap: Swap) -> Result<Swapped, Trouble> {
        let _guard = self.swap_lock(id)?;
        if self.newest(id)?.fence != swap.fence {
            return Ok(Swapped::Fenced);
        }
        let mut damaged_now = false;
        let stored = match self.load_now(id) {
            // What cannot be read is kept for those who want to know why, and is no record any more.
            Err(Trouble::Damaged) if swap.expected.is_none() => {
                fs::rename(self.path(id, "token"), self.path(id, "damaged"))?;
                damaged_now = true;
                None
            }
            stored => stored?,
        };
        if stored.as_ref().map(|record| record.revision) != swap.expected {
            return Ok(Swapped::Conflict(stored));
        }
        let path = self.path(id, "token");
        match swap.next {
            Some(next) => {
                let beside = self.path(id, "tmp");
                write_synced(&beside, &frame(&next))?;
                fs::rename(&beside, &path)?;
            }
            None => {
                remove(&path)?;
                remove(&self.path(id, "tmp"))?;
                damaged_now = false;
            }
        }
        // It may hold tokens, which are not to outlive the record. The login that replaced it leaves it to be looked at.
        if !damaged_now {
            remove(&self.path(id, "damaged"))?;
        }
        sync(&self.directory)?;
        Ok(Swapped::Done)
    }

    fn lease_now(&self, id: &str, holder: &str) -> Result<Leased, Trouble> {
        let _guard = self.swap_lock(id)?;
        let mut file = private().open(self.path(id, "lock"))?;
        let newest = self.newest(id)?;
        if is_locked(file.try_lock())? {
            return Ok(Leased::Held {
                by: newest.holder,
                for_at_most: None,
            });
        }
        let fence = newest.fence + 1;
        write_fence(&mut private().open(self.path(id, "fence"))?, fence, holder)?;
        // Where earlier versions look for it.
        write_fence(&mut file, fence, holder)?;
        Ok(Leased::Granted(Lease::new(fence).exclusive().guard(file)))
    }

    /// The look takes the lock for a moment. It stands under the swap lock, as a lease does, so that it refuses nobody.
    fn lease_state_now(&self, id: &str) -> Result<LeaseState, Trouble> {
        let _guard = self.swap_lock(id)?;
        let file = match File::open(self.path(id, "lock")) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LeaseState::Free),
            Err(error) => return Err(error.into()),
        };
        if !is_locked(file.try_lock_shared())? {
            return Ok(LeaseState::Free);
        }
        Ok(LeaseState::Held {
            by: self.newest(id)?.holder,
            for_at_most: None,
        })
    }

    /// The newest lease.
    ///
    /// It stands in a file beside the lock: where locks are mandatory, as on Windows, nobody reads a locked file.
    /// Earlier versions wrote into the lock itself, on the systems where that works.
    fn newest(&self, id: &str) -> io::Result<Newest> {
        let newest = read_fence(&self.path(id, "fence"))?;
        if cfg!(windows) {
            return Ok(newest);
        }
        let earlier = read_fence(&self.path(id, "lock"))?;
        Ok(if earlier.fence > newest.fence { earlier } else { newest })
    }

    /// File operations block, so they run where blocking is allowed.
    fn blocking<'a, T: Send + 'static>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Self) -> Result<T, Trouble> + Send + 'static,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        let store = self.clone();
        let task = tokio::task::spawn_blocking(move || work(&store));
        Box::pin(async move {
            match task.await {
                Ok(Ok(done)) => Ok(done),
                Ok(Err(Trouble::Io(error))) => Err(StoreError::unavailable(action, error)),
                Ok(Err(Trouble::Damaged)) => Err(StoreError::corrupt(
                    "the record file is damaged: its checksum does not match",
                )),
                Err(_) => Err(StoreError::unavailable(action, "the runtime is shutting down")),
            }
        })
    }
}

impl TokenStore for FileStore {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        let id = key.storage_id();
        self.blocking("read the record file", move |store| store.load_now(&id))
    }

    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        let id = key.storage_id();
        self.blocking("write the record file", move |store| store.swap_now(&id, swap))
    }

    fn lease<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        _ttl: Duration,
    ) -> BoxFuture<'a, Result<Leased, StoreError>> {
        let (id, holder) = (key.storage_id(), holder.replace('\n', " "));
        self.blocking("lock the record", move |store| store.lease_now(&id, &holder))
    }

    fn release<'a>(&'a self, _key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        // Closing the file gives the lock back.
        drop(lease);
        Box::pin(async { Ok(()) })
    }

    fn lease_state<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<LeaseState, StoreError>> {
        let id = key.storage_id();
        self.blocking("look at the lock of the record", move |store| {
            store.lease_state_now(&id)
        })
    }
}

/// Whether somebody else has the lock; an error where there are no locks.
fn is_locked(tried: Result<(), fs::TryLockError>) -> io::Result<bool> {
    match tried {
        Ok(()) => Ok(false),
        Err(fs::TryLockError::WouldBlock) => Ok(true),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

struct Newest {
    fence: u64,
    holder: String,
}

/// A line for the fence, always as long, and a line for its holder.
fn read_fence(path: &Path) -> io::Result<Newest> {
    let text = match fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let mut lines = text.lines();
    Ok(Newest {
        fence: lines.next().and_then(|line| line.parse().ok()).unwrap_or(0),
        holder: lines.next().unwrap_or("another process").to_owned(),
    })
}

/// One write: a process that is killed leaves the old fence or the new one.
fn write_fence(file: &mut File, fence: u64, holder: &str) -> io::Result<()> {
    let text = format!("{fence:020}\n{holder}\n");
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)
}

/// Makes a directory that survives a power cut: every new name in it is synced.
fn make_directory(directory: &Path) -> io::Result<()> {
    let missing: Vec<_> = directory.ancestors().take_while(|path| !path.exists()).collect();
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)?;
    for made in missing {
        match made.parent() {
            Some(parent) if parent.as_os_str().is_empty() => sync(Path::new("."))?,
            Some(parent) => sync(parent)?,
            None => {}
        }
    }
    Ok(())
}

fn sync(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory)?.sync_all()
    } else {
        Ok(())
    }
}

/// Writes, locks and reads back.
fn probe(path: &Path) -> io::Result<()> {
    write_synced(path, MAGIC.as_bytes())?;
    let read_back = fs::read(path)?;
    let locked = is_locked(File::open(path)?.try_lock())?;
    if read_back == MAGIC.as_bytes() && !locked {
        Ok(())
    } else {
        Err(io::Error::other("what is written is not what is read"))
    }
}

/// Removes a file that need not be there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

enum Trouble {
    Io(io::Error),
    Damaged,
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Files for the owner's eyes only.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private().truncate(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Magic, revision and checksum, a line each, and then the record as it is.
fn frame(record: &StoredRecord) -> RecordBytes {
    let checksum = checksum(record.revision, &record.bytes);
    let mut framed = format!("{MAGIC}\n{}\n{checksum:016x}\n", record.revision).into_bytes();
    framed.reserve_exact(record.bytes.len());
    framed.extend_from_slice(&record.bytes);
    RecordBytes::from(framed)
}

fn unframe(framed: &[u8]) -> Option<StoredRecord> {
    let mut parts = framed.splitn(4, |byte| *byte == b'\n');
    let mut line = || std::str::from_utf8(parts.next()?).ok();
    if line()? != MAGIC {
        return None;
    }
    let revision = line()?.parse().ok()?;
    let expected = u64::from_str_radix(line()?, 16).ok()?;
    let bytes = parts.next()?;
    (checksum(revision, bytes) == expected).then(|| StoredRecord::new(revision, bytes))
}

/// A record file read and written once more, for the fuzz target.
#[cfg(any(test, fuzzing))]
pub(crate) fn reframed(framed: &[u8]) -> Option<Vec<u8>> {
    Some(frame(&unframe(framed)?).to_vec())
}

/// Against torn writes, not against attackers.
fn checksum(revision: u64, bytes: &[u8]) -> u64 {
    let digest = Sha256::new()
        .chain_update(revision.to_be_bytes())
        .chain_update(bytes)
        .finalize();
    digest[..8].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_looks_for_its_moment_after_100_us_and_then_at_least_every_5_ms() {
        let pauses = [1, 2, 3, 4, 5, 6, 7, 8].map(|looks| BETWEEN_LOOKS.pause(looks).as_micros());
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    }
}
