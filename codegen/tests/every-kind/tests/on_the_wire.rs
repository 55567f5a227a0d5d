//! What the client of every kind sends, and what it reads.
#![allow(clippy::unwrap_used)]

use every_kind::types::{Amount, Form, Means, Node, Pan, Shapes, ShapesStatus};
use httpmock::MockServer;
use serde_json::{Value, json};

/// Through JSON text and back.
fn there_and_back(text: &str) -> Value {
    let shapes: Shapes = serde_json::from_str(text).unwrap();
    serde_json::from_str(&serde_json::to_string(&shapes).unwrap()).unwrap()
}

const REQUIRED: &str =
    r#""number": 12345678901234567.89, "text": "12345678901234567.89", "secret": "s3cr3t", "lenientFlag": "1""#;

#[test]
fn decimals_keep_every_digit_in_both_forms() {
    let text = format!(
        r#"{{ {REQUIRED}, "numberMaybe": 0.10, "textMaybe": "0.10", "numberNull": null, "amount": 1.230, "amounts": [0.1, 0.20] }}"#
    );
    let shapes: Shapes = serde_json::from_str(&text).unwrap();
    assert_eq!(shapes.number.to_string(), "12345678901234567.89");
    assert_eq!(shapes.text, shapes.number);
    assert_eq!(shapes.number_null, None);
    let back = serde_json::to_string(&shapes).unwrap();
    for part in [
        r#""number":12345678901234567.89"#,
        r#""text":"12345678901234567.89""#,
        r#""numberMaybe":0.10"#,
        r#""textMaybe":"0.10""#,
        r#""amount":1.230"#,
        r#""amounts":[0.1,0.20]"#,
    ] {
        assert!(back.contains(part), "{part} is not in {back}");
    }
}

#[test]
fn secrets_are_sent_and_never_printed() {
    let shapes: Shapes =
        serde_json::from_str(&format!(r#"{{ {REQUIRED}, "secretMaybe": "hush", "pan": "4111" }}"#)).unwrap();
    let printed = format!("{shapes:?}{:?}", shapes.pan.clone().unwrap());
    let sent = serde_json::to_string(&shapes).unwrap();
    for secret in ["s3cr3t", "hush", "4111"] {
        assert!(!printed.contains(secret), "{printed}");
        assert!(sent.contains(secret), "{sent}");
    }
    let built = Form::builder().text("t").secret("hush");
    assert!(!format!("{built:?}").contains("hush"));
    assert_eq!(Pan::from(finrail::Secret::from("4111")).expose_secret(), "4111");
}

#[test]
fn a_value_that_nobody_listed_survives() {
    let table = [
        ("unknown", ShapesStatus::ValueUnknown, false),
        ("in-progress", ShapesStatus::InProgress, false),
        ("401A", ShapesStatus::X401a, false),
        ("1st", ShapesStatus::X1st, false),
        ("new", ShapesStatus::Unknown("new".to_owned()), true),
    ];
    for (text, value, unknown) in table {
        assert_eq!(ShapesStatus::from(text), value);
        assert_eq!(value.to_string(), text);
        assert_eq!(value.is_unknown(), unknown);
        let back = there_and_back(&format!(r#"{{ {REQUIRED}, "status": "{text}", "kinds": ["{text}"] }}"#));
        assert_eq!((&back["status"], &back["kinds"][0]), (&json!(text), &json!(text)));
    }
    assert!(ShapesStatus::VALUES.contains(&"SEPA_CT"));
}

#[test]
fn the_key_names_the_kind() {
    let text =
        r#"[{ "leaf": { "a": "x" } }, { "branchNode": { "node": { "1st": {} } } }, { "bush": { "b": [1.10] } }]"#;
    let nodes: Vec<Node> = serde_json::from_str(text).unwrap();
    let kinds: Vec<&str> = nodes.iter().map(Node::kind).collect();
    assert_eq!(kinds, ["leaf", "branchNode", "bush"]);
    assert!(matches!(&nodes[0], Node::Leaf(leaf) if leaf.a.as_deref() == Some("x")));
    assert!(matches!(&nodes[1], Node::BranchNode(branch) if matches!(branch.node.as_deref(), Some(Node::X1st(_)))));
    assert_eq!(
        serde_json::to_string(&nodes).unwrap(),
        r#"[{"leaf":{"a":"x"}},{"branchNode":{"node":{"1st":{}}}},{"bush":{ "b": [1.10] }}]"#
    );
}

#[test]
fn any_form_is_read_where_the_specification_says_so() {
    let table = [
        (r#""lenientFlag": true"#, true),
        (r#""lenientFlag": 0"#, false),
        (r#""lenientFlag": "false""#, false),
    ];
    for (field, flag) in table {
        let shapes: Shapes =
            serde_json::from_str(&format!(r#"{{ "number": 1, "text": "1", "secret": "", {field} }}"#)).unwrap();
        assert_eq!(shapes.lenient_flag, flag, "{field}");
    }
    let text =
        format!(r#"{{ {REQUIRED}, "lenientText": 42, "lenientAt": "2026-11-21", "lenientList": {{ "a": "x" }} }}"#);
    let shapes: Shapes = serde_json::from_str(&text).unwrap();
    assert_eq!(shapes.lenient_text.as_deref(), Some("42"));
    assert_eq!(shapes.lenient_at.unwrap().to_string(), "2026-11-21");
    assert_eq!(shapes.lenient_list.len(), 1);
    for (sent, message, more) in [
        (r#""no""#, Some("no"), 0),
        (r#"{ "message": "no", "code": 7 }"#, Some("no"), 1),
        (r#"{ "code": 7 }"#, None, 1),
    ] {
        let shapes: Shapes = serde_json::from_str(&format!(r#"{{ {REQUIRED}, "lenientObject": {sent} }}"#)).unwrap();
        let words = shapes.lenient_object.unwrap();
        assert_eq!((words.message.as_deref(), words.extra.len()), (message, more), "{sent}");
    }
    for (sent, fits) in [("null", true), ("7", false), ("[]", false)] {
        let read = serde_json::from_str::<Shapes>(&format!(r#"{{ {REQUIRED}, "lenientObject": {sent} }}"#));
        assert_eq!(read.is_ok_and(|shapes| shapes.lenient_object.is_none()), fits, "{sent}");
    }
}

#[test]
fn names_that_rust_takes_are_read_and_written() {
    let fields = [
        ("type", "type_"),
        ("self", "self_"),
        ("crate", "crate_"),
        ("gen", "gen_"),
        ("try", "try_"),
        ("@id", "json_id"),
        ("_links", "links"),
        ("2fa", "_2fa"),
        ("OfxRate", "ofx_rate"),
    ];
    let body: Vec<String> = fields
        .iter()
        .map(|(wire, rust)| format!(r#""{wire}": "{rust}""#))
        .collect();
    let text = format!(r#"{{ {REQUIRED}, {} }}"#, body.join(", "));
    let back = there_and_back(&text);
    for (wire, rust) in fields {
        assert_eq!(back[wire], rust, "{wire}");
    }
    let shapes: Shapes = serde_json::from_str(&text).unwrap();
    assert_eq!(shapes.type_.as_deref(), Some("type_"));
    assert_eq!(shapes.json_id.as_deref(), Some("json_id"));
    for alias in ["OfxRate", "ofxrate", "rate"] {
        let shapes: Shapes = serde_json::from_str(&format!(r#"{{ {REQUIRED}, "{alias}": "1.5" }}"#)).unwrap();
        assert_eq!(shapes.ofx_rate.as_deref(), Some("1.5"), "{alias}");
    }
}

#[test]
fn null_missing_and_more_than_described_are_no_errors() {
    let back = there_and_back(&format!(
        r#"{{ {REQUIRED}, "list": null, "texts": null, "type": null, "colour": {{ "red": [1] }} }}"#
    ));
    assert_eq!(back["colour"], json!({ "red": [1] }), "what is not described is kept");
    assert!(back.get("list").is_none() && back.get("type").is_none());
    let tree: every_kind::types::Tree =
        serde_json::from_str(r#"{ "children": [{ "parent": { "byName": { "x": {} } } }] }"#).unwrap();
    assert_eq!(tree.children.len(), 1);
}

async fn client(server: &MockServer) -> every_kind::Client {
    server
        .mock_async(|when, then| {
            when.method("POST").path("/oauth/token");
            then.status(200)
                .json_body(json!({ "access_token": "t0k3n", "token_type": "bearer", "expires_in": 3600 }));
        })
        .await;
    // Only the service client takes client credentials, so a user's consent is needed.
    let app = every_kind::App::builder()
        .base_url(server.base_url())
        .oauth_base_url(server.base_url())
        .credentials(every_kind::Credentials::new("client", "s3cr3t"))
        .redirect_uri("https://app.example/callback")
        .build()
        .unwrap();
    let authorization = app.authorize([every_kind::Scope::ReadAccounts]).unwrap();
    let query = authorization.url.query_pairs();
    let state = query
        .into_iter()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned();
    let callback = format!("https://app.example/callback?code=c0de&state={state}");
    app.finish(authorization.pending, &callback)
        .await
        .unwrap()
        .client()
        .clone()
}

#[tokio::test]
async fn names_on_the_wire_are_the_specification_s() {
    let server = MockServer::start_async().await;
    let client = client(&server).await;
    let call = server
        .mock_async(|when, then| {
            when.method("GET")
                .path("/names/a%2Fb/me")
                .query_param("async", "1")
                .query_param("match", "2")
                .query_param("gen", "3")
                .query_param("request", "4")
                .query_param("response", "5")
                .query_param("result", "6")
                .query_param("url", "7")
                .query_param("value", "8")
                .query_param("info", "9")
                .query_param("$filter", "x eq 1")
                .query_param("shared", "a text, not a number")
                .header("page-size", "10")
                .header("x-type", "current")
                .header("x-flag", "true")
                .header("x-amount", "0.10")
                .header("x-since", "2026-11-21")
                .header_missing("api-version");
            then.status(204);
        })
        .await;
    client
        .get_names()
        .type_("a/b")
        .self_("me")
        .async_("1")
        .match_("2")
        .gen_("3")
        .request("4")
        .response("5")
        .result("6")
        .url("7")
        .value("8")
        .info("9")
        .filter("x eq 1")
        .shared("a text, not a number")
        .page_size(10)
        .x_type("current")
        .x_flag(true)
        .x_amount("0.10")
        .x_since("2026-11-21")
        .send()
        .await
        .unwrap();
    assert_eq!(call.calls_async().await, 1);
}

#[tokio::test]
async fn a_form_writes_lists_maps_and_texts() {
    let server = MockServer::start_async().await;
    let client = client(&server).await;
    let call = server
        .mock_async(|when, then| {
            when.method("POST")
                .path("/form")
                .header("content-type", "application/x-www-form-urlencoded")
                .header_exists("x-request-id")
                .form_urlencoded_tuple("text", "a b&c")
                .form_urlencoded_tuple("amount", "0.10")
                .form_urlencoded_tuple("secret", "hush")
                .form_urlencoded_tuple("flag", "true")
                .form_urlencoded_tuple("scopes[]", "a")
                .form_urlencoded_tuple("scopes[]", "b")
                .form_urlencoded_tuple("kinds[]", "savings")
                .form_urlencoded_tuple("metadata[key]", "v");
            then.status(201).json_body(json!({ "a": "x" }));
        })
        .await;
    let metadata = std::collections::BTreeMap::from([("key".to_owned(), "v".to_owned())]);
    let reply = client
        .send_form()
        .body_map(|form| {
            form.text("a b&c")
                .amount("0.10")
                .secret("hush")
                .flag(true)
                .scopes(["a", "b"])
                .kinds(["savings"])
                .metadata(metadata)
        })
        .send()
        .await
        .unwrap();
    assert_eq!(reply.a.as_deref(), Some("x"));
    assert_eq!(call.calls_async().await, 1);
}

#[tokio::test]
async fn a_call_with_a_key_of_its_intent_is_repeated_and_one_without_is_not() {
    let server = MockServer::start_async().await;
    let client = client(&server).await;
    let call = server
        .mock_async(|when, then| {
            when.method("POST").path("/form");
            then.status(503).header("retry-after", "0").body("{}");
        })
        .await;
    let form = || client.send_form().body_map(|form| form.text("t").secret("hush"));
    form().send().await.unwrap_err();
    assert_eq!(call.calls_async().await, 1);
    let error = form().idempotency_key("intent-1").send().await.unwrap_err();
    assert_eq!(call.calls_async().await, 4);
    assert_eq!(error.outcome(), finrail::transport::Outcome::Unknown);
}

/// What an operation says of its refusals holds for this one; where nothing is said, four statuses are taken for them.
#[tokio::test]
async fn a_refusal_is_known_by_what_its_operation_says() {
    use finrail::transport::{Outcome, Proof};

    let known = (Outcome::Rejected, Some(Proof::Documented));
    let unknown = (Outcome::Unknown, None);
    for (status, body, of_form, of_shapes) in [
        (409, r#"{"errorCode":"E7"}"#, known, unknown),
        (409, r#"{"error":{"message":"no"}}"#, known, unknown),
        (409, r#"{"message":"no"}"#, unknown, unknown),
        (409, "<html>errorCode</html>", unknown, unknown),
        (
            422,
            r#"{"errorCode":"E7"}"#,
            unknown,
            (Outcome::Rejected, Some(Proof::Assumed)),
        ),
    ] {
        let server = MockServer::start_async().await;
        let client = client(&server).await;
        for path in ["/form", "/shapes"] {
            server
                .mock_async(|when, then| {
                    when.method("POST").path(path);
                    then.status(status).body(body);
                })
                .await;
        }
        let form = client.send_form().body_map(|form| form.text("t").secret("hush"));
        let refused = form.send().await.unwrap_err();
        assert_eq!((refused.outcome(), refused.proof()), of_form, "{status} {body}");
        let shapes: Shapes = serde_json::from_str(&format!("{{ {REQUIRED} }}")).unwrap();
        let refused = client.send_shapes().body(shapes).send().await.unwrap_err();
        assert_eq!((refused.outcome(), refused.proof()), of_shapes, "{status} {body}");
    }
    // The key makes twice the same as once, so that what is known to pass is sent again.
    let server = MockServer::start_async().await;
    let client = client(&server).await;
    let call = server
        .mock_async(|when, then| {
            when.method("POST").path("/form");
            then.status(429)
                .header("retry-after", "0")
                .body(r#"{"errorCode":"SLOW"}"#);
        })
        .await;
    let form = || client.send_form().body_map(|form| form.text("t").secret("hush"));
    let refused = form().send().await.unwrap_err();
    assert_eq!((refused.outcome(), refused.proof()), known);
    assert_eq!(call.calls_async().await, 1);
    assert!(refused.is_retryable(), "it is known not to have been carried out");
    form().idempotency_key("intent-1").send().await.unwrap_err();
    assert_eq!(call.calls_async().await, 4);
}

#[test]
fn what_is_not_described_is_kept_digit_for_digit() {
    const DIGITS: &str = "12345678901234567.89";
    let text = format!(
        r#"{{ {REQUIRED}, "fee": {DIGITS}, "rate": "5", "free": {{ "b": {DIGITS}, "a": [1.10] }}, "any": {{ "c": {DIGITS} }} }}"#
    );
    let shapes: Shapes = serde_json::from_str(&text).unwrap();
    assert_eq!(
        shapes.extra.names().collect::<Vec<_>>(),
        ["fee"],
        "an alias is described"
    );
    assert_eq!(shapes.ofx_rate.as_deref(), Some("5"));
    assert_eq!(shapes.extra.decimal("fee"), Some(shapes.number));
    assert_eq!(shapes.free.decimal("b"), Some(shapes.number));
    let back = serde_json::to_string(&shapes).unwrap();
    for part in [
        format!(r#""fee":{DIGITS}"#),
        format!(r#""free":{{"a":[1.10],"b":{DIGITS}}}"#),
        format!(r#""any":{{ "c": {DIGITS} }}"#),
    ] {
        assert!(back.contains(&part), "{part} is not in {back}");
    }
    let printed = format!("{:?} {:?} {:?}", shapes.extra, shapes.free, shapes.any);
    assert!(!printed.contains("4567") && printed.contains("fee"), "{printed}");
    // A field that is described is written once, whatever was put beside it.
    let mut shapes = shapes;
    shapes.extra.insert("number", json!(1));
    assert_eq!(
        serde_json::to_string(&shapes).unwrap().matches(r#""number":"#).count(),
        1
    );
}

#[tokio::test]
async fn a_vendor_type_is_typed_and_asked_for() {
    let server = MockServer::start_async().await;
    let client = client(&server).await;
    let call = server
        .mock_async(|when, then| {
            when.method("POST")
                .path("/shapes")
                .header("accept", "application/vnd.every-kind.v2+json; charset=utf-8");
            then.status(202).body(format!("{{ {REQUIRED} }}"));
        })
        .await;
    let body: Shapes = serde_json::from_str(&format!("{{ {REQUIRED} }}")).unwrap();
    let reply = client.send_shapes().body(body).send().await.unwrap();
    assert_eq!(reply.number.to_string(), "12345678901234567.89");
    assert_eq!(call.calls_async().await, 1);
    assert_eq!(Amount(reply.number).to_string(), "12345678901234567.89");
}

#[tokio::test]
async fn a_download_is_bytes() {
    let server = MockServer::start_async().await;
    let client = client(&server).await;
    server
        .mock_async(|when, then| {
            when.path("/statement")
                .header("accept", "application/pdf, application/zip");
            then.status(200).body([0x25, 0x50, 0x44, 0x46, 0xff]);
        })
        .await;
    let reply = client.download_statement().send().await.unwrap();
    assert_eq!(
        reply.into_inner().bytes(1024).await.unwrap().as_ref(),
        [0x25, 0x50, 0x44, 0x46, 0xff]
    );
}

#[tokio::test]
async fn pages_follow_links_and_cursors() {
    let server = MockServer::start_async().await;
    let client = client(&server).await;
    let next = server.url("/linked?page=2");
    server
        .mock_async(|when, then| {
            when.path("/linked").query_param("page", "2");
            then.status(200).json_body(json!({ "data": [{ "a": "2" }] }));
        })
        .await;
    server
        .mock_async(|when, then| {
            when.path("/linked").query_param_missing("page");
            then.status(200)
                .json_body(json!({ "data": [{ "a": "1" }], "meta": { "links": { "next": next } } }));
        })
        .await;
    let linked = client.list_linked().items().try_collect().await.unwrap();
    assert_eq!(
        linked.iter().filter_map(|leaf| leaf.a.as_deref()).collect::<Vec<_>>(),
        ["1", "2"]
    );
    server
        .mock_async(|when, then| {
            when.path("/cursor").query_param("type", "n");
            then.status(200).json_body(json!({ "items": [{ "a": "2" }] }));
        })
        .await;
    server
        .mock_async(|when, then| {
            when.path("/cursor").query_param_missing("type");
            then.status(200)
                .json_body(json!({ "items": [{ "a": "1" }], "next": "n" }));
        })
        .await;
    assert_eq!(client.list_cursor().items().try_collect().await.unwrap().len(), 2);
}

#[test]
fn a_field_names_the_kind_of_an_object_and_no_digit_is_lost_on_the_way() {
    let text = r#"[{"kind":"card","fee":1.10},{"iban":"SK1","kind":"bank-account"},{"kind":"coin","worth":12345678901234567.890},{"fee":1}]"#;
    let means: Vec<Means> = serde_json::from_str(text).unwrap();
    let kinds: Vec<&str> = means.iter().map(Means::kind).collect();
    assert_eq!(kinds, ["card", "bank-account", "coin", ""]);
    assert!(matches!(&means[0], Means::Card(card) if card.fee.map(|fee| fee.to_string()).as_deref() == Some("1.10")));
    assert!(matches!(&means[1], Means::BankAccount(account) if account.iban == "SK1"));
    // What is written has the name of its kind, whether or not the object has a field for it.
    assert_eq!(
        serde_json::to_string(&means).unwrap(),
        r#"[{"fee":1.10,"kind":"card"},{"iban":"SK1","kind":"bank-account"},{"kind":"coin","worth":12345678901234567.890},{"fee":1}]"#
    );
    let card = every_kind::types::CardMeans::builder().fee(2).try_into().unwrap();
    assert_eq!(
        serde_json::to_string(&Means::Card(card)).unwrap(),
        r#"{"fee":2,"kind":"card"}"#
    );
    for (wrong, told) in [
        (r#""card""#, "expected an object"),
        (r#"{"kind":"card","kind":"coin"}"#, "each name once"),
        (r#"{"kind":"card","fee":"much"}"#, "at `fee`: expected a decimal"),
        (r#"{"kind":"bank-account"}"#, "field `iban` is missing"),
    ] {
        let error = serde_json::from_str::<Means>(wrong).unwrap_err().to_string();
        assert!(error.contains(told), "{wrong}: {error}");
        assert!(!error.contains("much"), "{error}");
    }
}

#[test]
fn an_item_or_a_value_that_may_be_null_keeps_its_place() {
    let text = r#"{"marks":["a",null,"b"],"cards":{"one":{"fee":1.10},"two":null},"states":["open",null,"new"]}"#;
    let branch: every_kind::types::Branch = serde_json::from_str(text).unwrap();
    assert_eq!(branch.marks, [Some("a".to_owned()), None, Some("b".to_owned())]);
    assert!(branch.cards["two"].is_none() && branch.cards["one"].is_some());
    assert_eq!(branch.states.len(), 3);
    assert!(branch.states[1].is_none());
    let written: serde_json::Value = serde_json::to_value(&branch).unwrap();
    assert_eq!(written["marks"], serde_json::json!(["a", null, "b"]));
    assert_eq!(written["states"], serde_json::json!(["open", null, "new"]));
    let built = every_kind::types::Branch::builder().marks([Some("a".to_owned()), None]);
    let built: every_kind::types::Branch = built.try_into().unwrap();
    assert_eq!(built.marks.len(), 2);
}

#[test]
fn an_item_or_a_value_is_read_in_any_form() {
    let text = r#"{"words":["a",7,1.10,true],"flags":{"one":"Y","two":0,"three":null}}"#;
    let branch: every_kind::types::Branch = serde_json::from_str(text).unwrap();
    let words: Vec<&str> = branch.words.iter().map(|word| word.as_str()).collect();
    assert_eq!(words, ["a", "7", "1.10", "true"]);
    let flag = |name: &str| branch.flags[name].as_ref().map(|flag| **flag);
    assert_eq!(
        [flag("one"), flag("two"), flag("three")],
        [Some(true), Some(false), None]
    );
}

#[tokio::test]
async fn a_body_may_be_one_of_several_kinds() {
    let card: every_kind::types::CardMeans = serde_json::from_str(r#"{"fee":1.10}"#).unwrap();
    let server = MockServer::start_async().await;
    let client = client(&server).await;
    for (method, path, body) in [
        ("POST", "/means", r#"{"fee":1.10,"kind":"card"}"#),
        ("PUT", "/means", r#"{"fee":1.10,"kind":"card"}"#),
        ("POST", "/nodes", r#"{"leaf":{"a":"x"}}"#),
    ] {
        let sent = server
            .mock_async(|when, then| {
                when.method(method).path(path).body(body);
                then.status(204);
            })
            .await;
        match (method, path) {
            ("POST", "/means") => client
                .send_means()
                .body(Means::Card(card.clone()))
                .send()
                .await
                .map(drop),
            ("PUT", _) => {
                let body = every_kind::types::PutMeansBody::Card(card.clone());
                client.put_means().body(body).send().await.map(drop)
            }
            _ => {
                let node: Node = serde_json::from_str(body).unwrap();
                client.send_node().body(node).send().await.map(drop)
            }
        }
        .unwrap();
        sent.assert_async().await;
    }
    let error = client.send_means().send().await.unwrap_err().to_string();
    assert!(error.contains("`body` is missing"), "{error}");
}
