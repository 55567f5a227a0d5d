//! `cargo xtask drift --metadata`: what single fields of a document say, and documents that say nothing.

#![allow(clippy::panic)]

mod support;

use finrail_cli::drift::{self, Options, Source};
use serde_json::{Value, json};
use support::{Project, speak};

/// The findings of one run as `rule class subject`, and everything that was said.
fn run(project: &Project, text: &str) -> (Vec<String>, String) {
    project.write("metadata.json", text);
    let options = Options {
        provider: "tiny".to_owned(),
        evidence: Source::Metadata("metadata.json".to_owned()),
        json: true,
        today: "2026-11-22".to_owned(),
    };
    let (_, said) = speak(|shell| drift::run(&project.workspace(), &options, shell));
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let all = report["findings"].as_array().cloned().unwrap_or_default();
    let word = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let found = all.iter().map(|finding| {
        let [rule, class, subject] = ["rule", "class", "subject"].map(|key| word(finding, key));
        format!("{rule} {class} {subject}")
    });
    (found.collect(), said)
}

/// What the made-up provider would publish.
fn fitting() -> Value {
    json!({
        "issuer": "https://api.tiny.example",
        "authorization_endpoint": "https://api.tiny.example/v1/oauth/authorize",
        "token_endpoint": "https://api.tiny.example/v1/oauth/token",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["accounts", "offline"],
    })
}

#[test]
fn a_field_says_what_its_standard_says() {
    let project = Project::new("metadata-fields");
    let rows: &[(&str, Value, &[&str])] = &[
        ("service_documentation", json!("https://tiny.example"), &[]),
        // Nothing there is the same as nothing said.
        ("scopes_supported", Value::Null, &[]),
        ("scopes_supported", json!([]), &[]),
        ("response_types_supported", Value::Null, &[]),
        ("response_modes_supported", json!([]), &[]),
        ("token_endpoint_auth_methods_supported", Value::Null, &[]),
        ("grant_types_supported", Value::Null, &[]),
        ("claims_supported", Value::Null, &[]),
        ("revocation_endpoint", Value::Null, &[]),
        ("scopes_supported", json!(["accounts", null, "offline"]), &[]),
        (
            "scopes_supported",
            json!("accounts offline"),
            &["metadata-malformed unhandled scopes_supported"],
        ),
        (
            "authorization_endpoint",
            json!(5),
            &["metadata-malformed unhandled authorization_endpoint"],
        ),
        // Of what is in no form nothing follows.
        (
            "grant_types_supported",
            json!("authorization_code"),
            &["metadata-malformed unhandled grant_types_supported"],
        ),
        (
            "grant_types_supported",
            json!(["authorization_code", 5]),
            &["metadata-malformed unhandled grant_types_supported"],
        ),
        (
            "grant_types_supported",
            json!(true),
            &["metadata-malformed unhandled grant_types_supported"],
        ),
        (
            "token_endpoint_auth_methods_supported",
            json!("client_secret_post"),
            &["metadata-malformed unhandled token_endpoint_auth_methods_supported"],
        ),
        (
            "code_challenge_methods_supported",
            json!("S256"),
            &["metadata-malformed unhandled code_challenge_methods_supported"],
        ),
        (
            "require_signed_request_object",
            json!("true"),
            &["metadata-malformed unhandled require_signed_request_object"],
        ),
        ("response_types_supported", json!(["code id_token", "code"]), &[]),
        (
            "response_types_supported",
            json!(["code id_token", "id_token"]),
            &["response-type-withdrawn wire-breaking code"],
        ),
        // RFC 8414 section 2: what is not named is not supported.
        (
            "code_challenge_methods_supported",
            Value::Null,
            &["pkce-unsaid unhandled S256"],
        ),
        (
            "code_challenge_methods_supported",
            json!([]),
            &["pkce-unsaid unhandled S256"],
        ),
        (
            "code_challenge_methods_supported",
            json!(["plain"]),
            &["pkce-withdrawn wire-breaking S256"],
        ),
        // RFC 8705 section 3.3: what the server can do.
        (
            "tls_client_certificate_bound_access_tokens",
            json!(true),
            &["support-added additive tls_client_certificate_bound_access_tokens"],
        ),
        ("tls_client_certificate_bound_access_tokens", json!(false), &[]),
        (
            "require_pushed_authorization_requests",
            json!(true),
            &["demand-added wire-breaking require_pushed_authorization_requests"],
        ),
        ("require_pushed_authorization_requests", json!(false), &[]),
        // RFC 9207 section 3.
        (
            "authorization_response_iss_parameter_supported",
            json!(true),
            &["support-added additive authorization_response_iss_parameter_supported"],
        ),
        ("authorization_response_iss_parameter_supported", json!(false), &[]),
        (
            "authorization_response_iss_parameter_supported",
            json!("true"),
            &["metadata-malformed unhandled authorization_response_iss_parameter_supported"],
        ),
    ];
    for (field, value, expected) in rows {
        let mut document = fitting();
        document[*field] = value.clone();
        let (found, _) = run(&project, &document.to_string());
        assert_eq!(found, *expected, "{field}: {value}");
    }
}

#[test]
fn an_issuer_of_another_host_is_refused_in_callbacks_that_name_it() {
    let project = Project::new("metadata-iss");
    project.edit(
        "specs/tiny.yaml",
        "tags:\n  - name: OAuth",
        "  - url: https://login.tiny.example/\n    description: Another.\n    x-environment: other\n    x-grade: official\ntags:\n  - name: OAuth",
    );
    let mut document = fitting();
    document["issuer"] = json!("https://login.tiny.example");
    assert!(run(&project, &document.to_string()).0.is_empty());
    document["authorization_response_iss_parameter_supported"] = json!(true);
    let (found, said) = run(&project, &document.to_string());
    assert_eq!(
        found,
        ["issuer-in-callbacks wire-breaking authorization_response_iss_parameter_supported"]
    );
    assert!(said.contains("AppBuilder::issuer"), "{said}");
}

#[test]
fn pkce_that_nobody_documents_is_not_missed() {
    let project = Project::new("metadata-pkce");
    let mut document = fitting();
    document["code_challenge_methods_supported"] = Value::Null;
    for (pkce, expected) in [
        ("undocumented", &[] as &[&str]),
        ("refused", &[]),
        ("supported", &["pkce-unsaid unhandled S256"]),
        ("required", &["pkce-unsaid unhandled S256"]),
    ] {
        project.write(
            "specs/tiny.yaml",
            &support::TINY.replace("pkce: required", &format!("pkce: {pkce}")),
        );
        assert_eq!(run(&project, &document.to_string()).0, expected, "{pkce}");
    }
}

#[test]
fn what_is_no_metadata_is_not_read_as_if_it_were() {
    let project = Project::new("metadata-none");
    for (row, text, said_of) in [
        (
            "a log-in page",
            "<!DOCTYPE html>\n<html><body>Log in</body></html>",
            "an HTML page",
        ),
        ("a part of a page", "<div>Not found</div>", "an HTML page"),
        ("a list", "[{\"issuer\":\"https://api.tiny.example\"}]", "a list"),
        ("a text", "\"issuer\"", "a text"),
        ("null", "null", "null"),
        ("nothing", "", "empty"),
        ("nothing in it", "{}", "none of the fields"),
        ("an error", "{\"error\":\"not_found\"}", "none of the fields"),
        (
            "half of it",
            "{\"issuer\":\"https://api.tiny.example\",",
            "JSON that ends or breaks at line 1",
        ),
        ("words", "Not found", "a text"),
    ] {
        let (found, said) = run(&project, text);
        assert_eq!(found, ["metadata-unread unhandled metadata"], "{row}: {said}");
        assert!(said.contains(said_of), "{row}: {said}");
    }
}

#[test]
fn the_report_counts_what_was_read() {
    let project = Project::new("metadata-counts");
    let mut document = fitting();
    document["claims_supported"] = json!(["sub"]);
    document["scopes_supported"] = Value::Null;
    let (_, said) = run(&project, &document.to_string());
    assert!(said.contains("7 of 9 fields were compared"), "{said}");
    assert!(said.contains("not told by the metadata: scopes_supported"), "{said}");
}
