//! What those who watch a grant are told.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::broadcast;

use crate::token::TokenSet;
use crate::token::clock::{after, between};
use crate::token::event::{Event, Expiring};

/// The way to those who watch.
#[derive(Default)]
pub(crate) struct News {
    /// None until somebody watches.
    events: OnceLock<broadcast::Sender<Event>>,
    /// Which ends were announced.
    announced: Mutex<Vec<(Expiring, DateTime<Utc>)>>,
}

impl News {
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.get_or_init(|| broadcast::channel(32).0).subscribe()
    }

    pub fn is_watched(&self) -> bool {
        self.events.get().is_some_and(|events| events.receiver_count() > 0)
    }

    pub fn tell(&self, event: Event) {
        if let Some(events) = self.events.get() {
            // Nobody listening is fine.
            let _ = events.send(event);
        }
    }

    /// Tells of the ends of these tokens that are near, once for each end; says when the next one will be.
    pub fn announce_ends(&self, tokens: &TokenSet, now: DateTime<Utc>) -> Option<Duration> {
        let mut announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        // An end that moved is another end.
        announced.retain(|(what, at)| end(tokens, *what) == Some(*at));
        let mut next = None;
        for what in [Expiring::Consent, Expiring::RefreshToken] {
            let Some(at) = end(tokens, what) else { continue };
            let told_at = told_at(tokens, at);
            if now < told_at {
                let wait = between(now, told_at);
                next = Some(next.map_or(wait, |other: Duration| other.min(wait)));
            } else if !announced.contains(&(what, at)) {
                announced.push((what, at));
                self.tell(Event::ExpiresSoon { what, at });
            }
        }
        next
    }
}

fn end(tokens: &TokenSet, what: Expiring) -> Option<DateTime<Utc>> {
    match what {
        Expiring::Consent => tokens.consent_expires_at,
        Expiring::RefreshToken => tokens.refresh_expires_at,
    }
}

/// When an end is announced: in the last quarter of the time, a week before at most.
fn told_at(tokens: &TokenSet, end: DateTime<Utc>) -> DateTime<Utc> {
    const WEEK: Duration = Duration::from_secs(7 * 86_400);
    let life = between(tokens.obtained_at, end);
    after(tokens.obtained_at, life.saturating_sub((life / 4).min(WEEK)))
}
