//! Documents that are written for finrail, and not by a provider.

use crate::json::Json;

/// Whether a document is written in the vocabulary of finrail, its authorization server included.
#[must_use]
pub fn is_own(root: &Json) -> bool {
    let operations = ["components", "securitySchemes", "oauth", "x-oauth", "operations"];
    root.at(&operations).is_some() && root.get("x-provider").is_some()
}
