//! `cargo xtask drift --docs`: a page of a provider that does not exist, and what happens when it changes.

mod support;

use support::{Project, speak};
use xtask::drift::{self, Options, Source};
use xtask::shell::Outcome;

const PAGE: &str = include_str!("fixtures/tiny-oauth.txt");
const ADDRESS: &str = "https://docs.tiny.example/oauth";

fn drift(project: &Project, accept: bool, json: bool) -> (Outcome, String) {
    let options = Options {
        provider: "tiny".to_owned(),
        evidence: Source::Docs {
            place: "page.txt".to_owned(),
            page: Some(ADDRESS.to_owned()),
            accept,
        },
        json,
        today: "2026-11-22".to_owned(),
    };
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

/// What stands on the page, what stands there instead, and the one finding that follows: rule and class.
const CHANGES: &[(&str, &str, &str, &str)] = &[
    ("/oauth/token", "/oauth/v9/token", "endpoint-moved", "wire-breaking"),
    ("/accounts?limit", "/customers?limit", "", ""),
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
    ("code_challengeYesThe challenge.\n", "", "", ""),
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
    ("Query Parameters", "Parameters", "", ""),
    ("The latest one.", "The newest one.", "", ""),
    ("The challenge.", "A challenge, made from the verifier.", "", ""),
];

#[test]
fn each_change_of_the_page_is_found_with_its_class() {
    let project = recorded("docs-changes");
    let mut wrong = Vec::new();
    let mut caught = 0;
    for (from, to, rule, class) in CHANGES {
        // Two that end in more than one finding have a test of their own below.
        if rule.is_empty() && (from.contains("customers") || from.starts_with("/accounts") || from.starts_with("code_"))
        {
            continue;
        }
        assert!(PAGE.contains(from), "the page has no {from:?}");
        project.write("page.txt", &PAGE.replace(from, to));
        let (_, json) = drift(&project, false, true);
        let report: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
        let found: Vec<String> = report["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|finding| {
                format!(
                    "{} {}",
                    finding["rule"].as_str().unwrap_or(""),
                    finding["class"].as_str().unwrap_or("")
                )
            })
            .collect();
        let expected = if rule.is_empty() {
            Vec::new()
        } else {
            vec![format!("{rule} {class}")]
        };
        if found == expected {
            caught += 1;
        } else {
            wrong.push(format!("{from:?} -> {to:?}: expected {expected:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{caught} caught, wrong:\n{}", wrong.join("\n"));
    println!("{caught} changes, each with its rule and class and nothing else");
}

#[test]
fn a_waived_fact_is_not_told_again() {
    let project = recorded("docs-waived");
    project.write("page.txt", &PAGE.replace("offlineNo-", "offlineNo-\ncardsNo-"));
    assert_eq!(drift(&project, true, false).0, Outcome::Stale);
    assert_eq!(
        drift(&project, false, false).0,
        Outcome::Stale,
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
    let (outcome, said) = drift(&project, false, false);
    assert_eq!(outcome, Outcome::Fresh, "{said}");
}
