//! Encryption at rest, over any other store.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use futures_util::future::BoxFuture;

use super::{
    Admission, Lease, LeaseState, Leased, LeasedSwap, Listed, ListedRecord, Older, RecordBytes, StoreError,
    StoredRecord, Swap, Swapped, TokenStore, in_time, was_made,
};
use crate::token::{TokenKey, Walk};
use crate::value::with_causes;

/// The first bytes of every encrypted record.
const MAGIC: &[u8; 8] = b"frcrypt1";
const NONCE: usize = 24;
/// Much longer than reading and writing one record.
const REENCRYPTION: Duration = Duration::from_secs(30);

/// The keys of an [`EncryptedStore`]: one to write with, any number to read with.
///
/// ```
/// use finrail::token::store::EncryptionKeys;
///
/// # let (new_key, old_key) = ([2; 32], [1; 32]);
/// // To rotate: the new key writes, the old one reads until `EncryptedStore::reencrypt_all` has seen every record.
/// let keys = EncryptionKeys::new(2, new_key).reads(1, old_key);
/// ```
#[derive(Clone)]
pub struct EncryptionKeys {
    current: u32,
    ciphers: BTreeMap<u32, XChaCha20Poly1305>,
}

impl EncryptionKeys {
    /// The key that writes, with its number. A number stands for one key forever.
    #[must_use]
    pub fn new(id: u32, key: [u8; 32]) -> Self {
        Self {
            current: id,
            ciphers: BTreeMap::new(),
        }
        .reads(id, key)
    }

    /// A key that reads what was written with it.
    #[must_use]
    pub fn reads(mut self, id: u32, key: [u8; 32]) -> Self {
        let key = zeroize::Zeroizing::new(key);
        let cipher = XChaCha20Poly1305::new((&*key).into());
        self.ciphers.insert(id, cipher);
        self
    }
}

impl std::fmt::Debug for EncryptionKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EncryptionKeys")
            .field("current", &self.current)
            .field("ids", &self.ciphers.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Encrypts what another store keeps, with XChaCha20-Poly1305.
///
/// A record is bound to its key and revision: moved to another grant, or back
/// under another revision, it cannot be read. A write uses the current key; a
/// grant that nobody uses is not written, so that a rotation of keys ends with
/// [`reencrypt_all`](Self::reencrypt_all).
///
/// # What encryption does not prevent
///
/// Whoever may write to the inner store reads no token, makes no record and gives none to another grant. They can
/// remove a record, and they can put a whole older one back in its place, which is as genuine as it was. Then a spent
/// refresh token may be sent, whereupon a provider that watches for reuse ends the grant, and a grant that was revoked
/// or forgotten may look alive again: its tokens are dead at the provider where the provider was asked to revoke them.
///
/// A process that has seen a newer record of the grant notices, and logs a warning: its handles put the newer tokens
/// back, as after a failover to an older copy. [`refuse_older`](Self::refuse_older) makes it an error instead. A
/// process that was started since has seen nothing: against that helps only a store whose past nobody can bring back.
///
/// ```
/// use std::sync::Arc;
/// use finrail::token::store::{EncryptedStore, EncryptionKeys, MemoryStore};
///
/// # let key = [7; 32];
/// let store = EncryptedStore::new(Arc::new(MemoryStore::new()), EncryptionKeys::new(1, key));
/// ```
#[derive(Clone)]
pub struct EncryptedStore {
    inner: Arc<dyn TokenStore>,
    keys: Arc<EncryptionKeys>,
    plaintext: bool,
    refuse_older: bool,
    seen: Arc<Seen>,
}

/// The newest revision of each grant that this process has seen.
#[derive(Default)]
struct Seen(Mutex<HashMap<String, u64>>);

impl Seen {
    /// Notes a revision; if it is older than one before, which that was.
    fn note(&self, id: &str, revision: u64) -> Option<u64> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get_mut(id) {
            Some(newest) if *newest > revision => Some(*newest),
            Some(newest) => {
                *newest = revision;
                None
            }
            None => {
                seen.insert(id.to_owned(), revision);
                None
            }
        }
    }
}

impl Seen {
    /// It was removed: what comes after it begins anew.
    fn forget(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

/// What became of a record that should be [encrypted anew](EncryptedStore::reencrypt).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reencrypted {
    /// It is encrypted with the current key now.
    Done,
    /// It was encrypted with the current key already.
    Current,
    /// There is no record.
    Absent,
    /// Somebody works on it: try again later.
    Busy {
        /// Who.
        by: String,
        /// When they end at the latest; none: unknown.
        for_at_most: Option<Duration>,
    },
}

/// What a walk that [encrypts everything anew](EncryptedStore::reencrypt_all) did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ReencryptedAll {
    /// How many records are encrypted with the current key since this walk.
    pub done: usize,
    /// How many were already.
    pub current: usize,
    /// How many somebody works on, or wrote meanwhile: another walk finds what became of them.
    pub busy: usize,
    /// Those that cannot be read with any of the keys, or were not written: the id of each, and the reason.
    pub failed: Vec<(String, StoreError)>,
}

impl ReencryptedAll {
    /// Whether no record is left that only an earlier key reads, or that is in plain text. Otherwise walk again; look at
    /// [`failed`](Self::failed) where it stays so.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.busy == 0 && self.failed.is_empty()
    }

    fn seen(&self) -> usize {
        self.done + self.current + self.busy + self.failed.len()
    }
}

#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error(
        "the record is not encrypted, and plain records are not accepted; if this process is to encrypt older records, call `accept_plaintext`"
    )]
    Plain,
    #[error(
        "the record is encrypted with key {0}, which is not among the keys; give it to the store as an earlier key"
    )]
    UnknownKey(u32),
    #[error(
        "the record is encrypted with key {0} and does not decrypt: another key, another grant, or damage; check the key"
    )]
    Forged(u32),
}

impl EncryptedStore {
    /// Encrypts what `inner` keeps.
    #[must_use]
    pub fn new(inner: Arc<dyn TokenStore>, keys: EncryptionKeys) -> Self {
        Self {
            inner,
            keys: Arc::new(keys),
            plaintext: false,
            refuse_older: false,
            seen: Arc::default(),
        }
    }

    /// Takes a record that is older than one that this process has seen for one that cannot be used:
    /// [`StoreError::Corrupt`]. By default it is a warning in the log, because a failover to an older copy of the store
    /// looks the same, and handles that hold newer tokens mend it. Only a new login mends what is refused
    /// here: it goes over the older record. So does a token of client credentials, which is fetched anew. A refresh, a revocation and an import fail; forgetting the grant works too,
    /// and [erasing](crate::App::erase) its person, which revokes the tokens that this process holds, or else those of the
    /// older record.
    #[must_use]
    pub fn refuse_older(mut self) -> Self {
        self.refuse_older = true;
        self
    }

    /// Also reads records that were written before there was encryption. Turn it off when they are all rewritten:
    /// [`reencrypt_all`](Self::reencrypt_all) rewrites them.
    #[must_use]
    pub fn accept_plaintext(mut self) -> Self {
        self.plaintext = true;
        self
    }

    /// Writes everything in the store anew, with the current key, that is not yet encrypted with it.
    ///
    /// A rotation of keys has three steps. Give every process the new key
    /// [to read](EncryptionKeys::reads); then make it the current key
    /// everywhere; then call this, in one process, until it
    /// [is complete](ReencryptedAll::is_complete). Then the old key has nothing
    /// left to read, and can go. Records in plain text are encrypted too where
    /// [they are accepted](Self::accept_plaintext), and then that can go.
    ///
    /// It walks through all records of the inner store, of every provider and
    /// tenant: grants, marks of grants that are over, also those that name
    /// nobody, authorizations that are under way or were used, and copies of
    /// damaged records. It runs beside live processes: what somebody works on
    /// is left alone, and what was written since it was read is not
    /// overwritten. It may be broken off, and run again at any time.
    ///
    /// A record that stays in [`failed`](ReencryptedAll::failed) cannot be read
    /// by any process with these keys: it was written with a key that is
    /// missing here, or it is damaged. Drop no key before that is known.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use finrail::token::store::{EncryptedStore, EncryptionKeys, MemoryStore};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// # let (new_key, old_key) = ([2; 32], [1; 32]);
    /// let keys = EncryptionKeys::new(2, new_key).reads(1, old_key);
    /// let store = EncryptedStore::new(Arc::new(MemoryStore::new()), keys);
    /// let all = store.reencrypt_all().await?;
    /// for (id, error) in &all.failed {
    ///     eprintln!("{id}: {error}");
    /// }
    /// if all.is_complete() {
    ///     println!("key 1 can go");
    /// }
    /// # Ok::<(), finrail::token::StoreError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// When the inner store cannot go on with the list of its records, or does not list or replace records by their
    /// ids ([`StoreError::Unsupported`]). What was done until then is done, and is logged.
    pub async fn reencrypt_all(&self) -> Result<ReencryptedAll, StoreError> {
        /// A line in the log for so many records.
        const TOLD_EVERY: usize = 1000;
        let mut all = ReencryptedAll::default();
        let mut walk = Walk::new(Arc::clone(&self.inner), String::new());
        while let Some(listed) = walk.next().await {
            let (id, outcome) = match listed {
                Ok(ListedRecord { id, record }) => {
                    let outcome = self.reencrypt_listed(&id, record).await;
                    (id, outcome)
                }
                Err(error) => (String::new(), Err(Told::Ends(error))),
            };
            match outcome {
                Ok(Reencrypted::Done) => all.done += 1,
                Ok(Reencrypted::Current | Reencrypted::Absent) => all.current += 1,
                Ok(Reencrypted::Busy { .. }) => all.busy += 1,
                Err(Told::Fails(error)) => {
                    tracing::warn!(id, error = %with_causes(&error), "a record was not encrypted anew");
                    all.failed.push((id, error));
                }
                Err(Told::Ends(error)) => {
                    tell(&all, "the records were not all seen; this was done");
                    return Err(error);
                }
            }
            if all.seen() % TOLD_EVERY == 0 {
                tell(&all, "records are being encrypted anew");
            }
        }
        tell(&all, "all records were seen");
        Ok(all)
    }

    async fn reencrypt_listed(&self, id: &str, record: Result<StoredRecord, StoreError>) -> Result<Reencrypted, Told> {
        let stored = record.map_err(Told::Fails)?;
        if self.is_current(&stored) {
            // What is cut has the number of the key, and no key opens it.
            let opened = self.open(id, stored).map(|_| Reencrypted::Current);
            return opened.map_err(|error| Told::Fails(error.of(self)));
        }
        let revision = stored.revision;
        // At the revision that it has: who has read it, and writes what comes next, is not to be told of a conflict.
        let next = self.open(id, stored).and_then(|opened| self.seal(id, &opened));
        let next = next.map_err(|error| Told::Fails(error.of(self)))?;
        let replaced = self.inner.replace(id, revision, next);
        match in_time(&*self.inner, "encrypt a record anew", replaced).await {
            Ok(true) => Ok(Reencrypted::Done),
            Ok(false) => Ok(Reencrypted::Busy {
                by: "another process".to_owned(),
                for_at_most: None,
            }),
            Err(error @ StoreError::Unsupported { .. }) => Err(Told::Ends(error)),
            Err(error) => Err(Told::Fails(error)),
        }
    }

    /// Writes the record of one grant anew, with the current key, if it is not yet encrypted with it.
    ///
    /// For one grant whose key is known, at once. A rotation of keys ends with
    /// [`reencrypt_all`](Self::reencrypt_all): a store has records that no
    /// grant's key names, such as the marks of grants that were erased, and
    /// the old key is needed for them too.
    ///
    /// Works under the lease of the record, as a refresh does, and waits for
    /// nobody. A record in plain text is encrypted too where
    /// [it is accepted](Self::accept_plaintext).
    ///
    /// ```
    /// use std::sync::Arc;
    /// use finrail::token::{GrantKind, TokenKey};
    /// use finrail::token::store::{EncryptedStore, EncryptionKeys, MemoryStore, Reencrypted};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// # let (new_key, old_key) = ([2; 32], [1; 32]);
    /// let keys = EncryptionKeys::new(2, new_key).reads(1, old_key);
    /// let store = EncryptedStore::new(Arc::new(MemoryStore::new()), keys);
    /// let grant = TokenKey::new("mx", "client", GrantKind::AuthorizationCode).subject("user 1");
    /// if let Reencrypted::Busy { by, .. } = store.reencrypt(&grant).await? {
    ///     println!("{by} works on it: later");
    /// }
    /// # Ok::<(), finrail::token::StoreError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// When the store fails, or the record cannot be read with any of the keys.
    pub async fn reencrypt(&self, key: &TokenKey) -> Result<Reencrypted, StoreError> {
        // Most of them need nothing, and for a look nobody has to wait.
        if let Some(settled) = self.settled(self.inner.load(key).await?) {
            return Ok(settled);
        }
        let lease = match self.inner.lease(key, "reencryption", REENCRYPTION).await? {
            Leased::Granted(lease) => lease,
            Leased::Held { by, for_at_most } => return Ok(Reencrypted::Busy { by, for_at_most }),
        };
        let outcome = self.reencrypt_leased(key, lease.fence).await;
        let released = self.inner.release(key, lease).await;
        let done = outcome?;
        released?;
        Ok(done)
    }

    async fn reencrypt_leased(&self, key: &TokenKey, fence: u64) -> Result<Reencrypted, StoreError> {
        let stored = self.inner.load(key).await?;
        if let Some(settled) = self.settled(stored.clone()) {
            return Ok(settled);
        }
        let Some(stored) = stored else {
            return Ok(Reencrypted::Absent);
        };
        let read = stored.revision;
        let opened = self.open(&key.storage_id(), stored)?;
        let next = StoredRecord::new(read.saturating_add(1), opened.bytes);
        match self.swap(key, Swap::new(Some(read), fence, Some(next))).await? {
            Swapped::Done => Ok(Reencrypted::Done),
            Swapped::Conflict(_) | Swapped::Fenced => Ok(Reencrypted::Busy {
                by: "another process".to_owned(),
                for_at_most: None,
            }),
        }
    }

    /// What there is to say when nothing is to be done.
    fn settled(&self, stored: Option<StoredRecord>) -> Option<Reencrypted> {
        match stored {
            None => Some(Reencrypted::Absent),
            Some(stored) => self.is_current(&stored).then_some(Reencrypted::Current),
        }
    }

    /// Whether the current key has written it.
    fn is_current(&self, stored: &StoredRecord) -> bool {
        let rest = stored.bytes.strip_prefix(MAGIC);
        let key = rest.and_then(|rest| rest.first_chunk::<4>());
        key.is_some_and(|key| u32::from_be_bytes(*key) == self.keys.current)
    }

    async fn swap_sealed(&self, key: &TokenKey, id: &str, sealed: Swap) -> Result<Swapped, StoreError> {
        let revision = sealed.next.as_ref().map(|next| next.revision);
        let swapped = self.inner.swap(key, sealed).await?;
        if swapped == Swapped::Done {
            self.note(id, revision);
        }
        Ok(swapped)
    }

    /// This process wrote this revision.
    fn note(&self, id: &str, revision: Option<u64>) {
        if let Some(revision) = revision {
            self.seen.note(id, revision);
        }
    }

    fn sealed(&self, id: &str, swap: Swap) -> Result<Swap, StoreError> {
        let next = swap.next.map(|record| self.seal(id, &record)).transpose()?;
        Ok(Swap { next, ..swap })
    }

    fn seal(&self, id: &str, record: &StoredRecord) -> Result<StoredRecord, StoreError> {
        const ACTION: &str = "encrypt the record";
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|error| StoreError::unavailable(ACTION, error))?;
        let cipher = self.keys.ciphers.get(&self.keys.current);
        let cipher = cipher.ok_or_else(|| StoreError::corrupt(Unreadable::UnknownKey(self.keys.current)))?;
        let sealed = cipher
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: &record.bytes,
                    aad: &bound_to(id, record.revision, self.keys.current),
                },
            )
            // The cipher says nothing more, and has no other reason.
            .map_err(|_| StoreError::unavailable(ACTION, "the record is too large"))?;
        let bytes = [MAGIC.as_slice(), &self.keys.current.to_be_bytes(), &nonce, &sealed].concat();
        Ok(StoredRecord::new(record.revision, bytes))
    }

    /// Opens what the store holds now.
    fn open_newest(&self, id: &str, sealed: StoredRecord) -> Result<StoredRecord, StoreError> {
        let opened = self.open(id, sealed)?;
        let Some(newest) = self.seen.note(id, opened.revision) else {
            return Ok(opened);
        };
        let older = Older { stored: opened, newest };
        if self.refuse_older {
            return Err(StoreError::corrupt(older));
        }
        tracing::warn!(id, "{older}");
        Ok(older.stored)
    }

    fn open(&self, id: &str, sealed: StoredRecord) -> Result<StoredRecord, StoreError> {
        let Some(rest) = sealed.bytes.strip_prefix(MAGIC) else {
            return if self.plaintext {
                Ok(sealed)
            } else {
                Err(StoreError::corrupt(Unreadable::Plain))
            };
        };
        let Some((key, rest)) = rest.split_first_chunk::<4>() else {
            return Err(StoreError::corrupt(Unreadable::Forged(0)));
        };
        let key = u32::from_be_bytes(*key);
        let cipher = self.keys.ciphers.get(&key);
        let cipher = cipher.ok_or_else(|| StoreError::corrupt(Unreadable::UnknownKey(key)))?;
        let forged = || StoreError::corrupt(Unreadable::Forged(key));
        let (nonce, msg) = rest.split_first_chunk::<NONCE>().ok_or_else(forged)?;
        let aad = bound_to(id, sealed.revision, key);
        let opened = cipher.decrypt(&XNonce::from(*nonce), Payload { msg, aad: &aad });
        // The cipher does not say why.
        let bytes = opened.map_err(|_| forged())?;
        Ok(StoredRecord::new(sealed.revision, RecordBytes::from(bytes)))
    }
}

/// What came of a record that was not encrypted anew: the others are still seen, or not.
enum Told {
    Fails(StoreError),
    Ends(StoreError),
}

fn tell(all: &ReencryptedAll, what: &'static str) {
    tracing::info!(
        done = all.done,
        current = all.current,
        busy = all.busy,
        failed = all.failed.len(),
        "{what}"
    );
}

/// What a record is bound to besides its key.
fn bound_to(id: &str, revision: u64, key: u32) -> Vec<u8> {
    [
        MAGIC.as_slice(),
        &key.to_be_bytes(),
        &revision.to_be_bytes(),
        id.as_bytes(),
    ]
    .concat()
}

impl std::fmt::Debug for EncryptedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EncryptedStore")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

impl TokenStore for EncryptedStore {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        Box::pin(async move {
            let sealed = self.inner.load(key).await?;
            let id = key.storage_id();
            sealed.map(|sealed| self.open_newest(&id, sealed)).transpose()
        })
    }

    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(async move {
            let id = key.storage_id();
            let sealed = self.sealed(&id, swap)?;
            let stored = match self.swap_sealed(key, &id, sealed.clone()).await? {
                Swapped::Conflict(Some(stored)) => stored,
                other => return Ok(other),
            };
            let revision = stored.revision;
            match self.open_newest(&id, stored) {
                Ok(opened) => Ok(Swapped::Conflict(Some(opened))),
                // To us there is no record: a new login may take its place.
                Err(_) if sealed.expected.is_none() => {
                    let expected = Some(revision);
                    self.swap_sealed(key, &id, Swap { expected, ..sealed }).await
                }
                Err(error) => Err(error),
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

    fn lease_and_swap<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
        swap: Swap,
    ) -> BoxFuture<'a, Result<LeasedSwap, StoreError>> {
        Box::pin(async move {
            let id = key.storage_id();
            let sealed = self.sealed(&id, swap)?;
            let revision = sealed.next.as_ref().map(|next| next.revision);
            Ok(match self.inner.lease_and_swap(key, holder, ttl, sealed).await? {
                LeasedSwap::Done(lease) => {
                    self.note(&id, revision);
                    LeasedSwap::Done(lease)
                }
                LeasedSwap::Conflict(Some(stored)) => LeasedSwap::Conflict(Some(self.open_newest(&id, stored)?)),
                other => other,
            })
        })
    }

    fn swap_and_release<'a>(
        &'a self,
        key: &'a TokenKey,
        swap: Swap,
        lease: &'a Lease,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(async move {
            let id = key.storage_id();
            let wanted = swap.next.clone();
            let sealed = self.sealed(&id, swap)?;
            let revision = wanted.as_ref().map(|next| next.revision);
            let swapped = match self.inner.swap_and_release(key, sealed.clone(), lease).await? {
                Swapped::Conflict(Some(stored)) => {
                    let opened = self.open_newest(&id, stored)?;
                    if wanted.as_ref() != Some(&opened) {
                        return Ok(Swapped::Conflict(Some(opened)));
                    }
                    // It was made by an earlier copy of the question. To the inner store it is another record, encrypted
                    // anew: it is made again, and ends the lease.
                    let expected = revision;
                    let again = Swap { expected, ..sealed };
                    self.inner.swap_and_release(key, again, lease).await?
                }
                swapped => swapped,
            };
            Ok(match swapped {
                Swapped::Done => {
                    self.note(&id, revision);
                    Swapped::Done
                }
                Swapped::Conflict(Some(stored)) => Swapped::Conflict(Some(self.open_newest(&id, stored)?)),
                Swapped::Conflict(None) => Swapped::Conflict(None),
                Swapped::Fenced => was_made(self, key, wanted.as_ref()).await?,
            })
        })
    }

    fn list<'a>(&'a self, ids: &'a str, after: Option<&'a str>) -> BoxFuture<'a, Result<Listed, StoreError>> {
        Box::pin(async move {
            let Listed { records, next } = self.inner.list(ids, after).await?;
            let opened = records.into_iter().map(|ListedRecord { id, record }| {
                let record = record.and_then(|sealed| self.open(&id, sealed));
                ListedRecord { id, record }
            });
            Ok(Listed::new(opened.collect(), next))
        })
    }

    fn remove<'a>(&'a self, id: &'a str, revision: u64) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let removed = self.inner.remove(id, revision).await?;
            if removed {
                self.seen.forget(id);
            }
            Ok(removed)
        })
    }

    fn replace<'a>(
        &'a self,
        id: &'a str,
        revision: u64,
        next: StoredRecord,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let sealed = self.seal(id, &next)?;
            let replaced = self.inner.replace(id, revision, sealed).await?;
            if replaced {
                self.note(id, Some(next.revision));
            }
            Ok(replaced)
        })
    }

    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inner.release(key, lease)
    }

    fn renew<'a>(
        &'a self,
        key: &'a TokenKey,
        lease: &'a Lease,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.inner.renew(key, lease, ttl)
    }

    fn renews_leases(&self) -> bool {
        self.inner.renews_leases()
    }

    fn lease_state<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<LeaseState, StoreError>> {
        self.inner.lease_state(key)
    }

    fn admission(&self) -> Option<&Admission> {
        self.inner.admission()
    }

    fn place(&self) -> Option<String> {
        self.inner.place()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_has_seen_what_it_did_what_it_left_and_what_failed() {
        let failed = || (String::new(), StoreError::Unsupported { action: "list" });
        let all = ReencryptedAll {
            done: 7,
            current: 5,
            busy: 3,
            failed: vec![failed(), failed()],
        };
        assert_eq!(all.seen(), 17);
    }
}
