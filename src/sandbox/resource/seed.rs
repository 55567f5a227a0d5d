//! What exists from the start: made from the examples.

use finrail_spec::json::Json;

use super::envelope::entity_of;
use super::identity::{id_of, rename, set_id};
use super::location::Location;
use super::record::{Collection, Record};
use crate::sandbox::mint;
use crate::sandbox::spec::{Operation, Segment, Spec};

/// How many items a list below another resource is filled up to, so that it has pages.
const FILLED: usize = 24;

/// What the examples say is there.
pub(super) fn seed(spec: &Spec, location: &Location<'_>) -> Collection {
    let template = location.template;
    let mut collection = Collection {
        parameter: spec.item_parameter(template).map(str::to_owned),
        records: Vec::new(),
    };
    let known = spec.example_id(template);
    let list = spec.lists(template);
    if let Some(list) = list {
        add_listed(&mut collection, list, known.as_deref());
    }
    let item = spec.reads_item(template).and_then(|item| Some((item, item.example()?)));
    match (item, known) {
        (Some((item, example)), known) => add_item(&mut collection, entity_of(spec, item, example), known),
        (None, Some(id)) if list.is_none() => add_unseen(&mut collection, spec.posts_to(template), id),
        _ => {}
    }
    let is_below = template.iter().any(|s| matches!(s, Segment::Parameter(_)));
    if is_below && collection.parameter.is_none() && list.is_some_and(|l| l.pagination.is_some()) {
        fill(&mut collection.records);
    }
    for record in &mut collection.records {
        name_above(record, location);
    }
    collection
}

/// The items of the example of the list.
fn add_listed(collection: &mut Collection, list: &Operation, known: Option<&str>) {
    let parameter = collection.parameter.as_deref();
    let items = list
        .example()
        .and_then(|example| example.pointer(&list.items_pointer()));
    for (n, entry) in items.map(Json::items).unwrap_or_default().iter().enumerate() {
        let mut doc = entry.clone();
        let own = id_of(&doc, parameter);
        let is_nameless = own.is_none();
        let id = own.unwrap_or_else(|| match (known, n) {
            (Some(known), 0) => known.to_owned(),
            (Some(known), _) => mint::like(known),
            (None, _) => format!("{}", n + 1),
        });
        if is_nameless && parameter.is_some() {
            set_id(&mut doc, parameter, &id);
        }
        collection.records.push(Record::new(id, doc, 0));
    }
}

/// The example of an item, which may be in the list already, with fewer fields.
fn add_item(collection: &mut Collection, mut doc: Json, known: Option<String>) {
    let parameter = collection.parameter.clone();
    let own = id_of(&doc, parameter.as_deref());
    let is_nameless = own.is_none();
    let Some(id) = own.or(known) else { return };
    if is_nameless {
        set_id(&mut doc, parameter.as_deref(), &id);
    }
    match collection.find_mut(&id) {
        Some(listed) => {
            for (name, value) in doc.members() {
                merge(&mut listed.doc, name, value);
            }
        }
        None => collection.records.push(Record::new(id, doc, 0)),
    }
}

/// Nothing shows it, but its id stands as an example in the path.
fn add_unseen(collection: &mut Collection, create: Option<&Operation>, id: String) {
    let parameter = collection.parameter.as_deref();
    let example = create.and_then(Operation::example).cloned();
    let mut doc = example.unwrap_or(Json::Object(Vec::new()));
    match id_of(&doc, parameter) {
        Some(old) => rename(&mut doc, &old, &id),
        None => set_id(&mut doc, parameter, &id),
    }
    collection.records.push(Record::new(id, doc, 0));
}

/// The fields that name what the thing is below.
fn name_above(record: &mut Record, location: &Location<'_>) {
    for (segment, value) in location.template.iter().zip(&location.path) {
        if let Segment::Parameter(name) = segment
            && record.doc.get(name).is_some()
        {
            record.doc.set(name, Json::str(value));
        }
    }
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
