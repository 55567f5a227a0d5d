//! The rules of specs/README.md that no schema can say.

mod content;
mod oauth;
mod operation;
mod root;
mod schema;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::document::{Document, Operation, component_name, deref, pointer_of};
use crate::grammar;
use crate::problem::Problem;
use crate::yaml::join;

/// Every rule on one document. `with_shared` is the document with the OAuth schemas.
#[must_use]
pub fn check(document: &Document, with_shared: &Value) -> Vec<Problem> {
    let mut rules = Rules {
        document,
        root: with_shared,
        problems: Vec::new(),
    };
    rules.references();
    rules.root();
    rules.servers();
    let mut ids = BTreeMap::new();
    for operation in document.operations() {
        rules.operation(&operation);
        if let Some(first) = ids.insert(operation.id().to_owned(), operation.pointer()) {
            rules.add(
                "operation-id",
                &join(&operation.pointer(), "operationId"),
                format!("`{}` is the id of {first} too", operation.id()),
                "give each operation an id of its own",
            );
        }
    }
    rules.schemas();
    rules.oauth();
    rules.unused_components();
    rules.problems
}

struct Rules<'d> {
    document: &'d Document,
    root: &'d Value,
    problems: Vec<Problem>,
}

impl Rules<'_> {
    fn add(&mut self, rule: &'static str, pointer: &str, message: impl Into<String>, fix: impl Into<String>) {
        self.problems.push(self.document.problem(rule, pointer, message, fix));
    }

    fn text(&mut self, rule: &'static str, pointer: &str, object: &Map<String, Value>, key: &str) {
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

    /// References name something that is there and of the right kind, and stand alone.
    fn references(&mut self) {
        let mut found = Vec::new();
        grammar::walk(&self.document.value, &mut |kind, pointer, object| {
            if let Some(reference) = object.get("$ref") {
                found.push((kind, join(pointer, "$ref"), reference.clone(), object.len()));
            }
        });
        for (kind, at, reference, keys) in found {
            let reference = reference.as_str().unwrap_or_default();
            let section = kind.component_section().unwrap_or_default();
            if component_name(reference, section).is_none() {
                self.add(
                    "reference",
                    &at,
                    format!("`{reference}` is not `#/components/{section}/...`"),
                    "refer to a named component of this document",
                );
            } else if pointer_of(reference).is_none_or(|pointer| self.root.pointer(&pointer).is_none()) {
                self.add(
                    "reference",
                    &at,
                    format!("`{reference}` does not exist"),
                    "correct the name, or add the component",
                );
            }
            if keys > 1 {
                self.add(
                    "reference",
                    &at,
                    "OpenAPI 3.0 ignores what stands beside a `$ref`",
                    "move it to the component, or wrap the reference: `allOf: [$ref: ...]`",
                );
            }
        }
    }

    /// A component that nobody refers to is a type that users see and never meet.
    fn unused_components(&mut self) {
        let mut used = BTreeSet::new();
        grammar::walk(&self.document.value, &mut |_, _, object| {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                used.insert(reference.to_owned());
            }
        });
        for section in [
            "schemas",
            "responses",
            "parameters",
            "requestBodies",
            "headers",
            "examples",
        ] {
            let at = join("/components", section);
            let named = self.document.get(&at).and_then(Value::as_object);
            for name in named.into_iter().flatten().map(|(name, _)| name.clone()) {
                if !used.contains(&format!("#{at}/{name}")) {
                    self.add(
                        "unused",
                        &join(&at, &name),
                        format!("nothing refers to `{name}`"),
                        "use it or remove it",
                    );
                }
            }
        }
    }
}

/// The schema of an operation's success reply.
#[must_use]
pub fn success_schema<'d>(root: &'d Value, operation: &Operation<'d>) -> Option<&'d Value> {
    let responses = operation.value.get("responses").and_then(Value::as_object)?;
    responses
        .iter()
        .filter(|(status, _)| status.starts_with('2'))
        .filter_map(|(_, response)| {
            deref(root, response)?
                .get("content")?
                .as_object()?
                .values()
                .next()?
                .get("schema")
        })
        .next()
}

fn scopes_of(scheme: &Value) -> BTreeSet<&str> {
    scheme
        .get("flows")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(_, flow)| flow.get("scopes").and_then(Value::as_object))
        .flat_map(|scopes| scopes.keys().map(String::as_str))
        .collect()
}

/// The names between braces in a path.
pub fn template_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|part| part.split('}').next())
}

/// Whether a media type is JSON: `application/json`, `application/vnd.mx.api.v1+json`.
#[must_use]
pub fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence == "application/json" || essence.ends_with("+json")
}

fn parent(pointer: &str) -> String {
    pointer.rfind('/').map_or("", |at| &pointer[..at]).to_owned()
}

/// `YYYY-MM-DD`
#[must_use]
pub fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &str, length: usize| part.len() == length && part.chars().all(|c| c.is_ascii_digit());
    matches!(parts.as_slice(), [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2)
        && ("01"..="12").contains(month) && ("01"..="31").contains(day))
}
