//! One run of `drift --docs`: read, compare, record.

use std::collections::BTreeMap;
use std::io;

use super::since::{kept, read_otherwise, reworded, same_places, still_claimed};
use super::words::{self, Words};
use super::{compare, doubt, said};
use crate::drift::ago::ago;
use crate::drift::extract::{self, Reading};
use crate::drift::facts::{Fact, Facts, Kind, Page, Recorded, digest};
use crate::drift::finding::{self, Accepted, Coverage, Evidence, Finding, Report};
use crate::drift::page::{self, Text};
use crate::drift::spec::Spec;
use crate::place::is_address;
use crate::shell::{Shell, Tone, quoted};
use crate::workspace::Workspace;

/// A page that is to be compared.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// File or address.
    pub place: &'a str,
    /// The address of the recorded page that it is a newer reading of.
    pub named: Option<&'a str>,
    /// What stands there.
    pub text: &'a str,
    /// The day it is of.
    pub date: String,
    /// The day.
    pub today: &'a str,
    /// Record what it says.
    pub accept: bool,
    /// Whether a report for programs is written, and nothing else may be.
    pub json: bool,
}

/// A page as it is now, beside what is recorded of it.
struct Run<'r> {
    workspace: &'r Workspace,
    spec: &'r Spec,
    asked: &'r Asked<'r>,
    /// The address that was asked for, or where it was read.
    known: Option<&'r str>,
    recorded: Recorded,
    before: Option<Page>,
    page: Text,
    reading: Reading,
    digest: String,
    evidence: Evidence,
}

/// Compares a page with the specification and with what is recorded of it, and records it where that is asked.
///
/// # Errors
///
/// A page or files that cannot be read, and the writer's.
pub fn check(workspace: &Workspace, spec: &Spec, asked: &Asked<'_>, shell: &mut Shell<'_>) -> io::Result<Report> {
    let (place, named) = (asked.place, asked.named);
    let page = page::read(asked.text);
    let recorded = Recorded::read(workspace, spec.id())?;
    let known = named.or(is_address(place).then_some(place));
    let before = recorded.page(known).map_err(|why| about(place, &why))?.cloned();
    let evidence = Evidence {
        kind: "documentation",
        source: before
            .as_ref()
            .map_or_else(|| known.unwrap_or(place).to_owned(), |page| page.source.clone()),
        date: asked.date.clone(),
        grade: "official",
    };
    let run = Run {
        reading: extract::read(&page),
        digest: format!("sha256:{}", digest(&page.lines.join("\n"))),
        workspace,
        spec,
        asked,
        known,
        recorded,
        before,
        page,
        evidence,
    };
    run.check_waivers()?;
    let (mut findings, words) = run.findings()?;
    if asked.accept {
        run.record(shell)?;
        findings.retain(|finding| !finding::RECORDED.contains(&finding.rule));
    }
    Ok(run.report(findings, words, named))
}

impl Run<'_> {
    /// A waiver that names an operation names one that is there.
    fn check_waivers(&self) -> io::Result<()> {
        let waived = self.before.iter().flat_map(|page| &page.waived);
        let mut meant = waived.filter_map(|(fact, waiver)| Some((fact, waiver.operation()?)));
        match meant.find(|(_, id)| self.spec.operation(id).is_none()) {
            Some((fact, id)) => Err(about(
                &Recorded::path(self.workspace, self.spec.id()).display().to_string(),
                &format!("`{fact}` is waived as the operation `{id}`, which the specification does not have"),
            )),
            None => Ok(()),
        }
    }

    /// Why this is not the page, where it is not.
    fn doubt(&self) -> Option<String> {
        let now = &self.reading.facts;
        let kept = self.before.as_ref().map_or(0, |before| kept(self.spec, before, now));
        let placed = self.before.as_ref().is_none_or(|before| same_places(before, now));
        doubt::not_the_page(&self.page, &self.reading, self.before.as_ref(), kept, placed)
    }

    fn findings(&self) -> io::Result<(Vec<Finding>, Words)> {
        let finding = |issue| self.spec.finding(issue, &self.evidence);
        let source = &self.evidence.source;
        if self.reading.facts.is_empty() {
            return Ok((
                vec![finding(said::empty(source, doubt::sign(&self.page)))],
                Words::default(),
            ));
        }
        if let Some(why) = self.doubt() {
            return Ok((vec![finding(said::not_the_page(source, &why))], Words::default()));
        }
        let now = &self.reading.facts;
        let mut findings = compare(self.spec, self.before.as_ref(), now, &self.evidence);
        let Some(before) = &self.before else {
            findings.push(finding(said::not_recorded(source, &self.recorded)));
            return Ok((findings, Words::default()));
        };
        let unread = self.newly_unread();
        if !unread.is_empty() {
            findings.push(finding(said::unread(source, &unread)));
        }
        let moved = before.digest != self.digest;
        let words = words::compare(&before.lines, &before.order, &self.reading);
        let without_lines = before.lines.is_empty();
        if without_lines && moved {
            findings.push(finding(said::without_lines(source)));
        } else if !without_lines {
            // A line of which a fact was read and told is told.
            let subjects: Vec<&String> = findings.iter().map(|finding| &finding.subject).collect();
            let told = |line: &&String| subjects.iter().any(|subject| line.contains(subject.as_str()));
            let named = words.named.iter().filter(|line| !told(line)).cloned();
            let lines: Vec<String> = words.demands.iter().cloned().chain(named).collect();
            findings.extend(said::demands(source, &lines).into_iter().map(finding));
            let with_facts = words.moved.iter().filter(|(_, with_facts)| *with_facts);
            findings.extend(with_facts.map(|(section, _)| finding(said::moved(source, section))));
        }
        // What was looked at and accepted hides nothing else.
        Accepted::read(self.workspace)?.apply(self.spec.id(), self.evidence.kind, &mut findings);
        if findings.iter().all(|finding| finding.accepted.is_some()) {
            let accepted: Vec<&str> = findings.iter().map(|finding| finding.subject.as_str()).collect();
            let (then, now) = self.other_facts(before, &accepted);
            let new = words
                .new
                .iter()
                .filter(|line| !accepted.iter().any(|subject| line.contains(subject)));
            let new = new.count();
            if then != now {
                findings.push(finding(read_otherwise(source, &self.digest, &then, &now)));
            } else if !without_lines && (new > 0 || words.gone > 0 || !words.moved.is_empty()) {
                findings.push(finding(reworded(source, &self.digest, new, words.gone)));
            }
        }
        let words = if without_lines { Words::default() } else { words };
        Ok((findings, words))
    }

    /// The facts of then and of now, without those that are told or were accepted.
    fn other_facts(&self, before: &Page, accepted: &[&str]) -> (Facts, Facts) {
        let claimed = still_claimed(self.spec, before, &self.reading.facts);
        let same_text = before.digest == self.digest;
        let of = |facts: &Facts, kept: &dyn Fn(&Fact) -> bool| -> Facts {
            let facts = facts
                .iter()
                .filter(|(fact, _)| kept(fact) && !accepted.contains(&fact.name.as_str()));
            facts.map(|(fact, says)| (fact.clone(), says.clone())).collect()
        };
        // What the same text did not say when it was recorded was kept because it was claimed then.
        let kept = |fact: &Fact| !claimed.contains_key(fact) && (!same_text || self.reading.facts.contains_key(fact));
        // A record of before there was an order knows no separators.
        let known = |fact: &Fact| fact.kind != Kind::Separator || !before.order.is_empty();
        (of(&before.facts, &kept), of(&self.reading.facts, &known))
    }

    /// What could not be read and was not among what could not be read the last time, wherever it stands.
    fn newly_unread(&self) -> Vec<String> {
        let Some(before) = &self.before else {
            return self.reading.unread.clone();
        };
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        for line in &before.unread {
            *known.entry(without_number(line)).or_default() += 1;
        }
        let new = self.reading.unread.iter().filter(|line| {
            let left = known.entry(without_number(line)).or_default();
            let new = *left == 0;
            *left = left.saturating_sub(1);
            new
        });
        new.cloned().collect()
    }

    fn record(&self, shell: &mut Shell<'_>) -> io::Result<()> {
        let before = self.before.as_ref();
        let source = before.map(|page| page.source.as_str()).or(self.known);
        let source = source.ok_or_else(|| io::Error::other("--accept needs the page's address: add --page URL"))?;
        if self.reading.facts.is_empty() {
            return Err(about(
                self.asked.place,
                "the page has no facts: it is not the page, or cannot be read, and is not recorded",
            ));
        }
        let path = Recorded::path(self.workspace, self.spec.id());
        if let Some(why) = self.doubt() {
            return Err(about(
                self.asked.place,
                &format!(
                    "this is not the page, and is not recorded: {why}; where it is the page, remove its record from {} first",
                    path.display()
                ),
            ));
        }
        let mut facts = self.reading.facts.clone();
        // What is claimed still, and not said any more, is told until somebody follows it or gives a reason.
        if let Some(before) = before {
            facts.extend(still_claimed(self.spec, before, &self.reading.facts));
        }
        let accepted = Page {
            source: source.to_owned(),
            read: self.asked.today.to_owned(),
            digest: self.digest.clone(),
            lines: words::fingerprints(&self.reading),
            order: words::order(&self.reading),
            facts,
            unread: self.reading.unread.clone(),
            waived: before.map(|page| page.waived.clone()).unwrap_or_default(),
        };
        let mut recorded = self.recorded.clone();
        recorded.pages.retain(|page| page.source != source);
        recorded.pages.push(accepted);
        recorded.pages.sort_by(|a, b| a.source.cmp(&b.source));
        let mut text = serde_json::to_string_pretty(&recorded).map_err(io::Error::other)?;
        text.push('\n');
        self.workspace.write(&path, &text)?;
        if !self.asked.json {
            shell.header(Tone::Good, "Recorded", &path.display().to_string())?;
        }
        Ok(())
    }

    fn report(&self, findings: Vec<Finding>, words: Words, named: Option<&str>) -> Report {
        let (id, before) = (self.spec.id(), self.before.as_ref());
        let waived = before.map_or(0, |page| page.waived.len());
        let facts = &self.reading.facts;
        let recorded = match before {
            Some(page) => format!("recorded {}, {}", ago(&page.read, self.asked.today), page.source),
            None => "nothing is recorded of this page yet".to_owned(),
        };
        let lines = vec![
            format!("{} facts on the page, {waived} waivers with reasons", facts.len()),
            recorded,
        ];
        let asked = named
            .map(|page| format!(" --page {}", quoted(page)))
            .unwrap_or_default();
        let command = self.workspace.command();
        let record = format!(
            "{command} drift {id} --docs {}{asked} --accept",
            quoted(self.asked.place)
        );
        let next = if findings.iter().all(|finding| finding::RECORDED.contains(&finding.rule)) {
            format!("see that it means the same, then run: {record}")
        } else {
            let file = self.workspace.edited(id);
            format!(
                "follow the page in {} and run: {command} regen && {record}",
                file.display()
            )
        };
        Report {
            provider: id.to_owned(),
            findings,
            coverage: Coverage { lines },
            unread: self.newly_unread(),
            new: words.new,
            unused: before.map(|page| page.unused_waivers(facts)).unwrap_or_default(),
            next,
        }
    }
}

/// `line 7: a row of a table` without the place, which moves with every line above it.
fn without_number(line: &str) -> &str {
    match line.split_once(": ") {
        Some((place, what)) if place.starts_with("line ") => what,
        _ => line,
    }
}

fn about(place: &str, why: &str) -> io::Error {
    io::Error::other(format!("{place}: {why}"))
}
