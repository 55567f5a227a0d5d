//! A hand-written specification as it was read: its value, and where each part of it stands in the file.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::problem::Problem;
use crate::yaml::{self, Position, Positions};

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
        let mut at = pointer;
        loop {
            if let Some(position) = self.positions.get(at) {
                return Some(*position);
            }
            at = &at[..at.rfind('/')?];
        }
    }

    /// The value at a JSON pointer.
    #[must_use]
    pub fn get(&self, pointer: &str) -> Option<&Value> {
        self.value.pointer(pointer)
    }

    /// The operations with their pointers, in the order of the document.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation<'_>> {
        operations(&self.value)
    }

    /// A pointer in words: `POST /oauth/token create_token, responses, 200`.
    fn describe(&self, pointer: &str) -> String {
        let tokens: Vec<String> = pointer.split('/').skip(1).map(unescape).collect();
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

/// The methods that OpenAPI knows.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// One operation of a document.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'d> {
    /// The path template.
    pub path: &'d str,
    /// The method in lower case.
    pub method: &'static str,
    /// The path item around it.
    pub item: &'d Map<String, Value>,
    /// The operation object.
    pub value: &'d Map<String, Value>,
}

impl Operation<'_> {
    /// JSON pointer to the operation object.
    #[must_use]
    pub fn pointer(&self) -> String {
        yaml::join(&yaml::join("/paths", self.path), self.method)
    }

    /// `operationId`, or an empty text.
    #[must_use]
    pub fn id(&self) -> &str {
        self.value
            .get("operationId")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// The operations of a document, in its order.
#[must_use]
pub fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document.get("paths").and_then(Value::as_object);
    let mut found = Vec::new();
    for (path, item) in paths.into_iter().flatten() {
        let Some(item) = item.as_object() else { continue };
        for (key, value) in item {
            let method = METHODS.into_iter().find(|method| method == key);
            if let (Some(method), Some(value)) = (method, value.as_object()) {
                found.push(Operation {
                    path,
                    method,
                    item,
                    value,
                });
            }
        }
    }
    found
}

/// Follows `$ref`s inside a document until a value that is none.
#[must_use]
pub fn deref<'d>(document: &'d Value, mut value: &'d Value) -> Option<&'d Value> {
    // A chain longer than this is a cycle.
    for _ in 0..32 {
        match value.get("$ref").and_then(Value::as_str) {
            None => return Some(value),
            Some(reference) => value = document.pointer(&pointer_of(reference)?)?,
        }
    }
    None
}

/// The JSON pointer of a local reference.
#[must_use]
pub fn pointer_of(reference: &str) -> Option<String> {
    let pointer = reference.strip_prefix('#')?;
    (pointer.is_empty() || pointer.starts_with('/')).then(|| pointer.replace("%7B", "{").replace("%7D", "}"))
}

/// The last token of a reference to a component.
#[must_use]
pub fn component_name<'r>(reference: &'r str, section: &str) -> Option<&'r str> {
    reference
        .strip_prefix("#/components/")?
        .strip_prefix(section)?
        .strip_prefix('/')
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}
