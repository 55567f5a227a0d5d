//! Whatever a token endpoint answers: tokens that a header can carry, a refresh token, or an error without a secret; never a panic.
#![no_main]

use finrail::fuzzing::{SPENT, token_replies};
use finrail::oauth::wire::{OAuthError, TokenResponse};
use http::StatusCode;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for status in [StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::TOO_MANY_REQUESTS] {
        for reply in token_replies(status, bytes) {
            match reply {
                Ok(reply) => {
                    let token = reply.access_token.expose_secret();
                    assert!(token.bytes().all(|byte| byte.is_ascii_graphic()));
                    // Without an access token, a reply is one for the refresh token in it.
                    assert_eq!(token.is_empty(), reply.unusable.is_some());
                    assert!(!token.is_empty() || reply.refresh_token.is_some());
                    assert!(status.is_success());
                }
                Err(error) => assert!(!format!("{error} {error:?}").contains(SPENT)),
            }
        }
    }
    let _ = serde_json::from_slice::<TokenResponse>(bytes).map(|reply| format!("{reply:?}"));
    let _ = serde_json::from_slice::<OAuthError>(bytes).map(|error| format!("{error:?}"));
});
