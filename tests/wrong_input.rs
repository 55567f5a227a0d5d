//! Wrong settings, wrong callbacks, wrong servers: each is an error of its own kind that says what to do, and none panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;

use finrail::oauth::wire::TokenRequest;
use finrail::oauth::{self, Pending};
use finrail::sandbox::{Sandbox, SandboxError};
use finrail::transport::{ConnectionPoint, Outcome, Problem, RetryPolicy};
use finrail::{ConfigError, Error, finexer, mx, ofx, omnifund, tatrabanka, token};
use recorder::{Answer, Recorder, pairs};
use url::Url;

const NO_SCOPES: [&str; 0] = [];
const REDIRECT: &str = "https://app.example.com/callback";

/// An app at the sandbox, with one thing changed.
macro_rules! app {
    ($sandbox:expr, $provider:ident) => {
        app!(
            $sandbox,
            $provider,
            $sandbox.client(stringify!($provider)).client_secret
        )
    };
    ($sandbox:expr, $provider:ident, $secret:expr) => {{
        let client = $sandbox.client(stringify!($provider));
        $provider::App::builder()
            .base_url($sandbox.url(stringify!($provider)))
            .oauth_base_url($sandbox.oauth_url(stringify!($provider)))
            .credentials($provider::Credentials::new(client.client_id, $secret))
            .redirect_uri(client.redirect_uri)
            .build()
            .unwrap()
    }};
}

/// The text has every one of these parts.
#[track_caller]
fn says(error: &impl std::fmt::Display, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

/// What stands behind an error.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(" <- ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

/// The pending authorization with a field changed, as if it had been stored wrongly.
fn changed(pending: &Pending, field: &str, value: serde_json::Value) -> Pending {
    let mut json = serde_json::to_value(pending).unwrap();
    json[field] = value;
    serde_json::from_value(json).unwrap()
}

#[tokio::test]
async fn a_wrong_client_secret_is_told_as_such_by_every_grant_of_every_provider() {
    let sandbox = Sandbox::start().await.unwrap();
    macro_rules! code_exchange {
        ($provider:ident, $scope:expr) => {{
            let app = app!(sandbox, $provider, "wrong");
            let authorization = app.authorize($scope).unwrap();
            let callback = sandbox.approve(authorization.url.as_str()).await.unwrap();
            let error = app.finish(authorization.pending, &callback).await.unwrap_err();
            assert!(matches!(error, oauth::Error::Server(_)), "{error:?}");
            assert_eq!(error.code(), Some("invalid_client"), "{}", stringify!($provider));
            assert!(!error.is_retryable());
            says(
                &error,
                &["code exchange", "check the client id, the secret and the environment"],
            );
        }};
    }
    code_exchange!(ofx, ["payments"]);
    code_exchange!(mx, ["accounts"]);
    code_exchange!(omnifund, NO_SCOPES);
    code_exchange!(tatrabanka, [tatrabanka::Scope::PremiumAis]);
    code_exchange!(finexer, ["customer_read"]);

    // The same, met by a call: there is no token for it.
    macro_rules! call {
        ($client:expr, $method:ident) => {{
            let error = $client.$method().send().await.unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::Auth {
                        error: token::Error::ClientMisconfigured { .. },
                        ..
                    }
                ),
                "{error:?}"
            );
            assert_eq!(error.outcome(), Outcome::NotSent);
            assert!(!error.is_retryable() && !error.reauthorization_required());
            says(&error, &["check its id, secret and allowed grants"]);
            assert!(chain(&error).contains("invalid_client"), "{}", chain(&error));
        }};
    }
    call!(
        app!(sandbox, ofx, "wrong").client_credentials(["payments"]).unwrap(),
        list_beneficiaries
    );
    call!(
        app!(sandbox, tatrabanka, "wrong")
            .client_credentials(["PREMIUM_AIS"])
            .unwrap(),
        create_consent
    );

    let error = app!(sandbox, omnifund, "wrong")
        .password("user", "pw", NO_SCOPES)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("invalid_client"));
    let client = sandbox.client("omnifund");
    let error = app!(sandbox, omnifund)
        .password(&client.username, "wrong", NO_SCOPES)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("invalid_grant"));
}

#[tokio::test]
async fn a_wrong_redirect_uri_is_refused_at_either_end() {
    let sandbox = Sandbox::start().await.unwrap();
    macro_rules! at_the_page {
        ($provider:ident, $scope:expr) => {{
            let app = app!(sandbox, $provider);
            let mut url = app.authorize($scope).unwrap().url;
            let query: Vec<(String, String)> = pairs(url.query().unwrap());
            url.query_pairs_mut()
                .clear()
                .extend_pairs(query.iter().filter(|(name, _)| name != "redirect_uri"));
            url.query_pairs_mut()
                .append_pair("redirect_uri", "https://elsewhere.example/cb");
            let error = sandbox.approve(url.as_str()).await.unwrap_err();
            assert!(matches!(error, SandboxError::Refused(_)), "the browser stays: {error}");
        }};
    }
    at_the_page!(ofx, ["payments"]);
    at_the_page!(mx, ["accounts"]);
    at_the_page!(finexer, ["customer_read"]);

    macro_rules! at_the_exchange {
        ($provider:ident, $scope:expr, $says:expr) => {{
            let app = app!(sandbox, $provider);
            let authorization = app.authorize($scope).unwrap();
            let callback = sandbox.approve(authorization.url.as_str()).await.unwrap();
            let pending = changed(
                &authorization.pending,
                "redirect_uri",
                "https://elsewhere.example/cb".into(),
            );
            // Only what says nothing of where it came to gets as far as the server.
            let error = app.finish(pending.clone(), &callback).await.unwrap_err();
            assert!(matches!(error, oauth::Error::RedirectUriMismatch), "{error:?}");
            let query = &callback[callback.find('?').unwrap()..];
            let error = app.finish(pending, query).await.unwrap_err();
            assert!(matches!(error, oauth::Error::Server(_)), "{error:?}");
            says(&error, $says);
        }};
    }
    at_the_exchange!(ofx, ["payments"], &["invalid_grant", "authorize again"]);
    at_the_exchange!(mx, ["accounts"], &["invalid_grant"]);
    at_the_exchange!(
        tatrabanka,
        [tatrabanka::Scope::PremiumAis],
        &[
            "invalid_redirect_uri",
            "it must be registered, and the same in both requests"
        ]
    );
}

#[test]
fn a_redirect_uri_that_cannot_work_is_refused_before_anything_is_sent() {
    let app = |uri: &str| {
        let app = ofx::App::builder().credentials(ofx::Credentials::new("id", "secret"));
        app.redirect_uri(uri).build().unwrap()
    };
    for (uri, part) in [
        ("http://app.example.com/callback", "https or a custom scheme"),
        ("app.example.com/callback", "not an absolute URI"),
        ("https://app.example.com/callback#part", "must not have a fragment"),
        ("javascript:alert(1)", "cannot receive a callback"),
    ] {
        let error = app(uri).authorize(["payments"]).unwrap_err();
        assert!(matches!(error, oauth::Error::RedirectUri { .. }), "{error:?}");
        says(&error, &["redirect URI: ", part]);
    }
    for uri in [
        "https://app.example.com/cb",
        "demoapp://redirect",
        "http://127.0.0.1:9000/cb",
        "http://localhost/cb",
    ] {
        app(uri).authorize(["payments"]).unwrap();
    }
    let none = ofx::App::builder()
        .credentials(ofx::Credentials::new("id", "secret"))
        .build()
        .unwrap();
    says(
        &none.authorize(["payments"]).unwrap_err(),
        &["the provider demands one; set it on the app"],
    );
}

#[tokio::test]
async fn without_pkce_neither_the_page_nor_the_exchange_goes_on() {
    let sandbox = Sandbox::start().await.unwrap();
    let app = app!(sandbox, mx);
    let authorization = app.authorize(["accounts"]).unwrap();
    let mut bare = authorization.url.clone();
    let query = pairs(bare.query().unwrap());
    bare.query_pairs_mut()
        .clear()
        .extend_pairs(query.iter().filter(|(name, _)| !name.starts_with("code_challenge")));
    let callback = sandbox.approve(bare.as_str()).await.unwrap();
    let error = app.finish(authorization.pending, &callback).await.unwrap_err();
    assert_eq!(
        error.refusal().map(|refusal| refusal.is_access_denied()),
        Some(false),
        "{error}"
    );
    says(&error, &["the authorization was refused: invalid_request"]);

    // The verifier is forgotten: by a stored authorization, and by a bare call.
    for bare_call in [false, true] {
        let authorization = app.authorize(["accounts"]).unwrap();
        let callback = sandbox.approve(authorization.url.as_str()).await.unwrap();
        if bare_call {
            let registered = sandbox.client("mx");
            let client = mx::oauth::Client::builder()
                .base_url(sandbox.oauth_url("mx"))
                .credentials(mx::Credentials::new(registered.client_id, registered.client_secret))
                .build()
                .unwrap();
            let code = pairs(Url::parse(&callback).unwrap().query().unwrap())
                .into_iter()
                .find(|(name, _)| name == "code");
            let mut body = TokenRequest::new("authorization_code");
            body.code = code.map(|(_, code)| code.into());
            body.redirect_uri = Some(registered.redirect_uri);
            let error = client.create_token().body(body).send().await.unwrap_err();
            assert!(matches!(error, Error::ErrorResponse(_)), "{error:?}");
            assert_eq!(error.outcome(), Outcome::Rejected);
            assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
        } else {
            let pending = changed(&authorization.pending, "verifier", serde_json::Value::Null);
            let error = app.finish(pending, &callback).await.unwrap_err();
            assert_eq!(error.code(), Some("invalid_request"), "{error}");
            says(&error, &["a parameter is missing or wrong"]);
            assert!(
                error.description().unwrap().contains("code_verifier is missing"),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn a_callback_that_does_not_belong_to_the_authorization_is_not_used() {
    let sandbox = Sandbox::start().await.unwrap();
    let app = app!(sandbox, ofx);
    let redirect = sandbox.client("ofx").redirect_uri;
    let authorization = app.authorize(["payments"]).unwrap();
    let pending = authorization.pending;
    let state = pending.state().expose_secret().to_owned();
    let stranger = app.authorize(["payments"]).unwrap().pending;
    let foreign = stranger.state().expose_secret();

    let advice = "start the authorization again and do not use the code";
    let whole = "give the whole URL";
    for (callback, parts) in [
        (
            format!("{redirect}?code=c&state={foreign}"),
            vec!["its state is missing or differs", advice],
        ),
        (
            format!("{redirect}?code=c"),
            vec!["its state is missing or differs", advice],
        ),
        (
            format!("{redirect}?code=c&state="),
            vec!["its state is missing or differs", advice],
        ),
        (
            format!("{redirect}?error=access_denied"),
            vec!["its state is missing or differs"],
        ),
        (
            format!("{redirect}?error=access_denied&state={foreign}"),
            vec!["its state is missing or differs"],
        ),
        (redirect.clone(), vec!["has no query", whole]),
        (String::new(), vec!["has no query", whole]),
        (format!("{redirect}#code=c&state={state}"), vec!["has no query", whole]),
        (
            format!("{redirect}?code=c&code=d&state={state}"),
            vec!["has a parameter twice", "tampered with"],
        ),
        (
            format!("{redirect}?code=c&state={state}&state={state}"),
            vec!["has a parameter twice"],
        ),
        (
            format!("{redirect}?error=a&error=b&state={state}"),
            vec!["has a parameter twice"],
        ),
        (format!("{redirect}?state={state}"), vec!["neither a code nor an error"]),
        (
            format!("{redirect}?code=&state={state}"),
            vec!["neither a code nor an error"],
        ),
        (
            format!("{redirect}?state={state}&{}", "x".repeat(20_000)),
            vec!["is longer than any callback"],
        ),
    ] {
        let error = app.finish(pending.clone(), &callback).await.unwrap_err();
        let known = matches!(error, oauth::Error::StateMismatch | oauth::Error::Callback(_));
        assert!(known, "{callback}: {error:?}");
        says(&error, &parts);
    }
    assert!(sandbox.requests("ofx").is_empty(), "nothing was sent");
}

#[tokio::test]
async fn the_issuer_in_a_callback_must_be_the_expected_one() {
    let build = || {
        let app = ofx::App::builder()
            .credentials(ofx::Credentials::new("id", "secret"))
            .redirect_uri(REDIRECT);
        app.issuer("https://bank.example")
            .base_url("http://127.0.0.1:9")
            .build()
            .unwrap()
    };
    let pending = build().authorize(["payments"]).unwrap().pending;
    // A refusal too is believed of nobody else (RFC 9207 section 2.4).
    for result in ["code=c", "error=access_denied"] {
        let callback = format!(
            "{REDIRECT}?{result}&iss=https://evil.example&state={}",
            pending.state().expose_secret()
        );
        let error = build().finish(pending.clone(), &callback).await.unwrap_err();
        assert!(matches!(error, oauth::Error::IssuerMismatch), "{error:?}");
        says(&error, &["names another issuer", "do not use the code"]);
    }
    let callback = format!(
        "{REDIRECT}?error=access_denied&iss=https://bank.example&state={}",
        pending.state().expose_secret()
    );
    let error = build().finish(pending, &callback).await.unwrap_err();
    assert!(
        error.refusal().is_some_and(oauth::Refusal::is_access_denied),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_refusal_of_the_user_is_an_error_of_its_own() {
    let sandbox = Sandbox::start().await.unwrap();
    macro_rules! refused {
        ($provider:ident, $scope:expr) => {{
            let app = app!(sandbox, $provider);
            let authorization = app.authorize($scope).unwrap();
            let callback = sandbox.deny(authorization.url.as_str()).await.unwrap();
            let error = app.finish(authorization.pending, &callback).await.unwrap_err();
            (stringify!($provider), error)
        }};
    }
    for (provider, error) in [
        refused!(ofx, ["payments"]),
        refused!(mx, ["accounts"]),
        refused!(tatrabanka, [tatrabanka::Scope::PremiumAis]),
        refused!(finexer, ["customer_read"]),
    ] {
        assert!(
            error.refusal().is_some_and(|refusal| refusal.is_access_denied()),
            "{provider}: {error:?}"
        );
        says(&error, &["access_denied", "the user may be asked again"]);
    }
}

#[tokio::test]
async fn a_code_is_good_for_one_exchange() {
    let sandbox = Sandbox::start().await.unwrap();
    macro_rules! replayed {
        ($provider:ident, $scope:expr) => {{
            let app = app!(sandbox, $provider);
            let authorization = app.authorize($scope).unwrap();
            let callback = sandbox.approve(authorization.url.as_str()).await.unwrap();
            app.finish(authorization.pending.clone(), &callback).await.unwrap();
            let error = app.finish(authorization.pending.clone(), &callback).await.unwrap_err();
            assert!(matches!(error, oauth::Error::AuthorizationUsed), "{error:?}");
            // What knows nothing of the first time, as a thief would: the server knows.
            let elsewhere = app!(sandbox, $provider);
            let error = elsewhere.finish(authorization.pending, &callback).await.unwrap_err();
            assert_eq!(
                error.code(),
                Some("invalid_grant"),
                "{}: {error}",
                stringify!($provider)
            );
            assert_eq!(error.verdict(), token::Verdict::Dead);
            says(
                &error,
                &[
                    "is used, expired or not this client's",
                    "the user has to authorize again",
                ],
            );
        }};
    }
    replayed!(ofx, ["payments"]);
    replayed!(mx, ["accounts"]);
    replayed!(omnifund, NO_SCOPES);
    replayed!(tatrabanka, [tatrabanka::Scope::PremiumAis]);
    replayed!(finexer, ["customer_read"]);
}

#[tokio::test]
async fn a_call_whose_token_lacks_the_scope_is_not_sent() {
    let sandbox = Sandbox::start().await.unwrap();
    let own = app!(sandbox, ofx).client_credentials([ofx::Scope::Payments]).unwrap();
    let rate = own.get_rate().from_currency("AUD").to_currency("USD").amount(100);
    let error = rate.send().await.unwrap_err();
    let Error::MissingScope(missing) = &error else {
        panic!("{error:?}")
    };
    assert_eq!((missing.operation, missing.scope), ("get_rate", "ofxrates"));
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert!(!error.is_retryable());
    says(&error, &["get_rate", "`ofxrates`", "request it in the authorization"]);
    assert!(
        sandbox
            .requests("ofx")
            .iter()
            .all(|request| request.path == "/oauth/token"),
        "the call was not sent"
    );

    let app = app!(sandbox, mx);
    let authorization = app.authorize([mx::Scope::Customers]).unwrap();
    let callback = sandbox.approve(authorization.url.as_str()).await.unwrap();
    let user = app.finish(authorization.pending, &callback).await.unwrap();
    says(
        &user.client().list_accounts().send().await.unwrap_err(),
        &["`accounts`"],
    );

    // A connection for accounts cannot submit a payment (Tatra banka's tokens are per scope).
    let app = app!(sandbox, tatrabanka);
    let authorization = app.authorize([tatrabanka::Scope::PremiumAis]).unwrap();
    let callback = sandbox.approve(authorization.url.as_str()).await.unwrap();
    let user = app.finish(authorization.pending, &callback).await.unwrap();
    let submit = user
        .client()
        .submit_payment()
        .product("sepa-credit-transfers")
        .payment_id("p")
        .authorization_id("a");
    let error = submit.send().await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    says(&error, &["`PREMIUM_PIS`"]);
}

#[test]
fn scopes_that_the_provider_does_not_take_are_refused_before_a_url_is_built() {
    let app = tatrabanka::App::builder()
        .credentials(tatrabanka::Credentials::new("id", "secret"))
        .redirect_uri(REDIRECT);
    let app = app.build().unwrap();
    use tatrabanka::Scope::{PremiumAis, PremiumPis};
    let two = app.authorize([PremiumAis.of("c"), PremiumPis.of("a")]).unwrap_err();
    says(&two, &["grants one scope per authorization", "authorize once for each"]);
    says(
        &app.authorize([PremiumPis]).unwrap_err(),
        &["give its id", "PREMIUM_PIS:{authorizationId}"],
    );
    // An id that would be read as a second scope, or as none.
    for id in ["", " ", "a PREMIUM_PIS:b", "a,b", "a\tb", "a\"b", "a\\b", "\u{e9}"] {
        let error = app.authorize([PremiumPis.of(id)]).unwrap_err();
        assert!(matches!(error, oauth::Error::Scope(_)), "{id:?}: {error:?}");
        says(&error, &["`PREMIUM_PIS`", "no scope has"]);
    }
    app.authorize([PremiumPis.of("99391c7e-ad88_49ec:a2ad~1.0/+=")])
        .unwrap();
    let ofx = ofx::App::builder()
        .credentials(ofx::Credentials::new("id", "secret"))
        .redirect_uri(REDIRECT)
        .build()
        .unwrap();
    for scope in ["", "a b", "a,b", "a\"b", "a\nb", "\u{e9}"] {
        let error = ofx.authorize([scope]).unwrap_err();
        assert!(matches!(error, oauth::Error::Scope(_)), "{scope:?}: {error:?}");
    }
    says(
        &ofx.authorize([ofx::Scope::Payments.of("x")]).unwrap_err(),
        &["is not bound to an id at OFX"],
    );
}

#[tokio::test]
async fn a_host_that_is_not_there_is_told_from_one_that_broke_off() {
    // A port that was free a moment ago.
    let closed = Recorder::in_order([Answer::Drop]).await.origin().to_owned();
    let build = |base: &str, oauth: &str| {
        let app = ofx::App::builder()
            .base_url(base)
            .oauth_base_url(oauth)
            .retry(RetryPolicy::none());
        app.credentials(ofx::Credentials::new("id", "secret"))
            .redirect_uri(REDIRECT)
            .build()
            .unwrap()
    };
    let there = Recorder::granting(|_, _| Answer::Drop).await;

    let own = build(&closed, there.origin()).client_credentials(["payments"]).unwrap();
    let error = own.list_beneficiaries().send().await.unwrap_err();
    let Error::Connection(connection) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(connection.point, ConnectionPoint::Connect);
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert!(error.is_retryable());
    says(&error, &["list_beneficiaries", "check the host and the network"]);

    let own = build(there.origin(), there.origin())
        .client_credentials(["payments"])
        .unwrap();
    let error = own.create_deal().body_map(|deal| deal).send().await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    says(&error, &["create_deal", "may have taken effect"]);

    // The authorization server is not there: the grant is not blamed for it.
    let own = build(there.origin(), &closed).client_credentials(["payments"]).unwrap();
    let error = own.list_beneficiaries().send().await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Auth {
                error: token::Error::Transient { .. },
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.is_retryable() && !error.reauthorization_required());
    says(&error, &["the grant lives", "try again later"]);
    assert!(
        chain(&error).contains("check the host and the network"),
        "{}",
        chain(&error)
    );

    let app = build(there.origin(), &closed);
    let pending = app.authorize(["payments"]).unwrap().pending;
    let callback = format!("{REDIRECT}?code=c&state={}", pending.state().expose_secret());
    let error = app.finish(pending, &callback).await.unwrap_err();
    assert!(
        matches!(error, oauth::Error::Connection { sent: false, .. }),
        "{error:?}"
    );
    assert!(error.is_retryable(), "the code was not spent");
    says(&error, &["code exchange", "check the host and the network"]);
}

#[tokio::test]
async fn html_instead_of_json_is_an_outage_and_no_verdict() {
    const PAGE: &str = "<html><body>Sign in</body></html>";
    let app = |recorder: &Recorder| {
        let app = ofx::App::builder()
            .base_url(recorder.origin())
            .retry(RetryPolicy::none());
        app.credentials(ofx::Credentials::new("id", "secret"))
            .redirect_uri(REDIRECT)
            .build()
            .unwrap()
    };
    // At the token endpoint.
    for status in [200, 302, 400, 403, 502, 503] {
        let recorder = Recorder::in_order([Answer::html(status, PAGE)]).await;
        let own = app(&recorder).client_credentials(["payments"]).unwrap();
        let error = own.list_beneficiaries().send().await.unwrap_err();
        assert!(
            matches!(
                error,
                Error::Auth {
                    error: token::Error::Transient { .. },
                    ..
                }
            ),
            "{status}: {error:?}"
        );
        assert!(!error.reauthorization_required());

        let app = app(&recorder);
        let pending = app.authorize(["payments"]).unwrap().pending;
        let callback = format!("{REDIRECT}?code=c&state={}", pending.state().expose_secret());
        let error = app.finish(pending, &callback).await.unwrap_err();
        assert!(matches!(error, oauth::Error::Reply { .. }), "{status}: {error:?}");
        // The code may be spent: the same callback does not bring another one.
        assert!(
            !error.is_retryable() && !error.may_succeed_later(),
            "{status}: {error:?}"
        );
        says(&error, &["start the authorization again"]);
        let advice = match status {
            200 => "the reply is not a JSON object",
            302 => "correct the endpoint",
            _ => "a proxy or an outage page may have answered",
        };
        says(&error, &["code exchange", advice, &status.to_string()]);
    }
    // At a resource.
    for (status, outcome) in [
        (200, Outcome::Unknown),
        (400, Outcome::Rejected),
        (403, Outcome::Rejected),
        (502, Outcome::Unknown),
    ] {
        let recorder = Recorder::granting(move |_, _| Answer::html(status, PAGE).header("x-request-id", "r-1")).await;
        let own = app(&recorder).client_credentials(["payments"]).unwrap();
        let error = own.list_beneficiaries().send().await.unwrap_err();
        let Error::InvalidReply(reply) = &error else {
            panic!("{error:?}")
        };
        assert!(
            matches!(reply.problem, Problem::ErrorBody { .. } | Problem::NotJson { .. }),
            "{reply:?}"
        );
        assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (outcome, status));
        says(
            &error,
            &[
                "list_beneficiaries",
                "text/html",
                "a proxy or an outage page may have answered",
                "(request id r-1)",
            ],
        );
        assert!(!format!("{error} {error:?}").contains("Sign in"), "no body is shown");
    }
}

#[test]
fn settings_that_cannot_work_are_refused_when_the_app_is_built() {
    let credentials = || ofx::Credentials::new("id", "secret");
    let plain = "plain http is accepted for loopback addresses only; use https";
    let set = |change: &dyn Fn(finrail::AppBuilder<ofx::Provider>) -> finrail::AppBuilder<ofx::Provider>| {
        change(ofx::App::builder().credentials(credentials()))
            .build()
            .unwrap_err()
    };
    for (error, parts) in [
        (set(&|app| app.base_url("http://api.bank.example")), ["base URL", plain]),
        (
            set(&|app| app.oauth_base_url("http://api.bank.example")),
            ["OAuth base URL", plain],
        ),
        (
            set(&|app| app.token_endpoint("http://api.bank.example/token")),
            ["token endpoint", plain],
        ),
        (
            set(&|app| app.revocation_endpoint("http://api.bank.example/revoke")),
            ["revocation endpoint", plain],
        ),
        (
            set(&|app| app.authorization_endpoint("http://b.example/authorize")),
            ["authorization endpoint", plain],
        ),
        (
            set(&|app| app.base_url("api.bank.example")),
            ["base URL", "not an absolute URL"],
        ),
        (
            set(&|app| app.base_url("https://api.bank.example?key=1")),
            ["base URL", "has a query"],
        ),
        (
            set(&|app| app.base_url("https://user:pw@api.bank.example")),
            ["base URL", "use credentials"],
        ),
    ] {
        assert!(matches!(error, ConfigError::Url { .. }), "{error:?}");
        says(&error, &parts);
    }
    let none = mx::App::builder()
        .credentials(mx::Credentials::new("id", "secret"))
        .build()
        .unwrap_err();
    assert_eq!(none, ConfigError::MissingBaseUrl("MX Data Access"));
    says(&none, &["give it with `base_url`"]);
    let none = ofx::App::builder().build().unwrap_err();
    assert_eq!(none, ConfigError::MissingCredentials("OFX"));
    says(
        &none,
        &["OFX_CLIENT_ID", "OFX_CLIENT_SECRET", "`Credentials::from_env`"],
    );
    let empty = ofx::App::builder()
        .credentials(ofx::Credentials::new("", "secret"))
        .build()
        .unwrap_err();
    says(&empty, &["the client id is empty"]);
    let none = ofx::Client::builder().credentials(credentials()).build().unwrap_err();
    assert_eq!(none, ConfigError::NoGrant);
    says(&none, &["choose one on the builder", "`token_source`"]);
    let wrong = mx::registration::Client::builder()
        .registration_token("two\nlines")
        .unwrap_err();
    says(
        &wrong,
        &["the registration token has characters that a header cannot carry"],
    );
}

#[test]
fn environment_variables_that_are_missing_or_empty_are_named() {
    fn missing<P: finrail::Provider>(set: &[(&str, &str)]) -> String {
        let read = |name: &str| {
            set.iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        finrail::Credentials::<P>::from_variables(read).unwrap_err().to_string()
    }
    let advice = "set them, or give the credentials in the program";
    let both =
        |prefix: &str| format!("not set in the environment: {prefix}_CLIENT_ID, {prefix}_CLIENT_SECRET; {advice}");
    assert_eq!(
        missing::<ofx::Provider>(&[("MX_CLIENT_ID", "x"), ("ofx_client_id", "x")]),
        both("OFX")
    );
    assert_eq!(missing::<mx::Provider>(&[]), both("MX"));
    assert_eq!(missing::<omnifund::Provider>(&[]), both("OMNIFUND"));
    assert_eq!(missing::<tatrabanka::Provider>(&[]), both("TATRABANKA"));
    assert_eq!(
        missing::<finexer::Provider>(&[("FINEXER_CLIENT_ID", ""), ("FINEXER_CLIENT_SECRET", "")]),
        both("FINEXER")
    );
    let one = missing::<ofx::Provider>(&[("OFX_CLIENT_ID", "id"), ("OFX_CLIENT_SECRET", "")]);
    assert_eq!(one, format!("not set in the environment: OFX_CLIENT_SECRET; {advice}"));
}

#[tokio::test]
async fn a_parameter_that_would_change_the_path_is_not_sent() {
    let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
    let app = ofx::App::builder()
        .base_url(recorder.origin())
        .credentials(ofx::Credentials::new("id", "secret"));
    let own = app
        .build()
        .unwrap()
        .client_credentials(["payments", "ofxrates"])
        .unwrap();
    for id in ["", ".", ".."] {
        for error in [
            own.get_quote().quote_id(id).send().await.unwrap_err(),
            own.get_deal().deal_id(id).send().await.unwrap_err(),
            own.get_rate()
                .from_currency(id)
                .to_currency("USD")
                .amount(1)
                .send()
                .await
                .unwrap_err(),
            own.get_rate()
                .from_currency("AUD")
                .to_currency(id)
                .amount(1)
                .send()
                .await
                .unwrap_err(),
        ] {
            assert!(matches!(error, Error::InvalidRequest(_)), "{id:?}: {error:?}");
            assert_eq!(error.outcome(), Outcome::NotSent);
            says(
                &error,
                &[
                    "was not sent",
                    "a path parameter is empty, `.` or `..`",
                    "give the id of the thing",
                ],
            );
        }
    }
    assert!(recorder.seen().is_empty());

    // Anything else is one segment, whatever is in it.
    for (id, path) in [
        ("../deals", "/payments/quotes/..%2Fdeals"),
        ("%2e%2e", "/payments/quotes/%252e%252e"),
        ("a b?c#d", "/payments/quotes/a%20b%3Fc%23d"),
        ("..;/x", "/payments/quotes/..%3B%2Fx"),
        ("č", "/payments/quotes/%C4%8D"),
    ] {
        own.get_quote().quote_id(id).send().await.unwrap();
        assert_eq!(recorder.calls().pop().unwrap().target, path);
    }
}

#[tokio::test]
async fn a_call_that_lacks_a_parameter_or_credentials_says_which() {
    let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
    let app = ofx::App::builder()
        .base_url(recorder.origin())
        .credentials(ofx::Credentials::new("id", "secret"));
    let own = app.build().unwrap().client_credentials(["payments"]).unwrap();
    let error = own.get_quote().send().await.unwrap_err();
    assert!(matches!(error, Error::InvalidRequest(_)), "{error:?}");
    says(&error, &["was not sent", "quote_id"]);
    let error = own
        .create_deal()
        .callback_nonce("two\r\nlines")
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    says(
        &error,
        &["a header parameter has characters that a header cannot carry"],
    );

    // An endpoint that takes the client's own credentials, called without them.
    let bare = mx::oauth::Client::builder()
        .base_url(recorder.origin())
        .build()
        .unwrap();
    let body = oauth::wire::RevocationRequest::new("token".into());
    let error = bare.revoke_token().body(body).send().await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    says(
        &error,
        &["revoke_token: this call takes the client's id and secret; build the client with that"],
    );
    assert!(recorder.seen().is_empty());
}

#[tokio::test]
async fn what_belongs_to_another_app_is_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    let (ofx, mx) = (app!(sandbox, ofx), app!(sandbox, mx));
    let pending = mx.authorize(["accounts"]).unwrap().pending;
    let error = ofx
        .finish(pending, "https://app.example.com/?code=c&state=s")
        .await
        .unwrap_err();
    assert!(matches!(error, oauth::Error::ForeignPending), "{error:?}");
    says(
        &error,
        &[
            "another provider, client id, authorization server or tenant",
            "use the app that made it",
        ],
    );

    let authorization = mx.authorize(["accounts"]).unwrap();
    let callback = sandbox.approve(authorization.url.as_str()).await.unwrap();
    let user = mx.finish(authorization.pending, &callback).await.unwrap();
    assert!(ofx.connection(user.key()).await.is_err());
    assert!(mx.connection(user.key()).await.unwrap().is_some());
    assert!(
        app!(sandbox, mx).connection(user.key()).await.unwrap().is_none(),
        "another store has no such grant"
    );
}

#[tokio::test]
async fn a_users_token_does_not_open_what_takes_a_service_token() {
    let sandbox = Sandbox::start().await.unwrap();
    let app = app!(sandbox, tatrabanka);
    let service = app.client_credentials([tatrabanka::Scope::PremiumAis]).unwrap();
    // A service client cannot even be asked for accounts; at the wire the bank refuses its token there.
    let consent = service
        .create_consent()
        .send()
        .await
        .unwrap()
        .consent_id
        .clone()
        .unwrap();
    let authorization = app.authorize([tatrabanka::Scope::PremiumAis.of(consent)]).unwrap();
    let callback = sandbox.approve(authorization.url.as_str()).await.unwrap();
    let user = app.finish(authorization.pending, &callback).await.unwrap();
    user.client().list_accounts().send().await.unwrap();

    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::new();
    let own = sandbox
        .requests("tatrabanka")
        .into_iter()
        .find(|r| r.operation.as_deref() == Some("create_consent"))
        .unwrap();
    let reply = http
        .get(format!("{}/v3/accounts", sandbox.url("tatrabanka")))
        .header("authorization", own.header("authorization").unwrap())
        .header("x-request-id", "99391c7e-ad88-49ec-a2ad-99ddcb1f7721")
        .send()
        .await
        .unwrap();
    assert!(reply.status().is_client_error(), "{}", reply.status());
}
