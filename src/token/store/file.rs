//! Grants in a directory, one file each, shared by the processes of one machine.

mod directory;

use std::fs::{self, File};
use std::io::{self, Read, Seek as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use sha2::{Digest as _, Sha256};

use self::directory::{Directory, How, MAGIC, SHARDS, swap_lock_name};
use super::listing::AT_ONCE as LISTED_AT_ONCE;
use super::{
    Admission, Lease, LeaseState, Leased, Listed, ListedRecord, RecordBytes, StoreError, StoredRecord, Swap, Swapped,
    TokenStore,
};
use crate::http::Backoff;
use crate::token::TokenKey;

/// How the names of record files end.
const RECORD: &str = ".token";
/// Longer than the name of any file here.
const LONGEST_NAME: u64 = 255;
/// Steps at once, where nothing else is said: enough for the disk to make several writes durable together.
const AT_ONCE: usize = 16;
/// How long a swap waits for its moment. Whoever takes longer was stopped in the middle of one.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pauses between looks at a lock that somebody holds for the moment of a swap.
const BETWEEN_LOOKS: Backoff = Backoff::new(Duration::from_micros(100), Duration::from_millis(5));

/// Grants in a directory, one file each, shared by the processes of one machine.
///
/// A record is replaced as a whole: written beside the old one, synced, renamed
/// over it, and the directory synced. A crash at any moment leaves the old
/// record or the new one.
///
/// The files are in a directory of their own, `finrail-tokens`, inside the one that is given: a mounted volume is often
/// open to a group, and what is in it is not. The store makes that directory for its user alone (0700) and refuses one
/// that belongs to another user or that others may write to. It holds it open, so that nobody who may write beside it
/// can put another one in its place; every file in it is for its owner only (0600), is never opened through a link or
/// under a second name, and new ones get names that nobody can foresee. A store that an earlier version began in the
/// given directory itself stays there, with all its processes, and is refused if all the world may write there.
///
/// On Windows the directory and its files have the permissions of the directory that is given, which are not looked
/// at: give one that only the user of the process may use. What is said of links does not hold there.
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
    directory: Arc<Directory>,
    admission: Admission,
}

impl FileStore {
    /// Opens the store in this directory, and makes it if need be.
    ///
    /// Writes a probe and reads it back: a store that will not take a token is
    /// found out now, and not after a refresh. The time this takes does not
    /// depend on the number of records.
    ///
    /// # Errors
    ///
    /// When the directory cannot be made, written, read or locked, belongs to another user, or may be written by
    /// others.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let directory = directory.into();
        let opened = Directory::open(&directory).and_then(|directory| {
            let store = Self {
                directory: Arc::new(directory),
                admission: Admission::at_once(AT_ONCE),
            };
            store.probe().map(|()| store)
        });
        opened.map_err(|error| StoreError::unavailable("use its directory", error).at(directory.display().to_string()))
    }

    /// How many steps of refreshes are taken at once; 16 by default, one at least. The others
    /// [wait for their turn](Admission).
    #[must_use]
    pub fn at_once(mut self, steps: usize) -> Self {
        self.admission = Admission::at_once(steps);
        self
    }

    /// Where the files are: in a directory of the store's own, inside the one that was given.
    #[must_use]
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Writes, locks and reads back.
    fn probe(&self) -> io::Result<()> {
        // Of its own, so that it waits for nobody.
        let name = unforeseen("probe");
        let outcome = self.probe_with(&name);
        self.directory.remove(&name)?;
        outcome
    }

    fn probe_with(&self, name: &str) -> io::Result<()> {
        self.write_new(name, MAGIC.as_bytes())?;
        let read_back = self.read(name)?;
        let locked = is_locked(self.directory.file(name, How::Read)?.try_lock())?;
        if *read_back == *MAGIC.as_bytes() && !locked {
            Ok(())
        } else {
            Err(io::Error::other("what is written is not what is read"))
        }
    }

    fn read(&self, name: &str) -> io::Result<RecordBytes> {
        let mut file = self.directory.file(name, How::Read)?;
        // Measured first: a buffer that grows leaves copies of the secrets behind, which nobody overwrites.
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
        let mut bytes = Vec::with_capacity(length + 1);
        let read = file.read_to_end(&mut bytes);
        let bytes = RecordBytes::from(bytes);
        read.map(|_| bytes)
    }

    fn write_new(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.directory.file(name, How::New)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Held for the moment of a swap or a new lease.
    fn swap_lock(&self, id: &str) -> io::Result<SwapLock> {
        let shard = id
            .bytes()
            .fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
            % SHARDS;
        let file = self.directory.file(&swap_lock_name(shard), How::Write)?;
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
        Ok(SwapLock(file))
    }

    fn load_now(&self, id: &str) -> Result<Option<StoredRecord>, Trouble> {
        let name = name_of(id, "token");
        let bytes = match self.read(&name) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if is_newer(&bytes) {
            return Err(Trouble::Newer(name));
        }
        unframe(&bytes).map(Some).ok_or_else(|| Trouble::Damaged {
            name,
            left: RecordBytes::from(&*bytes),
        })
    }

    fn swap_now(&self, id: &str, swap: Swap) -> Result<Swapped, Trouble> {
        let mut lock = self.swap_lock(id)?;
        if self.newest(id)?.fence != swap.fence {
            return Ok(Swapped::Fenced);
        }
        let directory = &*self.directory;
        let (token, damaged) = (name_of(id, "token"), name_of(id, "damaged"));
        let mut damaged_now = false;
        let stored = match self.load_now(id) {
            // What cannot be read is kept for those who want to know why, and is no record any more.
            Err(Trouble::Damaged { .. }) if swap.expected.is_none() => {
                directory.rename(&token, &damaged)?;
                damaged_now = true;
                None
            }
            stored => stored?,
        };
        if stored.as_ref().map(|record| record.revision) != swap.expected {
            return Ok(Swapped::Conflict(stored));
        }
        self.remove_what_was_left(&mut lock, id)?;
        match swap.next {
            Some(next) => self.put_now(&mut lock, id, &next)?,
            None => {
                directory.remove(&token)?;
                damaged_now = false;
            }
        }
        // It may hold tokens, which are not to outlive the record. The login that replaced it leaves it to be looked at.
        if !damaged_now {
            directory.remove(&damaged)?;
        }
        directory.sync()?;
        Ok(Swapped::Done)
    }

    /// Whoever was killed in the middle of a swap left tokens beside the record; earlier versions under this name.
    fn remove_what_was_left(&self, lock: &mut SwapLock, id: &str) -> io::Result<()> {
        if let Some(left) = lock.beside()? {
            self.directory.remove(&left)?;
        }
        self.directory.remove(&name_of(id, "tmp"))
    }

    fn put_now(&self, lock: &mut SwapLock, id: &str, next: &StoredRecord) -> io::Result<()> {
        let beside = unforeseen(id);
        lock.put_beside(&beside)?;
        self.write_new(&beside, &frame(next))?;
        self.directory.rename(&beside, &name_of(id, "token"))
    }

    fn lease_now(&self, id: &str, holder: &str) -> Result<Leased, Trouble> {
        let _guard = self.swap_lock(id)?;
        let mut file = self.directory.file(&name_of(id, "lock"), How::Write)?;
        let newest = self.newest(id)?;
        if is_locked(file.try_lock())? {
            return Ok(Leased::Held {
                by: newest.holder,
                for_at_most: None,
            });
        }
        let fence = newest.fence + 1;
        write_fence(
            &mut self.directory.file(&name_of(id, "fence"), How::Write)?,
            fence,
            holder,
        )?;
        // Where earlier versions look for it.
        write_fence(&mut file, fence, holder)?;
        Ok(Leased::Granted(Lease::new(fence).exclusive().guard(file)))
    }

    fn list_now(&self, ids: &str, after: Option<&str>) -> Result<Listed, Trouble> {
        let mut found: Vec<String> = self
            .directory
            .names(RECORD)?
            .iter()
            .filter_map(|name| name.strip_suffix(RECORD))
            .filter(|id| id.starts_with(ids) && after.is_none_or(|after| *id > after))
            .map(str::to_owned)
            .collect();
        found.sort_unstable();
        let next = (found.len() > LISTED_AT_ONCE).then(|| found[LISTED_AT_ONCE - 1].clone());
        found.truncate(LISTED_AT_ONCE);
        let mut records = Vec::with_capacity(found.len());
        for id in found {
            let record = match self.load_now(&id) {
                // It was removed meanwhile.
                Ok(None) => continue,
                Ok(Some(record)) => Ok(record),
                Err(trouble) => Err(trouble.told("read the record file", self)),
            };
            records.push(ListedRecord::new(id, record));
        }
        Ok(Listed::new(records, next))
    }

    /// The lock file goes too: whoever opens one does so under the swap lock, and holds it before that is given back.
    fn remove_now(&self, id: &str, revision: u64) -> Result<bool, Trouble> {
        let _guard = self.swap_lock(id)?;
        let Some(_free) = self.free_at(id, revision)? else {
            return Ok(false);
        };
        for extension in ["token", "damaged", "tmp", "fence", "lock"] {
            self.directory.remove(&name_of(id, extension))?;
        }
        self.directory.sync()?;
        Ok(true)
    }

    fn replace_now(&self, id: &str, revision: u64, next: &StoredRecord) -> Result<bool, Trouble> {
        let mut lock = self.swap_lock(id)?;
        let Some(_free) = self.free_at(id, revision)? else {
            return Ok(false);
        };
        self.remove_what_was_left(&mut lock, id)?;
        self.put_now(&mut lock, id, next)?;
        // As a swap does.
        self.directory.remove(&name_of(id, "damaged"))?;
        self.directory.sync()?;
        Ok(true)
    }

    /// The lock of a record at this revision that nobody has, held; none: it is at another, or somebody has it. Under the
    /// swap lock.
    fn free_at(&self, id: &str, revision: u64) -> Result<Option<Option<File>>, Trouble> {
        let lock = match self.directory.file(&name_of(id, "lock"), How::Read) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        if let Some(lock) = &lock
            && is_locked(lock.try_lock())?
        {
            return Ok(None);
        }
        let is_at = self.load_now(id)?.map(|record| record.revision) == Some(revision);
        Ok(is_at.then_some(lock))
    }

    /// The look takes the lock for a moment. It stands under the swap lock, as a lease does, so that it refuses nobody.
    fn lease_state_now(&self, id: &str) -> Result<LeaseState, Trouble> {
        let _guard = self.swap_lock(id)?;
        let file = match self.directory.file(&name_of(id, "lock"), How::Read) {
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
        let newest = self.read_fence(&name_of(id, "fence"))?;
        if cfg!(windows) {
            return Ok(newest);
        }
        let earlier = self.read_fence(&name_of(id, "lock"))?;
        Ok(if earlier.fence > newest.fence { earlier } else { newest })
    }

    /// A line for the fence, always as long, and a line for its holder.
    fn read_fence(&self, name: &str) -> io::Result<Newest> {
        let text = match self.read(name) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut lines = text.lines();
        // What is no number counts as 0: it is the lock on the file that keeps others out.
        Ok(Newest {
            fence: lines.next().and_then(|line| line.parse().ok()).unwrap_or(0),
            holder: lines.next().unwrap_or("another process").to_owned(),
        })
    }

    /// File operations block, so they run where blocking is allowed.
    fn blocking<'a, T: Send + 'static>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Self) -> Result<T, Trouble> + Send + 'static,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        let (store, at) = (self.clone(), self.clone());
        let task = tokio::task::spawn_blocking(move || work(&store));
        Box::pin(async move {
            match task.await {
                Ok(done) => done.map_err(|trouble| trouble.told(action, &at)),
                // The runtime is shutting down.
                Err(error) => Err(StoreError::unavailable(action, error).of(&at)),
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

    fn list<'a>(&'a self, ids: &'a str, after: Option<&'a str>) -> BoxFuture<'a, Result<Listed, StoreError>> {
        let (ids, after) = (ids.to_owned(), after.map(str::to_owned));
        self.blocking("list its record files", move |store| {
            store.list_now(&ids, after.as_deref())
        })
    }

    fn remove<'a>(&'a self, id: &'a str, revision: u64) -> BoxFuture<'a, Result<bool, StoreError>> {
        let id = id.to_owned();
        self.blocking("remove the record file", move |store| {
            Ok(is_id(&id) && store.remove_now(&id, revision)?)
        })
    }

    fn replace<'a>(
        &'a self,
        id: &'a str,
        revision: u64,
        next: StoredRecord,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let id = id.to_owned();
        self.blocking("write the record file", move |store| {
            Ok(is_id(&id) && store.replace_now(&id, revision, &next)?)
        })
    }

    fn lease_state<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<LeaseState, StoreError>> {
        let id = key.storage_id();
        self.blocking("look at the lock of the record", move |store| {
            store.lease_state_now(&id)
        })
    }

    fn admission(&self) -> Option<&Admission> {
        Some(&self.admission)
    }

    fn place(&self) -> Option<String> {
        Some(self.directory().display().to_string())
    }
}

/// A name that a walk gave, and no other.
fn is_id(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
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

/// One write: a process that is killed leaves the old fence or the new one.
fn write_fence(file: &mut File, fence: u64, holder: &str) -> io::Result<()> {
    let text = format!("{fence:020}\n{holder}\n");
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)
}

enum Trouble {
    Io(io::Error),
    /// This file, and what is left in it.
    Damaged {
        name: String,
        left: RecordBytes,
    },
    /// Written by a newer version.
    Newer(String),
}

impl Trouble {
    fn told(self, action: &'static str, store: &FileStore) -> StoreError {
        let in_file = |error: StoreError, name| error.at(store.directory().join(name).display().to_string());
        let error = match self {
            Self::Io(error) => StoreError::unavailable(action, error),
            Self::Newer(name) => {
                let why = "a newer finrail wrote the record file: upgrade this process";
                in_file(StoreError::corrupt(why), name)
            }
            Self::Damaged { name, left } => {
                let why = "the record file is damaged: its checksum does not match";
                let error = StoreError::damaged(why).with_what_is_left(named_revision(&left), left);
                in_file(error, name)
            }
        };
        error.of(store)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn name_of(id: &str, extension: &str) -> String {
    format!("{id}.{extension}")
}

/// A name that nobody can have put something under.
fn unforeseen(stem: &str) -> String {
    format!("{stem}.{}.tmp", uuid::Uuid::new_v4().simple())
}

/// The lock of a swap. In it stands the name of the last file that was written beside a record under it, so that the
/// next one finds what a killed process has left.
struct SwapLock(File);

impl SwapLock {
    fn beside(&mut self) -> io::Result<Option<String>> {
        let mut name = Vec::new();
        self.0.rewind()?;
        Read::by_ref(&mut self.0).take(LONGEST_NAME).read_to_end(&mut name)?;
        let name = String::from_utf8(name).ok();
        // Of this directory, and never anything but such a file.
        Ok(name.filter(|name| name.ends_with(".tmp") && !name.contains(['/', '\\', '\0'])))
    }

    fn put_beside(&mut self, name: &str) -> io::Result<()> {
        self.0.rewind()?;
        self.0.write_all(name.as_bytes())?;
        self.0.set_len(name.len() as u64)
    }
}

/// Magic, revision and checksum, a line each, and then the record as it is.
fn frame(record: &StoredRecord) -> RecordBytes {
    let checksum = checksum(record.revision, &record.bytes);
    let mut framed = format!("{MAGIC}\n{}\n{checksum:016x}\n", record.revision).into_bytes();
    framed.reserve_exact(record.bytes.len());
    framed.extend_from_slice(&record.bytes);
    RecordBytes::from(framed)
}

/// Whether a later version of the format stands in the first line. Where the rest is a whole record of this version, the
/// line is what was damaged.
fn is_newer(framed: &[u8]) -> bool {
    let family = MAGIC.trim_end_matches(char::is_numeric);
    let version = |line: &str| line.strip_prefix(family)?.parse::<u64>().ok();
    let Some((line, rest)) = split_line(framed) else {
        return false;
    };
    let later = version(line).zip(version(MAGIC)).is_some_and(|(it, this)| it > this);
    later && unframe_rest(rest).is_none()
}

fn split_line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let at = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at(at);
    Some((std::str::from_utf8(line).ok()?, rest.get(1..)?))
}

fn unframe(framed: &[u8]) -> Option<StoredRecord> {
    let (line, rest) = split_line(framed)?;
    unframe_rest(rest).filter(|_| line == MAGIC)
}

/// What stands behind the first line.
fn unframe_rest(rest: &[u8]) -> Option<StoredRecord> {
    let (revision, rest) = split_line(rest)?;
    let (expected, bytes) = split_line(rest)?;
    let revision = revision.parse().ok()?;
    let expected = u64::from_str_radix(expected, 16).ok()?;
    (checksum(revision, bytes) == expected).then(|| StoredRecord::new(revision, bytes))
}

/// The revision that a damaged file names, if its line is whole.
fn named_revision(framed: &[u8]) -> Option<u64> {
    let mut lines = framed.split(|byte| *byte == b'\n').skip(1);
    let (line, _whole) = (lines.next()?, lines.next()?);
    let revision: u64 = std::str::from_utf8(line).ok()?.parse().ok()?;
    (revision.to_string().as_bytes() == line).then_some(revision)
}

/// A record file read and written once more, for the fuzz target.
#[cfg(any(test, finrail_fuzzing))]
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
    fn a_damaged_file_names_its_revision_as_long_as_that_line_is_whole() {
        let whole = frame(&StoredRecord::new(1_767_225_600_000_017, b"record".to_vec())).to_vec();
        let named = |bytes: &[u8]| named_revision(bytes);
        let first = MAGIC.len() + 1;
        assert_eq!(named(&whole), Some(1_767_225_600_000_017));
        assert_eq!(named(&whole[..first + 17]), Some(1_767_225_600_000_017));
        for length in [0, 5, first, first + 3, first + 16] {
            assert_eq!(named(&whole[..length]), None, "{length}");
        }
        for (at, instead) in [(first, b'x'), (first, b'0'), (first, b'+'), (first + 16, b'1')] {
            let mut turned = whole.clone();
            turned[at] = instead;
            assert_eq!(named(&turned), None, "{at}");
        }
    }

    #[test]
    fn a_swap_looks_for_its_moment_after_100_us_and_then_at_least_every_5_ms() {
        let pauses = [1, 2, 3, 4, 5, 6, 7, 8].map(|looks| BETWEEN_LOOKS.pause(looks).as_micros());
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    }
}
