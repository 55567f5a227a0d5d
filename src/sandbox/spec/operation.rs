//! Operations: how each is asked for and what it answers.

use finrail_spec::json::Json;

use super::content::{Body, Content, Success, is_json};
use super::document::Document;
use super::pagination::Pagination;
use super::parameter::{Parameter, Place};
use super::path::{Segment, template, versionless};
use super::role::Role;

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

impl Operation {
    /// Reads the operation of one path and method; `shared` are the parameters of the path. Its role is not known yet.
    pub(super) fn read(document: &Document, path: &str, method: &str, node: &Json, shared: &[Json]) -> Self {
        let text = |name: &str| node.get(name).and_then(Json::as_str);
        let responses = node.get("responses").map(Json::members).unwrap_or_default();
        let refusals = responses
            .iter()
            .filter(|(status, _)| status.starts_with(['4', '5']))
            .filter_map(|(status, response)| Some((status.clone(), Content::first(document, response)?)));
        let made_headers = node.get("x-headers").map(Json::members).unwrap_or_default();
        let accept = text("x-accept").into_iter().flat_map(|list| list.split(','));
        Self {
            id: text("operationId").unwrap_or(path).to_owned(),
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            thing: versionless(&template(path)),
            segments: template(path),
            role: Role::View,
            client: text("x-client").unwrap_or("api").to_owned(),
            security: node.get("security").map(security).unwrap_or_default(),
            parameters: parameters(document, node, shared),
            body: node.get("requestBody").map(|body| Body::read(document, body)),
            success: Success::read(document, responses),
            refusals: refusals.collect(),
            pagination: node.get("x-pagination").map(Pagination::read),
            made_headers: made_headers.iter().map(|(name, _)| name.clone()).collect(),
            accept: accept.map(|media_range| media_range.trim().to_owned()).collect(),
        }
    }

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

    /// The schema of the success reply.
    pub(in crate::sandbox) fn reply_schema(&self) -> Option<&Json> {
        self.success.content.as_ref().map(|content| &content.schema)
    }

    /// A parameter by its name.
    pub(in crate::sandbox) fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// The parameters in one place.
    pub(in crate::sandbox) fn parameters_in(&self, place: Place) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(move |parameter| parameter.place == place)
    }

    /// Whether the success reply is a document (and not bytes, nor nothing).
    pub(in crate::sandbox) fn answers_json(&self) -> bool {
        self.success.content.as_ref().is_some_and(|c| is_json(&c.media_type))
    }
}

/// The parameters of an operation, and those of its path that it does not have itself.
fn parameters(document: &Document, node: &Json, shared: &[Json]) -> Vec<Parameter> {
    let own = node.get("parameters").map(Json::items).unwrap_or_default();
    let mut parameters: Vec<Parameter> = Vec::new();
    for parameter in own.iter().chain(shared) {
        let parameter = Parameter::read(document, parameter);
        let is_same = |known: &Parameter| known.name == parameter.name && known.place == parameter.place;
        if !parameters.iter().any(is_same) {
            parameters.push(parameter);
        }
    }
    parameters
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
