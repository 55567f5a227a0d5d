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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::oauth::pending::Authorization;
    use crate::oauth::profile::RedirectUriRules;
    use crate::value::ScopeSet;

    const PLAIN: Profile = Profile::BASE;

    fn pending() -> Pending {
        Pending {
            provider: "mx".to_owned(),
            client_id: "client-1".to_owned(),
            state: Secret::from("state-1"),
            verifier: None,
            redirect_uri: None,
            scopes: ScopeSet::new(),
            token_endpoint: String::new(),
            bound: Vec::new(),
            subject: None,
        }
    }

    /// What a callback is read as, in a word: the code, or what is wrong with it.
    fn read(profile: &Profile, issuer: Option<&str>, query: &str) -> String {
        match read_callback(profile, &pending(), issuer, &format!("https://app.example/?{query}")) {
            Ok(code) => format!("code {}", code.expose_secret()),
            Err(Error::StateMismatch) => "foreign state".to_owned(),
            Err(Error::IssuerMismatch) => "foreign issuer".to_owned(),
            Err(Error::Callback(problem)) => problem.split(' ').take(3).collect::<Vec<_>>().join(" "),
            Err(Error::Refused(refusal)) => {
                let Refusal {
                    error,
                    code,
                    state_verified,
                } = refusal;
                format!("refused {error} {} {state_verified}", code.unwrap_or_default())
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_code_is_taken_from_a_callback_with_the_state_that_was_sent_and_no_foreign_issuer() {
        let bank = Some("https://bank.example");
        for (issuer, query, expected) in [
            (None, "code=c&state=state-1", "code c"),
            (None, "state=state-1&code=c&scope=a+b", "code c"),
            (None, "code=c", "foreign state"),
            (None, "code=c&state=", "foreign state"),
            (None, "code=c&state=state-2", "foreign state"),
            (None, "state=state-1", "has neither a"),
            (None, "code=&state=state-1", "has neither a"),
            (None, "code=c&state=state-1&iss=https://bank.example", "code c"),
            (bank, "code=c&state=state-1", "code c"),
            (bank, "code=c&state=state-1&iss=https://bank.example", "code c"),
            (bank, "code=c&state=state-1&iss=https://evil.example", "foreign issuer"),
            (bank, "code=c&state=state-2&iss=https://evil.example", "foreign state"),
        ] {
            assert_eq!(read(&PLAIN, issuer, query), expected, "{query}");
        }
    }

    #[test]
    fn a_refusal_is_checked_as_a_code_is_and_says_whether_its_state_was() {
        let bank = Some("https://bank.example");
        let lax = Profile {
            state_on_refusal: false,
            refusal_code_field: Some("reason"),
            ..PLAIN
        };
        for (profile, issuer, query, expected) in [
            (
                &PLAIN,
                None,
                "error=access_denied&state=state-1",
                "refused access_denied  true",
            ),
            (
                &PLAIN,
                None,
                "error=access_denied&state=state-1&reason=7",
                "refused access_denied  true",
            ),
            (&PLAIN, None, "error=access_denied&state=state-2", "foreign state"),
            (&PLAIN, None, "error=access_denied", "foreign state"),
            (&PLAIN, None, "error=e&code=c&state=state-1", "refused e  true"),
            (&lax, None, "error=access_denied", "refused access_denied  false"),
            (
                &lax,
                None,
                "error=access_denied&reason=7",
                "refused access_denied 7 false",
            ),
            (&lax, None, "error=access_denied&state=state-2", "foreign state"),
            (
                &lax,
                None,
                "error=access_denied&state=state-1&reason=7&reason=8",
                "refused access_denied 8 true",
            ),
            (
                &lax,
                bank,
                "error=access_denied&iss=https://evil.example",
                "foreign issuer",
            ),
            (
                &lax,
                bank,
                "error=access_denied&iss=https://bank.example",
                "refused access_denied  false",
            ),
        ] {
            assert_eq!(read(profile, issuer, query), expected, "{query}");
        }
    }

    #[test]
    fn what_stands_in_a_callback_twice_was_tampered_with() {
        for query in [
            "code=a&code=b&state=state-1",
            "code=a&state=state-1&state=state-1",
            "code=a&state=state-1&iss=a&iss=a",
            "error=a&error=b&state=state-1",
        ] {
            assert_eq!(read(&PLAIN, None, query), "has a parameter", "{query}");
        }
        assert_eq!(read(&PLAIN, None, "code=a&state=state-1&x=1&x=2"), "code a");
    }

    #[test]
    fn a_callback_is_a_url_or_the_part_of_it_from_the_path_on_and_not_longer_than_any() {
        let read = |callback: &str| read_callback(&PLAIN, &pending(), None, callback);
        for callback in [
            "https://app.example/callback?code=c&state=state-1",
            "https://app.example/callback?code=c&state=state-1#top",
            "/callback?code=c&state=state-1",
            "?code=c&state=state-1",
        ] {
            assert_eq!(read(callback).unwrap().expose_secret(), "c", "{callback}");
        }
        for callback in ["", "code=c&state=state-1", "https://app.example/#?code=c&state=state-1"] {
            assert!(matches!(read(callback), Err(Error::Callback(_))), "{callback}");
        }
        let padded = |length: usize| {
            let short = "?code=c&state=state-1&pad=";
            format!("{short}{}", "x".repeat(length - short.len()))
        };
        assert!(read(&padded(16 * 1024)).is_ok());
        assert!(matches!(read(&padded(16 * 1024 + 1)), Err(Error::Callback(_))));
    }

    #[test]
    fn an_error_code_is_shown_without_what_it_may_not_hold_and_not_longer_than_a_code() {
        assert_eq!(
            read(&PLAIN, None, "error=a%20b%0Ac%C3%A9&state=state-1"),
            "refused abc  true"
        );
        let long = read(&PLAIN, None, &format!("error={}&state=state-1", "e".repeat(100)));
        assert_eq!(long, format!("refused {}  true", "e".repeat(64)));
    }

    #[test]
    fn a_redirect_uri_is_absolute_without_a_fragment_and_can_receive_a_callback() {
        let strict = Profile {
            redirect_uri: RedirectUriRules {
                required: true,
                https_or_custom_scheme: true,
                ..RedirectUriRules::BASE
            },
            ..PLAIN
        };
        for (uri, plain, by_the_strict) in [
            (None, true, false),
            (Some("https://app.example/callback"), true, true),
            (Some("app.example:/callback"), true, true),
            (Some("http://localhost:8080/callback"), true, true),
            (Some("http://127.0.0.1/callback"), true, true),
            (Some("http://app.example/callback"), true, false),
            (Some("/callback"), false, false),
            (Some("https://app.example/callback#top"), false, false),
            (Some("javascript:alert(1)"), false, false),
            (Some("data:text/html,x"), false, false),
            (Some("file:///callback"), false, false),
        ] {
            for (profile, expected) in [(&PLAIN, plain), (&strict, by_the_strict)] {
                assert_eq!(check_redirect_uri(profile, uri).is_ok(), expected, "{uri:?}");
            }
        }
    }

    #[test]
    fn whose_consent_it_will_be_is_remembered() {
        let authorization = Authorization {
            url: Url::parse("https://bank.example/authorize?state=state-1").unwrap(),
            pending: pending(),
        };
        let pending = authorization.subject("customer-42").pending;
        assert_eq!(pending.subject.as_deref(), Some("customer-42"));
        assert_eq!((pending.provider(), pending.state().expose_secret()), ("mx", "state-1"));
    }
}
