//! `finrail sandbox` and `finrail control`, as a person runs them.
#![cfg(feature = "sandbox")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

const FINRAIL: &str = env!("CARGO_BIN_EXE_finrail");

/// A sandbox in a process of its own.
struct Playing {
    child: Child,
    told: Value,
}

impl Playing {
    fn new(here: &Path, specifications: &[&str]) -> Self {
        let mut child = Command::new(FINRAIL)
            .args(["sandbox", "--port", "0", "--json"])
            .args(specifications)
            .current_dir(here)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let told = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        Self { child, told }
    }

    fn control(&self, arguments: &[&str]) -> (i32, String) {
        let done = Command::new(FINRAIL)
            .arg("control")
            .args(["--at", self.told["sandbox"].as_str().unwrap()])
            .args(arguments)
            .output()
            .unwrap();
        (done.status.code().unwrap(), String::from_utf8(done.stdout).unwrap())
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn place(test: &str) -> std::path::PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sandbox-{test}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&place);
    std::fs::create_dir_all(&place).unwrap();
    place
}

#[test]
fn the_five_are_played_where_nothing_was_imported() {
    let here = place("five");
    let playing = Playing::new(&here, &[]);
    let ids: Vec<&str> = playing.told["providers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["ofx", "mx", "omnifund", "tatrabanka", "finexer"]);
    let (code, told) = playing.control(&["token", "mx"]);
    assert_eq!(code, 0, "{told}");
    let reply: Value = serde_json::from_str(&told).unwrap();
    assert!(reply["access_token"].as_str().unwrap().len() > 20);
    for (arguments, expected) in [
        (&["clock", "90d"][..], "\"now\": "),
        (
            &[
                "fault",
                "ofx",
                "status",
                "--status",
                "503",
                "--on",
                "list_beneficiaries",
                "--times",
                "2",
            ],
            "Done",
        ),
        (
            &["fault", "ofx", "too_many_requests", "--wait", "2s", "--always"],
            "Done",
        ),
        (&["fault", "ofx", "none"], "Done"),
        (
            &[
                "put",
                "ofx",
                "/payments/quotes",
                r#"{"id":"q-1","buyAmount":12345678901234567.89}"#,
            ],
            "q-1",
        ),
        (&["ids", "ofx", "/payments/quotes"], "q-1"),
        (&["lifetime", "ofx", "--access", "5s"], "Done"),
        (&["user", "ofx", "maria", "secret"], "Done"),
        (&["revoke", "ofx"], "Done"),
        (&["requests", "ofx"], "[]"),
        (&["requests", "ofx", "--forget"], "Done"),
        (&["state"], "\"client_secret\""),
    ] {
        let (code, told) = playing.control(arguments);
        assert!(code == 0 && told.contains(expected), "{arguments:?}: {told}");
    }
    let (code, told) = playing.control(&["fault", "ofx", "garbeld"]);
    assert!(code == 100 && told.contains("did you mean `garbled`"), "{code} {told}");
}

#[test]
fn what_was_imported_is_played_and_its_replies_are_made_from_schemas() {
    let here = place("own");
    std::fs::write(here.join("harbour.yaml"), include_str!("fixtures/harbour.yaml")).unwrap();
    let imported = Command::new(FINRAIL)
        .args(["import", "harbour.yaml", "--id", "harbour"])
        .current_dir(&here)
        .output()
        .unwrap();
    assert!(imported.status.success());
    for named in [
        &[][..],
        &["harbour"],
        &["specs/harbour"],
        &["specs/harbour/bundle.json"],
    ] {
        let playing = Playing::new(&here, named);
        assert_eq!(playing.told["providers"][0]["id"], "harbour", "{named:?}");
        let (_, told) = playing.control(&["token", "harbour", "--scope", "accounts"]);
        let reply: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(
            (&reply["token_type"], &reply["scope"]),
            (&Value::from("Bearer"), &Value::from("accounts")),
            "{reply}"
        );
        let (_, told) = playing.control(&["ids", "harbour", "/accounts"]);
        assert!(told.contains("id-1"), "{told}");
    }
    // What the bank publishes is no bundle.
    let told = Command::new(FINRAIL)
        .args(["sandbox", "harbour.yaml"])
        .current_dir(&here)
        .output()
        .unwrap();
    assert_eq!(told.status.code(), Some(100));
    assert!(String::from_utf8_lossy(&told.stdout).contains("harbour.yaml is no bundle: import"));
    // From nowhere, and of nobody.
    let told = Command::new(FINRAIL)
        .args(["sandbox", "nobody"])
        .current_dir(&here)
        .output()
        .unwrap();
    assert_eq!(told.status.code(), Some(100));
    assert!(String::from_utf8_lossy(&told.stdout).contains("none of ofx, mx, omnifund, tatrabanka, finexer"));
}

/// What opens the calls of a bank, each as a person sends it by hand; a wrong one is refused.
#[test]
fn what_a_bank_takes_beside_oauth_is_told() {
    let beacon = include_str!("fixtures/beacon.yaml");
    let both = include_str!("fixtures/harbour.yaml")
        .replace(
            "  securitySchemes:\n",
            "  securitySchemes:\n    Staff: { type: apiKey, in: header, name: X-Staff }\n",
        )
        .replace(
            "operationId: getAccounts\n",
            "operationId: getAccounts\n      security: [{ Staff: [] }]\n",
        );
    let pair = beacon
        .replace("{ App: [], Place: [] }, ", "")
        .replace("scheme: bearer", "scheme: basic");
    let here = place("taken");
    let kinds = |told: &Value| -> Vec<String> {
        let keys = told["keys"].as_array().cloned().unwrap_or_default();
        let keys = keys
            .iter()
            .map(|key| format!("{} {} {}", key["scheme"], key["in"], key["name"]));
        keys.map(|key| key.replace('"', "")).collect()
    };
    for (id, document, keys, has_oauth, has_pair) in [
        (
            "beacon",
            beacon,
            &["App header X-App", "Place query place", "Personal bearer Authorization"][..],
            false,
            false,
        ),
        ("both", &both, &["Staff header X-Staff"], true, false),
        ("pair", &pair, &[], false, true),
    ] {
        std::fs::write(here.join("document.yaml"), document).unwrap();
        let imported = Command::new(FINRAIL)
            .args(["import", "document.yaml", "--id", id])
            .current_dir(&here)
            .output()
            .unwrap();
        assert!(imported.status.success(), "{id}");
        let playing = Playing::new(&here, &[id]);
        let told = &playing.told["providers"][0];
        assert_eq!(kinds(told), keys, "{told}");
        assert_eq!(told.get("client_id").is_some(), has_oauth, "{told}");
        assert_eq!(told.get("basic").is_some(), has_pair, "{told}");
        let of = |value: &Value| value.as_str().unwrap().to_owned();
        let status = |query: &str, header: (&str, String)| {
            let path = if id == "both" { "accounts" } else { "rates" };
            let url = format!("{}/{path}{query}", of(&told["url"]));
            let agent = ureq::Agent::config_builder()
                .proxy(None)
                .http_status_as_error(false)
                .build()
                .new_agent();
            agent
                .get(&url)
                .header(header.0, &header.1)
                .call()
                .unwrap()
                .status()
                .as_u16()
        };
        let value = told["keys"][0]["value"].as_str().unwrap_or_default();
        let (query, header) = match id {
            "beacon" => (format!("?place={value}"), ("X-App", value.to_owned())),
            "both" => (String::new(), ("X-Staff", value.to_owned())),
            _ => {
                use base64::Engine as _;
                let pair = format!("{}:{}", of(&told["basic"]["name"]), of(&told["basic"]["password"]));
                let pair = base64::engine::general_purpose::STANDARD.encode(pair);
                (String::new(), ("Authorization", format!("Basic {pair}")))
            }
        };
        assert_eq!(status(&query, (header.0, header.1)), 200, "{id}");
        assert_eq!(status(&query, ("X-Other", "wrong".to_owned())), 401, "{id}");
        // The same in words.
        let mut child = Command::new(FINRAIL)
            .args(["sandbox", "--port", "0", id])
            .current_dir(&here)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let said: Vec<String> = lines
            .by_ref()
            .take_while(|line| !line.contains("control --help"))
            .collect();
        child.kill().unwrap();
        child.wait().unwrap();
        let said = said.join("\n");
        assert_eq!(said.contains("client "), has_oauth, "{said}");
        assert_eq!(said.contains("HTTP Basic: the name "), has_pair, "{said}");
        for told in match id {
            "beacon" => &[
                "key App: the header `X-App: ",
                "key Place: `place=",
                "key Personal: the header `Authorization: Bearer ",
            ][..],
            "both" => &["key Staff: the header `X-Staff: "],
            _ => &[],
        } {
            assert!(said.contains(told), "{said}");
        }
    }
}

#[test]
fn a_shell_completes_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = Command::new(FINRAIL).args(["completions", shell]).output().unwrap();
        let script = String::from_utf8(script.stdout).unwrap();
        for command in ["import", "sandbox", "control"] {
            assert!(script.contains(command), "{shell} {command}");
        }
    }
}
