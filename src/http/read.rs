//! Reading the body of a reply, up to a limit.

use bytes::{Bytes, BytesMut};

/// How much room is made because a reply says that it is so large, in bytes.
const BELIEVED: usize = 64 * 1024;

/// Reads a body up to a limit.
pub(crate) async fn read(response: reqwest::Response, limit: usize) -> Result<Bytes, ReadError> {
    let claimed = response.content_length().unwrap_or_default();
    if claimed > limit as u64 {
        return Err(ReadError::TooLarge);
    }
    let mut response = response;
    // Most replies come in one piece, which is not copied.
    let mut whole = Bytes::new();
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(ReadError::Broken)? {
        if whole.len() + body.len() + chunk.len() > limit {
            return Err(ReadError::TooLarge);
        }
        if whole.is_empty() && body.is_empty() {
            whole = chunk;
            continue;
        }
        if !whole.is_empty() {
            // Room for all of it at once, as far as that is believed before it comes.
            body.reserve(usize::try_from(claimed).unwrap_or_default().min(BELIEVED));
            body.extend_from_slice(&std::mem::take(&mut whole));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(if body.is_empty() { whole } else { body.freeze() })
}

pub(crate) enum ReadError {
    TooLarge,
    Broken(reqwest::Error),
}

/// The body without the byte order mark that some servers put before it (RFC 8259 section 8.1 lets a reader ignore it).
pub(crate) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}
