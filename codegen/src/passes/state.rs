//! What the passes over one client share.

use std::collections::BTreeMap;

use finrail_spec::model::Operation;

use super::tree::StructFields;
use crate::document::Document;
use crate::error::Error;
use crate::transform::Prepared;

pub(super) struct Passes<'a> {
    pub document: &'a Document,
    pub prepared: &'a Prepared,
    pub root: &'a proc_macro2::TokenStream,
    pub example_module: Option<&'a str>,
    pub structs: BTreeMap<String, StructFields>,
    /// The field that keeps what is not described, of the structs that have one.
    pub rests: BTreeMap<String, syn::Ident>,
    pub errors: Vec<Error>,
}

impl<'a> Passes<'a> {
    pub fn over(
        document: &'a Document,
        prepared: &'a Prepared,
        root: &'a proc_macro2::TokenStream,
        example_module: Option<&'a str>,
    ) -> Self {
        Self {
            document,
            prepared,
            root,
            example_module,
            structs: BTreeMap::new(),
            rests: BTreeMap::new(),
            errors: Vec::new(),
        }
    }

    /// The operation that a method of the client calls.
    pub fn operation(&self, method: &str) -> Option<&'a Operation> {
        self.document.operations.iter().find(|operation| operation.id == method)
    }
}
