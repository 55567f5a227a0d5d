//! `drift --docs`: what a documentation page says, what it said the last time, and what the specification says.

mod check;
mod doubt;
mod places;
mod rule;
mod said;
mod since;
mod specified;
pub mod words;

use super::facts::{Facts, Page, Waived};
use super::finding::{Evidence, Finding};
use super::spec::Spec;
use places::{Places, is_waived};
use since::since;
use specified::against_spec;

pub use check::{Asked, check};

/// Compares a reading of a page with the specification, and with the reading before it.
#[must_use]
pub fn compare(spec: &Spec, before: Option<&Page>, now: &Facts, evidence: &Evidence) -> Vec<Finding> {
    let nothing = Waived::new();
    let waived = before.map_or(&nothing, |page| &page.waived);
    let places = Places::of(spec, now, waived);
    let mut issues = Vec::new();
    for (fact, says) in now {
        if !is_waived(waived, fact) {
            issues.extend(against_spec(spec, &places, fact, says));
        }
    }
    if let Some(before) = before {
        let old_places = Places::of(spec, &before.facts, waived);
        issues.extend(since(spec, before, &old_places, now, &places, &issues));
    }
    let mut findings: Vec<Finding> = issues.into_iter().map(|issue| spec.finding(issue, evidence)).collect();
    findings.sort_by(|a, b| (b.class, &a.subject, &a.what).cmp(&(a.class, &b.subject, &b.what)));
    findings.dedup_by(|a, b| a.fingerprint == b.fingerprint);
    findings
}
