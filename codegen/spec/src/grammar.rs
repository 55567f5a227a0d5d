//! The shape of an OpenAPI 3.0 document as a table: which object stands under which field.
//!
//! One table serves four: finding every schema and every example, ordering a
//! bundle's keys, resolving references, and refusing `x-` keys that nobody reads.

use serde_json::{Map, Value};

use crate::pointer::join;

/// The objects of the OpenAPI specification, by their names there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Kind {
    Document,
    Info,
    Server,
    PathItem,
    Operation,
    Parameter,
    RequestBody,
    MediaType,
    Encoding,
    Response,
    Header,
    Example,
    Tag,
    Schema,
    Components,
    SecurityScheme,
    Flows,
    Flow,
}

/// What stands under a field.
#[derive(Clone, Copy, Debug)]
pub enum Child {
    /// Anything; not looked into.
    Free,
    /// One object.
    One(Kind),
    /// A list of objects.
    List(Kind),
    /// Objects by name.
    Map(Kind),
    /// Objects by name, in the order of the names (status codes).
    Sorted(Kind),
    /// A schema, or `true` or `false`.
    SchemaOrBool,
}

use Child::{Free, List, One, SchemaOrBool, Sorted};

impl Kind {
    /// The fields in the order in which a bundle has them.
    #[must_use]
    pub fn fields(self) -> &'static [(&'static str, Child)] {
        match self {
            Self::Document => &[
                ("openapi", Free),
                ("x-generated", Free),
                ("info", One(Kind::Info)),
                ("x-provider", Free),
                ("x-error-proof", Free),
                ("servers", List(Kind::Server)),
                ("tags", List(Kind::Tag)),
                ("security", Free),
                ("paths", Child::Map(Kind::PathItem)),
                ("components", One(Kind::Components)),
                ("externalDocs", Free),
            ],
            Self::Info => &[
                ("title", Free),
                ("version", Free),
                ("description", Free),
                ("termsOfService", Free),
                ("contact", Free),
                ("license", Free),
            ],
            Self::Server => &[
                ("url", Free),
                ("description", Free),
                ("variables", Free),
                ("x-environment", Free),
                ("x-client", Free),
                ("x-authorize", Free),
                ("x-grade", Free),
            ],
            Self::PathItem => &[
                ("summary", Free),
                ("description", Free),
                ("servers", List(Kind::Server)),
                ("parameters", List(Kind::Parameter)),
                ("get", One(Kind::Operation)),
                ("put", One(Kind::Operation)),
                ("post", One(Kind::Operation)),
                ("delete", One(Kind::Operation)),
                ("options", One(Kind::Operation)),
                ("head", One(Kind::Operation)),
                ("patch", One(Kind::Operation)),
                ("trace", One(Kind::Operation)),
            ],
            Self::Operation => &[
                ("operationId", Free),
                ("summary", Free),
                ("description", Free),
                ("tags", Free),
                ("deprecated", Free),
                ("x-client", Free),
                ("x-browser", Free),
                ("x-effect", Free),
                ("x-accept", Free),
                ("x-headers", Free),
                ("x-pagination", Free),
                ("x-idempotency", Free),
                ("x-error-proof", Free),
                ("x-lookup", Free),
                ("x-limit", Free),
                ("x-provenance", Free),
                ("security", Free),
                ("parameters", List(Kind::Parameter)),
                ("requestBody", One(Kind::RequestBody)),
                ("responses", Sorted(Kind::Response)),
                ("callbacks", Free),
                ("servers", List(Kind::Server)),
                ("externalDocs", Free),
            ],
            Self::Parameter => &[
                ("$ref", Free),
                ("name", Free),
                ("in", Free),
                ("required", Free),
                ("deprecated", Free),
                ("description", Free),
                ("x-rust-name", Free),
                ("x-given-by-client", Free),
                ("style", Free),
                ("explode", Free),
                ("allowReserved", Free),
                ("allowEmptyValue", Free),
                ("schema", One(Kind::Schema)),
                ("content", Child::Map(Kind::MediaType)),
                ("example", Free),
                ("examples", Child::Map(Kind::Example)),
            ],
            Self::Header => &[
                ("$ref", Free),
                ("required", Free),
                ("deprecated", Free),
                ("description", Free),
                ("style", Free),
                ("explode", Free),
                ("schema", One(Kind::Schema)),
                ("content", Child::Map(Kind::MediaType)),
                ("example", Free),
                ("examples", Child::Map(Kind::Example)),
            ],
            Self::RequestBody => &[
                ("$ref", Free),
                ("description", Free),
                ("required", Free),
                ("content", Child::Map(Kind::MediaType)),
            ],
            Self::MediaType => &[
                ("schema", One(Kind::Schema)),
                ("encoding", Child::Map(Kind::Encoding)),
                ("example", Free),
                ("examples", Child::Map(Kind::Example)),
            ],
            Self::Encoding => &[
                ("x-form", Free),
                ("contentType", Free),
                ("headers", Child::Map(Kind::Header)),
                ("style", Free),
                ("explode", Free),
                ("allowReserved", Free),
            ],
            Self::Response => &[
                ("$ref", Free),
                ("description", Free),
                ("headers", Child::Map(Kind::Header)),
                ("content", Child::Map(Kind::MediaType)),
                ("links", Free),
            ],
            Self::Example => &[
                ("$ref", Free),
                ("summary", Free),
                ("description", Free),
                ("value", Free),
                ("externalValue", Free),
            ],
            Self::Tag => &[("name", Free), ("description", Free), ("externalDocs", Free)],
            Self::Schema => &[
                ("$ref", Free),
                ("title", Free),
                ("description", Free),
                ("type", Free),
                ("format", Free),
                ("enum", Free),
                ("nullable", Free),
                ("deprecated", Free),
                ("readOnly", Free),
                ("writeOnly", Free),
                ("default", Free),
                ("pattern", Free),
                ("minLength", Free),
                ("maxLength", Free),
                ("minimum", Free),
                ("exclusiveMinimum", Free),
                ("maximum", Free),
                ("exclusiveMaximum", Free),
                ("multipleOf", Free),
                ("minItems", Free),
                ("maxItems", Free),
                ("uniqueItems", Free),
                ("minProperties", Free),
                ("maxProperties", Free),
                ("x-loggable", Free),
                ("x-error-code", Free),
                ("x-lenient", Free),
                ("x-wrapper-key", Free),
                ("x-tag", Free),
                ("x-aliases", Free),
                ("x-rust-name", Free),
                ("x-provenance", Free),
                ("required", Free),
                ("properties", Child::Map(Kind::Schema)),
                ("additionalProperties", SchemaOrBool),
                ("items", One(Kind::Schema)),
                ("allOf", List(Kind::Schema)),
                ("anyOf", List(Kind::Schema)),
                ("oneOf", List(Kind::Schema)),
                ("not", One(Kind::Schema)),
                ("discriminator", Free),
                ("xml", Free),
                ("externalDocs", Free),
                ("example", Free),
            ],
            Self::Components => &[
                ("securitySchemes", Child::Map(Kind::SecurityScheme)),
                ("schemas", Child::Map(Kind::Schema)),
                ("responses", Child::Map(Kind::Response)),
                ("parameters", Child::Map(Kind::Parameter)),
                ("examples", Child::Map(Kind::Example)),
                ("requestBodies", Child::Map(Kind::RequestBody)),
                ("headers", Child::Map(Kind::Header)),
                ("links", Free),
                ("callbacks", Free),
            ],
            Self::SecurityScheme => &[
                ("$ref", Free),
                ("type", Free),
                ("scheme", Free),
                ("name", Free),
                ("in", Free),
                ("bearerFormat", Free),
                ("openIdConnectUrl", Free),
                ("description", Free),
                ("flows", One(Kind::Flows)),
                ("x-oauth", Free),
            ],
            Self::Flows => &[
                ("authorizationCode", One(Kind::Flow)),
                ("clientCredentials", One(Kind::Flow)),
                ("password", One(Kind::Flow)),
                ("implicit", One(Kind::Flow)),
            ],
            Self::Flow => &[
                ("authorizationUrl", Free),
                ("tokenUrl", Free),
                ("refreshUrl", Free),
                ("scopes", Free),
            ],
        }
    }

    /// The `components` section whose entries a `$ref` in place of this object names.
    #[must_use]
    pub fn component_section(self) -> Option<&'static str> {
        Some(match self {
            Self::Parameter => "parameters",
            Self::RequestBody => "requestBodies",
            Self::Response => "responses",
            Self::Header => "headers",
            Self::Example => "examples",
            Self::Schema => "schemas",
            Self::SecurityScheme => "securitySchemes",
            _ => return None,
        })
    }
}

/// What [`walk`] calls: kind, JSON pointer, object.
pub type Visit<'v, 'd> = dyn FnMut(Kind, &str, &'d Map<String, Value>) + 'v;

/// Visits every object of a document from the root down, in the document's order.
///
/// An object that is a reference is visited, and not looked into.
pub fn walk<'d>(document: &'d Value, visit: &mut Visit<'_, 'd>) {
    walk_one(Kind::Document, "", document, visit);
}

fn walk_one<'d>(kind: Kind, pointer: &str, value: &'d Value, visit: &mut Visit<'_, 'd>) {
    let Some(object) = value.as_object() else { return };
    visit(kind, pointer, object);
    if object.contains_key("$ref") {
        return;
    }
    for (name, value) in object {
        let Some((_, child)) = kind.fields().iter().find(|(field, _)| field == name) else {
            continue;
        };
        let pointer = join(pointer, name);
        match child {
            Free => {}
            One(kind) => walk_one(*kind, &pointer, value, visit),
            SchemaOrBool => walk_one(Kind::Schema, &pointer, value, visit),
            List(kind) => {
                for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                    walk_one(*kind, &format!("{pointer}/{index}"), value, visit);
                }
            }
            Child::Map(kind) | Sorted(kind) => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    walk_one(*kind, &join(&pointer, name), value, visit);
                }
            }
        }
    }
}

/// Rebuilds a document from the leaves up: `change` gets every object after its parts were rebuilt.
pub fn rebuild(document: &Value, change: &mut dyn FnMut(Kind, Map<String, Value>) -> Value) -> Value {
    rebuild_one(Kind::Document, document, change)
}

/// [`rebuild`] for one object of a known kind.
pub fn rebuild_one(kind: Kind, value: &Value, change: &mut dyn FnMut(Kind, Map<String, Value>) -> Value) -> Value {
    let Some(object) = value.as_object() else {
        return value.clone();
    };
    let mut rebuilt = Map::new();
    for (name, value) in object {
        let child = kind.fields().iter().find(|(field, _)| field == name);
        let value = match child.map_or(Free, |(_, child)| *child) {
            Free => value.clone(),
            One(kind) => rebuild_one(kind, value, change),
            SchemaOrBool => rebuild_one(Kind::Schema, value, change),
            List(kind) => match value {
                Value::Array(items) => items.iter().map(|item| rebuild_one(kind, item, change)).collect(),
                other => other.clone(),
            },
            Child::Map(kind) | Sorted(kind) => match value {
                Value::Object(entries) => entries
                    .iter()
                    .map(|(name, value)| (name.clone(), rebuild_one(kind, value, change)))
                    .collect(),
                other => other.clone(),
            },
        };
        rebuilt.insert(name.clone(), value);
    }
    change(kind, rebuilt)
}

/// One order of keys, whatever the order in the source: known fields as in
/// [`Kind::fields`], others after them by name. What an author named (paths,
/// properties, schemas) keeps the author's order, because readers see it.
#[must_use]
pub fn canonical(document: &Value) -> Value {
    rebuild(document, &mut |kind, mut object| {
        let mut ordered = Map::new();
        for (field, child) in kind.fields() {
            let Some(mut value) = object.shift_remove(*field) else {
                continue;
            };
            if let (Sorted(_), Value::Object(entries)) = (child, &mut value) {
                entries.sort_keys();
            }
            ordered.insert((*field).to_owned(), value);
        }
        object.sort_keys();
        ordered.extend(object);
        Value::Object(ordered)
    })
}
