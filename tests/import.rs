//! Tokens that another library obtained are taken over, once, and nothing that finrail holds is lost to them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use finrail::oauth::ExistingTokens;
use finrail::token::{GrantKind, MemoryStore, TokenStore};
use finrail::{finexer, mx, oauth, ofx, omnifund};
use recorder::{Answer, Recorder};

/// MX, where every token request brings the next pair of tokens.
async fn bank() -> Recorder {
    Recorder::start(|request, before| match request.path() {
        "/oauth/token" | "/token" => Answer::json(format!(
            r#"{{"access_token":"access-{before}","refresh_token":"refresh-{before}","token_type":"bearer","expires_in":3600}}"#
        )),
        path if path.ends_with("/revoke") => Answer::empty(200),
        _ => Answer::json(r#"{"accounts":[]}"#),
    })
    .await
}

fn app(bank: &Recorder, store: &Arc<MemoryStore>) -> mx::App {
    mx::App::builder()
        .base_url(bank.origin())
        .token_endpoint(format!("{}/token", bank.origin()))
        .credentials(mx::Credentials::new("client", "secret"))
        .store(Arc::clone(store) as Arc<dyn TokenStore>)
        .build()
        .unwrap()
}

fn sent_tokens(bank: &Recorder) -> Vec<String> {
    let tokens = |request: &recorder::Seen| match request.path() {
        "/token" => request.field("refresh_token"),
        _ => request.header("authorization").map(str::to_owned),
    };
    bank.seen().iter().filter_map(tokens).collect()
}

#[tokio::test]
async fn a_refresh_token_alone_is_enough_and_is_sent_once() {
    let (bank, store) = (bank().await, Arc::new(MemoryStore::new()));
    let app = app(&bank, &store);
    let tokens = ExistingTokens::refresh_token("old-refresh").scopes(["accounts"]);
    let user = app.import("jo", tokens).await.unwrap();
    assert!(bank.seen().is_empty(), "nothing is sent by an import");
    assert!(
        user.tokens().header().is_none(),
        "there is no access token yet, and none is made up"
    );
    let (one, two) = tokio::join!(
        user.client().list_accounts().send(),
        user.client().list_accounts().send()
    );
    one.unwrap();
    two.unwrap();
    assert_eq!(
        sent_tokens(&bank),
        ["old-refresh", "Bearer access-0", "Bearer access-0"]
    );
    // It is a grant like any other: another process finds it.
    let again = self::app(&bank, &store).connection(user.key()).await.unwrap().unwrap();
    again.client().list_accounts().send().await.unwrap();
    assert_eq!(again.info().unwrap().generation, 2);
}

#[tokio::test]
async fn a_living_access_token_is_used_before_anything_is_refreshed() {
    let (bank, store) = (bank().await, Arc::new(MemoryStore::new()));
    let tokens = ExistingTokens::refresh_token("old-refresh")
        .access_token("old-access", Some(Utc::now() + TimeDelta::hours(1)))
        .consent_expires_at(Utc::now() + TimeDelta::days(90));
    let user = app(&bank, &store).import("jo", tokens).await.unwrap();
    user.client().list_accounts().send().await.unwrap();
    assert_eq!(sent_tokens(&bank), ["Bearer old-access"]);
    let info = user.info().unwrap();
    assert!(info.consent_expires_at.is_some() && info.has_refresh_token);
}

#[tokio::test]
async fn an_import_that_runs_again_loses_no_newer_token() {
    let (bank, store) = (bank().await, Arc::new(MemoryStore::new()));
    let tokens = || ExistingTokens::refresh_token("old-refresh");
    let user = app(&bank, &store).import("jo", tokens()).await.unwrap();
    user.client().list_accounts().send().await.unwrap();
    // The next starts of the program, which may say other things of the scopes.
    let said: [&[&str]; 3] = [&[], &["accounts"], &["openid accounts", "transactions"]];
    for scopes in said {
        let app = app(&bank, &store);
        let again = app.import("jo", tokens().scopes(scopes.iter().copied())).await.unwrap();
        again.client().list_accounts().send().await.unwrap();
        assert_eq!(again.info().unwrap().generation, 2);
    }
    let refreshed = sent_tokens(&bank)
        .iter()
        .filter(|token| *token == "old-refresh")
        .count();
    assert_eq!(refreshed, 1, "{:?}", sent_tokens(&bank));
}

#[tokio::test]
async fn an_import_brings_back_nothing_that_was_ended_on_purpose() {
    let (bank, store) = (bank().await, Arc::new(MemoryStore::new()));
    let tokens = || ExistingTokens::refresh_token("old-refresh");
    for end_by_revocation in [true, false] {
        let subject = if end_by_revocation { "jo" } else { "mo" };
        let user = app(&bank, &store).import(subject, tokens()).await.unwrap();
        user.client().list_accounts().send().await.unwrap();
        if end_by_revocation {
            user.revoke().await.unwrap();
        } else {
            user.forget().await.unwrap();
        }
        let error = app(&bank, &store).import(subject, tokens()).await.unwrap_err();
        let oauth::Error::Token(error) = &error else {
            panic!("{error:?}")
        };
        assert!(error.reauthorization_required(), "{error:?}");
    }
}

#[tokio::test]
async fn a_store_that_is_away_takes_no_import_and_says_so() {
    struct Away;

    impl TokenStore for Away {
        fn load<'a>(
            &'a self,
            _: &'a finrail::token::TokenKey,
        ) -> futures_util::future::BoxFuture<
            'a,
            Result<Option<finrail::token::store::StoredRecord>, finrail::token::StoreError>,
        > {
            Box::pin(async {
                Err(finrail::token::StoreError::unavailable(
                    "read",
                    std::io::Error::other("away"),
                ))
            })
        }

        fn lease<'a>(
            &'a self,
            _: &'a finrail::token::TokenKey,
            _: &'a str,
            _: Duration,
        ) -> futures_util::future::BoxFuture<'a, Result<finrail::token::store::Leased, finrail::token::StoreError>>
        {
            Box::pin(async {
                Err(finrail::token::StoreError::unavailable(
                    "lease",
                    std::io::Error::other("away"),
                ))
            })
        }

        fn swap<'a>(
            &'a self,
            _: &'a finrail::token::TokenKey,
            _: finrail::token::store::Swap,
        ) -> futures_util::future::BoxFuture<'a, Result<finrail::token::store::Swapped, finrail::token::StoreError>>
        {
            Box::pin(async {
                Err(finrail::token::StoreError::unavailable(
                    "write",
                    std::io::Error::other("away"),
                ))
            })
        }

        fn release<'a>(
            &'a self,
            _: &'a finrail::token::TokenKey,
            _: finrail::token::store::Lease,
        ) -> futures_util::future::BoxFuture<'a, Result<(), finrail::token::StoreError>> {
            Box::pin(async { Ok(()) })
        }
    }

    let bank = bank().await;
    let app = mx::App::builder()
        .base_url(bank.origin())
        .credentials(mx::Credentials::new("client", "secret"))
        .store(Arc::new(Away))
        .build()
        .unwrap();
    let error = app
        .import("jo", ExistingTokens::refresh_token("old-refresh"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, oauth::Error::Token(finrail::token::Error::Store { .. })),
        "{error:?}"
    );
    assert!(!format!("{error:?} {error}").contains("old-refresh"));
    assert!(bank.seen().is_empty());
}

#[tokio::test]
async fn what_cannot_be_a_grant_of_a_user_is_refused_with_the_reason() {
    let says = |error: oauth::Error, expected: &str| {
        let text = error.to_string();
        assert!(text.contains(expected) && !text.contains("planted"), "{text}");
    };
    let build = || {
        mx::App::builder()
            .credentials(mx::Credentials::new("client", "secret"))
            .base_url("https://bank.example")
            .build()
    };
    let app = build().unwrap();
    fn tokens<P>() -> ExistingTokens<P> {
        ExistingTokens::refresh_token("planted-refresh")
    }
    says(
        app.import("", tokens()).await.unwrap_err(),
        "the subject is empty; say whose consent it is",
    );
    says(
        app.import("jo", tokens().grant(GrantKind::ClientCredentials))
            .await
            .unwrap_err(),
        "MX Data Access has no such grant of a user",
    );
    says(
        app.import("jo", tokens().grant(GrantKind::Password)).await.unwrap_err(),
        "MX Data Access has no such grant of a user",
    );
    says(
        app.import("jo", ExistingTokens::refresh_token("")).await.unwrap_err(),
        "there is neither an access token nor a refresh token",
    );
    for bad in ["planted\n", " planted", "planted\u{e9}", "pla\tnted"] {
        says(
            app.import("jo", ExistingTokens::refresh_token(bad)).await.unwrap_err(),
            "the refresh token begins or ends with a space, or has characters that no token has",
        );
    }
    let error = app.import("jo", tokens().scopes(["acounts"])).await.unwrap_err();
    assert!(matches!(error, oauth::Error::Scope(_)), "{error:?}");
    for bad in ["", "planted\nline", "planted\u{e9}", "planted token"] {
        says(
            app.import("jo", tokens().access_token(bad, None)).await.unwrap_err(),
            "the access token is empty or has characters that a header cannot carry",
        );
    }
    // The other providers take the grants that they have.
    let ofx = ofx::App::builder()
        .credentials(ofx::Credentials::new("c", "s"))
        .build()
        .unwrap();
    ofx.import("jo", tokens()).await.unwrap();
    let omnifund = omnifund::App::builder()
        .credentials(omnifund::Credentials::new("c", "s"))
        .build()
        .unwrap();
    omnifund
        .import("jo", tokens().grant(GrantKind::Password))
        .await
        .unwrap();
    let finexer = finexer::App::builder()
        .credentials(finexer::Credentials::new("c", "s"))
        .build()
        .unwrap();
    let user = finexer
        .import("acc_1", tokens().extra("account_id", "acc_1"))
        .await
        .unwrap();
    assert_eq!(user.extra().account_id.as_deref(), Some("acc_1"));
}

#[cfg(feature = "tatrabanka")]
#[tokio::test]
async fn a_scope_is_imported_with_what_it_is_bound_to_as_a_reply_tells_it() {
    use finrail::tatrabanka;

    let app = tatrabanka::App::builder()
        .credentials(tatrabanka::Credentials::new("c", "s"))
        .build()
        .unwrap();
    let tokens = ExistingTokens::refresh_token("old-refresh").scopes(["PREMIUM_AIS:consent-1"]);
    let user = app.import("jo", tokens).await.unwrap();
    assert!(user.info().unwrap().scopes.contains("PREMIUM_AIS"));
    let unlisted = ExistingTokens::refresh_token("old-refresh").scopes(["PREMIUM_XYZ:consent-1"]);
    let error = app.import("jo", unlisted).await.unwrap_err().to_string();
    assert!(error.contains("PREMIUM_XYZ"), "{error}");
}
