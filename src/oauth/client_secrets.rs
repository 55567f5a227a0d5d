//! The secrets of a client in memory: which one is sent first, which one next, and when the source is asked.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use super::client_secret_source::{ClientSecretError, ClientSecretSource, ClientSecrets};
use crate::value::{Secret, with_causes};

/// How long the source is not asked again because of a client that is refused: a wrong secret makes every request of every
/// grant a reason to ask.
const BETWEEN_READINGS: Duration = Duration::from_secs(5);
/// How long the source is not asked again after a failure.
const AFTER_A_FAILURE: Duration = Duration::from_secs(1);

const SHUT_DOWN: ClientSecretError =
    ClientSecretError::Interrupted("the runtime is shutting down; ask again after the next start");
const NO_RUNTIME: ClientSecretError =
    ClientSecretError::Interrupted("there is no tokio runtime here; call from inside one");

/// Where the secrets of a client come from, as its application is set up.
#[derive(Clone, Default)]
pub(crate) struct SecretSettings {
    pub source: Option<Arc<dyn ClientSecretSource>>,
    /// In the order in which they are tried, after those of the source.
    pub fixed: Vec<Secret>,
}

/// What came of a reading, for all who wait for it. The secrets are where they are kept.
type Outcome = Result<(), ClientSecretError>;

/// The secrets of a client, kept for all requests of an application.
#[derive(Clone)]
pub(crate) struct KeptSecrets(Arc<Kept>);

struct Kept {
    settings: SecretSettings,
    /// Time for one reading.
    limit: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What the source gave; none: it gave nothing yet.
    read: Option<ClientSecrets>,
    /// The one that the server took last.
    taken: Option<Secret>,
    /// A reading that is under way.
    reading: Option<watch::Receiver<Option<Outcome>>>,
    /// When the last reading because of a refused client ended.
    read_again_at: Option<Instant>,
    /// When the last reading ended, where it failed.
    failed: Option<(Instant, ClientSecretError)>,
}

impl State {
    /// A secret that is not among the refused ones, the one that the server took last before all others.
    fn choice(&self, fixed: &[Secret], refused: &[Secret]) -> Option<Secret> {
        let read = self.read.iter();
        let read = read.flat_map(|read| std::iter::once(&read.current).chain(&read.other));
        let mut open = read.chain(fixed).filter(|secret| !refused.contains(secret)).peekable();
        let first = open.peek().copied();
        let taken = open.find(|secret| self.taken.as_ref() == Some(secret));
        taken.or(first).cloned()
    }

    /// Whether a refused client is no reason to ask the source, because that was done moments ago.
    fn was_just_read_again(&self, now: Instant) -> bool {
        let at = self.read_again_at;
        at.is_some_and(|at| now.saturating_duration_since(at) < BETWEEN_READINGS)
    }

    /// The failure that is too fresh for another reading.
    fn fresh_failure(&self, now: Instant) -> Option<ClientSecretError> {
        let (at, error) = self.failed.as_ref()?;
        (now.saturating_duration_since(*at) < AFTER_A_FAILURE).then(|| error.clone())
    }
}

impl KeptSecrets {
    /// `limit`: the time for one reading.
    pub fn new(settings: SecretSettings, limit: Duration) -> Self {
        Self(Arc::new(Kept {
            settings,
            limit,
            state: Mutex::default(),
        }))
    }

    /// The one to send first. Asks the source where that has given none yet, and waits for it no longer than this.
    pub async fn first(&self, wait: Duration) -> Result<Secret, ClientSecretError> {
        let reading = {
            let mut state = self.0.lock();
            match &self.0.settings.source {
                Some(source) if state.read.is_none() => {
                    if state.reading.is_none()
                        && let Some(error) = state.fresh_failure(Instant::now())
                    {
                        return Err(error);
                    }
                    self.0.join(&mut state, source, Because::Needed)?
                }
                _ => return Ok(self.0.at_hand(&state)),
            }
        };
        outcome_of(reading, wait).await?;
        Ok(self.0.at_hand(&self.0.lock()))
    }

    /// The one to send first, of those that need no waiting; empty: there is none.
    pub fn at_hand(&self) -> Secret {
        self.0.at_hand(&self.0.lock())
    }

    /// One that the server has not refused for this request, of those that are known.
    pub fn known(&self, refused: &[Secret]) -> Option<Secret> {
        self.0.lock().choice(&self.0.settings.fixed, refused)
    }

    /// The same after the source was asked again, which is not done where it was done moments ago. Waits for it no longer
    /// than this.
    pub async fn read_again(&self, refused: &[Secret], wait: Duration) -> Option<Secret> {
        let source = self.0.settings.source.as_ref()?;
        let reading = {
            let mut state = self.0.lock();
            // Somebody else's reading may have ended in between.
            if let Some(choice) = state.choice(&self.0.settings.fixed, refused) {
                return Some(choice);
            }
            if state.reading.is_none() && state.was_just_read_again(Instant::now()) {
                return None;
            }
            // It fails without a runtime only, and then nothing can be read.
            self.0.join(&mut state, source, Because::Refused).ok()?
        };
        // What is wrong with the source is logged where it is asked. The caller has the server's answer.
        outcome_of(reading, wait).await.ok()?;
        self.known(refused)
    }

    /// Whether it is so of one of those that are known, whichever is sent.
    pub fn any(&self, tells: &dyn Fn(&str) -> bool) -> bool {
        let state = self.0.lock();
        let read = state.read.iter();
        let read = read.flat_map(|read| std::iter::once(&read.current).chain(&read.other));
        let known = read.chain(&self.0.settings.fixed).chain(&state.taken);
        known.into_iter().any(|secret| tells(secret.expose_secret()))
    }

    /// The server took this secret.
    pub fn took(&self, secret: &Secret) {
        let mut state = self.0.lock();
        if state.taken.as_ref() != Some(secret) {
            state.taken = Some(secret.clone());
        }
    }

    /// The server refused the client with this secret.
    pub fn refused(&self, secret: &Secret) {
        let mut state = self.0.lock();
        state.taken = state.taken.take().filter(|taken| taken != secret);
    }
}

/// Why the source is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Because {
    /// A request needs a secret, and there is none.
    Needed,
    /// The server refuses the client with all that are known.
    Refused,
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at_hand(&self, state: &State) -> Secret {
        let choice = state.choice(&self.settings.fixed, &[]);
        choice.unwrap_or_else(|| Secret::from(""))
    }

    /// Joins the reading that is under way, or starts one in a task of its own: who waits for it may go away.
    fn join(
        self: &Arc<Self>,
        state: &mut State,
        source: &Arc<dyn ClientSecretSource>,
        because: Because,
    ) -> Result<watch::Receiver<Option<Outcome>>, ClientSecretError> {
        if let Some(reading) = &state.reading {
            return Ok(reading.clone());
        }
        let runtime = Handle::try_current().map_err(|_| NO_RUNTIME)?;
        let (sender, reading) = watch::channel(None);
        state.reading = Some(reading.clone());
        let (source, limit) = (Arc::clone(source), self.limit);
        let landing = Landing {
            kept: Arc::clone(self),
            because,
            sender,
        };
        runtime.spawn(async move {
            let came = asked(&*source, limit).await;
            landing.land(came);
        });
        Ok(reading)
    }
}

/// Asks the source once.
async fn asked(source: &dyn ClientSecretSource, limit: Duration) -> Result<ClientSecrets, ClientSecretError> {
    let reading = AssertUnwindSafe(async { source.read().await }).catch_unwind();
    match tokio::time::timeout(limit, reading).await {
        Err(_) => Err(ClientSecretError::Silent(limit)),
        Ok(Err(_)) => Err(ClientSecretError::Panicked),
        Ok(Ok(Err(error))) => Err(ClientSecretError::Failed(error.into())),
        Ok(Ok(Ok(secrets))) if secrets.current.is_blank() => Err(ClientSecretError::Empty),
        Ok(Ok(Ok(secrets))) => Ok(secrets),
    }
}

/// Waits for the outcome of a reading.
async fn outcome_of(mut reading: watch::Receiver<Option<Outcome>>, wait: Duration) -> Outcome {
    match tokio::time::timeout(wait, reading.wait_for(Option::is_some)).await {
        Err(_) => Err(ClientSecretError::Silent(wait)),
        Ok(Ok(outcome)) => outcome.clone().unwrap_or(Err(SHUT_DOWN)),
        Ok(Err(_)) => Err(SHUT_DOWN),
    }
}

/// Ends a reading, whether it has an outcome or was cut off.
struct Landing {
    kept: Arc<Kept>,
    because: Because,
    sender: watch::Sender<Option<Outcome>>,
}

impl Landing {
    fn land(self, came: Result<ClientSecrets, ClientSecretError>) {
        let now = Instant::now();
        let outcome = came.as_ref().map(|_| ()).map_err(Clone::clone);
        match &came {
            Ok(_) => tracing::debug!("the source of the client's secret was read"),
            Err(error) => tracing::warn!(error = %with_causes(error), "the source of the client's secret gave none"),
        }
        let mut state = self.kept.lock();
        state.reading = None;
        if self.because == Because::Refused {
            state.read_again_at = Some(now);
        }
        match came {
            Ok(secrets) => {
                state.read = Some(secrets);
                state.failed = None;
            }
            Err(error) => state.failed = Some((now, error)),
        }
        drop(state);
        self.sender.send_replace(Some(outcome));
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        // Cut off by a shutdown. After a landing there may be another reading already.
        if self.sender.borrow().is_none() {
            self.kept.lock().reading = None;
        }
    }
}

#[cfg(test)]
mod tests;
