//! How replies of token endpoints are read: lenient where providers differ, strict where it matters.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::Value;
use zeroize::Zeroizing;

use super::error::{Error, ServerError};
use super::profile::Profile;
use super::wire::TokenResponse;
use crate::http::{retry_after, without_mark};
use crate::token::{TokenReply, Verdict};
use crate::value::ScopeSet;

/// Ten years: longer than any token lives, short enough for every clock.
const LONGEST_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// A reply as it came.
pub(crate) struct RawReply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for RawReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawReply")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// What was asked, for the reading of the answer.
pub(crate) struct Asked<'a> {
    pub request: &'static str,
    /// The request spends something that cannot be spent again: a refresh token, a code.
    pub spends: bool,
    /// What the request carried in secret: it is cut out of error descriptions.
    pub secrets: &'a [&'a str],
}

impl RawReply {
    fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers)
    }

    fn json(&self) -> &[u8] {
        without_mark(&self.body)
    }

    fn problem(&self, asked: &Asked<'_>, problem: &'static str, in_doubt: bool) -> Error {
        Error::Reply {
            request: asked.request,
            status: self.status,
            problem,
            retry_after: self.retry_after(),
            in_doubt,
        }
    }

    /// The OAuth error in the body, whatever the status says.
    fn server_error(&self, profile: &Profile, asked: &Asked<'_>) -> Option<ServerError> {
        let body: Value = serde_json::from_slice(self.json()).ok()?;
        let (error, nested) = match &body["error"] {
            Value::String(code) => (code.clone(), None),
            // `{"error": {"code": ..}}`: not RFC 6749, but seen.
            Value::Object(inner) => {
                let code = ["code", "type", "error"]
                    .iter()
                    .find_map(|key| inner.get(*key)?.as_str())?;
                (code.to_owned(), inner.get("message").and_then(Value::as_str))
            }
            _ => return None,
        };
        if error.is_empty()
            || error.len() > 64
            || !error.chars().all(|c| c.is_ascii_graphic())
            || scrub(&error, asked.secrets) != error
        {
            return None;
        }
        let description = body["error_description"]
            .as_str()
            .or(nested)
            .map(|text| scrub(text, asked.secrets));
        let verdict = self.verdict(profile, &error);
        Some(ServerError {
            request: asked.request,
            status: self.status,
            error,
            description,
            retry_after: self.retry_after(),
            verdict,
        })
    }

    fn verdict(&self, profile: &Profile, error: &str) -> Verdict {
        let retry_after = self.retry_after();
        if self.status.as_u16() == 429 {
            return Verdict::Throttled { retry_after };
        }
        if let Some((_, verdict)) = profile.errors.iter().find(|(code, _)| *code == error) {
            return match verdict {
                Verdict::Transient { .. } => Verdict::Transient { retry_after },
                Verdict::Throttled { .. } => Verdict::Throttled { retry_after },
                other => *other,
            };
        }
        match error {
            "invalid_grant" => Verdict::Dead,
            "invalid_client" | "unauthorized_client" => Verdict::ClientMisconfigured,
            "invalid_request" | "invalid_scope" | "unsupported_grant_type" => Verdict::RequestRejected,
            "slow_down" => Verdict::Throttled { retry_after },
            // `server_error`, `temporarily_unavailable`, and codes that no standard knows: no reason to end a grant.
            _ => Verdict::Transient { retry_after },
        }
    }

    /// Reads the reply to a token request.
    pub(crate) fn token(&self, profile: &Profile, asked: &Asked<'_>) -> Result<TokenReply, Error> {
        if !self.status.is_success() {
            if let Some(error) = self.server_error(profile, asked) {
                return Err(Error::Server(error));
            }
            return Err(self.problem(
                asked,
                "an error without an OAuth error code; a proxy or an outage page may have answered",
                false,
            ));
        }
        let parsed: Result<TokenResponse, _> = serde_json::from_slice(self.json());
        let Ok(reply) = parsed else {
            // An error in a reply of status 200 is still an error.
            if let Some(error) = self.server_error(profile, asked) {
                return Err(Error::Server(error));
            }
            let object = serde_json::from_slice::<Value>(self.json()).is_ok_and(|body| body.is_object());
            let problem = if object {
                "the reply has no usable `access_token`"
            } else {
                "the reply is not a JSON object"
            };
            return Err(self.problem(asked, problem, asked.spends));
        };
        if reply.access_token.is_empty() {
            return Err(self.problem(asked, "the reply has an empty `access_token`", asked.spends));
        }
        if !reply
            .access_token
            .expose_secret()
            .bytes()
            .all(|b| (0x21..=0x7e).contains(&b))
        {
            return Err(self.problem(
                asked,
                "the access token has characters that a header cannot carry",
                asked.spends,
            ));
        }
        if reply
            .token_type
            .as_deref()
            .is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer"))
        {
            return Err(self.problem(
                asked,
                "the token type is not bearer, which is the only one that is supported",
                asked.spends,
            ));
        }
        let mut out = TokenReply::new(reply.access_token);
        out.refresh_token = reply.refresh_token.filter(|token| !token.is_empty());
        out.id_token = reply.id_token;
        out.expires_in = reply
            .expires_in
            .and_then(|life| u64::try_from(life).ok())
            .filter(|life| *life > 0)
            .map(|life| {
                if profile.expires_in_milliseconds {
                    Duration::from_millis(life)
                } else {
                    Duration::from_secs(life)
                }
            })
            .or(profile.default_lifetime.map(Duration::from_secs))
            .map(|life| life.min(LONGEST_LIFE));
        let told = profile
            .refresh
            .lifetime_field
            .and_then(|field| seconds(reply.extra.get(field)?));
        out.refresh_expires_in = out
            .refresh_token
            .as_ref()
            .and(told.or(profile.refresh.lifetime))
            .map(|life| Duration::from_secs(life).min(LONGEST_LIFE));
        out.scopes = reply
            .scope
            .as_deref()
            .map(|scope| granted(profile, ScopeSet::parse(scope)))
            .filter(|scopes| !scopes.is_empty());
        out.extra = extra(profile, &reply.extra);
        Ok(out)
    }

    /// Reads the reply to a revocation request (RFC 7009 section 2.2).
    pub(crate) fn revocation(&self, profile: &Profile, success: &[u16], asked: &Asked<'_>) -> Result<(), Error> {
        if success.contains(&self.status.as_u16()) || self.status.is_success() {
            // Some servers answer an error with status 200.
            return match self.server_error(profile, asked) {
                Some(error) => Err(Error::Server(error)),
                None => Ok(()),
            };
        }
        match self.server_error(profile, asked) {
            Some(error) => Err(Error::Server(error)),
            None => Err(self.problem(
                asked,
                "the token may still live: the revocation was not carried out",
                false,
            )),
        }
    }
}

/// The granted scopes by their names: a scope that is bound to one thing (`PREMIUM_AIS:{consentId}`) may be
/// told as it was asked for.
fn granted(profile: &Profile, told: ScopeSet) -> ScopeSet {
    let bare = |scope: &str| {
        let template = profile.scope_templates.iter().find(|template| template.binds(scope))?;
        Some(template.scope)
    };
    let names: Vec<&str> = told.iter().filter_map(bare).collect();
    let mut scopes = told.clone();
    scopes.extend(names);
    scopes
}

fn extra(profile: &Profile, fields: &BTreeMap<String, Value>) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    };
    profile
        .extra
        .iter()
        .filter_map(|field| Some((field.name.to_owned(), text(fields.get(field.name)?)?)))
        .collect()
}

fn seconds(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_str()?.trim().parse().ok())
        .filter(|seconds| *seconds > 0)
}

/// Cuts secrets out of a text, and the text to a length.
fn scrub(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        // A server may repeat the form field as it came in.
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        text = text.replace(secret, "[REDACTED]").replace(&encoded, "[REDACTED]");
    }
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests;
