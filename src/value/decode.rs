//! Decoding JSON: a failure names the place, never a value, and fields that a type lacks are noted.

use serde::de::DeserializeOwned;

use super::canary::{self, Unmodelled};

/// Why JSON could not be read as a type: where, as a JSON path, and what was expected there. Never a value.
#[derive(Debug)]
pub(crate) struct Undecodable {
    pub(crate) path: String,
    pub(crate) reason: String,
}

/// Decodes JSON; a problem names the place, never a value. Fields that the type lacks are noted.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Undecodable> {
    read_json(body).map_err(|(path, error)| {
        let (inside, reason) = reason(&error, true);
        let path = below(&path, &inside);
        let path = if path.is_empty() { ".".to_owned() } else { path };
        Undecodable { path, reason }
    })
}

/// The same for a part of a reply: where in the part, empty for all of it, and why.
pub(crate) fn decode_part<T: DeserializeOwned>(part: &str) -> Result<T, (String, String)> {
    read_json(part.as_bytes()).map_err(|(path, error)| {
        let (inside, reason) = reason(&error, false);
        (below(&path, &inside), reason)
    })
}

fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, (String, serde_json::Error)> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let mut ignored = |path: serde_ignored::Path<'_>| canary::note(Unmodelled::Field, || canary::place(&path));
    let value = T::deserialize(serde_ignored::Deserializer::new(tracked, &mut ignored))
        .map_err(|error| (track.path().to_string(), error))?;
    json.end().map_err(|error| (String::new(), error))?;
    Ok(value)
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
