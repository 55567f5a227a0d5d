//! Imports go one way: between the rooms of `src/` as the picture in ARCHITECTURE.md says, and between files without a
//! circle.
//!
//! Every path is looked at, wherever it stands: in a `use`, in a type or an expression, in the arguments of a macro, in
//! the text of an attribute. What is compiled for tests only does not count.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;

type Graph = BTreeMap<String, BTreeSet<String>>;

/// One file of `src/`, as a module.
struct File {
    /// Relative to `src/`: `token/store/mod.rs`.
    name: String,
    /// `["token", "store"]`; empty for `lib.rs`.
    module: Vec<String>,
    syntax: syn::File,
    text: String,
}

/// The files of a source folder that are compiled outside tests, and what the names in each stand for.
struct Sources {
    files: Vec<File>,
    by_module: BTreeMap<Vec<String>, usize>,
}

/// A path of a file: the module that it starts from, and its names.
struct Reference {
    from: Vec<String>,
    names: Vec<String>,
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Sources {
    fn read(folder: &Path) -> Self {
        let mut paths = Vec::new();
        collect(folder, &mut paths);
        paths.sort();
        let mut files = Vec::new();
        for path in paths {
            let name = path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
            let module = module_of(&name);
            let text = fs::read_to_string(&path).unwrap();
            let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            files.push(File {
                name,
                module,
                syntax,
                text,
            });
        }
        let tests = test_modules(&files);
        files.retain(|file| !tests.iter().any(|test| file.module.starts_with(test)));
        let by_module = files
            .iter()
            .enumerate()
            .map(|(n, file)| (file.module.clone(), n))
            .collect();
        Self { files, by_module }
    }

    /// The file that a path leads to, through re-exports; `None` when it leaves the crate.
    fn target(&self, reference: &Reference) -> Option<usize> {
        self.resolve(&reference.from, &reference.names, 0)
    }

    fn resolve(&self, from: &[String], names: &[String], depth: usize) -> Option<usize> {
        if depth > 16 {
            return None;
        }
        let mut at: Vec<String> = from.to_vec();
        let mut rest = names;
        match rest.first().map(String::as_str)? {
            "crate" | "finrail" => {
                at.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {}
            first => {
                let mut child = at.clone();
                child.push(first.to_owned());
                if !self.by_module.contains_key(&child) {
                    return None;
                }
            }
        }
        while rest.first().is_some_and(|name| name == "super") {
            at.pop();
            rest = &rest[1..];
        }
        while let Some(name) = rest.first() {
            let mut child = at.clone();
            child.push(name.clone());
            if !self.by_module.contains_key(&child) {
                break;
            }
            at = child;
            rest = &rest[1..];
        }
        let file = self.file_of(&at)?;
        // What a module only hands on belongs to the file that it comes from.
        if let Some(name) = rest.first().filter(|name| *name != "*")
            && let Some(handed_on) = exports(&self.files[file].syntax).get(name)
            && let Some(target) = self.resolve(&at, handed_on, depth + 1)
        {
            return Some(target);
        }
        Some(file)
    }

    /// The file of a module, or of the nearest one around an inline module.
    fn file_of(&self, module: &[String]) -> Option<usize> {
        (0..=module.len())
            .rev()
            .find_map(|n| self.by_module.get(&module[..n]).copied())
    }

    /// Which file imports which. The lines in which a parent declares and hands on its children do not count.
    fn graph(&self) -> Graph {
        let mut graph = Graph::new();
        for file in &self.files {
            let targets = graph.entry(file.name.clone()).or_default();
            for reference in references(file) {
                if let Some(target) = self.target(&reference).map(|n| &self.files[n])
                    && target.name != file.name
                {
                    targets.insert(target.name.clone());
                }
            }
        }
        graph
    }
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

fn module_of(name: &str) -> Vec<String> {
    let mut module: Vec<String> = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

fn is_test_only(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = match &attribute.meta {
            syn::Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string(),
            _ => return false,
        };
        let text = text.replace(' ', "");
        text == "test"
            || text == "fuzzing"
            || text == "loom"
            || text.starts_with("any(test,")
            || text.starts_with("all(test,")
    })
}

/// The modules that a parent declares under `cfg(test)`.
fn test_modules(files: &[File]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for file in files {
        for item in &file.syntax.items {
            if let syn::Item::Mod(inner) = item
                && inner.content.is_none()
                && is_test_only(&inner.attrs)
            {
                let mut module = file.module.clone();
                module.push(inner.ident.to_string());
                found.push(module);
            }
        }
    }
    found
}

/// The names that `pub use` and `pub(crate) use` of a module give to others, each with the path behind it.
fn exports(file: &syn::File) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for item in &file.items {
        if let syn::Item::Use(item) = item
            && !matches!(item.vis, syn::Visibility::Inherited)
        {
            flatten(&item.tree, &mut Vec::new(), &mut |name, path| {
                found.insert(name.to_owned(), path.to_vec());
            });
        }
    }
    found
}

/// Every path of a `use` tree, with the name that it gives.
fn flatten(tree: &syn::UseTree, before: &mut Vec<String>, found: &mut dyn FnMut(&str, &[String])) {
    let mut with = |name: &syn::Ident, alias: &syn::Ident, before: &mut Vec<String>| {
        before.push(name.to_string());
        let path = before.strip_suffix(&["self".to_owned()]).unwrap_or(before).to_vec();
        let alias = match alias.to_string() {
            alias if alias == "self" => path.last().cloned().unwrap_or_default(),
            alias => alias,
        };
        found(&alias, &path);
        before.pop();
    };
    match tree {
        syn::UseTree::Name(name) => with(&name.ident, &name.ident, before),
        syn::UseTree::Rename(rename) => with(&rename.ident, &rename.rename, before),
        syn::UseTree::Glob(_) => {
            before.push("*".to_owned());
            found("*", before);
            before.pop();
        }
        syn::UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, found);
            before.pop();
        }
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, before, found);
            }
        }
    }
}

/// Every path in a file that may lead to another one.
fn references(file: &File) -> Vec<Reference> {
    let mut visitor = Paths {
        module: file.module.clone(),
        defended: defended(&file.text),
        found: Vec::new(),
    };
    visitor.visit_file(&file.syntax);
    visitor.found
}

/// Paths whose line has a comment `// circular: why` above it.
fn defended(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    lines
        .windows(2)
        .filter(|pair| {
            let reason = pair[0].trim().strip_prefix("// circular: ");
            reason.is_some_and(|reason| reason.len() > 20)
        })
        .map(|pair| pair[1].trim().replace(' ', ""))
        .collect()
}

struct Paths {
    module: Vec<String>,
    defended: Vec<String>,
    found: Vec<Reference>,
}

impl Paths {
    fn add(&mut self, names: Vec<String>) {
        // A macro that is exported stands at the root, wherever it is written.
        let is_macro = names.first().is_some_and(|name| name == "crate")
            && names.get(1).is_some_and(|name| name.starts_with("__"));
        let text = names.join("::");
        if is_macro || self.defended.iter().any(|line| line.contains(&text)) {
            return;
        }
        self.found.push(Reference {
            from: self.module.clone(),
            names,
        });
    }

    fn add_text(&mut self, text: &str) {
        if text.starts_with("crate::") || text.starts_with("super::") {
            self.add(text.split("::").map(|name| name.trim().to_owned()).collect());
        }
    }

    /// Paths in what a macro or an attribute is given, which has no syntax of its own.
    fn tokens(&mut self, tokens: proc_macro2::TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        let flush = |path: &mut Vec<String>, this: &mut Self| {
            if path.len() > 1 && matches!(path[0].as_str(), "crate" | "super" | "self") {
                this.add(std::mem::take(path));
            }
            path.clear();
        };
        for token in tokens {
            match token {
                proc_macro2::TokenTree::Ident(name) => {
                    if colons != 2 {
                        flush(&mut path, self);
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                proc_macro2::TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                proc_macro2::TokenTree::Group(group) => {
                    flush(&mut path, self);
                    self.tokens(group.stream());
                }
                proc_macro2::TokenTree::Literal(literal) => {
                    flush(&mut path, self);
                    self.add_text(literal.to_string().trim_matches('"'));
                }
                proc_macro2::TokenTree::Punct(_) => {
                    flush(&mut path, self);
                    colons = 0;
                }
            }
        }
        flush(&mut path, self);
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            syn::Item::Const(item) => &item.attrs,
            syn::Item::Struct(item) => &item.attrs,
            _ => return syn::visit::visit_item(self, item),
        };
        if !is_test_only(attributes) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test_only(&item.attrs) {
            syn::visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut paths = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut |_, path| paths.push(path.to_vec()));
        let handed_on = !matches!(item.vis, syn::Visibility::Inherited);
        for path in paths {
            // A parent that hands its child's names on does not use them.
            let own_child = !matches!(path[0].as_str(), "crate" | "super" | "finrail");
            if !(handed_on && own_child) {
                self.add(path);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            self.add(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.tokens(item.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

/// The rooms of `src/` and which imports which: a room is a top-level module.
fn rooms(sources: &Sources) -> Graph {
    let room = |name: &str| {
        name.split('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".rs")
            .to_owned()
    };
    let mut graph = Graph::new();
    for (file, targets) in sources.graph() {
        let from = room(&file);
        if from == "lib" {
            continue;
        }
        let reached = graph.entry(from.clone()).or_default();
        if from == "providers" {
            // The generated code that it includes goes through the contract.
            reached.insert("rt".to_owned());
        }
        reached.extend(targets.iter().map(|target| room(target)).filter(|to| *to != from));
    }
    graph
}

/// What can be reached in one step or more.
fn reach(graph: &Graph, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&String> = graph.get(from).into_iter().flatten().collect();
    while let Some(node) = next.pop() {
        if found.insert(node.clone()) {
            next.extend(graph.get(node).into_iter().flatten());
        }
    }
    found
}

/// Nodes that reach each other.
fn circles(graph: &Graph) -> Vec<BTreeSet<String>> {
    let reached: BTreeMap<&String, BTreeSet<String>> = graph.keys().map(|node| (node, reach(graph, node))).collect();
    let mut found: Vec<BTreeSet<String>> = Vec::new();
    for (node, targets) in &reached {
        let circle: BTreeSet<String> = targets
            .iter()
            .filter(|target| reached.get(target).is_some_and(|back| back.contains(*node)))
            .cloned()
            .collect();
        if !circle.is_empty() && !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

/// The edges without which nothing else would be reached less.
fn reduced(graph: &Graph) -> BTreeSet<(String, String)> {
    let mut edges = BTreeSet::new();
    for (from, targets) in graph {
        for to in targets {
            let on_the_way = targets
                .iter()
                .any(|other| other != to && reach(graph, other).contains(to));
            if !on_the_way {
                edges.insert((from.clone(), to.clone()));
            }
        }
    }
    edges
}

/// The edges of the picture of the rooms in ARCHITECTURE.md: `token --> http`, token imports http.
fn drawn() -> BTreeSet<(String, String)> {
    let text = fs::read_to_string(workspace().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let picture = text
        .split("```mermaid")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let picture = picture.expect("a picture of the rooms in ARCHITECTURE.md");
    let node = |text: &str| {
        text.trim()
            .split(['[', '('])
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let edges = picture.lines().filter_map(|line| line.split_once("-->"));
    edges.map(|(from, to)| (node(from), node(to))).collect()
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
        for reference in references(file) {
            let absolute = reference
                .names
                .first()
                .is_some_and(|name| name == "crate" || name == "finrail");
            let named = reference.names.get(1).map(|name| vec![name.clone()]);
            if absolute && !named.is_some_and(|room| sources.by_module.contains_key(&room)) {
                through_the_root.push(format!("{}: {}", file.name, reference.names.join("::")));
            }
        }
    }
    assert_eq!(through_the_root, Vec::<String>::new(), "write `crate::<room>::..`");
}

#[test]
fn no_files_import_each_other() {
    for folder in ["src", "codegen/src", "codegen/spec/src", "cli/src"] {
        let graph = Sources::read(&workspace().join(folder)).graph();
        assert!(graph.len() > 5, "{folder}: {} files", graph.len());
        assert_eq!(
            circles(&graph),
            Vec::<BTreeSet<String>>::new(),
            "{folder}: files in a circle"
        );
    }
}

#[test]
fn a_provider_is_compared_by_its_id_in_its_own_file_only() {
    const IDS: [&str; 5] = ["ofx", "mx", "omnifund", "tatrabanka", "finexer"];
    let sources = Sources::read(&workspace().join("src"));
    let mut found = Vec::new();
    for file in &sources.files {
        if file.name.starts_with("sandbox/providers/") || file.name.starts_with("providers/") {
            continue;
        }
        let mut texts = Texts::default();
        texts.visit_file(&file.syntax);
        let ids = texts.found.iter().filter(|text| IDS.contains(&text.as_str()));
        found.extend(ids.map(|id| format!("{}: {id:?}", file.name)));
    }
    assert_eq!(found, Vec::<String>::new());
}

/// The texts in the code of a file: not in attributes, not in documentation, not in tests.
#[derive(Default)]
struct Texts {
    found: Vec<String>,
}

impl<'ast> Visit<'ast> for Texts {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test_only(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.found.push(text.value());
    }
}

/// The test above must be able to fail: a small crate with one of each fault.
#[test]
fn every_way_to_write_an_import_is_seen() {
    let parse = |name: &str, text: &str| File {
        name: name.to_owned(),
        module: module_of(name),
        syntax: syn::parse_file(text).unwrap(),
        text: text.to_owned(),
    };
    let of = |text: &str| {
        let files = vec![
            parse("lib.rs", "mod a; mod b;"),
            parse("a/mod.rs", text),
            parse("b/mod.rs", "mod c; pub use c::Thing; pub fn free() {}"),
            parse("b/c.rs", "pub struct Thing;"),
        ];
        let by_module = files
            .iter()
            .enumerate()
            .map(|(n, file)| (file.module.clone(), n))
            .collect();
        Sources { files, by_module }.graph()["a/mod.rs"]
            .iter()
            .cloned()
            .collect::<Vec<_>>()
    };
    for seen in [
        "use crate::b::Thing;",
        "use super::b::Thing as Other;",
        "use crate::b::{self, Thing};",
        "fn f(_: crate::b::Thing) {}",
        "fn f() { let _ = crate::b::c::Thing; }",
        "fn f() { println!(\"{}\", crate::b::Thing); }",
        "fn f() { let _ = vec![(1, super::b::c::Thing)]; }",
        "#[derive(serde::Serialize)] struct S { #[serde(with = \"crate::b::c\")] x: u8 }",
        "mod inner { use super::super::b::Thing; }",
        "impl crate::b::Thing { }",
    ] {
        let targets = of(seen);
        assert!(targets.contains(&"b/c.rs".to_owned()), "{seen}: {targets:?}");
    }
    for unseen in [
        "#[cfg(test)] mod tests { use crate::b::Thing; }",
        "use std::fmt;",
        "// circular: a thing names the room that made it, for errors\nuse crate::b::Thing;",
    ] {
        assert_eq!(of(unseen), Vec::<String>::new(), "{unseen}");
    }
    assert_eq!(of("// circular: short\nuse crate::b::Thing;"), ["b/c.rs"]);
}
