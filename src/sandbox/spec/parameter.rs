//! Parameters of operations: in the path, in the query, in headers.

use finrail_spec::json::Json;

use super::document::Document;

/// A parameter in the path, the query or a header.
pub(in crate::sandbox) struct Parameter {
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) place: Place,
    pub(in crate::sandbox) required: bool,
    pub(in crate::sandbox) schema: Json,
    pub(in crate::sandbox) example: Option<Json>,
    /// One value with commas in it, and not one pair for each value.
    pub(in crate::sandbox) joined: bool,
    /// `name[key]=value`
    pub(in crate::sandbox) deep: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sandbox) enum Place {
    Path,
    Query,
    Header,
    Other,
}

impl Parameter {
    /// Reads a parameter, or the one that a `$ref` leads to.
    pub(super) fn read(document: &Document, parameter: &Json) -> Self {
        let parameter = document.resolve(parameter);
        let text = |name: &str| parameter.get(name).and_then(Json::as_str);
        let schema = parameter.get("schema").cloned().unwrap_or(Json::Object(Vec::new()));
        Self {
            name: text("name").unwrap_or_default().to_owned(),
            place: match text("in") {
                Some("path") => Place::Path,
                Some("query") => Place::Query,
                Some("header") => Place::Header,
                _ => Place::Other,
            },
            required: parameter.get("required").and_then(Json::as_bool).unwrap_or(false),
            example: parameter
                .get("example")
                .cloned()
                .or_else(|| first_example(parameter))
                .or_else(|| document.keyword(&schema, "example").cloned()),
            joined: parameter.get("explode") == Some(&Json::Bool(false)),
            deep: text("style") == Some("deepObject"),
            schema,
        }
    }
}

fn first_example(node: &Json) -> Option<Json> {
    let (_, first) = node.get("examples")?.members().first()?;
    first.get("value").cloned()
}
