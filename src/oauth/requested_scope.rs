//! A scope as a caller asks for it.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use super::profile::Profile;
use crate::value::{ScopeError, ScopeSet};

/// A scope as a caller asks for it of the provider `P`: plain, or bound to one thing.
///
/// A provider's `Scope` becomes one by itself, and so does a text, such as one from the settings of an application
/// ([`authorize`](crate::App::authorize) has an example). The scope of one provider is none of another's, so
/// this does not compile:
///
/// ```compile_fail,E0277
/// fn authorize(app: &finrail::mx::App) {
///     let _ = app.authorize([finrail::finexer::Scope::CustomerRead]);
/// }
/// ```
///
/// ```
/// # #[cfg(all(feature = "ofx", feature = "tatrabanka"))] {
/// use finrail::oauth::RequestedScope;
/// use finrail::{ofx, tatrabanka};
///
/// let plain: RequestedScope<ofx::Provider> = RequestedScope::new("payments");
/// let bound: RequestedScope<tatrabanka::Provider> = tatrabanka::Scope::PremiumAis.of("consent-1");
/// assert_eq!(plain.name(), "payments");
/// assert_eq!(bound.id(), Some("consent-1"));
/// # }
/// ```
pub struct RequestedScope<P> {
    asked: AskedScope,
    provider: PhantomData<fn() -> P>,
}

/// A scope as it is asked for, of whatever provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AskedScope {
    name: Cow<'static, str>,
    id: Option<String>,
}

impl<P> RequestedScope<P> {
    /// A scope by its name, also one that the provider's `Scope` enum does not have. Where the provider's list of scopes
    /// is complete, a name that is not in it is refused when the request is made.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            asked: AskedScope {
                name: name.into(),
                id: None,
            },
            provider: PhantomData,
        }
    }

    /// Binds the scope to one thing, where the provider has a template for it. An id that could be read as a further
    /// scope is refused when the request is made.
    #[must_use]
    pub fn of(mut self, id: impl Into<String>) -> Self {
        self.asked.id = Some(id.into());
        self
    }

    /// The scope's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.asked.name
    }

    /// What it is bound to.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.asked.id.as_deref()
    }

    pub(crate) fn into_asked(self) -> AskedScope {
        self.asked
    }
}

impl<P> Clone for RequestedScope<P> {
    fn clone(&self) -> Self {
        Self {
            asked: self.asked.clone(),
            provider: PhantomData,
        }
    }
}

impl<P> PartialEq for RequestedScope<P> {
    fn eq(&self, other: &Self) -> bool {
        self.asked == other.asked
    }
}

impl<P> Eq for RequestedScope<P> {}

impl<P> fmt::Debug for RequestedScope<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestedScope")
            .field("name", &self.asked.name)
            .field("id", &self.asked.id)
            .finish()
    }
}

impl<P> From<&str> for RequestedScope<P> {
    fn from(name: &str) -> Self {
        Self::new(name.to_owned())
    }
}

impl<P> From<&String> for RequestedScope<P> {
    fn from(name: &String) -> Self {
        Self::new(name.clone())
    }
}

impl<P> From<String> for RequestedScope<P> {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl<P> From<&&str> for RequestedScope<P> {
    fn from(name: &&str) -> Self {
        Self::new((*name).to_owned())
    }
}

impl<P> From<Cow<'static, str>> for RequestedScope<P> {
    fn from(name: Cow<'static, str>) -> Self {
        Self::new(name)
    }
}

impl<P> From<&Self> for RequestedScope<P> {
    fn from(scope: &Self) -> Self {
        scope.clone()
    }
}

impl AskedScope {
    /// What an authorization request sends.
    fn in_authorization(&self, profile: &Profile) -> Result<String, ScopeError> {
        let template = profile
            .scope_templates
            .iter()
            .find(|template| template.scope == self.name);
        match (template, &self.id) {
            (Some(template), Some(id)) => Ok(template.bound_to(id)),
            (Some(template), None) if !template.bare_allowed => Err(ScopeError::new(format!(
                "scope `{}` is granted for one thing: give its id, as in `{}`",
                self.name, template.template
            ))),
            (None, Some(_)) => Err(ScopeError::new(format!(
                "scope `{}` is not bound to an id at {}; ask for it without one",
                self.name, profile.name
            ))),
            (_, None) => Ok(self.name.clone().into_owned()),
        }
    }
}

/// Whether a text can be one scope of the provider, as far as its list of scopes is complete.
pub(crate) fn check_scope(profile: &Profile, name: &str) -> Result<(), ScopeError> {
    if !is_scope_token(profile, name) {
        return Err(ScopeError::new(
            "a scope is empty or has characters that no scope has (RFC 6749 section 3.3); give each scope as an item of its own",
        ));
    }
    if !profile.scopes_complete || profile.scopes.contains(&name) || profile.scopes_always.contains(&name) {
        return Ok(());
    }
    if let Some(id) = profile.bound_id(name) {
        let template = profile
            .scope_templates
            .iter()
            .find(|template| template.bound_to(id) == name);
        let scope = template.map_or("the scope", |template| template.scope);
        return Err(ScopeError::new(format!(
            "this is scope `{scope}` as a request carries it, with what it is bound to: ask for \
             `RequestedScope::new(\"{scope}\").of(..)`, or by the `Scope` of the provider, with the id in `of`"
        )));
    }
    let known = match profile.scopes {
        [] => "it has none: ask without scopes".to_owned(),
        scopes => format!("its scopes are {}", scopes.join(", ")),
    };
    Err(ScopeError::new(format!(
        "{} has no scope `{name}`; {known}",
        profile.name
    )))
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

/// The characters of `scope-token`, less the comma, which some providers put between scopes, and what this one does.
fn is_scope_token(profile: &Profile, text: &str) -> bool {
    !text.is_empty()
        && !profile.has_separator(text)
        && text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b','))
}

/// Whether a text can be what a scope is bound to. `of` is what is bound to it, as the error says it.
pub(crate) fn check_id(profile: &Profile, id: &str, of: &str) -> Result<(), ScopeError> {
    if is_scope_token(profile, id) {
        return Ok(());
    }
    Err(ScopeError::new(format!(
        "the id that {of} bound to is empty or has characters that no scope has (RFC 6749 section 3.3); give each id as the \
         provider names it"
    )))
}

/// Checks scopes against the provider's rules and adds those that are always sent.
pub(crate) fn resolve(profile: &Profile, requested: &[AskedScope], purpose: Purpose) -> Result<Scopes, ScopeError> {
    if purpose == Purpose::Authorization && profile.single_scope && requested.len() > 1 {
        return Err(ScopeError::new(format!(
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
        check_scope(profile, &scope.name)?;
        let text = match (purpose, &scope.id) {
            (Purpose::Authorization, _) => scope.in_authorization(profile)?,
            (Purpose::Token, None) => scope.name.clone().into_owned(),
            (Purpose::Token, Some(_)) => {
                return Err(ScopeError::new(format!(
                    "scope `{}` is bound to an id in a user's authorization only",
                    scope.name
                )));
            }
        };
        if !written.contains(&text) {
            written.push(text);
        }
        if let Some(id) = &scope.id {
            check_id(profile, id, &format!("scope `{}` is", scope.name))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::profile::ScopeTemplate;

    /// A provider with three scopes, one of them always sent, and `consent` for one consent each.
    const PROFILE: Profile = Profile {
        name: "A Bank",
        scopes: &["accounts", "consent", "either"],
        scopes_complete: true,
        scopes_always: &["always"],
        scope_separator: "+",
        scope_templates: &[
            ScopeTemplate {
                scope: "consent",
                template: "CONSENT:{id}",
                before: "CONSENT:",
                ..ScopeTemplate::BASE
            },
            ScopeTemplate {
                scope: "either",
                template: "{id}:either",
                after: ":either",
                bare_allowed: true,
                ..ScopeTemplate::BASE
            },
        ],
        ..Profile::BASE
    };

    fn asked(name: &'static str, id: Option<&str>) -> AskedScope {
        let scope = RequestedScope::<()>::new(name);
        id.map_or_else(|| scope.clone(), |id| scope.clone().of(id)).into_asked()
    }

    fn resolved(
        profile: &Profile,
        scopes: &[(&'static str, Option<&str>)],
        purpose: Purpose,
    ) -> Result<Scopes, String> {
        let asked: Vec<AskedScope> = scopes.iter().map(|(name, id)| asked(name, *id)).collect();
        resolve(profile, &asked, purpose).map_err(|error| error.to_string())
    }

    #[test]
    fn a_scope_is_its_name_and_what_it_is_bound_to_wherever_it_comes_from() {
        let plain = RequestedScope::<()>::new("accounts");
        assert_eq!((plain.name(), plain.id()), ("accounts", None));
        for same in [
            RequestedScope::from("accounts"),
            RequestedScope::from(&"accounts".to_owned()),
            RequestedScope::from("accounts".to_owned()),
        ] {
            assert!(same == plain, "{same:?}");
        }
        let bound = plain.clone().of("1");
        assert_eq!((bound.name(), bound.id()), ("accounts", Some("1")));
        assert!(bound != plain && bound != plain.clone().of("2") && bound == plain.of("1"));
    }

    #[test]
    fn an_authorization_writes_scopes_as_the_provider_does_and_each_once() {
        let all = [
            ("accounts", None),
            ("consent", Some("c-1")),
            ("either", None),
            ("either", Some("e-1")),
            ("accounts", None),
        ];
        let scopes = resolved(&PROFILE, &all, Purpose::Authorization).unwrap();
        assert_eq!(scopes.authorize, "always+accounts+CONSENT:c-1+either+e-1:either");
        assert_eq!(scopes.bare, ScopeSet::parse("always accounts consent either"));
        assert_eq!(scopes.bound, ["c-1", "e-1"]);
        for (scope, id, reason) in [
            ("consent", None, "give its id, as in `CONSENT:{id}`"),
            ("accounts", Some("a-1"), "is not bound to an id at A Bank"),
            ("consent", Some(""), "is empty or has characters"),
            ("consent", Some("c 1"), "is empty or has characters"),
            ("consent", Some("c,1"), "is empty or has characters"),
            ("consent", Some("c\"1"), "is empty or has characters"),
            ("consent", Some("c\\1"), "is empty or has characters"),
            ("consent", Some("c\u{e9}"), "is empty or has characters"),
        ] {
            let error = resolved(&PROFILE, &[(scope, id)], Purpose::Authorization).unwrap_err();
            assert!(error.contains(reason), "{scope} {id:?}: {error}");
        }
    }

    #[test]
    fn what_stands_between_the_scopes_of_a_provider_is_in_no_name_and_no_id_of_it() {
        let with = |scope_separator, scope_separators_accepted| Profile {
            scope_separator,
            scope_separators_accepted,
            scopes_complete: false,
            ..PROFILE
        };
        for (profile, refused) in [
            (with(" ", &[]), false),
            (with(";", &[]), true),
            (with(" ", &["+", ";"]), true),
        ] {
            for purpose in [Purpose::Authorization, Purpose::Token] {
                let name = resolved(&profile, &[("accounts;payments", None)], purpose);
                assert_eq!(name.is_err(), refused, "{name:?}");
            }
            let id = resolved(&profile, &[("consent", Some("c-1;payments"))], Purpose::Authorization);
            assert_eq!(id.is_err(), refused, "{id:?}");
            assert_eq!(check_id(&profile, "c-1;payments", "it is").is_err(), refused);
        }
    }

    #[test]
    fn a_token_request_has_bare_names_only() {
        let scopes = resolved(&PROFILE, &[("consent", None), ("accounts", None)], Purpose::Token).unwrap();
        assert_eq!(scopes.authorize, "always+consent+accounts");
        assert_eq!((scopes.bare.len(), scopes.bound.len()), (3, 0));
        let error = resolved(&PROFILE, &[("consent", Some("c-1"))], Purpose::Token).unwrap_err();
        assert!(error.contains("in a user's authorization only"), "{error}");
    }

    #[test]
    fn a_provider_of_single_scopes_grants_one_in_each_authorization() {
        let single = Profile {
            single_scope: true,
            ..PROFILE
        };
        let three = [("accounts", None), ("either", None), ("either", Some("e-1"))];
        for (profile, purpose, asked, refused) in [
            (&single, Purpose::Authorization, &three[..], true),
            (&single, Purpose::Authorization, &three[..2], true),
            (&single, Purpose::Authorization, &three[..1], false),
            (&single, Purpose::Authorization, &[], false),
            (&single, Purpose::Token, &three[..2], false),
            (&PROFILE, Purpose::Authorization, &three[..2], false),
        ] {
            let outcome = resolved(profile, asked, purpose);
            assert_eq!(outcome.is_err(), refused, "{asked:?}");
            assert!(outcome.is_ok() || outcome.unwrap_err().contains("one scope per authorization"));
        }
    }

    #[test]
    fn a_name_is_one_scope_and_one_of_the_list_where_that_is_complete() {
        for known in ["accounts", "always"] {
            assert!(check_scope(&PROFILE, known).is_ok(), "{known}");
        }
        for (bound, scope) in [("CONSENT:c-1", "consent"), ("e-1:either", "either")] {
            let error = check_scope(&PROFILE, bound).unwrap_err().to_string();
            assert!(
                error.contains(&format!("RequestedScope::new(\"{scope}\").of(")) && !error.contains("-1"),
                "{error}"
            );
        }
        let error = check_scope(&PROFILE, "balances").unwrap_err().to_string();
        assert!(error.contains("A Bank has no scope `balances`"), "{error}");
        assert!(
            check_scope(&Profile::BASE, "balances").is_ok(),
            "the list is not complete"
        );
        for (profile, none) in [&PROFILE, &Profile::BASE].into_iter().flat_map(|profile| {
            ["", "a b", "a\tb", "a,b", "a\"b", "a\\b", "a\u{7f}b", "\u{e9}"].map(|none| (profile, none))
        }) {
            let error = check_scope(profile, none).unwrap_err().to_string();
            assert!(
                error.contains("give each scope as an item of its own"),
                "{none}: {error}"
            );
        }
    }
}
