//! The files of a source folder, and where a path of one leads.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::graph::Graph;
use crate::paths::{Reference, references};

/// One file of `src/`, as a module.
pub(crate) struct File {
    /// Relative to `src/`: `token/store/mod.rs`.
    pub(crate) name: String,
    /// `["token", "store"]`; empty for `lib.rs`.
    pub(crate) module: Vec<String>,
    pub(crate) syntax: syn::File,
    pub(crate) text: String,
}

/// The files of a source folder that are compiled outside tests, and what the names in each stand for.
pub(crate) struct Sources {
    pub(crate) files: Vec<File>,
    pub(crate) by_module: BTreeMap<Vec<String>, usize>,
}

impl Sources {
    pub(crate) fn read(folder: &Path) -> Self {
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
    pub(crate) fn graph(&self) -> Graph {
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

pub(crate) fn module_of(name: &str) -> Vec<String> {
    let mut module: Vec<String> = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

pub(crate) fn is_test_only(attributes: &[syn::Attribute]) -> bool {
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
pub(crate) fn flatten(tree: &syn::UseTree, before: &mut Vec<String>, found: &mut dyn FnMut(&str, &[String])) {
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
