//! Tasks that cargo has not: `cargo xtask --help`.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use finrail_cli::shell::{Outcome, Shell, quoted};
use finrail_cli::workspace::Workspace;
use finrail_cli::{regen, tasks};

/// What people type to run this.
const COMMAND: &str = "cargo xtask";

/// Tasks that cargo has not.
///
/// Exit codes: 0 nothing to do, 4 the command in the last line puts it right,
/// 100 a person must decide.
#[derive(Parser)]
#[command(name = COMMAND, bin_name = COMMAND)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Validates the specifications and makes again what is made from them.
    Regen(tasks::Regen),
    /// Compares a specification with evidence of what the provider does now.
    Drift(tasks::Drift),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // xtask stands in the workspace that it works on; cargo says where that is now.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let workspace = Workspace::new(PathBuf::from(here).join(".."), COMMAND);
    let mut stdout = std::io::stdout();
    let colour = stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut shell = Shell::new(&mut stdout, colour);
    let outcome = match arguments.task {
        Task::Regen(regen) => regen::run(&workspace, &regen.options(), &mut shell),
        Task::Drift(drift) => drift.run(&workspace, &mut shell),
    };
    let outcome = outcome.unwrap_or_else(|error| {
        eprintln!("{:>12} {error}", "Error");
        let again: Vec<String> = std::env::args().skip(1).map(|argument| quoted(&argument)).collect();
        eprintln!("put it right, then run: {COMMAND} {}", again.join(" "));
        Outcome::Failure
    });
    let _ = std::io::stdout().flush();
    ExitCode::from(outcome.code())
}
