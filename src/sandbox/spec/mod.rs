//! A bundled specification, as the sandbox reads it: operations, their schemas and examples.
//!
//! Read from the JSON itself and not through the code generator's types: what the
//! generator misreads must not be misread here in the same way.

pub(in crate::sandbox) mod bundled;
mod collection;
mod content;
mod document;
mod operation;
mod page_query;
mod pagination;
mod parameter;
mod path;
mod profile;
mod role;
mod schema;

pub(in crate::sandbox) use self::content::{Content, is_json};
pub(in crate::sandbox) use self::document::Document;
pub(in crate::sandbox) use self::operation::Operation;
pub(in crate::sandbox) use self::page_query::Carrier;
pub(in crate::sandbox) use self::parameter::{Parameter, Place};
pub(in crate::sandbox) use self::path::{Segment, is_version, literal};
pub(in crate::sandbox) use self::profile::{Authentication, Pkce, Profile};
pub(in crate::sandbox) use self::role::Role;
pub(in crate::sandbox) use self::schema::Schemas;

use crate::sandbox::json::Json;

/// One provider's specification.
pub(in crate::sandbox) struct Spec {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) name: String,
    /// Path of the first server, without a trailing slash: `/v1`.
    pub(in crate::sandbox) prefix: String,
    /// Path of the authorization server's own host, where it has one.
    pub(in crate::sandbox) oauth_prefix: Option<String>,
    pub(in crate::sandbox) operations: Vec<Operation>,
    pub(in crate::sandbox) profile: Profile,
    /// Addresses of the real hosts, and whether they are the authorization server's.
    pub(in crate::sandbox) servers: Vec<(String, bool)>,
    pub(in crate::sandbox) document: Document,
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
        let nameless = |what: &str| SpecError::new("a provider", what);
        let document = Document::parse(text).map_err(|_| nameless("it is not JSON"))?;
        let text = |names: &[&str]| document.at(names).and_then(Json::as_str);
        let id = text(&["x-provider", "id"]).ok_or_else(|| nameless("it has no x-provider.id"))?;
        let name = text(&["x-provider", "name"]).unwrap_or(id);
        let scheme = document
            .at(&["components", "securitySchemes", "oauth"])
            .ok_or_else(|| SpecError::new(id, "it has no security scheme `oauth`"))?;
        let profile = Profile::read(scheme).ok_or_else(|| SpecError::new(id, "it has no x-oauth"))?;

        let servers = document.items_of("servers");
        let is_oauth = |server: &&Json| server.get("x-client").and_then(Json::as_str) == Some("oauth");
        let resources = servers.iter().find(|server| !is_oauth(server));
        let addresses = servers.iter().filter_map(|server| {
            let url = server.get("url")?.as_str()?.trim_end_matches('/').to_owned();
            Some((url, is_oauth(&server)))
        });
        let spec = Self {
            servers: addresses.collect(),
            id: id.to_owned(),
            name: name.to_owned(),
            prefix: resources.map(path_of_server).unwrap_or_default(),
            oauth_prefix: servers.iter().find(is_oauth).map(path_of_server),
            operations: operations(&document),
            profile,
            document,
        };
        spec.check_profile()?;
        Ok(spec)
    }

    /// The operations that `x-oauth` names must exist.
    fn check_profile(&self) -> Result<(), SpecError> {
        let authorize = self.profile.authorize_operation.iter();
        let missing = std::iter::once(&self.profile.token_operation)
            .chain(authorize)
            .find(|id| self.by_id(id).is_none());
        match missing {
            Some(id) => Err(SpecError::new(
                &self.id,
                format!("x-oauth names the operation {id}, which does not exist"),
            )),
            None => Ok(()),
        }
    }

    /// The operation with this `operationId`.
    pub(in crate::sandbox) fn by_id(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|o| o.id == id)
    }
}

/// All operations, in the order of the document.
fn operations(document: &Document) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, item) in document.members_of("paths") {
        let shared = item.get("parameters").map(Json::items).unwrap_or_default();
        for (method, node) in item.members() {
            if matches!(method.as_str(), "get" | "post" | "put" | "patch" | "delete" | "head") {
                operations.push(Operation::read(document, path, method, node, shared));
            }
        }
    }
    let things: Vec<Vec<Segment>> = operations.iter().map(|o| o.thing.clone()).collect();
    for operation in &mut operations {
        let is_paged = operation.pagination.is_some();
        operation.role = role::role(&operation.thing, &operation.method, is_paged, &things);
    }
    operations
}

/// `https://host/v1` gives `/v1`; the host may be a variable.
fn path_of_server(server: &Json) -> String {
    let url = server.get("url").and_then(Json::as_str).unwrap_or_default();
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.find('/').map_or("", |at| &after_scheme[at..]);
    path.trim_end_matches('/').to_owned()
}
