//! From a hand-written document to the bundle that `build.rs` reads.

use serde_json::{Map, Value, json};

use crate::grammar::{self, Kind};
use crate::model::METHODS;
use crate::reference::{component_name, deref};

/// Adds those of the shared OAuth schemas that a document refers to.
#[must_use]
pub fn with_shared_schemas(document: &Value, shared: &Map<String, Value>) -> Value {
    let mut wanted = Vec::new();
    grammar::walk(document, &mut |_, _, object| {
        if let Some(name) = object
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| component_name(reference, "schemas"))
        {
            wanted.push(name);
        }
    });
    let mut document = document.clone();
    let Some(root) = document.as_object_mut() else {
        return document;
    };
    for (name, schema) in shared {
        if wanted.contains(&name.as_str()) {
            let components = root.entry("components").or_insert_with(|| json!({}));
            if let Some(components) = components.as_object_mut() {
                let schemas = components.entry("schemas").or_insert_with(|| json!({}));
                if let Some(schemas) = schemas.as_object_mut() {
                    schemas.entry(name.clone()).or_insert_with(|| schema.clone());
                }
            }
        }
    }
    document
}

/// The bundle of a valid document: shared schemas in, references to everything
/// but schemas resolved, keys in one order, a newline at the end. It says that
/// `command` made it from `source`.
#[must_use]
pub fn bundle(document: &Value, shared: &Map<String, Value>, source: &str, command: &str) -> String {
    let document = with_shared_schemas(document, shared);
    let document = grammar::canonical(&stamped(resolved(&document), source, command));
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// Everything but schemas and security schemes in its place; path parameters with their operations.
#[must_use]
pub fn resolved(document: &Value) -> Value {
    let mut resolved = grammar::rebuild(document, &mut |kind, object| match kind {
        Kind::Parameter | Kind::RequestBody | Kind::Response | Kind::Header | Kind::Example => {
            resolve(document, kind, object)
        }
        Kind::PathItem => Value::Object(spread_parameters(object)),
        _ => Value::Object(object),
    });
    if let Some(components) = resolved.get_mut("components").and_then(Value::as_object_mut) {
        components.retain(|section, _| matches!(section.as_str(), "securitySchemes" | "schemas"));
    }
    resolved
}

fn resolve(document: &Value, kind: Kind, object: Map<String, Value>) -> Value {
    let object = Value::Object(object);
    if object.get("$ref").is_none() {
        return object;
    }
    match deref(document, &object) {
        // What a component refers to in turn is resolved too.
        Some(target) => grammar::rebuild_one(kind, target, &mut |kind, object| match kind {
            Kind::Header | Kind::Example if object.contains_key("$ref") => resolve(document, kind, object),
            _ => Value::Object(object),
        }),
        None => object,
    }
}

/// Parameters of a path item belong to each of its operations (OpenAPI 3.0.3, Path Item Object).
fn spread_parameters(mut item: Map<String, Value>) -> Map<String, Value> {
    let Some(Value::Array(shared)) = item.shift_remove("parameters") else {
        return item;
    };
    let key = |parameter: &Value| (parameter.get("name").cloned(), parameter.get("in").cloned());
    for method in METHODS {
        let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) else {
            continue;
        };
        let own = match operation.get("parameters") {
            Some(Value::Array(own)) => own.clone(),
            _ => Vec::new(),
        };
        let inherited = shared
            .iter()
            .filter(|parameter| !own.iter().any(|mine| key(mine) == key(parameter)));
        let all: Vec<Value> = inherited.cloned().chain(own.iter().cloned()).collect();
        operation.insert("parameters".to_owned(), Value::Array(all));
    }
    item
}

fn stamped(mut document: Value, source: &str, command: &str) -> Value {
    if let Some(root) = document.as_object_mut() {
        root.insert(
            "x-generated".to_owned(),
            Value::String(format!("from {source} by `{command} regen`; not edited by hand")),
        );
    }
    document
}
