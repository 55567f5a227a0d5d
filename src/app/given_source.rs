//! A token source that an application gave to a client.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::provider::Provider;
use crate::oauth::{Profile, granted};
use crate::token::{Bearer, Error, GrantKind, Rejection, TokenSource};
use crate::value::ScopeSet;

/// A token source of an application's own. It may tell scopes as the provider writes them, as a token reply and an import may:
/// calls ask for them by their names.
pub(super) struct GivenSource {
    source: Arc<dyn TokenSource>,
    profile: &'static Profile,
}

impl GivenSource {
    pub fn of<P: Provider>(source: Arc<dyn TokenSource>) -> Self {
        Self {
            source,
            profile: P::profile(),
        }
    }
}

impl TokenSource for GivenSource {
    fn ready(&self) -> Option<Bearer> {
        self.source.ready()
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Bearer, Error>> {
        self.source.fresh()
    }

    fn rejected(&self, generation: u64, rejection: Rejection) -> BoxFuture<'_, Result<Bearer, Error>> {
        self.source.rejected(generation, rejection)
    }

    fn granted(&self) -> Option<Arc<ScopeSet>> {
        let told = self.source.granted()?;
        let is_plain = told.iter().all(|scope| self.profile.is_plain(scope));
        match is_plain {
            true => Some(told),
            false => Some(Arc::new(granted(self.profile, &told))),
        }
    }

    fn provider(&self) -> Option<&str> {
        self.source.provider()
    }

    fn grant(&self) -> Option<GrantKind> {
        self.source.grant()
    }

    fn token_endpoint(&self) -> Option<&str> {
        self.source.token_endpoint()
    }

    fn waiting(&self) -> Option<Error> {
        self.source.waiting()
    }

    fn connection(&self) -> Option<String> {
        self.source.connection()
    }
}
