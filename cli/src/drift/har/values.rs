//! Values of a recording against their schemas, as the generated types would read them.

use serde_json::{Map, Value, json};

use super::entry::text;
use super::names::{HIDDEN, shown, shown_word};
use super::seen::Seen;
use crate::drift::finding::Class;

/// Who wrote a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// A client, and the provider took it.
    Request,
    /// The provider, and a client reads it.
    Reply,
    /// The provider, of a call that has failed anyway.
    Failure,
}

impl Side {
    /// What cannot be read of a reply breaks the call; of a failure, only its type is lost.
    fn unread(self) -> Class {
        match self {
            Self::Request => Class::Additive,
            Self::Reply => Class::WireBreaking,
            Self::Failure => Class::SourceBreaking,
        }
    }
}

/// What becomes of a value in the generated type.
enum Reads {
    Well,
    NotTheType,
    /// The type is right, and it does not hold this value.
    NotTheValue,
}

/// Whether the client reads a text as a decimal: digit for digit, or not at all.
pub(super) fn is_decimal(text: &str) -> bool {
    let text = text.trim();
    if text.contains(['e', 'E']) {
        return finrail::Decimal::from_scientific(text).is_ok();
    }
    finrail::Decimal::from_str_exact(text).is_ok()
}

impl Seen<'_> {
    pub(super) fn value(&mut self, schema: &Value, value: &Value, path: &str, side: Side) {
        let schema = self.spec.effective(schema).clone();
        let expected = schema.get("type").and_then(Value::as_str).unwrap_or_default();
        match self.read_as(&schema, value, path) {
            Reads::Well => {}
            Reads::NotTheType => {
                let wanted = if expected.is_empty() { "another form" } else { expected };
                let verb = if side == Side::Request { "sends" } else { "reads" };
                self.add(
                    "type-changed",
                    side.unread(),
                    path,
                    format!("`{path}` is {}", kind(value)),
                    &format!("the client {verb} {wanted}"),
                    "correct the type",
                );
                return;
            }
            Reads::NotTheValue => {
                self.add(
                    "value-outside-schema",
                    side.unread(),
                    path,
                    match schema.get("format").and_then(Value::as_str) {
                        Some("decimal") => format!("`{path}` is {}, and no decimal", kind(value)),
                        format => format!("`{path}` is a number that is no {}", format.unwrap_or("int64")),
                    },
                    "the generated type has no such value",
                    "widen the type or its format",
                );
                return;
            }
        }
        if let Value::String(word) = value {
            self.word(&schema, word, path, side);
        }
        match value {
            Value::Array(items) => {
                let Some(item_schema) = schema.get("items") else { return };
                let lenient = schema.get("x-lenient") == Some(&json!("array"));
                for item in items {
                    // A list in a list is read as one where that is so described.
                    let nested = lenient && item.is_array();
                    let schema = if nested { &schema } else { item_schema };
                    self.value(schema, item, &format!("{path}[]"), side);
                }
            }
            Value::Object(object) if expected == "object" => self.object(&schema, object, path, side),
            Value::Object(_) | Value::Null => {}
            scalar => self.scalar(&schema, scalar, path, side),
        }
    }

    fn read_as(&mut self, schema: &Value, value: &Value, path: &str) -> Reads {
        let expected = schema.get("type").and_then(Value::as_str).unwrap_or_default();
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        let found = kind(value);
        let fits = |fits: bool| if fits { Reads::Well } else { Reads::NotTheType };
        let in_range = |fits: bool| if fits { Reads::Well } else { Reads::NotTheValue };
        let token = self.operation == self.spec.provider.oauth.operations.token;
        // Scope and lifetime of a token reply are read in every form.
        if schema.get("nullable") == Some(&json!(true)) && value.is_null()
            || token && ["reply.scope", "reply.expires_in"].contains(&path)
        {
            return Reads::Well;
        }
        match schema.get("x-lenient").and_then(Value::as_str) {
            Some("string") => return fits(!matches!(found, "object" | "array")),
            Some("boolean") => return fits(!matches!(found, "object" | "array" | "null")),
            Some("object") => return fits(matches!(found, "object" | "string")),
            Some("array") => return fits(matches!(found, "array" | "object" | "null")),
            _ => {}
        }
        if ["oneOf", "anyOf"].iter().any(|key| schema.get(key).is_some()) {
            return fits(self.validators.fits(schema, value));
        }
        match (expected, value) {
            ("", _) => Reads::Well,
            (_, Value::String(text)) if format == "decimal" => in_range(is_decimal(text)),
            (_, Value::Number(number)) if format == "decimal" => in_range(is_decimal(&number.to_string())),
            ("integer", Value::Number(number)) => in_range(
                number
                    .as_i64()
                    .is_some_and(|number| format != "int32" || i32::try_from(number).is_ok()),
            ),
            _ => fits(expected == found || expected == "number" && found == "integer"),
        }
    }

    /// Formats and limits, by the validator that examples go through.
    fn scalar(&mut self, schema: &Value, value: &Value, path: &str, side: Side) {
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        if schema.get("x-lenient").is_some() || format == "decimal" {
            return;
        }
        let mut strict = schema.clone();
        if let Some(object) = strict.as_object_mut() {
            // A list of words is open.
            object.shift_remove("enum");
        }
        if self.validators.fits(&strict, value) {
            return;
        }
        let read = side != Side::Request && ["date", "date-time", "uuid"].contains(&format);
        let (class, effect) = match side {
            Side::Request => (Class::Additive, "the client cannot send such a value"),
            _ if read => (side.unread(), "the client reads the described form, and nothing else"),
            _ => (Class::DocsOnly, "the client reads it"),
        };
        self.add(
            "value-outside-schema",
            class,
            path,
            format!("`{path}` has a value that is not described"),
            effect,
            "widen what is described",
        );
    }

    /// A value of a query or a form, in the type that it is written for.
    pub(super) fn written(&mut self, schema: &Value, text: &str, name: &str) {
        let schema = self.spec.effective(schema).clone();
        let schema = match schema.get("items") {
            Some(items) => self.spec.effective(items).clone(),
            None => schema,
        };
        let value = match schema.get("type").and_then(Value::as_str) {
            Some("integer") => text.parse().ok().map(|number: i64| json!(number)),
            Some("number") => is_decimal(text).then(|| json!(text)),
            Some("boolean") => text.parse().ok().map(|truth: bool| json!(truth)),
            Some("object") => return,
            _ => Some(json!(decoded(text))),
        };
        match value {
            Some(value) => {
                if let Value::String(word) = &value {
                    self.word(&schema, word, name, Side::Request);
                }
                if schema.get("type") != Some(&json!("number")) {
                    self.scalar(&schema, &value, name, Side::Request);
                }
            }
            None => self.add(
                "value-outside-schema",
                Class::Additive,
                name,
                format!("`{name}` was accepted with a value that is not described"),
                "the client cannot send such a value",
                "widen the type",
            ),
        }
    }

    fn object(&mut self, schema: &Value, object: &Map<String, Value>, path: &str, side: Side) {
        let kinds = schema.get("x-wrapper-key") == Some(&json!(true));
        for (name, value) in object {
            let spec = self.spec;
            let described = spec.property(schema, name).or_else(|| spec.aliased(schema, name));
            let hidden = if described.is_some() { name } else { shown(name) };
            let at = format!("{path}.{hidden}");
            let values = map_values(schema);
            match described.cloned() {
                Some(property) => {
                    if side == Side::Reply {
                        self.exercised
                            .entry(self.operation.clone())
                            .or_default()
                            .fields
                            .insert(at.clone());
                    }
                    // A null reads as absent where the field may be.
                    if !value.is_null() || self.spec.requires(schema, name) {
                        self.value(&property, value, &at, side);
                    }
                }
                None if kinds => self.add(
                    "kind-added",
                    Class::Additive,
                    &at,
                    format!("`{path}` has the kind `{hidden}`"),
                    "the client keeps it as an unknown kind",
                    "describe the kind",
                ),
                None if values.is_some() => {
                    let values = values.unwrap_or_default();
                    self.value(&values, value, &format!("{path}.{HIDDEN}"), side);
                }
                None if self.token_extra(name) => {}
                None => self.add(
                    "field-undescribed",
                    Class::Additive,
                    &at,
                    format!("`{at}` is not described"),
                    if side == Side::Request {
                        "the client cannot send it"
                    } else if keeps(schema) {
                        "the client keeps it as it came, in `extra`"
                    } else {
                        "the client leaves the field out"
                    },
                    "describe the field",
                ),
            }
        }
        let required: Vec<String> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|name| text(Some(name)))
            .collect();
        for name in required
            .iter()
            .filter(|name| object.get(*name).is_none_or(Value::is_null))
        {
            let at = format!("{path}.{name}");
            let effect = match side {
                Side::Request => "the client demands it",
                Side::Reply => "the client cannot read a reply without it",
                Side::Failure => "the client tells the failure without its typed body",
            };
            self.add(
                "field-gone",
                side.unread(),
                &at,
                format!("`{at}` is missing"),
                effect,
                "mark the field as optional",
            );
        }
    }

    fn token_extra(&self, name: &str) -> bool {
        let oauth = &self.spec.provider.oauth;
        self.operation == oauth.operations.token && oauth.token_reply.extra.iter().any(|field| field.name == name)
    }

    pub(super) fn word(&mut self, schema: &Value, word: &str, path: &str, side: Side) {
        let Some(values) = schema.get("enum").and_then(Value::as_array) else {
            return;
        };
        if values.iter().any(|value| value == word) {
            return;
        }
        let shown = shown_word(word);
        let effect = if side == Side::Request {
            "the client sends it as an unknown value only"
        } else {
            "the client reads it as Unknown and writes it back as it came"
        };
        self.add(
            "enum-value-added",
            Class::Additive,
            &format!("{path} {shown}"),
            format!("`{path}` is {shown}"),
            effect,
            "list the value",
        );
    }
}

/// `%20` and `+` as what they stand for; a letter beyond ASCII stays as it is written.
fn decoded(text: &str) -> String {
    crate::drift::extract::decoded(&text.replace('+', " "))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What the values of a map are. The fields beside described ones are news (`{}`), but where nobody shows them all (`true`).
pub(super) fn map_values(schema: &Value) -> Option<Value> {
    match schema.get("additionalProperties")? {
        Value::Bool(true) => Some(json!({})),
        values if values.is_object() && !keeps(schema) => Some(values.clone()),
        _ => None,
    }
}

fn keeps(schema: &Value) -> bool {
    schema.get("properties").is_some() && schema.get("additionalProperties") == Some(&json!({}))
}
