//! Whether the types that are generated can read what a document shows: "it compiles" is not enough.
//!
//! Generated types are lenient where that loses nothing: amounts are read from numbers and from texts, a value of an enum may be a
//! new one, `null` is an absent field, and dates are kept as they came. What they cannot read is told with its place.

use crate::json::Json;
use crate::model::METHODS;
use crate::pointer::{join, token};

/// Something in an example that the generated types cannot read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// JSON pointer to the operation.
    pub operation: String,
    /// The status of the reply.
    pub status: String,
    /// Where in the example, as a JSON pointer.
    pub at: String,
    /// JSON pointer to the schema that it is read by.
    pub schema: String,
    /// What was expected, and what stands there.
    pub wrong: String,
}

/// How many examples of replies a document has, and what of them cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examples {
    /// All of them.
    pub all: usize,
    /// What is in the way of those that cannot be read.
    pub unreadable: Vec<Unreadable>,
}

impl Examples {
    /// Those of which everything can be read.
    #[must_use]
    pub fn read(&self) -> usize {
        let mut failed: Vec<(&str, &str)> = self
            .unreadable
            .iter()
            .map(|one| (one.operation.as_str(), one.status.as_str()))
            .collect();
        failed.dedup();
        self.all.saturating_sub(failed.len())
    }
}

/// Reads the examples of replies as the types that are generated of a [normalised](crate::normal::normalised) document do.
///
/// ```
/// use finrail_spec::json::Json;
/// use finrail_spec::readable::examples;
///
/// let document = Json::parse(
///     r#"{"paths":{"/a":{"get":{"responses":{"200":{"content":{"application/json":{
///     "schema":{"type":"object","properties":{"id":{"type":"string"},"sum":{"type":"number","format":"decimal"}}},
///     "example":{"id":7,"sum":"1.10"}}}}}}}}}"#,
/// )?;
/// let examples = examples(&document);
/// assert_eq!((examples.all, examples.read()), (1, 0));
/// assert_eq!((examples.unreadable[0].at.as_str(), examples.unreadable[0].wrong.as_str()), ("/id", "expected a text, and it is a number"));
/// # Ok::<(), finrail_spec::json::NotJson>(())
/// ```
#[must_use]
pub fn examples(root: &Json) -> Examples {
    let mut found = Examples::default();
    for (path, item) in root.get("paths").map(Json::members).unwrap_or_default() {
        for (method, operation) in item
            .members()
            .iter()
            .filter(|(name, _)| METHODS.contains(&name.as_str()))
        {
            let pointer = join(&join("/paths", path), method);
            for (status, reply) in operation.get("responses").map(Json::members).unwrap_or_default() {
                for (media_type, content) in reply.get("content").map(Json::members).unwrap_or_default() {
                    let Some(schema) = content.get("schema") else { continue };
                    let at = format!(
                        "{pointer}/responses/{}/content/{}/schema",
                        token(status),
                        token(media_type)
                    );
                    for example in shown(content) {
                        found.all += 1;
                        let mut reading = Reading {
                            root,
                            operation: &pointer,
                            status,
                            found: &mut found.unreadable,
                            wide: &mut Vec::new(),
                        };
                        reading.value(schema, example, "", &at, 0);
                    }
                }
            }
        }
    }
    found
}

/// Integers in examples of bodies and replies that have more than 64 bits: the pointer of the schema of each, and its digits.
#[cfg(feature = "value")]
pub(crate) fn wide_integers(root: &Json) -> Vec<(String, String)> {
    let mut wide = Vec::new();
    for (pointer, operation) in crate::naming::operations_of(root) {
        let replies = operation.get("responses").map(Json::members).unwrap_or_default().iter();
        let replies = replies.map(|(status, reply)| (format!("{pointer}/responses/{}", token(status)), reply));
        let body = operation.get("requestBody");
        let body = body.map(|body| (format!("{pointer}/requestBody"), body));
        for (at, holder) in replies.chain(body) {
            for (media_type, content) in holder.get("content").map(Json::members).unwrap_or_default() {
                let Some(schema) = content.get("schema") else { continue };
                let at = format!("{at}/content/{}/schema", token(media_type));
                for example in shown(content) {
                    let mut reading = Reading {
                        root,
                        operation: &pointer,
                        status: "",
                        found: &mut Vec::new(),
                        wide: &mut wide,
                    };
                    reading.value(schema, example, "", &at, 0);
                }
            }
        }
    }
    wide
}

/// The examples of a media type. A text that is meant to be JSON is none.
fn shown(content: &Json) -> Vec<&Json> {
    let named = content.get("examples").map(Json::members).unwrap_or_default();
    let named = named.iter().filter_map(|(_, example)| example.get("value"));
    content
        .get("example")
        .into_iter()
        .chain(named)
        .filter(|example| matches!(example, Json::Object(_) | Json::Array(_)))
        .collect()
}

struct Reading<'r> {
    root: &'r Json,
    operation: &'r str,
    status: &'r str,
    found: &'r mut Vec<Unreadable>,
    /// Whole numbers of more than 64 bits, each with its schema.
    wide: &'r mut Vec<(String, String)>,
}

/// More in one another than an example has.
const DEEPEST: usize = 64;

impl<'r> Reading<'r> {
    fn tell(&mut self, at: &str, schema: &str, wrong: String) {
        self.found.push(Unreadable {
            operation: self.operation.to_owned(),
            status: self.status.to_owned(),
            at: at.to_owned(),
            schema: schema.to_owned(),
            wrong,
        });
    }

    /// The schema that is meant, and where it stands.
    fn target(&self, schema: &'r Json, at: &str) -> (&'r Json, String) {
        let (mut here, mut at) = (schema, at.to_owned());
        for _ in 0..32 {
            let one = match here.get("allOf").map(Json::items) {
                Some([one]) => one,
                _ => here,
            };
            let name = one.get("$ref").and_then(Json::as_str);
            let name = name.and_then(|reference| reference.strip_prefix("#/components/schemas/"));
            match name.and_then(|name| Some((name, self.root.at(&["components", "schemas", name])?))) {
                Some((name, target)) => (here, at) = (target, join("/components/schemas", name)),
                None => return (one, at),
            }
        }
        (here, at)
    }

    fn value(&mut self, schema: &'r Json, value: &Json, at: &str, place: &str, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let is_nullable = schema.get("nullable").and_then(Json::as_bool) == Some(true);
        let (schema, place) = self.target(schema, place);
        if matches!(value, Json::Null) && is_nullable {
            return;
        }
        let lenient = schema.get("x-lenient").and_then(Json::as_str);
        let kind = schema.get("type").and_then(Json::as_str).unwrap_or_default();
        let format = schema.get("format").and_then(Json::as_str).unwrap_or_default();
        let is_scalar = matches!(value, Json::String(_) | Json::Number(_) | Json::Bool(_));
        let expected = match (kind, lenient) {
            ("", None) => return,
            (_, Some("string" | "date-time")) if is_scalar => return,
            (_, Some("boolean")) if is_scalar => return,
            ("array", Some(_)) => return,
            ("object", _) => return self.object(schema, value, at, &place, depth),
            ("array", _) => {
                let Json::Array(items) = value else {
                    return match value {
                        Json::Null => {}
                        _ => self.tell(at, &place, format!("expected a list, and it is {}", what(value))),
                    };
                };
                let Some(schema) = schema.get("items") else { return };
                for (n, item) in items.iter().enumerate() {
                    self.value(schema, item, &format!("{at}/{n}"), &join(&place, "items"), depth + 1);
                }
                return;
            }
            ("string", _) if format == "decimal" => match value {
                Json::String(text) | Json::Number(text) if is_decimal(text) => return,
                Json::Number(_) => A_DECIMAL,
                _ => "an amount",
            },
            ("string", _) => match value {
                Json::String(text) if format == "uuid" && !is_uuid(text) => "a UUID",
                Json::String(text) if format == "date" && !crate::date::is_date(text) => "a date",
                Json::String(text) if format == "date-time" && !is_date_time(text) => "a time with its zone (RFC 3339)",
                Json::String(_) => return,
                _ => "a text",
            },
            ("number", _) => match value {
                Json::String(text) | Json::Number(text) if is_decimal(text) => return,
                Json::Number(_) => A_DECIMAL,
                _ => "a number",
            },
            ("integer", _) => match value {
                Json::Number(digits) if digits.parse::<i64>().is_ok() => return,
                Json::Number(digits) => {
                    if digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
                        self.wide.push((place.clone(), digits.clone()));
                    }
                    "a whole number"
                }
                _ => "a whole number",
            },
            ("boolean", _) => match value {
                Json::Bool(_) => return,
                _ => "`true` or `false`",
            },
            _ => return,
        };
        self.tell(at, &place, format!("expected {expected}, and it is {}", what(value)));
    }

    fn object(&mut self, schema: &'r Json, value: &Json, at: &str, place: &str, depth: usize) {
        let Json::Object(members) = value else {
            return self.tell(at, place, format!("expected an object, and it is {}", what(value)));
        };
        if let Some(tag) = schema.get("x-tag").and_then(Json::as_str) {
            let kind = value.get(tag).and_then(Json::scalar).unwrap_or_default();
            if let Some(schema) = schema.at(&["properties", kind.as_str()]) {
                self.value(schema, value, at, &join(&join(place, "properties"), &kind), depth + 1);
            }
            return;
        }
        let described = schema.get("properties").map(Json::members).unwrap_or_default();
        let required = schema.get("required").map(Json::items).unwrap_or_default();
        for name in required.iter().filter_map(Json::as_str) {
            let is_nullable = schema
                .at(&["properties", name])
                .is_some_and(|property| property.get("nullable").and_then(Json::as_bool) == Some(true));
            let is_there = value.get(name).is_some_and(|value| !matches!(value, Json::Null));
            if !is_there && !is_nullable {
                self.tell(at, place, format!("`{name}` is required, and it is not there"));
            }
        }
        for (name, value) in members {
            let inside = join(at, name);
            match described.iter().find(|(known, _)| known == name) {
                // `null` is an absent field.
                Some(_) if matches!(value, Json::Null) => {}
                Some((_, property)) => {
                    self.value(
                        property,
                        value,
                        &inside,
                        &join(&join(place, "properties"), name),
                        depth + 1,
                    );
                }
                None => {
                    let values = schema.get("additionalProperties").filter(|_| described.is_empty());
                    if let Some(values) = values.filter(|values| !values.members().is_empty()) {
                        self.value(values, value, &inside, &join(place, "additionalProperties"), depth + 1);
                    }
                }
            }
        }
    }
}

fn what(value: &Json) -> &'static str {
    match value {
        Json::Null => "`null`",
        Json::Bool(_) => "a boolean",
        Json::Number(digits) if digits.parse::<i64>().is_err() => "a number with a fraction, or a very large one",
        Json::Number(_) => "a number",
        Json::String(_) => "another text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// What a decimal of the client holds: 96 bits, and no more than 28 places behind the point.
const A_DECIMAL: &str = "an amount of at most 28 digits";
const PLACES: i64 = 28;
const GREATEST: u128 = (1 << 96) - 1;

pub(crate) fn is_decimal(text: &str) -> bool {
    let text = text.trim();
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !all(whole) || !all(fraction) {
        return false;
    }
    let Ok(exponent) = exponent.parse::<i32>() else {
        return false;
    };
    // Zeros at the end are no digits that are lost.
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - significant.len()).unwrap_or(i64::MAX);
    let places = i64::try_from(fraction.len()).unwrap_or(i64::MAX) - i64::from(exponent) - zeros;
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return true;
    }
    let behind = usize::try_from((-places).max(0)).unwrap_or(usize::MAX);
    let is_short = places <= PLACES && behind <= 29 && significant.len() + behind <= 29;
    let whole = || format!("{significant}{}", "0".repeat(behind)).parse::<u128>();
    is_short && whole().is_ok_and(|value| value <= GREATEST)
}

/// A time with its zone (RFC 3339 section 5.6).
fn is_date_time(text: &str) -> bool {
    let Some((day, time)) = text.split_at_checked(10) else {
        return false;
    };
    let Some(time) = time.strip_prefix(['T', 't', ' ']) else {
        return false;
    };
    let at = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (time, zone) = time.split_at(at);
    let parts: Vec<&str> = time.splitn(3, ':').collect();
    let is_number = |part: &&str| part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    crate::date::is_date(day) && parts.len() == 3 && parts.iter().all(is_number) && !zone.is_empty()
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_hex && (lengths == [8, 4, 4, 4, 12] || lengths == [32])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What cannot be read of an example, by a schema beside these.
    fn of(schema: &str, example: &str) -> Vec<String> {
        let document = Json::parse(&format!(
            r##"{{"paths":{{"/a":{{"get":{{"responses":{{"200":{{"content":{{"application/json":{{"schema":{schema},"example":[{example}]}}}}}}}}}}}}}},
            "components":{{"schemas":{{"Card":{{"type":"object","required":["pan"],"properties":{{"pan":{{"type":"string"}}}}}},
            "Means":{{"type":"object","x-tag":"kind","properties":{{"card":{{"$ref":"#/components/schemas/Card"}}}}}}}}}}}}"##,
            schema = format_args!(r#"{{"type":"array","items":{schema}}}"#)
        ))
        .unwrap();
        examples(&document)
            .unreadable
            .into_iter()
            .map(|one| format!("{}: {}", one.at, one.wrong))
            .collect()
    }

    #[test]
    fn an_example_is_read_as_generated_types_read() {
        let card = r##"{"$ref":"#/components/schemas/Card"}"##;
        let means = r##"{"$ref":"#/components/schemas/Means"}"##;
        for (schema, example, wrong) in [
            ("{}", r#"{"a":[1]}"#, ""),
            (r#"{"type":"string"}"#, r#""a""#, ""),
            (r#"{"type":"string"}"#, "7", "/0: expected a text, and it is a number"),
            (r#"{"type":"string","x-lenient":"string"}"#, "7", ""),
            (r#"{"type":"string","enum":["a"]}"#, r#""new""#, ""),
            (
                r#"{"type":"string","format":"uuid"}"#,
                r#""7a9c1d4f-0e2b-1a4c-559a-6e0d3a5b8f1e""#,
                "",
            ),
            (
                r#"{"type":"string","format":"uuid"}"#,
                r#""u-1""#,
                "/0: expected a UUID, and it is another text",
            ),
            (
                r#"{"type":"string","format":"date-time","x-lenient":"date-time"}"#,
                r#""/Date(1573755038314+0000)/""#,
                "",
            ),
            (
                r#"{"type":"string","format":"date-time"}"#,
                r#""2026-11-27T10:00:00.5Z""#,
                "",
            ),
            (
                r#"{"type":"string","format":"date-time"}"#,
                r#""2026-11-27T10:00:00""#,
                "/0: expected a time with its zone (RFC 3339), and it is another text",
            ),
            (
                r#"{"type":"string","format":"date"}"#,
                r#""2026-01-02+01:00""#,
                "/0: expected a date, and it is another text",
            ),
            (
                r#"{"type":"string","format":"decimal"}"#,
                r#""NA""#,
                "/0: expected an amount, and it is another text",
            ),
            (r#"{"type":"number","format":"decimal"}"#, r#""1.10""#, ""),
            (
                r#"{"type":"number","format":"decimal"}"#,
                "79228162514264337593543950335,-0.0000000000000000000000000001,1E-28,1e28,1.5000000000000000000000000000000000,0.00E99,1e3",
                "",
            ),
            (
                r#"{"type":"number","format":"decimal"}"#,
                "79228162514264337593543950336,0.00000000000000000000000000001,1E29",
                "/0: expected an amount of at most 28 digits, and it is a number with a fraction, or a very large one; \
                 /1: expected an amount of at most 28 digits, and it is a number with a fraction, or a very large one; \
                 /2: expected an amount of at most 28 digits, and it is a number with a fraction, or a very large one",
            ),
            (
                r#"{"type":"integer"}"#,
                "1.5",
                "/0: expected a whole number, and it is a number with a fraction, or a very large one",
            ),
            (
                r#"{"type":"boolean"}"#,
                r#""true""#,
                "/0: expected `true` or `false`, and it is another text",
            ),
            (r#"{"type":"string","nullable":true}"#, "null", ""),
            (r#"{"type":"string"}"#, "null", "/0: expected a text, and it is `null`"),
            (card, r#"{"pan":"1","new":1}"#, ""),
            (card, r#"{"pan":null}"#, "/0: `pan` is required, and it is not there"),
            (card, r#"["1"]"#, "/0: expected an object, and it is a list"),
            (
                means,
                r#"{"kind":"card","pan":7}"#,
                "/0/pan: expected a text, and it is a number",
            ),
            (means, r#"{"kind":"coin"}"#, ""),
            (
                r#"{"type":"object","additionalProperties":{"type":"integer"}}"#,
                r#"{"a":1,"b":"x"}"#,
                "/0/b: expected a whole number, and it is another text",
            ),
        ] {
            assert_eq!(of(schema, example).join("; "), wrong, "{schema} {example}");
        }
    }
}
