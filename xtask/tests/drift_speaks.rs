//! What `cargo xtask drift` says, word for word, for each kind of evidence.

mod support;

use support::{Project, speak};
use xtask::drift::{self, Options, Source};
use xtask::shell::Outcome;

fn run(project: &Project, evidence: Source) -> (Outcome, String) {
    let options = Options {
        provider: "tiny".to_owned(),
        evidence,
        json: false,
        today: "2026-11-22".to_owned(),
    };
    speak(|shell| drift::run(&project.workspace(), &options, shell))
}

#[test]
fn a_published_document() {
    let project = Project::new("speaks-openapi");
    let theirs = support::TINY
        .replace("  /labels:", "  /tags:")
        .replace("enum: [current, savings]", "enum: [current, savings, loan]")
        .replace("        balance:\n          type: number\n          format: decimal\n          description: The balance, in major units.\n", "")
        .replace("lifetime: 2592000", "lifetime: 1209600")
        .replace("oauth: [accounts]", "oauth: [accounts, offline]");
    project.write("theirs.yaml", &theirs);
    let (outcome, said) = run(&project, Source::Openapi("theirs.yaml".to_owned()));
    assert_eq!(outcome.code(), 100);
    insta::assert_snapshot!(said);
}

#[test]
fn metadata() {
    let project = Project::new("speaks-metadata");
    project.write(
        "metadata.json",
        r#"{
            "issuer": "https://api.tiny.example",
            "authorization_endpoint": "https://api.tiny.example/v1/oauth/authorize",
            "token_endpoint": "https://login.tiny.example/v1/oauth/token",
            "grant_types_supported": ["authorization_code"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["accounts", "payments"]
        }"#,
    );
    let (outcome, said) = run(&project, Source::Metadata("metadata.json".to_owned()));
    assert_eq!(outcome.code(), 100);
    insta::assert_snapshot!(said);
}

#[test]
fn traffic() {
    let project = Project::new("speaks-har");
    project.write(
        "traffic.har",
        r#"{"log": {"entries": [
            {"request": {"method": "GET", "url": "https://api.tiny.example/v1/accounts?limit=2&sort=name", "headers": []},
             "response": {"status": 200, "content": {"mimeType": "application/json",
                "text": "{\"accounts\":[{\"id\":\"planted-1\",\"kind\":\"loan\",\"iban\":\"planted-2\",\"balance\":\"1.5\"}],\"page\":{\"next\":null}}"}}},
            {"request": {"method": "GET", "url": "https://api.tiny.example/v1/accounts/4711", "headers": []},
             "response": {"status": 200, "content": {"mimeType": "application/json", "text": "{\"kind\":\"current\"}"}}},
            {"request": {"method": "GET", "url": "https://api.tiny.example/v1/cards/4711", "headers": []},
             "response": {"status": 200, "content": {"mimeType": "application/json", "text": "{}"}}},
            {"request": {"method": "GET", "url": "https://tracker.example/pixel", "headers": []}, "response": {"status": 200, "content": {}}}
        ]}}"#,
    );
    let source = Source::Har {
        place: "traffic.har".to_owned(),
        scrub: Some("clean.har".to_owned()),
    };
    let (outcome, said) = run(&project, source);
    assert_eq!(outcome.code(), 100);
    assert!(!said.contains("planted"), "{said}");
    assert!(!project.read("clean.har").contains("planted"));
    insta::assert_snapshot!(said);
}

#[test]
fn what_is_no_evidence_is_an_error_and_not_silence() {
    let project = Project::new("speaks-wrong");
    project.write("wrong.json", "{\"log\": 7}");
    let har = Source::Har {
        place: "wrong.json".to_owned(),
        scrub: None,
    };
    for evidence in [
        har,
        Source::Openapi("absent.json".to_owned()),
        Source::Metadata("absent.json".to_owned()),
    ] {
        let options = Options {
            provider: "tiny".to_owned(),
            evidence,
            json: false,
            today: "2026-11-22".to_owned(),
        };
        let mut text = Vec::new();
        let mut shell = xtask::shell::Shell::new(&mut text, false);
        assert!(drift::run(&project.workspace(), &options, &mut shell).is_err());
    }
}
