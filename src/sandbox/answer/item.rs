//! One thing: read, changed, deleted.

use super::reply::{acknowledgement, document};
use super::view::view;
use crate::sandbox::http::Reply;
use crate::sandbox::particular::Particular;
use crate::sandbox::refused::{Refused, refused};
use crate::sandbox::resource::{Call, Location, Store, entity_reply, mentions, update};
use crate::sandbox::spec::Operation;

pub(super) fn item(store: &mut Store, call: &Call<'_>, particular: &dyn Particular) -> Result<Reply, Refused> {
    let location = call.location();
    let Some((collection, name, id)) = location.item() else {
        return Err(refused(404, "not found"));
    };
    if !call.spec.is_managed(collection.template) {
        return part(store, call, particular, &location);
    }
    let held = store.open(call.spec, &collection);
    let record = held.find_mut(id).ok_or_else(|| missing(name))?;
    if call.operation.method == "DELETE" {
        let is_kept = particular.outlives_deletion(call, record)?;
        let reply = acknowledgement(call, record);
        if !is_kept {
            held.remove(id);
            store.close_below(&location);
        }
        return Ok(reply);
    }
    if call.operation.method == "GET" {
        particular.read(call, record);
    } else {
        update(call, &mut record.doc);
        particular.updated(call, record);
    }
    if !call.operation.answers_json() {
        return Ok(acknowledgement(call, record));
    }
    Ok(document(call, entity_reply(call, record).unwrap_or_default()))
}

fn missing(name: &str) -> Refused {
    refused(404, format!("no {name} like this exists"))
}

/// Something with an id that is a part of another thing, or that is worked out from its path.
fn part(
    store: &mut Store,
    call: &Call<'_>,
    particular: &dyn Particular,
    location: &Location<'_>,
) -> Result<Reply, Refused> {
    let Some((_, name, id)) = location.item() else {
        return Err(refused(404, "not found"));
    };
    store.open_beside(call.spec, location);
    let parent = store.parent(call.spec, location);
    let of_parent = parent.and_then(|parent| parent.doc.get(name).map(|own| own.as_str() == Some(id)));
    let exists = of_parent.unwrap_or_else(|| !is_named(call, name) || store.exists(name, id));
    if !exists {
        return Err(missing(name));
    }
    match particular.worked_out(call, store)? {
        Some(reply) => Ok(reply),
        None => view(store, call, particular),
    }
}

/// Whether some reply shows an id of this name, so that it cannot be made up by the caller.
fn is_named(call: &Call<'_>, name: &str) -> bool {
    let parameter = call.operation.parameter(name);
    let example = parameter.and_then(|parameter| parameter.example.as_ref()?.scalar());
    example.is_some_and(|value| {
        let mut examples = call.spec.operations.iter().filter_map(Operation::example);
        examples.any(|example| mentions(example, name, &value))
    })
}
