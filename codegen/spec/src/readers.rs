//! Which lenient reader takes a value that the type of its schema does not: one that loses nothing of it, or none.

use crate::date::is_date;
use crate::json::Json;

/// What a schema can say, so that a value is read which its type alone does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reader {
    /// `x-lenient: boolean`.
    Boolean,
    /// `x-lenient: string`.
    String,
    /// `x-lenient: date-time`.
    DateTime,
    /// `x-lenient: array`.
    Array,
    /// `x-lenient: object`.
    Object,
    /// `nullable: true`.
    Null,
}

impl Reader {
    /// The keyword, as the document would say it; that of Swagger 2.0 is another one for `null`.
    #[must_use]
    pub fn keyword(self, is_swagger: bool) -> (&'static str, Json) {
        let lenient = |form: &str| ("x-lenient", Json::str(form));
        match self {
            Self::Boolean => lenient("boolean"),
            Self::String => lenient("string"),
            Self::DateTime => lenient("date-time"),
            Self::Array => lenient("array"),
            Self::Object => lenient("object"),
            Self::Null if is_swagger => ("x-nullable", Json::Bool(true)),
            Self::Null => ("nullable", Json::Bool(true)),
        }
    }

    /// What takes a value that the type of a schema does not. A value that the schema contradicts has none: it is wrong.
    pub(crate) fn of(schema: &Json, value: &Json) -> Option<Self> {
        let keyword = |name: &str| schema.get(name).and_then(Json::as_str).unwrap_or_default();
        if matches!(value, Json::Null) {
            return Some(Self::Null);
        }
        match (keyword("type"), keyword("format"), value) {
            ("string", "date" | "date-time", Json::String(text) | Json::Number(text)) if is_time(value, text) => {
                Some(Self::DateTime)
            }
            // A secret would be printed, and bytes are no text.
            ("string", "date" | "date-time" | "password" | "binary" | "byte", _) => None,
            ("string", "decimal", Json::String(text) | Json::Number(text))
            | ("number", _, Json::String(text) | Json::Number(text)) => is_number(text).then_some(Self::String),
            ("string", "decimal", _) => None,
            ("string", "uuid", Json::String(_)) => Some(Self::String),
            ("string", _, Json::Number(_) | Json::Bool(_)) if schema.get("enum").is_none() => Some(Self::String),
            ("boolean", _, Json::String(text) | Json::Number(text)) if is_boolean(text) => Some(Self::Boolean),
            ("array", _, Json::Object(_) | Json::Array(_)) => Some(Self::Array),
            ("object", _, Json::String(_)) if is_one_text(schema) => Some(Self::Object),
            _ => None,
        }
    }
}

/// The forms of a boolean that `x-lenient: boolean` reads.
pub(crate) fn is_boolean(text: &str) -> bool {
    let known = ["true", "1", "y", "yes", "false", "0", "n", "no", ""];
    known.contains(&text.trim().to_ascii_lowercase().as_str())
}

/// An object with one property, a plain optional text: what `x-lenient: object` is for.
fn is_one_text(schema: &Json) -> bool {
    let required = schema.get("required").map(Json::items).unwrap_or_default();
    let [(_, property)] = schema.get("properties").map(Json::members).unwrap_or_default() else {
        return false;
    };
    let is_plain = ["enum", "format", "x-lenient"]
        .iter()
        .all(|keyword| property.get(keyword).is_none());
    required.is_empty() && is_plain && property.get("type").and_then(Json::as_str) == Some("string")
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_whole(text: &str) -> bool {
    all_digits(text.strip_prefix('-').unwrap_or(text))
}

/// A number as JSON writes it, of any length.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    all_digits(whole) && all_digits(fraction) && all_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
}

/// A time in one of the forms that are known: a text that begins with a day, which an offset, or a time of it, may follow,
/// milliseconds in slashes, and a count of seconds or milliseconds.
fn is_time(value: &Json, text: &str) -> bool {
    if matches!(value, Json::Number(_)) {
        return matches!(text.len(), 10 | 13) && all_digits(text);
    }
    if let Some(inside) = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")) {
        let sign = inside.get(1..).and_then(|rest| rest.find(['+', '-'])).map(|at| at + 1);
        let (count, offset) = inside.split_at(sign.unwrap_or(inside.len()));
        return is_whole(count) && (offset.is_empty() || offset.len() == 5 && all_digits(&offset[1..]));
    }
    let Some((day, rest)) = text.split_at_checked(10) else {
        return false;
    };
    let (time, offset) = match rest.find(['Z', 'z', '+', '-']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    is_date(day) && is_clock(time) && is_offset(offset)
}

/// Nothing, or `T10:00`, with seconds and a fraction of them or without.
fn is_clock(time: &str) -> bool {
    let Some(clock) = time.strip_prefix(['T', 't', ' ']) else {
        return time.is_empty();
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let parts: Vec<&str> = clock.split(':').collect();
    matches!(parts.len(), 2 | 3) && parts.iter().all(|part| part.len() == 2 && all_digits(part)) && all_digits(fraction)
}

/// Nothing, `Z`, `+0100` or `+01:00`.
fn is_offset(offset: &str) -> bool {
    let Some(hours) = offset.strip_prefix(['+', '-']) else {
        return matches!(offset, "" | "Z" | "z");
    };
    let digits = hours.replacen(':', "", 1);
    matches!(digits.len(), 2 | 4) && all_digits(&digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_the_reader_that_keeps_it_or_none() {
        for (schema, value, reader) in [
            (r#""string""#, "7", Some(Reader::String)),
            (r#""string""#, "true", Some(Reader::String)),
            (r#""string""#, r#"{"a":1}"#, None),
            (r#""string""#, "null", Some(Reader::Null)),
            (r#""string","enum":["a"]"#, "7", None),
            (r#""string","format":"password""#, "7", None),
            (r#""string","format":"uuid""#, r#""u-1""#, Some(Reader::String)),
            (r#""string","format":"decimal""#, r#""NA""#, None),
            (
                r#""number","format":"decimal""#,
                "0.00000000000000000000000000001",
                Some(Reader::String),
            ),
            (r#""number","format":"decimal""#, r#""much""#, None),
            // It is read as it is, digit for digit.
            (r#""integer""#, "18446744073709551615", None),
            (r#""integer""#, "1.5", None),
            (r#""integer""#, r#""seven""#, None),
            (r#""integer""#, r#""7""#, None),
            (r#""boolean""#, r#""Y""#, Some(Reader::Boolean)),
            (r#""boolean""#, "1", Some(Reader::Boolean)),
            (r#""boolean""#, "2", None),
            (r#""boolean""#, r#""perhaps""#, None),
            (r#""array""#, r#"{"0":{}}"#, Some(Reader::Array)),
            (r#""array""#, r#""a,b""#, None),
            (
                r#""object","properties":{"text":{"type":"string"}}"#,
                r#""wrong""#,
                Some(Reader::Object),
            ),
            (
                r#""object","required":["text"],"properties":{"text":{"type":"string"}}"#,
                r#""wrong""#,
                None,
            ),
            (r#""object","properties":{"n":{"type":"integer"}}"#, r#""wrong""#, None),
        ] {
            assert_eq!(of(schema, value), reader, "{schema} {value}");
        }
    }

    fn of(schema: &str, value: &str) -> Option<Reader> {
        let schema = Json::parse(&format!(r#"{{"type":{schema}}}"#)).unwrap();
        Reader::of(&schema, &Json::parse(value).unwrap())
    }

    #[test]
    fn a_time_in_another_form_is_a_time_and_a_word_is_none() {
        for (text, is_time) in [
            (r#""/Date(1573755038314+0000)/""#, true),
            (r#""/Date(-1573755038314)/""#, true),
            (r#""/Date(soon)/""#, false),
            (r#""/Date(1573755038314é)/""#, false),
            (r#""/Date(1+é000)/""#, false),
            (r#""2026-11-27T10:00:00""#, true),
            (r#""2026-11-27 10:00""#, true),
            (r#""2026-11-27T10:00:00.123+0100""#, true),
            (r#""2026-01-02+01:00""#, true),
            (r#""2026-01-02Z""#, true),
            (r#""2026-01-02""#, true),
            ("1581669923", true),
            ("1581669923800", true),
            ("20260102", false),
            (r#""1581669923""#, false),
            (r#""2026-01-02 soon""#, false),
            (r#""02.01.2026""#, false),
            (r#""soon""#, false),
            (r#""""#, false),
        ] {
            let reader = is_time.then_some(Reader::DateTime);
            assert_eq!(of(r#""string","format":"date""#, text), reader, "{text}");
        }
    }
}
