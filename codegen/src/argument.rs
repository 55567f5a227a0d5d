//! What an example gives to the setter of a parameter: the documented example where it is of the parameter's type, and
//! something of that type where it is not.

use finrail_spec::vocabulary::Lenient;
use serde_json::Value;

use crate::document::Document;
use crate::schemas::reference;
use crate::shared::SHARED;

/// An argument for a parameter, in Rust; none where a sound one cannot be written. `types`: the path of the module of types.
pub(crate) fn argument(document: &Document, types: &str, parameter: &Value) -> Option<String> {
    let schema = &parameter["schema"];
    let example = parameter.get("example").unwrap_or(&schema["example"]);
    Arguments { document, types }.value(schema, example, false)
}

struct Arguments<'a> {
    document: &'a Document,
    types: &'a str,
}

impl Arguments<'_> {
    /// `is_exact`: of the very type, and nothing that is converted into it.
    fn value(&self, schema: &Value, example: &Value, is_exact: bool) -> Option<String> {
        let schema = match schema["allOf"].as_array().map(Vec::as_slice) {
            Some([one]) => one,
            _ => schema,
        };
        match reference(schema) {
            Some(name) => self.named(name, example),
            None if schema["type"] == "array" => self.list(&schema["items"], example, is_exact),
            None => scalar(schema, example, is_exact),
        }
    }

    /// A value of a named schema: an open enum takes a text, every other wraps one.
    fn named(&self, name: &str, example: &Value) -> Option<String> {
        let schema = &self.document.json["components"]["schemas"][name];
        let example = if example.is_null() { &schema["example"] } else { example };
        let is_other_name = schema.get("$ref").is_some() || schema.get("allOf").is_some();
        if SHARED.contains(&name) || is_other_name {
            return None;
        }
        let types = self.types;
        if schema.get("enum").is_some() && schema.get("x-lenient").is_none() {
            return Some(format!("{types}::{name}::from({:?})", text(example, "...")));
        }
        let wrapped = self.value(schema, example, true)?;
        Some(format!("{types}::{name}({wrapped})"))
    }

    fn list(&self, items: &Value, example: &Value, is_exact: bool) -> Option<String> {
        if items["type"] == "array" || items["nullable"] == true {
            return None;
        }
        let is_exact_item = is_exact || items["format"] == "decimal";
        let one = std::slice::from_ref(example);
        let examples = example.as_array().map_or(one, Vec::as_slice);
        let examples = if examples.is_empty() { &[Value::Null] } else { examples };
        let values: Option<Vec<String>> = examples
            .iter()
            .map(|example| self.value(items, example, is_exact_item))
            .collect();
        let list = if is_exact { "vec![" } else { "[" };
        Some(format!("{list}{}]", values?.join(", ")))
    }
}

/// A text, a number or a boolean.
fn scalar(schema: &Value, example: &Value, is_exact: bool) -> Option<String> {
    let owned = |text: String| match is_exact {
        true => format!("{text:?}.to_owned()"),
        false => format!("{text:?}"),
    };
    let parsed = |default: &str, into: &str| {
        let text = example.as_str().unwrap_or(default);
        format!("{text:?}.parse::<finrail::rt::v1::{into}>()?")
    };
    if let Some(lenient) = schema.get("x-lenient") {
        return match serde_json::from_value(lenient.clone()).ok()? {
            Lenient::Boolean => Some(boolean(example)),
            Lenient::String => Some(owned(text(example, "..."))),
            Lenient::DateTime if !is_exact => Some(owned(text(example, "..."))),
            _ => None,
        };
    }
    let (kind, format) = (schema["type"].as_str()?, schema["format"].as_str());
    match (kind, format) {
        ("string", _) if schema.get("enum").is_some() => Some(owned(text(example, "..."))),
        ("string", Some("date")) => Some(parsed("2026-01-31", "chrono::NaiveDate")),
        ("string", Some("date-time")) => Some(parsed(
            "2026-01-31T12:00:00Z",
            "chrono::DateTime<finrail::rt::v1::chrono::Utc>",
        )),
        ("string", Some("uuid")) => Some(parsed("00000000-0000-4000-8000-000000000000", "uuid::Uuid")),
        ("string" | "number", Some("decimal")) => {
            let digits = decimal(example);
            Some(match is_exact {
                true => format!("{digits:?}.parse::<finrail::Decimal>()?"),
                false => format!("{digits:?}"),
            })
        }
        ("string", Some("password")) if is_exact => Some(format!("finrail::Secret::from({:?})", text(example, "..."))),
        ("string", Some("binary")) => None,
        ("string", _) => Some(owned(text(example, "..."))),
        ("integer", format) => Some(integer(example, format == Some("int32"))),
        ("boolean", _) => Some(boolean(example)),
        _ => None,
    }
}

fn text(example: &Value, default: &str) -> String {
    match example {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => default.to_owned(),
    }
}

fn decimal(example: &Value) -> String {
    let digits = text(example, "1.00");
    let is_number = digits.contains(|one: char| one.is_ascii_digit())
        && digits.chars().all(|one| one.is_ascii_digit() || "+-.eE".contains(one));
    if is_number { digits } else { "1.00".to_owned() }
}

/// A literal without a type is one of 32 bits.
fn integer(example: &Value, is_of_32_bits: bool) -> String {
    let Ok(number) = text(example, "1").parse::<i64>() else {
        return "1".to_owned();
    };
    match (i32::try_from(number), is_of_32_bits) {
        (Ok(number), _) => number.to_string(),
        (Err(_), true) => "1".to_owned(),
        (Err(_), false) => format!("{number}_i64"),
    }
}

fn boolean(example: &Value) -> String {
    let is_no = matches!(example, Value::Bool(false)) || example == "false";
    (!is_no).to_string()
}
