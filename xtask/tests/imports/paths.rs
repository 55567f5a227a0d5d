//! The paths in a file that may lead to another one.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::Visit;

use crate::items::{attributes, attributes_in_impl, flatten, is_test_only, path_attribute};
use crate::sources::{File, beside};

/// Something in a file that may lead to another one.
pub(crate) struct Reference {
    /// The module that it stands in.
    pub(crate) from: Vec<String>,
    pub(crate) to: Target,
    /// Whether a comment `// circular: why` stands on the line above.
    pub(crate) defended: bool,
}

/// What a reference names.
#[derive(Clone)]
pub(crate) enum Target {
    /// The names of a path; the first is `crate` when it starts at the root, by whatever name.
    Path(Vec<String>),
    /// A file, by its own name: `include!`, `#[path = ".."]`.
    File(String),
}

/// Every reference in a file.
pub(crate) fn references(file: &File, own_names: &BTreeSet<String>) -> Vec<Reference> {
    let mut visitor = Paths {
        module: file.module.clone(),
        file,
        lines: file.text.lines().collect(),
        own_names,
        in_text: None,
        found: Vec::new(),
    };
    visitor.visit_file(&file.syntax);
    visitor.found
}

struct Paths<'a> {
    module: Vec<String>,
    file: &'a File,
    lines: Vec<&'a str>,
    own_names: &'a BTreeSet<String>,
    /// The line of the text that is looked at: what is read out of it has none of its own.
    in_text: Option<usize>,
    found: Vec<Reference>,
}

impl Paths<'_> {
    fn add(&mut self, to: Target, at: Span) {
        let line = self.in_text.unwrap_or(at.start().line);
        let above = line.checked_sub(2).and_then(|n| self.lines.get(n));
        let reason = above.and_then(|line| line.trim().strip_prefix("// circular: "));
        self.found.push(Reference {
            from: self.module.clone(),
            to,
            defended: reason.is_some_and(|reason| reason.len() > 20),
        });
    }

    /// The names of a path that starts with `::` or not.
    fn add_path(&mut self, mut names: Vec<String>, from_outside: bool, at: Span) {
        let is_own = names.first().is_some_and(|name| self.own_names.contains(name));
        if is_own {
            "crate".clone_into(&mut names[0]);
        } else if from_outside {
            return; // another crate
        }
        self.add(Target::Path(names), at);
    }

    /// Paths in what a macro or an attribute is given, which has no syntax of its own. The texts of an attribute may be
    /// paths, those of a macro are for people.
    fn tokens(&mut self, tokens: TokenStream, in_attribute: bool) {
        let mut path = TokenPath::default();
        let mut after_hash = false;
        for token in tokens {
            let hash = after_hash;
            after_hash = false;
            match token {
                TokenTree::Ident(name) => {
                    if path.colons != 2 {
                        path.end(self);
                    }
                    path.push(&name);
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    path.colons += 1;
                }
                TokenTree::Group(group) => {
                    path.end(self);
                    // A comment of documentation is no code.
                    let is_doc = group
                        .stream()
                        .into_iter()
                        .next()
                        .is_some_and(|first| first.to_string() == "doc");
                    let is_attribute = hash && group.delimiter() == Delimiter::Bracket;
                    if !(is_attribute && is_doc) {
                        self.tokens(group.stream(), in_attribute || is_attribute);
                    }
                }
                TokenTree::Literal(literal) => {
                    path.end(self);
                    let line = literal.span().start().line;
                    if in_attribute && let Ok(text) = syn::parse2::<syn::LitStr>(TokenTree::from(literal).into()) {
                        self.text(&text.value(), line);
                    }
                }
                TokenTree::Punct(punct) => {
                    path.end(self);
                    after_hash = punct.as_char() == '#' || hash && punct.as_char() == '!';
                }
            }
        }
        path.end(self);
    }

    /// Paths in a text that can be code: `with = "crate::wire"`, `bound = "T: crate::Thing"`. Prose is none.
    fn text(&mut self, text: &str, line: usize) {
        let outer = self.in_text.replace(self.in_text.unwrap_or(line));
        if let Ok(kind) = syn::parse_str::<syn::Type>(text) {
            self.visit_type(&kind);
        } else if let Ok(expression) = syn::parse_str::<syn::Expr>(text) {
            self.visit_expr(&expression);
        } else {
            let bounds = Punctuated::<syn::WherePredicate, syn::Token![,]>::parse_terminated;
            for bound in syn::parse::Parser::parse_str(bounds, text).iter().flatten() {
                self.visit_where_predicate(bound);
            }
        }
        self.in_text = outer;
    }
}

/// A path that is put together from tokens.
#[derive(Default)]
struct TokenPath {
    names: Vec<String>,
    from_outside: bool,
    at: Option<Span>,
    /// How many stand before the next name.
    colons: usize,
}

impl TokenPath {
    fn push(&mut self, name: &proc_macro2::Ident) {
        if self.names.is_empty() {
            self.from_outside = self.colons == 2;
            self.at = Some(name.span());
        }
        self.names.push(name.to_string());
        self.colons = 0;
    }

    fn end(&mut self, paths: &mut Paths<'_>) {
        // Colons before the first name are kept: they say where the path starts.
        if self.names.is_empty() && self.colons == 2 {
            return;
        }
        let ended = std::mem::take(self);
        if let (Some(at), true) = (ended.at, ended.names.len() > 1) {
            paths.add_path(ended.names, ended.from_outside, at);
        }
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
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

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if let Some(path) = path_attribute(&item.attrs) {
            let name = beside(self.file.folder(), &path);
            // A parent that declares its child does not use it.
            let own = self.file.module.join("/");
            if !name.starts_with(&format!("{own}/")) {
                self.add(Target::File(name), item.ident.span());
            }
        }
        self.module.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut paths = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut |_, path| paths.push(path.to_vec()));
        let handed_on = !matches!(item.vis, syn::Visibility::Inherited);
        let from_outside = item.leading_colon.is_some();
        for path in paths {
            // A parent that hands its child's names on does not use them.
            let own_child = !matches!(path[0].as_str(), "crate" | "super") && !self.own_names.contains(&path[0]);
            if !(handed_on && own_child) {
                self.add_path(path, from_outside, item.use_token.span);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            let names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.add_path(names, path.leading_colon.is_some(), path.segments[0].ident.span());
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        if item.path.is_ident("include") {
            let at = item.path.segments[0].ident.span();
            let to = match item.parse_body::<syn::LitStr>() {
                Ok(path) => Target::File(beside(self.file.folder(), &path.value())),
                // What a build script wrote: generated code goes through the contract.
                Err(_) => Target::Path(vec!["crate".to_owned(), "rt".to_owned()]),
            };
            self.add(to, at);
            return;
        }
        self.visit_path(&item.path);
        self.tokens(item.tokens.clone(), false);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone(), true);
        }
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}
