//! What drift finds, classed by what it does to the client that users have compiled.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::facts::digest;
use crate::shell::{Outcome, Shell, Tone};
use crate::workspace::Workspace;

/// What a difference does to the compiled client. The order is that of severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Nothing but words.
    DocsOnly,
    /// Something can be had that the client does not offer yet.
    Additive,
    /// Seen, and not understood by this tool: a person must look.
    Unhandled,
    /// Following it changes names or types that users have written down.
    SourceBreaking,
    /// Calls that worked fail, or replies that were read are not.
    WireBreaking,
}

impl Class {
    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::DocsOnly => "docs-only",
            Self::Additive => "additive",
            Self::Unhandled => "unhandled",
            Self::SourceBreaking => "source-breaking",
            Self::WireBreaking => "wire-breaking",
        }
    }

    fn header(self) -> (Tone, &'static str) {
        match self {
            Self::DocsOnly => (Tone::Good, "Docs-only"),
            Self::Additive => (Tone::Note, "Additive"),
            Self::Unhandled => (Tone::Warn, "Unhandled"),
            Self::SourceBreaking => (Tone::Bad, "Source"),
            Self::WireBreaking => (Tone::Bad, "Wire"),
        }
    }
}

/// Where a finding comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// `documentation`, `openapi`, `metadata`, `traffic` or `canary`.
    pub kind: &'static str,
    /// File or address.
    pub source: String,
    /// The day it is of: of the newest exchange, of the file, or of the fetch.
    pub date: String,
    /// How far it is to be trusted: `official` or `observed`.
    pub grade: &'static str,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable name of the rule, in kebab-case.
    pub rule: &'static str,
    /// What it does to the compiled client.
    pub class: Class,
    /// Twelve hexadecimal digits that stay as long as the finding does.
    pub fingerprint: String,
    /// The provider.
    pub provider: String,
    /// The operation, where it concerns one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// What it is about: a name, a JSON path.
    pub subject: String,
    /// What differs.
    pub what: String,
    /// Why it has its class.
    pub effect: String,
    /// File and line of the specification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// What to do.
    pub fix: String,
    /// Where it was seen.
    pub evidence: Evidence,
    /// The reason for which it was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
}

/// The parts of a finding that its fingerprint is made of.
#[must_use]
pub fn fingerprint(provider: &str, rule: &str, operation: &str, subject: &str, what: &str) -> String {
    let mut digest = digest(&[provider, rule, operation, subject, what].join("\u{1f}"));
    digest.truncate(12);
    digest
}

/// `specs/facts/accepted.json`: findings that were looked at, by fingerprint.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Accepted(BTreeMap<String, Acceptance>);

/// Why a finding may stay.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// What was found, in words.
    pub finding: String,
    /// Why it may stay.
    pub reason: String,
    /// The day.
    pub date: String,
    /// The provider, so that an acceptance that nothing needs any more can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The kind of evidence, for the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// Rules whose findings `--accept` puts right: nothing but the record is behind.
pub const RECORDED: [&str; 8] = [
    "fact-moved",
    "page-demands",
    "page-facts-moved",
    "page-not-recorded",
    "page-passages-moved",
    "page-reworded",
    "page-unread",
    "page-without-lines",
];

impl Accepted {
    /// Where they are kept, relative to the root.
    #[must_use]
    pub fn path(workspace: &Workspace) -> PathBuf {
        workspace.facts("accepted")
    }

    /// Reads them; none without the file.
    ///
    /// # Errors
    ///
    /// The file system's, and a file that is not in its form.
    pub fn read(workspace: &Workspace) -> io::Result<Self> {
        let Some(text) = workspace.read(&Self::path(workspace))? else {
            return Ok(Self::default());
        };
        let wrong = |why: String| io::Error::other(format!("{}: {why}", Self::path(workspace).display()));
        let accepted: Self = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        match accepted
            .0
            .iter()
            .find(|(_, acceptance)| acceptance.reason.trim().is_empty())
        {
            Some((fingerprint, _)) => Err(wrong(format!("{fingerprint} has no reason"))),
            None => Ok(accepted),
        }
    }

    /// Marks the findings that were accepted; tells the acceptances of this evidence that have no finding any more.
    pub fn apply(&self, provider: &str, evidence: &str, findings: &mut [Finding]) -> Vec<String> {
        for finding in findings.iter_mut() {
            finding.accepted = self
                .0
                .get(&finding.fingerprint)
                .map(|acceptance| acceptance.reason.clone());
        }
        let here = |acceptance: &Acceptance| {
            acceptance.provider.as_deref() == Some(provider) && acceptance.evidence.as_deref() == Some(evidence)
        };
        self.0
            .iter()
            .filter(|(fingerprint, acceptance)| {
                here(acceptance) && !findings.iter().any(|finding| finding.fingerprint == **fingerprint)
            })
            .map(|(fingerprint, acceptance)| {
                format!(
                    "{fingerprint} is accepted and not found: {}; remove it",
                    acceptance.finding
                )
            })
            .collect()
    }
}

/// What the evidence covers.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Coverage {
    /// In words, one line each.
    pub lines: Vec<String>,
}

/// Everything that one run has to say.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The provider.
    pub provider: String,
    /// Strongest first.
    pub findings: Vec<Finding>,
    /// What the evidence covers, and how old it is.
    pub coverage: Coverage,
    /// What the evidence seems to hold that could not be read.
    pub unread: Vec<String>,
    /// What stands in the evidence and did not the last time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub new: Vec<String>,
    /// Waivers and acceptances that nothing needs any more.
    pub unused: Vec<String>,
    /// The command to run next.
    pub next: String,
}

impl Report {
    /// What the run comes to.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let mut open = self
            .findings
            .iter()
            .filter(|finding| finding.accepted.is_none())
            .peekable();
        if open.peek().is_none() {
            return Outcome::Fresh;
        }
        // Only of these the last line is a command that puts it right; the others need somebody to decide.
        if open.all(|finding| finding.class == Class::DocsOnly && RECORDED.contains(&finding.rule)) {
            Outcome::Stale
        } else {
            Outcome::Failure
        }
    }

    /// Says it to people.
    ///
    /// # Errors
    ///
    /// The writer's.
    pub fn say(&self, shell: &mut Shell<'_>) -> io::Result<()> {
        for finding in self.findings.iter().filter(|finding| finding.accepted.is_none()) {
            let (tone, header) = finding.class.header();
            shell.header(
                tone,
                header,
                &format!("{} [{}] {}", finding.what, finding.rule, finding.fingerprint),
            )?;
            let mut place = finding.operation.clone().unwrap_or_else(|| self.provider.clone());
            if let Some(location) = &finding.location {
                place = format!("{place} ({location})");
            }
            shell.line(&format!("at: {place}"))?;
            shell.line(&format!("{}: {}", finding.class.word(), finding.effect))?;
            let evidence = &finding.evidence;
            shell.line(&format!(
                "seen: {} {}, {}, {}",
                evidence.kind, evidence.source, evidence.date, evidence.grade
            ))?;
            shell.line(&format!("fix: {}", finding.fix))?;
        }
        let accepted = self
            .findings
            .iter()
            .filter(|finding| finding.accepted.is_some())
            .count();
        if accepted > 0 {
            shell.header(Tone::Note, "Accepted", &format!("{accepted} findings, with reasons"))?;
        }
        for line in &self.new {
            shell.header(Tone::Note, "New", line)?;
        }
        for line in &self.unread {
            shell.header(Tone::Warn, "Unread", line)?;
        }
        for line in &self.unused {
            shell.header(Tone::Warn, "Unused", line)?;
        }
        for line in &self.coverage.lines {
            shell.header(Tone::Note, "Covered", line)?;
        }
        let open = self.findings.len() - accepted;
        match open {
            0 => shell.header(
                Tone::Good,
                "Fresh",
                &format!("{}: nothing has drifted in what was read", self.provider),
            ),
            _ => {
                let mut counts = BTreeMap::new();
                for finding in self.findings.iter().filter(|finding| finding.accepted.is_none()) {
                    *counts.entry(std::cmp::Reverse(finding.class)).or_insert(0usize) += 1;
                }
                let counts: Vec<String> = counts
                    .iter()
                    .map(|(class, count)| format!("{count} {}", class.0.word()))
                    .collect();
                let (tone, header) = if self.outcome() == Outcome::Failure {
                    (Tone::Bad, "Failure")
                } else {
                    (Tone::Warn, "Stale")
                };
                shell.header(tone, header, &format!("{}: {}", self.provider, counts.join(", ")))
            }
        }
    }
}
