//! Resources: made from the examples, kept while the sandbox runs.
//!
//! What is there at first comes from the examples (`seed.rs`).

use std::collections::BTreeMap;

use finrail_spec::json::Json;

use super::identity::{id_of, mentions, rename, set_id};
use super::location::Location;
use super::record::{Collection, Record};
use super::seed::seed;
use crate::sandbox::mint;
use crate::sandbox::refused::{Refused, refused};
use crate::sandbox::spec::{Role, Segment, Spec, is_version, literal};
use crate::sandbox::unknown::unknown;

/// All resources of one provider.
#[derive(Default)]
pub(in crate::sandbox) struct Store {
    collections: BTreeMap<String, Collection>,
}

impl Store {
    /// The things that exist from the start.
    pub(in crate::sandbox) fn new(spec: &Spec) -> Self {
        let mut store = Self::default();
        for operation in &spec.operations {
            let template = &operation.thing;
            let collection = match operation.role {
                Role::List | Role::Create => &template[..],
                Role::Item => &template[..template.len() - 1],
                Role::View => continue,
            };
            let path: Option<Vec<String>> = collection.iter().map(literal).collect();
            if let Some(path) = path.filter(|_| spec.is_managed(collection)) {
                let template = collection;
                store.open(spec, &Location { template, path });
            }
        }
        store
    }

    // --- where things are

    /// The collection, filled from the examples when it is first asked for.
    pub(in crate::sandbox) fn open(&mut self, spec: &Spec, location: &Location<'_>) -> &mut Collection {
        self.collections
            .entry(location.key())
            .or_insert_with(|| seed(spec, location))
    }

    /// Opens the collections that belong to the same thing above: an id may stand in one of them.
    pub(in crate::sandbox) fn open_beside(&mut self, spec: &Spec, location: &Location<'_>) {
        let above = location.up_to(location.length_above());
        for template in spec.operations.iter().map(|o| &o.thing) {
            let Some(rest) = template.strip_prefix(above.template) else {
                continue;
            };
            let rest: Option<Vec<String>> = rest.iter().map(literal).collect();
            if let Some(rest) = rest.filter(|_| spec.is_managed(template)) {
                let path = above.path.iter().cloned().chain(rest).collect();
                self.open(spec, &Location { template, path });
            }
        }
    }

    /// Forgets everything below a thing.
    pub(in crate::sandbox) fn close_below(&mut self, location: &Location<'_>) {
        let below = format!("{}\n", location.key());
        self.collections.retain(|key, _| !key.starts_with(&below));
    }

    /// A thing by its place; none when the place is no item's.
    fn thing(&mut self, spec: &Spec, location: &Location<'_>) -> Option<&mut Record> {
        let (collection, _, id) = location.item()?;
        self.open(spec, &collection).find_mut(id)
    }

    /// The name of the first thing that the path goes through and that does not exist.
    pub(in crate::sandbox) fn missing_above<'a>(&mut self, spec: &Spec, location: &Location<'a>) -> Option<&'a str> {
        let things = location.things_above(spec);
        let missing = things.iter().find(|thing| self.thing(spec, thing).is_none())?;
        missing.item().map(|(_, name, _)| name)
    }

    /// The nearest thing above the last part of the path.
    pub(in crate::sandbox) fn parent(&mut self, spec: &Spec, location: &Location<'_>) -> Option<&mut Record> {
        let parent = location.things_above(spec).pop()?;
        self.thing(spec, &parent)
    }

    /// The collection at a path, with or without versions; or why there is none.
    fn at(&mut self, spec: &Spec, given: &str) -> Result<&mut Collection, String> {
        let path: Vec<String> = given
            .split('/')
            .filter(|s| !s.is_empty() && !is_version(s))
            .map(str::to_owned)
            .collect();
        let is_at = |template: &[Segment]| {
            template.len() == path.len()
                && template.iter().zip(&path).all(|(t, s)| match t {
                    Segment::Literal(literal) => literal == s,
                    Segment::Parameter(_) => true,
                })
        };
        let things = || {
            spec.operations
                .iter()
                .map(|o| &o.thing[..])
                .filter(|thing| spec.is_managed(thing))
        };
        let Some(template) = things().find(|template| is_at(template)) else {
            let mut known: Vec<String> = things().map(shown).collect();
            known.sort();
            known.dedup();
            return Err(unknown("collection", given, &known));
        };
        let location = Location { template, path };
        for thing in location.things_above(spec) {
            if let (None, Some((_, name, id))) = (self.thing(spec, &thing), thing.item()) {
                return Err(format!(
                    "`{given}` goes through a thing that is not there: no {name} `{id}` exists; put it in first"
                ));
            }
        }
        Ok(self.open(spec, &location))
    }

    // --- what is looked for by a path or a field

    /// Whether something with this id exists, by the name of its path parameter or of a field.
    pub(in crate::sandbox) fn exists(&self, name: &str, value: &str) -> bool {
        self.collections.values().any(|collection| {
            collection.records.iter().any(|record| {
                (collection.parameter.as_deref() == Some(name) && record.id == value)
                    || mentions(&record.doc, name, value)
            })
        })
    }

    /// The first thing whose document has this field with this value, at any depth.
    pub(in crate::sandbox) fn holder(&self, name: &str, value: &str) -> Option<&Json> {
        let records = self.collections.values().flat_map(|collection| &collection.records);
        records.map(|record| &record.doc).find(|doc| mentions(doc, name, value))
    }

    /// Everything that has this id, or this field with this value.
    pub(in crate::sandbox) fn find_mut(&mut self, name: &str, value: &str) -> Vec<&mut Record> {
        self.collections
            .values_mut()
            .flat_map(|collection| {
                let is_id = collection.parameter.as_deref() == Some(name);
                collection
                    .records
                    .iter_mut()
                    .filter(move |record| (is_id && record.id == value) || mentions(&record.doc, name, value))
            })
            .collect()
    }

    /// The records of a collection that was there from the start.
    pub(in crate::sandbox) fn records_mut(&mut self, path: &str) -> &mut [Record] {
        match self.collections.get_mut(&key(path)) {
            Some(collection) => &mut collection.records,
            None => &mut [],
        }
    }

    /// A thing of such a collection, by its id.
    pub(in crate::sandbox) fn record(&self, path: &str, id: &str) -> Option<&Record> {
        self.collections.get(&key(path))?.find(id)
    }

    /// A document of such a collection, by its id.
    pub(in crate::sandbox) fn get(&self, path: &str, id: &str) -> Option<&Json> {
        self.record(path, id).map(|record| &record.doc)
    }

    /// The ids of what is in a collection, the oldest first; or why the path is no collection.
    pub(in crate::sandbox) fn ids(&mut self, spec: &Spec, path: &str) -> Result<Vec<String>, String> {
        let records = &self.at(spec, path)?.records;
        Ok(records.iter().map(|record| record.id.clone()).collect())
    }

    /// What a document names in this member must be in such a collection.
    pub(in crate::sandbox) fn check_named(&self, doc: &Json, member: &str, path: &str) -> Result<(), Refused> {
        match doc.get(member).and_then(Json::scalar) {
            Some(id) if self.record(path, &id).is_none() => Err(refused(400, format!("no {member} like this exists"))),
            _ => Ok(()),
        }
    }

    /// Puts a document into a collection, as if it had been created; gives its id, or why the path is no collection.
    pub(in crate::sandbox) fn put(&mut self, spec: &Spec, path: &str, mut doc: Json) -> Result<String, String> {
        let collection = self.at(spec, path)?;
        let parameter = collection.parameter.clone();
        let id = id_of(&doc, parameter.as_deref()).unwrap_or_else(|| mint::like(""));
        if id_of(&doc, parameter.as_deref()).is_none() {
            set_id(&mut doc, parameter.as_deref(), &id);
        }
        collection.records.retain(|record| record.id != id);
        collection.records.push(Record {
            is_raw: true,
            ..Record::new(id.clone(), doc, 0)
        });
        Ok(id)
    }

    /// The id of the first thing of a collection.
    pub(in crate::sandbox) fn first_id(&self, path: &str) -> Option<String> {
        Some(self.collections.get(&key(path))?.records.first()?.id.clone())
    }

    /// Puts a copy of the first thing of a collection beside it, with an id of its own and these fields.
    pub(in crate::sandbox) fn copy_first(&mut self, spec: &Spec, path: &str, fields: &[(&str, Json)]) {
        let Some(first) = self
            .collections
            .get(&key(path))
            .and_then(|collection| collection.records.first())
        else {
            return;
        };
        let (mut doc, old) = (first.doc.clone(), first.id.clone());
        rename(&mut doc, &old, &mint::like(&old));
        for (name, value) in fields {
            doc.set(name, value.clone());
        }
        // The path is one of the sandbox's own.
        let _ = self.put(spec, path, doc);
    }
}

/// `/accounts/{accountId}/transactions`
fn shown(template: &[Segment]) -> String {
    let part = |segment: &Segment| match segment {
        Segment::Literal(literal) => format!("/{literal}"),
        Segment::Parameter(name) => format!("/{{{name}}}"),
    };
    template.iter().map(part).collect()
}

/// What a collection that was there from the start is kept under.
fn key(path: &str) -> String {
    path.trim_start_matches('/').replace('/', "\n")
}
