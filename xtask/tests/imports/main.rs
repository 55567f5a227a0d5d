//! Imports go one way: between the rooms of `src/` as the picture in ARCHITECTURE.md says, and between files without a
//! circle.
//!
//! Every path is looked at, wherever it stands: in a `use`, in a type or an expression, in the arguments of a macro, in
//! the text of an attribute, under a name that a `use` gave, and files that are named instead. A path that cannot be read
//! is a fault too. What is compiled for tests only does not count. `samples` has one of each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod aliases;
mod graph;
mod items;
mod parts;
mod paths;
mod providers;
mod samples;
mod sources;
mod standing_for;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use graph::{circles, drawn, reduced, rooms};
use paths::Target;
use sources::Sources;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn rooms_import_in_one_direction_and_as_the_picture_says() {
    let graph = rooms(&Sources::read(&workspace().join("src")));
    assert_eq!(
        circles(&graph),
        Vec::<BTreeSet<String>>::new(),
        "rooms that import each other"
    );
    let drawn = drawn();
    let found = reduced(&graph);
    let lines = |edges: Vec<&(String, String)>| -> Vec<String> {
        edges.iter().map(|(from, to)| format!("{from} --> {to}")).collect()
    };
    assert_eq!(
        (
            lines(found.difference(&drawn).collect()),
            lines(drawn.difference(&found).collect())
        ),
        (Vec::new(), Vec::new()),
        "on the left what is imported and not drawn in ARCHITECTURE.md, on the right what is drawn and not imported"
    );
    // Names that the crate's root hands on are for users; inside, a path names the room.
    let rooms: BTreeSet<&str> = graph.keys().map(String::as_str).collect();
    assert!(rooms.len() >= 8 && rooms.contains("sandbox"), "{rooms:?}");
}

#[test]
fn the_sandbox_takes_nothing_from_the_crate_but_secrets() {
    let sources = Sources::read(&workspace().join("src"));
    let outside: BTreeSet<String> = sources
        .graph()
        .into_iter()
        .filter(|(file, _)| file.starts_with("sandbox/"))
        .flat_map(|(_, targets)| targets)
        .filter(|target| !target.starts_with("sandbox/"))
        .collect();
    assert_eq!(outside, BTreeSet::from(["value/secret.rs".to_owned()]));
}

#[test]
fn no_path_inside_the_crate_goes_through_its_root() {
    let sources = Sources::read(&workspace().join("src"));
    let mut through_the_root = Vec::new();
    for file in sources.files.iter().filter(|file| file.name != "lib.rs") {
        for reference in sources.references(file) {
            let Target::Path(names) = reference.to else { continue };
            let absolute = names.first().is_some_and(|name| name == "crate");
            // An exported macro has no other place.
            let named = names.get(1).is_some_and(|name| {
                sources.macros.contains_key(name) || sources.by_module.contains_key(&vec![name.clone()])
            });
            if absolute && !named {
                through_the_root.push(format!("{}: {}", file.name, names.join("::")));
            }
        }
    }
    assert_eq!(through_the_root, Vec::<String>::new(), "write `crate::<room>::..`");
}

/// Another name for the crate inside of it would hide where a path leads.
#[test]
fn the_crate_has_no_second_name_in_itself() {
    struct Renamed(usize);
    impl syn::visit::Visit<'_> for Renamed {
        fn visit_item_extern_crate(&mut self, item: &syn::ItemExternCrate) {
            self.0 += usize::from(item.ident == "self");
        }
    }
    for folder in FOLDERS {
        for file in &Sources::read(&workspace().join(folder)).files {
            let mut renamed = Renamed(0);
            let text = std::fs::read_to_string(workspace().join(folder).join(&file.name)).unwrap();
            syn::visit::Visit::visit_file(&mut renamed, &syn::parse_file(&text).unwrap());
            let allowed = usize::from(folder == "src" && file.name == "lib.rs");
            assert!(renamed.0 <= allowed, "{folder}/{}: `extern crate self`", file.name);
        }
    }
}

#[test]
fn documents_are_read_without_what_writes_rust() {
    let manifest = std::fs::read_to_string(workspace().join("codegen/spec/Cargo.toml")).unwrap();
    let needed: Vec<&str> = manifest
        .lines()
        .filter_map(|line| line.split_once([' ', '.', '=']).map(|(name, _)| name.trim_matches('"')))
        .collect();
    assert!(needed.contains(&"serde_json"), "{needed:?}");
    for one in [
        "syn",
        "quote",
        "prettyplease",
        "proc-macro2",
        "progenitor",
        "progenitor-impl",
        "typify",
    ] {
        assert!(
            !needed.contains(&one),
            "finrail-spec needs `{one}`: that belongs to the generator"
        );
    }
}

/// The folders whose files import one way.
const FOLDERS: [&str; 4] = ["src", "codegen/src", "codegen/spec/src", "cli/src"];

/// What cannot be read may lead anywhere.
#[test]
fn every_path_can_be_read() {
    let mut unreadable = Vec::new();
    for folder in FOLDERS {
        let sources = Sources::read(&workspace().join(folder));
        for file in &sources.files {
            let found = sources.unreadable(file);
            unreadable.extend(found.into_iter().map(|what| format!("{folder}/{}: {what}", file.name)));
        }
    }
    assert_eq!(
        unreadable,
        Vec::<String>::new(),
        "write the whole path, or the name of the file"
    );
}

#[test]
fn no_files_import_each_other() {
    for folder in FOLDERS {
        let graph = Sources::read(&workspace().join(folder)).undefended();
        assert!(graph.len() > 5, "{folder}: {} files", graph.len());
        assert_eq!(
            circles(&graph),
            Vec::<BTreeSet<String>>::new(),
            "{folder}: files in a circle"
        );
    }
}
