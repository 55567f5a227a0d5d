//! Tokens that the server gave and the store did not take yet.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::token::{Error, StoreError, TokenSet};
use crate::value::Secret;

/// Tokens that the server gave and the store did not take yet.
#[derive(Clone)]
pub(crate) struct UnstoredTokens {
    pub tokens: TokenSet,
    /// The access token from whose generation they were made; none: a login.
    pub parent: Option<Secret>,
}

/// The set that waits to be stored, if one does.
#[derive(Default)]
pub(crate) struct Unstored(Mutex<Option<Box<Waiting>>>);

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

    fn lock(&self) -> MutexGuard<'_, Option<Box<Waiting>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
