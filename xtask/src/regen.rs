//! `cargo xtask regen`: everything that is made from the specifications, made again.

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use similar::TextDiff;

use crate::bundle::{bundle, with_shared_schemas};
use crate::document::Document;
use crate::examples;
use crate::problem::Problem;
use crate::rules;
use crate::shell::{Outcome, Shell, Tone};
use crate::structure::Structure;
use crate::vocabulary::Vocabulary;
use crate::workspace::Workspace;

/// What is asked of a run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The providers; none: all of them.
    pub providers: Vec<String>,
    /// Compare, and write nothing.
    pub check: bool,
}

/// One generated file.
struct Output {
    path: PathBuf,
    text: String,
}

/// Validates, generates, and writes or compares.
///
/// # Errors
///
/// The file system's, and the writer's.
pub fn run(workspace: &Workspace, options: &Options, shell: &mut Shell<'_>) -> io::Result<Outcome> {
    let started = Instant::now();
    let known = workspace.providers()?;
    let providers = if options.providers.is_empty() {
        known.clone()
    } else {
        options.providers.clone()
    };
    let checks = Checks::new();
    let mut outcome = Outcome::Fresh;
    for provider in &providers {
        outcome = outcome.max(one(workspace, provider, options.check, &checks, shell)?);
    }
    if options.providers.is_empty() {
        outcome = outcome.max(orphans(workspace, &known, options.check, shell)?);
    }
    let verb = if options.check { "check" } else { "regen" };
    let count = providers.len();
    let plural = if count == 1 { "provider" } else { "providers" };
    let spent = started.elapsed().as_secs_f64();
    shell.header(
        Tone::Good,
        "Finished",
        &format!("{verb} of {count} {plural} in {spent:.2}s"),
    )?;
    match outcome {
        Outcome::Fresh => {}
        Outcome::Stale => shell.raw("run: cargo xtask regen")?,
        Outcome::Failure => shell.raw(&format!(
            "correct the specification, then run: cargo xtask regen{}",
            if options.check { " --check" } else { "" }
        ))?,
    }
    Ok(outcome)
}

/// The validators, built once.
struct Checks {
    structure: Structure,
    vocabulary: Vocabulary,
}

impl Checks {
    fn new() -> Self {
        Self {
            structure: Structure::new(),
            vocabulary: Vocabulary::new(),
        }
    }
}

fn one(
    workspace: &Workspace,
    provider: &str,
    check: bool,
    checks: &Checks,
    shell: &mut Shell<'_>,
) -> io::Result<Outcome> {
    let path = Workspace::spec(provider);
    let Some(text) = workspace.read(&path)? else {
        shell.header(
            Tone::Bad,
            "Failure",
            &format!("{provider}: there is no {}", path.display()),
        )?;
        return Ok(Outcome::Failure);
    };
    match generate(&path, &text, checks) {
        Err(problems) => {
            report_problems(provider, &problems, shell)?;
            Ok(Outcome::Failure)
        }
        Ok(outputs) => {
            let mut outcome = Outcome::Fresh;
            for output in outputs {
                outcome = outcome.max(ensure(workspace, &output, check, shell)?);
            }
            Ok(outcome)
        }
    }
}

/// Everything that comes out of one specification.
fn generate(path: &std::path::Path, text: &str, checks: &Checks) -> Result<Vec<Output>, Vec<Problem>> {
    let document = Document::parse(path, text).map_err(|problem| vec![*problem])?;
    let problems = validate(&document, checks);
    if !problems.is_empty() {
        return Err(problems);
    }
    let source = path.display().to_string();
    Ok(vec![Output {
        path: Workspace::bundle(&document.provider),
        text: bundle(&document.value, &source),
    }])
}

/// All problems of a document, in the order of its lines.
fn validate(document: &Document, checks: &Checks) -> Vec<Problem> {
    let with_shared = with_shared_schemas(&document.value);
    let mut problems = checks.structure.check(document);
    problems.extend(checks.vocabulary.check(document));
    problems.extend(rules::check(document, &with_shared));
    problems.extend(examples::check(document, &with_shared));
    problems.sort_by(|a, b| (a.position, a.rule, &a.message).cmp(&(b.position, b.rule, &b.message)));
    problems.dedup();
    problems
}

fn report_problems(provider: &str, problems: &[Problem], shell: &mut Shell<'_>) -> io::Result<()> {
    for problem in problems {
        shell.header(
            Tone::Bad,
            "Problem",
            &format!("{} [{}]", problem.location(), problem.rule),
        )?;
        if !problem.place.is_empty() {
            shell.line(&format!("at: {}", problem.place))?;
        }
        shell.line(&problem.message)?;
        shell.line(&format!("fix: {}", problem.fix))?;
    }
    let count = problems.len();
    let plural = if count == 1 { "problem" } else { "problems" };
    shell.header(Tone::Bad, "Failure", &format!("{provider}: {count} {plural}"))
}

/// Compares a file with what it should be; writes it unless `check`.
fn ensure(workspace: &Workspace, output: &Output, check: bool, shell: &mut Shell<'_>) -> io::Result<Outcome> {
    let name = output.path.display().to_string();
    let current = workspace.read(&output.path)?;
    if current.as_deref() == Some(output.text.as_str()) {
        shell.header(Tone::Good, "Fresh", &name)?;
        return Ok(Outcome::Fresh);
    }
    if !check {
        workspace.write(&output.path, &output.text)?;
        shell.header(Tone::Good, "Wrote", &name)?;
        return Ok(Outcome::Fresh);
    }
    shell.header(Tone::Warn, "Stale", &name)?;
    let current = current.unwrap_or_default();
    let diff = TextDiff::from_lines(current.as_str(), output.text.as_str());
    let diff = diff
        .unified_diff()
        .header(&name, &format!("{name} (regenerated)"))
        .to_string();
    shell.diff(&diff)?;
    Ok(Outcome::Stale)
}

/// Bundles whose specification is gone.
fn orphans(workspace: &Workspace, known: &[String], check: bool, shell: &mut Shell<'_>) -> io::Result<Outcome> {
    let folder = workspace.root().join("specs/bundled");
    if !folder.is_dir() {
        return Ok(Outcome::Fresh);
    }
    let mut names: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    names.sort_by_key(std::fs::DirEntry::file_name);
    let mut outcome = Outcome::Fresh;
    for entry in names {
        let path = entry.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_none_or(|extension| extension != "json") || known.contains(&stem) {
            continue;
        }
        let name = Workspace::bundle(&stem).display().to_string();
        if check {
            shell.header(Tone::Warn, "Stale", &format!("{name}: its specification is gone"))?;
            outcome = Outcome::Stale;
        } else {
            std::fs::remove_file(&path)?;
            shell.header(Tone::Good, "Removed", &name)?;
        }
    }
    Ok(outcome)
}
