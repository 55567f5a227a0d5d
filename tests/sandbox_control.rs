//! A sandbox is controlled from another process, over HTTP.
#![cfg(all(feature = "mx", feature = "ofx", feature = "tatrabanka"))]
#![allow(clippy::unwrap_used)]

use finrail::sandbox::Sandbox;
use reqwest::Method;
use serde_json::{Value, json};

struct Control {
    sandbox: Sandbox,
    origin: String,
    http: reqwest::Client,
}

impl Control {
    async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let sandbox = Sandbox::start().await.unwrap();
        let url = sandbox.url("mx");
        let origin = url.split("/mx").next().unwrap().to_owned();
        Self {
            sandbox,
            origin,
            http: reqwest::Client::new(),
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.http.request(method, format!("{}/_sandbox{path}", self.origin));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let reply = request.send().await.unwrap();
        let status = reply.status().as_u16();
        let text = reply.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn get(&self, url: &str, token: &str) -> u16 {
        let reply = self
            .http
            .get(url)
            .bearer_auth(token)
            .header("accept", "*/*")
            .send()
            .await;
        reply.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn what_is_played_is_told_with_its_clients() {
    let control = Control::new().await;
    let (status, told) = control.send(Method::GET, "", None).await;
    assert_eq!(status, 200);
    let mx = told["providers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["id"] == "mx")
        .unwrap();
    assert_eq!(mx["url"], control.sandbox.url("mx"));
    assert_eq!(mx["client"]["client_id"], control.sandbox.client("mx").client_id);
    assert_eq!(
        mx["client"]["client_secret"],
        control.sandbox.client("mx").client_secret.expose_secret()
    );
}

#[tokio::test]
async fn tokens_come_without_a_browser_and_end_when_the_clock_is_moved() {
    let control = Control::new().await;
    // What a scope names must be there.
    let scopes = json!({ "scopes": ["PREMIUM_AIS:nobodys"] });
    let (status, reply) = control.send(Method::POST, "/tatrabanka/tokens", Some(scopes)).await;
    assert_eq!(status, 400);
    assert!(reply["error"].as_str().unwrap().contains("is not known"), "{reply}");
    let (status, reply) = control.send(Method::POST, "/mx/tokens", None).await;
    assert_eq!(status, 200, "{reply}");
    let token = reply["access_token"].as_str().unwrap();
    let customer = format!("{}/customers/current", control.sandbox.url("mx"));
    assert_ne!(control.get(&customer, token).await, 401);
    let (status, now) = control
        .send(Method::POST, "/clock", Some(json!({ "seconds": 90 * 86_400 })))
        .await;
    assert_eq!(status, 200);
    assert!(now["now"].as_str().unwrap().ends_with('Z'));
    assert_eq!(control.get(&customer, token).await, 401);
}

#[tokio::test]
async fn faults_things_users_and_requests() {
    let control = Control::new().await;
    let beneficiaries = format!("{}/payments/beneficiaries", control.sandbox.url("ofx"));
    let (_, reply) = control.send(Method::POST, "/ofx/tokens", Some(json!({}))).await;
    let token = reply["access_token"].as_str().unwrap().to_owned();
    let fault = json!({ "kind": "status", "status": 503, "on": "list_beneficiaries", "times": 2 });
    assert_eq!(
        control.send(Method::POST, "/ofx/faults", Some(fault.clone())).await.0,
        204
    );
    assert_eq!(control.get(&beneficiaries, &token).await, 503);
    assert_eq!(control.send(Method::DELETE, "/ofx/faults", None).await.0, 204);
    assert_eq!(control.get(&beneficiaries, &token).await, 200);

    let (_, before) = control
        .send(Method::GET, "/ofx/things?path=/payments/quotes", None)
        .await;
    let quote = json!({ "path": "/payments/quotes", "document": { "id": "q-1", "buyAmount": 12345678901234567.89 } });
    let (status, put) = control.send(Method::POST, "/ofx/things", Some(quote)).await;
    assert_eq!((status, &put["id"]), (200, &json!("q-1")));
    let (_, after) = control
        .send(Method::GET, "/ofx/things?path=/payments/quotes", None)
        .await;
    assert_eq!(
        after["ids"].as_array().unwrap().len(),
        before["ids"].as_array().unwrap().len() + 1
    );

    let (_, requests) = control.send(Method::GET, "/ofx/requests", None).await;
    let requests = requests.as_array().unwrap();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0]["operation"], "list_beneficiaries");
    // Names of headers, and no values.
    assert!(!requests[0].to_string().contains(&token));
    assert_eq!(control.send(Method::DELETE, "/ofx/requests", None).await.0, 204);
    assert_eq!(control.send(Method::GET, "/ofx/requests", None).await.1, json!([]));

    let user = json!({ "name": "maria", "password": "correct horse" });
    assert_eq!(control.send(Method::POST, "/ofx/users", Some(user)).await.0, 204);
    let lifetimes = json!({ "access_token_seconds": 5 });
    assert_eq!(
        control.send(Method::PUT, "/ofx/lifetimes", Some(lifetimes)).await.0,
        204
    );
    let (_, reply) = control.send(Method::POST, "/ofx/tokens", None).await;
    assert_eq!(reply["expires_in"].to_string().trim_matches('"'), "5");
    assert_eq!(control.send(Method::DELETE, "/ofx/tokens", None).await.0, 204);
    assert_eq!(control.get(&beneficiaries, &token).await, 401);
}

#[tokio::test]
async fn what_is_wrong_is_told_and_nothing_is_done() {
    let control = Control::new().await;
    for (method, path, body, status, told) in [
        (
            Method::POST,
            "/ofx/faults",
            json!({ "kind": "statsu", "status": 503 }),
            400,
            "did you mean `status`",
        ),
        (
            Method::POST,
            "/ofx/faults",
            json!({ "kind": "status" }),
            400,
            "needs a `status`",
        ),
        (
            Method::POST,
            "/ofx/faults",
            json!({ "kind": "status", "status": 100 }),
            400,
            "no reply ends with",
        ),
        (
            Method::POST,
            "/ofx/faults",
            json!({ "kind": "garbled", "on": "list_beneficiary" }),
            400,
            "did you mean `list_beneficiaries`",
        ),
        (
            Method::POST,
            "/ofx/faults",
            json!({ "kind": "garbled", "time": 2 }),
            400,
            "unknown field `time`",
        ),
        (
            Method::POST,
            "/ofx/faults",
            json!({ "kind": "garbled", "times": 0 }),
            400,
            "leave it out",
        ),
        (
            Method::POST,
            "/ofx/faults",
            json!({ "kind": "garbled", "times": 1, "always": true }),
            400,
            "exclude each other",
        ),
        (
            Method::POST,
            "/ofx/faults",
            json!({ "kind": "garbled", "body": "x" }),
            400,
            "belongs to a fault `status`",
        ),
        (
            Method::POST,
            "/ofy/faults",
            json!({ "kind": "garbled" }),
            404,
            "did you mean `ofx`",
        ),
        (
            Method::POST,
            "/ofx/things",
            json!({ "path": "/nothing", "document": {} }),
            400,
            "there is no collection",
        ),
        (
            Method::POST,
            "/ofx/things",
            json!({ "path": "/payments/quotes", "document": [] }),
            400,
            "no JSON object",
        ),
        (
            Method::POST,
            "/clock",
            json!({ "hours": 1 }),
            400,
            "unknown field `hours`",
        ),
        (
            Method::GET,
            "/nowhere/at/all",
            json!({}),
            404,
            "there are: GET /_sandbox",
        ),
        (
            Method::POST,
            "/ofx/tokens",
            json!({ "scopes": ["everything"] }),
            400,
            "scope",
        ),
    ] {
        let (found, reply) = control.send(method.clone(), path, Some(body.clone())).await;
        let why = reply["error"].as_str().unwrap_or_default();
        assert!(
            found == status && why.contains(told),
            "{method} {path} {body}: {found} {reply}"
        );
    }
    assert_eq!(control.sandbox.requests("ofx").len(), 0);
}

#[tokio::test]
async fn a_page_in_a_browser_controls_nothing() {
    let control = Control::new().await;
    let clock = format!("{}/_sandbox/clock", control.origin);
    let form = control
        .http
        .post(&clock)
        .header("content-type", "text/plain")
        .body(r#"{"seconds":1}"#);
    assert_eq!(form.send().await.unwrap().status(), 415);
    let bare = control.http.post(&clock).body(r#"{"seconds":1}"#);
    assert_eq!(bare.send().await.unwrap().status(), 415);
    let tokens = format!("{}/_sandbox/ofx/tokens", control.origin);
    let other = control.http.post(&tokens).header("origin", "https://evil.example");
    assert_eq!(other.send().await.unwrap().status(), 415);
    // Another name that leads to loopback.
    let rebound = control
        .http
        .get(format!("{}/_sandbox", control.origin))
        .header("host", "evil.example:80");
    assert_eq!(rebound.send().await.unwrap().status(), 403);
}
