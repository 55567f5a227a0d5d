//! Whom a server has to convince before anything is sent to it: its certificate is checked (RFC 6749 section 10.9, RFC 6750
//! section 5.3, RFC 7009 section 5).
#![cfg(feature = "mx")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod server_support;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use finrail::oauth::ExistingTokens;
use finrail::transport::{Outcome, RetryPolicy};
use finrail::{Connection, mx};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use server_support::{Scratch, certificates, programs};

const REDIRECT: &str = "https://app.example.com/callback";

/// A server with a certificate, which writes down what it is sent and answers with tokens.
struct Server {
    address: SocketAddr,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(folder: &Scratch) -> Self {
        let certificate = CertificateDer::from_pem_file(folder.path("server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.path("server.key")).unwrap();
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let book = Arc::clone(&sent);
        // It ends with the process of the test.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (config, book) = (Arc::clone(&config), Arc::clone(&book));
                std::thread::spawn(move || converse(stream.unwrap(), config, &book));
            }
        });
        Self { address, sent }
    }

    fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }
}

fn converse(mut stream: TcpStream, config: Arc<rustls::ServerConfig>, book: &Mutex<Vec<String>>) {
    let mut session = rustls::ServerConnection::new(config).unwrap();
    let mut tls = rustls::Stream::new(&mut session, &mut stream);
    let (mut text, mut piece) = (String::new(), [0; 4096]);
    // Of a client that breaks off nothing is left to read.
    while let Ok(read) = tls.read(&mut piece) {
        if read == 0 {
            return;
        }
        text.push_str(std::str::from_utf8(&piece[..read]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() < length.map_or(0, |length| length.parse().unwrap()) {
            continue;
        }
        book.lock().unwrap().push(std::mem::take(&mut text));
        let reply = r#"{"access_token":"token-1","token_type":"Bearer","refresh_token":"refresh-1","accounts":[]}"#;
        let reply = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{reply}",
            reply.len()
        );
        if tls.write_all(reply.as_bytes()).is_err() {
            return;
        }
    }
}

/// What an application sends to the server under this address, with this HTTP client.
async fn sends(base_url: &str, http: Option<reqwest::Client>) -> [bool; 3] {
    let mut builder = mx::App::builder()
        .base_url(base_url)
        .redirect_uri(REDIRECT)
        .credentials(mx::Credentials::new("client", "planted-secret"))
        .retry(RetryPolicy::none());
    if let Some(http) = http {
        builder = builder.http_client(http);
    }
    let app = builder.build().unwrap();
    let pending = app.authorize([mx::Scope::Accounts]).unwrap().pending;
    let callback = format!("{REDIRECT}?code=planted-code&state={}", pending.state().expose_secret());
    let exchange = app.finish(pending, &callback).await;
    if let Err(error) = &exchange {
        assert_eq!(error.verdict(), finrail::token::Verdict::NotSent, "{error:?}");
    }
    let tokens = ExistingTokens::refresh_token("planted-refresh")
        .access_token("planted-access", Some(Utc::now() + TimeDelta::hours(1)));
    let user: Connection<mx::Provider> = app.import("jo", tokens).await.unwrap();
    let call = user.client().list_accounts().send().await;
    if let Err(error) = &call {
        assert_eq!(error.outcome(), Outcome::NotSent, "{error:?}");
    }
    [exchange.is_ok(), call.is_ok(), user.revoke().await.is_ok()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_nobody_vouches_for_gets_neither_secret_nor_token() {
    let Some([openssl]) = programs(["openssl"]) else { return };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = Scratch::new("tls");
    certificates(&openssl, &folder);
    let server = Server::start(&folder);
    let authority = std::fs::read(folder.path("ca.pem")).unwrap();
    let trusting = || {
        reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .tls_certs_only([reqwest::Certificate::from_pem(&authority).unwrap()])
    };

    // The system knows no such authority.
    let there = format!("https://{}", server.address);
    assert_eq!(sends(&there, None).await, [false; 3]);
    // The authority is known, and has vouched for another name.
    let named = trusting().resolve("bank.example", server.address).build().unwrap();
    let elsewhere = format!("https://bank.example:{}", server.address.port());
    assert_eq!(sends(&elsewhere, Some(named)).await, [false; 3]);
    assert_eq!(server.sent(), Vec::<String>::new(), "nothing was sent");

    assert_eq!(sends(&there, Some(trusting().build().unwrap())).await, [true; 3]);
    assert_eq!(server.sent().len(), 3, "the same server, to whom it can show who it is");
}
