//! Many grants whose tokens end at the same moment, over one store: all are refreshed, the first of them early, and no
//! lease stays held.
//!
//! The large count, on all stores, with its numbers (REDIS_URL and DATABASE_URL say where the servers are):
//!
//! ```text
//! cargo test --release --all-features --test store_mass_expiry -- --ignored --nocapture --test-threads 1
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod server_support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use finrail::Secret;
use finrail::token::store::LeaseState;
use finrail::token::{
    GrantKind, Issuer, IssuerError, Obtain, Renewal, RevokeRequest, Rotation, TokenHandle, TokenKey, TokenReply,
    TokenStore,
};
use futures_util::future::{BoxFuture, join_all};
use futures_util::{StreamExt as _, stream};

const FEW: usize = 1_000;
const MANY: usize = 10_000;
/// How many grants are set up, and looked at afterwards, at once.
const AT_ONCE: usize = 16;

/// Takes 20 ms for each request, whoever else asks.
#[derive(Default)]
struct Bank(AtomicU64);

fn reply(number: u64, life: Duration) -> TokenReply {
    let mut reply = TokenReply::new(format!("access-{number}"));
    reply.expires_in = Some(life);
    reply.refresh_token = Some(Secret::from(format!("refresh-{number}")));
    reply
}

impl Issuer for Bank {
    fn obtain(&self, _: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(reply(self.0.fetch_add(1, Ordering::Relaxed), Duration::from_secs(3600)))
        })
    }

    fn revoke(&self, _: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
        Box::pin(async { Ok(true) })
    }
}

/// What became of a mass expiry.
#[derive(Debug)]
struct Ended {
    refreshed: usize,
    /// The others, by what they were told.
    failed: BTreeMap<String, usize>,
    requests: u64,
    leases_held: usize,
    /// When half of the callers had their answer.
    half: Duration,
    last: Duration,
}

fn told(error: &dyn std::error::Error) -> String {
    // Numbers differ from caller to caller.
    let text = error
        .to_string()
        .replace(|character: char| character.is_ascii_digit(), "");
    match error.source() {
        Some(source) => format!("{text}: {}", told(source)),
        None => text,
    }
}

/// So many grants in the store, whose tokens have all ended.
async fn set_up(store: &Arc<dyn TokenStore>, bank: &Arc<Bank>, count: usize) -> Vec<TokenHandle> {
    let run = uuid::Uuid::new_v4().simple().to_string();
    let handles: Vec<TokenHandle> = (0..count)
        .map(|number| {
            let key = TokenKey::new("mx", "mass-expiry", GrantKind::AuthorizationCode);
            let key = key.subject(format!("{run}-{number}"));
            TokenHandle::builder(key, Arc::clone(bank) as Arc<dyn Issuer>, Renewal::Refresh)
                .store(Arc::clone(store))
                .rotation(Rotation::new(Some(true), None))
                .build()
        })
        .collect();
    stream::iter(&handles)
        .for_each_concurrent(AT_ONCE, |handle| async move {
            let number = bank.0.fetch_add(1, Ordering::Relaxed);
            handle.adopt(reply(number, Duration::from_secs(1))).await.unwrap();
        })
        .await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    bank.0.store(0, Ordering::Relaxed);
    handles
}

async fn expire_all(store: Arc<dyn TokenStore>, count: usize) -> Ended {
    let bank = Arc::new(Bank::default());
    let handles = set_up(&store, &bank, count).await;

    let started = Instant::now();
    let callers = handles.iter().map(|handle| {
        let handle = handle.clone();
        tokio::spawn(async move { (handle.fresh().await, started.elapsed()) })
    });
    let callers: Vec<_> = callers.collect();
    let mut failed = BTreeMap::<String, usize>::new();
    let mut times = Vec::new();
    for caller in join_all(callers).await {
        let (outcome, at) = caller.unwrap();
        times.push(at);
        if let Err(error) = outcome {
            *failed.entry(told(&error)).or_default() += 1;
        }
    }
    times.sort_unstable();

    let leases_held = stream::iter(&handles)
        .map(|handle| {
            let store = Arc::clone(&store);
            async move { store.lease_state(handle.key()).await.unwrap() }
        })
        .buffer_unordered(AT_ONCE)
        .filter(|state| std::future::ready(*state != LeaseState::Free))
        .count()
        .await;
    Ended {
        refreshed: count - failed.values().sum::<usize>(),
        failed,
        requests: bank.0.load(Ordering::Relaxed),
        leases_held,
        half: times[count / 2],
        last: times[count - 1],
    }
}

/// All are refreshed, and what was begun is ended before more is begun: half of the callers need not wait for the last.
async fn check(name: &str, store: impl TokenStore, count: usize) {
    let ended = expire_all(Arc::new(store), count).await;
    eprintln!("{name}, {count} grants: {ended:?}");
    assert_eq!((ended.refreshed, ended.failed.len()), (count, 0), "{ended:?}");
    assert_eq!(ended.requests, count as u64, "{ended:?}");
    assert_eq!(ended.leases_held, 0, "{ended:?}");
    assert!(ended.half < ended.last.mul_f64(0.75), "{ended:?}");
}

macro_rules! few_and_many {
    ($name:ident, $open:ident) => {
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_thousand_grants_end_at_once() {
                if let Some((store, _open)) = super::$open().await {
                    super::check(stringify!($name), store, super::FEW).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "ten thousand grants take their time"]
            async fn ten_thousand_grants_end_at_once() {
                if let Some((store, _open)) = super::$open().await {
                    super::check(stringify!($name), store, super::MANY).await;
                }
            }
        }
    };
}

#[cfg(feature = "file")]
async fn open_file() -> Option<(finrail::token::store::FileStore, server_support::Scratch)> {
    let scratch = server_support::Scratch::new("mass-expiry");
    let store = finrail::token::store::FileStore::open(scratch.0.join("tokens")).unwrap();
    Some((store, scratch))
}
#[cfg(feature = "file")]
few_and_many!(file, open_file);

#[cfg(feature = "redis")]
async fn open_redis() -> Option<(finrail::token::store::RedisStore, ())> {
    let address = server_support::address("REDIS_URL")?;
    Some((finrail::token::store::RedisStore::connect(&address).await.unwrap(), ()))
}
#[cfg(feature = "redis")]
few_and_many!(redis, open_redis);

#[cfg(feature = "postgres")]
async fn open_postgres() -> Option<(finrail::token::store::PostgresStore, ())> {
    let address = server_support::address("DATABASE_URL")?;
    let store = finrail::token::store::PostgresStore::connect(&address).await.unwrap();
    store.migrate().await.unwrap();
    Some((store, ()))
}
#[cfg(feature = "postgres")]
few_and_many!(postgres, open_postgres);
