//! A scope as a caller asks for it.

use std::borrow::Cow;

use super::error::Error;
use super::profile::Profile;
use crate::value::ScopeSet;

/// A scope as a caller asks for it: plain, or bound to one thing.
///
/// ```
/// use finrail::oauth::RequestedScope;
///
/// let plain = RequestedScope::new("payments");
/// let bound = RequestedScope::new("PREMIUM_AIS").of("consent-1");
/// assert_eq!(plain.name(), "payments");
/// assert_eq!(bound.id(), Some("consent-1"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedScope {
    name: Cow<'static, str>,
    id: Option<String>,
}

impl RequestedScope {
    /// A scope by its name, also one that the provider's `Scope` enum does not have.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            id: None,
        }
    }

    /// Binds the scope to one thing, where the provider has a template for it. An id that could be read as a further
    /// scope is refused when the request is made.
    #[must_use]
    pub fn of(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The scope's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is bound to.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// What an authorization request sends.
    fn in_authorization(&self, profile: &Profile) -> Result<String, Error> {
        let template = profile
            .scope_templates
            .iter()
            .find(|template| template.scope == self.name);
        match (template, &self.id) {
            (Some(template), Some(id)) => {
                let (before, rest) = template.template.split_once('{').unwrap_or((template.template, ""));
                let after = rest.split_once('}').map_or("", |(_, after)| after);
                Ok(format!("{before}{id}{after}"))
            }
            (Some(template), None) if !template.bare_allowed => Err(Error::Scope(format!(
                "scope `{}` is granted for one thing: give its id, as in `{}`",
                self.name, template.template
            ))),
            (None, Some(_)) => Err(Error::Scope(format!(
                "scope `{}` is not bound to an id at {}",
                self.name, profile.name
            ))),
            (_, None) => Ok(self.name.clone().into_owned()),
        }
    }
}

impl From<&'static str> for RequestedScope {
    fn from(name: &'static str) -> Self {
        Self::new(name)
    }
}

impl From<String> for RequestedScope {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

/// The scopes of a request: as the authorization request writes them, and bare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scopes {
    /// As the authorization request writes them.
    pub authorize: String,
    /// By their names, as token requests carry them.
    pub bare: ScopeSet,
    /// What they are bound to.
    pub bound: Vec<String>,
}

/// What scopes are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A user's authorization: scopes may be bound to one thing.
    Authorization,
    /// A token request without a user: scopes are bare.
    Token,
}

/// The characters of `scope-token`, less the comma, which some providers put between scopes.
fn is_scope_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b','))
}

/// Checks scopes against the provider's rules and adds those that are always sent.
pub(crate) fn resolve(profile: &Profile, requested: &[RequestedScope], purpose: Purpose) -> Result<Scopes, Error> {
    if purpose == Purpose::Authorization && profile.single_scope && requested.len() > 1 {
        return Err(Error::Scope(format!(
            "{} grants one scope per authorization; authorize once for each",
            profile.name
        )));
    }
    let mut written: Vec<String> = Vec::new();
    let mut bare = ScopeSet::new();
    let mut bound = Vec::new();
    for always in profile.scopes_always {
        written.push((*always).to_owned());
        bare.insert(*always);
    }
    for scope in requested {
        if scope.name.is_empty()
            || scope
                .name
                .contains(|c: char| c.is_whitespace() || c == ',' || c == '"' || c == '\\' || c.is_control())
        {
            return Err(Error::Scope(
                "a scope is empty or has characters that no scope has (RFC 6749 section 3.3)".to_owned(),
            ));
        }
        let text = match (purpose, &scope.id) {
            (Purpose::Authorization, _) => scope.in_authorization(profile)?,
            (Purpose::Token, None) => scope.name.clone().into_owned(),
            (Purpose::Token, Some(_)) => {
                return Err(Error::Scope(format!(
                    "scope `{}` is bound to an id in a user's authorization only",
                    scope.name
                )));
            }
        };
        if !written.contains(&text) {
            written.push(text);
        }
        if let Some(id) = &scope.id
            && !is_scope_token(id)
        {
            return Err(Error::Scope(format!(
                "the id that scope `{}` is bound to is empty or has characters that no scope has (RFC 6749 section 3.3)",
                scope.name
            )));
        }
        bare.insert(scope.name.as_ref());
        bound.extend(scope.id.clone());
    }
    Ok(Scopes {
        authorize: written.join(profile.scope_separator),
        bare,
        bound,
    })
}
