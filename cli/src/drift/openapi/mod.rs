//! `drift --openapi`: a published document against the specification, by what both mean.
//!
//! The signs are those of the client: a field that a reply loses breaks it, a
//! field that a reply gains does not, and for requests it is the other way
//! round. What this comparison does not understand, and oxide's `drift` crate
//! sees, is reported as unhandled, so that nothing changes in silence.

mod authorization;
mod compared;
mod endpoints;
mod media;
mod pairs;
mod reading;
mod reply;
mod request;
mod schema;
mod second_opinion;

use std::io;

use finrail_spec::json::Json;
use finrail_spec::normal::LeftOut;
use finrail_spec::operations::OperationObject;
use finrail_spec::yaml::Twice;
use serde_json::Value;

use self::compared::{Compared, mark};
use self::reading::Reading;
use super::finding::{Class, Coverage, Evidence, Finding};
use super::spec::{Issue, Spec};
use crate::import;
use crate::shell::quoted;
use crate::workspace::{Source, Workspace};

/// What a document has to tell.
pub struct Told {
    /// What differs.
    pub findings: Vec<Finding>,
    /// What was read, and what of the specification is in it.
    pub coverage: Coverage,
    /// What to do next, where that is not to edit the specification.
    pub next: Option<String>,
}

/// Compares what is at a place with the specification. `complete`: the document describes everything that there is.
///
/// # Errors
///
/// The file system's and the network's, and what is wrong with files of ours. What is wrong with the document is a finding.
pub fn told(workspace: &Workspace, spec: &Spec, place: &str, complete: bool, evidence: &Evidence) -> io::Result<Told> {
    let about = |why: String| io::Error::other(format!("{place}: {why}"));
    let bytes = crate::place::fetch(workspace.root(), place)?;
    let published = match reading::read(&bytes) {
        Ok(published) => published,
        Err(why) => {
            let (findings, coverage) = unreadable(spec, place, &why, &bytes, evidence);
            let next = Some(format!("give the document that {place} should be"));
            return Ok(Told {
                findings,
                coverage,
                next,
            });
        }
    };
    let folder = match workspace.source(spec.id()) {
        Source::Written(_) => {
            let (findings, coverage) = compare(spec, &published, &published, &[], complete, evidence).map_err(about)?;
            return Ok(Told {
                findings,
                coverage,
                next: None,
            });
        }
        Source::Imported(folder) => folder,
    };
    // The way that the specification came: what is mechanical is the same on both sides. What was imported has no other
    // source than its document, so what a newer one lacks is gone.
    let newer = import::newer(workspace.root(), &folder, spec.id(), place, &bytes)?;
    let bundle = Json::parse(&newer.bundle).map_err(|error| about(error.to_string()))?;
    let theirs = reading::of(&bundle).map_err(about)?;
    let (mut findings, coverage) =
        compare(spec, &theirs, &published, &newer.left_out, true, evidence).map_err(about)?;
    for finding in &mut findings {
        "see whether your program minds, and import the newer document".clone_into(&mut finding.fix);
    }
    let (command, id) = (workspace.command(), spec.id());
    let next = format!(
        "take it with: {command} import {} --id {id} --again && {command} regen",
        quoted(place)
    );
    Ok(Told {
        findings,
        coverage,
        next: Some(next),
    })
}

/// A document of which nothing could be read.
fn unreadable(spec: &Spec, place: &str, why: &str, bytes: &[u8], evidence: &Evidence) -> (Vec<Finding>, Coverage) {
    let issue = Issue {
        rule: "document-unread",
        class: Class::Unhandled,
        operation: None,
        subject: "document".to_owned(),
        pointer: String::new(),
        what: format!("nothing of the document was read: {place}: {why}"),
        effect: "what the provider does now is not known".to_owned(),
        fix: which(bytes).unwrap_or("give the OpenAPI document itself, whole and as it is published".to_owned()),
    };
    let lines = vec!["nothing was read".to_owned()];
    (vec![spec.finding(issue, evidence)], Coverage { lines })
}

/// Which of several documents of a file to give.
fn which(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    // The line where each begins, whether anything stands in it, and whether it says `openapi`.
    let mut documents = vec![(1, false, false)];
    for (number, line) in text.lines().enumerate() {
        // YAML 1.2 section 9.1.2: what begins a document. Nothing stands in the first where the file begins so.
        if line == "---" || line.starts_with("--- ") {
            documents.push((number + 2, false, false));
        } else if let Some((_, is_full, is_openapi)) = documents.last_mut() {
            *is_full |= !line.trim().is_empty() && !line.starts_with(['#', '%', '-']);
            let line = line.trim_start_matches(['{', '"', '\'']);
            *is_openapi |= line.starts_with("openapi") || line.starts_with("swagger");
        }
    }
    documents.retain(|(_, is_full, _)| *is_full);
    if documents.len() < 2 {
        return None;
    }
    let meant = documents.iter().filter(|(.., is_openapi)| *is_openapi);
    let meant: Vec<String> = meant.map(|(from, ..)| from.to_string()).collect();
    Some(match meant.as_slice() {
        [] => "the file has several documents, and none says `openapi`: give the OpenAPI document itself".to_owned(),
        [one] => format!("give the document that begins in line {one}, in a file of its own"),
        [first, rest @ ..] => format!(
            "give one of the documents that begin in lines {first} and {}, in a file of its own: the one that describes this API",
            rest.join(" and ")
        ),
    })
}

/// Compares a document with the specification. `published`: as the provider wrote it; `left_out`: what of it is not in
/// `theirs`, because no client of it can be made.
fn compare(
    spec: &Spec,
    theirs: &Reading,
    published: &Reading,
    left_out: &[LeftOut],
    complete: bool,
    evidence: &Evidence,
) -> Result<(Vec<Finding>, Coverage), String> {
    let ours = reading::of(&Json::from(&spec.bundle))?;
    let mut compared = Compared::of(spec, &ours, theirs, complete);
    let paired = compared.pairs(left_out);
    let all = spec.operations().len();
    if compared.is_of_another(&paired) {
        let issue = Issue {
            rule: "document-covers-nothing",
            class: Class::Unhandled,
            operation: None,
            subject: "document".to_owned(),
            pointer: String::new(),
            what:
                "this is the document of another API: it has none of the paths of the resources, and none of the hosts"
                    .to_owned(),
            effect: "what the provider does now is not known".to_owned(),
            fix: "give the document of this API".to_owned(),
        };
        let lines = vec![published.told(), format!("0 of {all} operations are in the document")];
        return Ok((vec![spec.finding(issue, evidence)], Coverage { lines }));
    }
    for (ours, theirs) in &paired.pairs {
        compared.operation(ours, theirs);
    }
    compared.complete |= paired.uncovered.is_empty();
    compared.security_schemes();
    compared.servers(&paired.pairs);
    compared.authorization_server();
    compared.ends();
    let unhandled = second_opinion::of(&ours.root, &theirs.root, &paired.pairs, &compared.told);
    compared.issues.extend(unhandled);
    if !published.twice.is_empty() {
        let places: Vec<&str> = published.twice.iter().map(|key| key.pointer.as_str()).collect();
        compared.about("");
        compared.add(
            "document-ambiguous",
            Class::Unhandled,
            &format!("keys {}", mark(&places.join("\u{1f}"))),
            told_twice(&published.twice),
            "the last of each was compared; other readers may take the first",
            "see which of them is meant",
        );
    }
    if paired.pairs.is_empty() {
        compared.about("");
        compared.add(
            "document-covers-nothing",
            Class::Unhandled,
            "document",
            format!("the document describes none of the {all} operations"),
            "what the provider does now is not known",
            "give the document of this API",
        );
    }
    let mut findings: Vec<Finding> = compared
        .issues
        .into_iter()
        .map(|issue| spec.finding(issue, evidence))
        .collect();
    findings.sort_by(|a, b| (b.class, &a.operation, &a.subject).cmp(&(a.class, &b.operation, &b.subject)));
    findings.dedup_by(|a, b| a.fingerprint == b.fingerprint);
    let mut lines = vec![published.told()];
    lines.push(format!(
        "{} of {all} operations are in the document",
        paired.pairs.len()
    ));
    if !paired.named.is_empty() {
        lines.push(format!("named by its flows: {}", paired.named.join(", ")));
    }
    if !paired.uncovered.is_empty() && !complete {
        lines.push(format!(
            "not covered: {}; if the document describes everything, `--complete` tells what it lacks as withdrawn",
            paired.uncovered.join(", ")
        ));
    }
    lines.extend(silent(&paired.pairs));
    Ok((findings, Coverage { lines }))
}

/// Keys that stand twice, in words: the first of them with their places, and how many more there are.
fn told_twice(twice: &[Twice]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = twice.iter().take(SHOWN).map(ToString::to_string).collect();
    let shown = shown.join("; ");
    match twice.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}

/// The operations of which the document has no more than that there is a reply.
fn silent(pairs: &[(OperationObject<'_>, OperationObject<'_>)]) -> Option<String> {
    let silent = pairs.iter().filter(|(ours, theirs)| reply::is_silent(ours, theirs));
    let silent: Vec<&str> = silent.map(|(ours, _)| ours.id()).collect();
    (!silent.is_empty()).then(|| format!("without a schema of the reply: {}", silent.join(", ")))
}

/// Words with which a document says that its API ends.
const ENDS: [&str; 10] = [
    "retired",
    "retires",
    "deprecated",
    "no longer",
    "sunset",
    "shut down",
    "discontinued",
    "decommission",
    "end of life",
    "end-of-life",
];

impl<'s> Compared<'s> {
    /// What a document says of the whole API, where that is its end: in other words it is every bank's own.
    fn ends(&mut self) {
        let text = |root: &Value, key: &str| {
            let text = root.pointer("/info").and_then(|info| info.get(key)?.as_str());
            text.unwrap_or_default().to_lowercase()
        };
        let keys = ["title", "summary", "description"];
        let known: String = keys.iter().map(|key| text(self.ours, key)).collect();
        let told = keys.iter().map(|key| text(self.theirs, key)).collect::<Vec<_>>();
        let new = ENDS.iter().filter(|word| !known.contains(**word));
        let new: Vec<&str> = new
            .filter(|word| told.iter().any(|text| text.contains(**word)))
            .copied()
            .collect();
        if new.is_empty() {
            return;
        }
        self.about("/info");
        self.add(
            "api-ends",
            Class::Unhandled,
            &format!("info {}", mark(&told.join("\u{1f}"))),
            format!(
                "what the document says of the whole API has the words \"{}\"",
                new.join("\", \"")
            ),
            "the API, or a part of it, may end",
            "read `info` of the document, and accept the finding with a reason",
        );
    }

    fn operation(&mut self, ours: &OperationObject<'s>, theirs: &OperationObject<'s>) {
        self.operation = ours.id().to_owned();
        self.pointer = ours.pointer();
        self.place = ours.pointer();
        self.visited.clear();
        self.words.clear();
        for key in ["summary", "description"] {
            self.described(ours.value.get(key), theirs.value.get(key));
        }
        let deprecated =
            |operation: &OperationObject<'_>| operation.value.get("deprecated") == Some(&Value::Bool(true));
        if deprecated(theirs) && !deprecated(ours) {
            self.add(
                "operation-deprecated",
                Class::DocsOnly,
                ours.id(),
                "the operation is deprecated".to_owned(),
                "it still works",
                "write `deprecated: true`, and look for its successor",
            );
        }
        self.unread_of(theirs);
        self.parameters(ours, theirs);
        self.body(ours, theirs);
        self.replies(ours, theirs);
        self.security(ours, theirs);
        if !self.words.is_empty() {
            let mark = mark(&self.words.join("\u{1f}"));
            let count = self.words.len();
            self.add(
                "description-changed",
                Class::DocsOnly,
                &format!("words {mark}"),
                "descriptions are in other words".to_owned(),
                &format!("{count} texts, no code"),
                "see whether they mean something else",
            );
        }
    }

    /// What of an operation is not compared, besides its schemas.
    fn unread_of(&mut self, theirs: &OperationObject<'s>) {
        let at = theirs.pointer();
        let inside = |pointer: &str| {
            let rest = pointer.strip_prefix(at.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) && !reading::is_of_a_schema(pointer)
        };
        let (_, read) = self.read;
        let unread = read
            .unread
            .range(at.clone()..)
            .take_while(|(pointer, _)| pointer.starts_with(&at));
        let unread = unread.filter(|(pointer, _)| inside(pointer));
        let unread: Vec<String> = unread.flat_map(|(_, why)| why.clone()).collect();
        for why in unread {
            let id = self.operation.clone();
            self.add(
                "operation-unread",
                Class::Unhandled,
                &id,
                format!("a part of the operation was not read: {why}"),
                "what it is now is not known",
                "compare the two by eye",
            );
        }
    }
}
