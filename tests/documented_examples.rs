//! The examples on the providers' own pages, replayed: what we send is what they show, and what they show is what we read.
//!
//! The examples are data, in `tests/data/documented`. `*` stands for a value that is random or a
//! token's. `also` has what we send beside the example (by place: `query`, `form`, `header`; with its value), `left_out`
//! the headers that we do not send, both with the reason. Everything else is sent exactly once, and nothing beside it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use finrail::oauth::wire::{RevocationRequest, TokenRequest, TokenResponse};
use finrail::token::ManualClock;
use finrail::{Connection, Environment as _, Hosts, NO_SCOPES, Provider, finexer, mx, ofx, omnifund, tatrabanka};
use recorder::{Answer, Recorder, Seen, pairs, token};
use serde_json::Value;
use sha2::Digest as _;
use url::Url;

/// One example of a page.
struct Example {
    name: String,
    data: Value,
}

/// All examples of a page. Each is asked for once; one that nobody asked for is a test that is missing.
struct Page(BTreeMap<String, Example>);

impl Page {
    fn read(text: &str) -> Self {
        let page: Value = serde_json::from_str(text).unwrap();
        let examples = page["examples"].as_array().unwrap().iter();
        Self(
            examples
                .map(|data| (data["name"].as_str().unwrap().to_owned(), data.clone()))
                .map(named)
                .collect(),
        )
    }

    fn take(&mut self, name: &str) -> Example {
        self.0
            .remove(name)
            .unwrap_or_else(|| panic!("the page has no example `{name}`"))
    }

    fn done(self) {
        assert!(self.0.is_empty(), "nobody replays {:?}", self.0.keys());
    }
}

fn named((name, data): (String, Value)) -> (String, Example) {
    (name.clone(), Example { name, data })
}

fn fields(value: &Value) -> BTreeMap<String, String> {
    let object = value.as_object().into_iter().flatten();
    object
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect()
}

impl Example {
    fn url(&self) -> Url {
        Url::parse(self.data["request"]["url"].as_str().unwrap()).unwrap()
    }

    /// The URL without its query.
    fn address(&self) -> String {
        let mut url = self.url();
        url.set_query(None);
        url.into()
    }

    fn form(&self, name: &str) -> String {
        self.data["request"]["form"][name].as_str().unwrap().to_owned()
    }

    fn answer(&self) -> Answer {
        let reply = &self.data["reply"];
        let status = u16::try_from(reply["status"].as_u64().unwrap()).unwrap();
        let mut answer = match &reply["body"] {
            Value::Null => Answer::empty(status),
            body => Answer::status(status, body.to_string()),
        };
        for (name, value) in fields(&reply["headers"]) {
            if name != "connection" {
                answer = answer.header(&name, value);
            }
        }
        answer
    }

    /// The callback with the state that we sent in place of the example's.
    fn callback(&self, state: &str) -> String {
        self.data["callback"].as_str().unwrap().replace('*', state)
    }

    /// What was sent is what the example shows: the same fields in the same places, and no others.
    fn is_sent_by(&self, seen: &Seen) {
        let name = &self.name;
        let request = &self.data["request"];
        assert_eq!(seen.method, request["method"].as_str().unwrap(), "{name}");
        assert_eq!(seen.path(), self.url().path(), "{name}");
        self.same("query", self.shown_query(), seen.query());
        let form: Vec<(String, String)> = fields(&request["form"]).into_iter().collect();
        let mut headers = self.shown_headers();
        if form.is_empty() {
            assert!(seen.body.is_empty(), "{name}");
        } else {
            let written = "application/x-www-form-urlencoded".to_owned();
            headers.entry("content-type".to_owned()).or_insert(written);
            self.same("form", form.clone(), seen.form());
        }
        let client = concat!("finrail/", env!("CARGO_PKG_VERSION")).to_owned();
        headers.entry("user-agent".to_owned()).or_insert(client);
        // What HTTP itself needs.
        const OF_HTTP: [&str; 2] = ["host", "content-length"];
        let sent = seen.headers.iter().cloned();
        // How a reply is to come over the wire says nothing of the provider.
        let plain = ("accept-encoding".to_owned(), "identity".to_owned());
        let sent = sent
            .filter(|header| !OF_HTTP.contains(&header.0.as_str()) && *header != plain)
            .collect();
        self.same("header", headers.into_iter().collect(), sent);
        self.adds_only_in(if form.is_empty() {
            &["query", "header"]
        } else {
            &["query", "form", "header"]
        });
    }

    /// The URL that a browser is sent to. It can carry no header, so each one of the example is left out with a reason.
    fn is_opened_by(&self, url: &Url) {
        let mut bare = url.clone();
        bare.set_query(None);
        assert_eq!(bare.as_str(), self.address(), "{}", self.name);
        assert!(self.shown_headers().is_empty(), "{}", self.name);
        self.same("query", self.shown_query(), pairs(url.query().unwrap()));
        self.adds_only_in(&["query"]);
    }

    /// Nothing stands in `also` that was not looked at.
    fn adds_only_in(&self, places: &[&str]) {
        let also = self.data["also"].as_object();
        let unknown = also
            .into_iter()
            .flatten()
            .find(|(place, _)| !places.contains(&place.as_str()));
        assert_eq!(unknown, None, "{}", self.name);
    }

    fn shown_query(&self) -> Vec<(String, String)> {
        pairs(self.url().query().unwrap_or_default())
    }

    /// The headers of the example without those that are left out.
    fn shown_headers(&self) -> BTreeMap<String, String> {
        let name = &self.name;
        let mut headers = fields(&self.data["request"]["headers"]);
        for (header, why) in fields(&self.data["left_out"]) {
            assert!(!why.is_empty(), "{name}: {header} is left out without a reason");
            assert!(
                headers.remove(&header).is_some(),
                "{name}: {header} is not in the example"
            );
        }
        headers
    }

    /// What was sent in one place is what is shown there and what `also` adds: each field once, no other, with its value.
    fn same(&self, place: &str, shown: Vec<(String, String)>, mut sent: Vec<(String, String)>) {
        let name = &self.name;
        let mut expected = shown;
        for (field, addition) in self.data["also"][place].as_object().into_iter().flatten() {
            let why = addition["why"].as_str().unwrap_or_default();
            assert!(!why.is_empty(), "{name}: {place} {field} is sent without a reason");
            expected.push((field.clone(), addition["value"].as_str().unwrap().to_owned()));
        }
        expected.sort();
        sent.sort();
        let names = |fields: &[(String, String)]| fields.iter().map(|(field, _)| field.clone()).collect::<Vec<_>>();
        assert_eq!(names(&sent), names(&expected), "{name}: {place}");
        for ((field, value), (_, sent)) in expected.iter().zip(&sent) {
            match value.strip_suffix('*') {
                Some(before) => assert!(
                    sent.len() > before.len() && sent.starts_with(before),
                    "{name}: {place} {field}: {sent}"
                ),
                None => assert_eq!(sent, value, "{name}: {place} {field}"),
            }
        }
    }

    /// The typed reply has every field of the example.
    fn is_read_as(&self, reply: &TokenResponse) {
        let body = &self.data["reply"]["body"];
        assert_eq!(
            reply.access_token.expose_secret(),
            body["access_token"].as_str().unwrap(),
            "{}",
            self.name
        );
        assert_eq!(
            reply.refresh_token.as_ref().map(|token| token.expose_secret()),
            body["refresh_token"].as_str()
        );
        assert_eq!(reply.expires_in, body["expires_in"].as_i64());
        assert_eq!(reply.token_type.as_deref(), body["token_type"].as_str());
        assert_eq!(reply.scope.as_deref(), body["scope"].as_str());
        const OF_RFC_6749: [&str; 5] = ["access_token", "refresh_token", "expires_in", "token_type", "scope"];
        for (name, value) in body
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| !OF_RFC_6749.contains(&name.as_str()))
        {
            assert_eq!(reply.extra.get(name), Some(value), "{}", self.name);
        }
    }

    /// The connection holds what the example's reply says.
    fn is_held_by<P: Provider>(&self, user: &Connection<P>) {
        let body = &self.data["reply"]["body"];
        let expected = format!("Bearer {}", body["access_token"].as_str().unwrap());
        assert_eq!(
            user.tokens().header().unwrap().header,
            expected.as_str(),
            "{}",
            self.name
        );
        let info = user.info().unwrap();
        let life = info.expires_at.map(|end| (end - info.obtained_at).num_seconds());
        assert_eq!(life, body["expires_in"].as_i64(), "{}", self.name);
    }
}

/// The real address of an endpoint, from the provider's own data.
fn real(hosts: Hosts, path: &str) -> String {
    format!("{}{path}", hosts.oauth)
}

fn operation<P: Provider>(id: &str) -> &'static str {
    P::operations()
        .iter()
        .find(|operation| operation.id == id)
        .unwrap()
        .path
}

/// An app that talks to the recorder, with a clock that the test turns.
macro_rules! app {
    ($provider:ident, $recorder:expr, $hosts:expr, $id:expr, $secret:expr, $redirect:expr) => {{
        let clock = Arc::new(ManualClock::new());
        let app = $provider::App::builder()
            .base_url($recorder.instead_of($hosts.api))
            .oauth_base_url($recorder.instead_of($hosts.oauth))
            .credentials($provider::Credentials::new($id, $secret))
            .redirect_uri($redirect)
            .clock(clock.clone())
            .build()
            .unwrap();
        (app, clock)
    }};
}

/// A typed call of the token endpoint itself: the whole reply, as it was read.
macro_rules! bare_token_call {
    ($provider:ident, $example:expr) => {{
        let recorder = Recorder::in_order([$example.answer()]).await;
        let client = $provider::oauth::Client::builder()
            .base_url(recorder.origin())
            .credentials($provider::Credentials::new("client", "secret"))
            .build()
            .unwrap();
        client
            .create_token()
            .body(TokenRequest::new("authorization_code"))
            .send()
            .await
    }};
}

#[tokio::test]
async fn ofx() {
    let mut page = Page::read(include_str!("data/documented/ofx.json"));
    let hosts = ofx::Environment::Sandbox.hosts();
    let (id, secret, redirect) = ("your_client_id", "your_client_secret", "https://your_url.com/cb");

    // The application itself: a token of several hundred characters, then the call.
    let (example, call) = (page.take("token_by_client_credentials"), page.take("beneficiaries"));
    assert_eq!(real(hosts, ofx::PROFILE.token_path), example.address());
    assert_eq!(
        format!("{}{}", hosts.api, operation::<ofx::Provider>("list_beneficiaries")),
        call.address()
    );
    let recorder = Recorder::in_order([example.answer(), Answer::json("[]")]).await;
    let (app, _) = app!(ofx, recorder, hosts, id, secret, redirect);
    app.client_credentials([ofx::Scope::Payments])
        .unwrap()
        .list_beneficiaries()
        .page_size(2)
        .send()
        .await
        .unwrap();
    example.is_sent_by(&recorder.seen()[0]);
    call.is_sent_by(&recorder.seen()[1]);
    let access_token = example.data["reply"]["body"]["access_token"].as_str().unwrap();
    assert_eq!(
        recorder.seen()[1].header("authorization"),
        Some(format!("Bearer {access_token}").as_str())
    );
    example.is_read_as(&bare_token_call!(ofx, example).unwrap());

    // The user's consent, at the real host: nothing is sent, a browser goes there.
    let authorize = page.take("authorize");
    assert_eq!(real(hosts, ofx::PROFILE.authorize_path.unwrap()), authorize.address());
    let app = ofx::App::builder()
        .environment(ofx::Environment::Sandbox)
        .credentials(ofx::Credentials::new(id, secret));
    let authorization = app
        .redirect_uri(redirect)
        .build()
        .unwrap()
        .authorize([ofx::Scope::Payments])
        .unwrap();
    authorize.is_opened_by(&authorization.url);

    // The callback, the exchange, a call in the user's name, and a refresh with the newest refresh token.
    let (code, refresh) = (page.take("token_by_code"), page.take("token_by_refresh"));
    let call = page.take("beneficiaries_of_a_user");
    let recorder = Recorder::in_order([code.answer(), Answer::json("[]"), refresh.answer()]).await;
    let (app, clock) = app!(ofx, recorder, hosts, id, secret, redirect);
    let pending = app.authorize([ofx::Scope::Payments]).unwrap().pending;
    let callback = page.take("callback_allowed").callback(pending.state().expose_secret());
    let user = app.finish(pending, &callback).await.unwrap();
    code.is_sent_by(&recorder.seen()[0]);
    code.is_held_by(&user);
    let info = user.info().unwrap();
    assert_eq!(
        (info.refresh_expires_at.unwrap() - info.obtained_at).num_seconds(),
        2_592_000,
        "30 days, from the page"
    );
    assert_eq!(
        info.scopes.to_string(),
        "payments",
        "a reply without a scope grants what was asked for"
    );
    user.client().list_beneficiaries().page_size(1).send().await.unwrap();
    call.is_sent_by(&recorder.seen()[1]);
    clock.advance(Duration::from_secs(3599));
    user.tokens().fresh().await.unwrap();
    refresh.is_sent_by(&recorder.seen()[2]);
    refresh.is_held_by(&user);
    for example in [&code, &refresh] {
        example.is_read_as(&bare_token_call!(ofx, example).unwrap());
    }

    // The user says no.
    let pending = app.authorize([ofx::Scope::Payments]).unwrap().pending;
    let callback = page.take("callback_refused").callback(pending.state().expose_secret());
    let refused = app.finish(pending, &callback).await.unwrap_err();
    let refusal = refused.refusal().unwrap();
    assert!(refusal.is_access_denied() && refusal.state_verified && refusal.code.is_none());
    assert_eq!(recorder.seen().len(), 3, "a refusal sends nothing");
    page.done();
}

#[tokio::test]
async fn mx() {
    let mut page = Page::read(include_str!("data/documented/mx.json"));
    let institution = "https://base.url.com";
    let redirect = "https://centzy.org/oidc_callback";
    let scopes = [mx::Scope::Customers, mx::Scope::Accounts, mx::Scope::Transactions];

    let authorize = page.take("authorize");
    assert_eq!(
        format!("{institution}{}", mx::PROFILE.authorize_path.unwrap()),
        authorize.address()
    );
    let id = pairs(authorize.url().query().unwrap()).swap_remove(0).1;
    let app = mx::App::builder()
        .base_url(institution)
        .credentials(mx::Credentials::new(id, "secret"));
    let authorization = app.redirect_uri(redirect).build().unwrap().authorize(scopes).unwrap();
    authorize.is_opened_by(&authorization.url);

    // `openid` is added once, whether the caller names it or not.
    let named = app_of(institution, redirect)
        .authorize([mx::Scope::Openid, mx::Scope::Accounts])
        .unwrap();
    let scope = pairs(named.url.query().unwrap())
        .into_iter()
        .find(|(name, _)| name == "scope")
        .unwrap()
        .1;
    assert_eq!(scope, "openid accounts");

    let (code, refresh) = (page.take("token_by_code"), page.take("token_by_refresh"));
    let revoke = page.take("revoke_refresh_token");
    for (example, path) in [
        (&code, mx::PROFILE.token_path),
        (&refresh, mx::PROFILE.token_path),
        (&revoke, mx::PROFILE.revoke_path.unwrap()),
    ] {
        assert_eq!(format!("{institution}{path}"), example.address());
    }
    let answers = [
        Answer::json(token(1)),
        Answer::json(token(2)),
        Answer::json(token(3)),
        Answer::json(token(1)),
        Answer::empty(200),
    ];
    let recorder = Recorder::in_order(answers).await;
    let hosts = Hosts {
        api: institution,
        oauth: institution,
        ..Hosts::BASE
    };
    let (app, clock) = app!(mx, recorder, hosts, "client_id", "secret", redirect);
    let authorization = app.authorize(scopes).unwrap();
    let sent = pairs(authorization.url.query().unwrap());
    let challenge = &sent.iter().find(|(name, _)| name == "code_challenge").unwrap().1;
    let state = authorization.pending.state().expose_secret().to_owned();
    let callback = format!("{redirect}?code=SplxlOBeZQQYbYS6WxSbIA&state={state}");
    let user = app.finish(authorization.pending, &callback).await.unwrap();
    code.is_sent_by(&recorder.seen()[0]);
    let verifier = recorder.seen()[0].field("code_verifier").unwrap();
    assert!((43..=128).contains(&verifier.len()), "RFC 7636 section 4.1");
    let digest = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(&verifier));
    assert_eq!(&digest, challenge, "the challenge is S256 of the verifier");
    assert!(challenge.len() >= 32, "the page's least length");

    let thirty_days = |user: &Connection<mx::Provider>| {
        let info = user.info().unwrap();
        let life = (info.refresh_expires_at.unwrap() - info.obtained_at).num_seconds();
        assert_eq!(life, 2_592_000, "30 days, from the page");
    };
    thirty_days(&user);
    clock.advance(Duration::from_secs(3600));
    user.tokens().fresh().await.unwrap();
    refresh.is_sent_by(&recorder.seen()[1]);
    // The refresh token was replaced, with 30 days of its own: the next refresh sends the new one.
    thirty_days(&user);
    clock.advance(Duration::from_secs(3600));
    user.tokens().fresh().await.unwrap();
    assert_eq!(recorder.seen()[2].field("refresh_token").as_deref(), Some("refresh-2"));

    // Revocation by the connection: the refresh token, with its hint.
    let authorization = app.authorize(scopes).unwrap().subject("another");
    let state = authorization.pending.state().expose_secret().to_owned();
    let callback = format!("{redirect}?code=another&state={state}");
    let user = app.finish(authorization.pending, &callback).await.unwrap();
    user.revoke().await.unwrap();
    revoke.is_sent_by(&recorder.seen()[4]);

    // And of an access token, by the bare call.
    let example = page.take("revoke_access_token");
    let recorder = Recorder::in_order([Answer::empty(200)]).await;
    let client = mx::oauth::Client::builder()
        .base_url(recorder.origin())
        .credentials(mx::Credentials::new("client_id", "secret"))
        .build()
        .unwrap();
    let mut body = RevocationRequest::new(example.form("token").into());
    body.token_type_hint = Some("access_token".into());
    client.revoke_token().body(body).send().await.unwrap();
    example.is_sent_by(&recorder.seen()[0]);
    page.done();
}

fn app_of(institution: &str, redirect: &str) -> mx::App {
    let app = mx::App::builder()
        .base_url(institution)
        .credentials(mx::Credentials::new("client_id", "secret"));
    app.redirect_uri(redirect).build().unwrap()
}

#[tokio::test]
async fn omnifund() {
    let mut page = Page::read(include_str!("data/documented/omnifund.json"));
    let hosts = omnifund::Environment::Production.hosts();
    let redirect = "https://my.domain.com/redirect_url";

    let (password, refresh) = (page.take("token_by_password"), page.take("token_by_refresh"));
    assert_eq!(real(hosts, omnifund::PROFILE.token_path), password.address());
    let recorder = Recorder::in_order([password.answer(), refresh.answer()]).await;
    let (app, clock) = app!(
        omnifund,
        recorder,
        hosts,
        password.form("client_id"),
        password.form("client_secret"),
        redirect
    );
    let user = app
        .password(&password.form("username"), password.form("password"), NO_SCOPES)
        .await
        .unwrap();
    password.is_sent_by(&recorder.seen()[0]);
    password.is_held_by(&user);
    clock.advance(Duration::from_secs(3600));
    user.tokens().fresh().await.unwrap();
    refresh.is_sent_by(&recorder.seen()[1]);
    refresh.is_held_by(&user);

    let (authorize, code) = (page.take("authorize"), page.take("token_by_code"));
    let (id, secret) = (code.form("client_id"), code.form("client_secret"));
    let app = omnifund::App::builder()
        .environment(omnifund::Environment::Production)
        .credentials(omnifund::Credentials::new(id.as_str(), secret.as_str()));
    let authorization = app
        .redirect_uri(redirect)
        .build()
        .unwrap()
        .authorize(NO_SCOPES)
        .unwrap();
    authorize.is_opened_by(&authorization.url);

    let recorder = Recorder::in_order([code.answer()]).await;
    let (app, _) = app!(omnifund, recorder, hosts, id, secret, redirect);
    let pending = app.authorize(NO_SCOPES).unwrap().pending;
    let callback = format!(
        "{redirect}?code={}&state={}",
        code.form("code"),
        pending.state().expose_secret()
    );
    let user = app.finish(pending, &callback).await.unwrap();
    code.is_sent_by(&recorder.seen()[0]);
    code.is_held_by(&user);
    for example in [&password, &code, &refresh] {
        example.is_read_as(&bare_token_call!(omnifund, example).unwrap());
    }
    page.done();
}

#[tokio::test]
async fn tatra_banka() {
    let mut page = Page::read(include_str!("data/documented/tatrabanka.json"));
    let hosts = tatrabanka::Environment::Sandbox.hosts();
    let redirect = "https://app.example.com/callback";

    // A service token that has expired is fetched anew, also when a reply had a refresh token.
    let service = page.take("expired_service_token");
    assert_eq!(real(hosts, tatrabanka::PROFILE.token_path), service.address());
    let recorder = Recorder::granting(|_, _| Answer::json(r#"{"consentStatus":"valid"}"#)).await;
    let (app, clock) = app!(tatrabanka, recorder, hosts, "client", "secret", redirect);
    let client = app.client_credentials([tatrabanka::Scope::PremiumAis]).unwrap();
    client
        .get_consent_status()
        .consent_id("consent-1")
        .send()
        .await
        .unwrap();
    clock.advance(Duration::from_secs(3600));
    client
        .get_consent_status()
        .consent_id("consent-1")
        .send()
        .await
        .unwrap();
    let asked = recorder.token_requests();
    assert_eq!(asked.len(), 2);
    asked.iter().for_each(|seen| service.is_sent_by(seen));

    // A user's token: in a header, refreshed with what the last reply brought, and over when that is refused.
    let (in_header, refresh, refused) = (
        page.take("token_in_a_header"),
        page.take("expired_user_token"),
        page.take("refused_refresh"),
    );
    assert_eq!(
        format!("{}{}", hosts.api, operation::<tatrabanka::Provider>("list_accounts")),
        in_header.address()
    );
    let replies = [Answer::json(token(1)), refresh.answer(), refused.answer()];
    let recorder = Recorder::with_tokens(
        move |_, before| replies[before].clone(),
        |_, _| Answer::json(r#"{"accounts":[]}"#),
    )
    .await;
    let (app, clock) = app!(tatrabanka, recorder, hosts, "client", "secret", redirect);
    let pending = app
        .authorize([tatrabanka::Scope::PremiumAis.of("consent-1")])
        .unwrap()
        .pending;
    let callback = format!("{redirect}?code=code-1&state={}", pending.state().expose_secret());
    let user = app.finish(pending, &callback).await.unwrap();
    for header in ["Bearer token-1", "Bearer second-access-token"] {
        user.client().list_accounts().send().await.unwrap();
        let call = recorder.calls().pop().unwrap();
        in_header.is_sent_by(&call);
        assert_eq!(call.header("authorization"), Some(header));
        clock.advance(Duration::from_secs(3600));
    }
    refresh.is_sent_by(&recorder.token_requests()[1]);
    let over = user.client().list_accounts().send().await.unwrap_err();
    assert!(over.reauthorization_required(), "{over}");
    assert_eq!(
        recorder.token_requests()[2].field("refresh_token").as_deref(),
        Some("second-refresh-token")
    );
    assert!(
        recorder.seen().iter().all(|seen| !seen.target.contains("token-")),
        "no token in a URL"
    );

    // A token of one API does not open another: the call is not sent with it, and is with the right one.
    let other = page.take("another_api");
    let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
    let (app, _) = app!(tatrabanka, recorder, hosts, "client", "secret", redirect);
    for (scope, opens) in [
        (tatrabanka::Scope::PremiumAis.of("consent-1"), false),
        (tatrabanka::Scope::PremiumPis.of("authorization-1"), true),
    ] {
        let pending = app.authorize([scope]).unwrap().pending;
        let callback = format!("{redirect}?code=code-1&state={}", pending.state().expose_secret());
        let user = app.finish(pending, &callback).await.unwrap();
        let call = user.client().submit_payment().product("sepa-credit-transfers");
        let call = call.payment_id("payment-1").authorization_id("authorization-1");
        match call.send().await {
            Ok(_) => assert!(opens),
            Err(finrail::Error::MissingScope(missing)) => assert_eq!((missing.scope, opens), ("PREMIUM_PIS", false)),
            Err(error) => panic!("{error:?}"),
        }
    }
    let [sent] = recorder.calls().try_into().ok().expect("one call");
    other.is_sent_by(&sent);

    // The user says no.
    let pending = app
        .authorize([tatrabanka::Scope::PremiumAis.of("consent-1")])
        .unwrap()
        .pending;
    let callback = page.take("callback_refused").callback(pending.state().expose_secret());
    let before = recorder.seen().len();
    let refused = app.finish(pending, &callback).await.unwrap_err();
    let refusal = refused.refusal().unwrap();
    assert!(refusal.is_access_denied() && refusal.state_verified);
    assert_eq!(recorder.seen().len(), before, "a refusal sends nothing");
    page.done();
}

#[tokio::test]
async fn finexer() {
    let mut page = Page::read(include_str!("data/documented/finexer.json"));
    let hosts = finexer::Environment::Live.hosts();
    let redirect = "https://yourplatformwebsite.com/authorize";

    // The link: the client id is enough.
    let authorize = page.take("authorize");
    let credentials = finexer::Credentials::new("app_XBl7BcXJAXYK3", "secret");
    let app = finexer::App::builder()
        .credentials(credentials.clone())
        .build()
        .unwrap();
    authorize.is_opened_by(&app.authorize(NO_SCOPES).unwrap().url);
    let app = finexer::App::builder()
        .credentials(credentials)
        .redirect_uri(redirect)
        .build()
        .unwrap();
    let scopes = [finexer::Scope::CustomerRead, finexer::Scope::CustomerWrite];
    page.take("authorize_with_everything")
        .is_opened_by(&app.authorize(scopes).unwrap().url);

    // The exchange, the call on the other host, the revocation.
    let (allowed, code) = (page.take("callback_allowed"), page.take("token_by_code"));
    let (customers, revoke) = (page.take("customers"), page.take("revoke"));
    assert_eq!(real(hosts, finexer::PROFILE.token_path), code.address());
    assert_eq!(real(hosts, finexer::PROFILE.revoke_path.unwrap()), revoke.address());
    assert_eq!(
        format!("{}{}", hosts.api, operation::<finexer::Provider>("list_customers")),
        customers.address()
    );
    let recorder = Recorder::in_order([code.answer(), Answer::json(r#"{"data":[]}"#), revoke.answer()]).await;
    let (app, _) = app!(finexer, recorder, hosts, "APP_ID", "SECRET_API_KEY", redirect);
    let pending = app.authorize(scopes).unwrap().pending;
    let user = app
        .finish(pending.clone(), &allowed.callback(pending.state().expose_secret()))
        .await
        .unwrap();
    code.is_sent_by(&recorder.seen()[0]);
    code.is_held_by(&user);
    assert_eq!(user.extra().account_id.as_deref(), Some("ACCOUNT_IDENTIFIER"));
    let granted = user.info().unwrap().scopes;
    assert_eq!(
        granted.iter().collect::<Vec<_>>(),
        ["customer_read", "customer_write"],
        "scopes are read with commas"
    );
    user.client().list_customers().send().await.unwrap();
    customers.is_sent_by(&recorder.seen()[1]);
    user.revoke().await.unwrap();
    revoke.is_sent_by(&recorder.seen()[2]);
    assert_eq!(
        user.subject(),
        "ACCOUNT_IDENTIFIER",
        "whose grant it was is known after its end"
    );
    code.is_read_as(&bare_token_call!(finexer, code).unwrap());

    // A refused revocation is an error, and the grant lives.
    let refused = page.take("revoke_refused");
    let recorder = Recorder::in_order([code.answer(), refused.answer()]).await;
    let (app, _) = app!(finexer, recorder, hosts, "APP_ID", "SECRET_API_KEY", redirect);
    let pending = app.authorize(scopes).unwrap().pending;
    let user = app
        .finish(pending.clone(), &allowed.callback(pending.state().expose_secret()))
        .await
        .unwrap();
    user.revoke().await.unwrap_err();
    refused.is_sent_by(&recorder.seen()[1]);
    code.is_held_by(&user);

    // A refused exchange: the code in the description does not get out.
    let refused = page.take("token_refused");
    let recorder = Recorder::in_order([refused.answer()]).await;
    let (app, _) = app!(finexer, recorder, hosts, "APP_ID", "SECRET_API_KEY", redirect);
    let pending = app.authorize(scopes).unwrap().pending;
    let error = app
        .finish(pending.clone(), &allowed.callback(pending.state().expose_secret()))
        .await
        .unwrap_err();
    refused.is_sent_by(&recorder.seen()[0]);
    assert_eq!(error.code(), Some("invalid_grant"));
    let text = format!("{error} {error:?}");
    assert!(
        !text.contains("no such code") && !text.contains("AUTHORIZATION_CODE"),
        "{text}"
    );
    assert_eq!(error.description(), Some("no such code: [REDACTED]"));
    let bare = bare_token_call!(finexer, refused).unwrap_err();
    let read = bare.body().unwrap();
    let shown = &refused.data["reply"]["body"];
    assert_eq!(Some(read.error.as_str()), shown["error"].as_str());
    assert_eq!(read.error_description.as_deref(), shown["error_description"].as_str());

    // The user says no: the refusal has a code of its own and no state, so the authorization is not ended by it.
    let callback = page.take("callback_refused").callback("");
    let error = app.finish(pending, &callback).await.unwrap_err();
    let refusal = error.refusal().unwrap();
    assert!(refusal.is_access_denied() && !refusal.state_verified);
    assert_eq!(refusal.code.as_deref(), Some("access_denied"));
    page.done();
}
