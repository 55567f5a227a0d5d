//! What a request for a resource says, checked against its operation.

mod body;
mod parameters;

use bytes::Bytes;
use finrail_spec::json::Json;

use crate::sandbox::http::{RawRequest, value_of};
use crate::sandbox::refused::{Refused, refused};
use crate::sandbox::spec::{Operation, Schemas, Spec};

/// A request that fits the specification.
#[derive(Default)]
pub(in crate::sandbox) struct Request {
    pub(in crate::sandbox) path: Vec<(String, String)>,
    /// Decoded pairs, in the order in which they came.
    pub(in crate::sandbox) query: Vec<(String, String)>,
    pub(in crate::sandbox) body: Option<Json>,
    /// The body as it came, where it is read as neither JSON nor a form.
    pub(in crate::sandbox) opaque: Bytes,
}

impl Request {
    /// The value of a path parameter.
    pub(in crate::sandbox) fn path_value(&self, name: &str) -> Option<&str> {
        value_of(&self.path, name)
    }

    /// The first value of a query parameter.
    pub(in crate::sandbox) fn query_value(&self, name: &str) -> Option<&str> {
        value_of(&self.query, name)
    }
}

/// A reading of requests by one specification.
pub(in crate::sandbox) struct Reader<'a> {
    pub(in crate::sandbox) spec: &'a Spec,
    pub(in crate::sandbox) schemas: &'a Schemas,
}

impl Reader<'_> {
    /// Checks path, query, headers and body.
    pub(in crate::sandbox) fn read(
        &self,
        operation: &Operation,
        path: Vec<(String, String)>,
        raw: &RawRequest,
    ) -> Result<Request, Refused> {
        let query = raw.query_pairs();
        self.check_path(operation, &path)?;
        self.check_query(operation, &query)?;
        self.check_headers(operation, raw)?;
        check_accept(operation, raw)?;
        let body = self.body(operation, raw)?;
        let opaque = match body {
            None => raw.body.clone(),
            Some(_) => Bytes::new(),
        };
        Ok(Request {
            path,
            query,
            body,
            opaque,
        })
    }

    /// The text as the type that its schema wants, when it fits.
    fn typed(&self, schema: &Json, text: &str) -> Result<Json, String> {
        let value = match self.spec.document.kind(schema) {
            Some("integer" | "number") if is_number(text) => Json::Number(text.to_owned()),
            Some("boolean") if text == "true" || text == "false" => Json::Bool(text == "true"),
            _ => Json::str(text),
        };
        self.schemas.check(schema, &value).map(|()| value)
    }

    /// The schema of the items of an array.
    fn item_schema(&self, array: &Json) -> Json {
        self.spec.document.keyword(array, "items").cloned().unwrap_or_default()
    }
}

/// A caller that takes only what this call never sends has set the wrong `Accept`.
fn check_accept(operation: &Operation, raw: &RawRequest) -> Result<(), Refused> {
    let Some(content) = operation.success_content() else {
        return Ok(());
    };
    // `x-accept` names what a caller should ask for; its wildcards are nothing that is sent.
    let asked = operation.asked_for().filter(|range| !range.contains('*'));
    let mut sent = std::iter::once(content.media_type.as_str()).chain(asked);
    if sent.any(|media_type| raw.accepts(media_type)) {
        return Ok(());
    }
    let why = format!("this call answers {}, which `Accept` leaves out", content.media_type);
    Err(refused(406, why))
}

/// Whether the text is a number as JSON writes it.
fn is_number(text: &str) -> bool {
    matches!(Json::parse(text), Ok(Json::Number(_)))
}
