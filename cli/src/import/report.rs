//! What an import tells: a table first, then what is left out and what is lost, each with its place in the document.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use finrail_spec::dialect::{Dialect, Weight};
use finrail_spec::json::Json;
use finrail_spec::published::Published;
use finrail_spec::readable::{Examples, Unreadable};
use serde_json::{Value, json};

use super::bundle::{ImportError, Imported};
use super::overlay;
use super::proposals::Proposal;
use super::readers::Readers;
use crate::shell::{Outcome, Shell, Tone};

/// More lines of one kind are counted and not written.
const MOST: usize = 20;

/// More places of one kind are counted and not written.
const PLACES: usize = 3;

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
pub(super) fn as_value(
    imported: &Imported,
    published: &Published,
    proposals: &[Proposal],
    readers: &Readers,
    told: Vec<Value>,
) -> Value {
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
    let unread = |examples: &Examples| -> Vec<Value> {
        let all = examples.unreadable.iter();
        all.map(|one| {
            let written = written(one);
            json!({
                "operation": one.operation, "status": one.status, "at": one.at, "schema": one.schema, "wrong": one.wrong,
                "pointer": written, "line": written.as_deref().and_then(line), "reader_is_proposed": readers.read(one),
            })
        })
        .collect()
    };
    let told_of =
        |examples: &Examples| json!({ "all": examples.all, "read": examples.read(), "unread": unread(examples) });
    let proposed: Vec<Value> = proposals
        .iter()
        .map(|one| json!({ "kind": one.kind, "target": one.target, "update": one.update, "why": one.why }))
        .collect();
    json!({
        "outcome": Outcome::Fresh.word(),
        "told": told,
        "dialect": dialect(imported.dialect),
        "operations": imported.operations,
        "generated": imported.generated.iter().map(|(pointer, lost)| json!({ "pointer": pointer, "lost": lost })).collect::<Vec<_>>(),
        "left_out": left_out,
        "losses": losses,
        "renamed": renamed,
        "examples": told_of(&imported.examples),
        "examples_of_schemas": told_of(&imported.examples_of_schemas),
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
pub(super) fn told(
    imported: &Imported,
    published: &Published,
    readers: &Readers,
    file: &Path,
    shell: &mut Shell<'_>,
) -> io::Result<()> {
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
            shell.line(&with_line(reason, &one.pointer, published))?;
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
    for (of, examples) in [
        ("replies", &imported.examples),
        ("schemas", &imported.examples_of_schemas),
    ] {
        if examples.all == 0 {
            continue;
        }
        let tone = if examples.unreadable.is_empty() {
            Tone::Good
        } else {
            Tone::Warn
        };
        let what = format!(
            "{} examples of {of}: the client reads {} of them",
            examples.all,
            examples.read()
        );
        shell.header(tone, "Examples", &what)?;
    }
    // What is wrong with many examples is told once, with the first place in each of the first schemas.
    let mut kinds: BTreeMap<(bool, &str), Unread<'_>> = BTreeMap::new();
    for one in imported.unreadable() {
        let unread = kinds.entry((readers.read(one), one.wrong.as_str())).or_default();
        unread.count += 1;
        unread
            .by_schema
            .entry(&one.schema)
            .or_insert_with(|| match written(one) {
                Some(pointer) => format!("{}: {pointer}", at(&pointer)),
                None => format!("{}: {} at {}", at(&one.operation), one.operation, one.at),
            });
    }
    for (n, ((is_read, wrong), unread)) in kinds.iter().enumerate() {
        if n == MOST {
            shell.line(&format!("and {} more kinds; `--json` has all", kinds.len() - MOST))?;
            break;
        }
        let proposed = if *is_read { "; what reads it is proposed" } else { "" };
        let mut places = unread.by_schema.values();
        let first = places.next().map_or("", String::as_str);
        let more = match unread.count {
            1 => String::new(),
            all => format!(" (and {} more)", all - 1),
        };
        shell.header(Tone::Warn, "Unread", &format!("{first}{more}: {wrong}{proposed}"))?;
        for place in places.by_ref().take(PLACES - 1) {
            shell.line(place)?;
        }
        match places.len() {
            0 => {}
            others => shell.line(&format!("and in {others} more schemas; `--json` has every example"))?,
        }
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

/// Examples with which the same is wrong.
#[derive(Default)]
struct Unread<'e> {
    count: usize,
    /// The first place in each schema.
    by_schema: BTreeMap<&'e str, String>,
}

/// A reason that names its place, with the line where that stands: in the operation, or elsewhere in the document.
fn with_line(reason: &str, operation: &str, published: &Published) -> String {
    let place = reason.strip_suffix(')').and_then(|reason| reason.rsplit_once(" (at /"));
    let Some((wrong, place)) = place else {
        return reason.to_owned();
    };
    let is_whole = ["paths/", "components/"].iter().any(|root| place.starts_with(root));
    let pointer = match is_whole {
        true => format!("/{place}"),
        false => format!("{operation}/{place}"),
    };
    match published.line(&pointer) {
        Some(line) => format!("{wrong} (at /{place}, line {line})"),
        None => reason.to_owned(),
    }
}

/// Where what cannot be read stands in the document, where that is known.
fn written(one: &Unreadable) -> Option<String> {
    one.written.as_ref().map(|example| format!("{example}{}", one.inside))
}

/// What names, patterns and examples suggest, for a person to decide.
pub(super) fn proposed(proposals: &[Proposal], overlay_text: &str, shell: &mut Shell<'_>) -> io::Result<()> {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let (there, new): (Vec<&Proposal>, Vec<&Proposal>) = proposals
        .iter()
        .partition(|one| overlay_text.contains(&overlay::action(one)));
    for proposal in there {
        *kinds.entry(proposal.kind).or_default() += 1;
    }
    for (kind, count) in kinds {
        shell.header(
            Tone::Note,
            "Proposed",
            &format!("{kind}: {count}, as comments in the overlay"),
        )?;
    }
    // What a person has looked through is not written to.
    for (n, proposal) in new.iter().enumerate() {
        if n == MOST {
            shell.line(&format!("and {} more", new.len() - MOST))?;
            break;
        }
        let what = format!(
            "for the overlay, which has it not: - {{ target: {}, update: {} }}",
            Json::str(proposal.target.as_str()),
            proposal.update
        );
        shell.header(Tone::Note, "Proposed", &what)?;
        shell.line(&proposal.why)?;
    }
    Ok(())
}
