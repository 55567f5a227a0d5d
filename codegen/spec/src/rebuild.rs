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
    if let Some(changed) = change(kind, json, pointer) {
        return changed;
    }
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
