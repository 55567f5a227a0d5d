//! `drift --openapi`: a published document against the specification, by what both mean.
//!
//! The signs are those of the client: a field that a reply loses breaks it, a
//! field that a reply gains does not, and for requests it is the other way
//! round. What this comparison does not understand, and oxide's `drift` crate
//! sees, is reported as unhandled, so that nothing changes in silence.

mod authorization;
mod compared;
mod media;
mod newer;
mod pairs;
mod reply;
mod request;
mod schema;
mod second_opinion;

use finrail_spec::bundle::{resolved, with_shared_schemas};
use finrail_spec::operations::OperationObject;
use serde_json::Value;

use self::compared::{Compared, mark};
use super::finding::{Class, Coverage, Evidence, Finding};
use super::spec::Spec;
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
    let mut compared = Compared::of(spec, &theirs);
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

impl<'s> Compared<'s> {
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
}
