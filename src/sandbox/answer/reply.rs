//! The reply of an operation: its document, its media type, its status.

use finrail_spec::json::Json;

use crate::sandbox::http::Reply;
use crate::sandbox::resource::{Call, Record, entity_reply, rename};

/// The example of the reply, about what the path names and not about what the example's path names.
pub(super) fn about(call: &Call<'_>) -> Json {
    // Without an example there still is something to put into.
    let mut reply = call.operation.example().cloned().unwrap_or(Json::Object(Vec::new()));
    for parameter in &call.operation.parameters {
        let example = parameter.example.as_ref().and_then(Json::scalar);
        if let (Some(example), Some(actual)) = (example, call.request.path_value(&parameter.name)) {
            rename(&mut reply, &example, actual);
        }
    }
    reply
}

/// A document, with the status of the specification or else 200.
pub(super) fn document(call: &Call<'_>, json: Json) -> Reply {
    Reply::json(status(call, 200), media_type(call), json)
}

/// The document of what was created.
pub(super) fn created(call: &Call<'_>, json: Json) -> Reply {
    Reply::json(status(call, 201), media_type(call), json)
}

/// No document: 204 where the specification only says that it is a success.
pub(super) fn empty(call: &Call<'_>) -> Reply {
    Reply::empty(status(call, 204))
}

/// The reply when something was done to a thing: the thing, where the operation answers with it.
pub(super) fn acknowledgement(call: &Call<'_>, record: &Record) -> Reply {
    match entity_reply(call, record) {
        Some(reply) => document(call, reply),
        None => empty(call),
    }
}

fn media_type<'a>(call: &Call<'a>) -> &'a str {
    let content = call.operation.success_content();
    content.map_or("application/json", |content| &content.media_type)
}

/// The specification may say `2XX`.
pub(super) fn status(call: &Call<'_>, otherwise: u16) -> u16 {
    call.operation.success_status().parse().unwrap_or(otherwise)
}
