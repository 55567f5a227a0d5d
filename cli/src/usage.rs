//! Which operations a schema, and with it a Rust type, is part of.

use std::collections::{BTreeMap, BTreeSet};

use finrail_spec::operations::operations;
use finrail_spec::reference::component_name;
use serde_json::Value;

/// Schema name to the operations that reach it.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// By schema name: operations whose request reaches it.
    requests: BTreeMap<String, BTreeSet<String>>,
    /// By schema name: operations whose replies reach it.
    replies: BTreeMap<String, BTreeSet<String>>,
}

impl Usage {
    /// Follows every reference of a bundle.
    #[must_use]
    pub fn of(bundle: &Value) -> Self {
        let mut usage = Self::default();
        for operation in operations(bundle) {
            for (part, into) in [("requestBody", true), ("parameters", true), ("responses", false)] {
                let mut reached = BTreeSet::new();
                if let Some(part) = operation.value.get(part) {
                    reach(bundle, part, &mut reached);
                }
                let map = if into { &mut usage.requests } else { &mut usage.replies };
                for name in reached {
                    map.entry(name).or_default().insert(operation.id().to_owned());
                }
            }
        }
        usage
    }

    /// Whether a request carries the schema.
    #[must_use]
    pub fn in_requests(&self, schema: &str) -> bool {
        self.requests.contains_key(schema)
    }

    /// Whether a reply carries the schema.
    #[must_use]
    pub fn in_replies(&self, schema: &str) -> bool {
        self.replies.contains_key(schema)
    }

    /// The operations that a schema is part of.
    #[must_use]
    pub fn operations(&self, schema: &str) -> BTreeSet<&str> {
        [&self.requests, &self.replies]
            .into_iter()
            .filter_map(|map| map.get(schema))
            .flatten()
            .map(String::as_str)
            .collect()
    }

    /// The operations behind a path of an outline: `types::Account.id`, `builder::ListAccounts::limit`.
    #[must_use]
    pub fn of_path(&self, path: &str) -> BTreeSet<&str> {
        let known: BTreeSet<&str> = self
            .requests
            .keys()
            .chain(self.replies.keys())
            .map(String::as_str)
            .collect();
        let all: BTreeSet<&str> = [&self.requests, &self.replies]
            .into_iter()
            .flat_map(BTreeMap::values)
            .flatten()
            .map(String::as_str)
            .collect();
        let mut parts = path.split("::").flat_map(|part| part.split('.'));
        while let Some(part) = parts.next() {
            match part {
                "types" => {
                    let name = parts.next().unwrap_or_default();
                    // A type without a name of its own is called after the one around it.
                    let schema = known
                        .iter()
                        .filter(|schema| name.starts_with(**schema))
                        .max_by_key(|it| it.len());
                    return schema.map(|schema| self.operations(schema)).unwrap_or_default();
                }
                "builder" | "Client" => {
                    let name = snake_case(parts.next().unwrap_or_default());
                    return all.into_iter().filter(|operation| *operation == name).collect();
                }
                _ => {}
            }
        }
        BTreeSet::new()
    }
}

fn reach(bundle: &Value, value: &Value, reached: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str)
                && let Some(name) = component_name(reference, "schemas")
                && reached.insert(name.to_owned())
                && let Some(schema) = bundle.pointer(&format!("/components/schemas/{name}"))
            {
                reach(bundle, schema, reached);
            }
            for (key, value) in object {
                if key != "example" && key != "examples" {
                    reach(bundle, value, reached);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| reach(bundle, item, reached)),
        _ => {}
    }
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (index, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
