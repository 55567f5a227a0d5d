//! `finrail import`: what is told of a document, what it leaves in the folder, and what of it can be generated.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};

use finrail_cli::import::{self, Options};
use finrail_cli::shell::{Outcome, Shell};
use serde_json::Value;

const HARBOUR: &str = include_str!("fixtures/harbour.yaml");

/// A folder of its own.
struct Place(PathBuf);

impl Place {
    fn new(test: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("import-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        std::fs::create_dir_all(&root).unwrap();
        std::fs::write(root.join("harbour.yaml"), HARBOUR).unwrap();
        Self(root)
    }

    fn import(&self, document: Option<&str>, change: impl FnOnce(&mut Options)) -> (Outcome, String) {
        let mut options = Options {
            document: document.map(str::to_owned),
            id: "harbour".to_owned(),
            today: "2026-11-28".to_owned(),
            ..Options::default()
        };
        change(&mut options);
        let mut text = Vec::new();
        let outcome = import::run(&self.0, "finrail", &options, &mut Shell::new(&mut text, false)).unwrap();
        (outcome, String::from_utf8(text).unwrap())
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.0.join("specs/harbour").join(file)).unwrap()
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.0.join("specs/harbour").join(file), text).unwrap();
    }

    fn bundle(&self) -> Value {
        serde_json::from_str(&self.read("bundle.json")).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_document_becomes_a_bundle_and_what_it_costs_is_told() {
    let place = Place::new("told");
    let (outcome, told) = place.import(Some("harbour.yaml"), |_| {});
    assert_eq!(outcome, Outcome::Fresh);
    insta::assert_snapshot!("told", told);
    insta::assert_snapshot!("overlay", place.read("overlay.yaml"));
    // The provider's bytes are as they came.
    assert_eq!(place.read("openapi.yaml"), HARBOUR);
}

#[test]
fn the_bundle_is_one_that_the_generator_reads() {
    let place = Place::new("generated");
    place.import(Some("harbour.yaml"), |_| {});
    let text = place.read("bundle.json");
    let code = finrail_codegen::generate("bundle.json", &text, &finrail_codegen::Options::default()).unwrap();
    for wanted in [
        "pub fn get_accounts",
        "pub fn get_account(",
        "pub fn create_payment",
        "pub fn search_payments",
        "pub struct Account ",
        "pub balance: ::std::option::Option<::finrail::rt::v1::Decimal>",
        "pub counter: ::std::option::Option<::finrail::rt::v1::Decimal>",
        "authorize: \"https://login.harbour.example\"",
        "oauth: \"https://tokens.harbour.example\"",
    ] {
        assert!(code.contains(wanted), "{wanted}");
    }
    assert!(!code.contains("upload_receipt"));
}

#[test]
fn the_overlay_is_put_over_the_document_and_stays_when_a_newer_one_comes() {
    let place = Place::new("again");
    place.import(Some("harbour.yaml"), |_| {});
    let overlay = place.read("overlay.yaml");
    // A person says what is so.
    let said = overlay
        .replace("pkce: undocumented", "pkce: required")
        .replace(
            "  # - target: \"$.paths['/payments/search'].post\"\n  #   update:",
            "  - target: \"$.paths['/payments/search'].post\"\n    update:",
        )
        .replace(
            "  # - target: \"$.components.schemas['ACCOUNT'].properties['overdraftAmount']\"\n  #   update:",
            "  - target: \"$.components.schemas['ACCOUNT'].properties['overdraftAmount']\"\n    update:",
        );
    assert_ne!(said, overlay);
    place.write("overlay.yaml", &said);
    let (outcome, told) = place.import(None, |_| {});
    assert_eq!(outcome, Outcome::Fresh);
    assert!(
        told.contains("lists that may come in pages: 1") && !told.contains("may only read"),
        "{told}"
    );
    let bundle = place.bundle();
    assert_eq!(
        bundle["components"]["securitySchemes"]["oauth"]["x-oauth"]["pkce"],
        "required"
    );
    assert_eq!(bundle["paths"]["/payments/search"]["post"]["x-effect"], "safe");
    let money = &bundle["components"]["schemas"]["Account"]["properties"]["overdraftAmount"];
    assert_eq!(
        (&money["type"], &money["format"]),
        (&Value::from("string"), &Value::from("decimal"))
    );
    // A newer document is taken when that is asked for, and not otherwise.
    let newer = HARBOUR.replace("operationId: getAccount\n", "operationId: readAccount\n");
    std::fs::write(place.0.join("newer.yaml"), &newer).unwrap();
    let (outcome, told) = place.import(Some("newer.yaml"), |_| {});
    assert_eq!(outcome, Outcome::Failure);
    assert!(
        told.contains("is there already: to take newer.yaml in its place, add `--again`"),
        "{told}"
    );
    let (outcome, _) = place.import(Some("newer.yaml"), |options| options.again = true);
    assert_eq!(outcome, Outcome::Fresh);
    assert_eq!(place.read("openapi.yaml"), newer);
    assert_eq!(place.read("overlay.yaml"), said);
    assert_eq!(
        place.bundle()["paths"]["/accounts/{account-id}"]["get"]["operationId"],
        "read_account"
    );
    // What an overlay says of a place that is not there any more is a finding.
    let gone = newer.replace("  /payments/search:\n", "  /payments/find:\n");
    std::fs::write(place.0.join("newer.yaml"), &gone).unwrap();
    let (outcome, told) = place.import(Some("newer.yaml"), |options| options.again = true);
    assert_eq!(outcome, Outcome::Failure);
    assert!(told.contains("specs/harbour/overlay.yaml:"), "{told}");
    // Nothing was written.
    assert_eq!(place.read("openapi.yaml"), newer);
}

#[test]
fn pages_are_proposed_wherever_the_schema_of_the_page_stands() {
    let next = r#""next_cursor":{"type":"string"}"#;
    let list = r##""bookings":{"type":"array","items":{"$ref":"#/components/schemas/Booking"}}"##;
    for (page, is_proposed) in [
        (format!(r#"{{"properties":{{{next},{list}}}}}"#), true),
        (
            format!(r##"{{"allOf":[{{"$ref":"#/components/schemas/Paged"}},{{"properties":{{{list}}}}}]}}"##),
            true,
        ),
        // Beside a list of things, one of texts.
        (
            format!(r#"{{"properties":{{{next},{list},"warnings":{{"type":"array","items":{{"type":"string"}}}}}}}}"#),
            true,
        ),
        // Which of two lists of things has pages, nobody knows.
        (
            format!(
                r#"{{"properties":{{{next},{list},"others":{{"type":"array","items":{{"properties":{{"a":{{}}}}}}}}}}}}"#
            ),
            false,
        ),
    ] {
        let document = format!(
            r##"{{"openapi":"3.0.3","paths":{{"/b":{{"get":{{"parameters":[{{"name":"cursor","in":"query","schema":{{"type":"string"}}}}],
            "responses":{{"200":{{"content":{{"application/json":{{"schema":{page}}}}}}}}}}}}}}},"components":{{"schemas":{{
            "Paged":{{"properties":{{{next}}}}},"Booking":{{"allOf":[{{"properties":{{"id":{{"type":"string"}}}}}}]}}}}}}}}"##
        );
        let proposals = import::proposals(&finrail_spec::json::Json::parse(&document).unwrap());
        let pages: Vec<_> = proposals
            .iter()
            .filter(|one| one.update.contains("x-pagination"))
            .collect();
        assert_eq!(pages.len(), usize::from(is_proposed), "{page}");
        assert!(
            pages.iter().all(|one| one.update.contains(r#""items": "/bookings""#)),
            "{page}"
        );
    }
}

#[test]
fn a_wrong_value_in_the_overlay_is_refused_there_once_and_costs_no_operation() {
    let place = Place::new("wrong-value");
    place.import(Some("harbour.yaml"), |_| {});
    let (overlay, bundle) = (place.read("overlay.yaml"), place.read("bundle.json"));
    let line = overlay.lines().count() + 2;
    let pages = r#"style: cursor, next: /nope, parameter: cursor, items: /nope"#;
    for (target, update, told) in [
        (
            "['/payments'].post",
            "x-idempotency: { headr: Key }".to_owned(),
            "`x-idempotency`: unknown field `headr`",
        ),
        (
            "['/accounts'].get",
            "x-pagination: { style: cursr, items: /a }".to_owned(),
            "`x-pagination`: unknown variant `cursr`",
        ),
        (
            "['/accounts'].get",
            format!("x-pagination: {{ {pages} }}"),
            "`x-pagination` /nope",
        ),
        (
            "['/accounts']",
            "get: { x-effect: saf }".to_owned(),
            "`x-effect`: unknown variant `saf`",
        ),
    ] {
        let action = format!("  - target: \"$.paths{target}\"\n    update: {{ {update} }}\n");
        place.write("overlay.yaml", &format!("{overlay}{action}"));
        let (outcome, found) = place.import(None, |_| {});
        assert_eq!(outcome, Outcome::Failure, "{update}");
        let refused = format!("Refused specs/harbour/overlay.yaml:{line}: {told}");
        assert!(found.contains(&refused), "{found}");
        assert_eq!(found.matches("Refused").count(), 1, "{found}");
        assert_eq!(place.read("bundle.json"), bundle, "{update}");
    }
    // What is said of all of it is told once too.
    place.write(
        "overlay.yaml",
        &overlay.replace("pkce: undocumented", "pkce: undocumentd"),
    );
    let (outcome, found) = place.import(None, |_| {});
    assert_eq!(outcome, Outcome::Failure);
    assert!(found.contains("`x-oauth`: unknown variant `undocumentd`"), "{found}");
    assert_eq!(found.lines().count(), 1, "{found}");
}

#[test]
fn operations_can_be_chosen_and_types_follow() {
    let place = Place::new("only");
    place.import(Some("harbour.yaml"), |options| {
        options.only = vec!["tag:Payments".to_owned()]
    });
    let paths = |bundle: &Value| -> Vec<String> { bundle["paths"].as_object().unwrap().keys().cloned().collect() };
    let chosen = ["/payments", "/payments/search", "/oauth/token", "/authorize"];
    assert_eq!(paths(&place.bundle()), chosen);
    assert!(place.bundle()["components"]["schemas"].get("AccountPage").is_none());
    // Another choice is of its run alone, and one of nothing is told so.
    let (_, told) = place.import(None, |options| options.only = vec!["createPayment".to_owned()]);
    assert!(
        told.contains("write `x-only: [\"createPayment\"]` into specs/harbour/overlay.yaml"),
        "{told}"
    );
    let (outcome, told) = place.import(None, |options| options.only = vec!["nope".to_owned()]);
    assert_eq!(outcome, Outcome::Failure);
    assert!(told.contains("no operation of that choice"), "{told}");
    // One that chooses nothing beside one that does.
    for other in ["nope", "tag:Nope", "path:/nope"] {
        let (outcome, told) = place.import(None, |options| {
            options.only = vec!["tag:Payments".to_owned(), other.to_owned()];
        });
        assert_eq!(outcome, Outcome::Failure, "{other}");
        let choice = format!("no operation of that choice: `{other}`; its tags are `");
        assert!(told.contains(&choice) && told.contains("`Payments`"), "{told}");
        assert!(told.contains("its paths `/accounts`"), "{told}");
    }
    // The choice is kept.
    place.import(None, |_| {});
    assert_eq!(paths(&place.bundle()), chosen);
}

#[test]
fn what_cannot_be_taken_is_told_with_its_place_and_leaves_nothing() {
    let place = Place::new("refused");
    for (text, told) in [
        ("openapi: 3.0.0\npaths:\n  /a: {}\n  /a: {}\n", "bad.yaml:4:3: "),
        ("swagger: \"1.2\"\n", "`swagger: 1.2` is not read; 2.0, 3.0 and 3.1 are"),
        ("hello: 1\n", "has neither `openapi` nor `swagger`"),
    ] {
        std::fs::write(place.0.join("bad.yaml"), text).unwrap();
        let (outcome, found) = place.import(Some("bad.yaml"), |_| {});
        assert_eq!(outcome, Outcome::Failure, "{text}");
        assert!(found.contains(told), "{found}");
        assert!(!place.0.join("specs").exists(), "{text}");
    }
    let (outcome, found) = place.import(None, |_| {});
    assert_eq!(outcome, Outcome::Failure);
    assert!(found.contains("has no document yet"), "{found}");
    let (_, found) = place.import(Some("harbour.yaml"), |options| options.id = "My Bank".to_owned());
    assert!(found.contains("write it in snake_case"), "{found}");
}

#[test]
fn what_is_missing_of_all_of_it_has_an_overlay_to_be_written_into() {
    let place = Place::new("missing");
    let login = "      type: oauth2\n      flows:\n        authorizationCode:\n          authorizationUrl: https://login.harbour.example/authorize\n          tokenUrl: https://tokens.harbour.example/oauth/token\n          scopes: { accounts: Read accounts., payments: Make payments. }\n";
    let other = HARBOUR.replace(
        login,
        "      type: openIdConnect\n      openIdConnectUrl: https://login.harbour.example/.well-known\n",
    );
    assert_ne!(other, HARBOUR);
    std::fs::write(place.0.join("harbour.yaml"), other).unwrap();
    let (outcome, told) = place.import(Some("harbour.yaml"), |_| {});
    assert_eq!(outcome, Outcome::Failure);
    assert!(
        told.contains("no flow has a `tokenUrl`: write it into the overlay"),
        "{told}"
    );
    assert!(
        told.contains("write that into specs/harbour/overlay.yaml, then run: finrail import --id harbour"),
        "{told}"
    );
    let overlay = place
        .read("overlay.yaml")
        .replace(
            "authorizationUrl: \"\"",
            "authorizationUrl: https://login.harbour.example/authorize",
        )
        .replace("tokenUrl: \"\"", "tokenUrl: https://login.harbour.example/token");
    place.write("overlay.yaml", &overlay);
    let (outcome, told) = place.import(None, |_| {});
    assert_eq!(outcome, Outcome::Fresh, "{told}");
    assert_eq!(place.bundle()["paths"]["/token"]["post"]["operationId"], "create_token");
}

#[test]
fn what_metadata_and_a_person_say_stands_in_a_new_overlay() {
    let place = Place::new("known");
    let metadata = r#"{"issuer":"https://login.harbour.example","token_endpoint":"https://tokens.harbour.example/oauth/token",
        "token_endpoint_auth_methods_supported":["private_key_jwt","client_secret_post"],"code_challenge_methods_supported":["S256"],
        "revocation_endpoint":"https://tokens.harbour.example/oauth/revoke"}"#;
    std::fs::write(place.0.join("metadata.json"), metadata).unwrap();
    let (outcome, told) = place.import(Some("harbour.yaml"), |options| {
        options.metadata = Some("metadata.json".to_owned());
        options.ask = Some(|question, _| panic!("{question}"));
    });
    assert_eq!(outcome, Outcome::Fresh, "{told}");
    let bundle = place.bundle();
    let oauth = &bundle["components"]["securitySchemes"]["oauth"]["x-oauth"];
    assert_eq!(oauth["client_authentication"]["default"], "client_secret_post");
    assert_eq!(
        (&oauth["pkce"], &oauth["operations"]["revoke"]),
        (&Value::from("supported"), &Value::from("revoke_token"))
    );
    finrail_codegen::generate(
        "b.json",
        &place.read("bundle.json"),
        &finrail_codegen::Options::default(),
    )
    .unwrap();

    // A person is asked for the rest, and for that alone.
    let place = Place::new("asked");
    let (outcome, _) = place.import(Some("harbour.yaml"), |options| {
        options.ask = Some(|question, answers| {
            assert!(answers.len() > 2);
            Ok(question.contains("PKCE").then(|| "required".to_owned()))
        });
    });
    assert_eq!(outcome, Outcome::Fresh);
    let overlay = place.read("overlay.yaml");
    assert!(
        overlay.contains("pkce: required") && overlay.contains("default: client_secret_basic"),
        "{overlay}"
    );

    // What is no metadata is refused, and leaves nothing.
    let place = Place::new("no-metadata");
    std::fs::write(place.0.join("metadata.json"), "<html>Log in</html>").unwrap();
    let (outcome, told) = place.import(Some("harbour.yaml"), |options| {
        options.metadata = Some("metadata.json".to_owned());
    });
    assert_eq!(outcome, Outcome::Failure);
    assert!(told.contains("metadata.json is a web page"), "{told}");
    assert!(!place.0.join("specs").exists());
}

/// Metadata comes after the first import as well, while nobody has written into the overlay.
#[test]
fn the_metadata_of_openid_connect_is_fetched_where_it_is_asked_for() {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!(
        "http://{}/.well-known/openid-configuration",
        listener.local_addr().unwrap()
    );
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).unwrap();
        let body = r#"{"issuer":"https://login.harbour.example","token_endpoint":"https://tokens.harbour.example/oauth/token"}"#;
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
    });
    let place = Place::new("discover");
    let begin = HARBOUR.find("      type: oauth2\n").unwrap();
    let end = HARBOUR.find("          scopes: {").unwrap();
    let end = end + HARBOUR[end..].find('\n').unwrap() + 1;
    let connect = format!("      type: openIdConnect\n      openIdConnectUrl: {at}\n");
    let document = [&HARBOUR[..begin], &connect, &HARBOUR[end..]].concat();
    std::fs::write(place.0.join("harbour.yaml"), document).unwrap();
    let (outcome, told) = place.import(Some("harbour.yaml"), |_| {});
    assert_eq!(outcome, Outcome::Failure);
    assert!(
        told.contains(&format!("or run: finrail import --id harbour --metadata {at}; ")),
        "{told}"
    );
    let (outcome, told) = place.import(None, |options| options.discover = true);
    server.join().unwrap();
    assert_eq!(outcome, Outcome::Fresh, "{told}");
    let flows = &place.bundle()["components"]["securitySchemes"]["oauth"]["flows"];
    assert_eq!(
        flows["clientCredentials"]["tokenUrl"],
        "https://tokens.harbour.example/oauth/token"
    );
    // Nobody's words are written over.
    place.write("overlay.yaml", &(place.read("overlay.yaml") + "# looked through\n"));
    std::fs::write(place.0.join("metadata.json"), r#"{"issuer":"https://other.example"}"#).unwrap();
    let (_, told) = place.import(None, |options| options.metadata = Some("metadata.json".to_owned()));
    assert!(told.contains("nothing of the metadata is written into it"), "{told}");
    assert!(place.read("overlay.yaml").contains("# looked through"));
}

/// A bearer token beside OAuth is a key or the access token, and a document says neither.
#[test]
fn what_a_bearer_token_is_taken_for_is_told_and_asked() {
    let staff = HARBOUR
        .replace(
            "  securitySchemes:\n",
            "  securitySchemes:\n    Staff: { type: http, scheme: bearer }\n",
        )
        .replace(
            "operationId: getAccounts\n",
            "operationId: getAccounts\n      security: [{ Staff: [] }]\n",
        );
    assert_ne!(staff, HARBOUR);
    let place = Place::new("bearer");
    let import = |answer: fn(&str, &[&str]) -> std::io::Result<Option<String>>| {
        let _ = std::fs::remove_dir_all(place.0.join("specs"));
        std::fs::write(place.0.join("harbour.yaml"), &staff).unwrap();
        let (outcome, told) = place.import(Some("harbour.yaml"), |options| options.ask = Some(answer));
        assert_eq!(outcome, Outcome::Fresh, "{told}");
        let bundle = place.bundle();
        let security = bundle["paths"]["/accounts"]["get"]["security"].to_string();
        (security, place.read("overlay.yaml"), told)
    };
    let (security, overlay, told) = import(|_, _| Ok(None));
    assert_eq!(security, r#"[{"Staff":[]}]"#);
    assert!(
        told.contains("whether `Staff` is the access token of OAuth or a key of its own"),
        "{told}"
    );
    assert!(overlay.contains("  #   update: { x-credential: key }\n"), "{overlay}");
    let (security, overlay, told) = import(|question, answers| {
        let is_asked = question.contains("`Staff`");
        assert!(!is_asked || answers == ["key", "access_token"]);
        Ok(is_asked.then(|| "access_token".to_owned()))
    });
    assert_eq!(security, r#"[{"oauth":[]}]"#);
    assert!(!told.contains("`Staff`"), "{told}");
    assert!(
        overlay.contains(
            "target: \"$.components.securitySchemes['Staff']\"\n    update: { x-credential: access_token }\n"
        ),
        "{overlay}"
    );
}

#[test]
fn what_becomes_of_a_document_is_told_to_programs_too() {
    let place = Place::new("json");
    let (outcome, told) = place.import(Some("harbour.yaml"), |options| options.json = true);
    assert_eq!(outcome, Outcome::Fresh);
    let told: Value = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told}"));
    let count = |name: &str| told[name].as_array().unwrap().len();
    assert_eq!(
        (told["operations"].as_u64(), count("generated"), count("left_out")),
        (Some(7), 4, 3)
    );
    assert_eq!(told["dialect"], "OpenAPI 3.0");
    let receipt = &told["left_out"][0];
    assert_eq!(
        (&receipt["operation"], receipt["line"].as_u64()),
        (&Value::from("PUT /payments/{id}/receipt"), Some(87))
    );
    assert!(
        told["losses"]
            .as_array()
            .unwrap()
            .iter()
            .all(|loss| loss["what"].is_string() && loss["pointer"].is_string())
    );
    assert!(
        told["proposals"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["update"].as_str().unwrap().contains("x-idempotency"))
    );
    assert_eq!(
        (told["renamed"][0]["from"].as_str(), told["renamed"][0]["to"].as_str()),
        (Some("accountPage"), Some("AccountPage"))
    );
}

#[test]
fn a_header_of_most_calls_is_proposed_for_the_client_and_no_call_asks_for_it_then() {
    let place = Place::new("headers");
    let of_all = HARBOUR.replace(
        "    Trace: { name: x-trace, in: header, schema: { type: string } }",
        "    Trace: { name: x-trace, in: header, required: true, schema: { type: string } }",
    );
    let mut text = of_all.clone();
    for path in ["/accounts/{account-id}", "/payments", "/payments/search"] {
        let shared = "    parameters:\n      - { $ref: \"#/components/parameters/Trace\" }\n";
        text = text.replacen(&format!("  {path}:\n"), &format!("  {path}:\n{shared}"), 1);
    }
    assert_ne!(text, of_all);
    std::fs::write(place.0.join("harbour.yaml"), &text).unwrap();
    let (_, told) = place.import(Some("harbour.yaml"), |_| {});
    assert!(
        told.contains("headers that may have one value for each client: 1"),
        "{told}"
    );
    let overlay = place.read("overlay.yaml");
    let proposed = "  # - target: \"$..[?@.name == 'x-trace' && @.in == 'header']\"\n  #   update:";
    assert!(overlay.contains(proposed), "{overlay}");
    place.write(
        "overlay.yaml",
        &overlay.replace(proposed, &proposed.replace("  # - ", "  - ").replace("  #   ", "    ")),
    );
    let (outcome, told) = place.import(None, |_| {});
    assert_eq!(outcome, Outcome::Fresh, "{told}");
    assert!(!told.contains("one value for each client"), "{told}");
    let code = finrail_codegen::generate(
        "b.json",
        &place.read("bundle.json"),
        &finrail_codegen::Options::default(),
    )
    .unwrap();
    assert!(code.contains("needed_headers: &[\"x-trace\"]") && !code.contains("pub fn x_trace"));
}

#[tokio::test]
async fn the_sandbox_plays_the_bundle() {
    let place = Place::new("played");
    place.import(Some("harbour.yaml"), |_| {});
    let bundle = place.read("bundle.json");
    let sandbox = finrail::sandbox::Sandbox::start_from(([127, 0, 0, 1], 0).into(), &[&bundle]).await;
    let sandbox = sandbox.unwrap_or_else(|error| panic!("{error}"));
    assert!(sandbox.url("harbour").contains("127.0.0.1"));
}

/// A document whose examples ask for readers, and one that nobody reads.
const READERS: &str = r##"openapi: 3.0.3
info: { title: Harbour, version: "1" }
servers: [{ url: https://api.harbour.example }]
paths:
  /accounts:
    get:
      operationId: listAccounts
      responses:
        "200":
          description: All.
          content:
            application/json:
              schema: { type: array, items: { $ref: "#/components/schemas/account" } }
              example:
                - id: 7
                - count: several
components:
  schemas:
    account:
      type: object
      properties:
        id: { type: string }
        count: { type: integer }
        open: { type: boolean, example: "N" }
"##;

#[test]
fn readers_that_examples_ask_for_are_proposed_and_read_them_when_they_are_taken() {
    let place = Place::new("readers");
    std::fs::write(place.0.join("readers.yaml"), READERS).unwrap();
    let (outcome, told) = place.import(Some("readers.yaml"), |_| {});
    assert_eq!(outcome, Outcome::Fresh);
    insta::assert_snapshot!("readers", told);
    let overlay = place.read("overlay.yaml");
    let id = "  # - target: \"$.components.schemas['account'].properties['id']\"\n  #   update: { \"x-lenient\": \"string\" }\n";
    let open = "  # - target: \"$.components.schemas['account'].properties['open']\"\n  #   update: { \"x-lenient\": \"boolean\" }\n";
    assert!(overlay.contains(id) && overlay.contains(open), "{overlay}");
    // One is taken, the other is thrown away: it is told, and not written again.
    let taken = |action: &str| action.replace("  # ", "  ");
    place.write("overlay.yaml", &overlay.replace(id, &taken(id)).replace(open, ""));
    let (_, told) = place.import(None, |_| {});
    insta::assert_snapshot!("readers_taken", told);
    assert_eq!(
        place.bundle()["components"]["schemas"]["Account"]["properties"]["id"]["x-lenient"],
        "string"
    );
    assert!(!place.read("overlay.yaml").contains(open));
    let (_, told) = place.import(None, |options| options.json = true);
    let told: Value = serde_json::from_str(&told).unwrap();
    let unread = |of: &str| {
        let one = &told[of]["unread"][0];
        (
            one["pointer"].clone(),
            one["line"].clone(),
            one["reader_is_proposed"].clone(),
        )
    };
    let example = "/paths/~1accounts/get/responses/200/content/application~1json/example/1/count";
    assert_eq!(
        unread("examples"),
        (Value::from(example), Value::from(16), Value::from(false))
    );
    let example = "/components/schemas/account/properties/open/example";
    assert_eq!(
        unread("examples_of_schemas"),
        (Value::from(example), Value::from(24), Value::from(true))
    );
    assert_eq!(told["proposals"][0]["update"], r#"{ "x-lenient": "boolean" }"#);
}

/// What is wrong with many examples in many schemas is told once, with the first places; a program gets all of them.
#[test]
fn many_examples_that_nobody_reads_are_few_lines() {
    let (mut paths, mut schemas) = (String::new(), String::new());
    for n in 0..20 {
        let examples: String = (0..100)
            .map(|e| format!("                e{e}: {{ value: {{ id: {e}, open: true }} }}\n"))
            .collect();
        paths += &format!(
            "  /things{n}:\n    get:\n      operationId: thing{n}\n      responses:\n        \"200\":\n          description: One.\n          \
             content:\n            application/json:\n              schema: {{ $ref: \"#/components/schemas/Thing{n}\" }}\n              examples:\n{examples}"
        );
        schemas += &format!(
            "    Thing{n}: {{ type: object, properties: {{ id: {{ type: string }}, open: {{ type: string }} }} }}\n"
        );
    }
    let document = format!(
        "openapi: 3.0.3\ninfo: {{ title: Many, version: \"1\" }}\nservers: [{{ url: https://api.many.example }}]\npaths:\n{paths}components:\n  schemas:\n{schemas}"
    );
    let place = Place::new("many");
    std::fs::write(place.0.join("many.yaml"), document).unwrap();
    let (outcome, told) = place.import(Some("many.yaml"), |_| {});
    assert_eq!(outcome, Outcome::Fresh);
    let unread: Vec<&str> = told.lines().filter(|line| line.contains("  Unread ")).collect();
    assert!(
        !unread.is_empty() && unread.len() <= 4 && told.lines().count() < 40,
        "{told}"
    );
    assert!(
        unread[0].contains("(and 1999 more)") && told.contains("and in 17 more schemas; `--json` has every example"),
        "{told}"
    );
    let (_, told) = place.import(None, |options| options.json = true);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert!(told["examples"]["unread"].as_array().unwrap().len() >= 2000);
}

/// A reference that all operations of a path have costs all of them, and is told with its place.
#[test]
fn what_a_reference_of_a_path_costs_is_told_with_its_line() {
    let place = Place::new("path-level");
    let document = HARBOUR.replace(
        "  /accounts/{account-id}:\n",
        "  /accounts/{account-id}:\n    parameters:\n      - $ref: \"#/components/parameters/None\"\n",
    );
    let line = 1 + document
        .lines()
        .position(|line| line.contains("parameters/None"))
        .unwrap();
    std::fs::write(place.0.join("harbour.yaml"), document).unwrap();
    let (_, told) = place.import(Some("harbour.yaml"), |_| {});
    let reason = format!(
        "GET /accounts/{{account-id}}\n             `#/components/parameters/None` leads nowhere (at /paths/~1accounts~1{{account-id}}/parameters/0, line {line})\n"
    );
    assert!(told.contains(&reason), "{told}");
}
