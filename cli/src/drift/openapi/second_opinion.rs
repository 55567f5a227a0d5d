//! What oxide's comparison sees, and this one does not tell.

use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};

use finrail_spec::comparable::KINDS;
use finrail_spec::grammar::{self, Kind};
use finrail_spec::operations::OperationObject;
use finrail_spec::reference::deref;
use serde_json::{Map, Value, json};

use super::media::chosen;
use crate::drift::finding::Class;
use crate::drift::spec::Issue;

/// The changes of a second comparison that were not `told`: places of the bundle with the rules that spoke of them.
pub(super) fn of(
    ours: &Value,
    theirs: &Value,
    pairs: &[(OperationObject<'_>, OperationObject<'_>)],
    told: &[(String, &'static str)],
) -> Vec<Issue> {
    let comparable: Vec<(&OperationObject<'_>, Value, Value)> = pairs
        .iter()
        .map(|(ours, theirs)| {
            let (old, new) = alike(ours, theirs);
            (ours, old, new)
        })
        .collect();
    let old = document(ours, comparable.iter().map(|(operation, old, _)| (*operation, old)));
    let new = document(theirs, comparable.iter().map(|(operation, _, new)| (*operation, new)));
    // The crate stops at what it does not know yet; that is one more thing that is not understood.
    let compared = catch_unwind(AssertUnwindSafe(|| drift::compare(&old, &new)));
    let changes = match compared {
        Ok(Ok(changes)) => changes,
        Ok(Err(why)) => return vec![unread(format!("{why:#}"))],
        Err(_) => return vec![unread("it stopped".to_owned())],
    };
    let mut spoken: HashMap<String, BTreeSet<&str>> = HashMap::new();
    for (place, rule) in told {
        spoken.entry(pointer(place, "")).or_default().insert(rule);
    }
    let mut issues = Vec::new();
    for change in changes {
        let place = change
            .paths
            .first()
            .map(|path| path.old.iter().next().unwrap_or_default().to_owned());
        let root = change
            .paths
            .first()
            .map(|path| path.old.iter().last().unwrap_or_default().to_owned());
        let (place, root) = (place.unwrap_or_default(), root.unwrap_or_default());
        for info in change.changes {
            let at = pointer(&place, &info.old_subpath);
            let mut rules = spoken.get(&at).into_iter().flatten();
            let known = rules.any(|rule| speaks_of(rule, &info.message));
            if info.class == drift::ChangeClass::Trivial || known {
                continue;
            }
            issues.push(Issue {
                rule: "unhandled-change",
                class: Class::Unhandled,
                operation: None,
                subject: at.clone(),
                pointer: at.clone(),
                what: format!("{} ({at}, from {})", info.message, pointer(&root, "")),
                effect: "seen by the second comparison, and not understood by the first".to_owned(),
                fix: "compare the two by eye".to_owned(),
            });
        }
    }
    issues
}

fn unread(why: String) -> Issue {
    Issue {
        rule: "unhandled-document",
        class: Class::Unhandled,
        operation: None,
        subject: "document".to_owned(),
        pointer: String::new(),
        what: format!("the second comparison cannot read the document: {why}"),
        effect: "only the first comparison was made".to_owned(),
        fix: "look at the document".to_owned(),
    }
}

/// Whether a rule has told what a message of the crate says.
fn speaks_of(rule: &str, message: &str) -> bool {
    let any = |words: &[&str]| words.iter().any(|word| message.contains(word));
    match rule {
        "field-gone" | "field-added" => any(&["object properties", "object required"]),
        "became-required" | "became-optional" => any(&["required"]),
        "became-nullable" => any(&["metadata"]),
        "type-changed" => any(&["kind changed", "types changed", "items changed", "schema changed"]),
        "enum-value-added" | "enum-value-removed" | "enum-added" | "enum-gone" | "format-changed" => {
            any(&["schema changed"])
        }
        "limit-changed" => any(&["schema changed", "minItems", "maxItems"]),
        "schema-unread" => any(&["kind changed", "'any'", "schema changed"]),
        "parameter-gone" | "parameter-added" => any(&["arameter"]),
        "default-changed" | "field-one-way" | "field-deprecated" => any(&["metadata"]),
        "parameter-deprecated" => any(&["deprecat", "metadata"]),
        "style-changed" => any(&["parameter schema or content"]),
        "body-added" | "body-gone" => any(&["body"]),
        _ => false,
    }
}

/// A place as this comparison writes it.
fn pointer(place: &str, subpath: &str) -> String {
    let whole = format!("{}/{subpath}", place.trim_start_matches('#'));
    let whole = whole.replace("/request_body", "/requestBody");
    let mut parts: Vec<&str> = Vec::new();
    let tokens = whole.split('/').filter(|token| !token.is_empty());
    for token in tokens {
        // Parts of a whole are compared as the whole; a number stands for one of them.
        let number = token.chars().all(|c| c.is_ascii_digit());
        let of_list = parts
            .last()
            .is_some_and(|before| ["parameters", "responses"].contains(before));
        if token != "allOf" && (!number || of_list) {
            parts.push(token);
        }
    }
    parts.iter().map(|part| format!("/{part}")).collect()
}

fn document<'p>(root: &Value, operations: impl Iterator<Item = (&'p OperationObject<'p>, &'p Value)>) -> Value {
    let mut paths = Map::new();
    for (operation, value) in operations {
        let item = paths.entry(operation.path.to_owned()).or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            item.insert(operation.method.to_owned(), value.clone());
        }
    }
    let schemas = named(root);
    let mut document = json!({
        "openapi": "3.0.3",
        "info": {"title": "", "version": ""},
        "paths": paths,
        "components": {"schemas": schemas},
    });
    plain_schemas(&mut document);
    document
}

/// The named schemas, without those that are only names for each other: the crate follows them without end.
fn named(root: &Value) -> Value {
    let all = root.pointer("/components/schemas").and_then(Value::as_object);
    let leads_to_itself = |schema: &Value| schema.get("$ref").is_some() && deref(root, schema).is_none();
    let all = all.into_iter().flatten().map(|(name, schema)| {
        let schema = if leads_to_itself(schema) {
            json!({})
        } else {
            schema.clone()
        };
        (name.clone(), schema)
    });
    Value::Object(all.collect())
}

/// Schemas without what the crate cannot read, and what the first comparison has told or nobody needs.
fn plain_schemas(document: &mut Value) {
    let plain = grammar::rebuild(document, &mut |kind, mut object| {
        if kind == Kind::Schema {
            plain_schema(&mut object);
        }
        Value::Object(object)
    });
    *document = plain;
}

fn plain_schema(schema: &mut Map<String, Value>) {
    // Other formats are words for people; what else a known one means was compared.
    let means = |format: &Value| ["binary", "byte"].iter().any(|known| format == known);
    schema.retain(|key, value| match key.as_str() {
        "format" => means(value),
        // Digits that no number here has.
        "minimum" | "maximum" | "multipleOf" | "minLength" | "maxLength" | "minItems" | "maxItems" => value.is_number(),
        // What more there may be was compared where both say it.
        "additionalProperties" => false,
        _ => true,
    });
    // Their order says nothing.
    for key in ["required", "enum"] {
        if let Some(values) = schema.get_mut(key).and_then(Value::as_array_mut) {
            values.sort_by_key(Value::to_string);
        }
    }
    if schema.contains_key(KINDS) {
        schema.shift_remove("type");
    }
    schema.retain(|key, _| !key.starts_with("x-"));
}

/// Two operations with what the crate can compare: what only one has was told by the first comparison.
fn alike(ours: &OperationObject<'_>, theirs: &OperationObject<'_>) -> (Value, Value) {
    let (mut old, mut new) = (ours.value.clone(), theirs.value.clone());
    parameters(&mut old, &mut new);
    let body = |operation: &Map<String, Value>| operation.get("requestBody").cloned();
    if let (Some(mut mine), Some(mut other)) = (body(&old), body(&new)) {
        content(&mut mine, &mut other);
        // Whether it must be there was compared.
        for body in [&mut mine, &mut other] {
            body["required"] = json!(true);
        }
        old.insert("requestBody".to_owned(), mine);
        new.insert("requestBody".to_owned(), other);
    }
    let replies = |operation: &Map<String, Value>| operation.get("responses").and_then(Value::as_object).cloned();
    let (mine, other) = (replies(&old).unwrap_or_default(), replies(&new).unwrap_or_default());
    let (mut old_replies, mut new_replies) = (Map::new(), Map::new());
    for (status, mut reply) in mine {
        let Some(mut theirs) = other.get(&status).cloned() else {
            continue;
        };
        content(&mut reply, &mut theirs);
        // The crate reads no reply without words, and needs none.
        for reply in [&mut reply, &mut theirs].into_iter().filter_map(Value::as_object_mut) {
            reply.insert("description".to_owned(), json!(""));
        }
        old_replies.insert(status.clone(), reply);
        new_replies.insert(status, theirs);
    }
    old.insert("responses".to_owned(), Value::Object(old_replies));
    new.insert("responses".to_owned(), Value::Object(new_replies));
    for key in ["callbacks", "security", "servers"] {
        old.shift_remove(key);
        new.shift_remove(key);
    }
    (Value::Object(old), Value::Object(new))
}

/// Parameters of the path are texts on both sides, and headers that OpenAPI ignores are gone.
fn parameters(ours: &mut Map<String, Value>, theirs: &mut Map<String, Value>) {
    let listed = |operation: &Map<String, Value>| {
        operation
            .get("parameters")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let text = |parameter: &Value, key: &str| {
        parameter
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let is_of_path = |parameter: &Value| text(parameter, "in") == "path";
    let is_ignored = |parameter: &Value| {
        let name = text(parameter, "name").to_lowercase();
        text(parameter, "in") == "header" && ["authorization", "accept", "content-type"].contains(&name.as_str())
    };
    let of_path: Vec<Value> = listed(ours)
        .into_iter()
        .filter(is_of_path)
        .map(|parameter| json!({"name": parameter["name"], "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    for operation in [ours, theirs] {
        let others = listed(operation)
            .into_iter()
            .filter(|it| !is_of_path(it) && !is_ignored(it));
        let all: Vec<Value> = of_path.iter().cloned().chain(others).collect();
        operation.insert("parameters".to_owned(), Value::Array(all));
    }
}

/// The chosen media type of ours on both sides, where both say what is in it; none otherwise.
fn content(ours: &mut Value, theirs: &mut Value) {
    let bodies = |holder: &Value| {
        holder
            .get("content")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    let (mine, other) = (bodies(ours), bodies(theirs));
    let first = mine.iter().next();
    let pair = first.and_then(|(media, described)| {
        let (_, found) = chosen(media, &other)?;
        Some((
            media.clone(),
            described.get("schema")?.clone(),
            found.get("schema")?.clone(),
        ))
    });
    let kept = |schema: Option<(&String, &Value)>| -> Value {
        let mut content = Map::new();
        if let Some((media, schema)) = schema {
            content.insert(media.clone(), json!({"schema": schema}));
        }
        Value::Object(content)
    };
    let (old, new) = match &pair {
        Some((media, mine, other)) => (kept(Some((media, mine))), kept(Some((media, other)))),
        None => (kept(None), kept(None)),
    };
    if let (Some(ours), Some(theirs)) = (ours.as_object_mut(), theirs.as_object_mut()) {
        ours.insert("content".to_owned(), old);
        theirs.insert("content".to_owned(), new);
    }
}
