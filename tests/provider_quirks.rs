//! What the providers do in their own way, where no other file has it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;

use std::time::Duration;

use finrail::sandbox::Sandbox;
use finrail::transport::{Authentication, Effect, Outcome, RetryPolicy};
use finrail::{App, Connection, Provider, finexer, mx, oauth, ofx, omnifund, tatrabanka, token};
use recorder::{Answer, Recorder, pairs};
use tatrabanka::service::types::{PaymentAccount, PaymentAmount, TransactionStatus};

const REDIRECT: &str = "https://app.example.com/callback";

fn app<P: Provider>(recorder: &Recorder) -> finrail::AppBuilder<P> {
    let app = App::<P>::builder().base_url(recorder.origin()).redirect_uri(REDIRECT);
    app.credentials(finrail::Credentials::new("client", "secret"))
}

async fn connect<P: finrail::grant::AuthorizationCode>(app: App<P>, scope: &'static str) -> Connection<P> {
    let pending = app.authorize([scope]).unwrap().pending;
    let callback = format!("{REDIRECT}?code=code-1&state={}", pending.state().expose_secret());
    app.finish(pending, &callback).await.unwrap()
}

fn parameter(url: &url::Url, name: &str) -> Option<String> {
    pairs(url.query()?)
        .into_iter()
        .find(|(n, _)| n == name)
        .map(|(_, value)| value)
}

// --- Tatra banka

/// `scaRedirect` of a payment lacks four parameters that the authorization needs (Tatra 16).
#[test]
fn the_address_of_a_payments_authorization_is_complete() {
    let app = tatrabanka::App::builder().credentials(tatrabanka::Credentials::new("client", "secret"));
    let app = app.redirect_uri(REDIRECT).build().unwrap();
    let url = app.authorize([tatrabanka::Scope::PremiumPis.of("auth-1")]).unwrap().url;
    assert_eq!(parameter(&url, "scope").as_deref(), Some("PREMIUM_PIS:auth-1"));
    assert_eq!(parameter(&url, "redirect_uri").as_deref(), Some(REDIRECT));
    assert_eq!(parameter(&url, "code_challenge_method").as_deref(), Some("S256"));
    assert!(parameter(&url, "state").is_some() && parameter(&url, "code_challenge").is_some());
}

/// A server may compare redirect URIs byte by byte (Tatra 11).
#[tokio::test]
async fn the_redirect_uri_is_the_same_text_in_both_requests() {
    for uri in [
        "https://app.example.com",
        "https://App.Example.com:443/cb/../cb?x=a%2fb&y=%C4%8D",
        "demoapp://redirect",
    ] {
        let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
        let app = app::<tatrabanka::Provider>(&recorder)
            .redirect_uri(uri)
            .build()
            .unwrap();
        let authorization = app.authorize(["PREMIUM_AIS"]).unwrap();
        assert_eq!(parameter(&authorization.url, "redirect_uri").as_deref(), Some(uri));
        let glue = if uri.contains('?') { '&' } else { '?' };
        let state = authorization.pending.state().expose_secret();
        let callback = format!("{uri}{glue}code=c&state={state}");
        // The pending authorization may have been stored in between.
        let stored = serde_json::to_string(&authorization.pending).unwrap();
        app.finish(serde_json::from_str(&stored).unwrap(), &callback)
            .await
            .unwrap();
        assert_eq!(recorder.seen()[0].field("redirect_uri").as_deref(), Some(uri));
    }
}

/// Signing is not enough: a payment is under way when it was submitted (Tatra 17).
#[tokio::test]
async fn a_payment_goes_its_way_only_when_it_is_submitted() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.client("tatrabanka");
    let app = tatrabanka::App::builder()
        .base_url(sandbox.url("tatrabanka"))
        .credentials(tatrabanka::Credentials::new(client.client_id, client.client_secret))
        .redirect_uri(client.redirect_uri)
        .build()
        .unwrap();
    let service = app.client_credentials([tatrabanka::Scope::PremiumPis]).unwrap();
    let product = "sepa-credit-transfers";
    let payment = service.initiate_payment().product(product).body_map(|payment| {
        payment
            .creditor_name("Jo")
            .creditor_account(PaymentAccount::builder().iban("SK0811000000002600000000"))
            .instructed_amount(PaymentAmount::builder().amount("12.50").currency("EUR"))
    });
    let payment = payment.send().await.unwrap();
    let id = payment.payment_id.clone().unwrap();
    let authorization_id = payment.authorization_id.clone().unwrap();
    let authorization = app
        .authorize([tatrabanka::Scope::PremiumPis.of(authorization_id.as_str())])
        .unwrap();
    let callback = sandbox.approve(authorization.url.as_str()).await.unwrap();
    let user = app.finish(authorization.pending, &callback).await.unwrap();
    let status = || async {
        service
            .get_payment_status()
            .product(product)
            .payment_id(id.as_str())
            .send()
            .await
            .unwrap()
    };
    assert_eq!(
        status().await.transaction_status,
        Some(TransactionStatus::Actc),
        "signed, and no success"
    );
    let submit = user.client().submit_payment().product(product).payment_id(id.as_str());
    submit.authorization_id(authorization_id).send().await.unwrap();
    assert_ne!(status().await.transaction_status, Some(TransactionStatus::Actc));
}

/// Nobody knows whether a payment that was sent twice is paid twice (Tatra 18).
#[tokio::test]
async fn what_moves_money_is_sent_once() {
    let quick = RetryPolicy {
        backoff: Duration::from_millis(1),
        ..RetryPolicy::default()
    };
    for failure in [Answer::status(503, "{}"), Answer::Drop] {
        let recorder = Recorder::granting(move |_, _| failure.clone()).await;
        let app = app::<tatrabanka::Provider>(&recorder).retry(quick).build().unwrap();
        let service = app.client_credentials(["PREMIUM_PIS"]).unwrap();
        let payment = service
            .initiate_payment()
            .product("sepa-credit-transfers")
            .body_map(|payment| {
                payment
                    .creditor_name("Jo")
                    .creditor_account(PaymentAccount::builder().iban("SK0811000000002600000000"))
                    .instructed_amount(PaymentAmount::builder().amount("1.00").currency("EUR"))
            });
        assert_eq!(payment.send().await.unwrap_err().outcome(), Outcome::Unknown);
        let pending = app.authorize([tatrabanka::Scope::PremiumPis.of("a")]).unwrap().pending;
        let callback = format!("{REDIRECT}?code=c&state={}", pending.state().expose_secret());
        let user = app.finish(pending, &callback).await.unwrap();
        let submit = user
            .client()
            .submit_payment()
            .product("sepa-credit-transfers")
            .payment_id("p")
            .authorization_id("a");
        assert_eq!(submit.send().await.unwrap_err().outcome(), Outcome::Unknown);
        assert_eq!(recorder.calls().len(), 2);
    }
    let once = |operations: &[finrail::transport::Operation], id: &str| {
        let operation = operations.iter().find(|operation| operation.id == id).unwrap();
        assert_eq!(operation.effect, Effect::Neither, "{id}");
    };
    for id in ["initiate_payment", "submit_payment", "cancel_payment", "create_consent"] {
        once(tatrabanka::OPERATIONS, id);
    }
    for id in ["create_deal", "create_quote", "create_beneficiary"] {
        once(ofx::OPERATIONS, id);
    }
}

// --- Finexer

/// An empty text clears a field, an absent one leaves it (Finexer 11).
#[tokio::test]
async fn a_form_tells_an_empty_field_from_an_absent_one() {
    let recorder = Recorder::granting(|_, _| Answer::json(r#"{"id":"t","data":[]}"#)).await;
    let client = finexer::Client::builder()
        .base_url(recorder.origin())
        .access_key("live_key", "");
    let client = client.build().unwrap();
    let update = client.update_template().app_id("a").template_id("t");
    update.body_map(|body| body.name("".to_owned())).send().await.unwrap();
    assert_eq!(recorder.calls().pop().unwrap().text(), "name=");
    client
        .list_providers()
        .roles(vec!["ais".to_owned(), "p&s".to_owned()])
        .send()
        .await
        .unwrap();
    assert_eq!(
        recorder.calls().pop().unwrap().target,
        "/providers?roles%5B%5D=ais&roles%5B%5D=p%26s"
    );
}

/// A success status does not say that the consent ended; the consent does (Finexer 14).
#[tokio::test]
async fn a_revoked_consent_says_so_itself() {
    use finexer::types::ConsentStatus;
    for (status, expected) in [
        ("canceled", ConsentStatus::Canceled),
        ("authorized", ConsentStatus::Authorized),
    ] {
        let recorder =
            Recorder::granting(move |_, _| Answer::json(format!(r#"{{"id":"c","status":"{status}"}}"#))).await;
        let client = finexer::Client::builder()
            .base_url(recorder.origin())
            .access_key("live_key", "")
            .build()
            .unwrap();
        let consent = client.revoke_consent().consent_id("c").send().await.unwrap();
        assert_eq!(consent.status, Some(expected));
        let sent = recorder.calls().pop().unwrap();
        assert_eq!(
            (sent.method.as_str(), sent.target.as_str()),
            ("POST", "/consents/c/revoke")
        );
    }
    assert!(
        finexer::OPERATIONS
            .iter()
            .all(|operation| operation.method != "DELETE" || !operation.path.starts_with("/consents"))
    );
}

/// Which call needs which scope is documented for none, so no call is held back for one.
#[tokio::test]
async fn finexer_calls_go_out_whatever_was_granted() {
    let recorder = Recorder::granting(|_, _| Answer::status(201, r#"{"id":"cus_1"}"#)).await;
    let user = connect::<finexer::Provider>(app(&recorder).build().unwrap(), "customer_read").await;
    let create = user.client().create_customer().body_map(|body| body.name("Jo"));
    assert_eq!(create.send().await.unwrap().id, "cus_1");
    for operation in finexer::OPERATIONS.iter().filter(|operation| operation.client == "api") {
        assert!(
            operation
                .authentication
                .contains(&Authentication::Bearer { scopes: &[] }),
            "{}: {:?}",
            operation.id,
            operation.authentication
        );
    }
}

/// The client secret is the account's live API key: it is in no address (Finexer 5).
#[test]
fn the_secret_is_in_no_address() {
    let app = finexer::App::builder()
        .credentials(finexer::Credentials::new("app_1", "live_key"))
        .build()
        .unwrap();
    let url = app.authorize(["customer_read"]).unwrap().url;
    assert!(!url.as_str().contains("live_key"));
}

// --- OmniFund

/// OmniFund's page promises a `code` after Allow and Deny alike, and does not tell what Deny sends. Whatever it is, it connects nobody.
#[tokio::test]
async fn omnifunds_deny_is_an_error_in_whatever_form_it_comes() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.client("omnifund");
    let at_sandbox = App::<omnifund::Provider>::builder()
        .base_url(sandbox.url("omnifund"))
        .credentials(omnifund::Credentials::new(client.client_id, client.client_secret))
        .redirect_uri(REDIRECT)
        .build()
        .unwrap();
    let denied = async |query: &str| {
        let pending = at_sandbox.authorize([""; 0]).unwrap().pending;
        let callback = format!("{REDIRECT}?{query}state={}", pending.state().expose_secret());
        at_sandbox.finish(pending, &callback).await.unwrap_err()
    };

    // No code.
    for query in ["", "code=&"] {
        let error = denied(query).await;
        assert!(matches!(error, oauth::Error::Callback(_)), "{query}: {error:?}");
        assert!(!error.is_retryable(), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains("the provider may have refused the authorization"),
            "{text}"
        );
    }
    // As RFC 6749 section 4.1.2.1 has it.
    let error = denied("error=access_denied&").await;
    assert!(error.refusal().is_some_and(|refusal| refusal.is_access_denied()));
    assert!(sandbox.requests("omnifund").is_empty(), "nothing was sent");

    // A code that is worth nothing.
    let error = denied("code=c-4711&").await;
    assert!(matches!(error, oauth::Error::Server(_)), "{error:?}");
    assert_eq!(error.code(), Some("invalid_grant"));
    assert_eq!((error.verdict(), error.is_retryable()), (token::Verdict::Dead, false));
    let text = error.to_string();
    assert!(
        text.contains("code exchange") && text.contains("the user has to authorize again"),
        "{text}"
    );
    assert!(!text.contains("c-4711"), "the code is not shown: {text}");

    // The same, in bodies of another form: none is documented.
    for answer in [
        Answer::html(400, "<h1>No</h1>"),
        Answer::status(400, r#"{"message":"denied"}"#),
        Answer::json(r#"{"access_token":null}"#),
    ] {
        let recorder = Recorder::in_order([answer]).await;
        let app: omnifund::App = app(&recorder).build().unwrap();
        let pending = app.authorize([""; 0]).unwrap().pending;
        let callback = format!("{REDIRECT}?code=c-4711&state={}", pending.state().expose_secret());
        let error = app.finish(pending, &callback).await.unwrap_err();
        assert!(error.to_string().contains("code exchange"), "{error}");
        assert_eq!(recorder.seen().len(), 1, "a code is sent once");
    }
}

// --- MX

/// The scope exists; what it opens is told nowhere (MX 19).
#[tokio::test]
async fn statements_can_be_asked_for_though_no_call_needs_them() {
    let recorder = Recorder::in_order([Answer::Drop]).await;
    let app = app::<mx::Provider>(&recorder).build().unwrap();
    let authorization = app.authorize([mx::Scope::Statements]).unwrap();
    assert_eq!(
        parameter(&authorization.url, "scope").as_deref(),
        Some("openid statements")
    );
    assert!(
        mx::OPERATIONS
            .iter()
            .all(|operation| !operation.path.contains("statement"))
    );
}

/// A 400 has two causes, which need different remedies (MX 13). They come as a reply, or by the browser.
#[tokio::test]
async fn a_wrong_scope_and_a_wrong_redirect_uri_are_told_apart() {
    let causes = [
        ("invalid_scope", "scope not permitted", "check the scopes"),
        (
            "invalid_request",
            "redirect URI not valid",
            "check the settings of the app",
        ),
    ];
    for (code, description, remedy) in causes {
        let body = format!(r#"{{"error":"{code}","error_description":"{description}"}}"#);
        let recorder = Recorder::in_order([Answer::status(400, body)]).await;
        let app = app::<mx::Provider>(&recorder).build().unwrap();
        let pending = app.authorize([mx::Scope::Accounts]).unwrap().pending;
        let state = pending.state().expose_secret().to_owned();
        let by_browser = format!("{REDIRECT}?error={code}&state={state}");
        let error = app.finish(pending.clone(), &by_browser).await.unwrap_err();
        let refusal = error.refusal().unwrap();
        assert!(!refusal.is_access_denied(), "the user did not say no");
        assert!(refusal.state_verified && error.to_string().contains(code), "{error}");

        let callback = format!("{REDIRECT}?code=SplxlOBeZQQYbYS6WxSbIA&state={state}");
        let error = app.finish(pending, &callback).await.unwrap_err();
        let text = error.to_string();
        assert!(!text.contains(description) && text.contains(remedy), "{text}");
        for (_, description, remedy) in causes.iter().filter(|(other, ..)| *other != code) {
            assert!(!text.contains(description) && !text.contains(remedy), "{text}");
        }
        let finrail::oauth::Error::Server(server) = error else {
            panic!("{error:?}")
        };
        assert_eq!((server.status.as_u16(), server.error.as_str()), (400, code));
        assert_eq!(server.description(), Some(description));
        assert_eq!(server.verdict, finrail::token::Verdict::RequestRejected, "{code}");
    }
}

// --- OFX

/// The refresh token's life is in the documentation; a reply that tells it is right (OFX 4).
#[tokio::test]
async fn a_refresh_tokens_life_in_the_reply_wins_over_the_documented_one() {
    for (field, days) in [
        ("", 30),
        (r#","refresh_token_expires_in":864000"#, 10),
        (r#","refresh_token_expires_in":"864000""#, 10),
    ] {
        let reply =
            format!(r#"{{"access_token":"a","expires_in":3599,"token_type":"Bearer","refresh_token":"r"{field}}}"#);
        let recorder = Recorder::in_order([Answer::json(reply)]).await;
        let user = connect::<ofx::Provider>(app(&recorder).build().unwrap(), "payments").await;
        let info = user.info().unwrap();
        assert_eq!(
            (info.refresh_expires_at.unwrap() - info.obtained_at).num_days(),
            days,
            "{field}"
        );
    }
}

/// Errors come in two forms; what has neither can still be looked at (OFX 13).
#[tokio::test]
async fn an_error_body_of_no_known_form_is_kept() {
    let recorder = Recorder::granting(|_, _| Answer::html(500, "<h1>Oops</h1>")).await;
    let own = app::<ofx::Provider>(&recorder)
        .build()
        .unwrap()
        .client_credentials(["payments"])
        .unwrap();
    let error = own.list_beneficiaries().send().await.unwrap_err();
    assert_eq!(error.raw_body(), Some(b"<h1>Oops</h1>".as_slice()));
    assert!(!format!("{error:?} {error}").contains("Oops"));
}
