//! Every example against its schema, with OpenAPI 3.0's own meaning of a schema.

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Map, Value, json};

use super::said::brief;
use crate::document::Document;
use crate::grammar::{self, Kind};
use crate::pointer::join;
use crate::problem::Problem;
use crate::reference::deref;

/// Schemas of a document, as JSON Schema understands them.
pub struct Schemas {
    registry: Registry<'static>,
}

impl Schemas {
    /// Takes the named schemas of a document that has the shared ones.
    ///
    /// # Errors
    ///
    /// A schema that is none, in words.
    pub fn new(document: &Value) -> Result<Self, String> {
        let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
        let converted: Map<String, Value> = schemas
            .into_iter()
            .flatten()
            .map(|(name, schema)| (name.clone(), json_schema(schema)))
            .collect();
        let resource = json!({ "components": { "schemas": converted } });
        let registry = Registry::new()
            .draft(Draft::Draft4)
            .add("urn:finrail:document", resource)
            .and_then(|registry| registry.prepare())
            .map_err(|error| error.to_string())?;
        Ok(Self { registry })
    }

    /// The validator of one schema of the document.
    ///
    /// # Errors
    ///
    /// A schema that is none, in words.
    pub fn validator(&self, schema: &Value) -> Result<Validator, String> {
        jsonschema::options()
            .with_draft(Draft::Draft4)
            .with_registry(&self.registry)
            .should_validate_formats(true)
            .with_format("decimal", is_decimal)
            .with_format("uuid", is_uuid)
            .build(&json_schema(schema))
            .map_err(|error| error.to_string())
    }
}

/// The examples of a document that do not fit.
#[must_use]
pub fn check(document: &Document, with_shared: &Value) -> Vec<Problem> {
    let schemas = match Schemas::new(with_shared) {
        Ok(schemas) => schemas,
        Err(message) => {
            return vec![document.problem("schema", "/components/schemas", message, "correct the schema")];
        }
    };
    let mut problems = Vec::new();
    grammar::walk(&document.value, &mut |kind, pointer, object| {
        let examples = match kind {
            Kind::Parameter | Kind::Header | Kind::MediaType => {
                let Some(schema) = object.get("schema") else { return };
                (schema, listed(with_shared, pointer, object))
            }
            Kind::Schema => {
                let Some(example) = object.get("example") else { return };
                let Some(schema) = document.get(pointer) else { return };
                (schema, vec![(join(pointer, "example"), example)])
            }
            _ => return,
        };
        let (schema, examples) = examples;
        if examples.is_empty() {
            return;
        }
        let validator = match schemas.validator(schema) {
            Ok(validator) => validator,
            Err(message) => {
                problems.push(document.problem("schema", &join(pointer, "schema"), message, "correct the schema"));
                return;
            }
        };
        for (at, example) in examples {
            for error in validator.iter_errors(example) {
                problems.push(document.problem(
                    "example",
                    &format!("{at}{}", error.instance_path()),
                    format!("the example does not fit its schema: {}", brief(&error)),
                    "correct the example, or the schema if the provider shows this value",
                ));
            }
        }
    });
    problems
}

/// The examples of a media type, parameter or header with their pointers.
fn listed<'d>(document: &'d Value, pointer: &str, object: &'d Map<String, Value>) -> Vec<(String, &'d Value)> {
    let mut found = Vec::new();
    if let Some(example) = object.get("example") {
        found.push((join(pointer, "example"), example));
    }
    for (name, example) in object.get("examples").and_then(Value::as_object).into_iter().flatten() {
        let at = join(&join(pointer, "examples"), name);
        if let Some(value) = deref(document, example).and_then(|example| example.get("value")) {
            let inline = example.get("$ref").is_none();
            found.push((if inline { join(&at, "value") } else { at }, value));
        }
    }
    found
}

/// An OpenAPI 3.0 schema as draft 4, its ancestor: `nullable` becomes a type,
/// references point into the registered document, annotations go.
#[must_use]
pub fn json_schema(schema: &Value) -> Value {
    grammar::rebuild_one(Kind::Schema, schema, &mut |_, mut object| {
        if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
            return json!({ "$ref": format!("urn:finrail:document{reference}") });
        }
        object.retain(|key, _| !key.starts_with("x-") && !ANNOTATIONS.contains(&key.as_str()));
        if object.shift_remove("nullable") == Some(Value::Bool(true)) {
            if let Some(Value::Array(values)) = object.get_mut("enum")
                && !values.contains(&Value::Null)
            {
                values.push(Value::Null);
            }
            match object.get_mut("type") {
                Some(kind) => *kind = json!([kind.take(), "null"]),
                // Strictly, `nullable` without `type` says nothing; everybody means this.
                None => return json!({ "anyOf": [object, { "type": "null" }] }),
            }
        }
        Value::Object(object)
    })
}

const ANNOTATIONS: [&str; 9] = [
    "example",
    "discriminator",
    "xml",
    "externalDocs",
    "deprecated",
    "readOnly",
    "writeOnly",
    "default",
    "title",
];

/// Digits, one point, a sign; no exponent, as amounts are written.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    all_digits(whole) && all_digits(fraction)
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}
