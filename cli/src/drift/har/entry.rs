//! An entry of a HAR, read by pointer: programs that record write what they like into it.

use finrail_spec::model::METHODS;
use serde_json::Value;

use super::names::{self, HIDDEN};
use crate::drift::address::{Address, pairs};

/// The media type of a form.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// The method, where it is one.
pub(super) fn method_of(entry: &Value) -> String {
    let method = text(entry.pointer("/request/method")).to_uppercase();
    let known = METHODS.iter().any(|known| known.eq_ignore_ascii_case(&method));
    if known { method } else { HIDDEN.to_owned() }
}

/// The query of an address, or as the recorder took it apart.
pub(super) fn query_of(entry: &Value, address: &Address) -> Vec<(String, Option<String>)> {
    let listed = entry.pointer("/request/queryString").and_then(Value::as_array);
    match listed.filter(|_| address.query.is_empty()) {
        Some(listed) => listed.iter().map(pair_of).collect(),
        None => pairs(&address.query),
    }
}

fn pair_of(pair: &Value) -> (String, Option<String>) {
    let value = pair.get("value").and_then(Value::as_str);
    (text(pair.get("name")), value.map(str::to_owned))
}

/// The pairs of a form; none where the body is something else.
pub(super) fn form_of(post: &Value) -> Option<Vec<(String, Option<String>)>> {
    if names::media(&text(post.get("mimeType"))) != FORM {
        return None;
    }
    let listed = post
        .get("params")
        .and_then(Value::as_array)
        .filter(|params| !params.is_empty());
    let pairs = match listed {
        Some(params) => params.iter().map(pair_of).collect(),
        None => {
            let sent = text(post.get("text"));
            // JSON under the name of a form has no pairs, and its text is no name.
            if sent.trim_start().starts_with(['{', '[', '<']) {
                return None;
            }
            pairs(&sent)
        }
    };
    Some(pairs)
}

/// The body of a reply. `None` where the recording has it in another form, or left it out.
pub(super) fn body_text(entry: &Value) -> Option<String> {
    let content = entry.pointer("/response/content")?;
    if content.get("encoding").is_some() {
        return None;
    }
    match content.get("text") {
        Some(body) => Some(text(Some(body))),
        None if content.get("size").and_then(Value::as_i64) == Some(0) => Some(String::new()),
        None => None,
    }
}

/// A text, empty where there is none.
pub(super) fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}
