//! A client acts with access tokens that come from elsewhere, under the same rules as with tokens of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use finrail::oauth::ExistingTokens;
use finrail::token::{Bearer, Error, GrantKind, Rejection, TokenSource};
use finrail::transport::{Outcome, RetryPolicy};
use finrail::{ConfigError, ScopeSet, Secret, mx, ofx};
use futures_util::future::BoxFuture;
use recorder::{Answer, Recorder};

/// A service beside the application: a new token after each rejection, or none at all.
#[derive(Default)]
struct Service {
    generation: AtomicU64,
    is_away: bool,
    granted: Option<Arc<ScopeSet>>,
    grant: Option<GrantKind>,
    /// It gives no token and says why.
    waits: bool,
    /// After a rejection it never comes to an end.
    is_slow: bool,
    rejections: Mutex<Vec<(u64, Rejection)>>,
}

#[derive(Debug, thiserror::Error)]
#[error("the service is away")]
struct Away;

impl Service {
    fn bearer(&self) -> Result<Bearer, Error> {
        if self.is_away {
            return Err(Error::from_source(Away));
        }
        let generation = self.generation.load(Ordering::SeqCst);
        Bearer::new(&Secret::new(format!("elsewhere-{generation}")), generation).map_err(Error::from_source)
    }
}

impl TokenSource for Service {
    fn ready(&self) -> Option<Bearer> {
        self.bearer().ok().filter(|_| !self.waits)
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Bearer, Error>> {
        match self.waits {
            true => Box::pin(std::future::pending()),
            false => Box::pin(async { self.bearer() }),
        }
    }

    fn waiting(&self) -> Option<Error> {
        self.waits.then(|| Error::from_source(Away))
    }

    fn rejected(&self, generation: u64, rejection: Rejection) -> BoxFuture<'_, Result<Bearer, Error>> {
        self.rejections.lock().unwrap().push((generation, rejection));
        if self.is_slow {
            return Box::pin(std::future::pending());
        }
        self.generation.store(generation + 1, Ordering::SeqCst);
        Box::pin(async { self.bearer() })
    }

    fn granted(&self) -> Option<Arc<ScopeSet>> {
        self.granted.clone()
    }

    fn grant(&self) -> Option<GrantKind> {
        self.grant
    }
}

fn sent(bank: &Recorder) -> Vec<String> {
    let header = |request: &recorder::Seen| request.header("authorization").unwrap_or("none").to_owned();
    bank.seen().iter().map(header).collect()
}

#[tokio::test]
async fn no_credentials_are_needed_and_an_invalid_token_is_replaced_once() {
    let bank = Recorder::start(|request, _| match request.header("authorization") {
        Some("Bearer elsewhere-1") => Answer::json(r#"{"accounts":[]}"#),
        _ => Answer::invalid_token(),
    })
    .await;
    let service = Arc::new(Service::default());
    let client = mx::Client::builder()
        .base_url(bank.origin())
        .token_source(Arc::clone(&service) as Arc<dyn TokenSource>)
        .build()
        .unwrap();
    client.list_accounts().send().await.unwrap();
    assert_eq!(sent(&bank), ["Bearer elsewhere-0", "Bearer elsewhere-1"]);
    assert_eq!(*service.rejections.lock().unwrap(), [(0, Rejection::InvalidToken)]);
}

#[tokio::test]
async fn a_token_that_came_in_the_place_of_a_refused_one_is_not_replaced_for_the_same_call() {
    let bank = Recorder::start(|_, before| match before {
        0..9 => Answer::invalid_token(),
        _ => Answer::json(r#"{"accounts":[]}"#),
    })
    .await;
    let client = mx::Client::builder()
        .base_url(bank.origin())
        .token_source(Arc::new(Service::default()))
        .build()
        .unwrap();
    let error = client.list_accounts().send().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(401));
    assert_eq!(sent(&bank), ["Bearer elsewhere-0", "Bearer elsewhere-1"]);
}

#[tokio::test]
async fn a_payment_is_not_sent_again_after_a_401_that_does_not_name_the_token_and_the_next_has_another() {
    let bank = Recorder::start(|_, _| Answer::status(401, "{}")).await;
    let service = Arc::new(Service::default());
    let client = ofx::Client::builder()
        .base_url(bank.origin())
        .token_source(Arc::clone(&service) as Arc<dyn TokenSource>)
        .build()
        .unwrap();
    for calls in 1..=2 {
        let deal = client.create_deal().body_map(|deal| deal.quote_id("q"));
        let error = deal.send().await.unwrap_err();
        assert_eq!(
            (error.outcome(), sent(&bank).len()),
            (Outcome::Rejected, calls),
            "{error:?}"
        );
        assert!(error.not_renewed().is_none());
    }
    assert_eq!(sent(&bank), ["Bearer elsewhere-0", "Bearer elsewhere-1"]);
    let told = [(0, Rejection::Unexplained), (1, Rejection::Unexplained)];
    assert_eq!(*service.rejections.lock().unwrap(), told);
}

#[tokio::test]
async fn a_call_with_an_effect_does_not_wait_for_a_source_that_takes_its_time_after_a_401() {
    let bank = Recorder::start(|_, _| Answer::status(401, "{}").header("www-authenticate", "Bearer")).await;
    let service = Arc::new(Service {
        is_slow: true,
        ..Service::default()
    });
    let client = ofx::Client::builder()
        .base_url(bank.origin())
        .token_source(Arc::clone(&service) as Arc<dyn TokenSource>)
        .build()
        .unwrap();
    let deal = client.create_deal().body_map(|deal| deal.quote_id("q"));
    let error = deal.send().await.unwrap_err();
    assert_eq!((error.outcome(), sent(&bank).len()), (Outcome::Rejected, 1));
    assert_eq!(*service.rejections.lock().unwrap(), [(0, Rejection::Unexplained)]);
}

#[tokio::test]
async fn a_source_that_fails_sends_nothing_and_its_reason_stays() {
    let bank = Recorder::start(|_, _| Answer::json("{}")).await;
    let client = mx::Client::builder()
        .base_url(bank.origin())
        .token_source(Arc::new(Service {
            is_away: true,
            ..Service::default()
        }))
        .build()
        .unwrap();
    let error = client.list_accounts().send().await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert!(error.is_retryable() && !error.reauthorization_required());
    let behind = std::error::Error::source(&error).unwrap();
    assert!(behind.downcast_ref::<Away>().is_some() && behind.source().is_none());
    assert!(bank.seen().is_empty());
}

#[tokio::test]
async fn a_call_that_runs_out_of_time_on_the_way_to_a_token_says_what_it_waited_for() {
    let bank = Recorder::start(|_, _| Answer::json("{}")).await;
    let client = mx::Client::builder()
        .base_url(bank.origin())
        .token_source(Arc::new(Service {
            waits: true,
            ..Service::default()
        }))
        .retry(RetryPolicy {
            deadline: Duration::from_millis(50),
            ..RetryPolicy::default()
        })
        .build()
        .unwrap();
    let error = client.list_accounts().send().await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    let behind = std::error::Error::source(&error).unwrap();
    assert!(behind.downcast_ref::<Away>().is_some(), "{error:?}");
    assert!(bank.seen().is_empty());
}

#[tokio::test]
async fn a_scope_that_the_source_says_is_missing_is_named_before_anything_is_sent() {
    let bank = Recorder::start(|_, _| Answer::json("{}")).await;
    let client = mx::Client::builder()
        .base_url(bank.origin())
        .token_source(Arc::new(Service {
            granted: Some(Arc::new(ScopeSet::parse("customers"))),
            ..Service::default()
        }))
        .build()
        .unwrap();
    let error = client.list_accounts().send().await.unwrap_err();
    assert!(
        error.to_string().contains("was not granted scope `accounts`"),
        "{error}"
    );
    assert!(bank.seen().is_empty());
}

#[test]
fn a_header_is_sensitive_and_made_of_what_a_header_carries() {
    let bearer = Bearer::new(&Secret::from("planted-token"), 3).unwrap();
    assert!(bearer.header.is_sensitive());
    assert_eq!(
        (bearer.header.to_str().unwrap(), bearer.generation),
        ("Bearer planted-token", 3)
    );
    assert!(!format!("{bearer:?}").contains("planted"));
    for bad in ["", " ", "a b", "a\r\nx-other: y", "caf\u{e9}", "tab\t"] {
        assert!(Bearer::new(&Secret::from(bad), 1).is_err(), "{bad:?}");
    }
}

#[tokio::test]
async fn tokens_of_another_provider_are_not_taken() {
    let bank = Recorder::start(|_, _| Answer::json(r#"{"accounts":[]}"#)).await;
    let app = mx::App::builder()
        .base_url(bank.origin())
        .credentials(mx::Credentials::new("client", "secret"))
        .build()
        .unwrap();
    let tokens = ExistingTokens::access_token_only("planted-access", None);
    let user = app.import("planted-user", tokens).await.unwrap();
    let source = || Arc::new(user.tokens().clone());
    let other = ofx::Client::builder()
        .base_url(bank.origin())
        .token_source(source())
        .build();
    let error = other.err().unwrap();
    assert!(matches!(error, ConfigError::ForeignTokens { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("tokens of `mx`") && text.contains("OFX is another provider"),
        "{text}"
    );
    assert!(!format!("{error:?} {error}").contains("planted"));
    let own = mx::Client::builder()
        .base_url(bank.origin())
        .token_source(source())
        .build()
        .unwrap();
    own.list_accounts().send().await.unwrap();
    assert_eq!(sent(&bank), ["Bearer planted-access"]);
}

#[cfg(feature = "tatrabanka")]
#[tokio::test]
async fn a_token_of_a_kind_that_the_client_does_not_take_is_refused() {
    use finrail::tatrabanka::{self, Scope};

    let bank = Recorder::start(|_, _| Answer::json("{}")).await;
    let app = tatrabanka::App::builder()
        .base_url(bank.origin())
        .credentials(tatrabanka::Credentials::new("client", "secret"))
        .build()
        .unwrap();
    let service = Arc::new(app.client_tokens([Scope::PremiumPis]).unwrap());
    let user = app
        .import("jo", ExistingTokens::access_token_only("planted-access", None))
        .await
        .unwrap();
    let user = Arc::new(user.tokens().clone());
    let of_users = |source| {
        let client = tatrabanka::Client::builder().base_url(bank.origin());
        client.token_source(source).build().map(|_| ())
    };
    let of_service = |source| {
        let client = tatrabanka::service::Client::builder().base_url(bank.origin());
        client.token_source(source).build().map(|_| ())
    };
    for (built, grant, takes) in [
        (of_users(service.clone()), "client_credentials", "those of a user"),
        (
            of_service(user.clone()),
            "authorization_code",
            "those of the application itself",
        ),
    ] {
        let error = built.unwrap_err();
        assert!(matches!(error, ConfigError::UnfitTokens { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(grant) && text.contains(takes), "{text}");
        assert!(!format!("{error:?} {error}").contains("planted"));
    }
    assert!(of_users(user).is_ok() && of_service(service).is_ok());
    // OFX takes both with one client, and MX has no grant of the application itself.
    let ofx = ofx::App::builder()
        .environment(ofx::Environment::Production)
        .credentials(ofx::Credentials::new("client", "secret"))
        .build()
        .unwrap();
    let client = ofx::Client::builder().environment(ofx::Environment::Production);
    let service = ofx.client_tokens([ofx::Scope::Payments]).unwrap();
    assert!(client.token_source(Arc::new(service)).build().is_ok());
    let own = Service {
        grant: Some(GrantKind::ClientCredentials),
        ..Service::default()
    };
    let mx = mx::Client::builder()
        .base_url(bank.origin())
        .token_source(Arc::new(own));
    assert!(matches!(mx.build(), Err(ConfigError::UnfitTokens { .. })));
    assert!(bank.seen().is_empty());
}

#[tokio::test]
async fn a_token_of_one_institution_does_not_go_to_another() {
    let (bank, other) = (
        Recorder::start(|_, _| Answer::json(r#"{"accounts":[]}"#)).await,
        Recorder::start(|_, _| Answer::json(r#"{"accounts":[]}"#)).await,
    );
    let app = |bank: &Recorder| {
        mx::App::builder()
            .base_url(bank.origin())
            .credentials(mx::Credentials::new("client", "secret"))
            .build()
            .unwrap()
    };
    let tokens = ExistingTokens::access_token_only("planted-access", None);
    let user = app(&bank).import("jo", tokens).await.unwrap();
    let client = |url: &str| {
        mx::Client::builder()
            .base_url(url)
            .token_source(Arc::new(user.tokens().clone()))
    };
    let error = client(other.origin()).build().err().unwrap();
    assert!(matches!(error, ConfigError::ForeignServer(_)), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("another authorization server") && text.contains("token_endpoint"),
        "{text}"
    );
    assert!(!format!("{error:?} {error}").contains("planted"));
    client(bank.origin())
        .build()
        .unwrap()
        .list_accounts()
        .send()
        .await
        .unwrap();
    // The resources may have a host of their own; that of the authorization server is told then.
    let beside = client(other.origin()).oauth_base_url(bank.origin()).build().unwrap();
    beside.list_accounts().send().await.unwrap();
    assert_eq!(sent(&bank), ["Bearer planted-access"]);
    // So it is with the environments of a provider.
    let live = ofx::App::builder()
        .credentials(ofx::Credentials::new("client", "secret"))
        .environment(ofx::Environment::Production)
        .build()
        .unwrap();
    let live = live.client_tokens([ofx::Scope::Payments]).unwrap();
    let test = |environment| {
        let client = ofx::Client::builder().environment(environment);
        client.token_source(Arc::new(live.clone())).build().map(|_| ())
    };
    assert!(matches!(
        test(ofx::Environment::Sandbox),
        Err(ConfigError::ForeignServer(_))
    ));
    assert!(test(ofx::Environment::Production).is_ok());
}

#[cfg(feature = "tatrabanka")]
#[tokio::test]
async fn a_scope_that_the_source_tells_with_what_it_is_bound_to_is_granted() {
    use finrail::tatrabanka;

    let bank = Recorder::start(|_, _| Answer::json(r#"{"accounts":[]}"#)).await;
    for (told, granted) in [
        ("PREMIUM_AIS:consent-1", true),
        ("PREMIUM_AIS", true),
        ("PREMIUM_PIS:payment-1", false),
    ] {
        let source = Service {
            granted: Some(Arc::new(ScopeSet::parse(told))),
            ..Service::default()
        };
        let client = tatrabanka::Client::builder()
            .base_url(bank.origin())
            .token_source(Arc::new(source))
            .build()
            .unwrap();
        let listed = client.list_accounts().send().await;
        let missing = matches!(listed, Err(finrail::Error::MissingScope(_)));
        assert_eq!((listed.is_ok(), missing), (granted, !granted), "{told}: {listed:?}");
    }
}

#[test]
fn a_client_authenticates_in_one_way() {
    let set_up = || {
        ofx::Client::builder()
            .environment(ofx::Environment::Sandbox)
            .credentials(ofx::Credentials::new("a", "b"))
    };
    assert!(set_up().client_credentials([ofx::Scope::Payments]).build().is_ok());
    let source = || Arc::new(Service::default());
    for twice in [
        set_up()
            .client_credentials([ofx::Scope::Payments])
            .token_source(source()),
        set_up()
            .token_source(source())
            .client_credentials([ofx::Scope::Payments]),
        set_up().token_source(source()).token_source(source()),
    ] {
        let error = twice.build().err().unwrap();
        assert!(
            error.to_string().contains("more than one way to authenticate"),
            "{error}"
        );
    }
}
