//! The rules of specs/README.md that no schema can say.

mod content;
mod found;
mod oauth;
mod operation;
mod root;
mod schema;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use self::found::Rules;
use crate::document::Document;
use crate::grammar;
use crate::meant::did_you_mean;
use crate::pointer::join;
use crate::problem::Problem;
use crate::reference::{component_name, pointer_of};

/// Every rule on one document. `with_shared` is the document with those of the `shared` schemas that it refers to.
#[must_use]
pub fn check(document: &Document, with_shared: &Value, shared: &Map<String, Value>) -> Vec<Problem> {
    let mut rules = Rules {
        document,
        root: with_shared,
        shared,
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
    rules.schema_days();
    rules.revisions();
    rules.replies();
    rules.oauth();
    rules.unused_components();
    rules.problems
}

impl Rules<'_> {
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
                    format!(
                        "`{reference}` does not exist{}",
                        self.near_component(section, reference)
                    ),
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

    /// The component that a reference was meant to name.
    fn near_component(&self, section: &str, reference: &str) -> String {
        let name = component_name(reference, section).unwrap_or_default();
        did_you_mean(name, self.names(&join("/components", section)))
    }

    /// The day of each provenance of a schema.
    fn schema_days(&mut self) {
        let mut found = Vec::new();
        grammar::walk(&self.document.value, &mut |kind, pointer, object| {
            if kind == grammar::Kind::Schema
                && let Some(provenance) = object.get("x-provenance")
            {
                found.push((join(pointer, "x-provenance"), provenance.clone()));
            }
        });
        for (at, provenance) in found {
            self.checked(&at, &provenance);
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
