//! `cargo xtask drift --docs` against pages as they come: other pages in place of the page, changes in sentences, edits
//! that mean nothing, and the same page in another dress.

#![allow(clippy::panic)]

mod support;

#[path = "drift_pages/dress.rs"]
mod dress;
#[path = "drift_pages/markup.rs"]
mod markup;

use std::collections::BTreeMap;

use finrail_cli::drift::{self, Options, Source, docs, extract, page};
use finrail_cli::shell::{Outcome, Shell};
use serde_json::Value;
use support::{Project, speak};

const ADDRESS: &str = "https://docs.tiny.example/oauth";

/// The page in sections, as it is set in text.
const PAGE: &str = include_str!("fixtures/tiny-guide.md");

fn options(page: Option<&str>, accept: bool, json: bool) -> Options {
    Options {
        provider: "tiny".to_owned(),
        evidence: Source::Docs {
            place: "page.txt".to_owned(),
            page: page.map(str::to_owned),
            accept,
        },
        json,
        today: "2026-11-22".to_owned(),
    }
}

/// The page, recorded.
fn recorded(test: &str) -> Project {
    let project = Project::new(test);
    project.write("page.txt", PAGE);
    let (outcome, said) = speak(|shell| drift::run(&project.workspace(), &options(Some(ADDRESS), true, false), shell));
    assert_eq!(outcome, Outcome::Fresh, "{said}");
    project
}

/// What a run says of a page: the code of its end, and the report.
fn read(project: &Project, page: &str) -> (u8, Value) {
    project.write("page.txt", page);
    let (outcome, said) = speak(|shell| drift::run(&project.workspace(), &options(Some(ADDRESS), false, true), shell));
    (outcome.code(), serde_json::from_str(&said).unwrap_or_default())
}

fn found(report: &Value) -> Vec<(String, String)> {
    let word = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let all = report["findings"].as_array().cloned().unwrap_or_default();
    all.iter()
        .map(|finding| (word(finding, "rule"), word(finding, "class")))
        .collect()
}

const CLASSES: [&str; 5] = ["docs-only", "additive", "unhandled", "source-breaking", "wire-breaking"];

/// The strongest class, as its place in the order of severity; nothing is below all.
fn strongest(report: &Value) -> usize {
    let place = |class: &str| CLASSES.iter().position(|it| *it == class).map_or(0, |at| at + 1);
    found(report).iter().map(|(_, class)| place(class)).max().unwrap_or(0)
}

fn class(name: &str) -> usize {
    CLASSES.iter().position(|it| *it == name).map_or(0, |at| at + 1)
}

fn assert_all(wrong: &[String], of: usize) {
    assert!(wrong.is_empty(), "{} of {of} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Pages that come in place of the page.
const NOT_THE_PAGE: &[(&str, &str)] = &[
    (
        "log-in",
        "<html><head><title>Sign in - Tiny Bank</title></head><body><h1>Sign in</h1><form><input name=user><input type=password></form></body></html>",
    ),
    (
        "log-in in text",
        "Log in\n\nE-mail\n\nPassword\n\nThe authorization code grant type opens your account at https://app.tiny.example/welcome?x=1\n",
    ),
    (
        "404 with 200",
        "<!doctype html><html><body><h1>404</h1><p>Page not found. Try <a href='/'>https://docs.tiny.example</a></p></body></html>",
    ),
    (
        "maintenance",
        "<html><body><h1>We'll be back soon</h1><p>Scheduled maintenance until noon. See GET https://status.tiny.example/state</p></body></html>",
    ),
    (
        "challenge",
        "<html><head><title>Just a moment...</title></head><body><p>Checking your browser. POST https://tiny.example/challenge</p></body></html>",
    ),
    (
        "app shell",
        "<!DOCTYPE html><html><body><div id=root></div><script src=/app.js></script></body></html>",
    ),
    (
        "another page",
        "# Webhooks\n\nWe send events.\n\nPOST https://app.tiny.example/hook\nX-Event: created\n",
    ),
    ("empty", ""),
];

#[test]
fn another_page_in_its_place_is_not_taken_for_a_withdrawal() {
    let project = recorded("pages-not-the-page");
    let facts = project.read("specs/facts/tiny.json");
    let mut wrong = Vec::new();
    for (name, page) in NOT_THE_PAGE {
        let (code, report) = read(&project, page);
        let all = found(&report);
        let one = all.len() == 1 && ["not-the-page", "page-without-facts"].contains(&all[0].0.as_str());
        if code != 100 || !one || all[0].1 != "unhandled" {
            wrong.push(format!("{name}: {code}, {all:?}"));
        }
        let mut text = Vec::new();
        let accept = options(Some(ADDRESS), true, true);
        let run = drift::run(&project.workspace(), &accept, &mut Shell::new(&mut text, false));
        if run.is_ok() {
            wrong.push(format!("{name}: was recorded"));
        }
    }
    assert_eq!(project.read("specs/facts/tiny.json"), facts);
    assert_all(&wrong, NOT_THE_PAGE.len());
}

#[test]
fn a_page_in_its_place_is_not_recorded_the_first_time() {
    for (name, page) in NOT_THE_PAGE.iter().filter(|(name, _)| *name != "another page") {
        let project = Project::new("pages-first");
        project.write("page.txt", page);
        let mut text = Vec::new();
        let accept = options(Some(ADDRESS), true, true);
        let run = drift::run(&project.workspace(), &accept, &mut Shell::new(&mut text, false));
        assert!(run.is_err(), "{name} was recorded");
    }
}

#[test]
fn a_page_that_nothing_is_recorded_of_is_not_fresh() {
    let project = Project::new("pages-unrecorded");
    project.write("page.txt", PAGE);
    let run = |page: Option<&str>, accept| {
        speak(|shell| drift::run(&project.workspace(), &options(page, accept, false), shell))
    };
    let (outcome, said) = run(Some(ADDRESS), false);
    assert_eq!(outcome.code(), 100, "{said}");
    assert!(
        said.contains("[page-not-recorded]") && said.contains("record it with --accept"),
        "{said}"
    );
    assert_eq!(run(Some(ADDRESS), true).0, Outcome::Fresh);
    for address in [
        ADDRESS,
        "https://docs.tiny.example/oauth/",
        "http://DOCS.tiny.example:80/oauth#token",
    ] {
        let (outcome, said) = run(Some(address), false);
        assert_eq!(outcome, Outcome::Fresh, "{address}: {said}");
    }
    let (outcome, said) = run(Some("https://docs.tiny.example/ouath"), false);
    assert_eq!(outcome.code(), 100);
    assert!(said.contains(&format!("add --page with one of {ADDRESS}")), "{said}");
}

/// Real changes of a page that a client must mind: what stands there, what stands there instead, and the weakest class
/// that will do. Each ends with 100.
const CHANGES: &[(&str, &str, &str)] = &[
    // A grant is withdrawn by a sentence.
    (
        "## Limits",
        "The refresh_token grant is no longer available to new clients.\n\n## Limits",
        "unhandled",
    ),
    (
        "## Limits",
        "The authorization code grant is retired on 1 March.\n\n## Limits",
        "unhandled",
    ),
    (
        "## Support",
        "The password grant was removed in spring.\n\n## Support",
        "unhandled",
    ),
    // An API or a host is retired.
    (
        "## Support",
        "Version 1 of this API is deprecated.\n\n## Support",
        "unhandled",
    ),
    (
        "## Support",
        "The host api.tiny.example is retired at the end of the year.\n\n## Support",
        "unhandled",
    ),
    (
        "## Support",
        "The sandbox API will be shut down in June.\n\n## Support",
        "unhandled",
    ),
    (
        "Send your users here.",
        "This endpoint was replaced, and moves to another host in May.",
        "unhandled",
    ),
    // Another client authentication, or more of it.
    (
        "Clients use client_secret_basic.",
        "Clients use client_secret_basic. Mutual TLS is required at this endpoint.",
        "unhandled",
    ),
    (
        "Clients use client_secret_basic.",
        "Clients use client_secret_basic. A client certificate must be presented.",
        "unhandled",
    ),
    (
        "Clients use client_secret_basic.",
        "Clients use client_secret_basic only, and the secret cannot be in the body.",
        "unhandled",
    ),
    (
        "Clients use client_secret_basic.",
        "Clients use private_key_jwt.",
        "wire-breaking",
    ),
    // PKCE.
    (
        "## Limits",
        "PKCE is mandatory for every client from now on.\n\n## Limits",
        "unhandled",
    ),
    (
        "A challenge of 43 letters.",
        "A challenge of at least 64 letters.",
        "unhandled",
    ),
    ("Set to S256.", "Must be set to plain.", "unhandled"),
    // Another status.
    ("HTTP/1.1 200 OK", "HTTP/1.1 201 Created", "wire-breaking"),
    // http for https.
    (
        "POST https://api.tiny.example/v1/oauth/token",
        "POST http://api.tiny.example/v1/oauth/token",
        "wire-breaking",
    ),
    // Rotation.
    (
        "Refresh tokens are rotated.",
        "Refresh tokens are rotated no longer.",
        "unhandled",
    ),
    (
        "Refresh tokens are rotated.",
        "Refresh tokens are not rotated, and never were.",
        "unhandled",
    ),
    // Lifetimes in words.
    (
        "Refresh tokens expire after 30 days.",
        "Refresh tokens expire after half an hour.",
        "wire-breaking",
    ),
    (
        "Refresh tokens expire after 30 days.",
        "Refresh tokens are valid for a week.",
        "wire-breaking",
    ),
    // Words that demand, and words that end something.
    ("## Limits", "Clients have to use PKCE.\n\n## Limits", "unhandled"),
    (
        "Send your users here.",
        "Send your users here. A code_challenge is compulsory.",
        "unhandled",
    ),
    (
        "Refresh tokens are rotated.",
        "Refresh tokens are rotated. From January we stop issuing refresh tokens.",
        "unhandled",
    ),
    (
        "Refresh tokens are rotated.",
        "Refresh tokens are rotated. We are phasing out the refresh_token grant.",
        "unhandled",
    ),
    (
        "Refresh tokens are rotated.",
        "Refresh tokens are rotated. Every token names its certificate.",
        "unhandled",
    ),
    (
        "# Tiny Bank for developers",
        "This description is no longer maintained.\n\n# Tiny Bank for developers",
        "unhandled",
    ),
    // A value that a parameter must have, and words that stood elsewhere on the page.
    (
        "- code_verifier (required): The verifier.",
        "- code_verifier (required): The verifier.\n- grant_type (required): It must be `code`.",
        "additive",
    ),
    // How a token is sent.
    ("\"token_type\": \"Bearer\"", "\"token_type\": \"mac\"", "wire-breaking"),
    // What stands between scopes.
    (
        "&code_challenge_method=S256\n",
        "&code_challenge_method=S256&scope=accounts,offline\n",
        "wire-breaking",
    ),
    // A need that is said of a list.
    (
        "- code (required): The code of the redirect.",
        "The following fields are needed:\n\n- device: The telephone.\n- code (required): The code of the redirect.",
        "wire-breaking",
    ),
    // A need in a list.
    (
        "- code_verifier (required): The verifier.",
        "- code_verifier (required): The verifier.\n- audience (required): The bank.",
        "wire-breaking",
    ),
    (
        "| scope | No | With blanks between. |",
        "| scope | No | With blanks between. |\n| nonce | Yes | New. |",
        "wire-breaking",
    ),
    (
        "At most ten requests in a second.",
        "A signature is required on every request.",
        "unhandled",
    ),
];

#[test]
fn what_a_client_must_mind_is_told() {
    let project = recorded("pages-changes");
    let mut wrong = Vec::new();
    for (from, to, least) in CHANGES {
        assert!(PAGE.contains(from), "the page has no {from:?}");
        let (code, report) = read(&project, &PAGE.replacen(from, to, 1));
        if code != 100 || strongest(&report) < class(least) {
            wrong.push(format!("{to:?}: expected {least}, found {code} {:?}", found(&report)));
        }
    }
    assert_all(&wrong, CHANGES.len());
}

#[test]
fn half_an_hour_and_one_month_are_lifetimes() {
    for (text, seconds) in [
        ("half an hour", 1_800),
        ("an hour", 3_600),
        ("one month", 2_592_000),
        ("thirty days", 2_592_000),
        ("half a year", 15_768_000),
        ("30-minute", 1_800),
        ("2,592,000 seconds", 2_592_000),
        ("twenty-four hours", 86_400),
    ] {
        let reading = extract::read(&page::read(&format!("Access tokens are valid for {text}.")));
        let facts: BTreeMap<String, String> = reading
            .facts
            .into_iter()
            .map(|(fact, says)| (fact.to_string(), says))
            .collect();
        assert_eq!(
            facts.get("lifetime: access_token"),
            Some(&seconds.to_string()),
            "{text}: {facts:?}"
        );
    }
}

/// Edits of people who mend their words.
const HARMLESS: &[(&str, &str)] = &[
    ("Welcome to Tiny Bank.", "A warm welcome to Tiny Bank."),
    ("Welcome to Tiny Bank.", "Welcome to Tiny Bank!"),
    (
        "Welcome to Tiny Bank.",
        "Welcome to Tiny Bank. We are glad that you are here.",
    ),
    ("Send your users here.", "Send your users to this address."),
    ("Send your users here.", "This is where your users go."),
    ("With blanks between.", "Blanks stand between them."),
    ("The id of your application.", "Your application's id."),
    ("The latest one.", "The newest one."),
    (
        "At most ten requests in a second.",
        "Ten requests in a second are fine.",
    ),
    ("Write to us.", "Write to us, or call."),
    ("Write to us.", "Write to help@tiny.example, we answer within a day."),
    ("## Support", "## Help"),
    ("## Limits", "## How much"),
    ("Copyright 2025", "Copyright 2026"),
    ("# Tiny Bank for developers", "# Tiny Bank, for developers"),
    ("The code of the redirect.", "The code that the redirect brought."),
    ("\"opaque\"", "\"0paque\""),
    ("Write to us.", "Write to us. See our blog for pictures of the office."),
    ("Set to S256.", "Set this to S256."),
    (
        "Welcome to Tiny Bank.",
        "Welcome to Tiny Bank, the only bank with a garden.",
    ),
    (
        "## Support",
        "## News\n\nTiny Bank must be the smallest bank of all.\n\n## Support",
    ),
];

#[test]
fn of_twenty_harmless_edits_at_most_one_is_an_alarm() {
    let project = recorded("pages-harmless");
    let mut alarms = Vec::new();
    for (from, to) in HARMLESS {
        assert!(PAGE.contains(from), "the page has no {from:?}");
        let (_, report) = read(&project, &PAGE.replacen(from, to, 1));
        if strongest(&report) > class("docs-only") {
            alarms.push(format!("{to:?}: {:?}", found(&report)));
        }
    }
    assert!(alarms.len() <= 1, "{}", alarms.join("\n"));
}

/// Changes that bring no word that the page did not have.
const MOVED: &[(&str, &str)] = &[
    // The needs of two parameters change places.
    (
        "- code (required): The code of the redirect.\n- code_verifier (required): The verifier.",
        "- code_verifier (required): The verifier.\n- code (required): The code of the redirect.",
    ),
    ("Send your users here.", "Write to us. Send your users here."),
    (
        "Clients use client_secret_basic. Refresh tokens expire after 30 days. Refresh tokens are rotated.",
        "Clients use client_secret_basic. Refresh tokens are rotated. Refresh tokens expire after 30 days.",
    ),
    (
        "Clients use client_secret_basic. Refresh tokens expire after 30 days. Refresh tokens are rotated.",
        "Clients use client_secret_basic. Refresh tokens expire after 30 days. Refresh tokens are rotated. Send your users here.",
    ),
];

#[test]
fn known_words_in_another_order_are_told_where_facts_stand() {
    let project = recorded("pages-moved");
    let mut wrong = Vec::new();
    for (from, to) in MOVED {
        assert!(PAGE.contains(from), "the page has no {from:?}");
        let page = PAGE.replacen(from, to, 1);
        // Another new sentence elsewhere hides nothing.
        for page in [page.clone(), page.replace("## Support", "## Support\n\nWe are glad.")] {
            let (code, report) = read(&project, &page);
            let moved = found(&report).contains(&("page-passages-moved".to_owned(), "unhandled".to_owned()));
            if code != 100 || !moved {
                wrong.push(format!("{to}: {code} {:?}", found(&report)));
            }
        }
    }
    assert_all(&wrong, MOVED.len() * 2);
    // Sections in another order, with what stands in them, say the same.
    let (start, limits, support) = ("## Tokens", "## Limits", "## Support");
    let cut = |from: &str, to: &str| PAGE[PAGE.find(from).unwrap_or(0)..PAGE.find(to).unwrap_or(0)].to_owned();
    let (tokens, limits) = (cut(start, limits), cut(limits, support));
    let moved = PAGE.replace(&format!("{tokens}{limits}"), &format!("{limits}{tokens}"));
    assert_ne!(moved, PAGE);
    let (code, report) = read(&project, &moved);
    assert_eq!(code, 0, "{report}");
    // A record of before there was an order is read.
    let mut facts: Value = serde_json::from_str(&project.read("specs/facts/tiny.json")).unwrap_or_default();
    assert!(
        facts["pages"][0]
            .as_object_mut()
            .is_some_and(|page| page.remove("order").is_some())
    );
    project.write("specs/facts/tiny.json", &facts.to_string());
    assert_eq!(read(&project, PAGE).0, 0);
    assert_eq!(read(&project, &PAGE.replacen(MOVED[0].0, MOVED[0].1, 1)).0, 0);
}

#[test]
fn lines_may_end_in_every_way() {
    let project = recorded("pages-line-ends");
    for end in ["\r\n", "\r", "\u{2028}"] {
        let (code, report) = read(&project, &PAGE.replace('\n', end));
        assert_eq!(code, 0, "{end:?}: {report}");
    }
}

#[test]
fn the_new_lines_are_shown() {
    let project = recorded("pages-new-lines");
    project.write(
        "page.txt",
        &PAGE.replace("Send your users here.", "This is where your users go."),
    );
    let (outcome, said) = speak(|shell| drift::run(&project.workspace(), &options(Some(ADDRESS), false, false), shell));
    assert_eq!(outcome.code(), 4, "{said}");
    assert!(said.contains("New This is where your users go."), "{said}");
    assert!(said.contains("1 passages are new, 1 are gone"), "{said}");
    assert!(
        !project.read("specs/facts/tiny.json").contains("users"),
        "no text is recorded"
    );
}

#[test]
fn a_record_without_fingerprints_says_so_and_is_not_the_same() {
    let project = recorded("pages-old-record");
    let mut facts: Value = serde_json::from_str(&project.read("specs/facts/tiny.json")).unwrap_or_default();
    facts["pages"][0].as_object_mut().map(|page| page.remove("lines"));
    project.write("specs/facts/tiny.json", &facts.to_string());
    assert_eq!(read(&project, PAGE).0, 0, "its text is the same");
    let (code, report) = read(&project, &PAGE.replace("Write to us.", "Write to us all."));
    assert_eq!(
        (code, found(&report)),
        (100, vec![("page-without-lines".to_owned(), "unhandled".to_owned())])
    );
}

#[test]
fn facts_that_moved_are_not_called_as_they_were() {
    let project = recorded("pages-facts-moved");
    // The specification has the field; the page did not show it.
    let (code, report) = read(
        &project,
        &PAGE.replace(
            "\"token_type\": \"Bearer\",",
            "\"token_type\": \"Bearer\", \"scope\": \"accounts\",",
        ),
    );
    assert_eq!(
        (code, found(&report)),
        (4, vec![("page-facts-moved".to_owned(), "docs-only".to_owned())])
    );
    let (_, report) = read(&project, &PAGE.replace("Write to us.", "Write to us all."));
    assert_eq!(found(&report), [("page-reworded".to_owned(), "docs-only".to_owned())]);
}

#[test]
fn what_a_waived_address_says_is_compared_with_the_operation_that_is_meant() {
    let project = recorded("pages-waiver");
    let cut = PAGE.replace("/v1/oauth/token", "/v1/oauth/1");
    let waiver = |operation: &str| {
        format!(
            "\"waived\": {{\"endpoint: POST /v1/oauth/1\": {{\"operation\": \"{operation}\", \"reason\": \"the copy is cut\"}}}}"
        )
    };
    project.edit("specs/facts/tiny.json", "\"waived\": {}", &waiver("create_token"));
    let accept = options(Some(ADDRESS), true, false);
    project.write("page.txt", &cut);
    let (outcome, said) = speak(|shell| drift::run(&project.workspace(), &accept, shell));
    assert_eq!(outcome, Outcome::Fresh, "{said}");
    for (from, to, least) in [
        ("HTTP/1.1 200 OK", "HTTP/1.1 202 Accepted", "wire-breaking"),
        ("\"access_token\"", "\"token\"", "wire-breaking"),
        (
            "- code (required): The code of the redirect.",
            "- code (required): The code of the redirect.\n- device (required): New.",
            "wire-breaking",
        ),
    ] {
        assert!(cut.contains(from), "{from}");
        let (code, report) = read(&project, &cut.replacen(from, to, 1));
        assert!(
            code == 100 && strongest(&report) >= class(least),
            "{to}: {:?}",
            found(&report)
        );
    }
    project.edit("specs/facts/tiny.json", "\"create_token\"", "\"no_such_call\"");
    let mut text = Vec::new();
    let run = drift::run(
        &project.workspace(),
        &options(Some(ADDRESS), false, true),
        &mut Shell::new(&mut text, false),
    );
    assert!(run.is_err_and(|error| error.to_string().contains("no_such_call")));
}

#[test]
fn a_new_place_that_cannot_be_read_is_not_fresh() {
    let project = recorded("pages-unread");
    let (code, report) = read(
        &project,
        &PAGE.replace(
            "Refresh tokens are rotated.",
            "Refresh tokens are rotated.\n\nRefresh tokens rest for 3 fortnights.",
        ),
    );
    assert_eq!(code, 100);
    assert!(
        found(&report).contains(&("page-unread".to_owned(), "unhandled".to_owned())),
        "{report}"
    );
}

/// Twice the page must be twice the work, and not four times.
#[test]
fn the_work_grows_as_the_page_does() {
    let shapes: &[(&str, &str)] = &[
        ("headings", "<h3>x</h3><p>Some words about the account</p>"),
        ("paragraphs", "<p>x</p>"),
        ("nested", "<div>"),
        ("nested tables", "<table><tr><td>x"),
        ("rows", "<table><tr><td>a_b</td><td>Yes</td></tr></table>"),
        ("open", "<p><b>"),
        ("boxes", "<pre>GET https://x.example/a</pre>"),
        ("items", "<li>client_id - The id</li>"),
        ("bare brackets", "<p>{</p>"),
        ("addresses", "\n```\nhttps://x.example/a"),
        ("address lines", "\nhttps://x.example/a?b=c"),
        ("lifetimes", "\nAccess tokens expire after 30 days."),
        ("signs", "<"),
        ("comments", "<!--x-->"),
    ];
    for (name, part) in shapes {
        let work = |count: usize| {
            let text = page::read(&format!("<html><body>GET https://x.example/a\n{}", part.repeat(count)));
            let reading = extract::read(&text);
            let marks = docs::words::fingerprints(&reading);
            text.steps + reading.steps + docs::words::compare(&marks, &docs::words::order(&reading), &reading).steps
        };
        let (one, two) = (work(400), work(800));
        assert!(
            two <= 2 * one + one / 10 + 500,
            "{name}: {one} steps, and {two} for twice the page"
        );
    }
}

#[test]
fn a_tag_of_very_many_attributes_is_read_without_them() {
    let many: String = (0..20_000).map(|at| format!(" data-{at}=\"a>b\"")).collect();
    let text = page::read(&format!(
        "<html><body><p{many}>after</p><script>if (a<b) {{ x(\"</p>\") }}</script><p>end</p>"
    ));
    let spoken: Vec<&String> = text.lines.iter().filter(|line| !line.is_empty()).collect();
    assert_eq!(spoken, ["after", "end"]);
}

mod of_the_banks {
    //! What is recorded of the five banks' pages, beside their specifications.

    use std::path::Path;

    use finrail_cli::drift::docs::compare;
    use finrail_cli::drift::facts::{Fact, Facts, Page, Recorded};
    use finrail_cli::drift::finding::Evidence;
    use finrail_cli::drift::spec::Spec;
    use finrail_cli::workspace::Workspace;

    fn workspace() -> Workspace {
        Workspace::new(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")), "cargo xtask")
    }

    fn pages(provider: &str) -> Vec<Page> {
        Recorded::read(&workspace(), provider)
            .map(|recorded| recorded.pages)
            .unwrap_or_default()
    }

    /// The findings of a page that says this, as `rule class`.
    fn findings(provider: &str, page: &Page, now: &Facts) -> Vec<String> {
        let evidence = Evidence {
            kind: "documentation",
            source: page.source.clone(),
            date: "2026-11-22".to_owned(),
            grade: "official",
        };
        let Ok(spec) = Spec::read(&workspace(), provider) else {
            return vec![format!("{provider} has no specification")];
        };
        let all = compare(&spec, Some(page), now, &evidence);
        all.iter()
            .map(|finding| format!("{} {}", finding.rule, finding.class.word()))
            .collect()
    }

    #[test]
    fn what_is_recorded_gives_nothing() {
        for provider in ["finexer", "mx", "ofx", "omnifund", "tatrabanka"] {
            let pages = pages(provider);
            assert!(!pages.is_empty(), "{provider}");
            for page in pages {
                assert!(!page.lines.is_empty(), "{provider} has no fingerprints");
                assert_eq!(
                    findings(provider, &page, &page.facts),
                    Vec::<String>::new(),
                    "{provider}"
                );
            }
        }
    }

    #[test]
    fn a_waiver_of_an_address_hides_nothing_beneath_it() {
        let Some(page) = pages("finexer").pop() else {
            panic!("finexer has no page")
        };
        let changed = |from: &str, to: &[(&str, &str)]| -> Facts {
            let gone: Option<Fact> = from.parse().ok();
            let mut facts = page.facts.clone();
            assert!(gone.is_some_and(|gone| facts.remove(&gone).is_some()), "{from}");
            facts.extend(
                to.iter()
                    .filter_map(|(fact, says)| Some((fact.parse().ok()?, (*says).to_owned()))),
            );
            facts
        };
        for (from, to, expected) in [
            (
                "status: POST /oauth/1: 204",
                ("status: POST /oauth/1: 200", ""),
                ["status-undescribed wire-breaking", "status-unsaid docs-only"],
            ),
            (
                "parameter: POST /oauth/1: refresh_token",
                ("parameter: POST /oauth/1: token", "needed"),
                ["parameter-undescribed wire-breaking", "parameter-gone source-breaking"],
            ),
            (
                "parameter: POST /oauth/1: client_id",
                ("parameter: POST /oauth/1: reason", "needed"),
                ["parameter-undescribed wire-breaking", "parameter-gone source-breaking"],
            ),
            (
                "header: GET /cus: authorization",
                ("header: GET /cus: authorization", "DPoP"),
                ["header-differs wire-breaking", ""],
            ),
        ] {
            let found = findings("finexer", &page, &changed(from, &[to]));
            let expected: Vec<&str> = expected.into_iter().filter(|it| !it.is_empty()).collect();
            assert_eq!(found, expected, "{to:?}");
        }
    }
}
