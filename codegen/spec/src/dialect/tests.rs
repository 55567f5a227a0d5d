//! What each construct becomes.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

fn json(text: &str) -> Json {
    Json::parse(text).unwrap_or_else(|_| panic!("no JSON: {text}"))
}

/// A schema of 3.1 in 3.0, and what was told.
fn schema(text: &str) -> (String, Vec<String>) {
    let document = json(&format!(
        r#"{{"openapi":"3.1.0","paths":{{}},"components":{{"schemas":{{"S":{text}}}}}}}"#
    ));
    let converted = to_3_0(&document).unwrap();
    let told = converted
        .losses
        .iter()
        .map(|loss| {
            format!(
                "{} {}",
                loss.pointer.trim_start_matches("/components/schemas/S"),
                loss.what
            )
        })
        .collect();
    (
        converted.root.pointer("/components/schemas/S").unwrap().to_string(),
        told,
    )
}

#[test]
fn the_dialect_is_what_the_document_says() {
    for (text, expected) in [
        (r#"{"openapi":"3.0.0"}"#, Ok(Dialect::OpenApi30)),
        (r#"{"openapi":"3.0.4"}"#, Ok(Dialect::OpenApi30)),
        (r#"{"openapi":3.1}"#, Ok(Dialect::OpenApi31)),
        (r#"{"openapi":"3.1.1"}"#, Ok(Dialect::OpenApi31)),
        (r#"{"swagger":"2.0"}"#, Ok(Dialect::Swagger2)),
        (r#"{"swagger":2.0}"#, Ok(Dialect::Swagger2)),
        (
            r#"{"openapi":"3.2.0"}"#,
            Err("`openapi: 3.2.0` is not read; 2.0, 3.0 and 3.1 are"),
        ),
        (
            r#"{"openapi":"3.10.0"}"#,
            Err("`openapi: 3.10.0` is not read; 2.0, 3.0 and 3.1 are"),
        ),
        (
            r#"{"swagger":"1.2"}"#,
            Err("`swagger: 1.2` is not read; 2.0, 3.0 and 3.1 are"),
        ),
    ] {
        let dialect = Dialect::of(&json(text)).map_err(|error| error.to_string());
        assert_eq!(dialect, expected.map_err(str::to_owned), "{text}");
    }
    assert_eq!(Dialect::of(&json("{}")), Err(UnknownDialect::NoVersion));
}

#[test]
fn a_schema_of_3_1_reads_the_same_in_3_0() {
    for (of_3_1, of_3_0) in [
        (r#"{"type":["string","null"]}"#, r#"{"type":"string","nullable":true}"#),
        (r#"{"type":["null"]}"#, r#"{"nullable":true}"#),
        (r#"{"type":"null"}"#, r#"{"nullable":true}"#),
        (r#"{"type":["integer","number"]}"#, r#"{"type":"number"}"#),
        (
            r#"{"type":["string","number","null"]}"#,
            r#"{"type":"string","nullable":true,"x-lenient":"string"}"#,
        ),
        (r#"{"const":"a"}"#, r#"{"type":"string","enum":["a"]}"#),
        (r#"{"const":1.10}"#, r#"{"type":"number","enum":[1.10]}"#),
        (
            r#"{"enum":["a","b",null],"type":["string","null"]}"#,
            r#"{"type":"string","nullable":true,"enum":["a","b",null]}"#,
        ),
        (
            r#"{"enum":["a"],"type":["string","null"]}"#,
            r#"{"type":"string","nullable":true,"enum":["a",null]}"#,
        ),
        (
            r#"{"type":"string","examples":["x","y"]}"#,
            r#"{"type":"string","example":"x"}"#,
        ),
        (
            r#"{"type":"integer","examples":[5,18446744073709551615,7]}"#,
            r#"{"type":"integer","example":18446744073709551615}"#,
        ),
        (
            r#"{"type":"string","examples":["x"],"example":"y"}"#,
            r#"{"type":"string","example":"y"}"#,
        ),
        (
            r#"{"type":"number","exclusiveMinimum":0}"#,
            r#"{"type":"number","minimum":0,"exclusiveMinimum":true}"#,
        ),
        (
            r##"{"$ref":"#/components/schemas/A"}"##,
            r##"{"$ref":"#/components/schemas/A"}"##,
        ),
        (
            r##"{"$ref":"#/components/schemas/A","description":"d"}"##,
            r##"{"description":"d","allOf":[{"$ref":"#/components/schemas/A"}]}"##,
        ),
        (
            r##"{"oneOf":[{"$ref":"#/components/schemas/A"},{"type":"null"}]}"##,
            r##"{"nullable":true,"allOf":[{"$ref":"#/components/schemas/A"}]}"##,
        ),
        (
            r#"{"anyOf":[{"type":"string"},{"type":"integer"},{"type":"null"}]}"#,
            r#"{"nullable":true,"anyOf":[{"type":"string"},{"type":"integer"}]}"#,
        ),
        (
            r#"{"type":"string","contentEncoding":"base64"}"#,
            r#"{"type":"string","format":"byte"}"#,
        ),
        (
            r#"{"type":"string","contentMediaType":"application/octet-stream"}"#,
            r#"{"type":"string","format":"binary"}"#,
        ),
        (
            r#"{"type":"object","properties":{"a":true,"b":false,"c":{"type":["string","null"]}}}"#,
            r#"{"type":"object","properties":{"a":{},"c":{"type":"string","nullable":true}}}"#,
        ),
        (
            r#"{"type":"object","additionalProperties":{"type":["integer","null"]}}"#,
            r#"{"type":"object","additionalProperties":{"type":"integer","nullable":true}}"#,
        ),
        (
            r#"{"type":"object","patternProperties":{"^x":{"type":"string"}},"additionalProperties":false}"#,
            r#"{"type":"object","additionalProperties":{"type":"string"}}"#,
        ),
        (
            r#"{"type":"object","patternProperties":{},"additionalProperties":{"type":["string","null"]}}"#,
            r#"{"type":"object","additionalProperties":{"type":"string","nullable":true}}"#,
        ),
        (
            r#"{"type":"array","prefixItems":[{"type":"string"},{"type":"string"}],"items":false}"#,
            r#"{"type":"array","items":{"type":"string"}}"#,
        ),
        (
            r#"{"type":"array","items":false}"#,
            r#"{"type":"array","items":{},"maxItems":0}"#,
        ),
        (
            r#"{"$defs":{"D":{"type":["string","null"]}},"type":"object"}"#,
            r#"{"type":"object","$defs":{"D":{"type":"string","nullable":true}}}"#,
        ),
        (r#"{"$id":"x","$comment":"c","type":"string"}"#, r#"{"type":"string"}"#),
        ("true", "{}"),
        ("false", r#"{"not":{}}"#),
        (
            r#"{"type":"string","x-own":{"type":["a","null"]}}"#,
            r#"{"type":"string","x-own":{"type":["a","null"]}}"#,
        ),
    ] {
        assert_eq!(schema(of_3_1), (of_3_0.to_owned(), vec![]), "{of_3_1}");
    }
}

#[test]
fn what_3_0_cannot_say_is_told_with_its_place() {
    for (of_3_1, of_3_0, told) in [
        (
            r#"{"type":["object","string"]}"#,
            "{}",
            "/type `type: [object, string]`: any JSON is read",
        ),
        (
            r#"{"type":"array","prefixItems":[{"type":"string"},{"type":"integer"}]}"#,
            r#"{"type":"array","items":{}}"#,
            "/prefixItems `prefixItems` of several kinds: each item is read as any JSON",
        ),
        (
            r#"{"type":"object","properties":{"a":{}},"patternProperties":{"^x":{}}}"#,
            r#"{"type":"object","properties":{"a":{}},"additionalProperties":{}}"#,
            "/patternProperties `patternProperties`: such members are read as any JSON",
        ),
        (
            r#"{"type":"object","unevaluatedProperties":false}"#,
            r#"{"type":"object"}"#,
            "/unevaluatedProperties `unevaluatedProperties`",
        ),
        (
            r#"{"if":{},"then":{},"type":"object"}"#,
            r#"{"type":"object"}"#,
            "/if `if`: what a value has under a condition",
        ),
        (
            r##"{"$dynamicRef":"#x"}"##,
            "{}",
            "/$dynamicRef `$dynamicRef`: any JSON is read in its place",
        ),
        (
            r#"{"type":"number","minimum":1,"exclusiveMinimum":0}"#,
            r#"{"type":"number","minimum":1}"#,
            "/exclusiveMinimum `exclusiveMinimum` beside `minimum`",
        ),
    ] {
        assert_eq!(schema(of_3_1), (of_3_0.to_owned(), vec![told.to_owned()]), "{of_3_1}");
    }
}

#[test]
fn a_document_of_3_1_is_one_of_3_0_wherever_its_schemas_stand() {
    let document = json(
        r#"{"openapi":"3.1.0","jsonSchemaDialect":"x","info":{"title":"t","summary":"s","license":{"name":"MIT","identifier":"MIT"}},
        "webhooks":{"w":{}},"paths":{"/a":{"get":{
          "parameters":[{"name":"p","in":"query","schema":{"type":["string","null"]}}],
          "responses":{"200":{"description":"d","content":{"application/json":{"schema":{"const":1}}}}}}}}}"#,
    );
    let converted = to_3_0(&document).unwrap();
    assert_eq!(
        converted.root.to_string(),
        concat!(
            r#"{"openapi":"3.0.3","info":{"title":"t","license":{"name":"MIT"}},"paths":{"/a":{"get":{"#,
            r#""parameters":[{"name":"p","in":"query","schema":{"type":"string","nullable":true}}],"#,
            r#""responses":{"200":{"description":"d","content":{"application/json":{"schema":{"type":"integer","enum":[1]}}}}}}}}}"#
        )
    );
    let told: Vec<_> = converted
        .losses
        .iter()
        .map(|loss| (loss.pointer.as_str(), loss.weight))
        .collect();
    assert_eq!(told, [("/webhooks", Weight::Meaning)]);
    // What is 3.0 stays as it is.
    let document = json(r#"{"openapi":"3.0.1","paths":{},"x-a":1.10}"#);
    assert_eq!(to_3_0(&document).unwrap().root, document);
}

/// The paths of a document of 2.0 in 3.0.
#[test]
fn the_schemas_of_a_path_that_is_referred_to_are_of_3_0_too() {
    let document = json(
        r##"{"openapi":"3.1.0","paths":{"/a":{"$ref":"#/components/pathItems/A"}},"components":{"pathItems":{"A":{"get":{
        "parameters":[{"name":"a","in":"query","schema":{"const":"b"}}]}}}}}"##,
    );
    let root = to_3_0(&document).unwrap().root;
    let schema = root.pointer("/components/pathItems/A/get/parameters/0/schema");
    assert_eq!(
        schema.map(ToString::to_string).as_deref(),
        Some(r#"{"type":"string","enum":["b"]}"#)
    );
}

fn swagger(rest: &str) -> Converted {
    to_3_0(&json(&format!(r#"{{"swagger":"2.0",{rest}}}"#))).unwrap()
}

#[test]
fn hosts_are_servers_and_https_where_it_can_be_had() {
    for (of_2_0, servers) in [
        (
            r#""host":"api.bank.example","basePath":"/v1/","schemes":["http","https"]"#,
            r#"[{"url":"https://api.bank.example/v1"}]"#,
        ),
        (
            r#""host":"api.bank.example""#,
            r#"[{"url":"https://api.bank.example"}]"#,
        ),
        (
            r#""host":"api.bank.example","schemes":["http"]"#,
            r#"[{"url":"http://api.bank.example"}]"#,
        ),
        (r#""basePath":"/v1""#, r#"[{"url":"/v1"}]"#),
    ] {
        let root = swagger(of_2_0).root;
        assert_eq!(
            root.get("servers").map(ToString::to_string).as_deref(),
            Some(servers),
            "{of_2_0}"
        );
    }
    assert!(swagger(r#""basePath":"/""#).root.get("servers").is_none());
}

#[test]
fn parameters_bodies_and_replies_of_2_0_are_those_of_3_0() {
    let one = |parameters: &str, rest: &str| {
        let text = format!(
            r##""parameters":{{"P":{{"name":"p","in":"query","type":"string"}},"B":{{"name":"b","in":"body","schema":{{"$ref":"#/definitions/D"}}}}}},
            "definitions":{{"D":{{"type":"object","x-nullable":true}}}},
            "paths":{{"/a":{{"post":{{"parameters":[{parameters}]{rest},"responses":{{}}}}}}}}"##
        );
        let converted = swagger(&text);
        let operation = converted.root.pointer("/paths/~1a/post").unwrap();
        let part = |name: &str| operation.get(name).map(ToString::to_string).unwrap_or_default();
        let told: Vec<String> = converted.losses.iter().map(|loss| loss.what.clone()).collect();
        (part("parameters"), part("requestBody"), told.join(";"))
    };
    for (parameters, rest, of_3_0, body) in [
        (
            r#"{"name":"q","in":"query","type":"array","items":{"type":"integer"},"collectionFormat":"multi","description":"d"}"#,
            "",
            r#"[{"name":"q","in":"query","description":"d","style":"form","explode":true,"schema":{"type":"array","items":{"type":"integer"}}}]"#,
            "",
        ),
        (
            r#"{"name":"q","in":"query","type":"array","items":{"type":"string"}}"#,
            "",
            r#"[{"name":"q","in":"query","style":"form","explode":false,"schema":{"type":"array","items":{"type":"string"}}}]"#,
            "",
        ),
        (
            r#"{"name":"id","in":"path","type":"string","enum":["a"],"x-example":"a"}"#,
            "",
            r#"[{"name":"id","in":"path","required":true,"schema":{"type":"string","enum":["a"],"example":"a"}}]"#,
            "",
        ),
        (
            r##"{"$ref":"#/parameters/P"}"##,
            "",
            r##"[{"$ref":"#/components/parameters/P"}]"##,
            "",
        ),
        (
            r##"{"$ref":"#/parameters/B"}"##,
            "",
            "",
            r##"{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/D"}}}}"##,
        ),
        (
            r#"{"name":"b","in":"body","required":true,"description":"d","schema":{"type":"object"}}"#,
            r#","consumes":["application/json","application/xml"]"#,
            "",
            r#"{"description":"d","required":true,"content":{"application/json":{"schema":{"type":"object"}},"application/xml":{"schema":{"type":"object"}}}}"#,
        ),
        (
            r#"{"name":"a","in":"formData","type":"string","required":true,"description":"d"},{"name":"n","in":"formData","type":"integer"}"#,
            r#","consumes":["application/x-www-form-urlencoded"]"#,
            "",
            r#"{"required":true,"content":{"application/x-www-form-urlencoded":{"schema":{"type":"object","properties":{"a":{"type":"string","description":"d"},"n":{"type":"integer"}},"required":["a"]}}}}"#,
        ),
        (
            r#"{"name":"a","in":"formData","type":"array","items":{"type":"string"},"collectionFormat":"multi"},{"name":"n","in":"formData","type":"array","items":{"type":"integer"}}"#,
            r#","consumes":["application/x-www-form-urlencoded"]"#,
            "",
            r#"{"content":{"application/x-www-form-urlencoded":{"schema":{"type":"object","properties":{"a":{"type":"array","items":{"type":"string"}},"n":{"type":"array","items":{"type":"integer"}}}},"encoding":{"a":{"style":"form","explode":true},"n":{"style":"form","explode":false}}}}}"#,
        ),
        (
            r#"{"name":"f","in":"formData","type":"file"}"#,
            "",
            "",
            r#"{"content":{"multipart/form-data":{"schema":{"type":"object","properties":{"f":{"type":"string","format":"binary"}}}}}}"#,
        ),
    ] {
        assert_eq!(
            one(parameters, rest),
            (of_3_0.to_owned(), body.to_owned(), String::new()),
            "{parameters}"
        );
    }
    for (place, format, style) in [
        ("query", "tsv", "tabDelimited"),
        ("header", "ssv", "spaceDelimited"),
        ("header", "pipes", "pipeDelimited"),
        ("path", "pipes", "pipeDelimited"),
    ] {
        let (parameters, _, told) = one(
            &format!(
                r#"{{"name":"q","in":"{place}","type":"array","items":{{"type":"string"}},"collectionFormat":"{format}"}}"#
            ),
            "",
        );
        assert!(
            parameters.contains(&format!(r#""style":"{style}","explode":false"#)),
            "{parameters}"
        );
        assert_eq!(told, "", "{place} {format}");
    }
    let (parameters, _, told) = one(
        r#"{"name":"q","in":"query","type":"array","items":{"type":"string"},"collectionFormat":"other"}"#,
        "",
    );
    assert_eq!(
        parameters,
        r#"[{"name":"q","in":"query","schema":{"type":"array","items":{"type":"string"}}}]"#
    );
    assert_eq!(told, "`collectionFormat: other`: OpenAPI 3.0 has no such list");
    let (_, body, _) = one(
        r#"{"name":"q","in":"formData","type":"array","items":{"type":"string"},"collectionFormat":"tsv"}"#,
        "",
    );
    assert!(body.contains(r#""encoding":{"q":{"explode":false}}"#), "{body}");
}

#[test]
fn replies_schemes_and_schemas_of_2_0_are_those_of_3_0() {
    let converted = swagger(
        r##""produces":["application/json","text/csv"],
        "securityDefinitions":{"b":{"type":"basic"},"k":{"type":"apiKey","in":"header","name":"x"},
          "o":{"type":"oauth2","flow":"accessCode","authorizationUrl":"https://a","tokenUrl":"https://t","scopes":{"s":"d"}},
          "c":{"type":"oauth2","flow":"application","tokenUrl":"https://t"}},
        "definitions":{"D":{"type":"object","discriminator":"kind","properties":{"n":{"type":"string","x-nullable":true},"r":{"$ref":"#/definitions/D"}},
          "allOf":[{"$ref":"#/definitions/E"}],"additionalProperties":{"$ref":"#/definitions/E"}},"E":{"type":"array","items":{"$ref":"#/definitions/D"}}},
        "responses":{"R":{"description":"d","schema":{"$ref":"#/definitions/D"}}},
        "paths":{"/a":{"parameters":[{"name":"id","in":"header","type":"string"}],"get":{"responses":{
          "200":{"schema":{"$ref":"#/definitions/D"},"examples":{"application/json":{"n":1.10}},"headers":{"x-n":{"type":"integer","description":"d"}}},
          "400":{"$ref":"#/responses/R"}}},
          "put":{"produces":["application/json"],"responses":{"200":{"description":"f","schema":{"type":"file"}},"204":{"description":"n"}}}}}"##,
    );
    assert_eq!(converted.losses, []);
    let at = |pointer: &str| {
        converted
            .root
            .pointer(pointer)
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    assert_eq!(
        at("/components/securitySchemes/b"),
        r#"{"type":"http","scheme":"basic"}"#
    );
    assert_eq!(
        at("/components/securitySchemes/k"),
        r#"{"type":"apiKey","in":"header","name":"x"}"#
    );
    assert_eq!(
        at("/components/securitySchemes/o"),
        r#"{"type":"oauth2","flows":{"authorizationCode":{"authorizationUrl":"https://a","tokenUrl":"https://t","scopes":{"s":"d"}}}}"#
    );
    assert_eq!(
        at("/components/securitySchemes/c"),
        r#"{"type":"oauth2","flows":{"clientCredentials":{"tokenUrl":"https://t","scopes":{}}}}"#
    );
    assert_eq!(
        at("/components/schemas/D"),
        concat!(
            r##"{"type":"object","discriminator":{"propertyName":"kind"},"properties":{"n":{"type":"string","nullable":true},"r":{"$ref":"#/components/schemas/D"}},"##,
            r##""allOf":[{"$ref":"#/components/schemas/E"}],"additionalProperties":{"$ref":"#/components/schemas/E"}}"##
        )
    );
    assert_eq!(
        at("/paths/~1a/get/responses/200"),
        concat!(
            r#"{"headers":{"x-n":{"description":"d","schema":{"type":"integer"}}},"description":"","content":{"#,
            r##""application/json":{"schema":{"$ref":"#/components/schemas/D"},"example":{"n":1.10}},"text/csv":{"schema":{"$ref":"#/components/schemas/D"}}}}"##
        )
    );
    assert_eq!(
        at("/paths/~1a/get/responses/400"),
        r##"{"$ref":"#/components/responses/R"}"##
    );
    assert_eq!(
        at("/paths/~1a/get/parameters"),
        r#"[{"name":"id","in":"header","schema":{"type":"string"}}]"#
    );
    assert_eq!(
        at("/paths/~1a/put/responses"),
        r#"{"200":{"description":"f","content":{"application/octet-stream":{"schema":{"type":"string","format":"binary"}}}},"204":{"description":"n"}}"#
    );
    let odd = swagger(r#""securityDefinitions":{"o":{"type":"oauth2","flow":"magic"}}"#);
    assert_eq!(
        (odd.losses[0].pointer.as_str(), odd.losses[0].weight),
        ("/securityDefinitions/o/flow", Weight::Meaning)
    );
}

#[test]
fn a_reference_into_another_operation_follows_the_schema_that_it_names() {
    let document = json(
        r##"{"swagger":"2.0","consumes":["application/json"],"paths":{
        "/a":{"get":{"produces":["application/vnd.a+json"],"responses":{"200":{"description":"","schema":{"type":"object","properties":{"id":{"type":"string"}}}}}},
          "put":{"parameters":[{"name":"body","in":"body","schema":{"$ref":"#/paths/~1a/get/responses/200/schema"}}],"responses":{"204":{"description":""}}}},
        "/b":{"get":{"responses":{"200":{"description":"","schema":{"$ref":"#/paths/~1a/put/parameters/0/schema"}},
          "400":{"description":"","schema":{"$ref":"#/paths/~1a/get/responses/200/schema/properties/id"}},
          "404":{"description":"","schema":{"$ref":"#/paths/~1a/get/responses/404/schema"}}}}}}}"##,
    );
    let root = to_3_0(&document).unwrap().root;
    let leads = |pointer: &str| root.pointer(pointer).and_then(Json::as_str).map(str::to_owned).unwrap();
    assert_eq!(
        leads("/paths/~1a/put/requestBody/content/application~1json/schema/$ref"),
        "#/paths/~1a/get/responses/200/content/application~1vnd.a+json/schema"
    );
    let reply = |status: &str| {
        leads(&format!(
            "/paths/~1b/get/responses/{status}/content/application~1json/schema/$ref"
        ))
    };
    assert_eq!(
        reply("200"),
        "#/paths/~1a/put/requestBody/content/application~1json/schema"
    );
    assert_eq!(
        reply("400"),
        "#/paths/~1a/get/responses/200/content/application~1vnd.a+json/schema/properties/id"
    );
    // What leads nowhere still does.
    assert!(reply("404").contains("/404/"));
}
