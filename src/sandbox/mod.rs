//! The five providers in one process, for tests and demonstrations.
//!
//! A sandbox listens on a loopback port and plays every provider whose feature is on, from the same
//! specifications that the clients are made from. It checks every request against the specification,
//! enforces the provider's OAuth rules, keeps what is created, and can be told to fail. It reads the
//! specifications with code of its own: what a client gets wrong is not forgiven here. Where a specification shows no example of
//! a reply, one is made from its schema.
//!
//! # What the sandbox makes up
//!
//! Where a provider's pages are silent, the sandbox must still do something. Codes live five minutes. Access tokens live as
//! long as the example of the token reply says, else an hour. OFX documents no field for the id of a beneficiary or a deal:
//! here they are `beneficiaryId` and `dealId`, as the paths name them, and the direct reply to the creation of a deal is the
//! empty object of the specification ([`Sandbox::ids`] tells the id). Lists of transactions are filled up to 24 with copies
//! of the examples, so that they have pages. A Tatra banka consent becomes `valid` when its user agrees, a token of the wrong
//! kind gets 403 there, and a payment for today is done as soon as it is submitted. Where nobody says what a user's refusal
//! sends (MX, OmniFund, Tatra banka), it sends `error=access_denied`. The transactions of a Finexer account whose consent does
//! not include them get 403. Everybody sees the same resources, whoever logs in; only the connected account (Finexer) and the
//! customer's id (MX) differ by user.
//!
//! An operation whose specification has `x-idempotency` makes one thing for one key: the same key with the same call, from the
//! same client for the same user, gives the first reply again, for as long as the sandbox runs. The same key with another call
//! is refused with 422; that status is the sandbox's own choice, and no provider documents one. A call that was refused is
//! not remembered, because it made nothing.
//!
//! # From another process
//!
//! What [`Sandbox`] can do, another process does over HTTP, with JSON, below `/_sandbox`. A refusal has `error`, which says why.
//!
//! | request | what |
//! |---|---|
//! | `GET /_sandbox` | what is played, where, with which client and user; the time |
//! | `POST /_sandbox/clock` with `{"seconds": 3600}` | [`advance`](Sandbox::advance) |
//! | `POST /_sandbox/mx/faults` with `{"kind": "status", "status": 503, "on": "list_accounts", "times": 2}` | [`fault`](Sandbox::fault); the kinds are the names of [`Fault`]'s functions, with `seconds` or `milliseconds` for those that wait, and `with`, `after`, `always`, `body`, `media_type`; `DELETE` ends all |
//! | `POST /_sandbox/mx/things` with `{"path": "/customers", "document": {..}}` | [`put`](Sandbox::put); `GET` with `?path=` gives the ids |
//! | `POST /_sandbox/mx/tokens` with `{"scopes": [..], "user": ".."}`, both optional | tokens as if the user had agreed in a browser; `DELETE` is [`revoke_all`](Sandbox::revoke_all) |
//! | `PUT /_sandbox/mx/lifetimes` with `access_token_seconds`, `refresh_token_seconds`, `refresh_grace_seconds` | how long tokens live that are issued from now on |
//! | `POST /_sandbox/mx/users` with `name` and `password` | [`add_user`](Sandbox::add_user) |
//! | `GET /_sandbox/mx/requests` | what came in, with the names of its headers; `DELETE` forgets it |
//!
//! ```
//! # #[cfg(feature = "ofx")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = finrail::sandbox::Sandbox::start().await?;
//! let client = sandbox.client("ofx");
//!
//! # let _ = rustls::crypto::ring::default_provider().install_default();
//! let http = reqwest::Client::new();
//! let form = format!(
//!     "grant_type=client_credentials&scope=payments&client_id={}&client_secret={}",
//!     client.client_id,
//!     client.client_secret.expose_secret(),
//! );
//! let reply = http
//!     .post(format!("{}/oauth/token", sandbox.oauth_url("ofx")))
//!     .header("content-type", "application/x-www-form-urlencoded")
//!     .body(form)
//!     .send()
//!     .await?;
//! assert_eq!(reply.status(), 200);
//! # Ok(()) }
//! # #[cfg(not(feature = "ofx"))] fn main() {}
//! ```

mod answer;
mod authority;
mod browser;
mod client;
mod clock;
mod control;
mod error;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod every_operation;
mod fault;
mod html;
mod http;
mod mint;
mod particular;
mod player;
mod players;
mod providers;
mod recorded;
mod refused;
mod request;
mod resource;
mod server;
mod spec;
mod unknown;
mod wrong;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub use self::client::SandboxClient;
pub use self::fault::{Fault, Gate};
pub use self::recorded::RecordedRequest;
pub use self::spec::SpecError;

use self::player::Player;
use self::players::Players;
use self::spec::bundled::BUNDLES;
use self::unknown::unknown;
use self::wrong::wrong;

/// Why a sandbox could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// No port on loopback could be opened.
    #[error("the sandbox cannot listen on loopback")]
    Listen(#[from] std::io::Error),
    /// A specification cannot be played.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The address is not one of the machine's own: a sandbox gives tokens to everybody who reaches it.
    #[error("the sandbox listens on loopback only")]
    NotLoopback,
    /// The address is not an authorization address of this sandbox.
    #[error("this is not an authorization address of this sandbox")]
    NotHere,
    /// The authorization page refused the request, and the browser stays there.
    #[error("the authorization page refused the request: {0}")]
    Refused(String),
}

/// A running sandbox. It stops when it is dropped.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = finrail::sandbox::Sandbox::start().await?;
/// println!("OFX at {}", sandbox.url("ofx"));
/// # Ok(()) }
/// ```
pub struct Sandbox {
    players: Arc<Players>,
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Sandbox {
    /// Starts a sandbox on a free loopback port, with one client registered at each provider.
    ///
    /// # Errors
    ///
    /// When no port can be opened, or a specification cannot be played.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// assert!(!sandbox.providers().is_empty());
    /// # Ok(()) }
    /// ```
    pub async fn start() -> Result<Self, SandboxError> {
        Self::start_on(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Starts a sandbox on this loopback address, for a browser or another process to find it.
    ///
    /// # Errors
    ///
    /// When the address is not a loopback one or cannot be bound, or a specification cannot be played.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = finrail::sandbox::Sandbox::start_on(([127, 0, 0, 1], 8700).into()).await?;
    /// # Ok(()) }
    /// ```
    pub async fn start_on(address: SocketAddr) -> Result<Self, SandboxError> {
        Self::start_from(address, BUNDLES).await
    }

    /// Starts a sandbox that plays these specifications, which are bundles as JSON: a provider as it
    /// would be after a change, or one of your own.
    ///
    /// # Errors
    ///
    /// When the address is not a loopback one or cannot be bound, or a specification cannot be played.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let changed = std::fs::read_to_string("specs/bundled/ofx.json")?.replace("/payments/quotes", "/v2/quotes");
    /// let sandbox = finrail::sandbox::Sandbox::start_from(([127, 0, 0, 1], 0).into(), &[&changed]).await?;
    /// # Ok(()) }
    /// ```
    pub async fn start_from(address: SocketAddr, bundles: &[&str]) -> Result<Self, SandboxError> {
        if !address.ip().is_loopback() {
            return Err(SandboxError::NotLoopback);
        }
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let players = Arc::new(Players::new(bundles, &format!("http://{address}"))?);
        players.register();
        let stop = server::serve(listener, Arc::clone(&players));
        Ok(Self {
            players,
            address,
            _stop: stop,
        })
    }

    /// The specifications of finrail's own providers, whether their features are on or not: the id of each, and a bundle that
    /// [`start_from`](Self::start_from) takes.
    ///
    /// ```
    /// use finrail::sandbox::Sandbox;
    ///
    /// assert_eq!(Sandbox::specifications().len(), 5);
    /// ```
    #[must_use]
    pub fn specifications() -> Vec<(String, &'static str)> {
        spec::bundled::all()
    }

    /// The providers that are played: `ofx`, `mx`, ...
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// for id in sandbox.providers() {
    ///     println!("{id} at {}", sandbox.url(&id));
    /// }
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn providers(&self) -> Vec<String> {
        self.players.ids()
    }

    /// Base address of a provider's resources: `http://127.0.0.1:PORT/ofx/v1`.
    ///
    /// # Panics
    ///
    /// When the provider is not one of [`providers`](Self::providers).
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// let beneficiaries = format!("{}/payments/beneficiaries", sandbox.url("ofx"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn url(&self, provider: &str) -> String {
        self.player(provider).base()
    }

    /// Base address of a provider's authorization server; the same as [`url`](Self::url) where it has one host.
    ///
    /// # Panics
    ///
    /// When the provider is not one of [`providers`](Self::providers).
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// assert_ne!(sandbox.oauth_url("finexer"), sandbox.url("finexer"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn oauth_url(&self, provider: &str) -> String {
        self.player(provider).oauth_base()
    }

    /// The client that is registered from the start.
    ///
    /// # Panics
    ///
    /// When the provider is not one of [`providers`](Self::providers).
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// let id = sandbox.client("mx").client_id;
    /// # Ok(()) }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn client(&self, provider: &str) -> SandboxClient {
        match self.players.client(provider) {
            Some(client) => client.clone(),
            None => self.no_provider(provider),
        }
    }

    /// Registers one more client, with these redirect URIs; with none, one of the sandbox's own choice.
    ///
    /// # Panics
    ///
    /// When the provider is not one of [`providers`](Self::providers).
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// let native = sandbox.register_client("ofx", &["demoapp://redirect"]);
    /// assert_eq!(native.redirect_uri, "demoapp://redirect");
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn register_client(&self, provider: &str, redirect_uris: &[&str]) -> SandboxClient {
        SandboxClient::register(self.player(provider), None, redirect_uris)
    }

    /// Registers a client with an id and a secret of the caller's choice.
    ///
    /// # Panics
    ///
    /// When the provider is not one of [`providers`](Self::providers).
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// let client = sandbox.register_known_client("mx", "my client", "p@ss:w%rd+", &[]);
    /// assert_eq!(client.client_id, "my client");
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn register_known_client(
        &self,
        provider: &str,
        client_id: &str,
        client_secret: &str,
        redirect_uris: &[&str],
    ) -> SandboxClient {
        SandboxClient::register(self.player(provider), Some((client_id, client_secret)), redirect_uris)
    }

    /// Adds a user who can log in, and use the password grant where there is one.
    ///
    /// # Panics
    ///
    /// When the provider is not one of [`providers`](Self::providers).
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// sandbox.add_user("omnifund", "maria", "correct horse battery staple");
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn add_user(&self, provider: &str, name: &str, password: &str) {
        self.player(provider).state().authority.add_user(name, password);
    }

    /// Moves the clock of all providers forward. The application goes by its own: give it a
    /// [`ManualClock`](crate::token::ManualClock) with [`AppBuilder::clock`](crate::AppBuilder::clock), and move that too.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// sandbox.advance(Duration::from_secs(3600)); // access tokens of an hour are over now
    /// # Ok(()) }
    /// ```
    pub fn advance(&self, by: Duration) {
        self.players.clock.advance(by);
    }

    /// What clients have sent to a provider, the oldest first.
    ///
    /// # Panics
    ///
    /// When the provider is not one of [`providers`](Self::providers).
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// let tokens = sandbox.requests("ofx").iter().filter(|r| r.path == "/oauth/token").count();
    /// # Ok(()) }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn requests(&self, provider: &str) -> Vec<RecordedRequest> {
        self.player(provider).state().requests.to_vec()
    }

    /// Forgets what was recorded.
    ///
    /// # Panics
    ///
    /// When the provider is not one of [`providers`](Self::providers).
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// sandbox.clear_requests("ofx");
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn clear_requests(&self, provider: &str) {
        self.player(provider).state().requests.clear();
    }

    /// Makes something go wrong. Faults are used up in the order in which they were given.
    ///
    /// # Panics
    ///
    /// When the provider is not one of [`providers`](Self::providers), or the fault is for an operation that the provider
    /// does not have.
    ///
    /// ```no_run
    /// # use finrail::sandbox::Fault;
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// sandbox.fault("mx", Fault::status(503));
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn fault(&self, provider: &str, fault: Fault) {
        let player = self.player(provider);
        if let Err(why) = player.check_fault(&fault) {
            wrong(&format!("{why} ({provider})"));
        }
        player.state().faults.push(fault);
    }

    /// Nothing goes wrong any more.
    ///
    /// # Panics
    ///
    /// When the provider is not one of [`providers`](Self::providers).
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// sandbox.clear_faults("mx");
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn clear_faults(&self, provider: &str) {
        self.player(provider).state().faults.clear();
    }

    /// Access tokens that are issued from now on live this long, whatever the provider documents.
    ///
    /// `expires_in` of the reply says so, where the provider sends it; whole seconds.
    ///
    /// # Panics
    ///
    /// When the provider is not one of [`providers`](Self::providers).
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// sandbox.set_access_token_lifetime("ofx", Duration::from_secs(2));
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn set_access_token_lifetime(&self, provider: &str, lifetime: Duration) {
        self.player(provider).state().authority.tuning.access_lifetime = Some(clock::milliseconds(lifetime));
    }

    /// Refresh tokens that are issued from now on live this long.
    ///
    /// # Panics
    ///
    /// When the provider is not one of [`providers`](Self::providers).
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// sandbox.set_refresh_token_lifetime("finexer", Duration::from_secs(60));
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn set_refresh_token_lifetime(&self, provider: &str, lifetime: Duration) {
        self.player(provider).state().authority.tuning.refresh_lifetime = Some(clock::milliseconds(lifetime));
    }

    /// A spent refresh token still works this long; none of the five providers documents such a grace.
    ///
    /// # Panics
    ///
    /// When the provider is not one of [`providers`](Self::providers).
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// sandbox.set_refresh_grace("ofx", Duration::from_secs(30));
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn set_refresh_grace(&self, provider: &str, grace: Duration) {
        self.player(provider).state().authority.tuning.grace = Some(clock::milliseconds(grace));
    }

    /// Ends every grant, as if the users had withdrawn their consent at the provider.
    ///
    /// # Panics
    ///
    /// When the provider is not one of [`providers`](Self::providers).
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// sandbox.revoke_all("ofx");
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn revoke_all(&self, provider: &str) {
        self.player(provider).state().authority.revoke_all();
    }

    /// Ends the grant of an access or a refresh token; whether there was one.
    ///
    /// # Panics
    ///
    /// When the provider is not one of [`providers`](Self::providers).
    ///
    /// ```no_run
    /// # async fn example(refresh_token: &str) -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// assert!(sandbox.kill_grant("ofx", refresh_token));
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn kill_grant(&self, provider: &str, token: &str) -> bool {
        self.player(provider).state().authority.kill(token)
    }

    /// Puts a JSON document into a collection, as if it had been created; gives its id.
    ///
    /// The path is the collection's, without its version: `/customers`, `/accounts/{id}/transactions`.
    /// It is shown as it is: digits are kept, and nothing is checked against the specification, so that a
    /// test can put in what no provider has sent yet.
    ///
    /// # Panics
    ///
    /// When the provider is not one of [`providers`](Self::providers), the text is no JSON object, the path is no collection, or
    /// it goes through a thing that does not exist.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// let quote = r#"{"id":"q-1","buyAmount":12345678901234567.89}"#;
    /// assert_eq!(sandbox.put("ofx", "/payments/quotes", quote), "q-1");
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn put(&self, provider: &str, path: &str, json: &str) -> String {
        let put = self.player(provider).put(path, json);
        put.unwrap_or_else(|why| wrong(&format!("{why} ({provider})")))
    }

    /// The ids of what is in a collection, the oldest first.
    ///
    /// Some replies do not name what they made: OFX makes deals in the background, and the direct reply to
    /// `create_deal` brings no id. The path is as in [`put`](Self::put).
    ///
    /// # Panics
    ///
    /// As [`put`](Self::put).
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// let deal = sandbox.ids("ofx", "/payments/deals").pop();
    /// # Ok(()) }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn ids(&self, provider: &str, path: &str) -> Vec<String> {
        let player = self.player(provider);
        let ids = player.state().store.ids(&player.spec, path);
        ids.unwrap_or_else(|why| wrong(&format!("{why} ({provider})")))
    }

    #[track_caller]
    fn player(&self, id: &str) -> &Player {
        match self.players.get(id) {
            Some(player) => player,
            None => self.no_provider(id),
        }
    }

    #[track_caller]
    fn no_provider(&self, id: &str) -> ! {
        let told = unknown("provider", id, &self.providers());
        wrong(&format!("{told}. Is the feature of the provider on?"))
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("address", &self.address)
            .field("providers", &self.providers())
            .finish_non_exhaustive()
    }
}
