//! Grants in Redis or Valkey, shared by the processes of many machines.

mod address;
mod connection;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use redis::TlsCertificates;

use self::address::Servers;
use self::connection::{Call, Confirmation, Connection};
use super::remote::{PATIENCE, TRY, Unanswered, twice};
use super::{
    Admission, Lease, LeaseState, Leased, LeasedSwap, Listed, ListedRecord, Predecessor, StoreError, StoredRecord,
    Swap, Swapped, TokenStore,
};
use crate::token::TokenKey;

/// Grants in Redis or Valkey, single or cluster, over TLS with a `rediss://` address.
///
/// Record, lease and fence of a grant are one hash, so that every step is one
/// atomic script on one key. Time is the server's. The key is
/// `<prefix>:{<storage id>}`; the braces keep it whole in a cluster.
///
/// A swap is as durable as the server makes it: run it with `appendonly yes`
/// and `appendfsync always` where no consent may be lost to a power cut, and
/// with `noeviction`, because an evicted record is a lost consent.
///
/// ```no_run
/// use finrail::token::store::RedisStore;
///
/// # async fn example() -> Result<(), finrail::token::StoreError> {
/// let store = RedisStore::connect("rediss://tokens.example.com:6380").await?;
/// # Ok(()) }
/// ```
///
/// # What a failover can cost
///
/// Redis answers a write before its replicas have it. When a replica takes over, by Sentinel, in a cluster or by hand,
/// the writes of the last moments are gone: the newest refresh token of every grant that was refreshed in them, with
/// rotation the only one that works, and the leases that were held. A process that still holds the tokens puts them
/// back; where none does, the user has to authorize again. The same happens to what a primary takes that the rest
/// cannot reach any more and does not yet know it.
///
/// [`replicas`](RedisStoreBuilder::replicas) makes each write of a record wait until so many replicas have it. With as
/// many as there are, no failover loses what was answered. With fewer, the one that takes over should be one of them,
/// which Redis prefers and does not promise. On the server, `min-replicas-to-write 1` with `min-replicas-max-lag 10`
/// makes a primary that is cut off refuse writes after ten seconds, which bounds what it takes in vain;
/// `repl-diskless-load` should not be `swapdb`, and a primary without `appendonly yes` must not be started again by
/// itself: it comes back empty, and its replicas follow.
///
/// A replica that took over without the newest writes should not give way to the old primary again with what that one
/// had. A login that was made in between is put back by a process that holds it, where clocks tell that it is the later
/// one (by more than a minute); otherwise it is dropped for the login that the old primary has, and its tokens live on at
/// the provider until they end there.
#[derive(Clone)]
pub struct RedisStore {
    connection: Connection,
    replicas: Option<Replicas>,
    admission: Admission,
    prefix: String,
    unanswered: Unanswered,
    place: Arc<str>,
}

/// Who has to have a write before it counts as made.
#[derive(Clone)]
struct Replicas {
    /// Of their own: waiting for replicas holds up all that comes after it on a connection.
    connection: Connection,
    confirmation: Confirmation,
}

/// Sets up a [`RedisStore`].
///
/// ```no_run
/// use std::time::Duration;
/// use finrail::token::store::RedisStore;
///
/// # async fn example() -> Result<(), finrail::token::StoreError> {
/// let store = RedisStore::builder("rediss://tokens.example.com:6380")
///     .replicas(1, Duration::from_secs(1))
///     .connect()
///     .await?;
/// # Ok(()) }
/// ```
#[must_use]
pub struct RedisStoreBuilder {
    servers: Servers,
    tls: Option<TlsCertificates>,
    plaintext: bool,
    at_once: usize,
    replicas: Option<Confirmation>,
    prefix: String,
}

impl RedisStoreBuilder {
    fn of(servers: Servers) -> Self {
        Self {
            servers,
            tls: None,
            plaintext: false,
            at_once: AT_ONCE,
            replicas: None,
            prefix: "finrail".to_owned(),
        }
    }

    /// A private root, a client certificate, or both. The address begins with `rediss://`, and those of all nodes that are
    /// given of a cluster.
    pub fn tls(mut self, tls: TlsCertificates) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Reaches another machine without TLS, with a `redis://` address. Tokens then cross the network in the clear, and
    /// whoever can read them there can use them: for a network that nobody else is on, or under a tunnel.
    pub fn allow_plaintext(mut self) -> Self {
        self.plaintext = true;
        self
    }

    /// How many steps of refreshes are sent at once; 64 by default, one at least. The others
    /// [wait for their turn](Admission). More is better where the server is far away, because all share one
    /// connection.
    pub fn at_once(mut self, steps: usize) -> Self {
        self.at_once = steps.max(1);
        self
    }

    /// Lets a write of a record count as made only when so many replicas have it (`WAIT`); see [`RedisStore`]. A write
    /// that fewer confirm within this time, four seconds at most, is an error, and is made again.
    ///
    /// In a cluster, so many replicas of every primary are waited for.
    pub fn replicas(mut self, replicas: u32, within: Duration) -> Self {
        self.replicas = (replicas > 0).then_some(Confirmation {
            replicas,
            within: within.min(PATIENCE - Duration::from_secs(1)),
        });
        self
    }

    /// What keys begin with; `finrail` by default.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Connects, and again whenever the connection breaks.
    ///
    /// # Errors
    ///
    /// When an address is wrong or would be reached [without TLS](Self::allow_plaintext), the certificates cannot be
    /// read, or no server can be reached.
    pub async fn connect(self) -> Result<RedisStore, StoreError> {
        let place = self.servers.place();
        self.connect_to(&place).await.map_err(|error| error.at(place))
    }

    async fn connect_to(self, place: &str) -> Result<RedisStore, StoreError> {
        if self.tls.is_some() {
            self.servers.demand_tls()?;
        }
        if !self.plaintext {
            self.servers.refuse_plaintext()?;
        }
        let connection = Connection::to(self.servers.client(self.tls.clone())).await?;
        let replicas = match self.replicas {
            Some(confirmation) => Some(Replicas {
                connection: Connection::to(self.servers.client(self.tls)).await?,
                confirmation,
            }),
            None => None,
        };
        Ok(RedisStore {
            connection,
            replicas,
            admission: Admission::at_once(self.at_once),
            prefix: self.prefix,
            unanswered: Unanswered::default(),
            place: place.into(),
        })
    }
}

impl std::fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // An address may hold a password.
        f.debug_struct("RedisStoreBuilder")
            .field("at_once", &self.at_once)
            .field("replicas", &self.replicas)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// Steps at once, where nothing else is said: a server of this machine has no more to do at once, and one some
/// milliseconds away is kept busy.
const AT_ONCE: usize = 64;

/// What the scripts that swap begin with: a revision as it is written, or that of no record where it is damaged. See
/// [`revision`].
const WHOLE: &str = "
local function whole(number)
  if not number or #number > 20 or not string.find(number, '^%d+$') then return '' end
  if #number > 1 and string.sub(number, 1, 1) == '0' then return '' end
  if #number == 20 and number > '18446744073709551615' then return '' end
  return number
end
";

/// A nonce that comes again is a question whose answer was lost, or a late copy of one that was answered: the first
/// gets its lease once more, and the second nothing. What holds no record goes away a day after its last lease.
const LEASE: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call('HMGET', KEYS[1], 'holder', 'until', 'nonce', 'lapsed', 'fence')
local lapsed = 0
local fence
if held[3] == ARGV[3] then
  if not held[1] then return {0, 'nobody', 0} end
  fence = tonumber(held[5])
  lapsed = tonumber(held[4])
else
  if held[1] and tonumber(held[2]) > now then
    return {0, held[1], tonumber(held[2]) - now}
  end
  fence = redis.call('HINCRBY', KEYS[1], 'fence', 1)
  if held[1] then lapsed = 1 end
end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'until', now + tonumber(ARGV[2]), 'nonce', ARGV[3], 'lapsed', lapsed)
if redis.call('HEXISTS', KEYS[1], 'revision') == 0 then
  redis.call('EXPIRE', KEYS[1], 86400)
end
return {fence, '', lapsed}
";

const LEASE_STATE: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call('HMGET', KEYS[1], 'holder', 'until')
if held[1] and tonumber(held[2]) > now then
  return {held[1], tonumber(held[2]) - now}
end
return {'', 0}
";

/// Of a lease that nobody has taken over and its holder has not given back.
const RENEW: &str = "
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then return 0 end
if redis.call('HEXISTS', KEYS[1], 'holder') == 0 then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'until', now + tonumber(ARGV[2]))
return 1
";

const RELEASE: &str = "
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'holder', 'until', 'lapsed')
if redis.call('HEXISTS', KEYS[1], 'revision') == 0 then
  redis.call('EXPIRE', KEYS[1], 86400)
end
return 1
";

/// A write that is asked for again, because its answer was lost, is made again: then it is as safe as if it had been
/// answered the first time.
const SWAP: &str = "
local stored = redis.call('HMGET', KEYS[1], 'fence', 'revision', 'record')
if (stored[1] or '0') ~= ARGV[1] then return {2, '', ''} end
local revision = whole(stored[2])
if revision ~= ARGV[2] then
  if ARGV[3] == '' or stored[2] ~= ARGV[3] or stored[3] ~= ARGV[4] then
    return {1, revision, stored[3] or ''}
  end
end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], 'revision', 'record')
else
  redis.call('HSET', KEYS[1], 'revision', ARGV[3], 'record', ARGV[4])
  redis.call('PERSIST', KEYS[1])
end
return {0, '', ''}
";

/// The lease and the first write under it. As for `LEASE`, a nonce that comes again gets the lease that it got.
const LEASE_AND_SWAP: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call('HMGET', KEYS[1], 'holder', 'until', 'nonce', 'lapsed', 'fence', 'revision', 'record')
local same = held[3] == ARGV[3]
local made = same and ARGV[5] ~= '' and held[6] == ARGV[5] and held[7] == ARGV[6]
local revision = whole(held[6])
if revision ~= ARGV[4] and not made then
  return {1, 0, '', 0, revision, held[7] or ''}
end
local lapsed = 0
local fence
if same then
  if not held[1] then return {2, 0, 'nobody', 0, '', ''} end
  fence = tonumber(held[5])
  lapsed = tonumber(held[4])
else
  if held[1] and tonumber(held[2]) > now then
    return {2, 0, held[1], tonumber(held[2]) - now, '', ''}
  end
  fence = redis.call('HINCRBY', KEYS[1], 'fence', 1)
  if held[1] then lapsed = 1 end
end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'until', now + tonumber(ARGV[2]), 'nonce', ARGV[3], 'lapsed', lapsed)
if ARGV[5] == '' then
  redis.call('HDEL', KEYS[1], 'revision', 'record')
  redis.call('EXPIRE', KEYS[1], 86400)
else
  redis.call('HSET', KEYS[1], 'revision', ARGV[5], 'record', ARGV[6])
  redis.call('PERSIST', KEYS[1])
end
return {0, fence, '', lapsed, '', ''}
";

/// The last write under a lease, and the end of that lease. A write that is there already was made by an earlier copy of
/// the question, and somebody else may have the lease since.
const SWAP_AND_RELEASE: &str = "
local stored = redis.call('HMGET', KEYS[1], 'fence', 'revision', 'record')
local made = ARGV[3] ~= '' and stored[2] == ARGV[3] and stored[3] == ARGV[4]
if (stored[1] or '0') ~= ARGV[1] then
  if made then return {0, '', ''} end
  return {2, '', ''}
end
local revision = whole(stored[2])
if revision ~= ARGV[2] and not made then
  return {1, revision, stored[3] or ''}
end
redis.call('HDEL', KEYS[1], 'holder', 'until', 'lapsed')
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], 'revision', 'record')
  redis.call('EXPIRE', KEYS[1], 86400)
else
  redis.call('HSET', KEYS[1], 'revision', ARGV[3], 'record', ARGV[4])
  redis.call('PERSIST', KEYS[1])
end
return {0, '', ''}
";

const REMOVE: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call('HMGET', KEYS[1], 'revision', 'holder', 'until')
if held[1] ~= ARGV[1] then return 0 end
if held[2] and tonumber(held[3]) > now then return 0 end
redis.call('DEL', KEYS[1])
return 1
";

const REPLACE: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call('HMGET', KEYS[1], 'revision', 'holder', 'until')
if held[1] ~= ARGV[1] then return 0 end
if held[2] and tonumber(held[3]) > now then return 0 end
redis.call('HSET', KEYS[1], 'revision', ARGV[2], 'record', ARGV[3])
redis.call('PERSIST', KEYS[1])
return 1
";

impl RedisStore {
    /// Connects to one server, and again whenever the connection breaks.
    ///
    /// Another machine is reached over TLS only: with `rediss://`, or with
    /// [`allow_plaintext`](RedisStoreBuilder::allow_plaintext).
    ///
    /// # Errors
    ///
    /// When the address is wrong or the server cannot be reached.
    pub async fn connect(address: &str) -> Result<Self, StoreError> {
        Self::builder(address).connect().await
    }

    /// Connects to one server over TLS with a private root, a client certificate, or both.
    ///
    /// ```no_run
    /// use finrail::token::store::{RedisStore, RedisTls};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let tls = RedisTls { client_tls: None, root_cert: Some(std::fs::read("ca.pem")?) };
    /// let store = RedisStore::connect_with("rediss://tokens.example.com:6380", tls).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect), and when the certificates cannot be read
    /// or the address does not begin with `rediss://`.
    pub async fn connect_with(address: &str, tls: TlsCertificates) -> Result<Self, StoreError> {
        Self::builder(address).tls(tls).connect().await
    }

    /// Connects to a cluster through some of its nodes. The same holds for TLS as for [`connect`](Self::connect).
    ///
    /// The nodes that these name are reached in the same way, wherever they are: what is given as `redis://` on this
    /// machine and forwards to a cluster elsewhere sends tokens across the network in the clear.
    ///
    /// # Errors
    ///
    /// When no node can be reached.
    pub async fn connect_cluster(nodes: impl IntoIterator<Item = &str>) -> Result<Self, StoreError> {
        Self::cluster_builder(nodes).connect().await
    }

    /// Connects to a cluster over TLS with a private root, a client certificate, or both.
    ///
    /// # Errors
    ///
    /// As [`connect_cluster`](Self::connect_cluster), and when the certificates cannot be read or a node's address does not
    /// begin with `rediss://`.
    pub async fn connect_cluster_with(
        nodes: impl IntoIterator<Item = &str>,
        tls: TlsCertificates,
    ) -> Result<Self, StoreError> {
        Self::cluster_builder(nodes).tls(tls).connect().await
    }

    /// A store on one server with settings of its own: TLS, replicas, steps at once, prefix.
    pub fn builder(address: impl Into<String>) -> RedisStoreBuilder {
        RedisStoreBuilder::of(Servers::One(address.into()))
    }

    /// A store on a cluster, found through some of its nodes, with settings of its own.
    pub fn cluster_builder<'a>(nodes: impl IntoIterator<Item = &'a str>) -> RedisStoreBuilder {
        RedisStoreBuilder::of(Servers::Cluster(nodes.into_iter().map(str::to_owned).collect()))
    }

    /// What keys begin with; `finrail` by default.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Errors of this work name the server.
    async fn placed<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        work.await.map_err(|error| error.at(Arc::clone(&self.place)))
    }

    fn key(&self, key: &TokenKey) -> String {
        self.key_of(&key.storage_id())
    }

    fn key_of(&self, id: &str) -> String {
        format!("{}:{{{id}}}", self.prefix)
    }

    async fn ask_and_swap(
        &self,
        key: &TokenKey,
        holder: &str,
        ttl: Duration,
        swap: &Swap,
        nonce: String,
    ) -> Result<LeasedSwap, StoreError> {
        let script = redis::Script::new(&format!("{WHOLE}{LEASE_AND_SWAP}"));
        let mut call = script.key(self.key(key));
        call.arg(holder)
            .arg(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX))
            .arg(nonce);
        change(&mut call, swap);
        let answer = self.write("lease in redis", TRY, &call).await?;
        let (code, fence, by, number, revision, bytes): (u8, u64, String, u64, String, Vec<u8>) = answer;
        Ok(match (code, revision.parse()) {
            (0, _) if number == 0 => LeasedSwap::Done(Lease::new(fence)),
            (0, _) => LeasedSwap::Done(Lease::new(fence).predecessor(Predecessor::Lapsed)),
            (1, Ok(revision)) => LeasedSwap::Conflict(Some(StoredRecord::new(revision, bytes))),
            // The script gives no revision where there is no record, or one that is damaged.
            (1, Err(_)) => LeasedSwap::Conflict(None),
            _ => LeasedSwap::Held {
                by,
                for_at_most: Some(Duration::from_millis(number)),
            },
        })
    }

    async fn swap_with(&self, script: &'static str, key: &TokenKey, swap: &Swap) -> Result<Swapped, StoreError> {
        let script = redis::Script::new(&format!("{WHOLE}{script}"));
        let mut call = script.key(self.key(key));
        call.arg(swap.fence);
        change(&mut call, swap);
        // Not twice: whoever writes has to know whether an earlier try was made.
        let answer = self.write("write to redis", PATIENCE, &call).await?;
        let (code, revision, bytes): (u8, String, Vec<u8>) = answer;
        Ok(match (code, revision.parse()) {
            (0, _) => Swapped::Done,
            (1, Ok(revision)) => Swapped::Conflict(Some(StoredRecord::new(revision, bytes))),
            // As above: there is no record.
            (1, Err(_)) => Swapped::Conflict(None),
            _ => Swapped::Fenced,
        })
    }

    /// Runs a script that writes a record, and waits for the replicas that have to have it.
    async fn write<T: redis::FromRedisValue>(
        &self,
        action: &'static str,
        patience: Duration,
        script: &redis::ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        match &self.replicas {
            None => self.connection.send(action, patience, Call::Script(script)).await,
            Some(Replicas {
                connection,
                confirmation,
            }) => connection.send_confirmed(action, patience, script, confirmation).await,
        }
    }

    async fn list_now(&self, ids: &str, after: Option<&str>) -> Result<Listed, StoreError> {
        const ACTION: &str = "list the records in redis";
        let begin = format!("{}:{{", self.prefix);
        let pattern = format!("{}{}*}}", literally(&begin), literally(ids));
        let step = twice(|| self.connection.scan(ACTION, TRY, &pattern, after));
        let (keys, next) = step.await?;
        let reads = keys.iter().map(|key| async move {
            let mut command = redis::cmd("HMGET");
            command.arg(key).arg("revision").arg("record");
            let answer = twice(|| self.connection.send(ACTION, TRY, Call::Command(&command)));
            (key, answer.await)
        });
        let mut records = Vec::with_capacity(keys.len());
        for read in futures_util::future::join_all(reads).await {
            let (key, read) = read;
            let id = key.strip_prefix(&begin).and_then(|rest| rest.strip_suffix('}'));
            let Some(id) = id else { continue };
            let record = match read {
                Ok(fields) => record(fields),
                // Of another type: it costs nobody else the walk.
                Err(error) if is_wrong_type(&error) => Err(StoreError::corrupt(error)),
                Err(error) => return Err(error),
            };
            if let Some(record) = record.transpose() {
                let placed = record.map_err(|error| error.at(Arc::clone(&self.place)));
                records.push(ListedRecord::new(id, placed));
            }
        }
        Ok(Listed::new(records, next))
    }

    async fn ask(&self, key: &TokenKey, holder: &str, ttl: Duration, nonce: String) -> Result<Leased, StoreError> {
        let script = redis::Script::new(LEASE);
        let mut call = script.key(self.key(key));
        call.arg(holder)
            .arg(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX))
            .arg(nonce);
        let answer = self.connection.send("lease in redis", TRY, Call::Script(&call));
        let (fence, by, number): (u64, String, u64) = answer.await?;
        Ok(match (fence, number) {
            (0, left) => Leased::Held {
                by,
                for_at_most: Some(Duration::from_millis(left)),
            },
            (fence, 0) => Leased::Granted(Lease::new(fence)),
            (fence, _) => Leased::Granted(Lease::new(fence).predecessor(Predecessor::Lapsed)),
        })
    }
}

/// The fields `revision` and `record` of a hash.
type Fields = (Option<Vec<u8>>, Option<Vec<u8>>);

fn record((number, bytes): Fields) -> Result<Option<StoredRecord>, StoreError> {
    let (Some(number), Some(bytes)) = (number, bytes) else {
        return Ok(None);
    };
    match revision(&number) {
        Some(revision) => Ok(Some(StoredRecord::new(revision, bytes))),
        None => Err(StoreError::without_revision(bytes.into())),
    }
}

/// A revision in the one way in which it is written. `None`: it is damaged, and for the [scripts](WHOLE) that of no record.
fn revision(number: &[u8]) -> Option<u64> {
    let revision: u64 = std::str::from_utf8(number).ok()?.parse().ok()?;
    (revision.to_string().as_bytes() == number).then_some(revision)
}

/// Whether a key holds something else than a hash.
fn is_wrong_type(error: &StoreError) -> bool {
    let StoreError::Unavailable { source, .. } = error else {
        return false;
    };
    let error = source.downcast_ref::<redis::RedisError>();
    error.is_some_and(|error| error.code() == Some("WRONGTYPE"))
}

/// The arguments of a script that say what was read and what it becomes.
fn change(call: &mut redis::ScriptInvocation<'_>, swap: &Swap) {
    match swap.expected {
        Some(revision) => call.arg(revision),
        None => call.arg(""),
    };
    match &swap.next {
        Some(next) => call.arg(next.revision).arg(&*next.bytes),
        None => call.arg("").arg(""),
    };
}

/// A text as a pattern that matches nothing else.
fn literally(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '^' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl TokenStore for RedisStore {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        Box::pin(self.placed(async move {
            let mut command = redis::cmd("HMGET");
            command.arg(self.key(key)).arg("revision").arg("record");
            let answer = twice(|| self.connection.send("read from redis", TRY, Call::Command(&command)));
            record(answer.await?)
        }))
    }

    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(self.placed(async move { self.swap_with(SWAP, key, &swap).await }))
    }

    fn swap_and_release<'a>(
        &'a self,
        key: &'a TokenKey,
        swap: Swap,
        _lease: &'a Lease,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(self.placed(async move { self.swap_with(SWAP_AND_RELEASE, key, &swap).await }))
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
            let question = self.unanswered.question(&key.storage_id(), holder, ttl);
            question
                .ask(|nonce| self.ask_and_swap(key, holder, ttl, &swap, nonce))
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
            let question = self.unanswered.question(&key.storage_id(), holder, ttl);
            question.ask(|nonce| self.ask(key, holder, ttl, nonce)).await
        }))
    }

    fn remove<'a>(&'a self, id: &'a str, revision: u64) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.placed(async move {
            let script = redis::Script::new(REMOVE);
            let mut call = script.key(self.key_of(id));
            call.arg(revision);
            let removed: u8 = self.write("remove from redis", PATIENCE, &call).await?;
            Ok(removed == 1)
        }))
    }

    fn replace<'a>(
        &'a self,
        id: &'a str,
        revision: u64,
        next: StoredRecord,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.placed(async move {
            let script = redis::Script::new(REPLACE);
            let mut call = script.key(self.key_of(id));
            call.arg(revision).arg(next.revision).arg(&*next.bytes);
            let replaced: u8 = self.write("write to redis", PATIENCE, &call).await?;
            Ok(replaced == 1)
        }))
    }

    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.placed(async move {
            let script = redis::Script::new(RELEASE);
            let mut call = script.key(self.key(key));
            call.arg(lease.fence);
            let answer = twice(|| self.connection.send::<u8>("release in redis", TRY, Call::Script(&call)));
            answer.await.map(drop)
        }))
    }

    fn renew<'a>(
        &'a self,
        key: &'a TokenKey,
        lease: &'a Lease,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let script = redis::Script::new(RENEW);
            let mut call = script.key(self.key(key));
            call.arg(lease.fence)
                .arg(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX));
            let answer = twice(|| {
                self.connection
                    .send::<u8>("renew a lease in redis", TRY, Call::Script(&call))
            });
            Ok(answer.await? == 1)
        })
    }

    fn renews_leases(&self) -> bool {
        true
    }

    fn lease_state<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<LeaseState, StoreError>> {
        Box::pin(self.placed(async move {
            let script = redis::Script::new(LEASE_STATE);
            let call = script.key(self.key(key));
            let action = "read the lease in redis";
            let answer = twice(|| self.connection.send(action, TRY, Call::Script(&call)));
            let (by, left): (String, u64) = answer.await?;
            Ok(match left {
                0 => LeaseState::Free,
                left => LeaseState::Held {
                    by,
                    for_at_most: Some(Duration::from_millis(left)),
                },
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
