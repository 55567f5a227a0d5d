//! The doc comment of a generated method, with an example that compiles.

use std::fmt::Write as _;

use finrail_spec::media_type::BodyKind;
use finrail_spec::model::{Operation, Requirement};
use finrail_spec::vocabulary::{ClientKind, Effect, ErrorProof};
use serde_json::{Value, json};

use crate::argument::argument;
use crate::document::{Document, is_in_steps};
use crate::prose::prose;
use crate::shared::SHARED;
use finrail_spec::names::{ident_name, pascal_case, snake_case};

/// Summary, description, what it needs, how far it is to be trusted, and an example.
pub(crate) fn method(document: &Document, operation: &Operation, module: Option<&str>) -> String {
    let json = &document.json["paths"][&operation.path][operation.method.to_lowercase()];
    let mut text = String::new();
    for key in ["summary", "description"] {
        if let Some(words) = json[key].as_str() {
            let words = prose(words);
            let is_a_sentence = key == "description" || words.ends_with('.') || words.ends_with("```");
            let stop = if is_a_sentence { "" } else { "." };
            let _ = writeln!(text, "{words}{stop}\n");
        }
    }
    let _ = writeln!(text, "`{} {}`\n", operation.method, operation.path);
    let _ = writeln!(text, "- needs: {}", needs(operation));
    for header in document.needed_headers(operation) {
        let _ = writeln!(text, "- header: `{header}`, which the client is given once");
    }
    let _ = writeln!(text, "- repeating it: {}", repeating(operation));
    if let Some(refusal) = refusal(operation) {
        let _ = writeln!(text, "- a refusal: {refusal}");
    }
    if let Some(limit) = &operation.limit {
        let by = match limit.by.as_slice() {
            [] => "grant".to_owned(),
            names => format!("`{}`", names.join("`, `")),
        };
        let _ = writeln!(
            text,
            "- limit: {} in {} s for each {by}; kept to where `Limits::of_the_provider` is set",
            limit.calls, limit.seconds
        );
    }
    if is_in_steps(operation) {
        let _ = match &operation.lookup {
            // What is found says nothing of what became of it.
            Some(lookup) if lookup.settled.is_empty() && lookup.rejected.is_empty() && lookup.same.is_empty() => {
                writeln!(
                    text,
                    "- in doubt: keep the intent of `prepare()`; a `Doubt` shows what `{}` has, which does not say what became of it: it stays open, \
                 and the provider has to be asked",
                    lookup.operation
                )
            }
            Some(lookup) => writeln!(
                text,
                "- in doubt: keep the intent of `prepare()`; a `Doubt` looks it up with `{}`",
                lookup.operation
            ),
            None => writeln!(
                text,
                "- in doubt: no call is known that tells what became of it; ask the provider"
            ),
        };
    }
    if let Some(provenance) = &operation.provenance {
        let _ = write!(
            text,
            "- source: {}, checked {}",
            provenance.grade.as_str(),
            provenance.checked
        );
        for source in &provenance.sources {
            let _ = write!(text, "; {}", prose(source));
        }
        text.push('\n');
        if let Some(note) = &provenance.note {
            let _ = writeln!(text, "- note: {}", prose(&note.trim().replace('\n', " ")));
        }
    }
    if let Some(module) = module {
        text.push_str(&example(document, operation, json, module));
    }
    text
}

fn repeating(operation: &Operation) -> String {
    match (operation.effect, &operation.idempotency) {
        (Effect::Safe, _) => "changes nothing; it is repeated after a passing failure".to_owned(),
        (Effect::Idempotent, _) => "twice is the same as once; it is repeated after a passing failure".to_owned(),
        (Effect::Neither, Some(key)) => format!(
            "may act twice; it is repeated after a passing failure only with `{}` set",
            key.header
        ),
        (Effect::Neither, None) => {
            "may act twice; it is not repeated after a failure, and an unknown outcome is reported".to_owned()
        }
    }
}

/// How it is known that the provider refused the call, where that makes a difference.
fn refusal(operation: &Operation) -> Option<String> {
    match (&operation.error_proof, operation.effect) {
        (Some(ErrorProof { statuses, members }), effect) => {
            let statuses: Vec<String> = statuses.iter().map(u16::to_string).collect();
            let otherwise = match effect {
                Effect::Safe => "",
                Effect::Idempotent | Effect::Neither => {
                    "; any other error reply, except a 401 that names the token, leaves the outcome unknown"
                }
            };
            Some(format!(
                "is known by status {} and `{}` in the reply{otherwise}",
                statuses.join(" or "),
                members.join("` or `"),
            ))
        }
        (None, Effect::Safe) => None,
        (None, Effect::Idempotent | Effect::Neither) => Some(
            "nobody documents how it is known; a JSON object with status 400, 401, 404 or 422 is taken for one, and any other \
             error reply, except a 401 that names the token, leaves the outcome unknown"
                .to_owned(),
        ),
    }
}

fn needs(operation: &Operation) -> String {
    let words: Vec<String> = operation
        .security
        .iter()
        .enumerate()
        .map(|(way, requirement)| {
            let keys = operation.keys.iter().filter(|key| key.way == way);
            let keys: Vec<String> = keys.map(|key| format!("the key `{}`", key.scheme)).collect();
            let scheme = match requirement {
                Requirement::Nothing if !keys.is_empty() => return keys.join(" and "),
                Requirement::Nothing => "no credentials in a header".to_owned(),
                Requirement::Bearer { scopes } if scopes.is_empty() => "an access token".to_owned(),
                Requirement::Bearer { scopes } => format!("an access token with scope `{}`", scopes.join("`, `")),
                Requirement::ClientBasic => "the client's id and secret".to_owned(),
                Requirement::AccessKey => "an access key".to_owned(),
                Requirement::RegistrationToken => "the registration token".to_owned(),
            };
            [&[scheme], keys.as_slice()].concat().join(" and ")
        })
        .collect();
    words.join(", or ")
}

fn example(document: &Document, operation: &Operation, json: &Value, module: &str) -> String {
    let (client, types) = match operation.client {
        ClientKind::Api => (format!("{module}::Client"), format!("{module}::types")),
        other => (
            format!("{module}::{}::Client", other.as_str()),
            format!("{module}::{}::types", other.as_str()),
        ),
    };
    let mut call = format!("client\n    .{}()", operation.id);
    for parameter in document.parameters(operation) {
        if parameter["required"] != true {
            continue;
        }
        let name = parameter["x-rust-name"].as_str().map_or_else(
            || snake_case(parameter["name"].as_str().unwrap_or_default()),
            str::to_owned,
        );
        let Some(value) = argument(document, &types, parameter) else {
            return String::new();
        };
        let _ = write!(call, "\n    .{}({value})", ident_name(&name));
    }
    let body = json["requestBody"]["content"]
        .as_object()
        .and_then(|content| content.values().next());
    let mut preparation = String::new();
    let kind = operation.content_type().and_then(BodyKind::of);
    if kind == Some(BodyKind::Bytes) {
        call.push_str("\n    .body(\"...\")");
    } else if let (Some(BodyKind::Parts), Some(body)) = (kind, body) {
        let name = format!("{types}::{}Body", pascal_case(&operation.id));
        let Some(parts) = example_parts(document, &types, &body["schema"]) else {
            return String::new();
        };
        preparation = format!("let body = {name}::builder(){parts};\n");
        call.push_str("\n    .body(body)");
    } else if let Some(body) = body {
        let type_name = match body["schema"]["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
            Some(name) if SHARED.contains(&name) => format!("finrail::oauth::wire::{name}"),
            Some(name) => format!("{types}::{name}"),
            None if body["schema"]["type"] == "object" && body["schema"].get("properties").is_some() => {
                format!("{types}::{}Body", pascal_case(&operation.id))
            }
            // A list, or anything else that has no type of its own.
            None => return String::new(),
        };
        let value = example_of(body);
        let pretty = serde_json::to_string_pretty(&value).unwrap_or_default();
        preparation = format!("let body: {type_name} = serde_json::from_str(r##\"{pretty}\"##)?;\n");
        call.push_str("\n    .body(body)");
    }
    format!(
        "\n```no_run\n# async fn example(client: &{client}) -> Result<(), Box<dyn std::error::Error>> {{\n{preparation}let reply = {call}\n    .send()\n    .await?;\n# let _ = reply;\n# Ok(())\n# }}\n```\n"
    )
}

/// The setters of the parts that a body must have; none where one is an object, whose type has a builder of its own.
fn example_parts(document: &Document, types: &str, schema: &Value) -> Option<String> {
    let mut out = String::new();
    let required = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    for wire in required {
        let part = schema["properties"].get(wire)?;
        let name = part["x-rust-name"]
            .as_str()
            .map_or_else(|| snake_case(wire), str::to_owned);
        let file = "finrail::FilePart::new(std::fs::read(\"document.pdf\")?).file_name(\"document.pdf\")";
        let value = match (part["type"].as_str(), part["format"].as_str()) {
            (Some("string"), Some("binary")) => file.to_owned(),
            (Some("array"), _) if part["items"]["format"] == "binary" => format!("[{file}]"),
            (Some("string"), _) => match part["enum"].get(0).and_then(Value::as_str) {
                Some(first) => format!("{first:?}"),
                None => argument(document, types, &json!({ "schema": part }))?,
            },
            (Some("number" | "integer" | "boolean"), _) => argument(document, types, &json!({ "schema": part }))?,
            _ => return None,
        };
        let _ = write!(out, "\n    .{}({value})", ident_name(&name));
    }
    Some(out)
}

/// The example of a media type: `example`, or the first of `examples`.
fn example_of(media: &Value) -> Value {
    media.get("example").cloned().unwrap_or_else(|| {
        media["examples"]
            .as_object()
            .and_then(|examples| examples.values().next())
            .map_or_else(
                || Value::Object(serde_json::Map::new()),
                |example| example["value"].clone(),
            )
    })
}
