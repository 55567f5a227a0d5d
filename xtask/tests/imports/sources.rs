//! The files of a source folder, and where a path of one leads.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::aliases::Aliases;
use crate::graph::Graph;
use crate::items::{
    Export, Macro, defined, has_attribute, is_test_only, macros_of, may_have_attribute, own_names, path_attributes,
    plain, reexports, visible,
};
use crate::paths::{Reference, Target, references};

/// One file of `src/`, as a module.
pub(crate) struct File {
    /// Relative to `src/`: `token/store/mod.rs`.
    pub(crate) name: String,
    /// `["token", "store"]`; empty for `lib.rs`.
    pub(crate) module: Vec<String>,
    pub(crate) syntax: syn::File,
    pub(crate) text: String,
    /// Whether `include!` makes it a part of a module that no line `mod b;` says.
    included: bool,
}

impl File {
    pub(crate) fn parse(name: String, text: String) -> Self {
        let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self {
            module: module_of(&name),
            name,
            syntax,
            text,
            included: false,
        }
    }

    /// The folder that it stands in: `token/store`.
    pub(crate) fn folder(&self) -> &str {
        self.name.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The folder in which the files of its modules stand: `token` for `token/mod.rs` and for `token.rs`.
    pub(crate) fn folder_of_children(&self) -> &str {
        let name = self.name.trim_end_matches(".rs");
        match name.rsplit('/').next() {
            Some("mod" | "lib" | "main") => self.folder(),
            _ => name,
        }
    }
}

/// What a module has in one file.
struct Contents {
    file: usize,
    /// Its own names.
    defined: BTreeSet<String>,
    /// Those that others can see.
    visible: Vec<String>,
    /// What it hands on.
    exports: Vec<Export>,
}

/// The files of a source folder that are compiled outside tests, and what the names in each stand for.
pub(crate) struct Sources {
    pub(crate) files: Vec<File>,
    /// The files of each module: several, where each is for another condition.
    pub(crate) by_module: BTreeMap<Vec<String>, Vec<usize>>,
    /// What each module has, those that are written out in a file included: several, where each is for another condition.
    contents: BTreeMap<Vec<String>, Vec<Contents>>,
    /// The crate's names for itself: `extern crate self as finrail`.
    pub(crate) own_names: BTreeSet<String>,
    /// Where each exported macro is written; it stands at the root.
    pub(crate) macros: BTreeMap<String, usize>,
    /// Every macro that can be called by its name alone, and the file in which it is written.
    pub(crate) macros_by_name: Vec<(Macro, String)>,
}

impl Sources {
    pub(crate) fn read(folder: &Path) -> Self {
        let mut paths = Vec::new();
        collect(folder, &mut paths);
        paths.sort();
        let file = |path: PathBuf| {
            let name = path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
            File::parse(name, fs::read_to_string(&path).unwrap())
        };
        Self::of(paths.into_iter().map(file).collect())
    }

    pub(crate) fn of(mut files: Vec<File>) -> Self {
        place_by_path_attributes(&mut files);
        let tests = loop {
            let tests = test_files(&files);
            let users = files.iter().filter(|file| !tests.contains(&file.name));
            let included: Vec<(String, Vec<String>)> = users.flat_map(named_by).collect();
            if !place_included(&mut files, &included) {
                break tests;
            }
        };
        files.retain(|file| !tests.contains(&file.name));
        let mut sources = Self {
            files: Vec::new(),
            by_module: BTreeMap::new(),
            contents: BTreeMap::new(),
            own_names: BTreeSet::new(),
            macros: BTreeMap::new(),
            macros_by_name: Vec::new(),
        };
        for (n, file) in files.iter().enumerate() {
            sources.by_module.entry(file.module.clone()).or_default().push(n);
            sources.add_contents(&file.module, n, &file.syntax.items);
            sources.own_names.extend(own_names(&file.syntax));
            let module = around_macro_use(&files, &file.module);
            for found in macros_of(&file.syntax, module) {
                sources.macros_by_name.push((found, file.name.clone()));
            }
            for item in &file.syntax.items {
                if let syn::Item::Macro(syn::ItemMacro {
                    attrs,
                    ident: Some(name),
                    ..
                }) = item
                    && may_have_attribute(attrs, "macro_export")
                {
                    sources.macros.insert(plain(name), n);
                }
            }
        }
        sources.files = files;
        sources.add_contents_of_macros();
        sources
    }

    fn add_contents(&mut self, module: &[String], file: usize, items: &[syn::Item]) {
        self.contents.entry(module.to_vec()).or_default().push(Contents {
            file,
            defined: defined(items).collect(),
            visible: visible(items).collect(),
            exports: reexports(items),
        });
        for item in items {
            if let syn::Item::Mod(inner) = item
                && let Some((_, items)) = &inner.content
                && !is_test_only(&inner.attrs)
            {
                let module = [module, &[plain(&inner.ident)]].concat();
                self.add_contents(&module, file, items);
            }
        }
    }

    /// A module around a file that nothing declares is written out in a macro: it is in the file around it.
    fn add_contents_of_macros(&mut self) {
        let modules: Vec<Vec<String>> = self.by_module.keys().cloned().collect();
        for module in modules {
            for n in 0..module.len() {
                let outer = &module[..n];
                let file = self.files_of(outer).first().copied();
                if let Some(file) = file.filter(|_| !self.contents.contains_key(outer)) {
                    self.add_contents(outer, file, &[]);
                }
            }
        }
    }

    /// Every reference of a file.
    pub(crate) fn references(&self, file: &File) -> Vec<Reference> {
        let aliases = Aliases::of(file, &self.own_names, |from, glob| {
            let mut names = self.exported(from, glob, 0);
            // What a file has itself hides the names of a glob.
            let own: BTreeSet<String> = defined(&file.syntax.items).collect();
            names.retain(|name| !own.contains(name));
            names
        });
        references(file, &self.own_names, &self.macros_by_name, &aliases)
    }

    /// What in a file may lead to another one and does not say to which.
    pub(crate) fn unreadable(&self, file: &File) -> Vec<String> {
        let references = self.references(file).into_iter();
        let unreadable = references.filter_map(|reference| match reference.to {
            Target::Unreadable(what) => Some(what),
            Target::Path(_) | Target::File(_) => None,
        });
        unreadable.collect()
    }

    /// The names that a path with `*` at its end gives.
    fn exported(&self, from: &[String], glob: &[String], depth: usize) -> Vec<String> {
        let walked = self.walk(from, &glob[..glob.len() - 1]).filter(|_| depth < 8);
        let Some((at, [])) = walked else {
            return Vec::new();
        };
        let mut names = Vec::new();
        for contents in self.contents.get(&at).into_iter().flatten() {
            names.extend(contents.visible.iter().cloned());
            for export in &contents.exports {
                if export.name == "*" {
                    names.extend(self.exported(&at, &export.path, depth + 1));
                } else {
                    names.push(export.name.clone());
                }
            }
        }
        names
    }

    /// The files that a reference of a file leads to, through re-exports; none when it leaves the crate.
    pub(crate) fn targets(&self, file: &File, reference: &Reference) -> BTreeSet<String> {
        let names = match &reference.to {
            Target::File(name) => return BTreeSet::from([name.clone()]),
            Target::Path(names) => names,
            Target::Unreadable(_) => return BTreeSet::new(),
        };
        // `use super::*` inside a file gives what the file has already.
        let own = self.files_of(&reference.from);
        let within = names.last().is_some_and(|name| name == "*")
            && self
                .walk(&reference.from, names)
                .is_some_and(|(at, _)| self.files_of(&at) == own);
        if within {
            return BTreeSet::new();
        }
        let files = self.resolve(file, &reference.from, names, 0);
        files.into_iter().map(|n| self.files[n].name.clone()).collect()
    }

    fn resolve(&self, by: &File, from: &[String], names: &[String], depth: usize) -> BTreeSet<usize> {
        let Some((at, rest)) = self.walk(from, names).filter(|_| depth < 8) else {
            return BTreeSet::new();
        };
        // A file that its own module has on another condition is not compiled with it.
        let contents = self.contents.get(&at).into_iter().flatten().filter(|contents| {
            let other = &self.files[contents.file];
            other.name == by.name || other.module != by.module
        });
        let Some(name) = rest.first() else {
            return contents.map(|contents| contents.file).collect();
        };
        if at.is_empty()
            && let Some(written_in) = self.macros.get(name)
        {
            return BTreeSet::from([*written_in]);
        }
        contents
            .flat_map(|contents| self.resolve_in(by, contents, &at, rest, depth))
            .collect()
    }

    /// Where the names that are left lead from what a module has in a file.
    fn resolve_in(
        &self,
        by: &File,
        contents: &Contents,
        at: &[String],
        rest: &[String],
        depth: usize,
    ) -> BTreeSet<usize> {
        let name = &rest[0];
        let (file, exports) = (contents.file, &contents.exports);
        if name == "*" {
            // With the module comes all that it hands on.
            let handed_on = exports.iter().map(|export| &export.path);
            let mut all: BTreeSet<usize> = handed_on
                .flat_map(|path| self.resolve(by, at, path, depth + 1))
                .collect();
            all.insert(file);
            return all;
        }
        // What a module only hands on belongs to the file that it comes from.
        let by_name = exports
            .iter()
            .find(|export| export.name == *name)
            .map(|export| [&export.path, &rest[1..]].concat());
        let by_glob = || {
            let globs = exports.iter().filter(|export| export.name == "*");
            let mut named =
                globs.map(|export| [&export.path[..export.path.len() - 1], std::slice::from_ref(name)].concat());
            named.find(|path| self.provides(at, path, depth + 1))
        };
        let is_here = by_name.is_none() && contents.defined.contains(name);
        let handed_on = by_name.or_else(|| if is_here { None } else { by_glob() });
        let found = handed_on.map_or_else(BTreeSet::new, |path| self.resolve(by, at, &path, depth + 1));
        if found.is_empty() {
            BTreeSet::from([file])
        } else {
            found
        }
    }

    /// Whether the last name of a path is one that the module before it has or hands on.
    fn provides(&self, from: &[String], names: &[String], depth: usize) -> bool {
        let Some((at, rest)) = self.walk(from, names).filter(|_| depth < 8) else {
            return false;
        };
        let Some(name) = rest.first() else { return true };
        self.contents.get(&at).into_iter().flatten().any(|contents| {
            contents.defined.contains(name)
                || contents.exports.iter().any(|export| match export.name.as_str() {
                    "*" => {
                        let through = [&export.path[..export.path.len() - 1], std::slice::from_ref(name)].concat();
                        self.provides(&at, &through, depth + 1)
                    }
                    other => other == name,
                })
        })
    }

    /// The module that a path leads to, and the names that are left; `None` when it starts outside the crate.
    fn walk<'a>(&self, from: &[String], names: &'a [String]) -> Option<(Vec<String>, &'a [String])> {
        let mut at: Vec<String> = from.to_vec();
        let mut rest = names;
        match rest.first().map(String::as_str)? {
            "crate" => {
                at.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {}
            first => {
                let mut child = at.clone();
                child.push(first.to_owned());
                if !self.contents.contains_key(&child) {
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
            if !self.contents.contains_key(&child) {
                break;
            }
            at = child;
            rest = &rest[1..];
        }
        Some((at, rest))
    }

    /// The files of a module, or of the nearest one around an inline module.
    fn files_of(&self, module: &[String]) -> &[usize] {
        let found = (0..=module.len()).rev().find_map(|n| self.by_module.get(&module[..n]));
        found.map_or(&[], Vec::as_slice)
    }

    /// Which file imports which. The lines in which a parent declares and hands on its children do not count.
    pub(crate) fn graph(&self) -> Graph {
        self.graph_of(|_| true)
    }

    /// The same without what a comment defends: `// circular: why`.
    pub(crate) fn undefended(&self) -> Graph {
        self.graph_of(|reference| !reference.defended)
    }

    fn graph_of(&self, counts: impl Fn(&Reference) -> bool) -> Graph {
        let mut graph = Graph::new();
        for file in &self.files {
            let references = self.references(file).into_iter().filter(|reference| counts(reference));
            let once: BTreeMap<(Vec<String>, Target), Reference> = references
                .map(|reference| ((reference.from.clone(), reference.to.clone()), reference))
                .collect();
            let targets: BTreeSet<String> = once
                .values()
                .flat_map(|reference| self.targets(file, reference))
                .collect();
            let others = targets.into_iter().filter(|target| *target != file.name);
            graph.insert(file.name.clone(), others.collect());
        }
        graph
    }
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if is_read(&path) {
            paths.push(path);
        }
    }
}

/// Whether a file is one of those whose imports are read.
pub(crate) fn is_read(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

fn module_of(name: &str) -> Vec<String> {
    let mut module: Vec<String> = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

/// A file's path from a folder, without `..`.
pub(crate) fn beside(folder: &str, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    let mut names: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
    for name in path.split('/') {
        match name {
            "." | "" => {}
            ".." if names.last().is_some_and(|name| *name != "..") => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    names.join("/")
}

/// A line `mod b;`.
struct Declaration<'a> {
    /// The name of the file that it stands in.
    by: &'a str,
    module: Vec<String>,
    /// The files that it names with `#[path = ".."]`.
    named: Vec<String>,
    /// The files that it may stand for without that.
    usual: Vec<String>,
    test_only: bool,
}

fn declarations(files: &[File]) -> Vec<Declaration<'_>> {
    let mut found = Vec::new();
    for file in files {
        declarations_in(&file.syntax.items, file, &mut Vec::new(), false, &mut found);
    }
    found
}

fn declarations_in<'a>(
    items: &[syn::Item],
    file: &'a File,
    inline: &mut Vec<String>,
    in_tests: bool,
    found: &mut Vec<Declaration<'a>>,
) {
    for item in items {
        let syn::Item::Mod(inner) = item else { continue };
        let name = plain(&inner.ident);
        let test_only = in_tests || is_test_only(&inner.attrs);
        if let Some((_, items)) = &inner.content {
            inline.push(name);
            declarations_in(items, file, inline, test_only, found);
            inline.pop();
            continue;
        }
        let children = beside(file.folder_of_children(), &inline.join("/"));
        let folder = if inline.is_empty() { file.folder() } else { &children };
        let paths = path_attributes(&inner.attrs);
        let usual = if has_attribute(&inner.attrs, "path") {
            Vec::new()
        } else {
            vec![format!("{name}.rs"), format!("{name}/mod.rs")]
        };
        found.push(Declaration {
            by: &file.name,
            module: [&file.module[..], inline, std::slice::from_ref(&name)].concat(),
            named: paths.iter().map(|path| beside(folder, path)).collect(),
            usual: usual.iter().map(|path| beside(&children, path)).collect(),
            test_only,
        });
    }
}

/// `#[path = "../b/c.rs"] mod theirs;` is a module of the file that declares it, wherever its own file stands. What is
/// declared for tests and for users is placed where users have it.
fn place_by_path_attributes(files: &mut [File]) {
    let mut declarations = declarations(files);
    declarations.sort_by_key(|declaration| !declaration.test_only);
    let mut placed = Vec::new();
    for declaration in declarations {
        let module = declaration.module;
        placed.extend(declaration.named.into_iter().map(|name| (name, module.clone())));
    }
    for (name, module) in placed {
        for file in files.iter_mut().filter(|file| file.name == name) {
            file.module.clone_from(&module);
        }
    }
}

/// The files that a file names, with the modules in which it does.
fn named_by(file: &File) -> Vec<(String, Vec<String>)> {
    // Few have any, and reading every path takes long.
    if !file.text.contains("include") {
        return Vec::new();
    }
    let none = BTreeSet::new();
    let aliases = Aliases::of(file, &none, |_, _| Vec::new());
    let named = references(file, &none, &[], &aliases).into_iter();
    let named = named.filter_map(|reference| match reference.to {
        Target::File(name) => Some((name, reference.from)),
        Target::Path(_) | Target::Unreadable(_) => None,
    });
    named.collect()
}

/// `include!("b.rs")`: a file that is declared nowhere, or for tests only, is a part of the module that includes it.
/// Whether one has been found that was not known.
fn place_included(files: &mut [File], included: &[(String, Vec<String>)]) -> bool {
    let declared: BTreeSet<String> = {
        let declarations = declarations(files);
        let for_users = declarations.iter().filter(|declaration| !declaration.test_only);
        for_users
            .flat_map(|declaration| declaration.named.iter().chain(&declaration.usual))
            .cloned()
            .collect()
    };
    let mut is_new = false;
    for (name, module) in included {
        for file in files.iter_mut().filter(|file| file.name == *name && !file.included) {
            file.included = true;
            if !declared.contains(name) {
                file.module.clone_from(module);
            }
            is_new = true;
        }
    }
    is_new
}

/// The module in which the macros of a module can be called by their names alone: the module itself, or one around it,
/// which declares it as `#[macro_use] mod inner;`, on a condition or not.
fn around_macro_use<'a>(files: &[File], module: &'a [String]) -> &'a [String] {
    let Some((name, outer)) = module.split_last() else {
        return module;
    };
    let declarations = files.iter().filter(|file| file.module == outer);
    let mut items = declarations.flat_map(|file| &file.syntax.items);
    let is_handed_up = items.any(|item| {
        let syn::Item::Mod(inner) = item else { return false };
        plain(&inner.ident) == *name && may_have_attribute(&inner.attrs, "macro_use")
    });
    let says_so_itself = |file: &File| file.module == module && may_have_attribute(&file.syntax.attrs, "macro_use");
    if is_handed_up || files.iter().any(says_so_itself) {
        around_macro_use(files, outer)
    } else {
        module
    }
}

/// The names of the files that are compiled for tests only: those that are declared under `cfg(test)`, or in such a file,
/// and nowhere else, and those of the modules within. One that `include!` makes a part of another counts with that.
fn test_files(files: &[File]) -> BTreeSet<String> {
    let declarations = declarations(files);
    let stands_for = |declaration: &Declaration<'_>, file: &File| {
        declaration.named.contains(&file.name) || declaration.usual.contains(&file.name)
    };
    let mut found = BTreeSet::new();
    loop {
        let (tests, others): (Vec<_>, Vec<_>) = declarations
            .iter()
            .partition(|declaration| declaration.test_only || found.contains(declaration.by));
        let is_for_users = |module: &[String]| others.iter().any(|other| other.module == module);
        let is_test = |file: &&File| {
            let of_tests = tests.iter().any(|test| {
                stands_for(test, file) || file.module.starts_with(&test.module) && !is_for_users(&test.module)
            });
            of_tests && !file.included && !others.iter().any(|other| stands_for(other, file))
        };
        let more: BTreeSet<String> = files.iter().filter(is_test).map(|file| file.name.clone()).collect();
        if more == found {
            return found;
        }
        found = more;
    }
}
