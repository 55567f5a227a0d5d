//! A bundle as the generator sees it: what it describes, the JSON that it stands in, and on which line.

use std::collections::{BTreeMap, BTreeSet};

use finrail_spec::json::{Json, without_mark};
use finrail_spec::lines::Lines;
use finrail_spec::media_type::is_json;
use finrail_spec::model::{Fault, METHODS, Operation, Server, Specification};
use finrail_spec::pointer::{join, token};
use finrail_spec::vocabulary::{ClientKind, Effect, Oauth, Provider, RequestPart};
use serde_json::Value;

use crate::error::{Error, Errors};
use crate::prose::prose;

/// A parsed bundle.
pub(crate) struct Document {
    places: Places,
    pub json: Value,
    pub provider: Provider,
    pub oauth: Option<Oauth>,
    /// Scopes by name, with what the documentation says of each.
    pub scopes: BTreeMap<String, String>,
    pub servers: Vec<Server>,
    pub operations: Vec<Operation>,
}

fn has_effect(operation: &Operation) -> bool {
    operation.effect != Effect::Safe
}

/// Where the parts of a bundle stand in its file.
struct Places {
    file: String,
    lines: Lines,
    /// operationId -> line, the first where there are two.
    operation_lines: BTreeMap<String, usize>,
}

/// What each scope allows: what the flows say of it, by the names of their grants, so that the order of a document makes no
/// difference.
fn meanings(specification: &Specification) -> BTreeMap<String, String> {
    let mut flows: Vec<_> = specification.flows.iter().collect();
    flows.sort_by_key(|flow| flow.grant());
    let mut meanings: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (scope, meaning) in flows.into_iter().flat_map(|flow| &flow.scopes) {
        let said = meanings.entry(scope.clone()).or_default();
        let meaning = prose(meaning);
        if !meaning.is_empty() && !said.contains(&meaning) {
            said.push(meaning);
        }
    }
    let joined = meanings.into_iter().map(|(scope, said)| (scope, said.join("; ")));
    joined.collect()
}

/// Why a text is no document, and where.
fn not_json(file: &str, text: &str) -> Error {
    let wrong = serde_json::from_str::<Value>(text).err();
    let what = match &wrong {
        Some(error) => format!("not JSON ({error})"),
        None => "not JSON that can be read: an object has a key twice, or it is nested more than 96 deep".to_owned(),
    };
    Error {
        file: file.to_owned(),
        line: wrong.map(|error| error.line()),
        operation: None,
        reason: format!("{what}; `finrail import` makes this file of the document that the bank publishes"),
    }
}

impl Document {
    pub fn parse(file: &str, text: &str) -> Result<Self, Errors> {
        let text = without_mark(text);
        // With all digits: a number that no float holds is read too.
        let read = Json::parse(text).map_err(|_| not_json(file, text))?;
        let json = read.to_value();
        let places = Places::of(file, text, &json);
        let specification = Specification::read(read)
            .map_err(|faults| Errors(faults.iter().map(|fault| places.fault(fault)).collect()))?;
        let scopes = meanings(&specification);
        Ok(Self {
            places,
            json,
            scopes,
            provider: specification.provider,
            oauth: specification.oauth,
            servers: specification.servers,
            operations: specification.operations,
        })
    }

    /// A problem of the document, or of one operation in it.
    pub fn error(&self, operation: Option<&str>, reason: impl Into<String>) -> Error {
        self.places.error(operation, reason.into())
    }

    /// A problem of the place that a JSON pointer names, or of the nearest place around it.
    pub fn error_at(&self, pointer: &str, reason: impl Into<String>) -> Error {
        self.places.error_at(pointer, reason.into())
    }

    /// A problem of a named schema.
    pub fn schema_error(&self, schema: &str, reason: impl Into<String>) -> Error {
        let pointer = format!("/components/schemas/{}", token(schema));
        self.error_at(&pointer, format!("schema `{schema}`: {}", reason.into()))
    }

    /// The schema of an operation's replies of a class (`2`, `4`), where they have one in JSON.
    fn reply(&self, operation: &Operation, class: char) -> Option<&Value> {
        let item = &self.json["paths"][&operation.path][operation.method.to_lowercase()];
        let replies = item["responses"].as_object()?.iter();
        let mut schemas = replies
            .filter(|(status, _)| status.starts_with(class))
            .filter_map(|(_, reply)| {
                let contents = reply["content"].as_object()?;
                contents.values().find_map(|content| content.get("schema"))
            });
        self.resolved(schemas.next()?)
    }

    fn resolved<'d>(&'d self, schema: &'d Value) -> Option<&'d Value> {
        match schema["$ref"].as_str() {
            None => Some(schema),
            Some(reference) => {
                let name = reference.strip_prefix("#/components/schemas/")?;
                self.json["components"]["schemas"].get(name)
            }
        }
    }

    /// A schema behind its references, and behind an `allOf` that only adds words to one.
    fn whole<'d>(&'d self, schema: &'d Value) -> Option<&'d Value> {
        let schema = self.resolved(schema)?;
        match schema["allOf"].as_array().map(Vec::as_slice) {
            Some([one]) => self.whole(one),
            _ => Some(schema),
        }
    }

    /// Where the items of a list stand in the reply: a JSON pointer. Of a call that only reads and does not come in pages, that is
    /// the reply, where it is a list of objects, or the only such list in it. What is described with a text beside it is no list,
    /// but a thing that has one.
    pub fn items(&self, operation: &Operation) -> Option<String> {
        if let Some(pagination) = &operation.pagination {
            return Some(pagination.items.clone());
        }
        let reply = self.reply(operation, '2').filter(|_| !has_effect(operation))?;
        let is_of_type = |schema, name: &str| self.whole(schema).is_some_and(|schema| schema["type"] == name);
        let is_list = |schema| {
            let list = self.whole(schema).filter(|schema| schema["type"] == "array");
            list.is_some_and(|list| is_of_type(&list["items"], "object"))
        };
        if is_list(reply) {
            return Some(String::new());
        }
        let properties = reply["properties"].as_object()?;
        let mut lists = properties.iter().filter(|(_, schema)| is_list(schema));
        let (name, _) = lists.next()?;
        let is_thing = lists.next().is_some() || properties.values().any(|schema| is_of_type(schema, "string"));
        (!is_thing).then(|| format!("/{}", token(name)))
    }

    /// Members by which an error is known that came as a success: of an operation that changes something, and of one whose reply
    /// is an object of which nothing is described, those that errors are described with and whose names say so, but for what
    /// its success has as well.
    pub fn error_members(&self, operation: &Operation) -> Vec<String> {
        let has_no_body = has_effect(operation) && operation.successes().all(|reply| reply.contents.is_empty());
        let described = match self.reply(operation, '2') {
            Some(success) if success["type"] == "object" => success["properties"]
                .as_object()
                .filter(|described| !described.is_empty()),
            None if has_no_body => None,
            _ => return Vec::new(),
        };
        if described.is_some() && !has_effect(operation) {
            return Vec::new();
        }
        let errors = self.error_properties(operation).into_iter();
        let errors = errors.filter(|name| is_of_an_error(name));
        let mut names: Vec<String> = errors.chain(["error", "errors"]).map(str::to_owned).collect();
        names.retain(|name| described.is_none_or(|described| !described.contains_key(name)));
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Of an operation that changes something, and of one that lists: the members that its successful reply is described with, by
    /// every name that they are read by.
    pub fn reply_members(&self, operation: &Operation) -> Vec<String> {
        let is_looked_at = has_effect(operation) || self.items(operation).is_some();
        let success = self.reply(operation, '2').filter(|_| is_looked_at);
        let described = success.and_then(|schema| schema["properties"].as_object());
        let names = described.into_iter().flatten().flat_map(|(name, property)| {
            let aliases = property["x-aliases"].as_array().into_iter().flatten();
            std::iter::once(name.as_str()).chain(aliases.filter_map(Value::as_str))
        });
        names.map(str::to_owned).collect()
    }

    /// Whether an operation's successful reply is an object, and nothing else.
    pub fn replies_with_object(&self, operation: &Operation) -> bool {
        let reply = self.reply(operation, '2');
        reply.is_some_and(|schema| schema["type"] == "object" && schema.get("x-lenient").is_none())
    }

    /// The members that an operation's error replies are described with.
    pub fn error_properties(&self, operation: &Operation) -> Vec<&str> {
        let described = self
            .reply(operation, '4')
            .and_then(|schema| schema["properties"].as_object());
        described.into_iter().flatten().map(|(name, _)| name.as_str()).collect()
    }

    /// The members of an operation's error replies that hold the provider's own code (`x-error-code`).
    pub fn error_codes(&self, operation: &Operation) -> Vec<String> {
        let described = self
            .reply(operation, '4')
            .and_then(|schema| schema["properties"].as_object());
        let marked = described
            .into_iter()
            .flatten()
            .filter(|(_, property)| property["x-error-code"] == true);
        marked.map(|(name, _)| name.clone()).collect()
    }

    /// The places in an operation's body and replies whose values may be logged (`x-loggable`).
    pub fn loggable(&self, operation: &Operation) -> BTreeSet<String> {
        let item = &self.json["paths"][&operation.path][operation.method.to_lowercase()];
        let replies = item["responses"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(_, reply)| reply);
        let bodies = std::iter::once(&item["requestBody"]).chain(replies);
        let contents = bodies.filter_map(|body| body["content"].as_object()).flatten();
        let mut places = BTreeSet::new();
        for (_, content) in contents {
            self.loggable_in(&content["schema"], "", &mut Vec::new(), &mut places);
        }
        places
    }

    /// `inside`: the named schemas around it, of which none is gone into again.
    fn loggable_in<'d>(
        &'d self,
        schema: &'d Value,
        place: &str,
        inside: &mut Vec<&'d str>,
        places: &mut BTreeSet<String>,
    ) {
        let name = schema["$ref"].as_str();
        if name.is_some_and(|name| inside.contains(&name)) {
            return;
        }
        let Some(resolved) = self.resolved(schema) else { return };
        inside.extend(name);
        if schema["x-loggable"] == true || resolved["x-loggable"] == true {
            places.insert(place.to_owned());
        }
        for part in ["allOf", "oneOf", "anyOf"]
            .iter()
            .filter_map(|key| resolved[*key].as_array())
            .flatten()
        {
            self.loggable_in(part, place, inside, places);
        }
        for (name, property) in resolved["properties"].as_object().into_iter().flatten() {
            let inner = if place.is_empty() {
                name.clone()
            } else {
                format!("{place}.{name}")
            };
            self.loggable_in(property, &inner, inside, places);
        }
        if !resolved["items"].is_null() {
            self.loggable_in(&resolved["items"], &format!("{place}[]"), inside, places);
        }
        if name.is_some() {
            inside.pop();
        }
    }

    /// The parameters of an operation: its own, and those of its path that it does not override.
    pub fn parameters(&self, operation: &Operation) -> Vec<&Value> {
        let item = &self.json["paths"][&operation.path];
        let own = item[operation.method.to_lowercase()]["parameters"].as_array();
        let own: Vec<&Value> = own.into_iter().flatten().collect();
        let shared = item["parameters"].as_array().into_iter().flatten().filter(|shared| {
            !own.iter()
                .any(|own| own["name"] == shared["name"] && own["in"] == shared["in"])
        });
        let all = shared.chain(own.iter().copied());
        // What every call of a client has, no call asks for.
        all.filter(|parameter| parameter["x-given-by-client"] != true).collect()
    }

    /// A property of the JSON body of an operation.
    pub fn body_property(&self, operation: &Operation, name: &str) -> Option<&Value> {
        let media_type = operation.content_type().filter(|media_type| is_json(media_type))?;
        let item = &self.json["paths"][&operation.path][operation.method.to_lowercase()];
        let schema = &item["requestBody"]["content"][media_type]["schema"];
        self.whole(schema)?["properties"].get(name)
    }

    /// Whether what stands at a runtime expression of a call is an amount.
    pub fn is_amount(&self, operation: &Operation, expression: &str) -> bool {
        let of_parameter = |place: &str, name: &str| {
            let mut parameters = self.parameters(operation).into_iter();
            let parameter = parameters.find(|parameter| parameter["in"] == place && parameter["name"] == name);
            parameter.map(|parameter| &parameter["schema"])
        };
        let schema = match RequestPart::read(expression) {
            Some(RequestPart::Path(name)) => of_parameter("path", name),
            Some(RequestPart::Query(name)) => of_parameter("query", name),
            Some(RequestPart::Body(pointer)) => {
                let item = &self.json["paths"][&operation.path][operation.method.to_lowercase()];
                let contents = item["requestBody"]["content"].as_object();
                let body = contents.and_then(|contents| contents.values().find_map(|content| content.get("schema")));
                let mut steps = pointer.split('/').skip(1);
                body.and_then(|body| {
                    steps.try_fold(body, |schema, step| {
                        let name = step.replace("~1", "/").replace("~0", "~");
                        self.whole(schema)?["properties"].get(&name)
                    })
                })
            }
            None => None,
        };
        let schema = schema.and_then(|schema| self.whole(schema));
        schema.is_some_and(|schema| schema["format"] == "decimal")
    }

    /// Headers that are parameters of a call and of the one that looks up what became of it.
    pub fn headers_of_both(&self, call: &Operation, looks_up: &Operation) -> Vec<&str> {
        let headers = |operation| {
            let headers = self.parameters(operation).into_iter();
            headers
                .filter(|parameter| parameter["in"] == "header")
                .filter_map(|parameter| parameter["name"].as_str())
        };
        let own: Vec<&str> = headers(call).collect();
        headers(looks_up)
            .filter(|name| own.iter().any(|own| own.eq_ignore_ascii_case(name)))
            .collect()
    }

    /// Headers that a call must have and that its client is given, not the call (`x-given-by-client`).
    pub fn needed_headers<'a>(&self, operation: &'a Operation) -> Vec<&'a str> {
        let parameters = operation.parameters.iter();
        let given = parameters.filter(|parameter| parameter.given_by_client && parameter.required);
        given.map(|parameter| parameter.name.as_str()).collect()
    }
}

impl Places {
    fn of(file: &str, text: &str, json: &Value) -> Self {
        let lines = Lines::of(text);
        let mut operation_lines = BTreeMap::new();
        for (path, item) in json["paths"].as_object().into_iter().flatten() {
            for method in METHODS {
                let pointer = join(&join(&join("/paths", path), method), "operationId");
                if let (Some(id), Some(line)) = (item[method]["operationId"].as_str(), lines.get(&pointer)) {
                    operation_lines.entry(id.to_owned()).or_insert(line);
                }
            }
        }
        Self {
            file: file.to_owned(),
            lines,
            operation_lines,
        }
    }

    fn fault(&self, fault: &Fault) -> Error {
        match &fault.operation {
            Some(id) => self.error(Some(id), fault.to_string()),
            None => self.error_at(&fault.pointer, fault.to_string()),
        }
    }

    fn error(&self, operation: Option<&str>, reason: String) -> Error {
        let line = operation.and_then(|id| self.operation_lines.get(id).copied());
        Error {
            file: self.file.clone(),
            line,
            operation: operation.map(str::to_owned),
            reason,
        }
    }

    fn error_at(&self, pointer: &str, reason: String) -> Error {
        let around = std::iter::successors(Some(pointer), |inner| inner.rsplit_once('/').map(|(outer, _)| outer));
        let line = around.into_iter().find_map(|pointer| self.lines.get(pointer));
        Error {
            line,
            ..self.error(None, reason)
        }
    }
}

/// Whether the name of a member itself says that it is of an error. The others may be there in a success too.
fn is_of_an_error(name: &str) -> bool {
    let letters = name.chars().filter(|letter| !matches!(letter, '_' | '-'));
    let name: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    let begins = ["error", "fault", "errno", "errcode", "errmsg", "errdesc"];
    matches!(name.as_str(), "err" | "exception")
        || begins.iter().any(|begin| name.starts_with(begin))
        || name.ends_with("error")
        || name.ends_with("errors")
}

/// Whether a call is made in two steps, if its caller likes: one that may act twice when it is sent twice.
pub(crate) fn is_in_steps(operation: &Operation) -> bool {
    operation.effect == Effect::Neither && matches!(operation.client, ClientKind::Api | ClientKind::Service)
}
