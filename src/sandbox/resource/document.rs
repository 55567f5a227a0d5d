//! Documents: what a request puts into one, and what of it a reply shows.

use finrail_spec::json::Json;

use super::call::Call;
use super::envelope::envelope;
use super::record::Record;
use crate::sandbox::spec::{Operation, Segment, Spec};

/// What was sent, in place of what the examples say.
pub(in crate::sandbox) fn overlay(call: &Call<'_>, doc: &mut Json) {
    let document = &call.spec.document;
    let reply = call.operation.reply_schema();
    let sent = call.sent();
    for name in sendable(call).map(|(name, _)| name) {
        let is_needed = reply.is_some_and(|reply| document.requires(reply, name));
        if !is_needed && !sent.iter().any(|(n, _)| n == name) {
            doc.remove(name);
        }
    }
    for (name, value) in sent {
        let property = reply.and_then(|reply| document.property(reply, name));
        if property.is_none_or(|property| call.schemas.fits(property, value)) {
            doc.set(name, value.clone());
        }
    }
}

/// A change: PUT replaces what can be sent, anything else changes what was sent.
pub(in crate::sandbox) fn update(call: &Call<'_>, doc: &mut Json) {
    if call.operation.method == "PUT" {
        let optional = sendable(call).filter(|(_, is_required)| !is_required);
        for (name, _) in optional.filter(|(name, _)| !is_identity(name)) {
            doc.remove(name);
        }
    }
    for (name, value) in call.sent().iter().filter(|(name, _)| !is_identity(name)) {
        doc.set(name, value.clone());
    }
}

/// The members that a body of this call may have, and whether it must.
fn sendable<'a>(call: &Call<'a>) -> impl Iterator<Item = (&'a str, bool)> {
    let document = &call.spec.document;
    let contents = call.operation.body.iter().flat_map(|body| &body.contents);
    contents.flat_map(move |content| {
        let properties = document.properties(&content.schema).into_iter();
        properties.map(move |(name, _)| (name, document.requires(&content.schema, name)))
    })
}

fn is_identity(name: &str) -> bool {
    matches!(name, "id" | "client_id" | "client_secret")
}

/// The reply about one thing, with the envelope that the example has.
pub(in crate::sandbox) fn entity_reply(call: &Call<'_>, record: &Record) -> Option<Json> {
    let operation = call.operation;
    if !operation.answers_json() {
        return None;
    }
    let schema = operation.reply_schema()?;
    let example = operation.example();
    let shown = |schema: &Json, example: Option<&Json>| match record.is_raw {
        true => record.doc.clone(),
        false => project(call, schema, &record.doc, example),
    };
    let Some(name) = envelope(call.spec, operation) else {
        return Some(shown(schema, example));
    };
    let inner = call.spec.document.property(schema, &name)?;
    let entity = shown(inner, example.and_then(|e| e.get(&name)));
    let mut reply = example.cloned().unwrap_or(Json::Object(Vec::new()));
    reply.set(&name, entity);
    Some(reply)
}

/// The fields of a document that a schema has, in the order of the example.
pub(in crate::sandbox) fn project(call: &Call<'_>, schema: &Json, doc: &Json, example: Option<&Json>) -> Json {
    let document = &call.spec.document;
    let properties = document.properties(schema);
    if properties.is_empty() || !matches!(doc, Json::Object(_)) {
        return doc.clone();
    }
    let is_open = document.is_open(schema);
    let mut reply = Json::Object(Vec::new());
    for (name, value) in doc.members() {
        let is_shown = match properties.iter().find(|(n, _)| n == name) {
            Some((_, property)) => call.schemas.fits(property, value),
            None => is_open,
        };
        if is_shown {
            reply.set(name, value.clone());
        }
    }
    for (name, _) in properties {
        if reply.get(name).is_none()
            && document.requires(schema, name)
            && let Some(value) = example.and_then(|e| e.get(name))
        {
            reply.set(name, value.clone());
        }
    }
    reply
}

/// Fields of a view that mean the same as in the thing itself: same name, same schema.
pub(in crate::sandbox) fn same_fields(call: &Call<'_>, schema: &Json) -> Vec<String> {
    let (spec, template) = (call.spec, call.template());
    let Some(at) = template.iter().rposition(|s| matches!(s, Segment::Parameter(_))) else {
        return Vec::new();
    };
    // Operations on the thing, or on the collection it is in.
    let is_of_thing = |other: &[Segment]| !other.is_empty() && other.len() <= at + 1 && template.starts_with(other);
    let operations = spec.operations.iter().filter(|o| is_of_thing(&o.thing));
    let entities: Vec<&Json> = operations.filter_map(|o| entity_schema(spec, o)).collect();
    let is_same = |name: &str, property: &Json| {
        let theirs = entities
            .iter()
            .filter_map(|entity| spec.document.property(entity, name));
        theirs.into_iter().any(|theirs| same_schema(spec, theirs, property))
    };
    let properties = spec.document.properties(schema).into_iter();
    properties
        .filter(|(name, property)| is_same(name, property))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// The schema of the thing in the reply of an operation.
fn entity_schema<'a>(spec: &'a Spec, operation: &'a Operation) -> Option<&'a Json> {
    let schema = operation.reply_schema()?;
    let inner = envelope(spec, operation).and_then(|name| spec.document.property(schema, &name));
    Some(inner.unwrap_or(schema))
}

fn same_schema(spec: &Spec, a: &Json, b: &Json) -> bool {
    let of = |schema: &Json| {
        ["type", "enum", "format", "items"].map(|keyword| spec.document.keyword(schema, keyword).map(Json::to_string))
    };
    of(a) == of(b)
}
