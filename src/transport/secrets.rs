//! What no log, span or error of a call may show: what it was authenticated with, and the client's own secret.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use zeroize::Zeroizing;

use crate::value::Secret;

/// Shorter texts stand in many names: they are known where they are the whole of one.
const SHORTEST: usize = 8;

/// The secrets that a call's client knows.
#[derive(Clone, Default)]
pub(crate) struct KnownSecrets {
    /// `Authorization`, as it was sent.
    header: Option<HeaderValue>,
    others: Option<Arc<Secret>>,
}

impl KnownSecrets {
    pub fn new(header: Option<HeaderValue>, others: Option<&Arc<Secret>>) -> Self {
        Self {
            header,
            others: others.cloned(),
        }
    }

    /// Whether a text has one of them in it, or is a part of one.
    pub fn are_in(&self, text: &str) -> bool {
        let tells = |secret: &str| {
            !secret.is_empty() && text == secret
                || secret.len() >= SHORTEST
                    && (text.contains(secret) || text.len() >= SHORTEST && secret.contains(text))
        };
        if self.others.as_ref().is_some_and(|other| tells(other.expose_secret())) {
            return true;
        }
        let sent = self.header.as_ref().and_then(|header| header.to_str().ok());
        let Some((scheme, sent)) = sent.and_then(|sent| sent.split_once(' ')) else {
            return false;
        };
        if tells(sent) {
            return true;
        }
        // Of Basic, what stands behind the encoding.
        let decoded = scheme
            .eq_ignore_ascii_case("basic")
            .then(|| STANDARD.decode(sent).ok())
            .flatten();
        let decoded = decoded.map(Zeroizing::new);
        let decoded = decoded.as_ref().and_then(|bytes| std::str::from_utf8(bytes).ok());
        decoded.is_some_and(|pair| pair.split(':').any(tells))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_has_a_secret_in_it_or_is_a_part_of_one_is_known() {
        let basic = format!("Basic {}", STANDARD.encode("planted-key-1:planted-word-2"));
        let other = Arc::new(Secret::from("planted-client-3"));
        for (header, text, known) in [
            ("Bearer planted-token", "planted-token", true),
            ("Bearer planted-token", "xplanted-tokenx", true),
            ("Bearer planted-token", "anted-token", true),
            ("Bearer planted-token", "token", false),
            ("Bearer short", "short", true),
            ("Bearer short", "shortest", false),
            (basic.as_str(), "planted-key-1", true),
            (basic.as_str(), "a.planted-word-2", true),
            (basic.as_str(), basic.strip_prefix("Basic ").unwrap(), true),
            ("Bearer planted-token", "planted-client-3", true),
            ("", "planted-client-3", true),
            ("", "status", false),
        ] {
            let header = HeaderValue::from_str(header).unwrap();
            let secrets = KnownSecrets::new(Some(header), Some(&other));
            assert_eq!(secrets.are_in(text), known, "{text}");
        }
        assert!(!KnownSecrets::default().are_in("planted-token"));
    }
}
