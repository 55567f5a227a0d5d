//! Which clients are registered, and how one of them shows who it is.

use finrail_spec::json::Json;
use finrail_spec::vocabulary::{ClientAuthentication, Oauth, TokenBody};

use super::{Authority, Client, Refusal, refusal};
use crate::sandbox::http::{RawRequest, decode};

impl Authority {
    /// Adds a client.
    pub(in crate::sandbox) fn register(&mut self, client: Client) {
        self.clients.retain(|known| known.id != client.id);
        self.clients.push(client);
    }

    /// Removes a client and everything it was granted.
    pub(in crate::sandbox) fn unregister(&mut self, id: &str) {
        self.clients.retain(|known| known.id != id);
        for grant in self.grants.values_mut().filter(|grant| grant.client == id) {
            grant.dead = true;
        }
    }

    /// A client by its id.
    pub(in crate::sandbox) fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.id == id)
    }

    /// The id of the client that has been registered longest.
    pub(in crate::sandbox) fn first_client(&self) -> Option<String> {
        self.clients.first().map(|client| client.id.clone())
    }

    /// The client whose key this is.
    pub(in crate::sandbox) fn client_of_api_key(&self, key: &str) -> Option<&Client> {
        self.clients
            .iter()
            .find(|client| !client.key.is_empty() && client.key == key)
    }

    /// The first client whose access key this is; a client without one has an empty key, which opens nothing.
    pub(in crate::sandbox) fn client_of_key(&self, key: &(String, String)) -> Option<&Client> {
        self.clients
            .iter()
            .find(|client| !key.0.is_empty() && client.access_key == *key)
    }

    /// Accepts this credential for client registration.
    pub(in crate::sandbox) fn add_registration_token(&mut self, token: String) {
        self.registration_tokens.push(token);
    }

    /// Whether this is a credential for client registration.
    pub(in crate::sandbox) fn is_registration_token(&self, token: &str) -> bool {
        self.registration_tokens.iter().any(|known| known == token)
    }

    /// RFC 6749 section 2.3.1, by the method that the provider has for this request and no other.
    pub(super) fn authenticate(
        &self,
        method: ClientAuthentication,
        raw: &RawRequest,
        fields: &[(String, String)],
    ) -> Result<&Client, Refusal> {
        let has_header = raw.header("authorization").is_some();
        let has_body_secret = field(fields, "client_secret").is_some();
        if has_header && has_body_secret {
            return Err(refusal(
                "invalid_request",
                "the client secret came in the header and in the body",
            ));
        }
        let (id, secret) = match method {
            ClientAuthentication::ClientSecretBasic if has_body_secret => {
                return Err(wrong(
                    "the client secret belongs into HTTP Basic for this request, not into the body",
                ));
            }
            ClientAuthentication::ClientSecretBasic => basic_credentials(raw, fields)?,
            ClientAuthentication::ClientSecretPost if has_header => {
                return Err(wrong(
                    "the client secret belongs into the body for this request, not into HTTP Basic",
                ));
            }
            ClientAuthentication::ClientSecretPost => (
                body_value(fields, "client_id")?,
                Some(body_value(fields, "client_secret")?),
            ),
            ClientAuthentication::None => (body_value(fields, "client_id")?, None),
        };
        self.client(&id)
            .filter(|client| secret.is_none_or(|secret| client.secret == secret))
            .ok_or_else(|| wrong("the client id or the client secret is wrong"))
    }
}

fn wrong(why: impl Into<String>) -> Refusal {
    refusal("invalid_client", why)
}

/// Client id and secret of HTTP Basic, which are form encoded (RFC 6749 section 2.3.1).
fn basic_credentials(raw: &RawRequest, fields: &[(String, String)]) -> Result<(String, Option<String>), Refusal> {
    let (id, secret) = raw
        .basic()
        .ok_or_else(|| wrong("HTTP Basic with client id and secret is missing"))?;
    let (Some(id), Some(secret)) = (form_decode(&id), form_decode(&secret)) else {
        return Err(wrong("the client credentials are not form encoded"));
    };
    if field(fields, "client_id").is_some_and(|other| other != id) {
        return Err(refusal(
            "invalid_request",
            "the client ids in the header and in the body differ",
        ));
    }
    Ok((id, Some(secret)))
}

fn body_value(fields: &[(String, String)], name: &str) -> Result<String, Refusal> {
    let value = field(fields, name).ok_or_else(|| wrong(format!("{name} is missing")))?;
    Ok(value.to_owned())
}

/// The fields of a request to the token or the revocation endpoint.
pub(super) fn token_fields(oauth: &Oauth, raw: &RawRequest) -> Result<Vec<(String, String)>, Refusal> {
    if let Some(twice) = raw.repeated(["authorization", "content-type"]) {
        return Err(refusal("invalid_request", format!("the header {twice} is there twice")));
    }
    let sent = raw.media_type().unwrap_or_default();
    let fields = match sent.as_str() {
        "application/json" if oauth.takes_body(TokenBody::Json) => {
            let text = std::str::from_utf8(&raw.body).unwrap_or_default();
            let json = Json::parse(text).map_err(|_| refusal("invalid_request", "the body is not JSON"))?;
            json.members()
                .iter()
                .filter_map(|(k, v)| Some((k.clone(), v.scalar()?)))
                .collect()
        }
        "application/x-www-form-urlencoded" if oauth.takes_body(TokenBody::Form) => raw.form_pairs(),
        _ => return Err(refusal("invalid_request", "the body has the wrong content type")),
    };
    if !raw.query.is_empty() {
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

pub(super) fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    // RFC 6749 section 3.2: a parameter without a value is as if it were left out.
    fields
        .iter()
        .find(|(n, v)| n == name && !v.is_empty())
        .map(|(_, v)| v.as_str())
}

pub(super) fn repeated(fields: &[(String, String)]) -> Option<&str> {
    let mut seen = std::collections::HashSet::new();
    fields
        .iter()
        .map(|(name, _)| name.as_str())
        .find(|name| !seen.insert(*name))
}

fn form_decode(text: &str) -> Option<String> {
    decode(&text.replace('+', " "))
}
