//! The authorization server: clients, codes, grants and tokens, and the rules by which they change.
//!
//! RFC 6749 (codes, grants), RFC 7636 (PKCE), RFC 7009 (revocation), RFC 9700 section 4.14.2
//! (rotation with reuse detection); where a provider differs, its profile says so.

use std::collections::HashMap;

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use super::http::Call;
use super::json::Json;
use super::mint;
use super::profile::{Authentication, Profile};
use super::spec::{Operation, Place, Spec};

/// How long an authorization code lives.
const CODE_LIFETIME: u64 = 300_000;
/// How long an access token lives where nobody says.
const DEFAULT_LIFETIME: u64 = 3600;
/// Length of a token that carries no user.
const SERVICE_TOKEN_LENGTH: usize = 320;

/// A registered client.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) name: String,
    pub(super) redirect_uris: Vec<String>,
    pub(super) access_key: (String, String),
}

struct Code {
    client: String,
    /// As it was sent; none when it was left out.
    redirect_uri: Option<String>,
    challenge: Option<String>,
    grant: Grant,
    expires: u64,
    spent_by: Option<u64>,
}

/// What a user or a client was allowed.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) client: String,
    /// None: the client's own.
    pub(super) user: Option<String>,
    pub(super) scopes: Vec<String>,
    /// What a scope template was filled with: `consentId` and its value.
    pub(super) bindings: Vec<(String, String)>,
    dead: bool,
}

struct AccessToken {
    grant: u64,
    scopes: Vec<String>,
    expires: u64,
}

struct RefreshToken {
    grant: u64,
    expires: Option<u64>,
    spent: Option<u64>,
}

/// Clients, users, codes and tokens of one provider. Times are milliseconds of the sandbox's clock.
#[derive(Default)]
pub(super) struct Authority {
    clients: Vec<Client>,
    users: HashMap<String, String>,
    accounts: HashMap<String, String>,
    codes: HashMap<String, Code>,
    grants: HashMap<u64, Grant>,
    access: HashMap<String, AccessToken>,
    refresh: HashMap<String, RefreshToken>,
    registration_tokens: Vec<String>,
    next_grant: u64,
    /// What a test wants otherwise than the profile has it.
    pub(super) tuning: Tuning,
}

/// Lifetimes in place of the profile's, in milliseconds.
#[derive(Default)]
pub(super) struct Tuning {
    pub(super) access_lifetime: Option<u64>,
    pub(super) refresh_lifetime: Option<u64>,
    pub(super) grace: Option<u64>,
}

/// An error reply of RFC 6749 section 5.2.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) description: String,
}

fn refusal(code: &str, description: impl Into<String>) -> Refusal {
    Refusal {
        status: if code == "invalid_client" { 401 } else { 400 },
        code: code.to_owned(),
        description: description.into(),
    }
}

/// What came to the authorization endpoint, once it is clear whose it is.
pub(super) struct AuthorizationRequest {
    pub(super) client: Client,
    /// Where the browser goes back.
    pub(super) redirect_uri: String,
    sent_redirect_uri: Option<String>,
    pub(super) state: Option<String>,
    pub(super) scopes: Vec<String>,
    bindings: Vec<(String, String)>,
    challenge: Option<String>,
}

/// Why an authorization request goes no further.
pub(super) enum Stop {
    /// The browser stays: nobody may be sent to an address that is not the client's.
    Here(Refusal),
    /// The browser goes back to the client with `error`.
    Back(String),
}

/// A bearer token that holds, and what it allows.
pub(super) struct Access {
    pub(super) scopes: Vec<String>,
    pub(super) grant: Grant,
}

impl Authority {
    /// Adds a client.
    pub(super) fn register(&mut self, client: Client) {
        self.clients.retain(|known| known.id != client.id);
        self.clients.push(client);
    }

    /// Removes a client and everything it was granted.
    pub(super) fn unregister(&mut self, id: &str) {
        self.clients.retain(|known| known.id != id);
        for grant in self.grants.values_mut().filter(|grant| grant.client == id) {
            grant.dead = true;
        }
    }

    /// A client by its id.
    pub(super) fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.id == id)
    }

    /// The id of the client that has been registered longest.
    pub(super) fn first_client(&self) -> Option<String> {
        self.clients.first().map(|client| client.id.clone())
    }

    /// The first client whose access key this is.
    pub(super) fn client_of_key(&self, key: &(String, String)) -> Option<&Client> {
        self.clients.iter().find(|client| client.access_key == *key)
    }

    /// Adds a user who can log in.
    pub(super) fn add_user(&mut self, name: &str, password: &str) {
        self.users.insert(name.to_owned(), password.to_owned());
    }

    /// The password of a user.
    pub(super) fn password(&self, name: &str) -> Option<&str> {
        self.users.get(name).map(String::as_str)
    }

    /// Accepts this credential for client registration.
    pub(super) fn add_registration_token(&mut self, token: String) {
        self.registration_tokens.push(token);
    }

    /// Whether this is a credential for client registration.
    pub(super) fn is_registration_token(&self, token: &str) -> bool {
        self.registration_tokens.iter().any(|known| known == token)
    }

    /// Ends every grant.
    pub(super) fn revoke_all(&mut self) {
        self.grants.values_mut().for_each(|grant| grant.dead = true);
    }

    /// Ends the grant to which a token belongs.
    pub(super) fn kill(&mut self, token: &str) -> bool {
        let access = self.access.get(token).map(|t| t.grant);
        let Some(id) = access.or_else(|| self.refresh.get(token).map(|t| t.grant)) else {
            return false;
        };
        if let Some(grant) = self.grants.get_mut(&id) {
            grant.dead = true;
        }
        true
    }

    /// Ends the grants that were given for something that is gone now.
    pub(super) fn end_bound(&mut self, name: &str, value: &str) {
        for grant in self.grants.values_mut() {
            if grant.bindings.iter().any(|(n, v)| n == name && v == value) {
                grant.dead = true;
            }
        }
    }

    /// What a bearer token allows, while it holds.
    pub(super) fn access(&self, token: &str, now: u64) -> Option<Access> {
        let access = self.access.get(token)?;
        let grant = self.grants.get(&access.grant)?;
        (access.expires > now && !grant.dead).then(|| Access {
            scopes: access.scopes.clone(),
            grant: grant.clone(),
        })
    }

    #[cfg(test)]
    pub(super) fn grant_for_test(&mut self, spec: &Spec, user: Option<&str>, scopes: Vec<String>) -> String {
        let grant = self.open(Grant {
            client: "client".to_owned(),
            user: user.map(str::to_owned),
            scopes: scopes.clone(),
            bindings: Vec::new(),
            dead: false,
        });
        let reply = self.issue(spec, "test", grant, scopes, false, 1 << 60);
        reply.get("access_token").and_then(Json::scalar).unwrap_or_default()
    }

    // --- authorization endpoint

    /// Reads an authorization request (RFC 6749 section 4.1.1).
    ///
    /// `exists` tells whether something with that id can fill a scope template.
    pub(super) fn authorization_request(
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
        let get = |name: &str| query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
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
            if super::particular::stays_on(&spec.id, code) {
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
            sent_redirect_uri: sent.map(str::to_owned),
            state: state.map(str::to_owned),
            scopes,
            bindings,
            challenge,
        })
    }

    /// The user allows, all or a part of it: where the browser goes, with a code.
    pub(super) fn allow(
        &mut self,
        request: &AuthorizationRequest,
        user: &str,
        now: u64,
    ) -> (String, Vec<(String, String)>) {
        let code = mint::secret("", 43);
        self.codes.insert(
            code.clone(),
            Code {
                client: request.client.id.clone(),
                redirect_uri: request.sent_redirect_uri.clone(),
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
        let url = callback(&request.redirect_uri, &[("code", &code)], request.state.as_deref());
        (url, request.bindings.clone())
    }

    /// The user refuses: where the browser goes.
    pub(super) fn refuse(profile: &Profile, request: &AuthorizationRequest) -> String {
        let mut fields = vec![("error", "access_denied")];
        if let Some(field) = &profile.refusal_code_field {
            fields.push((field, "access_denied"));
        }
        let state = request.state.as_deref().filter(|_| profile.state_on_refusal);
        callback(&request.redirect_uri, &fields, state)
    }

    // --- token endpoint

    /// Answers a token request (RFC 6749 sections 4.1.3, 4.3.2, 4.4.2, 6).
    pub(super) fn token(&mut self, spec: &Spec, call: &Call, now: u64) -> Result<Json, Refusal> {
        let profile = &spec.profile;
        let fields = token_fields(profile, call)?;
        let grant_type =
            field(&fields, "grant_type").ok_or_else(|| refusal("invalid_request", "grant_type is missing"))?;
        if !profile.has(grant_type) {
            return Err(refusal(
                "unsupported_grant_type",
                "this provider does not have this grant",
            ));
        }
        let client = self.authenticate(profile, grant_type, call, &fields)?.id.clone();
        let scope = scope_field(profile, grant_type, &fields)?;
        match grant_type {
            "client_credentials" => self.client_credentials(spec, client, scope, now),
            "password" => self.user_password(spec, client, &fields, now),
            "authorization_code" => self.exchange(spec, &client, &fields, scope, now),
            _ => self.renew(spec, &client, &fields, scope, now),
        }
    }

    fn client_credentials(
        &mut self,
        spec: &Spec,
        client: String,
        scope: Option<&str>,
        now: u64,
    ) -> Result<Json, Refusal> {
        let known = spec.profile.scopes_of("client_credentials");
        let scopes = words(scope.unwrap_or_default());
        if let Some(unknown) = scopes.iter().find(|scope| !known.contains(scope)) {
            return Err(refusal(
                "invalid_scope",
                format!("{unknown} is not a scope of the client credentials grant"),
            ));
        }
        if spec.profile.single_scope && scopes.len() > 1 {
            return Err(refusal("invalid_scope", "one scope at a time"));
        }
        let scopes = if scopes.is_empty() { known.to_vec() } else { scopes };
        let grant = self.open(Grant {
            client,
            user: None,
            scopes: scopes.clone(),
            bindings: Vec::new(),
            dead: false,
        });
        Ok(self.issue(spec, "client_credentials", grant, scopes, false, now))
    }

    fn user_password(
        &mut self,
        spec: &Spec,
        client: String,
        fields: &[(String, String)],
        now: u64,
    ) -> Result<Json, Refusal> {
        let (Some(user), Some(password)) = (field(fields, "username"), field(fields, "password")) else {
            return Err(refusal("invalid_request", "username or password is missing"));
        };
        if self.password(user) != Some(password) {
            return Err(refusal("invalid_grant", "the user name or the password is wrong"));
        }
        let scopes = spec.profile.scopes_of("password").to_vec();
        let grant = self.open(Grant {
            client,
            user: Some(user.to_owned()),
            scopes: scopes.clone(),
            bindings: Vec::new(),
            dead: false,
        });
        Ok(self.issue(spec, "password", grant, scopes, true, now))
    }

    fn exchange(
        &mut self,
        spec: &Spec,
        client: &str,
        fields: &[(String, String)],
        scope: Option<&str>,
        now: u64,
    ) -> Result<Json, Refusal> {
        let profile = &spec.profile;
        let value = field(fields, "code").ok_or_else(|| refusal("invalid_request", "code is missing"))?;
        let unknown = || refusal("invalid_grant", "the authorization code was not found in the system");
        let code = self.codes.get(value).ok_or_else(unknown)?;
        if code.client != client {
            return Err(unknown());
        }
        if let Some(issued) = code.spent_by {
            // RFC 6749 section 4.1.2: whoever holds a spent code may hold its tokens too.
            if let Some(grant) = self.grants.get_mut(&issued) {
                grant.dead = true;
            }
            return Err(refusal(
                "invalid_grant",
                "the authorization code was used before; its tokens are revoked",
            ));
        }
        if code.expires <= now {
            return Err(refusal("invalid_grant", "the authorization code has expired"));
        }
        let mismatch = own_code(profile, "invalid_redirect_uri", "invalid_grant");
        match (field(fields, "redirect_uri"), &code.redirect_uri) {
            (None, Some(_)) if profile.redirect_on_token => {
                return Err(refusal("invalid_request", "redirect_uri is missing"));
            }
            (Some(sent), Some(first)) if sent != first => {
                return Err(refusal(
                    mismatch,
                    "the redirect URI differs from the one of the authorization request",
                ));
            }
            _ => {}
        }
        if let Some(challenge) = &code.challenge {
            let verifier =
                field(fields, "code_verifier").ok_or_else(|| refusal("invalid_request", "code_verifier is missing"))?;
            if !is_verifier(verifier) || *challenge != s256(verifier) {
                return Err(refusal(
                    "invalid_grant",
                    "the code verifier does not fit the code challenge",
                ));
            }
        }
        let scopes = narrowed(&code.grant.scopes, scope)?;
        let grant = code.grant.clone();
        let grant = self.open(grant);
        if let Some(code) = self.codes.get_mut(value) {
            code.spent_by = Some(grant);
        }
        Ok(self.issue(spec, "authorization_code", grant, scopes, true, now))
    }

    fn renew(
        &mut self,
        spec: &Spec,
        client: &str,
        fields: &[(String, String)],
        scope: Option<&str>,
        now: u64,
    ) -> Result<Json, Refusal> {
        let profile = &spec.profile;
        let value =
            field(fields, "refresh_token").ok_or_else(|| refusal("invalid_request", "refresh_token is missing"))?;
        let gone = || refusal("invalid_grant", "the refresh token is unknown, expired or revoked");
        let token = self.refresh.get(value).ok_or_else(gone)?;
        let id = token.grant;
        let grant = self
            .grants
            .get(&id)
            .filter(|grant| grant.client == client && !grant.dead)
            .ok_or_else(gone)?;
        if token.expires.is_some_and(|expires| expires <= now) {
            return Err(gone());
        }
        let scopes = narrowed(&grant.scopes, scope)?;
        let grace = self.tuning.grace.unwrap_or(profile.grace * 1000);
        if token.spent.is_some_and(|spent| now >= spent + grace) {
            // RFC 9700 section 4.14.2: one of the two who sent it stole it.
            self.grants.entry(id).and_modify(|grant| grant.dead = true);
            return Err(refusal(
                "invalid_grant",
                "the refresh token was used before; the grant is revoked",
            ));
        }
        if profile.rotates
            && let Some(token) = self.refresh.get_mut(value)
        {
            token.spent.get_or_insert(now);
        }
        Ok(self.issue(spec, "refresh_token", id, scopes, profile.rotates, now))
    }

    fn open(&mut self, grant: Grant) -> u64 {
        self.next_grant += 1;
        self.grants.insert(self.next_grant, grant);
        self.next_grant
    }

    /// Makes the tokens and the reply, in the form of the provider's own example.
    fn issue(
        &mut self,
        spec: &Spec,
        grant_type: &str,
        id: u64,
        scopes: Vec<String>,
        with_refresh: bool,
        now: u64,
    ) -> Json {
        let profile = &spec.profile;
        let example = token_example(spec, grant_type);
        let text = |name: &str| example.get(name).and_then(Json::as_str).unwrap_or_default();
        let unit = if profile.milliseconds { 1000 } else { 1 };
        let seconds = example
            .get("expires_in")
            .and_then(|n| n.scalar()?.parse::<u64>().ok())
            .map(|n| n / unit)
            .or(profile.access_lifetime)
            .unwrap_or(DEFAULT_LIFETIME);
        let lifetime = self.tuning.access_lifetime.unwrap_or(seconds * 1000);
        let refresh_lifetime = self
            .tuning
            .refresh_lifetime
            .or(profile.refresh_lifetime.map(|life| life * 1000));
        let user = self.grants.get(&id).and_then(|grant| grant.user.clone());

        let length = if user.is_some() { 40 } else { SERVICE_TOKEN_LENGTH };
        let access = mint::secret(text("access_token"), length);
        self.access.insert(
            access.clone(),
            AccessToken {
                grant: id,
                scopes: scopes.clone(),
                expires: now + lifetime,
            },
        );
        let refreshable =
            user.is_some() && (profile.has("refresh_token") || profile.revocation_field == "refresh_token");
        let refresh = (with_refresh && refreshable).then(|| mint::secret(text("refresh_token"), 40));
        if let Some(refresh) = &refresh {
            self.refresh.insert(
                refresh.clone(),
                RefreshToken {
                    grant: id,
                    expires: refresh_lifetime.map(|life| now + life),
                    spent: None,
                },
            );
        }

        let mut reply = Json::Object(Vec::new());
        for (name, value) in example.members() {
            let value = match name.as_str() {
                "access_token" => Json::str(&access),
                "expires_in" if self.tuning.access_lifetime.is_some() => {
                    let written = (lifetime / 1000 * unit).to_string();
                    if matches!(value, Json::String(_)) {
                        Json::String(written)
                    } else {
                        Json::Number(written)
                    }
                }
                "expires_in" | "token_type" => value.clone(),
                // A refresh without rotation leaves it out (RFC 6749 section 6): the old one stays good.
                "refresh_token" => match &refresh {
                    Some(refresh) => Json::str(refresh),
                    None => continue,
                },
                "scope" => match value {
                    Json::String(written) if written.contains(',') => Json::str(scopes.join(",")),
                    Json::String(_) => Json::str(scopes.join(" ")),
                    other => other.clone(),
                },
                "id_token" => Json::str(mint::secret("", 60)),
                name if profile.subject_field.as_deref() == Some(name) => match &user {
                    Some(user) => Json::str(self.account(user, value.as_str().unwrap_or_default())),
                    None => continue,
                },
                name if profile.refresh_lifetime_field.as_deref() == Some(name) => match (&refresh, refresh_lifetime) {
                    (Some(_), Some(life)) => Json::Number((life / 1000).to_string()),
                    _ => continue,
                },
                _ => value.clone(),
            };
            reply.set(name, value);
        }
        reply
    }

    /// The provider's own identifier of a user's account.
    fn account(&mut self, user: &str, example: &str) -> String {
        self.accounts
            .entry(user.to_owned())
            .or_insert_with(|| mint::like(example))
            .clone()
    }

    // --- revocation endpoint

    /// Answers a revocation request (RFC 7009, or the provider's own).
    pub(super) fn revoke(&mut self, spec: &Spec, call: &Call) -> Result<(), Refusal> {
        let profile = &spec.profile;
        let fields = token_fields(profile, call)?;
        let client = self.authenticate(profile, "revocation", call, &fields)?.id.clone();
        let name = profile.revocation_field.as_str();
        let token = field(&fields, name).ok_or_else(|| refusal("invalid_request", format!("{name} is missing")))?;
        let mine =
            |grants: &HashMap<u64, Grant>, id: u64| grants.get(&id).is_some_and(|g| g.client == client && !g.dead);
        if let Some(refresh) = self.refresh.get(token).filter(|t| mine(&self.grants, t.grant)) {
            let id = refresh.grant;
            self.grants.entry(id).and_modify(|grant| grant.dead = true);
            return Ok(());
        }
        if name == "token" {
            // RFC 7009 section 2.2: a token that is unknown is as good as revoked.
            if self.access.get(token).is_some_and(|t| mine(&self.grants, t.grant)) {
                self.access.remove(token);
            }
            return Ok(());
        }
        Err(refusal(
            "invalid_grant",
            "the refresh token was not found in the system",
        ))
    }

    // --- clients

    /// RFC 6749 section 2.3.1, by the method that the provider has for this request and no other.
    fn authenticate(
        &self,
        profile: &Profile,
        request: &str,
        call: &Call,
        fields: &[(String, String)],
    ) -> Result<&Client, Refusal> {
        let basic = call.header("authorization").is_some();
        let body_secret = field(fields, "client_secret");
        let body_id = field(fields, "client_id");
        if basic && body_secret.is_some() {
            return Err(refusal(
                "invalid_request",
                "the client secret came in the header and in the body",
            ));
        }
        let wrong = |why: &str| refusal("invalid_client", why);
        let (id, secret) = match profile.authentication(request) {
            Authentication::Basic => {
                if body_secret.is_some() {
                    return Err(wrong(
                        "the client secret belongs into HTTP Basic for this request, not into the body",
                    ));
                }
                let (id, secret) = call
                    .basic()
                    .ok_or_else(|| wrong("HTTP Basic with client id and secret is missing"))?;
                let (Some(id), Some(secret)) = (form_decode(&id), form_decode(&secret)) else {
                    return Err(wrong("the client credentials are not form encoded"));
                };
                if body_id.is_some_and(|other| other != id) {
                    return Err(refusal(
                        "invalid_request",
                        "the client ids in the header and in the body differ",
                    ));
                }
                (id, Some(secret))
            }
            Authentication::Post => {
                if basic {
                    return Err(wrong(
                        "the client secret belongs into the body for this request, not into HTTP Basic",
                    ));
                }
                let id = body_id.ok_or_else(|| wrong("client_id is missing"))?;
                let secret = body_secret.ok_or_else(|| wrong("client_secret is missing"))?;
                (id.to_owned(), Some(secret.to_owned()))
            }
            Authentication::None => (body_id.ok_or_else(|| wrong("client_id is missing"))?.to_owned(), None),
        };
        self.client(&id)
            .filter(|client| secret.is_none_or(|secret| client.secret == secret))
            .ok_or_else(|| wrong("the client id or the client secret is wrong"))
    }
}

/// The fields of a request to the token or the revocation endpoint.
fn token_fields(profile: &Profile, call: &Call) -> Result<Vec<(String, String)>, Refusal> {
    let sent = call.media_type().unwrap_or_default();
    let fields = if profile.token_body_json && sent == "application/json" {
        let text = std::str::from_utf8(&call.body).unwrap_or_default();
        let json = Json::parse(text).map_err(|_| refusal("invalid_request", "the body is not JSON"))?;
        json.members()
            .iter()
            .filter_map(|(k, v)| Some((k.clone(), v.scalar()?)))
            .collect()
    } else if !profile.token_body_json && sent == "application/x-www-form-urlencoded" {
        call.form_pairs()
    } else {
        return Err(refusal("invalid_request", "the body has the wrong content type"));
    };
    if !call.query.is_empty() {
        return Err(refusal(
            "invalid_request",
            "parameters of this request belong into the body",
        ));
    }
    match repeated(&fields) {
        Some(twice) => Err(refusal("invalid_request", format!("{twice} is there twice"))),
        None => Ok(fields),
    }
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    // RFC 6749 section 3.2: a parameter without a value is as if it were left out.
    fields
        .iter()
        .find(|(n, v)| n == name && !v.is_empty())
        .map(|(_, v)| v.as_str())
}

fn repeated(fields: &[(String, String)]) -> Option<&str> {
    let mut seen = std::collections::HashSet::new();
    fields
        .iter()
        .map(|(name, _)| name.as_str())
        .find(|name| !seen.insert(*name))
}

/// `scope` of a token request: there where the provider wants it, and nowhere else.
fn scope_field<'a>(profile: &Profile, grant: &str, fields: &'a [(String, String)]) -> Result<Option<&'a str>, Refusal> {
    let sent = field(fields, "scope");
    let wanted = profile.scope_sent_on.iter().any(|request| request == grant);
    match (wanted, sent) {
        (true, None) => Err(refusal(
            "invalid_scope",
            "scope is missing; this provider wants it on this request",
        )),
        (false, Some(_)) => Err(refusal("invalid_scope", "this provider takes no scope on this request")),
        (_, sent) => Ok(sent),
    }
}

/// The scopes of an authorization request, and what their templates were filled with.
#[allow(clippy::type_complexity)]
fn authorized_scopes(
    profile: &Profile,
    text: &str,
    exists: &dyn Fn(&str, &str) -> bool,
) -> Result<(Vec<String>, Vec<(String, String)>), String> {
    let known = profile.scopes_of("authorization_code");
    let requested = words(text);
    if requested.is_empty() {
        return Ok((known.to_vec(), Vec::new()));
    }
    let mut scopes = Vec::new();
    let mut bindings = Vec::new();
    for word in requested {
        let template = profile.scope_templates.iter().find_map(|(scope, template)| {
            let (before, rest) = template.split_once('{')?;
            let (name, after) = rest.split_once('}')?;
            let value = word.strip_prefix(before)?.strip_suffix(after)?;
            (!value.is_empty()).then(|| (scope.clone(), name.to_owned(), value.to_owned()))
        });
        if let Some((scope, name, value)) = template {
            if !exists(&name, &value) {
                return Err(format!("the {name} in {scope} is not known"));
            }
            scopes.push(scope);
            bindings.push((name, value));
            continue;
        }
        let needs_id = profile.scope_templates.iter().any(|(scope, _)| *scope == word)
            && !profile.scope_template_optional.contains(&word);
        if needs_id {
            return Err(format!("{word} needs an id after it"));
        }
        if !known.contains(&word) {
            return Err("the scope is not known".to_owned());
        }
        scopes.push(word);
    }
    if profile.single_scope && scopes.len() > 1 {
        return Err("one scope at a time".to_owned());
    }
    if let Some(missing) = profile.scopes_always.iter().find(|scope| !scopes.contains(scope)) {
        return Err(format!("{missing} must be among the scopes"));
    }
    Ok((scopes, bindings))
}

/// A token request may ask for less than was granted, never for more.
fn narrowed(granted: &[String], scope: Option<&str>) -> Result<Vec<String>, Refusal> {
    let Some(scope) = scope else {
        return Ok(granted.to_vec());
    };
    let scopes = words(scope);
    match scopes.iter().find(|scope| !granted.contains(scope)) {
        Some(more) => Err(refusal("invalid_scope", format!("{more} was not granted"))),
        None => Ok(scopes),
    }
}

fn words(text: &str) -> Vec<String> {
    text.split([' ', ','])
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The provider's example of a token reply, for this grant where it has several.
fn token_example(spec: &Spec, grant: &str) -> Json {
    let content = spec
        .by_id(&spec.profile.token_operation)
        .and_then(|o| o.success.content.as_ref());
    let examples = content.map(|c| c.examples.as_slice()).unwrap_or_default();
    let of_grant = examples.iter().find(|(name, _)| name.contains(grant));
    match of_grant.or_else(|| examples.first()) {
        Some((_, example)) => example.clone(),
        None => Json::object([
            ("access_token", Json::str("")),
            ("token_type", Json::str("Bearer")),
            ("expires_in", Json::int(3600)),
            ("refresh_token", Json::str("")),
            ("scope", Json::str("")),
        ]),
    }
}

/// The provider's own error code, where its profile names it.
fn own_code<'a>(profile: &Profile, own: &'a str, standard: &'a str) -> &'a str {
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

/// RFC 7636 section 4.1.
fn is_verifier(verifier: &str) -> bool {
    (43..=128).contains(&verifier.len())
        && verifier
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

fn s256(verifier: &str) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

fn form_decode(text: &str) -> Option<String> {
    super::http::decode(&text.replace('+', " "))
}
