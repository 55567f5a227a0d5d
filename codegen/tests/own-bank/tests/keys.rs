//! Keys that an application has once and for all: in a header and in the query, alone or in the place of a token, and in no log;
//! headers that a client is given once.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use finrail::ConfigError;
use finrail::sandbox::Sandbox;
use finrail::transport::{Outcome, RetryPolicy};
use finrail::{Decimal, TypedClient as _};
use httpmock::MockServer;

const APP: &str = "app-key-4f9c1";
const RATE: &str = "rate+key&7b1e/2";

fn with_keys(base: String) -> own_bank::Client {
    own_bank::Client::builder()
        .base_url(base)
        .key("AppKey", APP)
        .key("RateKey", RATE)
        .retry(RetryPolicy::none())
        .build()
        .unwrap()
}

/// A client of the application itself, at the bank that the sandbox plays.
fn with_token(sandbox: &Sandbox) -> own_bank::Client {
    let registered = sandbox.client("own_bank");
    own_bank::Client::builder()
        .base_url(sandbox.url("own_bank"))
        .credentials(own_bank::Credentials::new(
            &registered.client_id,
            registered.client_secret.expose_secret(),
        ))
        .client_credentials([own_bank::Scope::Accounts])
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_client_of_keys_alone_shows_both_where_they_belong() {
    let server = MockServer::start_async().await;
    let rate = server
        .mock_async(|when, then| {
            when.path("/v1/rates/EURUSD")
                .header("x-app-key", APP)
                .query_param("key", RATE)
                .header_missing("authorization");
            then.status(200)
                .header("content-type", "application/json")
                .body(r#"{"rate":1.08250}"#);
        })
        .await;
    let reply = with_keys(server.base_url())
        .get_rate()
        .pair("EURUSD")
        .send()
        .await
        .unwrap();
    assert_eq!(reply.rate, Some("1.08250".parse::<Decimal>().unwrap()));
    assert_eq!(rate.calls(), 1);
    // A call that takes a token alone is refused before it is sent.
    let error = with_keys(server.base_url()).list_accounts().send().await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert!(error.to_string().contains("takes an access token"), "{error}");
    // What no specification describes has the keys too.
    let raw = server
        .mock_async(|when, then| {
            when.path("/v1/other")
                .header("x-app-key", APP)
                .query_param("key", RATE)
                .query_param("a", "1");
            then.status(200).body("{}");
        })
        .await;
    let client = with_keys(server.base_url());
    client
        .raw(http::Method::GET, "/v1/other")
        .query("a", "1")
        .send()
        .await
        .unwrap();
    assert_eq!(raw.calls(), 1);
}

#[tokio::test]
async fn a_key_that_is_missing_or_unknown_is_told_before_anything_is_sent() {
    let server = MockServer::start_async().await;
    let one = own_bank::Client::builder()
        .base_url(server.base_url())
        .key("AppKey", APP)
        .build()
        .unwrap();
    let error = one.get_rate().pair("EURUSD").send().await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert!(
        error
            .to_string()
            .contains("give it to the builder with `key(\"RateKey\", ..)`"),
        "{error}"
    );
    // A header that the caller sets is as good.
    let given = own_bank::Client::builder()
        .base_url(server.base_url())
        .key("RateKey", RATE)
        .header("X-App-Key", APP)
        .build()
        .unwrap();
    let error = given.get_rate().pair("EURUSD").send().await.unwrap_err();
    assert_ne!(error.outcome(), Outcome::NotSent, "{error}");
    for (scheme, value) in [("Appkey", APP), ("AppKey", ""), ("AppKey", "line\nbreak")] {
        let refused = own_bank::Client::builder()
            .base_url(server.base_url())
            .key(scheme, value)
            .build()
            .unwrap_err();
        match refused {
            ConfigError::UnknownKey { known, .. } => assert_eq!(known, ["AppKey", "RateKey", "StaffKey"]),
            refused => assert!(matches!(refused, ConfigError::Key(_)), "{refused}"),
        }
    }
}

/// A bank's link to the next page leaves the key out, or masks it; the page is asked for with the client's own.
#[tokio::test]
async fn a_key_in_the_query_is_no_part_of_what_a_list_is_asked_for() {
    for (next, read) in [
        ("/v1/rates?base=EUR&page=2", Ok(2)),
        ("?base=EUR&page=2&key=***", Ok(2)),
        ("/v1/rates?key=rate%2Bkey%267b1e%2F2&base=EUR&page=2", Ok(2)),
        // Another filter is another question, and the first page is no other one.
        ("/v1/rates?base=USD&page=2", Err("leads to another resource")),
        ("/v1/rates?base=EUR", Err("")),
        ("/v1/rates?base=EUR&key=***", Err("")),
    ] {
        let server = MockServer::start_async().await;
        let first = server.mock_async(|when, then| {
            when.path("/v1/rates")
                .query_param_missing("page")
                .query_param("key", RATE);
            then.status(200)
                .header("content-type", "application/json")
                .body(format!(r#"{{"rates":[{{"rate":1}}],"next":"{next}"}}"#));
        });
        let second = server.mock_async(|when, then| {
            when.path("/v1/rates")
                .query_param("page", "2")
                .query_param("base", "EUR")
                .query_param("key", RATE)
                .header("x-app-key", APP);
            then.status(200)
                .header("content-type", "application/json")
                .body(r#"{"rates":[{"rate":2}]}"#);
        });
        let (first, second) = (first.await, second.await);
        let client = with_keys(server.base_url());
        let items = client.list_rates().base("EUR").items().try_collect().await;
        match (items, read) {
            (Ok(items), Ok(read)) => assert_eq!((items.len(), second.calls()), (read, 1), "{next}"),
            (Err(error), Err(why)) => assert!(error.to_string().contains(why), "{next}: {error}"),
            (items, _) => panic!("{next}: {items:?}"),
        }
        assert_eq!(first.calls(), 1, "{next}");
    }
}

/// A call that takes a token alone has no key, on no page and in no look-up.
#[tokio::test]
async fn a_further_page_and_a_look_up_have_the_keys_of_their_operation_and_no_others() {
    let server = MockServer::start_async().await;
    let token = server.mock_async(|when, then| {
        when.path("/token");
        then.status(200)
            .header("content-type", "application/json")
            .body(r#"{"access_token":"t0k3n","token_type":"Bearer","expires_in":3600}"#);
    });
    token.await;
    let page = async |path: &'static str, page: Option<&'static str>, body: &'static str| {
        let mock = server.mock_async(move |when, then| {
            let when = when.path(path).header_missing("x-app-key").query_param_missing("key");
            match page {
                Some(page) => when.query_param("page", page),
                None => when.query_param_missing("page"),
            };
            then.status(200).header("content-type", "application/json").body(body);
        });
        mock.await
    };
    let next = r#"{"accounts":[{"id":"1"}],"next":"?page=2"}"#;
    page("/v1/statements", None, next).await;
    page("/v1/statements", Some("2"), r#"{"accounts":[{"id":"2"}]}"#).await;
    let looked_up = page("/v1/payouts", None, r#"{"payouts":[]}"#).await;
    let client = own_bank::Client::builder()
        .base_url(server.base_url())
        .credentials(own_bank::Credentials::new("client", "s3cr3t"))
        .client_credentials([own_bank::Scope::Accounts, own_bank::Scope::Transfers])
        .key("AppKey", APP)
        .key("RateKey", RATE)
        .build()
        .unwrap();
    let statements = client.list_statements().x_account("A").items();
    assert_eq!(statements.try_collect().await.unwrap().len(), 2);
    let body = own_bank::types::NewPayout::builder().amount(1).to("b").reference("r");
    let intent = client.create_payout().body(body).prepare().unwrap().intent().clone();
    own_bank::Doubt::of(intent).unwrap().look_up(&client).await.unwrap();
    assert_eq!(looked_up.calls(), 1);
}

/// What is set for one call stands in place of what its client has, and is as secret.
#[tokio::test]
async fn a_header_of_one_call_stands_in_place_of_the_clients_key() {
    let server = MockServer::start_async().await;
    let rate = server.mock_async(|when, then| {
        when.header("x-app-key", "of-this-call-3a1");
        then.status(400)
            .header("content-type", "application/json")
            .body(r#"{"code":"of-this-call-3a1"}"#);
    });
    let rate = rate.await;
    let of_client = server.mock_async(|when, then| {
        when.header("x-app-key", APP);
        then.status(200).header("content-type", "application/json").body("{}");
    });
    let of_client = of_client.await;
    let client = with_keys(server.base_url());
    let with = finrail::transport::CallOptions::new().header("X-App-Key", "of-this-call-3a1");
    let error = client
        .get_rate()
        .pair("EURUSD")
        .with(with.clone())
        .send()
        .await
        .unwrap_err();
    assert!(!format!("{error} {error:?}").contains("3a1"), "{error:?}");
    let other = client.raw(http::Method::GET, "/v1/other");
    other.with(with).send().await.unwrap_err();
    assert_eq!((rate.calls(), of_client.calls()), (2, 0));
    // The key stands in place of a header that the client has for all calls, as before.
    let both = own_bank::Client::builder()
        .base_url(server.base_url())
        .key("AppKey", APP)
        .key("RateKey", RATE)
        .header("X-App-Key", "of-all-calls")
        .build()
        .unwrap();
    both.get_rate().pair("EURUSD").send().await.unwrap();
    assert_eq!(of_client.calls(), 1);
}

#[tokio::test]
async fn a_key_is_in_no_error_and_no_debug() {
    let server = MockServer::start_async().await;
    for (status, body) in [
        (400, format!(r#"{{"code":"bad","message":"the key {RATE} is wrong"}}"#)),
        (500, format!("<h1>{APP}</h1>")),
        (200, format!(r#"{{"rate":"{RATE}"}}"#)),
        (302, String::new()),
    ] {
        let mock = server
            .mock_async(|when, then| {
                when.path("/v1/rates/EURUSD");
                then.status(status)
                    .header("content-type", "application/json")
                    .header(
                        "location",
                        format!("https://elsewhere.example/?key={}", "rate%2Bkey%267b1e%2F2"),
                    )
                    .body(&body);
            })
            .await;
        let client = with_keys(server.base_url());
        let error = client.get_rate().pair("EURUSD").send().await.unwrap_err();
        for text in [error.to_string(), format!("{error:?}"), format!("{client:?}")] {
            for secret in [APP, RATE, "7b1e", "rate%2Bkey"] {
                assert!(!text.contains(secret), "{status}: {text}");
            }
        }
        mock.delete_async().await;
    }
    // Nobody answers.
    let nobody = with_keys("http://127.0.0.1:9".to_owned());
    let error = nobody.get_rate().pair("EURUSD").send().await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(!text.contains("7b1e") && !text.contains(APP), "{text}");
    let builder = own_bank::Client::builder().key("AppKey", APP);
    assert!(!format!("{builder:?}").contains(APP));
}

#[tokio::test]
async fn the_sandbox_wants_every_key() {
    let sandbox = common::bank().await;
    let key = sandbox.client("own_bank").key;
    let client = |app: &str, rate: &str| {
        own_bank::Client::builder()
            .base_url(sandbox.url("own_bank"))
            .key("AppKey", app)
            .key("RateKey", rate)
            .build()
            .unwrap()
    };
    let key = key.expose_secret();
    client(key, key).get_rate().pair("EURUSD").send().await.unwrap();
    for (app, rate) in [("wrong", key), (key, "wrong"), ("wrong", "wrong")] {
        let error = client(app, rate).get_rate().pair("EURUSD").send().await.unwrap_err();
        assert_eq!(error.status().map(|status| status.as_u16()), Some(401), "{error}");
    }
    // A token opens it without keys.
    let with_token = with_token(&sandbox);
    assert!(with_token.get_rate().pair("EURUSD").send().await.is_ok());
}

const PAIR: &str = "pair-9d2e";
const STAFF: &str = "staff-1c7a";

fn with_pair(base: &str, name: &str, secret: &str, app: &str) -> own_bank::Client {
    let client = own_bank::Client::builder().base_url(base).access_key(name, secret);
    client.key("AppKey", app).retry(RetryPolicy::none()).build().unwrap()
}

/// Each client shows what it has, and nothing of another way.
#[tokio::test]
async fn a_pair_and_a_bearer_key_are_ways_of_their_own() {
    for (way, client) in [
        (
            "pair",
            (|base| with_pair(base, "clerk", PAIR, APP)) as fn(&str) -> own_bank::Client,
        ),
        ("staff", |base| {
            let client = own_bank::Client::builder().base_url(base).key("StaffKey", STAFF);
            client.retry(RetryPolicy::none()).build().unwrap()
        }),
        ("key", |base| with_keys(base.to_owned())),
    ] {
        let server = MockServer::start_async().await;
        let mock = server.mock_async(|when, then| {
            let when = when.path("/v1/audits");
            match way {
                // `clerk:pair-9d2e` in base64 (RFC 7617).
                "pair" => when
                    .header("authorization", "Basic Y2xlcms6cGFpci05ZDJl")
                    .header("x-app-key", APP)
                    .query_param_missing("key"),
                "staff" => when
                    .header("authorization", format!("Bearer {STAFF}"))
                    .header_missing("x-app-key"),
                _ => when.query_param("key", RATE).header_missing("authorization"),
            };
            then.status(400)
                .header("content-type", "application/json")
                .body(format!(r#"{{"message":"{PAIR} {STAFF} Y2xlcms6cGFpci05ZDJl"}}"#));
        });
        let mock = mock.await;
        let client = client(&server.base_url());
        let error = client.get_audit().send().await.unwrap_err();
        assert_eq!(mock.calls(), 1, "{way}: {error}");
        let text = format!("{error} {error:?} {client:?}");
        let own = match way {
            "pair" => &["Y2xlcms6cGFpci05ZDJl", APP][..],
            "staff" => &[STAFF],
            _ => &[RATE],
        };
        assert!(!own.iter().any(|secret| text.contains(secret)), "{way}: {text}");
    }
}

#[tokio::test]
async fn the_sandbox_takes_each_way_whole() {
    let sandbox = Sandbox::start_from(([127, 0, 0, 1], 0).into(), &[include_str!("../bank.json")])
        .await
        .unwrap();
    let registered = sandbox.client("own_bank");
    let (key, base) = (registered.key.expose_secret(), sandbox.url("own_bank"));
    let name = registered.access_key.expose_secret();
    let secret = registered.access_key_secret.expose_secret();
    let keyed = |scheme: &str, value: &str| {
        let client = own_bank::Client::builder().base_url(&base).key(scheme, value);
        client.retry(RetryPolicy::none()).build().unwrap()
    };
    for (way, client, opens) in [
        ("a pair with its key", with_pair(&base, name, secret, key), true),
        (
            "a pair with a wrong key",
            with_pair(&base, name, secret, "wrong"),
            false,
        ),
        ("a wrong pair", with_pair(&base, name, "wrong", key), false),
        ("a bearer key", keyed("StaffKey", key), true),
        ("a wrong bearer key", keyed("StaffKey", "wrong"), false),
        ("a key in the query", keyed("RateKey", key), true),
        ("an access token", with_token(&sandbox), true),
    ] {
        match client.get_audit().send().await {
            Ok(_) => assert!(opens, "{way}"),
            Err(error) => {
                assert_eq!(
                    error.status().map(|status| status.as_u16()),
                    Some(401),
                    "{way}: {error}"
                );
                assert!(!opens, "{way}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn a_header_of_a_client_is_given_once_and_its_lack_is_told_before_anything_is_sent() {
    let sandbox = common::bank().await;
    let client = with_token(&sandbox);
    let error = client.get_limits().send().await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert!(error.to_string().contains("needs the header `X-Tenant`"), "{error}");
    assert!(
        !sandbox
            .requests("own_bank")
            .iter()
            .any(|request| request.path == "/v1/limits")
    );
    let of_tenant = client.with_header("X-Tenant", "t-1").unwrap();
    of_tenant.get_limits().send().await.unwrap();
    // For one call alone.
    let once = finrail::transport::CallOptions::new().header("X-Tenant", "t-2");
    client.get_limits().with(once).send().await.unwrap();
    let sent = sandbox.requests("own_bank");
    let tenants: Vec<&str> = sent
        .iter()
        .filter_map(|request| request.headers.get("x-tenant")?.to_str().ok())
        .collect();
    assert_eq!(tenants, ["t-1", "t-2"]);
}
