//! `finrail`: a typed client for any bank, from the document that it publishes.

mod arguments;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use finrail_cli::shell::{Outcome, Shell};
use finrail_cli::workspace::Workspace;
use finrail_cli::{import, new, regen};

use arguments::{Arguments, COMMAND, Task};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut stdout = std::io::stdout();
    let colour = stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut shell = Shell::new(&mut stdout, colour);
    let outcome = run(arguments.task, &mut shell).unwrap_or_else(|error| {
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
        Task::Control { at, task } => finrail_cli::sandbox::Control { at }.run(&task.task(&here)?, shell),
        Task::Completions { shell: of } => {
            let mut script = Vec::new();
            clap_complete::generate(of, &mut Arguments::command(), COMMAND, &mut script);
            shell.raw(&String::from_utf8_lossy(&script))?;
            Ok(Outcome::Fresh)
        }
    }
}
