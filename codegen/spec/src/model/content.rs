//! What an operation takes and answers: parameters, bodies, replies, with their examples.

use std::collections::BTreeMap;

use crate::json::Json;
use crate::vocabulary::FormStyle;

/// A parameter in the path, the query or a header.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name on the wire.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// Whether a call must have it.
    pub required: bool,
    /// The name that it has in Rust, where the document gives one (`x-rust-name`).
    pub rust_name: Option<String>,
    /// Whether a client is given its value once, and not each call (`x-given-by-client`, of a header).
    pub given_by_client: bool,
    /// `style`, where the document gives one.
    pub style: Option<String>,
    /// `explode`, where the document says so.
    pub explode: Option<bool>,
    /// The schema of its value; `{}` where there is none.
    pub schema: Json,
    /// An example: its own, or that of its schema.
    pub example: Option<Json>,
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Between braces in the path.
    Path,
    /// After the question mark.
    Query,
    /// A header.
    Header,
    /// Elsewhere: a cookie, or a place that OpenAPI does not know.
    Other,
}

/// A request body.
#[derive(Clone, Debug)]
pub struct Body {
    /// Whether a call must have it.
    pub required: bool,
    /// Its media types, in the document's order.
    pub contents: Vec<Content>,
}

/// A reply.
#[derive(Clone, Debug)]
pub struct Reply {
    /// `200`, `2XX`, `4XX`
    pub status: String,
    /// Its media types, in the document's order; none: no body.
    pub contents: Vec<Content>,
}

/// One media type with its schema and examples.
#[derive(Clone, Debug)]
pub struct Content {
    /// `application/json`
    pub media_type: String,
    /// The schema; `{}` where there is none.
    pub schema: Json,
    /// Name and value, in the document's order; `example` has an empty name. Where there is none, the schema's own.
    pub examples: Vec<(String, Json)>,
    /// How properties of a form are written (`x-form` of `encoding`).
    pub forms: BTreeMap<String, FormStyle>,
}

impl Parameter {
    /// Whether several values stand in one, with commas between (`explode: false`).
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.explode == Some(false)
    }

    /// Whether it is written as `name[key]=value` (`style: deepObject`).
    #[must_use]
    pub fn is_deep(&self) -> bool {
        self.style.as_deref() == Some("deepObject")
    }
}

impl Reply {
    /// Whether its status is one of those that begin with this digit: `2` for success.
    #[must_use]
    pub fn is_of_class(&self, digit: char) -> bool {
        self.status.starts_with(digit)
    }
}
