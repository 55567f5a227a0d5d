//! What an error says is one line without gaps, however its text is broken in the source.
#![allow(clippy::unwrap_used)]

mod test_files;

use quote::ToTokens as _;
use syn::visit::Visit;
use test_files::{root, under};

struct Texts(Vec<String>);

impl Visit<'_> for Texts {
    fn visit_attribute(&mut self, attribute: &syn::Attribute) {
        if !attribute.path().is_ident("error") {
            return;
        }
        for token in attribute.meta.to_token_stream() {
            let proc_macro2::TokenTree::Group(group) = token else {
                continue;
            };
            for token in group.stream() {
                if let Ok(text) = syn::parse2::<syn::LitStr>(token.into()) {
                    self.0.push(text.value());
                }
            }
        }
    }
}

#[test]
fn no_error_has_gaps_or_breaks_in_its_text() {
    let mut texts = Texts(Vec::new());
    for folder in ["src", "codegen/src", "codegen/spec/src", "cli/src"] {
        let folder = root().join(folder);
        for source in under(&folder, &folder).unwrap().values() {
            texts.visit_file(&syn::parse_file(source).unwrap());
        }
    }
    assert!(texts.0.len() > 100, "{}", texts.0.len());
    let broken: Vec<_> = texts
        .0
        .iter()
        .filter(|text| text.contains("  ") || text.contains('\n'))
        .collect();
    assert_eq!(broken, Vec::<&String>::new());
}
