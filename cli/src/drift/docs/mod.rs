//! `drift --docs`: what a documentation page says, what it said the last time, and what the specification says.

mod check;
mod places;
mod rule;
mod since;
mod specified;

use std::collections::BTreeMap;

use super::facts::{Facts, Page};
use super::finding::{Class, Evidence, Finding};
use super::spec::{Issue, Spec};
use places::{Places, is_waived};
use since::since;
use specified::against_spec;

pub use check::check;
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
