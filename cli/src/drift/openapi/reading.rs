//! The document as it was published, read and brought into the form in which it is compared.

use std::collections::BTreeMap;

use finrail_spec::comparable::{Comparable, comparable};
use finrail_spec::dialect::{Dialect, Loss, Weight};
use finrail_spec::json::Json;
use finrail_spec::operations::operations;
use finrail_spec::pointer::join;
use finrail_spec::published::Published;
use finrail_spec::yaml::Twice;
use serde_json::{Map, Value};

use crate::wire_schemas::shared_schemas;

/// A document that was read, whatever of it is compared.
pub struct Reading {
    /// The document in OpenAPI 3.0.
    pub root: Value,
    /// What of it says less here than where it was published, or means nothing: by JSON pointer, why.
    pub unread: BTreeMap<String, Vec<String>>,
    /// Keys that stand twice, of which the last counts: each with the place of both.
    pub twice: Vec<Twice>,
    dialect: Dialect,
}

/// Reads the bytes of a document.
///
/// # Errors
///
/// In words with its place, what is no OpenAPI document.
pub fn read(bytes: &[u8]) -> Result<Reading, String> {
    let published = Published::read_the_last(bytes).map_err(|error| error.to_string())?;
    let twice = published.twice().to_vec();
    Ok(Reading {
        twice,
        ..of(&published.root)?
    })
}

/// The same of a document whose text was read before.
pub(super) fn of(document: &Json) -> Result<Reading, String> {
    let Comparable {
        root,
        dialect,
        dangling,
        faults,
        losses,
    } = comparable(&with_shared_schemas(document)).map_err(|error| error.to_string())?;
    // A schema that is not there is told where it is compared.
    let dangling = dangling.into_iter().filter(|fault| !is_of_a_schema(&fault.pointer));
    let dangling = dangling.map(|fault| (fault.pointer, fault.wrong));
    let faults = faults.into_iter().map(|fault| (fault.pointer, fault.wrong));
    let lost = |loss: Loss| (loss.weight == Weight::Meaning).then(|| (place_of(&loss), loss.what));
    let all = dangling.chain(faults).chain(losses.into_iter().filter_map(lost));
    let mut unread: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (pointer, why) in all {
        let here = unread.entry(pointer).or_default();
        if !here.contains(&why) {
            here.push(why);
        }
    }
    Ok(Reading {
        root: exact(&root),
        unread,
        twice: Vec::new(),
        dialect,
    })
}

impl Reading {
    /// What was read, in words.
    pub fn told(&self) -> String {
        let dialect = match self.dialect {
            Dialect::Swagger2 => "Swagger 2.0",
            Dialect::OpenApi30 => "OpenAPI 3.0",
            Dialect::OpenApi31 => "OpenAPI 3.1",
        };
        let schemas = self.root.pointer("/components/schemas").and_then(Value::as_object);
        format!(
            "read as {dialect}: {} operations and {} schemas",
            operations(&self.root).len(),
            schemas.map_or(0, Map::len)
        )
    }

    /// Whether it is Swagger 2.0, which names one host and says of no form whether it may be left out.
    pub fn is_swagger(&self) -> bool {
        self.dialect == Dialect::Swagger2
    }

    /// Why a place, or what stands in it and has no place of its own to be compared, is not compared.
    pub fn unread_at(&self, pointer: &str) -> impl Iterator<Item = &str> {
        self.unread.get(pointer).into_iter().flatten().map(String::as_str)
    }
}

/// A specification of ours names the shared OAuth schemas without having them.
fn with_shared_schemas(document: &Json) -> Json {
    let mut document = document.clone();
    if document.get("x-provider").is_none() {
        return document;
    }
    let text = document.to_string();
    for (name, schema) in &shared_schemas() {
        let place = join("/components/schemas", name);
        if document.pointer(&place).is_none() && text.contains(&format!("\"#{place}\"")) {
            document.set_pointer(&place, Json::from(schema));
        }
    }
    document
}

pub(super) fn is_of_a_schema(pointer: &str) -> bool {
    pointer.starts_with("/components/schemas/") || pointer.contains("/schema/") || pointer.ends_with("/schema")
}

/// Where the schema of a loss stands in OpenAPI 3.0.
fn place_of(loss: &Loss) -> String {
    let keywords = [
        "type",
        "if",
        "dependentSchemas",
        "prefixItems",
        "patternProperties",
        "$dynamicRef",
        "$recursiveRef",
    ];
    let pointer = match loss.pointer.strip_prefix("/definitions/") {
        Some(rest) => format!("/components/schemas/{rest}"),
        None => loss.pointer.clone(),
    };
    match pointer.rsplit_once('/') {
        Some((schema, keyword)) if keywords.contains(&keyword) && !schema.ends_with("/properties") => schema.to_owned(),
        _ => pointer,
    }
}

/// The document as values, where a number that a value cannot hold is the text of its digits.
fn exact(json: &Json) -> Value {
    match json {
        Json::Number(digits) if digits.len() > 15 || digits.contains(['e', 'E']) => Value::String(digits.clone()),
        Json::Array(items) => items.iter().map(exact).collect(),
        Json::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, value)| (name.clone(), exact(value)))
                .collect(),
        ),
        other => other.to_value(),
    }
}
