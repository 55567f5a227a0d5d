//! `drift --openapi`: a published document against the specification, by what both mean.
//!
//! The signs are those of the client: a field that a reply loses breaks it, a
//! field that a reply gains does not, and for requests it is the other way
//! round. What this comparison does not understand, and oxide's `drift` crate
//! sees, is reported as unhandled, so that nothing changes in silence.

mod authorization;
mod newer;
mod pairs;
mod reply;
mod request;
mod schema;
mod second_opinion;

use std::collections::BTreeSet;

use finrail_spec::bundle::{resolved, with_shared_schemas};
use finrail_spec::media_type::is_json;
use finrail_spec::operations::OperationObject;
use finrail_spec::pointer::join;
use serde_json::Value;

use super::facts::digest;
use super::finding::{Class, Coverage, Evidence, Finding};
use super::spec::{Issue, Spec};
use crate::wire_schemas::shared_schemas;

/// Compares a document with the specification.
///
/// # Errors
///
/// What is no OpenAPI 3 document, in words.
pub fn compare(spec: &Spec, document: &Value, evidence: &Evidence) -> Result<(Vec<Finding>, Coverage), String> {
    let document = newer::as_3_0(document)?;
    // A specification of ours names the shared OAuth schemas without having them.
    let theirs = resolved(&with_shared_schemas(&document, &shared_schemas()));
    let mut compared = Compared {
        spec,
        theirs: &theirs,
        issues: Vec::new(),
        operation: String::new(),
        pointer: String::new(),
        place: String::new(),
        visited: BTreeSet::new(),
        words: Vec::new(),
        told: Vec::new(),
    };
    let pairs = compared.pairs();
    for (ours, theirs) in &pairs {
        compared.operation(ours, theirs);
    }
    compared.security_schemes();
    compared.servers(&pairs);
    compared.authorization_server();
    let unhandled = second_opinion::of(&spec.bundle, &theirs, &pairs, &compared.told);
    compared.issues.extend(unhandled);
    let mut findings: Vec<Finding> = compared
        .issues
        .into_iter()
        .map(|issue| spec.finding(issue, evidence))
        .collect();
    findings.sort_by(|a, b| (b.class, &a.operation, &a.subject).cmp(&(a.class, &b.operation, &b.subject)));
    findings.dedup_by(|a, b| a.fingerprint == b.fingerprint);
    let all = spec.operations().len();
    let lines = vec![format!("{} of {all} operations are in the document", pairs.len())];
    Ok((findings, Coverage { lines }))
}

/// Whose reading of a schema counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Direction {
    /// The client writes it.
    Request,
    /// The client reads it.
    Reply,
    /// The client reads it of a call that has failed anyway.
    Failure,
}

impl Direction {
    fn is_read(self) -> bool {
        self != Self::Request
    }

    /// What cannot be read of a failure is left out of the error, which is told all the same.
    fn unless_failed(self, class: Class) -> Class {
        if self == Self::Failure {
            class.min(Class::SourceBreaking)
        } else {
            class
        }
    }
}

struct Compared<'s> {
    spec: &'s Spec,
    theirs: &'s Value,
    issues: Vec<Issue>,
    operation: String,
    /// Where the specification is told to say otherwise.
    pointer: String,
    /// JSON pointer, in the bundle, to what is being compared.
    place: String,
    visited: BTreeSet<(String, String, Direction)>,
    /// Descriptions that differ, of the operation at hand.
    words: Vec<String>,
    /// Places of the bundle, and what was told of each: the second opinion does not repeat it.
    told: Vec<(String, &'static str)>,
}

impl<'s> Compared<'s> {
    fn add(&mut self, rule: &'static str, class: Class, subject: &str, what: String, effect: &str, fix: &str) {
        self.told.push((self.place.clone(), rule));
        self.issues.push(Issue {
            rule,
            class,
            operation: (!self.operation.is_empty()).then(|| self.operation.clone()),
            subject: subject.to_owned(),
            pointer: self.pointer.clone(),
            what,
            effect: effect.to_owned(),
            fix: fix.to_owned(),
        });
    }

    /// What follows is about the document as a whole.
    fn about(&mut self, pointer: &str) {
        self.operation.clear();
        pointer.clone_into(&mut self.pointer);
        pointer.clone_into(&mut self.place);
    }

    fn operation(&mut self, ours: &OperationObject<'s>, theirs: &OperationObject<'s>) {
        self.operation = ours.id().to_owned();
        self.pointer = ours.pointer();
        self.place = ours.pointer();
        self.visited.clear();
        self.words.clear();
        for key in ["summary", "description"] {
            self.described(ours.value.get(key), theirs.value.get(key));
        }
        let deprecated =
            |operation: &OperationObject<'_>| operation.value.get("deprecated") == Some(&Value::Bool(true));
        if deprecated(theirs) && !deprecated(ours) {
            self.add(
                "operation-deprecated",
                Class::DocsOnly,
                ours.id(),
                "the operation is deprecated".to_owned(),
                "it still works",
                "write `deprecated: true`, and look for its successor",
            );
        }
        self.parameters(ours, theirs);
        self.body(ours, theirs);
        self.replies(ours, theirs);
        self.security(ours, theirs);
        if !self.words.is_empty() {
            let mark = mark(&self.words.join("\u{1f}"));
            let count = self.words.len();
            self.add(
                "description-changed",
                Class::DocsOnly,
                &format!("words {mark}"),
                "descriptions are in other words".to_owned(),
                &format!("{count} texts, no code"),
                "see whether they mean something else",
            );
        }
    }

    fn described(&mut self, ours: Option<&Value>, theirs: Option<&Value>) {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let theirs = text(theirs);
        if !theirs.is_empty() && theirs != text(ours) {
            self.words.push(theirs);
        }
    }

    fn necessity(&mut self, subject: &str, noun: &str, ours: bool, theirs: bool, direction: Direction) {
        match (direction.is_read(), ours, theirs) {
            (false, false, true) => self.add(
                "became-required",
                Class::WireBreaking,
                subject,
                format!("the {noun} `{subject}` is required now"),
                "the client lets it be left out",
                "mark it as required",
            ),
            (false, true, false) => self.add(
                "became-optional",
                Class::Additive,
                subject,
                format!("the {noun} `{subject}` is optional now"),
                "the client demands it",
                "mark it as optional",
            ),
            (true, true, false) => self.add(
                "became-optional",
                direction.unless_failed(Class::WireBreaking),
                subject,
                format!("the {noun} `{subject}` may be missing now"),
                "the client cannot read a reply without it",
                "mark it as optional",
            ),
            (true, false, true) => self.add(
                "became-required",
                Class::DocsOnly,
                subject,
                format!("the {noun} `{subject}` is always there now"),
                "the client reads it either way",
                "leave it optional, or mark it as required in the next breaking version",
            ),
            _ => {}
        }
    }
}

/// Eight digits that change with a text.
fn mark(text: &str) -> String {
    digest(text).chars().take(8).collect()
}

fn essence(media: &str) -> String {
    media.split(';').next().unwrap_or_default().trim().to_lowercase()
}

fn same_media(one: &str, other: &str) -> bool {
    essence(one) == essence(other) || is_json(one) && is_json(other)
}

/// The media type of a body that is the one of ours: by name, or JSON for JSON.
fn chosen<'v>(ours: &str, theirs: &'v serde_json::Map<String, Value>) -> Option<(&'v String, &'v Value)> {
    let exact = theirs.iter().find(|(name, _)| essence(name) == essence(ours));
    exact.or_else(|| theirs.iter().find(|(name, _)| same_media(name, ours)))
}

fn place_of_media(at: &str, media: &str) -> String {
    join(&join(&join(at, "content"), media), "schema")
}
