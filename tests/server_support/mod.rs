//! Servers that a test starts for itself on loopback, and ends.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use finrail::token::TokenStore;
use finrail::token::store::contract;

/// Runs the contract kit.
pub async fn check(store: impl TokenStore, sibling: impl TokenStore) {
    if let Err(violation) = contract::check(Arc::new(store), Arc::new(sibling)).await {
        panic!(
            "{violation} ({:?})",
            std::error::Error::source(&violation).map(ToString::to_string)
        );
    }
}

/// Says that a test did not run. Where FINRAIL_REQUIRE_SERVERS is set, that is a failure.
pub fn skip(why: &str) {
    assert!(
        std::env::var_os("FINRAIL_REQUIRE_SERVERS").is_none(),
        "{why}, and FINRAIL_REQUIRE_SERVERS is set"
    );
    eprintln!("SKIPPED: {why}");
}

/// The address of a server that runs already.
pub fn address(variable: &str) -> Option<String> {
    let address = std::env::var(variable).ok();
    if address.is_none() {
        skip(&format!("{variable} is not set"));
    }
    address
}

/// Where these programs are; none: one is not installed, and the test is skipped.
pub fn programs<const N: usize>(names: [&str; N]) -> Option<[PathBuf; N]> {
    let mut found = Vec::new();
    for name in names {
        let Some(path) = program(name) else {
            skip(&format!("{name} is not installed"));
            return None;
        };
        found.push(path);
    }
    found.try_into().ok()
}

fn program(name: &str) -> Option<PathBuf> {
    // Debian keeps the programs of a PostgreSQL server out of the path, by version: the newest one.
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    folders.push("/usr/sbin".into());
    folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// A directory that goes away.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("finrail-{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).into_os_string().into_string().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A port of loopback that nobody uses, neither it nor the one 10000 above, which is the bus of a Redis cluster. Both are
/// below 32768, from where on systems give ports away by themselves.
pub fn free_port() -> u16 {
    let seed = std::process::id() as u16;
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed) as u16;
        let port = 12_000 + seed.wrapping_mul(61).wrapping_add(number) % 10_000;
        let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if free(port) && free(port + 10_000) {
            return port;
        }
    }
}

/// A server that ends with its test.
pub struct Server(Child);

impl Server {
    /// Starts it, and waits until it answers on its port.
    pub fn start(command: &mut Command, log: &str, port: u16) -> Self {
        let output = std::fs::File::create(log).unwrap();
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output);
        let mut server = Self(command.spawn().unwrap());
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = server.0.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "{command:?} does not answer ({ended:?}): {}",
                std::fs::read_to_string(log).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(None)) {
            return;
        }
        // An interrupt lets PostgreSQL end its own children.
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program to its end.
pub fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{command:?}: {text}");
    text
}

/// `ca.pem`, and `server.pem` with `server.key` for localhost and 127.0.0.1.
pub fn certificates(openssl: &Path, folder: &Scratch) {
    let new = |name: &str| {
        let mut command = Command::new(openssl);
        command.args([
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ]);
        command.args([
            "-subj",
            &format!("/CN={name}"),
            "-keyout",
            &folder.path(&format!("{name}.key")),
        ]);
        command
    };
    run(new("ca")
        .args(["-x509", "-days", "2", "-out", &folder.path("ca.pem")])
        .args(["-addext", "keyUsage=critical,keyCertSign"]));
    run(new("server").args(["-out", &folder.path("server.csr")]));
    std::fs::write(
        folder.path("server.ext"),
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n",
    )
    .unwrap();
    run(Command::new(openssl)
        .args(["x509", "-req", "-days", "2", "-CAcreateserial"])
        .args(["-in", &folder.path("server.csr"), "-out", &folder.path("server.pem")])
        .args(["-CA", &folder.path("ca.pem"), "-CAkey", &folder.path("ca.key")])
        .args(["-extfile", &folder.path("server.ext")]));
}

/// PostgreSQL and its poolers refuse to run as root; there is a user for them.
#[cfg(unix)]
pub fn as_postgres(command: &mut Command, folder: &Scratch) {
    use std::os::unix::fs::{MetadataExt as _, chown};
    use std::os::unix::process::CommandExt as _;
    // What this process writes belongs to whom it runs as.
    let written = folder.path("owner");
    std::fs::write(&written, "").unwrap();
    let owner = std::fs::metadata(&written).unwrap().uid();
    std::fs::remove_file(&written).unwrap();
    if owner != 0 {
        return;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let user = users.lines().find(|line| line.starts_with("postgres:"));
    let mut fields = user.expect("a user named postgres").split(':').skip(2);
    let mut id = || fields.next().unwrap().parse::<u32>().unwrap();
    let (uid, gid) = (id(), id());
    let entries = std::fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().path());
    for path in entries.chain([folder.0.clone()]) {
        chown(path, Some(uid), Some(gid)).unwrap();
    }
    command.uid(uid).gid(gid).current_dir(&folder.0);
}
