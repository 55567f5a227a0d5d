//! One attempt for all who wait: joined or started, and landed.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::Instrument as _;

use super::clock::Tick;
use super::live::flight::Joined;
use super::live::{Live, Outcome};
use super::machine::{Freshness, Issued, Want};
use super::{Error, transaction};
use crate::token::source::{Bearer, Rejection};
use crate::value::with_causes;

const CUT_OFF: Error = Error::Interrupted("the runtime is shutting down; ask again after the next start");

/// A header of a token that is not about to end.
pub(crate) async fn fresh(live: &Arc<Live>) -> Result<Bearer, Error> {
    let want = live.held.snapshot().map_or(Want::Usable, |snapshot| snapshot.wanted());
    let now = live.now();
    if live.rest.left(now).is_some()
        && !live.held.look_is_overdue(now.tick)
        && let Some(bearer) = live.held.still_serving(now)
    {
        // No other token can be had now: nobody waits for a look at the store.
        beside(live, want);
        return Ok(bearer);
    }
    let outcome = tokio::select! {
        biased;
        outcome = attempt(live, want) => outcome,
        bearer = served_meanwhile(live) => return Ok(bearer),
        bearer = served_without_a_look(live) => return Ok(bearer),
    };
    let error = match outcome.and_then(|snapshot| snapshot.bearer()) {
        Ok(bearer) => return Ok(bearer),
        Err(error) => error,
    };
    // A refresh that failed is nobody's trouble as long as the token at hand lives.
    live.held.still_serving(live.now()).ok_or(error)
}

/// Ends only where the attempt has to wait long for others and the token at hand lives: it serves, and the attempt goes on.
async fn served_meanwhile(live: &Arc<Live>) -> Bearer {
    live.waits.long().await;
    match live.held.still_serving(live.now()) {
        Some(bearer) => bearer,
        None => std::future::pending().await,
    }
}

/// Ends only where the token at hand is good and the store does not say for a while whether the grant was ended elsewhere.
async fn served_without_a_look(live: &Arc<Live>) -> Bearer {
    const PATIENCE: Duration = Duration::from_secs(1);
    let is_good = live.held.snapshot().is_some_and(|snapshot| {
        matches!(
            snapshot.freshness(live.now().tick),
            Freshness::Fresh | Freshness::Advisory | Freshness::Unknown
        ) && snapshot.error().is_none()
    });
    if is_good {
        tokio::time::sleep(PATIENCE).await;
        if let Some(bearer) = live.held.still_serving(live.now()) {
            // The calls after this one do not wait too.
            live.held.looked(live.now());
            return bearer;
        }
    }
    std::future::pending().await
}

/// A header of another token than the one that was refused, or of the same one where the server gave it again.
pub(crate) async fn replace(live: &Arc<Live>, refused: &Issued, rejection: Rejection) -> Result<Bearer, Error> {
    let want = match rejection {
        Rejection::InvalidToken => Want::Other(refused.clone()),
        Rejection::Unexplained => Want::Instead(refused.clone()),
    };
    // The first attempt may be one that was under way, and it may have found the very token that was refused.
    for _ in 0..2 {
        let snapshot = attempt(live, want.clone()).await?;
        if !snapshot.is_of(refused) {
            return snapshot.bearer();
        }
    }
    Err(Error::TokenRefused { retry_after: None })
}

/// Tokens of a later generation, which another process may have stored already.
pub(crate) async fn renew(live: &Arc<Live>, than: u64) -> Result<(), Error> {
    // The first attempt may be one that was under way and wanted less.
    for _ in 0..2 {
        let snapshot = attempt(live, Want::Later { than }).await?;
        if snapshot.generation().is_some_and(|generation| generation > than) {
            return Ok(());
        }
    }
    Err(live.grant.overtaken())
}

/// Starts an attempt and does not wait for it.
pub(crate) fn beside(live: &Arc<Live>, want: Want) {
    if live.flight.is_under_way() {
        return;
    }
    let quiet_until = live.rest.quiet_until();
    if quiet_until.is_some_and(|end| live.clock.monotonic() < end) && !live.held.look_is_due(Tick::read(&*live.clock)) {
        return;
    }
    let _ = join(live, want);
}

/// Joins the attempt that is under way, or starts one, and waits for what comes of it.
async fn attempt(live: &Arc<Live>, want: Want) -> Outcome {
    let mut flight = join(live, want)?;
    match flight.wait_for(Option::is_some).await {
        Ok(outcome) => outcome.clone().unwrap_or(Err(CUT_OFF)),
        Err(_) => Err(CUT_OFF),
    }
}

fn join(live: &Arc<Live>, want: Want) -> Result<watch::Receiver<Option<Outcome>>, Error> {
    let mut begun = None;
    let joined = live.flight.join(|| {
        begin(live).map(|(begin, outcome)| {
            begun = Some(begin);
            outcome
        })
    })?;
    match joined {
        Joined::Waits(outcome) => Ok(outcome),
        Joined::Leads(outcome) => {
            if let Some(Begun {
                runtime,
                landing,
                resting,
            }) = begun
            {
                let attempt = async move {
                    match resting {
                        None => {
                            let outcome = transaction::run(&landing.live, want).await;
                            landing.land(outcome);
                        }
                        Some(error) => {
                            let found = transaction::look_while_resting(&landing.live, &want).await;
                            landing.land_look(found, error);
                        }
                    }
                };
                // In the span of the call that began it, which its requests belong to.
                runtime.spawn(attempt.in_current_span());
            }
            Ok(outcome)
        }
    }
}

/// What an attempt needs to be made.
struct Begun {
    runtime: Handle,
    landing: Landing,
    /// The server is not to be asked now, for this reason: only the store is looked at.
    resting: Option<Error>,
}

/// An error while the last failure is too fresh, or where there is no runtime.
fn begin(live: &Arc<Live>) -> Result<(Begun, watch::Receiver<Option<Outcome>>), Error> {
    let now = live.now();
    let resting = match live.rest.left(now) {
        Some((rest, error)) if live.rest.takes_a_look(now) => Some(error.with_retry_after(rest)),
        Some((rest, error)) => return Err(error.with_retry_after(rest)),
        None => None,
    };
    let Ok(runtime) = Handle::try_current() else {
        return Err(Error::Interrupted(
            "there is no tokio runtime here; call from inside one",
        ));
    };
    let (sender, outcome) = watch::channel(None);
    let landing = Landing {
        live: Arc::clone(live),
        sender,
    };
    let begun = Begun {
        runtime,
        landing,
        resting,
    };
    Ok((begun, outcome))
}

/// Whether somebody has to know of it who looks after the application. What passes by itself is none of it, and the end of a
/// grant is told where it is learned.
fn concerns_operators(error: &Error) -> bool {
    match error {
        Error::InDoubt { .. }
        | Error::ClientMisconfigured { .. }
        | Error::RequestRejected { .. }
        | Error::TokenRefused { .. }
        | Error::UnusableToken { .. }
        | Error::OtherAccount { .. }
        | Error::Store { .. } => true,
        Error::ReauthorizationRequired { .. }
        | Error::NoGrant { .. }
        | Error::Transient { .. }
        | Error::Throttled { .. }
        | Error::Busy { .. }
        | Error::Source { .. }
        | Error::Interrupted(_) => false,
    }
}

/// Ends an attempt, whether it has an outcome or was cut off.
struct Landing {
    live: Arc<Live>,
    sender: watch::Sender<Option<Outcome>>,
}

impl Landing {
    fn land(self, outcome: Outcome) {
        let live = &self.live;
        live.held.looked(live.now());
        match &outcome {
            Ok(_) => live.rest.end(),
            Err(error) => {
                let rest = live.rest.begin(error, live.now(), live.grant.random.draw());
                if concerns_operators(error) {
                    tracing::warn!(
                        key = %live.grant.named(), kind = error.kind(), error = %with_causes(error), ?rest, "no new token"
                    );
                } else {
                    tracing::debug!(
                        key = %live.grant.named(), kind = error.kind(), error = %with_causes(error), ?rest, "no new token"
                    );
                }
            }
        }
        self.tell(outcome);
    }

    /// The same for a look at the store while the server rests: what it found, or why the server rests.
    fn land_look(self, found: Option<Outcome>, resting: Error) {
        match found {
            // What somebody else got serves here too, and the server asked for its rest all the same.
            Some(Ok(stored)) => self.tell(Ok(stored)),
            Some(Err(ended)) => self.land(Err(ended)),
            None => self.tell(Err(resting)),
        }
    }

    fn tell(self, outcome: Outcome) {
        self.live.flight.land(|| {
            self.sender.send_replace(Some(outcome));
        });
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        // Cut off by a panic or a shutdown. After a landing there may be another attempt already.
        if self.sender.borrow().is_none() {
            self.live.flight.land(|| {});
        }
    }
}
