//! No code but its own knows a provider by its id.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

use crate::items::{attributes, attributes_in_impl, is_test_only};
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

/// The texts in the code of a file that are an id, or are made of one: not in attributes, not in tests.
fn ids(file: &syn::File) -> Vec<String> {
    let mut texts = Texts::default();
    texts.visit_file(file);
    texts.found.retain(|text| {
        // Prose may speak of a provider.
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        !text.contains(char::is_whitespace) && words.any(|word| IDS.iter().any(|id| id.eq_ignore_ascii_case(word)))
    });
    texts.found
}

#[derive(Default)]
struct Texts {
    found: Vec<String>,
}

impl Texts {
    fn literal(&mut self, literal: &syn::Lit) {
        match literal {
            syn::Lit::Str(text) => self.found.push(text.value()),
            syn::Lit::ByteStr(bytes) => self.found.push(String::from_utf8_lossy(&bytes.value()).into_owned()),
            syn::Lit::CStr(text) => self.found.push(text.value().to_string_lossy().into_owned()),
            _ => {}
        }
    }

    fn tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Literal(literal) => {
                    if let Ok(literal) = syn::parse2(TokenTree::from(literal).into()) {
                        self.literal(&literal);
                    }
                }
                _ => {}
            }
        }
    }
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

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        // A bundle is data, and the file's name says whose.
        if !item.path.is_ident("include_str") {
            self.tokens(item.tokens.clone());
        }
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
    ] {
        assert_eq!(ids(&syn::parse_file(unseen).unwrap()), Vec::<String>::new(), "{unseen}");
    }
}
