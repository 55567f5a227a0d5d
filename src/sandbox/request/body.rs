//! Bodies of requests: JSON, and forms as the object that their schema describes.

use finrail_spec::json::Json;
use finrail_spec::media_type::is_json;
use finrail_spec::model::Content;
use finrail_spec::vocabulary::FormStyle;

use super::Reader;
use crate::sandbox::http::{Part, RawRequest};
use crate::sandbox::refused::{Refused, refused};
use crate::sandbox::spec::Operation;

const PARTS: &str = "multipart/form-data";
const FORM: &str = "application/x-www-form-urlencoded";

impl Reader<'_> {
    pub(super) fn body(&self, operation: &Operation, raw: &RawRequest) -> Result<Option<Json>, Refused> {
        let Some(body) = &operation.body else {
            return match raw.body.is_empty() {
                true => Ok(None),
                false => Err(refused(400, "this call takes no body")),
            };
        };
        if raw.body.is_empty() {
            return match body.contents.iter().find(|c| c.media_type == FORM) {
                _ if !body.required => Ok(None),
                Some(form) => self.form(form, raw).map(Some),
                None => Err(refused(400, "the body is missing")),
            };
        }
        let sent = raw.media_type().unwrap_or_default();
        let content = body.contents.iter().find(|c| c.media_type.eq_ignore_ascii_case(&sent));
        let Some(content) = content else {
            let known: Vec<&str> = body.contents.iter().map(|c| c.media_type.as_str()).collect();
            return Err(refused(415, format!("the body must be {}", known.join(" or "))));
        };
        match content.media_type.as_str() {
            FORM => self.form(content, raw).map(Some),
            media_type if is_json(media_type) => self.json(content, raw).map(Some),
            PARTS => self.parts(content, raw).map(Some),
            _ => Ok(None),
        }
    }

    fn json(&self, content: &Content, raw: &RawRequest) -> Result<Json, Refused> {
        let text = std::str::from_utf8(&raw.body).map_err(|_| refused(400, "the body is not UTF-8"))?;
        let json = Json::parse(text).map_err(|_| refused(400, "the body is not JSON"))?;
        self.schemas
            .check(&content.schema, &json)
            .map_err(|why| refused(400, format!("the body does not fit: {why}")))?;
        match self.unnamed(&content.schema, &json, "") {
            // The specification keeps objects open for replies; what a client sends, it sends by name.
            Some(member) => Err(refused(
                400,
                format!("the body has `{member}`, which is not one of this call's"),
            )),
            None => Ok(json),
        }
    }

    /// The first member that its schema does not name, at any depth.
    fn unnamed(&self, schema: &Json, value: &Json, place: &str) -> Option<String> {
        match value {
            Json::Array(items) => {
                let schema = self.spec.document.keyword(schema, "items")?;
                let at = |(n, item)| self.unnamed(schema, item, &format!("{place}/{n}"));
                items.iter().enumerate().find_map(at)
            }
            Json::Object(members) => {
                // One field says which kind it is.
                if let Some(tag) = self.spec.document.keyword(schema, "x-tag").and_then(Json::as_str) {
                    let kind = value.get(tag).and_then(Json::as_str)?;
                    let found = self.unnamed(self.spec.document.property(schema, kind)?, value, place);
                    return found.filter(|found| *found != format!("{place}/{tag}"));
                }
                let named = self.spec.document.possible_properties(schema);
                let more = self.spec.document.keyword(schema, "additionalProperties");
                // A schema that names nothing describes nothing.
                let is_open = named.is_empty() || self.spec.document.is_open(schema);
                members.iter().find_map(|(name, value)| {
                    let place = format!("{place}/{name}");
                    match named.iter().find(|(known, _)| known == name) {
                        Some((_, property)) => self.unnamed(property, value, &place),
                        None if is_open => self.unnamed(more?, value, &place),
                        None => Some(place),
                    }
                })
            }
            _ => None,
        }
    }

    fn form(&self, content: &Content, raw: &RawRequest) -> Result<Json, Refused> {
        let mut object = Json::Object(Vec::new());
        for (name, text) in raw.form_pairs() {
            self.add_field(content, &mut object, &name, &text)?;
        }
        self.schemas
            .check(&content.schema, &object)
            .map_err(|why| refused(400, format!("the form does not fit: {why}")))?;
        Ok(object)
    }

    /// A body in parts, as the object of them; of a file stands there how long it is.
    fn parts(&self, content: &Content, raw: &RawRequest) -> Result<Json, Refused> {
        let mut object = Json::Object(Vec::new());
        let parts = raw
            .parts()
            .map_err(|why| refused(400, format!("the body cannot be read in parts: {why}")))?;
        let properties = self.spec.document.properties(&content.schema);
        for part in parts {
            let name = &part.name;
            let schema = properties
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, schema)| *schema);
            let Some(schema) = schema else {
                return Err(refused(400, format!("the part `{name}` is not one of this call's")));
            };
            let is_many = self.is_array(schema);
            let item = if is_many {
                self.item_schema(schema)
            } else {
                schema.clone()
            };
            if !is_many && object.get(name).is_some() {
                return Err(refused(400, format!("the part `{name}` is there twice")));
            }
            let value = self
                .part(&item, &part)
                .map_err(|why| refused(400, format!("the part `{name}` {why}")))?;
            match is_many {
                true => push(&mut object, name, value),
                false => object.set(name, value),
            }
        }
        self.schemas
            .check(&content.schema, &object)
            .map_err(|why| refused(400, format!("the body does not fit: {why}")))?;
        Ok(object)
    }

    fn part(&self, schema: &Json, part: &Part) -> Result<Json, String> {
        let format = self.spec.document.keyword(schema, "format").and_then(Json::as_str);
        if format == Some("binary") {
            return Ok(Json::str(format!("{} bytes", part.content.len())));
        }
        if part.is_named {
            return Err("is a file, and a value is wanted".to_owned());
        }
        let text = std::str::from_utf8(&part.content).map_err(|_| "is not UTF-8".to_owned())?;
        match part.media_type.as_deref() {
            Some(media_type) if is_json(media_type) => Json::parse(text).map_err(|_| "is not JSON".to_owned()),
            _ => self.typed(schema, text).map_err(|why| format!("does not fit: {why}")),
        }
    }

    /// Adds one field of a form: `name`, `name[]` or `name[key]`, as the encoding of its property is.
    fn add_field(&self, content: &Content, object: &mut Json, name: &str, text: &str) -> Result<(), Refused> {
        let properties = self.spec.document.properties(&content.schema);
        let is_whole = properties.iter().any(|(property, _)| *property == name);
        let (property, key) = match name.split_once('[').filter(|_| !is_whole) {
            Some((property, rest)) => (property, rest.strip_suffix(']')),
            None => (name, None),
        };
        let schema = properties.iter().find(|(p, _)| *p == property).map(|(_, s)| *s);
        let Some(schema) = schema else {
            if properties.is_empty() {
                object.set(name, Json::str(text));
                return Ok(());
            }
            return Err(refused(
                400,
                format!("the form field `{name}` is not one of this call's"),
            ));
        };
        let typed = |schema: &Json| {
            self.typed(schema, text)
                .map_err(|why| refused(400, format!("form field `{name}`: {why}")))
        };
        match (content.forms.get(property), key) {
            (Some(FormStyle::Brackets), Some("")) => push(object, property, typed(&self.item_schema(schema))?),
            (Some(FormStyle::Map), Some(key)) if !key.is_empty() => set_below(object, property, key, Json::str(text)),
            (None | Some(FormStyle::Repeated), None) if self.is_array(schema) => {
                push(object, property, typed(&self.item_schema(schema))?)
            }
            (None, None) if object.get(property).is_some() => {
                return Err(refused(400, format!("the form field `{name}` is there twice")));
            }
            (None, None) => object.set(property, typed(schema)?),
            _ => {
                let why = format!("the form field `{name}` is not written as this call wants it");
                return Err(refused(400, why));
            }
        }
        Ok(())
    }
}

/// Adds an item to the array under this name.
fn push(object: &mut Json, name: &str, value: Json) {
    match object.get_mut(name) {
        Some(Json::Array(items)) => items.push(value),
        _ => object.set(name, Json::Array(vec![value])),
    }
}

/// Sets a member of the object under this name.
fn set_below(object: &mut Json, name: &str, key: &str, value: Json) {
    if object.get(name).is_none() {
        object.set(name, Json::Object(Vec::new()));
    }
    if let Some(map) = object.get_mut(name) {
        map.set(key, value);
    }
}
