//! No code but its own knows a provider by its id.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::Visit;

use crate::items::{attributes, attributes_in_impl, is_punct, is_test_only, plain};
use crate::sources::Sources;
use crate::workspace;

const IDS: [&str; 5] = ["ofx", "mx", "omnifund", "tatrabanka", "finexer"];

#[test]
fn a_provider_is_known_by_its_id_in_its_own_file_only() {
    let sources = Sources::read(&workspace().join("src"));
    let mut found = Vec::new();
    for file in &sources.files {
        if file.name.starts_with("sandbox/providers/") || file.name.starts_with("providers/") {
            continue;
        }
        found.extend(ids(&file.syntax).into_iter().map(|id| format!("{}: {id:?}", file.name)));
    }
    assert_eq!(found, Vec::<String>::new());
}

/// Calls that compare one text with another.
const COMPARING: [&str; 14] = [
    "cmp",
    "contains",
    "ends_with",
    "eq",
    "eq_ignore_ascii_case",
    "find",
    "is_match",
    "matches",
    "ne",
    "rfind",
    "split_once",
    "starts_with",
    "strip_prefix",
    "strip_suffix",
];

/// Macros that do.
const COMPARING_MACROS: [&str; 5] = [
    "assert_eq",
    "assert_ne",
    "debug_assert_eq",
    "debug_assert_ne",
    "matches",
];

/// The texts in the code of a file that are an id, or are made of one: not in attributes, not in tests.
fn ids(file: &syn::File) -> Vec<String> {
    let mut texts = Texts::default();
    texts.visit_file(file);
    let telling = texts.found.into_iter().filter(|(text, compared)| {
        // Prose may speak of a provider.
        let is_prose = text.contains(char::is_whitespace) && !compared;
        !is_prose && (has_id(text) || *compared && says_who(text))
    });
    telling.map(|(text, _)| text).collect()
}

fn has_id(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    words.any(|word| IDS.iter().any(|id| id.eq_ignore_ascii_case(word)))
}

/// Whether a text is enough to know a provider by: its name as people write it, or how its id begins.
fn says_who(text: &str) -> bool {
    let letters: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
    let letters = letters.to_ascii_lowercase();
    IDS.iter().filter(|id| id.len() > 4).any(|id| {
        let is_beginning = letters.len() >= 4 && id.starts_with(&letters);
        is_beginning || letters.contains(id)
    })
}

/// The texts of a file, each with whether something is compared with it.
#[derive(Default)]
struct Texts {
    found: Vec<(String, bool)>,
    /// Whether what is looked at now is part of a comparison.
    compared: bool,
}

impl Texts {
    fn comparing(&mut self, compared: bool, look: impl FnOnce(&mut Self)) {
        let outer = self.compared;
        self.compared |= compared;
        look(self);
        self.compared = outer;
    }

    fn literal(&mut self, literal: &syn::Lit) {
        if let Some(text) = text_of(literal) {
            self.found.push((text, self.compared));
        }
    }

    /// `[b'm', b'x']`.
    fn letters<'a>(&mut self, literals: impl Iterator<Item = &'a syn::Lit>) {
        let letters: String = literals.filter_map(letter_of).collect();
        if letters.len() > 1 {
            self.found.push((letters, self.compared));
        }
    }

    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (n, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => {
                    let before = &tokens[..n];
                    if let Some(name) = called_macro(before) {
                        self.in_macro(&name, group.stream());
                        continue;
                    }
                    let by_call = before.last().is_some_and(|name| is_one_of(name, &COMPARING));
                    let compared = by_call || is_compared(&tokens, n);
                    self.comparing(compared, |texts| {
                        if group.delimiter() == Delimiter::Bracket {
                            let literals: Vec<syn::Lit> = literals(group.stream()).collect();
                            texts.letters(literals.iter());
                        }
                        texts.tokens(group.stream());
                    });
                }
                TokenTree::Literal(literal) => {
                    if let Ok(literal) = syn::parse2(TokenTree::from(literal.clone()).into()) {
                        self.comparing(is_compared(&tokens, n), |texts| texts.literal(&literal));
                    }
                }
                _ => {}
            }
        }
    }

    fn in_macro(&mut self, name: &str, tokens: TokenStream) {
        // A bundle is data, and the file's name says whose.
        if name == "include_str" {
            return;
        }
        if let Some(text) = text_of_macro(name, &tokens) {
            self.found.push((text, self.compared));
        }
        self.comparing(COMPARING_MACROS.contains(&name), |texts| texts.tokens(tokens));
    }
}

fn text_of(literal: &syn::Lit) -> Option<String> {
    match literal {
        syn::Lit::Str(text) => Some(text.value()),
        syn::Lit::ByteStr(bytes) => Some(String::from_utf8_lossy(&bytes.value()).into_owned()),
        syn::Lit::CStr(text) => Some(text.value().to_string_lossy().into_owned()),
        _ => None,
    }
}

fn letter_of(literal: &syn::Lit) -> Option<char> {
    match literal {
        syn::Lit::Byte(byte) => Some(char::from(byte.value())),
        syn::Lit::Char(letter) => Some(letter.value()),
        _ => None,
    }
}

fn literals(tokens: TokenStream) -> impl Iterator<Item = syn::Lit> {
    tokens.into_iter().filter_map(|token| match token {
        TokenTree::Literal(literal) => syn::parse2(TokenTree::from(literal).into()).ok(),
        _ => None,
    })
}

/// What `stringify!(mx)` and `concat!("m", "x")` are.
fn text_of_macro(name: &str, given: &TokenStream) -> Option<String> {
    if name == "stringify" {
        return Some(given.to_string());
    }
    if name != "concat" {
        return None;
    }
    let tokens: Vec<TokenTree> = given.clone().into_iter().collect();
    let parts = tokens.iter().enumerate().filter_map(|(n, token)| match token {
        TokenTree::Group(group) => text_of_macro(&called_macro(&tokens[..n])?, &group.stream()),
        TokenTree::Literal(literal) => {
            let literal: syn::Lit = syn::parse2(TokenTree::from(literal.clone()).into()).ok()?;
            text_of(&literal).or_else(|| letter_of(&literal).map(String::from))
        }
        _ => None,
    });
    Some(parts.collect())
}

/// `name` of `name!` before a group.
fn called_macro(before: &[TokenTree]) -> Option<String> {
    match before {
        [.., TokenTree::Ident(name), mark] if is_punct(mark, '!') => Some(plain(name)),
        _ => None,
    }
}

fn is_one_of(token: &TokenTree, names: &[&str]) -> bool {
    matches!(token, TokenTree::Ident(name) if names.contains(&plain(name).as_str()))
}

/// Whether `==`, `!=`, or the `|` and `=>` of a pattern stand beside a token, or a comparing call behind it.
fn is_compared(tokens: &[TokenTree], n: usize) -> bool {
    let mut before = tokens[..n].iter().rev().skip_while(|token| is_punct(token, '&'));
    let is_behind = match (before.next(), before.next()) {
        (Some(last), Some(first)) if is_punct(last, '=') => is_punct(first, '=') || is_punct(first, '!'),
        (Some(last), _) => is_punct(last, '|'),
        _ => false,
    };
    let is_in_front = match &tokens[n + 1..] {
        [first, second, ..] if is_punct(first, '=') => is_punct(second, '=') || is_punct(second, '>'),
        [first, second, ..] if is_punct(first, '!') => is_punct(second, '='),
        [first, second, ..] if is_punct(first, '.') => is_one_of(second, &COMPARING),
        [first, ..] => is_punct(first, '|'),
        [] => false,
    };
    is_behind || is_in_front
}

impl<'ast> Visit<'ast> for Texts {
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

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_lit(&mut self, literal: &'ast syn::Lit) {
        self.literal(literal);
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        let compared = matches!(binary.op, syn::BinOp::Eq(_) | syn::BinOp::Ne(_));
        self.comparing(compared, |texts| syn::visit::visit_expr_binary(texts, binary));
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let compared = COMPARING.contains(&plain(&call.method).as_str());
        self.comparing(compared, |texts| syn::visit::visit_expr_method_call(texts, call));
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        let compared = match &*call.func {
            syn::Expr::Path(function) => {
                let name = function.path.segments.last().map(|segment| plain(&segment.ident));
                name.is_some_and(|name| COMPARING.contains(&name.as_str()))
            }
            _ => false,
        };
        self.comparing(compared, |texts| syn::visit::visit_expr_call(texts, call));
    }

    fn visit_pat(&mut self, pattern: &'ast syn::Pat) {
        self.comparing(true, |texts| syn::visit::visit_pat(texts, pattern));
    }

    fn visit_expr_array(&mut self, array: &'ast syn::ExprArray) {
        self.letters(array.elems.iter().filter_map(|element| match element {
            syn::Expr::Lit(element) => Some(&element.lit),
            _ => None,
        }));
        syn::visit::visit_expr_array(self, array);
    }

    fn visit_pat_slice(&mut self, slice: &'ast syn::PatSlice) {
        self.letters(slice.elems.iter().filter_map(|element| match element {
            syn::Pat::Lit(element) => Some(&element.lit),
            _ => None,
        }));
        syn::visit::visit_pat_slice(self, slice);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let name = item.path.segments.last().map(|name| plain(&name.ident));
        self.in_macro(&name.unwrap_or_default(), item.tokens.clone());
    }
}

#[test]
fn every_way_to_know_a_provider_is_seen() {
    for seen in [
        "fn f(x: &str) -> bool { x == \"ofx\" }",
        "fn f(x: &str) -> bool { matches!(x, \"ofx\") }",
        "fn f(x: &[u8]) -> bool { x == b\"mx\" }",
        "fn f(x: &str) -> u8 { match x { \"ofx\" | \"mx\" => 1, _ => 2 } }",
        "fn f(x: &str) -> bool { x.eq(\"ofx\") }",
        "fn f(x: &str) -> bool { x.starts_with(\"ofx\") }",
        "fn f(x: &str) -> bool { x.starts_with(\"ofx-\") }",
        "fn f(x: &str) -> bool { [\"finexer\", \"tatrabanka\"].contains(&x) }",
        "const ONE: &str = r\"omnifund\";",
        "fn f(x: &str) { assert!(x.len() > 1 || !matches!(x, r#\"mx\"#)); }",
        "#[cfg(any(test, feature = \"mx\"))] fn f(x: &str) -> bool { x == \"mx\" }",
        "fn f(x: &str) -> bool { x.eq_ignore_ascii_case(\"OFX\") }",
        // Put together.
        "fn f(x: &str) -> bool { x == stringify!(mx) }",
        "fn f(x: &str) -> bool { x == std::concat!(\"m\", \"x\") }",
        "fn f(x: &str) -> bool { x == concat!(\"m\", stringify!(x)) }",
        "fn f(x: &str) { assert!(x != concat!(\"tatra\", 'b', \"anka\")); }",
        "fn f(x: &[u8]) -> bool { x == [b'm', b'x'] }",
        "fn f(x: &[u8]) -> bool { x.starts_with(&[b'o', b'f', b'x']) }",
        "fn f(x: &[char]) -> bool { matches!(x, ['m', 'x']) }",
        "fn f(x: &[u8]) -> u8 { match x { [b'm', b'x', ..] => 1, _ => 2 } }",
        // A part of it.
        "fn f(x: &str) -> bool { x.starts_with(\"tatra\") }",
        "fn f(x: &str) -> bool { str::starts_with(x, \"Omni\") }",
        "fn f(x: &str) { assert!(x.contains(\"finex\")); }",
        "fn f(x: &str) -> bool { x.strip_prefix(\"tatra\").is_some() }",
        "fn f(x: &str) -> bool { &x[..5] == \"tatra\" }",
        // As people write it.
        "fn f(x: &str) -> bool { x == \"Tatra banka\" }",
        "fn f(x: &str) -> u8 { match x { \"Tatra banka\" => 1, _ => 2 } }",
        "fn f(x: &str) -> bool { matches!(x, \"OmniFund\" | \"Tatra banka\") }",
        "fn f(x: &str) -> bool { [\"Tatra banka\"].contains(&x) }",
        "fn f(x: &str) { assert!(x == \"Tatra banka\" || \"Tatra banka\" != x); }",
        "fn f(x: &str) { m!(match x { \"Tatra banka\" => 1 }); }",
        "fn f(x: &str) { m!([\"Tatra banka\"].contains(x)); }",
        "fn f(x: &str) -> bool { x == \"OFX Payments\" }",
        "fn f(x: &str) -> bool { if let \"Tatra banka Premium API\" = x { true } else { false } }",
    ] {
        assert!(!ids(&syn::parse_file(seen).unwrap()).is_empty(), "{seen}");
    }
    for unseen in [
        "#[cfg(feature = \"ofx\")] fn f() {}",
        "/// Such as `ofx`.\nfn f() {}",
        "#[cfg(test)] fn f(x: &str) -> bool { x == \"ofx\" }",
        "#[cfg(all(test, feature = \"ofx\"))] mod tests { const ID: &str = \"ofx\"; }",
        "static BUNDLE: &str = include_str!(\"../specs/bundled/ofx.json\");",
        "fn f() -> &'static str { \"as the pages of MX say\" }",
        "fn f() -> &'static str { \"amx\" }",
        "use crate::ofx::Client;",
        "fn f() -> &'static str { \"Tatra banka\" }",
        "fn f() -> &'static str { concat!(\"as \", \"MX says\") }",
        "fn f(x: &str) -> bool { x.starts_with(\"ta\") || x == \"find\" || x == \"finally\" }",
        "fn f(x: &str) -> &str { x.trim_end(); \"tatra\" }",
        "fn f(x: &[u8]) -> bool { x == [b'm', b'y'] }",
        "fn f(x: &str) -> bool { x == stringify!(amx) }",
    ] {
        assert_eq!(ids(&syn::parse_file(unseen).unwrap()), Vec::<String>::new(), "{unseen}");
    }
}
