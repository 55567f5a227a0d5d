//! The `x-` extensions of a specification, as types. `specs/README.md` says what each means.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// Extensions that mean something to finrail, in a bundle, in an overlay or in a published document.
#[cfg(feature = "value")]
pub(crate) const EXTENSIONS: [&str; 30] = [
    "x-given-by-client",
    "x-provider",
    "x-error-proof",
    "x-environment",
    "x-client",
    "x-authorize",
    "x-grade",
    "x-provenance",
    "x-browser",
    "x-effect",
    "x-accept",
    "x-headers",
    "x-pagination",
    "x-idempotency",
    "x-lookup",
    "x-limit",
    "x-rust-name",
    "x-form",
    "x-lenient",
    "x-error-code",
    "x-loggable",
    "x-wrapper-key",
    "x-tag",
    "x-aliases",
    "x-oauth",
    "x-credential",
    "x-revocation-url",
    "x-nullable",
    "x-example",
    "x-discriminator-value",
];

/// `x-provider` at the root: who this document is about.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Module name, file name and key in token stores: `ofx`.
    pub id: String,
    /// The name as people write it: `OFX`.
    pub name: String,
    /// Prefix of the environment variables with credentials: `OFX` gives `OFX_CLIENT_ID`.
    pub env_prefix: String,
}

/// How far an operation or a host is to be trusted.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// The provider's own documentation shows it.
    Official,
    /// Public client code that works with the provider shows it.
    ClientCode,
    /// A standard or a neighbouring operation implies it; nobody shows it.
    Inferred,
}

impl Grade {
    /// The word used in specifications.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Official => "official",
            Self::ClientCode => "client-code",
            Self::Inferred => "inferred",
        }
    }
}

/// `x-provenance`: where an operation comes from.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// How far it is to be trusted.
    pub grade: Grade,
    /// The day the sources were last read, `YYYY-MM-DD`.
    pub checked: String,
    /// Public addresses, or a short description where there is none.
    #[serde(default)]
    pub sources: Vec<String>,
    /// What is weaker than the grade says, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Which generated client an operation belongs to (`x-client`).
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ClientKind {
    /// Resources, with the bearer token of a grant.
    #[default]
    Api,
    /// Resources that take a service token, where the provider tells it from a user's.
    Service,
    /// The authorization server's own endpoints.
    Oauth,
    /// Client registration, with a credential of its own.
    Registration,
}

impl ClientKind {
    /// The word used in specifications, and the module name of every kind but `api`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Service => "service",
            Self::Oauth => "oauth",
            Self::Registration => "registration",
        }
    }
}

/// What repeating a call does (`x-effect`).
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Changes nothing (RFC 9110 section 9.2.1).
    Safe,
    /// Twice is the same as once (RFC 9110 section 9.2.2).
    Idempotent,
    /// Twice may be twice.
    Neither,
}

/// `x-pagination`: how the next page is asked for.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Pagination {
    /// Where the next page is named.
    pub style: PaginationStyle,
    /// JSON pointer into the reply: the cursor or the link (styles `cursor` and `link`).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub next: String,
    /// What takes the cursor, the number of the page, or how many items come before it (styles `cursor`, `page`, `offset`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// Where that stands (style `cursor`); elsewhere it is in the query.
    #[serde(default, rename = "in", skip_serializing_if = "CursorPlace::is_query")]
    pub place: CursorPlace,
    /// The number of the first page (style `page`).
    #[serde(default = "first_page", skip_serializing_if = "is_first_page")]
    pub first: u32,
    /// JSON pointer into the reply: how many pages (style `page`) or items (style `offset`) there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<String>,
    /// JSON pointer into the reply: whether another page comes after this one (styles `cursor`, `page`, `offset`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<String>,
    /// JSON pointer to the items of a page.
    pub items: String,
    /// Whether a page without items is the last one, whatever it names as the next.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty_page_ends: bool,
    /// Whether the link to the next page has all that the page needs, though it leaves out what the call set (style `link`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub next_is_whole: bool,
}

/// Style of [`Pagination`].
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum PaginationStyle {
    /// The reply has the next value of a query parameter.
    Cursor,
    /// The reply has the next URL.
    Link,
    /// Pages have numbers, which a query parameter takes.
    Page,
    /// A query parameter says how many items come before the page.
    Offset,
}

/// Where a cursor is sent.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum CursorPlace {
    /// In a query parameter.
    #[default]
    Query,
    /// In a property of the JSON body.
    Body,
}

impl CursorPlace {
    fn is_query(&self) -> bool {
        *self == Self::Query
    }
}

fn first_page() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's form
fn is_first_page(number: &u32) -> bool {
    *number == 1
}

/// `x-idempotency`: how a caller names its intent.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Idempotency {
    /// The request header with the key.
    pub header: String,
}

/// `x-error-proof`: by what an error reply is known to be the provider's own, and not that of a proxy or a firewall in
/// between: one of these statuses, and a JSON object with one of these members.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ErrorProof {
    /// The statuses with which the provider is known to answer in this form, from 400 to 499.
    #[serde(deserialize_with = "refusals")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1), inner(range(min = 400, max = 499))))]
    pub statuses: Vec<u16>,
    /// Members of which one is there, and is not `null`.
    #[serde(deserialize_with = "members")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1), inner(length(min = 1))))]
    pub members: Vec<String>,
}

fn refusals<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u16>, D::Error> {
    let statuses = Vec::<u16>::deserialize(deserializer)?;
    if let Some(other) = statuses.iter().find(|status| !(400..500).contains(*status)) {
        return Err(D::Error::custom(format!(
            "status {other} refuses nothing; list statuses from 400 to 499"
        )));
    }
    if statuses.is_empty() {
        return Err(D::Error::custom(
            "`statuses` is empty; list the statuses of such a reply",
        ));
    }
    Ok(statuses)
}

fn members<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let members = Vec::<String>::deserialize(deserializer)?;
    if members.is_empty() || members.iter().any(String::is_empty) {
        return Err(D::Error::custom(
            "`members` names no member of the reply; name those of which one is always there",
        ));
    }
    Ok(members)
}

/// `x-lookup`: how to find out what became of a call whose outcome is unknown.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// The operation that is called: a `GET` that changes nothing.
    pub operation: String,
    /// Its parameters, and where their values stand in the call that is in doubt: runtime expressions, as links in OpenAPI have
    /// them (`$request.path.id`, `$request.query.id`, `$request.body#/id`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// JSON pointer into its reply: a text that says where the matter stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// States in which the call is known to have taken effect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<String>,
    /// States in which the call is known to have no effect, now or later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<String>,
    /// Of an operation that lists: which items may be the call's work. JSON pointer into an item, and a runtime expression
    /// whose value stands there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub same: BTreeMap<String, String>,
    /// Whether no other call makes an item that is the `same`: then such an item shows that the call took effect.
    #[serde(default)]
    pub unique: bool,
}

/// `x-limit`: how often the provider takes a call.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// So many calls ...
    #[serde(default = "one")]
    pub calls: NonZeroU32,
    /// ... in so many seconds ...
    pub seconds: NonZeroU64,
    /// ... for each value of these parameters of the path; none: for each grant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
}

fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

/// A runtime expression of [`Lookup`]: where in a request a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestPart<'a> {
    /// A parameter of the path.
    Path(&'a str),
    /// A parameter of the query.
    Query(&'a str),
    /// A JSON pointer into the body; of a form, a slash and the name of a field.
    Body(&'a str),
}

impl<'a> RequestPart<'a> {
    /// Reads `$request.path.id`, `$request.query.id` or `$request.body#/id`.
    #[must_use]
    pub fn read(expression: &'a str) -> Option<Self> {
        let part = expression.strip_prefix("$request.")?;
        let named = |place: &str| part.strip_prefix(place).filter(|name| !name.is_empty());
        if let Some(name) = named("path.") {
            return Some(Self::Path(name));
        }
        if let Some(name) = named("query.") {
            return Some(Self::Query(name));
        }
        named("body#")
            .filter(|pointer| pointer.starts_with('/'))
            .map(Self::Body)
    }
}

/// A value that the library makes on every call (`x-headers`).
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum MadeHeader {
    /// A fresh random UUID.
    Uuid,
}

/// `x-lenient`: a value is read whatever form it came in.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Lenient {
    /// `true`, `1`, `"1"`, `"true"`.
    Boolean,
    /// A string, a number or a boolean, as text.
    String,
    /// A date-time, a date, or the text as it came.
    DateTime,
    /// An array, an array of arrays, an object of arrays, a single object, `null`.
    Array,
    /// An object with one property, or the text of that property alone.
    Object,
}

/// How a property of a form body is written (`x-form` in `encoding`).
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum FormStyle {
    /// `scopes[]=a&scopes[]=b`
    Brackets,
    /// `metadata[key]=value`
    Map,
    /// `scopes=a&scopes=b`
    Repeated,
}

/// An OAuth grant (RFC 6749 section 1.3).
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// RFC 6749 section 4.4.
    ClientCredentials,
    /// RFC 6749 section 4.1.
    AuthorizationCode,
    /// RFC 6749 section 4.3.
    Password,
    /// RFC 6749 section 6.
    RefreshToken,
}

impl Grant {
    /// The value of `grant_type`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::AuthorizationCode => "authorization_code",
            Self::Password => "password",
            Self::RefreshToken => "refresh_token",
        }
    }
}

/// How a client shows who it is (RFC 7591 section 2, `token_endpoint_auth_method`).
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// HTTP Basic with client id and secret.
    ClientSecretBasic,
    /// Client id and secret in the body.
    #[default]
    ClientSecretPost,
    /// Client id in the body, no secret.
    None,
}

impl ClientAuthentication {
    /// The word of RFC 7591.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::None => "none",
        }
    }
}

/// Client authentication with exceptions per request.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClientAuthentications {
    /// Where nothing else is said.
    pub default: ClientAuthentication,
    /// For the client credentials grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_credentials: Option<ClientAuthentication>,
    /// For the code exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_code: Option<ClientAuthentication>,
    /// For the password grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<ClientAuthentication>,
    /// For a refresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<ClientAuthentication>,
    /// For revocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<ClientAuthentication>,
}

impl ClientAuthentications {
    /// How the client authenticates for a grant.
    #[must_use]
    pub fn of(&self, grant: Grant) -> ClientAuthentication {
        match grant {
            Grant::ClientCredentials => self.client_credentials,
            Grant::AuthorizationCode => self.authorization_code,
            Grant::Password => self.password,
            Grant::RefreshToken => self.refresh_token,
        }
        .unwrap_or(self.default)
    }

    /// How the client authenticates for a revocation.
    #[must_use]
    pub fn of_revocation(&self) -> ClientAuthentication {
        self.revocation.unwrap_or(self.default)
    }
}

/// `x-oauth`: an authorization server as data.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Oauth {
    /// The grants that the provider has.
    pub grants: Vec<Grant>,
    /// The operations of the authorization server.
    pub operations: OauthOperations,
    /// How the client authenticates.
    pub client_authentication: ClientAuthentications,
    /// Encoding of token requests.
    #[serde(default)]
    pub token_body: TokenBody,
    /// Other encodings that the provider takes.
    #[serde(default)]
    pub token_bodies_accepted: Vec<TokenBody>,
    /// What is known of PKCE (RFC 7636, `S256`), which is sent unless it is refused.
    #[serde(default)]
    pub pkce: Pkce,
    /// Between several scopes of a request.
    #[serde(default = "space")]
    pub scope_separator: String,
    /// Other separators that the provider takes.
    #[serde(default)]
    pub scope_separators_accepted: Vec<String>,
    /// Added to every request that carries scopes.
    #[serde(default)]
    pub scopes_always: Vec<String>,
    /// Whether the flows list every scope; `false`: there may be others, which are not documented.
    #[serde(default = "yes")]
    pub scopes_complete: bool,
    /// One scope per authorization.
    #[serde(default)]
    pub single_scope: bool,
    /// What an authorization request sends in place of a scope.
    #[serde(default)]
    pub scope_templates: BTreeMap<String, String>,
    /// Scopes of `scope_templates` whose bare form is allowed too.
    #[serde(default)]
    pub scope_template_optional: Vec<String>,
    /// The requests that carry `scope`.
    #[serde(default)]
    pub scope_sent_on: Vec<ScopeSentOn>,
    /// Rules for the redirect URI.
    #[serde(default)]
    pub redirect_uri: RedirectUri,
    /// Whether the provider demands `response_type` in the authorization request.
    #[serde(default = "yes")]
    pub response_type_required: bool,
    /// Error codes that the authorization endpoint shows to the user, with no redirect to the client.
    #[serde(default)]
    pub errors_not_redirected: Vec<String>,
    /// `error` of the redirect when the user refuses.
    #[serde(default = "access_denied")]
    pub refusal_error: String,
    /// Whether a refusal brings `state` back.
    #[serde(default)]
    pub state_on_refusal: StateOnRefusal,
    /// Extra query field on a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal_code_field: Option<String>,
    /// The client secret is also the access key of the resources.
    #[serde(default)]
    pub access_key_is_client_secret: bool,
    /// How a token reply is read.
    #[serde(default)]
    pub token_reply: TokenReply,
    /// What is known about refresh tokens.
    #[serde(default)]
    pub refresh: Refresh,
    /// Documented life of an access token in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_lifetime: Option<u64>,
    /// The revocation request, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Revocation>,
    /// OAuth error code to verdict, beyond RFC 6749's own.
    #[serde(default)]
    pub errors: BTreeMap<String, Verdict>,
    /// Field of this object to grade, where it is not official.
    #[serde(default)]
    pub grades: BTreeMap<String, Grade>,
}

impl Oauth {
    /// What is said of a provider without an authorization server: it has no grant and no endpoint.
    #[must_use]
    pub fn none() -> Option<Self> {
        let said = r#"{"grants":[],"operations":{"token":""},"client_authentication":{"default":"none"}}"#;
        serde_json::from_str(said).ok()
    }

    /// Whether the provider has a grant.
    #[must_use]
    pub fn has(&self, grant: Grant) -> bool {
        self.grants.contains(&grant)
    }

    /// Whether the provider takes a token request in this encoding: the one that is sent, or another one.
    #[must_use]
    pub fn takes_body(&self, encoding: TokenBody) -> bool {
        self.token_body == encoding || self.token_bodies_accepted.contains(&encoding)
    }

    /// What may stand between several scopes of a request: what is sent, and what else the provider takes.
    pub fn separators(&self) -> impl Iterator<Item = &str> {
        let all = std::iter::once(&self.scope_separator).chain(&self.scope_separators_accepted);
        all.map(String::as_str).filter(|separator| !separator.is_empty())
    }

    /// What is wrong with the separators, by the field that has each: a separator is one character, which is no part of a scope
    /// (RFC 6749 section 3.3) at this provider. `scopes` are those of the flows.
    pub fn unfit_separators<'a>(&'a self, scopes: impl IntoIterator<Item = &'a str>) -> Vec<(&'static str, String)> {
        let templates = self.scope_templates.values().map(String::as_str);
        let texts: Vec<&str> = scopes.into_iter().chain(templates).collect();
        let sent = std::iter::once(("scope_separator", &self.scope_separator));
        let accepted = self.scope_separators_accepted.iter();
        sent.chain(accepted.map(|separator| ("scope_separators_accepted", separator)))
            .filter_map(|(field, separator)| {
                let problem = match separator.chars().collect::<Vec<_>>()[..] {
                    [one] if one.is_ascii_alphanumeric() => {
                        "is a letter or a digit, which names and ids have".to_owned()
                    }
                    [one] if one != ' ' && !one.is_ascii_graphic() => "cannot be seen or is not in ASCII".to_owned(),
                    [one] => {
                        let scope = texts.iter().find(|text| text.contains(one))?;
                        format!("is a part of the scope `{scope}`")
                    }
                    _ => "is not one character".to_owned(),
                };
                Some((field, format!("`{separator}` {problem}")))
            })
            .collect()
    }

    /// The field of a token reply that names the connected account.
    #[must_use]
    pub fn subject_field(&self) -> Option<&str> {
        let mut extra = self.token_reply.extra.iter();
        extra.find(|field| field.subject).map(|field| field.name.as_str())
    }
}

fn space() -> String {
    " ".to_owned()
}

fn access_denied() -> String {
    "access_denied".to_owned()
}

fn yes() -> bool {
    true
}

/// The `operationId`s of the authorization server's endpoints.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OauthOperations {
    /// The authorization endpoint, for the authorization code grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorize: Option<String>,
    /// The token endpoint.
    pub token: String,
    /// The revocation endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke: Option<String>,
}

/// Encoding of a token request's body.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TokenBody {
    /// `application/x-www-form-urlencoded`, as RFC 6749 has it.
    #[default]
    Form,
    /// `application/json`.
    Json,
}

/// What is known of PKCE at an authorization server.
///
/// It is sent wherever nothing speaks against it: RFC 9700 section 2.1.1 recommends it to every client, and a server
/// ignores parameters that it does not know (RFC 6749 sections 3.1 and 3.2).
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Pkce {
    /// The server demands it.
    Required,
    /// The server checks it where it is sent.
    Supported,
    /// The provider says nothing of it. It is sent, can be switched off, and protects nobody as far as anyone knows.
    /// Earlier bundles say `none` for it.
    #[default]
    #[serde(alias = "none")]
    Undocumented,
    /// The server takes no request that has it: it is not sent.
    Refused,
}

impl Pkce {
    /// Whether the client sends it.
    #[must_use]
    pub const fn is_sent(self) -> bool {
        !matches!(self, Self::Refused)
    }

    /// Whether the server is known to check it.
    #[must_use]
    pub const fn is_checked(self) -> bool {
        matches!(self, Self::Required | Self::Supported)
    }
}

/// A request that carries `scope`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ScopeSentOn {
    /// The authorization request.
    Authorize,
    /// The client credentials grant.
    ClientCredentials,
    /// The code exchange.
    AuthorizationCode,
    /// The password grant.
    Password,
    /// A refresh.
    RefreshToken,
}

/// Rules for the redirect URI.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RedirectUri {
    /// It must be in the authorization request.
    pub required: bool,
    /// It is repeated in the code exchange.
    pub on_token_request: bool,
    /// Plain http is refused, loopback excepted.
    pub https_or_custom_scheme: bool,
}

impl Default for RedirectUri {
    fn default() -> Self {
        Self {
            required: true,
            on_token_request: true,
            https_or_custom_scheme: false,
        }
    }
}

/// Whether a refusal brings `state` back.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum StateOnRefusal {
    /// A refusal without `state` is not trusted.
    #[default]
    Required,
    /// A refusal may come without `state`.
    Optional,
}

/// How a token reply is read.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct TokenReply {
    /// Unit of `expires_in`.
    pub expires_in_unit: TimeUnit,
    /// Seconds, when `expires_in` is missing; none: expiry unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_lifetime: Option<u64>,
    /// Documented fields beyond RFC 6749.
    pub extra: Vec<ExtraField>,
}

/// Unit of a lifetime on the wire.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TimeUnit {
    /// Seconds.
    #[default]
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

/// A documented field of a token reply beyond RFC 6749.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ExtraField {
    /// Its name on the wire.
    pub name: String,
    /// What it means.
    pub description: String,
    /// Whether it names the connected account.
    #[serde(default)]
    pub subject: bool,
}

/// What is known about refresh tokens.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Refresh {
    /// A refresh brings a new refresh token; none: not documented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotates: Option<bool>,
    /// Life of a refresh token in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<u64>,
    /// Reply field that carries its life in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime_field: Option<String>,
    /// Seconds in which the old refresh token still works; none: not documented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace: Option<u64>,
}

/// The revocation request.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// The form field that carries the token.
    pub token_field: String,
    /// Whether `token_type_hint` is sent (RFC 7009 section 2.1).
    #[serde(default)]
    pub token_type_hint: bool,
    /// Statuses that mean success.
    pub success: Vec<u16>,
    /// Statuses that a token which the server does not know may bring, beside what RFC 7009 section 2.2 says of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_token: Vec<u16>,
}

/// What an OAuth error code means for the grant.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Try again later.
    Transient,
    /// Try again later, and less often.
    Throttled,
    /// This request was wrong; the grant lives.
    RequestRejected,
    /// The client's own settings are wrong; the grant lives.
    ClientMisconfigured,
    /// The grant is gone.
    Dead,
}
