//! In which encoding a body is written.

use std::borrow::Cow;

use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use http::HeaderMap;

/// What is done with bytes that are no character in the charset of their body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// They cost the value that they stand in. Two values that differ in them alone would be read as one.
    Refused,
    /// They are read as the replacement character: of an error, the rest is of use.
    Replaced,
}

/// A byte that no UTF-8 has, in the place of what is no character.
const NONE: u8 = 0xff;

/// The body in UTF-8, which JSON is written in (RFC 8259 section 8.1) unless its byte order mark or its header says
/// something else; without the mark. A body that is in UTF-8 comes as it is.
pub(super) fn in_utf_8<'a>(body: &'a [u8], headers: &HeaderMap, wrong: Wrong) -> Cow<'a, [u8]> {
    let (encoding, body) = match Encoding::for_bom(body) {
        Some((encoding, length)) => (encoding, body.get(length..).unwrap_or_default()),
        None => match declared(headers).unwrap_or(UTF_8) {
            // JSON begins with an ASCII character. `utf-16` alone names no order of the bytes.
            encoding if encoding == UTF_16LE && body.first() == Some(&0) => (UTF_16BE, body),
            encoding => (encoding, body),
        },
    };
    if encoding == UTF_8 {
        return Cow::Borrowed(body);
    }
    match encoding.decode_without_bom_handling(body) {
        (_, true) if wrong == Wrong::Refused => Cow::Owned(with_none(encoding, body)),
        (Cow::Borrowed(text), _) => Cow::Borrowed(text.as_bytes()),
        (Cow::Owned(text), _) => Cow::Owned(text.into_bytes()),
    }
}

/// The body with [`NONE`] for what is no character.
fn with_none(encoding: &'static Encoding, body: &[u8]) -> Vec<u8> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = Vec::with_capacity(body.len());
    let mut piece = [0; 4096];
    let mut rest = body;
    loop {
        let (result, read, written) = decoder.decode_to_utf8_without_replacement(rest, &mut piece, true);
        rest = rest.get(read..).unwrap_or_default();
        text.extend_from_slice(piece.get(..written).unwrap_or_default());
        match result {
            DecoderResult::InputEmpty => return text,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => text.push(NONE),
        }
    }
}

fn declared(headers: &HeaderMap) -> Option<&'static Encoding> {
    let media_type = headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
    let charset = charset_of(media_type)?;
    // By its label it would be windows-1252. All of US-ASCII is UTF-8, and who declares it means that there is no more.
    match ["us-ascii", "ascii"]
        .iter()
        .any(|ascii| ascii.eq_ignore_ascii_case(&charset))
    {
        true => Some(UTF_8),
        // Labels are written with `_` too, and Latin-1 with its hyphen.
        false => Encoding::for_label(charset.as_bytes()).or_else(|| {
            let plain = charset.to_ascii_lowercase().replace('_', "-");
            let label = if plain == "latin-1" { "latin1" } else { &plain };
            Encoding::for_label(label.as_bytes())
        }),
    }
}

/// The parameter `charset` of a media type. A value may be a quoted string (RFC 9110 section 5.6.6), in which nothing
/// divides.
fn charset_of(media_type: &str) -> Option<Cow<'_, str>> {
    // Most have no parameter, and most of the others no quotes.
    let (_, parameters) = media_type.split_once(';')?;
    if !media_type.contains('"') {
        return charset_among(parameters.split(';')).map(Cow::Borrowed);
    }
    let parts = without_quotes(media_type);
    let charset = charset_among(parts.iter().skip(1).map(String::as_str))?;
    Some(Cow::Owned(charset.to_owned()))
}

fn charset_among<'a>(parameters: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut parameters = parameters.filter_map(|part| part.split_once('='));
    let (_, charset) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(charset.trim().trim_matches('\''))
}

/// The parts of a media type between its semicolons, without the quotes of what is quoted in them.
fn without_quotes(media_type: &str) -> Vec<String> {
    let mut parts = vec![];
    let mut part = String::new();
    let (mut is_quoted, mut is_escaped) = (false, false);
    for character in media_type.chars() {
        match character {
            '\\' if is_quoted && !is_escaped => {
                is_escaped = true;
                continue;
            }
            '"' if !is_escaped => is_quoted = !is_quoted,
            ';' if !is_quoted => parts.push(std::mem::take(&mut part)),
            _ => part.push(character),
        }
        is_escaped = false;
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(media_type: &str) -> HeaderMap {
        let media_type = HeaderValue::from_str(media_type).unwrap();
        [(http::header::CONTENT_TYPE, media_type)].into_iter().collect()
    }

    #[test]
    fn a_charset_is_the_parameter_and_nothing_that_looks_like_it() {
        for (media_type, charset) in [
            ("a/b", None),
            ("a/b; charset=x", Some("x")),
            ("a/b;profile=\"a;charset=utf-16\"", None),
            ("a/b;profile=\"a;charset=utf-16\" ; charset = x", Some("x")),
            ("a/b;profile=\"a\\\";charset=utf-16\";Charset=\"x\"", Some("x")),
            ("a/b;charset=\"\\x\"", Some("x")),
            ("a/b;charset=\"x\\\\y\"", Some("x\\y")),
            // Outside of quotes it escapes nothing.
            ("a/b;charset=x\\y", Some("x\\y")),
            ("a/b;charset='x'", Some("x")),
            ("a/b;p=1;q;CHARSET= x", Some("x")),
            ("charset=x;p=1", None),
            ("a/b;p=\"a;charset=x", None),
            ("charset=x", None),
        ] {
            assert_eq!(charset_of(media_type).as_deref(), charset, "{media_type}");
        }
    }

    #[test]
    fn what_is_no_character_is_refused_or_replaced() {
        for (charset, body, refused, replaced) in [
            ("shift_jis", &b"a\x85"[..], &b"a\xff"[..], "a\u{fffd}"),
            (
                "shift_jis",
                b"\"a\x85\"\x82\xa0",
                b"\"a\xff\"\xe3\x81\x82",
                "\"a\u{fffd}\"\u{3042}",
            ),
            ("windows-1252", b"a\xe9", b"a\xc3\xa9", "a\u{e9}"),
            ("us-ascii", b"a\xc3\xa9", b"a\xc3\xa9", "a\u{e9}"),
            ("US-ASCII", b"a\xe9", b"a\xe9", ""),
            ("utf-16le", b"a\0\0\xd8b\0", b"a\xffb", "a\u{fffd}b"),
        ] {
            let headers = headers(&format!("application/json; charset={charset}"));
            assert_eq!(in_utf_8(body, &headers, Wrong::Refused), refused, "{charset}");
            if !replaced.is_empty() {
                assert_eq!(
                    in_utf_8(body, &headers, Wrong::Replaced),
                    replaced.as_bytes(),
                    "{charset}"
                );
            }
        }
        let long = [vec![b'x'; 10_000], b"\x85".to_vec()].concat();
        let read = in_utf_8(&long, &headers("a/b;charset=shift_jis"), Wrong::Refused);
        assert_eq!((read.len(), read.last()), (10_001, Some(&NONE)));
    }
}
