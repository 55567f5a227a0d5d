//! A reply: typed, as bytes, or empty.

use std::fmt;
use std::future::Future as _;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::stream::BoxStream;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;

use super::error::{ConnectionError, ConnectionPoint, Error, InvalidReply, Problem};
use super::operation::Operation;
use crate::http::{ReadError, read, retry_after, without_mark};
use crate::value::canary;
use crate::value::decode::{Undecodable, decode};

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
    /// An earlier attempt of the same call may have taken effect.
    pub in_doubt: bool,
}

impl Head {
    pub(crate) fn of(
        provider: &'static str,
        operation: &'static Operation,
        inner: &reqwest::Response,
        sent_id: Option<String>,
    ) -> Self {
        Self {
            provider,
            operation,
            status: inner.status(),
            headers: inner.headers().clone(),
            url: inner.url().clone(),
            sent_id,
            in_doubt: false,
        }
    }

    /// A failure in the body of this reply.
    pub(crate) fn broken(&self, error: ConnectionError) -> ConnectionError {
        error.in_reply(
            self.status,
            self.request_id().map(str::to_owned),
            retry_after(&self.headers),
        )
    }

    fn request_id(&self) -> Option<&str> {
        request_id(&self.headers).or(self.sent_id.as_deref())
    }

    fn invalid(&self, problem: Problem, body: Option<Bytes>) -> InvalidReply {
        InvalidReply {
            operation: self.operation.id,
            status: self.status,
            request_id: self.request_id().map(str::to_owned),
            retry_after: retry_after(&self.headers),
            problem,
            in_doubt: self.in_doubt,
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
pub struct Response {
    pub(crate) head: Head,
    pub(crate) body: Body,
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
        head: Head,
        inner: reqwest::Response,
        patience: Duration,
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
            match read(inner, limit).await {
                Ok(body) => Body::Whole(body),
                Err(ReadError::TooLarge) => Body::TooLarge(limit),
                Err(ReadError::Broken(error)) => {
                    return Self::broken(head, ConnectionError::new(operation.id, error, true));
                }
            }
        };
        Ok(Self { head, body })
    }

    /// A reply whose body did not come whole. A refusal (4xx) stays one: what its headers ask for, a new token or a
    /// wait, does not depend on the body.
    pub(crate) fn broken(head: Head, error: ConnectionError) -> Result<Self, ConnectionError> {
        let error = head.broken(error);
        if head.status.is_client_error() {
            let body = Body::Broken(error);
            Ok(Self { head, body })
        } else {
            Err(error)
        }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    pub(crate) fn invalid(self, problem: Problem) -> InvalidReply {
        let body = match self.body {
            Body::Whole(body) => Some(body),
            _ => None,
        };
        self.head.invalid(problem, body)
    }
}

/// A body that could not be read as what the specification says. `Debug` shows its length only.
#[derive(Clone)]
pub struct RawBody(Bytes);

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

/// A decoded reply with its status and headers. It dereferences to the value.
///
/// `Debug` shows the operation and the status, not the value.
#[derive(Clone)]
pub struct ResponseValue<T> {
    inner: T,
    head: Head,
}

impl<T: DeserializeOwned> ResponseValue<T> {
    /// Decodes a reply.
    #[doc(hidden)]
    #[allow(clippy::unused_async)] // generated code awaits it
    pub async fn from_response<E>(response: Response) -> Result<Self, Error<E>> {
        let Response { head, body } = response;
        let body = match body {
            Body::Whole(body) => body,
            Body::TooLarge(limit) => return Err(Error::invalid_reply(head.invalid(Problem::TooLarge(limit), None))),
            Body::Broken(mut error) => {
                error.in_doubt = head.in_doubt;
                return Err(Error::Connection(error));
            }
            Body::Stream(..) => return Err(Error::invalid_reply(head.invalid(Problem::Status, None))),
        };
        match canary::watch(head.provider, head.operation.id, || decode(without_mark(&body))) {
            Ok(inner) => Ok(Self { inner, head }),
            Err(Undecodable { path, reason }) if head.status.is_success() => {
                let problem = match media_type(&head.headers) {
                    Some(name) if !name.to_ascii_lowercase().ends_with("json") => Problem::NotJson { media_type: name },
                    _ => Problem::Decode { path, reason },
                };
                Err(Error::invalid_reply(head.invalid(problem, Some(body))))
            }
            Err(_) => {
                let media_type = media_type(&head.headers);
                Err(Error::invalid_reply(
                    head.invalid(Problem::ErrorBody { media_type }, Some(body)),
                ))
            }
        }
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
        let Response { head, body } = response;
        let (inner, patience): (BoxStream<'static, reqwest::Result<Bytes>>, _) = match body {
            Body::Stream(inner, patience) => (Box::pin(inner.bytes_stream()), patience),
            Body::Whole(body) => (
                Box::pin(futures_util::stream::once(async move { Ok(body) })),
                Duration::MAX,
            ),
            Body::TooLarge(_) | Body::Broken(_) => (Box::pin(futures_util::stream::empty()), Duration::MAX),
        };
        Self {
            inner: ByteStream {
                operation: head.operation.id,
                status: head.status,
                request_id: head.request_id().map(str::to_owned),
                inner,
                patience,
                waiting: None,
            },
            head,
        }
    }
}

impl ResponseValue<()> {
    /// Leaves the body aside.
    #[doc(hidden)]
    #[must_use]
    pub fn empty(response: Response) -> Self {
        Self {
            inner: (),
            head: response.head,
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

    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> ResponseValue<U> {
        ResponseValue {
            inner: f(self.inner),
            head: self.head,
        }
    }

    /// The same reply, refused for a reason of ours.
    pub(crate) fn invalid<E>(&self, problem: Problem) -> Error<E> {
        Error::invalid_reply(self.head.invalid(problem, None))
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

/// A body as it comes in: a download.
///
/// Each piece is waited for as long as [`RetryPolicy::attempt_timeout`](super::RetryPolicy::attempt_timeout) says;
/// the whole may take as long as it is long.
pub struct ByteStream {
    operation: &'static str,
    status: StatusCode,
    request_id: Option<String>,
    inner: BoxStream<'static, reqwest::Result<Bytes>>,
    patience: Duration,
    /// Runs while a piece is waited for.
    waiting: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl ByteStream {
    /// The next piece, or `None` at the end.
    ///
    /// # Errors
    ///
    /// When the download breaks off, or its next piece does not come in time.
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
        let this = &mut *self;
        let error = match this.inner.as_mut().poll_next(cx) {
            Poll::Ready(Some(Err(error))) => ConnectionError::new(this.operation, error, true),
            Poll::Ready(piece) => {
                this.waiting = None;
                return Poll::Ready(piece.and_then(Result::ok).map(Ok));
            }
            Poll::Pending => {
                let patience = this.patience;
                let waiting = this
                    .waiting
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
                match waiting.as_mut().poll(cx) {
                    Poll::Ready(()) => ConnectionError::out_of_time(this.operation, ConnectionPoint::Reply),
                    Poll::Pending => return Poll::Pending,
                }
            }
        };
        // What broke off is not read on.
        this.waiting = None;
        this.inner = Box::pin(futures_util::stream::empty());
        Poll::Ready(Some(Err(error.in_reply(this.status, this.request_id.clone(), None))))
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStream")
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}
