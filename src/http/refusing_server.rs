//! An HTTP/2 server for tests: it takes no request, and says so in the two ways after which an HTTP client sends the request
//! again by itself (RFC 9113 section 8.7). It counts how often one arrives.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the server says of a request.
#[derive(Clone, Copy, Debug)]
pub enum Refusal {
    /// RST_STREAM with REFUSED_STREAM: of this request.
    RefusedStream,
    /// GOAWAY without an error: of this and every later one of the connection.
    GoAway,
}

/// A running server. It answers until it is dropped.
pub struct RefusingServer {
    pub origin: String,
    arrived: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for RefusingServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl RefusingServer {
    pub async fn start(refusal: Refusal) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let arrived = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&arrived);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(converse(stream, refusal, Arc::clone(&counter)));
            }
        });
        Self { origin, arrived, task }
    }

    /// How many requests have arrived.
    pub fn arrived(&self) -> usize {
        self.arrived.load(Ordering::SeqCst)
    }
}

async fn converse(mut stream: TcpStream, refusal: Refusal, arrived: Arc<AtomicUsize>) -> std::io::Result<()> {
    const HEADERS: u8 = 1;
    const RST_STREAM: u8 = 3;
    const SETTINGS: u8 = 4;
    const GOAWAY: u8 = 7;
    const ACK: u8 = 1;
    const REFUSED_STREAM: [u8; 4] = [0, 0, 0, 7];

    let mut preface = [0; b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len()];
    stream.read_exact(&mut preface).await?;
    stream.write_all(&frame(SETTINGS, 0, [0; 4], &[])).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let [l0, l1, l2, kind, flags, id @ ..] = head;
        let mut rest = vec![0; u32::from_be_bytes([0, l0, l1, l2]) as usize];
        stream.read_exact(&mut rest).await?;
        match kind {
            HEADERS => {
                arrived.fetch_add(1, Ordering::SeqCst);
                let refused = match refusal {
                    Refusal::RefusedStream => frame(RST_STREAM, 0, id, &REFUSED_STREAM),
                    // No stream was taken, and there was no error.
                    Refusal::GoAway => frame(GOAWAY, 0, [0; 4], &[0; 8]),
                };
                stream.write_all(&refused).await?;
            }
            SETTINGS if flags & ACK == 0 => stream.write_all(&frame(SETTINGS, ACK, [0; 4], &[])).await?,
            _ => {}
        }
    }
}

/// RFC 9113 section 4.1.
fn frame(kind: u8, flags: u8, stream: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    let mut frame = vec![0, 0, length, kind, flags];
    frame.extend(stream);
    frame.extend(payload);
    frame
}
