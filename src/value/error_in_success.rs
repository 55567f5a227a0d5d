//! What shows that the reply to a call that succeeded is an error, where nothing that is described speaks for it.

use super::{Decimal, Json, JsonMap};

/// Members that tell of an error beside those whose names begin or end as an error's do, where all that a reply has are such
/// and [`BESIDE_AN_ERROR`]: a success may have a message beside what it is about. Names here are without `_` and `-`.
const OF_AN_ERROR: &[&str] = &[
    "message",
    "msg",
    "code",
    "detail",
    "details",
    "description",
    "reason",
    "title",
    "exception",
    "err",
];

/// How the names of members begin, or end, that tell of an error.
const BEGIN_AS_AN_ERROR: &[&str] = &["error", "fault", "errno", "errcode", "errmsg", "errdesc"];
const END_AS_AN_ERROR: &[&str] = &["error", "errors"];

/// Members that an error has beside those, and that alone tell nothing.
const BESIDE_AN_ERROR: &[&str] = &[
    "success",
    "ok",
    "issuccess",
    "succeeded",
    "successful",
    "issuccessful",
    "status",
    "statuscode",
    "httpstatus",
    "type",
    "timestamp",
    "path",
    "instance",
    "traceid",
    "requestid",
    "correlationid",
];

/// Members that deny a success where they are false.
const OF_A_SUCCESS: &[&str] = &["success", "ok", "issuccess", "succeeded", "successful", "issuccessful"];
const NO: &[&str] = &["false", "0", "n", "no"];

/// Members with the status of a reply, which may be that of an error.
const OF_A_STATUS: &[&str] = &["status", "httpstatus", "statuscode", "result"];

/// What stands there for the status of an error, if no number does.
const OF_A_FAILURE: &[&str] = &[
    "error",
    "err",
    "failed",
    "fail",
    "failure",
    "rejected",
    "declined",
    "denied",
    "unsuccessful",
    "unauthorized",
    "forbidden",
    "unavailable",
    "ko",
    "nok",
];

/// What a member for a code says where there was no error, if no number does.
const OF_NO_FAILURE: &[&str] = &["ok", "success", "successful", "succeeded", "none"];

/// A member with a code, which tells of an error beside words for people alone: others have one too.
const OF_A_CODE: &str = "code";
const IN_WORDS: &[&str] = &["message", "msg", "detail", "details", "description", "reason", "title"];

/// Members with a list of messages, each of which says how grave it is, as the Berlin Group's framework has them; and what the
/// grave ones say.
const MESSAGES: &[&str] = &["tppmessages", "tppmessage", "messages"];
const GRAVITIES: &[&str] = &["category", "severity", "level", "type"];
const OF_A_GRAVE_ONE: &[&str] = &["error", "fatal", "critical"];

/// Members with an object around what a reply says.
const AROUND: &[&str] = &["result", "data", "meta", "response", "body", "payload"];

/// The member by which an object of which nothing is described is known for an error: one of `known`, one that denies a
/// success, or one that tells of errors everywhere, where no other speaks for a success. Names are compared without regard
/// to case, `_` and `-`.
pub(crate) fn error_in(object: &JsonMap, known: &[&'static str]) -> Option<&'static str> {
    in_members(object, known, true)
}

/// The same for an object of which the members `described` are described, where none of them has a value: one of the others
/// that tells of an error.
pub(crate) fn error_instead(object: &JsonMap, described: &[&str], known: &[&'static str]) -> Option<&'static str> {
    let mut members = object.iter();
    if members.any(|(name, value)| described.contains(&name) && !is_blank(value)) {
        return None;
    }
    let others = object.iter().filter(|(name, _)| !described.contains(name));
    let others: Vec<_> = others.map(|(name, value)| (plain_name(name), value)).collect();
    certain(&others, known).or_else(|| others.iter().find_map(|(name, value)| told_by(name, value, true)))
}

/// One of `known` that has a value, whatever is beside it.
pub(crate) fn known_in(object: &JsonMap, known: &[&'static str]) -> Option<&'static str> {
    let members: Vec<_> = object.iter().map(|(name, value)| (plain_name(name), value)).collect();
    known.iter().copied().find(|known| has(&members, known))
}

fn in_members(object: &JsonMap, known: &[&'static str], is_outermost: bool) -> Option<&'static str> {
    let members: Vec<_> = object.iter().map(|(name, value)| (plain_name(name), value)).collect();
    if let Some(member) = certain(&members, known) {
        return Some(member);
    }
    let mut told = None;
    for (name, value) in members.iter().filter(|(_, value)| !is_blank(value)) {
        match told_by(name, value, is_outermost) {
            Some(member) => told = told.or(Some(member)),
            None if BESIDE_AN_ERROR.contains(&name.as_str()) => {}
            None => return None,
        }
    }
    told
}

/// What tells of an error whatever is beside it.
fn certain(members: &[(String, &Json)], known: &[&'static str]) -> Option<&'static str> {
    let mut denied = OF_A_SUCCESS.iter().copied();
    let is_denied = |member: &str| members.iter().any(|(name, value)| name == member && is_false(value));
    let known = known.iter().copied().find(|known| has(members, known));
    known.or_else(|| denied.find(|member| is_denied(member)))
}

fn has(members: &[(String, &Json)], member: &str) -> bool {
    let member = plain_name(member);
    members.iter().any(|(name, value)| *name == member && !is_blank(value))
}

/// The member that tells of an error, where this one does, which is not blank.
fn told_by(name: &str, value: &Json, is_outermost: bool) -> Option<&'static str> {
    let find =
        |names: &[&'static str], is_it: fn(&str, &str) -> bool| names.iter().copied().find(|known| is_it(name, known));
    let is = |name: &str, known: &str| name == known;
    if is_blank(value) {
        return None;
    }
    if let Some(member) = by_what_it_says(name, value, is_outermost) {
        return Some(member);
    }
    if is_outermost && AROUND.contains(&name) {
        return None;
    }
    find(OF_AN_ERROR, is)
        .or_else(|| find(BEGIN_AS_AN_ERROR, |name, known| name.starts_with(known)))
        .or_else(|| find(END_AS_AN_ERROR, |name, known| name.ends_with(known)))
}

/// The same for one whose name is no error's, where what stands in it is.
fn by_what_it_says(name: &str, value: &Json, is_outermost: bool) -> Option<&'static str> {
    let find = |names: &[&'static str]| names.iter().copied().find(|known| name == *known);
    if let Some(member) = find(OF_A_STATUS).filter(|_| is_error_status(value)) {
        return Some(member);
    }
    if let Some(member) = find(MESSAGES).filter(|_| has_a_grave_one(value)) {
        return Some(member);
    }
    let member = find(AROUND).filter(|_| is_outermost)?;
    let inside = value.parse::<JsonMap>().ok()?;
    in_members(&inside, &["error", "errors"], false).map(|_| member)
}

/// Whether one of several messages, or the only one, says of itself that it is an error's.
fn has_a_grave_one(messages: &Json) -> bool {
    let is_grave = |message: &Json| {
        let members = message.parse::<JsonMap>().unwrap_or_default();
        members.iter().any(|(name, value)| {
            let gravity = value.text().filter(|_| GRAVITIES.contains(&plain_name(name).as_str()));
            gravity.is_some_and(|text| OF_A_GRAVE_ONE.iter().any(|word| word.eq_ignore_ascii_case(text.trim())))
        })
    };
    is_grave(messages) || messages.items().is_some_and(|messages| messages.iter().any(is_grave))
}

/// Whether a name itself says that its member is of an error, whatever is in it.
pub(crate) fn is_of_an_error(name: &str) -> bool {
    let name = plain_name(name);
    let begins = || BEGIN_AS_AN_ERROR.iter().any(|known| name.starts_with(known));
    matches!(name.as_str(), "exception" | "err")
        || begins()
        || END_AS_AN_ERROR.iter().any(|known| name.ends_with(known))
}

/// Of a page without items, or of a report without any: the member that tells of an error in their stead. `described`: what
/// a page has where all is well; `codes`: members by which an error is known; `has_list`: the list is there, and empty. A message
/// alone may say that there are none, if the list is there to say so too.
pub(crate) fn error_of_no_items(
    page: &JsonMap,
    described: &[&str],
    codes: impl IntoIterator<Item = &'static str>,
    has_list: bool,
) -> Option<&'static str> {
    let mut members = page.iter();
    if members.any(|(name, value)| is_of_an_error(name) && !is_blank(value)) {
        return Some("error");
    }
    let members: Vec<_> = page.iter().map(|(name, value)| (plain_name(name), value)).collect();
    if let Some(member) = certain(&members, &[]) {
        return Some(member);
    }
    let others = page.iter().filter(|(name, _)| !described.contains(name));
    let others: Vec<_> = others.map(|(name, value)| (plain_name(name), value)).collect();
    let fails = |member: &str| {
        let member = plain_name(member);
        others
            .iter()
            .any(|(name, value)| *name == member && is_a_failures(value))
    };
    let in_words = |(name, value): &(String, &Json)| IN_WORDS.contains(&name.as_str()) && !is_blank(value);
    let is_told = others.iter().any(in_words);
    let mut own = codes.into_iter();
    own.find(|code| fails(code))
        .or_else(|| (is_told && fails(OF_A_CODE)).then_some(OF_A_CODE))
        .or_else(|| {
            others
                .iter()
                .find_map(|(name, value)| by_what_it_says(name, value, true))
        })
        .or_else(|| {
            others
                .iter()
                .find_map(|(name, value)| told_by(name, value, true).filter(|_| !has_list))
        })
}

/// Whether a code is that of a failure: neither nothing, nor what stands there where all is well.
fn is_a_failures(code: &Json) -> bool {
    let is_well = |text: &str| OF_NO_FAILURE.iter().any(|word| word.eq_ignore_ascii_case(text.trim()));
    let is_none = |number: Decimal| number.is_zero() || number >= 200.into() && number < 300.into();
    !is_blank(code) && !code.decimal().is_some_and(is_none) && !code.plain().is_some_and(|text| is_well(&text))
}

/// A name as it is compared.
fn plain_name(name: &str) -> String {
    let letters = name.chars().filter(|letter| !matches!(letter, '_' | '-'));
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Whether it denies, in any form that a boolean is read from.
fn is_false(value: &Json) -> bool {
    let denies = |text: String| NO.iter().any(|no| no.eq_ignore_ascii_case(text.trim()));
    value.plain().is_some_and(denies)
}

/// Whether it is the status of an error: a number as HTTP has them, alone, before its words or in an object, or a word.
fn is_error_status(value: &Json) -> bool {
    let is_high = |number: Decimal| number >= 400.into();
    let says_so = |text: String| {
        let first = text.split_whitespace().next().unwrap_or_default();
        let is_word = OF_A_FAILURE.iter().any(|word| word.eq_ignore_ascii_case(text.trim()));
        is_word || first.parse().is_ok_and(is_high)
    };
    let code = || {
        value
            .parse::<JsonMap>()
            .ok()
            .and_then(|members| members.json("code")?.decimal())
    };
    value.decimal().or_else(code).is_some_and(is_high) || value.text().is_some_and(says_so)
}

/// Whether a value says that there is nothing: `null`, `false`, zero, or without content.
pub(crate) fn is_blank(value: &Json) -> bool {
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
            (r#"{"httpStatus":500,"message":"Internal"}"#, Some("httpstatus")),
            (r#"{"data":{"error":"declined"}}"#, Some("data")),
            (r#"{"data":{"id":"1"}}"#, None),
            (r#"{"data":{"id":"1"},"message":"booked"}"#, None),
            (r#"{"meta":{"status":400}}"#, Some("meta")),
            (r#"{"meta":{"status":200},"id":"1"}"#, None),
            (r#"{"Result":{"Success":false}}"#, Some("result")),
            (r#"{"result":{"data":{"error":"x"}}}"#, None),
            (r#"{"result":"ERROR"}"#, Some("result")),
            (r#"{"result":"OK","message":"booked"}"#, None),
            (r#"{"ok":false}"#, Some("ok")),
            (r#"{"success":0}"#, Some("success")),
            (r#"{"success":"0","id":"1"}"#, Some("success")),
            (r#"{"success":" No "}"#, Some("success")),
            (r#"{"success":""}"#, None),
            (r#"{"success":1}"#, None),
            (r#"{"isSuccessful":false}"#, Some("issuccessful")),
            (r#"{"response":{"error":"x"}}"#, Some("response")),
            (r#"{"Response":{"Errors":[{"Code":1}]}}"#, Some("response")),
            (r#"{"response":{"id":"1"}}"#, None),
            (r#"{"payload":{"success":0},"requestId":"1"}"#, Some("payload")),
            (r#"{"tppMessages":[{"category":"ERROR"}]}"#, Some("tppmessages")),
            (r#"{"tppMessages":[{"category":"WARNING"}]}"#, None),
            (r#"{"errno":5}"#, Some("errno")),
            (r#"{"errno":0}"#, None),
            (r#"{"err":"x"}"#, Some("err")),
            (r#"{"errand":"x"}"#, None),
            (r#"{"is_success":"FALSE","id":"1"}"#, Some("issuccess")),
            (r#"{"succeeded":false}"#, Some("succeeded")),
            (r#"{"errorMessages":["x"]}"#, Some("error")),
            (r#"{"validationErrors":[{"field":"quoteId"}]}"#, Some("errors")),
            (r#"{"exception":"java.lang.X"}"#, Some("exception")),
            (r#"{"errors":[],"message":"declined"}"#, Some("message")),
            (r#"{"dealId":"","message":"declined"}"#, Some("message")),
            (r#"{"dealId":"1","errorDescription":"late"}"#, None),
            (r#"{"dealId":null,"errorDescription":"x"}"#, Some("error")),
            (r#"{"statusCode":400}"#, Some("statuscode")),
            (r#"{"statusCode":200}"#, None),
            (r#"{"status":"rejected"}"#, Some("status")),
            (r#"{"status":"DECLINED"}"#, Some("status")),
            (r#"{"status":"400 Bad Request"}"#, Some("status")),
            (r#"{"status":"200 OK"}"#, None),
            (r#"{"status":{"code":400,"message":"no"}}"#, Some("status")),
            (r#"{"msg":"declined"}"#, Some("msg")),
            (r#"{"error-code":"5"}"#, Some("error")),
            (r#"{"faultString":"x"}"#, Some("fault")),
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

    #[test]
    fn a_page_without_items_is_known_for_an_error_by_what_its_success_does_not_have() {
        for (page, member) in [
            (r#"{"items":[],"error":"x"}"#, Some("error")),
            (r#"{"items":[],"success":false}"#, Some("success")),
            (r#"{"items":[],"code":601}"#, None),
            (r#"{"items":[],"code":601,"message":"no"}"#, Some("code")),
            (r#"{"items":[],"code":"NO_SUCH","title":"no"}"#, Some("code")),
            (r#"{"items":[],"code":0,"message":"fine"}"#, None),
            (r#"{"items":[],"code":"0000","message":"fine"}"#, None),
            (r#"{"items":[],"code":200,"message":"fine"}"#, None),
            (r#"{"items":[],"code":"299","message":"fine"}"#, None),
            (r#"{"items":[],"code":"300","message":"moved"}"#, Some("code")),
            (r#"{"items":[],"code":199,"message":"no"}"#, Some("code")),
            (r#"{"items":[],"code":" Ok ","message":"fine"}"#, None),
            (r#"{"items":[],"code":null,"message":"fine"}"#, None),
            (r#"{"items":[],"message":"there are none"}"#, None),
            (r#"{"items":[],"own_code":"LIMIT"}"#, Some("own-code")),
            (r#"{"items":[],"own_code":0}"#, None),
            (r#"{"items":[],"status":503}"#, Some("status")),
            (r#"{"items":[],"statusCode":"503 Down"}"#, Some("statuscode")),
            (r#"{"items":[],"status":"ERR"}"#, Some("status")),
            (r#"{"items":[],"status":200}"#, None),
            (r#"{"items":[],"state":503}"#, None),
            (r#"{"items":[],"meta":{"status":500}}"#, Some("meta")),
            (r#"{"items":[],"meta":{"count":0}}"#, None),
            (
                r#"{"items":[],"tppMessages":[{"category":"WARNING"},{"category":"error"}]}"#,
                Some("tppmessages"),
            ),
            (
                r#"{"items":[],"tppMessages":[{"category":"WARNING","text":"ERROR"}]}"#,
                None,
            ),
            (r#"{"items":[],"messages":{"Severity":"FATAL"}}"#, Some("messages")),
            (r#"{"items":[],"messages":["there are none"]}"#, None),
            // What a page is described with says nothing of an error.
            (r#"{"items":[],"result":"ERROR"}"#, None),
        ] {
            let members: JsonMap = page.parse::<Json>().unwrap().parse().unwrap();
            let told = error_of_no_items(&members, &["items", "result"], ["own-code"], true);
            assert_eq!(told, member, "{page}");
        }
        // Where the list is not there, a message stands in its place.
        for (page, member) in [
            (r#"{"links":{},"message":"down"}"#, Some("message")),
            (r#"{"links":{},"type":"x"}"#, None),
            (r#"{"result":{"message":"x"}}"#, None),
            (r#"{"data":{"id":1}}"#, None),
        ] {
            let members: JsonMap = page.parse::<Json>().unwrap().parse().unwrap();
            assert_eq!(error_of_no_items(&members, &["result"], [], false), member, "{page}");
        }
    }

    #[test]
    fn a_described_field_without_a_value_does_not_speak_for_a_success() {
        for (object, member) in [
            (r#"{"id":null,"errorCode":"LIMIT"}"#, Some("error")),
            (r#"{"id":" ","error":"declined"}"#, Some("error")),
            (r#"{"id":null,"new":1,"message":"no"}"#, Some("message")),
            (r#"{"id":null,"data":{"error":"x"}}"#, Some("data")),
            (
                r#"{"id":null,"tppMessages":[{"category":"ERROR"}]}"#,
                Some("tppmessages"),
            ),
            (r#"{"id":null,"tppMessages":[{"category":"WARNING"}]}"#, None),
            (r#"{"id":"1","success":0}"#, None),
            (r#"{"id":[],"success":false}"#, Some("success")),
            (r#"{"id":"1","errorCode":"LIMIT"}"#, None),
            (r#"{"id":null,"status":"FAILED"}"#, None),
            (r#"{"id":null,"status":null,"Status":"FAILED"}"#, Some("status")),
            (r#"{"id":null,"error":null,"new":1}"#, None),
            (r#"{"id":null}"#, None),
            ("{}", None),
        ] {
            let members: JsonMap = object.parse::<Json>().unwrap().parse().unwrap();
            assert_eq!(
                error_instead(&members, &["id", "status"], &["error"]),
                member,
                "{object}"
            );
        }
    }
}
