//! What is read from an item: its attributes, its name, what it hands on.

use std::collections::BTreeSet;

use proc_macro2::TokenTree;
use syn::Meta;
use syn::ext::IdentExt as _;
use syn::punctuated::Punctuated;
use syn::visit::Visit;

/// A name without the `r#` that it may be written with.
pub(crate) fn plain(name: &syn::Ident) -> String {
    name.unraw().to_string()
}

pub(crate) fn is_punct(token: &TokenTree, punct: char) -> bool {
    matches!(token, TokenTree::Punct(other) if other.as_char() == punct)
}

/// The attributes of an item, whatever it is.
pub(crate) fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    use syn::Item;
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The same of what stands in an `impl`.
pub(crate) fn attributes_in_impl(item: &syn::ImplItem) -> &[syn::Attribute] {
    match item {
        syn::ImplItem::Const(item) => &item.attrs,
        syn::ImplItem::Fn(item) => &item.attrs,
        syn::ImplItem::Type(item) => &item.attrs,
        syn::ImplItem::Macro(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether nothing under these attributes is compiled for users.
pub(crate) fn is_test_only(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition: Option<Meta> = list.parse_args().ok();
            condition.is_some_and(|condition| !Outside::of(&condition).can_hold)
        }
        _ => false,
    })
}

/// What a condition can be when no tests are compiled.
struct Outside {
    can_hold: bool,
    can_fail: bool,
}

impl Outside {
    fn of(condition: &Meta) -> Self {
        let unknown = Self {
            can_hold: true,
            can_fail: true,
        };
        let list = match condition {
            Meta::Path(path) => {
                let tests = ["test", "finrail_fuzzing", "loom"]
                    .iter()
                    .any(|name| path.is_ident(name));
                return Self {
                    can_hold: !tests,
                    can_fail: true,
                };
            }
            Meta::List(list) => list,
            _ => return unknown,
        };
        let parts = list.parse_args_with(Punctuated::<Meta, syn::Token![,]>::parse_terminated);
        let parts: Vec<Self> = parts.iter().flatten().map(Self::of).collect();
        if list.path.is_ident("all") {
            Self {
                can_hold: parts.iter().all(|part| part.can_hold),
                can_fail: parts.iter().any(|part| part.can_fail),
            }
        } else if list.path.is_ident("any") {
            Self {
                can_hold: parts.iter().any(|part| part.can_hold),
                can_fail: parts.iter().all(|part| part.can_fail),
            }
        } else if list.path.is_ident("not") {
            Self {
                can_hold: parts.iter().all(|part| part.can_fail),
                can_fail: parts.iter().all(|part| part.can_hold),
            }
        } else {
            unknown
        }
    }
}

/// Every `#[path = "other.rs"]`, on a condition or not.
pub(crate) fn path_attributes(attributes: &[syn::Attribute]) -> Vec<String> {
    attributes
        .iter()
        .flat_map(|attribute| paths_in(&attribute.meta))
        .collect()
}

/// The same of what stands in the brackets.
pub(crate) fn paths_in(attribute: &Meta) -> Vec<String> {
    match attribute {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(text),
                ..
            }) => vec![text.value()],
            _ => Vec::new(),
        },
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            let parts = list.parse_args_with(Punctuated::<Meta, syn::Token![,]>::parse_terminated);
            parts.iter().flatten().skip(1).flat_map(paths_in).collect()
        }
        _ => Vec::new(),
    }
}

/// The names that a file gives to the crate itself, wherever it does: `extern crate self as finrail`.
pub(crate) fn own_names(file: &syn::File) -> BTreeSet<String> {
    #[derive(Default)]
    struct Names(BTreeSet<String>);

    impl<'ast> Visit<'ast> for Names {
        fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
            if item.ident == "self" {
                self.0.extend(item.rename.iter().map(|(_, name)| plain(name)));
            }
        }
    }

    let mut names = Names::default();
    names.visit_file(file);
    names.0
}

/// A macro that can be called by its name alone.
pub(crate) struct Macro {
    pub(crate) name: String,
    /// The module in which it can be, the modules within included.
    pub(crate) seen_in: Vec<String>,
}

/// The macros that the files of modules define.
pub(crate) fn macros_of(file: &syn::File, module: &[String]) -> Vec<Macro> {
    struct Macros {
        module: Vec<String>,
        found: Vec<Macro>,
    }

    impl<'ast> Visit<'ast> for Macros {
        fn visit_item(&mut self, item: &'ast syn::Item) {
            if !is_test_only(attributes(item)) {
                syn::visit::visit_item(self, item);
            }
        }

        fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
            let outer = self.module.clone();
            if !may_have_attribute(&item.attrs, "macro_use") {
                self.module.push(plain(&item.ident));
            }
            syn::visit::visit_item_mod(self, item);
            self.module = outer;
        }

        fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
            if let Some(name) = item.ident.as_ref().filter(|_| item.mac.path.is_ident("macro_rules")) {
                let exported = may_have_attribute(&item.attrs, "macro_export");
                self.found.push(Macro {
                    name: plain(name),
                    seen_in: if exported { Vec::new() } else { self.module.clone() },
                });
            }
        }
    }

    let module = module.to_vec();
    let mut macros = Macros {
        module,
        found: Vec::new(),
    };
    macros.visit_file(file);
    macros.found
}

pub(crate) fn has_attribute(attributes: &[syn::Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident(name))
}

/// The same where a condition may add the attribute: `#[cfg_attr(unix, macro_use)]`.
pub(crate) fn may_have_attribute(attributes: &[syn::Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| may_be(&attribute.meta, name))
}

fn may_be(attribute: &Meta, name: &str) -> bool {
    match attribute {
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            let parts = list.parse_args_with(Punctuated::<Meta, syn::Token![,]>::parse_terminated);
            parts.iter().flatten().skip(1).any(|part| may_be(part, name))
        }
        other => other.path().is_ident(name),
    }
}

/// The names of the items of a module.
pub(crate) fn defined(items: &[syn::Item]) -> impl Iterator<Item = String> {
    items.iter().filter_map(named).map(|(_, ident)| plain(ident))
}

/// The names of the items of a module that others can see.
pub(crate) fn visible(items: &[syn::Item]) -> impl Iterator<Item = String> {
    let seen = items.iter().filter_map(named);
    seen.filter(|(visibility, _)| !matches!(visibility, syn::Visibility::Inherited))
        .map(|(_, ident)| plain(ident))
}

fn named(item: &syn::Item) -> Option<(&syn::Visibility, &syn::Ident)> {
    use syn::Item;
    Some(match item {
        Item::Const(item) => (&item.vis, &item.ident),
        Item::Enum(item) => (&item.vis, &item.ident),
        Item::Fn(item) => (&item.vis, &item.sig.ident),
        Item::Mod(item) => (&item.vis, &item.ident),
        Item::Static(item) => (&item.vis, &item.ident),
        Item::Struct(item) => (&item.vis, &item.ident),
        Item::Trait(item) => (&item.vis, &item.ident),
        Item::Type(item) => (&item.vis, &item.ident),
        Item::Union(item) => (&item.vis, &item.ident),
        _ => return None,
    })
}

/// A name that `pub use` or `pub(crate) use` gives to others.
pub(crate) struct Export {
    /// `*` for all of a module.
    pub(crate) name: String,
    /// The path behind it.
    pub(crate) path: Vec<String>,
}

/// What a module hands on to others.
pub(crate) fn reexports(items: &[syn::Item]) -> Vec<Export> {
    let mut found = Vec::new();
    for item in items {
        if let syn::Item::Use(item) = item
            && !matches!(item.vis, syn::Visibility::Inherited)
        {
            flatten(&item.tree, &mut Vec::new(), &mut |name, path| {
                found.push(Export {
                    name: name.to_owned(),
                    path: path.to_vec(),
                });
            });
        }
    }
    found
}

/// Every path of a `use` tree, with the name that it gives.
pub(crate) fn flatten(tree: &syn::UseTree, before: &mut Vec<String>, found: &mut dyn FnMut(&str, &[String])) {
    let mut with = |name: &syn::Ident, alias: &syn::Ident, before: &mut Vec<String>| {
        before.push(plain(name));
        let path = before.strip_suffix(&["self".to_owned()]).unwrap_or(before).to_vec();
        let alias = match plain(alias) {
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
            before.push(plain(&path.ident));
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
