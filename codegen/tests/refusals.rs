//! Every kind of input that is refused: what is said, and of which line.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::fmt::Write as _;

use serde_json::{Value, json};
use support::{client, list, oauth, patched, pay, payment, schemas};

/// What is wrong, and the change of the small bank that makes it so.
type Case = (&'static str, Value);

/// One paragraph for each case: what is wrong, what is said, the line that it is said of.
fn refusals(cases: &[Case]) -> String {
    let mut table = String::new();
    for (wrong, patch) in cases {
        let bundle = patched(patch);
        let errors = match client(&bundle) {
            Ok(_) => panic!("{wrong}: not refused"),
            Err(errors) => errors.0,
        };
        let _ = writeln!(table, "{wrong}");
        for error in errors {
            let text = error.to_string();
            assert!(!text.contains("progenitor"), "{wrong}: {text}");
            let line = error.line.unwrap_or_else(|| panic!("{wrong}: no line: {text}"));
            let shown = bundle
                .lines()
                .nth(line - 1)
                .unwrap_or_default()
                .trim()
                .trim_end_matches(['{', '[', ',', ' ']);
            let _ = writeln!(table, "    {text}\n    at {shown}");
        }
    }
    table
}

/// Compares with the snapshot that has the name of the test.
fn check(cases: &[Case]) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or_default();
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(format!("refused_{test}"), refusals(cases));
    });
}

#[test]
fn the_small_bank_is_fine() {
    let bundle = patched(&json!({}));
    assert_eq!(client(&bundle).map(|_| ()), Ok(()));
}

#[test]
fn what_is_no_json_names_the_line() {
    let error = client("{\n  \"openapi\": \"3.0.3\",\n}").unwrap_err();
    insta::assert_snapshot!(error, @"bank.json:3: not JSON (trailing comma at line 3 column 1); `finrail import` makes this file of the document that the bank publishes");
}

#[test]
fn a_number_that_no_float_holds_costs_nothing() {
    let shown = patched(&json!({ "components": { "schemas": { "Account": { "properties": {
        "limit": { "type": "number", "format": "decimal", "example": "HUGE", "maximum": "HUGE" },
        "usual": { "type": "number", "format": "decimal", "default": "HUGE" },
        "count": { "type": "integer", "minimum": "HUGE" },
    } } } } }));
    let huge = shown.replace("\"HUGE\"", "1e400");
    assert_eq!(huge.matches("1e400").count(), 4);
    assert_eq!(client(&huge).map(|_| ()), Ok(()));
}

#[test]
fn several_problems_are_told_at_once() {
    let bundle = patched(&json!({
        "openapi": "3.1.0",
        "x-provider": null,
        "paths": { "/accounts": { "get": { "x-effect": "sometimes" } } },
    }));
    insta::assert_snapshot!(client(&bundle).unwrap_err(), @r"
    bank.json:2: `openapi: 3.1.0` is not supported; write OpenAPI 3.0.3
    bank.json:1: `x-provider` is missing at the root; see https://docs.rs/finrail-codegen
    bank.json:64: operation `list_accounts`: `x-effect`: unknown variant `sometimes`, expected one of `safe`, `idempotent`, `neither`; see https://docs.rs/finrail-codegen
    ");
}

#[test]
fn documents() {
    check(&[
        ("OpenAPI 3.1", json!({ "openapi": "3.1.0" })),
        ("Swagger 2", json!({ "openapi": null, "swagger": "2.0" })),
        ("no provider", json!({ "x-provider": null })),
        (
            "a provider with a field too many",
            json!({ "x-provider": { "logo": "x" } }),
        ),
        (
            "a provider whose id is no module",
            json!({ "x-provider": { "id": "Small Bank" } }),
        ),
        (
            "a provider called like a keyword",
            json!({ "x-provider": { "id": "mod" } }),
        ),
        (
            "a prefix in small letters",
            json!({ "x-provider": { "env_prefix": "small-bank" } }),
        ),
        ("no paths", json!({ "paths": null })),
        (
            "only the authorization server",
            json!({ "paths": { "/accounts": null, "/accounts/{accountId}": null, "/payments": null } }),
        ),
        (
            "a path by reference",
            json!({ "paths": { "/other": { "$ref": "other.json" } } }),
        ),
        (
            "hosts of a path",
            json!({ "paths": { "/accounts": { "servers": [{ "url": "https://other.example" }] } } }),
        ),
        (
            "hosts of an operation",
            list(json!({ "servers": [{ "url": "https://other.example" }] })),
        ),
        (
            "a server without a name",
            json!({ "servers": [{ "url": "https://api.bank.example" }] }),
        ),
        (
            "a named server with a variable",
            json!({ "servers": [{ "url": "https://{host}", "x-environment": "live" }] }),
        ),
        (
            "a server in the clear",
            json!({ "servers": [{ "url": "http://api.bank.example", "x-environment": "live" }] }),
        ),
        (
            "a server with a slash",
            json!({ "servers": [{ "url": "https://api.bank.example/", "x-environment": "live" }] }),
        ),
        (
            "a server of an unknown client",
            json!({ "servers": [{ "url": "https://api.bank.example", "x-environment": "live", "x-client": "admin" }] }),
        ),
        (
            "an environment for tokens only",
            json!({ "servers": [{ "url": "https://login.bank.example", "x-environment": "live", "x-client": "oauth" }] }),
        ),
        (
            "two environments with one name",
            json!({ "servers": [
            { "url": "https://a.example", "x-environment": "test-1" },
            { "url": "https://b.example", "x-environment": "test_1" },
        ] }),
        ),
    ]);
}

#[test]
fn authorization_servers() {
    let flows = |scopes: Value| json!({ "components": { "securitySchemes": { "oauth": { "flows": { "clientCredentials": { "scopes": scopes } } } } } });
    check(&[
        (
            "no scheme",
            json!({ "components": { "securitySchemes": null }, "security": [] }),
        ),
        (
            "no profile",
            json!({ "components": { "securitySchemes": { "oauth": { "x-oauth": null } } } }),
        ),
        ("an unknown grant", oauth(json!({ "grants": ["implicit"] }))),
        ("an unknown key", oauth(json!({ "rotation": true }))),
        (
            "a token endpoint that is not there",
            oauth(json!({ "operations": { "token": "get_token" } })),
        ),
        (
            "an authorization endpoint that is not there",
            oauth(json!({ "operations": { "authorize": "authorize" } })),
        ),
        (
            "a revocation endpoint that is not there",
            oauth(
                json!({ "operations": { "revoke": "revoke" }, "revocation": { "token_field": "token", "success": [200] } }),
            ),
        ),
        (
            "revocation without its endpoint",
            oauth(json!({ "revocation": { "token_field": "token", "success": [200] } })),
        ),
        (
            "codes without an authorization endpoint",
            oauth(json!({ "grants": ["authorization_code"] })),
        ),
        (
            "a scope that is always sent and not listed",
            oauth(json!({ "scopes_always": ["openid"] })),
        ),
        (
            "a template of no scope",
            oauth(json!({ "scope_templates": { "openid": "openid:{id}" } })),
        ),
        (
            "an optional template that is none",
            oauth(json!({ "scope_template_optional": ["accounts"] })),
        ),
        ("no separator", oauth(json!({ "scope_separator": "" }))),
        (
            "a separator of two characters",
            oauth(json!({ "scope_separator": ", " })),
        ),
        (
            "a letter as a separator",
            oauth(json!({ "scope_separators_accepted": ["x"] })),
        ),
        (
            "a separator that no text shows",
            oauth(json!({ "scope_separator": "\u{a0}" })),
        ),
        (
            "a separator that is in a scope",
            oauth(json!({ "scope_separator": ":", "scope_templates": { "accounts": "accounts:{id}" } })),
        ),
        (
            "two extra fields with one name",
            oauth(json!({ "token_reply": { "extra": [
            { "name": "accountId", "description": "a" }, { "name": "account_id", "description": "b" },
        ] } })),
        ),
        (
            "an extra field without a name",
            oauth(json!({ "token_reply": { "extra": [{ "name": "@", "description": "a" }] } })),
        ),
        (
            "a scope that no request can carry",
            flows(json!({ "read all": "a", "": "b", "l\u{e4}sen": "c" })),
        ),
        (
            "a scope that is in no flow",
            list(json!({ "security": [{ "oauth": ["balances"] }] })),
        ),
        ("an unknown scheme", list(json!({ "security": [{ "apiKey": [] }] }))),
        (
            "two schemes at once",
            list(json!({ "security": [{ "oauth": [], "accessKey": [] }] })),
        ),
    ]);
}

#[test]
fn operations() {
    check(&[
        ("no name", list(json!({ "operationId": null }))),
        (
            "a method that no client sends",
            json!({ "paths": { "/accounts": { "options": {
                "operationId": "ask_accounts", "responses": { "204": { "description": "Done." } }, "security": []
            } } } }),
        ),
        ("a name in another case", list(json!({ "operationId": "listAccounts" }))),
        ("a name that begins with a digit", list(json!({ "operationId": "2fa" }))),
        ("the name of a keyword", list(json!({ "operationId": "match" }))),
        (
            "the name of a method of every client",
            list(json!({ "operationId": "builder" })),
        ),
        (
            "the name of a type of the runtime",
            list(json!({ "operationId": "byte_stream" })),
        ),
        (
            "the name of a type of the prelude",
            list(json!({ "operationId": "result" })),
        ),
        ("one name twice", list(json!({ "operationId": "get_account" }))),
        (
            "one name twice, in two clients",
            list(json!({ "operationId": "create_token" })),
        ),
        (
            "two names with one builder",
            json!({ "paths": { "/accounts": { "get": { "operationId": "get_a1" } }, "/payments": { "post": { "operationId": "get_a_1" } } } }),
        ),
        ("an unknown client", list(json!({ "x-client": "admin" }))),
        ("an unknown effect", list(json!({ "x-effect": "sometimes" }))),
        (
            "an unknown made header",
            list(json!({ "x-headers": { "X-Request-ID": "counter" } })),
        ),
        (
            "a made header that is none",
            list(json!({ "x-headers": { "X Request": "uuid" } })),
        ),
        (
            "a key header that is none",
            list(json!({ "x-idempotency": { "header": "" } })),
        ),
        (
            "a key header that no caller can set",
            list(json!({ "x-idempotency": { "header": "Idempotency-Key" } })),
        ),
        (
            "a proof without statuses",
            list(json!({ "x-error-proof": { "statuses": [], "members": ["code"] } })),
        ),
        (
            "a proof without members",
            list(json!({ "x-error-proof": { "statuses": [400], "members": [] } })),
        ),
        (
            "a proof by a member without a name",
            list(json!({ "x-error-proof": { "statuses": [400], "members": ["code", ""] } })),
        ),
        (
            "a proof by a status that is no refusal",
            list(json!({ "x-error-proof": { "statuses": [400, 500], "members": ["code"] } })),
        ),
        (
            "a proof by success",
            list(json!({ "x-error-proof": { "statuses": [399], "members": ["code"] } })),
        ),
        (
            "a proof by something else",
            list(json!({ "x-error-proof": { "statuses": [400], "members": ["code"], "header": "Server" } })),
        ),
        (
            "a proof by half",
            list(json!({ "x-error-proof": { "statuses": [400] } })),
        ),
        (
            "a proof of the whole document without statuses",
            json!({ "x-error-proof": { "statuses": [], "members": ["code"] } }),
        ),
        (
            "a proof by a member that no refusal has",
            pay(json!({
                "x-error-proof": { "statuses": [400], "members": ["code", "nothing"] },
                "responses": { "4XX": { "description": "Refused.", "content": { "application/json": { "schema":
                    { "type": "object", "properties": { "code": { "type": "string" } } } } } } },
            })),
        ),
        (
            "a limit by what is no step of the path",
            list(json!({ "x-limit": { "seconds": 3600, "by": ["accountId"] } })),
        ),
        ("a limit of no time", list(json!({ "x-limit": { "seconds": 0 } }))),
        (
            "a limit of no calls",
            list(json!({ "x-limit": { "calls": 0, "seconds": 1 } })),
        ),
        (
            "an unknown grade",
            list(json!({ "x-provenance": { "grade": "hearsay", "checked": "2026-11-21" } })),
        ),
        (
            "a path without a slash",
            json!({ "paths": { "accounts": { "get": { "operationId": "list_all", "responses": { "204": { "description": "" } } } } } }),
        ),
        (
            "a path with an empty segment",
            json!({ "paths": { "/a//b": { "get": { "operationId": "list_all", "responses": { "204": { "description": "" } } } } } }),
        ),
        (
            "a path with a query",
            json!({ "paths": { "/a?b=c": { "get": { "operationId": "list_all", "responses": { "204": { "description": "" } } } } } }),
        ),
        (
            "a path with an open brace",
            json!({ "paths": { "/a/{b": { "get": { "operationId": "list_all", "responses": { "204": { "description": "" } } } } } }),
        ),
        (
            "a path with a closing brace",
            json!({ "paths": { "/a/b}": { "get": { "operationId": "list_all", "responses": { "204": { "description": "" } } } } } }),
        ),
    ]);
}

#[test]
fn look_ups() {
    let lookup = |change: Value| {
        let mut lookup = json!({ "operation": "get_account", "parameters": { "accountId": "$request.body#/id" } });
        for (key, value) in change.as_object().unwrap() {
            lookup[key] = value.clone();
        }
        let paging = json!({ "style": "cursor", "parameter": "cursor", "next": "/next", "items": "/accounts" });
        json!({ "paths": { "/accounts": { "get": { "x-pagination": paging } }, "/payments": { "post": { "x-lookup": lookup } } } })
    };
    // The operation that is called, with a header that it needs.
    let with_header = |operation: Value, parameter: Value| {
        let mut called = json!({ "parameters": [
            { "name": "accountId", "in": "path", "required": true, "description": "The account.", "schema": { "type": "string" } },
            { "name": "X-Tenant", "in": "header", "required": true, "description": "Whose.", "schema": { "type": "string" } },
        ]});
        for (key, value) in parameter.as_object().unwrap() {
            called["parameters"][1][key] = value.clone();
        }
        for (key, value) in operation.as_object().unwrap() {
            called[key] = value.clone();
        }
        let mut whole = lookup(json!({}));
        whole["paths"]["/accounts/{accountId}"] = json!({ "get": called });
        whole
    };
    for fine in [
        with_header(json!({}), json!({ "required": false })),
        with_header(json!({}), json!({ "x-given-by-client": true })),
        with_header(json!({ "x-headers": { "x-tenant": "uuid" } }), json!({})),
    ] {
        assert_eq!(client(&patched(&fine)).map(|_| ()), Ok(()));
    }
    let same = json!({ "/id": "$request.body#/id" });
    check(&[
        (
            "of a call that changes nothing",
            list(
                json!({ "x-lookup": { "operation": "get_account", "parameters": { "accountId": "$request.query.cursor" } } }),
            ),
        ),
        (
            "by an operation that is none",
            lookup(json!({ "operation": "get_nothing" })),
        ),
        (
            "by a call that pays",
            lookup(json!({ "operation": "create_payment", "parameters": {} })),
        ),
        ("without what it needs", lookup(json!({ "parameters": {} }))),
        ("by a call that needs a header", with_header(json!({}), json!({}))),
        (
            "with a parameter that it does not have",
            lookup(json!({ "parameters": { "accountId": "$request.body#/id", "account": "$request.body#/id" } })),
        ),
        (
            "by what the call does not send",
            lookup(json!({ "parameters": { "accountId": "$request.path.accountId" } })),
        ),
        (
            "by no runtime expression",
            lookup(json!({ "parameters": { "accountId": "$response.body#/id" } })),
        ),
        (
            "with a state that is settled and rejected",
            lookup(json!({ "state": "/state", "settled": ["DONE"], "rejected": ["NO", "DONE"] })),
        ),
        (
            "with states and no place for them",
            lookup(json!({ "settled": ["DONE"] })),
        ),
        (
            "in a list without what is the same",
            lookup(json!({ "operation": "list_accounts", "parameters": {} })),
        ),
        ("of what is the same, in no list", lookup(json!({ "same": same }))),
        (
            "with a state of a list",
            lookup(
                json!({ "operation": "list_accounts", "parameters": {}, "same": same, "state": "/state", "settled": ["DONE"] }),
            ),
        ),
        ("of nothing that is unique", lookup(json!({ "unique": true }))),
        ("in words that nobody knows", lookup(json!({ "after": "a minute" }))),
    ]);
}

#[test]
fn paging() {
    let paging = |change: Value| {
        let mut whole = json!({ "style": "cursor", "parameter": "cursor", "next": "/next", "items": "/accounts" });
        for (key, value) in change.as_object().into_iter().flatten() {
            whole[key] = value.clone();
        }
        list(json!({ "x-pagination": whole }))
    };
    check(&[
        ("an unknown style", paging(json!({ "style": "scroll" }))),
        (
            "pages without numbers",
            list(json!({ "x-pagination": { "style": "page", "items": "/accounts" } })),
        ),
        ("pages that are counted and named", paging(json!({ "style": "page" }))),
        (
            "a first page of a cursor, and a total",
            paging(json!({ "first": 0, "total": "/count" })),
        ),
        ("a cursor in no body", paging(json!({ "in": "body" }))),
        (
            "whether there is more, of the wrong type",
            paging(json!({ "more": "/next" })),
        ),
        ("pages of what may act", {
            let mut patch = paging(json!({}));
            patch["paths"]["/accounts"]["get"]["x-effect"] = json!("neither");
            patch
        }),
        (
            "a cursor without a parameter",
            list(json!({ "x-pagination": { "style": "cursor", "next": "/next", "items": "/accounts" } })),
        ),
        ("a link with a parameter", paging(json!({ "style": "link" }))),
        (
            "a parameter that is not there",
            paging(json!({ "parameter": "offset" })),
        ),
        (
            "a parameter that is no string",
            list(json!({
                "x-pagination": { "style": "cursor", "parameter": "offset", "next": "/next", "items": "/accounts" },
                "parameters": [{ "name": "offset", "in": "query", "schema": { "type": "integer" } }],
            })),
        ),
        ("a pointer without a slash", paging(json!({ "next": "next" }))),
        ("a pointer that leads nowhere", paging(json!({ "next": "/links/next" }))),
        ("items that are no list", paging(json!({ "items": "/next" }))),
        ("two calls with such items", {
            let mut patch = paging(json!({ "items": "/next" }));
            let mut second = support::small()["paths"]["/accounts"]["get"].clone();
            second["operationId"] = json!("list_others");
            second["x-pagination"] = patch["paths"]["/accounts"]["get"]["x-pagination"].clone();
            patch["paths"]["/others"] = json!({ "get": second });
            patch
        }),
        (
            "a next that is an object",
            json!({
                "paths": { "/accounts": { "get": { "x-pagination": { "style": "link", "next": "/next", "items": "/accounts" } } } },
                "components": { "schemas": { "AccountPage": { "properties": { "next": { "type": "object", "properties": { "href": { "type": "string" } } } } } } },
            }),
        ),
        (
            "pages of a download",
            list(json!({
                "x-pagination": { "style": "link", "next": "/next", "items": "/accounts" },
                "responses": { "200": { "content": { "application/json": null, "text/csv": { "schema": { "type": "string", "format": "binary" } } } } },
            })),
        ),
        (
            "a setter called like a method of pages",
            list(json!({
                "x-pagination": { "style": "cursor", "parameter": "items", "next": "/next", "items": "/accounts" },
                "parameters": [{ "name": "items", "in": "query", "schema": { "type": "string" } }],
            })),
        ),
    ]);
}

#[test]
fn parameters() {
    let one = |parameter: Value| list(json!({ "parameters": [parameter] }));
    let path = |change: Value| {
        let mut parameter =
            json!({ "name": "accountId", "in": "path", "required": true, "schema": { "type": "string" } });
        for (key, value) in change.as_object().into_iter().flatten() {
            parameter[key] = value.clone();
        }
        json!({ "paths": { "/accounts/{accountId}": { "get": { "parameters": [parameter] } } } })
    };
    let text = json!({ "type": "string" });
    check(&[
        ("by reference", one(json!({ "$ref": "#/components/parameters/Cursor" }))),
        ("any JSON in a path", path(json!({ "schema": {} }))),
        (
            "any JSON in a header",
            one(json!({ "name": "X-A", "in": "header", "schema": { "description": "Something." } })),
        ),
        (
            "in a cookie",
            one(json!({ "name": "session", "in": "cookie", "schema": text })),
        ),
        (
            "in a body, as Swagger had it",
            one(json!({ "name": "body", "in": "body", "schema": text })),
        ),
        (
            "with content",
            one(json!({ "name": "filter", "in": "query", "content": { "application/json": { "schema": text } } })),
        ),
        (
            "a deep object",
            one(json!({ "name": "filter", "in": "query", "style": "deepObject", "schema": { "type": "object" } })),
        ),
        (
            "a list with bars",
            one(
                json!({ "name": "ids", "in": "query", "style": "pipeDelimited", "schema": { "type": "array", "items": text } }),
            ),
        ),
        (
            "a list with commas",
            one(
                json!({ "name": "ids", "in": "query", "explode": false, "schema": { "type": "array", "items": text } }),
            ),
        ),
        (
            "an object in a query",
            one(
                json!({ "name": "filter", "in": "query", "schema": { "type": "object", "properties": { "a": text } } }),
            ),
        ),
        (
            "a list of objects in a query",
            one(
                json!({ "name": "filter", "in": "query", "schema": { "type": "array", "items": { "$ref": "#/components/schemas/Payment" } } }),
            ),
        ),
        (
            "a list in a header",
            one(json!({ "name": "X-Ids", "in": "header", "schema": { "type": "array", "items": text } })),
        ),
        (
            "a secret in a header",
            one(json!({ "name": "X-Key", "in": "header", "schema": { "type": "string", "format": "password" } })),
        ),
        (
            "a time in a header",
            one(json!({ "name": "X-Since", "in": "header", "schema": { "type": "string", "format": "date-time" } })),
        ),
        (
            "a header that is none",
            one(json!({ "name": "X Key", "in": "header", "schema": text })),
        ),
        (
            "a header of the library",
            one(json!({ "name": "Authorization", "in": "header", "schema": text })),
        ),
        (
            "a binary float",
            one(json!({ "name": "rate", "in": "query", "schema": { "type": "number" } })),
        ),
        ("a matrix in a path", path(json!({ "style": "matrix" }))),
        (
            "a path parameter that may be missing",
            path(json!({ "required": false })),
        ),
        ("a path parameter of another name", path(json!({ "name": "id" }))),
        ("an object in a path", path(json!({ "schema": { "type": "object" } }))),
        (
            "a secret in a path",
            path(json!({ "schema": { "type": "string", "format": "password" } })),
        ),
        (
            "one name twice",
            list(json!({ "parameters": [
            { "name": "id", "in": "query", "schema": text }, { "name": "id", "in": "header", "schema": text },
        ] })),
        ),
        (
            "two names that are one in Rust",
            list(json!({ "parameters": [
            { "name": "page-size", "in": "query", "schema": text }, { "name": "pageSize", "in": "query", "schema": text },
        ] })),
        ),
        (
            "called body",
            one(json!({ "name": "body", "in": "query", "schema": text })),
        ),
        (
            "called client",
            one(json!({ "name": "client", "in": "query", "schema": text })),
        ),
        (
            "called send",
            one(json!({ "name": "send", "in": "query", "schema": text })),
        ),
        (
            "called new",
            one(json!({ "name": "new", "in": "query", "schema": text })),
        ),
        (
            "called by no letter",
            one(json!({ "name": "$", "in": "query", "schema": text })),
        ),
        (
            "called in another case",
            one(json!({ "name": "$", "in": "query", "x-rust-name": "pageSize", "schema": text })),
        ),
    ]);
}

#[test]
fn request_bodies() {
    let form = |schema: Value, encoding: Value| {
        let media = json!({ "schema": schema, "encoding": encoding });
        pay(
            json!({ "requestBody": { "content": { "application/json": null, "application/x-www-form-urlencoded": media } } }),
        )
    };
    let fields =
        |properties: Value, encoding: Value| form(json!({ "type": "object", "properties": properties }), encoding);
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    check(&[
        (
            "by reference",
            pay(json!({ "requestBody": { "$ref": "#/components/requestBodies/Payment" } })),
        ),
        ("without content", pay(json!({ "requestBody": { "content": null } }))),
        (
            "two media types",
            pay(json!({ "requestBody": { "content": { "application/xml": { "schema": { "type": "string" } } } } })),
        ),
        (
            "without a schema",
            pay(json!({ "requestBody": { "content": { "application/json": { "schema": null } } } })),
        ),
        (
            "parts without a description",
            pay(
                json!({ "requestBody": { "content": { "application/json": null, "multipart/form-data": { "schema": { "type": "object" } } } } }),
            ),
        ),
        (
            "parts of a named schema",
            pay(
                json!({ "requestBody": { "content": { "application/json": null, "multipart/form-data": { "schema": { "$ref": "#/components/schemas/Payment" } } } } }),
            ),
        ),
        (
            "parts with an encoding of none",
            pay(
                json!({ "requestBody": { "content": { "application/json": null, "multipart/form-data": {
                    "schema": { "type": "object", "properties": { "a": { "type": "string" } } },
                    "encoding": { "b": { "contentType": "text/csv" }, "a": { "contentType": "image/*" } }
                } } } }),
            ),
        ),
        (
            "lists of lists in parts",
            pay(
                json!({ "requestBody": { "content": { "application/json": null, "multipart/form-data": {
                    "schema": { "type": "object", "properties": { "a": { "type": "array", "items": { "type": "array", "items": { "type": "string" } } } } }
                } } } }),
            ),
        ),
        (
            "parts of another kind",
            pay(
                json!({ "requestBody": { "content": { "application/json": null, "multipart/mixed": { "schema": { "type": "object" } } } } }),
            ),
        ),
        (
            "bytes that are described",
            pay(
                json!({ "requestBody": { "content": { "application/json": null, "application/jwt": { "schema": { "type": "object" } } } } }),
            ),
        ),
        (
            "bytes with an encoding",
            pay(
                json!({ "requestBody": { "content": { "application/json": null, "application/jwt": { "schema": { "type": "string", "format": "binary" }, "encoding": { "a": {} } } } } }),
            ),
        ),
        (
            "JSON with an encoding",
            pay(
                json!({ "requestBody": { "content": { "application/json": { "encoding": { "amount": { "style": "form" } } } } } }),
            ),
        ),
        ("a form that is a text", form(json!({ "type": "string" }), json!({}))),
        (
            "repeated objects",
            fields(
                json!({ "ids": { "type": "array", "items": { "$ref": "#/components/schemas/Account" } } }),
                json!({ "ids": { "x-form": "repeated" } }),
            ),
        ),
        (
            "a repeated text",
            fields(
                json!({ "id": { "type": "string" } }),
                json!({ "id": { "x-form": "repeated" } }),
            ),
        ),
        ("a form field with a list", fields(json!({ "ids": texts }), json!({}))),
        (
            "a form field with a list in OpenAPI's own words",
            fields(
                json!({ "ids": texts }),
                json!({ "ids": { "style": "form", "explode": true } }),
            ),
        ),
        (
            "a form field with a map",
            fields(json!({ "notes": { "type": "object" } }), json!({})),
        ),
        (
            "an unknown form",
            fields(json!({ "ids": texts }), json!({ "ids": { "x-form": "commas" } })),
        ),
        (
            "brackets around a text",
            fields(
                json!({ "id": { "type": "string" } }),
                json!({ "id": { "x-form": "brackets" } }),
            ),
        ),
        (
            "brackets around objects",
            fields(
                json!({ "ids": { "type": "array", "items": { "$ref": "#/components/schemas/Account" } } }),
                json!({ "ids": { "x-form": "brackets" } }),
            ),
        ),
        (
            "a map that is a list",
            fields(json!({ "ids": texts }), json!({ "ids": { "x-form": "map" } })),
        ),
        (
            "a map with properties",
            fields(
                json!({ "a": { "type": "object", "properties": { "b": { "type": "string" } } } }),
                json!({ "a": { "x-form": "map" } }),
            ),
        ),
        (
            "an encoding of nothing",
            fields(
                json!({ "id": { "type": "string" } }),
                json!({ "ids": { "x-form": "brackets" } }),
            ),
        ),
    ]);
}

#[test]
fn responses() {
    let reply = |schema: &str| json!({ "description": "", "content": { "application/json": { "schema": { "$ref": format!("#/components/schemas/{schema}") } } } });
    let empty = json!({ "description": "Nothing.", "content": {} });
    check(&[
        ("none", list(json!({ "responses": null }))),
        ("errors only", list(json!({ "responses": { "200": null } }))),
        (
            "by reference",
            list(json!({ "responses": { "200": { "$ref": "#/components/responses/Accounts" } } })),
        ),
        (
            "a default",
            list(json!({ "responses": { "default": reply("Problem") } })),
        ),
        (
            "a redirect",
            list(json!({ "responses": { "302": { "description": "Elsewhere." } } })),
        ),
        (
            "a switch of protocols",
            list(json!({ "responses": { "101": { "description": "Upgraded." } } })),
        ),
        (
            "a status that is none",
            list(json!({ "responses": { "20": { "description": "" } } })),
        ),
        (
            "a range in small letters",
            list(json!({ "responses": { "5xx": { "description": "" } } })),
        ),
        (
            "two success schemas",
            list(json!({ "responses": { "201": reply("Account") } })),
        ),
        (
            "a success with a body and one without",
            list(json!({ "responses": { "204": empty } })),
        ),
        (
            "a success with JSON and one with bytes",
            list(json!({ "responses": { "206": { "description": "", "content": { "text/csv": {} } } } })),
        ),
        (
            "two error schemas",
            list(json!({ "responses": { "404": reply("OAuthError") } })),
        ),
        (
            "an error with a body and one without",
            list(json!({ "responses": { "5XX": empty } })),
        ),
        (
            "two media types",
            list(json!({ "responses": { "200": { "content": { "text/csv": {} } } } })),
        ),
        (
            "JSON without a schema",
            list(json!({ "responses": { "200": { "content": { "application/json": { "schema": null } } } } })),
        ),
        (
            "an encoding",
            list(json!({ "responses": { "200": { "content": { "application/json": { "encoding": {} } } } } })),
        ),
        (
            "a schema that is not there",
            list(json!({ "responses": { "200": reply("Accounts") } })),
        ),
    ]);
}

#[test]
fn schema_kinds() {
    check(&[
        ("a binary float", payment(json!({ "rate": { "type": "number" } }))),
        (
            "a binary float by name",
            payment(json!({ "rate": { "type": "number", "format": "double" } })),
        ),
        (
            "a float deep inside",
            payment(
                json!({ "lines": { "type": "array", "items": { "type": "object", "properties": { "rate": { "type": "number" } } } } }),
            ),
        ),
        (
            "a float in a map",
            payment(json!({ "rates": { "type": "object", "additionalProperties": { "type": "number" } } })),
        ),
        (
            "a list of decimals",
            payment(json!({ "amounts": { "type": "array", "items": { "type": "string", "format": "decimal" } } })),
        ),
        (
            "a map of decimals",
            payment(
                json!({ "amounts": { "type": "object", "additionalProperties": { "type": "string", "format": "decimal" } } }),
            ),
        ),
        (
            "one of",
            payment(json!({ "who": { "oneOf": [{ "type": "string" }, { "type": "integer" }] } })),
        ),
        (
            "any of",
            payment(json!({ "who": { "anyOf": [{ "type": "string" }, { "type": "integer" }] } })),
        ),
        ("not", payment(json!({ "who": { "not": { "type": "string" } } }))),
        (
            "all of several",
            payment(json!({ "who": { "allOf": [{ "$ref": "#/components/schemas/Account" }, { "type": "object" }] } })),
        ),
        (
            "a reference to nothing",
            payment(json!({ "who": { "$ref": "#/components/schemas/Person" } })),
        ),
        (
            "a reference to a file",
            payment(json!({ "who": { "$ref": "people.json#/Person" } })),
        ),
        ("an unknown type", payment(json!({ "who": { "type": "file" } }))),
        (
            "two types, as OpenAPI 3.1 has them",
            payment(json!({ "who": { "type": ["string", "null"] } })),
        ),
        (
            "properties without a type",
            payment(json!({ "who": { "properties": {} } })),
        ),
        ("values without a type", payment(json!({ "who": { "enum": ["me"] } }))),
        ("a schema that is none", payment(json!({ "who": true }))),
        ("a list of nothing", payment(json!({ "who": { "type": "array" } }))),
        (
            "a closed object",
            schemas(json!({ "Payment": { "additionalProperties": false } })),
        ),
        (
            "a required property that is not there",
            schemas(json!({ "Payment": { "required": ["currency"] } })),
        ),
        (
            "a named schema that may be null",
            schemas(json!({ "Payment": { "nullable": true } })),
        ),
        (
            "an unknown leniency",
            payment(json!({ "who": { "type": "string", "x-lenient": "very" } })),
        ),
        (
            "a lenient list that is none",
            payment(json!({ "who": { "type": "string", "x-lenient": "array" } })),
        ),
        (
            "a text for an object without a name",
            payment(json!({
                "who": { "type": "object", "x-lenient": "object", "properties": { "name": { "type": "string" } } }
            })),
        ),
        (
            "a text for an object of two properties",
            schemas(json!({ "Who": {
                "type": "object",
                "x-lenient": "object",
                "properties": { "name": { "type": "string" }, "other": { "type": "string" } },
            } })),
        ),
        (
            "another name for itself",
            schemas(json!({ "Loop": { "$ref": "#/components/schemas/Loop" } })),
        ),
        (
            "two names for each other",
            schemas(json!({
                "Loop": { "allOf": [{ "$ref": "#/components/schemas/Round" }] },
                "Round": { "$ref": "#/components/schemas/Loop" },
            })),
        ),
    ]);
}

#[test]
fn enums() {
    let values = |values: Value| payment(json!({ "kind": { "type": "string", "enum": values } }));
    check(&[
        ("without a value", values(json!([]))),
        ("a number among texts", values(json!(["one", 2]))),
        ("null among texts", values(json!(["one", null]))),
        ("one value twice", values(json!(["one", "one"]))),
        (
            "two values that are one in Rust",
            values(json!(["in-progress", "IN_PROGRESS"])),
        ),
        (
            "a value that takes the place of `unknown`",
            values(json!(["unknown", "value_unknown"])),
        ),
        ("a value without a letter", values(json!(["*"]))),
        ("an empty value", values(json!([""]))),
    ]);
}

#[test]
fn kinds_by_key() {
    let kinds = |properties: Value| schemas(json!({ "Payment": { "x-wrapper-key": true, "properties": properties } }));
    let account = json!({ "$ref": "#/components/schemas/Account" });
    check(&[
        (
            "without a kind",
            schemas(json!({ "Payment": { "x-wrapper-key": true, "properties": null } })),
        ),
        (
            "with no kind",
            schemas(json!({ "Payment": { "x-wrapper-key": true, "properties": { "amount": null } } })),
        ),
        (
            "two kinds that are one in Rust",
            kinds(json!({ "amount": account, "AMOUNT": account })),
        ),
        (
            "a kind called unknown",
            kinds(json!({ "amount": account, "unknown": account })),
        ),
        ("a kind that is a decimal", kinds(json!({}))),
        (
            "a name that its code needs",
            schemas(json!({
                "Payment": { "x-wrapper-key": true, "properties": { "amount": account } },
                "PaymentVisitor": { "type": "object" },
            })),
        ),
    ]);
}

#[test]
fn names() {
    let named =
        |name: &str| schemas(json!({ name: { "type": "object", "properties": { "a": { "type": "string" } } } }));
    check(&[
        ("a schema in another case", named("bank_account")),
        ("a schema with a digit in front", named("2fa")),
        ("a schema called like a trait that code uses", named("Default")),
        ("a schema called like a variant that code uses", named("Ok")),
        ("a schema called like a keyword", named("Self")),
        (
            "a property without a letter",
            payment(json!({ "$": { "type": "string" } })),
        ),
        (
            "two properties that are one in Rust",
            payment(json!({ "@id": { "type": "string" }, "id": { "type": "string" } })),
        ),
        (
            "a given name in another case",
            payment(json!({ "@id": { "type": "string", "x-rust-name": "jsonId" } })),
        ),
        (
            "a property called like the field with the rest",
            schemas(json!({
                "Payment": { "additionalProperties": true, "properties": { "extra": { "type": "string" } } },
            })),
        ),
    ]);
}

#[test]
fn an_unnamed_schema_has_a_name_of_its_own_and_two_that_are_the_same_have_one() {
    let kind = json!({ "type": "string", "enum": ["a"] });
    let taken = schemas(json!({ "Payment": { "properties": { "kind": kind } }, "PaymentKind": { "type": "object" } }));
    let code = client(&patched(&taken)).unwrap();
    assert!(code.contains("pub kind: ::std::option::Option<PaymentKind2>"));
    let reply = json!({ "$ref": null, "type": "object", "properties": { "a": { "type": "string" } } });
    let reply = json!({ "description": "", "content": { "application/json": { "schema": reply } } });
    let twice = list(json!({ "responses": { "200": reply, "201": reply } }));
    let code = client(&patched(&twice)).unwrap();
    assert!(code.contains("pub struct ListAccountsResponse "));
    assert!(!code.contains("ListAccountsResponse2"));
}
