//! The body of a request or a reply as a recording has it, or why it has not.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use super::names::is_word;

/// Why a body is not read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unread {
    /// The recording has no text of it.
    LeftOut,
    /// The text is shorter than the size that stands beside it.
    Cut,
    /// The bytes are no text in UTF-8 or UTF-16.
    NoText,
    /// It is called base64, and is none.
    Broken,
    /// A word of the recorder for a form that nobody described.
    Encoding(String),
    /// 304: the body stands in the cache of whoever asked.
    NotModified,
    /// Status 0: there was no reply.
    NoReply,
}

impl fmt::Display for Unread {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeftOut => to.write_str("left out of the recording"),
            Self::Cut => to.write_str("cut: shorter than the recorded size"),
            Self::NoText => to.write_str("recorded as bytes that are no text"),
            Self::Broken => to.write_str("recorded in base64 that is broken"),
            Self::Encoding(word) if is_word(word) => write!(to, "recorded in the encoding {word}"),
            Self::Encoding(_) => to.write_str("recorded in an unknown encoding"),
            Self::NotModified => to.write_str("answered with 304, and the body is in a cache"),
            Self::NoReply => to.write_str("without an answer (status 0)"),
        }
    }
}

/// The body of a reply.
pub(super) fn reply(entry: &Value) -> Result<String, Unread> {
    match entry.pointer("/response/status").and_then(Value::as_u64) {
        Some(304) => return Err(Unread::NotModified),
        Some(0) => return Err(Unread::NoReply),
        _ => {}
    }
    let content = entry.pointer("/response/content").ok_or(Unread::LeftOut)?;
    let size = content.get("size").and_then(Value::as_u64);
    match content.get("text").and_then(Value::as_str) {
        Some(text) => read(text, content.get("encoding"), size),
        None if size == Some(0) => Ok(String::new()),
        None => Err(Unread::LeftOut),
    }
}

/// The body of a request, where its text is recorded.
pub(super) fn request(entry: &Value) -> Result<String, Unread> {
    let post = entry.pointer("/request/postData").ok_or(Unread::LeftOut)?;
    let text = post.get("text").and_then(Value::as_str).ok_or(Unread::LeftOut)?;
    let size = entry.pointer("/request/bodySize").and_then(Value::as_u64);
    read(text, post.get("encoding"), size)
}

fn read(text: &str, encoding: Option<&Value>, size: Option<u64>) -> Result<String, Unread> {
    let encoding = encoding.and_then(Value::as_str).unwrap_or_default().trim();
    let body = if encoding.eq_ignore_ascii_case("base64") {
        from_base64(text)?
    } else {
        Cow::Borrowed(text)
    };
    let body = body.strip_prefix('\u{feff}').unwrap_or(&body);
    // A whole document is whole, whatever is counted beside it: recorders count before and after they decode.
    // Nothing makes a text this much longer: a placeholder stands there, or what is left of it.
    let is_far_shorter = size.is_some_and(|size| size > 16 + 8 * body.len() as u64);
    if serde_json::from_str::<Value>(body).is_ok() && !is_far_shorter {
        return Ok(body.to_owned());
    }
    if size.is_some_and(|size| size > body.len() as u64) {
        return Err(Unread::Cut);
    }
    match encoding.to_ascii_lowercase().as_str() {
        // Some recorders name here the letters of a text that they have decoded.
        "" | "base64" | "utf-8" | "utf8" | "us-ascii" | "ascii" | "plain" | "text" => Ok(body.to_owned()),
        _ => Err(Unread::Encoding(encoding.to_owned())),
    }
}

/// Both alphabets, with or without the signs at the end.
fn from_base64(text: &str) -> Result<Cow<'_, str>, Unread> {
    const ENGINE: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let letters: String = text
        .chars()
        .filter(|letter| !letter.is_ascii_whitespace())
        .map(|letter| match letter {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    match ENGINE.decode(letters) {
        Ok(bytes) => match letters_of(bytes) {
            Some(decoded) => Ok(Cow::Owned(decoded)),
            None if serde_json::from_str::<Value>(text).is_ok() => Ok(Cow::Borrowed(text)),
            None => Err(Unread::NoText),
        },
        // Not base64 after all: Firefox wrote the word beside texts (its bug 1762313).
        Err(_) if is_a_text(text) => Ok(Cow::Borrowed(text)),
        Err(_) => Err(Unread::Broken),
    }
}

/// Whether what is no base64 is what a server sends: JSON, tags or words.
fn is_a_text(text: &str) -> bool {
    let text = text.trim();
    text.is_empty()
        || text.starts_with(['{', '[', '"', '<'])
        || text.contains(' ')
        || serde_json::from_str::<Value>(text).is_ok()
}

/// A text in UTF-8, or in UTF-16 where its first bytes say so.
fn letters_of(bytes: Vec<u8>) -> Option<String> {
    let wide = |bytes: &[u8], pair: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|it| pair(*it)).collect();
        rest.is_empty().then(|| String::from_utf16(&units).ok()).flatten()
    };
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => String::from_utf8(bytes).ok(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_is_read_in_every_form_that_recorders_write() {
        let whole = "{\"a\":1}";
        let rows = [
            (json!({"text": whole}), Ok(whole)),
            (json!({"text": "eyJhIjoxfQ==", "encoding": "base64"}), Ok(whole)),
            (json!({"text": "eyJhIjox\nfQ", "encoding": "Base64"}), Ok(whole)),
            (json!({"text": "77u/eyJhIjoxfQ==", "encoding": "base64"}), Ok(whole)),
            (
                json!({"text": "//57ACIAYQAiADoAMQB9AA==", "encoding": "base64"}),
                Ok(whole),
            ),
            (json!({"text": "gICA", "encoding": "base64"}), Err(Unread::NoText)),
            (json!({"text": "@@@", "encoding": "base64"}), Err(Unread::Broken)),
            (json!({"text": "eyJhI*jox", "encoding": "base64"}), Err(Unread::Broken)),
            (json!({"text": "Not found.", "encoding": "base64"}), Ok("Not found.")),
            (json!({"text": "<p>", "encoding": "base64"}), Ok("<p>")),
            (json!({"text": "{}", "size": 5_000}), Err(Unread::Cut)),
            (json!({"text": "{}", "size": 20}), Ok("{}")),
            (json!({"text": "true", "encoding": "base64"}), Ok("true")),
            (json!({"text": whole, "encoding": "base64"}), Ok(whole)),
            (json!({"text": whole, "encoding": ""}), Ok(whole)),
            (json!({"text": whole, "encoding": null}), Ok(whole)),
            (json!({"text": whole, "encoding": "utf-8"}), Ok(whole)),
            (json!({"text": whole, "encoding": "gzip"}), Ok(whole)),
            (
                json!({"text": "\u{1f}", "encoding": "gzip"}),
                Err(Unread::Encoding("gzip".to_owned())),
            ),
            (json!({"text": "\u{feff}{\"a\":1}", "size": 10}), Ok(whole)),
            (json!({"text": "{\"a\"", "size": 7}), Err(Unread::Cut)),
            (
                json!({"text": "eyJhIg==", "encoding": "base64", "size": 7}),
                Err(Unread::Cut),
            ),
            (json!({"text": "", "size": 7}), Err(Unread::Cut)),
            (json!({"text": "<html>", "size": 2}), Ok("<html>")),
            (json!({"text": "<html>", "size": -1}), Ok("<html>")),
            (json!({"size": 7}), Err(Unread::LeftOut)),
            (json!({"text": null}), Err(Unread::LeftOut)),
            (json!({"size": 0}), Ok("")),
        ];
        for (content, expected) in rows {
            let entry = json!({"response": {"status": 200, "content": content}});
            assert_eq!(reply(&entry), expected.map(str::to_owned), "{content}");
        }
        for (status, expected) in [(304, Unread::NotModified), (0, Unread::NoReply)] {
            let entry = json!({"response": {"status": status, "content": {"size": 0}}});
            assert_eq!(reply(&entry), Err(expected), "{status}");
        }
    }
}
