//! Processes that a test starts for itself: the test program again, for its test `child`, which does what it is told.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(feature = "mx")]
pub mod standstill;
#[cfg(feature = "mx")]
pub mod token_endpoint;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, SystemTime};

use finrail::token::TokenStore;
use finrail::token::store::FileStore;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// A number that no other run has.
pub fn nanos() -> u128 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_nanos()
}

/// A store by its kind and where it is; in PostgreSQL perhaps in a schema of its own.
pub async fn open(store: &str) -> Arc<dyn TokenStore> {
    match store.split_once(' ').unwrap() {
        ("file", directory) => Arc::new(FileStore::open(directory).unwrap()),
        #[cfg(feature = "redis")]
        ("redis", address) => Arc::new(finrail::token::store::RedisStore::connect(address).await.unwrap()),
        #[cfg(feature = "postgres")]
        ("postgres", address) => {
            let (address, schema) = address.split_once(' ').unwrap_or((address, "public"));
            let store = finrail::token::store::PostgresStore::builder(address).schema(schema);
            Arc::new(store.connect().await.unwrap())
        }
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
    /// `settings`: what else it is to know, as environment variables.
    pub fn start(store: &str, settings: &[(&str, &str)]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--nocapture", "--test-threads=1"])
            .env("FINRAIL_TEST_CHILD_STORE", store)
            .envs(settings.iter().copied())
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
        self.answer_within(Duration::from_secs(60))
    }

    pub fn answer_within(&self, limit: Duration) -> String {
        match self.answers.recv_timeout(limit) {
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

    /// SIGSTOP
    pub fn stop(&self) {
        kill_process(Pid::from_child(&self.child), Signal::STOP).unwrap();
        self.stands_still();
    }

    /// Waits until it has stopped, by whomever.
    pub fn stands_still(&self) {
        let options = WaitOptions::UNTRACED | WaitOptions::NOHANG;
        for _ in 0..6000 {
            if let Some((_, status)) = waitpid(Some(Pid::from_child(&self.child)), options).unwrap() {
                assert!(status.stopped(), "a child ended");
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("a child does not stand still");
    }

    /// SIGCONT
    pub fn go_on(&self) {
        kill_process(Pid::from_child(&self.child), Signal::CONT).unwrap();
    }
}

/// One that stands still would stay when its test has failed.
impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
    migrated(&address, "public");
    Some(format!("postgres {address}"))
}

/// Makes the table in a schema of PostgreSQL.
#[cfg(feature = "postgres")]
pub fn migrated(address: &str, schema: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = finrail::token::store::PostgresStore::builder(address).schema(schema);
        store.connect().await.unwrap().migrate().await.unwrap();
    });
}
