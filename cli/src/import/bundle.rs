//! A bundle of a document and an overlay: what the generator refuses of it is left out, until it refuses nothing.

use std::collections::{BTreeMap, BTreeSet};

use finrail_codegen::Options;
use finrail_spec::dialect::{Dialect, Loss, UnknownDialect, Weight};
use finrail_spec::json::Json;
use finrail_spec::lines::Lines;
use finrail_spec::naming::Renamed;
use finrail_spec::normal::{LeftOut, Only, has_calls, is_own, normalised, operations_of, prune, reached};
use finrail_spec::overlay::{self, OverlayFault, Written};
use finrail_spec::pointer::{join, keys};
use finrail_spec::readable::{Examples, Unreadable, examples, examples_of_schemas};
use finrail_spec::sources::Sources;

use super::record::Record;
use crate::wire_schemas::shared_schemas;

/// What a document is made into a client with.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The module's name.
    pub id: String,
    /// The provider's name, as people write it.
    pub name: String,
    /// The operations that are wanted.
    pub only: Only,
    /// Where the document is from: what every operation's provenance says.
    pub record: Option<Record>,
}

/// A bundle, and what became of the document.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The bundle, as JSON.
    pub bundle: String,
    /// The dialect of the document.
    pub dialect: Dialect,
    /// Operations of the document that were asked for.
    pub operations: usize,
    /// Those that the client has, each with what it lost that costs meaning.
    pub generated: BTreeMap<String, Vec<String>>,
    /// Those that it has not.
    pub left_out: Vec<LeftOut>,
    /// What it says no more.
    pub losses: Vec<Loss>,
    /// What is called otherwise.
    pub renamed: Vec<Renamed>,
    /// The examples of replies, and what of them the client cannot read.
    pub examples: Examples,
    /// The same of what the schemas of replies show of their values.
    pub examples_of_schemas: Examples,
}

impl Imported {
    /// What of all examples the client cannot read.
    pub fn unreadable(&self) -> impl Iterator<Item = &Unreadable> {
        self.examples
            .unreadable
            .iter()
            .chain(&self.examples_of_schemas.unreadable)
    }
}

/// Why there is no client.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The document is in no dialect that is read.
    #[error(transparent)]
    Dialect(#[from] UnknownDialect),
    /// No operation was chosen.
    #[error(
        "the document has no operation of that choice: `tag:..`, `path:..` and an operationId choose, as the document writes them"
    )]
    Choice,
    /// The overlay cannot be put over the document.
    #[error("the overlay does not fit: {}", told(.0))]
    Overlay(Vec<OverlayFault>),
    /// Something is missing of all of it.
    #[error("{}", .0.join("\n"))]
    Problems(Vec<String>),
}

fn told(faults: &[OverlayFault]) -> String {
    let faults: Vec<String> = faults
        .iter()
        .map(|fault| format!("{}: {}", fault.pointer, fault.wrong))
        .collect();
    faults.join("; ")
}

/// Makes a bundle of a document and an overlay.
///
/// # Errors
///
/// When the document or the overlay cannot be read, or nothing can be generated.
pub fn import(document: &Json, overlay: Option<&Json>, facts: &Facts) -> Result<Imported, ImportError> {
    let (document, written) = match overlay {
        Some(overlay) => {
            let over = overlay::apply(document, overlay).map_err(ImportError::Overlay)?;
            let written = overlay::written(&over, overlay);
            (over, written)
        }
        None => (document.clone(), Vec::new()),
    };
    let mut document = document;
    if is_own(&document) {
        add_shared_schemas(&mut document);
    }
    let normal = normalised(&document, &facts.only)?;
    if normal.operations == 0 {
        return Err(ImportError::Choice);
    }
    if !normal.problems.is_empty() {
        return Err(ImportError::Problems(normal.problems));
    }
    let mut root = with_provider(normal.root, facts);
    let mut left_out = normal.left_out;
    // What the generator itself refuses is left out too, until it refuses nothing.
    loop {
        add_shared_schemas(&mut root);
        let text = root.to_pretty();
        let Err(errors) = finrail_codegen::generate(&format!("{}.json", facts.id), &text, &Options::default()) else {
            break;
        };
        let places = Places::of(&root, &text);
        let mut of_overlay: Vec<OverlayFault> = Vec::new();
        let (mut refused, mut problems): (BTreeMap<String, Vec<String>>, Vec<String>) = Default::default();
        for error in &errors.0 {
            let of = places.operations(error.operation.as_deref(), error.line);
            // What a person wrote is corrected where it stands, and costs no operation.
            let blamed = written.iter().find(|one| is_wrong(one, &error.reason, &of));
            if let Some(Written { pointer, .. }) = blamed {
                if !of_overlay.iter().any(|known| known.pointer == *pointer) {
                    of_overlay.push(OverlayFault {
                        pointer: pointer.clone(),
                        wrong: error.reason.clone(),
                    });
                }
                continue;
            }
            if of.is_empty() {
                problems.push(error.reason.clone());
            }
            for pointer in of {
                refused.entry(pointer).or_default().push(error.reason.clone());
            }
        }
        if !of_overlay.is_empty() {
            return Err(ImportError::Overlay(of_overlay));
        }
        if refused.is_empty() {
            return Err(ImportError::Problems(problems));
        }
        for (pointer, reasons) in refused {
            root.remove_pointer(&pointer);
            left_out.push(LeftOut { pointer, reasons });
        }
        if !has_calls(&root) {
            return Err(ImportError::Problems(left_out.iter().map(LeftOut::told).collect()));
        }
        prune(&mut root);
    }
    let losses = normal.losses;
    let generated = operations_of(&root)
        .into_iter()
        .filter(|(_, operation)| operation.get("x-client").is_none())
        .map(|(pointer, operation)| {
            let schemas = reached(&root, operation);
            let is_of_it = |loss: &&Loss| match keys(&loss.pointer).as_slice() {
                [components, section, name, ..] if components == "components" && section == "schemas" => {
                    schemas.contains(renamed_to(&normal.renamed, name))
                }
                _ => loss.pointer.starts_with(&pointer),
            };
            let of_it = losses
                .iter()
                .filter(|loss| loss.weight == Weight::Meaning)
                .filter(is_of_it);
            let lost = of_it.map(|loss| loss.what.clone()).collect();
            (pointer, lost)
        })
        .collect();
    let source = Sources::of(&document);
    let mut of_replies = examples(&root);
    for one in &mut of_replies.unreadable {
        let example = root.pointer(&one.example);
        one.written = example.and_then(|example| source.example(&one.operation, &one.status, example));
    }
    Ok(Imported {
        bundle: root.to_pretty(),
        dialect: normal.dialect,
        operations: normal.operations,
        generated,
        left_out,
        losses,
        renamed: normal.renamed,
        examples: of_replies,
        examples_of_schemas: examples_of_schemas(&root, source),
    })
}

/// Whether the generator refuses what an overlay wrote, by the reason that it gives for these operations.
fn is_wrong(one: &Written, reason: &str, operations: &BTreeSet<String>) -> bool {
    let is_of_paths = one.place.starts_with("/paths/");
    match is_of_paths {
        true => {
            let is_there = |pointer: &String| pointer.starts_with(&one.place) || one.place.starts_with(pointer);
            reason.starts_with(&format!("`{}`", one.name)) && operations.iter().any(is_there)
        }
        // What it is at all, and not whether the document fits it.
        false => reason.contains(&format!("`{}`: ", one.name)) && reason.contains("https://docs.rs/finrail-codegen"),
    }
}

/// What a schema of the document is called now.
fn renamed_to<'r>(renamed: &'r [Renamed], name: &'r str) -> &'r str {
    let pointer = join("/components/schemas", name);
    let found = renamed.iter().find(|one| one.pointer == pointer);
    found.map_or(name, |one| one.to.as_str())
}

fn with_provider(mut root: Json, facts: &Facts) -> Json {
    if root.get("x-provider").is_none() {
        let provider = Json::object([
            ("id", Json::str(facts.id.as_str())),
            ("name", Json::str(facts.name.as_str())),
            ("env_prefix", Json::str(facts.id.to_uppercase())),
        ]);
        root.set("x-provider", provider);
    }
    root.set("openapi", Json::str("3.0.3"));
    if let Some(record) = &facts.record {
        let provenance = Json::object([
            ("grade", Json::str("official")),
            ("checked", Json::str(record.taken.as_str())),
            ("sources", Json::Array(vec![Json::str(record.from.as_str())])),
        ]);
        for (pointer, operation) in operations_of(&root.clone()) {
            if operation.get("x-provenance").is_none() {
                root.set_pointer(&join(&pointer, "x-provenance"), provenance.clone());
            }
        }
    }
    root
}

/// The schemas of the token endpoint are those of the library.
fn add_shared_schemas(root: &mut Json) {
    let wanted = shared_schemas();
    for (name, schema) in &wanted {
        let reference = format!("\"#/components/schemas/{name}\"");
        if root
            .get("paths")
            .is_some_and(|paths| paths.to_string().contains(&reference))
        {
            root.set_pointer(&join("/components/schemas", name), Json::from(schema));
        }
    }
}

/// What stands on which line of a bundle.
struct Places<'r> {
    root: &'r Json,
    /// Operations and named schemas, by the line where each begins.
    begins: BTreeMap<usize, String>,
    /// `operationId` to pointer.
    by_id: BTreeMap<String, String>,
}

impl<'r> Places<'r> {
    fn of(root: &'r Json, text: &str) -> Self {
        let lines = Lines::of(text);
        let mut begins = BTreeMap::new();
        let mut by_id = BTreeMap::new();
        for (pointer, operation) in operations_of(root) {
            if let Some(id) = operation.get("operationId").and_then(Json::as_str) {
                by_id.insert(id.to_owned(), pointer.clone());
            }
            begins.extend(lines.get(&pointer).map(|line| (line, pointer)));
        }
        let schemas = root
            .pointer("/components/schemas")
            .map(Json::members)
            .unwrap_or_default();
        for (name, _) in schemas {
            let pointer = join("/components/schemas", name);
            begins.extend(lines.get(&pointer).map(|line| (line, pointer)));
        }
        Self { root, begins, by_id }
    }

    /// The operations that an error is of: the one that it names, or all that lead to the schema where it stands.
    fn operations(&self, id: Option<&str>, line: Option<usize>) -> BTreeSet<String> {
        if let Some(pointer) = id.and_then(|id| self.by_id.get(id)) {
            return BTreeSet::from([pointer.clone()]);
        }
        let Some((_, place)) = line.and_then(|line| self.begins.range(..=line).next_back()) else {
            return BTreeSet::new();
        };
        match keys(place).as_slice() {
            [_, _, name] if place.starts_with("/components/") => operations_of(self.root)
                .into_iter()
                .filter(|(_, operation)| reached(self.root, operation).contains(name))
                .map(|(pointer, _)| pointer)
                .collect(),
            _ => BTreeSet::from([place.clone()]),
        }
    }
}
