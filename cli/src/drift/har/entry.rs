//! An entry of a HAR, read by pointer: programs that record write what they like into it.

use finrail_spec::model::METHODS;
use serde_json::Value;

use super::body::{self, Unread};
use super::names::{self, HIDDEN};
use crate::drift::address::{Address, decoded, pairs};

/// The media type of a form.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// Names, and their values where there is a sign between.
pub(super) type Pairs = Vec<(String, Option<String>)>;

/// The method, where it is one.
pub(super) fn method_of(entry: &Value) -> String {
    let method = text(entry.pointer("/request/method")).to_uppercase();
    let known = METHODS.iter().any(|known| known.eq_ignore_ascii_case(&method));
    if known { method } else { HIDDEN.to_owned() }
}

/// The query of an address, or as the recorder took it apart.
pub(super) fn query_of(entry: &Value, address: &Address) -> Pairs {
    let listed = entry.pointer("/request/queryString").and_then(Value::as_array);
    match listed.filter(|_| address.query.is_empty()) {
        Some(listed) => listed.iter().map(pair_of).collect(),
        None => pairs(&address.query),
    }
}

fn pair_of(pair: &Value) -> (String, Option<String>) {
    let value = pair.get("value").and_then(Value::as_str);
    (decoded(&text(pair.get("name"))), value.map(str::to_owned))
}

/// The pairs of a form; none where the body is something else.
pub(super) fn form_of(entry: &Value) -> Result<Option<Pairs>, Unread> {
    let post = entry.pointer("/request/postData");
    let part = |name: &str| post.and_then(|post| post.get(name));
    if names::media(&text(part("mimeType"))) != FORM {
        return Ok(None);
    }
    let listed = part("params").and_then(Value::as_array).filter(|it| !it.is_empty());
    match (body::request(entry), listed) {
        // JSON under the name of a form has no pairs, and its text is no name.
        (Ok(sent), _) if sent.trim_start().starts_with(['{', '[', '<']) => Ok(None),
        (Ok(sent), None) => Ok(Some(pairs(&sent))),
        (Ok(sent), _) if !sent.is_empty() => Ok(Some(pairs(&sent))),
        (Ok(_) | Err(Unread::LeftOut), Some(params)) => Ok(Some(params.iter().map(pair_of).collect())),
        (Err(why), _) => Err(why),
    }
}

/// A text, empty where there is none.
pub(super) fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}
