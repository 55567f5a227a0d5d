//! `cargo xtask drift --docs`: a page of a provider that does not exist, and what happens when it changes.

mod support;

use finrail_cli::drift::{self, Options, Source};
use finrail_cli::shell::Outcome;
use support::{Project, speak};

const PAGE: &str = include_str!("fixtures/tiny-oauth.txt");
const ADDRESS: &str = "https://docs.tiny.example/oauth";

fn options(accept: bool, json: bool) -> Options {
    Options {
        provider: "tiny".to_owned(),
        evidence: Source::Docs {
            place: "page.txt".to_owned(),
            page: Some(ADDRESS.to_owned()),
            accept,
        },
        json,
        today: "2026-11-22".to_owned(),
    }
}

fn drift(project: &Project, accept: bool, json: bool) -> (Outcome, String) {
    let options = options(accept, json);
    speak(|shell| drift::run(&project.workspace(), &options, shell))
}

fn recorded(test: &str) -> Project {
    let project = Project::new(test);
    project.write("page.txt", PAGE);
    let (outcome, said) = drift(&project, true, false);
    assert_eq!(outcome, Outcome::Fresh, "{said}");
    project
}

#[test]
fn the_recorded_page_has_not_drifted() {
    let project = recorded("docs-fresh");
    let (outcome, said) = drift(&project, false, false);
    assert_eq!(outcome.code(), 0);
    insta::assert_snapshot!(said);
    insta::assert_snapshot!("recorded_facts", project.read("specs/facts/tiny.json"));
}

#[test]
fn an_endpoint_a_scope_and_a_lifetime_are_three_findings() {
    let project = recorded("docs-three");
    let page = PAGE
        .replace("/oauth/token", "/oauth/v2/token")
        .replace("offlineNo-", "offlineNo-\npaymentsNo/payments")
        .replace("expire after 30 days", "expire after 14 days");
    project.write("page.txt", &page);
    let (outcome, said) = drift(&project, false, false);
    assert_eq!(outcome.code(), 100);
    insta::assert_snapshot!(said);
    let (_, json) = drift(&project, false, true);
    let report: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
    let classes: Vec<&str> = report["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|finding| finding["class"].as_str())
        .collect();
    assert_eq!(classes, ["wire-breaking", "wire-breaking", "additive"]);
}

/// What stands on the page, what stands there instead, and the one finding that follows: rule and class. A page that says
/// the same in other words is told as that, and as nothing else.
const REWORDED: &str = "page-reworded";
const DOCS: &str = "docs-only";

/// Changes of which several things follow.
const SEVERAL: &[(&str, &str, &[&str])] = &[
    // The endpoint is another one, and what belonged to it goes with it. The page names it twice, once without the host.
    (
        "GET /accounts\n\nGET https://api.tiny.example/v1/accounts?limit",
        "GET /customers\n\nGET https://api.tiny.example/v1/customers?limit",
        &[
            "endpoint-gone wire-breaking",
            "endpoint-gone wire-breaking",
            "endpoint-undescribed additive",
            "endpoint-undescribed additive",
        ],
    ),
];

const CHANGES: &[(&str, &str, &str, &str)] = &[
    ("/oauth/token", "/oauth/v9/token", "endpoint-moved", "wire-breaking"),
    (
        "https://api.tiny.example/v1/oauth/token",
        "https://api.tiny.example/oauth/token",
        "endpoint-moved",
        "wire-breaking",
    ),
    (
        "client_idYes---",
        "client_idYes---\nprompt_idYesNew.",
        "parameter-undescribed",
        "wire-breaking",
    ),
    (
        "client_idYes---",
        "client_idYes---\nlocaleNoNew.",
        "parameter-undescribed",
        "additive",
    ),
    (
        "client_idYes---",
        "client_idNo---",
        "parameter-became-optional",
        "additive",
    ),
    (
        "accountsNo/accounts",
        "accountsYes/accounts",
        "scope-needed",
        "wire-breaking",
    ),
    ("30 days", "2,592,000 seconds", REWORDED, DOCS),
    (
        "expire after 30 days",
        "are valid for 2 weeks",
        "lifetime-changed",
        "wire-breaking",
    ),
    ("expire after 30 days", "live thirty days", REWORDED, DOCS),
    (
        "codeNoThe code of the redirect.",
        "codeNoThe code of the redirect.\nusernameNoThe user.",
        "parameter-undescribed",
        "additive",
    ),
    (
        "codeNoThe code of the redirect.",
        "codeNoThe code of the redirect.\npasswordYesThe password.",
        "parameter-undescribed",
        "wire-breaking",
    ),
    (
        "-H 'Authorization: Basic YTpi' \\\n_10\n",
        "",
        "header-unsaid",
        "unhandled",
    ),
    (
        "\"next\": null",
        "\"next\": null, \"previous\": null",
        "reply-field-undescribed",
        "additive",
    ),
    ("\"id\": \"a1\"", "\"id\": 7", "reply-type-differs", "wire-breaking"),
    (
        "\"id\": \"a1\"",
        "\"id\": \"a1\", \"iban\": \"x\"",
        "reply-field-undescribed",
        "additive",
    ),
    (
        "-d 'grant_type=authorization_code&code=xyz'",
        "-d '{\"grant_type\": \"authorization_code\", \"code\": \"xyz\", \"audience\": \"us\"}'",
        "parameter-undescribed",
        "additive",
    ),
    (
        "grant_type=authorization_code&code",
        "grant_type=urn:ietf:params:oauth:grant-type:device_code&code",
        "grant-added",
        "additive",
    ),
    ("offlineNo-", "offlineNo-\ncardsNo-", "scope-added", "additive"),
    ("accounts+offline", "accounts+offline+cards", "scope-added", "additive"),
    ("30 days", "90 days", "lifetime-changed", "docs-only"),
    ("30 days", "10 minutes", "lifetime-changed", "wire-breaking"),
    (
        " Refresh tokens expire after 30 days, and",
        "",
        "lifetime-unsaid",
        "docs-only",
    ),
    (", and refresh tokens are rotated", "", "rotation-unsaid", "docs-only"),
    (
        "client_secret_basic",
        "client_secret_basic and client_secret_post",
        "client-authentication-added",
        "additive",
    ),
    (
        "Clients use client_secret_basic here.",
        "",
        "client-authentication-withdrawn",
        "wire-breaking",
    ),
    (
        "authorization_code and refresh_token",
        "authorization_code, client_credentials and refresh_token",
        "grant-added",
        "additive",
    ),
    (
        "authorization_code and refresh_token",
        "authorization_code",
        "grant-withdrawn",
        "wire-breaking",
    ),
    (
        "Authorization: Basic YTpi",
        "Authorization: Bearer x",
        "header-differs",
        "wire-breaking",
    ),
    (
        "application/x-www-form-urlencoded",
        "application/json",
        "header-differs",
        "wire-breaking",
    ),
    (
        "-d 'grant",
        "-H 'X-Tenant: t' \\\n-d 'grant",
        "header-differs",
        "additive",
    ),
    (
        "\"access_token\": \"opaque\",",
        "\"access_token\": \"opaque\",\n  \"account_id\": \"a\",",
        "reply-field-undescribed",
        "additive",
    ),
    (
        "  \"access_token\": \"opaque\",\n",
        "",
        "reply-field-gone",
        "wire-breaking",
    ),
    (
        "\"refresh_token\": \"opaque\"",
        "\"refresh_token\": 7",
        "reply-type-differs",
        "wire-breaking",
    ),
    (
        ",\n  \"refresh_token\": \"opaque\"",
        "",
        "reply-field-gone",
        "source-breaking",
    ),
    (
        "\"expires_in\": 900",
        "\"expires_in\": 300",
        "lifetime-changed",
        "docs-only",
    ),
    (
        "{\"page\": {\"next\": null}, ",
        "{\"total\": 1, \"page\": {\"next\": null}, ",
        "reply-field-undescribed",
        "additive",
    ),
    (
        "accounts?limit=5",
        "accounts?limit=5&sort=name",
        "parameter-undescribed",
        "additive",
    ),
    ("Query Parameters", "Parameters", REWORDED, DOCS),
    ("The latest one.", "The newest one.", REWORDED, DOCS),
    ("The challenge.", "A challenge, made from the verifier.", REWORDED, DOCS),
];

/// The findings of one run, as `rule class`.
fn findings(project: &Project, accept: bool) -> Vec<String> {
    let (_, json) = drift(project, accept, true);
    let report: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
    let word = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let all = report["findings"].as_array().cloned().unwrap_or_default();
    all.iter()
        .map(|finding| format!("{} {}", word(finding, "rule"), word(finding, "class")))
        .collect()
}

#[test]
fn each_change_of_the_page_is_found_with_its_class() {
    let project = recorded("docs-changes");
    let mut wrong = Vec::new();
    let single = CHANGES
        .iter()
        .map(|(from, to, rule, class)| (from, to, vec![format!("{rule} {class}")]));
    let several = SEVERAL
        .iter()
        .map(|(from, to, found)| (from, to, found.iter().map(|told| (*told).to_owned()).collect()));
    let all: Vec<_> = single.chain(several).collect();
    for (from, to, expected) in &all {
        assert!(PAGE.contains(**from), "the page has no {from:?}");
        project.write("page.txt", &PAGE.replace(**from, to));
        let found = findings(&project, false);
        if found != *expected {
            wrong.push(format!("{from:?} -> {to:?}: expected {expected:?}, found {found:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}, wrong:\n{}",
        wrong.len(),
        all.len(),
        wrong.join("\n")
    );
}

#[test]
fn recording_a_page_does_not_forget_what_it_no_longer_shows() {
    let project = recorded("docs-withdrawn");
    let withdrawn = PAGE.replace("authorization_code and refresh_token", "authorization_code");
    project.write("page.txt", &withdrawn);
    let told = ["grant-withdrawn wire-breaking"];
    assert_eq!(findings(&project, true), told);
    assert_eq!(findings(&project, false), told, "recording is not following");
    assert_eq!(findings(&project, true), told);
    // A reason ends it, and the next record is without the fact.
    project.edit(
        "specs/facts/tiny.json",
        "\"waived\": {}",
        "\"waived\": {\"grant: refresh_token\": \"shown on another page\"}",
    );
    assert!(findings(&project, true).is_empty());
    let (outcome, said) = drift(&project, false, false);
    assert_eq!(outcome, Outcome::Fresh, "{said}");
    assert!(
        said.contains("Unused `grant: refresh_token` is waived and not on the page"),
        "{said}"
    );
}

#[test]
fn following_a_page_ends_what_it_withdrew() {
    let project = recorded("docs-followed");
    project.write("page.txt", &PAGE.replace("client_idYes---\n", ""));
    // The example still shows the parameter; only its need is not said any more.
    assert_eq!(findings(&project, true), Vec::<String>::new());
    project.write(
        "page.txt",
        &PAGE.replace(" Refresh tokens expire after 30 days, and", ""),
    );
    assert_eq!(findings(&project, true), ["lifetime-unsaid docs-only"]);
    project.edit("specs/tiny.yaml", "          lifetime: 2592000\n", "");
    assert!(findings(&project, false).is_empty());
}

#[test]
fn a_page_without_facts_is_not_fresh_and_not_recorded() {
    let project = recorded("docs-empty");
    let facts = project.read("specs/facts/tiny.json");
    for page in ["", "Access denied.", "<html><body><script>app()</script></body></html>"] {
        project.write("page.txt", page);
        assert_eq!(findings(&project, false), ["page-without-facts unhandled"], "{page:?}");
        let mut text = Vec::new();
        let options = options(true, true);
        let run = drift::run(
            &project.workspace(),
            &options,
            &mut finrail_cli::shell::Shell::new(&mut text, false),
        );
        assert!(
            run.is_err_and(|error| error.to_string().contains("no facts")),
            "{page:?}"
        );
    }
    assert_eq!(project.read("specs/facts/tiny.json"), facts);
}

#[test]
fn a_reworded_page_is_put_right_by_the_command_in_the_last_line() {
    let project = recorded("docs-reworded");
    project.write("page.txt", &PAGE.replace("The latest one.", "The newest one."));
    let (outcome, said) = drift(&project, false, false);
    assert_eq!(outcome.code(), 4, "{said}");
    assert!(
        said.contains(&format!(
            "cargo xtask drift tiny --docs page.txt --page {ADDRESS} --accept"
        )),
        "{said}"
    );
    assert_eq!(drift(&project, true, false).0, Outcome::Fresh);
    assert_eq!(drift(&project, false, false).0, Outcome::Fresh);
}

#[test]
fn what_a_person_must_decide_is_not_put_right_by_a_command() {
    let project = recorded("docs-decide");
    project.write("page.txt", &PAGE.replace("offlineNo-", "offlineNo-\ncardsNo-"));
    assert_eq!(drift(&project, false, false).0.code(), 100);
}

#[test]
fn each_rewording_is_told_anew() {
    let project = recorded("docs-fingerprints");
    let fingerprint = |page: String| {
        project.write("page.txt", &page);
        let (_, json) = drift(&project, false, true);
        let report: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
        report["findings"][0]["fingerprint"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let first = fingerprint(PAGE.replace("The latest one.", "The newest one."));
    assert_ne!(first, fingerprint(PAGE.replace("The latest one.", "The last one.")));
}

#[test]
fn what_cannot_be_read_is_listed() {
    let project = recorded("docs-unread");
    for (from, to, unread) in [
        (
            "after 30 days",
            "after 18446744073709551615 days",
            "a span of time beside a token",
        ),
        ("after 30 days", "after 1.5 months", "a span of time beside a token"),
        ("after 30 days", "after two fortnights", "a span of time beside a token"),
        (
            "'grant_type=authorization_code&code=xyz'",
            "'{\"grant_type\": broken}'",
            "a JSON body that is not JSON",
        ),
    ] {
        project.write("page.txt", &PAGE.replace(from, to));
        let (_, said) = drift(&project, false, false);
        assert!(said.contains(unread), "{to}: {said}");
    }
}

#[test]
fn a_list_in_an_example_is_read() {
    let project = recorded("docs-list");
    let example = "{\"page\": {\"next\": null}, \"accounts\": [{\"id\": \"a1\"}]}";
    assert!(PAGE.contains(example));
    project.write("page.txt", &PAGE.replace(example, "[\n  {\"brand_new\": 1}\n]"));
    let found = findings(&project, false);
    assert!(
        found.contains(&"reply-field-undescribed additive".to_owned()),
        "{found:?}"
    );
}

#[test]
fn a_page_of_another_address_is_not_the_recorded_one() {
    let project = recorded("docs-address");
    let mut options = options(false, true);
    let page = |source: &mut Source, name: Option<&str>| {
        if let Source::Docs { page, .. } = source {
            *page = name.map(str::to_owned);
        }
    };
    let covered = |options: &Options| {
        let (_, json) = speak(|shell| drift::run(&project.workspace(), options, shell));
        let report: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
        report["coverage"]["lines"].to_string()
    };
    page(&mut options.evidence, Some("https://docs.tiny.example/other"));
    assert!(covered(&options).contains("nothing is recorded of this page yet"));
    page(&mut options.evidence, None);
    assert!(covered(&options).contains(ADDRESS), "the only page is meant");
    let text = project.read("specs/facts/tiny.json");
    let mut facts: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let mut second = facts["pages"][0].clone();
    second["source"] = "https://docs.tiny.example/second".into();
    facts["pages"]
        .as_array_mut()
        .into_iter()
        .for_each(|pages| pages.push(second.clone()));
    project.write("specs/facts/tiny.json", &facts.to_string());
    let mut text = Vec::new();
    let run = drift::run(
        &project.workspace(),
        &options,
        &mut finrail_cli::shell::Shell::new(&mut text, false),
    );
    assert!(run.is_err_and(|error| error.to_string().contains("which page is it?")));
}

#[test]
fn a_reason_is_a_reason() {
    let project = recorded("docs-reasons");
    project.edit(
        "specs/facts/tiny.json",
        "\"waived\": {}",
        "\"waived\": {\"scope: offline\": \" \"}",
    );
    let mut text = Vec::new();
    let run = drift::run(
        &project.workspace(),
        &options(false, true),
        &mut finrail_cli::shell::Shell::new(&mut text, false),
    );
    assert!(run.is_err_and(|error| error.to_string().contains("waived without a reason")));
    project.edit("specs/facts/tiny.json", "\" \"", "\"as agreed\"");
    project.write(
        "specs/facts/accepted.json",
        r#"{"0123456789ab": {"finding": "x", "reason": "", "date": "2026-11-22"}}"#,
    );
    let run = drift::run(
        &project.workspace(),
        &options(false, true),
        &mut finrail_cli::shell::Shell::new(&mut text, false),
    );
    assert!(run.is_err_and(|error| error.to_string().contains("0123456789ab has no reason")));
    project.write(
        "specs/facts/accepted.json",
        r#"{"0123456789ab": {"finding": "scope cards", "reason": "later", "date": "2026-11-22", "provider": "tiny", "evidence": "documentation"},
            "ba9876543210": {"finding": "other", "reason": "later", "date": "2026-11-22", "provider": "tiny", "evidence": "openapi"}}"#,
    );
    let (outcome, said) = drift(&project, false, false);
    assert_eq!(outcome, Outcome::Fresh);
    assert!(
        said.contains("Unused 0123456789ab is accepted and not found: scope cards"),
        "{said}"
    );
    assert!(!said.contains("ba9876543210"), "{said}");
}

#[test]
fn a_waived_fact_is_not_told_again() {
    let project = recorded("docs-waived");
    project.write("page.txt", &PAGE.replace("offlineNo-", "offlineNo-\ncardsNo-"));
    assert_eq!(drift(&project, true, false).0, Outcome::Failure);
    assert_eq!(
        drift(&project, false, false).0,
        Outcome::Failure,
        "recording is not following"
    );
    project.edit(
        "specs/facts/tiny.json",
        "\"waived\": {}",
        "\"waived\": {\"scope: cards\": \"announced for next year\"}",
    );
    let (outcome, said) = drift(&project, true, false);
    assert_eq!(outcome, Outcome::Fresh, "{said}");
    assert!(
        project
            .read("specs/facts/tiny.json")
            .contains("announced for next year")
    );
}

#[test]
fn an_accepted_finding_is_counted_and_not_told() {
    let project = recorded("docs-accepted");
    project.write("page.txt", &PAGE.replace("offlineNo-", "offlineNo-\ncardsNo-"));
    let (_, json) = drift(&project, false, true);
    let report: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
    let fingerprint = report["findings"][0]["fingerprint"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert_eq!(fingerprint.len(), 12, "{json}");
    project.write(
        "specs/facts/accepted.json",
        &format!(r#"{{"{fingerprint}": {{"finding": "scope cards", "reason": "not for us", "date": "2026-11-22"}}}}"#),
    );
    let (outcome, said) = drift(&project, false, false);
    assert_eq!(outcome, Outcome::Fresh, "{said}");
    assert!(said.contains("1 findings, with reasons"), "{said}");
}

#[test]
fn the_facts_hold_no_sentence_of_the_page() {
    let project = recorded("docs-private");
    let facts = project.read("specs/facts/tiny.json");
    for line in PAGE.lines().filter(|line| line.split_whitespace().count() > 5) {
        assert!(!facts.contains(line.trim()), "{line}");
    }
    assert!(!facts.contains("opaque") && !facts.contains("YTpi"), "{facts}");
}

#[test]
fn html_says_the_same_as_text() {
    let project = recorded("docs-html");
    let mut html = String::from("<html><body><h1>Tiny Bank for developers</h1>");
    let mut table = false;
    for line in PAGE.lines().skip(1) {
        let cells = |line: &str| {
            ["Required?", "Yes", "No"].iter().find_map(|mark| {
                line.split_once(mark)
                    .map(|(name, notes)| format!("<td>{name}</td><td>{mark}</td><td>{notes}</td>"))
            })
        };
        if line.starts_with("NameRequired?") {
            table = true;
            html.push_str("<table>");
        }
        if table && line.is_empty() {
            table = false;
            html.push_str("</table>");
        } else if table && line.starts_with('/') {
            html.push_str(&format!("<tr><td></td><td></td><td>{line}</td></tr>"));
        } else if table {
            html.push_str(&format!("<tr>{}</tr>", cells(line).unwrap_or_default()));
        } else if ["Consent", "Scopes", "Tokens", "Accounts"].contains(&line) {
            html.push_str(&format!("<h2>{line}</h2>"));
        } else {
            html.push_str(&format!("<pre>{line}\n</pre>"));
        }
    }
    html.push_str("</body></html>");
    let html = html.replace("\n</pre><pre>", "\n");
    project.write("page.txt", &html);
    assert_eq!(findings(&project, false), Vec::<String>::new());
}
