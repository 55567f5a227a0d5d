//! The paths in a file that may lead to another one.

use syn::visit::Visit;

use crate::sources::{File, flatten, is_test_only};

/// A path of a file: the module that it starts from, and its names.
pub(crate) struct Reference {
    pub(crate) from: Vec<String>,
    pub(crate) names: Vec<String>,
}

/// Every path in a file that may lead to another one.
pub(crate) fn references(file: &File) -> Vec<Reference> {
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
