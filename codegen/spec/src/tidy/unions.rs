//! `oneOf` and `anyOf`: what the members have in common, or JSON where nothing tells them apart.

use super::{Tidy, kind_of, says_nothing};
use crate::dialect::Weight;
use crate::json::Json;
use crate::references::SCHEMAS;

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
        // Every form is read: `x-lenient` says into what.
        if schema.get("x-lenient").is_some() {
            return Ok(schema);
        }
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
        if let Some(tagged) = self.tagged(&schema, &members, pointer, around) {
            return Ok(tagged);
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

    /// A union of objects of which a field tells the kind: the discriminator, or one whose values are different in each.
    fn tagged(&mut self, schema: &Json, members: &[&Json], pointer: &str, around: &mut Vec<String>) -> Option<Json> {
        let mut parts = Vec::new();
        for member in members {
            let part = self.part(member, pointer, around).ok()?;
            let properties = part.get("properties").filter(|all| !all.members().is_empty())?;
            // What stands around the union is a part of each of its members, or nothing can be said of it.
            let own = schema.get("properties").map(Json::members).unwrap_or_default();
            if own.iter().any(|(name, _)| properties.get(name).is_none()) {
                return None;
            }
            parts.push(part);
        }
        let discriminator = schema.get("discriminator");
        let (field, kinds) = discriminator
            .and_then(|discriminator| named_kinds(discriminator, members))
            .or_else(|| told_apart(&parts, members))?;
        let names = kinds.iter().map(|(name, _)| name.as_str());
        let is_taken = |name: &str| crate::names::variant_name(name).as_deref() == Some("Unknown");
        if crate::names::variant_problem(names.clone(), "").is_some() || names.clone().any(is_taken) {
            return None;
        }
        let mut tagged = Json::object([("type", Json::str("object")), ("x-tag", Json::str(field))]);
        for keyword in ["description", "nullable"] {
            if let Some(value) = schema.get(keyword) {
                tagged.set(keyword, value.clone());
            }
        }
        tagged.set("properties", Json::Object(kinds));
        Some(tagged)
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

/// The kinds that a discriminator names: by its mapping, or each by the name of its schema.
fn named_kinds(discriminator: &Json, members: &[&Json]) -> Option<(String, Vec<(String, Json)>)> {
    let field = discriminator.get("propertyName").and_then(Json::as_str)?;
    let names: Vec<&str> = members
        .iter()
        .map(|member| super::reference(member))
        .collect::<Option<_>>()?;
    let mapping = discriminator.get("mapping").map(Json::members).unwrap_or_default();
    let target = |value: &Json| {
        let text = value.as_str().unwrap_or_default();
        text.rsplit('/').next().unwrap_or(text).to_owned()
    };
    let mut kinds = Vec::new();
    for name in names {
        let mapped: Vec<&String> = mapping
            .iter()
            .filter(|(_, value)| target(value) == name)
            .map(|(tag, _)| tag)
            .collect();
        let schema = Json::object([("$ref", Json::str(format!("{SCHEMAS}{name}")))]);
        match mapped.is_empty() {
            true => kinds.push((name.to_owned(), schema)),
            false => kinds.extend(mapped.into_iter().map(|tag| (tag.clone(), schema.clone()))),
        }
    }
    Some((field.to_owned(), kinds))
}

/// A field that all members have, whose listed values are different in each.
fn told_apart(parts: &[Json], members: &[&Json]) -> Option<(String, Vec<(String, Json)>)> {
    let fields = parts.first()?.get("properties")?.members();
    fields.iter().find_map(|(field, _)| {
        let mut kinds: Vec<(String, Json)> = Vec::new();
        for (part, member) in parts.iter().zip(members) {
            let values = part.at(&["properties", field, "enum"])?.items();
            if values.is_empty() {
                return None;
            }
            for value in values {
                let value = value.as_str()?;
                if kinds.iter().any(|(known, _)| known == value) {
                    return None;
                }
                kinds.push((value.to_owned(), (*member).clone()));
            }
        }
        Some((field.clone(), kinds))
    })
}
