//! How replies of token endpoints are read: whatever can be read is kept, the refresh token first.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use zeroize::Zeroizing;

use super::error::{Error, ServerError};
use super::profile::{ExtraField, Profile, Revocation};
use super::redacted::{cleaned, tells_of_a_secret};
use super::reply_error::{
    fields_hint_at_an_error, hints_at_an_error, is_an_error, is_none, says_error, says_error_in_any_spelling,
    text_hints_at_an_error,
};
use super::reply_fields::{ReplyFields, Value, cut_out, words_of};
use super::token_text::{hides, is_a_stand_in, is_a_word_for_none, is_no_token, is_of_all_characters};
use super::wire::{trimmed, whole};
use crate::http::{retry_after, without_mark};
use crate::token::{TokenReply, Verdict};
use crate::value::{ScopeSet, Secret};

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

/// What a request spends that cannot be spent again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spends {
    Nothing,
    /// The grant that it asks for may stand beside one that lives.
    Code,
    RefreshToken,
}

/// What was asked, for the reading of the answer.
pub(crate) struct Asked<'a> {
    pub request: &'static str,
    pub spends: Spends,
    /// The application wants to see the `id_token`.
    pub keep_id_token: bool,
    /// What the request carried in secret: it is cut out of error descriptions.
    pub secrets: &'a [&'a str],
}

impl Asked<'_> {
    fn spends(&self) -> bool {
        self.spends != Spends::Nothing
    }

    /// Whether the request carried it.
    fn sent(&self, token: &Secret) -> bool {
        self.secrets.contains(&token.expose_secret())
    }

    /// Whether a text in the place of a token is none: it says so, or hides one that was sent.
    fn is_no_token(&self, text: &str) -> bool {
        is_no_token(text) || self.hides_a_secret(text)
    }

    /// Whether a text may be a token though it has what others hide a token behind: any printable character of ASCII may be
    /// in one (RFC 6749 appendices A.12 and A.17), and no sentence about tokens has a digit, or marks from all over.
    fn is_odd_token(&self, text: &str) -> bool {
        let has_digit = text.contains(|c: char| c.is_ascii_digit());
        (has_digit || is_of_all_characters(text))
            && !is_a_word_for_none(text)
            && !is_a_stand_in(text)
            && !self.hides_a_secret(text)
    }

    /// Whether a text is one of the secrets that were sent, not as a whole.
    fn hides_a_secret(&self, text: &str) -> bool {
        self.secrets.iter().any(|secret| hides(trimmed(text), secret))
    }

    /// Whether something stands in the place of a token, and not only a word for none.
    fn is_something(&self, value: Value<'_>) -> bool {
        is_something(value, |text| self.is_no_token(text))
    }
}

impl RawReply {
    fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers)
    }

    fn body(&self) -> &[u8] {
        without_mark(&self.body)
    }

    /// The fields of the object that is the reply, in which an error is a word of the server: a page may quote any other.
    /// Where a success has places that cannot be read, tokens may stand behind them.
    fn fields(&self) -> Option<ReplyFields<'_>> {
        let may_have_tokens = self.status.is_success();
        let is_cut = self.cut || self.broken.is_some();
        let fields = ReplyFields::of(self.body())?;
        let is_all = fields.is_alone() || (fields.is_closed() && !may_have_tokens && !is_cut);
        is_all.then(|| fields.sure())
    }

    /// The fields with the tokens: of the reply, or of an object within it where they are texts.
    fn token_fields(&self, asked: &Asked<'_>) -> Option<TokenFields<'_>> {
        let is_new = |value: Value<'_>| {
            let text = value.text_with_gaps();
            let is_one = |text: &str| !asked.is_no_token(text) || asked.is_odd_token(text);
            text.is_some_and(|text| is_one(trimmed(&text)) && !asked.sent(&Secret::from(trimmed(&text))))
        };
        let has_tokens = |fields: &TokenFields<'_>| TOKENS.iter().any(|name| fields.all.spelled(name).any(is_new));
        let whole = token_fields(self.body(), asked);
        if whole.as_ref().is_some_and(has_tokens) {
            return whole;
        }
        let read = |before, object| {
            let fields = token_fields(object, asked).filter(has_tokens);
            fields.filter(|_| !is_of_others(last_word(before)))
        };
        cut_out(self.body(), read).or(whole)
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
        let body = self.body().trim_ascii();
        let has_tags = body.contains(&b'<') && self.fields().is_none() && !is_json(body);
        (is_named && has_tags) || body.starts_with(b"<")
    }

    /// What the body says of an error.
    fn said(&self) -> Said {
        let body = self.body().trim_ascii();
        if self.fields().is_some_and(|fields| says_error(&fields)) {
            return Said::Error;
        }
        if self.cut || self.is_html() {
            return Said::Unclear;
        }
        let value = unguarded(body);
        let is_json = match ReplyFields::of(value) {
            Some(fields) => fields.is_alone() && fields.is_sure(),
            None => is_json(body),
        };
        let text = str::from_utf8(body).ok().filter(|text| {
            let begins_as_json = text.starts_with(['[', '"']);
            !begins_as_json && !text.contains(|c: char| "<{".contains(c) || c.is_control() && !c.is_whitespace())
        });
        match text {
            _ if is_json && hints_at_an_error(Value::of(value)) => Said::Hint,
            _ if is_json => Said::Nothing,
            Some(text) if text_hints_at_an_error(text) => Said::Hint,
            Some(_) => Said::Nothing,
            None => Said::Unclear,
        }
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
        self.error_among(fields.all("error"), fields, profile, asked)
    }

    fn error_among<'a>(
        &self,
        mut errors: impl Iterator<Item = Value<'a>>,
        fields: &ReplyFields<'a>,
        profile: &Profile,
        asked: &Asked<'_>,
    ) -> Option<ServerError> {
        let (error, nested) = errors.find_map(|error| match error.fields() {
            _ if !is_an_error(error) => None,
            // `{"error": {"code": ..}}`: not RFC 6749, but seen.
            Some(inner) => {
                let codes = ["code", "type", "error"].iter();
                let codes: Vec<String> = codes
                    .filter_map(|name| {
                        inner.last(name, |code| code_of(code, profile, asked).filter(|_| is_an_error(code)))
                    })
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
        let error = self
            .fields()
            .and_then(|fields| self.server_error(&fields, profile, asked));
        // In another spelling an error ends nothing; of the tokens beside it, it says the same.
        let beside = self
            .fields()
            .and_then(|fields| self.error_among(fields.spelled("error"), &fields, profile, asked));
        let broken = self.broken.take();
        let fields = self.token_fields(asked).filter(|_| self.status.is_success());
        let problem = match &fields {
            _ if !self.status.is_success() => {
                "an error without an OAuth error code that counts with this status; a proxy or an outage page may have answered"
            }
            None => "the reply is not a JSON object",
            Some(fields) => match self.tokens(fields, beside.as_ref(), profile, asked) {
                Ok(reply) => return Ok(reply),
                Err(problem) => problem,
            },
        };
        // Of tokens that nobody can read, the old one may be spent all the same.
        let may_be_spent = |error: &ServerError| {
            passes(error) && asked.spends() && self.status.is_success() && has_signs_of_tokens(self.body(), asked)
        };
        match (error, broken) {
            (Some(error), _) if may_be_spent(&error) => Err(self.problem(asked, problem, true)),
            (Some(error), _) => Err(Error::Server(error)),
            (None, Some(Broken { host, source })) => Err(Error::Connection {
                request: asked.request,
                host: Some(host),
                sent: true,
                source,
            }),
            (None, None) => {
                let in_doubt = self.status.is_success() && asked.spends();
                Err(self.problem(asked, problem, in_doubt))
            }
        }
    }

    /// The tokens of a reply, or why there are none. Without an access token that can be used, a refresh token is still
    /// worth more than the one that was spent on it, unless the server says that it made none.
    fn tokens(
        &self,
        TokenFields { all: fields, of_access }: &TokenFields<'_>,
        error: Option<&ServerError>,
        profile: &Profile,
        asked: &Asked<'_>,
    ) -> Result<TokenReply, &'static str> {
        let access_token = access_token(fields, asked);
        let is_one = |_: &Secret| access_token.is_ok() || self.may_be_alone(fields, asked);
        let refresh_token = refresh_token(fields, asked).filter(is_one);
        let is_new = |token: &Secret| !asked.sent(token);
        let is_access_new = access_token.as_ref().is_ok_and(is_new);
        let is_refresh_new = refresh_token.as_ref().is_some_and(is_new);
        // Beside such an error what is repeated or explained may stand in the place of a token. Only what nobody writes there by
        // chance is one.
        if error.is_some_and(|error| !passes(error)) {
            let is_alone_enough = asked.spends != Spends::Code && self.tells_of_an_access_token(asked);
            if !(is_access_new && (is_refresh_new || is_alone_enough)) {
                return Err("the reply says an error");
            }
        }
        // One that was sent, and beside which no access token stands, is only repeated.
        let is_refresh_kept =
            is_refresh_new || (error.is_none() && fields.spelled("access_token").any(|value| !value.is_null()));
        if !fields.is_whole() && refresh_token.is_none() {
            return Err("the reply ends in the middle");
        }
        if has_unreadable_refresh_token(fields, asked) {
            tracing::warn!(
                request = asked.request,
                "the refresh token in the reply is neither a text nor a number: it is not kept, and the one before may be spent"
            );
        }
        let access_token = match access_token {
            Ok(_) if error.is_some() && !is_access_new => Err("the reply says an error, and repeats a token"),
            Ok(token) => is_bearer(of_access).map(|()| token),
            Err(problem) => Err(problem),
        };
        let mut reply = match access_token {
            Ok(token) => TokenReply::new(token),
            Err(problem) if asked.spends() && refresh_token.is_some() && is_refresh_kept => {
                TokenReply::without_access_token(Arc::new(self.problem(asked, problem, false)))
            }
            Err(problem) => return Err(problem),
        };
        let extra_of = |field: &ExtraField| {
            // An account that is not read is not compared, and tells of no other.
            let read = if field.subject { only } else { plain };
            fields.last_spelled(field.name, |value| {
                let text = read(value)?;
                let text = trimmed(&text);
                (!text.is_empty()).then(|| text.to_owned())
            })
        };
        reply.expires_in = life(of_access, profile);
        let told = profile.refresh.lifetime_field.and_then(|name| seconds(fields, name));
        reply.refresh_expires_in = refresh_token
            .as_ref()
            .and(told.or(profile.refresh.lifetime))
            .map(|life| Duration::from_secs(life).min(LONGEST_LIFE));
        reply.refresh_token = refresh_token;
        if asked.keep_id_token {
            reply.id_token = fields.last_spelled("id_token", |value| secret(value, asked));
        }
        reply.scopes = of_access
            .last_spelled("scope", scope)
            .map(|scope| granted(profile, &ScopeSet::from_iter([&*scope])));
        reply.extra = profile
            .extra
            .iter()
            .filter_map(|field| Some((field.name.to_owned(), extra_of(field)?)))
            .collect();
        reply.account_field = profile
            .extra
            .iter()
            .find(|field| field.subject)
            .map(|field| field.name.to_owned());
        Ok(reply)
    }

    /// Whether a refresh token without an access token may be one. Where anything hints at an error, or the name is one of
    /// no known spelling, it is as well a word on the one that was sent, which may live.
    fn may_be_alone(&self, fields: &ReplyFields<'_>, asked: &Asked<'_>) -> bool {
        let mut known = ["refresh_token", "refreshToken"]
            .into_iter()
            .flat_map(|name| fields.all(name));
        let says_error = || fields_hint_at_an_error(fields) || hints_at_an_error(Value::of(self.body().trim_ascii()));
        known.any(|value| asked.is_something(value)) && !says_error()
    }

    /// Whether the reply itself has an access token with its type or its life.
    fn tells_of_an_access_token(&self, asked: &Asked<'_>) -> bool {
        self.fields()
            .is_some_and(|outer| access_token(&outer, asked).is_ok() && describes_a_token(&outer, asked))
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
        let status = self.status.as_u16();
        let may_be_unknown = unanswered && revocation.unknown_token.contains(&status);
        let error = self
            .fields()
            .and_then(|fields| self.server_error(&fields, profile, asked));
        let broken = self.broken.take();
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
            // Another address will not come of itself.
            None if matches!(status, 301 | 308) => Err(Error::NotRevoked { status: self.status }),
            None => self.without_a_code(revocation.success.contains(&status) || may_be_unknown, asked),
        }
    }

    /// What a revocation comes to whose reply has no code that anybody could act on. `is_done`: so says the status.
    fn without_a_code(&self, is_done: bool, asked: &Asked<'_>) -> Result<(), Error> {
        let is_refused = self.status.is_client_error() && self.is_a_word_on_the_request();
        match self.said() {
            Said::Nothing if is_done => Ok(()),
            Said::Error if is_refused || self.status.is_success() => Err(Error::NotRevoked { status: self.status }),
            Said::Nothing | Said::Hint if is_refused => Err(Error::NotRevoked { status: self.status }),
            _ if self.says_that_nothing_was_done() => Err(self.problem(
                asked,
                "the token may still live: the revocation was not carried out",
                false,
            )),
            // Whoever answered does not say what became of the request.
            _ => Err(self.problem(asked, "the token may still live, or be revoked", true)),
        }
    }
}

/// What the reply to a revocation says of an error.
enum Said {
    Nothing,
    /// In the place of OAuth.
    Error,
    /// In another one.
    Hint,
    /// It cannot be told: it is a page, a part of something, or in no form that is known.
    Unclear,
}

const TOKENS: [&str; 2] = ["access_token", "refresh_token"];

/// The names of objects that wrap a reply, or one of its tokens.
const WRAPPERS: [&str; 14] = [
    "access",
    "auth",
    "body",
    "content",
    "credentials",
    "data",
    "oauth",
    "payload",
    "refresh",
    "response",
    "result",
    "results",
    "token",
    "tokens",
];

/// Words in the names of objects whose tokens are not this reply's.
const OF_OTHERS: [&str; 19] = [
    "archived", "before", "cache", "cached", "expired", "former", "history", "input", "last", "linked", "old", "older",
    "oldest", "prev", "previous", "prior", "replaced", "request", "revoked",
];

/// The fields of a token reply.
struct TokenFields<'a> {
    all: ReplyFields<'a>,
    /// Those that speak of the access token, and none that speak of the refresh token alone.
    of_access: ReplyFields<'a>,
}

/// An object with the tokens in it, read once: there may be many.
struct Candidate<'a> {
    fields: ReplyFields<'a>,
    access: Option<Secret>,
    refresh: Option<Secret>,
    /// The refresh token is not the one that was sent.
    is_new: bool,
}

impl<'a> Candidate<'a> {
    fn of(fields: ReplyFields<'a>, asked: &Asked<'_>) -> Self {
        let refresh = refresh_token(&fields, asked);
        Self {
            access: access_token(&fields, asked).ok(),
            is_new: refresh.as_ref().is_some_and(|token| !asked.sent(token)),
            refresh,
            fields,
        }
    }

    fn has_same_tokens(&self, other: &Self) -> bool {
        self.access == other.access && self.refresh == other.refresh
    }
}

/// The fields of a token reply. Some servers put the tokens into an object of their own, `{"data": {"access_token": ..}}`,
/// or into a list: they are read where there is no doubt which they are. What the server repeats of the request is
/// not new.
fn token_fields<'a>(body: &'a [u8], asked: &Asked<'_>) -> Option<TokenFields<'a>> {
    let (outer, inner, is_list) = match ReplyFields::of(body) {
        Some(outer) => {
            let inner = wrapped(&outer, asked);
            (outer, inner, false)
        }
        None => {
            let mut inner = ReplyFields::of_list(body);
            inner.retain(|fields| is_no_error(fields, asked));
            (ReplyFields::whole(), inner, true)
        }
    };
    let outer = Candidate::of(outer, asked);
    if (outer.access.is_some() && outer.is_new) || !outer.fields.is_whole() {
        return Some(TokenFields {
            of_access: outer.fields.clone(),
            all: outer.fields,
        });
    }
    let inner: Vec<_> = inner.into_iter().map(|fields| Candidate::of(fields, asked)).collect();
    let (access, refresh) = found_within(&outer, &inner);
    if is_list && access.is_none() && refresh.is_none() {
        return None;
    }
    let with_access = [access, refresh.filter(|tokens| tokens.access.is_some())];
    let with_access = with_access.into_iter().flatten().map(|tokens| tokens.fields.clone());
    let of_access = match &outer.access {
        Some(_) => with_access
            .fold(ReplyFields::whole(), ReplyFields::and)
            .and(outer.fields.clone()),
        None => with_access.fold(outer.fields.clone(), ReplyFields::and),
    };
    let found = [access, refresh]
        .into_iter()
        .flatten()
        .map(|tokens| tokens.fields.clone());
    let all = found.fold(outer.fields, ReplyFields::and);
    Some(TokenFields { all, of_access })
}

/// The objects in a reply whose tokens may be its own. A refresh token alone may be anybody's, and so may be whatever the
/// server says an error of.
fn wrapped<'a>(outer: &ReplyFields<'a>, asked: &Asked<'_>) -> Vec<ReplyFields<'a>> {
    let says_error = says_error_in_any_spelling(outer);
    outer.inner(|name, fields| {
        let is_the_replys = || !says_error && access_token(fields, asked).is_ok();
        let is_a_wrapper = || is_wrapper(name) && is_no_error(fields, asked);
        !is_of_others(name) && (is_the_replys() || is_a_wrapper())
    })
}

/// Whether an object has an access token, or nothing in it hints at an error.
fn is_no_error(fields: &ReplyFields<'_>, asked: &Asked<'_>) -> bool {
    access_token(fields, asked).is_ok() || !fields_hint_at_an_error(fields)
}

/// The objects with what the reply itself does not have: that with the access token, and that with the refresh token where
/// it is another one.
fn found_within<'c, 'a>(
    outer: &Candidate<'a>,
    inner: &'c [Candidate<'a>],
) -> (Option<&'c Candidate<'a>>, Option<&'c Candidate<'a>>) {
    // One, or the same again.
    let alone = |wanted: &dyn Fn(&Candidate<'_>) -> bool| {
        let mut found = inner.iter().filter(|tokens| wanted(tokens));
        let first = found.next()?;
        found.all(|other| other.has_same_tokens(first)).then_some(first)
    };
    let has_access = |tokens: &Candidate<'_>| tokens.access.is_some();
    let only_new = || alone(&|tokens| tokens.is_new && !has_access(tokens));
    match (has_access(outer), outer.is_new) {
        // A server may tell one of them twice, the second time with the other beside it.
        (true, _) => {
            let is_its_own = |tokens: &Candidate<'_>| !has_access(tokens) || tokens.access == outer.access;
            let mut of_it = inner.iter().filter(|tokens| tokens.is_new && is_its_own(tokens));
            let first = of_it.next();
            let is_one = of_it.all(|other| first.is_some_and(|first| other.refresh == first.refresh));
            (None, first.filter(|_| is_one))
        }
        (false, true) => {
            let is_its_own = |tokens: &Candidate<'_>| tokens.refresh.is_none() || tokens.refresh == outer.refresh;
            (alone(&|tokens| has_access(tokens) && is_its_own(tokens)), None)
        }
        (false, false) if inner.iter().any(has_access) => match alone(&has_access) {
            Some(tokens) if tokens.is_new => (Some(tokens), None),
            Some(tokens) => (Some(tokens), only_new()),
            None => (None, None),
        },
        (false, false) => (None, alone(&|tokens| tokens.is_new)),
    }
}

/// Whether something stands in the place of a token that was not sent, be it nothing that can be used.
fn has_signs_of_tokens(body: &[u8], asked: &Asked<'_>) -> bool {
    let is_new =
        |value: Value<'_>| asked.is_something(value) && !secret(value, asked).is_some_and(|token| asked.sent(&token));
    let has_signs = |fields: &ReplyFields<'_>| TOKENS.iter().any(|name| fields.spelled(name).any(is_new));
    ReplyFields::of(body).is_some_and(|outer| {
        let inner = outer.inner(|name, _| !is_of_others(name));
        has_signs(&outer) || inner.iter().any(has_signs)
    })
}

fn is_wrapper(name: &str) -> bool {
    WRAPPERS.iter().any(|wrapper| wrapper.eq_ignore_ascii_case(name))
}

/// Whether a word of the name says so: `old_tokens`, `oldTokens`, `originalRequest`.
fn is_of_others(name: &str) -> bool {
    words_of(name).iter().any(|word| OF_OTHERS.contains(&word.as_str()))
}

/// What an object in the middle of something else is called in its line: `old: {`, `request={`.
fn last_word(before: &[u8]) -> &str {
    let line = before.rsplit(|byte| b"\r\n".contains(byte)).next().unwrap_or_default();
    let mut words = line.rsplit(|byte| !(byte.is_ascii_alphanumeric() || b"_-".contains(byte)));
    let word = words.find(|word| !word.is_empty()).unwrap_or_default();
    str::from_utf8(word).unwrap_or_default()
}

/// An object without what keeps other readers from it: `)]}',` or the call of a function; otherwise the body as it is.
fn unguarded(body: &[u8]) -> &[u8] {
    let at = body.iter().position(|byte| *byte == b'{').unwrap_or_default();
    let (guard, object) = body.split_at(at);
    let is_no_text = guard.starts_with(b")") && !guard.iter().any(u8::is_ascii_alphanumeric);
    let is_of_a_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.$".contains(byte);
    let is_a_call = guard
        .strip_suffix(b"(")
        .is_some_and(|name| name.iter().all(is_of_a_name));
    if is_no_text || is_a_call { object } else { body }
}

/// Whether a whole JSON value stands there.
fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

/// The codes by which a server says that it is out of order for now (RFC 6749 section 4.1.2.1, RFC 8628 section 3.5).
fn is_about_the_moment(code: &str) -> bool {
    matches!(code, "server_error" | "temporarily_unavailable" | "slow_down")
}

/// Whether an error says nothing that lasts: of the moment, or by a code that nobody knows.
fn passes(error: &ServerError) -> bool {
    matches!(error.verdict, Verdict::Transient { .. } | Verdict::Throttled { .. })
}

/// Whether an error may say that the token is unknown: it speaks neither of the client nor of the kind of token.
fn may_be_about_the_token(error: &ServerError) -> bool {
    let about_the_client = error.verdict == Verdict::ClientMisconfigured;
    !about_the_client && error.error != "unsupported_token_type" && !is_about_the_moment(&error.error)
}

/// The access token, or why there is none that a header can carry. A number is one, as it is a refresh token.
fn access_token(fields: &ReplyFields<'_>, asked: &Asked<'_>) -> Result<Secret, &'static str> {
    let mut problem = "the reply has no usable `access_token`";
    let number = |value: Value<'_>| value.number().map(|digits| Zeroizing::new(digits.to_owned()));
    let text = |value: Value<'_>| value.text_with_gaps().or_else(|| number(value));
    let may_be_odd = !says_error_in_any_spelling(fields);
    for text in fields.spelled("access_token").filter_map(text) {
        let token = trimmed(&text);
        if token.is_empty() {
            problem = "the reply has an empty `access_token`";
        } else if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            problem = "the access token has characters that a header cannot carry";
        } else if asked.is_no_token(token) && !(may_be_odd && asked.is_odd_token(token)) {
            problem = "the reply has no usable `access_token`";
        } else {
            return Ok(Secret::from(token));
        }
    }
    Err(problem)
}

/// A form carries any character, so a refresh token only has to be one. A number is one too, digit for digit. One alone in
/// a list is one.
fn refresh_token(fields: &ReplyFields<'_>, asked: &Asked<'_>) -> Option<Secret> {
    let digits = |value: Value<'_>| {
        value
            .number()
            .filter(|digits| !asked.is_no_token(digits))
            .map(Secret::from)
    };
    let one = |value: Value<'_>| secret(value, asked).or_else(|| digits(value));
    let alone = |value: Value<'_>| match value.items()?[..] {
        [only] => one(only),
        _ => None,
    };
    // What looks like a sentence, or shows some of a token, is one only where all else is as it should be.
    let odd = |value: Value<'_>| {
        let text = value.text()?;
        let token = trimmed(&text);
        asked.is_odd_token(token).then(|| Secret::from(token))
    };
    let is_as_it_should_be = || {
        !says_error_in_any_spelling(fields) && access_token(fields, asked).is_ok() && describes_a_token(fields, asked)
    };
    // Of two spellings one may repeat what was sent.
    let is_new = |token: &Secret| !asked.sent(token);
    fields
        .last_spelled("refresh_token", |value| one(value).filter(is_new))
        .or_else(|| fields.last_spelled("refresh_token", |value| alone(value).filter(is_new)))
        .or_else(|| fields.last_spelled("refresh_token", one))
        .or_else(|| fields.last_spelled("refresh_token", alone))
        .or_else(|| {
            fields
                .last_spelled("refresh_token", odd)
                .filter(|_| is_as_it_should_be())
        })
}

/// Whether the type or the life of an access token is told.
fn describes_a_token(fields: &ReplyFields<'_>, asked: &Asked<'_>) -> bool {
    let tells_of = |name| fields.spelled(name).any(|value| asked.is_something(value));
    tells_of("token_type") || tells_of("expires_in")
}

/// Whether there is a refresh token that nobody can read, and not only a word for none.
fn has_unreadable_refresh_token(fields: &ReplyFields<'_>, asked: &Asked<'_>) -> bool {
    let is_something = |value| asked.is_something(value);
    refresh_token(fields, asked).is_none() && fields.spelled("refresh_token").any(is_something)
}

/// Whether a value is not empty, and no text for nothing.
fn is_something(value: Value<'_>, is_nothing: impl Fn(&str) -> bool) -> bool {
    match (value.text_with_gaps(), value.fields(), value.items()) {
        (Some(text), ..) => !is_nothing(&text),
        (_, Some(fields), _) => !fields.is_empty(),
        (_, _, Some(items)) => !items
            .into_iter()
            .all(|item| item.text_with_gaps().is_some_and(|text| is_nothing(&text))),
        _ => !value.bare().is_some_and(is_nothing),
    }
}

fn secret(value: Value<'_>, asked: &Asked<'_>) -> Option<Secret> {
    let text = value.text()?;
    let token = trimmed(&text);
    (!asked.is_no_token(token)).then(|| Secret::from(token))
}

/// A client uses no token of a type that it does not understand (RFC 6749 section 7.1). A type that is left out, empty, or
/// no text names none; `BearerToken` is a bearer token.
fn is_bearer(fields: &ReplyFields<'_>) -> Result<(), &'static str> {
    let mut named = fields.spelled("token_type").flat_map(|kind| {
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
    fields.last_spelled(name, |value| {
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

/// Scopes as text, or as a list of texts; empty: what is told cannot be read. Then none is known, and no refresh asks for
/// one that was not granted.
fn scope(value: Value<'_>) -> Option<String> {
    if let Some(text) = value.text() {
        return (!trimmed(&text).is_empty()).then(|| text.to_string());
    }
    let items = value.items().unwrap_or_default();
    let texts: Vec<String> = items
        .into_iter()
        .filter_map(|item| Some(item.text()?.to_string()))
        .collect();
    is_something(value, is_none).then(|| texts.join(" "))
}

/// A text, a number or a truth value, as it is written.
fn plain(value: Value<'_>) -> Option<String> {
    let text = value.text().map(|text| text.to_string());
    text.or_else(|| value.literal().map(str::to_owned))
}

/// The same, also as far as it can be read, alone in a list, or as the `id` of an object.
fn only(value: Value<'_>) -> Option<String> {
    let readable = |value: Value<'_>| {
        let text = value.text_with_gaps().map(|text| text.to_string());
        text.or_else(|| plain(value))
    };
    let alone = || match value.items()?[..] {
        [only] => readable(only),
        _ => None,
    };
    let of_object = || value.fields()?.last("id", readable);
    readable(value).or_else(of_object).or_else(alone)
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
    const LONGEST: usize = 64;
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
    // `Invalid token`, `invalid-token`, `InvalidToken`, and nothing else: in a sentence they are words.
    let is_alone = text.len() <= LONGEST && !text.contains(':');
    let words = words_of(if is_alone { text } else { "" });
    let documented = profile.errors.iter().map(|(code, _)| *code);
    if let Some(known) = documented.chain(CODES).find(|known| words_of(known) == words) {
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
    let shown = !code.is_empty() && code.len() <= LONGEST && is_a_word && is_whole;
    (shown && !tells_of_a_secret(code, text, asked.secrets)).then(|| code.to_owned())
}

/// As much of a text as is looked through for a code, and whether it is not all: a code stands in the first words.
fn beginning(text: &str) -> (&str, bool) {
    const LOOKED_AT: usize = 2048;
    let beginning = text.get(..text.floor_char_boundary(LOOKED_AT)).unwrap_or(text);
    (beginning, beginning.len() < text.len())
}

fn is_known(code: &str, profile: &Profile) -> bool {
    CODES.contains(&code) || profile.errors.iter().any(|(known, _)| *known == code)
}

#[cfg(test)]
mod tests;
