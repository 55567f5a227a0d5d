//! Which way the values of a schema go: to the provider, from it, or both.

use std::collections::{BTreeMap, BTreeSet};

use crate::grammar::Kind;
use crate::json::Json;
use crate::pointer::{join, keys};
use crate::rebuild::rebuilt;
use crate::references::schema_name as reference;

/// Named schemas that are sent and received. What nothing refers to is neither.
pub(super) struct Directions {
    sent: BTreeSet<String>,
    received: BTreeSet<String>,
}

impl Directions {
    pub fn of(root: &Json) -> Self {
        let named = root
            .pointer("/components/schemas")
            .map(Json::members)
            .unwrap_or_default();
        // The names that a named schema leads to, one step far.
        let leads: BTreeMap<&str, BTreeSet<String>> = named
            .iter()
            .map(|(name, schema)| (name.as_str(), names_in(schema, &join("/components/schemas", name))))
            .collect();
        let (mut sent, mut received) = (BTreeSet::new(), BTreeSet::new());
        rebuilt(Kind::Document, root, "", &mut |kind, object, pointer| {
            if kind == Kind::Components {
                return Some(Json::Null);
            }
            if kind != Kind::Schema {
                return None;
            }
            let (is_sent, is_received) = of_place(pointer);
            let names = names_in(object, pointer);
            if is_sent {
                sent.extend(names.iter().cloned());
            }
            if is_received {
                received.extend(names);
            }
            Some(Json::Null)
        });
        for all in [&mut sent, &mut received] {
            let mut queue: Vec<String> = all.iter().cloned().collect();
            while let Some(name) = queue.pop() {
                for further in leads.get(name.as_str()).into_iter().flatten() {
                    if all.insert(further.clone()) {
                        queue.push(further.clone());
                    }
                }
            }
        }
        Self { sent, received }
    }

    /// Whether values of a schema are sent, and whether they are received.
    pub fn of_schema(&self, pointer: &str) -> (bool, bool) {
        match keys(pointer).as_slice() {
            [components, schemas, name, ..] if components == "components" && schemas == "schemas" => {
                (self.sent.contains(name), self.received.contains(name))
            }
            _ => of_place(pointer),
        }
    }
}

/// The same of a schema that stands in an operation.
fn of_place(pointer: &str) -> (bool, bool) {
    let keys = keys(pointer);
    let is_received = keys.iter().any(|key| key == "responses");
    (!is_received, is_received)
}

fn names_in(schema: &Json, pointer: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    rebuilt(Kind::Schema, schema, pointer, &mut |_, object, _| {
        names.extend(reference(object).map(str::to_owned));
        None
    });
    names
}
