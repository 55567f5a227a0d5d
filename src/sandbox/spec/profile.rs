//! `x-oauth`: the authorization server of a provider, as data.

use crate::sandbox::json::Json;

/// What the authorization server of a provider does.
pub(in crate::sandbox) struct Profile {
    pub(in crate::sandbox) grants: Vec<String>,
    pub(in crate::sandbox) authorize_operation: Option<String>,
    pub(in crate::sandbox) token_operation: String,
    pub(in crate::sandbox) revoke_operation: Option<String>,
    authentication: Vec<(String, String)>,
    /// `form`, `json`: the encodings of token requests that are taken.
    token_bodies: Vec<String>,
    pub(in crate::sandbox) pkce: Pkce,
    /// What may stand between several scopes of a request.
    pub(in crate::sandbox) scope_separators: Vec<String>,
    /// Whether the flows name every scope that there is.
    pub(in crate::sandbox) scopes_complete: bool,
    pub(in crate::sandbox) scopes_always: Vec<String>,
    pub(in crate::sandbox) single_scope: bool,
    pub(in crate::sandbox) scope_templates: Vec<(String, String)>,
    pub(in crate::sandbox) scope_template_optional: Vec<String>,
    pub(in crate::sandbox) scope_sent_on: Vec<String>,
    pub(in crate::sandbox) redirect_required: bool,
    pub(in crate::sandbox) redirect_on_token: bool,
    pub(in crate::sandbox) redirect_https: bool,
    pub(in crate::sandbox) response_type_required: bool,
    pub(in crate::sandbox) state_on_refusal: bool,
    /// `error` when the user refuses.
    pub(in crate::sandbox) refusal_error: String,
    pub(in crate::sandbox) refusal_code_field: Option<String>,
    /// Error codes that the authorization endpoint shows instead of sending the browser back.
    pub(in crate::sandbox) errors_not_redirected: Vec<String>,
    /// The client secret is the user name of HTTP Basic at the resources, too.
    pub(in crate::sandbox) access_key_is_client_secret: bool,
    pub(in crate::sandbox) milliseconds: bool,
    pub(in crate::sandbox) access_lifetime: Option<u64>,
    pub(in crate::sandbox) subject_field: Option<String>,
    pub(in crate::sandbox) rotates: bool,
    pub(in crate::sandbox) refresh_lifetime: Option<u64>,
    pub(in crate::sandbox) refresh_lifetime_field: Option<String>,
    pub(in crate::sandbox) grace: u64,
    pub(in crate::sandbox) revocation_field: String,
    pub(in crate::sandbox) revocation_status: u16,
    /// Error codes of its own.
    pub(in crate::sandbox) errors: Vec<String>,
    /// Grant to the scopes of its flow.
    scopes: Vec<(String, Vec<String>)>,
}

/// What becomes of a code challenge (RFC 7636).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sandbox) enum Pkce {
    Required,
    /// Checked where it is sent.
    Supported,
    /// The provider says nothing of it, so it is played as a server that does not know the parameters (RFC 6749 sections
    /// 3.1 and 3.2): a client that counts on them is protected by nothing.
    Ignored,
    Refused,
}

/// How a client shows who it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sandbox) enum Authentication {
    Basic,
    Post,
    None,
}

impl Profile {
    /// Reads the security scheme.
    pub(in crate::sandbox) fn read(scheme: &Json) -> Option<Self> {
        let oauth = scheme.get("x-oauth")?;
        let text = |way: &[&str]| oauth.at(way).and_then(Json::as_str).map(str::to_owned);
        let flag = |way: &[&str], default: bool| oauth.at(way).and_then(Json::as_bool).unwrap_or(default);
        let number = |way: &[&str]| oauth.at(way).and_then(Json::as_u64);
        let list = |name: &str| -> Vec<String> { oauth.get(name).map(texts).unwrap_or_default() };
        let pairs = |name: &str| -> Vec<(String, String)> {
            let members = oauth.get(name).map(Json::members).unwrap_or_default();
            members
                .iter()
                .filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned())))
                .collect()
        };
        let flows = scheme.get("flows").map(Json::members).unwrap_or_default();
        Some(Self {
            grants: list("grants"),
            authorize_operation: text(&["operations", "authorize"]),
            token_operation: text(&["operations", "token"])?,
            revoke_operation: text(&["operations", "revoke"]),
            authentication: pairs("client_authentication"),
            token_bodies: with_first(text(&["token_body"]), "form", list("token_bodies_accepted")),
            pkce: match text(&["pkce"]).as_deref() {
                Some("required") => Pkce::Required,
                Some("supported") => Pkce::Supported,
                Some("refused") => Pkce::Refused,
                _ => Pkce::Ignored,
            },
            scope_separators: with_first(text(&["scope_separator"]), " ", list("scope_separators_accepted")),
            scopes_complete: flag(&["scopes_complete"], true),
            scopes_always: list("scopes_always"),
            single_scope: flag(&["single_scope"], false),
            scope_templates: pairs("scope_templates"),
            scope_template_optional: list("scope_template_optional"),
            scope_sent_on: list("scope_sent_on"),
            redirect_required: flag(&["redirect_uri", "required"], true),
            redirect_on_token: flag(&["redirect_uri", "on_token_request"], true),
            redirect_https: flag(&["redirect_uri", "https_or_custom_scheme"], false),
            response_type_required: flag(&["response_type_required"], true),
            state_on_refusal: text(&["state_on_refusal"]).as_deref() != Some("optional"),
            refusal_error: text(&["refusal_error"]).unwrap_or_else(|| "access_denied".to_owned()),
            refusal_code_field: text(&["refusal_code_field"]),
            errors_not_redirected: list("errors_not_redirected"),
            access_key_is_client_secret: flag(&["access_key_is_client_secret"], false),
            milliseconds: text(&["token_reply", "expires_in_unit"]).as_deref() == Some("milliseconds"),
            access_lifetime: number(&["access_token_lifetime"])
                .or_else(|| number(&["token_reply", "default_lifetime"])),
            subject_field: oauth
                .at(&["token_reply", "extra"])
                .map(Json::items)
                .unwrap_or_default()
                .iter()
                .find(|field| field.get("subject").and_then(Json::as_bool) == Some(true))
                .and_then(|field| field.get("name")?.as_str().map(str::to_owned)),
            rotates: flag(&["refresh", "rotates"], false),
            refresh_lifetime: number(&["refresh", "lifetime"]),
            refresh_lifetime_field: text(&["refresh", "lifetime_field"]),
            grace: number(&["refresh", "grace"]).unwrap_or(0),
            revocation_field: text(&["revocation", "token_field"]).unwrap_or_else(|| "token".to_owned()),
            revocation_status: oauth
                .at(&["revocation", "success"])
                .and_then(|statuses| statuses.items().first()?.as_u64())
                .and_then(|status| u16::try_from(status).ok())
                .unwrap_or(200),
            errors: oauth
                .get("errors")
                .map(Json::members)
                .unwrap_or_default()
                .iter()
                .map(|(code, _)| code.clone())
                .collect(),
            scopes: flows
                .iter()
                .map(|(flow, definition)| {
                    let scopes = definition.get("scopes").map(Json::members).unwrap_or_default();
                    (
                        grant_of_flow(flow).to_owned(),
                        scopes.iter().map(|(scope, _)| scope.clone()).collect(),
                    )
                })
                .collect(),
        })
    }

    /// How a client authenticates for a grant, or for `revocation`.
    pub(in crate::sandbox) fn authentication(&self, request: &str) -> Authentication {
        let find = |key: &str| {
            self.authentication
                .iter()
                .find(|(k, _)| k == key)
                .map(|(_, v)| v.as_str())
        };
        match find(request).or_else(|| find("default")) {
            Some("client_secret_basic") => Authentication::Basic,
            Some("none") => Authentication::None,
            _ => Authentication::Post,
        }
    }

    /// The scopes that a grant may have.
    pub(in crate::sandbox) fn scopes_of(&self, grant: &str) -> &[String] {
        self.scopes
            .iter()
            .find(|(g, _)| g == grant)
            .map(|(_, scopes)| scopes.as_slice())
            .unwrap_or_default()
    }

    /// Whether a token request may be encoded like this: `form`, `json`.
    pub(in crate::sandbox) fn takes_body(&self, encoding: &str) -> bool {
        self.token_bodies.iter().any(|known| known == encoding)
    }

    /// Whether a grant exists here.
    pub(in crate::sandbox) fn has(&self, grant: &str) -> bool {
        self.grants.iter().any(|g| g == grant)
    }
}

fn grant_of_flow(flow: &str) -> &str {
    match flow {
        "clientCredentials" => "client_credentials",
        "authorizationCode" => "authorization_code",
        other => other,
    }
}

/// What a client sends, and what is taken beside it.
fn with_first(own: Option<String>, default: &str, others: Vec<String>) -> Vec<String> {
    let own = own.unwrap_or_else(|| default.to_owned());
    std::iter::once(own)
        .chain(others)
        .filter(|text| !text.is_empty())
        .collect()
}

fn texts(list: &Json) -> Vec<String> {
    list.items()
        .iter()
        .filter_map(Json::as_str)
        .map(str::to_owned)
        .collect()
}
