//! A view of the thing above, or a document of its own.

use finrail_spec::json::Json;

use super::reply::{about, document, empty};
use crate::sandbox::http::Reply;
use crate::sandbox::particular::Particular;
use crate::sandbox::refused::Refused;
use crate::sandbox::resource::{Call, Record, Store, same_fields, update};
use crate::sandbox::spec::literal;

pub(super) fn view(store: &mut Store, call: &Call<'_>, particular: &dyn Particular) -> Result<Reply, Refused> {
    let mut reply = about(call);
    if let Some(parent) = store.parent(call.spec, &call.location()) {
        if call.operation.method != "GET" {
            update(call, &mut parent.doc);
        }
        let name = name(call);
        particular.viewed(call, &name, parent)?;
        show(call, &name, parent, &mut reply);
    }
    if !call.operation.answers_json() {
        return Ok(empty(call));
    }
    if let Some(size) = call.query("limit").and_then(|n| n.parse().ok()) {
        shorten(&mut reply, size);
    }
    particular.answered(call, &mut reply)?;
    Ok(document(call, reply))
}

/// What a view is called: the last literal part of its path.
fn name(call: &Call<'_>) -> String {
    call.template().iter().rev().find_map(literal).unwrap_or_default()
}

/// The fields that the view shares with the thing, and those that it has beyond.
fn show(call: &Call<'_>, name: &str, thing: &Record, reply: &mut Json) {
    let shared = call
        .operation
        .reply_schema()
        .map(|schema| same_fields(call, schema))
        .unwrap_or_default();
    for (field, value) in thing.doc.members().iter().filter(|(field, _)| shared.contains(field)) {
        reply.set(field, value.clone());
    }
    for (field, value) in thing.views.get(name).map(Json::members).unwrap_or_default() {
        reply.set(field, value.clone());
    }
}

/// Not more items than `limit` says.
fn shorten(reply: &mut Json, size: usize) {
    let Json::Object(members) = reply else { return };
    for (name, value) in members.iter_mut() {
        match value {
            Json::Array(items) => items.truncate(size),
            Json::Number(digits) if name == "count" => {
                *digits = digits.parse::<usize>().unwrap_or(0).min(size).to_string()
            }
            _ => {}
        }
    }
}
