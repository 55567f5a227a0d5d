//! A provider as its specification describes it, in the words of the vocabulary.

use std::collections::BTreeMap;

use finrail_spec::operations::{Operation, operations};
use finrail_spec::vocabulary as v;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// What a bundle says about a provider.
#[derive(Clone, Debug)]
pub struct Provider {
    /// `x-provider`.
    pub about: v::Provider,
    /// Title of the document.
    pub title: String,
    /// What it is, in our words.
    pub description: String,
    /// The day of the last check of the whole document.
    pub version: String,
    /// The hosts.
    pub servers: Vec<Server>,
    /// The authorization server.
    pub oauth: v::Oauth,
    /// Scopes with their descriptions, in the document's order.
    pub scopes: Vec<(String, String)>,
    /// The operations, in the document's order.
    pub operations: Vec<Call>,
}

/// A host.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its address, with a variable where every institution has its own.
    pub url: String,
    /// What it is.
    pub description: String,
    /// Name of its environment.
    pub environment: Option<String>,
    /// Whether it serves the authorization server only.
    pub oauth: bool,
    /// How far it is to be trusted.
    pub grade: Option<v::Grade>,
}

/// An operation.
#[derive(Clone, Debug)]
pub struct Call {
    /// `operationId`.
    pub id: String,
    /// In capitals.
    pub method: String,
    /// The path template.
    pub path: String,
    /// One line.
    pub summary: String,
    /// Its tag.
    pub tag: String,
    /// The generated client it belongs to.
    pub client: v::ClientKind,
    /// A browser performs it.
    pub browser: bool,
    /// What repeating it does.
    pub effect: v::Effect,
    /// Scopes needed; `None`: it takes no token of a grant.
    pub scopes: Option<Vec<String>>,
    /// Other credentials that are accepted.
    pub alternatives: Vec<String>,
    /// How it pages.
    pub pagination: Option<v::Pagination>,
    /// Headers that the library makes.
    pub made_headers: Vec<String>,
    /// A media type asked for that is not JSON.
    pub accept: Option<String>,
    /// Where it comes from.
    pub provenance: v::Provenance,
}

impl Provider {
    /// Reads a bundle that `regen` has validated.
    ///
    /// # Errors
    ///
    /// In words, what the bundle lacks.
    pub fn read(bundle: &Value) -> Result<Self, String> {
        let scheme = bundle
            .pointer("/components/securitySchemes/oauth")
            .cloned()
            .unwrap_or_default();
        let mut scopes: Vec<(String, String)> = Vec::new();
        for flow in scheme
            .get("flows")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(_, flow)| flow)
        {
            for (scope, description) in flow.get("scopes").and_then(Value::as_object).into_iter().flatten() {
                if !scopes.iter().any(|(known, _)| known == scope) {
                    scopes.push((scope.clone(), description.as_str().unwrap_or_default().to_owned()));
                }
            }
        }
        Ok(Self {
            about: part(bundle, "x-provider")?,
            title: text(bundle.pointer("/info/title")),
            description: text(bundle.pointer("/info/description")),
            version: text(bundle.pointer("/info/version")),
            servers: bundle
                .get("servers")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .map(server)
                .collect(),
            oauth: part(&scheme, "x-oauth")?,
            scopes,
            operations: operations(bundle).iter().map(call).collect::<Result<_, _>>()?,
        })
    }

    /// The operation of the authorization server that a role of `x-oauth.operations` names.
    #[must_use]
    pub fn endpoint(&self, role: &str) -> Option<&Call> {
        let id = match role {
            "authorize" => self.oauth.operations.authorize.as_deref()?,
            "token" => &self.oauth.operations.token,
            "revoke" => self.oauth.operations.revoke.as_deref()?,
            _ => return None,
        };
        self.operations.iter().find(|call| call.id == id)
    }

    /// How many operations of each grade there are.
    #[must_use]
    pub fn grades(&self) -> BTreeMap<v::Grade, usize> {
        let mut grades = BTreeMap::new();
        for call in &self.operations {
            *grades.entry(call.provenance.grade).or_insert(0) += 1;
        }
        grades
    }

    /// How the client authenticates for a grant.
    #[must_use]
    pub fn client_authentication(&self, grant: v::Grant) -> v::ClientAuthentication {
        let all = &self.oauth.client_authentication;
        match grant {
            v::Grant::ClientCredentials => all.client_credentials,
            v::Grant::AuthorizationCode => all.authorization_code,
            v::Grant::Password => all.password,
            v::Grant::RefreshToken => all.refresh_token,
        }
        .unwrap_or(all.default)
    }
}

/// The word of RFC 7591 for a way to authenticate.
#[must_use]
pub fn authentication_word(authentication: v::ClientAuthentication) -> &'static str {
    match authentication {
        v::ClientAuthentication::ClientSecretBasic => "client_secret_basic",
        v::ClientAuthentication::ClientSecretPost => "client_secret_post",
        v::ClientAuthentication::None => "none",
    }
}

fn call(operation: &Operation<'_>) -> Result<Call, String> {
    let value = Value::Object(operation.value.clone());
    let missing = |what: &str| format!("{}: {what}", operation.id());
    let security = operation.value.get("security").and_then(Value::as_array);
    let mut scopes = None;
    let mut alternatives = Vec::new();
    for (scheme, needed) in security.into_iter().flatten().filter_map(Value::as_object).flatten() {
        if scheme == "oauth" {
            scopes = Some(
                needed
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|scope| text(Some(scope)))
                    .collect(),
            );
        } else {
            alternatives.push(scheme.clone());
        }
    }
    let default_effect = match operation.method {
        "get" | "head" | "options" => v::Effect::Safe,
        "put" | "delete" => v::Effect::Idempotent,
        _ => v::Effect::Neither,
    };
    let headers: Map<String, Value> = optional(&value, "x-headers")
        .map_err(|error| missing(&error))?
        .unwrap_or_default();
    Ok(Call {
        id: operation.id().to_owned(),
        method: operation.method.to_uppercase(),
        path: operation.path.to_owned(),
        summary: text(operation.value.get("summary")),
        tag: text(value.pointer("/tags/0")),
        client: optional(&value, "x-client")
            .map_err(|error| missing(&error))?
            .unwrap_or_default(),
        browser: operation.value.get("x-browser") == Some(&Value::Bool(true)),
        effect: optional(&value, "x-effect")
            .map_err(|error| missing(&error))?
            .unwrap_or(default_effect),
        scopes,
        alternatives,
        pagination: optional(&value, "x-pagination").map_err(|error| missing(&error))?,
        made_headers: headers.keys().cloned().collect(),
        accept: operation
            .value
            .get("x-accept")
            .and_then(Value::as_str)
            .map(str::to_owned),
        provenance: part(&value, "x-provenance").map_err(|error| missing(&error))?,
    })
}

fn server(server: &Value) -> Server {
    Server {
        url: text(server.get("url")),
        description: text(server.get("description")),
        environment: server.get("x-environment").and_then(Value::as_str).map(str::to_owned),
        oauth: server.get("x-client").is_some(),
        grade: optional(server, "x-grade").ok().flatten(),
    }
}

fn part<T: DeserializeOwned>(value: &Value, key: &str) -> Result<T, String> {
    optional(value, key)?.ok_or_else(|| format!("there is no `{key}`"))
}

fn optional<T: DeserializeOwned>(value: &Value, key: &str) -> Result<Option<T>, String> {
    match value.get(key) {
        None => Ok(None),
        Some(value) => T::deserialize(value)
            .map(Some)
            .map_err(|error| format!("`{key}`: {error}")),
    }
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().trim().to_owned()
}
