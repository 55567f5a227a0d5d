//! `drift --canary`: what running clients met and could not name.
//!
//! The crate tells each new name once, through a `tracing` event of target
//! `finrail::canary` with the fields `provider`, `operation`, `what` and
//! `place`. A log of such events is read as `tracing_subscriber` writes it, in
//! colour or without, compact, pretty or as JSON, whatever else it holds and
//! whatever stands before the event. An event that cannot be read is told.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::finding::{Class, Coverage, Evidence, Finding};
use super::spec::{Issue, Spec};

const TARGET: &str = "finrail::canary";

/// One sighting of a log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sighting {
    provider: String,
    operation: String,
    what: String,
    place: String,
}

#[allow(clippy::expect_used)]
static FIELD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\b(provider|operation|what|place)(?:=|: )(?:"([^"]*)(?:"|$)|([^\s,]+))"#).expect("a pattern")
});

/// Colours of a terminal (ECMA-48, select graphic rendition).
#[allow(clippy::expect_used)]
static COLOUR: LazyLock<Regex> = LazyLock::new(|| Regex::new("\u{1b}\\[[0-9;]*m").expect("a pattern"));

/// Reads a log, and tells what the specification still lacks.
#[must_use]
pub fn compare(spec: &Spec, log: &str, evidence: &Evidence) -> (Vec<Finding>, Coverage) {
    let log = COLOUR.replace_all(log, "");
    let written = log.lines().filter(|line| !line.trim().is_empty()).count();
    let told = log.lines().filter(|line| line.contains(TARGET)).count();
    let all: BTreeSet<Sighting> = log.lines().filter_map(sighting).collect();
    let lost = log
        .lines()
        .filter(|line| line.contains(TARGET) && sighting(line).is_none())
        .count();
    let ours: Vec<&Sighting> = all.iter().filter(|sighting| sighting.provider == spec.id()).collect();
    let mut findings: Vec<Finding> = ours
        .iter()
        .filter_map(|sighting| issue(spec, sighting))
        .map(|issue| spec.finding(issue, evidence))
        .collect();
    if lost > 0 {
        let unread = Issue {
            rule: "canary-unread",
            class: Class::Unhandled,
            operation: None,
            subject: TARGET.to_owned(),
            pointer: String::new(),
            what: format!("{lost} lines of {TARGET} could not be read"),
            effect: "what they tell is not compared".to_owned(),
            fix: "write the log as tracing_subscriber does, best as JSON".to_owned(),
        };
        findings.push(spec.finding(unread, evidence));
    }
    if let Some(what) = no_log(&log).filter(|_| told == 0) {
        let none = Issue {
            rule: "canary-no-log",
            class: Class::Unhandled,
            operation: None,
            subject: "log".to_owned(),
            pointer: String::new(),
            what: what.to_owned(),
            effect: "nothing was compared".to_owned(),
            fix: "give the log of a program that ran, at the level of warnings or below".to_owned(),
        };
        findings.push(spec.finding(none, evidence));
    }
    findings.sort_by(|a, b| (b.class, &a.operation, &a.subject).cmp(&(a.class, &b.operation, &b.subject)));
    let operations: BTreeSet<&str> = ours.iter().map(|sighting| sighting.operation.as_str()).collect();
    let lines = vec![format!(
        "{written} lines were read, {told} of them with events of {TARGET}: {} sightings of {} operations; {} of other \
         providers were left out",
        ours.len(),
        operations.len(),
        all.len() - ours.len()
    )];
    (findings, Coverage { lines })
}

/// What a text is that is no log; nothing where it may be one.
fn no_log(log: &str) -> Option<&'static str> {
    let log = log.trim();
    let is_event = |line: &str| serde_json::from_str::<Value>(line).ok().map(|value| is_event(&value));
    let is_odd = |letter: &char| *letter == '\u{fffd}' || letter.is_control() && !letter.is_whitespace();
    let odd = log.chars().filter(is_odd).count();
    if log.is_empty() {
        Some("the log is empty")
    } else if log.starts_with('<') {
        Some("this is a page in tags, and no log")
    } else if odd * 10 > log.chars().count() {
        Some("these are bytes that are no text, and no log")
    } else if is_event(log) == Some(false) || log.lines().all(|line| is_event(line) == Some(false)) {
        Some("this is JSON, and no log: nothing in it has a level, a time or a message")
    } else {
        None
    }
}

/// Whether JSON is an event as collectors write them.
fn is_event(value: &Value) -> bool {
    const SAYS: [&str; 13] = [
        "timestamp",
        "@timestamp",
        "time",
        "ts",
        "date",
        "level",
        "severity",
        "lvl",
        "message",
        "msg",
        "fields",
        "target",
        "log",
    ];
    let fields = value.as_object().into_iter().flatten();
    fields
        .map(|(name, _)| name.to_ascii_lowercase())
        .any(|name| SAYS.contains(&name.as_str()))
}

fn sighting(line: &str) -> Option<Sighting> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    // Collectors write a time and a stream before what they were given.
    let event = line
        .find('{')
        .and_then(|at| serde_json::from_str::<Value>(&line[at..]).ok());
    if let Some(event) = event {
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
                .is_some_and(|schema| spec.field(schema, place).is_some());
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
