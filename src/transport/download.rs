//! A reply that is read piece by piece.

use std::fmt;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::stream::{BoxStream, TryStreamExt as _, try_unfold};
use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use url::Url;

use super::connection_error::{ConnectionError, ConnectionPoint};
use super::response::{Body, Response, ResponseValue};
use crate::http::{Encoding, Pieces, encodings};

impl ResponseValue<ByteStream> {
    /// Takes the body as a stream.
    #[doc(hidden)]
    #[must_use]
    pub fn stream(response: Response) -> Self {
        let Response { mut head, body, .. } = response;
        let (inner, patience): (Inner, _) = match body {
            Body::Stream(inner, patience) => {
                // Others were refused before.
                let encodings = encodings(&head.headers).unwrap_or_default();
                if !encodings.is_empty() {
                    // Of the body as it came.
                    head.headers.remove(CONTENT_ENCODING);
                    head.headers.remove(CONTENT_LENGTH);
                }
                let pieces: Inner = Box::pin(inner.bytes_stream().map_err(Some));
                let decoded = |pieces, encoding| -> Inner { Box::pin(uncompressed(pieces, encoding)) };
                (encodings.into_iter().fold(pieces, decoded), patience)
            }
            Body::Whole(body) => (
                Box::pin(futures_util::stream::once(async move { Ok(body) })),
                Duration::MAX,
            ),
            Body::TooLarge(_) | Body::Broken(_) => (Box::pin(futures_util::stream::empty()), Duration::MAX),
        };
        Self {
            inner: ByteStream {
                operation: head.operation.id,
                url: head.url.clone(),
                status: head.status,
                request_id: head.request_id().map(str::to_owned),
                inner,
                patience,
                waiting: None,
            },
            head,
            unreadable: Vec::new(),
            raw: None,
        }
    }
}

/// The pieces of a body. An error that is none of the connection: it ends before its end.
type Inner = BoxStream<'static, Result<Bytes, Option<reqwest::Error>>>;

/// The pieces of a compressed body as they were before.
fn uncompressed(pieces: Inner, encoding: Encoding) -> impl Stream<Item = Result<Bytes, Option<reqwest::Error>>> + Send {
    let begin = (pieces, Some(Pieces::new(encoding)), Bytes::new());
    try_unfold(begin, |(mut pieces, mut decoder, mut came)| async move {
        loop {
            let decoded = match (&mut decoder, came.is_empty()) {
                (None, _) => return Ok(None),
                (Some(decoder), false) => decoder.decode(&came.split_to(came.len().min(Pieces::SIZE))),
                (Some(_), true) => match pieces.try_next().await? {
                    Some(piece) => {
                        came = piece;
                        continue;
                    }
                    None => decoder.take().map_or_else(|| Ok(Bytes::new()), Pieces::finish),
                },
            };
            // What the decoder says of it names no more than that.
            let decoded = decoded.map_err(|_| None)?;
            if !decoded.is_empty() {
                return Ok(Some((decoded, (pieces, decoder, came))));
            }
        }
    })
}

/// A body as it comes in: a download.
///
/// Each piece is waited for as long as [`RetryPolicy::attempt_timeout`](super::RetryPolicy::attempt_timeout) says;
/// the whole may take as long as it is long.
pub struct ByteStream {
    operation: &'static str,
    url: Url,
    status: StatusCode,
    request_id: Option<String>,
    inner: Inner,
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
    #[error("the download is larger than {0} bytes; give a larger limit, or read it piece by piece")]
    TooLarge(usize),
}

impl Stream for ByteStream {
    type Item = Result<Bytes, ConnectionError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let error = match this.inner.as_mut().poll_next(cx) {
            Poll::Ready(Some(Err(Some(error)))) => ConnectionError::new(this.operation, error, true),
            Poll::Ready(Some(Err(None))) => ConnectionError::broke_off(this.operation),
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
        let error = error.at(&this.url);
        Poll::Ready(Some(Err(error.in_reply(this.status, this.request_id.clone()))))
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStream")
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}
