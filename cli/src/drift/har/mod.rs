//! `drift --har`: recorded traffic against the specification, and a copy of it without secrets.
//!
//! Names, paths and types are told, and words that stand where an enum is
//! described. No other value of a recording is ever printed or kept, nor a name
//! that could be one.

mod coverage;
mod entry;
mod exchange;
mod names;
mod scrub;
mod seen;
mod validators;
mod values;

use finrail_spec::date::is_date;
use serde_json::Value;

use super::finding::{Coverage, Evidence, Finding};
use super::spec::Spec;
use seen::Seen;

pub use scrub::scrub;

/// Compares a recording with the specification.
///
/// # Errors
///
/// A file that is not a HAR, in words.
pub fn compare(spec: &Spec, har: &Value, evidence: &Evidence) -> Result<(Vec<Finding>, Coverage), String> {
    let entries = entries(har)?;
    let mut seen = Seen::of(spec);
    for (index, entry) in entries.iter().enumerate() {
        seen.exchange(index + 1, entry);
    }
    seen.sum_up(entries.len());
    let coverage = seen.coverage(entries.len());
    let mut findings: Vec<Finding> = seen
        .issues
        .into_iter()
        .map(|issue| spec.finding(issue, evidence))
        .collect();
    findings.sort_by(|a, b| {
        (b.class, &a.operation, &a.subject, &a.what).cmp(&(a.class, &b.operation, &b.subject, &b.what))
    });
    findings.dedup_by(|a, b| a.fingerprint == b.fingerprint);
    Ok((findings, coverage))
}

fn entries(har: &Value) -> Result<&Vec<Value>, String> {
    har.pointer("/log/entries")
        .and_then(Value::as_array)
        .ok_or_else(|| "there are no log.entries: not a HAR".to_owned())
}

/// The day of the newest exchange.
#[must_use]
pub fn newest(har: &Value) -> Option<String> {
    let days = entries(har).ok()?.iter().filter_map(|entry| {
        let day = entry.get("startedDateTime")?.as_str()?.get(..10)?;
        is_date(day).then(|| day.to_owned())
    });
    days.max()
}
