//! Schemas of a published document, tidied to what the generator reads: one kind of thing each, exact numbers, and the same
//! value on the wire.
//!
//! `allOf` becomes the object that it describes; a missing `type` is what the other keywords say; `number` is exact; whether a
//! value may be `null` is said where it is used; what a server sets is not asked of a client. What a union is comes out of its
//! members, and where nothing tells them apart, it is kept as JSON. Nothing is repaired that would change what is meant: members
//! of an `allOf` that contradict each other are told, and whatever needs them is left out.

mod directions;
mod elements;
mod integers;
mod merge;
mod parameters;
mod unions;

use std::collections::{BTreeMap, BTreeSet};

use crate::dialect::{Loss, Weight};
use crate::grammar::Kind;
use crate::json::Json;
use crate::pointer::join;
use crate::rebuild::rebuilt;
use crate::references::{SCHEMAS, schema_name as reference};
use directions::Directions;
use elements::{Element, is_true, kind_of, named};

/// A document whose schemas are tidied.
#[derive(Clone, Debug)]
pub struct Tidied {
    /// The document.
    pub root: Json,
    /// What it says no more.
    pub losses: Vec<Loss>,
    /// What has no meaning: whatever needs such a schema cannot be generated.
    pub faults: Vec<SchemaFault>,
}

/// A schema that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wrong}")]
pub struct SchemaFault {
    /// JSON pointer to it.
    pub pointer: String,
    /// What is wrong with it.
    pub wrong: String,
}

/// Tidies the schemas of a document in OpenAPI 3.0 whose references are [resolved](crate::references::resolved).
///
/// ```
/// use finrail_spec::json::Json;
/// use finrail_spec::tidy::tidied;
///
/// let document = Json::parse(
///     r##"{"components":{"schemas":{"Base":{"properties":{"id":{"type":"string"}}},
///     "Payment":{"allOf":[{"$ref":"#/components/schemas/Base"},{"properties":{"amount":{"type":"number"}}}]}}}}"##,
/// )?;
/// assert_eq!(
///     tidied(&document).root.pointer("/components/schemas/Payment").map(ToString::to_string).as_deref(),
///     Some(r#"{"type":"object","properties":{"id":{"type":"string"},"amount":{"type":"number","format":"decimal"}}}"#),
/// );
/// # Ok::<(), finrail_spec::json::NotJson>(())
/// ```
#[must_use]
pub fn tidied(root: &Json) -> Tidied {
    let named = root
        .pointer("/components/schemas")
        .map(Json::members)
        .unwrap_or_default();
    let mut tidy = Tidy {
        named: named.iter().map(|(name, schema)| (name.as_str(), schema)).collect(),
        directions: Directions::of(root),
        nullable: BTreeSet::new(),
        elements: BTreeSet::new(),
        losses: Vec::new(),
        faults: Vec::new(),
    };
    tidy.nullable = tidy.nullable_names();
    let mut out = rebuilt(Kind::Document, root, "", &mut |kind, object, pointer| {
        (kind == Kind::Schema).then(|| tidy.top(object, pointer))
    });
    for element in &tidy.elements {
        out.set_pointer(&join("/components/schemas", &tidy.name_of(*element)), element.schema());
    }
    let directions = &tidy.directions;
    let is_received_alone = |pointer: &str| directions.of_schema(pointer) == (false, true);
    let wide = integers::widened(&mut out, &tidy.name_of(Element::ExactNumber), &is_received_alone);
    tidy.losses.extend(wide);
    tidy.losses.extend(parameters::as_texts(&mut out));
    Tidied {
        root: out,
        losses: tidy.losses,
        faults: tidy.faults,
    }
}

struct Tidy<'d> {
    named: BTreeMap<&'d str, &'d Json>,
    directions: Directions,
    /// Named schemas that may be `null`.
    nullable: BTreeSet<&'d str>,
    elements: BTreeSet<Element>,
    losses: Vec<Loss>,
    faults: Vec<SchemaFault>,
}

/// What says nothing of a value.
const ANNOTATIONS: [&str; 11] = [
    "title",
    "description",
    "example",
    "default",
    "deprecated",
    "externalDocs",
    "xml",
    "nullable",
    "readOnly",
    "writeOnly",
    "discriminator",
];

fn says_nothing(schema: &Json) -> bool {
    let keywords = schema.members().iter();
    keywords
        .map(|(keyword, _)| keyword)
        .all(|keyword| ANNOTATIONS.contains(&keyword.as_str()) || keyword.starts_with("x-"))
}

impl<'d> Tidy<'d> {
    fn lose(&mut self, pointer: &str, weight: Weight, what: impl Into<String>) {
        self.losses.push(Loss {
            pointer: pointer.to_owned(),
            weight,
            what: what.into(),
        });
    }

    /// A schema that means nothing, and what stands in its place.
    fn fault(&mut self, pointer: &str, wrong: impl Into<String>) -> Json {
        self.faults.push(SchemaFault {
            pointer: pointer.to_owned(),
            wrong: wrong.into(),
        });
        Json::Object(Vec::new())
    }

    /// Those that say so themselves, and those that are only another name for one.
    fn nullable_names(&self) -> BTreeSet<&'d str> {
        let lists_null = |schema: &Json| {
            schema
                .get("enum")
                .is_some_and(|values| values.items().contains(&Json::Null))
        };
        let says_so = |(name, schema): (&&'d str, &&'d Json)| {
            (is_true(schema, "nullable") || lists_null(schema)).then_some(*name)
        };
        let mut names: BTreeSet<&str> = self.named.iter().filter_map(says_so).collect();
        loop {
            let more = self.named.iter().filter(|(name, schema)| {
                let one = match schema.get("allOf").map(Json::items) {
                    Some([one]) => one,
                    _ => schema,
                };
                !names.contains(**name) && reference(one).is_some_and(|target| names.contains(target))
            });
            let more: Vec<&str> = more.map(|(name, _)| *name).collect();
            if more.is_empty() {
                return names;
            }
            names.extend(more);
        }
    }

    /// A schema that stands in no other. A named one says nothing of `null`.
    fn top(&mut self, schema: &Json, pointer: &str) -> Json {
        let mut out = self.schema(schema, pointer);
        let is_named = pointer
            .strip_prefix("/components/schemas/")
            .is_some_and(|name| !name.contains('/'));
        if is_named {
            out.remove("nullable");
        }
        out
    }

    fn schema(&mut self, schema: &Json, pointer: &str) -> Json {
        if let Some(name) = reference(schema) {
            return self.referring(schema, name);
        }
        match schema {
            Json::Bool(true) => return Json::Object(Vec::new()),
            Json::Bool(false) => {
                self.lose(pointer, Weight::Rule, "no value is allowed here");
                return Json::Object(Vec::new());
            }
            Json::Object(_) => {}
            _ => return self.fault(pointer, "it is no schema"),
        }
        let mut around = Vec::new();
        let flat = match self.flat(schema, pointer, &mut around) {
            Ok(flat) => flat,
            Err(wrong) => return self.fault(pointer, wrong),
        };
        if let Some(name) = reference(&flat) {
            return self.referring(&flat, name);
        }
        // Another name for a schema, with words of its own.
        if let Some([one]) = flat.get("allOf").map(Json::items) {
            let mut out = flat.clone();
            if let Some(name) = reference(one)
                && self.nullable.contains(name)
            {
                out.set("nullable", Json::Bool(true));
            }
            return out;
        }
        self.plain(flat, pointer)
    }

    /// A reference, with what the schema that it names says of `null` no more.
    fn referring(&self, schema: &Json, name: &str) -> Json {
        let plain = Json::object([("$ref", Json::str(format!("{SCHEMAS}{name}")))]);
        let is_nullable = self.nullable.contains(name) || is_true(schema, "nullable");
        match is_nullable {
            true => Json::object([("allOf", Json::Array(vec![plain])), ("nullable", Json::Bool(true))]),
            false => plain,
        }
    }

    /// A schema without `allOf`, `oneOf`, `anyOf` and `not`.
    fn plain(&mut self, mut schema: Json, pointer: &str) -> Json {
        self.with_type(&mut schema, pointer);
        schema.remove("discriminator");
        if let Some(kept) = self.contradiction(&schema, pointer) {
            return kept;
        }
        match kind_of(&schema) {
            Some("object") => self.object(&mut schema, pointer),
            Some("array") => {
                let items = schema.get("items").cloned().unwrap_or(Json::Object(Vec::new()));
                let items = self.element(&items, &join(pointer, "items"));
                schema.set("items", items);
                self.no_enum(&mut schema, pointer);
            }
            Some("number") => {
                schema.set("format", Json::str("decimal"));
                self.no_enum(&mut schema, pointer);
            }
            Some("integer") => {
                // Digit for digit, whatever it is.
                let is_received_alone = self.directions.of_schema(pointer) == (false, true);
                let width = integers::width(&schema);
                let loss = integers::widen(&mut schema, width, pointer, is_received_alone);
                self.losses.extend(loss);
                self.no_enum(&mut schema, pointer);
            }
            Some("boolean") => self.no_enum(&mut schema, pointer),
            Some("string") => self.string(&mut schema, pointer),
            _ => {}
        }
        schema
    }

    /// What is kept of a schema whose type is one and whose parts are of another: what it is nobody knows, so nothing is taken from it.
    fn contradiction(&mut self, schema: &Json, pointer: &str) -> Option<Json> {
        let kind = kind_of(schema)?;
        let describes = |keyword: &str| schema.get(keyword).is_some_and(|parts| !parts.members().is_empty());
        let others: &[&str] = match kind {
            "string" | "number" | "integer" | "boolean" => &["properties", "items"],
            "array" => &["properties"],
            "object" if !describes("properties") => &["items"],
            _ => &[],
        };
        let other = others.iter().find(|keyword| describes(keyword))?;
        // Whatever it is, it is written as a text there.
        let is_parameter = crate::pointer::keys(pointer).iter().any(|key| key == "parameters");
        let (read, as_what) = match is_parameter {
            true => (Some(("type".to_owned(), Json::str("string"))), "a text"),
            false => (None, "kept as JSON"),
        };
        let what = format!("what it is: `type: {kind}` and `{other}` contradict each other, so it is {as_what}");
        self.lose(pointer, Weight::Meaning, what);
        let words = schema.members().iter();
        let words = words.filter(|(keyword, _)| matches!(keyword.as_str(), "title" | "description" | "nullable"));
        Some(Json::Object(read.into_iter().chain(words.cloned()).collect()))
    }

    /// The type that the other keywords say, where it is missing.
    fn with_type(&mut self, schema: &mut Json, pointer: &str) {
        if schema.get("type").is_some() {
            return;
        }
        let has = |keywords: &[&str]| keywords.iter().any(|keyword| schema.get(keyword).is_some());
        let values = schema.get("enum").map(Json::items).unwrap_or_default();
        let all = |is: fn(&Json) -> bool| {
            !values.is_empty() && values.iter().all(|value| matches!(value, Json::Null) || is(value))
        };
        let is_whole = |value: &Json| {
            value
                .scalar()
                .is_some_and(|text| !matches!(value, Json::String(_)) && text.parse::<i64>().is_ok())
        };
        let kind = if has(&[
            "properties",
            "additionalProperties",
            "required",
            "minProperties",
            "maxProperties",
        ]) {
            "object"
        } else if has(&["items", "minItems", "maxItems", "uniqueItems"]) {
            "array"
        } else if all(|value| value.as_str().is_some()) {
            "string"
        } else if all(|value| value.as_bool().is_some()) {
            "boolean"
        } else if all(is_whole) {
            "integer"
        } else if has(&["pattern", "minLength", "maxLength"]) {
            "string"
        } else {
            match schema.get("format").and_then(Json::as_str) {
                Some("date" | "date-time" | "uuid" | "uri" | "email" | "byte" | "binary" | "password") => "string",
                Some("int32" | "int64") => "integer",
                Some("float" | "double" | "decimal") => "number",
                _ if has(&["minimum", "maximum", "multipleOf"]) => "number",
                _ => {
                    // Any JSON will do.
                    schema.remove("format");
                    if schema.remove("enum").is_some() {
                        self.lose(pointer, Weight::Rule, "`enum` of values of several types");
                    }
                    return;
                }
            }
        };
        let Json::Object(members) = schema else { return };
        members.insert(0, ("type".to_owned(), Json::str(kind)));
    }

    fn object(&mut self, schema: &mut Json, pointer: &str) {
        self.no_enum(schema, pointer);
        let forbids_more = schema.get("additionalProperties").and_then(Json::as_bool) == Some(false);
        if forbids_more {
            schema.remove("additionalProperties");
        }
        if let Some(values) = schema
            .get("additionalProperties")
            .filter(|values| values.as_bool().is_none())
        {
            let values = values.clone();
            let has_properties = schema.get("properties").is_some_and(|all| !all.members().is_empty());
            let values = match has_properties {
                // All that is not described is kept as JSON. The values of a map may stand there alone.
                true if values.members().is_empty() => values,
                true => Json::Bool(true),
                false => self.element(&values, &join(pointer, "additionalProperties")),
            };
            schema.set("additionalProperties", values);
        }
        let mut properties = Vec::new();
        let described = schema.get("properties").cloned();
        let described = described.as_ref().map(Json::members).unwrap_or_default();
        let at = join(pointer, "properties");
        for (name, property) in described {
            properties.push((name.clone(), self.schema(property, &join(&at, name))));
        }
        let (sent, received) = self.directions.of_schema(pointer);
        let mut required = Vec::new();
        for name in schema.get("required").map(Json::items).unwrap_or_default() {
            let Some(name) = name.as_str().map(str::to_owned) else {
                continue;
            };
            match described.iter().find(|(described, _)| *described == name) {
                // It is there, whatever it is.
                None => properties.push((name.clone(), Json::Object(Vec::new()))),
                Some((_, property)) => {
                    let property = self.target(property);
                    let only_received = is_true(property, "readOnly");
                    let only_sent = is_true(property, "writeOnly");
                    if only_received && sent || only_sent && received {
                        continue;
                    }
                }
            }
            if !required.contains(&Json::str(name.as_str())) {
                required.push(Json::str(name));
            }
        }
        if !properties.is_empty() {
            schema.set("properties", Json::Object(properties));
        } else if described.is_empty() && schema.get("additionalProperties").is_some() {
            schema.remove("properties");
        }
        match required.is_empty() {
            true => drop(schema.remove("required")),
            false => schema.set("required", Json::Array(required)),
        }
    }

    /// The schema that a reference leads to, whatever other names it has.
    fn target<'s>(&'s self, schema: &'s Json) -> &'s Json {
        let mut here = schema;
        for _ in 0..32 {
            match reference(here).and_then(|name| self.named.get(name)) {
                Some(target) => here = target,
                None => break,
            }
        }
        here
    }

    /// What stands in a list or a map. What is read by code has a name there.
    fn element(&mut self, schema: &Json, pointer: &str) -> Json {
        let element = self.schema(schema, pointer);
        // Values of a parameter are written as texts, whatever they are.
        let is_parameter = crate::pointer::keys(pointer).iter().any(|key| key == "parameters");
        let Some(kind) = Element::of(&element).filter(|_| !is_parameter) else {
            return element;
        };
        self.elements.insert(kind);
        named(&element, &self.name_of(kind))
    }

    /// The name of what stands in lists and maps; with a number where the document calls something else so.
    fn name_of(&self, element: Element) -> String {
        let (name, schema) = (element.name(), element.schema());
        let numbered = (2..).map(|number| format!("{name}{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        let is_free = |name: &String| self.named.get(name.as_str()).is_none_or(|known| **known == schema);
        names.find(is_free).unwrap_or_default()
    }

    fn string(&mut self, schema: &mut Json, pointer: &str) {
        // What comes as a time comes in many forms, and is kept as it came.
        let is_time = matches!(schema.get("format").and_then(Json::as_str), Some("date" | "date-time"));
        if is_time && self.directions.of_schema(pointer).1 && schema.get("x-lenient").is_none() {
            schema.set("x-lenient", Json::str("date-time"));
        }
        let Some(values) = schema.get("enum").map(Json::items) else {
            return;
        };
        let mut texts: Vec<Json> = Vec::new();
        let (mut has_null, mut others) = (false, 0);
        for value in values {
            match value {
                Json::Null => has_null = true,
                Json::String(_) if !texts.contains(value) => texts.push(value.clone()),
                Json::String(_) => {}
                _ => others += 1,
            }
        }
        if has_null {
            schema.set("nullable", Json::Bool(true));
        }
        if others > 0 {
            self.lose(pointer, Weight::Rule, "values of the `enum` that are no strings");
        }
        // A value that is no name of anything, like an empty one, is read all the same.
        texts.retain(|text| {
            text.as_str()
                .is_some_and(|text| crate::names::variant_name(text).is_some())
        });
        let mut seen = BTreeSet::new();
        let all = texts.len();
        texts.retain(|text| seen.insert(text.as_str().and_then(crate::names::variant_name)));
        if texts.len() < all {
            self.lose(
                pointer,
                Weight::Meaning,
                "values of the `enum` whose names would be the same: they are read as `Unknown`",
            );
        }
        match texts.is_empty() {
            true => drop(schema.remove("enum")),
            false => schema.set("enum", Json::Array(texts)),
        }
        schema.remove("format");
    }

    fn no_enum(&mut self, schema: &mut Json, pointer: &str) {
        if schema.remove("enum").is_some() {
            self.lose(pointer, Weight::Rule, "`enum` of values that are no strings");
        }
    }
}

#[cfg(test)]
mod tests;
