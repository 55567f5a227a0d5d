//! What is sent to an authorization server: each parameter once and none empty, to the token and revocation endpoints by
//! POST in a form, with one way of authentication and no secret in an address (RFC 6749 sections 2.3, 3.1, 3.2 and 4).
#![cfg(all(
    feature = "ofx",
    feature = "mx",
    feature = "omnifund",
    feature = "tatrabanka",
    feature = "finexer"
))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use finrail::grant::AuthorizationCode;
use finrail::oauth::{ClientAuthentication, ClientAuthentications};
use finrail::token::{ManualClock, MemoryStore, TokenStore as _};
use finrail::{App, AppBuilder, Connection, Provider, finexer, mx, ofx, omnifund, tatrabanka};
use recorder::{Answer, Recorder, Seen, pairs};
use sha2::Digest as _;

const REDIRECT: &str = "https://app.example.com/callback";
const SECRET: &str = "planted-secret";

fn builder<P: Provider>(recorder: &Recorder) -> AppBuilder<P> {
    let app = App::<P>::builder().base_url(recorder.origin()).redirect_uri(REDIRECT);
    app.credentials(finrail::Credentials::new("client-1", SECRET))
}

async fn granting() -> Recorder {
    // Finexer says 204 of a refresh token that is gone, MX 200 of any token.
    Recorder::granting(|seen, _| Answer::empty(if seen.field("token").is_some() { 200 } else { 204 })).await
}

/// Each parameter stands there once and says something.
#[track_caller]
fn once_and_not_empty(parameters: &[(String, String)]) {
    let names: BTreeSet<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), parameters.len(), "{parameters:?}");
    assert!(parameters.iter().all(|(_, value)| !value.is_empty()), "{parameters:?}");
}

#[track_caller]
fn value<'p>(parameters: &'p [(String, String)], name: &str) -> Option<&'p str> {
    let mut named = parameters.iter().filter(|(n, _)| n == name);
    named.next().map(|(_, value)| value.as_str())
}

/// A provider, and whether it takes tokens back.
trait Bank: AuthorizationCode {
    async fn revoke(_: &Connection<Self>) {}
}

impl Bank for ofx::Provider {}
impl Bank for omnifund::Provider {}
impl Bank for tatrabanka::Provider {}

impl Bank for mx::Provider {
    async fn revoke(user: &Connection<Self>) {
        user.revoke().await.unwrap();
    }
}

impl Bank for finexer::Provider {
    async fn revoke(user: &Connection<Self>) {
        user.revoke().await.unwrap();
    }
}

/// A login, a refresh and, where there is one, a revocation: the parameters of the authorization request, and the requests that were sent.
async fn whole_life<P: Bank>(authentication: Option<ClientAuthentication>) -> (Vec<(String, String)>, Vec<Seen>) {
    let recorder = granting().await;
    let clock = Arc::new(ManualClock::new());
    let mut builder = builder::<P>(&recorder).clock(clock.clone());
    if let Some(method) = authentication {
        builder = builder.client_authentication(ClientAuthentications::all(method));
    }
    let app = builder.build().unwrap();
    let scopes = P::profile().scopes.first().copied();
    let authorization = app.authorize(scopes).unwrap();
    let asked = pairs(authorization.url.query().unwrap());
    let state = authorization.pending.state().expose_secret();
    let callback = format!("{REDIRECT}?code=code-1&state={state}");
    let user = app.finish(authorization.pending, &callback).await.unwrap();
    clock.advance(Duration::from_secs(3600));
    user.tokens().fresh().await.unwrap();
    P::revoke(&user).await;
    (asked, recorder.seen())
}

#[tokio::test]
async fn an_authorization_request_asks_for_a_code_and_says_each_parameter_once() {
    async fn check<P: Bank>() {
        let (asked, _) = whole_life::<P>(None).await;
        once_and_not_empty(&asked);
        assert_eq!(value(&asked, "response_type"), Some("code"));
        assert_eq!(value(&asked, "client_id"), Some("client-1"));
        assert_eq!(value(&asked, "redirect_uri"), Some(REDIRECT));
        // Nothing but chance is in `state`, so nothing of the user: 160 bits of it (RFC 6749 section 10.10).
        let state = value(&asked, "state").unwrap();
        assert!(
            state.len() >= 27 && state.bytes().all(|byte| byte.is_ascii_graphic()),
            "{state}"
        );
        assert_eq!(value(&asked, "code_challenge_method"), Some("S256"));
        assert!(asked.iter().all(|(_, value)| !value.contains(SECRET)));
    }
    check::<ofx::Provider>().await;
    check::<mx::Provider>().await;
    check::<omnifund::Provider>().await;
    check::<tatrabanka::Provider>().await;
    check::<finexer::Provider>().await;
}

#[tokio::test]
async fn a_request_is_a_form_by_post_with_each_field_once_and_one_way_of_authentication() {
    async fn check<P: Bank>() {
        use ClientAuthentication::{Basic, Post};
        for authentication in [None, Some(Basic), Some(Post)] {
            let (_, sent) = whole_life::<P>(authentication).await;
            let grants: Vec<_> = sent.iter().filter_map(|seen| seen.field("grant_type")).collect();
            assert_eq!(grants, ["authorization_code", "refresh_token"], "{}", P::profile().name);
            for seen in &sent {
                assert_eq!(seen.method, "POST");
                assert_eq!(seen.header("content-type"), Some("application/x-www-form-urlencoded"));
                assert!(!seen.target.contains('?'), "{}", seen.target);
                once_and_not_empty(&seen.form());
                let in_header = seen.headers.iter().filter(|(name, _)| name == "authorization").count();
                let in_form = seen.form().iter().filter(|(name, _)| name == "client_secret").count();
                assert_eq!(in_header + in_form, 1, "{} {}", P::profile().name, seen.target);
                match authentication {
                    Some(Basic) => assert_eq!(in_header, 1),
                    Some(_) => assert_eq!(in_form, 1),
                    None => {}
                }
            }
            assert_eq!(value(&sent[0].form(), "code"), Some("code-1"));
            assert_eq!(value(&sent[1].form(), "refresh_token"), Some("refresh-1"));
        }
    }
    check::<ofx::Provider>().await;
    check::<mx::Provider>().await;
    check::<omnifund::Provider>().await;
    check::<tatrabanka::Provider>().await;
    check::<finexer::Provider>().await;
}

/// RFC 7636 sections 4.1, 4.2 and 7.1.
#[tokio::test]
async fn a_verifier_has_256_bits_of_chance_and_is_the_challenges() {
    async fn check<P: Bank>() {
        let mut drawn = BTreeSet::new();
        for _ in 0..8 {
            let (asked, sent) = whole_life::<P>(None).await;
            let verifier = sent[0].field("code_verifier").unwrap();
            assert!((43..=128).contains(&verifier.len()), "{verifier}");
            // It is 32 octets in base64url, and so every character of it is unreserved.
            let octets = URL_SAFE_NO_PAD.decode(&verifier).unwrap();
            assert_eq!(octets.len(), 32);
            let challenge = URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(&verifier));
            assert_eq!(value(&asked, "code_challenge"), Some(challenge.as_str()));
            assert_eq!(value(&asked, "code_challenge_method"), Some("S256"));
            assert_eq!(sent[1].field("code_verifier"), None, "it is the code's");
            drawn.insert(octets);
        }
        // Every octet is drawn: one that was the same eight times would be no chance.
        assert_eq!(drawn.len(), 8);
        for at in 0..32 {
            let values: BTreeSet<u8> = drawn.iter().map(|octets| octets[at]).collect();
            assert!(values.len() > 1, "octet {at}");
        }
    }
    check::<ofx::Provider>().await;
    check::<mx::Provider>().await;
    check::<omnifund::Provider>().await;
    check::<tatrabanka::Provider>().await;
    check::<finexer::Provider>().await;
}

#[tokio::test]
async fn a_client_without_a_secret_sends_its_id() {
    let (_, sent) = whole_life::<mx::Provider>(Some(ClientAuthentication::None)).await;
    assert_eq!(sent.len(), 3, "exchange, refresh, revocation");
    for seen in sent {
        once_and_not_empty(&seen.form());
        assert_eq!(seen.field("client_id").as_deref(), Some("client-1"), "{}", seen.target);
        assert_eq!(seen.header("authorization"), None);
        assert!(!seen.text().contains(SECRET));
    }
}

/// RFC 7009 section 2.1.
#[tokio::test]
async fn an_access_token_is_revoked_where_there_is_no_refresh_token() {
    let recorder = Recorder::with_tokens(
        |_, _| Answer::json(r#"{"access_token":"token-1","token_type":"Bearer"}"#),
        |_, _| Answer::empty(200),
    )
    .await;
    let app = builder::<mx::Provider>(&recorder).build().unwrap();
    let pending = app.authorize([mx::Scope::Accounts]).unwrap().pending;
    let callback = format!("{REDIRECT}?code=code-1&state={}", pending.state().expose_secret());
    let user = app.finish(pending, &callback).await.unwrap();
    user.revoke().await.unwrap();
    let sent = recorder.calls().remove(0);
    assert_eq!(sent.method, "POST");
    assert_eq!(sent.field("token").as_deref(), Some("token-1"));
    assert_eq!(sent.field("token_type_hint").as_deref(), Some("access_token"));
}

#[tokio::test]
async fn client_credentials_are_asked_for_with_authentication() {
    let recorder = Recorder::granting(|_, _| Answer::json("[]")).await;
    let app = builder::<ofx::Provider>(&recorder).build().unwrap();
    let own = app.client_credentials([ofx::Scope::Payments]).unwrap();
    own.list_beneficiaries().send().await.unwrap();
    let sent = recorder.token_requests().remove(0);
    once_and_not_empty(&sent.form());
    assert_eq!(sent.method, "POST");
    assert_eq!(sent.field("grant_type").as_deref(), Some("client_credentials"));
    assert_eq!(sent.field("client_secret").as_deref(), Some(SECRET));
}

#[tokio::test]
async fn a_password_is_sent_once_and_kept_nowhere() {
    const PASSWORD: &str = "planted-password";
    let recorder = granting().await;
    let (clock, store) = (Arc::new(ManualClock::new()), Arc::new(MemoryStore::new()));
    let builder = builder::<omnifund::Provider>(&recorder).clock(clock.clone());
    let app = builder.store(store.clone()).build().unwrap();
    let user = app.password("jo", PASSWORD, [""; 0]).await.unwrap();
    let sent = recorder.seen().remove(0);
    once_and_not_empty(&sent.form());
    assert_eq!(sent.field("grant_type").as_deref(), Some("password"));
    assert_eq!(sent.field("username").as_deref(), Some("jo"));
    assert_eq!(sent.field("password").as_deref(), Some(PASSWORD));
    assert_eq!(sent.field("client_secret").as_deref(), Some(SECRET));

    let stored = store.load(user.key()).await.unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&stored.bytes).contains(PASSWORD));
    clock.advance(Duration::from_secs(3600));
    user.tokens().fresh().await.unwrap();
    let refresh = recorder.seen().remove(1);
    assert_eq!(refresh.field("grant_type").as_deref(), Some("refresh_token"));
    assert!(!refresh.text().contains(PASSWORD));
}
