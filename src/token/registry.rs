//! The handles of one application: one for each grant, however often it is asked for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::handle::WeakTokenHandle;
use super::{TokenHandle, TokenKey};

/// The handles that are in use. Two handles of one grant in a process would not know of each other: a revocation
/// through one would leave the other serving, and a herd at expiry would be as many herds as there are handles.
#[derive(Default)]
pub(crate) struct Handles(Mutex<Known>);

#[derive(Default)]
struct Known {
    handles: HashMap<TokenKey, WeakTokenHandle>,
    /// How many there may be until those that are gone are looked for.
    tidy_at: usize,
}

impl Handles {
    /// The handle of the grant with this key, made if nobody uses one.
    pub fn of(&self, key: &TokenKey, make: impl FnOnce() -> TokenHandle) -> TokenHandle {
        const FEW: usize = 64;

        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = known.handles.get(key).and_then(WeakTokenHandle::upgrade) {
            return handle;
        }
        if known.handles.len() >= known.tidy_at {
            known.handles.retain(|_, handle| handle.upgrade().is_some());
            known.tidy_at = (known.handles.len() * 2).max(FEW);
        }
        let handle = make();
        known.handles.insert(key.clone(), handle.downgrade());
        handle
    }

    /// Those that are in use now, by the [ids](TokenKey::storage_id) of their keys, without keeping them in use.
    pub fn by_id(&self) -> HashMap<String, WeakTokenHandle> {
        let in_use = self.in_use();
        in_use
            .iter()
            .map(|handle| (handle.key().storage_id(), handle.downgrade()))
            .collect()
    }

    /// The one with this [id](TokenKey::storage_id), if it is in use now.
    pub fn with_id(&self, id: &str) -> Option<TokenHandle> {
        let mut in_use = self.in_use().into_iter();
        in_use.find(|handle| handle.key().storage_id() == id)
    }

    /// All that are in use now.
    pub fn in_use(&self) -> Vec<TokenHandle> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.handles.values().filter_map(WeakTokenHandle::upgrade).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use futures_util::future::BoxFuture;

    use super::*;
    use crate::token::{GrantKind, Issuer, IssuerError, Obtain, Renewal, RevokeRequest, TokenReply};

    struct Nobody;

    impl Issuer for Nobody {
        fn obtain(&self, _: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
            Box::pin(std::future::pending())
        }
        fn revoke(&self, _: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
            Box::pin(std::future::pending())
        }
    }

    #[test]
    fn a_grant_has_one_handle_while_it_is_in_use_and_none_is_kept_after_that() {
        let handles = Handles::default();
        let key = |number: usize| {
            TokenKey::new("mx", "client", GrantKind::AuthorizationCode).subject(format!("customer-{number}"))
        };
        let get = |number| {
            handles.of(&key(number), || {
                TokenHandle::builder(key(number), Arc::new(Nobody), Renewal::Refresh).build()
            })
        };
        let kept = get(0);
        assert!(std::ptr::eq(kept.key(), get(0).key()));
        for number in 0..1000 {
            drop(get(number));
        }
        assert_eq!(handles.in_use().len(), 1);
        let by_id = handles.by_id();
        assert_eq!(by_id.keys().collect::<Vec<_>>(), [&key(0).storage_id()]);
        assert!(by_id[&key(0).storage_id()].upgrade().is_some());
        let with_id = |number| handles.with_id(&key(number).storage_id());
        assert!(with_id(0).is_some_and(|found| std::ptr::eq(found.key(), kept.key())) && with_id(1).is_none());
        assert!(handles.0.lock().unwrap().handles.len() <= 129);
    }
}
