//! The tool against itself: each provider's evidence is made from its specification, changed in one
//! way, and must be found with the class that the change deserves. A silent "nothing changed" fails.

#![allow(clippy::panic)]

mod support;

use serde_json::{Value, json};
use support::speak;
use xtask::drift::{self, Options, Source};
use xtask::workspace::Workspace;

const PROVIDERS: [&str; 5] = ["finexer", "mx", "ofx", "omnifund", "tatrabanka"];

fn workspace() -> Workspace {
    Workspace::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn bundle(provider: &str) -> Value {
    let text = workspace()
        .read(&Workspace::bundle(provider))
        .ok()
        .flatten()
        .unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{provider}: {error}"))
}

/// The findings of one run, as `rule class`.
fn findings(provider: &str, kind: &str, evidence: &str) -> Vec<(String, String)> {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!(
        "mutation-{provider}-{kind}-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::write(&file, evidence).unwrap_or_else(|error| panic!("{error}"));
    let place = file.display().to_string();
    let options = Options {
        provider: provider.to_owned(),
        evidence: match kind {
            "openapi" => Source::Openapi(place),
            "metadata" => Source::Metadata(place),
            "har" => Source::Har { place, scrub: None },
            _ => Source::Docs {
                place,
                page: Some("https://made-up.example".to_owned()),
                accept: false,
            },
        },
        json: true,
        today: "2026-11-22".to_owned(),
    };
    let (_, said) = speak(|shell| drift::run(&workspace(), &options, shell));
    let _ = std::fs::remove_file(file);
    let report: Value =
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{provider} {kind}: {error}\n{said}"));
    let all = report["findings"].as_array().cloned().unwrap_or_default();
    let word = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    all.iter()
        .map(|finding| (word(finding, "rule"), word(finding, "class")))
        .collect()
}

struct Tally {
    caught: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn new() -> Self {
        Self {
            caught: 0,
            wrong: Vec::new(),
        }
    }

    /// The strongest finding must have the class.
    fn expect(&mut self, provider: &str, kind: &str, mutation: &str, class: &str, evidence: &str) {
        let order = ["docs-only", "additive", "unhandled", "source-breaking", "wire-breaking"];
        let found = findings(provider, kind, evidence);
        let strongest = found
            .iter()
            .max_by_key(|(_, class)| order.iter().position(|it| it == class));
        let ok = match (strongest, class) {
            (None, "nothing") => true,
            (Some((_, found)), class) => found == class,
            _ => false,
        };
        if ok {
            self.caught += 1;
        } else {
            self.wrong.push(format!(
                "{provider} {kind}: {mutation}: expected {class}, found {found:?}"
            ));
        }
    }

    fn done(self, what: &str) {
        assert!(
            self.wrong.is_empty(),
            "{} caught, {} wrong:\n{}",
            self.caught,
            self.wrong.len(),
            self.wrong.join("\n")
        );
        println!("{what}: {} mutations, each found with its class", self.caught);
    }
}

/// Every JSON pointer to an object that satisfies a condition, in the order of the document.
fn pointers(value: &Value, fits: &dyn Fn(&str, &Value) -> bool) -> Vec<String> {
    fn walk(value: &Value, at: &str, fits: &dyn Fn(&str, &Value) -> bool, found: &mut Vec<String>) {
        if fits(at, value) {
            found.push(at.to_owned());
        }
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    walk(value, &format!("{at}/{key}"), fits, found);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    walk(value, &format!("{at}/{index}"), fits, found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, "", fits, &mut found);
    found
}

/// Schemas by the direction in which operations carry them.
fn reached(bundle: &Value, requests: bool) -> Vec<String> {
    let usage = xtask::usage::Usage::of(bundle);
    let names = bundle
        .pointer("/components/schemas")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    names
        .keys()
        .filter(|name| {
            if requests {
                usage.in_requests(name) && !usage.in_replies(name)
            } else {
                usage.in_replies(name) && !usage.in_requests(name)
            }
        })
        .filter(|name| !["TokenRequest", "TokenResponse", "OAuthError", "RevocationRequest"].contains(&name.as_str()))
        .cloned()
        .collect()
}

fn api_operation(bundle: &Value, fits: &dyn Fn(&Value) -> bool) -> Option<String> {
    pointers(bundle, &|at, value| {
        at.starts_with("/paths/")
            && at.matches('/').count() == 3
            && value.get("operationId").is_some()
            && value.get("x-client").is_none()
            && fits(value)
    })
    .into_iter()
    .next()
}

#[test]
fn each_mutation_of_a_document_is_found() {
    let mut tally = Tally::new();
    for provider in PROVIDERS {
        let original = bundle(provider);
        let mut check = |mutation: &str, class: &str, change: &dyn Fn(&mut Value) -> bool| {
            let mut mutated = original.clone();
            if change(&mut mutated) {
                tally.expect(provider, "openapi", mutation, class, &mutated.to_string());
            }
        };
        check("nothing", "nothing", &|_| true);
        check("description edited", "docs-only", &|document| {
            let Some(at) = api_operation(document, &|_| true) else {
                return false;
            };
            document
                .pointer_mut(&format!("{at}/description"))
                .map(|text| *text = json!("Other words."))
                .is_some()
        });
        check("endpoint renamed", "wire-breaking", &|document| {
            let paths = document["paths"].as_object_mut();
            let Some(paths) = paths else { return false };
            let Some(path) = paths.keys().find(|path| !path.contains("oauth")).cloned() else {
                return false;
            };
            let item = paths.shift_remove(&path).unwrap_or_default();
            paths.insert(format!("/v9{path}"), item);
            true
        });
        check("endpoint removed", "wire-breaking", &|document| {
            let Some(at) = api_operation(document, &|_| true) else {
                return false;
            };
            let (item, method) = at.rsplit_once('/').unwrap_or_default();
            document
                .pointer_mut(item)
                .and_then(Value::as_object_mut)
                .and_then(|item| item.shift_remove(method))
                .is_some()
        });
        check("endpoint added", "additive", &|document| {
            document["paths"]["/brand-new"] =
                json!({"get": {"operationId": "x", "responses": {"200": {"description": "x"}}}});
            true
        });
        check("required parameter added", "wire-breaking", &|document| {
            let Some(at) = api_operation(document, &|_| true) else {
                return false;
            };
            let parameter = json!({"name": "brand_new", "in": "query", "required": true, "schema": {"type": "string"}});
            let operation = document.pointer_mut(&at).and_then(Value::as_object_mut);
            let Some(operation) = operation else { return false };
            let list = operation.entry("parameters").or_insert_with(|| json!([]));
            list.as_array_mut().map(|list| list.push(parameter)).is_some()
        });
        check("optional parameter added", "additive", &|document| {
            let Some(at) = api_operation(document, &|_| true) else {
                return false;
            };
            let parameter = json!({"name": "brand_new", "in": "query", "schema": {"type": "string"}});
            let operation = document.pointer_mut(&at).and_then(Value::as_object_mut);
            let Some(operation) = operation else { return false };
            let list = operation.entry("parameters").or_insert_with(|| json!([]));
            list.as_array_mut().map(|list| list.push(parameter)).is_some()
        });
        check("parameter made required", "wire-breaking", &|document| {
            let optional = pointers(document, &|at, value| {
                at.contains("/parameters/")
                    && value["in"] == "query"
                    && value["required"] != true
                    && !at.contains("oauth")
            });
            optional
                .first()
                .and_then(|at| document.pointer_mut(at))
                .map(|parameter| parameter["required"] = json!(true))
                .is_some()
        });
        check("parameter removed", "source-breaking", &|document| {
            let Some(at) = api_operation(document, &|operation| {
                operation["parameters"]
                    .as_array()
                    .is_some_and(|list| list.iter().any(|it| it["in"] == "query"))
            }) else {
                return false;
            };
            let list = document
                .pointer_mut(&format!("{at}/parameters"))
                .and_then(Value::as_array_mut);
            list.map(|list| list.retain(|parameter| parameter["in"] != "query"))
                .is_some()
        });
        let field = |document: &Value,
                     names: &[String],
                     fits: &dyn Fn(&Value, &str, &Value) -> bool|
         -> Option<(String, String)> {
            for name in names {
                let schema = &document["components"]["schemas"][name];
                if schema["x-wrapper-key"] == true {
                    continue;
                }
                for (property, value) in schema["properties"].as_object()?.iter() {
                    if fits(schema, property, value) {
                        return Some((name.clone(), property.clone()));
                    }
                }
            }
            None
        };
        let objects = |requests: bool| -> Vec<String> {
            reached(&original, requests)
                .into_iter()
                .filter(|name| original["components"]["schemas"][name]["properties"].is_object())
                .collect()
        };
        let required = |schema: &Value, name: &str| {
            schema["required"]
                .as_array()
                .is_some_and(|list| list.iter().any(|it| it == name))
        };
        let replies = objects(false);
        let requests = objects(true);
        check("reply field removed", "source-breaking", &|document| {
            let Some((name, property)) = field(document, &replies, &|schema, name, _| !required(schema, name)) else {
                return false;
            };
            let properties = document["components"]["schemas"][&name]["properties"].as_object_mut();
            properties.and_then(|all| all.shift_remove(&property)).is_some()
        });
        check("required reply field removed", "wire-breaking", &|document| {
            let Some((name, property)) = field(document, &replies, &|schema, name, _| required(schema, name)) else {
                return false;
            };
            let schema = &mut document["components"]["schemas"][&name];
            if let Some(list) = schema["required"].as_array_mut() {
                list.retain(|it| *it != property.as_str());
            }
            schema["properties"]
                .as_object_mut()
                .and_then(|all| all.shift_remove(&property))
                .is_some()
        });
        check("required reply field made optional", "wire-breaking", &|document| {
            let Some((name, property)) = field(document, &replies, &|schema, name, _| required(schema, name)) else {
                return false;
            };
            let list = document["components"]["schemas"][&name]["required"].as_array_mut();
            list.map(|list| list.retain(|it| *it != property.as_str())).is_some()
        });
        check("reply field added", "additive", &|document| {
            let Some((name, _)) = field(document, &replies, &|_, _, _| true) else {
                return false;
            };
            document["components"]["schemas"][&name]["properties"]["brand_new"] = json!({"type": "string"});
            true
        });
        check("reply field made something else", "wire-breaking", &|document| {
            let plain = |_: &Value, _: &str, value: &Value| {
                value["type"] == "string" && value.get("x-lenient").is_none() && value.get("format").is_none()
            };
            let Some((name, property)) = field(document, &replies, &plain) else {
                return false;
            };
            document["components"]["schemas"][&name]["properties"][&property] = json!({"type": "object"});
            true
        });
        check("request field made required", "wire-breaking", &|document| {
            let Some((name, property)) = field(document, &requests, &|schema, name, _| !required(schema, name)) else {
                return false;
            };
            let schema = document["components"]["schemas"][&name].as_object_mut();
            let Some(schema) = schema else { return false };
            let list = schema.entry("required").or_insert_with(|| json!([]));
            list.as_array_mut().map(|list| list.push(json!(property))).is_some()
        });
        check("request field removed", "source-breaking", &|document| {
            let Some((name, property)) = field(document, &requests, &|schema, name, _| !required(schema, name)) else {
                return false;
            };
            let properties = document["components"]["schemas"][&name]["properties"].as_object_mut();
            properties.and_then(|all| all.shift_remove(&property)).is_some()
        });
        let enums = |requests: bool| -> Vec<String> {
            let names = reached(&original, requests);
            names
                .into_iter()
                .filter(|name| original["components"]["schemas"][name]["enum"].is_array())
                .collect()
        };
        check("enum value added to a reply", "additive", &|document| {
            let Some(name) = enums(false).into_iter().next() else {
                return false;
            };
            document["components"]["schemas"][&name]["enum"]
                .as_array_mut()
                .map(|list| list.push(json!("brand_new")))
                .is_some()
        });
        check("enum value removed from a reply", "source-breaking", &|document| {
            let Some(name) = enums(false).into_iter().next() else {
                return false;
            };
            document["components"]["schemas"][&name]["enum"]
                .as_array_mut()
                .and_then(Vec::pop)
                .is_some()
        });
        check("enum value removed from a request", "wire-breaking", &|document| {
            let Some(name) = enums(true).into_iter().next() else {
                return false;
            };
            document["components"]["schemas"][&name]["enum"]
                .as_array_mut()
                .and_then(Vec::pop)
                .is_some()
        });
        check("success status changed", "wire-breaking", &|document| {
            let Some(at) = api_operation(document, &|operation| operation["responses"].get("200").is_some()) else {
                return false;
            };
            let responses = document
                .pointer_mut(&format!("{at}/responses"))
                .and_then(Value::as_object_mut);
            let Some(responses) = responses else { return false };
            let reply = responses.shift_remove("200").unwrap_or_default();
            responses.insert("203".to_owned(), reply);
            true
        });
        check("reply in another media type", "wire-breaking", &|document| {
            let Some(at) = api_operation(document, &|operation| {
                operation["responses"]["200"]["content"]
                    .get("application/json")
                    .is_some()
            }) else {
                return false;
            };
            let content = document
                .pointer_mut(&format!("{at}/responses/200/content"))
                .and_then(Value::as_object_mut);
            let Some(content) = content else { return false };
            let media = content.shift_remove("application/json").unwrap_or_default();
            content.insert("application/xml".to_owned(), media);
            true
        });
        check("scope dropped", "wire-breaking", &|document| {
            let mut dropped = false;
            let flows = document["components"]["securitySchemes"]["oauth"]["flows"].as_object_mut();
            for flow in flows.into_iter().flatten().map(|(_, flow)| flow) {
                let scopes = flow["scopes"].as_object_mut();
                let first = scopes.as_ref().and_then(|scopes| scopes.keys().next().cloned());
                if let (Some(scopes), Some(first)) = (scopes, first) {
                    dropped |= scopes.shift_remove(&first).is_some();
                }
            }
            dropped && provider != "tatrabanka"
        });
        check("scope added", "additive", &|document| {
            let flows = document["components"]["securitySchemes"]["oauth"]["flows"].as_object_mut();
            flows
                .into_iter()
                .flatten()
                .map(|(_, flow)| flow["scopes"]["brand_new"] = json!("New."))
                .count()
                > 0
        });
        check("another scope needed", "wire-breaking", &|document| {
            let Some(at) = api_operation(document, &|operation| operation["security"][0].get("oauth").is_some()) else {
                return false;
            };
            document
                .pointer_mut(&format!("{at}/security/0/oauth"))
                .map(|scopes| *scopes = json!(["brand_new"]))
                .is_some()
        });
        check("refresh lifetime shortened", "wire-breaking", &|document| {
            let lifetime = &mut document["components"]["securitySchemes"]["oauth"]["x-oauth"]["refresh"]["lifetime"];
            let seconds = lifetime.as_u64();
            seconds.map(|seconds| *lifetime = json!(seconds / 2)).is_some()
        });
        check("client authentication withdrawn", "wire-breaking", &|document| {
            document["components"]["securitySchemes"]["oauth"]["x-oauth"]["client_authentication"] =
                json!({"default": "none"});
            true
        });
        check("token endpoint moved", "wire-breaking", &|document| {
            let flows = document["components"]["securitySchemes"]["oauth"]["flows"].as_object_mut();
            flows
                .into_iter()
                .flatten()
                .map(|(_, flow)| flow["tokenUrl"] = json!("https://elsewhere.example/token"))
                .count()
                > 0
        });
        check("host moved", "wire-breaking", &|document| {
            let servers = document["servers"].as_array_mut();
            let Some(servers) = servers else { return false };
            if servers
                .iter()
                .any(|server| server["url"].as_str().unwrap_or_default().contains('{'))
            {
                return false;
            }
            servers
                .iter_mut()
                .for_each(|server| server["url"] = json!("https://elsewhere.example"));
            true
        });
        check("operation deprecated", "docs-only", &|document| {
            let Some(at) = api_operation(document, &|_| true) else {
                return false;
            };
            document
                .pointer_mut(&at)
                .map(|operation| operation["deprecated"] = json!(true))
                .is_some()
        });
    }
    tally.done("documents");
}

/// What an authorization server that behaves as the specification says would publish.
fn metadata_of(bundle: &Value) -> Value {
    let oauth = &bundle["components"]["securitySchemes"]["oauth"];
    let flow = &oauth["flows"]["authorizationCode"];
    let at = |key: &str| flow[key].clone();
    let servers = bundle["servers"].as_array().cloned().unwrap_or_default();
    let server = servers
        .iter()
        .find(|server| server["x-client"] == "oauth")
        .or(servers.first())
        .cloned()
        .unwrap_or_default();
    let base = server["url"]
        .as_str()
        .unwrap_or_default()
        .replace("{host}", "bank.example");
    let host = base.split('/').take(3).collect::<Vec<_>>().join("/");
    let x = &oauth["x-oauth"];
    let methods: Vec<String> = x["client_authentication"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, way)| way.as_str().map(str::to_owned))
        .collect();
    let mut metadata = json!({
        "issuer": host,
        "authorization_endpoint": at("authorizationUrl"),
        "token_endpoint": at("tokenUrl"),
        "response_types_supported": ["code"],
        "grant_types_supported": x["grants"],
        "token_endpoint_auth_methods_supported": methods,
    });
    let mut scopes: Vec<String> = Vec::new();
    for flow in oauth["flows"].as_object().into_iter().flatten().map(|(_, flow)| flow) {
        scopes.extend(
            flow["scopes"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(scope, _)| scope.clone()),
        );
    }
    if !scopes.is_empty() {
        metadata["scopes_supported"] = json!(scopes);
    }
    if x["pkce"] == "required" {
        metadata["code_challenge_methods_supported"] = json!(["S256"]);
    }
    if let Some(revoke) = x["operations"]["revoke"].as_str() {
        let path = bundle["paths"].as_object().into_iter().flatten().find(|(_, item)| {
            item.as_object()
                .into_iter()
                .flatten()
                .any(|(_, operation)| operation["operationId"] == revoke)
        });
        metadata["revocation_endpoint"] = json!(format!("{base}{}", path.map_or("", |(path, _)| path)));
    }
    metadata
}

#[test]
fn each_mutation_of_metadata_is_found() {
    let mut tally = Tally::new();
    for provider in PROVIDERS {
        let bundle = bundle(provider);
        let original = metadata_of(&bundle);
        let mut check = |mutation: &str, class: &str, change: &dyn Fn(&mut Value) -> bool| {
            let mut mutated = original.clone();
            if change(&mut mutated) {
                tally.expect(provider, "metadata", mutation, class, &mutated.to_string());
            }
        };
        check("nothing", "nothing", &|_| true);
        check("token endpoint moved", "wire-breaking", &|metadata| {
            metadata["token_endpoint"] = json!("https://elsewhere.example/oauth/v99");
            true
        });
        check("authorization endpoint moved", "wire-breaking", &|metadata| {
            metadata["authorization_endpoint"] = json!("https://elsewhere.example/go");
            true
        });
        check("issuer moved", "wire-breaking", &|metadata| {
            metadata["issuer"] = json!("https://elsewhere.example");
            provider != "mx"
        });
        check("issuer missing", "unhandled", &|metadata| {
            metadata
                .as_object_mut()
                .and_then(|it| it.shift_remove("issuer"))
                .is_some()
        });
        check("grant withdrawn", "wire-breaking", &|metadata| {
            metadata["grant_types_supported"] = json!(["refresh_token"]);
            true
        });
        check("grant added", "additive", &|metadata| {
            metadata["grant_types_supported"]
                .as_array_mut()
                .map(|list| list.push(json!("urn:ietf:params:oauth:grant-type:device_code")))
                .is_some()
        });
        check("client authentication withdrawn", "wire-breaking", &|metadata| {
            metadata["token_endpoint_auth_methods_supported"] = json!(["private_key_jwt"]);
            true
        });
        check("client authentication added", "additive", &|metadata| {
            metadata["token_endpoint_auth_methods_supported"]
                .as_array_mut()
                .map(|list| list.push(json!("private_key_jwt")))
                .is_some()
        });
        check("PKCE method withdrawn", "wire-breaking", &|metadata| {
            metadata.get("code_challenge_methods_supported").is_some() && {
                metadata["code_challenge_methods_supported"] = json!(["plain"]);
                true
            }
        });
        check("PKCE added", "additive", &|metadata| {
            metadata.get("code_challenge_methods_supported").is_none() && {
                metadata["code_challenge_methods_supported"] = json!(["S256"]);
                true
            }
        });
        check("scope dropped", "wire-breaking", &|metadata| {
            metadata
                .get_mut("scopes_supported")
                .and_then(Value::as_array_mut)
                .and_then(Vec::pop)
                .is_some_and(|dropped| {
                    let left = metadata["scopes_supported"].as_array().cloned().unwrap_or_default();
                    if let Some(list) = metadata["scopes_supported"].as_array_mut() {
                        list.retain(|scope| *scope != dropped);
                    }
                    !left.is_empty()
                })
        });
        check("scope added", "additive", &|metadata| {
            metadata
                .get_mut("scopes_supported")
                .and_then(Value::as_array_mut)
                .map(|list| list.push(json!("brand_new")))
                .is_some()
        });
        check("revocation endpoint moved", "wire-breaking", &|metadata| {
            metadata.get("revocation_endpoint").is_some() && {
                metadata["revocation_endpoint"] = json!("https://elsewhere.example/gone");
                true
            }
        });
        check("revocation endpoint added", "additive", &|metadata| {
            metadata.get("revocation_endpoint").is_none() && {
                metadata["revocation_endpoint"] = json!("https://elsewhere.example/revoke");
                true
            }
        });
        check("pushed requests demanded", "wire-breaking", &|metadata| {
            metadata["require_pushed_authorization_requests"] = json!(true);
            true
        });
        check("code no longer a response type", "wire-breaking", &|metadata| {
            metadata["response_types_supported"] = json!(["token"]);
            true
        });
    }
    tally.done("metadata");
}

/// A recording in which every operation is called as its examples show.
fn traffic_of(bundle: &Value) -> Value {
    let servers = bundle["servers"].as_array().cloned().unwrap_or_default();
    let api = servers
        .iter()
        .find(|server| server.get("x-client").is_none())
        .cloned()
        .unwrap_or_default();
    let oauth = servers
        .iter()
        .find(|server| server["x-client"] == "oauth")
        .cloned()
        .unwrap_or(api.clone());
    let url = |server: &Value| {
        server["url"]
            .as_str()
            .unwrap_or_default()
            .replace("{host}", "bank.example")
    };
    let mut entries = Vec::new();
    for (path, item) in bundle["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if operation["x-browser"] == true {
                continue;
            }
            let mut path = path.clone();
            let mut query = Vec::new();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap_or_default();
                let example = match &parameter["example"] {
                    Value::String(text) => text.clone(),
                    Value::Null => "x".to_owned(),
                    Value::Array(items) => items
                        .first()
                        .map(|item| item.as_str().map_or(item.to_string(), str::to_owned))
                        .unwrap_or_default(),
                    other => other.to_string(),
                };
                match parameter["in"].as_str() {
                    Some("path") => path = path.replace(&format!("{{{name}}}"), &example),
                    Some("query") if !parameter["example"].is_null() => query.push(format!("{name}={example}")),
                    _ => {}
                }
            }
            let base = if operation["x-client"] == "oauth" {
                url(&oauth)
            } else {
                url(&api)
            };
            let question = if query.is_empty() { "" } else { "?" };
            let mut request = json!({
                "method": method.to_uppercase(),
                "url": format!("{base}{path}{question}{}", query.join("&")),
                "headers": [{"name": "Authorization", "value": "Bearer planted-secret-token"}],
            });
            let example = |media: &Value| -> Value {
                let first = media["examples"]
                    .as_object()
                    .and_then(|all| all.values().next())
                    .map(|example| example["value"].clone());
                media.get("example").cloned().or(first).unwrap_or(Value::Null)
            };
            if let Some((media, body)) = operation["requestBody"]["content"]
                .as_object()
                .and_then(|content| content.iter().next())
            {
                let body = example(body);
                let text = if media.contains("form") {
                    let pairs = body.as_object().into_iter().flatten();
                    let pairs: Vec<String> = pairs
                        .filter(|(_, value)| value.is_string())
                        .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
                        .collect();
                    pairs.join("&")
                } else {
                    body.to_string()
                };
                request["postData"] = json!({"mimeType": media, "text": text});
            }
            let Some((status, reply)) = operation["responses"]
                .as_object()
                .into_iter()
                .flatten()
                .find(|(status, _)| status.starts_with('2'))
            else {
                continue;
            };
            let status: u64 = if status == "2XX" {
                200
            } else {
                status.parse().unwrap_or(200)
            };
            let content = reply["content"].as_object().and_then(|content| content.iter().next());
            let (media, text) = match content {
                Some((media, body)) if media.contains("json") => (media.clone(), example(body).to_string()),
                Some((media, _)) => (media.clone(), String::new()),
                None => (String::new(), String::new()),
            };
            entries.push(json!({
                "_operation": operation["operationId"],
                "startedDateTime": "2026-11-22T10:00:00Z",
                "request": request,
                "response": {"status": status, "headers": [], "content": {"mimeType": media, "text": text}},
            }));
        }
    }
    json!({"log": {"version": "1.2", "entries": entries}})
}

fn entry_with_object(traffic: &mut Value) -> Option<&mut Value> {
    traffic["log"]["entries"].as_array_mut()?.iter_mut().find(|entry| {
        let text = entry["response"]["content"]["text"].as_str().unwrap_or_default();
        entry["request"]["method"] == "GET" && text.starts_with('{') && text.len() > 2
    })
}

fn edit_reply(traffic: &mut Value, change: &dyn Fn(&mut Value)) -> bool {
    let Some(entry) = entry_with_object(traffic) else {
        return false;
    };
    let text = entry["response"]["content"]["text"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let mut reply: Value = serde_json::from_str(&text).unwrap_or_default();
    change(&mut reply);
    entry["response"]["content"]["text"] = json!(reply.to_string());
    true
}

#[test]
fn each_mutation_of_traffic_is_found() {
    let mut tally = Tally::new();
    for provider in PROVIDERS {
        let bundle = bundle(provider);
        let original = traffic_of(&bundle);
        let mut check = |mutation: &str, class: &str, change: &dyn Fn(&mut Value) -> bool| {
            let mut mutated = original.clone();
            if change(&mut mutated) {
                tally.expect(provider, "har", mutation, class, &mutated.to_string());
            }
        };
        check("nothing", "nothing", &|_| true);
        check("unknown field in a reply", "additive", &|traffic| {
            let known = |reply: &mut Value| reply["brand_new_field"] = json!("planted-secret-value");
            // An object whose extra fields are kept has none that are unknown.
            provider != "ofx" && edit_reply(traffic, &known)
        });
        check("reply is a list of numbers", "wire-breaking", &|traffic| {
            edit_reply(traffic, &|reply| *reply = json!(7))
        });
        check("reply is HTML", "wire-breaking", &|traffic| {
            entry_with_object(traffic)
                .map(|entry| entry["response"]["content"]["text"] = json!("<html>planted-secret-value</html>"))
                .is_some()
        });
        check("unknown success status", "wire-breaking", &|traffic| {
            let entries = traffic["log"]["entries"].as_array_mut().cloned().unwrap_or_default();
            let index = entries
                .iter()
                .position(|entry| entry["request"]["method"] == "GET" && bundle_describes_exact_status(&bundle, entry));
            index
                .map(|index| traffic["log"]["entries"][index]["response"]["status"] = json!(206))
                .is_some()
        });
        check("undescribed endpoint", "additive", &|traffic| {
            let Some(entry) = entry_with_object(traffic) else {
                return false;
            };
            let url = entry["request"]["url"]
                .as_str()
                .unwrap_or_default()
                .split('?')
                .next()
                .unwrap_or_default()
                .to_owned();
            entry["request"]["url"] = json!(format!("{url}/brand-new/thing"));
            true
        });
        check("undescribed parameter", "additive", &|traffic| {
            let Some(entry) = entry_with_object(traffic) else {
                return false;
            };
            let url = entry["request"]["url"].as_str().unwrap_or_default().to_owned();
            let join = if url.contains('?') { "&" } else { "?" };
            entry["request"]["url"] = json!(format!("{url}{join}brand_new=planted-secret-value"));
            true
        });
        check("refused requests say nothing", "nothing", &|traffic| {
            let Some(entry) = entry_with_object(traffic) else {
                return false;
            };
            let url = entry["request"]["url"].as_str().unwrap_or_default().to_owned();
            let join = if url.contains('?') { "&" } else { "?" };
            entry["request"]["url"] = json!(format!("{url}{join}brand_new=1"));
            entry["response"] =
                json!({"status": 400, "headers": [], "content": {"mimeType": "application/json", "text": ""}});
            true
        });
        check("another host", "nothing", &|traffic| {
            let more = json!({"request": {"method": "GET", "url": "https://tracker.example/a?b=c", "headers": []}, "response": {"status": 200, "content": {}}});
            provider != "mx"
                && traffic["log"]["entries"]
                    .as_array_mut()
                    .map(|entries| entries.push(more))
                    .is_some()
        });
    }
    tally.done("traffic");
}

fn bundle_describes_exact_status(bundle: &Value, entry: &Value) -> bool {
    let id = &entry["_operation"];
    bundle["paths"].as_object().into_iter().flatten().any(|(_, item)| {
        item.as_object().into_iter().flatten().any(|(_, operation)| {
            operation["operationId"] == *id
                && operation["responses"].get("200").is_some()
                && operation["responses"].get("2XX").is_none()
        })
    })
}

#[test]
fn a_scrubbed_recording_holds_no_value_and_tells_the_same() {
    for provider in PROVIDERS {
        let mut traffic = traffic_of(&bundle(provider));
        edit_reply(&mut traffic, &|reply| {
            if let Some(object) = reply.as_object_mut() {
                object.insert("brand_new_field".to_owned(), json!("planted-secret-value"));
            }
        });
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (recording, copy) = (
            folder.join(format!("{provider}.har")),
            folder.join(format!("{provider}-clean.har")),
        );
        std::fs::write(&recording, traffic.to_string()).unwrap_or_else(|error| panic!("{error}"));
        let run = |place: &std::path::Path, scrub: Option<&std::path::Path>| {
            let options = Options {
                provider: provider.to_owned(),
                evidence: Source::Har {
                    place: place.display().to_string(),
                    scrub: scrub.map(|path| path.display().to_string()),
                },
                json: true,
                today: "2026-11-22".to_owned(),
            };
            speak(|shell| drift::run(&workspace(), &options, shell)).1
        };
        let told = run(&recording, Some(&copy));
        assert!(!told.contains("planted-secret"), "{told}");
        let clean = std::fs::read_to_string(&copy).unwrap_or_default();
        assert!(!clean.contains("planted-secret"), "{provider}");
        let document: Value = serde_json::from_str(&clean).unwrap_or_default();
        assert_eq!(document["log"]["version"], "1.2");
        let rules = |report: &str| -> Vec<String> {
            let report: Value = serde_json::from_str(report).unwrap_or_default();
            let all = report["findings"].as_array().cloned().unwrap_or_default();
            all.iter()
                .map(|finding| finding["fingerprint"].as_str().unwrap_or_default().to_owned())
                .collect()
        };
        let again = run(&copy, None);
        assert_eq!(rules(&again), rules(&told), "{provider}: {again}");
    }
}

/// A documentation page that says what the specification says about the authorization server.
fn page_of(bundle: &Value) -> String {
    let oauth = &bundle["components"]["securitySchemes"]["oauth"];
    let x = &oauth["x-oauth"];
    let servers = bundle["servers"].as_array().cloned().unwrap_or_default();
    let server = servers
        .iter()
        .find(|server| server["x-client"] == "oauth")
        .or(servers.first())
        .cloned()
        .unwrap_or_default();
    let base = server["url"]
        .as_str()
        .unwrap_or_default()
        .replace("{host}", "base.url.com");
    let mut page = String::from("# Authorization\n\n");
    for (path, item) in bundle["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let roles = x["operations"].as_object().cloned().unwrap_or_default();
            if !roles.values().any(|id| *id == operation["operationId"]) {
                continue;
            }
            page.push_str(&format!("# {}\n\n", operation["summary"].as_str().unwrap_or_default()));
            page.push_str("Name | Required? | Notes |\n");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let needed = if parameter["required"] == true { "Yes" } else { "No" };
                page.push_str(&format!(
                    "{} | {needed} | - |\n",
                    parameter["name"].as_str().unwrap_or_default()
                ));
            }
            if operation["requestBody"].is_object() && roles["token"] == operation["operationId"] {
                page.push_str("grant_type | Yes | - |\ncode | No | - |\n");
            }
            page.push_str(&format!("\n{} {base}{path}\n", method.to_uppercase()));
            if operation["requestBody"].is_object() {
                page.push_str("Content-Type: application/x-www-form-urlencoded\n");
            }
            page.push('\n');
        }
    }
    let mut scopes: Vec<String> = Vec::new();
    for flow in oauth["flows"].as_object().into_iter().flatten().map(|(_, flow)| flow) {
        scopes.extend(
            flow["scopes"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(scope, _)| scope.clone()),
        );
    }
    scopes.sort();
    scopes.dedup();
    page.push_str("# Scopes\n\nScope | Required? | Resource |\n");
    for scope in &scopes {
        page.push_str(&format!("{scope} | No | - |\n"));
    }
    page.push_str("\n# Rules\n\n");
    for grant in x["grants"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        page.push_str(&format!("The grant type {grant} is supported.\n"));
    }
    for way in x["client_authentication"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, way)| way.as_str())
    {
        page.push_str(&format!("Clients use {way}.\n"));
    }
    if let Some(seconds) = x["refresh"]["lifetime"].as_u64() {
        page.push_str(&format!("Refresh tokens expire after {} days.\n", seconds / 86_400));
    }
    page
}

#[test]
fn each_mutation_of_a_page_is_found() {
    let mut tally = Tally::new();
    for provider in PROVIDERS {
        let bundle = bundle(provider);
        let original = page_of(&bundle);
        let project = support::Project::new(&format!("pages-{provider}"));
        let path = format!("specs/{provider}.yaml");
        project.write(
            &path,
            &workspace()
                .read(std::path::Path::new(&path))
                .ok()
                .flatten()
                .unwrap_or_default(),
        );
        let read = |page: &str, accept: bool| -> Vec<(String, String)> {
            project.write("page.txt", page);
            let options = Options {
                provider: provider.to_owned(),
                evidence: Source::Docs {
                    place: "page.txt".to_owned(),
                    page: Some("https://made-up.example/oauth".to_owned()),
                    accept,
                },
                json: true,
                today: "2026-11-22".to_owned(),
            };
            let (_, said) = speak(|shell| drift::run(&project.workspace(), &options, shell));
            let report: Value =
                serde_json::from_str(&said).unwrap_or_else(|error| panic!("{provider}: {error}\n{said}"));
            let word = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
            let all = report["findings"].as_array().cloned().unwrap_or_default();
            all.iter()
                .map(|finding| (word(finding, "rule"), word(finding, "class")))
                .collect()
        };
        let first = read(&original, true);
        assert!(first.is_empty(), "{provider}: {first:?}\n{original}");
        let x = &bundle["components"]["securitySchemes"]["oauth"]["x-oauth"];
        let path_of = |role: &str| -> String {
            let id = &x["operations"][role];
            let found = bundle["paths"].as_object().into_iter().flatten().find(|(_, item)| {
                item.as_object()
                    .into_iter()
                    .flatten()
                    .any(|(_, operation)| operation["operationId"] == *id)
            });
            found.map_or_else(String::new, |(path, _)| path.clone())
        };
        let token = path_of("token");
        let mut check = |mutation: &str, expected: &[(&str, &str)], page: String| {
            if page == original && !expected.is_empty() {
                return;
            }
            let found = read(&page, false);
            let expected: Vec<(String, String)> = expected
                .iter()
                .map(|(rule, class)| ((*rule).to_owned(), (*class).to_owned()))
                .collect();
            if found == expected {
                tally.caught += 1;
            } else {
                tally.wrong.push(format!(
                    "{provider} page: {mutation}: expected {expected:?}, found {found:?}"
                ));
            }
        };
        let versioned = match token.rsplit_once('/') {
            Some((before, last)) => format!("{before}/v99/{last}"),
            None => token.clone(),
        };
        check("nothing", &[], original.clone());
        check("other words", &[], original.replace("is supported", "can be used"));
        check(
            "token endpoint moved",
            &[("endpoint-moved", "wire-breaking")],
            original.replace(&format!("{token}\n"), &format!("{versioned}\n")),
        );
        check(
            "scope added",
            &[("scope-added", "additive")],
            original.replace("Resource |\n", "Resource |\nbrand_new | No | - |\n"),
        );
        let scope = original
            .lines()
            .skip_while(|line| !line.starts_with("Scope |"))
            .nth(1)
            .unwrap_or_default()
            .to_owned();
        if scope.contains('|') {
            check(
                "scope dropped",
                &[("scope-withdrawn", "wire-breaking")],
                original.replace(&format!("{scope}\n"), ""),
            );
        }
        check(
            "needed parameter added",
            &[("parameter-undescribed", "wire-breaking")],
            original.replacen("Notes |\n", "Notes |\nbrand_new | Yes | - |\n", 1),
        );
        check(
            "optional parameter added",
            &[("parameter-undescribed", "additive")],
            original.replacen("Notes |\n", "Notes |\nbrand_new | No | - |\n", 1),
        );
        check(
            "refresh lifetime shortened",
            &[("lifetime-changed", "wire-breaking")],
            original.replace("after 30 days", "after 14 days"),
        );
        check(
            "refresh lifetime lengthened",
            &[("lifetime-changed", "docs-only")],
            original.replace("after 30 days", "after 90 days"),
        );
        check(
            "grant added",
            &[("grant-added", "additive")],
            format!("{original}The grant type implicit is supported.\n"),
        );
        check(
            "form became JSON",
            &[("header-differs", "wire-breaking")],
            original.replacen("application/x-www-form-urlencoded", "application/json", 1),
        );
        check(
            "client authentication added",
            &[("client-authentication-added", "additive")],
            format!("{original}Clients may use private_key_jwt.\n"),
        );
        let refresh = "The grant type refresh_token is supported.\n";
        check(
            "grant withdrawn",
            &[("grant-withdrawn", "wire-breaking")],
            original.replace(refresh, ""),
        );
    }
    tally.done("pages");
}
