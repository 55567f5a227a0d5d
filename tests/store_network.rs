//! What a bad network does to a store: a server that goes silent, an answer that is lost, a question that comes late.
#![cfg(all(feature = "redis", feature = "postgres"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod server_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use finrail::token::store::{Lease, LeaseState, Leased, PostgresStore, RedisStore};
use finrail::token::{GrantKind, StoreError, TokenKey, TokenStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const TTL: Duration = Duration::from_secs(40);
/// A store gives up within its patience; the rest is for a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(8);

/// A wire that can be held. What is held arrives later, unless it is dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wire {
    Passes,
    Holds,
    Drops,
}

/// Stands between a store and its server. A connection keeps to the wires that were there when it was made, if it is
/// made while `fresh` is set: then only older connections suffer.
struct Proxy {
    address: String,
    questions: watch::Sender<Wire>,
    answers: watch::Sender<Wire>,
    spare_new: Arc<AtomicBool>,
}

impl Proxy {
    async fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap().to_string(),
            questions: watch::Sender::new(Wire::Passes),
            answers: watch::Sender::new(Wire::Passes),
            spare_new: Arc::default(),
        };
        let (questions, answers) = (proxy.questions.clone(), proxy.answers.clone());
        let (server, spare) = (server.to_owned(), Arc::clone(&proxy.spare_new));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                let ((from, to), (back_from, back_to)) = (client.into_split(), server.into_split());
                let good = watch::Sender::new(Wire::Passes);
                let spared = spare.load(Ordering::SeqCst);
                let wires = if spared { (&good, &good) } else { (&questions, &answers) };
                tokio::spawn(carry(from, back_to, wires.0.subscribe(), good.clone()));
                tokio::spawn(carry(back_from, to, wires.1.subscribe(), good));
            }
        });
        proxy
    }

    fn set(&self, questions: Wire, answers: Wire) {
        self.questions.send_replace(questions);
        self.answers.send_replace(answers);
    }

    /// From now on, new connections are good ones.
    fn spare_new(&self) {
        self.spare_new.store(true, Ordering::SeqCst);
    }
}

/// Bytes from one side to the other, as the wire allows. Its ends stay open: a peer that is silent hangs up nothing.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut wire: watch::Receiver<Wire>,
    _open: watch::Sender<Wire>,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        let state = *wire.wait_for(|wire| *wire != Wire::Holds).await.unwrap();
        if state == Wire::Passes && to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
    let _ = wire.wait_for(|wire| *wire == Wire::Passes).await;
}

#[derive(Clone, Copy)]
enum Kind {
    Redis,
    Postgres,
}

/// A store behind a proxy, and one that reaches the same server directly.
async fn stores(kind: Kind) -> Option<(Proxy, Arc<dyn TokenStore>, Arc<dyn TokenStore>)> {
    async fn open(kind: Kind, address: &str) -> Arc<dyn TokenStore> {
        match kind {
            Kind::Redis => Arc::new(RedisStore::connect(address).await.unwrap()),
            Kind::Postgres => {
                let store = PostgresStore::connect(address).await.unwrap();
                store.migrate().await.unwrap();
                Arc::new(store)
            }
        }
    }
    let address = server_support::address(match kind {
        Kind::Redis => "REDIS_URL",
        Kind::Postgres => "DATABASE_URL",
    })?;
    let url = url::Url::parse(&address).unwrap();
    let port = url.port().unwrap_or(match kind {
        Kind::Redis => 6379,
        Kind::Postgres => 5432,
    });
    let proxy = Proxy::before(&format!("{}:{port}", url.host_str().unwrap())).await;
    let mut behind = url.clone();
    let (host, port) = proxy.address.split_once(':').unwrap();
    behind.set_host(Some(host)).unwrap();
    behind.set_port(port.parse().ok()).unwrap();
    let store = open(kind, behind.as_str()).await;
    Some((proxy, store, open(kind, &address).await))
}

fn key() -> TokenKey {
    TokenKey::new("mx", "client", GrantKind::AuthorizationCode).subject(uuid::Uuid::new_v4().to_string())
}

async fn lease(store: &Arc<dyn TokenStore>, key: &TokenKey, holder: &str) -> Result<Leased, StoreError> {
    store.lease(key, holder, TTL).await
}

fn granted(leased: Result<Leased, StoreError>) -> Lease {
    match leased.unwrap() {
        Leased::Granted(lease) => lease,
        held @ Leased::Held { .. } => panic!("{held:?}"),
    }
}

fn held(leased: Result<Leased, StoreError>) -> String {
    match leased.unwrap() {
        Leased::Held { by, .. } => by,
        granted @ Leased::Granted(_) => panic!("{granted:?}"),
    }
}

async fn gives_up<T: std::fmt::Debug>(work: impl Future<Output = Result<T, StoreError>>) {
    let started = Instant::now();
    let outcome = work.await;
    assert!(matches!(outcome, Err(StoreError::Unavailable { .. })), "{outcome:?}");
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
}

async fn a_silent_server_is_given_up_and_found_again(kind: Kind) {
    let Some((proxy, store, _)) = stores(kind).await else {
        return;
    };
    let key = key();
    // Several connections, where there are several.
    let looks = (0..8).map(|_| store.load(&key));
    futures_util::future::try_join_all(looks).await.unwrap();
    let kept = granted(lease(&store, &key, "me").await);

    proxy.set(Wire::Drops, Wire::Drops);
    gives_up(store.load(&key)).await;
    let lost_release = Lease::new(kept.fence);
    gives_up(store.release(&key, lost_release)).await;
    gives_up(store.lease_state(&key)).await;

    // The old connections stay dead; what is made from now on is good.
    proxy.spare_new();
    for _ in 0..8 {
        store.load(&key).await.unwrap();
    }
    assert!(matches!(
        store.lease_state(&key).await.unwrap(),
        LeaseState::Held { .. }
    ));
    store.release(&key, kept).await.unwrap();
    assert_eq!(store.lease_state(&key).await.unwrap(), LeaseState::Free);
}

async fn a_lease_whose_answer_is_lost_is_granted_again(kind: Kind) {
    let Some((proxy, store, sibling)) = stores(kind).await else {
        return;
    };
    let key = key();
    proxy.set(Wire::Passes, Wire::Drops);
    proxy.spare_new();
    // The first try is granted unseen; the second one, over another connection, hears of it.
    let lease = granted(lease(&store, &key, "me").await);
    assert_eq!(lease.fence, 1);
    assert_eq!(held(self::lease(&sibling, &key, "you").await), "me");
    assert_eq!(held(self::lease(&store, &key, "me").await), "me");
    store.release(&key, lease).await.unwrap();
    assert_eq!(granted(self::lease(&sibling, &key, "you").await).fence, 2);
}

async fn a_lease_that_was_never_heard_of_is_found_by_the_next_who_asks(kind: Kind) {
    let Some((proxy, store, sibling)) = stores(kind).await else {
        return;
    };
    let key = key();
    store.load(&key).await.unwrap();
    proxy.set(Wire::Passes, Wire::Drops);
    gives_up(lease(&store, &key, "me")).await;
    assert_eq!(held(lease(&sibling, &key, "you").await), "me");
    // A sibling that bears the same name is somebody else all the same.
    assert_eq!(held(lease(&sibling, &key, "me").await), "me");

    proxy.spare_new();
    assert_eq!(held(lease(&store, &key, "another").await), "me");
    // Two tasks of the holder ask at once: one of them inherits the lease.
    let (one, two) = tokio::join!(lease(&store, &key, "me"), lease(&store, &key, "me"));
    let (lease, refused) = match (one.unwrap(), two.unwrap()) {
        (Leased::Granted(lease), refused) | (refused, Leased::Granted(lease)) => (lease, refused),
        neither => panic!("{neither:?}"),
    };
    assert!(matches!(refused, Leased::Held { .. }), "{refused:?}");
    assert_eq!(lease.fence, 1);
    store.release(&key, lease).await.unwrap();
    assert_eq!(granted(self::lease(&sibling, &key, "you").await).fence, 2);
}

async fn a_late_copy_of_a_question_takes_no_lease(kind: Kind) {
    let Some((proxy, store, sibling)) = stores(kind).await else {
        return;
    };
    let key = key();
    store.load(&key).await.unwrap();
    proxy.set(Wire::Holds, Wire::Passes);
    proxy.spare_new();
    let lease = granted(lease(&store, &key, "me").await);
    store.release(&key, lease).await.unwrap();
    // Now the first try arrives, and nobody waits for its answer.
    proxy.set(Wire::Passes, Wire::Passes);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(sibling.lease_state(&key).await.unwrap(), LeaseState::Free);
    granted(self::lease(&sibling, &key, "you").await);
}

macro_rules! for_both {
    ($($behaviour:ident)*) => {
        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                super::$behaviour(super::Kind::Redis).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                super::$behaviour(super::Kind::Postgres).await;
            })*
        }
    };
}

for_both! {
    a_silent_server_is_given_up_and_found_again
    a_lease_whose_answer_is_lost_is_granted_again
    a_lease_that_was_never_heard_of_is_found_by_the_next_who_asks
    a_late_copy_of_a_question_takes_no_lease
}

/// A port of loopback that nobody listens on.
fn nobody() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_and_the_user_and_the_password_are_not() {
    let port = nobody();
    let redis = RedisStore::connect(&format!("redis://planted-user:planted-pw@127.0.0.1:{port}/3")).await;
    let postgres = PostgresStore::builder(format!("postgres://planted-user:planted-pw@127.0.0.1:{port}/bank"))
        .table("grants")
        .connect()
        .await;
    for (error, place) in [
        (redis.err().unwrap(), format!("(127.0.0.1:{port}, database 3)")),
        (
            postgres.err().unwrap(),
            format!("(127.0.0.1:{port}, database bank, table \"grants\")"),
        ),
    ] {
        assert!(error.to_string().contains(&place), "{error}");
        let mut shown = format!("{error:?}");
        let mut at: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = at {
            shown.push_str(&error.to_string());
            at = error.source();
        }
        assert!(!shown.contains("planted"), "{shown}");
    }
}

/// A server that says that it has no TLS, and writes down what it is sent after that.
async fn postgres_without_tls() -> (u16, tokio::sync::mpsc::UnboundedReceiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut request = [0; 8];
            client.read_exact(&mut request).await.unwrap();
            assert_eq!(request, [0, 0, 0, 8, 4, 210, 22, 47], "it asks for TLS first");
            client.write_all(b"N").await.unwrap();
            let mut rest = Vec::new();
            let _ = client.read_buf(&mut rest).await;
            let _ = tell.send(rest);
        }
    });
    (port, told)
}

#[tokio::test]
async fn with_tls_settings_of_its_own_nothing_is_sent_to_a_server_that_says_that_it_has_none() {
    let tls = || {
        rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth()
    };
    for host in ["db.example.com", "localhost", "127.0.0.1"] {
        for mode in ["", " sslmode=prefer", " sslmode=require"] {
            let (port, mut told) = postgres_without_tls().await;
            let address =
                format!("host={host} hostaddr=127.0.0.1 port={port} user=app password=secret dbname=app{mode}");
            let error = PostgresStore::connect_with(&address, tls()).await.unwrap_err();
            assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
            let sent = told.recv().await.unwrap();
            assert!(sent.is_empty(), "{address}: {}", String::from_utf8_lossy(&sent));
        }
    }
    let error = PostgresStore::connect_with("host=db.example.com hostaddr=127.0.0.1 user=app sslmode=disable", tls())
        .await
        .unwrap_err();
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(why.contains("sslmode=disable"), "{why}");
}

#[tokio::test]
async fn with_certificates_of_its_own_no_node_of_a_cluster_is_talked_to_in_the_clear() {
    use finrail::token::store::RedisTls;
    use futures_util::FutureExt as _;

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (own, tls) = (
        format!("redis://127.0.0.1:{}", listener.local_addr().unwrap().port()),
        "rediss://127.0.0.1:9",
    );
    for nodes in [vec![own.as_str()], vec![tls, own.as_str()]] {
        for plaintext in [false, true] {
            let certificates = RedisTls {
                client_tls: None,
                root_cert: None,
            };
            let mut builder = RedisStore::cluster_builder(nodes.clone()).tls(certificates);
            if plaintext {
                builder = builder.allow_plaintext();
            }
            let error = builder.connect().await.unwrap_err();
            let why = std::error::Error::source(&error).unwrap().to_string();
            assert!(why.contains("rediss://"), "{why}");
            assert!(listener.accept().now_or_never().is_none(), "nobody came");
        }
    }
}
