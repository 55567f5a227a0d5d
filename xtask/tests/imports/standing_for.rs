//! The names of constants and variables whose text tells something.

use std::collections::BTreeSet;

use syn::visit::Visit;

use crate::items::{attributes, attributes_in_impl, flatten, is_test_only, plain};

/// The names that stand for such a text, wherever they are given one, and what a `use` makes of them. A name counts
/// without its path.
pub(crate) fn constants(files: &[&syn::File], tells: impl Fn(&syn::Expr) -> bool) -> BTreeSet<String> {
    find(files, &tells, false)
}

/// The same with the variables of a file.
pub(crate) fn names_of(file: &syn::File, tells: impl Fn(&syn::Expr) -> bool) -> BTreeSet<String> {
    find(&[file], &tells, true)
}

fn find(files: &[&syn::File], tells: &dyn Fn(&syn::Expr) -> bool, variables: bool) -> BTreeSet<String> {
    let mut names = Names {
        tells,
        variables,
        found: BTreeSet::new(),
    };
    loop {
        let before = names.found.len();
        for file in files {
            names.visit_file(file);
        }
        if names.found.len() == before {
            return names.found;
        }
    }
}

struct Names<'a> {
    tells: &'a dyn Fn(&syn::Expr) -> bool,
    variables: bool,
    found: BTreeSet<String>,
}

impl Names<'_> {
    fn given(&mut self, name: &syn::Ident, value: &syn::Expr) {
        if (self.tells)(value) || stands_for(value).is_some_and(|other| self.found.contains(&other)) {
            self.found.insert(plain(name));
        }
    }
}

/// The name that an expression only repeats.
fn stands_for(value: &syn::Expr) -> Option<String> {
    match value {
        syn::Expr::Path(path) => path.path.segments.last().map(|segment| plain(&segment.ident)),
        syn::Expr::Reference(reference) => stands_for(&reference.expr),
        _ => None,
    }
}

/// Whether an expression is a text as it is written, or made of it: not what is asked with it.
fn is_text(value: &syn::Expr) -> bool {
    match value {
        syn::Expr::Lit(_) | syn::Expr::Array(_) => true,
        syn::Expr::Path(_) => stands_for(value).is_some(),
        syn::Expr::Macro(found) => ["concat", "format", "stringify", "vec"]
            .iter()
            .any(|name| found.mac.path.segments.last().is_some_and(|last| last.ident == name)),
        syn::Expr::Reference(reference) => is_text(&reference.expr),
        syn::Expr::Call(call) => stands_for(&call.func).is_some_and(|name| name == "from" || name == "new"),
        syn::Expr::MethodCall(call) => is_text(&call.receiver) && call.args.is_empty(),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_test_only(attributes(item)) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        if !is_test_only(attributes_in_impl(item)) {
            syn::visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.given(&item.ident, &item.expr);
        syn::visit::visit_item_const(self, item);
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.given(&item.ident, &item.expr);
        syn::visit::visit_item_static(self, item);
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.given(&item.ident, &item.expr);
    }

    fn visit_trait_item_const(&mut self, item: &'ast syn::TraitItemConst) {
        if let Some((_, value)) = &item.default {
            self.given(&item.ident, value);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        flatten(&item.tree, &mut Vec::new(), &mut |name, path| {
            if path.last().is_some_and(|last| self.found.contains(last)) {
                self.found.insert(name.to_owned());
            }
        });
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        let mut pattern = &local.pat;
        if let syn::Pat::Type(typed) = pattern {
            pattern = &typed.pat;
        }
        if let (true, syn::Pat::Ident(name), Some(init)) = (self.variables, pattern, &local.init)
            && is_text(&init.expr)
        {
            self.given(&name.ident, &init.expr);
        }
        syn::visit::visit_local(self, local);
    }
}
