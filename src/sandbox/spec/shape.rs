//! What an operation is, by its path.
//!
//! `/things` is a collection when `/things/{id}` exists, `POST` there creates, and
//! `/things/{id}/balance` is a view of one thing. Versions in a path name the same things.

use crate::sandbox::json::Json;
use crate::sandbox::request::Request;
use crate::sandbox::resource::document::mentions;
use crate::sandbox::spec::{Operation, Segment, Spec};

/// What an operation does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sandbox) enum Role {
    List,
    Create,
    Item,
    View,
}

/// `v3`
pub(in crate::sandbox) fn is_version(segment: &str) -> bool {
    segment
        .strip_prefix('v')
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// A path without its versions: what it names.
pub(in crate::sandbox) fn versionless(path: &[Segment]) -> Vec<Segment> {
    let is_kept = |segment: &&Segment| match segment {
        Segment::Literal(literal) => !is_version(literal),
        Segment::Parameter(_) => true,
    };
    path.iter().filter(is_kept).cloned().collect()
}

/// The text of a literal part.
pub(in crate::sandbox) fn literal(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Literal(literal) => Some(literal.clone()),
        Segment::Parameter(_) => None,
    }
}

/// The path with what the request has in place of the parameters.
pub(in crate::sandbox) fn filled(template: &[Segment], request: &Request) -> Vec<String> {
    template
        .iter()
        .map(|segment| match segment {
            Segment::Literal(literal) => literal.clone(),
            Segment::Parameter(name) => request.path_value(name).unwrap_or_default().to_owned(),
        })
        .collect()
}

/// What an operation on this thing does; `all` are the things of all operations.
pub(in crate::sandbox) fn role(thing: &[Segment], method: &str, is_paged: bool, all: &[Vec<Segment>]) -> Role {
    // `{id}` follows this path in some operation.
    let has_items = all
        .iter()
        .any(|other| other.starts_with(thing) && matches!(other.get(thing.len()), Some(Segment::Parameter(_))));
    let ends_in_parameter = matches!(thing.last(), Some(Segment::Parameter(_)));
    match method {
        "POST" if has_items => Role::Create,
        _ if ends_in_parameter => Role::Item,
        "GET" if has_items || is_paged => Role::List,
        _ => Role::View,
    }
}

/// Whether the things in this collection are kept: they can be listed or created.
pub(in crate::sandbox) fn is_managed(spec: &Spec, template: &[Segment]) -> bool {
    spec.operations
        .iter()
        .any(|o| matches!(o.role, Role::List | Role::Create) && o.thing == template)
}

/// The operation on the items of a collection (GET), or on the collection (POST).
pub(in crate::sandbox) fn operation_at<'a>(
    spec: &'a Spec,
    collection: &[Segment],
    method: &str,
) -> Option<&'a Operation> {
    spec.operations.iter().filter(|o| o.method == method).find(|o| {
        let template = &o.thing;
        match method {
            "POST" => *template == collection,
            _ => is_item_of(template, collection),
        }
    })
}

fn is_item_of(template: &[Segment], collection: &[Segment]) -> bool {
    template.len() == collection.len() + 1
        && template.starts_with(collection)
        && matches!(template.last(), Some(Segment::Parameter(_)))
}

/// The path parameter that takes an item's id.
pub(in crate::sandbox) fn item_parameter(spec: &Spec, collection: &[Segment]) -> Option<String> {
    spec.operations.iter().map(|o| &o.thing).find_map(|template| {
        if template.len() > collection.len()
            && template.starts_with(collection)
            && let Some(Segment::Parameter(name)) = template.get(collection.len())
        {
            return Some(name.clone());
        }
        None
    })
}

/// The example of the path parameter that takes an item's id.
pub(in crate::sandbox) fn parameter_example(spec: &Spec, collection: &[Segment]) -> Option<String> {
    let name = item_parameter(spec, collection)?;
    let operation = spec.operations.iter().find(|o| {
        let template = &o.thing;
        template.len() > collection.len()
            && template.starts_with(collection)
            && o.parameters.iter().any(|p| p.name == name)
    })?;
    operation
        .parameters
        .iter()
        .find(|p| p.name == name)?
        .example
        .as_ref()?
        .scalar()
}

/// Whether some other reply shows an id of this name, so that it cannot be made up by the caller.
pub(in crate::sandbox) fn is_named(spec: &Spec, operation: &Operation, name: &str) -> bool {
    let example = operation
        .parameters
        .iter()
        .find(|p| p.name == name)
        .and_then(|p| p.example.as_ref()?.scalar());
    example.is_some_and(|value| {
        spec.operations
            .iter()
            .filter_map(Operation::example)
            .any(|e| mentions(e, name, &value))
    })
}

/// What a view is called: the last literal part of its path.
pub(in crate::sandbox) fn view_name(template: &[Segment]) -> String {
    let literals: Vec<String> = template.iter().rev().filter_map(literal).take(1).collect();
    literals.concat()
}

/// Where the items of a list are: as `x-pagination` says, else the first array.
pub(in crate::sandbox) fn items_pointer(operation: &Operation) -> String {
    if let Some(paging) = &operation.pagination {
        return paging.items.clone();
    }
    let members = operation.example().map(Json::members).unwrap_or_default();
    members
        .iter()
        .find(|(_, value)| matches!(value, Json::Array(_)))
        .map(|(name, _)| format!("/{}", name.replace('~', "~0").replace('/', "~1")))
        .unwrap_or_default()
}
