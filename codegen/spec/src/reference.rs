//! Where a `$ref` of a document held as `serde_json::Value` leads.

use serde_json::Value;

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
