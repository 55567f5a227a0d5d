//! JSON pointers (RFC 6901): how a place in a document is named.

/// A pointer's token for one key.
///
/// ```
/// assert_eq!(finrail_spec::pointer::token("/oauth/token"), "~1oauth~1token");
/// ```
#[must_use]
pub fn token(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A pointer with one more token.
///
/// ```
/// assert_eq!(finrail_spec::pointer::join("/paths", "/oauth/token"), "/paths/~1oauth~1token");
/// ```
#[must_use]
pub fn join(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", token(key))
}

/// The keys that a pointer goes through.
///
/// ```
/// assert_eq!(finrail_spec::pointer::keys("/paths/~1oauth~1token"), ["paths", "/oauth/token"]);
/// ```
#[must_use]
pub fn keys(pointer: &str) -> Vec<String> {
    pointer
        .split('/')
        .skip(1)
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
        .collect()
}
