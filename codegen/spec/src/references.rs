//! References of a published document: what may stand anywhere is written in its place, and schemas get names.
//!
//! Published documents refer to whatever they like: to components, to a schema within another operation (`#/paths/..`), to a
//! property of a schema, to `$defs`. A generator needs schemas by name and everything else in its place. A schema is never
//! written out: one that leads to itself would have no end.

use std::collections::{BTreeMap, HashMap};

use crate::grammar::Kind;
use crate::json::Json;
use crate::pointer::{join, keys};
use crate::rebuild::{edited, rebuilt};

/// A document without references to anything but `#/components/schemas/<name>` and `#/components/securitySchemes/<name>`.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The document.
    pub root: Json,
    /// Schemas that got a name, because something refers to them where they stand: the name, and the place.
    pub named: Vec<(String, String)>,
    /// References that lead nowhere: they stand as they were.
    pub faults: Vec<ReferenceFault>,
}

/// A reference that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wrong}")]
pub struct ReferenceFault {
    /// JSON pointer to the object with the `$ref`.
    pub pointer: String,
    /// What is wrong with it, and what to do.
    pub wrong: String,
}

/// What references to named schemas begin with.
pub(crate) const SCHEMAS: &str = "#/components/schemas/";

/// The name that a reference to a schema has.
pub(crate) fn schema_name(schema: &Json) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(SCHEMAS)
}

/// More objects in one place than a document has: a reference that leads to itself.
const DEEPEST: usize = 32;

/// Follows the references of a document in OpenAPI 3.0.
///
/// ```
/// use finrail_spec::json::Json;
/// use finrail_spec::references::resolved;
///
/// let document = Json::parse(
///     r##"{"paths":{"/a":{"get":{"parameters":[{"$ref":"#/components/parameters/P"}]}}},
///     "components":{"parameters":{"P":{"name":"p","in":"query","schema":{"$ref":"#/components/schemas/A/properties/id"}}},
///     "schemas":{"A":{"type":"object","properties":{"id":{"type":"string"}}}}}}"##,
/// )?;
/// let resolved = resolved(&document);
/// assert_eq!(
///     resolved.root.pointer("/paths/~1a/get/parameters/0").map(ToString::to_string).as_deref(),
///     Some(r##"{"name":"p","in":"query","schema":{"$ref":"#/components/schemas/AId"}}"##),
/// );
/// assert_eq!(resolved.named, [("AId".to_owned(), "/components/schemas/A/properties/id".to_owned())]);
/// # Ok::<(), finrail_spec::json::NotJson>(())
/// ```
#[must_use]
pub fn resolved(root: &Json) -> Resolved {
    let schemas = root.pointer("/components/schemas").map(Json::members);
    let mut resolution = Resolution {
        root,
        schemas: schemas
            .into_iter()
            .flatten()
            .map(|(name, schema)| (name.as_str(), schema))
            .collect(),
        names: BTreeMap::new(),
        named: Vec::new(),
        faults: Vec::new(),
        defined: None,
        is_told: false,
    };
    resolution.document();
    // All names are known now: what got one is by its name in its own place too.
    resolution.is_told = true;
    let out = resolution.document();
    let mut out = edited(Kind::Document, &out, "", &mut |kind, object| {
        let mut object = object.clone();
        if kind == Kind::Schema {
            // What leads there has been followed.
            object.remove("$defs");
            object.remove("definitions");
        }
        object
    });
    if let Some(Json::Object(components)) = out.get_mut("components") {
        components.retain(|(section, _)| matches!(section.as_str(), "schemas" | "securitySchemes"));
    }
    let Resolution { named, faults, .. } = resolution;
    Resolved {
        root: out,
        named,
        faults,
    }
}

struct Resolution<'d> {
    root: &'d Json,
    /// The named schemas: most references lead to them.
    schemas: HashMap<&'d str, &'d Json>,
    /// Place to name.
    names: BTreeMap<String, String>,
    named: Vec<(String, String)>,
    faults: Vec<ReferenceFault>,
    /// The place whose schema is written under its name just now.
    defined: Option<String>,
    /// Whether what has a name is referred to in its own place.
    is_told: bool,
}

impl Resolution<'_> {
    fn document(&mut self) -> Json {
        let root = self.root;
        let mut out = self.object(Kind::Document, root, "", 0);
        // What got a name may refer to more that gets one.
        let mut done = 0;
        while let Some((name, place)) = self.named.get(done).cloned() {
            done += 1;
            let schema = root.pointer(&place).cloned().unwrap_or_default();
            self.defined = Some(place.clone());
            let schema = self.object(Kind::Schema, &schema, &place, 0);
            self.defined = None;
            out.set_pointer(&join("/components/schemas", &name), schema);
        }
        out
    }

    fn fault(&mut self, pointer: &str, wrong: String) {
        let fault = ReferenceFault {
            pointer: pointer.to_owned(),
            wrong,
        };
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn object(&mut self, kind: Kind, json: &Json, pointer: &str, depth: usize) -> Json {
        rebuilt(kind, json, pointer, &mut |kind, object, pointer| {
            if kind == Kind::Schema
                && self.is_told
                && self.defined.as_deref() != Some(pointer)
                && let Some(name) = self.names.get(pointer)
            {
                return Some(named(name));
            }
            let reference = object.get("$ref")?.as_str()?;
            match kind {
                Kind::Schema => Some(self.schema(object, reference, pointer)),
                Kind::Parameter
                | Kind::RequestBody
                | Kind::Response
                | Kind::Header
                | Kind::Example
                | Kind::PathItem => Some(self.written_out(kind, object, reference, pointer, depth)),
                _ => None,
            }
        })
    }

    /// What stands elsewhere, in the place of its reference.
    fn written_out(&mut self, kind: Kind, object: &Json, reference: &str, pointer: &str, depth: usize) -> Json {
        if depth >= DEEPEST {
            self.fault(pointer, format!("`{reference}` leads to itself"));
            return object.clone();
        }
        match self.target(reference) {
            Ok((place, target)) => {
                let target = target.clone();
                match target.get("$ref").and_then(Json::as_str) {
                    Some(next) => {
                        let next = next.to_owned();
                        self.written_out(kind, object, &next, pointer, depth + 1)
                    }
                    None => self.object(kind, &target, &place, depth + 1),
                }
            }
            Err(wrong) => {
                self.fault(pointer, wrong);
                object.clone()
            }
        }
    }

    /// A schema by its name.
    fn schema(&mut self, object: &Json, reference: &str, pointer: &str) -> Json {
        let mut reference = reference.to_owned();
        for _ in 0..DEEPEST {
            let (place, target) = match self.target(&reference) {
                Ok(found) => found,
                Err(wrong) => {
                    self.fault(pointer, wrong);
                    return object.clone();
                }
            };
            // Another name for another schema has a name of its own; in any other place it is only a step on the way.
            match (component(&place), target.get("$ref").and_then(Json::as_str)) {
                (Some(name), _) => return named(&name),
                (None, Some(next)) => reference = next.to_owned(),
                (None, None) => {
                    let name = self.name_of(&place);
                    return named(&name);
                }
            }
        }
        self.fault(pointer, format!("`{reference}` leads to itself"));
        object.clone()
    }

    /// The place that a reference names, and what stands there.
    fn target(&self, reference: &str) -> Result<(String, &Json), String> {
        let Some(fragment) = reference.strip_prefix('#') else {
            return Err(format!(
                "`{reference}` is in another document; bundle all of it into one, and import that"
            ));
        };
        let place = unescaped(fragment);
        if !place.is_empty() && !place.starts_with('/') {
            return Err(format!("`{reference}` is an anchor; only JSON pointers are followed"));
        }
        let named = place
            .strip_prefix("/components/schemas/")
            .and_then(|name| self.schemas.get(name));
        match named.copied().or_else(|| self.root.pointer(&place)) {
            Some(target) => Ok((place, target)),
            None => Err(format!("`{reference}` leads nowhere")),
        }
    }

    /// The name of a schema that has none: it is made of where it stands.
    fn name_of(&mut self, place: &str) -> String {
        if let Some(name) = self.names.get(place) {
            return name.clone();
        }
        let made = made_name(place);
        let is_taken = |name: &str| {
            let place = join("/components/schemas", name);
            self.root.pointer(&place).is_some() || self.named.iter().any(|(known, _)| known == name)
        };
        let mut name = made.clone();
        let mut n = 2;
        while is_taken(&name) {
            name = format!("{made}{n}");
            n += 1;
        }
        self.names.insert(place.to_owned(), name.clone());
        self.named.push((name.clone(), place.to_owned()));
        name
    }
}

fn named(name: &str) -> Json {
    Json::object([(
        "$ref",
        Json::String(format!("{SCHEMAS}{}", crate::pointer::token(name))),
    )])
}

/// The name, where the place is that of a named schema.
fn component(place: &str) -> Option<String> {
    match &keys(place)[..] {
        [components, schemas, name] if components == "components" && schemas == "schemas" => Some(name.clone()),
        _ => None,
    }
}

/// A name of what a place says: `/components/schemas/Account/properties/balance` is `AccountBalance`.
fn made_name(place: &str) -> String {
    const SAYS_NOTHING: [&str; 12] = [
        "$defs",
        "components",
        "content",
        "definitions",
        "items",
        "parameters",
        "paths",
        "properties",
        "requestBodies",
        "responses",
        "schema",
        "schemas",
    ];
    let keys = keys(place);
    let mut name = String::new();
    for key in keys
        .iter()
        .filter(|key| !SAYS_NOTHING.contains(&key.as_str()) && !key.contains("json"))
    {
        let words = key
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty());
        for word in words {
            let mut letters = word.chars();
            name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            name.push_str(letters.as_str());
        }
        if keys.last().is_some_and(|last| last == "items") && Some(key) == keys.iter().rev().nth(1) {
            name.push_str("Item");
        }
    }
    match name.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => name,
        _ => format!("Schema{name}"),
    }
}

/// A fragment of a URI without its percent escapes (RFC 6901 section 6).
fn unescaped(fragment: &str) -> String {
    let bytes = fragment.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%').then(|| fragment.get(at + 1..at + 3)).flatten();
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap_or_else(|_| panic!("no JSON: {text}"))
    }

    #[test]
    fn what_is_referred_to_stands_in_its_place_and_schemas_have_names() {
        let document = json(
            r##"{"paths":{"/a/{id}":{"$ref":"#/components/pathItems/A"},
            "/b":{"post":{"requestBody":{"$ref":"#/components/requestBodies/B"},"responses":{
              "200":{"$ref":"#/components/responses/R"},"4XX":{"$ref":"#/paths/~1b/post/responses/200"}}}}},
            "components":{"pathItems":{"A":{"parameters":[{"$ref":"#/components/parameters/Other"}],"get":{"responses":{"200":{"$ref":"#/components/responses/R"}}}}},
              "parameters":{"Id":{"name":"id","in":"path","schema":{"$ref":"#/components/schemas/Money/properties/id"}},"Other":{"$ref":"#/components/parameters/Id"}},
              "requestBodies":{"B":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Money"},"examples":{"e":{"$ref":"#/components/examples/E"}}}}}},
              "examples":{"E":{"value":{"$ref":"kept, it is a value"}}},
              "headers":{"H":{"schema":{"type":"integer"}}},
              "responses":{"R":{"description":"d","headers":{"x-h":{"$ref":"#/components/headers/H"}},"content":{"application/json":{"schema":{"type":"array","items":{"$ref":"#/components/schemas/Alias"}}}}}},
              "securitySchemes":{"k":{"type":"apiKey"}},
              "schemas":{"Alias":{"$ref":"#/components/schemas/Money"},"Money":{"type":"object","properties":{"id":{"type":"string"},"self":{"$ref":"#/components/schemas/Money"},
                "of":{"$ref":"#/paths/~1b/post/responses/200"}}}}}}"##,
        );
        let Resolved { root, named, faults } = resolved(&document);
        let at = |pointer: &str| root.pointer(pointer).map(ToString::to_string).unwrap_or_default();
        assert_eq!(
            at("/paths/~1a~1{id}"),
            concat!(
                r##"{"parameters":[{"name":"id","in":"path","schema":{"$ref":"#/components/schemas/MoneyId"}}],"##,
                r##""get":{"responses":{"200":{"description":"d","headers":{"x-h":{"schema":{"type":"integer"}}},"##,
                r##""content":{"application/json":{"schema":{"type":"array","items":{"$ref":"#/components/schemas/Alias"}}}}}}}}"##
            )
        );
        assert_eq!(at("/paths/~1b/post/responses/4XX"), at("/paths/~1b/post/responses/200"));
        assert_eq!(
            at("/paths/~1b/post/requestBody/content/application~1json/examples/e"),
            r#"{"value":{"$ref":"kept, it is a value"}}"#
        );
        assert_eq!(at("/components/schemas/MoneyId"), r#"{"type":"string"}"#);
        assert_eq!(
            at("/components/schemas/Alias"),
            r##"{"$ref":"#/components/schemas/Money"}"##
        );
        let sections: Vec<_> = root
            .get("components")
            .unwrap()
            .members()
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(sections, ["securitySchemes", "schemas"]);
        assert_eq!(
            named[0],
            (
                "MoneyId".to_owned(),
                "/components/schemas/Money/properties/id".to_owned()
            )
        );
        assert_eq!(faults, []);
    }

    #[test]
    fn a_schema_that_leads_to_itself_through_inner_places_is_named_and_never_written_out() {
        let document = json(
            r##"{"paths":{"/a":{"get":{"responses":{"200":{"content":{"application/json":{"schema":
              {"type":"object","properties":{"children":{"type":"array","items":{"$ref":"#/paths/~1a/get/responses/200/content/application~1json/schema"}}}}}}}}}}},
            "components":{"schemas":{"T":{"type":"object","$defs":{"N":{"type":"object","properties":{"next":{"$ref":"#/components/schemas/T/$defs/N"}}}},
              "properties":{"n":{"$ref":"#/components/schemas/T/%24defs/N"}}}}}}"##,
        );
        let Resolved { root, named, faults } = resolved(&document);
        assert_eq!(faults, []);
        let names: Vec<_> = named.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["AGet200", "TN"]);
        assert_eq!(
            root.pointer("/components/schemas/TN")
                .map(ToString::to_string)
                .as_deref(),
            Some(r##"{"type":"object","properties":{"next":{"$ref":"#/components/schemas/TN"}}}"##)
        );
        assert!(root.to_string().len() < 1_200, "{}", root.to_string().len());
        // What has a name is referred to where it stands, too, and is not written twice.
        let at = |pointer: &str| root.pointer(pointer).map(ToString::to_string).unwrap_or_default();
        assert_eq!(
            at("/paths/~1a/get/responses/200/content/application~1json/schema"),
            r##"{"$ref":"#/components/schemas/AGet200"}"##
        );
        assert_eq!(
            at("/components/schemas/T"),
            r##"{"type":"object","properties":{"n":{"$ref":"#/components/schemas/TN"}}}"##
        );
    }

    #[test]
    fn names_that_are_taken_are_numbered_and_each_place_has_one() {
        let document = json(
            r##"{"paths":{},"components":{"schemas":{"AB":{"type":"object"},"A":{"properties":{"b":{"type":"string"},"B":{"type":"integer"}}},
              "C":{"properties":{"x":{"$ref":"#/components/schemas/A/properties/b"},"y":{"$ref":"#/components/schemas/A/properties/b"},
                "z":{"$ref":"#/components/schemas/A/properties/B"}}}}}}"##,
        );
        let named = resolved(&document).named;
        let names: Vec<_> = named.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["AB2", "AB3"]);
    }

    #[test]
    fn a_reference_that_leads_nowhere_is_told_and_stays() {
        for (reference, wrong) in [
            ("#/components/schemas/None", "`#/components/schemas/None` leads nowhere"),
            (
                "other.yaml#/A",
                "`other.yaml#/A` is in another document; bundle all of it into one, and import that",
            ),
            (
                "https://a.example/x",
                "`https://a.example/x` is in another document; bundle all of it into one, and import that",
            ),
            ("#anchor", "`#anchor` is an anchor; only JSON pointers are followed"),
            ("#/components/x/Loop", "`#/components/x/Loop` leads to itself"),
        ] {
            let document = json(&format!(
                r##"{{"paths":{{"/a":{{"get":{{"parameters":[{{"$ref":"{reference}"}}],
                "responses":{{"200":{{"content":{{"j":{{"schema":{{"$ref":"{reference}"}}}}}}}}}}}}}}}},
                "components":{{"x":{{"Loop":{{"$ref":"#/components/x/Loop"}}}}}}}}"##
            ));
            let resolved = resolved(&document);
            let told: Vec<_> = resolved
                .faults
                .iter()
                .map(|fault| (fault.pointer.as_str(), fault.wrong.as_str()))
                .collect();
            let schema = "/paths/~1a/get/responses/200/content/j/schema";
            assert_eq!(
                told,
                [("/paths/~1a/get/parameters/0", wrong), (schema, wrong)],
                "{reference}"
            );
            assert_eq!(
                resolved.root.pointer(schema).map(ToString::to_string),
                Some(format!(r#"{{"$ref":"{reference}"}}"#))
            );
        }
    }
}
