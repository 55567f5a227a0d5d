//! What shows that the reply to a call that succeeded is an error.
//!
//! Each member of an object gives a sign. Some are certain: whatever stands beside it, a reply that has an `error` is none of a
//! success. Some state a failure: a status, a member such as `declined`. Some an error has and a success may: a code, words.
//! Words acquit of nothing, unless they are as a whole a short phrase of a success, and a sentence with a word of a failure in it
//! convicts only where neither a good status nor an id of what was done is beside it. How much of that is enough depends on what
//! was expected: a value, a page, or nothing; and whether the call changed something, for a failure that is taken for a success
//! is then worse than a success that nobody is sure of.

use super::outcome_words::{DONE, ENDED, Says, TAKEN, UNDER_WAY, is_a_limit, is_short, says, there_are_none};
use super::{Decimal, Json, JsonMap};

/// How the names of members that tell of an error begin, end, or are.
const ARE_AN_ERRORS: &[&str] = &["errors", "exception", "err"];
const BEGIN_AS_AN_ERROR: &[&str] = &["error", "fault", "errno", "errcode", "errmsg", "errdesc"];
const END_AS_AN_ERROR: &[&str] = &["errors", "error"];

/// How those names begin that say what is done about errors, and how those end that go on after an error or a failure: they are
/// of something that has to do with one, and there may be none.
const BEGIN_AS_A_RULE: &str = "on";
const GO_ON: &[&str] = &[
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
const END_AS_A_LINK: &[&str] = &["url", "uri", "link", "href", "redirect"];
const LINK_OF_AN_ERROR: &str = "error_uri";

/// How the names end, in an error, of its code, of its words, and of how grave it is.
const END_AS_A_CODE: &[&str] = &["code", "errno", "number"];
const END_AS_WORDS: &[&str] = &[
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
const END_AS_A_GRAVITY: &[&str] = &["level", "severity", "category"];

/// How the names of members that tell of a failure begin. Unlike an error, a success may have one: of an attempt before it.
const BEGIN_AS_A_FAILURE: &[&str] = &[
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

/// ... and those that do if they deny it: of what was to be done, and, if the call ends something, of that.
const DENIED_IF_FALSE: &[&str] = &[
    "approved",
    "accepted",
    "booked",
    "created",
    "done",
    "received",
    "submitted",
];
const DENIED_IF_NOT_ENDED: &[&str] = &["deleted", "removed", "revoked", "terminated", "updated"];
const NOT_ENDED: &[&str] = &["false", "n", "no", "0"];

/// Members with the status of a reply, and the one that may as well hold a count or a value.
const OF_A_STATUS: &[&str] = &[
    "status",
    "httpstatus",
    "statuscode",
    "httpstatuscode",
    "httpcode",
    "responsestatus",
    "resultstatus",
];
const RESULT: &str = "result";

/// How the names of those end that say where a thing stands, and how they begin where it is of before.
const END_AS_A_STATUS: &[&str] = &["status", "state", "outcome"];
const BEGIN_AS_BEFORE: &[&str] = &["previous", "prior", "last", "old"];

/// How the names begin of ids that say nothing of what was done: a reply tells them of the call, or of what it was about.
const IDS_OF_A_CALL: &[&str] = &[
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
const NONE: &[&str] = &["none", "null", "n/a", "n.a", "nil", "undefined", ""];
const NO_ERROR: &[&str] = &["no", "false", "n", "f"];

/// Members with a code. The first may be that of a thing, too.
const CODES: &[&str] = &[
    "code",
    "responsecode",
    "resultcode",
    "returncode",
    "replycode",
    "reasoncode",
];

/// Members with words for people, and those that may be the words of a value or of a page.
const MESSAGES_FOR_PEOPLE: &[&str] = &[
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
const LABELS: &[&str] = &["title", "description"];

/// Members that name what an object is, and those that are as often the name of a thing.
const OF_A_KIND: &[&str] = &["type", "object", "class"];
const NAME: &str = "name";
const KINDS_OF_ERRORS: &[&str] = &["error", "exception"];

/// Members that an error has beside those, and that alone tell nothing.
const BESIDE_AN_ERROR: &[&str] = &[
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
const MESSAGES: &[&str] = &["tppmessages", "tppmessage", "messages"];
const GRAVITIES: &[&str] = &["category", "severity", "level", "type"];
const OF_A_GRAVE_ONE: &[&str] = &["error", "fatal", "critical"];

/// Members with an object around what a reply says.
const AROUND: &[&str] = &[RESULT, "data", "meta", "response", "body", "payload", "envelope"];

/// How deep a reply is looked through, and how deep what is around its words. What is deeper is not read.
const MOST_DEEP: usize = 8;
/// Nor are the items of a list behind so many.
const MOST_ITEMS: usize = 500;
const MOST_AROUND: usize = 6;

/// The member by which an object is known for an error of which nothing is described, neither as a value nor as an error. Names
/// are compared without regard to case, `_`, `-` and their vocabulary. Anything else that is in it speaks for a value.
pub(crate) fn error_in(object: &JsonMap) -> Option<&'static str> {
    let told = Told::by(object.iter(), Look::default());
    let rest = || told.failed().or_else(|| told.unless_well(told.code.or(told.words)));
    told.certain
        .or_else(|| rest().filter(|_| !(told.other || told.is_success || told.is_taken)))
}

/// The same for the reply to a call that changed something. A failure that is stated is then outweighed by nothing, and an
/// object with nothing in it is no value.
pub(crate) fn error_of_effect(object: &JsonMap) -> Option<&'static str> {
    let told = Told::by(object.iter(), Look::OF_EFFECT);
    let alone = told.code.or(told.words).or(told.blank);
    let alone = alone.filter(|_| !(told.other || told.is_success || told.is_taken));
    let failed = told.certain.or_else(|| told.failed());
    failed.or_else(|| told.unless_well(told.pair().or(alone)))
}

/// The same where no object was expected, but nothing: words alone are those of a success.
pub(crate) fn error_for_nothing(object: &JsonMap) -> Option<&'static str> {
    let look = Look {
        ends_something: true,
        ..Look::OF_EFFECT
    };
    let told = Told::by(object.iter(), look);
    let failed = told.certain.or_else(|| told.failed());
    failed.or_else(|| told.unless_well(told.pair().filter(|_| !told.other)))
}

/// The same for an object of which the members `described` are described, where none of those that speak for a success has a
/// value: one of the others.
pub(crate) fn error_instead(object: &JsonMap, described: &[&str], speaking: &[&str]) -> Option<&'static str> {
    let mut members = object.iter();
    if members.any(|(name, value)| speaking.contains(&name) && !Node::of(value).is_blank_or_none()) {
        return None;
    }
    let told = Told::by(others(object, described), Look::OF_EFFECT);
    let failed = told.certain.or_else(|| told.failed());
    let rest = || told.code.or(told.words).filter(|_| !told.is_success);
    failed.or_else(|| told.unless_well(rest()))
}

/// The same for one that has described values, or items: what nobody described, and tells of an error whatever is beside it.
pub(crate) fn error_beside(object: &JsonMap, described: &[&str]) -> Option<&'static str> {
    Told::by(others(object, described), Look::of_page(&[])).certain
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
    let look = |codes| Look {
        has_list,
        ..Look::of_page(codes)
    };
    let told = Told::by(others(page, described), look(codes));
    let of_described = || {
        let members = page.iter().filter(|(name, _)| described.contains(name));
        Told::by(members, look(&[])).certain
    };
    let code = told.code.filter(|_| !told.is_informational);
    let own = code.filter(|code| !CODES.contains(code) && codes.contains(code));
    let rest = match has_list {
        true => own.or_else(|| code.filter(|_| told.is_message)),
        false => told.code.or(told.words),
    };
    let failed = || told.failed().or_else(|| told.unless_well(rest));
    let failed = || failed().filter(|_| !told.is_success);
    told.certain.or_else(of_described).or_else(failed)
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

/// What a text says that stands alone in the place of a reply without a body: whether it is an error's words ...
pub(crate) fn says_error(text: &str) -> bool {
    says(text) == Says::Failure || NO_ERROR.contains(&text.trim().to_ascii_lowercase().as_str())
}

/// ... and whether it is as a whole those of a success.
pub(crate) fn says_success(text: &str) -> bool {
    matches!(says(text), Says::NoError | Says::Done | Says::Ended)
}

/// How an object is looked at.
#[derive(Clone, Copy, Default)]
struct Look<'l> {
    /// Members that hold the provider's own code.
    codes: &'l [&'static str],
    /// The call changed something, and nothing of its reply is described: it is looked through deeper, and for more.
    has_effect: bool,
    /// It ended something: that this was done is a success, and otherwise a failure.
    ends_something: bool,
    is_page: bool,
    /// There is a list, and it is empty: a number that denies may be a count, and words for people may say why.
    has_list: bool,
}

impl<'l> Look<'l> {
    const OF_EFFECT: Self = Self {
        codes: &[],
        has_effect: true,
        ends_something: false,
        is_page: false,
        has_list: false,
    };

    fn of_page(codes: &'l [&'static str]) -> Self {
        Self {
            codes,
            is_page: true,
            has_list: true,
            ..Self::default()
        }
    }

    /// That something came to its end is a failure.
    fn ends_accuse(self) -> bool {
        self.has_effect && !self.ends_something
    }
}

/// A value, read once.
enum Node {
    Null,
    Plain(Json),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
    /// It is no value that can be read, or stands too deep.
    Unread,
}

impl Node {
    fn of(value: &Json) -> Self {
        Self::read(value, MOST_DEEP)
    }

    fn read(value: &Json, depth: usize) -> Self {
        let first = value.get().trim_start().as_bytes().first();
        let below = depth.checked_sub(1);
        match (first, below) {
            (Some(b'n'), _) => Self::Null,
            (Some(b'[' | b'{'), None) => Self::Unread,
            (Some(b'['), Some(depth)) => value.items().map_or(Self::Unread, |items| {
                let read = items.iter().take(MOST_ITEMS).map(|item| Self::read(item, depth));
                let rest = items.get(MOST_ITEMS).map(|_| Self::Unread);
                Self::List(read.chain(rest).collect())
            }),
            (Some(b'{'), Some(depth)) => value.parse::<JsonMap>().map_or(Self::Unread, |members| {
                let read = |(name, value): (&str, &Json)| (name.to_owned(), Self::read(value, depth));
                Self::Object(members.iter().map(read).collect())
            }),
            _ => Self::Plain(value.clone()),
        }
    }

    fn members(&self) -> impl Iterator<Item = (&str, &Self)> {
        let members = match self {
            Self::Object(members) => members.as_slice(),
            _ => &[],
        };
        members.iter().map(|(name, value)| (name.as_str(), value))
    }

    fn json(&self) -> Option<&Json> {
        match self {
            Self::Plain(value) => Some(value),
            _ => None,
        }
    }

    /// A single value as text.
    fn plain(&self) -> Option<String> {
        self.json()?.plain()
    }

    fn text(&self) -> Option<String> {
        self.json()?.text()
    }

    fn decimal(&self) -> Option<Decimal> {
        self.json()?.decimal()
    }

    /// A single value as it is compared.
    fn word(&self) -> Option<String> {
        let text = self.plain()?;
        if self.decimal().is_some() {
            return Some(text.trim().to_owned());
        }
        let letters = text.trim_matches(is_unseen).trim_end_matches(['.', '!']).chars();
        let letters = letters.filter(|letter| !matches!(letter, '_' | '-' | ' '));
        Some(letters.map(|letter| letter.to_ascii_lowercase()).collect())
    }

    fn is_one_of(&self, words: &[&str]) -> bool {
        self.word().is_some_and(|word| words.contains(&word.as_str()))
    }

    /// Whether there is a word or a number, whatever it says.
    fn is_said(&self) -> bool {
        self.plain()
            .is_some_and(|text| !text.trim_matches(is_unseen).is_empty())
    }

    /// Whether a value in the place of an error or of a code says that there is none.
    fn says_nothing(&self) -> bool {
        let is_none = |number: Decimal| number.is_zero() || is_of_a_success(number);
        self.holds_only(&|value| {
            value.decimal().is_some_and(is_none) || value.is_one_of(NONE) || value.is_one_of(NO_ERROR)
        })
    }

    /// Whether it says that there is nothing: `null`, `false`, zero, without content, or with nothing else in it.
    fn is_blank(&self) -> bool {
        self.holds_only(&Self::is_a_blank)
    }

    fn is_a_blank(&self) -> bool {
        match (self.text(), self.json()) {
            (Some(text), _) => text.trim().is_empty(),
            (None, Some(value)) => {
                value.get().starts_with('f') || value.decimal().is_some_and(|number| number.is_zero())
            }
            (None, None) => false,
        }
    }

    /// The same of a value that stands for one that a success has: words for nothing are none either.
    fn is_blank_or_none(&self) -> bool {
        self.holds_only(&|value| value.is_a_blank() || value.is_one_of(NONE))
    }

    /// Whether there is nothing in it, and no answer such as `false` or zero.
    fn is_vacant(&self) -> bool {
        self.holds_only(&|value| value.is_one_of(NONE))
    }

    /// Whether all single values in it are so, or `null`.
    fn holds_only(&self, is_so: &dyn Fn(&Self) -> bool) -> bool {
        match self {
            Self::Null => true,
            Self::Plain(_) => is_so(self),
            Self::List(items) => items.iter().all(|item| item.holds_only(is_so)),
            Self::Object(members) => members.iter().all(|(_, value)| value.holds_only(is_so)),
            Self::Unread => false,
        }
    }
}

/// What the members of an object say of the call that it is the reply to, each by its name.
#[derive(Clone, Copy, Default)]
struct Told {
    /// That it failed, whatever is beside it.
    certain: Option<&'static str>,
    /// That it failed, in a word.
    failure: Option<&'static str>,
    /// That something was not done, if it is not under way.
    denied: Option<&'static str>,
    /// That it failed, in words as short as a code, or in a sentence.
    short: Option<&'static str>,
    sentence: Option<&'static str>,
    /// A code as HTTP has them for errors.
    number: Option<&'static str>,
    /// A code that is neither that of a failure nor that of a success.
    code: Option<&'static str>,
    /// There are none: a code or a message says so.
    is_informational: bool,
    words: Option<&'static str>,
    /// The words are more than a label.
    is_message: bool,
    /// A member denies that there was a failure.
    is_success: bool,
    /// The call was taken, which says nothing of how it ends.
    is_taken: bool,
    /// A status, a code or a word is that of a success.
    is_well: bool,
    /// A status says that the call went well ...
    went_well: bool,
    /// ... or where what was done stands ...
    stands: bool,
    /// ... and that it is not done yet.
    is_under_way: bool,
    /// There is an id of what was done.
    has_id: bool,
    /// There is something that has to do with none of this.
    other: bool,
    /// There is such a member, and nothing in it.
    blank: Option<&'static str>,
}

impl Told {
    fn by<'o>(members: impl Iterator<Item = (&'o str, &'o Json)>, look: Look<'_>) -> Self {
        let depth = if look.has_effect { MOST_AROUND } else { 1 };
        let members: Vec<_> = members.map(|(name, value)| (name, Node::of(value))).collect();
        Self::by_all(members.iter().map(|(name, value)| (*name, value)), look, depth)
    }

    fn by_all<'o>(members: impl Iterator<Item = (&'o str, &'o Node)>, look: Look<'_>, depth: usize) -> Self {
        let mut told = Self::default();
        let mut error = InError::default();
        let mut rest = Vec::new();
        for (name, value) in members {
            match of_an_error(name) {
                Some(member) => error.note(member, name, value),
                None => rest.push((name, value)),
            }
        }
        told.certain = error.member(look);
        told.is_well = told.certain.is_none() && error.is_said;
        // An object in which there is but one thing is around it, whatever its name.
        let says_something =
            |(name, value): &&(&str, &Node)| named(name, BESIDE_AN_ERROR).is_none() && !value.is_vacant();
        let is_only = look.has_effect && rest.iter().filter(says_something).count() == 1;
        // What is told further in.
        let mut inside = Self::default();
        for (name, value) in rest {
            let around = named(name, AROUND).filter(|_| !value.is_vacant());
            if around.is_some_and(|member| inside.look_in(Some(member), value, look, depth)) {
                continue;
            }
            if told.note_a_sign(name, value, look, depth) {
                continue;
            }
            if !value.is_blank_or_none() {
                told.has_id |= look.ends_accuse() && is_an_id(name) && value.is_said();
                told.other |= !(is_only && inside.look_in(None, value, look, depth));
            } else if value.is_vacant() {
                told.blank = Some("null");
            }
        }
        // What is soft is outweighed where it stands, and nowhere else.
        if look.has_effect && told.is_success {
            (told.short, told.sentence, told.code, told.words) = (None, None, None, None);
            told.is_message = false;
        }
        told.take_in(None, inside);
        told
    }

    /// A code and words: an error has both.
    fn pair(&self) -> Option<&'static str> {
        self.code.or(self.number).filter(|_| self.is_message)
    }

    /// That it failed, as far as nothing says more.
    fn failed(&self) -> Option<&'static str> {
        self.failure
            .or(self.denied.filter(|_| !self.is_under_way))
            .or(self.number.filter(|_| !self.has_id))
            .or(self.short.filter(|_| !self.stands))
            .or(self
                .sentence
                .filter(|_| !(self.stands || self.went_well || self.has_id)))
    }

    fn unless_well(&self, rest: Option<&'static str>) -> Option<&'static str> {
        rest.filter(|_| !self.is_well)
    }

    /// Looks at what is in an object, or in the objects of a list, as if it stood here, and whether it is such a value.
    fn look_in(&mut self, member: Option<&'static str>, value: &Node, look: Look<'_>, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else {
            return false;
        };
        let objects = match value {
            Node::List(items) if look.has_effect => items.as_slice(),
            Node::Object(_) => std::slice::from_ref(value),
            _ => &[],
        };
        let mut is_one = false;
        for object in objects.iter().filter(|object| matches!(object, Node::Object(_))) {
            is_one = true;
            self.take_in(member, Self::by_all(object.members(), look, depth));
        }
        is_one
    }

    fn take_in(&mut self, member: Option<&'static str>, inner: Self) {
        let as_member = |told: Option<&'static str>| told.map(|told| member.unwrap_or(told));
        self.certain = self.certain.or(as_member(inner.certain));
        self.failure = self.failure.or(as_member(inner.failure));
        self.denied = self.denied.or(as_member(inner.denied));
        self.short = self.short.or(as_member(inner.short));
        self.sentence = self.sentence.or(as_member(inner.sentence));
        self.number = self.number.or(as_member(inner.number));
        self.code = self.code.or(as_member(inner.code));
        self.words = self.words.or(as_member(inner.words));
        self.blank = self.blank.or(as_member(inner.blank));
        self.is_informational |= inner.is_informational;
        self.is_message |= inner.is_message;
        self.is_success |= inner.is_success;
        self.is_taken |= inner.is_taken;
        self.is_well |= inner.is_well;
        self.went_well |= inner.went_well;
        self.stands |= inner.stands;
        self.is_under_way |= inner.is_under_way;
        self.has_id |= inner.has_id;
        self.other |= inner.other;
    }

    /// Whether the member has to do with success and failure, or with what an error has beside it.
    fn note_a_sign(&mut self, name: &str, value: &Node, look: Look<'_>, depth: usize) -> bool {
        if let Some(member) = named(name, OF_A_SUCCESS) {
            let may_be_a_count = |value: &Json| !value.get().starts_with(['"', 'f']);
            let is_count = look.has_list && value.json().is_some_and(may_be_a_count);
            self.is_success |= value.is_one_of(YES);
            if value.is_one_of(NO) && !is_count {
                self.certain = self.certain.or(Some(member));
            }
        } else if let Some(member) = named(name, look.codes).or_else(|| named(name, CODES)) {
            self.note_code(member, value, look);
        } else if named(name, DENIED_IF_FALSE).is_some() && value.is_one_of(&["false", "n", "no"]) {
            self.denied = self.denied.or_else(|| look.has_effect.then_some("false"));
            return look.has_effect;
        } else if named(name, DENIED_IF_NOT_ENDED).is_some() && value.is_one_of(NOT_ENDED) {
            self.failure = self.failure.or_else(|| look.ends_something.then_some("false"));
            return look.has_effect;
        } else if value.is_blank_or_none() {
            return !is_of_a_thing(name);
        } else if let Some(member) = named(name, OF_A_STATUS).or_else(|| named(name, &[RESULT])) {
            self.note_status(member, value, look, depth);
        } else if let Some(member) = of_a_thing(name).filter(|_| look.has_effect && value.is_said()) {
            self.note_standing(member, value, look);
        } else if let Some(member) = named(name, MESSAGES_FOR_PEOPLE).or_else(|| named(name, LABELS)) {
            self.note_words(member, value, look, depth);
        } else if let Some(member) = named(name, MESSAGES).filter(|_| has_a_grave_one(value)) {
            self.failure = self.failure.or(Some(member));
        } else if let Some(member) = named(name, OF_A_KIND).filter(|_| is_an_errors_kind(value)) {
            self.failure = self.failure.or(Some(member));
        } else if named(name, &[NAME]).is_some() && is_an_errors_name(value) {
            self.failure = self.failure.or(Some(NAME));
        } else if let Some(member) = of_a_failure(name).filter(|_| is_failure(value, look)) {
            self.failure = self.failure.or(Some(member));
        } else if named(name, TAKEN).or_else(|| named(name, UNDER_WAY)).is_some() && value.is_one_of(YES) {
            self.is_taken = true;
        } else if named(name, DONE).is_some() && value.is_one_of(YES) {
            (self.is_well, self.stands) = (true, true);
        } else if named(name, ENDED).is_some() && value.is_one_of(YES) {
            self.is_well |= !look.ends_accuse();
            self.stands |= look.ends_something;
        } else {
            return named(name, BESIDE_AN_ERROR).is_some() || goes_on(name);
        }
        true
    }

    fn note_status(&mut self, member: &'static str, value: &Node, look: Look<'_>, depth: usize) {
        if is_error_status(value) && member != RESULT {
            self.certain = self.certain.or(Some(member));
            return;
        }
        let told = self.note_standing(member, value, look);
        self.is_well |= match told {
            Says::NoError | Says::Done | Says::UnderWay => true,
            Says::Ended => !(look.ends_accuse() || look.is_page),
            Says::Failure | Says::End | Says::Nothing => false,
        };
        if matches!(told, Says::End | Says::Nothing) {
            match member == RESULT {
                true => self.other = true,
                false => {
                    self.look_in(Some(member), value, look, depth);
                }
            }
        }
    }

    /// Notes what a word says of where the matter stands.
    fn note_standing(&mut self, member: &'static str, value: &Node, look: Look<'_>) -> Says {
        let text = value.plain().unwrap_or_default();
        let told = match code_says(value) {
            Says::Failure if is_a_limit(&text) => Says::Nothing,
            Says::Failure if look.is_page && there_are_none(&text) => Says::Nothing,
            told => told,
        };
        match told {
            Says::Failure => self.failure = self.failure.or(Some(member)),
            Says::End | Says::Ended if look.ends_accuse() => self.failure = self.failure.or(Some(member)),
            Says::End | Says::Ended => self.stands |= look.ends_something,
            Says::NoError => self.went_well |= value.decimal().is_none(),
            Says::Done => self.stands = true,
            Says::UnderWay => (self.stands, self.is_under_way) = (true, true),
            Says::Nothing => {}
        }
        told
    }

    fn note_words(&mut self, member: &'static str, value: &Node, look: Look<'_>, depth: usize) {
        let is_label = LABELS.contains(&member);
        let texts: Vec<_> = match value {
            Node::List(items) => items.iter().filter_map(Node::plain).collect(),
            value => value.plain().into_iter().collect(),
        };
        // What a message is made of speaks for itself.
        if texts.is_empty() && !look.is_page && self.look_in(None, value, look, depth) {
            return;
        }
        let accuses = !look.has_list && !is_label;
        for text in &texts {
            match says(text) {
                Says::Failure if accuses && is_short(text) => self.short = self.short.or(Some(member)),
                Says::Failure if accuses => self.sentence = self.sentence.or(Some(member)),
                Says::End | Says::Ended if accuses && look.ends_accuse() => {
                    self.sentence = self.sentence.or(Some(member));
                }
                Says::NoError | Says::Done => self.is_well = true,
                Says::Ended => self.is_well |= !(look.ends_accuse() || look.is_page),
                _ => self.is_informational |= there_are_none(text),
            }
        }
        self.is_message |= !is_label;
        self.words = self.words.or(Some(member));
    }

    fn note_code(&mut self, member: &'static str, code: &Node, look: Look<'_>) {
        if code.says_nothing() {
            self.is_well |= code.is_said();
            return;
        }
        if is_error_status(code) {
            self.number = self.number.or(Some(member));
            return;
        }
        match code_says(code) {
            Says::NoError | Says::Done | Says::UnderWay => self.is_well = true,
            Says::Ended if look.ends_something => self.is_well = true,
            Says::Failure | Says::End | Says::Ended if !(look.is_page && is_informational(code)) => {
                self.failure = self.failure.or(Some(member));
            }
            _ => {
                self.code = self.code.or(Some(member));
                self.is_informational |= is_informational(code);
            }
        }
    }
}

/// What the members of an error say of it: that there is one, unless a code says that there is none, or the words do where no code
/// says otherwise. What was done says nothing of that: `CONSENT_REVOKED`, `the quote was booked`.
#[derive(Clone, Copy, Default)]
struct InError {
    /// A word or a number of a failure, and a code.
    failure: Option<&'static str>,
    code: Option<&'static str>,
    /// A code that is a success's to some, and a failure's to others.
    one: Option<&'static str>,
    /// Words that are not those of no error.
    words: Option<&'static str>,
    /// Anything else.
    other: Option<&'static str>,
    /// A code, or words, of no error.
    is_well: bool,
    /// There is a word or a number, whatever it says.
    is_said: bool,
}

impl InError {
    /// The member that tells of an error, if there is one.
    fn member(&self, look: Look<'_>) -> Option<&'static str> {
        let soft = self.one.or(self.other).or(self.words);
        self.failure
            .or(self.code)
            .or(self.words.filter(|_| look.has_effect))
            .or(soft.filter(|_| !self.is_well))
    }

    fn note(&mut self, member: &'static str, name: &str, value: &Node) {
        let ends = |ends| ends_as(name, ends).is_some();
        let (is_code, is_grave) = (ends(END_AS_A_CODE), ends(END_AS_A_GRAVITY));
        // How far something is off is no error, nor is how grave none is.
        let is_a_measure = value.decimal().is_some_and(|number| !number.fract().is_zero());
        if is_a_measure || is_grave && !value.is_one_of(OF_A_GRAVE_ONE) {
            return;
        }
        self.is_said |= value.is_said();
        if is_a_link(name) || value.says_nothing() {
            // A code of nothing says that there is none.
            self.is_well |= is_code && value.decimal().is_some();
            return;
        }
        let text = match value {
            Node::List(items) => {
                for item in items {
                    self.note(member, "", item);
                }
                return;
            }
            Node::Object(_) => return self.note_inner(member, value),
            value => value.plain(),
        };
        let told = match &text {
            Some(_) if is_code => code_says(value),
            Some(text) => says(text),
            None => Says::Nothing,
        };
        let at = match told {
            Says::NoError => {
                self.is_well = true;
                return;
            }
            Says::Failure => &mut self.failure,
            _ if is_code && value.is_one_of(&["1"]) => &mut self.one,
            _ if is_code => &mut self.code,
            // What was done is no error where a code says that there is none.
            told if told != Says::Done && text.is_some() && (name.is_empty() || ends(END_AS_WORDS)) => &mut self.words,
            _ => &mut self.other,
        };
        *at = at.or(Some(member));
    }

    fn note_inner(&mut self, member: &'static str, value: &Node) {
        let mut inner = Self::default();
        for (name, value) in value.members() {
            inner.note(member, name, value);
        }
        self.is_said |= inner.is_said;
        self.failure = self.failure.or(inner.failure).or(inner.code);
        match inner.is_well {
            true => {
                self.is_well = true;
                self.words = self.words.or(inner.words);
            }
            false => self.failure = self.failure.or(inner.one).or(inner.words).or(inner.other),
        }
    }
}

/// Whether one of several messages, or the only one, says of itself that it is an error's.
fn has_a_grave_one(messages: &Node) -> bool {
    let is_grave = |message: &Node| {
        let mut gravities = message.members().filter(|(name, _)| named(name, GRAVITIES).is_some());
        gravities.any(|(_, value)| value.is_one_of(OF_A_GRAVE_ONE))
    };
    match messages {
        Node::List(messages) => messages.iter().any(is_grave),
        message => is_grave(message),
    }
}

fn of_an_error(name: &str) -> Option<&'static str> {
    if named(name, OF_A_SUCCESS).is_some() {
        return None;
    }
    let member = named(name, ARE_AN_ERRORS)
        .or_else(|| begins_as(name, BEGIN_AS_AN_ERROR))
        .or_else(|| ends_as(name, END_AS_AN_ERROR))?;
    let is_none = || goes_on(name) || begins_as(name, &[BEGIN_AS_A_RULE]).is_some();
    (!is_none()).then_some(member)
}

fn of_a_failure(name: &str) -> Option<&'static str> {
    begins_as(name, BEGIN_AS_A_FAILURE).filter(|_| !goes_on(name))
}

/// Whether the name of a member of an error or of a failure goes on, to something that may be there without one.
fn goes_on(name: &str) -> bool {
    let is_of_one = [BEGIN_AS_AN_ERROR, BEGIN_AS_A_FAILURE, ARE_AN_ERRORS]
        .iter()
        .any(|names| begins_as(name, names).is_some());
    is_of_one && name != LINK_OF_AN_ERROR && ends_as(name, GO_ON).is_some()
}

/// The end of a name that says where what was done stands now.
fn of_a_thing(name: &str) -> Option<&'static str> {
    ends_as(name, END_AS_A_STATUS).filter(|_| begins_as(name, BEGIN_AS_BEFORE).is_none())
}

/// Whether the name is that of the id of what was done.
fn is_an_id(name: &str) -> bool {
    let is_one = named(name, &["id"]).is_some()
        || ["Id", "ID", "_id", "-id"].iter().any(|end| name.ends_with(end))
        || ends_as(name, &["reference"]).is_some();
    is_one && begins_as(name, IDS_OF_A_CALL).is_none()
}

fn is_a_link(name: &str) -> bool {
    name != LINK_OF_AN_ERROR && ends_as(name, END_AS_A_LINK).is_some()
}

/// Whether a member may be that of a thing: its name is none of those that a reply has of its own.
fn is_of_a_thing(name: &str) -> bool {
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
fn begins_as(name: &str, known: &[&'static str]) -> Option<&'static str> {
    known.iter().copied().find(|known| {
        let mut letters = letters(name);
        known.chars().all(|letter| letters.next() == Some(letter))
    })
}

fn ends_as(name: &str, known: &[&'static str]) -> Option<&'static str> {
    known.iter().copied().find(|known| {
        let mut letters = letters(name).rev();
        known.chars().rev().all(|letter| letters.next() == Some(letter))
    })
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

/// A blank, or a mark that takes no place: of the order of bytes, or of where a line may break.
fn is_unseen(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{feff}' | '\u{200b}'..='\u{200d}' | '\u{2060}')
}

/// What a code, or a status, says.
fn code_says(code: &Node) -> Says {
    if is_error_status(code) {
        return Says::Failure;
    }
    let word = code.word().unwrap_or_default();
    let digits = word.trim_start_matches(|letter: char| letter.is_ascii_lowercase());
    let letters = word.get(..word.len() - digits.len()).unwrap_or_default();
    let number = digits.parse::<Decimal>().ok().filter(|_| letters.len() <= 1);
    let text = code.plain().unwrap_or_default();
    match number {
        // `E0000`, `S200`.
        Some(number) if number.is_zero() => Says::NoError,
        Some(number) if letters == "s" && is_of_a_success(number) => Says::NoError,
        None if word == "s" => Says::NoError,
        // `200 OK`.
        _ if status(code).is_some_and(is_of_a_success) => match text.trim().split_once(' ') {
            Some((_, words)) => says(words),
            None => Says::NoError,
        },
        _ => says(&text),
    }
}

/// Whether it is the status of an error, as HTTP has them: alone, before its words, or in an object.
fn is_error_status(value: &Node) -> bool {
    let mut of_code = value.members().filter(|(name, _)| *name == CODES[0]);
    let code = || of_code.next().and_then(|(_, code)| status(code));
    let status = status(value).or_else(code);
    status.is_some_and(|status| status >= 400.into() && status < 600.into())
}

fn is_of_a_success(status: Decimal) -> bool {
    status >= 200.into() && status < 300.into()
}

fn status(value: &Node) -> Option<Decimal> {
    let of_text = || value.text()?.split_whitespace().next()?.parse().ok();
    value.decimal().or_else(of_text)
}

/// Whether a code beside an empty list is plainly not that of a failure: it says that there are none, or is a number as
/// failures do not have them.
fn is_informational(code: &Node) -> bool {
    if let Some(number) = code.decimal() {
        let is_a_failures = number < 0.into() || number >= 300.into() && number < 1000.into();
        return !is_a_failures && !code.word().is_some_and(|digits| digits.starts_with(['4', '5']));
    }
    there_are_none(&code.plain().unwrap_or_default())
}

/// Whether the kind of an object is an error's: `hydra:Error`, `ValidationError`, `value_error.missing`.
fn is_an_errors_kind(kind: &Node) -> bool {
    let kind = kind.plain().unwrap_or_default();
    let mut parts = kind.split(|letter: char| !letter.is_alphanumeric());
    parts.any(|part| ends_as(part, KINDS_OF_ERRORS).is_some())
}

/// Whether the name of an object is an error's, as a program has them: `UNPROCESSABLE_ENTITY`.
fn is_an_errors_name(name: &Node) -> bool {
    let name = name.text().unwrap_or_default();
    !name.contains(char::is_whitespace) && says(&name) == Says::Failure
}

/// Whether what stands in a member that tells of a failure says that there is one; in a page, a number may be a count.
fn is_failure(value: &Node, look: Look<'_>) -> bool {
    !(value.says_nothing() || look.is_page && value.decimal().is_some())
}

/// Whether a value says that there is nothing: `null`, `false`, zero, without content, or with nothing else in it.
pub(crate) fn is_blank(value: &Json) -> bool {
    Node::of(value).is_blank()
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
            (r#"{"errors":[],"message":"noted"}"#, Some("message")),
            (r#"{"message":null}"#, None),
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
            (r#"{"status":400,"id":"1"}"#, Some("status")),
            (r#"{"status":201}"#, None),
            (r#"{"status":"DONE","success":true}"#, None),
            (r#"{"code":"CONSENT_REVOKED","message":"x"}"#, Some("code")),
            (r#"{"errorCode":"TOKEN_REVOKED"}"#, Some("error")),
            (r#"{"fault":null,"error":"","status":200}"#, None),
            ("{}", None),
        ] {
            let members: JsonMap = object.parse::<Json>().unwrap().parse().unwrap();
            assert_eq!(error_in(&members), member, "{object}");
            assert_eq!(error_of_effect(&members), member, "{object}");
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
            (r#"{"id":"N/A","code":"LIMIT","message":"declined"}"#, Some("code")),
            (r#"{"id":"null","message":"declined"}"#, Some("message")),
            (r#"{"id":"\ufeff","message":"declined"}"#, Some("message")),
            (r#"{"id":null,"failure":{"code":"X"}}"#, Some("failure")),
            (r#"{"id":null,"responseCode":"05"}"#, Some("responsecode")),
            (r#"{"id":null,"statusCode":"TIMEOUT"}"#, Some("statuscode")),
            (r#"{"id":null,"received":true,"State":"FAILED"}"#, Some("state")),
            (r#"{"id":null,"errors":[{"code":"CONSENT_REVOKED"}]}"#, Some("errors")),
            (r#"{"id":null}"#, None),
            ("{}", None),
        ] {
            let members: JsonMap = object.parse::<Json>().unwrap().parse().unwrap();
            assert_eq!(
                error_instead(&members, &["id", "status"], &["id", "status"]),
                member,
                "{object}"
            );
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
            (r#"{"code":0,"message":"noted"}"#, None, None),
            (r#"{"errorCode":"0","message":"noted"}"#, None, None),
            (r#"{"error":{"id":"e0","code":0},"message":"noted"}"#, None, None),
            (r#"{"deleted":true,"message":"noted"}"#, None, None),
            (r#"{"errors":false,"message":"Deal booked"}"#, None, None),
            (r#"{"noErrors":true,"message":"gone"}"#, None, None),
            (r#"{"noError":false}"#, Some("noerror"), Some("noerror")),
            (r#"{"result":1234}"#, None, None),
            (r#"{"result":1234,"message":"ok"}"#, None, None),
            (r#"{"result":"deleted","message":"gone"}"#, None, None),
            // Words alone are enough where nothing was to come.
            (r#"{"message":"Template gone"}"#, Some("message"), None),
            (r#"{"message":"Template deleted"}"#, None, None),
            (r#"{"title":"x","detail":"y"}"#, Some("detail"), None),
            (r#"{"code":"X"}"#, Some("code"), None),
            (r#"{"code":"X","message":"y"}"#, Some("code"), Some("code")),
            (r#"{"code":"E200","message":"y"}"#, Some("code"), Some("code")),
            (r#"{"code":"S500","message":"y"}"#, Some("code"), Some("code")),
            (
                r#"{"code":"CONSENT_IN_USE","message":"not deleted"}"#,
                Some("message"),
                Some("message"),
            ),
            (r#"{"code":17,"message":"declined"}"#, Some("message"), Some("message")),
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
            (r#""status":{"code":503,"message":"x"}"#, Some("status")),
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
            r#""code":"DEFAULT""#,
            r#""meta":{"code":"DEFAULT"}"#,
            r#""code":"UNLIMITED""#,
            r#""code":"NO_CUSTOMERS","message":"x""#,
            r#""code":"NoContent","message":"x""#,
            r#""code":"ZERO_RESULTS","message":"x""#,
            r#""code":"NOTHING_FOUND","message":"x""#,
            r#""code":"RESULT_EMPTY","message":"x""#,
            r#""code":"SUCCESS_NO_DATA","message":"x""#,
            r#""code":"NO_PAYMENTS_RECEIVED","message":"x""#,
            r#""status":"NO_PAYMENTS_RECEIVED""#,
            r#""code":"S200","message":"x""#,
            r#""code":"N000","message":"No records found""#,
            r#""code":"INFO_1","message":"No customers yet""#,
            r#""message":"not found""#,
            r#""failed":3"#,
            r#""booked":false"#,
            r#""status":"EXPIRED""#,
            r#""status":"ZERO_RESULTS","message":"x""#,
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
            r#""status":"TIMEOUT","message":"upstream timed out""#,
            r#""status":"INTERNAL_SERVER_ERROR""#,
            r#""failed":true"#,
            r#""httpCode":"500""#,
            r#""@type":"hydra:Error""#,
            r#""code":"CONSENT_REVOKED""#,
            r#""code":"CONSENT_REVOKED","message":"x""#,
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
            (r#"{"items":null,"paging":null,"status":"TIMEOUT"}"#, true),
            (r#"{"paging":{"next":null},"status":"SERVICE_UNAVAILABLE"}"#, true),
            (r#"{"items":null,"meta":{"message":"down"}}"#, true),
            (r#"{"items":null,"code":"CONSENT_REVOKED"}"#, true),
            (r#"{"items":null,"message":"The consent was revoked"}"#, true),
            (r#"{"items":null,"status":"REVOKED","message":"x"}"#, true),
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

    /// A failure that is taken for a success is worse than a success of which nobody is sure.
    #[test]
    fn of_a_call_with_an_effect_nothing_outweighs_a_failure_that_is_stated() {
        let failed = [
            r#"{"status":"INTERNAL_SERVER_ERROR"}"#,
            r#"{"status":"BAD_REQUEST","timestamp":"t"}"#,
            r#"{"status":"SERVICE_UNAVAILABLE","requestId":"r"}"#,
            r#"{"status":"INSUFFICIENT_FUNDS"}"#,
            r#"{"status":"TIMEOUT"}"#,
            r#"{"status":"INVALID"}"#,
            r#"{"status":"NOT_FOUND"}"#,
            r#"{"status":"ABORTED"}"#,
            r#"{"status":"CANCELLED"}"#,
            r#"{"status":"EXPIRED"}"#,
            r#"{"status":"FAILED","id":"1"}"#,
            r#"{"status":{"code":"LIMIT"}}"#,
            r#"{"failed":true,"message":"insufficient funds"}"#,
            r#"{"failed":true,"id":"1"}"#,
            r#"{"declined":true,"reason":"limit"}"#,
            r#"{"rejected":true}"#,
            r#"{"approved":false}"#,
            r#"{"accepted":false}"#,
            r#"{"booked":false}"#,
            r#"{"failure":{"code":"LIMIT"}}"#,
            r#"{"failure_code":"LIMIT","failure_message":"over the limit"}"#,
            r#"{"failureReason":"x"}"#,
            r#"{"problem":{"title":"x","status":400}}"#,
            r#"{"responseCode":"05","responseMessage":"Do not honour"}"#,
            r#"{"resultCode":"DECLINED"}"#,
            r#"{"returnCode":-1}"#,
            r#"{"httpCode":"500","httpMessage":"Internal Server Error"}"#,
            r#"{"http_code":500}"#,
            r#"{"http_status_code":500}"#,
            r#"{"code":"51","message":"Insufficient funds","transactionId":"t-1"}"#,
            r#"{"code":"51","message":"abgelehnt","transactionId":"t-1"}"#,
            r#"{"code":"INSUFFICIENT_FUNDS","message":"x","documentationUrl":"https://x"}"#,
            r#"{"code":1001,"message":"insufficient funds","serverTime":1}"#,
            r#"{"message":"declined","path":"/x","method":"POST"}"#,
            r#"{"name":"UNPROCESSABLE_ENTITY","message":"x","debug_id":"1","details":[{"issue":"x"}]}"#,
            r#"{"__type":"ThrottlingException"}"#,
            r#"{"violations":[{"field":"x"}]}"#,
            r#"{"logref":42,"message":"x"}"#,
            r#"{"class":"java.lang.NullPointerException","message":"x"}"#,
            r#"{"cause":"x","stackTrace":["x"]}"#,
            r#"{"detail":[{"loc":["body"],"msg":"field required","type":"value_error.missing"}]}"#,
            // What the reply says may stand in other things.
            r#"{"data":[{"error":"declined"}]}"#,
            r#"{"deal":{"error":"declined"}}"#,
            r#"{"deal":{"error":"declined"},"timestamp":"t"}"#,
            r#"{"createDealResponse":{"error":"x"}}"#,
            r#"{"soap:Envelope":{"soap:Body":{"soap:Fault":{"faultcode":"x"}}}}"#,
            r#"{"result":{"data":{"error":"x"}}}"#,
            r#"{"deal":null,"userMessage":"declined"}"#,
            r#"{"dealId":null}"#,
            r#"{"dealId":"N/A","timestamp":"t"}"#,
            // What was ended is none of what was to be made.
            r#"{"status":"REVOKED"}"#,
            r#"{"status":"TERMINATED"}"#,
            r#"{"status":"DELETED"}"#,
            r#"{"status":"REMOVED"}"#,
            r#"{"dealId":"D1","status":"REVOKED"}"#,
            r#"{"code":"DEAL_DELETED","dealId":"D1"}"#,
            r#"{"message":"Access revoked"}"#,
            r#"{"rate":"1.2","message":"Access revoked"}"#,
            r#"{"message":"Your contract was terminated"}"#,
            // A sentence acquits of nothing, whatever word of a success is in it.
            r#"{"code":"Q17","message":"Quote booked by another"}"#,
            r#"{"code":"Q17","message":"Deal executed by another user"}"#,
            r#"{"code":"Q17","message":"Duplicate of a deal that was booked"}"#,
            r#"{"code":"Q17","message":"Request received. Balance too low"}"#,
            r#"{"code":"Q17","message":"Request received. Not ready"}"#,
            r#"{"code":"Q17","message":"Request processed: quote gone"}"#,
            r#"{"code":"Q17","message":"The deal was neither booked nor queued"}"#,
            r#"{"message":"Duplicate of a deal that was booked"}"#,
            r#"{"message":"No deal was created"}"#,
            r#"{"message":"No payment was executed"}"#,
            r#"{"message":"Nothing was booked"}"#,
            r#"{"message":"None of the deals were booked"}"#,
            r#"{"message":"0 deals created"}"#,
            // A failure that is stated is outweighed by nothing.
            r#"{"success":true,"status":"FAILED"}"#,
            r#"{"received":true,"status":"FAILED","message":"insufficient funds"}"#,
            r#"{"processed":true,"status":"DECLINED"}"#,
            r#"{"submitted":true,"result":"DECLINED"}"#,
            r#"{"completed":true,"declined":true}"#,
            r#"{"pending":1,"failed":2}"#,
            r#"{"created":1,"status":"FAILED"}"#,
            r#"{"accepted":"1","rejected":true,"reason":"x"}"#,
            r#"{"data":{"received":true},"status":"FAILED"}"#,
            r#"{"ok":true,"data":{"status":"DECLINED","reason":"insufficient funds"}}"#,
            r#"{"meta":{"success":true},"status":"REJECTED"}"#,
            r#"{"meta":{"success":true},"code":"Q17","message":"the quote is gone"}"#,
            r#"{"ok":true,"data":{"code":"Q17","message":"the quote is gone"}}"#,
            r#"{"received":true,"code":"Q17","message":"the quote is gone"}"#,
            r#"{"pending":true,"message":"The quote was rejected by the desk"}"#,
            r#"{"state":"FAILED"}"#,
            r#"{"dealStatus":"REJECTED"}"#,
            r#"{"dealId":"D1","dealStatus":"REJECTED"}"#,
            r#"{"outcome":"DECLINED"}"#,
            r#"{"status":"RJCT"}"#,
            r#"{"status":"VOID"}"#,
            // An id of the call, or of what it was about, is none of what was done; words as short as a code are one.
            r#"{"quoteId":"q-1","message":"The quote was rejected by the desk"}"#,
            r#"{"requestId":"r-1","message":"The quote was rejected by the desk"}"#,
            r#"{"dealId":"D1","message":"Insufficient funds"}"#,
            r#"{"dealId":"D1","code":450,"message":"x"}"#,
            r#"{"quoteId":"q-1","code":450}"#,
        ];
        for object in failed {
            assert!(error_of_effect(&members(object)).is_some(), "{object}");
        }
        let done = [
            r#"{"id":"1","note":"x"}"#,
            r#"{"id":"1","status":"X9"}"#,
            r#"{"status":"LIVE","message":"Your deal is live"}"#,
            r#"{"status":"AWAITING_FUNDS","message":"Deal booked, awaiting funds"}"#,
            r#"{"status":"OPEN","description":"Spot deal"}"#,
            r#"{"code":"D-1001","message":"Deal booked"}"#,
            r#"{"detail":{"dealId":"D1","rate":"1.2"}}"#,
            r#"{"deal":{"id":"D1","status":"BOOKED"}}"#,
            r#"{"data":[{"id":"D1"}]}"#,
            r#"{"id":"D1","settled":false}"#,
            r#"{"id":"D1","failed":false,"failureReason":null}"#,
            r#"{"id":"D1","description":"limit order"}"#,
            r#"{"id":"D1","reason":"Purchase of goods"}"#,
            r#"{"success":true,"code":"D-1001","message":"noted"}"#,
            r#"{"received":true,"message":"noted"}"#,
            r#"{"message":"Deal booked successfully"}"#,
            r#"{"message":"Deal D1 created"}"#,
            r#"{"dealId":"D1","failureUrl":"https://shop.example/fail"}"#,
            r#"{"dealId":"D1","failureRedirectUrl":"https://shop.example/fail"}"#,
            r#"{"dealId":"D1","declinedUrl":"https://shop.example/fail"}"#,
            r#"{"dealId":"D1","problemContact":"support@bank.example"}"#,
            r#"{"dealId":"D1","rejectedAmount":{"value":"0.00","currency":"EUR"}}"#,
            r#"{"dealId":"D1","status":"BOOKED","reason":"Refund for rejected goods"}"#,
            r#"{"status":"BOOKED","reason":"Refund for rejected goods"}"#,
            r#"{"dealId":"D1","status":"BOOKED","details":"Refund of failed delivery"}"#,
            r#"{"dealId":"D1","details":"Refund of failed delivery"}"#,
            r#"{"status":"SUCCESS","details":"Refund of failed delivery"}"#,
            r#"{"meta":{"status":"SUCCESS"},"details":"Refund of failed delivery"}"#,
            r#"{"dealId":"D1","name":"Jo"}"#,
            r#"{"dealId":"D1","deleted":false}"#,
            r#"{"dealId":"D1","updated":false}"#,
            r#"{"dealId":"D1","removed":false}"#,
            r#"{"dealId":"D1","revoked":false,"status":"BOOKED"}"#,
            r#"{"dealId":"D1","booked":false,"status":"PENDING"}"#,
            r#"{"booked":false,"status":"PENDING"}"#,
            r#"{"dealId":"D1","approved":"N","status":"AWAITING_APPROVAL"}"#,
            r#"{"dealId":"D1","message":"Deal booked. 0 legs failed"}"#,
            r#"{"dealId":"D1","message":"Deal booked. Funds not received by 17:00 are rejected"}"#,
            r#"{"dealId":"D1","message":"Completed with no validation errors"}"#,
            r#"{"dealId":"D1","message":"Errors: 0"}"#,
            r#"{"dealId":"D1","message":"Errors: none"}"#,
            r#"{"dealId":"D1","message":"Error free"}"#,
            r#"{"dealId":"D1","status":"NOT_SETTLED"}"#,
            r#"{"dealId":"D1","status":"NOT_YET_PROCESSED"}"#,
            r#"{"dealId":"D1","status":"LIMIT"}"#,
            r#"{"dealId":"D1","status":"LIMIT_ORDER"}"#,
            r#"{"dealId":"D1","code":450}"#,
            r#"{"dealId":"D1","previousStatus":"FAILED"}"#,
        ];
        for object in done {
            assert_eq!(error_of_effect(&members(object)), None, "{object}");
        }
        // What is read may be a thing that failed.
        for read in [
            r#"{"id":"1","status":"FAILED"}"#,
            r#"{"id":"1","booked":false}"#,
            r#"{"id":null}"#,
            r#"{"status":"CANCELLED"}"#,
            r#"{"deals":[{"error":"x"}]}"#,
            r#"{"data":[{"error":"x"}]}"#,
            r#"{"deal":{"error":"x"}}"#,
        ] {
            assert_eq!(error_in(&members(read)), None, "{read}");
        }
    }

    #[test]
    fn where_nothing_was_to_come_a_denial_is_an_error_and_what_came_to_its_end_is_none() {
        for (object, is_error) in [
            (r#"{"status":"INTERNAL_SERVER_ERROR"}"#, true),
            (r#"{"failed":true,"message":"in use"}"#, true),
            (r#"{"flag":true,"code":"X","message":"y"}"#, false),
            (r#"{"deleted":true,"message":"its tokens are now invalid"}"#, false),
            (r#"{"deleted":false}"#, true),
            (r#"{"deleted":false,"message":"in use"}"#, true),
            (r#"{"id":"c1","deleted":false}"#, true),
            (r#"{"message":"Consent was not deleted"}"#, true),
            (r#"{"code":"CONSENT_EXPIRED","message":"x"}"#, true),
            (r#"{"code":1,"message":"Deleted successfully"}"#, false),
            (r#"{"code":"REVOKED","message":"consent revoked"}"#, false),
            (r#"{"code":"S0001","message":"Consent removed"}"#, false),
            (r#"{"code":"CONSENT_DELETED","message":"x"}"#, false),
            (r#"{"code":"DEFAULT"}"#, false),
            (r#"{"id":"c1","status":"expired"}"#, false),
            (r#"{"status":"terminatedByTpp"}"#, false),
            (r#"{"message":"Consent cancelled"}"#, false),
            (r#"{"message":"Consent was already deleted"}"#, false),
            (r#"{"consent":null}"#, false),
            (r#"{"message":"0 consents deleted"}"#, true),
            (r#"{"message":"No consent was deleted"}"#, true),
            (r#"{"id":"c1","message":"The consent was not deleted"}"#, true),
            (r#"{"code":"C17","message":"Request received, consent in use"}"#, true),
            (r#"{"deleted":0}"#, true),
            (r#"{"received":true,"status":"FAILED"}"#, true),
            (r#"{"processed":true,"deleted":false}"#, true),
            (r#"{"received":true,"code":"C17","message":"consent in use"}"#, true),
            (r#"{"errorCode":"CONSENT_REVOKED"}"#, true),
            (
                r#"{"status":"terminatedByTpp","reason":"customer rejected the terms"}"#,
                false,
            ),
            (r#"{"message":"Consent deleted; its tokens are now invalid"}"#, false),
            (r#"{"consentId":"c","status":"revoked","failedAttempts":1}"#, false),
        ] {
            assert_eq!(error_for_nothing(&members(object)).is_some(), is_error, "{object}");
        }
    }

    #[test]
    fn names_that_go_on_after_an_error_and_what_denies_one_are_none() {
        for beside in [
            r#""errorUrl":"https://bank.example/e""#,
            r#""errorRedirectURI":"https://bank.example/e""#,
            r#""errorRedirectUri":"x""#,
            r#""error_redirect_url":"x""#,
            r#""errorReportUrl":"x""#,
            r#""errors_url":"x""#,
            r#""errorHandling":"CONTINUE""#,
            r#""onError":"continue""#,
            r#""faultTolerance":"0.01""#,
            r#""errorMargin":0.5"#,
            r#""errorThreshold":0.5"#,
            r#""meta":{"errorRate":0.01}"#,
            r#""meta":{"errors":{"total":0,"url":"/errors"}}"#,
            r#""errors":{"items":[],"href":"/x"}"#,
            r#""hasError":"N""#,
            r#""errorFlag":"F""#,
            r#""errorIndicator":"n""#,
            r#""errorMessage":"No errors found""#,
            r#""errorMessage":"Request successful""#,
            r#""errorCode":"00000","errorMessage":"Operation completed successfully""#,
            r#""errorCode":"S""#,
            r#""errorCode":"E0000","errorMessage":"Success""#,
            r#""errorCode":1,"errorMessage":"Success""#,
            r#""errorCode":"0","errorMessage":"Deal booked""#,
            r#""errorCode":"0","errorType":"INFO""#,
            r#""errorMessage":"Errors: 0""#,
            r#""errorMessage":"Error free""#,
            r#""errorLevel":"INFO""#,
            r#""errorDescription":"N.A.""#,
            r#""errorPolicy":"CONTINUE""#,
            r#""errorContact":"support@bank.example""#,
            r#""roundingError":"0.004""#,
            r#""error":{"code":0,"message":"No error occurred"}"#,
            r#""error":{"id":"e0","code":0,"message":""}"#,
            r#""error":{"hasError":false,"message":"none"}"#,
            r#""errorDetails":{"status":"OK","timestamp":"t"}"#,
        ] {
            let object = members(&format!(r#"{{"id":"1",{beside}}}"#));
            let told = [
                error_in(&object),
                error_of_effect(&object),
                error_beside(&object, &["id"]),
            ];
            assert_eq!(told, [None; 3], "{beside}");
        }
        for beside in [
            r#""error_uri":"https://bank.example/e""#,
            r#""errorCount":"2""#,
            r#""errors":{"total":2,"url":"/errors"}"#,
            r#""errorCode":"0","errorMessage":"Insufficient funds""#,
            r#""errorCode":"0","errors":[{"code":"LIMIT"}]"#,
            r#""errorCode":"Q17","errorMessage":"Success""#,
            r#""errorCode":1,"errorMessage":"x""#,
            r#""errorCode":1,"errorMessage":"Deal booked""#,
            r#""errors":[{"code":"CONSENT_REVOKED","message":"The consent was revoked"}]"#,
            r#""errors":[{"code":"TOKEN_REVOKED","detail":"x"}]"#,
            r#""error":{"code":"ACCOUNT_TERMINATED","message":"x"}"#,
            r#""errorCode":"ACCOUNT_DELETED","errorMessage":"the account is gone""#,
            r#""errorCode":"CONSENT_REVOKED""#,
            r#""errorCode":"DEAL_COMPLETED""#,
            r#""errorCode":"TRADE_BOOKED","errorMessage":"this quote is gone""#,
            r#""error":{"code":"QUOTE_EXECUTED"}"#,
            r#""error":"quote no longer ok""#,
            r#""errorMessage":"approved funds only""#,
            r#""error":{"code":1,"message":"deal booked by another"}"#,
            r#""errorLevel":"FATAL""#,
            r#""errorCode":1"#,
            r#""error":"the quote was booked by another""#,
            r#""error":{"status":200,"code":"Q17","message":"the quote is gone"}"#,
            r#""error":{"status":200,"message":"the quote is gone"}"#,
            r#""error":{"url":"/x","id":"e1"}"#,
            r#""error":"half a sur\ud800rogate""#,
            r#""error":{"code":0,"code":1}"#,
            r#""errors":[{"code":0},{"code":"Q17"}]"#,
        ] {
            let object = members(&format!(r#"{{"id":"1",{beside}}}"#));
            assert!(error_beside(&object, &["id"]).is_some(), "{beside}");
            assert!(error_of_effect(&object).is_some(), "{beside}");
            let empty = members(&format!(r#"{{"items":[],{beside}}}"#));
            assert!(error_of_no_items(&empty, &["items"], &[], true).is_some(), "{beside}");
        }
        // A code of no error is one of a page; of a call that changed something, words beside it are an error's.
        for beside in [
            r#""errorCode":"204","errorMessage":"upstream gone""#,
            r#""errorCode":"0","errorMessage":"quote gone""#,
            r#""errorCode":"0","errorMessage":"450 of them are gone""#,
            r#""error":{"code":"00","message":"quote gone"}"#,
        ] {
            let object = members(&format!(r#"{{"id":"1",{beside}}}"#));
            assert!(error_of_effect(&object).is_some(), "{beside}");
            assert!(error_for_nothing(&object).is_some(), "{beside}");
            assert_eq!(error_beside(&object, &["id"]), None, "{beside}");
        }
    }

    #[test]
    fn words_in_the_place_of_a_reply_are_those_of_an_error_of_a_success_or_of_neither() {
        for (text, of_an_error, of_a_success) in [
            ("INTERNAL_SERVER_ERROR", true, false),
            ("false", true, false),
            (" No ", true, false),
            ("OK", false, true),
            ("Deal booked", false, true),
            ("CONSENT_DELETED", false, true),
            ("PENDING", false, false),
            ("noted", false, false),
            ("", false, false),
        ] {
            assert_eq!(
                (says_error(text), says_success(text)),
                (of_an_error, of_a_success),
                "{text}"
            );
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

    /// Each value is read once, and neither all that is deep nor all that is long: the time it takes is that of the text.
    #[test]
    fn of_a_reply_no_more_is_read_than_says_what_became_of_its_call() {
        fn read(value: &Node) -> usize {
            match value {
                Node::Unread => 0,
                Node::Null | Node::Plain(_) => 1,
                Node::List(items) => 1 + items.iter().map(read).sum::<usize>(),
                Node::Object(members) => 1 + members.iter().map(|(_, value)| read(value)).sum::<usize>(),
            }
        }
        let rows = vec![r#"{"k":"v"}"#; 20_000].join(",");
        for name in ["data", "a"] {
            let around = format!("{{\"{name}\":").repeat(6);
            let object = members(&format!("{around}[{rows}]{}", "}".repeat(6)));
            assert_eq!(error_of_effect(&object), None);
            assert_eq!(
                object.iter().map(|(_, value)| read(&Node::of(value))).sum::<usize>(),
                1006
            );
        }
        let deep = members(&format!("{{\"a\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000)));
        assert_eq!(error_of_effect(&deep), None);
        assert_eq!(
            deep.iter().map(|(_, value)| read(&Node::of(value))).sum::<usize>(),
            MOST_DEEP
        );
        let errors = vec!["0"; 20_000].join(",");
        let errors = members(&format!(r#"{{"id":"1","errors":[{errors},"x"]}}"#));
        assert_eq!(error_of_effect(&errors), Some("errors"));
    }
}
