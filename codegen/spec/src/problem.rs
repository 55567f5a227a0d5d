//! What a person must put right before anything can be made from a specification.

use std::path::PathBuf;

use crate::yaml::Position;

/// A problem, where it is, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Stable name of the rule, in kebab-case.
    pub rule: &'static str,
    /// The file, relative to the workspace.
    pub path: PathBuf,
    /// The place in the file, where one is known.
    pub position: Option<Position>,
    /// The place in the document, in words.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: String,
}

impl Problem {
    /// `specs/ofx.yaml:12:3`
    #[must_use]
    pub fn location(&self) -> String {
        match self.position {
            Some(Position { line, column }) => format!("{}:{line}:{column}", self.path.display()),
            None => self.path.display().to_string(),
        }
    }
}
