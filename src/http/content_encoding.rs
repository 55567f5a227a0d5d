//! Replies that come compressed, though the request says that they are not to.

use std::io::{self, Read};

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

/// How much longer than itself a compressed text usually becomes, and how much room it has at least.
const USUAL_GROWTH: usize = 4;
const LEAST: usize = 1024;

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
    let mut body = Zeroizing::new(vec![0; compressed.saturating_mul(USUAL_GROWTH).max(LEAST).min(limit)]);
    let (mut length, mut whole) = (0, false);
    while length < limit {
        if length == body.len() {
            // A buffer that grows by itself leaves copies of the secrets behind.
            let mut larger = Zeroizing::new(vec![0; length.saturating_mul(2).min(limit)]);
            larger[..length].copy_from_slice(&body);
            body = larger;
        }
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
    (length > 0 || whole).then_some(Decoded { body, whole })
}

/// An encoding that can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Gzip,
    Deflate,
}

/// Those that cannot be undone here. What is none of these either is no encoding: some servers write a charset there.
const OTHERS: &[&str] = &[
    "br",
    "zstd",
    "compress",
    "x-compress",
    "dcb",
    "dcz",
    "pack200-gzip",
    "exi",
    "aes128gcm",
    "lzma",
    "xz",
    "bzip2",
];

/// The encodings that a reply names, the last first, as they have to be undone. An error: one that cannot be, or all of them,
/// because there are too many.
pub(crate) fn encodings(headers: &HeaderMap) -> Result<Vec<Encoding>, &'static str> {
    let mut encodings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        for name in value.to_str().unwrap_or_default().split(',') {
            let name = name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            match name.as_str() {
                "gzip" | "x-gzip" => encodings.push(Encoding::Gzip),
                "deflate" => encodings.push(Encoding::Deflate),
                name => {
                    if let Some(other) = OTHERS.iter().find(|other| **other == name) {
                        return Err(other);
                    }
                }
            }
        }
    }
    encodings.reverse();
    match encodings.len() > LAYERS {
        true => Err("several over each other"),
        false => Ok(encodings),
    }
}

/// Decodes a body that comes in pieces and is said to be compressed. One that does not begin so is left as it is: some
/// HTTP clients decode, and leave the header. What stands behind its end is no part of it.
pub(crate) struct Pieces {
    encoding: Encoding,
    state: State,
}

enum State {
    /// Too little has come to tell.
    Begins(Vec<u8>),
    Plain,
    Gzip(write::GzDecoder<Vec<u8>>),
    Zlib(write::ZlibDecoder<Vec<u8>>),
    Bare(write::DeflateDecoder<Vec<u8>>),
    /// A member of a gzip file has ended, and too little has come to tell whether it was the last.
    Member(Vec<u8>),
    Over,
}

impl Pieces {
    /// So much of what came is decoded at once: what comes out of it is of a size that can be had.
    pub(crate) const SIZE: usize = 4 * 1024;

    /// By so much it can be told whether something is a stream of deflate, which has no first bytes of its own.
    const ENOUGH: usize = 512;

    pub(crate) fn new(encoding: Encoding) -> Self {
        Self {
            encoding,
            state: State::Begins(Vec::new()),
        }
    }

    /// What a piece becomes with what came before it; nothing, where more has to come.
    pub(crate) fn decode(&mut self, piece: &[u8]) -> io::Result<Bytes> {
        let mut out = Vec::new();
        self.take(piece, &mut out)?;
        Ok(out.into())
    }

    fn take(&mut self, piece: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        // Of a file with many members each begins another turn.
        let mut rest = piece.to_vec();
        while !rest.is_empty() {
            let behind = match &mut self.state {
                State::Begins(came) => {
                    came.append(&mut rest);
                    if came.len() < self.encoding.enough(came) {
                        return Ok(());
                    }
                    let came = std::mem::take(came);
                    self.state = self.encoding.state_of(&came);
                    came
                }
                State::Plain => {
                    out.append(&mut rest);
                    return Ok(());
                }
                State::Gzip(decoder) => {
                    let taken = feed(decoder, &rest)?;
                    let ended = taken < rest.len();
                    let checked = if ended { decoder.try_finish() } else { Ok(()) };
                    out.append(decoder.get_mut());
                    checked?;
                    if ended {
                        self.state = State::Member(Vec::new());
                    }
                    rest.split_off(taken)
                }
                State::Zlib(decoder) => {
                    let taken = feed(decoder, &rest)?;
                    out.append(decoder.get_mut());
                    match taken < rest.len() {
                        true => return self.end(out),
                        false => Vec::new(),
                    }
                }
                State::Bare(decoder) => {
                    let taken = feed(decoder, &rest)?;
                    out.append(decoder.get_mut());
                    match taken < rest.len() {
                        true => return self.end(out),
                        false => Vec::new(),
                    }
                }
                State::Member(came) => {
                    came.append(&mut rest);
                    if came.len() < GZIP.len() {
                        return Ok(());
                    }
                    let came = std::mem::take(came);
                    self.state = match came.starts_with(GZIP) {
                        true => State::Gzip(write::GzDecoder::new(Vec::new())),
                        false => State::Over,
                    };
                    came
                }
                State::Over => return Ok(()),
            };
            rest = behind;
        }
        Ok(())
    }

    /// No more is read. An error: its end is missing.
    fn end(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        let ended = match &mut self.state {
            State::Gzip(decoder) => {
                let ended = decoder.try_finish();
                out.append(decoder.get_mut());
                ended
            }
            State::Zlib(decoder) => {
                let ended = decoder.try_finish();
                out.append(decoder.get_mut());
                ended
            }
            State::Bare(decoder) => {
                let ended = decoder.try_finish();
                out.append(decoder.get_mut());
                ended
            }
            State::Begins(_) | State::Plain | State::Member(_) | State::Over => Ok(()),
        };
        self.state = State::Over;
        ended
    }

    /// What is left when everything has come. An error: its end is missing.
    pub(crate) fn finish(mut self) -> io::Result<Bytes> {
        let mut out = Vec::new();
        let State::Begins(came) = &mut self.state else {
            self.end(&mut out)?;
            return Ok(out.into());
        };
        let came = std::mem::take(came);
        self.state = self.encoding.state_of(&came);
        let ended = self.take(&came, &mut out).and_then(|()| self.end(&mut out));
        match ended {
            // What begins as a stream and ends in it was cut: it is no file.
            _ if self.encoding.is_begun(&came) => ended.and_then(|()| match came.len() {
                1 => Err(io::ErrorKind::UnexpectedEof.into()),
                _ => Ok(out.into()),
            }),
            // A few bytes of which nothing can be decoded are the file.
            Err(_) if out.is_empty() => Ok(came.into()),
            ended => ended.map(|()| out.into()),
        }
    }
}

impl Encoding {
    /// How much has to have come of a body that begins like this, to tell what it is.
    fn enough(self, came: &[u8]) -> usize {
        match self {
            Self::Deflate if !came.starts_with(GZIP) => Pieces::ENOUGH,
            _ => GZIP.len(),
        }
    }

    /// Whether all that came of a body is the beginning of a stream, so that it is not as somebody decoded it.
    fn is_begun(self, came: &[u8]) -> bool {
        match self {
            Self::Gzip => !came.is_empty() && GZIP.starts_with(came),
            Self::Deflate => is_zlib(came) && feed(&mut write::ZlibDecoder::new(io::sink()), came).is_ok(),
        }
    }

    /// What a body that begins like this is.
    fn state_of(self, came: &[u8]) -> State {
        match self {
            _ if came.starts_with(GZIP) => State::Gzip(write::GzDecoder::new(Vec::new())),
            Self::Gzip => State::Plain,
            Self::Deflate if is_text(came) => State::Plain,
            Self::Deflate if is_zlib(came) && feed(&mut write::ZlibDecoder::new(io::sink()), came).is_ok() => {
                State::Zlib(write::ZlibDecoder::new(Vec::new()))
            }
            // RFC 9110 section 8.4.1.2 means zlib, and some servers send the bare stream.
            Self::Deflate if feed(&mut write::DeflateDecoder::new(io::sink()), came).is_ok() => {
                State::Bare(write::DeflateDecoder::new(Vec::new()))
            }
            Self::Deflate => State::Plain,
        }
    }
}

/// Whether a body begins with the two bytes with which RFC 1950 has a stream begin.
fn is_zlib(came: &[u8]) -> bool {
    let start = came.first_chunk::<2>();
    start.is_some_and(|start| start[0] & 0xf == 8 && u16::from_be_bytes(*start) % 31 == 0)
}

/// Whether a body that begins like this is text, in UTF-8 or another charset. Some texts could be read as a stream of deflate.
fn is_text(came: &[u8]) -> bool {
    // A shorter stream may have no control characters by chance.
    const TELLING: usize = 64;
    let is_control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    // What is cut in the middle of a character is no error.
    let is_utf_8 = || std::str::from_utf8(came).map_or_else(|error| error.error_len().is_none(), |_| true);
    !came.iter().any(is_control) && (came.len() >= TELLING || is_utf_8())
}

/// Gives a decoder what it takes, up to the end of its stream; tells how much that was.
fn feed(decoder: &mut impl io::Write, piece: &[u8]) -> io::Result<usize> {
    let mut taken = 0;
    while taken < piece.len() {
        match decoder.write(&piece[taken..])? {
            0 => break,
            more => taken += more,
        }
    }
    Ok(taken)
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
            ("the bare stream", "deflate", bare.clone()),
            ("decoded already", "gzip", BODY.to_vec()),
            ("decoded already", "deflate", BODY.to_vec()),
            ("plain", "", BODY.to_vec()),
        ] {
            assert_eq!(reply(encoding, &body), (BODY.to_vec(), false), "{what}");
        }
        // The bare stream has no first bytes of its own.
        for encoding in ["", "identity", "gzip"] {
            assert_eq!(reply(encoding, &bare), (bare.clone(), false), "{encoding}");
        }
    }

    #[test]
    fn a_header_says_whether_a_body_is_compressed_so_that_it_can_be_undone() {
        for (encoding, said) in [
            ("", false),
            ("identity", false),
            ("br", false),
            ("utf-8", false),
            ("gzip", true),
            ("X-GZIP", true),
            ("Deflate", true),
            ("identity, gzip", true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
            assert_eq!(is_said_to_be_compressed(&headers), said, "{encoding}");
        }
        assert!(!is_said_to_be_compressed(&HeaderMap::new()));
    }

    #[test]
    fn a_stream_that_is_cut_is_decoded_as_far_as_it_goes() {
        // Not compressed, so that a cut leaves something to read.
        let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
        encoder.write_all(BODY).unwrap();
        let whole = encoder.finish().unwrap();
        let cut = reply("gzip", &whole[..whole.len() - 8]);
        assert_eq!(cut, (BODY.to_vec(), true), "the checksum is missing");
        let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
        encoder.write_all(&gzip(BODY)).unwrap();
        let twice = encoder.finish().unwrap();
        let cut = reply("gzip, gzip", &twice[..twice.len() - 8]);
        assert_eq!(cut, (BODY.to_vec(), true), "the checksum of the outer one is missing");
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
    fn an_empty_body_that_is_compressed_is_empty() {
        assert_eq!(reply("gzip", &gzip(b"")), (Vec::new(), false));
        assert_eq!(reply("", &gzip(b"")), (Vec::new(), false));
        assert_eq!(reply("deflate", &zlib(b"")), (Vec::new(), false));
        assert_eq!(reply("gzip", &gzip(b"")[..12]).0, &gzip(b"")[..12]);
    }

    #[test]
    fn the_room_for_a_body_is_of_its_own_size() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, "gzip".parse().unwrap());
        for length in [0, 1, LEAST - 1, LEAST, LEAST + 1, 100_000, LIMIT - 1, LIMIT] {
            let body: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let decoded = decoded(&headers, &gzip(&body), LIMIT).unwrap();
            assert!(
                *decoded.body == body && decoded.body.capacity() <= 2 * length.max(LEAST),
                "{length}"
            );
            assert_eq!(decoded.whole, length < LIMIT, "{length}");
        }
    }

    fn zlib(body: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn bare(body: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    /// What becomes of a body that comes in pieces of this size.
    fn in_pieces(encoding: Encoding, body: &[u8], size: usize) -> io::Result<Vec<u8>> {
        let mut pieces = Pieces::new(encoding);
        let mut read = Vec::new();
        for piece in body.chunks(size) {
            read.extend_from_slice(&pieces.decode(piece)?);
        }
        read.extend_from_slice(&pieces.finish()?);
        Ok(read)
    }

    #[test]
    fn what_comes_in_pieces_is_decoded_whatever_their_size() {
        let long: Vec<u8> = (0..9000_u32).flat_map(|n| (n * 7919 % 9973).to_le_bytes()).collect();
        let behind = |body: Vec<u8>, more: &[u8]| [&body, more].concat();
        let text = b"A statement of an account that nobody has compressed.".repeat(40);
        for body in [BODY, &long, b"", b"x"] {
            let half = body.len() / 2;
            let two_members = [gzip(&body[..half]), gzip(&body[half..])].concat();
            for (what, encoding, sent) in [
                ("gzip", Encoding::Gzip, gzip(body)),
                ("two members", Encoding::Gzip, two_members),
                ("a line behind it", Encoding::Gzip, behind(gzip(body), b"\r\n")),
                ("one byte behind it", Encoding::Gzip, behind(gzip(body), b"\n")),
                ("zeros behind it", Encoding::Gzip, behind(gzip(body), &[0; 600])),
                ("gzip under another name", Encoding::Deflate, gzip(body)),
                ("zlib", Encoding::Deflate, zlib(body)),
                ("a line behind zlib", Encoding::Deflate, behind(zlib(body), b"\r\n")),
                ("the bare stream", Encoding::Deflate, bare(body)),
                (
                    "a line behind the bare stream",
                    Encoding::Deflate,
                    behind(bare(body), b"\r\n"),
                ),
            ] {
                for size in [1, 2, 3, 511, Pieces::SIZE, sent.len()] {
                    let read = in_pieces(encoding, &sent, size);
                    assert_eq!(read.ok().as_deref(), Some(body), "{what} {size} {}", body.len());
                }
            }
        }
        // Decoded already, by somebody who left the header: texts and files that begin as some streams do.
        let latin = b"Kontonummer;Buchungstag;W\xe4hrung;Empf\xe4nger\r\n3;[k];{s};#c;+C\r\n".repeat(30);
        let pdf = [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", &*text].concat();
        let archive = [b"PK\x03\x04\x14\0\x08\0", &*bare(&long)].concat();
        let chance = [b"x\x9c\xff", &*bare(&long)].concat();
        let picture = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &*bare(&long)].concat();
        for body in [
            BODY,
            &text,
            &latin,
            &pdf,
            &archive,
            &picture,
            &chance,
            b"",
            b"x",
            b"ab",
            b"\x04\x05",
            b"x^2 is a square",
            b"%PDF-1.7",
        ] {
            for encoding in [Encoding::Gzip, Encoding::Deflate] {
                for size in [1, 2, body.len().max(1)] {
                    let read = in_pieces(encoding, body, size);
                    assert_eq!(read.ok().as_deref(), Some(body), "{encoding:?} {:.8?}", body);
                }
            }
        }
        for (encoding, sent) in [
            (Encoding::Gzip, gzip(&long)),
            (Encoding::Deflate, zlib(&long)),
            (Encoding::Deflate, bare(&long)),
        ] {
            for missing in [1, 4, 8, 600] {
                let cut = &sent[..sent.len() - missing];
                assert!(in_pieces(encoding, cut, 100).is_err(), "{encoding:?} {missing}");
            }
        }
        // Nor is what is cut in its first bytes.
        for (encoding, sent, first) in [(Encoding::Gzip, gzip(BODY), 1), (Encoding::Deflate, zlib(BODY), 2)] {
            for length in first..30 {
                for size in [1, 100] {
                    let read = in_pieces(encoding, &sent[..length], size);
                    assert!(read.is_err(), "{encoding:?} {length}");
                }
            }
        }
        // So short that the end comes before it can be told what it is, and another member that is not there.
        let begun = behind(gzip(BODY), GZIP);
        for (encoding, cut) in [
            (Encoding::Deflate, &zlib(BODY)[..40]),
            (Encoding::Deflate, &bare(BODY)[..40]),
            (Encoding::Gzip, &begun),
            (Encoding::Deflate, &begun),
        ] {
            assert!(in_pieces(encoding, cut, 100).is_err(), "{encoding:?} {}", cut.len());
        }
    }

    #[test]
    fn what_can_be_told_is_passed_on_at_once() {
        let line = [gzip(BODY), b"\n".to_vec()].concat();
        let text = vec![b'a'; Pieces::ENOUGH];
        for (encoding, piece, passed) in [
            (Encoding::Gzip, &b"{"[..], &b""[..]),
            (Encoding::Gzip, b"{}", b"{}"),
            (Encoding::Gzip, &line, BODY),
            (Encoding::Deflate, &line, BODY),
            (Encoding::Deflate, &text[1..], b""),
            (Encoding::Deflate, &text, &text),
        ] {
            let read = Pieces::new(encoding).decode(piece).unwrap();
            assert_eq!(read, passed, "{encoding:?} {}", piece.len());
        }
    }

    #[test]
    fn encodings_are_undone_from_the_last_on_or_not_at_all() {
        use Encoding::{Deflate, Gzip};
        for (values, expected) in [
            (&[][..], Ok(&[][..])),
            (&[""], Ok(&[])),
            (&["identity"], Ok(&[])),
            (&["utf-8"], Ok(&[])),
            (&["gzip"], Ok(&[Gzip])),
            (&["X-GZIP "], Ok(&[Gzip])),
            (&["identity, gzip;q=1"], Ok(&[Gzip])),
            (&["deflate, gzip"], Ok(&[Gzip, Deflate])),
            (&["gzip", "gzip"], Ok(&[Gzip, Gzip])),
            (&["br"], Err("br")),
            (&["zstd"], Err("zstd")),
            (&["compress"], Err("compress")),
            (&["br, gzip"], Err("br")),
            (&["gzip", "BR"], Err("br")),
            (&["gzip, gzip, gzip"], Err("several over each other")),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, value.parse().unwrap());
            }
            assert_eq!(encodings(&headers), expected.map(<[Encoding]>::to_vec), "{values:?}");
        }
    }
}
