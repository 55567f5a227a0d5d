//! Operations: what the document says of each, and what the sandbox makes of it.

use std::ops::Deref;

use finrail_spec::json::Json;
use finrail_spec::made;
use finrail_spec::media_type::is_json;
use finrail_spec::model::{self, Content, Parameter, Place, Reply, Specification};
use finrail_spec::vocabulary::ClientKind;

use super::path::{Segment, template, versionless};
use super::role::{Role, role};

/// An operation of the document, to which it dereferences, and what the sandbox takes from its path.
pub(in crate::sandbox) struct Operation {
    described: model::Operation,
    pub(in crate::sandbox) segments: Vec<Segment>,
    /// The path without its versions.
    pub(in crate::sandbox) thing: Vec<Segment>,
    pub(in crate::sandbox) role: Role,
}

impl Deref for Operation {
    type Target = model::Operation;

    fn deref(&self) -> &model::Operation {
        &self.described
    }
}

/// All operations, in the order of the document.
pub(super) fn all(document: &Specification) -> Vec<Operation> {
    let thing = |operation: &model::Operation| versionless(&template(&operation.path));
    let things: Vec<Vec<Segment>> = document.operations.iter().map(thing).collect();
    let described = || document.operations.iter().zip(&things);
    let paged: Vec<&[Segment]> = described()
        .filter(|(operation, _)| operation.method == "GET" && operation.pagination.is_some())
        .map(|(_, thing)| thing.as_slice())
        .collect();
    let operations = described().map(|(operation, thing)| Operation {
        segments: template(&operation.path),
        role: match operation.pagination {
            // Also a search, which is sent by POST.
            Some(_) => Role::List,
            None => role(thing, &operation.method, &paged, &things),
        },
        thing: thing.clone(),
        described: with_examples(document, operation),
    });
    operations.collect()
}

/// The operation, with replies made from their schemas where it shows none. What the authorization server answers is made there.
fn with_examples(document: &Specification, operation: &model::Operation) -> model::Operation {
    let mut operation = operation.clone();
    if operation.client == ClientKind::Oauth {
        return operation;
    }
    let contents = operation.replies.iter_mut().flat_map(|reply| &mut reply.contents);
    for content in contents.filter(|content| is_json(&content.media_type) && content.examples.is_empty()) {
        content
            .examples
            .push((String::new(), made::reply(document, &content.schema)));
    }
    operation
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

    /// Whether it is an endpoint of the authorization server.
    pub(in crate::sandbox) fn is_oauth(&self) -> bool {
        self.client == ClientKind::Oauth
    }

    /// The reply to a call that is not refused.
    fn success(&self) -> Option<&Reply> {
        let is_success = |reply: &&Reply| reply.is_of_class('2') || reply.is_of_class('3');
        self.replies.iter().find(is_success)
    }

    /// Its status: `200`, `201`, `2XX`
    pub(in crate::sandbox) fn success_status(&self) -> &str {
        self.success().map_or("200", |reply| &reply.status)
    }

    /// What it carries.
    pub(in crate::sandbox) fn success_content(&self) -> Option<&Content> {
        self.success()?.contents.first()
    }

    /// What refusals carry, by their status: `404`, `4XX`
    pub(in crate::sandbox) fn refusals(&self) -> impl Iterator<Item = (&str, &Content)> {
        let is_refusal = |reply: &&Reply| reply.is_of_class('4') || reply.is_of_class('5');
        let refusals = self.replies.iter().filter(is_refusal);
        refusals.filter_map(|reply| Some((reply.status.as_str(), reply.contents.first()?)))
    }

    /// The schemas of what it takes and of what it answers.
    pub(in crate::sandbox) fn schemas(&self) -> impl Iterator<Item = &Json> {
        let bodies = self.body.iter().flat_map(|body| &body.contents);
        let replies = self.success_content().into_iter();
        let contents = bodies.chain(replies).chain(self.refusals().map(|(_, content)| content));
        let parameters = self.parameters.iter().map(|parameter| &parameter.schema);
        contents.map(|content| &content.schema).chain(parameters)
    }

    /// The example of the success reply.
    pub(in crate::sandbox) fn example(&self) -> Option<&Json> {
        self.success_content()?.examples.first().map(|(_, example)| example)
    }

    /// The schema of the success reply.
    pub(in crate::sandbox) fn reply_schema(&self) -> Option<&Json> {
        self.success_content().map(|content| &content.schema)
    }

    /// Whether the success reply is a document (and not bytes, nor nothing).
    pub(in crate::sandbox) fn answers_json(&self) -> bool {
        self.success_content().is_some_and(|c| is_json(&c.media_type))
    }

    /// A parameter by its name.
    pub(in crate::sandbox) fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// The parameters in one place.
    pub(in crate::sandbox) fn parameters_in(&self, place: Place) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(move |parameter| parameter.place == place)
    }

    /// Headers that a client makes on every call (`x-headers`).
    pub(in crate::sandbox) fn made_headers(&self) -> impl Iterator<Item = &str> {
        self.headers.keys().map(String::as_str)
    }

    /// Media ranges that the caller may ask for beyond those of the reply (`x-accept`).
    pub(in crate::sandbox) fn asked_for(&self) -> impl Iterator<Item = &str> {
        let ranges = self.asks_for.iter().flat_map(|list| list.split(','));
        ranges.map(|range| range.split(';').next().unwrap_or_default().trim())
    }
}
