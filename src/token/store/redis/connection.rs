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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::{AtomicUsize, Ordering};

    use redis::Script;
    use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::Notify;

    use super::*;

    /// What a played server answers a command with: of one that is put off, as soon as it is told to.
    enum Reply {
        Now(String),
        PutOff(Arc<Notify>, String),
    }

    /// A server on loopback, as far as these tests need one: it counts its connections.
    struct Played {
        listener: TcpListener,
        address: String,
    }

    impl Played {
        async fn new() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap().to_string();
            Self { listener, address }
        }

        fn port(&self) -> &str {
            self.address.rsplit_once(':').unwrap().1
        }

        fn answers(self, answer: impl Fn(&[String]) -> Reply + Send + Sync + 'static) -> Arc<AtomicUsize> {
            let connections = Arc::new(AtomicUsize::new(0));
            let (count, answer) = (Arc::clone(&connections), Arc::new(answer));
            tokio::spawn(async move {
                while let Ok((stream, _)) = self.listener.accept().await {
                    count.fetch_add(1, Ordering::Relaxed);
                    tokio::spawn(Self::talk(stream, Arc::clone(&answer)));
                }
            });
            connections
        }

        async fn talk(stream: TcpStream, answer: Arc<impl Fn(&[String]) -> Reply>) {
            let mut stream = BufReader::new(stream);
            while let Some(command) = Self::command(&mut stream).await {
                let text = match answer(&command) {
                    Reply::Now(text) => text,
                    Reply::PutOff(until, text) => {
                        until.notified().await;
                        text
                    }
                };
                if stream.write_all(text.as_bytes()).await.is_err() {
                    return;
                }
            }
        }

        /// Its words, as the client writes them: how many there are, and each after its length.
        async fn command(stream: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
            let words = Self::number(stream).await?;
            let mut command = Vec::new();
            for _ in 0..words {
                let mut word = vec![0; Self::number(stream).await? + 2];
                stream.read_exact(&mut word).await.ok()?;
                word.truncate(word.len() - 2);
                command.push(String::from_utf8_lossy(&word).into_owned());
            }
            Some(command)
        }

        async fn number(stream: &mut BufReader<TcpStream>) -> Option<usize> {
            let mut line = String::new();
            stream.read_line(&mut line).await.ok()?;
            line.get(1..)?.trim().parse().ok()
        }
    }

    fn now(text: impl Into<String>) -> Reply {
        Reply::Now(text.into())
    }

    fn bulk(text: &str) -> String {
        format!("${}\r\n{text}\r\n", text.len())
    }

    /// The answer to a step of a walk: where to go on, and one key.
    fn step(next: &str, key: &str) -> Reply {
        now(format!("*2\r\n{}*1\r\n{}", bulk(next), bulk(key)))
    }

    async fn single(address: &str) -> Connection {
        let client = Client::open(format!("redis://{address}"));
        Connection::to(client.map(Server::Single)).await.unwrap()
    }

    async fn ask(connection: &Connection, command: &str) -> Result<String, StoreError> {
        let command = redis::cmd(command);
        connection.send("ask", PATIENCE, Call::Command(&command)).await
    }

    /// All steps of a walk: the key of each, and where it goes on.
    async fn walk(connection: &Connection) -> Vec<(String, Option<String>)> {
        let mut steps = Vec::new();
        let mut after = None;
        while steps.len() < 9 {
            let (mut keys, next) = connection.scan("walk", PATIENCE, "*", after.as_deref()).await.unwrap();
            steps.push((keys.remove(0), next.clone()));
            after = next;
            if after.is_none() {
                break;
            }
        }
        steps
    }

    #[tokio::test]
    async fn a_call_that_fails_takes_its_connection_with_it_and_no_later_one() {
        let server = Played::new().await;
        let (address, until) = (server.address.clone(), Arc::new(Notify::new()));
        let release = Arc::clone(&until);
        let connections = server.answers(move |command| match command[0].as_str() {
            "FAILS" => now("-ERR it fails\r\n"),
            "FAILSLATE" => Reply::PutOff(Arc::clone(&until), "-ERR it fails\r\n".to_owned()),
            _ => now("+OK\r\n"),
        });
        let connection = single(&address).await;
        assert_eq!(ask(&connection, "A").await.unwrap(), "OK");
        assert_eq!(ask(&connection, "B").await.unwrap(), "OK");
        assert_eq!(connections.load(Ordering::Relaxed), 1);

        // Both are sent on the first connection; one of them fails when there is a second one.
        let first = async {
            assert!(ask(&connection, "FAILS").await.is_err());
            assert_eq!(ask(&connection, "C").await.unwrap(), "OK");
            assert_eq!(connections.load(Ordering::Relaxed), 2);
            release.notify_one();
        };
        let ((), late) = tokio::join!(first, ask(&connection, "FAILSLATE"));
        assert!(late.is_err());
        assert_eq!(ask(&connection, "D").await.unwrap(), "OK");
        assert_eq!(connections.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_write_is_made_when_as_many_replicas_have_it_as_are_wanted() {
        for (have, is_made) in [(1, false), (2, true), (3, true)] {
            let server = Played::new().await;
            let address = server.address.clone();
            server.answers(move |command| match command[0].as_str() {
                "WAIT" => now(format!(":{have}\r\n")),
                "EVALSHA" => now(":7\r\n"),
                _ => now("+OK\r\n"),
            });
            let connection = single(&address).await;
            let (script, confirmation) = (
                Script::new("return 7"),
                Confirmation {
                    replicas: 2,
                    within: Duration::from_secs(1),
                },
            );
            let answer: Result<u32, _> = connection
                .send_confirmed("write", PATIENCE, &script.prepare_invoke(), &confirmation)
                .await;
            assert_eq!(answer.ok(), is_made.then_some(7), "{have}");
        }
    }

    #[tokio::test]
    async fn a_walk_through_one_server_goes_on_where_it_says_and_ends_where_it_says() {
        let server = Played::new().await;
        let address = server.address.clone();
        server.answers(
            |command| match (command[0].as_str(), command.get(1).map(String::as_str)) {
                ("SCAN", Some("0")) => step("17", "a"),
                ("SCAN", Some("17")) => step("0", "b"),
                _ => now("+OK\r\n"),
            },
        );
        let steps = walk(&single(&address).await).await;
        assert_eq!(steps, [("a".to_owned(), Some("17".to_owned())), ("b".to_owned(), None)]);
    }

    #[tokio::test]
    async fn a_walk_through_a_cluster_goes_to_each_primary_in_turn() {
        let mut servers = [Played::new().await, Played::new().await];
        servers.sort_by(|one, other| one.address.cmp(&other.address));
        let addresses = servers.each_ref().map(|server| server.address.clone());
        let slots = |from: u32, to: u32, port: &str| {
            format!("*3\r\n:{from}\r\n:{to}\r\n*2\r\n{}:{port}\r\n", bulk("127.0.0.1"))
        };
        let slots = format!(
            "*2\r\n{}{}",
            slots(0, 8191, servers[0].port()),
            slots(8192, 16383, servers[1].port())
        );
        for (server, keys) in servers.into_iter().zip([["a", "b"], ["c", "d"]]) {
            let slots = slots.clone();
            server.answers(
                move |command| match (command[0].as_str(), command.get(1).map(String::as_str)) {
                    ("CLUSTER", _) => now(slots.clone()),
                    ("PING", _) => now("+PONG\r\n"),
                    ("SCAN", Some("0")) => step("17", keys[0]),
                    ("SCAN", Some("17")) => step("0", keys[1]),
                    _ => now("+OK\r\n"),
                },
            );
        }
        let client = ClusterClient::new(vec![format!("redis://{}", addresses[0])]);
        let connection = Connection::to(client.map(Server::Cluster)).await.unwrap();
        let [first, second] = addresses;
        assert_eq!(
            walk(&connection).await,
            [
                ("a".to_owned(), Some(format!("{first} 17"))),
                ("b".to_owned(), Some(format!("{second} 0"))),
                ("c".to_owned(), Some(format!("{second} 17"))),
                ("d".to_owned(), None),
            ]
        );
    }
}
