//! Parameters that any JSON would do for: in a path or a header they are texts.

use crate::dialect::{Loss, Weight};
use crate::json::Json;
use crate::model::METHODS;
use crate::pointer::join;
use crate::references::schema_name;

/// Makes a text of each parameter in a path or a header whose schema says of no type what it is; what that costs.
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

/// Whether a schema has no type, whatever other names it has.
fn is_any_json(root: &Json, schema: &Json) -> bool {
    let mut here = schema;
    for _ in 0..32 {
        let one = match here.get("allOf").map(Json::items) {
            Some([one]) => one,
            _ => here,
        };
        let Some(name) = schema_name(one) else {
            return one.get("type").is_none();
        };
        match root.at(&["components", "schemas", name]) {
            Some(target) => here = target,
            None => return false,
        }
    }
    false
}
