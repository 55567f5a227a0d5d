//! The modules of the crate, and what a path leads to.

use std::collections::BTreeMap;

use syn::ext::IdentExt as _;
use syn::punctuated::Punctuated;
use syn::{Item, Meta, Token, UseTree};

use crate::expand::Macros;

/// How often one `use` may name what another gave.
const DEPTH: usize = 12;

/// The items of every module that users always have, by its path: `["token", "store"]`. What macros make is among them.
pub(crate) struct Tree(BTreeMap<Vec<String>, Vec<Item>>);

/// The files by their paths from the source folder.
type Files = BTreeMap<String, syn::File>;

/// What a name stands for.
#[derive(Clone, Debug)]
pub(crate) enum Found<'a> {
    /// An item of the crate, and the module that it stands in.
    Item(Vec<String>, &'a Item),
    Module(Vec<String>),
    /// Something of another crate, by its whole path.
    Outside(Vec<String>),
}

pub(crate) fn plain(name: &syn::Ident) -> String {
    name.unraw().to_string()
}

/// Whether users always have what stands under these attributes.
pub(crate) fn is_always_there(attributes: &[syn::Attribute]) -> bool {
    !has(attributes, "cfg")
}

/// Whether an attribute is there, on a condition or without.
pub(crate) fn has(attributes: &[syn::Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| is_or_brings(&attribute.meta, name))
}

fn is_or_brings(attribute: &Meta, name: &str) -> bool {
    match attribute {
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            parts.iter().flatten().skip(1).any(|part| is_or_brings(part, name))
        }
        other => other.path().is_ident(name),
    }
}

pub(crate) fn is_public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

impl Tree {
    /// `texts` has the files by their paths from the source folder.
    pub(crate) fn of(texts: &BTreeMap<String, String>) -> Self {
        let files: Files = texts
            .iter()
            .map(|(name, text)| {
                let syntax = syn::parse_file(text).unwrap_or_else(|error| panic!("{name}: {error}"));
                (name.clone(), syntax)
            })
            .collect();
        let mut macros = Macros::default();
        for file in files.values() {
            macros.add(&file.items);
        }
        let mut tree = Self(BTreeMap::new());
        tree.add(&files, &macros, "lib.rs", Vec::new());
        tree
    }

    fn add(&mut self, files: &Files, macros: &Macros, file: &str, module: Vec<String>) {
        let syntax = files.get(file).unwrap_or_else(|| panic!("there is no {file}"));
        if is_always_there(&syntax.attrs) {
            self.add_items(files, macros, syntax.items.clone(), module);
        }
    }

    fn add_items(&mut self, files: &Files, macros: &Macros, items: Vec<Item>, module: Vec<String>) {
        let mut items = macros.expand(items);
        items.retain(|item| is_always_there(attributes(item)));
        for item in &items {
            let Item::Mod(inner) = item else { continue };
            let mut path = module.clone();
            path.push(plain(&inner.ident));
            if let Some((_, items)) = &inner.content {
                self.add_items(files, macros, items.clone(), path);
                continue;
            }
            let place = path.join("/");
            let names = [format!("{place}.rs"), format!("{place}/mod.rs")];
            if let Some(file) = names.iter().find(|name| files.contains_key(*name)) {
                self.add(files, macros, file, path);
            }
        }
        self.0.insert(module, items);
    }

    pub(crate) fn modules(&self) -> impl Iterator<Item = (&Vec<String>, &Vec<Item>)> {
        self.0.iter()
    }

    /// Whether a macro of this name is at the crate's root, where exported ones are.
    pub(crate) fn exports(&self, name: &str) -> bool {
        let mut items = self.modules().flat_map(|(_, items)| items);
        items.any(|item| {
            matches!(item, Item::Macro(item) if has(&item.attrs, "macro_export")
                && item.ident.as_ref().is_some_and(|ident| ident == name))
        })
    }

    /// Everything that a path means where it stands in a module: a type, a function and a module may share a name.
    pub(crate) fn resolve(&self, module: &[String], path: &[String]) -> Vec<Found<'_>> {
        self.resolve_within(module, path, 0)
    }

    fn resolve_within(&self, module: &[String], path: &[String], depth: usize) -> Vec<Found<'_>> {
        if depth > DEPTH {
            return Vec::new();
        }
        let mut at = module.to_vec();
        let mut rest = path;
        let mut from_start = true;
        while let Some((first, behind)) = rest.split_first() {
            match first.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()),
                _ => break,
            }
            from_start = false;
            rest = behind;
        }
        let Some((name, behind)) = rest.split_first() else {
            return vec![Found::Module(at)];
        };
        let found = self.lookup(&at, name, depth);
        if found.is_empty() && from_start {
            return vec![Found::Outside(path.to_vec())];
        }
        if behind.is_empty() {
            return found;
        }
        let further = found.into_iter().flat_map(|found| match found {
            Found::Module(inner) => self.resolve_within(&inner, &[&["self".to_owned()], behind].concat(), depth + 1),
            Found::Outside(start) => vec![Found::Outside([start.as_slice(), behind].concat())],
            Found::Item(..) => Vec::new(),
        });
        further.collect()
    }

    /// What a module has or takes under a name.
    fn lookup(&self, module: &[String], name: &str, depth: usize) -> Vec<Found<'_>> {
        if depth > DEPTH {
            return Vec::new();
        }
        let mut found = Vec::new();
        let child = [module, &[name.to_owned()]].concat();
        if self.0.contains_key(&child) {
            found.push(Found::Module(child));
        }
        let items = self.0.get(module).map_or(&[][..], Vec::as_slice);
        for item in items {
            if !matches!(item, Item::Mod(_)) && name_of(item).is_some_and(|ident| plain(ident) == name) {
                found.push(Found::Item(module.to_vec(), item));
            }
        }
        for (given, path) in uses(items) {
            if given == name && path != [name] {
                found.extend(self.resolve_within(module, &path, depth + 1));
            }
        }
        if found.is_empty() {
            for (given, path) in uses(items) {
                let around = if given == "*" {
                    self.resolve_within(module, &path, depth + 1)
                } else {
                    Vec::new()
                };
                for found_around in around {
                    if let Found::Module(around) = found_around {
                        found.extend(self.lookup(&around, name, depth + 1));
                    }
                }
            }
        }
        found
    }
}

/// The names that every `use` gives, and their paths; `*` and the path before it.
pub(crate) fn uses(items: &[Item]) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for item in items {
        if let Item::Use(item) = item {
            flatten(&item.tree, &mut Vec::new(), &mut found);
        }
    }
    found
}

pub(crate) fn flatten(tree: &UseTree, before: &mut Vec<String>, found: &mut Vec<(String, Vec<String>)>) {
    let mut end = |name: &syn::Ident, given: &syn::Ident| {
        let mut path = before.clone();
        let mut given = plain(given);
        if name == "self" {
            if given == "self" {
                given = path.last().cloned().unwrap_or_default();
            }
        } else {
            path.push(plain(name));
        }
        found.push((given, path));
    };
    match tree {
        UseTree::Name(name) => end(&name.ident, &name.ident),
        UseTree::Rename(rename) => end(&rename.ident, &rename.rename),
        UseTree::Glob(_) => found.push(("*".to_owned(), before.clone())),
        UseTree::Path(path) => {
            before.push(plain(&path.ident));
            flatten(&path.tree, before, found);
            before.pop();
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, before, found);
            }
        }
    }
}

/// The name of an item that a path can lead to.
pub(crate) fn name_of(item: &Item) -> Option<&syn::Ident> {
    Some(match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Mod(item) => &item.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    })
}

/// The attributes of an item.
pub(crate) fn attributes(item: &Item) -> &[syn::Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
