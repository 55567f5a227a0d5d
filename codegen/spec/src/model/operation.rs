//! One operation: how it is called, what it needs, what it does, where that is known from.

use std::collections::BTreeMap;

use super::content::{Body, Content, Parameter, Reply};
use super::security::{Key, Requirement};
use crate::media_type::is_json;
use crate::vocabulary::{
    ClientKind, Effect, ErrorProof, Idempotency, Limit, Lookup, MadeHeader, Pagination, Provenance,
};

/// The fields of a Path Item Object that hold operations, in the order in which bundles have them.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// An operation with what its extensions say.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `operationId`
    pub id: String,
    /// In capitals.
    pub method: String,
    /// The path template.
    pub path: String,
    /// One line.
    pub summary: String,
    /// More of it.
    pub description: String,
    /// `tags`
    pub tags: Vec<String>,
    /// The client that it belongs to (`x-client`).
    pub client: ClientKind,
    /// Whether a browser performs it (`x-browser`).
    pub browser: bool,
    /// What repeating it does: `x-effect`, else what its method promises (RFC 9110 section 9.2).
    pub effect: Effect,
    /// What a call has to show; one alternative at least.
    pub security: Vec<Requirement>,
    /// The keys that these alternatives need, beside their scheme or alone.
    pub keys: Vec<Key>,
    /// Its own parameters, and those of its path that it does not override before them.
    pub parameters: Vec<Parameter>,
    /// What a call carries.
    pub body: Option<Body>,
    /// What comes back, in the document's order.
    pub replies: Vec<Reply>,
    /// The `Accept` header where it is not the media type of the reply (`x-accept`).
    pub asks_for: Option<String>,
    /// Headers that the library makes (`x-headers`).
    pub headers: BTreeMap<String, MadeHeader>,
    /// How it pages (`x-pagination`).
    pub pagination: Option<Pagination>,
    /// How a caller names its intent (`x-idempotency`).
    pub idempotency: Option<Idempotency>,
    /// How a refusal is known to be the provider's: `x-error-proof`, else, of a resource, that of the document.
    pub error_proof: Option<ErrorProof>,
    /// How to find out what became of it (`x-lookup`).
    pub lookup: Option<Lookup>,
    /// How often the provider takes it (`x-limit`).
    pub limit: Option<Limit>,
    /// Where it is known from (`x-provenance`).
    pub provenance: Option<Provenance>,
}

impl Operation {
    /// The success replies, in the document's order.
    pub fn successes(&self) -> impl Iterator<Item = &Reply> {
        self.replies.iter().filter(|reply| reply.is_of_class('2'))
    }

    /// The `Accept` header: what `x-accept` says, or the media type of the first success reply that has a body.
    #[must_use]
    pub fn accept(&self) -> Option<&str> {
        let described = || {
            self.successes()
                .find_map(|reply| Some(reply.contents.first()?.media_type.as_str()))
        };
        self.asks_for.as_deref().or_else(described)
    }

    /// The media type of the request body that the client sends: the first.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.sent().map(|content| content.media_type.as_str())
    }

    /// The request body that the client sends: the first that is described.
    #[must_use]
    pub fn sent(&self) -> Option<&Content> {
        self.body.as_ref()?.contents.first()
    }

    /// Whether its success replies have a body, and it is never JSON.
    #[must_use]
    pub fn is_download(&self) -> bool {
        let mut contents = self.successes().flat_map(|reply| &reply.contents).peekable();
        contents.peek().is_some() && !contents.any(|content| is_json(&content.media_type))
    }

    /// The scopes that its access token must have; none: it takes no access token.
    #[must_use]
    pub fn scopes(&self) -> Option<&[String]> {
        self.security.iter().find_map(|requirement| match requirement {
            Requirement::Bearer { scopes } => Some(scopes.as_slice()),
            _ => None,
        })
    }

    /// Whether one of its alternatives is this security scheme.
    #[must_use]
    pub fn accepts(&self, scheme: &str) -> bool {
        self.security
            .iter()
            .any(|requirement| requirement.scheme() == Some(scheme))
    }
}
