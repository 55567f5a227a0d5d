//! The doc comment of a generated method, with an example that compiles.

use std::fmt::Write as _;

use serde_json::Value;

use crate::document::{Authentication, Document, Operation};
use crate::transform::{SHARED, pascal_case, snake_case};
use crate::vocabulary::{ClientKind, Effect};

/// Summary, description, what it needs, how far it is to be trusted, and an example.
pub(crate) fn method(document: &Document, operation: &Operation, module: Option<&str>) -> String {
    let json = &document.json["paths"][&operation.path][operation.method.to_lowercase()];
    let mut text = String::new();
    for key in ["summary", "description"] {
        if let Some(words) = json[key].as_str() {
            let stop = if key == "summary" && !words.ends_with('.') {
                "."
            } else {
                ""
            };
            let _ = writeln!(text, "{}{stop}\n", prose(words.trim()));
        }
    }
    let _ = writeln!(text, "`{} {}`\n", operation.method, operation.path);
    let _ = writeln!(text, "- needs: {}", needs(operation));
    let _ = writeln!(
        text,
        "- repeating it: {}",
        match operation.effect {
            Effect::Safe => "changes nothing; it is repeated after a passing failure",
            Effect::Idempotent => "twice is the same as once; it is repeated after a passing failure",
            Effect::Neither => "may act twice; it is sent once, and an unknown outcome is reported",
        }
    );
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
        text.push_str(&example(
            operation,
            json,
            &document.json["paths"][&operation.path],
            module,
        ));
    }
    text
}

/// Text of a specification as rustdoc takes it: addresses become links, brackets and angle brackets stay what they are.
///
/// Code spans and fenced blocks are left alone.
pub(crate) fn prose(text: &str) -> String {
    let mut out = String::new();
    for (n, part) in text.split('`').enumerate() {
        if n > 0 {
            out.push('`');
        }
        if n % 2 == 1 {
            out.push_str(part);
        } else {
            out.push_str(&plain_prose(part));
        }
    }
    out
}

fn plain_prose(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['[', ']', '<', '>', 'h']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if from.starts_with("https://") || from.starts_with("http://") {
            let end = from
                .find(|c: char| c.is_whitespace() || "<>()[]\"'".contains(c))
                .unwrap_or(from.len());
            let address = from[..end].trim_end_matches(['.', ',', ';', ':']);
            let _ = write!(out, "<{address}>");
            rest = &from[address.len()..];
            continue;
        }
        let c = &from[..1];
        let opens_address = c == "<" && from[1..].starts_with("http");
        if c != "h" && !opens_address {
            out.push('\\');
        }
        if !opens_address {
            out.push_str(c);
        }
        rest = &from[1..];
        if opens_address {
            let end = rest.find('>').unwrap_or(rest.len());
            let _ = write!(out, "<{}>", &rest[..end]);
            rest = rest.get(end + 1..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    out
}

fn needs(operation: &Operation) -> String {
    let words: Vec<String> = operation
        .authentication
        .iter()
        .map(|authentication| match authentication {
            Authentication::Nothing => "no credentials in a header".to_owned(),
            Authentication::Bearer { scopes } if scopes.is_empty() => "an access token".to_owned(),
            Authentication::Bearer { scopes } => format!("an access token with scope `{}`", scopes.join("`, `")),
            Authentication::ClientBasic => "the client's id and secret".to_owned(),
            Authentication::AccessKey => "an access key".to_owned(),
            Authentication::RegistrationToken => "the registration token".to_owned(),
        })
        .collect();
    words.join(", or ")
}

fn example(operation: &Operation, json: &Value, item: &Value, module: &str) -> String {
    let (client, types) = match operation.client {
        ClientKind::Api => (format!("{module}::Client"), format!("{module}::types")),
        other => (
            format!("{module}::{}::Client", other.as_str()),
            format!("{module}::{}::types", other.as_str()),
        ),
    };
    let mut call = format!("client\n    .{}()", operation.id);
    let shared = item["parameters"].as_array().into_iter().flatten();
    for parameter in shared.chain(json["parameters"].as_array().into_iter().flatten()) {
        if parameter["required"] != true {
            continue;
        }
        let name = parameter["x-rust-name"].as_str().map_or_else(
            || snake_case(parameter["name"].as_str().unwrap_or_default()),
            str::to_owned,
        );
        let example = parameter.get("example").unwrap_or(&parameter["schema"]["example"]);
        let decimal = parameter["schema"]["format"] == "decimal";
        let value = match example {
            Value::String(text) => format!("{text:?}"),
            Value::Number(number) if decimal => format!("\"{number}\""),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            Value::Array(values) => {
                let texts: Vec<String> = values
                    .iter()
                    .map(|v| {
                        v.as_str()
                            .map_or_else(|| v.to_string(), |t| format!("{t:?}.to_owned()"))
                    })
                    .collect();
                format!("vec![{}]", texts.join(", "))
            }
            _ => "\"...\"".to_owned(),
        };
        let _ = write!(call, "\n    .{}({value})", snake_case(&name));
    }
    let body = json["requestBody"]["content"]
        .as_object()
        .and_then(|content| content.values().next());
    let mut preparation = String::new();
    if let Some(body) = body {
        let type_name = match body["schema"]["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
            Some(name) if SHARED.contains(&name) => format!("finrail::oauth::wire::{name}"),
            Some(name) => format!("{types}::{name}"),
            None => format!("{types}::{}Body", pascal_case(&operation.id)),
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
