//! Tasks that cargo has not: `cargo xtask --help`.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use finrail_cli::shell::{Outcome, Shell, quoted};
use finrail_cli::workspace::Workspace;
use finrail_cli::{drift, regen};

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
    Regen {
        /// Providers, by the names of their files; none: all.
        providers: Vec<String>,
        /// Compare byte for byte and write nothing.
        #[arg(long)]
        check: bool,
        /// The revision against which the change is classed; without it the last release, or HEAD.
        #[arg(long, value_name = "REVISION")]
        base: Option<String>,
    },
    /// Compares a specification with evidence of what the provider does now.
    Drift {
        /// The provider.
        provider: String,
        #[command(flatten)]
        evidence: Evidence,
        /// The address of the recorded page that the file is a newer reading of.
        #[arg(long, value_name = "URL", requires = "docs")]
        page: Option<String>,
        /// Record the facts of the page.
        #[arg(long, requires = "docs")]
        accept: bool,
        /// Where a copy of the recording without secrets is written.
        #[arg(long, value_name = "OUT", requires = "har")]
        scrub: Option<String>,
        /// How to say it.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}

/// With what the specification is compared.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Evidence {
    /// A documentation page, as text or HTML.
    #[arg(long, value_name = "FILE|URL")]
    docs: Option<String>,
    /// A published OpenAPI document, JSON or YAML.
    #[arg(long, value_name = "FILE|URL")]
    openapi: Option<String>,
    /// Metadata of the authorization server (RFC 8414, OpenID Connect Discovery).
    #[arg(long, value_name = "FILE|URL")]
    metadata: Option<String>,
    /// Recorded traffic, from a browser or a proxy.
    #[arg(long, value_name = "FILE")]
    har: Option<String>,
    /// A log with the crate's events of target `finrail::canary`.
    #[arg(long, value_name = "FILE")]
    canary: Option<String>,
}

impl Evidence {
    fn source(self, page: Option<String>, accept: bool, scrub: Option<String>) -> drift::Source {
        match self {
            Self {
                canary: Some(place), ..
            } => drift::Source::Canary(place),
            Self { har: Some(place), .. } => drift::Source::Har { place, scrub },
            Self {
                openapi: Some(place), ..
            } => drift::Source::Openapi(place),
            Self {
                metadata: Some(place), ..
            } => drift::Source::Metadata(place),
            Self { docs, .. } => drift::Source::Docs {
                place: docs.unwrap_or_default(),
                page,
                accept,
            },
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
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
        Task::Regen { providers, check, base } => {
            regen::run(&workspace, &regen::Options { providers, check, base }, &mut shell)
        }
        Task::Drift {
            provider,
            evidence,
            page,
            accept,
            scrub,
            format,
        } => {
            let now = std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap_or_default();
            let options = drift::Options {
                provider,
                evidence: evidence.source(page, accept, scrub),
                json: format == Format::Json,
                today: drift::day(now.as_secs()),
            };
            drift::run(&workspace, &options, &mut shell)
        }
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
