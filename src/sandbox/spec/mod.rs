//! A bundled specification, as the sandbox reads it: operations, their schemas and examples.
//!
//! Read from the JSON itself and not through the code generator's types: what the
//! generator misreads must not be misread here in the same way.

pub(in crate::sandbox) mod profile;
pub(in crate::sandbox) mod schema;
pub(in crate::sandbox) mod shape;

use crate::sandbox::json::Json;
use crate::sandbox::spec::profile::Profile;
use crate::sandbox::spec::shape::Role;

/// One provider's specification.
pub(in crate::sandbox) struct Spec {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) name: String,
    /// Path of the first server, without a trailing slash: `/v1`.
    pub(in crate::sandbox) prefix: String,
    /// Path of the authorization server's own host, where it has one.
    pub(in crate::sandbox) oauth_prefix: Option<String>,
    pub(in crate::sandbox) operations: Vec<Operation>,
    pub(in crate::sandbox) profile: Profile,
    /// Addresses of the real hosts, and whether they are the authorization server's.
    pub(in crate::sandbox) servers: Vec<(String, bool)>,
    root: Json,
}

/// The bundle does not have the form that the sandbox reads.
#[derive(Debug, thiserror::Error)]
#[error("the specification of {provider} cannot be played: {what}")]
pub struct SpecError {
    provider: String,
    what: String,
}

impl SpecError {
    pub(in crate::sandbox) fn new(provider: &str, what: impl Into<String>) -> Self {
        Self {
            provider: provider.to_owned(),
            what: what.into(),
        }
    }
}

/// One operation: how it is asked for and what it answers.
pub(in crate::sandbox) struct Operation {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) method: String,
    pub(in crate::sandbox) path: String,
    pub(in crate::sandbox) segments: Vec<Segment>,
    /// The path without its versions.
    pub(in crate::sandbox) thing: Vec<Segment>,
    pub(in crate::sandbox) role: Role,
    /// `api`, `service`, `oauth` or `registration`.
    pub(in crate::sandbox) client: String,
    /// Alternatives; each is a list of scheme and scopes.
    pub(in crate::sandbox) security: Vec<Vec<(String, Vec<String>)>>,
    pub(in crate::sandbox) parameters: Vec<Parameter>,
    pub(in crate::sandbox) body: Option<Body>,
    pub(in crate::sandbox) success: Success,
    pub(in crate::sandbox) refusals: Vec<(String, Content)>,
    pub(in crate::sandbox) pagination: Option<Pagination>,
    /// Headers that a client makes on every call (`x-headers`).
    pub(in crate::sandbox) made_headers: Vec<String>,
    /// Media types that the caller may ask for beyond those of `content`.
    pub(in crate::sandbox) accept: Vec<String>,
}

/// A part of a path template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::sandbox) enum Segment {
    Literal(String),
    Parameter(String),
}

/// A parameter in the path, the query or a header.
pub(in crate::sandbox) struct Parameter {
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) place: Place,
    pub(in crate::sandbox) required: bool,
    pub(in crate::sandbox) schema: Json,
    pub(in crate::sandbox) example: Option<Json>,
    /// One value with commas in it, and not one pair for each value.
    pub(in crate::sandbox) joined: bool,
    /// `name[key]=value`
    pub(in crate::sandbox) deep: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sandbox) enum Place {
    Path,
    Query,
    Header,
    Other,
}

/// A request body: its media types.
pub(in crate::sandbox) struct Body {
    pub(in crate::sandbox) required: bool,
    pub(in crate::sandbox) contents: Vec<Content>,
}

/// One media type with its schema and examples.
#[derive(Clone)]
pub(in crate::sandbox) struct Content {
    pub(in crate::sandbox) media_type: String,
    pub(in crate::sandbox) schema: Json,
    /// Name and value; a single `example` has no name.
    pub(in crate::sandbox) examples: Vec<(String, Json)>,
    /// Property to `brackets` or `map`.
    pub(in crate::sandbox) forms: Vec<(String, String)>,
}

/// The success reply.
pub(in crate::sandbox) struct Success {
    /// `200`, `201`, `2XX`
    pub(in crate::sandbox) status: String,
    pub(in crate::sandbox) content: Option<Content>,
}

/// `x-pagination`
pub(in crate::sandbox) struct Pagination {
    pub(in crate::sandbox) link: bool,
    pub(in crate::sandbox) next: String,
    pub(in crate::sandbox) parameter: Option<String>,
    pub(in crate::sandbox) items: String,
}

impl Spec {
    /// Reads a bundle.
    pub(in crate::sandbox) fn read(text: &str) -> Result<Self, SpecError> {
        let fail = |provider: &str, what: &str| SpecError::new(provider, what);
        let root = Json::parse(text).map_err(|_| fail("a provider", "it is not JSON"))?;
        let id = root
            .at(&["x-provider", "id"])
            .and_then(Json::as_str)
            .ok_or_else(|| fail("a provider", "it has no x-provider.id"))?
            .to_owned();
        let name = root
            .at(&["x-provider", "name"])
            .and_then(Json::as_str)
            .unwrap_or(&id)
            .to_owned();
        let scheme = root
            .at(&["components", "securitySchemes", "oauth"])
            .ok_or_else(|| fail(&id, "it has no security scheme `oauth`"))?;
        let profile = Profile::read(scheme).ok_or_else(|| fail(&id, "it has no x-oauth"))?;

        let servers = root.get("servers").map(Json::items).unwrap_or_default();
        let is_oauth = |server: &&Json| server.get("x-client").and_then(Json::as_str) == Some("oauth");
        let prefix = servers
            .iter()
            .find(|s| !is_oauth(s))
            .map(path_of_server)
            .unwrap_or_default();
        let oauth_prefix = servers.iter().find(is_oauth).map(path_of_server);

        let addresses = servers.iter().filter_map(|server| {
            let url = server.get("url")?.as_str()?.trim_end_matches('/').to_owned();
            Some((url, is_oauth(&server)))
        });
        let mut spec = Self {
            servers: addresses.collect(),
            id,
            name,
            prefix,
            oauth_prefix,
            operations: Vec::new(),
            profile,
            root,
        };
        let mut operations = Vec::new();
        for (path, item) in spec.root.get("paths").map(Json::members).unwrap_or_default() {
            let shared = item.get("parameters").map(Json::items).unwrap_or_default();
            for (method, operation) in item.members() {
                if matches!(method.as_str(), "get" | "post" | "put" | "patch" | "delete" | "head") {
                    operations.push(spec.operation(path, method, operation, shared));
                }
            }
        }
        let things: Vec<Vec<Segment>> = operations.iter().map(|o| o.thing.clone()).collect();
        for operation in &mut operations {
            let is_paged = operation.pagination.is_some();
            operation.role = shape::role(&operation.thing, &operation.method, is_paged, &things);
        }
        spec.operations = operations;
        for needed in [
            Some(&spec.profile.token_operation),
            spec.profile.authorize_operation.as_ref(),
        ] {
            if let Some(needed) = needed
                && spec.by_id(needed).is_none()
            {
                return Err(fail(
                    &spec.id,
                    &format!("x-oauth names the operation {needed}, which does not exist"),
                ));
            }
        }
        Ok(spec)
    }

    /// The operation with this `operationId`.
    pub(in crate::sandbox) fn by_id(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|o| o.id == id)
    }

    /// The node, or what its `$ref` leads to.
    pub(in crate::sandbox) fn resolve<'a>(&'a self, node: &'a Json) -> &'a Json {
        let mut node = node;
        for _ in 0..16 {
            match node.get("$ref").and_then(Json::as_str) {
                Some(reference) => match self.root.pointer(reference.trim_start_matches('#')) {
                    Some(target) => node = target,
                    None => return node,
                },
                None => return node,
            }
        }
        node
    }

    /// The named schemas.
    pub(in crate::sandbox) fn schemas(&self) -> &[(String, Json)] {
        self.root
            .at(&["components", "schemas"])
            .map(Json::members)
            .unwrap_or_default()
    }

    /// The properties of an object schema, through `$ref` and `allOf`.
    pub(in crate::sandbox) fn properties<'a>(&'a self, schema: &'a Json) -> Vec<(&'a str, &'a Json)> {
        let mut found = Vec::new();
        self.collect_properties(schema, &mut found, 0);
        found
    }

    /// The properties that a value of this schema may have: those of each alternative too.
    pub(in crate::sandbox) fn members<'a>(&'a self, schema: &'a Json) -> Vec<(&'a str, &'a Json)> {
        let mut found = self.properties(schema);
        for alternatives in ["oneOf", "anyOf"] {
            for part in self.keyword(schema, alternatives).map(Json::items).unwrap_or_default() {
                self.collect_properties(part, &mut found, 0);
            }
        }
        found
    }

    fn collect_properties<'a>(&'a self, schema: &'a Json, found: &mut Vec<(&'a str, &'a Json)>, depth: usize) {
        if depth > 16 {
            return;
        }
        let schema = self.resolve(schema);
        for (name, property) in schema.get("properties").map(Json::members).unwrap_or_default() {
            if !found.iter().any(|(known, _)| known == name) {
                found.push((name, property));
            }
        }
        for part in schema.get("allOf").map(Json::items).unwrap_or_default() {
            self.collect_properties(part, found, depth + 1);
        }
    }

    /// The schema of one property.
    pub(in crate::sandbox) fn property<'a>(&'a self, schema: &'a Json, name: &str) -> Option<&'a Json> {
        self.properties(schema)
            .into_iter()
            .find(|(n, _)| *n == name)
            .map(|(_, s)| s)
    }

    /// Whether an object schema says that a property must be there.
    pub(in crate::sandbox) fn requires(&self, schema: &Json, name: &str) -> bool {
        let schema = self.resolve(schema);
        schema
            .get("required")
            .map(Json::items)
            .unwrap_or_default()
            .iter()
            .any(|n| n.as_str() == Some(name))
            || schema
                .get("allOf")
                .map(Json::items)
                .unwrap_or_default()
                .iter()
                .any(|part| self.requires(part, name))
    }

    /// A keyword of the schema, through `$ref` and `allOf`.
    pub(in crate::sandbox) fn keyword<'a>(&'a self, schema: &'a Json, keyword: &str) -> Option<&'a Json> {
        self.keyword_at(schema, keyword, 0)
    }

    fn keyword_at<'a>(&'a self, schema: &'a Json, keyword: &str, depth: usize) -> Option<&'a Json> {
        if depth > 16 {
            return None;
        }
        let schema = self.resolve(schema);
        schema.get(keyword).or_else(|| {
            let parts = schema.get("allOf").map(Json::items).unwrap_or_default();
            parts.iter().find_map(|part| self.keyword_at(part, keyword, depth + 1))
        })
    }

    /// `type` of a schema.
    pub(in crate::sandbox) fn kind<'a>(&'a self, schema: &'a Json) -> Option<&'a str> {
        self.keyword(schema, "type").and_then(Json::as_str)
    }

    /// Whether replies of this schema may have members that it does not name.
    pub(in crate::sandbox) fn is_open(&self, schema: &Json) -> bool {
        self.keyword(schema, "additionalProperties")
            .is_some_and(|more| *more != Json::Bool(false))
    }

    fn operation(&self, path: &str, method: &str, operation: &Json, shared: &[Json]) -> Operation {
        let text = |name: &str| operation.get(name).and_then(Json::as_str);
        let mut parameters: Vec<Parameter> = Vec::new();
        let own = operation.get("parameters").map(Json::items).unwrap_or_default();
        for parameter in own.iter().chain(shared) {
            let parameter = self.parameter(parameter);
            if !parameters
                .iter()
                .any(|p| p.name == parameter.name && p.place == parameter.place)
            {
                parameters.push(parameter);
            }
        }
        let body = operation.get("requestBody").map(|body| {
            let body = self.resolve(body);
            Body {
                required: body.get("required").and_then(Json::as_bool).unwrap_or(false),
                contents: self.contents(body),
            }
        });
        let responses = operation.get("responses").map(Json::members).unwrap_or_default();
        let success = responses
            .iter()
            .find(|(status, _)| status.starts_with('2') || status.starts_with('3'))
            .map_or_else(
                || Success {
                    status: "200".to_owned(),
                    content: None,
                },
                |(status, response)| Success {
                    status: status.clone(),
                    content: self.contents(self.resolve(response)).into_iter().next(),
                },
            );
        let refusals = responses
            .iter()
            .filter(|(status, _)| status.starts_with('4') || status.starts_with('5'))
            .filter_map(|(status, response)| {
                let content = self.contents(self.resolve(response)).into_iter().next()?;
                Some((status.clone(), content))
            })
            .collect();
        Operation {
            id: text("operationId").unwrap_or(path).to_owned(),
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            thing: shape::versionless(&template(path)),
            segments: template(path),
            role: Role::View,
            client: text("x-client").unwrap_or("api").to_owned(),
            security: operation.get("security").map(security).unwrap_or_default(),
            parameters,
            body,
            success,
            refusals,
            pagination: operation.get("x-pagination").map(|paging| Pagination {
                link: paging.get("style").and_then(Json::as_str) == Some("link"),
                next: paging.get("next").and_then(Json::as_str).unwrap_or_default().to_owned(),
                parameter: paging.get("parameter").and_then(Json::as_str).map(str::to_owned),
                items: paging
                    .get("items")
                    .and_then(Json::as_str)
                    .unwrap_or_default()
                    .to_owned(),
            }),
            made_headers: operation
                .get("x-headers")
                .map(Json::members)
                .unwrap_or_default()
                .iter()
                .map(|(name, _)| name.clone())
                .collect(),
            accept: text("x-accept")
                .map(|list| list.split(',').map(|m| m.trim().to_owned()).collect())
                .unwrap_or_default(),
        }
    }

    fn parameter(&self, parameter: &Json) -> Parameter {
        let parameter = self.resolve(parameter);
        let text = |name: &str| parameter.get(name).and_then(Json::as_str);
        let schema = parameter.get("schema").cloned().unwrap_or(Json::Object(Vec::new()));
        Parameter {
            name: text("name").unwrap_or_default().to_owned(),
            place: match text("in") {
                Some("path") => Place::Path,
                Some("query") => Place::Query,
                Some("header") => Place::Header,
                _ => Place::Other,
            },
            required: parameter.get("required").and_then(Json::as_bool).unwrap_or(false),
            example: parameter
                .get("example")
                .cloned()
                .or_else(|| first_example(parameter))
                .or_else(|| self.keyword(&schema, "example").cloned()),
            joined: parameter.get("explode") == Some(&Json::Bool(false)),
            deep: text("style") == Some("deepObject"),
            schema,
        }
    }

    fn contents(&self, holder: &Json) -> Vec<Content> {
        let contents = holder.get("content").map(Json::members).unwrap_or_default();
        contents
            .iter()
            .map(|(media_type, content)| {
                let mut examples = Vec::new();
                if let Some(example) = content.get("example") {
                    examples.push((String::new(), example.clone()));
                }
                for (name, example) in content.get("examples").map(Json::members).unwrap_or_default() {
                    if let Some(value) = self.resolve(example).get("value") {
                        examples.push((name.clone(), value.clone()));
                    }
                }
                let schema = content.get("schema").cloned().unwrap_or(Json::Object(Vec::new()));
                if examples.is_empty()
                    && let Some(example) = self.keyword(&schema, "example")
                {
                    examples.push((String::new(), example.clone()));
                }
                Content {
                    media_type: media_type.clone(),
                    examples,
                    forms: content
                        .get("encoding")
                        .map(Json::members)
                        .unwrap_or_default()
                        .iter()
                        .filter_map(|(property, e)| Some((property.clone(), e.get("x-form")?.as_str()?.to_owned())))
                        .collect(),
                    schema,
                }
            })
            .collect()
    }
}

impl Operation {
    /// The values of the path parameters, when the path is this operation's.
    pub(in crate::sandbox) fn matches(&self, segments: &[String]) -> Option<Vec<(String, String)>> {
        if self.segments.len() != segments.len() {
            return None;
        }
        let mut values = Vec::new();
        for (expected, segment) in self.segments.iter().zip(segments) {
            match expected {
                Segment::Literal(literal) if literal == segment => {}
                Segment::Literal(_) => return None,
                Segment::Parameter(_) if segment.is_empty() => return None,
                Segment::Parameter(name) => values.push((name.clone(), segment.clone())),
            }
        }
        Some(values)
    }

    /// How specific the template is: literal parts win over parameters, from the left.
    pub(in crate::sandbox) fn specificity(&self) -> Vec<bool> {
        self.segments.iter().map(|s| matches!(s, Segment::Literal(_))).collect()
    }

    /// The scopes that a token needs, from the first alternative that names the `oauth` scheme.
    pub(in crate::sandbox) fn scopes(&self) -> Option<&[String]> {
        self.security
            .iter()
            .flatten()
            .find(|(scheme, _)| scheme == "oauth")
            .map(|(_, scopes)| scopes.as_slice())
    }

    /// The schemas of what it takes and of what it answers.
    pub(in crate::sandbox) fn schemas(&self) -> impl Iterator<Item = &Json> {
        let bodies = self.body.iter().flat_map(|body| &body.contents);
        let replies = self.success.content.iter();
        let contents = bodies
            .chain(replies)
            .chain(self.refusals.iter().map(|(_, content)| content));
        let parameters = self.parameters.iter().map(|parameter| &parameter.schema);
        contents.map(|content| &content.schema).chain(parameters)
    }

    /// Whether another scheme is accepted.
    pub(in crate::sandbox) fn accepts(&self, scheme: &str) -> bool {
        self.security.iter().flatten().any(|(name, _)| name == scheme)
    }

    /// The example of the success reply.
    pub(in crate::sandbox) fn example(&self) -> Option<&Json> {
        self.success
            .content
            .as_ref()?
            .examples
            .first()
            .map(|(_, example)| example)
    }

    /// Whether the success reply is a document (and not bytes, nor nothing).
    pub(in crate::sandbox) fn answers_json(&self) -> bool {
        self.success.content.as_ref().is_some_and(|c| is_json(&c.media_type))
    }
}

/// `application/json` and everything that ends in `+json`.
pub(in crate::sandbox) fn is_json(media_type: &str) -> bool {
    let essence = media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}

fn template(path: &str) -> Vec<Segment> {
    path.split('/')
        .skip(1)
        .map(|part| match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            Some(name) => Segment::Parameter(name.to_owned()),
            None => Segment::Literal(part.to_owned()),
        })
        .collect()
}

fn security(security: &Json) -> Vec<Vec<(String, Vec<String>)>> {
    security
        .items()
        .iter()
        .map(|alternative| {
            alternative
                .members()
                .iter()
                .map(|(scheme, scopes)| {
                    let scopes = scopes.items().iter().filter_map(Json::as_str).map(str::to_owned);
                    (scheme.clone(), scopes.collect())
                })
                .collect()
        })
        .collect()
}

fn first_example(node: &Json) -> Option<Json> {
    let (_, first) = node.get("examples")?.members().first()?;
    first.get("value").cloned()
}

/// `https://host/v1` gives `/v1`; the host may be a variable.
fn path_of_server(server: &Json) -> String {
    let url = server.get("url").and_then(Json::as_str).unwrap_or_default();
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.find('/').map_or("", |at| &after_scheme[at..]);
    path.trim_end_matches('/').to_owned()
}
