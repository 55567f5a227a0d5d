//! `drift --all`: every provider against what stands today at the addresses that are named for it.

use std::io;
use std::time::Instant;

use finrail_spec::meant::did_you_mean;

use super::finding::{Class, Coverage, Evidence, Finding, Report, fingerprint};
use super::sources::Sources;
use super::{Options, compared};
use crate::shell::{Outcome, Shell, Tone};
use crate::workspace::Workspace;

/// What is asked of a run.
#[derive(Clone, Debug)]
pub struct All {
    /// The provider; none: all of them.
    pub provider: Option<String>,
    /// JSON instead of text.
    pub json: bool,
    /// The day, `YYYY-MM-DD`.
    pub today: String,
}

/// What is told of evidence of which nothing was read.
const UNREAD: [&str; 5] = [
    "document-covers-nothing",
    "document-unread",
    "metadata-unread",
    "not-the-page",
    "page-without-facts",
];

/// Compares, and says what differs. What cannot be read is told, and the others are compared.
///
/// # Errors
///
/// Addresses that are not in their form, and the writer's.
pub fn run(workspace: &Workspace, all: &All, shell: &mut Shell<'_>) -> io::Result<Outcome> {
    let started = Instant::now();
    let sources = Sources::read(workspace)?;
    let known = workspace.providers()?;
    let providers = match &all.provider {
        None => known,
        Some(provider) if known.contains(provider) => vec![provider.clone()],
        Some(provider) => {
            let meant = did_you_mean(provider, known.iter().map(String::as_str));
            return Err(io::Error::other(format!(
                "there is no specification of `{provider}`{meant}"
            )));
        }
    };
    let mut outcome = Outcome::Fresh;
    let mut reports = Vec::new();
    let (mut addresses, mut unread, mut lost) = (0, 0, 0);
    for provider in &providers {
        let evidence = sources.of(workspace, provider)?;
        addresses += evidence.len();
        if evidence.is_empty() {
            let report = nowhere(workspace, provider, all);
            outcome = outcome.max(report.outcome());
            tell(&report, "", all, shell)?;
            reports.push(report);
        }
        for source in evidence {
            let place = source.place().to_owned();
            let kind = source.kind();
            let options = Options {
                provider: provider.clone(),
                evidence: source,
                json: all.json,
                today: all.today.clone(),
            };
            let report = match compared(workspace, &options, shell) {
                Ok(report) => {
                    unread += usize::from(report.findings.iter().any(|finding| UNREAD.contains(&finding.rule)));
                    report
                }
                Err(why) => {
                    unread += 1;
                    lost += 1;
                    not_read(provider, kind, &place, &why, all)
                }
            };
            outcome = outcome.max(report.outcome());
            tell(&report, &format!("{provider}: {kind} {place}"), all, shell)?;
            reports.push(report);
        }
    }
    if all.json {
        let text = serde_json::to_string_pretty(&reports).map_err(io::Error::other)?;
        shell.raw(&format!("{text}\n"))?;
        return Ok(outcome);
    }
    let read = addresses - unread;
    let spent = started.elapsed().as_secs_f64();
    let count = providers.len();
    shell.header(
        Tone::Note,
        "Covered",
        &format!("{count} providers; {read} of {addresses} addresses were read"),
    )?;
    if lost == addresses && addresses > 0 {
        shell.header(
            Tone::Bad,
            "Offline",
            "no address could be read: see whether there is a network",
        )?;
    }
    shell.header(
        Tone::Good,
        "Finished",
        &format!("drift of {count} providers in {spent:.2}s"),
    )?;
    Ok(outcome)
}

fn tell(report: &Report, heading: &str, all: &All, shell: &mut Shell<'_>) -> io::Result<()> {
    if all.json {
        return Ok(());
    }
    if !heading.is_empty() {
        shell.header(Tone::Note, "Evidence", heading)?;
    }
    report.say(shell)?;
    if !report.next.is_empty() {
        shell.raw(&format!("{}\n", report.next))?;
    }
    Ok(())
}

/// The report of evidence that could not be read: nobody knows whether anything has drifted.
fn not_read(provider: &str, kind: &'static str, place: &str, why: &io::Error, all: &All) -> Report {
    let what = format!("what stands at {place} was not read");
    let effect = format!("nothing was compared with it: {why}");
    let fix = "see whether there is a network, and whether the address is still the right one";
    unhandled(
        provider,
        ("evidence-unread", kind, place),
        what,
        effect,
        fix.to_owned(),
        all,
    )
}

/// The report of a provider for which no address is named.
fn nowhere(workspace: &Workspace, provider: &str, all: &All) -> Report {
    let file = Sources::path(workspace);
    unhandled(
        provider,
        ("evidence-unnamed", "address", "sources"),
        "no address is named for this provider".to_owned(),
        "nothing was compared".to_owned(),
        format!("name its pages under `[{provider}]` in {}", file.display()),
        all,
    )
}

fn unhandled(
    provider: &str,
    (rule, kind, subject): (&'static str, &'static str, &str),
    what: String,
    effect: String,
    fix: String,
    all: &All,
) -> Report {
    let finding = Finding {
        rule,
        class: Class::Unhandled,
        fingerprint: fingerprint(provider, rule, "", subject, &what),
        provider: provider.to_owned(),
        operation: None,
        subject: subject.to_owned(),
        what,
        effect,
        location: None,
        fix,
        evidence: Evidence {
            kind,
            source: subject.to_owned(),
            date: all.today.clone(),
            grade: "official",
        },
        accepted: None,
    };
    Report {
        provider: provider.to_owned(),
        findings: vec![finding],
        coverage: Coverage {
            lines: vec!["nothing was read".to_owned()],
        },
        unread: Vec::new(),
        new: Vec::new(),
        unused: Vec::new(),
        next: String::new(),
    }
}
