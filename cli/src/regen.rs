//! `regen`: everything that is made from the specifications, made again.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use finrail_spec::bundle::bundle;
use finrail_spec::check::Checks;
use finrail_spec::document::Document;
use finrail_spec::meant::did_you_mean;
use finrail_spec::problem::Problem;
use similar::TextDiff;

use crate::outline::Effect;
use crate::provider::Provider;
use crate::shell::{Outcome, Shell, Tone};
use crate::surface::{Change, Surface};
use crate::wire_schemas::shared_schemas;
use crate::workspace::{Source, Workspace};
use crate::{git, import, pages};

/// What is asked of a run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The providers; none: all of them.
    pub providers: Vec<String>,
    /// Compare, and write nothing.
    pub check: bool,
    /// The revision against which the change is classed; none: the last release, or `HEAD`.
    pub base: Option<String>,
}

/// One generated file.
struct Output {
    path: PathBuf,
    text: String,
}

/// Everything that comes out of one specification.
struct Generated {
    provider: Provider,
    bundle: Output,
    others: Vec<Output>,
    surface: Surface,
    /// Operations of a published document that the client has not.
    left_out: usize,
}

/// What became of one specification.
enum Made {
    Absent(PathBuf),
    Problems(Vec<Problem>),
    Generated(Box<Generated>),
}

/// Validates, generates, and writes or compares.
///
/// # Errors
///
/// The file system's, and the writer's.
pub fn run(workspace: &Workspace, options: &Options, shell: &mut Shell<'_>) -> io::Result<Outcome> {
    let started = Instant::now();
    let known = workspace.providers()?;
    if let Some(revision) = options
        .base
        .as_deref()
        .filter(|revision| !git::knows(workspace, revision))
    {
        return Err(io::Error::other(format!(
            "there is no revision {revision} to compare with"
        )));
    }
    let mut providers = if options.providers.is_empty() {
        known.clone()
    } else {
        options.providers.clone()
    };
    // One table, one order, whoever asks.
    providers.sort();
    providers.dedup();
    let checks = Checks::new();
    let results = generate_all(workspace, &providers, &checks)?;
    let mut outcome = Outcome::Fresh;
    let mut generated = Vec::new();
    let mut told = Vec::new();
    for (name, result) in providers.iter().zip(results) {
        match result {
            Made::Absent(path) => {
                shell.header(Tone::Bad, "Failure", &absent(workspace, name, &path))?;
                outcome = Outcome::Failure;
            }
            Made::Problems(problems) => {
                report_problems(name, &problems, shell)?;
                outcome = Outcome::Failure;
            }
            Made::Generated(made) => {
                let pending = pending_change(workspace, &made)?;
                let outputs: Vec<&Output> = std::iter::once(&made.bundle).chain(&made.others).collect();
                outcome = outcome.max(ensure_all(workspace, name, &outputs, options.check, shell)?);
                if let Some(change) = pending
                    && options.check
                    && change.effect == Effect::Breaking
                {
                    report_change(name, "the change that is not generated yet", &change, shell)?;
                    outcome = Outcome::Failure;
                    told.push(change);
                }
                generated.push(*made);
            }
        }
    }
    let complete = generated.len() == known.len();
    if complete {
        let described: Vec<Provider> = generated.iter().map(|made| made.provider.clone()).collect();
        outcome = outcome.max(readme(workspace, &described, options.check, shell)?);
    }
    if options.providers.is_empty() {
        outcome = outcome.max(orphans(workspace, &known, options.check, shell)?);
    }
    since_base(workspace, options, &known, &generated, &told, shell)?;
    let verb = if options.check { "check" } else { "regen" };
    let count = providers.len();
    let plural = if count == 1 { "provider" } else { "providers" };
    let spent = started.elapsed().as_secs_f64();
    shell.header(
        Tone::Good,
        "Finished",
        &format!("{verb} of {count} {plural} in {spent:.2}s"),
    )?;
    let command = workspace.command();
    match outcome {
        Outcome::Fresh => {}
        Outcome::Stale => shell.raw(&format!("run: {command} regen"))?,
        Outcome::Failure if generated.len() == providers.len() => {
            shell.raw(&format!(
                "users of the crate will notice: if that is meant, run: {command} regen"
            ))?;
        }
        Outcome::Failure => shell.raw(&format!(
            "correct the specification, then run: {command} regen{}",
            if options.check { " --check" } else { "" }
        ))?,
    }
    Ok(outcome)
}

/// Looks whether clients can be made, and writes nothing.
///
/// # Errors
///
/// The file system's, and the writer's.
pub fn check(workspace: &Workspace, providers: &[String], shell: &mut Shell<'_>) -> io::Result<Outcome> {
    let providers = match providers {
        [] => workspace.providers()?,
        named => named.to_vec(),
    };
    if providers.is_empty() {
        let what = format!("{} has no specification: import one", workspace.specs().display());
        shell.header(Tone::Bad, "Failure", &what)?;
        return Ok(Outcome::Failure);
    }
    let made = generate_all(workspace, &providers, &Checks::new())?;
    let mut outcome = Outcome::Fresh;
    for (name, made) in providers.iter().zip(made) {
        match made {
            Made::Absent(path) => {
                shell.header(Tone::Bad, "Failure", &absent(workspace, name, &path))?;
                outcome = Outcome::Failure;
            }
            Made::Problems(problems) => {
                report_problems(name, &problems, shell)?;
                outcome = Outcome::Failure;
            }
            Made::Generated(made) => {
                let left_out = match made.left_out {
                    0 => String::new(),
                    count => format!(
                        ", {count} left out: `{} import --id {name}` tells why",
                        workspace.command()
                    ),
                };
                let calls = made.provider.calls.len();
                shell.header(Tone::Good, "Good", &format!("{name}: {calls} operations{left_out}"))?;
            }
        }
    }
    Ok(outcome)
}

/// That there is no such specification, and which one may be meant.
fn absent(workspace: &Workspace, name: &str, path: &Path) -> String {
    let known = workspace.providers().unwrap_or_default();
    let meant = did_you_mean(name, known.iter().map(String::as_str));
    format!("{name}: there is no {}{meant}", path.display())
}

/// Each provider on a thread of its own: they know nothing of each other.
fn generate_all(workspace: &Workspace, providers: &[String], checks: &Checks) -> io::Result<Vec<Made>> {
    std::thread::scope(|scope| {
        let running: Vec<_> = providers
            .iter()
            .map(|provider| scope.spawn(move || generate(workspace, provider, checks)))
            .collect();
        running
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(io::Error::other("a check stopped unexpectedly")))
            })
            .collect()
    })
}

fn generate(workspace: &Workspace, name: &str, checks: &Checks) -> io::Result<Made> {
    let made = match workspace.source(name) {
        Source::Written(path) => {
            let Some(text) = workspace.read(&path)? else {
                return Ok(Made::Absent(path));
            };
            from_text(workspace, &path, &text, checks)
        }
        Source::Imported(folder) => {
            let again = import::again(workspace.root(), &folder, name)?;
            again.and_then(|again| {
                let generated = from_bundle(workspace, name, again.imported.bundle)?;
                Ok(Generated {
                    left_out: again.imported.left_out.len(),
                    ..generated
                })
            })
        }
    };
    Ok(match made {
        Ok(generated) => Made::Generated(Box::new(generated)),
        Err(problems) => Made::Problems(problems),
    })
}

fn from_text(workspace: &Workspace, path: &Path, text: &str, checks: &Checks) -> Result<Generated, Vec<Problem>> {
    let document = Document::parse(path, text).map_err(|problem| vec![*problem])?;
    let shared = shared_schemas();
    let problems = checks.problems(&document, &shared);
    if !problems.is_empty() {
        return Err(problems);
    }
    let text = bundle(
        &document.value,
        &shared,
        &path.display().to_string(),
        workspace.command(),
    );
    from_bundle(workspace, &document.provider, text)
}

/// Everything that comes out of a bundle.
fn from_bundle(workspace: &Workspace, name: &str, text: String) -> Result<Generated, Vec<Problem>> {
    let from = workspace.edited(name);
    let command = workspace.command();
    let failed = |rule: &'static str, message: String| {
        vec![Problem {
            rule,
            path: from.clone(),
            position: None,
            place: String::new(),
            message,
            fix: "correct the specification, or the tool that cannot read it".to_owned(),
        }]
    };
    let bundle = Output {
        path: workspace.bundle(name),
        text,
    };
    let value = serde_json::from_str(&bundle.text).map_err(|error| failed("bundle", error.to_string()))?;
    let provider = Provider::read(&value).map_err(|message| failed("bundle", message))?;
    let surface = Surface::of(&bundle.path, &bundle.text).map_err(|message| failed("codegen", message))?;
    let others = vec![
        Output {
            path: workspace.page(name),
            text: pages::page(&provider, &value, &from, command),
        },
        Output {
            path: workspace.outline(name),
            text: surface.outline.render(&workspace.module(name), command),
        },
    ];
    Ok(Generated {
        provider,
        bundle,
        others,
        surface,
        left_out: 0,
    })
}

/// What differs between the bundle as it lies there and the one just made.
fn pending_change(workspace: &Workspace, made: &Generated) -> io::Result<Option<Change>> {
    let Some(current) = workspace
        .read(&made.bundle.path)?
        .filter(|current| *current != made.bundle.text)
    else {
        return Ok(None);
    };
    Ok(Surface::of(&made.bundle.path, &current)
        .ok()
        .map(|old| made.surface.since(&old)))
}

/// The class of all that changed since the base, for the next version number.
fn since_base(
    workspace: &Workspace,
    options: &Options,
    known: &[String],
    generated: &[Generated],
    told: &[Change],
    shell: &mut Shell<'_>,
) -> io::Result<()> {
    let Some(base) = git::base(workspace, options.base.as_deref()) else {
        return Ok(());
    };
    let mut strongest = Effect::Same;
    for name in git::list(workspace, &base, &workspace.specs().join("bundled")) {
        let Some(name) = name
            .strip_suffix(".json")
            .filter(|name| !known.iter().any(|it| it == name))
        else {
            continue;
        };
        shell.header(Tone::Bad, "Breaking", &format!("{name}: gone since {base}"))?;
        strongest = Effect::Breaking;
    }
    for made in generated {
        let name = made.provider.id();
        let Some(old) = git::show(workspace, &base, &made.bundle.path) else {
            shell.header(Tone::Note, "Additive", &format!("{name}: new since {base}"))?;
            strongest = strongest.max(Effect::Additive);
            continue;
        };
        if old == made.bundle.text {
            continue;
        }
        match Surface::of(&made.bundle.path, &old) {
            Err(why) => shell.header(
                Tone::Warn,
                "Unclassed",
                &format!("{name}: its bundle at {base} is not readable: {why}"),
            )?,
            Ok(old) => {
                let change = made.surface.since(&old);
                if !told.contains(&change) {
                    report_change(name, &format!("since {base}"), &change, shell)?;
                }
                strongest = strongest.max(change.effect);
            }
        }
    }
    let advice = match strongest {
        Effect::Same => return Ok(()),
        Effect::DocsOnly | Effect::Additive => "the next version is a patch (0.x: third number)",
        Effect::Breaking => "the next version is a minor one (0.x: second number)",
    };
    shell.header(
        Tone::Note,
        "Version",
        &format!("{} since {base}: {advice}", strongest.word()),
    )
}

fn report_change(name: &str, since: &str, change: &Change, shell: &mut Shell<'_>) -> io::Result<()> {
    let (tone, header) = match change.effect {
        Effect::Same => return Ok(()),
        Effect::DocsOnly => (Tone::Good, "Docs-only"),
        Effect::Additive => (Tone::Note, "Additive"),
        Effect::Breaking => (Tone::Bad, "Breaking"),
    };
    shell.header(tone, header, &format!("{name}: {since}"))?;
    for (difference, operations) in &change.differences {
        let mut line = format!("{}: {} {}", difference.effect.word(), difference.path, difference.what);
        if !operations.is_empty() {
            let _ = write!(line, "; used by {}", operations.join(", "));
        }
        shell.line(&line)?;
    }
    if change.differences.is_empty() && change.effect == Effect::Additive {
        shell.line("what is sent or accepted changed; every name stayed")?;
    }
    Ok(())
}

/// The providers' table, where the README has a place for it.
fn readme(workspace: &Workspace, providers: &[Provider], check: bool, shell: &mut Shell<'_>) -> io::Result<Outcome> {
    let path = PathBuf::from("README.md");
    let Some(current) = workspace.read(&path)? else {
        return Ok(Outcome::Fresh);
    };
    match pages::with_table(&current, &pages::table(providers)) {
        Some(text) => ensure_all(workspace, "README.md", &[&Output { path, text }], check, shell),
        None => Ok(Outcome::Fresh),
    }
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

/// Compares files with what they should be; says one word when all are.
fn ensure_all(
    workspace: &Workspace,
    name: &str,
    outputs: &[&Output],
    check: bool,
    shell: &mut Shell<'_>,
) -> io::Result<Outcome> {
    let mut outcome = Outcome::Fresh;
    let mut all_fresh = true;
    for output in outputs {
        if workspace.read(&output.path)?.as_deref() != Some(output.text.as_str()) {
            all_fresh = false;
            outcome = outcome.max(ensure(workspace, output, check, shell)?);
        }
    }
    if all_fresh {
        shell.header(Tone::Good, "Fresh", name)?;
    }
    Ok(outcome)
}

/// Makes a file what it should be, or shows what it lacks.
fn ensure(workspace: &Workspace, output: &Output, check: bool, shell: &mut Shell<'_>) -> io::Result<Outcome> {
    let name = output.path.display().to_string();
    let current = workspace.read(&output.path)?;
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

/// Generated files whose specification is gone.
fn orphans(workspace: &Workspace, known: &[String], check: bool, shell: &mut Shell<'_>) -> io::Result<Outcome> {
    let mut outcome = Outcome::Fresh;
    for (folder, extension) in workspace.made() {
        let absolute = workspace.root().join(&folder);
        if !absolute.is_dir() {
            continue;
        }
        let mut names: Vec<_> = std::fs::read_dir(absolute)?.collect::<Result<Vec<_>, _>>()?;
        names.sort_by_key(std::fs::DirEntry::file_name);
        for entry in names {
            let path = entry.path();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if path.extension().is_none_or(|found| found != extension) || known.contains(&stem) {
                continue;
            }
            let name = folder.join(format!("{stem}.{extension}")).display().to_string();
            // Pages that people wrote lie beside the made ones.
            if extension == "md"
                && !std::fs::read_to_string(&path)?.starts_with(&pages::beginning_of_mark(workspace.command()))
            {
                continue;
            }
            if check {
                shell.header(Tone::Warn, "Stale", &format!("{name}: its specification is gone"))?;
                outcome = Outcome::Stale;
            } else {
                std::fs::remove_file(&path)?;
                shell.header(Tone::Good, "Removed", &name)?;
            }
        }
    }
    Ok(outcome)
}
