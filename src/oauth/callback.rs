//! What a browser brings back from the authorization endpoint, and whether it is believed.

use url::Url;

use super::error::{Error, Refusal};
use super::pending::Pending;
use super::profile::Profile;
use super::redirect_uri::check_address;
use crate::value::Secret;

/// Who may have sent a callback, as its `iss` says it (RFC 9207).
pub(crate) enum ExpectedIssuer<'a> {
    /// This one, and it says so every time.
    Exactly(&'a str),
    /// Whoever has one of these endpoints, where the callback says who sent it.
    WithEndpoint([Option<&'a Url>; 2]),
}

impl ExpectedIssuer<'_> {
    /// RFC 9207 section 2.4. A check is not skipped because a server that sends `iss` did not.
    fn check(&self, sent: Option<&str>) -> Result<(), Error> {
        match (self, sent) {
            (Self::Exactly(expected), Some(sent)) if *expected == sent => Ok(()),
            (Self::Exactly(_), None) => Err(Error::IssuerMissing),
            (Self::WithEndpoint(_), None) => Ok(()),
            (Self::WithEndpoint(endpoints), Some(sent)) if is_origin_of(sent, endpoints) => Ok(()),
            (_, Some(_)) => Err(Error::IssuerMismatch),
        }
    }
}

/// Whether an issuer has the scheme, the host and the port of an endpoint.
fn is_origin_of(issuer: &str, endpoints: &[Option<&Url>]) -> bool {
    let Ok(issuer) = Url::parse(issuer) else { return false };
    let mut endpoints = endpoints.iter().flatten();
    endpoints.any(|endpoint| endpoint.origin().is_tuple() && endpoint.origin() == issuer.origin())
}

/// Reads a callback and gives the code (RFC 6749 sections 4.1.2 and 4.1.2.1).
///
/// `callback` is the whole URL that the browser came back with, or the part of it from the path or the query on.
pub(crate) fn read_callback(
    profile: &Profile,
    pending: &Pending,
    issuer: &ExpectedIssuer<'_>,
    callback: &str,
) -> Result<Secret, Error> {
    let fields = Fields::of(profile.refusal_code_field, callback)?;
    let state_fits = fields.state.as_ref().map(|state| *state == pending.state);
    let needs_state = fields.error.is_none() || profile.state_on_refusal;
    if state_fits == Some(false) || (state_fits.is_none() && needs_state) {
        return Err(Error::StateMismatch);
    }
    // A refusal is checked like a success: anyone can make a URL with `error` in it.
    issuer.check(fields.issuer.as_deref())?;
    if let Some(redirect_uri) = &pending.redirect_uri {
        check_address(redirect_uri, callback)?;
    }
    if let Some(error) = fields.error {
        return Err(Error::Refused(Refusal {
            error,
            code: fields.refusal_code,
            state_verified: state_fits == Some(true),
            may_be_pkce: false,
        }));
    }
    fields.code.ok_or(Error::Callback(
        "has neither a code nor an error; the provider may have refused the authorization",
    ))
}

/// The `state` of a callback, by which an application that keeps [`Pending`] itself finds it again.
///
/// Nothing is believed yet: anyone can make a callback. [`App::finish`](crate::App::finish) decides.
///
/// ```
/// let state = finrail::oauth::callback_state("/callback?code=SplxlOBeZQQ&state=af0ifjsldkj")?;
/// assert_eq!(state.expose_secret(), "af0ifjsldkj");
/// # Ok::<(), finrail::oauth::Error>(())
/// ```
///
/// # Errors
///
/// When the callback cannot be read, or has no `state`.
pub fn callback_state(callback: &str) -> Result<Secret, Error> {
    Fields::of(None, callback)?.state.ok_or(Error::StateMismatch)
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
    fn of(refusal_code_field: Option<&str>, callback: &str) -> Result<Self, Error> {
        if callback.len() > 16 * 1024 {
            return Err(Error::Callback("is longer than any callback"));
        }
        let query = query_of(callback).ok_or(Error::Callback(
            "has no query; give the whole URL that the browser came back with",
        ))?;
        let mut fields = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            // "Parameters sent without a value MUST be treated as if they were omitted" (RFC 6749 section 3.1).
            if value.is_empty() {
                continue;
            }
            let twice = match name.as_ref() {
                "code" => fields.code.replace(Secret::new(value)).is_some(),
                "state" => fields.state.replace(Secret::new(value)).is_some(),
                "iss" => fields.issuer.replace(value.into_owned()).is_some(),
                "error" => fields.error.replace(plain(&value)).is_some(),
                other if Some(other) == refusal_code_field => {
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
