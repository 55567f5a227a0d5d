//! The document as a whole.

use super::operation::Operation;
use crate::json::Json;
use crate::vocabulary::{ClientKind, Grade, Grant, Oauth, Provider};

/// A document with everything of it that has a meaning of its own.
#[derive(Clone, Debug)]
pub struct Specification {
    /// `x-provider`: who it is about.
    pub provider: Provider,
    /// Its title.
    pub title: String,
    /// What it describes, in the author's words.
    pub description: String,
    /// Its version: the day on which all of it was last checked.
    pub version: String,
    /// The hosts, in the document's order.
    pub servers: Vec<Server>,
    /// `x-oauth` of the security scheme `oauth`.
    pub oauth: Option<Oauth>,
    /// The flows of the security scheme `oauth`, in the document's order.
    pub flows: Vec<Flow>,
    /// The operations: paths in the document's order, methods in that of [`METHODS`](super::METHODS).
    pub operations: Vec<Operation>,
    pub(super) root: Json,
}

/// A host (`servers[]`).
#[derive(Clone, Debug)]
pub struct Server {
    /// Its address, with a variable where every institution has its own.
    pub url: String,
    /// What it is, in the author's words.
    pub description: String,
    /// The name of its environment (`x-environment`).
    pub environment: Option<String>,
    /// The only client that it serves (`x-client`).
    pub client: Option<ClientKind>,
    /// Whether it serves the authorization endpoint alone (`x-authorize`).
    pub authorizes: bool,
    /// How far it is to be trusted (`x-grade`).
    pub grade: Option<Grade>,
}

/// An OAuth flow of the document.
#[derive(Clone, Debug)]
pub struct Flow {
    /// `clientCredentials`, `authorizationCode`
    pub name: String,
    /// Scopes with what they allow, in the document's order.
    pub scopes: Vec<(String, String)>,
}

impl Server {
    /// Whether it serves the authorization server and nothing else.
    #[must_use]
    pub fn is_oauth(&self) -> bool {
        self.client == Some(ClientKind::Oauth)
    }

    /// The path of its address without a slash at the end: `/v1` of `https://{host}/v1/`.
    #[must_use]
    pub fn path(&self) -> &str {
        let after_scheme = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        let path = after_scheme.find('/').map_or("", |at| &after_scheme[at..]);
        path.trim_end_matches('/')
    }
}

impl Flow {
    /// `grant_type` of the flow, as RFC 6749 has it: `client_credentials`.
    #[must_use]
    pub fn grant(&self) -> &str {
        match self.name.as_str() {
            "clientCredentials" => "client_credentials",
            "authorizationCode" => "authorization_code",
            other => other,
        }
    }
}

impl Specification {
    /// The whole document.
    #[must_use]
    pub fn root(&self) -> &Json {
        &self.root
    }

    /// The operation with this `operationId`.
    #[must_use]
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// The scopes of all flows in the document's order, each once, with what the first flow says of it.
    #[must_use]
    pub fn scopes(&self) -> Vec<(&str, &str)> {
        let mut scopes: Vec<(&str, &str)> = Vec::new();
        for (scope, meaning) in self.flows.iter().flat_map(|flow| &flow.scopes) {
            if !scopes.iter().any(|(known, _)| known == scope) {
                scopes.push((scope, meaning));
            }
        }
        scopes
    }

    /// The scopes that a grant may have: those of its flow, in the document's order.
    #[must_use]
    pub fn scopes_of(&self, grant: Grant) -> Vec<&str> {
        let flow = self.flows.iter().find(|flow| flow.grant() == grant.as_str());
        let scopes = flow.map(|flow| flow.scopes.as_slice()).unwrap_or_default();
        scopes.iter().map(|(scope, _)| scope.as_str()).collect()
    }
}
