//! `finrail`: a typed client for any bank, from the document that it publishes.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use finrail_cli::import;
use finrail_cli::shell::{Outcome, Shell};

/// What people type to run this.
const COMMAND: &str = "finrail";

/// A typed client for any bank, from the document that it publishes.
///
/// Exit codes: 0 done, 4 the command in the last line puts it right, 100 a person must decide.
#[derive(Parser)]
#[command(name = COMMAND, bin_name = COMMAND, version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Takes a published OpenAPI document (2.0, 3.0, 3.1; JSON or YAML), and makes the bundle that `build.rs` reads.
    Import {
        /// The document; none: the one that was imported before, after its overlay was changed.
        #[arg(value_name = "FILE|URL")]
        document: Option<String>,
        /// The name of the client's module, in snake_case.
        #[arg(long)]
        id: String,
        /// The provider's name; none: the document's title.
        #[arg(long)]
        name: Option<String>,
        /// Only these operations: `tag:Payments`, `path:/payments`, or an `operationId`.
        #[arg(long, value_name = "SELECTOR")]
        only: Vec<String>,
        /// The folder; none: `specs/<id>`.
        #[arg(long, value_name = "FOLDER")]
        into: Option<PathBuf>,
        /// Take a newer document in the place of the one that is there.
        #[arg(long)]
        again: bool,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut stdout = std::io::stdout();
    let colour = stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut shell = Shell::new(&mut stdout, colour);
    let outcome = std::env::current_dir().and_then(|here| match arguments.task {
        Task::Import {
            document,
            id,
            name,
            only,
            into,
            again,
        } => {
            let options = import::Options {
                document,
                id,
                name,
                only,
                into,
                again,
            };
            import::run(&here, COMMAND, &options, &mut shell)
        }
    });
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
