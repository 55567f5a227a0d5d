//! Which grant a token belongs to.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::value::ScopeSet;

/// How a grant came about (RFC 6749 section 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GrantKind {
    /// The client's own grant (section 4.4).
    ClientCredentials,
    /// A user's consent in a browser (section 4.1).
    AuthorizationCode,
    /// A user's name and password (section 4.3).
    Password,
}

impl GrantKind {
    /// The value of `grant_type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::AuthorizationCode => "authorization_code",
            Self::Password => "password",
        }
    }
}

impl fmt::Display for GrantKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which grant a token belongs to: two keys that differ in any part never share a token.
///
/// ```
/// use finrail::token::{GrantKind, TokenKey};
///
/// let service = TokenKey::new("tatrabanka", "client-1", GrantKind::ClientCredentials);
/// let user = TokenKey::new("tatrabanka", "client-1", GrantKind::AuthorizationCode).subject("customer-42");
/// assert_ne!(service.storage_id(), user.storage_id());
/// assert_eq!(user.to_string(), "tatrabanka/authorization_code/customer-42");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TokenKey {
    /// The provider (`ofx`).
    pub provider: String,
    /// The client identifier at the provider; not a secret (RFC 6749 section 2.2).
    pub client_id: String,
    /// How the grant came about.
    pub grant: GrantKind,
    /// Whose consent it is, in the application's own words; empty: the client itself.
    pub subject: String,
    /// The scopes that were asked for.
    pub scopes: ScopeSet,
    /// The token endpoint of the authorization server that gave the grant, where it is not that of the provider's
    /// default environment; empty: it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub token_endpoint: String,
    /// What the scopes are bound to: the id of a consent, of a payment's authorization.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bound: Vec<String>,
}

impl TokenKey {
    /// A key without subject and scopes.
    #[must_use]
    pub fn new(provider: impl Into<String>, client_id: impl Into<String>, grant: GrantKind) -> Self {
        Self {
            provider: provider.into(),
            client_id: client_id.into(),
            grant,
            subject: String::new(),
            scopes: ScopeSet::new(),
            token_endpoint: String::new(),
            bound: Vec::new(),
        }
    }

    /// Whose consent it is.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    /// The scopes that are asked for.
    #[must_use]
    pub fn scopes(mut self, scopes: ScopeSet) -> Self {
        self.scopes = scopes;
        self
    }

    /// The token endpoint of the authorization server, where it is not that of the provider's default environment:
    /// a grant of one server means nothing to another.
    #[must_use]
    pub fn token_endpoint(mut self, url: impl Into<String>) -> Self {
        self.token_endpoint = url.into();
        self
    }

    /// What the scopes are bound to: a grant for one thing stands beside the same user's others.
    #[must_use]
    pub fn bound_to<S: Into<String>>(mut self, ids: impl IntoIterator<Item = S>) -> Self {
        self.bound = ids.into_iter().map(Into::into).collect();
        self
    }

    /// The key under which a copy is kept of a record that was found damaged, for whoever wants to know why. It goes away
    /// when the grant is forgotten or revoked.
    #[must_use]
    pub fn damaged_copy(&self) -> Self {
        let mut key = self.clone();
        // No binding of a scope has a line break in it.
        key.bound.push("\ndamaged".to_owned());
        key
    }

    /// A stable name for stores: the provider and 32 hexadecimal digits.
    ///
    /// Fit for file names, Redis keys and table columns. It is made by a
    /// one-way function, so that it tells nothing of client, subject or scopes.
    /// What a key does not say is left out of it, so that a part that keys gain later moves no grant.
    #[must_use]
    pub fn storage_id(&self) -> String {
        let mut hash = Sha256::new();
        let mut field = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        };
        let plain = self.token_endpoint.is_empty() && self.bound.is_empty();
        field(if plain {
            "finrail token key 1"
        } else {
            "finrail token key 2"
        });
        field(&self.provider);
        field(&self.client_id);
        field(self.grant.as_str());
        field(&self.subject);
        if !plain {
            field(&self.token_endpoint);
            field(&self.bound.len().to_string());
            self.bound.iter().for_each(|id| field(id));
        }
        for scope in self.scopes.iter() {
            field(scope);
        }
        let digest = hash.finalize();
        let mut id: String = self
            .provider
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(24)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        id.push('-');
        for byte in &digest[..16] {
            id.push(hex_digit(byte >> 4));
            id.push(hex_digit(byte & 15));
        }
        id
    }
}

fn hex_digit(nibble: u8) -> char {
    char::from(b"0123456789abcdef"[usize::from(nibble & 15)])
}

impl fmt::Display for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.grant)?;
        if !self.subject.is_empty() {
            write!(f, "/{}", self.subject)?;
        }
        for id in &self.bound {
            write!(f, "#{id}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storage_id_never_changes() {
        let key = TokenKey::new("ofx", "id", GrantKind::AuthorizationCode)
            .subject("me")
            .scopes(ScopeSet::parse("b a"));
        // A change here orphans every stored token of every user.
        assert_eq!(
            key.storage_id(),
            key.clone().scopes(ScopeSet::parse("a b")).storage_id()
        );
        assert_eq!(key.storage_id(), "ofx-868d1077d99c441469689285cb389034");
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let key = || TokenKey::new("p", "a", GrantKind::Password);
        let scopes = |text| ScopeSet::parse(text);
        let keys = [
            TokenKey::new("p", "ab", GrantKind::Password).subject("c"),
            key().subject("bc"),
            key().subject("bc#d"),
            key().subject("bc").bound_to(["d"]),
            key().subject("bc").bound_to(["d", "e"]),
            key().subject("bc").bound_to(["de"]),
            key().subject("bc").bound_to(["d"]).scopes(scopes("e")),
            key().subject("bc").scopes(scopes("d")),
            key().subject("bc").token_endpoint("d"),
            key().subject("bc").token_endpoint("https://a.example/token"),
            key().subject("bc").token_endpoint("https://b.example/token"),
        ];
        let ids: std::collections::BTreeSet<String> = keys.iter().map(TokenKey::storage_id).collect();
        assert_eq!(ids.len(), keys.len());
    }

    #[test]
    fn a_key_is_read_back_as_it_was_written_and_an_older_one_too() {
        let key = TokenKey::new("p", "a", GrantKind::Password).subject("s");
        let text = serde_json::to_string(&key).unwrap();
        assert!(!text.contains("token_endpoint") && !text.contains("bound"), "{text}");
        assert_eq!(serde_json::from_str::<TokenKey>(&text).unwrap(), key);
        let key = key.token_endpoint("https://a.example/token").bound_to(["x"]);
        let text = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<TokenKey>(&text).unwrap(), key);
    }
}
