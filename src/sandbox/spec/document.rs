//! A bundle as JSON: where its `$ref`s lead, and what its schemas say through them.

use finrail_spec::json::{Json, NotJson};

/// The document that all `$ref`s are in.
pub(in crate::sandbox) struct Document {
    root: Json,
}

impl Document {
    /// Reads the text of a bundle.
    pub(super) fn parse(text: &str) -> Result<Self, NotJson> {
        Ok(Self {
            root: Json::parse(text)?,
        })
    }

    /// A node by the names that lead to it.
    pub(super) fn at(&self, names: &[&str]) -> Option<&Json> {
        self.root.at(names)
    }

    /// The members of the object under this name at the top.
    pub(super) fn members_of(&self, name: &str) -> &[(String, Json)] {
        self.root.get(name).map(Json::members).unwrap_or_default()
    }

    /// The items of the array under this name at the top.
    pub(super) fn items_of(&self, name: &str) -> &[Json] {
        self.root.get(name).map(Json::items).unwrap_or_default()
    }

    /// The node, or what its `$ref` leads to.
    pub(in crate::sandbox) fn resolve<'a>(&'a self, node: &'a Json) -> &'a Json {
        let mut node = node;
        for _ in 0..16 {
            match node.get("$ref").and_then(Json::as_str) {
                Some(reference) => match self.root.pointer(reference.trim_start_matches('#')) {
                    Some(target) => node = target,
                    None => return node,
                },
                None => return node,
            }
        }
        node
    }

    /// The named schemas.
    pub(in crate::sandbox) fn schemas(&self) -> &[(String, Json)] {
        self.root
            .at(&["components", "schemas"])
            .map(Json::members)
            .unwrap_or_default()
    }

    /// The properties of an object schema, through `$ref` and `allOf`.
    pub(in crate::sandbox) fn properties<'a>(&'a self, schema: &'a Json) -> Vec<(&'a str, &'a Json)> {
        let mut found = Vec::new();
        self.collect_properties(schema, &mut found, 0);
        found
    }

    /// The properties that a value of this schema may have: those of each alternative too.
    pub(in crate::sandbox) fn members<'a>(&'a self, schema: &'a Json) -> Vec<(&'a str, &'a Json)> {
        let mut found = self.properties(schema);
        for alternatives in ["oneOf", "anyOf"] {
            for part in self.keyword(schema, alternatives).map(Json::items).unwrap_or_default() {
                self.collect_properties(part, &mut found, 0);
            }
        }
        found
    }

    fn collect_properties<'a>(&'a self, schema: &'a Json, found: &mut Vec<(&'a str, &'a Json)>, depth: usize) {
        if depth > 16 {
            return;
        }
        let schema = self.resolve(schema);
        for (name, property) in schema.get("properties").map(Json::members).unwrap_or_default() {
            if !found.iter().any(|(known, _)| known == name) {
                found.push((name, property));
            }
        }
        for part in schema.get("allOf").map(Json::items).unwrap_or_default() {
            self.collect_properties(part, found, depth + 1);
        }
    }

    /// The schema of one property.
    pub(in crate::sandbox) fn property<'a>(&'a self, schema: &'a Json, name: &str) -> Option<&'a Json> {
        self.properties(schema)
            .into_iter()
            .find(|(n, _)| *n == name)
            .map(|(_, s)| s)
    }

    /// Whether an object schema says that a property must be there.
    pub(in crate::sandbox) fn requires(&self, schema: &Json, name: &str) -> bool {
        let schema = self.resolve(schema);
        schema
            .get("required")
            .map(Json::items)
            .unwrap_or_default()
            .iter()
            .any(|n| n.as_str() == Some(name))
            || schema
                .get("allOf")
                .map(Json::items)
                .unwrap_or_default()
                .iter()
                .any(|part| self.requires(part, name))
    }

    /// A keyword of the schema, through `$ref` and `allOf`.
    pub(in crate::sandbox) fn keyword<'a>(&'a self, schema: &'a Json, keyword: &str) -> Option<&'a Json> {
        self.keyword_at(schema, keyword, 0)
    }

    fn keyword_at<'a>(&'a self, schema: &'a Json, keyword: &str, depth: usize) -> Option<&'a Json> {
        if depth > 16 {
            return None;
        }
        let schema = self.resolve(schema);
        schema.get(keyword).or_else(|| {
            let parts = schema.get("allOf").map(Json::items).unwrap_or_default();
            parts.iter().find_map(|part| self.keyword_at(part, keyword, depth + 1))
        })
    }

    /// `type` of a schema.
    pub(in crate::sandbox) fn kind<'a>(&'a self, schema: &'a Json) -> Option<&'a str> {
        self.keyword(schema, "type").and_then(Json::as_str)
    }

    /// Whether replies of this schema may have members that it does not name.
    pub(in crate::sandbox) fn is_open(&self, schema: &Json) -> bool {
        self.keyword(schema, "additionalProperties")
            .is_some_and(|more| *more != Json::Bool(false))
    }
}
