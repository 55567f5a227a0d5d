//! The authorization endpoint: what a browser brings, and where it goes.

use super::client::repeated;
use super::scope::authorized_scopes;
use super::{Authority, Binding, Client, Code, Grant, Refusal, refusal};
use crate::sandbox::http::value_of;
use crate::sandbox::mint;
use crate::sandbox::spec::Profile;
use crate::sandbox::spec::{Operation, Place, Spec};

/// How long an authorization code lives.
const CODE_LIFETIME: u64 = 300_000;

/// What came to the authorization endpoint, once it is clear whose it is.
pub(in crate::sandbox) struct AuthorizationRequest {
    pub(in crate::sandbox) client: Client,
    /// Where the browser goes back.
    pub(in crate::sandbox) redirect_uri: String,
    redirect_uri_was_sent: bool,
    pub(in crate::sandbox) state: Option<String>,
    pub(in crate::sandbox) scopes: Vec<String>,
    pub(in crate::sandbox) bindings: Vec<Binding>,
    challenge: Option<String>,
}

impl AuthorizationRequest {
    /// The user takes scopes back; whether anything of what was asked for is left.
    pub(in crate::sandbox) fn keep(&mut self, profile: &Profile, is_chosen: impl Fn(&str) -> bool) -> bool {
        let asked_for_some = !self.scopes.is_empty();
        self.scopes
            .retain(|scope| is_chosen(scope) || profile.scopes_always.contains(scope));
        let scopes = &self.scopes;
        self.bindings.retain(|binding| scopes.contains(&binding.scope));
        !(asked_for_some && scopes.is_empty())
    }
}

/// Why an authorization request goes no further.
pub(in crate::sandbox) enum Stop {
    /// The browser stays: nobody may be sent to an address that is not the client's.
    Here(Refusal),
    /// The browser goes back to the client with `error`.
    Back(String),
}

impl Authority {
    /// Reads an authorization request (RFC 6749 section 4.1.1).
    ///
    /// `exists` tells whether something with that id can fill a scope template.
    pub(in crate::sandbox) fn authorization_request(
        &self,
        spec: &Spec,
        operation: &Operation,
        query: &[(String, String)],
        exists: &dyn Fn(&str, &str) -> bool,
    ) -> Result<AuthorizationRequest, Stop> {
        let profile = &spec.profile;
        let stay = |code: &str, why: &str| Stop::Here(refusal(code, why));
        if let Some(twice) = repeated(query) {
            return Err(stay(
                "invalid_request",
                &format!("the parameter {twice} is there twice"),
            ));
        }
        let get = |name: &str| value_of(query, name);
        let client = get("client_id")
            .and_then(|id| self.client(id))
            .ok_or_else(|| stay("invalid_client", "the client id is missing or not registered"))?;
        let sent = get("redirect_uri");
        let redirect_uri = match sent {
            Some(uri) if client.redirect_uris.iter().any(|known| known == uri) => uri,
            Some(_) => {
                let code = own_code(profile, "invalid_redirect_uri", "invalid_request");
                return Err(stay(
                    code,
                    "the redirect URI is not one that is registered for this client",
                ));
            }
            None if profile.redirect_required => {
                return Err(stay("invalid_request", "the redirect URI is missing"));
            }
            None => client
                .redirect_uris
                .first()
                .ok_or_else(|| stay("invalid_request", "the client has no redirect URI"))?,
        };
        if profile.redirect_https && !is_secure(redirect_uri) {
            let code = own_code(profile, "invalid_redirect_uri", "invalid_request");
            return Err(stay(code, "the redirect URI must be https or a custom scheme"));
        }
        let state = get("state");
        let back = |code: &str, why: &str| {
            if profile.errors_not_redirected.iter().any(|own| own == code) {
                return stay(code, why);
            }
            Stop::Back(callback(
                redirect_uri,
                &[("error", code), ("error_description", why)],
                state,
            ))
        };
        match get("response_type") {
            Some("code") => {}
            None if !profile.response_type_required => {}
            None => return Err(back("invalid_request", "response_type is missing")),
            Some(_) => return Err(back("unsupported_response_type", "response_type must be code")),
        }
        for parameter in operation
            .parameters
            .iter()
            .filter(|p| p.place == Place::Query && p.required)
        {
            if get(&parameter.name).is_none_or(str::is_empty) {
                return Err(back("invalid_request", &format!("{} is missing", parameter.name)));
            }
        }
        let challenge = match (get("code_challenge"), get("code_challenge_method")) {
            (None, _) if profile.pkce => return Err(back("invalid_request", "code_challenge is missing")),
            (Some(challenge), Some("S256")) if is_challenge(challenge) => Some(challenge.to_owned()),
            (Some(_), _) if profile.pkce => {
                return Err(back("invalid_request", "code_challenge must be a S256 challenge"));
            }
            _ => None,
        };
        let (scopes, bindings) = authorized_scopes(profile, get("scope").unwrap_or_default(), exists)
            .map_err(|why| back("invalid_scope", &why))?;
        Ok(AuthorizationRequest {
            client: client.clone(),
            redirect_uri: redirect_uri.to_owned(),
            redirect_uri_was_sent: sent.is_some(),
            state: state.map(str::to_owned),
            scopes,
            bindings,
            challenge,
        })
    }

    /// The user allows, all or a part of it: where the browser goes, with a code.
    pub(in crate::sandbox) fn allow(&mut self, request: &AuthorizationRequest, user: &str, now: u64) -> String {
        self.forget(now);
        let code = mint::secret("", 43);
        self.codes.insert(
            code.clone(),
            Code {
                client: request.client.id.clone(),
                redirect_uri: request.redirect_uri.clone(),
                was_sent: request.redirect_uri_was_sent,
                challenge: request.challenge.clone(),
                grant: Grant {
                    client: request.client.id.clone(),
                    user: Some(user.to_owned()),
                    scopes: request.scopes.clone(),
                    bindings: request.bindings.clone(),
                    dead: false,
                },
                expires: now + CODE_LIFETIME,
                spent_by: None,
            },
        );
        callback(&request.redirect_uri, &[("code", &code)], request.state.as_deref())
    }

    /// The user refuses: where the browser goes.
    pub(in crate::sandbox) fn refuse(profile: &Profile, request: &AuthorizationRequest) -> String {
        let error = profile.refusal_error.as_str();
        let mut fields = vec![("error", error)];
        if let Some(field) = &profile.refusal_code_field {
            fields.push((field, error));
        }
        let state = request.state.as_deref().filter(|_| profile.state_on_refusal);
        callback(&request.redirect_uri, &fields, state)
    }
}

/// The provider's own error code, where its profile names it.
pub(super) fn own_code<'a>(profile: &Profile, own: &'a str, standard: &'a str) -> &'a str {
    if profile.errors.iter().any(|code| code == own) {
        own
    } else {
        standard
    }
}

/// The redirect URI with these fields in its query.
fn callback(redirect_uri: &str, fields: &[(&str, &str)], state: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(fields);
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    let (address, fragment) = match redirect_uri.split_once('#') {
        Some((address, fragment)) => (address, format!("#{fragment}")),
        None => (redirect_uri, String::new()),
    };
    let join = if address.contains('?') { '&' } else { '?' };
    format!("{address}{join}{}{fragment}", query.finish())
}

/// `https`, a custom scheme, or plain http to the machine itself.
fn is_secure(uri: &str) -> bool {
    match url::Url::parse(uri) {
        Ok(url) if url.scheme() == "http" => {
            matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
        }
        Ok(_) => true,
        Err(_) => false,
    }
}

fn is_challenge(challenge: &str) -> bool {
    challenge.len() == 43
        && challenge
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
