//! How many steps a store takes at once, and who goes first when more are asked for.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::StoreError;

/// How long one who waits goes on waiting while the store answers nobody: as long as one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many steps of its grants' transactions a store takes at once; the others wait for their turn.
///
/// A transaction (a refresh, a login, a revocation) reads, takes the lease, reads again, writes and gives the lease
/// back. When the tokens of thousands of grants end together, a store that took all first steps before the second
/// ones would serve everybody last, and nobody in time. Here those that are further on go first, so that about as
/// many transactions are begun as the store takes steps at once, and each of them ends soon. No turn is taken up
/// while the authorization server is asked: one that is slow holds up nobody else's grants.
///
/// The wait for a turn does not count against the time that the store has for its answer. It ends with
/// [`StoreError::Crowded`] when the store has answered nobody for ten seconds.
///
/// A store keeps one of these, shared by its clones, and gives it from [`TokenStore::admission`](super::TokenStore::admission).
///
/// ```
/// use finrail::token::store::Admission;
///
/// // A pool of 16 connections: whoever has a turn need not wait for one.
/// let admission = Admission::at_once(16);
/// assert_eq!(admission.limit(), 16);
/// ```
#[derive(Clone)]
pub struct Admission(Arc<Gate>);

struct Gate {
    limit: usize,
    line: Mutex<Line>,
}

struct Line {
    /// Nobody waits while there are any.
    free: usize,
    waiting: [Waiting; Stage::COUNT],
    last_answer: Instant,
}

/// Those who wait at one stage, in the order in which they came.
#[derive(Default)]
struct Waiting {
    line: VecDeque<oneshot::Sender<Turn>>,
    /// How many have left at the front.
    served: u64,
}

/// How far a transaction has come. Who is further on goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing is begun, and perhaps nothing needs to be.
    Look,
    /// A refresh asks for its lease.
    Lease,
    /// A change that somebody waits for, or tokens in hand that are stored nowhere, ask for theirs.
    Change,
    /// The lease is held.
    Leased,
    /// Something is known that the store does not know: an outcome, or that the lease is free.
    Write,
}

impl Stage {
    const COUNT: usize = Self::Write as usize + 1;
}

/// A place in the line.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    stage: Stage,
    number: u64,
    since: Instant,
}

/// The right to one step; given on when it is dropped.
pub(crate) struct Turn(Option<Admission>);

impl Admission {
    /// So many steps at once, one at least.
    #[must_use]
    pub fn at_once(limit: usize) -> Self {
        let limit = limit.max(1);
        Self(Arc::new(Gate {
            limit,
            line: Mutex::new(Line {
                free: limit,
                waiting: Default::default(),
                last_answer: Instant::now(),
            }),
        }))
    }

    /// How many steps are taken at once.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// Waits for a turn. `queued` is told of the place in the line, if there is a line.
    pub(crate) async fn turn(&self, stage: Stage, queued: impl FnOnce(Place)) -> Result<Turn, StoreError> {
        let (place, mut turn) = match self.line().enter(stage) {
            None => return Ok(Turn(Some(self.clone()))),
            Some(queued) => queued,
        };
        queued(place);
        loop {
            let last_answer = self.line().last_answer;
            match timeout_at(last_answer.max(place.since) + PATIENCE, &mut turn).await {
                Ok(Ok(turn)) => return Ok(turn),
                Err(_) if self.line().last_answer > last_answer => {}
                // Nobody drops a place in the line unserved while this gate is there.
                Ok(Err(_)) | Err(_) => return Err(self.still_waiting(place)),
            }
        }
    }

    /// What to tell who waits no longer.
    pub(crate) fn still_waiting(&self, place: Place) -> StoreError {
        StoreError::Crowded {
            waited: place.since.elapsed(),
            ahead: self.line().ahead_of(place),
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    /// None: it is their turn. Otherwise their place, and where their turn comes.
    fn enter(&mut self, stage: Stage) -> Option<(Place, oneshot::Receiver<Turn>)> {
        if self.free > 0 {
            self.free -= 1;
            return None;
        }
        let waiting = &mut self.waiting[stage as usize];
        let place = Place {
            stage,
            number: waiting.served + waiting.line.len() as u64,
            since: Instant::now(),
        };
        let (sender, receiver) = oneshot::channel();
        waiting.line.push_back(sender);
        Some((place, receiver))
    }

    /// Who goes next: of those that are furthest on, the one that came first.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        let waiting = self.waiting.iter_mut().rev().find(|waiting| !waiting.line.is_empty())?;
        waiting.served += 1;
        waiting.line.pop_front()
    }

    /// How many go first, those included that have gone away since.
    fn ahead_of(&self, place: Place) -> u64 {
        let own = &self.waiting[place.stage as usize];
        let further = &self.waiting[place.stage as usize + 1..];
        let further: usize = further.iter().map(|waiting| waiting.line.len()).sum();
        place.number.saturating_sub(own.served) + further as u64
    }
}

impl Turn {
    /// The store has answered: it is worth waiting for.
    pub fn answered(&self) {
        if let Some(admission) = &self.0 {
            admission.line().last_answer = Instant::now();
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        while let Some(admission) = self.0.take() {
            let mut line = admission.line();
            let Some(next) = line.next() else {
                line.free += 1;
                return;
            };
            drop(line);
            // Who is not there any more gives it back: then it is the next one's turn.
            if let Err(mut refused) = next.send(Turn(Some(admission))) {
                self.0 = refused.0.take();
            }
        }
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission")
            .field("limit", &self.0.limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures_util::FutureExt as _;

    use super::*;

    fn at(admission: &Admission, stage: Stage) -> impl Future<Output = Result<Turn, StoreError>> + Unpin + use<> {
        let admission = admission.clone();
        let mut turn = Box::pin(async move { admission.turn(stage, |_| {}).await });
        // In the line from here on.
        match (&mut turn).now_or_never() {
            None => turn.left_future(),
            Some(ready) => std::future::ready(ready).right_future(),
        }
    }

    fn crowded(outcome: Result<Turn, StoreError>) -> (Duration, u64) {
        match outcome.err().unwrap() {
            StoreError::Crowded { waited, ahead } => (waited, ahead),
            error => panic!("{error}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_further_on_goes_first_and_others_in_the_order_in_which_they_came() {
        let admission = Admission::at_once(1);
        let mut held = at(&admission, Stage::Look).await.unwrap();
        let order = [
            Stage::Look,
            Stage::Lease,
            Stage::Look,
            Stage::Write,
            Stage::Leased,
            Stage::Change,
        ];
        let mut turns: Vec<_> = order.iter().map(|stage| Some(at(&admission, *stage))).collect();
        for next in [3, 4, 5, 1, 0, 2] {
            drop(held);
            for (number, turn) in turns.iter_mut().enumerate().filter(|(number, _)| *number != next) {
                assert!(
                    turn.as_mut().is_none_or(|turn| turn.now_or_never().is_none()),
                    "{number}"
                );
            }
            held = turns[next].take().unwrap().now_or_never().unwrap().unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_takes_up_no_turn() {
        let admission = Admission::at_once(2);
        let held = [at(&admission, Stage::Look).await, at(&admission, Stage::Look).await];
        let gone = [
            at(&admission, Stage::Write),
            at(&admission, Stage::Write),
            at(&admission, Stage::Look),
        ];
        let [first, served, last] = gone;
        drop(first);
        drop(held);
        // Served, and gone before it saw that it was.
        drop(served);
        drop(last);
        let again = [at(&admission, Stage::Look), at(&admission, Stage::Look)];
        assert!(again.into_iter().all(|turn| turn.now_or_never().is_some()));
    }

    #[test]
    fn one_step_at_least_is_taken_at_once() {
        assert_eq!([0, 1, 3].map(|limit| Admission::at_once(limit).limit()), [1, 1, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn ahead_are_those_that_came_before_and_those_that_are_further_on() {
        let admission = Admission::at_once(1);
        let held = at(&admission, Stage::Look).await.unwrap();
        let (first, last) = (at(&admission, Stage::Look), at(&admission, Stage::Look));
        drop(held);
        let _first = first.now_or_never().unwrap().unwrap();
        let _further_on = [at(&admission, Stage::Lease), at(&admission, Stage::Write)];
        assert_eq!(crowded(last.await).1, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_goes_on_while_the_store_answers_and_ends_with_a_number() {
        let admission = Admission::at_once(1);
        let held = at(&admission, Stage::Look).await.unwrap();
        let (first, second) = (at(&admission, Stage::Look), at(&admission, Stage::Look));
        let waiting = tokio::spawn(async move { (crowded(first.await), crowded(second.await)) });
        for _ in 0..6 {
            tokio::time::sleep(Duration::from_secs(9)).await;
            assert!(!waiting.is_finished());
            held.answered();
        }
        let ((waited, ahead), (_, after_it)) = waiting.await.unwrap();
        assert_eq!((waited.as_secs(), ahead, after_it), (64, 0, 1));
        // Whoever waited for it: the turn comes back.
        drop(held);
        assert!(at(&admission, Stage::Look).now_or_never().is_some());
    }
}
