//! A workspace of its own for each test, and the tool's text without its times.

#![allow(dead_code, clippy::panic)]

use std::path::{Path, PathBuf};

use finrail_cli::regen;
use finrail_cli::shell::{Outcome, Shell};
use finrail_cli::workspace::Workspace;

/// The made-up provider.
pub const TINY: &str = include_str!("../fixtures/tiny.yaml");

/// A folder with a specification.
pub struct Project {
    root: PathBuf,
}

impl Project {
    /// A new project with the made-up provider.
    pub fn new(test: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        let project = Self { root };
        project.write("specs/tiny.yaml", TINY);
        project
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        }
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        // Evidence is dated by its file.
        let day = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_795_305_600);
        let dated = std::fs::File::options()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_modified(day));
        dated.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    pub fn read(&self, path: &str) -> String {
        let path = self.root.join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Replaces a text that must be there.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no {from:?}");
        self.write(path, &text.replacen(from, to, 1));
    }

    pub fn workspace(&self) -> Workspace {
        Workspace::new(&self.root, "cargo xtask")
    }

    /// `cargo xtask regen`.
    pub fn regen(&self, check: bool) -> (Outcome, String) {
        self.regen_with(&regen::Options {
            check,
            ..regen::Options::default()
        })
    }

    pub fn regen_with(&self, options: &regen::Options) -> (Outcome, String) {
        speak(|shell| regen::run(&self.workspace(), options, shell))
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

/// What a run said, and what it came to.
pub fn speak(run: impl FnOnce(&mut Shell<'_>) -> std::io::Result<Outcome>) -> (Outcome, String) {
    let mut text = Vec::new();
    let outcome = run(&mut Shell::new(&mut text, false)).unwrap_or_else(|error| panic!("{error}"));
    (outcome, without_times(&String::from_utf8_lossy(&text)))
}

/// `in 0.12s` as `in [time]`.
pub fn without_times(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        match line.rfind(" in ") {
            Some(at) if line.trim_start().starts_with("Finished") => lines.push(format!("{} in [time]", &line[..at])),
            _ => lines.push(line.trim_end().to_owned()),
        }
    }
    lines.join("\n") + "\n"
}
