//! Two documents beside each other, and the differences that were told.

use std::collections::BTreeSet;

use serde_json::Value;

use super::reading::Reading;
use crate::drift::facts::digest;
use crate::drift::finding::Class;
use crate::drift::spec::{Issue, Spec};

/// Whose reading of a schema counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Direction {
    /// The client writes it.
    Request,
    /// The client reads it.
    Reply,
    /// The client reads it of a call that has failed anyway.
    Failure,
}

impl Direction {
    pub fn is_read(self) -> bool {
        self != Self::Request
    }

    /// What cannot be read of a failure is left out of the error, which is told all the same.
    pub fn unless_failed(self, class: Class) -> Class {
        if self == Self::Failure {
            class.min(Class::SourceBreaking)
        } else {
            class
        }
    }
}

/// The specification beside a document, and what differs.
pub(super) struct Compared<'s> {
    pub spec: &'s Spec,
    /// The specification in the form of the document.
    pub ours: &'s Value,
    pub theirs: &'s Value,
    /// Both, with what of them is not compared.
    pub read: (&'s Reading, &'s Reading),
    /// Whether the document describes everything that there is: what it lacks is withdrawn.
    pub complete: bool,
    pub issues: Vec<Issue>,
    pub operation: String,
    /// Where the specification is told to say otherwise.
    pub pointer: String,
    /// JSON pointer, in the bundle, to what is being compared.
    pub place: String,
    pub visited: BTreeSet<(String, String, Direction)>,
    /// Descriptions that differ, of the operation at hand.
    pub words: Vec<String>,
    /// Places of the bundle, and what was told of each: the second opinion does not repeat it.
    pub told: Vec<(String, &'static str)>,
}

impl<'s> Compared<'s> {
    pub fn of(spec: &'s Spec, ours: &'s Reading, theirs: &'s Reading, complete: bool) -> Self {
        Self {
            spec,
            ours: &ours.root,
            theirs: &theirs.root,
            read: (ours, theirs),
            complete,
            issues: Vec::new(),
            operation: String::new(),
            pointer: String::new(),
            place: String::new(),
            visited: BTreeSet::new(),
            words: Vec::new(),
            told: Vec::new(),
        }
    }

    pub fn add(&mut self, rule: &'static str, class: Class, subject: &str, what: String, effect: &str, fix: &str) {
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
    pub fn about(&mut self, pointer: &str) {
        self.operation.clear();
        pointer.clone_into(&mut self.pointer);
        pointer.clone_into(&mut self.place);
    }

    pub fn described(&mut self, ours: Option<&Value>, theirs: Option<&Value>) {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let theirs = text(theirs);
        if !theirs.is_empty() && theirs != text(ours) {
            self.words.push(theirs);
        }
    }

    pub fn necessity(&mut self, subject: &str, noun: &str, ours: bool, theirs: bool, direction: Direction) {
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
pub(super) fn mark(text: &str) -> String {
    digest(text).chars().take(8).collect()
}
