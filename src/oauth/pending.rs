//! An authorization under way: what is remembered between the redirect and the callback, and how the callback is read.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use super::error::{Error, Refusal};
use super::profile::Profile;
use crate::value::{ScopeSet, Secret};

/// Where to send the user, and what to remember until they come back.
///
/// `Debug` shows the address without its query, because `state` is in it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Authorization {
    /// The URL for the user's browser. It carries `state`: show it to this user only.
    pub url: Url,
    /// What [`finish`](crate::App::finish) needs. Keep it in the user's session.
    pub pending: Pending,
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut address = self.url.clone();
        address.set_query(None);
        f.debug_struct("Authorization")
            .field("url", &address.as_str())
            .field("pending", &self.pending)
            .finish()
    }
}

impl Authorization {
    /// Says whose consent it will be, in the application's own words; it becomes part of the
    /// connection's key. Without it the provider's own name for the account is used where it
    /// has one, and a random one otherwise.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.pending.subject = Some(subject.into());
        self
    }
}

/// What is remembered between the redirect and the callback.
///
/// It can be serialised, because the callback may reach another process. It
/// holds secrets (`state`, the PKCE verifier): keep it where sessions are kept.
/// `Debug` shows neither.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pending {
    pub(crate) provider: String,
    pub(crate) client_id: String,
    pub(crate) state: Secret,
    pub(crate) verifier: Option<Secret>,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) scopes: ScopeSet,
    /// Where the code is exchanged, where it is not the provider's default environment.
    #[serde(default)]
    pub(crate) token_endpoint: String,
    /// What the scopes are bound to.
    #[serde(default)]
    pub(crate) bound: Vec<String>,
    pub(crate) subject: Option<String>,
}

impl Pending {
    /// The value of `state`, by which a callback finds its pending authorization.
    #[must_use]
    pub fn state(&self) -> &Secret {
        &self.state
    }

    /// The provider.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("provider", &self.provider)
            .field("redirect_uri", &self.redirect_uri)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// Checks a redirect URI against the provider's rules.
pub(crate) fn check_redirect_uri(profile: &Profile, uri: Option<&str>) -> Result<(), Error> {
    let Some(uri) = uri else {
        return if profile.redirect_uri.required {
            Err(Error::RedirectUri("the provider demands one; set it on the app"))
        } else {
            Ok(())
        };
    };
    let url = Url::parse(uri).map_err(|_| Error::RedirectUri("it is not an absolute URI"))?;
    if url.fragment().is_some() {
        return Err(Error::RedirectUri(
            "it must not have a fragment (RFC 6749 section 3.1.2)",
        ));
    }
    if profile.redirect_uri.https_or_custom_scheme && url.scheme() == "http" && !crate::http::is_loopback(&url) {
        return Err(Error::RedirectUri(
            "the provider takes https or a custom scheme; plain http works on loopback only",
        ));
    }
    if ["javascript", "data", "file"].contains(&url.scheme()) {
        return Err(Error::RedirectUri("its scheme cannot receive a callback"));
    }
    Ok(())
}

/// Reads a callback and gives the code (RFC 6749 sections 4.1.2 and 4.1.2.1).
///
/// `callback` is the whole URL that the browser came back with, or the part of it from the path on.
pub(crate) fn read_callback(
    profile: &Profile,
    pending: &Pending,
    issuer: Option<&str>,
    callback: &str,
) -> Result<Secret, Error> {
    let fields = Fields::of(profile, callback)?;
    let state_fits = fields.state.as_ref().map(|state| *state == pending.state);
    let foreign = issuer
        .zip(fields.issuer.as_deref())
        .is_some_and(|(expected, actual)| expected != actual);
    if let Some(error) = fields.error {
        // A refusal is checked like a success: anyone can make a URL with `error` in it.
        match state_fits {
            Some(false) => return Err(Error::StateMismatch),
            None if profile.state_on_refusal => return Err(Error::StateMismatch),
            _ if foreign => return Err(Error::IssuerMismatch),
            _ => {}
        }
        return Err(Error::Refused(Refusal {
            error,
            code: fields.refusal_code,
            state_verified: state_fits == Some(true),
        }));
    }
    if state_fits != Some(true) {
        return Err(Error::StateMismatch);
    }
    if foreign {
        return Err(Error::IssuerMismatch);
    }
    fields.code.ok_or(Error::Callback(
        "has neither a code nor an error; the provider may have refused the authorization",
    ))
}

#[derive(Default)]
struct Fields {
    code: Option<Secret>,
    state: Option<Secret>,
    issuer: Option<String>,
    error: Option<String>,
    refusal_code: Option<String>,
}

impl Fields {
    fn of(profile: &Profile, callback: &str) -> Result<Self, Error> {
        if callback.len() > 16 * 1024 {
            return Err(Error::Callback("is longer than any callback"));
        }
        let query = query_of(callback).ok_or(Error::Callback(
            "has no query; give the whole URL that the browser came back with",
        ))?;
        let mut fields = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let twice = match name.as_ref() {
                "code" if !value.is_empty() => fields.code.replace(Secret::new(value)).is_some(),
                "state" => fields.state.replace(Secret::new(value)).is_some(),
                "iss" => fields.issuer.replace(value.into_owned()).is_some(),
                "error" => fields.error.replace(plain(&value)).is_some(),
                other if Some(other) == profile.refusal_code_field => {
                    fields.refusal_code = Some(plain(&value));
                    false
                }
                _ => false,
            };
            if twice {
                return Err(Error::Callback(
                    "has a parameter twice (RFC 6749 section 3.1); it was tampered with",
                ));
            }
        }
        Ok(fields)
    }
}

/// The query of a URL, of a path with a query, or of a bare `?query`.
fn query_of(callback: &str) -> Option<&str> {
    let without_fragment = callback.split('#').next().unwrap_or_default();
    without_fragment.split_once('?').map(|(_, query)| query)
}

/// An error code as it may be shown: the characters of RFC 6749 section 4.1.2.1, and few of them.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic()).take(64).collect()
}
