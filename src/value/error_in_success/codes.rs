//! What a single value says: a code, a status, a kind, a list of messages.

use super::names::{CODES, GRAVITIES, KINDS_OF_ERRORS, OF_A_GRAVE_ONE, ends_as, named};
use super::node::{Node, is_of_a_success};
use crate::value::Decimal;
use crate::value::outcome_words::{Says, says, there_are_none};

/// Whether one of several messages, or the only one, says of itself that it is an error's.
pub(super) fn has_a_grave_one(messages: &Node) -> bool {
    let is_grave = |message: &Node| {
        let mut gravities = message.members().filter(|(name, _)| named(name, GRAVITIES).is_some());
        gravities.any(|(_, value)| value.is_one_of(OF_A_GRAVE_ONE))
    };
    match messages {
        Node::List(messages) => messages.iter().any(is_grave),
        message => is_grave(message),
    }
}

/// What a code, or a status, says.
pub(super) fn code_says(code: &Node) -> Says {
    if is_error_status(code) {
        return Says::Failure;
    }
    let word = code.word().unwrap_or_default();
    let digits = word.trim_start_matches(|letter: char| letter.is_ascii_lowercase());
    let letters = word.get(..word.len() - digits.len()).unwrap_or_default();
    let number = digits.parse::<Decimal>().ok().filter(|_| letters.len() <= 1);
    let text = code.plain().unwrap_or_default();
    match number {
        // `E0000`, `S200`.
        Some(number) if number.is_zero() => Says::NoError,
        Some(number) if letters == "s" && is_of_a_success(number) => Says::NoError,
        None if word == "s" => Says::NoError,
        // `200 OK`.
        _ if status(code).is_some_and(is_of_a_success) => match text.trim().split_once(' ') {
            Some((_, words)) => says(words),
            None => Says::NoError,
        },
        _ => says(&text),
    }
}

/// Whether it is the status of an error, as HTTP has them: alone, before its words, or in an object.
pub(super) fn is_error_status(value: &Node) -> bool {
    let mut of_code = value.members().filter(|(name, _)| *name == CODES[0]);
    let code = || of_code.next().and_then(|(_, code)| status(code));
    let status = status(value).or_else(code);
    status.is_some_and(|status| status >= 400.into() && status < 600.into())
}

pub(super) fn status(value: &Node) -> Option<Decimal> {
    let of_text = || value.text()?.split_whitespace().next()?.parse().ok();
    value.decimal().or_else(of_text)
}

/// Whether a code beside an empty list is plainly not that of a failure: it says that there are none, or is a number as
/// failures do not have them.
pub(super) fn is_informational(code: &Node) -> bool {
    if let Some(number) = code.decimal() {
        let is_a_failures = number < 0.into() || number >= 300.into() && number < 1000.into();
        return !is_a_failures && !code.word().is_some_and(|digits| digits.starts_with(['4', '5']));
    }
    there_are_none(&code.plain().unwrap_or_default())
}

/// Whether the kind of an object is an error's: `hydra:Error`, `ValidationError`, `value_error.missing`.
pub(super) fn is_an_errors_kind(kind: &Node) -> bool {
    let kind = kind.plain().unwrap_or_default();
    let mut parts = kind.split(|letter: char| !letter.is_alphanumeric());
    parts.any(|part| ends_as(part, KINDS_OF_ERRORS).is_some())
}

/// Whether the name of an object is an error's, as a program has them: `UNPROCESSABLE_ENTITY`.
pub(super) fn is_an_errors_name(name: &Node) -> bool {
    let name = name.text().unwrap_or_default();
    !name.contains(char::is_whitespace) && says(&name) == Says::Failure
}
