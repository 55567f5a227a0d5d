//! What replies contained that the specifications do not describe.
//!
//! A provider's change is often first seen in a reply: a new field, a new kind,
//! a new value of a list. Clients read on; this module counts, and tells of each
//! new name once through a `tracing` event of target `finrail::canary`. Names and
//! places only, never values.
//!
//! A name that a provider made of data is not told as it came: every digit is a `#`, a long name is cut, and a name that is
//! the token of the call, or a part of it, is not shown at all.
//!
//! ```
//! for sighting in finrail::canary::sightings() {
//!     println!("{} {}: {} at {}, {} times", sighting.provider, sighting.operation, sighting.what, sighting.place, sighting.count);
//! }
//! ```

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// How many different sightings are kept.
const MOST: usize = 4096;

/// Something in a reply that the specification does not describe.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sighting {
    /// The provider.
    pub provider: &'static str,
    /// The operation whose reply it was.
    pub operation: &'static str,
    /// What it is.
    pub what: Unmodelled,
    /// Where: the JSON path of a field or a kind, the schema's name for a value. Items of a list are `[]`.
    pub place: String,
    /// How often it was seen.
    pub count: u64,
}

/// What a specification lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Unmodelled {
    /// A field.
    Field,
    /// A value of an enum.
    EnumValue,
    /// A kind that is named by a key.
    Kind,
}

impl Unmodelled {
    /// The word in events and recordings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Field => "unmodelled-field",
            Self::EnumValue => "unknown-enum-value",
            Self::Kind => "unknown-kind",
        }
    }
}

impl fmt::Display for Unmodelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

type Key = (&'static str, &'static str, Unmodelled, String);

static SEEN: Mutex<BTreeMap<Key, u64>> = Mutex::new(BTreeMap::new());

/// Everything that this process has seen, in a fixed order.
#[must_use]
pub fn sightings() -> Vec<Sighting> {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let all = seen.iter().map(|((provider, operation, what, place), count)| Sighting {
        provider,
        operation,
        what: *what,
        place: place.clone(),
        count: *count,
    });
    all.collect()
}

thread_local! {
    /// What the decoding that is under way on this thread has seen.
    static COLLECTED: RefCell<Option<Vec<(Unmodelled, String)>>> = const { RefCell::new(None) };
}

/// Called by generated types while they are read.
pub(crate) fn note(what: Unmodelled, place: impl FnOnce() -> String) {
    COLLECTED.with_borrow_mut(|collected| {
        if let Some(collected) = collected.as_mut().filter(|collected| collected.len() < MOST) {
            collected.push((what, place()));
        }
    });
}

/// The same text is read once more: what was noted of it so far is noted then.
pub(crate) fn begin_again() {
    COLLECTED.with_borrow_mut(|collected| {
        if let Some(collected) = collected {
            collected.clear();
        }
    });
}

/// Decodes, and reports what the decoding saw. `is_secret`: what no name may show.
pub(crate) fn watch<T>(
    provider: &'static str,
    operation: &'static str,
    is_secret: impl Fn(&str) -> bool,
    decode: impl FnOnce() -> T,
) -> T {
    COLLECTED.set(Some(Vec::new()));
    let value = decode();
    let collected = COLLECTED.take().unwrap_or_default();
    if collected.is_empty() {
        return value;
    }
    let mut fresh = Vec::new();
    {
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        for ((what, place), times) in counted(collected) {
            let place = shown(&place, &is_secret);
            let key = (provider, operation, what, place);
            if let Some(count) = seen.get_mut(&key) {
                *count += times;
            } else if seen.len() < MOST {
                fresh.push((what, key.3.clone()));
                seen.insert(key, times);
            }
        }
    }
    for (what, place) in fresh {
        tracing::warn!(
            target: "finrail::canary",
            provider,
            operation,
            what = what.as_str(),
            place,
            "a reply has something that the specification does not describe"
        );
    }
    value
}

/// What was seen, each once with how often, in the order of the first of each: what one item of a list has, the others
/// mostly have too.
fn counted(collected: Vec<(Unmodelled, String)>) -> Vec<((Unmodelled, String), u64)> {
    let mut counted = BTreeMap::new();
    for (at, seen) in collected.into_iter().enumerate() {
        counted.entry(seen).or_insert((at, 0)).1 += 1;
    }
    let mut counted: Vec<_> = counted.into_iter().collect();
    counted.sort_unstable_by_key(|(_, (first, _))| *first);
    counted.into_iter().map(|(seen, (_, times))| (seen, times)).collect()
}

/// The longest step of a place that is shown, and the most steps.
const LONGEST: usize = 48;
const DEEPEST: usize = 12;

/// A place without what may be data in it.
pub(crate) fn shown(place: &str, is_secret: impl Fn(&str) -> bool) -> String {
    if is_secret(place) || place.split('.').any(is_secret) {
        return "[secret]".to_owned();
    }
    let mut steps: Vec<String> = place
        .split('.')
        .take(DEEPEST + 1)
        .map(|step| shown_step(step, true))
        .collect();
    if steps.len() > DEEPEST {
        steps.truncate(DEEPEST);
        steps.push("\u{2026}".to_owned());
    }
    steps.join(".")
}

/// So many digits are in the names of a specification (`address.line1`), and tell nothing.
const FEW_DIGITS: usize = 3;

/// The path to what could not be read, or another name that a reply has, without what may be data in it. Nobody need have
/// described a name of it, for what is no JSON stands anywhere. The names of a specification, and indices, stay as they are.
pub(crate) fn shown_path(path: &str, is_secret: impl Fn(&str) -> bool) -> String {
    // A secret may have dots in it, and what stands between two of them is a part of it: where one step tells, all may.
    let tells = |step: &str| is_secret(step) || is_secret(name_and_indices(step).0);
    if is_secret(path) || path.split('.').any(tells) {
        return "[secret]".to_owned();
    }
    let steps: Vec<(&str, &str)> = path.split('.').take(DEEPEST + 1).map(name_and_indices).collect();
    let digits = steps
        .iter()
        .flat_map(|(name, _)| name.chars())
        .filter(char::is_ascii_digit);
    let masks = digits.take(FEW_DIGITS + 1).count() > FEW_DIGITS;
    let mut shown: Vec<String> = steps
        .iter()
        .map(|(name, indices)| format!("{}{indices}", shown_step(name, masks)))
        .collect();
    if shown.len() > DEEPEST {
        shown.truncate(DEEPEST);
        shown.push("\u{2026}".to_owned());
    }
    shown.join(".")
}

/// A step of a path, and the indices behind its name. What no list has is no index.
fn name_and_indices(step: &str) -> (&str, &str) {
    let mut name = step;
    while let Some((before, index)) = name.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
        let is_index = (1..=7).contains(&index.len()) && index.bytes().all(|byte| byte.is_ascii_digit());
        if !is_index || step.len() - before.len() > LONGEST {
            break;
        }
        name = before;
    }
    step.split_at(name.len())
}

/// `masks`: no digit of it is shown.
fn shown_step(step: &str, masks: bool) -> String {
    let mut shown: String = step
        .chars()
        .take(LONGEST)
        .map(|c| match c {
            '0'..='9' if masks => '#',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect();
    if step.chars().nth(LONGEST).is_some() {
        shown.push('\u{2026}');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_a_secret_in_it_is_hidden_whether_that_is_a_step_or_has_dots_itself() {
        for secret in ["token", "to.ken", "list.token"] {
            let shown = |path| shown_path(path, |text| text == secret);
            assert_eq!(shown(secret), "[secret]");
            assert_eq!(shown("list.name"), "list.name");
        }
        assert_eq!(shown_path("list.token[0].name", |text| text == "token"), "[secret]");
    }

    #[test]
    fn of_a_name_that_is_data_nothing_is_shown_that_tells_it() {
        let is_secret = |text: &str| text.contains("planted-token");
        for (place, expected) in [
            ("page.total", "page.total"),
            ("accounts[].line2", "accounts[].line#"),
            ("balances.SK6911000000003968781519", "balances.SK######################"),
            ("a-planted-token", "[secret]"),
            ("tokens.a-planted-token.x", "[secret]"),
            ("tokens.xa-planted-tokenx", "[secret]"),
            ("tokens.planted-token", "[secret]"),
            ("tokens.token", "tokens.token"),
            ("a\nb\u{1b}[31m", "a\u{fffd}b\u{fffd}[##m"),
            ("", ""),
            ("a.b.c.d.e.f.g.h.i.j.k.l", "a.b.c.d.e.f.g.h.i.j.k.l"),
            ("a.b.c.d.e.f.g.h.i.j.k.l.m", "a.b.c.d.e.f.g.h.i.j.k.l.\u{2026}"),
        ] {
            assert_eq!(shown(place, is_secret), expected, "{place}");
        }
        // A secret may be one step, or have dots in it.
        assert_eq!(shown("tokens.planted.x", |text| text == "planted"), "[secret]");
        assert_eq!(shown("planted.token", |text| text == "planted.token"), "[secret]");
    }

    #[test]
    fn of_a_path_nothing_is_shown_that_is_data_and_names_of_a_specification_stay() {
        let is_secret = |text: &str| text.contains("planted-token");
        for (path, expected) in [
            (".", "."),
            ("data[17].owner.line1", "data[17].owner.line1"),
            ("items.{}[0].address1[3][12]", "items.{}[0].address1[3][12]"),
            ("hydra:member[1234567]", "hydra:member[1234567]"),
            ("application/vnd.api+json", "application/vnd.api+json"),
            (
                "data[17].SK6911000000003968781519.x1",
                "data[17].SK######################.x#",
            ),
            ("data[17].12.34.56", "data[17].##.##.##"),
            ("data[6911000000]", "data[##########]"),
            ("data[0].a-planted-token", "[secret]"),
            ("data[0].planted-token[7]", "[secret]"),
            ("text/planted-token", "[secret]"),
            ("a\nb\u{1b}[31m", "a\u{fffd}b\u{fffd}[31m"),
            ("owner.line123", "owner.line123"),
            ("owner.line1234", "owner.line####"),
            ("a.b.c.d.e.f.g.h.i.j.k.l", "a.b.c.d.e.f.g.h.i.j.k.l"),
            ("a.b.c.d.e.f.g.h.i.j.k.l.m", "a.b.c.d.e.f.g.h.i.j.k.l.\u{2026}"),
        ] {
            assert_eq!(shown_path(path, is_secret), expected, "{path}");
        }
        for secret in ["planted.token", "planted.1234"] {
            let path = format!("a.{secret}");
            assert_eq!(shown_path(&path, |text| text.contains(secret)), "[secret]", "{secret}");
        }
    }

    #[test]
    fn behind_a_name_of_any_length_as_many_indices_stay_as_are_shown_of_a_name() {
        let sixteen = "[0]".repeat(16);
        assert_eq!(sixteen.len(), LONGEST);
        let long = "n".repeat(30);
        for (name, indices) in [
            ("a", "[0]"),
            ("a", sixteen.as_str()),
            ("a[0]", sixteen.as_str()),
            (long.as_str(), "[17]"),
            ("", "[1234567]"),
            ("a[12345678]", ""),
        ] {
            let step = format!("{name}{indices}");
            assert_eq!(name_and_indices(&step), (name, indices), "{step}");
        }
    }

    #[test]
    fn what_is_seen_is_counted_up_to_a_bound_for_each_reply() {
        let see = |times: usize| {
            let decode = || (0..times).for_each(|_| note(Unmodelled::Kind, || "kind".to_owned()));
            watch("bank", "see_often", |_| false, decode);
            let all = sightings();
            let seen: Vec<_> = all.iter().filter(|seen| seen.operation == "see_often").collect();
            assert_eq!((seen.len(), seen[0].what), (1, Unmodelled::Kind));
            seen[0].count
        };
        assert_eq!(see(1), 1);
        assert_eq!(see(3), 4);
        assert_eq!(see(MOST + 7), 4 + MOST as u64);
    }

    #[test]
    fn what_many_items_have_is_looked_at_once_and_counted_for_each() {
        let decode = || {
            for name in ["second", "first"].repeat(50) {
                note(Unmodelled::Field, || name.to_owned());
            }
            note(Unmodelled::Kind, || "first".to_owned());
        };
        let asked = RefCell::new(Vec::new());
        let is_secret = |text: &str| {
            asked.borrow_mut().push(text.to_owned());
            false
        };
        watch("bank", "see_in_items", is_secret, decode);
        let sightings = sightings();
        let seen = sightings.iter().filter(|seen| seen.operation == "see_in_items");
        let seen: Vec<_> = seen.map(|seen| (seen.what, seen.place.as_str(), seen.count)).collect();
        let expected = [
            (Unmodelled::Field, "first", 50),
            (Unmodelled::Field, "second", 50),
            (Unmodelled::Kind, "first", 1),
        ];
        assert_eq!(seen, expected);
        let mut asked = asked.into_inner();
        asked.dedup();
        // In the order in which they were seen.
        assert_eq!(asked, ["second", "first"]);
    }

    #[test]
    fn what_is_lacking_has_a_word() {
        for (what, word) in [
            (Unmodelled::Field, "unmodelled-field"),
            (Unmodelled::EnumValue, "unknown-enum-value"),
            (Unmodelled::Kind, "unknown-kind"),
        ] {
            assert_eq!((what.as_str(), what.to_string().as_str()), (word, word));
        }
    }

    #[test]
    fn a_name_of_a_megabyte_is_a_short_line() {
        for place in ["x".repeat(1_000_000), "x.".repeat(500_000), "\u{1f600}".repeat(250_000)] {
            for shown in [shown(&place, |_| false), shown_path(&place, |_| false)] {
                assert!(
                    shown.len() < 1000 && shown.ends_with('\u{2026}'),
                    "{} bytes",
                    shown.len()
                );
            }
        }
        for path in ["[0]".repeat(300_000), format!("x{}", "[0]".repeat(300_000))] {
            assert!(shown_path(&path, |_| false).len() < 1000);
        }
    }
}
