//! What a recording shows of a specification.

use std::collections::{BTreeMap, BTreeSet};

use super::body::Unread;
use super::validators::Validators;
use crate::drift::finding::Class;
use crate::drift::spec::{Issue, Spec};

/// A specification, and what a recording showed of it so far.
pub(super) struct Seen<'s> {
    pub spec: &'s Spec,
    pub issues: Vec<Issue>,
    pub operation: String,
    pub pointer: String,
    /// By operation: parameters, fields and statuses that occurred.
    pub exercised: BTreeMap<String, Exercised>,
    pub elsewhere: usize,
    /// Replies whose body was compared, and those of them that are of success.
    pub replies: usize,
    pub successes: usize,
    /// Why bodies of replies were not read: how many, of which operations.
    pub unread: BTreeMap<Unread, (usize, BTreeSet<String>)>,
    /// The same of requests.
    pub unsent: BTreeMap<Unread, usize>,
    pub missing: BTreeMap<String, usize>,
    pub validators: Validators,
}

/// What occurred of one operation.
#[derive(Default)]
pub(super) struct Exercised {
    pub parameters: BTreeSet<String>,
    pub fields: BTreeSet<String>,
    pub statuses: BTreeSet<u64>,
}

impl<'s> Seen<'s> {
    pub fn of(spec: &'s Spec) -> Self {
        Self {
            spec,
            issues: Vec::new(),
            operation: String::new(),
            pointer: String::new(),
            exercised: BTreeMap::new(),
            elsewhere: 0,
            replies: 0,
            successes: 0,
            unread: BTreeMap::new(),
            unsent: BTreeMap::new(),
            missing: BTreeMap::new(),
            validators: Validators::of(spec),
        }
    }

    pub fn add(&mut self, rule: &'static str, class: Class, subject: &str, what: String, effect: &str, fix: &str) {
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

    pub fn exercised(&mut self) -> &mut Exercised {
        self.exercised.entry(self.operation.clone()).or_default()
    }

    /// Notes a reply that was not read.
    pub fn unread(&mut self, why: Unread) {
        let (count, operations) = self.unread.entry(why).or_default();
        *count += 1;
        operations.insert(self.operation.clone());
    }

    /// What was not read of the replies, and why.
    pub fn reasons(&self) -> Vec<String> {
        let reason = |(why, (count, operations)): (&Unread, &(usize, BTreeSet<String>))| {
            let operations: Vec<&str> = operations.iter().map(String::as_str).collect();
            format!("{count} {why} ({})", operations.join(", "))
        };
        self.unread.iter().map(reason).collect()
    }
}
