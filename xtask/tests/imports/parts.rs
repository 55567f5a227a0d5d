//! Texts that are written in parts: `concat!("o", "fx")`, `["o", "fx"].join("")`, `format!("o{}", "fx")`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::Visit;

use crate::items::{is_punct, plain};

pub(crate) fn text_of(literal: &syn::Lit) -> Option<String> {
    match literal {
        syn::Lit::Str(text) => Some(text.value()),
        syn::Lit::ByteStr(bytes) => Some(String::from_utf8_lossy(&bytes.value()).into_owned()),
        syn::Lit::CStr(text) => Some(text.value().to_string_lossy().into_owned()),
        _ => None,
    }
}

fn part_of(literal: &syn::Lit) -> Option<String> {
    text_of(literal).or_else(|| match literal {
        syn::Lit::Byte(byte) => Some(char::from(byte.value()).to_string()),
        syn::Lit::Char(letter) => Some(letter.value().to_string()),
        _ => None,
    })
}

/// The parts of an expression, from left to right: what a part of it has in a block counts for the block alone.
pub(crate) fn parts_of(expression: &syn::Expr) -> Vec<String> {
    let mut parts = Parts(Vec::new());
    parts.visit_expr(expression);
    parts.0
}

/// The same of a pattern.
pub(crate) fn parts_of_pattern(pattern: &syn::Pat) -> Vec<String> {
    let mut parts = Parts(Vec::new());
    parts.visit_pat(pattern);
    parts.0
}

struct Parts(Vec<String>);

impl<'ast> Visit<'ast> for Parts {
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_block(&mut self, _: &'ast syn::Block) {}

    fn visit_lit(&mut self, literal: &'ast syn::Lit) {
        self.0.extend(part_of(literal));
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        // The name of a file is no part of a text.
        if !item.path.is_ident("include_str") {
            self.0.extend(parts_in(item.tokens.clone()));
        }
    }
}

/// The same of tokens.
pub(crate) fn parts_in(tokens: TokenStream) -> Vec<String> {
    let mut parts = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() != Delimiter::Brace => parts.extend(parts_in(group.stream())),
            TokenTree::Literal(literal) => {
                let literal: Option<syn::Lit> = syn::parse2(TokenTree::from(literal).into()).ok();
                parts.extend(literal.as_ref().and_then(part_of));
            }
            _ => {}
        }
    }
    parts
}

/// What the parts give: one behind the other, or in the places that a text before them has for them.
pub(crate) fn joined(parts: &[String]) -> String {
    let mut text = String::new();
    for part in parts {
        let place = text.find('{').and_then(|start| {
            let length = text[start..].find('}')?;
            Some(start..=start + length)
        });
        match place {
            Some(place) => text.replace_range(place, part),
            None => text.push_str(part),
        }
    }
    text
}

/// What `stringify!(mx)` and `concat!("m", "x")` are.
pub(crate) fn text_of_macro(name: &str, given: &TokenStream) -> Option<String> {
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
            part_of(&literal)
        }
        _ => None,
    });
    Some(parts.collect())
}

/// `name` of `name!` before a group.
pub(crate) fn called_macro(before: &[TokenTree]) -> Option<String> {
    match before {
        [.., TokenTree::Ident(name), mark] if is_punct(mark, '!') => Some(plain(name)),
        _ => None,
    }
}
