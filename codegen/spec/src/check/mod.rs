//! What a document must be before anything is made from it.

pub mod examples;
pub mod extensions;
pub mod rules;
mod said;
pub mod structure;

use serde_json::{Map, Value};

use crate::bundle::with_shared_schemas;
use crate::document::Document;
use crate::problem::Problem;
use extensions::Vocabulary;
use structure::Structure;

/// All checks, their schemas compiled once.
#[derive(Default)]
pub struct Checks {
    structure: Structure,
    vocabulary: Vocabulary,
}

impl Checks {
    /// Compiles the schemas.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All problems of a document, in the order of its lines. `shared` are the OAuth schemas that it may refer to
    /// without having them, by name.
    #[must_use]
    pub fn problems(&self, document: &Document, shared: &Map<String, Value>) -> Vec<Problem> {
        let with_shared = with_shared_schemas(&document.value, shared);
        let mut problems = self.structure.check(document);
        // What is no schema is told once, by what it should be.
        let is_sound = problems.is_empty();
        problems.extend(self.vocabulary.check(document));
        problems.extend(rules::check(document, &with_shared, shared));
        let of_examples = examples::check(document, &with_shared);
        problems.extend(
            of_examples
                .into_iter()
                .filter(|problem| is_sound || problem.rule != "schema"),
        );
        problems.sort_by(|a, b| (a.position, a.rule, &a.message).cmp(&(b.position, b.rule, &b.message)));
        problems.dedup();
        problems
    }
}
