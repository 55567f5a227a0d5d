//! A request body that tells whether it left.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Buf, Bytes};
use http_body_util::Full;

/// Whether a body was taken for the wire, which happens when there is a connection for it, and not before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Departure(Arc<AtomicBool>);

impl Departure {
    pub(crate) fn happened(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// How far a request with this body came that ended in an error: whether it left.
    ///
    /// A connection that could not be made may be the one to where a redirect led, when a caller's own client follows
    /// redirects; the request itself had then arrived.
    pub(crate) fn happened_before(&self, error: &reqwest::Error) -> bool {
        self.happened() || !(error.is_connect() || error.is_builder())
    }
}

/// A body of known length that the HTTP client cannot copy: a redirect (307, 308) cannot make it send the body
/// again, to whomever.
pub(crate) fn sent_once(body: Bytes) -> (reqwest::Body, Departure) {
    let departure = Departure::default();
    let body = Watched {
        bytes: body,
        departure: departure.clone(),
    };
    (reqwest::Body::wrap(Full::new(body)), departure)
}

/// The only piece of a body.
struct Watched {
    bytes: Bytes,
    departure: Departure,
}

/// What the HTTP client does with a piece that it was given, and with nothing before.
impl From<Watched> for Bytes {
    fn from(piece: Watched) -> Self {
        piece.departure.0.store(true, Ordering::Release);
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
    }
}
