//! A connection to Redis that is made anew when it failed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, FromRedisValue, IntoConnectionInfo as _, Pipeline, RedisError,
    RedisFuture, ScriptInvocation, TlsCertificates, Value,
};

use super::super::StoreError;
use super::super::remote::PATIENCE;

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
enum Server {
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

/// What is sent: a command, or a script with its keys and arguments.
pub(super) enum Call<'a> {
    Command(&'a Cmd),
    Script(&'a ScriptInvocation<'a>),
}

impl Connection {
    /// To one server.
    pub async fn single(address: &str, tls: Option<TlsCertificates>) -> Result<Self, StoreError> {
        Self::to(single(address, tls).map(Server::Single)).await
    }

    /// To a cluster, by some of its nodes.
    pub async fn cluster(nodes: Vec<String>, tls: Option<TlsCertificates>) -> Result<Self, StoreError> {
        Self::to(cluster(nodes, tls).map(Server::Cluster)).await
    }

    async fn to(server: Result<Server, RedisError>) -> Result<Self, StoreError> {
        const ACTION: &str = "connect to redis";
        let connection = Self(Arc::new(Shared {
            server: server.map_err(|error| StoreError::unavailable(ACTION, error))?,
            open: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
        }));
        match tokio::time::timeout(PATIENCE, connection.live()).await {
            Ok(Ok(_)) => Ok(connection),
            Ok(Err(error)) => Err(StoreError::unavailable(ACTION, error)),
            Err(late) => Err(StoreError::unavailable(ACTION, late)),
        }
    }

    /// Sends a call and waits for its answer, `patience` at most.
    pub async fn send<T: FromRedisValue>(
        &self,
        action: &'static str,
        patience: Duration,
        call: Call<'_>,
    ) -> Result<T, StoreError> {
        let mut used = None;
        let work = async {
            let (number, mut live) = self.live().await?;
            used = Some(number);
            match call {
                Call::Command(command) => command.query_async(&mut live).await,
                Call::Script(script) => script.invoke_async(&mut live).await,
            }
        };
        let error = match tokio::time::timeout(patience, work).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => StoreError::unavailable(action, error),
            Err(late) => StoreError::unavailable(action, late),
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

fn single(address: &str, tls: Option<TlsCertificates>) -> Result<Client, RedisError> {
    let mut server = address.into_connection_info()?;
    if matches!(server.addr(), ConnectionAddr::TcpTls { .. }) {
        crate::http::install_crypto();
    }
    server = server.set_tcp_settings(tcp());
    match tls {
        Some(tls) => Client::build_with_tls(server, tls),
        None => Client::open(server),
    }
}

fn cluster(nodes: Vec<String>, tls: Option<TlsCertificates>) -> Result<ClusterClient, RedisError> {
    crate::http::install_crypto();
    let builder = ClusterClientBuilder::new(nodes)
        .connection_timeout(PATIENCE)
        .response_timeout(PATIENCE)
        .tcp_settings(tcp());
    match tls {
        Some(tls) => builder.certs(tls).build(),
        None => builder.build(),
    }
}

/// A peer that is gone without a word is noticed before the next call needs the connection.
fn tcp() -> TcpSettings {
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(15))
        .with_interval(Duration::from_secs(5));
    let settings = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let settings = settings.set_user_timeout(PATIENCE * 2);
    settings
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
