//! Grants in Redis or Valkey, shared by the processes of many machines.

mod connection;

use std::time::Duration;

use futures_util::future::BoxFuture;
use redis::TlsCertificates;

use self::connection::{Call, Connection};
use super::remote::{PATIENCE, TRY, Unanswered, twice};
use super::{Lease, LeaseState, Leased, Predecessor, StoreError, StoredRecord, Swap, Swapped, TokenStore};
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
#[derive(Clone)]
pub struct RedisStore {
    connection: Connection,
    prefix: String,
    unanswered: Unanswered,
}

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

const RELEASE: &str = "
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'holder', 'until', 'lapsed')
if redis.call('HEXISTS', KEYS[1], 'revision') == 0 then
  redis.call('EXPIRE', KEYS[1], 86400)
end
return 1
";

const SWAP: &str = "
local stored = redis.call('HMGET', KEYS[1], 'fence', 'revision', 'record')
if (stored[1] or '0') ~= ARGV[1] then return {2, '', ''} end
if (stored[2] or '') ~= ARGV[2] then return {1, stored[2] or '', stored[3] or ''} end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], 'revision', 'record')
else
  redis.call('HSET', KEYS[1], 'revision', ARGV[3], 'record', ARGV[4])
  redis.call('PERSIST', KEYS[1])
end
return {0, '', ''}
";

impl RedisStore {
    /// Connects to one server, and again whenever the connection breaks.
    ///
    /// # Errors
    ///
    /// When the address is wrong or the server cannot be reached.
    pub async fn connect(address: &str) -> Result<Self, StoreError> {
        Connection::single(address, None).await.map(Self::with)
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
        Connection::single(address, Some(tls)).await.map(Self::with)
    }

    /// Connects to a cluster through some of its nodes.
    ///
    /// # Errors
    ///
    /// When no node can be reached.
    pub async fn connect_cluster(nodes: impl IntoIterator<Item = &str>) -> Result<Self, StoreError> {
        let nodes = nodes.into_iter().map(str::to_owned).collect();
        Connection::cluster(nodes, None).await.map(Self::with)
    }

    /// Connects to a cluster over TLS with a private root, a client certificate, or both.
    ///
    /// # Errors
    ///
    /// As [`connect_cluster`](Self::connect_cluster), and when the certificates cannot be read.
    pub async fn connect_cluster_with(
        nodes: impl IntoIterator<Item = &str>,
        tls: TlsCertificates,
    ) -> Result<Self, StoreError> {
        let nodes = nodes.into_iter().map(str::to_owned).collect();
        Connection::cluster(nodes, Some(tls)).await.map(Self::with)
    }

    fn with(connection: Connection) -> Self {
        Self {
            connection,
            prefix: "finrail".to_owned(),
            unanswered: Unanswered::default(),
        }
    }

    /// What keys begin with; `finrail` by default.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    fn key(&self, key: &TokenKey) -> String {
        format!("{}:{{{}}}", self.prefix, key.storage_id())
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

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl TokenStore for RedisStore {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        Box::pin(async move {
            let mut command = redis::cmd("HMGET");
            command.arg(self.key(key)).arg("revision").arg("record");
            let answer = twice(|| self.connection.send("read from redis", TRY, Call::Command(&command)));
            let stored: (Option<u64>, Option<Vec<u8>>) = answer.await?;
            Ok(match stored {
                (Some(revision), Some(bytes)) => Some(StoredRecord::new(revision, bytes)),
                _ => None,
            })
        })
    }

    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(async move {
            let script = redis::Script::new(SWAP);
            let mut call = script.key(self.key(key));
            call.arg(swap.fence);
            match swap.expected {
                Some(revision) => call.arg(revision),
                None => call.arg(""),
            };
            match &swap.next {
                Some(next) => call.arg(next.revision).arg(&*next.bytes),
                None => call.arg("").arg(""),
            };
            // Not twice: whoever writes has to know whether an earlier try was made.
            let answer = self.connection.send("write to redis", PATIENCE, Call::Script(&call));
            let (code, revision, bytes): (u8, String, Vec<u8>) = answer.await?;
            Ok(match (code, revision.parse()) {
                (0, _) => Swapped::Done,
                (1, Ok(revision)) => Swapped::Conflict(Some(StoredRecord::new(revision, bytes))),
                (1, Err(_)) => Swapped::Conflict(None),
                _ => Swapped::Fenced,
            })
        })
    }

    fn lease<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Leased, StoreError>> {
        Box::pin(async move {
            let question = self.unanswered.question(&key.storage_id(), holder, ttl);
            question.ask(|nonce| self.ask(key, holder, ttl, nonce)).await
        })
    }

    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let script = redis::Script::new(RELEASE);
            let mut call = script.key(self.key(key));
            call.arg(lease.fence);
            let answer = twice(|| self.connection.send::<u8>("release in redis", TRY, Call::Script(&call)));
            answer.await.map(drop)
        })
    }

    fn lease_state<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<LeaseState, StoreError>> {
        Box::pin(async move {
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
        })
    }
}
