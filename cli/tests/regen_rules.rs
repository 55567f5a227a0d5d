//! Every rule for a specification, broken once.

#![allow(clippy::panic)]

mod support;

use finrail_cli::shell::Outcome;
use support::{Project, TINY};

/// Rule, what stands in the specification, what stands there instead.
const BROKEN: &[(&str, &str, &str)] = &[
    ("openapi", "openapi: 3.0.3", "openapi: 3.1.0"),
    ("openapi", "in: query", "in: question"),
    ("openapi", "title: Tiny Bank", "titel: Tiny Bank"),
    ("openapi", "type: integer", "type: int"),
    ("provider", "id: tiny", "id: huge"),
    ("version", "version: 2026-11-21", "version: 1.0.0"),
    (
        "server",
        "https://api.tiny.example/v1\n    desc",
        "http://api.tiny.example/v1\n    desc",
    ),
    ("server", "    x-environment: production\n", ""),
    ("server", "    x-grade: official\n", ""),
    ("operation-id", "operationId: get_account", "operationId: getAccount"),
    ("operation-id", "      operationId: get_account\n", ""),
    ("operation-id", "operationId: get_account", "operationId: list_accounts"),
    ("summary", "      summary: Read an account\n", ""),
    ("summary", "summary: Read an account", "summary: Read an account."),
    ("description", "      description: One account.\n", ""),
    ("description", "          description: The account's id.\n", ""),
    ("description", "      description: An account.\n", ""),
    (
        "description",
        "        description: The account.\n        schema",
        "        schema",
    ),
    ("tag", "tags: [Accounts]", "tags: []"),
    ("tag", "tags: [Accounts]", "tags: [OAuth, Accounts]"),
    ("tag", "tags: [Accounts]", "tags: [Account]"),
    ("security", "      security:\n        - oauth: [accounts]\n", ""),
    ("security", "security:\n        - oauth: [accounts]", "security: []"),
    ("security", "- oauth: [accounts]", "- oath: [accounts]"),
    ("scope", "- oauth: [accounts]", "- oauth: [payments]"),
    (
        "scope",
        "pkce: required",
        "pkce: required\n        scopes_always: [openid]",
    ),
    (
        "scope",
        "pkce: required",
        "pkce: required\n        scope_separator: ', '",
    ),
    (
        "scope",
        "pkce: required",
        "pkce: required\n        scope_separators_accepted: ['', c]",
    ),
    (
        "provenance",
        "      x-provenance:\n        grade: client-code\n        checked: 2026-11-21\n        sources: [a public client]\n",
        "",
    ),
    ("provenance", "checked: 2026-11-21", "checked: yesterday"),
    ("provenance", "sources: [a public client]", "sources: []"),
    (
        "provenance",
        "sources: [a public client]",
        "sources: ['https://github.com/owner/client']",
    ),
    ("extension-form", "grade: client-code", "grade: hearsay"),
    ("extension-form", "pkce: required", "pkce: maybe"),
    ("extension-form", "pkce: required", "pkse: required"),
    ("extension-form", "style: cursor", "style: scroll"),
    ("extension-unknown", "x-pagination:", "x-paging:"),
    (
        "extension-unknown",
        "x-form: brackets",
        "x-form: brackets\n                x-lenient: string",
    ),
    ("example", "balance: 12.5", "balance: twelve"),
    (
        "example",
        "                id: a1\n                kind: current",
        "                kind: current",
    ),
    ("example", "expires_in: 900", "expires_in: soon"),
    ("example", "example: 10", "example: ten"),
    (
        "example",
        "              example:\n                id: a1\n                kind: current\n                balance: 12.5\n",
        "",
    ),
    (
        "example",
        "            example:\n              text: holiday\n              accounts: [a1]\n",
        "",
    ),
    ("error-status", "4XX:\n          $ref", "default:\n          $ref"),
    ("error-status", "4XX:\n          $ref", "'404':\n          $ref"),
    (
        "success-schema",
        "        '204':\n          description: Created.",
        "        '204':\n          description: Created.\n        '200':\n          description: Created.\n          content:\n            application/json:\n              schema:\n                $ref: '#/components/schemas/Account'\n              example: {id: a1}",
    ),
    (
        "error-schema",
        "        4XX:\n          $ref: '#/components/responses/Refused'",
        "        4XX:\n          $ref: '#/components/responses/Refused'\n        5XX:\n          description: Failed.",
    ),
    (
        "additional-properties",
        "required: [id]\n      additionalProperties: {}",
        "required: [id]\n      additionalProperties: false",
    ),
    (
        "additional-properties",
        "required: [id]\n      additionalProperties: {}",
        "required: [id]",
    ),
    // Of an error too, and of what stands in another object.
    (
        "additional-properties",
        "description: Why a call was refused.\n      additionalProperties: {}\n",
        "description: Why a call was refused.\n",
    ),
    (
        "additional-properties",
        "description: Where the next page is.\n      additionalProperties: {}\n",
        "description: Where the next page is.\n",
    ),
    ("decimal", "format: decimal", "format: double"),
    (
        "nullable",
        "      description: Where the next page is.",
        "      description: Where the next page is.\n      required: [next]",
    ),
    ("required", "required: [id]", "required: [id, iban]"),
    (
        "secret",
        "        text:\n",
        "        password:\n          type: string\n          description: A secret.\n        text:\n",
    ),
    (
        "enum",
        "type: string\n      description: What kind",
        "type: integer\n      description: What kind",
    ),
    ("schema-name", "    NewLabel:", "    new_label:"),
    (
        "schema-name",
        "    Problem:\n",
        "    OAuthError:\n      type: object\n      description: Mine.\n    Problem:\n",
    ),
    (
        "reference",
        "#/components/schemas/AccountKind",
        "#/components/schemas/AccountSort",
    ),
    (
        "reference",
        "#/components/parameters/Cursor",
        "#/components/schemas/Account",
    ),
    (
        "reference",
        "$ref: '#/components/schemas/AccountKind'",
        "$ref: '#/components/schemas/AccountKind'\n          description: Ignored.",
    ),
    (
        "unused",
        "    Problem:\n",
        "    Nobody:\n      type: object\n      description: Unused.\n    Problem:\n",
    ),
    ("pagination", "next: /page/next", "next: /page/after"),
    ("pagination", "items: /accounts", "items: /data"),
    ("pagination", "parameter: cursor", "parameter: offset"),
    (
        "lookup",
        "      operationId: create_label\n",
        "      operationId: create_label\n      x-lookup:\n        operation: get_account\n        parameters: { accountId: $request.body#/id }\n        state: /nowhere\n",
    ),
    ("parameter", "name: accountId", "name: account"),
    ("parameter", "name: limit", "name: cursor"),
    (
        "parameter",
        "name: limit\n          in: query",
        "name: limit\n          in: cookie",
    ),
    (
        "form",
        "              accounts:\n                x-form",
        "              account:\n                x-form",
    ),
    (
        "media-type",
        "application/x-www-form-urlencoded:\n            schema:\n              $ref: '#/components/schemas/NewLabel'",
        "multipart/form-data:\n            schema:\n              $ref: '#/components/schemas/NewLabel'",
    ),
    ("oauth", "token: create_token", "token: make_token"),
    (
        "oauth",
        "grants: [authorization_code, refresh_token]",
        "grants: [client_credentials]",
    ),
    ("oauth", "authorize: authorize\n          token", "token"),
    ("oauth", "      x-browser: true\n", ""),
];

#[test]
fn every_broken_rule_is_told() {
    let project = Project::new("rules");
    let mut missed = Vec::new();
    for (rule, from, to) in BROKEN {
        assert!(TINY.contains(from), "the fixture has no {from:?}");
        project.write("specs/tiny.yaml", &TINY.replacen(from, to, 1));
        let (outcome, text) = project.regen(false);
        if outcome != Outcome::Failure || !text.contains(&format!("[{rule}]")) {
            missed.push(format!("{rule}: {from:?} -> {to:?}\n{text}"));
        }
    }
    assert!(
        missed.is_empty(),
        "{} of {}:\n{}",
        missed.len(),
        BROKEN.len(),
        missed.join("\n")
    );
}

#[test]
fn a_problem_names_its_line() {
    let project = Project::new("lines");
    project.edit(
        "specs/tiny.yaml",
        "summary: Read an account",
        "summary: Read an account.",
    );
    let line = 1 + project
        .read("specs/tiny.yaml")
        .lines()
        .position(|line| line.contains("Read an account."))
        .unwrap_or_default();
    let (_, text) = project.regen(false);
    assert!(text.contains(&format!("specs/tiny.yaml:{line}:7 [summary]")), "{text}");
}

/// What stands in the specification, what stands there instead, the text at whose place the problem is, what is said.
const SAID: &[(&str, &str, &str, &str)] = &[
    (
        "x-grade: official",
        "x-grade: offical",
        "x-grade: offical",
        "`offical` is none of `official`, `client-code`, `inferred`: did you mean `official`?",
    ),
    (
        "pkce: required",
        "pkce: requried",
        "pkce: requried",
        "none of `required`, `supported`, `undocumented`, `refused`: did you mean `required`?",
    ),
    (
        "authorization_code, refresh_token]",
        "authorization_code, refresh_tokn]",
        "refresh_tokn]",
        "did you mean `refresh_token`?",
    ),
    (
        "in: query",
        "in: qery",
        "in: qery",
        "`qery` is none of `path`, `query`, `header`, `cookie`: did you mean `query`?",
    ),
    (
        "type: number",
        "type: nubmer",
        "type: nubmer",
        "none of `array`, `boolean`, `integer`, `number`, `object`, `string`",
    ),
    ("type: string", "type: strng", "type: strng", "did you mean `string`?"),
    // A schema with an example is read by what checks the example, too.
    (
        "type: string\n          description: The account's id.",
        "type: strng\n          example: a-1\n          description: The account's id.",
        "type: strng",
        "did you mean `string`?",
    ),
    (
        "pkce: required",
        "pcke: required",
        "pcke: required",
        "`pcke` means nothing here: did you mean `pkce`?",
    ),
    (
        "rotates: true",
        "rotate: true",
        "rotate: true",
        "did you mean `rotates`?",
    ),
    (
        "      summary: List accounts",
        "      sumary: List accounts",
        "sumary: List",
        "did you mean `summary`?",
    ),
    (
        "x-browser: true",
        "x-browsers: true",
        "x-browsers: true",
        "did you mean `x-browser`?",
    ),
    (
        "token: create_token",
        "token: creat_token",
        "token: creat_token",
        "did you mean `create_token`?",
    ),
    (
        "oauth: [accounts]",
        "oauth: [acounts]",
        "acounts]",
        "did you mean `accounts`?",
    ),
    (
        "oauth: [accounts]",
        "oauht: [accounts]",
        "oauht: [accounts]",
        "did you mean `oauth`?",
    ),
    (
        "tags: [Accounts]",
        "tags: [Acounts]",
        "Acounts]",
        "did you mean `Accounts`?",
    ),
    (
        "schemas/Account'",
        "schemas/Acount'",
        "$ref: '#/components/schemas/Acount'",
        "did you mean `Account`?",
    ),
    (
        "          token: create_token\n",
        "",
        "operations:\n          authorize",
        "there is no `token`, which is required",
    ),
    (
        "      summary: List accounts",
        "\tsummary: List accounts",
        "\tsummary: List",
        "a tab stands in the indentation",
    ),
    (
        "version: 2026-11-21",
        "version: 2026-02-30",
        "version: 2026-02-30",
        "no calendar has 2026-02-30\n             fix: write the day of the last check against the sources, one that the calendar has",
    ),
    (
        "checked: 2026-11-21",
        "checked: 2026-04-31",
        "checked: 2026-04-31",
        "no calendar has 2026-04-31",
    ),
    (
        "checked: 2026-11-21",
        "checked: today",
        "checked: today",
        "`checked` is not a day",
    ),
    (
        "tokenUrl: https://api.tiny.example/v1/oauth/token",
        "tokenUrl: https://api.tiny.example/v2/oauth/token",
        "tokenUrl: https://api.tiny.example/v2",
        "write https://api.tiny.example/v1/oauth/token",
    ),
    (
        "authorizationUrl: https://api.tiny",
        "authorizationUrl: https://login.tiny",
        "authorizationUrl: https://login",
        "is not the address of `authorize`",
    ),
    (
        "url: https://api.tiny.example/v1",
        "url: http://api.tiny.example/v1",
        "url: http://",
        "is not https",
    ),
];

#[test]
fn a_problem_stands_at_the_key_and_says_what_to_write() {
    let project = Project::new("said");
    for (from, to, place, said) in SAID {
        assert!(TINY.contains(from), "the fixture has no {from:?}");
        let text = TINY.replacen(from, to, 1);
        project.write("specs/tiny.yaml", &text);
        let before = &text[..text.find(place).unwrap_or_else(|| panic!("{place:?}"))];
        let line = 1 + before.matches('\n').count();
        let column = 1 + before.rsplit('\n').next().unwrap_or_default().chars().count();
        let (_, text) = project.regen(true);
        let problem = text.split("     Problem ").find(|problem| problem.contains(said));
        assert!(!text.contains("under any of the schemas"), "{to:?}: {text}");
        let problem = problem.unwrap_or_else(|| panic!("{to:?}: {said:?} is not in {text}"));
        assert!(
            problem.starts_with(&format!("specs/tiny.yaml:{line}:{column} ")),
            "{to:?}: line {line}, column {column}: {problem}"
        );
    }
}

#[test]
fn what_is_broken_once_is_told_once() {
    let project = Project::new("once");
    for (from, to, ..) in [SAID[0], SAID[1], SAID[3], SAID[5], SAID[6], SAID[7], SAID[20], SAID[23]] {
        project.write("specs/tiny.yaml", &TINY.replacen(from, to, 1));
        let (_, text) = project.regen(true);
        assert_eq!(text.matches("     Problem ").count(), 1, "{to}: {text}");
    }
}
