//! The token endpoint: the grants of RFC 6749.

use base64::Engine as _;
use finrail_spec::json::Json;
use finrail_spec::vocabulary::{Grant as GrantType, Oauth, ScopeSentOn};
use sha2::{Digest as _, Sha256};

use super::authentication::{field, token_fields};
use super::authorize::own_code;
use super::issue::Order;
use super::scope::{authorized_scopes, named, narrowed, scope_field};
use super::{Authority, Code, Grant, Refusal, refusal};
use crate::sandbox::http::RawRequest;
use crate::sandbox::spec::Spec;

impl Authority {
    /// Answers a token request (RFC 6749 sections 4.1.3, 4.3.2, 4.4.2, 6).
    pub(in crate::sandbox) fn token(&mut self, spec: &Spec, raw: &RawRequest, now: u64) -> Result<Json, Refusal> {
        let oauth = &spec.oauth;
        let fields = token_fields(oauth, raw)?;
        let grant_type =
            field(&fields, "grant_type").ok_or_else(|| refusal("invalid_request", "grant_type is missing"))?;
        let grant = oauth.grants.iter().copied().find(|grant| grant.as_str() == grant_type);
        let grant = grant.ok_or_else(|| refusal("unsupported_grant_type", "this provider does not have this grant"))?;
        let method = oauth.client_authentication.of(grant);
        let client = self.authenticate(method, raw, &fields)?.id.clone();
        self.forget(now);
        match grant {
            GrantType::ClientCredentials => self.client_credentials(spec, client, &fields, now),
            GrantType::Password => self.user_password(spec, client, &fields, now),
            GrantType::AuthorizationCode => self.exchange(spec, &client, &fields, now),
            GrantType::RefreshToken => self.renew(spec, &client, &fields, now),
        }
    }

    /// Tokens of the first client as if this user had agreed to these scopes, or its own where no user is asked.
    pub(in crate::sandbox) fn agreed(
        &mut self,
        spec: &Spec,
        user: &str,
        scope: &str,
        exists: &dyn Fn(&str, &str) -> bool,
        now: u64,
    ) -> Result<Json, String> {
        let client = self.first_client().ok_or("no client is registered")?;
        let (grant_type, user, scopes, bindings) = match spec.oauth.operations.authorize {
            Some(_) => {
                let (scopes, bindings) = authorized_scopes(spec, scope, exists)?;
                ("authorization_code", Some(user.to_owned()), scopes, bindings)
            }
            None => {
                let known = spec.scopes_of(GrantType::ClientCredentials);
                let scopes = match scope {
                    "" => known,
                    scope => named(&spec.oauth, scope).map_err(|refusal| refusal.description)?,
                };
                ("client_credentials", None, scopes, Vec::new())
            }
        };
        let grant = self.open(Grant {
            client,
            user,
            scopes: scopes.clone(),
            bindings,
            dead: false,
        });
        let order = Order {
            grant_type,
            grant,
            scopes,
            with_refresh: true,
        };
        Ok(self.issue(spec, order, now))
    }

    fn client_credentials(
        &mut self,
        spec: &Spec,
        client: String,
        fields: &[(String, String)],
        now: u64,
    ) -> Result<Json, Refusal> {
        let scope = scope_field(&spec.oauth, ScopeSentOn::ClientCredentials, fields)?;
        let known = spec.scopes_of(GrantType::ClientCredentials);
        let scopes = match scope {
            Some(scope) => named(&spec.oauth, scope)?,
            None => known.clone(),
        };
        if let Some(unknown) = scopes.iter().find(|scope| !known.contains(scope)) {
            return Err(refusal(
                "invalid_scope",
                format!("{unknown} is not a scope of the client credentials grant"),
            ));
        }
        if spec.oauth.single_scope && scopes.len() > 1 {
            return Err(refusal("invalid_scope", "one scope at a time"));
        }
        let grant = self.open(Grant {
            client,
            user: None,
            scopes: scopes.clone(),
            bindings: Vec::new(),
            dead: false,
        });
        let order = Order {
            grant_type: "client_credentials",
            grant,
            scopes,
            with_refresh: false,
        };
        Ok(self.issue(spec, order, now))
    }

    fn user_password(
        &mut self,
        spec: &Spec,
        client: String,
        fields: &[(String, String)],
        now: u64,
    ) -> Result<Json, Refusal> {
        scope_field(&spec.oauth, ScopeSentOn::Password, fields)?;
        let (Some(user), Some(password)) = (field(fields, "username"), field(fields, "password")) else {
            return Err(refusal("invalid_request", "username or password is missing"));
        };
        if self.password(user) != Some(password) {
            return Err(refusal("invalid_grant", "the user name or the password is wrong"));
        }
        let scopes = spec.scopes_of(GrantType::Password);
        let grant = self.open(Grant {
            client,
            user: Some(user.to_owned()),
            scopes: scopes.clone(),
            bindings: Vec::new(),
            dead: false,
        });
        let order = Order {
            grant_type: "password",
            grant,
            scopes,
            with_refresh: true,
        };
        Ok(self.issue(spec, order, now))
    }

    fn exchange(&mut self, spec: &Spec, client: &str, fields: &[(String, String)], now: u64) -> Result<Json, Refusal> {
        let oauth = &spec.oauth;
        let value = field(fields, "code").ok_or_else(|| refusal("invalid_request", "code is missing"))?;
        let unknown = || refusal("invalid_grant", "the authorization code is unknown");
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
        check_redirect_uri(oauth, code, field(fields, "redirect_uri"))?;
        if let Some(challenge) = &code.challenge {
            check_verifier(challenge, field(fields, "code_verifier"))?;
        }
        let scope = scope_field(oauth, ScopeSentOn::AuthorizationCode, fields)?;
        let scopes = narrowed(oauth, &code.grant.scopes, scope)?;
        let grant = code.grant.clone();
        let grant = self.open(grant);
        if let Some(code) = self.codes.get_mut(value) {
            code.spent_by = Some(grant);
        }
        let order = Order {
            grant_type: "authorization_code",
            grant,
            scopes,
            with_refresh: true,
        };
        Ok(self.issue(spec, order, now))
    }

    fn renew(&mut self, spec: &Spec, client: &str, fields: &[(String, String)], now: u64) -> Result<Json, Refusal> {
        let oauth = &spec.oauth;
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
        let granted = grant.scopes.clone();
        let grace = self.tuning.grace.unwrap_or(oauth.refresh.grace.unwrap_or(0) * 1000);
        if token.spent.is_some_and(|spent| now >= spent + grace) {
            // RFC 9700 section 4.14.2: one of the two who sent it stole it, whatever else is wrong with the request.
            self.grants.entry(id).and_modify(|grant| grant.dead = true);
            return Err(refusal(
                "invalid_grant",
                "the refresh token was used before; the grant is revoked",
            ));
        }
        let rotates = oauth.refresh.rotates == Some(true);
        let scope = scope_field(oauth, ScopeSentOn::RefreshToken, fields)?;
        let scopes = narrowed(oauth, &granted, scope)?;
        if rotates && let Some(token) = self.refresh.get_mut(value) {
            token.spent.get_or_insert(now);
        }
        let order = Order {
            grant_type: "refresh_token",
            grant: id,
            scopes,
            with_refresh: rotates,
        };
        Ok(self.issue(spec, order, now))
    }
}

/// The redirect URI of a code is that of the authorization request.
fn check_redirect_uri(oauth: &Oauth, code: &Code, sent: Option<&str>) -> Result<(), Refusal> {
    match sent {
        None if code.was_sent && oauth.redirect_uri.on_token_request => {
            Err(refusal("invalid_request", "redirect_uri is missing"))
        }
        // Also where the authorization request had none: the code went to the client's own.
        Some(sent) if sent != code.redirect_uri => Err(refusal(
            own_code(oauth, "invalid_redirect_uri", "invalid_grant"),
            "the redirect URI differs from the one of the authorization request",
        )),
        _ => Ok(()),
    }
}

/// RFC 7636 section 4.6.
fn check_verifier(challenge: &str, verifier: Option<&str>) -> Result<(), Refusal> {
    let verifier = verifier.ok_or_else(|| refusal("invalid_request", "code_verifier is missing"))?;
    match is_verifier(verifier) && challenge == s256(verifier) {
        true => Ok(()),
        false => Err(refusal(
            "invalid_grant",
            "the code verifier does not fit the code challenge",
        )),
    }
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
