//! Whether a reply tells of an error, and which words say that there is none.

use super::reply_fields::{ReplyFields, Value, words_of};
use super::wire::trimmed;

/// How deep an error is looked through: none that a server means goes further.
const DEPTH: usize = 8;

/// Whether there is an error in it, be it one that means nothing. A server may name the field where there is none.
pub(super) fn says_error(fields: &ReplyFields<'_>) -> bool {
    fields.all("error").any(is_an_error)
}

/// Whether a field that is named after the error of OAuth has one: a server that spells its tokens in its own way spells
/// its errors so too.
pub(super) fn says_error_in_any_spelling(fields: &ReplyFields<'_>) -> bool {
    fields
        .spelled("error")
        .any(|error| is_an_error(error) && !has_a_code_of_success(error))
}

/// Whether an object in the place of an error says by its code that there is none, and nothing else in it denies that.
fn has_a_code_of_success(error: Value<'_>) -> bool {
    error.fields().is_some_and(|fields| {
        let is_explained = |value: Value<'_>| value.text_with_gaps().is_some_and(|text| !denies(&text));
        fields.is_whole()
            && fields
                .named()
                .any(|(name, value)| is_a_code(name) && says_success(value))
            && fields
                .named()
                .all(|(name, value)| !is_an_error(value) || (!is_a_code(name) && is_explained(value)))
    })
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
    let text = trimmed(text);
    // As a status of HTTP: done.
    let is_a_success = matches!(text.parse(), Ok(200..=299));
    !is_none(text) && !is_a_success && !text.eq_ignore_ascii_case("n")
}

/// Whether an error may stand in another place than that of OAuth: a field that is named after one, at any depth.
pub(super) fn hints_at_an_error(value: Value<'_>) -> bool {
    hints_within(value, DEPTH)
}

fn hints_within(value: Value<'_>, depth: usize) -> bool {
    let Some(below) = depth.checked_sub(1) else {
        return false;
    };
    if let Some(fields) = value.fields() {
        return hint_among(&fields, below);
    }
    let items = value.items().unwrap_or_default();
    items.into_iter().any(|item| hints_within(item, below))
}

/// The same of an object.
pub(super) fn fields_hint_at_an_error(fields: &ReplyFields<'_>) -> bool {
    hint_among(fields, DEPTH)
}

fn hint_among(fields: &ReplyFields<'_>, below: usize) -> bool {
    // A code for success says what the text beside it is; one that is empty leaves that to the text.
    let told = || fields.named().filter(|(name, _)| is_a_code(name) || is_the_error(name));
    let has_a_code = told().any(|(name, value)| is_a_code(name) && is_an_error(value));
    let is_done = told().any(|(name, value)| says_success(value) || (is_the_error(name) && says_false(value)));
    let has_none = told().any(|(_, value)| !is_an_error(value));
    let explains = |name: &str, text: &str| {
        let is_said = is_done && !has_a_code && is_a_text(name) && !denies(text);
        is_said || (has_none && tells_of_a_revocation(text))
    };
    fields.named().any(|(name, value)| {
        let is_explained = !is_a_code(name) && value.text_with_gaps().is_some_and(|text| explains(name, &text));
        let is_one = match naming(name) {
            Naming::Error => is_an_error(value) && !is_explained,
            Naming::NoError => says_false(value),
            Naming::Other => says_failure(name, value),
        };
        is_one || hints_within(value, below)
    })
}

/// Whether the field is that for a success, or for what became of the request, and says that it failed.
fn says_failure(name: &str, value: Value<'_>) -> bool {
    const WORDS: [&str; 5] = ["error", "fail", "failed", "failure", "unsuccessful"];
    let words = words_of(name);
    let is_of = |names: &[&str]| words.last().is_some_and(|word| names.contains(&word.as_str()));
    let is_failed = |text: &str| WORDS.iter().any(|word| word.eq_ignore_ascii_case(trimmed(text)));
    (is_of(&["success", "successful", "succeeded", "ok"]) && says_false(value))
        || (is_of(&["status", "result", "outcome"]) && value.text_with_gaps().is_some_and(|text| is_failed(&text)))
}

/// Whether a field named after an error is for a sentence on it.
fn is_a_text(name: &str) -> bool {
    let words = words_of(name);
    words
        .iter()
        .any(|word| ["description", "message", "msg"].contains(&word.as_str()))
}

/// Whether a text says that something is not as it was asked for.
fn denies(text: &str) -> bool {
    const WORDS: [&str; 12] = [
        "cannot", "cant", "couldnt", "didnt", "isnt", "never", "no", "none", "not", "nothing", "still", "wasnt",
    ];
    const BEGINNINGS: [&str; 14] = [
        "busy", "deni", "except", "fail", "forbid", "invalid", "lock", "problem", "refus", "reject", "unable",
        "unauthor", "unknown", "wrong",
    ];
    let text = text.to_lowercase().replace(['\'', '’'], "");
    let is_denial = |word: &str| {
        let begins = BEGINNINGS.iter().any(|beginning| word.starts_with(beginning));
        WORDS.contains(&word) || begins
    };
    let without_none = ["no errors", "no error", "without errors"]
        .iter()
        .fold(text.clone(), |text, none| text.replace(none, ""));
    text_hints_at_an_error(&text) || without_none.split(|c: char| !c.is_alphanumeric()).any(is_denial)
}

/// What a name says of an error.
enum Naming {
    Error,
    NoError,
    Other,
}

fn naming(name: &str) -> Naming {
    const KINDS: [&str; 3] = ["error", "fault", "exception"];
    let words = words_of(name);
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    let is_of_a_kind = |word: &String| !word.starts_with("default") && KINDS.iter().any(|kind| word.contains(kind));
    if !words.iter().any(is_of_a_kind) || has(&["uri", "uris", "url", "urls"]) {
        Naming::Other
    } else if has(&["free", "no", "without"]) {
        Naming::NoError
    } else {
        Naming::Error
    }
}

fn is_a_code(name: &str) -> bool {
    let words = words_of(name);
    words.iter().any(|word| word == "code") && (words.len() == 1 || matches!(naming(name), Naming::Error))
}

/// The field of OAuth, which may be a flag or a code.
fn is_the_error(name: &str) -> bool {
    words_of(name) == ["error"]
}

/// Whether a text says that the token is revoked, and nothing else: "Token revoked" and no "could not be revoked".
fn tells_of_a_revocation(text: &str) -> bool {
    const WORDS: [&str; 14] = [
        "access",
        "been",
        "has",
        "have",
        "is",
        "ok",
        "refresh",
        "revoked",
        "successfully",
        "the",
        "token",
        "tokens",
        "was",
        "were",
    ];
    let text = text.to_lowercase();
    let words = || {
        text.split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
    };
    words().all(|word| WORDS.contains(&word)) && words().any(|word| word == "revoked")
}

/// Whether a code is one of success, and not only empty.
fn says_success(code: Value<'_>) -> bool {
    let says_so = |text: &str| {
        let is_said = text.starts_with(|c: char| c.is_ascii_digit())
            || ["none", "ok", "success", "successful"]
                .iter()
                .any(|word| word.eq_ignore_ascii_case(text));
        is_said && !tells_of_one(text)
    };
    match code.text_with_gaps() {
        Some(text) => says_so(trimmed(&text)),
        None => code.bare().is_some_and(says_so),
    }
}

fn says_false(value: Value<'_>) -> bool {
    let is_false = |text: &str| trimmed(text).eq_ignore_ascii_case("false");
    match value.text_with_gaps() {
        Some(text) => is_false(&text),
        None => value.bare().is_some_and(is_false),
    }
}

/// Whether a text that is no JSON tells of an error: "No error", "0 errors" and "without errors" tell of none.
pub(super) fn text_hints_at_an_error(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let mut before = "";
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .any(|word| {
            let before = std::mem::replace(&mut before, word);
            word.contains("error") && !["0", "no", "without", "zero"].contains(&before)
        })
}

/// Whether a text is a word for none, in the place of an error or of a token: a real token is longer.
pub(super) fn is_none(text: &str) -> bool {
    const LONGEST: usize = 16;
    const WORDS: [&str; 17] = [
        "",
        "0 errors",
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
        "without errors",
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
