//! Tokens that somebody else obtained.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::profile::Profile;
use super::reply::granted;
use super::requested_scope::{RequestedScope, check_id, check_scope};
use super::wire::trimmed;
use crate::token::{Bearer, GrantKind, Lineage, Record, TokenSet};
use crate::value::{ScopeError, ScopeSet, Secret};

/// The tokens of a user's grant that another library, or an earlier version of the application, obtained.
///
/// Give what is known: a refresh token alone is enough, and the first call then gets an access token with it. Hand it to
/// [`App::import`](crate::App::import).
///
/// ```
/// use chrono::{TimeDelta, Utc};
/// use finrail::oauth::ExistingTokens;
///
/// # #[cfg(feature = "mx")] {
/// use finrail::mx;
///
/// let tokens: ExistingTokens<mx::Provider> = ExistingTokens::refresh_token("the-refresh-token")
///     .access_token("the-access-token", Some(Utc::now() + TimeDelta::minutes(20)))
///     .scopes([mx::Scope::Accounts, mx::Scope::Transactions]);
/// assert!(!format!("{tokens:?}").contains("the-refresh-token"));
/// # }
/// ```
///
/// `P` is the provider, which the application says that takes them. Another one's scopes do not compile:
///
/// ```compile_fail,E0277
/// # use finrail::oauth::ExistingTokens;
/// async fn take_over(app: &finrail::mx::App) {
///     let tokens = ExistingTokens::refresh_token("the-refresh-token").scopes([finrail::finexer::Scope::CustomerRead]);
///     let _ = app.import("user-42", tokens).await;
/// }
/// ```
#[must_use]
pub struct ExistingTokens<P> {
    grant: GrantKind,
    access_token: Option<(Secret, Option<DateTime<Utc>>)>,
    refresh_token: Option<Secret>,
    refresh_expires_at: Option<DateTime<Utc>>,
    consent_expires_at: Option<DateTime<Utc>>,
    scopes: ScopeSet,
    /// Whatever order and form they are given in, the grant is the same.
    bound: BTreeSet<String>,
    /// Those that earlier versions had in the key, in the order in which they had them there.
    bound_before: Vec<String>,
    extra: BTreeMap<String, String>,
    provider: PhantomData<fn() -> P>,
}

impl<P> Clone for ExistingTokens<P> {
    fn clone(&self) -> Self {
        Self {
            grant: self.grant,
            access_token: self.access_token.clone(),
            refresh_token: self.refresh_token.clone(),
            refresh_expires_at: self.refresh_expires_at,
            consent_expires_at: self.consent_expires_at,
            scopes: self.scopes.clone(),
            bound: self.bound.clone(),
            bound_before: self.bound_before.clone(),
            extra: self.extra.clone(),
            provider: PhantomData,
        }
    }
}

impl<P> fmt::Debug for ExistingTokens<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExistingTokens")
            .field("grant", &self.grant)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

impl<P> ExistingTokens<P> {
    /// Of a grant that can be refreshed (RFC 6749 section 6).
    pub fn refresh_token(token: impl Into<Secret>) -> Self {
        Self {
            refresh_token: Some(token.into()),
            ..Self::empty()
        }
    }

    /// Of a grant without a refresh token: it is over when this access token ends.
    pub fn access_token_only(token: impl Into<Secret>, expires_at: Option<DateTime<Utc>>) -> Self {
        Self::empty().access_token(token, expires_at)
    }

    fn empty() -> Self {
        Self {
            grant: GrantKind::AuthorizationCode,
            access_token: None,
            refresh_token: None,
            refresh_expires_at: None,
            consent_expires_at: None,
            scopes: ScopeSet::new(),
            bound: BTreeSet::new(),
            bound_before: Vec::new(),
            extra: BTreeMap::new(),
            provider: PhantomData,
        }
    }

    /// The access token, which is used until it ends. `None` for its end: it is used until the provider refuses it.
    pub fn access_token(mut self, token: impl Into<Secret>, expires_at: Option<DateTime<Utc>>) -> Self {
        self.access_token = Some((token.into(), expires_at));
        self
    }

    /// How the grant came about; the authorization code grant, unless this says otherwise.
    pub fn grant(mut self, grant: GrantKind) -> Self {
        self.grant = grant;
        self
    }

    /// The scopes that were granted: the provider's own `Scope`s, or texts, each with one scope or several, as `scope` of a
    /// token reply has them (also with what a scope is bound to, `PREMIUM_AIS:consent-1`). Without any it is not known what
    /// was granted, and the provider decides.
    pub fn scopes<S: Into<RequestedScope<P>>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        for scope in scopes {
            let scope = scope.into();
            self.scopes.extend(ScopeSet::parse(scope.name()).iter());
            self.bound.extend(scope.id().map(str::to_owned));
            self.bound_before.extend(scope.id().map(str::to_owned));
        }
        self
    }

    /// What the scopes are bound to, where the provider has that: the id of a consent, of a payment's authorization.
    ///
    /// These are added to the ids that the [scopes](Self::scopes) have themselves. Neither the order nor an id that is
    /// given twice makes another grant.
    pub fn bound_to<S: Into<String>>(mut self, ids: impl IntoIterator<Item = S>) -> Self {
        self.bound_before = ids.into_iter().map(Into::into).collect();
        self.bound.extend(self.bound_before.iter().cloned());
        self
    }

    /// When the refresh token ends.
    pub fn refresh_expires_at(mut self, at: DateTime<Utc>) -> Self {
        self.refresh_expires_at = Some(at);
        self
    }

    /// When the user's consent ends.
    pub fn consent_expires_at(mut self, at: DateTime<Utc>) -> Self {
        self.consent_expires_at = Some(at);
        self
    }

    /// A field of the token reply beyond RFC 6749 that the provider documents (Finexer's `account_id`).
    ///
    /// Blanks around the value are left out, and a value that is empty then counts as not given.
    pub fn extra(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let value = value.into();
        // As a reply is read, with which it is compared.
        let value = trimmed(&value);
        if !value.is_empty() {
            self.extra.insert(name.into(), value.to_owned());
        }
        self
    }

    pub(crate) fn kind(&self) -> GrantKind {
        self.grant
    }

    /// Whether the provider has such scopes, and ids can be what they are bound to. A scope with what it is bound to grants
    /// the scope by its name too, as it does in a token reply.
    pub(crate) fn check_scopes(&mut self, profile: &Profile) -> Result<(), ScopeError> {
        if profile.scope_templates.is_empty() && !self.bound.is_empty() {
            return Err(ScopeError::new(format!(
                "no scope of {} is bound to an id; give the scopes without one",
                profile.name
            )));
        }
        self.scopes = granted(profile, &self.scopes);
        for scope in self.scopes.iter() {
            match profile.bound_id(scope) {
                Some(id) => {
                    self.bound.insert(id.to_owned());
                }
                None => check_scope(profile, scope)?,
            }
        }
        for id in &self.bound {
            check_id(profile, id, "the scopes are")?;
        }
        Ok(())
    }

    /// What the scopes are bound to, each once and in order: two starts of a program must not make two grants of the same
    /// tokens.
    pub(crate) fn bindings(&self) -> Vec<String> {
        self.bound.iter().cloned().collect()
    }

    /// What earlier versions may have had in the key in place of the [bindings](Self::bindings): ids in the order in which
    /// they came, of which two have two, and none where the scopes were texts.
    pub(crate) fn bindings_before(&self) -> Vec<Vec<String>> {
        let bindings = self.bindings();
        let backwards = bindings.iter().rev().cloned().collect();
        let mut before = vec![self.bound_before.clone(), backwards, Vec::new()];
        before.retain(|ids| *ids != bindings);
        before.sort();
        before.dedup();
        before
    }

    /// Whether a grant that is stored with these ids in its key is the one whose tokens these are. Where it cannot be told,
    /// it is another one: a consent that is taken for another one is lost.
    pub(crate) fn are_of(&self, profile: &Profile, ids: &[String], stored: &Record, set: &TokenSet) -> bool {
        let tokens = stored.tokens.as_ref();
        let refresh_token = tokens.and_then(|tokens| tokens.refresh_token.as_ref());
        if refresh_token.is_some() && refresh_token == self.refresh_token.as_ref() {
            return true;
        }
        // Its own refresh token is another one after a refresh, and none is kept of a grant that was ended on purpose.
        let lineage = stored.lineage();
        if lineage.is_some_and(|lineage| lineage.imports().any(|earlier| earlier == set.imported())) {
            return true;
        }
        let scopes = tokens.into_iter().flat_map(|tokens| tokens.scopes.iter());
        let named = scopes.filter_map(|scope| profile.bound_id(scope));
        let of_key = ids.iter().map(String::as_str);
        named.chain(of_key).collect::<BTreeSet<_>>() == self.bound.iter().map(String::as_str).collect()
    }

    /// The first token set of the grant here, or why there can be none.
    pub(crate) fn into_set(self, now: DateTime<Utc>) -> Result<TokenSet, &'static str> {
        let refresh_token = self.refresh_token.filter(|token| !token.is_empty());
        // RFC 6749 appendix A.17; a newline is what reading it from a file leaves at its end.
        let is_token = |token: &Secret| token.expose_secret().bytes().all(|b| (0x20..=0x7e).contains(&b));
        if refresh_token
            .as_ref()
            .is_some_and(|token| !is_token(token) || token.expose_secret().trim() != token.expose_secret())
        {
            return Err(
                "the refresh token begins or ends with a space, or has characters that no token has, such as a newline at its end",
            );
        }
        let (access_token, expires_at) = match self.access_token {
            Some((token, expires_at)) => {
                // What no header carries is found out here, and not with the first call.
                Bearer::new(&token, 1)
                    .map_err(|_| "the access token is empty or has characters that a header cannot carry, such as a newline at its end")?;
                (token, expires_at)
            }
            None if refresh_token.is_some() => (Secret::from(""), Some(now)),
            None => return Err("there is neither an access token nor a refresh token; give one of them"),
        };
        let mut set = TokenSet {
            generation: 1,
            access_token,
            refresh_token,
            id_token: None,
            obtained_at: now,
            expires_at,
            refresh_expires_at: self.refresh_expires_at,
            consent_expires_at: self.consent_expires_at,
            scopes: Arc::new(self.scopes),
            scopes_of_import: true,
            extra: self.extra,
            lineage: None,
        };
        set.lineage = Some(Lineage::begun(now).after(None).of_import(set.imported()));
        Ok(set)
    }
}
