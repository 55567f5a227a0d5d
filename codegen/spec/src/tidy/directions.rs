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
        let schemas: BTreeMap<&str, &Json> = named.iter().map(|(name, schema)| (name.as_str(), schema)).collect();
        // What a named schema leads to, one step far.
        let leads: BTreeMap<&str, Names> = named
            .iter()
            .map(|(name, schema)| {
                let pointer = join("/components/schemas", name);
                (name.as_str(), names_in(schema, &pointer, &schemas))
            })
            .collect();
        let (mut sent, mut received) = (Names::default(), Names::default());
        rebuilt(Kind::Document, root, "", &mut |kind, object, pointer| {
            if kind == Kind::Components {
                return Some(Json::Null);
            }
            if kind != Kind::Schema {
                return None;
            }
            let (is_sent, is_received) = of_place(pointer);
            let names = names_in(object, pointer, &schemas);
            if is_sent {
                sent.extend(&names);
            }
            if is_received {
                received.extend(&names);
            }
            Some(Json::Null)
        });
        for all in [&mut sent, &mut received] {
            let mut queue: Vec<String> = all.values.union(&all.parts).cloned().collect();
            while let Some(name) = queue.pop() {
                if let Some(further) = leads.get(name.as_str()) {
                    queue.extend(all.extend(further));
                }
            }
        }
        Self {
            sent: sent.values,
            received: received.values,
        }
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

/// Names of schemas that something leads to.
#[derive(Default)]
struct Names {
    /// Those of which there are values.
    values: BTreeSet<String>,
    /// Those that are written out in what is made of them: what they lead to has values, and they have none.
    parts: BTreeSet<String>,
}

impl Names {
    /// Adds others, and says which are new.
    fn extend(&mut self, more: &Self) -> Vec<String> {
        let mut new = Vec::new();
        for (all, more) in [(&mut self.values, &more.values), (&mut self.parts, &more.parts)] {
            new.extend(more.iter().filter(|name| all.insert((*name).clone())).cloned());
        }
        new
    }
}

fn names_in(schema: &Json, pointer: &str, schemas: &BTreeMap<&str, &Json>) -> Names {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    rebuilt(Kind::Schema, schema, pointer, &mut |_, object, _| {
        if let Some(name) = reference(object) {
            *counted.entry(name.to_owned()).or_default() += 1;
        }
        None
    });
    let mut parts = BTreeSet::new();
    for part in parts_of(schema, schemas) {
        // It has values where something else in the schema leads to it too.
        if let Some(count) = counted.get_mut(part) {
            *count = count.saturating_sub(1);
        }
        parts.insert(part.to_owned());
    }
    counted.retain(|_, count| *count > 0);
    Names {
        values: counted.into_keys().collect(),
        parts,
    }
}

/// The members of an `allOf` that become one schema with the others.
fn parts_of<'s>(schema: &'s Json, schemas: &BTreeMap<&str, &'s Json>) -> impl Iterator<Item = &'s str> {
    let has_kinds = |schema: &Json| {
        ["oneOf", "anyOf", "discriminator"]
            .iter()
            .any(|word| schema.get(word).is_some())
    };
    let members = schema.get("allOf").map(Json::items).unwrap_or_default();
    // One alone, with words about it, stays a reference.
    let is_one = members.len() < 2 && schema.get("properties").is_none();
    let named = members.iter().filter_map(reference);
    let is_plain = !is_one && !has_kinds(schema) && !members.iter().any(has_kinds);
    let all_plain = is_plain
        && named
            .clone()
            .all(|name| schemas.get(name).is_some_and(|target| !has_kinds(target)));
    named.filter(move |_| all_plain)
}
