//! `cargo xtask drift --canary`: a log of a running client as evidence.

mod support;

use support::{Project, speak};
use xtask::drift::{self, Options, Source};
use xtask::shell::Outcome;

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
    assert_eq!(outcome, Outcome::Stale);
    insta::assert_snapshot!(said);
}
