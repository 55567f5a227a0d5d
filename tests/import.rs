//! Tokens that another library obtained are taken over, once, and nothing that finrail holds is lost to them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use finrail::oauth::ExistingTokens;
use finrail::token::store::StoredRecord;
use finrail::token::{GrantKind, MemoryStore, TokenKey, TokenStore};
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

/// MX, where the token endpoint takes the refresh tokens that it gave itself and `living`, and no other ones.
async fn strict_bank() -> Recorder {
    Recorder::start(|request, before| match request.path() {
        "/token" => match request.field("refresh_token") {
            Some(token) if token == "living" || token.starts_with("refresh-") => Answer::json(format!(
                r#"{{"access_token":"access-{before}","refresh_token":"refresh-{before}","token_type":"bearer","expires_in":3600}}"#
            )),
            _ => Answer::status(400, r#"{"error":"invalid_grant"}"#),
        },
        path if path.ends_with("/revoke") => Answer::empty(200),
        _ if request.header("authorization") == Some("Bearer expired") => Answer::invalid_token(),
        _ => Answer::json(r#"{"accounts":[]}"#),
    })
    .await
}

/// How often the token endpoint got this refresh token.
fn times_sent(bank: &Recorder, token: &str) -> usize {
    sent_tokens(bank).iter().filter(|sent| *sent == token).count()
}

fn is_over(error: &oauth::Error) -> bool {
    matches!(error, oauth::Error::Token(error) if error.reauthorization_required())
}

#[tokio::test]
async fn a_living_consent_is_imported_after_a_stale_one_was_refused() {
    let (bank, store) = (strict_bank().await, Arc::new(MemoryStore::new()));
    let stale = || ExistingTokens::refresh_token("stale");
    let living = || ExistingTokens::refresh_token("living");
    let one = app(&bank, &store);
    for process in [one.clone(), app(&bank, &store)] {
        // The second time the end is known, and nothing is sent.
        let refused = match process.import("jo", stale()).await {
            Ok(user) => user.client().list_accounts().send().await.unwrap_err().to_string(),
            Err(error) => error.to_string(),
        };
        assert!(refused.contains("no longer accepts the refresh token"), "{refused}");
    }
    assert_eq!(times_sent(&bank, "stale"), 1);
    let user = one.import("jo", living()).await.unwrap();
    user.client().list_accounts().send().await.unwrap();
    // The next starts, of a program that still has the stale one too.
    for tokens in [stale(), living()] {
        let user = app(&bank, &store).import("jo", tokens).await.unwrap();
        user.client().list_accounts().send().await.unwrap();
    }
    assert_eq!((times_sent(&bank, "stale"), times_sent(&bank, "living")), (1, 1));
}

#[tokio::test]
async fn after_an_end_on_purpose_other_tokens_are_a_new_grant_and_the_same_stay_over() {
    for end in ["revoke", "forget", "forget by key", "erase"] {
        let (bank, store) = (strict_bank().await, Arc::new(MemoryStore::new()));
        let import = |token: &'static str| {
            let app = app(&bank, &store);
            async move { app.import("jo", ExistingTokens::refresh_token(token)).await }
        };
        for (number, token) in ["refresh-old", "living"].into_iter().enumerate() {
            let user = import(token).await.unwrap();
            user.client().list_accounts().send().await.unwrap();
            match end {
                "revoke" => user.revoke().await.unwrap(),
                "forget" => user.forget().await.unwrap(),
                "forget by key" => app(&bank, &store).forget(user.key()).await.unwrap(),
                _ => {
                    app(&bank, &store).erase("jo").run().await.unwrap();
                }
            }
            for same in &["refresh-old", "living"][..=number] {
                let error = import(same).await.unwrap_err();
                assert!(is_over(&error), "{end}: {error:?}");
            }
        }
        assert_eq!((times_sent(&bank, "refresh-old"), times_sent(&bank, "living")), (1, 1));
    }
}

#[tokio::test]
async fn a_refresh_token_is_imported_where_an_access_token_alone_came_before() {
    for expires_at in [Some(Utc::now() - TimeDelta::hours(1)), None] {
        let (bank, store) = (strict_bank().await, Arc::new(MemoryStore::new()));
        let app = app(&bank, &store);
        let expired = || ExistingTokens::access_token_only("expired", expires_at);
        let user = app.import("jo", expired()).await.unwrap();
        user.client().list_accounts().send().await.unwrap_err();
        let user = app.import("jo", ExistingTokens::refresh_token("living")).await.unwrap();
        user.client().list_accounts().send().await.unwrap();
        let user = self::app(&bank, &store).import("jo", expired()).await.unwrap();
        user.client().list_accounts().send().await.unwrap();
        assert_eq!(times_sent(&bank, "living"), 1);
    }
}

/// Finexer, where a login brings no refresh token, and the token endpoint takes none.
async fn bank_without_refresh_tokens() -> Recorder {
    Recorder::start(|request, _| match (request.path(), request.field("code")) {
        ("/token", Some(_)) => Answer::json(
            r#"{"access_token":"of-the-login","token_type":"bearer","expires_in":3600,"account_id":"acc_1"}"#,
        ),
        ("/token", None) => Answer::status(400, r#"{"error":"invalid_grant"}"#),
        _ if request.header("authorization") == Some("Bearer of-the-login") => {
            Answer::json(r#"{"object":"list","data":[]}"#)
        }
        _ => Answer::invalid_token(),
    })
    .await
}

#[tokio::test]
async fn a_login_that_brought_no_refresh_token_is_left_by_imports() {
    const NO_SCOPES: [&str; 0] = [];
    let (bank, store) = (bank_without_refresh_tokens().await, Arc::new(MemoryStore::new()));
    let app = || {
        finexer::App::builder()
            .base_url(bank.origin())
            .token_endpoint(format!("{}/token", bank.origin()))
            .redirect_uri("https://app.example/callback")
            .credentials(finexer::Credentials::new("client", "secret"))
            .store(Arc::clone(&store) as Arc<dyn TokenStore>)
            .build()
            .unwrap()
    };
    let first = app();
    let pending = first.authorize(NO_SCOPES).unwrap().subject("jo").pending;
    let state = pending.state().expose_secret().to_owned();
    let callback = format!("https://app.example/callback?code=c&state={state}");
    let login = first.finish(pending, &callback).await.unwrap();
    login.client().list_customers().send().await.unwrap();
    for stale in [
        ExistingTokens::refresh_token("stale"),
        ExistingTokens::access_token_only("stale", None),
        ExistingTokens::access_token_only("stale", Some(Utc::now() + TimeDelta::days(1))),
    ] {
        let user = app().import("jo", stale).await.unwrap();
        assert_eq!(user.key(), login.key());
        user.client().list_customers().send().await.unwrap();
    }
    assert!(!sent_tokens(&bank).iter().any(|token| token.ends_with("stale")));
}

#[tokio::test]
async fn an_end_on_purpose_is_remembered_whatever_was_imported_since() {
    let (bank, store) = (strict_bank().await, Arc::new(MemoryStore::new()));
    let app = app(&bank, &store);
    let ended = || ExistingTokens::refresh_token("living");
    app.import("jo", ended()).await.unwrap().forget().await.unwrap();
    for hour in 0..40 {
        let end = Utc::now() + TimeDelta::hours(hour + 1);
        let alone = ExistingTokens::access_token_only(format!("hour-{hour}"), Some(end));
        app.import("jo", alone).await.unwrap();
    }
    let user = app.import("jo", ended()).await.unwrap();
    user.client().list_accounts().send().await.unwrap();
    assert_eq!(sent_tokens(&bank), ["Bearer hour-39"]);
}

/// The store loses what it has of the grant, or goes back to an older copy.
async fn lose(store: &MemoryStore, key: &TokenKey, copy: Option<StoredRecord>) {
    let (id, stored) = (key.storage_id(), store.load(key).await.unwrap().unwrap());
    let lost = match copy {
        Some(copy) => store.replace(&id, stored.revision, copy).await,
        None => store.remove(&id, stored.revision).await,
    };
    assert!(lost.unwrap());
}

/// A process that starts anew, and holds nothing, imports what was imported first.
#[tokio::test]
async fn an_import_that_is_run_again_after_a_loss_is_of_the_grant_that_others_hold() {
    let (bank, store) = (bank().await, Arc::new(MemoryStore::new()));
    let app_of_one = app(&bank, &store);
    let tokens = || ExistingTokens::refresh_token("old-refresh");
    let user = app_of_one.import("jo", tokens()).await.unwrap();
    user.client().list_accounts().send().await.unwrap();
    lose(&store, user.key(), None).await;
    let restarted = app(&bank, &store).import("jo", tokens()).await.unwrap();
    assert_eq!(restarted.info().unwrap().generation, 1);
    // A look at the store, as one is made every few minutes.
    user.tokens().load().await.unwrap();
    assert_eq!(user.info().unwrap().generation, 2);
    assert_eq!(times_sent(&bank, "old-refresh"), 1);
}

#[tokio::test]
async fn an_import_gives_the_store_back_what_it_lost_and_knows_an_end_that_it_lost() {
    let tokens = || ExistingTokens::refresh_token("old-refresh");
    for end in ["none", "forget", "revoke"] {
        for goes_back in [false, true] {
            let (bank, store) = (bank().await, Arc::new(MemoryStore::new()));
            let app = app(&bank, &store);
            let user = app.import("jo", tokens()).await.unwrap();
            let copy = store.load(user.key()).await.unwrap();
            user.client().list_accounts().send().await.unwrap();
            match end {
                "forget" => user.forget().await.unwrap(),
                "revoke" => user.revoke().await.unwrap(),
                _ => {}
            }
            lose(&store, user.key(), copy.filter(|_| goes_back)).await;
            let again = app.import("jo", tokens().scopes(["accounts"])).await;
            if end == "none" {
                let info = again.unwrap().info().unwrap();
                assert_eq!(info.generation, 2, "{goes_back}");
                let elsewhere = self::app(&bank, &store).connection(user.key()).await.unwrap();
                assert_eq!(elsewhere.unwrap().info().unwrap().generation, 2, "{goes_back}");
                user.client().list_accounts().send().await.unwrap();
            } else {
                let error = again.unwrap_err();
                assert!(is_over(&error), "{end} {goes_back}: {error:?}");
                assert!(user.tokens().header().is_none(), "{end} {goes_back}");
                // Other tokens are a new grant, as where nothing was lost.
                let other = app.import("jo", ExistingTokens::refresh_token("other")).await.unwrap();
                other.client().list_accounts().send().await.unwrap();
            }
            assert_eq!(times_sent(&bank, "old-refresh"), 1, "{end} {goes_back}");
        }
    }
}

#[tokio::test]
async fn scopes_that_only_an_import_told_are_those_of_the_last_one_and_those_of_a_reply_stay() {
    for (told, transactions) in [("", true), (r#","scope":"accounts""#, false)] {
        let bank = Recorder::start(move |request, before| match request.path() {
            "/token" => Answer::json(format!(
                r#"{{"access_token":"access-{before}","refresh_token":"refresh-{before}","token_type":"bearer","expires_in":3600{told}}}"#
            )),
            path if path.ends_with("/transactions") => Answer::json(r#"{"transactions":[]}"#),
            _ => Answer::json(r#"{"accounts":[]}"#),
        })
        .await;
        let store = Arc::new(MemoryStore::new());
        let tokens = |scopes: &[&str]| ExistingTokens::refresh_token("old").scopes(scopes.iter().copied());
        let one = app(&bank, &store);
        let first = one.import("jo", tokens(&["accounts"])).await.unwrap();
        first.client().list_accounts().send().await.unwrap();
        for process in [one, app(&bank, &store)] {
            let user = process
                .import("jo", tokens(&["accounts", "transactions"]))
                .await
                .unwrap();
            let listed = user.client().list_account_transactions().account_id("a-1").send().await;
            assert_eq!(listed.is_ok(), transactions, "{told}");
        }
        // What the process that imported first shows is the same.
        let listed = first
            .client()
            .list_account_transactions()
            .account_id("a-1")
            .send()
            .await;
        assert_eq!(listed.is_ok(), transactions, "{told}");
        assert_eq!(times_sent(&bank, "old"), 1);
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

#[cfg(feature = "mx")]
#[tokio::test]
async fn no_scope_is_imported_with_an_id_where_none_is_bound_to_one() {
    use finrail::oauth::RequestedScope;

    let app = finrail::mx::App::builder()
        .base_url("https://bank.example")
        .credentials(finrail::mx::Credentials::new("c", "s"))
        .build()
        .unwrap();
    for tokens in [
        ExistingTokens::refresh_token("r").scopes([RequestedScope::new("accounts").of("x")]),
        ExistingTokens::refresh_token("r").bound_to(["x"]),
    ] {
        let error = app.import("jo", tokens).await.unwrap_err().to_string();
        assert!(error.contains("no scope of MX"), "{error}");
    }
    let plain: [&str; 0] = [];
    let tokens = ExistingTokens::refresh_token("r").bound_to(plain).scopes(["accounts"]);
    app.import("jo", tokens).await.unwrap();
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

#[cfg(feature = "tatrabanka")]
mod bound_to_a_consent {
    use finrail::tatrabanka::{App, Credentials, Provider, Scope};
    use finrail::token::Record;
    use finrail::token::store::{Swap, Swapped};

    use super::*;

    fn app(bank: &Recorder, store: &Arc<MemoryStore>) -> App {
        App::builder()
            .base_url(bank.origin())
            .token_endpoint(format!("{}/token", bank.origin()))
            .credentials(Credentials::new("client", "secret"))
            .store(Arc::clone(store) as Arc<dyn TokenStore>)
            .build()
            .unwrap()
    }

    fn refresh_token(token: &str) -> ExistingTokens<Provider> {
        ExistingTokens::refresh_token(token)
    }

    /// Tatra banka's consents as the application may have them: as a reply told them, typed, or as ids alone.
    fn consent_1() -> Vec<ExistingTokens<Provider>> {
        vec![
            refresh_token("r-1").scopes(["PREMIUM_AIS:consent-1"]),
            refresh_token("r-1").scopes([Scope::PremiumAis.of("consent-1")]),
            refresh_token("r-1").scopes(["PREMIUM_AIS"]).bound_to(["consent-1"]),
            refresh_token("r-1")
                .bound_to(["consent-1"])
                .scopes([Scope::PremiumAis.of("consent-1")]),
            refresh_token("r-1")
                .scopes([Scope::PremiumAis.of("consent-1")])
                .bound_to(["consent-1"]),
        ]
    }

    /// Each is imported at the start of a process of its own, and used. The keys, and how often a refresh token was sent.
    async fn starts(
        bank: &Recorder,
        store: &Arc<MemoryStore>,
        imports: Vec<ExistingTokens<Provider>>,
    ) -> (Vec<TokenKey>, Vec<String>) {
        let mut keys = Vec::new();
        for tokens in imports {
            let user = app(bank, store).import("jo", tokens).await.unwrap();
            user.client().list_accounts().send().await.unwrap();
            keys.push(user.key().clone());
        }
        keys.dedup();
        let sent = sent_tokens(bank)
            .into_iter()
            .filter(|token| token.starts_with("r-"))
            .collect();
        (keys, sent)
    }

    #[tokio::test]
    async fn each_consent_of_a_user_is_a_grant_of_its_own_also_as_a_text() {
        let (bank, store) = (bank().await, Arc::new(MemoryStore::new()));
        let app = app(&bank, &store);
        let soon = Some(Utc::now() + TimeDelta::hours(1));
        for consent in ["1", "2"] {
            let tokens = refresh_token(&format!("r-{consent}"))
                .access_token(format!("a-{consent}"), soon)
                .scopes([format!("PREMIUM_AIS:consent-{consent}")]);
            let user = app.import("jo", tokens).await.unwrap();
            assert_eq!(user.key().bound, [format!("consent-{consent}")]);
            user.client().list_accounts().send().await.unwrap();
        }
        assert_eq!(sent_tokens(&bank), ["Bearer a-1", "Bearer a-2"]);
    }

    #[tokio::test]
    async fn a_consent_is_one_grant_in_whatever_form_and_order_it_is_said() {
        let (bank, store) = (bank().await, Arc::new(MemoryStore::new()));
        let (keys, sent) = starts(&bank, &store, consent_1()).await;
        assert_eq!((keys.len(), sent), (1, vec!["r-1".to_owned()]), "{keys:?}");
        let orders = [vec!["c-1", "c-2"], vec!["c-2", "c-1"], vec!["c-2", "c-1", "c-2"]];
        let mut imports: Vec<_> = orders.map(|ids| refresh_token("r-9").bound_to(ids)).into();
        imports.push(refresh_token("r-9").bound_to(["c-2"]).bound_to(["c-1"]));
        let (keys, sent) = starts(&bank, &store, imports).await;
        assert_eq!(
            (keys.len(), sent.last().unwrap().as_str(), sent.len()),
            (1, "r-9", 2),
            "{keys:?}"
        );
    }

    /// Puts what is stored of a grant under the key that an earlier version gave it.
    async fn moved(store: &MemoryStore, key: &TokenKey, ids: &[&str]) -> TokenKey {
        let earlier = key.clone().bound_to(ids.iter().copied());
        let stored = store.load(key).await.unwrap().unwrap();
        let mut record = Record::decode(&stored.bytes).unwrap();
        record.key = earlier.clone();
        let lease = |key: TokenKey| async move {
            match store.lease(&key, "test", Duration::from_secs(60)).await.unwrap() {
                finrail::token::store::Leased::Granted(lease) => lease,
                held => panic!("{held:?}"),
            }
        };
        let next = StoredRecord::new(stored.revision, record.encode());
        for (key, swap) in [
            (earlier.clone(), (None, Some(next))),
            (key.clone(), (Some(stored.revision), None)),
        ] {
            let lease = lease(key.clone()).await;
            let swapped = store.swap(&key, Swap::new(swap.0, lease.fence, swap.1)).await.unwrap();
            assert!(matches!(swapped, Swapped::Done), "{swapped:?}");
            store.release(&key, lease).await.unwrap();
        }
        earlier
    }

    /// Takes out of a record what versions without lineage did not write.
    async fn without_lineage(store: &MemoryStore, key: &TokenKey) {
        let stored = store.load(key).await.unwrap().unwrap();
        let mut record: serde_json::Value = serde_json::from_slice(&stored.bytes).unwrap();
        assert!(
            record["tokens"].as_object_mut().unwrap().remove("lineage").is_some(),
            "{record}"
        );
        // Nor did they write this.
        assert!(record.as_object_mut().unwrap().remove("checksum").is_some(), "{record}");
        let next = StoredRecord::new(stored.revision + 1, serde_json::to_vec(&record).unwrap());
        let finrail::token::store::Leased::Granted(lease) =
            store.lease(key, "test", Duration::from_secs(60)).await.unwrap()
        else {
            panic!("somebody holds it");
        };
        let swap = Swap::new(Some(stored.revision), lease.fence, Some(next));
        assert!(matches!(store.swap(key, swap).await.unwrap(), Swapped::Done));
        store.release(key, lease).await.unwrap();
    }

    #[tokio::test]
    async fn the_same_refresh_token_is_the_same_grant_where_nothing_else_tells_what_was_imported() {
        let (bank, store) = (bank().await, Arc::new(MemoryStore::new()));
        let first = app(&bank, &store).import("jo", refresh_token("r-1")).await.unwrap();
        without_lineage(&store, first.key()).await;
        let again = refresh_token("r-1").bound_to(["consent-1"]);
        let again = app(&bank, &store).import("jo", again).await.unwrap();
        assert_eq!(again.key(), first.key());
        let other = refresh_token("r-2").bound_to(["consent-1"]);
        let other = app(&bank, &store).import("jo", other).await.unwrap();
        assert_ne!(other.key(), first.key());
    }

    #[tokio::test]
    async fn an_import_of_an_earlier_version_is_found_under_the_key_that_it_had() {
        let two = |ids: [&str; 2]| refresh_token("r-1").bound_to(ids);
        let twice = || {
            refresh_token("r-1")
                .bound_to(["consent-1"])
                .scopes([Scope::PremiumAis.of("consent-1")])
        };
        let text = || refresh_token("r-1").scopes(["PREMIUM_AIS:consent-1"]);
        let typed = || refresh_token("r-1").scopes([Scope::PremiumAis.of("consent-1")]);
        for (first, earlier, again) in [
            (text(), &[][..], text()),
            (text(), &[], typed()),
            (two(["c-2", "c-1"]), &["c-2", "c-1"], two(["c-2", "c-1"])),
            (two(["c-2", "c-1"]), &["c-2", "c-1"], two(["c-1", "c-2"])),
            (twice(), &["consent-1", "consent-1"], twice()),
        ] {
            for ends in [false, true] {
                let (bank, store) = (bank().await, Arc::new(MemoryStore::new()));
                let user = app(&bank, &store).import("jo", first.clone()).await.unwrap();
                user.client().list_accounts().send().await.unwrap();
                if ends {
                    user.forget().await.unwrap();
                }
                let key = moved(&store, user.key(), earlier).await;
                let again = app(&bank, &store).import("jo", again.clone()).await;
                match again {
                    Ok(user) if !ends => {
                        user.client().list_accounts().send().await.unwrap();
                        assert_eq!(*user.key(), key);
                    }
                    // An end without a consent's id in its key could be that of another consent.
                    Ok(_) if ends && earlier.is_empty() => continue,
                    Err(oauth::Error::Token(error)) if ends => assert!(error.reauthorization_required(), "{error:?}"),
                    other => panic!("{earlier:?} {ends}: {other:?}"),
                }
                let sent = sent_tokens(&bank).into_iter().filter(|token| token == "r-1").count();
                assert_eq!(sent, 1, "{earlier:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_consent_that_is_named_at_a_later_start_is_the_grant_that_was_imported_without_it() {
        let (bank, store) = (bank().await, Arc::new(MemoryStore::new()));
        let named = || refresh_token("r-1").scopes([Scope::PremiumAis.of("c-1")]);
        let (keys, sent) = starts(&bank, &store, vec![refresh_token("r-1"), named(), named()]).await;
        assert_eq!((keys.len(), sent), (1, vec!["r-1".to_owned()]), "{keys:?}");
        // It stays over under the key that it has.
        let user = app(&bank, &store).import("jo", named()).await.unwrap();
        user.forget().await.unwrap();
        let error = app(&bank, &store).import("jo", named()).await.unwrap_err();
        assert!(is_over(&error), "{error:?}");
    }

    #[tokio::test]
    async fn another_grant_under_a_key_of_an_earlier_version_is_left_alone() {
        let (bank, store) = (bank().await, Arc::new(MemoryStore::new()));
        let app = app(&bank, &store);
        for (tokens, header) in [
            // One for all accounts, one of an earlier version for another consent, and this one.
            (refresh_token("r-0").scopes(["PREMIUM_AIS"]), "r-0"),
            (refresh_token("r-1").scopes(["PREMIUM_AIS:consent-1"]), "r-1"),
            (refresh_token("r-2").scopes(["PREMIUM_AIS:consent-2"]), "r-2"),
            (refresh_token("r-3").bound_to(["consent-1", "consent-2"]), "r-3"),
        ] {
            let user = app.import("jo", tokens).await.unwrap();
            user.client().list_accounts().send().await.unwrap();
            let sent = sent_tokens(&bank);
            assert_eq!(sent[sent.len() - 2], header);
        }
        let (bank, store) = (super::bank().await, Arc::new(MemoryStore::new()));
        let app = self::app(&bank, &store);
        let first = app
            .import("jo", refresh_token("r-1").scopes(["PREMIUM_AIS:consent-1"]))
            .await
            .unwrap();
        let earlier = moved(&store, first.key(), &[]).await;
        let second = app
            .import("jo", refresh_token("r-2").scopes(["PREMIUM_AIS:consent-2"]))
            .await
            .unwrap();
        assert_ne!(*second.key(), earlier);
    }

    #[tokio::test]
    async fn a_damaged_record_of_another_grant_stops_no_import() {
        let (bank, store) = (bank().await, Arc::new(MemoryStore::new()));
        let other = app(&bank, &store).import("jo", refresh_token("r-0")).await.unwrap();
        let key = other.key().clone();
        drop(other);
        let damaged = StoredRecord::new(u64::MAX / 2, b"{\"cut".as_slice());
        lose(&store, &key, Some(damaged.clone())).await;
        let consent = || refresh_token("r-1").scopes([Scope::PremiumAis.of("c-1")]);
        let (keys, sent) = starts(&bank, &store, vec![consent(), consent()]).await;
        assert_eq!((keys.len(), sent), (1, vec!["r-1".to_owned()]), "{keys:?}");
        assert_eq!(
            store.load(&key).await.unwrap(),
            Some(damaged),
            "it is left for its own grant"
        );
        // Of the grant that is imported itself, damage is told.
        let error = app(&bank, &store).import("jo", refresh_token("r-0")).await.unwrap_err();
        assert!(
            matches!(error, oauth::Error::Token(finrail::token::Error::Store { .. })),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn what_no_scope_can_be_bound_to_is_refused() {
        let (bank, store) = (bank().await, Arc::new(MemoryStore::new()));
        let app = app(&bank, &store);
        let mut imports: Vec<_> = ["", "a b", "a,b", "\u{e9}", "\ndamaged", "planted\n"]
            .into_iter()
            .flat_map(|id| {
                [
                    refresh_token("r-1").bound_to([id]),
                    refresh_token("r-1").scopes([Scope::PremiumAis.of(id)]),
                ]
            })
            .collect();
        imports.push(refresh_token("r-1").scopes(["PREMIUM_AIS:"]));
        imports.push(refresh_token("r-1").scopes(["PREMIUM_AIS:\u{e9}"]));
        for tokens in imports {
            let error = app.import("jo", tokens).await.unwrap_err();
            assert!(matches!(error, oauth::Error::Scope(_)), "{error:?}");
            let text = error.to_string();
            assert!(
                text.contains("give each id as the provider names it") && !text.contains("planted"),
                "{text}"
            );
        }
    }
}

#[tokio::test]
async fn a_field_that_is_empty_is_none_and_costs_no_consent() {
    let bank = Recorder::start(|request, before| match request.path() {
        "/token" => Answer::json(format!(
            r#"{{"access_token":"access-{before}","refresh_token":"refresh-{before}","token_type":"bearer","expires_in":3600,"account_id":"acc_1"}}"#
        )),
        _ => Answer::json(r#"{"object":"list","data":[]}"#),
    })
    .await;
    let app = finexer::App::builder()
        .base_url(bank.origin())
        .token_endpoint(format!("{}/token", bank.origin()))
        .credentials(finexer::Credentials::new("c", "s"))
        .build()
        .unwrap();
    for (subject, value) in [("a", ""), ("b", " "), ("c", " acc_1\n"), ("d", "acc_1")] {
        let tokens = ExistingTokens::refresh_token(subject).extra("account_id", value);
        let user = app.import(subject, tokens).await.unwrap();
        assert_ne!(user.extra().account_id.as_deref(), Some(""));
        user.client().list_customers().send().await.unwrap();
        assert_eq!(user.extra().account_id.as_deref(), Some("acc_1"), "{value:?}");
    }
}
