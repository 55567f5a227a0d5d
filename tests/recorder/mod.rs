//! A server on loopback that writes down every request to the byte and answers as it is told.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// A request as it came over the wire.
#[derive(Clone)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub fn query(&self) -> Vec<(String, String)> {
        pairs(self.target.split_once('?').map_or("", |(_, query)| query))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn form(&self) -> Vec<(String, String)> {
        pairs(self.text())
    }

    pub fn field(&self, name: &str) -> Option<String> {
        self.form().into_iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }
}

pub fn pairs(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A whole reply.
    Reply {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// Pieces of a reply with pauses before them; then the connection closes.
    Pieces(Vec<(Duration, Vec<u8>)>),
    /// The connection closes without a reply.
    Drop,
    /// No reply, ever.
    Silence,
}

impl Answer {
    pub fn json(text: impl Into<String>) -> Self {
        Self::status(200, text)
    }

    pub fn status(status: u16, text: impl Into<String>) -> Self {
        Self::typed(status, "application/json", text.into())
    }

    pub fn html(status: u16, text: impl Into<String>) -> Self {
        Self::typed(status, "text/html; charset=utf-8", text.into())
    }

    pub fn typed(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::Reply {
            status,
            headers: vec![("content-type".into(), media_type.into())],
            body: body.into(),
        }
    }

    pub fn empty(status: u16) -> Self {
        Self::Reply {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub fn redirect(status: u16, location: impl Into<String>) -> Self {
        Self::empty(status).header("location", location)
    }

    /// 401 that says that the token is the reason (RFC 6750 section 3.1).
    pub fn invalid_token() -> Self {
        Self::status(401, "{}").header("www-authenticate", r#"Bearer realm="bank", error="invalid_token""#)
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        if let Self::Reply { headers, .. } = &mut self {
            headers.push((name.into(), value.into()));
        }
        self
    }
}

/// A running server. It answers until it is dropped.
pub struct Recorder {
    origin: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Recorder {
    /// Answers each request as the function says; it also gets how many came before.
    pub async fn start(answer: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let book = Arc::clone(&seen);
        let answer = Arc::new(answer);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(converse(stream, Arc::clone(&book), Arc::clone(&answer)));
            }
        });
        Self { origin, seen, task }
    }

    /// Answers in this order; the last answer stays.
    pub async fn in_order(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers: Vec<Answer> = answers.into_iter().collect();
        Self::start(move |_, before| answers[before.min(answers.len() - 1)].clone()).await
    }

    /// Answers token requests (a POST whose path ends in `/token`) with the first function, all others with the second.
    /// Each gets how many requests of its kind came before.
    pub async fn with_tokens(
        token: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static,
        other: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let counts = Mutex::new((0, 0));
        Self::start(move |seen, _| {
            let mut counts = counts.lock().unwrap();
            if seen.path().ends_with("/token") {
                counts.0 += 1;
                token(seen, counts.0 - 1)
            } else {
                counts.1 += 1;
                other(seen, counts.1 - 1)
            }
        })
        .await
    }

    /// Answers token requests with `token-1`, `token-2`, ... that live an hour, all others with the function.
    pub async fn granting(other: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::with_tokens(|_, before| Answer::json(token(before + 1)), other).await
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The same path on this server as in a real URL.
    pub fn instead_of(&self, url: &str) -> String {
        format!(
            "{}{}",
            self.origin,
            Url::parse(url).unwrap().path().trim_end_matches('/')
        )
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn token_requests(&self) -> Vec<Seen> {
        self.seen()
            .into_iter()
            .filter(|seen| seen.path().ends_with("/token"))
            .collect()
    }

    pub fn calls(&self) -> Vec<Seen> {
        self.seen()
            .into_iter()
            .filter(|seen| !seen.path().ends_with("/token"))
            .collect()
    }
}

/// A token reply with a refresh token, the n-th of its kind.
pub fn token(n: usize) -> String {
    format!(r#"{{"access_token":"token-{n}","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-{n}"}}"#)
}

async fn converse(
    mut stream: TcpStream,
    book: Arc<Mutex<Vec<Seen>>>,
    answer: Arc<impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static>,
) {
    let mut unread = Vec::new();
    while let Some(seen) = read(&mut stream, &mut unread).await {
        let next = {
            let mut book = book.lock().unwrap();
            let next = answer(&seen, book.len());
            book.push(seen);
            next
        };
        match next {
            Answer::Reply { status, headers, body } => {
                let mut reply = format!("HTTP/1.1 {status} Told\r\ncontent-length: {}\r\n", body.len());
                for (name, value) in headers {
                    reply.push_str(&format!("{name}: {value}\r\n"));
                }
                reply.push_str("\r\n");
                let mut reply = reply.into_bytes();
                if status != 204 && status != 304 {
                    reply.extend_from_slice(&body);
                }
                if stream.write_all(&reply).await.is_err() {
                    return;
                }
            }
            Answer::Pieces(pieces) => {
                for (pause, piece) in pieces {
                    tokio::time::sleep(pause).await;
                    if stream.write_all(&piece).await.is_err() {
                        return;
                    }
                }
                return;
            }
            Answer::Drop => return,
            Answer::Silence => std::future::pending().await,
        }
    }
}

/// One request, or `None` when the other side is done.
async fn read(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        if let Some(at) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(unread[..end].to_vec()).expect("a head of text");
    let mut lines = head.split("\r\n");
    let mut request = lines.next()?.split(' ');
    let (method, target) = (request.next()?.to_owned(), request.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    assert!(
        !headers.iter().any(|(name, _)| name == "transfer-encoding"),
        "bodies have a length"
    );
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().unwrap());
    let start = end + 4;
    while unread.len() < start + length {
        if stream.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    }
    let body = unread[start..start + length].to_vec();
    unread.drain(..start + length);
    Some(Seen {
        method,
        target,
        headers,
        body,
    })
}
