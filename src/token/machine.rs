//! The lifecycle as decisions: what is known and what time it is go in, what to do comes out.
//!
//! Nothing here waits, sends, stores or looks at a clock. The shell around it
//! (`transaction`) does what these functions say, and nothing else. The
//! table of scenarios in `scenarios.txt` is the same specification by example;
//! the tests of this file are made from it.
//!
//! # Freshness of an access token
//!
//! ```text
//! obtained        advisory            mandatory       expiry
//!    |   Fresh       |     Advisory       |  Mandatory   |   Expired
//!    |---------------|--------------------|--------------|----------
//!      serve           serve; one caller    callers wait   callers wait;
//!                      refreshes aside      for a refresh, a failure is
//!                                           a failure      theirs
//!                                           still serves
//! ```
//!
//! A token whose expiry nobody told is `Unknown`: it serves until the provider refuses it.
//!
//! # State of a grant
//!
//! | state | tokens | intent | tombstone | what it means |
//! |---|---|---|---|---|
//! | idle | yes | - | - | nothing under way |
//! | intent | yes | yes | - | a request is under way, or its sender ended before it wrote the outcome |
//! | in doubt | yes | yes | - | an intent whose sender is known to be finished: the refresh token may be spent |
//! | dead | maybe | maybe | yes | the server, or the application, ended the grant |
//!
//! # The in-doubt rule
//!
//! A refresh token is sent again only when every earlier request with it has no
//! known outcome and none of their senders is at work any more. If the server
//! never took it, this saves the consent. If the server spent it and has a grace
//! period, this saves the consent too. If it spent it and has none, the consent
//! was lost with the reply, and the refusal is the proof of it.
//!
//! Where no grace is documented, a spent refresh token may end what it was spent for: then it is sent again when the
//! access token at hand is over, and nothing is left that the question could end.
//!
//! One limit stays, on stores whose leases time ends: a process that stands still with new tokens in memory, for
//! longer than its lease and the patience of its siblings, cannot be told from a dead one.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

use super::clock::{CENTURY, Now, Tick, after, between, is_surely_later};
use super::lineage::Kinship;
use super::{Intent, Lineage, ReauthorizationReason, Record, Renewal, Rotation, TokenSet, Tombstone, Verdict};
use crate::value::Secret;

/// How near to its end an access token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Freshness {
    /// Far from its end: it is served.
    Fresh,
    /// Near its end: it is served, and refreshed beside that.
    Advisory,
    /// Very near its end: callers wait for a refresh.
    Mandatory,
    /// Over.
    Expired,
    /// Its end is unknown: it is served until it is refused.
    Unknown,
}

/// How long before its end an access token is refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Windows {
    pub advisory: Duration,
    pub mandatory: Duration,
}

impl Windows {
    /// Of a token that nothing can replace: it serves to its end.
    const NONE: Self = Self {
        advisory: Duration::ZERO,
        mandatory: Duration::ZERO,
    };
    const ADVISORY: Duration = Duration::from_secs(300);
    const MANDATORY: Duration = Duration::from_secs(60);

    /// Derived from the token's life, so that a token of two minutes is not refreshed all the time.
    ///
    /// `jitter`, from 0 to 1, makes the advisory window up to half as long again. It
    /// never makes it shorter: a window that jitter can eat up is no window.
    pub fn of(life: Duration, jitter: f64) -> Self {
        let advisory = (life / 5).min(Self::ADVISORY);
        Self {
            advisory: advisory + advisory.mul_f64(jitter.clamp(0.0, 1.0) / 2.0),
            mandatory: (life / 20).min(Self::MANDATORY),
        }
    }
}

/// When the states of an access token begin, on both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Horizon {
    advisory: Edge,
    mandatory: Edge,
    expiry: Edge,
}

#[derive(Clone, Copy, Debug)]
struct Edge {
    wall: SystemTime,
    monotonic: Duration,
}

impl Edge {
    /// Whichever clock gets there first: the wall clock goes on while the
    /// machine sleeps, the monotonic one is not set back.
    fn reached(self, now: Tick) -> bool {
        now.monotonic >= self.monotonic || now.wall >= self.wall
    }
}

impl Horizon {
    /// None: the end is unknown.
    ///
    /// An imported token may have an end that no clock of the machine comes to.
    pub fn of(tokens: &TokenSet, now: Now, jitter: f64, renewal: Renewal) -> Option<Self> {
        let end = tokens.expires_at?;
        let life = tokens.lifetime()?;
        // A wall clock behind the one that wrote the token would let it live too long: it never lives longer
        // than its life from now on.
        let left = between(now.utc(), end).min(life).min(CENTURY);
        let windows = if renewable(tokens, renewal) {
            Windows::of(life, jitter)
        } else {
            Windows::NONE
        };
        let edge = |before: Duration| Edge {
            wall: now.tick.wall + left.saturating_sub(before),
            monotonic: now.tick.monotonic + left.saturating_sub(before),
        };
        Some(Self {
            advisory: edge(windows.advisory),
            mandatory: edge(windows.mandatory),
            expiry: edge(Duration::ZERO),
        })
    }

    /// What is left of the token's life.
    pub fn left(&self, now: Now) -> Duration {
        let wall = self.expiry.wall.duration_since(now.tick.wall).unwrap_or_default();
        wall.min(self.expiry.monotonic.saturating_sub(now.tick.monotonic))
    }

    /// Counted in cheap readings, from the one that the horizon was made with: a token without any time left is over at
    /// once, and one with some is never served for longer than that.
    pub fn freshness(&self, now: Tick) -> Freshness {
        if !self.advisory.reached(now) {
            Freshness::Fresh
        } else if !self.mandatory.reached(now) {
            Freshness::Advisory
        } else if !self.expiry.reached(now) {
            Freshness::Mandatory
        } else {
            Freshness::Expired
        }
    }
}

/// Whether there is a way to other tokens without the user.
pub(crate) fn renewable(tokens: &TokenSet, renewal: Renewal) -> bool {
    renewal == Renewal::Anew || tokens.refresh_token.is_some()
}

/// Why a token is wanted.
#[derive(Clone, Debug)]
pub(crate) enum Want {
    /// There is no usable token.
    Usable,
    /// The token at hand is near its end.
    Younger,
    /// The provider refused this access token.
    Other(Issued),
    /// The provider answered 401 to a call with this access token and did not say that it is the token: it may be good.
    Instead(Issued),
    /// The refresh token nears its end: tokens of a later generation, whatever is left of them.
    Later { than: u64 },
}

/// An access token as one reply brought it. A server that gives the same one again, with a later reply, says that it is
/// good: what was said of it before counts no more.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    access_token: Secret,
    generation: u64,
    times: (DateTime<Utc>, Option<DateTime<Utc>>),
}

impl Issued {
    /// With these tokens.
    pub fn with(tokens: &TokenSet) -> Self {
        Self {
            access_token: tokens.access_token.clone(),
            generation: tokens.generation,
            times: times(tokens),
        }
    }

    /// Whether it is still the one. A later generation that kept the access token for want of another has its times too.
    pub fn is_in(&self, tokens: &TokenSet) -> bool {
        tokens.access_token == self.access_token
            && (tokens.generation == self.generation || times(tokens) == self.times)
    }
}

fn times(tokens: &TokenSet) -> (DateTime<Utc>, Option<DateTime<Utc>>) {
    (tokens.obtained_at, tokens.expires_at)
}

/// Whether stored tokens are what is wanted, so that no request is needed.
pub(crate) fn satisfies(want: &Want, tokens: &TokenSet, freshness: Freshness) -> bool {
    match (want, freshness) {
        (Want::Later { than }, _) => tokens.generation > *than,
        (_, Freshness::Mandatory | Freshness::Expired) => false,
        (Want::Other(refused) | Want::Instead(refused), _) => !refused.is_in(tokens),
        (Want::Younger, Freshness::Advisory) => false,
        _ => true,
    }
}

/// What is known under the lease.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation<'a> {
    pub want: &'a Want,
    pub record: Option<&'a Record>,
    /// Of the record's tokens.
    pub freshness: Freshness,
    pub renewal: Renewal,
    pub rotation: &'a Rotation,
    /// Whether holding the lease proves that no earlier holder is at work.
    pub exclusive: bool,
    /// Whether the intent in the record was written by this process.
    pub own_intent: bool,
    /// The fence of the intent whose sender was already given time.
    pub waited_for: Option<u64>,
    pub now: Now,
}

/// What to do under the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A sibling stored what is wanted.
    Adopt,
    /// Ask with the grant itself.
    Anew,
    /// Ask with the refresh token, which this many requests carried before without an answer.
    Refresh { unanswered: u32 },
    /// The sender of the intent may still be at work, with new tokens that it cannot store yet: give the lease back,
    /// wait, look again.
    Patience,
    /// A request now could only do harm: serve the token at hand as long as it lives, and do not ask again at once.
    Defer,
    /// The grant is over.
    Dead(ReauthorizationReason),
    /// There never was one.
    NoGrant,
}

pub(crate) fn decide(situation: &Situation<'_>) -> Step {
    let Situation { want, renewal, .. } = *situation;
    let tokens = situation.record.and_then(|record| record.tokens.as_ref());
    if tokens.is_some_and(|tokens| satisfies(want, tokens, situation.freshness)) {
        return Step::Adopt;
    }
    if let Some(tombstone) = situation.record.and_then(|record| record.tombstone.as_ref()) {
        return match (renewal, tombstone.reason) {
            // Client credentials outlive their tokens.
            (Renewal::Anew, reason) if reason != ReauthorizationReason::Revoked => Step::Anew,
            (_, ReauthorizationReason::Forgotten) => Step::NoGrant,
            (_, reason) => Step::Dead(reason),
        };
    }
    if renewal == Renewal::Anew {
        return Step::Anew;
    }
    let Some(tokens) = tokens else {
        return Step::NoGrant;
    };
    if tokens.refresh_token.is_none() {
        return Step::Dead(ReauthorizationReason::NoRefreshToken);
    }
    let Some(intent) = situation.record.and_then(|record| record.intent.as_ref()) else {
        return Step::Refresh { unanswered: 0 };
    };
    let now = situation.now.utc();
    let unanswered_for = between(intent.at, now);
    let serves = match (want, situation.freshness) {
        (Want::Other(_), _) | (_, Freshness::Expired) => false,
        // Refused again, so long after: whatever the provider does not say, it serves nobody.
        (Want::Instead(_), _) => unanswered_for < LONGEST_SUSPICION,
        // The refresh token ends before the access token does, and the consent would end with it.
        (Want::Later { .. }, freshness) if freshness == Freshness::Unknown || outlives_refresh_token(tokens) => {
            let left = tokens.refresh_expires_at.map(|end| between(now, end));
            unanswered_for < left.unwrap_or(LONGEST_DOUBT).min(LONGEST_DOUBT)
        }
        _ => true,
    };
    if unsettled(intent, situation.own_intent, situation.exclusive, situation.waited_for) {
        return Step::Patience;
    }
    if serves && may_end_what_serves(situation.rotation, between(intent.in_doubt_since(), now)) {
        return Step::Defer;
    }
    Step::Refresh {
        unanswered: intent.unanswered.saturating_add(1),
    }
}

/// How long a doubt is left alone when the refresh token nears its end and an access token serves that lives longer; at
/// most half of the time that was left for the refresh token.
const LONGEST_DOUBT: Duration = Duration::from_secs(86_400);

/// How long a doubt is left alone when the provider answers 401 and does not say that it is the token.
const LONGEST_SUSPICION: Duration = Duration::from_secs(3600);

/// Whether the access token is still good when the refresh token is over.
fn outlives_refresh_token(tokens: &TokenSet) -> bool {
    let ends = tokens.expires_at.zip(tokens.refresh_expires_at);
    ends.is_some_and(|(access_token, refresh_token)| access_token >= refresh_token)
}

/// Whether sending a refresh token again could end the access token that it brought: it may have been spent by the
/// request that has no answer for so long, and a spent one ends the grant where the server takes it for stolen (RFC 9700
/// section 4.14.2). A grace that nobody has documented is none.
pub(crate) fn may_end_what_serves(rotation: &Rotation, unanswered_for: Duration) -> bool {
    rotation.spends()
        && match rotation.grace {
            None => true,
            Some(grace) => rotation.reuse_revokes_family && unanswered_for > grace,
        }
}

/// Whether the sender of an intent may still be at work, and was not given time yet.
///
/// `own`: this process wrote it. `exclusive`: the lease proves that no earlier holder is at work; it proves nothing of
/// those whose lease the store lost.
pub(crate) fn unsettled(intent: &Intent, own: bool, exclusive: bool, waited_for: Option<u64>) -> bool {
    let done = own || intent.given_up || (exclusive && !intent.put_back) || waited_for == Some(intent.fence);
    !done
}

/// Whether a store holds less than this process: it went back in time (a failover, a restart without its log), or
/// lost the record. `held` was stored once.
///
/// A grant that was ended on purpose leaves a tombstone, so a record that is missing was lost. Of one login the higher
/// generation is the newer one, unless somebody went on from an older copy since; an end on purpose is final. Of two
/// logins it is the one that replaced the other; where that was ended on purpose since, this login was meant too. An end
/// from before this login is an older copy, or somebody who knew it wrote it again where the store had lost it.
pub(crate) fn went_back(stored: Option<&Record>, held: &TokenSet) -> bool {
    let Some(stored) = stored else {
        return true;
    };
    let older = || {
        let tokens = stored.tokens.as_ref();
        tokens.is_some_and(|tokens| tokens.generation < held.generation && !went_on_later(tokens, held))
    };
    match Lineage::kinship(stored.lineage(), held.lineage.as_ref()) {
        Kinship::Same => stored.ended_on_purpose().is_none() && older(),
        Kinship::Earlier => stored
            .ended_on_purpose()
            .is_none_or(|end| came_after(held.lineage.as_ref(), end)),
        Kinship::Later => false,
        Kinship::Apart => came_while_it_was_lost(held, stored),
        Kinship::Unknown => went_back_by_the_clock(stored, held),
    }
}

/// Whether this login, which the store had taken, came after this end of a grant before it. What it did not see, the store
/// may have lost before it and got back since: then the time tells.
fn came_after(login: Option<&Lineage>, end: &Tombstone) -> bool {
    login.is_some_and(|login| login.saw_end(end.lineage.as_ref(), end.at) || is_surely_later(login.at(), end.at))
}

/// Whether the login of these tokens found nothing, or an older copy, though what is stored now began before it, and was ended
/// before it if it was ended on purpose, by more than clocks are wrong: the store had lost that, and got it back.
fn came_while_it_was_lost(held: &TokenSet, stored: &Record) -> bool {
    let logins = held.lineage.as_ref().zip(stored.lineage());
    logins.is_some_and(|(login, of_stored)| {
        let end = stored.ended_on_purpose().map(|end| end.at);
        let could_not_see_it = login.began_over_nothing() || login.is_of_another_copy_than(of_stored);
        let last = end.map_or(of_stored.at(), |end| end.max(of_stored.at()));
        end.is_some_and(|end| login.saw_end(Some(of_stored), end))
            || (could_not_see_it && is_surely_later(login.at(), last))
    })
}

/// Whether tokens of the same login were asked for after the ones that are held, by more than clocks are wrong: somebody
/// went on from an older copy of the store.
fn went_on_later(tokens: &TokenSet, held: &TokenSet) -> bool {
    // What an import brings is as old as it was, whenever the import is run again.
    let is_as_imported = tokens.is_as_imported() && !held.is_as_imported();
    !is_as_imported && is_surely_later(tokens.obtained_at, held.obtained_at)
}

/// The same for records of versions without lineages.
///
/// A tombstone from before these tokens is an older copy. Tokens of a later request are newer whatever their
/// generation: a user who authorized elsewhere after the loss started at the first.
fn went_back_by_the_clock(stored: &Record, held: &TokenSet) -> bool {
    if let Some(tombstone) = stored.ended_on_purpose() {
        return tombstone.generation < held.generation && tombstone.at < held.obtained_at;
    }
    let tokens = stored.tokens.as_ref();
    tokens.is_some_and(|tokens| tokens.generation < held.generation && tokens.obtained_at <= held.obtained_at)
}

/// Whether what was read goes on with a grant that this process knows to be ended on purpose, or with one before it; or is
/// an end that came before that one, over which a login may go that is to end with it.
pub(crate) fn undoes(read: &Record, end: &Tombstone) -> bool {
    let before = read.ended_on_purpose();
    end.reason.is_on_purpose()
        && match Lineage::kinship(read.lineage(), end.lineage.as_ref()) {
            // What goes over an erasure names nobody either.
            Kinship::Same => before.is_none_or(|before| before.at < end.at),
            Kinship::Earlier => before.is_none_or(|before| came_after(end.lineage.as_ref(), before)),
            Kinship::Apart => match before {
                None => was_lost_at(read, end),
                // Of two ends the later one is known to those who hold what it ended.
                Some(before) => is_surely_later(end.at, before.at),
            },
            Kinship::Later => before.is_none_or(|before| is_surely_later(end.at, before.at)) && came_before(read, end),
            Kinship::Unknown => false,
        }
}

/// Whether the login of what was read, which knows the grant that ended, began before this end of it, by more than clocks are
/// wrong: it is of another copy of the store, which was away when the grant ended.
fn came_before(read: &Record, end: &Tombstone) -> bool {
    read.lineage()
        .is_some_and(|login| !login.saw_end(end.lineage.as_ref(), end.at) && is_surely_later(end.at, login.at()))
}

/// Whether what was read began before this end of a grant that is not its own, by more than clocks are wrong. Its login went
/// over what was stored, which was not that grant, or over one that ended then: it is of another copy of the store, which was
/// away when the grant ended.
fn was_lost_at(read: &Record, end: &Tombstone) -> bool {
    let of = end.lineage.as_ref();
    read.lineage().is_some_and(|login| {
        let missed_it =
            login.went_over_what_was_stored() || of.is_some_and(|of| login.missed_end_of_a_common(of, end.at));
        missed_it && !login.saw_end(of, end.at) && is_surely_later(end.at, login.at())
    })
}

/// Whether tokens live on at the provider though the grant was ended there: whoever did that knew earlier ones.
pub(crate) fn outlives(tokens: &TokenSet, end: &Tombstone) -> bool {
    let was_revoked = end.revoked || end.reason == ReauthorizationReason::Revoked;
    let kinship = Lineage::kinship(end.lineage.as_ref(), tokens.lineage.as_ref());
    was_revoked
        && match kinship {
            Kinship::Same => end.generation < tokens.generation,
            Kinship::Later | Kinship::Apart => end.unseen,
            Kinship::Earlier => !came_after(tokens.lineage.as_ref(), end),
            Kinship::Unknown => false,
        }
}

/// Whether what was read is of another login than the one that this process knows to be over: however their revisions stand,
/// it is no older copy.
pub(crate) fn is_another_login(read: &Record, end: &Tombstone) -> bool {
    let kinship = Lineage::kinship(read.lineage(), end.lineage.as_ref());
    matches!(kinship, Kinship::Later | Kinship::Apart)
}

/// Whether what was read is older than what this process shows. `held`: the tokens that it shows.
pub(crate) fn is_outdated(
    (revision, read): (u64, &Record),
    (shown, held): (u64, Option<&TokenSet>),
    renewal: Renewal,
) -> bool {
    if let Some(held) = held.filter(|_| renewal == Renewal::Refresh)
        && went_back(Some(read), held)
    {
        return true;
    }
    // After a loss, revisions count on from an older copy.
    let later = held.filter(|_| renewal == Renewal::Refresh).is_some_and(|held| {
        let tokens = read.tokens.as_ref();
        match Lineage::kinship(read.lineage(), held.lineage.as_ref()) {
            // What stands in the store of two of which neither has seen the other is the grant, whatever clocks say.
            Kinship::Later | Kinship::Apart => true,
            // Two that went on from one copy have the same generation.
            Kinship::Same => tokens.is_some_and(|tokens| {
                (held.generation, held.obtained_at) < (tokens.generation, tokens.obtained_at)
                    || went_on_later(tokens, held)
            }),
            Kinship::Earlier | Kinship::Unknown => tokens.is_some_and(|tokens| held.obtained_at < tokens.obtained_at),
        }
    });
    revision < shown && !later && read.ended_on_purpose().is_none()
}

/// From when on an end is near: in the last quarter of the time, a week before at most.
fn near_from(since: DateTime<Utc>, end: DateTime<Utc>) -> DateTime<Utc> {
    const WEEK: Duration = Duration::from_secs(7 * 86_400);
    let life = between(since, end);
    after(since, life.saturating_sub((life / 4).min(WEEK)))
}

/// When the refresh token of these tokens ends, and from when on that is near.
pub(crate) fn refresh_token_ends(tokens: &TokenSet) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let end = tokens.refresh_expires_at?;
    Some((end, near_from(tokens.obtained_at, end)))
}

/// When the consent ends, and from when on that is near. It began with the login, however often its tokens were
/// refreshed since.
pub(crate) fn consent_ends(tokens: &TokenSet) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let end = tokens.consent_expires_at?;
    let login = tokens.lineage.as_ref().map(Lineage::at);
    Some((end, near_from(login.unwrap_or(tokens.obtained_at), end)))
}

/// Whether a grant that nobody uses is to be renewed now. `unused_for`: the same for one whose refresh token may end at
/// any time.
///
/// Where a renewal moves no end, the next one comes in the last quarter of what is left.
pub(crate) fn is_to_be_renewed(tokens: &TokenSet, unused_for: Option<Duration>, now: DateTime<Utc>) -> bool {
    if tokens.refresh_token.is_none() {
        return false;
    }
    match refresh_token_ends(tokens) {
        Some((_, near_from)) => now >= near_from,
        None => unused_for.is_some_and(|time| now >= after(tokens.obtained_at, time)),
    }
}

/// What a verdict on a refresh does to the grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consequence {
    /// The server took nothing: the intent goes.
    Settle,
    /// Nobody knows what the server took: the intent stays.
    Doubt,
    /// The grant is over.
    Bury(ReauthorizationReason),
}

/// `unanswered` counts the requests before this one.
pub(crate) fn judge(
    verdict: Verdict,
    unanswered: u32,
    tokens: &TokenSet,
    rotation: &Rotation,
    now: DateTime<Utc>,
) -> Consequence {
    let over = |end: Option<DateTime<Utc>>| end.is_some_and(|end| now >= end);
    match verdict {
        Verdict::Dead => Consequence::Bury(if unanswered > 0 {
            ReauthorizationReason::LostReply
        } else if over(tokens.consent_expires_at) {
            ReauthorizationReason::ConsentExpired
        } else if over(tokens.refresh_expires_at) {
            ReauthorizationReason::RefreshTokenExpired
        } else {
            ReauthorizationReason::Refused
        }),
        // A server that does not rotate spends nothing, whatever became of the request.
        _ if !rotation.spends() => Consequence::Settle,
        // Nothing was taken this time, but an earlier request is still without an answer.
        Verdict::Throttled { .. } | Verdict::RequestRejected | Verdict::ClientMisconfigured | Verdict::NotSent
            if unanswered > 0 =>
        {
            Consequence::Doubt
        }
        Verdict::NotSent => Consequence::Settle,
        Verdict::Throttled { .. } | Verdict::RequestRejected | Verdict::ClientMisconfigured => Consequence::Settle,
        // A gateway's 502 says nothing of what the server behind it did.
        Verdict::Transient { .. } | Verdict::InDoubt => Consequence::Doubt,
    }
}

/// What a token set that could not be stored at once does when the store is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rescue {
    /// It goes over what is stored: that is its own parent, in whatever state, or an older copy.
    Write,
    /// Somebody stored something newer, or ended the grant on purpose.
    Yield,
}

/// Whether stored tokens are this set. One token alone does not tell: with a new refresh token a server may give the same
/// access token again.
fn is_same_set(stored: &TokenSet, set: &TokenSet) -> bool {
    has_tokens_of(stored, set)
        && stored.generation == set.generation
        && matches!(
            Lineage::kinship(stored.lineage.as_ref(), set.lineage.as_ref()),
            Kinship::Same | Kinship::Unknown
        )
}

fn has_tokens_of(stored: &TokenSet, set: &TokenSet) -> bool {
    stored.access_token == set.access_token && stored.refresh_token == set.refresh_token
}

/// Whether a set whose write was not confirmed is what the store holds. `parent`: the tokens from which it was made; none:
/// a login, which gets its number with each write anew.
pub(crate) fn is_stored(tokens: &TokenSet, parent: Option<&TokenSet>, stored: &TokenSet) -> bool {
    let of_this_login = || {
        let kinship = Lineage::kinship(stored.lineage.as_ref(), tokens.lineage.as_ref());
        kinship == Kinship::Same && has_tokens_of(stored, tokens)
    };
    is_same_set(stored, tokens) || (parent.is_none() && of_this_login())
}

/// `parent`: the tokens from which the new set was made; none: a login.
pub(crate) fn rescue(tokens: &TokenSet, parent: Option<&TokenSet>, stored: Option<&Record>) -> Rescue {
    let Some(stored) = stored else {
        // Nothing but a loss removes a record.
        return Rescue::Write;
    };
    let writes = match (parent, &tokens.lineage) {
        // A tombstone that a sibling wrote after a refusal of the parent's refresh token says only that the token was
        // spent: it was, and this is what it was spent for. A revoked record holds no tokens and is left alone.
        (Some(parent), _) => {
            let is_parent = |stored: &TokenSet| is_same_set(stored, parent);
            // A store that lost the parent meanwhile, and holds an older copy, has nothing newer.
            stored.tokens.as_ref().is_some_and(is_parent) || went_back(Some(stored), tokens)
        }
        (None, Some(login)) => login.replaces(stored.lineage(), stored.ended_on_purpose().map(|end| end.at)),
        (None, None) => true,
    };
    if writes { Rescue::Write } else { Rescue::Yield }
}
