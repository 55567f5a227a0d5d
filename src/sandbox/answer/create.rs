//! A new thing in a collection.

use finrail_spec::json::Json;

use super::reply::{created, status};
use crate::sandbox::clock::timestamp;
use crate::sandbox::http::Reply;
use crate::sandbox::mint;
use crate::sandbox::particular::Particular;
use crate::sandbox::refused::Refused;
use crate::sandbox::resource::{Call, Record, Store, entity_of, entity_reply, id_of, overlay, rename, set_id};

pub(super) fn create(store: &mut Store, call: &Call<'_>, particular: &dyn Particular) -> Result<Reply, Refused> {
    particular.check_references(store, call)?;
    let collection = store.open(call.spec, &call.location());
    let mut new = compose(call, collection.parameter.as_deref());
    particular.created(call, &mut new)?;
    let mut reply = entity_reply(call, &new);
    if let Some(reply) = &mut reply {
        particular.acknowledged(call, reply);
    }
    collection.records.push(new);
    Ok(match reply {
        Some(reply) => created(call, reply),
        None => Reply::empty(status(call, 200)),
    })
}

/// A new thing: the examples, with what was sent in place of what they say.
fn compose(call: &Call<'_>, parameter: Option<&str>) -> Record {
    let (spec, operation) = (call.spec, call.operation);
    let item = spec.reads_item(call.template());
    let mut doc = item
        .and_then(|item| item.example().map(|example| entity_of(spec, item, example)))
        .unwrap_or(Json::Object(Vec::new()));
    let example = operation
        .example()
        .map(|example| entity_of(spec, operation, example))
        .unwrap_or_default();
    for (name, value) in example.members() {
        doc.set(name, value.clone());
    }
    overlay(call, &mut doc);
    for (name, value) in example.members() {
        name_anew(call, &mut doc, name, value);
    }
    let id = own_id(call, &mut doc, &example, parameter);
    stamp(&mut doc, call.now);
    Record::new(id, doc, call.now)
}

/// What the provider names anew: its ids, its secrets.
fn name_anew(call: &Call<'_>, doc: &mut Json, name: &str, value: &Json) {
    let Some(old) = value.as_str().filter(|_| !is_sent(call, name)) else {
        return;
    };
    if is_secret(call, name) {
        rename(doc, old, &mint::secret(old, 40));
    } else if is_id(name) {
        rename(doc, old, &mint::like(old));
    }
}

/// The id of the new document, made now where [`name_anew`] did not make it.
fn own_id(call: &Call<'_>, doc: &mut Json, example: &Json, parameter: Option<&str>) -> String {
    let Some(old) = id_of(doc, parameter) else {
        let new = mint::like(&call.spec.example_id(call.template()).unwrap_or_default());
        set_id(doc, parameter, &new);
        return new;
    };
    let is_fresh =
        |(name, value): &(String, Json)| is_id(name) && value.as_str() != Some(old.as_str()) && !is_sent(call, name);
    if example.members().iter().any(is_fresh) {
        return old;
    }
    let new = mint::like(&old);
    rename(doc, &old, &new);
    new
}

fn is_sent(call: &Call<'_>, name: &str) -> bool {
    call.sent().iter().any(|(sent, _)| sent == name)
}

fn is_id(name: &str) -> bool {
    name.ends_with("Id") || name.ends_with("_id")
}

fn is_secret(call: &Call<'_>, name: &str) -> bool {
    let document = &call.spec.document;
    let reply = call.operation.reply_schema();
    let property = reply.and_then(|schema| document.property(schema, name));
    let format = property.and_then(|property| document.keyword(property, "format"));
    format.and_then(Json::as_str) == Some("password")
}

/// Dates of birth: the fields that say when a thing was made.
fn stamp(doc: &mut Json, now: u64) {
    for name in ["created_at", "createdAt", "client_id_issued_at", "statusDateTime"] {
        match doc.get(name) {
            Some(Json::Number(_)) => doc.set(name, Json::Number((now / 1000).to_string())),
            Some(Json::String(_)) => doc.set(name, Json::str(timestamp(now))),
            _ => {}
        }
    }
}
