//! A grant belongs to one authorization server, and every endpoint is where it was said to be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;

use std::sync::Arc;

use finrail::token::{MemoryStore, TokenStore};
use finrail::{App, AppBuilder, Provider, mx, oauth, ofx, tatrabanka};
use recorder::{Answer, Recorder};

const REDIRECT: &str = "https://app.example.com/callback";

fn builder<P: Provider>(store: &Arc<MemoryStore>) -> AppBuilder<P> {
    App::<P>::builder()
        .credentials(finrail::Credentials::new("client", "secret"))
        .redirect_uri(REDIRECT)
        .store(Arc::clone(store) as Arc<dyn TokenStore>)
}

fn callback(pending: &oauth::Pending) -> String {
    format!("{REDIRECT}?code=code-1&state={}", pending.state().expose_secret())
}

#[tokio::test]
async fn a_users_grant_at_one_institution_is_not_used_at_another() {
    let store = Arc::new(MemoryStore::new());
    let (a, b) = (
        Recorder::granting(|_, _| Answer::json(r#"{"accounts":[]}"#)).await,
        Recorder::granting(|_, _| Answer::json(r#"{"accounts":[]}"#)).await,
    );
    let app = |recorder: &Recorder| {
        let app = builder::<mx::Provider>(&store).base_url(recorder.origin());
        app.build().unwrap()
    };
    let authorization = app(&a).authorize(["accounts"]).unwrap().subject("jo");
    let pending = authorization.pending;
    let back = callback(&pending);

    // The code, and the verifier with it, go where the user was sent.
    let error = app(&b).finish(pending.clone(), &back).await.unwrap_err();
    assert!(matches!(error, oauth::Error::ForeignPending), "{error:?}");
    let session = serde_json::to_string(&pending).unwrap();
    let user = app(&a)
        .finish(serde_json::from_str(&session).unwrap(), &back)
        .await
        .unwrap();

    let error = app(&b).connection(user.key()).await.unwrap_err();
    assert!(matches!(error, oauth::Error::ForeignKey), "{error:?}");
    assert!(b.seen().is_empty(), "nothing of it was sent there");

    // The same user, there: a grant of its own beside the first.
    let pending = app(&b).authorize(["accounts"]).unwrap().subject("jo").pending;
    let back = callback(&pending);
    let there = app(&b).finish(pending, &back).await.unwrap();
    assert_ne!(user.key().storage_id(), there.key().storage_id());
    let again = app(&a).connection(user.key()).await.unwrap().unwrap();
    again.client().list_accounts().send().await.unwrap();
    assert_eq!((a.calls().len(), b.calls().len()), (1, 0));
}

#[tokio::test]
async fn environments_do_not_share_a_service_token() {
    let store = Arc::new(MemoryStore::new());
    let recorder = Recorder::granting(|_, _| Answer::json(r#"{"consentId":"c"}"#)).await;
    // One host, as Tatra banka has it.
    for environment in ["/premium/sandbox", "/premium/production", "/premium/sandbox"] {
        let app = builder::<tatrabanka::Provider>(&store)
            .base_url(format!("{}{environment}", recorder.origin()))
            .build()
            .unwrap();
        let service = app.client_credentials(["PREMIUM_AIS"]).unwrap();
        let _ = service.create_consent().send().await;
    }
    let sent: Vec<_> = recorder
        .calls()
        .iter()
        .map(|call| call.header("authorization").unwrap().to_owned())
        .collect();
    assert_eq!(sent, ["Bearer token-1", "Bearer token-2", "Bearer token-1"]);
    let paths: Vec<String> = recorder
        .token_requests()
        .iter()
        .map(|seen| seen.path().to_owned())
        .collect();
    assert!(
        paths[0].starts_with("/premium/sandbox/") && paths[1].starts_with("/premium/production/"),
        "{paths:?}"
    );
    assert_eq!(paths.len(), 2);
}

#[test]
fn the_default_environment_goes_without_saying() {
    let named = |app: AppBuilder<ofx::Provider>| {
        let pending = app.build().unwrap().authorize(["payments"]).unwrap().pending;
        serde_json::to_value(&pending).unwrap()["token_endpoint"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let store = Arc::new(MemoryStore::new());
    let app = || builder::<ofx::Provider>(&store);
    // The names of grants that were stored before keys named a server stay what they were.
    assert_eq!(named(app()), "");
    assert_eq!(named(app().environment(ofx::Environment::Sandbox)), "");
    assert_eq!(named(app().base_url("https://sandbox.api.ofx.com/v1/")), "");
    let production = named(app().environment(ofx::Environment::Production));
    assert!(production.starts_with("https://live.api.ofx.com/v1/"), "{production}");
    assert_eq!(
        named(app().token_endpoint("https://own.example/token")),
        "https://own.example/token"
    );
}

#[tokio::test]
async fn what_a_consent_is_bound_to_is_not_part_of_the_subject() {
    let store = Arc::new(MemoryStore::new());
    let recorder = Recorder::granting(|_, _| Answer::json(r#"{"accounts":[]}"#)).await;
    let app = builder::<tatrabanka::Provider>(&store)
        .base_url(recorder.origin())
        .build()
        .unwrap();
    let mut keys = Vec::new();
    for (subject, id) in [
        ("customer-42", Some("c-1")),
        ("customer-42", Some("c-2")),
        ("customer-42#c-1", None),
    ] {
        let scope = match id {
            Some(id) => tatrabanka::Scope::PremiumAis.of(id),
            None => tatrabanka::Scope::PremiumAis.into(),
        };
        let pending = app.authorize([scope]).unwrap().subject(subject).pending;
        let back = callback(&pending);
        let user = app.finish(pending, &back).await.unwrap();
        assert_eq!(user.subject(), subject);
        assert_eq!(user.key().bound.first().map(String::as_str), id);
        keys.push(user.key().clone());
    }
    assert_ne!(keys[0].storage_id(), keys[1].storage_id());
    assert_ne!(keys[0].storage_id(), keys[2].storage_id());
    for (key, token) in keys.iter().zip(["Bearer token-1", "Bearer token-2", "Bearer token-3"]) {
        let user = app.connection(key).await.unwrap().unwrap();
        assert_eq!(user.tokens().header().unwrap().header, token);
    }
}

#[tokio::test]
async fn bare_calls_go_below_the_oauth_base_url_wherever_the_token_endpoint_is() {
    let (api, oauth) = (
        Recorder::in_order([Answer::json("{}")]).await,
        Recorder::in_order([Answer::json(r#"{"client_id":"c"}"#)]).await,
    );
    let own = format!("{}/own/token", api.origin());
    let registrar = mx::registration::Client::builder()
        .base_url(format!("{}/fdx", api.origin()))
        .oauth_base_url(format!("{}/as", oauth.origin()))
        .token_endpoint(own.as_str())
        .registration_token("dcr")
        .unwrap()
        .build()
        .unwrap();
    registrar.get_registered_client().client_id("c").send().await.unwrap();
    let bare = mx::oauth::Client::builder()
        .base_url(format!("{}/fdx", api.origin()))
        .oauth_base_url(format!("{}/as", oauth.origin()))
        .credentials(mx::Credentials::new("client", "secret"))
        .token_endpoint(own.as_str())
        .build()
        .unwrap();
    let body = finrail::oauth::wire::RevocationRequest::new("token".into());
    let _ = bare.revoke_token().body(body).send().await;
    let paths: Vec<String> = oauth.seen().iter().map(|seen| seen.path().to_owned()).collect();
    assert_eq!(paths.len(), 2, "{paths:?}");
    assert!(
        paths
            .iter()
            .all(|path| path.starts_with("/as/") && !path.contains("own")),
        "{paths:?}"
    );
    assert!(api.seen().is_empty());
}

#[test]
fn an_endpoint_whose_query_has_a_parameter_of_the_requests_own_is_refused() {
    let build = |endpoint: &str, query: &str| {
        let url = format!("https://bank.example/oauth?tenant=7&{query}");
        let app = builder::<mx::Provider>(&Arc::new(MemoryStore::new())).base_url("https://bank.example");
        match endpoint {
            "authorization endpoint" => app.authorization_endpoint(url),
            "token endpoint" => app.token_endpoint(url),
            _ => app.revocation_endpoint(url),
        }
        .build()
    };
    for (endpoint, parameters) in [
        (
            "authorization endpoint",
            "response_type client_id redirect_uri scope state code_challenge code_challenge_method",
        ),
        (
            "token endpoint",
            "grant_type code redirect_uri client_id client_secret code_verifier refresh_token scope username password",
        ),
        ("revocation endpoint", "token token_type_hint client_id client_secret"),
    ] {
        for name in parameters.split(' ') {
            // However it is written, and whatever its value.
            for query in [
                format!("{name}=planted"),
                format!("%{:02x}{}", name.as_bytes()[0], &name[1..]),
            ] {
                let error = build(endpoint, &query).unwrap_err();
                let finrail::ConfigError::ReservedParameter { what, parameter } = &error else {
                    panic!("{endpoint} {query}: {error:?}");
                };
                assert_eq!((*what, *parameter), (endpoint, name));
                assert!(!error.to_string().contains("planted"), "{error}");
            }
        }
        for other in ["", "region=eu", "client=1", "State=x", "x=client_id"] {
            assert!(build(endpoint, other).is_ok(), "{endpoint} {other}");
        }
    }
}
