//! OpenAPI 3.0.3 by its own JSON Schema, and by the parser that the generator uses.

use jsonschema::{Draft, Validator};
use serde_json::Value;

use super::said::say;
use crate::document::Document;
use crate::problem::Problem;

const OPENAPI_3_0: &str = include_str!("../../vendor/openapi-3.0/schema.json");

/// The validator of documents.
pub struct Structure {
    schema: Value,
    validator: Validator,
}

impl Structure {
    /// Reads the vendored schema.
    ///
    /// # Panics
    ///
    /// Never: the schema is part of the program.
    #[must_use]
    #[allow(clippy::expect_used)]
    pub fn new() -> Self {
        let mut schema: Value = serde_json::from_str(OPENAPI_3_0).expect("the vendored schema is JSON");
        // The text allows extensions on an Encoding Object, the schema of 2019 forgot them.
        schema["definitions"]["Encoding"]["patternProperties"] = serde_json::json!({ "^x-": {} });
        let validator = jsonschema::options()
            .with_draft(Draft::Draft4)
            // URL templates (`https://{host}/v1`) are not URIs.
            .should_validate_formats(false)
            .build(&schema)
            .expect("the vendored schema is a schema");
        Self { schema, validator }
    }

    /// What is not OpenAPI 3.0.3 about a document.
    #[must_use]
    pub fn check(&self, document: &Document) -> Vec<Problem> {
        let mut problems = Vec::new();
        for error in self.validator.iter_errors(&document.value) {
            say(&error, &self.schema, &mut |pointer, message| {
                problems.push(document.problem(
                    "openapi",
                    pointer,
                    message,
                    "write it as OpenAPI 3.0.3 has it (https://spec.openapis.org/oas/v3.0.3)",
                ));
            });
        }
        if document.get("/openapi").and_then(Value::as_str) != Some("3.0.3") {
            problems.push(document.problem(
                "openapi",
                "/openapi",
                "the version is not 3.0.3",
                "write `openapi: 3.0.3`",
            ));
        }
        if problems.is_empty()
            && let Err(error) = serde_path_to_error::deserialize::<_, openapiv3::OpenAPI>(&document.value)
        {
            let pointer: String = error
                .path()
                .to_string()
                .split('.')
                .map(|token| format!("/{}", token.replace('/', "~1")))
                .collect();
            problems.push(document.problem(
                "openapi",
                &pointer,
                error.into_inner().to_string(),
                "write it as OpenAPI 3.0.3 has it (https://spec.openapis.org/oas/v3.0.3)",
            ));
        }
        problems
    }
}

impl Default for Structure {
    fn default() -> Self {
        Self::new()
    }
}
