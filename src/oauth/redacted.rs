//! What a server says, without what the request carried in secret.

use std::collections::HashSet;

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::value::is_unseen;

/// As many characters of a secret in a row say something of it.
const PART: usize = 6;

/// With padding or without.
const fn base64(alphabet: &Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config.with_decode_allow_trailing_bits(true))
}

/// What a server says, fit to be shown: in one line, without what the request carried in secret, cut to a length.
pub(super) fn cleaned(text: &str, secrets: &[&str]) -> String {
    // Characters that are not seen go first: one of them in a secret would hide it.
    let mut text = Zeroizing::new(seen(text));
    let mut forms: Vec<_> = secrets.iter().flat_map(|secret| forms(secret)).collect();
    // Of two secrets, one may be a part of the other.
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    for form in forms {
        text = Zeroizing::new(text.replace(form.as_str(), "[REDACTED]"));
    }
    text.chars().take(300).collect()
}

/// Whether a word is a part of a secret, or a text has as much of one in it as says something of it, in whatever case: also
/// where it is a header of HTTP Basic that the server repeats, or in hexadecimal digits.
pub(super) fn tells_of_a_secret(word: &str, text: &str, secrets: &[&str]) -> bool {
    let text = Zeroizing::new(seen(text));
    let mut texts = decoded(&text);
    texts.push(text);
    let texts: Vec<_> = texts.iter().map(|text| Characters::of(text)).collect();
    let parts: HashSet<&[char]> = texts.iter().flat_map(|text| text.0.windows(PART)).collect();
    let is_in = |form: &Zeroizing<String>| {
        let form = Characters::of(form);
        match form.0.len() {
            0..PART => texts
                .iter()
                .any(|text| text.0.windows(form.0.len()).any(|part| *part == form.0[..])),
            _ => form.0.windows(PART).any(|part| parts.contains(part)),
        }
    };
    let mut forms = secrets.iter().flat_map(|secret| forms(secret));
    forms.any(|form| form.contains(word) || is_in(&form))
}

/// The characters of a text in lower case, which may be a secret's.
struct Characters(Zeroizing<Vec<char>>);

impl Characters {
    fn of(text: &str) -> Self {
        Self(Zeroizing::new(text.chars().flat_map(char::to_lowercase).collect()))
    }
}

/// What the words of a text stand for, in each way in which one may be written.
fn decoded(text: &str) -> Vec<Zeroizing<String>> {
    let engines = [base64(&STANDARD), base64(&URL_SAFE)];
    // What stands between two words may be of the alphabet too.
    let words = ["+/-_=", "+/=", "-_=", ""].into_iter().flat_map(|also| {
        let words = text.split(move |c: char| !(c.is_ascii_alphanumeric() || also.contains(c)));
        words.filter(|word| !word.is_empty())
    });
    let read = words.flat_map(|word| {
        let base64 = engines.iter().filter_map(|engine| engine.decode(word).ok());
        base64.chain(from_hex(word)).collect::<Vec<_>>()
    });
    read.map(Zeroizing::new)
        .map(|bytes| Zeroizing::new(seen(&String::from_utf8_lossy(&bytes))))
        .collect()
}

fn from_hex(word: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = word.chars().map(|c| c.to_digit(16)?.try_into().ok()).collect();
    let (pairs, _) = digits.as_deref()?.as_chunks();
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

/// A text without the characters that nobody sees.
fn seen(text: &str) -> String {
    text.chars().filter(|c| !is_unseen(*c)).collect()
}

/// How a secret may stand in a text: as it is, in a URL or a form, which a server may repeat as it came in, in JSON, or in
/// HTML.
fn forms(secret: &str) -> Vec<Zeroizing<String>> {
    let clean = Zeroizing::new(seen(secret));
    let mut forms: Vec<_> = [secret, &clean]
        .into_iter()
        .flat_map(forms_of)
        .map(Zeroizing::new)
        .collect();
    forms.retain(|form| !form.is_empty());
    forms.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    forms.dedup();
    forms
}

fn forms_of(secret: &str) -> [String; 12] {
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let url = form.replace('+', "%20");
    let json = Zeroizing::new(serde_json::to_string(secret).unwrap_or_default());
    let json = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
    let json = json.unwrap_or_default().to_owned();
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let html_of = |quote: &str, apostrophe: &str| html.replace('"', quote).replace('\'', apostrophe);
    [
        small(&form),
        small(&url),
        form,
        url,
        json.replace('/', "\\/"),
        json,
        html_of("&quot;", "&#39;"),
        html_of("&#34;", "&#039;"),
        html_of("&quot;", "&#x27;"),
        html_of("&quot;", "&apos;"),
        html,
        secret.to_owned(),
    ]
}

/// The same with the hexadecimal digits of its escapes in lower case.
fn small(encoded: &str) -> String {
    let mut digits = 0;
    let lower = encoded.chars().map(|c| match (c, digits) {
        ('%', _) => {
            digits = 2;
            c
        }
        (_, 0) => c,
        _ => {
            digits -= 1;
            c.to_ascii_lowercase()
        }
    });
    lower.collect()
}
