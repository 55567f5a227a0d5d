//! A reply: typed, as bytes, or empty.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;

use super::error::{ConnectionError, Error, InvalidReply, Problem};
use super::operation::Operation;
use super::retry;

/// Largest JSON reply that is read, in bytes.
pub const MAX_BODY: usize = 16 * 1024 * 1024;
/// Largest error reply that is read, in bytes.
pub(crate) const MAX_ERROR_BODY: usize = 64 * 1024;

/// A reply before it is decoded.
pub struct Response {
    pub(crate) operation: &'static Operation,
    pub(crate) inner: reqwest::Response,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("operation", &self.operation.id)
            .field("status", &self.inner.status())
            .finish()
    }
}

impl Response {
    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.inner.status()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    pub(crate) fn invalid(&self, problem: Problem) -> InvalidReply {
        invalid(self.operation, self.status(), self.headers(), problem)
    }

    fn parts(&self) -> (&'static Operation, StatusCode, HeaderMap, Url) {
        (
            self.operation,
            self.status(),
            self.headers().clone(),
            self.inner.url().clone(),
        )
    }
}

fn invalid(operation: &'static Operation, status: StatusCode, headers: &HeaderMap, problem: Problem) -> InvalidReply {
    InvalidReply {
        operation: operation.id,
        status,
        request_id: request_id(headers).map(str::to_owned),
        retry_after: retry::retry_after(headers),
        problem,
    }
}

/// The first header that names the request.
fn request_id(headers: &HeaderMap) -> Option<&str> {
    [
        "x-request-id",
        "request-id",
        "x-correlation-id",
        "x-fapi-interaction-id",
    ]
    .into_iter()
    .find_map(|name| headers.get(name)?.to_str().ok())
    .filter(|id| id.len() <= 128)
}

/// Reads a body up to a limit.
pub(crate) async fn read(response: reqwest::Response, limit: usize) -> Result<Bytes, ReadError> {
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(ReadError::TooLarge);
    }
    let mut response = response;
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(ReadError::Broken)? {
        if body.len() + chunk.len() > limit {
            return Err(ReadError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

pub(crate) enum ReadError {
    TooLarge,
    Broken(reqwest::Error),
}

/// A decoded reply with its status and headers. It dereferences to the value.
///
/// `Debug` shows the operation and the status, not the value.
#[derive(Clone)]
pub struct ResponseValue<T> {
    inner: T,
    operation: &'static str,
    status: StatusCode,
    headers: HeaderMap,
    url: Option<Url>,
}

impl<T: DeserializeOwned> ResponseValue<T> {
    /// Reads and decodes a reply.
    #[doc(hidden)]
    pub async fn from_response<E>(response: Response) -> Result<Self, Error<E>> {
        let (operation, status, headers, url) = response.parts();
        let limit = if status.is_success() { MAX_BODY } else { MAX_ERROR_BODY };
        let fail = |problem| Error::invalid_reply(invalid(operation, status, &headers, problem));
        let body = match read(response.inner, limit).await {
            Ok(body) => body,
            Err(ReadError::TooLarge) => return Err(fail(Problem::TooLarge(limit))),
            Err(ReadError::Broken(error)) => return Err(Error::Connection(ConnectionError::new(operation.id, error))),
        };
        match decode(&body) {
            Ok(inner) => Ok(Self {
                inner,
                operation: operation.id,
                status,
                headers,
                url: Some(url),
            }),
            Err(problem) if status.is_success() => Err(fail(problem)),
            Err(_) => Err(fail(Problem::ErrorBody {
                media_type: media_type(&headers),
            })),
        }
    }
}

/// Decodes JSON; a problem names the place, never a value.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        Problem::Decode {
            path,
            reason: reason(&inner),
        }
    })?;
    deserializer.end().map_err(|error| Problem::Decode {
        path: ".".to_owned(),
        reason: reason(&error),
    })?;
    Ok(value)
}

/// serde_json's own text quotes values; this keeps what cannot be one.
fn reason(error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Data => {
            let text = error.to_string();
            if let Some(field) = text
                .strip_prefix("missing field `")
                .and_then(|rest| rest.split('`').next())
            {
                format!("field `{field}` is missing")
            } else if let Some((_, expected)) = text.rsplit_once("expected ") {
                // What is expected comes from our types; what came instead is left out.
                format!(
                    "expected {} ({place})",
                    expected.split(" at line").next().unwrap_or_default()
                )
            } else {
                format!("a value of another kind ({place})")
            }
        }
        serde_json::error::Category::Eof => "the JSON ends too early".to_owned(),
        serde_json::error::Category::Syntax => format!("not JSON ({place})"),
        serde_json::error::Category::Io => "could not be read".to_owned(),
    }
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
    text.split(';')
        .next()
        .map(|text| text.trim().to_owned())
        .filter(|text| text.len() <= 64)
}

impl ResponseValue<ByteStream> {
    /// Takes the body as a stream.
    #[doc(hidden)]
    #[must_use]
    pub fn stream(response: Response) -> Self {
        let (operation, status, headers, url) = response.parts();
        let inner = ByteStream {
            operation: operation.id,
            inner: Box::pin(response.inner.bytes_stream()),
        };
        Self {
            inner,
            operation: operation.id,
            status,
            headers,
            url: Some(url),
        }
    }
}

impl ResponseValue<()> {
    /// Leaves the body unread.
    #[doc(hidden)]
    #[must_use]
    pub fn empty(response: Response) -> Self {
        let (operation, status, headers, url) = response.parts();
        Self {
            inner: (),
            operation: operation.id,
            status,
            headers,
            url: Some(url),
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
        self.operation
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The provider's id of the request, when the reply has one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        request_id(&self.headers)
    }

    pub(crate) fn url(&self) -> Option<&Url> {
        self.url.as_ref()
    }

    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> ResponseValue<U> {
        let Self {
            inner,
            operation,
            status,
            headers,
            url,
        } = self;
        ResponseValue {
            inner: f(inner),
            operation,
            status,
            headers,
            url,
        }
    }

    /// The same reply, refused for a reason of ours.
    pub(crate) fn invalid<E>(&self, problem: Problem) -> Error<E> {
        Error::invalid_reply(InvalidReply {
            operation: self.operation,
            status: self.status,
            request_id: self.request_id().map(str::to_owned),
            retry_after: None,
            problem,
        })
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
            .field("operation", &self.operation)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// A body as it comes in: a download.
pub struct ByteStream {
    operation: &'static str,
    inner: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
}

impl ByteStream {
    /// The next piece, or `None` at the end.
    ///
    /// # Errors
    ///
    /// When the download breaks off.
    pub async fn next(&mut self) -> Option<Result<Bytes, ConnectionError>> {
        futures_util::StreamExt::next(self).await
    }

    /// The whole body, up to `limit` bytes.
    ///
    /// # Errors
    ///
    /// When the download breaks off, or is larger than the limit.
    pub async fn bytes(mut self, limit: usize) -> Result<Bytes, DownloadError> {
        let mut body = BytesMut::new();
        while let Some(piece) = self.next().await {
            let piece = piece.map_err(DownloadError::Connection)?;
            if body.len() + piece.len() > limit {
                return Err(DownloadError::TooLarge(limit));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }
}

/// Why a download is not whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// It broke off.
    #[error(transparent)]
    Connection(ConnectionError),
    /// It is larger than the limit in bytes that was given.
    #[error("the download is larger than {0} bytes")]
    TooLarge(usize),
}

impl Stream for ByteStream {
    type Item = Result<Bytes, ConnectionError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let operation = self.operation;
        self.inner
            .as_mut()
            .poll_next(cx)
            .map(|piece| piece.map(|piece| piece.map_err(|error| ConnectionError::new(operation, error))))
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStream")
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}
