//! What those who watch a grant are told.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::broadcast;

use crate::token::clock::between;
use crate::token::event::{Event, Expiring};
use crate::token::news_of_all::NewsOfAll;
use crate::token::{TokenKey, TokenSet, machine};

/// The way to those who watch.
pub(crate) struct News {
    key: TokenKey,
    of_all: NewsOfAll,
    /// None until somebody watches.
    events: OnceLock<broadcast::Sender<Event>>,
    /// Which ends were announced.
    announced: Mutex<Vec<(Expiring, DateTime<Utc>)>>,
}

impl News {
    pub fn new(key: TokenKey, of_all: NewsOfAll) -> Self {
        Self {
            key,
            of_all,
            events: OnceLock::new(),
            announced: Mutex::default(),
        }
    }

    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.get_or_init(|| broadcast::channel(32).0).subscribe()
    }

    pub fn is_watched(&self) -> bool {
        self.events.get().is_some_and(|events| events.receiver_count() > 0) || self.of_all.is_watched()
    }

    pub fn tell(&self, event: Event) {
        self.of_all.tell(&self.key, &event);
        if let Some(events) = self.events.get() {
            // Nobody listening is fine.
            let _ = events.send(event);
        }
    }

    /// Tells of the ends of these tokens that are near, once for each end; says when the next one will be.
    pub fn announce_ends(&self, tokens: &TokenSet, now: DateTime<Utc>) -> Option<Duration> {
        let mut announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        // An end that moved is another end.
        announced.retain(|(what, at)| ends(tokens, *what).is_some_and(|(end, _)| end == *at));
        let mut next = None;
        for what in [Expiring::Consent, Expiring::RefreshToken] {
            let Some((at, told_at)) = ends(tokens, what) else {
                continue;
            };
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

fn ends(tokens: &TokenSet, what: Expiring) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    match what {
        Expiring::Consent => machine::consent_ends(tokens),
        Expiring::RefreshToken => machine::refresh_token_ends(tokens),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use chrono::TimeDelta;

    use super::*;
    use crate::token::clock::{Now, after};
    use crate::token::{GrantKind, ManualClock, Rotation, TokenReply};
    use crate::value::ScopeSet;

    fn news() -> News {
        News::new(
            TokenKey::new("bank", "client", GrantKind::AuthorizationCode),
            NewsOfAll::default(),
        )
    }

    const DAY: Duration = Duration::from_secs(86_400);

    /// Tokens whose refresh token and consent end so many days after the first; none: no end is known.
    fn tokens(refresh: Option<u32>, consent: Option<u32>) -> TokenSet {
        let mut reply = TokenReply::new("access-1");
        reply.refresh_token = Some("refresh-1".into());
        reply.refresh_expires_in = refresh.map(|days| DAY * days);
        let rotation = Rotation::UNKNOWN.consent_lifetime(consent.map(|days| DAY * days));
        let now = Now::read(&ManualClock::new());
        TokenSet::first(reply, &ScopeSet::new(), now.wall, &rotation)
    }

    fn days_later(tokens: &TokenSet, days: u32) -> DateTime<Utc> {
        after(tokens.obtained_at, DAY * days)
    }

    #[test]
    fn an_end_is_told_in_the_last_quarter_of_its_time_and_a_week_before_at_most() {
        for (life, told) in [(4, 3), (28, 21), (60, 53), (365, 358)] {
            let tokens = tokens(Some(life), None);
            let news = news();
            let mut events = news.subscribe();
            let at = days_later(&tokens, told);
            let second = TimeDelta::seconds(1);
            assert_eq!(news.announce_ends(&tokens, at - second), Some(Duration::from_secs(1)));
            assert!(events.try_recv().is_err(), "{life}");
            assert_eq!(news.announce_ends(&tokens, at), None);
            let expected = Event::ExpiresSoon {
                what: Expiring::RefreshToken,
                at: tokens.refresh_expires_at.unwrap(),
            };
            assert_eq!(events.try_recv().unwrap(), expected, "{life}");
            // Once, as long as it is the same end.
            assert_eq!(news.announce_ends(&tokens, at + second), None);
            assert!(events.try_recv().is_err(), "{life}");
        }
    }

    #[test]
    fn an_end_that_has_moved_is_told_again() {
        let (first, later) = (tokens(Some(28), None), tokens(Some(30), None));
        let news = news();
        let mut events = news.subscribe();
        let at = days_later(&first, 29);
        for tokens in [&first, &later, &later] {
            news.announce_ends(tokens, at);
        }
        let told: Vec<_> = std::iter::from_fn(|| events.try_recv().ok()).collect();
        assert_eq!(told.len(), 2, "{told:?}");
    }

    #[test]
    fn the_wait_is_for_the_end_that_is_told_first() {
        let news = news();
        for (refresh, consent, wait) in [
            (Some(28), Some(60), Some(21)),
            (Some(60), Some(28), Some(21)),
            (None, Some(28), Some(21)),
            (Some(28), None, Some(21)),
            (None, None, None),
        ] {
            let tokens = tokens(refresh, consent);
            let told = news.announce_ends(&tokens, tokens.obtained_at);
            assert_eq!(told, wait.map(|days| DAY * days), "{refresh:?} {consent:?}");
        }
    }

    #[test]
    fn it_is_watched_as_long_as_somebody_watches() {
        let news = news();
        assert!(!news.is_watched());
        let (one, two) = (news.subscribe(), news.subscribe());
        assert!(news.is_watched());
        drop(one);
        assert!(news.is_watched());
        drop(two);
        assert!(!news.is_watched());
    }
}
