//! Whether a reply tells of an error, and which words say that there is none.

use super::reply_fields::{ReplyFields, Value};
use super::wire::trimmed;

/// How deep an error is looked through: none that a server means goes further.
const DEPTH: usize = 8;

/// Whether there is an error in it, be it one that means nothing. A server may name the field where there is none.
pub(super) fn says_error(fields: &ReplyFields<'_>) -> bool {
    fields.all("error").any(is_an_error)
}

/// Whether a value in the place of an error tells of one. A form is none only if all in it is none.
pub(super) fn is_an_error(error: Value<'_>) -> bool {
    is_an_error_within(error, DEPTH)
}

fn is_an_error_within(error: Value<'_>, depth: usize) -> bool {
    // What goes on without end is not nothing.
    let Some(below) = depth.checked_sub(1) else { return true };
    let is_an_error = |value| is_an_error_within(value, below);
    if let Some(text) = error.text_with_gaps() {
        tells_of_one(&text)
    } else if let Some(fields) = error.fields() {
        !fields.is_whole() || fields.named().any(|(_, value)| is_an_error(value))
    } else if let Some(items) = error.items() {
        items.into_iter().any(is_an_error)
    } else {
        error.bare().is_none_or(tells_of_one)
    }
}

fn tells_of_one(text: &str) -> bool {
    // As a status of HTTP: done.
    let is_a_success = matches!(trimmed(text).parse(), Ok(200..=299));
    !is_none(text) && !is_a_success
}

/// Whether an error may stand in another place than that of OAuth: a field that is named after one, at any depth.
pub(super) fn hints_at_an_error(value: Value<'_>) -> bool {
    hints_within(value, DEPTH)
}

fn hints_within(value: Value<'_>, depth: usize) -> bool {
    let Some(below) = depth.checked_sub(1) else {
        return false;
    };
    let is_named_so = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["error", "fault", "exception"].iter().any(|kind| name.contains(kind))
    };
    if let Some(fields) = value.fields() {
        let mut named = fields.named();
        return named.any(|(name, value)| is_named_so(name) && is_an_error(value) || hints_within(value, below));
    }
    let items = value.items().unwrap_or_default();
    items.into_iter().any(|item| hints_within(item, below))
}

/// Whether a text is a word for none, in the place of an error or of a token: a real token is longer.
pub(super) fn is_none(text: &str) -> bool {
    const LONGEST: usize = 16;
    const WORDS: [&str; 15] = [
        "",
        "false",
        "n/a",
        "nan",
        "nil",
        "no",
        "no error",
        "no errors",
        "none",
        "null",
        "ok",
        "success",
        "successful",
        "undefined",
        "void",
    ];
    let text = trimmed(text);
    if text.len() > LONGEST {
        return false;
    }
    // `0`, `0.0`, `-0`, `0e0`, `0x0`, `E0000`.
    let is_zero = text.contains('0') && text.bytes().all(|byte| b"0.+-eExX".contains(&byte));
    // `None.`, `NO_ERROR`, `[]`, `***`.
    let word = text.trim_matches(|c: char| !c.is_alphanumeric());
    let word = word.to_ascii_lowercase().replace(['_', '-'], " ");
    is_zero || WORDS.contains(&word.as_str())
}
