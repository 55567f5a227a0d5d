//! What shows that the reply to a call that succeeded is an error, where nothing that is described speaks for it.

use super::{Json, JsonMap};

/// Members that tell of an error, where all that a reply has are such and [`BESIDE_AN_ERROR`]: a success may have a message
/// beside what it is about.
const OF_AN_ERROR: &[&str] = &[
    "message",
    "code",
    "detail",
    "details",
    "description",
    "reason",
    "title",
    "errorCode",
    "errorMessage",
    "error_code",
    "error_description",
    "error_message",
    "statusCode",
];

/// Members that an error has beside those, and that alone tell nothing.
const BESIDE_AN_ERROR: &[&str] = &[
    "status",
    "success",
    "type",
    "timestamp",
    "path",
    "instance",
    "traceId",
    "requestId",
    "correlationId",
    "trace_id",
    "request_id",
    "correlation_id",
];

/// The member by which an object of which nothing is described is known for an error: one of `known`, or one that tells of
/// errors everywhere, where no other speaks for a success.
pub(crate) fn error_in(object: &JsonMap, known: &[&'static str]) -> Option<&'static str> {
    let tells = |member: &str| object.json(member).is_some_and(|value| !is_blank(value));
    known.iter().copied().find(|member| tells(member)).or_else(|| {
        let speaks_for_it = |name: &str| !OF_AN_ERROR.contains(&name) && !BESIDE_AN_ERROR.contains(&name);
        if object
            .iter()
            .any(|(name, value)| speaks_for_it(name) && !is_blank(value))
        {
            return None;
        }
        OF_AN_ERROR.iter().copied().find(|member| tells(member))
    })
}

/// Whether a value says that there is nothing: `null`, `false`, zero, or without content.
fn is_blank(value: &Json) -> bool {
    match value.get().trim_start().as_bytes().first() {
        Some(b'"') => value.text().is_some_and(|text| text.trim().is_empty()),
        Some(b'[') => value.items().is_some_and(|items| items.is_empty()),
        Some(b'{') => value.parse::<JsonMap>().is_ok_and(|members| members.is_empty()),
        Some(b'n' | b'f') => true,
        Some(b't') | None => false,
        Some(_) => value.decimal().is_some_and(|number| number.is_zero()),
    }
}
