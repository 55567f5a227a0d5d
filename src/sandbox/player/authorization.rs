//! The authorization server's endpoints, as requests and replies.

use finrail_spec::json::Json;
use finrail_spec::vocabulary::Oauth;
use http::Method;

use super::{Player, State};
use crate::sandbox::authority::{Authority, AuthorizationRequest, Refusal, Stop};
use crate::sandbox::html;
use crate::sandbox::http::{RawRequest, Reply, pairs, value_of};
use crate::sandbox::spec::Operation;

impl Player {
    /// The authorization endpoint, and the form on its page.
    pub(super) fn authorize(&self, operation: &Operation, raw: &RawRequest) -> Reply {
        let mut state = self.state();
        let State { authority, store, .. } = &mut *state;
        let exists = |name: &str, value: &str| store.exists(name, value);
        let request = authority.authorization_request(&self.spec, operation, &raw.query_pairs(), &exists);
        match request {
            Ok(request) if raw.method == Method::GET => self.ask(&state, &request, None),
            Ok(request) => self.decide(&mut state, request, &pairs(&raw.body)),
            Err(Stop::Back(url)) => Reply::redirect(url),
            Err(Stop::Here(refusal)) => match raw.header("accept") {
                Some(accept) if !accept.contains("text/html") && accept.contains("json") => self.refusal(&refusal),
                _ => Reply::html(400, html::refusal(&self.spec, &refusal)),
            },
        }
    }

    /// What the user answers.
    fn decide(&self, state: &mut State, mut request: AuthorizationRequest, form: &[(String, String)]) -> Reply {
        let oauth = &self.spec.oauth;
        match value_of(form, "decision") {
            Some("allow") => {}
            Some("deny") => return Reply::redirect(Authority::refuse(oauth, &request)),
            _ => return self.ask(state, &request, Some("Choose Allow or Deny.")),
        }
        let user = value_of(form, "username").unwrap_or_default();
        let known = state.authority.password(user);
        if known.is_none() || known != value_of(form, "password") {
            return self.ask(state, &request, Some("The user name or the password is wrong."));
        }
        let is_chosen = |scope: &str| form.iter().any(|(n, v)| n == "scope" && v == scope);
        if value_of(form, "choice").is_some() && !request.keep(oauth, is_chosen) {
            // Who allows nothing of what was asked for refuses.
            return Reply::redirect(Authority::refuse(oauth, &request));
        }
        let now = self.clock.now();
        for binding in &request.bindings {
            self.particular.approved(&mut state.store, binding, now);
        }
        Reply::redirect(state.authority.allow(&request, user, now))
    }

    fn ask(&self, state: &State, request: &AuthorizationRequest, complaint: Option<&str>) -> Reply {
        let password = state.authority.password(&state.user).unwrap_or_default();
        let status = if complaint.is_some() { 400 } else { 200 };
        Reply::html(
            status,
            html::consent(&self.spec, request, &state.user, password, complaint),
        )
    }

    /// The token and the revocation endpoint.
    pub(super) fn oauth(&self, operation: &Operation, raw: &RawRequest) -> Reply {
        let oauth = &self.spec.oauth;
        let authority = &mut self.state().authority;
        if operation.id == oauth.operations.token {
            return match authority.token(&self.spec, raw, self.clock.now()) {
                Ok(reply) => Reply::json(200, "application/json", reply)
                    .with("cache-control", "no-store")
                    .with("pragma", "no-cache"),
                Err(refusal) => self.refusal(&refusal),
            };
        }
        if Some(&operation.id) == oauth.operations.revoke.as_ref() {
            return match authority.revoke(&self.spec, raw) {
                Ok(()) => Reply::empty(revoked(oauth)),
                Err(refusal) => self.refusal(&refusal),
            };
        }
        self.error(Some(operation), 404, "the sandbox does not play this endpoint")
    }

    /// RFC 6749 section 5.2.
    fn refusal(&self, refusal: &Refusal) -> Reply {
        let body = Json::object([
            ("error", Json::str(&refusal.code)),
            ("error_description", Json::str(&refusal.description)),
        ]);
        let reply = Reply::json(refusal.status, "application/json", body).with("cache-control", "no-store");
        match refusal.status {
            401 => reply.with("www-authenticate", format!("Basic realm=\"{}\"", self.spec.id())),
            _ => reply,
        }
    }
}

/// The status with which a revocation succeeds.
fn revoked(oauth: &Oauth) -> u16 {
    let statuses = oauth.revocation.as_ref().map(|revocation| &revocation.success);
    statuses.and_then(|statuses| statuses.first().copied()).unwrap_or(200)
}
