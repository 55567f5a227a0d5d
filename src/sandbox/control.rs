//! What a test can do with a sandbox from another process: over HTTP, below `/_sandbox`.

use std::collections::BTreeMap;
use std::time::Duration;

use ::http::Method;
use finrail_spec::json::Json;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::clock;
use super::fault::Fault;
use super::http::{RawRequest, Reply, value_of};
use super::player::{Player, State};
use super::players::Players;
use super::unknown::unknown;

/// Where the addresses of control begin.
const ROOT: &str = "/_sandbox";

/// Why something could not be done: the status, and what to do.
struct Refusal(u16, String);

impl From<String> for Refusal {
    fn from(why: String) -> Self {
        Self(400, why)
    }
}

/// The rest of the path, when it is one of control.
fn below(path: &str) -> Option<&str> {
    path.strip_prefix(ROOT)
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Players {
    /// Answers a request of control; none when the address is none of its own.
    pub(super) fn control(&self, raw: &RawRequest) -> Option<Reply> {
        let rest = below(&raw.path)?;
        let done = from_here(raw).and_then(|()| self.controlled(rest.trim_matches('/'), raw));
        Some(match done {
            Ok(Value::Null) => Reply::empty(204),
            Ok(value) => Reply::bytes(200, "application/json", format!("{value:#}\n")),
            Err(Refusal(status, why)) => {
                Reply::bytes(status, "application/json", format!("{:#}\n", json!({ "error": why })))
            }
        })
    }

    fn controlled(&self, path: &str, raw: &RawRequest) -> Result<Value, Refusal> {
        let parts: Vec<&str> = path.split('/').collect();
        match (&raw.method, parts.as_slice()) {
            (&Method::GET, [""]) => Ok(self.state()),
            (&Method::POST, ["clock"]) => {
                let Advance { seconds } = body(raw)?;
                self.clock.advance(Duration::from_secs(seconds));
                Ok(json!({ "now": clock::timestamp(self.clock.now()) }))
            }
            (method, [id, what]) => {
                let player = self.get(id);
                let player = player.ok_or_else(|| Refusal(404, unknown("provider", id, &self.ids())))?;
                of_provider(player, method, what, raw, self.clock.now())
            }
            _ => Err(Refusal(404, known())),
        }
    }

    /// What is played, where, and with which client.
    fn state(&self) -> Value {
        let providers: Vec<Value> = self.ids().iter().filter_map(|id| self.told(id)).collect();
        json!({ "now": clock::timestamp(self.clock.now()), "providers": providers })
    }

    fn told(&self, id: &str) -> Option<Value> {
        let player = self.get(id)?;
        let client = self.client(id)?;
        Some(json!({
            "id": id,
            "name": player.spec.name(),
            "url": player.base(),
            "oauth_url": player.oauth_base(),
            "client": {
                "client_id": client.client_id,
                "client_secret": client.client_secret.expose_secret(),
                "redirect_uri": client.redirect_uri,
                "username": client.username,
                "password": client.password.expose_secret(),
                "access_key": client.access_key.expose_secret(),
                "access_key_secret": client.access_key_secret.expose_secret(),
                "key": client.key.expose_secret(),
                "registration_token": client.registration_token.expose_secret(),
            },
        }))
    }
}

/// A page in a browser reaches a port on loopback too, under another name or with a form; it has no business here.
fn from_here(raw: &RawRequest) -> Result<(), Refusal> {
    let host = raw.header("host").unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_loopback = name == "localhost"
        || name
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if !is_loopback {
        return Err(Refusal(
            403,
            "the sandbox is controlled by its loopback address only".to_owned(),
        ));
    }
    let has_body = !raw.body.is_empty();
    match raw.media_type().as_deref() {
        Some("application/json") => Ok(()),
        None if !has_body && raw.header("origin").is_none() => Ok(()),
        _ => Err(Refusal(415, "send `content-type: application/json`".to_owned())),
    }
}

fn known() -> String {
    let addresses = [
        "GET /_sandbox",
        "POST /_sandbox/clock",
        "POST and DELETE /_sandbox/{provider}/faults",
        "GET and POST /_sandbox/{provider}/things",
        "POST and DELETE /_sandbox/{provider}/tokens",
        "PUT /_sandbox/{provider}/lifetimes",
        "POST /_sandbox/{provider}/users",
        "GET and DELETE /_sandbox/{provider}/requests",
    ];
    format!("there is nothing at this address; there are: {}", addresses.join(", "))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Thing {
    path: String,
    document: Box<serde_json::value::RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    scopes: Option<Vec<String>>,
    #[serde(default)]
    user: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lifetimes {
    access_token_seconds: Option<u64>,
    refresh_token_seconds: Option<u64>,
    refresh_grace_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    name: String,
    password: String,
}

fn of_provider(player: &Player, method: &Method, what: &str, raw: &RawRequest, now: u64) -> Result<Value, Refusal> {
    match (method, what) {
        (&Method::POST, "faults") => {
            let fault = fault(body(raw)?)?;
            player.check_fault(&fault)?;
            player.state().faults.push(fault);
            Ok(Value::Null)
        }
        (&Method::DELETE, "faults") => {
            player.state().faults.clear();
            Ok(Value::Null)
        }
        (&Method::GET, "things") => {
            let query = raw.query_pairs();
            let path =
                value_of(&query, "path").ok_or_else(|| "add `?path=` with the path of a collection".to_owned())?;
            let ids = player.state().store.ids(&player.spec, path)?;
            Ok(json!({ "ids": ids }))
        }
        (&Method::POST, "things") => {
            let Thing { path, document } = body(raw)?;
            let id = player.put(&path, document.get())?;
            Ok(json!({ "id": id }))
        }
        (&Method::POST, "tokens") => {
            let Wanted { scopes, user } = if raw.body.is_empty() {
                Wanted {
                    scopes: None,
                    user: None,
                }
            } else {
                body(raw)?
            };
            Ok(player.tokens(scopes, user, now)?.to_value())
        }
        (&Method::DELETE, "tokens") => {
            player.state().authority.revoke_all();
            Ok(Value::Null)
        }
        (&Method::PUT, "lifetimes") => {
            let said: Lifetimes = body(raw)?;
            let milliseconds = |seconds: Option<u64>| Some(clock::milliseconds(Duration::from_secs(seconds?)));
            let mut state = player.state();
            let tuning = &mut state.authority.tuning;
            tuning.access_lifetime = milliseconds(said.access_token_seconds).or(tuning.access_lifetime);
            tuning.refresh_lifetime = milliseconds(said.refresh_token_seconds).or(tuning.refresh_lifetime);
            tuning.grace = milliseconds(said.refresh_grace_seconds).or(tuning.grace);
            Ok(Value::Null)
        }
        (&Method::POST, "users") => {
            let User { name, password } = body(raw)?;
            player.state().authority.add_user(&name, &password);
            Ok(Value::Null)
        }
        (&Method::GET, "requests") => {
            let requests = player.state().requests.to_vec();
            let told = requests.iter().map(|request| {
                let headers: Vec<&str> = request.headers.keys().map(|name| name.as_str()).collect();
                let (query, operation) = (&request.query, &request.operation);
                json!({ "method": request.method, "path": request.path, "query": query, "operation": operation, "headers": headers })
            });
            Ok(Value::Array(told.collect()))
        }
        (&Method::DELETE, "requests") => {
            player.state().requests.clear();
            Ok(Value::Null)
        }
        _ => Err(Refusal(404, known())),
    }
}

fn body<T: DeserializeOwned>(raw: &RawRequest) -> Result<T, Refusal> {
    serde_json::from_slice(&raw.body).map_err(|error| Refusal(400, format!("the body does not fit: {error}")))
}

/// A fault as it is written in JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    kind: String,
    status: Option<u16>,
    seconds: Option<u64>,
    milliseconds: Option<u64>,
    body: Option<String>,
    media_type: Option<String>,
    on: Option<String>,
    #[serde(default)]
    with: BTreeMap<String, String>,
    after: Option<u32>,
    times: Option<u32>,
    #[serde(default)]
    always: bool,
}

const KINDS: [&str; 13] = [
    "status",
    "html",
    "too_many_requests",
    "invalid_token",
    "bare_unauthorized",
    "slow",
    "drop_connection",
    "lost_reply",
    "truncated",
    "garbled",
    "unknown_values",
    "unknown_fields",
    "unknown_kinds",
];

fn fault(described: Described) -> Result<Fault, Refusal> {
    let status = || match described.status {
        Some(status) if (200..1000).contains(&status) => Ok(status),
        Some(status) => Err(format!("no reply ends with the status {status}")),
        None => Err(format!("a fault `{}` needs a `status`", described.kind)),
    };
    let wait = Duration::from_secs(described.seconds.unwrap_or(0))
        + Duration::from_millis(described.milliseconds.unwrap_or(0));
    let mut fault = match described.kind.as_str() {
        "status" => Fault::status(status()?),
        "html" => Fault::html(status()?),
        "too_many_requests" => Fault::too_many_requests(wait),
        "invalid_token" => Fault::invalid_token(),
        "bare_unauthorized" => Fault::bare_unauthorized(),
        "slow" => Fault::slow(wait),
        "drop_connection" => Fault::drop_connection(),
        "lost_reply" => Fault::lost_reply(),
        "truncated" => Fault::truncated(),
        "garbled" => Fault::garbled(),
        "unknown_values" => Fault::unknown_values(),
        "unknown_fields" => Fault::unknown_fields(),
        "unknown_kinds" => Fault::unknown_kinds(),
        other => {
            let known: Vec<String> = KINDS.iter().map(|&kind| kind.to_owned()).collect();
            return Err(unknown("fault", other, &known).into());
        }
    };
    if described.body.is_some() || described.media_type.is_some() {
        let media_type = described.media_type.as_deref().unwrap_or("application/json");
        let is_header = ::http::HeaderValue::try_from(media_type).is_ok();
        if described.kind != "status" || !is_header {
            return Err(
                "a body belongs to a fault `status`, with a media type that a header carries"
                    .to_owned()
                    .into(),
            );
        }
        fault = fault.body(media_type, described.body.unwrap_or_default());
    }
    if let Some(operation) = described.on {
        fault = fault.on(operation);
    }
    for (name, value) in described.with {
        fault = fault.with_field(name, value);
    }
    fault = fault.after(described.after.unwrap_or(0));
    match (described.times, described.always) {
        (Some(_), true) => Err("`times` and `always` exclude each other".to_owned().into()),
        (Some(0), _) => Err("a fault for no request goes wrong never; leave it out"
            .to_owned()
            .into()),
        (Some(times), _) => Ok(fault.times(times)),
        (None, true) => Ok(fault.always()),
        (None, false) => Ok(fault),
    }
}

impl Player {
    /// What is said of a fault for an operation that the provider does not have.
    pub(super) fn check_fault(&self, fault: &Fault) -> Result<(), String> {
        let Some(id) = fault.operation().filter(|id| self.spec.by_id(id).is_none()) else {
            return Ok(());
        };
        let known: Vec<String> = self
            .spec
            .operations
            .iter()
            .map(|operation| operation.id.clone())
            .collect();
        Err(unknown("operation", id, &known))
    }

    /// Puts a JSON document into a collection; gives its id.
    pub(super) fn put(&self, path: &str, json: &str) -> Result<String, String> {
        let doc = Json::parse(json).map_err(|_| format!("what is put into `{path}` is no JSON"))?;
        if !matches!(doc, Json::Object(_)) {
            return Err(format!(
                "what is put into `{path}` is no JSON object, so it could have no id"
            ));
        }
        self.state().store.put(&self.spec, path, doc)
    }

    /// Tokens without a browser, as if a user had agreed to these scopes; without scopes, to all.
    fn tokens(&self, scopes: Option<Vec<String>>, user: Option<String>, now: u64) -> Result<Json, String> {
        let mut state = self.state();
        let State {
            authority,
            store,
            user: own,
            ..
        } = &mut *state;
        let user = user.unwrap_or_else(|| own.clone());
        authority.password_or_new(&user);
        let separator = self.spec.oauth.separators().next().unwrap_or(" ");
        let text = scopes.unwrap_or_default().join(separator);
        let exists = |name: &str, value: &str| store.exists(name, value);
        authority.agreed(&self.spec, &user, &text, &exists, now)
    }
}
