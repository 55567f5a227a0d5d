//! What stands in lists and maps under a name of its own, and what all parts of this folder ask of a schema.

use crate::json::Json;
use crate::references::SCHEMAS;

/// What stands in lists and maps and is read by code, which a field has and an element has not: it has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Element {
    ExactNumber,
    LenientText,
    LenientBoolean,
}

impl Element {
    /// What a schema is where it stands in a list or a map.
    pub(super) fn of(schema: &Json) -> Option<Self> {
        let text = |keyword: &str| schema.get(keyword).and_then(Json::as_str);
        match (text("x-lenient"), text("format")) {
            (Some("string"), _) => Some(Self::LenientText),
            (Some("boolean"), _) => Some(Self::LenientBoolean),
            (None, Some("decimal")) if kind_of(schema) != Some("string") => Some(Self::ExactNumber),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ExactNumber => "ExactNumber",
            Self::LenientText => "LenientText",
            Self::LenientBoolean => "LenientBoolean",
        }
    }

    pub(super) fn schema(self) -> Json {
        let (kind, keyword, value, description) = match self {
            Self::ExactNumber => ("number", "format", "decimal", "A number, digit for digit."),
            Self::LenientText => ("string", "x-lenient", "string", "A text, whatever form it came in."),
            Self::LenientBoolean => (
                "boolean",
                "x-lenient",
                "boolean",
                "A boolean, whatever form it came in.",
            ),
        };
        let members = [("type", kind), (keyword, value), ("description", description)];
        Json::object(members.map(|(name, text)| (name, Json::str(text))))
    }
}

/// A reference to the schema of this name, in the place of an element.
pub(super) fn named(element: &Json, name: &str) -> Json {
    let named = Json::object([("$ref", Json::str(format!("{SCHEMAS}{name}")))]);
    match is_true(element, "nullable") {
        true => Json::object([("allOf", Json::Array(vec![named])), ("nullable", Json::Bool(true))]),
        false => named,
    }
}

pub(super) fn is_true(schema: &Json, keyword: &str) -> bool {
    schema.get(keyword).and_then(Json::as_bool) == Some(true)
}

pub(super) fn kind_of(schema: &Json) -> Option<&str> {
    schema.get("type").and_then(Json::as_str)
}
