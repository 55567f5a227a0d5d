//! What the mocks of all operations have in common.

use std::cell::Cell;
use std::time::Duration;

use http::header::{HeaderName, HeaderValue};
use httpmock::{HttpMockRequest, Mock, MockServer};
use serde::Serialize;
use serde_json::value::to_raw_value;

use super::wrong;
use crate::app::Provider;
use crate::transport::generated::{FormStyle, Multipart, encode_path};
use crate::transport::{Operation, form, parameter_texts};
use crate::value::{Json, JsonMap};

/// What a call is like, for a mocked server to know it by.
///
/// Every mocked operation has its own, with a method for each parameter, and can do what this can.
pub struct When {
    operation: &'static Operation,
    inner: Cell<Option<httpmock::When>>,
}

impl When {
    /// A call of this operation, and of none beside it that has a path like it.
    #[doc(hidden)]
    #[must_use]
    pub fn new(operations: &'static [Operation], index: usize, inner: httpmock::When) -> Self {
        let Some(operation) = operations.get(index) else {
            wrong("the operation is not in its provider's table")
        };
        let is_meant = move |request: &HttpMockRequest| {
            is_call_of(operations, operation, request.method_str(), request.uri().path())
        };
        Self {
            operation,
            inner: Cell::new(Some(inner.method(operation.method).is_true(is_meant))),
        }
    }

    /// With what `httpmock` has beside: `when.and(|when| when.query_param_missing("cursor"))`.
    pub fn and(&self, more: impl FnOnce(httpmock::When) -> httpmock::When) -> &Self {
        self.inner.set(self.inner.take().map(more));
        self
    }

    #[track_caller]
    fn given<T>(&self, name: &str, value: Result<T, String>) -> T {
        value.unwrap_or_else(|why| {
            let id = self.operation.id;
            wrong(&format!("what is given for `{name}` of {id} does not fit: {why}"))
        })
    }

    #[track_caller]
    fn texts<T: Serialize>(&self, name: &str, value: Result<T, String>) -> Vec<String> {
        let value = self.given(name, value);
        self.given(name, parameter_texts(name, &value))
    }

    #[doc(hidden)]
    #[track_caller]
    pub fn path<T: Serialize>(&self, name: &'static str, value: Result<T, String>) {
        let encoded = encode_path(&self.texts(name, value).concat());
        let template = self.operation.path;
        if !is_sent(template, name, &encoded) {
            let id = self.operation.id;
            wrong(&format!(
                "`{name}` of {id} is empty, `.` or `..`, and no client sends such a call; give the id of a thing"
            ))
        }
        self.and(|when| {
            when.is_true(move |request: &HttpMockRequest| {
                let path = request.uri().path().to_owned();
                let values = path_values(template, &path).unwrap_or_default();
                values.contains(&(name, encoded.as_str()))
            })
        });
    }

    #[doc(hidden)]
    #[track_caller]
    pub fn query<T: Serialize>(&self, name: &'static str, value: Result<T, String>) {
        let texts = self.texts(name, value);
        self.and(|when| match texts.as_slice() {
            // What `httpmock` compares itself it can show where nothing fits.
            [text] => when.query_param(name, text).is_true(move |request: &HttpMockRequest| {
                let query = request.uri().query().unwrap_or_default().to_owned();
                let sent = url::form_urlencoded::parse(query.as_bytes()).filter(|(sent, _)| sent == name);
                sent.count() == 1
            }),
            _ => when.is_true(move |request: &HttpMockRequest| {
                let query = request.uri().query().unwrap_or_default().to_owned();
                let pairs = url::form_urlencoded::parse(query.as_bytes());
                let sent = pairs
                    .filter(|(sent, _)| sent == name)
                    .map(|(_, value)| value.into_owned());
                sent.eq(texts.iter().cloned())
            }),
        });
    }

    #[doc(hidden)]
    #[track_caller]
    pub fn header<T: Serialize>(&self, name: &'static str, value: Result<T, String>) {
        let text = self.texts(name, value).concat();
        self.and(|when| when.header(name, text));
    }

    #[doc(hidden)]
    #[track_caller]
    pub fn json<T: Serialize>(&self, body: Result<T, String>) {
        let body = self.given("body", body);
        let expected = self.given("body", to_raw_value(&body).map_err(|why| why.to_string()));
        let expected = Json::from(expected);
        self.and(|when| {
            when.is_true(move |request: &HttpMockRequest| {
                let sent = std::str::from_utf8(request.body_ref()).ok();
                sent.and_then(|sent| sent.parse().ok())
                    .is_some_and(|sent| is_same(&expected, &sent))
            })
        });
    }

    #[doc(hidden)]
    #[track_caller]
    pub fn form<T: Serialize>(&self, styles: &[(&str, FormStyle)], body: Result<T, String>) {
        let body = self.given("body", body);
        let expected = sorted(self.given("body", form(&body, styles)).as_bytes());
        self.and(|when| when.is_true(move |request: &HttpMockRequest| sorted(request.body_ref()) == expected));
    }

    #[doc(hidden)]
    #[track_caller]
    pub fn parts<T>(&self, parts: impl FnOnce(&T) -> Multipart, body: Result<T, String>) {
        let body = self.given("body", body);
        let (_, expected) = self.given("body", parts(&body).written());
        self.and(|when| when.is_true(move |request: &HttpMockRequest| request.body_ref() == expected));
    }

    #[doc(hidden)]
    #[track_caller]
    pub fn bytes(&self, body: Result<bytes::Bytes, String>) {
        let expected = self.given("body", body);
        self.and(|when| when.is_true(move |request: &HttpMockRequest| request.body_ref() == expected));
    }
}

/// What a mocked server answers.
///
/// Every mocked operation has its own, with a method for each success that its specification lists, and can do what this can.
pub struct Then {
    operation: &'static Operation,
    inner: Cell<Option<httpmock::Then>>,
}

impl Then {
    #[doc(hidden)]
    #[must_use]
    pub fn new(operations: &'static [Operation], index: usize, inner: httpmock::Then) -> Self {
        let Some(operation) = operations.get(index) else {
            wrong("the operation is not in its provider's table")
        };
        Self {
            operation,
            inner: Cell::new(Some(inner)),
        }
    }

    /// With what `httpmock` has beside: `then.and(|then| then.body_from_file("reply.json"))`.
    pub fn and(&self, more: impl FnOnce(httpmock::Then) -> httpmock::Then) -> &Self {
        self.inner.set(self.inner.take().map(more));
        self
    }

    /// This status, without a body.
    ///
    /// # Panics
    ///
    /// When no reply ends a call with this status: it is under 200 or over 999. So do the others that take one.
    #[track_caller]
    pub fn status(&self, status: u16) -> &Self {
        self.check_status(status);
        self.and(|then| then.status(status))
    }

    /// This status with this JSON text, whether it is what the specification describes or not.
    #[track_caller]
    pub fn json(&self, status: u16, text: impl AsRef<str>) -> &Self {
        self.body(status, "application/json", text.as_ref())
    }

    /// This status with a body of this media type, as a proxy in between may answer.
    #[track_caller]
    pub fn body(&self, status: u16, media_type: &str, body: impl AsRef<[u8]>) -> &Self {
        self.check_status(status);
        self.check_header("content-type", media_type);
        self.and(|then| then.status(status).header("content-type", media_type).body(body))
    }

    /// With this header.
    ///
    /// # Panics
    ///
    /// When it is no name of a header, or no header carries the value.
    #[track_caller]
    pub fn header(&self, name: &str, value: &str) -> &Self {
        self.check_header(name, value);
        self.and(|then| then.header(name, value))
    }

    /// Only after this time. With a shorter [timeout](crate::transport::RetryPolicy) of the call no reply comes in time.
    pub fn delay(&self, by: Duration) -> &Self {
        // The server counts milliseconds, and panics where it cannot.
        let by = by.min(Duration::from_secs(100 * 365 * 86_400));
        self.and(|then| then.delay(by))
    }

    #[doc(hidden)]
    #[track_caller]
    pub fn value<T: Serialize + ?Sized>(&self, status: u16, value: &T) {
        if !(200..300).contains(&status) {
            self.wrong_status(status, "no success (2xx)");
        }
        self.written(status, value);
    }

    #[doc(hidden)]
    #[track_caller]
    pub fn failure<T: Serialize + ?Sized>(&self, status: u16, error: &T) {
        if !(400..600).contains(&status) {
            self.wrong_status(status, "no error (4xx or 5xx)");
        }
        self.written(status, error);
    }

    #[doc(hidden)]
    #[track_caller]
    pub fn bytes(&self, status: u16, bytes: &[u8]) {
        if !(200..300).contains(&status) {
            self.wrong_status(status, "no success (2xx)");
        }
        self.body(status, self.media_type("application/octet-stream"), bytes);
    }

    #[doc(hidden)]
    #[track_caller]
    pub fn empty(&self, status: u16) {
        if !(200..300).contains(&status) {
            self.wrong_status(status, "no success (2xx)");
        }
        self.status(status);
    }

    #[track_caller]
    fn check_status(&self, status: u16) {
        if !(200..1000).contains(&status) {
            wrong(&format!(
                "no reply of {} ends with the status {status}",
                self.operation.id
            ))
        }
    }

    #[track_caller]
    fn check_header(&self, name: &str, value: &str) {
        if HeaderName::try_from(name).is_err() || HeaderValue::try_from(value).is_err() {
            wrong(&format!("`{name}` is no header, or its value is none"))
        }
    }

    #[track_caller]
    fn wrong_status(&self, status: u16, what: &str) -> ! {
        let id = self.operation.id;
        wrong(&format!(
            "{status} is {what} of {id}; `status`, `json` and `body` take any"
        ))
    }

    #[track_caller]
    fn written<T: Serialize + ?Sized>(&self, status: u16, value: &T) {
        let Ok(body) = serde_json::to_vec(value) else {
            wrong(&format!("the reply of {} cannot be written as JSON", self.operation.id))
        };
        let media_type = match status {
            200..300 => self.media_type("application/json"),
            _ => "application/json",
        };
        self.body(status, media_type, body);
    }

    /// The media type of the reply, where the specification names one.
    fn media_type(&self, otherwise: &'static str) -> &'static str {
        let asked = self.operation.accept.unwrap_or_default().split(',');
        let mut named = asked.map(|range| range.split(';').next().unwrap_or_default().trim());
        named
            .find(|name| !name.is_empty() && !name.contains('*'))
            .unwrap_or(otherwise)
    }
}

/// Answers every token request of the provider with an access token of an hour.
#[doc(hidden)]
#[must_use]
pub fn token<P: Provider>(server: &MockServer) -> Mock<'_> {
    let profile = P::profile();
    let hour: u32 = if profile.expires_in_milliseconds {
        3_600_000
    } else {
        3600
    };
    let reply = format!(r#"{{"access_token":"a-mocked-access-token","token_type":"Bearer","expires_in":{hour}}}"#);
    server.mock(|when, then| {
        when.method("POST").path(profile.token_path);
        then.status(200).header("content-type", "application/json").body(reply);
    })
}

/// Whether a client sends a call with this value, encoded, in its path: a URL has no segment that is `.` or `..`, and a mock
/// knows no parameter that is empty.
fn is_sent(template: &str, name: &str, encoded: &str) -> bool {
    let place = format!("{{{name}}}");
    let segments = template.split('/').filter(|segment| segment.contains(&place));
    let mut segments = segments.map(|segment| segment.replace(&place, encoded));
    !encoded.is_empty() && !segments.any(|segment| segment == "." || segment == "..")
}

/// Whether a request is for this operation, and not for another one with a path that says more.
fn is_call_of(operations: &[Operation], operation: &Operation, method: &str, path: &str) -> bool {
    let fits = |operation: &Operation| operation.method == method && path_values(operation.path, path).is_some();
    let closer = |other: &Operation| fits(other) && literal_parts(other.path) > literal_parts(operation.path);
    fits(operation) && !operations.iter().any(closer)
}

/// Which parts of a path template are literal, from the left.
fn literal_parts(template: &str) -> Vec<bool> {
    template.split('/').map(|part| !part.contains('{')).collect()
}

/// The parameters of a path template with what stands for them in a path, encoded; none when the path is another one.
fn path_values<'p>(template: &'static str, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
    let (parts, sent) = (template.split('/'), path.split('/'));
    if parts.clone().count() != sent.clone().count() {
        return None;
    }
    let mut values = Vec::new();
    for (part, sent) in parts.zip(sent) {
        let Some((before, rest)) = part.split_once('{') else {
            if part != sent {
                return None;
            }
            continue;
        };
        let (name, after) = rest.rsplit_once('}')?;
        let value = sent.strip_prefix(before)?.strip_suffix(after)?;
        if value.is_empty() {
            return None;
        }
        values.push((name, value));
    }
    Some(values)
}

/// Whether two JSON values are the same: members in any order, numbers by their value, without a binary float on the way.
fn is_same(a: &Json, b: &Json) -> bool {
    if let (Ok(a), Ok(b)) = (a.parse::<JsonMap>(), b.parse::<JsonMap>()) {
        let is_there = |(name, value): (&str, &Json)| b.json(name).is_some_and(|other| is_same(value, other));
        return a.len() == b.len() && a.iter().all(is_there);
    }
    if let (Some(a), Some(b)) = (a.items(), b.items()) {
        return a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| is_same(a, b));
    }
    match (a.text(), b.text()) {
        (Some(a), Some(b)) => a == b,
        (None, None) => match (a.decimal(), b.decimal()) {
            (Some(a), Some(b)) => a == b,
            _ => a.get().trim() == b.get().trim(),
        },
        _ => false,
    }
}

/// The pairs of a form, in an order of their own.
fn sorted(form: &[u8]) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = url::form_urlencoded::parse(form).into_owned().collect();
    pairs.sort();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_the_template_that_says_more() {
        const fn get(path: &'static str) -> Operation {
            Operation {
                method: "GET",
                path,
                ..Operation::BASE
            }
        }
        static TABLE: [Operation; 3] = [get("/a/{id}"), get("/a/mine"), get("/a/{id}/b-{name}.json")];
        for (path, expected) in [
            ("/a/7", Some(0)),
            ("/a/mine", Some(1)),
            ("/a/7/b-x.json", Some(2)),
            ("/a/7/b-.json", None),
            ("/a/", None),
            ("/a/7/", None),
            ("/b/7", None),
            ("/v1/a/7", None),
        ] {
            let found: Vec<usize> = (0..TABLE.len())
                .filter(|at| is_call_of(&TABLE, &TABLE[*at], "GET", path))
                .collect();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{path}");
            assert!(!is_call_of(&TABLE, &TABLE[0], "PUT", path));
        }
        assert_eq!(
            path_values("/a/{id}/b-{name}.json", "/a/7%2F8/b-x.json"),
            Some(vec![("id", "7%2F8"), ("name", "x")])
        );
    }

    #[test]
    fn a_value_that_no_client_can_send_in_a_path_is_known() {
        for (template, value, expected) in [
            ("/a/{id}", "7", true),
            ("/a/{id}", "%2E", true),
            ("/a/{id}", "...", true),
            ("/a/{id}/b", "", false),
            ("/a/{id}/b", ".", false),
            ("/a/{id}", "..", false),
            ("/a/{id}.json", ".", true),
            ("/a/.{id}", ".", false),
        ] {
            assert_eq!(is_sent(template, "id", value), expected, "{template} {value}");
        }
    }

    #[test]
    fn bodies_are_compared_digit_for_digit() {
        for (a, b, expected) in [
            (r#"{"a":1,"b":[true,null]}"#, r#" {"b": [true, null], "a": 1.0}"#, true),
            ("12345678901234567.89", "12345678901234567.88", false),
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#, false),
            (r#"{"a":1,"b":2}"#, r#"{"a":1}"#, false),
            ("[1,2]", "[2,1]", false),
            ("[1]", "[1,2]", false),
            ("\"1\"", "1", false),
            ("\"1.0\"", "\"1\"", false),
            (r#""\u0061""#, "\"a\"", true),
            ("null", "false", false),
            ("{}", "[]", false),
        ] {
            let read = |text: &str| text.trim().parse::<Json>().unwrap();
            assert_eq!(is_same(&read(a), &read(b)), expected, "{a} {b}");
        }
    }
}
