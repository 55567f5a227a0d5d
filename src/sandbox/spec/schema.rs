//! OpenAPI 3.0 schemas as JSON Schema, and values checked against them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use finrail_spec::json::Json;
use finrail_spec::pointer::token;
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::{Spec, SpecError};

/// Schemas of one provider. All are compiled together at the start, and each by itself when it is first needed.
pub(in crate::sandbox) struct Schemas {
    components: Value,
    compiled: Mutex<HashMap<String, Option<Arc<Validator>>>>,
}

impl Schemas {
    /// Takes over the schemas of a specification. One that cannot be compiled checks nothing: no such
    /// specification is played.
    pub(in crate::sandbox) fn new(spec: &Spec) -> Result<Self, SpecError> {
        let named = spec
            .document
            .schemas()
            .iter()
            .map(|(name, schema)| (name.clone(), convert(schema)));
        let all = Self {
            components: json!({ "schemas": Value::Object(named.collect()) }),
            compiled: Mutex::default(),
        };
        let references = spec
            .document
            .schemas()
            .iter()
            .map(|(name, _)| json!({ "$ref": format!("#/components/schemas/{}", token(name)) }));
        let inline = spec
            .operations
            .iter()
            .flat_map(|operation| operation.schemas())
            .map(convert);
        all.compile(references.chain(inline).collect())
            .map_err(|why| SpecError::new(spec.id(), format!("a schema cannot be compiled: {why}")))?;
        Ok(all)
    }

    /// Whether a value fits; if not, where and why. The text names no value.
    pub(in crate::sandbox) fn check(&self, schema: &Json, value: &Json) -> Result<(), String> {
        let Some(validator) = self.validator(schema) else {
            return Err("the schema cannot be compiled".to_owned());
        };
        let value = value.to_value();
        match validator.validate(&value) {
            Ok(()) => Ok(()),
            Err(error) => {
                let place = error.instance_path().to_string();
                Err(match place.as_str() {
                    "" => error.masked().to_string(),
                    _ => format!("{place}: {}", error.masked()),
                })
            }
        }
    }

    /// Whether a value fits.
    pub(in crate::sandbox) fn fits(&self, schema: &Json, value: &Json) -> bool {
        self.check(schema, value).is_ok()
    }

    fn validator(&self, schema: &Json) -> Option<Arc<Validator>> {
        let key = schema.to_string();
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        compiled
            .entry(key)
            .or_insert_with(|| self.compile(vec![convert(schema)]).ok().map(Arc::new))
            .clone()
    }

    /// One validator for all of these.
    fn compile(&self, schemas: Vec<Value>) -> Result<Validator, String> {
        let document = json!({ "allOf": schemas, "components": self.components });
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(true)
            .with_format("decimal", is_decimal)
            .offline()
            .build(&document)
            .map_err(|error| error.to_string())
    }
}

/// A schema in the words of JSON Schema 2020-12.
fn convert(schema: &Json) -> Value {
    let mut out = Map::new();
    // What a value has to be is said by the kind that one of its fields names.
    let tag = schema.get("x-tag").and_then(Json::as_str);
    let lenient = schema.get("x-lenient").and_then(Json::as_str);
    for (keyword, value) in schema.members() {
        match keyword.as_str() {
            "properties" if tag.is_some() => {
                let tag = tag.unwrap_or_default();
                let kinds = value.members().iter().map(|(kind, member)| {
                    let is_it = json!({ "properties": { tag: { "const": kind } }, "required": [tag] });
                    json!({ "if": is_it, "then": convert(member) })
                });
                out.insert("allOf".to_owned(), kinds.collect());
            }
            "properties" | "patternProperties" => {
                let properties = value.members().iter().map(|(name, s)| (name.clone(), convert(s)));
                out.insert(keyword.clone(), Value::Object(properties.collect()));
            }
            "items" | "not" => {
                out.insert(keyword.clone(), convert(value));
            }
            "additionalProperties" => {
                out.insert(
                    keyword.clone(),
                    match value {
                        Json::Bool(b) => Value::Bool(*b),
                        _ => convert(value),
                    },
                );
            }
            "allOf" | "anyOf" | "oneOf" => {
                out.insert(keyword.clone(), value.items().iter().map(convert).collect());
            }
            "exclusiveMinimum" | "exclusiveMaximum" if value.as_bool().is_some() => {
                let bound = if keyword == "exclusiveMinimum" {
                    "minimum"
                } else {
                    "maximum"
                };
                if let (Some(true), Some(limit)) = (value.as_bool(), schema.get(bound)) {
                    out.insert(keyword.clone(), limit.to_value());
                }
            }
            "$ref" | "type" | "enum" | "format" | "required" | "minimum" | "maximum" | "minLength" | "maxLength"
            | "pattern" | "minItems" | "maxItems" | "uniqueItems" | "multipleOf" | "minProperties"
            | "maxProperties" => {
                out.insert(keyword.clone(), value.to_value());
            }
            _ => {}
        }
    }
    let out = match lenient {
        None => Value::Object(out),
        Some(form) => loosen(form, out),
    };
    if schema.get("nullable").and_then(Json::as_bool) == Some(true) {
        json!({ "anyOf": [{ "type": "null" }, out] })
    } else {
        out
    }
}

/// `x-lenient`: every form in which the value is read is a form in which it may be sent.
fn loosen(form: &str, mut schema: Map<String, Value>) -> Value {
    match form {
        "boolean" => json!({ "enum": [true, false, 0, 1, "0", "1", "true", "false", "Y", "N", "y", "n", ""] }),
        "string" => {
            schema.remove("type");
            schema.remove("format");
            json!({ "allOf": [{ "type": ["string", "number", "boolean"] }, schema] })
        }
        "date-time" => {
            schema.remove("format");
            Value::Object(schema)
        }
        "array" => json!({ "anyOf": [schema, { "type": ["object", "array"] }] }),
        _ => Value::Object(schema),
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole) && all_digits(fraction)
}
