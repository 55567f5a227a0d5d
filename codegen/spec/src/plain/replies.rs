//! What a call is answered with: one type for all successes, and one for all errors.

use std::collections::BTreeSet;

use super::Work;
use crate::dialect::Weight;
use crate::json::Json;
use crate::media_type::{essence, is_json, means_json};
use crate::names::pascal_case;
use crate::pointer::keys;

/// More schemas in one another than a document has.
const DEEPEST: usize = 12;

/// What a reply has, of what a document offers.
enum Form {
    Nothing,
    Bytes(String),
    /// Its media type and its schema.
    Json(String, Json),
}

impl Work<'_> {
    pub(super) fn replies(&mut self, operation: &mut Json, pointer: &str) {
        // What a browser opens is no call.
        if operation.get("x-browser").and_then(Json::as_bool) == Some(true) {
            return;
        }
        let listed = operation
            .get("responses")
            .map(Json::members)
            .unwrap_or_default()
            .to_vec();
        let (mut successes, mut errors, mut default, mut redirects) = (Vec::new(), Vec::new(), None, 0);
        for (status, reply) in &listed {
            match (status.as_str(), status.as_bytes()) {
                ("default", _) => default = Some(reply),
                (_, [b'2', ..]) => successes.push((status.to_uppercase(), reply)),
                (_, [b'4' | b'5', ..]) => errors.push((status.to_uppercase(), reply)),
                (_, [b'3', ..]) => redirects += 1,
                (_, [b'1', ..]) => {}
                _ if status.starts_with("x-") => {}
                _ => self.lose(
                    pointer,
                    Weight::Meaning,
                    format!("reply `{status}`, which is no status"),
                ),
            }
        }
        if successes.is_empty() && redirects > 0 {
            return self.fault(
                pointer,
                "it answers with a redirect alone; a call follows none, so it is for a browser to open",
            );
        }
        if redirects > 0 {
            self.lose(
                pointer,
                Weight::Rule,
                "its redirects: a call follows none, and tells of one as an error",
            );
        }
        if let Some(reply) = default {
            match successes.is_empty() {
                true => successes.push(("2XX".to_owned(), reply)),
                false if errors.is_empty() => errors.push(("4XX".to_owned(), reply)),
                false => errors.push(("default".to_owned(), reply)),
            }
        }
        if successes.is_empty() {
            return self.fault(pointer, "it says of no success what it answers");
        }
        let mut out = Vec::new();
        let name = match operation.get("operationId").and_then(Json::as_str) {
            Some(id) => pascal_case(id),
            None => {
                let mut words = keys(pointer);
                words.reverse();
                words.truncate(2);
                pascal_case(&words.join(" "))
            }
        };
        self.successes(&successes, &name, &mut out, pointer);
        self.errors(&errors, &name, &mut out, pointer);
        operation.set("responses", Json::Object(out));
    }

    fn successes(&mut self, listed: &[(String, &Json)], name: &str, out: &mut Vec<(String, Json)>, pointer: &str) {
        let forms: Vec<Form> = listed.iter().map(|(_, reply)| self.form_of(reply, pointer)).collect();
        let schemas: Vec<&Json> = forms
            .iter()
            .filter_map(|form| match form {
                Form::Json(_, schema) => Some(schema),
                _ => None,
            })
            .collect();
        let has_bytes = forms.iter().any(|form| matches!(form, Form::Bytes(_)));
        let together = self.together(&schemas, &format!("{name}Reply"), pointer, "successes");
        let mut kept = Vec::new();
        for ((status, reply), form) in listed.iter().zip(&forms) {
            let content = match form {
                // JSON is read before bytes, and either before nothing.
                Form::Bytes(_) if together.is_some() => None,
                Form::Nothing if together.is_some() || has_bytes => None,
                Form::Nothing => Some(None),
                Form::Bytes(media_type) => Some(Some((media_type, Json::object([("schema", bytes())])))),
                Form::Json(media_type, _) => together
                    .clone()
                    .map(|schema| Some((media_type, Json::object([("schema", schema)])))),
            };
            let Some(content) = content else {
                self.lose(
                    pointer,
                    Weight::Meaning,
                    format!("reply `{status}`, which differs from the others: it is told as an error"),
                );
                continue;
            };
            kept.push((status.clone(), with_content(reply, content, self.examples(reply))));
        }
        if schemas.len() > 1 && schemas.iter().any(|schema| *schema != schemas[0]) {
            let described = listed
                .iter()
                .zip(&forms)
                .filter(|(_, form)| matches!(form, Form::Json(..)));
            let statuses: Vec<String> = described.map(|((status, _), _)| format!("`{status}`")).collect();
            self.lose_fields_of(&statuses.join(", "), &schemas, pointer);
        }
        out.extend(kept);
    }

    /// What successes of several kinds cost: fields that one of them always has may be missing in what reads them all.
    fn lose_fields_of(&mut self, statuses: &str, schemas: &[&Json], pointer: &str) {
        let what = format!("which of its successes ({statuses}) has which fields: all are read as one type");
        let targets: Option<Vec<Json>> = schemas.iter().map(|schema| self.object_of(schema, 0)).collect();
        let missing = targets
            .map(|targets| self.no_longer_required(&targets))
            .unwrap_or_default();
        match missing.is_empty() {
            true => self.lose(pointer, Weight::Rule, what),
            false => self.lose(
                pointer,
                Weight::Meaning,
                format!("{what}, in which {} may be missing", missing.join(", ")),
            ),
        }
    }

    /// The fields that some of these objects require and not all of them, amounts first.
    fn no_longer_required(&self, targets: &[Json]) -> Vec<String> {
        let required =
            |schema: &Json, name: &Json| schema.get("required").is_some_and(|all| all.items().contains(name));
        let all = targets
            .iter()
            .filter_map(|schema| schema.get("required"))
            .flat_map(Json::items);
        let some: BTreeSet<&str> = all
            .filter(|name| !targets.iter().all(|schema| required(schema, name)))
            .filter_map(Json::as_str)
            .collect();
        let is_amount = |name: &&str| {
            let properties = targets.iter().filter_map(|schema| schema.at(&["properties", name]));
            properties.map(|property| self.target(property)).any(is_amount)
        };
        let (amounts, others): (Vec<&str>, Vec<&str>) = some.into_iter().partition(is_amount);
        let amounts = amounts.into_iter().map(|name| format!("the amount `{name}`"));
        amounts
            .chain(others.into_iter().map(|name| format!("`{name}`")))
            .collect()
    }

    /// Errors are told apart by their status; what all of them may have is one type.
    fn errors(&mut self, listed: &[(String, &Json)], name: &str, out: &mut Vec<(String, Json)>, pointer: &str) {
        let Some((_, first)) = listed.first() else { return };
        let forms: Vec<Form> = listed.iter().map(|(_, reply)| self.form_of(reply, pointer)).collect();
        let schemas: Vec<&Json> = forms
            .iter()
            .filter_map(|form| match form {
                Form::Json(_, schema) => Some(schema),
                _ => None,
            })
            .collect();
        if schemas.len() > 1 && schemas.iter().any(|schema| *schema != schemas[0]) {
            self.lose(
                pointer,
                Weight::Rule,
                "which of its errors has which fields: all are read as one type",
            );
        }
        let described = listed
            .iter()
            .zip(&forms)
            .find(|(_, form)| matches!(form, Form::Json(..)));
        let reply = described.map_or(*first, |((_, reply), _)| *reply);
        let media_type = forms.iter().find_map(|form| match form {
            Form::Json(media_type, _) => Some(media_type),
            _ => None,
        });
        let content = self
            .together(&schemas, &format!("{name}Problem"), pointer, "errors")
            .zip(media_type)
            .map(|(schema, media_type)| (media_type, Json::object([("schema", schema)])));
        let plain = with_content(reply, content, self.examples(reply));
        for class in ["4XX", "5XX"] {
            out.push((class.to_owned(), plain.clone()));
        }
    }

    /// One type that reads what each of the schemas describes.
    fn together(&mut self, schemas: &[&Json], name: &str, pointer: &str, what: &str) -> Option<Json> {
        let first = *schemas.first()?;
        if schemas.iter().all(|schema| *schema == first) {
            return Some(first.clone());
        }
        let targets: Option<Vec<Json>> = schemas.iter().map(|schema| self.object_of(schema, 0)).collect();
        let Some(targets) = targets else {
            let rest = schemas.iter().skip(1);
            if let Some(both) = rest
                .clone()
                .try_fold(first.clone(), |both, schema| alike(&both, schema))
            {
                return Some(both);
            }
            let what = format!("what its {what} are made of, which is no object in each: they are read as any JSON");
            self.lose(pointer, Weight::Meaning, what);
            return Some(Json::Object(Vec::new()));
        };
        let mut properties: Vec<(String, Json)> = Vec::new();
        let mut differing = BTreeSet::new();
        for (name, property) in targets
            .iter()
            .filter_map(|schema| schema.get("properties"))
            .flat_map(Json::members)
        {
            match properties.iter_mut().find(|(known, _)| known == name) {
                None => properties.push((name.clone(), property.clone())),
                Some((_, known)) => match alike(known, property) {
                    Some(both) => *known = both,
                    // Of two types, any JSON.
                    None => {
                        *known = Json::Object(Vec::new());
                        differing.insert(name.clone());
                    }
                },
            }
        }
        if !differing.is_empty() {
            let names = differing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
            let what = format!(
                "the type of {}, of which its {what} say different ones: any JSON is read",
                names.join(" and ")
            );
            self.lose(pointer, Weight::Meaning, what);
        }
        let required: Vec<Json> = targets[0]
            .get("required")
            .map(Json::items)
            .unwrap_or_default()
            .iter()
            .filter(|name| {
                targets
                    .iter()
                    .all(|schema| schema.get("required").is_some_and(|all| all.items().contains(name)))
            })
            .cloned()
            .collect();
        let mut object = Json::object([("type", Json::str("object")), ("properties", Json::Object(properties))]);
        if !required.is_empty() {
            object.set("required", Json::Array(required));
        }
        if targets
            .iter()
            .any(|schema| schema.get("additionalProperties").is_some())
        {
            object.set("additionalProperties", Json::Object(Vec::new()));
        }
        Some(self.under_a_name(name, object))
    }

    /// The object that a schema describes, whatever it is made of; nothing, where it is no object or one of several kinds.
    fn object_of(&self, schema: &Json, depth: usize) -> Option<Json> {
        let target = self.target(schema);
        let is_one_of_many = ["oneOf", "anyOf", "not"]
            .iter()
            .any(|keyword| target.get(keyword).is_some());
        let is_object = target.get("type").is_none_or(|kind| kind.as_str() == Some("object"));
        if depth > DEEPEST || is_one_of_many || !is_object {
            return None;
        }
        let parts = target.get("allOf").map(Json::items).unwrap_or_default();
        let mut properties = target.get("properties").cloned().unwrap_or(Json::Object(Vec::new()));
        let mut required = target.get("required").map(Json::items).unwrap_or_default().to_vec();
        let mut has_more = has_more(target);
        for part in parts {
            let part = self.object_of(part, depth + 1)?;
            has_more |= part.get("additionalProperties").is_some();
            for (name, property) in part.get("properties").map(Json::members).unwrap_or_default() {
                let both = match properties.get(name) {
                    Some(known) if known != property => {
                        Json::object([("allOf", Json::Array(vec![known.clone(), property.clone()]))])
                    }
                    _ => property.clone(),
                };
                properties.set(name, both);
            }
            let names = part.get("required").map(Json::items).unwrap_or_default();
            required.extend(names.iter().cloned());
        }
        let says_so = target.get("properties").is_some() || !parts.is_empty();
        says_so.then(|| {
            let mut object = Json::object([
                ("type", Json::str("object")),
                ("properties", properties),
                ("required", Json::Array(required)),
            ]);
            if has_more {
                object.set("additionalProperties", Json::Object(Vec::new()));
            }
            object
        })
    }

    fn form_of(&mut self, reply: &Json, pointer: &str) -> Form {
        let offered = reply.get("content").map(Json::members).unwrap_or_default();
        let json = offered.iter().find(|(media_type, _)| is_json(media_type)).or_else(|| {
            offered
                .iter()
                .find(|(media_type, content)| means_json(media_type) && !is_binary(content))
        });
        let (media_type, form) = match (json, offered.first()) {
            (_, None) => return Form::Nothing,
            (Some((media_type, content)), _) => {
                let schema = content.get("schema").cloned().unwrap_or(Json::Object(Vec::new()));
                let name = if is_json(media_type) {
                    media_type.as_str()
                } else {
                    "application/json"
                };
                (media_type, Form::Json(name.to_owned(), schema))
            }
            (None, Some((media_type, _))) => {
                let name = if essence(media_type).contains('*') {
                    "application/octet-stream"
                } else {
                    media_type.as_str()
                };
                (media_type, Form::Bytes(name.to_owned()))
            }
        };
        self.one_of(offered, media_type, pointer, "that it can also answer with");
        form
    }

    /// The examples of the JSON of a reply.
    fn examples(&self, reply: &Json) -> Vec<(String, Json)> {
        let offered = reply.get("content").map(Json::members).unwrap_or_default();
        let json = offered.iter().find(|(media_type, _)| means_json(media_type));
        let kept = json.into_iter().flat_map(|(_, content)| content.members());
        kept.filter(|(name, _)| matches!(name.as_str(), "example" | "examples"))
            .cloned()
            .collect()
    }
}

/// Words for people, and rules for texts: of these, one schema may say others than another and mean the same type.
const WORDS: [&str; 9] = [
    "title",
    "description",
    "deprecated",
    "externalDocs",
    "example",
    "examples",
    "minLength",
    "maxLength",
    "pattern",
];

/// The one type that two schemas are, whatever words they say it in; nothing where they are of two types. What only one of them
/// says of texts is no rule for both.
fn alike(one: &Json, other: &Json) -> Option<Json> {
    if one == other {
        return Some(one.clone());
    }
    let (Json::Object(own), Json::Object(others)) = (one, other) else {
        return None;
    };
    let is_word = |keyword: &str| WORDS.contains(&keyword);
    if others
        .iter()
        .any(|(keyword, _)| !is_word(keyword) && one.get(keyword).is_none())
    {
        return None;
    }
    let mut out = Vec::new();
    for (keyword, value) in own {
        let both = match (other.get(keyword), keyword.as_str()) {
            (Some(same), _) if same == value => value.clone(),
            // The digits of an example say how wide a number is.
            (shown, "example") => longer(value, shown),
            (_, "title" | "description") => value.clone(),
            (_, keyword) if is_word(keyword) => continue,
            (Some(same), "items" | "additionalProperties") => alike(value, same)?,
            (Some(same), "properties") => fields_alike(value, same)?,
            _ => return None,
        };
        out.push((keyword.clone(), both));
    }
    if let Some(shown) = other.get("example").filter(|_| one.get("example").is_none()) {
        out.push(("example".to_owned(), shown.clone()));
    }
    Some(Json::Object(out))
}

/// The fields of two objects that have the same ones.
fn fields_alike(one: &Json, other: &Json) -> Option<Json> {
    if one.members().len() != other.members().len() {
        return None;
    }
    let fields = one.members().iter();
    let fields = fields.map(|(name, field)| Some((name.clone(), alike(field, other.get(name)?)?)));
    fields.collect::<Option<_>>().map(Json::Object)
}

fn longer(one: &Json, other: Option<&Json>) -> Json {
    let digits = |value: &Json| value.scalar().unwrap_or_default().len();
    match other {
        Some(other) if digits(other) > digits(one) => other.clone(),
        _ => one.clone(),
    }
}

/// Whether an object says that it has more than what it describes.
fn has_more(schema: &Json) -> bool {
    let more = schema.get("additionalProperties");
    more.is_some_and(|more| more.as_bool() != Some(false))
}

fn is_amount(schema: &Json) -> bool {
    let says = |keyword: &str, word: &str| schema.get(keyword).and_then(Json::as_str) == Some(word);
    says("type", "number") || says("format", "decimal")
}

fn is_binary(content: &Json) -> bool {
    content
        .get("schema")
        .and_then(|schema| schema.get("format"))
        .and_then(Json::as_str)
        == Some("binary")
}

fn bytes() -> Json {
    Json::object([("type", Json::str("string")), ("format", Json::str("binary"))])
}

fn with_content(reply: &Json, content: Option<(&String, Json)>, examples: Vec<(String, Json)>) -> Json {
    let description = reply.get("description").cloned().unwrap_or_else(|| Json::str(""));
    let mut out = Json::object([("description", description)]);
    if let Some((media_type, mut content)) = content {
        if means_json(media_type) {
            for (name, example) in examples {
                content.set(&name, example);
            }
        }
        out.set("content", Json::object([(media_type.as_str(), content)]));
    }
    out
}
