//! The bodies of OAuth requests and replies that all providers share (RFC 6749, RFC 7009).
//!
//! Read by four: the clients send and parse these types, `regen` writes their
//! JSON Schemas into the bundled specifications, the sandbox validates against
//! those schemas, and `drift` compares documents with them. The file stands
//! alone, apart from [`Secret`], because `xtask` includes it.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::value::Secret;

/// A request to a token endpoint (RFC 6749 sections 4.1.3, 4.3.2, 4.4.2 and 6).
///
/// Which fields are sent depends on the grant and on the provider.
///
/// ```
/// use finrail::oauth::wire::TokenRequest;
///
/// let request = TokenRequest {
///     refresh_token: Some("opaque".into()),
///     ..TokenRequest::new("refresh_token")
/// };
/// assert_eq!(
///     serde_json::to_string(&request)?,
///     r#"{"grant_type":"refresh_token","refresh_token":"opaque"}"#
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TokenRequest {
    /// The grant: `client_credentials`, `authorization_code`, `password` or `refresh_token`.
    pub grant_type: String,
    /// The client, where it authenticates in the body or has no secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The client's secret, where it authenticates in the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<String>", extend("format" = "password"))
    )]
    pub client_secret: Option<Secret>,
    /// The scopes asked for, separated as the provider wants them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The authorization code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<String>", extend("format" = "password"))
    )]
    pub code: Option<Secret>,
    /// The redirect URI of the authorization request, for a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// The PKCE verifier (RFC 7636 section 4.5), for a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<String>", extend("format" = "password"))
    )]
    pub code_verifier: Option<Secret>,
    /// The refresh token, for a refresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<String>", extend("format" = "password"))
    )]
    pub refresh_token: Option<Secret>,
    /// The user's name, for the password grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The user's password, for the password grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<String>", extend("format" = "password"))
    )]
    pub password: Option<Secret>,
}

impl TokenRequest {
    /// A request with nothing but its grant.
    #[must_use]
    pub fn new(grant_type: impl Into<String>) -> Self {
        Self {
            grant_type: grant_type.into(),
            ..Self::default()
        }
    }
}

/// The reply of a token endpoint (RFC 6749 section 5.1).
///
/// Only `access_token` must be there, as a text. A field of another type than
/// its own reads as left out, and of a key that stands there twice the last one
/// is taken. `expires_in` may be a number or a text with a number in it, and
/// `scope` a text or a list of texts. White space and control characters around
/// a token are no part of it.
///
/// It reads JSON alone, whole and as RFC 8259 has it. The clients of this crate
/// read a reply to a token request by other means, because one that cannot be
/// read costs a consent: they also take bodies with bytes that are not UTF-8 or
/// with half of a surrogate pair, of which serde_json reads nothing.
///
/// ```
/// use finrail::oauth::wire::TokenResponse;
///
/// let reply: TokenResponse = serde_json::from_str(
///     r#"{"access_token":"opaque","expires_in":"3599","scope":["read","write"],"account_id":"acc_1"}"#,
/// )?;
/// assert_eq!(reply.expires_in, Some(3599));
/// assert_eq!(reply.scope.as_deref(), Some("read write"));
/// assert_eq!(reply.extra["account_id"], "acc_1");
/// assert!(!format!("{reply:?}").contains("acc_1"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TokenResponse {
    /// The access token.
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "password")))]
    pub access_token: Secret,
    /// How the access token is used; `Bearer`, in any case of letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// Life of the access token, in seconds unless the provider says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<i64>,
    /// The refresh token, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<String>", extend("format" = "password"))
    )]
    pub refresh_token: Option<Secret>,
    /// The scopes granted, where they are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The ID token (OpenID Connect), where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<String>", extend("format" = "password"))
    )]
    pub id_token: Option<Secret>,
    /// Every other field of the reply. `Debug` shows their names only.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

impl<'de> Deserialize<'de> for TokenResponse {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = BTreeMap::<String, Value>::deserialize(deserializer)?;
        let mut text = |name: &str| match fields.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let access_token = text("access_token");
        let access_token = access_token.ok_or_else(|| D::Error::custom("there is no text in `access_token`"))?;
        Ok(Self {
            access_token: token(access_token),
            token_type: text("token_type"),
            refresh_token: text("refresh_token").map(token),
            id_token: text("id_token").map(token),
            expires_in: fields.remove("expires_in").and_then(lenient_integer),
            scope: fields.remove("scope").and_then(lenient_scope),
            extra: fields,
        })
    }
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("access_token", &self.access_token)
            .field("token_type", &self.token_type)
            .field("expires_in", &self.expires_in)
            .field("refresh_token", &self.refresh_token)
            .field("scope", &self.scope)
            .field("id_token", &self.id_token)
            .field("extra", &self.extra.keys())
            .finish()
    }
}

/// The error reply of an authorization server (RFC 6749 section 5.2).
#[derive(Clone, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OAuthError {
    /// What went wrong, as a code: `invalid_grant`, `invalid_client`.
    pub error: String,
    /// What went wrong, in words for the developer of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    /// A page about the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_uri: Option<String>,
    /// Every other field of the reply.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// `Debug` tells how long the description is, not what it says: some servers
/// repeat in it the code or the token that they were sent.
impl fmt::Debug for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.error_description.as_ref().map(|text| text.chars().count());
        f.debug_struct("OAuthError")
            .field("error", &self.error)
            .field("characters_of_description", &length)
            .finish_non_exhaustive()
    }
}

/// A revocation request (RFC 7009 section 2.1).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RevocationRequest {
    /// The token to be revoked.
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "password")))]
    pub token: Secret,
    /// Which kind of token it is: `refresh_token` or `access_token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type_hint: Option<String>,
    /// The client, where it authenticates in the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The client's secret, where it authenticates in the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<String>", extend("format" = "password"))
    )]
    pub client_secret: Option<Secret>,
}

impl RevocationRequest {
    /// A request with nothing but the token.
    #[must_use]
    pub fn new(token: Secret) -> Self {
        Self {
            token,
            token_type_hint: None,
            client_id: None,
            client_secret: None,
        }
    }
}

/// A token without the line break or the space that a template put around it.
fn token(text: String) -> Secret {
    let text = zeroize::Zeroizing::new(text);
    Secret::from(trimmed(&text))
}

/// A text without white space and control characters around it.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control())
}

/// A number of seconds as an integer or a float, or either as
/// text; the fraction is left out. Anything else, a negative number too, reads as unknown: the life of a
/// token that works must not be what stops it.
fn lenient_integer(value: Value) -> Option<i64> {
    match value {
        Value::Number(number) => whole(&number),
        Value::String(text) => text.trim().parse::<serde_json::Number>().ok().as_ref().and_then(whole),
        _ => None,
    }
}

/// The integer before the fraction: a token that lives 3599.9 seconds lives 3599.
pub(super) fn whole(number: &serde_json::Number) -> Option<i64> {
    // Above 2^53 a float no longer names one integer.
    const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;
    let seconds = match (number.as_i64(), number.as_f64()) {
        (Some(integer), _) => integer,
        #[allow(clippy::cast_possible_truncation)]
        (None, Some(float)) if (0.0..=LARGEST_EXACT).contains(&float) => float as i64,
        _ => return None,
    };
    (seconds >= 0).then_some(seconds)
}

/// Scopes as text, or as an array of texts. Anything else reads as not told.
fn lenient_scope(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Array(items) => Some(items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> TokenResponse {
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{body}: {error}"))
    }

    #[test]
    fn expires_in_is_read_in_every_form() {
        for (sent, read_as) in [
            ("3600", Some(3600)),
            ("0", Some(0)),
            ("3600.0", Some(3600)),
            ("\"3600\"", Some(3600)),
            ("\" 3600 \"", Some(3600)),
            ("\"3600.0\"", Some(3600)),
            ("null", None),
            ("3600.5", Some(3600)),
            ("3599.9", Some(3599)),
            ("\"3599.9\"", Some(3599)),
            ("-0.5", None),
            ("-1", None),
            ("\"-1\"", None),
            ("\"\"", None),
            ("\"soon\"", None),
            ("1e300", None),
            ("18446744073709551615", None),
            ("true", None),
            ("[3600]", None),
            ("{}", None),
        ] {
            let reply = read(&format!(r#"{{"access_token":"t","expires_in":{sent}}}"#));
            assert_eq!(reply.expires_in, read_as, "expires_in: {sent}");
        }
        assert_eq!(read(r#"{"access_token":"t"}"#).expires_in, None);
    }

    #[test]
    fn scope_is_read_in_every_form() {
        for (sent, read_as) in [
            ("\"a b\"", Some("a b")),
            ("\"a,b\"", Some("a,b")),
            ("\"\"", Some("")),
            ("[\"a\",\"b\"]", Some("a b")),
            ("[]", Some("")),
            ("null", None),
            ("7", None),
        ] {
            let reply = read(&format!(r#"{{"access_token":"t","scope":{sent}}}"#));
            assert_eq!(reply.scope.as_deref(), read_as, "scope: {sent}");
        }
        assert_eq!(read(r#"{"access_token":"t"}"#).scope, None);
    }

    #[test]
    fn a_field_of_another_type_or_a_key_twice_costs_no_other_field() {
        for odd in [
            r#""token_type":1"#,
            r#""token_type":["Bearer"]"#,
            r#""id_token":{}"#,
            r#""refresh_token":false,"refresh_token":"r""#,
            r#""expires_in":600,"expires_in":600"#,
            r#""scope":{}"#,
        ] {
            let reply = read(&format!(r#"{{"access_token":"t","refresh_token":"r",{odd}}}"#));
            let refresh_token = reply.refresh_token.as_ref().map(Secret::expose_secret);
            assert_eq!(
                (reply.access_token.expose_secret(), refresh_token),
                ("t", Some("r")),
                "{odd}"
            );
        }
        let reply = read(r#"{"access_token":"t","token_type":1,"id_token":7,"refresh_token":false}"#);
        assert!(reply.token_type.is_none() && reply.id_token.is_none() && reply.refresh_token.is_none());
    }

    #[test]
    fn what_a_template_puts_around_a_token_is_no_part_of_it() {
        let reply = read(
            r#"{"access_token":"access-2\n","refresh_token":"\t refresh-2 ","id_token":"\r\nid-2\u0000","token_type":"Bearer"}"#,
        );
        assert_eq!(reply.access_token.expose_secret(), "access-2");
        let read = |token: Option<Secret>| token.map(|token| token.expose_secret().to_owned());
        assert_eq!(read(reply.refresh_token).as_deref(), Some("refresh-2"));
        assert_eq!(read(reply.id_token).as_deref(), Some("id-2"));
    }

    #[test]
    fn what_is_no_json_is_not_read_as_the_page_says() {
        for body in [
            b"{\"access_token\":\"t\",\"name\":\"M\xfcller\"}".as_slice(),
            br#"{"access_token":"t","name":"caf\ud83d"}"#,
        ] {
            assert!(serde_json::from_slice::<TokenResponse>(body).is_err());
        }
    }

    #[test]
    fn a_reply_without_an_access_token_is_refused() {
        for body in [r#"{"token_type":"bearer"}"#, r#"{"access_token":null}"#, "{}"] {
            assert!(serde_json::from_str::<TokenResponse>(body).is_err(), "{body}");
        }
    }

    #[test]
    fn no_secret_is_printed() {
        let reply = read(r#"{"access_token":"s1","refresh_token":"s2","id_token":"s3","other":{"deep":"s4"}}"#);
        let request = TokenRequest {
            client_secret: Some("s1".into()),
            code: Some("s2".into()),
            code_verifier: Some("s3".into()),
            refresh_token: Some("s4".into()),
            password: Some("s4".into()),
            ..TokenRequest::new("password")
        };
        let revocation = RevocationRequest {
            client_secret: Some("s2".into()),
            ..RevocationRequest::new("s1".into())
        };
        let printed = format!("{reply:?} {request:?} {revocation:?} {reply:#?}");
        for secret in ["s1", "s2", "s3", "s4"] {
            assert!(!printed.contains(secret), "{printed}");
        }
        assert!(printed.contains("other"), "{printed}");
    }
}
