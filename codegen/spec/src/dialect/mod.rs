//! From what a document is written in to OpenAPI 3.0, which everything behind reads: Swagger 2.0 and OpenAPI 3.1 on the tree of the
//! document, with every digit and every name as they came.
//!
//! What 3.0 has no word for is told with its place: a client reads and writes the same without it, or it reads less.

mod swagger;
mod v3_1;

use crate::grammar::{Child, Kind};
use crate::json::Json;
use crate::pointer::join;

/// A document as OpenAPI 3.0, and what it lost on the way.
#[derive(Clone, Debug)]
pub struct Converted {
    /// The document.
    pub root: Json,
    /// The dialect that it was written in.
    pub dialect: Dialect,
    /// What it says no more, in the order of the document.
    pub losses: Vec<Loss>,
}

/// What a document is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Dialect {
    Swagger2,
    OpenApi30,
    OpenApi31,
}

/// Something that OpenAPI 3.0 cannot say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// JSON pointer to the place in the document as it was written.
    pub pointer: String,
    /// How much it matters.
    pub weight: Weight,
    /// What is lost, in words.
    pub what: String,
}

/// How much a loss matters to whoever uses the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// A rule for values that a server checks: a client reads and writes the same without it.
    Rule,
    /// A value is read as any JSON, or a part is left out.
    Meaning,
}

/// Why a document is in no dialect that is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownDialect {
    /// It says nothing of it.
    #[error("the document has neither `openapi` nor `swagger` at its root; is it an OpenAPI document?")]
    NoVersion,
    /// It is another one.
    #[error("`{0}` is not read; 2.0, 3.0 and 3.1 are")]
    Version(String),
}

impl Dialect {
    /// The dialect that a document says it is in.
    ///
    /// # Errors
    ///
    /// When it says none, or one that is not read.
    pub fn of(root: &Json) -> Result<Self, UnknownDialect> {
        let version = |name: &str| root.get(name).and_then(Json::scalar);
        let is = |version: &str, minor: &str| version == minor || version.starts_with(&format!("{minor}."));
        match (version("openapi"), version("swagger")) {
            (Some(version), _) if is(&version, "3.0") => Ok(Self::OpenApi30),
            (Some(version), _) if is(&version, "3.1") => Ok(Self::OpenApi31),
            (None, Some(version)) if is(&version, "2.0") || version == "2" => Ok(Self::Swagger2),
            (Some(version), _) => Err(UnknownDialect::Version(format!("openapi: {version}"))),
            (None, Some(version)) => Err(UnknownDialect::Version(format!("swagger: {version}"))),
            (None, None) => Err(UnknownDialect::NoVersion),
        }
    }
}

/// Converts a document to OpenAPI 3.0.
///
/// ```
/// use finrail_spec::dialect::{Dialect, to_3_0};
/// use finrail_spec::json::Json;
///
/// let document = Json::parse(
///     r#"{"openapi":"3.1.0","paths":{},"components":{"schemas":{"Amount":{"type":["number","null"],"const":1.10}}}}"#,
/// )?;
/// let converted = to_3_0(&document)?;
/// assert_eq!(converted.dialect, Dialect::OpenApi31);
/// assert_eq!(
///     converted.root.pointer("/components/schemas/Amount").map(ToString::to_string).as_deref(),
///     Some(r#"{"type":"number","nullable":true,"enum":[1.10,null]}"#),
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// When the document is in no dialect that is read.
pub fn to_3_0(root: &Json) -> Result<Converted, UnknownDialect> {
    let dialect = Dialect::of(root)?;
    let mut losses = Vec::new();
    let root = match dialect {
        Dialect::Swagger2 => swagger::to_3_0(root, &mut losses),
        Dialect::OpenApi30 => root.clone(),
        Dialect::OpenApi31 => v3_1::to_3_0(root, &mut losses),
    };
    Ok(Converted { root, dialect, losses })
}

/// Rebuilds what stands under the fields of an object of OpenAPI: `change` gets every object of a kind that is looked into, with
/// its pointer, and `None` leaves it to this.
pub(crate) fn rebuilt(
    kind: Kind,
    json: &Json,
    pointer: &str,
    change: &mut dyn FnMut(Kind, &Json, &str) -> Option<Json>,
) -> Json {
    if let Some(changed) = change(kind, json, pointer) {
        return changed;
    }
    let Json::Object(members) = json else {
        return json.clone();
    };
    let rebuilt = members.iter().map(|(name, value)| {
        let child = kind.fields().iter().find(|(field, _)| field == name);
        let at = join(pointer, name);
        let value = match (child.map_or(Child::Free, |(_, child)| *child), value) {
            (Child::One(kind), value) => rebuilt(kind, value, &at, change),
            (Child::SchemaOrBool, value) => rebuilt(Kind::Schema, value, &at, change),
            (Child::List(kind), Json::Array(items)) => Json::Array(
                items
                    .iter()
                    .enumerate()
                    .map(|(n, item)| self::rebuilt(kind, item, &format!("{at}/{n}"), change))
                    .collect(),
            ),
            (Child::Map(kind) | Child::Sorted(kind), Json::Object(entries)) => Json::Object(
                entries
                    .iter()
                    .map(|(name, entry)| (name.clone(), self::rebuilt(kind, entry, &join(&at, name), change)))
                    .collect(),
            ),
            _ => value.clone(),
        };
        (name.clone(), value)
    });
    Json::Object(rebuilt.collect())
}

#[cfg(test)]
mod tests;
