//! What goes over the wire, told by its shape: names, types and lengths. Values only where the specification says of a field
//! that it may be logged.

use std::fmt::Write as _;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::charset::{Wrong, in_utf_8};
use super::operation::Operation;
use super::response::{Body, Response};
use super::secrets::KnownSecrets;
use crate::value::canary::shown;
use crate::value::{Json, JsonMap};

/// The headers whose values are shown. Of all others the names are.
const SHOWN: [&str; 8] = [
    "accept",
    "content-length",
    "content-type",
    "date",
    "retry-after",
    "x-correlation-id",
    "x-fapi-interaction-id",
    "x-request-id",
];

/// The longest shape that is told, in bytes, and the deepest.
const LONGEST: usize = 4096;
const DEEPEST: usize = 12;
/// So many items of a list are told.
const ITEMS: usize = 3;

/// Whether anybody listens.
pub(super) fn is_heard() -> bool {
    tracing::enabled!(target: "finrail::wire", tracing::Level::DEBUG)
}

/// Tells of a request that is about to be sent.
pub(super) fn request(
    operation: &Operation,
    method: &http::Method,
    headers: &HeaderMap,
    body: Option<&[u8]>,
    secrets: &KnownSecrets,
) {
    tracing::debug!(
        target: "finrail::wire",
        operation = operation.id,
        method = %method,
        path = operation.path,
        headers = %told_headers(headers, secrets),
        body = %body.map_or_else(|| "none".to_owned(), |body| told_body(operation, headers, body, secrets)),
        "request"
    );
}

/// Tells of a reply.
pub(super) fn reply(operation: &Operation, response: &Response, secrets: &KnownSecrets) {
    let headers = &response.head.headers;
    let body = match &response.body {
        Body::Whole(body) => told_body(operation, headers, body, secrets),
        Body::TooLarge(limit) => format!("more than {limit} bytes"),
        Body::Broken(_) => "broken off".to_owned(),
        Body::Stream(..) => "a download".to_owned(),
    };
    tracing::debug!(
        target: "finrail::wire",
        operation = operation.id,
        status = response.status().as_u16(),
        headers = %told_headers(headers, secrets),
        body = %body,
        "reply"
    );
}

/// A value of a header may hold anything: only what every message has is shown, and what names a request.
fn told_headers(headers: &HeaderMap, secrets: &KnownSecrets) -> String {
    let told = headers.iter().take(64).map(|(name, value)| {
        let is_shown = SHOWN.contains(&name.as_str()) && !value.is_sensitive() && value.len() <= 128;
        match value.to_str().ok().filter(|text| is_shown && !secrets.are_in(text)) {
            // What divides a body in parts is made of it.
            Some(text) if text.starts_with("multipart/") => {
                format!("{name}: {}", text.split(';').next().unwrap_or_default())
            }
            Some(text) => format!("{name}: {text}"),
            None => format!(
                "{}: {} bytes",
                shown(name.as_str(), |text| secrets.are_in(text)),
                value.len()
            ),
        }
    });
    told.collect::<Vec<_>>().join(", ")
}

fn told_body(operation: &Operation, headers: &HeaderMap, body: &[u8], secrets: &KnownSecrets) -> String {
    let mut shape = Shape {
        operation,
        secrets,
        out: String::new(),
    };
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if body.is_empty() {
        return "empty".to_owned();
    }
    if media_type.starts_with("application/x-www-form-urlencoded") {
        let fields = url::form_urlencoded::parse(body).take(64);
        let fields = fields.map(|(name, value)| {
            format!(
                "{}: text({})",
                shown(&name, |text| secrets.are_in(text)),
                value.chars().count()
            )
        });
        return format!("form {{{}}}", fields.collect::<Vec<_>>().join(", "));
    }
    match serde_json::from_slice::<Json>(&in_utf_8(body, headers, Wrong::Replaced)) {
        Ok(json) => shape.of(&json, Some(""), 0),
        Err(_) => return format!("{} bytes that are no JSON", body.len()),
    }
    if shape.out.len() >= LONGEST {
        let end = (0..=LONGEST)
            .rev()
            .find(|end| shape.out.is_char_boundary(*end))
            .unwrap_or(0);
        shape.out.truncate(end);
        shape.out.push('\u{2026}');
    }
    shape.out
}

struct Shape<'a> {
    operation: &'a Operation,
    secrets: &'a KnownSecrets,
    out: String,
}

impl Shape<'_> {
    /// `place`: where it stands, as a specification's fields are named; none below a name that would pass for a place.
    fn of(&mut self, json: &Json, place: Option<&str>, depth: usize) {
        if self.out.len() >= LONGEST {
            return;
        }
        let text = json.get().trim();
        match text.as_bytes().first() {
            _ if depth > DEEPEST => self.out.push('\u{2026}'),
            Some(b'{') => self.object(json, place, depth),
            Some(b'[') => {
                let items = json.items().unwrap_or_default();
                let _ = write!(self.out, "[{}", items.len());
                let place = place.map(|place| format!("{place}[]"));
                for (at, item) in items.iter().take(ITEMS).enumerate() {
                    self.out.push_str(if at == 0 { ": " } else { ", " });
                    self.of(item, place.as_deref(), depth + 1);
                }
                self.out.push_str(if items.len() > ITEMS { ", \u{2026}]" } else { "]" });
            }
            Some(b'n') => self.out.push_str("null"),
            _ => self.scalar(json, text, place),
        }
    }

    fn object(&mut self, json: &Json, place: Option<&str>, depth: usize) {
        let members = json.parse::<JsonMap>().unwrap_or_default();
        self.out.push('{');
        for (at, (name, value)) in members.iter().enumerate() {
            if self.out.len() >= LONGEST {
                break;
            }
            let is_plain = !name.is_empty() && !name.contains(['.', '[', ']']);
            let inner = place.filter(|_| is_plain).map(|place| match place {
                "" => name.to_owned(),
                place => format!("{place}.{name}"),
            });
            if at > 0 {
                self.out.push_str(", ");
            }
            self.out.push_str(&shown(name, |text| self.secrets.are_in(text)));
            self.out.push_str(": ");
            self.of(value, inner.as_deref(), depth + 1);
        }
        self.out.push('}');
    }

    fn scalar(&mut self, json: &Json, text: &str, place: Option<&str>) {
        let value = json.plain().unwrap_or_default();
        let is_secret = self.secrets.are_in(&value);
        let is_loggable = place.is_some_and(|place| self.operation.loggable.contains(&place));
        if is_loggable && value.len() <= 64 && !is_secret {
            let _ = write!(self.out, "{value:?}");
            return;
        }
        let (kind, length) = match text.as_bytes().first() {
            Some(b'"') => ("text", value.chars().count()),
            Some(b't' | b'f') => {
                self.out.push_str("bool");
                return;
            }
            _ => ("number", value.len()),
        };
        let _ = write!(self.out, "{kind}({length})");
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const OPERATION: Operation = Operation {
        id: "list_items",
        loggable: &["page.total", "items[].status"],
        ..Operation::BASE
    };

    fn headers(media_type: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media_type))])
    }

    fn secrets() -> KnownSecrets {
        KnownSecrets {
            sent: Some(HeaderValue::from_static("Bearer planted-token")),
            ..KnownSecrets::default()
        }
    }

    fn told(body: &str) -> String {
        told_body(&OPERATION, &headers("application/json"), body.as_bytes(), &secrets())
    }

    #[test]
    fn of_headers_those_of_every_message_are_told_and_of_a_body_in_parts_not_what_divides_it() {
        for (media_type, expected) in [
            (
                "application/json; charset=utf-8",
                "content-type: application/json; charset=utf-8",
            ),
            (
                "multipart/form-data; boundary=planted",
                "content-type: multipart/form-data",
            ),
            ("multipart/mixed", "content-type: multipart/mixed"),
            ("text/planted-token", "content-type: 18 bytes"),
        ] {
            assert_eq!(told_headers(&headers(media_type), &secrets()), expected);
        }
        let other = HeaderMap::from_iter([(http::header::SERVER, HeaderValue::from_static("planted"))]);
        assert_eq!(told_headers(&other, &secrets()), "server: 7 bytes");
    }

    #[test]
    fn a_body_is_told_by_names_types_and_lengths_and_by_values_that_may_be_logged() {
        for (body, expected) in [
            (
                r#"{"id":"abc","n":-12.50,"on":true,"x":null}"#,
                "{id: text(3), n: number(6), on: bool, x: null}",
            ),
            (
                r#"{"page":{"total":7,"next":"u"},"items":[{"status":"DONE","who":"Jo"}]}"#,
                r#"{items: [1: {status: "DONE", who: text(2)}], page: {next: text(1), total: "7"}}"#,
            ),
            (r#"[1,2,3]"#, "[3: number(1), number(1), number(1)]"),
            // A name that looks like a place is none.
            (r#"{"items[].status":"planted"}"#, "{items[].status: text(7)}"),
            (r#"{"items[]":{"status":"planted"}}"#, "{items[]: {status: text(7)}}"),
            (r#"{"page.total":"planted"}"#, "{page.total: text(7)}"),
            (r#"{"":{"page":{"total":"planted"}}}"#, "{: {page: {total: text(7)}}}"),
            (
                r#"{"items":[{"":{"status":"planted"}}]}"#,
                "{items: [1: {: {status: text(7)}}]}",
            ),
            (r#"{"items":{"status":"planted"}}"#, "{items: {status: text(7)}}"),
            (
                r#"{"items":[[{"status":"planted"}]]}"#,
                "{items: [1: [1: {status: text(7)}]]}",
            ),
            (r#"[1,2,3,4]"#, "[4: number(1), number(1), number(1), \u{2026}]"),
            (
                r#"{"items":[{"status":"planted-token"}]}"#,
                "{items: [1: {status: text(13)}]}",
            ),
            (
                r#"{"SK691100":{"planted-token":1}}"#,
                "{SK######: {[secret]: number(1)}}",
            ),
            (r#""x""#, "text(1)"),
            ("<html>planted", "13 bytes that are no JSON"),
            ("", "empty"),
        ] {
            assert_eq!(told(body), expected, "{body}");
        }
        let latin = headers("application/json;charset=ISO-8859-1");
        let body = told_body(&OPERATION, &latin, b"{\"x\":\"M\xfcnchen\"}", &secrets());
        assert_eq!(body, "{x: text(7)}");
        let form = headers("application/x-www-form-urlencoded");
        let body = told_body(&OPERATION, &form, b"a=planted&b%201=&planted-token=1", &secrets());
        assert_eq!(body, "form {a: text(7), b #: text(0), [secret]: text(1)}");
    }

    #[test]
    fn a_large_body_and_a_deep_one_are_a_short_line() {
        let large = format!(
            "{{{}}}",
            (0..5000)
                .map(|n| format!(r#""n{n}x":"y""#))
                .collect::<Vec<_>>()
                .join(",")
        );
        let lists = |depth: usize, inner: &str| format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth));
        let told_lists = |depth: usize, inner: &str| format!("{}{inner}{}", "[1: ".repeat(depth), "]".repeat(depth));
        assert_eq!(told(&lists(DEEPEST, "1")), told_lists(DEEPEST, "number(1)"));
        assert_eq!(told(&lists(DEEPEST + 1, "1")), told_lists(DEEPEST + 1, "\u{2026}"));
        let objects = |depth: usize, inner: &str| format!("{}{inner}{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        let told_objects = |depth: usize, inner: &str| format!("{}{inner}{}", "{a: ".repeat(depth), "}".repeat(depth));
        assert_eq!(told(&objects(DEEPEST, "1")), told_objects(DEEPEST, "number(1)"));
        assert_eq!(told(&objects(DEEPEST + 1, "1")), told_objects(DEEPEST + 1, "\u{2026}"));
        let deep = lists(100, "1");
        for body in [large, deep] {
            assert!(told(&body).len() < LONGEST + 100, "{}", told(&body).len());
        }
    }

    #[test]
    fn of_headers_the_values_of_a_few_are_told_and_of_the_others_the_names() {
        let mut headers = headers("application/json");
        headers.insert("authorization", HeaderValue::from_static("Bearer planted-token"));
        headers.insert("x-request-id", HeaderValue::from_static("r-1"));
        headers.insert("x-psu-ip", HeaderValue::from_static("planted"));
        let mut sensitive = HeaderValue::from_static("planted");
        sensitive.set_sensitive(true);
        headers.insert("x-correlation-id", sensitive);
        let told = told_headers(&headers, &secrets());
        for expected in [
            "content-type: application/json",
            "x-request-id: r-1",
            "x-psu-ip: 7 bytes",
            "authorization: 20 bytes",
        ] {
            assert!(told.contains(expected), "{told}");
        }
        assert!(!told.contains("planted"), "{told}");
    }
}
