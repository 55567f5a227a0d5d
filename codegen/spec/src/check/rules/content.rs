//! The rules of what an operation sends and what it answers.

use serde_json::Value;

use super::found::Rules;
use crate::media_type::{BodyKind, is_json};
use crate::operations::OperationObject;
use crate::pointer::join;
use crate::reference::deref;

impl<'d> Rules<'d> {
    pub(super) fn request_body(&mut self, operation: &OperationObject<'d>, at: &str) {
        let Some(body) = operation.value.get("requestBody") else {
            return;
        };
        let at = join(at, "requestBody");
        let content = deref(self.root, body)
            .and_then(|body| body.get("content"))
            .and_then(Value::as_object);
        let Some(content) = content else { return };
        if content.len() != 1 {
            self.add(
                "media-type",
                &at,
                "a request has one media type",
                "keep the one that the provider documents",
            );
        }
        for (name, media) in content {
            let at = join(&join(&at, "content"), name);
            let kind = BodyKind::of(name);
            if kind.is_none() {
                self.add(
                    "media-type",
                    &at,
                    format!("`{name}` is nothing that can be sent"),
                    "the generator writes JSON, application/x-www-form-urlencoded, multipart/form-data, and bytes of one type",
                );
            }
            let written = media.get("schema").unwrap_or(&Value::Null);
            if kind == Some(BodyKind::Parts) && !written["properties"].is_object() {
                self.add(
                    "media-type",
                    &at,
                    "the parts are not described in their place",
                    "write an object with `properties` here: a file is `type: string, format: binary` among them",
                );
            }
            if kind == Some(BodyKind::Bytes) && written["format"] != "binary" {
                self.add(
                    "media-type",
                    &at,
                    format!("a body of `{name}` is sent as bytes"),
                    "its schema is `type: string, format: binary`",
                );
            }
            if media.get("schema").is_none() {
                self.add("media-type", &at, "a body without schema", "give it a schema");
            }
            if !matches!(kind, Some(BodyKind::Parts | BodyKind::Bytes)) && !has_example(media) {
                self.add(
                    "example",
                    &at,
                    "a request body without example",
                    "add one that the provider would accept",
                );
            }
            let schema = media.get("schema").and_then(|schema| deref(self.root, schema));
            for property in media
                .get("encoding")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .map(|(name, _)| name)
            {
                let known = schema
                    .and_then(|schema| schema.get("properties"))
                    .and_then(|all| all.get(property));
                if known.is_none() {
                    self.add(
                        "form",
                        &join(&join(&at, "encoding"), property),
                        format!("the form has no property `{property}`"),
                        "correct the name",
                    );
                }
            }
        }
    }

    pub(super) fn responses(&mut self, operation: &OperationObject<'d>, at: &str) {
        let at = join(at, "responses");
        let responses = operation.value.get("responses").and_then(Value::as_object);
        let mut success = Vec::new();
        let mut failure = Vec::new();
        for (status, response) in responses.into_iter().flatten() {
            let at = join(&at, status);
            let Some(response) = deref(self.root, response) else {
                continue;
            };
            let content = response.get("content").and_then(Value::as_object);
            if content.is_some_and(|content| content.len() > 1) {
                self.add(
                    "media-type",
                    &at,
                    "a reply has one media type",
                    "keep the one that is asked for",
                );
            }
            let media = content.and_then(|content| content.iter().next());
            let shape = media.map(|(name, media)| (name.clone(), media.get("schema").cloned()));
            match status.as_bytes().first() {
                Some(b'2') => {
                    if let Some((name, media)) = media
                        && is_json(name)
                        && !has_example(media)
                    {
                        self.add(
                            "example",
                            &at,
                            "a success reply without example",
                            "add one, as the provider shows it",
                        );
                    }
                    success.push(shape);
                }
                Some(b'4' | b'5') => {
                    if status != "4XX" && status != "5XX" {
                        self.add(
                            "error-status",
                            &at,
                            format!("the status `{status}` stands alone"),
                            "describe errors as 4XX and 5XX",
                        );
                    }
                    failure.push(shape);
                }
                Some(b'3') => {
                    if operation.value.get("x-browser") != Some(&Value::Bool(true)) {
                        self.add(
                            "redirect",
                            &at,
                            "a redirect",
                            "only operations with `x-browser: true` redirect",
                        );
                    }
                }
                _ => self.add(
                    "error-status",
                    &at,
                    format!("`{status}` is not used"),
                    "describe success by its status or 2XX, and errors as 4XX and 5XX",
                ),
            }
        }
        if success.windows(2).any(|pair| pair[0] != pair[1]) {
            self.add(
                "success-schema",
                &at,
                "success replies of different schemas",
                "one operation has one success schema, or none: merge them",
            );
        }
        if failure.windows(2).any(|pair| pair[0] != pair[1]) {
            self.add(
                "error-schema",
                &at,
                "error replies of different schemas",
                "one operation has one error schema: merge them",
            );
        }
        if success.is_empty() && operation.value.get("x-browser") != Some(&Value::Bool(true)) {
            self.add(
                "success-schema",
                &at,
                "there is no success reply",
                "describe it, with its status or 2XX",
            );
        }
    }
}

fn has_example(media: &Value) -> bool {
    media.get("example").is_some()
        || media
            .get("examples")
            .and_then(Value::as_object)
            .is_some_and(|examples| !examples.is_empty())
}
