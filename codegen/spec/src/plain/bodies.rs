//! What a call sends: one media type.

use super::Work;
use crate::dialect::Weight;
use crate::json::Json;
use crate::media_type::{essence, is_json};

/// A media type that stands for JSON: some documents write `*/*`, or the old name.
pub(super) fn means_json(media_type: &str) -> bool {
    is_json(media_type)
        || matches!(
            essence(media_type),
            "*/*" | "application/*" | "text/json" | "application/x-json"
        )
}

const FORM: &str = "application/x-www-form-urlencoded";

impl Work<'_> {
    pub(super) fn body(&mut self, operation: &mut Json, method: &str, pointer: &str) {
        let Some(body) = operation.get("requestBody") else {
            return;
        };
        if matches!(method, "get" | "head" | "trace") {
            operation.remove("requestBody");
            self.lose(
                pointer,
                Weight::Meaning,
                format!("a body, which a `{}` does not have", method.to_uppercase()),
            );
            return;
        }
        let offered = body.get("content").map(Json::members).unwrap_or_default().to_vec();
        let is_required = body.get("required").and_then(Json::as_bool) == Some(true);
        let chosen = offered
            .iter()
            .find(|(media_type, _)| is_json(media_type))
            .or_else(|| offered.iter().find(|(media_type, _)| means_json(media_type)))
            .or_else(|| offered.iter().find(|(media_type, _)| essence(media_type) == FORM));
        let Some((media_type, content)) = chosen else {
            let types: Vec<&str> = offered.iter().map(|(media_type, _)| media_type.as_str()).collect();
            return match types.is_empty() {
                true => drop(operation.remove("requestBody")),
                false => self.fault(
                    pointer,
                    format!("its body is sent as {}, which is not supported", types.join(" or ")),
                ),
            };
        };
        let mut content = content.clone();
        let sent = match means_json(media_type) {
            true if is_json(media_type) => media_type.clone(),
            true => "application/json".to_owned(),
            false => FORM.to_owned(),
        };
        if sent == FORM {
            if let Err(wrong) = self.form(&mut content) {
                return self.fault(pointer, wrong);
            }
        } else {
            content.remove("encoding");
        }
        if content.get("schema").is_none() {
            content.set("schema", Json::Object(Vec::new()));
        }
        self.one_of(&offered, media_type, pointer, "that its body can also be sent as");
        if !is_required {
            self.lose(pointer, Weight::Rule, "that its body can be left out");
        }
        let mut plain = Json::object([("required", Json::Bool(true))]);
        if let Some(description) = body.get("description") {
            plain.set("description", description.clone());
        }
        plain.set("content", Json::object([(sent, content)]));
        operation.set("requestBody", plain);
    }

    /// A form carries texts, and lists and maps of texts in brackets.
    fn form(&mut self, content: &mut Json) -> Result<(), String> {
        let schema = content.get("schema").cloned().unwrap_or_default();
        let target = self.target(&schema).clone();
        let encoding = content.remove("encoding").unwrap_or_default();
        let mut forms = Vec::new();
        for (name, property) in target.get("properties").map(Json::members).unwrap_or_default() {
            let kind = self
                .target(property)
                .get("type")
                .and_then(Json::as_str)
                .unwrap_or_default();
            let style = encoding
                .get(name)
                .and_then(|how| how.get("style"))
                .and_then(Json::as_str);
            let own = encoding
                .get(name)
                .and_then(|how| how.get("x-form"))
                .and_then(Json::as_str);
            match (kind, style) {
                _ if own.is_some() => forms.push((name.clone(), own.unwrap_or_default())),
                ("array", Some("deepObject")) => forms.push((name.clone(), "brackets")),
                ("object", Some("deepObject")) => forms.push((name.clone(), "map")),
                ("array" | "object", _) => {
                    return Err(format!(
                        "field `{name}` of its form is a list or a map, and the document does not say how it is written"
                    ));
                }
                _ => {}
            }
        }
        if !forms.is_empty() {
            let forms = forms
                .into_iter()
                .map(|(name, form)| (name, Json::object([("x-form", Json::str(form))])));
            content.set("encoding", Json::object(forms));
        }
        Ok(())
    }
}
