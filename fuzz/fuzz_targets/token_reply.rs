//! Whatever a token endpoint answers: tokens, an OAuth error or neither, never a panic.
#![no_main]

use finrail::oauth::wire::{OAuthError, TokenResponse};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(reply) = serde_json::from_slice::<TokenResponse>(bytes) {
        let _ = format!("{reply:?}");
    }
    if let Ok(error) = serde_json::from_slice::<OAuthError>(bytes) {
        let _ = format!("{error:?}");
    }
});
