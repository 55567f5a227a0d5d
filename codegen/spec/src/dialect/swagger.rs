//! Swagger 2.0 as OpenAPI 3.0.

use super::loss::{Loss, Weight};
use crate::json::Json;
use crate::model::METHODS;
use crate::pointer::{join, keys};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";
const BYTES: &str = "application/octet-stream";

/// What of a parameter, a header or an item belongs to its schema in 3.0.
const OF_SCHEMA: [&str; 20] = [
    "type",
    "format",
    "items",
    "default",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "enum",
    "multipleOf",
    "title",
    "example",
    "x-nullable",
    "x-example",
];

/// Where what is referred to stands in 3.0.
const MOVED: [(&str, &str); 4] = [
    ("#/definitions/", "#/components/schemas/"),
    ("#/parameters/", "#/components/parameters/"),
    ("#/responses/", "#/components/responses/"),
    ("#/securityDefinitions/", "#/components/securitySchemes/"),
];

pub(super) fn to_3_0(root: &Json, losses: &mut Vec<Loss>) -> Json {
    let mut conversion = Conversion { root, losses };
    let mut out = Json::object([("openapi", Json::str("3.0.3"))]);
    for (name, value) in root.members() {
        match name.as_str() {
            "swagger"
            | "host"
            | "basePath"
            | "schemes"
            | "consumes"
            | "produces"
            | "definitions"
            | "parameters"
            | "responses"
            | "securityDefinitions" => {}
            "paths" => out.set("paths", conversion.paths(value)),
            _ => out.set(name, value.clone()),
        }
    }
    let servers = servers(root);
    if !servers.is_empty() {
        out.set("servers", Json::Array(servers));
    }
    let components = conversion.components();
    if !components.members().is_empty() {
        out.set("components", components);
    }
    out
}

fn servers(root: &Json) -> Vec<Json> {
    let base = root.get("basePath").and_then(Json::as_str).unwrap_or_default();
    let base = base.trim_end_matches('/');
    let server = |url: String| Json::object([("url", Json::String(url))]);
    let Some(host) = root.get("host").and_then(Json::as_str) else {
        return match base {
            "" => Vec::new(),
            base => vec![server(base.to_owned())],
        };
    };
    let schemes: Vec<&str> = root
        .get("schemes")
        .map(Json::items)
        .unwrap_or_default()
        .iter()
        .filter_map(Json::as_str)
        .collect();
    let secure = schemes.is_empty() || schemes.contains(&"https");
    let schemes = if secure { vec!["https"] } else { schemes };
    let servers = schemes
        .into_iter()
        .map(|scheme| server(format!("{scheme}://{host}{base}")));
    servers.collect()
}

struct Conversion<'d> {
    root: &'d Json,
    losses: &'d mut Vec<Loss>,
}

/// A field of a form.
struct Field {
    name: String,
    schema: Json,
    is_required: bool,
    /// How a list is written.
    encoding: Option<Json>,
}

/// Where a parameter stands in 3.0.
enum Placed {
    /// Among the parameters.
    Parameter(Json),
    /// It is the body.
    Body(Json),
    /// It is a field of a form.
    Field(Field),
}

impl Conversion<'_> {
    fn tell(&mut self, pointer: &str, weight: Weight, what: impl Into<String>) {
        self.losses.push(Loss {
            pointer: pointer.to_owned(),
            weight,
            what: what.into(),
        });
    }

    /// The media types of an operation, or of the document.
    fn media_types(&self, operation: &Json, name: &str) -> Vec<String> {
        let listed = operation.get(name).or_else(|| self.root.get(name));
        let listed: Vec<String> = listed
            .map(Json::items)
            .unwrap_or_default()
            .iter()
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect();
        if listed.is_empty() {
            vec![JSON.to_owned()]
        } else {
            listed
        }
    }

    fn paths(&mut self, paths: &Json) -> Json {
        let items = paths.members().iter();
        Json::Object(
            items
                .map(|(path, item)| (path.clone(), self.item(item, &join("/paths", path))))
                .collect(),
        )
    }

    fn item(&mut self, item: &Json, pointer: &str) -> Json {
        let Json::Object(members) = item else {
            return item.clone();
        };
        let shared = item.get("parameters").map(Json::items).unwrap_or_default();
        let at_shared = join(pointer, "parameters");
        let mut out = Vec::new();
        for (name, value) in members {
            if name == "parameters" {
                continue;
            }
            if !METHODS.contains(&name.as_str()) {
                out.push((name.clone(), value.clone()));
                continue;
            }
            out.push((
                name.clone(),
                self.operation(value, shared, &at_shared, &join(pointer, name)),
            ));
        }
        Json::Object(out)
    }

    fn operation(&mut self, operation: &Json, shared: &[Json], at_shared: &str, pointer: &str) -> Json {
        let own = operation.get("parameters").map(Json::items).unwrap_or_default();
        let at_own = join(pointer, "parameters");
        let key = |parameter: &Json| {
            let parameter = self.target(parameter);
            (parameter.get("name").cloned(), parameter.get("in").cloned())
        };
        let own_keys: Vec<_> = own.iter().map(key).collect();
        let inherited = shared
            .iter()
            .enumerate()
            .filter(|(_, one)| !own_keys.contains(&key(one)));
        let inherited: Vec<_> = inherited.map(|(n, one)| (one, format!("{at_shared}/{n}"))).collect();
        let all: Vec<(&Json, String)> = inherited
            .into_iter()
            .chain(own.iter().enumerate().map(|(n, one)| (one, format!("{at_own}/{n}"))))
            .collect();
        let consumes = self.media_types(operation, "consumes");
        let produces = self.media_types(operation, "produces");
        let (mut parameters, mut body, mut fields) = (Vec::new(), None, Vec::new());
        for (parameter, at) in all {
            match self.placed(parameter, &consumes, &at) {
                Placed::Parameter(parameter) => parameters.push(parameter),
                Placed::Body(one) => body = Some(one),
                Placed::Field(field) => fields.push(field),
            }
        }
        if !fields.is_empty() {
            body = Some(form(fields, &consumes));
        }
        let mut out = Json::Object(Vec::new());
        for (name, value) in operation.members() {
            match name.as_str() {
                "consumes" | "produces" | "parameters" | "schemes" => {}
                "responses" => {
                    let at = join(pointer, name);
                    let responses = value.members().iter();
                    let responses = responses
                        .map(|(status, one)| (status.clone(), self.response(one, &produces, &join(&at, status))))
                        .collect();
                    out.set(name, Json::Object(responses));
                }
                _ => out.set(name, value.clone()),
            }
        }
        if !parameters.is_empty() {
            out.set("parameters", Json::Array(parameters));
        }
        if let Some(body) = body {
            out.set("requestBody", body);
        }
        out
    }

    /// What a reference of a parameter or a response leads to.
    fn target<'j>(&'j self, mut json: &'j Json) -> &'j Json {
        for _ in 0..16 {
            let Some(pointer) = json
                .get("$ref")
                .and_then(Json::as_str)
                .and_then(|to| to.strip_prefix('#'))
            else {
                break;
            };
            match self.root.pointer(pointer) {
                Some(target) => json = target,
                None => break,
            }
        }
        json
    }

    /// A reference to where its target stands in 3.0.
    fn moved(&self, json: &Json) -> Json {
        let mut json = json.clone();
        if let Some(Json::String(reference)) = json.get_mut("$ref") {
            if let Some((from, to)) = MOVED.iter().find(|(from, _)| reference.starts_with(from)) {
                *reference = format!("{to}{}", &reference[from.len()..]);
            } else if let Some(inner) = self.inner(reference) {
                *reference = inner;
            }
        }
        json
    }

    /// A reference to the schema of a reply, or of a body, within another operation.
    fn inner(&self, reference: &str) -> Option<String> {
        let keys = keys(reference.strip_prefix('#')?);
        let (place, rest) = keys.split_at_checked(6)?;
        let [paths, path, method, section, which, schema] = place else {
            return None;
        };
        if paths != "paths" || schema != "schema" {
            return None;
        }
        let operation = self.root.at(&["paths", path.as_str(), method.as_str()])?;
        let (section, which, offered) = match section.as_str() {
            "responses" => ("responses", Some(which), "produces"),
            "parameters" => {
                let parameter = operation.get("parameters")?.items().get(which.parse::<usize>().ok()?)?;
                let is_body = parameter.get("in").and_then(Json::as_str) == Some("body");
                ("requestBody", None, is_body.then_some("consumes")?)
            }
            _ => return None,
        };
        let media_types = self.media_types(operation, offered);
        let steps = ["paths", path.as_str(), method.as_str(), section].into_iter();
        let steps = steps.chain(which.map(String::as_str));
        let steps = steps.chain(["content", media_types.first()?.as_str(), "schema"]);
        let steps = steps.chain(rest.iter().map(String::as_str));
        Some(steps.fold("#".to_owned(), |at, step| join(&at, step)))
    }

    fn placed(&mut self, parameter: &Json, consumes: &[String], pointer: &str) -> Placed {
        let target = self.target(parameter).clone();
        let name = target.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
        let is_required = target.get("required").and_then(Json::as_bool) == Some(true);
        match target.get("in").and_then(Json::as_str) {
            Some("body") => Placed::Body(self.body(&target, consumes, pointer)),
            Some("formData") => {
                let mut schema = self.own_schema(&target, pointer);
                if let Some(description) = target.get("description") {
                    schema.set("description", description.clone());
                }
                let mut encoding = Json::Object(Vec::new());
                if text(&target, "type") == Some("array") {
                    self.collection(&target, pointer, &mut encoding);
                }
                Placed::Field(Field {
                    name,
                    schema,
                    is_required,
                    encoding: Some(encoding).filter(|encoding| !encoding.members().is_empty()),
                })
            }
            // What is referred to stays one thing.
            _ if parameter.get("$ref").is_some() => Placed::Parameter(self.moved(parameter)),
            _ => Placed::Parameter(self.parameter(&target, pointer)),
        }
    }

    fn body(&mut self, parameter: &Json, consumes: &[String], pointer: &str) -> Json {
        let schema = parameter.get("schema").cloned().unwrap_or(Json::Object(Vec::new()));
        let schema = self.schema(&schema, &join(pointer, "schema"));
        let mut out = Json::Object(Vec::new());
        for name in ["description", "required"] {
            if let Some(value) = parameter.get(name) {
                out.set(name, value.clone());
            }
        }
        let fits = |media_type: &&String| *media_type != FORM && *media_type != MULTIPART;
        let mut contents: Vec<(String, Json)> = consumes
            .iter()
            .filter(fits)
            .map(|media_type| (media_type.clone(), Json::object([("schema", schema.clone())])))
            .collect();
        if contents.is_empty() {
            contents.push((JSON.to_owned(), Json::object([("schema", schema)])));
        }
        out.set("content", Json::Object(contents));
        out
    }

    fn parameter(&mut self, parameter: &Json, pointer: &str) -> Json {
        let mut out = Json::Object(Vec::new());
        for (name, value) in parameter.members() {
            if !OF_SCHEMA.contains(&name.as_str()) && name != "collectionFormat" && name != "schema" {
                out.set(name, value.clone());
            }
        }
        if parameter.get("in").and_then(Json::as_str) == Some("path") {
            out.set("required", Json::Bool(true));
        }
        let schema = self.own_schema(parameter, pointer);
        if parameter.get("type").and_then(Json::as_str) == Some("array") {
            self.collection(parameter, pointer, &mut out);
        }
        out.set("schema", schema);
        out
    }

    /// How a list is written in one text: in any place as it is said.
    fn collection(&mut self, parameter: &Json, pointer: &str, out: &mut Json) {
        // A form is written as a query is.
        let in_query = matches!(text(parameter, "in"), Some("query" | "formData"));
        let format = parameter
            .get("collectionFormat")
            .and_then(Json::as_str)
            .unwrap_or("csv");
        let (style, explode) = match format {
            "multi" => ("form", true),
            "ssv" => ("spaceDelimited", false),
            "pipes" => ("pipeDelimited", false),
            // OpenAPI 3.0 has no word for it; whoever reads the parameter makes a text of it.
            "tsv" if text(parameter, "in") != Some("formData") => ("tabDelimited", false),
            "csv" => (if in_query { "form" } else { "simple" }, false),
            other => {
                let what = format!("`collectionFormat: {other}`: OpenAPI 3.0 has no such list");
                self.tell(&join(pointer, "collectionFormat"), Weight::Meaning, what);
                // Not in a form, where a list would be sent as several fields.
                if text(parameter, "in") == Some("formData") {
                    out.set("explode", Json::Bool(false));
                }
                return;
            }
        };
        out.set("style", Json::str(style));
        out.set("explode", Json::Bool(explode));
    }

    /// The schema that a parameter, a header or a field of a form has in its own members.
    fn own_schema(&mut self, holder: &Json, pointer: &str) -> Json {
        if let Some(schema) = holder.get("schema") {
            return self.schema(schema, &join(pointer, "schema"));
        }
        let own = holder.members().iter();
        let own = own.filter(|(name, _)| OF_SCHEMA.contains(&name.as_str())).cloned();
        self.schema(&Json::Object(own.collect()), pointer)
    }

    fn response(&mut self, response: &Json, produces: &[String], pointer: &str) -> Json {
        if response.get("$ref").is_some() {
            return self.moved(response);
        }
        let mut out = Json::Object(Vec::new());
        for (name, value) in response.members() {
            match name.as_str() {
                "schema" | "examples" => {}
                "headers" => {
                    let at = join(pointer, name);
                    let headers = value.members().iter();
                    let headers = headers
                        .map(|(name, one)| (name.clone(), self.parameter(one, &join(&at, name))))
                        .collect();
                    out.set(name, Json::Object(headers));
                }
                _ => out.set(name, value.clone()),
            }
        }
        if out.get("description").is_none() {
            out.set("description", Json::str(""));
        }
        let Some(schema) = response.get("schema") else {
            return out;
        };
        let is_file = schema.get("type").and_then(Json::as_str) == Some("file");
        let schema = self.schema(schema, &join(pointer, "schema"));
        let only_json = produces.iter().all(|media_type| media_type == JSON);
        let types: Vec<String> = match is_file && only_json {
            true => vec![BYTES.to_owned()],
            false => produces.to_vec(),
        };
        let examples = response.get("examples");
        let contents = types.into_iter().map(|media_type| {
            let mut content = Json::object([("schema", schema.clone())]);
            if let Some(example) = examples.and_then(|examples| examples.get(&media_type)) {
                content.set("example", example.clone());
            }
            (media_type, content)
        });
        out.set("content", Json::Object(contents.collect()));
        out
    }

    fn schema(&mut self, schema: &Json, pointer: &str) -> Json {
        if schema.get("$ref").is_some() {
            return self.moved(schema);
        }
        let Json::Object(members) = schema else {
            return schema.clone();
        };
        let mut out = Json::Object(Vec::new());
        let mut is_file = false;
        for (name, value) in members {
            let at = join(pointer, name);
            match name.as_str() {
                "type" if value.as_str() == Some("file") => is_file = true,
                "x-nullable" => out.set("nullable", value.clone()),
                "x-example" if schema.get("example").is_none() => out.set("example", value.clone()),
                "x-example" => {}
                "discriminator" if value.as_str().is_some() => {
                    out.set(name, Json::object([("propertyName", value.clone())]));
                }
                "items" | "not" => out.set(name, self.schema(value, &at)),
                "additionalProperties" => out.set(name, self.schema(value, &at)),
                "properties" => {
                    let properties = value.members().iter();
                    let properties = properties
                        .map(|(name, one)| (name.clone(), self.schema(one, &join(&at, name))))
                        .collect();
                    out.set(name, Json::Object(properties));
                }
                "allOf" | "oneOf" | "anyOf" => {
                    let parts = value.items().iter().enumerate();
                    let parts = parts.map(|(n, one)| self.schema(one, &format!("{at}/{n}"))).collect();
                    out.set(name, Json::Array(parts));
                }
                _ => out.set(name, value.clone()),
            }
        }
        if is_file {
            out.set("type", Json::str("string"));
            out.set("format", Json::str("binary"));
        }
        out
    }

    fn components(&mut self) -> Json {
        let mut out = Json::Object(Vec::new());
        let named = |root: &Json, name: &str| root.get(name).map(Json::members).unwrap_or_default().to_vec();
        let mut schemas = Vec::new();
        for (name, schema) in named(self.root, "definitions") {
            schemas.push((name.clone(), self.schema(&schema, &join("/definitions", &name))));
        }
        let mut parameters = Vec::new();
        for (name, parameter) in named(self.root, "parameters") {
            // A body, and fields of a form, stand where they are used.
            if let Some("path" | "query" | "header") = parameter.get("in").and_then(Json::as_str) {
                parameters.push((name.clone(), self.parameter(&parameter, &join("/parameters", &name))));
            }
        }
        let mut responses = Vec::new();
        let produces = self.media_types(&Json::Null, "produces");
        for (name, response) in named(self.root, "responses") {
            responses.push((
                name.clone(),
                self.response(&response, &produces, &join("/responses", &name)),
            ));
        }
        let mut schemes = Vec::new();
        for (name, scheme) in named(self.root, "securityDefinitions") {
            schemes.push((name.clone(), self.scheme(&scheme, &join("/securityDefinitions", &name))));
        }
        for (name, entries) in [
            ("schemas", schemas),
            ("parameters", parameters),
            ("responses", responses),
            ("securitySchemes", schemes),
        ] {
            if !entries.is_empty() {
                out.set(name, Json::Object(entries));
            }
        }
        out
    }

    fn scheme(&mut self, scheme: &Json, pointer: &str) -> Json {
        let mut out = Json::Object(Vec::new());
        let of_flow = ["flow", "authorizationUrl", "tokenUrl", "scopes"];
        for (name, value) in scheme.members() {
            if !of_flow.contains(&name.as_str()) {
                out.set(name, value.clone());
            }
        }
        match scheme.get("type").and_then(Json::as_str) {
            Some("basic") => {
                out.set("type", Json::str("http"));
                out.set("scheme", Json::str("basic"));
            }
            Some("oauth2") => {
                let flow = match scheme.get("flow").and_then(Json::as_str) {
                    Some("accessCode") => "authorizationCode",
                    Some("application") => "clientCredentials",
                    Some("password") => "password",
                    Some("implicit") => "implicit",
                    other => {
                        let what = format!("`flow: {}` is none of OAuth 2.0", other.unwrap_or("(none)"));
                        self.tell(&join(pointer, "flow"), Weight::Meaning, what);
                        return out;
                    }
                };
                let mut members = Vec::new();
                for name in ["authorizationUrl", "tokenUrl"] {
                    if let Some(url) = scheme.get(name) {
                        members.push((name.to_owned(), url.clone()));
                    }
                }
                let scopes = scheme.get("scopes").cloned().unwrap_or(Json::Object(Vec::new()));
                members.push(("scopes".to_owned(), scopes));
                out.set("flows", Json::object([(flow, Json::Object(members))]));
            }
            _ => {}
        }
        out
    }
}

/// The body of a form, by its fields.
fn form(fields: Vec<Field>, consumes: &[String]) -> Json {
    let has_file = fields
        .iter()
        .any(|field| text(&field.schema, "format") == Some("binary"));
    let is_multipart =
        has_file || (consumes.iter().any(|one| one == MULTIPART) && !consumes.iter().any(|one| one == FORM));
    let required: Vec<Json> = fields
        .iter()
        .filter(|field| field.is_required)
        .map(|field| Json::str(field.name.as_str()))
        .collect();
    let is_required = !required.is_empty();
    let encoded = fields.iter();
    let encoded: Vec<(String, Json)> = encoded
        .filter_map(|field| Some((field.name.clone(), field.encoding.clone()?)))
        .collect();
    let properties = fields.into_iter().map(|field| (field.name, field.schema)).collect();
    let mut schema = Json::object([("type", Json::str("object")), ("properties", Json::Object(properties))]);
    if is_required {
        schema.set("required", Json::Array(required));
    }
    let media_type = if is_multipart { MULTIPART } else { FORM };
    let mut body = Json::Object(Vec::new());
    if is_required {
        body.set("required", Json::Bool(true));
    }
    let mut content = Json::object([("schema", schema)]);
    if !encoded.is_empty() {
        content.set("encoding", Json::Object(encoded));
    }
    body.set("content", Json::object([(media_type, content)]));
    body
}

fn text<'j>(json: &'j Json, name: &str) -> Option<&'j str> {
    json.get(name).and_then(Json::as_str)
}
