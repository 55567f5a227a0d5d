//! Where things are, and by which command people work on them.

use std::io;
use std::path::{Path, PathBuf};

/// The root of the project.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    command: String,
}

impl Workspace {
    /// The project at a folder, and the command that works on it: what generated files and last lines name.
    pub fn new(root: impl Into<PathBuf>, command: impl Into<String>) -> Self {
        Self {
            root: root.into(),
            command: command.into(),
        }
    }

    /// What people type to run this tool, without a task: `cargo xtask`.
    #[must_use]
    pub fn command(&self) -> &str {
        &self.command
    }

    /// The root folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The providers that have a specification, sorted.
    ///
    /// # Errors
    ///
    /// When `specs` cannot be listed.
    pub fn providers(&self) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(self.root.join("specs"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                found.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
            }
        }
        found.sort();
        Ok(found)
    }

    /// A provider's hand-written specification, relative to the root.
    #[must_use]
    pub fn spec(provider: &str) -> PathBuf {
        PathBuf::from("specs").join(format!("{provider}.yaml"))
    }

    /// A provider's bundle, relative to the root.
    #[must_use]
    pub fn bundle(provider: &str) -> PathBuf {
        PathBuf::from("specs/bundled").join(format!("{provider}.json"))
    }

    /// A provider's page for people, relative to the root.
    #[must_use]
    pub fn page(provider: &str) -> PathBuf {
        PathBuf::from("docs").join(format!("{provider}.md"))
    }

    /// The outline of a provider's public Rust surface, relative to the root.
    #[must_use]
    pub fn outline(provider: &str) -> PathBuf {
        PathBuf::from("docs/outline").join(format!("{provider}.txt"))
    }

    /// Reads a file by its path relative to the root; `None` when there is none.
    ///
    /// # Errors
    ///
    /// Everything but the absence of the file.
    pub fn read(&self, path: &Path) -> io::Result<Option<String>> {
        match std::fs::read_to_string(self.root.join(path)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        }
    }

    /// Writes a file by its path relative to the root, whole or not at all.
    ///
    /// # Errors
    ///
    /// The file system's.
    pub fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        let path = self.root.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut partial = path.clone().into_os_string();
        partial.push(".partial");
        std::fs::write(&partial, text)?;
        std::fs::rename(&partial, &path)
    }
}
