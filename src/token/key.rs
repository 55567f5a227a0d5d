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
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    /// On whose behalf the application acts: its own customer, where it serves several; empty: nobody's in particular. The
    /// grants of two tenants are two grants, whatever their subjects are called.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tenant: String,
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
            tenant: String::new(),
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

    /// On whose behalf the application acts.
    ///
    /// ```
    /// use finrail::token::{GrantKind, TokenKey};
    ///
    /// let of = |tenant| TokenKey::new("mx", "client-1", GrantKind::AuthorizationCode).tenant(tenant).subject("user-1");
    /// assert_ne!(of("acme").storage_id(), of("globex").storage_id());
    /// assert_eq!(of("acme").to_string(), "mx/authorization_code/acme/user-1");
    /// ```
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = tenant.into();
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

    /// The key under which a copy is kept of a record that was found damaged, for whoever wants to know why: behind a line
    /// that says so and a line with this key as JSON, the bytes that were found. It goes away when the grant is forgotten,
    /// erased or revoked, and with the mark of a grant that ended otherwise.
    #[must_use]
    pub fn damaged_copy(&self) -> Self {
        let mut key = self.clone();
        // No binding of a scope has a line break in it.
        key.bound.push("\ndamaged".to_owned());
        key
    }

    /// How the [storage ids](Self::storage_id) of a provider's grants begin, or those of one tenant: for a
    /// [walk](super::TokenStore::list) through a store. Two providers whose names differ in punctuation alone may share it.
    #[must_use]
    pub fn storage_ids(provider: &str, tenant: Option<&str>) -> String {
        let mut id: String = provider
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(24)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        id.push('-');
        if let Some(tenant) = tenant.filter(|tenant| !tenant.is_empty()) {
            let digest = Sha256::new()
                .chain_update(b"finrail tenant 1")
                .chain_update(tenant.as_bytes())
                .finalize();
            id.push('t');
            digits(&digest[..8], &mut id);
            id.push('-');
        }
        id
    }

    /// A stable name for stores: the provider and 32 hexadecimal digits, and 16 between them that stand for the tenant where
    /// there is one.
    ///
    /// Fit for file names, Redis keys and table columns. It is made by a
    /// one-way function, so that it tells nothing of client, tenant, subject or scopes to who cannot guess them.
    /// What a key does not say is left out of it, so that a part that keys gain later moves no grant.
    #[must_use]
    pub fn storage_id(&self) -> String {
        let mut hash = Sha256::new();
        let mut field = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        };
        let plain = self.token_endpoint.is_empty() && self.bound.is_empty() && self.tenant.is_empty();
        field(match (plain, self.tenant.is_empty()) {
            (true, _) => "finrail token key 1",
            (false, true) => "finrail token key 2",
            (false, false) => "finrail token key 3",
        });
        field(&self.provider);
        field(&self.client_id);
        field(self.grant.as_str());
        field(&self.subject);
        if !self.tenant.is_empty() {
            field(&self.tenant);
        }
        if !plain {
            field(&self.token_endpoint);
            field(&self.bound.len().to_string());
            self.bound.iter().for_each(|id| field(id));
        }
        for scope in self.scopes.iter() {
            field(scope);
        }
        let mut id = Self::storage_ids(&self.provider, Some(&self.tenant));
        digits(&hash.finalize()[..16], &mut id);
        id
    }
}

/// Two hexadecimal digits for each byte.
fn digits(bytes: &[u8], text: &mut String) {
    for byte in bytes {
        text.push(hex_digit(byte >> 4));
        text.push(hex_digit(byte & 15));
    }
}

fn hex_digit(nibble: u8) -> char {
    char::from(b"0123456789abcdef"[usize::from(nibble & 15)])
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A query may hold what only the server is to know.
        let token_endpoint = self.token_endpoint.split('?').next().unwrap_or_default();
        f.debug_struct("TokenKey")
            .field("provider", &self.provider)
            .field("client_id", &self.client_id)
            .field("grant", &self.grant)
            .field("subject", &self.subject)
            .field("tenant", &self.tenant)
            .field("scopes", &self.scopes)
            .field("token_endpoint", &token_endpoint)
            .field("bound", &self.bound)
            .finish()
    }
}

impl fmt::Display for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.grant)?;
        if !self.tenant.is_empty() {
            write!(f, "/{}", self.tenant)?;
        }
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
    fn ids_of_a_tenant_begin_alike_and_are_found_among_those_of_the_provider() {
        let key = |tenant: &str, subject: &str| {
            TokenKey::new("Mx", "id", GrantKind::AuthorizationCode)
                .tenant(tenant)
                .subject(subject)
        };
        let ids = TokenKey::storage_ids("Mx", Some("acme"));
        assert_eq!(ids, "mx-td838d52aec1cbf91-");
        for (tenant, is_of_it) in [("acme", true), ("", false), ("acme2", false)] {
            for subject in ["", "me"] {
                let id = key(tenant, subject).storage_id();
                assert_eq!(id.starts_with(&ids), is_of_it, "{id}");
                assert!(id.starts_with(&TokenKey::storage_ids("Mx", None)), "{id}");
                assert_eq!(id.len(), if tenant.is_empty() { 35 } else { 53 });
            }
        }
        assert_eq!(TokenKey::storage_ids("Mx", Some("")), TokenKey::storage_ids("Mx", None));
        // A change here orphans every stored token of every user.
        assert_eq!(
            key("acme", "me").storage_id(),
            "mx-td838d52aec1cbf91-67d2301390a84b0c1033e26e770347b3"
        );
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
            key().tenant("t").subject("bc"),
            key().tenant("tb").subject("c"),
            key().tenant("bc"),
            key().tenant("t").subject("bc").bound_to(["d"]),
            key().tenant("t").subject("bc").token_endpoint("d"),
        ];
        let ids: std::collections::BTreeSet<String> = keys.iter().map(TokenKey::storage_id).collect();
        assert_eq!(ids.len(), keys.len());
    }

    #[test]
    fn debug_shows_no_query_of_the_token_endpoint() {
        let key =
            TokenKey::new("p", "a", GrantKind::Password).token_endpoint("https://a.example/token?api_key=planted");
        let text = format!("{key:?} {key:#?}");
        assert!(
            !text.contains("planted") && text.contains("https://a.example/token"),
            "{text}"
        );
        // What is stored is told apart by all of it.
        assert!(serde_json::to_string(&key).unwrap().contains("planted"));
    }

    #[test]
    fn a_key_is_read_back_as_it_was_written_and_an_older_one_too() {
        let key = TokenKey::new("p", "a", GrantKind::Password).subject("s");
        let text = serde_json::to_string(&key).unwrap();
        assert!(!text.contains("token_endpoint") && !text.contains("bound"), "{text}");
        assert_eq!(serde_json::from_str::<TokenKey>(&text).unwrap(), key);
        assert!(!text.contains("tenant"), "{text}");
        let key = key
            .token_endpoint("https://a.example/token")
            .bound_to(["x"])
            .tenant("t");
        let text = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<TokenKey>(&text).unwrap(), key);
    }
}
