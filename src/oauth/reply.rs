//! How replies of token endpoints are read: whatever can be read is kept, the refresh token first.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderMap, StatusCode};
use zeroize::Zeroizing;

use super::error::{Error, ServerError};
use super::profile::{Profile, Revocation};
use super::reply_fields::{ReplyFields, Value};
use super::wire::{trimmed, whole};
use crate::http::{retry_after, without_mark};
use crate::token::{TokenReply, Verdict};
use crate::value::{ScopeSet, Secret};

/// With padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Ten years: longer than any token lives, short enough for every clock.
const LONGEST_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// How much of a reply of an authorization server is read, in bytes. What stands there before this end is read as far as
/// it goes.
pub(super) const MAX_REPLY: usize = 1024 * 1024;

/// A reply as it came.
pub(crate) struct RawReply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Zeroizing<Vec<u8>>,
    /// The body is a beginning: more was sent than is read, or what was compressed has no end.
    pub cut: bool,
    /// The rest of the body did not come, for this reason where one is known.
    pub broken: Option<Broken>,
}

/// Why a body has no end.
#[derive(Default)]
pub(crate) struct Broken {
    /// Who broke it off.
    pub host: String,
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
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
    /// The application wants to see the `id_token`.
    pub keep_id_token: bool,
    /// What the request carried in secret: it is cut out of error descriptions.
    pub secrets: &'a [&'a str],
}

impl Asked<'_> {
    /// Whether the request carried it.
    fn sent(&self, token: &Secret) -> bool {
        self.secrets.contains(&token.expose_secret())
    }
}

impl RawReply {
    fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers)
    }

    fn fields(&self) -> Option<ReplyFields<'_>> {
        ReplyFields::of(without_mark(&self.body))
    }

    /// The fields of a token reply. Some servers put the tokens into an object of their own, `{"data": {"access_token": ..}}`,
    /// or into a list: they are read where there is no doubt which they are. What the server repeats of the request is
    /// not new.
    fn token_fields(&self, asked: &Asked<'_>) -> Option<ReplyFields<'_>> {
        let body = without_mark(&self.body);
        let (outer, inner) = match ReplyFields::of(body) {
            Some(outer) => {
                let inner = outer.inner();
                (outer, inner)
            }
            None => (ReplyFields::whole(), ReplyFields::of_list(body)),
        };
        let has_access = |fields: &ReplyFields<'_>| access_token(fields).is_ok();
        let has_new = |fields: &ReplyFields<'_>| refresh_token(fields).is_some_and(|token| !asked.sent(&token));
        let alone = |wanted: &dyn Fn(&ReplyFields<'_>) -> bool| {
            let mut found = inner.iter().filter(|fields| wanted(fields));
            found.next().filter(|_| found.next().is_none()).cloned()
        };
        let (access, refresh) = (has_access(&outer), refresh_token(&outer).is_some());
        if (access && refresh) || !outer.is_whole() || says_error(&outer) {
            return Some(outer);
        }
        let only_new = || alone(&|fields| has_new(fields) && !has_access(fields));
        let found = match (access, refresh) {
            (true, _) => [None, only_new()],
            (false, true) => [
                alone(&|fields| has_access(fields) && refresh_token(fields).is_none()),
                None,
            ],
            (false, false) if inner.iter().any(has_access) => match alone(&has_access) {
                Some(tokens) if refresh_token(&tokens).is_some() => [Some(tokens), None],
                Some(tokens) => [Some(tokens), only_new()],
                None => [None, None],
            },
            (false, false) => [None, alone(&has_new)],
        };
        let is_list = ReplyFields::of(body).is_none();
        if is_list && found.iter().all(Option::is_none) {
            return None;
        }
        Some(found.into_iter().flatten().fold(outer, ReplyFields::and))
    }

    fn is_html(&self) -> bool {
        let of_type = self.headers.get(http::header::CONTENT_TYPE);
        let of_type = of_type.and_then(|named| named.to_str().ok()).unwrap_or_default();
        let named = of_type.split(';').next().unwrap_or_default().trim();
        // A page need not begin with a tag.
        let is_named = ["text/html", "application/xhtml+xml"]
            .iter()
            .any(|page| named.eq_ignore_ascii_case(page));
        // Some servers name that type for whatever they send, and for nothing.
        let body = without_mark(&self.body).trim_ascii();
        let is_a_value = body.is_empty() || ReplyFields::of(body).is_some_and(|fields| fields.is_whole());
        (is_named && !is_a_value) || body.starts_with(b"<")
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

    /// Whether an OAuth error in the body is the authorization server's word on what was asked. A 5xx speaks of the
    /// server, and 408, 425 and 429 of the time at which it was asked: something in front of it may have sent them, with
    /// whatever text.
    fn is_a_word_on_the_request(&self) -> bool {
        let too_soon_or_slow = matches!(self.status.as_u16(), 408 | 425 | 429);
        self.status.is_success() || (self.status.is_client_error() && !too_soon_or_slow)
    }

    /// Whether the server is out of order, or asked too early or too often: the token is as it was (RFC 7009 section 2.2.1).
    fn says_that_nothing_was_done(&self) -> bool {
        matches!(self.status.as_u16(), 425 | 429 | 503)
    }

    /// The OAuth error in the body. With a status that speaks of no request, only one that speaks of none either.
    fn server_error(&self, fields: &ReplyFields<'_>, profile: &Profile, asked: &Asked<'_>) -> Option<ServerError> {
        if !fields.is_whole() {
            return None;
        }
        let (error, nested) = fields.last("error", |error| match error.fields() {
            _ if !is_an_error(error) => None,
            // `{"error": {"code": ..}}`: not RFC 6749, but seen.
            Some(inner) => {
                let codes = ["code", "type", "error"].iter();
                let codes: Vec<String> = codes
                    .filter_map(|name| inner.last(name, |code| code_of(code, profile, asked)))
                    .collect();
                let known = codes.iter().find(|code| is_known(code, profile));
                let code = known.or_else(|| codes.first())?.clone();
                Some((code, inner.last("message", Value::text_with_gaps)))
            }
            None => {
                let first = error.items().and_then(|items| items.first().copied());
                Some((code_of(first.unwrap_or(error), profile, asked)?, None))
            }
        })?;
        let description = fields.last("error_description", Value::text_with_gaps).or(nested);
        let description = description.map(|text| cleaned(&text, asked.secrets));
        let verdict = self.verdict(profile, &error)?;
        Some(ServerError {
            request: asked.request,
            status: self.status,
            error,
            description,
            retry_after: self.retry_after(),
            verdict,
        })
    }

    /// What a code means for the grant; none: with this status it means nothing.
    fn verdict(&self, profile: &Profile, error: &str) -> Option<Verdict> {
        let retry_after = self.retry_after();
        let documented = profile.errors.iter().find(|(code, _)| *code == error);
        let said = match (error, documented) {
            (_, Some((_, Verdict::Transient { .. }))) => Verdict::Transient { retry_after },
            (_, Some((_, Verdict::Throttled { .. }))) => Verdict::Throttled { retry_after },
            (_, Some((_, other))) => *other,
            ("invalid_grant", None) => Verdict::Dead,
            ("invalid_client" | "unauthorized_client", None) => Verdict::ClientMisconfigured,
            ("invalid_request" | "invalid_scope" | "unsupported_grant_type", None) => Verdict::RequestRejected,
            ("slow_down", None) => Verdict::Throttled { retry_after },
            // `server_error`, `temporarily_unavailable`, and codes that no standard knows: no reason to end a grant.
            _ => Verdict::Transient { retry_after },
        };
        let speaks_of_the_moment = matches!(said, Verdict::Transient { .. } | Verdict::Throttled { .. });
        match self.status.as_u16() {
            429 if speaks_of_the_moment => Some(Verdict::Throttled { retry_after }),
            _ if speaks_of_the_moment || self.is_a_word_on_the_request() => Some(said),
            _ => None,
        }
    }

    /// Reads the reply to a token request.
    pub(crate) fn token(mut self, profile: &Profile, asked: &Asked<'_>) -> Result<TokenReply, Error> {
        let broken = self.broken.take();
        let fields = self.token_fields(asked);
        let error = fields
            .as_ref()
            .and_then(|fields| self.server_error(fields, profile, asked));
        let problem = match &fields {
            _ if !self.status.is_success() => {
                "an error without an OAuth error code that counts with this status; a proxy or an outage page may have answered"
            }
            None => "the reply is not a JSON object",
            Some(fields) => match self.tokens(fields, error.as_ref(), profile, asked) {
                Ok(reply) => return Ok(reply),
                Err(problem) => problem,
            },
        };
        match (error, broken) {
            (Some(error), _) => Err(Error::Server(error)),
            (None, Some(Broken { host, source })) => Err(Error::Connection {
                request: asked.request,
                host: Some(host),
                sent: true,
                source,
            }),
            (None, None) => {
                let in_doubt = self.status.is_success() && asked.spends;
                Err(self.problem(asked, problem, in_doubt))
            }
        }
    }

    /// The tokens of a reply, or why there are none. Without an access token that can be used, a refresh token is still
    /// worth more than the one that was spent on it.
    fn tokens(
        &self,
        fields: &ReplyFields<'_>,
        error: Option<&ServerError>,
        profile: &Profile,
        asked: &Asked<'_>,
    ) -> Result<TokenReply, &'static str> {
        let refresh_token = refresh_token(fields);
        // A server that is out of order may have made a new one before. One that was sent, and beside which no access token
        // stands, is only repeated.
        let is_worth_keeping = |token: &Secret| match error {
            Some(error) => is_about_the_moment(&error.error) && !asked.sent(token),
            None => !asked.sent(token) || fields.all("access_token").any(|value| !value.is_null()),
        };
        if !fields.is_whole() && refresh_token.is_none() {
            return Err("the reply ends in the middle");
        }
        if has_unreadable_refresh_token(fields) {
            tracing::warn!(
                request = asked.request,
                "the refresh token in the reply is neither a text nor a number: it is not kept, and the one before may be spent"
            );
        }
        let access_token = access_token(fields).and_then(|token| is_bearer(fields).map(|()| token));
        let mut reply = match access_token {
            Ok(token) => TokenReply::new(token),
            Err(problem) if asked.spends && refresh_token.as_ref().is_some_and(is_worth_keeping) => {
                TokenReply::without_access_token(Arc::new(self.problem(asked, problem, false)))
            }
            Err(problem) => return Err(problem),
        };
        let extra_of = |name| {
            fields.last(name, |value| {
                let text = plain(value)?;
                let text = trimmed(&text);
                (!text.is_empty()).then(|| text.to_owned())
            })
        };
        reply.expires_in = life(fields, profile);
        let told = profile.refresh.lifetime_field.and_then(|name| seconds(fields, name));
        reply.refresh_expires_in = refresh_token
            .as_ref()
            .and(told.or(profile.refresh.lifetime))
            .map(|life| Duration::from_secs(life).min(LONGEST_LIFE));
        reply.refresh_token = refresh_token;
        if asked.keep_id_token {
            reply.id_token = fields.last("id_token", secret);
        }
        reply.scopes = fields
            .last("scope", scope)
            .map(|scope| granted(profile, &ScopeSet::from_iter([&*scope])))
            .filter(|scopes| !scopes.is_empty());
        reply.extra = profile
            .extra
            .iter()
            .filter_map(|field| Some((field.name.to_owned(), extra_of(field.name)?)))
            .collect();
        reply.account_field = profile
            .extra
            .iter()
            .find(|field| field.subject)
            .map(|field| field.name.to_owned());
        Ok(reply)
    }

    /// Reads the reply to a revocation request (RFC 7009 section 2.2). `unanswered`: the token may be gone
    /// ([`RevokeRequest`](crate::token::RevokeRequest)).
    pub(crate) fn revocation(
        mut self,
        profile: &Profile,
        revocation: &Revocation,
        unanswered: bool,
        asked: &Asked<'_>,
    ) -> Result<(), Error> {
        let broken = self.broken.take();
        let status = self.status.as_u16();
        let may_be_unknown = unanswered && revocation.unknown_token.contains(&status) && !self.is_html();
        let error = self
            .fields()
            .and_then(|fields| self.server_error(&fields, profile, asked));
        match error {
            // A token that the server does not know needs no revocation.
            Some(error) if error.error == "invalid_token" && self.is_a_word_on_the_request() => Ok(()),
            Some(error) if may_be_unknown && may_be_about_the_token(&error) => Ok(()),
            // What is wrong with the request is wrong with the next one too (RFC 7009 section 2.2.1:
            // `unsupported_token_type`). Some servers answer an error with status 200.
            Some(error) if self.is_a_word_on_the_request() && !is_about_the_moment(&error.error) => {
                let lasting = match error.verdict {
                    Verdict::Transient { .. } => Verdict::RequestRejected,
                    other => other,
                };
                Err(Error::Server(ServerError {
                    verdict: lasting,
                    ..error
                }))
            }
            // Whoever stands in front of the server may say so after the server did what was asked.
            Some(_) if !self.is_a_word_on_the_request() && !self.says_that_nothing_was_done() => {
                Err(self.problem(asked, "the token may still live, or be revoked", true))
            }
            Some(error) => Err(Error::Server(error)),
            // What did not come may have been an error.
            None if broken.is_some() => {
                let Broken { host, source } = broken.unwrap_or_default();
                Err(Error::Connection {
                    request: asked.request,
                    host: Some(host),
                    sent: true,
                    source,
                })
            }
            // An error without a code that anybody could act on.
            None if self.status.is_success() && self.fields().is_some_and(|fields| says_error(&fields)) => {
                Err(Error::NotRevoked { status: self.status })
            }
            None if (revocation.success.contains(&status) || may_be_unknown) && !self.is_html() => Ok(()),
            // Another address will not come of itself.
            None if matches!(status, 301 | 308) => Err(Error::NotRevoked { status: self.status }),
            None if self.status.is_client_error() && self.is_a_word_on_the_request() && !self.is_html() => {
                Err(Error::NotRevoked { status: self.status })
            }
            None if self.says_that_nothing_was_done() => Err(self.problem(
                asked,
                "the token may still live: the revocation was not carried out",
                false,
            )),
            // Whoever answered does not say what became of the request.
            None => Err(self.problem(asked, "the token may still live, or be revoked", true)),
        }
    }
}

/// Whether there is an error in it, be it one that means nothing. A server may name the field where there is none.
fn says_error(fields: &ReplyFields<'_>) -> bool {
    fields.all("error").any(is_an_error)
}

/// Whether a value in the place of an error tells of one: it is no word for none, and no form with nothing in it.
fn is_an_error(error: Value<'_>) -> bool {
    const NONE: [&str; 11] = [
        "", "-", "false", "n/a", "no", "no error", "no_error", "none", "null", "ok", "success",
    ];
    let is_zero = |text: &str| text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    // As a status of HTTP: done.
    let is_a_success =
        |text: &str| text.len() == 3 && text.starts_with('2') && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_none =
        |text: &str| NONE.iter().any(|none| text.eq_ignore_ascii_case(none)) || is_zero(text) || is_a_success(text);
    if let Some(text) = error.text_with_gaps() {
        return !is_none(trimmed(&text));
    }
    if let Some(fields) = error.fields() {
        let is_told = |names: &[&str]| names.iter().any(|name| fields.all(name).any(is_an_error));
        // Beside a code that says that there is none, words say nothing else.
        let has_code = fields.all("code").any(|code| !code.is_null());
        return is_told(&["code", "type", "error"]) || (!has_code && is_told(&["message", "description"]));
    }
    match error.items() {
        Some(items) => items.into_iter().any(is_an_error),
        None => error.number().is_some_and(|digits| !is_none(digits)) || error.literal() == Some("true"),
    }
}

/// The codes by which a server says that it is out of order for now (RFC 6749 section 4.1.2.1, RFC 8628 section 3.5).
fn is_about_the_moment(code: &str) -> bool {
    matches!(code, "server_error" | "temporarily_unavailable" | "slow_down")
}

/// Whether an error may say that the token is unknown: it speaks neither of the client nor of the kind of token.
fn may_be_about_the_token(error: &ServerError) -> bool {
    let about_the_client = error.verdict == Verdict::ClientMisconfigured;
    !about_the_client && error.error != "unsupported_token_type" && !is_about_the_moment(&error.error)
}

/// The access token, or why there is none that a header can carry. A number is one, as it is a refresh token.
fn access_token(fields: &ReplyFields<'_>) -> Result<Secret, &'static str> {
    let mut problem = "the reply has no usable `access_token`";
    let number = |value: Value<'_>| value.number().filter(|digits| *digits != "0").map(str::to_owned);
    let text = |value: Value<'_>| value.text_with_gaps().or_else(|| number(value).map(Zeroizing::new));
    for text in fields.all("access_token").filter_map(text) {
        let token = trimmed(&text);
        if token.is_empty() {
            problem = "the reply has an empty `access_token`";
        } else if token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Secret::from(token));
        } else {
            problem = "the access token has characters that a header cannot carry";
        }
    }
    Err(problem)
}

/// A form carries any character, so a refresh token only has to be one. A number is one too, digit for digit; a zero says
/// that there is none. One alone in a list is one.
fn refresh_token(fields: &ReplyFields<'_>) -> Option<Secret> {
    let number = |value: Value<'_>| value.number().filter(|digits| *digits != "0").map(Secret::from);
    let one = |value: Value<'_>| secret(value).or_else(|| number(value));
    let alone = |value: Value<'_>| match value.items()?[..] {
        [only] => one(only),
        _ => None,
    };
    fields
        .last("refresh_token", one)
        .or_else(|| fields.last("refresh_token", alone))
}

/// Whether there is a refresh token that nobody can read, and not only a word for none.
fn has_unreadable_refresh_token(fields: &ReplyFields<'_>) -> bool {
    let is_something = |value: Value<'_>| match (value.text_with_gaps(), value.fields(), value.items()) {
        (Some(text), ..) => !trimmed(&text).is_empty(),
        (_, Some(fields), _) => !fields.is_empty(),
        (_, _, Some(items)) => !items.is_empty(),
        _ if value.is_blank() || value.is_null() => false,
        _ => !matches!(value.literal(), Some("false" | "0")),
    };
    refresh_token(fields).is_none() && fields.all("refresh_token").any(is_something)
}

fn secret(value: Value<'_>) -> Option<Secret> {
    let text = value.text()?;
    let token = trimmed(&text);
    (!token.is_empty()).then(|| Secret::from(token))
}

/// A client uses no token of a type that it does not understand (RFC 6749 section 7.1). A type that is left out, empty, or
/// no text names none; `BearerToken` is a bearer token.
fn is_bearer(fields: &ReplyFields<'_>) -> Result<(), &'static str> {
    let mut named = fields.all("token_type").flat_map(|kind| {
        let kinds = kind.items().unwrap_or_else(|| vec![kind]);
        kinds.into_iter().filter_map(Value::text_with_gaps)
    });
    let is_bearer = |kind: &str| kind.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("bearer"));
    let mut another = false;
    let bearer = named.any(|kind| {
        let kind = trimmed(&kind);
        another |= !kind.is_empty();
        is_bearer(kind)
    });
    if bearer || !another {
        Ok(())
    } else {
        Err("the token type is not bearer, which is the only one that is supported")
    }
}

/// How long the access token lives.
fn life(fields: &ReplyFields<'_>, profile: &Profile) -> Option<Duration> {
    let unit = if profile.expires_in_milliseconds {
        Duration::from_millis
    } else {
        Duration::from_secs
    };
    let told = seconds(fields, "expires_in").map(unit);
    let life = told.or(profile.default_lifetime.map(Duration::from_secs));
    life.map(|life| life.min(LONGEST_LIFE))
}

/// A number, or a text with a number in it, without its fraction; 0 and less say nothing, and more than can be counted
/// is as much as can be counted.
fn seconds(fields: &ReplyFields<'_>, name: &str) -> Option<u64> {
    fields.last(name, |value| {
        let text = plain(value)?;
        let number: serde_json::Number = text.trim().parse().ok()?;
        match whole(&number) {
            Some(seconds) => seconds.try_into().ok().filter(|seconds| *seconds > 0),
            None => number
                .as_f64()
                .filter(|number| number.is_sign_positive())
                .map(|_| u64::MAX),
        }
    })
}

/// Scopes as text, or as a list of texts.
fn scope(value: Value<'_>) -> Option<String> {
    let text = |value: Value<'_>| Some(value.text()?.to_string());
    text(value).or_else(|| {
        Some(
            value
                .items()?
                .into_iter()
                .filter_map(text)
                .collect::<Vec<_>>()
                .join(" "),
        )
    })
}

/// A text, a number or a truth value, as it is written.
fn plain(value: Value<'_>) -> Option<String> {
    let text = value.text().map(|text| text.to_string());
    text.or_else(|| value.literal().map(str::to_owned))
}

/// The granted scopes by their names: a scope that is bound to one thing (`PREMIUM_AIS:{consentId}`) may be
/// told as it was asked for.
pub(crate) fn granted(profile: &Profile, told: &ScopeSet) -> ScopeSet {
    let bare = |scope: &str| {
        let template = profile.scope_templates.iter().find(|template| template.binds(scope))?;
        Some(template.scope)
    };
    let mut scopes = ScopeSet::new();
    for text in told.iter() {
        scopes.extend(profile.scopes_in(text).iter());
    }
    let names: Vec<&str> = scopes.iter().filter_map(bare).collect();
    scopes.extend(names);
    scopes
}

/// The codes that mean something here, as they are written.
const CODES: [&str; 11] = [
    "invalid_grant",
    "invalid_client",
    "unauthorized_client",
    "invalid_request",
    "invalid_scope",
    "invalid_token",
    "unsupported_grant_type",
    "unsupported_token_type",
    "server_error",
    "temporarily_unavailable",
    "slow_down",
];

/// An OAuth error code, as the standard or the specification writes it: servers write it in capitals, put a space or a
/// quote around it, and a sentence after it. Never a part of a secret that the server repeats.
fn code_of(value: Value<'_>, profile: &Profile, asked: &Asked<'_>) -> Option<String> {
    let text = value.text_with_gaps()?;
    let (text, is_cut) = beginning(&text);
    let until = |end: &dyn Fn(char) -> bool| {
        let word = text.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        let word = word.split(end).next().unwrap_or_default();
        word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric())
    };
    let code = until(&|c| !(c.is_ascii_alphanumeric() || "_-.".contains(c)));
    let documented = profile.errors.iter().map(|(code, _)| *code);
    if let Some(known) = documented.chain(CODES).find(|known| known.eq_ignore_ascii_case(code)) {
        return Some(known.to_owned());
    }
    // Another one is shown where it is a word, and has nothing of a secret in it.
    let code = until(&char::is_whitespace);
    let is_a_word = code
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte));
    // A word that was cut may be a part of a secret that is not known by its beginning.
    let is_whole = !is_cut
        || text
            .trim_start_matches(|c: char| !c.is_ascii_alphanumeric())
            .contains(char::is_whitespace);
    let shown = !code.is_empty() && code.len() <= 64 && is_a_word && is_whole;
    let is_part = |secret: &str| forms(secret).iter().any(|form| form.contains(code));
    let mut secrets = asked.secrets.iter();
    (shown && !secrets.any(|secret| is_part(secret) || has_part_of(text, secret))).then(|| code.to_owned())
}

/// As much of a text as is looked through for a code, and whether it is not all: a search for every part of every secret
/// takes its time, and a code stands in the first words.
fn beginning(text: &str) -> (&str, bool) {
    const LOOKED_AT: usize = 2048;
    let beginning = text.get(..text.floor_char_boundary(LOOKED_AT)).unwrap_or(text);
    (beginning, beginning.len() < text.len())
}

fn is_known(code: &str, profile: &Profile) -> bool {
    CODES.contains(&code) || profile.errors.iter().any(|(known, _)| *known == code)
}

/// Whether a text has as much of a secret in it as says something of it: six characters in a row, in whatever case, or all
/// of a shorter one; also where it is a header of HTTP Basic that the server repeats.
fn has_part_of(text: &str, secret: &str) -> bool {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "+/-_".contains(c)));
    let decoded = words.filter_map(|word| BASE64.decode(word).ok().map(Zeroizing::new));
    let mut texts = decoded.map(|bytes| Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()));
    reads_part_of(text, secret) || texts.any(|text| reads_part_of(&text, secret))
}

fn reads_part_of(text: &str, secret: &str) -> bool {
    let text = text.to_lowercase();
    forms(secret).iter().any(|form| {
        let form: Vec<char> = form.to_lowercase().chars().collect();
        let length = form.len().min(6);
        length > 0
            && form
                .windows(length)
                .any(|part| text.contains(&*Zeroizing::new(part.iter().collect::<String>())))
    })
}

/// How a secret may stand in a text: as it is, in a URL or a form, which a server may repeat as it came in, in JSON, or in
/// HTML.
fn forms(secret: &str) -> Vec<Zeroizing<String>> {
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let url = form.replace('+', "%20");
    let small = |encoded: &str| {
        let escapes: Vec<String> = encoded
            .match_indices('%')
            .map(|(at, _)| encoded[at..at + 3].to_owned())
            .collect();
        escapes.iter().fold(encoded.to_owned(), |text, escape| {
            text.replace(escape, &escape.to_ascii_lowercase())
        })
    };
    let json = secret.replace('\\', "\\\\").replace('"', "\\\"");
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let html_of = |quote: &str, apostrophe: &str| html.replace('"', quote).replace('\'', apostrophe);
    let mut forms = vec![
        small(&form),
        small(&url),
        form,
        url,
        json.replace('/', "\\/"),
        json,
        html_of("&quot;", "&#39;"),
        html_of("&#34;", "&#039;"),
        html_of("&quot;", "&#x27;"),
        html_of("&quot;", "&apos;"),
        html,
        secret.to_owned(),
    ];
    forms.sort();
    forms.dedup();
    forms.into_iter().map(Zeroizing::new).collect()
}

/// What a server says, fit to be shown: in one line, without what the request carried in secret, cut to a length.
fn cleaned(text: &str, secrets: &[&str]) -> String {
    // Characters that are not seen go first: one of them in a secret would hide it.
    let unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut text: String = text.chars().filter(|c| !unseen(*c)).collect();
    let mut forms: Vec<_> = secrets
        .iter()
        .filter(|secret| !secret.is_empty())
        .flat_map(|secret| forms(secret))
        .collect();
    // Of two secrets, one may be a part of the other.
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    for form in forms {
        text = text.replace(form.as_str(), "[REDACTED]");
    }
    text.chars().take(300).collect()
}

#[cfg(test)]
mod tests;
