//! What a difference between a page and the specification means, as rows of a table.

use finrail_spec::operations::OperationObject;

use crate::drift::facts::{Fact, Kind};
use crate::drift::finding::Class;
use crate::drift::spec::{Issue, Spec};

/// A fact beside the specification.
pub(super) struct Case<'c> {
    pub spec: &'c Spec,
    pub fact: &'c Fact,
    /// The operation that the fact is about, or belongs to.
    pub operation: Option<OperationObject<'c>>,
}

/// One row: the kind of fact that it is for, when it applies, and what is said then.
pub(super) struct Rule {
    pub kind: Kind,
    /// Whether the specification is concerned.
    pub applies: fn(&Case<'_>) -> bool,
    pub name: &'static str,
    pub class: Class,
    pub at: At,
    /// `{}` stands for what the fact is called.
    pub what: &'static str,
    pub effect: &'static str,
    pub fix: &'static str,
}

/// Where the specification says otherwise.
pub(super) enum At {
    /// The operation; the root where there is none.
    Operation,
    /// The parameter of that name, or its operation.
    Parameter,
    /// A field of `x-oauth`.
    Oauth(&'static str),
    /// A JSON pointer.
    Place(&'static str),
}

/// What the first row that applies says.
pub(super) fn first(rules: &[Rule], case: &Case<'_>, called: &str) -> Option<Issue> {
    let mut of_kind = rules.iter().filter(|rule| rule.kind == case.fact.kind);
    of_kind
        .find(|rule| (rule.applies)(case))
        .map(|rule| rule.issue(case, called))
}

impl Rule {
    fn issue(&self, case: &Case<'_>, called: &str) -> Issue {
        Issue {
            rule: self.name,
            class: self.class,
            operation: case.operation.as_ref().map(|operation| operation.id().to_owned()),
            subject: case.fact.name.clone(),
            pointer: self.at.pointer(case),
            what: self.what.replace("{}", called),
            effect: self.effect.to_owned(),
            fix: self.fix.to_owned(),
        }
    }
}

impl At {
    fn pointer(&self, case: &Case<'_>) -> String {
        let operation = case.operation.as_ref();
        match self {
            Self::Operation => operation.map(OperationObject::pointer).unwrap_or_default(),
            Self::Parameter => operation
                .map(|operation| case.spec.parameter_pointer(operation, &case.fact.name))
                .unwrap_or_default(),
            Self::Oauth(field) => Spec::oauth_pointer(field),
            Self::Place(pointer) => (*pointer).to_owned(),
        }
    }
}
