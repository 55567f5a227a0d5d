//! `oneOf` and `anyOf`: what the members have in common, or JSON where nothing tells them apart.

use super::{ANNOTATIONS, Tidy, kind_of, says_nothing};
use crate::dialect::Weight;
use crate::json::Json;
use crate::references::SCHEMAS;

/// A member of a union: what it is called by, and what it is with all that stands around it.
struct Kind {
    called: Json,
    whole: Json,
}

impl Kind {
    fn alone(member: &Json) -> Self {
        Self {
            called: member.clone(),
            whole: member.clone(),
        }
    }
}

/// More schemas in one another than a document has.
const DEEPEST: usize = 32;

impl Tidy<'_> {
    /// A schema of which a member of its `allOf` is a union: one of kinds, each with all the other members; nothing where none is.
    pub(super) fn kinds_of_parts(
        &mut self,
        schema: &Json,
        parts: &[Json],
        pointer: &str,
        around: &mut Vec<String>,
    ) -> Option<Result<Json, String>> {
        if schema.get("x-lenient").is_some() {
            return None;
        }
        let (at, kinds) = self.one_of_kinds(parts, pointer, around, 0)?;
        let Some(at) = at.filter(|_| own_kinds(schema).is_none()) else {
            return Some(Ok(self.any_json(schema.clone(), pointer)));
        };
        let is_word = |keyword: &str| ANNOTATIONS.contains(&keyword) || keyword.starts_with("x-");
        let (words, says): (Vec<_>, Vec<_>) = schema
            .members()
            .iter()
            .cloned()
            .partition(|(keyword, _)| is_word(keyword));
        let mut words = Json::Object(words);
        let discriminator = self.target(&parts[at]).get("discriminator").cloned();
        if let Some(discriminator) = discriminator.filter(|_| words.get("discriminator").is_none()) {
            words.set("discriminator", discriminator);
        }
        let mut others: Vec<Json> = parts.to_vec();
        others.remove(at);
        if !says.is_empty() {
            others.insert(0, Json::Object(says));
        }
        let kinds: Vec<Kind> = kinds.iter().map(|kind| with_all(&others, kind)).collect();
        Some(self.union(words, &kinds, pointer, around))
    }

    /// Which of these is a union, and its kinds; which one is not said where several are.
    fn one_of_kinds(
        &self,
        parts: &[Json],
        pointer: &str,
        around: &[String],
        depth: usize,
    ) -> Option<(Option<usize>, Vec<Json>)> {
        let found = parts.iter().enumerate();
        let mut found = found.filter_map(|(at, part)| Some((at, self.kinds_within(part, pointer, around, depth)?)));
        let (at, kinds) = found.next()?;
        Some((found.next().is_none().then_some(at), kinds))
    }

    /// The kinds that a member of an `allOf` has, each with all that stands around it there.
    fn kinds_within(&self, part: &Json, pointer: &str, around: &[String], depth: usize) -> Option<Vec<Json>> {
        let target = self.target(part);
        let is_outer = |name: &str| around.iter().any(|outer| outer == name);
        if depth > DEEPEST || super::reference(part).is_some_and(is_outer) || target.get("x-lenient").is_some() {
            return None;
        }
        let parts = target.get("allOf").map(Json::items).unwrap_or_default();
        let of_parts = self.one_of_kinds(parts, pointer, around, depth + 1);
        let mut rest = target.clone();
        for keyword in ["oneOf", "anyOf", "discriminator"] {
            rest.remove(keyword);
        }
        match (own_kinds(target), of_parts) {
            (None, None) => None,
            (Some(_), None) if is_base(part, target, pointer, around) => None,
            (Some(kinds), None) if says_nothing(&rest) => Some(kinds),
            (Some(kinds), None) => Some(kinds.iter().map(|kind| with_all(&[rest.clone()], kind).whole).collect()),
            (None, Some((Some(at), kinds))) => {
                let mut others = parts.to_vec();
                others.remove(at);
                rest.remove("allOf");
                others.push(rest);
                Some(kinds.iter().map(|kind| with_all(&others, kind).whole).collect())
            }
            // Kinds of kinds: nothing tells them apart.
            _ => Some(Vec::new()),
        }
    }

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
            let members: Vec<Kind> = members.items().iter().map(Kind::alone).collect();
            schema = self.union(schema, &members, pointer, around)?;
        }
        Ok(schema)
    }

    fn union(
        &mut self,
        schema: Json,
        members: &[Kind],
        pointer: &str,
        around: &mut Vec<String>,
    ) -> Result<Json, String> {
        // Every form is read: `x-lenient` says into what.
        if schema.get("x-lenient").is_some() {
            return Ok(schema);
        }
        let has_null = members.iter().any(|member| is_null(&member.whole));
        let mut schema = schema;
        if has_null {
            schema.set("nullable", Json::Bool(true));
        }
        let kinds: Vec<&Kind> = members.iter().filter(|member| !is_null(&member.whole)).collect();
        let members: Vec<&Json> = kinds.iter().map(|kind| &kind.whole).collect();
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
        if members.iter().all(|member| only_rules(member)) {
            self.lose(pointer, Weight::Rule, "which of its fields go together");
            return Ok(schema);
        }
        if let Some(tagged) = self.tagged(&schema, &kinds, pointer, around) {
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
    fn tagged(&mut self, schema: &Json, kinds: &[&Kind], pointer: &str, around: &mut Vec<String>) -> Option<Json> {
        let members: Vec<&Json> = kinds.iter().map(|kind| &kind.whole).collect();
        let mut parts = Vec::new();
        for member in &members {
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
            .and_then(|discriminator| named_kinds(discriminator, kinds))
            .or_else(|| told_apart(&parts, &members))?;
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

/// A kind with all that is said of each of them.
fn with_all(others: &[Json], kind: &Json) -> Kind {
    let mut all = others.to_vec();
    all.push(kind.clone());
    Kind {
        called: kind.clone(),
        whole: Json::object([("allOf", Json::Array(all))]),
    }
}

fn is_null(member: &Json) -> bool {
    kind_of(member) == Some("null") || matches!(member.get("enum").map(Json::items), Some([Json::Null]))
}

/// Whether a member of a union only says which fields go together.
fn only_rules(member: &Json) -> bool {
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
}

/// The kinds of the union that a schema is, where there are several.
fn own_kinds(schema: &Json) -> Option<Vec<Json>> {
    let members = ["oneOf", "anyOf"].iter().filter_map(|keyword| schema.get(keyword));
    let kinds: Vec<Json> = members
        .flat_map(Json::items)
        .filter(|member| !is_null(member))
        .cloned()
        .collect();
    (kinds.len() > 1 && !kinds.iter().all(only_rules)).then_some(kinds)
}

/// Whether a named schema is the base of what it is a part of, and no union of its own: it has fields, or leads to it.
fn is_base(part: &Json, target: &Json, pointer: &str, around: &[String]) -> bool {
    if super::reference(part).is_none() || target.get("discriminator").is_none() || target.get("allOf").is_some() {
        return false;
    }
    let own = pointer.strip_prefix("/components/schemas/").unwrap_or_default();
    let leads_to = |kind: &Json| {
        super::reference(kind).is_some_and(|name| name == own || around.iter().any(|outer| outer == name))
    };
    target.get("properties").is_some() || own_kinds(target).is_some_and(|kinds| kinds.iter().any(leads_to))
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
fn named_kinds(discriminator: &Json, members: &[&Kind]) -> Option<(String, Vec<(String, Json)>)> {
    let field = discriminator.get("propertyName").and_then(Json::as_str)?;
    let names: Vec<&str> = members
        .iter()
        .map(|member| super::reference(&member.called))
        .collect::<Option<_>>()?;
    let mapping = discriminator.get("mapping").map(Json::members).unwrap_or_default();
    let target = |value: &Json| {
        let text = value.as_str().unwrap_or_default();
        text.rsplit('/').next().unwrap_or(text).to_owned()
    };
    let mut kinds = Vec::new();
    for (name, member) in names.into_iter().zip(members) {
        let mapped: Vec<&String> = mapping
            .iter()
            .filter(|(_, value)| target(value) == name)
            .map(|(tag, _)| tag)
            .collect();
        let schema = match super::reference(&member.whole) {
            Some(name) => Json::object([("$ref", Json::str(format!("{SCHEMAS}{name}")))]),
            None => member.whole.clone(),
        };
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
