//! What a document must be to be compared, and OpenAPI 3.1 in the words of 3.0.

use serde_json::{Map, Value, json};

/// A document of any OpenAPI 3 in the words of 3.0: `null` among the types is `nullable`, a constant is an enum of one.
///
/// # Errors
///
/// What is no OpenAPI 3 document, in words.
pub(super) fn as_3_0(document: &Value) -> Result<Value, String> {
    if let Some(version) = document.get("swagger") {
        return Err(format!("this is Swagger {version}: convert it to OpenAPI 3"));
    }
    let version = document.get("openapi").and_then(Value::as_str).unwrap_or_default();
    if !version.starts_with("3.") {
        return Err("there is no `openapi: 3...`: not an OpenAPI 3 document".to_owned());
    }
    if document
        .get("paths")
        .and_then(Value::as_object)
        .is_none_or(Map::is_empty)
    {
        return Err("there are no `paths`: nothing to compare with".to_owned());
    }
    Ok(rewritten(document))
}

fn rewritten(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(rewritten).collect(),
        Value::Object(object) => {
            let mut object: Map<String, Value> = object
                .iter()
                .map(|(key, value)| (key.clone(), rewritten(value)))
                .collect();
            types(&mut object);
            nullable_alternative(&mut object);
            if let Some(constant) = object.get("const").filter(|it| it.is_string()).cloned() {
                object.shift_remove("const");
                object.insert("enum".to_owned(), json!([constant]));
            }
            for (bound, limit) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
                if let Some(number) = object.get(bound).filter(|it| it.is_number()).cloned() {
                    object.insert(bound.to_owned(), json!(true));
                    object.insert(limit.to_owned(), number);
                }
            }
            Value::Object(object)
        }
        other => other.clone(),
    }
}

/// `type: [string, "null"]`
fn types(object: &mut Map<String, Value>) {
    let Some(Value::Array(listed)) = object.get("type") else {
        return;
    };
    let words: Option<Vec<&str>> = listed.iter().map(Value::as_str).collect();
    let Some(words) = words else { return };
    let mut kinds: Vec<String> = words
        .iter()
        .filter(|word| **word != "null")
        .map(|it| (*it).to_owned())
        .collect();
    kinds.sort();
    let null = kinds.len() < words.len();
    // Several types are told as what they are: no type of 3.0 is one of them.
    object.insert("type".to_owned(), json!(kinds.join(" or ")));
    if null {
        object.insert("nullable".to_owned(), json!(true));
    }
}

/// `anyOf: [$ref, type: "null"]`
fn nullable_alternative(object: &mut Map<String, Value>) {
    for key in ["anyOf", "oneOf"] {
        let Some(Value::Array(parts)) = object.get(key) else {
            continue;
        };
        let is_null = |part: &&Value| {
            part.get("nullable") == Some(&json!(true)) && part.get("type") == Some(&json!(""))
                || part.get("type") == Some(&json!("null"))
        };
        let others: Vec<Value> = parts.iter().filter(|part| !is_null(part)).cloned().collect();
        if parts.len() == 2 && others.len() == 1 {
            object.shift_remove(key);
            object.insert("allOf".to_owned(), Value::Array(others));
            object.insert("nullable".to_owned(), json!(true));
        }
    }
}
