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

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_challenge_names_the_token_by_its_error_however_it_is_written() {
        for (challenges, expected) in [
            (&[][..], false),
            (&["Bearer"], false),
            (&[r#"Bearer realm="bank""#], false),
            (&[r#"Bearer error="insufficient_scope""#], false),
            (&[r#"Bearer realm="bank", error="invalid_token""#], true),
            (&["bearer ERROR = Invalid_Token"], true),
            (
                &["Basic", r#"Bearer error="invalid_token", error_description="over""#],
                true,
            ),
            (&[r#"Bearer error="invalid_request""#, "Basic"], false),
        ] {
            let mut headers = HeaderMap::new();
            for challenge in challenges {
                headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
            assert_eq!(challenge_is_invalid_token(&headers), expected, "{challenges:?}");
        }
    }
}
