//! A reply: typed, as bytes, or empty.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, StatusCode};
use url::Url;

use super::charset::{Wrong, in_utf_8};
use super::connection_error::{ConnectionError, ConnectionPoint};
use super::ending::Ending;
use super::invalid_reply::{InvalidReply, Problem, RawBody, is_an_errors, is_json, media_type};
use super::machine::{Answer, Happened, conclude};
use super::operation::Operation;
use super::outcome::{Conclusion, code, proof};
use super::secrets::{KnownSecrets, NAMES_OF_A_REQUEST};
use super::unreadable::UnreadableItem;
use crate::http::{
    ReadError, RetryAfter, challenge_is_invalid_token, decoded, encodings, is_said_to_be_compressed, read,
};
use crate::token;
use crate::value::canary::shown_path;

/// Largest JSON reply that is read, in bytes.
pub const MAX_BODY: usize = 16 * 1024 * 1024;
/// Largest error reply that is read, in bytes.
pub(crate) const MAX_ERROR_BODY: usize = 64 * 1024;

/// What is known of a reply before its body is looked at.
#[derive(Clone)]
pub(crate) struct Head {
    pub provider: &'static str,
    pub operation: &'static Operation,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub url: Url,
    /// The id that the request carried, for replies that do not repeat it.
    pub sent_id: Option<String>,
    /// What the call's decisions need of it.
    pub answer: Answer,
    /// Sending the call twice is the same as sending it once.
    pub repeatable: bool,
    /// An earlier attempt of the same call may have taken effect.
    pub in_doubt: bool,
    /// The caller's HTTP client made another request of its own: this may be the reply to that.
    pub asked_again: bool,
    /// Why a token that the provider refused was not replaced.
    pub not_renewed: Option<Box<token::Error>>,
    /// The caller wants the body as it came, too.
    pub keeps_body: bool,
    /// The body is an object with nothing in it.
    pub is_blank: bool,
    /// The provider's own code of an error, where it has one that can be shown.
    pub code: Option<String>,
    /// What nothing that is told of the reply may show.
    pub secrets: KnownSecrets,
}

impl Head {
    /// It takes the headers: nobody asks the HTTP client's reply for them again.
    pub(crate) fn of(
        provider: &'static str,
        operation: &'static Operation,
        inner: &mut reqwest::Response,
        sent_id: Option<String>,
        repeatable: bool,
    ) -> Self {
        let (url, headers) = (inner.url().clone(), std::mem::take(inner.headers_mut()));
        let head = Self::made(provider, operation, url, inner.status(), headers, repeatable);
        Self { sent_id, ..head }
    }

    /// Of a reply with this status and these headers.
    pub(super) fn made(
        provider: &'static str,
        operation: &'static Operation,
        url: Url,
        status: StatusCode,
        headers: HeaderMap,
        repeatable: bool,
    ) -> Self {
        Self {
            provider,
            operation,
            status,
            url,
            sent_id: None,
            answer: Answer {
                status: status.as_u16(),
                proof: None,
                names_token: status == StatusCode::UNAUTHORIZED && challenge_is_invalid_token(&headers),
                asked: RetryAfter::of(&headers),
            },
            headers,
            repeatable,
            in_doubt: false,
            asked_again: false,
            not_renewed: None,
            keeps_body: false,
            is_blank: false,
            code: None,
            secrets: KnownSecrets::default(),
        }
    }

    /// Takes from the body of a refusal what shows who refused.
    pub(super) fn prove(&mut self, body: &[u8]) {
        if !self.status.is_client_error() && !self.status.is_server_error() {
            return;
        }
        let text = in_utf_8(body, &self.headers, Wrong::Replaced);
        let of_client = self.status.is_client_error();
        let proof = of_client.then(|| proof(self.operation, self.answer.status, &text));
        let code = code(self.operation, &text);
        (self.answer.proof, self.code) = (proof.flatten(), code);
    }

    /// The provider's own code, unless it shows a secret.
    pub(super) fn code(&self) -> Option<&str> {
        self.code.as_deref().filter(|code| !self.secrets.are_in(code))
    }

    /// A failure in the body of this reply.
    pub(crate) fn broken(&self, error: ConnectionError) -> ConnectionError {
        error
            .at(&self.url)
            .in_reply(self.status, self.request_id().map(str::to_owned))
            .concluding(self.concluded(), self.answer.asked, self.repeatable)
    }

    /// What may be concluded of this reply, whatever earlier attempts did.
    pub(crate) fn concluded(&self) -> Conclusion {
        conclude(self.operation.effect, Happened::Answered(self.answer))
    }

    pub(super) fn request_id(&self) -> Option<&str> {
        let of_reply = request_id(&self.headers).filter(|id| !self.secrets.are_in(id));
        of_reply.or(self.sent_id.as_deref())
    }

    /// A path through the reply, or a name of it, as it may be told.
    pub(super) fn shown(&self, path: &str) -> String {
        shown_path(path, |text| self.secrets.are_in(text))
    }

    pub(super) fn invalid(&self, mut problem: Problem, body: Option<Bytes>) -> InvalidReply {
        match &mut problem {
            Problem::ErrorBody { media_type, path, .. } => {
                *path = self.shown(path);
                *media_type = media_type.as_deref().map(|name| self.shown(name));
            }
            Problem::NotJson { media_type } | Problem::NotTheFile { media_type } => {
                *media_type = self.shown(media_type);
            }
            Problem::Decode { path, .. } => *path = self.shown(path),
            _ => {}
        }
        InvalidReply {
            operation: self.operation.id,
            status: self.status,
            request_id: self.request_id().map(str::to_owned),
            retry_after: self.answer.asked,
            concluded: self.concluded(),
            repeatable: self.repeatable,
            problem,
            in_doubt: self.in_doubt,
            not_renewed: self.not_renewed.clone(),
            code: self.code().map(str::to_owned),
            body: body.map(RawBody),
        }
    }
}

/// The body of a reply.
pub(crate) enum Body {
    /// Read to its end.
    Whole(Bytes),
    /// Larger than the limit in bytes; given up.
    TooLarge(usize),
    /// Broken off, or not in time. The headers came, and are answered as those of a whole reply.
    Broken(ConnectionError),
    /// A download: read by the caller, who waits this long for each piece.
    Stream(reqwest::Response, Duration),
}

/// A reply before it is decoded.
#[doc(hidden)] // for generated code, which makes what users see of it
pub struct Response {
    /// It goes through many hands.
    pub(crate) head: Box<Head>,
    pub(crate) body: Body,
    /// What is told of the call when the reply was read.
    pub(crate) ending: Option<Ending>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("operation", &self.head.operation.id)
            .field("status", &self.head.status)
            .finish()
    }
}

impl Response {
    /// Reads the body, unless it is a download that succeeded: `patience` is how long each of its pieces may take.
    pub(crate) async fn receive(
        mut head: Box<Head>,
        inner: reqwest::Response,
        patience: Duration,
        within: Duration,
    ) -> Result<Self, ConnectionError> {
        let operation = head.operation;
        let body = if operation.download && head.status.is_success() {
            Body::Stream(inner, patience)
        } else {
            let limit = if head.status.is_success() {
                MAX_BODY
            } else {
                MAX_ERROR_BODY
            };
            match tokio::time::timeout(within, read(inner, limit)).await {
                Ok(Ok(body)) => match uncompressed(&mut head.headers, body, limit) {
                    Ok(body) => {
                        head.prove(&body);
                        Body::Whole(body)
                    }
                    Err(Incomplete::TooLarge) => Body::TooLarge(limit),
                    Err(Incomplete::Cut) => return Self::broken(head, ConnectionError::broke_off(operation.id)),
                },
                Ok(Err(ReadError::TooLarge)) => Body::TooLarge(limit),
                Ok(Err(ReadError::Broken(error))) => {
                    return Self::broken(head, ConnectionError::new(operation.id, error, true));
                }
                Err(_) => {
                    let too_late = ConnectionError::out_of_time(operation.id, ConnectionPoint::Reply);
                    return Self::broken(head, too_late);
                }
            }
        };
        Ok(Self {
            head,
            body,
            ending: None,
        })
    }

    /// A reply whose body did not come whole. A refusal (4xx) stays one: what its headers ask for, a new token or a
    /// wait, does not depend on the body.
    fn broken(head: Box<Head>, error: ConnectionError) -> Result<Self, ConnectionError> {
        let error = head.broken(error);
        if head.status.is_client_error() {
            let body = Body::Broken(error);
            Ok(Self {
                head,
                body,
                ending: None,
            })
        } else {
            Err(error)
        }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// What is wrong with a download before its first piece is read: it would be handed out as the file.
    pub(super) fn is_no_file(&self) -> Option<Problem> {
        let encoding = self.encoding_that_stays().map(Problem::Encoding);
        encoding.or_else(|| self.type_of_no_file())
    }

    /// The type of a download that is none of the file's: of an error; of a page, or JSON, where the specification says what
    /// the file is, and not that. Bytes of any other type pass, and those of none.
    fn type_of_no_file(&self) -> Option<Problem> {
        let Body::Stream(inner, _) = &self.body else {
            return None;
        };
        let media_type = media_type(&self.head.headers).filter(|_| inner.content_length() != Some(0))?;
        let came = media_type.to_ascii_lowercase();
        let described = || {
            let ranges = self.head.operation.accept.unwrap_or_default().split(',');
            let names = ranges.map(|range| range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
            names.filter(|name| !name.is_empty())
        };
        let is_open = |name: String| name.contains('*') || name.ends_with("/octet-stream");
        let says_what = described().next().is_some() && !described().any(is_open);
        let is_another = match () {
            () if described().any(|name| name == came) => false,
            () if is_an_errors(&came) => true,
            () if came.contains("html") => says_what && !described().any(|name| name.contains("html")),
            () if is_json(&came) => says_what && !described().any(|name| is_json(&name)),
            () => false,
        };
        is_another.then_some(Problem::NotTheFile { media_type })
    }

    /// The encoding of a download that cannot be undone.
    fn encoding_that_stays(&self) -> Option<&'static str> {
        let is_download = matches!(self.body, Body::Stream(..));
        is_download.then(|| encodings(&self.head.headers).err()).flatten()
    }

    pub(crate) fn invalid(self, problem: Problem) -> InvalidReply {
        let body = match self.body {
            Body::Whole(body) => Some(body),
            _ => None,
        };
        self.head.invalid(problem, body)
    }
}

/// Why a compressed body gives no whole one.
enum Incomplete {
    TooLarge,
    Cut,
}

/// The body as it was before it was compressed: what is not asked for comes all the same from some servers and proxies.
/// Without a header that says so only JSON is looked at, which never begins like that; a file may be meant to be as it is.
fn uncompressed(headers: &mut HeaderMap, body: Bytes, limit: usize) -> Result<Bytes, Incomplete> {
    let begins_as_json = matches!(body.first(), Some(b'{' | b'['));
    let may_be =
        is_said_to_be_compressed(headers) || !begins_as_json && media_type(headers).is_some_and(|name| is_json(&name));
    let Some(decoded) = may_be.then(|| decoded(headers, &body, limit)).flatten() else {
        return Ok(body);
    };
    match decoded.whole {
        true => {
            // Of the body as it came.
            headers.remove(CONTENT_ENCODING);
            headers.remove(CONTENT_LENGTH);
            Ok(Bytes::copy_from_slice(&decoded.body))
        }
        false if decoded.body.len() == limit => Err(Incomplete::TooLarge),
        false => Err(Incomplete::Cut),
    }
}

/// The first header that names the request.
fn request_id(headers: &HeaderMap) -> Option<&str> {
    NAMES_OF_A_REQUEST
        .into_iter()
        .find_map(|name| headers.get(name)?.to_str().ok())
        .filter(|id| id.len() <= 128)
}

/// A decoded reply with its status and headers. It dereferences to the value.
///
/// `Debug` shows the operation and the status, not the value.
#[derive(Clone)]
pub struct ResponseValue<T> {
    pub(super) inner: T,
    pub(super) head: Box<Head>,
    pub(super) unreadable: Vec<UnreadableItem>,
    /// The body as it came, where the caller wants it.
    pub(super) raw: Option<Bytes>,
}

impl ResponseValue<()> {
    /// Leaves the body aside.
    #[doc(hidden)]
    #[must_use]
    pub fn empty(response: Response) -> Self {
        let raw = match response.body {
            Body::Whole(body) if response.head.keeps_body => Some(body),
            _ => None,
        };
        Self {
            inner: (),
            head: response.head,
            unreadable: Vec::new(),
            raw,
        }
    }
}

impl<T> ResponseValue<T> {
    /// The value.
    pub fn into_inner(self) -> T {
        self.inner
    }

    /// The operation that was called.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.head.operation.id
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The id of the request: the provider's, or else the one that was sent.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.head.request_id()
    }

    pub(crate) fn url(&self) -> &Url {
        &self.head.url
    }

    /// Whether an earlier attempt of the same call may have taken effect.
    pub(crate) fn in_doubt(&self) -> bool {
        self.head.in_doubt
    }

    /// The items of this page, or of this list, that could not be read, and are not among its value's. Empty for what is
    /// neither. Whoever takes a list for the whole one looks here too.
    #[must_use]
    pub fn unreadable(&self) -> &[UnreadableItem] {
        &self.unreadable
    }

    /// The body as it came, where the call was made with [`CallOptions::keep_body`](super::CallOptions::keep_body). It may
    /// hold personal data: do not log it.
    #[must_use]
    pub fn raw_body(&self) -> Option<&[u8]> {
        self.raw.as_deref()
    }

    pub(super) fn take_unreadable(&mut self) -> Vec<UnreadableItem> {
        std::mem::take(&mut self.unreadable)
    }

    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// Why a token that the provider refused was not replaced.
    pub(crate) fn not_renewed(&self) -> Option<&token::Error> {
        self.head.not_renewed.as_deref()
    }

    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> ResponseValue<U> {
        ResponseValue {
            inner: f(self.inner),
            head: self.head,
            unreadable: self.unreadable,
            raw: self.raw,
        }
    }
}

impl<T> Deref for ResponseValue<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for ResponseValue<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T> fmt::Debug for ResponseValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseValue")
            .field("operation", &self.operation())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
