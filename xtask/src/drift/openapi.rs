//! `drift --openapi`: a published document against the specification, by what both mean.
//!
//! The signs are those of the client: a field that a reply loses breaks it, a
//! field that a reply gains does not, and for requests it is the other way
//! round. What this comparison does not understand, and oxide's `drift` crate
//! sees, is reported as unhandled, so that nothing changes in silence.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::facts::digest;
use super::finding::{Class, Coverage, Evidence, Finding};
use super::spec::{Issue, Spec};
use crate::bundle::{resolved, with_shared_schemas};
use crate::document::{Operation, deref, operations};
use crate::rules::is_json;
use crate::yaml::join;

/// Compares a document with the specification.
#[must_use]
pub fn compare(spec: &Spec, document: &Value, evidence: &Evidence) -> (Vec<Finding>, Coverage) {
    // A specification of ours names the shared OAuth schemas without having them.
    let theirs = resolved(&with_shared_schemas(document));
    let mut compared = Compared {
        spec,
        theirs: &theirs,
        issues: Vec::new(),
        operation: String::new(),
        pointer: String::new(),
        visited: BTreeSet::new(),
        words: Vec::new(),
    };
    let pairs = compared.pairs();
    for (ours, theirs) in &pairs {
        compared.operation(ours, theirs);
    }
    compared.security_schemes();
    compared.servers();
    compared.authorization_server();
    let silent = compared
        .issues
        .iter()
        .filter_map(|issue| issue.operation.clone())
        .collect::<BTreeSet<_>>();
    let unhandled = second_opinion(&spec.bundle, &theirs, &pairs, &silent);
    compared.issues.extend(unhandled);
    let mut findings: Vec<Finding> = compared
        .issues
        .into_iter()
        .map(|issue| spec.finding(issue, evidence))
        .collect();
    findings.sort_by(|a, b| (b.class, &a.operation, &a.subject).cmp(&(a.class, &b.operation, &b.subject)));
    findings.dedup_by(|a, b| a.fingerprint == b.fingerprint);
    let all = spec.operations().len();
    let lines = vec![format!("{} of {all} operations are in the document", pairs.len())];
    (findings, Coverage { lines })
}

/// Whose reading of a schema counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Direction {
    /// The client writes it.
    Request,
    /// The client reads it.
    Reply,
}

struct Compared<'s> {
    spec: &'s Spec,
    theirs: &'s Value,
    issues: Vec<Issue>,
    operation: String,
    pointer: String,
    visited: BTreeSet<(String, String, Direction)>,
    /// Descriptions that differ, of the operation at hand.
    words: Vec<String>,
}

impl<'s> Compared<'s> {
    fn add(&mut self, rule: &'static str, class: Class, subject: &str, what: String, effect: &str, fix: &str) {
        self.issues.push(Issue {
            rule,
            class,
            operation: (!self.operation.is_empty()).then(|| self.operation.clone()),
            subject: subject.to_owned(),
            pointer: self.pointer.clone(),
            what,
            effect: effect.to_owned(),
            fix: fix.to_owned(),
        });
    }

    /// Operations by path and method, then by id, then by likeness; what is left over is told.
    fn pairs(&mut self) -> Vec<(Operation<'s>, Operation<'s>)> {
        let ours = operations(&self.spec.bundle);
        let theirs = operations(self.theirs);
        let shape = |path: &str| -> String {
            path.split('/')
                .map(|part| if part.starts_with('{') { "{}" } else { part })
                .collect::<Vec<_>>()
                .join("/")
        };
        let same = |a: &Operation<'_>, b: &Operation<'_>| {
            a.method == b.method
                && (shape(a.path) == shape(b.path) || shape(a.path) == shape(&self.spec.relative(b.path)))
        };
        let mut pairs = Vec::new();
        let mut taken = BTreeSet::new();
        let mut lost = Vec::new();
        for operation in &ours {
            match theirs.iter().position(|other| same(operation, other)) {
                Some(index) => {
                    taken.insert(index);
                    pairs.push((*operation, theirs[index]));
                }
                None => lost.push(*operation),
            }
        }
        for operation in lost {
            self.operation = operation.id().to_owned();
            self.pointer = operation.pointer();
            let renamed = theirs.iter().enumerate().find(|(index, other)| {
                !taken.contains(index)
                    && (other.id() == operation.id() && !other.id().is_empty()
                        || self
                            .spec
                            .moved(other.method, other.path, &[])
                            .is_some_and(|it| it.id() == operation.id()))
            });
            let here = format!("{} {}", operation.method.to_uppercase(), operation.path);
            match renamed {
                Some((index, other)) => {
                    taken.insert(index);
                    pairs.push((operation, *other));
                    let there = format!("{} {}", other.method.to_uppercase(), other.path);
                    self.add(
                        "endpoint-moved",
                        Class::WireBreaking,
                        operation.id(),
                        format!("`{here}` is now `{there}`"),
                        "the client asks where nobody answers",
                        "move the operation in the specification",
                    );
                }
                None => self.add(
                    "endpoint-gone",
                    Class::WireBreaking,
                    operation.id(),
                    format!("`{here}` is not in the document"),
                    "the client still calls it",
                    "remove the operation, or accept the finding if the document does not cover it",
                ),
            }
        }
        self.operation.clear();
        self.pointer = "/paths".to_owned();
        for (_, other) in theirs.iter().enumerate().filter(|(index, _)| !taken.contains(index)) {
            let there = format!("{} {}", other.method.to_uppercase(), other.path);
            self.add(
                "endpoint-undescribed",
                Class::Additive,
                &there,
                format!("the document has `{there}`"),
                "the client does not offer it",
                "describe the operation, or accept the finding with a reason",
            );
        }
        pairs
    }

    fn operation(&mut self, ours: &Operation<'s>, theirs: &Operation<'s>) {
        self.operation = ours.id().to_owned();
        self.pointer = ours.pointer();
        self.visited.clear();
        self.words.clear();
        for key in ["summary", "description"] {
            self.described(ours.value.get(key), theirs.value.get(key));
        }
        let deprecated = |operation: &Operation<'_>| operation.value.get("deprecated") == Some(&Value::Bool(true));
        if deprecated(theirs) && !deprecated(ours) {
            self.add(
                "operation-deprecated",
                Class::DocsOnly,
                ours.id(),
                "the operation is deprecated".to_owned(),
                "it still works",
                "write `deprecated: true`, and look for its successor",
            );
        }
        self.parameters(ours, theirs);
        self.body(ours, theirs);
        self.replies(ours, theirs);
        self.scopes(ours, theirs);
        if !self.words.is_empty() {
            let mark: String = digest(&self.words.join("\u{1f}")).chars().take(8).collect();
            let count = self.words.len();
            self.add(
                "description-changed",
                Class::DocsOnly,
                &format!("words {mark}"),
                "descriptions are in other words".to_owned(),
                &format!("{count} texts, no code"),
                "see whether they mean something else",
            );
        }
    }

    fn described(&mut self, ours: Option<&Value>, theirs: Option<&Value>) {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let theirs = text(theirs);
        if !theirs.is_empty() && theirs != text(ours) {
            self.words.push(theirs);
        }
    }

    fn parameters(&mut self, ours: &Operation<'s>, theirs: &Operation<'s>) {
        let listed = |operation: &Operation<'s>| -> BTreeMap<(String, String), &'s Value> {
            let all = operation
                .value
                .get("parameters")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            let mut position = 0;
            all.map(|parameter| {
                let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
                let place = parameter.get("in").and_then(Value::as_str).unwrap_or_default();
                // In a path the place counts, and not the name.
                let name = if place == "path" {
                    position = operation
                        .path
                        .find(&format!("{{{name}}}"))
                        .map_or(0, |at| operation.path[..at].matches('{').count() + 1);
                    format!("{{{position}}}")
                } else if place == "header" {
                    name.to_lowercase()
                } else {
                    name.to_owned()
                };
                ((place.to_owned(), name), parameter)
            })
            .collect()
        };
        let (ours, theirs) = (listed(ours), listed(theirs));
        let required = |parameter: &Value| parameter.get("required") == Some(&Value::Bool(true));
        for ((place, name), parameter) in &ours {
            let Some(other) = theirs.get(&(place.clone(), name.clone())) else {
                self.add(
                    "parameter-gone",
                    Class::SourceBreaking,
                    name,
                    format!("the {place} parameter `{name}` is gone"),
                    "the client still offers it; following the document removes a method",
                    "remove the parameter",
                );
                continue;
            };
            self.described(parameter.get("description"), other.get("description"));
            self.necessity(
                name,
                "parameter",
                required(parameter),
                required(other),
                Direction::Request,
            );
            if let (Some(ours), Some(theirs)) = (parameter.get("schema"), other.get("schema")) {
                self.schema(ours, theirs, Direction::Request, name);
            }
        }
        for ((place, name), other) in &theirs {
            if ours.contains_key(&(place.clone(), name.clone()))
                || ["authorization", "accept", "content-type"].contains(&name.as_str())
            {
                continue;
            }
            let (class, effect) = if required(other) {
                (Class::WireBreaking, "the client does not send it")
            } else {
                (Class::Additive, "the client cannot send it")
            };
            self.add(
                "parameter-added",
                class,
                name,
                format!(
                    "the {place} parameter `{name}` is new{}",
                    if required(other) { " and required" } else { "" }
                ),
                effect,
                "describe the parameter",
            );
        }
    }

    fn necessity(&mut self, subject: &str, noun: &str, ours: bool, theirs: bool, direction: Direction) {
        match (direction, ours, theirs) {
            (Direction::Request, false, true) => self.add(
                "became-required",
                Class::WireBreaking,
                subject,
                format!("the {noun} `{subject}` is required now"),
                "the client lets it be left out",
                "mark it as required",
            ),
            (Direction::Request, true, false) => self.add(
                "became-optional",
                Class::Additive,
                subject,
                format!("the {noun} `{subject}` is optional now"),
                "the client demands it",
                "mark it as optional",
            ),
            (Direction::Reply, true, false) => self.add(
                "became-optional",
                Class::WireBreaking,
                subject,
                format!("the {noun} `{subject}` may be missing now"),
                "the client cannot read a reply without it",
                "mark it as optional",
            ),
            (Direction::Reply, false, true) => self.add(
                "became-required",
                Class::DocsOnly,
                subject,
                format!("the {noun} `{subject}` is always there now"),
                "the client reads it either way",
                "leave it optional, or mark it as required in the next breaking version",
            ),
            _ => {}
        }
    }

    fn body(&mut self, ours: &Operation<'s>, theirs: &Operation<'s>) {
        let body = |operation: &Operation<'s>| operation.value.get("requestBody");
        match (body(ours), body(theirs)) {
            (None, None) => {}
            (None, Some(other)) => {
                let class = if other.get("required") == Some(&Value::Bool(true)) {
                    Class::WireBreaking
                } else {
                    Class::Additive
                };
                self.add(
                    "body-added",
                    class,
                    "body",
                    "the request has a body now".to_owned(),
                    "the client sends none",
                    "describe the body",
                );
            }
            (Some(_), None) => self.add(
                "body-gone",
                Class::SourceBreaking,
                "body",
                "the request has no body any more".to_owned(),
                "the client still sends one",
                "remove the body",
            ),
            (Some(mine), Some(other)) => {
                let content = |body: &'s Value| body.get("content").and_then(Value::as_object);
                let (Some(mine), Some(other)) = (content(mine), content(other)) else {
                    return;
                };
                let Some((media, schema)) = mine.iter().next() else {
                    return;
                };
                let fits = |name: &&String| essence(name) == essence(media) || is_json(name) && is_json(media);
                let Some(name) = other.keys().find(fits) else {
                    let names: Vec<&str> = other.keys().map(String::as_str).collect();
                    self.add(
                        "media-type-changed",
                        Class::WireBreaking,
                        media,
                        format!("the body is {} now", names.join(" or ")),
                        &format!("the client sends {media}"),
                        "correct the media type",
                    );
                    return;
                };
                if let (Some(mine), Some(other)) = (schema.get("schema"), other[name].get("schema")) {
                    self.schema(mine, other, Direction::Request, "body");
                }
            }
        }
    }

    fn replies(&mut self, ours: &Operation<'s>, theirs: &Operation<'s>) {
        let replies = |operation: &Operation<'s>| operation.value.get("responses").and_then(Value::as_object);
        let (Some(mine), Some(other)) = (replies(ours), replies(theirs)) else {
            return;
        };
        let class_of = |status: &str| format!("{}XX", status.get(..1).unwrap_or_default());
        for status in other.keys().filter(|status| status.starts_with('2')) {
            let known = mine.contains_key(status) || mine.contains_key(&class_of(status)) || status.as_str() == "2XX";
            if !known {
                self.add(
                    "status-added",
                    Class::WireBreaking,
                    status,
                    format!("success may be {status} now"),
                    "the client takes a status that is not listed for a failure",
                    "describe the status",
                );
            }
        }
        let first = |replies: &'s Map<String, Value>, wanted: char| -> Option<(&'s String, &'s Value)> {
            let fits = |status: &str| status.starts_with(wanted) || wanted == '4' && status == "default";
            let (_, reply) = replies.iter().find(|(status, reply)| {
                fits(status)
                    && reply
                        .get("content")
                        .and_then(Value::as_object)
                        .is_some_and(|content| !content.is_empty())
            })?;
            reply.get("content")?.as_object()?.iter().next()
        };
        for (wanted, name) in [('2', "reply"), ('4', "error")] {
            match (first(mine, wanted), first(other, wanted)) {
                (Some((media, mine)), Some((other_media, other))) => {
                    let accept = ours.value.get("x-accept").and_then(Value::as_str);
                    let same = essence(media) == essence(other_media)
                        || is_json(media) && is_json(other_media)
                        || accept == Some(other_media);
                    if !same && wanted == '2' {
                        self.add(
                            "media-type-changed",
                            Class::WireBreaking,
                            media,
                            format!("the reply is {other_media} now"),
                            &format!("the client reads {media}"),
                            "correct the media type",
                        );
                    } else if let (Some(mine), Some(other)) = (mine.get("schema"), other.get("schema")) {
                        self.schema(mine, other, Direction::Reply, name);
                    }
                }
                (Some((media, _)), None) if wanted == '2' && other.keys().any(|status| status.starts_with('2')) => self
                    .add(
                        "reply-gone",
                        Class::WireBreaking,
                        media,
                        "the reply has no body any more".to_owned(),
                        "the client cannot read an empty reply",
                        "remove the reply's schema",
                    ),
                (None, Some((media, _))) if wanted == '2' => self.add(
                    "reply-added",
                    Class::Additive,
                    media,
                    "the reply has a body now".to_owned(),
                    "the client leaves it unread",
                    "describe the reply",
                ),
                _ => {}
            }
        }
    }

    fn scopes(&mut self, ours: &Operation<'s>, theirs: &Operation<'s>) {
        let needed = |root: &Value, operation: &Operation<'_>| -> Option<BTreeSet<String>> {
            let alternatives = operation
                .value
                .get("security")
                .or_else(|| root.get("security"))?
                .as_array()?;
            let schemes = root.pointer("/components/securitySchemes");
            let mut scopes = None;
            for (scheme, listed) in alternatives.iter().filter_map(Value::as_object).flatten() {
                let kind = schemes
                    .and_then(|all| all.get(scheme))
                    .and_then(|it| it.get("type"))
                    .and_then(Value::as_str);
                if matches!(kind, Some("oauth2" | "openIdConnect")) {
                    let listed = listed
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter_map(Value::as_str)
                        .map(str::to_owned);
                    scopes.get_or_insert_with(BTreeSet::new).extend(listed);
                }
            }
            scopes
        };
        let (Some(mine), Some(other)) = (needed(&self.spec.bundle, ours), needed(self.theirs, theirs)) else {
            return;
        };
        for scope in other.difference(&mine) {
            self.add(
                "scope-required",
                Class::WireBreaking,
                scope,
                format!("the scope `{scope}` is needed now"),
                "the client lets a token without it pass, and the call is refused",
                "add the scope to the operation's `security`",
            );
        }
        for scope in mine.difference(&other) {
            self.add(
                "scope-not-required",
                Class::Additive,
                scope,
                format!("the scope `{scope}` is not needed any more"),
                "the client refuses a call that would be answered",
                "remove the scope from the operation's `security`",
            );
        }
    }

    fn schema(&mut self, ours: &Value, theirs: &Value, direction: Direction, path: &str) {
        let reference = |schema: &Value| schema.get("$ref").and_then(Value::as_str).map(str::to_owned);
        let resolve = |root: &'s Value, schema: &Value| -> Option<&'s Value> {
            let reference = reference(schema)?;
            root.pointer(reference.strip_prefix('#')?)
        };
        if let (Some(mine), Some(other)) = (reference(ours), reference(theirs))
            && !self.visited.insert((mine, other, direction))
        {
            return;
        }
        let mine = resolve(&self.spec.bundle, ours)
            .cloned()
            .unwrap_or_else(|| ours.clone());
        let other = resolve(self.theirs, theirs).cloned().unwrap_or_else(|| theirs.clone());
        if mine == other && !contains_reference(&mine) {
            return;
        }
        if let Some(missing) = reference(&other) {
            self.add(
                "reference-dangling",
                Class::Unhandled,
                path,
                format!("`{path}` refers to {missing}, which the document does not have"),
                "what it is cannot be compared",
                "look at the document",
            );
            return;
        }
        self.described(mine.get("description"), other.get("description"));
        let (mine, other) = (merged(&self.spec.bundle, &mine), merged(self.theirs, &other));
        let lenient = mine.get("x-lenient").and_then(Value::as_str);
        self.kinds(&mine, &other, direction, path, lenient);
        self.values(&mine, &other, direction, path);
        self.limits(&mine, &other, path);
        // A document that says nothing about a value does not say that it lost its fields.
        let said = ["type", "properties"].iter().any(|key| other.contains_key(*key));
        if said && (mine.contains_key("properties") || other.contains_key("properties")) {
            self.properties(&mine, &other, direction, path);
        }
        for key in ["items", "additionalProperties"] {
            if let (Some(mine), Some(other)) = (mine.get(key), other.get(key))
                && mine.is_object()
                && other.is_object()
            {
                self.schema(mine, other, direction, &format!("{path}[]"));
            }
        }
        for key in ["oneOf", "anyOf"] {
            if mine.get(key).map(Value::to_string) != other.get(key).map(Value::to_string) {
                self.add(
                    "alternatives-changed",
                    Class::Unhandled,
                    path,
                    format!("`{path}` has other alternatives ({key})"),
                    "this tool does not compare them",
                    "compare them by eye",
                );
            }
        }
    }

    fn kinds(
        &mut self,
        mine: &Map<String, Value>,
        other: &Map<String, Value>,
        direction: Direction,
        path: &str,
        lenient: Option<&str>,
    ) {
        let kind = |schema: &Map<String, Value>| {
            let stated = schema
                .get("type")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
            if stated.is_empty() && schema.contains_key("properties") {
                "object".to_owned()
            } else {
                stated
            }
        };
        let format = |schema: &Map<String, Value>| {
            schema
                .get("format")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (k, other_k, f, other_f) = (kind(mine), kind(other), format(mine), format(other));
        if other_k.is_empty() || k.is_empty() {
            return;
        }
        let decimal = f == "decimal"
            && ["number", "string", "integer"].contains(&other_k.as_str())
            && direction == Direction::Reply;
        let read_anyway = direction == Direction::Reply
            && (lenient == Some("string") && other_k != "object" && other_k != "array"
                || lenient == Some("boolean")
                    && ["boolean", "string", "integer", "number"].contains(&other_k.as_str())
                || lenient == Some("array") && ["array", "object"].contains(&other_k.as_str())
                || lenient == Some("object") && other_k == "string"
                || k == "number" && other_k == "integer");
        let sent_anyway = direction == Direction::Request && k == "integer" && other_k == "number";
        if k != other_k && !decimal && !read_anyway && !sent_anyway {
            self.add(
                "type-changed",
                Class::WireBreaking,
                path,
                format!("`{path}` is {other_k} now"),
                &format!(
                    "the client {} {k}",
                    if direction == Direction::Reply {
                        "reads"
                    } else {
                        "sends"
                    }
                ),
                "correct the type",
            );
            return;
        }
        if k != other_k {
            self.add(
                "type-changed",
                Class::DocsOnly,
                path,
                format!("`{path}` is {other_k} now"),
                "the client takes both",
                "correct the type",
            );
        }
        let strict = ["date", "date-time", "uuid", "time"].contains(&f.as_str()) && lenient.is_none();
        if f != other_f && strict && direction == Direction::Reply && k == "string" {
            self.add(
                "format-changed",
                Class::WireBreaking,
                path,
                format!(
                    "`{path}` is {} now",
                    if other_f.is_empty() { "any text" } else { &other_f }
                ),
                &format!("the client reads {f}, and nothing else"),
                "correct the format",
            );
        }
    }

    fn values(&mut self, mine: &Map<String, Value>, other: &Map<String, Value>, direction: Direction, path: &str) {
        let listed = |schema: &Map<String, Value>| -> Option<BTreeSet<String>> {
            let values = schema.get("enum")?.as_array()?;
            Some(values.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        };
        let (Some(mine), Some(other)) = (listed(mine), listed(other)) else {
            return;
        };
        for value in other.difference(&mine) {
            self.add(
                "enum-value-added",
                Class::Additive,
                &format!("{path} {value}"),
                format!("`{path}` may be `{value}` now"),
                "the client reads it as Unknown and writes it back as it came",
                "list the value",
            );
        }
        for value in mine.difference(&other) {
            let (class, effect) = match direction {
                Direction::Reply => (Class::SourceBreaking, "following the document removes a variant"),
                Direction::Request => (Class::WireBreaking, "the client offers a value that is refused"),
            };
            self.add(
                "enum-value-removed",
                class,
                &format!("{path} {value}"),
                format!("`{path}` is never `{value}` any more"),
                effect,
                "remove the value",
            );
        }
    }

    fn limits(&mut self, mine: &Map<String, Value>, other: &Map<String, Value>, path: &str) {
        for key in [
            "minLength",
            "maxLength",
            "minimum",
            "maximum",
            "pattern",
            "minItems",
            "maxItems",
        ] {
            if let Some(limit) = mine.get(key)
                && other.get(key) != Some(limit)
            {
                self.add(
                    "limit-changed",
                    Class::Unhandled,
                    &format!("{path} {key}"),
                    format!("`{path}` has another {key}"),
                    "what the client does about it depends on the generated type",
                    "correct the limit, or remove it",
                );
            }
        }
    }

    fn properties(&mut self, mine: &Map<String, Value>, other: &Map<String, Value>, direction: Direction, path: &str) {
        let empty = Map::new();
        let fields = |schema: &Map<String, Value>| schema.get("properties").and_then(Value::as_object).cloned();
        let required = |schema: &Map<String, Value>| -> BTreeSet<String> {
            let listed = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            listed.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let (mine_fields, other_fields) = (fields(mine).unwrap_or(empty.clone()), fields(other).unwrap_or(empty));
        let (mine_required, other_required) = (required(mine), required(other));
        for (name, schema) in &mine_fields {
            let at = format!("{path}.{name}");
            let Some(other_schema) = other_fields.get(name) else {
                let aliases = schema.get("x-aliases").and_then(Value::as_array);
                if aliases
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .any(|alias| other_fields.contains_key(alias))
                {
                    continue;
                }
                let (class, effect) = match direction {
                    Direction::Reply if mine_required.contains(name) => {
                        (Class::WireBreaking, "the client cannot read a reply without it")
                    }
                    Direction::Reply => (
                        Class::SourceBreaking,
                        "the field stays empty; following the document removes it",
                    ),
                    Direction::Request => (
                        Class::SourceBreaking,
                        "the client still offers it; following the document removes it",
                    ),
                };
                self.add(
                    "field-gone",
                    class,
                    &at,
                    format!("`{at}` is gone"),
                    effect,
                    "remove the field",
                );
                continue;
            };
            self.necessity(
                &at,
                "field",
                mine_required.contains(name),
                other_required.contains(name),
                direction,
            );
            if direction == Direction::Reply
                && mine_required.contains(name)
                && other_schema.get("nullable") == Some(&Value::Bool(true))
                && schema.get("nullable") != Some(&Value::Bool(true))
            {
                self.add(
                    "became-nullable",
                    Class::WireBreaking,
                    &at,
                    format!("`{at}` may be null now"),
                    "the client cannot read null where a value must be",
                    "make the field optional",
                );
            }
            self.schema(schema, other_schema, direction, &at);
        }
        for name in other_fields.keys().filter(|name| !mine_fields.contains_key(*name)) {
            let at = format!("{path}.{name}");
            let alias = mine_fields.values().any(|schema| {
                let aliases = schema.get("x-aliases").and_then(Value::as_array);
                aliases.into_iter().flatten().any(|alias| alias == name)
            });
            if alias {
                continue;
            }
            let needed = direction == Direction::Request && other_required.contains(name);
            let (class, effect) = if needed {
                (Class::WireBreaking, "the client does not send it")
            } else if direction == Direction::Request {
                (Class::Additive, "the client cannot send it")
            } else {
                (Class::Additive, "the client leaves the field out")
            };
            self.add(
                "field-added",
                class,
                &at,
                format!("`{at}` is new{}", if needed { " and required" } else { "" }),
                effect,
                "describe the field",
            );
        }
    }

    fn security_schemes(&mut self) {
        self.operation.clear();
        self.pointer = "/components/securitySchemes".to_owned();
        let flows = |root: &Value| -> BTreeMap<String, Value> {
            let schemes = root.pointer("/components/securitySchemes").and_then(Value::as_object);
            let oauth = schemes
                .into_iter()
                .flatten()
                .find(|(_, scheme)| scheme.get("type") == Some(&json!("oauth2")));
            let flows = oauth
                .and_then(|(_, scheme)| scheme.get("flows"))
                .and_then(Value::as_object);
            flows
                .into_iter()
                .flatten()
                .map(|(name, flow)| (name.clone(), flow.clone()))
                .collect()
        };
        let (mine, other) = (flows(&self.spec.bundle), flows(self.theirs));
        if other.is_empty() {
            return;
        }
        let scopes = |flows: &BTreeMap<String, Value>| -> BTreeSet<String> {
            flows
                .values()
                .filter_map(|flow| flow.get("scopes")?.as_object())
                .flat_map(|it| it.keys().cloned())
                .collect()
        };
        for flow in mine.keys().filter(|flow| !other.contains_key(*flow)) {
            self.add(
                "grant-withdrawn",
                Class::WireBreaking,
                flow,
                format!("the flow `{flow}` is gone"),
                "the client still offers it",
                "remove the grant",
            );
        }
        for flow in other.keys().filter(|flow| !mine.contains_key(*flow)) {
            self.add(
                "grant-added",
                Class::Additive,
                flow,
                format!("the flow `{flow}` is new"),
                "the client does not offer it",
                "add the grant",
            );
        }
        let (mine_scopes, other_scopes) = (scopes(&mine), scopes(&other));
        for scope in mine_scopes.difference(&other_scopes) {
            self.add(
                "scope-withdrawn",
                Class::WireBreaking,
                scope,
                format!("the scope `{scope}` is gone"),
                "an authorization that asks for it is refused",
                "remove the scope",
            );
        }
        for scope in other_scopes.difference(&mine_scopes) {
            self.add(
                "scope-added",
                Class::Additive,
                scope,
                format!("the scope `{scope}` is new"),
                "the client cannot name it",
                "describe the scope",
            );
        }
        for (name, flow) in &mine {
            for key in ["tokenUrl", "authorizationUrl"] {
                let path = |flow: &Value| flow.get(key).and_then(Value::as_str).map(str::to_owned);
                if let (Some(ours), Some(theirs)) = (path(flow), other.get(name).and_then(path))
                    && ours != theirs
                {
                    self.add(
                        "endpoint-moved",
                        Class::WireBreaking,
                        key,
                        format!("{key} of `{name}` is {theirs}"),
                        &format!("the client knows {ours}"),
                        "move the operation and correct the flow",
                    );
                }
            }
        }
    }

    fn servers(&mut self) {
        self.operation.clear();
        self.pointer = "/servers".to_owned();
        let hosts = |root: &Value| -> BTreeSet<String> {
            let servers = root.get("servers").and_then(Value::as_array).into_iter().flatten();
            servers
                .filter_map(|server| server.get("url")?.as_str())
                .filter(|url| url.contains("://"))
                .map(|url| {
                    url.split("://")
                        .nth(1)
                        .unwrap_or_default()
                        .split('/')
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                })
                .collect()
        };
        let (mine, other) = (hosts(&self.spec.bundle), hosts(self.theirs));
        if mine.iter().any(|host| host.contains('{')) || other.is_empty() {
            return;
        }
        for host in mine.difference(&other) {
            let all_gone = mine.is_disjoint(&other);
            let class = if all_gone { Class::WireBreaking } else { Class::DocsOnly };
            self.add(
                "host-gone",
                class,
                host,
                format!("the host {host} is not in the document"),
                "the client asks it",
                "see which host serves now",
            );
        }
        for host in other.difference(&mine) {
            self.add(
                "host-added",
                Class::Additive,
                host,
                format!("the host {host} is new"),
                "the client asks it only as a base URL that is given",
                "list it under `servers`",
            );
        }
    }

    /// `x-oauth`, where the document carries one (a bundle of ours, at another time).
    fn authorization_server(&mut self) {
        self.operation.clear();
        let mine = self
            .spec
            .bundle
            .pointer("/components/securitySchemes/oauth/x-oauth")
            .cloned()
            .unwrap_or_default();
        let Some(other) = self.theirs.pointer("/components/securitySchemes/oauth/x-oauth") else {
            return;
        };
        let fields: BTreeSet<&String> = [mine.as_object(), other.as_object()]
            .into_iter()
            .flatten()
            .flat_map(Map::keys)
            .collect();
        for field in fields {
            let (ours, theirs) = (mine.get(field), other.get(field));
            if ours == theirs {
                continue;
            }
            self.pointer = Spec::oauth_pointer(&join("", field));
            let (rule, class, effect) = match field.as_str() {
                "grades" => ("grade-changed", Class::DocsOnly, "only how far it is to be trusted"),
                "access_token_lifetime" => ("lifetime-changed", Class::DocsOnly, "the client goes by the reply"),
                "refresh" => {
                    let lifetime =
                        |value: Option<&Value>| value.and_then(|it| it.get("lifetime")).and_then(Value::as_u64);
                    match (lifetime(ours), lifetime(theirs)) {
                        (Some(was), Some(is)) if is < was => (
                            "lifetime-changed",
                            Class::WireBreaking,
                            "a refresh that the client still counts on is refused",
                        ),
                        (was, is) if was != is => {
                            ("lifetime-changed", Class::DocsOnly, "the client's tables say otherwise")
                        }
                        _ => (
                            "refresh-changed",
                            Class::DocsOnly,
                            "the client keeps a new refresh token wherever one comes",
                        ),
                    }
                }
                "client_authentication" => (
                    "client-authentication-changed",
                    Class::WireBreaking,
                    "the client authenticates in another way",
                ),
                "pkce" => (
                    "pkce-changed",
                    Class::WireBreaking,
                    "the client sends what it was generated with",
                ),
                "grants" => continue,
                _ => (
                    "authorization-server-changed",
                    Class::WireBreaking,
                    "the client was generated with the other value",
                ),
            };
            let lifetime = |value: Option<&Value>| value.and_then(|it| it.get("lifetime")).and_then(Value::as_u64);
            let what = match (lifetime(ours), lifetime(theirs)) {
                (Some(was), Some(is)) if was != is => {
                    let (was, is) = (crate::pages::duration(was), crate::pages::duration(is));
                    format!("the refresh token lives {is}, not {was}")
                }
                _ => format!("x-oauth.{field} differs"),
            };
            self.add(rule, class, field, what, effect, "follow it in x-oauth");
        }
    }
}

/// An object schema with its `allOf` parts in it.
fn merged(root: &Value, schema: &Value) -> Map<String, Value> {
    let mut whole = schema.as_object().cloned().unwrap_or_default();
    let Some(Value::Array(parts)) = whole.shift_remove("allOf") else {
        return whole;
    };
    for part in &parts {
        let Some(part) = deref(root, part) else { continue };
        for (key, value) in merged(root, part) {
            match (whole.get_mut(&key), value) {
                (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
                (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
                (Some(_), _) => {}
                (None, value) => {
                    whole.insert(key, value);
                }
            }
        }
    }
    whole
}

fn contains_reference(schema: &Value) -> bool {
    match schema {
        Value::Object(object) => object.contains_key("$ref") || object.values().any(contains_reference),
        Value::Array(items) => items.iter().any(contains_reference),
        _ => false,
    }
}

fn essence(media: &str) -> String {
    media.split(';').next().unwrap_or_default().trim().to_lowercase()
}

/// What oxide's comparison sees on operations of which this one says nothing.
fn second_opinion(
    ours: &Value,
    theirs: &Value,
    pairs: &[(Operation<'_>, Operation<'_>)],
    told: &BTreeSet<String>,
) -> Vec<Issue> {
    let silent: Vec<&(Operation<'_>, Operation<'_>)> = pairs
        .iter()
        .filter(|(operation, _)| !told.contains(operation.id()))
        .collect();
    let document = |root: &Value, pick: &dyn Fn(&(Operation<'_>, Operation<'_>)) -> Value| -> Value {
        let mut paths = Map::new();
        for pair in &silent {
            let item = paths.entry(pair.0.path.to_owned()).or_insert_with(|| json!({}));
            if let Some(item) = item.as_object_mut() {
                item.insert(pair.0.method.to_owned(), pick(pair));
            }
        }
        json!({
            "openapi": "3.0.3",
            "info": {"title": "", "version": ""},
            "paths": paths,
            "components": {"schemas": root.pointer("/components/schemas").cloned().unwrap_or_else(|| json!({}))},
        })
    };
    let old = document(ours, &|pair| Value::Object(pair.0.value.clone()));
    let new = document(theirs, &|pair| {
        // Path parameters under the names of ours, which is what the paths have.
        let mut value = Value::Object(pair.1.value.clone());
        let names: Vec<&str> = crate::rules::template_names(pair.0.path).collect();
        let theirs: Vec<String> = crate::rules::template_names(pair.1.path).map(str::to_owned).collect();
        for parameter in value
            .get_mut("parameters")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            let position = theirs
                .iter()
                .position(|name| parameter.get("name").and_then(Value::as_str) == Some(name));
            if let (Some(position), Some(object)) = (position, parameter.as_object_mut())
                && object.get("in") == Some(&json!("path"))
                && let Some(name) = names.get(position)
            {
                object.insert("name".to_owned(), json!(name));
            }
        }
        value
    });
    let Ok(changes) = drift::compare(&old, &new) else {
        return Vec::new();
    };
    let mut issues = Vec::new();
    for change in changes {
        for info in change.changes {
            if info.class == drift::ChangeClass::Trivial {
                continue;
            }
            let path = change
                .paths
                .first()
                .map(|path| path.old.iter().last().unwrap_or_default().to_owned())
                .unwrap_or_default();
            issues.push(Issue {
                rule: "unhandled-change",
                class: Class::Unhandled,
                operation: None,
                subject: format!("{path} {}", info.old_subpath),
                pointer: String::new(),
                what: format!("{} ({path} {})", info.message, info.old_subpath),
                effect: "seen by the second comparison, and not understood by the first".to_owned(),
                fix: "compare the two by eye".to_owned(),
            });
        }
    }
    issues
}
