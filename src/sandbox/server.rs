//! The wire: a listener on loopback whose connections can be cut.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::fault::Trouble;
use super::http::{RawRequest, Reply};
use super::player::Outcome;
use super::players::Players;

/// How large a request body may be.
const MAX_BODY: usize = 1 << 20;

/// Whether, and when, a connection is to be cut.
#[derive(Clone, Debug, Default)]
struct Cut(Arc<AtomicU8>);

impl Cut {
    const OPEN: u8 = 0;
    /// Nothing more is written.
    const NOW: u8 = 1;
    /// The next piece is written without its end.
    const BEFORE_THE_END: u8 = 2;

    fn set(&self, when: u8) {
        self.0.store(when, Ordering::SeqCst);
    }

    fn get(&self) -> u8 {
        self.0.load(Ordering::SeqCst)
    }
}

/// How many bytes a truncated reply lacks.
const MISSING: usize = 8;

/// A listener whose connections look at their [`Cut`].
struct Loopback(TcpListener);

/// A connection that writes nothing any more once it is cut.
struct Connection {
    stream: TcpStream,
    cut: Cut,
}

impl Listener for Loopback {
    type Io = Connection;
    type Addr = Cut;

    async fn accept(&mut self) -> (Connection, Cut) {
        let (stream, _) = Listener::accept(&mut self.0).await;
        // Small replies must not wait for more.
        let _ = stream.set_nodelay(true);
        let cut = Cut::default();
        let connection = Connection {
            stream,
            cut: cut.clone(),
        };
        (connection, cut)
    }

    fn local_addr(&self) -> io::Result<Cut> {
        Ok(Cut::default())
    }
}

impl Connected<IncomingStream<'_, Loopback>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Loopback>) -> Self {
        stream.remote_addr().clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let length = match self.cut.get() {
            Cut::OPEN => buf.len(),
            Cut::BEFORE_THE_END if buf.len() > MISSING => buf.len() - MISSING,
            _ => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        };
        let written = Pin::new(&mut self.stream).poll_write(cx, &buf[..length]);
        if length < buf.len() && matches!(written, Poll::Ready(Ok(n)) if n == length) {
            self.cut.set(Cut::NOW);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Serves until what it gives is dropped.
pub(super) fn serve(listener: TcpListener, players: Arc<Players>) -> oneshot::Sender<()> {
    let service = axum::Router::new()
        .fallback(answer)
        .with_state(players)
        .into_make_service_with_connect_info::<Cut>();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async move {
        let _ = stopped.await;
    };
    tokio::spawn(async move {
        let serve = axum::serve(Loopback(listener), service);
        let _ = serve.with_graceful_shutdown(stopped).await;
    });
    stop
}

/// Answers one request.
async fn answer(State(players): State<Arc<Players>>, ConnectInfo(cut): ConnectInfo<Cut>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return response(players.refuse(parts.uri.path(), &parts.method, 413, "the body is too large"));
    };
    let raw = RawRequest {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
        is_browser: false,
    };
    let Outcome { reply, trouble } = players.handle(&raw);
    match trouble {
        Some(Trouble::Held(gate)) => gate.pass().await,
        Some(Trouble::Slow(by)) => tokio::time::sleep(by).await,
        Some(Trouble::Drop | Trouble::LostReply) => cut.set(Cut::NOW),
        Some(Trouble::Truncated) => cut.set(Cut::BEFORE_THE_END),
        None => {}
    }
    response(reply)
}

fn response(reply: Reply) -> Response {
    let mut builder = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        builder = builder.header(*name, value);
    }
    builder.body(Body::from(reply.into_body())).unwrap_or_else(|_| {
        let mut failed = Response::new(Body::empty());
        *failed.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
}
