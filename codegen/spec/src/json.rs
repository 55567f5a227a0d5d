//! JSON that keeps the digits of its numbers and the order of its members.
//!
//! `serde_json::Value` reads `12345678901234567.89` into a binary float, and its features that do not would change the
//! type for every crate of a user's build. Numbers stay text here: the sandbox gives back the amount that was posted, and
//! a document's example is the one that was written.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::pointer::keys;

/// How deep a document may nest.
const MAX_DEPTH: usize = 96;

/// A JSON value.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Json {
    /// `null`
    #[default]
    Null,
    /// `true`, `false`
    Bool(bool),
    /// The digits, as they were written.
    Number(String),
    /// A text, its escapes read.
    String(String),
    /// Its items in their order.
    Array(Vec<Json>),
    /// Members in the order in which they were written.
    Object(Vec<(String, Json)>),
}

/// The text is not JSON, names a member twice, or nests too deep.
#[derive(Debug, thiserror::Error)]
#[error("not a JSON document")]
pub struct NotJson;

/// The text of a file without the byte order mark that some editors put in front of it (RFC 8259 section 8.1).
///
/// ```
/// assert_eq!(finrail_spec::json::without_mark("\u{feff}{}"), "{}");
/// ```
#[must_use]
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

impl Json {
    /// Reads a document.
    ///
    /// ```
    /// use finrail_spec::json::Json;
    ///
    /// let json = Json::parse(r#"{"amount":1.10}"#)?;
    /// assert_eq!(json.to_string(), r#"{"amount":1.10}"#);
    /// # Ok::<(), finrail_spec::json::NotJson>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Of a text that is not JSON, names a member of an object twice, or nests deeper than 96 levels.
    pub fn parse(text: &str) -> Result<Self, NotJson> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|_| NotJson)?;
        read(raw, 0)
    }

    /// An object with these members.
    pub fn object<K: Into<String>>(members: impl IntoIterator<Item = (K, Json)>) -> Self {
        Self::Object(members.into_iter().map(|(k, v)| (k.into(), v)).collect())
    }

    /// A string.
    pub fn str(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// A whole number.
    pub fn int(n: impl Into<i64>) -> Self {
        Self::Number(n.into().to_string())
    }

    /// The member of an object.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.members().iter().find(|(k, _)| k == name).map(|(_, v)| v)
    }

    /// The member of an object, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Json> {
        match self {
            Self::Object(members) => members.iter_mut().find(|(k, _)| k == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The members of an object; none of anything else.
    pub fn members(&self) -> &[(String, Json)] {
        match self {
            Self::Object(members) => members,
            _ => &[],
        }
    }

    /// The items of an array; none of anything else.
    pub fn items(&self) -> &[Json] {
        match self {
            Self::Array(items) => items,
            _ => &[],
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// A boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// A whole number that is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Number(digits) => digits.parse().ok(),
            _ => None,
        }
    }

    /// The text of a string, number or boolean.
    pub fn scalar(&self) -> Option<String> {
        match self {
            Self::String(text) | Self::Number(text) => Some(text.clone()),
            Self::Bool(b) => Some(b.to_string()),
            _ => None,
        }
    }

    /// The member of a member, named by `get` for each.
    pub fn at(&self, names: &[&str]) -> Option<&Json> {
        names.iter().try_fold(self, |json, name| json.get(name))
    }

    /// Sets a member, in its place or at the end.
    pub fn set(&mut self, name: &str, value: Json) {
        if let Some(slot) = self.get_mut(name) {
            *slot = value;
        } else if let Self::Object(members) = self {
            members.push((name.to_owned(), value));
        }
    }

    /// Takes a member out.
    pub fn remove(&mut self, name: &str) -> Option<Json> {
        match self {
            Self::Object(members) => {
                let at = members.iter().position(|(k, _)| k == name)?;
                Some(members.remove(at).1)
            }
            _ => None,
        }
    }

    /// What a JSON pointer (RFC 6901) names.
    pub fn pointer(&self, pointer: &str) -> Option<&Json> {
        keys(pointer).iter().try_fold(self, |json, name| match json {
            Self::Array(items) => items.get(name.parse::<usize>().ok()?),
            _ => json.get(name),
        })
    }

    /// What a JSON pointer names, to change it.
    pub fn pointer_mut(&mut self, pointer: &str) -> Option<&mut Json> {
        keys(pointer).iter().try_fold(self, |json, name| match json {
            Self::Array(items) => items.get_mut(name.parse::<usize>().ok()?),
            _ => json.get_mut(name),
        })
    }

    /// Sets what a pointer names, and makes the objects on the way. In a list it sets an item that is there, or adds the one behind
    /// the last; a place that a list does not have stays unset.
    ///
    /// ```
    /// use finrail_spec::json::Json;
    ///
    /// let mut json = Json::parse(r#"{"servers":[{"url":"/a"}]}"#)?;
    /// json.set_pointer("/servers/0/url", Json::str("/b"));
    /// json.set_pointer("/servers/1/url", Json::str("/c"));
    /// json.set_pointer("/servers/first/url", Json::str("/d"));
    /// assert_eq!(json.to_string(), r#"{"servers":[{"url":"/b"},{"url":"/c"}]}"#);
    /// # Ok::<(), finrail_spec::json::NotJson>(())
    /// ```
    pub fn set_pointer(&mut self, pointer: &str, value: Json) {
        let names = keys(pointer);
        let Some((last, way)) = names.split_last() else {
            *self = value;
            return;
        };
        let mut here = self;
        for name in way {
            match here.place(name) {
                Some(next) => here = next,
                None => return,
            }
            if !matches!(here, Self::Object(_) | Self::Array(_)) {
                *here = Self::Object(Vec::new());
            }
        }
        if let Some(place) = here.place(last) {
            *place = value;
        }
    }

    /// The member or the item of that name, which is made where it is the next one.
    fn place(&mut self, name: &str) -> Option<&mut Json> {
        match self {
            Self::Array(items) => {
                let at = index(name).filter(|at| *at <= items.len())?;
                if at == items.len() {
                    items.push(Self::Null);
                }
                items.get_mut(at)
            }
            Self::Object(members) => {
                let at = members.iter().position(|(known, _)| known == name);
                let at = at.unwrap_or_else(|| {
                    members.push((name.to_owned(), Self::Null));
                    members.len() - 1
                });
                members.get_mut(at).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// Takes out what a pointer names, an item of a list too.
    pub fn remove_pointer(&mut self, pointer: &str) {
        let names = keys(pointer);
        let Some((last, way)) = names.split_last() else { return };
        let parent = way.iter().try_fold(self, |json, name| match json {
            Self::Array(items) => items.get_mut(index(name)?),
            other => other.get_mut(name),
        });
        match parent {
            Some(Self::Array(items)) => {
                if let Some(at) = index(last).filter(|at| *at < items.len()) {
                    items.remove(at);
                }
            }
            Some(parent) => drop(parent.remove(last)),
            None => {}
        }
    }

    /// Reads it into a type; numbers that are not whole become binary floats on the way.
    ///
    /// # Errors
    ///
    /// What the type is not, in serde's words.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(self.to_value())
    }

    /// The same document for those who look at values and not at digits.
    pub fn to_value(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(*b),
            Self::Number(digits) => serde_json::from_str(digits).unwrap_or(Value::Null),
            Self::String(text) => Value::String(text.clone()),
            Self::Array(items) => items.iter().map(Self::to_value).collect(),
            Self::Object(members) => Value::Object(members.iter().map(|(k, v)| (k.clone(), v.to_value())).collect()),
        }
    }
}

/// The place of an item in a list, as a JSON pointer writes it (RFC 6901 section 4).
fn index(name: &str) -> Option<usize> {
    let is_written_so = name == "0" || !name.starts_with(['0', '+']);
    name.parse().ok().filter(|_| is_written_so)
}

/// The same tree, with the digits that the value still has.
impl From<&serde_json::Value> for Json {
    fn from(value: &serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Number(number) => Self::Number(number.to_string()),
            Value::String(text) => Self::String(text.clone()),
            Value::Array(items) => Self::Array(items.iter().map(Self::from).collect()),
            Value::Object(members) => Self::Object(
                members
                    .iter()
                    .map(|(name, value)| (name.clone(), Self::from(value)))
                    .collect(),
            ),
        }
    }
}

/// What kind of value it is, and never the value: a request may carry a secret.
impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(_) => f.write_str("a boolean"),
            Self::Number(_) => f.write_str("a number"),
            Self::String(_) => f.write_str("a string"),
            Self::Array(items) => write!(f, "an array of {}", items.len()),
            Self::Object(members) => write!(f, "an object of {}", members.len()),
        }
    }
}

impl Json {
    /// The document as people read it: each member on a line, two spaces deep, and a newline at the end.
    #[must_use]
    pub fn to_pretty(&self) -> String {
        let mut text = String::new();
        self.write_pretty(&mut text, 0);
        text.push('\n');
        text
    }

    fn write_pretty(&self, text: &mut String, depth: usize) {
        let line = |text: &mut String, depth: usize| {
            text.push('\n');
            text.extend(std::iter::repeat_n("  ", depth));
        };
        match self {
            Self::Array(items) if !items.is_empty() => {
                for (n, item) in items.iter().enumerate() {
                    text.push(if n == 0 { '[' } else { ',' });
                    line(text, depth + 1);
                    item.write_pretty(text, depth + 1);
                }
                line(text, depth);
                text.push(']');
            }
            Self::Object(members) if !members.is_empty() => {
                for (n, (name, value)) in members.iter().enumerate() {
                    text.push(if n == 0 { '{' } else { ',' });
                    line(text, depth + 1);
                    text.push_str(&Self::str(name.as_str()).to_string());
                    text.push_str(": ");
                    value.write_pretty(text, depth + 1);
                }
                line(text, depth);
                text.push('}');
            }
            other => text.push_str(&other.to_string()),
        }
    }
}

/// Writes the document, in one line.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Number(digits) => f.write_str(digits),
            Self::String(text) => quote(f, text),
            Self::Array(items) => {
                f.write_str("[")?;
                for (n, item) in items.iter().enumerate() {
                    if n > 0 {
                        f.write_str(",")?;
                    }
                    write!(f, "{item}")?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (n, (name, value)) in members.iter().enumerate() {
                    if n > 0 {
                        f.write_str(",")?;
                    }
                    quote(f, name)?;
                    write!(f, ":{value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

fn quote(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str(&serde_json::Value::from(text).to_string())
}

/// Reads one level, and each value below it from its own text.
fn read(raw: &RawValue, depth: usize) -> Result<Json, NotJson> {
    if depth > MAX_DEPTH {
        return Err(NotJson);
    }
    let text = raw.get();
    Ok(match text.as_bytes().first() {
        Some(b'n') => Json::Null,
        Some(b't') => Json::Bool(true),
        Some(b'f') => Json::Bool(false),
        Some(b'"') => Json::String(serde_json::from_str(text).map_err(|_| NotJson)?),
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str::<Items<'_>>(text).map_err(|_| NotJson)?.0;
            Json::Array(
                items
                    .into_iter()
                    .map(|v| read(v, depth + 1))
                    .collect::<Result<_, _>>()?,
            )
        }
        Some(b'{') => {
            let members = serde_json::from_str::<Members<'_>>(text).map_err(|_| NotJson)?.0;
            let mut seen = HashSet::new();
            let mut object = Vec::with_capacity(members.len());
            for (name, value) in members {
                if !seen.insert(name.clone()) {
                    return Err(NotJson);
                }
                object.push((name, read(value, depth + 1)?));
            }
            Json::Object(object)
        }
        Some(_) => Json::Number(text.to_owned()),
        None => return Err(NotJson),
    })
}

struct Items<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Items<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Items(items))
            }
        }
        deserializer.deserialize_seq(Read)
    }
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::Json;

    #[test]
    fn a_pretty_text_is_the_same_document_digit_for_digit() {
        let document = Json::parse(r#"{"a":[],"b":{},"c":[1.10,{"d":"x\"y"}],"e":null}"#).unwrap();
        let pretty = document.to_pretty();
        assert_eq!(
            pretty,
            "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    1.10,\n    {\n      \"d\": \"x\\\"y\"\n    }\n  ],\n  \"e\": null\n}\n"
        );
        assert_eq!(Json::parse(&pretty).ok(), Some(document));
    }

    #[test]
    fn digits_order_and_escapes_survive() {
        for text in [
            r#"{"z":12345678901234567.89,"a":[1.10,-0,1e400,true,null],"q\"\\":"é\n"}"#,
            "[]",
            "{}",
            "null",
            r#""""#,
        ] {
            let json = Json::parse(text).map(|json| json.to_string());
            assert_eq!(json.ok().as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let deep = "[".repeat(5000) + &"]".repeat(5000);
        for text in ["", "{", "{\"a\":}", "nul", "[1,]", "01", "{\"a\":1,\"a\":2}", &deep] {
            assert!(Json::parse(text).is_err(), "{}", &text[..text.len().min(10)]);
        }
    }

    #[test]
    fn pointers_make_the_way() {
        let mut json = Json::Object(Vec::new());
        json.set_pointer("/a/b~1c", Json::int(1));
        assert_eq!(json.to_string(), r#"{"a":{"b/c":1}}"#);
        assert!(json.pointer("/a/b~1c") == Some(&Json::int(1)));
        json.remove_pointer("/a/b~1c");
        assert_eq!(json.to_string(), r#"{"a":{}}"#);
    }
}
