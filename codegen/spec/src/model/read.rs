//! From the tree of a document to the [`Specification`].

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::content::{Body, Content, Parameter, Place, Reply};
use super::fault::{Fault, Wrong};
use super::operation::{METHODS, Operation};
use super::schema::{keyword_of, resolve};
use super::security::{Key, KeyPlace, Requirement};
use super::specification::{Flow, Server, Specification};
use crate::json::Json;
use crate::pointer::join;
use crate::vocabulary::{ClientKind, Effect, ErrorProof, FormStyle, Provider};

impl Specification {
    /// Reads a document whose references are resolved: a bundle, or what `bundle::resolved` makes.
    ///
    /// ```
    /// use finrail_spec::json::Json;
    /// use finrail_spec::model::Specification;
    ///
    /// let bundle = Json::parse(r#"{
    ///   "openapi": "3.0.3",
    ///   "x-provider": { "id": "bank", "name": "Bank", "env_prefix": "BANK" },
    ///   "paths": { "/rates": { "get": { "operationId": "list_rates", "x-effect": "sometimes" } } }
    /// }"#)?;
    /// let faults = Specification::read(bundle).unwrap_err();
    /// assert_eq!(faults[0].operation.as_deref(), Some("list_rates"));
    /// assert!(faults[0].to_string().starts_with("`x-effect`: unknown variant `sometimes`"));
    /// # Ok::<(), finrail_spec::json::NotJson>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Everything that cannot be read, in the document's order.
    pub fn read(root: Json) -> Result<Self, Vec<Fault>> {
        Self::read_with(root, true)
    }

    /// Reads a document that says what a provider does now, whether or not it contradicts itself: where a scope was
    /// withdrawn, its operations still need it, and no flow has it.
    ///
    /// # Errors
    ///
    /// Everything else that cannot be read, in the document's order.
    pub fn read_as_it_is(root: Json) -> Result<Self, Vec<Fault>> {
        Self::read_with(root, false)
    }

    fn read_with(root: Json, scopes_are_in_flows: bool) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader {
            root: &root,
            scopes_are_in_flows,
            flows: Vec::new(),
            error_proof: None,
            faults: Vec::new(),
        };
        reader.version();
        let provider = reader.provider();
        let scheme = root
            .at(&["components", "securitySchemes", "oauth"])
            .unwrap_or(&Json::Null);
        let oauth = reader.noting("/components/securitySchemes/oauth", scheme, "x-oauth");
        reader.flows = flows(scheme);
        reader.error_proof = reader.noting("", &root, "x-error-proof");
        let servers = reader.servers();
        let operations = reader.operations();
        let Reader { flows, faults, .. } = reader;
        match provider {
            Some(provider) if faults.is_empty() => Ok(Self {
                provider,
                title: text(root.at(&["info", "title"])),
                description: text(root.at(&["info", "description"])),
                version: text(root.at(&["info", "version"])),
                servers,
                oauth,
                flows,
                operations,
                root,
            }),
            _ => Err(faults),
        }
    }
}

struct Reader<'r> {
    root: &'r Json,
    /// Whether a scope that no flow has is a fault.
    scopes_are_in_flows: bool,
    flows: Vec<Flow>,
    /// How refusals are known by which an operation says nothing of its own.
    error_proof: Option<ErrorProof>,
    faults: Vec<Fault>,
}

/// A list of the document, empty where there is none.
fn members<'j>(json: &'j Json, name: &str) -> &'j [(String, Json)] {
    json.get(name).map(Json::members).unwrap_or_default()
}

fn items<'j>(json: &'j Json, name: &str) -> &'j [Json] {
    json.get(name).map(Json::items).unwrap_or_default()
}

/// A text without the white space around it, empty where there is none.
fn text(json: Option<&Json>) -> String {
    json.and_then(Json::as_str).unwrap_or_default().trim().to_owned()
}

fn flag(json: &Json, name: &str) -> bool {
    json.get(name).and_then(Json::as_bool).unwrap_or(false)
}

fn word(json: &Json, name: &str) -> Option<String> {
    json.get(name).and_then(Json::as_str).map(str::to_owned)
}

/// An extension that may be absent.
fn extension<T: DeserializeOwned>(json: &Json, name: &'static str) -> Result<Option<T>, Wrong> {
    let read = json.get(name).map(Json::decode).transpose();
    read.map_err(|error| Wrong::Extension {
        name,
        why: error.to_string(),
    })
}

fn flows(scheme: &Json) -> Vec<Flow> {
    let flows = members(scheme, "flows").iter();
    let read = flows.map(|(name, flow)| Flow {
        name: name.clone(),
        scopes: members(flow, "scopes")
            .iter()
            .map(|(scope, meaning)| (scope.clone(), text(Some(meaning))))
            .collect(),
    });
    read.collect()
}

impl Reader<'_> {
    fn note(&mut self, pointer: impl Into<String>, wrong: Wrong) {
        self.faults.push(Fault {
            pointer: pointer.into(),
            operation: None,
            wrong,
        });
    }

    /// An extension at a pointer; a fault where it does not have its form.
    fn noting<T: DeserializeOwned>(&mut self, pointer: &str, json: &Json, name: &'static str) -> Option<T> {
        extension(json, name).unwrap_or_else(|wrong| {
            self.note(join(pointer, name), wrong);
            None
        })
    }

    fn version(&mut self) {
        match self.root.get("openapi").and_then(Json::as_str).unwrap_or_default() {
            "" => self.note("/openapi", Wrong::NoVersion),
            version if !version.starts_with("3.0.") => self.note("/openapi", Wrong::Version(version.to_owned())),
            _ => {}
        }
    }

    fn provider(&mut self) -> Option<Provider> {
        if self.root.get("x-provider").is_none() {
            self.note("", Wrong::NoProvider);
        }
        self.noting("", self.root, "x-provider")
    }

    fn servers(&mut self) -> Vec<Server> {
        let listed = items(self.root, "servers").iter().enumerate();
        let read = listed.map(|(n, server)| Server {
            url: word(server, "url").unwrap_or_default(),
            description: text(server.get("description")),
            environment: word(server, "x-environment"),
            client: self.noting(&format!("/servers/{n}"), server, "x-client"),
            authorizes: flag(server, "x-authorize"),
            // Only shown to people: no client depends on it.
            grade: extension(server, "x-grade").unwrap_or_default(),
        });
        read.collect()
    }

    fn operations(&mut self) -> Vec<Operation> {
        let mut operations = Vec::new();
        for (path, item) in members(self.root, "paths") {
            let pointer = join("/paths", path);
            if item.get("$ref").is_some() {
                self.note(&pointer, Wrong::PathReference(path.clone()));
            }
            if item.get("servers").is_some() {
                self.note(join(&pointer, "servers"), Wrong::PathServers(path.clone()));
            }
            for method in METHODS {
                let Some(operation) = item.get(method) else { continue };
                match self.operation(path, method, item, operation) {
                    Ok(operation) => operations.push(operation),
                    Err(wrong) => self.faults.push(Fault {
                        pointer: join(&pointer, method),
                        operation: word(operation, "operationId"),
                        wrong,
                    }),
                }
            }
        }
        operations
    }

    fn operation(&self, path: &str, method: &str, item: &Json, json: &Json) -> Result<Operation, Wrong> {
        let id = word(json, "operationId").ok_or_else(|| Wrong::NoOperationId {
            method: method.to_uppercase(),
            path: path.to_owned(),
        })?;
        let client = extension(json, "x-client")?.unwrap_or_default();
        let of_document = match client {
            ClientKind::Api | ClientKind::Service => self.error_proof.clone(),
            ClientKind::Oauth | ClientKind::Registration => None,
        };
        Ok(Operation {
            id,
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: text(json.get("summary")),
            description: text(json.get("description")),
            tags: items(json, "tags")
                .iter()
                .filter_map(|tag| tag.as_str().map(str::to_owned))
                .collect(),
            client,
            browser: flag(json, "x-browser"),
            effect: extension(json, "x-effect")?.unwrap_or_else(|| effect(method)),
            security: self.security(json)?,
            keys: self.keys(json)?,
            parameters: self.parameters(item, json),
            body: self.body(json)?,
            replies: self.replies(json)?,
            asks_for: word(json, "x-accept"),
            headers: extension(json, "x-headers")?.unwrap_or_default(),
            pagination: extension(json, "x-pagination")?,
            idempotency: extension(json, "x-idempotency")?,
            error_proof: extension(json, "x-error-proof")?.or(of_document),
            lookup: extension(json, "x-lookup")?,
            limit: extension(json, "x-limit")?,
            provenance: extension(json, "x-provenance")?,
        })
    }

    fn security(&self, operation: &Json) -> Result<Vec<Requirement>, Wrong> {
        let listed = operation.get("security").or_else(|| self.root.get("security"));
        let alternatives = listed.map(Json::items).unwrap_or_default();
        let mut read: Vec<Requirement> = alternatives
            .iter()
            .map(|one| self.requirement(one))
            .collect::<Result<_, _>>()?;
        if read.is_empty() {
            read.push(Requirement::Nothing);
        }
        Ok(read)
    }

    fn requirement(&self, alternative: &Json) -> Result<Requirement, Wrong> {
        let mut schemes = alternative.members().iter().filter(|(scheme, _)| !self.is_key(scheme));
        let (scheme, scopes) = match (schemes.next(), schemes.next()) {
            (None, _) => return Ok(Requirement::Nothing),
            (Some(one), None) => one,
            _ => return Err(Wrong::SeveralSchemes),
        };
        match scheme.as_str() {
            "oauth" => {
                let scopes: Vec<String> = scopes
                    .items()
                    .iter()
                    .filter_map(|scope| scope.as_str().map(str::to_owned))
                    .collect();
                match scopes.iter().find(|scope| !self.has_scope(scope)) {
                    Some(unknown) if self.scopes_are_in_flows => Err(Wrong::UnknownScope(unknown.clone())),
                    _ => Ok(Requirement::Bearer { scopes }),
                }
            }
            "clientBasic" => Ok(Requirement::ClientBasic),
            "accessKey" => Ok(Requirement::AccessKey),
            "registrationToken" => Ok(Requirement::RegistrationToken),
            other => Err(Wrong::UnknownScheme(other.to_owned())),
        }
    }

    /// The alternatives of `security`, each with its place.
    fn alternatives<'a>(&'a self, operation: &'a Json) -> &'a [Json] {
        let listed = operation.get("security").or_else(|| self.root.get("security"));
        listed.map(Json::items).unwrap_or_default()
    }

    fn scheme(&self, name: &str) -> Option<&Json> {
        self.root.at(&["components", "securitySchemes", name])
    }

    /// Whether a scheme is a key that an application has once and for all.
    fn is_key(&self, name: &str) -> bool {
        self.scheme(name).is_some_and(|scheme| {
            let is_bearer = word(scheme, "scheme").is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"));
            match word(scheme, "type").as_deref() {
                Some("apiKey") => true,
                // The library's own scheme of this form has a name of its own.
                Some("http") => is_bearer && name != "registrationToken" && name != "oauth",
                _ => false,
            }
        })
    }

    fn keys(&self, operation: &Json) -> Result<Vec<Key>, Wrong> {
        let mut keys = Vec::new();
        for (way, alternative) in self.alternatives(operation).iter().enumerate() {
            for (name, _) in alternative.members().iter().filter(|(name, _)| self.is_key(name)) {
                let Some(scheme) = self.scheme(name) else { continue };
                let place = match (word(scheme, "type").as_deref(), word(scheme, "in").as_deref()) {
                    (Some("http"), _) => KeyPlace::Bearer,
                    (_, Some("header")) => KeyPlace::Header,
                    (_, Some("query")) => KeyPlace::Query,
                    _ => return Err(Wrong::UnknownScheme(name.clone())),
                };
                keys.push(Key {
                    scheme: name.clone(),
                    place,
                    name: word(scheme, "name").unwrap_or_default(),
                    way,
                });
            }
        }
        Ok(keys)
    }

    fn has_scope(&self, scope: &str) -> bool {
        self.flows
            .iter()
            .flat_map(|flow| &flow.scopes)
            .any(|(known, _)| known == scope)
    }

    /// Those of the path come first, unless the operation has one of the same name in the same place.
    fn parameters(&self, item: &Json, operation: &Json) -> Vec<Parameter> {
        let read = |json: &Json| -> Vec<Parameter> {
            items(json, "parameters")
                .iter()
                .map(|parameter| self.parameter(parameter))
                .collect()
        };
        let own = read(operation);
        let mut all = read(item);
        all.retain(|shared| {
            !own.iter()
                .any(|own| own.name == shared.name && own.place == shared.place)
        });
        all.extend(own);
        all
    }

    fn parameter(&self, parameter: &Json) -> Parameter {
        let parameter = resolve(self.root, parameter);
        let schema = schema(parameter);
        let example = parameter
            .get("example")
            .or_else(|| members(parameter, "examples").first()?.1.get("value"))
            .or_else(|| keyword_of(self.root, &schema, "example", 0))
            .cloned();
        Parameter {
            name: word(parameter, "name").unwrap_or_default(),
            place: match parameter.get("in").and_then(Json::as_str) {
                Some("path") => Place::Path,
                Some("query") => Place::Query,
                Some("header") => Place::Header,
                _ => Place::Other,
            },
            required: flag(parameter, "required"),
            rust_name: word(parameter, "x-rust-name"),
            given_by_client: flag(parameter, "x-given-by-client")
                && parameter.get("in").and_then(Json::as_str) == Some("header"),
            style: word(parameter, "style"),
            explode: parameter.get("explode").and_then(Json::as_bool),
            schema,
            example,
        }
    }

    fn body(&self, operation: &Json) -> Result<Option<Body>, Wrong> {
        let Some(body) = operation.get("requestBody") else {
            return Ok(None);
        };
        let body = resolve(self.root, body);
        Ok(Some(Body {
            required: flag(body, "required"),
            contents: self.contents(body)?,
        }))
    }

    fn replies(&self, operation: &Json) -> Result<Vec<Reply>, Wrong> {
        let listed = members(operation, "responses").iter();
        let read = listed.map(|(status, reply)| {
            Ok(Reply {
                status: status.clone(),
                contents: self.contents(resolve(self.root, reply))?,
            })
        });
        read.collect()
    }

    fn contents(&self, holder: &Json) -> Result<Vec<Content>, Wrong> {
        let listed = members(holder, "content").iter();
        let read = listed.map(|(media_type, content)| {
            let schema = schema(content);
            Ok(Content {
                media_type: media_type.clone(),
                examples: self.examples(content, &schema),
                forms: forms(content)?,
                schema,
            })
        });
        read.collect()
    }

    fn examples(&self, content: &Json, schema: &Json) -> Vec<(String, Json)> {
        let single = content.get("example").map(|example| (String::new(), example.clone()));
        let named = members(content, "examples").iter().filter_map(|(name, example)| {
            let value = resolve(self.root, example).get("value")?;
            Some((name.clone(), value.clone()))
        });
        let examples: Vec<(String, Json)> = single.into_iter().chain(named).collect();
        if !examples.is_empty() {
            return examples;
        }
        let of_schema = keyword_of(self.root, schema, "example", 0);
        of_schema
            .map(|example| (String::new(), example.clone()))
            .into_iter()
            .collect()
    }
}

/// What a method promises (RFC 9110 section 9.2).
fn effect(method: &str) -> Effect {
    match method {
        "get" | "head" | "options" | "trace" => Effect::Safe,
        "put" | "delete" => Effect::Idempotent,
        _ => Effect::Neither,
    }
}

fn schema(holder: &Json) -> Json {
    holder.get("schema").cloned().unwrap_or(Json::Object(Vec::new()))
}

fn forms(content: &Json) -> Result<BTreeMap<String, FormStyle>, Wrong> {
    let mut forms = BTreeMap::new();
    for (property, encoding) in members(content, "encoding") {
        if let Some(style) = extension(encoding, "x-form")? {
            forms.insert(property.clone(), style);
        }
    }
    Ok(forms)
}
