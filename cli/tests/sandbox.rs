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
    // From nowhere, and of nobody.
    let told = Command::new(FINRAIL)
        .args(["sandbox", "nobody"])
        .current_dir(&here)
        .output()
        .unwrap();
    assert_eq!(told.status.code(), Some(100));
    assert!(String::from_utf8_lossy(&told.stdout).contains("none of ofx, mx, omnifund, tatrabanka, finexer"));
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
