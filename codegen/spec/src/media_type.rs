//! Media types as a document names them.

/// A media type without its parameters.
///
/// ```
/// assert_eq!(finrail_spec::media_type::essence("text/html; charset=utf-8"), "text/html");
/// ```
#[must_use]
pub fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// Whether a media type is JSON: `application/json`, `application/vnd.mx.api.v1+json` (RFC 6839 section 3.1).
///
/// ```
/// assert!(finrail_spec::media_type::is_json("application/problem+json; charset=utf-8"));
/// assert!(!finrail_spec::media_type::is_json("application/json-seq"));
/// ```
#[must_use]
pub fn is_json(media_type: &str) -> bool {
    let essence = essence(media_type);
    essence == "application/json" || essence.ends_with("+json")
}
