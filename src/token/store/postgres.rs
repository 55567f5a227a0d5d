//! Grants in PostgreSQL, shared by the processes of many machines.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use futures_util::future::BoxFuture;
use rustls::ClientConfig;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::Row;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::remote::{PATIENCE, TRY, Unanswered, twice};
use super::{Lease, LeaseState, Leased, Predecessor, StoreError, StoredRecord, Swap, Swapped, TokenStore};
use crate::token::TokenKey;

/// Longer than another process needs to make the table.
const MIGRATION_PATIENCE: Duration = Duration::from_secs(30);

/// Makes the table, or adds what an earlier version did not have.
///
/// [`PostgresStore::migrate`] runs it; it stands here for those whose
/// applications may not make tables. It is meant to run as a whole, in one
/// transaction: then it is safe at any time, by any number of processes.
pub const MIGRATION: &str = "
SELECT pg_advisory_xact_lock(7382919504113);
CREATE TABLE IF NOT EXISTS finrail_token (
    id           text PRIMARY KEY,
    revision     bigint,
    record       bytea,
    fence        bigint NOT NULL,
    holder       text,
    lease_until  timestamptz,
    lapsed       boolean NOT NULL DEFAULT false
);
ALTER TABLE finrail_token ADD COLUMN IF NOT EXISTS nonce text;
";

/// Whether the table is there, with its newest column.
const MIGRATED: &str = "
SELECT 1 FROM pg_attribute
WHERE attrelid = to_regclass('finrail_token') AND attname = 'nonce' AND NOT attisdropped";

const LOAD: &str = "SELECT revision, record FROM finrail_token WHERE id = $1";

/// A nonce that comes again is a question whose answer was lost, or a late copy of one that was answered: the first
/// gets its lease once more, and the second nothing.
const LEASE: &str = "
INSERT INTO finrail_token AS t (id, fence, holder, lease_until, nonce)
VALUES ($1, 1, $2, clock_timestamp() + $3 * interval '1 second', $4)
ON CONFLICT (id) DO UPDATE
SET fence = CASE WHEN t.nonce = $4 THEN t.fence ELSE t.fence + 1 END,
    lapsed = CASE WHEN t.nonce = $4 THEN t.lapsed ELSE t.holder IS NOT NULL END,
    holder = excluded.holder, lease_until = excluded.lease_until, nonce = $4
WHERE CASE WHEN t.nonce = $4 THEN t.holder IS NOT NULL
           ELSE t.holder IS NULL OR t.lease_until <= clock_timestamp() END
RETURNING fence, lapsed";

const HOLDER: &str = "
SELECT holder, greatest(extract(epoch FROM lease_until - clock_timestamp()), 0)::float8
FROM finrail_token WHERE id = $1";

const LEASE_STATE: &str = "
SELECT holder, extract(epoch FROM lease_until - clock_timestamp())::float8
FROM finrail_token WHERE id = $1 AND holder IS NOT NULL AND lease_until > clock_timestamp()";

const SWAP: &str = "
UPDATE finrail_token SET revision = $4, record = $5
WHERE id = $1 AND fence = $2 AND revision IS NOT DISTINCT FROM $3
RETURNING fence";

const FOUND: &str = "SELECT revision, record, fence FROM finrail_token WHERE id = $1";

const RELEASE: &str = "
UPDATE finrail_token SET holder = NULL, lease_until = NULL
WHERE id = $1 AND fence = $2
RETURNING fence";

/// Grants in PostgreSQL: one table, one row per grant.
///
/// Every step is one statement that needs neither a session nor a named
/// prepared statement, so that it works behind a pooler in transaction mode.
/// Time is the server's.
///
/// ```no_run
/// use finrail::token::store::PostgresStore;
///
/// # async fn example() -> Result<(), finrail::token::StoreError> {
/// let store = PostgresStore::connect("postgres://app@db.example.com/app?sslmode=require").await?;
/// store.migrate().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct PostgresStore {
    pool: Pool,
    unanswered: Unanswered,
}

impl PostgresStore {
    /// Connects with the TLS roots of the system.
    ///
    /// An address that says nothing of `sslmode` means verified TLS, except on
    /// loopback and on a socket of this machine, where it means none;
    /// `sslmode=disable` goes without anywhere.
    ///
    /// # Errors
    ///
    /// When the address is wrong or the server cannot be reached.
    pub async fn connect(address: &str) -> Result<Self, StoreError> {
        let mut config = parse(address)?;
        if config.get_ssl_mode() == SslMode::Prefer {
            config.ssl_mode(if stays_here(&config) {
                SslMode::Disable
            } else {
                SslMode::Require
            });
        }
        let mut roots = rustls::RootCertStore::empty();
        if config.get_ssl_mode() != SslMode::Disable {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        let tls = ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(|error| StoreError::unavailable("set up TLS", error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self::with(config, tls).await
    }

    /// Connects with the caller's own TLS settings, such as a private root or a client certificate.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn connect_with(address: &str, tls: ClientConfig) -> Result<Self, StoreError> {
        Self::with(parse(address)?, tls).await
    }

    async fn with(mut config: tokio_postgres::Config, tls: ClientConfig) -> Result<Self, StoreError> {
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        notice_silence(&mut config);
        let manager = Manager::from_config(
            config,
            MakeRustlsConnect::new(tls),
            ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            },
        );
        let pool = Pool::builder(manager)
            .max_size(16)
            .build()
            .map_err(|error| StoreError::unavailable("set up its connections", error))?;
        let store = Self {
            pool,
            unanswered: Unanswered::default(),
        };
        let deadline = Instant::now() + PATIENCE;
        store
            .statement("connect to postgres", deadline, "SELECT 1", &[])
            .await?;
        Ok(store)
    }

    /// Runs [`MIGRATION`], unless the table is there as it should be.
    ///
    /// To be called after an upgrade too. Where everything is in place, the
    /// role needs no right to make tables.
    ///
    /// # Errors
    ///
    /// When the role may not make tables, or the server cannot be reached.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        const ACTION: &str = "make its table in postgres";
        let deadline = Instant::now() + MIGRATION_PATIENCE;
        if self.statement(ACTION, deadline, MIGRATED, &[]).await?.is_some() {
            return Ok(());
        }
        let connection = self.connection(ACTION, deadline).await?;
        // Several statements in one message are one transaction, which ends with the message.
        let outcome = timeout_at(deadline, connection.batch_execute(MIGRATION)).await;
        self.end(ACTION, connection, outcome)
    }

    async fn statement(
        &self,
        action: &'static str,
        deadline: Instant,
        statement: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Option<Row>, StoreError> {
        let connection = self.connection(action, deadline).await?;
        let outcome = timeout_at(deadline, connection.query_typed(statement, parameters)).await;
        let rows = self.end(action, connection, outcome)?;
        Ok(rows.into_iter().next())
    }

    /// A statement that may be made twice.
    async fn twice(
        &self,
        action: &'static str,
        statement: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Option<Row>, StoreError> {
        twice(|| self.statement(action, Instant::now() + TRY, statement, parameters)).await
    }

    async fn connection(&self, action: &'static str, deadline: Instant) -> Result<Object, StoreError> {
        match timeout_at(deadline, self.pool.get()).await {
            Ok(connection) => connection.map_err(|error| StoreError::unavailable(action, error)),
            Err(late) => Err(StoreError::unavailable(action, late)),
        }
    }

    /// Ends the use of a connection. One that failed is closed, whatever the reason: a silent server, a broken session,
    /// a server that became a replica. Those that nobody uses are closed with it, because they may be no better.
    fn end<T>(
        &self,
        action: &'static str,
        connection: Object,
        outcome: Result<Result<T, tokio_postgres::Error>, Elapsed>,
    ) -> Result<T, StoreError> {
        let error = match outcome {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => StoreError::unavailable(action, error),
            Err(late) => StoreError::unavailable(action, late),
        };
        drop(Object::take(connection));
        self.pool.retain(|_, _| false);
        Err(error)
    }

    async fn ask(&self, id: &str, holder: &str, ttl: Duration, nonce: String) -> Result<Leased, StoreError> {
        const ACTION: &str = "lease in postgres";
        let deadline = Instant::now() + TRY;
        let seconds = ttl.as_secs_f64();
        let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
            (&id, Type::TEXT),
            (&holder, Type::TEXT),
            (&seconds, Type::FLOAT8),
            (&nonce, Type::TEXT),
        ];
        if let Some(granted) = self.statement(ACTION, deadline, LEASE, &parameters).await? {
            let lease = Lease::new(unsigned(get(&granted, 0)?)?);
            return Ok(Leased::Granted(match get(&granted, 1)? {
                true => lease.predecessor(Predecessor::Lapsed),
                false => lease,
            }));
        }
        let held = self.statement(ACTION, deadline, HOLDER, &[(&id, Type::TEXT)]).await?;
        let (by, left) = match &held {
            Some(row) => (get::<Option<String>>(row, 0)?, get::<Option<f64>>(row, 1)?),
            None => (None, None),
        };
        Ok(Leased::Held {
            by: by.unwrap_or_else(|| "another process".to_owned()),
            for_at_most: Some(Duration::try_from_secs_f64(left.unwrap_or(0.0)).unwrap_or_default()),
        })
    }
}

/// A peer that is gone without a word is noticed before the next call needs the connection. What the address says of it
/// stays as it is.
fn notice_silence(config: &mut tokio_postgres::Config) {
    /// What tokio-postgres has when the address says nothing.
    const UNSET: Duration = Duration::from_secs(2 * 60 * 60);
    if config.get_keepalives_idle() == UNSET {
        config.keepalives_idle(Duration::from_secs(15));
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(Duration::from_secs(5));
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(3);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(PATIENCE * 2);
    }
}

fn parse(address: &str) -> Result<tokio_postgres::Config, StoreError> {
    address
        .parse()
        .map_err(|error: tokio_postgres::Error| StoreError::unavailable("read its address", error))
}

/// Whether nothing leaves this machine.
fn stays_here(config: &tokio_postgres::Config) -> bool {
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => ["127.0.0.1", "::1", "localhost"].contains(&name.as_str()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    })
}

/// A column of a row that a statement of this file has made.
fn get<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, StoreError> {
    row.try_get(column).map_err(StoreError::corrupt)
}

fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(StoreError::corrupt)
}

fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(StoreError::corrupt)
}

/// `revision` and `record` as the first two columns.
fn record(row: &Row) -> Result<Option<StoredRecord>, StoreError> {
    match (get::<Option<i64>>(row, 0)?, get::<Option<&[u8]>>(row, 1)?) {
        (Some(revision), Some(bytes)) => Ok(Some(StoredRecord::new(unsigned(revision)?, bytes))),
        _ => Ok(None),
    }
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl TokenStore for PostgresStore {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        Box::pin(async move {
            let id = key.storage_id();
            let row = self.twice("read from postgres", LOAD, &[(&id, Type::TEXT)]).await?;
            row.as_ref().map_or(Ok(None), record)
        })
    }

    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(async move {
            const ACTION: &str = "write to postgres";
            let deadline = Instant::now() + PATIENCE;
            let id = key.storage_id();
            let fence = signed(swap.fence)?;
            let expected = swap.expected.map(signed).transpose()?;
            let revision = swap.next.as_ref().map(|next| signed(next.revision)).transpose()?;
            let bytes = swap.next.as_ref().map(|next| &*next.bytes);
            let parameters: [(&(dyn ToSql + Sync), Type); 5] = [
                (&id, Type::TEXT),
                (&fence, Type::INT8),
                (&expected, Type::INT8),
                (&revision, Type::INT8),
                (&bytes, Type::BYTEA),
            ];
            // Not twice: whoever writes has to know whether an earlier try was made.
            if self.statement(ACTION, deadline, SWAP, &parameters).await?.is_some() {
                return Ok(Swapped::Done);
            }
            let found = self.statement(ACTION, deadline, FOUND, &[(&id, Type::TEXT)]).await?;
            let Some(found) = found else { return Ok(Swapped::Fenced) };
            if get::<i64>(&found, 2)? == fence {
                Ok(Swapped::Conflict(record(&found)?))
            } else {
                Ok(Swapped::Fenced)
            }
        })
    }

    fn lease<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Leased, StoreError>> {
        Box::pin(async move {
            let id = key.storage_id();
            let question = self.unanswered.question(&id, holder, ttl);
            question.ask(|nonce| self.ask(&id, holder, ttl, nonce)).await
        })
    }

    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let id = key.storage_id();
            let fence = signed(lease.fence)?;
            let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&id, Type::TEXT), (&fence, Type::INT8)];
            self.twice("release in postgres", RELEASE, &parameters).await.map(drop)
        })
    }

    fn lease_state<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<LeaseState, StoreError>> {
        Box::pin(async move {
            let id = key.storage_id();
            let held = self
                .twice("read the lease in postgres", LEASE_STATE, &[(&id, Type::TEXT)])
                .await?;
            let Some(held) = held else { return Ok(LeaseState::Free) };
            Ok(LeaseState::Held {
                by: get(&held, 0)?,
                for_at_most: Some(Duration::try_from_secs_f64(get(&held, 1)?).unwrap_or_default()),
            })
        })
    }
}
