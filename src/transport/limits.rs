//! How many calls are made at once, and how many in a time: what the caller sets, and what a provider is known to take.

use std::collections::{HashMap, VecDeque};
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
/// hour at most; for a minute at least where it cannot be read.
///
/// # What is guaranteed
///
/// Of a [`rate`](Self::rate): in no stretch of the given time, wherever it begins, are more than so many attempts handed to the
/// HTTP client. How long they then take to arrive is not in it, the time of connecting included.
///
/// Of a limit [of the provider](Self::of_the_provider): the same, and whenever in it the provider counted the call. Its time
/// begins when the attempt is over, because only then has the call certainly arrived.
///
/// Of a rate of up to 1024 calls each time is kept. One of more counts attempts that were close to one another, within a 1024th
/// of its time, by the last of them: it lets no more through than it says, and at times a little less.
///
/// Whoever waits is not in a queue: of several that wait for the same room any one may have it.
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

    /// So many calls in so much time, which may all come at its beginning; one at least, in a year at most. Those that
    /// follow wait until the time is over since the first of them.
    pub fn rate(mut self, calls: u32, per: Duration) -> Self {
        const YEAR: Duration = Duration::from_secs(365 * 86_400);
        self.rate = Some(Rate {
            calls: calls.max(1),
            per: per.min(YEAR),
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
    /// Of the application's own rate, where it has one.
    rate: Option<Gate>,
    /// By operation, grant, and what the provider counts by.
    of_operations: HashMap<(&'static str, String), Gate>,
    /// Nothing is sent before, because the provider asked for time.
    rests_until: Option<Instant>,
}

/// What is kept of calls so that a rate holds: when the last of them left, as many as the rate allows. A count that is given
/// back by and by (GCRA) would take less room, and let nearly twice as many through within one time.
struct Gate {
    rate: Rate,
    /// In the order in which they began.
    left: VecDeque<Bunch>,
    /// How many calls the bunches have.
    counted: u32,
    /// How many have passed and not left yet. Nobody knows how long they count.
    about_to_leave: u32,
}

/// Calls that left close to one another; they count until the last of them counts no more.
struct Bunch {
    first: Instant,
    last: Instant,
    calls: u32,
}

/// How many bunches a rate is kept in, about.
const BUNCHES: u32 = 1024;

impl Gate {
    fn new(rate: Rate) -> Self {
        Self {
            rate,
            left: VecDeque::new(),
            counted: 0,
            about_to_leave: 0,
        }
    }

    /// How long a call has to wait now, as far as that is known.
    fn wait(&mut self, now: Instant) -> Duration {
        let rate = self.rate;
        self.forget(now);
        let mut over = self.counted.saturating_add(self.about_to_leave).saturating_add(1);
        over = over.saturating_sub(rate.calls);
        for bunch in &self.left {
            if over == 0 {
                return Duration::ZERO;
            }
            over = over.saturating_sub(bunch.calls);
            if over == 0 {
                return bunch.counts_for(rate, now);
            }
        }
        // Those that are about to leave count from then on.
        if over == 0 { Duration::ZERO } else { rate.per }
    }

    /// Drops what counts no more.
    fn forget(&mut self, now: Instant) {
        let rate = self.rate;
        while let Some(bunch) = self.left.front().filter(|bunch| bunch.counts_for(rate, now).is_zero()) {
            self.counted = self.counted.saturating_sub(bunch.calls);
            self.left.pop_front();
        }
    }

    /// A call passes, and is about to leave.
    fn pass(&mut self) {
        self.about_to_leave = self.about_to_leave.saturating_add(1);
    }

    /// A call that passed does not leave.
    fn stay(&mut self) {
        self.about_to_leave = self.about_to_leave.saturating_sub(1);
    }

    /// A call that passed leaves.
    fn leave(&mut self, now: Instant) {
        let rate = self.rate;
        self.stay();
        self.counted = self.counted.saturating_add(1);
        let (most, within) = (rate.calls.div_ceil(BUNCHES), rate.per / BUNCHES);
        let last = self.left.back_mut();
        match last.filter(|last| last.calls < most && now.saturating_duration_since(last.first) <= within) {
            Some(last) => {
                last.calls += 1;
                last.last = last.last.max(now);
            }
            None => self.left.push_back(Bunch {
                first: now,
                last: now,
                calls: 1,
            }),
        }
    }

    fn is_idle(&mut self, now: Instant) -> bool {
        self.forget(now);
        self.left.is_empty() && self.about_to_leave == 0
    }
}

impl Bunch {
    /// How long it counts yet. A time that is too long to add counts for ever.
    fn counts_for(&self, rate: Rate, now: Instant) -> Duration {
        rate.per.saturating_sub(now.saturating_duration_since(self.last))
    }
}

/// A place among the calls that are under way. Where it is dropped before its call began to be sent, nothing is counted.
pub(crate) struct Place<'a> {
    limiter: &'a Limiter,
    _room: Option<OwnedSemaphorePermit>,
    /// The provider's own limit that it counts for.
    own: Option<(&'static str, String)>,
    /// The call may have arrived.
    sent: bool,
    /// The provider did not take it.
    refused: bool,
    /// It had to wait for it: what it had before may be out of date.
    pub waited: bool,
}

impl Place<'_> {
    /// From here on the call may arrive.
    pub fn begin(&mut self) {
        if !self.sent
            && let Some(gate) = &mut self.limiter.counts().rate
        {
            gate.leave(Instant::now());
        }
        self.sent = true;
    }

    /// The call did not leave, or the provider refused it: the provider's own limit does not count it.
    pub fn give_back(mut self) {
        self.refused = true;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut counts = self.limiter.counts();
        if !self.sent
            && let Some(gate) = &mut counts.rate
        {
            gate.stay();
        }
        if let Some(own) = &self.own
            && let Some(gate) = counts.of_operations.get_mut(own)
        {
            match self.sent && !self.refused {
                true => gate.leave(Instant::now()),
                false => gate.stay(),
            }
        }
    }
}

impl Limiter {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            room: limits.concurrent.map(|calls| Arc::new(Semaphore::new(calls))),
            counts: Mutex::new(Counts {
                rate: limits.rate.map(Gate::new),
                ..Counts::default()
            }),
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
                if self.limits.refuses || wait >= deadline.saturating_duration_since(Instant::now()) {
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
                    own: own.map(|(key, _)| key),
                    sent: false,
                    refused: false,
                    waited,
                }));
            }
        }
    }

    /// Whether there is room for a call in every limit of a time; otherwise the longest wait. `count`: it passes then.
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
        if let Some(gate) = &mut counts.rate {
            waits.push((LimitKind::Rate, gate.wait(now)));
        }
        if let Some(gate) = own.and_then(|(key, _)| counts.of_operations.get_mut(key)) {
            waits.push((LimitKind::Provider, gate.wait(now)));
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
        if let Some(gate) = &mut counts.rate {
            gate.pass();
        }
        if let Some((key, rate)) = own {
            // What is used up no more says nothing.
            if counts.of_operations.len() >= 1024 {
                counts.of_operations.retain(|_, gate| !gate.is_idle(now));
            }
            let gates = &mut counts.of_operations;
            gates.entry(key.clone()).or_insert_with(|| Gate::new(*rate)).pass();
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
    async fn of_many_calls_only_those_that_are_close_to_one_another_are_counted_as_one() {
        // Two in each second at most.
        let limiter = Limiter::new(Limits::new().rate(2048, SECOND * 1024));
        let mut bunches = Vec::new();
        for pause in [0, 1, 0, 2, 1] {
            tokio::time::advance(SECOND * pause).await;
            enter(&limiter, &READ, "/accounts/1", "", 0).await.unwrap();
            bunches.push(limiter.counts().rate.as_ref().unwrap().left.len());
        }
        assert_eq!(bunches, [1, 1, 2, 3, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_lets_a_burst_through_and_then_none_until_its_time_is_over() {
        let limiter = Limiter::new(Limits::new().rate(3, SECOND * 3));
        let began = Instant::now();
        let mut passed = Vec::new();
        for _ in 0..6 {
            enter(&limiter, &READ, "/accounts/1", "", 60).await.unwrap();
            passed.push(began.elapsed().as_secs());
        }
        assert_eq!(passed, [0, 0, 0, 3, 3, 3]);
        tokio::time::advance(SECOND * 100).await;
        for _ in 0..3 {
            enter(&limiter, &READ, "/accounts/1", "", 0).await.unwrap();
        }
        let refused = enter(&limiter, &READ, "/accounts/1", "", 1).await.err();
        assert_eq!(
            refused,
            Some((LimitKind::Rate, Some(3))),
            "it could not be sent before its deadline"
        );
    }

    /// The most calls that left within this time; `left` is in order.
    fn most_within(left: &[Duration], per: Duration) -> usize {
        let until = |from: usize| left.partition_point(|at| *at < left[from] + per);
        (0..left.len()).map(|from| until(from) - from).max().unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn in_no_stretch_of_its_time_does_a_rate_let_more_through() {
        for (calls, seconds) in [(20, 60), (2, 60), (1, 3600), (1024, 60), (5000, 60)] {
            let (per, many) = (SECOND * seconds, usize::try_from(calls).unwrap());
            // All at once, at a pace that is too fast, and at one that is not.
            for pace in [Duration::ZERO, per / calls / 3, per / calls / 100 * 101] {
                let limiter = Limiter::new(Limits::new().rate(calls, per).refuse());
                let began = Instant::now();
                let mut left = Vec::new();
                while began.elapsed() < per * 3 {
                    if enter(&limiter, &READ, "/accounts/1", "", 0).await.is_ok() {
                        left.push(began.elapsed());
                        tokio::time::advance(pace).await;
                    } else {
                        tokio::time::advance(per / 97).await;
                    }
                }
                let most = most_within(&left, per);
                assert!(most <= many, "{calls} in {seconds} s, pace {pace:?}: {most}");
                assert!(left.len() >= 2 * many, "{calls}, {pace:?}: {} in all", left.len());
                let kept = limiter.counts().rate.as_ref().unwrap().left.len();
                assert!(kept <= 3 * 1024, "{kept}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_that_never_ends_lets_so_many_calls_through_and_no_more() {
        for refuses in [false, true] {
            let limits = Limits::new().rate(1, Duration::MAX);
            let limiter = Limiter::new(if refuses { limits.refuse() } else { limits });
            enter(&limiter, &READ, "/accounts/1", "", 60).await.unwrap();
            for _ in 0..4 {
                tokio::time::advance(SECOND * 1_000_000).await;
                let (limit, _) = enter(&limiter, &READ, "/accounts/1", "", 60).await.err().unwrap();
                assert_eq!(limit, LimitKind::Rate);
            }
        }
        let none = Limiter::new(Limits::new().rate(1, Duration::ZERO).refuse());
        for _ in 0..5 {
            enter(&none, &READ, "/accounts/1", "", 0).await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_counts_from_when_it_leaves_and_before_that_it_keeps_its_room() {
        let limiter = Limiter::new(Limits::new().rate(1, SECOND * 60).refuse());
        let (url, deadline) = (url("/accounts/1"), Instant::now() + SECOND * 600);
        let place = || limiter.enter(&READ, &url, || None, deadline);
        let mut slow = place().await.unwrap().unwrap();
        // It is not there yet: its token is renewed, say.
        tokio::time::advance(SECOND * 59).await;
        assert_eq!(place().await.err().unwrap().retry_after, Some(SECOND * 60));
        slow.begin();
        drop(slow);
        tokio::time::advance(SECOND * 59).await;
        assert_eq!(place().await.err().unwrap().retry_after, Some(SECOND));
        tokio::time::advance(SECOND).await;
        // What is given up before it left leaves its room.
        drop(place().await.unwrap());
        drop(place().await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_a_providers_limit_begins_when_the_call_has_certainly_arrived() {
        let limiter = Limiter::new(Limits::new().of_the_provider());
        let late = enter(&limiter, &SYNC, "/accounts/a/sync", "", 0).await.unwrap();
        tokio::time::advance(SECOND * 20).await;
        drop(late);
        tokio::time::advance(SECOND * 3580).await;
        let refused = enter(&limiter, &SYNC, "/accounts/a/sync", "", 0).await.err();
        assert_eq!(refused, Some((LimitKind::Provider, Some(20))));
        tokio::time::advance(SECOND * 20).await;
        enter(&limiter, &SYNC, "/accounts/a/sync", "", 0).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn several_that_wait_pass_as_their_room_comes_and_no_earlier() {
        let limiter = Limiter::new(Limits::new().rate(2, SECOND * 10));
        let began = Instant::now();
        let calls = (0..7).map(|_| async {
            enter(&limiter, &READ, "/accounts/1", "", 60).await.unwrap();
            began.elapsed().as_secs()
        });
        let mut left = futures_util::future::join_all(calls).await;
        left.sort_unstable();
        assert_eq!(left, [0, 0, 10, 10, 20, 20, 30]);
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
        // By grant where the path has nothing.
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
