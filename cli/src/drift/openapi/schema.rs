//! Schemas, by what the generated type sends or reads.

use std::collections::BTreeSet;

use finrail_spec::comparable::KINDS;
use finrail_spec::pointer::join;
use finrail_spec::reference::{deref, pointer_of};
use serde_json::{Map, Value};

use super::compared::{Compared, Direction};
use crate::drift::finding::Class;

/// A schema and its place in its document.
type Placed<'v> = (&'v str, &'v Value);

impl<'s> Compared<'s> {
    pub(super) fn schema(&mut self, ours: Placed<'_>, theirs: Placed<'_>, direction: Direction, path: &str) {
        let (here, mine) = resolved(self.ours, ours);
        let (there, other) = resolved(self.theirs, theirs);
        // A reference and what it leads to may each have words.
        let words =
            |outer: &Value, inner: &Value| [outer.get("description").cloned(), inner.get("description").cloned()];
        let known = words(ours.1, &mine);
        for word in words(theirs.1, &other).iter().filter(|word| !known.contains(word)) {
            self.described(None, word.as_ref());
        }
        // The same two places say the same again; a schema that contains itself ends here.
        if !self.visited.insert((here.clone(), there.clone(), direction)) {
            return;
        }
        if mine == other && !contains_reference(&mine) {
            return;
        }
        let outer = std::mem::replace(&mut self.place, here.clone());
        self.compared(&here, &mine, &there, &other, direction, path);
        self.place = outer;
    }

    fn compared(&mut self, here: &str, mine: &Value, there: &str, other: &Value, direction: Direction, path: &str) {
        if let Some(name) = reference(other) {
            let is_there = pointer_of(name).is_some_and(|at| self.theirs.pointer(&at).is_some());
            let why = if is_there {
                "leads to itself"
            } else {
                "the document does not have"
            };
            self.add(
                "reference-dangling",
                Class::Unhandled,
                path,
                format!("`{path}` refers to {name}, which {why}"),
                "what it is cannot be compared",
                "look at the document",
            );
            return;
        }
        let (mine, other) = (merged(self.ours, mine), merged(self.theirs, other));
        let lenient = mine.get("x-lenient").and_then(Value::as_str);
        self.unread(here, &mine, there, path);
        self.kinds(&mine, &other, direction, path, lenient);
        self.values(&mine, &other, direction, path);
        self.limits(&mine, &other, direction, path);
        self.default(&mine, &other, direction, path);
        // A document that says nothing about a value does not say that it lost its fields.
        let said = ["type", "properties"].iter().any(|key| other.contains_key(*key));
        if said && (mine.contains_key("properties") || other.contains_key("properties")) {
            self.properties((here, &mine), (there, &other), direction, path);
        }
        for key in ["items", "additionalProperties"] {
            if let (Some(mine), Some(other)) = (mine.get(key), other.get(key))
                && mine.is_object()
                && other.is_object()
            {
                let (here, there) = (join(here, key), join(there, key));
                let inner = if key == "items" { "[]" } else { ".*" };
                self.schema((&here, mine), (&there, other), direction, &format!("{path}{inner}"));
            }
        }
    }

    /// What of the other schema cannot be compared, where the client reads or writes one kind of value.
    fn unread(&mut self, here: &str, mine: &Map<String, Value>, there: &str, path: &str) {
        let (ours, theirs) = self.read;
        let any_json = !mine.contains_key("type") && !mine.contains_key("properties");
        if any_json {
            return;
        }
        let known: BTreeSet<&str> = ours.unread_at(here).collect();
        let new: Vec<&str> = theirs.unread_at(there).filter(|why| !known.contains(why)).collect();
        if !new.is_empty() {
            self.add(
                "schema-unread",
                Class::Unhandled,
                path,
                format!("`{path}` is not compared: {}", new.join("; ")),
                "what the client makes of it now is not known",
                "compare the two by eye",
            );
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
            if let Some(kinds) = schema.get(KINDS).and_then(Value::as_array) {
                let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
                return kinds.join(" or ");
            }
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
        // Whichever it is, the client reads it.
        if k == other_k && k.contains(" or ") {
            return;
        }
        if other_k.is_empty() || k.is_empty() {
            return;
        }
        // Of several types, each must fit.
        let each = |fitting: &[&str]| other_k.split(" or ").all(|kind| fitting.contains(&kind));
        let decimal = f == "decimal" && each(&["number", "string", "integer"]) && direction.is_read();
        let read_anyway = direction.is_read()
            && (matches!(lenient, Some("string" | "boolean")) && each(&["boolean", "string", "integer", "number"])
                || lenient == Some("array") && each(&["array", "object"])
                || lenient == Some("object") && each(&["object", "string"])
                || k == "number" && other_k == "integer");
        let sent_anyway = direction == Direction::Request && k == "integer" && other_k == "number";
        if k != other_k && !decimal && !read_anyway && !sent_anyway {
            self.add(
                "type-changed",
                direction.unless_failed(Class::WireBreaking),
                path,
                format!("`{path}` is {other_k} now"),
                &format!("the client {} {k}", if direction.is_read() { "reads" } else { "sends" }),
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
        if k == "integer" && f == "int32" && other_f != "int32" && direction.is_read() {
            self.add(
                "format-changed",
                direction.unless_failed(Class::WireBreaking),
                path,
                format!("`{path}` may be larger than 32 bits now"),
                "the client reads int32, and nothing larger",
                "write `format: int64`",
            );
        }
        let strict = ["date", "date-time", "uuid", "time"].contains(&f.as_str()) && lenient.is_none();
        if f != other_f && strict && direction.is_read() && k == "string" {
            self.add(
                "format-changed",
                direction.unless_failed(Class::WireBreaking),
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
        let is_text = |schema: &Map<String, Value>| schema.get("type").and_then(Value::as_str) == Some("string");
        let (mine, other) = match (listed(mine), listed(other)) {
            (Some(mine), Some(other)) => (mine, other),
            (None, Some(other)) if is_text(mine) => return self.listed_now(&other, direction, path),
            (Some(_), None) if is_text(other) => return self.listed_no_more(direction, path),
            _ => return,
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
                Direction::Reply | Direction::Failure => {
                    (Class::SourceBreaking, "following the document removes a variant")
                }
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

    fn listed_now(&mut self, values: &BTreeSet<String>, direction: Direction, path: &str) {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let (class, effect) = match direction.is_read() {
            true => (Class::DocsOnly, "the client reads any text"),
            false => (
                Class::Unhandled,
                "the client sends any text, and another may be refused now",
            ),
        };
        self.add(
            "enum-added",
            class,
            path,
            format!("`{path}` is one of {} now", values.join(", ")),
            effect,
            "list the values",
        );
    }

    fn listed_no_more(&mut self, direction: Direction, path: &str) {
        let (class, effect) = match direction.is_read() {
            true => (
                Class::DocsOnly,
                "the client reads any text, what is not listed as Unknown",
            ),
            false => (Class::Additive, "the client offers the listed values"),
        };
        self.add(
            "enum-gone",
            class,
            path,
            format!("`{path}` may be any text now"),
            effect,
            "see whether the list is complete still",
        );
    }

    /// The limits of a number in a path, which the client writes as a text.
    pub(super) fn limits_of_number(&mut self, ours: &Value, theirs: &Value, path: &str) {
        let whole = |root: &Value, schema: &Value| merged(root, &resolved(root, ("", schema)).1);
        let (mine, mut other) = (whole(self.ours, ours), whole(self.theirs, theirs));
        other.retain(|key, _| ["minimum", "maximum"].contains(&key.as_str()));
        let mine = mine.into_iter().filter(|(key, _)| other.contains_key(key)).collect();
        self.limits(&mine, &other, Direction::Request, path);
    }

    /// What the provider takes where the client leaves a value out.
    fn default(&mut self, mine: &Map<String, Value>, other: &Map<String, Value>, direction: Direction, path: &str) {
        let Some(now) = other.get("default").filter(|_| direction == Direction::Request) else {
            return;
        };
        let (class, what) = match mine.get("default") {
            Some(was) if was == now => return,
            Some(was) => (
                Class::Unhandled,
                format!("`{path}` is {now} where it is left out, and was {was}"),
            ),
            None => (Class::DocsOnly, format!("`{path}` is {now} where it is left out")),
        };
        self.add(
            "default-changed",
            class,
            path,
            what,
            "a call that leaves it out is answered so",
            "write the `default`, and see whether callers count on another",
        );
    }

    fn limits(&mut self, mine: &Map<String, Value>, other: &Map<String, Value>, direction: Direction, path: &str) {
        for key in [
            "minLength",
            "maxLength",
            "minimum",
            "maximum",
            "pattern",
            "minItems",
            "maxItems",
        ] {
            // What is received may be narrower than it was.
            let is_new = !mine.contains_key(key);
            if mine.get(key) != other.get(key) && !(is_new && direction.is_read()) {
                let now = other.get(key).map_or("none".to_owned(), Value::to_string);
                self.add(
                    "limit-changed",
                    Class::Unhandled,
                    &format!("{path} {key}"),
                    format!("`{path}` has another {key}: {now}"),
                    "what the client does about it depends on the generated type",
                    "correct the limit, or remove it",
                );
            }
        }
    }

    /// What words beside a field say of it: that it goes, or goes one way alone.
    fn field_words(&mut self, ours: &Value, theirs: &Value, direction: Direction, path: &str, is_required: bool) {
        let says = |root: &Value, schema: &Value, word: &str| {
            let target = deref(root, schema).unwrap_or(schema);
            [schema, target]
                .iter()
                .any(|it| it.get(word) == Some(&Value::Bool(true)))
        };
        let is_new = |word: &str| says(self.theirs, theirs, word) && !says(self.ours, ours, word);
        let (one_way, fails) = match direction {
            Direction::Request => ("readOnly", is_required),
            Direction::Reply => ("writeOnly", is_required),
            Direction::Failure => ("writeOnly", false),
        };
        let (is_one_way, is_deprecated) = (is_new(one_way), is_new("deprecated"));
        if is_one_way {
            let class = if fails {
                Class::WireBreaking
            } else {
                Class::SourceBreaking
            };
            let (what, effect) = match direction {
                Direction::Request => ("is only received", "the client still offers to send it"),
                _ => ("is only sent", "the client reads it where it comes"),
            };
            self.add(
                "field-one-way",
                class,
                path,
                format!("`{path}` {what} now (`{one_way}`)"),
                effect,
                "follow it in the schema",
            );
        }
        if is_deprecated {
            self.add(
                "field-deprecated",
                Class::DocsOnly,
                path,
                format!("`{path}` is deprecated"),
                "it still works",
                "write `deprecated: true`, and look for what replaces it",
            );
        }
    }

    fn properties(
        &mut self,
        (here, mine): (&str, &Map<String, Value>),
        (there, other): (&str, &Map<String, Value>),
        direction: Direction,
        path: &str,
    ) {
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
                    Direction::Reply | Direction::Failure => (
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
            if direction.is_read()
                && mine_required.contains(name)
                && other_schema.get("nullable") == Some(&Value::Bool(true))
                && schema.get("nullable") != Some(&Value::Bool(true))
            {
                self.add(
                    "became-nullable",
                    direction.unless_failed(Class::WireBreaking),
                    &at,
                    format!("`{at}` may be null now"),
                    "the client cannot read null where a value must be",
                    "make the field optional",
                );
            }
            self.field_words(schema, other_schema, direction, &at, mine_required.contains(name));
            let place = |at: &str| join(&join(at, "properties"), name);
            self.schema((&place(here), schema), (&place(there), other_schema), direction, &at);
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
}

/// Follows references, and wrappers of one part that only add a description, to where they lead, and tells that place. Where
/// they lead nowhere, or to themselves, it is a reference.
pub(super) fn resolved(root: &Value, (at, schema): Placed<'_>) -> (String, Value) {
    let (mut at, mut schema, mut last) = (at.to_owned(), schema, schema);
    // A chain longer than this is a cycle.
    for _ in 0..32 {
        if let Some(reference) = reference(schema) {
            last = schema;
            at = reference.strip_prefix('#').unwrap_or_default().to_owned();
            match deref(root, schema) {
                Some(target) => schema = target,
                None => return (at, schema.clone()),
            }
        }
        match schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
            Some([part]) if reference(part).is_some() && schema.get("properties").is_none() => schema = part,
            _ => return (at, schema.clone()),
        }
    }
    (at, last.clone())
}

fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str)
}

/// An object schema with its `allOf` parts in it.
fn merged(root: &Value, schema: &Value) -> Map<String, Value> {
    merged_within(root, schema, &mut BTreeSet::new())
}

/// A part that was taken already adds nothing, and may be the whole that contains it.
fn merged_within(root: &Value, schema: &Value, taken: &mut BTreeSet<String>) -> Map<String, Value> {
    let mut whole = schema.as_object().cloned().unwrap_or_default();
    let Some(Value::Array(parts)) = whole.shift_remove("allOf") else {
        return whole;
    };
    for part in &parts {
        if reference(part).is_some_and(|name| !taken.insert(name.to_owned())) {
            continue;
        }
        let Some(part) = deref(root, part) else { continue };
        for (key, value) in merged_within(root, part, taken) {
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
