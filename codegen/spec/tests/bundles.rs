//! The five bundles through the shared model, against what stands in `specs/*.yaml`.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use finrail_spec::json::Json;
use finrail_spec::model::{Operation, Place, Requirement, Specification};
use finrail_spec::vocabulary::{
    ClientAuthentication, ClientKind, Effect, FormStyle, Grant, PaginationStyle, TokenBody,
};

const PROVIDERS: [&str; 5] = ["ofx", "mx", "omnifund", "tatrabanka", "finexer"];

fn read(provider: &str) -> Specification {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../specs/bundled/{provider}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Specification::read(Json::parse(&text).unwrap()).unwrap_or_else(|faults| panic!("{provider}: {faults:?}"))
}

fn operation<'s>(specification: &'s Specification, id: &str) -> &'s Operation {
    specification.operation(id).unwrap_or_else(|| panic!("no {id}"))
}

#[test]
fn counts_are_those_of_the_specifications() {
    // operations, performed by a browser, in pages, scopes, servers
    let table = [
        ("ofx", 10, 1, 0, 2, 2),
        ("mx", 11, 1, 2, 5, 1),
        ("omnifund", 13, 1, 4, 0, 2),
        ("tatrabanka", 19, 1, 1, 3, 2),
        ("finexer", 25, 1, 6, 2, 2),
    ];
    for (provider, operations, browser, pages, scopes, servers) in table {
        let specification = read(provider);
        assert_eq!(specification.provider.id, provider);
        let count = |of: &dyn Fn(&Operation) -> bool| specification.operations.iter().filter(|it| of(it)).count();
        let counted = (
            count(&|_| true),
            count(&|operation| operation.browser),
            count(&|operation| operation.pagination.is_some()),
            specification.scopes().len(),
            specification.servers.len(),
        );
        assert_eq!(counted, (operations, browser, pages, scopes, servers), "{provider}");
    }
}

#[test]
fn every_operation_says_where_it_is_known_from_and_shows_what_it_answers() {
    for provider in PROVIDERS {
        for operation in read(provider).operations {
            let id = &operation.id;
            assert!(operation.provenance.is_some(), "{provider}: {id}");
            assert!(
                !operation.summary.is_empty() && !operation.tags.is_empty(),
                "{provider}: {id}"
            );
            for content in operation.successes().flat_map(|reply| &reply.contents) {
                let shown = !content.examples.is_empty() || operation.is_download();
                assert!(shown, "{provider}: {id} shows no {}", content.media_type);
            }
        }
    }
}

#[test]
fn hosts_and_their_paths() {
    let environments = |provider: &str| -> Vec<(String, String, bool)> {
        let servers = read(provider).servers;
        let told = servers.iter().map(|server| {
            let environment = server.environment.clone().unwrap_or_default();
            (environment, server.path().to_owned(), server.is_oauth())
        });
        told.collect()
    };
    let expected = |told: &[(&str, &str, bool)]| -> Vec<(String, String, bool)> {
        told.iter()
            .map(|(name, path, oauth)| ((*name).to_owned(), (*path).to_owned(), *oauth))
            .collect()
    };
    assert_eq!(
        environments("ofx"),
        expected(&[("sandbox", "/v1", false), ("production", "/v1", false)])
    );
    assert_eq!(environments("mx"), expected(&[("", "", false)]));
    assert_eq!(
        environments("omnifund"),
        expected(&[("production", "", false), ("sandbox", "", false)])
    );
    let tatrabanka = [
        ("sandbox", "/premium/sandbox", false),
        ("production", "/premium/production", false),
    ];
    assert_eq!(environments("tatrabanka"), expected(&tatrabanka));
    assert_eq!(
        environments("finexer"),
        expected(&[("live", "", false), ("live", "", true)])
    );
}

#[test]
fn authorization_servers_take_more_than_a_client_sends() {
    // takes JSON, has the password grant, between scopes, names the account
    let space: &[&str] = &[" "];
    let table = [
        ("ofx", false, false, space, None),
        ("mx", false, false, space, None),
        ("omnifund", true, true, space, None),
        ("tatrabanka", false, false, space, None),
        ("finexer", false, false, &[",", " "], Some("account_id")),
    ];
    for (provider, json, password, separators, subject) in table {
        let oauth = read(provider).oauth.unwrap();
        assert!(oauth.takes_body(TokenBody::Form), "{provider}");
        assert_eq!(oauth.takes_body(TokenBody::Json), json, "{provider}");
        assert_eq!(oauth.has(Grant::Password), password, "{provider}");
        assert_eq!(oauth.separators().collect::<Vec<_>>(), separators, "{provider}");
        assert_eq!(oauth.subject_field(), subject, "{provider}");
    }
}

#[test]
fn a_request_has_its_own_authentication_and_a_grant_its_own_scopes() {
    let bank = read("tatrabanka");
    let mut methods = bank.oauth.clone().unwrap().client_authentication;
    let of = [Grant::ClientCredentials, Grant::RefreshToken].map(|grant| methods.of(grant));
    let (basic, post) = (
        ClientAuthentication::ClientSecretBasic,
        ClientAuthentication::ClientSecretPost,
    );
    assert_eq!(of, [post, basic]);
    assert_eq!(methods.of_revocation(), basic);
    methods.revocation = Some(ClientAuthentication::None);
    assert_eq!(methods.of_revocation(), ClientAuthentication::None);

    let own = ["PREMIUM_AIS", "PREMIUM_PIS"];
    assert_eq!(bank.scopes_of(Grant::ClientCredentials), own);
    assert_eq!(
        bank.scopes_of(Grant::AuthorizationCode),
        [&own[..], &["PREMIUM_PIS_CANC"]].concat()
    );
    assert!(bank.scopes_of(Grant::Password).is_empty());
}

#[test]
fn ofx_repeats_a_deal_only_when_told() {
    let ofx = read("ofx");
    let deal = operation(&ofx, "create_deal");
    assert_eq!(
        (deal.method.as_str(), deal.path.as_str(), deal.effect),
        ("POST", "/payments/deals", Effect::Neither)
    );
    assert_eq!(
        deal.security,
        [Requirement::Bearer {
            scopes: vec!["payments".to_owned()]
        }]
    );
    assert_eq!(deal.content_type(), Some("application/json"));
    assert_eq!(
        ofx.scopes(),
        [
            ("payments", "Beneficiaries, quotes and deals."),
            ("ofxrates", "The rate look-up.")
        ]
    );
}

#[test]
fn mx_pages_by_a_cursor() {
    let mx = read("mx");
    let accounts = operation(&mx, "list_accounts");
    let paging = accounts.pagination.as_ref().unwrap();
    assert_eq!(paging.style, PaginationStyle::Cursor);
    assert_eq!(
        (paging.next.as_str(), paging.parameter.as_deref(), paging.items.as_str()),
        ("/page/nextOffset", Some("offset"), "/accounts")
    );
    let offset = accounts
        .parameters
        .iter()
        .find(|parameter| parameter.name == "offset")
        .unwrap();
    assert_eq!((offset.place, offset.required), (Place::Query, false));
    assert_eq!(operation(&mx, "revoke_token").effect, Effect::Idempotent);
    assert_eq!(operation(&mx, "revoke_token").client, ClientKind::Oauth);
}

#[test]
fn omnifund_asks_for_json_ld() {
    let omnifund = read("omnifund");
    let asked = "application/ld+json, application/json;q=0.9, */*;q=0.8";
    assert_eq!(operation(&omnifund, "list_events").accept(), Some(asked));
    assert_eq!(
        omnifund.flows.iter().map(|flow| flow.grant()).collect::<Vec<_>>(),
        ["authorization_code", "password"]
    );
    let oauth = omnifund.oauth.as_ref().unwrap();
    assert!(oauth.grants.contains(&Grant::Password));
}

#[test]
fn tatrabanka_makes_a_header_on_every_call_and_sends_files() {
    let tatrabanka = read("tatrabanka");
    let resources = tatrabanka
        .operations
        .iter()
        .filter(|operation| operation.client != ClientKind::Oauth);
    for operation in resources {
        assert!(operation.headers.contains_key("X-Request-ID"), "{}", operation.id);
    }
    let statement = operation(&tatrabanka, "download_statement");
    assert_eq!(
        (statement.accept(), statement.is_download()),
        (Some("application/pdf, application/zip"), true)
    );
    assert!(!operation(&tatrabanka, "list_accounts").is_download());
    assert_eq!(operation(&tatrabanka, "cancel_payment").effect, Effect::Neither);
    assert_eq!(operation(&tatrabanka, "delete_consent").effect, Effect::Idempotent);
    // Each flow says what the scope allows there; the first in the bundle is shown.
    assert_eq!(tatrabanka.scopes()[0].0, "PREMIUM_AIS");
    assert_eq!(tatrabanka.flows.len(), 2);
}

#[test]
fn finexer_writes_lists_and_maps_into_forms() {
    let finexer = read("finexer");
    let consent = operation(&finexer, "create_consent");
    assert_eq!(consent.content_type(), Some("application/x-www-form-urlencoded"));
    let forms = &consent.sent().unwrap().forms;
    let style = |name: &str| forms.get(name).copied();
    assert_eq!(
        (style("scopes"), style("metadata")),
        (Some(FormStyle::Brackets), Some(FormStyle::Map))
    );
    let paged = finexer
        .operations
        .iter()
        .filter_map(|operation| operation.pagination.as_ref());
    assert!(
        paged
            .clone()
            .all(|paging| paging.style == PaginationStyle::Link && paging.next == "/paging/next")
    );
    assert_eq!(operation(&finexer, "create_customer").effect, Effect::Neither);
}

#[test]
fn schemas_are_read_through_references_and_parts() {
    let document = r##"{
      "openapi": "3.0.3",
      "x-provider": { "id": "bank", "name": "Bank", "env_prefix": "BANK" },
      "paths": { "/things": {
        "parameters": [{ "name": "page", "in": "query", "schema": { "type": "integer", "example": 3 } }],
        "get": {
          "operationId": "list_things",
          "parameters": [{ "name": "page", "in": "header", "style": "simple", "explode": false, "schema": { "type": "string" } }],
          "responses": { "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } } }
      } } },
      "components": { "schemas": {
        "Thing": { "allOf": [{ "$ref": "#/components/schemas/Named" }, { "properties": { "size": { "type": "integer" } } }] },
        "Named": { "type": "object", "required": ["name"], "properties": { "name": { "type": "string" } }, "example": { "name": "a" } },
        "Loop": { "allOf": [{ "$ref": "#/components/schemas/Loop" }] }
      } }
    }"##;
    let bank = Specification::read(Json::parse(document).unwrap()).unwrap();
    let things = operation(&bank, "list_things");
    let places: Vec<_> = things.parameters.iter().map(|it| (it.place, it.is_joined())).collect();
    assert_eq!(places, [(Place::Query, false), (Place::Header, true)]);
    assert_eq!(things.parameters[0].example, Some(Json::int(3)));
    assert_eq!(things.security, [Requirement::Nothing]);
    let content = &things.replies[0].contents[0];
    assert_eq!(content.examples[0].1.to_string(), r#"{"name":"a"}"#);
    let names: Vec<&str> = bank
        .properties(&content.schema)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["name", "size"]);
    assert!(bank.requires(&content.schema, "name") && !bank.requires(&content.schema, "size"));
    assert_eq!(bank.kind(&content.schema), Some("object"));
    let (_, circle) = &bank.schemas()[2];
    assert!(bank.keyword(circle, "type").is_none() && !bank.requires(circle, "name"));
    assert!(bank.properties(circle).is_empty());
}

#[test]
fn a_withdrawn_scope_is_a_fault_unless_the_document_is_taken_as_it_is() {
    let document = r#"{
      "openapi": "3.0.3",
      "x-provider": { "id": "bank", "name": "Bank", "env_prefix": "BANK" },
      "paths": { "/a": { "get": { "operationId": "get_a", "security": [{ "oauth": ["gone"] }] }, "put": {} } }
    }"#;
    let all = Specification::read(Json::parse(document).unwrap()).unwrap_err();
    let left = Specification::read_as_it_is(Json::parse(document).unwrap()).unwrap_err();
    assert_eq!((all.len(), &all[1..]), (2, &left[..]));

    let document = document.replace(r#", "put": {}"#, "");
    let bank = Specification::read_as_it_is(Json::parse(&document).unwrap()).unwrap();
    assert_eq!(operation(&bank, "get_a").scopes(), Some(&["gone".to_owned()][..]));
}

#[test]
fn everything_that_cannot_be_read_is_told_at_once() {
    let document = r#"{
      "openapi": "3.1.0",
      "paths": {
        "/a": { "$ref": "other.json" },
        "/b": { "servers": [], "get": {}, "put": { "operationId": "put_b", "security": [{ "basic": [] }] } },
        "/c": { "get": { "operationId": "get_c", "security": [{ "oauth": ["all"] }] } }
      }
    }"#;
    let faults = Specification::read(Json::parse(document).unwrap()).unwrap_err();
    let told: Vec<String> = faults
        .iter()
        .map(|fault| format!("{} {fault}", fault.pointer))
        .collect();
    assert_eq!(
        told,
        [
            "/openapi `openapi: 3.1.0` is not supported; write OpenAPI 3.0.3",
            " `x-provider` is missing at the root; see https://docs.rs/finrail-codegen",
            "/paths/~1a path `/a` is a `$ref`; write the operations in place",
            "/paths/~1b/servers path `/b` has `servers` of its own; name hosts at the root, with `x-client`",
            "/paths/~1b/get `GET /b` has no `operationId`; name it verb_noun",
            "/paths/~1b/put security scheme `basic` is unknown; the names are oauth, clientBasic, accessKey, registrationToken",
            "/paths/~1c/get scope `all` is in no flow of the `oauth` security scheme; add it there or correct it",
        ]
    );
}
