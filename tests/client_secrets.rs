//! The secret of a client that comes from a source, and its rotation: what is read, what is sent, and what is spent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[macro_use]
mod connected;
mod recorder;

use std::collections::BTreeMap;
use std::error::Error as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use connected::{NO_SCOPES, REDIRECT};
use finrail::grant::{AuthorizationCode, Revocation};
use finrail::oauth::{ClientSecretError, ClientSecretSource, ClientSecrets, Error, Pending};
use finrail::token::{ManualClock, MemoryStore, Record, TokenHandle, TokenStore as _};
use finrail::{App, AppBuilder, ConfigError, Connection, Credentials, Provider, finexer, mx, ofx, omnifund};
use futures_util::future::{BoxFuture, join_all};
use recorder::{Answer, Recorder, Seen};

/// A vault: gives what is in it, after what happens at a reading.
struct Vault {
    content: Mutex<Content>,
    readings: Mutex<usize>,
    /// What happens at the readings, by their number from 1 on.
    at: Mutex<BTreeMap<usize, Box<dyn FnOnce() + Send>>>,
}

#[derive(Clone)]
enum Content {
    Secrets(ClientSecrets),
    Sealed,
    Silent,
}

impl Vault {
    fn with(secret: &str) -> Arc<Self> {
        Arc::new(Self {
            content: Mutex::new(Content::Secrets(ClientSecrets::new(secret))),
            readings: Mutex::default(),
            at: Mutex::default(),
        })
    }

    fn put(&self, secret: &str) {
        self.set(Content::Secrets(ClientSecrets::new(secret)));
    }

    fn set(&self, content: Content) {
        *self.content.lock().unwrap() = content;
    }

    fn at_reading(&self, number: usize, what: impl FnOnce() + Send + 'static) {
        self.at.lock().unwrap().insert(number, Box::new(what));
    }

    fn readings(&self) -> usize {
        *self.readings.lock().unwrap()
    }
}

impl ClientSecretSource for Vault {
    fn read(&self) -> BoxFuture<'_, Result<ClientSecrets, Box<dyn std::error::Error + Send + Sync>>> {
        let number = {
            let mut readings = self.readings.lock().unwrap();
            *readings += 1;
            *readings
        };
        Box::pin(async move {
            tokio::task::yield_now().await;
            if let Some(what) = self.at.lock().unwrap().remove(&number) {
                what();
            }
            let content = self.content.lock().unwrap().clone();
            match content {
                Content::Secrets(secrets) => Ok(secrets),
                Content::Sealed => Err("the vault is sealed".into()),
                Content::Silent => std::future::pending().await,
            }
        })
    }
}

/// The client's secret in a request, in the header or in the body.
fn secret_of(seen: &Seen) -> String {
    let Some(header) = seen.header("authorization") else {
        return seen.field("client_secret").unwrap();
    };
    let credentials = header.strip_prefix("Basic ").unwrap();
    let decoded = base64::engine::general_purpose::STANDARD.decode(credentials).unwrap();
    let decoded = String::from_utf8(decoded).unwrap();
    decoded.strip_prefix("client:").unwrap().to_owned()
}

fn secrets_of(seen: &[Seen]) -> Vec<String> {
    seen.iter().map(secret_of).collect()
}

const REFUSED: &str = r#"{"error":"invalid_client"}"#;

/// A provider that takes the client with these secrets and no others. Refresh tokens rotate, and each one and each code is
/// good for one request that got past the client.
struct Bank {
    recorder: Recorder,
    takes: Arc<Mutex<Vec<&'static str>>>,
}

impl Bank {
    async fn that_takes(secrets: &[&'static str]) -> Self {
        let takes = Arc::new(Mutex::new(secrets.to_vec()));
        let (taken, spent, given) = (Arc::clone(&takes), Mutex::new(Vec::new()), Mutex::new(0));
        let recorder = Recorder::start(move |seen, _| {
            if !taken.lock().unwrap().contains(&secret_of(seen).as_str()) {
                return Answer::status(401, REFUSED);
            }
            if !seen.path().ends_with("/token") {
                // A revocation, as MX and Finexer answer it.
                return Answer::empty(if seen.header("authorization").is_some() {
                    200
                } else {
                    204
                });
            }
            if let Some(once) = seen.field("refresh_token").or_else(|| seen.field("code")) {
                let mut spent = spent.lock().unwrap();
                if spent.contains(&once) {
                    return Answer::status(400, r#"{"error":"invalid_grant"}"#);
                }
                spent.push(once);
            }
            let mut given = given.lock().unwrap();
            *given += 1;
            Answer::json(recorder::token(*given))
        })
        .await;
        Self { recorder, takes }
    }

    fn now_takes(&self, secrets: &[&'static str]) {
        *self.takes.lock().unwrap() = secrets.to_vec();
    }

    fn builder<P: Provider>(&self, credentials: Credentials<P>) -> AppBuilder<P> {
        connected::builder::<P>(&self.recorder).credentials(credentials)
    }

    fn app<P: Provider>(&self, vault: &Arc<Vault>) -> AppBuilder<P> {
        let source: Arc<dyn ClientSecretSource> = Arc::clone(vault) as _;
        self.builder(Credentials::from_source("client", source))
    }

    /// The secrets that came, in their order.
    fn secrets(&self) -> Vec<String> {
        secrets_of(&self.recorder.seen())
    }
}

fn begin<P: AuthorizationCode>(app: &App<P>, user: &str) -> Pending {
    app.authorize(NO_SCOPES).unwrap().subject(user).pending
}

fn callback(pending: &Pending, code: &str) -> String {
    format!("{REDIRECT}?code={code}&state={}", pending.state().expose_secret())
}

async fn login<P: AuthorizationCode>(app: &App<P>, user: &str) -> Result<Connection<P>, Error> {
    let pending = begin(app, user);
    let callback = callback(&pending, &format!("code-of-{user}"));
    app.finish(pending, &callback).await
}

/// That time has gone by for the source, whose readings have ended before.
async fn later(seconds: u64) {
    tokio::time::sleep(Duration::from_millis(50)).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

/// Every text that an error shows, with all that is behind it.
fn shown(error: &dyn std::error::Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut at = error.source();
    while let Some(cause) = at {
        text += &format!(" {cause} {cause:?} {cause:#?}");
        at = cause.source();
    }
    text
}

#[tokio::test]
async fn a_secret_that_is_replaced_while_grants_refresh_costs_one_reading_and_no_grant() {
    let bank = Bank::that_takes(&["old"]).await;
    let (vault, clock) = (Vault::with("old"), Arc::new(ManualClock::new()));
    let app: mx::App = bank.app(&vault).clock(clock.clone()).build().unwrap();
    let mut users = Vec::new();
    for user in 0..20 {
        users.push(login(&app, &format!("user-{user}")).await.unwrap());
    }
    assert_eq!(vault.readings(), 1);
    assert_eq!(bank.secrets(), vec!["old"; 20]);
    // At the provider and in the vault.
    bank.now_takes(&["new"]);
    vault.put("new");
    clock.advance(Duration::from_secs(4000));
    let tokens: Vec<TokenHandle> = users.iter().map(|user| user.tokens().clone()).collect();
    for bearer in join_all(tokens.iter().map(TokenHandle::fresh)).await {
        assert_eq!(bearer.unwrap().generation, 2);
    }
    assert_eq!(vault.readings(), 2);
    // Each refresh token once with each secret.
    let mut sent: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for seen in &bank.recorder.token_requests()[20..] {
        let token = seen.field("refresh_token").unwrap();
        sent.entry(token).or_default().push(secret_of(seen));
    }
    assert_eq!(sent.len(), 20);
    for (token, secrets) in &sent {
        assert!(
            secrets == &["old", "new"] || secrets == &["new"],
            "{token}: {secrets:?}"
        );
    }
    assert!(sent.values().any(|secrets| secrets.len() == 2));
    // And the next refresh begins with the new one.
    clock.advance(Duration::from_secs(4000));
    let before = bank.secrets().len();
    assert_eq!(tokens[0].fresh().await.unwrap().generation, 3);
    assert_eq!(bank.secrets()[before..], ["new"]);
}

#[tokio::test]
async fn every_request_with_the_secret_is_sent_again_with_the_other_one() {
    let bank = Bank::that_takes(&["new"]).await;
    let taken_from = |before: usize| bank.secrets()[before..].to_vec();

    // Client credentials, secret in the body.
    let app: ofx::App = bank
        .builder(Credentials::new("client", "old").other_secret("new"))
        .build()
        .unwrap();
    app.client_tokens(NO_SCOPES).unwrap().fresh().await.unwrap();
    assert_eq!(taken_from(0), ["old", "new"]);

    // A password.
    let before = bank.secrets().len();
    let app: omnifund::App = bank
        .builder(Credentials::new("client", "old").other_secret("new"))
        .build()
        .unwrap();
    app.password("jo", "password", NO_SCOPES).await.unwrap();
    assert_eq!(taken_from(before), ["old", "new"]);

    // A code, a refresh and a revocation; the secret in the header and in the body.
    async fn of_a_user<P: AuthorizationCode + Revocation>(bank: &Bank, user: &str) -> [Vec<String>; 3] {
        bank.now_takes(&["new"]);
        let clock = Arc::new(ManualClock::new());
        let credentials = Credentials::new("client", "old").other_secret("new");
        let app: App<P> = bank.builder(credentials).clock(clock.clone()).build().unwrap();
        let mut sent = Vec::new();
        let mut before = bank.secrets().len();
        let mut step = |bank: &Bank| {
            let secrets = bank.secrets();
            sent.push(secrets[before..].to_vec());
            before = secrets.len();
        };
        let user = login(&app, user).await.unwrap();
        step(bank);
        bank.now_takes(&["old"]);
        clock.advance(Duration::from_secs(4000));
        assert_eq!(user.tokens().fresh().await.unwrap().generation, 2);
        step(bank);
        bank.now_takes(&["new"]);
        user.revoke().await.unwrap();
        step(bank);
        sent.try_into().unwrap()
    }
    let expected = [["old", "new"], ["new", "old"], ["old", "new"]];
    assert_eq!(of_a_user::<mx::Provider>(&bank, "jo").await, expected);
    assert_eq!(of_a_user::<finexer::Provider>(&bank, "kim").await, expected);
}

#[tokio::test]
async fn of_two_valid_secrets_the_one_that_was_taken_last_goes_first() {
    let bank = Bank::that_takes(&["new"]).await;
    let vault = Vault::with("-");
    vault.set(Content::Secrets(ClientSecrets::new("old").other("new")));
    let app: mx::App = bank.app(&vault).build().unwrap();
    for user in ["a", "b", "c"] {
        login(&app, user).await.unwrap();
    }
    assert_eq!(bank.secrets(), ["old", "new", "new", "new"]);
    bank.now_takes(&["old", "new"]);
    login(&app.clone(), "d").await.unwrap();
    assert_eq!(bank.secrets().pop().unwrap(), "new");
    assert_eq!(vault.readings(), 1, "shared by the clones of an application");
}

#[tokio::test]
async fn logins_at_the_same_time_wait_for_one_reading() {
    let bank = Bank::that_takes(&["good"]).await;
    let vault = Vault::with("good");
    let app: mx::App = bank.app(&vault).build().unwrap();
    assert_eq!(vault.readings(), 0, "nothing is read before it is needed");
    let users: Vec<String> = (0..50).map(|user| format!("user-{user}")).collect();
    for user in join_all(users.iter().map(|user| login(&app, user))).await {
        user.unwrap();
    }
    assert_eq!(vault.readings(), 1);
    assert_eq!(bank.secrets(), vec!["good"; 50]);
}

#[tokio::test]
async fn a_source_that_fails_or_is_silent_sends_nothing_and_spends_neither_code_nor_refresh_token() {
    for (content, cause) in [
        (Content::Sealed, "the source failed"),
        (Content::Silent, "the source gave no answer within 1 s"),
        (
            Content::Secrets(ClientSecrets::new("")),
            "the secret that the source gave is empty; store the one that the provider registered",
        ),
    ] {
        let bank = Bank::that_takes(&["good"]).await;
        let vault = Vault::with("good");
        let (clock, store) = (Arc::new(ManualClock::new()), Arc::new(MemoryStore::new()));
        let build = || {
            let app: AppBuilder<mx::Provider> = bank.app(&vault).clock(clock.clone()).store(store.clone());
            app.token_request_timeout(Duration::from_secs(2)).build().unwrap()
        };
        let app = build();
        vault.set(content.clone());
        let pending = begin(&app, "jo");
        let back = callback(&pending, "code-1");
        let error = app.finish(pending.clone(), &back).await.unwrap_err();
        let Error::ClientSecret { request, source, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!((*request, source.to_string().as_str()), ("code exchange", cause));
        assert!(error.is_retryable() && !error.reauthorization_required());
        assert_eq!(bank.secrets(), [""; 0]);

        // The same callback, now that there is a secret.
        vault.put("good");
        later(2).await;
        let user = app.finish(pending, &back).await.unwrap();
        assert_eq!(bank.secrets(), ["good"]);

        // Another process refreshes.
        vault.set(content);
        let process = build();
        let user = process.connection(user.key()).await.unwrap().unwrap();
        clock.advance(Duration::from_secs(4000));
        let error = user.tokens().fresh().await.unwrap_err();
        assert!(matches!(error, finrail::token::Error::Transient { .. }), "{error:?}");
        let behind = error.source().unwrap();
        let text = "refresh: nothing was sent, because the source of the client's secret gave none";
        assert!(behind.to_string().starts_with(text), "{behind}");
        assert_eq!(behind.source().unwrap().to_string(), cause);
        assert_eq!(bank.secrets(), ["good"]);
        let stored = store.load(user.key()).await.unwrap().unwrap();
        let record = Record::decode(&stored.bytes).unwrap();
        assert!(
            record.intent.is_none() && record.tombstone.is_none(),
            "nothing is in doubt"
        );

        vault.put("good");
        later(2).await;
        clock.advance(Duration::from_secs(60));
        assert_eq!(user.tokens().fresh().await.unwrap().generation, 2);
        assert_eq!(bank.secrets(), ["good", "good"]);
    }
}

#[tokio::test]
async fn a_client_that_is_refused_with_every_secret_is_no_storm_at_the_source() {
    const GRANTS: usize = 300;
    let bank = Bank::that_takes(&["old"]).await;
    let (vault, clock) = (Vault::with("old"), Arc::new(ManualClock::new()));
    let app: mx::App = bank.app(&vault).clock(clock.clone()).build().unwrap();
    let mut tokens = Vec::new();
    for user in 0..GRANTS {
        let user = login(&app, &format!("user-{user}")).await.unwrap();
        tokens.push(user.tokens().clone());
    }
    bank.now_takes(&[]);
    clock.advance(Duration::from_secs(4000));
    for part in tokens.chunks(100) {
        for outcome in join_all(part.iter().map(TokenHandle::fresh)).await {
            let error = outcome.unwrap_err();
            assert!(
                matches!(error, finrail::token::Error::ClientMisconfigured { .. }),
                "{error:?}"
            );
            assert!(error.source().unwrap().to_string().contains("`invalid_client`"));
        }
    }
    assert_eq!(vault.readings(), 2);
    assert_eq!(bank.secrets().len(), GRANTS * 2, "each of them was sent once");
    // The grants live, and the next reading finds what the provider takes.
    bank.now_takes(&["new"]);
    vault.put("new");
    later(5).await;
    clock.advance(Duration::from_secs(60));
    for outcome in join_all(tokens.iter().map(TokenHandle::fresh)).await {
        assert_eq!(outcome.unwrap().generation, 2);
    }
    assert_eq!(vault.readings(), 3);
}

#[tokio::test]
async fn a_code_that_met_an_old_secret_is_sent_again_and_stays_good_when_there_is_no_other() {
    let bank = Bank::that_takes(&["new"]).await;
    let vault = Vault::with("old");
    let app: mx::App = bank.app(&vault).build().unwrap();
    let pending = begin(&app, "jo");
    let back = callback(&pending, "code-1");
    let error = app.finish(pending.clone(), &back).await.unwrap_err();
    assert_eq!(error.code(), Some("invalid_client"), "{error:?}");
    assert_eq!(bank.secrets(), ["old"]);
    assert_eq!(vault.readings(), 2);
    // The vault has it now. The source was asked a moment ago, and is not asked again.
    vault.put("new");
    let error = app.finish(pending.clone(), &back).await.unwrap_err();
    assert_eq!(error.code(), Some("invalid_client"), "{error:?}");
    assert_eq!(vault.readings(), 2);
    later(5).await;
    app.finish(pending, &back).await.unwrap();
    assert_eq!(bank.secrets(), ["old", "old", "old", "new"]);
    let codes: Vec<_> = bank.recorder.seen().iter().map(|seen| seen.field("code")).collect();
    assert_eq!(codes, vec![Some("code-1".to_owned()); 4]);
}

#[tokio::test]
async fn a_source_that_fails_when_the_client_is_refused_leaves_the_answer_of_the_server() {
    let bank = Bank::that_takes(&["old"]).await;
    let vault = Vault::with("old");
    let app: mx::App = bank.app(&vault).build().unwrap();
    login(&app, "jo").await.unwrap();
    bank.now_takes(&["new"]);
    vault.set(Content::Sealed);
    let error = login(&app, "kim").await.unwrap_err();
    assert_eq!(error.code(), Some("invalid_client"), "{error:?}");
    assert_eq!(bank.secrets(), ["old", "old"]);
    assert_eq!(vault.readings(), 2);
}

#[tokio::test]
async fn nothing_is_sent_again_after_any_other_answer() {
    let cut = format!(
        "HTTP/1.1 401 No\r\ncontent-length: 500\r\n\r\n{}",
        &REFUSED[..REFUSED.len() - 1]
    );
    for (number, answer) in [
        Answer::status(400, r#"{"error":"invalid_grant"}"#),
        Answer::status(400, r#"{"error":"unauthorized_client"}"#),
        Answer::status(400, r#"{"error":"invalid_request"}"#),
        Answer::status(401, "{}"),
        Answer::html(401, "<html>"),
        Answer::status(429, REFUSED),
        Answer::status(503, REFUSED),
        Answer::html(503, "<html>"),
        Answer::json("{}"),
        Answer::Pieces(vec![(Duration::ZERO, cut.into_bytes())]),
        Answer::Drop,
        Answer::Silence,
    ]
    .into_iter()
    .enumerate()
    {
        let recorder = Recorder::in_order([Answer::json(recorder::token(1)), answer]).await;
        let vault = Vault::with("-");
        vault.set(Content::Secrets(ClientSecrets::new("one").other("two")));
        let source: Arc<dyn ClientSecretSource> = Arc::clone(&vault) as _;
        let clock = Arc::new(ManualClock::new());
        let app: mx::App = connected::builder(&recorder)
            .credentials(Credentials::from_source("client", source))
            .token_request_timeout(Duration::from_secs(2))
            .clock(clock.clone())
            .build()
            .unwrap();
        let user = login(&app, "jo").await.unwrap();
        clock.advance(Duration::from_secs(4000));
        user.tokens().fresh().await.unwrap_err();
        assert_eq!(recorder.seen().len(), 2, "answer {number}");
        assert_eq!(vault.readings(), 1);
    }
}

#[tokio::test]
async fn a_refresh_whose_lease_ended_while_the_source_was_asked_is_not_sent_again() {
    let bank = Bank::that_takes(&["old"]).await;
    let (vault, clock) = (Vault::with("old"), Arc::new(ManualClock::new()));
    let app: mx::App = bank.app(&vault).clock(clock.clone()).build().unwrap();
    let user = login(&app, "jo").await.unwrap();
    bank.now_takes(&["new"]);
    vault.put("new");
    clock.advance(Duration::from_secs(4000));
    // The process stands still for longer than a lease lasts.
    let stands = Arc::clone(&clock);
    vault.at_reading(2, move || stands.advance(Duration::from_secs(600)));
    let error = user.tokens().fresh().await.unwrap_err();
    assert!(matches!(error, finrail::token::Error::Transient { .. }), "{error:?}");
    assert_eq!(bank.secrets(), ["old", "old"]);
    // The refresh token is as good as it was.
    clock.advance(Duration::from_secs(60));
    assert_eq!(user.tokens().fresh().await.unwrap().generation, 2);
    assert_eq!(bank.secrets(), ["old", "old", "new"]);
}

#[tokio::test]
async fn no_secret_that_was_sent_or_read_is_shown() {
    const PLANTED: [&str; 3] = ["planted-old/+=", "planted-new/+=", "planted-unused/+="];
    let forms: Vec<String> = PLANTED
        .iter()
        .flat_map(|secret| {
            let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            let basic = base64::engine::general_purpose::STANDARD.encode(format!("client:{encoded}"));
            [(*secret).to_owned(), encoded, basic]
        })
        .collect();
    let hides = |text: &str| {
        for form in &forms {
            assert!(!text.contains(form.as_str()), "{form} is in {text}");
        }
    };
    for in_the_body in [false, true] {
        // A server that repeats what it got in all requests.
        let got = Mutex::new(String::new());
        let recorder = Recorder::start(move |seen, _| {
            let mut got = got.lock().unwrap();
            *got += &format!(
                "{:?} {} {} ",
                seen.header("authorization"),
                seen.text(),
                secret_of(seen)
            );
            let body = serde_json::json!({ "error": "invalid_client", "error_description": &*got });
            Answer::status(401, body.to_string())
        })
        .await;
        let secrets = ClientSecrets::new(PLANTED[0]).other(PLANTED[1]);
        hides(&format!("{secrets:?} {secrets:#?}"));
        let vault = Vault::with("-");
        vault.set(Content::Secrets(secrets));
        let source: Arc<dyn ClientSecretSource> = Arc::clone(&vault) as _;
        let error = if in_the_body {
            let credentials = ofx::Credentials::from_source("client", source);
            let app: ofx::App = connected::builder(&recorder).credentials(credentials).build().unwrap();
            let error = app.client_tokens(NO_SCOPES).unwrap().fresh().await.unwrap_err();
            hides(&shown(&error));
            login(&app, "jo").await.unwrap_err()
        } else {
            let credentials = mx::Credentials::from_source("client", source).other_secret(PLANTED[2]);
            hides(&format!("{credentials:?} {credentials:#?}"));
            let builder = connected::builder(&recorder).credentials(credentials);
            hides(&format!("{builder:?}"));
            let app: mx::App = builder.build().unwrap();
            let error = login(&app, "jo").await.unwrap_err();
            hides(&format!("{app:?} {:?}", app.authorization_server()));
            error
        };
        assert!(recorder.seen().len() >= 3);
        let description = error.description().unwrap();
        assert!(description.contains("[REDACTED]"), "{description}");
        hides(description);
        hides(&shown(&error));
        hides(&shown(&ClientSecretError::Empty));
    }
}

#[tokio::test]
async fn one_secret_of_the_settings_is_sent_once() {
    let bank = Bank::that_takes(&[]).await;
    for credentials in [
        Credentials::new("client", "old"),
        Credentials::new("client", "old").other_secret(""),
        Credentials::new("client", "old").other_secret("old"),
    ] {
        let before = bank.secrets().len();
        let app: mx::App = bank.builder(credentials).build().unwrap();
        let error = login(&app, "jo").await.unwrap_err();
        assert_eq!(error.code(), Some("invalid_client"), "{error:?}");
        assert_eq!(bank.secrets()[before..], ["old"]);
    }
}

#[test]
fn bare_calls_of_the_oauth_module_take_no_source() {
    let vault = Vault::with("good");
    let source: Arc<dyn ClientSecretSource> = Arc::clone(&vault) as _;
    let error = mx::oauth::Client::builder()
        .base_url("https://fdx.bank.example")
        .credentials(mx::Credentials::from_source("client", source))
        .build()
        .unwrap_err();
    let ConfigError::Credentials(text) = error else {
        panic!("{error:?}")
    };
    assert!(
        text.ends_with("read it first, and give it with `Credentials::new`"),
        "{text}"
    );
    assert_eq!(vault.readings(), 0);
}
