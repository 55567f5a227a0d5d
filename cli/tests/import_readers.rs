//! `finrail import`: where an example cannot be read, the lenient reader that reads it is proposed at the place in the provider's
//! own document; an example that nothing reads is told with its place, and nothing is mended.
#![allow(clippy::unwrap_used, clippy::panic)]

use finrail_cli::import::{Facts, Imported, Readers, import, readers};
use finrail_spec::json::Json;
use finrail_spec::published::Published;

fn facts() -> Facts {
    Facts {
        id: "small".to_owned(),
        name: "Small Bank".to_owned(),
        ..Facts::default()
    }
}

/// What is proposed for a document, each as target and update, and what of its examples nobody reads.
struct Found {
    document: Json,
    before: Imported,
    readers: Readers,
}

fn of(document: &str) -> Found {
    let document = Published::read(document.as_bytes())
        .unwrap_or_else(|error| panic!("{error}\n{document}"))
        .root;
    let before = import(&document, None, &facts()).unwrap_or_else(|error| panic!("{error}"));
    assert!(before.left_out.is_empty(), "{:?}", before.left_out);
    let readers = readers(&document, None, &facts(), &before);
    Found {
        document,
        before,
        readers,
    }
}

impl Found {
    fn proposed(&self) -> Vec<String> {
        let all = self.readers.proposals.iter();
        all.map(|one| format!("{} {}", one.target, one.update)).collect()
    }

    fn told(&self) -> Vec<String> {
        let left = self.before.unreadable().filter(|one| !self.readers.read(one));
        left.map(|one| {
            let written = one.written.clone().unwrap_or_default();
            format!("{written}{}: {}", one.inside, one.wrong)
        })
        .collect()
    }

    /// What becomes of the document when all proposals are taken.
    fn taken(&self) -> Imported {
        let actions = self.readers.proposals.iter().map(|one| {
            let update = Json::parse(&one.update).unwrap();
            Json::object([("target", Json::str(one.target.as_str())), ("update", update)])
        });
        let info = Json::object([("title", Json::str("Readers")), ("version", Json::str("1"))]);
        let overlay = Json::object([
            ("overlay", Json::str("1.1.0")),
            ("info", info),
            ("actions", Json::Array(actions.collect())),
        ]);
        import(&self.document, Some(&overlay), &facts()).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// A document of one call with a reply of a schema, and other schemas beside it.
fn document(schema: &str, example: &str, schemas: &str) -> String {
    format!(
        r#"{{"openapi":"3.0.3","info":{{"title":"Small","version":"1"}},"servers":[{{"url":"https://api.small.example"}}],
        "paths":{{"/a":{{"get":{{"operationId":"a","responses":{{"200":{{"description":"","content":{{"application/json":{{
            "schema":{schema},"example":{example}}}}}}}}}}}}}}},
        "components":{{"schemas":{{{schemas}}}}}}}"#
    )
}

/// A reply with one property.
fn one(property: &str, value: &str, schemas: &str) -> String {
    let schema = format!(r#"{{"type":"object","properties":{{"v":{property}}}}}"#);
    document(&schema, &format!(r#"{{"v":{value}}}"#), schemas)
}

#[test]
fn an_example_has_the_reader_that_it_asks_for() {
    let v = "$.paths['/a'].get.responses['200'].content['application/json'].schema.properties['v']";
    let kind = r##"{"$ref":"#/components/schemas/kind"}"##;
    let named = r##"{"$ref":"#/components/schemas/my-account"}"##;
    for (property, value, schemas, proposed) in [
        (
            r#"{"type":"string"}"#,
            "7",
            "",
            format!(r#"{v} {{ "x-lenient": "string" }}"#),
        ),
        (
            r#"{"type":"boolean"}"#,
            r#""Y""#,
            "",
            format!(r#"{v} {{ "x-lenient": "boolean" }}"#),
        ),
        (
            r#"{"type":"number"}"#,
            "0.123456789012345678901234567890123",
            "",
            format!(r#"{v} {{ "x-lenient": "string" }}"#),
        ),
        (
            r#"{"type":"array","items":{"type":"object","properties":{"b":{"type":"string"}}}}"#,
            r#"{"b":"c"}"#,
            "",
            format!(r#"{v} {{ "x-lenient": "array" }}"#),
        ),
        // `null` in a map, in a list, and in a list of a named enum.
        (
            r#"{"type":"object","additionalProperties":{"type":"string"}}"#,
            r#"{"a":null}"#,
            "",
            format!(r#"{v}.additionalProperties {{ "nullable": true }}"#),
        ),
        (
            r#"{"type":"array","items":{"type":"string"}}"#,
            r#"["a",null]"#,
            "",
            format!(r#"{v}.items {{ "nullable": true }}"#),
        ),
        (
            &format!(r#"{{"type":"array","items":{kind}}}"#),
            r#"["A",null]"#,
            r#""kind":{"type":"string","enum":["A","B"]}"#,
            r#"$.components.schemas['kind'] { "nullable": true }"#.to_owned(),
        ),
        // Values in lists and maps.
        (
            r#"{"type":"array","items":{"type":"string"}}"#,
            r#"["a",7]"#,
            "",
            format!(r#"{v}.items {{ "x-lenient": "string" }}"#),
        ),
        (
            r#"{"type":"object","additionalProperties":{"type":"boolean"}}"#,
            r#"{"a":"Y","b":null}"#,
            "",
            format!(
                r#"{v}.additionalProperties {{ "x-lenient": "boolean" }}; {v}.additionalProperties {{ "nullable": true }}"#
            ),
        ),
        // Names that Rust needs otherwise, references, and `allOf`.
        (
            named,
            r#"{"id":7}"#,
            r##""base.thing":{"type":"object","properties":{"id":{"type":"string"}}},
                "my-account":{"allOf":[{"$ref":"#/components/schemas/base.thing"},{"type":"object","properties":{"b":{"type":"string"}}}]}"##,
            r#"$.components.schemas['base.thing'].properties['id'] { "x-lenient": "string" }"#.to_owned(),
        ),
        (
            named,
            r#""overdrawn""#,
            r#""my-account":{"type":"object","properties":{"text":{"type":"string"}}}"#,
            r#"$.components.schemas['my-account'] { "x-lenient": "object" }"#.to_owned(),
        ),
        (
            named,
            r#"{"it's":null}"#,
            r#""my-account":{"type":"object","required":["it's"],"properties":{"it's":{"type":"string"}}}"#,
            r#"$.components.schemas['my-account'].properties['it\'s'] { "nullable": true }"#.to_owned(),
        ),
    ] {
        let found = of(&one(property, value, schemas));
        assert_eq!(found.proposed().join("; "), proposed, "{property} {value}");
        assert_eq!(found.told(), <[String; 0]>::default(), "{property} {value}");
        let taken = found.taken();
        assert_eq!(taken.examples.read(), 1, "{property} {value}");
        assert_eq!(found.before.examples.read(), 0, "{property} {value}");
    }
}

#[test]
fn times_of_every_form_that_come_are_read_as_they_are() {
    for (format, value) in [
        ("date-time", r#""/Date(1573755038314+0000)/""#),
        ("date-time", r#""2026-11-27T10:00:00""#),
        ("date", r#""2026-01-02+01:00""#),
    ] {
        let found = of(&one(&format!(r#"{{"type":"string","format":"{format}"}}"#), value, ""));
        assert_eq!(found.before.examples.read(), 1, "{value}");
        assert_eq!(found.proposed(), <[String; 0]>::default(), "{value}");
    }
}

#[test]
fn an_example_that_is_wrong_is_told_and_nothing_is_mended() {
    let at = "/paths/~1a/get/responses/200/content/application~1json/example";
    for (property, value, told) in [
        (
            r#"{"type":"integer"}"#,
            r#""seven""#,
            "/v: expected a whole number, and it is another text",
        ),
        (
            r#"{"type":"integer"}"#,
            "1.5",
            "/v: expected a whole number, and it is a number with a fraction, or a very large one",
        ),
        (
            r#"{"type":"boolean"}"#,
            r#""perhaps""#,
            "/v: expected `true` or `false`, and it is another text",
        ),
        (
            r#"{"type":"number"}"#,
            r#""much""#,
            "/v: expected a number, and it is another text",
        ),
        (
            r#"{"type":"string","format":"password"}"#,
            "7",
            "/v: expected a text, and it is a number",
        ),
        (
            r#"{"type":"string","enum":["a"]}"#,
            "7",
            "/v: expected a text, and it is a number",
        ),
        (
            r#"{"type":"array","items":{"type":"integer"}}"#,
            r#"{"b":"c"}"#,
            "/v: expected a list, and it is an object",
        ),
        (
            r#"{"type":"object","required":["b"],"properties":{"b":{"type":"string"}}}"#,
            "{}",
            "/v: `b` is required, and it is not there",
        ),
    ] {
        let found = of(&one(property, value, ""));
        assert_eq!(found.proposed(), <[String; 0]>::default(), "{property} {value}");
        assert_eq!(found.told(), [format!("{at}{told}")], "{property} {value}");
    }
}

/// The same bank in three dialects, with examples wherever a dialect has them.
const V3_0: &str = r##"
openapi: 3.0.3
info: { title: Small, version: "1" }
servers: [{ url: https://api.small.example }]
paths:
  /accounts:
    get:
      responses:
        "200": { $ref: "#/components/responses/Accounts" }
  /accounts/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get:
      responses:
        "200":
          description: One.
          content:
            application/json:
              schema: { $ref: "#/components/schemas/account" }
              examples:
                open: { value: { id: 7, flags: { a: null } } }
                closed: { $ref: "#/components/examples/closed" }
components:
  examples:
    closed: { value: { id: a, open: "N" } }
  responses:
    Accounts:
      description: All.
      content:
        application/json:
          schema: { type: array, items: { $ref: "#/components/schemas/account" } }
          example: [{ id: 8 }, { open: perhaps }]
  schemas:
    account:
      allOf:
        - type: object
          properties:
            id: { type: string }
            open: { type: boolean }
        - type: object
          properties:
            flags: { type: object, additionalProperties: { type: string } }
            limit: { type: integer, example: 18446744073709551615 }
"##;

const V3_1: &str = r##"
openapi: 3.1.0
info: { title: Small, version: "1" }
servers: [{ url: https://api.small.example }]
paths:
  /accounts/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get:
      responses:
        "200":
          description: One.
          content:
            application/json:
              schema: { $ref: "#/components/schemas/account", description: Of a customer. }
              example: { id: 7, open: [true, "perhaps"] }
components:
  schemas:
    account:
      type: [object, "null"]
      $defs:
        flags: { type: object, patternProperties: { "^x": { type: string, examples: [a, 1] } } }
      properties:
        id: { type: [string, "null"] }
        open: { type: array, items: { type: boolean } }
        flags: { $ref: "#/components/schemas/account/$defs/flags" }
        limit: { type: [integer, "null"], examples: [1, 18446744073709551615] }
"##;

const V2_0: &str = r##"
swagger: "2.0"
info: { title: Small, version: "1" }
host: api.small.example
schemes: [https]
produces: [application/json]
paths:
  /accounts/{id}:
    get:
      parameters: [{ name: id, in: path, required: true, type: string }]
      responses:
        "200": { $ref: "#/responses/Account" }
responses:
  Account:
    description: One.
    schema: { $ref: "#/definitions/account" }
    examples: { application/json: { id: 7, flags: { a: null }, open: perhaps } }
definitions:
  account:
    type: object
    properties:
      id: { type: string }
      open: { type: boolean, x-example: "N" }
      flags: { type: object, additionalProperties: { type: string } }
      limit: { type: integer, example: 18446744073709551615 }
"##;

#[test]
fn each_dialect_has_one_proposal_for_a_schema_wherever_it_is_used() {
    let perhaps = "expected `true` or `false`, and it is another text";
    for (document, counts, proposed, told) in [
        (
            V3_0,
            [(3, 0), (1, 1)],
            &[
                r#"$.components.schemas['account'].allOf[0].properties['id'] { "x-lenient": "string" }"#,
                r#"$.components.schemas['account'].allOf[1].properties['flags'].additionalProperties { "nullable": true }"#,
                r#"$.components.schemas['account'].allOf[0].properties['open'] { "x-lenient": "boolean" }"#,
            ][..],
            "/components/responses/Accounts/content/application~1json/example/1/open",
        ),
        (
            V3_1,
            [(1, 0), (4, 3)],
            &[
                r#"$.components.schemas['account'].properties['id'] { "x-lenient": "string" }"#,
                r#"$.components.schemas['account']['$defs']['flags'].patternProperties['^x'] { "x-lenient": "string" }"#,
            ],
            "/paths/~1accounts~1{id}/get/responses/200/content/application~1json/example/open/1",
        ),
        (
            V2_0,
            [(1, 0), (2, 1)],
            &[
                r#"$.definitions['account'].properties['id'] { "x-lenient": "string" }"#,
                r#"$.definitions['account'].properties['flags'].additionalProperties { "x-nullable": true }"#,
                r#"$.definitions['account'].properties['open'] { "x-lenient": "boolean" }"#,
            ],
            "/responses/Account/examples/application~1json/open",
        ),
    ] {
        let found = of(document);
        let (examples, of_schemas) = (&found.before.examples, &found.before.examples_of_schemas);
        let read = [(examples.all, examples.read()), (of_schemas.all, of_schemas.read())];
        assert_eq!(read, counts);
        assert_eq!(found.proposed(), proposed);
        assert_eq!(found.told(), [format!("{told}: {perhaps}")]);
        // And then only that is left.
        let taken = found.taken();
        let left: Vec<&str> = taken.unreadable().map(|one| one.wrong.as_str()).collect();
        assert_eq!(left, [perhaps]);
    }
}
