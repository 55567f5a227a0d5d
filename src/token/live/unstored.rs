//! Tokens that the server gave and the store did not take yet.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::token::store::{Damage, Lease};
use crate::token::{Error, StoreError, TokenSet};

/// Tokens that the server gave and the store did not take yet.
#[derive(Clone)]
pub(crate) struct UnstoredTokens {
    pub tokens: TokenSet,
    /// The tokens from which they were made; none: a login.
    pub parent: Option<TokenSet>,
    /// The revision that stood in the store before they came; none: the store did not say.
    pub known_until: Option<u64>,
}

impl UnstoredTokens {
    /// Whether somebody may have written after they came what is damaged now: something newer, or an end.
    pub fn may_be_older_than(&self, damage: &Damage) -> bool {
        let known = [Some(&self.tokens), self.parent.as_ref()].into_iter().flatten();
        let mut known = known.filter_map(|tokens| tokens.refresh_token.as_ref());
        let is_known = known.any(|token| damage.holds(token));
        self.known_until.is_some_and(|known| damage.is_later_than(known)) && !is_known
    }
}

/// The set that waits to be stored, if one does.
#[derive(Default)]
pub(crate) struct Unstored {
    waiting: Mutex<Option<Box<Waiting>>>,
    /// The lease under which the set before it was to be stored. While it is held, no other process sends the refresh
    /// token that this process knows to be spent.
    lease: Mutex<Option<Lease>>,
    /// How many changes of the grant are about to drop what waits.
    drops: AtomicU32,
}

/// What waits is not stored, and its lease is for whoever has this.
pub(crate) struct HeldBack<'a>(&'a Unstored);

impl Drop for HeldBack<'_> {
    fn drop(&mut self) {
        self.0.drops.fetch_sub(1, Ordering::AcqRel);
    }
}

struct Waiting {
    set: UnstoredTokens,
    /// Why the store did not take it.
    error: StoreError,
}

impl Unstored {
    /// Keeps a set that the store did not take. False: a login waits to be stored, and this set is of the grant that
    /// it replaced.
    pub fn keep(&self, set: UnstoredTokens, error: StoreError) -> bool {
        let mut waiting = self.lock();
        let login_waits = waiting.as_ref().is_some_and(|waiting| waiting.set.parent.is_none());
        if login_waits && set.parent.is_some() {
            return false;
        }
        *waiting = Some(Box::new(Waiting { set, error }));
        true
    }

    /// Nothing waits to be stored any more.
    pub fn clear(&self) {
        *self.lock() = None;
    }

    /// This set waits no more; another one may.
    pub fn remove(&self, tokens: &TokenSet) {
        let mut waiting = self.lock();
        *waiting = waiting.take().filter(|waiting| waiting.set.tokens != *tokens);
    }

    pub fn is_empty(&self) -> bool {
        self.lock().is_none()
    }

    /// Whether this set still waits.
    pub fn holds(&self, tokens: &TokenSet) -> bool {
        self.lock()
            .as_ref()
            .is_some_and(|waiting| waiting.set.tokens == *tokens)
    }

    /// The tokens that wait.
    pub fn tokens(&self) -> Option<TokenSet> {
        self.lock().as_ref().map(|waiting| waiting.set.tokens.clone())
    }

    /// Without the last set in the store, the next refresh is not safe.
    pub fn error(&self) -> Option<Error> {
        let source = self.lock().as_ref()?.error.clone();
        Some(Error::Store { source })
    }

    /// Nothing that waits is to be stored for now, because it is about to be dropped.
    pub fn hold_back(&self) -> HeldBack<'_> {
        self.drops.fetch_add(1, Ordering::AcqRel);
        HeldBack(self)
    }

    pub fn is_held_back(&self) -> bool {
        self.drops.load(Ordering::Acquire) > 0
    }

    /// Leaves a lease for whoever stores the set that waits now, or drops it.
    pub fn leave(&self, lease: Lease) {
        *self.left() = Some(lease);
    }

    /// The lease that was left.
    pub fn take_left(&self) -> Option<Lease> {
        self.left().take()
    }

    fn left(&self) -> MutexGuard<'_, Option<Lease>> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Box<Waiting>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::token::clock::Now;
    use crate::token::{ManualClock, Rotation, TokenReply};
    use crate::value::ScopeSet;

    /// A set that waits; `parent`: what its refresh was made from.
    fn set(access_token: &str, parent: Option<&str>) -> UnstoredTokens {
        let now = Now::read(&ManualClock::new());
        let tokens = |access_token: &str| {
            let reply = TokenReply::new(access_token.to_owned());
            TokenSet::first(reply, &ScopeSet::new(), now.wall, &Rotation::UNKNOWN)
        };
        UnstoredTokens {
            known_until: None,
            tokens: tokens(access_token),
            parent: parent.map(tokens),
        }
    }

    fn out() -> StoreError {
        StoreError::unavailable("take the write", "it is out")
    }

    #[test]
    fn a_login_that_waits_gives_way_to_another_login_only() {
        let (login, again) = (set("login-1", None), set("login-2", None));
        let (refreshed, newer) = (set("access-2", Some("access-1")), set("access-3", Some("access-2")));
        for (first, second, taken) in [
            (&refreshed, &newer, true),
            (&refreshed, &login, true),
            (&login, &again, true),
            (&login, &refreshed, false),
        ] {
            let unstored = Unstored::default();
            assert!(unstored.keep(first.clone(), out()));
            assert_eq!(unstored.keep(second.clone(), out()), taken);
            let waits = if taken { second } else { first };
            assert_eq!(unstored.tokens().unwrap(), waits.tokens);
            assert!(unstored.holds(&waits.tokens));
            assert!(!unstored.holds(&if taken { first } else { second }.tokens));
        }
    }

    #[test]
    fn what_waits_is_held_back_until_the_last_who_would_drop_it_is_done() {
        let unstored = Unstored::default();
        let (one, two) = (unstored.hold_back(), unstored.hold_back());
        drop(one);
        assert!(unstored.is_held_back());
        drop(two);
        assert!(!unstored.is_held_back());
    }

    #[test]
    fn a_lease_is_left_for_one() {
        let unstored = Unstored::default();
        assert!(unstored.take_left().is_none());
        unstored.leave(Lease::new(3));
        assert_eq!(unstored.take_left().unwrap().fence, 3);
        assert!(unstored.take_left().is_none());
    }

    #[test]
    fn what_is_stored_waits_no_more_and_another_set_goes_on_waiting() {
        let (one, two) = (set("access-1", None), set("access-2", None));
        let unstored = Unstored::default();
        assert!(unstored.is_empty() && unstored.tokens().is_none() && unstored.error().is_none());
        unstored.keep(one.clone(), out());
        assert!(!unstored.is_empty());
        assert!(matches!(unstored.error(), Some(Error::Store { source }) if source.to_string() == out().to_string()));
        unstored.remove(&two.tokens);
        assert!(unstored.holds(&one.tokens));
        unstored.remove(&one.tokens);
        assert!(unstored.is_empty());
        unstored.keep(two, out());
        unstored.clear();
        assert!(unstored.is_empty());
    }

    #[test]
    fn a_damaged_record_that_somebody_wrote_later_may_be_newer() {
        let damage = |revision: u64| {
            let error = StoreError::damaged("cut").with_what_is_left(Some(revision), b"cut".to_vec());
            error.damage().unwrap().clone()
        };
        let mut waiting = set("access-1", None);
        assert!(!waiting.may_be_older_than(&damage(9)), "nothing is known of the store");
        waiting.known_until = Some(41_000);
        assert!(!waiting.may_be_older_than(&damage(41_000)));
        assert!(waiting.may_be_older_than(&damage(52_233)));
    }
}
