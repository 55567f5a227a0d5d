//! The authorization endpoint of every provider: what a browser may bring, and where it goes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(feature = "sandbox")]

mod sandbox_support;

use finrail::sandbox::{Sandbox, SandboxError};
use sandbox_support::{CHALLENGE, VERIFIER, fields, http, of_url, peer, played, set, start, unset};

#[tokio::test]
async fn pkce_is_checked_where_it_is_required() {
    let sandbox = start().await;
    for rules in played(&sandbox).filter(|rules| rules.pkce) {
        let peer = peer(&sandbox, rules.id);
        for (name, value) in [
            ("code_challenge", None),
            ("code_challenge_method", None),
            ("code_challenge_method", Some("plain")),
            ("code_challenge", Some("short")),
        ] {
            let mut query = peer.authorization();
            match value {
                Some(value) => set(&mut query, name, value),
                None => unset(&mut query, name),
            }
            let callback = peer.allowed(&query).await;
            assert_eq!(
                of_url(&callback, "error").as_deref(),
                Some("invalid_request"),
                "{} {name}",
                rules.id
            );
            assert_eq!(
                of_url(&callback, "state").as_deref(),
                Some("the-state"),
                "{} {name}",
                rules.id
            );
        }
        let mut form = peer.exchange_fields(&peer.code().await);
        unset(&mut form, "code_verifier");
        assert_eq!(peer.token(&form).await.error(), "invalid_request", "{}", rules.id);
        set(&mut form, "code_verifier", &VERIFIER.replace('d', "e"));
        assert_eq!(peer.token(&form).await.error(), "invalid_grant", "{}", rules.id);
        set(&mut form, "code_verifier", VERIFIER);
        assert_eq!(peer.token(&form).await.status, 200, "{}", rules.id);
    }
}

/// A provider that says nothing of PKCE is played as one that does not know it: whoever counts on it is told by a test.
#[tokio::test]
async fn pkce_that_nobody_documents_is_ignored() {
    let sandbox = start().await;
    for rules in played(&sandbox).filter(|rules| !rules.pkce) {
        let peer = peer(&sandbox, rules.id);
        for verifier in [None, Some("not the verifier"), Some(VERIFIER)] {
            let mut query = peer.authorization();
            set(&mut query, "code_challenge", CHALLENGE);
            set(&mut query, "code_challenge_method", "S256");
            let code = of_url(&peer.allowed(&query).await, "code").unwrap();
            let mut form = peer.exchange_fields(&code);
            if let Some(verifier) = verifier {
                set(&mut form, "code_verifier", verifier);
            }
            assert_eq!(peer.token(&form).await.status, 200, "{} {verifier:?}", rules.id);
        }
    }
}

/// RFC 8252 section 7.3: a native application gets another port each time it starts.
#[tokio::test]
async fn a_loopback_redirect_may_have_any_port() {
    fn with_port(uri: &str, port: &str) -> String {
        uri.replace(":8000", "").replace("/cb", &format!("{port}/cb"))
    }
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let mut peer = peer(&sandbox, rules.id);
        for registered in ["http://127.0.0.1/cb?x=1", "http://[::1]:8000/cb"] {
            peer.client = sandbox.register_client(rules.id, &[registered]);
            for (uri, accepted) in [
                (registered.to_owned(), true),
                (with_port(registered, ":51004"), true),
                (with_port(registered, ""), true),
                (with_port(registered, ":0x50"), false),
                (with_port(registered, ":+80"), false),
                (registered.replace("/cb", "/other"), false),
                (registered.replace("http:", "https:"), false),
                ("http://127.0.0.1.attacker.example/cb".to_owned(), false),
                ("http://127.0.0.1:80@attacker.example/cb?x=1".to_owned(), false),
                ("http://localhost:8000/cb".to_owned(), false),
            ] {
                let mut query = peer.authorization();
                set(&mut query, "redirect_uri", &uri);
                let callback = sandbox.approve(&peer.authorization_url(&query)).await;
                assert_eq!(
                    callback.is_ok(),
                    accepted,
                    "{} {registered} {uri}: {callback:?}",
                    rules.id
                );
                let Ok(callback) = callback else { continue };
                assert!(
                    callback.starts_with(&uri),
                    "it comes back to the port that was asked for: {callback}"
                );
                let mut form = peer.exchange_fields(&of_url(&callback, "code").unwrap());
                if rules.redirect_at_code {
                    // The exchange repeats it, with this port.
                    set(&mut form, "redirect_uri", &uri);
                }
                assert_eq!(peer.token(&form).await.status, 200, "{} {uri}", rules.id);
            }
        }
        // No other host has this liberty.
        peer.client = sandbox.register_client(rules.id, &["https://app.example.com/cb"]);
        let mut query = peer.authorization();
        set(&mut query, "redirect_uri", "https://app.example.com:8443/cb");
        assert!(
            sandbox.approve(&peer.authorization_url(&query)).await.is_err(),
            "{}",
            rules.id
        );
    }
}

#[tokio::test]
async fn the_redirect_uri_is_the_registered_one_to_the_byte() {
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let peer = peer(&sandbox, rules.id);
        for wrong in ["https://attacker.example/cb", &format!("{}/", peer.client.redirect_uri)] {
            let mut query = peer.authorization();
            set(&mut query, "redirect_uri", wrong);
            let stopped = sandbox.approve(&peer.authorization_url(&query)).await;
            assert!(
                matches!(stopped, Err(SandboxError::Refused(_))),
                "{}: {stopped:?}",
                rules.id
            );
        }
        let mut query = peer.authorization();
        unset(&mut query, "redirect_uri");
        let without = sandbox.approve(&peer.authorization_url(&query)).await;
        assert_eq!(without.is_ok(), rules.id == "finexer", "{}: {without:?}", rules.id);

        let mut form = peer.exchange_fields(&peer.code().await);
        set(&mut form, "redirect_uri", &peer.client.redirect_uri.to_uppercase());
        let expected = if rules.id == "tatrabanka" {
            "invalid_redirect_uri"
        } else {
            "invalid_grant"
        };
        assert_eq!(peer.token(&form).await.error(), expected, "{}", rules.id);
        if rules.id == "finexer" {
            // It was in neither request: the code went to the app's own, and no other may stand here.
            let mut query = peer.authorization();
            unset(&mut query, "redirect_uri");
            let code = of_url(&peer.allowed(&query).await, "code").unwrap();
            let mut form = peer.exchange_fields(&code);
            set(&mut form, "redirect_uri", "https://attacker.example/cb");
            assert_eq!(peer.token(&form).await.error(), "invalid_grant");
            set(&mut form, "redirect_uri", &peer.client.redirect_uri);
            assert_eq!(peer.token(&form).await.status, 200);
        }
        unset(&mut form, "redirect_uri");
        let without = peer.token(&form).await;
        assert_eq!(
            without.status == 200,
            !rules.redirect_at_code,
            "{}: {}",
            rules.id,
            without.text
        );
    }
}

#[tokio::test]
async fn ofx_takes_no_plain_http_for_the_way_back() {
    let sandbox = start().await;
    for (uri, accepted) in [
        ("http://app.example.com/cb", false),
        ("https://app.example.com/cb?x=1", true),
        ("demoapp://redirect", true),
        ("http://127.0.0.1:9000/cb", true),
    ] {
        let mut peer = peer(&sandbox, "ofx");
        peer.client = sandbox.register_client("ofx", &[uri]);
        let end = sandbox.approve(&peer.authorization_url(&peer.authorization())).await;
        assert_eq!(end.is_ok(), accepted, "{uri}: {end:?}");
        if let Ok(callback) = end {
            assert!(
                callback.starts_with(uri) && of_url(&callback, "code").is_some(),
                "{callback}"
            );
        }
    }
}

#[tokio::test]
async fn authorization_requests_ask_for_known_scopes() {
    // provider, scope, the code that comes back; none: the browser stays
    let table = [
        ("ofx", "nonsense", Some("invalid_scope")),
        ("ofx", "", Some("invalid_request")),
        ("mx", "customers accounts", None),
        ("mx", "openid nonsense", None),
        ("tatrabanka", "PREMIUM_PIS", Some("invalid_scope")),
        ("tatrabanka", "PREMIUM_AIS:not-a-consent", Some("invalid_scope")),
        ("tatrabanka", "PREMIUM_AIS PREMIUM_PIS", Some("invalid_scope")),
        ("tatrabanka", "PREMIUM_AIS:", Some("invalid_scope")),
    ];
    let sandbox = start().await;
    for (id, scope, expected) in table {
        let peer = peer(&sandbox, id);
        let mut query = peer.authorization();
        set(&mut query, "scope", scope);
        let end = sandbox.approve(&peer.authorization_url(&query)).await;
        let error = end.ok().and_then(|callback| of_url(&callback, "error"));
        assert_eq!(error.as_deref(), expected, "{id} {scope}");
    }
}

#[tokio::test]
async fn scopes_are_separated_by_what_the_provider_documents() {
    // provider, scopes, whether they are taken
    let table = [
        ("mx", "openid accounts", true),
        ("mx", "openid,accounts", false),
        ("mx", "openid, accounts", false),
        ("ofx", "payments,payments", false),
        ("finexer", "customer_read customer_write", true),
        ("finexer", "customer_read,customer_write", true),
        ("finexer", "", true),
    ];
    let sandbox = start().await;
    for (id, scope, taken) in table {
        let peer = peer(&sandbox, id);
        let mut query = peer.authorization();
        set(&mut query, "scope", scope);
        let end = sandbox.approve(&peer.authorization_url(&query)).await;
        let code = end.as_ref().ok().and_then(|callback| of_url(callback, "code"));
        assert_eq!(code.is_some(), taken, "{id} {scope}: {end:?}");
        if let ("mx", Err(refused)) = (id, &end) {
            assert!(refused.to_string().contains("invalid_scope"), "{refused}");
        }
    }
}

#[tokio::test]
async fn a_list_of_scopes_that_may_lack_some_refuses_none() {
    let bundle = include_str!("../specs/bundled/finexer.json");
    let mut spec: serde_json::Value = serde_json::from_str(bundle).unwrap();
    for (complete, expected) in [(true, Some("invalid_scope")), (false, None)] {
        spec["components"]["securitySchemes"]["oauth"]["x-oauth"]["scopes_complete"] = complete.into();
        let address = ([127, 0, 0, 1], 0).into();
        let sandbox = Sandbox::start_from(address, &[&spec.to_string()]).await.unwrap();
        let peer = peer(&sandbox, "finexer");
        let mut query = peer.authorization();
        set(&mut query, "scope", "customer_read payment_read");
        let callback = peer.allowed(&query).await;
        assert_eq!(of_url(&callback, "error").as_deref(), expected);
        if let Some(code) = of_url(&callback, "code") {
            let tokens = peer.token(&peer.exchange_fields(&code)).await;
            assert_eq!(tokens.string("scope"), "customer_read,payment_read");
        }
    }
}

#[tokio::test]
async fn a_refusal_comes_back_as_the_provider_documents_it_or_as_the_standard_has_it() {
    // provider, what comes back, whether its own pages show it; else it is RFC 6749 section 4.1.2.1
    let table = [
        ("ofx", "error=access_denied&state=the-state", true),
        ("finexer", "error=access_denied&error_code=access_denied", true),
        ("mx", "error=access_denied&state=the-state", false),
        ("omnifund", "error=access_denied&state=the-state", false),
        ("tatrabanka", "error=access_denied&state=the-state", false),
    ];
    let sandbox = start().await;
    for (id, expected, is_documented) in table {
        let peer = peer(&sandbox, id);
        let callback = sandbox
            .deny(&peer.authorization_url(&peer.authorization()))
            .await
            .unwrap();
        assert_eq!(callback, format!("{}?{expected}", peer.client.redirect_uri), "{id}");
        let path = format!("{}/specs/bundled/{id}.json", env!("CARGO_MANIFEST_DIR"));
        let spec: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let grade = &spec["components"]["securitySchemes"]["oauth"]["x-oauth"]["grades"]["refusal_error"];
        assert_eq!(
            grade.as_str(),
            if is_documented { None } else { Some("inferred") },
            "{id}"
        );
    }
}

#[tokio::test]
async fn who_takes_back_every_scope_refuses() {
    let sandbox = start().await;
    for (id, chosen, is_refused) in [
        ("finexer", &[][..], true),
        ("finexer", &["customer_write"], false),
        ("ofx", &[], true),
        ("tatrabanka", &[], true),
        ("tatrabanka", &["PREMIUM_AIS"], false),
        // A user who was asked for no scope has none to take back.
        ("omnifund", &[], false),
    ] {
        let peer = peer(&sandbox, id);
        let url = peer.authorization_url(&peer.authorization());
        let callback = sandbox.approve_only(chosen, &url).await.unwrap();
        let error = of_url(&callback, "error");
        assert_eq!(
            error.as_deref() == Some("access_denied"),
            is_refused,
            "{id} {chosen:?}: {callback}"
        );
        assert_eq!(
            of_url(&callback, "code").is_none(),
            is_refused,
            "{id} {chosen:?}: {callback}"
        );
    }
}

#[tokio::test]
async fn a_sandbox_listens_on_loopback_only() {
    for address in [
        ([0, 0, 0, 0], 0).into(),
        ([192, 0, 2, 1], 0).into(),
        "[::]:0".parse().unwrap(),
    ] {
        let started = Sandbox::start_on(address).await;
        assert!(matches!(started, Err(SandboxError::NotLoopback)), "{address}");
    }
    let six = "[::1]:0".parse().unwrap();
    if std::net::TcpListener::bind(six).is_err() {
        // A machine without IPv6.
        return;
    }
    let sandbox = Sandbox::start_on(six).await.unwrap();
    let peer = peer(&sandbox, "ofx");
    assert!(
        sandbox.url("ofx").starts_with("http://[::1]:"),
        "{}",
        sandbox.url("ofx")
    );
    let tokens = peer.tokens().await;
    let reply = peer.get(peer.rules.call, &tokens.string("access_token")).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_user_may_allow_a_part() {
    let sandbox = start().await;
    let finexer = peer(&sandbox, "finexer");
    let url = finexer.authorization_url(&finexer.authorization());
    let callback = sandbox.approve_only(&["customer_read"], &url).await.unwrap();
    let tokens = finexer
        .token(&finexer.exchange_fields(&of_url(&callback, "code").unwrap()))
        .await;
    assert_eq!(tokens.string("scope"), "customer_read");
    let mx = peer(&sandbox, "mx");
    let url = mx.authorization_url(&mx.authorization());
    let callback = sandbox.approve_only(&["accounts"], &url).await.unwrap();
    let tokens = mx.token(&mx.exchange_fields(&of_url(&callback, "code").unwrap())).await;
    assert_eq!(tokens.string("scope"), "openid accounts");
}

#[tokio::test]
async fn a_person_can_use_the_page() {
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let peer = peer(&sandbox, rules.id);
        let url = peer.authorization_url(&peer.authorization());
        let page = sandbox_support::answer(http().get(&url)).await;
        assert_eq!(page.status, 200, "{}", rules.id);
        assert!(page.header("content-type").starts_with("text/html"), "{}", rules.id);
        assert!(
            page.text.contains(">Allow</button>") && page.text.contains(">Deny</button>"),
            "{}",
            page.text
        );

        let submit = |password: &str| {
            let form = fields(&[
                ("username", &peer.client.username),
                ("password", password),
                ("decision", "allow"),
            ]);
            http()
                .post(&url)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(sandbox_support::encode(&form))
        };
        let wrong = sandbox_support::answer(submit("wrong")).await;
        assert!(
            wrong.status == 400 && wrong.text.contains("password is wrong"),
            "{}",
            rules.id
        );
        let right = sandbox_support::answer(submit(peer.client.password.expose_secret())).await;
        assert_eq!(right.status, 302, "{}", rules.id);
        assert!(of_url(right.header("location"), "code").is_some(), "{}", rules.id);
    }
}

#[tokio::test]
async fn an_address_elsewhere_is_not_approved() {
    let sandbox = start().await;
    for url in [
        "https://sandbox.api.ofx.com/v1/oauth/authorize?client_id=x",
        "nonsense",
        "",
    ] {
        assert!(
            matches!(sandbox.approve(url).await, Err(SandboxError::NotHere)),
            "{url}"
        );
    }
    let nowhere = format!("{}/payments/quotes", sandbox.url("ofx"));
    assert!(matches!(sandbox.approve(&nowhere).await, Err(SandboxError::Refused(_))));
}
