//! What a client really sent, for tests to look at.

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use http::HeaderMap;

use super::http::{RawRequest, pairs, value_of};

/// How many requests are remembered, at most.
const REMEMBERED: usize = 10_000;
/// How many bytes they may have together.
const REMEMBERED_BYTES: usize = 32 << 20;

/// What came in, the oldest first. When it is too much, the oldest are forgotten.
#[derive(Default)]
pub(super) struct Log {
    requests: VecDeque<RecordedRequest>,
    bytes: usize,
}

impl Log {
    pub(super) fn push(&mut self, request: RecordedRequest) {
        self.bytes += request.size();
        self.requests.push_back(request);
        while self.requests.len() > REMEMBERED || self.bytes > REMEMBERED_BYTES {
            let Some(oldest) = self.requests.pop_front() else { break };
            self.bytes -= oldest.size();
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn to_vec(&self) -> Vec<RecordedRequest> {
        self.requests.iter().cloned().collect()
    }
}

/// A request as it came in.
///
/// `Debug` shows the method, the path and the names of fields and headers: their values may be secrets.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = finrail::sandbox::Sandbox::start().await?;
/// // ... a client calls ...
/// for request in sandbox.requests("ofx") {
///     println!("{} {} {:?}", request.method, request.path, request.form());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// `GET`, `POST`, ...
    pub method: String,
    /// The path below the provider's base address, still encoded: `/payments/quotes`.
    pub path: String,
    /// The query, decoded, in the order in which it came.
    pub query: Vec<(String, String)>,
    /// The query as it came.
    pub raw_query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// `operationId` of the call, when the address is one of the specification's.
    pub operation: Option<String>,
}

impl RecordedRequest {
    pub(super) fn new(raw: &RawRequest, path: &str, operation: Option<&str>) -> Self {
        Self {
            method: raw.method.to_string(),
            path: path.to_owned(),
            query: raw.query_pairs(),
            raw_query: raw.query.clone(),
            headers: raw.headers.clone(),
            body: raw.body.clone(),
            operation: operation.map(str::to_owned),
        }
    }

    /// About how many bytes it takes.
    fn size(&self) -> usize {
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len());
        let query = self.query.iter().map(|(name, value)| name.len() + value.len());
        self.path.len() + self.raw_query.len() + self.body.len() + headers.sum::<usize>() + query.sum::<usize>()
    }

    /// The text of a header.
    ///
    /// ```
    /// # fn example(request: &finrail::sandbox::RecordedRequest) {
    /// assert_eq!(request.header("accept"), Some("application/json"));
    /// # }
    /// ```
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as the fields of a form, decoded.
    ///
    /// ```
    /// # fn example(request: &finrail::sandbox::RecordedRequest) {
    /// assert!(request.form().contains(&("grant_type".into(), "refresh_token".into())));
    /// # }
    /// ```
    #[must_use]
    pub fn form(&self) -> Vec<(String, String)> {
        pairs(&self.body)
    }

    /// The value of a form field.
    ///
    /// ```
    /// # fn example(request: &finrail::sandbox::RecordedRequest) {
    /// assert_eq!(request.form_value("grant_type").as_deref(), Some("refresh_token"));
    /// # }
    /// ```
    #[must_use]
    pub fn form_value(&self, name: &str) -> Option<String> {
        value_of(&self.form(), name).map(str::to_owned)
    }

    /// The value of a query parameter.
    ///
    /// ```
    /// # fn example(request: &finrail::sandbox::RecordedRequest) {
    /// assert_eq!(request.query_value("pageSize"), Some("2"));
    /// # }
    /// ```
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<&str> {
        value_of(&self.query, name)
    }

    /// The body as text.
    ///
    /// ```
    /// # fn example(request: &finrail::sandbox::RecordedRequest) {
    /// assert!(request.text().contains("12345678901234567.89"));
    /// # }
    /// ```
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query: Vec<&str> = self.query.iter().map(|(name, _)| name.as_str()).collect();
        let headers: Vec<&str> = self.headers.keys().map(http::HeaderName::as_str).collect();
        f.debug_struct("RecordedRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("operation", &self.operation)
            .field("query", &query)
            .field("headers", &headers)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Method};

    use super::{Log, REMEMBERED_BYTES, RawRequest, RecordedRequest};

    #[test]
    fn the_oldest_requests_are_forgotten_when_all_together_are_large() {
        let request = |path: &str, size: usize| {
            let raw = RawRequest {
                method: Method::POST,
                path: String::new(),
                query: String::new(),
                headers: HeaderMap::new(),
                body: Bytes::from(vec![b'x'; size]),
                is_browser: false,
            };
            RecordedRequest::new(&raw, path, None)
        };
        let mut log = Log::default();
        log.push(request("first", REMEMBERED_BYTES / 2));
        log.push(request("second", REMEMBERED_BYTES / 4));
        assert_eq!(log.to_vec().len(), 2);
        log.push(request("third", REMEMBERED_BYTES / 2));
        let paths: Vec<String> = log.to_vec().into_iter().map(|request| request.path).collect();
        assert_eq!(paths, ["second", "third"]);
        log.clear();
        assert!(log.to_vec().is_empty());
        log.push(request("large", REMEMBERED_BYTES));
        log.push(request("small", 1));
        assert_eq!(log.to_vec().len(), 1, "what was cleared counts no more");
    }
}
