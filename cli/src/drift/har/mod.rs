//! `drift --har`: recorded traffic against the specification, and a copy of it without secrets.
//!
//! Names, paths and types are told, and words that stand where an enum is
//! described. No other value of a recording is ever printed or kept, nor a name
//! that could be one.

mod body;
mod coverage;
mod entry;
mod exchange;
mod names;
mod scrub;
mod seen;
mod validators;
mod values;

use std::borrow::Cow;
use std::sync::LazyLock;

use finrail_spec::date::is_date;
use regex::{Captures, Regex};
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

/// A recording in which half letters (UTF-16 surrogates without their other half) have become whole ones: one that
/// stands in somebody else's exchange makes no other exchange unreadable.
#[must_use]
pub fn whole_letters(recording: &str) -> Cow<'_, str> {
    HALF_OR_WHOLE.replace_all(recording, |found: &Captures<'_>| match found.name("half") {
        Some(_) => "\\ufffd".to_owned(),
        None => found[0].to_owned(),
    })
}

/// Escapes of JSON, so that each is looked at from its beginning: pairs, halves, and all others.
#[allow(clippy::expect_used)]
static HALF_OR_WHOLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    )
    .expect("a pattern of this file")
});

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

#[cfg(test)]
mod tests {
    #[test]
    fn half_a_letter_becomes_a_whole_one() {
        for (recorded, read) in [
            (r#""\ud83d\ude00""#, "\u{1f600}"),
            (r#""\uD83D""#, "\u{fffd}"),
            (r#""\ud83d\ud83d\ude00 \ude00""#, "\u{fffd}\u{1f600} \u{fffd}"),
            (r#""\\ud83d""#, r"\ud83d"),
            (r#""\\\ud83d\n\u00e9""#, "\\\u{fffd}\n\u{e9}"),
        ] {
            let whole = super::whole_letters(recorded);
            assert_eq!(
                serde_json::from_str::<String>(&whole).ok().as_deref(),
                Some(read),
                "{recorded}"
            );
        }
    }
}
