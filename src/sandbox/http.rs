//! A request as it came and a reply as it will go, without a server around them.

use bytes::Bytes;
use finrail_spec::json::Json;
use finrail_spec::media_type::essence;
use futures_util::FutureExt as _;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

/// One part of a body of several.
pub(super) struct Part {
    pub(super) name: String,
    /// Without its parameters; `text/plain` where it is missing.
    pub(super) media_type: Option<String>,
    /// Whether it has the name of a file.
    pub(super) is_named: bool,
    pub(super) content: Bytes,
}

/// One request.
#[derive(Clone)]
pub(super) struct RawRequest {
    pub(super) method: Method,
    /// Still encoded.
    pub(super) path: String,
    /// Still encoded.
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Not sent by a client: the sandbox plays the user's browser.
    pub(super) is_browser: bool,
}

impl RawRequest {
    /// A header's text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether a header stands there more than once.
    pub(super) fn is_repeated(&self, name: &str) -> bool {
        self.headers.get_all(name).iter().nth(1).is_some()
    }

    /// The first of these headers that stands there more than once.
    pub(super) fn repeated<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        names.into_iter().find(|name| self.is_repeated(name))
    }

    /// The media type of the body without its parameters, in lower case.
    pub(super) fn media_type(&self) -> Option<String> {
        let essence = self.header("content-type")?.split(';').next()?;
        Some(essence.trim().to_ascii_lowercase())
    }

    /// The query, decoded.
    pub(super) fn query_pairs(&self) -> Vec<(String, String)> {
        pairs(self.query.as_bytes())
    }

    /// A form body, decoded.
    pub(super) fn form_pairs(&self) -> Vec<(String, String)> {
        pairs(&self.body)
    }

    /// The parts of a body of several, in their order.
    pub(super) fn parts(&self) -> Result<Vec<Part>, String> {
        let boundary = multer::parse_boundary(self.header("content-type").unwrap_or_default());
        let boundary = boundary.map_err(|why| why.to_string())?;
        let body = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(self.body.clone())]);
        let mut form = multer::Multipart::new(body, boundary);
        let read = async {
            let mut parts = Vec::new();
            while let Some(field) = form.next_field().await? {
                let Some(name) = field.name().map(str::to_owned) else {
                    return Ok(Err("a part has no name".to_owned()));
                };
                let media_type = field
                    .content_type()
                    .map(|media_type| media_type.essence_str().to_owned());
                let is_named = field.file_name().is_some();
                let content = field.bytes().await?;
                parts.push(Part {
                    name,
                    media_type,
                    is_named,
                    content,
                });
            }
            Ok::<_, multer::Error>(Ok(parts))
        };
        // All of the body is there: nothing is waited for.
        match read.now_or_never() {
            Some(Ok(parts)) => parts,
            Some(Err(why)) => Err(why.to_string()),
            None => Err("the body is cut".to_owned()),
        }
    }

    /// User and password of `Authorization: Basic`, as they were encoded.
    pub(super) fn basic(&self) -> Option<(String, String)> {
        use base64::Engine as _;
        let encoded = credentials(self.header("authorization")?, "basic")?;
        let decoded = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let (user, password) = text.split_once(':')?;
        Some((user.to_owned(), password.to_owned()))
    }

    /// The token of `Authorization: Bearer`.
    pub(super) fn bearer(&self) -> Option<&str> {
        credentials(self.header("authorization")?, "bearer")
    }

    /// Whether the caller takes this media type.
    pub(super) fn accepts(&self, media_type: &str) -> bool {
        let Some(accept) = self.header("accept") else {
            return true;
        };
        // What is asked for, and what is sent, may have parameters (`charset`), which leave nothing out.
        let media_type = essence(media_type);
        let kind = media_type.split('/').next().unwrap_or_default();
        accept.split(',').any(|range| {
            let range = range.split(';').next().unwrap_or_default().trim();
            range == "*/*"
                || range.eq_ignore_ascii_case(media_type)
                || range.strip_suffix("/*").is_some_and(|k| k.eq_ignore_ascii_case(kind))
        })
    }
}

/// `application/x-www-form-urlencoded` pairs.
pub(super) fn pairs(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// The first value of this name.
pub(super) fn value_of<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

/// The text without `%XX`, where it is text.
pub(super) fn decode(text: &str) -> Option<String> {
    percent_decode_str(text)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

fn credentials<'a>(header: &'a str, scheme: &str) -> Option<&'a str> {
    let (found, rest) = header.split_once(' ')?;
    found.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// One reply.
#[derive(Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// The document in the body, while it can still be changed.
    pub(super) json: Option<Json>,
}

impl Reply {
    /// No body.
    pub(super) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            json: None,
        }
    }

    /// A document.
    pub(super) fn json(status: u16, media_type: &str, json: Json) -> Self {
        Self {
            json: Some(json),
            ..Self::empty(status).with("content-type", media_type)
        }
    }

    /// Bytes.
    pub(super) fn bytes(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..Self::empty(status).with("content-type", media_type)
        }
    }

    /// A page for a browser.
    pub(super) fn html(status: u16, page: String) -> Self {
        Self::bytes(status, "text/html; charset=utf-8", page)
    }

    /// Sends a browser elsewhere, with GET.
    pub(super) fn redirect(location: String) -> Self {
        Self::empty(302).with("location", location)
    }

    /// With one more header.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The header's text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str())
    }

    /// The bytes of the body.
    pub(super) fn into_body(self) -> Vec<u8> {
        match self.json {
            Some(json) => json.to_string().into_bytes(),
            None => self.body,
        }
    }
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;
    use ::http::header::ACCEPT;

    use super::*;

    #[test]
    fn what_is_accepted_is_a_media_type_with_or_without_parameters() {
        for (accept, sent, is_accepted) in [
            ("application/json", "application/json", true),
            ("application/json", "application/json;charset=UTF-8", true),
            ("application/json", "Application/JSON ; charset=UTF-8", true),
            ("application/json;charset=UTF-8", "application/json", true),
            (
                "application/json; charset=utf-8",
                "application/json;charset=UTF-8",
                true,
            ),
            ("application/*", "application/json;charset=UTF-8", true),
            ("text/csv", "application/json;charset=UTF-8", false),
        ] {
            let raw = RawRequest {
                method: Method::GET,
                path: "/".to_owned(),
                query: String::new(),
                headers: HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]),
                body: Bytes::new(),
                is_browser: false,
            };
            assert_eq!(raw.accepts(sent), is_accepted, "{accept} {sent}");
        }
    }
}
