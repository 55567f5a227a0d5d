//! `import`: a typed client of a document that a provider published. The document and an overlay with what only a person knows
//! become a bundle, which `build.rs` reads; what cannot be generated is told, all of it at once, and costs nothing else.

mod bundle;
mod folder;
pub mod metadata;
mod overlay;
mod proposals;
mod readers;
mod record;
mod report;

use std::io;
use std::path::{Path, PathBuf};

use finrail_spec::bearer::{CREDENTIALS, in_doubt};
use finrail_spec::dialect::Dialect;
use finrail_spec::json::Json;
use finrail_spec::normal::{Only, operations_of};
use finrail_spec::published::{Language, Published};

pub use bundle::{Facts, ImportError, Imported, import};
pub use folder::{Again, again, newer};
pub use proposals::{Proposal, proposals};
pub use readers::{Readers, readers};
pub use record::Record;

use crate::place::{fetch, web_page};
use crate::shell::{Outcome, Shell, Tone, quoted};
use crate::workspace::{BUNDLE, OVERLAY};
use folder::{document_in, facts};
use metadata::Known;

/// What is asked of a run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The document: a file or an address. None: the one that was imported before.
    pub document: Option<String>,
    /// The module's name.
    pub id: String,
    /// The provider's name; none: the document's title.
    pub name: Option<String>,
    /// Which operations: `tag:..`, `path:..`, or an `operationId`. None: those that were chosen before, or all.
    pub only: Vec<String>,
    /// The folder; none: `specs/<id>`.
    pub into: Option<PathBuf>,
    /// Take a newer document in the place of one that is there.
    pub again: bool,
    /// Metadata of the authorization server (RFC 8414), a file or an address: what a new overlay says of it.
    pub metadata: Option<String>,
    /// Fetch the metadata from the address that the document names.
    pub discover: bool,
    /// `YYYY-MM-DD`, for the record of where the document is from.
    pub today: String,
    /// Asks a person, where there is one.
    pub ask: Option<Ask>,
    /// Say what became of the document as JSON.
    pub json: bool,
    /// What a person does when what is missing stands in the overlay; none: this command again.
    pub then: Option<String>,
}

/// Asks a person a question with these answers, the first of which is assumed; none: nothing was chosen.
pub type Ask = fn(question: &str, answers: &[&str]) -> io::Result<Option<String>>;

/// Imports a document into a folder: the document as it came, an overlay where there is none, and the bundle.
///
/// # Errors
///
/// The file system's, and the writer's.
pub fn run(root: &Path, command: &str, options: &Options, shell: &mut Shell<'_>) -> io::Result<Outcome> {
    let id = &options.id;
    if !finrail_spec::names::is_snake_case(id) || finrail_spec::names::is_keyword(id) {
        shell.header(
            Tone::Bad,
            "Refused",
            &format!("`{id}` is no name of a module: write it in snake_case, as in `my_bank`"),
        )?;
        return Ok(Outcome::Failure);
    }
    let shown = options.into.clone().unwrap_or_else(|| PathBuf::from("specs").join(id));
    let folder = root.join(&shown);
    let known = document_in(&folder);
    let bytes = match (&options.document, &known) {
        (Some(place), Some(known)) if !options.again => {
            let file = shown.join(known.file_name().unwrap_or_default());
            shell.header(
                Tone::Bad,
                "Refused",
                &format!(
                    "{} is there already: to take {place} in its place, add `--again`",
                    file.display()
                ),
            )?;
            return Ok(Outcome::Failure);
        }
        (Some(place), _) => fetch(root, place)?,
        (None, Some(known)) => std::fs::read(known)?,
        (None, None) => {
            let what = format!("{} has no document yet: name a file or an address", shown.display());
            shell.header(Tone::Bad, "Refused", &what)?;
            return Ok(Outcome::Failure);
        }
    };
    let place = options.document.clone().unwrap_or_else(|| shown.display().to_string());
    let published = match document(&place, &bytes) {
        Ok(published) => published,
        Err(why) => {
            shell.header(Tone::Bad, "Refused", &why)?;
            return Ok(Outcome::Failure);
        }
    };
    let record = match (&options.document, Record::read(&folder)?) {
        (None, Some(record)) if !record.fits(&bytes) => {
            let file = shown.join(known.as_deref().and_then(Path::file_name).unwrap_or_default());
            let what = format!(
                "{}: the document is not as it came: put it back, and say what it lacks in {OVERLAY}; or take a newer one with `--again`",
                file.display()
            );
            shell.header(Tone::Bad, "Refused", &what)?;
            return Ok(Outcome::Failure);
        }
        (None, Some(record)) => record,
        (None, None) => {
            let file = known
                .as_deref()
                .map_or(String::new(), |known| known.display().to_string());
            Record::of(&file, &bytes, &options.today)
        }
        (Some(place), _) => Record::of(place, &bytes, &options.today),
    };
    let title = published.root.at(&["info", "title"]).and_then(|title| title.as_str());
    let name = options
        .name
        .clone()
        .or_else(|| title.map(|title| title.trim().to_owned()));
    let overlay_file = folder.join(OVERLAY);
    // One that is as it was written is made again with what is known now.
    let asks_server = options.metadata.is_some() || options.discover;
    let is_untouched = || {
        let name = name.as_deref().unwrap_or(id);
        let first = overlay::text(
            &published.root,
            id,
            name,
            &options.only,
            &Known::default(),
            &proposals(&published.root),
        );
        std::fs::read_to_string(&overlay_file).is_ok_and(|text| text == first)
    };
    let is_new = !overlay_file.exists() || (asks_server && is_untouched());
    if asks_server && !is_new {
        let what = format!(
            "{} is there, and was changed: nothing of the metadata is written into it",
            shown.join(OVERLAY).display()
        );
        shell.header(Tone::Warn, "Metadata", &what)?;
    }
    let known_of_server = match is_new {
        false => None,
        true => match known_of(root, options, &published, shell)? {
            Ok(known) => Some(known),
            Err(why) => {
                shell.header(Tone::Bad, "Refused", &why)?;
                return Ok(Outcome::Failure);
            }
        },
    };
    let new_overlay = |known: &Known, proposals: &[Proposal]| {
        let name = name.as_deref().unwrap_or(id);
        overlay::text(&published.root, id, name, &options.only, known, proposals)
    };
    let mut overlay_text = match &known_of_server {
        None => std::fs::read_to_string(&overlay_file)?,
        Some(known) => new_overlay(known, &proposals(&published.root)),
    };
    let overlay = match Published::read(overlay_text.as_bytes()) {
        Ok(overlay) => overlay,
        Err(error) => {
            let (line, column) = (error.position.line, error.position.column);
            let file = shown.join(OVERLAY);
            shell.header(
                Tone::Bad,
                "Refused",
                &format!("{}:{line}:{column}: {}", file.display(), error.message),
            )?;
            return Ok(Outcome::Failure);
        }
    };
    let facts = facts(
        id,
        name.as_deref(),
        &published.root,
        &overlay.root,
        &options.only,
        Some(&record),
    );
    // A choice that chooses nothing is a mistake, whatever else was chosen.
    let over = finrail_spec::overlay::apply(&published.root, &overlay.root);
    if let Some(why) = over.ok().and_then(|over| no_choice(&facts.only, &over)) {
        shell.header(Tone::Bad, "Refused", &why)?;
        return Ok(Outcome::Failure);
    }
    // The bytes as they came.
    let document_file = match published.language {
        Language::Json => "openapi.json",
        Language::Yaml => "openapi.yaml",
    };
    // All of it or nothing.
    let keep = |overlay_text: &str, bundle: Option<&str>| {
        let record = record.text()?;
        let mut files = vec![(document_file, bytes.as_slice()), (record::RECORD, record.as_bytes())];
        if is_new {
            files.push((OVERLAY, overlay_text.as_bytes()));
        }
        files.extend(bundle.map(|bundle| (BUNDLE, bundle.as_bytes())));
        crate::whole::write(&folder, &files)?;
        match known.as_ref().filter(|known| !known.ends_with(document_file)) {
            Some(known) => std::fs::remove_file(known),
            None => Ok(()),
        }
    };
    let next = format!(
        "{command} import --id {id}{}",
        options.into.as_ref().map_or(String::new(), |into| format!(
            " --into {}",
            quoted(&into.display().to_string())
        ))
    );
    let imported = match import(&published.root, Some(&overlay.root), &facts) {
        Ok(imported) => imported,
        Err(error) => {
            report::refused(&error, &shown.join(OVERLAY), &overlay, shell)?;
            // What is missing has a place in an overlay: there is one to write it into.
            if is_new && matches!(error, ImportError::Problems(_)) {
                keep(&overlay_text, None)?;
                let then = options.then.clone().unwrap_or_else(|| format!("run: {next}"));
                let what = format!("write that into {}, then {then}", shown.join(OVERLAY).display());
                shell.header(Tone::Note, "Next", &what)?;
                if let Some(url) = overlay::discovered(&published.root).filter(|_| !asks_server) {
                    let with = format!("--metadata {}", quoted(url));
                    let what = match &options.then {
                        Some(then) => format!("or {then} with {with}"),
                        None => format!("or run: {next}{} {with}", chosen(options)),
                    };
                    shell.line(&format!(
                        "{what}; the server's metadata says where tokens are got, and `--discover` finds its address in the document"
                    ))?;
                }
            }
            return Ok(Outcome::Failure);
        }
    };
    // What the overlay says already is proposed no more.
    let said = finrail_spec::overlay::apply(&published.root, &overlay.root);
    let mut proposals = proposals(said.as_ref().unwrap_or(&published.root));
    let readers = readers(&published.root, Some(&overlay.root), &facts, &imported);
    // An amount is read from a number and from a text.
    let of_readers = readers.proposals.iter();
    let is_unproposed = |one: &&Proposal| !proposals.iter().any(|known| known.target == one.target);
    let of_readers: Vec<Proposal> = of_readers.filter(is_unproposed).cloned().collect();
    proposals.extend(of_readers);
    if let Some(known) = &known_of_server {
        overlay_text = new_overlay(known, &proposals);
    }
    keep(&overlay_text, Some(&imported.bundle))?;
    if options.json {
        let value = report::as_value(&imported, &published, &proposals, &readers, shell.told());
        shell.raw(&format!("{value:#}"))?;
        return Ok(Outcome::Fresh);
    }
    report::told(&imported, &published, &readers, &shown.join(document_file), shell)?;
    report::proposed(&proposals, &overlay_text, shell)?;
    if !is_new && !options.only.is_empty() && options.only != overlay::only(&overlay.root) {
        let only: Vec<String> = options.only.iter().map(|one| format!("\"{one}\"")).collect();
        let what = format!(
            "the choice is of this run alone; to keep it, write `x-only: [{}]` into {}",
            only.join(", "),
            shown.join(OVERLAY).display()
        );
        shell.header(Tone::Note, "Chosen", &what)?;
    }
    let what = match is_new {
        true => format!(
            "{} holds what only a person knows: look through it, then run: {next}",
            shown.join(OVERLAY).display()
        ),
        false => format!("{} is what build.rs reads", shown.join(BUNDLE).display()),
    };
    shell.header(Tone::Note, "Next", &what)?;
    Ok(Outcome::Fresh)
}

/// So many of what there is to choose are told.
const TOLD: usize = 12;

/// What of a choice chooses nothing, and what there is.
fn no_choice(only: &Only, document: &Json) -> Option<String> {
    let nothing = only.without_match(document);
    if nothing.is_empty() {
        return None;
    }
    let told = |words: &[&str]| {
        let first: Vec<String> = words.iter().take(TOLD).map(|word| format!("`{word}`")).collect();
        let more = if words.len() > TOLD { ", .." } else { "" };
        format!("{}{more}", first.join(", "))
    };
    let mut tags: Vec<&str> = Vec::new();
    for (_, operation) in operations_of(document) {
        let of_it = operation.get("tags").map(Json::items).unwrap_or_default();
        for tag in of_it.iter().filter_map(Json::as_str) {
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
    }
    let paths = document.get("paths").map(Json::members).unwrap_or_default();
    let paths: Vec<&str> = paths.iter().map(|(path, _)| path.as_str()).collect();
    let nothing: Vec<&str> = nothing.iter().map(String::as_str).collect();
    let tags = match tags.as_slice() {
        [] => "it has no tags".to_owned(),
        tags => format!("its tags are {}", told(tags)),
    };
    Some(format!(
        "the document has no operation of that choice: {}; {tags}, and its paths {} (`tag:..`, `path:..` and an operationId choose)",
        told(&nothing),
        told(&paths)
    ))
}

/// The arguments by which the same overlay is made again.
fn chosen(options: &Options) -> String {
    let name = options.name.iter().map(|name| ("--name", name));
    let only = options.only.iter().map(|only| ("--only", only));
    name.chain(only)
        .map(|(flag, value)| format!(" {flag} {}", quoted(value)))
        .collect()
}

/// The document that came, in a dialect that is read; else why not. An overlay cannot be blamed for it.
fn document(place: &str, bytes: &[u8]) -> Result<Published, String> {
    if let Some(why) = web_page(place, bytes, "an OpenAPI document") {
        return Err(why);
    }
    let published = Published::read(bytes).map_err(|error| {
        let (line, column) = (error.position.line, error.position.column);
        format!("{place}:{line}:{column}: {}", error.message)
    })?;
    match Dialect::of(&published.root) {
        Ok(_) => Ok(published),
        Err(why) => Err(format!("{place}: {why}")),
    }
}

/// What metadata says of the authorization server, and then a person of what is left; notes are told.
fn known_of(
    root: &Path,
    options: &Options,
    published: &Published,
    shell: &mut Shell<'_>,
) -> io::Result<Result<Known, String>> {
    let place = match (&options.metadata, options.discover) {
        (Some(place), _) => Some(place.clone()),
        (None, true) => match overlay::discovered(&published.root) {
            Some(place) => Some(place.to_owned()),
            None => {
                let why = "the document names no address of metadata (`openIdConnectUrl`): give it by `--metadata <file|url>`";
                return Ok(Err(why.to_owned()));
            }
        },
        (None, false) => None,
    };
    let mut known = match &place {
        None => Known::default(),
        Some(place) => {
            let bytes = fetch(root, place)?;
            if let Some(why) = web_page(place, &bytes, "metadata of an authorization server") {
                return Ok(Err(why));
            }
            match metadata::known(&bytes) {
                Ok(known) => known,
                Err(why) => return Ok(Err(format!("{place}: {why}"))),
            }
        }
    };
    for note in &known.notes {
        shell.header(Tone::Warn, "Metadata", note)?;
    }
    if let Some(ask) = options.ask.filter(|_| overlay::oauth(&published.root).is_some()) {
        if known.authentication.is_none() {
            let question = "How does the client show who it is at the token endpoint (RFC 6749 section 2.3.1)?";
            known.authentication = ask(question, &metadata::AUTHENTICATIONS)?;
        }
        if known.pkce.is_none() {
            let question = "What does the bank's documentation say of PKCE (RFC 7636)?";
            known.pkce = ask(question, &["undocumented", "required", "supported", "refused"])?;
        }
    }
    if let Some(ask) = options.ask {
        for (place, taken) in in_doubt(&published.root) {
            let name = place.last().map_or("", String::as_str);
            let question = format!(
                "Is the bearer token `{name}` a key that the bank hands out, or the access token of OAuth (RFC 6750)?"
            );
            let mut answers = CREDENTIALS;
            answers.sort_by_key(|word| *word != taken.word());
            if let Some(answer) = ask(&question, &answers)? {
                known.bearers.insert(name.to_owned(), answer);
            }
        }
    }
    Ok(Ok(known))
}
