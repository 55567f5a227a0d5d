//! OpenAPI 3.1, whose schemas are JSON Schema 2020-12, as 3.0.

use super::loss::{Loss, Weight};
use crate::grammar::Kind;
use crate::json::Json;
use crate::pointer::join;
use crate::rebuild::rebuilt;

/// Rules for values that nothing but a check of them needs.
const RULES: [&str; 13] = [
    "$anchor",
    "$comment",
    "$dynamicAnchor",
    "$id",
    "$schema",
    "$vocabulary",
    "contains",
    "dependentRequired",
    "maxContains",
    "minContains",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// What may add members to an object, under a condition.
const CONDITIONS: [&str; 4] = ["if", "then", "else", "dependentSchemas"];

pub(super) fn to_3_0(root: &Json, losses: &mut Vec<Loss>) -> Json {
    let mut conversion = Conversion { losses };
    let mut schemas = |kind: Kind, json: &Json, pointer: &str| match kind {
        Kind::Schema => Some(conversion.schema(json, pointer)),
        _ => None,
    };
    let mut converted = rebuilt(Kind::Document, root, "", &mut schemas);
    // Paths that are referred to: 3.0 has no place for them, and what is referred to is written out later.
    let at = "/components/pathItems";
    for (name, item) in root.pointer(at).map(Json::members).unwrap_or_default() {
        let pointer = join(at, name);
        converted.set_pointer(&pointer, rebuilt(Kind::PathItem, item, &pointer, &mut schemas));
    }
    converted.set("openapi", Json::str("3.0.3"));
    converted.remove("jsonSchemaDialect");
    if converted.remove("webhooks").is_some() {
        conversion.tell(
            "/webhooks",
            Weight::Meaning,
            "`webhooks`: no code is made for what a provider sends",
        );
    }
    if converted.get("paths").is_none() {
        converted.set("paths", Json::Object(Vec::new()));
    }
    for (pointer, name) in [("/info", "summary"), ("/info/license", "identifier")] {
        if let Some(object) = converted.pointer_mut(pointer) {
            object.remove(name);
        }
    }
    converted
}

struct Conversion<'l> {
    losses: &'l mut Vec<Loss>,
}

impl Conversion<'_> {
    fn tell(&mut self, pointer: &str, weight: Weight, what: impl Into<String>) {
        self.losses.push(Loss {
            pointer: pointer.to_owned(),
            weight,
            what: what.into(),
        });
    }

    fn schema(&mut self, schema: &Json, pointer: &str) -> Json {
        let members = match schema {
            // Anything, and nothing at all.
            Json::Bool(true) => return Json::Object(Vec::new()),
            Json::Bool(false) => return Json::object([("not", Json::Object(Vec::new()))]),
            Json::Object(members) => members,
            other => return other.clone(),
        };
        let mut out = Json::Object(Vec::new());
        let mut nullable = false;
        for (name, value) in members {
            let at = join(pointer, name);
            match name.as_str() {
                "type" => nullable |= self.types(value, &at, &mut out),
                "const" => out.set("enum", Json::Array(vec![value.clone()])),
                "examples" => {
                    if let Some(shown) = one_of(value.items()).filter(|_| schema.get("example").is_none()) {
                        out.set("example", shown.clone());
                    }
                }
                "exclusiveMinimum" | "exclusiveMaximum" if matches!(value, Json::Number(_)) => {
                    let bound = if name == "exclusiveMinimum" {
                        "minimum"
                    } else {
                        "maximum"
                    };
                    if schema.get(bound).is_some() {
                        self.tell(&at, Weight::Rule, format!("`{name}` beside `{bound}`"));
                    } else {
                        out.set(bound, value.clone());
                        out.set(name, Json::Bool(true));
                    }
                }
                "contentEncoding" => match value.as_str() {
                    Some("base64" | "base64url") if schema.get("format").is_none() => {
                        out.set("format", Json::str("byte"))
                    }
                    _ => self.tell(&at, Weight::Rule, "`contentEncoding`"),
                },
                "contentMediaType" => {
                    let is_bytes = value.as_str() == Some("application/octet-stream");
                    if is_bytes && schema.get("contentEncoding").is_none() && schema.get("format").is_none() {
                        out.set("format", Json::str("binary"));
                    }
                }
                "contentSchema" => self.tell(&at, Weight::Rule, "`contentSchema`"),
                "prefixItems" => self.tuple(schema, value, &at, &mut out),
                "items" if schema.get("prefixItems").is_some() => {}
                "items" if value.as_bool() == Some(false) => {
                    out.set("items", Json::Object(Vec::new()));
                    out.set("maxItems", Json::int(0));
                }
                "items" | "not" => out.set(name, self.schema(value, &at)),
                // What has a pattern is read in its place.
                "additionalProperties" if schema.get("patternProperties").is_some() => {}
                "additionalProperties" => match value {
                    Json::Bool(_) => out.set(name, value.clone()),
                    value => out.set(name, self.schema(value, &at)),
                },
                "properties" => out.set(name, self.properties(value, &at)),
                "patternProperties" => self.patterns(schema, value, &at, &mut out),
                "allOf" => out.set(name, self.list(value, &at)),
                "oneOf" | "anyOf" => nullable |= self.alternatives(name, value, &at, &mut out),
                "$defs" | "definitions" => out.set(name, self.named(value, &at)),
                rule if RULES.contains(&rule) => {
                    // A name for a place, and notes, say nothing of a value.
                    if !rule.starts_with('$') {
                        self.tell(&at, Weight::Rule, format!("`{rule}`"));
                    }
                }
                condition if CONDITIONS.contains(&condition) => {
                    if condition != "then" && condition != "else" {
                        self.tell(
                            &at,
                            Weight::Meaning,
                            format!("`{condition}`: what a value has under a condition"),
                        );
                    }
                }
                "$dynamicRef" | "$recursiveRef" => {
                    self.tell(&at, Weight::Meaning, format!("`{name}`: any JSON is read in its place"));
                }
                _ => out.set(name, value.clone()),
            }
        }
        nullable |= out.get("nullable").and_then(Json::as_bool) == Some(true);
        self.finished(out, nullable)
    }

    /// What belongs to the schema as a whole: whether it may be `null`, and what stands beside a reference.
    fn finished(&self, mut out: Json, nullable: bool) -> Json {
        if let Some(reference) = out.remove("$ref") {
            let is_alone = out.members().iter().all(|(name, _)| name == "nullable") && !nullable;
            let reference = Json::object([("$ref", reference)]);
            if is_alone {
                return reference;
            }
            // In 3.0 nothing beside a reference counts.
            let mut parts = vec![reference];
            match out.remove("allOf") {
                Some(Json::Array(others)) => parts.extend(others),
                Some(other) => parts.push(other),
                None => {}
            }
            out.set("allOf", Json::Array(parts));
        }
        if out.get("type").is_none()
            && let Some(kind) = out.get("enum").and_then(kind_of_all)
        {
            out.set("type", Json::str(kind));
        }
        if nullable {
            out.set("nullable", Json::Bool(true));
            // In 3.0 an enum that may be null lists it.
            if let Some(Json::Array(values)) = out.get_mut("enum")
                && !values.contains(&Json::Null)
            {
                values.push(Json::Null);
            }
        }
        in_order(out)
    }

    /// Whether one of the types is `null`.
    fn types(&mut self, value: &Json, at: &str, out: &mut Json) -> bool {
        let Json::Array(listed) = value else {
            if value.as_str() == Some("null") {
                return true;
            }
            out.set("type", value.clone());
            return false;
        };
        let names: Vec<&str> = listed.iter().filter_map(Json::as_str).collect();
        let others: Vec<&str> = names.iter().copied().filter(|name| *name != "null").collect();
        match others[..] {
            [] => {}
            [one] => out.set("type", Json::str(one)),
            // Every whole number is a number.
            ["integer", "number"] | ["number", "integer"] => out.set("type", Json::str("number")),
            _ if others
                .iter()
                .all(|name| ["string", "number", "integer", "boolean"].contains(name)) =>
            {
                out.set("type", Json::str("string"));
                out.set("x-lenient", Json::str("string"));
            }
            _ => self.tell(
                at,
                Weight::Meaning,
                format!("`type: [{}]`: any JSON is read", names.join(", ")),
            ),
        }
        names.len() > others.len()
    }

    /// Whether one of the alternatives is `null`.
    fn alternatives(&mut self, name: &str, value: &Json, at: &str, out: &mut Json) -> bool {
        let is_null = |schema: &Json| {
            let kind = schema.get("type");
            kind.and_then(Json::as_str) == Some("null")
                || kind.is_some_and(|kind| matches!(kind.items(), [one] if one.as_str() == Some("null")))
                || schema.get("const") == Some(&Json::Null)
                || schema
                    .get("enum")
                    .is_some_and(|values| *values == Json::Array(vec![Json::Null]))
        };
        let listed = value.items();
        let others: Vec<(usize, &Json)> = listed.iter().enumerate().filter(|(_, one)| !is_null(one)).collect();
        let nullable = others.len() < listed.len();
        let mut converted: Vec<Json> = others
            .iter()
            .map(|(n, one)| self.schema(one, &format!("{at}/{n}")))
            .collect();
        match (nullable, converted.len()) {
            // One or nothing.
            (true, 1) => {
                let one = converted.remove(0);
                let mut parts = out.remove("allOf").map(|all| all.items().to_vec()).unwrap_or_default();
                parts.push(one);
                out.set("allOf", Json::Array(parts));
            }
            (_, 0) => {}
            _ => out.set(name, Json::Array(converted)),
        }
        nullable
    }

    fn list(&mut self, value: &Json, at: &str) -> Json {
        let items = value.items().iter().enumerate();
        Json::Array(items.map(|(n, one)| self.schema(one, &format!("{at}/{n}"))).collect())
    }

    fn named(&mut self, value: &Json, at: &str) -> Json {
        let members = value.members().iter();
        Json::Object(
            members
                .map(|(name, one)| (name.clone(), self.schema(one, &join(at, name))))
                .collect(),
        )
    }

    fn properties(&mut self, value: &Json, at: &str) -> Json {
        let members = value.members().iter();
        // A property that no value fits is never there.
        let possible = members.filter(|(_, one)| one.as_bool() != Some(false));
        Json::Object(
            possible
                .map(|(name, one)| (name.clone(), self.schema(one, &join(at, name))))
                .collect(),
        )
    }

    /// A list whose items are described by their places.
    fn tuple(&mut self, schema: &Json, places: &Json, at: &str, out: &mut Json) {
        let mut kinds: Vec<Json> = places
            .items()
            .iter()
            .enumerate()
            .map(|(n, one)| self.schema(one, &format!("{at}/{n}")))
            .collect();
        if let Some(rest) = schema.get("items").filter(|rest| rest.as_bool() != Some(false)) {
            kinds.push(self.schema(rest, at));
        }
        let all_alike = kinds.windows(2).all(|pair| pair[0] == pair[1]);
        match kinds.pop().filter(|_| all_alike) {
            Some(one) => out.set("items", one),
            None => {
                self.tell(
                    at,
                    Weight::Meaning,
                    "`prefixItems` of several kinds: each item is read as any JSON",
                );
                out.set("items", Json::Object(Vec::new()));
            }
        }
    }

    /// Members whose names are of a pattern.
    fn patterns(&mut self, schema: &Json, patterns: &Json, at: &str, out: &mut Json) {
        let more = schema.get("additionalProperties");
        let is_closed = more.is_none_or(|more| more.as_bool().is_some());
        match patterns.members() {
            [(pattern, one)] if is_closed && schema.get("properties").is_none() => {
                let one = self.schema(one, &join(at, pattern));
                out.set("additionalProperties", one);
            }
            [] => {
                if let Some(more) = more {
                    let more = match more {
                        Json::Bool(_) => more.clone(),
                        more => self.schema(more, at),
                    };
                    out.set("additionalProperties", more);
                }
            }
            _ => {
                self.tell(
                    at,
                    Weight::Meaning,
                    "`patternProperties`: such members are read as any JSON",
                );
                out.set("additionalProperties", Json::Object(Vec::new()));
            }
        }
    }
}

/// The type of all values of an enum, where they have one.
fn kind_of_all(values: &Json) -> Option<&'static str> {
    let mut kinds = values.items().iter().filter_map(|value| match value {
        Json::String(_) => Some("string"),
        Json::Bool(_) => Some("boolean"),
        Json::Number(digits) if digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => Some("integer"),
        Json::Number(_) => Some("number"),
        Json::Array(_) => Some("array"),
        Json::Object(_) => Some("object"),
        Json::Null => None,
    });
    let first = kinds.next()?;
    kinds.all(|kind| kind == first).then_some(first)
}

/// `type` first, then whether it may be null: the rest as it came.
fn in_order(mut schema: Json) -> Json {
    let Json::Object(members) = &mut schema else {
        return schema;
    };
    members.sort_by_key(|(name, _)| match name.as_str() {
        "type" => 0,
        "nullable" => 1,
        _ => 2,
    });
    schema
}

/// The example that is kept of several: the first, unless a later number has more digits, for which there must be room.
fn one_of(examples: &[Json]) -> Option<&Json> {
    let digits = |example: &Json| match example {
        Json::Number(text) => text.len(),
        _ => 0,
    };
    examples
        .iter()
        .reduce(|kept, next| if digits(next) > digits(kept) { next } else { kept })
}
