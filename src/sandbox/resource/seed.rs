//! What exists from the start: made from the examples.

use crate::sandbox::json::Json;
use crate::sandbox::mint;
use crate::sandbox::resource::document::{entity_of, id_of, rename, set_id};
use crate::sandbox::resource::store::{Collection, Record, record};
use crate::sandbox::spec::shape::{Role, item_parameter, items_pointer, operation_at, parameter_example};
use crate::sandbox::spec::{Operation, Segment, Spec};

/// How many items a list below another resource is filled up to, so that it has pages.
const FILLED: usize = 24;

/// What the examples say is there.
pub(in crate::sandbox) fn seed(spec: &Spec, template: &[Segment], path: &[String]) -> Collection {
    let item = operation_at(spec, template, "GET");
    let parameter = item_parameter(spec, template);
    let mut collection = Collection {
        parameter: parameter.clone(),
        records: Vec::new(),
    };
    let known = parameter_example(spec, template);
    let list = spec
        .operations
        .iter()
        .find(|o| o.role == Role::List && o.thing == template);
    if let Some(list) = list {
        let example = list.example().cloned().unwrap_or_default();
        let items = example
            .pointer(&items_pointer(list))
            .map(Json::items)
            .unwrap_or_default();
        for (n, entry) in items.iter().enumerate() {
            let mut doc = entry.clone();
            let id = id_of(&doc, parameter.as_deref()).unwrap_or_else(|| match (&known, n) {
                (Some(known), 0) => known.clone(),
                (Some(known), _) => mint::like(known),
                (None, _) => format!("{}", n + 1),
            });
            if parameter.is_some() && id_of(&doc, parameter.as_deref()).is_none() {
                set_id(&mut doc, parameter.as_deref(), &id);
            }
            collection.records.push(record(id, doc, 0));
        }
    }
    if let Some((item, example)) = item.and_then(|item| Some((item, item.example()?))) {
        let mut doc = entity_of(spec, item, example);
        let id = id_of(&doc, parameter.as_deref()).or(known);
        if let Some(id) = id {
            if id_of(&doc, parameter.as_deref()).is_none() {
                set_id(&mut doc, parameter.as_deref(), &id);
            }
            match collection.records.iter_mut().find(|record| record.id == id) {
                Some(known) => {
                    for (name, value) in doc.members() {
                        merge(&mut known.doc, name, value);
                    }
                }
                None => collection.records.push(record(id, doc, 0)),
            }
        }
    } else if list.is_none()
        && let Some(id) = known
    {
        // Nothing shows it, but its id stands as an example in the path.
        let mut doc = operation_at(spec, template, "POST")
            .and_then(Operation::example)
            .cloned()
            .unwrap_or(Json::Object(Vec::new()));
        if let Some(old) = id_of(&doc, parameter.as_deref()) {
            rename(&mut doc, &old, &id);
        } else {
            set_id(&mut doc, parameter.as_deref(), &id);
        }
        collection.records.push(record(id, doc, 0));
    }
    let is_below = template.iter().any(|s| matches!(s, Segment::Parameter(_)));
    if is_below && parameter.is_none() && list.is_some_and(|l| l.pagination.is_some()) {
        fill(&mut collection.records);
    }
    for record in &mut collection.records {
        for (segment, value) in template.iter().zip(path) {
            if let Segment::Parameter(name) = segment
                && record.doc.get(name).is_some()
            {
                record.doc.set(name, Json::str(value));
            }
        }
    }
    collection
}

/// More of the same, with ids of their own.
fn fill(records: &mut Vec<Record>) {
    let examples = records.len();
    if examples == 0 {
        return;
    }
    for n in examples..FILLED {
        let mut copy = records[n % examples].clone();
        let old = copy.id.clone();
        copy.id = mint::like(&old);
        rename(&mut copy.doc, &old, &copy.id);
        records.push(copy);
    }
}

/// Fields of a fuller example, below a wrapper too.
fn merge(doc: &mut Json, name: &str, value: &Json) {
    match (doc.get_mut(name), value) {
        (Some(Json::Object(_)), Json::Object(members)) => {
            if let Some(inner) = doc.get_mut(name) {
                for (name, value) in members {
                    merge(inner, name, value);
                }
            }
        }
        (Some(_), _) => {}
        (None, _) => doc.set(name, value.clone()),
    }
}
