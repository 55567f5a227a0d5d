//! The directory that is a file store's own: made, checked once, and held open, so that nobody who may write beside it
//! gets another one in its place.

#[cfg(not(unix))]
mod elsewhere;

use std::fs::{self, File};
use std::io::{self, Read as _};
#[cfg(unix)]
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use rustix::fs::{AtFlags, CWD, Mode, OFlags};

/// The name of the directory inside the one that the application gives.
const NAME: &str = "finrail-tokens";
/// The first line of every record file.
pub(super) const MAGIC: &str = "finrail token record 1";
/// Locks for the moment of a swap are shared by many records.
pub(super) const SHARDS: u32 = 64;

pub(super) fn swap_lock_name(shard: u32) -> String {
    format!("swap-{shard:02}.lock")
}

/// The directory that is the store's own.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    #[cfg(unix)]
    handle: File,
}

/// How a file is opened. None of them follows a link in its place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// It has to be there.
    Read,
    /// Made if need be.
    Write,
    /// It must not be there.
    New,
}

impl Directory {
    /// Makes the store's own directory in this one, and this one if need be; opens and checks it.
    ///
    /// A store of an earlier version has its files in the directory itself, and stays there.
    pub fn open(base: &Path) -> io::Result<Self> {
        make(base)?;
        let own = base.join(NAME);
        let earlier = holds_a_store(base)?;
        if earlier && holds_a_store(&own)? {
            return Err(io::Error::other(format!(
                "{} holds token records, and so does {NAME} in it: they are of two stores, keep the files of one of them",
                base.display()
            )));
        }
        match earlier {
            true => Self::checked(base, Place::Shared),
            false => {
                make(&own)?;
                Self::checked(&own, Place::Own)
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes a file that need not be there. Of a link, the link.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        match self.unlink(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Whose a directory is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Made by a store for itself.
    Own,
    /// Given by the application, for a store of an earlier version.
    Shared,
}

/// Whether a store has written here: the locks of its swaps are the first files that it makes. In a directory that
/// others may write to, a name may be given to any file, and a record alone says that there is a store.
fn holds_a_store(directory: &Path) -> io::Result<bool> {
    if !Directory::others_may_write(directory) {
        for shard in 0..SHARDS {
            match fs::symlink_metadata(directory.join(swap_lock_name(shard))) {
                Ok(found) if found.is_file() && Directory::is_ours(&found) => return Ok(true),
                Ok(_) => {}
                Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) => {}
                Err(error) => return Err(error),
            }
        }
        return Ok(false);
    }
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) => {
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "token") && is_a_record(&path) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether it is a file of this process's user with a record in it. What cannot be read says nothing.
fn is_a_record(path: &Path) -> bool {
    let is_own_file = fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && Directory::is_ours(&found));
    let mut begin = [0; MAGIC.len()];
    is_own_file
        && File::open(path).is_ok_and(|mut file| file.read_exact(&mut begin).is_ok())
        && begin == *MAGIC.as_bytes()
}

/// Makes a directory that survives a power cut: every new name in it is synced.
fn make(directory: &Path) -> io::Result<()> {
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

#[cfg(unix)]
impl Directory {
    fn others_may_write(directory: &Path) -> bool {
        const OTHERS: u32 = 0o022;
        fs::metadata(directory).is_ok_and(|found| found.mode() & OTHERS != 0)
    }

    /// Of this process's user.
    fn is_ours(found: &fs::Metadata) -> bool {
        found.uid() == rustix::process::geteuid().as_raw()
    }

    fn checked(path: &Path, place: Place) -> io::Result<Self> {
        let mut flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        if place == Place::Own {
            flags |= OFlags::NOFOLLOW;
        }
        let handle = File::from(rustix::fs::openat(CWD, path, flags, Mode::empty())?);
        check(path, &handle.metadata()?, place)?;
        Ok(Self {
            path: path.to_owned(),
            handle,
        })
    }

    pub fn file(&self, name: &str, how: How) -> io::Result<File> {
        let flags = match how {
            How::Read => OFlags::RDONLY,
            How::Write => OFlags::RDWR | OFlags::CREATE,
            How::New => OFlags::RDWR | OFlags::CREATE | OFlags::EXCL,
        };
        // Without waiting: what stands there may be a pipe.
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = File::from(rustix::fs::openat(&self.handle, name, flags, mode)?);
        let found = file.metadata()?;
        // What is written in place would change under its other name too.
        if found.is_file() && Directory::is_ours(&found) && (how != How::Write || found.nlink() <= 1) {
            return Ok(file);
        }
        Err(io::Error::other(format!(
            "{name} in the token directory is not a file of the store: it belongs to another user, has a second name, or \
             is no file"
        )))
    }

    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.handle, from, &self.handle, to)?)
    }

    fn unlink(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.handle, name, AtFlags::empty())?)
    }

    /// The names of the files in it that end so.
    pub fn names(&self, ending: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.handle)? {
            let entry = entry?;
            // Those of the store are ASCII.
            names.extend(
                entry
                    .file_name()
                    .to_str()
                    .ok()
                    .filter(|name| name.ends_with(ending))
                    .map(str::to_owned),
            );
        }
        Ok(names)
    }

    /// Makes names durable that were given or taken away.
    pub fn sync(&self) -> io::Result<()> {
        self.handle.sync_all()
    }
}

/// Nobody else may put files into it or take them away.
#[cfg(unix)]
fn check(path: &Path, found: &fs::Metadata, place: Place) -> io::Result<()> {
    const OTHERS: u32 = 0o002;
    const GROUP: u32 = 0o020;

    let refuse = |why: String| Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    let shown = path.display();
    let (user, mode) = (rustix::process::geteuid().as_raw(), found.mode() & 0o7777);
    let owner = found.uid();
    if is_strange(owner, user, place) {
        return refuse(format!(
            "{shown} belongs to user {owner} and this process runs as user {user}: tokens are kept only where nobody \
             else decides who reads them; remove it, or run as its owner"
        ));
    }
    let refused = match place {
        Place::Own => OTHERS | GROUP,
        Place::Shared => OTHERS,
    };
    if mode & refused != 0 {
        return refuse(format!(
            "{shown} may be written by others (mode {mode:04o}): who can replace a record can put another token in its \
             place; set it to 0700"
        ));
    }
    if mode & GROUP != 0 {
        tracing::warn!(
            directory = %shown,
            "the directory of an earlier version's token store may be written by its group: stop all processes that use \
             it, and move its files into a directory {NAME} with mode 0700 in it"
        );
    }
    Ok(())
}

/// Whether somebody else decides about it. A volume is often root's.
#[cfg(unix)]
fn is_strange(owner: u32, user: u32, place: Place) -> bool {
    const ROOT: u32 = 0;

    owner != user && (place == Place::Own || owner != ROOT)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{DirBuilderExt as _, symlink};

    use rustix::fs::{FileType, mknodat};

    use super::*;

    /// A directory that is removed in the end.
    struct Base(PathBuf);

    impl Base {
        fn new(name: &str, mode: u32) -> Self {
            let path = std::env::temp_dir().join(format!("finrail-directory-{name}-{}", std::process::id()));
            fs::DirBuilder::new().mode(mode).create(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Base {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_directory_is_this_users_and_one_for_a_store_of_an_earlier_version_may_be_roots() {
        for (owner, user, of_own, of_shared) in [
            (7, 7, false, false),
            (0, 0, false, false),
            (8, 7, true, true),
            (0, 7, true, false),
            (7, 0, true, true),
        ] {
            assert_eq!(is_strange(owner, user, Place::Own), of_own, "{owner} {user}");
            assert_eq!(is_strange(owner, user, Place::Shared), of_shared, "{owner} {user}");
        }
    }

    #[test]
    fn what_need_not_be_there_may_be_missing_and_what_cannot_be_removed_is_an_error() {
        let base = Base::new("remove", 0o700);
        let directory = Directory::open(&base.0).unwrap();
        fs::create_dir(directory.path().join("x.damaged")).unwrap();
        directory.remove("x.tmp").unwrap();
        directory.remove("x.damaged").unwrap_err();
    }

    #[test]
    fn a_pipe_in_the_place_of_a_file_stops_nobody() {
        let base = Base::new("pipe", 0o700);
        let directory = Directory::open(&base.0).unwrap();
        let mode = Mode::RUSR | Mode::WUSR;
        mknodat(&directory.handle, "x.token", FileType::Fifo, mode, 0).unwrap();
        directory.file("x.token", How::Read).unwrap_err();
    }

    #[test]
    fn a_file_that_another_user_put_there_is_none_of_the_store() {
        let base = Base::new("owner", 0o700);
        let directory = Directory::open(&base.0).unwrap();
        let path = directory.path().join("x.token");
        fs::write(&path, b"").unwrap();
        directory.file("x.token", How::Read).unwrap();
        // Only root can give a file away.
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(1), None).unwrap();
            directory.file("x.token", How::Read).unwrap_err();
        }
    }

    #[test]
    fn a_store_is_known_by_a_lock_that_is_a_file_of_this_user() {
        let base = Base::new("lock", 0o700);
        let lock = base.0.join(swap_lock_name(0));
        fs::create_dir(&lock).unwrap();
        assert!(!holds_a_store(&base.0).unwrap());
        fs::remove_dir(&lock).unwrap();
        fs::write(&lock, b"").unwrap();
        assert!(holds_a_store(&base.0).unwrap());
    }

    #[test]
    fn where_others_may_write_a_store_is_known_by_a_file_with_a_record() {
        let base = Base::new("record", 0o700);
        let (named, elsewhere) = (base.0.join("x.token"), base.0.join("x"));
        fs::set_permissions(&base.0, std::os::unix::fs::PermissionsExt::from_mode(0o770)).unwrap();
        fs::write(&named, "of something else, and longer than the first line").unwrap();
        assert!(!holds_a_store(&base.0).unwrap());
        fs::remove_file(&named).unwrap();
        fs::write(&elsewhere, format!("{MAGIC}\n")).unwrap();
        symlink(&elsewhere, &named).unwrap();
        assert!(!holds_a_store(&base.0).unwrap());
        fs::rename(&elsewhere, &named).unwrap();
        assert!(holds_a_store(&base.0).unwrap());
    }

    #[test]
    fn a_file_holds_no_store_and_a_link_that_leads_nowhere_is_an_error() {
        let base = Base::new("no-directory", 0o700);
        let place = base.0.join(NAME);
        assert!(!holds_a_store(&place).unwrap());
        for mode in [0o600, 0o666] {
            fs::write(&place, b"").unwrap();
            fs::set_permissions(&place, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
            assert!(!holds_a_store(&place).unwrap(), "{mode:o}");
        }
        fs::remove_file(&place).unwrap();
        symlink(&place, &place).unwrap();
        holds_a_store(&place).unwrap_err();
    }
}
