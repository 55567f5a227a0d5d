//! What a specification does not list, put into a reply.

use finrail_spec::json::Json;
use finrail_spec::model::Specification;

use crate::sandbox::http::Reply;
use crate::sandbox::spec::{Operation, Spec};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Surprise {
    Values,
    Fields,
    Kinds,
}

impl Surprise {
    /// The reply with the surprise in it, when it is a success with a document.
    pub(super) fn put_into(self, spec: &Spec, operation: Option<&Operation>, mut reply: Reply) -> Reply {
        if let (200..300, Some(schema), Some(json)) = (
            reply.status,
            operation.and_then(Operation::reply_schema),
            &mut reply.json,
        ) {
            self.change(&spec.document, schema, json);
        }
        reply
    }

    fn change(self, document: &Specification, schema: &Json, json: &mut Json) {
        match json {
            Json::String(text) if self == Self::Values && document.keyword(schema, "enum").is_some() => {
                "sandbox_unknown".clone_into(text);
            }
            Json::Array(items) => {
                if let Some(item) = document.keyword(schema, "items") {
                    items.iter_mut().for_each(|value| self.change(document, item, value));
                }
            }
            Json::Object(members) => self.change_members(document, schema, members),
            _ => {}
        }
    }

    fn change_members(self, document: &Specification, schema: &Json, members: &mut Vec<(String, Json)>) {
        let properties = document.properties(schema);
        let names_kind = document.keyword(schema, "x-wrapper-key").is_some();
        for (name, value) in members.iter_mut() {
            if let Some((_, property)) = properties.iter().find(|(n, _)| n == name) {
                self.change(document, property, value);
            }
            if names_kind && self == Self::Kinds {
                *name = format!("sandboxUnknown{}", capital(name));
            }
        }
        if self == Self::Fields && !names_kind && !properties.is_empty() {
            let deep = Json::Array(vec![Json::Null, Json::int(1), Json::str("two")]);
            members.push(("sandboxUnknownField".to_owned(), Json::object([("deep", deep)])));
        }
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
