//! What the members of an object say of the call that it is the reply to, and what outweighs what.

use super::codes::{
    code_says, has_a_grave_one, is_an_errors_kind, is_an_errors_name, is_error_status, is_informational,
};
use super::in_error::InError;
use super::look::{Look, is_failure};
use super::names::{
    AROUND, AT_AN_END, BESIDE_AN_ERROR, CODES, DEAL, DENIED_IF_FALSE, DENIED_IF_NOT_ENDED, LABELS, MESSAGES,
    MESSAGES_FOR_PEOPLE, NAME, NO, NOT_ENDED, OF_A_KIND, OF_A_STATUS, OF_A_SUCCESS, RESULT, WORD_OF_A_STATUS, YES,
    answers, goes_on, is_an_answer, is_an_id, is_id_of_what_is_made, is_id_of_what_was_done, is_of_a_gateway,
    is_of_a_thing, may_be_what_was_done, named, of_a_failure, of_a_thing, of_an_error, of_status_words, what_is_made,
};
use super::node::Node;
use crate::value::outcome_words::{
    DONE, ENDED, Says, TAKEN, UNDER_WAY, is_a_limit, is_of_the_call_only, is_short, is_yet_to_be, says, there_are_none,
    was_undone,
};
use crate::value::{Json, JsonMap};

/// Stands for the member where there is none: nothing of the reply says what was done.
const NOTHING_DONE: &str = "";

/// Why a reply is none of a success, by the member that shows it.
pub(crate) fn reason(member: &str) -> String {
    match member {
        NOTHING_DONE => "the reply to a success says nothing of what was done".to_owned(),
        member => format!("the reply to a success has `{member}`, as an error has"),
    }
}

/// How deep what is around the words of a reply is looked through.
const MOST_AROUND: usize = 6;

/// What the members of an object say of the call that it is the reply to, each by its name.
#[derive(Clone, Copy, Default)]
pub(super) struct Told {
    /// That it failed, whatever is beside it.
    pub(super) certain: Option<&'static str>,
    /// That it failed, in a word.
    failure: Option<&'static str>,
    /// That what was to be made came to its end.
    end: Option<&'static str>,
    /// That something was not done, if it is not under way.
    denied: Option<&'static str>,
    /// That it failed, in words as short as a code, or in a sentence.
    short: Option<&'static str>,
    sentence: Option<&'static str>,
    /// The words of a refusal, or of an end, are as short as a code.
    curt: Option<&'static str>,
    /// The name of the object is one that errors have.
    name: Option<&'static str>,
    /// A code as HTTP has them for errors.
    number: Option<&'static str>,
    /// A code that is neither that of a failure nor that of a success.
    pub(super) code: Option<&'static str>,
    /// There are none: a code or a message says so.
    pub(super) is_informational: bool,
    pub(super) words: Option<&'static str>,
    /// The words are more than a label.
    pub(super) is_message: bool,
    /// A member denies that there was a failure.
    pub(super) is_success: bool,
    /// The call was taken, which says nothing of how it ends.
    pub(super) is_taken: bool,
    /// A status, a code or a word is that of a success.
    is_well: bool,
    /// A status says that the call went well ...
    went_well: bool,
    /// ... or where what was done stands ...
    stands: bool,
    /// ... and not only that of the call ...
    is_firm: bool,
    /// ... and that it is not done yet.
    is_under_way: bool,
    /// There is an id of what was done.
    has_id: bool,
    /// It is one with the name of what calls make: `dealId`.
    is_made: bool,
    /// There is an id, of whatever thing: an object may have any name then.
    is_a_thing: bool,
    /// There is an issue, as an error has one beside its name.
    has_issue: bool,
    /// There is something that has to do with none of this.
    pub(super) other: bool,
    /// There is such a member, and nothing in it.
    pub(super) blank: Option<&'static str>,
}

impl Told {
    pub(super) fn by<'o>(members: impl Iterator<Item = (&'o str, &'o Json)>, look: Look<'_>) -> Self {
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
        told.certain = error.member(look).filter(|_| !is_of_a_thing_read(&rest, look));
        told.is_well = told.certain.is_none() && error.is_said;
        // An object in which there is but one thing is around it, whatever its name.
        let says_something =
            |(name, value): &&(&str, &Node)| named(name, BESIDE_AN_ERROR).is_none() && !value.is_vacant();
        let is_only = look.has_effect && rest.iter().filter(says_something).count() == 1;
        // What is told further in.
        let mut inside = Self::default();
        let mut objects = Vec::new();
        for (name, value) in rest {
            let around = named(name, AROUND).filter(|_| !value.is_vacant());
            if around.is_some_and(|member| inside.look_in(Some(member), value, look, depth)) {
                continue;
            }
            if told.note_a_sign(name, value, look, depth) {
                continue;
            }
            if !value.is_blank_or_none() {
                if told.note_id(name, value, look) {
                    continue;
                }
                if !(is_only && inside.look_in(None, value, look, depth)) {
                    told.other = true;
                    objects.push((name, value));
                }
            } else if value.is_vacant() {
                told.blank = Some(NOTHING_DONE);
            } else {
                objects.push((name, value));
            }
        }
        if look.has_effect {
            told.note_objects(&objects, look, depth);
        }
        // What is soft is outweighed where it stands, and nowhere else.
        if look.has_effect && told.is_success {
            (told.short, told.sentence, told.curt) = (None, None, None);
            (told.code, told.words) = (None, None);
            told.is_message = false;
        }
        told.take_in(None, inside);
        told
    }

    /// Notes an id, and whether it is one of the call alone, that is of no thing.
    fn note_id(&mut self, name: &str, value: &Node, look: Look<'_>) -> bool {
        let (is_one, is_of_what_was_done) = (is_an_id(name), is_id_of_what_was_done(name));
        if !(is_one || is_of_what_was_done) || !value.is_said() {
            return false;
        }
        let is_of_the_call = look.has_effect && is_of_a_gateway(name);
        self.is_a_thing |= !is_of_the_call;
        self.has_id |= look.ends_accuse() && is_of_what_was_done;
        self.is_made |= look.ends_accuse() && is_id_of_what_is_made(name);
        is_of_the_call
    }

    /// Notes what the objects state that may be what was done. Of a deal that is booked, another object may have failed.
    fn note_objects(&mut self, objects: &[(&str, &Node)], look: Look<'_>, depth: usize) {
        let mut looked_at = Vec::new();
        let holds_more = |object: &Node| matches!(object, Node::Object(_) | Node::List(_));
        let objects = objects.iter().filter(|(_, object)| holds_more(object));
        for (name, object) in objects.filter(|(name, _)| self.may_stand_in(name, look)) {
            let mut inside = Self::default();
            inside.look_in(None, object, look, depth);
            looked_at.push((what_is_made(name), inside));
        }
        let is_booked = looked_at
            .iter()
            .any(|(made, inside)| *made == Some(DEAL) && inside.is_done());
        // A part of what was made has denials of its own: `"payment":{"received":false}`.
        let says_it_itself = self.has_id || self.stands;
        for (made, inside) in looked_at {
            let (is_a_deal, is_a_part) = (made == Some(DEAL), !matches!(made, None | Some(DEAL)));
            let failed = inside.failure.or(inside.end).filter(|_| is_a_deal || !is_booked);
            let may_deny = look.ends_something || !(is_a_part || says_it_itself);
            let denied = inside.denied.filter(|_| may_deny && !inside.is_under_way);
            self.failure = self.failure.or(inside.certain).or(failed).or(denied);
        }
    }

    /// Whether what was done may stand in an object of this name. Of a deal it says whatever is beside it; another thing may be a part
    /// of what has an id, and an answer of what has a status.
    fn may_stand_in(&self, name: &str, look: Look<'_>) -> bool {
        let says_it_itself = self.has_id || self.stands;
        if look.ends_something {
            return may_be_what_was_done(name) && !says_it_itself;
        }
        match what_is_made(name) {
            Some(DEAL) => true,
            Some(_) => !(self.is_made || self.has_id && self.stands),
            None => is_an_answer(name) && !says_it_itself,
        }
    }

    /// Whether it is a thing that was done, and nothing says that it failed.
    fn is_done(&self) -> bool {
        let failed = self.certain.or(self.failure).or(self.end);
        self.has_id && self.stands && failed.is_none()
    }

    /// A code and words: an error has both.
    pub(super) fn pair(&self) -> Option<&'static str> {
        self.code.or(self.number).filter(|_| self.is_message)
    }

    /// That it failed, as far as nothing says more.
    pub(super) fn failed(&self) -> Option<&'static str> {
        self.failure
            .or(self.end)
            .or(self.denied.filter(|_| !self.is_under_way))
            .or(self.name.filter(|_| self.is_an_errors()))
            .or(self.number.filter(|_| !self.has_id))
            .or(self.short.filter(|_| !self.stands))
            .or(self.curt.filter(|_| !(self.is_firm || self.has_id)))
            .or(self
                .sentence
                .filter(|_| !(self.stands || self.went_well || self.has_id)))
    }

    /// Whether an object with the name of an error is one: a thing may have any name.
    fn is_an_errors(&self) -> bool {
        !self.is_a_thing || self.has_issue || self.is_message && !(self.stands || self.went_well)
    }

    pub(super) fn unless_well(&self, rest: Option<&'static str>) -> Option<&'static str> {
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
        let objects = objects.iter().filter(|object| matches!(object, Node::Object(_)));
        let told: Vec<_> = objects
            .map(|object| Self::by_all(object.members(), look, depth))
            .collect();
        // One of several that was done shows that those that are over are of before.
        let is_done = told.iter().any(Self::is_done);
        for inner in &told {
            let end = inner.end.filter(|_| !is_done);
            self.take_in(member, Self { end, ..*inner });
        }
        !told.is_empty()
    }

    fn take_in(&mut self, member: Option<&'static str>, inner: Self) {
        let as_member = |told: Option<&'static str>| told.map(|told| member.unwrap_or(told));
        self.certain = self.certain.or(as_member(inner.certain));
        self.failure = self.failure.or(as_member(inner.failure));
        self.end = self.end.or(as_member(inner.end));
        self.denied = self.denied.or(as_member(inner.denied));
        self.short = self.short.or(as_member(inner.short));
        self.sentence = self.sentence.or(as_member(inner.sentence));
        self.curt = self.curt.or(as_member(inner.curt));
        self.number = self.number.or(as_member(inner.number));
        self.name = self.name.or(as_member(inner.name));
        self.code = self.code.or(as_member(inner.code));
        self.words = self.words.or(as_member(inner.words));
        self.blank = self.blank.or(inner.blank);
        self.is_informational |= inner.is_informational;
        self.is_message |= inner.is_message;
        self.is_success |= inner.is_success;
        self.is_taken |= inner.is_taken;
        self.is_well |= inner.is_well;
        self.went_well |= inner.went_well;
        self.stands |= inner.stands;
        self.is_firm |= inner.is_firm;
        self.is_under_way |= inner.is_under_way;
        self.has_id |= inner.has_id;
        self.is_made |= inner.is_made;
        self.is_a_thing |= inner.is_a_thing;
        self.has_issue |= inner.has_issue;
        self.other |= inner.other;
    }

    /// Whether the member has to do with success and failure, or with what an error has beside it.
    fn note_a_sign(&mut self, name: &str, value: &Node, look: Look<'_>, depth: usize) -> bool {
        if let Some(member) = named(name, OF_A_SUCCESS) {
            self.note_success(member, value, look);
        } else if let Some(member) = named(name, look.codes).or_else(|| named(name, CODES)) {
            self.note_code(member, value, look);
        } else if answers(name, DENIED_IF_FALSE) && value.is_one_of(&["false", "n", "no"]) {
            self.denied = self.denied.or_else(|| look.has_effect.then_some("false"));
            return look.has_effect;
        } else if named(name, DENIED_IF_NOT_ENDED).is_some() && value.is_one_of(NOT_ENDED) {
            self.failure = self.failure.or_else(|| look.ends_something.then_some("false"));
            return look.has_effect;
        } else if let Some(member) = denied(name, value).filter(|_| look.has_effect) {
            self.failure = self.failure.or(Some(member));
        } else if value.is_blank_or_none() {
            return !is_of_a_thing(name);
        } else if let Some(member) = named(name, OF_A_STATUS).or_else(|| named(name, &[RESULT])) {
            self.note_status(member, value, look, depth);
        } else if let Some(member) = of_status_words(name).filter(|_| look.has_effect && is_a_short_word(value)) {
            self.note_standing(member, value, look);
        } else if let Some(member) = of_a_thing(name).filter(|_| look.has_effect && value.is_said()) {
            self.note_standing(member, value, look);
        } else if let Some(member) = named(name, MESSAGES_FOR_PEOPLE).or_else(|| named(name, LABELS)) {
            self.note_words(member, value, look, depth);
        } else if let Some(member) = named(name, MESSAGES).filter(|_| has_a_grave_one(value)) {
            self.certain = self.certain.or_else(|| look.messages_are_certain.then_some(member));
            self.failure = self.failure.or(Some(member));
        } else if let Some(member) = named(name, OF_A_KIND).filter(|_| is_an_errors_kind(value)) {
            self.failure = self.failure.or(Some(member));
        } else if named(name, &[NAME]).is_some() && is_an_errors_name(value) {
            self.name = self.name.or(Some(NAME));
        } else if let Some(member) = of_a_failure(name).filter(|_| is_failure(value, look)) {
            self.failure = self.failure.or(Some(member));
        } else if named(name, TAKEN).or_else(|| named(name, UNDER_WAY)).is_some() && value.is_one_of(YES) {
            self.is_taken = true;
        } else if named(name, DONE).is_some() && value.is_one_of(YES) {
            (self.is_well, self.stands) = (true, true);
            self.is_firm |= !is_of_the_call_only(name);
        } else if answers(name, AT_AN_END) && look.ends_accuse() && value.is_one_of(YES) {
            self.end = self.end.or(Some("true"));
        } else if named(name, ENDED).is_some() && value.is_one_of(YES) {
            self.is_well |= !look.ends_accuse();
            self.stands |= look.ends_something;
        } else {
            self.has_issue |= named(name, &["issue"]).is_some();
            return named(name, BESIDE_AN_ERROR).is_some() || goes_on(name);
        }
        true
    }

    fn note_success(&mut self, member: &'static str, value: &Node, look: Look<'_>) {
        let may_be_a_count = |value: &Json| !value.get().starts_with(['"', 'f']);
        let is_count = look.has_list && value.json().is_some_and(may_be_a_count);
        self.is_success |= value.is_one_of(YES);
        let denial = denial_in_words(value);
        if (value.is_one_of(NO) || denial == Some(Denial::Short)) && !is_count {
            self.certain = self.certain.or(Some(member));
        } else if denial.is_some() && look.has_effect {
            self.sentence = self.sentence.or(Some(member));
        }
    }

    fn note_status(&mut self, member: &'static str, value: &Node, look: Look<'_>, depth: usize) {
        if is_error_status(value) && member != RESULT {
            self.certain = self.certain.or(Some(member));
            return;
        }
        let parts: Vec<_> = match value {
            Node::List(items) if look.has_effect => items.iter().collect(),
            Node::Object(_) if look.has_effect => {
                let words = value
                    .members()
                    .filter(|(name, _)| named(name, WORD_OF_A_STATUS).is_some());
                words.map(|(_, word)| word).collect()
            }
            _ => Vec::new(),
        };
        for part in parts.into_iter().filter(|part| part.is_said()) {
            self.note_standing(member, part, look);
        }
        let told = self.note_standing(member, value, look);
        // `0` is that of a success to some, and a denial to others.
        let may_deny = look.has_effect && value.is_one_of(&["0"]);
        self.is_well |= match told {
            _ if may_deny => false,
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
            Says::Failure if look.ends_accuse() && is_yet_to_be(&text) => {
                self.sentence = self.sentence.or(Some(member));
                Says::Nothing
            }
            Says::Nothing | Says::Done if look.ends_accuse() && was_undone(&text) => Says::End,
            Says::Failure if look.is_page && there_are_none(&text) => Says::Nothing,
            told => told,
        };
        match told {
            Says::Failure => self.failure = self.failure.or(Some(member)),
            Says::End | Says::Ended if look.ends_accuse() => self.end = self.end.or(Some(member)),
            Says::End | Says::Ended => self.stands |= look.ends_something,
            Says::NoError => self.went_well |= value.decimal().is_none(),
            Says::Done => {
                self.stands = true;
                self.is_firm |= !is_of_the_call_only(&text);
            }
            Says::UnderWay => (self.stands, self.is_firm, self.is_under_way) = (true, true, true),
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
            let told = says(text);
            if accuses
                && look.ends_accuse()
                && is_short(text)
                && matches!(told, Says::Failure | Says::End | Says::Ended)
            {
                self.curt = self.curt.or(Some(member));
            }
            match told {
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

pub(super) fn others<'o>(object: &'o JsonMap, described: &[&str]) -> impl Iterator<Item = (&'o str, &'o Json)> {
    object.iter().filter(|(name, _)| !described.contains(name))
}

/// Whether what was read is a thing that is known by an id: what it tells of an error is told of the thing. The id of a reply may
/// have no other name than `id`, so that a status has to be there, too.
fn is_of_a_thing_read(members: &[(&str, &Node)], look: Look<'_>) -> bool {
    let has = |is_so: &dyn Fn(&str) -> bool| members.iter().any(|(name, value)| is_so(name) && value.is_said());
    let is_its = |name: &str| is_an_id(name) && named(name, &["id"]).is_none();
    let is_read = !look.has_effect && !look.is_page;
    is_read && (has(&is_its) || has(&is_an_id) && has(&|name| of_a_thing(name).is_some()))
}

/// The member of a reply's own that says `false`, or `-1`, in the place of what became of the call.
fn denied(name: &str, value: &Node) -> Option<&'static str> {
    let of_status = || named(name, OF_A_STATUS).or_else(|| named(name, &[RESULT]));
    let is_false = || value.is_one_of(&["false"]);
    match of_status() {
        Some(member) => (is_false() || value.is_one_of(&["-1"])).then_some(member),
        None => named(name, AROUND).filter(|_| is_false()),
    }
}

/// Whether a value is a word, or two, and no number.
fn is_a_short_word(value: &Node) -> bool {
    value.text().is_some_and(|text| is_short(&text)) && value.decimal().is_none()
}

#[derive(PartialEq, Eq)]
enum Denial {
    Short,
    Long,
}

/// How a text denies that there was a success. One with a number may be a count, and what is not yet so, or need not be, is no
/// denial.
fn denial_in_words(value: &Node) -> Option<Denial> {
    let text = value.text()?;
    if is_yet_to_be(&text) || says(&text) != Says::Failure {
        return None;
    }
    let has_a_number = text.contains(|letter: char| letter.is_ascii_digit());
    Some(match is_short(&text) && !has_a_number {
        true => Denial::Short,
        false => Denial::Long,
    })
}
