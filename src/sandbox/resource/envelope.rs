//! Replies that have one thing inside an envelope.

use finrail_spec::json::Json;

use crate::sandbox::spec::{Operation, Spec};

/// The thing itself in a reply that may have an envelope around it.
pub(in crate::sandbox) fn entity_of(spec: &Spec, operation: &Operation, reply: &Json) -> Json {
    match envelope(spec, operation) {
        Some(name) => reply.get(&name).cloned().unwrap_or_default(),
        None => reply.clone(),
    }
}

/// The one member that holds the thing: `account`. A member that names the thing's kind is no envelope.
pub(super) fn envelope(spec: &Spec, operation: &Operation) -> Option<String> {
    let schema = operation.reply_schema()?;
    if spec.document.keyword(schema, "x-wrapper-key").is_some() {
        return None;
    }
    let [(name, inner)] = spec.document.properties(schema)[..] else {
        return None;
    };
    (!spec.document.properties(inner).is_empty()).then(|| name.to_owned())
}
