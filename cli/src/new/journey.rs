//! The test of a new crate: the client logs in at the bank that the sandbox plays, reads a list, and makes a call that does
//! something, each where the document has one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use finrail_spec::check::examples::Schemas;
use finrail_spec::json::Json;
use finrail_spec::made;
use finrail_spec::media_type::is_json;
use finrail_spec::model::{Operation, Parameter, Place, Requirement, Specification};
use finrail_spec::names::{ident_name, pascal_case, scope_names, snake_case};
use finrail_spec::vocabulary::{ClientKind, Effect, Grant};

/// The text of `tests/sandbox.rs`.
pub(super) fn journey(document: &Specification, module: &str, id: &str) -> String {
    let has = |grant| document.oauth.as_ref().is_some_and(|oauth| oauth.has(grant));
    if document.oauth.is_none() {
        return of_keys(document, module, id);
    }
    let by_browser = has(Grant::AuthorizationCode);
    let grant = if by_browser {
        Grant::AuthorizationCode
    } else {
        Grant::ClientCredentials
    };
    let scopes = scopes(document, module, grant);
    let mut out = format!(
        r#"//! The client against the bank, played from the same document: no account at the bank is needed.

use finrail::sandbox::Sandbox;

type Done = Result<(), Box<dyn std::error::Error>>;

async fn bank() -> Result<Sandbox, Box<dyn std::error::Error>> {{
    let bundle = include_str!("../specs/{id}/bundle.json");
    Ok(Sandbox::start_from(([127, 0, 0, 1], 0).into(), &[bundle]).await?)
}}

"#
    );
    let client = "registered";
    let keys = registered_keys(document);
    let credentials = format!("{module}::Credentials::new({client}.client_id, {client}.client_secret)");
    if by_browser {
        let _ = write!(
            out,
            r#"async fn log_in(sandbox: &Sandbox) -> Result<{module}::Connection, Box<dyn std::error::Error>> {{
    let {client} = sandbox.client("{id}");
    let app = {module}::App::builder()
        .base_url(sandbox.url("{id}"))
        .oauth_base_url(sandbox.oauth_url("{id}"))
        .credentials({credentials})
        .redirect_uri({client}.redirect_uri){keys}
        .build()?;
    let login = app.authorize({scopes})?;
    // In life: the user's browser is sent there, and comes back with the callback.
    let callback = sandbox.approve(login.url.as_str()).await?;
    Ok(app.finish(login.pending, &callback).await?)
}}

#[tokio::test]
async fn a_user_logs_in() -> Done {{
    let sandbox = bank().await?;
    let connection = log_in(&sandbox).await?;
    // What it was granted, until when; no token.
    println!("{{:?}}", connection.info().ok_or("there is no grant")?);
    Ok(())
}}
"#
        );
    } else {
        let _ = write!(
            out,
            r#"fn client(sandbox: &Sandbox) -> Result<{module}::Client, Box<dyn std::error::Error>> {{
    let {client} = sandbox.client("{id}");
    Ok({module}::Client::builder()
        .base_url(sandbox.url("{id}"))
        .oauth_base_url(sandbox.oauth_url("{id}"))
        .credentials({credentials})
        .client_credentials({scopes}){keys}
        .build()?)
}}
"#
        );
    }
    let client = match by_browser {
        true => "let connection = log_in(&sandbox).await?;\n    let client = connection.client();",
        false => "let client = client(&sandbox)?;",
    };
    calls(document, module, id, client, &mut out);
    out
}

/// A list and a call that does something, each where the document has one.
fn calls(document: &Specification, module: &str, id: &str, client: &str, out: &mut String) {
    let reads = |paged: bool| {
        document.operations.iter().find(|operation| {
            operation.effect == Effect::Safe && operation.pagination.is_some() == paged && is_plain(document, operation)
        })
    };
    let list = reads(true).or_else(|| reads(false));
    if let Some(operation) = list {
        let end = match operation.pagination {
            Some(_) => ".items().try_collect().await?;",
            None => ".send().await?;",
        };
        let _ = write!(
            out,
            r#"
#[tokio::test]
async fn {id}_answers() -> Done {{
    let sandbox = bank().await?;
    {client}
    let found = client.{id}(){arguments}{end}
    println!("{{found:?}}");
    Ok(())
}}
"#,
            id = operation.id,
            arguments = arguments(document, operation),
        );
    }
    let acts = document.operations.iter().find(|operation| {
        operation.effect == Effect::Neither && body_of(document, operation).is_some() && is_plain(document, operation)
    });
    if let Some((operation, (type_name, value))) =
        acts.and_then(|operation| Some((operation, body_of(document, operation)?)))
    {
        let _ = write!(
            out,
            r###"
/// A call that does something is not repeated behind your back, and what is not known of it can be looked up.
#[tokio::test]
async fn {id}_acts_once() -> Done {{
    let sandbox = bank().await?;
    {client}
    let body: {module}::types::{type_name} = serde_json::from_str(r##"{value}"##)?;
    let prepared = client.{id}(){arguments}.body(body).prepare()?;
    let reply = prepared.send().await?;
    println!("{{reply:?}}");
    let sent = sandbox.requests("{provider}");
    assert_eq!(sent.iter().filter(|request| request.operation.as_deref() == Some("{id}")).count(), 1);
    Ok(())
}}
"###,
            id = operation.id,
            provider = id,
            arguments = arguments(document, operation),
        );
    }
}

/// The test of a bank that takes keys alone.
fn of_keys(document: &Specification, module: &str, id: &str) -> String {
    let keys = registered_keys(document);
    let pair = match takes_pair(document) {
        true => "\n        .access_key(registered.access_key.clone(), registered.access_key_secret.clone())",
        false => "",
    };
    let mut out = format!(
        r#"//! The client against the bank, played from the same document: no account at the bank is needed.

use finrail::sandbox::Sandbox;

type Done = Result<(), Box<dyn std::error::Error>>;

async fn bank() -> Result<Sandbox, Box<dyn std::error::Error>> {{
    let bundle = include_str!("../specs/{id}/bundle.json");
    Ok(Sandbox::start_from(([127, 0, 0, 1], 0).into(), &[bundle]).await?)
}}

fn client(sandbox: &Sandbox) -> Result<{module}::Client, Box<dyn std::error::Error>> {{
    let registered = sandbox.client("{id}");
    Ok({module}::Client::builder()
        .base_url(sandbox.url("{id}")){pair}{keys}
        .build()?)
}}
"#
    );
    calls(document, module, id, "let client = client(&sandbox)?;", &mut out);
    out
}

/// The keys that calls take, by the names of their schemes, each once.
pub(super) fn keys(document: &Specification) -> Vec<&str> {
    let mut keys: Vec<&str> = Vec::new();
    for key in document.operations.iter().flat_map(|operation| &operation.keys) {
        if !keys.contains(&key.scheme.as_str()) {
            keys.push(&key.scheme);
        }
    }
    keys
}

/// The setters of those keys; the sandbox has one value for all of them.
fn registered_keys(document: &Specification) -> String {
    let setter = |key: &str| format!("\n        .key({key:?}, registered.key.clone())");
    keys(document).into_iter().map(setter).collect()
}

/// Whether calls take a name and a password in HTTP Basic.
pub(super) fn takes_pair(document: &Specification) -> bool {
    let calls = document
        .operations
        .iter()
        .filter(|operation| operation.client == ClientKind::Api);
    calls
        .flat_map(|operation| &operation.security)
        .any(|way| *way == Requirement::AccessKey)
}

/// The scopes of a grant as they are written in Rust.
fn scopes(document: &Specification, module: &str, grant: Grant) -> String {
    let all: BTreeSet<&str> = document
        .flows
        .iter()
        .flat_map(|flow| &flow.scopes)
        .map(|(scope, _)| scope.as_str())
        .collect();
    let names: BTreeMap<&str, String> = all.iter().copied().zip(scope_names(all.iter().copied())).collect();
    let named: Vec<String> = document
        .scopes_of(grant)
        .into_iter()
        .filter_map(|scope| Some(format!("{module}::Scope::{}", names.get(scope)?)))
        .collect();
    let single = document.oauth.as_ref().is_some_and(|oauth| oauth.single_scope);
    match named.as_slice() {
        [] => "finrail::NO_SCOPES".to_owned(),
        [first, ..] if single => format!("[{first}]"),
        all => format!("[{}]", all.join(", ")),
    }
}

/// A call of a user's token that needs nothing which only a bank could say.
fn is_plain(document: &Specification, operation: &Operation) -> bool {
    operation.client == ClientKind::Api
        && !operation.browser
        && (operation.scopes().is_some() || document.oauth.is_none())
        && operation.parameters.iter().all(|parameter| {
            !parameter.required || (parameter.place != Place::Path && argument(document, parameter).is_some())
        })
        && operation
            .successes()
            .next()
            .is_some_and(|reply| reply.contents.iter().all(|content| is_json(&content.media_type)))
}

/// The type of the body that an operation takes, and one that fits it: the first example, or what is made of the schema.
fn body_of(document: &Specification, operation: &Operation) -> Option<(String, Json)> {
    let content = operation.sent().filter(|content| is_json(&content.media_type))?;
    let type_name = type_of_body(document, operation, &content.schema)?;
    let example = content.examples.first().map(|(_, example)| example.clone());
    let made = || Some(made::request(document, &content.schema));
    let body = example
        .filter(|example| fits(document, &content.schema, example))
        .or_else(made)
        .filter(|body| fits(document, &content.schema, body))?;
    Some((type_name, body))
}

/// What the type of a body is called: as its schema is, or after its operation where that has no name.
fn type_of_body(document: &Specification, operation: &Operation, schema: &Json) -> Option<String> {
    if let Some(reference) = schema.get("$ref") {
        return reference.as_str()?.rsplit('/').next().map(str::to_owned);
    }
    let is_object = document.kind(schema) == Some("object") && !document.properties(schema).is_empty();
    let name = format!("{}Body", pascal_case(&operation.id));
    let is_taken = document.schemas().iter().any(|(known, _)| *known == name);
    (is_object && !is_taken).then_some(name)
}

/// Whether a value is what its schema says.
fn fits(document: &Specification, schema: &Json, value: &Json) -> bool {
    let read = |json: &Json| serde_json::from_str::<serde_json::Value>(&json.to_string()).ok();
    let Some(((root, schema), value)) = read(document.root()).zip(read(schema)).zip(read(value)) else {
        return false;
    };
    // What is no schema is told elsewhere.
    let validator = Schemas::new(&root).and_then(|schemas| schemas.validator(&schema));
    validator.is_ok_and(|validator| validator.is_valid(&value))
}

/// The setters of what a call must have.
fn arguments(document: &Specification, operation: &Operation) -> String {
    let needed = operation.parameters.iter().filter(|parameter| parameter.required);
    let setters = needed.filter_map(|parameter| {
        let name = parameter
            .rust_name
            .clone()
            .unwrap_or_else(|| snake_case(&parameter.name));
        Some(format!(".{}({})", ident_name(&name), argument(document, parameter)?))
    });
    setters.collect()
}

/// An argument, where it is a text or a number.
fn argument(document: &Specification, parameter: &Parameter) -> Option<String> {
    let value = parameter
        .example
        .clone()
        .unwrap_or_else(|| made::reply(document, &parameter.schema));
    let format = document.keyword(&parameter.schema, "format").and_then(Json::as_str);
    let kind = document.kind(&parameter.schema);
    // A type of its own takes no text and no number, unless it is an enum.
    let is_named = parameter.schema.get("$ref").is_some() || parameter.schema.get("allOf").is_some();
    if is_named && document.keyword(&parameter.schema, "enum").is_none() {
        return None;
    }
    match (value, format) {
        (Json::String(text), None) if kind == Some("string") => Some(format!("{text:?}")),
        (Json::String(text), Some("decimal")) => Some(format!("{text:?}")),
        (Json::Number(digits), Some("decimal")) => Some(format!("\"{digits}\"")),
        (Json::Number(digits), _) if kind == Some("integer") && digits.parse::<i32>().is_ok() => Some(digits),
        _ => None,
    }
}
