//! Schemas of a document, through `$ref` and `allOf`.

use super::specification::Specification;
use crate::json::Json;

/// A chain of references or parts that is longer is a circle.
const LONGEST: usize = 16;

impl Specification {
    /// The node, or what its `$ref` leads to.
    #[must_use]
    pub fn resolve<'a>(&'a self, node: &'a Json) -> &'a Json {
        resolve(&self.root, node)
    }

    /// The named schemas, in the document's order.
    #[must_use]
    pub fn schemas(&self) -> &[(String, Json)] {
        self.root
            .at(&["components", "schemas"])
            .map(Json::members)
            .unwrap_or_default()
    }

    /// A keyword of a schema, its own or that of a part.
    #[must_use]
    pub fn keyword<'a>(&'a self, schema: &'a Json, keyword: &str) -> Option<&'a Json> {
        keyword_of(&self.root, schema, keyword, 0)
    }

    /// `type` of a schema.
    #[must_use]
    pub fn kind<'a>(&'a self, schema: &'a Json) -> Option<&'a str> {
        self.keyword(schema, "type").and_then(Json::as_str)
    }

    /// The properties of an object schema and of its parts.
    #[must_use]
    pub fn properties<'a>(&'a self, schema: &'a Json) -> Vec<(&'a str, &'a Json)> {
        let mut found = Vec::new();
        self.collect_properties(schema, &mut found, 0);
        found
    }

    /// The properties that a value of this schema may have: those of each alternative too.
    #[must_use]
    pub fn possible_properties<'a>(&'a self, schema: &'a Json) -> Vec<(&'a str, &'a Json)> {
        let mut found = self.properties(schema);
        for alternatives in ["oneOf", "anyOf"] {
            for part in self.keyword(schema, alternatives).map(Json::items).unwrap_or_default() {
                self.collect_properties(part, &mut found, 0);
            }
        }
        found
    }

    /// The schema of one property.
    #[must_use]
    pub fn property<'a>(&'a self, schema: &'a Json, name: &str) -> Option<&'a Json> {
        let properties = self.properties(schema);
        properties
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, schema)| schema)
    }

    /// Whether an object schema says that a property must be there.
    #[must_use]
    pub fn requires(&self, schema: &Json, name: &str) -> bool {
        self.requires_at(schema, name, 0)
    }

    /// Whether values of this schema may have members that it does not name. An empty schema beside properties keeps what a
    /// provider adds one day; today there is no such member.
    #[must_use]
    pub fn is_open(&self, schema: &Json) -> bool {
        match self.keyword(schema, "additionalProperties") {
            None | Some(Json::Bool(false)) => false,
            Some(Json::Object(more)) if more.is_empty() => self.properties(schema).is_empty(),
            Some(_) => true,
        }
    }

    fn collect_properties<'a>(&'a self, schema: &'a Json, found: &mut Vec<(&'a str, &'a Json)>, depth: usize) {
        if depth > LONGEST {
            return;
        }
        let schema = self.resolve(schema);
        for (name, property) in schema.get("properties").map(Json::members).unwrap_or_default() {
            if !found.iter().any(|(known, _)| known == name) {
                found.push((name, property));
            }
        }
        for part in parts(schema) {
            self.collect_properties(part, found, depth + 1);
        }
    }

    fn requires_at(&self, schema: &Json, name: &str, depth: usize) -> bool {
        if depth > LONGEST {
            return false;
        }
        let schema = self.resolve(schema);
        let required = schema.get("required").map(Json::items).unwrap_or_default();
        required.iter().any(|one| one.as_str() == Some(name))
            || parts(schema).iter().any(|part| self.requires_at(part, name, depth + 1))
    }
}

/// [`Specification::resolve`] of a document that is being read.
pub(super) fn resolve<'a>(root: &'a Json, mut node: &'a Json) -> &'a Json {
    for _ in 0..LONGEST {
        let Some(reference) = node.get("$ref").and_then(Json::as_str) else {
            return node;
        };
        match root.pointer(reference.trim_start_matches('#')) {
            Some(target) => node = target,
            None => return node,
        }
    }
    node
}

/// [`Specification::keyword`] of a document that is being read.
pub(super) fn keyword_of<'a>(root: &'a Json, schema: &'a Json, keyword: &str, depth: usize) -> Option<&'a Json> {
    if depth > LONGEST {
        return None;
    }
    let schema = resolve(root, schema);
    let of_part = |part| keyword_of(root, part, keyword, depth + 1);
    schema.get(keyword).or_else(|| parts(schema).iter().find_map(of_part))
}

fn parts(schema: &Json) -> &[Json] {
    schema.get("allOf").map(Json::items).unwrap_or_default()
}
