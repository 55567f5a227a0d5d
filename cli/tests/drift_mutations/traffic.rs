//! Mutations of recorded traffic, and what a scrubbed recording keeps.

use serde_json::{Value, json};

use super::support::speak;
use super::{PROVIDERS, Tally, bundle, workspace};
use finrail_cli::drift::{self, Options, Source};

/// Changes that a provider has nothing for, each with the reason.
const NOT_APPLICABLE: &[(&str, &[&str], &str)] = &[
    (
        "unknown field in a reply",
        &["ofx"],
        "the reply keeps unknown fields, so that none is undescribed",
    ),
    (
        "another host",
        &["mx"],
        "every institution has its own host, and any may be one",
    ),
];
const CAUGHT: usize = 73;
const SKIPPED: usize = 2;

/// A recording in which every operation is called as its examples show.
fn traffic_of(bundle: &Value) -> Value {
    let servers = bundle["servers"].as_array().cloned().unwrap_or_default();
    let api = servers
        .iter()
        .find(|server| server.get("x-client").is_none())
        .cloned()
        .unwrap_or_default();
    let oauth = servers
        .iter()
        .find(|server| server["x-client"] == "oauth")
        .cloned()
        .unwrap_or(api.clone());
    let url = |server: &Value| {
        server["url"]
            .as_str()
            .unwrap_or_default()
            .replace("{host}", "bank.example")
    };
    let mut entries = Vec::new();
    for (path, item) in bundle["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if operation["x-browser"] == true {
                continue;
            }
            let mut path = path.clone();
            let mut query = Vec::new();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap_or_default();
                let example = match &parameter["example"] {
                    Value::String(text) => text.clone(),
                    Value::Null => "x".to_owned(),
                    Value::Array(items) => items
                        .first()
                        .map(|item| item.as_str().map_or(item.to_string(), str::to_owned))
                        .unwrap_or_default(),
                    other => other.to_string(),
                };
                match parameter["in"].as_str() {
                    Some("path") => path = path.replace(&format!("{{{name}}}"), &example),
                    Some("query") if !parameter["example"].is_null() => query.push(format!("{name}={example}")),
                    _ => {}
                }
            }
            let base = if operation["x-client"] == "oauth" {
                url(&oauth)
            } else {
                url(&api)
            };
            let question = if query.is_empty() { "" } else { "?" };
            let mut request = json!({
                "method": method.to_uppercase(),
                "url": format!("{base}{path}{question}{}", query.join("&")),
                "headers": [{"name": "Authorization", "value": "Bearer planted-secret-token"}],
            });
            let example = |media: &Value| -> Value {
                let first = media["examples"]
                    .as_object()
                    .and_then(|all| all.values().next())
                    .map(|example| example["value"].clone());
                media.get("example").cloned().or(first).unwrap_or(Value::Null)
            };
            if let Some((media, body)) = operation["requestBody"]["content"]
                .as_object()
                .and_then(|content| content.iter().next())
            {
                let body = example(body);
                let text = if media.contains("form") {
                    let pairs = body.as_object().into_iter().flatten();
                    let pairs: Vec<String> = pairs
                        .filter(|(_, value)| value.is_string())
                        .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
                        .collect();
                    pairs.join("&")
                } else {
                    body.to_string()
                };
                request["postData"] = json!({"mimeType": media, "text": text});
            }
            let Some((status, reply)) = operation["responses"]
                .as_object()
                .into_iter()
                .flatten()
                .find(|(status, _)| status.starts_with('2'))
            else {
                continue;
            };
            let status: u64 = if status == "2XX" {
                200
            } else {
                status.parse().unwrap_or(200)
            };
            let content = reply["content"].as_object().and_then(|content| content.iter().next());
            let (media, text) = match content {
                Some((media, body)) if media.contains("json") => (media.clone(), example(body).to_string()),
                Some((media, _)) => (media.clone(), String::new()),
                None => (String::new(), String::new()),
            };
            entries.push(json!({
                "_operation": operation["operationId"],
                "startedDateTime": "2026-11-22T10:00:00Z",
                "request": request,
                "response": {"status": status, "headers": [], "content": {"mimeType": media, "text": text}},
            }));
        }
    }
    json!({"log": {"version": "1.2", "entries": entries}})
}

fn entry_with_object(traffic: &mut Value) -> Option<&mut Value> {
    traffic["log"]["entries"].as_array_mut()?.iter_mut().find(|entry| {
        let text = entry["response"]["content"]["text"].as_str().unwrap_or_default();
        entry["request"]["method"] == "GET" && text.starts_with('{') && text.len() > 2
    })
}

fn edit_reply(traffic: &mut Value, change: &dyn Fn(&mut Value)) -> bool {
    let Some(entry) = entry_with_object(traffic) else {
        return false;
    };
    let text = entry["response"]["content"]["text"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let mut reply: Value = serde_json::from_str(&text).unwrap_or_default();
    change(&mut reply);
    entry["response"]["content"]["text"] = json!(reply.to_string());
    true
}

#[test]
fn each_mutation_of_traffic_is_found() {
    let mut tally = Tally::new("har", NOT_APPLICABLE);
    for provider in PROVIDERS {
        let bundle = bundle(provider);
        let original = traffic_of(&bundle);
        let mut check = |mutation: &str, class: &str, change: &dyn Fn(&mut Value) -> bool| {
            let mut mutated = original.clone();
            let made = change(&mut mutated).then(|| mutated.to_string());
            tally.expect(provider, mutation, class, made.as_deref());
        };
        check("nothing", "nothing", &|_| true);
        check("unknown field in a reply", "additive", &|traffic| {
            let known = |reply: &mut Value| reply["brand_new_field"] = json!("planted-secret-value");
            let kept = original_keeps_unknown_fields(&bundle);
            !kept && edit_reply(traffic, &known)
        });
        check("reply is a list of numbers", "wire-breaking", &|traffic| {
            edit_reply(traffic, &|reply| *reply = json!(7))
        });
        check("reply is HTML", "wire-breaking", &|traffic| {
            entry_with_object(traffic)
                .map(|entry| entry["response"]["content"]["text"] = json!("<html>planted-secret-value</html>"))
                .is_some()
        });
        check("unknown success status", "wire-breaking", &|traffic| {
            let entries = traffic["log"]["entries"].as_array_mut().cloned().unwrap_or_default();
            let index = entries
                .iter()
                .position(|entry| entry["request"]["method"] == "GET" && bundle_describes_exact_status(&bundle, entry));
            index
                .map(|index| traffic["log"]["entries"][index]["response"]["status"] = json!(206))
                .is_some()
        });
        check("undescribed endpoint", "additive", &|traffic| {
            let Some(entry) = entry_with_object(traffic) else {
                return false;
            };
            let url = entry["request"]["url"]
                .as_str()
                .unwrap_or_default()
                .split('?')
                .next()
                .unwrap_or_default()
                .to_owned();
            entry["request"]["url"] = json!(format!("{url}/brand-new/thing"));
            true
        });
        check("undescribed parameter", "additive", &|traffic| {
            let Some(entry) = entry_with_object(traffic) else {
                return false;
            };
            let url = entry["request"]["url"].as_str().unwrap_or_default().to_owned();
            let join = if url.contains('?') { "&" } else { "?" };
            entry["request"]["url"] = json!(format!("{url}{join}brand_new=planted-secret-value"));
            true
        });
        check("refused requests say nothing", "nothing", &|traffic| {
            let Some(entry) = entry_with_object(traffic) else {
                return false;
            };
            let url = entry["request"]["url"].as_str().unwrap_or_default().to_owned();
            let join = if url.contains('?') { "&" } else { "?" };
            entry["request"]["url"] = json!(format!("{url}{join}brand_new=1"));
            entry["response"] =
                json!({"status": 400, "headers": [], "content": {"mimeType": "application/json", "text": ""}});
            true
        });
        check("another host", "nothing", &|traffic| {
            let more = json!({"request": {"method": "GET", "url": "https://tracker.example/a?b=c", "headers": []}, "response": {"status": 200, "content": {}}});
            let any_host = bundle["servers"][0]["url"].to_string().contains('{');
            !any_host
                && traffic["log"]["entries"]
                    .as_array_mut()
                    .map(|entries| entries.push(more))
                    .is_some()
        });
        check("the token endpoint answers 404", "wire-breaking", &|traffic| {
            answered(
                traffic,
                &bundle["components"]["securitySchemes"]["oauth"]["x-oauth"]["operations"]["token"],
                404,
            )
        });
        check("a method is not allowed", "wire-breaking", &|traffic| {
            let id = traffic["log"]["entries"]
                .as_array()
                .into_iter()
                .flatten()
                .find(|entry| entry["request"]["method"] == "POST")
                .map(|entry| entry["_operation"].clone());
            id.is_some_and(|id| answered(traffic, &id, 405))
        });
        check("replies in base64", "nothing", &|traffic| {
            let entries = traffic["log"]["entries"].as_array_mut().into_iter().flatten();
            entries
                .map(|entry| entry["response"]["content"]["encoding"] = json!("base64"))
                .count()
                > 0
        });
        check("replies left out", "unhandled", &|traffic| {
            let entries = traffic["log"]["entries"].as_array_mut().into_iter().flatten();
            let contents = entries.filter_map(|entry| entry["response"]["content"].as_object_mut());
            contents.map(|content| content.shift_remove("text")).count() > 0
        });
        check("no exchange", "unhandled", &|traffic| {
            traffic["log"]["entries"] = json!([]);
            true
        });
        check("another grant is taken", "additive", &|traffic| {
            let token = &bundle["components"]["securitySchemes"]["oauth"]["x-oauth"]["operations"]["token"];
            let entries = traffic["log"]["entries"].as_array_mut().into_iter().flatten();
            let exchange = entries.into_iter().find(|entry| entry["_operation"] == *token);
            let grant = "grant_type=urn:ietf:params:oauth:grant-type:device_code";
            exchange
                .map(|entry| entry["request"]["postData"]["text"] = json!(grant))
                .is_some()
        });
    }
    tally.done(CAUGHT, SKIPPED);
}

fn bundle_describes_exact_status(bundle: &Value, entry: &Value) -> bool {
    let id = &entry["_operation"];
    bundle["paths"].as_object().into_iter().flatten().any(|(_, item)| {
        item.as_object().into_iter().flatten().any(|(_, operation)| {
            operation["operationId"] == *id
                && operation["responses"].get("200").is_some()
                && operation["responses"].get("2XX").is_none()
        })
    })
}

fn answered(traffic: &mut Value, id: &Value, status: u64) -> bool {
    let entries = traffic["log"]["entries"].as_array_mut().into_iter().flatten();
    let exchange = entries.into_iter().find(|entry| entry["_operation"] == *id);
    exchange
        .map(|entry| entry["response"] = json!({"status": status, "headers": [], "content": {"text": ""}}))
        .is_some()
}

/// Whether the reply that is edited belongs to an object whose extra fields are kept, so that none is unknown.
fn original_keeps_unknown_fields(bundle: &Value) -> bool {
    let mut traffic = traffic_of(bundle);
    let id = entry_with_object(&mut traffic)
        .map(|entry| entry["_operation"].clone())
        .unwrap_or_default();
    let spec = super::pointers(bundle, &|at, value| {
        at.starts_with("/paths/") && value["operationId"] == id
    });
    let schema = spec
        .first()
        .and_then(|at| bundle.pointer(&format!("{at}/responses/200/content/application~1json/schema")));
    let reference = schema.and_then(|schema| schema["$ref"].as_str()).unwrap_or("#");
    bundle.pointer(&reference[1..]).is_some_and(|schema| {
        let more = &schema["additionalProperties"];
        *more == serde_json::json!(true) || (more.is_object() && !schema["properties"].is_object())
    })
}

#[test]
fn a_scrubbed_recording_holds_no_value_and_tells_the_same() {
    for provider in PROVIDERS {
        let mut traffic = traffic_of(&bundle(provider));
        edit_reply(&mut traffic, &|reply| {
            if let Some(object) = reply.as_object_mut() {
                object.insert("brand_new_field".to_owned(), json!("planted-secret-value"));
            }
        });
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (recording, copy) = (
            folder.join(format!("{provider}.har")),
            folder.join(format!("{provider}-clean.har")),
        );
        std::fs::write(&recording, traffic.to_string()).unwrap_or_else(|error| panic!("{error}"));
        let run = |place: &std::path::Path, scrub: Option<&std::path::Path>| {
            let options = Options {
                provider: provider.to_owned(),
                evidence: Source::Har {
                    place: place.display().to_string(),
                    scrub: scrub.map(|path| path.display().to_string()),
                },
                json: true,
                today: "2026-11-22".to_owned(),
            };
            speak(|shell| drift::run(&workspace(), &options, shell)).1
        };
        let told = run(&recording, Some(&copy));
        assert!(!told.contains("planted-secret"), "{told}");
        let clean = std::fs::read_to_string(&copy).unwrap_or_default();
        assert!(!clean.contains("planted-secret"), "{provider}");
        let document: Value = serde_json::from_str(&clean).unwrap_or_default();
        assert_eq!(document["log"]["version"], "1.2");
        let rules = |report: &str| -> Vec<String> {
            let report: Value = serde_json::from_str(report).unwrap_or_default();
            let all = report["findings"].as_array().cloned().unwrap_or_default();
            all.iter()
                .map(|finding| finding["fingerprint"].as_str().unwrap_or_default().to_owned())
                .collect()
        };
        let again = run(&copy, None);
        assert_eq!(rules(&again), rules(&told), "{provider}: {again}");
    }
}
