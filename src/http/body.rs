//! A request body that tells whether it left, and looks before it does.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};

/// Whether a body was taken for the wire, which happens when there is a connection for it, and not before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Departure(Arc<AtomicU8>);

const WAITS: u8 = 0;
const LEFT: u8 = 1;
const CALLED_OFF: u8 = 2;

impl Departure {
    pub(crate) fn happened(&self) -> bool {
        self.0.load(Ordering::Acquire) == LEFT
    }

    /// What it is of leaves, and is no body.
    pub(super) fn happens(&self) {
        self.leave();
    }

    /// The body does not leave any more. False: it has left.
    pub(crate) fn call_off(&self) -> bool {
        let called_off = self
            .0
            .compare_exchange(WAITS, CALLED_OFF, Ordering::AcqRel, Ordering::Acquire);
        called_off != Err(LEFT)
    }

    /// Leaves, unless it was called off.
    fn leave(&self) -> bool {
        let left = self
            .0
            .compare_exchange(WAITS, LEFT, Ordering::AcqRel, Ordering::Acquire);
        left != Err(CALLED_OFF)
    }

    /// How far a request with this body came that ended in an error: whether it left.
    ///
    /// A connection that could not be made may be the one to where a redirect led, when a caller's own client follows
    /// redirects; the request itself had then arrived.
    pub(crate) fn happened_before(&self, error: &reqwest::Error) -> bool {
        match self.0.load(Ordering::Acquire) {
            LEFT => true,
            CALLED_OFF => false,
            _ if error.is_connect() || error.is_builder() => false,
            // A time that the HTTP client has of its own is up.
            _ => !(error.is_timeout() && self.call_off()),
        }
    }
}

/// A body of known length that the HTTP client cannot copy: a redirect (307, 308) cannot make it send the body
/// again, to whomever.
pub(crate) fn sent_once(body: Bytes) -> (reqwest::Body, Departure) {
    sent_once_while(body, || true)
}

/// The same, for a request that may be too late when there is a connection for it: it leaves only where `may_leave` says
/// so at that moment. Otherwise the connection is closed before the request is whole.
pub(crate) fn sent_once_while(
    body: Bytes,
    may_leave: impl Fn() -> bool + Send + Sync + Unpin + 'static,
) -> (reqwest::Body, Departure) {
    let departure = Departure::default();
    let length = body.len() as u64;
    let piece = Watched {
        bytes: body,
        departure: departure.clone(),
    };
    let body = Once {
        piece: Some(piece).filter(|_| length > 0),
        length,
        may_leave,
    };
    (reqwest::Body::wrap(body), departure)
}

/// No body, of which nobody can make another one: it does not say that its length is zero. A client that follows redirects
/// takes a length of zero for leave to send the request again (307, 308), to whomever.
///
/// The departure is of the request, and happens when its HTTP client lets go of it: it is told of one that was answered, and
/// says nothing of one that failed.
pub(crate) fn nothing_once() -> (reqwest::Body, Departure) {
    let departure = Departure::default();
    let body = reqwest::Body::wrap(Nothing(departure.clone()));
    (body, departure)
}

struct Nothing(Departure);

impl Drop for Nothing {
    fn drop(&mut self) {
        self.0.happens();
    }
}

impl Body for Nothing {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::convert::Infallible>>> {
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }
}

/// A body in one piece.
struct Once<F> {
    piece: Option<Watched>,
    length: u64,
    may_leave: F,
}

impl<F: Fn() -> bool + Unpin> Body for Once<F> {
    type Data = Watched;
    type Error = TooLate;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Watched>, TooLate>>> {
        let Some(piece) = self.piece.take() else {
            return Poll::Ready(None);
        };
        // Looked at before anything is given out: a lease may have run out while the process stood still.
        if !(self.may_leave)() {
            piece.departure.call_off();
            return Poll::Ready(Some(Err(TooLate)));
        }
        if !piece.departure.leave() {
            return Poll::Ready(Some(Err(TooLate)));
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.piece.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(if self.piece.is_some() { self.length } else { 0 })
    }
}

/// Why a request did not leave.
#[derive(Debug, thiserror::Error)]
#[error("it was too late for this request when there was a connection for it: nothing was sent")]
pub(crate) struct TooLate;

/// The only piece of a body.
struct Watched {
    bytes: Bytes,
    departure: Departure,
}

/// What the HTTP client does with a piece that it was given, and with nothing before.
impl From<Watched> for Bytes {
    fn from(piece: Watched) -> Self {
        piece.bytes
    }
}

impl Buf for Watched {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn a_body_leaves_when_it_is_taken_and_cannot_be_copied() {
        let (body, departure) = sent_once(Bytes::from_static(b"pay"));
        let mut request = reqwest::Request::new(http::Method::POST, "https://bank.example".parse().unwrap());
        *request.body_mut() = Some(body);
        assert!(request.try_clone().is_none());
        assert!(!departure.happened());
        let taken = request.body_mut().take().unwrap().collect().await.unwrap().to_bytes();
        assert_eq!((&taken[..], departure.happened()), (&b"pay"[..], true));
        assert!(!departure.call_off());
    }

    #[tokio::test]
    async fn a_body_that_comes_too_late_or_was_called_off_does_not_leave() {
        for called_off in [false, true] {
            let (body, departure) = sent_once_while(Bytes::from_static(b"pay"), move || called_off);
            if called_off {
                assert!(departure.call_off());
            }
            let mut request = reqwest::Request::new(http::Method::POST, "https://bank.example".parse().unwrap());
            *request.body_mut() = Some(body);
            let taken = request.body_mut().take().unwrap().collect().await;
            assert!(taken.is_err() && !departure.happened(), "{called_off}");
            assert!(departure.call_off());
        }
    }

    #[tokio::test]
    async fn a_body_in_one_piece_is_over_when_that_was_taken() {
        let departure = Departure::default();
        let piece = Watched {
            bytes: Bytes::from_static(b"pay"),
            departure: departure.clone(),
        };
        let mut body = Once {
            piece: Some(piece),
            length: 3,
            may_leave: || true,
        };
        assert_eq!((body.is_end_stream(), body.size_hint().exact()), (false, Some(3)));
        let frame = body.frame().await.and_then(Result::ok);
        let bytes = frame.and_then(|frame| frame.into_data().ok()).map(Bytes::from);
        assert_eq!(bytes.as_deref(), Some(&b"pay"[..]));
        assert_eq!((body.is_end_stream(), body.size_hint().exact()), (true, Some(0)));
        assert!(body.frame().await.is_none() && departure.happened());
    }

    #[test]
    fn of_leaving_and_being_called_off_the_first_counts() {
        let left = Departure::default();
        assert!(left.leave() && left.leave() && left.happened());
        assert!(!left.call_off() && left.happened());
        let called_off = Departure::default();
        assert!(called_off.call_off() && called_off.call_off() && !called_off.happened());
        assert!(!called_off.leave() && !called_off.happened());
    }

    /// An error of each kind: of a request that cannot be sent, of a connection, and of what came after one.
    async fn errors() -> [reqwest::Error; 3] {
        crate::http::install_crypto();
        let client = reqwest::Client::new();
        let builder = client.get("no address").build().unwrap_err();
        // A port that was free a moment ago.
        let address = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let connection = client.get(format!("http://{address}")).send().await.unwrap_err();
        let reply = reqwest::Response::from(http::Response::new("no number"));
        let decoding = reply.json::<u8>().await.unwrap_err();
        assert!(builder.is_builder() && connection.is_connect() && decoding.is_decode());
        [builder, connection, decoding]
    }

    #[tokio::test]
    async fn a_request_that_ended_in_an_error_left_unless_it_is_known_that_it_did_not() {
        let errors = errors().await;
        let waits = Departure::default();
        assert_eq!(
            errors.each_ref().map(|error| waits.happened_before(error)),
            [false, false, true]
        );
        let left = Departure::default();
        assert!(left.leave());
        assert_eq!(errors.each_ref().map(|error| left.happened_before(error)), [true; 3]);
        let called_off = Departure::default();
        assert!(called_off.call_off());
        assert_eq!(
            errors.each_ref().map(|error| called_off.happened_before(error)),
            [false; 3]
        );
    }

    #[test]
    fn of_no_body_nobody_can_make_another_one() {
        let (body, departure) = nothing_once();
        assert_eq!((body.is_end_stream(), body.size_hint().exact()), (true, None));
        assert!(!departure.happened());
        drop(body);
        assert!(departure.happened());
    }

    #[tokio::test]
    async fn a_body_has_its_exact_length_and_an_empty_one_is_at_its_end() {
        for (bytes, length) in [(&b"pay"[..], 3), (b"", 0)] {
            let (body, _) = sent_once(Bytes::from_static(bytes));
            assert_eq!(body.size_hint().exact(), Some(length));
            assert_eq!(body.is_end_stream(), length == 0);
        }
    }
}
