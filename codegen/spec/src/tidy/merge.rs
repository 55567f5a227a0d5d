//! `allOf`: the one schema that all of its members describe together.

use super::{ANNOTATIONS, Tidy, is_true, reference, says_nothing};
use crate::dialect::Weight;
use crate::json::Json;

/// Keywords that make a schema of others.
const COMPOSED: [&str; 4] = ["allOf", "oneOf", "anyOf", "not"];

/// More schemas in one another than a document has.
const DEEPEST: usize = 64;

impl Tidy<'_> {
    /// A schema without `allOf`, `oneOf`, `anyOf` and `not`; or a reference, alone or as the one member of an `allOf` beside
    /// what says nothing of the value. What stands in its properties stays as it is. `around`: the named schemas that it is a
    /// part of.
    pub(super) fn flat(&mut self, schema: &Json, pointer: &str, around: &mut Vec<String>) -> Result<Json, String> {
        if COMPOSED.iter().all(|keyword| schema.get(keyword).is_none()) {
            return Ok(schema.clone());
        }
        if around.len() > DEEPEST {
            return Err("it is made of itself, without end".to_owned());
        }
        let mut out = schema.clone();
        if out.remove("not").is_some() {
            self.lose(pointer, Weight::Rule, "`not`");
        }
        let parts = out.remove("allOf");
        let parts: Vec<Json> = parts.as_ref().map(Json::items).unwrap_or_default().to_vec();
        if let [one] = parts.as_slice()
            && reference(one).is_some()
            && says_nothing(&out)
        {
            out.set("allOf", Json::Array(vec![one.clone()]));
            return Ok(out);
        }
        if let Some(kinds) = self.kinds_of_parts(&out, &parts, pointer, around) {
            return kinds;
        }
        for part in &parts {
            let part = self.part(part, pointer, around)?;
            out = self.merged(&out, &part, pointer)?;
        }
        self.without_unions(out, pointer, around)
    }

    /// A member of an `allOf` or of a union, with what its name stands for.
    pub(super) fn part(&mut self, part: &Json, pointer: &str, around: &mut Vec<String>) -> Result<Json, String> {
        let Some(name) = reference(part) else {
            return self.opened(part, pointer, around);
        };
        if around.iter().any(|outer| outer == name) {
            return Err(format!("it is made of `{name}`, which is made of it"));
        }
        let Some(target) = self.named.get(name).copied() else {
            return Err(format!("it is made of `{name}`, which is not there"));
        };
        around.push(name.to_owned());
        // The kinds that a base leads to are no part of each of them.
        let target = match target.get("discriminator").is_some() && target.get("allOf").is_none() {
            true => without_kinds(target),
            false => target.clone(),
        };
        let part = self.opened(&target, pointer, around);
        around.pop();
        part
    }

    /// A part without names for others.
    fn opened(&mut self, part: &Json, pointer: &str, around: &mut Vec<String>) -> Result<Json, String> {
        let flat = self.flat(part, pointer, around)?;
        match flat.get("allOf").map(Json::items) {
            Some([one]) => {
                let inner = self.part(one, pointer, around)?;
                let mut own = flat.clone();
                own.remove("allOf");
                self.merged(&own, &inner, pointer)
            }
            _ => match reference(&flat) {
                Some(_) => self.part(&flat.clone(), pointer, around),
                None => Ok(flat),
            },
        }
    }

    /// What two schemas say together.
    pub(super) fn merged(&mut self, one: &Json, other: &Json, pointer: &str) -> Result<Json, String> {
        let mut out = one.clone();
        for (keyword, value) in other.members() {
            let Some(own) = one.get(keyword) else {
                out.set(keyword, value.clone());
                continue;
            };
            if own == value {
                continue;
            }
            let together = match keyword.as_str() {
                "type" => match (own.as_str(), value.as_str()) {
                    (Some("number"), Some("integer")) | (Some("integer"), Some("number")) => Json::str("integer"),
                    _ => {
                        let shown = |kind: &Json| kind.scalar().unwrap_or_else(|| kind.to_string());
                        return Err(format!(
                            "members of its `allOf` contradict each other: one is of type `{}`, another of type `{}`",
                            shown(own),
                            shown(value)
                        ));
                    }
                },
                "properties" => properties(own, value),
                "required" => {
                    let mut all = own.items().to_vec();
                    all.extend(value.items().iter().filter(|name| !own.items().contains(name)).cloned());
                    Json::Array(all)
                }
                "enum" => {
                    let both: Vec<Json> = own
                        .items()
                        .iter()
                        .filter(|text| value.items().contains(text))
                        .cloned()
                        .collect();
                    if both.is_empty() {
                        return Err(
                            "members of its `allOf` contradict each other: no value is in both of their `enum`"
                                .to_owned(),
                        );
                    }
                    Json::Array(both)
                }
                "items" => both(own, value),
                "additionalProperties" => match (own.as_bool(), value.as_bool()) {
                    (Some(_), None) => value.clone(),
                    (None, Some(_)) => own.clone(),
                    (None, None) => both(own, value),
                    _ => Json::Bool(false),
                },
                // Either is read.
                "nullable" | "readOnly" | "writeOnly" => Json::Bool(is_true(one, keyword) || is_true(other, keyword)),
                "format" => {
                    self.lose(
                        pointer,
                        Weight::Rule,
                        "`format`, of which members of an `allOf` say different ones",
                    );
                    out.remove("format");
                    continue;
                }
                "oneOf" | "anyOf" => return Err("members of its `allOf` are several unions".to_owned()),
                keyword if ANNOTATIONS.contains(&keyword) || keyword.starts_with("x-") => continue,
                // Rules for values, of which a client keeps the first.
                _ => continue,
            };
            out.set(keyword, together);
        }
        Ok(out)
    }
}

/// The properties of two schemas. One that both have is what both say of it.
fn properties(one: &Json, other: &Json) -> Json {
    let mut out = one.clone();
    for (name, property) in other.members() {
        let together = match one.get(name) {
            None => property.clone(),
            Some(own) => both(own, property),
        };
        out.set(name, together);
    }
    out
}

fn both(one: &Json, other: &Json) -> Json {
    if one == other || says_nothing(other) && reference(other).is_none() {
        return one.clone();
    }
    if says_nothing(one) && reference(one).is_none() {
        return other.clone();
    }
    Json::object([("allOf", Json::Array(vec![one.clone(), other.clone()]))])
}

/// A base of kinds, alone.
fn without_kinds(base: &Json) -> Json {
    let mut base = base.clone();
    for keyword in ["oneOf", "anyOf", "discriminator"] {
        base.remove(keyword);
    }
    base
}
