//! An authorization server as data: generated from `x-oauth` of a specification.

use crate::token::Verdict;
use crate::value::ScopeSet;

/// An authorization server as data.
///
/// Every provider module has one, `PROFILE`. Nothing in this crate asks which
/// provider it talks to; it asks the profile.
///
/// ```
/// # #[cfg(feature = "mx")] {
/// let mx = &finrail::mx::PROFILE;
/// assert!(mx.pkce.is_checked());
/// assert!(!mx.grants.contains(&"client_credentials"));
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// The provider's module name and key in token stores.
    pub provider: &'static str,
    /// The provider's name.
    pub name: &'static str,
    /// Prefix of environment variables with credentials.
    pub env_prefix: &'static str,
    /// Path of the authorization endpoint (RFC 6749 section 3.1).
    pub authorize_path: Option<&'static str>,
    /// Path of the token endpoint (RFC 6749 section 3.2).
    pub token_path: &'static str,
    /// Path of the revocation endpoint (RFC 7009).
    pub revoke_path: Option<&'static str>,
    /// The grants that the provider has, by their `grant_type`.
    pub grants: &'static [&'static str],
    /// How the client authenticates.
    pub client_authentication: ClientAuthentications,
    /// Encoding of token requests.
    pub token_body: TokenBody,
    /// What is known of PKCE (RFC 7636, `S256`).
    pub pkce: Pkce,
    /// Between several scopes of a request.
    pub scope_separator: &'static str,
    /// What else may stand between several scopes; nothing is sent like this.
    pub scope_separators_accepted: &'static [&'static str],
    /// The scopes that are documented.
    pub scopes: &'static [&'static str],
    /// Whether the provider has no other scopes than these.
    pub scopes_complete: bool,
    /// Added to every request that carries scopes.
    pub scopes_always: &'static [&'static str],
    /// One scope per authorization.
    pub single_scope: bool,
    /// Scopes that an authorization request binds to one thing.
    pub scope_templates: &'static [ScopeTemplate],
    /// The requests that carry `scope`.
    pub scope_sent_on: ScopeSentOn,
    /// Rules for the redirect URI.
    pub redirect_uri: RedirectUriRules,
    /// Whether the provider demands `response_type`; it is sent in any case.
    pub response_type_required: bool,
    /// Whether a refusal must bring `state` back to be trusted.
    pub state_on_refusal: bool,
    /// Extra query field on a refusal.
    pub refusal_code_field: Option<&'static str>,
    /// Whether `expires_in` is in milliseconds rather than seconds.
    pub expires_in_milliseconds: bool,
    /// Seconds that an access token lives when the reply does not say.
    pub default_lifetime: Option<u64>,
    /// Documented fields of a token reply beyond RFC 6749.
    pub extra: &'static [ExtraField],
    /// Documented life of an access token in seconds, for information.
    pub access_token_lifetime: Option<u64>,
    /// What is known about refresh tokens.
    pub refresh: RefreshFacts,
    /// The revocation request.
    pub revocation: Option<Revocation>,
    /// OAuth error codes beyond RFC 6749's own, and what they mean for a grant.
    pub errors: &'static [(&'static str, Verdict)],
}

impl Profile {
    /// What is so where a specification does not say otherwise. Generated code says only what differs.
    pub const BASE: Self = Self {
        provider: "",
        name: "",
        env_prefix: "",
        authorize_path: None,
        token_path: "",
        revoke_path: None,
        grants: &[],
        client_authentication: ClientAuthentications::all(ClientAuthentication::Post),
        token_body: TokenBody::Form,
        pkce: Pkce::Undocumented,
        scope_separator: " ",
        scope_separators_accepted: &[],
        scopes: &[],
        scopes_complete: false,
        scopes_always: &[],
        single_scope: false,
        scope_templates: &[],
        scope_sent_on: ScopeSentOn::BASE,
        redirect_uri: RedirectUriRules::BASE,
        response_type_required: true,
        state_on_refusal: true,
        refusal_code_field: None,
        expires_in_milliseconds: false,
        default_lifetime: None,
        extra: &[],
        access_token_lifetime: None,
        refresh: RefreshFacts::BASE,
        revocation: None,
        errors: &[],
    };

    /// What may stand between several scopes, beside the space and the comma, which are read everywhere.
    fn separators(&self) -> impl Iterator<Item = &'static str> {
        let all = std::iter::once(self.scope_separator).chain(self.scope_separators_accepted.iter().copied());
        all.filter(|separator| !separator.is_empty())
    }

    /// Whether a text has something in it that stands between scopes.
    pub(crate) fn has_separator(&self, text: &str) -> bool {
        self.separators().any(|separator| text.contains(separator))
    }

    /// The scopes in a text in which several may stand.
    pub(crate) fn scopes_in(&self, text: &str) -> ScopeSet {
        let mut texts = vec![text];
        for separator in self.separators() {
            texts = texts.into_iter().flat_map(|text| text.split(separator)).collect();
        }
        let mut scopes = ScopeSet::new();
        for text in texts {
            scopes.extend(ScopeSet::parse(text).iter());
        }
        scopes
    }

    /// Whether a scope is told by its name alone.
    pub(crate) fn is_plain(&self, scope: &str) -> bool {
        !self.has_separator(scope) && self.bound_id(scope).is_none()
    }

    /// What a scope is bound to, when one of the templates made it.
    pub(crate) fn bound_id<'s>(&self, scope: &'s str) -> Option<&'s str> {
        self.scope_templates.iter().find_map(|template| template.id_in(scope))
    }
}

/// How the client shows who it is (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// HTTP Basic (`client_secret_basic`).
    Basic,
    /// In the request body (`client_secret_post`).
    Post,
    /// The client id only.
    None,
}

/// [`ClientAuthentication`] per request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAuthentications {
    /// For the client credentials grant.
    pub client_credentials: ClientAuthentication,
    /// For the code exchange.
    pub authorization_code: ClientAuthentication,
    /// For the password grant.
    pub password: ClientAuthentication,
    /// For a refresh.
    pub refresh_token: ClientAuthentication,
    /// For revocation.
    pub revocation: ClientAuthentication,
}

impl ClientAuthentications {
    /// Client id and secret in the body of every request.
    pub const BASE: Self = Self::all(ClientAuthentication::Post);

    /// The same for every request.
    #[must_use]
    pub const fn all(method: ClientAuthentication) -> Self {
        Self {
            client_credentials: method,
            authorization_code: method,
            password: method,
            refresh_token: method,
            revocation: method,
        }
    }
}

/// What is known of PKCE (RFC 7636) at an authorization server. It is always `S256`.
///
/// It is sent wherever nothing speaks against it: RFC 9700 section 2.1.1 recommends it to every client, and a server
/// ignores parameters that it does not know (RFC 6749 sections 3.1 and 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pkce {
    /// The server demands it.
    Required,
    /// The server checks it where it is sent.
    Supported,
    /// The provider says nothing of it. It is sent, unless
    /// [`without_pkce`](crate::AppBuilder::without_pkce) switches it off, and counts as no protection.
    Undocumented,
    /// The server takes no request that has it: it is not sent.
    Refused,
}

impl Pkce {
    /// Whether it is sent.
    #[must_use]
    pub const fn is_sent(self) -> bool {
        !matches!(self, Self::Refused)
    }

    /// Whether the server is known to check it. Where it is not, a stolen code is good for whoever has the client's secret.
    #[must_use]
    pub const fn is_checked(self) -> bool {
        matches!(self, Self::Required | Self::Supported)
    }
}

/// Encoding of a token request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenBody {
    /// `application/x-www-form-urlencoded` (RFC 6749 section 4).
    Form,
    /// `application/json`.
    Json,
}

/// A scope that an authorization request binds to one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeTemplate {
    /// The scope.
    pub scope: &'static str,
    /// What is sent, with the thing's id in place of the braces: `PREMIUM_AIS:{consentId}`.
    pub template: &'static str,
    /// What stands before the id: `PREMIUM_AIS:`.
    pub before: &'static str,
    /// What stands after it.
    pub after: &'static str,
    /// Whether the scope may be sent without an id.
    pub bare_allowed: bool,
}

impl ScopeTemplate {
    /// What is so where a specification does not say otherwise. Generated code says only what differs.
    pub const BASE: Self = Self {
        scope: "",
        template: "",
        before: "",
        after: "",
        bare_allowed: false,
    };
}

impl ScopeTemplate {
    /// What is sent for the thing with this id.
    pub(crate) fn bound_to(&self, id: &str) -> String {
        format!("{}{id}{}", self.before, self.after)
    }

    /// Whether a scope is this one, bound to something.
    pub(crate) fn binds(&self, scope: &str) -> bool {
        self.id_in(scope).is_some()
    }

    /// What a scope is bound to, when it is this one.
    fn id_in<'s>(&self, scope: &'s str) -> Option<&'s str> {
        scope.strip_prefix(self.before)?.strip_suffix(self.after)
    }
}

/// The requests that carry `scope`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeSentOn {
    /// The authorization request.
    pub authorize: bool,
    /// The client credentials grant.
    pub client_credentials: bool,
    /// The code exchange.
    pub authorization_code: bool,
    /// The password grant.
    pub password: bool,
    /// A refresh.
    pub refresh_token: bool,
}

impl ScopeSentOn {
    /// In no request.
    pub const BASE: Self = Self {
        authorize: false,
        client_credentials: false,
        authorization_code: false,
        password: false,
        refresh_token: false,
    };
}

/// Rules for the redirect URI (RFC 6749 section 3.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedirectUriRules {
    /// It must be in the authorization request.
    pub required: bool,
    /// It is repeated in the code exchange.
    pub on_token_request: bool,
    /// Plain http is refused, loopback excepted.
    pub https_or_custom_scheme: bool,
}

impl RedirectUriRules {
    /// No rule beyond RFC 6749.
    pub const BASE: Self = Self {
        required: false,
        on_token_request: false,
        https_or_custom_scheme: false,
    };
}

/// A documented field of a token reply beyond RFC 6749.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtraField {
    /// Its name.
    pub name: &'static str,
    /// Whether it names the connected account.
    pub subject: bool,
}

impl ExtraField {
    /// What is so where a specification does not say otherwise. Generated code says only what differs.
    pub const BASE: Self = Self {
        name: "",
        subject: false,
    };
}

/// What is known about refresh tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshFacts {
    /// Whether a refresh brings a new one; none: not documented.
    pub rotates: Option<bool>,
    /// Life in seconds, from the documentation.
    pub lifetime: Option<u64>,
    /// Reply field with the life in seconds.
    pub lifetime_field: Option<&'static str>,
    /// Seconds in which the old one still works; none: not documented.
    pub grace: Option<u64>,
}

impl RefreshFacts {
    /// Nothing is known.
    pub const BASE: Self = Self {
        rotates: None,
        lifetime: None,
        lifetime_field: None,
        grace: None,
    };
}

/// The revocation request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The form field that carries the token.
    pub token_field: &'static str,
    /// Whether `token_type_hint` is sent.
    pub token_type_hint: bool,
    /// Statuses that mean success.
    pub success: &'static [u16],
    /// Statuses that a token which the server does not know may bring, beside what RFC 7009 section 2.2 says of it.
    pub unknown_token: &'static [u16],
}

impl Revocation {
    /// As RFC 7009 has it.
    pub const BASE: Self = Self {
        token_field: "token",
        token_type_hint: false,
        success: &[200],
        unknown_token: &[],
    };
}
