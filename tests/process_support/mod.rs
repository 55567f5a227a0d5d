//! Processes that a test starts for itself: the test program again, for its test `child`, which does what it is told.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, SystemTime};

use finrail::token::TokenStore;
use finrail::token::store::FileStore;

/// A number that no other run has.
pub fn nanos() -> u128 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_nanos()
}

/// A store by its kind and where it is.
pub async fn open(store: &str) -> Arc<dyn TokenStore> {
    match store.split_once(' ').unwrap() {
        ("file", directory) => Arc::new(FileStore::open(directory).unwrap()),
        #[cfg(feature = "redis")]
        ("redis", address) => Arc::new(finrail::token::store::RedisStore::connect(address).await.unwrap()),
        #[cfg(feature = "postgres")]
        ("postgres", address) => Arc::new(finrail::token::store::PostgresStore::connect(address).await.unwrap()),
        other => panic!("{other:?}"),
    }
}

/// In a child: what the parent wants, line by line.
pub fn orders() -> Receiver<String> {
    let (commands, orders) = channel::<String>();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            commands.send(line.unwrap()).unwrap();
        }
        // The parent is gone.
        std::process::exit(0);
    });
    orders
}

pub struct Process {
    child: Child,
    orders: ChildStdin,
    answers: Receiver<String>,
}

impl Process {
    /// `server`: where the authorization server is, and where what was read of it is written down.
    pub fn start(store: &str, server: &str, read: &std::path::Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--nocapture", "--test-threads=1"])
            .env("FINRAIL_TEST_CHILD_STORE", store)
            .env("FINRAIL_TEST_CHILD_SERVER", server)
            .env("FINRAIL_TEST_CHILD_READ", read)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, answers) = channel();
        let stdout = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(answer) = line.strip_prefix("# ") {
                    let _ = sender.send(answer.to_owned());
                }
            }
        });
        let process = Self {
            orders: child.stdin.take().unwrap(),
            child,
            answers,
        };
        assert_eq!(process.answer(), "ready");
        process
    }

    pub fn order(&mut self, order: &str) {
        self.orders.write_all(format!("{order}\n").as_bytes()).unwrap();
    }

    pub fn answer(&self) -> String {
        match self.answers.recv_timeout(Duration::from_secs(60)) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => panic!("a child hangs"),
            Err(RecvTimeoutError::Disconnected) => panic!("a child died"),
        }
    }

    pub fn ask(&mut self, order: &str) -> String {
        self.order(order);
        self.answer()
    }

    /// `kill -9`
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

pub struct Directory(pub PathBuf);

impl Directory {
    pub fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("finrail-{name}-{}", std::process::id())))
    }

    pub fn store(&self) -> String {
        format!("file {}", self.0.display())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// PostgreSQL, with its table.
#[cfg(feature = "postgres")]
pub fn postgres() -> Option<String> {
    let address = super::server_support::address("DATABASE_URL")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = finrail::token::store::PostgresStore::connect(&address).await.unwrap();
        store.migrate().await.unwrap();
    });
    Some(format!("postgres {address}"))
}
