//! From a bundle to the documents that progenitor reads: one per generated client.
//!
//! What progenitor would panic on, or would turn into something unfit for
//! money, is refused here with the operation's name and the way out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::document::{Document, METHODS, Operation};
use crate::error::{Error, Errors};
use crate::vocabulary::{ClientKind, Lenient};

/// Formats that stand for the library's own types; see [`crate::generate`].
pub(crate) mod format {
    pub const DECIMAL: &str = "finrail-decimal";
    pub const SECRET: &str = "finrail-secret";
    pub const BOOLEAN: &str = "finrail-lenient-boolean";
    pub const STRING: &str = "finrail-lenient-string";
    pub const TIMESTAMP: &str = "finrail-timestamp";
}

/// The wire types that all providers share; they are Rust types of the library.
pub(crate) const SHARED: [&str; 4] = ["TokenRequest", "TokenResponse", "OAuthError", "RevocationRequest"];

/// What progenitor reads for one client, and what it cannot be told.
pub(crate) struct Prepared {
    pub openapi: Value,
    /// (operation, Rust name) -> name on the wire.
    pub parameter_names: BTreeMap<(String, String), String>,
    /// (operation, Rust name) -> description.
    pub parameter_docs: BTreeMap<(String, String), String>,
    /// What the passes over the tree need to know of each named schema.
    pub schemas: BTreeMap<String, SchemaNotes>,
}

/// What is known of a named schema beyond what progenitor understands.
#[derive(Default)]
pub(crate) struct SchemaNotes {
    pub description: Option<String>,
    /// Rust field name -> notes.
    pub fields: BTreeMap<String, FieldNotes>,
    pub wrapper: bool,
}

/// What is known of a property beyond what progenitor understands.
#[derive(Default)]
pub(crate) struct FieldNotes {
    pub wire: String,
    pub description: Option<String>,
    pub aliases: Vec<String>,
    pub lenient_array: bool,
}

/// Prepares the operations of one client kind.
pub(crate) fn prepare(document: &Document, kind: ClientKind) -> Result<Prepared, Errors> {
    let mut transform = Transform {
        document,
        errors: Vec::new(),
        schemas: BTreeMap::new(),
        hoisted: Map::new(),
        parameter_names: BTreeMap::new(),
        parameter_docs: BTreeMap::new(),
    };
    let operations: Vec<&Operation> = document
        .operations
        .iter()
        .filter(|operation| operation.client == kind && !operation.browser)
        .collect();
    let paths = transform.paths(&operations);
    let schemas = transform.component_schemas();
    if !transform.errors.is_empty() {
        return Err(Errors(transform.errors));
    }
    let schemas = reachable(&paths, schemas);
    let notes = transform.schemas;
    let info = &document.json["info"];
    Ok(Prepared {
        openapi: json!({
            "openapi": "3.0.3",
            "info": { "title": info["title"], "version": info["version"], "description": info["description"] },
            "paths": paths,
            "components": { "schemas": schemas },
        }),
        parameter_names: transform.parameter_names,
        parameter_docs: transform.parameter_docs,
        schemas: notes,
    })
}

struct Transform<'a> {
    document: &'a Document,
    errors: Vec<Error>,
    schemas: BTreeMap<String, SchemaNotes>,
    hoisted: Map<String, Value>,
    parameter_names: BTreeMap<(String, String), String>,
    parameter_docs: BTreeMap<(String, String), String>,
}

impl Transform<'_> {
    fn fail(&mut self, operation: &str, reason: impl Into<String>) {
        self.errors.push(self.document.error(Some(operation), reason));
    }

    fn paths(&mut self, operations: &[&Operation]) -> Map<String, Value> {
        let mut seen = BTreeSet::new();
        let mut paths = Map::new();
        for operation in operations {
            if !seen.insert(operation.id.as_str()) {
                self.fail(
                    &operation.id,
                    "this `operationId` is used twice; every operation has its own",
                );
            }
            let item = &self.document.json["paths"][&operation.path];
            let json = self.operation(operation, item, &item[operation.method.to_lowercase()]);
            let entry = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
            entry[operation.method.to_lowercase()] = json;
        }
        paths
    }

    fn operation(&mut self, operation: &Operation, item: &Value, json: &Value) -> Value {
        let id = operation.id.as_str();
        let pascal = pascal_case(id);
        let mut out = json!({ "operationId": id });
        for key in ["summary", "description"] {
            if let Some(text) = json.get(key) {
                out[key] = text.clone();
            }
        }
        let shared = item["parameters"].as_array().into_iter().flatten();
        let own = json["parameters"].as_array().into_iter().flatten();
        let parameters: Vec<Value> = shared
            .chain(own)
            .map(|parameter| self.parameter(operation, &pascal, parameter))
            .collect();
        self.check_path_parameters(operation, &parameters);
        out["parameters"] = Value::Array(parameters);
        if let Some(body) = json.get("requestBody")
            && let Some(body) = self.request_body(operation, &pascal, body)
        {
            out["requestBody"] = body;
        }
        out["responses"] = self.responses(operation, &pascal, &json["responses"]);
        out
    }

    fn parameter(&mut self, operation: &Operation, parent: &str, parameter: &Value) -> Value {
        let id = operation.id.as_str();
        let wire = parameter["name"].as_str().unwrap_or_default();
        let place = parameter["in"].as_str().unwrap_or_default();
        if parameter.get("$ref").is_some() {
            self.fail(
                id,
                "a parameter is a `$ref`; bundles have them resolved: run `cargo xtask regen`",
            );
            return json!({});
        }
        if !["path", "query", "header"].contains(&place) {
            self.fail(
                id,
                format!("parameter `{wire}` is in `{place}`; path, query and header are supported"),
            );
        }
        if let Some(style) = parameter["style"].as_str() {
            let plain = if place == "query" { "form" } else { "simple" };
            if style != plain {
                self.fail(
                    id,
                    format!("parameter `{wire}` has style `{style}`; write it as `{plain}` (a list in a query is a parameter named `name[]`)"),
                );
            }
        }
        let Some(schema) = parameter.get("schema") else {
            self.fail(
                id,
                format!("parameter `{wire}` has no `schema`; `content` is not supported"),
            );
            return json!({});
        };
        if place == "path" && parameter["required"] != json!(true) {
            self.fail(id, format!("path parameter `{wire}` is not `required: true`"));
        }
        let rust = match parameter["x-rust-name"].as_str() {
            Some(name) => name.to_owned(),
            None => snake_case(wire),
        };
        // A path parameter keeps its name: it is also in the path template.
        let name = if place == "path" { wire.to_owned() } else { rust.clone() };
        if rust == "body" || rust == "client" {
            self.fail(
                id,
                format!("parameter `{wire}` would be called `{rust}`, which is taken; give it an `x-rust-name`"),
            );
        }
        if name != wire {
            self.parameter_names
                .insert((id.to_owned(), name.clone()), wire.to_owned());
        }
        if let Some(text) = parameter["description"].as_str() {
            self.parameter_docs
                .insert((id.to_owned(), snake_case(&rust)), crate::documentation::prose(text));
        }
        let context = format!("parameter `{wire}`");
        let schema = self.schema(
            Where::Operation(id, &context),
            &format!("{parent}{}", pascal_case(&rust)),
            schema,
        );
        let mut out = json!({ "name": name, "in": place, "schema": schema });
        if parameter["required"] == json!(true) {
            out["required"] = json!(true);
        }
        if let Some(text) = parameter.get("description") {
            out["description"] = text.clone();
        }
        out
    }

    fn check_path_parameters(&mut self, operation: &Operation, parameters: &[Value]) {
        let in_template: Vec<&str> = operation
            .path
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next())
            .collect();
        for name in &in_template {
            if !parameters.iter().any(|p| p["in"] == "path" && p["name"] == *name) {
                self.fail(
                    &operation.id,
                    format!("the path has `{{{name}}}` but no path parameter of that name"),
                );
            }
        }
        for parameter in parameters.iter().filter(|p| p["in"] == "path") {
            let name = parameter["name"].as_str().unwrap_or_default();
            if !in_template.contains(&name) {
                self.fail(
                    &operation.id,
                    format!("path parameter `{name}` is not in the path `{}`", operation.path),
                );
            }
        }
    }

    fn request_body(&mut self, operation: &Operation, parent: &str, body: &Value) -> Option<Value> {
        let id = operation.id.as_str();
        let content = body["content"].as_object()?;
        let mut media = content.iter();
        let (media_type, entry) = media.next()?;
        if media.next().is_some() {
            self.fail(
                id,
                "the request body has several media types; keep the one that the client is to send",
            );
        }
        let Some(schema) = entry.get("schema") else {
            self.fail(id, "the request body has no `schema`");
            return None;
        };
        let base = media_type.split(';').next().unwrap_or_default().trim();
        let sent = if is_json(base) {
            "application/json"
        } else if base == "application/x-www-form-urlencoded" {
            self.check_form(operation, schema);
            base
        } else {
            self.fail(
                id,
                format!("request bodies of type `{media_type}` are not supported; JSON types and application/x-www-form-urlencoded are"),
            );
            return None;
        };
        let schema = self.schema(Where::Operation(id, "request body"), &format!("{parent}Body"), schema);
        Some(json!({ "required": true, "content": { sent: { "schema": schema } } }))
    }

    /// A form knows texts, and lists and maps of texts where the specification says how they are written.
    fn check_form(&mut self, operation: &Operation, schema: &Value) {
        let schema = self.resolve(schema).clone();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let property = self.resolve(property);
            let styled = operation.form.contains_key(name);
            let composite = matches!(property["type"].as_str(), Some("array" | "object"));
            if composite && !styled {
                self.fail(
                    &operation.id,
                    format!("form field `{name}` is a list or a map; say how it is written with `encoding.{name}.x-form: brackets` or `map`"),
                );
            } else if property["type"] == "number" {
                self.fail(
                    &operation.id,
                    format!(
                        "form field `{name}` is a number; a form carries text: write `type: string, format: decimal`"
                    ),
                );
            }
        }
    }

    fn resolve<'v>(&'v self, schema: &'v Value) -> &'v Value {
        match schema["$ref"]
            .as_str()
            .and_then(|r| r.strip_prefix("#/components/schemas/"))
        {
            Some(name) => &self.document.json["components"]["schemas"][name],
            None => schema,
        }
    }

    fn responses(&mut self, operation: &Operation, parent: &str, responses: &Value) -> Value {
        let id = operation.id.as_str();
        let mut out = Map::new();
        let mut kinds: BTreeMap<bool, BTreeMap<String, String>> = BTreeMap::new();
        let mut any_success = false;
        for (status, response) in responses.as_object().into_iter().flatten() {
            if response.get("$ref").is_some() {
                self.fail(
                    id,
                    "a response is a `$ref`; bundles have them resolved: run `cargo xtask regen`",
                );
                continue;
            }
            let success = match status.as_bytes() {
                [b'2', ..] => true,
                [b'4' | b'5', ..] => false,
                _ => {
                    self.fail(
                        id,
                        format!(
                            "response `{status}` is not supported: name success statuses, and errors as `4XX` and `5XX`"
                        ),
                    );
                    continue;
                }
            };
            any_success |= success;
            let suffix = if success { "Response" } else { "Error" };
            let (kind, content) = self.response_content(id, &format!("{parent}{suffix}"), response);
            kinds.entry(success).or_default().insert(status.clone(), kind);
            let mut entry = json!({ "description": response["description"].as_str().unwrap_or("") });
            if let Some(content) = content {
                entry["content"] = content;
            }
            out.insert(status.clone(), entry);
        }
        if !any_success {
            self.fail(id, "no success response (2xx) is listed");
        }
        for (success, kinds) in kinds {
            let distinct: BTreeSet<&String> = kinds.values().collect();
            if distinct.len() > 1 {
                let what = if success { "success" } else { "error" };
                let list: Vec<String> = kinds.iter().map(|(status, kind)| format!("{status} {kind}")).collect();
                self.fail(
                    id,
                    format!(
                        "its {what} responses differ ({}); give all of them one schema, or none a body",
                        list.join(", ")
                    ),
                );
            }
        }
        Value::Object(out)
    }

    /// What kind of body a response has, in words that compare, and its content for progenitor.
    fn response_content(&mut self, id: &str, name: &str, response: &Value) -> (String, Option<Value>) {
        let Some(content) = response["content"].as_object().filter(|content| !content.is_empty()) else {
            return ("has no body".to_owned(), None);
        };
        let json_type = content
            .iter()
            .find(|(media_type, _)| is_json(media_type.split(';').next().unwrap_or("").trim()));
        match json_type {
            Some((media_type, entry)) => {
                let Some(schema) = entry.get("schema") else {
                    self.fail(id, format!("a response of type `{media_type}` has no `schema`"));
                    return (String::new(), None);
                };
                let kind = match schema["$ref"].as_str() {
                    Some(reference) => format!("is `{}`", reference.rsplit('/').next().unwrap_or(reference)),
                    None => format!("is {schema}"),
                };
                let schema = self.schema(Where::Operation(id, "response"), name, schema);
                (kind, Some(json!({ "application/json": { "schema": schema } })))
            }
            None => (
                "is bytes".to_owned(),
                Some(json!({ "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } })),
            ),
        }
    }

    fn component_schemas(&mut self) -> Map<String, Value> {
        let mut out = Map::new();
        let schemas = self.document.json["components"]["schemas"].clone();
        for (name, schema) in schemas.as_object().into_iter().flatten() {
            if SHARED.contains(&name.as_str()) {
                out.insert(name.clone(), json!({ "type": "object" }));
                continue;
            }
            if pascal_case(name) != *name {
                self.errors.push(
                    self.document
                        .schema_error(name, format!("schema names are PascalCase: `{}`", pascal_case(name))),
                );
            }
            let schema = self.named(name, schema);
            out.insert(name.clone(), schema);
        }
        out.append(&mut self.hoisted);
        out
    }

    /// A schema under `components.schemas`, or one that was hoisted there.
    fn named(&mut self, name: &str, schema: &Value) -> Value {
        self.schemas.entry(name.to_owned()).or_default().description = text(schema, "description");
        self.bare(Where::Schema(name), name, schema)
    }

    /// A schema in any place: objects and enums get a name of their own.
    fn schema(&mut self, place: Where<'_>, name: &str, schema: &Value) -> Value {
        let is_object =
            schema["type"] == "object" && schema.get("properties").is_some() && schema.get("x-lenient").is_none();
        let is_enum = schema.get("enum").is_some() && schema.get("x-lenient").is_none();
        if !is_object && !is_enum {
            return self.bare(place, name, schema);
        }
        let taken = self.document.json["components"]["schemas"].get(name).is_some() || self.hoisted.contains_key(name);
        if taken {
            self.complain(
                place,
                format!(
                    "an unnamed schema here would be called `{name}`, which is taken; name it under components.schemas"
                ),
            );
        }
        self.hoisted.insert(name.to_owned(), Value::Null);
        let inner = self.named(name, schema);
        self.hoisted.insert(name.to_owned(), inner);
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    fn complain(&mut self, place: Where<'_>, reason: String) {
        match place {
            Where::Schema(name) => self.errors.push(self.document.schema_error(name, reason)),
            Where::Operation(id, what) => self.fail(id, format!("{what}: {reason}")),
        }
    }

    fn bare(&mut self, place: Where<'_>, name: &str, schema: &Value) -> Value {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = reference.strip_prefix("#/components/schemas/");
            match target {
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

    fn kind(&mut self, place: Where<'_>, name: &str, schema: &Value) -> Result<Value, String> {
        let typed = |format: &str| json!({ "type": "string", "format": format });
        if let Some(lenient) = schema.get("x-lenient") {
            let lenient: Lenient = serde_json::from_value(lenient.clone())
                .map_err(|e| format!("`x-lenient`: {e}; see specs/README.md"))?;
            match lenient {
                Lenient::Boolean => return Ok(typed(format::BOOLEAN)),
                Lenient::String => return Ok(typed(format::STRING)),
                Lenient::DateTime => return Ok(typed(format::TIMESTAMP)),
                Lenient::Array => {}
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
            return Ok(self.schema(place, name, one));
        }
        match schema["type"].as_str() {
            Some("object") => self.object(place, name, schema),
            Some("array") => {
                let Some(items) = schema.get("items") else {
                    return Err("an array needs `items`".to_owned());
                };
                let items = self.schema(place, &format!("{name}Item"), items);
                Ok(json!({ "type": "array", "items": items }))
            }
            Some("string") => Ok(match (schema.get("enum"), schema["format"].as_str()) {
                (Some(values), _) => {
                    let values: Vec<&Value> = values
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter(|v| v.is_string())
                        .collect();
                    json!({ "type": "string", "enum": values })
                }
                (None, Some("decimal")) => typed(format::DECIMAL),
                (None, Some("password")) => typed(format::SECRET),
                (None, Some(known @ ("date" | "date-time" | "uuid" | "binary"))) => typed(known),
                (None, _) => json!({ "type": "string" }),
            }),
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
            None => Ok(json!({})),
        }
    }

    fn object(&mut self, place: Where<'_>, name: &str, schema: &Value) -> Result<Value, String> {
        let Some(properties) = schema["properties"].as_object() else {
            return Ok(match schema.get("additionalProperties") {
                Some(values @ Value::Object(object)) if !object.is_empty() => {
                    let values = self.schema(place, &format!("{name}Value"), values);
                    json!({ "type": "object", "additionalProperties": values })
                }
                _ => json!({ "type": "object" }),
            });
        };
        if schema["additionalProperties"] == json!(false) {
            return Err("`additionalProperties: false`: a provider may add a field; leave it out".to_owned());
        }
        let wrapper = schema["x-wrapper-key"] == json!(true);
        let required: BTreeSet<&str> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut out = Map::new();
        let mut out_required = Vec::new();
        for (wire, property) in properties {
            let rust = match property["x-rust-name"].as_str() {
                Some(name) => name.to_owned(),
                None => snake_case(wire),
            };
            if out.contains_key(&rust) {
                return Err(format!(
                    "property `{wire}` would be called `{rust}`, which is taken; give it an `x-rust-name`"
                ));
            }
            let inner_name = format!("{name}{}", pascal_case(&rust));
            let property_schema = self.schema(place, &inner_name, property);
            let notes = FieldNotes {
                wire: wire.clone(),
                description: text(property, "description"),
                aliases: property["x-aliases"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|a| a.as_str().map(str::to_owned))
                    .collect(),
                lenient_array: property["x-lenient"] == "array",
            };
            if let Some(notes_of_schema) = self.schemas.get_mut(name) {
                notes_of_schema.fields.insert(rust.clone(), notes);
                notes_of_schema.wrapper = wrapper;
            }
            // `null` reads as absent, so a required property that may be null is an optional one.
            if required.contains(wire.as_str()) && property["nullable"] != json!(true) && !wrapper {
                out_required.push(json!(rust));
            }
            out.insert(rust, property_schema);
        }
        let mut object = json!({ "type": "object", "properties": out, "required": out_required });
        // With `additionalProperties` beside properties the rest is kept, in a field of its own.
        if !matches!(schema.get("additionalProperties"), None | Some(Value::Bool(false))) && !wrapper {
            object["additionalProperties"] = json!({});
        }
        Ok(object)
    }
}

/// Where a schema stands, for the text of a problem.
#[derive(Clone, Copy)]
enum Where<'a> {
    Schema(&'a str),
    Operation(&'a str, &'a str),
}

fn text(json: &Value, key: &str) -> Option<String> {
    json[key].as_str().map(crate::documentation::prose)
}

/// Whether a media type is JSON (RFC 6839 section 3.1).
pub(crate) fn is_json(media_type: &str) -> bool {
    let base = media_type.split(';').next().unwrap_or_default().trim();
    base == "application/json" || base.ends_with("+json")
}

/// The named schemas that the paths reach.
fn reachable(paths: &Map<String, Value>, schemas: Map<String, Value>) -> Map<String, Value> {
    let mut wanted = BTreeSet::new();
    for item in paths.values() {
        for method in METHODS {
            references(&item[method], &mut wanted);
        }
    }
    let mut queue: Vec<String> = wanted.iter().cloned().collect();
    while let Some(name) = queue.pop() {
        let mut inner = BTreeSet::new();
        references(schemas.get(&name).unwrap_or(&Value::Null), &mut inner);
        for name in inner {
            if wanted.insert(name.clone()) {
                queue.push(name);
            }
        }
    }
    schemas.into_iter().filter(|(name, _)| wanted.contains(name)).collect()
}

fn references(json: &Value, found: &mut BTreeSet<String>) {
    match json {
        Value::Object(object) => {
            if let Some(name) = object
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|r| r.strip_prefix("#/components/schemas/"))
            {
                found.insert(name.to_owned());
            }
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// `list_accounts`, `accountId` -> `ListAccounts`, `AccountId`.
pub(crate) fn pascal_case(name: &str) -> String {
    words(name).iter().map(|word| capitalise(word)).collect()
}

/// `accountId`, `PSU-IP-Address`, `id[]` -> `account_id`, `psu_ip_address`, `id`.
pub(crate) fn snake_case(name: &str) -> String {
    let snake = words(name)
        .iter()
        .map(|word| word.to_lowercase())
        .collect::<Vec<_>>()
        .join("_");
    if snake.starts_with(|c: char| c.is_ascii_digit()) {
        format!("_{snake}")
    } else {
        snake
    }
}

fn capitalise(word: &str) -> String {
    let mut chars = word.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars.flat_map(char::to_lowercase)).collect(),
        None => String::new(),
    }
}

/// Splits at everything that is not a letter or a digit, and where a capital follows a small letter.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let chars: Vec<char> = name.chars().collect();
    for (n, &c) in chars.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            words.push(String::new());
            continue;
        }
        let previous = n.checked_sub(1).map(|p| chars[p]);
        let next_is_small = chars.get(n + 1).is_some_and(char::is_ascii_lowercase);
        let starts = c.is_ascii_uppercase()
            && previous.is_some_and(|p| {
                p.is_ascii_lowercase() || p.is_ascii_digit() || (p.is_ascii_uppercase() && next_is_small)
            });
        if starts {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
