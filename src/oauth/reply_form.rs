//! Replies in another form than a JSON object in UTF-8: in UTF-16, or as the fields of a form, which some servers send
//! from before RFC 6749 was written. The tokens in them are as good, and stand nowhere else.

use zeroize::Zeroizing;

use super::reply::RawReply;
use super::reply_fields::{as_text, is_alike};
use crate::http::without_mark;

/// The reply as a JSON object in UTF-8, where it is one in another form; otherwise as it is.
pub(super) fn as_json_in_utf8(mut reply: RawReply) -> RawReply {
    if let Some(utf8) = from_utf_16(&reply.body) {
        reply.body = utf8;
    }
    let is_cut = reply.cut || reply.broken.is_some();
    if let Some(json) = from_form(&reply.body, is_cut).or_else(|| from_text(&reply.body)) {
        reply.body = json;
    }
    reply
}

/// A JSON text in a JSON string.
fn from_text(body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = as_text(without_mark(body).trim_ascii())?;
    text.trim_start()
        .starts_with('{')
        .then(|| Zeroizing::new(text.as_bytes().to_vec()))
}

/// UTF-16 is known by its mark, or because the first character of a JSON text is one of ASCII (RFC 4627 section 3).
fn from_utf_16(body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    type Unit = fn([u8; 2]) -> u16;

    let (text, unit): (&[u8], Unit) = match body {
        [0xff, 0xfe, text @ ..] => (text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => (text, u16::from_be_bytes),
        [first, 0, rest @ ..] if *first != 0 && rest.get(1).is_none_or(|high| *high == 0) => (body, u16::from_le_bytes),
        [0, second, rest @ ..] if *second != 0 && rest.first().is_none_or(|high| *high == 0) => {
            (body, u16::from_be_bytes)
        }
        _ => return None,
    };
    let units = text.as_chunks().0.iter().map(|bytes| unit(*bytes));
    // No two bytes of UTF-16 stand for more than three of UTF-8: the buffer never grows, so it leaves no copy behind.
    let mut utf8 = Zeroizing::new(Vec::with_capacity(text.len() / 2 * 3));
    for character in char::decode_utf16(units) {
        let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
        utf8.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Some(utf8)
}

/// Only a form with a token in it: an error in one is no answer that any standard knows. Where the form is cut, its last
/// field may be the half of one, and is left out with the end of the object.
fn from_form(body: &[u8], is_cut: bool) -> Option<Zeroizing<Vec<u8>>> {
    const TOKENS: [&str; 2] = ["access_token", "refresh_token"];
    let ends_with_a_field = body.last().is_some_and(|byte| b"\r\n&".contains(byte));
    let body = without_mark(body).trim_ascii();
    let body = body.strip_prefix(b"?").unwrap_or(body);
    let begins_with_a_name = body
        .first()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    if !begins_with_a_name || body.iter().any(|byte| b"<>{}".contains(byte)) {
        return None;
    }
    let pairs = || {
        let lines = body.split(|byte| b"\r\n&".contains(byte));
        lines.flat_map(url::form_urlencoded::parse)
    };
    if !pairs().any(|(name, _)| TOKENS.iter().any(|token| is_alike(token, &name))) {
        return None;
    }
    let whole = pairs().count() - usize::from(is_cut && !ends_with_a_field);
    // An escape is six bytes for one of the form's.
    let mut json = Zeroizing::new(Vec::with_capacity(body.len() * 6 + 2));
    json.push(b'{');
    for (name, value) in pairs().take(whole) {
        let (name, value) = (Zeroizing::new(name.into_owned()), Zeroizing::new(value.into_owned()));
        if json.len() > 1 {
            json.push(b',');
        }
        // Two texts, written into memory: nothing in that can fail.
        let _ = serde_json::to_writer(&mut *json, name.as_str());
        json.push(b':');
        let _ = serde_json::to_writer(&mut *json, value.as_str());
    }
    if !is_cut {
        json.push(b'}');
    }
    Some(json)
}

#[cfg(test)]
mod tests {
    use super::super::reply::Broken;
    use super::*;

    fn reply(body: &[u8], cut: bool) -> RawReply {
        RawReply {
            status: http::StatusCode::OK,
            headers: http::HeaderMap::new(),
            body: Zeroizing::new(body.to_vec()),
            cut,
            broken: None,
        }
    }

    fn read(body: &[u8]) -> Vec<u8> {
        as_json_in_utf8(reply(body, false)).body.to_vec()
    }

    #[test]
    fn of_a_form_that_is_cut_no_half_of_a_token_is_taken() {
        let form = "access_token=aa&expires_in=60&refresh_token=r%2Br";
        for end in 13..=form.len() {
            for (cut, broken) in [(true, None), (false, Some(Broken::default()))] {
                let reply = RawReply {
                    broken,
                    ..reply(&form.as_bytes()[..end], cut)
                };
                let json = String::from_utf8(as_json_in_utf8(reply).body.to_vec()).unwrap();
                let expected = match end {
                    13..=15 => "{",
                    16..=29 => r#"{"access_token":"aa""#,
                    _ => r#"{"access_token":"aa","expires_in":"60""#,
                };
                assert_eq!(json, expected, "{}", &form[..end]);
            }
        }
    }

    #[test]
    fn an_object_in_a_text_is_found() {
        let body = r#""{\"refresh_token\":\"r\"}""#;
        assert_eq!(read(body.as_bytes()), br#"{"refresh_token":"r"}"#);
    }

    #[test]
    fn utf_16_of_both_orders_is_read_with_its_mark_and_without() {
        let text = r#"{"refresh_token":"ré😀"}"#;
        let bytes = |mark: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            format!("{mark}{text}").encode_utf16().flat_map(bytes).collect()
        };
        for mark in ["", "\u{feff}"] {
            assert_eq!(read(&bytes(mark, u16::to_le_bytes)), text.as_bytes());
            assert_eq!(read(&bytes(mark, u16::to_be_bytes)), text.as_bytes());
        }
        // Cut in the middle of a character: what came before it stands.
        let mut cut = bytes("", u16::to_le_bytes);
        cut.truncate(cut.len() - 3);
        assert_eq!(read(&cut), &text.as_bytes()[..text.len() - 2]);
    }

    #[test]
    fn a_form_with_a_token_is_read_as_the_object_that_it_stands_for() {
        for (form, json) in [
            (
                "access_token=a%2Bb&refresh_token=r+r&expires_in=60",
                r#"{"access_token":"a+b","refresh_token":"r r","expires_in":"60"}"#,
            ),
            ("refresh_token=%22%5C%00\n", r#"{"refresh_token":"\"\\\u0000"}"#),
            ("_x=1&access_token=a", r#"{"_x":"1","access_token":"a"}"#),
            (
                "refresh_token=1&refresh_token=2",
                r#"{"refresh_token":"1","refresh_token":"2"}"#,
            ),
        ] {
            assert_eq!(String::from_utf8(read(form.as_bytes())).unwrap(), json, "{form}");
        }
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for body in [
            "",
            "{",
            "{}",
            r#"{"access_token":"a"}"#,
            "error=invalid_grant",
            "access_tokens=a",
            "<a href=\"?access_token=a\">",
            "see access_token=a",
            "/?access_token=a",
            "1&access_token=a",
            "page=<b>&access_token=a",
            "\"access_token\"",
            "<p>{\"access_token\":\"a\"}</p>",
            "<p>see {\"access_token\":\"a\"}",
            "<html>maintenance</html>{\"error\":\"invalid_grant\"}",
            "<html>log in</html>\n{\"x\":1}",
            "<!doctype html><title>Log in</title><style> {}",
            "\u{feff}{}",
        ] {
            assert_eq!(read(body.as_bytes()), body.as_bytes());
        }
        for body in [&b"\0"[..], b"\0\0", b"\x1f\x8b"] {
            assert_eq!(read(body), body);
        }
    }
}
