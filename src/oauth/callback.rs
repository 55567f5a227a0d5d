//! What a browser brings back from the authorization endpoint, and where it may bring it.

use url::Url;

use super::error::{Error, Refusal};
use super::pending::Pending;
use super::profile::Profile;
use crate::value::Secret;

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
