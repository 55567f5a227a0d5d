//! Where permissions are not those of Unix: names instead of a directory that is held open, and no check.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::{Directory, How, Place};

impl Directory {
    /// Permissions are not looked at.
    pub(super) fn others_may_write(_: &Path) -> bool {
        false
    }

    pub(super) fn is_ours(_: &fs::Metadata) -> bool {
        true
    }

    pub(super) fn checked(path: &Path, _: Place) -> io::Result<Self> {
        Ok(Self { path: path.to_owned() })
    }

    pub fn file(&self, name: &str, how: How) -> io::Result<File> {
        let mut options = fs::OpenOptions::new();
        options.read(true);
        match how {
            How::Read => {}
            How::Write => {
                options.write(true).create(true);
            }
            How::New => {
                options.write(true).create_new(true);
            }
        }
        options.open(self.path.join(name))
    }

    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    pub(super) fn unlink(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    pub fn names(&self, ending: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            // Those of the store are ASCII.
            names.extend(
                entry?
                    .file_name()
                    .into_string()
                    .ok()
                    .filter(|name| name.ends_with(ending)),
            );
        }
        Ok(names)
    }

    pub fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
