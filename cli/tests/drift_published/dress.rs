//! A specification of ours as its bank would publish it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// How a bank writes its document.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools)]
pub struct Dress {
    pub dialect: Dialect,
    /// The endpoints of the authorization server are paths too, not only addresses in flows.
    pub endpoints: bool,
    /// Bodies are `*/*`.
    pub any_media: bool,
    /// Objects are made of parts.
    pub parts: bool,
    /// Hosts have variables.
    pub variables: bool,
    /// Paths are references.
    pub references: bool,
    /// Identifiers in paths are numbers.
    pub numbers: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    #[default]
    OpenApi30,
    OpenApi31,
    Swagger2,
}

const PLAIN: Dress = Dress {
    dialect: Dialect::OpenApi30,
    endpoints: false,
    any_media: false,
    parts: false,
    variables: false,
    references: false,
    numbers: false,
};
const NEWER: Dress = Dress {
    dialect: Dialect::OpenApi31,
    ..PLAIN
};
const OLDER: Dress = Dress {
    dialect: Dialect::Swagger2,
    ..PLAIN
};

pub const DRESSES: [(&str, Dress); 11] = [
    ("3.0", PLAIN),
    (
        "3.0 with endpoints",
        Dress {
            endpoints: true,
            ..PLAIN
        },
    ),
    (
        "3.0 of any media",
        Dress {
            any_media: true,
            ..PLAIN
        },
    ),
    ("3.0 of parts", Dress { parts: true, ..PLAIN }),
    (
        "3.0 with variables",
        Dress {
            variables: true,
            ..PLAIN
        },
    ),
    (
        "3.0 by reference",
        Dress {
            references: true,
            ..PLAIN
        },
    ),
    ("3.0 with numbers", Dress { numbers: true, ..PLAIN }),
    ("3.1", NEWER),
    (
        "3.1 with all",
        Dress {
            endpoints: true,
            any_media: true,
            parts: true,
            variables: true,
            references: true,
            numbers: true,
            ..NEWER
        },
    ),
    ("2.0", OLDER),
    (
        "2.0 of parts",
        Dress {
            parts: true,
            numbers: true,
            endpoints: true,
            ..OLDER
        },
    ),
];

pub fn published(bundle: &Value, dress: Dress) -> Value {
    let mut document = bundle.clone();
    without_endpoints(&mut document, dress);
    document = plain(&document, "");
    names(&mut document);
    if dress.numbers {
        parameters(&mut document, &mut |parameter| {
            // `type` alone: whatever text it may be.
            if parameter["in"] == "path"
                && parameter["schema"]
                    .as_object()
                    .is_some_and(|schema| schema.len() == 1 && schema.contains_key("type"))
            {
                parameter["schema"] = json!({"type": "integer"});
            }
        });
    }
    each_schema(&mut document, &mut |schema| foreign(schema));
    if dress.parts {
        each_schema(&mut document, &mut |schema| of_parts(schema));
    }
    if dress.any_media {
        bodies(&mut document, &mut |content| {
            if let Some(described) = content.shift_remove("application/json") {
                content.insert("*/*".to_owned(), described);
            }
        });
    }
    if dress.variables {
        for server in document["servers"].as_array_mut().into_iter().flatten() {
            let url = server["url"].as_str().unwrap_or_default().to_owned();
            if let Some(host) = url.strip_prefix("https://").filter(|host| !host.contains('{')) {
                let (host, path) = host.split_at(host.find('/').unwrap_or(host.len()));
                server["url"] = json!(format!("https://{{host}}{path}"));
                server["variables"] = json!({"host": {"default": host}});
            }
        }
    }
    if dress.dialect == Dialect::OpenApi31 {
        each_schema(&mut document, &mut |schema| newer(schema));
        document["openapi"] = json!("3.1.0");
    }
    if dress.references {
        let paths = document["paths"].as_object().cloned().unwrap_or_default();
        let (mut items, mut named) = (Map::new(), Map::new());
        for (index, (path, item)) in paths.into_iter().enumerate() {
            items.insert(format!("Item{index}"), item);
            named.insert(path, json!({"$ref": format!("#/components/pathItems/Item{index}")}));
        }
        document["components"]["pathItems"] = Value::Object(items);
        document["paths"] = Value::Object(named);
    }
    match dress.dialect {
        Dialect::Swagger2 => older(&document),
        _ => document,
    }
}

/// Without what is only for us, and with a name for the scheme that is the bank's own.
fn without_endpoints(document: &mut Value, dress: Dress) {
    let is_of_oauth = |value: &Value| value["x-client"] == "oauth";
    let resources: Vec<Value> = document["servers"].as_array().cloned().unwrap_or_default();
    let (endpoints, others): (Vec<Value>, Vec<Value>) = resources.into_iter().partition(is_of_oauth);
    document["servers"] = Value::Array(others);
    let mut paths = document["paths"].as_object().cloned().unwrap_or_default();
    for item in paths.values_mut() {
        let Some(item) = item.as_object_mut() else { continue };
        let mut has_endpoint = false;
        item.retain(|_, operation| {
            has_endpoint |= is_of_oauth(operation);
            dress.endpoints || !is_of_oauth(operation)
        });
        if has_endpoint && dress.endpoints && !endpoints.is_empty() && dress.dialect != Dialect::Swagger2 {
            item.insert("servers".to_owned(), Value::Array(endpoints.clone()));
        }
    }
    paths.retain(|_, item| item.as_object().is_some_and(|item| !item.is_empty()));
    document["paths"] = Value::Object(paths);
}

/// Without extensions, examples and the words of ours for replies.
fn plain(value: &Value, key: &str) -> Value {
    match value {
        Value::Object(object) => {
            let keeps_all = [
                "properties",
                "headers",
                "scopes",
                "paths",
                "schemas",
                "variables",
                "mapping",
            ]
            .contains(&key);
            let mut out = Map::new();
            for (name, value) in object {
                if !keeps_all && (name.starts_with("x-") || name == "example" || name == "examples") {
                    continue;
                }
                let inner = if keeps_all { "" } else { name.as_str() };
                let value = plain(value, inner);
                match (key, name.as_str()) {
                    ("responses", "4XX") => {
                        out.insert("400".to_owned(), value.clone());
                        out.insert("401".to_owned(), value);
                    }
                    ("responses", "5XX") => drop(out.insert("default".to_owned(), value)),
                    ("", "operationId") if !keeps_all => drop(out.insert(name.clone(), camel(&value))),
                    _ => drop(out.insert(name.clone(), value)),
                }
            }
            Value::Object(out)
        }
        Value::Array(items) => items.iter().map(|item| plain(item, "")).collect(),
        other => other.clone(),
    }
}

fn camel(id: &Value) -> Value {
    let mut words = id.as_str().unwrap_or_default().split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(word.len().min(1));
        name = format!("{name}{}{rest}", first.to_uppercase());
    }
    json!(name)
}

/// Schemas and the security scheme under the bank's own names.
fn names(document: &mut Value) {
    let text = document.to_string();
    let names: Vec<String> = match document["components"]["schemas"].as_object() {
        Some(schemas) => schemas.keys().cloned().collect(),
        None => Vec::new(),
    };
    let mut text = text;
    for name in names {
        let reference = |name: &str| format!("\"#/components/schemas/{name}\"");
        text = text.replace(&reference(&name), &reference(&format!("{name}Dto")));
    }
    *document = serde_json::from_str(&text).unwrap_or_default();
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        let renamed = schemas
            .iter()
            .map(|(name, schema)| (format!("{name}Dto"), schema.clone()));
        *schemas = renamed.collect();
    }
    if let Some(schemes) = document["components"]["securitySchemes"].as_object_mut()
        && let Some(scheme) = schemes.shift_remove("oauth")
    {
        schemes.insert("BankLogin".to_owned(), scheme);
    }
    for item in document["paths"]
        .as_object_mut()
        .into_iter()
        .flat_map(|paths| paths.values_mut())
    {
        for operation in item.as_object_mut().into_iter().flat_map(|item| item.values_mut()) {
            for way in operation
                .get_mut("security")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                if let Some(way) = way.as_object_mut()
                    && let Some(scopes) = way.shift_remove("oauth")
                {
                    way.insert("BankLogin".to_owned(), scopes);
                }
            }
        }
    }
}

/// Every schema, the inner ones first.
fn each_schema(document: &mut Value, change: &mut dyn FnMut(&mut Map<String, Value>)) {
    fn schema(value: &mut Value, change: &mut dyn FnMut(&mut Map<String, Value>)) {
        let Some(object) = value.as_object_mut() else { return };
        for key in ["items", "additionalProperties", "not"] {
            object.get_mut(key).into_iter().for_each(|value| schema(value, change));
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            let parts = object.get_mut(key).and_then(Value::as_array_mut);
            parts.into_iter().flatten().for_each(|value| schema(value, change));
        }
        let properties = object.get_mut("properties").and_then(Value::as_object_mut);
        properties
            .into_iter()
            .flat_map(|all| all.values_mut())
            .for_each(|value| schema(value, change));
        change(object);
    }
    fn walk(value: &mut Value, change: &mut dyn FnMut(&mut Map<String, Value>)) {
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    match key.as_str() {
                        "schema" => schema(value, change),
                        "schemas" => {
                            let all = value.as_object_mut().into_iter().flat_map(|all| all.values_mut());
                            all.for_each(|value| schema(value, change));
                        }
                        _ => walk(value, change),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| walk(item, change)),
            _ => {}
        }
    }
    walk(document, change);
}

/// Without the words of our dialect.
fn foreign(schema: &mut Map<String, Value>) {
    if schema
        .get("format")
        .is_some_and(|format| format == "decimal" || format == "password")
    {
        schema.shift_remove("format");
    }
    if schema
        .get("additionalProperties")
        .is_some_and(|more| *more == json!({}) || *more == json!(true))
    {
        schema.shift_remove("additionalProperties");
    }
}

/// An object of two halves, and a reference with a title.
fn of_parts(schema: &mut Map<String, Value>) {
    if schema.contains_key("$ref") {
        let reference = std::mem::take(schema);
        schema.insert("allOf".to_owned(), json!([Value::Object(reference)]));
        schema.insert("description".to_owned(), json!(""));
        return;
    }
    let count = schema.get("properties").and_then(Value::as_object).map_or(0, Map::len);
    if count < 2 || schema.contains_key("allOf") {
        return;
    }
    let Some(Value::Object(properties)) = schema.shift_remove("properties") else {
        return;
    };
    let required: BTreeSet<String> = match schema.shift_remove("required") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => BTreeSet::new(),
    };
    let half = |first: bool| {
        let listed = properties
            .iter()
            .enumerate()
            .filter(|(index, _)| (index % 2 == 0) == first);
        let properties: Map<String, Value> = listed.map(|(_, (name, value))| (name.clone(), value.clone())).collect();
        let required: Vec<&String> = properties.keys().filter(|name| required.contains(*name)).collect();
        match required.is_empty() {
            true => json!({"type": "object", "properties": properties}),
            false => json!({"type": "object", "required": required, "properties": properties}),
        }
    };
    let parts = json!([half(true), half(false)]);
    schema.shift_remove("type");
    schema.insert("allOf".to_owned(), parts);
}

/// As OpenAPI 3.1 writes it.
fn newer(schema: &mut Map<String, Value>) {
    if schema.shift_remove("nullable") == Some(json!(true)) {
        match (schema.get("type").cloned(), schema.shift_remove("allOf")) {
            (Some(kind), _) => drop(schema.insert("type".to_owned(), json!([kind, "null"]))),
            (None, Some(Value::Array(mut parts))) => {
                let only = parts.pop().unwrap_or_default();
                schema.insert("anyOf".to_owned(), json!([only, {"type": "null"}]));
            }
            _ => {}
        }
    }
    if let Some([one]) = schema.get("enum").and_then(Value::as_array).map(Vec::as_slice) {
        let one = one.clone();
        schema.shift_remove("enum");
        schema.insert("const".to_owned(), one);
    }
}

fn operations(document: &mut Value, change: &mut dyn FnMut(&mut Map<String, Value>)) {
    let paths = document["paths"]
        .as_object_mut()
        .into_iter()
        .flat_map(|paths| paths.values_mut());
    for item in paths {
        for (name, operation) in item.as_object_mut().into_iter().flatten() {
            if let Some(operation) = operation.as_object_mut().filter(|_| name != "parameters") {
                change(operation);
            }
        }
    }
}

fn parameters(document: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    operations(document, &mut |operation| {
        let all = operation.get_mut("parameters").and_then(Value::as_array_mut);
        all.into_iter().flatten().for_each(&mut *change);
    });
}

fn bodies(document: &mut Value, change: &mut dyn FnMut(&mut Map<String, Value>)) {
    operations(document, &mut |operation| {
        let replies = operation.get_mut("responses").and_then(Value::as_object_mut);
        let replies = replies.into_iter().flat_map(|all| all.values_mut());
        for holder in replies {
            let content = holder.get_mut("content").and_then(Value::as_object_mut);
            content.into_iter().for_each(&mut *change);
        }
    });
}

/// As Swagger 2.0 writes it.
fn older(document: &Value) -> Value {
    let mut out =
        json!({"swagger": "2.0", "info": document["info"], "paths": {}, "definitions": {}, "securityDefinitions": {}});
    let url = document["servers"][0]["url"].as_str().unwrap_or_default();
    let place = url.strip_prefix("https://").unwrap_or_default();
    let (host, base) = place.split_at(place.find('/').unwrap_or(place.len()));
    if !host.contains('{') && !host.is_empty() {
        out["host"] = json!(host);
        out["schemes"] = json!(["https"]);
        if !base.is_empty() {
            out["basePath"] = json!(base);
        }
    }
    out["definitions"] = document["components"]["schemas"].clone();
    for (name, scheme) in document["components"]["securitySchemes"]
        .as_object()
        .into_iter()
        .flatten()
    {
        for (name, scheme) in older_schemes(name, scheme) {
            out["securityDefinitions"][name] = scheme;
        }
    }
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            out["paths"][path][method] = older_operation(document, operation);
        }
    }
    // No union, and no null, has a word in 2.0.
    let text = out
        .to_string()
        .replace("#/components/schemas/", "#/definitions/")
        .replace("\"nullable\":", "\"x-nullable\":");
    serde_json::from_str(&text).unwrap_or_default()
}

/// A scheme for each flow.
fn older_schemes(name: &str, scheme: &Value) -> Vec<(String, Value)> {
    match scheme["type"].as_str() {
        Some("http") if scheme["scheme"] == "basic" => vec![(name.to_owned(), json!({"type": "basic"}))],
        Some("http") => vec![(
            name.to_owned(),
            json!({"type": "apiKey", "in": "header", "name": "Authorization"}),
        )],
        Some("oauth2") => {
            let flows = scheme["flows"].as_object().into_iter().flatten();
            let all = flows.enumerate().map(|(index, (flow, described))| {
                let word = match flow.as_str() {
                    "authorizationCode" => "accessCode",
                    "clientCredentials" => "application",
                    other => other,
                };
                let mut older = json!({"type": "oauth2", "flow": word, "scopes": described["scopes"]});
                for key in ["tokenUrl", "authorizationUrl"] {
                    if let Some(url) = described.get(key) {
                        older[key] = url.clone();
                    }
                }
                let name = if index == 0 {
                    name.to_owned()
                } else {
                    format!("{name}{index}")
                };
                (name, older)
            });
            all.collect()
        }
        _ => vec![(name.to_owned(), scheme.clone())],
    }
}

/// What a reference leads to, with its parts together.
fn target(document: &Value, schema: &Value) -> Value {
    let mut schema = schema.clone();
    while let Some(reference) = schema["$ref"].as_str() {
        schema = document
            .pointer(reference.trim_start_matches('#'))
            .cloned()
            .unwrap_or_default();
    }
    let parts = schema["allOf"].as_array().cloned().unwrap_or_default();
    for part in parts {
        for (key, value) in target(document, &part).as_object().into_iter().flatten() {
            match (&mut schema[key], value) {
                (Value::Object(known), Value::Object(more)) => known.extend(more.clone()),
                (Value::Array(known), Value::Array(more)) => known.extend(more.clone()),
                (known, value) => *known = value.clone(),
            }
        }
    }
    if let Some(object) = schema.as_object_mut() {
        object.shift_remove("allOf");
    }
    schema
}

fn older_operation(document: &Value, operation: &Value) -> Value {
    let mut out = operation.clone();
    let Some(object) = out.as_object_mut() else { return out };
    let mut list: Vec<Value> = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let mut older = parameter.clone();
        let Some(members) = older.as_object_mut() else { continue };
        let schema = members.shift_remove("schema").unwrap_or_default();
        for (key, value) in target(document, &schema).as_object().into_iter().flatten() {
            members.entry(key.clone()).or_insert_with(|| value.clone());
        }
        members.shift_remove("style");
        if let Some(explode) = members.shift_remove("explode") {
            let word = if explode == json!(true) { "multi" } else { "csv" };
            members.insert("collectionFormat".to_owned(), json!(word));
        } else if members.get("type") == Some(&json!("array")) {
            members.insert("collectionFormat".to_owned(), json!("multi"));
        }
        list.push(older);
    }
    if let Some(body) = object.shift_remove("requestBody") {
        for (media, described) in body["content"].as_object().into_iter().flatten().take(1) {
            object.insert("consumes".to_owned(), json!([media]));
            let required = body["required"] == json!(true);
            if media.contains("form") {
                let form = target(document, &described["schema"]);
                let needed = form["required"].as_array().cloned().unwrap_or_default();
                for (name, field) in form["properties"].as_object().into_iter().flatten() {
                    let mut field = target(document, field);
                    field["name"] = json!(name);
                    field["in"] = json!("formData");
                    field["required"] = json!(needed.contains(&json!(name)));
                    list.push(field);
                }
                continue;
            }
            list.push(json!({"name": "body", "in": "body", "required": required, "schema": described["schema"]}));
        }
    }
    if !list.is_empty() {
        object.insert("parameters".to_owned(), Value::Array(list));
    }
    let mut produces = BTreeSet::new();
    for reply in object
        .get_mut("responses")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(|all| all.values_mut())
    {
        let Some(reply) = reply.as_object_mut() else { continue };
        if let Some(Value::Object(content)) = reply.shift_remove("content") {
            for (media, described) in content.into_iter().take(1) {
                produces.insert(media);
                if let Some(schema) = described.get("schema") {
                    reply.insert("schema".to_owned(), schema.clone());
                }
            }
        }
        if let Some(headers) = reply.get_mut("headers").and_then(Value::as_object_mut) {
            for header in headers.values_mut() {
                *header = json!({"type": "string"});
            }
        }
    }
    if !produces.is_empty() {
        object.insert("produces".to_owned(), json!(produces));
    }
    out
}
