//! Replies that come compressed, though the request says that they are not to.

use std::io::Read;

use flate2::bufread::GzDecoder;
use flate2::read::{DeflateDecoder, ZlibDecoder};
use http::header::CONTENT_ENCODING;
use zeroize::Zeroizing;

use super::reply::{MAX_REPLY, RawReply};

const GZIP: &[u8] = b"\x1f\x8b";

/// How many encodings may lie over each other. More than one is a mistake of a proxy.
const LAYERS: usize = 2;

/// The reply with its body as it was before it was compressed.
///
/// gzip and zlib are known by their first bytes, which begin no JSON: some servers forget the header, and some HTTP
/// clients decode and leave it there. What cannot be decoded stays as it is, and is no JSON either.
pub(super) fn decoded(mut reply: RawReply) -> RawReply {
    let encodings = reply.headers.get_all(CONTENT_ENCODING);
    let deflate = encodings
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.to_ascii_lowercase().contains("deflate"));
    for _ in 0..LAYERS {
        let body = reply.body.as_slice();
        let decoded = if body.starts_with(GZIP) {
            read(Members(GzDecoder::new(body)))
        } else if body.starts_with(b"x") || (deflate && !looks_like_text(body)) {
            // RFC 9110 section 8.4.1.2 means zlib, and some servers send the bare stream.
            read(ZlibDecoder::new(body)).or_else(|| read(DeflateDecoder::new(body)).filter(|_| deflate))
        } else {
            break;
        };
        match decoded {
            Some((decoded, whole)) => {
                reply.body = decoded;
                reply.cut |= !whole;
            }
            None => break,
        }
    }
    reply
}

/// The members of a gzip file, one after the other (RFC 1952 section 2.2), up to the first byte that begins none: what a
/// server or a proxy puts behind them is no part of it, and does not say that the end is missing.
struct Members<'a>(GzDecoder<&'a [u8]>);

impl Read for Members<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
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

/// What comes out, as far as it goes and no further than a reply is read: the beginning of a stream that is cut, or that
/// never ends, may have the tokens in it.
/// With it, whether it is the whole.
fn read(stream: impl Read) -> Option<(Zeroizing<Vec<u8>>, bool)> {
    // Its size is bounded from the start: a buffer that grows leaves copies of the secrets behind.
    let mut body = Zeroizing::new(vec![0; MAX_REPLY]);
    let mut stream = stream;
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
    (length > 0).then_some((body, whole))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const BODY: &[u8] = br#"{"access_token":"a","refresh_token":"r","padding":"0123456789 0123456789"}"#;

    fn reply(encoding: &str, body: Vec<u8>) -> RawReply {
        let mut headers = http::HeaderMap::new();
        if !encoding.is_empty() {
            headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
        }
        RawReply {
            status: http::StatusCode::OK,
            headers,
            body: Zeroizing::new(body),
            cut: false,
            broken: None,
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
            let decoded = decoded(reply(encoding, body));
            assert_eq!((decoded.body.as_slice(), decoded.cut), (BODY, false), "{what}");
        }
    }

    #[test]
    fn a_stream_that_is_cut_is_decoded_as_far_as_it_goes() {
        // Not compressed, so that a cut leaves something to read.
        let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
        encoder.write_all(BODY).unwrap();
        let whole = encoder.finish().unwrap();
        let cut = decoded(reply("gzip", whole[..whole.len() - 8].to_vec()));
        assert_eq!((cut.body.as_slice(), cut.cut), (BODY, true), "the checksum is missing");
        // Compressed: what comes out is a beginning, and the longer the more is there.
        let body: Vec<u8> = (0..4000_u32)
            .flat_map(|n| (n * 7919 % 9973).to_string().into_bytes())
            .collect();
        let whole = gzip(&body);
        for parts in 1..4 {
            let cut = decoded(reply("gzip", whole[..whole.len() * parts / 4].to_vec())).body;
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
        let decoded = decoded(reply("gzip", file));
        assert_eq!((decoded.body.as_slice(), decoded.cut), (&body[..], false));
    }

    #[test]
    fn a_stream_that_grows_without_end_is_decoded_as_far_as_a_reply_is_read() {
        let bomb = gzip(&[BODY, &vec![b' '; 8 * MAX_REPLY]].concat());
        assert!(bomb.len() < MAX_REPLY);
        let cut = decoded(reply("gzip", bomb));
        assert!(cut.body.starts_with(BODY) && cut.body.len() == MAX_REPLY && cut.cut);
        for broken in [&b"\x1f\x8b"[..], b"\x1f\x8b\x08\0\0\0", b""] {
            assert_eq!(*decoded(reply("gzip", broken.to_vec())).body, broken);
        }
    }
}
