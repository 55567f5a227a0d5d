//! The arguments of tasks that more than one tool has.

use std::io;

use clap::{Args, ValueEnum};

use crate::drift::all::All;
use crate::drift::sources::Sources;
use crate::shell::{Outcome, Shell};
use crate::workspace::Workspace;
use crate::{drift, regen};

/// Which specifications are made again.
#[derive(Args, Clone, Debug)]
pub struct Regen {
    /// Providers, by the names of their files or folders; none: all.
    providers: Vec<String>,
    /// Compare byte for byte and write nothing.
    #[arg(long)]
    check: bool,
    /// The revision against which the change is classed; without it the last release, or HEAD.
    #[arg(long, value_name = "REVISION")]
    base: Option<String>,
}

impl Regen {
    /// What the library is asked for.
    #[must_use]
    pub fn options(self) -> regen::Options {
        regen::Options {
            providers: self.providers,
            check: self.check,
            base: self.base,
        }
    }
}

/// What is compared with what.
#[derive(Args, Clone, Debug)]
pub struct Drift {
    /// The provider; with `--all` none is needed.
    #[arg(required_unless_present = "all")]
    provider: Option<String>,
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
    /// The OpenAPI document describes everything that there is: what it lacks is withdrawn.
    #[arg(long, requires = "openapi")]
    complete: bool,
    /// How to say it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// With what the specification is compared.
#[derive(Args, Clone, Debug)]
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
    /// What stands today at the addresses that `specs/sources.toml` or `finrail.toml` names, of every provider or of the one.
    #[arg(long)]
    all: bool,
}

/// How findings are said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Drift {
    /// Whether a program reads it.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Does what is asked.
    ///
    /// # Errors
    ///
    /// Evidence or files that cannot be read, and the writer's.
    pub fn run(self, workspace: &Workspace, shell: &mut Shell<'_>) -> io::Result<Outcome> {
        let json = self.is_json();
        let today = today();
        let Evidence {
            docs,
            openapi,
            metadata,
            har,
            canary,
            all,
        } = self.evidence;
        if all {
            let provider = self.provider;
            return drift::all::run(workspace, &All { provider, json, today }, shell);
        }
        let provider = self.provider.unwrap_or_default();
        let evidence = match (canary, har, openapi, metadata) {
            (Some(place), ..) => drift::Source::Canary(place),
            (_, Some(place), ..) => drift::Source::Har {
                place,
                scrub: self.scrub,
            },
            (_, _, Some(place), _) => drift::Source::Openapi {
                place,
                complete: self.complete || Sources::read(workspace)?.is_complete(&provider),
            },
            (.., Some(place)) => drift::Source::Metadata(place),
            _ => drift::Source::Docs {
                place: docs.unwrap_or_default(),
                page: self.page,
                accept: self.accept,
            },
        };
        let options = drift::Options {
            provider,
            evidence,
            json,
            today,
        };
        drift::run(workspace, &options, shell)
    }
}

/// The day, `YYYY-MM-DD`, in UTC.
#[must_use]
pub fn today() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    drift::day(now.unwrap_or_default().as_secs())
}
