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
            if value.trim().is_empty() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::ScopeSet;

    const REDIRECT: &str = "https://app.example/callback";

    fn pending(redirect_uri: Option<&str>) -> Pending {
        Pending {
            provider: String::new(),
            client_id: "client".to_owned(),
            state: Secret::from("right"),
            verifier: None,
            redirect_uri: redirect_uri.map(str::to_owned),
            scopes: ScopeSet::default(),
            token_endpoint: String::new(),
            bound: Vec::new(),
            tenant: String::new(),
            subject: None,
            until: None,
        }
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    /// What comes of these parameters at a profile, where nothing is known of the issuer.
    fn read(profile: &Profile, parameters: &str) -> Result<String, Error> {
        let issuer = ExpectedIssuer::WithEndpoint([None, None]);
        let callback = format!("{REDIRECT}?{parameters}");
        let code = read_callback(profile, &pending(Some(REDIRECT)), &issuer, &callback)?;
        Ok(code.expose_secret().to_owned())
    }

    #[test]
    fn a_set_issuer_is_demanded_and_compared_letter_for_letter() {
        let set = ExpectedIssuer::Exactly("https://bank.example/tenant");
        assert!(set.check(Some("https://bank.example/tenant")).is_ok());
        assert!(matches!(set.check(None), Err(Error::IssuerMissing)));
        for other in ["https://bank.example/tenant/", "https://bank.example", "", "other"] {
            assert!(matches!(set.check(Some(other)), Err(Error::IssuerMismatch)), "{other}");
        }
    }

    #[test]
    fn without_a_set_issuer_one_that_is_sent_has_the_origin_of_an_endpoint() {
        let (authorize, token) = (
            url("https://login.bank.example/authorize"),
            url("http://127.0.0.1:8080/token"),
        );
        let either = ExpectedIssuer::WithEndpoint([Some(&authorize), Some(&token)]);
        for own in ["https://login.bank.example/tenant", "http://127.0.0.1:8080"] {
            assert!(either.check(Some(own)).is_ok(), "{own}");
        }
        assert!(either.check(None).is_ok(), "not every server says who it is");
        for other in [
            "https://bank.example",
            "http://login.bank.example",
            "https://login.bank.example:8443",
            "no URL",
            "",
        ] {
            assert!(
                matches!(either.check(Some(other)), Err(Error::IssuerMismatch)),
                "{other}"
            );
        }
        // Only the schemes of the web have an origin that can be compared.
        let own_scheme = url("urn:bank");
        let opaque = ExpectedIssuer::WithEndpoint([Some(&own_scheme), None]);
        assert!(matches!(opaque.check(Some("urn:bank")), Err(Error::IssuerMismatch)));
    }

    #[test]
    fn a_code_comes_with_the_state_that_was_sent() {
        assert_eq!(read(&Profile::BASE, "code=c&state=right").unwrap(), "c");
        for parameters in ["code=c", "code=c&state=", "code=c&state=wrong", "state=wrong"] {
            let outcome = read(&Profile::BASE, parameters);
            assert!(
                matches!(outcome, Err(Error::StateMismatch)),
                "{parameters}: {outcome:?}"
            );
        }
        let without_state = Profile {
            state_on_refusal: false,
            ..Profile::BASE
        };
        let outcome = read(&without_state, "code=c");
        assert!(matches!(outcome, Err(Error::StateMismatch)), "a code is no refusal");
    }

    #[test]
    fn a_refusal_may_lack_the_state_where_the_provider_sends_none_and_says_so() {
        let without_state = Profile {
            state_on_refusal: false,
            ..Profile::BASE
        };
        for (profile, parameters, verified) in [
            (&Profile::BASE, "error=access_denied&state=right", true),
            (&without_state, "error=access_denied&state=right", true),
            (&without_state, "error=access_denied", false),
        ] {
            let error = read(profile, parameters).unwrap_err();
            let refusal = error.refusal().expect(parameters);
            assert_eq!(
                (refusal.error.as_str(), refusal.state_verified),
                ("access_denied", verified)
            );
        }
        for (profile, parameters) in [
            (&Profile::BASE, "error=access_denied"),
            (&Profile::BASE, "error=access_denied&state=wrong"),
            (&without_state, "error=access_denied&state=wrong"),
        ] {
            let outcome = read(profile, parameters);
            assert!(
                matches!(outcome, Err(Error::StateMismatch)),
                "{parameters}: {outcome:?}"
            );
        }
    }

    #[test]
    fn codes_and_refusals_are_taken_from_the_issuer_and_at_the_redirect_uri_only() {
        let issuer = ExpectedIssuer::Exactly("https://bank.example");
        for result in ["code=c", "error=access_denied"] {
            let outcome = |place: &str, sent: &str| {
                let callback = format!("{place}?{result}&state=right&iss={sent}");
                read_callback(&Profile::BASE, &pending(Some(REDIRECT)), &issuer, &callback)
            };
            let outcome_of_other = outcome(REDIRECT, "https://evil.example");
            assert!(matches!(outcome_of_other, Err(Error::IssuerMismatch)), "{result}");
            let elsewhere = outcome("https://app.example/other", "https://bank.example");
            assert!(matches!(elsewhere, Err(Error::RedirectUriMismatch)), "{result}");
            let right = outcome(REDIRECT, "https://bank.example");
            assert!(
                matches!(right, Ok(_) | Err(Error::Refused(_))),
                "{result}: {:?}",
                right.err()
            );
        }
        // Nothing is compared where the authorization named no redirect URI.
        let anywhere = "https://app.example/other?code=c&state=right&iss=https://bank.example";
        assert!(read_callback(&Profile::BASE, &pending(None), &issuer, anywhere).is_ok());
    }

    #[test]
    fn a_parameter_without_a_value_is_none_and_one_with_two_is_refused() {
        for parameters in ["code=&code=c&state=right", "code=c&error=&state=&state=right"] {
            assert_eq!(read(&Profile::BASE, parameters).unwrap(), "c", "{parameters}");
        }
        for twice in ["code=c", "state=right", "iss=i", "error=e"] {
            let parameters = format!("{twice}&{twice}&code=c&state=right");
            let outcome = read(&Profile::BASE, &parameters);
            assert!(matches!(outcome, Err(Error::Callback(_))), "{parameters}: {outcome:?}");
        }
        let of_others = "scope=a&scope=b&code=c&state=right";
        assert_eq!(read(&Profile::BASE, of_others).unwrap(), "c");
        assert!(matches!(read(&Profile::BASE, "state=right"), Err(Error::Callback(_))));
    }

    #[test]
    fn the_code_of_a_refusal_is_read_from_the_field_that_the_provider_names() {
        let with_code = Profile {
            refusal_code_field: Some("error_code"),
            ..Profile::BASE
        };
        let code = |profile, parameters: &str| {
            let error = read(profile, parameters).unwrap_err();
            error.refusal().and_then(|refusal| refusal.code.clone())
        };
        let parameters = "error=access_denied&error_code=user%20said%0Ano&other=1&state=right";
        assert_eq!(code(&with_code, parameters).as_deref(), Some("usersaidno"));
        assert_eq!(code(&Profile::BASE, parameters), None);
    }

    #[test]
    fn what_a_refusal_shows_is_short_and_has_no_control_characters() {
        let long = format!("error=a%0Ab%C3%A9{}&state=right", "c".repeat(100));
        let error = read(&Profile::BASE, &long).unwrap_err();
        assert_eq!(error.refusal().unwrap().error, format!("ab{}", "c".repeat(62)));
    }

    #[test]
    fn the_query_is_found_in_every_form_of_a_callback() {
        for callback in [
            "https://app.example/callback?code=c&state=s%20t#part?state=other",
            "/callback?state=s+t",
            "?state=s%20t",
        ] {
            assert_eq!(callback_state(callback).unwrap().expose_secret(), "s t", "{callback}");
        }
        for callback in ["", "/callback", "/callback#?state=s", "state=s"] {
            let outcome = callback_state(callback);
            assert!(matches!(outcome, Err(Error::Callback(_))), "{callback}: {outcome:?}");
        }
        assert!(matches!(callback_state("?code=c"), Err(Error::StateMismatch)));
    }

    #[test]
    fn a_callback_has_at_most_16_kibibytes() {
        let of_length = |length: usize| {
            let start = "?state=right&rest=";
            callback_state(&format!("{start}{}", "x".repeat(length - start.len())))
        };
        assert!(of_length(16 * 1024).is_ok());
        assert!(matches!(of_length(16 * 1024 + 1), Err(Error::Callback(_))));
    }
}
