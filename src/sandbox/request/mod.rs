//! What a request says, checked against its operation.

use crate::sandbox::http::Call;
use crate::sandbox::json::Json;
use crate::sandbox::spec::schema::Schemas;
use crate::sandbox::spec::{Content, Operation, Parameter, Place, Spec, is_json};

/// A request that fits the specification.
#[derive(Default)]
pub(in crate::sandbox) struct Request {
    pub(in crate::sandbox) path: Vec<(String, String)>,
    /// Decoded pairs, in the order in which they came.
    pub(in crate::sandbox) query: Vec<(String, String)>,
    pub(in crate::sandbox) body: Option<Json>,
}

impl Request {
    /// The value of a path parameter.
    pub(in crate::sandbox) fn path_value(&self, name: &str) -> Option<&str> {
        self.path.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The first value of a query parameter.
    pub(in crate::sandbox) fn query_value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// Why a request does not fit.
#[derive(Debug)]
pub(in crate::sandbox) struct Misfit {
    pub(in crate::sandbox) status: u16,
    pub(in crate::sandbox) message: String,
}

fn misfit(message: impl Into<String>) -> Misfit {
    Misfit {
        status: 400,
        message: message.into(),
    }
}

/// A reading of requests by one specification.
pub(in crate::sandbox) struct Reader<'a> {
    pub(in crate::sandbox) spec: &'a Spec,
    pub(in crate::sandbox) schemas: &'a Schemas,
}

impl Reader<'_> {
    /// Checks path, query, headers and body.
    pub(in crate::sandbox) fn read(
        &self,
        operation: &Operation,
        path: Vec<(String, String)>,
        call: &Call,
    ) -> Result<Request, Misfit> {
        for parameter in operation.parameters.iter().filter(|p| p.place == Place::Path) {
            if let Some((_, value)) = path.iter().find(|(name, _)| *name == parameter.name) {
                self.check_value(parameter, value)?;
            }
        }
        let query = call.query_pairs();
        self.check_query(operation, &query)?;
        self.check_headers(operation, call)?;
        self.check_accept(operation, call)?;
        Ok(Request {
            path,
            query,
            body: self.body(operation, call)?,
        })
    }

    fn check_query(&self, operation: &Operation, query: &[(String, String)]) -> Result<(), Misfit> {
        let known: Vec<&Parameter> = operation
            .parameters
            .iter()
            .filter(|p| p.place == Place::Query)
            .collect();
        for (name, value) in query {
            let parameter = known
                .iter()
                .find(|p| p.name == *name || (p.deep && base(name) == Some(p.name.as_str())));
            match parameter {
                Some(parameter) if parameter.deep => {}
                Some(parameter) => self.check_value(parameter, value)?,
                None if operation.pagination.as_ref().is_some_and(|p| p.link)
                    && name == crate::sandbox::resource::paging::CURSOR => {}
                None => {
                    return Err(misfit(format!(
                        "the query parameter `{name}` is not one of this call's"
                    )));
                }
            }
        }
        for parameter in &known {
            let given = query.iter().filter(|(name, _)| *name == parameter.name).count();
            if given == 0 && parameter.required {
                return Err(misfit(format!("the query parameter `{}` is missing", parameter.name)));
            }
            if given > 1 && !self.is_list(parameter) {
                return Err(misfit(format!(
                    "the query parameter `{}` is there twice",
                    parameter.name
                )));
            }
        }
        Ok(())
    }

    fn check_headers(&self, operation: &Operation, call: &Call) -> Result<(), Misfit> {
        let declared = operation.parameters.iter().filter(|p| p.place == Place::Header);
        let declared = declared.map(|parameter| &parameter.name);
        for name in operation.made_headers.iter().chain(declared) {
            if call.is_repeated(&name.to_ascii_lowercase()) {
                return Err(misfit(format!("the header `{name}` is there twice")));
            }
            // An empty one says no more than none, and was meant to say something.
            if call.header(&name.to_ascii_lowercase()).is_some_and(str::is_empty) {
                return Err(misfit(format!("the header `{name}` is empty")));
            }
        }
        if let Some(twice) = call.repeated(["content-type"]) {
            return Err(misfit(format!("the header `{twice}` is there twice")));
        }
        if let Some(missing) = operation
            .made_headers
            .iter()
            .find(|name| call.header(&name.to_ascii_lowercase()).is_none_or(str::is_empty))
        {
            return Err(misfit(format!("the header `{missing}` is missing")));
        }
        for parameter in operation.parameters.iter().filter(|p| p.place == Place::Header) {
            match call.header(&parameter.name.to_ascii_lowercase()) {
                Some(value) => self.check_value(parameter, value)?,
                None if parameter.required => {
                    return Err(misfit(format!("the header `{}` is missing", parameter.name)));
                }
                None => {}
            }
        }
        Ok(())
    }

    /// A caller that takes only what this call never sends has set the wrong `Accept`.
    fn check_accept(&self, operation: &Operation, call: &Call) -> Result<(), Misfit> {
        let Some(content) = &operation.success.content else {
            return Ok(());
        };
        // `x-accept` names what a caller should ask for; its wildcards are nothing that is sent.
        let asked = operation
            .accept
            .iter()
            .map(|range| range.split(';').next().unwrap_or_default().trim());
        let mut sent = std::iter::once(content.media_type.as_str()).chain(asked.filter(|m| !m.contains('*')));
        if sent.any(|media_type| call.accepts(media_type)) {
            return Ok(());
        }
        Err(Misfit {
            status: 406,
            message: format!("this call answers {}, which `Accept` leaves out", content.media_type),
        })
    }

    fn is_list(&self, parameter: &Parameter) -> bool {
        parameter.name.ends_with("[]") || self.spec.kind(&parameter.schema) == Some("array")
    }

    fn check_value(&self, parameter: &Parameter, text: &str) -> Result<(), Misfit> {
        let place = match parameter.place {
            Place::Path => "path parameter",
            Place::Header => "header",
            Place::Query | Place::Other => "query parameter",
        };
        if self.spec.kind(&parameter.schema) == Some("array") {
            let item = self
                .spec
                .keyword(&parameter.schema, "items")
                .cloned()
                .unwrap_or_default();
            let values: Vec<&str> = if parameter.joined {
                text.split(',').collect()
            } else {
                vec![text]
            };
            for value in values {
                self.typed(&item, value)
                    .map_err(|why| misfit(format!("{place} `{}`: {why}", parameter.name)))?;
            }
            return Ok(());
        }
        self.typed(&parameter.schema, text)
            .map_err(|why| misfit(format!("{place} `{}`: {why}", parameter.name)))?;
        Ok(())
    }

    /// The text as the type that its schema wants, when it fits.
    fn typed(&self, schema: &Json, text: &str) -> Result<Json, String> {
        let value = match self.spec.kind(schema) {
            Some("integer" | "number") if is_number(text) => Json::Number(text.to_owned()),
            Some("boolean") if text == "true" || text == "false" => Json::Bool(text == "true"),
            _ => Json::str(text),
        };
        self.schemas.check(schema, &value).map(|()| value)
    }

    fn body(&self, operation: &Operation, call: &Call) -> Result<Option<Json>, Misfit> {
        let Some(body) = &operation.body else {
            return match call.body.is_empty() {
                true => Ok(None),
                false => Err(misfit("this call takes no body")),
            };
        };
        if call.body.is_empty() {
            let form = body
                .contents
                .iter()
                .find(|c| c.media_type == "application/x-www-form-urlencoded");
            return match form {
                _ if !body.required => Ok(None),
                Some(form) => self.form(form, call).map(Some),
                None => Err(misfit("the body is missing")),
            };
        }
        let sent = call.media_type().unwrap_or_default();
        let content = body.contents.iter().find(|c| c.media_type.eq_ignore_ascii_case(&sent));
        let Some(content) = content else {
            let known: Vec<&str> = body.contents.iter().map(|c| c.media_type.as_str()).collect();
            return Err(Misfit {
                status: 415,
                message: format!("the body must be {}", known.join(" or ")),
            });
        };
        if content.media_type == "application/x-www-form-urlencoded" {
            return self.form(content, call).map(Some);
        }
        if !is_json(&content.media_type) {
            return Ok(None);
        }
        let text = std::str::from_utf8(&call.body).map_err(|_| misfit("the body is not UTF-8"))?;
        let json = Json::parse(text).map_err(|_| misfit("the body is not JSON"))?;
        self.schemas
            .check(&content.schema, &json)
            .map_err(|why| misfit(format!("the body does not fit: {why}")))?;
        match self.unnamed(&content.schema, &json, "") {
            // The specification keeps objects open for replies; what a client sends, it sends by name.
            Some(member) => Err(misfit(format!(
                "the body has `{member}`, which is not one of this call's"
            ))),
            None => Ok(Some(json)),
        }
    }

    /// The first member that its schema does not name, at any depth.
    fn unnamed(&self, schema: &Json, value: &Json, place: &str) -> Option<String> {
        match value {
            Json::Array(items) => {
                let schema = self.spec.keyword(schema, "items")?;
                let at = |(n, item)| self.unnamed(schema, item, &format!("{place}/{n}"));
                items.iter().enumerate().find_map(at)
            }
            Json::Object(members) => {
                let named = self.spec.members(schema);
                let more = self.spec.keyword(schema, "additionalProperties");
                // A schema that names nothing describes nothing.
                let is_open = named.is_empty() || self.spec.is_open(schema);
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

    /// A form as the object that its schema describes.
    fn form(&self, content: &Content, call: &Call) -> Result<Json, Misfit> {
        let mut object = Json::Object(Vec::new());
        let properties = self.spec.properties(&content.schema);
        let open = properties.is_empty();
        for (name, text) in call.form_pairs() {
            let (property, key) = match name.split_once('[') {
                Some((property, rest)) => (property, rest.strip_suffix(']')),
                None => (name.as_str(), None),
            };
            let form = content
                .forms
                .iter()
                .find(|(p, _)| p == property)
                .map(|(_, form)| form.as_str());
            let schema = properties.iter().find(|(p, _)| *p == property).map(|(_, s)| *s);
            let Some(schema) = schema else {
                if open {
                    object.set(&name, Json::str(text));
                    continue;
                }
                return Err(misfit(format!("the form field `{name}` is not one of this call's")));
            };
            let wrong = || misfit(format!("the form field `{name}` is not written as this call wants it"));
            match (form, key) {
                (Some("brackets"), Some("")) => {
                    let item = self.spec.keyword(schema, "items").cloned().unwrap_or_default();
                    let value = self
                        .typed(&item, &text)
                        .map_err(|why| misfit(format!("form field `{name}`: {why}")))?;
                    match object.get_mut(property) {
                        Some(Json::Array(items)) => items.push(value),
                        _ => object.set(property, Json::Array(vec![value])),
                    }
                }
                (Some("map"), Some(key)) if !key.is_empty() => {
                    if object.get(property).is_none() {
                        object.set(property, Json::Object(Vec::new()));
                    }
                    if let Some(map) = object.get_mut(property) {
                        map.set(key, Json::str(text));
                    }
                }
                (None, None) if self.spec.kind(schema) == Some("array") => {
                    let item = self.spec.keyword(schema, "items").cloned().unwrap_or_default();
                    let value = self
                        .typed(&item, &text)
                        .map_err(|why| misfit(format!("form field `{name}`: {why}")))?;
                    match object.get_mut(property) {
                        Some(Json::Array(items)) => items.push(value),
                        _ => object.set(property, Json::Array(vec![value])),
                    }
                }
                (None, None) => {
                    if object.get(property).is_some() {
                        return Err(misfit(format!("the form field `{name}` is there twice")));
                    }
                    let value = self
                        .typed(schema, &text)
                        .map_err(|why| misfit(format!("form field `{name}`: {why}")))?;
                    object.set(property, value);
                }
                _ => return Err(wrong()),
            }
        }
        self.schemas
            .check(&content.schema, &object)
            .map_err(|why| misfit(format!("the form does not fit: {why}")))?;
        Ok(object)
    }
}

/// Whether the text is a number as JSON writes it.
fn is_number(text: &str) -> bool {
    matches!(Json::parse(text), Ok(Json::Number(_)))
}

/// `tranDate` of `tranDate[gte]`.
fn base(name: &str) -> Option<&str> {
    name.split_once('[').map(|(base, _)| base)
}
