//! What an import tells: a table first, then what is left out and what is lost, each with its place in the document.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use finrail_spec::dialect::{Dialect, Weight};
use finrail_spec::published::Published;
use serde_json::{Value, json};

use super::bundle::{ImportError, Imported};
use super::proposals::Proposal;
use crate::shell::{Shell, Tone};

/// More lines of one kind are counted and not written.
const MOST: usize = 20;

/// Why there is no client.
pub(super) fn refused(
    error: &ImportError,
    overlay_file: &Path,
    overlay: &Published,
    shell: &mut Shell<'_>,
) -> io::Result<()> {
    match error {
        ImportError::Overlay(faults) => {
            for fault in faults {
                let line = overlay
                    .line(&fault.pointer)
                    .map_or(String::new(), |line| format!(":{line}"));
                shell.header(
                    Tone::Bad,
                    "Refused",
                    &format!("{}{line}: {}", overlay_file.display(), fault.wrong),
                )?;
            }
        }
        ImportError::Problems(problems) => {
            for problem in problems {
                shell.header(Tone::Bad, "Missing", problem)?;
            }
        }
        other => shell.header(Tone::Bad, "Refused", &other.to_string())?,
    }
    Ok(())
}

/// What became of the document, for programs.
pub(super) fn as_value(imported: &Imported, published: &Published, proposals: &[Proposal]) -> Value {
    let line = |pointer: &str| published.line(pointer);
    let left_out: Vec<Value> = imported
        .left_out
        .iter()
        .map(|one| json!({ "operation": one.operation(), "pointer": one.pointer, "line": line(&one.pointer), "reasons": one.reasons }))
        .collect();
    let losses: Vec<Value> = imported
        .losses
        .iter()
        .map(|loss| {
            let costs_meaning = loss.weight == Weight::Meaning;
            json!({ "pointer": loss.pointer, "line": line(&loss.pointer), "what": loss.what, "costs_meaning": costs_meaning })
        })
        .collect();
    let renamed: Vec<Value> = imported
        .renamed
        .iter()
        .map(|one| json!({ "pointer": one.pointer, "from": one.from, "to": one.to }))
        .collect();
    let unread: Vec<Value> = imported
        .examples
        .unreadable
        .iter()
        .map(|one| json!({ "operation": one.operation, "status": one.status, "at": one.at, "schema": one.schema, "wrong": one.wrong }))
        .collect();
    let proposed: Vec<Value> = proposals
        .iter()
        .map(|one| json!({ "kind": one.kind, "target": one.target, "update": one.update, "why": one.why }))
        .collect();
    json!({
        "dialect": dialect(imported.dialect),
        "operations": imported.operations,
        "generated": imported.generated.iter().map(|(pointer, lost)| json!({ "pointer": pointer, "lost": lost })).collect::<Vec<_>>(),
        "left_out": left_out,
        "losses": losses,
        "renamed": renamed,
        "examples": { "all": imported.examples.all, "read": imported.examples.read(), "unread": unread },
        "proposals": proposed,
    })
}

fn dialect(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Swagger2 => "Swagger 2.0",
        Dialect::OpenApi30 => "OpenAPI 3.0",
        Dialect::OpenApi31 => "OpenAPI 3.1",
    }
}

/// What became of the document.
pub(super) fn told(imported: &Imported, published: &Published, file: &Path, shell: &mut Shell<'_>) -> io::Result<()> {
    let dialect = dialect(imported.dialect);
    let lossy = imported.generated.values().filter(|lost| !lost.is_empty()).count();
    let summary = format!(
        "{dialect}, {} operations: {} generated, {lossy} of them with something lost, {} left out",
        imported.operations,
        imported.generated.len(),
        imported.left_out.len()
    );
    let tone = if imported.left_out.is_empty() {
        Tone::Good
    } else {
        Tone::Warn
    };
    shell.header(tone, "Imported", &summary)?;
    let at = |pointer: &str| {
        let line = published.line(pointer).map_or(String::new(), |line| format!(":{line}"));
        format!("{}{line}", file.display())
    };
    for (n, one) in imported.left_out.iter().enumerate() {
        if n == MOST {
            shell.line(&format!("and {} more", imported.left_out.len() - MOST))?;
            break;
        }
        shell.header(
            Tone::Warn,
            "Left out",
            &format!("{}: {}", at(&one.pointer), one.operation()),
        )?;
        for reason in &one.reasons {
            shell.line(reason)?;
        }
    }
    // The same loss in many places is told once, with the first of them.
    let mut kinds: BTreeMap<(bool, &str), Vec<&str>> = BTreeMap::new();
    for loss in &imported.losses {
        let kind = (loss.weight == Weight::Rule, loss.what.as_str());
        kinds.entry(kind).or_default().push(&loss.pointer);
    }
    for (shown, ((is_rule, what), places)) in kinds.iter().enumerate() {
        if shown == MOST {
            shell.line(&format!("and {} more kinds", kinds.len() - MOST))?;
            break;
        }
        let more = match places.len() {
            1 => String::new(),
            all => format!(" (and {} more)", all - 1),
        };
        let header = if *is_rule { "Not said" } else { "Lost" };
        shell.header(Tone::Note, header, &format!("{}{more}: {what}", at(places[0])))?;
    }
    let examples = &imported.examples;
    if examples.all > 0 {
        let tone = if examples.unreadable.is_empty() {
            Tone::Good
        } else {
            Tone::Warn
        };
        let what = format!(
            "{} examples of replies: the client reads {} of them",
            examples.all,
            examples.read()
        );
        shell.header(tone, "Examples", &what)?;
    }
    // What many examples have in common stands in one schema.
    let mut by_schema: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for one in &examples.unreadable {
        let place = format!(
            "{} at {}",
            one.operation,
            if one.at.is_empty() { "the whole" } else { &one.at }
        );
        by_schema.entry((&one.schema, &one.wrong)).or_default().push(place);
    }
    for (n, ((_, wrong), places)) in by_schema.iter().enumerate() {
        if n == MOST {
            shell.line(&format!("and {} more", by_schema.len() - MOST))?;
            break;
        }
        let more = match places.len() {
            1 => String::new(),
            all => format!(" (and {} more)", all - 1),
        };
        shell.header(Tone::Warn, "Unread", &format!("{}{more}: {wrong}", places[0]))?;
    }
    if !imported.renamed.is_empty() {
        let first = &imported.renamed[0];
        shell.header(
            Tone::Note,
            "Renamed",
            &format!(
                "{} names, such as `{}` to `{}`",
                imported.renamed.len(),
                first.from,
                first.to
            ),
        )?;
    }
    Ok(())
}

/// What names and patterns suggest, for a person to decide.
pub(super) fn proposed(proposals: &[Proposal], shell: &mut Shell<'_>) -> io::Result<()> {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for proposal in proposals {
        *kinds.entry(proposal.kind).or_default() += 1;
    }
    for (kind, count) in kinds {
        shell.header(
            Tone::Note,
            "Proposed",
            &format!("{kind}: {count}, as comments in the overlay"),
        )?;
    }
    Ok(())
}
