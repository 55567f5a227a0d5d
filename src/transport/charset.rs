//! In which encoding a body is written.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use http::HeaderMap;

/// The body in UTF-8, which JSON is written in (RFC 8259 section 8.1) unless its byte order mark or its header says
/// something else; without the mark.
pub(super) fn in_utf_8<'a>(body: &'a [u8], headers: &HeaderMap) -> Cow<'a, [u8]> {
    let declared = || {
        let text = headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
        let parameters = text.split(';').skip(1);
        let charset = parameters
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
        Encoding::for_label(charset.1.trim().trim_matches(['"', '\'']).as_bytes())
    };
    let (encoding, body) = match Encoding::for_bom(body) {
        Some((encoding, length)) => (encoding, body.get(length..).unwrap_or_default()),
        None => match declared().unwrap_or(UTF_8) {
            // JSON begins with an ASCII character. `utf-16` alone names no order of the bytes.
            encoding if encoding == UTF_16LE && body.first() == Some(&0) => (UTF_16BE, body),
            encoding => (encoding, body),
        },
    };
    if encoding == UTF_8 {
        return Cow::Borrowed(body);
    }
    match encoding.decode_without_bom_handling(body).0 {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}
