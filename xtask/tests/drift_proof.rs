//! The class of a change, proved by doing: the sandbox plays the changed specification, and the client
//! that was compiled from the unchanged one does what the class says.

#![allow(clippy::panic)]

mod support;

use finrail::ofx;
use finrail::sandbox::Sandbox;
use serde_json::{Value, json};
use support::speak;
use xtask::drift::{self, Options, Source};
use xtask::workspace::Workspace;

/// A change of OFX's specification.
struct Change {
    name: &'static str,
    class: &'static str,
    apply: fn(&mut Value),
}

const RATE: &str = "/ofxrates/{fromCurrency}/{toCurrency}/{amount}";

const CHANGES: &[Change] = &[
    Change {
        name: "nothing",
        class: "nothing",
        apply: |_| {},
    },
    Change {
        name: "the token endpoint moves",
        class: "wire-breaking",
        apply: |spec| rename(spec, "/oauth/token", "/oauth/v2/token"),
    },
    Change {
        name: "the endpoint moves",
        class: "wire-breaking",
        apply: |spec| rename(spec, RATE, "/rates/{fromCurrency}/{toCurrency}/{amount}"),
    },
    Change {
        name: "a parameter becomes needed",
        class: "wire-breaking",
        apply: |spec| parameter(spec, true),
    },
    Change {
        name: "a field becomes an object",
        class: "wire-breaking",
        apply: |spec| {
            spec["components"]["schemas"]["Rate"]["properties"]["ofxRate"] =
                json!({"type": "object", "description": "Now with its direction."});
            *example(spec) = json!({"ofxRate": {"rate": "0.66"}});
        },
    },
    Change {
        name: "success has another status",
        class: "wire-breaking",
        apply: |spec| {
            let responses = spec["paths"]["/payments/beneficiaries"]["get"]["responses"].as_object_mut();
            if let Some(responses) = responses {
                let reply = responses.shift_remove("200").unwrap_or_default();
                responses.insert("203".to_owned(), reply);
            }
        },
    },
    Change {
        name: "success is empty",
        class: "wire-breaking",
        apply: |spec| {
            let responses = spec["paths"][RATE]["get"]["responses"].as_object_mut();
            if let Some(responses) = responses {
                responses.shift_remove("200");
                responses.insert("204".to_owned(), json!({"description": "Nothing."}));
            }
        },
    },
    Change {
        name: "the scope is withdrawn",
        class: "wire-breaking",
        apply: |spec| {
            let flows = spec["components"]["securitySchemes"]["oauth"]["flows"].as_object_mut();
            for flow in flows.into_iter().flatten().map(|(_, flow)| flow) {
                if let Some(scopes) = flow["scopes"].as_object_mut() {
                    scopes.shift_remove("ofxrates");
                }
            }
        },
    },
    Change {
        name: "another scope is needed",
        class: "wire-breaking",
        apply: |spec| spec["paths"][RATE]["get"]["security"] = json!([{"oauth": ["payments"]}]),
    },
    Change {
        name: "the client must authenticate in another way",
        class: "wire-breaking",
        apply: |spec| {
            spec["components"]["securitySchemes"]["oauth"]["x-oauth"]["client_authentication"] =
                json!({"default": "client_secret_basic"});
        },
    },
    Change {
        name: "a field of the reply goes",
        class: "source-breaking",
        apply: |spec| {
            if let Some(fields) = spec["components"]["schemas"]["Rate"]["properties"].as_object_mut() {
                fields.shift_remove("convertedAmount");
            }
            if let Some(reply) = example(spec).as_object_mut() {
                reply.shift_remove("convertedAmount");
            }
        },
    },
    Change {
        name: "a field of the reply is new",
        class: "additive",
        apply: |spec| {
            spec["components"]["schemas"]["Rate"]["properties"]["midRate"] =
                json!({"type": "number", "format": "decimal"});
            example(spec)["midRate"] = json!(0.67);
        },
    },
    Change {
        name: "an optional parameter is new",
        class: "additive",
        apply: |spec| parameter(spec, false),
    },
    Change {
        name: "an amount is sent as text",
        class: "docs-only",
        apply: |spec| {
            spec["components"]["schemas"]["Rate"]["properties"]["ofxRate"]["type"] = json!("string");
            example(spec)["ofxRate"] = json!("0.6602");
        },
    },
    Change {
        name: "a description is edited",
        class: "docs-only",
        apply: |spec| spec["paths"][RATE]["get"]["description"] = json!("Other words."),
    },
];

fn rename(spec: &mut Value, from: &str, to: &str) {
    if let Some(paths) = spec["paths"].as_object_mut() {
        let item = paths.shift_remove(from).unwrap_or_default();
        paths.insert(to.to_owned(), item);
    }
}

fn parameter(spec: &mut Value, required: bool) {
    let new = json!({"name": "purpose", "in": "query", "required": required, "description": "New.", "schema": {"type": "string"}});
    if let Some(list) = spec["paths"][RATE]["get"]["parameters"].as_array_mut() {
        list.push(new);
    }
}

fn example(spec: &mut Value) -> &mut Value {
    &mut spec["paths"][RATE]["get"]["responses"]["200"]["content"]["application/json"]["example"]
}

fn class_of(spec: &Value, name: &str) -> String {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("proof-{}.json", name.replace(' ', "-")));
    std::fs::write(&file, spec.to_string()).unwrap_or_else(|error| panic!("{error}"));
    let options = Options {
        provider: "ofx".to_owned(),
        evidence: Source::Openapi(file.display().to_string()),
        json: true,
        today: "2026-11-22".to_owned(),
    };
    let workspace = Workspace::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let (_, said) = speak(|shell| drift::run(&workspace, &options, shell));
    let report: Value = serde_json::from_str(&said).unwrap_or_default();
    // Strongest first.
    report["findings"][0]["class"].as_str().unwrap_or("nothing").to_owned()
}

/// What the compiled client gets out of the changed provider.
async fn call(spec: &Value) -> Result<String, String> {
    let text = spec.to_string();
    let sandbox = Sandbox::start_from(([127, 0, 0, 1], 0).into(), &[&text])
        .await
        .map_err(|error| format!("sandbox: {error}"))?;
    let registered = sandbox.client("ofx");
    let app: ofx::App = finrail::App::<ofx::Provider>::builder()
        .base_url(sandbox.url("ofx"))
        .credentials(finrail::Credentials::new(
            registered.client_id.clone(),
            registered.client_secret.clone(),
        ))
        .build()
        .map_err(|error| error.to_string())?;
    let client = |scope: &str| {
        app.client_credentials([scope.to_owned()])
            .map_err(|error| error.to_string())
    };
    let payments: ofx::Client = client("payments")?;
    let rates: ofx::Client = client("ofxrates")?;
    let amount: finrail::Decimal = "1000.5".parse().unwrap_or_default();
    let rate = rates
        .get_rate()
        .from_currency("AUD")
        .to_currency("USD")
        .amount(amount)
        .send()
        .await;
    let rate = rate.map_err(|error| error.to_string())?;
    let beneficiaries = payments
        .list_beneficiaries()
        .send()
        .await
        .map_err(|error| error.to_string())?;
    Ok(format!("{:?} {:?}", rate.into_inner(), beneficiaries.into_inner()))
}

#[tokio::test]
async fn the_client_does_what_the_class_says() {
    let workspace = Workspace::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let text = workspace
        .read(&Workspace::bundle("ofx"))
        .ok()
        .flatten()
        .unwrap_or_default();
    let original: Value = serde_json::from_str(&text).unwrap_or_default();
    let mut wrong = Vec::new();
    for change in CHANGES {
        let mut spec = original.clone();
        (change.apply)(&mut spec);
        let class = class_of(&spec, change.name);
        let outcome = call(&spec).await;
        // Only what breaks the wire may stop a client that is compiled already.
        let as_said = outcome.is_err() == (change.class == "wire-breaking");
        println!(
            "{:>15}  {}: {}",
            class,
            change.name,
            outcome.as_ref().map_or_else(Clone::clone, |_| "works".to_owned())
        );
        if class != change.class || !as_said {
            wrong.push(format!(
                "{}: expected {}, classed {class}, the client: {outcome:?}",
                change.name, change.class
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
