//! What a refresh costs a store: one look and two writes, each of them one step of the server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(any(feature = "redis", feature = "postgres"))]
mod server_support;
mod token_support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use finrail::token::store::{Lease, Leased, LeasedSwap, MemoryStore, StoredRecord, Swap, Swapped};
use finrail::token::{
    GrantKind, Issuer, ManualClock, Rejection, Renewal, StoreError, TokenHandle, TokenKey, TokenStore,
};
use futures_util::future::BoxFuture;
use token_support::*;

/// A store that writes down what it is asked for.
struct Counting(MemoryStore, Mutex<Vec<&'static str>>);

impl Counting {
    fn note(&self, what: &'static str) {
        self.1.lock().unwrap().push(what);
    }

    fn asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.1.lock().unwrap())
    }
}

impl TokenStore for Counting {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        self.note("load");
        self.0.load(key)
    }
    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        self.note("swap");
        self.0.swap(key, swap)
    }
    fn lease<'a>(&'a self, key: &'a TokenKey, by: &'a str, ttl: Duration) -> BoxFuture<'a, Result<Leased, StoreError>> {
        self.note("lease");
        self.0.lease(key, by, ttl)
    }
    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.note("release");
        self.0.release(key, lease)
    }
    fn lease_and_swap<'a>(
        &'a self,
        key: &'a TokenKey,
        by: &'a str,
        ttl: Duration,
        swap: Swap,
    ) -> BoxFuture<'a, Result<LeasedSwap, StoreError>> {
        self.note("lease and swap");
        self.0.lease_and_swap(key, by, ttl, swap)
    }
    fn swap_and_release<'a>(
        &'a self,
        key: &'a TokenKey,
        swap: Swap,
        lease: &'a Lease,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        self.note("swap and release");
        self.0.swap_and_release(key, swap, lease)
    }
    fn renews_leases(&self) -> bool {
        true
    }
}

/// A process with a user's grant, and its clock.
fn process(store: Arc<dyn TokenStore>, key: TokenKey, bank: &Arc<Bank>) -> (TokenHandle, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    let handle = TokenHandle::builder(key, Arc::clone(bank) as Arc<dyn Issuer>, Renewal::Refresh)
        .store(store)
        .rotation(ROTATING)
        .clock(Arc::clone(&clock) as _)
        .build();
    (handle, clock)
}

#[tokio::test]
async fn a_refresh_is_one_look_and_two_writes() {
    let store = Arc::new(Counting(MemoryStore::new(), Mutex::default()));
    let bank = Bank::new(STRICT);
    let (handle, clock) = process(Arc::clone(&store) as _, user_key(), &bank);
    handle.adopt(bank.login()).await.unwrap();
    for _ in 0..3 {
        store.asked();
        clock.advance(HOUR);
        handle.fresh().await.unwrap();
        assert_eq!(store.asked(), ["load", "lease and swap", "swap and release"]);
    }
    // After a 401 too.
    let bearer = handle.fresh().await.unwrap();
    handle
        .rejected(bearer.generation, Rejection::InvalidToken)
        .await
        .unwrap();
    assert_eq!(store.asked(), ["load", "lease and swap", "swap and release"]);
    // Somebody else was faster between the look and the lease: what they stored is taken, and nothing is sent.
    let sent = bank.requests();
    let (sibling, siblings_clock) = process(Arc::clone(&store) as _, user_key(), &bank);
    siblings_clock.advance(HOUR * 4);
    sibling.fresh().await.unwrap();
    clock.advance(HOUR);
    handle.fresh().await.unwrap();
    assert_eq!(bank.requests(), sent + 1);
}

#[tokio::test]
async fn a_token_by_client_credentials_is_two_looks_and_two_writes() {
    let store = Arc::new(Counting(MemoryStore::new(), Mutex::default()));
    let bank = Bank::new(STRICT);
    let key = TokenKey::new("ofx", "client-1", GrantKind::ClientCredentials);
    let handle = TokenHandle::builder(key, Arc::clone(&bank) as Arc<dyn Issuer>, Renewal::Anew)
        .store(Arc::clone(&store) as _)
        .build();
    handle.fresh().await.unwrap();
    assert_eq!(store.asked(), ["load", "lease", "load", "swap and release"]);
}

/// PostgreSQL counts its own transactions: a trigger writes down each one that changes the table.
#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_makes_two_commits_a_refresh() {
    use finrail::token::store::PostgresStore;

    let Some(address) = server_support::address("DATABASE_URL") else {
        return;
    };
    let table = format!("writes_{}", uuid::Uuid::new_v4().simple());
    let store = PostgresStore::builder(&address).table(&table).connect().await.unwrap();
    store.migrate().await.unwrap();
    let (client, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let trigger = format!(
        "CREATE TABLE {table}_log (transaction bigint);
         CREATE FUNCTION {table}_note() RETURNS trigger AS $$
         BEGIN INSERT INTO {table}_log VALUES (txid_current()); RETURN NULL; END $$ LANGUAGE plpgsql;
         CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON {table}
         FOR EACH ROW EXECUTE FUNCTION {table}_note();"
    );
    client.batch_execute(&trigger).await.unwrap();
    let transactions = async || {
        let counted = format!(
            "WITH gone AS (DELETE FROM {table}_log RETURNING transaction) SELECT count(DISTINCT transaction) FROM gone"
        );
        let row = client.query_one(&counted, &[]).await.unwrap();
        row.get::<_, i64>(0)
    };
    let bank = Bank::new(STRICT);
    let (handle, clock) = process(Arc::new(store), user_key(), &bank);
    handle.adopt(bank.login()).await.unwrap();
    transactions().await;
    for _ in 0..3 {
        clock.advance(HOUR);
        handle.fresh().await.unwrap();
        assert_eq!(transactions().await, 2);
    }
    let away = format!("DROP TABLE {table}; DROP TABLE {table}_log; DROP FUNCTION {table}_note");
    client.batch_execute(&away).await.unwrap();
}

/// Redis shows every command that it is sent.
#[cfg(feature = "redis")]
#[tokio::test]
async fn redis_runs_two_scripts_a_refresh() {
    use finrail::token::store::RedisStore;
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

    let Some(address) = server_support::address("REDIS_URL") else {
        return;
    };
    let prefix = format!("writes-{}", uuid::Uuid::new_v4().simple());
    let store = RedisStore::builder(&address).prefix(&prefix).connect().await.unwrap();
    let url = url::Url::parse(&address).unwrap();
    let server = (url.host_str().unwrap().to_owned(), url.port().unwrap_or(6379));
    let mut monitor = BufReader::new(tokio::net::TcpStream::connect(server.clone()).await.unwrap());
    monitor.write_all(b"MONITOR\r\n").await.unwrap();
    let mut asks = BufReader::new(tokio::net::TcpStream::connect(server).await.unwrap());
    // Answered: the server has it before whatever is sent next.
    let mut mark = async |what: &str| {
        let (mut length, mut text) = (String::new(), String::new());
        asks.write_all(format!("ECHO {prefix}-{what}\r\n").as_bytes())
            .await
            .unwrap();
        asks.read_line(&mut length).await.unwrap();
        asks.read_line(&mut text).await.unwrap();
        assert!(text.contains(what), "{length}{text}");
    };
    let bank = Bank::new(STRICT);
    let (handle, clock) = process(Arc::new(store), user_key(), &bank);
    handle.adopt(bank.login()).await.unwrap();
    // The first one loads the scripts.
    clock.advance(HOUR);
    handle.fresh().await.unwrap();
    mark("begin").await;
    clock.advance(HOUR);
    handle.fresh().await.unwrap();
    mark("end").await;
    let (mut line, mut begun, mut sent) = (String::new(), false, Vec::new());
    loop {
        line.clear();
        assert!(monitor.read_line(&mut line).await.unwrap() > 0);
        let line = line.to_ascii_lowercase();
        if line.contains(&format!("{prefix}-end")) {
            break;
        }
        begun |= line.contains(&format!("{prefix}-begin"));
        // What a script does is shown too, as the server's own.
        let of_client = begun && line.contains(&format!("{prefix}:")) && !line.contains(" lua]");
        if of_client {
            let command = ["evalsha", "hmget"]
                .into_iter()
                .find(|name| line.contains(&format!("\"{name}\"")));
            sent.push(command.unwrap_or("another").to_owned());
        }
    }
    assert_eq!(sent, ["hmget", "evalsha", "evalsha"]);
}
