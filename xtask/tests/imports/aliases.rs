//! What a name stands for because of a `use`.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

use crate::items::{attributes, flatten, is_punct, is_test_only, plain};
use crate::sources::File;

/// How often one `use` may name what another gave.
const DEPTH: usize = 8;

/// The names that each `use` of a file gives, by the module in which it stands. One in a function counts for all of the
/// module.
pub(crate) struct Aliases<'a> {
    own_names: &'a BTreeSet<String>,
    children: Children,
    modules: BTreeMap<Vec<String>, Scope>,
}

#[derive(Default)]
struct Scope {
    names: BTreeMap<String, Vec<Alias>>,
    /// `use super::*`: the names of the module around it are here too.
    has_those_around: bool,
    /// `pub use child::*`, whose names only the child can say.
    globs: Vec<Vec<String>>,
}

#[derive(Clone)]
struct Alias {
    path: Vec<String>,
    of_own_child: bool,
}

/// What a path means, with the names that `use` gave written out.
pub(crate) struct Meaning {
    /// The module from which it is read.
    pub(crate) from: Vec<String>,
    pub(crate) path: Vec<String>,
    /// Whether the `use` hands on what a child has, which alone does not count.
    pub(crate) of_own_child: bool,
}

impl<'a> Aliases<'a> {
    /// `exported` says what the names of a module are that ends in `*`.
    pub(crate) fn of(
        file: &File,
        own_names: &'a BTreeSet<String>,
        exported: impl Fn(&[String], &[String]) -> Vec<String>,
    ) -> Self {
        let mut uses = Uses {
            module: file.module.clone(),
            aliases: Self {
                own_names,
                children: Children::of(file),
                modules: BTreeMap::new(),
            },
        };
        uses.visit_file(&file.syntax);
        let mut aliases = uses.aliases;
        for (module, scope) in &mut aliases.modules {
            for glob in &scope.globs {
                for name in exported(module, glob) {
                    let path = [&glob[..glob.len() - 1], std::slice::from_ref(&name)].concat();
                    let of_own_child = true;
                    // A name that is written out hides the one of a glob.
                    let known = scope.names.entry(name).or_default();
                    if known.is_empty() {
                        known.push(Alias { path, of_own_child });
                    }
                }
            }
        }
        aliases
    }

    /// Whether a `use` only hands on what a child of the module has: one that the module declares, not one that another
    /// `use` gives.
    pub(crate) fn hands_on_a_child(&self, module: &[String], item: &syn::ItemUse, path: &[String]) -> bool {
        !matches!(item.vis, syn::Visibility::Inherited) && self.children.lead(module, path)
    }

    /// What a path stands for besides what it says itself.
    pub(crate) fn meanings(&self, module: &[String], names: &[String]) -> Vec<Meaning> {
        let mut found = Vec::new();
        self.follow(module, names, false, 0, &mut found);
        found
    }

    fn follow(&self, module: &[String], names: &[String], of_child: bool, depth: usize, found: &mut Vec<Meaning>) {
        let (mut at, mut rest) = (module, names);
        while rest.len() > 1 {
            match rest[0].as_str() {
                "self" => {}
                "super" if !at.is_empty() => at = &at[..at.len() - 1],
                _ => break,
            }
            rest = &rest[1..];
        }
        let mut around = Some(at);
        while let Some((at, scope)) = around.and_then(|at| Some((at, self.modules.get(at)?))) {
            for alias in scope.names.get(&rest[0]).into_iter().flatten() {
                let path = [alias.path.as_slice(), &rest[1..]].concat();
                let of_own_child = of_child || alias.of_own_child;
                if depth < DEPTH && alias.path[0] != rest[0] {
                    self.follow(at, &path, of_own_child, depth + 1, found);
                }
                found.push(Meaning {
                    from: at.to_vec(),
                    path,
                    of_own_child,
                });
            }
            around = at
                .split_last()
                .filter(|_| scope.has_those_around)
                .map(|(_, outer)| outer);
        }
    }
}

/// The modules that a file declares, by the module in which it does.
#[derive(Default)]
struct Children {
    module: Vec<String>,
    declared: BTreeMap<Vec<String>, BTreeSet<String>>,
    /// The names that a `use` gives, with the paths behind them.
    given: BTreeMap<Vec<String>, Vec<(String, Vec<String>)>>,
}

impl Children {
    fn of(file: &File) -> Self {
        let mut children = Self {
            module: file.module.clone(),
            ..Self::default()
        };
        children.visit_file(&file.syntax);
        children
    }

    fn declares(&self, module: &[String], name: &String) -> bool {
        self.declared.get(module).is_some_and(|names| names.contains(name))
    }

    /// Whether a path starts at a child of a module and stays there. Where a `use` on another condition gives the same
    /// name to something else, it may not.
    fn lead(&self, module: &[String], path: &[String]) -> bool {
        let start = |path: &[String]| path.iter().find(|name| *name != "self").cloned();
        let Some(first) = start(path) else { return false };
        let mut given = self.given.get(module).into_iter().flatten();
        let is_another = given
            .any(|(name, behind)| *name == first && start(behind).is_none_or(|behind| !self.declares(module, &behind)));
        self.declares(module, &first) && !is_another && !path.iter().any(|name| name == "super")
    }
}

impl<'ast> Visit<'ast> for Children {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_test_only(attributes(item)) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let name = plain(&item.ident);
        let declared = self.declared.entry(self.module.clone()).or_default();
        declared.insert(name.clone());
        self.module.push(name);
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let given = self.given.entry(self.module.clone()).or_default();
        flatten(&item.tree, &mut Vec::new(), &mut |name, path| {
            given.push((name.to_owned(), path.to_vec()));
        });
    }
}

struct Uses<'a> {
    module: Vec<String>,
    aliases: Aliases<'a>,
}

impl Uses<'_> {
    /// `m! { use crate::b as x; }`: what a macro is given, and what it is defined as, can stand where the macro does.
    fn tokens(&mut self, tokens: TokenStream) {
        let is_mark_of_crate = |tokens: &[TokenTree], n: usize| {
            is_punct(&tokens[n], '$') && tokens.get(n + 1).is_some_and(|next| next.to_string() == "crate")
        };
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (n, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(name) if name == "use" => {
                    let behind = tokens[n..].iter().position(|token| is_punct(token, ';'));
                    let end = behind.map_or(tokens.len(), |length| n + length);
                    let item = (n..end)
                        .filter(|n| !is_mark_of_crate(&tokens, *n))
                        .map(|n| tokens[n].clone());
                    let semicolon = TokenTree::from(proc_macro2::Punct::new(';', proc_macro2::Spacing::Alone));
                    if let Ok(item) = syn::parse2::<syn::ItemUse>(item.chain([semicolon]).collect()) {
                        self.visit_item_use(&item);
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Uses<'_> {
    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.tokens(item.tokens.clone());
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_test_only(attributes(item)) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(plain(&item.ident));
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let own_names = self.aliases.own_names;
        let mut found = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut |name, path| {
            let of_own_child = self.aliases.hands_on_a_child(&self.module, item, path);
            found.push((name.to_owned(), path.to_vec(), of_own_child));
        });
        let scope = self.aliases.modules.entry(self.module.clone()).or_default();
        for (name, mut path, of_own_child) in found {
            if own_names.contains(&path[0]) {
                "crate".clone_into(&mut path[0]);
            } else if item.leading_colon.is_some() {
                continue; // another crate
            }
            match name.as_str() {
                "_" => {}
                "*" if path == ["super", "*"] => scope.has_those_around = true,
                "*" if of_own_child => scope.globs.push(path),
                "*" => {}
                _ if path == [name.as_str()] => {}
                _ => scope.names.entry(name).or_default().push(Alias { path, of_own_child }),
            }
        }
    }
}
