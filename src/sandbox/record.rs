//! What a client really sent, for tests to look at.

use std::fmt;

use bytes::Bytes;
use http::HeaderMap;

use super::http::{Call, pairs};

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
    pub(super) fn new(call: &Call, path: &str, operation: Option<&str>) -> Self {
        Self {
            method: call.method.to_string(),
            path: path.to_owned(),
            query: call.query_pairs(),
            raw_query: call.query.clone(),
            headers: call.headers.clone(),
            body: call.body.clone(),
            operation: operation.map(str::to_owned),
        }
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
        self.form().into_iter().find(|(n, _)| n == name).map(|(_, value)| value)
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
        self.query
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
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
