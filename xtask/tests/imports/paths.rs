//! The paths in a file that may lead to another one.

use std::collections::BTreeSet;
use std::path::Path;

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::Visit;

use crate::aliases::Aliases;
use crate::items::{
    Macro, attributes, attributes_in_impl, flatten, is_punct, is_test_only, path_attributes, paths_in, plain,
};
use crate::sources::{File, beside, is_read};

/// Something in a file that may lead to another one.
pub(crate) struct Reference {
    /// The module that it stands in.
    pub(crate) from: Vec<String>,
    pub(crate) to: Target,
    /// Whether a comment `// circular: why` stands on the line above.
    pub(crate) defended: bool,
}

/// What a reference names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// The names of a path; the first is `crate` when it starts at the root, by whatever name.
    Path(Vec<String>),
    /// A file, by its own name: `include!`, `#[path = ".."]`.
    File(String),
    /// Something that leads anywhere, and does not say where: as it is written.
    Unreadable(String),
}

/// Every reference in a file.
pub(crate) fn references(
    file: &File,
    own_names: &BTreeSet<String>,
    macros: &[(Macro, String)],
    aliases: &Aliases<'_>,
) -> Vec<Reference> {
    let mut visitor = Paths {
        module: file.module.clone(),
        file,
        lines: file.text.lines().collect(),
        own_names,
        macros,
        aliases,
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
    /// Every macro that can be called by its name alone, and the file in which it is written.
    macros: &'a [(Macro, String)],
    aliases: &'a Aliases<'a>,
    /// The line of the text that is looked at: what is read out of it has none of its own.
    in_text: Option<usize>,
    found: Vec<Reference>,
}

impl Paths<'_> {
    fn add(&mut self, to: Target, at: Span) {
        self.add_from(self.module.clone(), to, at);
    }

    fn add_from(&mut self, from: Vec<String>, to: Target, at: Span) {
        let line = self.in_text.unwrap_or(at.start().line);
        let above = line.checked_sub(2).and_then(|n| self.lines.get(n));
        let reason = above.and_then(|line| line.trim().strip_prefix("// circular: "));
        self.found.push(Reference {
            from,
            to,
            defended: reason.is_some_and(|reason| reason.len() > 20),
        });
    }

    /// The names of a path that starts with `::` or not, as it is and with what a `use` makes of it.
    fn add_path(&mut self, mut names: Vec<String>, from_outside: bool, at: Span) {
        let is_own = self.own_names.contains(&names[0]);
        if is_own {
            "crate".clone_into(&mut names[0]);
        } else if from_outside {
            return; // another crate
        }
        for meaning in self.aliases.meanings(&self.module, &names) {
            // The `use` counts where it stands. A name alone says no more, unless the `use` did not count.
            if names.len() > 1 || meaning.of_own_child {
                self.add_names(meaning.from, meaning.path, at);
            }
        }
        if names.len() > 1 || names[0] == "crate" {
            self.add_names(self.module.clone(), names, at);
        }
    }

    fn add_names(&mut self, from: Vec<String>, names: Vec<String>, at: Span) {
        let mut after_start = names.iter().skip_while(|name| is_start(name));
        let to = if after_start.any(|name| name == "super") {
            Target::Unreadable(names.join("::"))
        } else {
            Target::Path(names)
        };
        self.add_from(from, to, at);
    }

    /// A macro that is called by its name alone: it is the file's own, or comes from a `use`, or stands in a file that is
    /// compiled before this one.
    fn bare_macro(&mut self, name: &str, at: Span) {
        let of_name = self.macros.iter().filter(|(known, _)| known.name == name);
        let files: BTreeSet<&String> = of_name
            .filter(|(known, _)| self.module.starts_with(&known.seen_in))
            .map(|(_, file)| file)
            .collect();
        let by_use = !self.aliases.meanings(&self.module, &[name.to_owned()]).is_empty();
        if !by_use && !files.contains(&self.file.name) {
            for file in files {
                self.add(Target::File(file.clone()), at);
            }
        }
    }

    /// `pub(in crate::b)`. The module itself and those around it only see more by it.
    fn visible_in(&mut self, names: Vec<String>, at: Span) {
        let starts: Vec<&str> = names.iter().map(String::as_str).collect();
        let is_around = match starts.as_slice() {
            ["self"] | ["super", ..] => starts.iter().all(|name| is_start(name)),
            ["crate", names @ ..] => {
                names.len() <= self.module.len() && names.iter().zip(&self.module).all(|(name, own)| name == own)
            }
            _ => false,
        };
        if !is_around {
            self.add_path(names, false, at);
        }
    }

    /// `include!` under another name would not be seen where it is called.
    fn check_name_of_include(&mut self, name: &str, path: &[String], at: Span) {
        let is_include = path.len() > 1 && path.last().is_some_and(|last| last == "include");
        if is_include && name != "include" {
            self.add(Target::Unreadable(format!("{} as {name}", path.join("::"))), at);
        }
    }

    /// `include!` and what it is given.
    fn include(&mut self, tokens: TokenStream, at: Span) {
        let to = if let Ok(path) = syn::parse2::<syn::LitStr>(tokens.clone()) {
            file_with_code(beside(self.file.folder(), &path.value()))
        } else if is_of_build_script(&tokens) {
            // Generated code goes through the contract.
            Target::Path(vec!["crate".to_owned(), "rt".to_owned()])
        } else {
            Target::Unreadable(format!("include!({tokens})"))
        };
        self.add(to, at);
    }

    /// A file that `#[path = ".."]` names, by its path from a folder.
    fn file_of_module(&mut self, folder: &str, path: &str, at: Span) {
        let to = file_with_code(beside(folder, path));
        // A parent that declares its child does not use it.
        let own = format!("{}/", self.file.module.join("/"));
        if !matches!(&to, Target::File(name) if name.starts_with(&own)) {
            self.add(to, at);
        }
    }

    /// Paths in what a macro or an attribute is given, which has no syntax of its own. The texts of an attribute may be
    /// paths, those of a macro are for people.
    fn tokens(&mut self, tokens: TokenStream, in_attribute: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut path = TokenPath::default();
        let mut after_hash = false;
        for (n, token) in tokens.iter().enumerate() {
            let hash = after_hash;
            after_hash = false;
            match token {
                TokenTree::Ident(name) => {
                    if path.colons != 2 {
                        path.end(self);
                    }
                    if let Some(what) = names_given_unseen(&tokens[n..]) {
                        self.add(Target::Unreadable(what), name.span());
                    }
                    let is_member = is_member_behind(&tokens[..n]);
                    path.push(name, is_member);
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    path.colons += 1;
                }
                TokenTree::Group(group) if path.goes_on() && group.delimiter() == Delimiter::Brace => {
                    path.end_in_group(self, group);
                }
                TokenTree::Group(group) => {
                    path.end(self);
                    if let Some(seen) = visibility(&tokens[..=n]) {
                        self.visit_visibility(&seen);
                        continue;
                    }
                    let is_attribute = hash && group.delimiter() == Delimiter::Bracket;
                    if is_attribute {
                        self.attribute_in_tokens(group.stream(), group.span_open());
                    }
                    // The texts of documentation are no code.
                    let is_doc = is_attribute && starts_with(&group.stream(), "doc");
                    self.tokens(group.stream(), !is_doc && (in_attribute || is_attribute));
                }
                TokenTree::Literal(literal) => {
                    path.end(self);
                    let line = literal.span().start().line;
                    if in_attribute
                        && let Ok(text) = syn::parse2::<syn::LitStr>(TokenTree::from(literal.clone()).into())
                    {
                        self.text(&text.value(), line);
                    }
                }
                TokenTree::Punct(punct) => {
                    match punct.as_char() {
                        '*' if path.goes_on() => path.names.push("*".to_owned()),
                        '$' if path.goes_on() => path.end_in_variable(self),
                        '!' => self.call_in_tokens(&path, &tokens[..n], tokens.get(n + 1), in_attribute),
                        _ => {}
                    }
                    path.end(self);
                    after_hash = punct.as_char() == '#' || hash && punct.as_char() == '!';
                }
            }
        }
        path.end(self);
    }

    /// `n!(crate, b)`, `n!(include, "c.rs")`: a macro is given the beginning of a path, or the name of a macro, and puts the
    /// rest to it where it is defined.
    fn handed_over(&mut self, tokens: TokenStream, in_attribute: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (n, token) in tokens.iter().enumerate() {
            let name = match token {
                TokenTree::Ident(name) => name,
                TokenTree::Group(group) => {
                    if visibility(&tokens[..=n]).is_none() && !is_quote(&tokens[..n]) {
                        let is_attribute =
                            n > 0 && group.delimiter() == Delimiter::Bracket && is_punct(&tokens[n - 1], '#');
                        self.handed_over(group.stream(), in_attribute || is_attribute);
                    }
                    continue;
                }
                _ => continue,
            };
            let name = plain(name);
            let before = n.checked_sub(1).and_then(|n| tokens.get(n));
            let behind = tokens.get(n + 1);
            let is_before = |punct| behind.is_some_and(|token| is_punct(token, punct));
            let is_behind = |punct| before.is_some_and(|token| is_punct(token, punct));
            let alone = match name.as_str() {
                // `#[serde(crate = "..")]`
                "crate" => !(is_before(':') || in_attribute && is_before('=')),
                "super" => !is_before(':') && !is_behind(':'),
                "include" => !is_before('!') && !is_before(':') && !is_before('=') && !is_member_behind(&tokens[..n]),
                _ => false,
            };
            if alone {
                self.add(Target::Unreadable(format!("`{name}` alone in a macro")), token.span());
            }
        }
    }

    /// What is in the brackets of `#[..]`, where no syntax says whose attribute it is.
    fn attribute_in_tokens(&mut self, tokens: TokenStream, at: Span) {
        let read: Option<syn::Meta> = syn::parse2(tokens.clone()).ok();
        let paths = read.as_ref().map(paths_in).unwrap_or_default();
        if paths.is_empty() && starts_with(&tokens, "path") {
            self.add(Target::Unreadable(format!("#[{tokens}]")), at);
        }
        for path in paths {
            self.file_of_module(self.file.folder(), &path, at);
        }
    }

    /// A macro that is called among tokens: one that includes a file, and one that puts the text of an attribute together.
    fn call_in_tokens(
        &mut self,
        path: &TokenPath,
        before: &[TokenTree],
        given: Option<&TokenTree>,
        in_attribute: bool,
    ) {
        let (Some(name), Some(at), Some(TokenTree::Group(given))) = (path.names.last(), path.at, given) else {
            return;
        };
        let given = given.stream();
        if path.names.len() == 1 && !path.is_member {
            self.bare_macro(name, at);
        }
        if name == "include" {
            self.include(given, at);
        } else if in_attribute && makes_text(name) {
            let is_of_path = |token: &&TokenTree| matches!(token, TokenTree::Ident(_)) || is_punct(token, ':');
            let mut outside = before.iter().rev().skip_while(is_of_path);
            let is_value = outside.next().is_some_and(|token| is_punct(token, '='));
            let is_doc = outside.next().is_some_and(|key| key.to_string() == "doc");
            if is_value && !is_doc {
                self.add(Target::Unreadable(format!("{name}!({given}) in an attribute")), at);
            }
        }
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

/// A file that is compiled as part of another: what it imports is known only if it is read here.
fn file_with_code(name: String) -> Target {
    if name.starts_with("..") || name.starts_with('/') {
        Target::Unreadable(format!(
            "the file {name}, which is not read because it stands outside of the folder: move it"
        ))
    } else if is_read(Path::new(&name)) {
        Target::File(name)
    } else {
        Target::Unreadable(format!(
            "the file {name}, which is not read because its name does not end in `.rs`: rename it"
        ))
    }
}

/// Whether a name says where a path starts, and no more.
fn is_start(name: &str) -> bool {
    matches!(name, "crate" | "self" | "super")
}

fn starts_with(tokens: &TokenStream, name: &str) -> bool {
    let first = tokens.clone().into_iter().next();
    first.is_some_and(|first| first.to_string() == name)
}

/// `use $path as $name` at the start of tokens: what follows is read without the name.
fn names_given_unseen(tokens: &[TokenTree]) -> Option<String> {
    let is = |n: usize, name: &str| tokens.get(n).is_some_and(|token| token.to_string() == name);
    if !is(0, "use") {
        return None;
    }
    let colons = tokens[1..].iter().take_while(|token| is_punct(token, ':')).count();
    let given = match tokens.get(1 + colons) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => starts_in_variable(group),
        Some(token) => is_punct(token, '$') && !is(2 + colons, "crate"),
        None => false,
    };
    given.then(|| "`use` of a variable in a macro".to_owned())
}

/// Whether one of the paths in `{$path as $name, b::c}` starts in a variable.
fn starts_in_variable(group: &proc_macro2::Group) -> bool {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    tokens.iter().enumerate().any(|(n, token)| match token {
        TokenTree::Group(group) => starts_in_variable(group) && (n == 0 || !is_punct(&tokens[n - 1], ':')),
        _ => {
            let is_start = n == 0 || is_punct(&tokens[n - 1], ',');
            let is_crate = tokens.get(n + 1).is_some_and(|next| next.to_string() == "crate");
            is_start && is_punct(token, '$') && !is_crate
        }
    })
}

/// Whether the name behind these tokens is a member: `x.name`, and not the end of a range, `0..name`.
fn is_member_behind(before: &[TokenTree]) -> bool {
    let dots = before.iter().rev().take_while(|token| is_punct(token, '.'));
    dots.count() == 1
}

/// `pub(in crate::b)` at the end of tokens.
fn visibility(tokens: &[TokenTree]) -> Option<syn::Visibility> {
    let both = tokens.last_chunk::<2>()?;
    let read = syn::parse2(both.iter().cloned().collect()).ok();
    read.filter(|seen| matches!(seen, syn::Visibility::Restricted(_)))
}

/// Whether what follows is given to a macro that writes code of another crate: it has no paths of this one.
fn is_quote(before: &[TokenTree]) -> bool {
    matches!(before, [.., TokenTree::Ident(name), mark] if is_punct(mark, '!') && makes_tokens(&plain(name)))
}

fn makes_tokens(name: &str) -> bool {
    matches!(name, "parse_quote" | "quote" | "quote_spanned")
}

/// The macros whose outcome is a text.
fn makes_text(name: &str) -> bool {
    matches!(name, "concat" | "env" | "include_str" | "option_env" | "stringify")
}

/// `concat!(env!("OUT_DIR"), "/ofx.rs")`, and no other file.
fn is_of_build_script(tokens: &TokenStream) -> bool {
    let text: String = tokens.to_string().split_whitespace().collect();
    let name = text
        .strip_prefix("concat!(env!(\"OUT_DIR\"),")
        .and_then(|rest| rest.strip_suffix(')'));
    let name = name.and_then(|name| syn::parse_str::<syn::LitStr>(name).ok());
    name.is_some_and(|name| !name.value().contains(".."))
}

/// A path that is put together from tokens.
#[derive(Default)]
struct TokenPath {
    names: Vec<String>,
    from_outside: bool,
    /// `.name`, which is no path.
    is_member: bool,
    at: Option<Span>,
    /// How many stand before the next name.
    colons: usize,
}

impl TokenPath {
    fn push(&mut self, name: &proc_macro2::Ident, is_member: bool) {
        if self.names.is_empty() {
            self.from_outside = self.colons == 2;
            self.is_member = is_member;
            self.at = Some(name.span());
        }
        self.names.push(plain(name));
        self.colons = 0;
    }

    /// Whether `::` stands behind the last name.
    fn goes_on(&self) -> bool {
        self.colons == 2 && !self.names.is_empty()
    }

    fn end(&mut self, paths: &mut Paths<'_>) {
        // Colons before the first name are kept: they say where the path starts.
        if self.names.is_empty() && self.colons == 2 {
            return;
        }
        let ended = std::mem::take(self);
        // `crate` alone says who may see an item.
        let says_nothing = ended.names.len() == 1 && (ended.is_member || is_start(&ended.names[0]));
        if let (Some(at), false) = (ended.at, says_nothing) {
            paths.add_path(ended.names, ended.from_outside, at);
        }
    }

    /// `crate::{b::Thing, c}`.
    fn end_in_group(&mut self, paths: &mut Paths<'_>, group: &proc_macro2::Group) {
        let mut ended = std::mem::take(self);
        let Some(at) = ended.at else { return };
        if let Ok(tree) = syn::parse2::<syn::UseTree>(TokenTree::from(group.clone()).into()) {
            let mut found = Vec::new();
            flatten(&tree, &mut ended.names, &mut |name, path| {
                found.push((name.to_owned(), path.to_vec()));
            });
            for (name, names) in found {
                paths.check_name_of_include(&name, &names, at);
                paths.add_path(names, ended.from_outside, at);
            }
        } else {
            ended.unreadable(paths, &group.to_string());
            paths.tokens(group.stream(), false);
        }
    }

    /// `crate::$room`.
    fn end_in_variable(&mut self, paths: &mut Paths<'_>) {
        std::mem::take(self).unreadable(paths, "$");
    }

    /// Where it leads is said elsewhere. A path that starts outside, or in a variable, leads nowhere from here.
    fn unreadable(self, paths: &mut Paths<'_>, rest: &str) {
        let is_own = is_start(&self.names[0]) || paths.own_names.contains(&self.names[0]);
        if let (Some(at), true) = (self.at, is_own) {
            let path = self.names.join("::");
            paths.add(Target::Unreadable(format!("{path}::{rest}")), at);
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
        let name = plain(&item.ident);
        for path in path_attributes(&item.attrs) {
            let inline = &self.module[self.file.module.len()..];
            let folder = match inline {
                [] => self.file.folder().to_owned(),
                inline => format!("{}/{}", self.file.folder_of_children(), inline.join("/")),
            };
            self.file_of_module(&folder, &path, item.ident.span());
        }
        self.module.push(name);
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut paths = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut |name, path| {
            paths.push((name.to_owned(), path.to_vec()));
        });
        let from_outside = item.leading_colon.is_some();
        for (name, path) in paths {
            self.check_name_of_include(&name, &path, item.use_token.span);
            // A parent that hands its child's names on does not use them.
            if !self.aliases.hands_on_a_child(&self.module, item, &path) {
                self.add_path(path, from_outside, item.use_token.span);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
        self.add_path(names, path.leading_colon.is_some(), path.segments[0].ident.span());
        syn::visit::visit_path(self, path);
    }

    /// A constant in a pattern looks like a name that the pattern gives.
    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        let name = plain(&pattern.ident);
        if name.starts_with(char::is_uppercase) {
            self.add_path(vec![name], false, pattern.ident.span());
        }
        syn::visit::visit_pat_ident(self, pattern);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let last = item.path.segments.last();
        if let Some(name) = last.filter(|name| name.ident == "include") {
            self.include(item.tokens.clone(), name.ident.span());
            return;
        }
        self.visit_path(&item.path);
        if let Some(name) = item.path.get_ident() {
            self.bare_macro(&plain(name), name.span());
        }
        self.tokens(item.tokens.clone(), false);
        if !last.is_some_and(|name| makes_tokens(&plain(&name.ident))) {
            self.handed_over(item.tokens.clone(), false);
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        self.visit_path(attribute.path());
        match &attribute.meta {
            syn::Meta::List(list) => {
                self.tokens(list.tokens.clone(), true);
                self.handed_over(list.tokens.clone(), true);
            }
            // A macro can give the text: `#[doc = text!()]`.
            syn::Meta::NameValue(pair) => self.visit_expr(&pair.value),
            syn::Meta::Path(_) => {}
        }
    }

    fn visit_visibility(&mut self, visibility: &'ast syn::Visibility) {
        if let syn::Visibility::Restricted(seen) = visibility {
            let names = seen.path.segments.iter().map(|segment| plain(&segment.ident)).collect();
            self.visible_in(names, seen.pub_token.span);
        }
    }
}
