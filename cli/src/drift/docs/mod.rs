//! `drift --docs`: what a documentation page says, what it said the last time, and what the specification says.

mod rule;
mod since;
mod specified;

use std::collections::BTreeMap;

use super::facts::{Fact, Facts, Kind, Page};
use super::finding::{Class, Evidence, Finding};
use super::spec::{Issue, Spec};
use finrail_spec::operations::OperationObject;
use since::since;
use specified::against_spec;

pub use since::{reworded, still_claimed};

/// Compares a reading of a page with the specification, and with the reading before it.
#[must_use]
pub fn compare(spec: &Spec, before: Option<&Page>, now: &Facts, evidence: &Evidence) -> Vec<Finding> {
    if now.is_empty() {
        return vec![spec.finding(empty(evidence), evidence)];
    }
    let nothing = BTreeMap::new();
    let waived = before.map_or(&nothing, |page| &page.waived);
    let places = Places::of(spec, now);
    let mut issues = Vec::new();
    for (fact, says) in now {
        if !is_waived(waived, fact) {
            issues.extend(against_spec(spec, &places, fact, says));
        }
    }
    if let Some(before) = before {
        let old_places = Places::of(spec, &before.facts);
        issues.extend(since(spec, before, &old_places, now, &places, &issues));
    }
    let mut findings: Vec<Finding> = issues.into_iter().map(|issue| spec.finding(issue, evidence)).collect();
    findings.sort_by(|a, b| (b.class, &a.subject, &a.what).cmp(&(a.class, &b.subject, &b.what)));
    findings.dedup_by(|a, b| a.fingerprint == b.fingerprint);
    findings
}

/// A page without facts is an error page, a page that a browser must make first, or one that this tool cannot read.
fn empty(evidence: &Evidence) -> Issue {
    Issue {
        rule: "page-without-facts",
        class: Class::Unhandled,
        operation: None,
        subject: evidence.source.clone(),
        pointer: String::new(),
        what: "the page has no facts".to_owned(),
        effect: "nothing was compared".to_owned(),
        fix: "see that it is the page, and save what a browser shows of it".to_owned(),
    }
}

/// A waiver for an endpoint covers what belongs to it.
fn is_waived(waived: &BTreeMap<Fact, String>, fact: &Fact) -> bool {
    waived.contains_key(fact)
        || fact
            .endpoint
            .as_ref()
            .is_some_and(|endpoint| waived.contains_key(&Fact::new(Kind::Endpoint, endpoint.clone())))
}

/// Which operation each endpoint of a page is.
struct Places {
    /// Endpoint to operation id, and whether the path is the one of the specification.
    known: BTreeMap<String, (String, bool)>,
}

impl Places {
    fn of(spec: &Spec, facts: &Facts) -> Self {
        let endpoints: Vec<&String> = facts
            .keys()
            .filter(|fact| fact.kind == Kind::Endpoint)
            .map(|fact| &fact.name)
            .collect();
        let mut known = BTreeMap::new();
        for endpoint in &endpoints {
            let (method, path) = endpoint.split_once(' ').unwrap_or(("", endpoint));
            if let Some(operation) = spec.matching(method, path) {
                known.insert((*endpoint).clone(), (operation.id().to_owned(), true));
            }
        }
        let taken: Vec<String> = known.values().map(|(id, _)| id.clone()).collect();
        for endpoint in endpoints {
            let (method, path) = endpoint.split_once(' ').unwrap_or(("", endpoint));
            if known.contains_key(endpoint) || method == "URL" {
                continue;
            }
            if let Some(operation) = spec.moved(method, path, &taken) {
                known.insert(endpoint.clone(), (operation.id().to_owned(), false));
            }
        }
        Self { known }
    }

    fn operation<'s>(&self, spec: &'s Spec, endpoint: &str) -> Option<OperationObject<'s>> {
        let (id, _) = self.known.get(endpoint)?;
        spec.operation(id)
    }

    /// A fact by what it is about, so that an endpoint's move is one change and not ten.
    fn identity(&self, fact: &Fact) -> Fact {
        let place = |endpoint: &String| self.known.get(endpoint).map_or(endpoint.clone(), |(id, _)| id.clone());
        match fact.kind {
            Kind::Endpoint => Fact::new(Kind::Endpoint, place(&fact.name)),
            kind => Fact {
                kind,
                endpoint: fact.endpoint.as_ref().map(place),
                name: fact.name.clone(),
            },
        }
    }
}
