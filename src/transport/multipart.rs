//! Bodies of several parts: `multipart/form-data` (RFC 7578).

use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use reqwest::RequestBuilder;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::to_raw_value;
use sha2::{Digest as _, Sha256};

use super::error::Error;
use super::request::{items, scalar};

/// A file that a call sends as one part of its body (RFC 7578 section 4.2).
///
/// It is made from what it holds. `Debug` shows its length alone: what is in it, and its name, may be a person's.
///
/// ```
/// let evidence = finrail::FilePart::new("%PDF-1.7".as_bytes())
///     .file_name("receipt.pdf")
///     .media_type("application/pdf");
/// assert_eq!(evidence.bytes().len(), 8);
/// assert_eq!(format!("{evidence:?}"), "FilePart { bytes: 8 }");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct FilePart {
    bytes: Bytes,
    file_name: Option<String>,
    media_type: Option<String>,
}

impl FilePart {
    /// A file without a name, of the media type that the specification has for it.
    ///
    /// ```
    /// let file = finrail::FilePart::new(vec![1, 2, 3]);
    /// assert_eq!(&file.bytes()[..], [1, 2, 3]);
    /// ```
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self {
            bytes: bytes.into(),
            file_name: None,
            media_type: None,
        }
    }

    /// The name that the server is told. Many servers take a part for a file only if it has one.
    ///
    /// ```
    /// let file = finrail::FilePart::new("a;b").file_name("bookings.csv");
    /// assert_eq!(file.bytes().len(), 3);
    /// ```
    #[must_use]
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self
    }

    /// The media type of this part, in place of the specification's or `application/octet-stream`. One that no header can
    /// carry makes the call an [`Error::InvalidRequest`](crate::Error::InvalidRequest), and nothing is sent.
    ///
    /// ```
    /// let file = finrail::FilePart::new("a;b").media_type("text/csv");
    /// assert_eq!(file.bytes().len(), 3);
    /// ```
    #[must_use]
    pub fn media_type(mut self, media_type: impl Into<String>) -> Self {
        self.media_type = Some(media_type.into());
        self
    }

    /// What is in it.
    ///
    /// ```
    /// assert_eq!(&finrail::FilePart::new("a;b").bytes()[..], b"a;b");
    /// ```
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl fmt::Debug for FilePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilePart").field("bytes", &self.bytes.len()).finish()
    }
}

impl From<Bytes> for FilePart {
    fn from(bytes: Bytes) -> Self {
        Self::new(bytes)
    }
}

impl From<Vec<u8>> for FilePart {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

/// As the types around it are written: its length, and nothing of what is in it.
impl Serialize for FilePart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{} bytes", self.bytes.len()))
    }
}

/// A file is sent, and never read.
impl<'de> Deserialize<'de> for FilePart {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("a file of a request is not read from a reply"))
    }
}

/// The files of one property: one, at most one, or any number.
#[doc(hidden)]
pub trait FileParts {
    /// Each of them, in their order.
    fn each(&self) -> impl Iterator<Item = &FilePart>;
}

impl FileParts for FilePart {
    fn each(&self) -> impl Iterator<Item = &FilePart> {
        std::iter::once(self)
    }
}

impl FileParts for Option<FilePart> {
    fn each(&self) -> impl Iterator<Item = &FilePart> {
        self.iter()
    }
}

impl FileParts for Vec<FilePart> {
    fn each(&self) -> impl Iterator<Item = &FilePart> {
        self.iter()
    }
}

/// A body in parts, as generated code makes it.
#[doc(hidden)]
#[derive(Default)]
pub struct Multipart {
    parts: Vec<Part>,
    wrong: Option<String>,
}

struct Part {
    name: &'static str,
    file_name: Option<String>,
    media_type: Option<String>,
    content: Bytes,
}

impl Multipart {
    /// Without a part.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The parts of a property: none where it is absent, one for a value, one for each item of a list. An object is
    /// written as JSON (OpenAPI 3.0.3, "Special Considerations for `multipart` Content").
    #[must_use]
    pub fn values<T: Serialize>(mut self, name: &'static str, media_type: Option<&str>, value: &T) -> Self {
        match texts(name, value) {
            Ok(texts) => {
                let parts = texts.into_iter().map(|(content, is_json)| Part {
                    name,
                    file_name: None,
                    media_type: media_type.or(is_json.then_some("application/json")).map(str::to_owned),
                    content: content.into(),
                });
                self.parts.extend(parts);
            }
            Err(why) => self.wrong = Some(why),
        }
        self
    }

    /// The files of a property; `media_type` is what the specification says of them.
    #[must_use]
    pub fn files(mut self, name: &'static str, media_type: Option<&str>, files: &impl FileParts) -> Self {
        let parts = files.each().map(|file| Part {
            name,
            file_name: file.file_name.clone(),
            media_type: file
                .media_type
                .as_deref()
                .or(media_type)
                .or(Some("application/octet-stream"))
                .map(str::to_owned),
            content: file.bytes.clone(),
        });
        self.parts.extend(parts);
        self
    }

    /// The media type of the whole with its boundary, and the body. The same parts make the same body: a call that is
    /// kept to be sent again is known by its digest.
    ///
    /// # Errors
    ///
    /// When a value cannot be written, or a media type is none.
    pub(crate) fn written(self) -> Result<(String, Vec<u8>), String> {
        if let Some(wrong) = self.wrong {
            return Err(wrong);
        }
        let mut heads = Vec::new();
        for part in &self.parts {
            heads.push(part.head()?);
        }
        let mut hash = Sha256::new();
        for (head, part) in heads.iter().zip(&self.parts) {
            hash.update((head.len() as u64).to_be_bytes());
            hash.update(head);
            hash.update((part.content.len() as u64).to_be_bytes());
            hash.update(&part.content);
        }
        let digest = hash.finalize();
        // Nobody writes a part that has the digest of the whole in it.
        let boundary: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let mut body = Vec::new();
        for (head, part) in heads.iter().zip(&self.parts) {
            body.extend_from_slice(format!("--{boundary}\r\n{head}\r\n").as_bytes());
            body.extend_from_slice(&part.content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        Ok((format!("multipart/form-data; boundary={boundary}"), body))
    }
}

impl Part {
    /// The header fields of a part, each with its line's end.
    fn head(&self) -> Result<String, String> {
        let mut head = format!("Content-Disposition: form-data; name=\"{}\"", quoted(self.name));
        if let Some(name) = &self.file_name {
            head.push_str(&format!("; filename=\"{}\"", quoted(name)));
        }
        head.push_str("\r\n");
        if let Some(media_type) = &self.media_type {
            if !is_media_type(media_type) {
                return Err(format!(
                    "the media type of a file in `{}` is none: write it as `application/pdf`",
                    self.name
                ));
            }
            head.push_str(&format!("Content-Type: {media_type}\r\n"));
        }
        Ok(head)
    }
}

/// Writes the body as `multipart/form-data`.
///
/// # Errors
///
/// When a part cannot be written.
#[doc(hidden)]
pub fn in_parts<E>(request: RequestBuilder, parts: Multipart) -> Result<RequestBuilder, Error<E>> {
    let (media_type, body) = parts.written().map_err(Error::invalid_request)?;
    Ok(request.header(CONTENT_TYPE, media_type).body(body))
}

/// A name between quotes, as browsers write it: what would end the name or the line is percent-encoded
/// (RFC 7578 section 2, the HTML standard's "multipart/form-data encoding algorithm").
fn quoted(name: &str) -> String {
    let encoded = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    // No other control character means anything in a name.
    encoded.chars().filter(|c| !c.is_control()).collect()
}

/// Whether a text is `type/subtype` with what may follow, and can stand in a header.
fn is_media_type(text: &str) -> bool {
    let is_token = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
    };
    let mut halves = text.split(';').next().unwrap_or_default().trim().splitn(2, '/');
    let is_whole = halves.next().is_some_and(is_token) && halves.next().is_some_and(is_token);
    is_whole && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
}

/// The texts of a property, and whether each is JSON.
fn texts<T: Serialize>(name: &str, value: &T) -> Result<Vec<(String, bool)>, String> {
    // What serde says may quote a value of the call.
    let value = to_raw_value(value).map_err(|_| format!("`{name}` could not be written as a part"))?;
    let one = |value: &serde_json::value::RawValue| match value.get().as_bytes().first() {
        Some(b'{' | b'[') => Ok((value.get().to_owned(), true)),
        _ => scalar(name, value).map(|text| (text, false)),
    };
    match value.get().as_bytes().first() {
        Some(b'n') => Ok(Vec::new()),
        Some(b'[') => items(name, &value)?.iter().map(|item| one(item)).collect(),
        _ => one(&value).map(|part| vec![part]),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn text(form: Multipart) -> String {
        let (media_type, body) = form.written().unwrap();
        let boundary = media_type
            .strip_prefix("multipart/form-data; boundary=")
            .unwrap()
            .to_owned();
        assert_eq!(boundary.len(), 32, "{media_type}");
        String::from_utf8(body).unwrap().replace(&boundary, "B")
    }

    #[test]
    fn values_are_texts_lists_are_repeated_and_objects_are_json() {
        let form = Multipart::new()
            .values("purpose", None, &"d\u{e9}p\u{f4}t")
            .values("amount", None, &json!(12))
            .values("absent", None, &None::<String>)
            .values("tag", None, &["a", "b"])
            .values("payer", None, &json!({ "name": "x" }))
            .values("note", Some("text/markdown"), &"*x*");
        let head =
            |name: &str, more: &str| format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n{more}\r\n");
        let expected = [
            head("purpose", "") + "d\u{e9}p\u{f4}t\r\n",
            head("amount", "") + "12\r\n",
            head("tag", "") + "a\r\n",
            head("tag", "") + "b\r\n",
            head("payer", "Content-Type: application/json\r\n") + "{\"name\":\"x\"}\r\n",
            head("note", "Content-Type: text/markdown\r\n") + "*x*\r\n",
            "--B--\r\n".to_owned(),
        ];
        assert_eq!(text(form), expected.concat());
    }

    #[test]
    fn files_have_a_name_and_a_type_and_neither_ends_its_line() {
        let named = FilePart::new("x")
            .file_name("a\"b\r\nc\u{0}.pdf")
            .media_type("application/pdf");
        let form = Multipart::new()
            .files("file", Some("image/png"), &named)
            .files("file", Some("image/png"), &vec![FilePart::new(vec![b'y'])])
            .files("other", None, &Some(FilePart::new("z")))
            .files("none", None, &None::<FilePart>);
        let expected = [
            "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a%22b%0D%0Ac.pdf\"\r\nContent-Type: application/pdf\r\n\r\nx\r\n",
            "--B\r\nContent-Disposition: form-data; name=\"file\"\r\nContent-Type: image/png\r\n\r\ny\r\n",
            "--B\r\nContent-Disposition: form-data; name=\"other\"\r\nContent-Type: application/octet-stream\r\n\r\nz\r\n",
            "--B--\r\n",
        ];
        assert_eq!(text(form), expected.concat());
        for wrong in ["", "pdf", "a/b\r\nX: y", "/", "a/", "a b/c"] {
            let file = FilePart::new("x").media_type(wrong);
            let why = Multipart::new().files("file", None, &file).written().unwrap_err();
            assert!(why.contains("`file`"), "{wrong}: {why}");
        }
        for right in ["text/csv; charset=utf-8", "application/vnd.x+json"] {
            let file = FilePart::new("x").media_type(right);
            assert!(Multipart::new().files("file", None, &file).written().is_ok(), "{right}");
        }
    }

    #[test]
    fn the_same_parts_make_the_same_body_and_others_another_boundary() {
        let made = |content: &'static str| {
            Multipart::new()
                .files("f", None, &FilePart::new(content))
                .written()
                .unwrap()
        };
        assert_eq!(made("a"), made("a"));
        assert_ne!(made("a").0, made("b").0);
        let divided = |one: &'static str, two: &'static str| {
            let form = Multipart::new().files("f", None, &FilePart::new(one));
            form.files("f", None, &FilePart::new(two)).written().unwrap().0
        };
        assert_ne!(divided("ab", ""), divided("a", "b"));
    }

    #[test]
    fn what_is_in_a_file_is_shown_nowhere_and_read_from_nowhere() {
        let file = FilePart::new("planted").file_name("planted.pdf");
        let shown = format!("{file:?} {}", serde_json::to_string(&file).unwrap());
        assert_eq!(shown, "FilePart { bytes: 7 } \"7 bytes\"");
        assert!(serde_json::from_str::<FilePart>("\"planted\"").is_err());
    }
}
