//! Documents as banks publish them, written for this test: one of 150 operations with all that stands in the way of a client, in
//! three dialects, and a small one for each kind of obstacle. What is generated, what is lost, what is left out and why, and what
//! of the examples is read, stands here as numbers and reasons.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use finrail_cli::import::{Facts, Imported, import, readers};
use finrail_spec::json::Json;
use finrail_spec::normal::operations_of;
use finrail_spec::pointer::{join, keys};
use finrail_spec::published::Published;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents")
}

fn read(file: &str) -> Json {
    let bytes = std::fs::read(folder().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let published = Published::read(&bytes);
    published
        .unwrap_or_else(|error| panic!("{file}:{}: {}", error.position.line, error.message))
        .root
}

fn facts() -> Facts {
    Facts {
        id: "tern".to_owned(),
        name: "Tern Bank".to_owned(),
        ..Facts::default()
    }
}

fn made(document: &Json, overlay: Option<&Json>) -> Imported {
    import(document, overlay, &facts()).unwrap_or_else(|error| panic!("{error}"))
}

/// The overlay of the large document, with its targets where a dialect has them.
fn overlay(dialect: &str) -> Json {
    let text = std::fs::read_to_string(folder().join("large.overlay.yaml")).unwrap();
    let text = match dialect {
        "2.0" => text
            .replace("$.components.schemas[", "$.definitions[")
            .replace("$.components.securitySchemes[", "$.securityDefinitions["),
        _ => text,
    };
    Published::read(text.as_bytes()).unwrap().root
}

fn large(dialect: &str) -> Json {
    read(&format!("large-{dialect}.yaml"))
}

/// What the large document in a dialect becomes, without an overlay or with it: made once for all tests.
fn of_large(dialect: &str, with_overlay: bool) -> &'static Imported {
    static MADE: [OnceLock<Imported>; 6] = [const { OnceLock::new() }; 6];
    let at = ["3.0", "3.1", "2.0"]
        .iter()
        .position(|known| *known == dialect)
        .unwrap();
    MADE[at * 2 + usize::from(with_overlay)].get_or_init(|| {
        let overlay = with_overlay.then(|| overlay(dialect));
        made(&large(dialect), overlay.as_ref())
    })
}

/// Method and path.
fn call(pointer: &str) -> String {
    let keys = keys(pointer);
    format!("{} {}", keys[2].to_uppercase(), keys[1])
}

fn lossy(imported: &Imported) -> Vec<(String, Vec<String>)> {
    let with = imported.generated.iter().filter(|(_, lost)| !lost.is_empty());
    with.map(|(pointer, lost)| (call(pointer), lost.clone())).collect()
}

/// Operations, those that are generated, those of them that lost something, those that are left out; examples of replies, and
/// those that are read without an overlay.
#[test]
fn of_150_operations_this_many_are_generated() {
    for (dialect, counts) in [
        ("3.0", (150, 140, 18, 10, 85, 82)),
        ("3.1", (150, 140, 18, 10, 85, 82)),
        // Fewer ways to be impossible, no unions to lose, and one example for each reply.
        ("2.0", (150, 142, 13, 8, 82, 79)),
    ] {
        let imported = of_large(dialect, false);
        let (all, read) = (imported.examples.all, imported.examples.read());
        let found = (
            imported.operations,
            imported.generated.len(),
            lossy(imported).len(),
            imported.left_out.len(),
            all,
            read,
        );
        assert_eq!(found, counts, "{dialect}");
        let webhooks = imported.losses.iter().any(|loss| loss.pointer == "/webhooks");
        assert_eq!(webhooks, dialect == "3.1");
    }
}

/// What is left out of each dialect, each for one reason.
const LEFT_OUT: [(&str, &str, &str); 10] = [
    (
        "GET /reports/{reportId}/legacy",
        "`#/components/schemas/LegacyReport` leads nowhere (at /responses/200/content/application~1json/schema)",
        "3.0 3.1 2.0",
    ),
    (
        "GET /documents/{documentId}/envelope",
        "members of its `allOf` contradict each other: one is of type `string`, another of type `object` (at /components/schemas/Nonsense)",
        "3.0 3.1 2.0",
    ),
    (
        "GET /accounts/{accountId}/audit",
        "it needs `AuditKey`, which is no scheme of the document",
        "3.0 3.1 2.0",
    ),
    (
        "GET /accounts/{accountId}/vault",
        "it needs HTTP authentication of the scheme `digest`",
        "3.0 3.1",
    ),
    (
        "GET /loans/{loanId}/terms/{termId}",
        "the path has `{termId}`, and no parameter says what it is",
        "3.0 3.1 2.0",
    ),
    (
        "POST /documents/mixed",
        "its body is sent as multipart/mixed, which is not supported",
        "3.0 3.1 2.0",
    ),
    (
        "GET /cards/{cardId}/image-link",
        "it answers with a redirect alone; a call follows none, so it is for a browser to open",
        "3.0 3.1 2.0",
    ),
    (
        "GET /customers/me",
        "it needs cookie parameter `session`",
        "3.0 3.1 2.0",
    ),
    // 2.0 has no styles of parameters, and no servers of operations.
    (
        "GET /branches/{position}/nearest",
        "path parameter `position` is written in a style that is not supported",
        "3.0 3.1",
    ),
    (
        "GET /status/maintenance",
        "it is at https://status.tern.example, and not where the others are",
        "3.0 3.1",
    ),
];

#[test]
fn what_is_left_out_has_one_reason_each() {
    for dialect in ["3.0", "3.1", "2.0"] {
        let imported = of_large(dialect, false);
        let left_out = imported.left_out.iter();
        let found: BTreeSet<(String, String)> =
            left_out.map(|one| (one.operation(), one.reasons.join(" | "))).collect();
        let expected = LEFT_OUT.iter().filter(|(.., dialects)| dialects.contains(dialect));
        let mut expected: BTreeSet<(String, String)> = expected
            .map(|(operation, reason, _)| ((*operation).to_owned(), (*reason).to_owned()))
            .collect();
        if dialect == "2.0" {
            let vault = ("GET /accounts/{accountId}/vault", "it needs security of type `digest`");
            expected.insert((vault.0.to_owned(), vault.1.to_owned()));
        }
        assert_eq!(found, expected, "{dialect}");
    }
}

#[test]
fn what_is_lost_is_told_with_the_operation_that_lost_it() {
    let kinds = "its kinds: it is kept as JSON, which can be read as each of them";
    let list = |name: &str, between: &str| {
        format!("that parameter `{name}` is a list: it is a text, several with {between} between them")
    };
    let mut expected = vec![
        (
            "DELETE /payments/{paymentId}",
            "reply `204`, which differs from the others: it is told as an error".to_owned(),
        ),
        ("GET /accounts/{accountId}/bookings/export", list("columns", "`|`")),
        ("GET /customers", list("kinds", "commas")),
        ("GET /fees", list("terms", "spaces")),
        (
            "GET /reports/{reportId}",
            "the type of `state`, of which its successes say different ones: any JSON is read | which of its successes (`200`, `202`) \
             has which fields: all are read as one type, in which `id` may be missing"
                .to_owned(),
        ),
    ];
    for operation in [
        "GET /accounts",
        "GET /accounts/iban/{iban}",
        "GET /accounts/{accountId}",
        "GET /customers/{customerId}/accounts",
        "PATCH /accounts/{accountId}",
        "POST /accounts",
        "POST /accounts/{accountId}/close",
    ] {
        let what = "that it is a number: it may have more digits than any number of the client, so it is kept as JSON, digit for digit";
        expected.push((operation, what.to_owned()));
    }
    let pays = "which of its successes (`201`, `202`) has which fields: all are read as one type, in which the amount `amount`, \
        `currency`, `id` may be missing";
    expected.push(("POST /payments", pays.to_owned()));
    expected.sort();
    for dialect in ["2.0", "3.0", "3.1"] {
        if dialect == "3.0" {
            expected.retain(|(operation, _)| *operation != "POST /payments");
            expected.push((
                "POST /payments",
                format!("`callbacks` (1): what the provider calls is not described | {pays}"),
            ));
            for operation in [
                "GET /payees",
                "GET /payees/{payeeId}",
                "POST /payees",
                "POST /payees/{payeeId}/trust",
                "PUT /payees/{payeeId}",
            ] {
                expected.push((operation, kinds.to_owned()));
            }
            expected.sort();
        }
        let found = lossy(of_large(dialect, false));
        let mut found: Vec<(&str, String)> = found
            .iter()
            .map(|(operation, lost)| (operation.as_str(), lost.join(" | ")))
            .collect();
        found.sort();
        assert_eq!(found, expected, "{dialect}");
    }
}

/// A bundle as JSON, without its examples: 2.0 has one for each reply, and the others any number.
fn without_examples(json: &Json) -> Json {
    match json {
        Json::Object(members) => {
            let kept = members
                .iter()
                .filter(|(name, _)| !matches!(name.as_str(), "example" | "examples"));
            Json::Object(
                kept.map(|(name, value)| (name.clone(), without_examples(value)))
                    .collect(),
            )
        }
        Json::Array(items) => Json::Array(items.iter().map(without_examples).collect()),
        other => other.clone(),
    }
}

/// A document whose members are in the order of their names.
fn sorted(json: &Json) -> Json {
    match json {
        Json::Object(members) => {
            let mut members: Vec<_> = members
                .iter()
                .map(|(name, value)| (name.clone(), sorted(value)))
                .collect();
            members.sort_by(|one, other| one.0.cmp(&other.0));
            Json::Object(members)
        }
        Json::Array(items) => Json::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// Operations and schemas, by their pointers.
fn parts(root: &Json) -> Vec<(String, Json)> {
    let schemas = root
        .pointer("/components/schemas")
        .map(Json::members)
        .unwrap_or_default();
    let schemas = schemas
        .iter()
        .map(|(name, schema)| (join("/components/schemas", name), schema));
    let all = operations_of(root).into_iter().chain(schemas);
    all.map(|(pointer, part)| (pointer, without_examples(part))).collect()
}

#[test]
fn the_dialects_make_the_same_bundle() {
    let bundle = |dialect: &str| of_large(dialect, true).bundle.as_str();
    for dialect in ["3.0", "3.1", "2.0"] {
        finrail_codegen::generate("tern.json", bundle(dialect), &finrail_codegen::Options::default())
            .unwrap_or_else(|errors| panic!("{errors}"));
    }
    let sorted = |dialect: &str| sorted(&Json::parse(bundle(dialect)).unwrap());
    // Nothing but the order of the keywords of a schema that may be null.
    let (first, second) = (sorted("3.0").to_pretty(), sorted("3.1").to_pretty());
    let differing = first.lines().zip(second.lines()).find(|(one, other)| one != other);
    assert_eq!(differing, None);
    assert_eq!(first.len(), second.len());

    let (ours, theirs) = (parts(&sorted("3.0")), parts(&sorted("2.0")));
    let only_in = |one: &[(String, Json)], other: &[(String, Json)]| -> BTreeSet<String> {
        let differs = one.iter().filter(|part| !other.contains(part));
        differs.map(|(pointer, _)| pointer.clone()).collect()
    };
    let set = |all: &[&str]| -> BTreeSet<String> { all.iter().map(|one| (*one).to_owned()).collect() };
    // 2.0 has no objects in a query, no lists and no objects among the parts of a body, and no unions.
    let differ = [
        "/paths/~1accounts~1{accountId}~1bookings/get",
        "/paths/~1disputes~1{disputeId}~1evidence/post",
        "/paths/~1documents/post",
        "/components/schemas/Identification",
        "/components/schemas/PaymentTarget",
        "/components/schemas/DisputeEvent",
    ];
    let kinds = [
        "/components/schemas/IbanIdentification",
        "/components/schemas/SortCodeIdentification",
        "/components/schemas/ToAccount",
        "/components/schemas/ToPhone",
        "/components/schemas/ToPayee",
        "/components/schemas/DisputeOpened",
        "/components/schemas/DisputeAnswered",
        "/components/schemas/DisputeClosed",
    ];
    // And what makes these two impossible in 3.0 cannot be said.
    let possible = [
        "/paths/~1branches~1{position}~1nearest/get",
        "/paths/~1status~1maintenance/get",
    ];
    assert_eq!(only_in(&ours, &theirs), set(&[&differ[..], &kinds[..]].concat()));
    assert_eq!(only_in(&theirs, &ours), set(&[&differ[..], &possible[..]].concat()));
}

#[test]
fn what_no_example_is_read_for_is_told_and_the_overlay_mends_it() {
    for dialect in ["3.0", "3.1", "2.0"] {
        let unread = &of_large(dialect, false).examples.unreadable;
        let unread: Vec<(String, &str, &str)> = unread
            .iter()
            .map(|one| (call(&one.operation), one.at.as_str(), one.wrong.as_str()))
            .collect();
        assert_eq!(
            unread,
            [
                (
                    "GET /customers/{customerId}/verification".to_owned(),
                    "/score",
                    "expected an amount of at most 28 digits, and it is a number with a fraction, or a very large one"
                ),
                (
                    "GET /mandates/{mandateId}".to_owned(),
                    "/id",
                    "expected a text, and it is a number"
                ),
                (
                    "GET /cards/{cardId}".to_owned(),
                    "/frozen",
                    "expected `true` or `false`, and it is another text"
                ),
            ]
        );
        let examples = &of_large(dialect, true).examples;
        assert_eq!(
            (examples.unreadable.len(), examples.read()),
            (0, examples.all),
            "{dialect}"
        );
    }
}

/// The parameters and the properties of a document are those of the bundle, unless it is told.
#[test]
fn nothing_vanishes_silently() {
    let document = large("3.0");
    let imported = of_large("3.0", false);
    let bundle = Json::parse(&imported.bundle).unwrap_or_else(|_| panic!("no JSON"));
    let target = |json: &Json| match json.get("$ref").and_then(Json::as_str) {
        Some(reference) => document
            .pointer(reference.trim_start_matches('#'))
            .cloned()
            .unwrap_or_default(),
        None => json.clone(),
    };
    let text = |json: &Json, name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let mut seen = 0;
    for (pointer, operation) in operations_of(&document) {
        let Some(kept) = bundle.pointer(&pointer) else {
            assert!(imported.left_out.iter().any(|one| one.pointer == pointer), "{pointer}");
            continue;
        };
        let item = document.pointer(pointer.rsplit_once('/').unwrap().0).unwrap();
        let names: Vec<String> = kept
            .get("parameters")
            .map(Json::items)
            .unwrap_or_default()
            .iter()
            .map(|parameter| text(parameter, "name"))
            .collect();
        let both = [item, operation]
            .into_iter()
            .filter_map(|holder| holder.get("parameters"));
        for parameter in both.flat_map(Json::items).map(target) {
            let name = text(&parameter, "name");
            if ["Authorization", "Accept"].contains(&name.as_str()) {
                continue;
            }
            seen += 1;
            let begin = format!("{name}[");
            let is_there = names.iter().any(|known| *known == name || known.starts_with(&begin));
            assert!(is_there, "{pointer}: {name}");
        }
        assert_eq!(
            operation.get("requestBody").is_some(),
            kept.get("requestBody").is_some(),
            "{pointer}"
        );
    }
    let renamed = |name: &str| {
        let pointer = join("/components/schemas", name);
        let found = imported.renamed.iter().find(|one| one.pointer == pointer);
        found.map_or(name.to_owned(), |one| one.to.clone())
    };
    for (name, schema) in document.pointer("/components/schemas").unwrap().members() {
        let Some(kept) = bundle.pointer(&join("/components/schemas", &renamed(name))) else {
            continue;
        };
        let members = schema.get("allOf").map(Json::items).unwrap_or_default();
        for part in [schema].into_iter().chain(members) {
            for (property, _) in part.get("properties").map(Json::members).unwrap_or_default() {
                seen += 1;
                assert!(kept.at(&["properties", property]).is_some(), "{name}: {property}");
            }
        }
    }
    assert!(seen > 500, "{seen}");
}

/// A small document: operations, those that are generated, those of them that lost something; examples, and those that are read.
type Counts = (usize, usize, usize, usize, usize);

/// Each obstacle alone: the counts, why operations are left out, and what stands in the client.
const SMALL: [(&str, Counts, &[&str], &[&str]); 19] = [
    (
        "all-of",
        (2, 1, 0, 1, 1),
        &[
            "members of its `allOf` contradict each other: one is of type `object`, another of type `string` (at /components/schemas/Nothing)",
        ],
        &[
            "pub struct Payment",
            "pub sum: ::std::option::Option<::finrail::rt::v1::Decimal>",
        ],
    ),
    (
        "bearer",
        (5, 4, 0, 0, 0),
        &["it needs `StaffKey` and `Pair` at once, and both stand in the header `authorization`"],
        &[
            "KeyPlace::Bearer",
            "\"StaffKey\"",
            "Authentication::AccessKey",
            "grant::TakesAccessKey",
        ],
    ),
    (
        "bodies",
        (3, 3, 0, 0, 0),
        &[],
        &[
            "pub struct SendDocumentBody",
            "application/octet-stream",
            "application/jwt",
        ],
    ),
    (
        "contradictions",
        (2, 2, 2, 2, 2),
        &[],
        &["pub sum: ::std::option::Option<::finrail::rt::v1::Json>"],
    ),
    (
        "keys",
        (5, 3, 0, 0, 0),
        &[
            "it needs HTTP authentication of the scheme `digest`",
            "it needs `Nobody`, which is no scheme of the document",
        ],
        &["\"X-Key\"", "\"Header\"", "\"Query\"", "\"Token\""],
    ),
    (
        "media-types",
        (2, 1, 0, 0, 0),
        &["its body is sent as multipart/mixed, which is not supported"],
        &["application/vnd.small+json"],
    ),
    (
        "methods",
        (3, 1, 0, 0, 0),
        &[
            "it is called with `OPTIONS`, which no client sends",
            "it is called with `TRACE`, which no client sends",
        ],
        &["pub fn get_accounts("],
    ),
    (
        "names",
        (4, 4, 0, 0, 0),
        &[],
        &[
            "pub fn get_accounts(",
            "pub fn get_accounts_2(",
            "pub fn delete_accounts(",
            "pub fn get_ty(",
            "pub struct AchAccount2 ",
            "pub struct AchAccount ",
            "pub struct TokenResponse2 ",
        ],
    ),
    (
        "numbers",
        (1, 1, 1, 2, 1),
        &[],
        &[
            "pub sum: ::std::option::Option<::finrail::rt::v1::Decimal>",
            "pub struct ExactNumber",
            "pub count: ::std::option::Option<::finrail::rt::v1::Decimal>",
            "pub serial: ::std::option::Option<::std::string::String>",
            "pub row: ::std::option::Option<::std::string::String>",
            "pub place: ::std::option::Option<::std::string::String>",
            "pub seen: ::std::vec::Vec<ExactNumber>",
        ],
    ),
    (
        "oauth-on-two-hosts",
        (1, 1, 0, 0, 0),
        &[],
        &[
            "https://login.small.example",
            "https://tokens.small.example",
            "https://api.small.example",
        ],
    ),
    (
        "parameters",
        (4, 2, 2, 0, 0),
        &[
            "the path has `{id}`, and no parameter says what it is",
            "it needs cookie parameter `s`",
        ],
        &["pub fn filter_from", "pub fn kinds", "pub fn x_bank"],
    ),
    (
        "references",
        (3, 2, 0, 0, 0),
        &["`#/components/responses/Lost` leads nowhere (at /responses/200)"],
        &["pub struct Tree ", "pub struct TreeLeaf "],
    ),
    (
        "replies",
        (5, 3, 1, 0, 0),
        &[
            "it answers with a redirect alone; a call follows none, so it is for a browser to open",
            "it says of no success what it answers",
        ],
        &["pub struct MakeTwoReply "],
    ),
    (
        "forms",
        (2, 1, 0, 1, 0),
        &[
            "field `ids` of its form is a list that is written into one text (`explode: false`), which is not supported: if the \
             bank takes it as a text, write `type: string` in its place into the overlay",
        ],
        &[
            "pub fn create_order(",
            "pub codes: ::std::vec::Vec<i64>",
            "\"https://sandbox.small.example/v1\"",
        ],
    ),
    (
        "swagger",
        (3, 3, 1, 1, 1),
        &[],
        &["pub struct SendDocumentBody", "https://api.small.example/v1"],
    ),
    ("texts", (1, 1, 0, 1, 1), &[], &["No,", "On,", "Y,"]),
    (
        "tidy",
        (1, 1, 0, 1, 1),
        &[],
        &[
            "pub state: ::std::option::Option<AccountState>",
            "pub id: ::std::string::String",
        ],
    ),
    ("unions", (1, 1, 1, 1, 1), &[], &["pub enum Named ", "pub enum Listed "]),
    ("v3-1", (1, 1, 0, 1, 1), &[], &["pub struct AccountOwner "]),
];

#[test]
fn each_obstacle_alone() {
    let mut files = std::fs::read_dir(folder().join("small")).unwrap().count();
    for (file, counts, left_out, wanted) in SMALL {
        files -= 1;
        let imported = made(&read(&format!("small/{file}.yaml")), None);
        let examples = &imported.examples;
        let generated = imported.generated.len();
        let found = (
            imported.operations,
            generated,
            lossy(&imported).len(),
            examples.all,
            examples.read(),
        );
        assert_eq!(found, counts, "{file}");
        let reasons: Vec<&str> = imported
            .left_out
            .iter()
            .flat_map(|one| &one.reasons)
            .map(String::as_str)
            .collect();
        assert_eq!(reasons, left_out, "{file}");
        assert_eq!(generated + imported.left_out.len(), imported.operations, "{file}");
        let code = finrail_codegen::generate(file, &imported.bundle, &finrail_codegen::Options::default())
            .unwrap_or_else(|errors| panic!("{file}: {errors}"));
        for text in wanted {
            assert!(code.contains(text), "{file}: {text}");
        }
    }
    assert_eq!(files, 0);
}

/// What would have been told of each operation is what is wrong with the document.
#[test]
fn a_document_of_which_nothing_is_left_says_why() {
    for (operation, schemes, told) in [
        (
            r#"{"security":[{"D":[]}],"responses":{"204":{"description":"ok"}}}"#,
            r#""D":{"type":"http","scheme":"digest"}"#,
            "GET /a is left out: it needs",
        ),
        (
            r#"{"security":[],"x-effect":"none","responses":{"204":{"description":"ok"}}}"#,
            "",
            "GET /a is left out: `x-effect`: unknown variant `none`",
        ),
    ] {
        let text = format!(
            r#"{{"openapi":"3.0.3","info":{{"title":"T","version":"1"}},"servers":[{{"url":"https://a.example"}}],
            "paths":{{"/a":{{"get":{operation}}}}},"components":{{"securitySchemes":{{{schemes}}}}}}}"#
        );
        let document = Published::read(text.as_bytes()).unwrap().root;
        let error = import(&document, None, &facts()).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn a_key_that_stands_twice_is_refused_with_both_lines() {
    for (file, line, told) in [
        (
            "twice.json",
            18,
            "the key `/accounts` occurs twice; it stands at 6:5 already",
        ),
        ("twice.yaml", 9, "the key `get` occurs twice; it stands at 6:5 already"),
    ] {
        let bytes = std::fs::read(folder().join("refused").join(file)).unwrap();
        let error = Published::read(&bytes).unwrap_err();
        assert_eq!(error.position.line, line, "{file}: {}", error.message);
        assert!(error.message.contains(told), "{file}: {}", error.message);
    }
}

/// A byte order mark says nothing of what follows it.
#[test]
fn a_byte_order_mark_costs_nothing() {
    let plain = std::fs::read_to_string(folder().join("small/keys.yaml")).unwrap();
    let document = Published::read(plain.as_bytes()).unwrap().root;
    let json = document.to_pretty();
    for text in [plain, json] {
        let marked = Published::read(format!("\u{feff}{text}").as_bytes()).unwrap();
        assert_eq!(marked.root, document);
        assert_eq!(
            marked.line("/paths/~1one"),
            Published::read(text.as_bytes()).unwrap().line("/paths/~1one")
        );
    }
    let bundle = made(&document, None).bundle;
    let generated = |bundle: &str| {
        let code = finrail_codegen::generate("keys.json", bundle, &finrail_codegen::Options::default());
        code.unwrap_or_else(|errors| panic!("{errors}"))
    };
    assert_eq!(generated(&format!("\u{feff}{bundle}")), generated(&bundle));
}

/// What a person wrote into the overlay so that each example is read, import proposes by itself.
#[test]
fn the_readers_that_the_overlay_names_are_proposed() {
    for dialect in ["3.0", "3.1", "2.0"] {
        let document = large(dialect);
        let before = of_large(dialect, false);
        let found = readers(&document, None, &facts(), before);
        assert!(before.unreadable().all(|one| found.read(one)), "{dialect}");
        let proposed = found.proposals.iter();
        let proposed: BTreeSet<(String, String)> = proposed
            .map(|one| {
                let update = Json::parse(&one.update).unwrap();
                (one.target.clone(), update.to_string())
            })
            .collect();
        let overlay = overlay(dialect);
        let actions = overlay.get("actions").map(Json::items).unwrap_or_default();
        let lenient = actions
            .iter()
            .filter(|action| action.at(&["update", "x-lenient"]).is_some());
        let lenient: BTreeSet<(String, String)> = lenient
            .map(|action| {
                let update = action.get("update").map(ToString::to_string);
                let target = action.get("target").and_then(Json::as_str);
                (target.unwrap_or_default().to_owned(), update.unwrap_or_default())
            })
            .collect();
        assert_eq!(proposed, lenient, "{dialect}");
        let actions = found.proposals.iter().map(|one| {
            let update = Json::parse(&one.update).unwrap();
            Json::object([("target", Json::str(one.target.as_str())), ("update", update)])
        });
        let info = Json::object([("title", Json::str("Readers")), ("version", Json::str("1"))]);
        let overlay = Json::object([
            ("overlay", Json::str("1.1.0")),
            ("info", info),
            ("actions", Json::Array(actions.collect())),
        ]);
        let examples = made(&document, Some(&overlay)).examples;
        assert_eq!(examples.read(), examples.all, "{dialect}");
    }
}

/// `codegen/tests/large-bank` compiles this one. `FINRAIL_WRITE=1` writes it anew.
#[test]
fn the_bundle_that_is_compiled_is_the_one_that_import_makes() {
    let bundle = &of_large("3.0", true).bundle;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../codegen/tests/large-bank/bank.json");
    if std::env::var_os("FINRAIL_WRITE").is_some() {
        std::fs::write(&file, bundle).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    let differing = bundle
        .lines()
        .zip(committed.lines())
        .find(|(made, committed)| made != committed);
    assert_eq!(differing, None, "run it with FINRAIL_WRITE=1");
    assert_eq!(bundle.len(), committed.len(), "run it with FINRAIL_WRITE=1");
}
