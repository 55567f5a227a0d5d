//! What no log, span or error of a call may show: what it was authenticated with, and the client's own secret.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

/// Shorter texts stand in many names: they are known where they are the whole of one.
const SHORTEST: usize = 8;

/// Headers that name a request, the more usual first: they are for being shown.
pub(super) const NAMES_OF_A_REQUEST: [&str; 4] = [
    "x-request-id",
    "request-id",
    "x-correlation-id",
    "x-fapi-interaction-id",
];

/// Asks the secrets of a client, of which there may be several: whether it is so of one of them.
pub(crate) type ClientSecrets = Arc<dyn Fn(&dyn Fn(&str) -> bool) -> bool + Send + Sync>;

/// The secrets that a call's client knows.
#[derive(Clone, Default)]
pub(crate) struct KnownSecrets {
    /// `Authorization`, as it was sent.
    pub sent: Option<HeaderValue>,
    /// The same as it was sent before, where the provider refused the token.
    pub refused: Option<HeaderValue>,
    pub of_client: Option<ClientSecrets>,
    /// Values of headers by the caller.
    pub headers: Option<Arc<[HeaderValue]>>,
}

/// The values that are nobody's business in the headers of a call before its credentials are in them. What names a
/// request is for being shown.
pub(super) fn of_caller(headers: &HeaderMap, keys: &[HeaderValue]) -> Option<Arc<[HeaderValue]>> {
    let is_secret = |(name, value): &(&HeaderName, &HeaderValue)| {
        value.is_sensitive() && !NAMES_OF_A_REQUEST.contains(&name.as_str())
    };
    // Most calls have none.
    if keys.is_empty() {
        headers.iter().find(is_secret)?;
    }
    let of_headers = headers.iter().filter(is_secret).map(|(_, value)| value);
    Some(of_headers.chain(keys).cloned().collect())
}

impl KnownSecrets {
    /// Whether a text has one of them in it, or a part of one, or is a part of one, also as an address has it.
    pub fn are_in(&self, text: &str) -> bool {
        let decoded = text.contains(['%', '+']).then(|| {
            let text = text.replace('+', " ");
            Zeroizing::new(percent_decode_str(&text).decode_utf8_lossy().into_owned())
        });
        let tells = |secret: &str| tells(text, secret) || decoded.as_ref().is_some_and(|text| tells(text, secret));
        if self.of_client.as_ref().is_some_and(|secrets| secrets(&tells)) {
            return true;
        }
        if self
            .headers
            .iter()
            .flat_map(|values| values.iter())
            .any(|value| readings(value).iter().any(|secret| tells(secret)))
        {
            return true;
        }
        self.sent
            .iter()
            .chain(&self.refused)
            .any(|header| tells_credentials(header, tells))
    }
}

/// Whether a text tells a secret: has it in it, or one of the parts that a token is made of, or is a piece of it. In whatever
/// case: a header's name is always in small letters.
fn tells(text: &str, secret: &str) -> bool {
    let has = |text: &str, part: &str| {
        let (text, part) = (text.as_bytes(), part.as_bytes());
        part.len() >= SHORTEST && text.windows(part.len()).any(|place| place.eq_ignore_ascii_case(part))
    };
    let is_between = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    !secret.is_empty() && text.eq_ignore_ascii_case(secret)
        || has(text, secret)
        || has(secret, text)
        || secret.split('.').any(|part| has(text, part))
        || secret.split(is_between).any(|part| has(text, part))
}

/// What the value of a header may be as a text: nobody says in which charset it is. Whoever repeats it reads its bytes as UTF-8, with
/// something in the place of those that are none, or each as the character of its number (ISO-8859-1).
fn readings(value: &HeaderValue) -> Vec<Zeroizing<String>> {
    let bytes = value.as_bytes();
    let as_utf_8 = String::from_utf8_lossy(bytes).into_owned();
    let by_number = (!bytes.is_ascii()).then(|| bytes.iter().copied().map(char::from).collect());
    std::iter::once(as_utf_8).chain(by_number).map(Zeroizing::new).collect()
}

/// Whether it is so of what stands in an `Authorization` header.
fn tells_credentials(header: &HeaderValue, tells: impl Fn(&str) -> bool) -> bool {
    let headers = readings(header);
    let mut parts = headers.iter().filter_map(|header| header.split_once(' '));
    parts.any(|(scheme, sent)| tells_sent(scheme, sent, &tells))
}

fn tells_sent(scheme: &str, sent: &str, tells: impl Fn(&str) -> bool) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_any_charset_is_known() {
        let of_headers = |bytes: &[u8]| {
            let mut value = HeaderValue::from_bytes(bytes).unwrap();
            value.set_sensitive(true);
            let headers = of_caller(
                &HeaderMap::from_iter([(HeaderName::from_static("x-api-key"), value)]),
                &[],
            );
            KnownSecrets {
                headers,
                ..KnownSecrets::default()
            }
        };
        let sent = |bytes: &[u8]| KnownSecrets {
            sent: Some(HeaderValue::from_bytes(&[b"Bearer ", bytes].concat()).unwrap()),
            ..KnownSecrets::default()
        };
        let (utf_8, by_number) = ("k\u{fc}r-\u{10d}ij".as_bytes(), b"k\xfcr-\xe8ij");
        for (bytes, text, known) in [
            (utf_8, "k\u{fc}r-\u{10d}ij", true),
            (utf_8, "x.k\u{fc}r-\u{10d}ij", true),
            (utf_8, "k\u{c3}\u{bc}r-\u{c4}\u{8d}ij", true),
            (&by_number[..], "k\u{fc}r-\u{e8}ij", true),
            (&by_number[..], "k\u{fffd}r-\u{fffd}ij", true),
            (&by_number[..], "kr-ij", false),
            (b"a+b/c&d=", "/rates?key=a%2Bb%2Fc%26d%3D", true),
            (b"a b c d e", "?key=a+b+c+d+e", true),
            (b"a+b/c&d=", "/rates?key=%", false),
        ] {
            assert_eq!(of_headers(bytes).are_in(text), known, "{text}");
            assert_eq!(sent(bytes).are_in(text), known, "{text}");
        }
    }

    #[test]
    fn a_text_that_has_a_secret_in_it_or_is_a_part_of_one_is_known() {
        let basic = format!("Basic {}", STANDARD.encode("planted-key-1:planted-word-2"));
        let of_client: ClientSecrets =
            Arc::new(|tells| ["planted-client-3", "planted-client-4"].into_iter().any(tells));
        let mut headers = HeaderMap::new();
        for (name, value) in [("x-api-key", "planted-key-5"), ("x-request-id", "planted-id-6")] {
            let mut value = HeaderValue::from_static(value);
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        headers.insert("accept", HeaderValue::from_static("application/json"));
        let headers = of_caller(&headers, &[]);
        for (header, text, known) in [
            ("Bearer planted-token", "planted-token", true),
            ("Bearer planted-token", "xplanted-tokenx", true),
            ("Bearer planted-token", "anted-token", true),
            ("Bearer planted-token", "token", false),
            // As a header's name has it.
            ("Bearer Planted-Token", "x-planted-token", true),
            ("Bearer SHORT", "short", true),
            // Of a token of several parts, each part that is long enough.
            ("Bearer head.payloadpart.sign-ature", "x.payloadpart", true),
            ("Bearer head.payloadpart.sign-ature", "Bearer head.payloadpart", true),
            ("Bearer head.payloadpart.sign-ature", "xsign-aturex", true),
            ("Bearer kid-planted_12,another1", "<another1>", true),
            ("Bearer head.payloadpart.sign-ature", "head.payload", true),
            ("Bearer head.payloadpart.sign-ature", "x-head", false),
            ("Bearer short", "short", true),
            ("Bearer short", "shortest", false),
            (basic.as_str(), "planted-key-1", true),
            (basic.as_str(), "a.planted-word-2", true),
            (basic.as_str(), basic.strip_prefix("Basic ").unwrap(), true),
            ("Bearer planted-token", "planted-client-3", true),
            ("Bearer planted-token", "planted-client-4", true),
            ("Bearer planted-token", "planted-key-5", true),
            ("Bearer planted-token", "planted-id-6", false),
            ("Bearer planted-token", "application/json", false),
            ("Bearer planted-token", "xplanted-before-7", true),
            ("", "planted-client-3", true),
            ("", "status", false),
        ] {
            let header = HeaderValue::from_str(header).unwrap();
            let secrets = KnownSecrets {
                sent: Some(header),
                refused: Some(HeaderValue::from_static("Bearer planted-before-7")),
                of_client: Some(Arc::clone(&of_client)),
                headers: headers.clone(),
            };
            assert_eq!(secrets.are_in(text), known, "{text}");
        }
        assert!(!KnownSecrets::default().are_in("planted-token"));
    }
}
