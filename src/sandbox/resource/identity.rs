//! Ids in documents: where they stand, and how another takes their place.

use finrail_spec::json::Json;

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
