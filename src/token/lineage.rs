//! Which grant of a key tokens belong to, and which grant came after which: by descent, whatever clocks say.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::clock::is_surely_later;
use super::fingerprint::Fingerprint;

/// The identity of a grant, and the grants that it replaced.
///
/// Every login under a key begins a grant of its own. A process that could not store its login for a while, or that was
/// away while others went on, finds out by this whether what it holds is newer than what the store holds. Clocks of
/// two machines cannot tell. Records of earlier versions have none, and are told apart as these versions did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Lineage {
    id: String,
    /// When its first tokens were asked for. It decides only where the login could not see what it replaces.
    at: DateTime<Utc>,
    /// What there was before, the youngest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    before: Vec<Ancestor>,
    /// How it stands to those that are not remembered. None: it is the first one, or a version that does not write this wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
    /// The store could not be asked what there was before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    blind: bool,
    /// The store did not take its tokens at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    waited: bool,
    /// The store had nothing when it took its tokens: all that there was before is what its process remembered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    remembered: bool,
    /// The token that an import brought; none: its tokens came with a login, or from a version that did not write this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    imported: Option<Fingerprint>,
    /// The tokens that imports brought of grants that were ended on purpose, the youngest first: longer than their grants
    /// are ancestors, because these tokens may still live, and are to bring nothing back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ended: Vec<Fingerprint>,
}

/// A grant that was there when another one began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ancestor {
    /// Empty: it was written by a version without lineages.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    id: String,
    /// It had been ended on purpose.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ended: bool,
    /// When the last end that was seen was written. None: a version that does not write this saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended_at: Option<DateTime<Utc>>,
    /// The token that an import brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    imported: Option<Fingerprint>,
}

/// How far a grant is from the first one of its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Origin {
    first: String,
    /// How many grants later it came.
    number: u32,
}

impl Origin {
    fn next(self) -> Self {
        let number = self.number.saturating_add(1);
        Self { number, ..self }
    }
}

/// So many ancestors are remembered: logins of one user that can be under way at once, and more.
const REMEMBERED: usize = 16;
/// So many tokens of imports whose grants were ended on purpose are remembered: a user ends a consent now and then, while
/// access tokens alone may be imported every hour. They are a kilobyte or two of a record.
const ENDED: usize = 64;

/// How a grant stands to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kinship {
    /// They are one.
    Same,
    /// It replaced the other one, or one that did.
    Later,
    /// It was replaced by the other one.
    Earlier,
    /// Neither has seen the other.
    Apart,
    /// One of them was written by a version without lineages.
    Unknown,
}

impl Lineage {
    /// When the first tokens of the login were asked for.
    pub(crate) fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// Of a login whose tokens were asked for at this time, before it is known what it replaces.
    pub(crate) fn begun(at: DateTime<Utc>) -> Self {
        Self {
            id: uuid::Uuid::new_v4().simple().to_string(),
            at,
            before: Vec::new(),
            origin: None,
            blind: true,
            waited: false,
            remembered: false,
            imported: None,
            ended: Vec::new(),
        }
    }

    /// The same grant, which an import of this token began.
    #[must_use]
    pub(crate) fn of_import(mut self, token: Fingerprint) -> Self {
        self.imported = Some(token);
        self
    }

    /// Whether an import of this token began the grant.
    pub(crate) fn began_with(&self, token: Fingerprint) -> bool {
        self.imported == Some(token)
    }

    /// Whether an import began the grant.
    pub(crate) fn is_of_import(&self) -> bool {
        self.imported.is_some()
    }

    /// The tokens that imports brought, of this grant and of those before it.
    pub(crate) fn imports(&self) -> impl Iterator<Item = Fingerprint> {
        let earlier = self.before.iter().map(|ancestor| ancestor.imported);
        let youngest = std::iter::once(self.imported).chain(earlier).flatten();
        youngest.chain(self.ended.iter().copied())
    }

    /// The same login, after a look at what there is: this grant, and when it was ended on purpose, if it was; or none.
    #[must_use]
    pub(crate) fn after(mut self, seen: Option<(Option<&Self>, Option<DateTime<Utc>>)>) -> Self {
        self.blind = false;
        self.remembered = seen.is_none() && !self.before.is_empty();
        self.after_what_is_held(seen)
    }

    /// The same of what this process holds, whatever the store has of it: it may have gone back, or give no answer.
    #[must_use]
    pub(crate) fn after_what_is_held(self, held: Option<(Option<&Self>, Option<DateTime<Utc>>)>) -> Self {
        match held {
            Some((lineage, ended)) => self.replacing(lineage, ended),
            None => self,
        }
    }

    fn replacing(mut self, lineage: Option<&Self>, ended_at: Option<DateTime<Utc>>) -> Self {
        let id = lineage.map(|lineage| lineage.id.clone()).unwrap_or_default();
        if id == self.id {
            return self;
        }
        let origin = lineage.map(|lineage| lineage.origin().next());
        // Where it comes after two, the longer line counts.
        if self.origin.as_ref().map(|own| own.number) < origin.as_ref().map(|origin| origin.number) {
            self.origin = origin;
        }
        let older = lineage.map(|lineage| lineage.before.as_slice()).unwrap_or_default();
        let known = std::mem::take(&mut self.before);
        let imported = lineage.and_then(|lineage| lineage.imported);
        let ended = ended_at.is_some();
        self.before.push(Ancestor {
            id,
            ended,
            ended_at,
            imported,
        });
        let older_ends = lineage.map(|lineage| lineage.ended.as_slice()).unwrap_or_default();
        let known_ends = std::mem::take(&mut self.ended);
        for token in imported.filter(|_| ended).iter().chain(older_ends).chain(&known_ends) {
            if self.ended.len() < ENDED && !self.ended.contains(token) {
                self.ended.push(*token);
            }
        }
        for ancestor in older.iter().chain(&known) {
            if self.before.len() < REMEMBERED && self.ancestor(&ancestor.id).is_none() {
                self.before.push(ancestor.clone());
            }
        }
        // Whoever was seen ended is that, whatever is known of it elsewhere.
        for ancestor in &mut self.before {
            if let Some(seen) = known.iter().find(|seen| seen.id == ancestor.id && seen.ended) {
                ancestor.ended = true;
                ancestor.ended_at = ancestor.ended_at.max(seen.ended_at);
            }
        }
        self
    }

    /// The same login, which the store did not take at once: what is authorized while it waits may come after it.
    #[must_use]
    pub(crate) fn that_waited(self) -> Self {
        Self { waited: true, ..self }
    }

    fn origin(&self) -> Origin {
        let first = || Origin {
            first: self.id.clone(),
            number: 0,
        };
        self.origin.clone().unwrap_or_else(first)
    }

    /// Whether it came so long after this grant that it does not remember it: they go back to one grant, and all that it
    /// remembers came after this one. Where somebody went on from an older copy of the store nothing but the time tells them
    /// apart.
    fn is_long_after(&self, other: &Self) -> bool {
        let (own, others) = (self.origin(), other.origin());
        let remembered = u32::try_from(self.before.len()).unwrap_or(u32::MAX);
        own.first == others.first && others.number < own.number.saturating_sub(remembered) && other.at < self.at
    }

    /// Whether its login looked, and the store had nothing that it could replace, whatever its process remembered.
    pub(crate) fn began_over_nothing(&self) -> bool {
        let none_came_before = self.before.is_empty() && self.origin.is_none();
        !self.blind && self.imported.is_none() && (none_came_before || self.remembered)
    }

    /// Whether this login and that one were each stored over a grant before both, and neither over the other: a store that took
    /// one of them had not the other, so that they are of two copies of it. A login that waited may have come to one copy late.
    pub(crate) fn is_of_another_copy_than(&self, other: &Self) -> bool {
        let is_ancestor_of_both = |ancestor: &Ancestor| other.ancestor(&ancestor.id).is_some();
        let have_one_origin = || self.origin().first == other.origin().first;
        self.went_over_what_was_stored()
            && other.went_over_what_was_stored()
            && Self::kinship(Some(other), Some(self)) == Kinship::Apart
            && (have_one_origin() || self.before.iter().any(is_ancestor_of_both))
    }

    /// Whether its login looked, and the store had something, and took its tokens at once.
    pub(crate) fn went_over_what_was_stored(&self) -> bool {
        let something_came_before = !self.before.is_empty() && !self.remembered;
        !self.blind && !self.waited && self.imported.is_none() && something_came_before
    }

    fn ancestor(&self, id: &str) -> Option<&Ancestor> {
        self.before.iter().find(|ancestor| ancestor.id == id)
    }

    /// How a stored grant stands to one that this process holds.
    pub(crate) fn kinship(stored: Option<&Self>, held: Option<&Self>) -> Kinship {
        match (stored, held) {
            (Some(stored), Some(held)) if stored.id == held.id => Kinship::Same,
            (Some(stored), Some(held)) if stored.ancestor(&held.id).is_some() => Kinship::Later,
            (Some(stored), Some(held)) if held.ancestor(&stored.id).is_some() => Kinship::Earlier,
            // An import was run again where its grant was lost.
            (Some(stored), Some(held)) if stored.imported.is_some() && stored.imported == held.imported => {
                Kinship::Same
            }
            (Some(stored), Some(held)) if stored.is_long_after(held) => Kinship::Later,
            (Some(stored), Some(held)) if held.is_long_after(stored) => Kinship::Earlier,
            (Some(_), Some(_)) => Kinship::Apart,
            (Some(stored), None) if stored.ancestor("").is_some() => Kinship::Later,
            // A version without lineages may have refreshed the grant, and left its lineage out.
            _ => Kinship::Unknown,
        }
    }

    /// Whether this login saw the grant ended with this end, or with a later one: of what was ended twice it may know the
    /// first end alone, and the second was meant for it too. Of a grant that it does not remember nothing but the time tells.
    pub(crate) fn saw_end(&self, of: Option<&Self>, at: DateTime<Utc>) -> bool {
        match self.ancestor(of.map_or("", |of| &of.id)) {
            Some(ancestor) => ancestor.ended && ancestor.ended_at.is_none_or(|seen| seen >= at),
            None => of.is_some_and(|of| {
                self.saw_end_of_a_common(of, at) || (self.is_long_after(of) && is_surely_later(self.at, at))
            }),
        }
    }

    /// Whether this login saw a grant ended then, or later, that came before the other one too.
    fn saw_end_of_a_common(&self, other: &Self, at: DateTime<Utc>) -> bool {
        let saw = |own: &Ancestor| own.ended && own.ended_at.is_some_and(|seen| seen >= at);
        let is_before_both = |own: &Ancestor| other.ancestor(&own.id).is_some();
        self.before.iter().any(|own| saw(own) && is_before_both(own))
    }

    /// The same login, which ends with one that came before it: the end stays that of the earlier one too, and of all that ended
    /// with it.
    #[must_use]
    pub(crate) fn ended_with(mut self, ended: Option<&Self>, at: DateTime<Utc>) -> Self {
        let id = ended.map_or("", |ended| &ended.id);
        let ended_then = |id: &str| {
            let known = ended.and_then(|ended| ended.ancestor(id));
            known.is_some_and(|known| known.ended && known.ended_at == Some(at))
        };
        for own in self.before.iter_mut().filter(|own| own.id == id || ended_then(&own.id)) {
            own.ended = true;
            own.ended_at = own.ended_at.max(Some(at));
        }
        self
    }

    /// Whether a grant that ended then, and with it the other one, came before this login too, which did not see its end.
    pub(crate) fn missed_end_of_a_common(&self, other: &Self, at: DateTime<Utc>) -> bool {
        let ended_then = |known: &&Ancestor| known.ended && known.ended_at == Some(at);
        let missed = |own: &Ancestor| !own.ended || own.ended_at.is_some_and(|seen| seen < at);
        let mut ended = other.before.iter().filter(ended_then);
        ended.any(|known| self.ancestor(&known.id).is_some_and(missed))
    }

    /// Whether this login goes over what is stored. `ended`: when that was ended on purpose.
    pub(crate) fn replaces(&self, stored: Option<&Self>, ended: Option<DateTime<Utc>>) -> bool {
        // Where the login could not look, or saw an older copy of the store, the time of day is all there is. Clocks that are
        // wrong let it go over no end: who logs in once more loses less than who finds a grant alive that was ended.
        let saw_its_end = ended.is_some_and(|end| self.saw_end(stored, end));
        let after_the_end = saw_its_end || ended.is_none_or(|end| is_surely_later(self.at, end));
        match Self::kinship(stored, Some(self)) {
            Kinship::Same | Kinship::Later => false,
            Kinship::Earlier => after_the_end,
            Kinship::Apart => {
                saw_its_end || (after_the_end && stored.is_some_and(|stored| self.goes_over_one_apart(stored)))
            }
            Kinship::Unknown => after_the_end,
        }
    }

    /// Of two of which neither has seen the other, the one that the store took first stays; but one that waited for the store
    /// makes nobody wait who came since. Where both waited, which one it took first says nothing.
    fn goes_over_one_apart(&self, stored: &Self) -> bool {
        let waited_for_it = match self.waited {
            false => stored.waited,
            true => stored.waited && is_surely_later(self.at, stored.at),
        };
        (self.blind && self.at >= stored.at) || waited_for_it
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_225_600 + second, 0).unwrap_or_default()
    }

    fn login(second: i64, before: Option<&Lineage>) -> Lineage {
        let begun = Lineage::begun(at(second));
        begun.after(before.map(|before| (Some(before), None)))
    }

    #[test]
    fn who_came_after_whom_is_told_by_descent() {
        let first = login(50, None);
        let second = login(0, Some(&first));
        let third = login(20, Some(&second));
        let sibling = login(90, Some(&first));
        for (stored, held, expected) in [
            (&first, &first, Kinship::Same),
            (&second, &first, Kinship::Later),
            (&third, &first, Kinship::Later),
            (&first, &third, Kinship::Earlier),
            (&sibling, &second, Kinship::Apart),
            (&third, &sibling, Kinship::Apart),
        ] {
            assert_eq!(Lineage::kinship(Some(stored), Some(held)), expected);
        }
    }

    #[test]
    fn an_import_that_was_run_again_is_the_same_grant_and_another_one_is_not() {
        let import = |token: &str| {
            let token = Fingerprint::of(&crate::value::Secret::from(token));
            login(0, None).of_import(token)
        };
        let (first, again, other) = (import("refresh-1"), import("refresh-1"), import("refresh-2"));
        assert_eq!(Lineage::kinship(Some(&again), Some(&first)), Kinship::Same);
        assert_eq!(Lineage::kinship(Some(&other), Some(&first)), Kinship::Apart);
        let (authorized, elsewhere) = (login(0, None), login(0, None));
        assert_eq!(Lineage::kinship(Some(&authorized), Some(&elsewhere)), Kinship::Apart);
    }

    #[test]
    fn what_has_no_lineage_is_older_only_where_it_was_seen() {
        let over_an_older_version = Lineage::begun(at(0)).after(Some((None, None)));
        let first = login(0, None);
        for (stored, held, expected) in [
            (None, None, Kinship::Unknown),
            (None, Some(&first), Kinship::Unknown),
            (None, Some(&over_an_older_version), Kinship::Unknown),
            (Some(&first), None, Kinship::Unknown),
            (Some(&over_an_older_version), None, Kinship::Later),
        ] {
            assert_eq!(Lineage::kinship(stored, held), expected, "{stored:?} {held:?}");
        }
    }

    #[test]
    fn an_end_that_became_that_of_a_later_login_is_known_by_the_earlier_one() {
        let first = login(0, None);
        let saw = |end| Lineage::begun(at(100)).after(Some((Some(&first), end)));
        let (saw_it, saw_none) = (saw(Some(at(99))), saw(None));
        let mut saw_an_end = saw_it.clone();
        saw_an_end.before[0].ended_at = None;
        let second = login(50, Some(&first));
        let moved = second.clone().ended_with(Some(&first), at(99));
        // What a login that came after the first one has seen of it.
        for (login, of, end, has_seen) in [
            (&saw_it, &moved, 99, true),
            (&saw_it, &second, 98, true),
            (&saw_it, &moved, 100, false),
            (&saw_none, &moved, 99, false),
            (&saw_an_end, &moved, 99, false),
            (&saw_it, &login(50, None), 99, false),
        ] {
            assert_eq!(login.saw_end(Some(of), at(end)), has_seen, "{end}");
            // Neither waited: without the end, the one that the store took first stays.
            assert_eq!(login.replaces(Some(of), Some(at(end))), has_seen, "{end}");
            assert!(!login.replaces(Some(of), None), "{end}");
        }
        // And what it has missed.
        let again = login(70, Some(&second)).ended_with(Some(&moved), at(99));
        let of_another_end = login(70, Some(&second)).ended_with(Some(&moved), at(98));
        let over_the_second = login(60, Some(&second));
        for (login, of, end, missed) in [
            (&saw_none, &moved, 99, true),
            (&saw(Some(at(98))), &moved, 99, true),
            (&saw_it, &moved, 99, false),
            (&saw(Some(at(100))), &moved, 99, false),
            (&saw_an_end, &moved, 99, false),
            (&saw_none, &moved, 98, false),
            (&saw_none, &second, 99, false),
            (&login(60, None), &moved, 99, false),
            (&saw_none, &again, 99, true),
            (&over_the_second, &again, 99, true),
            (&saw_none, &of_another_end, 98, false),
            (&over_the_second, &of_another_end, 98, true),
        ] {
            assert_eq!(
                login.missed_end_of_a_common(of, at(end)),
                missed,
                "{end} {login:?} {of:?}"
            );
        }
        // A later end that is known stays.
        assert!(
            saw_it
                .clone()
                .ended_with(Some(&first), at(50))
                .saw_end(Some(&second), at(99))
        );
    }

    #[test]
    fn a_login_goes_over_what_it_saw_and_over_nothing_that_came_after_its_look() {
        let first = login(0, None);
        let (early, late) = (Some(at(99)), Some(at(101)));
        let saw_it = login(100, Some(&first));
        let saw_its_end = Lineage::begun(at(100)).after(Some((Some(&first), early)));
        // As a version wrote it that does not tell which.
        let mut saw_an_end = saw_its_end.clone();
        saw_an_end.before[0].ended_at = None;
        let saw_nothing = login(100, None);
        let other = login(50, Some(&first));
        let blind = Lineage::begun(at(100));
        let after_it = login(500, Some(&saw_it));
        let saw_it_and_waited = saw_it.clone().that_waited();
        let waiting = |second| login(second, Some(&first)).that_waited();
        for (login, stored, ended, goes_over) in [
            (&saw_it, Some(&first), None, true),
            // Revoked since, as far as clocks may be wrong.
            (&saw_it, Some(&first), early, false),
            (&saw_it, Some(&first), late, false),
            (&saw_it, Some(&first), Some(at(40)), false),
            // It looked at an older copy of the store, which had lost that end.
            (&saw_it, Some(&first), Some(at(39)), true),
            (&saw_its_end, Some(&first), early, true),
            (&saw_its_end, Some(&first), Some(at(98)), true),
            // It was ended once more since.
            (&saw_its_end, Some(&first), late, false),
            (&saw_an_end, Some(&first), late, true),
            // Another login was stored since.
            (&saw_it, Some(&other), None, false),
            (&saw_nothing, Some(&other), None, false),
            // The other one waited for the store, and this one did not.
            (&saw_it, Some(&other.clone().that_waited()), None, true),
            (&saw_nothing, Some(&other.clone().that_waited()), None, true),
            (&saw_it, Some(&other.clone().that_waited()), early, false),
            // Both did, and clocks can tell the later one, or cannot.
            (&saw_it_and_waited, Some(&waiting(39)), None, true),
            (&saw_it_and_waited, Some(&waiting(39)), Some(at(39)), true),
            (&saw_it_and_waited, Some(&waiting(39)), Some(at(40)), false),
            (&saw_it_and_waited, Some(&waiting(40)), None, false),
            (&saw_it_and_waited, Some(&waiting(161)), None, false),
            (&saw_it_and_waited, Some(&other), None, false),
            (&saw_it_and_waited, Some(&login(0, Some(&first))), None, false),
            // This very login is stored already, and may have been refreshed; or replaced.
            (&saw_it, Some(&saw_it), None, false),
            (&saw_it, Some(&after_it), None, false),
            // Where the store could not be asked, the time of day decides.
            (&blind, Some(&other), None, true),
            (&blind, Some(&other), Some(at(39)), true),
            // An end counts as far as clocks may be wrong.
            (&blind, Some(&other), Some(at(40)), false),
            (&blind, Some(&other), early, false),
            (&blind, Some(&other), late, false),
            (&blind, Some(&after_it), None, false),
            // A record of an earlier version.
            (&saw_it, None, None, true),
            (&blind, None, Some(at(39)), true),
            (&blind, None, early, false),
            (&blind, None, late, false),
            (&saw_nothing, None, late, false),
        ] {
            assert_eq!(
                login.replaces(stored, ended),
                goes_over,
                "{login:?} {stored:?} {ended:?}"
            );
        }
    }

    #[test]
    fn a_login_that_could_not_look_goes_over_what_its_process_held() {
        let first = login(100, None);
        let second = Lineage::begun(at(0)).after_what_is_held(Some((Some(&first), None)));
        assert!(second.replaces(Some(&first), None));
        for (ended, goes_over) in [(1, false), (0, false), (-60, false), (-61, true)] {
            assert_eq!(second.replaces(Some(&first), Some(at(ended))), goes_over, "{ended}");
        }
        let other = login(100, None);
        assert!(!second.replaces(Some(&other), None));
        assert_eq!(Lineage::begun(at(0)).after_what_is_held(None).before, []);
    }

    #[test]
    fn an_end_that_a_login_saw_stays_one_whatever_its_process_held() {
        let first = login(0, None);
        let second = login(100, Some(&first));
        let third = Lineage::begun(at(200)).after(Some((Some(&first), Some(at(150)))));
        let third = third.after_what_is_held(Some((Some(&second), None)));
        assert!(third.replaces(Some(&first), Some(at(150))));
        assert!(third.replaces(Some(&second), None));
        // And one that its process saw, whatever the store had.
        for seen in [None, Some((Some(&first), None))] {
            let held = Some((Some(&first), Some(at(150))));
            let login = Lineage::begun(at(200)).after_what_is_held(held).after(seen);
            assert!(login.saw_end(Some(&first), at(150)) && !login.saw_end(Some(&first), at(151)));
        }
        let blind_to_it = Lineage::begun(at(200)).after(Some((Some(&first), None)));
        assert!(
            !blind_to_it
                .after_what_is_held(Some((Some(&second), None)))
                .replaces(Some(&first), Some(at(150)))
        );
    }

    #[test]
    fn a_few_ancestors_are_remembered_and_each_once() {
        let mut youngest = login(0, None);
        let oldest = youngest.clone();
        for second in 1..=20 {
            youngest = login(second, Some(&youngest));
        }
        assert_eq!(youngest.before.len(), REMEMBERED);
        assert!(youngest.ancestor(&oldest.id).is_none());
        let again = youngest.clone().after(Some((Some(&oldest), None)));
        assert_eq!(again.before.len(), REMEMBERED);
        assert_eq!(again.clone().after(Some((Some(&again), None))), again);
    }

    #[test]
    fn a_grant_that_is_not_remembered_is_known_by_how_far_it_is_from_the_first_one() {
        let first = login(0, None);
        let line = |length: i64| {
            let mut line = vec![first.clone()];
            for minute in 1..=length {
                line.push(login(60 * minute, line.last()));
            }
            line
        };
        let line = line(40);
        let youngest = &line[40];
        for (number, older) in line[..40].iter().enumerate() {
            assert_eq!(
                Lineage::kinship(Some(older), Some(youngest)),
                Kinship::Earlier,
                "{number}"
            );
            assert_eq!(
                Lineage::kinship(Some(youngest), Some(older)),
                Kinship::Later,
                "{number}"
            );
            for since in [60 * 39, 60 * 40, 60 * 41] {
                assert!(!youngest.saw_end(Some(older), at(since)), "{number} {since}");
            }
            // Of those that are remembered it is known that they were not ended.
            assert_eq!(youngest.saw_end(Some(older), at(60 * 39 - 1)), number < 24, "{number}");
        }
        let mut unnumbered = youngest.clone();
        unnumbered.origin = None;
        for (what, other, held) in [
            (
                "somebody went on from an older copy",
                login(60 * 41, Some(&line[2])),
                youngest,
            ),
            (
                "and at the same time as this one began",
                login(60 * 40, Some(&line[2])),
                youngest,
            ),
            (
                "the oldest number that is remembered is another's",
                login(60 * 30, Some(&line[23])),
                youngest,
            ),
            (
                "a number that is remembered is another's",
                login(60 * 30, Some(&line[30])),
                youngest,
            ),
            ("the store had lost all", login(1, None), youngest),
            ("a version that does not count wrote it", first.clone(), &unnumbered),
        ] {
            assert_eq!(Lineage::kinship(Some(&other), Some(held)), Kinship::Apart, "{what}");
            assert_eq!(Lineage::kinship(Some(held), Some(&other)), Kinship::Apart, "{what}");
        }
        // It goes on being counted from there.
        let later = login(60 * 80, Some(&login(60 * 60, Some(&unnumbered))));
        assert_eq!(later.origin().number, 2);
        assert_eq!(Lineage::kinship(Some(&unnumbered), Some(&later)), Kinship::Earlier);
    }

    #[test]
    fn of_two_lines_the_longer_one_counts_and_of_two_that_are_as_long_the_one_that_was_seen_first() {
        let (one, other) = (login(0, None), login(0, None));
        let longer = login(10, Some(&other));
        for (seen, held, counts) in [(&one, &other, &one), (&one, &longer, &other), (&longer, &one, &other)] {
            let login = login(20, Some(seen)).after_what_is_held(Some((Some(held), None)));
            assert_eq!(login.origin().first, counts.id, "{seen:?} {held:?}");
        }
    }

    #[test]
    fn a_login_began_over_nothing_where_it_looked_and_there_was_nothing() {
        let token = Fingerprint::of(&crate::value::Secret::from("token"));
        let after_another = login(10, Some(&login(0, None)));
        let mut forgotten = after_another.clone();
        forgotten.before.clear();
        let first = login(0, None);
        let held = |end: Option<i64>| Lineage::begun(at(10)).after_what_is_held(Some((Some(&first), end.map(at))));
        for (what, login, expected) in [
            ("there was nothing", login(0, None), true),
            ("there was nothing but what it held", held(None).after(None), true),
            (
                "there was nothing but an end that it held",
                held(Some(5)).after(None),
                true,
            ),
            ("it could not look, and held a grant", held(None), false),
            (
                "what it held was there",
                held(None).after(Some((Some(&first), None))),
                false,
            ),
            (
                "there was nothing at its look, and a grant when it was stored",
                held(None).after(None).after(Some((Some(&first), None))),
                false,
            ),
            (
                "there was a grant at its look, and nothing when it was stored",
                login(10, Some(&first)).after(None),
                true,
            ),
            (
                "it is of an import, and held a grant",
                held(None).after(None).of_import(token),
                false,
            ),
            ("it could not look", Lineage::begun(at(0)), false),
            ("there was another grant", after_another, false),
            ("there was another grant, which is not remembered", forgotten, false),
            (
                "there was one of an earlier version",
                Lineage::begun(at(0)).after(Some((None, None))),
                false,
            ),
            ("it is of an import", login(0, None).of_import(token), false),
        ] {
            assert_eq!(login.began_over_nothing(), expected, "{what}");
        }
    }

    #[test]
    fn a_login_went_over_what_was_stored_where_it_looked_in_time_and_there_was_something() {
        let token = Fingerprint::of(&crate::value::Secret::from("token"));
        let first = login(0, None);
        let held = || Lineage::begun(at(10)).after_what_is_held(Some((Some(&first), None)));
        for (what, login, expected) in [
            ("there was one", login(10, Some(&first)), true),
            ("there was nothing", login(10, None), false),
            ("there was nothing but what it held", held().after(None), false),
            ("it could not look", held(), false),
            ("it waited", login(10, Some(&first)).that_waited(), false),
            ("it is of an import", login(10, Some(&first)).of_import(token), false),
        ] {
            assert_eq!(login.went_over_what_was_stored(), expected, "{what}");
        }
    }

    #[test]
    fn two_logins_over_one_grant_are_of_two_copies_of_the_store() {
        let first = login(0, None);
        let over = |second| login(second, Some(&first));
        let mut far = over(20);
        for second in 0..40 {
            far = login(30 + second, Some(&far));
        }
        let mut of_an_older_version = over(50);
        of_an_older_version.origin = None;
        let elsewhere = login(60, Some(&login(1, None)));
        for (what, one, other, expected) in [
            ("both came after the first", over(10), over(20), true),
            ("one has forgotten the first", over(200), far, true),
            ("one does not say how far it is", over(10), of_an_older_version, true),
            (
                "one came after the other",
                login(10, Some(&first)),
                first.clone(),
                false,
            ),
            ("they go back to two grants", over(10), elsewhere, false),
            ("one waited", over(10).that_waited(), over(20), false),
            ("one found nothing", over(10), login(20, None), false),
        ] {
            for (one, other) in [(&one, &other), (&other, &one)] {
                assert_eq!(one.is_of_another_copy_than(other), expected, "{what}");
            }
        }
        let one = over(10);
        assert!(!one.is_of_another_copy_than(&one));
    }

    #[test]
    fn what_was_ended_on_purpose_is_remembered_for_longer_than_its_grant() {
        let token = |number: usize| Fingerprint::of(&crate::value::Secret::from(format!("token {number}").as_str()));
        let import = |number, before: &Lineage, ended: bool| {
            let begun = Lineage::begun(at(0)).of_import(token(number));
            begun.after(Some((Some(before), ended.then(|| at(0)))))
        };
        let is_known = |lineage: &Lineage, number| lineage.imports().any(|known| known == token(number));
        let first = Lineage::begun(at(0)).of_import(token(0));
        let mut youngest = import(1, &first, true);
        for number in 2..=100 {
            youngest = import(number, &youngest, false);
        }
        assert!(is_known(&youngest, 0) && is_known(&youngest, 100));
        assert!(!is_known(&youngest, 1), "it was only replaced");
        assert_eq!(youngest.ended, [token(0)]);
        // A login keeps it, and so does what is seen twice.
        let login = login(0, Some(&youngest));
        let again = login.clone().after(Some((Some(&youngest), None)));
        assert_eq!((&login.ended, &again.ended), (&youngest.ended, &youngest.ended));
        for number in 101..=200 {
            youngest = import(number, &youngest, true);
        }
        assert_eq!(youngest.ended.len(), ENDED);
        assert!(is_known(&youngest, 199) && !is_known(&youngest, 0));
    }

    #[test]
    fn it_is_read_back_as_it_was_written() {
        let lineage = Lineage::begun(at(0)).after(Some((Some(&login(0, None)), Some(at(5)))));
        let text = serde_json::to_string(&lineage).unwrap_or_default();
        let over_nothing = lineage.clone().after(None);
        assert_eq!(serde_json::from_str::<Lineage>(&text).ok(), Some(lineage));
        assert!(!text.contains("blind") && !text.contains("remembered"));
        let over_nothing_as_text = serde_json::to_string(&over_nothing).unwrap_or_default();
        assert_eq!(
            serde_json::from_str::<Lineage>(&over_nothing_as_text).ok(),
            Some(over_nothing)
        );
        // As the version before wrote it.
        let before = r#"{"id":"2","at":"2026-01-01T00:00:00Z","before":[{"id":"1","ended":true},{"id":"0"}]}"#;
        let before = serde_json::from_str::<Lineage>(before).unwrap_or_else(|_| Lineage::begun(at(9)));
        assert!(before.before[0].ended && before.before[0].ended_at.is_none() && before.origin.is_none());
        // And what that reads: it leaves out what it does not know.
        assert!(text.contains(r#""ended":true"#));
    }
}
