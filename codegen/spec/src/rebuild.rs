//! Documents rebuilt object by object, by the [grammar](crate::grammar) of OpenAPI, with their digits kept.

use crate::grammar::{Child, Kind};
use crate::json::Json;
use crate::pointer::join;

/// Rebuilds what stands under the fields of an object of OpenAPI: `change` gets every object of a kind that is looked into, with
/// its pointer, and `None` leaves it to this.
pub(crate) fn rebuilt(
    kind: Kind,
    json: &Json,
    pointer: &str,
    change: &mut dyn FnMut(Kind, &Json, &str) -> Option<Json>,
) -> Json {
    match change(kind, json, pointer) {
        Some(changed) => changed,
        None => below(kind, json, pointer, change),
    }
}

/// Every object of OpenAPI changed, from the outermost on: what stands in it is what it was changed to.
pub(crate) fn edited(kind: Kind, json: &Json, pointer: &str, change: &mut dyn FnMut(Kind, &Json) -> Json) -> Json {
    let json = change(kind, json);
    below(kind, &json, pointer, &mut |kind, json, pointer| {
        Some(edited(kind, json, pointer, change))
    })
}

/// The same for what stands under the fields of an object, and not for the object itself.
pub(crate) fn below(
    kind: Kind,
    json: &Json,
    pointer: &str,
    change: &mut dyn FnMut(Kind, &Json, &str) -> Option<Json>,
) -> Json {
    let Json::Object(members) = json else {
        return json.clone();
    };
    let rebuilt = members.iter().map(|(name, value)| {
        let child = kind.fields().iter().find(|(field, _)| field == name);
        let at = join(pointer, name);
        let value = match (child.map_or(Child::Free, |(_, child)| *child), value) {
            (Child::One(kind), value) => rebuilt(kind, value, &at, change),
            (Child::SchemaOrBool, value) => rebuilt(Kind::Schema, value, &at, change),
            (Child::List(kind), Json::Array(items)) => Json::Array(
                items
                    .iter()
                    .enumerate()
                    .map(|(n, item)| self::rebuilt(kind, item, &format!("{at}/{n}"), change))
                    .collect(),
            ),
            (Child::Map(kind) | Child::Sorted(kind), Json::Object(entries)) => Json::Object(
                entries
                    .iter()
                    .map(|(name, entry)| (name.clone(), self::rebuilt(kind, entry, &join(&at, name), change)))
                    .collect(),
            ),
            _ => value.clone(),
        };
        (name.clone(), value)
    });
    Json::Object(rebuilt.collect())
}
