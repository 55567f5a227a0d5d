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

/// Whether a media type stands for JSON: some documents write `*/*`, or the old name.
#[cfg(feature = "value")]
pub(crate) fn means_json(media_type: &str) -> bool {
    is_json(media_type)
        || matches!(
            essence(media_type),
            "*/*" | "application/*" | "text/json" | "application/x-json"
        )
}

/// How the body of a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// JSON, under whatever media type.
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
    /// `multipart/form-data` (RFC 7578): a part for each property.
    Parts,
    /// Bytes as the caller has them: files, signed documents, texts.
    Bytes,
}

impl BodyKind {
    /// How a body of this media type is written; none of other kinds of `multipart/`, and of ranges.
    ///
    /// ```
    /// use finrail_spec::media_type::BodyKind;
    ///
    /// assert_eq!(BodyKind::of("application/json; charset=utf-8"), Some(BodyKind::Json));
    /// assert_eq!(BodyKind::of("multipart/form-data"), Some(BodyKind::Parts));
    /// assert_eq!(BodyKind::of("application/jwt"), Some(BodyKind::Bytes));
    /// assert_eq!(BodyKind::of("multipart/related"), None);
    /// assert_eq!(BodyKind::of("image/*"), None);
    /// ```
    #[must_use]
    pub fn of(media_type: &str) -> Option<Self> {
        let essence = essence(media_type).to_ascii_lowercase();
        let (kind, sub) = essence.split_once('/')?;
        let is_token = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
        };
        match essence.as_str() {
            json if is_json(json) => Some(Self::Json),
            "application/x-www-form-urlencoded" => Some(Self::Form),
            "multipart/form-data" => Some(Self::Parts),
            _ if kind == "multipart" || !is_token(kind) || !is_token(sub) => None,
            _ => Some(Self::Bytes),
        }
    }
}
