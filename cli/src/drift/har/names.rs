//! What of a recording may be shown: names as programs write them, and never what could be a value.

use std::sync::LazyLock;

use regex::Regex;

#[allow(clippy::expect_used)]
static NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^@?[A-Za-z_][A-Za-z0-9_.\[\]:-]{0,40}$").expect("a pattern of this file"));

/// What stands for a name that is not shown.
pub(super) const HIDDEN: &str = "*";

/// A name that nobody describes, where it looks like one: account numbers, addresses of people and tokens do not.
pub(super) fn shown(name: &str) -> &str {
    if NAME.is_match(name) && few_digits(name) {
        name
    } else {
        HIDDEN
    }
}

/// The name of a pair of a query or a form. Without a value, what stands there may be one itself.
pub(super) fn shown_pair<'n>(name: &'n str, value: Option<&str>) -> &'n str {
    match value {
        Some(value) if !value.trim_matches('=').is_empty() => shown(name),
        _ => HIDDEN,
    }
}

/// A word that may stand in a list of words.
pub(super) fn is_word(word: &str) -> bool {
    (1..=40).contains(&word.len())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-. ".contains(c))
        && few_digits(word)
}

/// The word, or how long it is.
pub(super) fn shown_word(word: &str) -> String {
    if is_word(word) {
        format!("`{word}`")
    } else {
        format!("a text of {} letters", word.chars().count())
    }
}

/// A media type without its parameters, where it is one.
pub(super) fn media(text: &str) -> String {
    let essence = text.split(';').next().unwrap_or_default().trim().to_lowercase();
    let part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "*.+-".contains(c));
    match essence.split_once('/') {
        Some((kind, subtype)) if part(kind) && part(subtype) && essence.len() <= 80 => essence,
        _ => String::new(),
    }
}

fn few_digits(text: &str) -> bool {
    text.chars().filter(char::is_ascii_digit).count() < 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_and_values_are_not() {
        for name in [
            "client_id",
            "scopes[]",
            "hydra:member",
            "@id",
            "created.gte",
            "accountId",
            "x-1",
        ] {
            assert_eq!(shown(name), name);
        }
        for value in [
            "DE89370400440532013000",
            "maya@example.com",
            "{\"client_secret\":\"s\"}",
            "550e8400-e29b-41d4-a716-446655440000",
            "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIi",
            "two words",
            "line\nbreak",
            "",
        ] {
            assert_eq!(shown(value), HIDDEN, "{value:?}");
        }
        assert_eq!(shown_pair("dG9rZW4", Some("=")), HIDDEN);
        assert_eq!(shown_pair("token", None), HIDDEN);
        assert_eq!(shown_pair("sort", Some("name")), "sort");
    }

    #[test]
    fn a_media_type_is_one_or_is_not_shown() {
        assert_eq!(media("Application/JSON; charset=utf-8"), "application/json");
        assert_eq!(media("sk_live_1"), "");
    }
}
