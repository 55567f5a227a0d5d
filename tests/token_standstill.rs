//! Real processes that stand still, are killed, or whose store loses what it holds, in the middle of a refresh.
//!
//! The children are this very program, started again for the test `child`: an `App` with the real HTTP client. Their
//! token endpoint is in the parent. It rotates, has no grace, and ends a grant when a spent refresh token comes back;
//! what came and what was spent is counted there, and not by what the library says.
//!
//! Times that are asserted are upper bounds of waits, which belong to what the library promises, and half as long
//! again for slow machines. Whatever else waits here waits as long as it takes.
#![cfg(all(feature = "file", feature = "mx", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod process_support;
mod server_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use finrail::mx;
use finrail::oauth::ExistingTokens;
use finrail::token::{Clock, Error, ReauthorizationReason, Rejection, SystemClock, TokenHandle};
use process_support::standstill::{Moment, Standstill, Stopping};
use process_support::token_endpoint::{Endpoint, access_token};
use process_support::{Directory, Process, nanos, open, orders};

// ---- the child ----

/// The system's clocks, and how much later it is said to be.
#[derive(Default)]
struct Later(AtomicU64);

impl Later {
    fn by(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

impl Clock for Later {
    fn wall(&self) -> SystemTime {
        SystemClock.wall() + self.by()
    }

    fn monotonic(&self) -> Duration {
        SystemClock.monotonic() + self.by()
    }
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
        let standstill = Standstill::default();
        let store = Arc::new(Stopping {
            store: open(&store).await,
            standstill: standstill.clone(),
        });
        let clock = Arc::new(Later::default());
        let mut app = None;
        println!("\n# ready");
        loop {
            let order = tokio::task::block_in_place(|| orders.recv().unwrap());
            let words: Vec<_> = order.split(' ').collect();
            let answer = match words[..] {
                ["stop", moment] => {
                    standstill.at(moment);
                    "armed".to_owned()
                }
                ["later", seconds] => {
                    clock.0.store(seconds.parse().unwrap(), Ordering::SeqCst);
                    "later".to_owned()
                }
                [what, ref rest @ ..] => {
                    let app = app.get_or_insert_with(|| application(&store, &clock, &standstill));
                    let tokens = connected(app, rest).await;
                    match what {
                        "open" => "in".to_owned(),
                        "call" => tell(&tokens).await,
                        "refuse" => {
                            let generation = tokens.fresh().await.unwrap().generation;
                            let _ = tokens.rejected(generation, Rejection::InvalidToken).await;
                            tell(&tokens).await
                        }
                        "serve" => serve(&tokens, rest[2]).await,
                        _ => panic!("{order}"),
                    }
                }
                [] => panic!("an empty order"),
            };
            println!("# {answer}");
        }
    });
}

fn application(store: &Arc<Stopping>, clock: &Arc<Later>, standstill: &Standstill) -> mx::App {
    let mut app = mx::App::builder()
        .base_url(std::env::var("FINRAIL_TEST_CHILD_SERVER").unwrap())
        .credentials(mx::Credentials::new("client", "secret"))
        .store(Arc::clone(store) as Arc<dyn finrail::token::TokenStore>)
        .clock(Arc::clone(clock) as Arc<dyn Clock>);
    if let Ok(timeout) = std::env::var("FINRAIL_TEST_CHILD_TIMEOUT") {
        let timeout = Duration::from_secs(timeout.parse().unwrap());
        // What a store lost is not sent before others had the time to look.
        app = app.token_request_timeout(timeout).look_again_every(timeout);
    }
    if standstill.next() == Some(Moment::Connecting) {
        // The usual client in all but one thing: it stands still where it asks for the address.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(standstill.clone());
        app = app.http_client(client.build().unwrap());
    }
    app.build().unwrap()
}

/// The tokens of a grant: `subject refresh-token`, and perhaps an access token and how many seconds it has left.
async fn connected(app: &mx::App, words: &[&str]) -> TokenHandle {
    let mut tokens = ExistingTokens::refresh_token(words[1]);
    if let [_, _, access, left] = words {
        let end = SystemTime::now() + Duration::from_secs(left.parse().unwrap());
        tokens = tokens.access_token(*access, Some(end.into()));
    }
    // What the store has wins, and nothing is written then.
    static OPENED: std::sync::Mutex<Vec<(String, TokenHandle)>> = std::sync::Mutex::new(Vec::new());
    let opened = OPENED
        .lock()
        .unwrap()
        .iter()
        .find(|(subject, _)| subject == words[0])
        .cloned();
    if let Some((_, tokens)) = opened {
        return tokens;
    }
    let tokens = app.import(words[0], tokens).await.unwrap().tokens().clone();
    OPENED.lock().unwrap().push((words[0].to_owned(), tokens.clone()));
    tokens
}

async fn tell(tokens: &TokenHandle) -> String {
    for _ in 0..600 {
        match tokens.fresh().await {
            Ok(bearer) => return bearer.header.to_str().unwrap().to_owned(),
            Err(Error::ReauthorizationRequired { reason, .. }) => return format!("over {reason:?}"),
            Err(error) if error.is_retryable() => tokio::time::sleep(Duration::from_millis(100)).await,
            Err(error) => return format!("error {error:?}"),
        }
    }
    "error retried too often".to_owned()
}

/// Calls again and again until there is another token: all of them have to be served.
async fn serve(tokens: &TokenHandle, first: &str) -> String {
    loop {
        match tokens.fresh().await {
            Ok(bearer) if bearer.header == format!("Bearer {first}") => {
                tokio::time::sleep(Duration::from_millis(50)).await
            }
            Ok(bearer) => return bearer.header.to_str().unwrap().to_owned(),
            Err(error) => return format!("not served: {error:?}"),
        }
    }
}

// ---- the parent ----

/// Where the processes of a scenario meet.
#[derive(Clone)]
struct Place {
    kind: &'static str,
    /// As a child reads it.
    store: String,
    endpoint: Arc<Endpoint>,
    /// Of a token request, in seconds; none: what an application has that says nothing.
    timeout: Option<&'static str>,
}

impl Place {
    /// Whether the store's lease is a lock that the operating system keeps, and not one that time ends.
    fn is_locked(&self) -> bool {
        self.kind == "file"
    }

    fn process(&self) -> Process {
        let mut settings = vec![("FINRAIL_TEST_CHILD_SERVER", self.endpoint.base_url.as_str())];
        settings.extend(self.timeout.map(|seconds| ("FINRAIL_TEST_CHILD_TIMEOUT", seconds)));
        Process::start(&self.store, &settings)
    }

    /// A new grant whose access token is over.
    fn grant(&self, name: &str) -> Grant {
        let name = format!("{name}-{}-{}", self.kind, nanos());
        let refresh_token = self.endpoint.login(&name);
        Grant {
            place: self.clone(),
            order: format!("{name} {refresh_token}"),
            name,
        }
    }
}

/// A grant, and what the processes are told of it.
struct Grant {
    place: Place,
    name: String,
    order: String,
}

impl Grant {
    /// The access token has so many seconds left.
    fn living(mut self, left: u64) -> Self {
        self.order = format!("{} {} {left}", self.order, access_token(&self.name, 1));
        self
    }

    fn order(&self, what: &str) -> String {
        format!("{what} {}", self.order)
    }

    /// A process that knows the grant.
    fn process(&self) -> Process {
        self.armed(None)
    }

    /// One that will stand still.
    fn armed(&self, moment: Option<Moment>) -> Process {
        let mut process = self.place.process();
        // Which moment it is decides how the application is made.
        if moment == Some(Moment::Connecting) {
            assert_eq!(process.ask("stop Connecting"), "armed");
        }
        assert_eq!(process.ask(&self.order("open")), "in");
        if let Some(moment) = moment {
            assert_eq!(process.ask(&format!("stop {}", moment.name())), "armed");
        }
        process
    }

    fn token(&self, number: u64) -> String {
        format!("Bearer {}", access_token(&self.name, number))
    }

    /// So many requests came, none of them with a spent token, and a process that knows nothing of all this goes on.
    fn lives(&self, requests: u64) {
        self.place.endpoint.assert_whole(&self.name, requests);
        let mut process = self.process();
        assert_eq!(
            process.ask(&self.order("call")),
            self.token(requests + 1),
            "{}",
            self.name
        );
        assert_eq!(
            process.ask(&self.order("refuse")),
            self.token(requests + 2),
            "{}",
            self.name
        );
        self.place.endpoint.assert_whole(&self.name, requests + 1);
    }
}

/// The stores that there are, with an endpoint.
struct Stores {
    directory: Directory,
    endpoint: Arc<Endpoint>,
}

impl Stores {
    fn new(name: &str) -> Self {
        Self {
            directory: Directory::new(name),
            endpoint: Endpoint::start(),
        }
    }

    fn places(&self, timeout: Option<&'static str>) -> Vec<Place> {
        let place = |kind, store| Place {
            kind,
            store,
            endpoint: Arc::clone(&self.endpoint),
            timeout,
        };
        #[cfg_attr(not(any(feature = "redis", feature = "postgres")), allow(unused_mut))]
        let mut places = vec![place("file", self.directory.store())];
        #[cfg(feature = "redis")]
        if let Some(address) = server_support::address("REDIS_URL") {
            places.push(place("redis", format!("redis {address}")));
        }
        #[cfg(feature = "postgres")]
        if let Some(store) = process_support::postgres() {
            places.push(place("postgres", store));
        }
        places
    }
}

/// What runs side by side, each with its name.
#[derive(Default)]
struct SideBySide(Vec<(String, std::thread::JoinHandle<()>)>);

impl SideBySide {
    fn run(&mut self, name: String, scenario: impl FnOnce() + Send + 'static) {
        let thread = std::thread::Builder::new().name(name.clone()).spawn(scenario).unwrap();
        self.0.push((name, thread));
    }

    fn end(self) {
        let outcomes = self.0.into_iter().map(|(name, thread)| (name, thread.join().is_ok()));
        let failed: Vec<_> = outcomes.filter(|(_, passed)| !passed).map(|(name, _)| name).collect();
        assert!(failed.is_empty(), "these failed: {failed:?}");
    }
}

/// Longer than a token request of the children may take: two seconds, and the two more that a handle gives it.
const STANDS: Duration = Duration::from_secs(5);
/// Longer than a lease of a store whose leases time ends.
const OUTLASTS_ITS_LEASE: Duration = Duration::from_secs(12);
const TIMEOUT: Option<&str> = Some("2");

/// One process, which stands still at a moment of its refresh, and goes on.
fn stands_still_alone(place: &Place, moment: Moment, length: Duration) {
    let grant = place.grant("alone");
    let mut process = grant.armed(Some(moment));
    process.order(&grant.order("call"));
    process.stands_still();
    std::thread::sleep(length);
    process.go_on();
    assert_eq!(process.answer(), grant.token(2));
    process.kill();
    grant.lives(1);
}

#[test]
fn before_its_request_leaves_a_process_stands_still_and_sends_no_spent_token() {
    let stores = Stores::new("before");
    let mut side_by_side = SideBySide::default();
    for place in stores.places(TIMEOUT) {
        for moment in [Moment::Leased, Moment::Intended, Moment::Connecting] {
            for length in [STANDS, OUTLASTS_ITS_LEASE] {
                let (place, name) = (place.clone(), format!("{} {moment:?} {length:?} alone", place.kind));
                side_by_side.run(name, move || stands_still_alone(&place, moment, length));
            }
            let (place, name) = (place.clone(), format!("{} {moment:?} with a sibling", place.kind));
            side_by_side.run(name, move || {
                let grant = place.grant("sibling");
                let mut sibling = grant.process();
                let mut process = grant.armed(Some(moment));
                process.order(&grant.order("call"));
                process.stands_still();
                sibling.order(&grant.order("call"));
                if place.is_locked() {
                    std::thread::sleep(STANDS);
                    process.go_on();
                    assert_eq!(sibling.answer(), grant.token(2));
                } else {
                    // It takes over, and spends what the other is about to send.
                    assert_eq!(sibling.answer(), grant.token(2));
                    process.go_on();
                }
                assert_eq!(process.answer(), grant.token(2));
                grant.lives(1);
            });
        }
    }
    side_by_side.end();
}

/// How much of a reply comes before its reader stands still, how much meanwhile, the rest after that.
#[derive(Clone, Copy, Debug)]
enum Reply {
    ComesMeanwhile,
    HalfBefore,
    ComesAfter,
}

#[test]
fn a_reply_that_comes_while_its_reader_stands_still_is_read_and_used() {
    let stores = Stores::new("meanwhile");
    let mut side_by_side = SideBySide::default();
    for place in stores.places(TIMEOUT) {
        for reply in [Reply::ComesMeanwhile, Reply::HalfBefore, Reply::ComesAfter] {
            for with_a_sibling in [false, true] {
                let (place, name) = (place.clone(), format!("{} {reply:?} {with_a_sibling}", place.kind));
                side_by_side.run(name, move || {
                    let grant = place.grant("reply");
                    let gate = place.endpoint.hold(&grant.name);
                    let mut sibling = with_a_sibling.then(|| grant.process());
                    let mut process = grant.process();
                    process.order(&grant.order("call"));
                    gate.arrived();
                    if let Reply::HalfBefore = reply {
                        gate.half();
                    }
                    process.stop();
                    match reply {
                        Reply::ComesMeanwhile => gate.whole(),
                        Reply::HalfBefore => gate.half(),
                        Reply::ComesAfter => {}
                    }
                    if let Some(sibling) = &mut sibling {
                        sibling.order(&grant.order("call"));
                    }
                    let takes_over = with_a_sibling && !place.is_locked();
                    std::thread::sleep(if takes_over { OUTLASTS_ITS_LEASE } else { STANDS });
                    process.go_on();
                    if let Reply::ComesAfter = reply {
                        std::thread::sleep(Duration::from_millis(500));
                        gate.whole();
                    }
                    assert_eq!(process.answer(), grant.token(2));
                    if let Some(sibling) = sibling {
                        assert_eq!(sibling.answer(), grant.token(2));
                    }
                    process.kill();
                    grant.lives(1);
                });
            }
        }
    }
    side_by_side.end();
}

#[test]
fn tokens_that_were_read_before_a_standstill_are_stored_after_it() {
    let stores = Stores::new("unstored");
    let mut side_by_side = SideBySide::default();
    for place in stores.places(TIMEOUT) {
        for length in [STANDS, OUTLASTS_ITS_LEASE] {
            let (place, name) = (place.clone(), format!("{} {length:?} alone", place.kind));
            side_by_side.run(name, move || stands_still_alone(&place, Moment::Committing, length));
        }
        let (place, name) = (place.clone(), format!("{} with a sibling", place.kind));
        side_by_side.run(name, move || {
            let grant = place.grant("sibling");
            let mut sibling = grant.process();
            let mut process = grant.armed(Some(Moment::Committing));
            process.order(&grant.order("call"));
            process.stands_still();
            sibling.order(&grant.order("call"));
            // Past its lease, and not past the patience of the sibling.
            std::thread::sleep(if place.is_locked() { STANDS } else { OUTLASTS_ITS_LEASE });
            process.go_on();
            assert_eq!(process.answer(), grant.token(2));
            assert_eq!(sibling.answer(), grant.token(2));
            process.kill();
            grant.lives(1);
        });
    }
    side_by_side.end();
}

/// Where a process is killed, and what became of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Killed {
    /// It had its lease, and nothing had left.
    Before,
    /// The request had left, and the server never took it.
    Untaken,
    /// The server took it, and nobody is left to read its reply: the consent is lost with it.
    Unread,
}

impl Killed {
    /// How long a sibling waits at most, with the times that an application has by default: 30 seconds for a token
    /// request, two more for what a handle does with it, five to store what it brought, one between two looks.
    fn longest_wait(self, place: &Place) -> Duration {
        Duration::from_secs(match self {
            // The operating system has taken the lock back.
            _ if place.is_locked() => 3,
            Self::Before => 15,
            Self::Untaken | Self::Unread => 30 + 2 + 5 + 1,
        })
    }
}

#[test]
fn a_sibling_of_a_killed_process_goes_on_in_time_and_serves_what_lives() {
    let stores = Stores::new("killed");
    let mut side_by_side = SideBySide::default();
    for place in stores.places(None) {
        for (killed, left) in [
            (Killed::Before, None),
            (Killed::Untaken, None),
            (Killed::Unread, None),
            (Killed::Before, Some(35)),
            (Killed::Untaken, Some(35)),
        ] {
            let (place, name) = (place.clone(), format!("{} {killed:?} {left:?}", place.kind));
            side_by_side.run(name, move || sibling_of_a_killed_process(&place, killed, left));
        }
    }
    side_by_side.end();
}

/// `left`: how many seconds the access token has left, of its hour.
fn sibling_of_a_killed_process(place: &Place, killed: Killed, left: Option<u64>) {
    let hour = 3600;
    let grant = place.grant("killed");
    let grant = if left.is_some() { grant.living(hour) } else { grant };
    let gate = match killed {
        Killed::Before => None,
        Killed::Untaken => Some(place.endpoint.ignore(&grant.name)),
        Killed::Unread => Some(place.endpoint.hold(&grant.name)),
    };
    let mut process = grant.armed((killed == Killed::Before).then_some(Moment::Leased));
    let mut sibling = grant.process();
    if let Some(left) = left {
        let later = format!("later {}", hour - left);
        assert_eq!(process.ask(&later), "later");
        assert_eq!(sibling.ask(&later), "later");
    }
    process.order(&grant.order("call"));
    match &gate {
        None => process.stands_still(),
        Some(gate) => gate.arrived(),
    }
    process.kill();
    let began = Instant::now();
    sibling.order(&grant.order(if left.is_some() { "serve" } else { "call" }));
    let answer = sibling.answer_within(Duration::from_secs(120));
    let (took, longest) = (began.elapsed(), killed.longest_wait(place));
    if killed == Killed::Unread {
        assert_eq!(answer, format!("over {:?}", ReauthorizationReason::LostReply));
    } else {
        assert_eq!(answer, grant.token(2));
    }
    // What serves is not put at risk by a question that need not be asked: the new token comes when it has ended, and the
    // sender has been given time once more.
    let longest = match left {
        Some(left) if killed == Killed::Untaken => longest.max(Duration::from_secs(left + 5)),
        _ => longest,
    };
    assert!(took <= longest * 3 / 2, "{took:?} instead of {longest:?}");
    eprintln!(
        "killed {killed:?} on {}, {left:?} s left: {took:.1?} of {longest:?}",
        place.kind
    );
}

/// What a store loses, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// FLUSHALL, TRUNCATE, deleted files.
    Everything,
    /// The second half of every record.
    Halves,
}

/// A store of its own that loses what it holds.
struct Losing {
    place: Place,
    keeps: Keeps,
}

/// What keeps the records of a store.
enum Keeps {
    Files(Directory),
    #[cfg(feature = "redis")]
    Redis {
        port: u16,
        _server: server_support::Server,
        _scratch: server_support::Scratch,
    },
    #[cfg(feature = "postgres")]
    Postgres {
        address: String,
        schema: String,
    },
}

impl Losing {
    /// One of each kind that there is.
    fn each(endpoint: &Arc<Endpoint>) -> Vec<Self> {
        let name = format!("losing-{}", nanos());
        let directory = Directory::new(&name);
        let new = |kind, store, keeps| Self {
            place: Place {
                kind,
                store,
                endpoint: Arc::clone(endpoint),
                timeout: TIMEOUT,
            },
            keeps,
        };
        #[cfg_attr(not(any(feature = "redis", feature = "postgres")), allow(unused_mut))]
        let mut all = vec![new("file", directory.store(), Keeps::Files(directory))];
        #[cfg(feature = "redis")]
        if let Some([program]) = server_support::programs(["redis-server"]) {
            let (port, scratch) = (server_support::free_port(), server_support::Scratch::new(&name));
            let mut command = std::process::Command::new(program);
            command.args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
            ]);
            command.arg(&scratch.0);
            let server = server_support::Server::start(&mut command, &scratch.path("log"), port);
            let keeps = Keeps::Redis {
                port,
                _server: server,
                _scratch: scratch,
            };
            all.push(new("redis", format!("redis redis://127.0.0.1:{port}"), keeps));
        }
        #[cfg(feature = "postgres")]
        if let Some(address) = server_support::address("DATABASE_URL") {
            let schema = name.replace('-', "_");
            sql(&address, &format!("CREATE SCHEMA {schema}"));
            let store = format!("postgres {address} {schema}");
            process_support::migrated(&address, &schema);
            all.push(new("postgres", store, Keeps::Postgres { address, schema }));
        }
        all
    }

    fn lose(&self, loss: Loss) {
        match (&self.keeps, loss) {
            (Keeps::Files(directory), loss) => lose_files(directory, loss),
            #[cfg(feature = "redis")]
            (Keeps::Redis { port, .. }, Loss::Everything) => redis(*port, "FLUSHALL"),
            #[cfg(feature = "redis")]
            (Keeps::Redis { port, .. }, Loss::Halves) => redis(
                *port,
                "EVAL \"for _, key in ipairs(redis.call('KEYS', '*')) do \
                 local record = redis.call('HGET', key, 'record') \
                 redis.call('HSET', key, 'record', string.sub(record, 1, #record / 2)) end\" 0",
            ),
            #[cfg(feature = "postgres")]
            (Keeps::Postgres { address, schema }, Loss::Everything) => {
                sql(address, &format!("TRUNCATE {schema}.finrail_token"));
            }
            #[cfg(feature = "postgres")]
            (Keeps::Postgres { address, schema }, Loss::Halves) => {
                let half = "substring(record FROM 1 FOR length(record) / 2)";
                sql(address, &format!("UPDATE {schema}.finrail_token SET record = {half}"));
            }
        }
    }
}

#[cfg(feature = "postgres")]
impl Drop for Losing {
    fn drop(&mut self) {
        if let Keeps::Postgres { address, schema } = &self.keeps {
            sql(address, &format!("DROP SCHEMA {schema} CASCADE"));
        }
    }
}

fn lose_files(directory: &Directory, loss: Loss) {
    for file in std::fs::read_dir(directory.0.join("finrail-tokens")).unwrap() {
        let path = file.unwrap().path();
        if loss == Loss::Everything {
            std::fs::remove_file(path).unwrap();
        } else if path.extension().is_some_and(|extension| extension == "token") {
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }
    }
}

#[cfg(feature = "redis")]
fn redis(port: u16, command: &str) {
    use std::io::{BufRead as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    std::io::BufReader::new(stream).read_line(&mut answer).unwrap();
    assert!(!answer.starts_with('-'), "{command}: {answer}");
}

#[cfg(feature = "postgres")]
fn sql(address: &str, statements: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(address, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(statements).await.unwrap();
    });
}

/// How far a refresh is when its store loses what it holds.
#[derive(Clone, Copy, Debug)]
enum During {
    /// The process stands still here, and goes on.
    Standstill(Moment),
    /// The same, and it goes on when its sibling has taken over.
    Overtaken(Moment),
    /// Its request has been taken, and the reply is under way.
    Request,
}

fn lost_during_a_refresh(loss: Loss) {
    let endpoint = Endpoint::start();
    let mut side_by_side = SideBySide::default();
    for during in [
        During::Standstill(Moment::Leased),
        During::Standstill(Moment::Intended),
        During::Request,
        During::Standstill(Moment::Committing),
        During::Overtaken(Moment::Leased),
        During::Overtaken(Moment::Intended),
        During::Overtaken(Moment::Connecting),
    ] {
        for losing in Losing::each(&endpoint) {
            let overtaken = matches!(during, During::Overtaken(_));
            // A record that is cut has its lease still. A lock outlives its file, and no time ends it.
            if overtaken && (loss == Loss::Halves || losing.place.is_locked()) {
                continue;
            }
            let name = format!("{} {loss:?} {during:?}", losing.place.kind);
            side_by_side.run(name, move || {
                let grant = losing.place.grant("lost");
                let mut sibling = grant.process();
                let (mut process, gate) = match during {
                    During::Standstill(moment) | During::Overtaken(moment) => (grant.armed(Some(moment)), None),
                    During::Request => (grant.process(), Some(losing.place.endpoint.hold(&grant.name))),
                };
                process.order(&grant.order("call"));
                match &gate {
                    Some(gate) => gate.arrived(),
                    None => process.stands_still(),
                }
                losing.lose(loss);
                sibling.order(&grant.order("call"));
                // The sibling finds what is left, and puts back what it knows.
                match during {
                    During::Overtaken(_) => assert_eq!(sibling.answer(), grant.token(2)),
                    _ => std::thread::sleep(Duration::from_millis(500)),
                }
                match &gate {
                    Some(gate) => gate.whole(),
                    None => process.go_on(),
                }
                assert_eq!(process.answer(), grant.token(2));
                if !matches!(during, During::Overtaken(_)) {
                    assert_eq!(sibling.answer(), grant.token(2));
                }
                drop((process, sibling));
                grant.lives(1);
            });
        }
    }
    side_by_side.end();
}

#[test]
fn a_store_that_loses_everything_during_a_refresh_gets_it_back() {
    lost_during_a_refresh(Loss::Everything);
}

#[test]
fn a_record_that_is_cut_during_a_refresh_is_put_back() {
    lost_during_a_refresh(Loss::Halves);
}
