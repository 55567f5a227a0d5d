//! A small bank's bundle, and changes to it.
#![allow(dead_code, clippy::unwrap_used)]

use finrail_codegen::{Errors, Options, generate};
use serde_json::Value;

/// The bundle that nothing is wrong with.
pub fn small() -> Value {
    serde_json::from_str(include_str!("../specs/small.json")).unwrap()
}

/// The small bank with a merge patch (RFC 7386) on it, as the text of a bundle.
pub fn patched(patch: &Value) -> String {
    let mut bundle = small();
    merge(&mut bundle, patch);
    serde_json::to_string_pretty(&bundle).unwrap()
}

/// What becomes of a bundle's text.
pub fn client(bundle: &str) -> Result<String, Errors> {
    generate(
        "bank.json",
        bundle,
        &Options {
            module: Some("bank".to_owned()),
        },
    )
}

fn merge(target: &mut Value, patch: &Value) {
    let Some(changes) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let members = target.as_object_mut().unwrap();
    for (key, change) in changes {
        if change.is_null() {
            members.shift_remove(key);
        } else {
            merge(members.entry(key.clone()).or_insert(Value::Null), change);
        }
    }
}

/// `{"paths": {"/accounts": {"get": ..}}}`
pub fn list(change: Value) -> Value {
    serde_json::json!({ "paths": { "/accounts": { "get": change } } })
}

/// A change of the call that has a body.
pub fn pay(change: Value) -> Value {
    serde_json::json!({ "paths": { "/payments": { "post": change } } })
}

/// Named schemas, added or changed.
pub fn schemas(change: Value) -> Value {
    serde_json::json!({ "components": { "schemas": change } })
}

/// The properties of the schema `Payment`.
pub fn payment(properties: Value) -> Value {
    schemas(serde_json::json!({ "Payment": { "properties": properties } }))
}

/// A change of `x-oauth`.
pub fn oauth(change: Value) -> Value {
    serde_json::json!({ "components": { "securitySchemes": { "oauth": { "x-oauth": change } } } })
}
