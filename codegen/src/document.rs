//! A bundle as the generator sees it: operations with their extensions, and the JSON they stand in.

use std::collections::BTreeMap;

use finrail_spec::lines::Lines;
use finrail_spec::pointer::token;
use finrail_spec::vocabulary::{
    ClientKind, Effect, FormStyle, Idempotency, MadeHeader, Oauth, Pagination, Provenance, Provider,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{Error, Errors};

/// The methods of a path item that hold operations.
pub(crate) const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// A parsed bundle.
pub(crate) struct Document {
    file: String,
    lines: Lines,
    /// operationId -> line, the first where there are two.
    operation_lines: BTreeMap<String, usize>,
    pub json: Value,
    pub provider: Provider,
    pub oauth: Option<Oauth>,
    pub scopes: BTreeMap<String, String>,
    pub servers: Vec<Server>,
    pub operations: Vec<Operation>,
}

/// A host (`servers[]`).
pub(crate) struct Server {
    pub url: String,
    pub environment: Option<String>,
    pub client: Option<ClientKind>,
    pub description: String,
}

/// An operation with what its extensions say.
pub(crate) struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub client: ClientKind,
    pub browser: bool,
    pub effect: Effect,
    pub authentication: Vec<Authentication>,
    pub accept: Option<String>,
    pub content_type: Option<String>,
    /// Its success reply is bytes.
    pub download: bool,
    pub headers: BTreeMap<String, MadeHeader>,
    pub pagination: Option<Pagination>,
    pub idempotency: Option<Idempotency>,
    pub provenance: Option<Provenance>,
    pub form: BTreeMap<String, FormStyle>,
}

/// One alternative of `security`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Authentication {
    Nothing,
    Bearer { scopes: Vec<String> },
    ClientBasic,
    AccessKey,
    RegistrationToken,
}

impl Document {
    pub fn parse(file: &str, text: &str) -> Result<Self, Errors> {
        let json: Value = serde_json::from_str(text).map_err(|e| Error {
            file: file.to_owned(),
            line: Some(e.line()),
            operation: None,
            reason: format!("not JSON ({e}); bundles are written by `cargo xtask regen`"),
        })?;
        let mut document = Self {
            file: file.to_owned(),
            lines: Lines::of(text),
            operation_lines: BTreeMap::new(),
            json: Value::Null,
            provider: Provider {
                id: String::new(),
                name: String::new(),
                env_prefix: String::new(),
            },
            oauth: None,
            scopes: BTreeMap::new(),
            servers: Vec::new(),
            operations: Vec::new(),
        };
        let mut errors = Vec::new();
        document.read(&json, &mut errors);
        document.json = json;
        if errors.is_empty() {
            Ok(document)
        } else {
            Err(Errors(errors))
        }
    }

    /// A problem of the document, or of one operation in it.
    pub fn error(&self, operation: Option<&str>, reason: impl Into<String>) -> Error {
        let line = operation.and_then(|id| self.operation_lines.get(id).copied());
        Error {
            file: self.file.clone(),
            line,
            operation: operation.map(str::to_owned),
            reason: reason.into(),
        }
    }

    /// A problem of the place that a JSON pointer names, or of the nearest place around it.
    pub fn error_at(&self, pointer: &str, reason: impl Into<String>) -> Error {
        let around = std::iter::successors(Some(pointer), |inner| inner.rsplit_once('/').map(|(outer, _)| outer));
        let line = around.into_iter().find_map(|pointer| self.lines.get(pointer));
        Error {
            line,
            ..self.error(None, reason)
        }
    }

    /// A problem of a named schema.
    pub fn schema_error(&self, schema: &str, reason: impl Into<String>) -> Error {
        let pointer = format!("/components/schemas/{}", token(schema));
        self.error_at(&pointer, format!("schema `{schema}`: {}", reason.into()))
    }

    fn read(&mut self, json: &Value, errors: &mut Vec<Error>) {
        let version = json["openapi"].as_str().unwrap_or_default();
        if !version.starts_with("3.0.") {
            let found = if version.is_empty() {
                "no `openapi` is given".to_owned()
            } else {
                format!("`openapi: {version}` is not supported")
            };
            errors.push(self.error_at("/openapi", format!("{found}; write OpenAPI 3.0.3")));
        }
        match extension::<Provider>(json, "x-provider") {
            Ok(Some(provider)) => self.provider = provider,
            Ok(None) => errors.push(self.error_at("", "`x-provider` is missing at the root; see specs/README.md")),
            Err(e) => errors.push(self.error_at("/x-provider", e)),
        }
        let scheme = &json["components"]["securitySchemes"]["oauth"];
        match extension::<Oauth>(scheme, "x-oauth") {
            Ok(oauth) => self.oauth = oauth,
            Err(e) => errors.push(self.error_at("/components/securitySchemes/oauth/x-oauth", e)),
        }
        for flow in scheme["flows"].as_object().into_iter().flat_map(Map::values) {
            for (scope, description) in flow["scopes"].as_object().into_iter().flatten() {
                self.scopes.insert(
                    scope.clone(),
                    crate::documentation::prose(description.as_str().unwrap_or_default()),
                );
            }
        }
        for (n, server) in json["servers"].as_array().into_iter().flatten().enumerate() {
            let client = extension(server, "x-client").unwrap_or_else(|e| {
                errors.push(self.error_at(&format!("/servers/{n}/x-client"), e));
                None
            });
            self.servers.push(Server {
                url: server["url"].as_str().unwrap_or_default().to_owned(),
                environment: server["x-environment"].as_str().map(str::to_owned),
                client,
                description: crate::documentation::prose(server["description"].as_str().unwrap_or_default()),
            });
        }
        for (path, item) in json["paths"].as_object().into_iter().flatten() {
            let pointer = format!("/paths/{}", token(path));
            if item.get("$ref").is_some() {
                errors.push(self.error_at(
                    &pointer,
                    format!("path `{path}` is a `$ref`; write the operations in place"),
                ));
            }
            if item.get("servers").is_some() {
                errors.push(self.error_at(
                    &format!("{pointer}/servers"),
                    format!("path `{path}` has `servers` of its own; name hosts at the root, with `x-client`"),
                ));
            }
            for method in METHODS {
                if let Some(operation) = item.get(method) {
                    if let (Some(id), Some(line)) = (
                        operation["operationId"].as_str(),
                        self.lines.get(&format!("{pointer}/{method}/operationId")),
                    ) {
                        self.operation_lines.entry(id.to_owned()).or_insert(line);
                    }
                    match self.operation(path, method, operation, &json["security"]) {
                        Ok(operation) => self.operations.push(operation),
                        Err(e) => errors.push(e),
                    }
                }
            }
        }
    }

    fn operation(&self, path: &str, method: &str, json: &Value, default_security: &Value) -> Result<Operation, Error> {
        let Some(id) = json["operationId"].as_str() else {
            return Err(self.error_at(
                &format!("/paths/{}/{method}", token(path)),
                format!(
                    "`{} {path}` has no `operationId`; name it verb_noun",
                    method.to_uppercase()
                ),
            ));
        };
        let fail = |reason: String| self.error(Some(id), reason);
        let client = extension(json, "x-client").map_err(fail)?.unwrap_or_default();
        let effect = extension(json, "x-effect").map_err(fail)?.unwrap_or(match method {
            "get" | "head" | "options" | "trace" => Effect::Safe,
            "put" | "delete" => Effect::Idempotent,
            _ => Effect::Neither,
        });
        let security = json.get("security").unwrap_or(default_security);
        let mut authentication = Vec::new();
        for alternative in security.as_array().into_iter().flatten() {
            authentication.push(self.authentication(id, alternative)?);
        }
        if authentication.is_empty() {
            authentication.push(Authentication::Nothing);
        }
        let body = json["requestBody"]["content"]
            .as_object()
            .and_then(|content| content.iter().next());
        let mut form = BTreeMap::new();
        if let Some((_, media)) = body {
            for (property, encoding) in media["encoding"].as_object().into_iter().flatten() {
                if let Some(style) = extension(encoding, "x-form").map_err(fail)? {
                    form.insert(property.clone(), style);
                }
            }
        }
        Ok(Operation {
            id: id.to_owned(),
            method: method.to_uppercase(),
            path: path.to_owned(),
            client,
            browser: json["x-browser"].as_bool().unwrap_or(false),
            effect,
            authentication,
            accept: accept(json),
            download: download(json),
            content_type: body.map(|(media_type, _)| media_type.clone()),
            headers: extension(json, "x-headers").map_err(fail)?.unwrap_or_default(),
            pagination: extension(json, "x-pagination").map_err(fail)?,
            idempotency: extension(json, "x-idempotency").map_err(fail)?,
            provenance: extension(json, "x-provenance").map_err(fail)?,
            form,
        })
    }

    /// The parameters of an operation: its own, and those of its path that it does not override.
    pub fn parameters(&self, operation: &Operation) -> Vec<&Value> {
        let item = &self.json["paths"][&operation.path];
        let own = item[operation.method.to_lowercase()]["parameters"].as_array();
        let own: Vec<&Value> = own.into_iter().flatten().collect();
        let shared = item["parameters"].as_array().into_iter().flatten().filter(|shared| {
            !own.iter()
                .any(|own| own["name"] == shared["name"] && own["in"] == shared["in"])
        });
        shared.chain(own.iter().copied()).collect()
    }

    fn authentication(&self, id: &str, alternative: &Value) -> Result<Authentication, Error> {
        let Some(schemes) = alternative.as_object() else {
            return Ok(Authentication::Nothing);
        };
        let mut schemes = schemes.iter();
        let (Some((name, scopes)), rest) = (schemes.next(), schemes.next()) else {
            return Ok(Authentication::Nothing);
        };
        if rest.is_some() {
            return Err(self.error(
                Some(id),
                "two security schemes at once are not supported; list them as alternatives",
            ));
        }
        match name.as_str() {
            "oauth" => {
                let scopes: Vec<String> =
                    scopes.as_array().into_iter().flatten().filter_map(|s| s.as_str().map(str::to_owned)).collect();
                if let Some(unknown) = scopes.iter().find(|scope| !self.scopes.contains_key(*scope)) {
                    return Err(self.error(
                        Some(id),
                        format!("scope `{unknown}` is in no flow of the `oauth` security scheme; add it there or correct it"),
                    ));
                }
                Ok(Authentication::Bearer { scopes })
            }
            "clientBasic" => Ok(Authentication::ClientBasic),
            "accessKey" => Ok(Authentication::AccessKey),
            "registrationToken" => Ok(Authentication::RegistrationToken),
            other => Err(self.error(
                Some(id),
                format!(
                    "security scheme `{other}` is unknown; the names are oauth, clientBasic, accessKey, registrationToken"
                ),
            )),
        }
    }
}

/// Reads an `x-` extension that may be absent.
fn extension<T: DeserializeOwned>(json: &Value, name: &str) -> Result<Option<T>, String> {
    match json.get(name) {
        None => Ok(None),
        Some(value) => T::deserialize(value)
            .map(Some)
            .map_err(|e| format!("`{name}`: {e}; see specs/README.md")),
    }
}

/// Whether the success replies of an operation have a body that is not JSON.
fn download(json: &Value) -> bool {
    let mut media_types = json["responses"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(status, _)| status.starts_with('2'))
        .filter_map(|(_, response)| response["content"].as_object())
        .flat_map(serde_json::Map::keys)
        .peekable();
    media_types.peek().is_some() && !media_types.any(|media_type| crate::transform::is_json(media_type))
}

/// The `Accept` header of an operation: what `x-accept` says, or the media type of its success replies.
fn accept(json: &Value) -> Option<String> {
    if let Some(accept) = json["x-accept"].as_str() {
        return Some(accept.to_owned());
    }
    json["responses"]
        .as_object()?
        .iter()
        .filter(|(status, _)| status.starts_with('2'))
        .find_map(|(_, response)| response["content"].as_object()?.keys().next().cloned())
}
