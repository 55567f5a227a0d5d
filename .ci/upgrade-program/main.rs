//! What `.ci/upgrade` builds of two commits and lets work on the same stores. It uses only what both have.
//!
//! ```text
//! program serve                                 a token endpoint: its address, then a report when standard input ends
//! program write   <folder> <name> <url> <store> tokens, ends, an intent, pending authorizations
//! program go-on   <folder> <name> <url> <store> reads what was written, and refreshes it
//! ```
//!
//! What is not in a store, such as pending authorizations, is in the folder. A store is `file <directory>`,
//! `redis <address> <prefix>` or `postgres <address> <schema>`.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use finrail::mx;
#[cfg(not(feature = "existing_tokens_in_token"))]
use finrail::oauth::ExistingTokens;
#[cfg(feature = "existing_tokens_in_token")]
use finrail::token::ExistingTokens;
use finrail::token::store::{FileStore, PostgresStore, RedisStore};
use finrail::token::{Error, Rejection, TokenHandle, TokenKey, TokenStore};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const SESSION: &str = "the browser of a user";
/// Those that came to an end.
const ENDS: [&str; 3] = ["forgotten", "revoked", "refused"];

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["serve"] => serve(),
        [what, folder, name, url, ref store @ ..] => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(async {
                let store = open(store).await?;
                let app = mx::App::builder()
                    .base_url(url)
                    .credentials(mx::Credentials::new("client", "secret"))
                    .redirect_uri("https://app.example/callback")
                    .token_request_timeout(Duration::from_secs(3))
                    .store(store)
                    .build()?;
                let work = Work {
                    app,
                    folder: folder.into(),
                    name,
                };
                match what {
                    "write" => work.write().await,
                    "go-on" => work.go_on().await,
                    other => Err(format!("what is {other}?").into()),
                }
            })
        }
        _ => Err("see the first lines of the program".into()),
    }
}

async fn open(words: &[&str]) -> Result<Arc<dyn TokenStore>, Failure> {
    Ok(match words {
        ["file", directory] => Arc::new(FileStore::open(*directory)?),
        ["redis", address, prefix] => Arc::new(RedisStore::builder(*address).prefix(*prefix).connect().await?),
        ["postgres", address, schema] => {
            let store = PostgresStore::builder(*address).schema(*schema).connect().await?;
            store.migrate().await?;
            Arc::new(store)
        }
        other => return Err(format!("what store is {other:?}?").into()),
    })
}

struct Work<'a> {
    app: mx::App,
    folder: PathBuf,
    name: &'a str,
}

impl Work<'_> {
    /// A grant by what is special about it. What the store has of it wins.
    async fn grant(&self, what: &str) -> Result<mx::Connection, finrail::oauth::Error> {
        let subject = format!("{}-{what}", self.name);
        let tokens = ExistingTokens::refresh_token(refresh_token(&subject, 0));
        self.app.import(&subject, tokens).await
    }

    fn path(&self, what: &str) -> PathBuf {
        self.folder.join(format!("{}-{what}", self.name))
    }

    async fn write(&self) -> Result<(), Failure> {
        self.grant("living").await?.tokens().fresh().await?;
        self.grant("forgotten").await?.forget().await?;
        let revoked = self.grant("revoked").await?;
        revoked.tokens().fresh().await?;
        revoked.revoke().await?;
        let refused = self.grant("refused").await?.tokens().fresh().await;
        expect(
            matches!(refused, Err(Error::ReauthorizationRequired { .. })),
            "an end by refusal",
        )?;

        let authorize = |what: &str| -> Result<_, Failure> {
            let subject = format!("{}-{what}", self.name);
            Ok(self.app.authorize([mx::Scope::Accounts])?.subject(subject))
        };
        let pending = authorize("finished")?.pending;
        self.keep_callback("finished", pending.state().expose_secret())?;
        std::fs::write(self.path("pending"), serde_json::to_vec(&pending)?)?;
        let begun = authorize("completed")?;
        self.keep_callback("completed", begun.pending.state().expose_secret())?;
        self.app.begin(SESSION, begun).await?;

        // The request arrives, nobody takes it, and this process ends: its intent stays.
        let cut_off = self.grant("cut-off").await?.tokens().clone();
        let refresh = tokio::spawn(async move { cut_off.fresh().await });
        tokio::time::sleep(Duration::from_secs(1)).await;
        expect(!refresh.is_finished(), "a request without an answer")?;
        std::process::exit(0);
    }

    fn keep_callback(&self, what: &str, state: &str) -> Result<(), Failure> {
        let code = format!("{}-{what}", self.name);
        let callback = format!("https://app.example/callback?code={code}&state={state}");
        Ok(std::fs::write(self.path(&format!("{what}-callback")), callback)?)
    }

    async fn go_on(&self) -> Result<(), Failure> {
        for what in ENDS {
            expect(self.grant(what).await.is_err(), &format!("that {what} is over"))?;
        }
        if let Some(callback) = taken(&self.path("finished-callback"))? {
            let pending = serde_json::from_slice(&std::fs::read(self.path("pending"))?)?;
            let connection = self.app.finish(pending, &callback).await?;
            std::fs::write(self.path("finished-key"), serde_json::to_vec(connection.key())?)?;
        }
        if let Some(callback) = taken(&self.path("completed-callback"))? {
            let connection = self.app.complete(SESSION, &callback).await?;
            std::fs::write(self.path("completed-key"), serde_json::to_vec(connection.key())?)?;
        }
        for what in ["finished-key", "completed-key"] {
            let key: TokenKey = serde_json::from_slice(&std::fs::read(self.path(what))?)?;
            let connection = self
                .app
                .connection(&key)
                .await?
                .ok_or_else(|| format!("{what}: nothing is stored"))?;
            refreshed(connection.tokens()).await?;
        }
        refreshed(self.grant("living").await?.tokens()).await?;
        // Whoever was cut off is given time.
        refreshed(self.grant("cut-off").await?.tokens()).await
    }
}

/// What a file says, once.
fn taken(path: &Path) -> Result<Option<String>, Failure> {
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path)?;
    std::fs::remove_file(path)?;
    Ok(Some(text))
}

/// The token at hand, and another one when that is refused.
async fn refreshed(tokens: &TokenHandle) -> Result<(), Failure> {
    let before = fresh(tokens).await?;
    let after = tokens.rejected(before.generation, Rejection::InvalidToken).await?;
    expect(
        before.header != after.header,
        &format!("another token of {}", tokens.key()),
    )
}

async fn fresh(tokens: &TokenHandle) -> Result<finrail::token::Bearer, Failure> {
    for _ in 0..300 {
        match tokens.fresh().await {
            Err(error) if error.is_retryable() => tokio::time::sleep(Duration::from_millis(100)).await,
            done => return Ok(done?),
        }
    }
    Err(format!("no token of {}", tokens.key()).into())
}

fn expect(holds: bool, what: &str) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else {
        Err(format!("expected {what}").into())
    }
}

// ---- the token endpoint: rotates, has no grace, ends a grant when a spent token comes back ----

#[derive(Default)]
struct Grant {
    issued: u64,
    reused: u64,
    requests: u64,
    over: bool,
}

type Grants = Mutex<HashMap<String, Grant>>;

fn serve() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    let grants = Arc::new(Grants::default());
    let known = Arc::clone(&grants);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let grants = Arc::clone(&known);
            std::thread::spawn(move || answer(&stream, &grants));
        }
    });
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    let grants = grants.lock().map_err(|_| "an answer panicked")?;
    let requests: u64 = grants.values().map(|grant| grant.requests).sum();
    let reused: u64 = grants.values().map(|grant| grant.reused).sum();
    let ends = |name: &str| ENDS.iter().any(|end| name.ends_with(end));
    let dead: Vec<_> = grants
        .iter()
        .filter(|(name, grant)| grant.over && !ends(name))
        .map(|(name, _)| name)
        .collect();
    println!(
        "{} grants, {requests} requests, {reused} spent tokens sent, ended by mistake: {dead:?}",
        grants.len()
    );
    expect(
        reused == 0 && dead.is_empty() && requests > 0,
        "no spent token and no grant that ended",
    )
}

fn refresh_token(grant: &str, number: u64) -> String {
    format!("R.{grant}.{number}")
}

fn answer(stream: &TcpStream, grants: &Grants) -> Option<()> {
    let body = form(stream)?;
    let fields: HashMap<&str, &str> = body.split('&').filter_map(|field| field.split_once('=')).collect();
    let of = |token: &&str| token.split('.').nth(1).map(str::to_owned);
    let reply = if let Some(name) = fields.get("token").and_then(of) {
        grants.lock().ok()?.entry(name).or_default().over = true;
        http("200 OK", "{}")
    } else if let Some(name) = fields.get("code") {
        let mut grants = grants.lock().ok()?;
        tokens(name, grants.entry((*name).to_owned()).or_default())
    } else {
        let (token, name) = (fields.get("refresh_token")?, fields.get("refresh_token").and_then(of)?);
        let mut grants = grants.lock().ok()?;
        let grant = grants.entry(name.clone()).or_default();
        grant.requests += 1;
        if name.ends_with("cut-off") && grant.requests == 1 {
            drop(grants);
            std::thread::sleep(Duration::from_secs(60));
            return None;
        }
        if *token != refresh_token(&name, grant.issued) {
            grant.reused += 1;
            grant.over = true;
        }
        grant.over |= name.ends_with("refused");
        if grant.over {
            http("400 Bad Request", r#"{"error":"invalid_grant"}"#)
        } else {
            tokens(&name, grant)
        }
    };
    (&*stream).write_all(reply.as_bytes()).ok()
}

fn tokens(name: &str, grant: &mut Grant) -> String {
    grant.issued += 1;
    let refresh_token = refresh_token(name, grant.issued);
    http(
        "200 OK",
        &format!(
            r#"{{"access_token":"A.{name}.{}","refresh_token":"{refresh_token}","token_type":"Bearer","expires_in":3600}}"#,
            grant.issued
        ),
    )
}

fn http(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

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
