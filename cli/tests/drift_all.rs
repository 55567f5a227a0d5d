//! `drift --all`: evidence by address, from a server on loopback.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;

use serde_json::Value;
use support::{Project, TINY};

const FITTING: &str = r#"{
    "issuer": "https://api.tiny.example",
    "authorization_endpoint": "https://api.tiny.example/v1/oauth/authorize",
    "token_endpoint": "https://api.tiny.example/v1/oauth/token",
    "grant_types_supported": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    "code_challenge_methods_supported": ["S256"],
    "scopes_supported": ["accounts", "offline"]
}"#;

/// Serves these pages until the test ends, and 404 for all others; gives its address.
fn serve(pages: &[(&'static str, String)]) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let pages: BTreeMap<&str, String> = pages.iter().cloned().collect();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap_or_default();
            let request = String::from_utf8_lossy(&request[..read]).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default();
            let (status, body) = match pages.get(path) {
                Some(page) => ("200 OK", page.as_str()),
                None => ("404 Not Found", "no such page"),
            };
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    address
}

/// An address where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn run(project: &Project, arguments: &[&str]) -> (i32, String) {
    // Settings of its own, so that no folder above is taken for the project's.
    if !project.root().join("finrail.toml").exists() {
        project.write("finrail.toml", "");
    }
    let done = Command::new(env!("CARGO_BIN_EXE_finrail"))
        .arg("drift")
        .args(arguments)
        .current_dir(project.root())
        .env("NO_PROXY", "*")
        .output()
        .unwrap();
    let said = String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap();
    (done.status.code().unwrap(), said)
}

fn with_other(test: &str) -> Project {
    let project = Project::new(test);
    project.write("specs/other.yaml", &TINY.replace("id: tiny", "id: other"));
    project
}

#[test]
fn what_stands_at_the_addresses_is_compared() {
    let project = with_other("all-fresh");
    let at = serve(&[
        ("/metadata", FITTING.to_owned()),
        ("/openapi", TINY.to_owned()),
        ("/moved", FITTING.replace("api.tiny", "login.tiny")),
    ]);
    let sources = format!(
        "[tiny]\nmetadata = [\"{at}/metadata\"]\nopenapi = [\"{at}/openapi\"]\n[other]\nmetadata = [\"{at}/metadata\"]\n"
    );
    project.write("specs/sources.toml", &sources);
    let (code, said) = run(&project, &["--all"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("2 providers; 3 of 3 addresses were read"), "{said}");
    // One that has drifted says so, and the others are compared all the same.
    project.write("specs/sources.toml", &sources.replacen("/metadata", "/moved", 1));
    let (code, said) = run(&project, &["--all"]);
    assert_eq!(code, 100, "{said}");
    assert!(
        said.contains("[endpoint-moved]") && said.contains("other: nothing has drifted"),
        "{said}"
    );
    let (code, said) = run(&project, &["other", "--all"]);
    assert!(code == 0 && said.contains("1 providers; 1 of 1 addresses"), "{said}");
}

#[test]
fn what_cannot_be_read_is_told_and_the_others_are_compared() {
    let project = with_other("all-unread");
    let at = serve(&[
        ("/metadata", FITTING.to_owned()),
        ("/login", "<html><body>Log in</body></html>".to_owned()),
    ]);
    let nobody = nobody();
    project.write(
        "specs/sources.toml",
        &format!("[other]\nmetadata = [\"{nobody}/metadata\", \"{at}/gone\", \"{at}/login\"]\n[tiny]\nmetadata = [\"{at}/metadata\"]\n"),
    );
    let (code, said) = run(&project, &["--all"]);
    assert_eq!(code, 100, "{said}");
    for expected in [
        format!("what stands at {nobody}/metadata was not read [evidence-unread]"),
        format!("what stands at {at}/gone was not read [evidence-unread]"),
        "404".to_owned(),
        "[metadata-unread]".to_owned(),
        "tiny: nothing has drifted in what was read".to_owned(),
        "2 providers; 1 of 4 addresses were read".to_owned(),
    ] {
        assert!(said.contains(&expected), "{expected:?} is not in {said}");
    }
    assert!(!said.contains("other: nothing has drifted"), "{said}");
    let (code, said) = run(&project, &["--all", "--format", "json"]);
    let reports: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let class = |report: &Value| report["findings"][0]["class"].as_str().unwrap_or("none").to_owned();
    let classes: Vec<String> = reports.as_array().unwrap().iter().map(class).collect();
    assert_eq!(code, 100);
    assert_eq!(classes, ["unhandled", "unhandled", "unhandled", "none"]);
}

#[test]
fn without_a_network_nothing_is_fresh() {
    let project = with_other("all-offline");
    let nobody = nobody();
    project.write(
        "specs/sources.toml",
        &format!("[other]\ndocs = [\"{nobody}/docs\"]\n[tiny]\nopenapi = [\"{nobody}/openapi\"]\n"),
    );
    let (code, said) = run(&project, &["--all"]);
    assert_eq!(code, 100, "{said}");
    assert_eq!(said.matches("[evidence-unread]").count(), 2, "{said}");
    assert!(
        said.contains("no address could be read: see whether there is a network"),
        "{said}"
    );
    assert!(!said.contains("nothing has drifted"), "{said}");
}

#[test]
fn a_provider_without_an_address_is_not_fresh() {
    let project = Project::new("all-nowhere");
    let (code, said) = run(&project, &["--all"]);
    assert!(code == 100 && said.contains("[evidence-unnamed]"), "{said}");
}

#[test]
fn the_settings_of_a_project_may_name_the_addresses() {
    let project = with_other("all-settings");
    let at = serve(&[("/metadata", FITTING.to_owned())]);
    project.write(
        "finrail.toml",
        &format!("[sources.tiny]\nmetadata = [\"{at}/metadata\"]\n[sources.other]\nmetadata = [\"{at}/metadata\"]\n"),
    );
    let (code, said) = run(&project, &["--all"]);
    assert!(code == 0 && said.contains("2 of 2 addresses were read"), "{said}");
}

#[test]
fn addresses_that_are_not_in_their_form_are_told() {
    let project = Project::new("all-form");
    for (sources, expected) in [
        (
            "[tinny]\ndocs = []\n",
            "there is no specification of `tinny`: did you mean `tiny`?",
        ),
        (
            "[tiny]\ndocs = [\"page.html\"]\n",
            "`page.html` is no address: write it with https://, or take it out and compare a file by",
        ),
        ("[tiny]\nopenapi = [\"tiny.yaml\"]\n", "drift tiny --openapi tiny.yaml`"),
        ("[tiny]\npages = []\n", "unknown field `pages`"),
        ("[tiny\n", "specs/sources.toml"),
    ] {
        project.write("specs/sources.toml", sources);
        let (code, said) = run(&project, &["--all"]);
        assert!(code == 100 && said.contains(expected), "{sources}: {said}");
    }
    project.write("specs/sources.toml", "");
    let (code, said) = run(&project, &["tinny", "--all"]);
    assert!(code == 100 && said.contains("did you mean `tiny`?"), "{said}");
    let (code, said) = run(&project, &["--metadata", "x.json"]);
    assert!(code == 2 && said.contains("<PROVIDER>"), "{said}");
}
