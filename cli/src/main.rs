//! `finrail`: a typed client for any bank, from the document that it publishes.

mod arguments;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};
use finrail_cli::shell::{EXIT_CODES, Outcome, Shell, Tone};
use finrail_cli::workspace::Workspace;
use finrail_cli::{import, new, regen};

use arguments::{Arguments, COMMAND, Task};

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(error) => {
            if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
                let told = error.render().to_string();
                let first = told.lines().map(str::trim).take_while(|line| !line.is_empty());
                let told = first.collect::<Vec<_>>().join(" ");
                let told = told.trim_start_matches("error: ");
                let value = serde_json::json!({ "outcome": "usage", "told": [{ "kind": "error", "text": told }] });
                println!("{value:#}");
            }
            error.exit();
        }
    };
    let is_program = arguments.task.is_for_a_program();
    let mut stdout = std::io::stdout();
    let colour = stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut shell = match is_program {
        true => Shell::for_a_program(&mut stdout),
        false => Shell::new(&mut stdout, colour),
    };
    let done = run(arguments.task, &mut shell).or_else(|error| match is_program {
        true if error.kind() != std::io::ErrorKind::BrokenPipe => {
            shell.header(Tone::Bad, "Error", &error.to_string())?;
            Ok(Outcome::Failure)
        }
        _ => Err(error),
    });
    let outcome = done.and_then(|outcome| shell.end(outcome).map(|()| outcome));
    let outcome = outcome.unwrap_or_else(|error| {
        // Whoever read the beginning had enough.
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Outcome::Fresh;
        }
        eprintln!("{:>12} {error}", "Error");
        Outcome::Failure
    });
    let _ = std::io::stdout().flush();
    ExitCode::from(outcome.code())
}

/// The arguments; the help of every command says the exit codes.
fn arguments() -> Result<Arguments, clap::Error> {
    let mut command = with_exit_codes(Arguments::command());
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Arguments::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

fn with_exit_codes(command: clap::Command) -> clap::Command {
    command
        .after_long_help(EXIT_CODES)
        .after_help(EXIT_CODES)
        .mut_subcommands(with_exit_codes)
}

fn run(task: Task, shell: &mut Shell<'_>) -> std::io::Result<Outcome> {
    let here = std::env::current_dir()?;
    match task {
        Task::Import(import) => import::run(&here, COMMAND, &import.options(), shell),
        Task::Check { providers } => regen::check(&Workspace::open(&here, COMMAND)?, &providers, shell),
        Task::Regen(regen) => regen::run(&Workspace::open(&here, COMMAND)?, &regen.options(), shell),
        Task::Drift(drift) => drift.run(&Workspace::open(&here, COMMAND)?, shell),
        Task::New(crate_) => new::run(&here, COMMAND, &crate_.options(), shell),
        #[cfg(feature = "sandbox")]
        Task::Sandbox(sandbox) => finrail_cli::sandbox::run(&here, COMMAND, &sandbox.options(), shell),
        #[cfg(feature = "sandbox")]
        Task::Control { at, task, .. } => finrail_cli::sandbox::Control { at }.run(&task.task(&here)?, shell),
        Task::Completions { shell: of } => {
            let mut script = Vec::new();
            clap_complete::generate(of, &mut Arguments::command(), COMMAND, &mut script);
            shell.raw(&String::from_utf8_lossy(&script))?;
            Ok(Outcome::Fresh)
        }
    }
}
