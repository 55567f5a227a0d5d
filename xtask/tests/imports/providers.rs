//! No code but its own knows a provider by its id.

use syn::visit::Visit;

use crate::sources::{Sources, is_test_only};
use crate::workspace;

#[test]
fn a_provider_is_compared_by_its_id_in_its_own_file_only() {
    const IDS: [&str; 5] = ["ofx", "mx", "omnifund", "tatrabanka", "finexer"];
    let sources = Sources::read(&workspace().join("src"));
    let mut found = Vec::new();
    for file in &sources.files {
        if file.name.starts_with("sandbox/providers/") || file.name.starts_with("providers/") {
            continue;
        }
        let mut texts = Texts::default();
        texts.visit_file(&file.syntax);
        let ids = texts.found.iter().filter(|text| IDS.contains(&text.as_str()));
        found.extend(ids.map(|id| format!("{}: {id:?}", file.name)));
    }
    assert_eq!(found, Vec::<String>::new());
}

/// The texts in the code of a file: not in attributes, not in documentation, not in tests.
#[derive(Default)]
struct Texts {
    found: Vec<String>,
}

impl<'ast> Visit<'ast> for Texts {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test_only(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.found.push(text.value());
    }
}
