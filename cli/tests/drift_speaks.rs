//! What `cargo xtask drift` says, word for word, for each kind of evidence.

mod support;

use finrail_cli::drift::{self, Options, Source};
use finrail_cli::shell::Outcome;
use support::{Project, speak};

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
    let (outcome, said) = run(
        &project,
        Source::Openapi {
            place: "theirs.yaml".to_owned(),
            complete: true,
        },
    );
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
    let copy = project.root().join("clean.har").display().to_string();
    let source = Source::Har {
        place: "traffic.har".to_owned(),
        scrub: Some(copy),
    };
    let (outcome, said) = run(&project, source);
    let said = said.replace(&project.root().display().to_string(), "[root]");
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
        Source::Openapi {
            place: "absent.json".to_owned(),
            complete: true,
        },
        Source::Metadata("absent.json".to_owned()),
    ] {
        let options = Options {
            provider: "tiny".to_owned(),
            evidence,
            json: false,
            today: "2026-11-22".to_owned(),
        };
        let mut text = Vec::new();
        let mut shell = finrail_cli::shell::Shell::new(&mut text, false);
        assert!(drift::run(&project.workspace(), &options, &mut shell).is_err());
    }
}

#[test]
fn evidence_is_as_old_as_it_is() {
    let project = Project::new("speaks-dates");
    let exchange = |moment: &str| {
        format!(
            r#"{{"startedDateTime": "{moment}", "request": {{"method": "GET", "url": "https://api.tiny.example/v1/accounts?new=1"}},
                "response": {{"status": 200, "content": {{}}}}}}"#
        )
    };
    let (older, newer) = (exchange("2025-03-01T10:00:00Z"), exchange("2025-04-02T10:00:00+02:00"));
    project.write(
        "traffic.har",
        &format!(r#"{{"log": {{"entries": [{newer}, {older}]}}}}"#),
    );
    let har = Source::Har {
        place: "traffic.har".to_owned(),
        scrub: None,
    };
    let (_, said) = run(&project, har);
    assert!(
        said.contains("seen: traffic traffic.har, 2025-04-02, observed"),
        "{said}"
    );
    let file = project.root().join("metadata.json");
    project.write("metadata.json", "{}");
    let day = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_735_689_600);
    let dated = std::fs::File::options()
        .write(true)
        .open(file)
        .and_then(|file| file.set_modified(day));
    assert!(dated.is_ok());
    let (_, said) = run(&project, Source::Metadata("metadata.json".to_owned()));
    assert!(
        said.contains("seen: metadata metadata.json, 2025-01-01, official"),
        "{said}"
    );
}

#[test]
fn a_broken_specification_is_named_with_line_and_column() {
    let project = Project::new("speaks-broken");
    project.edit("specs/tiny.yaml", "tags: [Accounts]", "tags: [Accounts");
    project.write("metadata.json", "{}");
    let options = Options {
        provider: "tiny".to_owned(),
        evidence: Source::Metadata("metadata.json".to_owned()),
        json: false,
        today: "2026-11-22".to_owned(),
    };
    let mut text = Vec::new();
    let run = drift::run(
        &project.workspace(),
        &options,
        &mut finrail_cli::shell::Shell::new(&mut text, false),
    );
    let why = run.map(|_| String::new()).unwrap_or_else(|error| error.to_string());
    let place = why.strip_prefix("specs/tiny.yaml:").unwrap_or_default();
    let numbers = place.split(':').take(2).filter(|part| part.parse::<usize>().is_ok());
    assert_eq!(numbers.count(), 2, "{why}");
}
