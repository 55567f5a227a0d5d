//! How many calls are made at once, and how many in a time: what the caller sets, and what a provider is known to take.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use url::Url;

use super::operation::{Limit, Operation};
use super::outcome::Outcome;

/// How many calls an application makes at once and in a time, over all its clients and connections. Each attempt counts;
/// requests to the authorization server do not.
///
/// A call waits for its turn, as long as its [deadline](super::RetryPolicy::deadline) allows; otherwise it fails at once
/// with [`Error::Limited`](super::Error::Limited), and nothing is sent. With [`refuse`](Self::refuse) nothing waits.
/// When the provider answers 429 with a `Retry-After`, all calls of the application wait, or are refused, for that time, an
/// hour at most.
///
/// The counts are of one process, and begin anew with it.
///
/// ```
/// # #[cfg(feature = "finexer")] {
/// use std::time::Duration;
///
/// use finrail::finexer;
/// use finrail::transport::Limits;
///
/// let limits = Limits::new().concurrent(8).rate(20, Duration::from_secs(1)).of_the_provider();
/// let app = finexer::App::builder()
///     .credentials(finexer::Credentials::new("client", "secret"))
///     .limits(limits)
///     .build()?;
/// # let _ = app;
/// # }
/// # Ok::<(), finrail::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Limits {
    concurrent: Option<usize>,
    rate: Option<Rate>,
    of_the_provider: bool,
    refuses: bool,
}

/// So many calls in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rate {
    calls: u32,
    per: Duration,
}

impl Limits {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// So many calls at once; one at least. A download counts until its headers are there.
    pub fn concurrent(mut self, calls: usize) -> Self {
        self.concurrent = Some(calls.clamp(1, Semaphore::MAX_PERMITS));
        self
    }

    /// So many calls in so much time, which may all come at its beginning; one at least.
    pub fn rate(mut self, calls: u32, per: Duration) -> Self {
        self.rate = Some(Rate {
            calls: calls.max(1),
            per,
        });
        self
    }

    /// Keeps to the limits that the provider is known to have for single calls ([`Operation::limit`]), so that a call which
    /// it would refuse, or take no notice of, is not sent. Its own count decides in the end, and it may differ: it knows
    /// of other processes, and of calls before this one began.
    pub fn of_the_provider(mut self) -> Self {
        self.of_the_provider = true;
        self
    }

    /// A call that would have to wait fails at once.
    pub fn refuse(mut self) -> Self {
        self.refuses = true;
        self
    }
}

/// Why a call was not sent, though nothing is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limited {
    /// The operation.
    pub operation: &'static str,
    /// Which limit.
    pub limit: LimitKind,
    /// When there may be room. Of [`LimitKind::Concurrent`] nobody knows.
    pub retry_after: Option<Duration>,
    /// What may be concluded of attempts before: [`Outcome::NotSent`] where there was none.
    pub(super) outcome: Outcome,
}

/// A limit that a call met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitKind {
    /// [`Limits::concurrent`].
    Concurrent,
    /// [`Limits::rate`].
    Rate,
    /// [`Limits::of_the_provider`].
    Provider,
    /// The provider asked for time.
    RetryAfter,
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            limit,
            retry_after,
            ..
        } = self;
        let which = match limit {
            LimitKind::Concurrent => "as many calls as the application's limit allows are under way",
            LimitKind::Rate => "the application's limit of calls in a time is reached",
            LimitKind::Provider => "the provider takes this call no oftener",
            LimitKind::RetryAfter => "the provider asked for time",
        };
        write!(f, "{operation}: the call was not sent: {which}")?;
        match retry_after {
            Some(wait) => write!(f, "; make it again in {} s", wait.as_secs().saturating_add(1)),
            None => f.write_str("; make it again later"),
        }
    }
}

impl std::error::Error for Limited {}

/// The counts of an application.
pub(crate) struct Limiter {
    limits: Limits,
    room: Option<Arc<Semaphore>>,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    rate: Gate,
    /// By operation, grant, and what the provider counts by.
    of_operations: HashMap<(&'static str, String), Gate>,
    /// Nothing is sent before, because the provider asked for time.
    rests_until: Option<Instant>,
}

/// What is kept of calls so that a rate holds: when their time would be used up (GCRA).
#[derive(Clone, Copy, Default)]
struct Gate(Option<Instant>);

impl Gate {
    /// How long a call has to wait now.
    fn wait(self, rate: Rate, now: Instant) -> Duration {
        let Some(used_up) = self.0 else { return Duration::ZERO };
        let spare = rate.per.saturating_sub(rate.interval());
        used_up.saturating_duration_since(now).saturating_sub(spare)
    }

    /// Counts one.
    fn pass(&mut self, rate: Rate, now: Instant) {
        let from = self.0.map_or(now, |used_up| used_up.max(now));
        self.0 = Some(from.checked_add(rate.interval()).unwrap_or(from));
    }

    /// Takes one back that was not sent.
    fn give_back(&mut self, rate: Rate) {
        self.0 = self.0.and_then(|used_up| used_up.checked_sub(rate.interval()));
    }
}

impl Rate {
    fn interval(self) -> Duration {
        self.per / self.calls
    }
}

/// A place among the calls that are under way. Where it is dropped before its call began to be sent, the provider's own limit
/// counts nothing.
pub(crate) struct Place<'a> {
    limiter: &'a Limiter,
    _room: Option<OwnedSemaphorePermit>,
    /// The provider's own limit that it counts for.
    counted: Option<((&'static str, String), Rate)>,
    /// The call may have arrived.
    sent: bool,
    /// It had to wait for it: what it had before may be out of date.
    pub waited: bool,
}

impl Place<'_> {
    /// From here on the call may arrive.
    pub fn begin(&mut self) {
        self.sent = true;
    }

    /// The call did not leave, or the provider refused it: it is not counted.
    pub fn give_back(mut self) {
        self.sent = false;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let (false, Some((key, rate))) = (self.sent, &self.counted)
            && let Some(gate) = self.limiter.counts().of_operations.get_mut(key)
        {
            gate.give_back(*rate);
        }
    }
}

impl Limiter {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            room: limits.concurrent.map(|calls| Arc::new(Semaphore::new(calls))),
            counts: Mutex::default(),
        }
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_off(&self) -> bool {
        self.limits.concurrent.is_none() && self.limits.rate.is_none() && !self.limits.of_the_provider
    }

    /// The provider asks for time.
    pub fn rest(&self, asked: Duration) {
        const LONGEST: Duration = Duration::from_secs(3600);
        if self.is_off() {
            return;
        }
        let until = Instant::now() + asked.min(LONGEST);
        let rests_until = &mut self.counts().rests_until;
        *rests_until = Some(rests_until.map_or(until, |before| before.max(until)));
    }

    /// Waits for a call's turn, until its deadline at most.
    pub async fn enter(
        &self,
        operation: &'static Operation,
        url: &Url,
        connection: impl FnOnce() -> Option<String>,
        deadline: Instant,
    ) -> Result<Option<Place<'_>>, Limited> {
        if self.is_off() {
            return Ok(None);
        }
        let limited = |limit, retry_after| Limited {
            operation: operation.id,
            limit,
            retry_after,
            outcome: Outcome::NotSent,
        };
        let own = operation.limit.filter(|_| self.limits.of_the_provider);
        let own = own.map(|limit| {
            (
                (operation.id, counted_by(limit, operation, url, connection())),
                rate_of(limit),
            )
        });
        let mut waited = false;
        loop {
            // Whoever waits for a time holds no place that another call could have.
            if let Err((limit, wait)) = self.pass(own.as_ref(), Instant::now(), false) {
                if self.limits.refuses || Instant::now() + wait >= deadline {
                    return Err(limited(limit, Some(wait)));
                }
                tokio::time::sleep(wait).await;
                waited = true;
                continue;
            }
            let room = match self
                .room
                .as_ref()
                .map(|room| (room, Arc::clone(room).try_acquire_owned()))
            {
                None => None,
                Some((_, Ok(room))) => Some(room),
                Some(_) if self.limits.refuses => return Err(limited(LimitKind::Concurrent, None)),
                Some((room, Err(_))) => {
                    waited = true;
                    match tokio::time::timeout_at(deadline, Arc::clone(room).acquire_owned()).await {
                        Ok(Ok(room)) => Some(room),
                        // It is never closed, so the time is up.
                        Ok(Err(_)) | Err(_) => return Err(limited(LimitKind::Concurrent, None)),
                    }
                }
            };
            // Others may have passed meanwhile.
            if self.pass(own.as_ref(), Instant::now(), true).is_ok() {
                return Ok(Some(Place {
                    limiter: self,
                    _room: room,
                    counted: own,
                    sent: false,
                    waited,
                }));
            }
        }
    }

    /// Whether there is room for a call in every limit of a time; otherwise the longest wait. `counts`: it is counted then.
    fn pass(
        &self,
        own: Option<&((&'static str, String), Rate)>,
        now: Instant,
        count: bool,
    ) -> Result<(), (LimitKind, Duration)> {
        let mut counts = self.counts();
        let mut waits = Vec::with_capacity(3);
        if let Some(until) = counts.rests_until {
            waits.push((LimitKind::RetryAfter, until.saturating_duration_since(now)));
        }
        if let Some(rate) = self.limits.rate {
            waits.push((LimitKind::Rate, counts.rate.wait(rate, now)));
        }
        if let Some((key, rate)) = own {
            let gate = counts.of_operations.get(key).copied().unwrap_or_default();
            waits.push((LimitKind::Provider, gate.wait(*rate, now)));
        }
        if let Some(longest) = waits
            .into_iter()
            .filter(|(_, wait)| !wait.is_zero())
            .max_by_key(|(_, wait)| *wait)
        {
            return Err(longest);
        }
        if !count {
            return Ok(());
        }
        if let Some(rate) = self.limits.rate {
            counts.rate.pass(rate, now);
        }
        if let Some((key, rate)) = own {
            // What is used up no more says nothing.
            if counts.of_operations.len() >= 1024 {
                counts
                    .of_operations
                    .retain(|_, gate| gate.0.is_some_and(|used_up| used_up > now));
            }
            counts.of_operations.entry(key.clone()).or_default().pass(*rate, now);
        }
        Ok(())
    }
}

fn rate_of(limit: Limit) -> Rate {
    Rate {
        calls: limit.calls.max(1),
        per: Duration::from_secs(limit.seconds),
    }
}

/// What the provider counts by: values of the path, or else the grant.
fn counted_by(limit: Limit, operation: &Operation, url: &Url, connection: Option<String>) -> String {
    if limit.by.is_empty() {
        return connection.unwrap_or_default();
    }
    // From the end, because a base URL may have a path.
    let steps: Vec<(&str, &str)> = operation.path.rsplit('/').zip(url.path().rsplit('/')).collect();
    let values = limit.by.iter().filter_map(|name| {
        let place = format!("{{{name}}}");
        let (_, value) = steps.iter().find(|(step, _)| *step == place)?;
        Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
    });
    values.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    static SYNC: Operation = Operation {
        id: "start_sync",
        path: "/accounts/{id}/sync",
        limit: Some(Limit {
            calls: 1,
            seconds: 3600,
            by: &["id"],
        }),
        ..Operation::BASE
    };
    static REFRESH: Operation = Operation {
        id: "refresh",
        path: "/refresh",
        limit: Some(Limit {
            calls: 2,
            seconds: 30,
            by: &[],
        }),
        ..Operation::BASE
    };
    static READ: Operation = Operation {
        id: "read",
        path: "/accounts/{id}",
        ..Operation::BASE
    };

    const SECOND: Duration = Duration::from_secs(1);

    fn url(path: &str) -> Url {
        format!("https://bank.example/v1{path}").parse().unwrap()
    }

    /// One call, with so many seconds until its deadline.
    async fn enter<'a>(
        limiter: &'a Limiter,
        operation: &'static Operation,
        path: &str,
        connection: &str,
        seconds: u64,
    ) -> Result<Option<Place<'a>>, (LimitKind, Option<u64>)> {
        let connection = connection.to_owned();
        let deadline = Instant::now() + SECOND * u32::try_from(seconds).unwrap();
        let entered = limiter
            .enter(operation, &url(path), || Some(connection), deadline)
            .await;
        let entered = entered.map(|place| {
            place.map(|mut place| {
                place.begin();
                place
            })
        });
        entered.map_err(|limited| (limited.limit, limited.retry_after.map(|wait| wait.as_secs())))
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_lets_a_burst_through_and_then_one_for_each_part_of_its_time() {
        let limiter = Limiter::new(Limits::new().rate(3, SECOND * 3));
        let began = Instant::now();
        let mut passed = Vec::new();
        for _ in 0..6 {
            enter(&limiter, &READ, "/accounts/1", "", 60).await.unwrap();
            passed.push(began.elapsed().as_secs());
        }
        assert_eq!(passed, [0, 0, 0, 1, 2, 3]);
        tokio::time::advance(SECOND * 100).await;
        for _ in 0..3 {
            enter(&limiter, &READ, "/accounts/1", "", 0).await.unwrap();
        }
        let refused = enter(&limiter, &READ, "/accounts/1", "", 1).await.err();
        assert_eq!(
            refused,
            Some((LimitKind::Rate, Some(1))),
            "it could not be sent before its deadline"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_refuses_does_not_wait_and_counts_nothing() {
        let limiter = Limiter::new(Limits::new().rate(1, SECOND * 10).refuse());
        enter(&limiter, &READ, "/accounts/1", "", 60).await.unwrap();
        for _ in 0..3 {
            let refused = enter(&limiter, &READ, "/accounts/1", "", 60).await.err();
            assert_eq!(refused, Some((LimitKind::Rate, Some(10))));
        }
        tokio::time::advance(SECOND * 10).await;
        enter(&limiter, &READ, "/accounts/1", "", 60).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_as_are_allowed_are_under_way_and_the_next_has_its_turn_when_one_ends() {
        let limiter = Limiter::new(Limits::new().concurrent(2));
        let first = enter(&limiter, &READ, "/accounts/1", "", 60).await.unwrap();
        let _second = enter(&limiter, &READ, "/accounts/1", "", 60).await.unwrap();
        let refused = enter(&limiter, &READ, "/accounts/1", "", 5).await.err();
        assert_eq!(refused, Some((LimitKind::Concurrent, None)));
        let (third, ()) = tokio::join!(enter(&limiter, &READ, "/accounts/1", "", 60), async {
            tokio::time::sleep(SECOND).await;
            drop(first);
        });
        third.unwrap();
        let limiter = Limiter::new(Limits::new().concurrent(1).refuse());
        let _only = enter(&limiter, &READ, "/accounts/1", "", 60).await.unwrap();
        let began = Instant::now();
        assert!(enter(&limiter, &READ, "/accounts/1", "", 60).await.is_err());
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn the_providers_own_limits_count_by_what_it_counts_by() {
        let limiter = Limiter::new(Limits::new().of_the_provider());
        enter(&limiter, &SYNC, "/accounts/a%2F1/sync", "one", 60).await.unwrap();
        enter(&limiter, &SYNC, "/accounts/b/sync", "one", 60).await.unwrap();
        let refused = enter(&limiter, &SYNC, "/accounts/a%2F1/sync", "two", 60).await.err();
        assert_eq!(
            refused,
            Some((LimitKind::Provider, Some(3600))),
            "of one account, whoever asks"
        );
        enter(&limiter, &READ, "/accounts/a", "one", 0).await.unwrap();
        tokio::time::advance(SECOND * 3600).await;
        enter(&limiter, &SYNC, "/accounts/a%2F1/sync", "two", 0).await.unwrap();
        // By grant where the path has nothing: two at once, and then one for each half of the time.
        for (connection, room) in [("one", true), ("one", true), ("one", false), ("two", true)] {
            let entered = enter(&limiter, &REFRESH, "/refresh", connection, 0).await;
            assert_eq!(entered.is_ok(), room, "{connection}");
        }
        let off = Limiter::new(Limits::new().concurrent(9));
        for _ in 0..3 {
            enter(&off, &SYNC, "/accounts/a/sync", "one", 0).await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_left_is_not_counted_for_the_provider() {
        let limiter = Limiter::new(Limits::new().of_the_provider());
        let place = enter(&limiter, &SYNC, "/accounts/a/sync", "", 0)
            .await
            .unwrap()
            .unwrap();
        place.give_back();
        enter(&limiter, &SYNC, "/accounts/a/sync", "", 0).await.unwrap();
        assert!(enter(&limiter, &SYNC, "/accounts/a/sync", "", 0).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_that_is_dropped_before_its_call_began_is_not_counted_for_the_provider() {
        let limiter = Limiter::new(Limits::new().of_the_provider());
        let url = url("/accounts/a/sync");
        let deadline = Instant::now();
        drop(limiter.enter(&SYNC, &url, || None, deadline).await.unwrap());
        enter(&limiter, &SYNC, "/accounts/a/sync", "", 0).await.unwrap();
        assert!(enter(&limiter, &SYNC, "/accounts/a/sync", "", 0).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_a_time_holds_no_place_and_whoever_does_not_wait_is_told_so() {
        let limiter = Limiter::new(Limits::new().concurrent(1).of_the_provider());
        let first = enter(&limiter, &SYNC, "/accounts/a/sync", "", 0)
            .await
            .unwrap()
            .unwrap();
        assert!(!first.waited);
        drop(first);
        let waits = enter(&limiter, &SYNC, "/accounts/a/sync", "", 7200);
        let (second, other) = tokio::join!(waits, async {
            tokio::time::sleep(SECOND).await;
            enter(&limiter, &READ, "/accounts/a", "", 1)
                .await
                .map(|place| place.unwrap().waited)
        });
        assert_eq!(other, Ok(false));
        assert!(second.unwrap().unwrap().waited);
    }

    #[tokio::test(start_paused = true)]
    async fn while_the_provider_asks_for_time_nothing_is_sent() {
        let limiter = Limiter::new(Limits::new().concurrent(9));
        limiter.rest(SECOND * 20);
        limiter.rest(SECOND * 5);
        let refused = enter(&limiter, &READ, "/accounts/1", "", 10).await.err();
        assert_eq!(refused, Some((LimitKind::RetryAfter, Some(20))));
        let began = Instant::now();
        enter(&limiter, &READ, "/accounts/1", "", 60).await.unwrap();
        assert_eq!(began.elapsed(), SECOND * 20);
        limiter.rest(Duration::MAX);
        let refused = enter(&limiter, &READ, "/accounts/1", "", 10).await.err();
        assert_eq!(refused, Some((LimitKind::RetryAfter, Some(3600))), "an hour at most");
        let off = Limiter::new(Limits::new());
        off.rest(SECOND * 20);
        enter(&off, &READ, "/accounts/1", "", 0).await.unwrap();
    }

    #[test]
    fn it_is_said_which_limit_it_is_and_when_there_may_be_room() {
        let limited = |limit, retry_after| Limited {
            operation: "start_sync",
            limit,
            retry_after,
            outcome: Outcome::NotSent,
        };
        for (limited, text) in [
            (
                limited(LimitKind::Provider, Some(SECOND * 59)),
                "start_sync: the call was not sent: the provider takes this call no oftener; make it again in 60 s",
            ),
            (
                limited(LimitKind::Concurrent, None),
                "start_sync: the call was not sent: as many calls as the application's limit allows are under way; make it again later",
            ),
        ] {
            assert_eq!(limited.to_string(), text);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn counts_of_long_ago_are_dropped() {
        let limiter = Limiter::new(Limits::new().of_the_provider());
        for account in 0..1024 {
            enter(&limiter, &SYNC, &format!("/accounts/{account}/sync"), "", 0)
                .await
                .unwrap();
        }
        tokio::time::advance(SECOND * 1800).await;
        enter(&limiter, &SYNC, "/accounts/later/sync", "", 0).await.unwrap();
        assert!(enter(&limiter, &SYNC, "/accounts/7/sync", "", 0).await.is_err());
        tokio::time::advance(SECOND * 1800).await;
        enter(&limiter, &SYNC, "/accounts/new/sync", "", 0).await.unwrap();
        assert_eq!(
            limiter.counts().of_operations.len(),
            2,
            "what is not used up still counts"
        );
        assert!(enter(&limiter, &SYNC, "/accounts/later/sync", "", 0).await.is_err());
    }
}
