//! Who calls for a resource, and whether the caller may (RFC 6750).

use finrail_spec::model::{Key, KeyPlace, Requirement};
use finrail_spec::vocabulary::ClientKind;

use super::Player;
use crate::sandbox::authority::{Access, Authority};
use crate::sandbox::http::{RawRequest, value_of};
use crate::sandbox::refused::{Refused, refused};
use crate::sandbox::spec::Operation;

/// Who calls, and for whom.
#[derive(Default)]
pub(super) struct Caller {
    pub(super) client: String,
    pub(super) user: Option<String>,
}

/// A refusal, with a challenge where the caller has to show who it is.
pub(super) struct Rejection {
    pub(super) refused: Refused,
    /// `WWW-Authenticate`
    pub(super) challenge: Option<String>,
}

impl From<Refused> for Rejection {
    fn from(refused: Refused) -> Self {
        let challenge = None;
        Self { refused, challenge }
    }
}

impl Player {
    /// Who calls, by one of the schemes that the operation accepts.
    pub(super) fn caller(
        &self,
        authority: &Authority,
        operation: &Operation,
        values: &[(String, String)],
        raw: &RawRequest,
    ) -> Result<Caller, Rejection> {
        if operation.security.contains(&Requirement::Nothing) {
            if operation.keys.is_empty() {
                return Ok(Caller::default());
            }
            match self.by_keys(authority, operation, raw) {
                // Another way may be open: a token, or an access key.
                Err(_) if operation.scopes().is_some() && raw.bearer().is_some() => {}
                Err(_) if operation.accepts("accessKey") && raw.basic().is_some() => {}
                shown => return shown,
            }
        }
        if operation.accepts("accessKey")
            && let Some(key) = raw.basic()
        {
            let client = authority.client_of_key(&key);
            let client = client.ok_or_else(|| self.unauthorized("Basic", "the access key is wrong"))?;
            self.check_keys_beside("accessKey", authority, operation, raw)?;
            return Ok(Caller {
                client: client.id.clone(),
                user: None,
            });
        }
        if operation.accepts("accessKey") && operation.scopes().is_none() {
            return Err(self.unauthorized("Basic", "the access key is missing"));
        }
        if operation.accepts("registrationToken") {
            return match raw.bearer() {
                Some(token) if authority.is_registration_token(token) => Ok(Caller::default()),
                Some(_) => Err(self.invalid_token("the registration token is wrong")),
                None => Err(self.unauthorized("Bearer", "the registration token is missing")),
            };
        }
        let missing = || self.unauthorized("Bearer", "the access token is missing");
        let token = raw.bearer().ok_or_else(missing)?;
        let over = || self.invalid_token("the access token is unknown, expired or revoked");
        let access = authority.access(token, self.clock.now()).ok_or_else(over)?;
        self.check_scopes(operation, &access)?;
        self.check_kind(operation, &access)?;
        check_bindings(values, &access)?;
        self.check_keys_beside("oauth", authority, operation, raw)?;
        Ok(Caller {
            client: access.grant.client,
            user: access.grant.user,
        })
    }

    /// Who calls by the keys of one of the ways that need nothing else.
    fn by_keys(&self, authority: &Authority, operation: &Operation, raw: &RawRequest) -> Result<Caller, Rejection> {
        let mut missing = None;
        let ways = operation.security.iter().enumerate();
        for (way, _) in ways.filter(|(_, requirement)| **requirement == Requirement::Nothing) {
            let mut keys = operation.keys.iter().filter(|key| key.way == way).peekable();
            if keys.peek().is_none() {
                return Ok(Caller::default());
            }
            let shown: Result<Vec<String>, &str> = keys
                .map(|key| self.shown_key(authority, key, raw).ok_or(key.scheme.as_str()))
                .collect();
            match shown {
                Ok(clients) => {
                    let client = clients.into_iter().next().unwrap_or_default();
                    return Ok(Caller { client, user: None });
                }
                Err(key) => missing = missing.or(Some(key)),
            }
        }
        let why = format!("the key `{}` is missing or wrong", missing.unwrap_or_default());
        Err(self.unauthorized("ApiKey", &why))
    }

    /// Keys that one of the ways of a scheme needs beside it.
    fn check_keys_beside(
        &self,
        scheme: &str,
        authority: &Authority,
        operation: &Operation,
        raw: &RawRequest,
    ) -> Result<(), Rejection> {
        let mut missing = None;
        let ways = operation.security.iter().enumerate();
        for (way, _) in ways.filter(|(_, requirement)| requirement.scheme() == Some(scheme)) {
            let mut keys = operation.keys.iter().filter(|key| key.way == way);
            match keys.find(|key| self.shown_key(authority, key, raw).is_none()) {
                Some(key) => missing = missing.or(Some(key.scheme.as_str())),
                None => return Ok(()),
            }
        }
        let why = format!("the key `{}` is missing or wrong", missing.unwrap_or_default());
        Err(self.unauthorized("ApiKey", &why))
    }

    /// The client whose key stands where this one does.
    fn shown_key(&self, authority: &Authority, key: &Key, raw: &RawRequest) -> Option<String> {
        let shown = match key.place {
            KeyPlace::Header => raw.header(&key.name).map(str::to_owned),
            KeyPlace::Bearer => raw.bearer().map(str::to_owned),
            KeyPlace::Query => value_of(&raw.query_pairs(), &key.name).map(str::to_owned),
        };
        authority.client_of_api_key(&shown?).map(|client| client.id.clone())
    }

    fn check_scopes(&self, operation: &Operation, access: &Access) -> Result<(), Rejection> {
        let needed = operation.scopes().unwrap_or_default();
        let Some(missing) = needed.iter().find(|scope| !access.scopes.contains(scope)) else {
            return Ok(());
        };
        let challenge = format!(
            "Bearer realm=\"{}\", error=\"insufficient_scope\", scope=\"{}\"",
            self.spec.id(),
            needed.join(" ")
        );
        Err(Rejection {
            refused: refused(403, format!("the access token does not have the scope {missing}")),
            challenge: Some(challenge),
        })
    }

    /// Where a provider tells service tokens from user tokens, neither opens the other's calls.
    fn check_kind(&self, operation: &Operation, access: &Access) -> Result<(), Refused> {
        let tells_apart = self.spec.operations.iter().any(|o| o.client == ClientKind::Service);
        let is_service = access.grant.user.is_none();
        if !tells_apart || is_service == (operation.client == ClientKind::Service) {
            return Ok(());
        }
        let why = match is_service {
            true => "a service token does not open this call",
            false => "this call needs a service token",
        };
        Err(refused(403, why).coded(self.particular.wrong_kind_of_token_code()))
    }

    fn unauthorized(&self, scheme: &str, why: &str) -> Rejection {
        Rejection {
            refused: refused(401, why),
            challenge: Some(format!("{scheme} realm=\"{}\"", self.spec.id())),
        }
    }

    fn invalid_token(&self, why: &str) -> Rejection {
        let realm = self.spec.id();
        let challenge = format!("Bearer realm=\"{realm}\", error=\"invalid_token\", error_description=\"{why}\"");
        Rejection {
            refused: refused(401, why),
            challenge: Some(challenge),
        }
    }
}

/// A token that was given for one thing does not open another.
fn check_bindings(values: &[(String, String)], access: &Access) -> Result<(), Refused> {
    for binding in &access.grant.bindings {
        let name = &binding.name;
        if values.iter().any(|(n, v)| n == name && *v != binding.value) {
            return Err(refused(403, format!("the access token is for another {name}")));
        }
    }
    Ok(())
}
