//! What the fuzz targets in `fuzz/` read with. It is compiled for them (`--cfg finrail_fuzzing`) and for
//! tests, and is in no release.

#[cfg(test)]
mod corpus;

use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue, StatusCode};
use zeroize::Zeroizing;

use crate::oauth::{Asked, Error, ExpectedIssuer, Pending, Profile, RawReply, Spends, read_callback};
use crate::token::TokenReply;
use crate::value::{ScopeSet, Secret};

/// The `state` of the authorization that [`callbacks`] are for.
pub const STATE: &str = "the-state";
/// What the request carried that [`token_replies`] answer.
pub const SPENT: &str = "planted-refresh-token";

/// Of every provider whose feature is on.
fn profiles() -> Vec<&'static Profile> {
    vec![
        #[cfg(feature = "ofx")]
        &crate::providers::ofx::PROFILE,
        #[cfg(feature = "mx")]
        &crate::providers::mx::PROFILE,
        #[cfg(feature = "omnifund")]
        &crate::providers::omnifund::PROFILE,
        #[cfg(feature = "tatrabanka")]
        &crate::providers::tatrabanka::PROFILE,
        #[cfg(feature = "finexer")]
        &crate::providers::finexer::PROFILE,
    ]
}

/// What each provider's profile makes of a callback.
pub fn callbacks(callback: &str) -> impl Iterator<Item = Result<Secret, Error>> {
    let endpoint = url::Url::parse("https://issuer.example/authorize").ok();
    profiles().into_iter().map(move |profile| {
        let pending = Pending {
            provider: profile.provider.to_owned(),
            client_id: "client".to_owned(),
            state: Secret::from(STATE),
            verifier: None,
            redirect_uri: None,
            scopes: ScopeSet::default(),
            token_endpoint: String::new(),
            bound: Vec::new(),
            subject: None,
            tenant: String::new(),
            until: None,
        };
        let issuer = ExpectedIssuer::WithEndpoint([endpoint.as_ref(), None]);
        read_callback(profile, &pending, &issuer, callback)
    })
}

/// What each provider's profile makes of the answer to a refresh.
pub fn token_replies(status: StatusCode, body: &[u8]) -> impl Iterator<Item = Result<TokenReply, Error>> {
    profiles().into_iter().map(move |profile| {
        let reply = RawReply {
            status,
            headers: HeaderMap::new(),
            body: Zeroizing::new(body.to_vec()),
            cut: false,
            broken: None,
        };
        let asked = Asked {
            request: "refresh",
            spends: Spends::RefreshToken,
            keep_id_token: true,
            secrets: &[SPENT],
        };
        reply.token(profile, &asked)
    })
}

/// Whether a 401 with these fields `WWW-Authenticate`, one a line, says that the token is the reason. What no header can
/// carry is left out.
#[must_use]
pub fn names_the_token(fields: &[u8]) -> bool {
    let mut headers = HeaderMap::new();
    for field in fields.split(|byte| *byte == b'\n') {
        if let Ok(value) = HeaderValue::from_bytes(field) {
            headers.append(WWW_AUTHENTICATE, value);
        }
    }
    crate::http::challenge_is_invalid_token(&headers)
}

/// Whether a text has these words in it, in capitals or not.
#[must_use]
pub fn has(text: &[u8], words: &str) -> bool {
    text.windows(words.len())
        .any(|part| part.eq_ignore_ascii_case(words.as_bytes()))
}

/// A file of the file store: what it holds, as the store would write it again.
#[cfg(feature = "file")]
#[must_use]
pub fn file_record(file: &[u8]) -> Option<Vec<u8>> {
    crate::token::store::reframed(file)
}
