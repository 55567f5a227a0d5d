//! Error replies in a provider's own form.

use finrail_spec::json::Json;
use finrail_spec::model::{Content, Specification};

use super::http::Reply;
use super::particular::Particular;
use super::refused::Refused;
use super::spec::{Operation, Spec};

/// An error in the form of the operation's own error replies, or of others of its kind.
pub(super) fn error_reply(
    spec: &Spec,
    particular: &dyn Particular,
    operation: Option<&Operation>,
    refused: &Refused,
) -> Reply {
    let (status, message) = (refused.status, refused.message.as_str());
    let of_oauth = operation.is_some_and(Operation::is_oauth);
    let of_its_kind = || {
        let mut others = spec.operations.iter().filter(|o| o.is_oauth() == of_oauth);
        others.find_map(|o| refusal_content(o, status))
    };
    let content = operation.and_then(|o| refusal_content(o, status)).or_else(of_its_kind);
    let Some(content) = content else {
        let body = Json::object([("message", Json::str(message))]);
        return Reply::json(status, "application/json", body);
    };
    let code = match spec.document.property(&content.schema, "error_description") {
        Some(_) => Some(oauth_code(of_oauth, status)),
        None => refused.code.or_else(|| particular.error_code(operation, status)),
    };
    let mut body = Json::Object(Vec::new());
    if !explain(&spec.document, &content.schema, &mut body, code, message, 0) {
        body.set("message", Json::str(message));
    }
    particular.explained(operation, status, &mut body);
    Reply::json(status, &content.media_type, body)
}

/// RFC 6749 section 5.2, RFC 6750 section 3.1.
fn oauth_code(of_oauth: bool, status: u16) -> &'static str {
    match status {
        401 if of_oauth => "invalid_client",
        401 => "invalid_token",
        429 | 503 => "temporarily_unavailable",
        400..500 => "invalid_request",
        _ => "server_error",
    }
}

fn refusal_content(operation: &Operation, status: u16) -> Option<&Content> {
    let family = format!("{}XX", status / 100);
    let find = |wanted: &str| {
        let mut refusals = operation.refusals();
        refusals.find(|(s, _)| s.eq_ignore_ascii_case(wanted)).map(|(_, c)| c)
    };
    find(&status.to_string()).or_else(|| find(&family))
}

/// Members of error schemas that take the message, the better ones first.
const MESSAGES: [&str; 5] = [
    "error_description",
    "errorDescription",
    "message",
    "detail",
    "additionalInformation",
];
/// Members of error schemas that take the code.
const CODES: [&str; 3] = ["error", "errorCode", "code"];

/// Puts message and code where the error schema has room for them; whether it has room for the message.
fn explain(
    document: &Specification,
    schema: &Json,
    body: &mut Json,
    code: Option<&str>,
    message: &str,
    depth: usize,
) -> bool {
    if depth > 4 {
        return false;
    }
    let properties = document.properties(schema);
    let is_text = |property: &Json| document.kind(property) == Some("string");
    if let Some(code) = code
        && let Some((name, _)) = properties.iter().find(|(n, p)| CODES.contains(n) && is_text(p))
    {
        body.set(name, Json::str(code));
    }
    for (name, property) in &properties {
        if document.properties(property).is_empty() && document.kind(property) != Some("array") {
            continue;
        }
        let mut inner = Json::Object(Vec::new());
        let item = document.keyword(property, "items");
        if explain(document, item.unwrap_or(property), &mut inner, code, message, depth + 1) {
            let value = if item.is_some() {
                Json::Array(vec![inner])
            } else {
                inner
            };
            body.set(name, value);
            return true;
        }
    }
    let is_there = |name: &&&str| properties.iter().any(|(n, p)| n == *name && is_text(p));
    let found = MESSAGES.iter().find(is_there);
    if let Some(name) = found {
        body.set(name, Json::str(message));
    }
    found.is_some()
}
