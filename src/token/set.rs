//! The tokens of a grant at one moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::clock::{after, between};
use super::{Lineage, RevokedToken, Rotation, TokenReply};
use crate::value::{ScopeSet, Secret};

/// The tokens of a grant at one moment, with absolute times only.
///
/// Serialising writes the secrets, because that is how they get into a
/// [store](super::TokenStore); `Debug` never shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TokenSet {
    /// How many token sets the grant has had; it moves with every new one.
    pub generation: u64,
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, where the grant has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Secret>,
    /// The ID token, unread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<Secret>,
    /// When the request for it was sent.
    pub obtained_at: DateTime<Utc>,
    /// When the access token ends; none: unknown, it is good until it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When the refresh token ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_expires_at: Option<DateTime<Utc>>,
    /// When the user's consent ends, whatever is refreshed until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_expires_at: Option<DateTime<Utc>>,
    /// The scopes that were granted.
    pub scopes: Arc<ScopeSet>,
    /// Documented fields beyond RFC 6749.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
    /// Which login they go back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Lineage>,
}

impl TokenSet {
    /// The first token set of a grant.
    ///
    /// `requested` is granted when the reply does not say otherwise (RFC 6749
    /// section 5.1). `sent_at` is when the request was sent, not when the reply
    /// came: a slow reply never makes a token look younger than it is.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use finrail::ScopeSet;
    /// use finrail::token::{Rotation, TokenReply, TokenSet};
    ///
    /// let mut reply = TokenReply::new("a-token");
    /// reply.expires_in = Some(Duration::from_secs(3600));
    /// let set = TokenSet::first(reply, &ScopeSet::parse("payments"), SystemTime::now(), &Rotation::UNKNOWN);
    /// assert_eq!(set.generation, 1);
    /// assert!(set.scopes.contains("payments"));
    /// assert!(!format!("{set:?}").contains("a-token"));
    /// ```
    #[must_use]
    pub fn first(reply: TokenReply, requested: &ScopeSet, sent_at: SystemTime, rotation: &Rotation) -> Self {
        let sent_at = DateTime::<Utc>::from(sent_at);
        let life = match &reply.unusable {
            Some(_) => Some(Duration::ZERO),
            None => positive(reply.expires_in),
        };
        Self {
            generation: 1,
            access_token: reply.access_token,
            refresh_token: reply.refresh_token.filter(|token| !token.is_empty()),
            id_token: reply.id_token,
            obtained_at: sent_at,
            expires_at: life.map(|life| after(sent_at, life)),
            refresh_expires_at: positive(reply.refresh_expires_in).map(|life| after(sent_at, life)),
            consent_expires_at: rotation.consent_lifetime.map(|life| after(sent_at, life)),
            scopes: Arc::new(reply.scopes.unwrap_or_else(|| requested.clone())),
            extra: reply.extra,
            lineage: None,
        }
    }

    /// The token set that follows this one by a refresh.
    ///
    /// What the reply leaves out stays as it was: a reply without
    /// `refresh_token` keeps the old one (RFC 6749 section 6), one without
    /// `scope` the scopes, and fields that came with the authorization are kept. So is the access token with its end,
    /// when the reply has [none that can be used](TokenReply::unusable): it may still serve.
    #[must_use]
    pub fn next(&self, reply: TokenReply, sent_at: SystemTime) -> Self {
        let usable = reply.unusable.is_none();
        let mut first = Self::first(reply, &self.scopes, sent_at, &Rotation::UNKNOWN);
        if !usable {
            first.access_token = self.access_token.clone();
            (first.obtained_at, first.expires_at) = (self.obtained_at, self.expires_at);
        }
        let rotated = first.refresh_token.is_some();
        let mut extra = self.extra.clone();
        extra.extend(first.extra);
        Self {
            generation: self.generation.saturating_add(1),
            refresh_expires_at: first
                .refresh_expires_at
                .or(if rotated { None } else { self.refresh_expires_at }),
            refresh_token: first.refresh_token.or_else(|| self.refresh_token.clone()),
            id_token: first.id_token.or_else(|| self.id_token.clone()),
            consent_expires_at: self.consent_expires_at,
            lineage: self.lineage.clone(),
            extra,
            ..first
        }
    }

    /// The field by which a reply to a refresh says that it is for another account than the one that was authorized.
    pub(crate) fn differs_in<'r>(&self, reply: &'r TokenReply) -> Option<&'r str> {
        let field = reply.account_field.as_deref()?;
        let (known, named) = (self.extra.get(field)?, reply.extra.get(field)?);
        (known != named).then_some(field)
    }

    /// The login that they are of replaces this grant, or none.
    pub(crate) fn descend_from(&mut self, seen: Option<(Option<&Lineage>, bool)>) {
        self.lineage = self.lineage.take().map(|login| login.after(seen));
    }

    /// How long the access token lives, from its request on.
    #[must_use]
    pub fn lifetime(&self) -> Option<Duration> {
        self.expires_at.map(|end| between(self.obtained_at, end))
    }

    /// The refresh token ends the whole grant, so it goes first (RFC 7009 section 2.1).
    pub(crate) fn to_revoke(&self) -> RevokedToken {
        match &self.refresh_token {
            Some(refresh_token) => RevokedToken::Refresh(refresh_token.clone()),
            None => RevokedToken::Access(self.access_token.clone()),
        }
    }

    /// What may be shown of it.
    #[must_use]
    pub fn info(&self) -> TokenInfo {
        TokenInfo {
            generation: self.generation,
            obtained_at: self.obtained_at,
            expires_at: self.expires_at,
            refresh_expires_at: self.refresh_expires_at,
            consent_expires_at: self.consent_expires_at,
            has_refresh_token: self.refresh_token.is_some(),
            scopes: Arc::clone(&self.scopes),
            extra: self.extra.clone(),
        }
    }
}

/// `expires_in: 0` says that a server does not know, not that its token is useless: taken at its word it
/// would be a refresh with every call.
fn positive(life: Option<Duration>) -> Option<Duration> {
    life.filter(|life| !life.is_zero())
}

/// What may be shown of a token set: no secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TokenInfo {
    /// How many token sets the grant has had.
    pub generation: u64,
    /// When the request for it was sent.
    pub obtained_at: DateTime<Utc>,
    /// When the access token ends; none: unknown.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the refresh token ends.
    pub refresh_expires_at: Option<DateTime<Utc>>,
    /// When the user's consent ends.
    pub consent_expires_at: Option<DateTime<Utc>>,
    /// Whether it can be refreshed.
    pub has_refresh_token: bool,
    /// The scopes that were granted.
    pub scopes: Arc<ScopeSet>,
    /// Documented fields beyond RFC 6749 (Finexer's `account_id`).
    pub extra: BTreeMap<String, String>,
}
