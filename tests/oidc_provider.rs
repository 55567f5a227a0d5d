//! Authorization servers of another make: npm's `oidc-provider`, set up like each provider.
//!
//! `.ci/run` starts them (`.ci/oidc-provider/server.mjs`) and puts what they print into
//! `OIDC_PROVIDERS`. Without it every test here says that it is skipped.
//!
//! Their refresh tokens rotate without grace, and whoever sends a spent one ends the grant.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(all(
    feature = "ofx",
    feature = "mx",
    feature = "omnifund",
    feature = "tatrabanka",
    feature = "finexer"
))]

mod server_support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use finrail::oauth::{ClientAuthentication, Error, Pending, RequestedScope};
use finrail::token::Rejection;
use finrail::token::{
    Clock, Error as TokenError, Event, ManualClock, MemoryStore, ReauthorizationReason, Record, SystemClock, TokenKey,
    TokenStore as _, Verdict,
};
use finrail::{App, Connection, Credentials, NO_SCOPES, Provider, finexer, grant, mx, ofx, omnifund, tatrabanka};
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE, WWW_AUTHENTICATE};
use serde::Deserialize;
use serde_json::Value;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

/// How long the tokens of the `brief-` clients live, and a little.
const BRIEF: Duration = Duration::from_millis(3100);
const HOUR: Duration = Duration::from_secs(3600);

type Servers = BTreeMap<String, Server>;

#[derive(Deserialize)]
struct Server {
    url: String,
    redirect_uri: String,
    clients: BTreeMap<String, Registration>,
}

#[derive(Deserialize)]
struct Registration {
    id: String,
    secret: String,
}

/// The servers, or the end of the test.
macro_rules! servers {
    () => {{
        let Some(text) = server_support::address("OIDC_PROVIDERS") else {
            return;
        };
        serde_json::from_str::<Servers>(&text).expect("OIDC_PROVIDERS is not what the servers print")
    }};
}

/// The same for every provider, at the same time.
macro_rules! each {
    ($check:ident) => {{
        let servers = servers!();
        tokio::join!(
            $check::<ofx::Provider>(World::new(&servers)),
            $check::<mx::Provider>(World::new(&servers)),
            $check::<omnifund::Provider>(World::new(&servers)),
            $check::<tatrabanka::Provider>(World::new(&servers)),
            $check::<finexer::Provider>(World::new(&servers)),
        );
    }};
}

/// A provider with scopes to ask for and a call to make.
trait Bank: Provider + grant::AuthorizationCode {
    fn scopes() -> Vec<RequestedScope<Self>>;
    async fn call(client: &Self::Client) -> Result<(), Failed>;
}

/// A call that failed, without the type of the provider's error body.
#[derive(Debug)]
struct Failed {
    reauthorization_required: bool,
    #[allow(dead_code, reason = "for the message of a test that fails")]
    text: String,
}

impl<E: std::fmt::Debug> From<finrail::Error<E>> for Failed {
    fn from(error: finrail::Error<E>) -> Self {
        Self {
            reauthorization_required: error.reauthorization_required(),
            text: format!("{error:?}"),
        }
    }
}

macro_rules! bank {
    ($provider:ty, $call:ident, $scopes:expr) => {
        impl Bank for $provider {
            fn scopes() -> Vec<RequestedScope<Self>> {
                $scopes
            }

            async fn call(client: &Self::Client) -> Result<(), Failed> {
                client.$call().send().await?;
                Ok(())
            }
        }
    };
}

bank!(ofx::Provider, list_beneficiaries, vec![ofx::Scope::Payments.into()]);
bank!(
    mx::Provider,
    get_current_customer,
    vec![mx::Scope::Customers.into(), mx::Scope::Accounts.into()]
);
bank!(omnifund::Provider, list_customers, Vec::new());
bank!(
    tatrabanka::Provider,
    list_accounts,
    vec![tatrabanka::Scope::PremiumAis.of("consent-1")]
);
bank!(
    finexer::Provider,
    list_customers,
    vec![
        finexer::Scope::CustomerRead.into(),
        finexer::Scope::CustomerWrite.into()
    ]
);

/// One server, one of its clients, a store and a clock of our own.
struct World<'a, P> {
    server: &'a Server,
    client: &'a str,
    secret: Option<&'a str>,
    redirect_uri: &'a str,
    issuer: &'a str,
    store: MemoryStore,
    clock: Arc<ManualClock>,
    real_time: bool,
    provider: std::marker::PhantomData<P>,
}

impl<P> Clone for World<'_, P> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            ..*self
        }
    }
}

impl<'a, P: Provider> World<'a, P> {
    fn new(servers: &'a Servers) -> Self {
        let server = &servers[P::profile().provider];
        Self {
            server,
            client: "user",
            secret: None,
            redirect_uri: &server.redirect_uri,
            issuer: &server.url,
            store: MemoryStore::new(),
            clock: Arc::new(ManualClock::at(SystemTime::now())),
            real_time: false,
            provider: std::marker::PhantomData,
        }
    }

    /// As another client of the same server.
    fn client(self, client: &'a str) -> Self {
        Self { client, ..self }
    }

    fn secret(&self, secret: &'a str) -> Self {
        Self {
            secret: Some(secret),
            ..self.clone()
        }
    }

    fn in_real_time(self) -> Self {
        Self {
            real_time: true,
            ..self
        }
    }

    fn registration(&self) -> &'a Registration {
        &self.server.clients[self.client]
    }

    fn app(&self) -> App<P> {
        let registration = self.registration();
        let clock: Arc<dyn Clock> = if self.real_time {
            Arc::new(SystemClock)
        } else {
            Arc::clone(&self.clock) as _
        };
        App::builder()
            .base_url(&self.server.url)
            .credentials(Credentials::new(
                &registration.id,
                self.secret.unwrap_or(&registration.secret),
            ))
            .redirect_uri(self.redirect_uri)
            .issuer(self.issuer)
            .keep_id_token(true)
            .store(Arc::new(self.store.clone()))
            .clock(clock)
            .build()
            .unwrap()
    }

    async fn stored(&self, key: &TokenKey) -> Record {
        let stored = self.store.load(key).await.unwrap().unwrap();
        Record::decode(&stored.bytes).unwrap()
    }

    async fn stored_refresh_token(&self, key: &TokenKey) -> String {
        let tokens = self.stored(key).await.tokens.unwrap();
        tokens.refresh_token.unwrap().expose_secret().to_owned()
    }

    /// A refresh by hand, past the token lifecycle: status and `error`.
    async fn refresh_by_hand(&self, refresh_token: &str) -> (u16, String) {
        let Registration { id, secret } = self.registration();
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token");
        form.append_pair("refresh_token", refresh_token);
        let url = format!("{}{}", self.server.url, P::profile().token_path);
        let mut request = browser().post(url);
        if P::profile().client_authentication.refresh_token == ClientAuthentication::Basic {
            let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            request = request.basic_auth(encode(id), Some(encode(secret)));
        } else {
            form.append_pair("client_id", id).append_pair("client_secret", secret);
        }
        let request = request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.finish());
        let reply = request.send().await.unwrap();
        let status = reply.status().as_u16();
        let body: Value = reply.json().await.unwrap();
        (status, body["error"].as_str().unwrap_or_default().to_owned())
    }
}

impl<P: Bank> World<'_, P> {
    /// A user's consent, and the callback that ends it.
    async fn consent(&self) -> (Pending, String) {
        let authorization = self.app().authorize(P::scopes()).unwrap();
        let callback = visit(authorization.url, "agrees").await.unwrap();
        (authorization.pending, callback)
    }

    async fn connected(&self) -> Connection<P> {
        let (pending, callback) = self.consent().await;
        let connection = self.app().finish(pending, &callback).await;
        connection.unwrap_or_else(|error| panic!("{}: {error:?}", P::profile().name))
    }
}

fn browser() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

/// Follows the server's pages with its cookies to the callback; `Err`: the status of the page where it stopped.
async fn visit(mut url: Url, user: &str) -> Result<String, u16> {
    let browser = browser();
    let mut cookies = BTreeMap::new();
    for _ in 0..8 {
        let jar: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let page = browser.get(url.clone()).header("x-user", user);
        let page = page.header(COOKIE, jar.join("; ")).send().await.unwrap();
        for cookie in page.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        let Some(location) = page.headers().get(LOCATION) else {
            return Err(page.status().as_u16());
        };
        let next = url.join(location.to_str().unwrap()).unwrap();
        if next.host_str() != url.host_str() {
            return Ok(next.into());
        }
        url = next;
    }
    panic!("the server sends the browser round in circles");
}

/// A URL with one field of its query changed, or without it.
fn with_field(url: &str, name: &str, value: Option<&str>) -> Url {
    let mut url = Url::parse(url).unwrap();
    let others: Vec<(String, String)> = url.query_pairs().into_owned().filter(|pair| pair.0 != name).collect();
    url.query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .extend_pairs(value.map(|value| (name, value)));
    url
}

/// What was remembered of an authorization, with one field changed.
fn with_remembered(pending: Pending, name: &str, value: &str) -> Pending {
    let mut fields = serde_json::to_value(pending).unwrap();
    fields[name] = value.into();
    serde_json::from_value(fields).unwrap()
}

fn generation<P: Provider>(connection: &Connection<P>) -> u64 {
    connection.info().unwrap().generation
}

fn code<T>(outcome: Result<T, Error>) -> String {
    let error = outcome.err().expect("the server takes what it should refuse");
    error.code().unwrap_or_else(|| panic!("{error:?}")).to_owned()
}

#[tokio::test]
async fn a_code_becomes_tokens_that_open_resources() {
    async fn check<P: Bank>(world: World<'_, P>) {
        let authorization = world.app().authorize(P::scopes()).unwrap();
        let challenged = authorization.url.as_str().contains("code_challenge_method=S256");
        assert_eq!(challenged, P::profile().pkce.is_sent(), "{}", P::profile().name);
        let callback = visit(authorization.url, "agrees").await.unwrap();
        let user = world.app().finish(authorization.pending, &callback).await.unwrap();
        P::call(user.client()).await.unwrap();

        let tokens = world.stored(user.key()).await.tokens.unwrap();
        assert_eq!(tokens.lifetime(), Some(HOUR), "{}", P::profile().name);
        assert!(tokens.refresh_token.is_some(), "{}", P::profile().name);
        assert_eq!(
            tokens.id_token.is_some(),
            P::profile().scopes_always.contains(&"openid"),
            "{}",
            P::profile().name
        );
    }
    each!(check);
}

#[tokio::test]
async fn a_refusal_by_the_user_is_told_as_one() {
    async fn check<P: Bank>(world: World<'_, P>) {
        let authorization = world.app().authorize(P::scopes()).unwrap();
        let callback = visit(authorization.url, "refuses").await.unwrap();
        let error = world.app().finish(authorization.pending, &callback).await.unwrap_err();
        let refusal = error.refusal().unwrap();
        assert!(refusal.is_access_denied() && refusal.state_verified, "{refusal:?}");
    }
    each!(check);
}

#[tokio::test]
async fn a_callback_with_another_state_or_issuer_does_not_spend_the_code() {
    async fn check<P: Bank>(world: World<'_, P>) {
        let (pending, callback) = world.consent().await;
        let forged = with_field(&callback, "state", Some("another"));
        let outcome = world.app().finish(pending.clone(), forged.as_str()).await;
        assert!(matches!(outcome, Err(Error::StateMismatch)), "{outcome:?}");

        let elsewhere = World {
            issuer: "https://another.example",
            ..world.clone()
        };
        let outcome = elsewhere.app().finish(pending.clone(), &callback).await;
        assert!(matches!(outcome, Err(Error::IssuerMismatch)), "{outcome:?}");

        world.app().finish(pending, &callback).await.unwrap();
    }
    each!(check);
}

#[tokio::test]
async fn client_credentials_are_fetched_anew_when_the_token_is_over() {
    let servers = servers!();
    let ofx = World::<ofx::Provider>::new(&servers)
        .client("brief-user")
        .in_real_time();
    let ofx = ofx.app().client_credentials([ofx::Scope::Payments]).unwrap();
    let bank = World::<tatrabanka::Provider>::new(&servers)
        .client("brief-service")
        .in_real_time();
    let bank = bank.app().client_credentials([tatrabanka::Scope::PremiumAis]).unwrap();
    for round in 0..2 {
        ofx.list_beneficiaries().send().await.unwrap();
        bank.create_consent().send().await.unwrap();
        if round == 0 {
            tokio::time::sleep(BRIEF).await;
        }
    }
}

#[tokio::test]
async fn a_password_becomes_a_grant_that_is_refreshed() {
    let servers = servers!();
    let world = World::<omnifund::Provider>::new(&servers);
    let outcome = world.app().password("user-1", "wrong", NO_SCOPES).await;
    assert_eq!(code(outcome), "invalid_grant");

    let user = world
        .app()
        .password("user-1", "correct horse", NO_SCOPES)
        .await
        .unwrap();
    user.client().list_customers().send().await.unwrap();
    world.clock.advance(HOUR);
    user.client().list_customers().send().await.unwrap();
    assert_eq!(generation(&user), 2);
}

#[tokio::test]
async fn an_expired_token_is_refreshed_and_the_rotated_refresh_token_stored() {
    async fn check<P: Bank>(world: World<'_, P>) {
        let world = world.client("brief-user").in_real_time();
        let user = world.connected().await;
        P::call(user.client()).await.unwrap();
        let mut spent = vec![world.stored_refresh_token(user.key()).await];
        for _ in 0..2 {
            let before = generation(&user);
            tokio::time::sleep(BRIEF).await;
            assert!(user.tokens().header().is_none(), "{}", P::profile().name);
            P::call(user.client()).await.unwrap();
            assert!(generation(&user) > before, "{}", P::profile().name);
            let now = world.stored_refresh_token(user.key()).await;
            assert!(!spent.contains(&now), "{}", P::profile().name);
            spent.push(now);
        }
    }
    each!(check);
}

#[tokio::test]
async fn a_401_is_believed_where_the_clock_says_otherwise() {
    async fn check<P: Bank>(world: World<'_, P>) {
        // The clock of this world stands still, so here the token is as fresh as ever.
        let world = world.client("brief-user");
        let user = world.connected().await;
        tokio::time::sleep(BRIEF).await;
        assert!(user.tokens().header().is_some(), "{}", P::profile().name);
        P::call(user.client()).await.unwrap();
        assert_eq!(generation(&user), 2, "{}", P::profile().name);
    }
    each!(check);
}

#[tokio::test]
async fn the_servers_own_userinfo_takes_the_token_that_a_401_brought() {
    let servers = servers!();
    let world = World::<mx::Provider>::new(&servers).client("brief-user");
    let user = world.connected().await;
    let userinfo = format!("{}/me", world.server.url);
    let ask = |header| browser().get(&userinfo).header(AUTHORIZATION, header).send();

    tokio::time::sleep(BRIEF).await;
    let old = user.tokens().fresh().await.unwrap();
    let reply = ask(old.header).await.unwrap();
    assert_eq!(reply.status(), 401);
    let challenge = reply.headers()[WWW_AUTHENTICATE].to_str().unwrap();
    assert!(challenge.contains("invalid_token"), "{challenge}");

    let new = user
        .tokens()
        .rejected(old.generation, Rejection::InvalidToken)
        .await
        .unwrap();
    let claims: Value = ask(new.header).await.unwrap().json().await.unwrap();
    assert_eq!(claims["sub"], "user-1");
}

#[tokio::test]
async fn a_spent_refresh_token_in_other_hands_ends_the_grant_and_not_before() {
    async fn check<P: Bank>(world: World<'_, P>) {
        let name = P::profile().name;
        let user = world.connected().await;
        let spent = world.stored_refresh_token(user.key()).await;
        let mut events = user.tokens().watch();

        world.clock.advance(HOUR);
        P::call(user.client()).await.unwrap();
        assert_eq!(events.try_next(), Some(Event::Refreshed { generation: 2 }), "{name}");
        let reused = world.refresh_by_hand(&spent).await;
        assert_eq!(reused, (400, "invalid_grant".to_owned()), "{name}");

        // Nobody has told us yet.
        assert!(user.tokens().fresh().await.is_ok(), "{name}");
        assert!(world.stored(user.key()).await.tombstone.is_none(), "{name}");
        assert_eq!(events.try_next(), None, "{name}");

        world.clock.advance(HOUR);
        let failed = P::call(user.client()).await.unwrap_err();
        assert!(failed.reauthorization_required, "{name}: {failed:?}");
        let reason = ReauthorizationReason::Refused;
        assert_eq!(
            events.try_next(),
            Some(Event::ReauthorizationRequired { reason }),
            "{name}"
        );
        let tombstone = world.stored(user.key()).await.tombstone.unwrap();
        assert_eq!((tombstone.reason, tombstone.generation), (reason, 2), "{name}");
    }
    each!(check);
}

#[tokio::test]
async fn two_apps_over_one_store_refresh_once() {
    async fn check<P: Bank>(world: World<'_, P>) {
        let name = P::profile().name;
        let one = world.connected().await;
        let two = world.app().connection(one.key()).await.unwrap().unwrap();
        for round in 2..=4 {
            world.clock.advance(HOUR);
            let herd = (0..8).map(|n| P::call(if n % 2 == 0 { one.client() } else { two.client() }));
            for outcome in futures_util::future::join_all(herd).await {
                outcome.unwrap();
            }
            // A second request would have made another generation, or ended the grant as a reuse.
            assert_eq!((generation(&one), generation(&two)), (round, round), "{name}");
        }
    }
    each!(check);
}

async fn revocation_ends_the_grant<P: Bank + grant::Revocation>(world: World<'_, P>) {
    let user = world.connected().await;
    let refresh_token = world.stored_refresh_token(user.key()).await;
    let access_token = user.tokens().fresh().await.unwrap().header;
    user.revoke().await.unwrap();

    let reply = world.refresh_by_hand(&refresh_token).await;
    assert_eq!(reply, (400, "invalid_grant".to_owned()));
    let me = format!("{}/me", world.server.url);
    let reply = browser().get(me).header(AUTHORIZATION, access_token).send().await;
    assert_eq!(reply.unwrap().status(), 401);

    let failed = P::call(user.client()).await.unwrap_err();
    assert!(failed.reauthorization_required, "{failed:?}");
    let record = world.stored(user.key()).await;
    assert!(record.tokens.is_none());
    assert_eq!(record.tombstone.unwrap().reason, ReauthorizationReason::Revoked);

    // The same user may come back.
    let again = world.connected().await;
    P::call(again.client()).await.unwrap();
}

#[tokio::test]
async fn a_revoked_grant_is_over_on_both_sides() {
    let servers = servers!();
    revocation_ends_the_grant(World::<mx::Provider>::new(&servers)).await;
    revocation_ends_the_grant(World::<finexer::Provider>::new(&servers)).await;
}

#[tokio::test]
async fn a_wrong_client_secret_costs_neither_the_code_nor_the_grant() {
    async fn check<P: Bank>(world: World<'_, P>) {
        let name = P::profile().name;
        let mistaken = world.secret("wrong");
        let (pending, callback) = world.consent().await;
        let error = mistaken.app().finish(pending.clone(), &callback).await.unwrap_err();
        assert_eq!(error.code(), Some("invalid_client"), "{name}: {error:?}");
        assert_eq!(error.verdict(), Verdict::ClientMisconfigured, "{name}");

        let user = world.app().finish(pending, &callback).await.unwrap();
        let misled = mistaken.app().connection(user.key()).await.unwrap().unwrap();
        world.clock.advance(HOUR);
        let outcome = misled.tokens().fresh().await;
        assert!(
            matches!(outcome, Err(TokenError::ClientMisconfigured { .. })),
            "{name}: {outcome:?}"
        );
        assert!(world.stored(user.key()).await.tombstone.is_none(), "{name}");

        P::call(user.client()).await.unwrap();
        assert_eq!(generation(&user), 2, "{name}");
    }
    each!(check);
}

#[tokio::test]
async fn a_wrong_secret_gets_no_client_credentials() {
    let servers = servers!();
    let world = World::<ofx::Provider>::new(&servers).secret("wrong");
    let own = world.app().client_credentials([ofx::Scope::Payments]).unwrap();
    let error = own.list_beneficiaries().send().await.unwrap_err();
    assert!(
        matches!(
            error,
            finrail::Error::Auth {
                error: TokenError::ClientMisconfigured { .. },
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_replayed_code_is_refused_and_ends_the_grant() {
    async fn check<P: Bank>(world: World<'_, P>) {
        let (pending, callback) = world.consent().await;
        let user = world.app().finish(pending.clone(), &callback).await.unwrap();
        P::call(user.client()).await.unwrap();
        // Into a store of its own, as a thief's would be.
        let thief = World {
            store: MemoryStore::new(),
            ..world.clone()
        };
        let outcome = thief.app().finish(pending, &callback).await;
        assert_eq!(code(outcome), "invalid_grant", "{}", P::profile().name);

        // The server revokes what the code gave (RFC 6749 section 4.1.2).
        world.clock.advance(HOUR);
        let failed = P::call(user.client()).await.unwrap_err();
        assert!(failed.reauthorization_required, "{}: {failed:?}", P::profile().name);
    }
    each!(check);
}

#[tokio::test]
async fn another_redirect_uri_is_refused() {
    async fn check<P: Bank>(world: World<'_, P>) {
        let name = P::profile().name;
        let elsewhere = World {
            redirect_uri: "https://app.example/elsewhere",
            ..world.clone()
        };
        let unregistered = elsewhere.app().authorize(P::scopes()).unwrap();
        // Not by a redirect: nobody is to be sent to such a place.
        assert_eq!(visit(unregistered.url, "agrees").await, Err(400), "{name}");

        if P::profile().redirect_uri.on_token_request {
            let (pending, callback) = world.consent().await;
            let pending = with_remembered(pending, "redirect_uri", elsewhere.redirect_uri);
            // The whole URL is refused here; the query alone does not say where it came to.
            let query = &callback[callback.find('?').unwrap()..];
            let outcome = world.app().finish(pending, query).await;
            assert_eq!(code(outcome), "invalid_grant", "{name}");
        }
    }
    each!(check);
}

#[tokio::test]
async fn pkce_is_demanded_and_checked() {
    async fn check<P: Bank>(world: World<'_, P>) {
        let (pending, callback) = world.consent().await;
        let pending = with_remembered(pending, "verifier", &"v".repeat(43));
        let outcome = world.app().finish(pending, &callback).await;
        assert_eq!(code(outcome), "invalid_grant");

        let bare = world.app().authorize(P::scopes()).unwrap();
        let url = with_field(bare.url.as_str(), "code_challenge", None);
        let url = with_field(url.as_str(), "code_challenge_method", None);
        let callback = visit(url, "agrees").await.unwrap();
        let outcome = world.app().finish(bare.pending, &callback).await;
        assert_eq!(code(outcome), "invalid_request");
    }
    let servers = servers!();
    check(World::<mx::Provider>::new(&servers)).await;
    check(World::<tatrabanka::Provider>::new(&servers)).await;
}
