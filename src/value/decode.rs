//! Decoding JSON: a failure names the place, never a value, and fields that a type lacks are noted.

use serde::de::DeserializeOwned;
use serde_json::de::Read as Source;

use super::JsonMap;
use super::canary;
use super::objects::{self, observed, observed_part};

pub(crate) use super::objects::Bare;

/// Why JSON could not be read as a type: where, as a JSON path, and what was expected there. Never a value.
#[derive(Debug)]
pub(crate) struct Undecodable {
    pub(crate) path: String,
    pub(crate) reason: String,
}

/// Decodes JSON; a problem names the place, never a value. Fields that the type lacks are noted.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Undecodable> {
    Ok(decode_json(body)?.0)
}

/// The same for what is to be a described value: an object none of whose fields is described is none, though nothing in it
/// contradicts the type. With it, what its objects lacked: whether an item of an outermost list is such an object.
pub(crate) fn decode_items<T: DeserializeOwned>(body: &[u8]) -> Result<(T, Bare), Undecodable> {
    unless_bare(decode_json(body)?)
}

fn unless_bare<T>((value, bare): (T, Bare)) -> Result<(T, Bare), Undecodable> {
    match bare.value {
        true => Err(Undecodable {
            path: ".".to_owned(),
            reason: NOTHING_DESCRIBED.to_owned(),
        }),
        false => Ok((value, bare)),
    }
}

/// Why an object is no value of a type that nothing in it contradicts.
pub(crate) const NOTHING_DESCRIBED: &str = "no described field is there, and others are";

fn decode_json<T: DeserializeOwned>(body: &[u8]) -> Result<(T, Bare), Undecodable> {
    decode_by(body, |body| observed(|| read_whole(body)))
}

/// What JSON was read as, or where it could not be and why.
type Read<T> = Result<T, (String, serde_json::Error)>;

fn decode_by<T>(body: &[u8], observed: impl Fn(&[u8]) -> (Read<T>, Bare)) -> Result<(T, Bare), Undecodable> {
    let read = |body: &[u8]| match observed(body) {
        (Ok(value), bare) => Ok((value, bare)),
        (Err(error), _) => Err(error),
    };
    // Nothing else in the reply depends on half a character.
    let read = read(body).or_else(|error| {
        let Some(mended) = mended(body) else {
            return Err(error);
        };
        canary::begin_again();
        read(&mended)
    });
    read.map_err(|(path, error)| {
        let (inside, reason) = reason(&error, true);
        let path = below(&path, &inside);
        let path = if path.is_empty() { ".".to_owned() } else { path };
        Undecodable { path, reason }
    })
}

/// The members of an object, where the body is one, read as leniently as a value is.
pub(crate) fn members(body: &[u8]) -> Option<JsonMap> {
    let read = |body: &[u8]| serde_json::from_slice(body).ok();
    read(body).or_else(|| read(&mended(body)?))
}

/// The text with a replacement character for every half of a surrogate pair, where there may be one. It is as long.
pub(crate) fn mended(body: &[u8]) -> Option<Vec<u8>> {
    has_surrogates(body).then(|| without_lone_surrogates(body))
}

/// Whether half of a surrogate pair may stand in it.
fn has_surrogates(body: &[u8]) -> bool {
    body.windows(3).any(|part| matches!(part, [b'\\', b'u', b'd' | b'D']))
}

/// The text with a replacement character, which is as long, for every half of a surrogate pair that stands alone.
fn without_lone_surrogates(body: &[u8]) -> Vec<u8> {
    const REPLACEMENT: &[u8] = b"\\ufffd";
    let unit = |at: usize| {
        let digits = body.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut mended = Vec::with_capacity(body.len());
    let mut at = 0;
    while let Some(byte) = body.get(at) {
        // The length of what stands here, and whether it is half of a pair.
        let (length, is_lone) = match (byte, unit(at)) {
            (b'\\', Some(0xd800..=0xdbff)) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => (12, false),
            (b'\\', Some(0xd800..=0xdfff)) => (6, true),
            (b'\\', _) => (2, false),
            _ => (1, false),
        };
        let written = &body[at..body.len().min(at + length)];
        mended.extend_from_slice(if is_lone { REPLACEMENT } else { written });
        at += length;
    }
    mended
}

/// The same for a part of a reply: where in the part, empty for all of it, and why.
pub(crate) fn decode_part<T: DeserializeOwned>(part: &str) -> Result<T, (String, String)> {
    Ok(read_part(part)?.0)
}

/// The same for a part that nothing but its fields shows to be what it is read as.
pub(crate) fn decode_part_described<T: DeserializeOwned>(part: &str) -> Result<T, (String, String)> {
    match read_part(part)? {
        (_, true) => Err((String::new(), NOTHING_DESCRIBED.to_owned())),
        (value, false) => Ok(value),
    }
}

fn read_part<T: DeserializeOwned>(part: &str) -> Result<(T, bool), (String, String)> {
    let too_deep = || (String::new(), "expected fewer parts in parts".to_owned());
    // It is text already: no string of it is checked once more.
    let read = || read_json(serde_json::Deserializer::from_str(part));
    let (read, is_bare) = observed_part(read).ok_or_else(too_deep)?;
    match read {
        Ok(value) => Ok((value, is_bare)),
        Err((path, error)) => {
            let (inside, reason) = reason(&error, false);
            Err((below(&path, &inside), reason))
        }
    }
}

fn read_whole<T: DeserializeOwned>(body: &[u8]) -> Read<T> {
    read_json(serde_json::Deserializer::from_slice(body))
}

fn read_json<'a, T: DeserializeOwned>(mut json: serde_json::Deserializer<impl Source<'a>>) -> Read<T> {
    let value = objects::read(&mut json)?;
    json.end().map_err(|error| (String::new(), error))?;
    Ok(value)
}

/// A path and what is below it.
pub(crate) fn below(path: &str, inside: &str) -> String {
    let path = if path == "." { "" } else { path };
    let dot = if path.is_empty() || inside.is_empty() || inside.starts_with('[') {
        ""
    } else {
        "."
    };
    format!("{path}{dot}{inside}")
}

/// serde_json's own text quotes values; this keeps what cannot be one. Before it the path inside a part, when the
/// error came out of one; the lines of a part are not told, because they are not those of the reply.
fn reason(error: &serde_json::Error, whole: bool) -> (String, String) {
    if error.classify() == serde_json::error::Category::Data {
        let text = error.to_string();
        if let Some((path, reason)) = text.strip_prefix("at `").and_then(|rest| rest.rsplit_once("`: ")) {
            let reason = reason.split(" at line").next().unwrap_or_default();
            return (path.to_owned(), reason.to_owned());
        }
    }
    let place = format!(" (line {}, column {})", error.line(), error.column());
    let reason = why(error, if whole { &place } else { "" });
    (String::new(), reason)
}

fn why(error: &serde_json::Error, place: &str) -> String {
    match error.classify() {
        serde_json::error::Category::Data => {
            let text = error.to_string();
            if let Some(field) = text
                .strip_prefix("missing field `")
                .and_then(|rest| rest.split('`').next())
            {
                format!("field `{field}` is missing")
            } else if let Some(field) = text
                .strip_prefix("duplicate field `")
                .and_then(|rest| rest.split('`').next())
            {
                format!("field `{field}` is there twice")
            } else if let Some((_, expected)) = text.rsplit_once("expected ") {
                // What is expected comes from our types; what came instead is left out.
                format!(
                    "expected {}{place}",
                    expected.split(" at line").next().unwrap_or_default()
                )
            } else {
                format!("a value of another kind{place}")
            }
        }
        serde_json::error::Category::Eof => "the JSON ends too early".to_owned(),
        // So serde_json says of bytes that are no UTF-8, and of nothing else that JSON can have.
        serde_json::error::Category::Syntax if error.to_string().starts_with("invalid unicode code point") => {
            format!("bytes that are no text in their charset{place}")
        }
        serde_json::error::Category::Syntax => format!("not JSON{place}"),
        serde_json::error::Category::Io => "could not be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// Lists that come in every form, in each other and beside each other.
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Ledger {
        #[serde(default, deserialize_with = "crate::value::wire::lenient_array")]
        deals: Vec<Deals>,
        #[serde(default, deserialize_with = "crate::value::wire::lenient_array")]
        words: Vec<String>,
        total: Option<u8>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Deals {
        id: Option<String>,
        #[serde(default, deserialize_with = "crate::value::wire::lenient_array")]
        parts: Vec<Deal>,
        #[serde(default)]
        rest: Option<crate::value::Json>,
    }

    /// As `decode_items`, where nothing is read in its place.
    fn without_haste(body: &[u8]) -> Result<(Ledger, Bare), Undecodable> {
        unless_bare(decode_by(body, |body| {
            objects::observed_without_haste(|| read_whole(body))
        })?)
    }

    /// A list of objects is read in its place, and every other once more. Nobody can tell which it was.
    #[test]
    fn a_lenient_list_is_read_the_same_in_its_place_and_taken_apart() {
        let item = r#"{"id":"d1","parts":[{"id":"p1","new":1},{"state":"s"}],"new":{"a":[1]}}"#;
        let bare = r#"{"error":"x"}"#;
        for (deals, others, in_place) in [
            (format!("[{item},{item}]"), "", true),
            ("[]".to_owned(), "", true),
            (r#"[{},{"id":null,"rest":[1]}]"#.to_owned(), "", true),
            (format!("[{item}]"), r#","next":"/2","error":"e","new":1"#, true),
            (format!("[{item}]"), r#","deals2":[1],"total":null"#, true),
            // No list of objects.
            ("null".to_owned(), r#","total":7"#, false),
            (format!("[[{item}],[{item}]]"), "", false),
            (format!("[{item},[]]"), "", false),
            (format!("[[{item}]]"), r#","total":"x""#, false),
            (item.to_owned(), "", false),
            (
                format!(r#"{{"booked":[{item}],"pending":null}}"#),
                r#","next":"/2""#,
                false,
            ),
            (format!(r#"{{"0":{item},"2":{item}}}"#), "", false),
            (format!("[{item},7]"), "", false),
            (format!("[{item},null]"), "", false),
            (r#""d1""#.to_owned(), "", false),
            ("7".to_owned(), "", false),
            (format!("[{item}]"), r#","words":["a","b"]"#, false),
            // An item that does not fit, or is none.
            (format!("[{item},{bare}]"), "", false),
            (format!("[{bare},{item}]"), "", false),
            (format!(r#"[{{"id":"d1","parts":[{bare}]}}]"#), "", false),
            (r#"[{"id":"d1","parts":{"id":"p1"}}]"#.to_owned(), "", false),
            (r#"[{"id":"d1"},{"id":7}]"#.to_owned(), "", false),
            (r#"[{"id":"d1","parts":[{"id":[]}]}]"#.to_owned(), "", false),
            (r#"[{"id":"d1","id":"d2"}]"#.to_owned(), "", false),
            (format!("[{item}"), "", false),
            // What stands beside it does not.
            (format!("[{item}]"), r#","total":"x""#, true),
            (format!("[{item}]"), r#","total":1,"total":2"#, true),
            (format!("[{item}]"), r#","new":"\ud83d""#, true),
        ] {
            let body = format!(r#"{{"deals":{deals}{others}}}"#);
            let told = |read: Result<(Ledger, Bare), Undecodable>| match read {
                Ok((value, bare)) => format!("{value:?} {bare:?}"),
                Err(error) => format!("{} {}", error.path, error.reason),
            };
            let noted = |how: &'static str, read: &dyn Fn() -> String| {
                let read = canary::watch(how, "ledger", |_| false, read);
                let seen = canary::sightings().into_iter().filter(|seen| seen.provider == how);
                let seen = seen.map(|seen| (seen.what, seen.place, seen.count));
                (read, seen.collect::<Vec<_>>())
            };
            let usual = noted("usual", &|| told(decode_items(body.as_bytes())));
            let slow = noted("without haste", &|| told(without_haste(body.as_bytes())));
            assert_eq!(usual, slow, "{body}");
            let mut passes = 0;
            let _ = observed(|| {
                passes += 1;
                read_whole::<Ledger>(body.as_bytes()).is_ok()
            });
            assert_eq!(passes == 1, in_place, "{body}");
        }
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Deal {
        id: Option<String>,
        state: Option<String>,
    }

    fn decode_described<T: DeserializeOwned>(body: &[u8]) -> Result<T, Undecodable> {
        decode_items(body).map(|(value, _)| value)
    }

    #[derive(Debug, Deserialize)]
    struct Outer {
        #[allow(dead_code)]
        deal: Deal,
    }

    fn described(body: &str) -> Result<Deal, String> {
        decode_described(body.as_bytes()).map_err(|error| format!("{}: {}", error.path, error.reason))
    }

    #[test]
    fn an_object_without_a_described_field_is_no_value() {
        let refused = ".: no described field is there, and others are";
        for (body, is_one) in [
            (r#"{"id":"d1"}"#, true),
            (r#"{"id":"d1","error":"x"}"#, true),
            (r#"{"id":null,"error":"x"}"#, true),
            (r#"{"error":"x","error":"y","state":"s"}"#, true),
            ("{}", true),
            (r#"{"error":"x"}"#, false),
            (r#"{"error":{"id":"d1"},"code":7}"#, false),
            (r#"{"error":"x","error":"y"}"#, false),
        ] {
            assert_eq!(described(body).is_ok(), is_one, "{body}");
            assert!(is_one || described(body).unwrap_err() == refused, "{body}");
            assert!(decode::<Deal>(body.as_bytes()).is_ok(), "{body}");
        }
        // What has a place for everything, and what is no object.
        assert!(decode_described::<crate::value::JsonMap>(br#"{"error":"x"}"#).is_ok());
        assert!(decode_items::<Vec<Deal>>(br#"[{"error":"x"}]"#).is_ok_and(|(_, bare)| bare.item));
        assert!(decode_items::<Vec<Deal>>(br#"[{},{"id":"d1","error":"x"}]"#).is_ok_and(|(_, bare)| !bare.item));
        assert!(decode_items::<Vec<Vec<Deal>>>(br#"[[{"error":"x"}]]"#).is_ok_and(|(_, bare)| !bare.item));
        // A list is no object, though serde would read it as one.
        assert!(decode::<Deal>(br#"["d1","s"]"#).is_err());
        assert!(decode::<Outer>(br#"{"deal":["d1","s"]}"#).is_err());
        let twice = decode::<Deal>(br#"{"id":"d1","id":"d2"}"#).unwrap_err();
        assert_eq!(twice.reason, "field `id` is there twice");
        assert!(decode_described::<Option<Deal>>(br#"{"error":"x"}"#).is_err());
        // The field is there, whatever stands in it.
        assert!(decode_described::<Outer>(br#"{"deal":{"error":"x"}}"#).is_ok());
    }

    /// Read as a text, and then as what it is.
    struct Part;

    impl<'de> Deserialize<'de> for Part {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let part = <&serde_json::value::RawValue>::deserialize(from)?;
            decode_part::<Vec<Deal>>(part.get())
                .map(|_| Self)
                .map_err(|(_, why)| serde::de::Error::custom(why))
        }
    }

    #[test]
    fn a_list_in_a_part_is_no_list_of_the_items_of_a_reply() {
        let bare = br#"[{"error":"x"}]"#;
        assert!(decode_items::<Part>(bare).is_ok_and(|(_, bare)| !bare.item));
        assert!(decode_items::<Vec<Deal>>(bare).is_ok_and(|(_, bare)| bare.item));
    }

    #[test]
    fn a_map_has_a_place_for_everything_and_an_object_in_any_form_has_not() {
        use std::collections::BTreeMap;
        use std::net::Ipv4Addr;

        use serde::de::IgnoredAny;
        use serde::de::value::MapAccessDeserializer;

        /// An object whose reader takes what there is.
        #[derive(Debug)]
        struct Any;

        impl<'de> Deserialize<'de> for Any {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;

                impl<'de> serde::de::Visitor<'de> for Visitor {
                    type Value = Any;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Any, A::Error> {
                        Deal::deserialize(MapAccessDeserializer::new(map)).map(|_| Any)
                    }
                }

                deserializer.deserialize_any(Visitor)
            }
        }

        assert!(decode_described::<BTreeMap<String, IgnoredAny>>(br#"{"error":"x"}"#).is_ok());
        assert!(decode_described::<Any>(br#"{"error":"x"}"#).is_err());
        assert!(decode_described::<Any>(br#"{"error":"x","id":"d1"}"#).is_ok());
        // What is written otherwise for people is read as they write it.
        assert!(decode::<Ipv4Addr>(br#""127.0.0.1""#).is_ok());
    }

    #[test]
    fn a_part_without_a_described_field_is_no_value_either() {
        for (part, is_one) in [
            (r#"{"id":"d1","error":"x"}"#, true),
            ("{}", true),
            (r#"{"error":"x"}"#, false),
            (r#"{"error":"x","code":7}"#, false),
        ] {
            let read = decode_part_described::<Deal>(part);
            assert_eq!(read.is_ok(), is_one, "{part}");
            assert!(
                is_one || read == Err((String::new(), NOTHING_DESCRIBED.to_owned())),
                "{part}"
            );
        }
    }

    #[test]
    fn half_a_character_costs_no_reply() {
        for (written, read) in [
            (r"caf\ud83d", "caf\u{fffd}"),
            (r"\ude00 \ud83d\ude00", "\u{fffd} 😀"),
            (r"\ud83dA", "\u{fffd}A"),
            (r"\ud83d\ud83d\ude00", "\u{fffd}😀"),
            (r"\\ud83d", r"\ud83d"),
            (r"\\ud83d \ud83d", "\\ud83d \u{fffd}"),
            (r"\\\ud83d", "\\\u{fffd}"),
        ] {
            let body = format!(r#"{{"id":"{written}"}}"#);
            assert_eq!(described(&body).unwrap().id.as_deref(), Some(read), "{written}");
        }
        for body in [r#"{"id":"\ud83d""#, r#"{"id":"\ud8"}"#, r#"{"id":"\q"}"#, "{", "\\"] {
            assert!(described(body).is_err(), "{body}");
        }
    }

    #[test]
    fn what_stands_before_half_a_character_is_noted_once() {
        let read = canary::watch(
            "bank",
            "half_a_character",
            |_| false,
            || described(r#"{"new":1,"id":"\ud83d","newer":2}"#),
        );
        assert!(read.is_ok());
        let sightings = canary::sightings();
        let counts = sightings.iter().filter(|seen| seen.operation == "half_a_character");
        let counts: Vec<_> = counts.map(|seen| (seen.place.as_str(), seen.count)).collect();
        assert_eq!(counts, [("new", 1), ("newer", 1)]);
    }

    #[test]
    fn a_failure_names_the_place_of_what_is_no_json_too() {
        for (body, refused) in [
            (r#"{"deal":{"id":7}}"#, "deal.id: expected a string (line 1, column 15)"),
            (r#"{"deal":{"id":x}}"#, "deal.id: not JSON (line 1, column 15)"),
            (
                "{\"deal\":{\"id\":\"\u{e9}\"}}",
                "deal.id: bytes that are no text in their charset (line 1, column 16)",
            ),
        ] {
            // As ISO-8859-1 has it.
            let body: Vec<u8> = body.chars().map(|character| character as u8).collect();
            let error = decode::<Outer>(&body).unwrap_err();
            assert_eq!(format!("{}: {}", error.path, error.reason), refused);
        }
    }
}
