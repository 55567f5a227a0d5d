//! One exchange of a recording: which call it is, and what it shows of it.

use finrail_spec::media_type::is_json;
use finrail_spec::operations::OperationObject;
use serde_json::{Value, json};

use super::body::{self, Unread};
use super::entry::{FORM, form_of, method_of, query_of, text};
use super::names::{self, shown_pair};
use super::scrub;
use super::seen::Seen;
use super::values::Side;
use crate::drift::address::{Address, plain_path};
use crate::drift::extract::decoded;
use crate::drift::finding::Class;

const GONE: &str = "endpoint-gone";

impl Seen<'_> {
    pub(super) fn exchange(&mut self, number: usize, entry: &Value) {
        let mut address = Address::read(&text(entry.pointer("/request/url")));
        address.path = plain_path(&address.path);
        let method = method_of(entry);
        let status = entry
            .pointer("/response/status")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        let host = address.host.clone().unwrap_or_default();
        if !self.spec.knows_host(&host) {
            self.elsewhere += 1;
            return;
        }
        let spec = self.spec;
        let Some((operation, _)) = spec.asked(&method, &address) else {
            self.unknown(number, &method, &address, status, entry);
            return;
        };
        self.operation = operation.id().to_owned();
        self.pointer = operation.pointer();
        let exercised = self.exercised();
        if status != 0 {
            exercised.statuses.insert(status);
        }
        if self.gone(&operation, status) {
            return;
        }
        // A request that was refused says nothing about what is accepted.
        if (200..400).contains(&status) {
            self.query(&operation, &query_of(entry, &address));
            self.body(&operation, entry);
        }
        match status {
            0 => self.unread(Unread::NoReply),
            // No client of this crate asks whether something was modified.
            304 => self.unread(Unread::NotModified),
            _ => self.reply(&operation, entry, status),
        }
    }

    /// An exchange with the provider that is no described call.
    fn unknown(&mut self, number: usize, method: &str, address: &Address, status: u64, entry: &Value) {
        self.operation.clear();
        self.pointer = "/paths".to_owned();
        let shape = self.spec.shape(&self.spec.relative(&address.path), "{}");
        let look = format!("look at exchange {number} of the recording");
        // What the provider does not have is no drift either.
        if matches!(status, 0 | 404 | 405 | 410) || method == "OPTIONS" {
            if status == 404 {
                *self.missing.entry(format!("{method} {shape}")).or_default() += 1;
            }
            return;
        }
        if let Some(operation) = self.spec.matching(method, &address.path) {
            let media = names::media(&text(entry.pointer("/response/content/mimeType")));
            // The same path of a website is a page, and no call.
            if is_json(&media) {
                self.operation = operation.id().to_owned();
                self.pointer = operation.pointer();
                self.add(
                    "endpoint-elsewhere",
                    Class::Unhandled,
                    operation.id(),
                    format!(
                        "`{method} {}` is answered with {status} at another base address",
                        operation.path
                    ),
                    "the client asks the described one",
                    &format!("{look}: where the operation moved, correct `servers`"),
                );
            } else {
                self.elsewhere += 1;
            }
            return;
        }
        let shape = format!("{method} {shape}");
        self.add(
            "endpoint-undescribed",
            Class::Additive,
            &shape,
            format!("the traffic has `{shape}`, answered with {status}"),
            "the client does not offer it",
            &format!("{look}; describe the operation, or accept the finding with a reason"),
        );
    }

    /// An operation that is not there any more, by the status of its answer.
    fn gone(&mut self, operation: &OperationObject<'_>, status: u64) -> bool {
        let template = operation.path.contains('{');
        let browser = operation.value.get("x-browser") == Some(&Value::Bool(true));
        let oauth = operation.value.get("x-client").and_then(Value::as_str) == Some("oauth");
        let class = match status {
            405 | 501 => Class::WireBreaking,
            404 | 410 if template => return false,
            410 => Class::WireBreaking,
            404 if operation.method == "get" || oauth => Class::WireBreaking,
            // What the body names may be what is not found.
            404 => Class::Unhandled,
            _ => return false,
        };
        if browser {
            return false;
        }
        self.add(
            GONE,
            class,
            operation.id(),
            format!(
                "`{} {}` is answered with {status}",
                operation.method.to_uppercase(),
                operation.path
            ),
            "the client still calls it",
            "remove or move the operation",
        );
        true
    }

    /// A grant that the token endpoint takes and the client has not.
    fn grant(&mut self, word: &str) {
        let grants = &self.spec.provider.oauth.grants;
        if grants.iter().any(|grant| grant.as_str() == word) {
            return;
        }
        let word = decoded(word);
        let shown = if scrub::is_grant(&word) {
            format!("`{word}`")
        } else {
            "of another name".to_owned()
        };
        self.add(
            "grant-added",
            Class::Additive,
            &shown,
            format!("the grant {shown} is accepted"),
            "the client does not offer it",
            "add it to x-oauth.grants, with its flow",
        );
    }

    /// What only the whole recording says.
    pub(super) fn sum_up(&mut self, exchanges: usize) {
        // What answered once is there.
        let answered = |id: &Option<String>| {
            let exercised = id.as_ref().and_then(|id| self.exercised.get(id));
            exercised.is_some_and(|it| it.statuses.iter().any(|status| matches!(status, 200..=299 | 304)))
        };
        let back: Vec<bool> = self
            .issues
            .iter()
            .map(|it| it.rule == GONE && answered(&it.operation))
            .collect();
        let mut back = back.into_iter();
        self.issues.retain(|_| !back.next().unwrap_or_default());
        self.operation.clear();
        if self.exercised.is_empty() {
            self.pointer = "/paths".to_owned();
            self.add(
                "nothing-matched",
                Class::Unhandled,
                "recording",
                format!("none of the {exchanges} exchanges is a call of the specification"),
                "nothing was compared",
                "record calls of this provider",
            );
            return;
        }
        self.unread_alone();
    }

    /// A recording whose replies say nothing is no evidence that nothing has changed.
    fn unread_alone(&mut self) {
        let count: usize = self.unread.values().map(|(count, _)| count).sum();
        self.pointer = "/paths".to_owned();
        if count == 0 {
            let mut statuses = self.exercised.values().flat_map(|it| &it.statuses);
            if statuses.all(|status| *status >= 400) {
                self.add(
                    "nothing-succeeded",
                    Class::Unhandled,
                    "recording",
                    format!("none of the {} replies is of success", self.replies),
                    "only errors were compared",
                    "record calls that succeed",
                );
            }
            return;
        }
        if self.successes > 0 {
            return;
        }
        let what = match self.replies {
            0 => format!("none of the {count} replies was read: {}", self.reasons().join("; ")),
            read => format!(
                "of {} replies, {read} with errors alone were read: {}",
                count + read,
                self.reasons().join("; ")
            ),
        };
        self.add(
            "replies-unread",
            Class::Unhandled,
            "recording",
            what,
            "no reply of success was compared",
            "record with the bodies of replies, with an empty cache",
        );
    }

    fn query(&mut self, operation: &OperationObject<'_>, query: &[(String, Option<String>)]) {
        for (name, value) in query {
            let known = self.spec.parameter(operation, name).cloned();
            match known {
                None => {
                    let name = shown_pair(name, value.as_deref());
                    self.add(
                        "parameter-undescribed",
                        Class::Additive,
                        name,
                        format!("the query parameter `{name}` is accepted"),
                        "the client cannot send it",
                        "describe the parameter",
                    );
                }
                Some(parameter) => {
                    let known = text(parameter.get("name"));
                    self.exercised().parameters.insert(known.clone());
                    if let (Some(schema), Some(value)) = (parameter.get("schema"), value) {
                        self.written(schema, value, &known);
                    }
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
            let bare = name.trim_end_matches("[]");
            if needed && !query.iter().any(|(sent, _)| sent.trim_end_matches("[]") == bare) {
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

    fn body(&mut self, operation: &OperationObject<'_>, entry: &Value) {
        let Some(post) = entry.pointer("/request/postData") else {
            return;
        };
        let media = names::media(&text(post.get("mimeType")));
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
        let form = media == FORM;
        let pairs = match form_of(entry) {
            Ok(pairs) => pairs,
            Err(why) => {
                *self.unsent.entry(why).or_default() += 1;
                return;
            }
        };
        if form != (described == FORM) || form && pairs.is_none() {
            let sent = if form && pairs.is_none() {
                "something else under the name of a form"
            } else {
                &media
            };
            self.add(
                "media-type-undescribed",
                Class::Additive,
                sent,
                format!("a body of {sent} is accepted"),
                &format!("the client sends {described}"),
                "see which of the two the provider documents",
            );
            return;
        }
        if let Some(pairs) = pairs.filter(|_| form) {
            for (name, value) in pairs {
                let base = name.split('[').next().unwrap_or_default().to_owned();
                let Some(property) = self.spec.property(&schema, &base).cloned() else {
                    let shown = shown_pair(&base, value.as_deref());
                    self.add(
                        "field-undescribed",
                        Class::Additive,
                        shown,
                        format!("the form field `{shown}` is accepted"),
                        "the client cannot send it",
                        "describe the field",
                    );
                    continue;
                };
                self.exercised().parameters.insert(base.clone());
                let value = value.unwrap_or_default();
                if base == "grant_type" {
                    self.grant(&value);
                }
                self.written(&property, &value, &base);
            }
            return;
        }
        match body::request(entry) {
            Ok(sent) => {
                if let Ok(value) = serde_json::from_str::<Value>(&sent) {
                    self.value(&schema, &value, "body", Side::Request);
                }
            }
            Err(why) => *self.unsent.entry(why).or_default() += 1,
        }
    }

    fn reply(&mut self, operation: &OperationObject<'_>, entry: &Value, status: u64) {
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
        let media = names::media(&text(entry.pointer("/response/content/mimeType")));
        let Some((described, schema)) = content.and_then(|content| content.iter().next()) else {
            return;
        };
        let (Some(schema), true) = (schema.get("schema").cloned(), is_json(described)) else {
            return;
        };
        if browser {
            return;
        }
        let body = match body::reply(entry) {
            Ok(body) => body,
            Err(why) => return self.unread(why),
        };
        self.replies += 1;
        self.successes += usize::from(status / 100 == 2);
        if body.is_empty() && status / 100 != 2 {
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
            self.value(&schema, &value, "reply", Side::Reply);
        } else {
            self.value(&schema, &value, "error", Side::Failure);
        }
    }
}
