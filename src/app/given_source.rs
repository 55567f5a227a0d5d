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

#[cfg(test)]
#[cfg(feature = "mx")]
mod tests {
    use std::future::ready;

    use super::*;
    use crate::Secret;

    struct Given;

    impl TokenSource for Given {
        fn ready(&self) -> Option<Bearer> {
            Bearer::new(&Secret::from("token-1"), 1).ok()
        }
        fn fresh(&self) -> BoxFuture<'_, Result<Bearer, Error>> {
            Box::pin(ready(Err(Error::from_source("no fresh one"))))
        }
        fn rejected(&self, _: u64, _: Rejection) -> BoxFuture<'_, Result<Bearer, Error>> {
            Box::pin(ready(Err(Error::from_source("no other one"))))
        }
        fn granted(&self) -> Option<Arc<ScopeSet>> {
            Some(Arc::new(ScopeSet::parse("read")))
        }
        fn provider(&self) -> Option<&str> {
            Some("mx")
        }
        fn grant(&self) -> Option<GrantKind> {
            Some(GrantKind::ClientCredentials)
        }
        fn token_endpoint(&self) -> Option<&str> {
            Some("https://institution.example/token")
        }
        fn waiting(&self) -> Option<Error> {
            Some(Error::from_source("it waits"))
        }
        fn connection(&self) -> Option<String> {
            Some("one".to_owned())
        }
    }

    #[test]
    fn what_a_source_says_of_itself_is_said_of_it() {
        let given = GivenSource::of::<<crate::mx::Client as crate::TypedClient>::Provider>(Arc::new(Given));
        assert_eq!(given.ready().map(|bearer| bearer.generation), Some(1));
        assert_eq!(given.granted().as_deref(), Some(&ScopeSet::parse("read")));
        assert_eq!(given.provider(), Some("mx"));
        assert_eq!(given.grant(), Some(GrantKind::ClientCredentials));
        assert_eq!(given.token_endpoint(), Some("https://institution.example/token"));
        assert!(given.waiting().is_some());
        assert_eq!(given.connection().as_deref(), Some("one"));
    }
}
