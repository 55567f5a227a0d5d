//! The OAuth schemas that all providers share, made from the Rust types that read and write them.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value};

use finrail::oauth::wire::{OAuthError, RevocationRequest, TokenRequest, TokenResponse};

/// Name and OpenAPI 3.0 schema of each shared type, by name.
#[must_use]
pub fn shared_schemas() -> Map<String, Value> {
    [
        ("OAuthError", schema::<OAuthError>()),
        ("RevocationRequest", schema::<RevocationRequest>()),
        ("TokenRequest", schema::<TokenRequest>()),
        ("TokenResponse", schema::<TokenResponse>()),
    ]
    .into_iter()
    .map(|(name, schema)| (name.to_owned(), schema))
    .collect()
}

fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::openapi3().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
    });
    let mut schema = SchemaGenerator::from(settings).into_root_schema_for::<T>().to_value();
    if let Some(object) = schema.as_object_mut() {
        // The name is the key under `components.schemas`.
        object.remove("title");
        // What is kept beside the described fields is news, as everywhere in a specification.
        if let Some(rest) = object.get_mut("additionalProperties") {
            *rest = Value::Object(Map::new());
        }
    }
    unwrap_lines(&mut schema);
    schema
}

/// Descriptions come from doc comments, whose line breaks mean nothing.
fn unwrap_lines(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                match value {
                    Value::String(text) if key == "description" => {
                        let first = text.split("\n\n").next().unwrap_or_default();
                        *text = first.replace('\n', " ");
                    }
                    other => unwrap_lines(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(unwrap_lines),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_sandbox_has_the_same_for_documents_without_them() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/sandbox/spec/shared.json");
        let kept: Map<String, Value> = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!(kept, shared_schemas(), "write what is on the right into {file}");
    }

    #[test]
    fn optional_fields_are_nullable_and_secrets_are_passwords() {
        let schemas = shared_schemas();
        let reply = &schemas["TokenResponse"];
        assert_eq!(reply["required"], json!(["access_token"]));
        assert_eq!(reply["properties"]["access_token"]["format"], "password");
        assert_eq!(reply["properties"]["refresh_token"]["type"], "string");
        assert_eq!(reply["properties"]["refresh_token"]["format"], "password");
        assert_eq!(reply["properties"]["refresh_token"]["nullable"], true);
        assert_eq!(reply["properties"]["expires_in"]["type"], "integer");
        let text = serde_json::to_string(&schemas).unwrap_or_default();
        assert!(!text.contains("$schema") && !text.contains("[\"string\""), "{text}");
    }
}
