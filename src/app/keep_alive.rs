//! Grants that nobody uses: renewed before their refresh tokens end; and what is over, removed.

use std::convert::Infallible;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::application::App;
use super::grants::Found;
use super::provider::Provider;
use crate::http::{Random, spread};
use crate::oauth;
use crate::token::store::{ListedRecord, StoredRecord, in_time};
use crate::token::{self, AuditAction, AuditEvent, Renewal, StoreError, TokenHandle, TokenKey, Walk, WeakTokenHandle};
use crate::value::with_causes;

/// Renewals under way at once.
const AT_ONCE: usize = 8;

/// Keeps the grants of an application alive, and removes the marks of those that are long over: [`App::keep_alive`].
#[derive(Clone)]
#[must_use = "nothing is kept alive until this is run"]
pub struct KeepAlive<P: Provider> {
    app: App<P>,
    every: Duration,
    per_second: u32,
    unused_for: Option<Duration>,
}

/// What a [pass](KeepAlive::once) through the grants did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct KeptAlive {
    /// How many grants were looked at.
    pub grants: usize,
    /// How many of them have newer tokens now. Another process may have got them.
    pub renewed: usize,
    /// Those that were to be renewed and were not, each with the reason. The next pass tries again.
    pub failed: Vec<(TokenKey, token::Error)>,
    /// Those whose consent ends soon, and when: only the user can give another one.
    pub consents_ending: Vec<(TokenKey, DateTime<Utc>)>,
    /// How many marks of grants that are over were removed.
    pub tombstones: usize,
    /// How many authorizations that are over were removed.
    pub authorizations: usize,
    /// Records that cannot be read.
    pub unread: Vec<StoreError>,
    /// Why marks or authorizations that are over are still there. The next pass tries again. A store that does not
    /// remove records at all ([`StoreError::Unsupported`]) keeps them, which is no error.
    pub not_removed: Vec<StoreError>,
}

impl<P: Provider> App<P> {
    /// Keeps grants alive that nobody uses.
    ///
    /// A refresh token that is not used ends after some time (thirty days, or what the provider says), and the consent
    /// ends with it. This walks through all grants in the store, of every [tenant](Self::tenant) unless the application is
    /// one tenant's, and renews those whose refresh token is in the last quarter of its life, a week before its end at
    /// most. A grant is renewed once, in however many processes this runs, and at a bounded rate. It also removes
    /// [tombstones](crate::AppBuilder::tombstones_live) and authorizations that are over, with the
    /// [copies of damaged records](TokenKey::damaged_copy) of which no grant is left. A damaged record of a grant whose
    /// tokens this process holds is put right.
    ///
    /// The life of a refresh token is what the reply or the provider's documentation says. How much of it an
    /// [imported](Self::import) refresh token has left is unknown: where the documentation gives a life, such a grant is
    /// renewed when a quarter of that has passed since the import. Where neither says anything, set
    /// [`unused_for`](KeepAlive::unused_for). Nothing renews a consent whose own end has come.
    ///
    /// ```
    /// # #[cfg(feature = "mx")] {
    /// use std::time::Duration;
    ///
    /// fn start(app: &finrail::mx::App) -> tokio::task::JoinHandle<std::convert::Infallible> {
    ///     let keep_alive = app.keep_alive().every(Duration::from_secs(3600)).per_second(2);
    ///     tokio::spawn(keep_alive.run())
    /// }
    /// # }
    /// ```
    pub fn keep_alive(&self) -> KeepAlive<P> {
        KeepAlive {
            app: self.clone(),
            every: Duration::from_secs(3600),
            per_second: 5,
            unused_for: None,
        }
    }
}

impl<P: Provider> KeepAlive<P> {
    /// The pause between two passes; an hour by default, a minute at least, a year at most.
    pub fn every(mut self, pause: Duration) -> Self {
        self.every = pause.clamp(Duration::from_secs(60), Duration::from_secs(365 * 86_400));
        self
    }

    /// How many grants this process renews in a second at most; 5 by default, one at least.
    pub fn per_second(mut self, renewals: u32) -> Self {
        self.per_second = renewals.max(1);
        self
    }

    /// Renews a grant too that got no tokens for so long, where nobody says when its refresh token ends. A day at least. By
    /// default it is a quarter of the life that the provider's documentation gives to a refresh token; where that gives
    /// none, such a grant is left alone.
    pub fn unused_for(mut self, time: Duration) -> Self {
        self.unused_for = Some(time.max(Duration::from_secs(86_400)));
        self
    }

    /// Passes again and again, for as long as the future lives. Drop it, or abort its task, to end it: a renewal that is
    /// under way goes on. What a pass could not do is logged, and tried by the next one.
    pub async fn run(self) -> Infallible {
        let random = Random::from_system();
        loop {
            // The processes of one deployment start together.
            tokio::time::sleep(spread(self.every, 0.0..=0.1, random.draw())).await;
            match self.once().await {
                Ok(done) => {
                    let (failed, unread) = (done.failed.len(), done.unread.len());
                    tracing::info!(
                        grants = done.grants,
                        renewed = done.renewed,
                        failed,
                        unread,
                        not_removed = done.not_removed.len(),
                        consents_ending = done.consents_ending.len(),
                        tombstones = done.tombstones,
                        "a pass through the grants"
                    );
                }
                Err(error) => tracing::warn!(error = %with_causes(&error), "the pass through the grants did not end"),
            }
            tokio::time::sleep(spread(self.every, 0.9..=1.0, random.draw())).await;
        }
    }

    /// One pass through the grants.
    ///
    /// A grant that is not renewed, and a record that is not read or not removed, is in the report, and the pass goes on.
    ///
    /// # Errors
    ///
    /// When the store cannot go on with the list of its records, or has none ([`StoreError::Unsupported`]). What was done
    /// until then is done, and is logged.
    pub async fn once(&self) -> Result<KeptAlive, oauth::Error> {
        let mut done = KeptAlive::default();
        match self.pass(&mut done).await {
            Ok(()) => Ok(done),
            Err(error) => {
                tracing::warn!(
                    grants = done.grants,
                    renewed = done.renewed,
                    failed = done.failed.len(),
                    unread = done.unread.len(),
                    not_removed = done.not_removed.len(),
                    consents_ending = done.consents_ending.len(),
                    tombstones = done.tombstones,
                    "a pass through the grants ended early; this was done"
                );
                Err(error)
            }
        }
    }

    async fn pass(&self, done: &mut KeptAlive) -> Result<(), oauth::Error> {
        let between = Duration::from_secs(1) / self.per_second;
        let documented = P::profile().refresh.lifetime.map(Duration::from_secs);
        let unused_for = self.unused_for.or(documented.map(|life| life / 4));
        let mut renewals = FuturesUnordered::new();
        let mut walk = self.app.walk();
        let mut walked = Ok(());
        // The handles of this process, and those of them whose record the walk has not found.
        let own = self.app.0.handles.by_id();
        let mut not_found = own.clone();
        let mut is_over = false;
        loop {
            let next = match is_over {
                true => None,
                false => walk.next().await,
            };
            let listed = match next {
                Some(Ok(listed)) => listed,
                Some(Err(error)) => {
                    // What is under way is still waited for.
                    walked = Err(token::Error::from(error));
                    break;
                }
                None => {
                    is_over = true;
                    let Some(id) = not_found.keys().next().cloned() else {
                        break;
                    };
                    let handle = not_found.remove(&id).and_then(|handle| handle.upgrade());
                    match self.put_back(handle, done).await {
                        Some(listed) => listed,
                        None => continue,
                    }
                }
            };
            let id = listed.id.clone();
            let found = match self.app.found(listed) {
                Ok(Some(Found::Grant(found))) => found,
                Ok(Some(Found::DamagedCopy { key, revision })) => {
                    self.remove_copy_without_grant(&mut walk, &key, revision, done).await;
                    continue;
                }
                Ok(None) => continue,
                Err(error) => {
                    // One that is put right is found again behind the walk.
                    if is_over || self.app.mended(&id, &error).await.is_none() {
                        not_found.remove(&id);
                        done.unread.push(error);
                    }
                    continue;
                }
            };
            not_found.remove(&id);
            if let Some(tombstone) = &found.record.tombstone {
                // What this process holds of it is not to outlive the mark.
                let handle = own.get(&id).and_then(WeakTokenHandle::upgrade);
                if let Some(handle) = handle.filter(TokenHandle::holds_tokens)
                    && let Err(error) = learn(Some(handle)).await
                {
                    tracing::debug!(id, error = %with_causes(&error), "the end of a grant was not learned");
                }
                if token::after(tombstone.at, self.app.0.tombstones_live) <= self.now() {
                    let handle = own.get(&id).and_then(WeakTokenHandle::upgrade);
                    let removed = match learn(handle).await {
                        Ok(()) => walk.remove(&id, found.revision).await,
                        Err(error) => Err(error),
                    };
                    if matches!(removed, Ok(true)) && found.record.pseudonym.is_none() {
                        self.remove_copy(&mut walk, &found.record.key, done).await;
                    }
                    self.note_removal(removed, id, &found.record.key, tombstone.generation, done);
                }
                continue;
            }
            done.grants += 1;
            let Some(tokens) = &found.record.tokens else { continue };
            if let Some((end, near_from)) = token::consent_ends(tokens)
                && self.now() >= near_from
            {
                done.consents_ending.push((found.record.key.clone(), end));
            }
            if !token::is_to_be_renewed(tokens, unused_for, self.now()) {
                continue;
            }
            let handle = self.app.handle(found.record.key.clone(), Renewal::Refresh);
            let generation = tokens.generation;
            renewals.push(async move {
                let renewed = handle.renew(generation).await;
                (handle.key().clone(), renewed)
            });
            let pause = tokio::time::sleep(between);
            tokio::pin!(pause);
            loop {
                tokio::select! {
                    biased;
                    Some((key, renewed)) = renewals.next() => done.note(key, renewed),
                    () = &mut pause, if renewals.len() < AT_ONCE => break,
                }
            }
        }
        while let Some((key, renewed)) = renewals.next().await {
            done.note(key, renewed);
        }
        walked?;
        let authorizations = &self.app.0.authorizations;
        done.authorizations = authorizations
            .remove_all_over(&mut done.unread, &mut done.not_removed)
            .await?;
        Ok(())
    }

    /// The record of a grant of this process that the walk has not found: the store gets back what it lost.
    async fn put_back(&self, handle: Option<TokenHandle>, done: &mut KeptAlive) -> Option<ListedRecord> {
        let handle = handle.filter(|handle| handle.holds_tokens() && self.app.is_own_key(handle.key()))?;
        match handle.put_back().await {
            Ok(stored) => Some(ListedRecord {
                id: handle.key().storage_id(),
                record: Ok(stored?),
            }),
            Err(error) => {
                done.unread.push(error);
                None
            }
        }
    }

    /// Removes the copy of a damaged record of a grant of which nothing else is left.
    async fn remove_copy(&self, walk: &mut Walk, key: &TokenKey, done: &mut KeptAlive) {
        match self.load(&key.damaged_copy()).await {
            Ok(Some(copy)) => remove_copy_at(walk, key, copy.revision, done).await,
            Ok(None) => {}
            Err(error) => done.not_removed.push(error),
        }
    }

    /// The same for a copy that the walk found, whose grant may be there. One that a process holds is put back.
    async fn remove_copy_without_grant(&self, walk: &mut Walk, key: &TokenKey, revision: u64, done: &mut KeptAlive) {
        let is_held = self.app.0.handles.with_id(&key.storage_id());
        if is_held.is_some_and(|handle| handle.holds_tokens()) {
            return;
        }
        if let Ok(None) = self.load(key).await {
            remove_copy_at(walk, key, revision, done).await;
        }
    }

    async fn load(&self, key: &TokenKey) -> Result<Option<StoredRecord>, StoreError> {
        let store = &*self.app.0.store;
        in_time(store, "read the record", store.load(key)).await
    }

    /// Notes what became of a mark that is over.
    fn note_removal(
        &self,
        removed: Result<bool, StoreError>,
        id: String,
        key: &TokenKey,
        generation: u64,
        done: &mut KeptAlive,
    ) {
        match removed {
            Ok(true) => {
                done.tombstones += 1;
                self.app.0.audit.tell(|| AuditEvent {
                    at: self.now(),
                    id,
                    key: key.clone(),
                    holder: std::process::id().to_string(),
                    generation,
                    action: AuditAction::TombstoneRemoved,
                });
            }
            // It changed since, or the store keeps its marks.
            Ok(false) | Err(StoreError::Unsupported { .. }) => {}
            Err(error) => done.not_removed.push(error),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.app.0.clock.wall().into()
    }
}

async fn remove_copy_at(walk: &mut Walk, key: &TokenKey, revision: u64, done: &mut KeptAlive) {
    match walk.remove(&key.damaged_copy().storage_id(), revision).await {
        // It changed since, or the store keeps what is over.
        Ok(_) | Err(StoreError::Unsupported { .. }) => {}
        Err(error) => done.not_removed.push(error),
    }
}

/// Lets a handle that still has the grant see the mark before it is gone: later it would take the missing mark for a loss
/// of the store, and put the grant back.
async fn learn(handle: Option<TokenHandle>) -> Result<(), StoreError> {
    let Some(handle) = handle else { return Ok(()) };
    match handle.load().await {
        Err(token::Error::Store { source }) => Err(source),
        // That the grant is over is what it had to learn.
        Ok(_) | Err(_) => Ok(()),
    }
}

impl KeptAlive {
    fn note(&mut self, key: TokenKey, renewed: Result<(), token::Error>) {
        match renewed {
            Ok(()) => self.renewed += 1,
            Err(error) => {
                tracing::debug!(%key, error = %with_causes(&error), "a grant was not renewed");
                self.failed.push((key, error));
            }
        }
    }
}

impl<P: Provider> std::fmt::Debug for KeepAlive<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeepAlive")
            .field("every", &self.every)
            .field("per_second", &self.per_second)
            .field("unused_for", &self.unused_for)
            .finish_non_exhaustive()
    }
}
