//! What the members of a reply are called that tells of an error or of a success, and what stands in them.

/// How the names of members that tell of an error begin, end, or are.
pub(super) const ARE_AN_ERRORS: &[&str] = &["errors", "exception", "err"];
pub(super) const BEGIN_AS_AN_ERROR: &[&str] = &["error", "fault", "errno", "errcode", "errmsg", "errdesc"];
pub(super) const END_AS_AN_ERROR: &[&str] = &["errors", "error"];

/// How those names begin that say what is done about errors, and how those end that go on after an error or a failure: they are
/// of something that has to do with one, and there may be none.
pub(super) const BEGIN_AS_A_RULE: &str = "on";
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
    "received",
    "submitted",
];
pub(super) const DENIED_IF_NOT_ENDED: &[&str] = &["deleted", "removed", "revoked", "terminated", "updated"];
pub(super) const NOT_ENDED: &[&str] = &["false", "n", "no", "0"];

/// Members with the status of a reply, and the one that may as well hold a count or a value.
pub(super) const OF_A_STATUS: &[&str] = &[
    "status",
    "httpstatus",
    "statuscode",
    "httpstatuscode",
    "httpcode",
    "responsestatus",
    "resultstatus",
];
pub(super) const RESULT: &str = "result";

/// How the names of those end that say where a thing stands, and how they begin where it is of before.
pub(super) const END_AS_A_STATUS: &[&str] = &["status", "state", "outcome"];
pub(super) const BEGIN_AS_BEFORE: &[&str] = &["previous", "prior", "last", "old"];

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
    "request",
    "session",
    "span",
    "trace",
    "user",
];

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
    let is_none = || goes_on(name) || begins_as(name, &[BEGIN_AS_A_RULE]).is_some();
    (!is_none()).then_some(member)
}

pub(super) fn of_a_failure(name: &str) -> Option<&'static str> {
    begins_as(name, BEGIN_AS_A_FAILURE).filter(|_| !goes_on(name))
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
