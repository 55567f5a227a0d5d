//! The grants of an application's users, one after the other.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use chrono::{DateTime, Utc};
use futures_core::Stream;
use futures_util::stream::{BoxStream, StreamExt as _, unfold};

use super::application::App;
use super::provider::Provider;
use crate::oauth;
use crate::token::store::ListedRecord;
use crate::token::{
    DamagedCopy, GrantKind, ReauthorizationReason, StoreError, TokenHandle, TokenInfo, TokenKey, TokenStore, Versioned,
    Walk, read_listed,
};

/// The grants of an application's users: what [`App::grants`] walks through.
///
/// It is a [`Stream`]; [`next`](Self::next) does without one.
#[must_use = "a walk does nothing until it is asked for the next grant"]
pub struct Grants(BoxStream<'static, Result<ListedGrant, oauth::Error>>);

/// A grant as a walk through the store finds it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListedGrant {
    /// Its key, by which [`App::connection`] finds it.
    pub key: TokenKey,
    /// What the store has of it.
    pub state: GrantState,
}

/// What a store has of a grant.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum GrantState {
    /// Tokens. None of them is in here.
    Alive(TokenInfo),
    /// The word that it is over.
    #[non_exhaustive]
    Ended {
        /// Why.
        reason: ReauthorizationReason,
        /// Since when.
        at: DateTime<Utc>,
    },
}

/// A record of a grant, or a copy of a damaged one.
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart where it is made, and kept nowhere"
)]
pub(super) enum Found {
    Grant(Versioned),
    DamagedCopy {
        /// Of the grant.
        key: TokenKey,
        /// Of the copy.
        revision: u64,
    },
}

impl Grants {
    /// The next grant. `None`: there are no more.
    ///
    /// A record that cannot be read is an error, and the walk goes on after it. When the store fails, the walk is over after
    /// the error.
    pub async fn next(&mut self) -> Option<Result<ListedGrant, oauth::Error>> {
        self.0.next().await
    }
}

impl Stream for Grants {
    type Item = Result<ListedGrant, oauth::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

impl std::fmt::Debug for Grants {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grants").finish_non_exhaustive()
    }
}

impl<P: Provider> App<P> {
    /// The grants of this application's users in the [store](crate::AppBuilder::store), those of other processes too, in
    /// no order that means anything. Of a [tenant's](Self::tenant) application, those of the tenant.
    ///
    /// A grant that is over is listed until its mark is removed ([`tombstones_live`](crate::AppBuilder::tombstones_live)),
    /// unless the mark does not name whose it was. What is written or removed during the walk may be listed or not. The
    /// application's own tokens are not listed.
    ///
    /// It reads every record of the provider's grants, in steps of about a hundred, and takes its turn behind refreshes.
    ///
    /// ```
    /// # #[cfg(feature = "mx")] {
    /// use finrail::{GrantState, mx};
    ///
    /// async fn to_ask_again(app: &mx::App) -> Result<Vec<String>, finrail::oauth::Error> {
    ///     let mut subjects = Vec::new();
    ///     let mut grants = app.grants();
    ///     while let Some(grant) = grants.next().await {
    ///         let grant = grant?;
    ///         if let GrantState::Ended { reason, .. } = grant.state {
    ///             println!("{}: {reason}", grant.key);
    ///             subjects.push(grant.key.subject);
    ///         }
    ///     }
    ///     Ok(subjects)
    /// }
    /// # }
    /// ```
    pub fn grants(&self) -> Grants {
        let walk = (self.clone(), self.walk());
        let grants = unfold(walk, |(app, mut walk)| async move {
            loop {
                let (id, found) = match walk.next().await? {
                    Ok(listed) => (listed.id.clone(), app.found(listed)),
                    Err(error) => (String::new(), Err(error)),
                };
                let found = match found {
                    Ok(Some(Found::Grant(found))) => listed(found),
                    Ok(_) => continue,
                    Err(error) => match app.mended(&id, &error).await.as_ref().and_then(held) {
                        Some(grant) => Ok(Some(grant)),
                        None => Err(error.into()),
                    },
                };
                match found {
                    Ok(None) => {}
                    Ok(Some(grant)) => return Some((Ok(grant), (app, walk))),
                    Err(error) => return Some((Err(oauth::Error::Token(error)), (app, walk))),
                }
            }
        });
        Grants(grants.boxed())
    }

    /// A walk through the records among which this application's are.
    pub(super) fn walk(&self) -> Walk {
        let ids = TokenKey::storage_ids(P::profile().provider, self.1.as_deref());
        Walk::new(Arc::clone(&self.0.store), ids)
    }

    /// The handle of the grant whose record a walk found damaged under this id, where this process holds its tokens and the
    /// store has them back now.
    pub(super) async fn mended(&self, id: &str, error: &StoreError) -> Option<TokenHandle> {
        let handle = self.0.handles.with_id(id)?;
        handle.mend(error).await.then_some(handle)
    }

    /// What a record of the walk is. `None`: it is not this application's, or its own tokens are in it.
    pub(super) fn found(&self, listed: ListedRecord) -> Result<Option<Found>, StoreError> {
        let store: &dyn TokenStore = &*self.0.store;
        let copy = listed.record.as_ref().ok().and_then(|stored| {
            let DamagedCopy { key } = DamagedCopy::decode(&stored.bytes)?;
            let revision = stored.revision;
            Some(Found::DamagedCopy { key, revision })
        });
        let found = match copy {
            Some(copy) => copy,
            None => Found::Grant(read_listed(listed, store)?),
        };
        let key = match &found {
            Found::Grant(found) => &found.record.key,
            Found::DamagedCopy { key, .. } => key,
        };
        let is_own = self.is_own_key(key) && key.grant != GrantKind::ClientCredentials;
        Ok(is_own.then_some(found))
    }
}

/// What is told of a grant that this process holds.
fn held(handle: &TokenHandle) -> Option<ListedGrant> {
    Some(ListedGrant {
        key: handle.key().clone(),
        state: GrantState::Alive(handle.info()?),
    })
}

/// What is told of a record. `None`: it does not say whose it is.
fn listed(found: Versioned) -> Result<Option<ListedGrant>, crate::token::Error> {
    let record = found.record;
    if record.pseudonym.is_some() {
        return Ok(None);
    }
    let state = match (&record.tombstone, &record.tokens) {
        (Some(tombstone), _) => GrantState::Ended {
            reason: tombstone.reason,
            at: tombstone.at,
        },
        (None, Some(tokens)) => GrantState::Alive(tokens.info()),
        // A record has one of them: it is not read otherwise.
        (None, None) => return Ok(None),
    };
    let key = record.key;
    Ok(Some(ListedGrant { key, state }))
}
