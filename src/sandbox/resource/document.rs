//! Documents: what a request puts into one, and what of it a reply shows.

use crate::sandbox::json::Json;
use crate::sandbox::request::Request;
use crate::sandbox::resource::store::{Context, Record};
use crate::sandbox::spec::{Operation, Segment, Spec};

/// What was sent, in place of what the examples say.
pub(in crate::sandbox) fn overlay(
    context: &Context<'_>,
    operation: &Operation,
    request: &Request,
    reply: Option<&Json>,
    doc: &mut Json,
) {
    let spec = context.spec;
    let sent = request.body.as_ref().map(Json::members).unwrap_or_default();
    for content in operation.body.iter().flat_map(|body| &body.contents) {
        for (name, _) in spec.properties(&content.schema) {
            let needed = reply.is_some_and(|reply| spec.requires(reply, name));
            if !needed && !sent.iter().any(|(n, _)| n == name) {
                doc.remove(name);
            }
        }
    }
    for (name, value) in sent {
        let fits = reply
            .and_then(|reply| spec.property(reply, name))
            .is_none_or(|property| context.schemas.fits(property, value));
        if fits {
            doc.set(name, value.clone());
        }
    }
}

/// A change: PUT replaces what can be sent, anything else changes what was sent.
pub(in crate::sandbox) fn update(spec: &Spec, operation: &Operation, request: &Request, doc: &mut Json) {
    let sent = request.body.as_ref().map(Json::members).unwrap_or_default();
    if operation.method == "PUT" {
        for content in operation.body.iter().flat_map(|body| &body.contents) {
            for (name, _) in spec.properties(&content.schema) {
                if !spec.requires(&content.schema, name) && !is_identity(name) {
                    doc.remove(name);
                }
            }
        }
    }
    for (name, value) in sent {
        if !is_identity(name) {
            doc.set(name, value.clone());
        }
    }
}

fn is_identity(name: &str) -> bool {
    matches!(name, "id" | "client_id" | "client_secret")
}

/// The reply about one thing, with the envelope that the example has.
pub(in crate::sandbox) fn entity_reply(context: &Context<'_>, operation: &Operation, record: &Record) -> Option<Json> {
    if !operation.answers_json() {
        return None;
    }
    let schema = &operation.success.content.as_ref()?.schema;
    let example = operation.example();
    let shown = |schema: &Json, example: Option<&Json>| match record.is_raw {
        true => record.doc.clone(),
        false => project(context, schema, &record.doc, example),
    };
    match envelope(context.spec, operation) {
        Some(name) => {
            let inner = context.spec.property(schema, &name)?;
            let entity = shown(inner, example.and_then(|e| e.get(&name)));
            let mut reply = example.cloned().unwrap_or(Json::Object(Vec::new()));
            reply.set(&name, entity);
            Some(reply)
        }
        None => Some(shown(schema, example)),
    }
}

/// The fields of a document that a schema has, in the order of the example.
pub(in crate::sandbox) fn project(context: &Context<'_>, schema: &Json, doc: &Json, example: Option<&Json>) -> Json {
    let spec = context.spec;
    let properties = spec.properties(schema);
    if properties.is_empty() || !matches!(doc, Json::Object(_)) {
        return doc.clone();
    }
    let mut reply = Json::Object(Vec::new());
    for (name, value) in doc.members() {
        match properties.iter().find(|(n, _)| n == name) {
            Some((_, property)) if context.schemas.fits(property, value) => reply.set(name, value.clone()),
            Some(_) => {}
            None if spec.is_open(schema) => reply.set(name, value.clone()),
            None => {}
        }
    }
    for (name, _) in properties {
        if reply.get(name).is_none()
            && spec.requires(schema, name)
            && let Some(value) = example.and_then(|e| e.get(name))
        {
            reply.set(name, value.clone());
        }
    }
    reply
}

/// The thing itself in a reply that may have an envelope around it.
pub(in crate::sandbox) fn entity_of(spec: &Spec, operation: &Operation, reply: &Json) -> Json {
    match envelope(spec, operation) {
        Some(name) => reply.get(&name).cloned().unwrap_or_default(),
        None => reply.clone(),
    }
}

/// The one member that holds the thing: `account`. A member that names the thing's kind is no envelope.
fn envelope(spec: &Spec, operation: &Operation) -> Option<String> {
    let schema = &operation.success.content.as_ref()?.schema;
    if spec.keyword(schema, "x-wrapper-key").is_some() {
        return None;
    }
    let [(name, inner)] = spec.properties(schema)[..] else {
        return None;
    };
    (!spec.properties(inner).is_empty()).then(|| name.to_owned())
}

/// Fields of a view that mean the same as in the thing itself: same name, same schema.
pub(in crate::sandbox) fn same_fields(spec: &Spec, schema: &Json, template: &[Segment]) -> Vec<String> {
    let Some(at) = template.iter().rposition(|s| matches!(s, Segment::Parameter(_))) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for operation in &spec.operations {
        let other = &operation.thing;
        // Operations on the thing, or on the collection it is in.
        let is_of_thing = other.len() <= at + 1 && template.starts_with(other);
        let Some(content) = operation
            .success
            .content
            .as_ref()
            .filter(|_| is_of_thing && !other.is_empty())
        else {
            continue;
        };
        let entity = match envelope(spec, operation).and_then(|name| spec.property(&content.schema, &name)) {
            Some(inner) => inner,
            None => &content.schema,
        };
        for (name, property) in spec.properties(schema) {
            if spec
                .property(entity, name)
                .is_some_and(|theirs| same_schema(spec, theirs, property))
            {
                found.push(name.to_owned());
            }
        }
    }
    found
}

fn same_schema(spec: &Spec, a: &Json, b: &Json) -> bool {
    let of = |schema: &Json| {
        ["type", "enum", "format", "items"].map(|keyword| spec.keyword(schema, keyword).map(Json::to_string))
    };
    of(a) == of(b)
}

/// Where the id is: under the parameter's name, as `id`, or below the key that names the kind.
pub(in crate::sandbox) fn id_of(doc: &Json, parameter: Option<&str>) -> Option<String> {
    let at_top = |doc: &Json| {
        let named = parameter.and_then(|name| doc.get(name)).or_else(|| doc.get("id"));
        let any = || {
            let ids = doc
                .members()
                .iter()
                .filter(|(name, _)| parameter.is_none() && name.ends_with("Id"));
            ids.map(|(_, value)| value).next()
        };
        named.or_else(any).and_then(Json::scalar)
    };
    at_top(doc).or_else(|| match doc.members() {
        [(_, inner)] => at_top(inner),
        _ => None,
    })
}

/// Gives a document an id where [`id_of`] looks for it.
pub(in crate::sandbox) fn set_id(doc: &mut Json, parameter: Option<&str>, id: &str) {
    if matches!(doc, Json::Object(_)) {
        let name = parameter.unwrap_or("id");
        let named_id = if name.ends_with("_id") { "id" } else { name };
        doc.set(named_id, Json::str(id));
    }
}

/// Puts a new id wherever the old one stands: in fields, links, numbers.
pub(in crate::sandbox) fn rename(doc: &mut Json, old: &str, new: &str) {
    if old.is_empty() {
        return;
    }
    match doc {
        Json::String(text) if text == old => new.clone_into(text),
        Json::String(text) if old.len() >= 4 && text.contains(old) => *text = text.replace(old, new),
        Json::Number(digits) if digits == old && new.bytes().all(|b| b.is_ascii_digit()) => new.clone_into(digits),
        Json::Array(items) => items.iter_mut().for_each(|item| rename(item, old, new)),
        Json::Object(members) => members.iter_mut().for_each(|(_, value)| rename(value, old, new)),
        _ => {}
    }
}

/// Whether a field of this name has this value, at any depth.
pub(in crate::sandbox) fn mentions(doc: &Json, name: &str, value: &str) -> bool {
    match doc {
        Json::Object(members) => members
            .iter()
            .any(|(n, v)| (n == name && v.scalar().as_deref() == Some(value)) || mentions(v, name, value)),
        Json::Array(items) => items.iter().any(|item| mentions(item, name, value)),
        _ => false,
    }
}
