//! What a person does with a sandbox that runs: over HTTP, as a test in another process does.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::shell::{Outcome, Shell, Tone};

const JSON: &str = "application/json";

/// A sandbox that runs.
#[derive(Clone, Debug)]
pub struct Control {
    /// `http://127.0.0.1:8700`
    pub at: String,
}

/// What is done with it.
#[derive(Clone, Debug)]
pub enum Task {
    /// Tells what is played, where, and with which client.
    State,
    /// Moves the clock forward.
    Clock(Duration),
    /// Makes something go wrong.
    Fault {
        /// At whom.
        provider: String,
        /// The kind, as [`finrail::sandbox::Fault`] calls it.
        kind: String,
        /// The status, where the kind has one.
        status: Option<u16>,
        /// How long, where the kind waits.
        wait: Option<Duration>,
        /// Only for this operation.
        on: Option<String>,
        /// Only for requests with these fields.
        with: BTreeMap<String, String>,
        /// Not for the first requests, but after this many.
        after: Option<u32>,
        /// For this many requests.
        times: Option<u32>,
        /// For every request.
        always: bool,
    },
    /// Nothing goes wrong any more.
    NoFaults(String),
    /// Puts a document into a collection.
    Put {
        /// At whom.
        provider: String,
        /// The collection's path.
        path: String,
        /// The document, as JSON.
        document: String,
    },
    /// The ids of what is in a collection.
    Ids {
        /// At whom.
        provider: String,
        /// The collection's path.
        path: String,
    },
    /// Tokens without a browser.
    Token {
        /// At whom.
        provider: String,
        /// What is granted; none: everything.
        scopes: Vec<String>,
        /// Who agrees; none: the sandbox's own user.
        user: Option<String>,
    },
    /// Ends every grant.
    Revoke(String),
    /// How long tokens live that are issued from now on.
    Lifetimes {
        /// At whom.
        provider: String,
        /// Access tokens.
        access: Option<Duration>,
        /// Refresh tokens.
        refresh: Option<Duration>,
        /// A spent refresh token.
        grace: Option<Duration>,
    },
    /// Adds a user.
    User {
        /// At whom.
        provider: String,
        /// The name.
        name: String,
        /// The password.
        password: String,
    },
    /// What came in.
    Requests(String),
    /// Forgets what came in.
    Forget(String),
}

impl Task {
    /// The request that does it: method, path, body.
    fn request(&self) -> Result<(&'static str, String, Option<String>), String> {
        let seconds = |duration: Duration| json!(duration.as_secs());
        let (method, path, body): (_, _, Option<Value>) = match self {
            Self::State => ("GET", String::new(), None),
            Self::Clock(by) => ("POST", "/clock".to_owned(), Some(json!({ "seconds": by.as_secs() }))),
            Self::Fault {
                provider,
                kind,
                status,
                wait,
                on,
                with,
                after,
                times,
                always,
            } => {
                let mut fault = Map::new();
                fault.insert("kind".to_owned(), json!(kind));
                let said = [
                    ("status", status.map(|status| json!(status))),
                    ("seconds", wait.map(seconds)),
                    ("on", on.as_ref().map(|on| json!(on))),
                    ("with", (!with.is_empty()).then(|| json!(with))),
                    ("after", after.map(|after| json!(after))),
                    ("times", times.map(|times| json!(times))),
                    ("always", always.then(|| json!(true))),
                ];
                fault.extend(
                    said.into_iter()
                        .filter_map(|(name, value)| Some((name.to_owned(), value?))),
                );
                ("POST", format!("/{provider}/faults"), Some(Value::Object(fault)))
            }
            Self::NoFaults(provider) => ("DELETE", format!("/{provider}/faults"), None),
            Self::Put {
                provider,
                path,
                document,
            } => {
                // As it is written: the digits of an amount are kept.
                let document: Box<serde_json::value::RawValue> =
                    serde_json::from_str(document).map_err(|error| format!("the document is no JSON: {error}"))?;
                let body = format!(r#"{{"path":{},"document":{document}}}"#, json!(path));
                return Ok(("POST", format!("/{provider}/things"), Some(body)));
            }
            Self::Ids { provider, path } => ("GET", format!("/{provider}/things?path={}", encoded(path)), None),
            Self::Token { provider, scopes, user } => {
                let mut wanted = Map::new();
                if !scopes.is_empty() {
                    wanted.insert("scopes".to_owned(), json!(scopes));
                }
                if let Some(user) = user {
                    wanted.insert("user".to_owned(), json!(user));
                }
                ("POST", format!("/{provider}/tokens"), Some(Value::Object(wanted)))
            }
            Self::Revoke(provider) => ("DELETE", format!("/{provider}/tokens"), None),
            Self::Lifetimes {
                provider,
                access,
                refresh,
                grace,
            } => {
                let body = json!({
                    "access_token_seconds": access.map(seconds),
                    "refresh_token_seconds": refresh.map(seconds),
                    "refresh_grace_seconds": grace.map(seconds),
                });
                ("PUT", format!("/{provider}/lifetimes"), Some(body))
            }
            Self::User {
                provider,
                name,
                password,
            } => {
                let body = json!({ "name": name, "password": password });
                ("POST", format!("/{provider}/users"), Some(body))
            }
            Self::Requests(provider) => ("GET", format!("/{provider}/requests"), None),
            Self::Forget(provider) => ("DELETE", format!("/{provider}/requests"), None),
        };
        Ok((method, path, body.map(|body| body.to_string())))
    }
}

/// A value of a query, with everything encoded that is no letter, digit or slash.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

impl Control {
    /// Does it, and says what the sandbox answered, as JSON.
    ///
    /// # Errors
    ///
    /// The writer's.
    pub fn run(&self, task: &Task, shell: &mut Shell<'_>) -> io::Result<Outcome> {
        match self.answer(task) {
            Ok(text) => {
                match text.trim() {
                    "" => shell.header(Tone::Good, "Done", "")?,
                    text => shell.raw(text)?,
                }
                Ok(Outcome::Fresh)
            }
            Err(why) => {
                shell.header(Tone::Bad, "Refused", &why)?;
                Ok(Outcome::Failure)
            }
        }
    }

    fn answer(&self, task: &Task) -> Result<String, String> {
        let (method, path, body) = task.request()?;
        let url = format!("{}/_sandbox{path}", self.at.trim_end_matches('/'));
        // A proxy leads nowhere near loopback, and a refusal has words to be read.
        let agent = ureq::Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .new_agent();
        let sent = match (method, body) {
            ("GET", _) => agent.get(&url).call(),
            ("DELETE", _) => agent.delete(&url).call(),
            ("PUT", body) => agent.put(&url).content_type(JSON).send(body.unwrap_or_default()),
            (_, body) => agent.post(&url).content_type(JSON).send(body.unwrap_or_default()),
        };
        let mut reply = sent.map_err(|error| {
            format!(
                "{}: {error}; does a sandbox run there? start one, or say where with `--at`",
                self.at
            )
        })?;
        let text = reply.body_mut().read_to_string().map_err(|error| error.to_string())?;
        if reply.status().is_success() {
            return Ok(text);
        }
        let told: Option<Value> = serde_json::from_str(&text).ok();
        let why = told.as_ref().and_then(|told| told["error"].as_str());
        Err(why.map_or_else(|| format!("the sandbox answered {}", reply.status()), str::to_owned))
    }
}
