//! Mutations of what an authorization server says about itself.

use serde_json::{Value, json};

use super::{PROVIDERS, Tally, bundle};

/// Changes that a provider has nothing for, each with the reason.
const NOT_APPLICABLE: &[(&str, &[&str], &str)] = &[
    (
        "PKCE method withdrawn",
        &["finexer", "ofx", "omnifund"],
        "no PKCE is sent",
    ),
    (
        "PKCE method left out",
        &["finexer", "ofx", "omnifund"],
        "nobody documents PKCE, and silence is no news",
    ),
    ("PKCE added", &["mx", "tatrabanka"], "PKCE is sent already"),
    ("revocation endpoint added", &["finexer", "mx"], "there is one"),
    (
        "revocation endpoint moved",
        &["ofx", "omnifund", "tatrabanka"],
        "there is none",
    ),
    (
        "revocation authenticates another way",
        &["ofx", "omnifund", "tatrabanka"],
        "there is no revocation endpoint",
    ),
    (
        "client authentication left out",
        &["mx"],
        "it is the one that is meant when none is named",
    ),
    ("scope dropped", &["omnifund"], "there are no scopes"),
    ("scope added", &["omnifund"], "there are no scopes"),
];
const CAUGHT: usize = 106;
const SKIPPED: usize = 19;

/// What an authorization server that behaves as the specification says would publish.
fn metadata_of(bundle: &Value) -> Value {
    let oauth = &bundle["components"]["securitySchemes"]["oauth"];
    let flow = &oauth["flows"]["authorizationCode"];
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
    // Where every institution has its own host, the flows show an example.
    let at = |key: &str| {
        let url = flow[key].as_str().unwrap_or_default();
        let path = finrail_cli::drift::address::Address::read(url).path;
        json!(if base.contains("bank.example") {
            format!("{host}{path}")
        } else {
            url.to_owned()
        })
    };
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
        let ways = &x["client_authentication"];
        let way = ways.get("revocation").unwrap_or(&ways["default"]);
        metadata["revocation_endpoint_auth_methods_supported"] = json!([way]);
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
    let mut tally = Tally::new("metadata", NOT_APPLICABLE);
    for provider in PROVIDERS {
        let bundle = bundle(provider);
        let original = metadata_of(&bundle);
        let mut check = |mutation: &str, class: &str, change: &dyn Fn(&mut Value) -> bool| {
            let mut mutated = original.clone();
            let made = change(&mut mutated).then(|| mutated.to_string());
            tally.expect(provider, mutation, class, made.as_deref());
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
            true
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
        check("PKCE method left out", "unhandled", &|metadata| {
            let metadata = metadata.as_object_mut();
            metadata
                .and_then(|it| it.shift_remove("code_challenge_methods_supported"))
                .is_some()
        });
        check("tokens can be bound to a certificate", "additive", &|metadata| {
            metadata["tls_client_certificate_bound_access_tokens"] = json!(true);
            true
        });
        check("a list of nulls", "nothing", &|metadata| {
            metadata["claims_supported"] = Value::Null;
            metadata["ui_locales_supported"] = json!([null]);
            true
        });
        check("PKCE added", "additive", &|metadata| {
            metadata.get("code_challenge_methods_supported").is_none() && {
                metadata["code_challenge_methods_supported"] = json!(["S256"]);
                true
            }
        });
        check("scope dropped", super::class_of_a_lost_scope(&bundle), &|metadata| {
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
        check("the way back is a form", "wire-breaking", &|metadata| {
            metadata["response_modes_supported"] = json!(["form_post"]);
            true
        });
        check("revocation authenticates another way", "wire-breaking", &|metadata| {
            metadata.get("revocation_endpoint").is_some() && {
                metadata["revocation_endpoint_auth_methods_supported"] = json!(["private_key_jwt"]);
                true
            }
        });
        check("client authentication left out", "unhandled", &|metadata| {
            let posts = metadata["token_endpoint_auth_methods_supported"]
                .to_string()
                .contains("client_secret_post");
            let removed = metadata
                .as_object_mut()
                .and_then(|it| it.shift_remove("token_endpoint_auth_methods_supported"));
            posts && removed.is_some()
        });
        check(
            "token endpoint under another path with the same end",
            "wire-breaking",
            &|metadata| {
                let endpoint = metadata["token_endpoint"].as_str().unwrap_or_default().to_owned();
                let path = finrail_cli::drift::address::Address::read(&endpoint).path;
                metadata["token_endpoint"] = json!(endpoint.replacen(&path, &format!("/elsewhere{path}"), 1));
                true
            },
        );
        check("scopes in one text", "unhandled", &|metadata| {
            metadata["scopes_supported"] = json!("one two");
            true
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
    tally.done(CAUGHT, SKIPPED);
}
