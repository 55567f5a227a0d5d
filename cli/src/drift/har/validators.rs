//! Schemas of a specification as validators, each built once.

use std::collections::HashMap;

use finrail_spec::check::examples::Schemas;
use jsonschema::Validator;
use serde_json::Value;

use crate::drift::spec::Spec;

/// The validators that the examples of a specification go through, each built once.
pub(super) struct Validators {
    schemas: Option<Schemas>,
    built: HashMap<String, Option<Validator>>,
}

impl Validators {
    pub(super) fn of(spec: &Spec) -> Self {
        Self {
            schemas: Schemas::new(&spec.bundle).ok(),
            built: HashMap::new(),
        }
    }

    /// Whether a value fits; a schema that is none refuses nothing.
    pub(super) fn fits(&mut self, schema: &Value, value: &Value) -> bool {
        let schemas = self.schemas.as_ref();
        let built = self.built.entry(schema.to_string());
        let validator = built.or_insert_with(|| schemas.and_then(|schemas| schemas.validator(schema).ok()));
        validator.as_ref().is_none_or(|validator| validator.is_valid(value))
    }
}
