//! Parameters that turn out to be no text: in a path or a header what any JSON would do for is one, and what is an object in each of
//! its kinds, which no query and no header carries, is left out where it may be.

use super::elements::{is_true, kind_of};
use crate::dialect::{Loss, Weight};
use crate::json::Json;
use crate::model::METHODS;
use crate::pointer::join;
use crate::references::schema_name;

/// Makes a text of each parameter in a path or a header whose schema says of no type what it is, and leaves out those that may be
/// left out and are objects; what that costs.
pub(super) fn as_texts(root: &mut Json) -> Vec<Loss> {
    let mut losses = Vec::new();
    let mut changed = Vec::new();
    for (path, item) in root.get("paths").map(Json::members).unwrap_or_default() {
        for method in METHODS {
            let pointer = join(&join(&join("/paths", path), method), "parameters");
            let parameters = item.at(&[method, "parameters"]).map(Json::items).unwrap_or_default();
            let mut texts = parameters.to_vec();
            for (index, parameter) in texts.iter_mut().enumerate() {
                let place = parameter.get("in").and_then(Json::as_str);
                let schema = parameter
                    .get("schema")
                    .filter(|_| matches!(place, Some("path" | "header")));
                if schema.is_some_and(|schema| is_any_json(root, schema)) {
                    losses.push(loss(&join(&pointer, &index.to_string()), parameter));
                    parameter.set("schema", Json::object([("type", Json::str("string"))]));
                }
            }
            let mut index = 0;
            texts.retain(|parameter| {
                let at = join(&pointer, &index.to_string());
                index += 1;
                let place = parameter.get("in").and_then(Json::as_str).unwrap_or_default();
                let is_kept = is_true(parameter, "required") || place == "path" || !is_composite(root, parameter);
                if !is_kept {
                    losses.push(composite(&at, parameter, place));
                }
                is_kept
            });
            if texts != parameters {
                changed.push((pointer, Json::Array(texts)));
            }
        }
    }
    for (pointer, parameters) in changed {
        root.set_pointer(&pointer, parameters);
    }
    losses
}

fn loss(pointer: &str, parameter: &Json) -> Loss {
    let name = parameter.get("name").and_then(Json::as_str).unwrap_or_default();
    Loss {
        pointer: pointer.to_owned(),
        weight: Weight::Meaning,
        what: format!("what parameter `{name}` is made of: any JSON would do for it, so it is a text"),
    }
}

fn composite(pointer: &str, parameter: &Json, place: &str) -> Loss {
    let name = parameter.get("name").and_then(Json::as_str).unwrap_or_default();
    Loss {
        pointer: pointer.to_owned(),
        weight: Weight::Meaning,
        what: format!(
            "parameter `{name}`, which is an object or has objects in it, and a {place} carries texts: it can be left out, and is"
        ),
    }
}

/// Whether a schema has no type, whatever other names it has.
fn is_any_json(root: &Json, schema: &Json) -> bool {
    meant(root, schema).is_some_and(|schema| schema.get("type").is_none())
}

/// Whether a parameter is an object, or a list of lists or objects.
fn is_composite(root: &Json, parameter: &Json) -> bool {
    let of = |schema: Option<&Json>, kinds: &[&str]| {
        let schema = schema.and_then(|schema| meant(root, schema));
        let kind = schema
            .filter(|schema| schema.get("x-lenient").is_none())
            .and_then(kind_of);
        kind.is_some_and(|kind| kinds.contains(&kind))
    };
    let schema = parameter.get("schema").and_then(|schema| meant(root, schema));
    of(schema, &["object"])
        || of(schema, &["array"]) && of(schema.and_then(|list| list.get("items")), &["array", "object"])
}

/// The schema that is meant, whatever other names it has.
fn meant<'r>(root: &'r Json, schema: &'r Json) -> Option<&'r Json> {
    let mut here = schema;
    for _ in 0..32 {
        let one = match here.get("allOf").map(Json::items) {
            Some([one]) => one,
            _ => here,
        };
        match schema_name(one) {
            None => return Some(one),
            Some(name) => here = root.at(&["components", "schemas", name])?,
        }
    }
    None
}
