//! A copy of a recording that keeps shapes and drops what people and machines hold secret.

use finrail_spec::vocabulary as v;
use serde_json::{Map, Value, json};

use super::body;
use super::entry::{form_of, method_of, query_of, text};
use super::names::{HIDDEN, is_word, media, shown, shown_pair};
use super::values::map_values;
use crate::drift::address::Address;
use crate::drift::extract::decoded;
use crate::drift::spec::Spec;

const SCRUBBED: &str = "scrubbed";

/// The copy, as `command` makes it. Exchanges with other hosts are not in it.
#[must_use]
pub fn scrub(spec: &Spec, har: &Value, command: &str) -> Value {
    let entries = har.pointer("/log/entries").and_then(Value::as_array);
    let entries = entries.into_iter().flatten();
    let clean: Vec<Value> = entries.filter_map(|entry| scrub_entry(spec, entry)).collect();
    json!({"log": {
        "version": "1.2",
        "creator": {"name": format!("{command} drift --scrub"), "version": "1"},
        "entries": clean,
    }})
}

fn scrub_entry(spec: &Spec, entry: &Value) -> Option<Value> {
    let address = Address::read(&text(entry.pointer("/request/url")));
    let host = address.host.clone().unwrap_or_default();
    if !spec.knows_host(&host) {
        return None;
    }
    let method = method_of(entry);
    let operation = spec.asked(&method, &address);
    let path = match &operation {
        Some((operation, prefix)) => {
            let segments = operation.path.split('/');
            let segments = segments.map(|it| if it.starts_with('{') { SCRUBBED } else { it });
            format!("{prefix}{}", segments.collect::<Vec<_>>().join("/"))
        }
        None => spec.shape(&address.path, SCRUBBED),
    };
    let operation = operation.map(|(operation, _)| operation);
    let query: Vec<(String, String)> = query_of(entry, &address)
        .into_iter()
        .map(|(name, value)| {
            let parameter = operation
                .as_ref()
                .and_then(|operation| spec.parameter(operation, &name));
            let schema = parameter.and_then(|it| it.get("schema")).cloned().unwrap_or_default();
            let shown = if parameter.is_some() {
                &name
            } else {
                shown_pair(&name, value.as_deref())
            };
            let value = value.map(|value| scrub_word(spec, &schema, &value));
            (shown.to_owned(), value.unwrap_or_else(|| SCRUBBED.to_owned()))
        })
        .collect();
    let query_text: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let question = if query.is_empty() { "" } else { "?" };
    let mut request = json!({
        "method": method,
        "url": format!("https://{host}{path}{question}{}", query_text.join("&")),
        "httpVersion": version(entry.pointer("/request/httpVersion")),
        "headers": scrub_headers(entry.pointer("/request/headers")),
        "queryString": query.iter().map(|(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>(),
        "cookies": [],
        "headersSize": -1,
        "bodySize": -1,
    });
    if let Some(post) = entry.pointer("/request/postData") {
        let schema = operation
            .as_ref()
            .and_then(|operation| spec.request(operation))
            .cloned();
        request["postData"] = scrub_body(spec, &schema.unwrap_or_default(), entry, post);
    }
    let status = entry
        .pointer("/response/status")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    let schema = operation.as_ref().and_then(|operation| {
        if status < 300 {
            spec.success(operation)
        } else {
            spec.failure(operation)
        }
    });
    let mut content = json!({"mimeType": media(&text(entry.pointer("/response/content/mimeType")))});
    if let Ok(body) = body::reply(entry) {
        let clean = match serde_json::from_str::<Value>(&body) {
            Ok(value) => scrub_value(spec, &schema.cloned().unwrap_or_default(), &value).to_string(),
            Err(_) if body.is_empty() => String::new(),
            Err(_) => SCRUBBED.to_owned(),
        };
        content["size"] = json!(clean.len());
        content["text"] = json!(clean);
    } else {
        // What was not read stays unread.
        content["size"] = json!(1);
    }
    Some(json!({
        "startedDateTime": moment(&text(entry.get("startedDateTime"))),
        "time": 0,
        "request": request,
        "response": {
            "status": status,
            "statusText": "",
            "httpVersion": version(entry.pointer("/response/httpVersion")),
            "headers": scrub_headers(entry.pointer("/response/headers")),
            "cookies": [],
            "content": content,
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        },
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": 0},
    }))
}

fn scrub_body(spec: &Spec, schema: &Value, entry: &Value, post: &Value) -> Value {
    let media = media(&text(post.get("mimeType")));
    let Ok(pairs) = form_of(entry) else {
        return json!({"mimeType": media});
    };
    let body = match pairs {
        Some(pairs) => {
            let pairs: Vec<String> = pairs
                .into_iter()
                .map(|(name, value)| {
                    let property = spec
                        .property(schema, name.split('[').next().unwrap_or_default())
                        .cloned();
                    let shown = match &property {
                        // What stands between brackets may be anybody's name.
                        Some(_) => name.split('[').next().unwrap_or_default().to_owned() + &brackets(&name),
                        None => shown_pair(&name, value.as_deref()).to_owned(),
                    };
                    let value = value.unwrap_or_default();
                    let protocol = name == "grant_type" && is_grant(&decoded(&value))
                        || name == "token_type_hint" && ["access_token", "refresh_token"].contains(&value.as_str());
                    let value = if protocol {
                        value
                    } else {
                        scrub_word(spec, &property.unwrap_or_default(), &value)
                    };
                    format!("{shown}={value}")
                })
                .collect();
            pairs.join("&")
        }
        // What was not read stays unread.
        None => match body::request(entry) {
            Err(_) => return json!({"mimeType": media}),
            Ok(sent) if sent.is_empty() => String::new(),
            Ok(sent) => match serde_json::from_str(&sent) {
                Ok(value) => scrub_value(spec, schema, &value).to_string(),
                Err(_) => SCRUBBED.to_owned(),
            },
        },
    };
    json!({"mimeType": media, "text": body})
}

fn brackets(name: &str) -> String {
    let inside = name.split('[').skip(1).map(|part| part.trim_end_matches(']'));
    inside
        .map(|part| format!("[{}]", if part.is_empty() { "" } else { SCRUBBED }))
        .collect()
}

/// A grant that a standard names.
pub(super) fn is_grant(word: &str) -> bool {
    let known = [
        v::Grant::ClientCredentials,
        v::Grant::AuthorizationCode,
        v::Grant::Password,
        v::Grant::RefreshToken,
    ];
    known.iter().any(|grant| grant.as_str() == word)
        || word
            .strip_prefix("urn:ietf:params:oauth:grant-type:")
            .is_some_and(is_word)
}

/// `HTTP/1.1`, `h2`
fn version(value: Option<&Value>) -> String {
    let version = text(value);
    let known = version.len() <= 8 && version.to_lowercase().starts_with('h');
    if known { version } else { String::new() }
}

fn moment(text: &str) -> String {
    let fits = text.len() <= 35 && text.chars().all(|c| c.is_ascii_digit() || "TZ:.+-".contains(c));
    if fits { text.to_owned() } else { String::new() }
}

/// Headers that say something about the protocol and nothing about anybody.
const OPEN_HEADERS: [&str; 6] = [
    "retry-after",
    "cache-control",
    "api-version",
    "allow",
    "date",
    "accept-ranges",
];

/// Schemes of `Authorization` and `WWW-Authenticate` (the registry of RFC 9110 section 16.4.1).
const SCHEMES: [&str; 5] = ["basic", "bearer", "digest", "dpop", "hmac"];

fn scrub_headers(headers: Option<&Value>) -> Vec<Value> {
    let mut clean = Vec::new();
    for header in headers.and_then(Value::as_array).into_iter().flatten() {
        let name = text(header.get("name"));
        let value = text(header.get("value"));
        let scheme = value.split(' ').next().unwrap_or_default();
        let scheme = Some(scheme).filter(|it| SCHEMES.contains(&it.to_lowercase().as_str()));
        let value = match name.to_lowercase().as_str() {
            // A key without a scheme is all secret.
            "authorization" => scheme.map_or(SCRUBBED.to_owned(), |scheme| format!("{scheme} {SCRUBBED}")),
            "www-authenticate" => scheme.unwrap_or(SCRUBBED).to_owned(),
            "cookie" | "set-cookie" => continue,
            "content-type" | "accept" => media(&value),
            lower if OPEN_HEADERS.contains(&lower) && value.len() <= 64 => value,
            _ => SCRUBBED.to_owned(),
        };
        clean.push(json!({"name": shown(&name), "value": value}));
    }
    clean
}

fn scrub_value(spec: &Spec, schema: &Value, value: &Value) -> Value {
    let schema = spec.effective(schema);
    match value {
        Value::Null | Value::Bool(_) => value.clone(),
        Value::Number(number) => {
            if number.is_f64() {
                json!(1.5)
            } else if number.as_i64().is_none_or(|number| i32::try_from(number).is_err()) {
                // Still as large as it was.
                json!(if number.as_i64().is_some() {
                    3_000_000_000_u64
                } else {
                    u64::MAX
                })
            } else {
                json!(1)
            }
        }
        Value::String(word) => Value::String(scrub_word(spec, schema, word)),
        Value::Array(items) => {
            let item = schema.get("items").cloned().unwrap_or_default();
            items.iter().map(|value| scrub_value(spec, &item, value)).collect()
        }
        Value::Object(object) => scrub_object(spec, schema, object),
    }
}

/// Names that nobody describes stay where they are names; the keys of a map are values.
fn scrub_object(spec: &Spec, schema: &Value, object: &Map<String, Value>) -> Value {
    let values = map_values(schema);
    let named = ["properties", "allOf", "oneOf", "anyOf"]
        .iter()
        .any(|key| schema.get(key).is_some());
    let mut clean = Map::new();
    for (index, (name, value)) in object.iter().enumerate() {
        let property = spec.property(schema, name).or_else(|| spec.aliased(schema, name));
        let key = match property {
            Some(_) => name.clone(),
            None if named && values.is_none() && shown(name) != HIDDEN => name.clone(),
            None => format!("{HIDDEN}{index}"),
        };
        let property = property.or(values.as_ref()).cloned().unwrap_or_default();
        clean.insert(key, scrub_value(spec, &property, value));
    }
    Value::Object(clean)
}

/// A word of an enum stays, so that a new one can still be seen; the rest keeps its form only.
fn scrub_word(spec: &Spec, schema: &Value, word: &str) -> String {
    let schema = spec.effective(schema);
    if let Some(items) = schema.get("items") {
        return scrub_word(spec, items, word);
    }
    if schema.get("enum").is_some() {
        return if is_word(word) {
            word.to_owned()
        } else {
            HIDDEN.repeat(word.chars().count())
        };
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") if word.parse::<i64>().is_ok() => return "1".to_owned(),
        Some("number") if word.parse::<f64>().is_ok() => return "1.5".to_owned(),
        Some("boolean") if word == "true" || word == "false" => return "true".to_owned(),
        _ => {}
    }
    match schema.get("format").and_then(Value::as_str) {
        Some("date") if word.len() == 10 => "2000-01-01".to_owned(),
        Some("date-time") if word.contains('T') => "2000-01-01T00:00:00Z".to_owned(),
        Some("uuid") if word.len() == 36 => "00000000-0000-4000-8000-000000000000".to_owned(),
        Some("decimal") if super::values::is_decimal(word) => "1.50".to_owned(),
        _ => SCRUBBED.to_owned(),
    }
}
