//! The arguments of `finrail`, and what they ask of the library.

use std::path::PathBuf;
#[cfg(feature = "sandbox")]
use std::{io, path::Path, time::Duration};

use clap::{Args, Parser, Subcommand};
#[cfg(feature = "sandbox")]
use finrail_cli::sandbox;
use finrail_cli::tasks::{self, today};
use finrail_cli::{import, new};

/// What people type to run this.
pub const COMMAND: &str = "finrail";

/// A typed client for any bank, from the document that it publishes.
#[derive(Parser)]
#[command(name = COMMAND, bin_name = COMMAND, version)]
pub struct Arguments {
    #[command(subcommand)]
    pub task: Task,
}

#[derive(Subcommand)]
pub enum Task {
    /// Takes a published OpenAPI document (2.0, 3.0, 3.1; JSON or YAML), and makes the bundle that `build.rs` reads.
    Import(Import),
    /// Looks whether the specifications of this folder can be made into clients, and writes nothing.
    Check {
        /// Providers, by the names of their files or folders; none: all.
        providers: Vec<String>,
    },
    /// Makes again what is made from the specifications of this folder: bundles, pages, outlines.
    Regen(tasks::Regen),
    /// Compares a specification of this folder with evidence of what the provider does now.
    Drift(tasks::Drift),
    /// Makes a crate for one bank: its specification, a build script, a test against the sandbox, a page.
    New(New),
    /// Plays providers on a port of this machine: finrail's own, or what was imported.
    #[cfg(feature = "sandbox")]
    Sandbox(Sandbox),
    /// Does something with a sandbox that runs: its clock, faults, documents, tokens.
    #[cfg(feature = "sandbox")]
    Control {
        /// Where it runs.
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8700", global = true)]
        at: String,
        /// Answer in JSON alone, for a program.
        #[arg(long, global = true)]
        json: bool,
        #[command(subcommand)]
        task: Control,
    },
    /// Writes the completions of a shell: `finrail completions bash > ~/.local/share/bash-completion/completions/finrail`.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

impl Task {
    /// Whether a program reads what is said: one JSON document, whatever happens.
    pub fn is_for_a_program(&self) -> bool {
        match self {
            Self::Import(import) => import.json,
            Self::Drift(drift) => drift.is_json(),
            #[cfg(feature = "sandbox")]
            Self::Sandbox(sandbox) => sandbox.json,
            #[cfg(feature = "sandbox")]
            Self::Control { json, .. } => *json,
            Self::Check { .. } | Self::Regen(_) | Self::New(_) | Self::Completions { .. } => false,
        }
    }
}

#[derive(Args)]
pub struct Import {
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
    /// Metadata of the authorization server (RFC 8414, OpenID Connect Discovery), for what a new overlay says of it.
    #[arg(long, value_name = "FILE|URL")]
    metadata: Option<String>,
    /// Fetch that metadata from the address which the document names (`openIdConnectUrl`).
    #[arg(long, conflicts_with = "metadata")]
    discover: bool,
    /// Say what became of the document, or why it is refused, as JSON, for a program.
    #[arg(long)]
    json: bool,
}

impl Import {
    pub fn options(self) -> import::Options {
        import::Options {
            document: self.document,
            id: self.id,
            name: self.name,
            only: self.only,
            into: self.into,
            again: self.again,
            metadata: self.metadata,
            discover: self.discover,
            today: today(),
            ask: asked().filter(|_| !self.json),
            json: self.json,
            then: None,
        }
    }
}

/// Whoever looks at a terminal is asked; a program is not.
fn asked() -> Option<import::Ask> {
    use std::io::IsTerminal as _;
    let is_there = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    is_there.then_some(ask as import::Ask)
}

fn ask(question: &str, answers: &[&str]) -> std::io::Result<Option<String>> {
    eprintln!("{question}");
    for (n, answer) in answers.iter().enumerate() {
        let assumed = if n == 0 { ", if you do not know" } else { "" };
        eprintln!("  {} {answer}{assumed}", n + 1);
    }
    loop {
        eprint!("1 to {}: ", answers.len());
        let mut line = String::new();
        if std::io::stdin().read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let said = line.trim();
        let number = said.parse::<usize>().ok().and_then(|n| answers.get(n.checked_sub(1)?));
        match number.or_else(|| answers.iter().find(|answer| **answer == said)) {
            Some(answer) => return Ok(Some((*answer).to_owned())),
            None if said.is_empty() => return Ok(None),
            None => {}
        }
    }
}

#[derive(Args)]
pub struct New {
    /// The folder of the crate, whose name is the crate's.
    folder: PathBuf,
    /// The document that the bank publishes.
    #[arg(value_name = "FILE|URL")]
    document: String,
    /// The name of the client's module, in snake_case; none: the crate's.
    #[arg(long)]
    id: Option<String>,
    /// The provider's name; none: the document's title.
    #[arg(long)]
    name: Option<String>,
    /// Only these operations: `tag:Payments`, `path:/payments`, or an `operationId`.
    #[arg(long, value_name = "SELECTOR")]
    only: Vec<String>,
    /// Metadata of the authorization server (RFC 8414, OpenID Connect Discovery), for what the overlay says of it.
    #[arg(long, value_name = "FILE|URL")]
    metadata: Option<String>,
    /// Fetch that metadata from the address which the document names (`openIdConnectUrl`).
    #[arg(long, conflicts_with = "metadata")]
    discover: bool,
    /// A checkout of finrail that the crate depends on; none: what is published.
    #[arg(long, value_name = "FOLDER")]
    finrail: Option<PathBuf>,
}

impl New {
    pub fn options(self) -> new::Options {
        new::Options {
            folder: self.folder,
            document: self.document,
            id: self.id,
            name: self.name,
            only: self.only,
            metadata: self.metadata,
            discover: self.discover,
            finrail: self.finrail,
            today: today(),
            ask: asked(),
        }
    }
}

#[cfg(feature = "sandbox")]
#[derive(Args)]
pub struct Sandbox {
    /// `ofx`, `mx`, `omnifund`, `tatrabanka`, `finexer`, a bundle, or the folder of one; none: what stands in `specs`, or else
    /// the five.
    #[arg(value_name = "SPEC")]
    specifications: Vec<String>,
    /// The port on loopback; 0: a free one.
    #[arg(long, default_value_t = sandbox::PORT)]
    port: u16,
    /// Say where it listens, and with which clients, as one line of JSON.
    #[arg(long)]
    json: bool,
}

#[cfg(feature = "sandbox")]
impl Sandbox {
    pub fn options(self) -> sandbox::Options {
        sandbox::Options {
            specifications: self.specifications,
            port: self.port,
            json: self.json,
        }
    }
}

#[cfg(feature = "sandbox")]
#[derive(Subcommand)]
pub enum Control {
    /// What is played, where, with which clients; the time.
    State,
    /// Moves the clock forward.
    Clock {
        /// By how much: `90d`, `2h`, `30m`, `10s`.
        #[arg(value_parser = sandbox::duration)]
        by: Duration,
    },
    /// Makes something go wrong.
    Fault {
        /// At whom.
        provider: String,
        /// `status`, `html`, `too_many_requests`, `invalid_token`, `bare_unauthorized`, `slow`, `drop_connection`,
        /// `lost_reply`, `truncated`, `garbled`, `unknown_values`, `unknown_fields`, `unknown_kinds`; `none` ends all of them.
        kind: String,
        /// The status of `status` and `html`.
        #[arg(long)]
        status: Option<u16>,
        /// How long `slow` and `too_many_requests` wait.
        #[arg(long, value_parser = sandbox::duration)]
        wait: Option<Duration>,
        /// Only for this operation.
        #[arg(long, value_name = "OPERATION")]
        on: Option<String>,
        /// Only for requests with this field: `grant_type=refresh_token`.
        #[arg(long, value_name = "NAME=VALUE", value_parser = field)]
        with: Vec<(String, String)>,
        /// Not for the first requests, but after this many.
        #[arg(long)]
        after: Option<u32>,
        /// For this many requests instead of one.
        #[arg(long)]
        times: Option<u32>,
        /// For every request.
        #[arg(long, conflicts_with = "times")]
        always: bool,
    },
    /// Puts a document into a collection, as if it had been created.
    Put {
        /// At whom.
        provider: String,
        /// The collection's path: `/accounts`.
        path: String,
        /// A file with the document, or the document itself.
        #[arg(value_name = "FILE|JSON")]
        document: String,
    },
    /// The ids of what is in a collection.
    Ids {
        /// At whom.
        provider: String,
        /// The collection's path: `/accounts`.
        path: String,
    },
    /// Tokens without a browser, as if a user had agreed.
    Token {
        /// At whom.
        provider: String,
        /// To what; none: to everything.
        #[arg(long)]
        scope: Vec<String>,
        /// Who; none: the sandbox's own user.
        #[arg(long)]
        user: Option<String>,
    },
    /// Ends every grant, as if the users had withdrawn their consent.
    Revoke {
        /// At whom.
        provider: String,
    },
    /// How long tokens live that are issued from now on.
    Lifetime {
        /// At whom.
        provider: String,
        /// Access tokens.
        #[arg(long, value_parser = sandbox::duration)]
        access: Option<Duration>,
        /// Refresh tokens.
        #[arg(long, value_parser = sandbox::duration)]
        refresh: Option<Duration>,
        /// A spent refresh token still works this long.
        #[arg(long, value_parser = sandbox::duration)]
        grace: Option<Duration>,
    },
    /// Adds a user who can log in.
    User {
        /// At whom.
        provider: String,
        /// The name.
        name: String,
        /// The password.
        password: String,
    },
    /// What came in.
    Requests {
        /// At whom.
        provider: String,
        /// Forget it.
        #[arg(long)]
        forget: bool,
    },
}

#[cfg(feature = "sandbox")]
fn field(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(feature = "sandbox")]
impl Control {
    /// What the library is asked to do.
    pub fn task(self, here: &Path) -> io::Result<sandbox::Task> {
        use sandbox::Task;
        Ok(match self {
            Self::State => Task::State,
            Self::Clock { by } => Task::Clock(by),
            Self::Fault { provider, kind, .. } if kind == "none" => Task::NoFaults(provider),
            Self::Fault {
                provider,
                kind,
                status,
                wait,
                on,
                with,
                after,
                times,
                always,
            } => Task::Fault {
                provider,
                kind,
                status,
                wait,
                on,
                with: with.into_iter().collect(),
                after,
                times,
                always,
            },
            Self::Put {
                provider,
                path,
                document,
            } => Task::Put {
                provider,
                path,
                document: match document.trim_start().starts_with('{') {
                    true => document,
                    false => std::fs::read_to_string(here.join(&document))
                        .map_err(|error| io::Error::new(error.kind(), format!("{document}: {error}")))?,
                },
            },
            Self::Ids { provider, path } => Task::Ids { provider, path },
            Self::Token { provider, scope, user } => Task::Token {
                provider,
                scopes: scope,
                user,
            },
            Self::Revoke { provider } => Task::Revoke(provider),
            Self::Lifetime {
                provider,
                access,
                refresh,
                grace,
            } => Task::Lifetimes {
                provider,
                access,
                refresh,
                grace,
            },
            Self::User {
                provider,
                name,
                password,
            } => Task::User {
                provider,
                name,
                password,
            },
            Self::Requests { provider, forget: true } => Task::Forget(provider),
            Self::Requests { provider, .. } => Task::Requests(provider),
        })
    }
}
