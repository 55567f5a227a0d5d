//! What shows that the reply to a call that succeeded is an error: one notion of what tells of a failure, and how much of it
//! is enough where a value was expected, a page, or nothing.

use super::{Decimal, Json, JsonMap};

/// How the names of members that tell of an error begin, end, or are.
const ARE_AN_ERRORS: &[&str] = &["errors", "exception", "err"];
const BEGIN_AS_AN_ERROR: &[&str] = &["error", "fault", "errno", "errcode", "errmsg", "errdesc"];
const END_AS_AN_ERROR: &[&str] = &["errors", "error"];

/// Members that say whether there was a success.
const OF_A_SUCCESS: &[&str] = &[
    "success",
    "ok",
    "issuccess",
    "succeeded",
    "successful",
    "issuccessful",
    "noerror",
    "noerrors",
];
const YES: &[&str] = &["true", "1", "y", "yes"];
const NO: &[&str] = &["false", "0", "n", "no"];

/// Members with the status of a reply, and the one that may as well hold a count or a value.
const OF_A_STATUS: &[&str] = &["status", "httpstatus", "statuscode"];
const RESULT: &str = "result";

/// What stands there for a failure, if no number does.
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

/// What stands for no error in the place of one, of a status, of a code or of a message ...
const OF_NO_ERROR: &[&str] = &[
    "ok",
    "okay",
    "success",
    "successful",
    "successfully",
    "succeeded",
    "approved",
    "noerror",
    "noerrors",
];

/// ... and in those other places, or as a member that is true.
const DONE: &[&str] = &[
    "done",
    "accepted",
    "booked",
    "complete",
    "completed",
    "confirmed",
    "created",
    "deleted",
    "executed",
    "pending",
    "processed",
    "processing",
    "queued",
    "received",
    "settled",
    "submitted",
    "updated",
];

/// What stands for nothing in the place of an error or of a code.
const NONE: &[&str] = &["none", "null", "n/a", "no", "false", "nil", ""];

/// A member with a code, and parts of one that is a failure's.
const CODE: &str = "code";
const PARTS_OF_A_FAILURES_CODE: &[&str] = &[
    "error",
    "fail",
    "fault",
    "exception",
    "invalid",
    "denied",
    "declin",
    "reject",
    "forbid",
    "unauthor",
    "unavail",
    "notallowed",
    "nosuch",
    "missing",
    "blocked",
    "exceed",
    "expired",
    "limit",
    "timeout",
    "timedout",
];

/// How a code ends that begins with `no` and tells of nothing but that there are none.
const THERE_ARE_NO: &[&str] = &[
    "found",
    "data",
    "content",
    "result",
    "results",
    "record",
    "records",
    "rows",
    "items",
    "entries",
    "matches",
    "transactions",
    "accounts",
];

/// Members with words for people, and those that may be the words of a value or of a page.
const MESSAGES_FOR_PEOPLE: &[&str] = &["message", "msg", "detail", "details", "reason"];
const LABELS: &[&str] = &["title", "description"];

/// Members that name what an object is.
const OF_A_KIND: &[&str] = &["type", "object"];

/// Members that an error has beside those, and that alone tell nothing.
const BESIDE_AN_ERROR: &[&str] = &[
    "type",
    "timestamp",
    "path",
    "instance",
    "traceid",
    "requestid",
    "correlationid",
];

/// Members with a list of messages, each of which says how grave it is, as the Berlin Group's framework has them; and what the
/// grave ones say.
const MESSAGES: &[&str] = &["tppmessages", "tppmessage", "messages"];
const GRAVITIES: &[&str] = &["category", "severity", "level", "type"];
const OF_A_GRAVE_ONE: &[&str] = &["error", "fatal", "critical"];

/// Members with an object around what a reply says.
const AROUND: &[&str] = &[RESULT, "data", "meta", "response", "body", "payload"];

/// How deep a value is looked through for something that is not blank.
const MOST_BLANKS: usize = 8;

/// The member by which an object of which nothing is described is known for an error. Names are compared without regard to
/// case, `_`, `-` and their vocabulary.
pub(crate) fn error_in(object: &JsonMap) -> Option<&'static str> {
    let told = Told::by(object.iter(), &[], false);
    told.certain
        .or_else(|| told.unless(told.other, told.code.or(told.words)))
}

/// The same where no object was expected, but nothing: words alone are those of a success.
pub(crate) fn error_for_nothing(object: &JsonMap) -> Option<&'static str> {
    let told = Told::by(object.iter(), &[], false);
    let code = told.code.filter(|_| told.words.is_some());
    told.certain.or_else(|| told.unless(told.other, code))
}

/// The same for an object of which the members `described` are described, where none of them has a value: one of the others.
pub(crate) fn error_instead(object: &JsonMap, described: &[&str]) -> Option<&'static str> {
    let mut members = object.iter();
    if members.any(|(name, value)| described.contains(&name) && !is_blank(value)) {
        return None;
    }
    let told = Told::by(others(object, described), &[], false);
    told.certain.or_else(|| told.unless(false, told.code.or(told.words)))
}

/// The same for one that has described values, or items: what nobody described, and tells of an error whatever is beside it.
pub(crate) fn error_beside(object: &JsonMap, described: &[&str]) -> Option<&'static str> {
    Told::by(others(object, described), &[], true).certain
}

/// Of a page without items, or of a report without any: the member that tells of an error in their stead. `described`: what
/// a page has where all is well; `codes`: members by which an error is known; `has_list`: the list is there, and empty. A message
/// alone may say that there are none, if the list is there to say so too.
pub(crate) fn error_of_no_items(
    page: &JsonMap,
    described: &[&str],
    codes: &[&'static str],
    has_list: bool,
) -> Option<&'static str> {
    let told = Told::by(others(page, described), codes, has_list);
    let of_described = || {
        let members = page.iter().filter(|(name, _)| described.contains(name));
        Told::by(members, &[], has_list).certain
    };
    let code = told.code.filter(|_| !told.is_informational);
    let own = code.filter(|code| *code != CODE && codes.contains(code));
    let rest = match has_list {
        true => own.or_else(|| code.filter(|_| told.is_message)),
        false => told.code.or(told.words),
    };
    told.certain.or_else(of_described).or_else(|| told.unless(false, rest))
}

fn others<'o>(object: &'o JsonMap, described: &[&str]) -> impl Iterator<Item = (&'o str, &'o Json)> {
    object.iter().filter(|(name, _)| !described.contains(name))
}

/// Whether a name itself says that its member is of an error, whatever is in it.
pub(crate) fn is_of_an_error(name: &str) -> bool {
    of_an_error(name).is_some()
}

/// Whether a member of this name, which nobody described, may tell of an error whatever is beside it.
pub(crate) fn may_tell(name: &str) -> bool {
    is_of_an_error(name)
        || [OF_A_SUCCESS, OF_A_STATUS, AROUND]
            .iter()
            .any(|names| named(name, names).is_some())
}

/// What the members of an object say of the call that it is the reply to, each by its name.
#[derive(Clone, Copy, Default)]
struct Told {
    /// That it failed, whatever is beside it.
    certain: Option<&'static str>,
    /// That it failed, if nothing else says that it did not.
    failure: Option<&'static str>,
    /// A code that is neither that of a failure nor that of a success.
    code: Option<&'static str>,
    /// ... and that says of itself that it tells of no failure.
    is_informational: bool,
    words: Option<&'static str>,
    /// The words are more than a label.
    is_message: bool,
    /// A member denies that there was a failure.
    is_success: bool,
    /// A status, a code or a word is that of a success.
    is_well: bool,
    /// There is something that has to do with none of this.
    other: bool,
}

impl Told {
    /// `codes`: members that hold the provider's own code; `counts`: a number that denies may be a count.
    fn by<'o>(members: impl Iterator<Item = (&'o str, &'o Json)>, codes: &[&'static str], counts: bool) -> Self {
        let mut told = Self::default();
        for (name, value) in members {
            match around(name, value) {
                Some((member, inside)) => {
                    let mut inner = Self::default();
                    for (name, value) in inside.iter() {
                        inner.note(name, value, codes, counts);
                    }
                    told.take_in(member, inner);
                }
                None => told.note(name, value, codes, counts),
            }
        }
        told
    }

    /// What is enough for an error where none is certain: a failure, or else `rest`, which a sign of a success outweighs.
    fn unless(&self, other: bool, rest: Option<&'static str>) -> Option<&'static str> {
        match self.is_success || other {
            true => None,
            false => self.failure.or_else(|| rest.filter(|_| !self.is_well)),
        }
    }

    fn take_in(&mut self, member: &'static str, inner: Self) {
        let as_member = |told: Option<&'static str>| told.map(|_| member);
        self.certain = self.certain.or(as_member(inner.certain));
        self.failure = self.failure.or(as_member(inner.failure));
        self.code = self.code.or(as_member(inner.code));
        self.words = self.words.or(as_member(inner.words));
        self.is_informational |= inner.is_informational;
        self.is_message |= inner.is_message;
        self.is_success |= inner.is_success;
        self.is_well |= inner.is_well;
        self.other |= inner.other;
    }

    fn note(&mut self, name: &str, value: &Json, codes: &[&'static str], counts: bool) {
        if let Some(member) = of_an_error(name) {
            match says_nothing(value) {
                true => self.is_well |= is_said(value),
                false => self.certain = self.certain.or(Some(member)),
            }
        } else if let Some(member) = named(name, OF_A_SUCCESS) {
            let is_count = counts && !value.get().starts_with(['"', 'f']);
            self.is_success |= is_one_of(value, YES);
            if is_one_of(value, NO) && !is_count {
                self.certain = self.certain.or(Some(member));
            }
        } else if let Some(member) = named(name, codes).or_else(|| named(name, &[CODE])) {
            self.note_code(member, value);
        } else if !is_blank(value) {
            self.note_something(name, value);
        }
    }

    fn note_something(&mut self, name: &str, value: &Json) {
        if let Some(member) = named(name, OF_A_STATUS).or_else(|| named(name, &[RESULT])) {
            match is_error_status(value) {
                true if member != RESULT => self.certain = self.certain.or(Some(member)),
                true => self.failure = self.failure.or(Some(member)),
                false if is_one_of(value, OF_A_FAILURE) => self.failure = self.failure.or(Some(member)),
                false if is_well(value) => self.is_well = true,
                false => self.other |= member == RESULT,
            }
        } else if let Some(member) = named(name, MESSAGES_FOR_PEOPLE).or_else(|| named(name, LABELS)) {
            self.is_well |= is_a_word_of_success(value);
            self.is_message |= !LABELS.contains(&member);
            self.words = self.words.or(Some(member));
        } else if let Some(member) = named(name, MESSAGES).filter(|_| has_a_grave_one(value)) {
            self.failure = self.failure.or(Some(member));
        } else if let Some(member) = named(name, OF_A_KIND).filter(|_| is_an_errors_kind(value)) {
            self.failure = self.failure.or(Some(member));
        } else if named(name, DONE).is_some() && is_one_of(value, YES) {
            self.is_success = true;
        } else {
            self.other |= named(name, BESIDE_AN_ERROR).is_none();
        }
    }

    fn note_code(&mut self, member: &'static str, code: &Json) {
        if says_nothing(code) || is_well(code) {
            self.is_well |= is_said(code);
        } else if is_error_status(code) || has_a_part(code, PARTS_OF_A_FAILURES_CODE) {
            self.failure = self.failure.or(Some(member));
        } else {
            self.code = self.code.or(Some(member));
            self.is_informational |= is_informational(code);
        }
    }
}

/// The object in a member that holds what a reply says.
fn around(name: &str, value: &Json) -> Option<(&'static str, JsonMap)> {
    let member = named(name, AROUND)?;
    Some((member, value.parse().ok()?))
}

/// Whether one of several messages, or the only one, says of itself that it is an error's.
fn has_a_grave_one(messages: &Json) -> bool {
    let is_grave = |message: &Json| {
        let members = message.parse::<JsonMap>().unwrap_or_default();
        let mut gravities = members.iter().filter(|(name, _)| named(name, GRAVITIES).is_some());
        gravities.any(|(_, value)| is_one_of(value, OF_A_GRAVE_ONE))
    };
    is_grave(messages) || messages.items().is_some_and(|messages| messages.iter().any(is_grave))
}

fn of_an_error(name: &str) -> Option<&'static str> {
    let find =
        |names: &[&'static str], is_it: fn(&str, &str) -> bool| names.iter().copied().find(|known| is_it(name, known));
    let begins = |name: &str, known: &str| {
        let mut letters = letters(name);
        known.chars().all(|letter| letters.next() == Some(letter))
    };
    let ends = |name: &str, known: &str| {
        let mut letters = letters(name).rev();
        known.chars().rev().all(|letter| letters.next() == Some(letter))
    };
    if named(name, OF_A_SUCCESS).is_some() {
        return None;
    }
    named(name, ARE_AN_ERRORS)
        .or_else(|| find(BEGIN_AS_AN_ERROR, begins))
        .or_else(|| find(END_AS_AN_ERROR, ends))
}

/// The one of these names that a name is.
pub(super) fn named(name: &str, names: &[&'static str]) -> Option<&'static str> {
    names.iter().copied().find(|known| are_alike(name, known))
}

pub(super) fn are_alike(name: &str, other: &str) -> bool {
    letters(name).eq(letters(other))
}

/// A name as it is compared: without its vocabulary, as in `hydra:title`, and without `_` and `-`.
pub(super) fn letters(name: &str) -> impl DoubleEndedIterator<Item = char> {
    let name = name.rsplit(':').next().unwrap_or_default().trim_start_matches('@');
    let letters = name.strip_prefix("odata.").unwrap_or(name).chars();
    let letters = letters.filter(|letter| !matches!(letter, '_' | '-'));
    letters.map(|letter| letter.to_ascii_lowercase())
}

/// A single value as it is compared.
fn word(value: &Json) -> Option<String> {
    let text = value.plain()?;
    if value.decimal().is_some() {
        return Some(text.trim().to_owned());
    }
    let letters = text.trim().trim_end_matches(['.', '!']).chars();
    let letters = letters.filter(|letter| !matches!(letter, '_' | '-' | ' '));
    Some(letters.map(|letter| letter.to_ascii_lowercase()).collect())
}

fn is_one_of(value: &Json, words: &[&str]) -> bool {
    word(value).is_some_and(|word| words.contains(&word.as_str()))
}

fn has_a_part(value: &Json, parts: &[&str]) -> bool {
    word(value).is_some_and(|word| parts.iter().any(|part| word.contains(part)))
}

/// Whether it is the status of an error, as HTTP has them: alone, before its words, or in an object.
fn is_error_status(value: &Json) -> bool {
    let code = || value.parse::<JsonMap>().ok()?.json(CODE).and_then(status);
    let status = status(value).or_else(code);
    status.is_some_and(|status| status >= 400.into() && status < 600.into())
}

/// Whether a status or a code says that all is well.
fn is_well(value: &Json) -> bool {
    status(value).is_some_and(is_of_a_success) || is_a_word_of_success(value)
}

fn is_a_word_of_success(value: &Json) -> bool {
    is_one_of(value, OF_NO_ERROR) || is_one_of(value, DONE)
}

fn is_of_a_success(status: Decimal) -> bool {
    status >= 200.into() && status < 300.into()
}

fn status(value: &Json) -> Option<Decimal> {
    let of_text = || value.text()?.split_whitespace().next()?.parse().ok();
    value.decimal().or_else(of_text)
}

/// Whether a code beside an empty list is plainly not that of a failure: it says that there are none, or is a number as
/// failures do not have them.
fn is_informational(code: &Json) -> bool {
    if let Some(number) = code.decimal() {
        let is_a_failures = number < 0.into() || number >= 300.into() && number < 1000.into();
        return !is_a_failures && !word(code).is_some_and(|digits| digits.starts_with(['4', '5']));
    }
    let text = code.plain().unwrap_or_default().to_ascii_lowercase();
    let mut parts = text.split(|letter: char| !letter.is_alphanumeric());
    match parts.next() {
        Some("no") => parts.next_back().is_some_and(|part| THERE_ARE_NO.contains(&part)),
        first => first == Some("empty"),
    }
}

/// Whether the kind of an object is an error's: `hydra:Error`, `ValidationError`.
fn is_an_errors_kind(kind: &Json) -> bool {
    word(kind).is_some_and(|kind| kind.ends_with("error"))
}

/// Whether there is a word or a number, whatever it says.
fn is_said(value: &Json) -> bool {
    value.plain().is_some_and(|text| !text.trim().is_empty())
}

/// Whether a value in the place of an error or of a code says that there is none.
fn says_nothing(value: &Json) -> bool {
    let is_none = |value: &Json| {
        let is_none = |number: Decimal| number.is_zero() || is_of_a_success(number);
        value.decimal().is_some_and(is_none) || is_one_of(value, NONE) || is_one_of(value, OF_NO_ERROR)
    };
    holds_only(value, is_none, MOST_BLANKS)
}

/// Whether a value says that there is nothing: `null`, `false`, zero, without content, or with nothing else in it.
pub(crate) fn is_blank(value: &Json) -> bool {
    let is_none = |value: &Json| match value.text() {
        Some(text) => text.trim().is_empty(),
        None => value.get().starts_with('f') || value.decimal().is_some_and(|number| number.is_zero()),
    };
    holds_only(value, is_none, MOST_BLANKS)
}

/// Whether all single values in it are so, or `null`.
fn holds_only(value: &Json, is_so: fn(&Json) -> bool, depth: usize) -> bool {
    let inside = |value: &Json| depth > 0 && holds_only(value, is_so, depth - 1);
    match value.get().trim_start().as_bytes().first() {
        Some(b'[') => value.items().is_some_and(|items| items.iter().all(inside)),
        Some(b'{') => value
            .parse::<JsonMap>()
            .is_ok_and(|members| members.iter().all(|(_, value)| inside(value))),
        Some(b'n') => true,
        _ => is_so(value),
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
            (r#"{"data":{"id":"1"},"message":"noted"}"#, None),
            (r#"{"data":{"success":true,"message":"declined"}}"#, None),
            (r#"{"status":"X9","message":"declined"}"#, Some("message")),
            (r#"{"id":"1","status":"X9","message":"noted"}"#, None),
            (r#"{"result":1234,"message":"noted"}"#, None),
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
            (r#"{"dealId":"1","errorDescription":"late"}"#, Some("error")),
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
            (r#"{"status":400,"id":"1"}"#, Some("status")),
            (r#"{"status":201}"#, None),
            (r#"{"status":"DONE","success":true}"#, None),
            (r#"{"fault":null,"error":"","status":200}"#, None),
            ("{}", None),
        ] {
            let members: JsonMap = object.parse::<Json>().unwrap().parse().unwrap();
            assert_eq!(error_in(&members), member, "{object}");
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
            (r#"{"items":[],"code":199,"message":"no"}"#, None),
            (r#"{"items":[],"code":1000,"message":"no"}"#, None),
            (r#"{"items":[],"meta":{"code":"NO_DATA","message":"none"}}"#, None),
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
            let told = error_of_no_items(&members, &["items", "result"], &["own-code"], true);
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
            assert_eq!(error_of_no_items(&members, &["result"], &[], false), member, "{page}");
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
            assert_eq!(error_instead(&members, &["id", "status"]), member, "{object}");
        }
    }

    /// What speaks for a success outweighs words and codes, and what says that there was no error tells of none.
    #[test]
    fn what_says_that_all_is_well_is_no_error() {
        for beside in NO_ERRORS {
            for object in [format!(r#"{{{beside}}}"#), format!(r#"{{"id":"1",{beside}}}"#)] {
                let members = members(&object);
                let told = [
                    error_in(&members),
                    error_for_nothing(&members),
                    error_beside(&members, &["id"]),
                ];
                assert_eq!(told, [None; 3], "{object}");
            }
        }
        for (object, of_value, of_nothing) in [
            (r#"{"success":true,"message":"deleted"}"#, None, None),
            (r#"{"status":"success","message":"deleted"}"#, None, None),
            (r#"{"code":0,"message":"OK"}"#, None, None),
            (r#"{"code":"0","message":"OK"}"#, None, None),
            (r#"{"code":200,"message":"OK"}"#, None, None),
            (r#"{"code":"200","message":"OK","data":null}"#, None, None),
            (r#"{"code":"200 OK","message":"gone"}"#, None, None),
            (r#"{"message":"Accepted"}"#, None, None),
            (r#"{"message":"Success!"}"#, None, None),
            (r#"{"data":{"message":"deleted"}}"#, None, None),
            (r#"{"meta":{"code":200,"message":"OK"}}"#, None, None),
            (r#"{"status":"deleted","reason":"user request"}"#, None, None),
            (r#"{"title":"Deleted","status":200,"detail":"gone"}"#, None, None),
            (
                r#"{"timestamp":"t","status":200,"message":"Deleted","path":"/x"}"#,
                None,
                None,
            ),
            (r#"{"Response":{"Code":"00","Message":"Approved"}}"#, None, None),
            (r#"{"id":"t","deleted":true,"message":"Template deleted"}"#, None, None),
            (r#"{"id":"t","deleted":true,"code":"ok"}"#, None, None),
            (r#"{"deleted":true,"message":"Template deleted"}"#, None, None),
            (r#"{"data":{"code":"D1","status":"BOOKED","type":"spot"}}"#, None, None),
            (r#"{"data":{"title":"Deal","code":"D-1"},"success":true}"#, None, None),
            (
                r#"{"type":"deal","status":"CONFIRMED","description":"spot"}"#,
                None,
                None,
            ),
            (r#"{"status":"success","message":"Deal created"}"#, None, None),
            (r#"{"code":0,"message":"Deal booked"}"#, None, None),
            (r#"{"errors":false,"message":"Deal booked"}"#, None, None),
            (r#"{"noErrors":true,"message":"gone"}"#, None, None),
            (r#"{"noError":false}"#, Some("noerror"), Some("noerror")),
            (r#"{"result":1234}"#, None, None),
            (r#"{"result":1234,"message":"ok"}"#, None, None),
            (r#"{"result":"deleted","message":"gone"}"#, None, None),
            // Words alone are enough where nothing was to come.
            (r#"{"message":"Template deleted"}"#, Some("message"), None),
            (r#"{"title":"x","detail":"y"}"#, Some("detail"), None),
            (r#"{"code":"X"}"#, Some("code"), None),
            (r#"{"code":"X","message":"y"}"#, Some("code"), Some("code")),
            (
                r#"{"code":"CONSENT_IN_USE","message":"not deleted"}"#,
                Some("code"),
                Some("code"),
            ),
            (r#"{"code":17,"message":"declined"}"#, Some("code"), Some("code")),
            (r#"{"data":{"code":"X"},"message":"y"}"#, Some("data"), Some("data")),
            (r#"{"code":"ACCESS_DENIED"}"#, Some("code"), Some("code")),
            (r#"{"code":"404"}"#, Some("code"), Some("code")),
            (
                r#"{"errorCode":"CONSENT_IN_USE","errorDescription":"x"}"#,
                Some("error"),
                Some("error"),
            ),
            (r#"{"error":"x","success":true}"#, Some("error"), Some("error")),
            (r#"{"success":false,"message":"OK"}"#, Some("success"), Some("success")),
            (r#"{"status":403,"message":"no"}"#, Some("status"), Some("status")),
            (
                r#"{"status":"error","code":0,"message":"declined"}"#,
                Some("status"),
                Some("status"),
            ),
            (r#"{"status":"failed","message":"OK"}"#, Some("status"), Some("status")),
            (
                r#"{"type":"ValidationError","message":"x"}"#,
                Some("type"),
                Some("type"),
            ),
            (
                r#"{"@type":"hydra:Error","hydra:title":"x"}"#,
                Some("type"),
                Some("type"),
            ),
            (r#"{"object":"error","message":"x"}"#, Some("object"), Some("object")),
            (r#"{"data":{"id":"1","error":"x"}}"#, Some("data"), Some("data")),
        ] {
            let members = members(object);
            let told = (error_in(&members), error_for_nothing(&members));
            assert_eq!(told, (of_value, of_nothing), "{object}");
        }
    }

    /// An error that is there tells of one whatever is beside it; beside values and items a number may be a count of successes.
    #[test]
    fn some_of_what_tells_of_an_error_is_certain_beside_described_values_and_items() {
        for (beside, member) in [
            (r#""success":false,"error":"upstream timed out""#, Some("error")),
            (r#""status":500,"message":"incomplete""#, Some("status")),
            (r#""statusCode":"503 Down""#, Some("statuscode")),
            (r#""success":"no""#, Some("success")),
            (r#""hasErrors":true"#, Some("errors")),
            (r#""errors":[{"code":1}]"#, Some("errors")),
            (r#""meta":{"error":"x"}"#, Some("meta")),
            (r#""error":1"#, Some("error")),
            (r#""success":0"#, None),
            (r#""result":450"#, None),
            (r#""status":"FAILED""#, None),
            (r#""status":399"#, None),
            (r#""status":600"#, None),
            (r#""code":500,"message":"x""#, None),
            (r#""message":"x""#, None),
        ] {
            let page = members(&format!(r#"{{"items":[1],"error_of_mine":"x",{beside}}}"#));
            assert_eq!(error_beside(&page, &["items", "error_of_mine"]), member, "{beside}");
        }
    }

    /// Nothing, in the places of an error.
    const NO_ERRORS: &[&str] = &[
        r#""errorCode":"0","errorMessage":"""#,
        r#""errorCode":"0""#,
        r#""errorCode":"0000""#,
        r#""errorCode":0.0"#,
        r#""errorCode":"OK","errorDescription":"""#,
        r#""errorCode":"SUCCESS""#,
        r#""errorCode":200"#,
        r#""errorCode":"NO_ERROR""#,
        r#""errorDescription":"none""#,
        r#""error":"none""#,
        r#""error":"N/A""#,
        r#""error":"null""#,
        r#""error":"nil""#,
        r#""error":"no""#,
        r#""error":"-""#,
        r#""error":"false""#,
        r#""error":"0""#,
        r#""error":{"code":0,"message":""}"#,
        r#""error":{"code":null,"message":null}"#,
        r#""error":{"code":null}"#,
        r#""error":{"code":"00","message":"ok","details":[{}]}"#,
        r#""errors":[null]"#,
        r#""errors":[[],{}]"#,
        r#""errors":{"count":0}"#,
        r#""error_code":"0""#,
        r#""error_code":"SUCCESS""#,
        r#""hasErrors":"false""#,
        r#""errorCount":0"#,
    ];

    fn members(object: &str) -> JsonMap {
        object.parse::<Json>().unwrap().parse().unwrap()
    }

    /// Beside a list that is there and empty, what is no failure says why there are none.
    #[test]
    fn an_empty_list_is_one_beside_what_tells_of_no_failure() {
        let good = [
            r#""meta":{"code":200,"message":"OK"}"#,
            r#""meta":{"status":"success","message":"OK"}"#,
            r#""meta":{"title":"Transactions"}"#,
            r#""meta":{"description":"your transactions"}"#,
            r#""meta":{"total":0,"message":"none"}"#,
            r#""result":{"code":0,"message":"ok"}"#,
            r#""result":{"message":"no movements"}"#,
            r#""response":{"code":"00","message":"Approved"}"#,
            r#""code":"NO_TRANSACTIONS_FOUND","message":"none in this period""#,
            r#""code":"NO_DATA","message":"x""#,
            r#""code":"EMPTY","message":"x""#,
            r#""code":1,"message":"Success""#,
            r#""code":1,"message":"x""#,
            r#""code":"200 OK""#,
            r#""code":"200 OK","message":"x""#,
            r#""code":"APPROVED","message":"x""#,
            r#""code":100,"message":"x""#,
            r#""code":"2000","message":"x""#,
            r#""code":"20000","message":"x""#,
            r#""title":"Transactions","code":"TX""#,
            r#""title":"Movements","code":"M1""#,
            r#""success":0"#,
            r#""status":1000"#,
        ];
        for beside in good.iter().chain(NO_ERRORS) {
            let page = members(&format!(r#"{{"items":[],{beside}}}"#));
            for codes in [&[][..], &["code", "error_code", "errorCode"]] {
                assert_eq!(error_of_no_items(&page, &["items"], codes, true), None, "{beside}");
            }
        }
        for beside in [
            r#""code":"NO_CONTRACT","message":"x""#,
            r#""code":"NOT_FOUND","message":"x""#,
            r#""code":"X","message":"x""#,
            r#""code":-1,"message":"x""#,
            r#""code":40101,"message":"x""#,
            r#""code":601,"message":"x""#,
            r#""code":"unauthorized""#,
            r#""code":500"#,
            r#""meta":{"code":"X","message":"x"}"#,
            r#""response":{"status":"failed"}"#,
            r#""data":{"success":false}"#,
            r#""success":"0""#,
            r#""status":"rejected","code":0"#,
            r#""@type":"hydra:Error""#,
        ] {
            let page = members(&format!(r#"{{"items":[],{beside}}}"#));
            assert!(error_of_no_items(&page, &["items"], &[], true).is_some(), "{beside}");
        }
    }

    /// Where the list is missing, a message or a code stands in its place, unless it is that of a success.
    #[test]
    fn a_list_that_is_missing_is_no_empty_one_beside_words_or_a_code() {
        for (page, is_error) in [
            (r#"{"items":null,"message":"Service unavailable"}"#, true),
            (r#"{"items":null,"code":500}"#, true),
            (r#"{"items":null,"code":"X","message":"x"}"#, true),
            (r#"{"items":null,"success":0}"#, true),
            (r#"{"items":null,"meta":{"message":"down"}}"#, true),
            (
                r#"{"@context":"/contexts/Error","@type":"hydra:Error","hydra:title":"x"}"#,
                true,
            ),
            (r#"{"@type":"hydra:Error"}"#, true),
            (r#"{"hydra:title":"An error occurred"}"#, true),
            (r#"{"items":null,"success":true,"message":"none"}"#, false),
            (r#"{"items":null,"code":200,"message":"none"}"#, false),
            (r#"{"items":null,"@type":"hydra:Collection"}"#, false),
            (r#"{"items":null,"count":0}"#, false),
        ] {
            let told = error_of_no_items(&members(page), &["items"], &[], false);
            assert_eq!(told.is_some(), is_error, "{page}");
        }
    }

    #[test]
    fn a_value_is_blank_where_there_is_nothing_in_it_however_deep() {
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for (value, is) in [
            ("null", true),
            ("false", true),
            ("-0.0", true),
            (r#"" ""#, true),
            (r#"{"a":{"b":[null,0]}}"#, true),
            (r#"{"a":{"b":[null,1]}}"#, false),
            (r#"{"a":null,"a":null}"#, false),
            ("true", false),
            (r#""0""#, false),
            (r#""none""#, false),
            (&deep(8), true),
            (&deep(50_000), false),
        ] {
            assert_eq!(is_blank(&value.parse().unwrap()), is, "{:.40}", value);
        }
    }
}
