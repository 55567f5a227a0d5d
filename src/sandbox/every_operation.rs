//! Every operation of every provider, asked for with the examples of its own specification.

use std::sync::Arc;

use bytes::Bytes;
use finrail_spec::json::Json;
use finrail_spec::model::{Content, Place};
use finrail_spec::vocabulary::ClientKind;
use http::{HeaderMap, HeaderValue, Method};

use super::authority::Client;
use super::clock::Clock;
use super::http::{RawRequest, Reply, pairs};
use super::player::{Host, Player};
use super::resource::id_of;
use super::spec::bundled::BUNDLES;
use super::spec::{Operation, Role, Schemas, Segment, Spec, literal};

const SECRET: &str = "secret";

fn provider(bundle: &str) -> Player {
    let provider =
        Player::new(bundle, "http://127.0.0.1:1", Arc::new(Clock::default())).unwrap_or_else(|e| panic!("{e}"));
    let mut state = provider.state();
    state.authority.add_registration_token(SECRET.to_owned());
    state.authority.register(Client {
        id: "client".to_owned(),
        secret: SECRET.to_owned(),
        name: String::new(),
        redirect_uris: vec!["https://app.example.com/cb".to_owned()],
        access_key: ("key".to_owned(), String::new()),
        key: "key".to_owned(),
    });
    drop(state);
    provider
}

/// The example of a request body, with a date that is not past.
fn timely(content: &Content, operation: &Operation) -> Json {
    let (_, example) = content
        .examples
        .first()
        .unwrap_or_else(|| panic!("{} has no example", operation.id));
    let mut example = example.clone();
    if example.get("requestedExecutionDate").is_some() {
        let soon = chrono::Utc::now().date_naive() + chrono::Days::new(2);
        example.set("requestedExecutionDate", Json::str(soon.to_string()));
    }
    example
}

/// The examples of the operation as a request.
fn call(operation: &Operation, authorization: &str) -> (String, RawRequest) {
    let mut path = operation.path.clone();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let mut headers = HeaderMap::new();
    for parameter in &operation.parameters {
        let example = parameter
            .example
            .as_ref()
            .and_then(Json::scalar)
            .unwrap_or_else(|| "1".to_owned());
        match parameter.place {
            Place::Path => path = path.replace(&format!("{{{}}}", parameter.name), &example),
            Place::Query if parameter.required => {
                query.append_pair(&parameter.name, &example);
            }
            Place::Header if parameter.required => {
                let name = http::HeaderName::try_from(parameter.name.as_str()).unwrap();
                headers.insert(name, HeaderValue::try_from(example).unwrap());
            }
            _ => {}
        }
    }
    headers.insert("authorization", HeaderValue::try_from(authorization).unwrap());
    headers.insert(
        "x-request-id",
        HeaderValue::from_static("0b9f5b0e-7d5c-4f0a-9d3e-3a8b0a6d1c11"),
    );
    let mut body = Bytes::new();
    if let Some(content) = operation.body.as_ref().and_then(|body| body.contents.first()) {
        let example = timely(content, operation);
        headers.insert(
            "content-type",
            HeaderValue::try_from(content.media_type.as_str()).unwrap(),
        );
        body = if content.media_type == "application/x-www-form-urlencoded" {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in example.members() {
                match value {
                    Json::Array(items) => items.iter().for_each(|item| {
                        form.append_pair(&format!("{name}[]"), &item.scalar().unwrap());
                    }),
                    Json::Object(members) => members.iter().for_each(|(key, value)| {
                        form.append_pair(&format!("{name}[{key}]"), &value.scalar().unwrap());
                    }),
                    value => {
                        form.append_pair(name, &value.scalar().unwrap());
                    }
                }
            }
            form.finish().into()
        } else {
            example.to_string().into()
        };
    }
    let call = RawRequest {
        method: Method::from_bytes(operation.method.as_bytes()).unwrap(),
        path: path.clone(),
        query: query.finish(),
        headers,
        body,
        is_browser: false,
    };
    (path, call)
}

/// A header that opens the operation.
fn authorization(provider: &Player, operation: &Operation) -> String {
    if operation.accepts("registrationToken") {
        return format!("Bearer {SECRET}");
    }
    let user = (operation.client != ClientKind::Service).then_some("user");
    let scopes = operation.scopes().unwrap_or_default().to_vec();
    let mut state = provider.state();
    let token = state.authority.grant_for_test(&provider.spec, user, scopes, 1 << 60);
    format!("Bearer {token}")
}

fn ask(provider: &Player, operation: &Operation) -> Reply {
    let (path, call) = call(operation, &authorization(provider, operation));
    let host = Host::of_resources(&provider.spec);
    provider.handle(host, &path, &call).reply
}

#[test]
fn every_success_reply_fits_its_schema() {
    let mut failures = Vec::new();
    for bundle in BUNDLES {
        let spec = provider(bundle).spec;
        for operation in spec.operations.iter().filter(|o| !o.is_oauth()) {
            let player = provider(bundle);
            let schemas = Schemas::new(&spec).unwrap();
            let name = format!("{} {}", spec.id(), operation.id);
            if operation.id == "submit_payment" {
                // Needs the user first; tests/sandbox_tatrabanka.rs has the whole way.
                continue;
            }
            let reply = ask(&player, operation);
            if !(200..300).contains(&reply.status) {
                let status = reply.status;
                failures.push(format!(
                    "{name}: {status} {}",
                    String::from_utf8_lossy(&reply.into_body())
                ));
                continue;
            }
            let declared = operation.success_status();
            if declared != "2XX" && declared != reply.status.to_string() {
                failures.push(format!("{name}: {} and not {declared}", reply.status));
            }
            match (operation.success_content(), &reply.json) {
                (Some(content), Some(json)) => {
                    if let Err(why) = schemas.check(&content.schema, json) {
                        failures.push(format!("{name}: {why}"));
                    }
                }
                (Some(_), None) if operation.answers_json() => failures.push(format!("{name}: no document")),
                _ => {}
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// One provider from its first creation to its last deletion: every reply on the way fits.
#[test]
fn replies_fit_while_things_come_and_go() {
    let mut failures = Vec::new();
    for bundle in BUNDLES {
        let player = provider(bundle);
        let spec = &player.spec;
        let schemas = Schemas::new(spec).unwrap();
        let mut check = |operation: &Operation, path: Option<String>| {
            let (usual, call) = call(operation, &authorization(&player, operation));
            let host = Host::of_resources(spec);
            let reply = player.handle(host, &path.unwrap_or(usual), &call).reply;
            if let (Some(content), Some(json), 200..300) = (operation.success_content(), &reply.json, reply.status)
                && let Err(why) = schemas.check(&content.schema, json)
            {
                failures.push(format!("{} {}: {why}", spec.id(), operation.id));
            }
            (reply.status, reply.json)
        };
        let all = || spec.operations.iter().filter(|o| !o.is_oauth());
        let with = |role: Role| all().filter(move |o| o.role == role);
        for create in with(Role::Create) {
            let (status, reply) = check(create, None);
            assert!((200..300).contains(&status), "{} {}: {status}", spec.id(), create.id);
            let item = with(Role::Item).find(|o| o.method == "GET" && o.thing.starts_with(&create.thing));
            let Some(item) = item.filter(|o| o.thing.len() == create.thing.len() + 1) else {
                continue;
            };
            let Some(Segment::Parameter(name)) = item.thing.last() else {
                continue;
            };
            let collection: Vec<String> = create.thing.iter().filter_map(literal).collect();
            let id = id_of(&reply.unwrap_or_default(), Some(name)).unwrap_or_else(|| {
                // The reply does not say.
                let ids = player.state().store.ids(spec, &format!("/{}", collection.join("/")));
                let ids = ids.unwrap();
                ids.last().unwrap().clone()
            });
            let (path, _) = call(item, "");
            let path = format!("{}/{id}", path.rsplit_once('/').unwrap().0);
            assert_eq!(check(item, Some(path)).0, 200, "{} {} {id}", spec.id(), item.id);
        }
        for method in ["GET", "PUT", "POST", "GET", "DELETE", "GET"] {
            for operation in all().filter(|o| o.method == method && o.role != Role::Create) {
                let (status, _) = check(operation, None);
                assert!(status < 500, "{} {}: {status}", spec.id(), operation.id);
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_refusal_fits_its_schema() {
    let mut failures = Vec::new();
    for bundle in BUNDLES {
        let player = provider(bundle);
        let schemas = Schemas::new(&player.spec).unwrap();
        for operation in &player.spec.operations {
            for status in [400, 401, 403, 404, 409, 415, 429, 500, 503] {
                let reply = player.error(Some(operation), status, "why it was refused");
                let family = format!("{}XX", status / 100);
                let content = operation
                    .refusals()
                    .find(|(s, _)| *s == family)
                    .map(|(_, content)| content);
                let (Some(content), Some(json)) = (content, &reply.json) else {
                    continue;
                };
                if let Err(why) = schemas.check(&content.schema, json) {
                    failures.push(format!("{} {} {status}: {why}", player.spec.id(), operation.id));
                }
                if !json.to_string().contains("why it was refused") {
                    failures.push(format!(
                        "{} {} {status} says nothing: {json}",
                        player.spec.id(),
                        operation.id
                    ));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_example_fits_its_schema() {
    let mut failures = Vec::new();
    for bundle in BUNDLES {
        let spec = provider(bundle).spec;
        let schemas = Schemas::new(&spec).unwrap();
        for operation in &spec.operations {
            let requests = operation.body.iter().flat_map(|body| &body.contents);
            let success = operation.success_content().into_iter();
            let replies = success.chain(operation.refusals().map(|(_, content)| content));
            for content in requests.chain(replies) {
                for (name, example) in &content.examples {
                    if let Err(why) = schemas.check(&content.schema, example) {
                        failures.push(format!("{} {} {name}: {why}", spec.id(), operation.id));
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The request of an operation's examples, changed, and the status that comes back.
fn status_of(provider: &Player, operation: &Operation, change: impl FnOnce(&mut RawRequest)) -> u16 {
    let (path, mut call) = call(operation, &authorization(provider, operation));
    change(&mut call);
    let host = Host::of_resources(&provider.spec);
    provider.handle(host, &path, &call).reply.status
}

#[test]
fn what_is_required_must_be_there_and_what_is_typed_must_fit() {
    let mut checked = 0;
    for bundle in BUNDLES {
        let player = provider(bundle);
        let spec = &player.spec;
        for operation in spec.operations.iter().filter(|o| !o.is_oauth()) {
            let name = format!("{} {}", spec.id(), operation.id);
            for content in operation.body.iter().flat_map(|body| &body.contents) {
                let example = timely(content, operation);
                for (field, _) in example
                    .members()
                    .iter()
                    .filter(|(field, _)| spec.document.requires(&content.schema, field))
                {
                    let status = status_of(&player, operation, |call| {
                        let mut body = example.clone();
                        body.remove(field);
                        call.body = match content.media_type.as_str() {
                            "application/json" => body.to_string().into(),
                            _ => {
                                let pairs = pairs(&call.body);
                                let kept = pairs.iter().filter(|(n, _)| n.split('[').next() != Some(field));
                                url::form_urlencoded::Serializer::new(String::new())
                                    .extend_pairs(kept)
                                    .finish()
                                    .into()
                            }
                        };
                    });
                    assert_eq!(status, 400, "{name} without {field}");
                    checked += 1;
                }
                let status = status_of(&player, operation, |call| {
                    call.headers
                        .insert("content-type", HeaderValue::from_static("text/plain"));
                });
                assert_eq!(status, 415, "{name} as text");
            }
            for parameter in &operation.parameters {
                let is_number = matches!(
                    spec.document.kind(&parameter.schema),
                    Some("integer" | "number" | "boolean")
                );
                match parameter.place {
                    Place::Query if is_number => {
                        let status = status_of(&player, operation, |call| {
                            let mut pairs = call.query_pairs();
                            pairs.retain(|(n, _)| *n != parameter.name);
                            pairs.push((parameter.name.clone(), "many".to_owned()));
                            call.query = url::form_urlencoded::Serializer::new(String::new())
                                .extend_pairs(pairs)
                                .finish();
                        });
                        assert_eq!(status, 400, "{name} with {} = many", parameter.name);
                        checked += 1;
                    }
                    Place::Query if parameter.required => {
                        let status = status_of(&player, operation, |call| call.query = String::new());
                        assert_eq!(status, 400, "{name} without {}", parameter.name);
                        checked += 1;
                    }
                    Place::Header if parameter.required => {
                        let status = status_of(&player, operation, |call| {
                            call.headers.remove(parameter.name.to_ascii_lowercase());
                        });
                        assert_eq!(status, 400, "{name} without {}", parameter.name);
                        checked += 1;
                    }
                    _ => {}
                }
            }
            let status = status_of(&player, operation, |call| call.query.push_str("&no_such_parameter=1"));
            assert_eq!(status, 400, "{name} with a parameter of nobody's");
            let status = status_of(&player, operation, |call| {
                call.headers.remove("authorization");
            });
            assert_eq!(status, 401, "{name} without a token");
        }
    }
    assert!(checked > 30, "{checked}");
}

/// Every object of a document by its JSON pointer, and the names of its members.
fn objects(json: &Json, at: &str, found: &mut Vec<(String, String)>) {
    for (name, value) in json.members() {
        found.push((at.to_owned(), name.clone()));
        objects(value, &format!("{at}/{name}"), found);
    }
    for (n, item) in json.items().iter().enumerate() {
        objects(item, &format!("{at}/{n}"), found);
    }
}

/// A member that a client writes in another way than the provider would be lost there without a word.
#[test]
fn a_misspelt_member_of_a_json_body_is_refused_at_any_depth() {
    let (mut checked, mut deep) = (0, 0);
    for bundle in BUNDLES {
        let player = provider(bundle);
        let spec = &player.spec;
        for operation in spec.operations.iter().filter(|o| !o.is_oauth()) {
            let contents = operation.body.iter().flat_map(|body| &body.contents);
            for content in contents.filter(|content| content.media_type == "application/json") {
                let example = timely(content, operation);
                let mut members = Vec::new();
                objects(&example, "", &mut members);
                for (at, name) in members {
                    // What an invoice line looks like is not documented.
                    if at.starts_with("/lineItems") {
                        continue;
                    }
                    let mut body = example.clone();
                    let misspelt = format!("{name}_");
                    body.set_pointer(&format!("{at}/{misspelt}"), Json::str("x"));
                    if let Json::Array(_) = example
                        .pointer(at.rsplit_once('/').map_or("", |(above, _)| above))
                        .unwrap()
                    {
                        // `set_pointer` makes objects only.
                        body = example.clone();
                        body.pointer_mut(&at).unwrap().set(&misspelt, Json::str("x"));
                    }
                    let (path, mut call) = call(operation, &authorization(&player, operation));
                    call.body = body.to_string().into();
                    let host = Host::of_resources(spec);
                    let reply = player.handle(host, &path, &call).reply;
                    let (status, text) = (reply.status, String::from_utf8_lossy(&reply.into_body()).into_owned());
                    let name = format!("{} {} {at}/{misspelt}", spec.id(), operation.id);
                    assert!(
                        status == 400 && text.contains(&format!("{at}/{misspelt}")),
                        "{name}: {status} {text}"
                    );
                    checked += 1;
                    deep += usize::from(!at.is_empty());
                }
            }
        }
    }
    assert!(checked > 40 && deep > 10, "{checked} {deep}");
}

/// A schema that cannot be compiled checks nothing.
#[test]
fn a_specification_with_a_broken_schema_is_not_played() {
    for bundle in BUNDLES {
        let schemas = r#""schemas":{"#;
        assert!(bundle.contains("\"schemas\": {") || bundle.contains(schemas));
        let broken = bundle.replacen("\"schemas\": {", schemas, 1);
        let play = |more: &str| {
            let changed = broken.replacen(schemas, &format!("{schemas}{more}"), 1);
            Player::new(&changed, "http://127.0.0.1:1", Arc::new(Clock::default())).err()
        };
        assert!(play("").is_none() && play(r#""A":{"type":"object"},"#).is_none());
        for wrong in [
            r##""A":{"$ref":"#/components/schemas/Nowhere"},"##,
            r#""A":{"type":"object","properties":{"a":{"type":"string","pattern":"("}}},"#,
            r#""A":{"type":"text"},"#,
        ] {
            let error = play(wrong).unwrap().to_string();
            assert!(error.contains("cannot be compiled"), "{error}");
        }
    }
}

#[test]
fn a_header_that_matters_stands_there_once_and_says_something() {
    let mut checked = 0;
    for bundle in BUNDLES {
        let player = provider(bundle);
        let spec: &Spec = &player.spec;
        for operation in spec.operations.iter().filter(|o| !o.is_oauth()) {
            let declared = operation.parameters.iter().filter(|p| p.place == Place::Header);
            let mut names: Vec<String> = declared.map(|p| p.name.to_ascii_lowercase()).collect();
            names.extend(operation.made_headers().map(|name| name.to_ascii_lowercase()));
            for name in &names {
                let header = http::HeaderName::try_from(name.as_str()).unwrap();
                let empty = status_of(&player, operation, |call| {
                    call.headers.insert(header.clone(), HeaderValue::from_static(""));
                });
                assert_eq!(empty, 400, "{} {} with an empty {name}", spec.id(), operation.id);
            }
            names.push("authorization".to_owned());
            if operation.body.is_some() {
                names.push("content-type".to_owned());
            }
            for name in &names {
                let header = http::HeaderName::try_from(name.as_str()).unwrap();
                let twice = status_of(&player, operation, |call| {
                    let value = call.headers.get(&header).cloned();
                    let value = value.unwrap_or_else(|| HeaderValue::from_static("x"));
                    call.headers.insert(header.clone(), value.clone());
                    call.headers.append(header.clone(), value);
                });
                assert_eq!(twice, 400, "{} {} with {name} twice", spec.id(), operation.id);
                checked += 1;
            }
        }
    }
    assert!(checked > 60, "{checked}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 24, ..Default::default() })]

    /// Whatever comes is answered, and is no success unless it was a request.
    #[test]
    fn no_request_brings_the_sandbox_down(
        method in "GET|POST|PUT|DELETE|PATCH|X",
        at in 0_usize..100,
        noise in "[ -~]{0,40}|\\PC{0,20}",
        query in "[a-zA-Z%=&\\[\\].+0-9]{0,40}",
        media_type in "application/json|application/x-www-form-urlencoded|text/plain",
        body in "\\PC{0,200}|\\{[\"a-z:,\\[\\]{}0-9.e-]{0,80}\\}|[a-z_\\[\\]=&%0-9]{0,80}",
    ) {
        for bundle in BUNDLES {
            let player = provider(bundle);
            let operation = &player.spec.operations[at % player.spec.operations.len()];
            let (mut path, mut call) = call(operation, &authorization(&player, operation));
            if at % 3 == 0 {
                path = format!("/{noise}");
            }
            if at % 2 == 0 {
                call.query = query.clone();
            }
            call.method = Method::from_bytes(method.as_bytes()).unwrap();
            call.headers.insert("content-type", HeaderValue::try_from(&media_type).unwrap());
            call.body = Bytes::from(body.clone());
            for host in [Host::Both, Host::Resources, Host::Oauth] {
                let reply = player.handle(host, &path, &call).reply;
                proptest::prop_assert!((200..500).contains(&reply.status), "{}", reply.status);
            }
        }
    }
}
