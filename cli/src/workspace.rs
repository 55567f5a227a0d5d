//! Where things are, and by which command people work on them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::addresses::Addresses;

/// The overlay of a document that was imported.
pub const OVERLAY: &str = "overlay.yaml";
/// What is made of both.
pub const BUNDLE: &str = "bundle.json";

/// The file that says where things are.
pub const SETTINGS: &str = "finrail.toml";

/// The root of the project.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    command: String,
    layout: Layout,
}

/// Where things are, relative to the root: `finrail.toml`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Layout {
    /// The specifications: a file for each that is written by hand, a folder for each that was imported.
    pub specs: PathBuf,
    /// Pages for people.
    pub pages: PathBuf,
    /// Outlines of what is generated.
    pub outlines: PathBuf,
    /// Where each provider says what it does, by its id.
    pub sources: BTreeMap<String, Addresses>,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            specs: PathBuf::from("specs"),
            pages: PathBuf::from("docs"),
            outlines: PathBuf::from("docs/outline"),
            sources: BTreeMap::new(),
        }
    }
}

/// What a provider's bundle is made of; paths are relative to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A specification that is written by hand.
    Written(PathBuf),
    /// The folder of a document that a provider published, with its overlay.
    Imported(PathBuf),
}

impl Workspace {
    /// The project at a folder, and the command that works on it: what generated files and last lines name.
    pub fn new(root: impl Into<PathBuf>, command: impl Into<String>) -> Self {
        Self {
            root: root.into(),
            command: command.into(),
            layout: Layout::default(),
        }
    }

    /// The project of which a folder is a part: the nearest above it with a `finrail.toml`, or the folder itself.
    ///
    /// # Errors
    ///
    /// When the settings cannot be read.
    pub fn open(folder: &Path, command: impl Into<String>) -> io::Result<Self> {
        let root = folder.ancestors().find(|folder| folder.join(SETTINGS).is_file());
        let mut workspace = Self::new(root.unwrap_or(folder), command);
        if root.is_some() {
            let text = std::fs::read_to_string(workspace.root.join(SETTINGS))?;
            workspace.layout =
                toml::from_str(&text).map_err(|error| io::Error::other(format!("{SETTINGS}: {error}")))?;
        }
        Ok(workspace)
    }

    /// Where the specifications are, relative to the root.
    #[must_use]
    pub fn specs(&self) -> &Path {
        &self.layout.specs
    }

    /// Where each provider says what it does, by its id, as far as `finrail.toml` says it.
    #[must_use]
    pub fn sources(&self) -> &BTreeMap<String, Addresses> {
        &self.layout.sources
    }

    /// Where pages and outlines are, relative to the root, each with the extension of its files.
    #[must_use]
    pub fn made(&self) -> [(PathBuf, &'static str); 3] {
        [
            (self.layout.specs.join("bundled"), "json"),
            (self.layout.pages.clone(), "md"),
            (self.layout.outlines.clone(), "txt"),
        ]
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
    /// When the specifications cannot be listed.
    pub fn providers(&self) -> io::Result<Vec<String>> {
        let folder = self.root.join(&self.layout.specs);
        let listed = std::fs::read_dir(&folder).map_err(|error| {
            let what = format!(
                "{}: {error}; specifications are looked for there, or where `{SETTINGS}` says",
                self.layout.specs.display()
            );
            io::Error::new(error.kind(), what)
        })?;
        let mut found = Vec::new();
        for entry in listed {
            let entry = entry?;
            // What a run left unfinished begins with a dot.
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            let path = entry.path();
            let is_written = path.extension().is_some_and(|extension| extension == "yaml");
            if is_written || path.join(OVERLAY).is_file() {
                found.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// What a provider's bundle is made of.
    #[must_use]
    pub fn source(&self, provider: &str) -> Source {
        let folder = self.layout.specs.join(provider);
        match self.root.join(&folder).join(OVERLAY).is_file() {
            true => Source::Imported(folder),
            false => Source::Written(self.layout.specs.join(format!("{provider}.yaml"))),
        }
    }

    /// Where a person changes what is said of a provider, relative to the root.
    #[must_use]
    pub fn edited(&self, provider: &str) -> PathBuf {
        match self.source(provider) {
            Source::Imported(folder) => folder.join(OVERLAY),
            Source::Written(file) => file,
        }
    }

    /// A provider's bundle, relative to the root.
    #[must_use]
    pub fn bundle(&self, provider: &str) -> PathBuf {
        match self.source(provider) {
            Source::Imported(folder) => folder.join(BUNDLE),
            Source::Written(_) => self.layout.specs.join("bundled").join(format!("{provider}.json")),
        }
    }

    /// The module of a provider's client, as the outline calls it.
    #[must_use]
    pub fn module(&self, provider: &str) -> String {
        match self.source(provider) {
            Source::Imported(_) => provider.to_owned(),
            Source::Written(_) => format!("finrail::{provider}"),
        }
    }

    /// A provider's page for people, relative to the root.
    #[must_use]
    pub fn page(&self, provider: &str) -> PathBuf {
        self.layout.pages.join(format!("{provider}.md"))
    }

    /// The outline of a provider's public Rust surface, relative to the root.
    #[must_use]
    pub fn outline(&self, provider: &str) -> PathBuf {
        self.layout.outlines.join(format!("{provider}.txt"))
    }

    /// What is recorded of the evidence with which a provider was compared, relative to the root.
    #[must_use]
    pub fn facts(&self, name: &str) -> PathBuf {
        self.layout.specs.join("facts").join(format!("{name}.json"))
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
