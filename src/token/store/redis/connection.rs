//! A connection to Redis that is made anew when it failed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo, SingleNodeRoutingInfo};
use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, Pipeline, RedisError, RedisFuture, ScriptInvocation, Value,
};

use super::super::StoreError;
use super::super::remote::PATIENCE;
use crate::http::NoReply;

/// One server or a cluster, reached through one connection that all calls share.
///
/// A call that fails takes the connection with it, whatever the reason: a
/// silent server, a closed socket, a server that became a replica. The next
/// call connects anew. The client's own manager keeps a connection that does
/// not answer.
#[derive(Clone)]
pub(super) struct Connection(Arc<Shared>);

struct Shared {
    server: Server,
    open: Mutex<Open>,
    /// Held by the one that connects.
    connecting: tokio::sync::Mutex<()>,
}

#[allow(
    clippy::large_enum_variant,
    reason = "there is one for each store, and it stays where it is"
)]
pub(super) enum Server {
    Single(Client),
    Cluster(ClusterClient),
}

#[derive(Default)]
struct Open {
    live: Option<Live>,
    /// Which connection it is, so that a late failure does not close its successor.
    number: u64,
}

#[derive(Clone)]
enum Live {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// So many replicas have to have a write, within this time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Confirmation {
    pub replicas: u32,
    pub within: Duration,
}

pub(super) const ACTION: &str = "connect to redis";

/// What is sent: a command, or a script with its keys and arguments.
pub(super) enum Call<'a> {
    Command(&'a Cmd),
    Script(&'a ScriptInvocation<'a>),
}

impl Connection {
    /// To what these settings say.
    pub async fn to(server: Result<Server, RedisError>) -> Result<Self, StoreError> {
        let connection = Self(Arc::new(Shared {
            server: server.map_err(|error| StoreError::unavailable(ACTION, error))?,
            open: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
        }));
        match tokio::time::timeout(PATIENCE, connection.live()).await {
            Ok(Ok(_)) => Ok(connection),
            Ok(Err(error)) => Err(StoreError::unavailable(ACTION, error)),
            Err(_) => Err(StoreError::unavailable(ACTION, NoReply(PATIENCE))),
        }
    }

    /// Sends a call and waits for its answer, `patience` at most.
    pub async fn send<T: FromRedisValue>(
        &self,
        action: &'static str,
        patience: Duration,
        call: Call<'_>,
    ) -> Result<T, StoreError> {
        self.work(action, patience, |mut live| async move {
            match call {
                Call::Command(command) => command.query_async(&mut live).await,
                Call::Script(script) => script.invoke_async(&mut live).await,
            }
        })
        .await
    }

    /// Runs a script that writes, and waits until replicas have what it wrote.
    pub async fn send_confirmed<T: FromRedisValue>(
        &self,
        action: &'static str,
        patience: Duration,
        script: &ScriptInvocation<'_>,
        confirmation: &Confirmation,
    ) -> Result<T, StoreError> {
        #[derive(Debug, thiserror::Error)]
        #[error("{have} of {wanted} replicas confirmed the write: a failover now may lose it; it is made again")]
        struct TooFew {
            have: u32,
            wanted: u32,
        }

        // On the same connection: the server knows by it which writes are meant.
        let (answer, have): (T, u32) = self
            .work(action, patience, |mut live| async move {
                let answer = script.invoke_async(&mut live).await?;
                let within = u64::try_from(confirmation.within.as_millis()).unwrap_or(u64::MAX);
                let mut wait = redis::cmd("WAIT");
                // For ever is zero.
                wait.arg(confirmation.replicas).arg(within.max(1));
                Ok((answer, wait.query_async(&mut live).await?))
            })
            .await?;
        let wanted = confirmation.replicas;
        match have >= wanted {
            true => Ok(answer),
            false => Err(StoreError::unavailable(action, TooFew { have, wanted })),
        }
    }

    /// Some of the keys that match a pattern, and where to go on: on each primary of a cluster in turn. `after`: what the
    /// step before said.
    pub async fn scan(
        &self,
        action: &'static str,
        patience: Duration,
        pattern: &str,
        after: Option<&str>,
    ) -> Result<(Vec<String>, Option<String>), StoreError> {
        /// About how many keys a step looks at.
        const LOOKED_AT: u32 = 500;

        self.work(action, patience, |live| async move {
            let scan = |cursor: u64| {
                let mut command = redis::cmd("SCAN");
                command
                    .arg(cursor)
                    .arg("MATCH")
                    .arg(pattern)
                    .arg("COUNT")
                    .arg(LOOKED_AT);
                command
            };
            match live {
                Live::Single(mut connection) => {
                    let cursor = after.map_or(Ok(0), |after| after.parse().map_err(not_a_cursor))?;
                    let (next, keys): (u64, Vec<String>) = scan(cursor).query_async(&mut connection).await?;
                    Ok((keys, (next > 0).then(|| next.to_string())))
                }
                Live::Cluster(mut connection) => {
                    let (primary, cursor) = match after.map(|after| after.rsplit_once(' ')) {
                        None => match primaries(&mut connection).await?.into_iter().next() {
                            Some(first) => (first, 0),
                            None => return Ok((Vec::new(), None)),
                        },
                        Some(Some((primary, cursor))) => (primary.to_owned(), cursor.parse().map_err(not_a_cursor)?),
                        Some(None) => return Err(not_a_cursor("it names no node")),
                    };
                    let reply = connection.route_command(scan(cursor), node(&primary)?).await?;
                    let (next, keys): (u64, Vec<String>) = redis::from_redis_value(reply)?;
                    if next > 0 {
                        return Ok((keys, Some(format!("{primary} {next}"))));
                    }
                    let rest = primaries(&mut connection)
                        .await?
                        .into_iter()
                        .find(|other| *other > primary);
                    Ok((keys, rest.map(|next| format!("{next} 0"))))
                }
            }
        })
        .await
    }

    async fn work<T, F>(
        &self,
        action: &'static str,
        patience: Duration,
        work: impl FnOnce(Live) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        let mut used = None;
        let work = async {
            let (number, live) = self.live().await?;
            used = Some(number);
            work(live).await
        };
        let error = match tokio::time::timeout(patience, work).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => StoreError::unavailable(action, error),
            Err(_) => StoreError::unavailable(action, NoReply(patience)),
        };
        if let Some(number) = used {
            let mut open = self.open();
            if open.number == number {
                open.live = None;
            }
        }
        Err(error)
    }

    /// The open connection, or a new one. While one caller connects, the others wait for it.
    async fn live(&self) -> Result<(u64, Live), RedisError> {
        if let Some(live) = self.open().live() {
            return Ok(live);
        }
        let _turn = self.0.connecting.lock().await;
        if let Some(live) = self.open().live() {
            return Ok(live);
        }
        let live = self.0.server.connect().await?;
        let mut open = self.open();
        open.number += 1;
        open.live = Some(live.clone());
        Ok((open.number, live))
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The primaries of a cluster, in order.
async fn primaries(connection: &mut ClusterConnection) -> Result<Vec<String>, RedisError> {
    let all = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
    let answers = connection.route_command(redis::cmd("PING"), all).await?;
    let answers: std::collections::BTreeMap<String, Value> = redis::from_redis_value(answers)?;
    Ok(answers.into_keys().collect())
}

fn node(address: &str) -> Result<RoutingInfo, RedisError> {
    let (host, port) = address
        .rsplit_once(':')
        .ok_or_else(|| not_a_cursor("it names no port"))?;
    Ok(RoutingInfo::SingleNode(SingleNodeRoutingInfo::ByAddress {
        host: host.to_owned(),
        port: port.parse().map_err(not_a_cursor)?,
    }))
}

fn not_a_cursor(why: impl std::fmt::Display) -> RedisError {
    let kind = redis::ErrorKind::InvalidClientConfig;
    RedisError::from((kind, "the place where a walk goes on cannot be read", why.to_string()))
}

impl Open {
    fn live(&self) -> Option<(u64, Live)> {
        Some((self.number, self.live.clone()?))
    }
}

impl Server {
    async fn connect(&self) -> Result<Live, RedisError> {
        match self {
            Self::Single(client) => {
                let config = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(PATIENCE))
                    .set_response_timeout(Some(PATIENCE));
                let connection = client.get_multiplexed_async_connection_with_config(&config);
                Ok(Live::Single(connection.await?))
            }
            Self::Cluster(client) => Ok(Live::Cluster(client.get_async_connection().await?)),
        }
    }
}

impl ConnectionLike for Live {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
