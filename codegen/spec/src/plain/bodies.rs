//! What a call sends: one media type.

use super::Work;
use crate::dialect::Weight;
use crate::json::Json;
use crate::media_type::{BodyKind, essence, means_json};

const FORM: &str = "application/x-www-form-urlencoded";
const PARTS: &str = "multipart/form-data";
const BYTES: &str = "application/octet-stream";

impl Work<'_> {
    pub(super) fn body(&mut self, operation: &mut Json, method: &str, pointer: &str) {
        let Some(body) = operation.get("requestBody") else {
            return;
        };
        if matches!(method, "get" | "head" | "trace") {
            operation.remove("requestBody");
            self.lose(
                pointer,
                Weight::Meaning,
                format!("a body, which a `{}` does not have", method.to_uppercase()),
            );
            return;
        }
        let offered = body.get("content").map(Json::members).unwrap_or_default().to_vec();
        let is_required = body.get("required").and_then(Json::as_bool) == Some(true);
        let is_one = |kind: BodyKind| move |(media_type, _): &&(String, Json)| BodyKind::of(media_type) == Some(kind);
        let chosen = offered
            .iter()
            .find(is_one(BodyKind::Json))
            .or_else(|| {
                let is_json =
                    |(media_type, content): &&(String, Json)| means_json(media_type) && !is_file(content.get("schema"));
                offered.iter().find(is_json)
            })
            .or_else(|| offered.iter().find(is_one(BodyKind::Form)))
            .or_else(|| offered.iter().find(is_one(BodyKind::Parts)))
            .or_else(|| offered.iter().find(is_one(BodyKind::Bytes)))
            .or_else(|| offered.iter().find(|(media_type, _)| is_range(media_type)));
        let Some((media_type, content)) = chosen else {
            let types: Vec<&str> = offered.iter().map(|(media_type, _)| media_type.as_str()).collect();
            return match types.is_empty() {
                true => drop(operation.remove("requestBody")),
                false => self.fault(
                    pointer,
                    format!("its body is sent as {}, which is not supported", types.join(" or ")),
                ),
            };
        };
        let mut content = content.clone();
        let is_any = means_json(media_type) && !is_file(content.get("schema"));
        let (sent, kind) = match BodyKind::of(media_type) {
            Some(BodyKind::Form) => (FORM.to_owned(), BodyKind::Form),
            Some(BodyKind::Parts) => (PARTS.to_owned(), BodyKind::Parts),
            Some(kind) if !is_any || kind == BodyKind::Json => (media_type.clone(), kind),
            _ if is_any => ("application/json".to_owned(), BodyKind::Json),
            // Which of a range it is, the caller's bytes show.
            _ => (BYTES.to_owned(), BodyKind::Bytes),
        };
        match kind {
            BodyKind::Form => {
                if let Err(wrong) = self.form(&mut content) {
                    return self.fault(pointer, wrong);
                }
            }
            BodyKind::Parts => {
                if let Err(wrong) = self.parts(&mut content, pointer) {
                    return self.fault(pointer, wrong);
                }
            }
            BodyKind::Json => drop(content.remove("encoding")),
            BodyKind::Bytes => self.bytes(&mut content, pointer),
        }
        if content.get("schema").is_none() {
            content.set("schema", Json::Object(Vec::new()));
        }
        self.one_of(&offered, media_type, pointer, "that its body can also be sent as");
        if !is_required {
            self.lose(pointer, Weight::Rule, "that its body can be left out");
        }
        let mut plain = Json::object([("required", Json::Bool(true))]);
        if let Some(description) = body.get("description") {
            plain.set("description", description.clone());
        }
        plain.set("content", Json::object([(sent, content)]));
        operation.set("requestBody", plain);
    }

    /// A form carries texts, and lists and maps of texts in brackets.
    fn form(&mut self, content: &mut Json) -> Result<(), String> {
        let schema = content.get("schema").cloned().unwrap_or_default();
        let mut fields = Vec::new();
        self.fields_of(&schema, &mut fields, 0);
        let encoding = content.remove("encoding").unwrap_or_default();
        let mut forms = Vec::new();
        for (name, property) in &fields {
            let kind = kind_of(self.target(property));
            let how = encoding.get(name);
            let style = how.and_then(|how| how.get("style")).and_then(Json::as_str);
            let own = how.and_then(|how| how.get("x-form")).and_then(Json::as_str);
            match (kind, style) {
                _ if own.is_some() => forms.push((name.clone(), own.unwrap_or_default())),
                ("array", Some("deepObject")) => forms.push((name.clone(), "brackets")),
                ("object", Some("deepObject")) => forms.push((name.clone(), "map")),
                ("array", _) if is_in_one_text(how) => return Err(in_one_text("field", name, "form")),
                ("array", None | Some("form")) => forms.push((name.clone(), "repeated")),
                ("array" | "object", _) => {
                    return Err(format!(
                        "field `{name}` of its form is a list or a map, and the document does not say how it is written"
                    ));
                }
                _ => {}
            }
        }
        if !forms.is_empty() {
            let forms = forms
                .into_iter()
                .map(|(name, form)| (name, Json::object([("x-form", Json::str(form))])));
            content.set("encoding", Json::object(forms));
        }
        Ok(())
    }

    /// The fields of a form, those of each member of an `allOf` too: of two with one name the first.
    fn fields_of(&self, schema: &Json, found: &mut Vec<(String, Json)>, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let target = self.target(schema);
        for (name, property) in target.get("properties").map(Json::members).unwrap_or_default() {
            if !found.iter().any(|(known, _)| known == name) {
                found.push((name.clone(), property.clone()));
            }
        }
        for part in target.get("allOf").map(Json::items).unwrap_or_default() {
            self.fields_of(part, found, depth + 1);
        }
    }

    /// A body in parts has the object of its parts in its own place: what is a file there is a text elsewhere.
    fn parts(&mut self, content: &mut Json, pointer: &str) -> Result<(), String> {
        let schema = content.get("schema").cloned().unwrap_or_default();
        let target = self.target(&schema).clone();
        let described = target.get("properties").map(Json::members).unwrap_or_default();
        if described.is_empty() {
            return Err("the parts of its body are not described".to_owned());
        }
        let encoding = content.remove("encoding").unwrap_or_default();
        let mut properties = Vec::new();
        let mut kept = Vec::new();
        for (name, property) in described {
            let how = encoding.get(name);
            if how
                .and_then(|how| how.get("headers"))
                .is_some_and(|headers| !headers.members().is_empty())
            {
                self.lose(
                    pointer,
                    Weight::Rule,
                    format!("the headers of part `{name}` of its body"),
                );
            }
            let types = how.and_then(|how| how.get("contentType")).and_then(Json::as_str);
            let media_type = types.and_then(|types| {
                let mut each = types.split(',').map(str::trim);
                each.find(|one| BodyKind::of(one).is_some())
            });
            let target = self.target(property);
            let items = target.get("items").map(|items| self.target(items));
            let is_many = target.get("type").and_then(Json::as_str) == Some("array");
            if is_many && is_in_one_text(how) {
                return Err(in_one_text("part", name, "body"));
            }
            let is_file = |schema: &Json| is_file(Some(schema)) || (is_undescribed(schema) && types.is_some());
            let mut part = match is_many {
                true if items.is_some_and(is_file) => Json::object([("type", Json::str("array")), ("items", binary())]),
                false if is_file(target) => binary(),
                _ => property.clone(),
            };
            if let Some(description) = property.get("description").or_else(|| target.get("description"))
                && part.get("$ref").is_none()
            {
                part.set("description", description.clone());
            }
            properties.push((name.clone(), part));
            if let Some(media_type) = media_type {
                kept.push((name.clone(), Json::object([("contentType", Json::str(media_type))])));
            }
        }
        let mut object = Json::object([("type", Json::str("object")), ("properties", Json::Object(properties))]);
        if let Some(required) = target.get("required") {
            object.set("required", required.clone());
        }
        content.set("schema", object);
        if !kept.is_empty() {
            content.set("encoding", Json::Object(kept));
        }
        Ok(())
    }

    /// Bytes are the caller's; what the document says of what is in them is not used.
    fn bytes(&mut self, content: &mut Json, pointer: &str) {
        content.remove("encoding");
        let schema = content.get("schema").cloned().unwrap_or_default();
        let target = self.target(&schema);
        let is_text = target.get("type").and_then(Json::as_str) == Some("string");
        if !is_text && !is_undescribed(target) {
            self.lose(
                pointer,
                Weight::Meaning,
                "what its body is made of: it is sent as the bytes that the call is given",
            );
            content.remove("example");
            content.remove("examples");
        }
        content.set("schema", binary());
    }
}

/// More parts of parts than a form has.
const DEEPEST: usize = 32;

/// What a field is, by its type, or by what says more of a list or an object.
fn kind_of(schema: &Json) -> &str {
    let kind = schema.get("type").and_then(Json::as_str);
    kind.unwrap_or_else(|| match (schema.get("items"), schema.get("properties")) {
        (Some(_), _) => "array",
        (None, Some(_)) => "object",
        (None, None) => "",
    })
}

/// Whether the items of a list are written into one text, with something between them.
fn is_in_one_text(how: Option<&Json>) -> bool {
    let style = how.and_then(|how| how.get("style")).and_then(Json::as_str);
    let explode = how.and_then(|how| how.get("explode")).and_then(Json::as_bool);
    explode == Some(false) || matches!(style, Some("spaceDelimited" | "pipeDelimited"))
}

fn in_one_text(what: &str, name: &str, of: &str) -> String {
    format!(
        "{what} `{name}` of its {of} is a list that is written into one text (`explode: false`), which is not supported: if the bank \
         takes it as a text, write `type: string` in its place into the overlay"
    )
}

/// `application/*`, `image/*`
fn is_range(media_type: &str) -> bool {
    essence(media_type).ends_with("/*")
}

/// Whether a schema is that of bytes.
fn is_file(schema: Option<&Json>) -> bool {
    schema.and_then(|schema| schema.get("format")).and_then(Json::as_str) == Some("binary")
}

/// Whether a schema says nothing of a value.
fn is_undescribed(schema: &Json) -> bool {
    let says = |name: &str| !matches!(name, "description" | "title" | "example" | "examples" | "deprecated");
    schema.get("$ref").is_none()
        && !schema
            .members()
            .iter()
            .any(|(name, _)| says(name) && !name.starts_with("x-"))
}

fn binary() -> Json {
    Json::object([("type", Json::str("string")), ("format", Json::str("binary"))])
}
