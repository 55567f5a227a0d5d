//! A bundled specification, as the sandbox plays it.
//!
//! What the document says is read by `finrail-spec`, as it is for the generator. Here is what only the sandbox makes of
//! it: which thing an operation is about and what it does to it, and schemas compiled for validation. With a client the
//! sandbox shares the document, and never a code path by which requests are made or replies are read.

pub(in crate::sandbox) mod bundled;
mod collection;
mod operation;
mod page_query;
mod path;
mod role;
mod schema;

use finrail_spec::json::{Json, without_mark};
use finrail_spec::model::{Fault, Server, Specification};
use finrail_spec::pointer::join;
use finrail_spec::vocabulary::{Grant, Oauth};

pub(in crate::sandbox) use self::operation::Operation;
pub(in crate::sandbox) use self::page_query::{Carrier, PageWords};
pub(in crate::sandbox) use self::path::{Segment, is_version, literal};
pub(in crate::sandbox) use self::role::Role;
pub(in crate::sandbox) use self::schema::Schemas;

/// One provider's specification.
pub(in crate::sandbox) struct Spec {
    pub(in crate::sandbox) document: Specification,
    /// `x-oauth` of the document; one without it is not played.
    pub(in crate::sandbox) oauth: Oauth,
    /// The operations of the document, each with what the sandbox makes of it.
    pub(in crate::sandbox) operations: Vec<Operation>,
}

/// The bundle does not have the form that the sandbox reads.
#[derive(Debug, thiserror::Error)]
#[error("the specification of {provider} cannot be played: {what}")]
pub struct SpecError {
    provider: String,
    what: String,
}

impl SpecError {
    pub(in crate::sandbox) fn new(provider: &str, what: impl Into<String>) -> Self {
        Self {
            provider: provider.to_owned(),
            what: what.into(),
        }
    }
}

impl Spec {
    /// Reads a bundle.
    pub(in crate::sandbox) fn read(text: &str) -> Result<Self, SpecError> {
        let mut root = Json::parse(without_mark(text)).map_err(|_| SpecError::new("a provider", "it is not JSON"))?;
        let id = root.at(&["x-provider", "id"]).and_then(Json::as_str);
        let id = id.unwrap_or("a provider").to_owned();
        add_shared(&mut root);
        // Also a provider that withdrew a scope is played.
        let document = Specification::read_as_it_is(root).map_err(|faults| SpecError::new(&id, listed(&faults)))?;
        // What takes keys alone has no authorization server.
        let takes_tokens = document.operations.iter().any(|operation| operation.scopes().is_some());
        let none = || Oauth::none().filter(|_| !takes_tokens && !document.operations.is_empty());
        let oauth = document.oauth.clone().or_else(none).ok_or_else(|| {
            let what = "it has no security scheme `oauth` with x-oauth";
            SpecError::new(&id, what)
        })?;
        let spec = Self {
            operations: operation::all(&document),
            oauth,
            document,
        };
        spec.check_endpoints()?;
        Ok(spec)
    }

    /// The operations that `x-oauth` names must exist.
    fn check_endpoints(&self) -> Result<(), SpecError> {
        if self.document.oauth.is_none() {
            return Ok(());
        }
        let endpoints = &self.oauth.operations;
        let mut named = std::iter::once(&endpoints.token).chain(&endpoints.authorize);
        match named.find(|id| self.by_id(id).is_none()) {
            Some(id) => Err(SpecError::new(
                self.id(),
                format!("x-oauth names the operation {id}, which does not exist"),
            )),
            None => Ok(()),
        }
    }

    /// `ofx`
    pub(in crate::sandbox) fn id(&self) -> &str {
        &self.document.provider.id
    }

    /// The provider's name as people write it.
    pub(in crate::sandbox) fn name(&self) -> &str {
        &self.document.provider.name
    }

    /// Path of the first server of resources, without a slash at the end: `/v1`.
    pub(in crate::sandbox) fn prefix(&self) -> &str {
        let mut servers = self.document.servers.iter();
        servers.find(|server| !server.is_oauth()).map_or("", Server::path)
    }

    /// Path of the authorization server's own host, where it has one.
    pub(in crate::sandbox) fn oauth_prefix(&self) -> Option<&str> {
        let mut servers = self.document.servers.iter();
        servers.find(|server| server.is_oauth()).map(Server::path)
    }

    /// Addresses of the real hosts, and whether they are the authorization server's.
    pub(in crate::sandbox) fn hosts(&self) -> impl Iterator<Item = (&str, bool)> {
        let named = self.document.servers.iter().filter(|server| !server.url.is_empty());
        named.map(|server| (server.url.trim_end_matches('/'), server.is_oauth()))
    }

    /// The scopes that a grant may have.
    pub(in crate::sandbox) fn scopes_of(&self, grant: Grant) -> Vec<String> {
        let scopes = self.document.scopes_of(grant).into_iter();
        scopes.map(str::to_owned).collect()
    }

    /// The operation with this `operationId`.
    pub(in crate::sandbox) fn by_id(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|o| o.id == id)
    }

    /// Whether this is the authorization endpoint.
    pub(in crate::sandbox) fn is_authorize(&self, operation: &Operation) -> bool {
        Some(&operation.id) == self.oauth.operations.authorize.as_ref()
    }
}

/// The schemas of OAuth that every document may refer to, as the generator lets it. A bundle of the workspace has them.
fn add_shared(root: &mut Json) {
    let Ok(shared) = Json::parse(include_str!("shared.json")) else {
        return;
    };
    for (name, schema) in shared.members() {
        if root.at(&["components", "schemas", name]).is_none() {
            root.set_pointer(&join("/components/schemas", name), schema.clone());
        }
    }
}

/// Everything that cannot be read, each with its place.
fn listed(faults: &[Fault]) -> String {
    let each = faults.iter().map(|fault| match fault.pointer.as_str() {
        "" => fault.to_string(),
        pointer => format!("{pointer}: {fault}"),
    });
    each.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::Spec;

    const PROVIDER: &str = r#""openapi": "3.0.3", "x-provider": { "id": "own", "name": "Own", "env_prefix": "OWN" }"#;

    #[test]
    fn what_cannot_be_played_is_told_with_its_place() {
        let scheme = |oauth: &str| format!(r#""components": {{ "securitySchemes": {{ "oauth": {{ {oauth} }} }} }}"#);
        let authorization = r#""x-oauth": { "grants": [], "operations": { "token": "create_token" },
            "client_authentication": { "default": "none" } }"#;
        for (document, why) in [
            ("{".to_owned(), "a provider cannot be played: it is not JSON"),
            (
                r#"{ "openapi": "3.0.3" }"#.to_owned(),
                "a provider cannot be played: `x-provider` is missing at the root; see https://docs.rs/finrail-codegen",
            ),
            (
                format!("{{ {PROVIDER} }}"),
                "own cannot be played: it has no security scheme `oauth` with x-oauth",
            ),
            (
                format!(
                    r#"{{ {PROVIDER}, {}, "paths": {{ "/a": {{ "get": {{}}, "put": {{}} }} }} }}"#,
                    scheme("")
                ),
                "own cannot be played: /paths/~1a/get: `GET /a` has no `operationId`; name it verb_noun; \
                 /paths/~1a/put: `PUT /a` has no `operationId`; name it verb_noun",
            ),
            (
                format!("{{ {PROVIDER}, {} }}", scheme(authorization)),
                "own cannot be played: x-oauth names the operation create_token, which does not exist",
            ),
        ] {
            let Err(error) = Spec::read(&document) else {
                panic!("{document} was read")
            };
            assert_eq!(error.to_string(), format!("the specification of {why}"));
        }
    }
}
