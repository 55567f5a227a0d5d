//! `cargo xtask drift --har`: what single exchanges say, and what a scrubbed copy keeps.

#![allow(clippy::panic)]

mod support;

use finrail_cli::drift::{self, Options, Source};
use serde_json::{Value, json};
use support::{Project, speak};

fn options(scrub: Option<String>) -> Options {
    Options {
        provider: "tiny".to_owned(),
        evidence: Source::Har {
            place: "traffic.har".to_owned(),
            scrub,
        },
        json: true,
        today: "2026-11-22".to_owned(),
    }
}

fn recording(exchanges: &[Value]) -> String {
    json!({"log": {"version": "1.2", "entries": exchanges}}).to_string()
}

fn exchange(method: &str, url: &str, status: u64, reply: &str) -> Value {
    json!({
        "startedDateTime": "2026-11-22T10:00:00Z",
        "request": {"method": method, "url": url, "headers": []},
        "response": {"status": status, "headers": [], "content": {"mimeType": "application/json", "text": reply}},
    })
}

fn posted(url: &str, media: &str, body: &str) -> Value {
    let reply = "{\"access_token\":\"planted\",\"token_type\":\"bearer\"}";
    let mut exchange = exchange("POST", url, 200, reply);
    exchange["request"]["postData"] = json!({"mimeType": media, "text": body});
    exchange
}

const ACCOUNTS: &str = "https://api.tiny.example/v1/accounts";
const TOKEN: &str = "https://api.tiny.example/v1/oauth/token";
const FORM: &str = "application/x-www-form-urlencoded";

/// The findings of one run as `rule class subject`, and everything that was said.
fn run(project: &Project, exchanges: &[Value], scrub: Option<String>) -> (Vec<String>, String) {
    project.write("traffic.har", &recording(exchanges));
    let (_, said) = speak(|shell| drift::run(&project.workspace(), &options(scrub), shell));
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let all = report["findings"].as_array().cloned().unwrap_or_default();
    let word = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let found = all.iter().map(|finding| {
        format!(
            "{} {} {}",
            word(finding, "rule"),
            word(finding, "class"),
            word(finding, "subject")
        )
    });
    (found.collect(), said)
}

#[test]
fn no_part_of_an_exchange_lets_a_secret_through() {
    let project = Project::new("har-secrets");
    let page = "{\"accounts\":[],\"page\":{}}";
    let header = |name: &str, value: &str| {
        let mut exchange = exchange("GET", ACCOUNTS, 200, page);
        exchange["request"]["headers"] = json!([{"name": name, "value": value}]);
        exchange["response"]["headers"] = json!([{"name": name, "value": value}]);
        exchange
    };
    let reply = |text: &str| exchange("GET", ACCOUNTS, 200, text);
    let rows = [
        (
            "JSON under the name of a form",
            posted(TOKEN, FORM, "{\"client_secret\":\"planted\"}"),
        ),
        ("a form that is one word", posted(TOKEN, FORM, "planted")),
        (
            "a form whose one word ends as base64 does",
            posted(TOKEN, FORM, "cGxhbnRlZA-planted=="),
        ),
        ("a grant that nobody knows", posted(TOKEN, FORM, "grant_type=planted")),
        (
            "a value between brackets",
            posted("https://api.tiny.example/v1/labels", FORM, "text[planted]=1"),
        ),
        (
            "a body of parts",
            posted(TOKEN, "multipart/form-data; boundary=planted", "--planted"),
        ),
        (
            "a query without a sign",
            exchange("GET", &format!("{ACCOUNTS}?planted"), 200, page),
        ),
        (
            "a value of a query",
            exchange("GET", &format!("{ACCOUNTS}?cursor=planted"), 200, page),
        ),
        ("a key without a scheme", header("Authorization", "planted")),
        ("a token", header("Authorization", "Bearer planted")),
        ("a challenge", header("WWW-Authenticate", "planted")),
        ("a cookie", header("Cookie", "sid=planted")),
        ("a media type that is none", header("Content-Type", "planted")),
        ("a header of their own", header("X-Key", "planted")),
        (
            "who asks",
            exchange("GET", "https://planted:@api.tiny.example/v1/accounts", 200, page),
        ),
        (
            "a fragment",
            exchange("GET", &format!("{ACCOUNTS}#access_token=planted"), 200, page),
        ),
        (
            "an id in a path",
            exchange("GET", &format!("{ACCOUNTS}/planted"), 200, "{\"id\":\"a\"}"),
        ),
        (
            "a person in an unknown path",
            exchange(
                "GET",
                "https://api.tiny.example/v1/people/planted@mail.example",
                200,
                "{}",
            ),
        ),
        (
            "a name in an unknown path",
            exchange("GET", "https://api.tiny.example/v1/people/planted", 200, "{}"),
        ),
        (
            "a key of an undescribed reply",
            exchange("GET", "https://api.tiny.example/v1/x", 200, "{\"planted\":{}}"),
        ),
        (
            "an account number as a key",
            reply("{\"page\":{},\"planted-DE89370400440532013000\":{\"a\":1}}"),
        ),
        (
            "keys under an undescribed field",
            reply("{\"page\":{},\"more\":{\"planted\":1}}"),
        ),
        ("an address as a key", reply("{\"page\":{},\"planted@mail.example\":1}")),
        (
            "a value that is no word",
            reply("{\"accounts\":[{\"id\":\"a\",\"kind\":\"planted!\"}]}"),
        ),
        (
            "another host",
            exchange("GET", "https://other.example/planted", 200, "{}"),
        ),
        ("a reply that is no JSON", reply("planted")),
    ];
    for (row, exchange) in rows {
        let copy = project.root().join("clean.har");
        let known = self::exchange("GET", ACCOUNTS, 200, page);
        let (_, said) = run(&project, &[known, exchange], Some(copy.display().to_string()));
        assert!(!said.contains("planted"), "{row}: {said}");
        let clean = project.read("clean.har");
        assert!(
            !clean.contains("planted") && !clean.contains("DE8937"),
            "{row}: {clean}"
        );
    }
}

#[test]
fn a_copy_stands_where_the_caller_is_and_never_over_the_recording() {
    let project = Project::new("har-copy");
    let path = project.root().join("traffic.har");
    project.write("traffic.har", &recording(&[exchange("GET", ACCOUNTS, 200, "{}")]));
    let before = project.read("traffic.har");
    let mut text = Vec::new();
    let over = options(Some(path.display().to_string()));
    let refused = drift::run(
        &project.workspace(),
        &over,
        &mut finrail_cli::shell::Shell::new(&mut text, false),
    );
    assert!(refused.is_err_and(|error| error.to_string().contains("would overwrite the recording")));
    assert_eq!(project.read("traffic.har"), before);
    // What is no recording leaves no copy.
    project.write("traffic.har", "{\"log\": 7}");
    let copy = project.root().join("clean.har");
    let wrong = options(Some(copy.display().to_string()));
    assert!(
        drift::run(
            &project.workspace(),
            &wrong,
            &mut finrail_cli::shell::Shell::new(&mut text, false)
        )
        .is_err()
    );
    assert!(!copy.exists());
}

#[test]
fn an_exchange_is_told_by_what_the_client_makes_of_it() {
    let project = Project::new("har-exchanges");
    project.edit(
        "specs/tiny.yaml",
        "        balance:\n          type: number\n          format: decimal\n",
        "        term:\n          type: integer\n          format: int32\n          description: Months.\n        \
         opened:\n          type: string\n          format: date\n          description: The day.\n        \
         labels:\n          type: object\n          description: Labels.\n          additionalProperties:\n            type: string\n        \
         balance:\n          type: number\n          format: decimal\n",
    );
    let account = |field: &str| {
        let reply = format!("{{\"accounts\":[{{\"id\":\"a\",{field}}}]}}");
        exchange("GET", ACCOUNTS, 200, &reply)
    };
    let refused = |url: &str, reply: &str| exchange("GET", url, 400, reply);
    let at = |method: &str, url: &str, status: u64| exchange(method, url, status, "");
    let asked = |query: &str| exchange("GET", &format!("{ACCOUNTS}?{query}"), 200, "{}");
    let known = exchange("GET", ACCOUNTS, 200, "{}");
    let rows: Vec<(Value, &[&str])> = vec![
        (account("\"balance\":\"12.50\""), &[]),
        (account("\"balance\":1e3"), &[]),
        (
            account("\"balance\":\"lots\""),
            &["value-outside-schema wire-breaking reply.accounts[].balance"],
        ),
        (
            account("\"balance\":\"1,234.50\""),
            &["value-outside-schema wire-breaking reply.accounts[].balance"],
        ),
        (
            account("\"balance\":true"),
            &["type-changed wire-breaking reply.accounts[].balance"],
        ),
        (
            account("\"term\":3000000000"),
            &["value-outside-schema wire-breaking reply.accounts[].term"],
        ),
        (
            account("\"term\":12.0"),
            &["value-outside-schema wire-breaking reply.accounts[].term"],
        ),
        (account("\"opened\":\"2026-11-22\""), &[]),
        (
            account("\"opened\":\"22.11.2026\""),
            &["value-outside-schema wire-breaking reply.accounts[].opened"],
        ),
        (account("\"labels\":{\"x\":\"y\"}"), &[]),
        (
            account("\"labels\":{\"x\":5}"),
            &["type-changed wire-breaking reply.accounts[].labels.*"],
        ),
        (asked("limit=ten"), &["value-outside-schema additive limit"]),
        (asked("new=1"), &["parameter-undescribed additive new"]),
        (asked("limit=5"), &[]),
        (posted(TOKEN, FORM, "grant_type=refresh_token&refresh_token=x"), &[]),
        (
            posted(TOKEN, FORM, "grant_type=refresh_token&brand_new=x"),
            &["field-undescribed additive brand_new"],
        ),
        (
            posted(TOKEN, "application/json", "{}"),
            &["media-type-undescribed additive application/json"],
        ),
        (
            refused(ACCOUNTS, "{\"code\":5}"),
            &["type-changed source-breaking error.code"],
        ),
        (at("POST", TOKEN, 404), &["endpoint-gone wire-breaking create_token"]),
        (at("POST", TOKEN, 410), &["endpoint-gone wire-breaking create_token"]),
        (
            at("POST", "https://api.tiny.example/v1/labels", 405),
            &["endpoint-gone wire-breaking create_label"],
        ),
        (
            at("POST", "https://api.tiny.example/v1/labels", 404),
            &["endpoint-gone unhandled create_label"],
        ),
        // One account may be gone, and the operation is there.
        (at("GET", "https://api.tiny.example/v1/accounts/1", 404), &[]),
        // What answered once is there.
        (at("GET", ACCOUNTS, 404), &[]),
        (at("GET", "https://other.example/v1/accounts", 404), &[]),
        (at("GET", "https://api.tiny.example/accounts", 404), &[]),
        (
            at("GET", "https://api.tiny.example/accounts", 200),
            &["endpoint-elsewhere unhandled list_accounts"],
        ),
        (
            at("GET", "https://api.tiny.example:443/v1/accounts?new=1", 200),
            &["parameter-undescribed additive new"],
        ),
    ];
    for (exchange, expected) in rows {
        let what = exchange.to_string();
        let mut exchange = exchange;
        if exchange["response"]["content"]["text"] == "" && exchange["response"]["status"] == 200 {
            exchange["response"]["content"]["text"] = json!("{}");
        }
        let (found, _) = run(&project, &[known.clone(), exchange], None);
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn what_was_not_compared_is_not_fresh() {
    let project = Project::new("har-nothing");
    let elsewhere = exchange("GET", "https://other.example/v1/accounts", 200, "{}");
    for exchanges in [vec![], vec![elsewhere], vec![Value::Null, json!(5)]] {
        let (found, _) = run(&project, &exchanges, None);
        assert_eq!(found, ["nothing-matched unhandled recording"]);
    }
}

#[test]
fn a_path_is_matched_however_its_letters_are_written() {
    let project = Project::new("har-paths");
    let written = ACCOUNTS.replace("accounts", "acc%6Funts");
    let (found, said) = run(&project, &[exchange("GET", &written, 200, FRESH)], None);
    assert_eq!(found, FOUND, "{said}");
}

/// `{"accounts":[],"page":{},"fresh":1}`
const FRESH: &str = "{\"accounts\":[],\"page\":{},\"fresh\":1}";
const FRESH_IN_BASE64: &str = "eyJhY2NvdW50cyI6W10sInBhZ2UiOnt9LCJmcmVzaCI6MX0=";
const FOUND: &[&str] = &["field-undescribed additive reply.fresh"];
const UNREAD: &[&str] = &["replies-unread unhandled recording"];

#[test]
fn a_reply_is_read_in_the_encoding_that_it_is_recorded_in() {
    let project = Project::new("har-encodings");
    let content = |content: Value| {
        let mut exchange = exchange("GET", ACCOUNTS, 200, "");
        exchange["response"]["content"] = content;
        exchange["response"]["content"]["mimeType"] = json!("application/json");
        exchange
    };
    let rows = [
        (json!({"text": FRESH}), FOUND, "1 replies were read"),
        (
            json!({"text": FRESH_IN_BASE64, "encoding": "base64"}),
            FOUND,
            "1 replies were read",
        ),
        (json!({"text": FRESH, "encoding": "base64"}), FOUND, ""),
        (json!({"text": FRESH, "encoding": ""}), FOUND, ""),
        (json!({"text": FRESH, "encoding": null}), FOUND, ""),
        (json!({"text": FRESH, "encoding": "utf-8"}), FOUND, ""),
        (json!({"text": format!("\u{feff}{FRESH}")}), FOUND, ""),
        (
            json!({"text": &FRESH[..20], "size": 5_000_000}),
            UNREAD,
            "1 cut: shorter than the recorded size (list_accounts)",
        ),
        (
            json!({"size": 12}),
            UNREAD,
            "1 left out of the recording (list_accounts)",
        ),
        (json!({"text": "", "size": 12}), UNREAD, "1 cut"),
        (
            json!({"text": "gICA", "encoding": "base64"}),
            UNREAD,
            "1 recorded as bytes that are no text",
        ),
        (
            json!({"text": "@@@", "encoding": "base64"}),
            UNREAD,
            "1 recorded in base64 that is broken",
        ),
        (json!({"text": "{}", "size": 5_000}), UNREAD, "1 cut"),
        (
            json!({"text": "x", "encoding": "br"}),
            UNREAD,
            "1 recorded in the encoding br",
        ),
        // An empty reply is one, and so is a page.
        (
            json!({"text": ""}),
            &["reply-not-json wire-breaking application/json"],
            "",
        ),
        (
            json!({"text": "<html>", "size": 6}),
            &["reply-not-json wire-breaking application/json"],
            "",
        ),
    ];
    for (recorded, expected, covered) in rows {
        let (found, said) = run(&project, &[content(recorded.clone())], None);
        assert_eq!(found, expected, "{recorded}");
        assert!(said.contains(covered), "{recorded}: {said}");
    }
}

#[test]
fn what_was_not_read_is_said_beside_what_was() {
    let project = Project::new("har-unread");
    let known = exchange("GET", ACCOUNTS, 200, "{}");
    let at = |status: u64| exchange("GET", ACCOUNTS, status, "");
    let refused = exchange("GET", ACCOUNTS, 400, "{\"code\":\"a\"}");
    let rows: Vec<(Vec<Value>, &[&str], &str)> = vec![
        (
            vec![known.clone(), at(304)],
            &[],
            "1 answered with 304, and the body is in a cache",
        ),
        (vec![known.clone(), at(0)], &[], "1 without an answer (status 0)"),
        (vec![at(304)], UNREAD, "none of the 1 replies was read"),
        (vec![at(0), at(304)], UNREAD, "none of the 2 replies was read"),
        (
            vec![refused.clone(), at(304)],
            UNREAD,
            "of 2 replies, 1 with errors alone were read",
        ),
        (vec![refused], &["nothing-succeeded unhandled recording"], ""),
        // Not modified, and so still there.
        (vec![known, at(304), at(404)], &[], ""),
    ];
    for (exchanges, expected, said_of) in rows {
        let what = format!("{exchanges:?}");
        let (found, said) = run(&project, &exchanges, None);
        assert_eq!(found, expected, "{what}");
        assert!(said.contains(said_of), "{what}: {said}");
    }
}

#[test]
fn the_names_and_the_body_of_a_request_are_decoded() {
    let project = Project::new("har-requests");
    let known = exchange("GET", ACCOUNTS, 200, "{}");
    let mut labelled = posted("https://api.tiny.example/v1/labels", FORM, "te%78t%5b%5d=1");
    labelled["response"]["status"] = json!(204);
    let sent = |key: &str, value: Value| {
        let mut exchange = posted(TOKEN, FORM, "");
        exchange["request"]["postData"][key] = value;
        exchange
    };
    let in_base64 = |text: &str| {
        let mut exchange = sent("text", json!(text));
        exchange["request"]["postData"]["encoding"] = json!("base64");
        exchange
    };
    let mut cut = posted(TOKEN, FORM, "grant_type=refresh_token&refr");
    cut["request"]["bodySize"] = json!(60);
    let listed = |name: &str| sent("params", json!([{"name": name, "value": "refresh_token"}]));
    let rows: Vec<(Value, &[&str])> = vec![
        (posted(TOKEN, FORM, "grant%5ftype=refresh_token&refresh%5Ftoken=x"), &[]),
        (listed("grant%5Ftype"), &[]),
        (labelled, &[]),
        (exchange("GET", &format!("{ACCOUNTS}?lim%69t=5"), 200, "{}"), &[]),
        (
            in_base64("Z3JhbnRfdHlwZT1yZWZyZXNoX3Rva2VuJnJlZnJlc2hfdG9rZW49eA=="),
            &[],
        ),
        (in_base64("ZnJlc2hlcj14"), &["field-undescribed additive fresher"]),
        (cut, &[]),
    ];
    for (exchange, expected) in rows {
        let what = exchange.to_string();
        let (found, _) = run(&project, &[known.clone(), exchange], None);
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn a_recording_is_read_whatever_else_stands_in_it() {
    let project = Project::new("har-file");
    let whole = recording(&[
        exchange("GET", ACCOUNTS, 200, FRESH),
        exchange("GET", "https://other.example/", 200, "odd"),
    ]);
    let rows = [
        ("a mark of byte order", format!("\u{feff}{whole}")),
        ("half a letter", whole.replace("odd", "\\ud83d")),
    ];
    for (row, recorded) in rows {
        project.write("traffic.har", &recorded);
        let (_, said) = speak(|shell| drift::run(&project.workspace(), &options(None), shell));
        assert!(said.contains("field-undescribed"), "{row}: {said}");
    }
}

#[test]
fn a_copy_of_what_was_not_read_is_not_read_either() {
    let project = Project::new("har-copy-unread");
    let mut cut = exchange("GET", ACCOUNTS, 200, "{\"accounts\":[");
    cut["response"]["content"]["size"] = json!(900);
    let mut encoded = exchange("GET", ACCOUNTS, 200, FRESH_IN_BASE64);
    encoded["response"]["content"]["encoding"] = json!("base64");
    let copy = project.root().join("clean.har").display().to_string();
    let exchanges = [cut, encoded];
    let (before, said) = run(&project, &exchanges, Some(copy));
    assert_eq!(before, FOUND);
    assert!(said.contains("replies that were not read: 1 cut"), "{said}");
    let clean: Value = serde_json::from_str(&project.read("clean.har")).unwrap_or_default();
    let clean = clean["log"]["entries"].as_array().cloned().unwrap_or_default();
    let (after, said) = run(&project, &clean, None);
    assert_eq!(after, FOUND);
    assert!(said.contains("replies that were not read: 1 left out"), "{said}");
}
