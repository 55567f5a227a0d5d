//! One use of an authorization: where it is kept until its callback comes, and the mark that its use leaves.
//!
//! A browser repeats a callback at a touch of its reload button, and two processes may get it at once. A server that sees
//! a code twice may end the grant of the first time (RFC 6749 section 4.1.2), so the second one has to be stopped here.
//! Both the authorization under way and the mark are one record of the token store, under a key made of a hash of
//! `state`; it is changed by swaps, of which one wins.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::error::Error;
use super::pending::Pending;
use crate::token::store::{ListedRecord, StoredRecord, Swap, Swapped, in_time, swap_alone};
use crate::token::{self, Clock, GrantKind, StoreError, TokenKey, TokenStore, Walk};
use crate::value::{Secret, with_causes};

/// Stands for the provider in the keys of these records.
const KEPT_AS: &str = "authorization";
/// The version of the record that this code writes.
const VERSION: u32 = 1;
/// How long a mark outlives the end of its authorization. Nothing is at risk without it, because what has ended is not
/// used either; it only lets a late reload be told what it is.
const REMEMBERED: Duration = Duration::from_secs(3600);
/// How long a use is remembered of an authorization that does not say when it ends, as those of earlier versions.
const REMEMBERED_WITHOUT_END: Duration = Duration::from_secs(86_400);
/// How many records that are over are removed beside each one that is written.
const REMOVED_AT_ONCE: usize = 2;

/// The authorizations of an application that are under way, and the marks of those that were used.
pub(crate) struct Authorizations {
    store: Arc<dyn TokenStore>,
    clock: Arc<dyn Clock>,
    /// What this process has written, to be removed when it is over: a store does not end records by itself.
    written: Mutex<VecDeque<Written>>,
    /// The tries of this process of which nobody heard whether the store has their mark.
    unheard: Mutex<HashMap<TokenKey, Unheard>>,
}

/// Tries to take one authorization that ended without an answer of the store, and so without sending the code. The store
/// may have a mark of one of them, and then another try of this process may go on from there: if it is still that mark
/// when the next one is written over it, nobody else has sent the code.
struct Unheard {
    /// Whose marks they are.
    tries: Vec<String>,
    /// What was there before them.
    before: Option<Kept>,
    /// Until when it means anything.
    until: DateTime<Utc>,
}

struct Written {
    key: TokenKey,
    over: DateTime<Utc>,
}

/// What the store has of one authorization.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    version: u32,
    /// Until when it means anything.
    until: DateTime<Utc>,
    /// The session that began it, as a hash.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    session: String,
    /// The try that left this mark. Without it two tries would write the same mark, and a store that answers a write that
    /// is asked for again with "done" would let both send the code. Empty in marks of earlier versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    by: String,
    /// The authorization under way; none: it was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending: Option<Pending>,
}

/// What was read of one authorization, and when.
pub(crate) struct Seen {
    revision: u64,
    kept: Kept,
}

/// The right to send the code of one authorization, which nobody else has.
pub(crate) struct Claim {
    key: TokenKey,
    revision: u64,
    before: Option<Kept>,
}

impl Authorizations {
    pub(crate) fn new(store: Arc<dyn TokenStore>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            written: Mutex::default(),
            unheard: Mutex::default(),
        }
    }

    /// Keeps an authorization for the callback that comes in this session.
    pub(crate) async fn keep(&self, session: &str, pending: Pending) -> Result<(), Error> {
        if session.is_empty() {
            return Err(Error::NoSession);
        }
        let key = key_of(&pending.state);
        let kept = Kept {
            version: VERSION,
            until: pending
                .until
                .unwrap_or_else(|| token::after(self.now(), REMEMBERED_WITHOUT_END)),
            session: digest("finrail session 1", session),
            by: String::new(),
            pending: Some(pending),
        };
        // Nobody draws the same state twice: what is there already is the same authorization, begun a second time.
        match self.replace(&key, None, Some(&kept)).await? {
            Some(_) => Ok(()),
            None => Err(Error::AuthorizationUsed),
        }
    }

    /// The authorization that was kept for this `state`, which came in this session.
    pub(crate) async fn find(&self, session: &str, state: &Secret) -> Result<(Pending, Seen), Error> {
        let seen = self.look(state).await?.ok_or(Error::UnknownAuthorization)?;
        // The mark tells nothing to another session either.
        let came_in = digest("finrail session 1", session);
        if session.is_empty() || !bool::from(came_in.as_bytes().ct_eq(seen.kept.session.as_bytes())) {
            return Err(Error::ForeignSession);
        }
        let pending = match &seen.kept.pending {
            Some(pending) => Some(pending.clone()),
            None => {
                let before = self.before_own_try(&key_of(state), &seen.kept).flatten();
                before.and_then(|kept| kept.pending)
            }
        };
        match pending {
            None => Err(Error::AuthorizationUsed),
            Some(pending) => Ok((pending, seen)),
        }
    }

    /// What the store has of an authorization that the application keeps itself: its mark, or nothing.
    pub(crate) async fn look(&self, state: &Secret) -> Result<Option<Seen>, Error> {
        let key = key_of(state);
        let stored = in_time(&*self.store, "read the authorization", self.store.load(&key)).await?;
        let Some(stored) = stored else { return Ok(None) };
        Ok(Some(Seen {
            revision: stored.revision,
            kept: Kept::decode(&stored.bytes).map_err(|error| error.of(&*self.store))?,
        }))
    }

    /// Takes an authorization for its one use. Of all who try, in whatever process, one succeeds.
    pub(crate) async fn claim(&self, pending: &Pending, seen: Option<Seen>) -> Result<Claim, Error> {
        let now = self.now();
        let key = key_of(&pending.state);
        let kept = seen.as_ref().map(|seen| &seen.kept);
        let before = match kept {
            Some(mark) if mark.pending.is_none() && mark.until > now => {
                let before = self.before_own_try(&key, mark);
                before.ok_or(Error::AuthorizationUsed)?
            }
            kept => kept.filter(|kept| kept.pending.is_some()).cloned(),
        };
        if pending.until.is_some_and(|until| until <= now) {
            return Err(Error::AuthorizationEnded);
        }
        let mark = Kept {
            version: VERSION,
            until: match pending.until {
                Some(until) => token::after(until, REMEMBERED),
                None => token::after(now, REMEMBERED_WITHOUT_END),
            },
            session: kept.map(|kept| kept.session.clone()).unwrap_or_default(),
            by: uuid::Uuid::new_v4().simple().to_string(),
            pending: None,
        };
        let mut own = OwnTry {
            authorizations: self,
            key: &key,
            mark: &mark,
            before: before.as_ref(),
            is_answered: false,
        };
        let read = seen.as_ref().map(|seen| seen.revision);
        let replaced = self.replace(&key, read, Some(&mark)).await?;
        own.is_answered = true;
        drop(own);
        let Some(revision) = replaced else {
            return Err(Error::AuthorizationUsed);
        };
        self.unheard().remove(&key);
        Ok(Claim { key, revision, before })
    }

    /// What was there before this mark, if a try of this process left it that ended without an answer; otherwise its code
    /// may be sent.
    fn before_own_try(&self, key: &TokenKey, mark: &Kept) -> Option<Option<Kept>> {
        let unheard = self.unheard();
        let unheard = unheard.get(key)?;
        unheard.tries.contains(&mark.by).then(|| unheard.before.clone())
    }

    /// Undoes a use whose code was not spent, so that the same callback may be tried again.
    pub(crate) async fn give_back(&self, claim: Claim) {
        let Claim { key, revision, before } = claim;
        if let Err(error) = self.replace(&key, Some(revision), before.as_ref()).await {
            tracing::warn!(error = %with_causes(&error), "an authorization that was not used counts as used, because the store did not take it back");
        }
    }

    /// Replaces a record by another or by nothing, and gives the revision of the new one. `None`: somebody else was
    /// first.
    async fn replace(&self, key: &TokenKey, read: Option<u64>, next: Option<&Kept>) -> Result<Option<u64>, Error> {
        self.remove_what_is_over().await;
        // The first one is the time of day, so that a record that was removed and made again has another.
        let revision = match read {
            Some(read) => read.saturating_add(1),
            None => u64::try_from(self.now().timestamp_micros()).unwrap_or(1).max(1),
        };
        let record = next.map(|kept| StoredRecord::new(revision, kept.encode()));
        let swapped = self.swap(key, Swap::new(read, 0, record)).await?;
        if !matches!(swapped, Swapped::Done) {
            return Ok(None);
        }
        if let Some(kept) = next {
            self.written().push_back(Written {
                key: key.clone(),
                over: token::after(kept.until.max(self.now()), REMEMBERED),
            });
        }
        Ok(Some(revision))
    }

    /// A swap needs no lease here: one of two wins, and nothing is sent between reading and writing. A store that changes
    /// nothing without a lease is asked for one.
    async fn swap(&self, key: &TokenKey, swap: Swap) -> Result<Swapped, StoreError> {
        swap_alone(&*self.store, key, swap, "authorization", "take the authorization").await
    }

    /// Removes a few of the records that this process wrote and that are over. What a process leaves behind that ends is
    /// [removed](Self::remove_all_over) by whoever keeps grants alive.
    async fn remove_what_is_over(&self) {
        let now = self.now();
        for _ in 0..REMOVED_AT_ONCE {
            let over = {
                let mut written = self.written();
                let is_over = written.front().is_some_and(|written| written.over <= now);
                if is_over { written.pop_front() } else { None }
            };
            let Some(Written { key, .. }) = over else { return };
            let stored = in_time(&*self.store, "read the authorization", self.store.load(&key)).await;
            // Another process may have renewed it, and what cannot be read is nobody's to remove.
            if let Ok(Some(stored)) = stored
                && Kept::decode(&stored.bytes).is_ok_and(|kept| kept.until <= now)
            {
                // A failure is in the log, as one of the look is, and whoever keeps grants alive comes by later.
                let _ = self.swap(&key, Swap::new(Some(stored.revision), 0, None)).await;
            }
        }
    }

    /// Removes the authorizations under way of which this holds, in whatever process they were begun.
    pub(crate) async fn erase(
        &self,
        which: impl Fn(&Pending) -> bool,
        unread: &mut Vec<StoreError>,
        not_removed: &mut Vec<StoreError>,
    ) -> Result<usize, Error> {
        let which = |kept: &Kept| kept.pending.as_ref().is_some_and(&which);
        self.unheard()
            .retain(|_, unheard| !unheard.before.as_ref().is_some_and(&which));
        self.remove_all(which, unread, not_removed).await
    }

    /// Removes the authorizations that are over, with their marks, those of processes that have ended too. A store that
    /// does not remove keeps them.
    pub(crate) async fn remove_all_over(
        &self,
        unread: &mut Vec<StoreError>,
        not_removed: &mut Vec<StoreError>,
    ) -> Result<usize, Error> {
        let now = self.now();
        let mut failed = Vec::new();
        let which = |kept: &Kept| token::after(kept.until, REMEMBERED) <= now;
        let removed = self.remove_all(which, unread, &mut failed).await;
        failed.retain(|error| !matches!(error, StoreError::Unsupported { .. }));
        not_removed.append(&mut failed);
        removed
    }

    /// One record that cannot be read or removed costs the others nothing.
    async fn remove_all(
        &self,
        which: impl Fn(&Kept) -> bool,
        unread: &mut Vec<StoreError>,
        not_removed: &mut Vec<StoreError>,
    ) -> Result<usize, Error> {
        let mut removed = 0;
        let mut walk = Walk::new(Arc::clone(&self.store), TokenKey::storage_ids(KEPT_AS, None));
        while let Some(listed) = walk.next().await {
            // Not an error of one authorization: no code waits for this.
            let ListedRecord { id, record, .. } = listed.map_err(token::Error::from)?;
            let kept = record.and_then(|stored| Ok((stored.revision, Kept::decode(&stored.bytes)?)));
            match kept {
                Ok((revision, kept)) if which(&kept) => match walk.remove(&id, revision).await {
                    Ok(is_removed) => removed += usize::from(is_removed),
                    Err(error) => not_removed.push(error),
                },
                Ok(_) => {}
                Err(error) => unread.push(error.of(&*self.store)),
            }
        }
        Ok(removed)
    }

    fn unheard(&self) -> std::sync::MutexGuard<'_, HashMap<TokenKey, Unheard>> {
        self.unheard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn written(&self) -> std::sync::MutexGuard<'_, VecDeque<Written>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.wall().into()
    }
}

/// A try that is under way. One that ends without an answer, or that nobody waits for any more, is remembered.
struct OwnTry<'a> {
    authorizations: &'a Authorizations,
    key: &'a TokenKey,
    mark: &'a Kept,
    before: Option<&'a Kept>,
    is_answered: bool,
}

impl Drop for OwnTry<'_> {
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        let now = self.authorizations.now();
        let mut unheard = self.authorizations.unheard();
        unheard.retain(|_, unheard| unheard.until > now);
        let of_this = unheard.entry(self.key.clone()).or_insert_with(|| Unheard {
            tries: Vec::new(),
            before: self.before.cloned(),
            until: self.mark.until,
        });
        of_this.until = of_this.until.max(self.mark.until);
        of_this.tries.push(self.mark.by.clone());
    }
}

impl Kept {
    fn encode(&self) -> Vec<u8> {
        // More than an authorization takes: a buffer that grows leaves copies of the verifier behind.
        let mut bytes = Vec::with_capacity(8 * 1024);
        // A struct of strings, numbers and times: nothing in it can fail to become JSON.
        let _ = serde_json::to_writer(&mut bytes, self);
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        // serde's own message may quote a value, and a value may be the verifier.
        let kept: Self = serde_json::from_slice(bytes)
            .map_err(|_| StoreError::corrupt("the record of an authorization is damaged"))?;
        if kept.version > VERSION {
            return Err(StoreError::corrupt(
                "the record of an authorization was written by a newer finrail: upgrade this process",
            ));
        }
        Ok(kept)
    }
}

/// The key of an authorization's record. It tells nothing of `state`, and is no grant's: a grant's client has an id.
fn key_of(state: &Secret) -> TokenKey {
    let subject = digest("finrail authorization 1", state.expose_secret());
    TokenKey::new(KEPT_AS, "", GrantKind::AuthorizationCode).subject(subject)
}

fn digest(purpose: &str, text: &str) -> String {
    let hash = Sha256::new().chain_update(purpose).chain_update([0]).chain_update(text);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use futures_util::future::BoxFuture;

    use super::*;
    use crate::token::store::{Lease, Leased, Listed};
    use crate::token::{ManualClock, MemoryStore};
    use crate::value::ScopeSet;

    const SESSION: &str = "session-1";
    const HOUR: u64 = 3600;
    const DAY: u64 = 24 * HOUR;

    /// The authorizations of processes that share a store and a clock.
    struct Shared {
        store: Arc<dyn TokenStore>,
        clock: Arc<ManualClock>,
        began: DateTime<Utc>,
    }

    impl Shared {
        fn new() -> Self {
            let clock = Arc::new(ManualClock::new());
            Self {
                store: Arc::new(MemoryStore::new()),
                began: clock.wall().into(),
                clock,
            }
        }

        fn process(&self) -> Authorizations {
            Authorizations::new(Arc::clone(&self.store), Arc::clone(&self.clock) as Arc<dyn Clock>)
        }

        /// So many seconds after the beginning.
        fn at(&self, seconds: u64) -> DateTime<Utc> {
            self.began + Duration::from_secs(seconds)
        }

        fn advance_to(&self, seconds: u64) {
            let now: DateTime<Utc> = self.clock.wall().into();
            self.clock.advance((self.at(seconds) - now).to_std().unwrap());
        }

        /// One that ends so many seconds after the beginning, or does not say when.
        fn pending(&self, state: &str, until: Option<u64>) -> Pending {
            Pending {
                provider: "mx".to_owned(),
                client_id: "client".to_owned(),
                state: Secret::from(state),
                verifier: Some(Secret::from("verifier")),
                redirect_uri: None,
                scopes: ScopeSet::default(),
                token_endpoint: String::new(),
                bound: Vec::new(),
                tenant: String::new(),
                subject: None,
                until: until.map(|until| self.at(until)),
            }
        }
    }

    async fn is_there(process: &Authorizations, state: &str) -> bool {
        process.look(&Secret::from(state)).await.unwrap().is_some()
    }

    #[tokio::test]
    async fn what_is_kept_is_found_by_its_state_in_its_session_only() {
        let shared = Shared::new();
        let process = shared.process();
        let pending = shared.pending("s", Some(600));
        assert!(matches!(process.keep("", pending.clone()).await, Err(Error::NoSession)));
        process.keep(SESSION, pending.clone()).await.unwrap();
        let again = process.keep(SESSION, pending).await;
        assert!(matches!(again, Err(Error::AuthorizationUsed)), "{again:?}");
        let (found, seen) = shared.process().find(SESSION, &Secret::from("s")).await.unwrap();
        assert_eq!((found.provider.as_str(), found.until), ("mx", Some(shared.at(600))));
        assert_eq!(seen.kept.until, shared.at(600));
        let unknown = process.find(SESSION, &Secret::from("other")).await.err();
        assert!(matches!(unknown, Some(Error::UnknownAuthorization)), "{unknown:?}");
        for session in ["session-2", ""] {
            let foreign = process.find(session, &Secret::from("s")).await.err();
            assert!(matches!(foreign, Some(Error::ForeignSession)), "{session}: {foreign:?}");
        }
        // One without an end is kept for a day.
        process.keep(SESSION, shared.pending("endless", None)).await.unwrap();
        let (_, seen) = process.find(SESSION, &Secret::from("endless")).await.unwrap();
        assert_eq!(seen.kept.until, shared.at(DAY));
    }

    #[tokio::test]
    async fn of_all_who_take_an_authorization_one_gets_it() {
        let shared = Shared::new();
        let (one, other) = (shared.process(), shared.process());
        let state = Secret::from("s");
        one.keep(SESSION, shared.pending("s", Some(600))).await.unwrap();
        let (pending, seen_by_one) = one.find(SESSION, &state).await.unwrap();
        let (_, seen_by_other) = other.find(SESSION, &state).await.unwrap();
        let revision = seen_by_one.revision;
        let claim = one.claim(&pending, Some(seen_by_one)).await.unwrap();
        assert_eq!(claim.revision, revision + 1);
        let late = other.claim(&pending, Some(seen_by_other)).await.err();
        assert!(matches!(late, Some(Error::AuthorizationUsed)), "{late:?}");
        // A reload of the page, in the session and in another one.
        let reload = other.find(SESSION, &state).await.err();
        assert!(matches!(reload, Some(Error::AuthorizationUsed)), "{reload:?}");
        let foreign = other.find("session-2", &state).await.err();
        assert!(matches!(foreign, Some(Error::ForeignSession)), "{foreign:?}");
        let mark = other.look(&state).await.unwrap();
        let again = other.claim(&pending, mark).await.err();
        assert!(matches!(again, Some(Error::AuthorizationUsed)), "{again:?}");
        // One that the application keeps itself: nothing is there until it is taken.
        let own = shared.pending("own", Some(600));
        let claim = one.claim(&own, None).await.unwrap();
        assert_eq!(claim.revision, u64::try_from(shared.began.timestamp_micros()).unwrap());
        let late = other.claim(&own, None).await.err();
        assert!(matches!(late, Some(Error::AuthorizationUsed)), "{late:?}");
    }

    /// A store whose answers are lost on demand, and which answers a write that is asked for again as the first time.
    #[derive(Default)]
    struct Remote {
        inner: MemoryStore,
        /// How many writes arrive without an answer.
        loses: AtomicU32,
        /// Writes do not end.
        hangs: AtomicBool,
        /// What it answers when it is asked to remove a record; none: it removes it.
        refuses: std::sync::Mutex<Option<StoreError>>,
    }

    impl TokenStore for Remote {
        fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
            self.inner.load(key)
        }
        fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
            Box::pin(async move {
                let stored = self.inner.load(key).await?;
                let swapped = match swap.next.is_some() && stored == swap.next {
                    true => Swapped::Done,
                    false => self.inner.swap(key, swap).await?,
                };
                if self.hangs.load(Ordering::SeqCst) {
                    std::future::pending::<()>().await;
                }
                let lost = |left: u32| left.checked_sub(1);
                match self.loses.fetch_update(Ordering::SeqCst, Ordering::SeqCst, lost) {
                    Ok(_) => Err(StoreError::unavailable("answer", "it is out")),
                    Err(_) => Ok(swapped),
                }
            })
        }
        fn lease<'a>(
            &'a self,
            key: &'a TokenKey,
            holder: &'a str,
            ttl: Duration,
        ) -> BoxFuture<'a, Result<Leased, StoreError>> {
            self.inner.lease(key, holder, ttl)
        }
        fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
            self.inner.release(key, lease)
        }
        fn list<'a>(&'a self, ids: &'a str, after: Option<&'a str>) -> BoxFuture<'a, Result<Listed, StoreError>> {
            self.inner.list(ids, after)
        }
        fn remove<'a>(&'a self, id: &'a str, revision: u64) -> BoxFuture<'a, Result<bool, StoreError>> {
            match self.refuses.lock().unwrap().clone() {
                Some(error) => Box::pin(std::future::ready(Err(error))),
                None => self.inner.remove(id, revision),
            }
        }
    }

    impl Shared {
        fn over(store: Arc<Remote>) -> Self {
            Self { store, ..Self::new() }
        }
    }

    #[tokio::test]
    async fn two_marks_are_never_the_same_write() {
        let shared = Shared::over(Arc::default());
        let (one, other) = (shared.process(), shared.process());
        let state = Secret::from("s");
        one.keep(SESSION, shared.pending("s", Some(600))).await.unwrap();
        let (pending, seen_by_one) = one.find(SESSION, &state).await.unwrap();
        let (_, seen_by_other) = other.find(SESSION, &state).await.unwrap();
        one.claim(&pending, Some(seen_by_one)).await.unwrap();
        let late = other.claim(&pending, Some(seen_by_other)).await.err();
        assert!(matches!(late, Some(Error::AuthorizationUsed)), "{late:?}");
    }

    #[tokio::test]
    async fn a_process_goes_on_from_its_own_mark_whose_answer_was_lost_and_no_other_does() {
        for (begun, cancelled) in [(true, false), (false, false), (true, true), (false, true)] {
            let case = format!("begun {begun}, cancelled {cancelled}");
            let store = Arc::new(Remote::default());
            let shared = Shared::over(Arc::clone(&store));
            let (process, other) = (shared.process(), shared.process());
            let pending = shared.pending("s", Some(600));
            let look = async |process: &Authorizations| match begun {
                true => process.find(SESSION, &pending.state).await.map(|(_, seen)| Some(seen)),
                false => process.look(&pending.state).await,
            };
            let claim = async |process: &Authorizations| {
                let seen = look(process).await?;
                process.claim(&pending, seen).await
            };
            if begun {
                process.keep(SESSION, pending.clone()).await.unwrap();
            }
            // Twice: of the second try only the mark over the first one is there.
            for _ in 0..2 {
                if cancelled {
                    store.hangs.store(true, Ordering::SeqCst);
                    let waited = tokio::time::timeout(Duration::from_millis(20), claim(&process)).await;
                    assert!(waited.is_err(), "{case}");
                    store.hangs.store(false, Ordering::SeqCst);
                } else {
                    store.loses.store(1, Ordering::SeqCst);
                    let lost = claim(&process).await.err();
                    assert!(
                        matches!(lost, Some(Error::AuthorizationStore { .. })),
                        "{case}: {lost:?}"
                    );
                }
                let elsewhere = claim(&other).await.err();
                assert!(
                    matches!(elsewhere, Some(Error::AuthorizationUsed)),
                    "{case}: {elsewhere:?}"
                );
            }
            if begun {
                let foreign = process.find("session-2", &pending.state).await.err();
                assert!(matches!(foreign, Some(Error::ForeignSession)), "{case}: {foreign:?}");
            }
            // Of two tries that see the mark one goes on, and what was not spent is given back as it was.
            let (one, two) = (look(&process).await.unwrap(), look(&process).await.unwrap());
            let claimed = process.claim(&pending, one).await.unwrap();
            let late = process.claim(&pending, two).await.err();
            assert!(matches!(late, Some(Error::AuthorizationUsed)), "{case}: {late:?}");
            let again = claim(&process).await.err();
            assert!(matches!(again, Some(Error::AuthorizationUsed)), "{case}: {again:?}");
            assert!(process.unheard().is_empty(), "{case}");
            process.give_back(claimed).await;
            let claimed = claim(&other).await.unwrap();
            assert_eq!(claimed.before.is_some(), begun, "{case}");
            let used = claim(&process).await.err();
            assert!(matches!(used, Some(Error::AuthorizationUsed)), "{case}: {used:?}");
        }
    }

    #[tokio::test]
    async fn a_try_without_an_answer_is_remembered_for_as_long_as_its_mark_says_something() {
        let store = Arc::new(Remote::default());
        let shared = Shared::over(Arc::clone(&store));
        let process = shared.process();
        for (state, second) in [("a", 0), ("b", 300), ("c", 600 + HOUR)] {
            shared.advance_to(second);
            store.loses.store(1, Ordering::SeqCst);
            let pending = shared.pending(state, Some(second + 600));
            assert!(process.claim(&pending, None).await.is_err());
        }
        assert_eq!(process.unheard().len(), 2, "that of the first is over");
    }

    #[tokio::test]
    async fn an_authorization_is_taken_before_its_end_and_its_use_is_remembered_beyond_that() {
        let shared = Shared::new();
        let process = shared.process();
        let (used, unused) = (shared.pending("used", Some(600)), shared.pending("unused", Some(600)));
        shared.advance_to(599);
        process.claim(&used, None).await.unwrap();
        shared.advance_to(600);
        let ended = process.claim(&unused, None).await.err();
        assert!(matches!(ended, Some(Error::AuthorizationEnded)), "{ended:?}");
        for (second, is_remembered) in [(600 + HOUR - 1, true), (600 + HOUR, false)] {
            shared.advance_to(second);
            let mark = process.look(&used.state).await.unwrap();
            let error = process.claim(&used, mark).await.err();
            let expected = match error {
                Some(Error::AuthorizationUsed) => is_remembered,
                Some(Error::AuthorizationEnded) => !is_remembered,
                _ => false,
            };
            assert!(expected, "{second}: {error:?}");
        }
        // One without an end is remembered for a day.
        let shared = Shared::new();
        let process = shared.process();
        let endless = shared.pending("endless", None);
        process.claim(&endless, None).await.unwrap();
        for (second, is_used) in [(DAY - 1, true), (DAY, false)] {
            shared.advance_to(second);
            let mark = process.look(&endless.state).await.unwrap();
            assert_eq!(process.claim(&endless, mark).await.is_err(), is_used, "{second}");
        }
    }

    #[tokio::test]
    async fn a_use_that_spent_no_code_is_undone() {
        let shared = Shared::new();
        let process = shared.process();
        let state = Secret::from("s");
        process.keep(SESSION, shared.pending("s", Some(600))).await.unwrap();
        for _ in 0..2 {
            let (pending, seen) = process.find(SESSION, &state).await.unwrap();
            let claim = process.claim(&pending, Some(seen)).await.unwrap();
            process.give_back(claim).await;
        }
        assert!(process.find(SESSION, &state).await.is_ok());
        // Of one that the application keeps itself nothing is left.
        let own = shared.pending("own", Some(600));
        let claim = process.claim(&own, None).await.unwrap();
        assert!(is_there(&process, "own").await);
        process.give_back(claim).await;
        assert!(!is_there(&process, "own").await);
        // Nor of one whose mark was over when it was taken.
        let endless = shared.pending("endless", None);
        process.claim(&endless, None).await.unwrap();
        shared.advance_to(DAY);
        let mark = process.look(&endless.state).await.unwrap();
        let claim = process.claim(&endless, mark).await.unwrap();
        process.give_back(claim).await;
        assert!(!is_there(&process, "endless").await);
    }

    #[tokio::test]
    async fn what_a_process_wrote_is_removed_an_hour_after_it_is_over_two_with_each_write() {
        let shared = Shared::new();
        let process = shared.process();
        for state in ["a", "b", "c"] {
            process.keep(SESSION, shared.pending(state, Some(600))).await.unwrap();
        }
        let mut writes = 0;
        for (second, left) in [
            (600 + HOUR - 1, [true, true, true]),
            (600 + HOUR, [false, false, true]),
            (600 + HOUR, [false, false, false]),
        ] {
            shared.advance_to(second);
            writes += 1;
            let later = shared.pending(&format!("later-{writes}"), Some(DAY));
            process.keep(SESSION, later).await.unwrap();
            let mut found = [false; 3];
            for (found, state) in found.iter_mut().zip(["a", "b", "c"]) {
                *found = is_there(&process, state).await;
            }
            assert_eq!(found, left, "{second}");
        }
        assert!(is_there(&process, "later-1").await);
    }

    #[tokio::test]
    async fn what_another_process_renewed_is_not_removed() {
        let shared = Shared::new();
        let (one, other) = (shared.process(), shared.process());
        one.keep(SESSION, shared.pending("s", None)).await.unwrap();
        shared.advance_to(DAY - HOUR);
        let (pending, seen) = other.find(SESSION, &Secret::from("s")).await.unwrap();
        other.claim(&pending, Some(seen)).await.unwrap();
        // For the first process it is over, and the mark of the other one is not.
        shared.advance_to(DAY + 2 * HOUR);
        one.keep(SESSION, shared.pending("later", None)).await.unwrap();
        assert!(is_there(&one, "s").await);
        let mark = one.look(&Secret::from("s")).await.unwrap();
        assert_eq!(mark.map(|mark| mark.kept.until), Some(shared.at(2 * DAY - HOUR)));
    }

    #[test]
    fn a_record_is_read_back_and_one_of_a_newer_version_is_not() {
        let shared = Shared::new();
        let mut kept = Kept {
            version: VERSION,
            until: shared.at(600),
            session: digest("finrail session 1", SESSION),
            by: String::new(),
            pending: Some(shared.pending("s", Some(600))),
        };
        let bytes = kept.encode();
        assert_eq!(bytes.capacity(), 8 * 1024, "it was written without growing");
        let read = Kept::decode(&bytes).unwrap();
        assert_eq!((read.until, read.session.as_str()), (kept.until, kept.session.as_str()));
        assert_eq!(read.pending.map(|pending| pending.state), Some(Secret::from("s")));
        kept.version = VERSION + 1;
        let newer = Kept::decode(&kept.encode())
            .err()
            .map(|error| with_causes(&error).to_string());
        assert!(newer.unwrap().contains("upgrade this process"));
        let damaged = Kept::decode(b"{").err().map(|error| with_causes(&error).to_string());
        assert!(damaged.unwrap().contains("is damaged"));
    }

    #[test]
    fn a_key_tells_nothing_of_its_state_and_is_no_grants() {
        let keys = ["s", "t"].map(|state| key_of(&Secret::from(state)).to_string());
        assert_ne!(keys[0], keys[1]);
        assert_eq!(key_of(&Secret::from("s")).client_id, "");
        // SHA-256 of the purpose, a zero byte and the text.
        assert_eq!(
            digest("finrail session 1", "session-1"),
            "8cf21985f4c38bd03acde8c727249a045dc7f85c8bdf8e4af857b1b1cae961d2"
        );
        assert_ne!(digest("a", "bc"), digest("ab", "c"));
    }

    #[tokio::test]
    async fn what_is_over_is_removed_and_what_is_erased_by_whoever_it_is_of() {
        let shared = Shared::new();
        let process = shared.process();
        let begin = async |state: &str, subject: &str, until: u64| {
            let mut pending = shared.pending(state, Some(until));
            pending.subject = Some(subject.to_owned());
            process.keep(SESSION, pending).await.unwrap();
        };
        begin("one", "a", 600).await;
        begin("two", "b", 600).await;
        begin("three", "a", DAY).await;
        // Another process walks: it has written none of them.
        let other = shared.process();
        let (mut unread, mut not_removed) = (Vec::new(), Vec::new());
        let of_a = |pending: &Pending| pending.subject.as_deref() == Some("a") && pending.until == Some(shared.at(600));
        assert_eq!(other.erase(of_a, &mut unread, &mut not_removed).await.unwrap(), 1);
        assert!(!is_there(&other, "one").await && is_there(&other, "two").await && is_there(&other, "three").await);
        shared.advance_to(600 + HOUR - 1);
        assert_eq!(other.remove_all_over(&mut unread, &mut not_removed).await.unwrap(), 0);
        shared.advance_to(600 + HOUR);
        assert_eq!(other.remove_all_over(&mut unread, &mut not_removed).await.unwrap(), 1);
        assert!(!is_there(&other, "two").await && is_there(&other, "three").await);
        assert!(unread.is_empty() && not_removed.is_empty());
    }

    #[tokio::test]
    async fn a_try_without_an_answer_is_erased_with_the_authorization_that_it_was_for_and_no_other_is() {
        let store = Arc::new(Remote::default());
        let shared = Shared::over(Arc::clone(&store));
        let process = shared.process();
        for (state, subject) in [("one", "a"), ("two", "b")] {
            let mut pending = shared.pending(state, Some(600));
            pending.subject = Some(subject.to_owned());
            process.keep(SESSION, pending).await.unwrap();
            let (pending, seen) = process.find(SESSION, &Secret::from(state)).await.unwrap();
            store.loses.store(1, Ordering::SeqCst);
            assert!(process.claim(&pending, Some(seen)).await.is_err());
        }
        let of_a = |pending: &Pending| pending.subject.as_deref() == Some("a");
        process.erase(of_a, &mut Vec::new(), &mut Vec::new()).await.unwrap();
        let remembered: Vec<_> = process.unheard().keys().cloned().collect();
        assert_eq!(remembered, [key_of(&Secret::from("two"))]);
    }

    #[tokio::test]
    async fn a_store_that_does_not_remove_keeps_what_is_over_and_one_that_fails_to_is_told() {
        let unsupported = StoreError::Unsupported { action: "remove" };
        let out = StoreError::unavailable("remove", "it is out");
        for (refusal, told) in [(Some(unsupported), 0), (Some(out), 1), (None, 0)] {
            let store = Arc::new(Remote::default());
            let shared = Shared::over(Arc::clone(&store));
            let process = shared.process();
            process.keep(SESSION, shared.pending("s", Some(600))).await.unwrap();
            shared.advance_to(600 + HOUR);
            store.refuses.lock().unwrap().clone_from(&refusal);
            let (mut unread, mut not_removed) = (Vec::new(), Vec::new());
            let removed = process.remove_all_over(&mut unread, &mut not_removed).await.unwrap();
            assert_eq!(removed, usize::from(refusal.is_none()), "{refusal:?}");
            assert_eq!((unread.len(), not_removed.len()), (0, told), "{refusal:?}");
            assert_eq!(is_there(&process, "s").await, refusal.is_some(), "{refusal:?}");
        }
    }
}
