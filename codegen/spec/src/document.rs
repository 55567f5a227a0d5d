//! A hand-written specification as it was read: its value, and where each part of it stands in the file.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::model::METHODS;
use crate::operations::{OperationObject, operations};
use crate::pointer::keys;
use crate::problem::Problem;
use crate::yaml::{self, Position, Positions, nearest};

/// A specification with its places.
#[derive(Clone, Debug)]
pub struct Document {
    /// The file, relative to the workspace.
    pub path: PathBuf,
    /// The file's name without extension: the provider.
    pub provider: String,
    /// The whole document.
    pub value: Value,
    positions: Positions,
}

impl Document {
    /// Reads a document from its text.
    ///
    /// # Errors
    ///
    /// What stands in the way, with its line and column.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Box<Problem>> {
        let provider = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match yaml::parse(text) {
            Ok((value, positions)) => Ok(Self {
                path: path.to_owned(),
                provider,
                value,
                positions,
            }),
            Err(error) => Err(Box::new(Problem {
                rule: "yaml",
                path: path.to_owned(),
                position: Some(error.position),
                place: String::new(),
                message: error.message,
                fix: "correct the YAML".to_owned(),
            })),
        }
    }

    /// A problem at a place of this document.
    pub fn problem(
        &self,
        rule: &'static str,
        pointer: &str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Problem {
        Problem {
            rule,
            path: self.path.clone(),
            position: self.position(pointer),
            place: self.describe(pointer),
            message: message.into(),
            fix: fix.into(),
        }
    }

    /// Where a value stands; for one that is not there, where the nearest value around it stands.
    #[must_use]
    pub fn position(&self, pointer: &str) -> Option<Position> {
        nearest(&self.positions, pointer)
    }

    /// The value at a JSON pointer.
    #[must_use]
    pub fn get(&self, pointer: &str) -> Option<&Value> {
        self.value.pointer(pointer)
    }

    /// The operations with their pointers, in the order of the document.
    #[must_use]
    pub fn operations(&self) -> Vec<OperationObject<'_>> {
        operations(&self.value)
    }

    /// A pointer in words: `POST /oauth/token create_token, responses, 200`.
    fn describe(&self, pointer: &str) -> String {
        let tokens = keys(pointer);
        match tokens.as_slice() {
            [paths, path, method, rest @ ..] if paths == "paths" && METHODS.contains(&method.as_str()) => {
                let mut words = vec![format!("{} {path}", method.to_uppercase())];
                words.extend(rest.iter().cloned());
                words.join(" > ")
            }
            _ => tokens.join(" > "),
        }
    }
}
