//! OpenAPI Overlay 1.1: what a person knows of a provider, put over the provider's own document.
//!
//! The document itself stays as it came. A target that selects nothing is an error and no success: the provider has changed what
//! the person knew something about.

use serde_json_path::JsonPath;

use crate::json::Json;
use crate::meant::meant;
use crate::pointer::{join, keys};
use crate::vocabulary::EXTENSIONS;

/// What is wrong with an overlay, or with one of its actions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wrong}")]
pub struct OverlayFault {
    /// JSON pointer to the place in the overlay.
    pub pointer: String,
    /// What is wrong, and what to do.
    pub wrong: String,
}

/// Puts an overlay over a document. Either all of it is done or nothing.
///
/// ```
/// use finrail_spec::json::Json;
/// use finrail_spec::overlay::apply;
///
/// let document = Json::parse(r#"{"info":{"title":"Bank"},"paths":{"/pay":{"post":{"tags":["a"]}}}}"#)?;
/// let overlay = Json::parse(
///     r#"{"overlay":"1.1.0","info":{"title":"o","version":"1"},"actions":[
///         {"target":"$.paths['/pay'].post","update":{"x-effect":"neither","tags":["b"]}},
///         {"target":"$.info.title","update":"My bank"}]}"#,
/// )?;
/// let document = apply(&document, &overlay).map_err(|faults| format!("{faults:?}"))?;
/// assert_eq!(
///     document.to_string(),
///     r#"{"info":{"title":"My bank"},"paths":{"/pay":{"post":{"tags":["a","b"],"x-effect":"neither"}}}}"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Everything that is wrong, in the order of the overlay: another version, fields that are not known, a target that is no JSONPath
/// (RFC 9535) or selects nothing, and an update that does not fit what was selected.
pub fn apply(document: &Json, overlay: &Json) -> Result<Json, Vec<OverlayFault>> {
    let mut faults = Vec::new();
    let mut fault = |pointer: &str, wrong: String| {
        faults.push(OverlayFault {
            pointer: pointer.to_owned(),
            wrong,
        });
    };
    let version = overlay.get("overlay").and_then(Json::scalar).unwrap_or_default();
    if !(version.starts_with("1.0") || version.starts_with("1.1")) {
        fault(
            "/overlay",
            format!("`overlay: {version}` is not read; write `overlay: 1.1.0`"),
        );
    }
    for (name, _) in overlay.members() {
        let is_extension = name.starts_with("x-");
        if !["overlay", "info", "extends", "actions"].contains(&name.as_str()) && !is_extension {
            fault(&join("", name), format!("`{name}` is no field of an overlay"));
        }
        if let Some(known) = is_extension.then(|| near(name, &[ONLY])).flatten() {
            fault(&join("", name), mistyped(name, known));
        }
    }
    let Some(Json::Array(actions)) = overlay.get("actions") else {
        fault(
            "/actions",
            "`actions` is missing: it lists what is put over the document".to_owned(),
        );
        return Err(faults);
    };
    let mut document = document.clone();
    for (n, action) in actions.iter().enumerate() {
        if let Some(update) = action.get("update") {
            let mut names = Vec::new();
            extensions_of(update, &format!("/actions/{n}/update"), true, &mut names);
            for (at, name) in names {
                if let Some(known) = near(&name, &EXTENSIONS).filter(|_| !has(&document, &name)) {
                    fault(&at, mistyped(&name, known));
                }
            }
        }
        if let Err((field, wrong)) = act(&mut document, action) {
            let pointer = format!("/actions/{n}");
            fault(
                &if field.is_empty() {
                    pointer
                } else {
                    join(&pointer, field)
                },
                wrong,
            );
        }
    }
    if faults.is_empty() { Ok(document) } else { Err(faults) }
}

/// An extension that an overlay writes into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// JSON pointer to it in the overlay.
    pub pointer: String,
    /// JSON pointer to what the document has of the target.
    pub place: String,
    /// Its name, which begins with `x-`.
    pub name: String,
}

/// The extensions that an overlay writes into a document, which has them already.
#[must_use]
pub fn written(document: &Json, overlay: &Json) -> Vec<Written> {
    let mut found = Vec::new();
    let actions = overlay.get("actions").map(Json::items).unwrap_or_default();
    for (n, action) in actions.iter().enumerate() {
        let (Some(update), Some(target)) = (action.get("update"), action.get("target").and_then(Json::as_str)) else {
            continue;
        };
        let mut names = Vec::new();
        let at = format!("/actions/{n}/update");
        extensions_of(update, &at, true, &mut names);
        for place in select(document, "target", target).unwrap_or_default() {
            found.extend(names.iter().map(|(pointer, name)| {
                let inside = pointer.strip_prefix(&at).unwrap_or_default();
                let around = inside.rsplit_once('/').map_or("", |(around, _)| around);
                Written {
                    pointer: pointer.clone(),
                    place: format!("{place}{around}"),
                    name: name.clone(),
                }
            }));
        }
    }
    found
}

/// The choice of operations, which an overlay has beside its actions.
const ONLY: &str = "x-only";

/// What has names below it that the provider gave.
const NAMING: [&str; 14] = [
    "paths",
    "schemas",
    "definitions",
    "properties",
    "patternProperties",
    "parameters",
    "responses",
    "headers",
    "requestBodies",
    "securitySchemes",
    "securityDefinitions",
    "encoding",
    "examples",
    "scopes",
];

/// The extensions that an update writes, each with its place. What stands in one is its own.
fn extensions_of(update: &Json, at: &str, is_word: bool, found: &mut Vec<(String, String)>) {
    for (name, value) in update.members() {
        let here = join(at, name);
        match is_word && name.starts_with("x-") {
            true => found.push((here, name.clone())),
            false if is_word && ["example", "default", "enum"].contains(&name.as_str()) => {}
            false => extensions_of(value, &here, !(is_word && NAMING.contains(&name.as_str())), found),
        }
    }
    for (n, item) in update.items().iter().enumerate() {
        extensions_of(item, &join(at, &n.to_string()), true, found);
    }
}

/// The extension that one which means nothing was meant to be.
fn near(name: &str, known: &[&'static str]) -> Option<&'static str> {
    if known.contains(&name) {
        return None;
    }
    let bare = |name: &'static str| name.strip_prefix("x-").unwrap_or(name);
    let meant = meant(name.strip_prefix("x-")?, known.iter().map(|name| bare(name)))?;
    known.iter().copied().find(|name| bare(name) == meant)
}

fn mistyped(name: &str, known: &str) -> String {
    format!(
        "`{name}` means nothing: did you mean `{known}`? What the document itself has of that name is taken as it is"
    )
}

/// Whether a document has a member of that name anywhere.
fn has(document: &Json, name: &str) -> bool {
    document.get(name).is_some()
        || document.members().iter().any(|(_, value)| has(value, name))
        || document.items().iter().any(|item| has(item, name))
}

/// One action; or the field that is wrong, and why.
fn act(document: &mut Json, action: &Json) -> Result<(), (&'static str, String)> {
    for (name, _) in action.members() {
        if !["target", "description", "update", "remove", "copy"].contains(&name.as_str()) && !name.starts_with("x-") {
            return Err(("", format!("`{name}` is no field of an action")));
        }
    }
    let target = action.get("target").and_then(Json::as_str);
    let target = target.ok_or_else(|| {
        (
            "target",
            "`target` is missing: a JSONPath, such as `$.paths['/pay'].post`".to_owned(),
        )
    })?;
    let selected = select(document, "target", target)?;
    if action.get("remove").and_then(Json::as_bool) == Some(true) {
        if selected.iter().any(String::is_empty) {
            return Err(("target", "the document itself cannot be removed".to_owned()));
        }
        // From the end, so that no place moves before its turn.
        for pointer in selected.iter().rev() {
            remove(document, pointer);
        }
        return Ok(());
    }
    let update = match action.get("copy") {
        None => action.get("update").cloned(),
        Some(copy) => {
            let copy = copy
                .as_str()
                .ok_or_else(|| ("copy", "`copy` is a JSONPath".to_owned()))?;
            match &select(document, "copy", copy)?[..] {
                [one] => document.pointer(one).cloned(),
                several => {
                    return Err((
                        "copy",
                        format!("`{copy}` selects {} places; it has to select one", several.len()),
                    ));
                }
            }
        }
    };
    let update = update.ok_or_else(|| ("", "it has neither `update` nor `remove: true` nor `copy`".to_owned()))?;
    for pointer in &selected {
        let Some(place) = document.pointer_mut(pointer) else {
            continue;
        };
        merge(place, &update).map_err(|wrong| ("update", format!("`{target}` selects {wrong}")))?;
    }
    Ok(())
}

/// The JSON pointers of what a JSONPath selects, in the order of the document.
fn select(document: &Json, field: &'static str, path: &str) -> Result<Vec<String>, (&'static str, String)> {
    let query =
        JsonPath::parse(path).map_err(|error| (field, format!("`{path}` is no JSONPath (RFC 9535): {error}")))?;
    let value = document.to_value();
    let located = query.query_located(&value);
    let pointers: Vec<String> = located.locations().map(|location| location.to_json_pointer()).collect();
    if pointers.is_empty() {
        return Err((
            field,
            format!("`{path}` selects nothing: the document has no such place, or has it no more"),
        ));
    }
    Ok(pointers)
}

/// An object gets members, a list gets items, and anything else is replaced by its like.
fn merge(place: &mut Json, update: &Json) -> Result<(), String> {
    match (&mut *place, update) {
        (Json::Object(_), Json::Object(members)) => {
            for (name, value) in members {
                match place.get_mut(name) {
                    Some(known) if is_container(known) && is_container(value) => merge(known, value)?,
                    _ => place.set(name, value.clone()),
                }
            }
            Ok(())
        }
        (Json::Object(_), _) => Err("an object, and the update is none".to_owned()),
        (Json::Array(items), Json::Array(more)) => {
            items.extend(more.iter().cloned());
            Ok(())
        }
        (Json::Array(items), one) => {
            items.push(one.clone());
            Ok(())
        }
        (_, update) if is_container(update) => {
            Err("a text, a number or the like, and the update is an object or a list".to_owned())
        }
        (place, update) => {
            *place = update.clone();
            Ok(())
        }
    }
}

fn is_container(json: &Json) -> bool {
    matches!(json, Json::Object(_) | Json::Array(_))
}

fn remove(document: &mut Json, pointer: &str) {
    let names = keys(pointer);
    let Some((last, way)) = names.split_last() else { return };
    let around: String = way.iter().map(|name| join("", name)).collect();
    match document.pointer_mut(&around) {
        Some(Json::Array(items)) => {
            if let Ok(at) = last.parse::<usize>()
                && at < items.len()
            {
                items.remove(at);
            }
        }
        Some(object) => {
            object.remove(last);
        }
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap_or_else(|_| panic!("no JSON: {text}"))
    }

    fn over(document: &str, actions: &str) -> Result<String, Vec<(String, String)>> {
        let overlay = format!(r#"{{"overlay":"1.1.0","info":{{"title":"o","version":"1"}},"actions":{actions}}}"#);
        let told = |faults: Vec<OverlayFault>| faults.into_iter().map(|fault| (fault.pointer, fault.wrong)).collect();
        apply(&json(document), &json(&overlay))
            .map(|json| json.to_string())
            .map_err(told)
    }

    #[test]
    fn what_is_selected_is_updated_copied_or_removed() {
        let document =
            r#"{"a":{"b":1.10,"list":[1,{"n":"x"}],"c":{"d":true}},"paths":{"/p":{"get":{"tags":["t"]},"post":{}}}}"#;
        for (actions, expected) in [
            (
                r#"[{"target":"$.a","update":{"b":2.50,"c":{"e":null},"list":[2],"new":{"z":1}}}]"#,
                r#"{"a":{"b":2.50,"list":[1,{"n":"x"},2],"c":{"d":true,"e":null},"new":{"z":1}},"paths":{"/p":{"get":{"tags":["t"]},"post":{}}}}"#,
            ),
            (
                r#"[{"target":"$.a.list","update":{"n":"y"}},{"target":"$.a.b","update":"text"}]"#,
                r#"{"a":{"b":"text","list":[1,{"n":"x"},{"n":"y"}],"c":{"d":true}},"paths":{"/p":{"get":{"tags":["t"]},"post":{}}}}"#,
            ),
            (
                r#"[{"target":"$.paths[*][*]","update":{"x-effect":"safe"}}]"#,
                r#"{"a":{"b":1.10,"list":[1,{"n":"x"}],"c":{"d":true}},"paths":{"/p":{"get":{"tags":["t"],"x-effect":"safe"},"post":{"x-effect":"safe"}}}}"#,
            ),
            (
                r#"[{"target":"$.a.list[?@.n=='x']","remove":true},{"target":"$.a.c","remove":true},{"target":"$.paths['/p'].post","remove":true}]"#,
                r#"{"a":{"b":1.10,"list":[1]},"paths":{"/p":{"get":{"tags":["t"]}}}}"#,
            ),
            (
                r#"[{"target":"$.a.list[*]","remove":true}]"#,
                r#"{"a":{"b":1.10,"list":[],"c":{"d":true}},"paths":{"/p":{"get":{"tags":["t"]},"post":{}}}}"#,
            ),
            (
                r#"[{"target":"$.paths['/p'].post","copy":"$.paths['/p'].get"}]"#,
                r#"{"a":{"b":1.10,"list":[1,{"n":"x"}],"c":{"d":true}},"paths":{"/p":{"get":{"tags":["t"]},"post":{"tags":["t"]}}}}"#,
            ),
            // Each action finds what those before it left.
            (
                r#"[{"target":"$.a","update":{"k":{}}},{"target":"$.a.k","update":{"v":1}},{"target":"$.paths","remove":true}]"#,
                r#"{"a":{"b":1.10,"list":[1,{"n":"x"}],"c":{"d":true},"k":{"v":1}}}"#,
            ),
            ("[]", document),
            // What means nothing to finrail, what the provider has of such a name, and names that the provider gave.
            (
                r#"[{"target":"$.a.c","update":{"x-internal":1,"x-badges":[{"x-logo":1}],"headers":{"x-efect":{}},"example":{"x-efect":1}}}]"#,
                r#"{"a":{"b":1.10,"list":[1,{"n":"x"}],"c":{"d":true,"x-internal":1,"x-badges":[{"x-logo":1}],"headers":{"x-efect":{}},"example":{"x-efect":1}}},"paths":{"/p":{"get":{"tags":["t"]},"post":{}}}}"#,
            ),
        ] {
            assert_eq!(over(document, actions), Ok(expected.to_owned()), "{actions}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_place_and_nothing_is_done() {
        let document = r#"{"a":{"b":1},"l":[]}"#;
        let nothing = "selects nothing: the document has no such place, or has it no more";
        for (actions, expected) in [
            (
                r#"[{"target":"$.x","update":{}},{"target":"$.a","update":{}},{"target":"$.a.y","remove":true}]"#,
                vec![
                    ("/actions/0/target", format!("`$.x` {nothing}")),
                    ("/actions/2/target", format!("`$.a.y` {nothing}")),
                ],
            ),
            (
                r#"[{"update":{}}]"#,
                vec![(
                    "/actions/0/target",
                    "`target` is missing: a JSONPath, such as `$.paths['/pay'].post`".to_owned(),
                )],
            ),
            (
                r#"[{"target":"$.a"}]"#,
                vec![(
                    "/actions/0",
                    "it has neither `update` nor `remove: true` nor `copy`".to_owned(),
                )],
            ),
            (
                r#"[{"target":"$.a","udpate":{}}]"#,
                vec![("/actions/0", "`udpate` is no field of an action".to_owned())],
            ),
            (
                r#"[{"target":"$.a","update":1}]"#,
                vec![(
                    "/actions/0/update",
                    "`$.a` selects an object, and the update is none".to_owned(),
                )],
            ),
            (
                r#"[{"target":"$.a.b","update":{}}]"#,
                vec![(
                    "/actions/0/update",
                    "`$.a.b` selects a text, a number or the like, and the update is an object or a list".to_owned(),
                )],
            ),
            (
                r#"[{"target":"$.a","update":{"x-efect":"safe","properties":{"x-efect":{"x-lenint":"string"},"b":{"x-foreign":{"x-tga":1}}}}}]"#,
                vec![
                    ("/actions/0/update/x-efect", mistyped("x-efect", "x-effect")),
                    (
                        "/actions/0/update/properties/x-efect/x-lenint",
                        mistyped("x-lenint", "x-lenient"),
                    ),
                ],
            ),
            (
                r#"[{"target":"$","remove":true}]"#,
                vec![("/actions/0/target", "the document itself cannot be removed".to_owned())],
            ),
            (
                r#"[{"target":"$.a","copy":"$.*"}]"#,
                vec![(
                    "/actions/0/copy",
                    "`$.*` selects 2 places; it has to select one".to_owned(),
                )],
            ),
        ] {
            let expected = expected.into_iter().map(|(at, wrong)| (at.to_owned(), wrong)).collect();
            assert_eq!(over(document, actions), Err(expected), "{actions}");
        }
        let of_provider = over(r#"{"a":{"x-efect":1}}"#, r#"[{"target":"$.a","update":{"x-efect":2}}]"#);
        assert_eq!(of_provider.as_deref(), Ok(r#"{"a":{"x-efect":2}}"#));
        let choice = apply(
            &json(document),
            &json(r#"{"overlay":"1.1.0","x-onyl":["a"],"x-only":[],"actions":[]}"#),
        );
        assert_eq!(choice.err().unwrap_or_default()[0].wrong, mistyped("x-onyl", "x-only"));
        let no_path = over(document, r#"[{"target":"a.b","update":{}}]"#);
        assert!(matches!(no_path, Err(faults) if faults[0].1.starts_with("`a.b` is no JSONPath (RFC 9535)")));
        let wrong = apply(&json(document), &json(r#"{"overlay":"2.0.0","extra":1}"#));
        let faults = wrong.err().unwrap_or_default();
        let places: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(places, ["/overlay", "/extra", "/actions"]);
    }
}
