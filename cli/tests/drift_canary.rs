//! `cargo xtask drift --canary`: a log of a running client as evidence.

mod support;

use finrail_cli::drift::{self, Options, Source};
use finrail_cli::shell::Outcome;
use support::{Project, speak};

#[test]
fn sightings_are_told_until_they_are_described() {
    let project = Project::new("canary");
    project.write(
        "app.log",
        concat!(
            "2026-11-22T10:00:00Z  INFO app: started\n",
            "2026-11-22T10:00:01Z  WARN finrail::canary: a reply has something provider=\"tiny\" ",
            "operation=\"list_accounts\" what=\"unmodelled-field\" place=\"accounts[].colour\"\n",
            "{\"target\":\"finrail::canary\",\"fields\":{\"provider\":\"tiny\",\"operation\":\"get_account\",",
            "\"what\":\"unknown-enum-value\",\"place\":\"AccountKind\"}}\n",
            "{\"target\":\"finrail::canary\",\"fields\":{\"provider\":\"tiny\",\"operation\":\"list_accounts\",",
            "\"what\":\"unmodelled-field\",\"place\":\"accounts[].balance\"}}\n",
            "{\"target\":\"finrail::canary\",\"fields\":{\"provider\":\"other\",\"operation\":\"x\",",
            "\"what\":\"unmodelled-field\",\"place\":\"y\"}}\n",
        ),
    );
    let options = Options {
        provider: "tiny".to_owned(),
        evidence: Source::Canary("app.log".to_owned()),
        json: false,
        today: "2026-11-22".to_owned(),
    };
    let (outcome, said) = speak(|shell| drift::run(&project.workspace(), &options, shell));
    assert_eq!(outcome, Outcome::Failure);
    insta::assert_snapshot!(said);
}

fn sightings(project: &Project, log: &str) -> Vec<String> {
    project.write("app.log", log);
    let options = Options {
        provider: "tiny".to_owned(),
        evidence: Source::Canary("app.log".to_owned()),
        json: true,
        today: "2026-11-22".to_owned(),
    };
    let (_, said) = speak(|shell| drift::run(&project.workspace(), &options, shell));
    let report: serde_json::Value = serde_json::from_str(&said).unwrap_or_default();
    let all = report["findings"].as_array().cloned().unwrap_or_default();
    all.iter()
        .map(|finding| format!("{} {}", finding["rule"], finding["subject"]).replace('"', ""))
        .collect()
}

#[test]
fn a_log_is_read_in_every_form_that_it_is_written_in() {
    let project = Project::new("canary-forms");
    for (form, line) in [
        (
            "in colour",
            "\u{1b}[2m2026-11-22T10:00:01Z\u{1b}[0m \u{1b}[33m WARN\u{1b}[0m \u{1b}[2mfinrail::canary\u{1b}[0m\u{1b}[2m:\u{1b}[0m \
             a reply has something \u{1b}[3mprovider\u{1b}[0m\u{1b}[2m=\u{1b}[0m\"tiny\" \
             \u{1b}[3moperation\u{1b}[0m\u{1b}[2m=\u{1b}[0m\"list_accounts\" \
             \u{1b}[3mwhat\u{1b}[0m\u{1b}[2m=\u{1b}[0m\"unmodelled-field\" \
             \u{1b}[3mplace\u{1b}[0m\u{1b}[2m=\u{1b}[0m\"accounts[].colour\"",
        ),
        (
            "pretty",
            "  2026-11-22T10:00:01Z  WARN finrail::canary: a reply has something, provider: \"tiny\", \
             operation: \"list_accounts\", what: \"unmodelled-field\", place: \"accounts[].colour\"\n    at src/canary.rs:139",
        ),
        (
            "JSON, flattened, behind a collector's words",
            "2026-11-22T10:00:01Z stdout F {\"target\":\"finrail::canary\",\"provider\":\"tiny\",\
             \"operation\":\"list_accounts\",\"what\":\"unmodelled-field\",\"place\":\"accounts[].colour\"}",
        ),
    ] {
        assert_eq!(
            sightings(&project, line),
            ["field-undescribed accounts[].colour"],
            "{form}"
        );
    }
}

#[test]
fn an_event_that_cannot_be_read_is_told() {
    let project = Project::new("canary-unread");
    let line = "WARN finrail::canary a reply has something: list_accounts accounts[].colour";
    assert_eq!(sightings(&project, line), ["canary-unread finrail::canary"]);
}

#[test]
fn a_log_without_sightings_is_fresh() {
    let project = Project::new("canary-none");
    for log in [
        "2026-11-22T10:00:00Z  INFO app: started",
        "{\"timestamp\":\"2026-11-22T10:00:00Z\",\"level\":\"INFO\",\"fields\":{\"message\":\"started\"}}",
        "{\"ts\":1,\"msg\":\"started\"}\n{\"a\":1}",
        "started\n{\"a\":1}",
        "\u{1b}[32m INFO\u{1b}[0m app: started",
    ] {
        assert!(sightings(&project, log).is_empty(), "{log}");
    }
}

#[test]
fn what_is_no_log_is_not_fresh() {
    let project = Project::new("canary-no-log");
    for text in [
        "",
        "\n \n",
        "<!DOCTYPE html>\n<p>Log in</p>",
        "\0\u{fffd}\0\u{fffd}",
        "{\"a\":1}",
        "{\n \"a\": {\n \"b\": 1}}",
        "[]",
        "1\n2",
    ] {
        assert_eq!(sightings(&project, text), ["canary-no-log log"], "{text:?}");
    }
}
