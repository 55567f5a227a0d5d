//! Items of a page that cannot be read, beside those that can.

use std::fmt;
use std::rc::Rc;

use http::StatusCode;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use super::invalid_reply::RawBody;
use crate::value::decode::{Bare, NOTHING_DESCRIBED, Undecodable, below, decode_items, mended};
use crate::value::fields::Fields;
use crate::value::wire::{Place, listed};

/// An item of a list that could not be read. The others of its page could.
///
/// One booking that a bank writes wrongly must not hide a month of them, and must not be overlooked: whoever reads the
/// [items](super::Items) gets it as an error in its place, and [`ResponseValue::unreadable`](super::ResponseValue::unreadable)
/// has it with its page. `Debug` and `Display` name places, never values.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UnreadableItem {
    /// The operation.
    pub operation: &'static str,
    /// The status of the reply that it came in.
    pub status: StatusCode,
    /// The provider's id of the request, when the reply had one.
    pub request_id: Option<String>,
    /// Where it stands among the items of its page; 0 is the first.
    pub position: usize,
    /// Where in the reply it differs from the specification: a path through the JSON. Names only.
    pub path: String,
    /// In words; never a value.
    pub reason: String,
    /// The item as it came. It is shown to nobody who does not ask for it.
    pub raw: RawBody,
}

impl fmt::Display for UnreadableItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            position,
            path,
            reason,
            ..
        } = self;
        write!(
            f,
            "{operation}: item {position} of the page differs from the specification at `{path}`: {reason}; the others can be read, and `raw` has what came"
        )?;
        match &self.request_id {
            Some(id) => write!(f, " (request id {id})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UnreadableItem {}

/// An item that could not be read, before it is known of which reply.
pub(super) struct Unreadable {
    pub position: usize,
    pub path: String,
    pub reason: String,
    pub raw: Vec<u8>,
}

/// Why a page is not read item by item.
#[derive(Debug)]
pub(super) enum Whole {
    /// It is not its items that cannot be read.
    NotTheItems,
    /// So many of them cannot be read that it is no page of them.
    TooMany,
    /// None of them can be read, and one is needed.
    All,
}

/// Reads a page that cannot be read as a whole item by item.
///
/// `items` is the JSON pointer of the list. Each item is read as the only one of the same page. With the page, what it lacked.
/// `needs_one`: a list of which nothing can be read is none, as where no other page says more.
pub(super) fn page_without<T: DeserializeOwned>(
    text: &[u8],
    items: &str,
    needs_one: bool,
) -> Result<(T, Bare, Vec<Unreadable>), Whole> {
    // It is divided by a text in which every value can be read, and which is as long.
    let divisible = divisible(text);
    let list = find(&divisible, items).ok_or(Whole::NotTheItems)?;
    let start_of = |part: &str| part.as_ptr() as usize - divisible.as_ptr() as usize;
    let came = |part: &str| {
        let start = start_of(part);
        text.get(start..start + part.len()).unwrap_or_default()
    };
    let (before, after) = (
        text.get(..start_of(list)).unwrap_or_default(),
        text.get(start_of(list) + list.len()..).unwrap_or_default(),
    );
    let page_of = |items: &[&[u8]]| decode_items::<T>(&around(before, items, after));
    let (_, of_none) = page_of(&[]).map_err(|_| Whole::NotTheItems)?;
    // An item is read in a page that has nothing else, where the page needs nothing else: otherwise each item would cost
    // the reading of the whole page.
    let (opens, closes) = bare(items);
    let in_bare = |items: &[&[u8]]| decode_items::<T>(&around(opens.as_bytes(), items, closes.as_bytes()));
    let is_bare = in_bare(&[]).is_ok();
    let rest = text.len() - list.len();
    let place_of_list = items.trim_start_matches('/').replace('/', ".").replace("~1", "/");
    let alone = |item: &[u8]| {
        let (_, is_none) = match is_bare {
            true => in_bare(&[item]).map(|(page, bare)| (page, bare.item)),
            false => page_of(&[item]).map(|(page, bare)| (page, bare.item && !of_none.item)),
        }?;
        match is_none {
            true => Err(Undecodable {
                path: format!("{place_of_list}[0]"),
                reason: NOTHING_DESCRIBED.to_owned(),
            }),
            false => Ok(()),
        }
    };
    let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
    // A lenient reader takes a report for a list, and a list in a list for the items of it.
    let report: &[u8] = br#"{"booked":null}"#;
    let flattens = match is_bare {
        true => decode_items::<T>(&[opens.as_bytes(), report, closes.as_bytes()].concat()).is_ok(),
        false => decode_items::<T>(&[before, report, after].concat()).is_ok(),
    };
    let all = items_of(list, flattens).ok_or(Whole::NotTheItems)?;
    if !is_bare && all.len().saturating_mul(rest) > MOST_WORK {
        return Err(Whole::TooMany);
    }
    for (position, (place, item)) in all.into_iter().enumerate() {
        let item = came(item);
        let (path, reason) = match alone(item) {
            Ok(()) if flattens && item.starts_with(b"[") => (
                below(&place_of_list, &place.to_string()),
                "expected an object".to_owned(),
            ),
            Ok(()) => {
                readable.push(item);
                continue;
            }
            // Where the list is read as a whole first, what is no JSON hides where in it that is.
            Err(Undecodable { path, reason }) => match path.contains("[0]") {
                true => (path.replacen("[0]", &within(&place.to_string()), 1), reason),
                false => (below(&place_of_list, &place.to_string()), reason),
            },
        };
        if unreadable.len() == MOST_UNREADABLE {
            return Err(Whole::TooMany);
        }
        unreadable.push(Unreadable {
            position,
            path,
            reason,
            raw: item.to_vec(),
        });
    }
    if unreadable.is_empty() {
        return Err(Whole::NotTheItems);
    }
    if needs_one && readable.is_empty() {
        return Err(Whole::All);
    }
    let (page, bare) = page_of(&readable).map_err(|_| Whole::NotTheItems)?;
    Ok((page, bare, unreadable))
}

/// A list of these items between what stands before the list and behind it.
fn around(before: &[u8], items: &[&[u8]], after: &[u8]) -> Vec<u8> {
    [before, b"[", &items.join(&b','), b"]", after].concat()
}

/// A text as long as this one, with the same strings, brackets and commas in the same places, in which every string and
/// every number is one: bytes that are not UTF-8, a line break in a string, a `NaN`, a comma too many or a comment cost the item
/// that they stand in, and do not hide where it ends.
fn divisible(text: &[u8]) -> String {
    let mut mended = mended(text).unwrap_or_else(|| text.to_vec());
    let mut checked = 0;
    while let Err(error) = std::str::from_utf8(mended.get(checked..).unwrap_or_default()) {
        let start = checked + error.valid_up_to();
        checked = error.error_len().map_or(mended.len(), |length| start + length);
        mended[start..checked].fill(b'?');
    }
    let mut at = 0;
    let mut in_string = false;
    while at < mended.len() {
        let rest = &mut mended[at..];
        at += match (in_string, rest[0]) {
            (true, b'\\') => match rest[1..] {
                [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
                [b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(u8::is_ascii_hexdigit) => 6,
                _ => {
                    rest[0] = b'?';
                    1
                }
            },
            (true, 0..0x20) => {
                rest[0] = b' ';
                1
            }
            (_, b'"') => {
                in_string = !in_string;
                1
            }
            (false, b'/') if matches!(rest[1..], [b'/' | b'*', ..]) => {
                let ends: &[u8] = if rest[1] == b'/' { b"\n" } else { b"*/" };
                let inside = rest[2..].windows(ends.len()).position(|part| part == ends);
                let length = inside.map_or(rest.len(), |inside| 2 + inside + ends.len());
                rest[..length].fill(b' ');
                length
            }
            (false, b',') if rest[1..].trim_ascii_start().starts_with(b"}") => {
                rest[0] = b' ';
                1
            }
            (true, _) | (false, b'{' | b'}' | b'[' | b']' | b',' | b':' | b' ' | b'\t' | b'\n' | b'\r') => 1,
            (false, _) => {
                let ends = |byte: &u8| b"{}[],:/\" \t\n\r".contains(byte);
                let length = 1 + rest[1..].iter().position(ends).unwrap_or(rest.len() - 1);
                if serde_json::from_slice::<IgnoredAny>(&rest[..length]).is_err() {
                    rest[..length].fill(b'1');
                }
                length
            }
        };
    }
    // Every byte that was put there is ASCII.
    String::from_utf8(mended).unwrap_or_default()
}

/// So many items that cannot be read are told one by one. Where there are more, it is the page that cannot be read.
const MOST_UNREADABLE: usize = 4096;

/// How many bytes are read again for the items of a page; what is more costs the whole page.
const MOST_WORK: usize = 64 * 1024 * 1024;

/// A page that has nothing but the list at this JSON pointer: what stands before the list, and behind it.
fn bare(pointer: &str) -> (String, String) {
    let names = pointer
        .split('/')
        .skip(1)
        .map(|name| name.replace("~1", "/").replace("~0", "~"));
    let opens: String = names
        .clone()
        .map(|name| format!("{{{}:", serde_json::Value::from(name)))
        .collect();
    (opens, "}".repeat(names.count()))
}

/// A place as it stands behind the list's own.
fn within(place: &str) -> String {
    match place {
        "" => String::new(),
        place if place.starts_with('[') => place.to_owned(),
        place => format!(".{place}"),
    }
}

/// The items of a list in their order, each with its place in it, as the reader of the list takes it apart.
fn items_of(list: &str, flattens: bool) -> Option<Vec<(Place, &str)>> {
    if flattens {
        return listed(list).ok();
    }
    let items: Vec<&RawValue> = serde_json::from_str(list).ok()?;
    let list = Rc::from("");
    let items = items.into_iter().enumerate();
    Some(
        items
            .map(|(index, item)| (Place::of_item(&list, index), item.get()))
            .collect(),
    )
}

/// The list at this JSON pointer, or the object of lists, as it stands in the text.
fn find<'a>(text: &'a str, pointer: &str) -> Option<&'a str> {
    let mut at = text.trim();
    for name in pointer.split('/').skip(1) {
        let members: Vec<(String, &RawValue)> = serde_json::from_str::<Fields<&RawValue>>(at).ok()?.0;
        let name = name.replace("~1", "/").replace("~0", "~");
        at = members.into_iter().find(|(member, _)| *member == name)?.1.get();
    }
    at.starts_with(['[', '{']).then_some(at)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Page {
        total: u8,
        data: Option<Data>,
    }

    #[derive(Debug, Deserialize)]
    struct Data {
        #[serde(rename = "a/b")]
        items: Vec<Item>,
    }

    #[derive(Debug, Deserialize)]
    struct Item {
        id: u8,
    }

    /// Where an item stands, its path, and what it is.
    type Told = (usize, String, String);

    fn read(text: &str) -> Option<(Vec<u8>, Vec<Told>)> {
        let (page, _, unreadable) = page_without::<Page>(text.as_bytes(), "/data/a~1b", false).ok()?;
        assert_eq!(page.total, 7);
        let ids = page.data.unwrap().items.iter().map(|item| item.id).collect();
        let told = unreadable.into_iter().map(|item| {
            let raw = String::from_utf8(item.raw).unwrap();
            (item.position, item.path, raw)
        });
        Some((ids, told.collect()))
    }

    #[test]
    fn an_item_that_cannot_be_read_is_told_with_its_place_and_costs_no_other() {
        let text = r#" {"total":7, "data": {"x":[1], "a/b": [ {"id":1}, {"id":"NaN"} ,{"id":3},null, [] ] }} "#;
        let (ids, told) = read(text).unwrap();
        assert_eq!(ids, [1, 3]);
        let expected = [
            (1, "data.a/b[1].id", r#"{"id":"NaN"}"#),
            (3, "data.a/b[3]", "null"),
            (4, "data.a/b[4]", "[]"),
        ];
        let told: Vec<_> = told
            .iter()
            .map(|(at, path, raw)| (*at, path.as_str(), raw.as_str()))
            .collect();
        assert_eq!(told, expected);
        assert!(read(r#"{"total":7,"data":{"a/b":[null]}}"#).unwrap().0.is_empty());
    }

    #[test]
    fn an_item_without_a_described_field_is_told_unless_the_rest_of_the_page_has_such_too() {
        #[derive(Debug, Deserialize)]
        struct Loose {
            #[allow(dead_code)]
            id: Option<u8>,
        }
        #[derive(Debug, Deserialize)]
        struct Page {
            #[allow(dead_code)]
            total: u8,
            items: Vec<Loose>,
            #[allow(dead_code)]
            others: Option<Vec<Loose>>,
        }

        let read = |others: &str| {
            let text = format!(r#"{{"total":7,"items":[{{"id":1}},{{"x":1}}],"others":{others}}}"#);
            page_without::<Page>(text.as_bytes(), "/items", false)
        };
        for others in ["null", "[]", r#"[{"id":2}]"#] {
            let (page, _, unreadable) = read(others).unwrap();
            let told: Vec<_> = unreadable.iter().map(|item| item.path.as_str()).collect();
            assert_eq!((page.items.len(), told), (1, vec!["items[1]"]), "{others}");
        }
        // Nobody can tell then which of them it is.
        assert!(matches!(read(r#"[{"x":2}]"#), Err(Whole::NotTheItems)));
    }

    #[test]
    fn a_text_is_divided_as_it_came_whatever_in_it_cannot_be_read() {
        let divided: [(&[u8], &str); 12] = [
            (b"[\"a\xff\",\"\xfe\",\"b\xffc\"]", r#"["a?","?","b?c"]"#),
            (br#"["\n\"]",1]"#, r#"["\n\"]",1]"#),
            (br#"["\u00e9"]"#, r#"["\u00e9"]"#),
            (br#"["\u00z9"]"#, r#"["?u00z9"]"#),
            (br#"["\q","\u00"]"#, r#"["?q","?u00"]"#),
            (b"[\"a\nb\",\n2]", "[\"a b\",\n2]"),
            (br#"[{"a":1,},{"b":2 , }]"#, r#"[{"a":1 },{"b":2   }]"#),
            (b"[{\"a\":/*},]*/1},// ]\n2]", "[{\"a\":       1},     2]"),
            (b"[1/*", "[1  "),
            (b"[1/2,/]", "[111,1]"),
            (b"[NaN,-1.5,{\"a\":01}]", r#"[111,-1.5,{"a":11}]"#),
            (b"[\"a", "[\"a"),
        ];
        for (text, divisible_text) in divided {
            assert_eq!(divisible(text), divisible_text);
        }
    }

    #[test]
    fn an_item_says_where_it_stands_and_nothing_of_what_is_in_it() {
        let item = |request_id: Option<&str>| UnreadableItem {
            operation: "list_items",
            status: StatusCode::OK,
            request_id: request_id.map(str::to_owned),
            position: 2,
            path: "items[2].id".to_owned(),
            reason: "expected u8".to_owned(),
            raw: RawBody("planted".into()),
        };
        let said = "list_items: item 2 of the page differs from the specification at `items[2].id`: expected u8; the others \
                    can be read, and `raw` has what came";
        assert_eq!(item(None).to_string(), said);
        assert_eq!(item(Some("r-1")).to_string(), format!("{said} (request id r-1)"));
    }

    #[test]
    fn a_large_page_is_not_read_again_for_every_item() {
        // Of a page that needs nothing else, however large the rest of it is.
        #[derive(Debug, Deserialize)]
        struct Open {
            #[serde(rename = "a/b")]
            items: Vec<Item>,
        }
        let bad = vec![r#"{"id":"x"}"#; 2000].join(",");
        let rest = "x".repeat(1_000_000);
        let text = format!(r#"{{"rest":"{rest}","a/b":[{bad},{{"id":1}}]}}"#);
        let (page, _, unreadable) = page_without::<Open>(text.as_bytes(), "/a~1b", false).unwrap();
        assert_eq!((page.items.len(), page.items[0].id, unreadable.len()), (1, 1, 2000));
        assert_eq!(unreadable[7].path, "a/b[7].id");
        // Of one that does, the whole page is the error.
        let text = format!(r#"{{"total":7,"rest":"{rest}","data":{{"a/b":[{bad}]}}}}"#);
        assert!(read(&text).is_none());
        // The items themselves are no such work, however many they are, and neither is a little beside them.
        let bad = vec![r#"{"id":"x"}"#; 4000].join(",");
        let rest = &rest[..1000];
        let text = format!(r#"{{"total":7,"rest":"{rest}","data":{{"a/b":[{bad}]}}}}"#);
        assert_eq!(read(&text).unwrap().1.len(), 4000);
    }

    #[test]
    fn of_lists_in_lists_and_of_lists_by_name_one_item_costs_itself_alone() {
        #[derive(Debug, Deserialize)]
        struct Lenient {
            #[serde(deserialize_with = "crate::value::wire::lenient_array")]
            items: Vec<Item>,
        }
        for (text, ids, told) in [
            (
                r#"{"items":[[{"id":1},{"id":-1}],[],[{"id":3}]]}"#,
                vec![1, 3],
                "items[0][1].id",
            ),
            (
                r#"{"items":{"booked":[{"id":1}],"pending":[{"id":"x"},{"id":3}],"total":3}}"#,
                vec![1, 3],
                "items.pending[0].id",
            ),
            (r#"{"items":{"planted":[{"id":"x"}]}}"#, vec![], "items.{}[0].id"),
            (r#"{"items":[{"id":1},[]]}"#, vec![1], "items[1]"),
            (r#"{"items":[{"id":1},[ ]]}"#, vec![1], "items[1]"),
            (r#"{"items":[[]]}"#, vec![], "items[0]"),
            (r#"{"items":[{"id":1},{"id":NaN}]}"#, vec![1], "items[1]"),
            (r#"{"items":[{"id":1,},{"id":2}]}"#, vec![2], "items[0]"),
            (r#"{"items":[{"id":1},{"id":/* ] */2}]}"#, vec![1], "items[1]"),
            (r#"{"items":[[[]],[{"id":1}]]}"#, vec![1], "items[0][0]"),
            (
                r#"{"items":{"booked":[[]],"pending":[{"id":1}]}}"#,
                vec![1],
                "items.booked[0]",
            ),
        ] {
            let (page, _, unreadable) = page_without::<Lenient>(text.as_bytes(), "/items", false).unwrap();
            let read: Vec<u8> = page.items.iter().map(|item| item.id).collect();
            assert_eq!(read, ids, "{text}");
            assert_eq!(unreadable.len(), 1, "{text}");
            assert_eq!(unreadable[0].path, told, "{text}");
        }
        // Whatever its reader takes for an item.
        #[derive(Debug, Deserialize)]
        struct Any {
            items: serde_json::Value,
        }
        let text = br#"{"items":[{"id":1},[]]}"#;
        let (page, _, unreadable) = page_without::<Any>(text, "/items", false).unwrap();
        assert_eq!(page.items, serde_json::json!([{"id": 1}]));
        let told: Vec<_> = unreadable.iter().map(|item| (&*item.path, &*item.reason)).collect();
        assert_eq!(told, [("items[1]", "expected an object")]);
    }

    #[test]
    fn what_is_wrong_elsewhere_is_no_matter_of_the_items() {
        for text in [
            r#"{"total":"x","data":{"a/b":[{"id":1}]}}"#,
            r#"{"total":7,"data":{"a/b":[{"id":1}]}}"#,
            r#"{"total":7,"data":{"a/b":{"id":1}}}"#,
            r#"{"total":7,"data":{"c":[null]}}"#,
            r#"{"total":7,"data":null}"#,
            r#"{"total":7,"data":{"a/b":[null]}"#,
            r#"{"total":nul,"data":{"a/b":[{"id":1}]}}"#,
            r#"{"total":7,"data":{"a/b":[{"id":1} {"id":2}]}}"#,
            r#"{"total":7,"data":{"a/b":[{"id":1}}}}"#,
            r#"{"total":7,"data":{"a/b":[{"id":"1}]}}"#,
            "[]",
            "",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
        assert!(page_without::<Page>(b"\xff", "/data", false).is_err());
    }
}
