//! Resources: made from the examples, kept while the sandbox runs.
//!
//! What an operation does follows from its path (`shape.rs`), what is there at first from the
//! examples (`seed.rs`), what a reply shows from its schema (`document.rs`).

use std::collections::BTreeMap;

use crate::sandbox::http::Reply;
use crate::sandbox::json::Json;
use crate::sandbox::mint;
use crate::sandbox::particular;
use crate::sandbox::request::Request;
use crate::sandbox::resource::document::{
    entity_of, entity_reply, id_of, mentions, overlay, project, rename, same_fields, set_id, update,
};
use crate::sandbox::resource::filter::{check_ranges, passes};
use crate::sandbox::resource::paging::Page;
use crate::sandbox::resource::seed::seed;
use crate::sandbox::spec::schema::Schemas;
use crate::sandbox::spec::shape::{
    Role, filled, is_managed, is_named, is_version, items_pointer, literal, operation_at, parameter_example, view_name,
};
use crate::sandbox::spec::{Operation, Segment, Spec};

/// One thing that can be read, changed and deleted.
#[derive(Clone)]
pub(in crate::sandbox) struct Record {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) doc: Json,
    /// What its views say beyond the document: `sync` and its fields.
    pub(in crate::sandbox) views: BTreeMap<String, Json>,
    /// When it was created, or last did what its provider limits; milliseconds of the sandbox's clock.
    pub(in crate::sandbox) since: u64,
    /// Put in by a test: shown as it is, whatever its schema says.
    pub(in crate::sandbox) is_raw: bool,
}

#[derive(Default)]
pub(in crate::sandbox) struct Collection {
    /// Name of the path parameter that takes the id.
    pub(in crate::sandbox) parameter: Option<String>,
    pub(in crate::sandbox) records: Vec<Record>,
}

/// All resources of one provider.
#[derive(Default)]
pub(in crate::sandbox) struct Store {
    collections: BTreeMap<String, Collection>,
}

/// Why a call for a resource is refused.
#[derive(Debug)]
pub(in crate::sandbox) struct Refused {
    pub(in crate::sandbox) status: u16,
    /// The provider's own code, where it is another than the status has.
    pub(in crate::sandbox) code: Option<&'static str>,
    pub(in crate::sandbox) message: String,
}

pub(in crate::sandbox) fn refused(status: u16, message: impl Into<String>) -> Refused {
    Refused {
        status,
        code: None,
        message: message.into(),
    }
}

/// What a call needs beside the store.
pub(in crate::sandbox) struct Context<'a> {
    pub(in crate::sandbox) spec: &'a Spec,
    pub(in crate::sandbox) schemas: &'a Schemas,
    /// Address of the resources, as the client knows it.
    pub(in crate::sandbox) base: &'a str,
    /// Address of pages that belong to a bank and not to the provider.
    pub(in crate::sandbox) bank: &'a str,
    /// Milliseconds since 1970 by the sandbox's clock.
    pub(in crate::sandbox) now: u64,
    /// Id of the client that calls.
    pub(in crate::sandbox) client: &'a str,
    /// For whom it calls, unless it is the sandbox's own user.
    pub(in crate::sandbox) other_user: Option<&'a str>,
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
            if is_managed(spec, collection) && collection.iter().all(|s| matches!(s, Segment::Literal(_))) {
                let path: Vec<String> = collection.iter().filter_map(literal).collect();
                store.open(spec, collection, &path);
            }
        }
        store
    }

    /// Answers a call.
    pub(in crate::sandbox) fn answer(
        &mut self,
        context: &Context<'_>,
        operation: &Operation,
        request: &Request,
    ) -> Result<Reply, Refused> {
        let spec = context.spec;
        let template = &operation.thing;
        let path = filled(template, request);
        self.check_parents(spec, template, &path)?;
        match operation.role {
            Role::List => self.list(context, operation, request, template, &path),
            Role::Create => self.create(context, operation, request, template, &path),
            Role::Item => self.item(context, operation, request, template, &path),
            Role::View => self.view(context, operation, request, template, &path),
        }
    }

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

    /// A document of such a collection, by its id.
    pub(in crate::sandbox) fn get(&self, path: &str, id: &str) -> Option<&Json> {
        let records = &self.collections.get(&key(path))?.records;
        records.iter().find(|record| record.id == id).map(|record| &record.doc)
    }

    /// Whether such a collection has a thing with this id.
    pub(in crate::sandbox) fn has(&self, path: &str, id: &str) -> bool {
        self.get(path, id).is_some()
    }

    /// The ids of what is in a collection, the oldest first; none when the path is no collection.
    pub(in crate::sandbox) fn ids(&mut self, spec: &Spec, path: &str) -> Vec<String> {
        let records = self.at(spec, path).map(|collection| &collection.records);
        records.into_iter().flatten().map(|record| record.id.clone()).collect()
    }

    /// The collection at a path without versions.
    fn at(&mut self, spec: &Spec, path: &str) -> Option<&mut Collection> {
        let segments: Vec<String> = path
            .split('/')
            .filter(|s| !s.is_empty() && !is_version(s))
            .map(str::to_owned)
            .collect();
        let template = spec.operations.iter().map(|o| &o.thing).find(|template| {
            template.len() == segments.len()
                && template.iter().zip(&segments).all(|(t, s)| match t {
                    Segment::Literal(literal) => literal == s,
                    Segment::Parameter(_) => true,
                })
                && is_managed(spec, template)
        })?;
        Some(self.open(spec, template, &segments))
    }

    /// Puts a document into a collection, as if it had been created; gives its id.
    pub(in crate::sandbox) fn put(&mut self, spec: &Spec, path: &str, mut doc: Json) -> Option<String> {
        let collection = self.at(spec, path)?;
        let parameter = collection.parameter.clone();
        let id = id_of(&doc, parameter.as_deref()).unwrap_or_else(|| mint::like(""));
        if id_of(&doc, parameter.as_deref()).is_none() {
            set_id(&mut doc, parameter.as_deref(), &id);
        }
        collection.records.retain(|record| record.id != id);
        collection.records.push(Record {
            is_raw: true,
            ..record(id.clone(), doc, 0)
        });
        Some(id)
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
        self.put(spec, path, doc);
    }

    // --- what operations do

    fn list(
        &mut self,
        context: &Context<'_>,
        operation: &Operation,
        request: &Request,
        template: &[Segment],
        path: &[String],
    ) -> Result<Reply, Refused> {
        let spec = context.spec;
        check_ranges(spec, operation, request).map_err(|why| refused(400, why))?;
        particular::check_query(spec, operation, request)?;
        let above = self.parent(spec, template, path).map(|parent| parent.doc.clone());
        particular::check_opened(spec, self, operation, above.as_ref())?;
        let collection = self.open(spec, template, path);
        let chosen: Vec<&Record> = collection
            .records
            .iter()
            .filter(|record| {
                particular::is_listed(spec, operation, request, &record.doc) && passes(operation, request, &record.doc)
            })
            .collect();
        let position = |id: &str| chosen.iter().position(|record| record.id == id);
        let page = Page::of(operation, request, chosen.len(), &position).map_err(|why| refused(400, why))?;

        let mut reply = about(operation, request);
        let pointer = items_pointer(operation);
        let schema = operation.success.content.as_ref().map(|c| &c.schema);
        let item_schema = schema
            .and_then(|schema| schema_at(spec, schema, &pointer))
            .and_then(|list| spec.keyword(list, "items"));
        let items = page
            .cut(&chosen)
            .iter()
            .map(|record| {
                let mut item = match item_schema {
                    Some(schema) if !record.is_raw => project(context, schema, &record.doc, None),
                    _ => record.doc.clone(),
                };
                particular::shorten_item(spec, operation, request, &mut item);
                item
            })
            .collect();
        if pointer.is_empty() {
            reply = Json::Array(items);
        } else {
            reply.set_pointer(&pointer, Json::Array(items));
        }
        particular::listed(spec, operation, above.as_ref(), &mut reply);
        let address = link_address(context, operation, request);
        page.describe(operation, request, &mut reply, &address, &|at| {
            chosen.get(at).map(|r| r.id.clone())
        });
        Ok(document(operation, success_status(operation), reply))
    }

    fn create(
        &mut self,
        context: &Context<'_>,
        operation: &Operation,
        request: &Request,
        template: &[Segment],
        path: &[String],
    ) -> Result<Reply, Refused> {
        let spec = context.spec;
        particular::check_references(spec, self, operation, request)?;
        let mut created = self.compose(context, operation, request, template, path);
        particular::created(context, operation, request, &mut created)?;
        let mut reply = entity_reply(context, operation, &created);
        if let Some(reply) = &mut reply {
            particular::acknowledged(context, operation, reply);
        }
        let collection = self.open(spec, template, path);
        collection.records.push(created);
        Ok(match reply {
            Some(reply) => document(operation, create_status(operation), reply),
            None => Reply::empty(success_status(operation)),
        })
    }

    fn item(
        &mut self,
        context: &Context<'_>,
        operation: &Operation,
        request: &Request,
        template: &[Segment],
        path: &[String],
    ) -> Result<Reply, Refused> {
        let spec = context.spec;
        let (Some((id, above)), Some((Segment::Parameter(name), collection))) =
            (path.split_last(), template.split_last())
        else {
            return Err(refused(404, "not found"));
        };
        if !is_managed(spec, collection) {
            return self.part(context, operation, request, template, path, name, id);
        }
        let not_found = || refused(404, format!("no {name} like this exists"));
        let held = self.open(spec, collection, above);
        let at = held
            .records
            .iter()
            .position(|record| record.id == *id)
            .ok_or_else(not_found)?;
        if operation.method == "DELETE" {
            if let Some(record) = held.records.get_mut(at)
                && particular::outlives_deletion(context, operation, record)?
            {
                return Ok(acknowledgement(context, operation, record));
            }
            let gone = held.records.remove(at);
            self.close_below(path);
            return Ok(acknowledgement(context, operation, &gone));
        }
        let Some(record) = held.records.get_mut(at) else {
            return Err(not_found());
        };
        if operation.method != "GET" {
            self::update(spec, operation, request, &mut record.doc);
            particular::updated(context, operation, record);
        } else {
            particular::read(context, operation, record);
        }
        if !operation.answers_json() {
            return Ok(acknowledgement(context, operation, record));
        }
        let reply = entity_reply(context, operation, record).unwrap_or_default();
        Ok(document(operation, success_status(operation), reply))
    }

    /// Something with an id that is a part of another thing, or that is worked out from its path.
    #[allow(clippy::too_many_arguments)]
    fn part(
        &mut self,
        context: &Context<'_>,
        operation: &Operation,
        request: &Request,
        template: &[Segment],
        path: &[String],
        name: &str,
        id: &str,
    ) -> Result<Reply, Refused> {
        let spec = context.spec;
        let not_found = || refused(404, format!("no {name} like this exists"));
        self.open_beside(spec, template, path);
        let of_parent = self
            .parent(spec, template, path)
            .and_then(|parent| parent.doc.get(name).map(|own| own.as_str() == Some(id)));
        match of_parent {
            Some(false) => return Err(not_found()),
            Some(true) => {}
            None if is_named(spec, operation, name) && !self.exists(name, id) => return Err(not_found()),
            None => {}
        }
        if let Some(reply) = particular::worked_out(context, operation, request, self)? {
            return Ok(reply);
        }
        self.view(context, operation, request, template, path)
    }

    /// A view of the thing above, or a document of its own.
    fn view(
        &mut self,
        context: &Context<'_>,
        operation: &Operation,
        request: &Request,
        template: &[Segment],
        path: &[String],
    ) -> Result<Reply, Refused> {
        let spec = context.spec;
        let status = success_status(operation);
        let name = view_name(template);
        let mut reply = about(operation, request);
        let schema = operation.success.content.as_ref().map(|c| c.schema.clone());
        if let Some(parent) = self.parent(spec, template, path) {
            if operation.method != "GET" {
                update(spec, operation, request, &mut parent.doc);
            }
            particular::viewed(context, operation, &name, parent)?;
            let own = parent.views.get(&name).cloned().unwrap_or_default();
            if let Some(schema) = &schema {
                let known = same_fields(spec, schema, template);
                for (field, value) in parent.doc.members() {
                    if known.contains(field) {
                        reply.set(field, value.clone());
                    }
                }
            }
            for (field, value) in own.members() {
                reply.set(field, value.clone());
            }
        }
        if !operation.answers_json() {
            return Ok(Reply::empty(empty_status(operation)));
        }
        if let Some(size) = request.query_value("limit").and_then(|n| n.parse::<usize>().ok()) {
            shorten(&mut reply, size);
        }
        particular::answered(context, operation, request, &mut reply)?;
        Ok(document(operation, status, reply))
    }

    // --- where things are

    /// The collection, filled from the examples when it is first asked for.
    fn open(&mut self, spec: &Spec, template: &[Segment], path: &[String]) -> &mut Collection {
        self.collections
            .entry(path.join("\n"))
            .or_insert_with(|| seed(spec, template, path))
    }

    /// Opens the collections that belong to the same thing above: an id may stand in one of them.
    fn open_beside(&mut self, spec: &Spec, template: &[Segment], path: &[String]) {
        let above = template.len().saturating_sub(1);
        let above = (0..above)
            .rev()
            .find(|at| matches!(template.get(*at), Some(Segment::Parameter(_))))
            .map_or(0, |at| at + 1);
        for other in spec.operations.iter().map(|o| &o.thing) {
            let (Some(shared), Some(rest)) = (other.get(..above), other.get(above..)) else {
                continue;
            };
            let rest: Option<Vec<String>> = rest.iter().map(literal).collect();
            if let Some(rest) = rest.filter(|_| shared == &template[..above] && is_managed(spec, other)) {
                let path: Vec<String> = path[..above].iter().cloned().chain(rest).collect();
                self.open(spec, other, &path);
            }
        }
    }

    fn close_below(&mut self, path: &[String]) {
        let below = format!("{}\n", path.join("\n"));
        self.collections.retain(|key, _| !key.starts_with(&below));
    }

    /// Every thing that the path goes through must exist.
    fn check_parents(&mut self, spec: &Spec, template: &[Segment], path: &[String]) -> Result<(), Refused> {
        for at in 1..template.len().saturating_sub(1) {
            let Some(Segment::Parameter(name)) = template.get(at) else {
                continue;
            };
            let (collection, above) = (&template[..at], &path[..at]);
            if !is_managed(spec, collection) {
                continue;
            }
            let held = self.open(spec, collection, above);
            if !held.records.iter().any(|record| path.get(at) == Some(&record.id)) {
                return Err(Refused {
                    code: particular::missing(spec, template, name),
                    ..refused(404, format!("no {name} like this exists"))
                });
            }
        }
        Ok(())
    }

    /// The nearest thing above the last part of the path.
    fn parent(&mut self, spec: &Spec, template: &[Segment], path: &[String]) -> Option<&mut Record> {
        let at = (1..template.len().saturating_sub(1)).rev().find(|at| {
            matches!(template.get(*at), Some(Segment::Parameter(_))) && is_managed(spec, &template[..*at])
        })?;
        let id = path.get(at)?.clone();
        let held = self.open(spec, &template[..at], &path[..at]);
        held.records.iter_mut().find(|record| record.id == id)
    }

    /// A new thing: the examples, with what was sent in place of what they say.
    fn compose(
        &mut self,
        context: &Context<'_>,
        operation: &Operation,
        request: &Request,
        template: &[Segment],
        path: &[String],
    ) -> Record {
        let spec = context.spec;
        let item = operation_at(spec, template, "GET");
        let parameter = self.open(spec, template, path).parameter.clone();
        let mut doc = item
            .and_then(|item| item.example().map(|example| entity_of(spec, item, example)))
            .unwrap_or(Json::Object(Vec::new()));
        let example = operation
            .example()
            .map(|example| entity_of(spec, operation, example))
            .unwrap_or_default();
        for (name, value) in example.members() {
            doc.set(name, value.clone());
        }
        let schema = operation.success.content.as_ref().map(|c| &c.schema);
        overlay(context, operation, request, schema, &mut doc);

        // What the provider names anew: its ids, its secrets.
        let sent = request.body.as_ref().map(Json::members).unwrap_or_default();
        for (name, value) in example.members() {
            let is_own = !sent.iter().any(|(n, _)| n == name);
            let is_id = name.ends_with("Id") || name.ends_with("_id");
            let is_secret = schema
                .and_then(|schema| spec.property(schema, name))
                .and_then(|property| spec.keyword(property, "format"))
                .is_some_and(|format| format.as_str() == Some("password"));
            if let (true, Some(old)) = (is_own && (is_id || is_secret), value.as_str()) {
                let new = if is_secret {
                    mint::secret(old, 40)
                } else {
                    mint::like(old)
                };
                rename(&mut doc, old, &new);
            }
        }
        let old = id_of(&doc, parameter.as_deref());
        let id = match &old {
            Some(old) if example.members().iter().any(|(n, v)| is_fresh(n, v, old, sent)) => old.clone(),
            Some(old) => {
                let new = mint::like(old);
                rename(&mut doc, old, &new);
                new
            }
            None => {
                let like = parameter_example(spec, template).unwrap_or_default();
                let new = mint::like(&like);
                set_id(&mut doc, parameter.as_deref(), &new);
                new
            }
        };
        particular::stamp(&mut doc, context.now);
        record(id, doc, context.now)
    }
}

/// The example of the reply, about what the path names and not about what the example's path names.
fn about(operation: &Operation, request: &Request) -> Json {
    let mut reply = operation.example().cloned().unwrap_or_default();
    for parameter in &operation.parameters {
        let example = parameter.example.as_ref().and_then(Json::scalar);
        if let (Some(example), Some(actual)) = (example, request.path_value(&parameter.name)) {
            rename(&mut reply, &example, actual);
        }
    }
    reply
}

/// Whether the id in the document is already one that was made for it.
fn is_fresh(name: &str, value: &Json, id: &str, sent: &[(String, Json)]) -> bool {
    let is_id = name.ends_with("Id") || name.ends_with("_id");
    is_id && value.as_str() != Some(id) && !sent.iter().any(|(n, _)| n == name)
}

/// What a collection is kept under.
fn key(path: &str) -> String {
    path.trim_start_matches('/').replace('/', "\n")
}

pub(in crate::sandbox) fn record(id: String, doc: Json, since: u64) -> Record {
    Record {
        id,
        doc,
        views: BTreeMap::new(),
        since,
        is_raw: false,
    }
}

fn shorten(reply: &mut Json, size: usize) {
    if let Json::Object(members) = reply {
        for (name, value) in members.iter_mut() {
            match value {
                Json::Array(items) => items.truncate(size),
                Json::Number(digits) if name == "count" => {
                    *digits = digits.parse::<usize>().unwrap_or(0).min(size).to_string()
                }
                _ => {}
            }
        }
    }
}

// --- lists

fn schema_at<'a>(spec: &'a Spec, schema: &'a Json, pointer: &str) -> Option<&'a Json> {
    pointer.split('/').skip(1).try_fold(schema, |schema, name| {
        spec.property(schema, &name.replace("~1", "/").replace("~0", "~"))
    })
}

/// The list's own address, in the form of the example's link: absolute, or a path.
fn link_address(context: &Context<'_>, operation: &Operation, request: &Request) -> String {
    let mut path = operation.path.clone();
    for (name, value) in &request.path {
        let encoded = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string();
        let kept = encoded.replace("%2D", "-").replace("%5F", "_").replace("%2E", ".");
        path = path.replace(&format!("{{{name}}}"), &kept);
    }
    let holder = operation
        .pagination
        .as_ref()
        .and_then(|p| p.next.rsplit_once('/'))
        .map(|(holder, _)| holder);
    let example = operation.example();
    let shown = operation
        .pagination
        .as_ref()
        .and_then(|p| example?.pointer(&p.next)?.as_str());
    let beside = || {
        example?
            .pointer(holder?)?
            .members()
            .iter()
            .find_map(|(_, v)| v.as_str().filter(|t| t.contains('?')))
    };
    let is_path = shown.or_else(beside).is_some_and(|link| link.starts_with('/'));
    let address = format!("{}{path}", context.base);
    match (is_path, url::Url::parse(&address)) {
        (true, Ok(url)) => url.path().to_owned(),
        _ => address,
    }
}

// --- replies

fn document(operation: &Operation, status: u16, json: Json) -> Reply {
    let media_type = operation
        .success
        .content
        .as_ref()
        .map_or("application/json", |c| c.media_type.as_str());
    Reply::json(status, media_type, json)
}

/// The reply when something was done to a thing: the thing, where the operation answers with it.
fn acknowledgement(context: &Context<'_>, operation: &Operation, record: &Record) -> Reply {
    match entity_reply(context, operation, record) {
        Some(reply) => document(operation, success_status(operation), reply),
        None => Reply::empty(empty_status(operation)),
    }
}

/// 204 where the specification only says that it is a success.
fn empty_status(operation: &Operation) -> u16 {
    operation.success.status.parse().unwrap_or(204)
}

fn success_status(operation: &Operation) -> u16 {
    operation.success.status.parse().unwrap_or(200)
}

fn create_status(operation: &Operation) -> u16 {
    operation.success.status.parse().unwrap_or(201)
}
