//! Every error keeps what is behind it, and says nothing twice on the way down.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod logged;
mod recorder;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use finrail::oauth::ExistingTokens;
use finrail::token::{
    self, IssuerError, ManualClock, MemoryStore, ReauthorizationReason, StoreError, TokenStore, Verdict,
};
use finrail::transport::{RetryAfter, RetryPolicy};
use finrail::{AnyError, ConfigError, mx, oauth, ofx};
use logged::Log;
use recorder::{Answer, Recorder};

/// The texts of an error and of everything behind it.
fn chain(error: &(dyn Error + 'static)) -> Vec<String> {
    behind(error).iter().map(ToString::to_string).collect()
}

/// An error and everything behind it.
fn behind<'e>(error: &'e (dyn Error + 'static)) -> Vec<&'e (dyn Error + 'static)> {
    let mut found = vec![error];
    let mut at = error;
    while let Some(next) = at.source() {
        found.push(next);
        at = next;
    }
    found
}

/// The innermost error.
fn innermost<'e>(error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    behind(error).pop().unwrap()
}

fn says_nothing_twice(error: &(dyn Error + 'static)) -> Vec<String> {
    let texts = chain(error);
    for (at, text) in texts.iter().enumerate() {
        for below in &texts[at + 1..] {
            assert!(
                !text.contains(below.as_str()),
                "`{below}` is in `{text}` too: {texts:?}"
            );
        }
    }
    texts
}

#[derive(Debug, thiserror::Error)]
#[error("planted reason")]
struct Planted;

#[test]
fn errors_of_the_token_lifecycle_keep_the_reason_and_say_it_once() {
    let source: Arc<dyn Error + Send + Sync> = Arc::new(Planted);
    let errors = [
        token::Error::Transient {
            retry_after: None,
            source: Arc::clone(&source),
        },
        token::Error::Throttled {
            retry_after: None,
            source: Arc::clone(&source),
        },
        token::Error::InDoubt {
            retry_after: None,
            source: Arc::clone(&source),
        },
        token::Error::ClientMisconfigured {
            source: Arc::clone(&source),
        },
        token::Error::RequestRejected { source },
        token::Error::from_source(Planted),
        token::Error::from(StoreError::unavailable("read the record", Planted)),
        token::Error::from(StoreError::corrupt(Planted)),
    ];
    for error in errors {
        let texts = says_nothing_twice(&error);
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert!(innermost(&error).downcast_ref::<Planted>().is_some(), "{texts:?}");
        // The same behind an error of the authorization server's functions.
        let outer = oauth::Error::from(error);
        assert_eq!(says_nothing_twice(&outer), texts);
        assert!(innermost(&outer).downcast_ref::<Planted>().is_some(), "{texts:?}");
    }
    let store = token::Error::from(StoreError::unavailable("read the record", Planted));
    assert_eq!(
        chain(&store),
        [
            "the token store cannot read the record; check it and try again",
            "planted reason"
        ]
    );
    let issuer = IssuerError::new(Verdict::InDoubt, StoreError::corrupt(Planted));
    assert_eq!(says_nothing_twice(&issuer).len(), 2);
}

#[tokio::test]
async fn a_call_that_gets_no_token_says_why_down_to_the_network() {
    // A port that nobody listens on.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let client = ofx::Client::builder()
        .base_url(format!("http://127.0.0.1:{port}"))
        .credentials(ofx::Credentials::new("client", "planted-secret"))
        .client_credentials([ofx::Scope::Payments])
        .retry(RetryPolicy::none())
        .build()
        .unwrap();
    let error = client.list_beneficiaries().send().await.unwrap_err();
    let texts = says_nothing_twice(&error);
    assert!(
        texts.len() > 3 && texts.iter().all(|text| !text.contains("planted")),
        "{texts:?}"
    );
    let behind = behind(&error);
    assert!(
        behind
            .iter()
            .any(|error| error.downcast_ref::<oauth::Error>().is_some()),
        "{texts:?}"
    );
    assert!(
        behind
            .iter()
            .any(|error| error.downcast_ref::<std::io::Error>().is_some()),
        "{texts:?}"
    );
}

#[tokio::test]
async fn a_call_that_fails_on_the_wire_keeps_what_the_http_client_says() {
    let bank = Recorder::granting(|_, _| Answer::Drop).await;
    let client = ofx::Client::builder()
        .base_url(bank.origin())
        .credentials(ofx::Credentials::new("client", "secret"))
        .client_credentials([ofx::Scope::Payments])
        .retry(RetryPolicy::none())
        .build()
        .unwrap();
    let error = client.list_beneficiaries().send().await.unwrap_err();
    let texts = says_nothing_twice(&error);
    assert!(texts.len() >= 2, "{texts:?}");
    let host = bank.origin().trim_start_matches("http://");
    assert!(
        texts[0].contains(&format!("list_beneficiaries at {host}: the connection broke")),
        "{texts:?}"
    );
    assert!(
        !texts.iter().any(|text| text.contains(bank.origin())),
        "an address may carry personal data: {texts:?}"
    );
}

#[test]
fn a_scope_that_does_not_fit_is_the_same_typed_error_on_every_way() {
    let of_client = mx::oauth::Client::builder().build().unwrap_err();
    assert!(matches!(of_client, ConfigError::MissingBaseUrl(_)));
    let builder = ofx::Client::builder().credentials(ofx::Credentials::new("c", "s"));
    let of_client = builder.client_credentials(["pay ments"]).build().unwrap_err();
    let app = ofx::App::builder()
        .credentials(ofx::Credentials::new("c", "s"))
        .build()
        .unwrap();
    let of_app = app.client_credentials(["pay ments"]).unwrap_err();
    match (&of_client, &of_app) {
        (ConfigError::Scope(one), oauth::Error::Scope(other)) => assert_eq!(one, other),
        other => panic!("{other:?}"),
    }
    assert_eq!(chain(&of_client), chain(&of_app));
    says_nothing_twice(&of_client);
}

/// An application at this bank, on this store.
fn app(bank: &Recorder, store: &Arc<dyn TokenStore>, clock: &Arc<ManualClock>) -> mx::App {
    mx::App::builder()
        .base_url(bank.origin())
        .credentials(mx::Credentials::new("client", "planted-secret"))
        .redirect_uri("https://app.example.com/callback")
        .store(Arc::clone(store))
        .clock(Arc::<ManualClock>::clone(clock))
        .retry(RetryPolicy::none())
        .build()
        .unwrap()
}

fn existing<P>() -> ExistingTokens<P> {
    ExistingTokens::refresh_token("planted-refresh")
}

fn oauth_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e oauth::Error> {
    behind(error).into_iter().find_map(|error| error.downcast_ref())
}

const REFUSED: &str = r#"{"error":"invalid_grant","error_description":"planted words"}"#;

#[tokio::test]
async fn a_refused_refresh_keeps_the_servers_answer_for_the_handle_that_saw_it() {
    let bank = Recorder::with_tokens(|_, _| Answer::status(400, REFUSED), |_, _| Answer::json("{}")).await;
    let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
    let clock = Arc::new(ManualClock::new());
    let user = app(&bank, &store, &clock).import("jo", existing()).await.unwrap();
    // The one that was there, one that comes at once, and one that asks the store again.
    for wait in [0, 0, 5] {
        clock.advance(Duration::from_secs(wait));
        let error = user.tokens().fresh().await.unwrap_err();
        assert!(error.reauthorization_required());
        assert_eq!(oauth_error(&error).and_then(oauth::Error::code), Some("invalid_grant"));
        assert!(!format!("{error} {error:?}").contains("planted"), "{error:?}");
        says_nothing_twice(&error);
    }
    let error = user.tokens().load().await.unwrap_err();
    assert_eq!(oauth_error(&error).and_then(oauth::Error::code), Some("invalid_grant"));
    let error = user.client().list_accounts().send().await.unwrap_err();
    assert!(error.reauthorization_required() && oauth_error(&error).is_some());
    assert_eq!(bank.token_requests().len(), 1);

    // Another process learns of it from the store, which has no words of the server.
    let error = app(&bank, &store, &clock).import("jo", existing()).await.unwrap_err();
    assert!(
        error.reauthorization_required() && chain(&error).len() == 1,
        "{error:?}"
    );
}

#[tokio::test]
async fn who_waited_for_a_refused_refresh_together_shares_one_answer() {
    let bank = Recorder::with_tokens(|_, _| Answer::status(400, REFUSED), |_, _| Answer::json("{}")).await;
    let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
    let user = app(&bank, &store, &Arc::new(ManualClock::new()))
        .import("jo", existing())
        .await
        .unwrap();
    let (one, two) = tokio::join!(user.tokens().fresh(), user.tokens().fresh());
    let (one, two) = (one.unwrap_err(), two.unwrap_err());
    let place = |error| std::ptr::from_ref(oauth_error(error).unwrap());
    assert_eq!(place(&one), place(&two));
}

#[tokio::test]
async fn a_grant_that_was_ended_on_purpose_has_no_answer_of_an_earlier_refusal() {
    let bank = Recorder::with_tokens(|_, _| Answer::status(400, REFUSED), |_, _| Answer::json("{}")).await;
    let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
    let clock = Arc::new(ManualClock::new());
    let user = app(&bank, &store, &clock).import("jo", existing()).await.unwrap();
    user.tokens().fresh().await.unwrap_err();
    let reply = token::TokenReply::new("access-9");
    user.tokens().adopt(reply).await.unwrap();
    user.tokens().revoke().await.unwrap();
    clock.advance(Duration::from_secs(5));
    let error = user.tokens().fresh().await.unwrap_err();
    assert!(
        error.reauthorization_required() && error.source().is_none(),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_401_says_why_there_is_no_other_token() {
    for (refresh, retryable, over) in [
        (Answer::status(503, r#"{"error":"server_error"}"#), true, false),
        (Answer::status(400, r#"{"error":"invalid_client"}"#), false, false),
        (Answer::status(400, REFUSED), false, true),
    ] {
        for reply in [r#"{"error":{"code":601,"message":"no"}}"#, "<html>"] {
            let refresh = refresh.clone();
            let bank = Recorder::with_tokens(
                move |_, before| match before {
                    0 => Answer::json(recorder::token(1)),
                    _ => refresh.clone(),
                },
                // Not a word of the token: the reply itself stays the caller's.
                move |_, _| Answer::status(401, reply),
            )
            .await;
            let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
            let user = app(&bank, &store, &Arc::new(ManualClock::new()))
                .import("jo", existing())
                .await
                .unwrap();
            let error = user.client().list_accounts().send().await.unwrap_err();
            assert_eq!(error.status().map(|status| status.as_u16()), Some(401));
            assert!(error.not_renewed().is_some(), "{error:?}");
            assert_eq!(
                (error.is_retryable(), error.reauthorization_required()),
                (retryable, over),
                "{error}"
            );
            assert!(oauth_error(&error).is_some(), "{error:?}");
            says_nothing_twice(&error);
            assert!(error.to_string().contains("no other token could be had"), "{error}");
            let any = AnyError::from(error);
            assert_eq!((any.is_retryable(), any.reauthorization_required()), (retryable, over));
            assert!(oauth_error(&any).is_some());
        }
    }
}

#[tokio::test]
async fn a_token_request_that_brings_no_reply_says_for_how_long_it_was_waited() {
    let bank = Recorder::start(|_, _| Answer::Silence).await;
    let client = ofx::Client::builder()
        .base_url(bank.origin())
        .credentials(ofx::Credentials::new("client", "secret"))
        .client_credentials([ofx::Scope::Payments])
        .with(|app| app.token_request_timeout(Duration::from_millis(50)))
        .retry(RetryPolicy::none())
        .build()
        .unwrap();
    let error = client.list_beneficiaries().send().await.unwrap_err();
    let texts = says_nothing_twice(&error);
    assert!(
        texts.iter().any(|text| text == "no reply came within 0.05 s"),
        "{texts:?}"
    );
    let host = bank.origin().trim_start_matches("http://");
    assert!(texts.iter().any(|text| text.contains(host)), "{texts:?}");
    assert!(!texts.iter().any(|text| text.contains(bank.origin())), "{texts:?}");
}

#[test]
fn a_url_that_is_none_says_what_the_parser_says_and_nothing_of_the_url() {
    let of_base = mx::App::builder()
        .credentials(mx::Credentials::new("c", "s"))
        .base_url("https://bank.example:planted")
        .build()
        .unwrap_err();
    let redirect_uri = "https://app.example:planted/callback";
    let of_redirect = mx::App::builder()
        .credentials(mx::Credentials::new("c", "s"))
        .base_url("https://bank.example")
        .redirect_uri(redirect_uri)
        .build()
        .unwrap()
        .authorize([mx::Scope::Accounts])
        .unwrap_err();
    for error in [&of_base as &(dyn Error + 'static), &of_redirect] {
        let texts = says_nothing_twice(error);
        assert!(
            innermost(error).downcast_ref::<url::ParseError>().is_some(),
            "{texts:?}"
        );
        assert!(!texts.iter().any(|text| text.contains("planted")), "{texts:?}");
    }
}

#[tokio::test]
async fn a_revocation_endpoint_that_no_request_can_carry_says_why() {
    let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
    let app = mx::App::builder()
        .base_url("https://bank.example")
        .credentials(mx::Credentials::new("client", "secret"))
        .revocation_endpoint(format!("https://bank.example/{}", "planted".repeat(10_000)))
        .store(store)
        .build()
        .unwrap();
    let user = app.import("jo", existing()).await.unwrap();
    let error = user.revoke().await.unwrap_err();
    let texts = says_nothing_twice(&error);
    assert!(
        innermost(&error).downcast_ref::<http::uri::InvalidUri>().is_some(),
        "{texts:?}"
    );
    assert!(!texts.iter().any(|text| text.contains("planted")), "{texts:?}");
}

#[test]
fn the_errors_of_an_authorization_answer_the_questions_that_those_of_tokens_answer() {
    let source: Arc<dyn Error + Send + Sync> = Arc::new(Planted);
    let retry_after = Some(Duration::from_secs(7));
    let (dead, again) = (Verdict::Dead, Verdict::Transient { retry_after });
    for (error, verdict) in [
        (token::Error::from(ReauthorizationReason::Refused), dead),
        (token::Error::NoGrant { key: String::new() }, dead),
        (
            token::Error::Transient {
                retry_after,
                source: Arc::clone(&source),
            },
            again,
        ),
        (
            token::Error::Busy {
                holder: String::new(),
                retry_after,
            },
            again,
        ),
        (
            token::Error::Throttled {
                retry_after,
                source: Arc::clone(&source),
            },
            Verdict::Throttled { retry_after },
        ),
        (
            token::Error::InDoubt {
                retry_after,
                source: Arc::clone(&source),
            },
            Verdict::InDoubt,
        ),
        (
            token::Error::ClientMisconfigured {
                source: Arc::clone(&source),
            },
            Verdict::ClientMisconfigured,
        ),
        (token::Error::RequestRejected { source }, Verdict::RequestRejected),
        (
            token::Error::from(StoreError::unavailable("read", Planted)),
            Verdict::NotSent,
        ),
        (
            token::Error::from(StoreError::corrupt(Planted)),
            Verdict::RequestRejected,
        ),
    ] {
        let asked = (
            error.reauthorization_required(),
            error.is_retryable(),
            error.retry_after(),
        );
        let outer = oauth::Error::from(error);
        assert_eq!(outer.verdict(), verdict, "{outer}");
        let answered = (
            outer.reauthorization_required(),
            outer.is_retryable(),
            outer.retry_after(),
        );
        assert_eq!(answered, asked, "{outer}");
        let any = AnyError::from(outer);
        let (over, again, wait) = asked;
        assert_eq!(
            (any.reauthorization_required(), any.is_retryable(), any.retry_after()),
            (over, again, wait.map(RetryAfter::After)),
            "{any}"
        );
    }
    assert!(oauth::Error::AuthorizationEnded.reauthorization_required());
    assert!(!oauth::Error::StateMismatch.reauthorization_required());
}

#[tokio::test]
async fn the_log_says_why_there_is_no_token_down_to_the_last_cause() {
    let (log, _logging) = Log::events(tracing::Level::DEBUG);
    let bank = Recorder::start(|_, _| Answer::status(503, r#"{"error":"out_of_order"}"#)).await;
    let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
    let user = app(&bank, &store, &Arc::new(ManualClock::new()))
        .import("jo", existing())
        .await
        .unwrap();
    let error = user.tokens().fresh().await.unwrap_err();
    // The attempt is a task of its own, on this thread.
    let log = log.text();
    let line = log.lines().find(|line| line.contains("no new token")).unwrap();
    assert!(line.contains(&chain(&error).join(": ")), "{line}");
    assert!(line.contains("out_of_order") && !line.contains("planted-"), "{line}");
}

/// A store whose writes fail.
struct Full(MemoryStore);

impl TokenStore for Full {
    fn load<'a>(
        &'a self,
        key: &'a token::TokenKey,
    ) -> futures_util::future::BoxFuture<'a, Result<Option<token::store::StoredRecord>, StoreError>> {
        self.0.load(key)
    }

    fn swap<'a>(
        &'a self,
        _: &'a token::TokenKey,
        _: token::store::Swap,
    ) -> futures_util::future::BoxFuture<'a, Result<token::store::Swapped, StoreError>> {
        Box::pin(async { Err(StoreError::unavailable("write", Planted)) })
    }

    fn lease<'a>(
        &'a self,
        key: &'a token::TokenKey,
        holder: &'a str,
        ttl: Duration,
    ) -> futures_util::future::BoxFuture<'a, Result<token::store::Leased, StoreError>> {
        self.0.lease(key, holder, ttl)
    }

    fn release<'a>(
        &'a self,
        key: &'a token::TokenKey,
        lease: token::store::Lease,
    ) -> futures_util::future::BoxFuture<'a, Result<(), StoreError>> {
        self.0.release(key, lease)
    }

    fn place(&self) -> Option<String> {
        Some("the full disk".to_owned())
    }
}

#[tokio::test]
async fn an_error_of_a_store_says_where_the_store_is() {
    let bank = Recorder::start(|_, _| Answer::Silence).await;
    let store: Arc<dyn TokenStore> = Arc::new(Full(MemoryStore::new()));
    let app = app(&bank, &store, &Arc::new(ManualClock::new()));
    let error = app.import("jo", existing()).await.unwrap_err();
    assert!(error.to_string().contains("cannot write (the full disk)"), "{error}");
    let authorization = app.authorize([mx::Scope::Accounts]).unwrap();
    let error = app.begin("session", authorization).await.unwrap_err();
    assert!(chain(&error)[1].contains("cannot write (the full disk)"), "{error:?}");
    // A store that names a place itself is believed.
    let named = StoreError::corrupt(Planted).at("here").at("there");
    assert!(named.to_string().contains("(here)"), "{named}");
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_the_end_may_be_given_up_and_begun_again_while_the_store_is_away() {
    use token::{GrantKind, Renewal, TokenHandle, TokenKey, TokenReply};

    struct Nobody;

    impl token::Issuer for Nobody {
        fn obtain(&self, _: token::Obtain) -> futures_util::future::BoxFuture<'_, Result<TokenReply, IssuerError>> {
            Box::pin(std::future::pending())
        }

        fn revoke(&self, _: token::RevokeRequest) -> futures_util::future::BoxFuture<'_, Result<bool, IssuerError>> {
            Box::pin(std::future::pending())
        }
    }

    let key = TokenKey::new("mx", "client", GrantKind::AuthorizationCode);
    let handle = TokenHandle::builder(key, Arc::new(Nobody), Renewal::Refresh)
        .store(Arc::new(Full(MemoryStore::new())))
        .build();
    handle.adopt(TokenReply::new("access-1")).await.unwrap_err();
    for _ in 0..2 {
        let patience = Duration::from_secs(30);
        assert!(tokio::time::timeout(patience, handle.settled()).await.is_err());
    }
    // The tokens still serve, and still wait to be stored.
    assert!(handle.header().is_some());
}

/// The same questions by the same names, whatever failed.
#[test]
fn errors_of_calls_tokens_and_authorizations_answer_the_same_questions() {
    use finrail::token::ReauthorizationReason;

    macro_rules! answers {
        ($error:expr) => {{
            let error = $error;
            let asked = (
                error.is_retryable(),
                error.may_succeed_later(),
                error.reauthorization_required(),
            );
            (error.kind().to_string(), asked)
        }};
    }
    let token = || finrail::token::Error::from(ReauthorizationReason::ConsentExpired);
    let expected = ("reauthorization_required".to_owned(), (false, false, true));
    assert_eq!(answers!(token()), expected);
    assert_eq!(answers!(oauth::Error::from(token())), expected);
    assert_eq!(answers!(AnyError::from(token())), expected);
    assert_eq!(answers!(AnyError::from(oauth::Error::from(token()))), expected);
    let later = || finrail::token::Error::from_source("planted");
    let expected = ("source".to_owned(), (true, true, false));
    assert_eq!(answers!(later()), expected);
    assert_eq!(answers!(oauth::Error::from(later())), expected);
    assert_eq!(answers!(AnyError::from(later())), expected);
    assert_eq!(
        answers!(AnyError::from(ConfigError::NoGrant)),
        ("config".to_owned(), (false, false, false))
    );
}
