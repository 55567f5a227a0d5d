//! `drift`: a specification against the evidence of what the provider does now.

pub mod address;
mod ago;
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

use crate::place::{found, is_address};
use crate::shell::{Outcome, Shell, Tone, quoted};
use crate::workspace::Workspace;
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
    Openapi {
        /// File or address.
        place: String,
        /// It describes everything that there is: what it lacks is withdrawn.
        complete: bool,
    },
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
            let asked = docs::Asked {
                place,
                named: page.as_deref(),
                text: &fetch(workspace, place)?,
                date: dated(workspace, place, options),
                today: &options.today,
                accept: *accept,
                json: options.json,
            };
            docs::check(workspace, &spec, &asked, shell)?
        }
        Source::Openapi { place, complete } => {
            let evidence = evidence("openapi", place, dated(workspace, place, options), "official");
            let told = openapi::told(workspace, &spec, place, *complete, &evidence)?;
            let with = format!(
                "--openapi {}{}",
                quoted(place),
                if *complete { " --complete" } else { "" }
            );
            let mut report = report(workspace, &spec, told.findings, told.coverage, &with);
            if let Some(next) = told.next {
                report.next = next;
            }
            report
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
            Self::Openapi { .. } => "openapi",
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
            Self::Openapi { place, .. } | Self::Metadata(place) | Self::Canary(place) => place,
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
        new: Vec::new(),
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

#[cfg(test)]
mod tests {
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
