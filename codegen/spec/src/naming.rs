//! Names that Rust can have, for what a published document calls otherwise: the same ones each time.
//!
//! A name that can be used stays. Of two that would be one, the first in the document keeps it and the others are numbered, so
//! that a newer document which adds at its end renames nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::grammar::Kind;
use crate::json::Json;
use crate::model::METHODS;
use crate::names::{CALLS_TAKEN, METHODS_TAKEN, is_keyword, pascal_case, snake_case};
use crate::pointer::{join, token};
use crate::rebuild::{below, rebuilt};

/// A document whose names can be names of Rust.
#[derive(Clone, Debug)]
pub struct Named {
    /// The document.
    pub root: Json,
    /// What is called otherwise now, in the order of the document.
    pub renamed: Vec<Renamed>,
}

/// Something that has another name in Rust than in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// JSON pointer to it in the document as it was.
    pub pointer: String,
    /// Its name there; empty: it had none.
    pub from: String,
    /// Its name now.
    pub to: String,
}

/// What generated code calls by these names itself.
const SCHEMAS_TAKEN: [&str; 6] = ["Default", "Err", "None", "Ok", "Self", "Some"];
/// What it takes from the library by these.
pub const SHARED: [&str; 4] = ["OAuthError", "RevocationRequest", "TokenRequest", "TokenResponse"];

/// Setters that a call's builder has anyway, and names that its code uses.
const PARAMETERS_TAKEN: [&str; 11] = [
    "body",
    "body_map",
    "client",
    "header_map",
    "items",
    "new",
    "pages",
    "prepare",
    "prepare_again",
    "send",
    "with",
];

/// Gives names that Rust can have to the schemas, operations, parameters and properties of a document in OpenAPI 3.0 whose
/// references are resolved.
///
/// ```
/// use finrail_spec::json::Json;
/// use finrail_spec::naming::named;
///
/// let document = Json::parse(
///     r##"{"paths":{"/accounts/{id}":{"get":{"responses":{"200":{"content":{"application/json":
///     {"schema":{"$ref":"#/components/schemas/ACHAccount"}}}}}}}},"components":{"schemas":{"ACHAccount":{"type":"object"}}}}"##,
/// )?;
/// let names: Vec<String> = named(&document).renamed.into_iter().map(|one| one.to).collect();
/// assert_eq!(names, ["AchAccount", "get_accounts_by_id"]);
/// # Ok::<(), finrail_spec::json::NotJson>(())
/// ```
#[must_use]
pub fn named(root: &Json) -> Named {
    named_beside(root, &[])
}

/// [`named`], where these of [`SHARED`] are the library's and keep their names.
pub(crate) fn named_beside(root: &Json, shared: &[&str]) -> Named {
    let mut renamed = Vec::new();
    let schemas = schema_names(root, shared, &mut renamed);
    let operations = operation_names(root, &mut renamed);
    let mut out = rebuilt(Kind::Document, root, "", &mut |kind, object, pointer| match kind {
        Kind::Schema if object.get("$ref").is_some() => Some(referring(object, &schemas)),
        Kind::Operation => {
            let mut operation = with_parameter_names(object, pointer, &mut Vec::new());
            if let Some(id) = operations.get(pointer) {
                operation.set("operationId", Json::str(id.as_str()));
            }
            Some(inner(Kind::Operation, &operation, pointer, &schemas))
        }
        _ => None,
    });
    // Schemas under their names, with theirs of their properties.
    if let Some(Json::Object(named)) = out.pointer_mut("/components/schemas") {
        for (name, _) in named.iter_mut() {
            if let Some(to) = schemas.get(name.as_str()) {
                *name = to.clone();
            }
        }
    }
    let out = with_property_names(&out, &schemas, &mut renamed);
    let mut told = Vec::new();
    for (pointer, operation) in operations_of(root) {
        with_parameter_names(operation, &pointer, &mut told);
    }
    renamed.extend(told);
    Named { root: out, renamed }
}

/// What stands in an object, whose references are by new names.
fn inner(kind: Kind, object: &Json, pointer: &str, schemas: &BTreeMap<String, String>) -> Json {
    below(kind, object, pointer, &mut |kind, object, _| {
        (kind == Kind::Schema && object.get("$ref").is_some()).then(|| referring(object, schemas))
    })
}

/// A reference to a schema by its new name.
fn referring(object: &Json, schemas: &BTreeMap<String, String>) -> Json {
    let mut object = object.clone();
    if let Some(Json::String(reference)) = object.get_mut("$ref") {
        renamed_reference(reference, schemas);
    }
    object
}

fn renamed_reference(reference: &mut String, schemas: &BTreeMap<String, String>) {
    const SCHEMAS: &str = "#/components/schemas/";
    let Some(name) = reference.strip_prefix(SCHEMAS) else {
        return;
    };
    let name = name.replace("~1", "/").replace("~0", "~");
    if let Some(to) = schemas.get(&name) {
        *reference = format!("{SCHEMAS}{}", token(to));
    }
}

/// The first of a name, the name with a 2, with a 3 ..., that is not taken; it is taken then.
fn free(name: &str, is_taken: impl Fn(&str) -> bool, separator: &str) -> String {
    let mut candidate = name.to_owned();
    let mut n = 2;
    while is_taken(&candidate) {
        candidate = format!("{name}{separator}{n}");
        n += 1;
    }
    candidate
}

/// Old name to new name of the schemas that get one.
fn schema_names(root: &Json, shared: &[&str], renamed: &mut Vec<Renamed>) -> BTreeMap<String, String> {
    let is_taken = |name: &str| SCHEMAS_TAKEN.contains(&name) || (SHARED.contains(&name) && !shared.contains(&name));
    let schemas = root
        .pointer("/components/schemas")
        .map(Json::members)
        .unwrap_or_default();
    let fits = |name: &str| {
        pascal_case(name) == name
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && (shared.contains(&name) || !is_taken(name))
    };
    // What can keep its name goes before what would take it.
    let mut taken: BTreeSet<String> = schemas
        .iter()
        .map(|(name, _)| name.clone())
        .filter(|name| fits(name))
        .collect();
    taken.extend(SCHEMAS_TAKEN.into_iter().chain(SHARED).map(str::to_owned));
    let mut names = BTreeMap::new();
    for (name, _) in schemas.iter().filter(|(name, _)| !fits(name)) {
        let made = match pascal_case(name) {
            made if made.is_empty() => "Schema".to_owned(),
            made if made.starts_with(|c: char| c.is_ascii_digit()) => format!("Schema{made}"),
            made => made,
        };
        let to = free(&made, |candidate| taken.contains(candidate), "");
        taken.insert(to.clone());
        renamed.push(Renamed {
            pointer: join("/components/schemas", name),
            from: name.clone(),
            to: to.clone(),
        });
        names.insert(name.clone(), to);
    }
    names
}

/// The operations of a document, by their pointers.
#[must_use]
pub fn operations_of(root: &Json) -> Vec<(String, &Json)> {
    let paths = root.get("paths").map(Json::members).unwrap_or_default();
    let mut found = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.members() {
            if METHODS.contains(&method.as_str()) {
                found.push((join(&join("/paths", path), method), operation));
            }
        }
    }
    found
}

/// Pointer to the name of the operations that get one.
fn operation_names(root: &Json, renamed: &mut Vec<Renamed>) -> BTreeMap<String, String> {
    let operations = operations_of(root);
    let id = |operation: &Json| {
        operation
            .get("operationId")
            .and_then(Json::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let fits = |id: &str| {
        snake_case(id) == id
            && !id.is_empty()
            && !id.starts_with('_')
            && !is_keyword(id)
            && !METHODS_TAKEN.contains(&id)
            && !CALLS_TAKEN.contains(&pascal_case(id).as_str())
    };
    // Two operations of one name are two: the first keeps it.
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut names = BTreeMap::new();
    let mut later = Vec::new();
    for (pointer, operation) in &operations {
        let id = id(operation);
        if fits(&id) && taken.insert(pascal_case(&id)) {
            continue;
        }
        later.push((pointer, operation, id));
    }
    for (pointer, _, id) in later {
        let made = match snake_case(&id) {
            made if made.is_empty() => of_place(pointer),
            made => made.trim_start_matches('_').to_owned(),
        };
        let made = match made.starts_with(|c: char| c.is_ascii_digit()) {
            true => format!("call_{made}"),
            false => made,
        };
        let made = if fits(&made) { made } else { format!("{made}_call") };
        let to = free(&made, |candidate| taken.contains(&pascal_case(candidate)), "_");
        taken.insert(pascal_case(&to));
        if to != id {
            renamed.push(Renamed {
                pointer: pointer.clone(),
                from: id,
                to: to.clone(),
            });
            names.insert(pointer.clone(), to);
        }
    }
    names
}

/// A name of what a pointer to an operation says: `GET /accounts/{id}` is `get_accounts_by_id`.
fn of_place(pointer: &str) -> String {
    let keys = crate::pointer::keys(pointer);
    let [_, path, method] = &keys[..] else {
        return "call".to_owned();
    };
    let steps = path
        .split('/')
        .filter(|step| !step.is_empty())
        .map(|step| match step.strip_prefix('{') {
            Some(parameter) => format!("by_{}", snake_case(parameter)),
            None => snake_case(step),
        });
    let steps = steps.filter(|step| !step.is_empty() && step != "by_");
    std::iter::once(method.clone())
        .chain(steps)
        .collect::<Vec<_>>()
        .join("_")
}

/// An operation whose parameters have names of Rust where theirs give none (`x-rust-name`).
fn with_parameter_names(operation: &Json, pointer: &str, renamed: &mut Vec<Renamed>) -> Json {
    let mut operation = operation.clone();
    let Some(Json::Array(parameters)) = operation.get_mut("parameters") else {
        return operation;
    };
    let mut taken: BTreeSet<String> = PARAMETERS_TAKEN.map(str::to_owned).into();
    for (n, parameter) in parameters.iter_mut().enumerate() {
        let wire = parameter
            .get("name")
            .and_then(Json::as_str)
            .unwrap_or_default()
            .to_owned();
        let given = parameter.get("x-rust-name").and_then(Json::as_str).map(str::to_owned);
        let made = given.clone().unwrap_or_else(|| snake_case(&wire));
        let made = if made.is_empty() { "parameter".to_owned() } else { made };
        // The place tells two of one name apart.
        let place = parameter.get("in").and_then(Json::as_str).unwrap_or("other").to_owned();
        let wanted = match taken.contains(&made) {
            true => format!("{made}_in_{place}"),
            false => made.clone(),
        };
        let name = free(&wanted, |candidate| taken.contains(candidate), "_");
        taken.insert(name.clone());
        if name != snake_case(&wire) && given.as_ref() != Some(&name) {
            parameter.set("x-rust-name", Json::str(name.as_str()));
            renamed.push(Renamed {
                pointer: format!("{pointer}/parameters/{n}"),
                from: wire,
                to: name,
            });
        }
    }
    operation
}

/// Schemas whose properties have names of Rust where theirs give none (`x-rust-name`).
fn with_property_names(root: &Json, schemas: &BTreeMap<String, String>, renamed: &mut Vec<Renamed>) -> Json {
    let original: BTreeMap<&str, &str> = schemas.iter().map(|(from, to)| (to.as_str(), from.as_str())).collect();
    let was_at = |pointer: &str| {
        let mut keys = crate::pointer::keys(pointer);
        if keys.len() > 2
            && keys[0] == "components"
            && keys[1] == "schemas"
            && let Some(from) = original.get(keys[2].as_str())
        {
            keys[2] = (*from).to_owned();
        }
        keys.iter().fold(String::new(), |at, key| join(&at, key))
    };
    property_names(Kind::Document, root, "", &mut |pointer, from, to| {
        renamed.push(Renamed {
            pointer: was_at(pointer),
            from: from.to_owned(),
            to: to.to_owned(),
        });
    })
}

fn property_names(kind: Kind, json: &Json, pointer: &str, tell: &mut dyn FnMut(&str, &str, &str)) -> Json {
    let mut is_first = true;
    rebuilt(kind, json, pointer, &mut |kind, object, at| {
        if std::mem::take(&mut is_first) && at == pointer {
            return None;
        }
        let Some(Json::Object(properties)) = object.get("properties").filter(|_| kind == Kind::Schema) else {
            return None;
        };
        let keeps_the_rest = !matches!(object.get("additionalProperties"), None | Some(Json::Bool(false)));
        let mut taken: BTreeSet<String> = BTreeSet::new();
        if keeps_the_rest {
            taken.insert("extra".to_owned());
        }
        let mut out = object.clone();
        let mut list = Vec::with_capacity(properties.len());
        for (wire, property) in properties {
            let mut property = property.clone();
            let given = property.get("x-rust-name").and_then(Json::as_str).map(str::to_owned);
            let made = given.clone().unwrap_or_else(|| snake_case(wire));
            let made = if made.is_empty() { "field".to_owned() } else { made };
            let name = free(&made, |candidate| taken.contains(candidate), "_");
            taken.insert(name.clone());
            if name != snake_case(wire) && given.as_ref() != Some(&name) {
                property = beside_a_reference(property);
                property.set("x-rust-name", Json::str(name.as_str()));
                tell(&join(&join(at, "properties"), wire), wire, &name);
            }
            list.push((wire.clone(), property));
        }
        out.set("properties", Json::Object(list));
        // What stands in the properties and beside them.
        Some(property_names(Kind::Schema, &out, at, tell))
    })
}

/// In 3.0 nothing beside a reference counts, so it becomes a part.
fn beside_a_reference(property: Json) -> Json {
    match property.get("$ref") {
        Some(_) => Json::object([("allOf", Json::Array(vec![property]))]),
        None => property,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap_or_else(|_| panic!("no JSON: {text}"))
    }

    fn renamed(named: &Named) -> Vec<(&str, &str)> {
        let renamed = named.renamed.iter();
        renamed.map(|one| (one.pointer.as_str(), one.to.as_str())).collect()
    }

    #[test]
    fn schemas_have_names_of_types_and_what_refers_to_them_follows() {
        let document = json(
            r##"{"paths":{"/a":{"get":{"operationId":"list_a","responses":{"200":{"content":{"j":{"schema":{"$ref":"#/components/schemas/account-list"}}}}}}}},
            "components":{"schemas":{"account-list":{"type":"array","items":{"$ref":"#/components/schemas/ACHAccount"}},
              "ACHAccount":{"type":"object","properties":{"x":{"$ref":"#/components/schemas/účet"}}},"AchAccount":{"type":"object"},
              "TokenResponse":{"type":"object"},"účet":{"type":"string"},"客户":{"type":"string"},"":{"type":"string"},"3ds":{"type":"string"},
              "a/b":{"$ref":"#/components/schemas/a~1b"},"Plain":{"type":"string"}}}}"##,
        );
        let named = named(&document);
        assert_eq!(
            renamed(&named),
            [
                ("/components/schemas/account-list", "AccountList"),
                ("/components/schemas/ACHAccount", "AchAccount2"),
                ("/components/schemas/TokenResponse", "TokenResponse2"),
                ("/components/schemas/účet", "Et"),
                ("/components/schemas/客户", "Schema"),
                ("/components/schemas/", "Schema2"),
                ("/components/schemas/3ds", "Schema3ds"),
                ("/components/schemas/a~1b", "AB"),
            ]
        );
        let schemas = named.root.pointer("/components/schemas").unwrap();
        assert_eq!(
            schemas.to_string(),
            concat!(
                r##"{"AccountList":{"type":"array","items":{"$ref":"#/components/schemas/AchAccount2"}},"##,
                r##""AchAccount2":{"type":"object","properties":{"x":{"$ref":"#/components/schemas/Et"}}},"AchAccount":{"type":"object"},"##,
                r##""TokenResponse2":{"type":"object"},"Et":{"type":"string"},"Schema":{"type":"string"},"Schema2":{"type":"string"},"##,
                r##""Schema3ds":{"type":"string"},"AB":{"$ref":"#/components/schemas/AB"},"Plain":{"type":"string"}}"##
            )
        );
        let of_reply = named
            .root
            .pointer("/paths/~1a/get/responses/200/content/j/schema")
            .unwrap();
        assert_eq!(of_reply.to_string(), r##"{"$ref":"#/components/schemas/AccountList"}"##);
    }

    #[test]
    fn operations_have_names_of_methods() {
        let document = json(
            r#"{"paths":{
            "/a":{"get":{"operationId":"ListAccounts"},"post":{},"put":{"operationId":"list_accounts"},"delete":{"operationId":"list-accounts"}},
            "/a/{account-id}/b":{"get":{}},"/":{"get":{}},"/c":{"get":{"operationId":"type"},"post":{"operationId":"clone"},"put":{"operationId":"2fa"},
            "patch":{"operationId":"取得"},"delete":{"operationId":"result"}},"/d":{"get":{"operationId":"get_d"},"post":{"operationId":"get_d"}}}}"#,
        );
        let named = named(&document);
        assert_eq!(
            renamed(&named),
            [
                ("/paths/~1a/get", "list_accounts_2"),
                ("/paths/~1a/post", "post_a"),
                ("/paths/~1a/delete", "list_accounts_3"),
                ("/paths/~1a~1{account-id}~1b/get", "get_a_by_account_id_b"),
                ("/paths/~1/get", "get"),
                ("/paths/~1c/get", "type_call"),
                ("/paths/~1c/post", "clone_call"),
                ("/paths/~1c/put", "call_2fa"),
                ("/paths/~1c/patch", "patch_c"),
                ("/paths/~1c/delete", "result_call"),
                ("/paths/~1d/post", "get_d_2"),
            ]
        );
        let id = |pointer: &str| {
            named
                .root
                .pointer(pointer)
                .and_then(Json::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        assert_eq!(id("/paths/~1a/put/operationId"), "list_accounts");
        assert_eq!(id("/paths/~1c/patch/operationId"), "patch_c");
    }

    #[test]
    fn parameters_and_properties_that_give_no_name_or_one_that_is_taken_get_one() {
        let document = json(
            r##"{"paths":{"/a":{"get":{"operationId":"list_a","parameters":[{"name":"id","in":"query"},{"name":"ID","in":"header"},{"name":"$","in":"query"},
              {"name":"body","in":"query"},{"name":"own","in":"query","x-rust-name":"mine"}],
              "requestBody":{"content":{"j":{"schema":{"type":"object","properties":{"a-b":{"type":"string"},"a_b":{"type":"string"}}}}}}}}},
            "components":{"schemas":{"s":{"type":"object","additionalProperties":{},"properties":{"#":{"type":"string"},"extra":{"$ref":"#/components/schemas/s"},
              "fine":{"type":"object","properties":{"x":{"type":"string"},"X":{"type":"string"}}}}}}}}"##,
        );
        let named = named(&document);
        assert_eq!(
            renamed(&named),
            [
                ("/components/schemas/s", "S"),
                ("/paths/~1a/get/requestBody/content/j/schema/properties/a_b", "a_b_2"),
                ("/components/schemas/s/properties/#", "field"),
                ("/components/schemas/s/properties/extra", "extra_2"),
                ("/components/schemas/s/properties/fine/properties/X", "x_2"),
                ("/paths/~1a/get/parameters/1", "id_in_header"),
                ("/paths/~1a/get/parameters/2", "parameter"),
                ("/paths/~1a/get/parameters/3", "body_in_query"),
            ]
        );
        let at = |pointer: &str| named.root.pointer(pointer).map(ToString::to_string).unwrap_or_default();
        assert_eq!(
            at("/components/schemas/S/properties/extra"),
            r##"{"allOf":[{"$ref":"#/components/schemas/S"}],"x-rust-name":"extra_2"}"##
        );
        assert_eq!(
            at("/paths/~1a/get/parameters/1"),
            r#"{"name":"ID","in":"header","x-rust-name":"id_in_header"}"#
        );
        assert_eq!(
            at("/paths/~1a/get/parameters/4"),
            r#"{"name":"own","in":"query","x-rust-name":"mine"}"#
        );
        // What has names already keeps them.
        assert_eq!(super::named(&named.root).renamed, []);
    }
}
