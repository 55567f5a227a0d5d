//! `finrail check`, `regen` and `drift` in a user's own folder of specifications, and the crate that `finrail new` makes.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

const FINRAIL: &str = env!("CARGO_BIN_EXE_finrail");
const HARBOUR: &str = include_str!("fixtures/harbour.yaml");

/// A folder with the crate that `finrail new` makes of the document.
struct Made(PathBuf);

impl Made {
    fn new(test: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("folder-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        std::fs::create_dir_all(&root).unwrap();
        std::fs::write(root.join("harbour.yaml"), HARBOUR).unwrap();
        let made = Self(root);
        let (code, said) = made.at("", &["new", "harbour-client", "harbour.yaml", "--id", "harbour"]);
        assert_eq!(code, 0, "{said}");
        made
    }

    fn at(&self, folder: &str, arguments: &[&str]) -> (i32, String) {
        let done = Command::new(FINRAIL)
            .args(arguments)
            .current_dir(self.0.join(folder))
            .output()
            .unwrap();
        let said = String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap();
        (done.status.code().unwrap(), said)
    }

    fn run(&self, arguments: &[&str]) -> (i32, String) {
        self.at("harbour-client", arguments)
    }

    fn file(&self, file: &str) -> PathBuf {
        self.0.join("harbour-client").join(file)
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.file(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert!(text.contains(from), "{file} has no {from}");
        std::fs::write(self.file(file), text.replacen(from, to, 1)).unwrap();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_new_crate_has_all_that_a_client_needs() {
    let made = Made::new("new");
    for file in [
        "Cargo.toml",
        "build.rs",
        "src/lib.rs",
        "tests/sandbox.rs",
        "README.md",
        "finrail.toml",
    ] {
        insta::assert_snapshot!(file.replace(['/', '.'], "-"), made.read(file));
    }
    assert_eq!(made.read("specs/harbour/openapi.yaml"), HARBOUR);
    // What is there is not written over, and what is no crate is none.
    for (folder, told) in [
        ("harbour-client", "is not empty"),
        ("9lives", "such as `bank-9lives`"),
        ("struct", "a word of Rust"),
        ("test", "such as `test-bank`"),
        ("My Bank", "such as `my-bank`"),
    ] {
        let (code, said) = made.at("", &["new", folder, "harbour.yaml"]);
        assert!(code == 100 && said.contains(told), "{folder}: {said}");
    }
    let (code, said) = made.at("", &["new", "other", "harbour.yaml", "--finrail", "harbour-client"]);
    assert!(code == 100 && said.contains("is no checkout of finrail"), "{said}");
}

/// A folder as it is, with everything in it.
fn listed(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        found.push(path.display().to_string());
        if path.is_dir() {
            found.extend(listed(&path));
        }
    }
    found.sort();
    found
}

#[test]
fn a_refusal_leaves_nothing() {
    let made = Made::new("nothing");
    std::fs::write(made.0.join("bad.yaml"), "hello: 1\n").unwrap();
    std::fs::write(made.0.join("page.html"), "<!doctype html><title>Log in</title>").unwrap();
    std::fs::create_dir(made.0.join("empty")).unwrap();
    let before = listed(&made.0);
    for (arguments, told) in [
        (
            &["bad.yaml"][..],
            "bad.yaml: the document has neither `openapi` nor `swagger`",
        ),
        (&["page.html"], "page.html is a web page, and not an OpenAPI document"),
        (&["gone.yaml"], "gone.yaml: "),
        (&["harbour.yaml", "--only", "nope"], "no operation of that choice"),
        (&["harbour.yaml", "--id", "My Bank"], "snake_case"),
        (&["harbour.yaml", "--metadata", "bad.yaml"], "no JSON"),
        (
            &["harbour.yaml", "--metadata", "page.html"],
            "page.html is a web page, and not metadata",
        ),
        (&["harbour.yaml", "--metadata", "gone.json"], "gone.json: "),
        (&["harbour.yaml", "--discover"], "give it by `--metadata"),
        (
            &["harbour.yaml", "--finrail", "harbour-client"],
            "no checkout of finrail",
        ),
    ] {
        for folder in ["other", "deep/er/other", "empty"] {
            let (code, said) = made.at("", &[&["new", folder], arguments].concat());
            assert!(code == 100 && said.contains(told), "{arguments:?}: {said}");
            assert_eq!(listed(&made.0), before, "{folder} {arguments:?}");
        }
        if !arguments.contains(&"--finrail") {
            let arguments = match arguments.contains(&"--id") {
                true => arguments.to_vec(),
                false => [arguments, &["--id", "other"]].concat(),
            };
            let (code, said) = made.at("", &[&["import"], arguments.as_slice()].concat());
            assert!(code == 100 && said.contains(told), "{arguments:?}: {said}");
            assert_eq!(listed(&made.0), before, "{arguments:?}");
        }
    }
    // The document is to blame, and not the overlay of the one that was there.
    let (code, said) = made.run(&["import", "../bad.yaml", "--id", "harbour", "--again"]);
    assert!(
        code == 100 && said.contains("../bad.yaml: the document has neither"),
        "{said}"
    );
    assert_eq!(listed(&made.0), before);
    // What an earlier run was stopped in is no part of the next, nor of what looks through the folder.
    std::fs::create_dir_all(made.0.join(".other.partial/specs/half")).unwrap();
    let (code, said) = made.at("", &["new", "other", "harbour.yaml"]);
    assert_eq!(code, 0, "{said}");
    assert!(!made.0.join("other/specs/half").exists() && !made.0.join(".other.partial").exists());
    std::fs::create_dir_all(made.file("specs/.half.partial")).unwrap();
    std::fs::write(made.file("specs/.half.partial/overlay.yaml"), "").unwrap();
    let (code, said) = made.run(&["check"]);
    assert!(code == 0 && !said.contains("half"), "{said}");
    // A folder that is there and empty is filled.
    let (code, said) = made.at("", &["new", "empty", "harbour.yaml"]);
    assert!(code == 0 && made.0.join("empty/Cargo.toml").exists(), "{said}");
}

/// What is missing is put into the overlay, or comes from the server's metadata; then the same command makes the crate.
#[test]
fn a_crate_whose_document_lacks_something_is_made_when_it_has_been_said() {
    let made = Made::new("begun");
    let flows = "      type: oauth2\n      flows:\n        authorizationCode:\n          authorizationUrl: https://login.harbour.example/authorize\n          tokenUrl: https://tokens.harbour.example/oauth/token\n          scopes: { accounts: Read accounts., payments: Make payments. }\n";
    let connect = "      type: openIdConnect\n      openIdConnectUrl: https://login.harbour.example/.well-known/openid-configuration\n";
    let document = HARBOUR.replace(flows, connect);
    assert_ne!(document, HARBOUR);
    std::fs::write(made.0.join("connect.yaml"), document).unwrap();
    let metadata = r#"{"issuer":"https://login.harbour.example","authorization_endpoint":"https://login.harbour.example/authorize",
        "token_endpoint":"https://tokens.harbour.example/oauth/token"}"#;
    std::fs::write(made.0.join("metadata.json"), metadata).unwrap();
    let said = |folder: &str, more: &[&str]| {
        made.at(
            "",
            &[&["new", folder, "connect.yaml", "--id", "harbour"], more].concat(),
        )
    };
    for folder in ["by-hand", "by-metadata"] {
        let (code, told) = said(folder, &[]);
        assert!(
            code == 100
                && told.contains("no flow has a `tokenUrl`")
                && told.contains("then give this command again")
                && told.contains("give this command again with --metadata https://login.harbour.example/.well-known/openid-configuration"),
            "{told}"
        );
        assert!(!made.0.join(folder).join("Cargo.toml").exists());
    }
    let overlay = made.0.join("by-hand/specs/harbour/overlay.yaml");
    let text = std::fs::read_to_string(&overlay)
        .unwrap()
        .replace(
            "authorizationUrl: \"\"",
            "authorizationUrl: https://login.harbour.example/authorize",
        )
        .replace("tokenUrl: \"\"", "tokenUrl: https://tokens.harbour.example/oauth/token");
    std::fs::write(&overlay, &text).unwrap();
    let (code, told) = said("by-hand", &[]);
    assert!(code == 0 && told.contains("Created"), "{told}");
    assert_eq!(std::fs::read_to_string(&overlay).unwrap(), text);
    let (code, told) = said("by-metadata", &["--metadata", "metadata.json"]);
    assert!(code == 0 && told.contains("Created"), "{told}");
    for folder in ["by-hand", "by-metadata"] {
        let read = |file: &str| std::fs::read_to_string(made.0.join(folder).join(file)).unwrap();
        assert!(read("Cargo.toml").contains(folder));
        let bundle: serde_json::Value = serde_json::from_str(&read("specs/harbour/bundle.json")).unwrap();
        let scopes = &bundle["components"]["securitySchemes"]["oauth"]["flows"]["authorizationCode"]["scopes"];
        assert!(
            scopes.get("accounts").is_some() && scopes.get("payments").is_some(),
            "{scopes}"
        );
    }
}

#[test]
fn a_bank_of_keys_alone_has_a_crate_too() {
    let made = Made::new("keys");
    std::fs::write(made.0.join("beacon.yaml"), include_str!("fixtures/beacon.yaml")).unwrap();
    let (code, said) = made.at("", &["new", "beacon", "beacon.yaml"]);
    assert!(code == 0 && said.contains("3 operations: 3 generated"), "{said}");
    let read = |file: &str| std::fs::read_to_string(made.0.join("beacon").join(file)).unwrap();
    insta::assert_snapshot!("beacon-tests", read("tests/sandbox.rs"));
    let overlay = read("specs/beacon/overlay.yaml");
    assert!(
        overlay.contains("tells of no authorization server") && !overlay.contains("\n      x-oauth"),
        "{overlay}"
    );
    for key in [
        ".key(\"App\", std::env::var(\"BEACON_APP_KEY\")?)",
        ".key(\"Place\", std::env::var(\"BEACON_PLACE_KEY\")?)",
        ".key(\"Personal\", std::env::var(\"BEACON_PERSONAL_KEY\")?)",
        "`sandbox.client(\"beacon\")` has the same: `key`, which is every key of the bank.",
    ] {
        assert!(read("README.md").contains(key), "{}", read("README.md"));
    }
    let (code, said) = made.at("beacon", &["regen"]);
    assert_eq!(code, 0, "{said}");
    let page = read("docs/beacon.md");
    for told in [
        "There is no authorization server",
        "- `Place`: parameter `place` of the query",
        "- `Personal`: bearer credential",
    ] {
        assert!(page.contains(told), "{page}");
    }
    // Drift knows no authorization server either.
    let (code, said) = made.at("beacon", &["drift", "beacon", "--openapi", "../beacon.yaml"]);
    assert!(code == 0 && said.contains("3 of 3 operations"), "{said}");
}

/// What a call takes beside a token is given to the client as well, in the test and on the page.
#[test]
fn a_bank_of_tokens_and_keys_has_both_in_its_crate() {
    let made = Made::new("both");
    let document = HARBOUR
        .replace(
            "  securitySchemes:\n",
            "  securitySchemes:\n    Staff: { type: apiKey, in: header, name: X-Staff }\n",
        )
        .replace("[{ Login: [payments] }]", "[{ Login: [payments], Staff: [] }]");
    std::fs::write(made.0.join("both.yaml"), document).unwrap();
    let (code, said) = made.at("", &["new", "both", "both.yaml"]);
    assert_eq!(code, 0, "{said}");
    let read = |file: &str| std::fs::read_to_string(made.0.join("both").join(file)).unwrap();
    let test = read("tests/sandbox.rs");
    assert!(
        test.contains(
            ".redirect_uri(registered.redirect_uri)\n        .key(\"Staff\", registered.key.clone())\n        .build()?"
        ),
        "{test}"
    );
    let page = read("README.md");
    for told in [
        ".key(\"Staff\", std::env::var(\"BOTH_KEY\")?)",
        "has the same: `client_id`, `client_secret`; `key`, which is every key of the bank.",
    ] {
        assert!(page.contains(told), "{page}");
    }
}

#[test]
fn a_bank_of_names_and_passwords_alone_has_a_crate_too() {
    let made = Made::new("pairs");
    let document = include_str!("fixtures/beacon.yaml")
        .replace("{ App: [], Place: [] }, ", "")
        .replace("scheme: bearer", "scheme: basic");
    std::fs::write(made.0.join("beacon.yaml"), document).unwrap();
    let (code, said) = made.at("", &["new", "beacon", "beacon.yaml"]);
    assert!(code == 0 && said.contains("3 operations: 3 generated"), "{said}");
    let read = |file: &str| std::fs::read_to_string(made.0.join("beacon").join(file)).unwrap();
    let test = read("tests/sandbox.rs");
    let given = ".access_key(registered.access_key.clone(), registered.access_key_secret.clone())\n        .build()?";
    assert!(test.contains(given), "{test}");
    let page = read("README.md");
    let given = ".access_key(std::env::var(\"BEACON_NAME\")?, std::env::var(\"BEACON_PASSWORD\")?)";
    assert!(page.contains(given), "{page}");
}

/// A program reads one JSON document from `stdout`, and nothing else, whatever comes of the command.
#[test]
fn a_program_gets_json_whatever_happens() {
    let made = Made::new("json");
    let root = made.0.clone();
    std::fs::write(root.join("bad.yaml"), "hello: 1\n").unwrap();
    std::fs::write(root.join("twice.yaml"), "openapi: 3.0.0\npaths:\n  /a: {}\n  /a: {}\n").unwrap();
    std::fs::write(root.join("harbour.yaml"), HARBOUR).unwrap();
    let over = "overlay: 1.1.0\nactions: [{ target: $.nowhere, update: {} }]\n";
    std::fs::create_dir_all(root.join("specs/over")).unwrap();
    std::fs::write(root.join("specs/over/overlay.yaml"), over).unwrap();
    for (arguments, expected, told) in [
        (&["import", "harbour.yaml", "--id", "one", "--json"][..], 0, ""),
        (
            &["import", "bad.yaml", "--id", "two", "--json"],
            100,
            "neither `openapi`",
        ),
        (
            &["import", "twice.yaml", "--id", "two", "--json"],
            100,
            "twice.yaml:4:3: ",
        ),
        (&["import", "gone.yaml", "--id", "two", "--json"], 100, "gone.yaml: "),
        (&["import", "--id", "two", "--json"], 100, "has no document yet"),
        (
            &["import", "harbour.yaml", "--id", "My Bank", "--json"],
            100,
            "snake_case",
        ),
        (
            &["import", "harbour.yaml", "--id", "one", "--json"],
            100,
            "add `--again`",
        ),
        (
            &["import", "harbour.yaml", "--id", "two", "--only", "nope", "--json"],
            100,
            "no operation of that choice",
        ),
        (
            &[
                "import",
                "harbour.yaml",
                "--id",
                "two",
                "--metadata",
                "bad.yaml",
                "--json",
            ],
            100,
            "bad.yaml: ",
        ),
        (
            &["import", "harbour.yaml", "--id", "over", "--json"],
            100,
            "selects nothing",
        ),
        (&["import", "harbour.yaml", "--json"], 2, "--id"),
        (&["import", "--nope", "--json"], 2, "--nope"),
        (
            &["drift", "one", "--openapi", "gone.yaml", "--format", "json"],
            100,
            "gone.yaml",
        ),
        (
            &["drift", "nobody", "--openapi", "harbour.yaml", "--format", "json"],
            100,
            "nobody",
        ),
        #[cfg(feature = "sandbox")]
        (&["sandbox", "nobody", "--json"], 100, "none of ofx"),
        #[cfg(feature = "sandbox")]
        (
            &["control", "--at", "http://127.0.0.1:1", "state", "--json"],
            100,
            "does a sandbox run there",
        ),
    ] {
        let done = Command::new(FINRAIL)
            .args(arguments)
            .current_dir(&root)
            .output()
            .unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        let value: serde_json::Value =
            serde_json::from_str(&said).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {said}"));
        assert_eq!(done.status.code(), Some(expected), "{arguments:?}: {said}");
        let outcome = match expected {
            0 => "done",
            2 => "usage",
            _ => "refused",
        };
        assert_eq!(value["outcome"], outcome, "{arguments:?}: {said}");
        let found = value["told"].to_string();
        assert!(found.contains(told), "{arguments:?}: {said}");
    }
}

/// Every page of help has the same exit codes.
#[test]
fn the_exit_codes_stand_in_the_help_of_every_command() {
    let help = |arguments: &[&str]| {
        let done = Command::new(FINRAIL).args(arguments).output().unwrap();
        assert_eq!(done.status.code(), Some(0), "{arguments:?}");
        String::from_utf8(done.stdout).unwrap()
    };
    let readme = include_str!("../../codegen/README.md");
    for command in [
        &[][..],
        &["import"],
        &["check"],
        &["regen"],
        &["drift"],
        &["new"],
        &["completions"],
        #[cfg(feature = "sandbox")]
        &["sandbox"],
        #[cfg(feature = "sandbox")]
        &["control"],
        #[cfg(feature = "sandbox")]
        &["control", "fault"],
    ] {
        for flag in ["--help", "-h"] {
            let said = help(&[command, &[flag]].concat());
            assert!(said.contains(finrail_cli::shell::EXIT_CODES), "{command:?}: {said}");
        }
    }
    for line in finrail_cli::shell::EXIT_CODES.lines().skip(1) {
        let (code, means) = line.trim().split_once(' ').unwrap();
        let row = format!("| {code} | {} |", means.trim());
        assert!(readme.contains(&row), "codegen/README.md has no `{row}`");
    }
}

/// What the document shows of a body is sent where it fits; where it does not, one is made of the schema.
#[test]
fn the_test_of_a_new_crate_sends_a_body_that_fits() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("folder-fits-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&root);
    std::fs::create_dir_all(&root).unwrap();
    for (name, example, sent) in [
        (
            "fits",
            r#"{"amount":12.50,"note":"rent"}"#,
            r##"r##"{"amount":12.50,"note":"rent"}"##,
        ),
        ("text", r#"{"amount":"12.50 EUR","note":"rent"}"#, r##"r##"{"amount":"##),
        ("missing", r#"{"note":"rent"}"#, r##"r##"{"amount":"##),
    ] {
        let document = format!(
            r##"{{"openapi":"3.0.3","info":{{"title":"Small Bank","version":"1"}},"servers":[{{"url":"https://api.small.example"}}],
            "security":[{{"Key":[]}}],
            "paths":{{"/pay":{{"post":{{"operationId":"pay","requestBody":{{"required":true,"content":{{"application/json":{{
            "schema":{{"$ref":"#/components/schemas/Payment"}},"example":{example}}}}}}},"responses":{{"204":{{"description":"Done."}}}}}}}}}},
            "components":{{"securitySchemes":{{"Key":{{"type":"apiKey","in":"header","name":"X-Key"}}}},
            "schemas":{{"Payment":{{"type":"object","required":["amount"],"properties":{{"amount":{{"type":"number"}},"note":{{"type":"string"}}}}}}}}}}}}"##
        );
        std::fs::write(root.join("small.json"), document).unwrap();
        let done = Command::new(FINRAIL)
            .args(["new", name, "small.json", "--id", "small"])
            .current_dir(&root)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let test = std::fs::read_to_string(root.join(name).join("tests/sandbox.rs")).unwrap();
        assert!(test.contains(sent), "{name}: {test}");
        assert!(!test.contains("12.50 EUR"), "{name}: {test}");
    }
    std::fs::remove_dir_all(&root).unwrap();
}

#[test]
fn a_body_whose_schema_has_no_name_is_sent_too() {
    let made = Made::new("nameless");
    let document = include_str!("fixtures/beacon.yaml").replace(
        "            schema: { $ref: \"#/components/schemas/Order\" }\n      responses:",
        "            schema: { type: object, required: [to], properties: { to: { type: object, required: [iban], properties: { iban: { \
         type: string, pattern: \"^SK[0-9]{4}$\" } } } } }\n      responses:",
    );
    std::fs::write(made.0.join("beacon.yaml"), document).unwrap();
    let (code, said) = made.at("", &["new", "beacon", "beacon.yaml"]);
    assert_eq!(code, 0, "{said}");
    let test = std::fs::read_to_string(made.0.join("beacon/tests/sandbox.rs")).unwrap();
    let sent =
        r###"let body: beacon::types::CreateOrderBody = serde_json::from_str(r##"{"to":{"iban":"SK1111"}}"##)?;"###;
    assert!(test.contains(sent), "{test}");
}

#[test]
fn what_is_made_of_an_import_is_made_again_and_checked() {
    let made = Made::new("regen");
    let (code, said) = made.run(&["check"]);
    assert_eq!(
        (code, said.trim()),
        (
            0,
            "Good harbour: 6 operations, 3 left out: `finrail import --id harbour` tells why"
        )
    );
    let (code, said) = made.run(&["regen", "--check"]);
    assert!(code == 4 && said.contains("docs/harbour.md"), "{said}");
    let (code, said) = made.run(&["regen"]);
    assert_eq!(code, 0, "{said}");
    assert!(
        made.read("docs/harbour.md")
            .starts_with("<!-- Made by `finrail regen` from specs/harbour/overlay.yaml;")
    );
    assert!(made.read("docs/outline/harbour.txt").contains("surface of `harbour`"));
    // From a folder below as well.
    let (code, said) = made.at("harbour-client/src", &["regen", "--check"]);
    assert_eq!(code, 0, "{said}");
    // The overlay says something else: the bundle is stale.
    made.edit("specs/harbour/overlay.yaml", "pkce: undocumented", "pkce: required");
    let (code, said) = made.run(&["regen", "--check"]);
    assert!(code == 4 && said.contains("Stale specs/harbour/bundle.json"), "{said}");
    let (code, _) = made.run(&["regen"]);
    assert_eq!(code, 0);
    assert!(
        made.read("specs/harbour/bundle.json")
            .contains("\"pkce\": \"required\"")
    );
    // A call that users have is gone: that is no command's to decide.
    made.edit(
        "specs/harbour/overlay.yaml",
        "overlay: 1.1.0\n",
        "overlay: 1.1.0\nx-only: [getAccounts]\n",
    );
    let (code, said) = made.run(&["regen", "--check"]);
    assert!(
        code == 100 && said.contains("Breaking") && said.contains("users of the crate will notice"),
        "{said}"
    );
}

#[test]
fn what_is_wrong_is_told_with_file_line_and_column() {
    let made = Made::new("wrong");
    made.edit(
        "specs/harbour/overlay.yaml",
        "actions:\n",
        "actions:\n  - target: $.paths['/nowhere']\n    update: {}\n",
    );
    let line = made
        .read("specs/harbour/overlay.yaml")
        .lines()
        .position(|line| line.contains("/nowhere"))
        .unwrap()
        + 1;
    for command in [&["check"][..], &["regen"], &["regen", "--check"]] {
        let (code, said) = made.run(command);
        assert!(
            code == 100 && said.contains(&format!("specs/harbour/overlay.yaml:{line}:")),
            "{said}"
        );
    }
    // A document that somebody edited is not the provider's any more.
    let made = Made::new("edited");
    made.edit(
        "specs/harbour/openapi.yaml",
        "title: Harbour Bank API",
        "title: Harbor Bank API",
    );
    for command in [&["check"][..], &["import", "--id", "harbour"]] {
        let (code, said) = made.run(command);
        assert!(code == 100 && said.contains("the document is not as it came"), "{said}");
    }
    // Settings that nobody knows, and a folder without specifications.
    made.edit("finrail.toml", "specs =", "spec =");
    let (code, said) = made.run(&["check"]);
    assert!(
        code == 100 && said.contains("finrail.toml") && said.contains("unknown field `spec`"),
        "{said}"
    );
    std::fs::write(made.file("finrail.toml"), "specs = \"elsewhere\"\n").unwrap();
    let (code, said) = made.run(&["check"]);
    assert!(code == 100 && said.contains("elsewhere"), "{said}");
}

#[test]
fn specifications_may_stand_elsewhere() {
    let made = Made::new("elsewhere");
    std::fs::rename(made.file("specs"), made.file("banks")).unwrap();
    std::fs::write(
        made.file("finrail.toml"),
        "specs = \"banks\"\npages = \"pages\"\noutlines = \"pages/outlines\"\n",
    )
    .unwrap();
    let (code, said) = made.run(&["regen"]);
    assert_eq!(code, 0, "{said}");
    assert!(made.file("pages/harbour.md").exists() && made.file("pages/outlines/harbour.txt").exists());
}

#[test]
fn a_newer_document_is_compared_as_it_would_be_imported() {
    let made = Made::new("drift");
    let (code, said) = made.run(&["drift", "harbour", "--openapi", "specs/harbour/openapi.yaml"]);
    assert!(
        code == 0 && said.contains("6 of 6 operations are in the document"),
        "{said}"
    );
    // In another dialect it is the same.
    for (from, to, expected, found) in [
        ("openapi: 3.0.1", "openapi: 3.1.0", 0, "6 of 6"),
        (
            "operationId: getAccounts\n",
            "operationId: getAccounts\n      deprecated: true\n",
            100,
            "import newer.yaml --id harbour --again",
        ),
        (
            "        nextCursor: { type: string, nullable: true }\n",
            "",
            100,
            "nextCursor",
        ),
        (
            "      required: [amount, id]",
            "      required: [amount, id, to]",
            100,
            "`body.to` is required now",
        ),
        (
            "https://tokens.harbour.example/oauth/token",
            "https://tokens.harbour.example/v2/token",
            100,
            "/v2/token",
        ),
        // What no client can be made of is not gone.
        (
            "{ name: account-id, in: path,",
            "{ name: account-id, in: cookie, required: true,",
            100,
            "`GET /accounts/{account-id}` is in the document and was not read: ",
        ),
    ] {
        let newer = HARBOUR.replace(from, to);
        assert_ne!(newer, HARBOUR, "{from}");
        std::fs::write(made.file("newer.yaml"), newer).unwrap();
        let (code, said) = made.run(&["drift", "harbour", "--openapi", "newer.yaml"]);
        assert!(code == expected && said.contains(found), "{to}: {code} {said}");
    }
    let (code, said) = made.run(&["drift", "harbour", "--openapi", "README.md"]);
    assert!(code == 100 && said.contains("README.md"), "{said}");
}
