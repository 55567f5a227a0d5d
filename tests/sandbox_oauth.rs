//! The OAuth rules of every provider: what is accepted, and how the rest is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(feature = "sandbox")]

mod sandbox_support;

use std::time::Duration;

use finrail::Secret;
use sandbox_support::{encode, fields, http, of_url, peer, played, set, start, unset};

#[tokio::test]
async fn a_code_becomes_tokens_that_open_resources() {
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let peer = peer(&sandbox, rules.id);
        let callback = peer.allowed(&peer.authorization()).await;
        assert!(
            callback.starts_with(&format!("{}?", peer.client.redirect_uri)),
            "{callback}"
        );
        assert_eq!(of_url(&callback, "state").as_deref(), Some("the-state"));

        let tokens = peer.tokens().await;
        let reply = peer.get(rules.call, &tokens.string("access_token")).await;
        assert_eq!(reply.status, 200, "{}: {}", rules.id, reply.text);
    }
}

#[tokio::test]
async fn token_replies_have_the_form_of_the_providers_pages() {
    // provider, fields in order, token_type, expires_in, scope
    let table = [
        (
            "ofx",
            "access_token expires_in token_type refresh_token",
            "Bearer",
            "3599",
            "",
        ),
        (
            "mx",
            "access_token token_type expires_in refresh_token scope",
            "Bearer",
            "3600",
            "openid customers accounts transactions",
        ),
        (
            "omnifund",
            "access_token expires_in refresh_token scope token_type",
            "bearer",
            "3600",
            "null",
        ),
        (
            "tatrabanka",
            "access_token token_type expires_in refresh_token scope",
            "Bearer",
            "3600",
            "PREMIUM_AIS",
        ),
        (
            "finexer",
            "token_type access_token refresh_token account_id scope",
            "bearer",
            "",
            "customer_read,customer_write",
        ),
    ];
    let sandbox = start().await;
    for (id, names, token_type, expires_in, scope) in table {
        if !sandbox.providers().iter().any(|known| known == id) {
            continue;
        }
        let reply = peer(&sandbox, id).tokens().await;
        let json = reply.json();
        let mut order: Vec<(usize, &String)> = json
            .as_object()
            .unwrap()
            .keys()
            .map(|name| (reply.text.find(&format!("\"{name}\":")).unwrap(), name))
            .collect();
        order.sort_unstable();
        let order: Vec<&str> = order.into_iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(order.join(" "), names, "{id}");
        assert_eq!(json["token_type"], token_type, "{id}");
        let text = |name: &str| match json.get(name) {
            None => String::new(),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        assert_eq!(
            (text("expires_in"), text("scope")),
            (expires_in.to_owned(), scope.to_owned()),
            "{id}"
        );
        assert_eq!(reply.header("cache-control"), "no-store", "{id}");
    }
}

#[tokio::test]
async fn the_client_authenticates_as_its_provider_wants_it() {
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let peer = peer(&sandbox, rules.id);
        let form = peer.exchange_fields(&peer.code().await);
        let wrong_place = peer.token_by(&form, !rules.basic).await;
        assert_eq!(
            (wrong_place.status, wrong_place.error().as_str()),
            (401, "invalid_client"),
            "{}",
            rules.id
        );
        let wrong_secret = peer
            .oauth_by(rules.token, &form, rules.basic, &Secret::from("wrong"))
            .await;
        assert_eq!(
            (wrong_secret.status, wrong_secret.error().as_str()),
            (401, "invalid_client"),
            "{}",
            rules.id
        );
        assert!(
            wrong_secret.header("www-authenticate").starts_with("Basic"),
            "{}",
            rules.id
        );
        // None of this used the code up.
        assert_eq!(peer.token(&form).await.status, 200, "{}", rules.id);
    }
}

#[tokio::test]
async fn credentials_may_have_any_character() {
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let mut peer = peer(&sandbox, rules.id);
        peer.client = sandbox.register_known_client(
            rules.id,
            "a client/1",
            "p@ss:w%rd+&=\u{e9} \"",
            &["https://a.example/cb"],
        );
        assert_eq!(peer.tokens().await.status, 200, "{}", rules.id);
    }
    let omnifund = peer(&sandbox, "omnifund");
    sandbox.add_user("omnifund", "mar\u{ed}a", "a&b=c");
    let form = fields(&[
        ("grant_type", "password"),
        ("username", "mar\u{ed}a"),
        ("password", "a&b=c"),
    ]);
    assert_eq!(omnifund.token(&form).await.status, 200);
}

#[tokio::test]
async fn service_tokens_carry_their_secret_in_the_body() {
    let sandbox = start().await;
    for (id, scope) in [("ofx", "payments"), ("tatrabanka", "PREMIUM_PIS")] {
        let peer = peer(&sandbox, id);
        let form = fields(&[("grant_type", "client_credentials"), ("scope", scope)]);
        let reply = peer.token_by(&form, false).await;
        assert_eq!(reply.status, 200, "{id}");
        assert!(reply.json().get("refresh_token").is_none(), "{id}");
        assert_eq!(peer.token_by(&form, true).await.error(), "invalid_client", "{id}");
        for (scope, why) in [
            ("nonsense", "unknown"),
            ("", "missing"),
            (" ", "blank"),
            ("payments PREMIUM_AIS PREMIUM_PIS", "too many"),
        ] {
            let form = fields(&[("grant_type", "client_credentials"), ("scope", scope)]);
            assert_eq!(peer.token_by(&form, false).await.error(), "invalid_scope", "{id} {why}");
        }
    }
}

#[tokio::test]
async fn grants_that_a_provider_lacks_are_unsupported() {
    let sandbox = start().await;
    for (id, grants) in [
        ("ofx", &["password", "urn:ietf:params:oauth:grant-type:device_code"][..]),
        ("mx", &["client_credentials", "password"]),
        ("omnifund", &["client_credentials"]),
        ("tatrabanka", &["password"]),
        ("finexer", &["client_credentials", "password"]),
    ] {
        let peer = peer(&sandbox, id);
        for grant in grants {
            let reply = peer.token(&fields(&[("grant_type", grant)])).await;
            assert_eq!(
                (reply.status, reply.error().as_str()),
                (400, "unsupported_grant_type"),
                "{id} {grant}"
            );
        }
        assert_eq!(
            peer.token(&fields(&[("scope", "x")])).await.error(),
            "invalid_request",
            "{id}: no grant_type"
        );
    }
}

#[tokio::test]
async fn a_password_is_a_grant_at_omnifund() {
    let sandbox = start().await;
    let peer = peer(&sandbox, "omnifund");
    let mut form = fields(&[
        ("grant_type", "password"),
        ("username", &peer.client.username),
        ("password", peer.client.password.expose_secret()),
    ]);
    let reply = peer.token(&form).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(peer.get("/api/events", &reply.string("access_token")).await.status, 200);
    assert_eq!(peer.refresh(&reply.string("refresh_token")).await.status, 200);
    set(&mut form, "password", "wrong");
    assert_eq!(peer.token(&form).await.error(), "invalid_grant");
    unset(&mut form, "password");
    assert_eq!(peer.token(&form).await.error(), "invalid_request");
}

#[tokio::test]
async fn a_code_works_once_and_not_for_long() {
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let peer = peer(&sandbox, rules.id);
        let form = peer.exchange_fields(&peer.code().await);
        let tokens = peer.token(&form).await;
        let again = peer.token(&form).await;
        assert_eq!(
            (again.status, again.error().as_str()),
            (400, "invalid_grant"),
            "{}",
            rules.id
        );
        // RFC 6749 section 4.1.2: what the code issued is revoked.
        assert_eq!(
            peer.get(rules.call, &tokens.string("access_token")).await.status,
            401,
            "{}",
            rules.id
        );
        assert_eq!(
            peer.refresh(&tokens.string("refresh_token")).await.error(),
            "invalid_grant",
            "{}",
            rules.id
        );

        let form = peer.exchange_fields(&peer.code().await);
        sandbox.advance(Duration::from_secs(301));
        assert_eq!(peer.token(&form).await.error(), "invalid_grant", "{}", rules.id);
        assert_eq!(
            peer.token(&peer.exchange_fields("made-up")).await.error(),
            "invalid_grant",
            "{}",
            rules.id
        );
    }
}

#[tokio::test]
async fn a_code_belongs_to_its_client() {
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let mut peer = peer(&sandbox, rules.id);
        let form = peer.exchange_fields(&peer.code().await);
        peer.client = sandbox.register_client(rules.id, &[]);
        assert_eq!(peer.token(&form).await.error(), "invalid_grant", "{}", rules.id);
    }
}

#[tokio::test]
async fn access_tokens_end_and_refresh_tokens_renew_them() {
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let peer = peer(&sandbox, rules.id);
        let tokens = peer.tokens().await;
        sandbox.advance(Duration::from_secs(3601));
        let over = peer.get(rules.call, &tokens.string("access_token")).await;
        assert_eq!(over.status, 401, "{}", rules.id);
        assert!(
            over.header("www-authenticate").contains("error=\"invalid_token\""),
            "{}",
            rules.id
        );

        let renewed = peer.refresh(&tokens.string("refresh_token")).await;
        assert_eq!(renewed.status, 200, "{}: {}", rules.id, renewed.text);
        assert_eq!(
            peer.get(rules.call, &renewed.string("access_token")).await.status,
            200,
            "{}",
            rules.id
        );
        assert_eq!(
            renewed.json().get("refresh_token").is_some(),
            rules.rotates,
            "{}",
            rules.id
        );
        if rules.rotates {
            assert_ne!(
                renewed.string("refresh_token"),
                tokens.string("refresh_token"),
                "{}",
                rules.id
            );
        }
    }
}

#[tokio::test]
async fn a_spent_refresh_token_takes_its_family_with_it() {
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let peer = peer(&sandbox, rules.id);
        let first = peer.tokens().await.string("refresh_token");
        let second = peer.refresh(&first).await;
        let again = peer.refresh(&first).await;
        if !rules.rotates {
            assert_eq!(again.status, 200, "{}: nothing rotates here", rules.id);
            continue;
        }
        assert_eq!(
            (again.status, again.error().as_str()),
            (400, "invalid_grant"),
            "{}",
            rules.id
        );
        assert_eq!(
            peer.refresh(&second.string("refresh_token")).await.error(),
            "invalid_grant",
            "{}",
            rules.id
        );
        assert_eq!(
            peer.get(rules.call, &second.string("access_token")).await.status,
            401,
            "{}",
            rules.id
        );
    }
}

#[tokio::test]
async fn of_many_refreshes_at_once_one_succeeds() {
    let sandbox = start().await;
    for rules in played(&sandbox).filter(|rules| rules.rotates) {
        let peer = peer(&sandbox, rules.id);
        let refresh = peer.tokens().await.string("refresh_token");
        let all = futures_util::future::join_all((0..20).map(|_| peer.refresh(&refresh))).await;
        let succeeded = all.iter().filter(|reply| reply.status == 200).count();
        assert_eq!(succeeded, 1, "{}", rules.id);
        assert!(
            all.iter()
                .all(|reply| reply.status == 200 || reply.error() == "invalid_grant"),
            "{}",
            rules.id
        );
    }
}

#[tokio::test]
async fn refresh_tokens_end_after_the_documented_thirty_days() {
    let sandbox = start().await;
    for id in ["ofx", "mx"] {
        let peer = peer(&sandbox, id);
        let tokens = peer.tokens().await;
        sandbox.advance(Duration::from_secs(2_592_000 - 10));
        let renewed = peer.refresh(&tokens.string("refresh_token")).await;
        assert_eq!(renewed.status, 200, "{id}");
        sandbox.advance(Duration::from_secs(2_592_001));
        assert_eq!(
            peer.refresh(&renewed.string("refresh_token")).await.error(),
            "invalid_grant",
            "{id}"
        );
    }
}

#[tokio::test]
async fn scope_is_sent_where_the_provider_wants_it_and_nowhere_else() {
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let peer = peer(&sandbox, rules.id);
        let refresh_token = peer.tokens().await.string("refresh_token");
        let code = peer.code().await;
        for (mut form, usual) in [
            (peer.exchange_fields(&code), rules.scope_at_code),
            (peer.refresh_fields(&refresh_token), rules.scope_at_refresh),
        ] {
            match usual {
                Some(_) => unset(&mut form, "scope"),
                None => set(&mut form, "scope", "payments"),
            }
            assert_eq!(peer.token(&form).await.error(), "invalid_scope", "{}", rules.id);
        }
    }
}

#[tokio::test]
async fn a_blank_scope_is_no_scope() {
    let sandbox = start().await;
    for id in ["ofx", "tatrabanka"] {
        let peer = peer(&sandbox, id);
        let refresh_token = peer.tokens().await.string("refresh_token");
        let mut query = peer.authorization();
        set(&mut query, "scope", " ");
        let callback = peer.allowed(&query).await;
        assert_eq!(of_url(&callback, "error").as_deref(), Some("invalid_scope"), "{id}");
        for mut form in [
            peer.exchange_fields(&peer.code().await),
            peer.refresh_fields(&refresh_token),
        ] {
            set(&mut form, "scope", " ");
            assert_eq!(peer.token(&form).await.error(), "invalid_scope", "{id}");
        }
    }
}

#[tokio::test]
async fn revocation_ends_the_grant() {
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let Some((path, field)) = rules.revoke else { continue };
        let peer = peer(&sandbox, rules.id);
        let tokens = peer.tokens().await;
        let secret = &peer.client.client_secret;
        let form = fields(&[(field, &tokens.string("refresh_token"))]);
        let reply = peer.oauth_by(path, &form, rules.basic, &Secret::from("wrong")).await;
        assert_eq!(reply.error(), "invalid_client", "{}", rules.id);
        let reply = peer
            .oauth_by(path, &fields(&[("nothing", "x")]), rules.basic, secret)
            .await;
        assert_eq!(reply.error(), "invalid_request", "{}", rules.id);

        let reply = peer.oauth_by(path, &form, rules.basic, secret).await;
        let expected = if rules.id == "finexer" { 204 } else { 200 };
        assert_eq!((reply.status, reply.text.as_str()), (expected, ""), "{}", rules.id);
        assert_eq!(
            peer.get(rules.call, &tokens.string("access_token")).await.status,
            401,
            "{}",
            rules.id
        );
        assert_eq!(
            peer.refresh(&tokens.string("refresh_token")).await.error(),
            "invalid_grant",
            "{}",
            rules.id
        );

        // RFC 7009 section 2.2 takes an unknown token for a success; Finexer does not follow it.
        let reply = peer.oauth_by(path, &form, rules.basic, secret).await;
        let expected = if rules.id == "finexer" { 400 } else { 200 };
        assert_eq!(reply.status, expected, "{}", rules.id);
    }
}

#[tokio::test]
async fn mx_revokes_one_access_token_alone() {
    let sandbox = start().await;
    let peer = peer(&sandbox, "mx");
    let tokens = peer.tokens().await;
    let form = fields(&[
        ("token", &tokens.string("access_token")),
        ("token_type_hint", "access_token"),
    ]);
    assert_eq!(
        peer.oauth_by("/oauth2/v4/revoke", &form, true, &peer.client.client_secret)
            .await
            .status,
        200
    );
    assert_eq!(peer.get("/accounts", &tokens.string("access_token")).await.status, 401);
    assert_eq!(peer.refresh(&tokens.string("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn grants_can_be_ended_from_the_test() {
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let peer = peer(&sandbox, rules.id);
        let (one, two) = (peer.tokens().await, peer.tokens().await);
        assert!(sandbox.kill_grant(rules.id, &one.string("refresh_token")));
        assert_eq!(
            peer.refresh(&one.string("refresh_token")).await.error(),
            "invalid_grant"
        );
        assert_eq!(peer.get(rules.call, &two.string("access_token")).await.status, 200);
        sandbox.revoke_all(rules.id);
        assert_eq!(peer.get(rules.call, &two.string("access_token")).await.status, 401);
        assert!(!sandbox.kill_grant(rules.id, "unknown"));
    }
}

#[tokio::test]
async fn token_requests_have_the_providers_encoding_and_say_everything_once() {
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let peer = peer(&sandbox, rules.id);
        let url = format!("{}{}", sandbox.oauth_url(rules.id), rules.token);
        let json = http()
            .post(&url)
            .header("content-type", "application/json")
            .body(r#"{"grant_type":"refresh_token"}"#);
        // OmniFund's examples, read literally, post JSON: there the request is read, and lacks its client.
        let expected = match rules.id {
            "omnifund" => "invalid_client",
            _ => "invalid_request",
        };
        assert_eq!(sandbox_support::answer(json).await.error(), expected, "{}", rules.id);
        let form = http()
            .post(&url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(encode(&peer.refresh_fields("a")));
        let headers = form
            .header("authorization", "Basic YTpi")
            .header("authorization", "Basic YTpj");
        assert_eq!(
            sandbox_support::answer(headers).await.error(),
            "invalid_request",
            "{}",
            rules.id
        );
        let twice = [peer.refresh_fields("a"), fields(&[("refresh_token", "b")])].concat();
        assert_eq!(peer.token(&twice).await.error(), "invalid_request", "{}", rules.id);
        let query = http()
            .post(format!("{url}?grant_type=refresh_token"))
            .header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(
            sandbox_support::answer(query).await.error(),
            "invalid_request",
            "{}",
            rules.id
        );
    }
}

#[tokio::test]
async fn omnifund_takes_a_token_request_as_a_form_and_as_json() {
    let sandbox = start().await;
    let peer = peer(&sandbox, "omnifund");
    let mut request = peer.exchange_fields(&peer.code().await);
    set(&mut request, "client_id", &peer.client.client_id);
    set(&mut request, "client_secret", peer.client.client_secret.expose_secret());
    let object: serde_json::Map<_, _> = request.into_iter().map(|(name, value)| (name, value.into())).collect();
    let json = http()
        .post(format!("{}/oauth/v2/token", sandbox.oauth_url("omnifund")))
        .header("content-type", "application/json")
        .body(serde_json::Value::from(object).to_string());
    let tokens = sandbox_support::answer(json).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    assert_eq!(
        peer.refresh(&tokens.string("refresh_token")).await.status,
        200,
        "and as a form"
    );
}

#[tokio::test]
async fn the_authorization_server_refuses_in_the_form_of_oauth_whatever_is_wrong() {
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let url = format!("{}{}", sandbox.oauth_url(rules.id), rules.token);
        let get = sandbox_support::answer(http().get(&url)).await;
        assert_eq!((get.status, get.header("allow")), (405, "POST"), "{}", rules.id);
        let large = http().post(&url).body("x".repeat((1 << 20) + 1));
        let large = sandbox_support::answer(large).await;
        assert_eq!(large.status, 413, "{}", rules.id);
        let page = format!("{}{}", sandbox.oauth_url(rules.id), rules.authorize);
        let put = sandbox_support::answer(http().put(&page)).await;
        assert_eq!(put.status, 405, "{}", rules.id);
        for reply in [get, large, put] {
            assert_eq!(reply.error(), "invalid_request", "{}: {}", rules.id, reply.text);
            assert!(!reply.string("error_description").is_empty(), "{}", rules.id);
        }
    }
    // What is no endpoint has no form of an API at all.
    let nowhere = format!("{}/oauth/nothing", sandbox.oauth_url("finexer"));
    let nowhere = sandbox_support::answer(http().get(nowhere)).await;
    assert_eq!(nowhere.status, 404);
    assert!(
        nowhere.header("content-type").starts_with("text/html"),
        "{}",
        nowhere.text
    );
}

#[tokio::test]
async fn a_stolen_refresh_token_is_noticed_whatever_else_is_wrong_with_the_request() {
    let sandbox = start().await;
    for rules in played(&sandbox).filter(|rules| rules.rotates) {
        let peer = peer(&sandbox, rules.id);
        let first = peer.tokens().await.string("refresh_token");
        let second = peer.refresh(&first).await;
        let mut form = peer.refresh_fields(&first);
        set(&mut form, "scope", "never-granted");
        assert_eq!(peer.token(&form).await.error(), "invalid_grant", "{}", rules.id);
        assert_eq!(
            peer.refresh(&second.string("refresh_token")).await.error(),
            "invalid_grant",
            "{}: the family is gone",
            rules.id
        );
    }
}

#[tokio::test]
async fn finexer_names_the_account_that_was_connected() {
    let sandbox = start().await;
    let peer = peer(&sandbox, "finexer");
    let account = |callback: String| {
        let peer = &peer;
        async move {
            let form = peer.exchange_fields(&of_url(&callback, "code").unwrap());
            peer.token(&form).await.string("account_id")
        }
    };
    let url = peer.authorization_url(&peer.authorization());
    let mine = account(sandbox.approve(&url).await.unwrap()).await;
    let mine_again = account(sandbox.approve(&url).await.unwrap()).await;
    let theirs = account(sandbox.approve_as("somebody-else", &url).await.unwrap()).await;
    assert!(mine.starts_with("acc_"));
    assert_eq!(mine, mine_again);
    assert_ne!(mine, theirs);
}

#[tokio::test]
async fn lifetimes_and_grace_can_be_set() {
    let sandbox = start().await;
    let mx = peer(&sandbox, "mx");
    sandbox.set_access_token_lifetime("mx", Duration::from_secs(5));
    sandbox.set_refresh_token_lifetime("mx", Duration::from_secs(60));
    sandbox.set_refresh_grace("mx", Duration::from_secs(10));
    let tokens = mx.tokens().await;
    assert_eq!(tokens.json()["expires_in"], 5);
    sandbox.advance(Duration::from_secs(6));
    assert_eq!(mx.get("/accounts", &tokens.string("access_token")).await.status, 401);

    let first = tokens.string("refresh_token");
    assert_eq!(mx.refresh(&first).await.status, 200);
    sandbox.advance(Duration::from_secs(5));
    let again = mx.refresh(&first).await;
    assert_eq!(again.status, 200, "within the grace: {}", again.text);
    sandbox.advance(Duration::from_secs(6));
    assert_eq!(mx.refresh(&first).await.error(), "invalid_grant", "after the grace");
    assert_eq!(
        mx.refresh(&again.string("refresh_token")).await.error(),
        "invalid_grant",
        "and the family with it"
    );

    let tokens = mx.tokens().await;
    sandbox.advance(Duration::from_secs(61));
    assert_eq!(
        mx.refresh(&tokens.string("refresh_token")).await.error(),
        "invalid_grant"
    );
    for _ in 0..3 {
        sandbox.advance(Duration::MAX);
    }
    assert_eq!(mx.tokens().await.status, 200, "the clock has no end");
}

#[tokio::test]
async fn finexer_has_its_oauth_on_another_host() {
    let sandbox = start().await;
    let (api, oauth) = (sandbox.url("finexer"), sandbox.oauth_url("finexer"));
    for (url, status) in [
        (format!("{api}/oauth/token"), 404),
        (format!("{oauth}/oauth/token"), 401),
        (format!("{oauth}/customers"), 404),
        (format!("{api}/customers"), 401),
    ] {
        let request = http()
            .post(&url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=authorization_code");
        assert_eq!(sandbox_support::answer(request).await.status, status, "{url}");
    }
}
