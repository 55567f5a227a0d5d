//! What this process holds of a grant: what calls see of it, and what waits to be stored.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::refusals::{Refusal, Refusals};
use super::shown::Shown;
use super::snapshot::Snapshot;
use super::unstored::Unstored;
use crate::token::clock::{Now, Tick, between};
use crate::token::grant::Grant;
use crate::token::lineage::Kinship;
use crate::token::machine::{self, Freshness, Issued};
use crate::token::record::Versioned;
use crate::token::source::{Bearer, Rejection};
use crate::token::store::Damage;
use crate::token::{Lineage, ReauthorizationReason, Record, Renewal, StoreError, TokenSet, Tombstone};

/// What this process holds of a grant.
pub(crate) struct Held {
    grant: Arc<Grant>,
    /// What calls see. Read without the lock, changed under it.
    pub shown: Shown,
    pub unstored: Unstored,
    /// Monotonic seconds from which on the store is looked at again, beside a call.
    look_again_at: AtomicU64,
    /// The same on the wall clock, in seconds since 1970: it goes on while the machine sleeps.
    look_again_at_wall: AtomicU64,
    /// The revision of an intent that this process may have written and under which it has sent nothing; 0: there is none.
    unsent: AtomicU64,
    /// The revisions of writes that may have been made, and only their answer lost; the last one first.
    tried: Mutex<Vec<u64>>,
    /// Its lock is held for every change of what is shown: nothing older ever goes over something newer.
    refusals: Mutex<Refusals>,
}

/// What became of a record that was to be shown.
pub(crate) enum Show {
    /// This process holds something newer.
    Outdated {
        newer: Arc<Snapshot>,
    },
    Shown(NowShown),
}

/// What is shown now, and what is new about it.
pub(crate) struct NowShown {
    pub snapshot: Arc<Snapshot>,
    /// It is another token than before, and it serves.
    pub brings_a_token: bool,
    /// The generation, where there was an older one before.
    pub moved_to: Option<u64>,
    /// Why the grant is over, where that was not known before.
    pub ended: Option<ReauthorizationReason>,
    /// Tokens that whoever ended the grant at the provider did not know of: they would live on there.
    pub outlived: Option<Box<TokenSet>>,
}

impl Held {
    pub fn new(grant: Arc<Grant>) -> Self {
        Self {
            grant,
            shown: Shown::new(),
            unstored: Unstored::default(),
            look_again_at: AtomicU64::new(0),
            look_again_at_wall: AtomicU64::new(0),
            unsent: AtomicU64::new(0),
            tried: Mutex::default(),
            refusals: Mutex::default(),
        }
    }

    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.shown.load()
    }

    /// Of the tokens at hand; 0: there are none.
    pub fn generation(&self) -> u64 {
        self.snapshot().and_then(|snapshot| snapshot.generation()).unwrap_or(0)
    }

    /// Of the record that is shown; 0: there is none.
    pub fn revision(&self) -> u64 {
        self.snapshot().map_or(0, |snapshot| snapshot.revision)
    }

    /// The token at hand, if it still lives.
    pub fn still_serving(&self, now: Now) -> Option<Bearer> {
        let snapshot = self.snapshot()?;
        let over = snapshot.freshness(now.tick) == Freshness::Expired || snapshot.is_refused_for_sure();
        if over { None } else { snapshot.bearer.clone() }
    }

    /// An intent is about to be written with this revision, and nothing is sent yet.
    pub fn intends(&self, revision: u64) {
        self.unsent.store(revision, Ordering::Release);
    }

    /// The intent is written and the request may leave, or it is known not to be written.
    pub fn intent_is_settled(&self) {
        self.unsent.store(0, Ordering::Release);
    }

    /// A write of this revision may have been made, and nobody said so.
    pub fn tried(&self, revision: u64) {
        const REMEMBERED: usize = 64;
        let mut tried = self.lock_tried();
        tried.insert(0, revision);
        tried.truncate(REMEMBERED);
    }

    /// Whether what is damaged is a write of this process: nobody has written after it.
    pub fn is_own(&self, damage: &Damage) -> bool {
        self.lock_tried().iter().any(|tried| damage.is_at(*tried))
    }

    /// Whether what is damaged is the write of an intent under which nothing was sent. It went over a record that this process
    /// knew, and in which no request was under way.
    pub fn is_unsent(&self, damage: &Damage) -> bool {
        let unsent = self.unsent.load(Ordering::Acquire);
        unsent > 0 && damage.is_at(unsent)
    }

    /// The record without an intent that is this process's, by its number and its holder, and under which nothing was sent:
    /// the answer to its write was lost.
    pub fn without_unsent(&self, mut seen: Versioned) -> Versioned {
        let unsent = self.unsent.load(Ordering::Acquire);
        let intent = seen.record.intent.as_ref();
        if unsent > 0 && intent.is_some_and(|intent| intent.fence == unsent && *intent.holder == *self.grant.holder) {
            seen.record = seen.record.settled();
        }
        seen
    }

    /// The store was looked at just now.
    pub fn looked(&self, now: Now) {
        let next = now.tick.monotonic.as_secs().saturating_add(self.half());
        self.look_again_at.store(next, Ordering::Relaxed);
        let next = seconds(now.tick.wall).saturating_add(self.half());
        self.look_again_at_wall.store(next, Ordering::Relaxed);
    }

    /// Half of the time within which an end elsewhere is learned, in seconds: then a look begins beside the calls.
    #[inline]
    fn half(&self) -> u64 {
        (self.grant.look_again_every.as_secs() / 2).max(1)
    }

    /// Whether the store was not looked at for so long that another process may have ended the grant.
    #[inline]
    pub fn look_is_due(&self, now: Tick) -> bool {
        self.is_later(now, 0)
    }

    /// Whether so many seconds have passed since a look was due, on either clock.
    #[inline]
    fn is_later(&self, now: Tick, by: u64) -> bool {
        let later = |at: &AtomicU64| at.load(Ordering::Relaxed).saturating_add(by);
        now.monotonic.as_secs() >= later(&self.look_again_at) || seconds(now.wall) >= later(&self.look_again_at_wall)
    }

    /// Whether that time is over, and no call was made that would have looked: the next one waits for a look.
    #[inline]
    pub fn look_is_overdue(&self, now: Tick) -> bool {
        self.is_later(now, self.half())
    }

    /// The provider answered 401 to this generation. Every 401 comes by here, and this decides what it means.
    pub fn refuse(&self, generation: u64, rejection: Rejection, now: Now) -> Refusal {
        let mut refusals = self.lock();
        let snapshot = self.snapshot();
        let at_hand = snapshot
            .as_ref()
            .and_then(|shown| Some((shown, shown.tokens.as_ref()?)));
        let Some((snapshot, tokens)) = at_hand.filter(|(_, tokens)| tokens.generation == generation) else {
            return Refusal::Outdated;
        };
        if rejection == Rejection::Unexplained && !self.grant.renewable(tokens) {
            return Refusal::Stands { retry_after: None };
        }
        if !snapshot.is_refused() && snapshot.tombstone.is_none() {
            // The wall clock may have been set back since.
            let age = between(tokens.obtained_at, now.utc()).max(now.monotonic.saturating_sub(snapshot.seen_at));
            if let Some(hold) = refusals.hold_back(age) {
                return Refusal::Stands {
                    retry_after: Some(hold),
                };
            }
        }
        snapshot.refuse(rejection);
        self.shown.touch();
        Refusal::Replace(Issued::with(tokens))
    }

    /// Shows what the store holds, unless something newer is shown.
    pub fn show(&self, seen: Versioned, now: Now) -> Show {
        let changing = self.lock();
        // What is in memory only is newer than anything that a read can bring, until it is stored.
        let newer_waits = !self.unstored.is_empty();
        self.replace(seen, newer_waits, now, &changing)
    }

    /// Shows tokens that the store does not hold yet.
    pub fn show_unstored(&self, tokens: Versioned, now: Now) -> Show {
        self.replace(tokens, false, now, &self.lock())
    }

    fn replace(&self, seen: Versioned, newer_waits: bool, now: Now, _changing: &MutexGuard<'_, Refusals>) -> Show {
        let before = self.snapshot();
        self.looked(now);
        if let Some(before) = &before {
            // A store that went back in time has nothing to say until it is put right.
            let shown = (before.revision, before.tokens.as_ref());
            let is_outdated = || machine::is_outdated((seen.revision, &seen.record), shown, self.grant.renewal);
            let end = before.tombstone.as_ref();
            let is_older = match end {
                Some(end) if machine::is_another_login(&seen.record, end) => machine::undoes(&seen.record, end),
                Some(end) => machine::undoes(&seen.record, end) || is_outdated(),
                None => is_outdated(),
            };
            if newer_waits || is_older {
                self.grant.names_nobody(before.names_nobody);
                return Show::Outdated {
                    newer: Arc::clone(before),
                };
            }
        }
        let horizon = seen
            .record
            .tokens
            .as_ref()
            .and_then(|tokens| self.grant.horizon(tokens, now));
        let mut snapshot = Snapshot::of(seen, horizon, now);
        let read_again = before.as_deref().is_some_and(|before| before.same_token(&snapshot));
        if let Some(before) = before.as_deref().filter(|_| read_again) {
            snapshot.carry_over(before);
        }
        let snapshot = Arc::new(snapshot);
        self.shown.replace(Some(Arc::clone(&snapshot)));
        self.grant.names_nobody(snapshot.names_nobody);
        let known = before.as_deref();
        let moved_to = known
            .and_then(|known| known.generation())
            .zip(snapshot.generation())
            .filter(|(old, new)| new > old)
            .map(|(_, new)| new);
        let ended = snapshot
            .ended()
            .filter(|reason| known.and_then(|known| known.ended()) != Some(*reason));
        let living = known.and_then(|known| known.living());
        let outlived = snapshot.tombstone.as_ref().zip(living);
        let outlived = outlived.filter(|(end, tokens)| machine::outlives(tokens, end));
        Show::Shown(NowShown {
            outlived: outlived.map(|(_, tokens)| Box::new(tokens.clone())),
            brings_a_token: snapshot.error().is_none() && !read_again,
            moved_to,
            ended,
            snapshot,
        })
    }

    /// Removes what callers see, and what waits to be stored.
    pub fn clear(&self) {
        let _changing = self.lock();
        self.unstored.clear();
        self.shown.replace(None);
    }

    /// The tokens that the store lost, and the revision at which it had them: it holds less than this process once
    /// read from it or wrote to it.
    pub fn lost_by_store(&self, seen: Option<&Versioned>) -> Option<(u64, TokenSet)> {
        if self.grant.renewal != Renewal::Refresh {
            return None;
        }
        let snapshot = self.snapshot()?;
        let held = snapshot.living()?;
        let lost = machine::went_back(seen.map(|seen| &seen.record), held);
        lost.then(|| (snapshot.revision, held.clone()))
    }

    /// The same of a record that is damaged. None where somebody wrote it after what this process holds: the tokens that came
    /// next may have been in it, or an end. Where the refresh token at hand still stands in it, they were not.
    pub fn lost_to_damage(&self, damage: &Damage) -> Option<(u64, TokenSet)> {
        let (held_at, tokens) = self.lost_by_store(None)?;
        let is_in_it = || {
            let token = tokens.refresh_token.as_ref();
            token.is_some_and(|token| damage.holds(token))
        };
        let may_be_newest = self.is_own(damage) || !damage.is_later_than(held_at) || is_in_it();
        may_be_newest.then_some((held_at, tokens))
    }

    /// The end of the grant that the store had written down when the record was damaged. None where this is not known: a
    /// user may have authorized since.
    pub fn end_lost_to_damage(&self, damage: &Damage) -> Option<Record> {
        let snapshot = self.snapshot()?;
        let is_known = self.is_own(damage) || (damage.names_revision() && !damage.is_later_than(snapshot.revision));
        self.end_of(&snapshot).filter(|_| is_known)
    }

    /// Whether this process holds what was in a damaged record.
    pub fn knows(&self, damage: &Damage) -> bool {
        self.lost_to_damage(damage).is_some() || self.end_lost_to_damage(damage).is_some()
    }

    /// Whether it is a record that is damaged, and this process knows what was in it.
    pub fn can_mend(&self, error: &StoreError) -> bool {
        error.damage().is_some_and(|damage| {
            self.grant.renewal == Renewal::Anew || damage.record_of(&self.grant.key).is_some() || self.knows(damage)
        })
    }

    /// The end on purpose that this process knows, where the store has the grant alive again: an older copy, or the tokens of
    /// a process that had not learned of the end. As it goes over that: a login that it ends too is from then on the one that
    /// ended, and its tokens are the last ones; and where nobody was named, nobody is.
    pub fn end_undone_by(&self, seen: &Versioned) -> Option<Record> {
        let snapshot = self.snapshot()?;
        let known = snapshot.tombstone.as_ref()?;
        machine::undoes(&seen.record, known).then_some(())?;
        let mut end = self.end_of(&snapshot)?;
        if Lineage::kinship(seen.record.lineage(), known.lineage.as_ref()) == Kinship::Later {
            end = end.of_later(&seen.record);
        }
        Some(match seen.record.pseudonym {
            Some(_) => end.without_person(self.grant.pseudonym_key.as_ref()),
            None => end,
        })
    }

    /// Whether what was read is of another login than the one that this process knows to be over.
    pub fn is_of_another_login(&self, seen: &Versioned) -> bool {
        let snapshot = self.snapshot();
        let end = snapshot.as_ref().and_then(|snapshot| snapshot.tombstone.as_ref());
        end.is_some_and(|end| machine::is_another_login(&seen.record, end))
    }

    /// The record of a grant that is over, as the store had it.
    fn end_of(&self, snapshot: &Snapshot) -> Option<Record> {
        let end = snapshot.tombstone.clone()?;
        let mut record = Record::ended(self.grant.key.clone(), end.reason, end.at, end.generation, &end.holder);
        record.tokens = snapshot.tokens.clone();
        record.tombstone = Some(end);
        Some(match snapshot.names_nobody {
            true => record.without_person(self.grant.pseudonym_key.as_ref()),
            false => record,
        })
    }

    /// Whether what the store holds is an older copy of a grant that this process knows to be over, and why that is. Its
    /// refresh token was spent on the way to that end.
    pub fn over_before(&self, seen: &Versioned) -> Option<Tombstone> {
        let snapshot = self.snapshot()?;
        let tombstone = snapshot.tombstone.as_ref()?;
        let tokens = snapshot.tokens.as_ref()?;
        let leads_to_it = !machine::is_another_login(&seen.record, tombstone);
        let is_older = seen.record.tombstone.is_none() && machine::went_back(Some(&seen.record), tokens);
        (is_older && leads_to_it).then(|| tombstone.clone())
    }

    /// The end of the grant that this process knows and the store has lost: it has nothing, or an older copy.
    pub fn end_lost_by_store(&self, seen: Option<&Versioned>) -> Option<Record> {
        let snapshot = self.snapshot()?;
        let record = self.end_of(&snapshot)?;
        let shown = (snapshot.revision, snapshot.tokens.as_ref());
        let leads_to_it = |seen: &Versioned| {
            let end = snapshot.tombstone.as_ref();
            end.is_none_or(|end| !machine::is_another_login(&seen.record, end))
        };
        let is_older = |seen: &Versioned| {
            seen.record.tombstone.is_none()
                && leads_to_it(seen)
                && machine::is_outdated((seen.revision, &seen.record), shown, self.grant.renewal)
        };
        seen.is_none_or(is_older).then_some(record)
    }

    fn lock_tried(&self) -> MutexGuard<'_, Vec<u64>> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Since 1970; 0 before.
#[inline]
fn seconds(wall: SystemTime) -> u64 {
    wall.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::time::Duration;

    use futures_util::future::BoxFuture;

    use super::*;
    use crate::token::fingerprint::Fingerprint;
    use crate::token::live::UnstoredTokens;
    use crate::token::record::Intent;
    use crate::token::{
        GrantKind, Issuer, IssuerError, Lineage, ManualClock, Obtain, RevokeRequest, StoreError, TokenHandleBuilder,
        TokenKey, TokenReply,
    };
    use crate::value::Secret;

    struct Nobody;

    impl Issuer for Nobody {
        fn obtain(&self, _: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
            Box::pin(std::future::pending())
        }
        fn revoke(&self, _: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
            Box::pin(std::future::pending())
        }
    }

    fn held() -> Held {
        held_with(|set_up| set_up)
    }

    fn held_with(setting: impl FnOnce(TokenHandleBuilder) -> TokenHandleBuilder) -> Held {
        let key = TokenKey::new("mx", "client", GrantKind::AuthorizationCode);
        let set_up = setting(TokenHandleBuilder::new(key, Arc::new(Nobody), Renewal::Refresh));
        Held::new(Arc::new(Grant::new(&set_up)))
    }

    /// Tokens of an hour, with a refresh token.
    fn tokens(held: &Held, now: Now) -> TokenSet {
        let mut reply = TokenReply::new("access-1");
        reply.expires_in = Some(Duration::from_secs(3600));
        reply.refresh_token = Some(Secret::from("refresh-1"));
        held.grant.first_tokens(reply, now)
    }

    fn alive(held: &Held, revision: u64, tokens: &TokenSet) -> Versioned {
        Versioned {
            revision,
            record: held.grant.alive(tokens.clone()),
        }
    }

    fn shown(show: Show) -> NowShown {
        match show {
            Show::Shown(shown) => shown,
            Show::Outdated { .. } => panic!("it is outdated"),
        }
    }

    #[test]
    fn a_token_that_is_read_again_is_as_old_and_as_refused_as_before() {
        let (held, clock) = (held(), ManualClock::new());
        let start = Now::read(&clock);
        let tokens = tokens(&held, start);
        assert!(shown(held.show(alive(&held, 1, &tokens), start)).brings_a_token);
        assert!(matches!(
            held.refuse(1, Rejection::InvalidToken, start),
            Refusal::Replace(refused) if refused.is_in(&tokens)
        ));

        // Somebody sets the wall clock back by almost the life of the token.
        clock.advance(Duration::from_secs(3500));
        clock.set_wall(start.wall);
        let again = shown(held.show(alive(&held, 2, &tokens), Now::read(&clock)));
        assert!(!again.brings_a_token && again.moved_to.is_none());
        assert!(again.snapshot.is_refused());
        assert_eq!(again.snapshot.seen_at, start.monotonic);
        clock.advance(Duration::from_secs(100));
        assert_eq!(again.snapshot.freshness(Tick::read(&clock)), Freshness::Expired);
    }

    #[test]
    fn a_token_that_the_server_gives_again_is_as_young_as_its_reply_and_not_refused() {
        let (held, clock) = (held(), ManualClock::new());
        let first = tokens(&held, Now::read(&clock));
        shown(held.show(alive(&held, 1, &first), Now::read(&clock)));
        held.refuse(1, Rejection::InvalidToken, Now::read(&clock));
        clock.advance(Duration::from_secs(3600));
        let now = Now::read(&clock);
        let mut reply = TokenReply::new("access-1");
        reply.expires_in = Some(Duration::from_secs(3600));
        let again = shown(held.show(alive(&held, 2, &first.next(reply, now.wall)), now));
        assert!(again.brings_a_token && again.moved_to == Some(2));
        assert_eq!(again.snapshot.freshness(now.tick), Freshness::Fresh);
        assert!(!again.snapshot.is_refused() && held.still_serving(now).is_some());
    }

    #[test]
    fn an_end_is_news_once() {
        let (held, clock) = (held(), ManualClock::new());
        let now = Now::read(&clock);
        let alive = alive(&held, 1, &tokens(&held, now));
        shown(held.show(alive.clone(), now));
        let ended = |revision, reason| {
            let record = alive.record.buried(reason, now.utc(), "somebody");
            shown(held.show(Versioned { revision, record }, now)).ended
        };
        let (refused, lost) = (ReauthorizationReason::Refused, ReauthorizationReason::LostReply);
        assert_eq!(ended(2, refused), Some(refused));
        assert_eq!(ended(3, refused), None);
        assert_eq!(ended(4, lost), Some(lost));
    }

    #[test]
    fn what_is_read_does_not_go_over_tokens_that_wait_to_be_stored() {
        let (held, clock) = (held(), ManualClock::new());
        let now = Now::read(&clock);
        let old = tokens(&held, now);
        shown(held.show(alive(&held, 1, &old), now));
        let new = old.next(TokenReply::new("access-2"), now.wall);
        let set = UnstoredTokens {
            known_until: None,
            tokens: new.clone(),
            parent: Some(old.clone()),
        };
        assert!(
            held.unstored
                .keep(set, StoreError::unavailable("take the write", "it is out"))
        );
        let shown_now = shown(held.show_unstored(alive(&held, 1, &new), now));
        assert_eq!(shown_now.moved_to, Some(2));
        assert!(matches!(held.show(alive(&held, 2, &new), now), Show::Outdated { .. }));
        held.unstored.remove(&new);
        shown(held.show(alive(&held, 2, &new), now));
        assert_eq!(held.revision(), 2);
    }

    #[test]
    fn a_401_to_an_older_token_is_no_refusal_of_the_one_at_hand() {
        let (held, clock) = (held(), ManualClock::new());
        let now = Now::read(&clock);
        assert!(matches!(
            held.refuse(1, Rejection::InvalidToken, now),
            Refusal::Outdated
        ));
        let new = tokens(&held, now).next(TokenReply::new("access-2"), now.wall);
        shown(held.show(alive(&held, 1, &new), now));
        assert!(matches!(
            held.refuse(1, Rejection::InvalidToken, now),
            Refusal::Outdated
        ));
        assert!(held.still_serving(now).is_some());
        assert!(matches!(
            held.refuse(2, Rejection::Unexplained, now),
            Refusal::Replace(_)
        ));
        assert!(held.shown.see().is_some_and(|seen| seen.ready().is_none()));
        assert!(
            held.still_serving(now).is_some(),
            "where there is no way to another one"
        );
        held.refuse(2, Rejection::InvalidToken, now);
        assert!(held.still_serving(now).is_none());
    }

    #[test]
    fn a_401_that_does_not_name_the_token_leaves_the_last_token_alone() {
        let (held, clock) = (held(), ManualClock::new());
        let now = Now::read(&clock);
        let last = TokenSet {
            refresh_token: None,
            ..tokens(&held, now)
        };
        shown(held.show(alive(&held, 1, &last), now));
        let refusal = held.refuse(1, Rejection::Unexplained, now);
        assert!(matches!(refusal, Refusal::Stands { retry_after: None }));
        assert!(held.still_serving(now).is_some());
        assert!(matches!(
            held.refuse(1, Rejection::InvalidToken, now),
            Refusal::Replace(_)
        ));
    }
    #[test]
    fn young_tokens_refused_in_a_row_leave_the_grant_alone_and_the_same_one_refused_again_does_not() {
        let (held, clock) = (held(), ManualClock::new());
        let now = Now::read(&clock);
        let first = tokens(&held, now);
        shown(held.show(alive(&held, 1, &first), now));
        for _ in 0..3 {
            assert!(matches!(
                held.refuse(1, Rejection::InvalidToken, now),
                Refusal::Replace(_)
            ));
        }
        let second = first.next(TokenReply::new("access-2"), now.wall);
        shown(held.show(alive(&held, 2, &second), now));
        assert!(matches!(
            held.refuse(2, Rejection::InvalidToken, now),
            Refusal::Stands {
                retry_after: Some(hold)
            } if hold == Duration::from_secs(10)
        ));
        assert!(held.still_serving(now).is_some());
        // Of a grant that is over, nothing else can be had.
        let record = held
            .grant
            .alive(second)
            .buried(ReauthorizationReason::Refused, now.utc(), "somebody");
        shown(held.show(Versioned { revision: 3, record }, now));
        assert!(matches!(
            held.refuse(2, Rejection::InvalidToken, now),
            Refusal::Replace(_)
        ));
    }

    #[test]
    fn a_token_is_as_old_as_the_clock_says_that_counted_more() {
        let second = Duration::from_secs(1);
        for wall_goes in [true, false] {
            let (held, clock) = (held(), ManualClock::new());
            let first = tokens(&held, Now::read(&clock));
            shown(held.show(alive(&held, 1, &first), Now::read(&clock)));
            held.refuse(1, Rejection::InvalidToken, Now::read(&clock));
            let second_tokens = first.next(TokenReply::new("access-2"), Now::read(&clock).wall);
            shown(held.show(alive(&held, 2, &second_tokens), Now::read(&clock)));
            let before = Now::read(&clock);
            if wall_goes {
                clock.suspend(second * 10);
            } else {
                clock.advance(second * 10);
                clock.set_wall(before.wall);
            }
            let refusal = held.refuse(2, Rejection::InvalidToken, Now::read(&clock));
            assert!(matches!(refusal, Refusal::Replace(_)), "{wall_goes}");
        }
    }

    #[test]
    fn the_store_is_looked_at_again_within_five_minutes_and_waited_for_after_that() {
        let (held, clock) = (held(), ManualClock::new());
        assert!(held.look_is_due(Tick::read(&clock)));
        held.looked(Now::read(&clock));
        for (passed, is_due, is_overdue) in [
            (149, false, false),
            (1, true, false),
            (149, true, false),
            (1, true, true),
        ] {
            clock.advance(Duration::from_secs(passed));
            let now = Tick::read(&clock);
            assert_eq!((held.look_is_due(now), held.look_is_overdue(now)), (is_due, is_overdue));
        }
        held.looked(Now::read(&clock));
        let now = Tick::read(&clock);
        assert!(!held.look_is_due(now) && !held.look_is_overdue(now));
    }

    #[test]
    fn a_look_is_due_by_whichever_clock_says_so() {
        let five_minutes = Duration::from_secs(300);
        for sleeps in [true, false] {
            let (held, clock) = (held(), ManualClock::new());
            let start = Now::read(&clock);
            held.looked(start);
            if sleeps {
                clock.suspend(five_minutes);
            } else {
                clock.advance(five_minutes);
                clock.set_wall(start.wall);
            }
            let now = Tick::read(&clock);
            assert!(held.look_is_due(now) && held.look_is_overdue(now), "{sleeps}");
        }
    }

    #[test]
    fn an_own_intent_under_which_nothing_was_sent_is_none() {
        let (held, clock) = (held(), ManualClock::new());
        let now = Now::read(&clock);
        let tokens = tokens(&held, now);
        let own = held.grant.holder.to_string();
        let is_seen = |fence, holder: &str| {
            let mut seen = alive(&held, 7, &tokens);
            seen.record = seen.record.with_intent(Intent {
                holder: holder.to_owned(),
                fence,
                at: now.utc(),
                first_at: None,
                refresh_token: Fingerprint::of(&Secret::from("refresh-1")),
                unanswered: 0,
                given_up: false,
                put_back: false,
            });
            let seen = held.without_unsent(seen);
            assert_eq!((seen.revision, seen.record.tokens.as_ref()), (7, Some(&tokens)));
            seen.record.intent.is_some()
        };
        assert!(is_seen(0, &own) && is_seen(7, &own), "nothing was intended");
        assert!(
            !held.is_unsent(&damage(7)) && !held.is_unsent(&damage(0)),
            "nothing was intended"
        );
        held.intends(7);
        assert!(!is_seen(7, &own));
        // The same where it arrived damaged.
        assert!(held.is_unsent(&damage(7)) && !held.is_unsent(&damage(8)) && !held.is_unsent(&Damage::default()));
        assert!(is_seen(8, &own) && is_seen(6, &own) && is_seen(7, "another process"));
        assert!(held.without_unsent(alive(&held, 7, &tokens)).record.intent.is_none());
        held.intent_is_settled();
        assert!(is_seen(7, &own) && is_seen(0, &own) && !held.is_unsent(&damage(7)));
    }

    #[test]
    fn an_older_copy_of_a_grant_that_is_over_is_known_by_its_tokens() {
        let (held, clock) = (held(), ManualClock::new());
        let now = Now::read(&clock);
        let first = tokens(&held, now);
        let second = first.next(TokenReply::new("access-2"), now.wall);
        let third = second.next(TokenReply::new("access-3"), now.wall);
        let over = |revision, tokens: &TokenSet| {
            let reason = ReauthorizationReason::Refused;
            let record = held.grant.alive(tokens.clone()).buried(reason, now.utc(), "somebody");
            Versioned { revision, record }
        };
        assert!(held.over_before(&alive(&held, 1, &first)).is_none(), "nothing is held");
        shown(held.show(alive(&held, 2, &second), now));
        assert!(held.over_before(&alive(&held, 1, &first)).is_none(), "the grant lives");
        shown(held.show(over(3, &second), now));
        let told = held.over_before(&alive(&held, 1, &first)).map(|end| end.reason);
        assert_eq!(told, Some(ReauthorizationReason::Refused));
        // An older copy that is over too says so itself, and what is newer is no older copy.
        assert!(held.over_before(&over(1, &first)).is_none());
        assert!(held.over_before(&alive(&held, 4, &third)).is_none());
    }

    #[test]
    fn an_end_goes_over_a_later_login_as_its_own_and_over_an_earlier_one_as_it_was() {
        let clock = ManualClock::new();
        let now = Now::read(&clock);
        let later = |seconds| now.utc() + chrono::TimeDelta::seconds(seconds);
        let held = held();
        let with = |lineage: &Lineage, generation: u64, obtained: i64| TokenSet {
            lineage: Some(lineage.clone()),
            generation,
            obtained_at: later(obtained),
            ..tokens(&held, now)
        };
        let none = Lineage::begun(later(-900)).after(None);
        let first = Lineage::begun(later(-800)).after(Some((Some(&none), None)));
        let second = Lineage::begun(later(-700)).after(Some((Some(&first), None)));
        let apart = Lineage::begun(later(-650)).after(Some((Some(&none), None)));
        let tokens_of_first = with(&first, 3, -500);
        shown(held.show(over(&held, 3, &tokens_of_first, ReauthorizationReason::Revoked), now));
        let undone = |lineage: &Lineage, generation| {
            let seen = alive(&held, 2, &with(lineage, generation, -700));
            let end = held
                .end_undone_by(&seen)
                .map(|end| (end.lineage().cloned(), end.tombstone.unwrap().generation));
            (end, held.is_of_another_login(&seen))
        };
        let at = held.snapshot().unwrap().tombstone.clone().unwrap().at;
        let of_second = second.clone().ended_with(Some(&first), at);
        assert_eq!(undone(&second, 7), (Some((Some(of_second), 7)), true));
        assert_eq!(undone(&first, 2), (Some((Some(first.clone()), 3)), false));
        assert_eq!(undone(&none, 2), (Some((Some(first.clone()), 3)), false));
        assert_eq!(undone(&apart, 7), (Some((Some(first.clone()), 3)), true));
        // Where nobody was named, nobody is; and the other way round.
        let mut erased = over(&held, 2, &tokens_of_first, ReauthorizationReason::Revoked);
        erased.record.tombstone.as_mut().unwrap().at = at - chrono::TimeDelta::seconds(90);
        assert!(held.end_undone_by(&erased).unwrap().pseudonym.is_none());
        erased.record = erased.record.without_person(None);
        assert!(held.end_undone_by(&erased).unwrap().pseudonym.is_some());
        // One more end, of what the older copy shows: it is the same grant that ended, and after that.
        let known = held.end_undone_by(&alive(&held, 2, &with(&none, 2, -700))).unwrap();
        let again = over(&held, 2, &with(&none, 2, -900), ReauthorizationReason::Revoked).record;
        let again = again.after_end(&known).tombstone.unwrap();
        assert!(again.lineage == Some(first) && again.at > at);
    }

    /// Two logins over one grant, of two copies of the store.
    #[test]
    fn the_end_of_a_login_of_another_copy_counts_for_what_came_before_it_where_it_is_on_purpose() {
        let clock = ManualClock::new();
        let now = Now::read(&clock);
        let later = |seconds| now.utc() + chrono::TimeDelta::seconds(seconds);
        let first = Lineage::begun(now.utc()).after(None);
        let of_login = |held: &Held, at: i64, obtained: i64| TokenSet {
            lineage: Some(Lineage::begun(later(at)).after(Some((Some(&first), None)))),
            obtained_at: later(obtained),
            ..tokens(held, now)
        };
        for (reason, is_hidden) in [
            (ReauthorizationReason::Refused, false),
            (ReauthorizationReason::Revoked, true),
        ] {
            let held = held();
            // It ends 300 seconds after the first.
            let (newer, ended) = (of_login(&held, 100, 100), of_login(&held, 200, 300));
            shown(held.show(over(&held, 3, &ended, reason), now));
            for revision in [2, 9] {
                let living = alive(&held, revision, &newer);
                assert!(held.over_before(&living).is_none(), "{reason:?}");
                assert_eq!(held.end_undone_by(&living).is_some(), is_hidden, "{reason:?}");
                assert!(
                    is_hidden || held.end_lost_by_store(Some(&living)).is_none(),
                    "{reason:?}"
                );
            }
            let earlier_end = over(&held, 9, &newer, ReauthorizationReason::Forgotten);
            let by_end = held.show(earlier_end, now);
            assert_eq!(matches!(by_end, Show::Outdated { .. }), is_hidden, "{reason:?}");
            show_anew(&held, over(&held, 3, &ended, reason), now);
            let by_login = held.show(alive(&held, 2, &newer), now);
            assert_eq!(matches!(by_login, Show::Outdated { .. }), is_hidden, "{reason:?}");
        }
    }

    /// Shows this, whatever was shown before.
    fn show_anew(held: &Held, seen: Versioned, now: Now) {
        held.shown.replace(None);
        shown(held.show(seen, now));
    }

    /// The end of the grant of these tokens.
    fn over(held: &Held, revision: u64, tokens: &TokenSet, reason: ReauthorizationReason) -> Versioned {
        let record = held.grant.alive(tokens.clone());
        Versioned {
            revision,
            record: record.buried(reason, tokens.obtained_at, "somebody"),
        }
    }

    /// The same tokens, of a login.
    fn login(held: &Held, now: Now) -> TokenSet {
        TokenSet {
            lineage: Some(Lineage::begun(now.utc()).after(None)),
            ..tokens(held, now)
        }
    }

    /// The tokens of a login that saw this one, and those of one that saw nothing.
    fn logins(tokens: &TokenSet) -> (TokenSet, TokenSet) {
        let of = |seen| TokenSet {
            lineage: Some(Lineage::begun(tokens.obtained_at).after(seen)),
            ..tokens.clone()
        };
        (of(Some((tokens.lineage.as_ref(), Some(tokens.obtained_at)))), of(None))
    }

    #[test]
    fn behind_a_known_end_another_login_is_shown_at_whatever_revision_and_an_older_copy_at_none() {
        let now = Now::read(&ManualClock::new());
        for (reason, revision, who, is_shown) in [
            (ReauthorizationReason::Revoked, 12, "after it", true),
            (ReauthorizationReason::Revoked, 12, "beside it", true),
            (ReauthorizationReason::Revoked, 31, "the same", false),
            (ReauthorizationReason::Revoked, 29, "the same", false),
            // An end that nobody meant is as old as its revision says.
            (ReauthorizationReason::Refused, 12, "after it", true),
            (ReauthorizationReason::Refused, 12, "beside it", true),
            (ReauthorizationReason::Refused, 31, "beside it", true),
        ] {
            let held = held();
            let first = login(&held, now);
            let (after, beside) = logins(&first);
            shown(held.show(over(&held, 30, &first, reason), now));
            let read = match who {
                "after it" => after,
                "beside it" => beside,
                _ => first,
            };
            let show = held.show(alive(&held, revision, &read), now);
            assert_eq!(matches!(show, Show::Shown(_)), is_shown, "{reason:?} {revision} {who}");
        }
    }

    #[test]
    fn an_end_that_the_store_lost_is_known_and_one_that_somebody_went_over_is_none() {
        let (held, now) = (held(), Now::read(&ManualClock::new()));
        let first = login(&held, now);
        let (after, _) = logins(&first);
        let revoked = |revision| over(&held, revision, &first, ReauthorizationReason::Revoked);
        let refused = over(&held, 12, &first, ReauthorizationReason::Refused);
        let (older, newer) = (alive(&held, 12, &first), alive(&held, 31, &after));
        assert!(held.end_lost_by_store(None).is_none(), "nothing is held");
        shown(held.show(older.clone(), now));
        assert!(held.end_lost_by_store(None).is_none() && held.end_undone_by(&older).is_none());
        let end = revoked(30);
        shown(held.show(end.clone(), now));
        for (what, seen, is_lost, is_undone) in [
            ("an older copy", Some(&older), true, true),
            ("an end that nobody meant", Some(&refused), false, true),
            ("the end", Some(&end), false, false),
            ("a login after it", Some(&newer), false, false),
            ("nothing", None, true, false),
        ] {
            let known = |is_known: bool| is_known.then_some(&end.record);
            assert_eq!(held.end_lost_by_store(seen).as_ref(), known(is_lost), "{what}");
            let undone = seen.and_then(|seen| held.end_undone_by(seen));
            assert_eq!(undone.as_ref(), known(is_undone), "{what}");
        }
    }

    /// A record at this revision that nobody can read.
    fn damage(revision: u64) -> Damage {
        Damage {
            revision: Some(revision),
            ..Damage::default()
        }
    }

    #[test]
    fn what_was_damaged_is_known_to_who_wrote_it_and_to_who_holds_nothing_older() {
        let (held, now) = (held(), Now::read(&ManualClock::new()));
        assert!(!held.knows(&damage(1)), "nothing is held");
        let tokens = tokens(&held, now);
        shown(held.show(alive(&held, 7, &tokens), now));
        let lost = |revision| held.lost_to_damage(&damage(revision));
        assert_eq!(lost(7), Some((7, tokens.clone())));
        assert!(lost(9).is_none(), "somebody wrote it");
        held.tried(9);
        held.tried(11);
        for (revision, is_own) in [(9, true), (10, false), (11, true), (12, false)] {
            assert_eq!(lost(revision), is_own.then(|| (7, tokens.clone())), "{revision}");
            assert_eq!(held.knows(&damage(revision)), is_own, "{revision}");
        }
        let named = Damage {
            revision: None,
            named_revision: Some(1_000_009),
            ..Damage::default()
        };
        assert!(!held.is_own(&named) && !held.knows(&named));
        held.tried(1_000_009);
        assert!(held.is_own(&named) && held.knows(&named));
        let whole = Damage {
            bytes: Some(held.grant.alive(tokens.clone()).encode()),
            ..damage(9)
        };
        assert_eq!(held.lost_to_damage(&whole), Some((7, tokens)), "nothing came after it");
    }

    #[test]
    fn an_end_that_was_damaged_is_known_where_the_record_says_that_nobody_wrote_after_it() {
        let (held, now) = (held(), Now::read(&ManualClock::new()));
        let end = over(&held, 8, &tokens(&held, now), ReauthorizationReason::Refused);
        shown(held.show(end.clone(), now));
        for (damage, is_known) in [(damage(8), true), (damage(9), false), (Damage::default(), false)] {
            let lost = held.end_lost_to_damage(&damage);
            assert_eq!(lost.as_ref(), is_known.then_some(&end.record), "{damage:?}");
            assert_eq!(held.knows(&damage), is_known, "{damage:?}");
        }
        held.tried(9);
        assert_eq!(held.end_lost_to_damage(&damage(9)), Some(end.record));
    }

    #[test]
    fn the_last_64_writes_without_an_answer_are_remembered() {
        let held = held();
        for revision in 1..=65 {
            held.tried(revision);
        }
        let is_own = |revision| held.is_own(&damage(revision));
        assert!(is_own(65) && is_own(2) && !is_own(1) && !is_own(66));
        assert!(!held.is_own(&Damage::default()));
    }

    #[test]
    fn a_damaged_record_can_be_mended_where_it_is_whole_or_known_or_had_anew() {
        let now = Now::read(&ManualClock::new());
        let key = || TokenKey::new("mx", "client", GrantKind::AuthorizationCode);
        let held_of = |renewal| {
            Held::new(Arc::new(Grant::new(&TokenHandleBuilder::new(
                key(),
                Arc::new(Nobody),
                renewal,
            ))))
        };
        let corrupt = |damage| StoreError::Corrupt {
            place: None,
            source: Arc::from(Box::<dyn std::error::Error + Send + Sync>::from("it is cut")),
            damage,
        };
        let refreshed = held_of(Renewal::Refresh);
        assert!(held_of(Renewal::Anew).can_mend(&corrupt(Some(damage(9)))));
        assert!(!held_of(Renewal::Anew).can_mend(&corrupt(None)), "that is no damage");
        assert!(
            !refreshed.can_mend(&corrupt(Some(damage(9)))),
            "nobody knows what it was"
        );
        let numberless = Damage {
            bytes: Some(refreshed.grant.alive(tokens(&refreshed, now)).encode()),
            ..Damage::default()
        };
        assert!(refreshed.can_mend(&corrupt(Some(numberless))));
        shown(refreshed.show(alive(&refreshed, 9, &tokens(&refreshed, now)), now));
        assert!(refreshed.can_mend(&corrupt(Some(damage(9)))));
    }

    #[test]
    fn how_often_it_is_looked_at_can_be_set_and_is_two_seconds_at_least() {
        // In seconds: what is set, and the half of it that counts.
        for (set, expected) in [(0, 1), (1, 1), (3, 1), (30, 15), (7200, 3600), (u64::MAX, u64::MAX)] {
            let (held, clock) = (
                held_with(|set_up| set_up.look_again_every(Duration::from_secs(set))),
                ManualClock::new(),
            );
            held.looked(Now::read(&clock));
            if expected == u64::MAX {
                clock.advance(Duration::from_secs(1 << 32));
                assert!(!held.look_is_due(Tick::read(&clock)));
                continue;
            }
            clock.advance(Duration::from_secs(expected) - Duration::from_millis(1));
            assert!(!held.look_is_due(Tick::read(&clock)), "{set}");
            clock.advance(Duration::from_millis(1));
            assert!(held.look_is_due(Tick::read(&clock)), "{set}");
        }
    }

    #[test]
    fn without_a_record_there_is_no_generation_and_no_revision() {
        let (held, clock) = (held(), ManualClock::new());
        let now = Now::read(&clock);
        assert_eq!((held.generation(), held.revision()), (0, 0));
        let next = tokens(&held, now).next(TokenReply::new("access-2"), now.wall);
        shown(held.show(alive(&held, 7, &next), now));
        assert_eq!((held.generation(), held.revision()), (2, 7));
        held.clear();
        assert_eq!((held.generation(), held.revision()), (0, 0));
    }

    #[test]
    fn what_a_store_lost_is_known_where_it_cannot_be_fetched_anew() {
        for renewal in [Renewal::Refresh, Renewal::Anew] {
            let key = TokenKey::new("mx", "client", GrantKind::AuthorizationCode);
            let set_up = TokenHandleBuilder::new(key, Arc::new(Nobody), renewal);
            let (held, clock) = (Held::new(Arc::new(Grant::new(&set_up))), ManualClock::new());
            let now = Now::read(&clock);
            assert!(held.lost_by_store(None).is_none(), "nothing is held");
            let tokens = tokens(&held, now);
            shown(held.show(alive(&held, 7, &tokens), now));
            let lost = held.lost_by_store(None);
            let expected = (renewal == Renewal::Refresh).then(|| (7, tokens.clone()));
            assert_eq!(lost, expected, "{renewal:?}");
            assert!(held.lost_by_store(Some(&alive(&held, 7, &tokens))).is_none());
            // Of a grant that is over nothing is put back.
            let record = held
                .grant
                .alive(tokens)
                .buried(ReauthorizationReason::Refused, now.utc(), "x");
            shown(held.show(Versioned { revision: 8, record }, now));
            assert!(held.lost_by_store(None).is_none());
        }
    }
}
