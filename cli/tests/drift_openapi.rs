//! `cargo xtask drift --openapi`: documents that ordinary tools write, and documents that nobody should.

#![allow(clippy::panic)]

mod support;

use finrail_cli::drift::{self, Options, Source};
use serde_json::Value;
use support::{Project, TINY, speak};

/// The findings of one run as `rule class subject`, with their fingerprints.
fn run(project: &Project, document: &str) -> Vec<(String, String)> {
    project.write("theirs.yaml", document);
    let options = Options {
        provider: "tiny".to_owned(),
        evidence: Source::Openapi {
            place: "theirs.yaml".to_owned(),
            complete: true,
        },
        json: true,
        today: "2026-11-22".to_owned(),
    };
    let (_, said) = speak(|shell| drift::run(&project.workspace(), &options, shell));
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let word = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let all = report["findings"].as_array().cloned().unwrap_or_default();
    let told = |it: &Value| format!("{} {} {}", word(it, "rule"), word(it, "class"), word(it, "subject"));
    all.iter()
        .map(|finding| (told(finding), word(finding, "fingerprint")))
        .collect()
}

fn found(project: &Project, document: &str) -> Vec<String> {
    run(project, document).into_iter().map(|(told, _)| told).collect()
}

fn edited(from: &str, to: &str) -> String {
    assert!(TINY.contains(from), "the specification has no {from:?}");
    TINY.replace(from, to)
}

const ACCOUNT: &str = "    Account:\n      type: object\n      description: An account.\n";

#[test]
fn a_schema_that_contains_itself_ends() {
    let project = Project::new("openapi-cycles");
    let itself = edited(
        ACCOUNT,
        &format!("{ACCOUNT}      allOf:\n        - $ref: '#/components/schemas/Account'\n"),
    );
    // What it is is not understood; that it is compared at all is what counts.
    assert!(found(&project, &itself).iter().all(|told| told.contains("unhandled")));
    // Names that lead to each other and to no schema.
    let kind = "    AccountKind:\n      type: string\n";
    let kinds = |to: &str| {
        edited(
            kind,
            &format!("    AccountKind:\n      {to}\n    Rest:\n      type: string\n"),
        )
    };
    let one = "$ref: '#/components/schemas/AccountKind'";
    let two = "$ref: '#/components/schemas/Other'\n    Other:\n      $ref: '#/components/schemas/AccountKind'";
    let whole = "allOf: [{$ref: '#/components/schemas/Other'}]\n      nullable: true\n    Other:\n      $ref: '#/components/schemas/AccountKind'";
    for loops in [one, two, whole] {
        let told = found(&project, &kinds(loops));
        let is_told = |told: &String| told.starts_with("reference-dangling unhandled ");
        assert!(told.iter().any(is_told), "{loops}: {told:?}");
    }
    let tree = edited(
        "        kind:\n          $ref: '#/components/schemas/AccountKind'\n        balance",
        "        kind:\n          $ref: '#/components/schemas/AccountKind'\n        parent:\n          $ref: '#/components/schemas/Account'\n        balance",
    );
    let told = found(&project, &tree);
    assert!(
        told.contains(&"field-added additive reply.parent".to_owned()),
        "{told:?}"
    );
}

#[test]
fn what_the_second_comparison_would_stop_at_is_compared() {
    let project = Project::new("openapi-media");
    let reply = "              schema:\n                $ref: '#/components/schemas/AccountPage'\n";
    let media = "            application/json:\n              schema:\n                $ref: '#/components/schemas/AccountPage'\n";
    let second = format!("            application/xml:\n              schema:\n                type: string\n{media}");
    for (what, document) in [
        ("another media type, listed first", edited(media, &second)),
        ("a media type without schema", edited(reply, "")),
        (
            "a media type with parameters",
            edited(
                media,
                &media
                    .replace("json:", "json; charset=utf-8:")
                    .replace("application/json; charset=utf-8:", "'application/json; charset=utf-8':"),
            ),
        ),
        (
            "replies without words",
            TINY.replace("          description: The account.\n", ""),
        ),
        (
            "a status more",
            edited(
                "        '200':\n          description: The account.",
                "        default:\n          description: Refused.\n        '200':\n          description: The account.",
            ),
        ),
    ] {
        assert_eq!(found(&project, &document), Vec::<String>::new(), "{what}");
    }
    let gone = edited(
        "    parameters:\n      - name: accountId",
        "    x-parameters:\n      - name: accountId",
    );
    assert!(
        !found(&project, &gone).is_empty(),
        "a parameter of a path that is not described"
    );
}

#[test]
fn other_words_do_not_hide_what_is_not_understood() {
    let project = Project::new("openapi-hidden");
    let limit = edited(ACCOUNT, &format!("{ACCOUNT}      minProperties: 7\n"));
    let understood = |told: &[String]| told.iter().filter(|told| told.starts_with("unhandled-change")).count();
    assert_eq!(understood(&found(&project, &limit)), 1);
    let words = limit.replace("description: One account.", "description: Other words.");
    assert_eq!(understood(&found(&project, &words)), 1, "with other words");
    let field = limit.replace(
        "        kind:\n          $ref: '#/components/schemas/AccountKind'\n        balance",
        "        balance",
    );
    assert_eq!(understood(&found(&project, &field)), 1, "with a field that is gone");
}

#[test]
fn a_failure_that_reads_otherwise_breaks_no_call() {
    let project = Project::new("openapi-errors");
    let told = found(
        &project,
        &edited(
            "        code:\n          type: string",
            "        code:\n          type: integer",
        ),
    );
    assert!(
        told.iter()
            .all(|told| told == "type-changed source-breaking error.code"),
        "{told:?}"
    );
    assert!(!told.is_empty());
}

#[test]
fn a_later_change_is_another_finding() {
    let project = Project::new("openapi-fingerprints");
    project.edit(
        "specs/tiny.yaml",
        "description: A word for programs.",
        "description: A word for programs.\n          maxLength: 40",
    );
    let base = project.read("specs/tiny.yaml");
    for (from, one, other) in [
        ("maxLength: 40", "maxLength: 50", "maxLength: 60"),
        (
            "default: client_secret_basic",
            "default: client_secret_post",
            "default: none",
        ),
        (
            "          description: A word for programs.",
            "          oneOf: [{enum: [a]}]\n          description: A word for programs.",
            "          oneOf: [{enum: [b]}]\n          description: A word for programs.",
        ),
    ] {
        assert!(base.contains(from), "{from}");
        let prints = |to: &str| {
            run(&project, &base.replace(from, to))
                .into_iter()
                .map(|(_, print)| print)
                .collect::<Vec<_>>()
        };
        let (one, other) = (prints(one), prints(other));
        assert!(
            !one.is_empty() && one.iter().all(|print| !other.contains(print)),
            "{from}"
        );
    }
}

#[test]
fn the_base_address_may_stand_in_the_paths() {
    let project = Project::new("openapi-bases");
    let moved = edited(
        "https://api.tiny.example/v1\n    description: The only",
        "https://api.tiny.example/v2\n    description: The only",
    );
    assert_eq!(found(&project, &moved), ["base-moved wire-breaking api.tiny.example"]);
    let mut shifted = edited(
        "https://api.tiny.example/v1\n    description: The only",
        "https://api.tiny.example\n    description: The only",
    );
    for path in [
        "/oauth/authorize",
        "/oauth/token",
        "/accounts",
        "/accounts/{accountId}",
        "/labels",
    ] {
        shifted = shifted.replace(&format!("\n  {path}:\n"), &format!("\n  /v1{path}:\n"));
    }
    assert_eq!(found(&project, &shifted), Vec::<String>::new());
}

/// What a document of another hand writes, and whether it is the same.
const WRITTEN: [(&str, &str, &str); 9] = [
    // A word with leading zeros is a number or a text, and never an error.
    (
        "leading zeros",
        "          description: A word for programs.",
        "          description: A word for programs.\n          example: 090",
    ),
    (
        "a number of any length",
        "          description: A word for programs.",
        "          description: A word for programs.\n          example: 123456789012345678901234567890.12345678901234567890",
    ),
    (
        "an octal mode",
        "          description: A word for programs.",
        "          description: A word for programs.\n          example: 0o17",
    ),
    (
        "an infinity",
        "          description: A word for programs.",
        "          description: A word for programs.\n          x-most: .inf",
    ),
    (
        "a merge key",
        "        code:\n          type: string\n",
        "        code:\n          <<: {type: string}\n",
    ),
    (
        "an anchor and its alias",
        "        code:\n          type: string\n",
        "        code:\n          type: &text string\n          x-kind: *text\n",
    ),
    (
        "any media type",
        "            application/json:\n              schema:\n                $ref: '#/components/schemas/AccountPage'\n",
        "            '*/*':\n              schema:\n                $ref: '#/components/schemas/AccountPage'\n",
    ),
    ("a version without quotes", "  version: 2026-11-21", "  version: 1.10"),
    (
        "CRLF and a byte order mark",
        "# A made-up provider",
        "\u{feff}# A made-up provider",
    ),
];

#[test]
fn what_another_hand_writes_is_read() {
    let project = Project::new("openapi-written");
    for (what, from, to) in WRITTEN {
        let document = edited(from, to);
        let document = match what.starts_with("CRLF") {
            true => document.replace('\n', "\r\n"),
            false => document,
        };
        assert_eq!(found(&project, &document), Vec::<String>::new(), "{what}");
    }
}

/// The whole report of one run on bytes.
fn report(project: &Project, document: &[u8]) -> (u8, Value) {
    let path = project.root().join("theirs.yaml");
    std::fs::write(&path, document).unwrap_or_else(|error| panic!("{error}"));
    let options = Options {
        provider: "tiny".to_owned(),
        evidence: Source::Openapi {
            place: "theirs.yaml".to_owned(),
            complete: false,
        },
        json: true,
        today: "2026-11-22".to_owned(),
    };
    let (outcome, said) = speak(|shell| drift::run(&project.workspace(), &options, shell));
    let report = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    (outcome.code(), report)
}

#[test]
fn of_several_documents_the_one_to_give_is_named() {
    let project = Project::new("openapi-several");
    let lines = TINY.lines().count();
    for (document, fix) in [
        (
            format!("{TINY}---\na: 1\n"),
            "give the document that begins in line 1, in a file of its own".to_owned(),
        ),
        (
            format!("---\n# Of a portal.\na: 1\n---\n{TINY}"),
            "give the document that begins in line 5, in a file of its own".to_owned(),
        ),
        (
            format!("{TINY}---\nswagger: '2.0'\n"),
            format!("give one of the documents that begin in lines 1 and {}, ", lines + 2),
        ),
        ("a: 1\n---\nb: 2\n".to_owned(), "none says `openapi`".to_owned()),
    ] {
        let (_, report) = report(&project, document.as_bytes());
        let told = report["findings"][0]["fix"].as_str().unwrap_or_default();
        assert!(told.contains(&fix), "{fix}: {told}");
    }
}

#[test]
fn what_cannot_be_read_is_said_and_is_never_sameness() {
    let project = Project::new("openapi-unread");
    let several = format!("{TINY}---\nopenapi: 3.0.3\n");
    let newest = edited("openapi: 3.0.3", "openapi: 3.2.0");
    for (what, document, said) in [
        ("several documents", several.as_bytes(), "another document begins here"),
        (
            "a page",
            b"<!doctype html>\n<html><body><h1>Log in</h1></body></html>".as_slice(),
            "theirs.yaml: ",
        ),
        ("nothing", b"", "theirs.yaml: "),
        ("a list", b"[1, 2]", "neither `openapi` nor `swagger`"),
        (
            "another JSON",
            b"{\"issuer\": \"https://tiny.example\"}",
            "neither `openapi` nor `swagger`",
        ),
        ("a newer dialect", newest.as_bytes(), "`openapi: 3.2.0` is not read"),
        ("UTF-16", b"\xff\xfeo\0p\0", "UTF-16"),
        (
            "no paths",
            b"openapi: 3.0.3\npaths: {}\n",
            "describes none of the 5 operations",
        ),
        (
            "no paths in 2.0",
            b"{\"swagger\": \"2.0\", \"paths\": {\"/a\": {}}}",
            "describes none of the 5 operations",
        ),
    ] {
        let (code, report) = report(&project, document);
        let first = &report["findings"][0];
        let told = first["what"].as_str().unwrap_or_default();
        assert!(
            code == 100 && first["class"] == "unhandled" && told.contains(said),
            "{what}: {code} {report:#}"
        );
        assert!(
            report["coverage"]["lines"]
                .as_array()
                .is_some_and(|lines| !lines.is_empty()),
            "{what}"
        );
    }
}

#[test]
fn of_a_key_that_stands_twice_the_last_counts_and_it_is_told_once() {
    let project = Project::new("openapi-twice");
    let field = "        code:\n          type: string\n";
    for (what, document, other) in [
        (
            "the same again",
            edited(field, &format!("{field}          type: string\n")),
            false,
        ),
        (
            "the last is as it was",
            edited(
                field,
                "        code:\n          type: integer\n          type: string\n",
            ),
            false,
        ),
        (
            "the last is another",
            edited(
                field,
                "        code:\n          type: string\n          type: integer\n",
            ),
            true,
        ),
    ] {
        let (code, report) = report(&project, document.as_bytes());
        let line = document
            .lines()
            .position(|line| line == "        code:")
            .map_or(0, |at| at + 1);
        let findings: Vec<&Value> = report["findings"].as_array().into_iter().flatten().collect();
        let twice: Vec<&&Value> = findings
            .iter()
            .filter(|one| one["rule"] == "document-ambiguous")
            .collect();
        assert!(
            code == 100 && twice.len() == 1 && twice[0]["class"] == "unhandled",
            "{what}: {code} {report:#}"
        );
        let both = format!(
            "{}:11: the key `type` occurs twice; it stands at {}:11 already",
            line + 2,
            line + 1
        );
        assert_eq!(twice[0]["what"], both.as_str(), "{what}");
        assert_eq!(findings.len() > 1, other, "{what}: {report:#}");
    }
}

#[test]
fn a_setting_says_which_documents_are_complete() {
    let project = Project::new("openapi-complete");
    let partial = edited("  /labels:", "  /x-nothing-like-it:");
    let partial = partial.replace("operationId: create_label", "operationId: make");
    project.write("theirs.yaml", &partial);
    for (settings, gone) in [
        ("", false),
        ("[sources.tiny]\nopenapi = []\n", false),
        ("[sources.tiny]\ncomplete = true\n", true),
    ] {
        project.write("finrail.toml", settings);
        let workspace = finrail_cli::workspace::Workspace::open(project.root(), "finrail");
        let workspace = workspace.unwrap_or_else(|error| panic!("{error}"));
        let sources = drift::sources::Sources::read(&workspace).unwrap_or_else(|error| panic!("{error}"));
        let options = Options {
            provider: "tiny".to_owned(),
            evidence: Source::Openapi {
                place: "theirs.yaml".to_owned(),
                complete: sources.is_complete("tiny"),
            },
            json: false,
            today: "2026-11-22".to_owned(),
        };
        let (_, said) = speak(|shell| drift::run(&workspace, &options, shell));
        assert_eq!(said.contains("endpoint-gone"), gone, "{settings}: {said}");
        assert_eq!(said.contains("not covered: create_label"), !gone, "{settings}: {said}");
    }
}
