//! Replies that the specification does not describe.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::outcome::Conclusion;
use crate::http::RetryAfter;
use crate::token;

/// A reply that the specification does not describe.
#[derive(Debug)]
#[non_exhaustive]
pub struct InvalidReply {
    /// The operation.
    pub operation: &'static str,
    /// The status of the reply.
    pub status: StatusCode,
    /// The provider's id of the request, when the reply had one.
    pub request_id: Option<String>,
    /// `Retry-After`, when the reply had one.
    pub retry_after: Option<RetryAfter>,
    /// What is wrong with it.
    pub problem: Problem,
    /// Whether an earlier attempt of the same call may have taken effect.
    pub in_doubt: bool,
    /// Why the token that the provider refused could not be replaced by another one, where that was tried.
    pub not_renewed: Option<Box<token::Error>>,
    /// The provider's own code of what is wrong, where it stands in an error that differs elsewhere.
    pub code: Option<String>,
    /// The body as it came, where it was read. It is shown to nobody who does not ask for it.
    pub body: Option<RawBody>,
    pub(super) concluded: Conclusion,
    /// Twice is the same as once.
    pub(super) repeatable: bool,
}

/// What is wrong with a reply.
#[derive(Debug)]
#[non_exhaustive]
pub enum Problem {
    /// The status is not one that the specification lists.
    Status,
    /// An error reply whose body is not the provider's documented error.
    ErrorBody {
        /// The media type that came instead, without parameters.
        media_type: Option<String>,
        /// Where it differs: a path through the JSON. Names only, never values.
        path: String,
        /// In words; never a value.
        reason: String,
    },
    /// A body of another type where the specification has JSON.
    NotJson {
        /// The media type that came instead, without parameters.
        media_type: String,
    },
    /// The body does not have the documented form.
    Decode {
        /// Where: a path through the JSON. Names only, never values.
        path: String,
        /// In words; never a value.
        reason: String,
    },
    /// The body is larger than the limit in bytes.
    TooLarge(usize),
    /// A download of a type that the file does not have: a page, or an error.
    NotTheFile {
        /// The media type that came instead, without parameters.
        media_type: String,
    },
    /// The download is in this encoding, which was not asked for and cannot be undone.
    Encoding(&'static str),
    /// A redirect was not followed, or whoever it led to answered in place of the provider's endpoint.
    Redirect,
    /// A link to the next page leads to another origin or outside the base URL, or is no URL.
    ForeignLink,
    /// A link to the next page leads to another resource than the one that was asked for.
    OtherResource,
    /// Page after page has a next one and no item.
    EmptyPages,
    /// A look-up met more pages than it reads.
    EndlessPages,
    /// The next page is the page that was just read.
    RepeatedPage,
}

impl Problem {
    /// A page says that there are more, and does not name the next one where this pointer leads.
    pub(super) fn unnamed_next(pointer: &str) -> Self {
        Self::next(
            pointer,
            "expected the next page to be named here: the page says that there are more and names no next page",
        )
    }

    /// What is wrong with how a page names the next one.
    pub(super) fn next(pointer: &str, reason: &str) -> Self {
        Self::Decode {
            path: pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/"),
            reason: reason.to_owned(),
        }
    }
}

impl fmt::Display for InvalidReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            status,
            problem,
            ..
        } = self;
        let status = told(*status);
        match problem {
            Problem::Status => write!(
                f,
                "{operation}: status {status} is not in the specification; `raw_body` has what came, look there before you repeat the call"
            )?,
            Problem::ErrorBody {
                media_type: Some(media_type),
                path,
                reason,
            } if is_json(media_type) => write!(
                f,
                "{operation}: the error (status {status}) differs from the specification at `{path}`: {reason}; the provider may have changed it, or somebody in between answered, and `raw_body` has what came"
            )?,
            Problem::ErrorBody { media_type, .. } => write!(
                f,
                "{operation}: status {status} with a body of type {} that is not the provider's documented error; a proxy or an outage page may have answered",
                media_type.as_deref().unwrap_or("unknown")
            )?,
            Problem::NotJson { media_type } => write!(
                f,
                "{operation}: status {status} with a body of type {media_type} instead of JSON; a proxy or an outage page may have answered, or the base URL leads elsewhere"
            )?,
            Problem::Decode { path, reason } => write!(
                f,
                "{operation}: the reply (status {status}) differs from the specification at `{path}`: {reason}; the provider may have changed it, and `raw_body` has what came"
            )?,
            Problem::TooLarge(limit) => write!(
                f,
                "{operation}: the reply (status {status}) is larger than {limit} bytes, which is more than is read; ask for less at once"
            )?,
            Problem::NotTheFile { media_type } => write!(
                f,
                "{operation}: status {status} with a body of type {media_type} instead of the file; the provider may have refused it in this way, or a proxy, a login or an outage page may have answered"
            )?,
            Problem::Encoding(name) => write!(
                f,
                "{operation}: the download (status {status}) is encoded ({name}), though that was not asked for, and cannot be decoded; a proxy may do that, or ask the provider"
            )?,
            Problem::Redirect => write!(
                f,
                "{operation}: a redirect (status {status}) was not followed; check the base URL"
            )?,
            Problem::ForeignLink => write!(
                f,
                "{operation}: the link to the next page leads to another origin or outside the base URL, and was not followed; check the base URL"
            )?,
            Problem::OtherResource => write!(
                f,
                "{operation}: the link to the next page leads to another resource, and was not followed, so the listing is not whole; ask the provider"
            )?,
            Problem::EmptyPages => write!(
                f,
                "{operation}: page after page has no item and names a next one, so the listing may have no end; `resume` asks for more"
            )?,
            Problem::EndlessPages => write!(
                f,
                "{operation}: the listing has more pages than a look-up reads, or no end, so nothing was found out; narrow it, or ask the provider"
            )?,
            Problem::RepeatedPage => write!(
                f,
                "{operation}: the next page is the page that was just read, so the listing is not whole; ask for the pages one by one"
            )?,
        }
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request id {id})")?;
        }
        if self.not_renewed.is_some() {
            f.write_str("; no other token could be had")?;
        }
        if self.in_doubt {
            f.write_str("; an earlier attempt may have taken effect")?;
        }
        Ok(())
    }
}

/// A status as it is told: with its word, where it has one.
pub(super) fn told(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(_) => status.to_string(),
        None => status.as_str().to_owned(),
    }
}

/// The media type that headers name, without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
    text.split(';')
        .next()
        .map(|text| text.trim().to_owned())
        .filter(|text| text.len() <= 64)
}

/// `application/json`, `application/problem+json` and their kin.
pub(super) fn is_json(media_type: &str) -> bool {
    media_type.to_ascii_lowercase().ends_with("json")
}

/// Whether a media type, in small letters, is one that errors have.
pub(super) fn is_an_errors(media_type: &str) -> bool {
    ["/problem+json", "/problem+xml", ".error+json"]
        .iter()
        .any(|end| media_type.ends_with(end))
}

/// A body that could not be read as what the specification says. `Debug` shows its length only.
#[derive(Clone)]
pub struct RawBody(pub(super) Bytes);

impl RawBody {
    /// The bytes. They may hold personal data: do not log them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for RawBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawBody({} bytes)", self.0.len())
    }
}
