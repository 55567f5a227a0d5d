//! Mutations of a published document.

use serde_json::{Value, json};

use super::{PROVIDERS, Tally, api_operation, bundle, pointers, reached};

/// Changes that a provider has nothing for, each with the reason.
const NOT_APPLICABLE: &[(&str, &[&str], &str)] = &[
    ("enum value added to a reply", &["ofx"], "no reply has a list of words"),
    (
        "enum value removed from a reply",
        &["ofx"],
        "no reply has a list of words",
    ),
    (
        "enum value removed from a request",
        &["mx", "ofx"],
        "no list of words is of requests alone",
    ),
    (
        "refresh lifetime shortened",
        &["finexer", "omnifund", "tatrabanka"],
        "no page names a lifetime",
    ),
    (
        "required reply field removed",
        &["mx", "ofx", "omnifund"],
        "every field of a reply is optional",
    ),
    (
        "required reply field made optional",
        &["mx", "ofx", "omnifund"],
        "every field of a reply is optional",
    ),
    ("host moved", &["mx"], "every institution has its own host"),
    ("base address moved", &["mx"], "every institution has its own host"),
    (
        "a list in a query written another way",
        &["mx", "ofx", "tatrabanka"],
        "no query has a list",
    ),
    ("scope dropped", &["omnifund"], "there are no scopes"),
];
const CAUGHT: usize = 176;
const SKIPPED: usize = 19;

#[test]
fn each_mutation_of_a_document_is_found() {
    let mut tally = Tally::new("openapi", NOT_APPLICABLE);
    for provider in PROVIDERS {
        let original = bundle(provider);
        let mut check = |mutation: &str, class: &str, change: &dyn Fn(&mut Value) -> bool| {
            let mut mutated = original.clone();
            let made = change(&mut mutated).then(|| mutated.to_string());
            tally.expect(provider, mutation, class, made.as_deref());
        };
        check("nothing", "nothing", &|_| true);
        check("description edited", "docs-only", &|document| {
            let Some(at) = api_operation(document, &|_| true) else {
                return false;
            };
            document
                .pointer_mut(&format!("{at}/description"))
                .map(|text| *text = json!("Other words."))
                .is_some()
        });
        check("endpoint renamed", "wire-breaking", &|document| {
            let paths = document["paths"].as_object_mut();
            let Some(paths) = paths else { return false };
            let Some(path) = paths.keys().find(|path| !path.contains("oauth")).cloned() else {
                return false;
            };
            let item = paths.shift_remove(&path).unwrap_or_default();
            paths.insert(format!("/v9{path}"), item);
            true
        });
        check("endpoint removed", "wire-breaking", &|document| {
            let Some(at) = api_operation(document, &|_| true) else {
                return false;
            };
            let (item, method) = at.rsplit_once('/').unwrap_or_default();
            document
                .pointer_mut(item)
                .and_then(Value::as_object_mut)
                .and_then(|item| item.shift_remove(method))
                .is_some()
        });
        check("endpoint added", "additive", &|document| {
            document["paths"]["/brand-new"] =
                json!({"get": {"operationId": "x", "responses": {"200": {"description": "x"}}}});
            true
        });
        check("required parameter added", "wire-breaking", &|document| {
            let Some(at) = api_operation(document, &|_| true) else {
                return false;
            };
            let parameter = json!({"name": "brand_new", "in": "query", "required": true, "schema": {"type": "string"}});
            let operation = document.pointer_mut(&at).and_then(Value::as_object_mut);
            let Some(operation) = operation else { return false };
            let list = operation.entry("parameters").or_insert_with(|| json!([]));
            list.as_array_mut().map(|list| list.push(parameter)).is_some()
        });
        check("optional parameter added", "additive", &|document| {
            let Some(at) = api_operation(document, &|_| true) else {
                return false;
            };
            let parameter = json!({"name": "brand_new", "in": "query", "schema": {"type": "string"}});
            let operation = document.pointer_mut(&at).and_then(Value::as_object_mut);
            let Some(operation) = operation else { return false };
            let list = operation.entry("parameters").or_insert_with(|| json!([]));
            list.as_array_mut().map(|list| list.push(parameter)).is_some()
        });
        check("parameter made required", "wire-breaking", &|document| {
            let optional = pointers(document, &|at, value| {
                at.contains("/parameters/")
                    && value["in"] == "query"
                    && value["required"] != true
                    && !at.contains("oauth")
            });
            optional
                .first()
                .and_then(|at| document.pointer_mut(at))
                .map(|parameter| parameter["required"] = json!(true))
                .is_some()
        });
        check("parameter removed", "source-breaking", &|document| {
            let Some(at) = api_operation(document, &|operation| {
                operation["parameters"]
                    .as_array()
                    .is_some_and(|list| list.iter().any(|it| it["in"] == "query"))
            }) else {
                return false;
            };
            let list = document
                .pointer_mut(&format!("{at}/parameters"))
                .and_then(Value::as_array_mut);
            list.map(|list| list.retain(|parameter| parameter["in"] != "query"))
                .is_some()
        });
        let field = |document: &Value,
                     names: &[String],
                     fits: &dyn Fn(&Value, &str, &Value) -> bool|
         -> Option<(String, String)> {
            for name in names {
                let schema = &document["components"]["schemas"][name];
                if schema["x-wrapper-key"] == true {
                    continue;
                }
                for (property, value) in schema["properties"].as_object()?.iter() {
                    if fits(schema, property, value) {
                        return Some((name.clone(), property.clone()));
                    }
                }
            }
            None
        };
        let objects = |requests: bool| -> Vec<String> {
            reached(&original, requests)
                .into_iter()
                .filter(|name| original["components"]["schemas"][name]["properties"].is_object())
                .collect()
        };
        let required = |schema: &Value, name: &str| {
            schema["required"]
                .as_array()
                .is_some_and(|list| list.iter().any(|it| it == name))
        };
        let replies = objects(false);
        let requests = objects(true);
        check("reply field removed", "source-breaking", &|document| {
            let Some((name, property)) = field(document, &replies, &|schema, name, _| !required(schema, name)) else {
                return false;
            };
            let properties = document["components"]["schemas"][&name]["properties"].as_object_mut();
            properties.and_then(|all| all.shift_remove(&property)).is_some()
        });
        check("required reply field removed", "wire-breaking", &|document| {
            let Some((name, property)) = field(document, &replies, &|schema, name, _| required(schema, name)) else {
                return false;
            };
            let schema = &mut document["components"]["schemas"][&name];
            if let Some(list) = schema["required"].as_array_mut() {
                list.retain(|it| *it != property.as_str());
            }
            schema["properties"]
                .as_object_mut()
                .and_then(|all| all.shift_remove(&property))
                .is_some()
        });
        check("required reply field made optional", "wire-breaking", &|document| {
            let Some((name, property)) = field(document, &replies, &|schema, name, _| required(schema, name)) else {
                return false;
            };
            let list = document["components"]["schemas"][&name]["required"].as_array_mut();
            list.map(|list| list.retain(|it| *it != property.as_str())).is_some()
        });
        check("reply field added", "additive", &|document| {
            let Some((name, _)) = field(document, &replies, &|_, _, _| true) else {
                return false;
            };
            document["components"]["schemas"][&name]["properties"]["brand_new"] = json!({"type": "string"});
            true
        });
        check("reply field made something else", "wire-breaking", &|document| {
            let plain = |_: &Value, _: &str, value: &Value| {
                value["type"] == "string" && value.get("x-lenient").is_none() && value.get("format").is_none()
            };
            let Some((name, property)) = field(document, &replies, &plain) else {
                return false;
            };
            document["components"]["schemas"][&name]["properties"][&property] = json!({"type": "object"});
            true
        });
        check("request field made required", "wire-breaking", &|document| {
            let Some((name, property)) = field(document, &requests, &|schema, name, _| !required(schema, name)) else {
                return false;
            };
            let schema = document["components"]["schemas"][&name].as_object_mut();
            let Some(schema) = schema else { return false };
            let list = schema.entry("required").or_insert_with(|| json!([]));
            list.as_array_mut().map(|list| list.push(json!(property))).is_some()
        });
        check("request field removed", "source-breaking", &|document| {
            let Some((name, property)) = field(document, &requests, &|schema, name, _| !required(schema, name)) else {
                return false;
            };
            let properties = document["components"]["schemas"][&name]["properties"].as_object_mut();
            properties.and_then(|all| all.shift_remove(&property)).is_some()
        });
        let enums = |requests: bool| -> Vec<String> {
            let names = reached(&original, requests);
            names
                .into_iter()
                .filter(|name| original["components"]["schemas"][name]["enum"].is_array())
                .collect()
        };
        check("enum value added to a reply", "additive", &|document| {
            let Some(name) = enums(false).into_iter().next() else {
                return false;
            };
            document["components"]["schemas"][&name]["enum"]
                .as_array_mut()
                .map(|list| list.push(json!("brand_new")))
                .is_some()
        });
        check("enum value removed from a reply", "source-breaking", &|document| {
            let Some(name) = enums(false).into_iter().next() else {
                return false;
            };
            document["components"]["schemas"][&name]["enum"]
                .as_array_mut()
                .and_then(Vec::pop)
                .is_some()
        });
        check("enum value removed from a request", "wire-breaking", &|document| {
            let Some(name) = enums(true).into_iter().next() else {
                return false;
            };
            document["components"]["schemas"][&name]["enum"]
                .as_array_mut()
                .and_then(Vec::pop)
                .is_some()
        });
        check("success status changed", "wire-breaking", &|document| {
            let Some(at) = api_operation(document, &|operation| operation["responses"].get("200").is_some()) else {
                return false;
            };
            let responses = document
                .pointer_mut(&format!("{at}/responses"))
                .and_then(Value::as_object_mut);
            let Some(responses) = responses else { return false };
            let reply = responses.shift_remove("200").unwrap_or_default();
            responses.insert("203".to_owned(), reply);
            true
        });
        check("reply in another media type", "wire-breaking", &|document| {
            let Some(at) = api_operation(document, &|operation| {
                operation["responses"]["200"]["content"]
                    .get("application/json")
                    .is_some()
            }) else {
                return false;
            };
            let content = document
                .pointer_mut(&format!("{at}/responses/200/content"))
                .and_then(Value::as_object_mut);
            let Some(content) = content else { return false };
            let media = content.shift_remove("application/json").unwrap_or_default();
            content.insert("application/xml".to_owned(), media);
            true
        });
        check("scope dropped", super::class_of_a_lost_scope(&original), &|document| {
            let flows = document["components"]["securitySchemes"]["oauth"]["flows"].as_object_mut();
            let flows: Vec<&mut Value> = flows.into_iter().flatten().map(|(_, flow)| flow).collect();
            let first = flows
                .iter()
                .find_map(|flow| flow["scopes"].as_object()?.keys().next().cloned());
            let Some(first) = first else { return false };
            // A scope is gone when no flow has it.
            for flow in flows {
                flow["scopes"]
                    .as_object_mut()
                    .and_then(|scopes| scopes.shift_remove(&first));
            }
            true
        });
        check("scope added", "additive", &|document| {
            let flows = document["components"]["securitySchemes"]["oauth"]["flows"].as_object_mut();
            flows
                .into_iter()
                .flatten()
                .map(|(_, flow)| flow["scopes"]["brand_new"] = json!("New."))
                .count()
                > 0
        });
        check("another scope needed", "wire-breaking", &|document| {
            let Some(at) = api_operation(document, &|operation| operation["security"][0].get("oauth").is_some()) else {
                return false;
            };
            document
                .pointer_mut(&format!("{at}/security/0/oauth"))
                .map(|scopes| *scopes = json!(["brand_new"]))
                .is_some()
        });
        check("refresh lifetime shortened", "wire-breaking", &|document| {
            let lifetime = &mut document["components"]["securitySchemes"]["oauth"]["x-oauth"]["refresh"]["lifetime"];
            let seconds = lifetime.as_u64();
            seconds.map(|seconds| *lifetime = json!(seconds / 2)).is_some()
        });
        check("client authentication withdrawn", "wire-breaking", &|document| {
            document["components"]["securitySchemes"]["oauth"]["x-oauth"]["client_authentication"] =
                json!({"default": "none"});
            true
        });
        check("token endpoint moved", "wire-breaking", &|document| {
            let flows = document["components"]["securitySchemes"]["oauth"]["flows"].as_object_mut();
            flows
                .into_iter()
                .flatten()
                .map(|(_, flow)| flow["tokenUrl"] = json!("https://elsewhere.example/token"))
                .count()
                > 0
        });
        check("host moved", "wire-breaking", &|document| {
            let servers = document["servers"].as_array_mut();
            let Some(servers) = servers else { return false };
            if servers
                .iter()
                .any(|server| server["url"].as_str().unwrap_or_default().contains('{'))
            {
                return false;
            }
            servers
                .iter_mut()
                .for_each(|server| server["url"] = json!("https://elsewhere.example"));
            true
        });
        check("base address moved", "wire-breaking", &|document| {
            let servers = document["servers"].as_array_mut().into_iter().flatten();
            let mut moved = false;
            for server in servers.filter(|server| !server["url"].as_str().unwrap_or_default().contains('{')) {
                server["url"] = json!(format!("{}/v77", server["url"].as_str().unwrap_or_default()));
                moved = true;
            }
            moved
        });
        check("an API key in place of a token", "wire-breaking", &|document| {
            let schemes = &mut document["components"]["securitySchemes"];
            schemes["key"] = json!({"type": "apiKey", "in": "header", "name": "X-Key"});
            let Some(at) = api_operation(document, &|_| true) else {
                return false;
            };
            document
                .pointer_mut(&at)
                .map(|operation| operation["security"] = json!([{"key": []}]))
                .is_some()
        });
        check("a client certificate besides the token", "wire-breaking", &|document| {
            document["components"]["securitySchemes"]["mtls"] = json!({"type": "mutualTLS"});
            let Some(at) = api_operation(document, &|operation| operation["security"][0].get("oauth").is_some()) else {
                return false;
            };
            document
                .pointer_mut(&format!("{at}/security"))
                .map(|security| *security = json!([{"oauth": [], "mtls": []}]))
                .is_some()
        });
        check("a reply field of two types (3.1)", "wire-breaking", &|document| {
            document["openapi"] = json!("3.1.0");
            let plain = |_: &Value, _: &str, value: &Value| {
                value["type"] == "string" && value.get("x-lenient").is_none() && value.get("format").is_none()
            };
            let Some((name, property)) = field(document, &replies, &plain) else {
                return false;
            };
            document["components"]["schemas"][&name]["properties"][&property]["type"] = json!(["integer", "string"]);
            true
        });
        check("nullable as 3.1 writes it", "nothing", &|document| {
            document["openapi"] = json!("3.1.0");
            let optional = |schema: &Value, name: &str, value: &Value| {
                value["type"] == "string" && value.get("enum").is_none() && !required(schema, name)
            };
            let Some((name, property)) = field(document, &replies, &optional) else {
                return false;
            };
            let field = &mut document["components"]["schemas"][&name]["properties"][&property];
            field["type"] = json!(["string", "null"]);
            field
                .as_object_mut()
                .map(|field| field.shift_remove("nullable"))
                .is_some()
        });
        check("a list in a query written another way", "wire-breaking", &|document| {
            let lists = pointers(document, &|at, value| {
                at.contains("/parameters/") && value["in"] == "query" && value["schema"]["type"] == "array"
            });
            let list = lists.first().and_then(|at| document.pointer_mut(at));
            list.map(|parameter| parameter["explode"] = json!(false)).is_some()
        });
        check("an error of another type", "source-breaking", &|document| {
            let errors = pointers(document, &|at, _| at.ends_with("/4XX/content/application~1json/schema"));
            let error = errors.last().and_then(|at| document.pointer_mut(at));
            error
                .map(|schema| *schema = json!({"type": "array", "items": {"type": "string"}}))
                .is_some()
        });
        check("another media type besides, listed first", "nothing", &|document| {
            let Some(at) = api_operation(document, &|operation| {
                operation["responses"]["200"]["content"]
                    .get("application/json")
                    .is_some()
            }) else {
                return false;
            };
            let content = document
                .pointer_mut(&format!("{at}/responses/200/content"))
                .and_then(Value::as_object_mut);
            let Some(content) = content else { return false };
            let json = content.shift_remove("application/json").unwrap_or_default();
            content.insert("application/xml".to_owned(), json!({"schema": {"type": "string"}}));
            content.insert("application/json".to_owned(), json);
            true
        });
        check("a reply without schema", "nothing", &|document| {
            let Some(at) = api_operation(document, &|operation| {
                operation["responses"]["200"]["content"]
                    .get("application/json")
                    .is_some()
            }) else {
                return false;
            };
            let media = document.pointer_mut(&format!("{at}/responses/200/content/application~1json"));
            media.map(|media| *media = json!({})).is_some()
        });
        check(
            "a limit that nobody understands, and other words",
            "unhandled",
            &|document| {
                let words = pointers(document, &|at, value| {
                    at.starts_with("/paths/") && at.ends_with("/description") && value.is_string()
                });
                for at in words {
                    if let Some(text) = document.pointer_mut(&at) {
                        *text = json!("Other words.");
                    }
                }
                let Some((name, _)) = field(document, &replies, &|_, _, _| true) else {
                    return false;
                };
                document["components"]["schemas"][&name]["minProperties"] = json!(7);
                true
            },
        );
        check("operation deprecated", "docs-only", &|document| {
            let Some(at) = api_operation(document, &|_| true) else {
                return false;
            };
            document
                .pointer_mut(&at)
                .map(|operation| operation["deprecated"] = json!(true))
                .is_some()
        });
    }
    tally.done(CAUGHT, SKIPPED);
}
