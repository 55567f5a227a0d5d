//! Times and numbers that a caller may set, at their ends: nothing, and more than any clock or counter has.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;
#[macro_use]
mod connected;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use connected::*;
use finrail::oauth::ExistingTokens;
use finrail::token::store::{Admission, FileStore, Leased, MemoryStore};
use finrail::token::{
    Clock, Error, GrantKind, Issuer, IssuerError, ManualClock, Obtain, Renewal, RevokeRequest, Rotation, TokenHandle,
    TokenKey, TokenReply, TokenStore, Verdict,
};
use finrail::transport::{CallOptions, Limits, RetryPolicy};
use finrail::{mx, ofx};
use futures_util::future::BoxFuture;
use recorder::{Answer, Recorder};

const ENDS: [Duration; 3] = [Duration::ZERO, Duration::from_nanos(1), Duration::MAX];

fn key() -> TokenKey {
    TokenKey::new("mx", "client", GrantKind::AuthorizationCode).subject("jo")
}

/// Every token request brings tokens of this life, or is asked to come again after it.
struct Bank {
    life: Duration,
    is_out: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("out of order")]
struct Out;

impl Bank {
    fn reply(&self) -> TokenReply {
        let mut reply = TokenReply::new("access");
        reply.refresh_token = Some("refresh".into());
        (reply.expires_in, reply.refresh_expires_in) = (Some(self.life), Some(self.life));
        reply
    }
}

impl Issuer for Bank {
    fn obtain(&self, _: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
        let retry_after = Some(self.life);
        let answer = match self.is_out {
            true => Err(IssuerError::new(Verdict::Transient { retry_after }, Out)),
            false => Ok(self.reply()),
        };
        Box::pin(std::future::ready(answer))
    }

    fn revoke(&self, _: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
        Box::pin(std::future::ready(Ok(true)))
    }
}

#[tokio::test]
async fn a_handle_works_with_them() {
    for end in ENDS {
        for life in ENDS {
            let bank = Arc::new(Bank { life, is_out: false });
            let rotation = Rotation::new(Some(true), Some(end)).consent_lifetime(Some(end));
            let issuer = Arc::clone(&bank) as Arc<dyn Issuer>;
            let handle = TokenHandle::builder(key(), issuer, Renewal::Refresh)
                .rotation(rotation)
                .request_timeout(end)
                .look_again_every(end)
                .build();
            handle.adopt(bank.reply()).await.unwrap();
            let generation = handle.load().await.unwrap().unwrap().generation;
            handle.renew(generation).await.unwrap();
            assert!(handle.info().unwrap().generation > generation, "{end:?} {life:?}");
            handle.revoke().await.unwrap();
            handle.adopt(bank.reply()).await.unwrap();
            handle.forget().await.unwrap();
            handle.settled().await;
        }
    }
}

#[tokio::test]
async fn a_server_may_ask_for_them() {
    for life in ENDS {
        let bank = Arc::new(Bank { life, is_out: true });
        let handle = TokenHandle::builder(key(), bank as Arc<dyn Issuer>, Renewal::Anew)
            .request_timeout(Duration::MAX)
            .build();
        for _ in 0..2 {
            let error = handle.fresh().await.unwrap_err();
            assert!(matches!(error, Error::Transient { .. }), "{error:?}");
        }
    }
}

#[tokio::test]
async fn the_clock_of_tests_is_turned_by_them() {
    let far = Duration::from_secs(i64::MAX as u64 / 2);
    for turn in [
        (|clock| clock.advance(Duration::MAX)) as fn(&ManualClock),
        |clock| clock.suspend(Duration::MAX),
        |clock| {
            clock.advance(Duration::MAX);
            clock.advance(Duration::MAX);
        },
    ] {
        for start in [
            SystemTime::UNIX_EPOCH,
            SystemTime::UNIX_EPOCH + far,
            SystemTime::UNIX_EPOCH - far,
        ] {
            let clock = Arc::new(ManualClock::at(start));
            let bank = Arc::new(Bank {
                life: Duration::MAX,
                is_out: false,
            });
            let handle = TokenHandle::builder(key(), Arc::clone(&bank) as Arc<dyn Issuer>, Renewal::Refresh)
                .clock(Arc::clone(&clock) as Arc<dyn Clock>)
                .build();
            handle.adopt(bank.reply()).await.unwrap();
            turn(&clock);
            handle.fresh().await.unwrap();
            clock.set_wall(start);
            handle.renew(0).await.unwrap();
            handle.revoke().await.unwrap();
        }
    }
}

#[tokio::test]
async fn stores_take_them() {
    let directory = std::env::temp_dir().join(format!("finrail-ends-{}", std::process::id()));
    let stores: [Arc<dyn TokenStore>; 3] = [
        Arc::new(MemoryStore::new()),
        Arc::new(FileStore::open(&directory).unwrap().at_once(usize::MAX)),
        Arc::new(FileStore::open(&directory).unwrap().at_once(0)),
    ];
    for store in stores {
        let key = key().subject(format!("{:?}", store.admission()));
        for ttl in ENDS {
            if let Leased::Granted(lease) = store.lease(&key, "here", ttl).await.unwrap() {
                store.release(&key, lease).await.unwrap();
            }
        }
    }
    assert_eq!(Admission::at_once(0).limit(), 1);
    std::fs::remove_dir_all(&directory).unwrap();
}

/// Nobody listens there, and that is what is told.
#[cfg(all(feature = "postgres", feature = "redis"))]
#[tokio::test]
async fn stores_behind_a_network_take_them() {
    use finrail::token::StoreError;
    use finrail::token::store::{PostgresStore, RedisStore};

    for number in [0, usize::MAX] {
        let postgres = PostgresStore::builder("postgres://app@127.0.0.1:9/app").connections(number);
        let error = postgres.connect().await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        for within in ENDS {
            let redis = RedisStore::builder("redis://127.0.0.1:9")
                .at_once(number)
                .replicas(u32::MAX, within);
            let error = redis.connect().await.unwrap_err();
            assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        }
    }
}

#[tokio::test]
async fn an_application_works_with_them() {
    let bank = Recorder::granting(|_, _| Answer::json("{}")).await;
    for end in ENDS {
        let app: mx::App = builder(&bank)
            .token_request_timeout(end.max(Duration::from_secs(20)))
            .look_again_every(end)
            .tombstones_live(end)
            .authorization_lifetime(end.max(Duration::from_secs(20)))
            .rotation(Rotation::new(None, Some(end)).consent_lifetime(Some(end)))
            .build()
            .unwrap();
        let connection = connect!(mx, app.clone(), ["accounts"]);
        connection.tokens().fresh().await.unwrap();
        for at in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            let tokens = ExistingTokens::refresh_token("old")
                .access_token("access", Some(at))
                .refresh_expires_at(at)
                .consent_expires_at(at);
            let subject = format!("{at}");
            if let Ok(imported) = app.import(&subject, tokens).await {
                imported.tokens().explain().await;
                imported.tokens().fresh().await.unwrap();
            }
        }
        for (number, pause) in [(0, end), (u32::MAX, end)] {
            let passes = app.keep_alive().every(pause).per_second(number).unused_for(pause);
            let done = passes.once().await.unwrap();
            assert!(done.unread.is_empty() && done.failed.is_empty(), "{done:?}");
            let running = tokio::time::timeout(Duration::from_millis(1), passes.run());
            assert!(running.await.is_err());
        }
        connection.revoke().await.unwrap();
        app.settled().await;
    }
}

#[tokio::test]
async fn calls_are_made_with_them() {
    let recorder = Recorder::granting(|_, _| Answer::json(r#"{"id":"q"}"#)).await;
    let app = |limits| builder::<ofx::Provider>(&recorder).limits(limits).build().unwrap();
    for limits in [
        Limits::new(),
        Limits::new().concurrent(0).rate(0, Duration::ZERO),
        Limits::new().concurrent(usize::MAX).rate(u32::MAX, Duration::MAX),
        Limits::new().rate(u32::MAX, Duration::ZERO).of_the_provider(),
    ] {
        let client = app(limits).client_credentials(["payments"]).unwrap();
        for attempts in [0, u32::MAX] {
            for end in ENDS {
                for attempt_timeout in ENDS {
                    let policy = RetryPolicy {
                        attempts,
                        backoff: end,
                        attempt_timeout,
                        deadline: end,
                        ..RetryPolicy::default()
                    };
                    let has_time = end == Duration::MAX && attempt_timeout == Duration::MAX;
                    for options in [
                        CallOptions::new().retry(policy),
                        CallOptions::new()
                            .retry(RetryPolicy { attempts, ..policy })
                            .attempt_timeout(attempt_timeout)
                            .deadline(end),
                    ] {
                        // Without time for one attempt there is none, however many there may be.
                        let once = match has_time {
                            true => options,
                            false => options.deadline(end.min(Duration::from_millis(1))),
                        };
                        let answer = client.get_quote().quote_id("q").with(once).send().await;
                        assert!(answer.is_ok() || !has_time, "{policy:?}: {answer:?}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn one_call_in_more_time_than_a_clock_counts_is_one_call() {
    let recorder = Recorder::granting(|_, _| Answer::json(r#"{"id":"q"}"#)).await;
    let limits = Limits::new().rate(1, Duration::MAX);
    let app = builder::<ofx::Provider>(&recorder).limits(limits).build().unwrap();
    let client = app.client_credentials(["payments"]).unwrap();
    client.get_quote().quote_id("q").send().await.unwrap();
    client.get_quote().quote_id("q").send().await.unwrap_err();
    assert_eq!(recorder.calls().len(), 1);
}

#[cfg(feature = "sandbox")]
#[tokio::test]
async fn the_sandbox_plays_with_them() {
    use finrail::sandbox::{Fault, Sandbox};

    for end in ENDS {
        let sandbox = Sandbox::start().await.unwrap();
        sandbox.set_access_token_lifetime("ofx", end);
        sandbox.set_refresh_token_lifetime("ofx", end);
        sandbox.set_refresh_grace("ofx", end);
        sandbox.fault("ofx", Fault::too_many_requests(end).after(u32::MAX));
        let client = sandbox.client("ofx");
        let app = ofx::App::builder()
            .base_url(sandbox.url("ofx"))
            .credentials(ofx::Credentials::new(client.client_id, client.client_secret))
            .build()
            .unwrap();
        for _ in 0..2 {
            app.client_tokens(["payments"]).unwrap().fresh().await.unwrap();
            sandbox.advance(end);
        }
        sandbox.fault("ofx", Fault::slow(end.min(Duration::from_millis(1))));
    }
}

#[cfg(feature = "mock")]
#[tokio::test]
async fn a_mock_takes_them() {
    use finrail::mock::httpmock::MockServer;
    use mx::mock::MockServerExt as _;

    let server = MockServer::start();
    server.list_accounts(|_, then| {
        then.json(200, "{}").delay(Duration::MAX);
    });
}
