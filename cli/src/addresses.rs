//! The addresses at which a provider says what it does.

use serde::Deserialize;

/// The addresses of one provider.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Addresses {
    /// Pages of documentation.
    pub docs: Vec<String>,
    /// OpenAPI documents.
    pub openapi: Vec<String>,
    /// Whether those documents describe everything that there is: what they lack is withdrawn, and not only not covered.
    pub complete: bool,
    /// Metadata of the authorization server.
    pub metadata: Vec<String>,
}
