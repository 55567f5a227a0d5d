//! Resources: made from the examples, kept while the sandbox runs.
//!
//! What an operation does follows from its path: `/things` is a collection when
//! `/things/{id}` exists, `POST` there creates, `/things/{id}/balance` is a view of one
//! thing. Versions in the path (`/v3/accounts`, `/v5/accounts/..`) name the same things.

use std::collections::BTreeMap;

use super::http::Reply;
use super::json::Json;
use super::mint;
use super::paging::{self, Page};
use super::particular;
use super::request::Request;
use super::schema::Schemas;
use super::spec::{Operation, Segment, Spec};

/// How many items a list below another resource is filled up to, so that it has pages.
const FILLED: usize = 24;

/// One thing that can be read, changed and deleted.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) doc: Json,
    /// What its views say beyond the document: `sync` and its fields.
    pub(super) views: BTreeMap<String, Json>,
    /// When it was created, or last did what its provider limits; milliseconds of the sandbox's clock.
    pub(super) since: u64,
}

#[derive(Default)]
struct Collection {
    /// Name of the path parameter that takes the id.
    parameter: Option<String>,
    records: Vec<Record>,
}

/// All resources of one provider.
#[derive(Default)]
pub(super) struct Store {
    collections: BTreeMap<String, Collection>,
}

/// Why a call for a resource is refused.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) message: String,
}

pub(super) fn refused(status: u16, message: impl Into<String>) -> Refused {
    Refused {
        status,
        message: message.into(),
    }
}

/// What an operation does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Role {
    List,
    Create,
    Item,
    View,
}

/// What a call needs beside the store.
pub(super) struct Context<'a> {
    pub(super) spec: &'a Spec,
    pub(super) schemas: &'a Schemas,
    /// Address of the resources, as the client knows it.
    pub(super) base: &'a str,
    /// Address of pages that belong to a bank and not to the provider.
    pub(super) bank: &'a str,
    /// Milliseconds since 1970 by the sandbox's clock.
    pub(super) now: u64,
    /// Id of the client that calls.
    pub(super) client: &'a str,
}

impl Store {
    /// The things that exist from the start.
    pub(super) fn new(spec: &Spec) -> Self {
        let mut store = Self::default();
        for operation in &spec.operations {
            let template = versionless(operation);
            let collection = match role(spec, operation) {
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
    pub(super) fn answer(
        &mut self,
        context: &Context<'_>,
        operation: &Operation,
        request: &Request,
    ) -> Result<Reply, Refused> {
        let spec = context.spec;
        let template = versionless(operation);
        let path = filled(&template, request);
        self.check_parents(spec, &template, &path)?;
        match role(spec, operation) {
            Role::List => self.list(context, operation, request, &template, &path),
            Role::Create => self.create(context, operation, request, &template, &path),
            Role::Item => self.item(context, operation, request, &template, &path),
            Role::View => self.view(context, operation, request, &template, &path),
        }
    }

    /// Whether something with this id exists, by the name of its path parameter or of a field.
    pub(super) fn exists(&self, name: &str, value: &str) -> bool {
        self.collections.values().any(|collection| {
            collection.records.iter().any(|record| {
                (collection.parameter.as_deref() == Some(name) && record.id == value)
                    || mentions(&record.doc, name, value)
            })
        })
    }

    /// The first thing whose document has this field with this value, at any depth.
    pub(super) fn holder(&self, name: &str, value: &str) -> Option<&Json> {
        let records = self.collections.values().flat_map(|collection| &collection.records);
        records.map(|record| &record.doc).find(|doc| mentions(doc, name, value))
    }

    /// Everything that has this id, or this field with this value.
    pub(super) fn find_mut(&mut self, name: &str, value: &str) -> Vec<&mut Record> {
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

    /// Puts a document into a collection, as if it had been created; gives its id.
    pub(super) fn put(&mut self, spec: &Spec, path: &str, mut doc: Json) -> Option<String> {
        let segments: Vec<String> = path
            .split('/')
            .filter(|s| !s.is_empty() && !is_version(s))
            .map(str::to_owned)
            .collect();
        let template = spec.operations.iter().map(versionless).find(|template| {
            template.len() == segments.len()
                && template.iter().zip(&segments).all(|(t, s)| match t {
                    Segment::Literal(literal) => literal == s,
                    Segment::Parameter(_) => true,
                })
                && is_managed(spec, template)
        })?;
        let collection = self.open(spec, &template, &segments);
        let parameter = collection.parameter.clone();
        let id = id_of(&doc, parameter.as_deref()).unwrap_or_else(|| mint::like(""));
        if id_of(&doc, parameter.as_deref()).is_none() {
            set_id(&mut doc, parameter.as_deref(), &id);
        }
        collection.records.retain(|record| record.id != id);
        collection.records.push(record(id.clone(), doc, 0));
        Some(id)
    }

    /// Puts a copy of the first thing of a collection beside it, with an id of its own and these fields.
    pub(super) fn copy_first(&mut self, spec: &Spec, path: &str, fields: &[(&str, Json)]) {
        let key = path.trim_start_matches('/').replace('/', "\n");
        let Some(first) = self
            .collections
            .get(&key)
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

        let mut reply = operation.example().cloned().unwrap_or(Json::Array(Vec::new()));
        let pointer = items_pointer(operation);
        let schema = operation.success.content.as_ref().map(|c| &c.schema);
        let item_schema = schema
            .and_then(|schema| schema_at(spec, schema, &pointer))
            .and_then(|list| spec.keyword(list, "items"));
        let items = page
            .cut(&chosen)
            .iter()
            .map(|record| match item_schema {
                Some(schema) => project(context, schema, &record.doc, None),
                None => record.doc.clone(),
            })
            .collect();
        if pointer.is_empty() {
            reply = Json::Array(items);
        } else {
            reply.set_pointer(&pointer, Json::Array(items));
        }
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
        let mut created = self.compose(context, operation, request, template, path);
        particular::created(context, operation, request, &mut created)?;
        let reply = entity_reply(context, operation, &created.doc);
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
                && particular::outlives_deletion(context, operation, record)
            {
                return Ok(acknowledgement(context, operation, &record.doc));
            }
            let gone = held.records.remove(at);
            self.close_below(path);
            return Ok(acknowledgement(context, operation, &gone.doc));
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
            return Ok(acknowledgement(context, operation, &record.doc));
        }
        let reply = entity_reply(context, operation, &record.doc).unwrap_or_default();
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
        if let Some(reply) = particular::worked_out(context, operation, request, self) {
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
        let mut reply = operation.example().cloned().unwrap_or_default();
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
            return Ok(acknowledgement(context, operation, &reply));
        }
        if let Some(size) = request.query_value("limit").and_then(|n| n.parse::<usize>().ok()) {
            shorten(&mut reply, size);
        }
        particular::answered(context, operation, request, &mut reply);
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
        for other in spec.operations.iter().map(versionless) {
            let (Some(shared), Some(rest)) = (other.get(..above), other.get(above..)) else {
                continue;
            };
            let rest: Option<Vec<String>> = rest.iter().map(literal).collect();
            if let Some(rest) = rest.filter(|_| shared == &template[..above] && is_managed(spec, &other)) {
                let path: Vec<String> = path[..above].iter().cloned().chain(rest).collect();
                self.open(spec, &other, &path);
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
                return Err(refused(404, format!("no {name} like this exists")));
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

/// Whether the id in the document is already one that was made for it.
fn is_fresh(name: &str, value: &Json, id: &str, sent: &[(String, Json)]) -> bool {
    let is_id = name.ends_with("Id") || name.ends_with("_id");
    is_id && value.as_str() != Some(id) && !sent.iter().any(|(n, _)| n == name)
}

fn record(id: String, doc: Json, since: u64) -> Record {
    Record {
        id,
        doc,
        views: BTreeMap::new(),
        since,
    }
}

// --- seeds

/// What the examples say is there.
fn seed(spec: &Spec, template: &[Segment], path: &[String]) -> Collection {
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
        .find(|o| role(spec, o) == Role::List && versionless(o) == template);
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

// --- documents

/// What was sent, in place of what the examples say.
fn overlay(context: &Context<'_>, operation: &Operation, request: &Request, reply: Option<&Json>, doc: &mut Json) {
    let spec = context.spec;
    let sent = request.body.as_ref().map(Json::members).unwrap_or_default();
    for content in operation.body.iter().flat_map(|body| &body.contents) {
        for (name, _) in spec.properties(&content.schema) {
            let needed = reply.is_some_and(|reply| spec.requires(reply, name));
            if !needed && !sent.iter().any(|(n, _)| n == name) {
                doc.remove(name);
            }
        }
    }
    for (name, value) in sent {
        let fits = reply
            .and_then(|reply| spec.property(reply, name))
            .is_none_or(|property| context.schemas.fits(property, value));
        if fits {
            doc.set(name, value.clone());
        }
    }
}

/// A change: PUT replaces what can be sent, anything else changes what was sent.
fn update(spec: &Spec, operation: &Operation, request: &Request, doc: &mut Json) {
    let sent = request.body.as_ref().map(Json::members).unwrap_or_default();
    if operation.method == "PUT" {
        for content in operation.body.iter().flat_map(|body| &body.contents) {
            for (name, _) in spec.properties(&content.schema) {
                if !spec.requires(&content.schema, name) && !is_identity(name) {
                    doc.remove(name);
                }
            }
        }
    }
    for (name, value) in sent {
        if !is_identity(name) {
            doc.set(name, value.clone());
        }
    }
}

fn is_identity(name: &str) -> bool {
    matches!(name, "id" | "client_id" | "client_secret")
}

/// The reply about one thing, with the envelope that the example has.
fn entity_reply(context: &Context<'_>, operation: &Operation, doc: &Json) -> Option<Json> {
    if !operation.answers_json() {
        return None;
    }
    let schema = &operation.success.content.as_ref()?.schema;
    let example = operation.example();
    match envelope(context.spec, operation) {
        Some(name) => {
            let inner = context.spec.property(schema, &name)?;
            let entity = project(context, inner, doc, example.and_then(|e| e.get(&name)));
            let mut reply = example.cloned().unwrap_or(Json::Object(Vec::new()));
            reply.set(&name, entity);
            Some(reply)
        }
        None => Some(project(context, schema, doc, example)),
    }
}

/// The fields of a document that a schema has, in the order of the example.
fn project(context: &Context<'_>, schema: &Json, doc: &Json, example: Option<&Json>) -> Json {
    let spec = context.spec;
    let properties = spec.properties(schema);
    if properties.is_empty() || !matches!(doc, Json::Object(_)) {
        return doc.clone();
    }
    let mut reply = Json::Object(Vec::new());
    for (name, value) in doc.members() {
        match properties.iter().find(|(n, _)| n == name) {
            Some((_, property)) if context.schemas.fits(property, value) => reply.set(name, value.clone()),
            Some(_) => {}
            None if spec.is_open(schema) => reply.set(name, value.clone()),
            None => {}
        }
    }
    for (name, _) in properties {
        if reply.get(name).is_none()
            && spec.requires(schema, name)
            && let Some(value) = example.and_then(|e| e.get(name))
        {
            reply.set(name, value.clone());
        }
    }
    reply
}

/// The thing itself in a reply that may have an envelope around it.
fn entity_of(spec: &Spec, operation: &Operation, reply: &Json) -> Json {
    match envelope(spec, operation) {
        Some(name) => reply.get(&name).cloned().unwrap_or_default(),
        None => reply.clone(),
    }
}

/// The one member that holds the thing: `account`. A member that names the thing's kind is no envelope.
fn envelope(spec: &Spec, operation: &Operation) -> Option<String> {
    let schema = &operation.success.content.as_ref()?.schema;
    if spec.keyword(schema, "x-wrapper-key").is_some() {
        return None;
    }
    let [(name, inner)] = spec.properties(schema)[..] else {
        return None;
    };
    (!spec.properties(inner).is_empty()).then(|| name.to_owned())
}

/// Fields of a view that mean the same as in the thing itself: same name, same schema.
fn same_fields(spec: &Spec, schema: &Json, template: &[Segment]) -> Vec<String> {
    let Some(at) = template.iter().rposition(|s| matches!(s, Segment::Parameter(_))) else {
        return Vec::new();
    };
    let ends_in_parameter = at + 1 == template.len();
    let mut found = Vec::new();
    for operation in &spec.operations {
        let other = versionless(operation);
        // Operations on the thing, or on the collection it is in.
        let is_of_thing = other.len() <= at + 1 && template.starts_with(&other)
            || (ends_in_parameter && template.starts_with(&other));
        let Some(content) = operation
            .success
            .content
            .as_ref()
            .filter(|_| is_of_thing && !other.is_empty())
        else {
            continue;
        };
        let entity = match envelope(spec, operation).and_then(|name| spec.property(&content.schema, &name)) {
            Some(inner) => inner,
            None => &content.schema,
        };
        for (name, property) in spec.properties(schema) {
            if spec
                .property(entity, name)
                .is_some_and(|theirs| same_schema(spec, theirs, property))
            {
                found.push(name.to_owned());
            }
        }
    }
    found
}

fn same_schema(spec: &Spec, a: &Json, b: &Json) -> bool {
    let of = |schema: &Json| {
        ["type", "enum", "format", "items"].map(|keyword| spec.keyword(schema, keyword).map(Json::to_string))
    };
    of(a) == of(b)
}

/// Where the id is: under the parameter's name, as `id`, or below the key that names the kind.
pub(super) fn id_of(doc: &Json, parameter: Option<&str>) -> Option<String> {
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

fn set_id(doc: &mut Json, parameter: Option<&str>, id: &str) {
    if matches!(doc, Json::Object(_)) {
        let name = parameter.unwrap_or("id");
        let named_id = if name.ends_with("_id") { "id" } else { name };
        doc.set(named_id, Json::str(id));
    }
}

/// Puts a new id wherever the old one stands: in fields, links, numbers.
fn rename(doc: &mut Json, old: &str, new: &str) {
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

fn mentions(doc: &Json, name: &str, value: &str) -> bool {
    match doc {
        Json::Object(members) => members
            .iter()
            .any(|(n, v)| (n == name && v.scalar().as_deref() == Some(value)) || mentions(v, name, value)),
        Json::Array(items) => items.iter().any(|item| mentions(item, name, value)),
        _ => false,
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

// --- filters

/// Whether an item is among those that the query asks for.
fn passes(operation: &Operation, request: &Request, doc: &Json) -> bool {
    let mut names: Vec<&str> = request.query.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .filter(|name| !paging::is_paging(operation, name))
        .all(|name| {
            let values: Vec<&str> = request
                .query
                .iter()
                .filter(|(n, _)| n == name)
                .map(|(_, v)| v.as_str())
                .collect();
            let (field, comparison) = split_filter(name);
            let Some(found) = field_of(doc, field) else {
                return true;
            };
            values
                .iter()
                .any(|wanted| found.iter().any(|value| compare(value, comparison, wanted)))
        })
}

/// `tranDate[gte]`, `timestamp.gte`, `id[]`, `customer`
fn split_filter(name: &str) -> (&str, &str) {
    if let Some((field, rest)) = name.split_once('[') {
        return (field, rest.trim_end_matches(']'));
    }
    match name.rsplit_once('.') {
        Some((field, comparison @ ("gte" | "lte" | "gt" | "lt"))) => (field, comparison),
        _ => (name, ""),
    }
}

/// The values of a field, at the top or below the key that names the kind; an object counts by its id.
pub(super) fn field_of(doc: &Json, name: &str) -> Option<Vec<String>> {
    let value = doc.get(name).or_else(|| match doc.members() {
        [(_, inner)] => inner.get(name),
        _ => None,
    })?;
    match value {
        Json::Array(items) => Some(items.iter().filter_map(Json::scalar).collect()),
        Json::Object(_) => Some(vec![value.get("id")?.scalar()?]),
        Json::Null => Some(Vec::new()),
        scalar => Some(vec![scalar.scalar()?]),
    }
}

/// Compares as numbers where both are, else as text (which orders ISO 8601 dates).
pub(super) fn compare(value: &str, comparison: &str, wanted: &str) -> bool {
    use std::cmp::Ordering;
    let order = |a: &str, b: &str| match (a.parse::<rust_decimal::Decimal>(), b.parse::<rust_decimal::Decimal>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.cmp(b),
    };
    match comparison {
        "gte" => order(value, wanted) != Ordering::Less,
        // A day includes all its hours.
        "lte" => order(value, wanted) != Ordering::Greater || value.starts_with(wanted),
        "gt" => order(value, wanted) == Ordering::Greater,
        "lt" => order(value, wanted) == Ordering::Less,
        "between" => match wanted.split_once("..") {
            Some((from, to)) => compare(value, "gte", from) && compare(value, "lte", to),
            None => true,
        },
        _ => order(value, wanted) == Ordering::Equal,
    }
}

// --- what an operation is, by its path

fn is_version(segment: &str) -> bool {
    segment
        .strip_prefix('v')
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

fn versionless(operation: &Operation) -> Vec<Segment> {
    let is_kept = |segment: &&Segment| match segment {
        Segment::Literal(literal) => !is_version(literal),
        Segment::Parameter(_) => true,
    };
    operation.segments.iter().filter(is_kept).cloned().collect()
}

fn literal(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Literal(literal) => Some(literal.clone()),
        Segment::Parameter(_) => None,
    }
}

fn filled(template: &[Segment], request: &Request) -> Vec<String> {
    template
        .iter()
        .map(|segment| match segment {
            Segment::Literal(literal) => literal.clone(),
            Segment::Parameter(name) => request.path_value(name).unwrap_or_default().to_owned(),
        })
        .collect()
}

/// Whether `{id}` follows this path in some operation.
fn has_items(spec: &Spec, template: &[Segment]) -> bool {
    spec.operations.iter().map(versionless).any(|other| {
        other.len() > template.len()
            && other.starts_with(template)
            && matches!(other.get(template.len()), Some(Segment::Parameter(_)))
    })
}

fn role(spec: &Spec, operation: &Operation) -> Role {
    let template = versionless(operation);
    let has_items = has_items(spec, &template);
    let ends_in_parameter = matches!(template.last(), Some(Segment::Parameter(_)));
    match operation.method.as_str() {
        "POST" if has_items => Role::Create,
        _ if ends_in_parameter => Role::Item,
        "GET" if has_items || operation.pagination.is_some() => Role::List,
        _ => Role::View,
    }
}

/// Whether the things in this collection are kept: they can be listed or created.
fn is_managed(spec: &Spec, template: &[Segment]) -> bool {
    spec.operations
        .iter()
        .any(|o| matches!(role(spec, o), Role::List | Role::Create) && versionless(o) == template)
}

/// The operation on the items of a collection (GET), or on the collection (POST).
fn operation_at<'a>(spec: &'a Spec, collection: &[Segment], method: &str) -> Option<&'a Operation> {
    spec.operations.iter().filter(|o| o.method == method).find(|o| {
        let template = versionless(o);
        match method {
            "POST" => template == collection,
            _ => is_item_of(&template, collection),
        }
    })
}

fn is_item_of(template: &[Segment], collection: &[Segment]) -> bool {
    template.len() == collection.len() + 1
        && template.starts_with(collection)
        && matches!(template.last(), Some(Segment::Parameter(_)))
}

fn item_parameter(spec: &Spec, collection: &[Segment]) -> Option<String> {
    spec.operations.iter().map(versionless).find_map(|template| {
        if template.len() > collection.len()
            && template.starts_with(collection)
            && let Some(Segment::Parameter(name)) = template.get(collection.len())
        {
            return Some(name.clone());
        }
        None
    })
}

/// The example of the path parameter that takes an item's id.
fn parameter_example(spec: &Spec, collection: &[Segment]) -> Option<String> {
    let name = item_parameter(spec, collection)?;
    let operation = spec.operations.iter().find(|o| {
        let template = versionless(o);
        template.len() > collection.len()
            && template.starts_with(collection)
            && o.parameters.iter().any(|p| p.name == name)
    })?;
    operation
        .parameters
        .iter()
        .find(|p| p.name == name)?
        .example
        .as_ref()?
        .scalar()
}

/// Whether some other reply shows an id of this name, so that it cannot be made up by the caller.
fn is_named(spec: &Spec, operation: &Operation, name: &str) -> bool {
    let example = operation
        .parameters
        .iter()
        .find(|p| p.name == name)
        .and_then(|p| p.example.as_ref()?.scalar());
    example.is_some_and(|value| {
        spec.operations
            .iter()
            .filter_map(Operation::example)
            .any(|e| mentions(e, name, &value))
    })
}

fn view_name(template: &[Segment]) -> String {
    let literals: Vec<String> = template.iter().rev().filter_map(literal).take(1).collect();
    literals.concat()
}

/// Where the items of a list are: as `x-pagination` says, else the first array.
fn items_pointer(operation: &Operation) -> String {
    if let Some(paging) = &operation.pagination {
        return paging.items.clone();
    }
    let members = operation.example().map(Json::members).unwrap_or_default();
    members
        .iter()
        .find(|(_, value)| matches!(value, Json::Array(_)))
        .map(|(name, _)| format!("/{}", name.replace('~', "~0").replace('/', "~1")))
        .unwrap_or_default()
}

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

/// A reply without a document: nothing, or the example where there is one.
fn acknowledgement(context: &Context<'_>, operation: &Operation, doc: &Json) -> Reply {
    match &operation.success.content {
        Some(_) if operation.answers_json() => match entity_reply(context, operation, doc) {
            Some(reply) => document(operation, success_status(operation), reply),
            None => Reply::empty(204),
        },
        _ => Reply::empty(match success_status(operation) {
            200 if operation.success.status == "2XX" => 204,
            status => status,
        }),
    }
}

fn success_status(operation: &Operation) -> u16 {
    operation.success.status.parse().unwrap_or(200)
}

fn create_status(operation: &Operation) -> u16 {
    operation.success.status.parse().unwrap_or(201)
}
