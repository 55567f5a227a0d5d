//! Booleans, texts, lists and maps in every form that providers are known to send.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serializer};
use serde_json::value::RawValue;

use super::scalar::{Scalar, scalar};
use crate::value::Json;
use crate::value::canary::{self, Unmodelled};
use crate::value::decode::{below, decode_part, decode_part_described};
use crate::value::error_in_success::{error_beside, error_of_no_items, is_of_an_error, may_tell};
use crate::value::fields::{EACH_ONCE, Fields};
use crate::value::next_page::{may_name_next, names_next};
use crate::value::objects::in_place;

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
/// of lists, an object of lists (one after the other), a map from indices to items, a single object, `null`. An object
/// with fields of which its type describes none is no item.
///
/// # Errors
///
/// When it is none of them, or an item does not fit.
pub fn lenient_array<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let deserializer = match in_place(deserializer) {
        Ok(read) => return read,
        Err(deserializer) => deserializer,
    };
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
            let decoded = decode_part_described(item.get());
            read.push(decoded.map_err(|(inside, reason)| wrong(&format!("[{index}]"), &inside, &reason))?);
        }
        return Ok(read);
    }
    let items = listed(raw.get()).map_err(D::Error::custom)?;
    let mut read = Vec::with_capacity(items.len());
    for (place, item) in items {
        if item.starts_with('[') {
            let reason = match place.to_string().as_str() {
                "" => "expected a list".to_owned(),
                place => format!("at `{place}`: expected an object"),
            };
            return Err(D::Error::custom(reason));
        }
        let decoded = decode_part_described(item);
        read.push(decoded.map_err(|(inside, reason)| wrong(&place.to_string(), &inside, &reason))?);
    }
    Ok(read)
}

/// Where an item stands in what a lenient list is read from. It is written out where it is told, and nowhere else.
#[derive(Clone)]
pub(crate) struct Place {
    /// The list that it stands in.
    list: Rc<str>,
    index: Option<usize>,
}

impl Place {
    pub(crate) fn of_item(list: &Rc<str>, index: usize) -> Self {
        let list = Rc::clone(list);
        let index = Some(index);
        Self { list, index }
    }
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

/// Members of an object in place of a list that are lists of its items: those of a report of an account in the Berlin Group's
/// framework. Where one of them is there, what else stands in the object is none of the items.
const LISTS_OF_A_REPORT: &[&str] = &["booked", "pending", "information"];

/// How deep lists are looked for in lists.
const MOST_LISTS: usize = 4;

const NO_LIST: &str = "expected a list";
const NEXT_INSIDE: &str = "expected the link to the next page beside the list, and it stands in it";

/// Takes a list apart, in whatever form it came: each item with its place in it, in order. One that begins with `[` is no
/// item: it stands where an object was expected. A key of an object of lists may be an account's number, and is in no place.
///
/// # Errors
///
/// When it is neither a list, nor an object, nor `null`.
pub(crate) fn listed(text: &str) -> Result<Vec<(Place, &str)>, &'static str> {
    let mut items = Vec::new();
    match text.as_bytes().first() {
        Some(b'n') => {}
        Some(b'[') => of_list(text, "", &mut items, 1)?,
        Some(b'{') => of_object(text, &mut items)?,
        _ => return Err(NO_LIST),
    }
    Ok(items)
}

fn of_list<'a>(text: &'a str, at: &str, items: &mut Vec<(Place, &'a str)>, depth: usize) -> Result<(), &'static str> {
    if depth > MOST_LISTS {
        return Err(NO_LIST);
    }
    // What serde says may quote a value, here and below.
    let inner: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| NO_LIST)?;
    // Among objects, and where all are so, a list without items stands for an object that nobody can read, and is not dropped.
    let is_list = |item: &RawValue| item.get().starts_with('[');
    let of_lists = inner.iter().all(|item| is_list(item)) && !inner.iter().all(|item| has_no_items(item));
    let list: Rc<str> = Rc::from(at);
    items.reserve(inner.len());
    for (index, item) in inner.into_iter().enumerate() {
        if item.get().starts_with('[') && (of_lists || !has_no_items(item)) {
            of_list(item.get(), &format!("{at}[{index}]"), items, depth + 1)?;
        } else {
            items.push((Place::of_item(&list, index), item.get()));
        }
    }
    Ok(())
}

fn has_no_items(list: &RawValue) -> bool {
    let inside = list.get().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inside.is_some_and(|inside| inside.trim().is_empty())
}

fn of_object<'a>(text: &'a str, items: &mut Vec<(Place, &'a str)>) -> Result<(), &'static str> {
    let members = members_of(text)?;
    let is_named = |name: &str| LISTS_OF_A_REPORT.contains(&name);
    let is_list = |value: &RawValue| value.get().starts_with('[');
    let is_null = |value: &RawValue| value.get() == "null";
    let is_report = members.iter().any(|(name, value)| is_named(name) && !is_null(value));
    let by_key = members
        .iter()
        .all(|(name, value)| is_list(value) || is_null(value) || is_count(name));
    if is_report {
        for (name, value) in &members {
            match is_named(name) {
                true if is_list(value) => of_list(value.get(), name, items, 1)?,
                true if is_null(value) => {}
                true => of_one(value.get(), name, items)?,
                false if is_null(value) || is_count(name) => {}
                false => canary::note(Unmodelled::Field, || name.clone()),
            }
        }
    } else if by_key && members.iter().any(|(_, value)| is_list(value)) {
        for (_, value) in members.iter().filter(|(_, value)| is_list(value)) {
            of_list(value.get(), "{}", items, 1)?;
        }
    } else if !members.iter().all(|(_, value)| is_null(value)) {
        // `{"booked": null, "pending": null}` and `{}` are empty lists.
        of_one(text, "", items)?;
    }
    // Nobody would follow it, and the list would seem to be whole.
    if is_report && members.iter().any(|(name, _)| may_name_next(name, None)) {
        let members = members.iter().map(|(name, value)| (name.as_str(), (*value).to_owned()));
        if names_next(&members.collect(), LISTS_OF_A_REPORT) {
            return Err(NEXT_INSIDE);
        }
    }
    match has_an_error(&members, is_report, !items.is_empty()) {
        true => Err(NO_LIST),
        false => Ok(()),
    }
}

/// Whether an object in place of a list has an error in the stead of items; beside the lists of a report, one that says
/// something.
fn has_an_error(members: &[(String, &RawValue)], is_report: bool, has_items: bool) -> bool {
    if !is_report {
        return !has_items && members.iter().any(|(name, _)| is_of_an_error(name));
    }
    if has_items && !members.iter().any(|(name, _)| may_tell(name)) {
        return false;
    }
    let members = members.iter().map(|(name, value)| (name.as_str(), (*value).to_owned()));
    let told = match has_items {
        true => error_beside(&members.collect(), LISTS_OF_A_REPORT),
        false => error_of_no_items(&members.collect(), LISTS_OF_A_REPORT, &[], true),
    };
    told.is_some()
}

/// An object in place of a list: a list that was written as a map from its indices to its items, as PHP does with one
/// from which an item was removed, or else a single item.
fn of_one<'a>(text: &'a str, at: &str, items: &mut Vec<(Place, &'a str)>) -> Result<(), &'static str> {
    let place = |list: &str| Place {
        list: Rc::from(list),
        index: None,
    };
    let Some(mut by_index) = by_index(text)? else {
        items.push((place(at), text));
        return Ok(());
    };
    by_index.sort_by_key(|(index, _)| *index);
    let place = place(&below(at, "{}"));
    items.extend(by_index.into_iter().map(|(_, item)| (place.clone(), item)));
    Ok(())
}

fn by_index(text: &str) -> Result<Option<Vec<(u64, &str)>>, &'static str> {
    if !text.starts_with('{') {
        return Ok(None);
    }
    let of_index = |(name, value): &(String, &RawValue)| {
        let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        value.get().starts_with('{') && is_number && name.parse::<u64>().is_ok()
    };
    let mut members = members_of(text)?;
    let says_some = members.iter().any(|(name, value)| is_count(name) && is_positive(value));
    members.retain(|(name, value)| !is_count(name) || value.get().starts_with('{'));
    // It says that there are some, and has none.
    if members.is_empty() && says_some {
        return Err(NO_LIST);
    }
    if !members.iter().all(of_index) {
        return Ok(None);
    }
    let items = members.into_iter();
    Ok(Some(
        items
            .filter_map(|(name, value)| Some((name.parse().ok()?, value.get())))
            .collect(),
    ))
}

fn is_positive(value: &RawValue) -> bool {
    let number = Json::from(value.to_owned()).decimal();
    number.is_some_and(|number| number.is_sign_positive() && !number.is_zero())
}

/// Whether a member tells how many items there are.
fn is_count(name: &str) -> bool {
    matches!(name, "total" | "count")
}

fn members_of(text: &str) -> Result<Vec<(String, &RawValue)>, &'static str> {
    // It is JSON, and an object.
    let fields = serde_json::from_str::<Fields<&RawValue>>(text).map_err(|_| EACH_ONCE)?;
    Ok(fields.0)
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
    let fields: Fields = serde_json::from_str(raw.get()).map_err(|_| D::Error::custom(EACH_ONCE))?;
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

    #[test]
    fn beside_the_lists_of_a_report_what_counts_or_is_nothing_is_not_noted() {
        let text = r#"{"booked":[1],"pending":null,"total":1,"count":1,"next":null,"new":1}"#;
        let read = canary::watch("bank", "beside_lists", |_| false, || listed(text));
        assert_eq!(read.map(|items| items.len()), Ok(1));
        let sightings = canary::sightings();
        let seen = sightings.iter().filter(|seen| seen.operation == "beside_lists");
        assert_eq!(seen.map(|seen| seen.place.as_str()).collect::<Vec<_>>(), ["new"]);
    }

    #[test]
    fn links_in_a_report_that_may_lead_on_are_refused_and_those_that_lead_nowhere_are_its_end() {
        for (links, is_refused) in [
            (r#"{"next":{"href":"/x"}}"#, true),
            (r#"{"next":"/x"}"#, true),
            (r#"{"next":{"href":"/x"},"next":{"href":"/y"}}"#, true),
            (r#"{"next":null,"next":{"href":"/y"}}"#, true),
            (r#"{"a":1,"a":2,"next":null}"#, true),
            (r#"{"next":{"href":"","href":"/y"}}"#, true),
            (r#"{"next":{"other":"/x"}}"#, true),
            (r#"[{"rel":"next","href":"/x"}]"#, true),
            (r#"[{"href":"/x"}]"#, false),
            (r#"["/x"]"#, false),
            (r#""/x""#, false),
            ("7", false),
            (r#"[{"rel":"Next","href":"/x"}]"#, true),
            (r#"[{"rel":"next last","href":"/x"}]"#, true),
            (r#"[{"Rel":"self","href":"/x"},{"REL":"NEXT","href":"/y"}]"#, true),
            (r#"[{"rel":["next"],"href":"/x"}]"#, true),
            (r#"{"Next":{"href":"/x"}}"#, true),
            (r#"{"NEXT":"/x"}"#, true),
            (r#"{"next":{"href":null,"url":"/x"}}"#, true),
            (r#"[{"rel":"self nextish","href":"/x"}]"#, false),
            (r#"[{"rel":"self","href":"/x"}]"#, false),
            (r#"[{"rel":"next","href":null}]"#, false),
            (r#"{"account":{"href":"/a"}}"#, false),
            (r#"{"next":{"href":""}}"#, false),
            (r#"{"next":{"href":null,"templated":false}}"#, false),
            (r#"{"next":" "}"#, false),
            (r#"{"next":[]}"#, false),
            (r#"{"next":false}"#, false),
            (r#"{"next":{ }}"#, false),
            (r#"{"next":null}"#, false),
            ("{}", false),
            ("[ ]", false),
            (r#"" ""#, false),
            ("null", false),
            ("false", false),
        ] {
            let text = format!(r#"{{"booked":[1],"_links":{links}}}"#);
            let read = listed(&text).map(|items| items.len());
            assert_eq!(read, if is_refused { Err(NEXT_INSIDE) } else { Ok(1) }, "{links}");
        }
    }

    #[test]
    fn so_are_those_under_another_name() {
        for (beside, is_refused) in [
            (r#""links":{"next":"/x"}"#, true),
            (r#""Links":[{"rel":"next","href":"/x"}]"#, true),
            (r#""next":{"href":"/x"}"#, true),
            (r#""paging":{"next":2}"#, true),
            (r#""metadata":{"links":{"next":"/x"}}"#, true),
            (r#""hasMore":true"#, true),
            (r#""hasMore":false"#, false),
            (r#""number":1,"totalPages":2,"links":{"next":"/x"}"#, true),
            (r#""number":1,"totalPages":2,"_links":{"next":{"href":"/x"}}"#, true),
            (r#""pagination":{"page":1,"totalPages":9}"#, true),
            (r#""currentPage":1,"lastPage":2"#, true),
            (r#""isTruncated":true"#, true),
            (r#""links":[{"href":"/x","type":"account"}]"#, false),
            (r#""links":{"self":"/x"}"#, false),
            (r#""links":"/x","page":1,"paging":[2]"#, false),
        ] {
            let text = format!(r#"{{"booked":[1],{beside}}}"#);
            let read = listed(&text).map(|items| items.len());
            assert_eq!(read, if is_refused { Err(NEXT_INSIDE) } else { Ok(1) }, "{beside}");
        }
    }

    #[test]
    fn an_error_and_a_count_of_items_that_are_not_there_are_no_list() {
        for (text, items) in [
            (r#"{"errors":[]}"#, None),
            (r#"{"error":null}"#, None),
            (r#"{"errors":[1]}"#, Some(1)),
            (r#"{"total":5}"#, None),
            (r#"{"count":"5","total":0}"#, None),
            (r#"{"booked":[],"error":"x"}"#, None),
            (r#"{"booked":[],"success":false}"#, None),
            (r#"{"booked":[],"status":500}"#, None),
            (r#"{"booked":[],"code":"X","message":"x"}"#, None),
            (r#"{"booked":[],"tppMessages":[{"category":"ERROR"}]}"#, None),
            (r#"{"booked":[],"tppMessages":[{"category":"WARNING"}]}"#, Some(0)),
            (r#"{"booked":[{}],"status":500}"#, None),
            (r#"{"booked":[{}],"meta":{"errors":[1]}}"#, None),
            (r#"{"booked":[{}],"error":null,"status":200}"#, Some(1)),
            (r#"{"booked":[],"title":"Movements","code":"M1"}"#, Some(0)),
            (r#"{"booked":[],"meta":{"title":"Movements"}}"#, Some(0)),
            (r#"{"booked":[],"result":{"message":"no movements"}}"#, Some(0)),
            (r#"{"booked":[],"errorCode":"0"}"#, Some(0)),
            (r#"{"booked":[],"message":"there are none"}"#, Some(0)),
            (r#"{"total":0}"#, Some(0)),
            (r#"{"total":null}"#, Some(0)),
            (r#"{"total":1,"1":{}}"#, Some(1)),
            (r#"{"booked":[],"total":5}"#, Some(0)),
            (r#"{"booked":[],"error":null}"#, Some(0)),
            (r#"{"booked":null,"pending":null}"#, Some(0)),
        ] {
            assert_eq!(listed(text).map(|items| items.len()).ok(), items, "{text}");
        }
    }

    #[test]
    fn what_is_no_plain_index_is_the_name_of_a_field() {
        let read = |text| listed(text).map(|items| items.len());
        assert_eq!(read(r#"{"1":{},"20":{}}"#), Ok(2));
        for text in [r#"{"1":{},"+2":{}}"#, r#"{"1":{},"":{}}"#, r#"{"1":{},"2x":{}}"#] {
            assert_eq!(read(text), Ok(1), "{text}");
        }
    }

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
                r#"{"items":{"booked":{"n":1},"pending":{"n":2},"_links":{"next":null,"self":"x"}}}"#,
                2,
            ),
            (r#"{"items":{"n":1,"tags":[]}}"#, 1),
            // The links of one item lead to no other page.
            (r#"{"items":{"n":1,"_links":{"next":"x"}}}"#, 1),
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
            r#"{"items":{"booked":[{"n":1}],"_links":{"next":"x"}}}"#,
            r#"{"items":[{"n":1},[]]}"#,
            r#"{"items":[[],{"n":1}]}"#,
            r#"{"items":[{"n":1},[ ]]}"#,
            r#"{"items":[[]]}"#,
            r#"{"items":[[ ]]}"#,
            r#"{"items":[[],[]]}"#,
            r#"{"items":[[[]],[{"n":1}]]}"#,
            r#"{"items":{"booked":[[]]}}"#,
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
    fn neither_lists_in_lists_nor_parts_in_parts_go_on_without_end() {
        #[derive(Debug, Deserialize)]
        struct Node {
            #[serde(default, deserialize_with = "lenient_array")]
            nodes: Vec<Node>,
        }

        let decode = |text: &str| crate::value::decode::decode::<Node>(text.as_bytes());
        let nested = |depth: usize| format!("{}{}", r#"{"nodes":["#.repeat(depth), "]}".repeat(depth));
        assert_eq!(decode(&nested(10)).unwrap().nodes.len(), 1);
        let refused = decode(&nested(50_000)).unwrap_err();
        assert_eq!(refused.reason, "expected fewer parts in parts");
        for (depth, is_read) in [(1, true), (4, true), (5, false), (50_000, false)] {
            let text = format!(r#"{{"nodes":{}{{}}{}}}"#, "[".repeat(depth), "]".repeat(depth));
            assert_eq!(decode(&text).is_ok(), is_read, "{depth}");
        }
    }

    #[test]
    fn a_map_from_indices_is_a_list_in_their_order_and_an_object_without_a_described_field_is_no_item() {
        #[derive(Debug, Deserialize)]
        struct Page {
            #[serde(deserialize_with = "lenient_array")]
            items: Vec<Open>,
        }

        #[derive(Debug, Deserialize)]
        struct Open {
            n: Option<u8>,
        }

        for (list, expected) in [
            (r#"{"10":{"n":3},"2":{"n":2},"0":{"n":1}}"#, Ok(vec![1, 2, 3])),
            (r#"{"pending":{"7":{"n":2}},"booked":[{"n":1}]}"#, Ok(vec![2, 1])),
            (
                r#"{"booked":[{"n":1}],"messages":[{"n":2}],"information":null}"#,
                Ok(vec![1]),
            ),
            (r#"{"0":{"n":1},"x":{"n":2}}"#, Err("items: ")),
            (r#"{"0":{"n":1},"1":7}"#, Err("items: ")),
            (r#"[{"n":1},{"error":"x"}]"#, Err("items[1]: ")),
            (r#"[[{"error":"x"}]]"#, Err("items[0][0]: ")),
            (r#"{"booked":{"0":{"error":"x"}}}"#, Err("items.booked.{}: ")),
            (r#"{"errors":[{"error":"x"}]}"#, Err("items.{}[0]: ")),
            (r#"{"error":"x"}"#, Err("items: ")),
        ] {
            let text = format!(r#"{{"items":{list}}}"#);
            let page = crate::value::decode::decode::<Page>(text.as_bytes());
            let read = page.map(|page| page.items.iter().filter_map(|item| item.n).collect::<Vec<_>>());
            let told = read.map_err(|error| format!("{}: {}", error.path, error.reason));
            let expected = expected.map_err(|place| format!("{place}no described field is there, and others are"));
            assert_eq!(told, expected, "{list}");
        }
        let twice = crate::value::decode::decode::<Page>(br#"{"items":{"booked":[],"booked":[]}}"#).unwrap_err();
        assert!(twice.reason.starts_with("expected an object that has each name once"));
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
