//! How one value of a reply is read.

use super::names::{NO_ERROR, NONE};
use crate::value::{Decimal, Json, JsonMap};

/// How deep a reply is looked through, and what is deeper is not read.
const MOST_DEEP: usize = 8;
/// Nor are the items of a list behind so many.
const MOST_ITEMS: usize = 500;

/// Nor is what stands behind so many values in one.
const MOST_VALUES: usize = 10_000;

/// A value, read once.
pub(super) enum Node {
    Null,
    Plain(Json),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
    /// It is no value that can be read, or stands too deep.
    Unread,
}

impl Node {
    pub(super) fn of(value: &Json) -> Self {
        let mut left = MOST_VALUES;
        Self::read(value, MOST_DEEP, &mut left)
    }

    fn read(value: &Json, depth: usize, left: &mut usize) -> Self {
        *left = left.saturating_sub(1);
        if *left == 0 {
            return Self::Unread;
        }
        let first = value.get().trim_start().as_bytes().first();
        let below = depth.checked_sub(1);
        match (first, below) {
            (Some(b'n'), _) => Self::Null,
            (Some(b'[' | b'{'), None) => Self::Unread,
            (Some(b'['), Some(depth)) => value.items().map_or(Self::Unread, |items| {
                let read = items.iter().take(MOST_ITEMS).map(|item| Self::read(item, depth, left));
                let rest = items.get(MOST_ITEMS).map(|_| Self::Unread);
                Self::List(read.chain(rest).collect())
            }),
            (Some(b'{'), Some(depth)) => value.parse::<JsonMap>().map_or(Self::Unread, |members| {
                let read = |(name, value): (&str, &Json)| (name.to_owned(), Self::read(value, depth, left));
                Self::Object(members.iter().map(read).collect())
            }),
            _ => Self::Plain(value.clone()),
        }
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &Self)> {
        let members = match self {
            Self::Object(members) => members.as_slice(),
            _ => &[],
        };
        members.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub(super) fn json(&self) -> Option<&Json> {
        match self {
            Self::Plain(value) => Some(value),
            _ => None,
        }
    }

    /// A single value as text.
    pub(super) fn plain(&self) -> Option<String> {
        self.json()?.plain()
    }

    pub(super) fn text(&self) -> Option<String> {
        self.json()?.text()
    }

    pub(super) fn decimal(&self) -> Option<Decimal> {
        self.json()?.decimal()
    }

    /// A single value as it is compared.
    pub(super) fn word(&self) -> Option<String> {
        let text = self.plain()?;
        if self.decimal().is_some() {
            return Some(text.trim().to_owned());
        }
        let letters = text.trim_matches(is_unseen).trim_end_matches(['.', '!']).chars();
        let letters = letters.filter(|letter| !matches!(letter, '_' | '-' | ' '));
        Some(letters.map(|letter| letter.to_ascii_lowercase()).collect())
    }

    pub(super) fn is_one_of(&self, words: &[&str]) -> bool {
        self.word().is_some_and(|word| words.contains(&word.as_str()))
    }

    /// Whether there is a word or a number, whatever it says.
    pub(super) fn is_said(&self) -> bool {
        self.plain()
            .is_some_and(|text| !text.trim_matches(is_unseen).is_empty())
    }

    /// Whether a value in the place of an error or of a code says that there is none.
    pub(super) fn says_nothing(&self) -> bool {
        let is_none = |number: Decimal| number.is_zero() || is_of_a_success(number);
        self.holds_only(&|value| {
            value.decimal().is_some_and(is_none) || value.is_one_of(NONE) || value.is_one_of(NO_ERROR)
        })
    }

    /// Whether it says that there is nothing: `null`, `false`, zero, without content, or with nothing else in it.
    pub(super) fn is_blank(&self) -> bool {
        self.holds_only(&Self::is_a_blank)
    }

    fn is_a_blank(&self) -> bool {
        match (self.text(), self.json()) {
            (Some(text), _) => text.trim().is_empty(),
            (None, Some(value)) => {
                value.get().starts_with('f') || value.decimal().is_some_and(|number| number.is_zero())
            }
            (None, None) => false,
        }
    }

    /// The same of a value that stands for one that a success has: words for nothing are none either.
    pub(super) fn is_blank_or_none(&self) -> bool {
        self.holds_only(&|value| value.is_a_blank() || value.is_one_of(NONE))
    }

    /// Whether there is nothing in it, and no answer such as `false` or zero.
    pub(super) fn is_vacant(&self) -> bool {
        self.holds_only(&|value| value.is_one_of(NONE))
    }

    /// Whether all single values in it are so, or `null`.
    fn holds_only(&self, is_so: &dyn Fn(&Self) -> bool) -> bool {
        match self {
            Self::Null => true,
            Self::Plain(_) => is_so(self),
            Self::List(items) => items.iter().all(|item| item.holds_only(is_so)),
            Self::Object(members) => members.iter().all(|(_, value)| value.holds_only(is_so)),
            Self::Unread => false,
        }
    }
}

/// A blank, or a mark that takes no place: of the order of bytes, or of where a line may break.
pub(super) fn is_unseen(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{feff}' | '\u{200b}'..='\u{200d}' | '\u{2060}')
}

pub(super) fn is_of_a_success(status: Decimal) -> bool {
    status >= 200.into() && status < 300.into()
}

/// Whether a value says that there is nothing: `null`, `false`, zero, without content, or with nothing else in it.
pub(crate) fn is_blank(value: &Json) -> bool {
    Node::of(value).is_blank()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_blank_where_there_is_nothing_in_it_however_deep() {
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for (value, is) in [
            ("null", true),
            ("false", true),
            ("-0.0", true),
            (r#"" ""#, true),
            (r#"{"a":{"b":[null,0]}}"#, true),
            (r#"{"a":{"b":[null,1]}}"#, false),
            (r#"{"a":null,"a":null}"#, false),
            ("true", false),
            (r#""0""#, false),
            (r#""none""#, false),
            (&deep(8), true),
            (&deep(50_000), false),
        ] {
            assert_eq!(is_blank(&value.parse().unwrap()), is, "{:.40}", value);
        }
    }
}
