//! What the members of a reply are called that tells of an error or of a success, and what stands in them.

use crate::value::outcome_words::spelled;

/// How the names of members that tell of an error begin, end, or are.
pub(super) const ARE_AN_ERRORS: &[&str] = &["errors", "exception", "err"];
pub(super) const BEGIN_AS_AN_ERROR: &[&str] = &["error", "fault", "errno", "errcode", "errmsg", "errdesc"];
pub(super) const END_AS_AN_ERROR: &[&str] = &["errors", "error"];

/// The words before an error in the names of settings that say what is done about one, and how those names end that go on after
/// an error or a failure: they are of something that has to do with one, and there may be none.
pub(super) const OF_A_RULE: &[&str] = &["hide", "ignore", "include", "on", "show", "skip", "suppress"];
pub(super) const GO_ON: &[&str] = &[
    "url",
    "uri",
    "link",
    "href",
    "redirect",
    "contact",
    "policy",
    "amount",
    "attempts",
    "handling",
    "handler",
    "callback",
    "webhook",
    "email",
    "recipient",
    "recipients",
    "notification",
    "notifications",
    "page",
    "deadline",
    "rate",
    "margin",
    "threshold",
    "tolerance",
];

/// How the names of links end; and the one that OAuth has for an error (RFC 6749).
pub(super) const END_AS_A_LINK: &[&str] = &["url", "uri", "link", "href", "redirect"];
pub(super) const LINK_OF_AN_ERROR: &str = "error_uri";

/// How the names end, in an error, of its code, of its words, and of how grave it is.
pub(super) const END_AS_A_CODE: &[&str] = &["code", "errno", "number"];
pub(super) const END_AS_WORDS: &[&str] = &[
    "message",
    "msg",
    "description",
    "desc",
    "detail",
    "details",
    "reason",
    "text",
    "string",
    "title",
];
pub(super) const END_AS_A_GRAVITY: &[&str] = &["level", "severity", "category"];

/// How the names of members that tell of a failure begin. Unlike an error, a success may have one: of an attempt before it.
pub(super) const BEGIN_AS_A_FAILURE: &[&str] = &[
    "failed",
    "failure",
    "rejected",
    "rejection",
    "declined",
    "denied",
    "rejectreason",
    "rejectcode",
    "rejecttext",
    "declinereason",
    "declinecode",
    "refusal",
    "refused",
    "denyreason",
    "denycode",
    "denial",
    "problem",
    "violations",
    "stacktrace",
];

/// Members that say whether there was a success ...
pub(super) const OF_A_SUCCESS: &[&str] = &[
    "success",
    "ok",
    "issuccess",
    "succeeded",
    "successful",
    "issuccessful",
    "wassuccessful",
    "hassucceeded",
    "successflag",
    "noerror",
    "noerrors",
];
pub(super) const YES: &[&str] = &["true", "1", "y", "yes"];
pub(super) const NO: &[&str] = &["false", "0", "n", "no"];

/// ... and those that do if they deny it: of what was to be done, and, if the call ends something, of that.
pub(super) const DENIED_IF_FALSE: &[&str] = &[
    "approved",
    "accepted",
    "booked",
    "created",
    "done",
    "executed",
    "received",
    "submitted",
];
pub(super) const DENIED_IF_NOT_ENDED: &[&str] = &["deleted", "removed", "revoked", "terminated", "updated"];
pub(super) const NOT_ENDED: &[&str] = &["false", "n", "no", "0"];

/// What came to its end by itself, or was ended before it was done: of what was to be made, `true` is a failure.
pub(super) const AT_AN_END: &[&str] = &["cancelled", "canceled", "expired", "lapsed", "withdrawn"];

/// What a name of those may have before it: `isRejected`.
const BEFORE_AN_ANSWER: &[&str] = &["is", "has", "was"];

/// Members with the status of a reply, and the one that may as well hold a count or a value.
pub(super) const OF_A_STATUS: &[&str] = &[
    "status",
    "httpstatus",
    "statuscode",
    "httpstatuscode",
    "httpcode",
    "responsestatus",
    "resultstatus",
    "ack",
];
pub(super) const RESULT: &str = "result";

/// How the names of those end that say where a thing stands, and how they begin where it is of before.
pub(super) const END_AS_A_STATUS: &[&str] = &["status", "state", "outcome"];
pub(super) const BEGIN_AS_BEFORE: &[&str] = &["previous", "prior", "last", "old"];

/// How the names end of those that say it in words, or by a code of words.
const END_AS_STATUS_WORDS: &[&str] = &[
    "statuscode",
    "statusdescription",
    "statusdesc",
    "statusname",
    "statustext",
    "statusvalue",
];

/// Members of a status that is an object, with the word for it.
pub(super) const WORD_OF_A_STATUS: &[&str] = &["value", "name", "text", "label"];

/// How the names begin of ids that say nothing of what was done: a reply tells them of the call, or of what it was about.
pub(super) const IDS_OF_A_CALL: &[&str] = &[
    "client",
    "correlation",
    "customer",
    "debug",
    "error",
    "log",
    "message",
    "quote",
    "refid",
    "request",
    "session",
    "span",
    "trace",
    "user",
];

/// Those of a gateway, of what a reply was logged as, and of what the call was about: a thing that was read may be known by one,
/// but it does not show that something was done.
const IDS_OF_A_GATEWAY: &[&str] = &[
    "activity",
    "api",
    "event",
    "incident",
    "operation",
    "ray",
    "req",
    "support",
    "xrequest",
];
const IDS_OF_A_PARTY: &[&str] = &["account", "beneficiary"];

/// What calls make, in the order in which it is looked for. A deal is what its parts are of.
pub(super) const DEAL: &str = "deal";
const MADE: &[&str] = &[
    DEAL,
    "booking",
    "order",
    "payment",
    "payout",
    "trade",
    "transaction",
    "transfer",
];
/// What may stand before it in the name of an object, and behind it.
const BEFORE_WHAT_IS_MADE: &[&str] = &["booked", "created", "forward", "fx", "new", "spot"];
const BEHIND_WHAT_IS_MADE: &[&str] = &["", "s", "data", "detail", "details", "info", "record", "summary"];
/// How the names of its ids may end, beside `Id`.
const END_AS_AN_ID: &[&str] = &["number", "no", "ref"];

/// Names of objects that may be what was made, whatever that is, and how others of a reply's answer end.
const ANSWERS: &[&str] = &[
    "content", "entity", "item", "items", "output", "record", "records", "reply", "resource",
];
const END_AS_AN_ANSWER: &[&str] = &["response", "result", "results"];

/// How the names begin of objects that tell of something else than what became of the call.
const BESIDE_WHAT_WAS_DONE: &[&str] = &["history", "info", "notice", "warning"];

/// What stands for nothing, and in the place of an error for none.
pub(super) const NONE: &[&str] = &["none", "null", "n/a", "n.a", "nil", "undefined", ""];
pub(super) const NO_ERROR: &[&str] = &["no", "false", "n", "f"];

/// Members with a code. The first may be that of a thing, too.
pub(super) const CODES: &[&str] = &[
    "code",
    "responsecode",
    "resultcode",
    "returncode",
    "replycode",
    "reasoncode",
    "respcode",
    "retcode",
    "rc",
];

/// Members with words for people, and those that may be the words of a value or of a page.
pub(super) const MESSAGES_FOR_PEOPLE: &[&str] = &[
    "message",
    "msg",
    "detail",
    "details",
    "reason",
    "text",
    "usermessage",
    "developermessage",
    "httpmessage",
    "responsemessage",
    "resultmessage",
    "returnmessage",
    "responsetext",
    "responsedescription",
    "responsedesc",
    "responsemsg",
    "respmsg",
    "resulttext",
    "resultdescription",
    "resultdesc",
    "resultmsg",
    "returnmsg",
    "retmsg",
    "statusmessage",
];
pub(super) const LABELS: &[&str] = &["title", "description"];

/// Members that name what an object is, and those that are as often the name of a thing.
pub(super) const OF_A_KIND: &[&str] = &["type", "object", "class"];
pub(super) const NAME: &str = "name";
pub(super) const KINDS_OF_ERRORS: &[&str] = &["error", "exception"];

/// Members that an error has beside those, and that alone tell nothing.
pub(super) const BESIDE_AN_ERROR: &[&str] = &[
    "type",
    "timestamp",
    "path",
    "method",
    "instance",
    "traceid",
    "requestid",
    "correlationid",
    "debugid",
    "logref",
    "servertime",
    "loc",
    "field",
    "issue",
];

/// Members with a list of messages, each of which says how grave it is, as the Berlin Group's framework has them; and what the
/// grave ones say.
pub(super) const MESSAGES: &[&str] = &["tppmessages", "tppmessage", "messages"];
pub(super) const GRAVITIES: &[&str] = &["category", "severity", "level", "type"];
pub(super) const OF_A_GRAVE_ONE: &[&str] = &["error", "fatal", "critical"];

/// Members with an object around what a reply says.
pub(super) const AROUND: &[&str] = &[RESULT, "data", "meta", "response", "body", "payload", "envelope"];

pub(super) fn of_an_error(name: &str) -> Option<&'static str> {
    if named(name, OF_A_SUCCESS).is_some() {
        return None;
    }
    let member = named(name, ARE_AN_ERRORS)
        .or_else(|| begins_as(name, BEGIN_AS_AN_ERROR))
        .or_else(|| ends_as(name, END_AS_AN_ERROR))?;
    (!(goes_on(name) || is_a_rule(name))).then_some(member)
}

/// Whether the name is that of a setting: `stopOnError`, `ignoreErrors`. In `validationErrors` no word is one of a setting.
fn is_a_rule(name: &str) -> bool {
    let spelled = spelled(name);
    let words: Vec<_> = spelled.split_whitespace().collect();
    let is_said = words
        .windows(2)
        .any(|pair| matches!(pair, [rule, error] if OF_A_RULE.contains(rule) && begins_as(error, BEGIN_AS_AN_ERROR).is_some()));
    is_said || named(name, &["onerror", "onerrors"]).is_some()
}

pub(super) fn of_a_failure(name: &str) -> Option<&'static str> {
    let after = |before: &&str| {
        let rest = letters(name).collect::<String>();
        rest.strip_prefix(*before)
            .and_then(|rest| begins_as(rest, BEGIN_AS_A_FAILURE))
    };
    begins_as(name, BEGIN_AS_A_FAILURE)
        .or_else(|| begins_as(name, BEFORE_AN_ANSWER).and_then(|before| after(&before)))
        .filter(|_| !goes_on(name))
}

/// Whether a name is one of these, alone or as a question: `booked`, `isBooked`.
pub(super) fn answers(name: &str, names: &[&'static str]) -> bool {
    // Most names are none of these.
    if begins_as(name, names)
        .or_else(|| begins_as(name, BEFORE_AN_ANSWER))
        .is_none()
    {
        return false;
    }
    let rest = letters(name).collect::<String>();
    let after = |before: &&str| rest.strip_prefix(*before).is_some_and(|rest| names.contains(&rest));
    names.contains(&rest.as_str()) || BEFORE_AN_ANSWER.iter().any(after)
}

/// The end of a name that says in words where what was done stands.
pub(super) fn of_status_words(name: &str) -> Option<&'static str> {
    ends_as(name, END_AS_STATUS_WORDS).filter(|_| begins_as(name, BEGIN_AS_BEFORE).is_none())
}

/// Whether what stands under the name tells of what was done: not of the call, of what it was about, or of before.
pub(super) fn may_be_what_was_done(name: &str) -> bool {
    [IDS_OF_A_CALL, BEGIN_AS_BEFORE, BESIDE_WHAT_WAS_DONE]
        .iter()
        .all(|names| begins_as(name, names).is_none())
}

/// Whether the name of a member of an error or of a failure goes on, to something that may be there without one.
pub(super) fn goes_on(name: &str) -> bool {
    let is_of_one = [BEGIN_AS_AN_ERROR, BEGIN_AS_A_FAILURE, ARE_AN_ERRORS]
        .iter()
        .any(|names| begins_as(name, names).is_some());
    is_of_one && name != LINK_OF_AN_ERROR && ends_as(name, GO_ON).is_some()
}

/// The end of a name that says where what was done stands now.
pub(super) fn of_a_thing(name: &str) -> Option<&'static str> {
    ends_as(name, END_AS_A_STATUS).filter(|_| begins_as(name, BEGIN_AS_BEFORE).is_none())
}

/// Whether the name is that of the id of what was done.
pub(super) fn is_an_id(name: &str) -> bool {
    let is_one = named(name, &["id"]).is_some()
        || ["Id", "ID", "_id", "-id"].iter().any(|end| name.ends_with(end))
        || ends_as(name, &["reference"]).is_some();
    is_one && begins_as(name, IDS_OF_A_CALL).is_none()
}

/// Whether it is the id of nothing but the call, or of the reply: what stands beside it may be an error's.
pub(super) fn is_of_a_gateway(name: &str) -> bool {
    begins_as(name, IDS_OF_A_GATEWAY).is_some()
}

/// Whether it is an id that shows that something was done.
pub(super) fn is_id_of_what_was_done(name: &str) -> bool {
    let is_number = || named(name, &["uuid"]).is_some() || is_number_of_what_is_made(name);
    let is_anothers = || is_of_a_gateway(name) || begins_as(name, IDS_OF_A_PARTY).is_some();
    (is_an_id(name) || is_number()) && !is_anothers()
}

/// Whether it is the id of what a call makes, which has a name of its own: `dealId`. A `transactionId` may be that of any call.
pub(super) fn is_id_of_what_is_made(name: &str) -> bool {
    let is_id = |rest: &str| matches!(rest, "id" | "reference") || END_AS_AN_ID.contains(&rest);
    after_what_is_made(name).is_some_and(|(made, rest)| made != "transaction" && is_id(&rest))
}

/// `dealNumber`, `orderNo`
fn is_number_of_what_is_made(name: &str) -> bool {
    after_what_is_made(name).is_some_and(|(_, rest)| END_AS_AN_ID.contains(&rest.as_str()))
}

/// What a call makes, by which a name begins, and how the name goes on.
fn after_what_is_made(name: &str) -> Option<(&'static str, String)> {
    let made = begins_as(name, MADE)?;
    Some((made, letters(name).skip(made.len()).collect()))
}

/// What a call makes, if an object of this name is one, or a list of them is.
pub(super) fn what_is_made(name: &str) -> Option<&'static str> {
    let before = begins_as(name, BEFORE_WHAT_IS_MADE).unwrap_or_default();
    let name = letters(name).skip(before.len()).collect::<String>();
    let (made, rest) = after_what_is_made(&name)?;
    BEHIND_WHAT_IS_MADE.contains(&rest.as_str()).then_some(made)
}

/// Whether an object of this name is what a reply answers: `result`, `createDealResponse`.
pub(super) fn is_an_answer(name: &str) -> bool {
    let is_one = named(name, ANSWERS).is_some() || ends_as(name, END_AS_AN_ANSWER).is_some();
    is_one && may_be_what_was_done(name)
}

pub(super) fn is_a_link(name: &str) -> bool {
    name != LINK_OF_AN_ERROR && ends_as(name, END_AS_A_LINK).is_some()
}

/// Whether a member may be that of a thing: its name is none of those that a reply has of its own.
pub(super) fn is_of_a_thing(name: &str) -> bool {
    [
        OF_A_SUCCESS,
        OF_A_STATUS,
        CODES,
        MESSAGES_FOR_PEOPLE,
        LABELS,
        OF_A_KIND,
        MESSAGES,
        BESIDE_AN_ERROR,
    ]
    .iter()
    .all(|names| named(name, names).is_none())
        && begins_as(name, BEGIN_AS_A_FAILURE).is_none()
}

/// The one of these that a name begins with.
pub(super) fn begins_as(name: &str, known: &[&'static str]) -> Option<&'static str> {
    known.iter().copied().find(|known| {
        let mut letters = letters(name);
        known.chars().all(|letter| letters.next() == Some(letter))
    })
}

pub(super) fn ends_as(name: &str, known: &[&'static str]) -> Option<&'static str> {
    known.iter().copied().find(|known| {
        let mut letters = letters(name).rev();
        known.chars().rev().all(|letter| letters.next() == Some(letter))
    })
}

/// The one of these names that a name is.
pub(in crate::value) fn named(name: &str, names: &[&'static str]) -> Option<&'static str> {
    names.iter().copied().find(|known| are_alike(name, known))
}

pub(in crate::value) fn are_alike(name: &str, other: &str) -> bool {
    letters(name).eq(letters(other))
}

/// A name as it is compared: without its vocabulary, as in `hydra:title`, and without `_` and `-`.
pub(in crate::value) fn letters(name: &str) -> impl DoubleEndedIterator<Item = char> {
    let name = name.rsplit(':').next().unwrap_or_default().trim_start_matches('@');
    let letters = name.strip_prefix("odata.").unwrap_or(name).chars();
    let letters = letters.filter(|letter| !matches!(letter, '_' | '-'));
    letters.map(|letter| letter.to_ascii_lowercase())
}
