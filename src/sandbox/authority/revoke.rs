//! The end of grants and tokens: the revocation endpoint, and what a test can do.

use std::collections::HashMap;

use finrail_spec::vocabulary::Oauth;

use super::authentication::{field, token_fields};
use super::{Authority, Grant, Refusal, refusal};
use crate::sandbox::http::RawRequest;
use crate::sandbox::spec::Spec;

impl Authority {
    /// Ends every grant.
    pub(in crate::sandbox) fn revoke_all(&mut self) {
        self.grants.values_mut().for_each(|grant| grant.dead = true);
    }

    /// Ends the grant to which a token belongs.
    pub(in crate::sandbox) fn kill(&mut self, token: &str) -> bool {
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
    pub(in crate::sandbox) fn end_bound(&mut self, name: &str, value: &str) {
        for grant in self.grants.values_mut() {
            if grant.bindings.iter().any(|b| b.name == name && b.value == value) {
                grant.dead = true;
            }
        }
    }

    /// Answers a revocation request (RFC 7009, or the provider's own).
    pub(in crate::sandbox) fn revoke(&mut self, spec: &Spec, raw: &RawRequest) -> Result<(), Refusal> {
        let oauth = &spec.oauth;
        let fields = token_fields(oauth, raw)?;
        let method = oauth.client_authentication.of_revocation();
        let client = self.authenticate(method, raw, &fields)?.id.clone();
        let name = revocation_field(oauth);
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
            "the refresh token is unknown or revoked already",
        ))
    }
}

/// The form field that carries the token: as the provider has it, or as RFC 7009 section 2.1 has it.
pub(super) fn revocation_field(oauth: &Oauth) -> &str {
    oauth
        .revocation
        .as_ref()
        .map_or("token", |revocation| &revocation.token_field)
}
