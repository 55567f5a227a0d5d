//! From the schemas of a bundle to those that progenitor reads.

use std::collections::{BTreeMap, BTreeSet};

use finrail_spec::media_type::BodyKind;
use finrail_spec::pointer::token;
use finrail_spec::vocabulary::Lenient;
use serde_json::{Map, Value, json};

use crate::document::Document;
use crate::error::Error;
use crate::format;
use crate::notes::{FieldNotes, SchemaNotes};
use crate::prose::prose;
use crate::shared::SHARED;
use finrail_spec::names::{is_snake_case, pascal_case, snake_case, variant_name, variant_problem};

/// Names that the module of the types uses itself.
const TYPES_TAKEN: [&str; 6] = ["Default", "Err", "None", "Ok", "Self", "Some"];

/// What the body of a request is called in the text of a problem.
const BODY: &str = "request body";

/// Where a schema stands, for the text of a problem.
#[derive(Clone)]
pub(crate) struct Place {
    owner: Owner,
    /// Its value is written as a text, whatever its type.
    in_parameter: bool,
    /// It is a field of a form, which has no `null`.
    in_form: bool,
    /// It is sent as a part of a body, or is the object of all parts.
    in_parts: bool,
    /// The way from there: `address.lines[]`.
    trail: String,
    /// The same as a JSON pointer.
    pointer: String,
}

#[derive(Clone)]
enum Owner {
    Schema(String),
    Operation(String, String),
}

impl Place {
    pub fn operation(id: &str, what: &str) -> Self {
        Self::of(Owner::Operation(id.to_owned(), what.to_owned()), String::new())
    }

    /// The body of an operation that is sent in parts.
    pub fn parts(id: &str) -> Self {
        Self {
            in_parts: true,
            ..Self::form(id)
        }
    }

    /// The JSON body of an operation.
    pub fn body(id: &str) -> Self {
        Self::operation(id, BODY)
    }

    /// The body of an operation that is sent as a form.
    pub fn form(id: &str) -> Self {
        Self {
            in_form: true,
            ..Self::body(id)
        }
    }

    pub fn parameter(id: &str, name: &str) -> Self {
        Self {
            in_parameter: true,
            ..Self::operation(id, &format!("parameter `{name}`"))
        }
    }

    fn schema(name: &str) -> Self {
        Self::of(
            Owner::Schema(name.to_owned()),
            format!("/components/schemas/{}", token(name)),
        )
    }

    fn of(owner: Owner, pointer: String) -> Self {
        Self {
            owner,
            in_parameter: false,
            in_form: false,
            in_parts: false,
            trail: String::new(),
            pointer,
        }
    }

    fn property(&self, name: &str) -> Self {
        let dot = if self.trail.is_empty() { "" } else { "." };
        self.inside(&format!("{dot}{name}"), &format!("/properties/{}", token(name)))
    }

    fn items(&self) -> Self {
        self.inside("[]", "/items")
    }

    fn values(&self) -> Self {
        self.inside("{}", "/additionalProperties")
    }

    fn inside(&self, trail: &str, pointer: &str) -> Self {
        Self {
            owner: self.owner.clone(),
            in_parameter: self.in_parameter,
            in_form: self.in_form,
            in_parts: self.in_parts,
            trail: format!("{}{trail}", self.trail),
            pointer: format!("{}{pointer}", self.pointer),
        }
    }
}

/// The schemas of a document on their way to progenitor, and what was found on it.
pub(crate) struct Schemas<'a> {
    document: &'a Document,
    /// What is wrong, in the order in which it was met: with schemas, and with the operations that lead to them.
    pub errors: Vec<Error>,
    /// What the passes over the tree need to know of each named schema.
    pub notes: BTreeMap<String, SchemaNotes>,
    /// Objects and enums without a name, under the one that they were given.
    hoisted: Map<String, Value>,
    /// The same as they stand in the document.
    unnamed: BTreeMap<String, Value>,
    /// Named schemas that JSON bodies of requests are made of.
    sent: BTreeSet<String>,
}

impl<'a> Schemas<'a> {
    pub fn of(document: &'a Document) -> Self {
        Self {
            document,
            errors: Vec::new(),
            notes: BTreeMap::new(),
            hoisted: Map::new(),
            unnamed: BTreeMap::new(),
            sent: sent(&document.json),
        }
    }

    /// Those under `components.schemas`, those of the library, and those that were hoisted up to now.
    pub fn named_schemas(&mut self) -> Map<String, Value> {
        // The shared ones are Rust types of the library, whether they are written out here or not.
        let mut out: Map<String, Value> = SHARED
            .iter()
            .map(|name| ((*name).to_owned(), json!({ "type": "object" })))
            .collect();
        let schemas = &self.document.json["components"]["schemas"];
        for (name, schema) in schemas.as_object().into_iter().flatten() {
            if SHARED.contains(&name.as_str()) {
                continue;
            }
            let place = Place::schema(name);
            let named = pascal_case(name);
            if named != *name || !name.starts_with(|c: char| c.is_ascii_uppercase()) {
                self.complain(
                    &place,
                    format!("a schema's name is PascalCase and begins with a letter: `{named}`"),
                );
            }
            if TYPES_TAKEN.contains(&name.as_str()) {
                self.complain(&place, "this name is taken by Rust; give it another".to_owned());
            }
            if schema["x-wrapper-key"] == json!(true) && schemas.get(format!("{name}Visitor")).is_some() {
                self.complain(
                    &place,
                    format!("its code needs the name `{name}Visitor`, which is taken"),
                );
            }
            if let Some(circle) = self.circle(name) {
                self.complain(&place, format!("it leads to itself and to nothing else ({circle})"));
                continue;
            }
            if schema["nullable"] == json!(true) {
                self.complain(
                    &place,
                    "a named schema is not `nullable`; say so where it is used".to_owned(),
                );
            }
            let schema = self.named(&place, name, schema);
            out.insert(name.clone(), schema);
        }
        out.append(&mut self.hoisted);
        out
    }

    /// The way round, where a schema is only another name for another, and that one for it.
    fn circle(&self, name: &str) -> Option<String> {
        let schemas = &self.document.json["components"]["schemas"];
        let mut way = vec![name];
        loop {
            let schema = &schemas[*way.last()?];
            let next = reference(schema).or_else(|| match schema["allOf"].as_array().map(Vec::as_slice) {
                Some([one]) => reference(one),
                _ => None,
            })?;
            if way.contains(&next) {
                way.push(next);
                return (next == name).then(|| way.join(" -> "));
            }
            way.push(next);
        }
    }

    /// A schema under `components.schemas`, or one that was hoisted there.
    fn named(&mut self, place: &Place, name: &str, schema: &Value) -> Value {
        self.notes.entry(name.to_owned()).or_default().description = text(schema, "description");
        self.bare(place, name, schema)
    }

    /// A schema in any place: objects and enums get a name of their own.
    pub fn schema(&mut self, place: &Place, name: &str, schema: &Value) -> Value {
        let is_object =
            schema["type"] == "object" && schema.get("properties").is_some() && schema.get("x-lenient").is_none();
        let is_enum = schema["type"] == "string" && schema.get("enum").is_some() && schema.get("x-lenient").is_none();
        if !is_object && !is_enum {
            return self.bare(place, name, schema);
        }
        // The same in several replies of one operation is one type.
        if self.unnamed.get(name) == Some(schema) {
            return json!({ "$ref": format!("#/components/schemas/{name}") });
        }
        let name = &self.free_name(name);
        self.unnamed.insert(name.clone(), schema.clone());
        self.hoisted.insert(name.to_owned(), Value::Null);
        let mut inner = self.named(place, name, schema);
        // Whether the value may be null belongs to the place, not to the type.
        if let Some(inner) = inner.as_object_mut() {
            inner.remove("nullable");
        }
        self.hoisted.insert(name.to_owned(), inner);
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    /// A name that no schema has: the one that is given, or the same with a number.
    fn free_name(&self, name: &str) -> String {
        let named = &self.document.json["components"]["schemas"];
        let is_free = |name: &String| {
            named.get(name).is_none() && !self.hoisted.contains_key(name) && !SHARED.contains(&name.as_str())
        };
        let numbered = (2..).map(|number| format!("{name}{number}"));
        std::iter::once(name.to_owned())
            .chain(numbered)
            .find(is_free)
            .unwrap_or_default()
    }

    /// The schema that a reference, or an `allOf` of one, leads to; circles are refused elsewhere.
    pub fn resolve<'v>(&'v self, schema: &'v Value) -> &'v Value {
        let mut schema = schema;
        for _ in 0..32 {
            let inner = match schema["allOf"].as_array().map(Vec::as_slice) {
                Some([one]) => one,
                _ => schema,
            };
            match reference(inner) {
                Some(name) if !SHARED.contains(&name) => schema = &self.document.json["components"]["schemas"][name],
                _ => return inner,
            }
        }
        schema
    }

    /// Whether what stands there is sent as JSON.
    fn is_sent(&self, place: &Place) -> bool {
        match &place.owner {
            Owner::Schema(name) => self.sent.contains(name),
            Owner::Operation(_, what) => what == BODY && !place.in_form,
        }
    }

    fn complain(&mut self, place: &Place, reason: String) {
        let reason = if place.trail.is_empty() {
            reason
        } else {
            format!("`{}`: {reason}", place.trail)
        };
        let error = match &place.owner {
            Owner::Schema(name) => self
                .document
                .error_at(&place.pointer, format!("schema `{name}`: {reason}")),
            Owner::Operation(id, what) => self.document.error(Some(id), format!("{what}: {reason}")),
        };
        self.errors.push(error);
    }

    fn bare(&mut self, place: &Place, name: &str, schema: &Value) -> Value {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = reference.strip_prefix("#/components/schemas/");
            match target {
                Some(target) if SHARED.contains(&target) => {}
                Some(target) if self.document.json["components"]["schemas"].get(target).is_some() => {}
                _ => self.complain(place, format!("`{reference}` leads nowhere")),
            }
            return json!({ "$ref": reference });
        }
        let mut out = match self.kind(place, name, schema) {
            Ok(out) => out,
            Err(reason) => {
                self.complain(place, reason);
                json!({ "type": "string" })
            }
        };
        if schema["nullable"] == json!(true) && out.get("$ref").is_none() {
            out["nullable"] = json!(true);
        }
        if let Some(text) = schema.get("description").filter(|_| out.get("$ref").is_none()) {
            out["description"] = text.clone();
        }
        out
    }

    fn kind(&mut self, place: &Place, name: &str, schema: &Value) -> Result<Value, String> {
        let typed = |format: &str| json!({ "type": "string", "format": format });
        if let Some(lenient) = schema.get("x-lenient") {
            let lenient: Lenient = serde_json::from_value(lenient.clone())
                .map_err(|e| format!("`x-lenient`: {e}; see https://docs.rs/finrail-codegen"))?;
            match lenient {
                Lenient::Boolean => return Ok(typed(format::BOOLEAN)),
                Lenient::String => return Ok(typed(format::STRING)),
                Lenient::DateTime => return Ok(typed(format::TIMESTAMP)),
                Lenient::Array if schema["type"] != "array" => {
                    return Err("`x-lenient: array` is for a schema of type `array`".to_owned());
                }
                Lenient::Array => {}
                Lenient::Object => self.object_or_text(place, name, schema)?,
            }
        }
        for union in ["oneOf", "anyOf", "not"] {
            if schema.get(union).is_some() {
                return Err(format!(
                    "`{union}` would become an enum that guesses; use `x-wrapper-key` for kinds named by a key, or `x-lenient`"
                ));
            }
        }
        if let Some(all) = schema["allOf"].as_array() {
            let [one] = all.as_slice() else {
                return Err("`allOf` of several schemas is not supported; write the properties out".to_owned());
            };
            let is_this = matches!(&place.owner, Owner::Schema(owner) if owner == name && place.trail.is_empty());
            return Ok(if is_this {
                self.bare(place, name, one)
            } else {
                self.schema(place, name, one)
            });
        }
        match schema["type"].as_str() {
            Some("object") => self.object(place, name, schema),
            Some("array") => {
                let Some(items) = schema.get("items") else {
                    return Err("an array needs `items`".to_owned());
                };
                self.no_elements_with_code(&place.items(), items);
                let items = or_null(self.schema(&place.items(), &format!("{name}Item"), items), items);
                Ok(json!({ "type": "array", "items": items }))
            }
            Some("string") => match (schema.get("enum"), schema["format"].as_str()) {
                (Some(values), _) => self.values(name, values, schema["nullable"] == json!(true)),
                (None, Some("decimal")) => Ok(typed(format::DECIMAL)),
                (None, Some("password")) => Ok(typed(format::SECRET)),
                (None, Some("binary")) if place.in_parts => Ok(typed(format::FILE)),
                (None, Some(known @ ("date" | "date-time" | "uuid" | "binary"))) => Ok(typed(known)),
                (None, _) => Ok(json!({ "type": "string" })),
            },
            Some("number") => match schema["format"].as_str() {
                Some("decimal") => Ok(json!({ "type": "number", "format": format::DECIMAL })),
                _ => Err(
                    "a `number` would become a binary float; write `format: decimal`, or `type: integer`".to_owned(),
                ),
            },
            Some("integer") => Ok(match schema["format"].as_str() {
                Some(known @ ("int32" | "int64")) => json!({ "type": "integer", "format": known }),
                _ => json!({ "type": "integer", "format": "int64" }),
            }),
            Some("boolean") => Ok(json!({ "type": "boolean" })),
            Some(other) => Err(format!("type `{other}` is not one of OpenAPI 3.0's")),
            None if !schema.is_object() => Err(format!("`{schema}` is no schema")),
            None if schema["type"].is_array() => {
                Err("a list of types is OpenAPI 3.1's; write one type, and `nullable: true` for null".to_owned())
            }
            None => match ["properties", "items", "enum", "format", "additionalProperties"]
                .iter()
                .find(|key| schema.get(**key).is_some())
            {
                Some(key) => Err(format!("`{key}` without a `type`; without it any JSON would do")),
                None => Ok(json!({})),
            },
        }
    }

    /// `x-lenient: object`: which property a text in place of the object is.
    fn object_or_text(&mut self, place: &Place, name: &str, schema: &Value) -> Result<(), String> {
        let is_named = matches!(&place.owner, Owner::Schema(owner) if owner == name && place.trail.is_empty());
        if !is_named {
            return Err("`x-lenient: object` is for a schema with a name; put it under components.schemas".to_owned());
        }
        let mut properties = schema["properties"].as_object().into_iter().flatten();
        match (properties.next(), properties.next()) {
            (Some((_, property)), None)
                if schema["type"] == "object"
                    && schema["required"].as_array().is_none_or(Vec::is_empty)
                    && property["type"] == "string"
                    && ["enum", "format", "x-lenient"]
                        .iter()
                        .all(|key| property.get(*key).is_none()) => {}
            _ => {
                return Err(
                    "`x-lenient: object` is for an object with one property, a plain optional string: a text in its place is that property"
                        .to_owned(),
                );
            }
        }
        if let Some(notes) = self.notes.get_mut(name) {
            notes.or_text = true;
        }
        Ok(())
    }

    /// Decimals and lenient values are read by code that a field names, and an element has no field.
    fn no_elements_with_code(&mut self, place: &Place, element: &Value) {
        let lenient = matches!(element["x-lenient"].as_str(), Some("boolean" | "string"));
        if !place.in_parameter && (lenient || element["format"] == "decimal") {
            self.complain(place, "a decimal or a lenient value is a property of an object, not an element of a list, a map or a kind; give it a name under components.schemas".to_owned());
        }
    }

    /// An enum. typify is told stand-ins for the values, so that it has nothing to guess at.
    fn values(&mut self, name: &str, values: &Value, nullable: bool) -> Result<Value, String> {
        let values: Vec<&Value> = values
            .as_array()
            .into_iter()
            .flatten()
            .filter(|value| !(nullable && value.is_null()))
            .collect();
        if values.is_empty() {
            return Err("the `enum` is empty; list its values, or leave it out".to_owned());
        }
        if let Some(other) = values.iter().find(|value| !value.is_string()) {
            return Err(format!("the `enum` of strings has `{other}`, which is no string"));
        }
        let texts: Vec<String> = values
            .iter()
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect();
        let way_out = "leave one out: it survives as `Unknown`";
        if let Some(problem) = variant_problem(texts.iter().map(String::as_str), way_out) {
            return Err(format!("`enum`: {problem}"));
        }
        if texts
            .iter()
            .any(|text| variant_name(text).as_deref() == Some("Unknown"))
            && let Some(other) = texts
                .iter()
                .find(|text| variant_name(text).as_deref() == Some("ValueUnknown"))
        {
            return Err(format!(
                "`enum`: `{other}` has the name that a listed `unknown` gets; {way_out}"
            ));
        }
        let stand_ins: Vec<String> = (0..texts.len()).map(|n| format!("V{n}")).collect();
        if let Some(notes) = self.notes.get_mut(name) {
            notes.values = texts;
        }
        Ok(json!({ "type": "string", "enum": stand_ins }))
    }

    fn object(&mut self, place: &Place, name: &str, schema: &Value) -> Result<Value, String> {
        let required: BTreeSet<&str> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if let Some(missing) = required.iter().find(|key| schema["properties"].get(**key).is_none()) {
            return Err(format!("`required` names `{missing}`, which is no property"));
        }
        if schema["additionalProperties"] == json!(false) {
            return Err("`additionalProperties: false`: a provider may add a field; leave it out".to_owned());
        }
        let tag = schema["x-tag"].as_str();
        let wrapper = schema["x-wrapper-key"] == json!(true) || tag.is_some();
        let keyword = if tag.is_some() { "x-tag" } else { "x-wrapper-key" };
        let Some(properties) = schema["properties"].as_object() else {
            if wrapper {
                return Err(format!("`{keyword}` needs `properties`: each names a kind"));
            }
            return Ok(match schema.get("additionalProperties") {
                Some(values @ Value::Object(object)) if !object.is_empty() => {
                    self.no_elements_with_code(&place.values(), values);
                    let values = or_null(self.schema(&place.values(), &format!("{name}Value"), values), values);
                    json!({ "type": "object", "additionalProperties": values })
                }
                _ => json!({ "type": "object" }),
            });
        };
        if wrapper {
            if properties.is_empty() {
                return Err(format!("`{keyword}` needs `properties`: each names a kind"));
            }
            let kinds = properties.keys().map(String::as_str);
            if let Some(problem) = variant_problem(kinds, "one of them has to be left out: it survives as `Unknown`") {
                return Err(format!("`{keyword}`: {problem}"));
            }
            if let Some(kind) = properties
                .keys()
                .find(|kind| variant_name(kind).as_deref() == Some("Unknown"))
            {
                return Err(format!(
                    "`{keyword}`: the kind `{kind}` has the name of the kind that is not known; leave it out"
                ));
            }
        }
        let mut out = Map::new();
        let mut out_required = Vec::new();
        for (wire, property) in properties {
            let inner_place = place.property(wire);
            let rust = match property["x-rust-name"].as_str() {
                Some(given) => given.to_owned(),
                None => snake_case(wire),
            };
            if let Some(reason) = property_name_problem(&rust, &out, schema) {
                self.complain(&inner_place, reason);
                continue;
            }
            if wrapper {
                self.no_elements_with_code(&inner_place, property);
            }
            let inner_name = format!("{name}{}", pascal_case(&rust));
            let property_schema = self.schema(&inner_place, &inner_name, property);
            let notes = FieldNotes {
                wire: wire.clone(),
                // A bare reference says what it is about by the schema that it names.
                description: text(property, "description").or_else(|| text(self.resolve(property), "description")),
                aliases: property["x-aliases"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|a| a.as_str().map(str::to_owned))
                    .collect(),
                lenient_array: property["x-lenient"] == "array",
                null_where_none: property["nullable"] == json!(true)
                    && required.contains(wire.as_str())
                    && !wrapper
                    && self.is_sent(place),
            };
            if let Some(notes_of_schema) = self.notes.get_mut(name) {
                notes_of_schema.fields.insert(rust.clone(), notes);
                notes_of_schema.wrapper = wrapper;
                notes_of_schema.tag = tag.map(str::to_owned);
            }
            // `null` reads as absent, so a required property that may be null is an optional one.
            if required.contains(wire.as_str()) && property["nullable"] != json!(true) && !wrapper {
                out_required.push(json!(rust));
            }
            out.insert(rust, property_schema);
        }
        let mut object = json!({ "type": "object", "properties": out, "required": out_required });
        // With `additionalProperties` beside properties the rest is kept, in a field of its own.
        if keeps_the_rest(schema) && !wrapper {
            object["additionalProperties"] = json!({});
            if let Some(notes_of_schema) = self.notes.get_mut(name) {
                notes_of_schema.is_known = schema["additionalProperties"] == json!({});
            }
        }
        Ok(object)
    }
}

/// An element that may be `null`, where the document says so: a list or a map keeps its place.
fn or_null(element: Value, described: &Value) -> Value {
    match described["nullable"] == json!(true) && element.get("$ref").is_some() {
        true => json!({ "allOf": [element], "nullable": true }),
        false => element,
    }
}

/// The text of a key, as documentation.
pub(crate) fn text(json: &Value, key: &str) -> Option<String> {
    json[key].as_str().map(prose)
}

/// The name that a `$ref` to a schema has.
pub(crate) fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

/// The named schemas that JSON bodies of requests are made of, and no form: a form has no `null`.
fn sent(document: &Value) -> BTreeSet<String> {
    let (mut sent, mut in_forms) = (BTreeSet::new(), BTreeSet::new());
    let paths = document["paths"].as_object().into_iter().flatten();
    for operation in paths.flat_map(|(_, item)| item.as_object().into_iter().flatten()) {
        let contents = operation.1["requestBody"]["content"].as_object();
        for (media_type, content) in contents.into_iter().flatten() {
            let found = match BodyKind::of(media_type) {
                Some(BodyKind::Json) => &mut sent,
                _ => &mut in_forms,
            };
            reach(document, &content["schema"], found);
        }
    }
    sent.retain(|name| !in_forms.contains(name));
    sent
}

/// Adds the named schemas that a part of a document leads to, however far.
fn reach(document: &Value, part: &Value, found: &mut BTreeSet<String>) {
    let mut queue = vec![part];
    while let Some(part) = queue.pop() {
        if let Some(name) = reference(part)
            && found.insert(name.to_owned())
        {
            queue.push(&document["components"]["schemas"][name]);
        }
        queue.extend(part.as_object().into_iter().flat_map(|members| members.values()));
        queue.extend(part.as_array().into_iter().flatten());
    }
}

fn keeps_the_rest(schema: &Value) -> bool {
    !matches!(schema.get("additionalProperties"), None | Some(Value::Bool(false)))
}

/// Why a property cannot be called `rust` beside those that are there.
fn property_name_problem(rust: &str, others: &Map<String, Value>, schema: &Value) -> Option<String> {
    if rust.is_empty() {
        return Some("it gives no Rust name; give it an `x-rust-name`".to_owned());
    }
    if !is_snake_case(rust) {
        return Some(format!("an `x-rust-name` is in snake_case: `{}`", snake_case(rust)));
    }
    if others.contains_key(rust) {
        return Some(format!(
            "it would be called `{rust}`, which is taken; give it an `x-rust-name`"
        ));
    }
    if rust == "extra" && keeps_the_rest(schema) {
        return Some(
            "it would be called `extra`, as the field with all that is not described; give it an `x-rust-name`"
                .to_owned(),
        );
    }
    None
}
