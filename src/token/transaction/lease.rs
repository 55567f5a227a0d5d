//! Waiting for the lease, keeping it while there is work, and what may come of having it.

use std::pin::pin;
use std::time::Duration;

use crate::http::Random;
use crate::http::{Backoff, spread};
use crate::token::clock::between;
use crate::token::live::{Asked, GrantStore, Live};
use crate::token::store::{Lease, Leased};
use crate::token::{Clock, Error, Intent, SendPermit};
use crate::value::with_causes;

/// How long the sender of an intent is given to store what it may have got, from the end of its request on: longer
/// than the pause between its tries.
const TO_STORE: Duration = Duration::from_secs(5);

/// What comes of having the lease. It is given back in any case.
pub(super) enum UnderLease<T> {
    Ended(Result<T, Error>),
    /// The sender of an intent may still be at work: it is given time, and then the lease is asked for again.
    SenderAtWork(SenderAtWork),
}

/// A sender whose request, or whose new tokens, may still be under way.
pub(super) struct SenderAtWork {
    /// Of the intent.
    pub fence: u64,
    pub holder: String,
    /// How long it is given from now on, by the clock of who wrote its intent.
    pub rest: Duration,
    /// How long it is given at most, whatever clocks say.
    longest: Duration,
}

impl SenderAtWork {
    /// Where somebody put back what a store had lost, a process that has newer tokens, and no request under way, finds that
    /// out with its next look.
    pub fn of(intent: &Intent, live: &Live) -> Self {
        let until_a_look = match intent.put_back {
            true => live.grant.look_again_every.min(LONGEST_WAIT_FOR_A_LOOK),
            false => Duration::ZERO,
        };
        Self::at_work(intent, live, until_a_look)
    }

    /// The same for a request alone, because the grant is to end.
    pub fn of_request(intent: &Intent, live: &Live) -> Self {
        Self::at_work(intent, live, Duration::ZERO)
    }

    fn at_work(intent: &Intent, live: &Live, at_least: Duration) -> Self {
        let (store, request_timeout) = (&live.store, live.grant.request_timeout);
        let lease = store.renews_leases().then(|| store.lease_ttl());
        let work = longest_work(request_timeout, lease).max(at_least);
        Self {
            fence: intent.fence,
            holder: intent.holder.clone(),
            rest: rest(between(intent.at, live.now().utc()), work),
            longest: rest(Duration::ZERO, work),
        }
    }
}

/// The senders that were given time.
#[derive(Default)]
pub(super) struct Waited {
    /// The fences of their intents: a store that goes back has others again.
    fences: Vec<u64>,
    /// Of those that were given a part of it, and how much: no clock of theirs counts in it.
    parts: Vec<(u64, Duration)>,
    /// How long all of them may take: one whose writes arrive and whose answers are lost announces one request after the other.
    patience: Duration,
}

impl Waited {
    #[cfg(test)]
    pub fn of(fences: impl IntoIterator<Item = u64>) -> Self {
        Self {
            fences: fences.into_iter().collect(),
            ..Self::default()
        }
    }

    pub fn has(&self, fence: u64) -> bool {
        self.fences.contains(&fence)
    }

    /// The fence, if it is one of them.
    pub fn among(&self, fence: Option<u64>) -> Option<u64> {
        fence.filter(|fence| self.has(*fence))
    }

    /// Whether they were given so much time, all together, that no other one is given any.
    pub fn is_over(&self) -> bool {
        let so_far: Duration = self.parts.iter().map(|(_, part)| *part).sum();
        !self.parts.is_empty() && so_far >= self.patience
    }

    /// Gives a sender its time, or a part of it, after which the store is looked at. An error where they had theirs.
    pub async fn wait(&mut self, sender: SenderAtWork, live: &Live) -> Result<(), Error> {
        if self.gives_up_on(&sender) {
            return Err(Error::Busy {
                holder: sender.holder,
                retry_after: Some(sender.rest),
            });
        }
        let part = self.next_part(&sender);
        live.waits.begin(&sender.holder, Some(sender.rest), true);
        tokio::time::sleep(part).await;
        Ok(())
    }

    fn gives_up_on(&mut self, sender: &SenderAtWork) -> bool {
        self.patience = self.patience.max(sender.longest * 2);
        self.is_over()
    }

    fn next_part(&mut self, sender: &SenderAtWork) -> Duration {
        const AT_ONCE: Duration = Duration::from_secs(60);
        let known = self.parts.iter().position(|(fence, _)| *fence == sender.fence);
        let at = known.unwrap_or_else(|| {
            self.parts.push((sender.fence, Duration::ZERO));
            self.parts.len() - 1
        });
        let (_, so_far) = &mut self.parts[at];
        let left = sender.rest.min(sender.longest.saturating_sub(*so_far));
        let part = left.min(AT_ONCE);
        *so_far += part;
        if left <= AT_ONCE {
            self.fences.push(sender.fence);
        }
        part
    }
}

/// How long is waited at most for processes that look at the store.
const LONGEST_WAIT_FOR_A_LOOK: Duration = Duration::from_secs(3600);

/// For how long a request may be under way that was announced. A store that loses the record loses the lease with it, and
/// its sender, which knows nothing of that, may let the request leave as long as the lease would have lasted.
fn longest_work(request_timeout: Duration, lease: Option<Duration>) -> Duration {
    request_timeout.max(lease.unwrap_or_default())
}

/// What is left of the time of a request that was announced so long ago, and of the time to store what it brought.
fn rest(age: Duration, longest_work: Duration) -> Duration {
    longest_work.saturating_sub(age) + TO_STORE
}

/// Longest time that an intent is waited for.
pub(super) fn longest_rest(request_timeout: Duration) -> Duration {
    rest(Duration::ZERO, request_timeout)
}

/// Waits for the lease of a change.
pub(super) async fn acquire(store: &GrantStore, clock: &dyn Clock) -> Result<Lease, Error> {
    acquire_or_take(store, clock, || None).await
}

/// The same for a change that drops what waits to be stored, for which this process may have the lease.
pub(super) async fn acquire_to_drop(live: &Live) -> Result<Lease, Error> {
    acquire_or_take(&live.store, &*live.clock, || live.held.unstored.take_left()).await
}

/// The same for somebody to whom this process may leave the lease that it has.
pub(super) async fn acquire_or_take(
    store: &GrantStore,
    clock: &dyn Clock,
    left: impl Fn() -> Option<Lease>,
) -> Result<Lease, Error> {
    let deadline = clock.monotonic() + store.grant.longest_work() * 2;
    let mut poll = Poll::new();
    loop {
        if let Some(left) = left() {
            return Ok(left);
        }
        let Asked { leased, .. } = store.lease_for_change().await?;
        match leased {
            Leased::Granted(lease) => return Ok(lease),
            Leased::Held { by, for_at_most } if clock.monotonic() >= deadline => {
                return Err(Error::Busy {
                    holder: by,
                    retry_after: for_at_most,
                });
            }
            Leased::Held { .. } => poll.pause(&store.grant.random).await,
        }
    }
}

/// Does the work while the lease is renewed beside it, as often as it takes.
pub(super) async fn while_renewed<T>(
    store: &GrantStore,
    lease: &Lease,
    permit: &SendPermit,
    work: impl Future<Output = T>,
) -> T {
    let work = pin!(work);
    let renewals = pin!(renew_again_and_again(store, lease, permit));
    tokio::select! {
        biased;
        done = work => done,
        never = renewals => match never {},
    }
}

async fn renew_again_and_again(store: &GrantStore, lease: &Lease, permit: &SendPermit) -> std::convert::Infallible {
    let length = store.lease_ttl();
    while store.renews_leases() && !lease.exclusive {
        tokio::time::sleep(length / 3).await;
        match store.renew(lease).await {
            Ok(Some(asked_at)) => permit.renewed(asked_at, length),
            // What is under way is protected by its intent.
            Ok(None) => break,
            Err(error) => {
                tracing::debug!(key = %store.grant.named(), error = %with_causes(&error), "a lease was not renewed, and is tried again")
            }
        }
    }
    std::future::pending().await
}

/// Pauses between looks at a lease that somebody else holds.
pub(super) struct Poll(u32);

impl Poll {
    pub fn new() -> Self {
        Self(0)
    }

    pub async fn pause(&mut self, random: &Random) {
        self.0 = self.0.saturating_add(1);
        tokio::time::sleep(between_looks(self.0, random.draw())).await;
    }
}

/// The pause before the next look, after so many.
fn between_looks(looks: u32, draw: f64) -> Duration {
    const BACKOFF: Backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(320));
    spread(BACKOFF.pause(looks), 0.5..=1.5, draw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_given_the_rest_of_its_request_and_five_seconds() {
        for (age, expected) in [(0, 25), (7, 18), (20, 5), (90, 5)] {
            let rest = rest(Duration::from_secs(age), Duration::from_secs(20));
            assert_eq!(rest.as_secs(), expected, "{age}");
        }
        assert_eq!(longest_rest(Duration::from_secs(20)).as_secs(), 25);
    }

    #[test]
    fn a_sender_is_given_its_time_in_parts_of_a_minute_and_once_whatever_its_clock_says() {
        let secs = Duration::from_secs;
        let sender = |rest, longest| SenderAtWork {
            fence: 7,
            holder: "somebody".to_owned(),
            rest: secs(rest),
            longest: secs(longest),
        };
        // The clock of the sender is ahead: its rest never becomes less.
        let mut waited = Waited::default();
        let parts = [(60, false), (60, false), (5, true), (0, true)];
        for (part, is_over) in parts {
            assert_eq!(
                (waited.next_part(&sender(125, 125)).as_secs(), waited.has(7)),
                (part, is_over)
            );
        }
        let mut waited = Waited::default();
        assert_eq!(waited.next_part(&sender(5, 125)).as_secs(), 5);
        assert_eq!(
            (waited.among(Some(7)), waited.among(Some(8)), waited.among(None)),
            (Some(7), None, None)
        );
    }

    #[test]
    fn senders_that_follow_one_another_are_given_the_time_of_two_and_one_is_never_cut_short() {
        let sender = |fence, rest| SenderAtWork {
            fence,
            holder: "somebody".to_owned(),
            rest: Duration::from_secs(rest),
            longest: Duration::from_secs(25),
        };
        let mut waited = Waited::default();
        for fence in 1..=10 {
            assert!(!waited.gives_up_on(&sender(fence, 5)), "{fence}");
            waited.next_part(&sender(fence, 5));
        }
        assert!(waited.gives_up_on(&sender(11, 5)) && waited.is_over());
        // Somebody who looks at the store now and then may need longer than all of them.
        let looks = SenderAtWork {
            longest: Duration::from_secs(3605),
            ..sender(12, 3605)
        };
        while !waited.has(12) {
            assert!(!waited.gives_up_on(&looks) && !waited.is_over());
            waited.next_part(&looks);
        }
    }

    #[test]
    fn a_request_may_leave_until_its_lease_would_have_ended_whatever_the_store_lost() {
        let secs = Duration::from_secs;
        for (request, lease, expected) in [(4, None, 4), (4, Some(10), 10), (32, Some(10), 32)] {
            assert_eq!(longest_work(secs(request), lease.map(secs)), secs(expected));
        }
    }

    #[test]
    fn looks_at_a_lease_that_somebody_holds_come_from_10_to_480_ms_apart() {
        let millis = |looks, draw| between_looks(looks, draw).as_millis();
        assert_eq!(
            [1, 2, 3, 4, 5, 6].map(|looks| millis(looks, 0.0)),
            [10, 20, 40, 80, 160, 160]
        );
        assert_eq!(
            [1, 2, 3, 4, 5, 6].map(|looks| millis(looks, 1.0)),
            [30, 60, 120, 240, 480, 480]
        );
    }
}
