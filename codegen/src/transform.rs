//! From a bundle to the documents that progenitor reads: one per generated client.
//!
//! What progenitor would panic on, or would turn into something unfit for
//! money, is refused here with the operation's name and the way out.

use std::collections::{BTreeMap, BTreeSet};

use finrail_spec::media_type::{BodyKind, essence, is_json};
use finrail_spec::model::{METHODS, Operation};
use finrail_spec::vocabulary::{ClientKind, FormStyle};
use serde_json::{Map, Value, json};

use crate::document::{Document, is_in_steps};
use crate::error::Errors;
use crate::notes::{PartNotes, SchemaNotes};
use crate::schemas::{Place, Schemas, reference, text};
use crate::shared::SHARED;
use finrail_spec::names::{ident_name, is_header_name, is_snake_case, pascal_case, snake_case};

/// What progenitor reads for one client, and what it cannot be told.
pub(crate) struct Prepared {
    pub openapi: Value,
    /// (operation, Rust name) -> name on the wire.
    pub parameter_names: BTreeMap<(String, String), String>,
    /// (operation, Rust name) -> description.
    pub parameter_docs: BTreeMap<(String, String), String>,
    /// operation -> the parts of its body.
    pub parts: BTreeMap<String, Vec<PartNotes>>,
    /// What the passes over the tree need to know of each named schema.
    pub schemas: BTreeMap<String, SchemaNotes>,
}

/// Prepares the operations of one client kind.
pub(crate) fn prepare(document: &Document, kind: ClientKind) -> Result<Prepared, Errors> {
    let mut transform = Transform {
        document,
        schemas: Schemas::of(document),
        parameter_names: BTreeMap::new(),
        parameter_docs: BTreeMap::new(),
        parts: BTreeMap::new(),
    };
    let operations: Vec<&Operation> = document
        .operations
        .iter()
        .filter(|operation| operation.client == kind && !operation.browser)
        .collect();
    let paths = transform.paths(&operations);
    let schemas = transform.schemas.named_schemas();
    let Schemas { errors, notes, .. } = transform.schemas;
    if !errors.is_empty() {
        return Err(Errors(errors));
    }
    let schemas = reachable(&paths, schemas);
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
        parts: transform.parts,
        schemas: notes,
    })
}

struct Transform<'a> {
    document: &'a Document,
    schemas: Schemas<'a>,
    parameter_names: BTreeMap<(String, String), String>,
    parameter_docs: BTreeMap<(String, String), String>,
    parts: BTreeMap<String, Vec<PartNotes>>,
}

impl Transform<'_> {
    fn fail(&mut self, operation: &str, reason: impl Into<String>) {
        let error = self.document.error(Some(operation), reason);
        self.schemas.errors.push(error);
    }

    fn paths(&mut self, operations: &[&Operation]) -> Map<String, Value> {
        let mut paths = Map::new();
        for operation in operations {
            let json = &self.document.json["paths"][&operation.path][operation.method.to_lowercase()];
            let (path, json) = self.operation(operation, json);
            let entry = paths.entry(path).or_insert_with(|| json!({}));
            entry[operation.method.to_lowercase()] = json;
        }
        paths
    }

    /// The operation, and its path with the names that its parameters have in Rust.
    fn operation(&mut self, operation: &Operation, json: &Value) -> (String, Value) {
        let id = operation.id.as_str();
        let pascal = pascal_case(id);
        let mut out = json!({ "operationId": id });
        for key in ["summary", "description"] {
            if let Some(text) = json.get(key) {
                out[key] = text.clone();
            }
        }
        if ["OPTIONS", "TRACE"].contains(&operation.method.to_uppercase().as_str()) {
            self.fail(
                id,
                format!(
                    "no client sends `{}`; leave the operation out",
                    operation.method.to_uppercase()
                ),
            );
        }
        if json.get("servers").is_some() {
            self.fail(
                id,
                "it has `servers` of its own; name hosts at the root, with `x-client`",
            );
        }
        let document = self.document;
        let parameters = document.parameters(operation);
        self.check_path_parameters(operation, &parameters);
        let mut path = operation.path.clone();
        let mut names = BTreeMap::new();
        let mut list = Vec::new();
        for parameter in parameters {
            let wire = parameter["name"].as_str().unwrap_or_default();
            let Some((rust, out)) = self.parameter(operation, &pascal, parameter) else {
                continue;
            };
            if parameter["in"] == "path" {
                path = path.replace(&format!("{{{wire}}}"), &format!("{{{rust}}}"));
            }
            if let Some(first) = names.insert(rust.clone(), wire) {
                self.fail(
                    id,
                    if first == wire {
                        format!("parameter `{wire}` is there twice; give one an `x-rust-name`")
                    } else {
                        format!(
                            "parameters `{first}` and `{wire}` would both be called `{rust}`; give one an `x-rust-name`"
                        )
                    },
                );
            }
            list.push(out);
        }
        out["parameters"] = Value::Array(list);
        if let Some(body) = json.get("requestBody")
            && let Some(body) = self.request_body(operation, &pascal, body)
        {
            out["requestBody"] = body;
        }
        out["responses"] = self.responses(operation, &pascal, &json["responses"]);
        (path, out)
    }

    /// A parameter for progenitor, under its name in Rust.
    fn parameter(&mut self, operation: &Operation, parent: &str, parameter: &Value) -> Option<(String, Value)> {
        let id = operation.id.as_str();
        let wire = parameter["name"].as_str().unwrap_or_default();
        let place = parameter["in"].as_str().unwrap_or_default();
        if parameter.get("$ref").is_some() {
            self.fail(
                id,
                "a parameter is a `$ref`; write it in its place, or let `finrail import` make this file of the document",
            );
            return None;
        }
        if !["path", "query", "header"].contains(&place) {
            self.fail(
                id,
                format!("parameter `{wire}` is in `{place}`; path, query and header are supported"),
            );
            return None;
        }
        let Some(schema) = parameter.get("schema") else {
            self.fail(
                id,
                format!("parameter `{wire}` has no `schema`; `content` is not supported"),
            );
            return None;
        };
        if place == "path" && parameter["required"] != json!(true) {
            self.fail(id, format!("path parameter `{wire}` is not `required: true`"));
        }
        let rust = match parameter["x-rust-name"].as_str() {
            Some(name) => name.to_owned(),
            None => snake_case(wire),
        };
        if let Err(reason) = self.parameter_name(operation, wire, &rust) {
            self.fail(id, reason);
            return None;
        }
        if let Err(reason) = self.parameter_form(place, parameter, schema) {
            self.fail(id, format!("parameter `{wire}` {reason}"));
        }
        if rust != wire {
            self.parameter_names
                .insert((id.to_owned(), rust.clone()), wire.to_owned());
        }
        if let Some(text) = text(parameter, "description") {
            self.parameter_docs.insert((id.to_owned(), ident_name(&rust)), text);
        }
        let schema = self.schemas.schema(
            &Place::parameter(id, wire),
            &format!("{parent}{}", pascal_case(&rust)),
            schema,
        );
        let mut out = json!({ "name": rust, "in": place, "schema": schema });
        if parameter["required"] == json!(true) {
            out["required"] = json!(true);
        }
        Some((rust, out))
    }

    /// Whether a parameter can be called `rust`.
    fn parameter_name(&self, operation: &Operation, wire: &str, rust: &str) -> Result<(), String> {
        if rust.is_empty() {
            return Err(format!(
                "parameter `{wire}` gives no Rust name; give it an `x-rust-name`"
            ));
        }
        if !is_snake_case(rust) {
            return Err(format!(
                "parameter `{wire}`: an `x-rust-name` is in snake_case: `{}`",
                snake_case(rust)
            ));
        }
        let of_pages = ["pages", "items"].contains(&rust) && operation.pagination.is_some();
        let of_steps = ["prepare", "prepare_again"].contains(&rust) && is_in_steps(operation);
        if of_pages || of_steps || PARAMETERS_TAKEN.contains(&rust) {
            return Err(format!(
                "parameter `{wire}` would be called `{rust}`, which is taken; give it an `x-rust-name`"
            ));
        }
        Ok(())
    }

    /// How a parameter is written, and whether its type can be written so.
    fn parameter_form(&self, place: &str, parameter: &Value, schema: &Value) -> Result<(), String> {
        if let Some(style) = parameter["style"].as_str() {
            let plain = if place == "query" { "form" } else { "simple" };
            if style != plain {
                return Err(format!(
                    "has style `{style}`; write it as `{plain}` (a list in a query is a parameter named `name[]`)"
                ));
            }
        }
        if place == "header" {
            let name = parameter["name"].as_str().unwrap_or_default();
            if !is_header_name(name) {
                return Err("is no name of a header".to_owned());
            }
            if ["accept", "content-type", "authorization"].contains(&name.to_lowercase().as_str()) {
                return Err(
                    "is a header that the library writes itself; leave it out (`x-accept` and `security` are its data)"
                        .to_owned(),
                );
            }
        }
        let schema = self.schemas.resolve(schema);
        let composite = |schema: &Value| matches!(schema["type"].as_str(), Some("array" | "object"));
        match (place, schema["type"].as_str(), schema["format"].as_str()) {
            _ if schema.get("x-lenient").is_some() => Ok(()),
            ("query", Some("object"), _) => Err("is an object; a query carries texts and lists of texts".to_owned()),
            ("query", Some("array"), _) if parameter["explode"] == json!(false) => {
                Err("is a list with `explode: false`; lists are written as a repeated name".to_owned())
            }
            ("query", Some("array"), _) if composite(self.schemas.resolve(&schema["items"])) => {
                Err("is a list of lists or objects; a query carries texts and lists of texts".to_owned())
            }
            ("path" | "header", Some("array" | "object"), _) => {
                Err(format!("is a list or an object; a {place} carries one text"))
            }
            ("path" | "header", None, _) => {
                Err(format!("is any JSON; a {place} carries one text: write `type: string`"))
            }
            ("path" | "header", _, Some("password")) => Err(format!(
                "is a secret; in a {place} it would be written as it is printed, redacted"
            )),
            ("path" | "header", _, Some("date-time")) => Err(format!(
                "is a `date-time`, which a {place} would not carry in the form of RFC 3339; write `type: string`, or `x-lenient: date-time`"
            )),
            _ => Ok(()),
        }
    }

    fn check_path_parameters(&mut self, operation: &Operation, parameters: &[&Value]) {
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
        if body.get("$ref").is_some() {
            self.fail(
                id,
                "the request body is a `$ref`; write it in its place, or let `finrail import` make this file of the document",
            );
            return None;
        }
        let mut media = body["content"].as_object().into_iter().flatten();
        let Some((media_type, entry)) = media.next() else {
            self.fail(id, "the request body has no `content`");
            return None;
        };
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
        let Some(kind) = BodyKind::of(media_type) else {
            self.fail(
                id,
                format!(
                    "request bodies of type `{media_type}` are not supported; JSON, forms, `multipart/form-data` and bytes of \
                     one type are"
                ),
            );
            return None;
        };
        if entry.get("encoding").is_some() && matches!(kind, BodyKind::Json | BodyKind::Bytes) {
            let base = essence(media_type);
            self.fail(
                id,
                format!("the request body has `encoding`, which says nothing of `{base}`; leave it out"),
            );
        }
        let (sent, place) = match kind {
            BodyKind::Json => ("application/json", Place::body(id)),
            BodyKind::Form => {
                self.check_form(operation, entry, schema);
                (FORM, Place::form(id))
            }
            BodyKind::Parts => {
                self.check_parts(operation, entry, schema);
                (FORM, Place::parts(id))
            }
            BodyKind::Bytes => {
                if self.schemas.resolve(schema)["format"] != "binary" {
                    self.fail(
                        id,
                        format!("a body of type `{media_type}` is bytes: its schema is `type: string, format: binary`"),
                    );
                }
                return Some(json!({ "required": true, "content": {
                    "application/octet-stream": { "schema": { "type": "string", "format": "binary" } }
                } }));
            }
        };
        let schema = self.schemas.schema(&place, &format!("{parent}Body"), schema);
        Some(json!({ "required": true, "content": { sent: { "schema": schema } } }))
    }

    /// A body in parts is an object in its own place, with a part for each property.
    fn check_parts(&mut self, operation: &Operation, media: &Value, schema: &Value) {
        let id = operation.id.as_str();
        let Some(properties) = schema["properties"].as_object() else {
            self.fail(
                id,
                "a body in parts is an object with `properties`, written out in its place: a file is one only there",
            );
            return;
        };
        for (name, how) in media["encoding"].as_object().into_iter().flatten() {
            if !properties.contains_key(name) {
                self.fail(id, format!("`encoding.{name}` is of no property of the body"));
            }
            let media_type = how["contentType"].as_str();
            if media_type.is_some_and(|media_type| BodyKind::of(media_type).is_none()) {
                self.fail(
                    id,
                    format!("`encoding.{name}.contentType` is no media type; write one, as `application/pdf`"),
                );
            }
        }
        let mut parts = Vec::new();
        for (wire, property) in properties {
            let described = &self.schemas.resolve(property).clone();
            let item = &self.schemas.resolve(&described["items"]).clone();
            let is_file = |schema: &Value| schema["format"] == "binary";
            if !is_file(property) && is_file(described) || (!is_file(&described["items"]) && is_file(item)) {
                let wrong =
                    format!("part `{wire}` is a file by another schema's name; write `format: binary` in its place");
                self.fail(id, wrong);
            }
            if item["type"] == "array" {
                self.fail(id, format!("part `{wire}` is a list of lists, which parts cannot show"));
            }
            parts.push(PartNotes {
                wire: wire.clone(),
                rust: match property["x-rust-name"].as_str() {
                    Some(given) => given.to_owned(),
                    None => snake_case(wire),
                },
                is_file: is_file(described) || is_file(item),
                media_type: media["encoding"][wire]["contentType"].as_str().map(str::to_owned),
            });
        }
        self.parts.insert(id.to_owned(), parts);
    }

    /// A form knows texts, and lists and maps of texts where the specification says how they are written.
    fn check_form(&mut self, operation: &Operation, media: &Value, schema: &Value) {
        let id = operation.id.as_str();
        let schema = self.schemas.resolve(schema).clone();
        if reference(&schema).is_some_and(|name| SHARED.contains(&name)) {
            return;
        }
        if schema["type"] != "object" || !schema["properties"].is_object() {
            self.fail(id, "a form is an object with `properties`");
            return;
        }
        for name in media["encoding"].as_object().into_iter().flat_map(Map::keys) {
            if schema["properties"].get(name).is_none() {
                self.fail(id, format!("`encoding.{name}` is of no property of the form"));
            }
        }
        let forms = operation.sent().map(|content| &content.forms);
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if let Err(reason) = self.form_field(forms.and_then(|forms| forms.get(name)).copied(), property) {
                self.fail(id, format!("form field `{name}` {}", reason.replace("{name}", name)));
            }
        }
    }

    fn form_field(&self, style: Option<FormStyle>, property: &Value) -> Result<(), &'static str> {
        let property = self.schemas.resolve(property);
        if property.get("x-lenient").is_some() {
            return Ok(());
        }
        let composite = |schema: &Value| matches!(schema["type"].as_str(), Some("array" | "object"));
        match (property["type"].as_str(), style) {
            (Some("array" | "object"), None) => Err(
                "is a list or a map; say how it is written with `encoding.{name}.x-form: brackets`, `repeated` or `map`",
            ),
            (Some("array"), Some(FormStyle::Brackets | FormStyle::Repeated))
                if composite(self.schemas.resolve(&property["items"])) =>
            {
                Err("is a list of lists or objects; a form carries lists of texts")
            }
            (Some("array"), Some(FormStyle::Brackets | FormStyle::Repeated)) => Ok(()),
            (Some("object"), Some(FormStyle::Map)) if property.get("properties").is_some() => {
                Err("has `properties`; `x-form: map` writes a map of texts")
            }
            (Some("object"), Some(FormStyle::Map)) => Ok(()),
            (_, Some(FormStyle::Brackets)) => Err("is no list; `x-form: brackets` writes one"),
            (_, Some(FormStyle::Repeated)) => Err("is no list; `x-form: repeated` writes one"),
            (_, Some(FormStyle::Map)) => Err("is no map; `x-form: map` writes one"),
            (_, None) => Ok(()),
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
                    "a response is a `$ref`; write it in its place, or let `finrail import` make this file of the document",
                );
                continue;
            }
            let success = match status.as_bytes() {
                [b'2', b'X', b'X'] => true,
                [b'2', a, b] if a.is_ascii_digit() && b.is_ascii_digit() => true,
                [b'4' | b'5', b'X', b'X'] => false,
                [b'4' | b'5', a, b] if a.is_ascii_digit() && b.is_ascii_digit() => false,
                [b'3', ..] => {
                    self.fail(
                        id,
                        format!(
                            "response `{status}` is not supported: a call follows no redirect; mark the endpoint that a \
                             browser opens, the authorization endpoint, with `x-browser: true`"
                        ),
                    );
                    continue;
                }
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
            let (kind, content) = self.response_content(id, status, &format!("{parent}{suffix}"), response);
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
    fn response_content(&mut self, id: &str, status: &str, name: &str, response: &Value) -> (String, Option<Value>) {
        let mut content = response["content"].as_object().into_iter().flatten();
        let Some((media_type, entry)) = content.next() else {
            return ("has no body".to_owned(), None);
        };
        if content.next().is_some() {
            self.fail(
                id,
                format!("response `{status}` has several media types; keep the one that the client is to ask for"),
            );
        }
        if entry.get("encoding").is_some() {
            self.fail(
                id,
                format!("response `{status}` has `encoding`, which says nothing of a reply; leave it out"),
            );
        }
        if !is_json(essence(media_type)) {
            return (
                "is bytes".to_owned(),
                Some(json!({ "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } })),
            );
        }
        let Some(schema) = entry.get("schema") else {
            self.fail(id, format!("a response of type `{media_type}` has no `schema`"));
            return (String::new(), None);
        };
        let kind = match reference(schema) {
            Some(name) => format!("is `{name}`"),
            None => format!("is {schema}"),
        };
        let schema = self.schemas.schema(&Place::operation(id, "response"), name, schema);
        (kind, Some(json!({ "application/json": { "schema": schema } })))
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

/// Setters that a call's builder has anyway, and names that its code uses.
const PARAMETERS_TAKEN: [&str; 7] = ["body", "body_map", "client", "header_map", "new", "send", "with"];

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
