//! What an error says of itself.

use super::codes::code_says;
use super::look::Look;
use super::names::{END_AS_A_CODE, END_AS_A_GRAVITY, END_AS_WORDS, OF_A_GRAVE_ONE, ends_as, is_a_link};
use super::node::Node;
use crate::value::outcome_words::{Says, says};

/// What the members of an error say of it: that there is one, unless a code says that there is none, or the words do where no code
/// says otherwise. What was done says nothing of that: `CONSENT_REVOKED`, `the quote was booked`.
#[derive(Clone, Copy, Default)]
pub(super) struct InError {
    /// A word or a number of a failure, and a code.
    failure: Option<&'static str>,
    code: Option<&'static str>,
    /// A code that is a success's to some, and a failure's to others.
    one: Option<&'static str>,
    /// Words that are not those of no error.
    words: Option<&'static str>,
    /// Anything else.
    other: Option<&'static str>,
    /// A code, or words, of no error.
    is_well: bool,
    /// There is a word or a number, whatever it says.
    pub(super) is_said: bool,
}

impl InError {
    /// The member that tells of an error, if there is one.
    pub(super) fn member(&self, look: Look<'_>) -> Option<&'static str> {
        let soft = self.one.or(self.other).or(self.words);
        self.failure
            .or(self.code)
            .or(self.words.filter(|_| look.has_effect))
            .or(soft.filter(|_| !self.is_well))
    }

    pub(super) fn note(&mut self, member: &'static str, name: &str, value: &Node) {
        let ends = |ends| ends_as(name, ends).is_some();
        let (is_code, is_grave) = (ends(END_AS_A_CODE), ends(END_AS_A_GRAVITY));
        // How far something is off is no error, nor is how grave none is.
        let is_a_measure = value.decimal().is_some_and(|number| !number.fract().is_zero());
        if is_a_measure || is_grave && !value.is_one_of(OF_A_GRAVE_ONE) {
            return;
        }
        self.is_said |= value.is_said();
        if is_a_link(name) || value.says_nothing() {
            // A code of nothing says that there is none.
            self.is_well |= is_code && value.decimal().is_some();
            return;
        }
        let text = match value {
            Node::List(items) => {
                for item in items {
                    self.note(member, "", item);
                }
                return;
            }
            Node::Object(_) => return self.note_inner(member, value),
            value => value.plain(),
        };
        let told = match &text {
            Some(_) if is_code => code_says(value),
            Some(text) => says(text),
            None => Says::Nothing,
        };
        let at = match told {
            Says::NoError => {
                self.is_well = true;
                return;
            }
            Says::Failure => &mut self.failure,
            _ if is_code && value.is_one_of(&["1"]) => &mut self.one,
            _ if is_code => &mut self.code,
            // What was done is no error where a code says that there is none.
            told if told != Says::Done && text.is_some() && (name.is_empty() || ends(END_AS_WORDS)) => &mut self.words,
            _ => &mut self.other,
        };
        *at = at.or(Some(member));
    }

    fn note_inner(&mut self, member: &'static str, value: &Node) {
        let mut inner = Self::default();
        for (name, value) in value.members() {
            inner.note(member, name, value);
        }
        self.is_said |= inner.is_said;
        self.failure = self.failure.or(inner.failure).or(inner.code);
        match inner.is_well {
            true => {
                self.is_well = true;
                self.words = self.words.or(inner.words);
            }
            false => self.failure = self.failure.or(inner.one).or(inner.words).or(inner.other),
        }
    }
}

/// Nothing, in the places of an error.
#[cfg(test)]
pub(super) const NO_ERRORS: &[&str] = &[
    r#""errorCode":"0","errorMessage":"""#,
    r#""errorCode":"0""#,
    r#""errorCode":"0000""#,
    r#""errorCode":0.0"#,
    r#""errorCode":"OK","errorDescription":"""#,
    r#""errorCode":"SUCCESS""#,
    r#""errorCode":200"#,
    r#""errorCode":"NO_ERROR""#,
    r#""errorDescription":"none""#,
    r#""error":"none""#,
    r#""error":"N/A""#,
    r#""error":"null""#,
    r#""error":"nil""#,
    r#""error":"no""#,
    r#""error":"-""#,
    r#""error":"false""#,
    r#""error":"0""#,
    r#""error":{"code":0,"message":""}"#,
    r#""error":{"code":null,"message":null}"#,
    r#""error":{"code":null}"#,
    r#""error":{"code":"00","message":"ok","details":[{}]}"#,
    r#""errors":[null]"#,
    r#""errors":[[],{}]"#,
    r#""errors":{"count":0}"#,
    r#""error_code":"0""#,
    r#""error_code":"SUCCESS""#,
    r#""hasErrors":"false""#,
    r#""errorCount":0"#,
];
