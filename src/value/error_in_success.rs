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
    "fault",
    "faultCode",
    "faultString",
];

/// Members that an error has beside those, and that alone tell nothing.
const BESIDE_AN_ERROR: &[&str] = &[
    "success",
    "status",
    "httpStatus",
    "http_status",
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

/// Members with the status of a reply, which may be that of an error.
const OF_A_STATUS: &[&str] = &["status", "httpStatus", "http_status"];

/// The member by which an object of which nothing is described is known for an error: one of `known`, `success` where it
/// is false, or one that tells of errors everywhere, where no other speaks for a success. Names are compared without regard
/// to case.
pub(crate) fn error_in(object: &JsonMap, known: &[&'static str]) -> Option<&'static str> {
    let has = |member: &str, is_so: fn(&Json) -> bool| {
        let mut members = object.iter();
        members.any(|(name, value)| name.eq_ignore_ascii_case(member) && is_so(value))
    };
    let tells = |member: &str| has(member, |value| !is_blank(value));
    if let Some(member) = known.iter().copied().find(|member| tells(member)) {
        return Some(member);
    }
    if has("success", is_false) {
        return Some("success");
    }
    let is_one_of = |names: &[&str], name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    let speaks_for_it = |name: &str| !is_one_of(OF_AN_ERROR, name) && !is_one_of(BESIDE_AN_ERROR, name);
    if object
        .iter()
        .any(|(name, value)| speaks_for_it(name) && !is_blank(value))
    {
        return None;
    }
    let mut statuses = OF_A_STATUS.iter().copied();
    let told = || OF_AN_ERROR.iter().copied().find(|member| tells(member));
    statuses.find(|member| has(member, is_error_status)).or_else(told)
}

fn is_false(value: &Json) -> bool {
    value
        .plain()
        .is_some_and(|text| text.trim().eq_ignore_ascii_case("false"))
}

/// Whether it is the status of an error: a number as HTTP has them, or a word.
fn is_error_status(value: &Json) -> bool {
    let is_word = |text: String| {
        let text = text.trim();
        ["error", "failed", "fail"]
            .iter()
            .any(|word| word.eq_ignore_ascii_case(text))
    };
    value.decimal().is_some_and(|number| number >= 400.into()) || value.text().is_some_and(is_word)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_known_by_its_members_where_nothing_speaks_for_a_success() {
        for (object, member) in [
            (r#"{"Error":"x","id":"1"}"#, Some("error")),
            (r#"{"ERRORS":[1]}"#, Some("errors")),
            (r#"{"Message":"declined"}"#, Some("message")),
            (r#"{"fault":{"faultstring":"x"}}"#, Some("fault")),
            (r#"{"success":false}"#, Some("success")),
            (r#"{"Success":"False","id":"1"}"#, Some("success")),
            (r#"{"success":true}"#, None),
            (r#"{"success":null}"#, None),
            (r#"{"status":"FAILED"}"#, Some("status")),
            (r#"{"status":"error","timestamp":"t"}"#, Some("status")),
            (r#"{"timestamp":"t","status":500,"path":"/x"}"#, Some("status")),
            (r#"{"Status":"422"}"#, Some("status")),
            (r#"{"httpStatus":500,"message":"Internal"}"#, Some("httpStatus")),
            (r#"{"status":"FAILED","id":"1"}"#, None),
            (r#"{"status":400,"id":"1"}"#, None),
            (r#"{"status":201}"#, None),
            (r#"{"status":"DONE","success":true}"#, None),
            (r#"{"fault":null,"error":"","status":200}"#, None),
            ("{}", None),
        ] {
            let members: JsonMap = object.parse::<Json>().unwrap().parse().unwrap();
            assert_eq!(error_in(&members, &["error", "errors"]), member, "{object}");
        }
    }
}
