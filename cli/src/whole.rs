//! Files that appear together or not at all, wherever a run ends: they are written beside their place first, and then renamed.

use std::io;
use std::path::{Path, PathBuf};

/// What is not whole yet is called so; whoever finds one can delete it.
pub(crate) const PARTIAL: &str = "partial";

/// A folder that is being made beside its place. Dropped before it is finished, it leaves nothing.
pub(crate) struct Making {
    partial: PathBuf,
    /// The folders above it that were not there.
    above: Vec<PathBuf>,
    place: PathBuf,
    is_finished: bool,
}

impl Making {
    /// Begins a folder for a place. What an earlier run left unfinished is deleted.
    pub(crate) fn new(place: &Path) -> io::Result<Self> {
        let parent = place.parent().unwrap_or(place);
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let partial = parent.join(format!(".{name}.{PARTIAL}"));
        let above = parent
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .map(Path::to_owned)
            .collect();
        let making = Self {
            partial,
            above,
            place: place.to_owned(),
            is_finished: false,
        };
        match std::fs::remove_dir_all(&making.partial) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(named(&making.partial, &error)),
            _ => {}
        }
        std::fs::create_dir_all(&making.partial).map_err(|error| named(&making.partial, &error))?;
        Ok(making)
    }

    /// Where it is until it is finished.
    pub(crate) fn folder(&self) -> &Path {
        &self.partial
    }

    /// Puts it in its place; where a folder is there already, its files are put into that.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        match self.place.exists() {
            // On some systems a folder is not renamed onto another, and one in which a person stands stays the same.
            true => moved(&self.partial, &self.place)?,
            false => std::fs::rename(&self.partial, &self.place).map_err(|error| named(&self.place, &error))?,
        }
        self.is_finished = true;
        let _ = std::fs::remove_dir_all(&self.partial);
        Ok(())
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        let _ = std::fs::remove_dir_all(&self.partial);
        for folder in &self.above {
            // Only while nothing else is in it.
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// Moves every file of a folder into another, in the place of one that has its name.
fn moved(from: &Path, to: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir_all(&place).map_err(|error| named(&place, &error))?;
            moved(&entry.path(), &place)?;
        } else {
            std::fs::rename(entry.path(), &place).map_err(|error| named(&place, &error))?;
        }
    }
    Ok(())
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Writes files into a folder: none of them where one cannot be written.
pub(crate) fn write(folder: &Path, files: &[(&str, &[u8])]) -> io::Result<()> {
    let making = Making::new(folder)?;
    for (name, bytes) in files {
        let file = making.folder().join(name);
        std::fs::write(&file, bytes).map_err(|error| named(&folder.join(name), &error))?;
    }
    making.finish()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn place(test: &str) -> PathBuf {
        let place = std::env::temp_dir().join(format!("finrail-whole-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&place);
        std::fs::create_dir_all(&place).unwrap();
        place
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let root = place("nothing");
        // The second file has a name that no file can have.
        let files: [(&str, &[u8]); 2] = [("a", b"1"), ("b/c", b"2")];
        assert!(write(&root.join("x/y"), &files).is_err());
        assert!(names(&root).is_empty());
        // Nor does it change what is there.
        write(&root.join("x/y"), &[("a", b"1")]).unwrap();
        assert!(write(&root.join("x/y"), &[("a", b"3"), ("b/c", b"2")]).is_err());
        assert_eq!(std::fs::read(root.join("x/y/a")).unwrap(), b"1");
        assert_eq!(
            (names(&root), names(&root.join("x"))),
            (vec!["x".to_owned()], vec!["y".to_owned()])
        );
        std::fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn what_an_earlier_run_left_unfinished_is_no_part_of_it() {
        let root = place("earlier");
        std::fs::create_dir_all(root.join(".y.partial")).unwrap();
        std::fs::write(root.join(".y.partial/half"), "").unwrap();
        write(&root.join("y"), &[("a", b"1")]).unwrap();
        assert_eq!(
            (names(&root), names(&root.join("y"))),
            (vec!["y".to_owned()], vec!["a".to_owned()])
        );
        // Into a folder that is there, beside what it has.
        write(&root.join("y"), &[("b", b"2"), ("a", b"3")]).unwrap();
        assert_eq!(names(&root.join("y")), ["a", "b"]);
        assert_eq!(std::fs::read(root.join("y/a")).unwrap(), b"3");
        std::fs::remove_dir_all(&root).unwrap();
    }
}
