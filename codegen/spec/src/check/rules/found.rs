//! One document under the rules, and what they found.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::document::Document;
use crate::problem::Problem;

/// A document, what it is held against, and what was found.
pub(super) struct Rules<'d> {
    pub document: &'d Document,
    /// The document with the shared schemas that it refers to.
    pub root: &'d Value,
    pub shared: &'d Map<String, Value>,
    pub problems: Vec<Problem>,
}

impl Rules<'_> {
    pub fn add(&mut self, rule: &'static str, pointer: &str, message: impl Into<String>, fix: impl Into<String>) {
        self.problems.push(self.document.problem(rule, pointer, message, fix));
    }

    /// The names of what stands at a place.
    pub fn names(&self, pointer: &str) -> impl Iterator<Item = &str> {
        let named = self.root.pointer(pointer).and_then(Value::as_object);
        named.into_iter().flatten().map(|(name, _)| name.as_str())
    }

    pub fn text(&mut self, rule: &'static str, pointer: &str, object: &Map<String, Value>, key: &str) {
        let text = object.get(key).and_then(Value::as_str).unwrap_or_default();
        if text.trim().is_empty() {
            self.add(
                rule,
                pointer,
                format!("there is no `{key}`"),
                format!("write a `{key}` in our own words"),
            );
        }
    }
}

/// The scopes of all flows of a security scheme.
pub(super) fn scopes_of(scheme: &Value) -> BTreeSet<&str> {
    scheme
        .get("flows")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(_, flow)| flow.get("scopes").and_then(Value::as_object))
        .flat_map(|scopes| scopes.keys().map(String::as_str))
        .collect()
}

/// The pointer to what is around a place.
pub(super) fn parent(pointer: &str) -> String {
    pointer.rfind('/').map_or("", |at| &pointer[..at]).to_owned()
}
