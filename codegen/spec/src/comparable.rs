//! A document in the form in which two of them can be held against each other, whatever dialect and style each is written in.
//!
//! Unlike the [normal form](crate::normal), which is what a client is generated from, nothing is chosen among what a document
//! offers and nothing is left out: how a value is written, which bodies may be missing, which replies there are. What cannot be
//! carried over is kept beside it, so that whoever compares can say what was not compared.

use crate::dialect::{Dialect, Loss, UnknownDialect, to_3_0};
use crate::grammar::Kind;
use crate::json::Json;
use crate::media_type::{is_json, means_json};
use crate::model::METHODS;
use crate::own::is_own;
use crate::plain::addresses_of;
use crate::rebuild::edited;
use crate::references::{ReferenceFault, resolved};
use crate::tidy::{SchemaFault, tidied};

/// The types that a value may have, where a document names several: of a union of plain values, or of a list of types. The
/// dialect that everything is converted to has no word for it.
pub const KINDS: &str = "x-kinds";

/// A document that can be compared, and what of it cannot be.
#[derive(Clone, Debug)]
pub struct Comparable {
    /// The document, as OpenAPI 3.0 without references to anything but named schemas.
    pub root: Json,
    /// The dialect that it was written in.
    pub dialect: Dialect,
    /// References that lead nowhere.
    pub dangling: Vec<ReferenceFault>,
    /// Schemas that mean nothing.
    pub faults: Vec<SchemaFault>,
    /// What it says no more.
    pub losses: Vec<Loss>,
}

/// Brings a document into the form in which it can be compared.
///
/// ```
/// use finrail_spec::comparable::comparable;
/// use finrail_spec::json::Json;
///
/// let schema = |text| Json::parse(text).and_then(|document| Ok(comparable(&document).ok().map(|it| it.root.pointer("/components/schemas/A").cloned())));
/// let one = schema(r#"{"openapi":"3.0.3","paths":{},"components":{"schemas":{"A":{"type":"number","format":"decimal","nullable":true}}}}"#)?;
/// let other = schema(r#"{"openapi":"3.1.0","paths":{},"components":{"schemas":{"A":{"type":["null","number"]}}}}"#)?;
/// assert_eq!(one, other);
/// # Ok::<(), finrail_spec::json::NotJson>(())
/// ```
///
/// # Errors
///
/// When the document is in no dialect that is read.
pub fn comparable(document: &Json) -> Result<Comparable, UnknownDialect> {
    let converted = to_3_0(&with_kinds(document))?;
    let resolved = resolved(&converted.root);
    let root = with_strict_dates(&with_kinds(&resolved.root));
    // A host of each institution's own stays one, where the document is written for it.
    let is_own = is_own(&root);
    let root = edited(Kind::Document, &root, "", &mut |kind, object| match kind {
        Kind::Document | Kind::Operation if !is_own => with_addresses(object.clone()),
        Kind::PathItem if !is_own => with_addresses(with_parameters(object)),
        Kind::PathItem => with_parameters(object),
        Kind::RequestBody | Kind::Response => with_json(object),
        _ => object.clone(),
    });
    let tidied = tidied(&root);
    let mut losses = converted.losses;
    losses.extend(tidied.losses);
    Ok(Comparable {
        root: as_written(&tidied.root),
        dialect: converted.dialect,
        dangling: resolved.faults,
        faults: tidied.faults,
        losses,
    })
}

/// The document with [`KINDS`] where a value is of several.
fn with_kinds(document: &Json) -> Json {
    edited(Kind::Document, document, "", &mut |kind, object| {
        let mut object = object.clone();
        if kind == Kind::Schema
            && let Some(kinds) = kinds_of(&object)
        {
            let kinds = kinds.into_iter().map(Json::str).collect();
            object.set(KINDS, Json::Array(kinds));
        }
        object
    })
}

/// The types of a value that may be of several, sorted; none where one is an object of its own.
fn kinds_of(schema: &Json) -> Option<Vec<&str>> {
    let listed: Vec<&str> = match schema.get("type") {
        Some(Json::Array(types)) => types.iter().map(Json::as_str).collect::<Option<_>>()?,
        Some(_) => return None,
        None => {
            let members = ["oneOf", "anyOf"].iter().find_map(|name| schema.get(name))?;
            let plain = |member: &'_ Json| {
                let kind = member.get("type")?.as_str()?;
                (kind != "object" && kind != "array").then_some(())
            };
            members.items().iter().map(plain).collect::<Option<Vec<()>>>()?;
            let kinds = members.items().iter();
            kinds.filter_map(|member| member.get("type")?.as_str()).collect()
        }
    };
    let mut kinds: Vec<&str> = listed.into_iter().filter(|kind| *kind != "null").collect();
    kinds.sort_unstable();
    kinds.dedup();
    (kinds.len() > 1).then_some(kinds)
}

/// What a date says of how it is read where the document says nothing: a client of a published document reads more than one
/// of a document that is written for it.
const STRICT: &str = "strict";

fn with_strict_dates(document: &Json) -> Json {
    edited(Kind::Document, document, "", &mut |kind, object| {
        let mut object = object.clone();
        let is_time = matches!(object.get("format").and_then(Json::as_str), Some("date" | "date-time"));
        if kind == Kind::Schema && is_time && object.get("x-lenient").is_none() {
            object.set("x-lenient", Json::str(STRICT));
        }
        object
    })
}

fn as_written(document: &Json) -> Json {
    edited(Kind::Document, document, "", &mut |kind, object| {
        let mut object = object.clone();
        if kind == Kind::Schema && object.get("x-lenient").and_then(Json::as_str) == Some(STRICT) {
            object.remove("x-lenient");
        }
        object
    })
}

/// What the operations of a path have in common, in each of them (OpenAPI 3.0.3, Path Item Object).
fn with_parameters(item: &Json) -> Json {
    let mut item = item.clone();
    let Some(shared) = item.remove("parameters") else {
        return item;
    };
    let key = |parameter: &Json| (parameter.get("name").cloned(), parameter.get("in").cloned());
    for method in METHODS {
        let Some(operation) = item.get_mut(method) else {
            continue;
        };
        let own = operation.get("parameters").map(Json::items).unwrap_or_default();
        let inherited = shared
            .items()
            .iter()
            .filter(|one| !own.iter().any(|mine| key(mine) == key(one)));
        let all = inherited.chain(own).cloned().collect();
        operation.set("parameters", Json::Array(all));
    }
    item
}

/// A body whose JSON is called so: some documents write `*/*`.
fn with_json(body: &Json) -> Json {
    let mut body = body.clone();
    let Some(Json::Object(offered)) = body.get_mut("content") else {
        return body;
    };
    let is_file = |content: &Json| content.at(&["schema", "format"]).and_then(Json::as_str) == Some("binary");
    if !offered.iter().any(|(media_type, _)| is_json(media_type))
        && let Some((media_type, _)) = offered
            .iter_mut()
            .find(|(media_type, content)| means_json(media_type) && !is_file(content))
    {
        "application/json".clone_into(media_type);
    }
    body
}

/// A document whose servers have no variables: one for each that they may be.
fn with_addresses(mut root: Json) -> Json {
    let Some(servers) = root.get("servers") else {
        return root;
    };
    let mut out = Vec::new();
    for server in servers.items() {
        for url in addresses_of(server) {
            let mut plain = server.clone();
            plain.remove("variables");
            plain.set("url", Json::str(url));
            out.push(plain);
        }
    }
    root.set("servers", Json::Array(out));
    root
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn at(document: &str, pointer: &str) -> String {
        let comparable = comparable(&Json::parse(document).unwrap()).unwrap();
        comparable
            .root
            .pointer(pointer)
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    #[test]
    fn what_is_written_in_another_way_is_the_same() {
        for (document, pointer, is) in [
            (
                r#"{"openapi":"3.0.3","paths":{"/a":{"get":{"responses":{"200":{"description":"","content":{"*/*":{"schema":{"type":"object"}}}}}}}}}"#,
                "/paths/~1a/get/responses/200/content",
                r#"{"application/json":{"schema":{"type":"object"}}}"#,
            ),
            (
                r#"{"openapi":"3.0.3","paths":{"/a":{"parameters":[{"name":"a","in":"query"}],"get":{"parameters":[{"name":"b","in":"query"}]}}}}"#,
                "/paths/~1a/get/parameters",
                r#"[{"name":"a","in":"query"},{"name":"b","in":"query"}]"#,
            ),
            (
                r##"{"openapi":"3.0.3","paths":{"/a":{"$ref":"#/x-paths/A"}},"x-paths":{"A":{"get":{"responses":{}}}}}"##,
                "/paths/~1a",
                r#"{"get":{"responses":{}}}"#,
            ),
            (
                r#"{"openapi":"3.0.3","paths":{},"servers":[{"url":"https://{where}.bank.example/{v}","variables":{"where":{"default":"api","enum":["api","sandbox"]},"v":{"default":"v1"}}}]}"#,
                "/servers",
                r#"[{"url":"https://api.bank.example/v1"},{"url":"https://sandbox.bank.example/v1"}]"#,
            ),
            (
                r#"{"openapi":"3.1.0","paths":{},"components":{"schemas":{"A":{"type":["string","null","integer"]}}}}"#,
                "/components/schemas/A/x-kinds",
                r#"["integer","string"]"#,
            ),
            (
                r#"{"openapi":"3.0.3","paths":{},"components":{"schemas":{"A":{"anyOf":[{"type":"boolean"},{"type":"integer"}]}}}}"#,
                "/components/schemas/A/x-kinds",
                r#"["boolean","integer"]"#,
            ),
            (
                r##"{"openapi":"3.1.0","paths":{"/a":{"$ref":"#/components/pathItems/A"}},"components":{"pathItems":{"A":{"get":{"parameters":[{"name":"a","in":"query","schema":{"const":"b"}}]}}}}}"##,
                "/paths/~1a/get/parameters/0/schema",
                r#"{"type":"string","enum":["b"]}"#,
            ),
        ] {
            assert_eq!(at(document, pointer), is, "{document}");
        }
    }
}
