//! `sandbox`: providers played on a port of this machine, until somebody ends it.

mod control;
mod duration;
mod taken;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use finrail::sandbox::Sandbox;
use serde_json::{Map, Value, json};

pub use control::{Control, Task};
pub use duration::duration;

use crate::place::found;
use crate::shell::{Outcome, Shell, Tone};
use taken::Taken;

/// The port where nothing else is said.
pub const PORT: u16 = 8700;

/// What is asked of a run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What is played: one of the five, a bundle, or the folder of one. None: what stands in `specs`, or else the five.
    pub specifications: Vec<String>,
    /// The port on loopback; 0: a free one.
    pub port: u16,
    /// Say where it listens as JSON.
    pub json: bool,
}

/// Plays until `Ctrl-C`.
///
/// # Errors
///
/// The file system's, the writer's, and when there is no runtime.
pub fn run(root: &Path, command: &str, options: &Options, shell: &mut Shell<'_>) -> io::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let started = match bundles(root, &options.specifications) {
            Ok(bundles) => played(&bundles, options.port).await.map(|sandbox| (sandbox, bundles)),
            Err(why) => Err(why),
        };
        let (sandbox, bundles) = match started {
            Ok(started) => started,
            Err(why) => {
                shell.header(Tone::Bad, "Refused", &why)?;
                return Ok(Outcome::Failure);
            }
        };
        let taken = taken::by_provider(&bundles);
        told(&sandbox, &taken, command, options.json, shell)?;
        tokio::signal::ctrl_c().await?;
        Ok(Outcome::Fresh)
    })
}

/// Starts what is asked for.
///
/// # Errors
///
/// In words, why nothing is played.
pub async fn start(root: &Path, options: &Options) -> Result<Sandbox, String> {
    played(&bundles(root, &options.specifications)?, options.port).await
}

async fn played(bundles: &[String], port: u16) -> Result<Sandbox, String> {
    let bundles: Vec<&str> = bundles.iter().map(String::as_str).collect();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let started = Sandbox::start_from(address, &bundles).await;
    started.map_err(|error| {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        match source {
            Some(source) => format!("port {port}: {error}: {source}; another is chosen by `--port`"),
            None => error.to_string(),
        }
    })
}

/// The bundles that are named, or those of the folder, or those of the five.
fn bundles(root: &Path, named: &[String]) -> Result<Vec<String>, String> {
    if !named.is_empty() {
        return named.iter().map(|name| bundle(root, name)).collect();
    }
    let own = imported(root);
    if own.is_empty() {
        return Ok(Sandbox::specifications()
            .into_iter()
            .map(|(_, bundle)| bundle.to_owned())
            .collect());
    }
    own.iter().map(|file| read(file)).collect()
}

/// The bundles that `import` left in `specs`.
fn imported(root: &Path) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(root.join("specs")).into_iter().flatten().flatten();
    // What a run left unfinished begins with a dot.
    let folders = folders.filter(|folder| !folder.file_name().to_string_lossy().starts_with('.'));
    let mut files: Vec<PathBuf> = folders.map(|folder| folder.path().join("bundle.json")).collect();
    files.retain(|file| file.is_file());
    files.sort();
    files
}

fn bundle(root: &Path, name: &str) -> Result<String, String> {
    let beside = root.join("specs").join(name).join("bundle.json");
    let place = found(root, name);
    let candidates = [beside, place.join("bundle.json"), place];
    if let Some(file) = candidates.iter().find(|file| file.is_file()) {
        return read(file);
    }
    let own = Sandbox::specifications();
    if let Some((_, bundle)) = own.iter().find(|(id, _)| id == name) {
        return Ok((*bundle).to_owned());
    }
    let own: Vec<String> = own.into_iter().map(|(id, _)| id).collect();
    Err(format!(
        "`{name}` is no bundle, no folder with a bundle.json, and none of {}",
        own.join(", ")
    ))
}

fn read(file: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let text = text.trim_start_matches('\u{feff}');
    // What a bank publishes is no bundle yet.
    if !text.trim_start().starts_with('{') {
        return Err(format!(
            "{} is no bundle: import the document that the bank publishes first, and give the `bundle.json` that this makes",
            file.display()
        ));
    }
    Ok(text.to_owned())
}

/// Where everything is, what opens it, and how to go on.
fn told(
    sandbox: &Sandbox,
    taken: &BTreeMap<String, Taken>,
    command: &str,
    as_json: bool,
    shell: &mut Shell<'_>,
) -> io::Result<()> {
    let providers = sandbox.providers();
    let origin = providers.first().map_or(String::new(), |id| origin(&sandbox.url(id)));
    let of = |id: &String| taken.get(id).cloned().unwrap_or_default();
    if as_json {
        let told: Vec<Value> = providers.iter().map(|id| as_value(sandbox, id, &of(id))).collect();
        return shell.raw(&json!({ "sandbox": origin, "providers": told }).to_string());
    }
    shell.header(Tone::Good, "Sandbox", &format!("{origin}, until Ctrl-C"))?;
    for id in &providers {
        let client = sandbox.client(id);
        let taken = of(id);
        shell.header(Tone::Note, id, &format!("resources {}", sandbox.url(id)))?;
        if taken.oauth {
            if sandbox.oauth_url(id) != sandbox.url(id) {
                shell.line(&format!("authorization server {}", sandbox.oauth_url(id)))?;
            }
            shell.line(&format!(
                "client {} with the secret {}, sent back to {}",
                client.client_id,
                client.client_secret.expose_secret(),
                client.redirect_uri
            ))?;
            shell.line(&format!(
                "user {} with the password {}",
                client.username,
                client.password.expose_secret()
            ))?;
        }
        for line in taken.lines(&client) {
            shell.line(&line)?;
        }
    }
    let example = providers.first().map_or("ofx", String::as_str);
    let token = match of(&example.to_owned()).oauth {
        true => format!("{command} control token {example}"),
        false => format!("{command} control requests {example}"),
    };
    shell.header(Tone::Note, "Control", &format!("{token}, {command} control --help"))
}

fn origin(url: &str) -> String {
    url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
}

fn as_value(sandbox: &Sandbox, id: &str, taken: &Taken) -> Value {
    let client = sandbox.client(id);
    let mut told = Map::new();
    told.insert("id".to_owned(), json!(id));
    told.insert("url".to_owned(), json!(sandbox.url(id)));
    if taken.oauth {
        let of_oauth = json!({
            "oauth_url": sandbox.oauth_url(id),
            "client_id": client.client_id,
            "client_secret": client.client_secret.expose_secret(),
            "redirect_uri": client.redirect_uri,
            "username": client.username,
            "password": client.password.expose_secret(),
        });
        told.extend(of_oauth.as_object().cloned().unwrap_or_default());
    }
    told.extend(taken.as_members(&client));
    Value::Object(told)
}
