//! Where grants outlive a process: the trait, and what every store promises.

mod admission;
mod alone;
pub mod contract;
#[cfg(feature = "encryption")]
mod encrypted;
mod error;
#[cfg(feature = "file")]
mod file;
mod listing;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "redis", feature = "postgres"))]
mod remote;
mod stored;

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::TokenKey;
use crate::value::with_causes;

/// The certificates of a connection to Redis: [`RedisStore::connect_with`].
#[cfg(feature = "redis")]
pub use ::redis::{ClientTlsConfig as RedisClientTls, TlsCertificates as RedisTls};
pub use admission::Admission;
pub(crate) use admission::{Place, Stage};
pub(crate) use alone::{in_time, swap_alone};
#[cfg(feature = "encryption")]
pub use encrypted::{EncryptedStore, EncryptionKeys, Reencrypted, ReencryptedAll};
pub(crate) use error::Older;
pub use error::{Damage, StoreError};
#[cfg(feature = "file")]
pub use file::FileStore;
#[cfg(all(feature = "file", any(test, finrail_fuzzing)))]
pub(crate) use file::reframed;
pub use listing::{Listed, ListedRecord};
pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::{MIGRATION as POSTGRES_MIGRATION, PostgresStore, PostgresStoreBuilder, SynchronousCommit};
#[cfg(feature = "redis")]
pub use redis::{RedisStore, RedisStoreBuilder};
pub use stored::{RecordBytes, StoredRecord};

/// Keeps one record per [`TokenKey`], and lets one process at a time work on it.
///
/// A store knows nothing of tokens: it keeps bytes under
/// [`storage_id`](TokenKey::storage_id). It promises three things, each of them
/// atomic across all processes that share it:
///
/// - [`swap`](Self::swap) changes a record only if nobody else did since it was read;
/// - [`lease`](Self::lease) is held by one at a time, and every new lease has a larger fence;
/// - a swap under an older fence than the newest one never changes anything.
///
/// [`contract`] tests an implementation.
pub trait TokenStore: Send + Sync + 'static {
    /// Reads the record, as it is now.
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>>;

    /// Replaces, creates or removes the record, if it is still the one that was read and the lease is still the newest.
    ///
    /// When this says `Swapped::Done`, the change survives a crash of process and machine.
    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>>;

    /// Asks for the right to work on the record; answers at once, without waiting for its holder.
    ///
    /// An answer that is lost leaves a lease that nobody knows of. A store behind a network should be able to tell a
    /// question that is asked again from a new one, and answer it with the same lease.
    fn lease<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Leased, StoreError>>;

    /// Gives the right back. A lease that somebody else took over meanwhile is left alone.
    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Asks for the lease and makes the first swap under it, in one step: both, or nothing. The fence in `swap` does not
    /// count.
    ///
    /// A refresh begins with it. A store that does not implement this takes two steps, one after the other, which is as
    /// safe and costs one write more. As for [`lease`](Self::lease), a question that is asked again because its answer was
    /// lost should be answered with the same lease.
    fn lease_and_swap<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
        swap: Swap,
    ) -> BoxFuture<'a, Result<LeasedSwap, StoreError>> {
        Box::pin(in_two_steps(self, key, holder, ttl, swap))
    }

    /// Makes the last swap under a lease and gives the lease back, in one step. Where the swap is not made, the lease is
    /// kept.
    ///
    /// A refresh ends with it. A store that does not implement this takes two steps, which costs one write more. Whatever
    /// the lease [guards](Lease::guard) goes away with it: the caller drops the lease after `Swapped::Done`. A swap that is
    /// asked for again after it was made is `Done`, even if somebody has the next lease.
    fn swap_and_release<'a>(
        &'a self,
        key: &'a TokenKey,
        swap: Swap,
        lease: &'a Lease,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(async move {
            let wanted = swap.next.clone();
            let swapped = match self.swap(key, swap).await? {
                Swapped::Conflict(Some(stored)) if wanted.as_ref() == Some(&stored) => Swapped::Done,
                Swapped::Fenced => return was_made(self, key, wanted.as_ref()).await,
                swapped => swapped,
            };
            if swapped == Swapped::Done {
                given_back(key, self.release(key, Lease::new(lease.fence)).await);
            }
            Ok(swapped)
        })
    }

    /// Reads some of the records whose [ids](TokenKey::storage_id) begin with `ids`, in an order of the store's own.
    /// `after`: what [`Listed::next`] of the answer before said; `None`: from the beginning.
    ///
    /// A walk to the end gives every record that is there all the time, and may give one twice. What is written or removed
    /// meanwhile may be in it or not. A store that does not implement this answers
    /// [`StoreError::Unsupported`]; then grants cannot be listed, erased by subject or kept alive in the background.
    fn list<'a>(&'a self, ids: &'a str, after: Option<&'a str>) -> BoxFuture<'a, Result<Listed, StoreError>> {
        let _ = (ids, after);
        Box::pin(std::future::ready(Err(StoreError::Unsupported {
            action: "list its records",
        })))
    }

    /// Removes a record that a [walk](Self::list) found, by its id, with all that the store has of it: if it is still at
    /// this revision, and nobody has its lease. `Ok(false)`: it is not, or somebody has, and nothing was changed.
    ///
    /// For what is long over: fences may begin anew after it. A store that does not implement this answers
    /// [`StoreError::Unsupported`], and keeps the marks of grants that are over.
    fn remove<'a>(&'a self, id: &'a str, revision: u64) -> BoxFuture<'a, Result<bool, StoreError>> {
        let _ = (id, revision);
        Box::pin(std::future::ready(Err(StoreError::Unsupported {
            action: "remove a record by its id",
        })))
    }

    /// Puts another record in the place of one that a [walk](Self::list) found, by its id: if it is still at this revision,
    /// and nobody has its lease. `Ok(false)`: it is not, or somebody has, and nothing was changed. The revision of `next` is
    /// larger, or the same where it is the same record in other bytes.
    ///
    /// For records of which nobody knows the key any more, such as a mark that does not name whose grant it ends, when
    /// everything is encrypted anew. A store that does not implement this answers
    /// [`StoreError::Unsupported`].
    fn replace<'a>(
        &'a self,
        id: &'a str,
        revision: u64,
        next: StoredRecord,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let _ = (id, revision, next);
        Box::pin(std::future::ready(Err(StoreError::Unsupported {
            action: "replace a record by its id",
        })))
    }

    /// Lets a lease last so long from now on, as its holder is still at work.
    ///
    /// `Ok(false)`: it is not the newest lease any more, or was given back, and nothing is changed. A lease whose time
    /// ran out is renewed as long as nobody else took it over. Called only where [`renews_leases`](Self::renews_leases)
    /// says so.
    fn renew<'a>(
        &'a self,
        key: &'a TokenKey,
        lease: &'a Lease,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let _ = (key, lease, ttl);
        Box::pin(std::future::ready(Err(StoreError::unavailable(
            "renew a lease",
            "this store has no renewal",
        ))))
    }

    /// Whether leases can be [renewed](Self::renew). Then they are short, and renewed while a request runs: the lease of
    /// a process that was killed ends within seconds. Otherwise, as for a store that does not implement this, a lease is
    /// asked for that outlasts the longest request.
    fn renews_leases(&self) -> bool {
        false
    }

    /// Who has the right now, for somebody who looks and does not ask. Changes nothing.
    ///
    /// A store that cannot tell says [`LeaseState::Unknown`], which is what a
    /// store says that does not implement this.
    fn lease_state<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<LeaseState, StoreError>> {
        let _ = key;
        Box::pin(std::future::ready(Ok(LeaseState::Unknown)))
    }

    /// How many steps are taken at once, and where the others wait for their turn. None, as for a store that does not
    /// implement this: all that are asked for.
    ///
    /// For a store that takes a limited number at once, such as the connections of a pool: the wait for one of them
    /// counts against the time that the store has for its answer (ten seconds), the wait for a turn does not.
    fn admission(&self) -> Option<&Admission> {
        None
    }

    /// Where the records are, for errors: a directory, a host and a database; never a user or a password. None, as for
    /// a store that does not implement this: errors do not say.
    fn place(&self) -> Option<String> {
        None
    }
}

/// What a last swap is whose lease is not the newest: done, if its record is there, because an earlier copy of the question
/// made it before somebody else got the next lease.
pub(crate) async fn was_made<S: TokenStore + ?Sized>(
    store: &S,
    key: &TokenKey,
    wanted: Option<&StoredRecord>,
) -> Result<Swapped, StoreError> {
    let is_there = match wanted {
        Some(wanted) => store.load(key).await?.as_ref() == Some(wanted),
        None => false,
    };
    Ok(if is_there { Swapped::Done } else { Swapped::Fenced })
}

/// The lease, and then the swap.
pub(crate) async fn in_two_steps<S: TokenStore + ?Sized>(
    store: &S,
    key: &TokenKey,
    holder: &str,
    ttl: Duration,
    swap: Swap,
) -> Result<LeasedSwap, StoreError> {
    let lease = match store.lease(key, holder, ttl).await? {
        Leased::Granted(lease) => lease,
        Leased::Held { by, for_at_most } => return Ok(LeasedSwap::Held { by, for_at_most }),
    };
    let swap = Swap {
        fence: lease.fence,
        ..swap
    };
    let refused = match store.swap(key, swap).await {
        Ok(Swapped::Done) => return Ok(LeasedSwap::Done(lease)),
        Ok(Swapped::Conflict(stored)) => Ok(LeasedSwap::Conflict(stored)),
        Ok(Swapped::Fenced) => Ok(LeasedSwap::Held {
            by: "another process".to_owned(),
            for_at_most: None,
        }),
        Err(error) => Err(error),
    };
    given_back(key, store.release(key, lease).await);
    refused
}

/// The end of a lease that nobody waits for: if it is not given back, its time runs out. The person may have been erased under
/// it, so the log has the id.
pub(crate) fn given_back(key: &TokenKey, released: Result<(), StoreError>) {
    if let Err(error) = released {
        let (key, id) = (key.without_person(), key.storage_id());
        tracing::debug!(%key, id, error = %with_causes(&error), "a lease was not given back and has to run out");
    }
}

/// One change of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swap {
    /// The revision that was read; none: there was no record.
    pub expected: Option<u64>,
    /// The fence of the lease under which the change is made.
    pub fence: u64,
    /// What the record becomes; none: it is removed.
    pub next: Option<StoredRecord>,
}

impl Swap {
    /// A change of the record.
    #[must_use]
    pub fn new(expected: Option<u64>, fence: u64, next: Option<StoredRecord>) -> Self {
        Self { expected, fence, next }
    }
}

/// What became of a swap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swapped {
    /// The change is made and durable.
    Done,
    /// The record is not the expected one: this is what it is. Nothing was changed.
    Conflict(Option<StoredRecord>),
    /// A newer lease was given out. Nothing was changed.
    Fenced,
}

/// What became of the question for a lease.
#[derive(Debug)]
pub enum Leased {
    /// The lease is ours.
    Granted(Lease),
    /// Somebody else has it.
    Held {
        /// Who.
        by: String,
        /// When it ends at the latest; none: when its holder gives it back or ends.
        for_at_most: Option<Duration>,
    },
}

/// What became of the question for a lease with a swap.
#[derive(Debug)]
pub enum LeasedSwap {
    /// The lease is ours, and the swap is made.
    Done(Lease),
    /// The record is not the expected one: this is what it is. Nothing was changed, and there is no lease.
    Conflict(Option<StoredRecord>),
    /// Somebody else has the lease. Nothing was changed.
    Held {
        /// Who.
        by: String,
        /// When it ends at the latest; none: when its holder gives it back or ends.
        for_at_most: Option<Duration>,
    },
}

/// Who has the lease of a record, at the moment of the look.
///
/// ```
/// use finrail::token::{GrantKind, TokenKey, TokenStore as _};
/// use finrail::token::store::{LeaseState, MemoryStore};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = MemoryStore::new();
/// let key = TokenKey::new("ofx", "client-1", GrantKind::ClientCredentials);
/// assert_eq!(store.lease_state(&key).await?, LeaseState::Free);
/// store.lease(&key, "replica 1", std::time::Duration::from_secs(30)).await?;
/// let LeaseState::Held { by, .. } = store.lease_state(&key).await? else { panic!() };
/// assert_eq!(by, "replica 1");
/// # Ok::<(), finrail::token::StoreError>(()) }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseState {
    /// This store cannot tell.
    Unknown,
    /// Nobody: who asks next gets it.
    Free,
    /// Somebody.
    Held {
        /// Who.
        by: String,
        /// When it ends at the latest; none: when its holder gives it back or ends.
        for_at_most: Option<Duration>,
    },
}

/// The right to work on one record.
#[derive(Debug)]
#[non_exhaustive]
pub struct Lease {
    /// Larger than the fence of every lease on this record before.
    pub fence: u64,
    /// What is known of the lease before this one.
    pub predecessor: Predecessor,
    /// Holding this lease proves that no earlier holder is at work.
    ///
    /// True where the operating system takes a lease back at the end of its
    /// holder, and never before. Never true for a lease that time alone can end.
    pub exclusive: bool,
    guard: Option<Guard>,
}

/// What is known of the lease before the present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predecessor {
    /// Its holder gave it back, or there was none.
    Finished,
    /// Its time ran out: its holder may still be at work.
    Lapsed,
}

struct Guard(#[allow(dead_code, reason = "held for its drop")] Box<dyn Send + Sync>);

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

impl Lease {
    /// A lease whose predecessor was given back.
    #[must_use]
    pub fn new(fence: u64) -> Self {
        Self {
            fence,
            predecessor: Predecessor::Finished,
            exclusive: false,
            guard: None,
        }
    }

    /// What is known of the lease before.
    #[must_use]
    pub fn predecessor(mut self, predecessor: Predecessor) -> Self {
        self.predecessor = predecessor;
        self
    }

    /// Holding this lease proves that no earlier holder is at work.
    #[must_use]
    pub fn exclusive(mut self) -> Self {
        self.exclusive = true;
        self
    }

    /// Something whose drop gives the lease back, such as an open file with a lock.
    #[must_use]
    pub fn guard(mut self, guard: impl Send + Sync + 'static) -> Self {
        self.guard = Some(Guard(Box::new(guard)));
        self
    }
}

impl StoreError {
    /// The same error with the place of this store, unless it names one.
    pub(crate) fn of(self, store: &dyn TokenStore) -> Self {
        match store.place() {
            Some(place) => self.at(place),
            None => self,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::future::ready;
    use std::sync::Mutex;

    use super::*;
    use crate::token::GrantKind;

    /// A store with what a store must have and nothing else. It answers as it is told, and writes down what it is asked.
    struct Plain {
        is_leased: bool,
        swapped: Result<Swapped, StoreError>,
        stored: Option<StoredRecord>,
        asked: Mutex<Vec<String>>,
    }

    impl Plain {
        fn new(is_leased: bool, swapped: Result<Swapped, StoreError>) -> Self {
            Self {
                is_leased,
                swapped,
                stored: None,
                asked: Mutex::default(),
            }
        }

        fn note(&self, what: String) {
            self.asked.lock().unwrap().push(what);
        }

        fn asked(&self) -> String {
            self.asked.lock().unwrap().join(", ")
        }
    }

    impl TokenStore for Plain {
        fn load<'a>(&'a self, _: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
            Box::pin(ready(Ok(self.stored.clone())))
        }

        fn swap<'a>(&'a self, _: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
            self.note(format!("swap at {}", swap.fence));
            Box::pin(ready(self.swapped.clone()))
        }

        fn lease<'a>(&'a self, _: &'a TokenKey, _: &'a str, _: Duration) -> BoxFuture<'a, Result<Leased, StoreError>> {
            self.note("lease".to_owned());
            let held = || Leased::Held {
                by: "somebody".to_owned(),
                for_at_most: None,
            };
            Box::pin(ready(Ok(match self.is_leased {
                true => held(),
                false => Leased::Granted(Lease::new(7)),
            })))
        }

        fn release<'a>(&'a self, _: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
            self.note(format!("release {}", lease.fence));
            Box::pin(ready(Ok(())))
        }
    }

    fn key() -> TokenKey {
        TokenKey::new("mx", "client", GrantKind::AuthorizationCode)
    }

    /// Of a swap that a store may answer, and with what.
    fn answers() -> [(&'static str, Result<Swapped, StoreError>); 4] {
        [
            ("done", Ok(Swapped::Done)),
            ("conflict", Ok(Swapped::Conflict(None))),
            ("fenced", Ok(Swapped::Fenced)),
            ("out", Err(StoreError::unavailable("take the write", "it is out"))),
        ]
    }

    #[tokio::test]
    async fn lease_and_swap_in_two_steps_swap_under_the_lease_and_keep_it_only_where_the_swap_is_made() {
        for (answer, swapped) in answers() {
            let store = Plain::new(false, swapped);
            let swap = Swap::new(None, 0, None);
            let done = store
                .lease_and_swap(&key(), "here", Duration::from_secs(10), swap)
                .await;
            let told = match &done {
                Ok(LeasedSwap::Done(lease)) if lease.fence == 7 => "done",
                Ok(LeasedSwap::Conflict(None)) => "conflict",
                Ok(LeasedSwap::Held { by, .. }) if by == "another process" => "fenced",
                Err(StoreError::Unavailable { .. }) => "out",
                other => panic!("{answer}: {other:?}"),
            };
            assert_eq!(told, answer);
            let asked = match answer {
                "done" => "lease, swap at 7",
                _ => "lease, swap at 7, release 7",
            };
            assert_eq!(store.asked(), asked, "{answer}");
        }
        let store = Plain::new(true, Ok(Swapped::Done));
        let swap = Swap::new(None, 0, None);
        let held = store
            .lease_and_swap(&key(), "here", Duration::from_secs(10), swap)
            .await
            .unwrap();
        assert!(matches!(held, LeasedSwap::Held { by, .. } if by == "somebody"));
        assert_eq!(store.asked(), "lease");
    }

    #[tokio::test]
    async fn swap_and_release_in_two_steps_keep_the_lease_where_the_swap_is_not_made() {
        for (answer, swapped) in answers() {
            let store = Plain::new(false, swapped.clone());
            let (swap, lease) = (Swap::new(None, 7, None), Lease::new(7));
            let done = store.swap_and_release(&key(), swap, &lease).await;
            assert_eq!(done.ok(), swapped.ok(), "{answer}");
            let asked = match answer {
                "done" => "swap at 7, release 7",
                _ => "swap at 7",
            };
            assert_eq!(store.asked(), asked, "{answer}");
        }
    }

    #[tokio::test]
    async fn a_last_swap_that_was_made_before_is_done_and_what_others_wrote_is_not() {
        let record = |revision| StoredRecord::new(revision, b"a record".as_slice());
        let (ours, theirs) = (Some(record(2)), Some(record(3)));
        for (answer, stored, done, asked) in [
            // Asked for again: the record is there, and the lease is still held or somebody else has the next one.
            (Swapped::Conflict(ours.clone()), &ours, true, "swap at 7, release 7"),
            (Swapped::Fenced, &ours, true, "swap at 7"),
            (Swapped::Conflict(theirs.clone()), &theirs, false, "swap at 7"),
            (Swapped::Conflict(None), &None, false, "swap at 7"),
            (Swapped::Fenced, &theirs, false, "swap at 7"),
            (Swapped::Fenced, &None, false, "swap at 7"),
        ] {
            let mut store = Plain::new(false, Ok(answer.clone()));
            store.stored = stored.clone();
            let swap = Swap::new(Some(1), 7, ours.clone());
            let swapped = store.swap_and_release(&key(), swap, &Lease::new(7)).await.unwrap();
            let expected = if done { &Swapped::Done } else { &answer };
            assert_eq!(&swapped, expected, "{answer:?} {stored:?}");
            assert_eq!(store.asked(), asked, "{answer:?} {stored:?}");
        }
    }

    #[tokio::test]
    async fn a_store_that_says_nothing_more_renews_no_lease_and_has_no_place_and_no_queue() {
        let store = Plain::new(false, Ok(Swapped::Done));
        assert!(!store.renews_leases() && store.admission().is_none() && store.place().is_none());
        let renewed = store.renew(&key(), &Lease::new(7), Duration::from_secs(10)).await;
        assert!(matches!(renewed, Err(StoreError::Unavailable { .. })));
        assert_eq!(store.lease_state(&key()).await.unwrap(), LeaseState::Unknown);
        for unsupported in [
            store.list("", None).await.err(),
            store.remove("id", 1).await.err(),
            store
                .replace("id", 1, StoredRecord::new(2, b"x".as_slice()))
                .await
                .err(),
        ] {
            assert!(matches!(unsupported, Some(StoreError::Unsupported { .. })));
        }
    }
}
