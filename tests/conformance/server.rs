//! A server that does what a case says, and counts the requests whose heads arrived.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::refusing_server::{Refusal, RefusingServer};

/// What is done with a request.
#[derive(Clone, Debug)]
pub enum Act {
    /// These bytes are sent; `then` says what becomes of the connection.
    Send { reply: Vec<u8>, then: Then },
    /// The connection is closed before the request's body is read.
    CloseAtHead,
    /// The body is not read, and nothing is answered.
    NeverRead,
}

/// What becomes of a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Keep,
    Close,
    /// Nothing is sent any more, and it stays open.
    Silence,
}

/// Where the calls of a case go.
pub enum Server {
    Told(Told),
    /// It takes no request, over HTTP/2.
    Refusing(RefusingServer),
    /// Nobody listens there.
    Nobody(String),
    /// Somebody listens, and takes no connection.
    Full {
        origin: String,
        _listener: TcpListener,
        _waiting: Vec<TcpStream>,
    },
}

impl Server {
    pub async fn refusing(refusal: Refusal) -> Self {
        Self::Refusing(RefusingServer::start(refusal).await)
    }

    pub async fn nobody() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::Nobody(format!("http://{}", listener.local_addr().unwrap()))
    }

    /// A listener whose queue of connections is full, so that the system leaves a new one unanswered.
    pub async fn full() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        while let Ok(stream) =
            tokio::time::timeout(std::time::Duration::from_millis(200), TcpStream::connect(address)).await
        {
            waiting.push(stream.unwrap());
            assert!(waiting.len() < 64, "the queue does not fill up");
        }
        Self::Full {
            origin: format!("http://{address}"),
            _listener: listener,
            _waiting: waiting,
        }
    }

    pub fn origin(&self) -> &str {
        match self {
            Self::Told(told) => &told.origin,
            Self::Refusing(server) => &server.origin,
            Self::Nobody(origin) | Self::Full { origin, .. } => origin,
        }
    }

    /// How many requests have arrived, as far as their heads.
    pub fn arrived(&self) -> usize {
        match self {
            Self::Told(told) => told.arrived.load(Ordering::SeqCst),
            Self::Refusing(server) => server.arrived(),
            Self::Nobody(_) | Self::Full { .. } => 0,
        }
    }

    /// Waits until the connections that the server closes are closed.
    pub async fn settle(&self) {
        if let Self::Told(told) = self {
            while told.closing.load(Ordering::SeqCst) > 0 {
                tokio::task::yield_now().await;
            }
            // The other side sees the end when it looks at its socket, which it does when it has nothing else to do.
            for _ in 0..8 {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        }
    }
}

/// A request whose head arrived.
struct Seen {
    method: String,
    /// Where it came whole.
    body: String,
}

/// It answers in the order that it was told; the last answer stays.
pub struct Told {
    origin: String,
    arrived: Arc<AtomicUsize>,
    closing: Arc<AtomicUsize>,
    acts: Arc<Mutex<VecDeque<Act>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Told {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Told {
    /// Its answers may name its own address, so that they are told when it is known.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let told = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicUsize::new(0)),
            Arc::new(Mutex::new(VecDeque::new())),
            Arc::new(Mutex::new(Vec::new())),
        );
        let (arrived, closing, acts, seen) = told.clone();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(converse(
                    stream,
                    Arc::clone(&arrived),
                    Arc::clone(&closing),
                    Arc::clone(&acts),
                    Arc::clone(&seen),
                ));
            }
        });
        let (arrived, closing, acts, seen) = told;
        Self {
            origin,
            arrived,
            closing,
            acts,
            seen,
            task,
        }
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub fn tell(&self, acts: impl IntoIterator<Item = Act>) {
        *self.acts.lock().unwrap() = acts.into_iter().collect();
    }

    /// How many requests have arrived.
    pub fn arrived(&self) -> usize {
        self.arrived.load(Ordering::SeqCst)
    }

    /// How many arrived that ask for an effect.
    pub fn executions(&self) -> usize {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|seen| seen.method != "GET").count()
    }

    /// Whether the body of one that came whole has this in it.
    pub fn was_sent(&self, part: &str) -> bool {
        self.seen.lock().unwrap().iter().any(|seen| seen.body.contains(part))
    }
}

async fn converse(
    mut stream: TcpStream,
    arrived: Arc<AtomicUsize>,
    closing: Arc<AtomicUsize>,
    acts: Arc<Mutex<VecDeque<Act>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
) -> std::io::Result<()> {
    let mut unread = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut unread).await? == 0 {
                return Ok(());
            }
        };
        let head = String::from_utf8_lossy(&unread[..end]).to_ascii_lowercase();
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .map_or(0, |value| value.trim().parse().unwrap());
        arrived.fetch_add(1, Ordering::SeqCst);
        let method = String::from_utf8_lossy(&unread[..end])
            .split(' ')
            .next()
            .unwrap()
            .to_owned();
        let index = {
            let mut seen = seen.lock().unwrap();
            seen.push(Seen {
                method,
                body: String::new(),
            });
            seen.len() - 1
        };
        let act = {
            let mut acts = acts.lock().unwrap();
            match acts.len() {
                1 => acts[0].clone(),
                _ => acts.pop_front().expect("the server was told what to do"),
            }
        };
        let (reply, then) = match act {
            Act::CloseAtHead => return Ok(()),
            Act::NeverRead => {
                std::future::pending::<()>().await;
                return Ok(());
            }
            Act::Send { reply, then } => (reply, then),
        };
        unread.drain(..end);
        while unread.len() < length {
            if stream.read_buf(&mut unread).await? == 0 {
                return Ok(());
            }
        }
        let body: Vec<u8> = unread.drain(..length).collect();
        seen.lock().unwrap()[index].body = String::from_utf8_lossy(&body).into_owned();
        if then == Then::Close {
            closing.fetch_add(1, Ordering::SeqCst);
        }
        let sent = stream.write_all(&reply).await;
        match then {
            Then::Keep => sent?,
            Then::Close => {
                let _ = stream.shutdown().await;
                drop(stream);
                closing.fetch_sub(1, Ordering::SeqCst);
                return Ok(());
            }
            Then::Silence => std::future::pending::<()>().await,
        }
    }
}
