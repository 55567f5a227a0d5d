//! What the client sends: parameters and bodies.

use std::collections::BTreeMap;

use finrail_spec::operations::OperationObject;
use finrail_spec::pointer::join;
use serde_json::{Value, json};

use super::compared::{Compared, Direction};
use super::media::{chosen, place_of_media};
use super::schema::resolved;
use crate::drift::finding::Class;

/// A parameter and its place in its document.
type Listed<'v> = BTreeMap<(String, String), (String, &'v Value)>;

impl<'s> Compared<'s> {
    pub(super) fn parameters(&mut self, ours: &OperationObject<'s>, theirs: &OperationObject<'s>) {
        let at = ours.pointer();
        let (ours, theirs) = (listed(ours), listed(theirs));
        let required = |parameter: &Value| parameter.get("required") == Some(&Value::Bool(true));
        for ((place, name), (here, parameter)) in &ours {
            let Some((there, other)) = theirs.get(&(place.clone(), name.clone())) else {
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
            self.place.clone_from(here);
            self.necessity(
                name,
                "parameter",
                required(parameter),
                required(other),
                Direction::Request,
            );
            self.style(place, name, parameter, other);
            let deprecated = |parameter: &Value| parameter.get("deprecated") == Some(&Value::Bool(true));
            if deprecated(other) && !deprecated(parameter) {
                self.add(
                    "parameter-deprecated",
                    Class::DocsOnly,
                    name,
                    format!("the {place} parameter `{name}` is deprecated"),
                    "it still works",
                    "write `deprecated: true`, and look for what replaces it",
                );
            }
            match (parameter.get("schema"), other.get("schema")) {
                // A number in a path is written as its text is.
                (Some(ours), Some(theirs)) if place == "path" && self.is_text_for_number(ours, theirs) => {
                    self.limits_of_number(ours, theirs, name);
                }
                (Some(ours), Some(theirs)) => {
                    let (here, there) = (join(here, "schema"), join(there, "schema"));
                    self.schema((&here, ours), (&there, theirs), Direction::Request, name);
                }
                (Some(_), None) if other.get("content").is_some() => self.add(
                    "style-changed",
                    Class::WireBreaking,
                    name,
                    format!("the {place} parameter `{name}` is written as a document now (`content`)"),
                    "the client writes a plain value",
                    "describe how the parameter is written",
                ),
                _ => {}
            }
            self.place.clone_from(&at);
        }
        for ((place, name), (_, other)) in &theirs {
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

    fn is_text_for_number(&self, ours: &Value, theirs: &Value) -> bool {
        let (_, ours) = resolved(self.ours, ("", ours));
        let (_, theirs) = resolved(self.theirs, ("", theirs));
        let kind = |schema: &Value| schema.get("type").and_then(Value::as_str).map(str::to_owned);
        let is_any_text = ours.get("enum").is_none() && kind(&ours).as_deref() == Some("string");
        is_any_text && matches!(kind(&theirs).as_deref(), Some("integer" | "number"))
    }

    /// How a list or an object is written (OpenAPI 3.0.3, Parameter Object, `style`).
    fn style(&mut self, place: &str, name: &str, ours: &Value, theirs: &Value) {
        let said = |parameter: &Value| {
            let style = parameter.get("style").and_then(Value::as_str);
            let style = style.unwrap_or(if matches!(place, "query" | "cookie") {
                "form"
            } else {
                "simple"
            });
            let explode = parameter.get("explode").and_then(Value::as_bool);
            (style.to_owned(), explode.unwrap_or(style == "form"))
        };
        let (mine, other) = (said(ours), said(theirs));
        let kind = |parameter: &Value| {
            let schema = parameter
                .get("schema")
                .map(|schema| resolved(self.ours, ("", schema)).1);
            let kind = schema.and_then(|schema| schema.get("type")?.as_str().map(str::to_owned));
            kind.unwrap_or_default()
        };
        // One value is written the same way in every form.
        let one = !["array", "object"].contains(&kind(ours).as_str());
        if mine == other || one && mine.0 == other.0 {
            return;
        }
        self.add(
            "style-changed",
            Class::WireBreaking,
            name,
            format!(
                "the {place} parameter `{name}` is written {} now, explode {}",
                other.0, other.1
            ),
            &format!("the client writes it {}, explode {}", mine.0, mine.1),
            "describe how the parameter is written",
        );
    }

    pub(super) fn body(&mut self, ours: &OperationObject<'s>, theirs: &OperationObject<'s>) {
        let body = |operation: &OperationObject<'s>| operation.value.get("requestBody");
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
                let needed = |body: &Value| body.get("required") == Some(&json!(true));
                let (_, read) = self.read;
                if !read.is_swagger() || needed(other) {
                    self.necessity("body", "body", needed(mine), needed(other), Direction::Request);
                }
                let content = |body: &'s Value| body.get("content").and_then(Value::as_object);
                let (Some(mine), Some(other)) = (content(mine), content(other)) else {
                    return;
                };
                let Some((media, schema)) = mine.iter().next() else {
                    return;
                };
                let Some((name, other_media)) = chosen(media, other) else {
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
                self.encoding(schema, other_media);
                if let (Some(mine), Some(other)) = (schema.get("schema"), other_media.get("schema")) {
                    let here = place_of_media(&join(&ours.pointer(), "requestBody"), media);
                    let there = place_of_media(&join(&theirs.pointer(), "requestBody"), name);
                    self.schema((&here, mine), (&there, other), Direction::Request, "body");
                }
            }
        }
    }

    /// How the fields of a form are written, where the document says so.
    fn encoding(&mut self, ours: &Value, theirs: &Value) {
        let fields = theirs.get("encoding").and_then(Value::as_object);
        for (field, other) in fields.into_iter().flatten() {
            let mine = ours
                .get("encoding")
                .and_then(|all| all.get(field))
                .cloned()
                .unwrap_or_default();
            // OpenAPI has words of its own for a list of a field for each item.
            let is = |keyword: &str, usual: Value| other.get(keyword).is_none_or(|said| *said == usual);
            let is_repeated = is("style", "form".into()) && is("explode", true.into()) && other.get("x-form").is_none();
            if is_repeated && mine.get("x-form").and_then(Value::as_str) == Some("repeated") {
                continue;
            }
            // In Swagger 2.0 a list of which nothing is said is one text with commas, and for brackets there is no word.
            let is_unsaid = self.read.1.is_swagger() && is("style", "form".into()) && is("explode", false.into());
            if is_unsaid && mine.get("x-form").and_then(Value::as_str) == Some("brackets") {
                continue;
            }
            // What has no word in OpenAPI, only a document of ours can say.
            let said = |key: &&&str| **key != "x-form" || other.get(key).is_some();
            if ["style", "explode", "contentType", "x-form"]
                .iter()
                .filter(said)
                .any(|key| mine.get(key) != other.get(key))
            {
                self.add(
                    "style-changed",
                    Class::Unhandled,
                    &format!("body.{field}"),
                    format!("`body.{field}` is written another way: {other}"),
                    "the client writes it as `encoding` of the specification says",
                    "compare the two by eye",
                );
            }
        }
    }
}

fn listed<'s>(operation: &OperationObject<'s>) -> Listed<'s> {
    let all = operation.value.get("parameters").and_then(Value::as_array);
    let described = all.into_iter().flatten().enumerate().map(|(index, parameter)| {
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
        let place = parameter.get("in").and_then(Value::as_str).unwrap_or_default();
        // In a path the place counts, and not the name.
        let name = match place {
            "path" => {
                let at = operation.path.find(&format!("{{{name}}}"));
                let position = at.map_or(0, |at| operation.path[..at].matches('{').count() + 1);
                format!("{{{position}}}")
            }
            "header" => name.to_lowercase(),
            _ => name.to_owned(),
        };
        let at = join(&join(&operation.pointer(), "parameters"), &index.to_string());
        ((place.to_owned(), name), (at, parameter))
    });
    described.collect()
}
