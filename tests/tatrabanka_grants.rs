//! Tatra banka's tokens: how each is asked for, what it opens, and when it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use finrail::oauth::{ClientAuthentication, ClientAuthentications, RequestedScope};
use finrail::sandbox::Sandbox;
use finrail::tatrabanka::service::types::{PaymentAccount, PaymentAmount};
use finrail::tatrabanka::{App, Connection, Credentials, Provider, Scope};
use finrail::token::ManualClock;
use recorder::{Answer, Recorder, Seen, pairs};
use sha2::Digest as _;

const REDIRECT: &str = "https://app.example.com/callback";
const PRODUCT: &str = "sepa-credit-transfers";
const BASIC: &str = "Basic Y2xpZW50OnNlY3JldA==";

fn builder(recorder: &Recorder) -> finrail::AppBuilder<Provider> {
    let app = App::builder().base_url(recorder.origin()).redirect_uri(REDIRECT);
    app.credentials(Credentials::new("client", "secret"))
}

/// A user's connection, whose code was exchanged at the recorder, and the address that the user was sent to.
async fn connect(app: &App, scope: impl Into<RequestedScope<Provider>>) -> (Connection, Vec<(String, String)>) {
    let authorization = app.authorize([scope]).unwrap().subject("user-1");
    let query = pairs(authorization.url.query().unwrap());
    let state = authorization.pending.state().expose_secret();
    let callback = format!("{REDIRECT}?code=code-1&state={state}");
    (app.finish(authorization.pending, &callback).await.unwrap(), query)
}

fn value<'q>(query: &'q [(String, String)], name: &str) -> Option<&'q str> {
    let values: Vec<&str> = query
        .iter()
        .filter(|(n, _)| n == name)
        .map(|(_, value)| &**value)
        .collect();
    assert!(values.len() < 2, "{name} stands there twice");
    values.first().copied()
}

/// One token of each grant, in this order: client credentials, code exchange, refresh.
async fn all_three(recorder: &Recorder, app: finrail::AppBuilder<Provider>) -> Vec<Seen> {
    let clock = Arc::new(ManualClock::new());
    let app = app.clock(clock.clone()).build().unwrap();
    let service = app.client_credentials([Scope::PremiumAis]).unwrap();
    service.get_consent_status().consent_id("c").send().await.unwrap();
    let (user, _) = connect(&app, Scope::PremiumAis.of("c")).await;
    clock.advance(Duration::from_secs(3600));
    user.tokens().fresh().await.unwrap();
    let asked = recorder.token_requests();
    let grants: Vec<_> = asked.iter().map(|seen| seen.field("grant_type").unwrap()).collect();
    assert_eq!(grants, ["client_credentials", "authorization_code", "refresh_token"]);
    asked
}

/// The client is named once, in a header or in the form.
fn is_basic(seen: &Seen) {
    assert_eq!(seen.header("authorization"), Some(BASIC));
    assert_eq!((seen.field("client_id"), seen.field("client_secret")), (None, None));
}

// --- how the client shows who it is (Tatra 10)

#[tokio::test]
async fn the_secret_goes_where_each_grant_wants_it() {
    let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
    let asked = all_three(&recorder, builder(&recorder)).await;
    assert_eq!(asked[0].header("authorization"), None);
    assert_eq!(asked[0].field("client_id").as_deref(), Some("client"));
    assert_eq!(asked[0].field("client_secret").as_deref(), Some("secret"));
    asked[1..].iter().for_each(is_basic);
}

#[tokio::test]
async fn basic_can_be_chosen_for_every_grant() {
    let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
    let app = builder(&recorder).client_authentication(ClientAuthentications::all(ClientAuthentication::Basic));
    all_three(&recorder, app).await.iter().for_each(is_basic);
}

#[tokio::test]
async fn the_body_can_be_chosen_for_every_grant() {
    let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
    let app = builder(&recorder).client_authentication(ClientAuthentications::all(ClientAuthentication::Post));
    for seen in all_three(&recorder, app).await {
        assert_eq!(seen.header("authorization"), None);
        assert_eq!(seen.field("client_id").as_deref(), Some("client"));
        assert_eq!(seen.field("client_secret").as_deref(), Some("secret"));
    }
}

// --- what is asked for (Tatra 7, 8, 9)

#[tokio::test]
async fn a_scope_carries_its_id_at_authorize_and_is_bare_in_the_exchange() {
    for (scope, at_authorize, in_exchange) in [
        (
            Scope::PremiumAis.of("consent-1"),
            "PREMIUM_AIS:consent-1",
            "PREMIUM_AIS",
        ),
        (Scope::PremiumAis.into(), "PREMIUM_AIS", "PREMIUM_AIS"),
        (Scope::PremiumPis.of("auth-1"), "PREMIUM_PIS:auth-1", "PREMIUM_PIS"),
        (
            Scope::PremiumPisCanc.of("a&b=c"),
            "PREMIUM_PIS_CANC:a&b=c",
            "PREMIUM_PIS_CANC",
        ),
    ] {
        let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
        let clock = Arc::new(ManualClock::new());
        let app = builder(&recorder).clock(clock.clone()).build().unwrap();
        let (user, query) = connect(&app, scope).await;
        assert_eq!(value(&query, "scope"), Some(at_authorize));
        clock.advance(Duration::from_secs(3600));
        user.tokens().fresh().await.unwrap();
        let asked = recorder.token_requests();
        assert_eq!(asked[0].field("scope").as_deref(), Some(in_exchange));
        assert_eq!(asked[1].field("scope"), None, "a refresh carries none");
    }
    // A payment's scope names its authorization; without one nothing is asked for.
    let recorder = Recorder::in_order([Answer::Drop]).await;
    let app = builder(&recorder).build().unwrap();
    for scope in [Scope::PremiumPis, Scope::PremiumPisCanc] {
        let error = app.authorize([scope]).unwrap_err().to_string();
        assert!(error.contains("{authorizationId}"), "{error}");
    }
}

#[tokio::test]
async fn every_authorization_carries_a_state_and_a_challenge_whose_verifier_follows() {
    let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
    let app = builder(&recorder).build().unwrap();
    let mut used = BTreeSet::new();
    for scope in [
        Scope::PremiumAis.into(),
        Scope::PremiumAis.of("c"),
        Scope::PremiumPis.of("a"),
        Scope::PremiumPisCanc.of("a"),
    ] {
        let (_, query) = connect(&app, scope).await;
        assert_eq!(value(&query, "code_challenge_method"), Some("S256"));
        let verifier = recorder.token_requests().pop().unwrap().field("code_verifier").unwrap();
        let digest = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(&verifier));
        assert_eq!(value(&query, "code_challenge"), Some(digest.as_str()));
        let state = value(&query, "state").unwrap();
        assert!(state.len() >= 22, "128 bits");
        used.extend([verifier, state.to_owned()]);
    }
    assert_eq!(used.len(), 8, "none is used twice");
}

#[tokio::test]
async fn an_authorization_without_pkce_or_state_is_not_taken() {
    let sandbox = Sandbox::start().await.unwrap();
    let app = sandbox_app(&sandbox);
    for left_out in ["code_challenge", "code_challenge_method", "state"] {
        let authorization = app.authorize([Scope::PremiumAis]).unwrap();
        let kept = pairs(authorization.url.query().unwrap());
        let kept = kept.iter().filter(|(name, _)| name != left_out);
        let mut url = authorization.url.clone();
        url.query_pairs_mut().clear().extend_pairs(kept);
        let refused = match sandbox.approve(url.as_str()).await {
            Ok(callback) => app.finish(authorization.pending, &callback).await.is_err(),
            Err(_) => true,
        };
        assert!(refused, "{left_out}");
    }
}

// --- whose it is (Tatra 6)

#[tokio::test]
async fn every_consent_and_payment_of_a_user_is_a_connection_of_its_own() {
    let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
    let app = builder(&recorder).build().unwrap();
    // The same user, so that nothing but the scope and its id can tell them apart.
    let mut connections = Vec::new();
    for scope in [
        Scope::PremiumAis.into(),
        Scope::PremiumAis.of("a-1"),
        Scope::PremiumAis.of("a-2"),
        Scope::PremiumPis.of("a-1"),
        Scope::PremiumPis.of("a-2"),
        Scope::PremiumPisCanc.of("a-1"),
    ] {
        connections.push(connect(&app, scope).await.0);
    }
    let header = |connection: &Connection| connection.tokens().header().unwrap().header;
    let ids: BTreeSet<String> = connections
        .iter()
        .map(|connection| connection.key().storage_id())
        .collect();
    assert_eq!(ids.len(), connections.len(), "two share a place in the store");
    for (n, connection) in connections.iter().enumerate() {
        assert_eq!(header(connection), format!("Bearer token-{}", n + 1).as_str());
        let found = app.connection(connection.key()).await.unwrap().unwrap();
        assert_eq!(header(&found), header(connection), "a later one took its place");
    }
    // The same consent again is the same connection, with the new token.
    let (again, _) = connect(&app, Scope::PremiumPis.of("a-2")).await;
    assert_eq!(again.key(), connections[4].key());
    assert_eq!(header(&again), "Bearer token-7");
}

// --- in one piece

fn sandbox_app(sandbox: &Sandbox) -> App {
    let registered = sandbox.client("tatrabanka");
    let app = App::builder().base_url(sandbox.url("tatrabanka"));
    app.credentials(Credentials::new(registered.client_id, registered.client_secret))
        .redirect_uri(registered.redirect_uri)
        .build()
        .unwrap()
}

/// A payment for later, from its initiation to its cancellation, by typed calls alone.
#[tokio::test]
async fn a_payment_for_later_is_initiated_authorized_submitted_and_cancelled() {
    let sandbox = Sandbox::start().await.unwrap();
    let app = sandbox_app(&sandbox);
    let service = app.client_credentials([Scope::PremiumPis]).unwrap();
    let later = chrono::Utc::now().date_naive() + chrono::Days::new(30);
    let payment = service
        .initiate_payment()
        .product(PRODUCT)
        .body_map(|payment| {
            payment
                .instructed_amount(PaymentAmount::builder().amount("12.50").currency("EUR"))
                .creditor_account(PaymentAccount::builder().iban("SK3711000000007417228416"))
                .creditor_name("Peter")
                .requested_execution_date(later)
        })
        .send()
        .await
        .unwrap();
    let id = payment.payment_id.clone().unwrap();
    let authorization_id = payment.authorization_id.clone().unwrap();
    let states = async || {
        let status = service.get_payment_status().product(PRODUCT).payment_id(id.as_str());
        let status = status.send().await.unwrap().transaction_status.clone().unwrap();
        let authorization = service.get_payment_authorization().product(PRODUCT);
        let authorization = authorization
            .payment_id(id.as_str())
            .authorization_id(authorization_id.as_str());
        let authorization = authorization.send().await.unwrap().sca_status.clone().unwrap();
        (status.as_str().to_owned(), authorization.as_str().to_owned())
    };
    let are = |status: &str, authorization: &str| (status.to_owned(), authorization.to_owned());
    assert_eq!(states().await, are("ACTC", "received"));

    let agree = async |scope: Scope| {
        let authorization = app.authorize([scope.of(authorization_id.as_str())]).unwrap();
        let callback = sandbox.approve(authorization.url.as_str()).await.unwrap();
        app.finish(authorization.pending, &callback).await.unwrap()
    };
    let payer = agree(Scope::PremiumPis).await;
    assert_eq!(states().await, are("ACTC", "unconfirmed"));
    let submit = payer.client().submit_payment().product(PRODUCT).payment_id(id.as_str());
    submit.authorization_id(authorization_id.as_str()).send().await.unwrap();
    assert_eq!(states().await, are("PDNG", "finalised"));

    let cancel = service.cancel_payment().product(PRODUCT).payment_id(id.as_str());
    cancel.send().await.unwrap();
    assert_eq!(states().await.0, "PDNG", "the user has not agreed to the cancellation");
    let canceller = agree(Scope::PremiumPisCanc).await;
    assert_eq!(states().await.0, "CANC");
    assert_eq!(canceller.info().unwrap().scopes.to_string(), "PREMIUM_PIS_CANC");
    assert_ne!(canceller.key(), payer.key());
}

#[tokio::test]
async fn a_consent_that_is_removed_takes_its_connection_with_it() {
    let sandbox = Sandbox::start().await.unwrap();
    let app = sandbox_app(&sandbox);
    let service = app.client_credentials([Scope::PremiumAis]).unwrap();
    let consent = service
        .create_consent()
        .send()
        .await
        .unwrap()
        .consent_id
        .clone()
        .unwrap();
    let authorization = app.authorize([Scope::PremiumAis.of(consent.as_str())]).unwrap();
    let callback = sandbox.approve(authorization.url.as_str()).await.unwrap();
    let user = app.finish(authorization.pending, &callback).await.unwrap();
    let list = user.client().list_accounts().send().await.unwrap();
    let id = &list.accounts[0].account_id;
    let read = user
        .client()
        .get_account()
        .account_id(id.as_str())
        .send()
        .await
        .unwrap();
    assert_eq!(&read.account.as_ref().unwrap().account_id, id);
    service.delete_consent().consent_id(consent).send().await.unwrap();
    let over = user.client().list_accounts().send().await.unwrap_err();
    assert!(over.reauthorization_required(), "{over}");
}
