//! How a client shows who it is (RFC 6749 section 2.3).

use base64::Engine as _;
use zeroize::Zeroizing;

use crate::value::secret_header;

/// HTTP Basic with id and secret form-encoded first (RFC 6749 section 2.3.1).
pub(crate) fn basic(id: &str, secret: &str) -> http::HeaderValue {
    let encode = |text: &str| Zeroizing::new(url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>());
    plain_basic(&encode(id), &encode(secret))
}

/// HTTP Basic with a user name and a password as they are (RFC 7617).
pub(crate) fn plain_basic(name: &str, password: &str) -> http::HeaderValue {
    let text = Zeroizing::new(format!("{name}:{password}"));
    let encoded = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(text.as_bytes()));
    // Base64 has no character that a header cannot carry, so the other branch is never taken.
    secret_header("Basic", &encoded).unwrap_or(http::HeaderValue::from_static("Basic"))
}
