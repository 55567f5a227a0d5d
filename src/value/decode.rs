//! Decoding JSON: a failure names the place, never a value, and fields that a type lacks are noted.

use std::fmt;

use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::canary::{self, Unmodelled};

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
/// contradicts the type.
pub(crate) fn decode_described<T: DeserializeOwned>(body: &[u8]) -> Result<T, Undecodable> {
    let (value, undescribed) = decode_json(body)?;
    if undescribed > 0 && serde_json::from_slice(body).is_ok_and(|Members(count)| count == undescribed) {
        return Err(Undecodable {
            path: ".".to_owned(),
            reason: "no described field is there, and others are".to_owned(),
        });
    }
    Ok(value)
}

fn decode_json<T: DeserializeOwned>(body: &[u8]) -> Result<(T, usize), Undecodable> {
    // Nothing else in the reply depends on half a character.
    let read = read_json(body).or_else(|error| {
        if !has_surrogates(body) {
            return Err(error);
        }
        canary::begin_again();
        read_json(&without_lone_surrogates(body))
    });
    read.map_err(|(path, error)| {
        let (inside, reason) = reason(&error, true);
        let path = below(&path, &inside);
        let path = if path.is_empty() { ".".to_owned() } else { path };
        Undecodable { path, reason }
    })
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

/// How many members an object has.
struct Members(usize);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Count;

        impl<'de> Visitor<'de> for Count {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Members, A::Error> {
                let mut count = 0;
                while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Members(count))
            }
        }

        deserializer.deserialize_map(Count)
    }
}

/// The same for a part of a reply: where in the part, empty for all of it, and why.
pub(crate) fn decode_part<T: DeserializeOwned>(part: &str) -> Result<T, (String, String)> {
    let read = read_json(part.as_bytes()).map(|(value, _)| value);
    read.map_err(|(path, error)| {
        let (inside, reason) = reason(&error, false);
        (below(&path, &inside), reason)
    })
}

/// The same for a part that nothing but its fields shows to be what it is read as.
pub(crate) fn decode_part_described<T: DeserializeOwned>(part: &str) -> Result<T, (String, String)> {
    let value = decode_part(part)?;
    // What it noted of undescribed fields was noted by the reading above.
    let (_, undescribed) = read_quietly::<T>(part.as_bytes());
    if undescribed > 0 && serde_json::from_slice(part.as_bytes()).is_ok_and(|Members(count)| count == undescribed) {
        return Err((
            String::new(),
            "expected a list, or an item with a described field".to_owned(),
        ));
    }
    Ok(value)
}

/// How many fields of the outermost object a type has no place for, without a note of them.
fn read_quietly<T: DeserializeOwned>(body: &[u8]) -> (Option<T>, usize) {
    let mut undescribed = 0;
    let mut ignored = |path: serde_ignored::Path<'_>| undescribed += usize::from(is_of_the_outermost(&path));
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = T::deserialize(serde_ignored::Deserializer::new(&mut json, &mut ignored)).ok();
    (value, undescribed)
}

/// A value, and how many fields of the outermost object it has no place for.
fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<(T, usize), (String, serde_json::Error)> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let mut undescribed = 0;
    let mut ignored = |path: serde_ignored::Path<'_>| {
        undescribed += usize::from(is_of_the_outermost(&path));
        canary::note(Unmodelled::Field, || canary::place(&path));
    };
    let value = T::deserialize(serde_ignored::Deserializer::new(tracked, &mut ignored))
        .map_err(|error| (track.path().to_string(), error))?;
    json.end().map_err(|error| (String::new(), error))?;
    Ok((value, undescribed))
}

fn is_of_the_outermost(path: &serde_ignored::Path<'_>) -> bool {
    use serde_ignored::Path;

    fn is_all(path: &Path<'_>) -> bool {
        match path {
            Path::Root => true,
            Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => is_all(parent),
            Path::Seq { .. } | Path::Map { .. } => false,
        }
    }
    matches!(path, Path::Map { parent, .. } if is_all(parent))
}

/// A path and what is below it, as serde_path_to_error writes paths.
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
        serde_json::error::Category::Syntax => format!("not JSON{place}"),
        serde_json::error::Category::Io => "could not be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Deal {
        id: Option<String>,
        state: Option<String>,
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
        assert!(decode_described::<Vec<Deal>>(br#"[{"error":"x"}]"#).is_ok());
        assert!(decode_described::<Option<Deal>>(br#"{"error":"x"}"#).is_err());
        // The field is there, whatever stands in it.
        assert!(decode_described::<Outer>(br#"{"deal":{"error":"x"}}"#).is_ok());
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
            let told = "expected a list, or an item with a described field";
            assert!(is_one || read == Err((String::new(), told.to_owned())), "{part}");
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
        ] {
            let error = decode::<Outer>(body.as_bytes()).unwrap_err();
            assert_eq!(format!("{}: {}", error.path, error.reason), refused);
        }
    }
}
