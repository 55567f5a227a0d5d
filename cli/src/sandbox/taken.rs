//! What a played provider takes of a caller, beside the tokens of OAuth: what a person needs to call it by hand.

use std::collections::BTreeMap;

use finrail::sandbox::SandboxClient;
use finrail_spec::json::Json;
use finrail_spec::model::{Key, KeyPlace, Requirement, Specification};
use finrail_spec::vocabulary::ClientKind;
use serde_json::{Map, Value, json};

/// What the calls of one provider take.
#[derive(Clone, Debug, Default)]
pub(super) struct Taken {
    /// Tokens of OAuth.
    pub(super) oauth: bool,
    /// A name and a password in HTTP Basic.
    pair: bool,
    /// The bearer token of client registration.
    registration: bool,
    /// Keys, each scheme once.
    keys: Vec<Key>,
}

/// What each provider takes, by its id.
pub(super) fn by_provider(bundles: &[String]) -> BTreeMap<String, Taken> {
    bundles.iter().filter_map(|bundle| of(bundle)).collect()
}

fn of(bundle: &str) -> Option<(String, Taken)> {
    // What cannot be read is not played either.
    let document = Specification::read_as_it_is(Json::parse(bundle).ok()?).ok()?;
    let mut taken = Taken {
        oauth: document.oauth.is_some(),
        ..Taken::default()
    };
    for operation in &document.operations {
        for requirement in &operation.security {
            // Of the authorization server's own endpoints too: clients are registered there.
            taken.registration |= *requirement == Requirement::RegistrationToken;
            taken.pair |= *requirement == Requirement::AccessKey && operation.client == ClientKind::Api;
        }
        for key in &operation.keys {
            if !taken.keys.iter().any(|known| known.scheme == key.scheme) {
                taken.keys.push(key.clone());
            }
        }
    }
    Some((document.provider.id.clone(), taken))
}

impl Taken {
    /// A line for each, as it is sent.
    pub(super) fn lines(&self, client: &SandboxClient) -> Vec<String> {
        let value = client.key.expose_secret();
        let mut lines: Vec<String> = self
            .keys
            .iter()
            .map(|key| match key.place {
                KeyPlace::Header => format!("key {}: the header `{}: {value}`", key.scheme, key.name),
                KeyPlace::Query => format!("key {}: `{}={value}` in the query", key.scheme, key.name),
                KeyPlace::Bearer => format!("key {}: the header `Authorization: Bearer {value}`", key.scheme),
            })
            .collect();
        if self.pair {
            lines.push(format!(
                "HTTP Basic: the name {} with {}",
                client.access_key.expose_secret(),
                match client.access_key_secret.expose_secret() {
                    "" => "an empty password".to_owned(),
                    password => format!("the password {password}"),
                }
            ));
        }
        if self.registration {
            lines.push(format!(
                "registration of clients: the header `Authorization: Bearer {}`",
                client.registration_token.expose_secret()
            ));
        }
        lines
    }

    /// The same for a program.
    pub(super) fn as_members(&self, client: &SandboxClient) -> Map<String, Value> {
        let mut told = Map::new();
        if !self.keys.is_empty() {
            let keys = self.keys.iter().map(|key| {
                let (place, name) = match key.place {
                    KeyPlace::Header => ("header", key.name.as_str()),
                    KeyPlace::Query => ("query", key.name.as_str()),
                    KeyPlace::Bearer => ("bearer", "Authorization"),
                };
                json!({ "scheme": key.scheme, "in": place, "name": name, "value": client.key.expose_secret() })
            });
            told.insert("keys".to_owned(), keys.collect());
        }
        if self.pair {
            let pair = json!({ "name": client.access_key.expose_secret(), "password": client.access_key_secret.expose_secret() });
            told.insert("basic".to_owned(), pair);
        }
        if self.registration {
            let token = client.registration_token.expose_secret();
            told.insert("registration_token".to_owned(), json!(token));
        }
        told
    }
}
