//! Bases that other schemas extend: what is told to be one may be each of those, by the value of a field.
//!
//! A `discriminator` without a list of kinds is how OpenAPI writes inheritance: the kinds are the schemas whose `allOf` leads to the
//! base. What refers to the base gets all of them; what extends it gets its fields alone.

use std::collections::BTreeMap;

use crate::grammar::Kind;
use crate::json::Json;
use crate::pointer::join;
use crate::rebuild::edited;
use crate::references::{SCHEMAS, schema_name};

/// The tag of a kind in documents of Swagger.
const TAG: &str = "x-discriminator-value";

/// A base, and what may be told in its place.
struct Family<'d> {
    base: &'d str,
    discriminator: Json,
    kinds: Vec<&'d str>,
}

/// A document whose bases are unions of what extends them.
pub(crate) fn with_kinds_of_bases(root: &Json) -> Json {
    let named = root
        .pointer("/components/schemas")
        .map(Json::members)
        .unwrap_or_default();
    let families = families(root, named);
    // What the fields of each are called.
    let own: BTreeMap<&str, String> = families
        .iter()
        .map(|family| (family.base, name_of_own(root, family.base)))
        .collect();
    let mut out = root.clone();
    for family in &families {
        out = with_kinds(&out, root, family, &own);
    }
    out
}

fn is_base(schema: &Json) -> bool {
    let lists_kinds = schema.get("oneOf").is_some() || schema.get("anyOf").is_some();
    !lists_kinds && schema.at(&["discriminator", "propertyName"]).is_some()
}

/// The bases, and the schemas between one and what extends it further that are told somewhere themselves: bases before those.
fn families<'d>(root: &Json, named: &'d [(String, Json)]) -> Vec<Family<'d>> {
    let mut families: Vec<Family<'d>> = Vec::new();
    for (base, schema) in named.iter().filter(|(_, schema)| is_base(schema)) {
        let kinds = extending(named, base, schema);
        if !kinds.is_empty() {
            families.push(Family {
                base,
                discriminator: schema.get("discriminator").cloned().unwrap_or_default(),
                kinds,
            });
        }
    }
    let mut between: Vec<Family<'d>> = Vec::new();
    for family in &families {
        let Some((_, schema)) = named.iter().find(|(name, _)| name == family.base) else {
            continue;
        };
        for kind in &family.kinds {
            let is_known = families.iter().chain(&between).any(|known| known.base == *kind);
            let kinds = extending(named, kind, schema);
            if !is_known && !kinds.is_empty() && is_told(root, kind, false) {
                between.push(Family {
                    base: kind,
                    discriminator: of_kinds(&family.discriminator, kind, &kinds),
                    kinds,
                });
            }
        }
    }
    families.extend(between);
    let is_kind_of = |family: &Family<'_>, other: &Family<'_>| other.kinds.contains(&family.base);
    let depths: Vec<usize> = families
        .iter()
        .map(|family| families.iter().filter(|other| is_kind_of(family, other)).count())
        .collect();
    let mut sorted: Vec<(usize, Family<'d>)> = depths.into_iter().zip(families).collect();
    sorted.sort_by_key(|(depth, _)| *depth);
    sorted.into_iter().map(|(_, family)| family).collect()
}

/// The discriminator of a base for one of its kinds, and for those that extend it.
fn of_kinds(discriminator: &Json, kind: &str, kinds: &[&str]) -> Json {
    let mut out = discriminator.clone();
    if let Some(Json::Object(mapping)) = out.get_mut("mapping") {
        mapping.retain(|(_, to)| leads_to(to, kind) || kinds.iter().any(|name| leads_to(to, name)));
    }
    out
}

/// Whether anything but what extends a schema refers to it.
fn is_told(json: &Json, name: &str, is_extended: bool) -> bool {
    let refers = schema_name(json) == Some(name) && !is_extended;
    let extends = extends(json, json.get("allOf").map(Json::items).unwrap_or_default());
    refers
        || json.items().iter().any(|item| is_told(item, name, is_extended))
        || json
            .members()
            .iter()
            .any(|(key, value)| is_told(value, name, extends && key == "allOf"))
}

/// Whether a schema says more than its one part.
fn extends(schema: &Json, parts: &[Json]) -> bool {
    parts.len() > 1 || schema.get("properties").is_some()
}

/// The names of the schemas that extend a base, and of those that extend these.
fn extending<'d>(named: &'d [(String, Json)], base: &str, schema: &Json) -> Vec<&'d str> {
    let mut found: Vec<&str> = Vec::new();
    let mut queue = vec![base.to_owned()];
    while let Some(outer) = queue.pop() {
        for (name, kind) in named {
            let parts = kind.get("allOf").map(Json::items).unwrap_or_default();
            let leads = parts.iter().any(|part| schema_name(part) == Some(&outer));
            let says_more = parts.len() > 1 || kind.get("properties").is_some() || is_mapped(schema, name);
            if leads && says_more && name != base && !found.contains(&name.as_str()) {
                found.push(name);
                queue.push(name.clone());
            }
        }
    }
    found
}

fn is_mapped(base: &Json, name: &str) -> bool {
    let mapping = base.at(&["discriminator", "mapping"]).map(Json::members);
    mapping.unwrap_or_default().iter().any(|(_, to)| leads_to(to, name))
}

fn leads_to(to: &Json, name: &str) -> bool {
    to.as_str().is_some_and(|text| text.rsplit('/').next() == Some(name))
}

/// A document in which a base is a union of its kinds, and its own fields have another name.
fn with_kinds(root: &Json, published: &Json, family: &Family<'_>, names: &BTreeMap<&str, String>) -> Json {
    let Family {
        base,
        discriminator,
        kinds,
    } = family;
    let own = names.get(base).cloned().unwrap_or_default();
    let to = |name: &str| Json::object([("$ref", Json::str(format!("{SCHEMAS}{name}")))]);
    // One that others extend is itself there, and none of these.
    let itself = |name: &str| names.get(name).cloned().unwrap_or_else(|| name.to_owned());
    let mut out = edited(Kind::Document, root, "", &mut |kind, object| {
        let parts = object.get("allOf").map(Json::items).unwrap_or_default();
        if kind != Kind::Schema || !extends(object, parts) {
            return object.clone();
        }
        let parts = parts.iter().map(|part| match schema_name(part) == Some(*base) {
            true => to(&own),
            false => part.clone(),
        });
        let mut changed = object.clone();
        if !parts.clone().any(|part| part == to(&own)) {
            return changed;
        }
        changed.set("allOf", Json::Array(parts.collect()));
        changed
    });
    let at = join("/components/schemas", base);
    let Some(mut fields) = out.pointer(&at).cloned() else {
        return out;
    };
    fields.remove("discriminator");
    let mut discriminator = discriminator.clone();
    let mut mapping = discriminator
        .get("mapping")
        .cloned()
        .unwrap_or(Json::Object(Vec::new()));
    for name in [base].into_iter().chain(kinds) {
        let tag = published
            .at(&["components", "schemas", name, TAG])
            .and_then(Json::as_str);
        let mut tags: Vec<String> = mapping
            .members()
            .iter()
            .filter(|(_, to)| leads_to(to, name))
            .map(|(tag, _)| tag.clone())
            .collect();
        tags.extend(tag.filter(|tag| mapping.get(tag).is_none()).map(str::to_owned));
        // By its name, where the union has it under another.
        if tags.is_empty() && itself(name) != *name {
            tags.push((*name).to_owned());
        }
        for tag in tags {
            mapping.set(&tag, Json::str(format!("{SCHEMAS}{}", itself(name))));
        }
    }
    for name in kinds {
        // One that only has another name for the fields of its base.
        let place = join(&join("/components/schemas", name), "allOf");
        if out.pointer(&place).map(Json::items) == Some(&[to(base)]) {
            out.set_pointer(&place, Json::Array(vec![to(&own)]));
        }
    }
    discriminator.set("mapping", mapping);
    let mut members: Vec<Json> = kinds.iter().map(|name| to(&itself(name))).collect();
    members.push(to(&own));
    let mut union = Json::object([("oneOf", Json::Array(members)), ("discriminator", discriminator)]);
    for word in ["title", "description", "nullable"] {
        if let Some(value) = fields.get(word) {
            union.set(word, value.clone());
        }
    }
    fields.remove("nullable");
    out.set_pointer(&at, union);
    out.set_pointer(&join("/components/schemas", &own), fields);
    out
}

/// A name for the fields of a base that no schema has.
fn name_of_own(root: &Json, base: &str) -> String {
    let first = format!("{base}Itself");
    let numbered = (2..).map(|number| format!("{base}Itself{number}"));
    let is_free = |name: &String| root.at(&["components", "schemas", name.as_str()]).is_none();
    std::iter::once(first).chain(numbered).find(is_free).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::normal::{Only, normalised};

    #[test]
    fn a_reply_of_a_base_is_each_kind_that_extends_it() {
        let kind = |name: &str, field: &str| {
            format!(
                r##""{name}":{{"allOf":[{{"$ref":"#/components/schemas/Base"}},{{"type":"object","properties":{{"{field}":{{"type":"number"}}}}}}]}}"##
            )
        };
        let (cat, dog) = (kind("Cat", "fee"), kind("Dog", "bark"));
        for (schemas, tags) in [
            (format!("{cat},{dog}"), "Base=BaseItself Cat=Cat Dog=Dog"),
            (cat.clone(), "Base=BaseItself Cat=Cat"),
            (
                cat.clone()
                    + r##","Tom":{"allOf":[{"$ref":"#/components/schemas/Cat"},{"type":"object","properties":{"n":{"type":"string"}}}]}"##,
                "Base=BaseItself Cat=Cat Tom=Tom",
            ),
            (
                cat.replacen("{", r#"{"x-discriminator-value":"c","#, 1),
                "Base=BaseItself c=Cat",
            ),
        ] {
            let (union, base) = of(&schemas, r#"{"propertyName":"kind"}"#);
            assert_eq!(union, tags, "{schemas}");
            assert!(base.contains(r#""amount":{"type":"number""#), "{base}");
        }
        let mapping = r##"{"propertyName":"kind","mapping":{"c":"#/components/schemas/Cat","d":"Dog","b":"Base"}}"##;
        assert_eq!(of(&format!("{cat},{dog}"), mapping).0, "b=BaseItself c=Cat d=Dog");
    }

    #[test]
    fn a_kind_between_a_base_and_its_kinds_is_each_of_those_that_extend_it() {
        let dog = r##"Dog":{DISCRIMINATOR"allOf":[{"$ref":"#/components/schemas/Base"},{"type":"object","properties":{"bark":{"type":"string"}}}]},
            "Pug":{"allOf":[{"$ref":"#/components/schemas/Dog"},{"type":"object","properties":{"fee":{"type":"number"}}}]},
            "Home":{"type":"object","properties":{"dog":{"$ref":"#/components/schemas/Dog"}}"##;
        let own = r#""discriminator":{"propertyName":"kind"},"#;
        for (discriminator, more, of_base, of_dog) in [
            (
                r#"{"propertyName":"kind"}"#,
                "",
                "Base=BaseItself Dog=DogItself Pug=Pug",
                "Dog=DogItself Pug=Pug",
            ),
            (
                r#"{"propertyName":"kind"}"#,
                own,
                "Base=BaseItself Dog=DogItself Pug=Pug",
                "Dog=DogItself Pug=Pug",
            ),
            (
                r##"{"propertyName":"kind","mapping":{"d":"#/components/schemas/Dog","p":"Pug","b":"Base"}}"##,
                "",
                "b=BaseItself d=DogItself p=Pug",
                "d=DogItself p=Pug",
            ),
        ] {
            let schemas = format!("\"{}}}", dog.replace("DISCRIMINATOR", more));
            let normal = normalised(&document(&schemas, discriminator), &Only::default()).unwrap();
            assert_eq!(normal.left_out.len(), 0);
            let root = &normal.root;
            assert_eq!(
                (tags(root, "Base").as_str(), tags(root, "Dog").as_str()),
                (of_base, of_dog),
                "{more}"
            );
            // Each kind has all that stands above it.
            for (name, fields) in [("DogItself", &["bark", "kind"][..]), ("Pug", &["bark", "fee", "kind"])] {
                let schema = root.at(&["components", "schemas", name, "properties"]).unwrap();
                assert!(
                    fields.iter().all(|field| schema.get(field).is_some()),
                    "{name} {schema}"
                );
            }
        }
    }

    /// A document with replies of the base, and of what `Home` has.
    fn document(schemas: &str, discriminator: &str) -> Json {
        let get = |name: &str| {
            format!(
                r##"{{"get":{{"responses":{{"200":{{"description":"","content":{{"application/json":{{"schema":{{"$ref":"#/components/schemas/{name}"}}}}}}}}}}}}}}"##
            )
        };
        Json::parse(&format!(
            r#"{{"openapi":"3.0.3","info":{{"title":"Bank","version":"1"}},"paths":{{"/a":{},"/home":{}}},"components":{{"schemas":{{
            "Base":{{"type":"object","properties":{{"kind":{{"type":"string"}},"amount":{{"type":"number"}}}},"required":["kind"],
            "discriminator":{discriminator}}},{schemas}}}}}}}"#,
            get("Base"),
            get("Home")
        ))
        .unwrap()
    }

    /// The tags of a union, each with the schema that it leads to, sorted.
    fn tags(root: &Json, name: &str) -> String {
        let union = root.at(&["components", "schemas", name]).unwrap();
        let kinds = union.get("properties").map(Json::members).unwrap_or_default();
        let mut kinds: Vec<String> = kinds
            .iter()
            .map(|(tag, schema)| format!("{tag}={}", schema_name(schema).unwrap_or_default()))
            .collect();
        kinds.sort();
        kinds.join(" ")
    }

    /// The tags of the base, each with the schema that it leads to, sorted; and the base itself.
    fn of(schemas: &str, discriminator: &str) -> (String, String) {
        let document = Json::parse(&format!(
            r##"{{"openapi":"3.0.3","info":{{"title":"Bank","version":"1"}},"paths":{{"/a":{{"get":{{"responses":{{"200":{{"description":"",
            "content":{{"application/json":{{"schema":{{"$ref":"#/components/schemas/Base"}}}}}}}}}}}}}}}},"components":{{"schemas":{{
            "Base":{{"type":"object","properties":{{"kind":{{"type":"string"}},"amount":{{"type":"number"}}}},"required":["kind"],
            "discriminator":{discriminator}}},{schemas}}}}}}}"##
        ))
        .unwrap();
        let normal = normalised(&document, &Only::default()).unwrap();
        assert_eq!(normal.left_out.len(), 0);
        let base = normal.root.pointer("/components/schemas/Base").unwrap();
        assert_eq!(base.get("x-tag").and_then(Json::as_str), Some("kind"), "{base}");
        let kinds = base.get("properties").map(Json::members).unwrap();
        let mut kinds: Vec<String> = kinds
            .iter()
            .map(|(tag, schema)| format!("{tag}={}", schema_name(schema).unwrap()))
            .collect();
        kinds.sort();
        let own = normal.root.pointer("/components/schemas/BaseItself").unwrap();
        (kinds.join(" "), own.to_string())
    }
}
