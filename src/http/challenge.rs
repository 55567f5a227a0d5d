//! `WWW-Authenticate`: what a 401 says of the access token.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// Whether a 401 says that the token itself is the reason (RFC 6750 section 3.1).
pub(crate) fn challenge_is_invalid_token(headers: &HeaderMap) -> bool {
    headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|challenge| {
            challenge
                .to_ascii_lowercase()
                .replace([' ', '"'], "")
                .contains("error=invalid_token")
        })
}
