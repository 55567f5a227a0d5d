//! From a published document to what the generator reads, mechanically and the same for everybody: dialect, references,
//! security, operations, schemas, names. What cannot be generated is left out with its reasons, and costs nothing else.

use std::collections::{BTreeMap, BTreeSet};

use crate::bases::with_kinds_of_bases;
use crate::dialect::{Dialect, Loss, UnknownDialect, to_3_0};
use crate::grammar::Kind;
use crate::json::Json;
use crate::model::METHODS;
pub use crate::naming::operations_of;
use crate::naming::{Renamed, SHARED, named, named_beside};
pub use crate::own::is_own;
use crate::plain::plain;
use crate::pointer::{join, keys};
use crate::rebuild::{edited, rebuilt};
use crate::references::resolved;
use crate::security::secured_within;
use crate::tidy::tidied;
use crate::vocabulary::EXTENSIONS;

/// A document as the generator reads it, and what became of the published one.
#[derive(Clone, Debug)]
pub struct Normal {
    /// The document.
    pub root: Json,
    /// The dialect of the published one.
    pub dialect: Dialect,
    /// The operations of the published one that were asked for.
    pub operations: usize,
    /// Those that cannot be generated.
    pub left_out: Vec<LeftOut>,
    /// What it says no more, of what is generated.
    pub losses: Vec<Loss>,
    /// What is called otherwise.
    pub renamed: Vec<Renamed>,
    /// What is wrong with all of it.
    pub problems: Vec<String>,
}

/// An operation that cannot be generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// JSON pointer to it in the document.
    pub pointer: String,
    /// Why, in sentences.
    pub reasons: Vec<String>,
}

impl LeftOut {
    /// Method and path.
    #[must_use]
    pub fn operation(&self) -> String {
        match keys(&self.pointer).as_slice() {
            [_, path, method, ..] => format!("{} {path}", method.to_uppercase()),
            // All that would have been under it.
            [_, path] => format!("every operation of {path}"),
            _ => self.pointer.clone(),
        }
    }

    /// Which it is, and why.
    #[must_use]
    pub fn told(&self) -> String {
        format!("{} is left out: {}", self.operation(), self.reasons.join("; "))
    }
}

/// Which operations are wanted: all, where nothing is said.
#[derive(Clone, Debug, Default)]
pub struct Only {
    /// Tags of operations.
    pub tags: Vec<String>,
    /// `operationId`s.
    pub operations: Vec<String>,
    /// Beginnings of paths.
    pub paths: Vec<String>,
}

impl Only {
    /// Reads selectors: `tag:Payments`, `path:/payments`, or an `operationId`.
    #[must_use]
    pub fn of<'s>(selectors: impl IntoIterator<Item = &'s str>) -> Self {
        let mut only = Self::default();
        for selector in selectors {
            match selector.split_once(':') {
                Some(("tag", tag)) => only.tags.push(tag.to_owned()),
                Some(("path", path)) => only.paths.push(path.to_owned()),
                _ => only.operations.push(selector.to_owned()),
            }
        }
        only
    }

    /// The selectors that choose nothing of a document, as they are written.
    #[must_use]
    pub fn without_match(&self, root: &Json) -> Vec<String> {
        let operations = operations_of(root);
        let is_tag = |tag: &String| {
            let mut tags = operations.iter().filter_map(|(_, one)| one.get("tags"));
            tags.any(|tags| tags.items().iter().any(|known| known.as_str() == Some(tag)))
        };
        let is_id = |id: &String| {
            let mut ids = operations.iter().filter_map(|(_, one)| one.get("operationId"));
            ids.any(|known| known.as_str() == Some(id))
        };
        let paths = root.get("paths").map(Json::members).unwrap_or_default();
        let is_path = |begin: &String| paths.iter().any(|(path, _)| path.starts_with(begin.as_str()));
        let tags = self.tags.iter().filter(|tag| !is_tag(tag));
        let begins = self.paths.iter().filter(|begin| !is_path(begin));
        tags.map(|tag| format!("tag:{tag}"))
            .chain(begins.map(|begin| format!("path:{begin}")))
            .chain(self.operations.iter().filter(|id| !is_id(id)).cloned())
            .collect()
    }

    fn wants(&self, path: &str, operation: &Json) -> bool {
        let has_tag = |tag: &String| {
            let tags = operation.get("tags").map(Json::items).unwrap_or_default();
            tags.iter().any(|known| known.as_str() == Some(tag))
        };
        let id = operation.get("operationId").and_then(Json::as_str);
        (self.tags.is_empty() && self.operations.is_empty() && self.paths.is_empty())
            || self.tags.iter().any(has_tag)
            || self.operations.iter().any(|wanted| id == Some(wanted))
            || self.paths.iter().any(|begin| path.starts_with(begin.as_str()))
    }
}

/// Makes of a published document one that the generator reads.
///
/// ```
/// use finrail_spec::json::Json;
/// use finrail_spec::normal::{Only, normalised};
///
/// let document = Json::parse(
///     r#"{"openapi":"3.0.3","info":{"title":"Bank","version":"1"},"paths":{
///     "/a":{"get":{"responses":{"200":{"description":"","content":{"application/json":{"schema":{"type":"number"}}}}}}},
///     "/b":{"get":{"responses":{"302":{"description":""}}}}}}"#,
/// )?;
/// let normal = normalised(&document, &Only::default())?;
/// assert_eq!(normal.operations, 2);
/// assert_eq!(normal.left_out[0].operation(), "GET /b");
/// assert_eq!(normal.renamed[0].to, "get_a");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// When the document is in no dialect that is read.
pub fn normalised(document: &Json, only: &Only) -> Result<Normal, UnknownDialect> {
    let converted = to_3_0(document)?;
    let mut losses = converted.losses;
    let mut root = wanted(&converted.root, only);
    with_texts(&mut root);
    let operations = operations_of(&root).len();
    // Of several operations with one name, the document says which is which by their places.
    let resolved = resolved(&root);
    root = with_kinds_of_bases(&resolved.root);
    let mut faults: Vec<(String, String)> = Vec::new();
    faults.extend(resolved.faults.into_iter().map(|fault| (fault.pointer, fault.wrong)));
    let plain = plain(&root);
    root = plain.root;
    losses.extend(plain.losses);
    faults.extend(plain.faults.into_iter().map(|fault| (fault.pointer, fault.wrong)));
    let own = is_own(&root);
    let (mut problems, mut replaced) = (Vec::new(), Vec::new());
    if !own {
        let secured = secured_within(&root, &converted.root);
        root = secured.root;
        losses.extend(secured.losses);
        faults.extend(secured.faults.into_iter().map(|fault| (fault.pointer, fault.wrong)));
        problems = secured.problems;
        replaced = secured.replaced;
    }
    let tidied = tidied(&root);
    root = tidied.root;
    losses.extend(tidied.losses);
    faults.extend(tidied.faults.into_iter().map(|fault| (fault.pointer, fault.wrong)));
    // What is wrong with an operation is not wrong with the endpoint that stands in its place.
    faults.retain(|(place, _)| !replaced.iter().any(|one| is_within(place, &one.pointer)));
    let mut left_out = leave_out(&mut root, &faults);
    left_out.extend(paths_without(&root, &faults, only));
    left_out.extend(replaced.into_iter().filter_map(|one| {
        Some(LeftOut {
            pointer: one.pointer,
            reasons: vec![one.wrong?],
        })
    }));
    // Nothing is left: what would have been told of each operation is what is wrong with the document.
    if !has_calls(&root) {
        problems.extend(left_out.iter().map(LeftOut::told));
    }
    prune(&mut root);
    losses.retain(|loss| root.pointer(&home_of(&loss.pointer)).is_some() && !is_left_out(&loss.pointer, &left_out));
    let named = match own {
        // The schemas of the token endpoint are the library's, and are meant.
        true => named_beside(&without_foreign_keys(&root), &SHARED),
        false => named(&without_foreign_keys(&root)),
    };
    Ok(Normal {
        root: named.root,
        dialect: converted.dialect,
        operations,
        left_out,
        losses,
        renamed: named.renamed,
        problems,
    })
}

/// Whether a document has an operation besides those of the authorization server.
#[must_use]
pub fn has_calls(root: &Json) -> bool {
    let of_oauth = |operation: &Json| operation.get("x-client").and_then(Json::as_str) == Some("oauth");
    !operations_of(root).iter().all(|(_, operation)| of_oauth(operation))
}

/// In YAML a version without quotes is a number, and is meant as it is written.
fn with_texts(root: &mut Json) {
    for pointer in ["/info/title", "/info/version"] {
        if let Some(text) = root
            .pointer(pointer)
            .filter(|value| value.as_str().is_none())
            .and_then(Json::scalar)
        {
            root.set_pointer(pointer, Json::String(text));
        }
    }
}

fn is_left_out(pointer: &str, left_out: &[LeftOut]) -> bool {
    left_out.iter().any(|one| is_within(pointer, &one.pointer))
}

fn is_within(pointer: &str, outer: &str) -> bool {
    pointer
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What a place belongs to: an operation, a named schema, or the document.
fn home_of(pointer: &str) -> String {
    match keys(pointer).as_slice() {
        [paths, path, method, ..] if paths == "paths" => join(&join("/paths", path), method),
        [components, schemas, name, ..] if components == "components" && schemas == "schemas" => {
            join("/components/schemas", name)
        }
        _ => String::new(),
    }
}

/// The document with the operations that are wanted.
fn wanted(root: &Json, only: &Only) -> Json {
    rebuilt(Kind::Document, root, "", &mut |kind, object, pointer| {
        if kind != Kind::PathItem {
            return None;
        }
        let path = keys(pointer).pop().unwrap_or_default();
        let members = object.members().iter();
        let kept = members.filter(|(name, value)| !METHODS.contains(&name.as_str()) || only.wants(&path, value));
        Some(Json::Object(kept.cloned().collect()))
    })
}

/// The named schemas that a part of a document leads to, however far.
#[must_use]
pub fn reached(root: &Json, part: &Json) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut queue = vec![part];
    while let Some(part) = queue.pop() {
        let mut names = Vec::new();
        references(part, &mut names);
        for name in names {
            if let Some(schema) = root.at(&["components", "schemas", name.as_str()])
                && found.insert(name)
            {
                queue.push(schema);
            }
        }
    }
    found
}

fn references(json: &Json, found: &mut Vec<String>) {
    match json {
        Json::Object(members) => {
            for (name, value) in members {
                match value.as_str().filter(|_| name == "$ref") {
                    Some(reference) => found.extend(reference.strip_prefix("#/components/schemas/").map(str::to_owned)),
                    None => references(value, found),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// Takes out the operations that faults stand in, or in a schema that they lead to.
fn leave_out(root: &mut Json, faults: &[(String, String)]) -> Vec<LeftOut> {
    let mut by_schema: BTreeMap<String, Vec<&(String, String)>> = BTreeMap::new();
    for fault in faults {
        if let [components, schemas, name, ..] = keys(&fault.0).as_slice()
            && components == "components"
            && schemas == "schemas"
        {
            by_schema.entry(name.clone()).or_default().push(fault);
        }
    }
    let mut left_out = Vec::new();
    for (pointer, operation) in operations_of(root) {
        let mut reasons: Vec<String> = Vec::new();
        for (place, wrong) in faults {
            if let Some(inside) = place
                .strip_prefix(&pointer)
                .filter(|rest| rest.is_empty() || rest.starts_with('/'))
            {
                reasons.push(match inside.is_empty() {
                    true => wrong.clone(),
                    false => format!("{wrong} (at {inside})"),
                });
            } else if is_shared(place, &pointer) {
                // What all operations of a path have in common costs all of them.
                reasons.push(format!("{wrong} (at {place})"));
            }
        }
        for name in reached(root, operation) {
            for (place, wrong) in by_schema.get(&name).into_iter().flatten() {
                reasons.push(format!("{wrong} (at {place})"));
            }
        }
        if !reasons.is_empty() {
            left_out.push(LeftOut { pointer, reasons });
        }
    }
    for one in &left_out {
        root.remove_pointer(&one.pointer);
    }
    left_out
}

/// Whether a place is in the path of an operation, beside its operations.
fn is_shared(place: &str, operation: &str) -> bool {
    let path = operation.rsplit_once('/').map_or("", |(path, _)| path);
    match place.strip_prefix(path).and_then(|rest| rest.strip_prefix('/')) {
        Some(rest) => !METHODS.contains(&rest.split('/').next().unwrap_or_default()),
        None => false,
    }
}

/// Paths that were asked for and have no operation, for what should say them is wrong.
fn paths_without(root: &Json, faults: &[(String, String)], only: &Only) -> Vec<LeftOut> {
    let is_asked_for = |path: &str| only.wants(path, &Json::Null);
    let mut found: Vec<LeftOut> = Vec::new();
    for (place, wrong) in faults {
        let is_path = matches!(keys(place).as_slice(), [paths, path] if paths == "paths" && is_asked_for(path));
        let is_empty = |item: &Json| !item.members().iter().any(|(name, _)| METHODS.contains(&name.as_str()));
        if is_path && root.pointer(place).is_some_and(is_empty) {
            found.push(LeftOut {
                pointer: place.clone(),
                reasons: vec![wrong.clone()],
            });
        }
    }
    found
}

/// Takes out paths without operations, and schemas that nothing leads to.
pub fn prune(root: &mut Json) {
    if let Some(Json::Object(paths)) = root.get_mut("paths") {
        paths.retain(|(_, item)| item.members().iter().any(|(name, _)| METHODS.contains(&name.as_str())));
    }
    let mut needed = BTreeSet::new();
    if let Some(paths) = root.get("paths") {
        needed = reached(root, paths);
    }
    if let Some(Json::Object(schemas)) = root.pointer_mut("/components/schemas") {
        schemas.retain(|(name, _)| needed.contains(name));
    }
}

/// Extensions that only an import reads.
const OF_IMPORTS: [&str; 5] = [
    "x-credential",
    "x-revocation-url",
    "x-nullable",
    "x-example",
    "x-discriminator-value",
];

fn without_foreign_keys(root: &Json) -> Json {
    edited(Kind::Document, root, "", &mut |_, object| match object {
        Json::Object(members) => {
            let is_of_bundles = |name: &str| EXTENSIONS.contains(&name) && !OF_IMPORTS.contains(&name);
            let is_known = |name: &str| !name.starts_with("x-") || is_of_bundles(name);
            Json::Object(members.iter().filter(|(name, _)| is_known(name)).cloned().collect())
        }
        other => other.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An operation whose reply is of a schema.
    fn get(schema: &str) -> String {
        format!(
            r##"{{"get":{{"tags":["{schema}"],"responses":{{"200":{{"description":"","content":{{"application/json":{{"schema":{{"$ref":"#/components/schemas/{schema}"}}}}}}}}}}}}}}"##
        )
    }

    fn document() -> Json {
        Json::parse(&format!(
            r##"{{"openapi":"3.1.0","x-vendor":1,"paths":{{"/good":{},"/bad":{},"/lost":{},"/deep":{}}},"components":{{"schemas":{{
            "Good":{{"type":"object","x-vendor":{{"a":1}},"properties":{{"x-own":{{"type":"string"}},"value":{{"type":["number","null"],"example":{{"x-vendor":1}}}}}}}},
            "Bad":{{"allOf":[{{"type":"string"}},{{"type":"object"}}]}},
            "Deep":{{"type":"object","properties":{{"bad":{{"$ref":"#/components/schemas/Bad"}}}}}},
            "Unused":{{"allOf":[{{"type":"string"}},{{"type":"object"}}]}}}}}}}}"##,
            get("Good"),
            get("Bad"),
            get("Nobody"),
            get("Deep"),
        ))
        .unwrap()
    }

    #[test]
    fn what_cannot_be_generated_costs_itself_alone_and_what_nothing_leads_to_costs_nothing() {
        let normal = normalised(&document(), &Only::default()).unwrap();
        assert_eq!((normal.operations, operations_of(&normal.root).len()), (4, 1));
        let left_out: Vec<String> = normal.left_out.iter().map(LeftOut::operation).collect();
        assert_eq!(left_out, ["GET /bad", "GET /lost", "GET /deep"]);
        let contradicts = "members of its `allOf` contradict each other: one is of type `string`, another of type `object` \
                           (at /components/schemas/Bad)";
        assert_eq!(normal.left_out[0].reasons, [contradicts]);
        assert_eq!(normal.left_out[2].reasons, [contradicts]);
        assert_eq!(normal.left_out[1].reasons.len(), 1);
        let schemas = normal
            .root
            .pointer("/components/schemas")
            .map(ToString::to_string)
            .unwrap();
        // Extensions of others are left out; a property may be called as they are, and an example has what it has.
        assert_eq!(
            schemas,
            r#"{"Good":{"type":"object","properties":{"x-own":{"type":"string"},"value":{"type":"number","nullable":true,"example":{"x-vendor":1},"format":"decimal"}}}}"#
        );
        assert_eq!(normal.root.get("x-vendor"), None);
    }

    /// What all operations of a path have in common costs all of them, and a path that leads nowhere is told too.
    #[test]
    fn a_reference_of_a_path_that_leads_nowhere_is_told_of_its_operations() {
        let document = Json::parse(
            r##"{"openapi":"3.0.3","info":{"title":"Bank","version":"1"},"paths":{
            "/a":{"parameters":[{"$ref":"#/components/parameters/None"}],
                "get":{"operationId":"a","responses":{"204":{"description":""}}},
                "delete":{"operationId":"b","responses":{"204":{"description":""}}}},
            "/ab":{"get":{"operationId":"c","parameters":[{"$ref":"#/components/parameters/None"}],"responses":{"204":{"description":""}}}},
            "/b":{"$ref":"#/components/pathItems/None"},
            "/c":{"get":{"operationId":"d","responses":{"204":{"description":""}}}}}}"##,
        )
        .unwrap();
        let told = |only: &[&str]| -> Vec<String> {
            let normal = normalised(&document, &Only::of(only.iter().copied())).unwrap();
            normal.left_out.iter().map(LeftOut::told).collect()
        };
        let nowhere = "`#/components/parameters/None` leads nowhere";
        let shared = format!("{nowhere} (at /paths/~1a/parameters/0)");
        assert_eq!(
            told(&[]),
            [
                format!("GET /a is left out: {shared}"),
                format!("DELETE /a is left out: {shared}"),
                format!("GET /ab is left out: {nowhere} (at /parameters/0)"),
                "every operation of /b is left out: `#/components/pathItems/None` leads nowhere".to_owned(),
            ]
        );
        assert_eq!(told(&["a", "d"]), [format!("GET /a is left out: {shared}")]);
    }

    #[test]
    fn a_version_without_quotes_is_the_text_that_it_is_written_as() {
        let document = Json::parse(r#"{"openapi":"3.0.3","info":{"title":7,"version":2.10},"paths":{}}"#).unwrap();
        let root = normalised(&document, &Only::default()).unwrap().root;
        assert_eq!(
            root.get("info").map(ToString::to_string).as_deref(),
            Some(r#"{"title":"7","version":"2.10"}"#)
        );
    }

    #[test]
    fn what_a_bearer_token_is_does_not_follow_from_which_operations_are_chosen() {
        let document = Json::parse(
            r#"{"openapi":"3.0.3","info":{"title":"Bank","version":"1"},"paths":{
            "/a":{"get":{"operationId":"a","security":[{"Staff":[]}],"responses":{"204":{"description":""}}}},
            "/b":{"get":{"operationId":"b","security":[{"Login":[]}],"responses":{"204":{"description":""}}}}},
            "components":{"securitySchemes":{"Staff":{"type":"http","scheme":"bearer"},"Login":{"type":"oauth2","flows":{
            "clientCredentials":{"tokenUrl":"https://bank.example/token","scopes":{}}}}}}}"#,
        )
        .unwrap();
        for only in [&[][..], &["a"]] {
            let normal = normalised(&document, &Only::of(only.iter().copied())).unwrap();
            let security = normal.root.pointer("/paths/~1a/get/security").unwrap();
            assert_eq!(security.to_string(), r#"[{"Staff":[]}]"#, "{only:?}");
        }
    }

    #[test]
    fn operations_are_chosen_by_tag_path_and_name() {
        for (selector, paths) in [
            ("tag:Good", &["/good"][..]),
            ("path:/go", &["/good"]),
            ("getNothing", &[]),
        ] {
            let normal = normalised(&document(), &Only::of([selector])).unwrap();
            let found: Vec<String> = operations_of(&normal.root)
                .into_iter()
                .map(|(at, _)| keys(&at)[1].clone())
                .collect();
            assert_eq!(
                (found.as_slice(), normal.left_out.len()),
                (
                    paths
                        .iter()
                        .map(|path| (*path).to_owned())
                        .collect::<Vec<_>>()
                        .as_slice(),
                    0
                ),
                "{selector}"
            );
        }
    }
}
