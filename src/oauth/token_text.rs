//! What a text in the place of a token is: a token, a word for none, or what stands for a token or hides one.

use std::collections::BTreeSet;

use super::reply_error::is_none;
use super::wire::trimmed;

/// What stands in a token for what it does not show. One asterisk may be a token's own.
const MASKS: [&str; 3] = ["***", "...", "•••"];

/// Whether a text in the place of a token says that there is none, or why, or does not show it.
pub(super) fn is_no_token(text: &str) -> bool {
    let text = trimmed(text);
    let is_a_sentence = text.contains(|c: char| c.is_whitespace() || "[…".contains(c));
    let is_hidden = MASKS.iter().any(|mask| text.contains(mask));
    is_a_word_for_none(text) || is_a_sentence || is_hidden
}

/// Whether a text stands for a token: it has a mask in it, names what it is, or says what was left out.
pub(super) fn is_a_stand_in(text: &str) -> bool {
    is_masked(text) || is_in_brackets(text) || has_a_word_in_brackets(text) || is_a_type(text) || names_a_token(text)
}

/// Whether a text does not show all of a token. Only a long one may have three asterisks of its own, in its middle.
fn is_masked(text: &str) -> bool {
    const SHORTER_THAN_A_TOKEN: usize = 32;
    let has_its_own = |text: &str| text.len() >= SHORTER_THAN_A_TOKEN && !text.starts_with('*') && !text.ends_with('*');
    let is_cut = ["****", "...", "…", "•••"].iter().any(|mask| text.contains(mask));
    is_cut || (text.contains("***") && !has_its_own(text))
}

/// Whether there is a word in brackets: `ab12[truncated]`, `token[32chars]`, `ab12<16 more>`. Chance puts no four letters of
/// one case there.
fn has_a_word_in_brackets(text: &str) -> bool {
    const WORD: usize = 4;
    let has_a_word = |within: &str| {
        let has_run = |kind: fn(&char) -> bool| within.split(|c| !kind(&c)).any(|run| run.len() >= WORD);
        let is_of_words = within
            .chars()
            .all(|c| c.is_alphanumeric() || c.is_whitespace() || "_-.:".contains(c));
        is_of_words && (has_run(char::is_ascii_lowercase) || has_run(char::is_ascii_uppercase))
    };
    BRACKETS.iter().any(|(open, close)| {
        let opened = text.split(*open).skip(1);
        opened
            .filter_map(|behind| behind.split_once(*close))
            .any(|(within, _)| has_a_word(within))
    })
}

const BRACKETS: [(char, char); 4] = [('[', ']'), ('(', ')'), ('<', '>'), ('{', '}')];

/// Whether a text is a type with a length: `string[40]`.
fn is_a_type(text: &str) -> bool {
    let length = text.strip_suffix(']').and_then(|text| text.split_once('['));
    length.is_some_and(|(name, length)| {
        name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
            && length.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Whether a text speaks of a token: `refresh_token[0]:invalid`.
fn names_a_token(text: &str) -> bool {
    text.to_ascii_lowercase().contains("token")
}

/// Whether a text without a digit is of the characters that only chance puts together.
pub(super) fn is_of_all_characters(text: &str) -> bool {
    const NO_SHORTER: usize = 24;
    const MARKS: &str = "!\"#%&'()+,/:;=?@\\^`|~";
    let marks: BTreeSet<char> = text.chars().filter(|c| MARKS.contains(*c)).collect();
    let has = |kind: fn(&u8) -> bool| text.bytes().any(|byte| kind(&byte));
    text.len() >= NO_SHORTER
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && marks.len() >= 3
}

fn is_in_brackets(text: &str) -> bool {
    text.starts_with('[') && text.ends_with(']')
}

pub(super) fn is_a_word_for_none(text: &str) -> bool {
    const WORDS: [&str; 9] = [
        "expired", "hidden", "invalid", "masked", "missing", "redacted", "required", "revoked", "unknown",
    ];
    let word = text.trim_matches(|c: char| !c.is_alphanumeric());
    is_none(text) || text == "-1" || WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// Whether a text is a secret that was cut, has something in the place of its end or its middle, or is in other capitals.
/// New tokens too may begin as the one before them, and differ from it in a character or two: nobody hides so little.
pub(super) fn hides(text: &str, secret: &str) -> bool {
    const TOLD: usize = 4;
    const HIDDEN: usize = 3;
    if text == secret || text.eq_ignore_ascii_case(secret) {
        return text != secret && text.len() >= TOLD;
    }
    let same = text.chars().zip(secret.chars());
    let same = same.take_while(|(one, other)| one.eq_ignore_ascii_case(other)).count();
    let rest = text.char_indices().nth(same).and_then(|(at, _)| text.get(at..));
    let rest = rest.unwrap_or_default();
    if same >= TOLD && is_a_remark(rest, same == secret.chars().count()) {
        return true;
    }
    let shown = rest.trim_start_matches(|c: char| !c.is_alphanumeric() || matches!(c, 'x' | 'X'));
    let masked = rest.chars().count() - shown.chars().count();
    if !shown.is_empty() {
        return (masked >= HIDDEN || rest.starts_with('…')) && secret.ends_with(shown);
    }
    let lacks = secret.chars().count() - same;
    let is_marked = !rest.is_empty() && rest.chars().all(|c| "*.…•".contains(c));
    let is_hidden = lacks >= HIDDEN && (rest.is_empty() || masked >= HIDDEN);
    same >= TOLD && (is_hidden || (is_marked && lacks > 0))
}

/// Whether what follows the beginning of a secret is said of it: all in brackets, or behind a blank after the whole.
fn is_a_remark(rest: &str, is_whole: bool) -> bool {
    let remark = rest.trim();
    let is_in = |(open, close): &(char, char)| remark.starts_with(*open) && remark.ends_with(*close);
    BRACKETS.iter().any(is_in) || (is_whole && rest.starts_with(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_a_token_is_told_from_what_is_like_it() {
        for (text, is_hidden) in [
            ("refr\u{2026}-1", true),
            ("refrxxxx-1", true),
            ("refrxx-1", true),
            ("refrx1", false),
            ("refresh-1.", false),
            ("refresh-1]", false),
            ("refresh-1[spent]", true),
        ] {
            assert_eq!(hides(text, "refresh-1"), is_hidden, "{text}");
        }
        assert!(has_a_word_in_brackets("ab12[spent]") && !has_a_word_in_brackets("ab12[1234]"));
        for (text, is_of_all) in [
            ("abcdefghijKLMNOPQRSTUV!#%", true),
            ("aB!#%", false),
            ("abcdefghijklmnopqrstuvwxyz", false),
            ("abcdefghijKLMNOPQRSTUVWXYZ", false),
        ] {
            assert_eq!(is_of_all_characters(text), is_of_all, "{text}");
        }
    }
}
