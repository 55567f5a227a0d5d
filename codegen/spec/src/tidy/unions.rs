//! `oneOf` and `anyOf`: what the members have in common, or JSON where nothing tells them apart.

use super::{Tidy, kind_of, says_nothing};
use crate::dialect::Weight;
use crate::json::Json;

impl Tidy<'_> {
    /// A schema whose unions are what their members have in common.
    pub(super) fn without_unions(
        &mut self,
        mut schema: Json,
        pointer: &str,
        around: &mut Vec<String>,
    ) -> Result<Json, String> {
        for keyword in ["oneOf", "anyOf"] {
            let Some(members) = schema.remove(keyword) else {
                continue;
            };
            schema = self.union(schema, members.items(), pointer, around)?;
        }
        Ok(schema)
    }

    fn union(
        &mut self,
        schema: Json,
        members: &[Json],
        pointer: &str,
        around: &mut Vec<String>,
    ) -> Result<Json, String> {
        let is_null = |member: &&Json| {
            kind_of(member) == Some("null") || matches!(member.get("enum").map(Json::items), Some([Json::Null]))
        };
        let has_null = members.iter().any(|member| is_null(&member));
        let mut schema = schema;
        if has_null {
            schema.set("nullable", Json::Bool(true));
        }
        let members: Vec<&Json> = members.iter().filter(|member| !is_null(member)).collect();
        match members.as_slice() {
            [] => return Ok(schema),
            [one] if super::reference(one).is_some() && says_nothing(&schema) => {
                schema.set("allOf", Json::Array(vec![(*one).clone()]));
                return Ok(schema);
            }
            [one] => {
                let part = self.part(one, pointer, around)?;
                return self.merged(&schema, &part, pointer);
            }
            _ => {}
        }
        // Members that only say which fields go together.
        let only_rules = |member: &&&Json| {
            let rules = [
                "required",
                "not",
                "minProperties",
                "maxProperties",
                "title",
                "description",
            ];
            let keywords = member.members().iter();
            keywords
                .map(|(keyword, _)| keyword.as_str())
                .all(|keyword| rules.contains(&keyword))
        };
        if members.iter().all(|member| only_rules(&member)) {
            self.lose(pointer, Weight::Rule, "which of its fields go together");
            return Ok(schema);
        }
        let mut parts = Vec::new();
        for member in &members {
            // A member that leads back to what it is a member of is an object of its own.
            match self.part(member, pointer, around) {
                Ok(part) => parts.push(part),
                Err(_) => return Ok(self.any_json(schema, pointer)),
            }
        }
        match in_common(&parts) {
            Some(common) => self.merged(&schema, &common, pointer),
            None => Ok(self.any_json(schema, pointer)),
        }
    }

    /// A union whose members are not told apart: the JSON is kept, and can be read as each of them.
    fn any_json(&mut self, schema: Json, pointer: &str) -> Json {
        self.lose(
            pointer,
            Weight::Meaning,
            "its kinds: it is kept as JSON, which can be read as each of them",
        );
        let kept = schema.members().iter().filter(|(keyword, _)| {
            matches!(
                keyword.as_str(),
                "title" | "description" | "example" | "nullable" | "deprecated"
            ) || keyword.starts_with("x-")
        });
        Json::Object(kept.cloned().collect())
    }
}

/// What scalars have in common, where their values are written alike.
fn in_common(parts: &[Json]) -> Option<Json> {
    let kinds: Vec<&str> = parts.iter().map(|part| kind_or_values(part)).collect::<Option<_>>()?;
    let kind = match kinds.as_slice() {
        [first, rest @ ..] if rest.iter().all(|kind| kind == first) => *first,
        all if all.iter().all(|kind| matches!(*kind, "integer" | "number")) => "number",
        _ => return None,
    };
    let mut common = Json::object([("type", Json::str(kind))]);
    match kind {
        "string" => {
            let lists: Vec<&[Json]> = parts
                .iter()
                .filter_map(|part| Some(part.get("enum")?.items()))
                .collect();
            if lists.len() == parts.len() {
                let mut values: Vec<Json> = Vec::new();
                for value in lists.into_iter().flatten() {
                    if !values.contains(value) {
                        values.push(value.clone());
                    }
                }
                common.set("enum", Json::Array(values));
            }
        }
        "integer" | "number" | "boolean" => {}
        _ => return None,
    }
    let format = parts[0].get("format");
    if let Some(format) = format.filter(|_| parts.iter().all(|part| part.get("format") == format)) {
        common.set("format", format.clone());
    }
    Some(common)
}

fn kind_or_values(part: &Json) -> Option<&str> {
    let is_text = |part: &Json| {
        let values = part.get("enum").map(Json::items).unwrap_or_default();
        !values.is_empty() && values.iter().all(|value| value.as_str().is_some())
    };
    kind_of(part).or_else(|| is_text(part).then_some("string"))
}
