//! The rules of schemas: names, descriptions, and types that the generator can keep exact.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::found::{Rules, parent};
use crate::grammar::{self, Kind};
use crate::operations::operations;
use crate::pointer::join;
use crate::reference::pointer_of;

impl Rules<'_> {
    pub(super) fn schemas(&mut self) {
        let mut found = Vec::new();
        grammar::walk(&self.document.value, &mut |kind, pointer, object| {
            if kind == Kind::Schema {
                found.push((pointer.to_owned(), object));
            }
        });
        for (at, schema) in found {
            self.schema(&at, schema);
        }
        let named = self.document.get("/components/schemas").and_then(Value::as_object);
        for name in named.into_iter().flatten().map(|(name, _)| name) {
            let at = join("/components/schemas", name);
            if !is_pascal_case(name) {
                self.add(
                    "schema-name",
                    &at,
                    format!("`{name}` is not PascalCase"),
                    "it is the Rust name users see",
                );
            }
            if self.shared.contains_key(name) {
                self.add(
                    "schema-name",
                    &at,
                    format!("`{name}` is the name of a shared OAuth schema"),
                    "remove it (it is added by itself), or choose another name",
                );
            }
        }
    }

    /// No object of a reply loses the fields that are not described. Requests are the caller's, and have none.
    pub(super) fn replies(&mut self) {
        let mut seen = BTreeSet::new();
        for operation in operations(self.root) {
            let responses = join(&operation.pointer(), "responses");
            for response in self.steps(&responses) {
                let content = join(&self.followed(&join(&responses, &response)), "content");
                for media_type in self.steps(&content) {
                    self.reply(&join(&join(&content, &media_type), "schema"), &mut seen);
                }
            }
        }
    }

    fn reply(&mut self, at: &str, seen: &mut BTreeSet<String>) {
        let at = self.followed(at);
        let Some(schema) = self.root.pointer(&at).and_then(Value::as_object) else {
            return;
        };
        if !seen.insert(at.clone()) {
            return;
        }
        let describes = schema
            .get("properties")
            .and_then(Value::as_object)
            .is_some_and(|all| !all.is_empty());
        let names_kinds = ["x-wrapper-key", "x-tag"].iter().any(|key| schema.contains_key(*key));
        if describes && !names_kinds && !schema.contains_key("additionalProperties") {
            self.add(
                "additional-properties",
                &at,
                "a reply has this object, and its fields that are not described would be lost",
                "add `additionalProperties: {}`: they are kept in `extra`",
            );
        }
        for key in ["properties", "allOf", "oneOf", "anyOf"] {
            let at = join(&at, key);
            for name in self.steps(&at) {
                self.reply(&join(&at, &name), seen);
            }
        }
        for key in ["items", "additionalProperties"] {
            self.reply(&join(&at, key), seen);
        }
    }

    /// The members of an object, or the indices of a list.
    fn steps(&self, at: &str) -> Vec<String> {
        match self.root.pointer(at) {
            Some(Value::Object(members)) => members.keys().cloned().collect(),
            Some(Value::Array(items)) => (0..items.len()).map(|index| index.to_string()).collect(),
            _ => Vec::new(),
        }
    }

    /// Where a place leads, whether it refers to another or not.
    fn followed(&self, at: &str) -> String {
        let mut at = at.to_owned();
        // A chain longer than this is a cycle.
        for _ in 0..32 {
            let reference = self
                .root
                .pointer(&at)
                .and_then(|it| it.get("$ref"))
                .and_then(Value::as_str);
            match reference.and_then(pointer_of) {
                Some(target) => at = target,
                None => break,
            }
        }
        at
    }

    fn schema(&mut self, at: &str, schema: &Map<String, Value>) {
        let named_or_property = ["/properties/", "/components/schemas/"]
            .iter()
            .any(|holder| parent(at).ends_with(holder.trim_end_matches('/')));
        if schema.contains_key("$ref") {
            return;
        }
        if named_or_property {
            self.text("description", at, schema, "description");
        }
        if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
            self.add(
                "additional-properties",
                at,
                "the object refuses unknown fields",
                "leave `additionalProperties` out: a provider may add a field",
            );
        }
        let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        if kind == "number" && format != "decimal" {
            self.add(
                "decimal",
                at,
                "a number that would become a float",
                "add `format: decimal`",
            );
        }
        if schema.contains_key("enum") && kind != "string" {
            self.add(
                "enum",
                at,
                "an enum of something other than strings",
                "describe it as `type: string`",
            );
        }
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            let at = join(&join(at, "properties"), name);
            if required.contains(&name.as_str()) && property.get("nullable") == Some(&Value::Bool(true)) {
                self.add(
                    "nullable",
                    &at,
                    format!("`{name}` is required and nullable"),
                    "make it optional: a null then reads as absent",
                );
            }
            let is_text = property.get("type").and_then(Value::as_str) == Some("string");
            if is_text && SECRETS.contains(&name.as_str()) && property.get("format").is_none_or(|it| it != "password") {
                self.add(
                    "secret",
                    &at,
                    format!("`{name}` would be printed"),
                    "add `format: password`",
                );
            }
        }
        let holds_properties = schema.contains_key("properties") || !schema.contains_key("allOf");
        for name in required {
            if holds_properties && properties.is_none_or(|properties| !properties.contains_key(name)) {
                self.add(
                    "required",
                    &join(at, "required"),
                    format!("`{name}` is required and not described"),
                    "describe the property, or correct its name",
                );
            }
        }
        let names_kinds = ["x-wrapper-key", "x-tag"]
            .into_iter()
            .find(|keyword| schema.contains_key(*keyword));
        if let Some(keyword) = names_kinds.filter(|_| properties.is_none_or(Map::is_empty)) {
            self.add(
                "wrapper-key",
                at,
                format!("`{keyword}` on an object without kinds"),
                "list the kinds as properties",
            );
        }
    }
}

/// Names of properties that are secrets by their meaning in OAuth.
const SECRETS: [&str; 9] = [
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "code_verifier",
    "password",
    "registration_access_token",
    "accessToken",
    "refreshToken",
];

fn is_pascal_case(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
}
