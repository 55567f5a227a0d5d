//! Grants in PostgreSQL, shared by the processes of many machines.

mod address;

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use futures_util::future::BoxFuture;
use rustls::ClientConfig;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres_rustls::MakeRustlsConnect;

use self::address::{notice_silence, parse, place_of};
use super::listing::AT_ONCE;
use super::remote::{PATIENCE, TRY, Unanswered, twice};
use super::{
    Admission, Lease, LeaseState, Leased, LeasedSwap, Listed, ListedRecord, Predecessor, StoreError, StoredRecord,
    Swap, Swapped, TokenStore, in_two_steps,
};
use crate::token::TokenKey;

/// Longer than another process needs to make the table.
const MIGRATION_PATIENCE: Duration = Duration::from_secs(30);

/// The table, where nothing else is said.
const TABLE: &str = "finrail_token";
/// Connections, where nothing else is said.
const CONNECTIONS: usize = 16;

/// Makes the table, or adds what an earlier version did not have.
///
/// [`PostgresStore::migrate`] runs it; it stands here for those whose
/// applications may not make tables, and is for the table of the name that nobody chose:
/// [`PostgresStore::migration`] is the same for any. It is meant to run as a whole, in one
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
WHERE attrelid = to_regclass($1) AND attname = 'nonce' AND NOT attisdropped";

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

/// The lease and the first write under it. As for `LEASE`, a nonce that comes again gets the lease that it got.
const LEASE_AND_SWAP: &str = "
UPDATE finrail_token AS t
SET fence = CASE WHEN t.nonce = $4 THEN t.fence ELSE t.fence + 1 END,
    lapsed = CASE WHEN t.nonce = $4 THEN t.lapsed ELSE t.holder IS NOT NULL END,
    holder = $2, lease_until = clock_timestamp() + $3 * interval '1 second', nonce = $4,
    revision = $6, record = $7
WHERE id = $1
  AND CASE WHEN t.nonce = $4 THEN t.holder IS NOT NULL
           ELSE t.holder IS NULL OR t.lease_until <= clock_timestamp() END
  AND (revision = $5 OR (t.nonce = $4 AND revision = $6 AND record = $7))
RETURNING fence, lapsed";

const HOLDER: &str = "
SELECT holder, greatest(extract(epoch FROM lease_until - clock_timestamp()), 0)::float8
FROM finrail_token WHERE id = $1";

const LEASE_STATE: &str = "
SELECT holder, extract(epoch FROM lease_until - clock_timestamp())::float8
FROM finrail_token WHERE id = $1 AND holder IS NOT NULL AND lease_until > clock_timestamp()";

/// A write that is asked for again, because its answer was lost, is made again: then it is as safe as if it had been
/// answered the first time. A revision that nobody writes, below zero, is that of no record. `RETURNING` runs in the
/// transaction of the write, before it ends.
const SWAP: &str = "
UPDATE finrail_token SET revision = $4, record = $5
WHERE id = $1 AND fence = $2 AND (CASE WHEN revision >= 0 THEN revision END IS NOT DISTINCT FROM $3 OR (revision = $4 AND record = $5))
RETURNING fence";

/// The last write under a lease, and the end of that lease. A write that is there already was made by an earlier copy of
/// the question, and somebody else may have the lease since.
const SWAP_AND_RELEASE: &str = "
UPDATE finrail_token SET revision = $4, record = $5,
    holder = CASE WHEN fence = $2 THEN NULL ELSE holder END,
    lease_until = CASE WHEN fence = $2 THEN NULL ELSE lease_until END
WHERE id = $1 AND ((fence = $2 AND CASE WHEN revision >= 0 THEN revision END IS NOT DISTINCT FROM $3) OR (revision = $4 AND record = $5))
RETURNING fence";

const LIST: &str = "
SELECT revision, record, id FROM finrail_token
WHERE id > $2 AND left(id, length($1)) = $1 AND record IS NOT NULL
ORDER BY id LIMIT $3";

const REMOVE: &str = "
DELETE FROM finrail_token
WHERE id = $1 AND revision = $2 AND (holder IS NULL OR lease_until <= clock_timestamp())
RETURNING fence";

const REPLACE: &str = "
UPDATE finrail_token SET revision = $3, record = $4
WHERE id = $1 AND revision = $2 AND (holder IS NULL OR lease_until <= clock_timestamp())
RETURNING fence";

const FOUND: &str = "SELECT revision, record, fence FROM finrail_token WHERE id = $1";

/// Of a lease that nobody has taken over and its holder has not given back.
const RENEW: &str = "
UPDATE finrail_token SET lease_until = clock_timestamp() + $3 * interval '1 second'
WHERE id = $1 AND fence = $2 AND holder IS NOT NULL
RETURNING fence";

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
///
/// # What a failover can cost
///
/// A write is as durable as the server makes it. With `synchronous_commit = off` a crash of the server loses the writes
/// of its last moments; with the usual `on` and a standby that replicates asynchronously, so does a failover to that
/// standby. What is lost is the newest refresh token of every grant that was refreshed in these moments, with rotation
/// the only one that works: a process that still holds it puts it back, and where none does, the user has to authorize
/// again. Nothing is lost with `synchronous_standby_names` set on the server and `synchronous_commit` at `on` or
/// `remote_apply`, there or [for the writes of this store](PostgresStoreBuilder::synchronous_commit). Whoever promotes
/// a standby must promote one that is synchronous. The old server should not come back with what it had: a login that was
/// made in between is put back by a process that holds it, where clocks tell that it is the later one (by more than a
/// minute); otherwise it is dropped for the login that the old server has, and its tokens live on at the provider until
/// they end there.
#[derive(Clone)]
pub struct PostgresStore {
    pool: Pool,
    /// One permit for each connection of the pool.
    slots: Arc<Semaphore>,
    admission: Admission,
    statements: Arc<Statements>,
    unanswered: Unanswered,
    place: Arc<str>,
}

/// The statements over one table.
struct Statements {
    /// As it stands in a statement.
    table: String,
    load: String,
    lease: String,
    holder: String,
    lease_state: String,
    lease_and_swap: String,
    swap: String,
    swap_and_release: String,
    list: String,
    remove: String,
    replace: String,
    found: String,
    release: String,
    renew: String,
}

/// When a write counts as made: PostgreSQL's `synchronous_commit`, without `off`.
///
/// What lies beyond `Local` waits for the standbys that `synchronous_standby_names` names on the server, and for nobody
/// where it names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SynchronousCommit {
    /// The server has it on its disk.
    Local,
    /// A standby has it in its memory too.
    RemoteWrite,
    /// A standby has it on its disk too.
    On,
    /// A standby shows it to those who read there.
    RemoteApply,
}

impl SynchronousCommit {
    fn as_setting(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::RemoteWrite => "remote_write",
            Self::On => "on",
            Self::RemoteApply => "remote_apply",
        }
    }
}

/// Sets up a [`PostgresStore`].
///
/// ```no_run
/// use finrail::token::store::{PostgresStore, SynchronousCommit};
///
/// # async fn example() -> Result<(), finrail::token::StoreError> {
/// let store = PostgresStore::builder("postgres://app@db.example.com/app?sslmode=require")
///     .connections(32)
///     .schema("banking")
///     .synchronous_commit(SynchronousCommit::On)
///     .connect()
///     .await?;
/// # Ok(()) }
/// ```
#[must_use]
pub struct PostgresStoreBuilder {
    address: String,
    tls: Option<ClientConfig>,
    connections: usize,
    schema: Option<String>,
    table: String,
    synchronous_commit: Option<SynchronousCommit>,
}

impl PostgresStoreBuilder {
    /// The caller's own TLS settings, such as a private root or a client certificate: what
    /// [`connect_with`](PostgresStore::connect_with) says of them.
    pub fn tls(mut self, tls: ClientConfig) -> Self {
        self.tls = Some(tls);
        self
    }

    /// How many connections are open at most; 16 by default, one at least, ten thousand at most. So many steps of refreshes are taken at
    /// once, the others [wait for their turn](Admission).
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.clamp(1, 10_000);
        self
    }

    /// The schema of the table, which has to be there. By default the first one of the role's `search_path`.
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// The name of the table; `finrail_token` by default.
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.table = table.into();
        self
    }

    /// When a write of a record counts as made. By default as the server's `synchronous_commit` says, which may be
    /// less than a consent is worth: see [`PostgresStore`]. It holds for these writes alone, behind a pooler too.
    pub fn synchronous_commit(mut self, when: SynchronousCommit) -> Self {
        self.synchronous_commit = Some(when);
        self
    }

    /// Connects. Without TLS settings of the caller's own, as [`PostgresStore::connect`] does.
    ///
    /// # Errors
    ///
    /// When the address or a name is wrong, or the server cannot be reached.
    pub async fn connect(self) -> Result<PostgresStore, StoreError> {
        let mut config = parse(&self.address)?;
        let tls = address::tls(&mut config, self.tls)?;
        let table = match &self.schema {
            Some(schema) => format!("{}.{}", quoted(schema)?, quoted(&self.table)?),
            None => quoted(&self.table)?,
        };
        PostgresStore::with(
            config,
            tls,
            self.connections,
            Statements::over(table, self.synchronous_commit),
        )
        .await
    }
}

impl std::fmt::Debug for PostgresStoreBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address may hold a password.
        f.debug_struct("PostgresStoreBuilder")
            .field("connections", &self.connections)
            .field("schema", &self.schema)
            .field("table", &self.table)
            .field("synchronous_commit", &self.synchronous_commit)
            .finish_non_exhaustive()
    }
}

/// A name as an identifier of a statement.
fn quoted(name: &str) -> Result<String, StoreError> {
    /// PostgreSQL cuts longer names off, and then two of them may be the same.
    const LONGEST: usize = 63;

    if name.is_empty() || name.len() > LONGEST || name.contains('\0') {
        let reason = "the name of a schema or table is empty, longer than 63 bytes, or has a zero byte in it";
        return Err(StoreError::unavailable("name its table", reason));
    }
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}

impl Statements {
    fn over(table: String, synchronous_commit: Option<SynchronousCommit>) -> Self {
        let of = |statement: &str| statement.replace(TABLE, &table);
        // Of a write of a record.
        let durable = |statement: &str| match synchronous_commit {
            None => of(statement),
            Some(when) => format!(
                "{}, set_config('synchronous_commit', '{}', true)",
                of(statement),
                when.as_setting()
            ),
        };
        Self {
            load: of(LOAD),
            lease: of(LEASE),
            holder: of(HOLDER),
            lease_state: of(LEASE_STATE),
            lease_and_swap: durable(LEASE_AND_SWAP),
            swap: durable(SWAP),
            swap_and_release: durable(SWAP_AND_RELEASE),
            list: of(LIST),
            remove: durable(REMOVE),
            replace: durable(REPLACE),
            found: of(FOUND),
            release: of(RELEASE),
            renew: of(RENEW),
            table,
        }
    }
}

/// A connection of the pool is there for whoever has this, and the time for what is done with it runs.
struct Slot<'a> {
    store: &'a PostgresStore,
    action: &'static str,
    deadline: Instant,
    _permit: OwnedSemaphorePermit,
}

/// What came of a statement.
enum Answer<T> {
    Done(T),
    /// The server refused it, or the connection broke.
    Failed(tokio_postgres::Error),
    /// Nothing, in the time that it had.
    Late,
}

impl<T> Answer<T> {
    /// Waits for it until then.
    async fn by(deadline: Instant, statement: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Self {
        match timeout_at(deadline, statement).await {
            Ok(Ok(done)) => Self::Done(done),
            Ok(Err(error)) => Self::Failed(error),
            Err(_) => Self::Late,
        }
    }
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
        Self::builder(address).connect().await
    }

    /// Connects with the caller's own TLS settings, such as a private root or a client certificate.
    ///
    /// An address that says nothing of `sslmode` means TLS then, on loopback
    /// too: a server without it is an error, and is told neither user nor
    /// password. On a socket of this machine PostgreSQL has none.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect), and when the address says `sslmode=disable`.
    pub async fn connect_with(address: &str, tls: ClientConfig) -> Result<Self, StoreError> {
        Self::builder(address).tls(tls).connect().await
    }

    /// A store with settings of its own: connections, schema, table, durability, TLS.
    pub fn builder(address: impl Into<String>) -> PostgresStoreBuilder {
        PostgresStoreBuilder {
            address: address.into(),
            tls: None,
            connections: CONNECTIONS,
            schema: None,
            table: TABLE.to_owned(),
            synchronous_commit: None,
        }
    }

    async fn with(
        mut config: tokio_postgres::Config,
        tls: ClientConfig,
        connections: usize,
        statements: Statements,
    ) -> Result<Self, StoreError> {
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        notice_silence(&mut config);
        let place: Arc<str> = place_of(&config, &statements.table).into();
        let manager = Manager::from_config(
            config,
            MakeRustlsConnect::new(tls),
            ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            },
        );
        let placed = |error: StoreError| error.at(Arc::clone(&place));
        let pool = Pool::builder(manager)
            .max_size(connections)
            .build()
            .map_err(|error| placed(StoreError::unavailable("set up its connections", error)))?;
        let store = Self {
            pool,
            slots: Arc::new(Semaphore::new(connections)),
            admission: Admission::at_once(connections),
            statements: Arc::new(statements),
            unanswered: Unanswered::default(),
            place,
        };
        let reached = store.placed(async {
            let slot = store.slot("connect to postgres", PATIENCE).await?;
            slot.statement("SELECT 1", &[]).await
        });
        reached.await?;
        Ok(store)
    }

    /// Errors of this work name the server, the database and the table.
    async fn placed<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        work.await.map_err(|error| error.at(Arc::clone(&self.place)))
    }

    /// [`MIGRATION`] for the table of this store, for those whose applications may not make tables.
    #[must_use]
    pub fn migration(&self) -> String {
        MIGRATION.replace(TABLE, &self.statements.table)
    }

    /// Runs [`MIGRATION`], unless the table is there as it should be.
    ///
    /// To be called after an upgrade too. Where everything is in place, the
    /// role needs no right to make tables. It always needs `SELECT`, `INSERT`,
    /// `UPDATE` and `DELETE` on the table; without `DELETE`, what is over stays.
    ///
    /// # Errors
    ///
    /// When the role may not make tables, or the server cannot be reached.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.placed(self.migrate_now()).await
    }

    async fn migrate_now(&self) -> Result<(), StoreError> {
        let slot = self.slot("make its table in postgres", MIGRATION_PATIENCE).await?;
        let table = (&self.statements.table as &(dyn ToSql + Sync), Type::TEXT);
        if slot.statement(MIGRATED, &[table]).await?.is_some() {
            return Ok(());
        }
        let connection = slot.connection().await?;
        // Several statements in one message are one transaction, which ends with the message.
        let answer = Answer::by(slot.deadline, connection.batch_execute(&self.migration())).await;
        self.end(slot.action, connection, answer)
    }

    /// Waits for a connection to be free. The time for what is done with it begins only then.
    async fn slot(&self, action: &'static str, patience: Duration) -> Result<Slot<'_>, StoreError> {
        #[derive(Debug, thiserror::Error)]
        #[error("no connection of the pool was free within {} s; give the store more connections", PATIENCE.as_secs())]
        struct NoneFree;

        let free = tokio::time::timeout(PATIENCE, Arc::clone(&self.slots).acquire_owned()).await;
        let Ok(Ok(permit)) = free else {
            return Err(StoreError::unavailable(action, NoneFree));
        };
        Ok(Slot {
            store: self,
            action,
            deadline: Instant::now() + patience,
            _permit: permit,
        })
    }

    /// A statement that may be made twice.
    async fn twice(
        &self,
        action: &'static str,
        statement: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Option<Row>, StoreError> {
        twice(|| async { self.slot(action, TRY).await?.statement(statement, parameters).await }).await
    }

    /// Ends the use of a connection. One that failed is closed, whatever the reason: a silent server, a broken session,
    /// a server that became a replica. Those that nobody uses are closed with it, because they may be no better.
    fn end<T>(&self, action: &'static str, connection: Object, answer: Answer<T>) -> Result<T, StoreError> {
        let error = match answer {
            Answer::Done(done) => return Ok(done),
            Answer::Failed(error) => StoreError::unavailable(action, told(error)),
            Answer::Late => StoreError::unavailable(action, Late),
        };
        drop(Object::take(connection));
        self.pool.retain(|_, _| false);
        Err(error)
    }

    async fn ask(&self, id: &str, holder: &str, ttl: Duration, nonce: String) -> Result<Leased, StoreError> {
        let slot = self.slot("lease in postgres", TRY).await?;
        let seconds = ttl.as_secs_f64();
        let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
            (&id, Type::TEXT),
            (&holder, Type::TEXT),
            (&seconds, Type::FLOAT8),
            (&nonce, Type::TEXT),
        ];
        if let Some(granted) = slot.statement(&self.statements.lease, &parameters).await? {
            return Ok(Leased::Granted(granted_lease(&granted)?));
        }
        let (by, for_at_most) = slot.holder(id).await?;
        Ok(Leased::Held { by, for_at_most })
    }

    async fn ask_and_swap(
        &self,
        id: &str,
        holder: &str,
        ttl: Duration,
        swap: &Swap,
        nonce: String,
    ) -> Result<LeasedSwap, StoreError> {
        let slot = self.slot("lease in postgres", TRY).await?;
        let seconds = ttl.as_secs_f64();
        let change = Change::of(swap)?;
        let parameters: [(&(dyn ToSql + Sync), Type); 7] = [
            (&id, Type::TEXT),
            (&holder, Type::TEXT),
            (&seconds, Type::FLOAT8),
            (&nonce, Type::TEXT),
            (&change.expected, Type::INT8),
            (&change.revision, Type::INT8),
            (&change.bytes, Type::BYTEA),
        ];
        if let Some(granted) = slot.statement(&self.statements.lease_and_swap, &parameters).await? {
            return Ok(LeasedSwap::Done(granted_lease(&granted)?));
        }
        let found = slot.statement(&self.statements.found, &[(&id, Type::TEXT)]).await?;
        let stored = found.as_ref().map_or(Ok(None), expected_record)?;
        if stored.as_ref().map(|stored| stored.revision) != swap.expected {
            return Ok(LeasedSwap::Conflict(stored));
        }
        let (by, for_at_most) = slot.holder(id).await?;
        Ok(LeasedSwap::Held { by, for_at_most })
    }

    async fn swap_with(&self, statement: &str, key: &TokenKey, swap: &Swap) -> Result<Swapped, StoreError> {
        let id = key.storage_id();
        let fence = signed(swap.fence)?;
        let change = Change::of(swap)?;
        let parameters: [(&(dyn ToSql + Sync), Type); 5] = [
            (&id, Type::TEXT),
            (&fence, Type::INT8),
            (&change.expected, Type::INT8),
            (&change.revision, Type::INT8),
            (&change.bytes, Type::BYTEA),
        ];
        let slot = self.slot("write to postgres", PATIENCE).await?;
        // Not twice: whoever writes has to know whether an earlier try was made.
        if slot.statement(statement, &parameters).await?.is_some() {
            return Ok(Swapped::Done);
        }
        let found = slot.statement(&self.statements.found, &[(&id, Type::TEXT)]).await?;
        let Some(found) = found else { return Ok(Swapped::Fenced) };
        if get::<i64>(&found, 2)? == fence {
            Ok(Swapped::Conflict(expected_record(&found)?))
        } else {
            Ok(Swapped::Fenced)
        }
    }

    async fn list_now(&self, ids: &str, after: Option<&str>) -> Result<Listed, StoreError> {
        let after = after.unwrap_or("");
        // One more than is given: it tells that there are more.
        let limit = i64::try_from(AT_ONCE).map_err(StoreError::corrupt)? + 1;
        let parameters: [(&(dyn ToSql + Sync), Type); 3] =
            [(&ids, Type::TEXT), (&after, Type::TEXT), (&limit, Type::INT8)];
        let rows = twice(|| async {
            let slot = self.slot("list the records in postgres", TRY).await?;
            slot.rows(&self.statements.list, &parameters).await
        });
        let rows = rows.await?;
        let mut records = Vec::with_capacity(rows.len().min(AT_ONCE));
        for row in rows.iter().take(AT_ONCE) {
            let id: String = get(row, 2)?;
            if let Some(record) = record(row).transpose() {
                let placed = record.map_err(|error| error.at(Arc::clone(&self.place)));
                records.push(ListedRecord::new(id, placed));
            }
        }
        let next = match rows.get(AT_ONCE) {
            Some(_) => Some(get(&rows[AT_ONCE - 1], 2)?),
            None => None,
        };
        Ok(Listed::new(records, next))
    }
}

/// A swap as a statement has it.
struct Change<'a> {
    expected: Option<i64>,
    revision: Option<i64>,
    bytes: Option<&'a [u8]>,
}

impl<'a> Change<'a> {
    fn of(swap: &'a Swap) -> Result<Self, StoreError> {
        Ok(Self {
            expected: swap.expected.map(signed).transpose()?,
            revision: swap.next.as_ref().map(|next| signed(next.revision)).transpose()?,
            bytes: swap.next.as_ref().map(|next| &*next.bytes),
        })
    }
}

/// `fence` and `lapsed` as the first two columns.
fn granted_lease(row: &Row) -> Result<Lease, StoreError> {
    let lease = Lease::new(unsigned(get(row, 0)?)?);
    Ok(match get(row, 1)? {
        true => lease.predecessor(Predecessor::Lapsed),
        false => lease,
    })
}

impl Slot<'_> {
    async fn connection(&self) -> Result<Object, StoreError> {
        match timeout_at(self.deadline, self.store.pool.get()).await {
            Ok(connection) => connection.map_err(|error| StoreError::unavailable(self.action, error)),
            Err(_) => Err(StoreError::unavailable(self.action, Late)),
        }
    }

    async fn statement(
        &self,
        statement: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(statement, parameters).await?.into_iter().next())
    }

    async fn rows(&self, statement: &str, parameters: &[(&(dyn ToSql + Sync), Type)]) -> Result<Vec<Row>, StoreError> {
        let connection = self.connection().await?;
        let answer = Answer::by(self.deadline, connection.query_typed(statement, parameters)).await;
        self.store.end(self.action, connection, answer)
    }

    /// Who has the lease, and for how long at most.
    async fn holder(&self, id: &str) -> Result<(String, Option<Duration>), StoreError> {
        let statement = &self.store.statements.holder;
        let held = self.statement(statement, &[(&id, Type::TEXT)]).await?;
        let (by, left) = match &held {
            Some(row) => (get::<Option<String>>(row, 0)?, get::<Option<f64>>(row, 1)?),
            None => (None, None),
        };
        Ok((
            by.unwrap_or_else(|| "another process".to_owned()),
            Some(Duration::try_from_secs_f64(left.unwrap_or(0.0)).unwrap_or_default()),
        ))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("no answer came in time")]
struct Late;

/// What the server says of a statement, without its detail: that may quote a row, and a row holds tokens.
#[derive(Debug, thiserror::Error)]
#[error("the server answered {severity} {code}: {message}")]
struct ServerSays {
    severity: String,
    code: String,
    message: String,
}

fn told(error: tokio_postgres::Error) -> Box<dyn std::error::Error + Send + Sync> {
    match error.as_db_error() {
        Some(said) => Box::new(ServerSays {
            severity: said.severity().to_owned(),
            code: said.code().code().to_owned(),
            message: said.message().to_owned(),
        }),
        None => Box::new(error),
    }
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
        (Some(revision), Some(bytes)) => match u64::try_from(revision) {
            Ok(revision) => Ok(Some(StoredRecord::new(revision, bytes))),
            // It is negative, and the error says no more.
            Err(_) => Err(StoreError::without_revision(bytes.into())),
        },
        _ => Ok(None),
    }
}

/// The record as a swap expects it: one whose revision is damaged is none.
fn expected_record(row: &Row) -> Result<Option<StoredRecord>, StoreError> {
    match record(row) {
        Err(error) if error.damage().is_some() => Ok(None),
        record => record,
    }
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl TokenStore for PostgresStore {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        Box::pin(self.placed(async move {
            let id = key.storage_id();
            let row = self
                .twice("read from postgres", &self.statements.load, &[(&id, Type::TEXT)])
                .await?;
            row.as_ref().map_or(Ok(None), record)
        }))
    }

    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(self.placed(async move { self.swap_with(&self.statements.swap, key, &swap).await }))
    }

    fn swap_and_release<'a>(
        &'a self,
        key: &'a TokenKey,
        swap: Swap,
        _lease: &'a Lease,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(self.placed(async move { self.swap_with(&self.statements.swap_and_release, key, &swap).await }))
    }

    fn list<'a>(&'a self, ids: &'a str, after: Option<&'a str>) -> BoxFuture<'a, Result<Listed, StoreError>> {
        Box::pin(self.placed(self.list_now(ids, after)))
    }

    fn lease_and_swap<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
        swap: Swap,
    ) -> BoxFuture<'a, Result<LeasedSwap, StoreError>> {
        Box::pin(self.placed(async move {
            if swap.expected.is_none() {
                // There may be no row to change.
                return in_two_steps(self, key, holder, ttl, swap).await;
            }
            let id = key.storage_id();
            let question = self.unanswered.question(&id, holder, ttl);
            question
                .ask(|nonce| self.ask_and_swap(&id, holder, ttl, &swap, nonce))
                .await
        }))
    }

    fn lease<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Leased, StoreError>> {
        Box::pin(self.placed(async move {
            let id = key.storage_id();
            let question = self.unanswered.question(&id, holder, ttl);
            question.ask(|nonce| self.ask(&id, holder, ttl, nonce)).await
        }))
    }

    fn remove<'a>(&'a self, id: &'a str, revision: u64) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.placed(async move {
            let revision = signed(revision)?;
            let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&id, Type::TEXT), (&revision, Type::INT8)];
            let slot = self.slot("remove from postgres", PATIENCE).await?;
            Ok(slot.statement(&self.statements.remove, &parameters).await?.is_some())
        }))
    }

    fn replace<'a>(
        &'a self,
        id: &'a str,
        revision: u64,
        next: StoredRecord,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.placed(async move {
            let (read, revision) = (signed(revision)?, signed(next.revision)?);
            let bytes = &*next.bytes;
            let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
                (&id, Type::TEXT),
                (&read, Type::INT8),
                (&revision, Type::INT8),
                (&bytes, Type::BYTEA),
            ];
            let slot = self.slot("write to postgres", PATIENCE).await?;
            Ok(slot.statement(&self.statements.replace, &parameters).await?.is_some())
        }))
    }

    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.placed(async move {
            let id = key.storage_id();
            let fence = signed(lease.fence)?;
            let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&id, Type::TEXT), (&fence, Type::INT8)];
            self.twice("release in postgres", &self.statements.release, &parameters)
                .await
                .map(drop)
        }))
    }

    fn renew<'a>(
        &'a self,
        key: &'a TokenKey,
        lease: &'a Lease,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let id = key.storage_id();
            let fence = signed(lease.fence)?;
            let seconds = ttl.as_secs_f64();
            let parameters: [(&(dyn ToSql + Sync), Type); 3] =
                [(&id, Type::TEXT), (&fence, Type::INT8), (&seconds, Type::FLOAT8)];
            let renewed = self
                .twice("renew a lease in postgres", &self.statements.renew, &parameters)
                .await?;
            Ok(renewed.is_some())
        })
    }

    fn renews_leases(&self) -> bool {
        true
    }

    fn lease_state<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<LeaseState, StoreError>> {
        Box::pin(self.placed(async move {
            let id = key.storage_id();
            let held = self
                .twice(
                    "read the lease in postgres",
                    &self.statements.lease_state,
                    &[(&id, Type::TEXT)],
                )
                .await?;
            let Some(held) = held else { return Ok(LeaseState::Free) };
            Ok(LeaseState::Held {
                by: get(&held, 0)?,
                for_at_most: Some(Duration::try_from_secs_f64(get(&held, 1)?).unwrap_or_default()),
            })
        }))
    }

    fn admission(&self) -> Option<&Admission> {
        Some(&self.admission)
    }

    fn place(&self) -> Option<String> {
        Some((*self.place).to_owned())
    }
}
