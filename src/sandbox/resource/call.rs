//! A call for a resource: one operation, what its request says, and who asks.

use finrail_spec::json::Json;

use super::location::Location;
use crate::sandbox::request::Request;
use crate::sandbox::spec::{Operation, PageWords, Schemas, Segment, Spec};

/// A call that fits the specification.
pub(in crate::sandbox) struct Call<'a> {
    pub(in crate::sandbox) spec: &'a Spec,
    pub(in crate::sandbox) schemas: &'a Schemas,
    pub(in crate::sandbox) operation: &'a Operation,
    pub(in crate::sandbox) page_words: PageWords,
    pub(in crate::sandbox) request: &'a Request,
    /// Address of the resources, as the client knows it.
    pub(in crate::sandbox) base: &'a str,
    /// Address of pages that belong to a bank and not to the provider.
    pub(in crate::sandbox) bank: &'a str,
    /// Milliseconds since 1970 by the sandbox's clock.
    pub(in crate::sandbox) now: u64,
    /// Id of the client that calls.
    pub(in crate::sandbox) client: &'a str,
    /// For whom it calls, unless it is the sandbox's own user.
    pub(in crate::sandbox) other_user: Option<&'a str>,
}

impl<'a> Call<'a> {
    /// `operationId`
    pub(in crate::sandbox) fn id(&self) -> &'a str {
        &self.operation.id
    }

    /// The path template, without versions.
    pub(in crate::sandbox) fn template(&self) -> &'a [Segment] {
        &self.operation.thing
    }

    /// What the call is about: the path template, and what the request has in place of its parameters.
    pub(in crate::sandbox) fn location(&self) -> Location<'a> {
        let value = |segment: &Segment| match segment {
            Segment::Literal(literal) => literal.clone(),
            Segment::Parameter(name) => self.request.path_value(name).unwrap_or_default().to_owned(),
        };
        Location {
            template: self.template(),
            path: self.template().iter().map(value).collect(),
        }
    }

    /// The members of the body.
    pub(in crate::sandbox) fn sent(&self) -> &'a [(String, Json)] {
        self.request.body.as_ref().map(Json::members).unwrap_or_default()
    }

    /// The value of a query parameter.
    pub(in crate::sandbox) fn query(&self, name: &str) -> Option<&'a str> {
        self.request.query_value(name)
    }
}
