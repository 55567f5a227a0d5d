//! Facts of a documentation page: what a client depends on, without a sentence of the page.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::address::Address;
use crate::workspace::Workspace;

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A host that serves requests.
    Host,
    /// A method and a path.
    Endpoint,
    /// A parameter of a request.
    Parameter,
    /// A fixed value of a parameter.
    Value,
    /// A header of a request.
    Header,
    /// A field of a reply, with its JSON types.
    Reply,
    /// A status of a reply.
    Status,
    /// A parameter of the redirect back.
    Callback,
    /// A grant type.
    Grant,
    /// A scope, with the resources that it opens.
    Scope,
    /// What stands between scopes.
    Separator,
    /// A lifetime in seconds.
    Lifetime,
    /// A way in which the client authenticates.
    ClientAuthentication,
    /// A PKCE method.
    Pkce,
    /// What a refresh does to the refresh token.
    Rotation,
    /// Something on the page that cannot be meant as it stands.
    Oddity,
}

const KINDS: [(Kind, &str); 16] = [
    (Kind::Host, "host"),
    (Kind::Endpoint, "endpoint"),
    (Kind::Parameter, "parameter"),
    (Kind::Value, "value"),
    (Kind::Header, "header"),
    (Kind::Reply, "reply"),
    (Kind::Status, "status"),
    (Kind::Callback, "callback"),
    (Kind::Grant, "grant"),
    (Kind::Scope, "scope"),
    (Kind::Separator, "scope separator"),
    (Kind::Lifetime, "lifetime"),
    (Kind::ClientAuthentication, "client authentication"),
    (Kind::Pkce, "pkce"),
    (Kind::Rotation, "rotation"),
    (Kind::Oddity, "oddity"),
];

/// The identity of a fact; what it says may move.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fact {
    /// What it is about.
    pub kind: Kind,
    /// `POST /oauth/token`, for what belongs to a request.
    pub endpoint: Option<String>,
    /// The name within its kind.
    pub name: String,
}

impl Fact {
    /// A fact about the provider.
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self {
            kind,
            endpoint: None,
            name: name.into(),
        }
    }

    /// A fact about a request.
    pub fn of(kind: Kind, endpoint: &str, name: impl Into<String>) -> Self {
        Self {
            kind,
            endpoint: Some(endpoint.to_owned()),
            name: name.into(),
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = KINDS
            .iter()
            .find(|(kind, _)| *kind == self.kind)
            .map_or("", |(_, word)| word);
        match &self.endpoint {
            Some(endpoint) => write!(f, "{kind}: {endpoint}: {}", self.name),
            None => write!(f, "{kind}: {}", self.name),
        }
    }
}

impl std::str::FromStr for Fact {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("`{text}` is not a fact");
        let (kind, rest) = text.split_once(": ").ok_or_else(wrong)?;
        let kind = KINDS
            .iter()
            .find(|(_, word)| *word == kind)
            .map(|(kind, _)| *kind)
            .ok_or_else(wrong)?;
        Ok(match rest.split_once(": ") {
            Some((endpoint, name)) => Self::of(kind, endpoint, name),
            None => Self::new(kind, rest),
        })
    }
}

impl Serialize for Fact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// What is said of a host that is asked without TLS.
pub const UNENCRYPTED: &str = "http";

/// Facts with what each says; an empty text where being there is all.
pub type Facts = BTreeMap<Fact, String>;

/// `specs/facts/<p>.json`: the pages of a provider as they were last read.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// The pages.
    pub pages: Vec<Page>,
}

/// One page.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Its address.
    pub source: String,
    /// The day it was read.
    pub read: String,
    /// SHA-256 of its text.
    pub digest: String,
    /// Fingerprints of its passages, without the passages; none in a record that is older than they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// Its sections, each as the places of its passages in `lines`; none in a record that is older than they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<String>,
    /// What it says.
    pub facts: Facts,
    /// What it seems to say that could not be read for certain, by line.
    #[serde(default)]
    pub unread: Vec<String>,
    /// Facts that the specification does not follow, each with the reason.
    #[serde(default)]
    pub waived: Waived,
}

/// Waivers by the fact that each is for.
pub type Waived = BTreeMap<Fact, Waiver>;

/// Why the specification does not follow a fact.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Waiver {
    /// The reason.
    Reason(String),
    /// An address that the page shows wrongly, and what it is.
    Is {
        /// The operation that is meant. What the page says of the address is compared with it.
        operation: String,
        /// The reason.
        reason: String,
    },
}

impl Waiver {
    /// The reason.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Reason(reason) | Self::Is { reason, .. } => reason,
        }
    }

    /// The operation that is meant.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        match self {
            Self::Reason(_) => None,
            Self::Is { operation, .. } => Some(operation),
        }
    }
}

impl Recorded {
    /// Where a provider's facts are kept, relative to the root.
    #[must_use]
    pub fn path(workspace: &Workspace, provider: &str) -> PathBuf {
        workspace.facts(provider)
    }

    /// Reads them; none without the file.
    ///
    /// # Errors
    ///
    /// The file system's, a file that is not in its form, and a waiver without a reason.
    pub fn read(workspace: &Workspace, provider: &str) -> io::Result<Self> {
        let path = Self::path(workspace, provider);
        let Some(text) = workspace.read(&path)? else {
            return Ok(Self::default());
        };
        let wrong = |why: String| io::Error::other(format!("{}: {why}", path.display()));
        let recorded: Self = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let mut waivers = recorded.pages.iter().flat_map(|page| &page.waived);
        match waivers.find(|(_, waiver)| waiver.reason().trim().is_empty()) {
            Some((fact, _)) => Err(wrong(format!("`{fact}` is waived without a reason"))),
            None => Ok(recorded),
        }
    }

    /// The page that a piece of evidence is a newer reading of: the one with its address, and without an address the only one.
    ///
    /// # Errors
    ///
    /// Without an address among several, in words.
    pub fn page(&self, source: Option<&str>) -> Result<Option<&Page>, String> {
        match (source, self.pages.as_slice()) {
            (Some(source), pages) => Ok(pages.iter().find(|page| same_address(&page.source, source))),
            (None, [] | [_]) => Ok(self.pages.first()),
            (None, pages) => {
                let sources: Vec<&str> = pages.iter().map(|page| page.source.as_str()).collect();
                Err(format!(
                    "which page is it? add --page with one of {}",
                    sources.join(", ")
                ))
            }
        }
    }
}

impl Page {
    /// Waivers of what neither the page says now nor the record says still.
    #[must_use]
    pub fn unused_waivers(&self, now: &Facts) -> Vec<String> {
        let said = |fact: &Fact| now.contains_key(fact) || self.facts.contains_key(fact);
        let unused = self.waived.keys().filter(|fact| !said(fact));
        unused
            .map(|fact| format!("`{fact}` is waived and not on the page; remove the waiver"))
            .collect()
    }
}

/// Whether two addresses are of one page: the scheme, a slash at the end and a place within the page make no other one.
fn same_address(one: &str, other: &str) -> bool {
    let plain = |text: &str| {
        let text = text.trim();
        let address = Address::read(text);
        address.host.is_some().then(|| {
            let place = address.place();
            (place.trim_start_matches("www.").to_owned(), address.query)
        })
    };
    match (plain(one), plain(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one.trim() == other.trim(),
    }
}

/// SHA-256 of a text, in hexadecimal.
#[must_use]
pub fn digest(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    format!("{:x}", Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_however_it_is_written() {
        for (one, other, same) in [
            ("https://x.example/a", "https://x.example/a/", true),
            ("https://x.example/a", "HTTPS://X.example:443/a#token", true),
            ("https://x.example", "http://www.x.example/", true),
            ("https://x.example/a?b=1", "https://x.example/a?b=2", false),
            ("https://x.example/a", "https://x.example/A", false),
            ("Bank, page \"A\"", "Bank, page \"A\" ", true),
            ("Bank, page A", "Bank, page B", false),
        ] {
            assert_eq!(same_address(one, other), same, "{one} {other}");
        }
    }
}
