//! `drift`: a specification against the evidence of what the provider does now.

pub mod address;
pub mod all;
pub mod canary;
pub mod docs;
pub mod extract;
pub mod facts;
pub mod finding;
pub mod har;
pub mod metadata;
pub mod openapi;
pub mod page;
pub mod sources;
pub mod spec;

use std::io;
use std::path::Path;
use std::time::Instant;

use finrail_spec::yaml::Position;
use serde_json::Value;

use crate::import;
use crate::place::{found, is_address};
use crate::shell::{Outcome, Shell, Tone, quoted};
use crate::workspace::{self, Workspace};
use facts::{Page, Recorded, digest};
use finding::{Accepted, Coverage, Evidence, Report};
use spec::Spec;

/// What is asked of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The provider.
    pub provider: String,
    /// What it is compared with.
    pub evidence: Source,
    /// JSON instead of text.
    pub json: bool,
    /// The day, `YYYY-MM-DD`.
    pub today: String,
}

/// The evidence.
#[derive(Clone, Debug)]
pub enum Source {
    /// A documentation page.
    Docs {
        /// File or address.
        place: String,
        /// The recorded page of which this is a newer reading, by its address.
        page: Option<String>,
        /// Record what it says.
        accept: bool,
    },
    /// A published OpenAPI document, JSON or YAML.
    Openapi(String),
    /// RFC 8414 or OpenID Connect metadata.
    Metadata(String),
    /// A log of what running clients met.
    Canary(String),
    /// Recorded traffic.
    Har {
        /// The recording.
        place: String,
        /// Where a copy without secrets is written.
        scrub: Option<String>,
    },
}

/// Compares, and says what differs.
///
/// # Errors
///
/// Evidence or files that cannot be read, and the writer's.
pub fn run(workspace: &Workspace, options: &Options, shell: &mut Shell<'_>) -> io::Result<Outcome> {
    let started = Instant::now();
    let report = compared(workspace, options, shell)?;
    let outcome = report.outcome();
    if options.json {
        let mut text = serde_json::to_string_pretty(&report).map_err(io::Error::other)?;
        text.push('\n');
        shell.raw(&text)?;
        return Ok(outcome);
    }
    report.say(shell)?;
    let spent = started.elapsed().as_secs_f64();
    shell.header(
        Tone::Good,
        "Finished",
        &format!("drift of {} in {spent:.2}s", options.provider),
    )?;
    if !report.next.is_empty() {
        shell.raw(&report.next)?;
    }
    Ok(outcome)
}

/// Compares, and says nothing yet but what it wrote.
fn compared(workspace: &Workspace, options: &Options, shell: &mut Shell<'_>) -> io::Result<Report> {
    let spec = Spec::read(workspace, &options.provider)?;
    let mut report = match &options.evidence {
        Source::Docs { place, page, accept } => {
            documentation(workspace, &spec, options, place, page.as_deref(), *accept, shell)?
        }
        Source::Openapi(place) => {
            let source = workspace.source(&options.provider);
            let document = match &source {
                workspace::Source::Written(_) => structured(place, &fetch(workspace, place)?)?,
                // The way that the specification came: what is mechanical is the same on both sides.
                workspace::Source::Imported(folder) => {
                    let bytes = crate::place::fetch(workspace.root(), place)?;
                    let bundle = import::newer(workspace.root(), folder, &options.provider, place, &bytes)?;
                    structured(place, &bundle)?
                }
            };
            let evidence = evidence("openapi", place, dated(workspace, place, options), "official");
            let (mut findings, coverage) =
                openapi::compare(&spec, &document, &evidence).map_err(|why| about(place, &why))?;
            let with = format!("--openapi {}", quoted(place));
            if let workspace::Source::Written(_) = source {
                report(workspace, &spec, findings, coverage, &with)
            } else {
                let (command, id) = (workspace.command(), spec.id());
                for finding in &mut findings {
                    "see whether your program minds, and import the newer document".clone_into(&mut finding.fix);
                }
                Report {
                    next: format!(
                        "take it with: {command} import {} --id {id} --again && {command} regen",
                        quoted(place)
                    ),
                    ..report(workspace, &spec, findings, coverage, &with)
                }
            }
        }
        Source::Metadata(place) => {
            let document = fetch(workspace, place)?;
            let evidence = evidence("metadata", place, dated(workspace, place, options), "official");
            let (findings, coverage) = metadata::compare(&spec, &document, &evidence);
            report(
                workspace,
                &spec,
                findings,
                coverage,
                &format!("--metadata {}", quoted(place)),
            )
        }
        Source::Canary(place) => {
            let log = fetch(workspace, place)?;
            let evidence = evidence("canary", place, dated(workspace, place, options), "observed");
            let (findings, coverage) = canary::compare(&spec, &log, &evidence);
            report(
                workspace,
                &spec,
                findings,
                coverage,
                &format!("--canary {}", quoted(place)),
            )
        }
        Source::Har { place, scrub } => {
            let recording = structured(place, &har::whole_letters(&fetch(workspace, place)?))?;
            let date = har::newest(&recording).unwrap_or_else(|| dated(workspace, place, options));
            let evidence = evidence("traffic", place, date, "observed");
            let (findings, coverage) = har::compare(&spec, &recording, &evidence).map_err(|why| about(place, &why))?;
            if let Some(copy) = scrub {
                write_copy(
                    &found(workspace.root(), place),
                    copy,
                    &har::scrub(&spec, &recording, workspace.command()),
                )?;
                if !options.json {
                    shell.header(
                        Tone::Good,
                        "Scrubbed",
                        &format!("{copy}: look through it before it is shared"),
                    )?;
                }
            }
            report(
                workspace,
                &spec,
                findings,
                coverage,
                &format!("--har {}", quoted(place)),
            )
        }
    };
    let kind = options.evidence.kind();
    let unused = Accepted::read(workspace)?.apply(spec.id(), kind, &mut report.findings);
    report.unused.extend(unused);
    if report.outcome() == Outcome::Fresh {
        report.next = String::new();
    }
    Ok(report)
}

impl Source {
    /// The word in reports and acceptances.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Docs { .. } => "documentation",
            Self::Openapi(_) => "openapi",
            Self::Metadata(_) => "metadata",
            Self::Canary(_) => "canary",
            Self::Har { .. } => "traffic",
        }
    }

    /// The file or the address.
    #[must_use]
    pub fn place(&self) -> &str {
        match self {
            Self::Docs { place, .. } | Self::Har { place, .. } => place,
            Self::Openapi(place) | Self::Metadata(place) | Self::Canary(place) => place,
        }
    }
}

fn evidence(kind: &'static str, place: &str, date: String, grade: &'static str) -> Evidence {
    Evidence {
        kind,
        source: place.to_owned(),
        date,
        grade,
    }
}

fn about(place: &str, why: &str) -> io::Error {
    io::Error::other(format!("{place}: {why}"))
}

/// The day that evidence is of: a file's last change, and today for what is fetched now.
fn dated(workspace: &Workspace, place: &str, options: &Options) -> String {
    let changed = || {
        if is_address(place) {
            return None;
        }
        let changed = std::fs::metadata(found(workspace.root(), place))
            .ok()?
            .modified()
            .ok()?;
        Some(day(changed.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs()))
    };
    changed().unwrap_or_else(|| options.today.clone())
}

/// Writes a copy of a recording, where the caller stands, and never over the recording.
fn write_copy(recording: &Path, copy: &str, clean: &Value) -> io::Result<()> {
    let same = |one: &Path, other: &Path| match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    };
    if same(recording, Path::new(copy)) {
        return Err(about(copy, "the copy would overwrite the recording: give another name"));
    }
    let mut text = serde_json::to_string_pretty(clean).map_err(io::Error::other)?;
    text.push('\n');
    std::fs::write(copy, text).map_err(|error| io::Error::new(error.kind(), format!("{copy}: {error}")))
}

fn report(
    workspace: &Workspace,
    spec: &Spec,
    findings: Vec<finding::Finding>,
    coverage: Coverage,
    with: &str,
) -> Report {
    let command = workspace.command();
    Report {
        provider: spec.id().to_owned(),
        findings,
        coverage,
        unread: Vec::new(),
        unused: Vec::new(),
        next: format!(
            "follow it in {} and run: {command} regen && {command} drift {} {with}",
            workspace.edited(spec.id()).display(),
            spec.id()
        ),
    }
}

/// JSON, or YAML, whatever the file is called.
fn structured(place: &str, text: &str) -> io::Result<Value> {
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(json) if text.trim_start().starts_with('{') => Err(io::Error::other(format!("{place}: {json}"))),
        Err(_) => finrail_spec::yaml::parse(text)
            .map(|(value, _)| value)
            .map_err(|error| {
                let Position { line, column } = error.position;
                io::Error::other(format!("{place}:{line}:{column}: {error}"))
            }),
    }
}

fn documentation(
    workspace: &Workspace,
    spec: &Spec,
    options: &Options,
    place: &str,
    page: Option<&str>,
    accept: bool,
    shell: &mut Shell<'_>,
) -> io::Result<Report> {
    let text = fetch(workspace, place)?;
    let lines = page::lines(&text);
    let reading = extract::read(&lines);
    let path = Recorded::path(workspace, spec.id());
    let mut recorded = Recorded::read(workspace, spec.id())?;
    let known = page.or(is_address(place).then_some(place));
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
    let mut findings = docs::compare(spec, before.as_ref(), &reading.facts, &evidence);
    if let Some(before) = before
        .as_ref()
        .filter(|page| findings.is_empty() && page.digest != digest)
    {
        findings.push(spec.finding(docs::reworded(&before.source, &digest), &evidence));
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
            facts.extend(docs::still_claimed(spec, before, &reading.facts));
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
    let named = page.map(|page| format!(" --page {}", quoted(page))).unwrap_or_default();
    let command = workspace.command();
    let record = format!("{command} drift {id} --docs {}{named} --accept", quoted(place));
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

/// The text at a path or an address.
fn fetch(workspace: &Workspace, place: &str) -> io::Result<String> {
    Ok(text_of(&crate::place::fetch(workspace.root(), place)?))
}

/// A file in UTF-8, or in UTF-16 where its first bytes say so, without the mark of its byte order.
fn text_of(bytes: &[u8]) -> String {
    let wide = |bytes: &[u8], pair: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|it| pair(*it)).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// A day as `YYYY-MM-DD`, from the seconds since 1970 (the civil calendar, in UTC).
#[must_use]
pub fn day(seconds: u64) -> String {
    // Howard Hinnant's `civil_from_days`, for days that are not before 1970.
    let days = seconds / 86_400 + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A day in words, seen from another: `on 2026-11-21, 3 days ago`.
fn ago(then: &str, today: &str) -> String {
    match (number_of(then), number_of(today)) {
        (Some(then_number), Some(today)) if today > then_number => {
            let days = today - then_number;
            let plural = if days == 1 { "day" } else { "days" };
            format!("on {then}, {days} {plural} ago")
        }
        _ => format!("on {then}"),
    }
}

/// The number of a day since 1970, the inverse of [`day`].
fn number_of(date: &str) -> Option<u64> {
    let mut parts = date.split('-').map(str::parse::<u64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let era = year / 400;
    let of_era = year % 400;
    let of_year = (153 * (if month > 2 { month.checked_sub(3)? } else { month + 9 }) + 2) / 5 + day.checked_sub(1)?;
    (era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    #[test]
    fn age_is_told_in_days() {
        assert_eq!(super::ago("2026-11-21", "2026-11-21"), "on 2026-11-21");
        assert_eq!(super::ago("2026-11-21", "2026-11-22"), "on 2026-11-21, 1 day ago");
        assert_eq!(super::ago("2024-02-28", "2024-03-01"), "on 2024-02-28, 2 days ago");
        assert_eq!(super::ago("2025-11-21", "2026-11-21"), "on 2025-11-21, 365 days ago");
    }

    #[test]
    fn a_mark_of_byte_order_is_no_part_of_a_text() {
        for bytes in [
            b"{}".as_slice(),
            b"\xef\xbb\xbf{}",
            b"\xff\xfe{\0}\0",
            b"\xfe\xff\0{\0}",
        ] {
            assert_eq!(super::text_of(bytes), "{}", "{bytes:?}");
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_735_689_599, "2024-12-31"),
            (1_795_219_200, "2026-11-21"),
        ] {
            assert_eq!(super::day(seconds), day);
        }
    }
}
