//! Planted secrets: searched for in what every public type prints, in every error down to its last source, and in the log.
//!
//! Two things are the caller's own to print, and are left out: a type's serialised form, because that
//! is how a secret gets onto the wire and into a store, and an error body that was asked for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod logged;
mod recorder;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::fmt::{Debug, Display};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use finrail::oauth::wire::{OAuthError, RevocationRequest, TokenRequest, TokenResponse};
use finrail::sandbox::{Fault, Sandbox};
use finrail::token::{ManualClock, MemoryStore, Obtain, RefreshRequest, RevokedToken, TokenReply, TokenStore as _};
use finrail::transport::RetryPolicy;
use finrail::{App, Connection, Provider, Secret, finexer, mx, ofx, omnifund, tatrabanka};
use logged::Log;
use recorder::{Answer, Recorder, Seen};

const REDIRECT: &str = "https://app.example.com/callback";
const NO_SCOPES: [&str; 0] = [];

const CLIENT_SECRET: &str = "planted-client-secret/+=";
const ACCESS: &str = "planted-access-token";
const REFRESH: &str = "planted-refresh-token";
const CODE: &str = "planted/code+1=";
const PASSWORD: &str = "planted-password&=";
const KEY: &str = "planted-access-key";
const REGISTRATION: &str = "planted-registration-token";
const PAN: &str = "4929420573595709";
const EMAIL: &str = "planted-person@example.com";

/// What must not be seen, and everything that was shown.
struct Watch {
    secrets: BTreeSet<String>,
    log: Log,
    _logging: tracing::subscriber::DefaultGuard,
}

impl Watch {
    fn new() -> Self {
        let (log, logging) = Log::everything();
        let planted = [CLIENT_SECRET, ACCESS, REFRESH, CODE, PASSWORD, KEY, REGISTRATION, PAN];
        let mut watch = Self {
            secrets: BTreeSet::new(),
            log,
            _logging: logging,
        };
        planted.iter().for_each(|secret| watch.plant(secret));
        watch.plant(&format!("client:{CLIENT_SECRET}"));
        watch
    }

    /// A secret in every form in which it could get out.
    fn plant(&mut self, secret: &str) {
        assert!(secret.len() >= 8, "too short to be searched for");
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for form in [secret, &encoded] {
            self.secrets.insert(form.to_owned());
            self.secrets
                .insert(base64::engine::general_purpose::STANDARD.encode(form));
        }
    }

    #[track_caller]
    fn search(&self, what: &str, text: &str) {
        for secret in &self.secrets {
            assert!(!text.contains(secret.as_str()), "{what} shows {secret}: {text}");
        }
    }

    #[track_caller]
    fn shows_nothing(&self, what: &str, value: &dyn Debug) {
        self.search(what, &format!("{value:?}"));
        self.search(what, &format!("{value:#?}"));
    }

    #[track_caller]
    fn says_nothing(&self, what: &str, value: &dyn Display) {
        self.search(what, &format!("{value} {value:#}"));
    }

    /// An error with everything behind it. Gives its text.
    #[track_caller]
    fn error(&self, what: &str, error: &dyn StdError) -> String {
        self.shows_nothing(what, &error);
        let mut text = error.to_string();
        let mut next = error.source();
        while let Some(source) = next {
            self.shows_nothing(what, &source);
            text.push_str(" <- ");
            text.push_str(&source.to_string());
            next = source.source();
        }
        self.search(what, &text);
        text
    }

    fn end(self) {
        let log = self.log.text();
        for expected in ["finrail.call", "finrail.oauth"] {
            assert!(log.contains(expected), "the log was not recorded: no {expected}");
        }
        for line in log.lines() {
            self.search("the log", line);
        }
    }

    /// Everything about a connection that can be printed.
    async fn connection<P: Provider>(&self, user: &Connection<P>)
    where
        P::Client: Debug,
        P::Extra: Debug,
    {
        self.shows_nothing("a connection", user);
        self.shows_nothing("a client", user.client());
        self.shows_nothing("a key", user.key());
        self.shows_nothing("extra", &user.extra());
        self.shows_nothing("info", &user.info());
        self.shows_nothing("a handle", user.tokens());
        self.shows_nothing("a header", &user.tokens().header());
        self.shows_nothing("a header", &user.tokens().header().map(|bearer| bearer.header));
        let explanation = user.tokens().explain().await;
        self.shows_nothing("an explanation", &explanation);
        self.says_nothing("an explanation", &explanation);
        self.says_nothing("a subject", &user.subject());
    }
}

fn app<P: Provider>(recorder: &Recorder) -> finrail::AppBuilder<P> {
    App::<P>::builder()
        .base_url(recorder.origin())
        .credentials(finrail::Credentials::new("client", CLIENT_SECRET))
        .redirect_uri(REDIRECT)
        .retry(RetryPolicy::none())
}

fn callback(state: &Secret) -> String {
    let code: String = url::form_urlencoded::byte_serialize(CODE.as_bytes()).collect();
    format!("{REDIRECT}?code={code}&state={}", state.expose_secret())
}

fn tokens() -> Answer {
    Answer::json(format!(
        r#"{{"access_token":"{ACCESS}","token_type":"Bearer","expires_in":3600,"refresh_token":"{REFRESH}"}}"#
    ))
}

/// An app, an authorization under way with its own secrets planted, and the connection, when the exchange succeeds.
async fn authorize<P: finrail::grant::AuthorizationCode>(
    watch: &mut Watch,
    app: &App<P>,
    scope: &'static str,
) -> Result<Connection<P>, finrail::oauth::Error> {
    let authorization = app
        .authorize([scope].into_iter().filter(|scope| !scope.is_empty()))
        .unwrap();
    let stored = serde_json::to_value(&authorization.pending).unwrap();
    watch.plant(stored["state"].as_str().unwrap());
    if let Some(verifier) = stored["verifier"].as_str() {
        watch.plant(verifier);
    }
    watch.shows_nothing("an app", app);
    watch.shows_nothing("an authorization server", app.authorization_server());
    watch.shows_nothing("an authorization", &authorization);
    watch.shows_nothing("a pending authorization", &authorization.pending);
    let callback = callback(authorization.pending.state());
    app.finish(authorization.pending, &callback).await
}

type Echo = fn(&Seen) -> Answer;

/// Replies that bring no token and repeat what they were sent: as it came in, and every field of it.
const ECHOES: [(&str, Echo); 15] = [
    ("a description", |seen| {
        Answer::status(400, described("invalid_grant", &repeated(seen)))
    }),
    ("a description with status 200", |seen| {
        Answer::json(described("invalid_grant", &repeated(seen)))
    }),
    ("a description of an outage", |seen| {
        Answer::status(503, described("server_error", &repeated(seen)))
    }),
    ("a nested error", |seen| {
        let error = serde_json::json!({ "error": { "code": "bad", "message": repeated(seen) } });
        Answer::status(400, error.to_string())
    }),
    ("the code for an error", |seen| {
        Answer::status(400, described(&spent(seen), ""))
    }),
    ("the code in an error", |seen| {
        Answer::status(401, described(&format!("no:{}", spent(seen)), ""))
    }),
    ("a page", |seen| Answer::html(200, repeated(seen))),
    ("a page of an outage", |seen| Answer::html(502, repeated(seen))),
    ("a list", |_| {
        Answer::json(format!(
            r#"{{"access_token":["{ACCESS}"],"refresh_token":["{REFRESH}","{ACCESS}"]}}"#
        ))
    }),
    ("another type", |_| {
        Answer::json(format!(r#"{{"access_token":"{ACCESS}","token_type":"{REFRESH}"}}"#))
    }),
    ("a line break", |_| {
        Answer::json(format!(r#"{{"access_token":"{ACCESS}\n{REFRESH}"}}"#))
    }),
    ("half a reply", |_| {
        Answer::json(format!(r#"{{"access_token":"{ACCESS}","refresh"#))
    }),
    ("a redirect", |seen| {
        Answer::redirect(302, format!("https://evil.example/?token={ACCESS}&{}", seen.text()))
    }),
    ("a break", |_| Answer::Drop),
    ("nothing", |_| Answer::empty(500)),
];

fn described(error: &str, description: &str) -> String {
    serde_json::json!({ "error": error, "error_description": description }).to_string()
}

fn repeated(seen: &Seen) -> String {
    let fields: Vec<String> = seen.form().into_iter().map(|(_, value)| value).collect();
    format!("not found: {} {}", fields.join(", "), seen.text())
}

/// What the request spends.
fn spent(seen: &Seen) -> String {
    let secret = |name: &&str| seen.field(name);
    ["code", "refresh_token", "token", "password", "client_secret"]
        .iter()
        .find_map(secret)
        .unwrap()
}

#[tokio::test]
async fn an_exchange_that_fails_shows_no_secret() {
    let mut watch = Watch::new();
    for (what, echo) in ECHOES {
        let recorder = Recorder::start(move |seen, _| echo(seen)).await;
        let error = authorize(&mut watch, &app::<finexer::Provider>(&recorder).build().unwrap(), "")
            .await
            .unwrap_err();
        watch.error(what, &error);
        let error = authorize(&mut watch, &app::<mx::Provider>(&recorder).build().unwrap(), "accounts")
            .await
            .unwrap_err();
        watch.error(what, &error);
        let omnifund = app::<omnifund::Provider>(&recorder).build().unwrap();
        watch.error(what, &omnifund.password("user", PASSWORD, NO_SCOPES).await.unwrap_err());
        let own = app::<ofx::Provider>(&recorder)
            .build()
            .unwrap()
            .client_credentials(["payments"])
            .unwrap();
        watch.error(what, &own.list_beneficiaries().send().await.unwrap_err());
    }
    // Callbacks that are refused.
    let recorder = Recorder::in_order([Answer::Drop]).await;
    let app = app::<finexer::Provider>(&recorder).build().unwrap();
    let pending = app.authorize(NO_SCOPES).unwrap().pending;
    let fits = callback(pending.state());
    for callback in [
        fits.replace("state=", "state=x"),
        format!("{fits}&code=second"),
        format!("{REDIRECT}?error={ACCESS}&state=foreign-{ACCESS}"),
        fits.replace('?', "#"),
    ] {
        watch.error("a callback", &app.finish(pending.clone(), &callback).await.unwrap_err());
    }
    // `reqwest` was asked for nothing by these; one call makes the log complete.
    let recorder = Recorder::in_order([tokens(), Answer::json("[]")]).await;
    let own = self::app::<ofx::Provider>(&recorder)
        .build()
        .unwrap()
        .client_credentials(["payments"])
        .unwrap();
    own.list_beneficiaries().send().await.unwrap();
    watch.end();
}

#[tokio::test]
async fn a_refresh_and_a_revocation_that_fail_show_no_secret() {
    let mut watch = Watch::new();
    for (what, echo) in ECHOES {
        let clock = Arc::new(ManualClock::new());
        let recorder = Recorder::start(move |seen, before| if before == 0 { tokens() } else { echo(seen) }).await;
        let app = app::<mx::Provider>(&recorder).clock(clock.clone()).build().unwrap();
        let user = authorize(&mut watch, &app, "accounts").await.unwrap();
        if let Err(error) = user.revoke().await {
            watch.error(what, &error);
        }
        watch.connection(&user).await;
        let recorder = Recorder::start(move |seen, before| if before == 0 { tokens() } else { echo(seen) }).await;
        let app = self::app::<mx::Provider>(&recorder)
            .clock(clock.clone())
            .build()
            .unwrap();
        let user = authorize(&mut watch, &app, "accounts").await.unwrap();
        let mut events = user.tokens().watch();
        clock.advance(Duration::from_secs(3600));
        let error = user.client().list_accounts().send().await.unwrap_err();
        watch.error(what, &error);
        watch.shows_nothing("an error", &error.into_untyped());
        watch.connection(&user).await;
        if let Ok(event) = tokio::time::timeout(Duration::from_millis(20), events.next()).await {
            watch.shows_nothing("an event", &event);
        }
        watch.shows_nothing("events", &events);
    }
    watch.end();
}

#[tokio::test]
async fn a_call_that_fails_shows_neither_token_nor_body() {
    let mut watch = Watch::new();
    watch.plant(EMAIL);
    let page = format!("<html>Bearer {ACCESS} {PAN}</html>");
    for (what, answer) in [
        (
            "an error body",
            Answer::status(
                400,
                format!(r#"{{"error":{{"message":"{ACCESS} {PAN}","code":"{PAN}"}}}}"#),
            ),
        ),
        (
            "an error body",
            Answer::status(401, format!(r#"{{"error":{{"message":"{ACCESS}"}}}}"#)),
        ),
        ("a page", Answer::html(200, page.clone())),
        ("a page", Answer::html(503, page)),
        ("a text for a list", Answer::json(format!(r#"{{"data":"{ACCESS}"}}"#))),
        ("a text for an object", Answer::json(format!(r#"{{"data":["{PAN}"]}}"#))),
        (
            "an object for an id",
            Answer::json(format!(r#"{{"data":[{{"id":{{"{PAN}":"{ACCESS}"}}}}]}}"#)),
        ),
        (
            "a text for a number",
            Answer::json(format!(r#"{{"data":[],"count":"{PAN} {ACCESS}"}}"#)),
        ),
        ("half a reply", Answer::json(format!(r#"{{"data":[{{"id":"{ACCESS}"#))),
        ("no JSON", Answer::json(format!("{ACCESS} {PAN}"))),
        (
            "a link elsewhere",
            Answer::redirect(302, format!("https://evil.example/?token={ACCESS}")),
        ),
        ("a break", Answer::Drop),
    ] {
        let other = answer.clone();
        let recorder = Recorder::with_tokens(|_, _| tokens(), move |_, _| other.clone()).await;
        let user = authorize(
            &mut watch,
            &app::<finexer::Provider>(&recorder).build().unwrap(),
            "customer_read",
        )
        .await
        .unwrap();
        let call = user.client().list_customers();
        watch.shows_nothing("a call", &call);
        match call.send().await {
            Err(error) => {
                watch.error(what, &error);
            }
            Ok(page) => {
                assert!(!page.unreadable().is_empty(), "{what}");
                watch.shows_nothing(what, &page.unreadable());
                watch.shows_nothing(what, &page.unreadable()[0].to_string());
            }
        }
        watch.error(
            what,
            &user.client().list_customers().items().try_collect().await.unwrap_err(),
        );
        watch.connection(&user).await;
        // What is asked for in a query may be about a person.
        let user = authorize(&mut watch, &app::<omnifund::Provider>(&recorder).build().unwrap(), "")
            .await
            .unwrap();
        if let Err(error) = user.client().list_customers().email(EMAIL).send().await {
            watch.error(what, &error);
        }
    }
    // A reply that breaks off behind its headers, by which it names the request.
    for status in [200, 400, 503] {
        let head = format!(
            "HTTP/1.1 {status} Told\r\ncontent-type: application/json\r\nx-request-id: {ACCESS}\r\ncontent-length: 100\r\n\r\n{{"
        );
        let torn = Answer::Pieces(vec![(Duration::ZERO, head.into_bytes())]);
        let recorder = Recorder::with_tokens(|_, _| tokens(), move |_, _| torn.clone()).await;
        let app = app::<finexer::Provider>(&recorder).build().unwrap();
        let user = authorize(&mut watch, &app, "customer_read").await.unwrap();
        let error = user.client().list_customers().send().await.unwrap_err();
        assert_eq!(error.request_id(), None, "{status}");
        watch.error("a torn reply", &error);
    }
    // Values that do not fit, in every kind of field.
    for body in [
        format!(r#"{{"id":"a","amount":"{PAN}x"}}"#),
        format!(r#"{{"id":"a","timestamp":"{ACCESS}"}}"#),
        format!(r#"{{"id":"a","metadata":["{ACCESS}"]}}"#),
        format!(r#"{{"id":"a","metadata":{{"{ACCESS}":["{PAN}"]}}}}"#),
        format!(r#"{{"id":"a","status":["{ACCESS}"]}}"#),
        format!(r#"{{"id":["{ACCESS}"]}}"#),
        format!(r#"{{"description":"{ACCESS}"}}"#),
    ] {
        let recorder = Recorder::with_tokens(
            |_, _| tokens(),
            move |_, _| Answer::json(format!(r#"{{"data":[{body}]}}"#)),
        )
        .await;
        let user = authorize(
            &mut watch,
            &app::<finexer::Provider>(&recorder).build().unwrap(),
            "customer_read",
        )
        .await
        .unwrap();
        let result = user.client().list_transactions().bank_account_id("b").send().await;
        match result {
            Ok(page) => {
                watch.shows_nothing("a reply", &page);
                watch.shows_nothing("an item", &page.unreadable());
            }
            Err(error) => drop(watch.error("a value that does not fit", &error)),
        }
    }
    // Found by its place, in a list that comes in many forms; a map's own keys are no part of a place.
    let metadata = format!(r#"{{"id":"a","metadata":{{"{ACCESS}":["{PAN}"]}}}}"#);
    for (body, place) in [
        (
            format!(r#"{{"data":[{{"id":"b"}},{{"id":["{PAN}"]}}]}}"#),
            "`data[1].id`",
        ),
        (
            format!(r#"{{"data":[[{{"id":"b"}},{{"id":["{PAN}"]}}]]}}"#),
            "`data[0][1].id`",
        ),
        (format!(r#"{{"data":[{metadata}]}}"#), "`data[0].metadata.{}`"),
        (format!(r#"{{"data":[[{metadata}]]}}"#), "`data[0][0].metadata.{}`"),
    ] {
        let recorder = Recorder::with_tokens(|_, _| tokens(), move |_, _| Answer::json(body.clone())).await;
        let app = self::app::<finexer::Provider>(&recorder).build().unwrap();
        let user = authorize(&mut watch, &app, "customer_read").await.unwrap();
        let error = user
            .client()
            .list_transactions()
            .bank_account_id("b")
            .items()
            .try_collect()
            .await
            .unwrap_err();
        let text = watch.error("a value that does not fit", &error);
        assert!(text.contains(place), "{text}");
    }
    // What nobody described is kept, and shown by name only.
    let body = format!(r#"{{"name":"Jo","unheard":"{PAN}","deep":{{"of":["{ACCESS}"]}}}}"#);
    let recorder = Recorder::with_tokens(|_, _| tokens(), move |_, _| Answer::json(body.clone())).await;
    let app = self::app::<ofx::Provider>(&recorder).build().unwrap();
    let own = app.client_credentials(["payments"]).unwrap();
    let kept = own
        .get_beneficiary()
        .beneficiary_id("b")
        .send()
        .await
        .unwrap()
        .into_inner();
    watch.shows_nothing("a reply", &kept);
    assert!(format!("{kept:?}").contains("unheard"), "{kept:?}");
    let deal = own.get_deal().deal_id("d").send().await.unwrap().into_inner();
    watch.shows_nothing("a reply", &deal);
    watch.shows_nothing("a value", &deal.json("unheard"));
    // A host that is not there.
    let closed = Recorder::in_order([Answer::Drop]).await.origin().to_owned();
    let recorder = Recorder::granting(|_, _| tokens()).await;
    let app = self::app::<omnifund::Provider>(&recorder)
        .base_url(closed)
        .oauth_base_url(recorder.origin())
        .build()
        .unwrap();
    let user = authorize(&mut watch, &app, "").await.unwrap();
    let text = watch.error(
        "no host",
        &user.client().list_customers().email(EMAIL).send().await.unwrap_err(),
    );
    assert!(text.contains("check the host and the network"), "{text}");
    watch.end();
}

#[tokio::test]
async fn what_is_under_construction_shows_no_secret() {
    let watch = Watch::new();
    let recorder = Recorder::with_tokens(|_, _| tokens(), |_, _| Answer::json("{}")).await;
    macro_rules! builders {
        ($provider:ident) => {{
            let credentials = $provider::Credentials::new("client", CLIENT_SECRET);
            watch.shows_nothing("credentials", &credentials);
            watch.shows_nothing("an app's builder", &app::<$provider::Provider>(&recorder));
            let builder = $provider::Client::builder()
                .base_url(recorder.origin())
                .credentials(credentials.clone());
            watch.shows_nothing("a client's builder", &builder);
            let bare = $provider::oauth::Client::builder()
                .base_url(recorder.origin())
                .credentials(credentials);
            watch.shows_nothing("a bare client's builder", &bare);
            let bare = bare.build().unwrap();
            watch.shows_nothing("a bare client", &bare);
            let mut body = TokenRequest::new("password");
            body.client_secret = Some(CLIENT_SECRET.into());
            body.code = Some(CODE.into());
            body.code_verifier = Some(ACCESS.into());
            body.refresh_token = Some(REFRESH.into());
            body.password = Some(PASSWORD.into());
            watch.shows_nothing("a token request", &body);
            let call = bare.create_token().body(body);
            watch.shows_nothing("a token call", &call);
            let reply = call.send().await.unwrap();
            watch.shows_nothing("a token reply", &reply);
            watch.shows_nothing("a token reply", &*reply);
        }};
    }
    builders!(ofx);
    builders!(mx);
    builders!(omnifund);
    builders!(tatrabanka);
    builders!(finexer);

    let error =
        ofx::Credentials::from_variables(|name| (name == "OFX_CLIENT_SECRET").then(|| CLIENT_SECRET.to_owned()));
    watch.error("credentials", &error.unwrap_err());
    for builder in [
        finexer::Client::builder().access_key(KEY, ""),
        finexer::Client::builder().access_key("name", KEY),
    ] {
        watch.shows_nothing("a builder with a key", &builder);
        watch.shows_nothing("a client with a key", &builder.build().unwrap());
    }
    watch.shows_nothing("a builder", &omnifund::Client::builder().access_key("1", KEY));
    let registrar = mx::registration::Client::builder()
        .base_url(recorder.origin())
        .registration_token(REGISTRATION)
        .unwrap();
    watch.shows_nothing("a registrar's builder", &registrar);
    let registrar = registrar.build().unwrap();
    watch.shows_nothing("a registrar", &registrar);
    let call = registrar.update_registered_client().client_id("c").body_map(|body| {
        let body = body.client_secret(Secret::from(CLIENT_SECRET));
        watch.shows_nothing("a body", &body);
        body
    });
    watch.shows_nothing("a call with a body", &call);
    assert!(format!("{call:?}").contains("update_registered_client"), "{call:?}");
    call.send().await.unwrap();
    // What a caller says in a call is as much of a secret: who is paid, and how much.
    let service = app::<ofx::Provider>(&recorder).build().unwrap();
    let service = service.client_credentials(["payments"]).unwrap();
    let call = service.create_deal().body_map(|deal| deal.quote_id(KEY.to_owned()));
    watch.shows_nothing("a call with a body", &call);
    let options = finrail::transport::CallOptions::new().header("x-of-the-caller", KEY);
    let call = service.get_quote().quote_id(KEY).with(options);
    watch.shows_nothing("a call with a parameter", &call);
    let broken = mx::registration::Client::builder()
        .registration_token(format!("{REGISTRATION}\n"))
        .unwrap_err();
    watch.error("a registration token", &broken);
    let revocation = finexer::oauth::Client::builder()
        .base_url(recorder.origin())
        .build()
        .unwrap();
    let call = revocation.revoke_token().body_map(|body| {
        body.client_id("client")
            .client_secret(Secret::from(CLIENT_SECRET))
            .refresh_token(Secret::from(REFRESH))
    });
    watch.shows_nothing("a revocation call", &call);
    watch.shows_nothing("a revocation", &RevocationRequest::new(REFRESH.into()));

    let wrong = app::<ofx::Provider>(&recorder)
        .base_url(format!("https://user:{KEY}@bank.example"))
        .build()
        .unwrap_err();
    watch.error("a URL", &wrong);
    let wrong = app::<ofx::Provider>(&recorder)
        .token_endpoint(format!("https://b.example/token#key={KEY}"))
        .build()
        .unwrap_err();
    watch.error("a URL", &wrong);
    let with_query = app::<ofx::Provider>(&recorder).token_endpoint(format!("https://b.example/token?key={KEY}"));
    watch.shows_nothing("an endpoint", &with_query);
    let with_query = with_query.build().unwrap();
    watch.shows_nothing("an endpoint", &with_query);
    watch.shows_nothing("an endpoint", with_query.authorization_server());
    let mut call = ofx::Client::builder()
        .base_url(recorder.origin())
        .credentials(ofx::Credentials::new("c", CLIENT_SECRET));
    call = call.client_credentials(["payments"]);
    let own = call.build().unwrap();
    watch.error(
        "a header",
        &own.create_deal()
            .callback_nonce(format!("{KEY}\n"))
            .send()
            .await
            .unwrap_err(),
    );
    watch.error("a conversion", &own.get_rate().amount(KEY).send().await.unwrap_err());
    own.get_quote().quote_id("q").send().await.unwrap();
    watch.shows_nothing("a webhook's verifier", &finexer::webhook::Verifier::new(KEY));
    watch.end();
}

#[tokio::test]
async fn types_that_hold_secrets_do_not_print_them() {
    let watch = Watch::new();
    let secret = Secret::from(ACCESS);
    watch.shows_nothing("a secret", &secret);
    let reply: TokenResponse = serde_json::from_str(&format!(
        r#"{{"access_token":"{ACCESS}","refresh_token":"{REFRESH}","id_token":"{KEY}","other":{{"deep":"{PASSWORD}"}}}}"#
    ))
    .unwrap();
    watch.shows_nothing("a token reply", &reply);
    let refusal: OAuthError = serde_json::from_str(&format!(
        r#"{{"error":"invalid_grant","error_description":"not found: {CODE}"}}"#
    ))
    .unwrap();
    watch.shows_nothing("an OAuth error", &refusal);
    let mut reply = TokenReply::new(ACCESS);
    reply.refresh_token = Some(REFRESH.into());
    reply.id_token = Some(KEY.into());
    watch.shows_nothing("a token reply", &reply);
    watch.shows_nothing(
        "a request",
        &[
            Obtain::Refresh(RefreshRequest::new(REFRESH.into(), Arc::default())),
            Obtain::Anew,
        ],
    );
    watch.shows_nothing(
        "a revocation",
        &[
            RevokedToken::Refresh(REFRESH.into()),
            RevokedToken::Access(ACCESS.into()),
        ],
    );
    let account: finexer::types::BankAccount =
        serde_json::from_str(&format!(r#"{{"id":"a","identification":{{"pan":"{PAN}"}}}}"#)).unwrap();
    watch.shows_nothing("an account", &account);
    let client: mx::registration::types::RegisteredClient =
        serde_json::from_str(&format!(r#"{{"client_id":"c","client_secret":"{CLIENT_SECRET}"}}"#)).unwrap();
    watch.shows_nothing("a registered client", &client);

    // What is in a store.
    let recorder = Recorder::with_tokens(|_, _| tokens(), |_, _| Answer::json("[]")).await;
    let store = Arc::new(MemoryStore::new());
    let app = app::<ofx::Provider>(&recorder).store(store.clone()).build().unwrap();
    let mut watch = watch;
    let user = authorize(&mut watch, &app, "payments").await.unwrap();
    let record = store.load(user.key()).await.unwrap().unwrap();
    watch.shows_nothing("a stored record", &record);
    watch.shows_nothing(
        "a record",
        &finrail::token::Record::decode(record.bytes.as_ref()).unwrap(),
    );
    user.client().list_beneficiaries().send().await.unwrap();
    let error = finrail::token::Record::decode(format!(r#"{{"access_token":"{ACCESS}"}}"#).as_bytes()).unwrap_err();
    watch.error("a record that cannot be read", &error);
    watch.end();
}

/// Whole flows against the sandbox; every secret that went over the wire is searched for afterwards.
#[tokio::test]
async fn whole_flows_log_no_secret() {
    let mut watch = Watch::new();
    let clock = Arc::new(ManualClock::new());
    let sandbox = Sandbox::start().await.unwrap();
    macro_rules! app {
        ($provider:ident) => {{
            let client = sandbox.client(stringify!($provider));
            watch.plant(client.client_secret.expose_secret());
            watch.plant(client.password.expose_secret());
            watch.plant(client.registration_token.expose_secret());
            watch.shows_nothing("a client of the sandbox", &client);
            $provider::App::builder()
                .base_url(sandbox.url(stringify!($provider)))
                .oauth_base_url(sandbox.oauth_url(stringify!($provider)))
                .credentials($provider::Credentials::new(client.client_id, client.client_secret))
                .redirect_uri(client.redirect_uri)
                .clock(clock.clone())
                .build()
                .unwrap()
        }};
    }
    macro_rules! user {
        ($provider:ident, $scopes:expr) => {{
            let app = app!($provider);
            let authorization = app.authorize($scopes).unwrap();
            watch.plant(authorization.pending.state().expose_secret());
            let callback = sandbox.approve(authorization.url.as_str()).await.unwrap();
            app.finish(authorization.pending, &callback).await.unwrap()
        }};
    }
    let ofx = app!(ofx).client_credentials(["payments"]).unwrap();
    let mx = user!(mx, ["accounts", "customers"]);
    let omnifund = app!(omnifund);
    let registered = sandbox.client("omnifund");
    let omnifund = omnifund
        .password(&registered.username, registered.password, NO_SCOPES)
        .await
        .unwrap();
    let tatra = user!(tatrabanka, ["PREMIUM_AIS"]);
    let finexer = user!(finexer, ["customer_read"]);
    for round in 0..3 {
        if round > 0 {
            clock.advance(Duration::from_secs(3 * 24 * 3600));
            sandbox.advance(Duration::from_secs(3 * 24 * 3600));
        }
        if round == 2 {
            for (provider, call) in [
                ("ofx", "list_beneficiaries"),
                ("mx", "get_current_customer"),
                ("omnifund", "list_customers"),
                ("tatrabanka", "list_accounts"),
                ("finexer", "list_customers"),
            ] {
                let fault = Fault::invalid_token().on(call);
                watch.shows_nothing("a fault", &fault);
                sandbox.fault(provider, fault);
            }
        }
        ofx.list_beneficiaries().send().await.unwrap();
        mx.client().get_current_customer().send().await.unwrap();
        omnifund.client().list_customers().send().await.unwrap();
        let _ = tatra.client().list_accounts().send().await;
        finexer.client().list_customers().send().await.unwrap();
    }
    mx.revoke().await.unwrap();
    finexer.revoke().await.unwrap();

    let mut found = BTreeMap::new();
    for provider in sandbox.providers() {
        for request in sandbox.requests(&provider) {
            watch.shows_nothing("a recorded request", &request);
            for name in [
                "code",
                "code_verifier",
                "refresh_token",
                "token",
                "client_secret",
                "password",
            ] {
                if let Some(value) = request.form_value(name) {
                    found.insert(value, name);
                }
            }
            if let Some((_, value)) = request
                .header("authorization")
                .and_then(|header| header.split_once(' '))
            {
                found.insert(value.to_owned(), "authorization");
            }
        }
    }
    let kinds: BTreeSet<&str> = found.values().copied().collect();
    assert_eq!(kinds.len(), 7, "{kinds:?}");
    found.keys().for_each(|secret| watch.plant(secret));
    watch.shows_nothing("a sandbox", &sandbox);
    watch.connection(&mx).await;
    watch.connection(&omnifund).await;
    watch.connection(&tatra).await;
    watch.connection(&finexer).await;
    watch.end();
}
