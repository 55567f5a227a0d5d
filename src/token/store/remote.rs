//! What the stores behind a network share: how long they wait, and how they ask again when an answer was lost.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Damage, Leased, LeasedSwap, RecordBytes, StoreError};

/// Longer than any healthy answer, shorter than a lease: when a call gives up.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// When one of two tries gives up.
pub(super) const TRY: Duration = Duration::from_millis(2_500);

/// Tries what may be done twice, and once more on another connection when the store does not answer.
pub(super) async fn twice<T, F>(attempt: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    match attempt().await {
        Err(StoreError::Unavailable { .. }) => attempt().await,
        answer => answer,
    }
}

impl StoreError {
    /// As [`damaged`](Self::damaged), for a record whose bytes can be read and whose revision is no number: whoever goes
    /// over it keeps the bytes aside.
    pub(super) fn without_revision(bytes: RecordBytes) -> Self {
        let source = "the revision of the record is damaged: it is no whole number of zero or more";
        Self::Corrupt {
            place: None,
            source: Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(source)),
            damage: Some(Damage {
                bytes: Some(bytes),
                ..Damage::default()
            }),
        }
    }
}

/// Questions for a lease that nobody heard the answer to.
///
/// The store may have granted them, and then it holds a lease for somebody who
/// does not know it. So every question carries a nonce, and the store answers
/// the same nonce with the same lease. What stays without an answer is asked
/// again, with its nonce, by whoever of the same holder asks next. Nobody else
/// has that nonce at the same time: two tasks of one holder exclude each other.
#[derive(Clone, Default)]
pub(super) struct Unanswered(Arc<Mutex<Nonces>>);

/// By storage id and holder, with the time from which on nobody need ask again.
type Nonces = HashMap<(String, String), VecDeque<(String, Instant)>>;

impl Unanswered {
    /// A question by `holder` for the lease of the record `id`.
    /// `ttl`: how long a lease would be held that was granted and never heard of.
    pub fn question(&self, id: &str, holder: &str, ttl: Duration) -> Question {
        let asker = (id.to_owned(), holder.to_owned());
        let mut nonces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = nonces.get_mut(&asker).and_then(VecDeque::pop_front);
        if nonces.get(&asker).is_some_and(VecDeque::is_empty) {
            nonces.remove(&asker);
        }
        drop(nonces);
        Question {
            unanswered: self.clone(),
            asker,
            open: kept.is_some(),
            ttl,
            nonce: kept
                .map(|(nonce, _)| nonce)
                .unwrap_or_else(|| uuid::Uuid::new_v4().simple().to_string()),
        }
    }
}

/// What a question for a lease is answered with.
pub(super) trait Answer {
    /// Whether the lease was given.
    fn grants(&self) -> bool;
}

impl Answer for Leased {
    fn grants(&self) -> bool {
        matches!(self, Self::Granted(_))
    }
}

impl Answer for LeasedSwap {
    fn grants(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

/// One question for a lease, asked twice at most.
pub(super) struct Question {
    unanswered: Unanswered,
    asker: (String, String),
    nonce: String,
    ttl: Duration,
    /// It may have been granted, or may still be.
    open: bool,
}

impl Question {
    /// Asks, and asks again when there is no answer.
    pub async fn ask<A: Answer, F>(mut self, attempt: impl Fn(String) -> F) -> Result<A, StoreError>
    where
        F: Future<Output = Result<A, StoreError>>,
    {
        match self.once(&attempt).await {
            Err(StoreError::Unavailable { .. }) => self.once(&attempt).await,
            answer => answer,
        }
    }

    async fn once<A: Answer, F>(&mut self, attempt: &impl Fn(String) -> F) -> Result<A, StoreError>
    where
        F: Future<Output = Result<A, StoreError>>,
    {
        // Before the first await: who is cut off here has asked.
        let was_open = std::mem::replace(&mut self.open, true);
        let answer = attempt(self.nonce.clone()).await;
        match &answer {
            Ok(answer) if answer.grants() => self.open = false,
            // An earlier try may still be on its way.
            Ok(_) => self.open = was_open,
            Err(_) => {}
        }
        answer
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        if self.open {
            let mut nonces = self.unanswered.0.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            // Handles come and go, and each is an asker of its own: what has run out is not kept for them.
            nonces.retain(|_, kept| {
                kept.retain(|(_, until)| *until > now);
                !kept.is_empty()
            });
            let until = now + (self.ttl + PATIENCE).min(Duration::from_secs(86_400));
            let asker = std::mem::take(&mut self.asker);
            let kept = nonces.entry(asker).or_default();
            kept.push_back((std::mem::take(&mut self.nonce), until));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::Lease;
    use super::*;

    const TTL: Duration = Duration::from_secs(40);

    fn lost() -> Result<Leased, StoreError> {
        Err(StoreError::unavailable("answer", "the answer is lost"))
    }

    fn granted() -> Result<Leased, StoreError> {
        Ok(Leased::Granted(Lease::new(1)))
    }

    fn held() -> Result<Leased, StoreError> {
        Ok(Leased::Held {
            by: "somebody".to_owned(),
            for_at_most: None,
        })
    }

    /// Asks once or twice with these answers, and says with which nonces.
    async fn ask(question: Question, answers: impl IntoIterator<Item = Result<Leased, StoreError>>) -> Vec<String> {
        let answers = Mutex::new(answers.into_iter().collect::<VecDeque<_>>());
        let nonces = Mutex::new(Vec::new());
        let _ = question
            .ask(|nonce| {
                nonces.lock().unwrap().push(nonce);
                let answer = answers.lock().unwrap().pop_front().unwrap();
                async { answer }
            })
            .await;
        nonces.into_inner().unwrap()
    }

    #[tokio::test]
    async fn a_lost_answer_is_asked_for_again_with_the_same_nonce() {
        let unanswered = Unanswered::default();
        let first = ask(unanswered.question("a", "me", TTL), [lost(), lost()]).await;
        assert_eq!(first[0], first[1]);
        // Refused now does not mean refused then.
        assert_eq!(ask(unanswered.question("a", "me", TTL), [held()]).await[0], first[0]);
        assert_eq!(ask(unanswered.question("a", "me", TTL), [granted()]).await[0], first[0]);
        assert_ne!(ask(unanswered.question("a", "me", TTL), [granted()]).await[0], first[0]);
        assert!(unanswered.0.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn nobody_else_has_the_nonce() {
        let unanswered = Unanswered::default();
        let lost_nonce = ask(unanswered.question("a", "me", TTL), [lost(), lost()])
            .await
            .remove(0);
        assert_ne!(unanswered.question("a", "you", TTL).nonce, lost_nonce);
        assert_ne!(unanswered.question("b", "me", TTL).nonce, lost_nonce);
        let (one, two) = (unanswered.question("a", "me", TTL), unanswered.question("a", "me", TTL));
        assert_eq!(one.nonce, lost_nonce);
        assert_ne!(two.nonce, lost_nonce);
    }

    #[tokio::test]
    async fn a_plain_refusal_leaves_nothing_behind() {
        let unanswered = Unanswered::default();
        ask(unanswered.question("a", "me", TTL), [held()]).await;
        assert!(unanswered.0.lock().unwrap().is_empty());
        // A refusal of the second try says nothing of the first one.
        ask(unanswered.question("a", "me", TTL), [lost(), held()]).await;
        assert_eq!(unanswered.0.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_question_that_is_cut_off_is_kept() {
        let unanswered = Unanswered::default();
        let question = unanswered.question("a", "me", TTL);
        let nonce = question.nonce.clone();
        let asking = question.ask(|_| std::future::pending::<Result<Leased, StoreError>>());
        assert!(tokio::time::timeout(Duration::ZERO, asking).await.is_err());
        assert_eq!(unanswered.question("a", "me", TTL).nonce, nonce);
    }

    #[tokio::test]
    async fn what_one_asker_left_open_stays_when_another_leaves_something_open() {
        let unanswered = Unanswered::default();
        let first = ask(unanswered.question("a", "me", TTL), [lost(), lost()]).await;
        ask(unanswered.question("b", "you", TTL), [lost(), lost()]).await;
        assert_eq!(unanswered.question("a", "me", TTL).nonce, first[0]);
    }

    #[tokio::test]
    async fn a_swap_that_was_to_take_the_lease_is_a_question_for_it_too() {
        let unanswered = Unanswered::default();
        let held = || LeasedSwap::Held {
            by: "somebody".to_owned(),
            for_at_most: None,
        };
        for (answer, is_over) in [
            (LeasedSwap::Done(Lease::new(1)), true),
            (LeasedSwap::Conflict(None), false),
            (held(), false),
        ] {
            // The first answer is lost, and only a lease that was granted says that nothing is open any more.
            let answers = Mutex::new(VecDeque::from([
                Err(StoreError::unavailable("answer", "the answer is lost")),
                Ok(answer),
            ]));
            let question = unanswered.question("a", "me", TTL);
            let _ = question
                .ask(|_| {
                    let answer = answers.lock().unwrap().pop_front().unwrap();
                    async { answer }
                })
                .await;
            assert_eq!(unanswered.0.lock().unwrap().is_empty(), is_over);
        }
    }

    #[test]
    fn askers_that_are_gone_leave_nothing_behind() {
        let unanswered = Unanswered::default();
        for number in 0..1000 {
            let mut question = unanswered.question("a", &format!("handle {number}"), Duration::ZERO);
            question.open = true;
            // As if its time had run out.
            drop(question);
            let mut nonces = unanswered.0.lock().unwrap();
            for (_, until) in nonces.values_mut().flatten() {
                *until = Instant::now();
            }
        }
        assert!(unanswered.0.lock().unwrap().len() <= 1);
    }

    #[test]
    fn a_record_without_a_number_is_damaged_and_keeps_its_bytes_for_who_goes_over_it() {
        let error = StoreError::without_revision(RecordBytes::from(b"record".to_vec()));
        let damage = error.damage().unwrap();
        assert_eq!((damage.revision, damage.named_revision), (None, None));
        assert_eq!(damage.bytes.as_deref(), Some(&b"record"[..]));
    }
}
