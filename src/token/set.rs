//! The tokens of a grant at one moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::clock::{after, between};
use super::fingerprint::Fingerprint;
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
    /// No reply told the scopes: whoever imported the tokens said that they are these.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) scopes_of_import: bool,
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
            scopes_of_import: false,
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
        let tells_scopes = reply.scopes.is_some();
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
            scopes_of_import: self.scopes_of_import && !tells_scopes,
            extra,
            ..first
        }
    }

    /// The field by which a reply to a refresh says that it is for another account than the one that was authorized.
    pub(crate) fn differs_in<'r>(&self, reply: &'r TokenReply) -> Option<&'r str> {
        let field = reply.account_field.as_deref()?;
        let (known, named) = (self.extra.get(field)?.trim(), reply.extra.get(field)?);
        // Imported tokens may have been stored with an empty one, which names no account.
        (!known.is_empty() && known != named).then_some(field)
    }

    /// The login that they are of replaces this grant, or none.
    pub(crate) fn descend_from(&mut self, seen: Option<(Option<&Lineage>, Option<DateTime<Utc>>)>) {
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

    /// Whether a token of one is a token of the other: a provider may give a user who comes again what it gave before.
    /// Then there is one grant, and what ends the one ends the other.
    pub(crate) fn has_a_token_of(&self, other: &Self) -> bool {
        let same_refresh_token = self.refresh_token.is_some() && self.refresh_token == other.refresh_token;
        let same_access_token = !self.access_token.is_empty() && self.access_token == other.access_token;
        same_refresh_token || same_access_token
    }

    /// Whether they are what an import brought, and nothing came of it yet.
    pub(crate) fn is_as_imported(&self) -> bool {
        let lineage = self.lineage.as_ref();
        lineage.is_some_and(|lineage| lineage.began_with(self.imported()))
    }

    /// The token by which an import of these tokens is known again.
    pub(crate) fn imported(&self) -> Fingerprint {
        Fingerprint::of(self.to_revoke().secret())
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

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn sent_at() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600)
    }

    fn in_hours(hours: u32) -> Option<DateTime<Utc>> {
        Some(DateTime::from(sent_at() + HOUR * hours))
    }

    fn full(number: u32) -> TokenReply {
        let mut reply = TokenReply::new(format!("access-{number}"));
        reply.refresh_token = Some(Secret::new(format!("refresh-{number}")));
        reply.id_token = Some(Secret::new(format!("id-{number}")));
        reply.expires_in = Some(HOUR);
        reply.refresh_expires_in = Some(HOUR * 10);
        reply.scopes = Some(ScopeSet::parse("granted"));
        reply.extra = BTreeMap::from([("account".to_owned(), "a-1".to_owned())]);
        reply
    }

    fn first(reply: TokenReply) -> TokenSet {
        let rotation = Rotation {
            consent_lifetime: Some(HOUR * 100),
            ..Rotation::UNKNOWN
        };
        TokenSet::first(reply, &ScopeSet::parse("requested"), sent_at(), &rotation)
    }

    fn unusable() -> Arc<dyn std::error::Error + Send + Sync> {
        Arc::new(std::fmt::Error)
    }

    #[test]
    fn of_two_sets_one_token_in_common_is_enough_and_no_token_is_none_in_common() {
        let set = |access: &str, refresh: Option<&str>| {
            let mut reply = TokenReply::new(access);
            reply.refresh_token = refresh.map(Secret::from);
            first(reply)
        };
        for (one, other, has_one) in [
            (set("a", Some("r")), set("b", Some("r")), true),
            (set("a", Some("r")), set("a", Some("s")), true),
            (set("a", None), set("a", Some("s")), true),
            (set("a", Some("r")), set("b", Some("s")), false),
            (set("a", None), set("b", None), false),
            (set("", Some("r")), set("", Some("s")), false),
            (set("", Some("r")), set("", Some("r")), true),
        ] {
            assert_eq!(one.has_a_token_of(&other), has_one);
            assert_eq!(other.has_a_token_of(&one), has_one);
        }
    }

    #[test]
    fn a_first_set_counts_its_times_from_the_request() {
        let set = first(full(1));
        assert_eq!(set.generation, 1);
        assert_eq!(set.obtained_at, DateTime::<Utc>::from(sent_at()));
        assert_eq!(
            (set.expires_at, set.refresh_expires_at, set.consent_expires_at),
            (in_hours(1), in_hours(10), in_hours(100))
        );
        assert_eq!(set.lifetime(), Some(HOUR));
        assert_eq!(*set.scopes, ScopeSet::parse("granted"));
        assert_eq!(set.access_token, Secret::from("access-1"));
        assert_eq!(set.refresh_token, Some(Secret::from("refresh-1")));
        assert_eq!(set.id_token, Some(Secret::from("id-1")));
        assert_eq!(set.extra.len(), 1);
    }

    #[test]
    fn what_a_reply_does_not_say_is_not_known_and_scopes_are_those_requested() {
        let mut reply = TokenReply::new("access-1");
        // A server that says nothing in other words.
        reply.refresh_token = Some(Secret::from(""));
        reply.expires_in = Some(Duration::ZERO);
        reply.refresh_expires_in = Some(Duration::ZERO);
        for reply in [reply, TokenReply::new("access-1")] {
            let set = first(reply);
            assert_eq!(
                (&set.refresh_token, set.expires_at, set.refresh_expires_at),
                (&None, None, None)
            );
            assert_eq!((set.lifetime(), set.id_token), (None, None));
            assert_eq!(*set.scopes, ScopeSet::parse("requested"));
        }
        // One that has no access token has one that is over.
        let set = first(TokenReply::without_access_token(unusable()));
        assert_eq!((set.expires_at, set.lifetime()), (in_hours(0), Some(Duration::ZERO)));
    }

    #[test]
    fn a_refresh_replaces_what_its_reply_has_and_keeps_the_rest() {
        let mut before = first(full(1));
        before.lineage = Some(Lineage::begun(before.obtained_at));
        let later = sent_at() + HOUR * 2;
        let mut reply = full(2);
        reply.scopes = None;
        reply.extra = BTreeMap::from([("other".to_owned(), "o-2".to_owned())]);
        let next = before.next(reply, later);
        assert_eq!((next.generation, next.obtained_at), (2, DateTime::<Utc>::from(later)));
        assert_eq!((next.expires_at, next.refresh_expires_at), (in_hours(3), in_hours(12)));
        assert_eq!(next.access_token, Secret::from("access-2"));
        assert_eq!(next.refresh_token, Some(Secret::from("refresh-2")));
        assert_eq!(next.id_token, Some(Secret::from("id-2")));
        assert_eq!(*next.scopes, ScopeSet::parse("granted"));
        assert_eq!(next.extra.keys().collect::<Vec<_>>(), ["account", "other"]);
        assert_eq!(
            (next.consent_expires_at, &next.lineage),
            (in_hours(100), &before.lineage)
        );

        let kept = before.next(TokenReply::new("access-2"), later);
        assert_eq!(
            (kept.generation, kept.expires_at, kept.refresh_expires_at),
            (2, None, in_hours(10))
        );
        assert_eq!(
            (&kept.refresh_token, &kept.id_token),
            (&before.refresh_token, &before.id_token)
        );
        assert_eq!(kept.extra, before.extra);
        // The end of the old refresh token is not that of a new one.
        let mut rotated = TokenReply::new("access-2");
        rotated.refresh_token = Some(Secret::from("refresh-2"));
        assert_eq!(before.next(rotated, later).refresh_expires_at, None);
        // A count at its end goes no further.
        before.generation = u64::MAX;
        assert_eq!(before.next(full(2), later).generation, u64::MAX);
    }

    #[test]
    fn a_refresh_without_a_usable_access_token_keeps_the_one_that_there_is() {
        let before = first(full(1));
        let mut reply = TokenReply::without_access_token(unusable());
        reply.refresh_token = Some(Secret::from("refresh-2"));
        let next = before.next(reply, sent_at() + HOUR * 2);
        assert_eq!(next.access_token, before.access_token);
        assert_eq!(
            (next.obtained_at, next.expires_at),
            (before.obtained_at, before.expires_at)
        );
        assert_eq!(
            (next.generation, next.refresh_token),
            (2, Some(Secret::from("refresh-2")))
        );
    }

    #[test]
    fn another_account_is_told_by_the_field_that_names_it() {
        let set = first(full(1));
        let named = |field: Option<&str>, account: Option<&str>| {
            let mut reply = TokenReply::new("access-2");
            reply.account_field = field.map(str::to_owned);
            reply
                .extra
                .extend(account.map(|account| ("account".to_owned(), account.to_owned())));
            set.differs_in(&reply).map(str::to_owned)
        };
        assert_eq!(named(Some("account"), Some("a-2")).as_deref(), Some("account"));
        for (field, account) in [
            (Some("account"), Some("a-1")),
            (Some("account"), None),
            (Some("other"), Some("a-2")),
            (None, Some("a-2")),
        ] {
            assert_eq!(named(field, account), None, "{field:?} {account:?}");
        }
        // An import of an earlier version kept an empty field.
        let mut set = first(full(1));
        set.extra.insert("account".to_owned(), String::new());
        let mut reply = full(2);
        reply.account_field = Some("account".to_owned());
        assert_eq!(set.differs_in(&reply), None);
        assert_eq!(set.next(reply, sent_at()).extra["account"], "a-1");
    }

    #[test]
    fn a_login_descends_from_what_it_saw() {
        let mut set = first(full(1));
        // By the time of day it is the later one.
        let older = Lineage::begun(set.obtained_at + HOUR);
        set.descend_from(Some((Some(&older), None)));
        assert_eq!(set.lineage, None, "tokens of a version without lineages");
        set.lineage = Some(Lineage::begun(set.obtained_at));
        set.descend_from(Some((Some(&older), None)));
        assert!(set.lineage.is_some_and(|lineage| lineage.replaces(Some(&older), None)));
    }

    #[test]
    fn the_refresh_token_is_revoked_where_there_is_one() {
        let mut set = first(full(1));
        assert!(matches!(set.to_revoke(), RevokedToken::Refresh(token) if token == Secret::from("refresh-1")));
        set.refresh_token = None;
        assert!(matches!(set.to_revoke(), RevokedToken::Access(token) if token == Secret::from("access-1")));
    }

    #[test]
    fn what_may_be_shown_has_the_times_and_the_names_of_a_set() {
        let mut set = first(full(1));
        let info = set.info();
        assert_eq!((info.generation, info.obtained_at), (1, set.obtained_at));
        assert_eq!(
            (info.expires_at, info.refresh_expires_at, info.consent_expires_at),
            (in_hours(1), in_hours(10), in_hours(100))
        );
        assert_eq!((&info.scopes, &info.extra), (&set.scopes, &set.extra));
        assert!(info.has_refresh_token);
        set.refresh_token = None;
        assert!(!set.info().has_refresh_token);
    }
}
