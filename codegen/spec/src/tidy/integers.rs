//! Integers with more digits than 64 bits: by their format, by their limits, or because an example has them. Each is read by a type
//! that keeps all of them.

use super::elements::{Element, kind_of, named};
use crate::dialect::{Loss, Weight};
use crate::json::Json;
use crate::pointer::{join, keys};
use crate::readable::{is_decimal, wide_integers};

/// How many digits an integer may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Width {
    /// 64 bits.
    Bits64,
    /// What a decimal holds.
    Decimal,
    /// More.
    Any,
}

/// More digits than an integer of a document has.
const MOST: i64 = 1000;
/// Limits of floats, which say nothing of an integer.
const LIMITS_OF_FLOATS: [&str; 2] = ["1.79769", "3.40282"];

/// As many as it says.
pub(super) fn width(schema: &Json) -> Width {
    let limits: Vec<Width> = ["minimum", "maximum"]
        .iter()
        .filter_map(|keyword| of_limit(schema.get(keyword)?))
        .collect();
    let of_limits = limits.iter().copied().max().unwrap_or(Width::Bits64);
    let of_format = match schema.get("format").and_then(Json::as_str) {
        // Both limits say more than a format.
        Some("int128" | "uint128" | "int256" | "uint256") if limits.len() < 2 => Width::Any,
        Some("uint64" | "int128" | "uint128" | "int256" | "uint256" | "bigint") => Width::Decimal,
        _ => Width::Bits64,
    };
    let values = schema.get("enum").map(Json::items).unwrap_or_default();
    let shown = ["example", "default"].iter().filter_map(|keyword| schema.get(keyword));
    let of_values = shown.chain(values).filter_map(|value| match value {
        Json::Number(text) => of_value(text),
        _ => None,
    });
    of_values.fold(of_limits.max(of_format), Width::max)
}

fn of_limit(limit: &Json) -> Option<Width> {
    let text = limit.scalar()?;
    let digits = text.trim_start_matches('-');
    match LIMITS_OF_FLOATS.iter().any(|limit| digits.starts_with(limit)) {
        true => None,
        false => of_value(&text),
    }
}

/// What a whole number needs, and nothing where it is none.
fn of_value(text: &str) -> Option<Width> {
    let digits = whole(text)?;
    Some(match digits.parse::<i64>().is_ok() {
        true => Width::Bits64,
        false if is_decimal(&digits) => Width::Decimal,
        false => Width::Any,
    })
}

/// The digits of a number in front of its point, written out.
fn whole(text: &str) -> Option<String> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => ("-", text),
        None => ("", text),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (front, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{front}{behind}");
    if front.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let point = i64::try_from(front.len()).ok()? + exponent.trim_start_matches('+').parse::<i64>().ok()?;
    let length = usize::try_from(point.clamp(0, MOST)).ok()?;
    let written = format!("{digits:0<length$}");
    let kept = written
        .get(..length)
        .map(|kept| kept.trim_start_matches('0'))
        .filter(|kept| !kept.is_empty());
    Some(format!("{sign}{}", kept.unwrap_or("0")))
}

/// Makes of an integer a schema by which it is read digit for digit; what it costs.
pub(super) fn widen(schema: &mut Json, width: Width, pointer: &str, is_received_alone: bool) -> Option<Loss> {
    let told = |as_what: &str| {
        Some(Loss {
            pointer: pointer.to_owned(),
            weight: Weight::Meaning,
            what: format!(
                "that it is a number: it may have more digits than any number of the client, so it is {as_what}, digit for digit"
            ),
        })
    };
    let keys = keys(pointer);
    let is_parameter = keys.iter().any(|key| key == "parameters");
    let is_property = keys.iter().rev().nth(1).is_some_and(|key| key == "properties");
    match width {
        Width::Bits64 => None,
        Width::Decimal => {
            schema.set("type", Json::str("number"));
            schema.set("format", Json::str("decimal"));
            None
        }
        // Any text is written as it is there.
        Width::Any if is_parameter => {
            without_limits(schema, Some("string"));
            told("a text")
        }
        Width::Any if is_received_alone && is_property => {
            without_limits(schema, Some("string"));
            schema.set("x-lenient", Json::str("string"));
            told("read as a text")
        }
        Width::Any => {
            without_limits(schema, None);
            told("kept as JSON")
        }
    }
}

/// What is a rule for numbers says nothing of texts.
fn without_limits(schema: &mut Json, kind: Option<&str>) {
    let rules = [
        "format",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "enum",
        "default",
    ];
    for keyword in rules {
        schema.remove(keyword);
    }
    match kind {
        Some(kind) => schema.set("type", Json::str(kind)),
        None => drop(schema.remove("type")),
    }
}

/// Widens the integers of a tidied document whose values in examples of bodies have more digits than 64 bits. `exact_number`: what
/// decimals in lists and maps are called.
pub(crate) fn widened(root: &mut Json, exact_number: &str, is_received_alone: &dyn Fn(&str) -> bool) -> Vec<Loss> {
    let mut widths: Vec<(String, Width)> = Vec::new();
    for (pointer, digits) in wide_integers(root) {
        let Some(width) = of_value(&digits) else { continue };
        for pointer in alike(root, &pointer) {
            match widths.iter_mut().find(|(known, _)| *known == pointer) {
                Some((_, known)) => *known = width.max(*known),
                None => widths.push((pointer, width)),
            }
        }
    }
    let mut losses = Vec::new();
    for (pointer, width) in widths {
        let integer = root
            .pointer(&pointer)
            .filter(|schema| kind_of(schema) == Some("integer"));
        let Some(mut schema) = integer.cloned() else { continue };
        let is_element = keys(&pointer)
            .last()
            .is_some_and(|key| key == "items" || key == "additionalProperties");
        if is_element && width == Width::Decimal {
            root.set_pointer(&pointer, named(&schema, exact_number));
            let at = join("/components/schemas", exact_number);
            root.set_pointer(&at, Element::ExactNumber.schema());
            continue;
        }
        losses.extend(widen(&mut schema, width, &pointer, is_received_alone(&pointer)));
        root.set_pointer(&pointer, schema);
    }
    losses
}

/// A place in the schema of a reply, and the same place in each other reply of the operation whose schema is the same: they are read
/// as one type.
fn alike(root: &Json, pointer: &str) -> Vec<String> {
    const STATUS: usize = 4;
    let place = keys(pointer);
    let schema_at = |keys: &[String]| keys.iter().fold(String::new(), |at, key| join(&at, key));
    let [paths, _, _, responses, _, content, _, schema, inside @ ..] = place.as_slice() else {
        return vec![pointer.to_owned()];
    };
    let is_reply = paths == "paths" && responses == "responses" && content == "content" && schema == "schema";
    let own = root.pointer(&schema_at(&place[..place.len() - inside.len()]));
    let replies = root.pointer(&schema_at(&place[..STATUS])).map(Json::members);
    if !is_reply || own.is_none() {
        return vec![pointer.to_owned()];
    }
    let mut found = Vec::new();
    for (status, reply) in replies.unwrap_or_default() {
        for (media_type, content) in reply.get("content").map(Json::members).unwrap_or_default() {
            if content.get("schema") == own {
                let begin = schema_at(&place[..STATUS]);
                let begin = ["content", media_type, "schema"]
                    .iter()
                    .fold(join(&begin, status), |at, key| join(&at, key));
                found.push(inside.iter().fold(begin, |at, key| join(&at, key)));
            }
        }
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_counted_however_a_number_is_written() {
        for (text, written) in [
            ("12", Some("12")),
            ("-12.9", Some("-12")),
            ("1.25e1", Some("12")),
            ("1E+3", Some("1000")),
            ("120e-1", Some("12")),
            ("0.5", Some("0")),
            ("00", Some("0")),
            ("1e-9", Some("0")),
            ("", None),
            (".5", None),
            ("1e", None),
            ("twelve", None),
        ] {
            assert_eq!(whole(text).as_deref(), written, "{text}");
        }
        assert_eq!(whole("1e400").map(|digits| digits.len()), Some(401));
        assert_eq!(whole("1e9999999").map(|digits| digits.len()), Some(1000));
    }

    #[test]
    fn an_integer_is_as_wide_as_its_format_its_limits_and_its_examples() {
        for (schema, expected) in [
            (r#"{}"#, Width::Bits64),
            (
                r#"{"maximum":9223372036854775807,"minimum":-9223372036854775808}"#,
                Width::Bits64,
            ),
            (r#"{"maximum":9223372036854775808}"#, Width::Decimal),
            (r#"{"maximum":1e19}"#, Width::Decimal),
            (r#"{"minimum":-99999999999999999999}"#, Width::Decimal),
            (r#"{"maximum":79228162514264337593543950335}"#, Width::Decimal),
            (r#"{"maximum":79228162514264337593543950336}"#, Width::Any),
            (r#"{"maximum":1e39}"#, Width::Any),
            (
                r#"{"maximum":1.7976931348623157e308,"minimum":-3.4028234663852886e38}"#,
                Width::Bits64,
            ),
            (r#"{"format":"uint64"}"#, Width::Decimal),
            (r#"{"format":"int128"}"#, Width::Any),
            (r#"{"format":"bigint","minimum":0}"#, Width::Decimal),
            (
                r#"{"format":"uint128","minimum":0,"maximum":18446744073709551615}"#,
                Width::Decimal,
            ),
            (r#"{"example":18446744073709551616}"#, Width::Decimal),
            (r#"{"example":1234567890123456789012345678901234567890}"#, Width::Any),
            (r#"{"enum":[1,1234567890123456789012345678901234567890]}"#, Width::Any),
            (
                r#"{"example":"1234567890123456789012345678901234567890"}"#,
                Width::Bits64,
            ),
        ] {
            assert_eq!(width(&Json::parse(schema).unwrap()), expected, "{schema}");
        }
    }
}
