//! `drift --canary`: what running clients met and could not name.
//!
//! The crate tells each new name once, through a `tracing` event of target
//! `finrail::canary` with the fields `provider`, `operation`, `what` and
//! `place`. A log of such events is read as JSON lines (`tracing_subscriber`'s
//! `json()`) or as text, whatever else it holds.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::finding::{Class, Coverage, Evidence, Finding};
use super::spec::{Issue, Spec};

/// One sighting of a log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sighting {
    provider: String,
    operation: String,
    what: String,
    place: String,
}

#[allow(clippy::expect_used)]
static FIELD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"\b(provider|operation|what|place)=(?:"([^"]*)"|(\S+))"#).expect("a pattern"));

/// Reads a log, and tells what the specification still lacks.
#[must_use]
pub fn compare(spec: &Spec, log: &str, evidence: &Evidence) -> (Vec<Finding>, Coverage) {
    let all: BTreeSet<Sighting> = log.lines().filter_map(sighting).collect();
    let ours: Vec<&Sighting> = all.iter().filter(|sighting| sighting.provider == spec.id()).collect();
    let mut findings: Vec<Finding> = ours
        .iter()
        .filter_map(|sighting| issue(spec, sighting))
        .map(|issue| spec.finding(issue, evidence))
        .collect();
    findings.sort_by(|a, b| (b.class, &a.operation, &a.subject).cmp(&(a.class, &b.operation, &b.subject)));
    let operations: BTreeSet<&str> = ours.iter().map(|sighting| sighting.operation.as_str()).collect();
    let lines = vec![format!(
        "{} sightings of {} operations; {} of other providers were left out",
        ours.len(),
        operations.len(),
        all.len() - ours.len()
    )];
    (findings, Coverage { lines })
}

fn sighting(line: &str) -> Option<Sighting> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    if let Ok(event) = serde_json::from_str::<Value>(line) {
        let fields = event.get("fields").unwrap_or(&event);
        return Some(Sighting {
            provider: text(fields.get("provider"))?,
            operation: text(fields.get("operation"))?,
            what: text(fields.get("what"))?,
            place: text(fields.get("place"))?,
        });
    }
    let mut found = [const { None }; 4];
    for field in FIELD.captures_iter(line) {
        let value = field
            .get(2)
            .or_else(|| field.get(3))
            .map(|value| value.as_str().to_owned());
        match &field[1] {
            "provider" => found[0] = value,
            "operation" => found[1] = value,
            "what" => found[2] = value,
            _ => found[3] = value,
        }
    }
    let [provider, operation, what, place] = found;
    Some(Sighting {
        provider: provider?,
        operation: operation?,
        what: what?,
        place: place?,
    })
}

fn issue(spec: &Spec, sighting: &Sighting) -> Option<Issue> {
    let place = &sighting.place;
    let operation = spec.operation(&sighting.operation);
    let (rule, what, effect, fix) = match sighting.what.as_str() {
        "unmodelled-field" => {
            let described = operation
                .as_ref()
                .and_then(|operation| spec.success(operation))
                .is_some_and(|schema| describes(spec, schema, place));
            if described {
                return None;
            }
            (
                "field-undescribed",
                format!("replies have the field `{place}`"),
                "the client leaves the field out",
                "describe the field",
            )
        }
        "unknown-enum-value" => (
            "enum-value-added",
            format!("`{place}` has a value that is not listed"),
            "the client reads it as Unknown and writes it back as it came",
            "find the value in a recording (--har), and list it",
        ),
        "unknown-kind" => (
            "kind-added",
            format!("replies have the kind `{place}`"),
            "the client keeps it as an unknown kind",
            "describe the kind",
        ),
        _ => (
            "unhandled-sighting",
            format!("{} at `{place}`", sighting.what),
            "this tool does not know the word",
            "look at the log",
        ),
    };
    Some(Issue {
        rule,
        class: if rule == "unhandled-sighting" {
            Class::Unhandled
        } else {
            Class::Additive
        },
        operation: Some(sighting.operation.clone()),
        subject: place.clone(),
        pointer: operation.map(|operation| operation.pointer()).unwrap_or_default(),
        what,
        effect: effect.to_owned(),
        fix: fix.to_owned(),
    })
}

/// Whether a schema has a field at a place such as `accounts[].balance`.
fn describes(spec: &Spec, schema: &Value, place: &str) -> bool {
    let schema = spec.effective(schema);
    if let Some(rest) = place.strip_prefix("[]") {
        let rest = rest.trim_start_matches('.');
        return schema
            .get("items")
            .is_some_and(|items| rest.is_empty() || describes(spec, items, rest));
    }
    let end = place.find(['.', '[']).unwrap_or(place.len());
    let (name, rest) = place.split_at(end);
    let Some(property) = spec.property(schema, name) else {
        return false;
    };
    let rest = rest.trim_start_matches('.');
    rest.is_empty() || describes(spec, property, rest)
}
