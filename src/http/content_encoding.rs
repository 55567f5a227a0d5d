//! Replies that come compressed, though the request says that they are not to.

use std::io::{self, Read, Write as _};

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use flate2::read::{DeflateDecoder, ZlibDecoder};
use flate2::write;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use zeroize::Zeroizing;

const GZIP: &[u8] = b"\x1f\x8b";

/// How many encodings may lie over each other. More than one is a mistake of a proxy.
const LAYERS: usize = 2;

/// How much longer than itself a compressed text may become (deflate comes to 1032 times), and some bytes more.
const MOST_GROWTH: usize = 1040;

/// A body as it was before it was compressed.
pub(crate) struct Decoded {
    pub body: Zeroizing<Vec<u8>>,
    /// It has its end, and is no longer than what is read of it.
    pub whole: bool,
}

/// The body as it was before it was compressed, and up to this limit; none: it is not compressed, or cannot be decoded.
///
/// gzip and zlib are known by their first bytes, which begin no JSON: some servers forget the header, and some HTTP
/// clients decode and leave it there.
pub(crate) fn decoded(headers: &HeaderMap, body: &[u8], limit: usize) -> Option<Decoded> {
    let deflate = names(headers, &["deflate"]);
    let mut all = None::<Decoded>;
    for _ in 0..LAYERS {
        let body = all.as_ref().map_or(body, |decoded| &decoded.body);
        let decoded = if body.starts_with(GZIP) {
            read(Members(GzDecoder::new(body)), body.len(), limit)
        } else if body.starts_with(b"x") || (deflate && !looks_like_text(body)) {
            // RFC 9110 section 8.4.1.2 means zlib, and some servers send the bare stream.
            read(ZlibDecoder::new(body), body.len(), limit)
                .or_else(|| read(DeflateDecoder::new(body), body.len(), limit).filter(|_| deflate))
        } else {
            None
        };
        let Some(decoded) = decoded else { break };
        let whole = decoded.whole && all.is_none_or(|outer| outer.whole);
        all = Some(Decoded { whole, ..decoded });
    }
    all
}

/// Whether a reply says that its body is compressed.
pub(crate) fn is_said_to_be_compressed(headers: &HeaderMap) -> bool {
    names(headers, &["gzip", "deflate"])
}

fn names(headers: &HeaderMap, encodings: &[&str]) -> bool {
    let named = headers.get_all(CONTENT_ENCODING).iter();
    let mut named = named
        .filter_map(|value| value.to_str().ok())
        .map(str::to_ascii_lowercase);
    named.any(|named| encodings.iter().any(|encoding| named.contains(encoding)))
}

/// The members of a gzip file, one after the other (RFC 1952 section 2.2), up to the first byte that begins none: what a
/// server or a proxy puts behind them is no part of it, and does not say that the end is missing.
struct Members<'a>(GzDecoder<&'a [u8]>);

impl Read for Members<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.0.read(buffer)?;
            let rest = *self.0.get_ref();
            if read > 0 || !rest.starts_with(GZIP) {
                return Ok(read);
            }
            self.0 = GzDecoder::new(rest);
        }
    }
}

fn looks_like_text(body: &[u8]) -> bool {
    let first = body.trim_ascii_start().first();
    first.is_none_or(|first| b"{[<\xef".contains(first))
}

/// What comes out, as far as it goes and no further than the limit: the beginning of a stream that is cut, or that
/// never ends, may have tokens in it.
fn read(mut stream: impl Read, compressed: usize, limit: usize) -> Option<Decoded> {
    // Its size is bounded from the start: a buffer that grows leaves copies of the secrets behind.
    let most = compressed.saturating_add(1).saturating_mul(MOST_GROWTH);
    let mut body = Zeroizing::new(vec![0; most.min(limit)]);
    let (mut length, mut whole) = (0, false);
    while length < body.len() {
        match stream.read(&mut body[length..]) {
            Ok(0) => {
                whole = true;
                break;
            }
            // What the decoder says of a stream that is cut is told by the missing end of what it holds.
            Err(_) => break,
            Ok(read) => length += read,
        }
    }
    body.truncate(length);
    (length > 0).then_some(Decoded { body, whole })
}

/// Decodes a body that comes in pieces and is said to be compressed. One that does not begin so is left as it is: some
/// HTTP clients decode, and leave the header.
pub(crate) struct Pieces(Kind);

enum Kind {
    /// Too little has come to tell.
    Begins(Vec<u8>),
    Plain,
    Gzip(write::MultiGzDecoder<Vec<u8>>),
    Zlib(write::ZlibDecoder<Vec<u8>>),
}

impl Pieces {
    /// So much of what came is decoded at once: what comes out of it is of a size that can be had.
    pub(crate) const SIZE: usize = 4 * 1024;

    pub(crate) fn new() -> Self {
        Self(Kind::Begins(Vec::new()))
    }

    /// What a piece becomes with what came before it; nothing, where more has to come.
    pub(crate) fn decode(&mut self, piece: &[u8]) -> io::Result<Bytes> {
        match &mut self.0 {
            Kind::Begins(came) => {
                came.extend_from_slice(piece);
                let [first, second, ..] = came.as_slice() else {
                    return Ok(Bytes::new());
                };
                // The two bytes with which RFC 1950 has a stream begin.
                let is_zlib = first & 0xf == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0;
                let came = std::mem::take(came);
                self.0 = if came.starts_with(GZIP) {
                    Kind::Gzip(write::MultiGzDecoder::new(Vec::new()))
                } else if is_zlib {
                    Kind::Zlib(write::ZlibDecoder::new(Vec::new()))
                } else {
                    Kind::Plain
                };
                self.decode(&came)
            }
            Kind::Plain => Ok(Bytes::copy_from_slice(piece)),
            Kind::Gzip(decoder) => {
                decoder.write_all(piece)?;
                Ok(std::mem::take(decoder.get_mut()).into())
            }
            Kind::Zlib(decoder) => {
                decoder.write_all(piece)?;
                Ok(std::mem::take(decoder.get_mut()).into())
            }
        }
    }

    /// What is left when everything has come. An error: its end is missing.
    pub(crate) fn finish(self) -> io::Result<Bytes> {
        match self.0 {
            Kind::Begins(came) => Ok(came.into()),
            Kind::Plain => Ok(Bytes::new()),
            Kind::Gzip(decoder) => decoder.finish().map(Bytes::from),
            Kind::Zlib(decoder) => decoder.finish().map(Bytes::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const BODY: &[u8] = br#"{"access_token":"a","refresh_token":"r","padding":"0123456789 0123456789"}"#;

    const LIMIT: usize = 1024 * 1024;

    /// What becomes of a body with this header, as it is where it is not decoded, and whether its end is missing.
    fn reply(encoding: &str, body: &[u8]) -> (Vec<u8>, bool) {
        let mut headers = HeaderMap::new();
        if !encoding.is_empty() {
            headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
        }
        match decoded(&headers, body, LIMIT) {
            Some(decoded) => (decoded.body.to_vec(), !decoded.whole),
            None => (body.to_vec(), false),
        }
    }

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_is_compressed_is_decoded_and_what_is_not_is_left_alone() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(BODY).unwrap();
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::default());
        bare.write_all(BODY).unwrap();
        let (zlib, bare) = (zlib.finish().unwrap(), bare.finish().unwrap());
        let two_members = [gzip(&BODY[..20]), gzip(&BODY[20..])].concat();
        for (what, encoding, body) in [
            ("gzip", "gzip", gzip(BODY)),
            ("in capitals", "GZIP", gzip(BODY)),
            ("its old name", "x-gzip", gzip(BODY)),
            ("the header is missing", "", gzip(BODY)),
            ("the header is another", "identity", gzip(BODY)),
            ("two members", "gzip", two_members),
            ("twice", "gzip, gzip", gzip(&gzip(BODY))),
            ("what follows it", "gzip", [gzip(BODY), b"\r\n".to_vec()].concat()),
            ("zlib", "deflate", zlib.clone()),
            ("zlib, and the header is missing", "", zlib.clone()),
            ("zlib, and the header is another", "gzip", zlib.clone()),
            ("zlib within gzip", "deflate, gzip", gzip(&zlib)),
            ("the bare stream", "deflate", bare),
            ("decoded already", "gzip", BODY.to_vec()),
            ("decoded already", "deflate", BODY.to_vec()),
            ("plain", "", BODY.to_vec()),
        ] {
            assert_eq!(reply(encoding, &body), (BODY.to_vec(), false), "{what}");
        }
    }

    #[test]
    fn a_stream_that_is_cut_is_decoded_as_far_as_it_goes() {
        // Not compressed, so that a cut leaves something to read.
        let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
        encoder.write_all(BODY).unwrap();
        let whole = encoder.finish().unwrap();
        let cut = reply("gzip", &whole[..whole.len() - 8]);
        assert_eq!(cut, (BODY.to_vec(), true), "the checksum is missing");
        // Compressed: what comes out is a beginning, and the longer the more is there.
        let body: Vec<u8> = (0..4000_u32)
            .flat_map(|n| (n * 7919 % 9973).to_string().into_bytes())
            .collect();
        let whole = gzip(&body);
        for parts in 1..4 {
            let (cut, _) = reply("gzip", &whole[..whole.len() * parts / 4]);
            assert!(
                body.starts_with(&cut) && cut.len() > body.len() * (parts - 1) / 4,
                "{parts}"
            );
        }
    }

    #[test]
    fn a_checksum_that_begins_as_another_member_does_is_none() {
        let body = br#"{"refresh_token":"r30522"}"#;
        let file = gzip(body);
        assert!(file[file.len() - 8..].starts_with(GZIP));
        assert_eq!(reply("gzip", &file), (body.to_vec(), false));
    }

    #[test]
    fn a_stream_that_grows_without_end_is_decoded_as_far_as_a_reply_is_read() {
        let bomb = gzip(&[BODY, &vec![b' '; 8 * LIMIT]].concat());
        assert!(bomb.len() < LIMIT);
        let (body, cut) = reply("gzip", &bomb);
        assert!(body.starts_with(BODY) && body.len() == LIMIT && cut);
        for broken in [&b"\x1f\x8b"[..], b"\x1f\x8b\x08\0\0\0", b""] {
            assert_eq!(reply("gzip", broken).0, broken);
        }
    }

    #[test]
    fn what_comes_in_pieces_is_decoded_whatever_their_size() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(BODY).unwrap();
        let two_members = [gzip(&BODY[..20]), gzip(&BODY[20..])].concat();
        for body in [gzip(BODY), two_members, zlib.finish().unwrap(), BODY.to_vec()] {
            for size in [1, 2, 3, body.len()] {
                let mut pieces = Pieces::new();
                let mut read = Vec::new();
                for piece in body.chunks(size) {
                    read.extend_from_slice(&pieces.decode(piece).unwrap());
                }
                read.extend_from_slice(&pieces.finish().unwrap());
                assert_eq!(read, BODY, "{size}");
            }
        }
        for short in [&b""[..], b"x"] {
            let mut pieces = Pieces::new();
            assert_eq!(pieces.decode(short).unwrap(), b""[..]);
            assert_eq!(pieces.finish().unwrap(), short);
        }
        let whole = gzip(BODY);
        let mut pieces = Pieces::new();
        pieces.decode(&whole[..whole.len() - 8]).unwrap();
        assert!(pieces.finish().is_err(), "the checksum is missing");
    }
}
