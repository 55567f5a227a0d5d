//! An authorization under way: what is remembered between the redirect and the callback.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::value::{ScopeSet, Secret};

/// Where to send the user, and what to remember until they come back.
///
/// `Debug` shows the address without its query, because `state` is in it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Authorization {
    /// The URL for the user's browser. It carries `state`: show it to this user only.
    pub url: Url,
    /// What [`finish`](crate::App::finish) needs. Keep it in the user's session, or let
    /// [`begin`](crate::App::begin) keep all of this in the token store.
    pub pending: Pending,
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut address = self.url.clone();
        address.set_query(None);
        f.debug_struct("Authorization")
            .field("url", &address.as_str())
            .field("pending", &self.pending)
            .finish()
    }
}

impl Authorization {
    /// Says whose consent it will be, in the application's own words; it becomes part of the
    /// connection's key. Without it the provider's own name for the account is used where it
    /// has one, and a random one otherwise. An empty one is refused when the authorization is begun or finished.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.pending.subject = Some(subject.into());
        self
    }
}

/// What is remembered between the redirect and the callback.
///
/// It can be serialised, because the callback may reach another process. It
/// holds secrets (`state`, the PKCE verifier): keep it where sessions are kept.
/// `Debug` shows neither. It is good for one use, until the app's
/// [`authorization_lifetime`](crate::AppBuilder::authorization_lifetime) is over.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pending {
    pub(crate) provider: String,
    pub(crate) client_id: String,
    pub(crate) state: Secret,
    pub(crate) verifier: Option<Secret>,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) scopes: ScopeSet,
    /// Where the code is exchanged, where it is not the provider's default environment.
    #[serde(default)]
    pub(crate) token_endpoint: String,
    /// What the scopes are bound to.
    #[serde(default)]
    pub(crate) bound: Vec<String>,
    pub(crate) subject: Option<String>,
    /// On whose behalf; empty: nobody's in particular.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) tenant: String,
    /// When it ends; none: an earlier version made it, which did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<DateTime<Utc>>,
}

impl Pending {
    /// The value of `state`, by which a callback finds its pending authorization:
    /// [`callback_state`](super::callback_state) reads it out of one.
    #[must_use]
    pub fn state(&self) -> &Secret {
        &self.state
    }

    /// When it ends. None: an earlier version made it, which did not say.
    #[must_use]
    pub fn until(&self) -> Option<DateTime<Utc>> {
        self.until
    }

    /// On whose behalf the application began it ([`App::tenant`](crate::App::tenant)); empty: nobody's in particular.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The provider.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("provider", &self.provider)
            .field("redirect_uri", &self.redirect_uri)
            .field("scopes", &self.scopes)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}
