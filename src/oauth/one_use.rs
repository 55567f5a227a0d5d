//! One use of an authorization: where it is kept until its callback comes, and the mark that its use leaves.
//!
//! A browser repeats a callback at a touch of its reload button, and two processes may get it at once. A server that sees
//! a code twice may end the grant of the first time (RFC 6749 section 4.1.2), so the second one has to be stopped here.
//! Both the authorization under way and the mark are one record of the token store, under a key made of a hash of
//! `state`; it is changed by swaps, of which one wins.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::error::Error;
use super::pending::Pending;
use crate::token::store::{ListedRecord, StoredRecord, Swap, Swapped, in_time, swap_alone};
use crate::token::{Clock, GrantKind, StoreError, TokenKey, TokenStore, Walk};
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
            until: pending.until.unwrap_or_else(|| self.now() + REMEMBERED_WITHOUT_END),
            session: digest("finrail session 1", session),
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
        match seen.kept.pending.clone() {
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
        if let Some(Kept {
            pending: None, until, ..
        }) = seen.as_ref().map(|seen| &seen.kept)
            && *until > now
        {
            return Err(Error::AuthorizationUsed);
        }
        if pending.until.is_some_and(|until| until <= now) {
            return Err(Error::AuthorizationEnded);
        }
        let mark = Kept {
            version: VERSION,
            until: match pending.until {
                Some(until) => until + REMEMBERED,
                None => now + REMEMBERED_WITHOUT_END,
            },
            session: seen.as_ref().map(|seen| seen.kept.session.clone()).unwrap_or_default(),
            pending: None,
        };
        let key = key_of(&pending.state);
        let read = seen.as_ref().map(|seen| seen.revision);
        match self.replace(&key, read, Some(&mark)).await? {
            Some(revision) => Ok(Claim {
                key,
                revision,
                before: seen.map(|seen| seen.kept).filter(|kept| kept.pending.is_some()),
            }),
            None => Err(Error::AuthorizationUsed),
        }
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
            Some(read) => read + 1,
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
                over: kept.until.max(self.now()) + REMEMBERED,
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
                let _ = self.swap(&key, Swap::new(Some(stored.revision), 0, None)).await;
            }
        }
    }

    /// Removes the authorizations under way of which this holds, in whatever process they were begun.
    pub(crate) async fn erase(
        &self,
        which: impl Fn(&Pending) -> bool,
        unread: &mut Vec<StoreError>,
    ) -> Result<usize, Error> {
        self.remove_all(|kept| kept.pending.as_ref().is_some_and(&which), unread)
            .await
    }

    /// Removes the authorizations that are over, with their marks, those of processes that have ended too.
    pub(crate) async fn remove_all_over(&self, unread: &mut Vec<StoreError>) -> Result<usize, Error> {
        let now = self.now();
        self.remove_all(|kept| kept.until + REMEMBERED <= now, unread).await
    }

    async fn remove_all(&self, which: impl Fn(&Kept) -> bool, unread: &mut Vec<StoreError>) -> Result<usize, Error> {
        let mut removed = 0;
        let mut walk = Walk::new(Arc::clone(&self.store), TokenKey::storage_ids(KEPT_AS, None));
        while let Some(listed) = walk.next().await {
            let ListedRecord { id, record, .. } = listed?;
            let kept = record.and_then(|stored| Ok((stored.revision, Kept::decode(&stored.bytes)?)));
            match kept {
                Ok((revision, kept)) if which(&kept) => removed += usize::from(walk.remove(&id, revision).await?),
                Ok(_) => {}
                Err(error) => unread.push(error.of(&*self.store)),
            }
        }
        Ok(removed)
    }

    fn written(&self) -> std::sync::MutexGuard<'_, VecDeque<Written>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.wall().into()
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
