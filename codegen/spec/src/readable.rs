//! Whether the types that are generated can read what a document shows: "it compiles" is not enough.
//!
//! Generated types are lenient where that loses nothing: amounts are read from numbers and from texts, a value of an enum may be a
//! new one, `null` is an absent field, and dates are kept as they came. What they cannot read is told with its place.

use std::collections::BTreeSet;

use crate::json::Json;
use crate::model::METHODS;
use crate::pointer::{join, keys, token};
use crate::readers::{Reader, is_boolean};
use crate::sources::{ANY, Sources};

/// Something in an example that the generated types cannot read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// JSON pointer to the operation.
    pub operation: String,
    /// The status of the reply.
    pub status: String,
    /// JSON pointer to the example: in the bundle that of a reply, in the document that of a schema.
    pub example: String,
    /// JSON pointer to the example in the document as it was published, where it is known.
    pub written: Option<String>,
    /// Where in the example, as a JSON pointer.
    pub inside: String,
    /// Where in the reply, as a JSON pointer.
    pub at: String,
    /// JSON pointer to the schema that it is read by.
    pub schema: String,
    /// What was expected, and what stands there.
    pub wrong: String,
    /// What would read it, and lose nothing.
    pub reader: Option<Reader>,
}

/// How many examples a document has, and what of them cannot be read.
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
        let failed: BTreeSet<&str> = self.unreadable.iter().map(|one| one.example.as_str()).collect();
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
    for_each_reply(root, &mut |reply| {
        for (name, example) in shown(reply.content) {
            found.all += 1;
            let example_at = format!("{}{name}", reply.at);
            let mut reading = Reading::of(root, &reply, &example_at, "", &mut found.unreadable);
            reading.value(reply.schema, example, "", &format!("{}/schema", reply.at), 0);
        }
    });
    found
}

/// The same for what the schemas of replies show of their values: `source` is the document as it was published, in any dialect.
/// A schema that many replies have shows its examples once.
#[must_use]
pub fn examples_of_schemas(root: &Json, source: Sources<'_>) -> Examples {
    let mut found = Examples::default();
    let (mut seen, mut read) = (BTreeSet::new(), BTreeSet::new());
    for_each_reply(root, &mut |reply| {
        let mut showing = Showing {
            root,
            source,
            reply: &reply,
            seen: &mut seen,
            read: &mut read,
            found: &mut found,
        };
        let written = source.schemas(reply.operation, reply.status);
        showing.schema(reply.schema, "", &format!("{}/schema", reply.at), &written, 0);
    });
    found
}

/// A reply with a body.
struct Reply<'r> {
    operation: &'r str,
    status: &'r str,
    content: &'r Json,
    schema: &'r Json,
    /// JSON pointer to the content.
    at: &'r str,
}

fn for_each_reply<'r>(root: &'r Json, visit: &mut dyn FnMut(Reply<'_>)) {
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
                    let at = format!("{pointer}/responses/{}/content/{}", token(status), token(media_type));
                    visit(Reply {
                        operation: &pointer,
                        status,
                        content,
                        schema,
                        at: &at,
                    });
                }
            }
        }
    }
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
                let at = format!("{at}/content/{}", token(media_type));
                let reply = Reply {
                    operation: &pointer,
                    status: "",
                    content,
                    schema,
                    at: &at,
                };
                for (name, example) in shown(content) {
                    let mut unread = Vec::new();
                    let mut reading = Reading::of(root, &reply, &name, "", &mut unread);
                    reading.value(schema, example, "", &format!("{at}/schema"), 0);
                    wide.append(&mut reading.wide);
                }
            }
        }
    }
    wide
}

/// The examples of a media type, each with its place in it. A text that is meant to be JSON is none.
fn shown(content: &Json) -> Vec<(String, &Json)> {
    let named = content.get("examples").map(Json::members).unwrap_or_default();
    let named = named
        .iter()
        .filter_map(|(name, example)| Some((format!("/examples/{}/value", token(name)), example.get("value")?)));
    let one = content.get("example").map(|example| ("/example".to_owned(), example));
    one.into_iter()
        .chain(named)
        .filter(|(_, example)| matches!(example, Json::Object(_) | Json::Array(_) | Json::Null))
        .collect()
}

/// The schemas of a reply, gone through in the bundle and in the document at once.
struct Showing<'s, 'r> {
    root: &'r Json,
    source: Sources<'s>,
    reply: &'s Reply<'s>,
    /// Named schemas that were gone through.
    seen: &'s mut BTreeSet<String>,
    /// Examples that were read.
    read: &'s mut BTreeSet<String>,
    found: &'s mut Examples,
}

impl<'s, 'r> Showing<'s, 'r> {
    fn schema(&mut self, schema: &Json, at: &str, place: &str, written: &[String], depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let (target, target_at) = target(self.root, schema, place);
        let is_of_many = matches!(target.get("type").and_then(Json::as_str), Some("object" | "array"));
        for (example_at, example) in self.source.shown(written) {
            // A text that is meant to be JSON.
            let is_written_out = is_of_many && matches!(example, Json::String(_));
            if is_written_out || !self.read.insert(example_at.clone()) {
                continue;
            }
            self.found.all += 1;
            let before = self.found.unreadable.len();
            let mut reading = Reading::of(self.root, self.reply, &example_at, at, &mut self.found.unreadable);
            reading.value(schema, example, at, place, 0);
            for one in self.found.unreadable.iter_mut().skip(before) {
                one.written = Some(example_at.clone());
            }
        }
        // Which kind a schema of a union is read by is not known without a value.
        if target.get("x-tag").is_some() || !self.seen.insert(target_at.clone()) {
            return;
        }
        for (name, property) in target.get("properties").map(Json::members).unwrap_or_default() {
            let below = self.source.step(written, name);
            let place = join(&join(&target_at, "properties"), name);
            self.schema(property, &join(at, name), &place, &below, depth + 1);
        }
        for keyword in ["items", "additionalProperties"] {
            if let Some(inner @ Json::Object(_)) = target.get(keyword) {
                let below = self.source.step(written, ANY);
                self.schema(inner, &join(at, ANY), &join(&target_at, keyword), &below, depth + 1);
            }
        }
    }
}

struct Reading<'r> {
    root: &'r Json,
    operation: &'r str,
    status: &'r str,
    example: &'r str,
    /// Where in the reply the example stands.
    begins: &'r str,
    found: &'r mut Vec<Unreadable>,
    /// Whole numbers of more than 64 bits, each with its schema.
    wide: Vec<(String, String)>,
}

/// More in one another than an example has.
const DEEPEST: usize = 64;

/// Members of an object in place of a list that are lists of its items, as the reader of such lists knows them.
const LISTS_OF_A_REPORT: [&str; 3] = ["booked", "pending", "information"];

/// The schema that is meant, and where it stands.
pub(crate) fn target<'r>(root: &'r Json, schema: &'r Json, at: &str) -> (&'r Json, String) {
    let (mut here, mut at) = (schema, at.to_owned());
    for _ in 0..32 {
        let one = match here.get("allOf").map(Json::items) {
            Some([one]) => one,
            _ => here,
        };
        let name = one.get("$ref").and_then(Json::as_str);
        let name = name.and_then(|reference| reference.strip_prefix("#/components/schemas/"));
        match name.and_then(|name| Some((name, root.at(&["components", "schemas", name])?))) {
            Some((name, target)) => (here, at) = (target, join("/components/schemas", name)),
            None => return (one, at),
        }
    }
    (here, at)
}

/// A field reads a list in every form, and so does a named schema; an element of a list has neither.
fn may_be_lenient_list(place: &str) -> bool {
    let keys = keys(place);
    matches!(keys.as_slice(), [.., parent, _] if parent == "properties")
        || matches!(keys.as_slice(), [_, section, _] if section == "schemas")
}

impl<'r> Reading<'r> {
    fn of(
        root: &'r Json,
        reply: &'r Reply<'r>,
        example: &'r str,
        begins: &'r str,
        found: &'r mut Vec<Unreadable>,
    ) -> Self {
        Self {
            root,
            operation: reply.operation,
            status: reply.status,
            example,
            begins,
            found,
            wide: Vec::new(),
        }
    }

    fn tell(&mut self, at: &str, schema: &str, wrong: String, reader: Option<Reader>) {
        let is_possible = reader != Some(Reader::Array) || may_be_lenient_list(schema);
        self.found.push(Unreadable {
            operation: self.operation.to_owned(),
            status: self.status.to_owned(),
            example: self.example.to_owned(),
            written: None,
            inside: at.strip_prefix(self.begins).unwrap_or(at).to_owned(),
            at: at.to_owned(),
            schema: schema.to_owned(),
            wrong,
            reader: reader.filter(|_| is_possible),
        });
    }

    fn value(&mut self, schema: &Json, value: &Json, at: &str, place: &str, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let is_nullable = schema.get("nullable").and_then(Json::as_bool) == Some(true);
        let (schema, place) = target(self.root, schema, place);
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
            (_, Some("boolean")) => match value.scalar() {
                Some(text) if is_boolean(&text) => return,
                _ => "`true` or `false`",
            },
            ("array", Some(_)) if may_be_lenient_list(&place) => match value {
                Json::Null => return,
                Json::Array(_) | Json::Object(_) => return self.any_list(schema, value, at, &place, depth),
                _ => "a list",
            },
            ("object", Some("object")) if matches!(value, Json::String(_)) => return,
            ("object", _) => return self.object(schema, value, at, &place, depth),
            ("array", _) => match value {
                Json::Array(items) => return self.items(schema, items, at, &place, depth),
                _ => "a list",
            },
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
                Json::Number(digits) if format == "int32" && digits.parse::<i64>().is_ok() => {
                    match digits.parse::<i32>() {
                        Ok(_) => return,
                        Err(_) => "a whole number of 32 bits",
                    }
                }
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
        let reader = Reader::of(schema, value);
        self.tell(
            at,
            &place,
            format!("expected {expected}, and it is {}", what(value)),
            reader,
        );
    }

    fn items(&mut self, schema: &Json, items: &[Json], at: &str, place: &str, depth: usize) {
        let Some(schema) = schema.get("items") else { return };
        for (n, item) in items.iter().enumerate() {
            self.value(schema, item, &format!("{at}/{n}"), &join(place, "items"), depth + 1);
        }
    }

    /// A list in one of the forms that `x-lenient: array` reads: of lists, an object of lists or of indices, or one object.
    fn any_list(&mut self, schema: &Json, value: &Json, at: &str, place: &str, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let is_count = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        match value {
            Json::Array(items) => {
                for (n, item) in items.iter().enumerate() {
                    match item {
                        Json::Array(_) => self.any_list(schema, item, &format!("{at}/{n}"), place, depth + 1),
                        item => self.one_item(schema, item, &format!("{at}/{n}"), place, depth),
                    }
                }
            }
            Json::Object(members) if members.iter().all(|(_, value)| matches!(value, Json::Null)) => {}
            Json::Object(members) => {
                let is_list = |value: &Json| matches!(value, Json::Array(_));
                let is_null = |value: &Json| matches!(value, Json::Null);
                let is_named = |name: &str| LISTS_OF_A_REPORT.contains(&name);
                let is_report = members.iter().any(|(name, value)| is_named(name) && !is_null(value));
                let has_list = members.iter().any(|(_, value)| is_list(value));
                let of_lists = |(name, value): &(String, Json)| is_list(value) || is_null(value) || is_count(name);
                let by_key = has_list && members.iter().all(of_lists);
                let by_index = members.iter().all(|(name, _)| is_count(name));
                if !is_report && !by_key && !by_index {
                    return self.one_item(schema, value, at, place, depth);
                }
                for (name, item) in members.iter().filter(|(_, value)| !is_null(value)) {
                    let is_meant = match is_report {
                        true => is_named(name),
                        false => !by_key || is_list(item),
                    };
                    match item {
                        _ if !is_meant => {}
                        Json::Array(_) => self.any_list(schema, item, &join(at, name), place, depth + 1),
                        item => self.one_item(schema, item, &join(at, name), place, depth),
                    }
                }
            }
            item => self.one_item(schema, item, at, place, depth),
        }
    }

    fn one_item(&mut self, schema: &Json, item: &Json, at: &str, place: &str, depth: usize) {
        if let Some(schema) = schema.get("items") {
            self.value(schema, item, at, &join(place, "items"), depth + 1);
        }
    }

    fn object(&mut self, schema: &Json, value: &Json, at: &str, place: &str, depth: usize) {
        let Json::Object(members) = value else {
            let reader = Reader::of(schema, value).filter(|_| keys(place).len() == 3);
            return self.tell(
                at,
                place,
                format!("expected an object, and it is {}", what(value)),
                reader,
            );
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
            match value.get(name) {
                _ if is_nullable => {}
                None => self.tell(at, place, format!("`{name}` is required, and it is not there"), None),
                Some(Json::Null) => {
                    let place = join(&join(place, "properties"), name);
                    let wrong = format!("`{name}` is required, and it is `null`");
                    self.tell(&join(at, name), &place, wrong, Some(Reader::Null));
                }
                Some(_) => {}
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

/// Whether the decimal of the client reads a text and loses no digit of it.
#[must_use]
pub fn is_decimal(text: &str) -> bool {
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
                r#"{"type":"boolean","x-lenient":"boolean"}"#,
                r#""Y",0,true,"perhaps""#,
                "/3: expected `true` or `false`, and it is another text",
            ),
            (
                r#"{"type":"object","properties":{"l":{"type":"array","x-lenient":"array","items":{"type":"integer"}}}}"#,
                r#"{"l":[[1],[2,"a"]]},{"l":{"k":["b"]}},{"l":{"0":1,"1":2}},{"l":null},{"l":"c"},{"l":{"booked":[1],"_links":{}}}"#,
                "/0/l/1/1: expected a whole number, and it is another text; \
                 /1/l/k/0: expected a whole number, and it is another text; \
                 /4/l: expected a list, and it is another text",
            ),
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
            (r#"{"type":"integer","format":"int32"}"#, "2147483647,-2147483648", ""),
            (
                r#"{"type":"integer","format":"int32"}"#,
                "2147483648",
                "/0: expected a whole number of 32 bits, and it is a number",
            ),
            (r#"{"type":"integer","format":"int64"}"#, "2147483648", ""),
            (
                r#"{"type":"array","items":{"type":"string"}}"#,
                "null",
                "/0: expected a list, and it is `null`",
            ),
            (r#"{"type":"array","nullable":true}"#, "null", ""),
            (r#"{"type":"string","nullable":true}"#, "null", ""),
            (r#"{"type":"string"}"#, "null", "/0: expected a text, and it is `null`"),
            (card, r#"{"pan":"1","new":1}"#, ""),
            (card, r#"{"pan":null}"#, "/0/pan: `pan` is required, and it is `null`"),
            (card, r#"{}"#, "/0: `pan` is required, and it is not there"),
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

    #[test]
    fn a_whole_reply_that_is_null_is_read_where_it_may_be() {
        for (schema, wrong) in [
            (r#"{"type":"object"}"#, Some("expected an object, and it is `null`")),
            (
                r#"{"type":"array","items":{}}"#,
                Some("expected a list, and it is `null`"),
            ),
            (r#"{"type":"object","nullable":true}"#, None),
            ("{}", None),
        ] {
            let document = Json::parse(&format!(
                r#"{{"paths":{{"/a":{{"get":{{"responses":{{"200":{{"content":{{"application/json":{{"schema":{schema},"example":null}}}}}}}}}}}}}}}}"#
            ))
            .unwrap();
            let found = examples(&document);
            assert_eq!((found.all, found.read()), (1, usize::from(wrong.is_none())), "{schema}");
            assert_eq!(
                found.unreadable.first().map(|one| one.wrong.as_str()),
                wrong,
                "{schema}"
            );
        }
    }

    #[test]
    fn what_a_schema_shows_is_read_once_and_told_where_the_document_has_it() {
        let document = Json::parse(
            r##"{"paths":{"/a":{"get":{"responses":{"200":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Account"}}}}}},
            "put":{"responses":{"200":{"content":{"application/json":{"schema":{"type":"array","items":{"$ref":"#/components/schemas/Account"}}}}}}}}},
            "components":{"schemas":{
            "Account":{"type":"object","properties":{
                "id":{"type":"string","example":7},
                "tags":{"type":"array","items":{"type":"string","examples":["a",1]}},
                "limits":{"type":"object","example":{"day":null},"additionalProperties":{"type":"string"}},
                "raw":{"type":"object","properties":{},"example":"{}"},
                "empty":{"type":"string","example":null},
                "parent":{"$ref":"#/components/schemas/Account"}}},
            "Unused":{"type":"string","example":7}}}}"##,
        )
        .unwrap();
        let found = examples_of_schemas(&document, Sources::of(&document));
        assert_eq!((found.all, found.read()), (4, 1));
        let told: Vec<(String, &str, &str)> = found
            .unreadable
            .iter()
            .map(|one| {
                (
                    format!("{}{}", one.example, one.inside),
                    one.at.as_str(),
                    one.wrong.as_str(),
                )
            })
            .collect();
        let properties = "/components/schemas/Account/properties";
        let text = "expected a text, and it is a number";
        assert_eq!(
            told,
            [
                (format!("{properties}/id/example"), "/id", text),
                (format!("{properties}/tags/items/examples/1"), "/tags/*", text),
                (
                    format!("{properties}/limits/example/day"),
                    "/limits/day",
                    "expected a text, and it is `null`"
                ),
            ]
        );
    }
}
