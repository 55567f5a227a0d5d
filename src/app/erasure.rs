//! A person's grants, removed.

use std::collections::BTreeSet;

use super::application::App;
use super::grants::Found;
use super::provider::Provider;
use crate::oauth;
use crate::token::{self, Renewal, StoreError, TokenKey};
use crate::value::with_causes;

/// What [`App::erase`] is about to do.
#[must_use = "nothing is erased until this is run"]
pub struct Erasure<P: Provider> {
    app: App<P>,
    subject: String,
    revokes: bool,
}

/// What became of an [erasure](Erasure::run).
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Erased {
    /// How many grants were erased.
    pub grants: usize,
    /// How many authorizations that were under way were removed.
    pub authorizations: usize,
    /// The grants that are still there, each with the reason.
    pub unfinished: Vec<(TokenKey, token::Error)>,
    /// Records that cannot be read, and may be the person's; and authorizations that could not be removed.
    pub unread: Vec<StoreError>,
}

impl Erased {
    /// Whether nothing of the person is left in the tenant that was meant, as far as can be known. Otherwise look at
    /// [`unfinished`](Self::unfinished) and [`unread`](Self::unread), and erase again.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unfinished.is_empty() && self.unread.is_empty()
    }
}

impl<P: Provider> App<P> {
    /// Removes what the [store](crate::AppBuilder::store) and this application hold of a person: the grants with this
    /// [subject](TokenKey::subject) for this provider, also those that are in memory only because the store did not take
    /// them yet, the authorizations that are under way, and copies of damaged records. Of a [tenant's](Self::tenant) application, the tenant's; without a tenant, those that have none.
    ///
    /// Each living grant is revoked at the provider first, where the provider has a revocation endpoint; a grant whose
    /// revocation fails stays, and the answer names it. Revocation and removal are one change: no login comes between. A login
    /// whose code is on its way to the provider at that moment is stored afterwards, as a login of somebody who is there
    /// again: end what the person has open before, or erase once more. What remains of a grant is a mark with a
    /// [pseudonym](token::Pseudonym) in place of the subject, so that other processes forget the grant too, and only until
    /// the mark is removed ([`tombstones_live`](crate::AppBuilder::tombstones_live)). Set
    /// [a key](crate::AppBuilder::pseudonym_key) for these pseudonyms. The [id](TokenKey::storage_id) of the mark is a hash of
    /// the grant's key: until then, who knows everything else in that key can test whether a subject was there.
    ///
    /// Nothing can be removed from copies of the store, such as backups. Processes of an earlier version do not read such
    /// a mark: they answer calls of that grant with an error of the store, and a login there is not stored while the mark
    /// lives. Grants of another client id or authorization server are another application's.
    ///
    /// ```
    /// # #[cfg(feature = "mx")] {
    /// async fn forget_person(app: &finrail::mx::App, user: &str) -> Result<bool, finrail::oauth::Error> {
    ///     let erased = app.erase(user).run().await?;
    ///     for (grant, error) in &erased.unfinished {
    ///         eprintln!("{grant} is still there: {error}");
    ///     }
    ///     Ok(erased.is_complete()) // otherwise try again later
    /// }
    /// # }
    /// ```
    pub fn erase(&self, subject: impl Into<String>) -> Erasure<P> {
        Erasure {
            app: self.clone(),
            subject: subject.into(),
            revokes: true,
        }
    }
}

impl<P: Provider> Erasure<P> {
    /// Erases without a word to the provider, where the grants live on until they end by themselves.
    pub fn without_revocation(mut self) -> Self {
        self.revokes = false;
        self
    }

    /// Erases. It may be run again at any time.
    ///
    /// # Errors
    ///
    /// When the subject is empty, or the store fails or cannot list its records
    /// ([`StoreError::Unsupported`]). Some grants may be erased then.
    pub async fn run(self) -> Result<Erased, oauth::Error> {
        if self.subject.is_empty() {
            return Err(oauth::Error::NoSubject);
        }
        let mut erased = Erased::default();
        let mut keys = BTreeSet::new();
        // One that is completed from here on belongs to somebody who is there again.
        let authorizations = &self.app.0.authorizations;
        let is_own = |pending: &oauth::Pending| {
            pending.subject.as_deref() == Some(&*self.subject)
                && pending.tenant() == self.app.tenant_name()
                && self.app.check_pending(pending).is_ok()
        };
        let mut not_removed = Vec::new();
        let removed = authorizations.erase(is_own, &mut erased.unread, &mut not_removed).await;
        erased.unread.append(&mut not_removed);
        erased.authorizations = removed?;
        // First what is in memory: it may be about to be stored, under an id that the walk is past.
        for handle in self.app.0.handles.in_use() {
            if self.is_the_persons(handle.key()) && handle.holds_tokens() && keys.insert(handle.key().clone()) {
                self.erase(handle.key().clone(), true, &mut erased).await;
            }
        }
        let mut walk = self.app.walk();
        while let Some(found) = walk.next().await {
            let listed = found.map_err(token::Error::from)?;
            let id = listed.id.clone();
            let (key, lives) = match self.app.found(listed) {
                Ok(Some(Found::Grant(found))) => (found.record.key, found.record.tombstone.is_none()),
                // It goes with its grant, whatever there is of that.
                Ok(Some(Found::DamagedCopy { key, .. })) => (key, false),
                Ok(None) => continue,
                Err(error) => match self.app.mended(&id, &error).await {
                    Some(handle) => (handle.key().clone(), handle.holds_tokens()),
                    None => {
                        erased.unread.push(error);
                        continue;
                    }
                },
            };
            if self.is_the_persons(&key) && keys.insert(key.clone()) {
                self.erase(key, lives, &mut erased).await;
            }
        }
        Ok(erased)
    }

    /// Whether it is the key of a grant of the person, in the tenant that is meant.
    fn is_the_persons(&self, key: &TokenKey) -> bool {
        key.subject == self.subject && key.tenant == self.app.tenant_name()
    }

    /// `found_alive`: what counts of a grant that the store does not give out, such as an older copy that it refuses.
    async fn erase(&self, key: TokenKey, found_alive: bool, erased: &mut Erased) {
        let handle = self.app.handle(key.clone(), Renewal::Refresh);
        // A look, and no more: what the store has lost is not given back to be erased, and what this process holds beside what
        // is stored is to end too.
        let lives = match handle.stored().await {
            Ok(Some(record)) => record.tombstone.is_none(),
            Ok(None) => handle.holds_tokens(),
            Err(_) => found_alive,
        };
        match handle.erase(self.revokes).await {
            Ok(()) => erased.grants += usize::from(lives),
            Err(error) => {
                // The subject is not for the log any more.
                tracing::warn!(id = key.storage_id(), error = %with_causes(&error), "a grant is not erased");
                erased.unfinished.push((key, error));
            }
        }
    }
}

impl<P: Provider> std::fmt::Debug for Erasure<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Erasure")
            .field("revokes", &self.revokes)
            .finish_non_exhaustive()
    }
}
