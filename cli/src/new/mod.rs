//! `new`: a crate for one bank, of the document that it publishes: the specification, a build script, a test against the sandbox
//! that plays it, and a page that says how to go on.

mod files;
mod journey;
mod names;

use std::io;
use std::path::{Path, PathBuf};

use finrail_spec::json::Json;
use finrail_spec::model::Specification;
use finrail_spec::names::snake_case;

use crate::import;
use crate::place::{found, is_address};
use crate::shell::{Outcome, Shell, Tone, quoted};
use crate::whole::Making;
use crate::workspace::{BUNDLE, OVERLAY};

/// What is asked of a run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The folder of the crate, whose name is the crate's.
    pub folder: PathBuf,
    /// The document: a file or an address.
    pub document: String,
    /// The name of the client's module; none: the crate's.
    pub id: Option<String>,
    /// The provider's name; none: the document's title.
    pub name: Option<String>,
    /// Which operations; none: all.
    pub only: Vec<String>,
    /// Metadata of the authorization server (RFC 8414): a file or an address.
    pub metadata: Option<String>,
    /// Fetch that from the address which the document names.
    pub discover: bool,
    /// A checkout of finrail; none: what is published.
    pub finrail: Option<PathBuf>,
    /// `YYYY-MM-DD`, for the record of where the document is from.
    pub today: String,
    /// Asks a person, where there is one.
    pub ask: Option<import::Ask>,
}

/// Makes the crate.
///
/// # Errors
///
/// The file system's, and the writer's.
pub fn run(root: &Path, command: &str, options: &Options, shell: &mut Shell<'_>) -> io::Result<Outcome> {
    let refused = |shell: &mut Shell<'_>, why: &str| -> io::Result<Outcome> {
        shell.header(Tone::Bad, "Refused", why)?;
        Ok(Outcome::Failure)
    };
    let shown = options.folder.display().to_string();
    let folder = root.join(&options.folder);
    let name = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    if let Err(why) = names::package(&name) {
        return refused(shell, &why);
    }
    let id = options.id.clone().unwrap_or_else(|| snake_case(&name));
    let begun = folder.join("specs").join(&id).join(OVERLAY);
    let is_begun = begun.is_file() && !folder.join("Cargo.toml").exists();
    if !is_begun && std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return refused(
            shell,
            &format!("{shown} is there already and is not empty: name another folder"),
        );
    }
    let finrail = match &options.finrail {
        None => None,
        Some(place) => {
            let checkout = found(root, &place.display().to_string());
            if !checkout.join("codegen/Cargo.toml").is_file() {
                return refused(shell, &format!("{} is no checkout of finrail", place.display()));
            }
            Some(checkout.canonicalize()?)
        }
    };
    // Relative to where the command was given, and not to the new crate.
    let document = match is_address(&options.document) {
        true => options.document.clone(),
        false => found(root, &options.document).display().to_string(),
    };
    let metadata = options.metadata.as_ref().map(|place| match is_address(place) {
        true => place.clone(),
        false => found(root, place).display().to_string(),
    });
    let asked = import::Options {
        document: Some(document),
        id: id.clone(),
        name: options.name.clone(),
        only: options.only.clone(),
        metadata,
        discover: options.discover,
        today: options.today.clone(),
        ask: options.ask,
        then: Some("give this command again".to_owned()),
        ..import::Options::default()
    };
    let making = Making::new(&folder)?;
    let specification = making.folder().join("specs").join(&id);
    if is_begun {
        // What a person wrote into the overlay since.
        std::fs::create_dir_all(&specification)?;
        std::fs::copy(&begun, specification.join(OVERLAY))?;
    }
    let outcome = import::run(making.folder(), command, &asked, shell)?;
    let bundle = specification.join(BUNDLE);
    if outcome == Outcome::Failure {
        // Where something is missing of all of it there is an overlay now; the rest is made when it has been said.
        if !is_begun && specification.join(OVERLAY).is_file() {
            making.finish()?;
        }
        return Ok(outcome);
    }
    let text = std::fs::read_to_string(&bundle)?;
    let document = Json::parse(&text).map_err(|error| io::Error::other(error.to_string()))?;
    let document = Specification::read_as_it_is(document)
        .map_err(|faults| io::Error::other(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))?;
    let made = files::Crate {
        name: &name,
        id: &id,
        command,
        finrail: finrail.as_deref(),
        document: &document,
    };
    for (file, text) in made.files() {
        let path = making.folder().join(file);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
    }
    making.finish()?;
    shell.header(
        Tone::Good,
        "Created",
        &format!("{shown}, a crate with the client of {}", document.provider.name),
    )?;
    let place = quoted(&shown);
    shell.header(Tone::Note, "Next", &format!("cd {place} && cargo test"))?;
    if finrail.is_none() {
        shell.line("the crate needs a finrail on crates.io: where this version is not there, give `--finrail <folder of the checkout>` and another folder")?;
    }
    Ok(Outcome::Fresh)
}
