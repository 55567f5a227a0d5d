//! What keeps a document from being read, and where.

/// One thing in a document that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wrong}")]
pub struct Fault {
    /// JSON pointer to the place.
    pub pointer: String,
    /// The `operationId`, where it is about one operation.
    pub operation: Option<String>,
    /// What is wrong.
    pub wrong: Wrong,
}

/// What is wrong at the place of a [`Fault`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Wrong {
    /// The document does not say which OpenAPI it is.
    #[error("no `openapi` is given; write OpenAPI 3.0.3")]
    NoVersion,
    /// It is another OpenAPI.
    #[error("`openapi: {0}` is not supported; write OpenAPI 3.0.3")]
    Version(String),
    /// There is no `x-provider`.
    #[error("`x-provider` is missing at the root; see https://docs.rs/finrail-codegen")]
    NoProvider,
    /// An extension does not have its form.
    #[error("`{name}`: {why}; see https://docs.rs/finrail-codegen")]
    Extension {
        /// `x-pagination`
        name: &'static str,
        /// Why, in words.
        why: String,
    },
    /// A path item is a reference.
    #[error("path `{0}` is a `$ref`; write the operations in place")]
    PathReference(String),
    /// A path item has hosts of its own.
    #[error("path `{0}` has `servers` of its own; name hosts at the root, with `x-client`")]
    PathServers(String),
    /// An operation has no name.
    #[error("`{method} {path}` has no `operationId`; name it verb_noun")]
    NoOperationId {
        /// In capitals.
        method: String,
        /// The path template.
        path: String,
    },
    /// An alternative of `security` has two schemes.
    #[error("two security schemes at once are not supported; list them as alternatives")]
    SeveralSchemes,
    /// A security scheme has no meaning.
    #[error("security scheme `{0}` is unknown; the names are oauth, clientBasic, accessKey, registrationToken")]
    UnknownScheme(String),
    /// An operation needs a scope that no flow has.
    #[error("scope `{0}` is in no flow of the `oauth` security scheme; add it there or correct it")]
    UnknownScope(String),
}
