//! One attempt for all who wait: joined or started, and landed.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;

use super::live::flight::Joined;
use super::live::{Inner, Outcome, Trouble};
use super::machine::Want;
use super::{Error, transaction};

impl Inner {
    /// Joins the attempt that is under way, or starts one.
    pub(crate) async fn attempt(self: &Arc<Self>, want: Want) -> Outcome {
        let mut flight = self.join(want)?;
        match flight.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Err(CUT_OFF)),
            Err(_) => Err(CUT_OFF),
        }
    }

    pub(crate) fn join(self: &Arc<Self>, want: Want) -> Result<watch::Receiver<Option<Outcome>>, Error> {
        let mut begun = None;
        let joined = self.flight.join(|| {
            let now = self.clock.monotonic();
            if let Some(trouble) = &self.state().trouble
                && now < trouble.until
            {
                return Err(trouble.error.clone().with_retry_after(trouble.until - now));
            }
            let Ok(runtime) = tokio::runtime::Handle::try_current() else {
                return Err(Error::Interrupted("there is no tokio runtime here"));
            };
            let (sender, receiver) = watch::channel(None);
            begun = Some((runtime, sender));
            Ok(receiver)
        })?;
        match joined {
            Joined::Waits(receiver) => Ok(receiver),
            Joined::Leads(receiver) => {
                if let Some((runtime, sender)) = begun {
                    let landing = Landing {
                        inner: Arc::clone(self),
                        sender,
                    };
                    runtime.spawn(async move {
                        let outcome = transaction::run(&landing.inner, want).await;
                        landing.land(outcome);
                    });
                }
                Ok(receiver)
            }
        }
    }

    /// Starts an attempt and does not wait for it.
    pub(crate) fn attempt_beside(self: &Arc<Self>, want: Want) {
        if self.flight.is_under_way() {
            return;
        }
        let quiet_until = self.quiet_until.load(Ordering::Acquire);
        if quiet_until != 0 && self.clock.monotonic() < Duration::from_millis(quiet_until) {
            return;
        }
        let _ = self.join(want);
    }
}

const CUT_OFF: Error = Error::Interrupted("the runtime is shutting down");

/// Ends an attempt, whether it has an outcome or was cut off.
struct Landing {
    inner: Arc<Inner>,
    sender: watch::Sender<Option<Outcome>>,
}

impl Landing {
    fn land(self, outcome: Outcome) {
        {
            self.inner.looked();
            let mut state = self.inner.state();
            match &outcome {
                Ok(_) => self.inner.calm(&mut state),
                Err(error) => {
                    state.failures += 1;
                    let rest = self.inner.rest(error, state.failures);
                    let until = self.inner.clock.monotonic() + rest;
                    let millis = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
                    self.inner.quiet_until.store(millis, Ordering::Release);
                    state.trouble = Some(Trouble {
                        until,
                        error: error.clone(),
                    });
                    tracing::debug!(key = %self.inner.key, %error, ?rest, "no new token");
                }
            }
        }
        self.inner.flight.land(|| {
            self.sender.send_replace(Some(outcome));
        });
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        // Cut off by a panic or a shutdown. After a landing there may be another attempt already.
        if self.sender.borrow().is_none() {
            self.inner.flight.land(|| {});
        }
    }
}
