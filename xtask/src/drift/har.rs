//! `drift --har`: recorded traffic against the specification, and a copy of it without secrets.
//!
//! Names, paths and types are told, and words that stand where an enum is
//! described. No other value of a recording is ever printed or kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::finding::{Class, Coverage, Evidence, Finding};
use super::spec::{Issue, Spec};
use crate::document::Operation;
use crate::rules::is_json;

/// Compares a recording with the specification.
///
/// # Errors
///
/// A file that is not a HAR, in words.
pub fn compare(spec: &Spec, har: &Value, evidence: &Evidence) -> Result<(Vec<Finding>, Coverage), String> {
    let entries = har
        .pointer("/log/entries")
        .and_then(Value::as_array)
        .ok_or("there are no log.entries: not a HAR")?;
    let mut seen = Seen {
        spec,
        issues: Vec::new(),
        operation: String::new(),
        pointer: String::new(),
        exercised: BTreeMap::new(),
        elsewhere: 0,
        missing: BTreeMap::new(),
    };
    for entry in entries {
        seen.exchange(entry);
    }
    let coverage = seen.coverage(entries.len());
    let mut findings: Vec<Finding> = seen
        .issues
        .into_iter()
        .map(|issue| spec.finding(issue, evidence))
        .collect();
    findings.sort_by(|a, b| {
        (b.class, &a.operation, &a.subject, &a.what).cmp(&(a.class, &b.operation, &b.subject, &b.what))
    });
    findings.dedup_by(|a, b| a.fingerprint == b.fingerprint);
    Ok((findings, coverage))
}

struct Seen<'s> {
    spec: &'s Spec,
    issues: Vec<Issue>,
    operation: String,
    pointer: String,
    /// By operation: parameters, fields and statuses that occurred.
    exercised: BTreeMap<String, Exercised>,
    elsewhere: usize,
    missing: BTreeMap<String, usize>,
}

#[derive(Default)]
struct Exercised {
    parameters: BTreeSet<String>,
    fields: BTreeSet<String>,
    statuses: BTreeSet<u64>,
}

impl Seen<'_> {
    fn add(&mut self, rule: &'static str, class: Class, subject: &str, what: String, effect: &str, fix: &str) {
        self.issues.push(Issue {
            rule,
            class,
            operation: (!self.operation.is_empty()).then(|| self.operation.clone()),
            subject: subject.to_owned(),
            pointer: self.pointer.clone(),
            what,
            effect: effect.to_owned(),
            fix: fix.to_owned(),
        });
    }

    fn exchange(&mut self, entry: &Value) {
        let url = text(entry.pointer("/request/url"));
        let method = text(entry.pointer("/request/method")).to_uppercase();
        let status = entry
            .pointer("/response/status")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        let (host, path, query) = split(&url);
        if !self.known_host(&host) {
            self.elsewhere += 1;
            return;
        }
        let spec = self.spec;
        let Some(operation) = spec.matching(&method, &path) else {
            self.operation.clear();
            self.pointer = "/paths".to_owned();
            // What the provider does not have is no drift either.
            if status != 404 && status != 405 && status != 0 && method != "OPTIONS" {
                let shape = format!("{method} {}", shape(&spec.relative(&path)));
                self.add(
                    "endpoint-undescribed",
                    Class::Additive,
                    &shape,
                    format!("the traffic has `{shape}`, answered with {status}"),
                    "the client does not offer it",
                    "describe the operation, or accept the finding with a reason",
                );
            } else if status == 404 {
                *self.missing.entry(shape(&path)).or_default() += 1;
            }
            return;
        };
        self.operation = operation.id().to_owned();
        self.pointer = operation.pointer();
        self.exercised
            .entry(self.operation.clone())
            .or_default()
            .statuses
            .insert(status);
        if matches!(status, 404 | 410) && operation.method == "get" && !operation.path.contains('{') {
            self.add(
                "endpoint-gone",
                Class::WireBreaking,
                operation.id(),
                format!("`{method} {}` is answered with {status}", operation.path),
                "the client still calls it",
                "remove or move the operation",
            );
            return;
        }
        // A request that was refused says nothing about what is accepted.
        if (200..400).contains(&status) {
            self.query(&operation, &query);
            self.body(&operation, entry);
        }
        self.reply(&operation, entry, status);
    }

    fn known_host(&self, host: &str) -> bool {
        self.spec.provider.servers.iter().any(|server| {
            let known = server
                .url
                .split("://")
                .nth(1)
                .unwrap_or_default()
                .split('/')
                .next()
                .unwrap_or_default();
            known.contains('{') || known.eq_ignore_ascii_case(host)
        })
    }

    fn query(&mut self, operation: &Operation<'_>, query: &[(String, String)]) {
        for (name, value) in query {
            let known = self.spec.parameter(operation, name).cloned();
            match known {
                None => self.add(
                    "parameter-undescribed",
                    Class::Additive,
                    name,
                    format!("the query parameter `{name}` is accepted"),
                    "the client cannot send it",
                    "describe the parameter",
                ),
                Some(parameter) => {
                    self.exercised
                        .entry(self.operation.clone())
                        .or_default()
                        .parameters
                        .insert(name.clone());
                    let schema = parameter.get("schema").cloned().unwrap_or_default();
                    let schema = self.spec.effective(&schema).clone();
                    let fits = match schema.get("type").and_then(Value::as_str) {
                        Some("integer") => value.parse::<i64>().is_ok(),
                        Some("number") => value.parse::<f64>().is_ok(),
                        Some("boolean") => ["true", "false"].contains(&value.as_str()),
                        _ => true,
                    };
                    if !fits {
                        self.add(
                            "value-outside-schema",
                            Class::Additive,
                            name,
                            format!("the query parameter `{name}` was accepted with a value that is not described"),
                            "the client cannot send such a value",
                            "widen the parameter's type",
                        );
                    }
                    self.word(&schema, value, name, true);
                }
            }
        }
        let listed = operation
            .value
            .get("parameters")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        for parameter in listed {
            let name = text(parameter.get("name"));
            let needed =
                parameter.get("in") == Some(&json!("query")) && parameter.get("required") == Some(&json!(true));
            if needed && !query.iter().any(|(sent, _)| *sent == name) {
                self.add(
                    "parameter-not-needed",
                    Class::Additive,
                    &name,
                    format!("a request without the parameter `{name}` is accepted"),
                    "the client demands it",
                    "mark the parameter as optional",
                );
            }
        }
    }

    fn body(&mut self, operation: &Operation<'_>, entry: &Value) {
        let Some(post) = entry.pointer("/request/postData") else {
            return;
        };
        let media = text(post.get("mimeType"));
        let Some(schema) = self.spec.request(operation).cloned() else {
            if !text(post.get("text")).is_empty() {
                self.add(
                    "body-undescribed",
                    Class::Additive,
                    "body",
                    "a request body is accepted".to_owned(),
                    "the client sends none",
                    "describe the body",
                );
            }
            return;
        };
        let described = self.spec.request_media(operation).unwrap_or_default().to_owned();
        let form = media.starts_with("application/x-www-form-urlencoded");
        if form != (described == "application/x-www-form-urlencoded") {
            self.add(
                "media-type-undescribed",
                Class::Additive,
                &media,
                format!("a body of {} is accepted", essence(&media)),
                &format!("the client sends {described}"),
                "see which of the two the provider documents",
            );
            return;
        }
        if form {
            for (name, _) in form_of(post) {
                let base = name.split('[').next().unwrap_or_default();
                if self.spec.property(&schema, base).is_none() {
                    self.add(
                        "field-undescribed",
                        Class::Additive,
                        base,
                        format!("the form field `{base}` is accepted"),
                        "the client cannot send it",
                        "describe the field",
                    );
                } else {
                    self.exercised
                        .entry(self.operation.clone())
                        .or_default()
                        .parameters
                        .insert(base.to_owned());
                }
            }
        } else if let Ok(value) = serde_json::from_str::<Value>(&text(post.get("text"))) {
            self.value(&schema, &value, "body", true);
        }
    }

    fn reply(&mut self, operation: &Operation<'_>, entry: &Value, status: u64) {
        let Some(responses) = operation.value.get("responses").and_then(Value::as_object) else {
            return;
        };
        let class = format!("{}XX", status / 100);
        let exact = responses.get(&status.to_string()).or_else(|| responses.get(&class));
        let browser = operation.value.get("x-browser") == Some(&Value::Bool(true));
        let Some(reply) = exact else {
            if !browser && status != 0 {
                let (severity, effect) = match status / 100 {
                    2 => (
                        Class::WireBreaking,
                        "the client takes a status that is not listed for a failure",
                    ),
                    3 => (Class::Unhandled, "the client follows redirects of its own origin only"),
                    _ => (Class::Additive, "the client reports it without a typed body"),
                };
                self.add(
                    "status-undescribed",
                    severity,
                    &status.to_string(),
                    format!("the status {status} occurs"),
                    effect,
                    "describe the status",
                );
            }
            return;
        };
        let content = reply.get("content").and_then(Value::as_object);
        let body = body_text(entry);
        let media = essence(&text(entry.pointer("/response/content/mimeType")));
        let Some((described, schema)) = content.and_then(|content| content.iter().next()) else {
            return;
        };
        let (Some(schema), true) = (schema.get("schema").cloned(), is_json(described)) else {
            return;
        };
        if browser || body.is_empty() && status / 100 != 2 {
            return;
        }
        let Ok(value) = serde_json::from_str::<Value>(&body) else {
            let severity = if status / 100 == 2 {
                Class::WireBreaking
            } else {
                Class::DocsOnly
            };
            self.add(
                "reply-not-json",
                severity,
                &media,
                format!("a reply with status {status} is not JSON ({media})"),
                "the client reads JSON; of an error it keeps the status",
                "describe what is sent",
            );
            return;
        };
        if status / 100 == 2 {
            self.value(&schema, &value, "reply", false);
        } else {
            self.value(&schema, &value, "error", false);
        }
    }

    /// A value against its schema, as the generated type would read it.
    fn value(&mut self, schema: &Value, value: &Value, path: &str, request: bool) {
        let schema = self.spec.effective(schema).clone();
        if schema.get("oneOf").is_some() || schema.get("anyOf").is_some() {
            return;
        }
        let lenient = schema.get("x-lenient").and_then(Value::as_str);
        let expected = schema.get("type").and_then(Value::as_str).unwrap_or_default();
        let found = kind(value);
        let fits = expected.is_empty()
            || expected == found
            || expected == "number" && found == "integer"
            || expected == "integer" && value.as_f64().is_some_and(|number| number.fract() == 0.0)
            || schema.get("nullable") == Some(&json!(true)) && value.is_null()
            || lenient == Some("string") && !matches!(found, "object" | "array")
            || lenient == Some("boolean") && !matches!(found, "object" | "array" | "null")
            || lenient == Some("array") && matches!(found, "object" | "null")
            || lenient == Some("object") && found == "string"
            || schema.get("format") == Some(&json!("decimal")) && matches!(found, "string" | "number" | "integer")
            || path == "reply.scope"
            || path == "reply.expires_in";
        if !fits {
            self.add(
                "type-changed",
                if request { Class::Additive } else { Class::WireBreaking },
                path,
                format!("`{path}` is {found}"),
                &format!("the client {} {expected}", if request { "sends" } else { "reads" }),
                "correct the type",
            );
            return;
        }
        if let Value::String(word) = value {
            self.word(&schema, word, path, request);
        }
        match value {
            Value::Array(items) => {
                if let Some(item_schema) = schema.get("items").cloned() {
                    for item in items {
                        self.value(&item_schema, item, &format!("{path}[]"), request);
                    }
                }
            }
            Value::Object(object) if expected == "object" => self.object(&schema, object, path, request),
            Value::Object(_) => {}
            _ => {}
        }
    }

    fn object(&mut self, schema: &Value, object: &Map<String, Value>, path: &str, request: bool) {
        let kinds = schema.get("x-wrapper-key") == Some(&json!(true));
        for (name, value) in object {
            let at = format!("{path}.{name}");
            let aliased = |schema: &Value| {
                let all = schema.get("properties").and_then(Value::as_object)?;
                all.iter()
                    .find(|(_, property)| {
                        let aliases = property.get("x-aliases").and_then(Value::as_array);
                        aliases.into_iter().flatten().any(|alias| alias == name)
                    })
                    .map(|(_, property)| property.clone())
            };
            match self.spec.property(schema, name).cloned().or_else(|| aliased(schema)) {
                Some(property) => {
                    if !request {
                        self.exercised
                            .entry(self.operation.clone())
                            .or_default()
                            .fields
                            .insert(at.clone());
                    }
                    // A null reads as absent where the field may be.
                    if !value.is_null() || self.spec.requires(schema, name) {
                        self.value(&property, value, &at, request);
                    }
                }
                None if kinds => self.add(
                    "kind-added",
                    Class::Additive,
                    &at,
                    format!("`{path}` has the kind `{name}`"),
                    "the client keeps it as an unknown kind",
                    "describe the kind",
                ),
                None if schema.get("additionalProperties").is_some_and(Value::is_object) => {}
                None if self.token_extra(name) => {}
                None => self.add(
                    "field-undescribed",
                    Class::Additive,
                    &at,
                    format!("`{at}` is not described"),
                    if request {
                        "the client cannot send it"
                    } else {
                        "the client leaves the field out"
                    },
                    "describe the field",
                ),
            }
        }
        let required: Vec<String> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|name| text(Some(name)))
            .collect();
        for name in required
            .iter()
            .filter(|name| object.get(*name).is_none_or(Value::is_null))
        {
            let at = format!("{path}.{name}");
            let (class, effect) = if request {
                (Class::Additive, "the client demands it")
            } else {
                (Class::WireBreaking, "the client cannot read a reply without it")
            };
            self.add(
                "field-gone",
                class,
                &at,
                format!("`{at}` is missing"),
                effect,
                "mark the field as optional",
            );
        }
    }

    /// A field of the token reply that `x-oauth` names.
    fn token_extra(&self, name: &str) -> bool {
        let oauth = &self.spec.provider.oauth;
        self.operation == oauth.operations.token && oauth.token_reply.extra.iter().any(|field| field.name == name)
    }

    fn word(&mut self, schema: &Value, word: &str, path: &str, request: bool) {
        let Some(values) = schema.get("enum").and_then(Value::as_array) else {
            return;
        };
        if values.iter().any(|value| value == word) {
            return;
        }
        let shown = shown_word(word);
        let effect = if request {
            "the client sends it as an unknown value only"
        } else {
            "the client reads it as Unknown and writes it back as it came"
        };
        self.add(
            "enum-value-added",
            Class::Additive,
            &format!("{path} {shown}"),
            format!("`{path}` is {shown}"),
            effect,
            "list the value",
        );
    }

    fn coverage(&self, exchanges: usize) -> Coverage {
        let calls: Vec<_> = self
            .spec
            .provider
            .operations
            .iter()
            .filter(|call| !call.browser)
            .collect();
        let unseen: Vec<&str> = calls
            .iter()
            .filter(|call| !self.exercised.contains_key(&call.id))
            .map(|call| call.id.as_str())
            .collect();
        let mut parameters = (0, 0);
        let mut fields = (0, 0);
        let mut statuses: BTreeMap<u64, usize> = BTreeMap::new();
        for call in &calls {
            let Some(operation) = self.spec.operation(&call.id) else {
                continue;
            };
            let exercised = self.exercised.get(&call.id);
            let listed = operation
                .value
                .get("parameters")
                .and_then(Value::as_array)
                .map_or(0, |listed| {
                    listed
                        .iter()
                        .filter(|parameter| parameter.get("in") == Some(&json!("query")))
                        .count()
                });
            parameters.1 += listed;
            let all = self
                .spec
                .success(&operation)
                .map(|schema| fields_of(self.spec, schema, "reply", 0))
                .unwrap_or_default();
            fields.1 += all.len();
            if let Some(exercised) = exercised {
                parameters.0 += exercised.parameters.len().min(listed);
                fields.0 += exercised.fields.intersection(&all).count();
                for status in &exercised.statuses {
                    *statuses.entry(*status).or_default() += 1;
                }
            }
        }
        let mut lines = vec![format!(
            "{exchanges} exchanges; {} of {} operations, {} of {} query parameters, {} of {} reply fields",
            calls.len() - unseen.len(),
            calls.len(),
            parameters.0,
            parameters.1,
            fields.0,
            fields.1
        )];
        if !statuses.is_empty() {
            let statuses: Vec<String> = statuses
                .iter()
                .map(|(status, count)| format!("{status} on {count} operations"))
                .collect();
            lines.push(format!("statuses: {}", statuses.join(", ")));
        }
        if !unseen.is_empty() {
            lines.push(format!("never called: {}", unseen.join(", ")));
        }
        if self.elsewhere > 0 {
            lines.push(format!("{} exchanges with other hosts were left out", self.elsewhere));
        }
        for (path, count) in &self.missing {
            lines.push(format!("{path}: answered with 404, {count} times"));
        }
        Coverage { lines }
    }
}

/// Every field that a reply may have, to a depth that ends recursion.
fn fields_of(spec: &Spec, schema: &Value, path: &str, depth: usize) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if depth > 8 {
        return found;
    }
    let schema = spec.deref(schema);
    for (name, property) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let at = format!("{path}.{name}");
        found.extend(fields_of(spec, property, &at, depth + 1));
        found.insert(at);
    }
    if let Some(items) = schema.get("items") {
        found.extend(fields_of(spec, items, &format!("{path}[]"), depth + 1));
    }
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        found.extend(fields_of(spec, part, path, depth + 1));
    }
    found
}

/// A copy of a recording that keeps shapes and drops what people and machines hold secret.
#[must_use]
pub fn scrub(spec: &Spec, har: &Value) -> Value {
    let entries = har
        .pointer("/log/entries")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let clean: Vec<Value> = entries.iter().map(|entry| scrub_entry(spec, entry)).collect();
    json!({"log": {
        "version": "1.2",
        "creator": {"name": "cargo xtask drift --scrub", "version": "1"},
        "entries": clean,
    }})
}

fn scrub_entry(spec: &Spec, entry: &Value) -> Value {
    let url = text(entry.pointer("/request/url"));
    let method = text(entry.pointer("/request/method")).to_uppercase();
    let (host, path, query) = split(&url);
    let operation = spec.matching(&method, &path);
    let path = match &operation {
        Some(operation) => {
            let prefix = path.strip_suffix(&spec.relative(&path)).unwrap_or_default().to_owned();
            let segments = operation
                .path
                .split('/')
                .map(|it| if it.starts_with('{') { "scrubbed" } else { it });
            format!("{prefix}{}", segments.collect::<Vec<_>>().join("/"))
        }
        None => shape(&path).replace("{}", "scrubbed"),
    };
    let described = |name: &str| -> Value {
        let parameter = operation.as_ref().and_then(|operation| spec.parameter(operation, name));
        parameter
            .and_then(|parameter| parameter.get("schema"))
            .cloned()
            .unwrap_or_default()
    };
    let query: Vec<(String, String)> = query
        .into_iter()
        .map(|(name, value)| (name.clone(), scrub_word(spec, &described(&name), &value)))
        .collect();
    let query_text: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let question = if query.is_empty() { "" } else { "?" };
    let mut request = json!({
        "method": method,
        "url": format!("https://{host}{path}{question}{}", query_text.join("&")),
        "httpVersion": text(entry.pointer("/request/httpVersion")),
        "headers": scrub_headers(entry.pointer("/request/headers")),
        "queryString": query.iter().map(|(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>(),
        "cookies": [],
        "headersSize": -1,
        "bodySize": -1,
    });
    if let Some(post) = entry.pointer("/request/postData") {
        let media = text(post.get("mimeType"));
        let schema = operation
            .as_ref()
            .and_then(|operation| spec.request(operation))
            .cloned()
            .unwrap_or_default();
        let body = if media.starts_with("application/x-www-form-urlencoded") {
            let pairs: Vec<String> = form_of(post)
                .into_iter()
                .map(|(name, value)| {
                    let property = spec
                        .property(&schema, name.split('[').next().unwrap_or_default())
                        .cloned();
                    let keeps = ["grant_type", "token_type_hint"].contains(&name.as_str());
                    let value = if keeps {
                        value
                    } else {
                        scrub_word(spec, &property.unwrap_or_default(), &value)
                    };
                    format!("{name}={value}")
                })
                .collect();
            pairs.join("&")
        } else {
            let value = serde_json::from_str(&text(post.get("text"))).unwrap_or(Value::Null);
            scrub_value(spec, &schema, &value).to_string()
        };
        request["postData"] = json!({"mimeType": media, "text": body});
    }
    let status = entry.pointer("/response/status").cloned().unwrap_or_default();
    let schema = operation.as_ref().and_then(|operation| {
        if status.as_u64().is_some_and(|status| status < 300) {
            spec.success(operation)
        } else {
            spec.failure(operation)
        }
    });
    let body = body_text(entry);
    let clean = match serde_json::from_str::<Value>(&body) {
        Ok(value) => scrub_value(spec, &schema.cloned().unwrap_or_default(), &value).to_string(),
        Err(_) if body.is_empty() => String::new(),
        Err(_) => "scrubbed".to_owned(),
    };
    json!({
        "startedDateTime": text(entry.get("startedDateTime")),
        "time": 0,
        "request": request,
        "response": {
            "status": status,
            "statusText": "",
            "httpVersion": text(entry.pointer("/response/httpVersion")),
            "headers": scrub_headers(entry.pointer("/response/headers")),
            "cookies": [],
            "content": {
                "size": clean.len(),
                "mimeType": text(entry.pointer("/response/content/mimeType")),
                "text": clean,
            },
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        },
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": 0},
    })
}

/// Headers that say something about the protocol and nothing about anybody.
const OPEN_HEADERS: [&str; 8] = [
    "content-type",
    "accept",
    "retry-after",
    "cache-control",
    "api-version",
    "www-authenticate",
    "allow",
    "date",
];

fn scrub_headers(headers: Option<&Value>) -> Vec<Value> {
    let mut clean = Vec::new();
    for header in headers.and_then(Value::as_array).into_iter().flatten() {
        let name = text(header.get("name"));
        let value = text(header.get("value"));
        let value = match name.to_lowercase().as_str() {
            "authorization" => format!("{} scrubbed", value.split(' ').next().unwrap_or_default()),
            "www-authenticate" => value.split(' ').next().unwrap_or_default().to_owned(),
            "cookie" | "set-cookie" => continue,
            lower if OPEN_HEADERS.contains(&lower) => value,
            _ => "scrubbed".to_owned(),
        };
        clean.push(json!({"name": name, "value": value}));
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
            } else {
                json!(1)
            }
        }
        Value::String(word) => Value::String(scrub_word(spec, schema, word)),
        Value::Array(items) => {
            let item = schema.get("items").cloned().unwrap_or_default();
            items.iter().map(|value| scrub_value(spec, &item, value)).collect()
        }
        Value::Object(object) => object
            .iter()
            .map(|(name, value)| {
                let property = spec.property(schema, name).cloned().unwrap_or_default();
                (name.clone(), scrub_value(spec, &property, value))
            })
            .collect(),
    }
}

/// A word of an enum stays, so that a new one can still be seen; the rest keeps its form only.
fn scrub_word(spec: &Spec, schema: &Value, word: &str) -> String {
    let schema = spec.effective(schema);
    if schema.get("enum").is_some() && is_word(word) {
        return word.to_owned();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") if word.parse::<i64>().is_ok() => return "1".to_owned(),
        Some("number") if word.parse::<f64>().is_ok() => return "1.5".to_owned(),
        Some("boolean") => {
            return if word == "true" || word == "false" {
                "true".to_owned()
            } else {
                "scrubbed".to_owned()
            };
        }
        _ => {}
    }
    match schema.get("format").and_then(Value::as_str) {
        Some("date") if word.len() == 10 => "2000-01-01".to_owned(),
        Some("date-time") if word.contains('T') => "2000-01-01T00:00:00Z".to_owned(),
        Some("uuid") if word.len() == 36 => "00000000-0000-4000-8000-000000000000".to_owned(),
        Some("decimal") if word.parse::<f64>().is_ok() => "1.50".to_owned(),
        _ => "scrubbed".to_owned(),
    }
}

fn is_word(word: &str) -> bool {
    (1..=40).contains(&word.len())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-. ".contains(c))
        && word.chars().filter(char::is_ascii_digit).count() < 5
}

fn shown_word(word: &str) -> String {
    if is_word(word) {
        format!("`{word}`")
    } else {
        format!("a text of {} letters", word.chars().count())
    }
}

/// A path with its ids taken out.
fn shape(path: &str) -> String {
    let id = |segment: &str| {
        let digits = segment.chars().filter(char::is_ascii_digit).count();
        let version = segment.starts_with('v') && segment.len() <= 3;
        !version && (digits > 0 || segment.len() > 24)
    };
    path.split('/')
        .map(|segment| if id(segment) { "{}" } else { segment })
        .collect::<Vec<_>>()
        .join("/")
}

fn split(url: &str) -> (String, String, Vec<(String, String)>) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (rest, query) = rest
        .split('#')
        .next()
        .unwrap_or_default()
        .split_once('?')
        .unwrap_or((rest, ""));
    let at = rest.find('/').unwrap_or(rest.len());
    let path = if at == rest.len() { "/" } else { &rest[at..] };
    (rest[..at].to_lowercase(), path.to_owned(), pairs(query))
}

fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (name.replace("%5B", "[").replace("%5D", "]"), value.to_owned()))
        .collect()
}

fn form_of(post: &Value) -> Vec<(String, String)> {
    match post
        .get("params")
        .and_then(Value::as_array)
        .filter(|params| !params.is_empty())
    {
        Some(params) => params
            .iter()
            .map(|pair| (text(pair.get("name")), text(pair.get("value"))))
            .collect(),
        None => pairs(&text(post.get("text"))),
    }
}

/// The body of a reply; base64 is not looked into.
fn body_text(entry: &Value) -> String {
    let content = entry.pointer("/response/content");
    if content.and_then(|content| content.get("encoding")).is_some() {
        return String::new();
    }
    text(content.and_then(|content| content.get("text")))
}

fn essence(media: &str) -> String {
    media.split(';').next().unwrap_or_default().trim().to_lowercase()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}
