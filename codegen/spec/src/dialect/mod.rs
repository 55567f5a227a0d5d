//! From what a document is written in to OpenAPI 3.0, which everything behind reads: Swagger 2.0 and OpenAPI 3.1 on the tree of the
//! document, with every digit and every name as they came.
//!
//! What 3.0 has no word for is told with its place: a client reads and writes the same without it, or it reads less.

mod loss;
mod swagger;
mod v3_1;

use crate::json::Json;

pub use loss::{Loss, Weight};

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

#[cfg(test)]
mod tests;
