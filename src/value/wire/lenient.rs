//! Booleans, texts, lists and maps in every form that providers are known to send.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serializer};
use serde_json::value::RawValue;

use super::scalar::{Scalar, scalar};
use crate::value::decode::{below, decode_part, decode_part_described};
use crate::value::fields::Fields;

/// A boolean, whatever form it came in: `true`, `1`, `"1"`, `"true"`.
pub mod lenient_bool {
    use super::*;

    fn read(text: &str) -> Option<bool> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "y" | "yes" => Some(true),
            "false" | "0" | "n" | "no" | "" => Some(false),
            _ => None,
        }
    }

    /// Writes a JSON boolean.
    ///
    /// # Errors
    ///
    /// As the serializer.
    pub fn serialize<S: Serializer>(value: &bool, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(*value)
    }

    /// Reads a boolean in any of its forms.
    ///
    /// # Errors
    ///
    /// When it is none of them.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
        option::deserialize(deserializer)?.ok_or_else(|| D::Error::custom("expected a boolean, 0 or 1"))
    }

    /// The same for a value that may be absent.
    pub mod option {
        use super::*;

        /// Writes a JSON boolean, or `null`.
        ///
        /// # Errors
        ///
        /// As the serializer.
        #[allow(clippy::ref_option)]
        pub fn serialize<S: Serializer>(value: &Option<bool>, serializer: S) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => serializer.serialize_bool(*value),
                None => serializer.serialize_none(),
            }
        }

        /// Reads a boolean in any of its forms, or `null`.
        ///
        /// # Errors
        ///
        /// When it is none of them.
        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
            match scalar(deserializer, "a boolean, 0 or 1")? {
                Scalar::Null => Ok(None),
                Scalar::Text(text) | Scalar::Bare(text) => read(&text)
                    .map(Some)
                    .ok_or_else(|| D::Error::custom("expected a boolean, 0 or 1")),
            }
        }
    }
}

/// A text, whatever form it came in: a number or a boolean is its own text.
pub mod lenient_string {
    use super::*;

    /// Writes a JSON string.
    ///
    /// # Errors
    ///
    /// As the serializer.
    pub fn serialize<S: Serializer>(value: &str, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(value)
    }

    /// Reads a string, a number or a boolean.
    ///
    /// # Errors
    ///
    /// When it is a list, an object or `null`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        option::deserialize(deserializer)?.ok_or_else(|| D::Error::custom("expected a text"))
    }

    /// The same for a value that may be absent.
    pub mod option {
        use super::*;

        /// Writes a JSON string, or `null`.
        ///
        /// # Errors
        ///
        /// As the serializer.
        #[allow(clippy::ref_option)]
        pub fn serialize<S: Serializer>(value: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => serializer.serialize_str(value),
                None => serializer.serialize_none(),
            }
        }

        /// Reads a string, a number, a boolean or `null`.
        ///
        /// # Errors
        ///
        /// When it is a list or an object.
        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
            match scalar(deserializer, "a text")? {
                Scalar::Null => Ok(None),
                Scalar::Text(text) | Scalar::Bare(text) => Ok(Some(text)),
            }
        }
    }
}

/// Reads `null` as the empty value: an empty list, an empty map.
///
/// # Errors
///
/// As the type itself.
pub fn null_as_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads a list in the forms that providers are known to use: a list, a list
/// of lists, an object of lists (one after the other), a single object, `null`.
///
/// # Errors
///
/// When it is none of them, or an item does not fit.
pub fn lenient_array<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let wrong =
        |place: &str, inside: &str, reason: &str| D::Error::custom(format!("at `{}`: {reason}", below(place, inside)));
    // A list of objects, as it nearly always is.
    if raw.get().starts_with('[')
        && let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(raw.get())
        && !items.iter().any(|item| item.get().starts_with('['))
    {
        let mut read = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let decoded = decode_part(item.get());
            read.push(decoded.map_err(|(inside, reason)| wrong(&format!("[{index}]"), &inside, &reason))?);
        }
        return Ok(read);
    }
    let Listed { items, alone } = listed(raw.get()).map_err(D::Error::custom)?;
    let mut read = Vec::with_capacity(items.len());
    for (place, item) in items {
        if item.starts_with('[') {
            let reason = match place.to_string().as_str() {
                "" => "expected a list".to_owned(),
                place => format!("at `{place}`: expected an object"),
            };
            return Err(D::Error::custom(reason));
        }
        let decoded = match alone {
            true => decode_part_described(item),
            false => decode_part(item),
        };
        read.push(decoded.map_err(|(inside, reason)| wrong(&place.to_string(), &inside, &reason))?);
    }
    Ok(read)
}

/// The items of what a lenient list is read from.
pub(crate) struct Listed<'a> {
    /// Each with its place in it, in order. One that begins with `[` is no item: it stands where an object was expected.
    pub items: Vec<(Place, &'a str)>,
    /// It is a single object in place of a list, which nothing but its fields shows to be an item.
    pub alone: bool,
}

/// Where an item stands in what a lenient list is read from. It is written out where it is told, and nowhere else.
#[derive(Clone)]
pub(crate) struct Place {
    /// The list that it stands in.
    list: Rc<str>,
    index: Option<usize>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.list)?;
        match self.index {
            Some(index) => write!(f, "[{index}]"),
            None => Ok(()),
        }
    }
}

/// Takes a list apart, in whatever form it came. A key of an object of lists may be an account's number, and is in no place.
///
/// # Errors
///
/// When it is neither a list, nor an object, nor `null`.
pub(crate) fn listed(text: &str) -> Result<Listed<'_>, &'static str> {
    const NO_LIST: &str = "expected a list";

    fn of_list<'a>(text: &'a str, at: &str, items: &mut Vec<(Place, &'a str)>) -> Result<(), &'static str> {
        // What serde says may quote a value, here and below.
        let inner: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| NO_LIST)?;
        // Among objects, a list stands for an object that nobody can read, and is not dropped as a list without items.
        let of_lists = inner.iter().all(|item| item.get().starts_with('['));
        let list: Rc<str> = Rc::from(at);
        items.reserve(inner.len());
        for (index, item) in inner.into_iter().enumerate() {
            if item.get().starts_with('[') && (of_lists || item.get() != "[]") {
                of_list(item.get(), &format!("{at}[{index}]"), items)?;
            } else {
                let list = Rc::clone(&list);
                let place = Place {
                    list,
                    index: Some(index),
                };
                items.push((place, item.get()));
            }
        }
        Ok(())
    }

    let mut items = Vec::new();
    match text.as_bytes().first() {
        Some(b'n') => {}
        Some(b'[') => of_list(text, "", &mut items)?,
        Some(b'{') => {
            let members = serde_json::from_str::<Fields<&RawValue>>(text).map_err(|_| NO_LIST)?.0;
            let is_named = |name: &str| matches!(name, "booked" | "pending");
            let is_list = |value: &RawValue| value.get().starts_with('[');
            let is_null = |value: &RawValue| value.get() == "null";
            // `{"booked": null, "pending": null}` and `{}` are empty lists.
            if members.iter().all(|(_, value)| is_null(value)) {
                return Ok(Listed { items, alone: false });
            }
            let counts = |name: &str| matches!(name, "total" | "count");
            let named = members.iter().any(|(name, value)| is_named(name) && !is_null(value));
            let by_key = members
                .iter()
                .all(|(name, value)| is_list(value) || is_null(value) || counts(name));
            let of_lists = named || by_key && members.iter().any(|(_, value)| is_list(value));
            if !of_lists {
                return Ok(Listed {
                    items: vec![(
                        Place {
                            list: Rc::from(""),
                            index: None,
                        },
                        text,
                    )],
                    alone: true,
                });
            }
            for (name, value) in &members {
                let place = if is_named(name) { name.as_str() } else { "{}" };
                if is_list(value) {
                    of_list(value.get(), place, &mut items)?;
                } else if is_named(name) && !is_null(value) {
                    let list = Rc::from(place);
                    items.push((Place { list, index: None }, value.get()));
                }
            }
        }
        _ => return Err(NO_LIST),
    }
    Ok(Listed { items, alone: false })
}

/// Reads an object whose keys are the provider's or the user's own. No error names such a key.
///
/// # Errors
///
/// When it is neither an object nor `null`, or a value does not fit.
pub fn map<'de, T, D>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    if raw.get() == "null" {
        return Ok(BTreeMap::new());
    }
    let fields: Fields = serde_json::from_str(raw.get()).map_err(|_| D::Error::custom("expected an object"))?;
    let entries = fields.0.into_iter();
    entries
        .map(|(key, raw)| Ok((key, part(&raw, || "{}".to_owned())?)))
        .collect()
}

/// Reads a part that was kept as text. Its path goes into the error, because whoever reads the whole sees only
/// where the part is: [`decode`](super::decode::decode) puts the two together.
fn part<T: DeserializeOwned, E: serde::de::Error>(raw: &RawValue, at: impl FnOnce() -> String) -> Result<T, E> {
    decode_part(raw.get()).map_err(|(inside, reason)| {
        let path = below(&at(), &inside);
        E::custom(format!("at `{path}`: {reason}"))
    })
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::value::Decimal;
    use crate::value::wire::decimal_number;

    #[derive(Debug, Deserialize, PartialEq)]
    struct List {
        #[serde(default, deserialize_with = "lenient_array")]
        items: Vec<Item>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Item {
        #[serde(with = "decimal_number")]
        n: Decimal,
    }

    #[test]
    fn lists_are_read_from_every_form_that_providers_use() {
        for (form, expected) in [
            (r#"{"items":[{"n":1},{"n":2}]}"#, 2),
            (r#"{"items":[[{"n":1},{"n":2}],[{"n":3}]]}"#, 3),
            (r#"{"items":{"booked":[{"n":1}],"pending":[{"n":2}],"total":2}}"#, 2),
            (r#"{"items":{"n":1}}"#, 1),
            (r#"{"items":{"booked":null}}"#, 0),
            (r#"{"items":null}"#, 0),
            (r#"{"items":{}}"#, 0),
            (r#"{"items":{"booked":{"n":1},"pending":[]}}"#, 1),
            (r#"{"items":{"booked":[{"n":1}],"pending":{"n":2}}}"#, 2),
            (
                r#"{"items":{"booked":{"n":1},"pending":{"n":2},"_links":{"next":"x"}}}"#,
                2,
            ),
            (r#"{"items":{"n":1,"tags":[]}}"#, 1),
            (r#"{"items":{"123":[{"n":1}],"456":[],"total":1}}"#, 1),
            (r#"{"items":[[],[{"n":1}],[]]}"#, 1),
            (r#"{"items":[]}"#, 0),
            (r"{}", 0),
        ] {
            let list: List = serde_json::from_str(form).unwrap_or_else(|e| panic!("{form}: {e}"));
            assert_eq!(list.items.len(), expected, "{form}");
        }
        for wrong in [
            r#"{"items":7}"#,
            r#"{"items":[{"n":1},[]]}"#,
            r#"{"items":[[],{"n":1}]}"#,
            r#"{"items":[{"n":1},null]}"#,
            r#"{"items":[null]}"#,
            r#"{"items":{"error":"x"}}"#,
            r#"{"items":{"booked":7}}"#,
            r#"{"items":{"booked":"x","pending":[]}}"#,
        ] {
            assert!(serde_json::from_str::<List>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_part_that_does_not_fit_is_found_by_its_path_and_no_key_of_a_map_is_told() {
        #[derive(Debug, Deserialize)]
        struct Deep {
            #[serde(default, deserialize_with = "lenient_array")]
            #[allow(dead_code)]
            items: Vec<Entry>,
        }

        #[derive(Debug, Deserialize)]
        struct Entry {
            #[serde(default, deserialize_with = "map")]
            #[allow(dead_code)]
            notes: BTreeMap<String, Item>,
            #[serde(default, deserialize_with = "lenient_array")]
            #[allow(dead_code)]
            lines: Vec<Item>,
        }
        for (text, place) in [
            (r#"{"items":[{"lines":[{"n":1},{"n":"x"}]}]}"#, "items[0].lines[1].n"),
            (
                r#"{"items":[[{}],[{"lines":[[{"n":"x"}]]}]]}"#,
                "items[1][0].lines[0][0].n",
            ),
            (
                r#"{"items":{"booked":[{},{"lines":{"n":"x"}}]}}"#,
                "items.booked[1].lines.n",
            ),
            (r#"{"items":{"secret":[{"lines":{"n":"x"}}]}}"#, "items.{}[0].lines.n"),
            (r#"{"items":[{"notes":{"secret":{"n":"x"}}}]}"#, "items[0].notes.{}.n"),
            (r#"{"items":[{"notes":{"secret":7}}]}"#, "items[0].notes.{}"),
            (r#"{"items":[{"notes":["secret"]}]}"#, "items[0].notes"),
            (r#"{"items":[7]}"#, "items[0]"),
        ] {
            let problem = crate::value::decode::decode::<Deep>(text.as_bytes()).unwrap_err();
            let crate::value::decode::Undecodable { path, reason } = problem;
            assert_eq!(path, place, "{text}: {reason}");
            assert!(
                reason.starts_with("expected ") && !reason.contains("secret"),
                "{text}: {reason}"
            );
        }
    }

    #[test]
    fn booleans_are_read_from_every_form_that_providers_use() {
        #[derive(Debug, Deserialize)]
        struct Flag {
            #[serde(default, with = "lenient_bool::option")]
            on: Option<bool>,
        }
        #[derive(Debug, Deserialize)]
        struct Set {
            #[serde(with = "lenient_bool")]
            on: bool,
        }
        for (form, expected) in [
            ("true", Some(true)),
            ("0", Some(false)),
            ("1", Some(true)),
            ("\"1\"", Some(true)),
            ("\"\"", Some(false)),
            ("\" Yes \"", Some(true)),
            ("\"n\"", Some(false)),
            ("null", None),
        ] {
            let text = format!(r#"{{"on":{form}}}"#);
            assert_eq!(serde_json::from_str::<Flag>(&text).unwrap().on, expected, "{form}");
            let set = serde_json::from_str::<Set>(&text).ok().map(|set| set.on);
            assert_eq!(set, expected, "{form}");
        }
        for form in ["\"maybe\"", "2", "[]", "{}"] {
            let text = format!(r#"{{"on":{form}}}"#);
            assert!(serde_json::from_str::<Flag>(&text).is_err(), "{form}");
            assert!(serde_json::from_str::<Set>(&text).is_err(), "{form}");
        }
    }

    #[test]
    fn texts_are_read_from_every_scalar_digit_for_digit() {
        #[derive(Debug, Deserialize)]
        struct Maybe {
            #[serde(default, with = "lenient_string::option")]
            text: Option<String>,
        }
        #[derive(Debug, Deserialize)]
        struct Set {
            #[serde(with = "lenient_string")]
            text: String,
        }
        for (form, expected) in [
            ("\"a\\nb\"", Some("a\nb")),
            ("\"\"", Some("")),
            ("12345678901234567890.10", Some("12345678901234567890.10")),
            ("true", Some("true")),
            ("null", None),
        ] {
            let text = format!(r#"{{"text":{form}}}"#);
            assert_eq!(serde_json::from_str::<Maybe>(&text).unwrap().text.as_deref(), expected);
            let set = serde_json::from_str::<Set>(&text).ok().map(|set| set.text);
            assert_eq!(set.as_deref(), expected);
        }
        for form in ["[]", "{}"] {
            assert!(serde_json::from_str::<Maybe>(&format!(r#"{{"text":{form}}}"#)).is_err());
        }
    }

    #[test]
    fn what_is_read_in_any_form_is_written_in_the_described_one() {
        #[derive(Serialize, Deserialize)]
        struct All {
            #[serde(with = "lenient_bool")]
            flag: bool,
            #[serde(with = "lenient_bool::option")]
            maybe_flag: Option<bool>,
            #[serde(with = "lenient_string")]
            text: String,
            #[serde(with = "lenient_string::option")]
            maybe_text: Option<String>,
        }
        for (read, written) in [
            (
                r#"{"flag":"y","maybe_flag":0,"text":7,"maybe_text":8}"#,
                r#"{"flag":true,"maybe_flag":false,"text":"7","maybe_text":"8"}"#,
            ),
            (
                r#"{"flag":"no","maybe_flag":null,"text":false,"maybe_text":null}"#,
                r#"{"flag":false,"maybe_flag":null,"text":"false","maybe_text":null}"#,
            ),
        ] {
            let all: All = serde_json::from_str(read).unwrap();
            assert_eq!(serde_json::to_string(&all).unwrap(), written);
        }
    }

    #[test]
    fn null_is_an_empty_list_or_map_and_a_map_keeps_its_keys() {
        #[derive(Debug, Deserialize)]
        struct Parts {
            #[serde(deserialize_with = "null_as_default")]
            list: Vec<u8>,
            #[serde(deserialize_with = "map")]
            map: BTreeMap<String, Item>,
        }
        let parts: Parts = serde_json::from_str(r#"{"list":null,"map":null}"#).unwrap();
        assert!(parts.list.is_empty() && parts.map.is_empty());
        let parts: Parts = serde_json::from_str(r#"{"list":[1,2],"map":{"b":{"n":2},"a":{"n":1}}}"#).unwrap();
        assert_eq!(parts.list, [1, 2]);
        let map: Vec<_> = parts
            .map
            .iter()
            .map(|(key, item)| format!("{key} {}", item.n))
            .collect();
        assert_eq!(map, ["a 1", "b 2"]);
    }
}
