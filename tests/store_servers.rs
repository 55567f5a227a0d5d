//! The stores over servers of every kind: a cluster, TLS, a pooler, a role that may make no tables.
//!
//! Each test starts its own servers on loopback. Where a program is missing it
//! says so and is skipped, unless FINRAIL_REQUIRE_SERVERS is set.
#![cfg(all(unix, feature = "redis", feature = "postgres"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod server_support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use finrail::token::store::{
    Leased, LeasedSwap, PostgresStore, RedisStore, RedisTls, StoredRecord, Swap, Swapped, SynchronousCommit,
};
use finrail::token::{
    GrantKind, Issuer, IssuerError, ManualClock, Obtain, Renewal, RevokeRequest, Rotation, StoreError, TokenHandle,
    TokenKey, TokenReply, TokenStore,
};
use futures_util::future::BoxFuture;
use server_support::*;

fn key(subject: &str) -> TokenKey {
    TokenKey::new("mx", "client", GrantKind::AuthorizationCode).subject(subject)
}

/// Lease, write, read, release.
async fn works(store: &(impl TokenStore + ?Sized), key: &TokenKey) {
    let Leased::Granted(lease) = store.lease(key, "test", Duration::from_secs(30)).await.unwrap() else {
        panic!("held");
    };
    let record = StoredRecord::new(1, b"record".as_slice());
    let swap = Swap::new(None, lease.fence, Some(record.clone()));
    assert_eq!(store.swap(key, swap).await.unwrap(), Swapped::Done);
    assert_eq!(store.load(key).await.unwrap(), Some(record));
    store.release(key, lease).await.unwrap();
}

// ---- Redis ----

fn redis_server(program: &Path, folder: &Scratch, port: u16, more: &[&str]) -> Server {
    let home = folder.0.join(port.to_string());
    std::fs::create_dir_all(&home).unwrap();
    let mut command = Command::new(program);
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]);
    command.arg(&home).args(more);
    Server::start(&mut command, &folder.path(&format!("{port}.log")), port)
}

fn redis_tls(folder: &Scratch, port: u16) -> Vec<String> {
    let mut arguments = vec![
        "--port".to_owned(),
        "0".to_owned(),
        "--tls-port".to_owned(),
        port.to_string(),
    ];
    for (option, file) in [("cert", "server.pem"), ("key", "server.key"), ("ca-cert", "ca.pem")] {
        arguments.extend([format!("--tls-{option}-file"), folder.path(file)]);
    }
    arguments.extend(["--tls-auth-clients".to_owned(), "no".to_owned()]);
    arguments
}

fn root(folder: &Scratch) -> RedisTls {
    RedisTls {
        client_tls: None,
        root_cert: Some(std::fs::read(folder.path("ca.pem")).unwrap()),
    }
}

/// Three nodes that share the slots.
fn redis_cluster(server: &Path, client: &Path, folder: &Scratch, tls: bool) -> (Vec<Server>, Vec<u16>) {
    let ports: Vec<u16> = (0..3).map(|_| free_port()).collect();
    let nodes = ports.iter().map(|port| {
        let mut arguments = if tls {
            redis_tls(folder, *port)
        } else {
            vec!["--port".to_owned(), port.to_string()]
        };
        if tls {
            arguments.extend(["--tls-cluster", "yes", "--tls-replication", "yes"].map(str::to_owned));
        }
        arguments.extend(["--cluster-enabled", "yes"].map(str::to_owned));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        redis_server(server, folder, *port, &arguments)
    });
    let nodes: Vec<Server> = nodes.collect();
    let cli = |arguments: &[&str]| {
        let mut command = Command::new(client);
        if tls {
            command.args(["--tls", "--cacert", &folder.path("ca.pem")]);
        }
        run(command.args(arguments))
    };
    let addresses: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    let mut create = vec!["--cluster", "create"];
    create.extend(addresses.iter().map(String::as_str));
    create.push("--cluster-yes");
    cli(&create);
    for port in &ports {
        let port = port.to_string();
        let whole = || cli(&["-h", "127.0.0.1", "-p", &port, "cluster", "info"]).contains("cluster_state:ok");
        for _ in 0..100 {
            if whole() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        assert!(whole(), "the cluster does not form");
    }
    (nodes, ports)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_in_a_cluster() {
    let Some([server, client]) = programs(["redis-server", "redis-cli"]) else {
        return;
    };
    let folder = Scratch::new("redis-cluster");
    let (_nodes, ports) = redis_cluster(&server, &client, &folder, false);
    let first = format!("redis://127.0.0.1:{}", ports[0]);
    let last = format!("redis://127.0.0.1:{}", ports[2]);
    let store = RedisStore::connect_cluster([first.as_str()]).await.unwrap();
    let sibling = RedisStore::connect_cluster([last.as_str()]).await.unwrap();
    for number in 0..30 {
        works(&store, &key(&number.to_string())).await;
    }
    for port in ports {
        let size = run(Command::new(&client).args(["-p", &port.to_string(), "dbsize"]));
        assert_ne!(size.trim(), "0", "every node keeps some of the records");
    }
    check(store, sibling).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_in_a_cluster_over_tls() {
    let Some([server, client, openssl]) = programs(["redis-server", "redis-cli", "openssl"]) else {
        return;
    };
    let folder = Scratch::new("redis-cluster-tls");
    certificates(&openssl, &folder);
    let (_nodes, ports) = redis_cluster(&server, &client, &folder, true);
    let addresses: Vec<String> = ports.iter().map(|port| format!("rediss://127.0.0.1:{port}")).collect();
    let connect = || RedisStore::connect_cluster_with(addresses.iter().map(String::as_str), root(&folder));
    check(connect().await.unwrap(), connect().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_over_tls() {
    let Some([server, openssl]) = programs(["redis-server", "openssl"]) else {
        return;
    };
    let folder = Scratch::new("redis-tls");
    certificates(&openssl, &folder);
    let port = free_port();
    let arguments = redis_tls(&folder, port);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let _server = redis_server(&server, &folder, port, &arguments);
    let address = format!("rediss://localhost:{port}");
    let connect = || RedisStore::connect_with(&address, root(&folder));
    check(connect().await.unwrap(), connect().await.unwrap()).await;

    // Nobody vouches for it: the system's roots do not know this authority.
    unreachable_at(RedisStore::connect(&address).await);
    let foreign = Scratch::new("redis-foreign");
    certificates(&openssl, &foreign);
    unreachable_at(RedisStore::connect_with(&address, root(&foreign)).await);
    let plain = format!("redis://localhost:{port}");
    unreachable_at(RedisStore::connect_with(&plain, root(&folder)).await);
}

#[tokio::test]
async fn redis_on_another_machine_is_reached_over_tls_only_unless_asked_for() {
    let refused = |connected: Result<RedisStore, StoreError>| why(connected).contains("would be reached without TLS");
    let (here, there) = ("redis://127.0.0.1:1", "redis://user:planted@tokens.invalid:6379");
    assert!(refused(RedisStore::connect(there).await));
    assert!(refused(RedisStore::connect_cluster([here, there]).await));
    assert!(!why(RedisStore::connect(there).await).contains("planted"));
    // These fail too, because nobody answers there.
    assert!(!refused(RedisStore::builder(there).allow_plaintext().connect().await));
    for here in [
        here,
        "redis://localhost:1",
        "redis://[::1]:1",
        "rediss://tokens.invalid:6379",
    ] {
        assert!(!refused(RedisStore::connect(here).await), "{here}");
    }
}

fn why<T>(outcome: Result<T, StoreError>) -> String {
    let Err(error) = outcome else { panic!("it went well") };
    std::error::Error::source(&error).unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_that_waits_for_its_replicas() {
    let Some([server]) = programs(["redis-server"]) else {
        return;
    };
    let folder = Scratch::new("redis-replicas");
    let (primary, replica) = (free_port(), free_port());
    let at = |port: u16, more: &[&str]| {
        let port_text = port.to_string();
        redis_server(&server, &folder, port, &[&["--port", &port_text], more].concat())
    };
    let _primary = at(primary, &["--repl-diskless-sync-delay", "0"]);
    let primary_text = primary.to_string();
    let follow = ["--replicaof", "127.0.0.1", &primary_text];
    let following = at(replica, &follow);
    let address = format!("redis://127.0.0.1:{primary}");
    let store = RedisStore::builder(&address)
        .replicas(1, Duration::from_secs(2))
        .connect()
        .await
        .unwrap();
    let key = key("replicated");
    let Leased::Granted(lease) = store.lease(&key, "test", Duration::from_secs(60)).await.unwrap() else {
        panic!("held");
    };
    let swap = |number: u64| {
        let record = StoredRecord::new(number, b"record".as_slice());
        store.swap(
            &key,
            Swap::new((number > 1).then(|| number - 1), lease.fence, Some(record)),
        )
    };
    // It takes a moment until the replica follows.
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while swap(1).await.is_err() {
        assert!(std::time::Instant::now() < deadline);
    }
    assert_eq!(swap(2).await.unwrap(), Swapped::Done);

    drop(following);
    let lost = swap(3).await;
    assert!(matches!(lost, Err(StoreError::Unavailable { .. })));
    assert!(why(lost).contains("0 of 1 replicas confirmed"));
    // Written, and not to be counted on: it is not told from the write of somebody else by being there.
    let patient = RedisStore::connect(&address).await.unwrap();
    assert_eq!(patient.load(&key).await.unwrap().unwrap().revision, 3);
    assert!(swap(3).await.is_err());

    // Those that write nothing wait for nobody.
    let waiting = tokio::spawn({
        let (store, key) = (store.clone(), key.clone());
        let next = StoredRecord::new(4, b"record".as_slice());
        let swap = Swap::new(Some(3), lease.fence, Some(next));
        async move { store.swap(&key, swap).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let started = std::time::Instant::now();
    store.load(&key).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(1) && !waiting.is_finished());
    assert!(waiting.await.unwrap().is_err());

    let _following = at(replica, &follow);
    while swap(4).await.is_err() {
        assert!(std::time::Instant::now() < deadline + Duration::from_secs(30));
    }
}

fn unreachable_at<T>(connected: Result<T, StoreError>) {
    assert!(matches!(connected, Err(StoreError::Unavailable { .. })));
}

// ---- PostgreSQL ----

/// A throw-away server, over TLS when there is a certificate in the folder.
fn postgres_server(initdb: &Path, postgres: &Path, folder: &Scratch) -> (Server, u16) {
    postgres_server_with(initdb, postgres, folder, &[])
}

fn postgres_server_with(initdb: &Path, postgres: &Path, folder: &Scratch, settings: &[&str]) -> (Server, u16) {
    let data = folder.path("data");
    let mut command = Command::new(initdb);
    as_postgres(&mut command, folder);
    run(command.args(["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]));
    let port = free_port();
    let mut command = Command::new(postgres);
    as_postgres(&mut command, folder);
    command.args(["-D", &data, "-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
    command.args(["-c", "unix_socket_directories=", "-c", "fsync=off"]);
    command.args(settings.iter().flat_map(|setting| ["-c", setting]));
    if Path::new(&folder.path("server.pem")).exists() {
        command.args([
            "-c",
            "ssl=on",
            "-c",
            &format!("ssl_cert_file={}", folder.path("server.pem")),
        ]);
        command.args(["-c", &format!("ssl_key_file={}", folder.path("server.key"))]);
    }
    (Server::start(&mut command, &folder.path("postgres.log"), port), port)
}

fn roots(folder: &Scratch) -> rustls::ClientConfig {
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    let root = rustls::pki_types::CertificateDer::from_pem_file(folder.path("ca.pem")).unwrap();
    roots.add(root).unwrap();
    rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// Runs statements as the owner of the server.
async fn administer(port: u16, database: &str, statements: &str) {
    let address = format!("postgres://postgres@127.0.0.1:{port}/{database}");
    let mut failures = 0;
    let (client, connection) = loop {
        match tokio_postgres::connect(&address, tokio_postgres::NoTls).await {
            Ok(connected) => break connected,
            // It answers on its port a little before it lets anybody in.
            Err(error) if failures == 50 => panic!("{error}"),
            Err(_) => failures += 1,
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    tokio::spawn(connection);
    // One by one: some of them allow no transaction.
    for statement in statements.split(';') {
        client.batch_execute(statement).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_over_tls() {
    let Some([initdb, postgres, openssl]) = programs(["initdb", "postgres", "openssl"]) else {
        return;
    };
    let folder = Scratch::new("postgres-tls");
    certificates(&openssl, &folder);
    let (_server, port) = postgres_server(&initdb, &postgres, &folder);
    administer(port, "postgres", "").await;
    let address = format!("postgres://postgres@localhost:{port}/postgres?sslmode=require");
    let connect = || PostgresStore::connect_with(&address, roots(&folder));
    let (store, sibling) = (connect().await.unwrap(), connect().await.unwrap());
    store.migrate().await.unwrap();
    check(store, sibling).await;

    // Nobody vouches for it: the system's roots do not know this authority.
    unreachable_at(PostgresStore::connect(&address).await);
    let foreign = Scratch::new("postgres-foreign");
    certificates(&openssl, &foreign);
    unreachable_at(PostgresStore::connect_with(&address, roots(&foreign)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_behind_a_pooler_in_transaction_mode() {
    let Some([initdb, postgres, pgbouncer]) = programs(["initdb", "postgres", "pgbouncer"]) else {
        return;
    };
    let folder = Scratch::new("pgbouncer");
    let (_server, port) = postgres_server(&initdb, &postgres, &folder);
    administer(port, "postgres", "").await;
    let pooled = free_port();
    // Three sessions for all: the statements of one store run in any of them.
    let settings = format!(
        "[databases]\n\
         postgres = host=127.0.0.1 port={port} user=postgres\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {pooled}\n\
         unix_socket_dir =\n\
         auth_type = any\n\
         pool_mode = transaction\n\
         default_pool_size = 3\n"
    );
    std::fs::write(folder.path("pgbouncer.ini"), settings).unwrap();
    let mut command = Command::new(&pgbouncer);
    as_postgres(&mut command, &folder);
    command.arg(folder.path("pgbouncer.ini"));
    let _pooler = Server::start(&mut command, &folder.path("pgbouncer.log"), pooled);
    let address = format!("postgres://app@127.0.0.1:{pooled}/postgres?sslmode=disable");
    let connect = || async {
        let store = PostgresStore::connect(&address).await.unwrap();
        store.migrate().await.unwrap();
        store
    };
    let (store, sibling) = tokio::join!(connect(), connect());
    check(store, sibling).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_with_a_role_that_may_make_no_tables() {
    let Some([initdb, postgres]) = programs(["initdb", "postgres"]) else {
        return;
    };
    let folder = Scratch::new("postgres-role");
    let (_server, port) = postgres_server(&initdb, &postgres, &folder);
    administer(
        port,
        "postgres",
        "CREATE ROLE app LOGIN; CREATE DATABASE tokens; REVOKE CREATE ON SCHEMA public FROM public",
    )
    .await;
    administer(port, "tokens", "REVOKE CREATE ON SCHEMA public FROM public").await;
    let address = format!("postgres://app@127.0.0.1:{port}/tokens?sslmode=disable");
    let store = PostgresStore::connect(&address).await.unwrap();
    unreachable_at(store.migrate().await);

    // An earlier version made the table.
    let earlier = "CREATE TABLE finrail_token (id text PRIMARY KEY, revision bigint, record bytea,
        fence bigint NOT NULL, holder text, lease_until timestamptz, lapsed boolean NOT NULL DEFAULT false);
        GRANT SELECT, INSERT, UPDATE, DELETE ON finrail_token TO app";
    administer(port, "tokens", earlier).await;
    unreachable_at(store.migrate().await);
    // The refusal left no broken session behind.
    for number in 0..20 {
        assert_eq!(store.load(&key(&number.to_string())).await.unwrap(), None);
    }

    let owner = format!("postgres://postgres@127.0.0.1:{port}/tokens?sslmode=disable");
    PostgresStore::connect(&owner).await.unwrap().migrate().await.unwrap();
    store.migrate().await.unwrap();
    let sibling = PostgresStore::connect(&address).await.unwrap();
    works(&store, &key("role")).await;
    check(store, sibling).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_and_the_table_that_many_processes_make_at_once() {
    let Some([initdb, postgres]) = programs(["initdb", "postgres"]) else {
        return;
    };
    let folder = Scratch::new("postgres-race");
    let (_server, port) = postgres_server(&initdb, &postgres, &folder);
    administer(port, "postgres", "").await;
    let address = format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable");
    let racers: Vec<_> = (0..8)
        .map(|_| {
            let address = address.clone();
            tokio::spawn(async move { PostgresStore::connect(&address).await?.migrate().await })
        })
        .collect();
    for racer in racers {
        racer.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_with_a_schema_a_table_and_a_pool_of_ones_own() {
    let Some([initdb, postgres]) = programs(["initdb", "postgres"]) else {
        return;
    };
    let folder = Scratch::new("postgres-names");
    let (_server, port) = postgres_server(&initdb, &postgres, &folder);
    administer(port, "postgres", "CREATE SCHEMA \"The Bank\"").await;
    let address = format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable");
    let named = || {
        PostgresStore::builder(&address)
            .schema("The Bank")
            .table("to\"kens")
            .connections(2)
    };
    let (store, sibling) = (named().connect().await.unwrap(), named().connect().await.unwrap());
    store.migrate().await.unwrap();
    sibling.migrate().await.unwrap();
    assert_eq!(store.admission().unwrap().limit(), 2);
    works(&store, &key("named")).await;
    // The table of the usual name is another one, which nobody has made.
    unreachable_at(
        PostgresStore::connect(&address)
            .await
            .unwrap()
            .load(&key("named"))
            .await,
    );
    check(store, sibling).await;
    for wrong in ["", "x".repeat(64).as_str(), "a\0b"] {
        assert!(
            why(PostgresStore::builder(&address).table(wrong).connect().await)
                .contains("the name of a schema or table")
        );
    }
    // What is to be run by hand makes the same table.
    let by_hand = PostgresStore::builder(&address)
        .table("by hand")
        .connect()
        .await
        .unwrap();
    let (client, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&by_hand.migration()).await.unwrap();
    works(&by_hand, &key("by hand")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_whose_writes_wait_for_a_standby() {
    let Some([initdb, postgres]) = programs(["initdb", "postgres"]) else {
        return;
    };
    let folder = Scratch::new("postgres-standby");
    // The standby that is waited for does not exist.
    let settings = ["synchronous_standby_names=*", "synchronous_commit=local"];
    let (_server, port) = postgres_server_with(&initdb, &postgres, &folder, &settings);
    administer(port, "postgres", "").await;
    let address = format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable");
    let store = PostgresStore::connect(&address).await.unwrap();
    store.migrate().await.unwrap();
    works(&store, &key("as the server says")).await;

    let careful = PostgresStore::builder(&address)
        .synchronous_commit(SynchronousCommit::On)
        .connect()
        .await
        .unwrap();
    let key = key("careful");
    let Leased::Granted(lease) = careful.lease(&key, "test", Duration::from_secs(60)).await.unwrap() else {
        panic!("held");
    };
    let record = StoredRecord::new(1, b"record".as_slice());
    let swap = Swap::new(None, lease.fence, Some(record));
    unreachable_at(careful.swap(&key, swap.clone()).await);
    // The setting was that write's alone: leases wait for no standby. That of this record waits for its write.
    let other = self::key("another");
    let Leased::Granted(lease) = careful.lease(&other, "test", Duration::from_secs(60)).await.unwrap() else {
        panic!("held");
    };
    careful.release(&other, lease).await.unwrap();
    let local = PostgresStore::builder(&address)
        .synchronous_commit(SynchronousCommit::Local)
        .connect()
        .await
        .unwrap();
    works(&local, &self::key("local")).await;
}

/// A write whose answer was lost is not found out to have been made by being there: it is made again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_is_asked_for_again_is_made_again() {
    let (Some(redis), Some(postgres)) = (address("REDIS_URL"), address("DATABASE_URL")) else {
        return;
    };
    let (redis, postgres) = tokio::join!(RedisStore::connect(&redis), PostgresStore::connect(&postgres));
    let (redis, postgres) = (redis.unwrap(), postgres.unwrap());
    postgres.migrate().await.unwrap();
    let stores: [&dyn TokenStore; 2] = [&redis, &postgres];
    for store in stores {
        let key = key(&uuid::Uuid::new_v4().to_string());
        let Leased::Granted(lease) = store.lease(&key, "test", Duration::from_secs(60)).await.unwrap() else {
            panic!("held");
        };
        let record = |bytes: &[u8]| Some(StoredRecord::new(1, bytes));
        let swap = |bytes| store.swap(&key, Swap::new(None, lease.fence, record(bytes)));
        assert_eq!(swap(b"one").await.unwrap(), Swapped::Done);
        assert_eq!(swap(b"one").await.unwrap(), Swapped::Done);
        assert_eq!(swap(b"two").await.unwrap(), Swapped::Conflict(record(b"one")));
        store.release(&key, lease).await.unwrap();
    }
}

/// An authorization server that gives `access-1` with `refresh-1`, and so on.
#[derive(Default)]
struct Bank(AtomicU32);

impl Bank {
    fn reply(&self) -> TokenReply {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        let mut reply = TokenReply::new(format!("access-{number}"));
        reply.refresh_token = Some(format!("refresh-{number}").into());
        reply.expires_in = Some(Duration::from_secs(3600));
        reply
    }
}

impl Issuer for Bank {
    fn obtain(&self, _: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
        Box::pin(async { Ok(self.reply()) })
    }
    fn revoke(&self, _: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
        Box::pin(async { Ok(true) })
    }
}

/// Every record of a walk, by its id.
async fn walked(store: &dyn TokenStore, ids: &str) -> BTreeMap<String, Result<StoredRecord, StoreError>> {
    let (mut found, mut after) = (BTreeMap::new(), None);
    loop {
        let listed = store.list(ids, after.as_deref()).await.unwrap();
        found.extend(listed.records.into_iter().map(|listed| (listed.id, listed.record)));
        match listed.next {
            Some(next) => after = Some(next),
            None => return found,
        }
    }
}

/// What costs one record costs no other, and what has no revision counts as damaged: a swap that expects no record, a
/// process that holds the tokens, and a login go over it.
async fn a_broken_revision_is_mended(
    store: Arc<dyn TokenStore>,
    broken: &[&str],
    breaks: impl AsyncFn(&TokenKey, &str),
    ids: &str,
) {
    let key = |subject: &str| {
        TokenKey::new("mx", "broken revision", GrantKind::AuthorizationCode).subject(format!("{subject} {ids}"))
    };
    let (whole, hurt) = (key("whole"), key("hurt"));
    works(&*store, &whole).await;
    works(&*store, &hurt).await;
    for (round, revision) in broken.iter().enumerate() {
        breaks(&hurt, revision).await;
        let mut found = walked(&*store, "mx-").await;
        assert!(found.remove(&whole.storage_id()).unwrap().is_ok(), "{revision}");
        let listed = found.remove(&hurt.storage_id()).unwrap().unwrap_err();
        let loaded = store.load(&hurt).await.unwrap_err();
        for error in [listed, loaded] {
            let StoreError::Corrupt {
                place: Some(_),
                damage: Some(damage),
                ..
            } = error
            else {
                panic!("{revision}: {error:?}")
            };
            assert!(damage.revision.is_none() && damage.bytes.is_some(), "{damage:?}");
        }
        // Whoever read a revision before is told that there is none.
        let next = |revision: u64| Some(StoredRecord::new(revision, b"next".as_slice()));
        let late = store.lease_and_swap(&hurt, "late", Duration::from_secs(9), Swap::new(Some(1), 0, next(2)));
        assert!(matches!(late.await.unwrap(), LeasedSwap::Conflict(None)), "{revision}");
        let swap = Swap::new(None, 0, next(7));
        let lease = match round % 3 {
            0 => match store
                .lease_and_swap(&hurt, "test", Duration::from_secs(9), swap)
                .await
                .unwrap()
            {
                LeasedSwap::Done(lease) => lease,
                other => panic!("{revision}: {other:?}"),
            },
            by_itself => {
                let Leased::Granted(lease) = store.lease(&hurt, "test", Duration::from_secs(9)).await.unwrap() else {
                    panic!("held")
                };
                let swap = Swap::new(None, lease.fence, next(7));
                let late = Swap::new(Some(1), lease.fence, next(2));
                let conflict = store.swap_and_release(&hurt, late, &lease).await.unwrap();
                assert_eq!(conflict, Swapped::Conflict(None), "{revision}");
                let swapped = match by_itself {
                    1 => store.swap(&hurt, swap).await,
                    _ => store.swap_and_release(&hurt, swap, &lease).await,
                };
                assert_eq!(swapped.unwrap(), Swapped::Done, "{revision}");
                lease
            }
        };
        assert_eq!(store.load(&hurt).await.unwrap(), next(7), "{revision}");
        store.release(&hurt, lease).await.unwrap();
    }

    // The record itself is whole: whoever finds it gives it another number, and a login goes over it.
    let clock = Arc::new(ManualClock::new());
    let bank = Arc::new(Bank::default());
    let grant = key("grant");
    let process = || {
        TokenHandle::builder(grant.clone(), Arc::clone(&bank) as Arc<dyn Issuer>, Renewal::Refresh)
            .store(Arc::clone(&store))
            .clock(Arc::clone(&clock) as _)
            // Nobody waits for a process that may be at work with a refresh token that is good once.
            .rotation(Rotation::new(Some(false), None))
            .build()
    };
    let holds = process();
    holds.adopt(bank.reply()).await.unwrap();
    breaks(&grant, broken[0]).await;
    clock.advance(Duration::from_secs(3600));
    holds.fresh().await.unwrap();
    assert_eq!(process().load().await.unwrap().unwrap().generation, 2);
    breaks(&grant, broken[0]).await;
    let started = process();
    assert_eq!(started.load().await.unwrap().unwrap().generation, 2);
    breaks(&grant, broken[0]).await;
    started.adopt(bank.reply()).await.unwrap();
    assert!(process().load().await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_with_a_stray_key_or_a_broken_revision_loses_no_other_record() {
    let Some(address) = address("REDIS_URL") else { return };
    let prefix = format!("finrail-broken-{}", uuid::Uuid::new_v4().simple());
    let store = RedisStore::builder(&*address).prefix(&*prefix).connect().await.unwrap();
    let client = redis::Client::open(&*address).unwrap();
    let raw = client.get_multiplexed_async_connection().await.unwrap();
    let send = async |arguments: &[&str]| {
        let mut command = redis::cmd(arguments[0]);
        command.arg(&arguments[1..]);
        let _: redis::Value = command.query_async(&mut raw.clone()).await.unwrap();
    };
    let name = |id: &str| format!("{prefix}:{{{id}}}");
    // A key of another type.
    send(&["SET", &name("mx-stray"), "x"]).await;
    let other = key("beside a stray key");
    works(&store, &other).await;
    let found = walked(&store, "mx-").await;
    assert!(found[&other.storage_id()].is_ok());
    assert!(
        matches!(&found["mx-stray"], Err(StoreError::Corrupt { damage: None, .. })),
        "{found:?}"
    );
    send(&["DEL", &name("mx-stray")]).await;

    let broken = [
        "1x",
        "",
        "-5",
        "+5",
        "05",
        "18446744073709551616",
        " 5",
        "5.0",
        "99999999999999999999999",
    ];
    let breaks = async |key: &TokenKey, revision: &str| {
        send(&["HSET", &name(&key.storage_id()), "revision", revision]).await;
    };
    a_broken_revision_is_mended(Arc::new(store.clone()), &broken, breaks, &prefix).await;
    // The largest one is a revision as any other.
    let largest = Some(StoredRecord::new(u64::MAX, b"x".as_slice()));
    let swap = Swap::new(None, 0, largest.clone());
    let key = key("largest");
    assert_eq!(store.swap(&key, swap).await.unwrap(), Swapped::Done);
    assert_eq!(store.load(&key).await.unwrap(), largest);
    let removal = Swap::new(Some(u64::MAX), 0, None);
    assert_eq!(store.swap(&key, removal).await.unwrap(), Swapped::Done);
    for id in walked(&store, "").await.into_keys() {
        send(&["DEL", &name(&id)]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_with_a_broken_revision_loses_no_other_record() {
    let Some(address) = address("DATABASE_URL") else { return };
    let table = format!("finrail_broken_{}", uuid::Uuid::new_v4().simple());
    let store = PostgresStore::builder(&*address)
        .table(&*table)
        .connect()
        .await
        .unwrap();
    store.migrate().await.unwrap();
    let (client, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let breaks = async |key: &TokenKey, revision: &str| {
        let statement = format!(
            "UPDATE {table} SET revision = {revision} WHERE id = '{}'",
            key.storage_id()
        );
        client.batch_execute(&statement).await.unwrap();
    };
    let broken = ["-5", "-1", "-9223372036854775808"];
    a_broken_revision_is_mended(Arc::new(store), &broken, breaks, &table).await;
    client.batch_execute(&format!("DROP TABLE {table}")).await.unwrap();
}
