//! A token endpoint on loopback that rotates refresh tokens, has no grace, and ends a grant when a spent one comes back.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub struct Endpoint {
    /// Of the application: the token endpoint is one of its paths.
    pub base_url: String,
    grants: Mutex<HashMap<String, Grant>>,
}

#[derive(Default)]
struct Grant {
    issued: u64,
    current: String,
    /// Refresh requests that came whole.
    requests: u64,
    /// Of these, those with a spent refresh token.
    reused: u64,
    over: bool,
    held: VecDeque<Held>,
}

/// A request whose reply waits for the test.
struct Held {
    arrived: Sender<()>,
    pieces: Receiver<()>,
    /// The server does its work, which spends the refresh token.
    taken: bool,
}

/// What a test does with one request.
pub struct Gate {
    arrived: Receiver<()>,
    pieces: Sender<()>,
}

impl Gate {
    /// Waits until the request has arrived, and been taken if it is to be.
    pub fn arrived(&self) {
        let arrived = self.arrived.recv_timeout(Duration::from_secs(60));
        arrived.expect("the request arrives");
    }

    /// Sends the next half of the reply.
    pub fn half(&self) {
        self.pieces.send(()).unwrap();
    }

    /// Sends the reply.
    pub fn whole(&self) {
        self.half();
        self.half();
    }
}

impl Endpoint {
    pub fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = Arc::new(Self {
            base_url: format!("http://localhost:{}", listener.local_addr().unwrap().port()),
            grants: Mutex::default(),
        });
        let listening = Arc::clone(&endpoint);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let endpoint = Arc::clone(&listening);
                // What goes wrong with a connection is the client's affair.
                std::thread::spawn(move || endpoint.answer(&stream));
            }
        });
        endpoint
    }

    /// The user authorizes: the first refresh token of a new grant.
    pub fn login(&self, grant: &str) -> String {
        let mut grants = self.grants.lock().unwrap();
        let new = grants.entry(grant.to_owned()).or_default();
        new.issued = 1;
        new.current = refresh_token(grant, 1);
        new.current.clone()
    }

    /// The next request of a grant is taken, and its reply waits.
    pub fn hold(&self, grant: &str) -> Gate {
        self.gate(grant, true)
    }

    /// The next request of a grant arrives, and the server never takes it.
    pub fn ignore(&self, grant: &str) -> Gate {
        self.gate(grant, false)
    }

    fn gate(&self, grant: &str, taken: bool) -> Gate {
        let (arrived, arrivals) = channel();
        let (sender, pieces) = channel();
        let held = Held { arrived, pieces, taken };
        self.grants.lock().unwrap().get_mut(grant).unwrap().held.push_back(held);
        Gate {
            arrived: arrivals,
            pieces: sender,
        }
    }

    /// Nothing spent was sent, the grant lives, and so many requests came.
    pub fn assert_whole(&self, grant: &str, requests: u64) {
        let (reused, over, came) = {
            let grants = self.grants.lock().unwrap();
            let state = &grants[grant];
            (state.reused, state.over, state.requests)
        };
        assert_eq!((reused, over), (0, false), "{grant}: spent tokens, an end");
        assert_eq!(came, requests, "{grant}: requests");
    }

    fn answer(&self, stream: &TcpStream) -> Option<()> {
        let body = form(stream)?;
        let mut fields = body.split('&').filter_map(|field| field.split_once('='));
        let token = fields.find(|(name, _)| *name == "refresh_token")?.1;
        let grant = token.split('.').nth(1)?;
        let held = {
            let mut grants = self.grants.lock().unwrap();
            let state = grants.get_mut(grant)?;
            state.requests += 1;
            state.held.pop_front()
        };
        if let Some(held) = held.as_ref().filter(|held| !held.taken) {
            let _ = held.arrived.send(());
            // Until the test is over.
            let _ = held.pieces.recv();
            return None;
        }
        let reply = self.refresh(grant, token);
        let Some(held) = held else {
            return (&*stream).write_all(reply.as_bytes()).ok();
        };
        let _ = held.arrived.send(());
        for half in [&reply[..reply.len() / 2], &reply[reply.len() / 2..]] {
            held.pieces.recv().ok()?;
            (&*stream).write_all(half.as_bytes()).ok()?;
            (&*stream).flush().ok()?;
        }
        Some(())
    }

    fn refresh(&self, grant: &str, token: &str) -> String {
        let mut grants = self.grants.lock().unwrap();
        let state = grants.get_mut(grant).unwrap();
        if state.current != token {
            state.reused += 1;
            state.over = true;
        }
        if state.over {
            return http("400 Bad Request", r#"{"error":"invalid_grant"}"#);
        }
        state.issued += 1;
        state.current = refresh_token(grant, state.issued);
        let access = access_token(grant, state.issued);
        http(
            "200 OK",
            &format!(
                r#"{{"access_token":"{access}","refresh_token":"{}","token_type":"Bearer","expires_in":3600}}"#,
                state.current
            ),
        )
    }
}

fn refresh_token(grant: &str, number: u64) -> String {
    format!("R.{grant}.{number}")
}

/// The access token that a grant has after so many replies.
pub fn access_token(grant: &str, number: u64) -> String {
    format!("A.{grant}.{number}")
}

fn http(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// The body of a request that came whole. None: it did not leave.
fn form(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    String::from_utf8(body).ok()
}
