//! What this process holds of a grant: what calls see of it, and what waits to be stored.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::refusals::{Refusal, Refusals};
use super::shown::Shown;
use super::snapshot::Snapshot;
use super::unstored::Unstored;
use crate::token::clock::{Now, between};
use crate::token::grant::Grant;
use crate::token::machine::{self, Freshness};
use crate::token::record::Versioned;
use crate::token::{ReauthorizationReason, Renewal, TokenSet};
use crate::transport::{Bearer, Rejection};

/// What this process holds of a grant.
pub(crate) struct Held {
    grant: Arc<Grant>,
    /// What calls see. Read without the lock, changed under it.
    pub shown: Shown,
    pub unstored: Unstored,
    /// Monotonic seconds from which on the store is looked at again, beside a call.
    look_again_at: AtomicU64,
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
}

impl Held {
    pub fn new(grant: Arc<Grant>) -> Self {
        Self {
            grant,
            shown: Shown::new(),
            unstored: Unstored::default(),
            look_again_at: AtomicU64::new(0),
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
        let over = snapshot.freshness(now) == Freshness::Expired || snapshot.is_refused();
        if over { None } else { snapshot.bearer.clone() }
    }

    /// The store was looked at just now.
    pub fn looked(&self, now: Now) {
        const LOOK_AGAIN: Duration = Duration::from_secs(300);
        let next = now.monotonic + LOOK_AGAIN;
        self.look_again_at.store(next.as_secs(), Ordering::Relaxed);
    }

    /// Whether the store was not looked at for so long that another process may have ended the grant.
    #[inline]
    pub fn look_is_due(&self, now: Now) -> bool {
        now.monotonic.as_secs() >= self.look_again_at.load(Ordering::Relaxed)
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
        snapshot.refuse();
        self.shown.touch();
        Refusal::Replace(tokens.access_token.clone())
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
            if newer_waits || machine::is_outdated((seen.revision, &seen.record), shown, self.grant.renewal) {
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
            snapshot.is_as_old_as(before);
        }
        let snapshot = Arc::new(snapshot);
        self.shown.replace(Some(Arc::clone(&snapshot)));
        let known = before.as_deref();
        let moved_to = known
            .and_then(|known| known.generation())
            .zip(snapshot.generation())
            .filter(|(old, new)| new > old)
            .map(|(_, new)| new);
        let ended = snapshot
            .ended()
            .filter(|reason| known.and_then(|known| known.ended()) != Some(*reason));
        Show::Shown(NowShown {
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

    fn lock(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
