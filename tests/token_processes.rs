//! Real processes on one store, expiring at once and killed at random.
//!
//! The children are this very program, started again for the test `child`.
//! They talk to an authorization server in the parent, which rotates refresh
//! tokens, has no grace, and ends a grant when a spent one comes back.
//!
//! What a kill costs is counted on the wire, and not by what the library says.
//! The server knows which refresh token it gave last; the client appends it to
//! a file as soon as it has read the reply, before the library sees it; the
//! store is read after the kill. So there are two ways to lose a consent, and
//! both are the kill's: the reply was *lost on the wire* (the client ended before
//! it had read it), or it was *never stored* (the client ended between reading
//! it and the end of the write). Every other consent has to work.
#![cfg(all(feature = "file", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod process_support;
mod server_support;
mod token_support;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use finrail::Secret;
use finrail::token::{
    Clock, Error, GrantKind, Issuer, IssuerError, ManualClock, Obtain, ReauthorizationReason, Record, Renewal,
    RevokeRequest, Rotation, TokenHandle, TokenKey, TokenReply, Verdict,
};
use futures_util::future::BoxFuture;
use process_support::{Directory, Process, nanos, open, orders};
use token_support::{HOUR, verdict};

fn key(grant: &str) -> TokenKey {
    TokenKey::new("mx", "client-1", GrantKind::AuthorizationCode).subject(grant)
}

// ---- the authorization server, in the parent ----

#[derive(Clone, Debug, Default)]
struct Grant {
    issued: u64,
    current: String,
    revoked: bool,
    requests: u64,
}

struct Server {
    address: String,
    grants: Mutex<HashMap<String, Grant>>,
    latency: Mutex<Duration>,
    /// Where clients write down the replies that they have read.
    read: PathBuf,
    /// Connections that are not answered yet.
    under_way: AtomicUsize,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.read);
    }
}

impl Server {
    fn start(latency: Duration) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Arc::new(Self {
            read: std::env::temp_dir().join(format!("finrail-replies-{}-{}", std::process::id(), nanos())),
            address: listener.local_addr().unwrap().to_string(),
            grants: Mutex::default(),
            latency: Mutex::new(latency),
            under_way: AtomicUsize::new(0),
        });
        let listening = Arc::clone(&server);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = Arc::clone(&listening);
                server.under_way.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    server.answer(stream);
                    server.under_way.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        server
    }

    fn answer(&self, stream: TcpStream) {
        let mut line = String::new();
        let mut reader = BufReader::new(&stream);
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let mut words = line.split_whitespace();
        let (Some(grant), Some(token)) = (words.next(), words.next()) else {
            return;
        };
        let latency = *self.latency.lock().unwrap();
        std::thread::sleep(latency);
        let answer = {
            let mut grants = self.grants.lock().unwrap();
            let grant = grants.get_mut(grant).unwrap();
            grant.requests += 1;
            if !grant.revoked && grant.current == token {
                grant.issued += 1;
                grant.current = format!("R{}-{}", grant.issued, nanos());
                format!("A{} {}\n", grant.issued, grant.current)
            } else {
                grant.revoked = true;
                "refused\n".to_owned()
            }
        };
        std::thread::sleep(latency);
        let _ = (&stream).write_all(answer.as_bytes());
    }

    /// Returns when everything is answered that was on its way to the server.
    fn settle(&self) {
        // Connections are taken in the order in which they were made: all earlier ones are taken before this one is.
        let mut last = TcpStream::connect(&self.address).unwrap();
        last.write_all(b"settle\n").unwrap();
        std::io::copy(&mut last, &mut std::io::sink()).unwrap();
        while self.under_way.load(Ordering::SeqCst) > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The user authorizes: a new grant, and its first tokens.
    fn login(&self, grant: &str) -> String {
        let mut grants = self.grants.lock().unwrap();
        let entry = grants.entry(grant.to_owned()).or_default();
        entry.issued += 1;
        entry.revoked = false;
        entry.current = format!("R{}-{}", entry.issued, nanos());
        format!("login {grant} A{} {}", entry.issued, entry.current)
    }

    fn grant(&self, grant: &str) -> Grant {
        self.grants.lock().unwrap()[grant].clone()
    }
}

// ---- the child ----

/// Talks to the server in the parent.
struct Remote {
    address: String,
    grant: String,
    read: String,
}

impl Remote {
    fn new(grant: &str) -> Arc<Self> {
        Arc::new(Self {
            address: std::env::var("FINRAIL_TEST_CHILD_SERVER").unwrap(),
            grant: grant.to_owned(),
            read: std::env::var("FINRAIL_TEST_CHILD_READ").unwrap(),
        })
    }
}

impl Issuer for Remote {
    fn obtain(&self, obtain: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
        Box::pin(async move {
            let Obtain::Refresh(refresh) = obtain else {
                unreachable!()
            };
            let line = format!("{} {}\n", self.grant, refresh.refresh_token.expose_secret());
            let (address, read) = (self.address.clone(), self.read.clone());
            let unsent = Verdict::Transient { retry_after: None };
            let exchange = tokio::task::spawn_blocking(move || {
                let stream = TcpStream::connect(address).map_err(|_| verdict(unsent, "no connection"))?;
                (&stream)
                    .write_all(line.as_bytes())
                    .map_err(|_| verdict(Verdict::InDoubt, "broken"))?;
                let mut reply = String::new();
                BufReader::new(&stream)
                    .read_line(&mut reply)
                    .map_err(|_| verdict(Verdict::InDoubt, "broken"))?;
                if reply.ends_with('\n') {
                    // One write of a line to the end: whole, or not there, whoever else writes.
                    let mut book = std::fs::OpenOptions::new()
                        .append(true)
                        .create(true)
                        .open(read)
                        .unwrap();
                    book.write_all(reply.as_bytes()).unwrap();
                }
                Ok::<_, IssuerError>(reply)
            });
            let reply = exchange.await.unwrap()?;
            match reply.split_whitespace().collect::<Vec<_>>()[..] {
                [access, refresh] => Ok(tokens(access, refresh)),
                ["refused"] => Err(verdict(Verdict::Dead, "invalid_grant")),
                _ => Err(verdict(Verdict::InDoubt, "no reply")),
            }
        })
    }

    fn revoke(&self, _: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
        unreachable!()
    }
}

fn tokens(access: &str, refresh: &str) -> TokenReply {
    let mut reply = TokenReply::new(access);
    reply.refresh_token = Some(Secret::from(refresh));
    reply.expires_in = Some(HOUR);
    reply
}

/// Not a test of its own: what the other tests start as a process.
#[test]
fn child() {
    let Ok(store) = std::env::var("FINRAIL_TEST_CHILD_STORE") else {
        return;
    };
    let orders = orders();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (store, clock) = (
            open(&store).await,
            Arc::new(ManualClock::at(SystemTime::UNIX_EPOCH + HOUR)),
        );
        let mut handles: HashMap<String, TokenHandle> = HashMap::new();
        println!("\n# ready");
        loop {
            let order = tokio::task::block_in_place(|| orders.recv().unwrap());
            let words: Vec<_> = order.split(' ').collect();
            let grant = words.get(1).copied().unwrap_or_default().to_owned();
            let handle = handles.entry(grant.clone()).or_insert_with(|| {
                TokenHandle::builder(key(&grant), Remote::new(&grant), Renewal::Refresh)
                    .store(Arc::clone(&store))
                    .clock(Arc::clone(&clock) as Arc<dyn Clock>)
                    .rotation(Rotation::new(Some(true), None).reuse_revokes_family(true))
                    .request_timeout(Duration::from_secs(2))
                    .build()
            });
            match words[..] {
                ["login", _, access, refresh] => {
                    handle.adopt(tokens(access, refresh)).await.unwrap();
                    println!("# in");
                }
                // The parent says what time it is, and at that time all tokens have ended.
                ["call", _, at] => {
                    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(at.parse().unwrap());
                    clock.advance(at.duration_since(clock.wall()).unwrap());
                    println!("# {}", tell(handle).await);
                }
                ["call", _] => println!("# {}", tell(handle).await),
                // Works until it is killed.
                ["work", ..] => {
                    for grant in &words[1..] {
                        let handle = TokenHandle::builder(key(grant), Remote::new(grant), Renewal::Refresh)
                            .store(Arc::clone(&store))
                            .clock(Arc::clone(&clock) as Arc<dyn Clock>)
                            .rotation(Rotation::new(Some(true), None).reuse_revokes_family(true))
                            .request_timeout(Duration::from_secs(2))
                            .build();
                        let clock = Arc::clone(&clock);
                        tokio::spawn(async move {
                            loop {
                                let _ = handle.fresh().await;
                                clock.advance(HOUR);
                            }
                        });
                    }
                    println!("# working");
                }
                _ => panic!("{order}"),
            }
        }
    });
}

async fn tell(handle: &TokenHandle) -> String {
    for _ in 0..200 {
        match handle.fresh().await {
            Ok(bearer) => return format!("ok {}", bearer.header.to_str().unwrap()),
            Err(Error::ReauthorizationRequired { reason, .. }) => return format!("over {reason:?}"),
            Err(error) if error.is_retryable() => tokio::time::sleep(Duration::from_millis(100)).await,
            Err(error) => return format!("error {error:?}"),
        }
    }
    "error retried too often".to_owned()
}

// ---- the parent ----

fn start(store: &str, server: &Server) -> Process {
    let read = server.read.to_str().unwrap();
    let settings = [
        ("FINRAIL_TEST_CHILD_SERVER", server.address.as_str()),
        ("FINRAIL_TEST_CHILD_READ", read),
    ];
    Process::start(store, &settings)
}

/// Chance, and the same chance every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// What the store holds for a grant.
fn stored(store: &str, grant: &str) -> Record {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let stored = open(store).await.load(&key(grant)).await.unwrap().unwrap();
        Record::decode(&stored.bytes).unwrap()
    })
}

/// What became of the last reply of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stored,
    /// A client read it, and was killed before it was stored.
    NeverStored,
    /// No client read it.
    LostOnTheWire,
}

fn fate(server: &Server, store: &str, grant: &str) -> Fate {
    let state = server.grant(grant);
    let record = stored(store, grant);
    let token = record.tokens.as_ref().and_then(|tokens| tokens.refresh_token.as_ref());
    if token.is_some_and(|token| token.expose_secret() == state.current) {
        return Fate::Stored;
    }
    let replies = std::fs::read_to_string(&server.read).unwrap_or_default();
    let was_read = replies
        .lines()
        .any(|reply| reply.split(' ').nth(1) == Some(&state.current));
    if was_read {
        Fate::NeverStored
    } else {
        Fate::LostOnTheWire
    }
}

/// A call at a time at which the tokens of the round before have ended.
fn call(grant: &str, round: u64) -> String {
    format!("call {grant} {}", (2 + 2 * round) * HOUR.as_secs())
}

/// 8 processes, all tokens end at once, one refresh per round.
fn eight_processes_fifty_rounds(store: &str) {
    let server = Server::start(Duration::from_millis(5));
    let grant = format!("herd-{}", nanos());
    let mut processes: Vec<_> = (0..8).map(|_| start(store, &server)).collect();
    assert_eq!(processes[0].ask(&server.login(&grant)), "in");
    for process in &mut processes {
        assert_eq!(process.ask(&format!("call {grant}")), "ok Bearer A1");
    }
    for round in 1..=50 {
        for process in &mut processes {
            process.order(&call(&grant, round));
        }
        let answers: Vec<_> = processes.iter().map(Process::answer).collect();
        assert_eq!(answers, vec![format!("ok Bearer A{}", round + 1); 8], "round {round}");
        assert_eq!(server.grant(&grant).requests, round, "round {round}");
    }
    processes.into_iter().for_each(Process::kill);
}

#[test]
fn eight_processes_refresh_once_per_round_on_files() {
    let directory = Directory::new("herd");
    eight_processes_fifty_rounds(&directory.store());
}

#[cfg(feature = "redis")]
#[test]
fn eight_processes_refresh_once_per_round_on_redis() {
    if let Some(address) = server_support::address("REDIS_URL") {
        eight_processes_fifty_rounds(&format!("redis {address}"));
    }
}

#[cfg(feature = "postgres")]
#[test]
fn eight_processes_refresh_once_per_round_on_postgres() {
    if let Some(store) = process_support::postgres() {
        eight_processes_fifty_rounds(&store);
    }
}

/// Killed a hundred times during refreshes, against a server without grace: as many consents are lost as replies were
/// lost on the wire or never stored because of the kill, no other, and each of them is reported as that.
#[test]
fn a_hundred_kills_lose_what_the_wire_lost_and_say_so() {
    let directory = Directory::new("hundred");
    let store = directory.store();
    let server = Server::start(Duration::from_millis(3));
    let grant = "hundred";
    let mut dice = Dice(7);
    let mut process = start(&store, &server);
    assert_eq!(process.ask(&server.login(grant)), "in");
    let (mut lost_on_the_wire, mut never_stored, mut reported) = (0, 0, 0);
    for kill in 0..100 {
        process.order(&call(grant, 2 * kill));
        std::thread::sleep(Duration::from_micros(dice.below(14_000)));
        process.kill();
        server.settle();
        let fate = fate(&server, &store, grant);
        process = start(&store, &server);
        let answer = process.ask(&call(grant, 2 * kill + 1));
        let lost = format!("over {:?}", ReauthorizationReason::LostReply);
        reported += u32::from(answer == lost);
        match fate {
            Fate::Stored => assert!(answer.starts_with("ok "), "kill {kill}: {answer}"),
            Fate::LostOnTheWire => lost_on_the_wire += 1,
            Fate::NeverStored => never_stored += 1,
        }
        if fate != Fate::Stored {
            assert_eq!(answer, lost, "kill {kill}: {fate:?}");
            assert_eq!(process.ask(&server.login(grant)), "in");
        }
    }
    process.kill();
    eprintln!(
        "100 kills: {lost_on_the_wire} replies lost on the wire, {never_stored} read and never stored; \
         {reported} consents reported as lost"
    );
    assert_eq!(reported, lost_on_the_wire + never_stored);
    assert!(
        lost_on_the_wire > 0 && reported < 100,
        "the kills must hit at different moments: {lost_on_the_wire}, {never_stored}"
    );
}

/// Processes that share connections are killed at random; afterwards every connection works, or a reply was lost.
fn random_kills(store: &str, kills: usize) {
    let server = Server::start(Duration::from_millis(2));
    let grants: Vec<_> = (0..6).map(|number| format!("kill-{number}-{}", nanos())).collect();
    let mut dice = Dice(11);
    let mut first = start(store, &server);
    for grant in &grants {
        assert_eq!(first.ask(&server.login(grant)), "in");
    }
    first.kill();
    let work = format!("work {}", grants.join(" "));
    let start_working = || {
        let mut process = start(store, &server);
        assert_eq!(process.ask(&work), "working");
        process
    };
    let mut processes: Vec<_> = (0..4).map(|_| start_working()).collect();
    for _ in 0..kills {
        std::thread::sleep(Duration::from_millis(dice.below(60)));
        let victim = usize::try_from(dice.below(4)).unwrap();
        processes.swap_remove(victim).kill();
        processes.push(start_working());
    }
    processes.into_iter().for_each(Process::kill);
    server.settle();

    let mut last = start(store, &server);
    let mut fates = Vec::new();
    for grant in &grants {
        let fate = fate(&server, store, grant);
        // Later than the clocks of those who worked.
        let answer = last.ask(&call(grant, 1_000_000));
        match fate {
            Fate::Stored => assert!(answer.starts_with("ok "), "{grant}: {answer}"),
            _ => assert_eq!(
                answer,
                format!("over {:?}", ReauthorizationReason::LostReply),
                "{grant}: {fate:?}"
            ),
        }
        fates.push(fate);
    }
    last.kill();
    let of = |fate| fates.iter().filter(|found| **found == fate).count();
    eprintln!(
        "{kills} kills: of {} connections {} work, {} lost a reply on the wire, {} one that was never stored",
        grants.len(),
        of(Fate::Stored),
        of(Fate::LostOnTheWire),
        of(Fate::NeverStored)
    );
}

#[test]
fn random_kills_on_files() {
    let directory = Directory::new("kills");
    random_kills(&directory.store(), 30);
}

#[cfg(feature = "redis")]
#[test]
fn random_kills_on_redis() {
    if let Some(address) = server_support::address("REDIS_URL") {
        random_kills(&format!("redis {address}"), 8);
    }
}

#[cfg(feature = "postgres")]
#[test]
fn random_kills_on_postgres() {
    if let Some(store) = process_support::postgres() {
        random_kills(&store, 8);
    }
}
