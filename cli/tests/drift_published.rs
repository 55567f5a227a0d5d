//! `cargo xtask drift --openapi`: our five specifications as their banks would publish them, in three dialects, are nothing new;
//! and of each change the right finding.

#![allow(clippy::panic)]

#[path = "drift_published/dress.rs"]
mod dress;
mod support;

use dress::{DRESSES, Dress, published};
use finrail_cli::drift::{self, Options, Source};
use finrail_cli::workspace::Workspace;
use serde_json::{Value, json};
use support::speak;

const PROVIDERS: [&str; 5] = ["finexer", "mx", "ofx", "omnifund", "tatrabanka"];

fn workspace() -> Workspace {
    Workspace::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."), "cargo xtask")
}

fn bundle(provider: &str) -> Value {
    let text = workspace().read(&workspace().bundle(provider)).ok().flatten();
    serde_json::from_str(&text.unwrap_or_default()).unwrap_or_else(|error| panic!("{provider}: {error}"))
}

/// The findings of one run as `rule class operation subject`, and what was covered.
fn run(provider: &str, name: &str, document: &Value, complete: bool) -> (Vec<String>, Vec<String>) {
    let file = format!(
        "published-{provider}-{}-{}.json",
        name.replace(' ', "-"),
        std::process::id()
    );
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
    std::fs::write(&file, document.to_string()).unwrap_or_else(|error| panic!("{error}"));
    let options = Options {
        provider: provider.to_owned(),
        evidence: Source::Openapi {
            place: file.display().to_string(),
            complete,
        },
        json: true,
        today: "2026-11-22".to_owned(),
    };
    let (_, said) = speak(|shell| drift::run(&workspace(), &options, shell));
    let _ = std::fs::remove_file(file);
    let report: Value =
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{provider} {name}: {error}\n{said}"));
    let word = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let all = report["findings"].as_array().cloned().unwrap_or_default();
    let told = |it: &Value| {
        format!(
            "{} {} {} {} | {}",
            word(it, "rule"),
            word(it, "class"),
            word(it, "operation"),
            word(it, "subject"),
            word(it, "what")
        )
    };
    let lines = report["coverage"]["lines"].as_array().cloned().unwrap_or_default();
    let lines = lines.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    (all.iter().map(told).collect(), lines)
}

#[test]
fn what_a_bank_publishes_of_the_same_is_nothing_new() {
    let mut wrong = Vec::new();
    for provider in PROVIDERS {
        let bundle = bundle(provider);
        for (name, dress) in DRESSES {
            for complete in [false, true] {
                let (found, lines) = run(provider, name, &published(&bundle, dress), complete);
                let is_read = lines.iter().any(|line| line.starts_with("read as"));
                if !found.is_empty() || !is_read {
                    wrong.push(format!("{provider}, {name}: {lines:?}\n  {}", found.join("\n  ")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A change of a document as a bank publishes it, and the finding that it is, by its beginning.
struct Change {
    what: &'static str,
    provider: &'static str,
    finding: &'static str,
    make: fn(&mut Value),
}

const CUSTOMERS: &str = "/paths/~1customers";

fn at<'d>(document: &'d mut Value, pointer: &str) -> &'d mut Value {
    match document.pointer_mut(pointer) {
        Some(value) => value,
        None => panic!("there is no {pointer}"),
    }
}

fn remove(document: &mut Value, pointer: &str, key: &str) {
    let object = at(document, pointer).as_object_mut();
    let removed = object.and_then(|object| object.shift_remove(key));
    assert!(removed.is_some(), "{pointer} has no {key}");
}

const CHANGES: &[Change] = &[
    Change {
        what: "a field goes",
        provider: "finexer",
        finding: "field-gone source-breaking get_customer reply.name",
        make: |it| remove(it, "/components/schemas/CustomerDto/properties", "name"),
    },
    Change {
        what: "a required field goes",
        provider: "finexer",
        finding: "field-gone wire-breaking get_customer reply.id",
        make: |it| {
            remove(it, "/components/schemas/CustomerDto", "required");
            remove(it, "/components/schemas/CustomerDto/properties", "id");
        },
    },
    Change {
        what: "a field is new",
        provider: "finexer",
        finding: "field-added additive get_customer reply.nickname",
        make: |it| at(it, "/components/schemas/CustomerDto/properties")["nickname"] = json!({"type": "string"}),
    },
    Change {
        what: "a field is something else",
        provider: "finexer",
        finding: "type-changed wire-breaking get_customer reply.name",
        make: |it| at(it, "/components/schemas/CustomerDto/properties/name")["type"] = json!("object"),
    },
    Change {
        what: "a field of one of two types",
        provider: "finexer",
        finding: "type-changed wire-breaking get_customer reply.name",
        make: |it| {
            *at(it, "/components/schemas/CustomerDto/properties/name") =
                json!({"oneOf": [{"type": "string"}, {"type": "integer"}]});
        },
    },
    Change {
        what: "a field of several kinds of object",
        provider: "finexer",
        finding: "schema-unread unhandled get_customer reply.name",
        make: |it| {
            *at(it, "/components/schemas/CustomerDto/properties/name") = json!({"oneOf": [
                {"type": "object", "properties": {"a": {"type": "string"}}},
                {"type": "string"},
            ]});
        },
    },
    Change {
        what: "a schema that contradicts itself",
        provider: "finexer",
        finding: "schema-unread unhandled get_customer reply.name",
        make: |it| {
            *at(it, "/components/schemas/CustomerDto/properties/name") =
                json!({"allOf": [{"type": "string"}, {"type": "object"}]});
        },
    },
    Change {
        what: "a field that is in a part goes",
        provider: "finexer",
        finding: "field-gone source-breaking get_customer reply.name",
        make: |it| {
            let mut schema = at(it, "/components/schemas/CustomerDto").clone();
            if let Some(properties) = schema["properties"].as_object_mut() {
                properties.shift_remove("name");
            }
            *at(it, "/components/schemas/CustomerDto") = json!({"allOf": [schema]});
        },
    },
    Change {
        what: "any media, and a field goes",
        provider: "finexer",
        finding: "field-gone source-breaking get_customer reply.name",
        make: |it| {
            let content = at(it, "/paths/~1customers~1{customer_id}/get/responses/200/content");
            *content = json!({"*/*": content["application/json"]});
            remove(it, "/components/schemas/CustomerDto/properties", "name");
        },
    },
    Change {
        what: "an operation becomes deprecated",
        provider: "finexer",
        finding: "operation-deprecated docs-only list_customers",
        make: |it| at(it, CUSTOMERS)["get"]["deprecated"] = json!(true),
    },
    Change {
        what: "an operation moves",
        provider: "finexer",
        finding: "endpoint-moved wire-breaking list_customers",
        make: |it| {
            let item = at(it, "/paths")
                .as_object_mut()
                .and_then(|all| all.shift_remove("/customers"));
            at(it, "/paths")["/v2/customers"] = item.unwrap_or_default();
        },
    },
    Change {
        what: "an operation goes",
        provider: "finexer",
        finding: "endpoint-gone wire-breaking list_providers",
        make: |it| remove(it, "/paths/~1providers", "get"),
    },
    Change {
        what: "an operation is in a file of its own",
        provider: "finexer",
        finding: "operation-unread unhandled list_providers",
        make: |it| at(it, "/paths")["/providers"] = json!({"$ref": "providers.yaml"}),
    },
    Change {
        what: "a parameter is in a file of its own",
        provider: "finexer",
        finding: "operation-unread unhandled list_providers",
        make: |it| at(it, "/paths/~1providers/get")["parameters"] = json!([{"$ref": "parameters.yaml#/All"}]),
    },
    Change {
        what: "an operation is new",
        provider: "finexer",
        finding: "endpoint-undescribed additive  GET /mandates",
        make: |it| at(it, "/paths")["/mandates"] = json!({"get": {"responses": {"200": {"description": "All."}}}}),
    },
    Change {
        what: "a parameter that must be",
        provider: "finexer",
        finding: "parameter-added wire-breaking list_customers since",
        make: |it| {
            at(it, CUSTOMERS)["parameters"] =
                json!([{"name": "since", "in": "query", "required": true, "schema": {"type": "string"}}]);
        },
    },
    Change {
        what: "a success of another status",
        provider: "finexer",
        finding: "status-added wire-breaking list_customers 203",
        make: |it| {
            let replies = at(it, "/paths/~1customers/get/responses");
            replies["203"] = replies["200"].clone();
        },
    },
    Change {
        what: "another host",
        provider: "finexer",
        finding: "host-gone wire-breaking  api.finexer.com",
        make: |it| it["servers"] = json!([{"url": "https://api.other.example"}]),
    },
    Change {
        what: "another base address",
        provider: "finexer",
        finding: "base-moved wire-breaking  api.finexer.com",
        make: |it| {
            it["servers"] = json!([{"url": "https://api.finexer.com/{v}", "variables": {"v": {"default": "v2"}}}])
        },
    },
    Change {
        what: "another host of one operation",
        provider: "finexer",
        finding: "base-moved wire-breaking list_providers list_providers",
        make: |it| at(it, "/paths/~1providers")["servers"] = json!([{"url": "https://other.example"}]),
    },
    Change {
        what: "another address of tokens",
        provider: "finexer",
        finding: "endpoint-moved wire-breaking  tokenUrl",
        make: |it| {
            at(it, "/components/securitySchemes/BankLogin/flows/authorizationCode")["tokenUrl"] =
                json!("https://finexer.com/v2/token");
        },
    },
    Change {
        what: "another address of the page",
        provider: "finexer",
        finding: "endpoint-moved wire-breaking  authorizationUrl",
        make: |it| {
            at(it, "/components/securitySchemes/BankLogin/flows/authorizationCode")["authorizationUrl"] =
                json!("https://login.finexer.com/oauth/");
        },
    },
    Change {
        what: "a scope goes",
        provider: "finexer",
        finding: "scope-withdrawn",
        make: |it| {
            let scopes = at(
                it,
                "/components/securitySchemes/BankLogin/flows/authorizationCode/scopes",
            );
            let first = scopes
                .as_object()
                .and_then(|all| all.keys().next().cloned())
                .unwrap_or_default();
            scopes.as_object_mut().and_then(|all| all.shift_remove(&first));
        },
    },
    Change {
        what: "text in the place of a number",
        provider: "finexer",
        finding: "type-changed wire-breaking list_customers limit",
        make: |it| {
            let all = at(it, "/paths/~1customers/get/parameters").as_array_mut();
            let limit = all.and_then(|all| all.iter_mut().find(|one| one["name"] == "limit"));
            limit
                .map(|limit| limit["schema"] = json!({"type": "string"}))
                .unwrap_or_default();
        },
    },
    Change {
        what: "a limit with digits that no number has",
        provider: "finexer",
        finding: "limit-changed unhandled list_customers limit maximum",
        make: |it| {
            let all = at(it, "/paths/~1customers/get/parameters").as_array_mut();
            let limit = all.and_then(|all| all.iter_mut().find(|one| one["name"] == "limit"));
            limit
                .map(|limit| limit["schema"]["maximum"] = json!(1_000_000_000_000_000_000_u64))
                .unwrap_or_default();
        },
    },
    Change {
        what: "an amount is an object",
        provider: "mx",
        finding: "type-changed wire-breaking",
        make: |it| {
            let schemas = at(it, "/components/schemas")
                .as_object_mut()
                .into_iter()
                .flat_map(|all| all.values_mut());
            let fields = schemas.filter_map(|schema| schema.get_mut("properties")?.as_object_mut());
            let amount = fields
                .flat_map(|all| all.values_mut())
                .find(|field| field["type"] == "number");
            amount
                .map(|field| *field = json!({"type": "object"}))
                .unwrap_or_default();
        },
    },
    Change {
        what: "the host by http",
        provider: "finexer",
        finding: "scheme-differs wire-breaking  api.finexer.com",
        make: |it| it["servers"] = json!([{"url": "http://api.finexer.com"}]),
    },
    Change {
        what: "one of two base addresses by http",
        provider: "tatrabanka",
        finding: "scheme-differs wire-breaking  api.tatrabanka.sk/premium/production",
        make: |it| {
            it["servers"] = json!([
                {"url": "https://api.tatrabanka.sk/premium/sandbox"},
                {"url": "http://api.tatrabanka.sk/premium/production"},
            ]);
        },
    },
    Change {
        what: "tokens are refreshed elsewhere",
        provider: "finexer",
        finding: "endpoint-moved wire-breaking  refreshUrl",
        make: |it| {
            let flow = at(it, "/components/securitySchemes/BankLogin/flows/authorizationCode");
            flow["refreshUrl"] = json!("https://other.example/refresh");
        },
    },
    Change {
        what: "any host by http",
        provider: "mx",
        finding: "scheme-differs wire-breaking  {host}",
        make: |it| it["servers"] = json!([{"url": "http://{host}", "variables": {"host": {"default": "a.example"}}}]),
    },
    Change {
        what: "the host of one operation by http",
        provider: "finexer",
        finding: "scheme-differs wire-breaking list_providers",
        make: |it| at(it, "/paths/~1providers")["servers"] = json!([{"url": "http://api.finexer.com"}]),
    },
    Change {
        what: "tokens by http",
        provider: "finexer",
        finding: "scheme-differs wire-breaking  authorizationCode tokenUrl",
        make: |it| {
            let url = at(
                it,
                "/components/securitySchemes/BankLogin/flows/authorizationCode/tokenUrl",
            );
            *url = json!(url.as_str().unwrap_or_default().replace("https:", "http:"));
        },
    },
    Change {
        what: "a key beside each token",
        provider: "omnifund",
        finding: "authentication-changed wire-breaking",
        make: |it| beside_tokens(it, json!({"type": "apiKey", "in": "header", "name": "X-Key"})),
    },
    Change {
        what: "a certificate beside each token",
        provider: "finexer",
        finding: "authentication-changed wire-breaking",
        make: |it| beside_tokens(it, json!({"type": "mutualTLS"})),
    },
    Change {
        what: "one of two base addresses",
        provider: "tatrabanka",
        finding: "base-moved wire-breaking  api.tatrabanka.sk",
        make: |it| {
            it["servers"] = json!([
                {"url": "https://api.tatrabanka.sk/premium/sandbox/v9"},
                {"url": "https://api.tatrabanka.sk/premium/production"},
            ]);
        },
    },
    Change {
        what: "one of two base addresses goes",
        provider: "tatrabanka",
        finding: "base-gone docs-only  api.tatrabanka.sk",
        make: |it| it["servers"] = json!([{"url": "https://api.tatrabanka.sk/premium/production"}]),
    },
    Change {
        what: "another base address of the host that stands for any",
        provider: "mx",
        finding: "base-moved unhandled  a.example",
        make: |it| {
            it["servers"] = json!([{"url": "https://{host}/v9", "variables": {"host": {"default": "a.example"}}}])
        },
    },
    Change {
        what: "another base address of one institution",
        provider: "mx",
        finding: "base-moved unhandled  bank.example",
        make: |it| it["servers"] = json!([{"url": "https://bank.example/v9"}]),
    },
    Change {
        what: "one operation at another host than any",
        provider: "mx",
        finding: "base-moved wire-breaking",
        make: |it| at(it, "/paths/~1accounts/get")["servers"] = json!([{"url": "https://elsewhere.example/api"}]),
    },
    Change {
        what: "a base address of one operation",
        provider: "finexer",
        finding: "base-moved wire-breaking list_providers",
        make: |it| at(it, "/paths/~1providers")["servers"] = json!([{"url": "https://api.finexer.com/v2"}]),
    },
    Change {
        what: "a parameter becomes deprecated",
        provider: "finexer",
        finding: "parameter-deprecated docs-only list_customers limit",
        make: |it| limit(it)["deprecated"] = json!(true),
    },
    Change {
        what: "a parameter has a default",
        provider: "finexer",
        finding: "default-changed",
        make: |it| limit(it)["schema"]["default"] = json!(7),
    },
    Change {
        what: "a field becomes deprecated",
        provider: "finexer",
        finding: "field-deprecated docs-only get_customer reply.name",
        make: |it| at(it, "/components/schemas/CustomerDto/properties/name")["deprecated"] = json!(true),
    },
    Change {
        what: "a field that is only sent",
        provider: "finexer",
        finding: "field-one-way source-breaking get_customer reply.name",
        make: |it| at(it, "/components/schemas/CustomerDto/properties/name")["writeOnly"] = json!(true),
    },
    Change {
        what: "a field that is only received",
        provider: "finexer",
        finding: "field-one-way",
        make: |it| {
            let body = at(it, "/paths/~1customers/post/requestBody/content");
            let body = body.as_object().and_then(|all| all.values().next()).cloned();
            let name = body.unwrap_or_default()["schema"]["$ref"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let fields = at(it, &format!("{}/properties", name.trim_start_matches('#'))).as_object_mut();
            let mut fields = fields.into_iter().flat_map(|all| all.values_mut());
            if let Some(field) = fields.next() {
                field["readOnly"] = json!(true);
            }
        },
    },
    Change {
        what: "a pattern in a path",
        provider: "finexer",
        finding: "limit-changed unhandled",
        make: |it| of_path(it)["schema"]["pattern"] = json!("^[0-9]{8}$"),
    },
    Change {
        what: "a number in a path that has an end",
        provider: "finexer",
        finding: "limit-changed unhandled",
        make: |it| of_path(it)["schema"] = json!({"type": "integer", "maximum": 999}),
    },
    Change {
        what: "an API that ends",
        provider: "finexer",
        finding: "api-ends unhandled",
        make: |it| it["info"]["description"] = json!("This version will be retired in June."),
    },
];

/// The parameters of an operation that a search picks.
fn parameter<'d>(document: &'d mut Value, of: &str, is_it: fn(&Value) -> bool) -> &'d mut Value {
    let all = at(document, of).as_array_mut();
    match all.and_then(|all| all.iter_mut().find(|one| is_it(one))) {
        Some(parameter) => parameter,
        None => panic!("{of} has none"),
    }
}

fn limit(document: &mut Value) -> &mut Value {
    parameter(document, "/paths/~1customers/get/parameters", |one| {
        one["name"] == "limit"
    })
}

fn of_path(document: &mut Value) -> &mut Value {
    let of = "/paths/~1customers~1{customer_id}/get/parameters";
    parameter(document, of, |one| one["in"] == "path")
}

/// Each way in that has a token demands more.
fn beside_tokens(document: &mut Value, scheme: Value) {
    let schemes = at(document, "/components/securitySchemes");
    schemes["More"] = scheme;
    let is_oauth = |scheme: &Value| scheme["type"] == "oauth2";
    let all = schemes.as_object().into_iter().flatten();
    let tokens: Vec<String> = all
        .filter(|(_, it)| is_oauth(it))
        .map(|(name, _)| name.clone())
        .collect();
    let items = at(document, "/paths")
        .as_object_mut()
        .into_iter()
        .flat_map(|all| all.values_mut());
    let operations = items
        .filter_map(Value::as_object_mut)
        .flat_map(|item| item.values_mut());
    for ways in operations.filter_map(|it| it.get_mut("security")?.as_array_mut()) {
        for way in ways {
            if tokens.iter().any(|name| way.get(name).is_some()) {
                way["More"] = json!([]);
            }
        }
    }
}

#[test]
fn each_change_of_a_published_document_is_the_finding_that_it_is() {
    let mut wrong = Vec::new();
    for change in CHANGES {
        let mut document = published(&bundle(change.provider), Dress::default());
        (change.make)(&mut document);
        let (found, lines) = run(change.provider, change.what, &document, true);
        if !found.iter().any(|told| told.starts_with(change.finding)) {
            wrong.push(format!(
                "{}: expected {}, found {lines:?}\n  {}",
                change.what,
                change.finding,
                found.join("\n  ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_document_does_not_cover_is_not_withdrawn() {
    let mut document = published(&bundle("finexer"), Dress::default());
    let paths = at(&mut document, "/paths").as_object_mut();
    paths
        .into_iter()
        .for_each(|paths| paths.retain(|path, _| path.starts_with("/customers")));
    let flow = "/components/securitySchemes/BankLogin/flows/authorizationCode/scopes";
    *at(&mut document, flow) = json!({"customer_read": "Read."});
    let (found, lines) = run("finexer", "partial", &document, false);
    let gone = |found: &[String]| {
        let gone = ["endpoint-gone", "scope-withdrawn", "grant-withdrawn", "host-gone"];
        found
            .iter()
            .filter(|told| gone.iter().any(|rule| told.starts_with(rule)))
            .count()
    };
    assert_eq!(gone(&found), 0, "{found:?}");
    let not_covered = lines.iter().find(|line| line.starts_with("not covered: "));
    assert!(
        not_covered.is_some_and(|line| line.contains("list_providers") && line.contains("--complete")),
        "{lines:?}"
    );
    assert!(
        !not_covered.is_some_and(|line| line.contains("create_token")),
        "named by its flows: {lines:?}"
    );
    let (found, _) = run("finexer", "declared complete", &document, true);
    assert!(gone(&found) > 10, "{found:?}");
    // What is there is compared all the same.
    remove(&mut document, "/components/schemas/CustomerDto/properties", "name");
    let (found, _) = run("finexer", "partial and changed", &document, false);
    assert!(found.iter().any(|told| told.starts_with("field-gone")), "{found:?}");
}

#[test]
fn a_document_of_another_api_is_no_evidence() {
    let document = published(&bundle("ofx"), Dress::default());
    for (provider, complete) in [
        ("omnifund", false),
        ("mx", false),
        ("finexer", true),
        ("tatrabanka", true),
    ] {
        let (found, lines) = run(provider, "of another", &document, complete);
        assert!(
            found.len() == 1 && found[0].starts_with("document-covers-nothing unhandled"),
            "{provider}: {found:?}"
        );
        assert!(lines.iter().any(|line| line.starts_with("0 of ")), "{lines:?}");
    }
}
