//! The authorization endpoint: what a browser brings, and where it goes.

use finrail_spec::model::Place;
use finrail_spec::vocabulary::{Oauth, Pkce, StateOnRefusal};

use super::authentication::repeated;
use super::scope::authorized_scopes;
use super::{Authority, Binding, Client, Code, Grant, Refusal, refusal};
use crate::sandbox::http::value_of;
use crate::sandbox::mint;
use crate::sandbox::spec::{Operation, Spec};

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
    pub(in crate::sandbox) fn keep(&mut self, oauth: &Oauth, is_chosen: impl Fn(&str) -> bool) -> bool {
        let asked_for_some = !self.scopes.is_empty();
        self.scopes
            .retain(|scope| is_chosen(scope) || oauth.scopes_always.contains(scope));
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
        let oauth = &spec.oauth;
        if let Some(twice) = repeated(query) {
            return Err(stay("invalid_request", format!("the parameter {twice} is there twice")));
        }
        let client = value_of(query, "client_id")
            .and_then(|id| self.client(id))
            .ok_or_else(|| stay("invalid_client", "the client id is missing or not registered"))?;
        let sent = value_of(query, "redirect_uri");
        let redirect_uri = redirect_uri(oauth, client, sent)?;
        let state = value_of(query, "state");
        let back = |(code, why): Wrong| {
            if oauth.errors_not_redirected.iter().any(|own| own == code) {
                return stay(code, why);
            }
            let fields = [("error", code), ("error_description", why.as_str())];
            Stop::Back(callback(redirect_uri, &fields, state))
        };
        check_response_type(oauth, query).map_err(back)?;
        check_required(operation, query).map_err(back)?;
        let challenge = challenge(oauth, query).map_err(back)?;
        let scope = value_of(query, "scope").unwrap_or_default();
        let (scopes, bindings) = authorized_scopes(spec, scope, exists).map_err(|why| back(("invalid_scope", why)))?;
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
    pub(in crate::sandbox) fn refuse(oauth: &Oauth, request: &AuthorizationRequest) -> String {
        let error = oauth.refusal_error.as_str();
        let mut fields = vec![("error", error)];
        if let Some(field) = &oauth.refusal_code_field {
            fields.push((field, error));
        }
        let state = request
            .state
            .as_deref()
            .filter(|_| oauth.state_on_refusal == StateOnRefusal::Required);
        callback(&request.redirect_uri, &fields, state)
    }
}

/// What is wrong with a request whose sender is known: an error code, and why.
type Wrong = (&'static str, String);

fn stay(code: &str, why: impl Into<String>) -> Stop {
    Stop::Here(refusal(code, why))
}

/// Where the browser goes back: an address that is registered for the client, and no other.
fn redirect_uri<'a>(oauth: &Oauth, client: &'a Client, sent: Option<&'a str>) -> Result<&'a str, Stop> {
    let own = own_code(oauth, "invalid_redirect_uri", "invalid_request");
    let uri = match sent {
        Some(uri) if client.redirect_uris.iter().any(|known| is_registered(known, uri)) => uri,
        Some(_) => {
            let why = "the redirect URI is not one that is registered for this client";
            return Err(stay(own, why));
        }
        None if oauth.redirect_uri.required => return Err(stay("invalid_request", "the redirect URI is missing")),
        None => client
            .redirect_uris
            .first()
            .ok_or_else(|| stay("invalid_request", "the client has no redirect URI"))?,
    };
    match oauth.redirect_uri.https_or_custom_scheme && !is_secure(uri) {
        true => Err(stay(own, "the redirect URI must be https or a custom scheme")),
        false => Ok(uri),
    }
}

fn check_response_type(oauth: &Oauth, query: &[(String, String)]) -> Result<(), Wrong> {
    match value_of(query, "response_type") {
        Some("code") => Ok(()),
        None if !oauth.response_type_required => Ok(()),
        None => Err(("invalid_request", "response_type is missing".to_owned())),
        Some(_) => Err(("unsupported_response_type", "response_type must be code".to_owned())),
    }
}

fn check_required(operation: &Operation, query: &[(String, String)]) -> Result<(), Wrong> {
    let mut required = operation.parameters_in(Place::Query).filter(|p| p.required);
    match required.find(|p| value_of(query, &p.name).is_none_or(str::is_empty)) {
        Some(missing) => Err(("invalid_request", format!("{} is missing", missing.name))),
        None => Ok(()),
    }
}

/// The code challenge (RFC 7636 section 4.3), which is taken only as S256.
fn challenge(oauth: &Oauth, query: &[(String, String)]) -> Result<Option<String>, Wrong> {
    let wrong = |why: &str| Err(("invalid_request", why.to_owned()));
    let method = value_of(query, "code_challenge_method");
    match (oauth.pkce, value_of(query, "code_challenge")) {
        (Pkce::Undocumented, _) => Ok(None),
        (Pkce::Refused, None) if method.is_none() => Ok(None),
        (Pkce::Refused, _) => wrong("code_challenge is not a parameter of this server"),
        (Pkce::Required, None) => wrong("code_challenge is missing"),
        (Pkce::Supported, None) => Ok(None),
        (Pkce::Required | Pkce::Supported, Some(challenge)) if method == Some("S256") && is_challenge(challenge) => {
            Ok(Some(challenge.to_owned()))
        }
        (Pkce::Required | Pkce::Supported, Some(_)) => wrong("code_challenge must be a S256 challenge"),
    }
}

/// The provider's own error code, where it has one for this.
pub(super) fn own_code<'a>(oauth: &Oauth, own: &'a str, standard: &'a str) -> &'a str {
    if oauth.errors.contains_key(own) { own } else { standard }
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

/// To the byte, but for the port of a native application on a loopback address (RFC 8252 section 7.3): it gets another one
/// each time it starts.
fn is_registered(known: &str, sent: &str) -> bool {
    known == sent || without_loopback_port(known).is_some_and(|known| without_loopback_port(sent) == Some(known))
}

/// `http://127.0.0.1:51004/cb` as `http://127.0.0.1` and `/cb`. None: it is not at a loopback address.
fn without_loopback_port(uri: &str) -> Option<(&'static str, &str)> {
    ["http://127.0.0.1", "http://[::1]"].into_iter().find_map(|origin| {
        let rest = uri.strip_prefix(origin)?;
        let Some(port) = rest.strip_prefix(':') else {
            return matches!(rest.chars().next(), None | Some('/' | '?')).then_some((origin, rest));
        };
        let end = port.find(['/', '?']).unwrap_or(port.len());
        let (port, rest) = port.split_at(end);
        let is_port = port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
        is_port.then_some((origin, rest))
    })
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
