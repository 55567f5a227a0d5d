//! Which `x-` keys may stand where, and the JSON Schema of each.

use std::collections::BTreeMap;

use jsonschema::Validator;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

use super::said::say;
use crate::document::Document;
use crate::grammar::{self, Kind};
use crate::meant::meant;
use crate::pointer::join;
use crate::problem::Problem;
use crate::vocabulary as v;

/// `x-client` on a server: the host of the authorization server.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code)]
enum ServerClient {
    /// The authorization server's endpoints, and nothing else.
    Oauth,
}

/// The vocabulary: where, key, schema.
pub struct Vocabulary {
    entries: Vec<Entry>,
}

/// A key that may stand on an object, and its form.
struct Entry {
    on: Kind,
    key: &'static str,
    schema: Value,
    validator: Validator,
}

impl Vocabulary {
    /// Makes the schemas from the types that read the extensions.
    ///
    /// # Panics
    ///
    /// Never: the schemas are made by schemars.
    #[must_use]
    pub fn new() -> Self {
        let mut entries = Vec::new();
        let mut add = |on: Kind, key: &'static str, schema: Value| {
            #[allow(clippy::expect_used)]
            let validator = jsonschema::validator_for(&schema).expect("schemars makes valid schemas");
            entries.push(Entry {
                on,
                key,
                schema,
                validator,
            });
        };
        add(Kind::Document, "x-provider", schema::<v::Provider>());
        add(Kind::Document, "x-error-proof", schema::<v::ErrorProof>());
        add(Kind::Server, "x-environment", schema::<String>());
        add(Kind::Server, "x-client", schema::<ServerClient>());
        add(Kind::Server, "x-authorize", schema::<bool>());
        add(Kind::Server, "x-grade", schema::<v::Grade>());
        add(Kind::Operation, "x-provenance", schema::<v::Provenance>());
        add(Kind::Operation, "x-client", schema::<v::ClientKind>());
        add(Kind::Operation, "x-browser", schema::<bool>());
        add(Kind::Operation, "x-effect", schema::<v::Effect>());
        add(Kind::Operation, "x-accept", schema::<String>());
        add(
            Kind::Operation,
            "x-headers",
            schema::<BTreeMap<String, v::MadeHeader>>(),
        );
        add(Kind::Operation, "x-pagination", schema::<v::Pagination>());
        add(Kind::Operation, "x-idempotency", schema::<v::Idempotency>());
        add(Kind::Operation, "x-error-proof", schema::<v::ErrorProof>());
        add(Kind::Operation, "x-lookup", schema::<v::Lookup>());
        add(Kind::Operation, "x-limit", schema::<v::Limit>());
        add(Kind::Parameter, "x-rust-name", schema::<String>());
        add(Kind::Parameter, "x-given-by-client", schema::<bool>());
        add(Kind::Encoding, "x-form", schema::<v::FormStyle>());
        add(Kind::Schema, "x-provenance", schema::<v::Provenance>());
        add(Kind::Schema, "x-lenient", schema::<v::Lenient>());
        add(Kind::Schema, "x-error-code", schema::<bool>());
        add(Kind::Schema, "x-loggable", schema::<bool>());
        add(Kind::Schema, "x-wrapper-key", schema::<bool>());
        add(Kind::Schema, "x-tag", schema::<String>());
        add(Kind::Schema, "x-aliases", schema::<Vec<String>>());
        add(Kind::Schema, "x-rust-name", schema::<String>());
        add(Kind::SecurityScheme, "x-oauth", schema::<v::Oauth>());
        Self { entries }
    }

    /// Every `x-` key of a document: known where it stands, and of the right form.
    #[must_use]
    pub fn check(&self, document: &Document) -> Vec<Problem> {
        let mut problems = Vec::new();
        grammar::walk(&document.value, &mut |kind, pointer, object| {
            for (key, value) in object.iter().filter(|(key, _)| key.starts_with("x-")) {
                let at = join(pointer, key);
                match self.entries.iter().find(|entry| entry.on == kind && entry.key == key) {
                    Some(entry) => {
                        for error in entry.validator.iter_errors(value) {
                            say(&error, &entry.schema, &mut |place, message| {
                                problems.push(document.problem(
                                    "extension-form",
                                    &format!("{at}{place}"),
                                    message,
                                    format!("write `{key}` as https://docs.rs/finrail-codegen describes it"),
                                ));
                            });
                        }
                    }
                    None => problems.push(document.problem(
                        "extension-unknown",
                        &at,
                        format!("`{key}` means nothing here: {}", self.whereabouts(kind, key)),
                        "move it, or correct its name (https://docs.rs/finrail-codegen has the vocabulary)",
                    )),
                }
            }
        });
        problems
    }

    fn whereabouts(&self, kind: Kind, key: &str) -> String {
        let of = |entry: &&Entry| entry.key == key;
        let places: Vec<String> = self
            .entries
            .iter()
            .filter(of)
            .map(|it| format!("{:?}", it.on))
            .collect();
        if !places.is_empty() {
            return format!("it belongs on {}", places.join(" or "));
        }
        // Those of this place before all others.
        let keys = |here: bool| {
            self.entries
                .iter()
                .filter(move |it| (it.on == kind) == here)
                .map(|it| it.key)
        };
        let near = meant(key, keys(true)).or_else(|| meant(key, keys(false)));
        let near = near.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default();
        format!("it is not in the vocabulary{near}")
    }
}

impl Default for Vocabulary {
    fn default() -> Self {
        Self::new()
    }
}

fn schema<T: JsonSchema>() -> Value {
    SchemaGenerator::from(SchemaSettings::draft2020_12())
        .into_root_schema_for::<T>()
        .to_value()
}
