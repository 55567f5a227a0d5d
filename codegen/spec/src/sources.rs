//! Where a provider wrote what a reply is read by: the places in the untouched document, whatever it is called in the bundle.
//!
//! A bundle has other names, no `allOf` and no dialect but one. The way that a value goes through a reply is the same in both, so
//! that is what leads back: by `$ref`, `allOf`, unions, properties, lists and maps, in every dialect.

use crate::json::Json;
use crate::pointer::{join, keys};

/// A published document, to find places in.
#[derive(Clone, Copy)]
pub struct Sources<'d> {
    root: &'d Json,
}

/// In place of the key of a map: any.
pub const ANY: &str = "*";

/// More references in one another than a document has.
const MOST: usize = 32;

impl<'d> Sources<'d> {
    /// Looks into a document as it was published, in any dialect.
    #[must_use]
    pub fn of(root: &'d Json) -> Self {
        Self { root }
    }

    fn get(&self, place: &str) -> Option<&'d Json> {
        self.root.pointer(place)
    }

    /// Follows references; what stands at the end, and its place.
    fn followed(&self, place: String) -> String {
        let mut place = place;
        for _ in 0..MOST {
            match self.reference(&place) {
                Some(target) => place = target,
                None => break,
            }
        }
        place
    }

    fn reference(&self, place: &str) -> Option<String> {
        let reference = self.get(place)?.get("$ref")?.as_str()?;
        let pointer = reference.strip_prefix('#')?;
        self.get(pointer).map(|_| pointer.to_owned())
    }

    /// The replies of an operation that a status of the bundle may be from: that one, or all of them.
    fn replies(&self, operation: &str, status: &str) -> Vec<String> {
        let responses = match keys(operation).as_slice() {
            [_, path, method] => {
                let item = self.followed(join("/paths", path));
                join(&join(&item, method), "responses")
            }
            _ => return Vec::new(),
        };
        let all = self.get(&responses).map(Json::members).unwrap_or_default();
        let is_it = |known: &str| known == status || known.eq_ignore_ascii_case(status);
        let mut found: Vec<&str> = all.iter().map(|(known, _)| known.as_str()).collect();
        if found.iter().any(|known| is_it(known)) {
            found.retain(|known| is_it(known));
        }
        found
            .into_iter()
            .map(|known| self.followed(join(&responses, known)))
            .collect()
    }

    /// The schemas of a reply.
    pub(crate) fn schemas(&self, operation: &str, status: &str) -> Vec<String> {
        let mut found = Vec::new();
        for reply in self.replies(operation, status) {
            let content = join(&reply, "content");
            for (media_type, _) in self.get(&content).map(Json::members).unwrap_or_default() {
                found.push(join(&join(&content, media_type), "schema"));
            }
            found.push(join(&reply, "schema"));
        }
        found.retain(|place| self.get(place).is_some());
        found
    }

    /// The schemas of what stands under a key of a value, or under [`ANY`].
    pub(crate) fn step(&self, schemas: &[String], key: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for place in self.widened(schemas) {
            for below in self.below(&place, key) {
                if !found.contains(&below) {
                    found.push(below);
                }
            }
        }
        found
    }

    /// The places that say what a value of a reply is read by: the schema, what it refers to, and what it is made of. `at` is a
    /// JSON pointer into the reply, with [`ANY`] in place of the key of a map.
    ///
    /// ```
    /// use finrail_spec::json::Json;
    /// use finrail_spec::sources::Sources;
    ///
    /// let document = Json::parse(
    ///     r##"{"swagger":"2.0","paths":{"/a":{"get":{"responses":{"200":{"schema":{"$ref":"#/definitions/my account"}}}}}},
    ///     "definitions":{"my account":{"allOf":[{"properties":{"id":{"type":"string"}}}]}}}"##,
    /// )?;
    /// let places = Sources::of(&document).along("/paths/~1a/get", "200", "/id");
    /// assert_eq!(places, ["/definitions/my account/allOf/0/properties/id"]);
    /// # Ok::<(), finrail_spec::json::NotJson>(())
    /// ```
    #[must_use]
    pub fn along(&self, operation: &str, status: &str, at: &str) -> Vec<String> {
        let mut schemas = self.schemas(operation, status);
        for key in keys(at) {
            schemas = self.step(&schemas, &key);
        }
        self.widened(&schemas)
    }

    /// Each place, and those that it is made of.
    fn widened(&self, places: &[String]) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for place in places {
            self.widen(place.clone(), 0, &mut found);
        }
        found
    }

    fn widen(&self, place: String, depth: usize, found: &mut Vec<String>) {
        if depth > MOST || found.contains(&place) {
            return;
        }
        let Some(schema) = self.get(&place) else { return };
        found.push(place.clone());
        if let Some(target) = self.reference(&place) {
            self.widen(target, depth + 1, found);
        }
        for keyword in ["allOf", "oneOf", "anyOf"] {
            let parts = schema.get(keyword).map(Json::items).unwrap_or_default();
            for n in 0..parts.len() {
                self.widen(format!("{place}/{keyword}/{n}"), depth + 1, found);
            }
        }
    }

    /// The schemas of what stands under a key.
    fn below(&self, place: &str, key: &str) -> Vec<String> {
        let Some(schema) = self.get(place) else {
            return Vec::new();
        };
        if schema.at(&["properties", key]).is_some() {
            return vec![join(&join(place, "properties"), key)];
        }
        let mut found = Vec::new();
        for keyword in ["prefixItems", "patternProperties"] {
            match schema.get(keyword) {
                Some(Json::Array(places)) => {
                    found.extend((0..places.len()).map(|n| format!("{place}/{keyword}/{n}")));
                }
                Some(Json::Object(patterns)) => {
                    found.extend(patterns.iter().map(|(pattern, _)| join(&join(place, keyword), pattern)));
                }
                _ => {}
            }
        }
        if key == ANY || key.parse::<usize>().is_ok() {
            found.push(join(place, "items"));
        }
        found.push(join(place, "additionalProperties"));
        found.retain(|place| matches!(self.get(place), Some(Json::Object(_))));
        found
    }

    /// What schemas show of their values, each with its place: those of a schema itself, and not those of its parts.
    pub(crate) fn shown(&self, schemas: &[String]) -> Vec<(String, &'d Json)> {
        let mut found = Vec::new();
        for place in self.own(schemas) {
            let Some(schema) = self.get(&place) else { continue };
            for keyword in ["example", "x-example"] {
                found.extend(schema.get(keyword).map(|example| (join(&place, keyword), example)));
            }
            let several = schema.get("examples").map(Json::items).unwrap_or_default();
            let several = several.iter().enumerate();
            found.extend(several.map(|(n, example)| (format!("{place}/examples/{n}"), example)));
        }
        found.retain(|(_, example)| !matches!(example, Json::Null));
        found
    }

    /// The schema itself, and what it is only another name for.
    fn own(&self, places: &[String]) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut queue: Vec<String> = places.to_vec();
        while let Some(place) = queue.pop() {
            if found.contains(&place) {
                continue;
            }
            queue.extend(self.reference(&place));
            if let Some([_]) = self.get(&place).and_then(|schema| schema.get("allOf")).map(Json::items) {
                queue.push(format!("{place}/allOf/0"));
            }
            found.push(place);
        }
        found
    }

    /// Where an example of a reply stands in the document.
    #[must_use]
    pub fn example(&self, operation: &str, status: &str, example: &Json) -> Option<String> {
        let mut places = Vec::new();
        for reply in self.replies(operation, status) {
            let contents = self
                .get(&join(&reply, "content"))
                .map(Json::members)
                .unwrap_or_default();
            for (media_type, content) in contents {
                let at = join(&join(&reply, "content"), media_type);
                places.push(join(&at, "example"));
                for (name, _) in content.get("examples").map(Json::members).unwrap_or_default() {
                    let named = self.followed(join(&join(&at, "examples"), name));
                    places.push(join(&named, "value"));
                }
            }
            let of_types = self
                .get(&join(&reply, "examples"))
                .map(Json::members)
                .unwrap_or_default();
            places.extend(of_types.iter().map(|(name, _)| join(&join(&reply, "examples"), name)));
        }
        places.into_iter().find(|place| self.get(place) == Some(example))
    }
}
