//! One run of `drift --docs`: read, compare, record.

use std::io;

use super::{compare, reworded, still_claimed};
use crate::drift::facts::{Page, Recorded, digest};
use crate::drift::finding::{self, Coverage, Evidence, Report};
use crate::drift::spec::Spec;
use crate::drift::{Options, about, ago, dated, extract, fetch, page};
use crate::place::is_address;
use crate::shell::{Shell, Tone, quoted};
use crate::workspace::Workspace;

/// Compares a page with the specification and with what is recorded of it, and records it where that is asked.
///
/// # Errors
///
/// A page or files that cannot be read, and the writer's.
pub fn check(
    workspace: &Workspace,
    spec: &Spec,
    options: &Options,
    place: &str,
    named: Option<&str>,
    accept: bool,
    shell: &mut Shell<'_>,
) -> io::Result<Report> {
    let text = fetch(workspace, place)?;
    let read = page::read(&text);
    let lines = &read.lines;
    let reading = extract::read(&read);
    let path = Recorded::path(workspace, spec.id());
    let mut recorded = Recorded::read(workspace, spec.id())?;
    let known = named.or(is_address(place).then_some(place));
    let before = recorded.page(known).map_err(|why| about(place, &why))?.cloned();
    let evidence = Evidence {
        kind: "documentation",
        source: before
            .as_ref()
            .map_or_else(|| place.to_owned(), |page| page.source.clone()),
        date: dated(workspace, place, options),
        grade: "official",
    };
    let digest = format!("sha256:{}", digest(&lines.join("\n")));
    let mut findings = compare(spec, before.as_ref(), &reading.facts, &evidence);
    if let Some(before) = before
        .as_ref()
        .filter(|page| findings.is_empty() && page.digest != digest)
    {
        findings.push(spec.finding(reworded(&before.source, &digest), &evidence));
    }
    if accept {
        let source = known
            .map(str::to_owned)
            .or_else(|| before.as_ref().map(|page| page.source.clone()));
        let source = source.ok_or_else(|| io::Error::other("--accept needs the page's address: add --page URL"))?;
        if reading.facts.is_empty() {
            return Err(about(
                place,
                "the page has no facts: it is not the page, or cannot be read, and is not recorded",
            ));
        }
        let mut facts = reading.facts.clone();
        // What is claimed still, and not said any more, is told until somebody follows it or gives a reason.
        if let Some(before) = &before {
            facts.extend(still_claimed(spec, before, &reading.facts));
        }
        let accepted = Page {
            source: source.clone(),
            read: options.today.clone(),
            digest,
            facts,
            unread: reading.unread.clone(),
            waived: before.as_ref().map(|page| page.waived.clone()).unwrap_or_default(),
        };
        recorded.pages.retain(|page| page.source != source);
        recorded.pages.push(accepted);
        recorded.pages.sort_by(|a, b| a.source.cmp(&b.source));
        let mut text = serde_json::to_string_pretty(&recorded).map_err(io::Error::other)?;
        text.push('\n');
        workspace.write(&path, &text)?;
        findings.retain(|finding| !finding::RECORDED.contains(&finding.rule));
        if !options.json {
            shell.header(Tone::Good, "Recorded", &path.display().to_string())?;
        }
    }
    let mut lines = Vec::new();
    let waived = before.as_ref().map_or(0, |page| page.waived.len());
    lines.push(format!(
        "{} facts on the page, {waived} waivers with reasons",
        reading.facts.len()
    ));
    match &before {
        Some(page) => lines.push(format!("recorded {}, {}", ago(&page.read, &options.today), page.source)),
        None => lines.push("nothing is recorded of this page yet".to_owned()),
    }
    let unused = before
        .as_ref()
        .map(|page| page.unused_waivers(&reading.facts))
        .unwrap_or_default();
    // What was unread the last time is known.
    let unread = match &before {
        Some(page) => reading
            .unread
            .iter()
            .filter(|line| !page.unread.contains(line))
            .cloned()
            .collect(),
        None => reading.unread,
    };
    let id = spec.id();
    let asked = named
        .map(|page| format!(" --page {}", quoted(page)))
        .unwrap_or_default();
    let command = workspace.command();
    let record = format!("{command} drift {id} --docs {}{asked} --accept", quoted(place));
    let next = if findings.iter().all(|finding| finding::RECORDED.contains(&finding.rule)) {
        format!("see that it means the same, then run: {record}")
    } else {
        let file = workspace.edited(id);
        format!(
            "follow the page in {} and run: {command} regen && {record}",
            file.display()
        )
    };
    Ok(Report {
        provider: id.to_owned(),
        findings,
        coverage: Coverage { lines },
        unread,
        unused,
        next,
    })
}
