//! OpenAPI 3.0.3 by its own JSON Schema, and by the parser that the generator uses.

use jsonschema::error::{ValidationError, ValidationErrorKind};
use jsonschema::{Draft, Validator};
use serde_json::Value;

use crate::document::Document;
use crate::problem::Problem;

const OPENAPI_3_0: &str = include_str!("../../vendor/openapi-3.0/schema.json");

/// The validator of documents.
pub struct Structure {
    schema: Validator,
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
        let schema = jsonschema::options()
            .with_draft(Draft::Draft4)
            // URL templates (`https://{host}/v1`) are not URIs.
            .should_validate_formats(false)
            .build(&schema)
            .expect("the vendored schema is a schema");
        Self { schema }
    }

    /// What is not OpenAPI 3.0.3 about a document.
    #[must_use]
    pub fn check(&self, document: &Document) -> Vec<Problem> {
        let mut problems = Vec::new();
        for error in self.schema.iter_errors(&document.value) {
            deepest(&error, &mut |pointer, message| {
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

/// Most objects of OpenAPI are "this or a reference", and "neither fits" helps
/// nobody: the branch whose complaint lies deepest is the one that was meant.
fn deepest(error: &ValidationError<'_>, report: &mut dyn FnMut(&str, String)) {
    let branches = match error.kind() {
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => context,
        _ => return report(error.instance_path().as_str(), brief(error)),
    };
    let depth = |branch: &Vec<ValidationError<'_>>| {
        let deepest = branch
            .iter()
            .map(|error| error.instance_path().as_str().matches('/').count());
        let reference = branch
            .iter()
            .any(|error| matches!(error.kind(), ValidationErrorKind::Required { property } if property == "$ref"));
        (!reference, deepest.max().unwrap_or(0))
    };
    match branches
        .iter()
        .filter(|branch| !branch.is_empty())
        .max_by_key(|branch| depth(branch))
    {
        Some(branch) => branch.iter().for_each(|error| deepest(error, report)),
        None => report(error.instance_path().as_str(), brief(error)),
    }
}

/// The message without a copy of half the document.
pub(crate) fn brief(error: &ValidationError<'_>) -> String {
    let message = error.to_string();
    if message.chars().count() <= 200 {
        return message;
    }
    error.masked_with("the value").to_string()
}
